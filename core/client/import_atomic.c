/* import_atomic.c: a Bundle's resources as one transaction, all or nothing.
 *
 * Organisations, practitioners and patients, with the credentials and care relations that the rest
 * needs, went first as transactions of their own. What is left becomes one payload each, answered
 * for by the gateway of its organisation, which names the author. One signature a gateway; the
 * limits are the transaction's: 17 signers, 4,096 payloads, 512 KiB. A Bundle beyond them, or with
 * an entry that cannot be taken, is refused whole. */
#include <stdio.h>
#include <stdlib.h>

#include "core/base/assert.h"
#include "core/client/import_internal.h"

/* One entry that the transaction takes. */
struct part {
    const struct sy_fhir_item *item;
    struct sy_client_record record;
    struct sy_client_version version;
    bool is_new;
    uint16_t type;
};

struct bundle {
    struct part *parts;
    uint32_t count;
    uint32_t duplicates;
    uint8_t *payload_bytes; /* the encoded parts */
    struct sy_writer payloads;
    struct sy_list list;
    uint8_t *made_bytes;
    struct sy_writer made;
    uint64_t *after;
    struct sy_import_draft draft;
    unsigned orgs; /* organisations met, even beyond those that can sign */
    uint64_t bytes_wanted;
    struct sy_fhir_complaint complaint;
    const struct sy_fhir_item *culprit;
};

/* Room for the parts of a transaction that may turn out too large: the figures are told. */
#define PARTS_ROOM (2u << 20)
#define PART_HEAD_BYTES 7u
#define ORGS_COUNTED_MAX 1024u

static sy_status open_bundle(struct bundle *bundle, uint32_t entries, struct sy_error *err)
{
    memset(bundle, 0, sizeof *bundle);
    bundle->parts = calloc(entries, sizeof *bundle->parts);
    bundle->payload_bytes = malloc(PARTS_ROOM);
    bundle->made_bytes = malloc((size_t)entries * SY_CLIENT_MADE_BYTES);
    // Each entry waits for at most its author, gateway, patient, care, encounter, head and links.
    bundle->after = calloc((size_t)entries * 16, sizeof *bundle->after);
    if (bundle->parts == NULL || bundle->payload_bytes == NULL || bundle->made_bytes == NULL ||
        bundle->after == NULL) {
        return sy_fail(err, SY_ERR_NO_MEMORY, "no memory for a Bundle");
    }
    bundle->payloads = sy_writer_of(bundle->payload_bytes, PARTS_ROOM);
    bundle->made = sy_writer_of(bundle->made_bytes, (size_t)entries * SY_CLIENT_MADE_BYTES);
    sy_draft_init(&bundle->draft, SY_KIND_atomic);
    bundle->draft.after = bundle->after;
    bundle->draft.after_capacity = entries * 16;
    return SY_OK;
}

static void close_bundle(struct bundle *bundle)
{
    free(bundle->parts);
    free(bundle->payload_bytes);
    free(bundle->made_bytes);
    free(bundle->after);
}

/* The index of the gateway among the signers; it joins them when it is new. 17 and more: there is
 * no place for it. */
static unsigned signer_of(struct bundle *bundle, const struct sy_import_base *base)
{
    struct sy_import_draft *draft = &bundle->draft;
    for (unsigned i = 0; i < draft->signer_count; i++) {
        if (sy_public_key_equal(&draft->signers[i].key, &base->org.gateway_key)) return i;
    }
    bundle->orgs++;
    if (draft->signer_count == SY_TX_SIGNERS_MAX) return SY_TX_SIGNERS_MAX;
    if (draft->signer_count == 0) draft->organisation = base->org.id;
    sy_draft_sign_by(draft, &base->gateway_name, &base->org.gateway_key);
    return draft->signer_count - 1;
}

/* Encodes one entry's payload behind the others. */
static void add_payload(struct bundle *bundle, struct sy_import_entry *entry, unsigned signer)
{
    uint8_t room[2048];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    uint16_t number = entry->is_new ? SY_KIND_record_create : SY_KIND_record_amend;
    sy_payload_encode(&w, sy_kind_by_number(number), &entry->payload);
    SY_ASSERT(!w.failed);
    struct sy_part part = {number, (uint8_t)signer, sy_writer_slice(&w)};
    bundle->bytes_wanted += PART_HEAD_BYTES + w.used;
    if (!bundle->payloads.failed && bundle->list.count < SY_ATOMIC_PAYLOADS_MAX) {
        sy_list_add_part(&bundle->list, &bundle->payloads, &part);
    }
}

static sy_status add_item(sy_importer *importer, struct bundle *bundle,
                          const struct sy_fhir_item *item, struct sy_error *err)
{
    struct sy_client_record known;
    struct sy_import_entry entry;
    bool is_known;
    bool is_duplicate;
    bundle->culprit = item;
    if (item->faulty || sy_import_dangling(item, &bundle->complaint)) {
        if (item->faulty) bundle->complaint = item->complaint;
        return SY_ERR_FORMAT;
    }
    SY_TRY(sy_import_lookup(importer, &is_known, &is_duplicate, &known, item, err));
    struct part *part = &bundle->parts[bundle->count];
    part->item = item;
    part->type = sy_import_type_index(importer, item->facts.type);
    if (is_duplicate) {
        part->version.version = 0;
        bundle->count++;
        bundle->duplicates++;
        return SY_OK;
    }
    struct sy_import_draft one;
    sy_draft_init(&one, SY_KIND_record_create);
    SY_TRY(sy_import_make(importer, &entry, &one, item, is_known ? &known : NULL, true,
                          &bundle->complaint, err));
    for (uint32_t i = 0; i < one.after_count; i++) sy_draft_after(&bundle->draft, one.after[i]);
    add_payload(bundle, &entry, signer_of(bundle, &entry.base));
    struct sy_client_made made = {part->type, item->label, entry.version.version};
    sy_client_made_write(&bundle->made, &made);
    bundle->draft.made_count++;
    // Later entries of the Bundle find this one as they would find a registered one.
    SY_TRY(sy_import_keep(importer, item, &entry, 0, err));
    part->record = entry.record;
    part->version = entry.version;
    part->is_new = entry.is_new;
    bundle->count++;
    return SY_OK;
}

/* Gives the rows that were kept for later entries their transaction, or takes them back. */
static sy_status set_rows(sy_importer *importer, struct bundle *bundle, uint64_t seq, bool keep,
                          struct sy_error *err)
{
    for (uint32_t i = bundle->count; i-- > 0;) {
        struct part *part = &bundle->parts[i];
        if (part->version.version == 0) continue;
        if (!keep) {
            SY_TRY(sy_client_drop_versions(importer->store, &part->item->label,
                                           part->version.version, err));
            continue;
        }
        // Two entries may be versions of one record: only the head is rewritten here.
        struct sy_client_record record;
        SY_TRY(sy_client_get_record(importer->store, &record, &part->item->label, err));
        if (record.head.version != part->version.version) continue;
        record.head.seq = seq;
        SY_TRY(sy_client_put_record(importer->store, &part->item->label, &record, err));
    }
    return SY_OK;
}

static void count_all(sy_importer *importer, const struct bundle *bundle)
{
    for (uint32_t i = 0; i < bundle->count; i++) {
        const struct part *part = &bundle->parts[i];
        sy_import_count(importer, part->type, SY_FATE_READ);
        if (part->version.version != 0) continue;
        sy_import_count(importer, part->type, SY_FATE_DUPLICATE);
    }
}

/* Every entry from the first clinical one on counts as refused; the issue names the reason once. */
static void refuse_bundle(sy_importer *importer, const char *where, const char *resource,
                          const char *what, const char *remedy)
{
    const struct sy_fhir_set *set = &importer->set;
    sy_import_tell(importer, true, NULL, where, resource, what, remedy);
    for (uint32_t i = importer->next_entry; i < set->count; i++) {
        const struct sy_fhir_item *item = &set->items[set->order[i]];
        const char *type = item->faulty ? "malformed" : item->facts.type;
        uint16_t index = sy_import_type_index(importer, type);
        sy_import_count(importer, index, SY_FATE_READ);
        sy_import_count(importer, index, SY_FATE_REFUSED);
    }
}

static void refuse_for_culprit(sy_importer *importer, const struct bundle *bundle)
{
    char where[96];
    char name[112];
    char what[256];
    sy_import_where(where, sizeof where, importer, bundle->culprit, "resource");
    sy_import_name(name, sizeof name, bundle->culprit);
    snprintf(what, sizeof what, "the Bundle cannot be taken whole: %.210s", bundle->complaint.what);
    refuse_bundle(importer, where, name, what, bundle->complaint.remedy);
}

/* True: one transaction can hold it. */
static bool check_limits(sy_importer *importer, const struct bundle *bundle)
{
    // A body of 118 bytes with 32 a cosigner, the payload's length and count, 64 a signature.
    unsigned signers = bundle->orgs;
    uint64_t bytes = 118 + 4 + 2 + bundle->bytes_wanted + 96ull * signers;
    uint32_t payloads = bundle->draft.made_count;
    if (signers <= SY_TX_SIGNERS_MAX && payloads <= SY_ATOMIC_PAYLOADS_MAX &&
        bytes <= SY_TX_BYTES_MAX && !bundle->payloads.failed) {
        return true;
    }
    char what[256];
    snprintf(what, sizeof what,
             "one transaction would need %u signers (at most %u), %u payloads (at most %u), %llu "
             "bytes (at most %u)",
             signers, SY_TX_SIGNERS_MAX, payloads, SY_ATOMIC_PAYLOADS_MAX,
             (unsigned long long)bytes, SY_TX_BYTES_MAX);
    refuse_bundle(importer, "", "Bundle", what, "import it without --atomic, or split it");
    return false;
}

static sy_status sign_bundle(sy_importer *importer, struct bundle *bundle, struct sy_error *err)
{
    uint64_t seq;
    bundle->draft.payload.atomic.payloads = bundle->list;
    bundle->draft.made = sy_writer_slice(&bundle->made);
    sy_import_place(bundle->draft.place, importer, NULL);
    SY_TRY(sy_import_sign(importer, &seq, &bundle->draft, err));
    SY_TRY(set_rows(importer, bundle, seq, true, err));
    for (uint32_t i = 0; i < bundle->count; i++) {
        if (bundle->parts[i].version.version == 0) continue;
        if (bundle->parts[i].is_new) importer->totals.records++;
        if (!bundle->parts[i].is_new) importer->totals.amendments++;
    }
    count_all(importer, bundle);
    return SY_OK;
}

/* All or nothing: an entry that could not even be read takes the others with it. */
static sy_status check_readable(const sy_importer *importer, struct bundle *bundle)
{
    const struct sy_fhir_set *set = &importer->set;
    for (uint32_t i = 0; i < set->count; i++) {
        if (!set->items[i].faulty) continue;
        bundle->culprit = &set->items[i];
        bundle->complaint = set->items[i].complaint;
        return SY_ERR_FORMAT;
    }
    if (!importer->scan.faulty) return SY_OK;
    bundle->culprit = &set->items[set->count - 1];
    snprintf(bundle->complaint.what, sizeof bundle->complaint.what, "%s",
             importer->scan.fault.what);
    bundle->complaint.remedy = "mend the JSON";
    return SY_ERR_FORMAT;
}

static sy_status take_bundle(sy_importer *importer, struct bundle *bundle, struct sy_error *err)
{
    const struct sy_fhir_set *set = &importer->set;
    sy_status status = check_readable(importer, bundle);
    for (uint32_t i = importer->next_entry; i < set->count && status == SY_OK; i++) {
        status = add_item(importer, bundle, &set->items[set->order[i]], err);
    }
    bool keep = status == SY_OK;
    if (status == SY_ERR_FORMAT) refuse_for_culprit(importer, bundle);
    if (keep && bundle->draft.made_count == 0) {
        count_all(importer, bundle);
        return SY_OK;
    }
    if (keep) keep = check_limits(importer, bundle);
    if (keep) {
        status = sign_bundle(importer, bundle, err);
        keep = status == SY_OK;
    }
    bool world = status != SY_OK && status != SY_ERR_FORMAT && status != SY_ERR_BUSY;
    if (keep || world) return status;
    SY_TRY(set_rows(importer, bundle, 0, false, err));
    return status == SY_ERR_FORMAT ? SY_OK : status;
}

sy_status sy_import_atomic(sy_importer *importer, struct sy_error *err)
{
    struct bundle bundle;
    uint32_t entries = importer->set.count - importer->next_entry;
    // Looked at first, so that a full window costs nothing.
    if (!importer->config.dry_run && sy_window_full(&importer->window)) return SY_ERR_BUSY;
    sy_status status = open_bundle(&bundle, entries, err);
    if (status == SY_OK) status = take_bundle(importer, &bundle, err);
    close_bundle(&bundle);
    return status;
}
