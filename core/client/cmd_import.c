/* cmd_import.c: `systole import`: the whole record of a patient of another network, anchored here.
 *
 *     FOLDER --> whole? (export verify, with the other network's genesis) --> each envelope opened
 *                                                                                |
 *     id.map: the patient there --> PATIENT here                                 |
 *     client's store: record there --> record here, fresh salt <-----------------+
 *                                          |
 *                                          +--> record.create, record.amend, each final before the
 * next lineage: what came from where, as a Provenance record of its own
 *
 * What is to be anchored stands in the store before it is sent, and what the ledger has is not sent
 * again: whoever runs it twice, or again after it was killed, anchors nothing twice. */
#include <stdlib.h>

#include "core/base/os.h"
#include "core/client/client_store.h"
#include "core/client/cmd.h"
#include "core/client/cmd_export.h"
#include "core/client/history.h"
#include "core/client/import_layout.h"
#include "core/client/manifest.h"
#include "core/client/opened.h"
#include "core/client/show.h"
#include "core/client/tx_draft.h"
#include "core/wire/schema.h"

static const char about[] =
    "Anchors the whole record of a patient, as another network's `systole export` made\n"
    "FOLDER, for PATIENT of this network. FOLDER is checked first, like `systole export\n"
    "verify` does. Each record gets a fresh id and salt; which is which stands in this\n"
    "client's store and in the lineage, a Provenance record whose content is\n"
    "FOLDER/lineage.json. Branches of a record stay branches here. What cannot be\n"
    "anchored here stands in the lineage and is told: who cosigned there, versions\n"
    "whose content did not come, joins of branches, what named a record, links to\n"
    "other patients, and versions beyond the heads that a record may have. Branches\n"
    "of which nothing came that they came from are records of their own, and what\n"
    "was retracted there is retracted here. The key is a gateway's, of an\n"
    "organisation that may write to PATIENT's records. Run again, it goes on where\n"
    "it was. A later export is added to what came before; a version of it of which a\n"
    "later one stands here already is left out and told, and so is what was erased\n"
    "here.\n";

#define SETTLE_MS 60000
#define CLASSES_MAX 64u
#define LINEAGE_BYTES_MAX (64u << 20)

struct class_count {
    char name[33];
    uint64_t read, accepted, duplicate, rejected;
};

struct import_run {
    const struct sy_cmd *cmd;
    struct sy_cmd_where where;
    const char *patient_hex, *genesis_path, *x25519_path, *passphrase, *key_path;
    const char *folder;
    struct sy_genesis *source;
    sy_x25519_key *x25519;
    struct sy_manifest manifest;
    struct sy_cmd_net *net;
    sy_asker *asker;
    sy_secret_key *key;
    sy_client_store *store;
    struct sy_hash patient, organisation;
    uint64_t nonce;
    char system[96]; /* the source, as labels name it */
    struct class_count classes[CLASSES_MAX];
    unsigned class_count;
    struct sy_proven answer, final;
    struct sy_opened opened;
    struct sy_history history; /* of the item under way */
    struct sy_hash linked[SY_LINKS_MAX];
    unsigned linked_count;
    struct sy_layout layout;                                           /* of its contents */
    uint64_t versions_left, cosignatures_left, links_left, joins_left; /* told, not anchored */
    uint64_t heads_left;     /* versions for which there are too many heads here */
    uint64_t late_left;      /* of which a later one stood here already */
    uint64_t erased_left;    /* whose record was erased here */
    uint64_t branches_apart; /* anchored as records of their own */
    sy_json lineage;
};

// --- counting ----------------------------------------------------------------------------------

static struct class_count *class_of(struct import_run *run, struct sy_slice name)
{
    for (unsigned i = 0; i < run->class_count; i++) {
        const char *known = run->classes[i].name;
        if (sy_slice_equal(sy_slice_of(known, strlen(known)), name)) return &run->classes[i];
    }
    if (run->class_count == CLASSES_MAX) return &run->classes[CLASSES_MAX - 1]; // and others
    struct class_count *count = &run->classes[run->class_count++];
    memcpy(count->name, name.data, name.size < 32 ? name.size : 32);
    return count;
}

// --- the ledger --------------------------------------------------------------------------------

static sy_status read_state(struct import_run *run, struct sy_slice *value, enum sy_state_kind kind,
                            const struct sy_hash *id, uint32_t version, struct sy_error *err)
{
    struct sy_read_request read = {.subject = SY_READ_STATE,
                                   .state_kind = (uint8_t)kind,
                                   .id = *id,
                                   .purpose = SY_PURPOSE_TREATMENT};
    if (version != 0) sy_store_u32(read.second.bytes, version);
    SY_TRY(sy_asker_read(run->asker, &run->answer, &read, run->key, 60000, err));
    sy_asker_expect(run->asker, run->answer.proof.header.height);
    if (!run->answer.proof.state.present) return SY_ERR_NOT_FOUND;
    *value = run->answer.proof.state.value;
    return SY_OK;
}

/* *code: what became of it. Anything but SY_OK: nobody knows, and running again finds out. */
static sy_status settle(struct import_run *run, uint16_t *code, uint16_t kind,
                        const union sy_payload *payload, struct sy_error *err)
{
    uint8_t room[4096];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    struct sy_tx tx = {.kind = kind,
                       .organisation = run->organisation,
                       .nonce = run->nonce++,
                       .valid_until_ms = sy_os_wall_ms() + 3600 * 1000};
    sy_draft *draft = NULL;
    unsigned place;
    sy_secret_key_public(run->key, &tx.signer);
    sy_payload_encode(&w, sy_kind_by_number(kind), payload);
    if (w.failed) return sy_fail(err, SY_ERR_ARGUMENT, "the transaction has no encoding");
    tx.payload = sy_writer_slice(&w);
    SY_TRY(sy_draft_make(&draft, &run->net->genesis, &tx, err));
    sy_status status = sy_draft_sign(draft, &place, run->key, &run->net->genesis, err);
    *code = SY_APPLIED;
    if (status == SY_OK) {
        status = sy_asker_settle(run->asker, &run->final, code, sy_draft_bytes(draft), false,
                                 SETTLE_MS, err);
        if (status == SY_OK) *code = run->final.receipt.code;
        if (status == SY_ERR_PERMISSION && *code != SY_APPLIED) status = SY_OK;
    }
    sy_draft_close(draft);
    return status;
}

static sy_status take_signer(struct import_run *run, struct sy_error *err)
{
    struct sy_public_key key;
    struct sy_hash id;
    struct sy_slice value;
    struct sy_credential credential;
    struct sy_nonces nonces;
    sy_secret_key_public(run->key, &key);
    memcpy(id.bytes, key.bytes, sizeof id.bytes);
    sy_status status = read_state(run, &value, SY_STATE_CREDENTIAL, &id, 0, err);
    if (status == SY_OK && !sy_credential_decode(&credential, value)) status = SY_ERR_NOT_FOUND;
    if (status == SY_ERR_NOT_FOUND || (status == SY_OK && credential.role != SY_ROLE_GATEWAY)) {
        return sy_fail(err, SY_ERR_PERMISSION, "the key is no gateway's: give --key of one");
    }
    if (status != SY_OK) return status;
    run->organisation = credential.holder;
    status = read_state(run, &value, SY_STATE_NONCES, &id, 0, err);
    if (status != SY_OK && status != SY_ERR_NOT_FOUND) return status;
    run->nonce = 1;
    if (status == SY_ERR_NOT_FOUND) return SY_OK;
    if (!sy_nonces_decode(&nonces, value)) {
        return sy_fail(err, SY_ERR_VERSION, "the nonces proven are of an unknown form: upgrade");
    }
    run->nonce = nonces.highest + 1;
    return SY_OK;
}

// --- who it is ---------------------------------------------------------------------------------

static sy_status refused(struct sy_error *err, const char *what, uint16_t code)
{
    const struct sy_refusal_info *info = sy_refusal_info(code);
    return sy_fail(err, SY_ERR_PERMISSION, "%s is refused: %s, %s: %s", what,
                   info ? info->name : "?", info ? info->sentence : "?", info ? info->remedy : "?");
}

static sy_status map_patient(struct import_run *run, struct sy_error *err)
{
    union sy_payload payload = {
        .id_map = {.patient_id = run->patient, .system = run->manifest.genesis}};
    struct sy_hash id;
    struct sy_slice value;
    struct sy_mapped_id mapped;
    uint16_t code = 0;
    sy_client_label(run->store, &payload.id_map.identifier, SY_LABEL_IDENTIFIER,
                    sy_slice_of(run->system, strlen(run->system)), sy_slice_of("patient", 7),
                    sy_slice_of(run->manifest.patient.bytes, 32));
    sy_mapped_id_of(&id, &run->organisation, &payload.id_map.system, &payload.id_map.identifier);
    sy_status status = read_state(run, &value, SY_STATE_ID_MAP, &id, 0, err);
    if (status == SY_OK) {
        bool same =
            sy_mapped_id_decode(&mapped, value) && sy_hash_equal(&mapped.patient, &run->patient);
        return same ? SY_OK
                    : sy_fail(err, SY_ERR_ARGUMENT,
                              "the patient there is mapped to another one than PATIENT here");
    }
    if (status != SY_ERR_NOT_FOUND) return status;
    SY_TRY(settle(run, &code, SY_KIND_id_map, &payload, err));
    return code == SY_APPLIED ? SY_OK : refused(err, "id.map", code);
}

// --- records -----------------------------------------------------------------------------------

static void make_version(struct sy_client_version *version, uint32_t number, struct sy_slice bytes)
{
    *version = (struct sy_client_version){.version = number, .size = bytes.size};
    sy_os_random(version->salt.bytes, sizeof version->salt.bytes);
    sy_content_commit(&version->commit, SY_FORM_RAW, &version->salt, bytes);
}

/* Finds, or draws and keeps, what stands here for content `bytes` as version `number`. What was
 * erased here is not made anew: then there is none. */
static sy_status plan(struct import_run *run, struct sy_client_record *record,
                      struct sy_client_version *version, const struct sy_hash *label,
                      struct sy_slice class, uint32_t number, struct sy_slice bytes,
                      struct sy_error *err)
{
    sy_status status = sy_client_get_record(run->store, record, label, err);
    if (status == SY_ERR_NOT_FOUND) {
        *record =
            (struct sy_client_record){.subject_kind = SY_SUBJECT_PATIENT, .subject = run->patient};
        memcpy(record->type, class.data, class.size < 32 ? class.size : 32);
        sy_os_random(record->id.bytes, sizeof record->id.bytes);
        make_version(&record->head, 1, bytes);
        SY_TRY(sy_client_put_record(run->store, label, record, err));
        *version = record->head;
        return sy_client_store_commit(run->store, err);
    }
    if (status != SY_OK) return status;
    if (record->erased) return SY_OK;
    if (number <= record->head.version) {
        return sy_client_get_version(run->store, version, label, record, number, err);
    }
    make_version(version, number, bytes);
    SY_TRY(sy_client_add_version(run->store, label, record, version, err));
    return sy_client_store_commit(run->store, err);
}

/* Does the ledger have it already? */
static sy_status is_anchored(struct import_run *run, bool *yes, const struct sy_hash *record_id,
                             uint32_t number, const struct sy_hash *commit, struct sy_error *err)
{
    struct sy_slice value;
    struct sy_record record;
    struct sy_record_version version;
    *yes = false;
    sy_status status = read_state(run, &value, SY_STATE_RECORD, record_id, 0, err);
    if (status == SY_ERR_NOT_FOUND) return SY_OK;
    if (status != SY_OK) return status;
    if (!sy_record_decode(&record, value)) {
        return sy_fail(err, SY_ERR_VERSION, "a record proven is of an unknown form: upgrade");
    }
    if (record.versions < number) return SY_OK;
    version = record.first;
    if (number > 1) {
        SY_TRY(read_state(run, &value, SY_STATE_RECORD_VERSION, record_id, number, err));
        if (!sy_record_version_decode(&version, value)) {
            return sy_fail(err, SY_ERR_VERSION, "a version proven is of an unknown form: upgrade");
        }
    }
    *yes = sy_hash_equal(&version.commit, commit);
    return *yes ? SY_OK
                : sy_fail(err, SY_ERR_CORRUPT,
                          "version %u of a record that this client imported is something else on "
                          "the ledger",
                          (unsigned)number);
}

static void fill_create(union sy_payload *payload, const struct import_run *run,
                        const struct sy_client_record *record,
                        const struct sy_client_version *version, struct sy_slice class,
                        const struct sy_record *there)
{
    struct sy_record_create *create = &payload->record_create;
    *create = (struct sy_record_create){.record_id = record->id,
                                        .subject_kind = SY_SUBJECT_PATIENT,
                                        .subject = run->patient,
                                        .class = class,
                                        .form = SY_FORM_RAW,
                                        .commit = version->commit,
                                        .size = sy_content_size_rounded(version->size),
                                        .author_role = SY_ROLE_GATEWAY};
    if (there == NULL || !there->has_sens_tag) return;
    create->has_sens_tag = true; // the patient's own tags, which mean the same everywhere
    memcpy(create->sens_tag.bytes, there->sens_tag, sizeof create->sens_tag.bytes);
}

/* Anchors one version; *code says what became of it, and *known that it was there. */
static sy_status anchor(struct import_run *run, uint16_t *code, bool *known,
                        const struct sy_client_record *record, const struct sy_client_place *place,
                        const struct sy_client_version *version, struct sy_slice class,
                        const struct sy_record *there, struct sy_error *err)
{
    union sy_payload payload;
    memset(&payload, 0, sizeof payload);
    *code = SY_APPLIED;
    SY_TRY(is_anchored(run, known, &record->id, version->version, &version->commit, err));
    if (*known) return SY_OK;
    if (version->version == 1) {
        fill_create(&payload, run, record, version, class, there);
        return settle(run, code, SY_KIND_record_create, &payload, err);
    }
    payload.record_amend = (struct sy_record_amend){.record_id = record->id,
                                                    .prev_version = place->base,
                                                    .branch = place->branch,
                                                    .form = SY_FORM_RAW,
                                                    .commit = version->commit,
                                                    .size = sy_content_size_rounded(version->size),
                                                    .author_role = SY_ROLE_GATEWAY,
                                                    .reason = SY_AMEND_SOURCE};
    return settle(run, code, SY_KIND_record_amend, &payload, err);
}

/* Did the content of a version there come? */
static bool came(const struct import_run *run, const struct sy_manifest_item *item,
                 uint32_t version)
{
    for (uint32_t k = 0; k < item->content_count; k++) {
        if (run->manifest.contents[item->first_content + k].version == version) return true;
    }
    return false;
}

/* What the ledger there says of the version besides its content. */
static void put_source(struct import_run *run, uint32_t version)
{
    const struct sy_history *history = &run->history;
    if (version == 0 || version > history->record.versions) return;
    const struct sy_record_version *there = &history->versions[version - 1];
    const struct sy_cosignatures *list = &history->signatures[version - 1];
    sy_json_key(&run->lineage, "source");
    sy_json_object_begin(&run->lineage);
    sy_show_version(&run->lineage, there);
    sy_json_key(&run->lineage, "cosignatures");
    sy_json_array_begin(&run->lineage);
    for (unsigned i = 0; i < list->count; i++) sy_show_cosignature(&run->lineage, &list->items[i]);
    sy_json_array_end(&run->lineage);
    sy_json_object_end(&run->lineage);
}

static void put_retraction(struct import_run *run)
{
    const struct sy_record *there = &run->history.record;
    if (!there->retracted) return;
    const char *reason = sy_enum_word(&sy_enum_retract_reason, there->retract_reason);
    sy_json_put_text(&run->lineage, "source_retracted", reason != NULL ? reason : "?");
    sy_json_put_u64(&run->lineage, "source_retracted_height", there->retracted_height);
}

/* A version that has no place here. */
static void put_unplaced(struct import_run *run, const struct sy_manifest_content *content)
{
    sy_json_object_begin(&run->lineage);
    sy_json_put_hex(&run->lineage, "source_record", run->manifest.items[content->item].record.bytes,
                    32);
    sy_json_put_u64(&run->lineage, "source_version", content->version);
    put_retraction(run);
    put_source(run, content->version);
    sy_json_object_end(&run->lineage);
}

static void put_lineage(struct import_run *run, const struct sy_manifest_content *content,
                        const struct sy_client_record *record, uint32_t number)
{
    const struct sy_manifest_item *item = &run->manifest.items[content->item];
    sy_json_object_begin(&run->lineage);
    sy_json_put_hex(&run->lineage, "source_record", item->record.bytes, 32);
    sy_json_put_u64(&run->lineage, "source_version", content->version);
    sy_json_put_hex(&run->lineage, "record", record->id.bytes, 32);
    sy_json_put_u64(&run->lineage, "version", number);
    put_retraction(run);
    put_source(run, content->version);
    sy_json_object_end(&run->lineage);
}

/* A content becomes a version of a record here. *full: it has no place, as the record has as many
 * heads as it may, or was retracted here since that was so. */
static sy_status anchor_content(struct import_run *run, bool *full, const char *path,
                                const struct sy_manifest_content *content,
                                const struct sy_client_place *place, struct class_count *count,
                                struct sy_error *err)
{
    struct sy_client_record record;
    struct sy_client_version version;
    uint16_t code = 0;
    bool known = false;
    struct sy_slice class = run->opened.record.record_class;
    SY_TRY(sy_layout_keep(&run->layout, content->version, err));
    SY_TRY(plan(run, &record, &version, &place->label, class, place->number,
                run->opened.body.content, err));
    if (record.erased) {
        run->erased_left++;
        put_unplaced(run, content);
        return SY_OK;
    }
    SY_TRY(anchor(run, &code, &known, &record, place, &version, class, &run->opened.record, err));
    count->accepted += code == SY_APPLIED && !known;
    count->duplicate += known;
    count->rejected += code != SY_APPLIED;
    *full = code == SY_E_HEADS ||
            (code == SY_E_RECORD_STATE && run->history.record.retracted && place->number > 1);
    if (*full) return SY_OK;
    if (code != SY_APPLIED) return refused(err, path, code);
    put_lineage(run, content, &record, place->number);
    return SY_OK;
}

static sy_status import_content(struct import_run *run, bool *full,
                                const struct sy_manifest_content *content, struct sy_error *err)
{
    char path[SY_MANIFEST_PATH_BYTES];
    const struct sy_manifest_item *item = &run->manifest.items[content->item];
    if (content->version == 0 || content->version > run->layout.count) {
        return sy_fail(err, SY_ERR_FORMAT, "a content is of no version that its record has");
    }
    SY_TRY(sy_manifest_path(path, run->folder, &item->record, content->version, err));
    SY_TRY(sy_opened_load(&run->opened, path, run->x25519, run->source, err));
    struct class_count *count = class_of(run, run->opened.record.record_class);
    const struct sy_client_place *place = sy_layout_place(&run->layout, content->version);
    count->read++;
    if (place == NULL) {
        run->late_left++;
        put_unplaced(run, content);
        return SY_OK;
    }
    run->branches_apart +=
        place->number == 1 && content != &run->manifest.contents[item->first_content];
    return anchor_content(run, full, path, content, place, count, err);
}

/* What was retracted there is retracted here, for the same reason. */
static sy_status retract(struct import_run *run, const struct sy_hash *id, struct sy_error *err)
{
    union sy_payload payload;
    struct sy_slice value;
    struct sy_record record;
    uint16_t code = 0;
    sy_status status = read_state(run, &value, SY_STATE_RECORD, id, 0, err);
    if (status == SY_ERR_NOT_FOUND) return SY_OK;
    if (status != SY_OK) return status;
    if (!sy_record_decode(&record, value)) {
        return sy_fail(err, SY_ERR_VERSION, "a record proven is of an unknown form: upgrade");
    }
    if (record.retracted || record.erased) return SY_OK;
    memset(&payload, 0, sizeof payload);
    payload.record_retract =
        (struct sy_record_retract){.record_id = *id, .reason = run->history.record.retract_reason};
    SY_TRY(settle(run, &code, SY_KIND_record_retract, &payload, err));
    return code == SY_APPLIED ? SY_OK : refused(err, "record.retract", code);
}

/* What of an item's history the ledger here does not get. */
static void count_left(struct import_run *run, const struct sy_manifest_item *item)
{
    const struct sy_history *history = &run->history;
    run->cosignatures_left += sy_history_count(history);
    run->links_left += history->record.links;
    for (uint32_t v = 0; v < history->record.versions; v++) {
        run->versions_left += !came(run, item, v + 1);
        run->joins_left += history->versions[v].other_count > 0;
    }
}

/* All the records here that the item's versions are of, of earlier exports, too. */
static sy_status retract_all(struct import_run *run, struct sy_error *err)
{
    struct sy_client_record record;
    for (uint32_t v = 0; run->history.record.retracted && v < run->layout.count; v++) {
        const struct sy_client_place *place = &run->layout.places[v];
        if (place->number != 1) continue;
        sy_status status = sy_client_get_record(run->store, &record, &place->label, err);
        if (status == SY_OK) status = retract(run, &record.id, err);
        if (status != SY_OK && status != SY_ERR_NOT_FOUND) return status;
    }
    return SY_OK;
}

static sy_status import_item(struct import_run *run, uint32_t index, struct sy_error *err)
{
    const struct sy_manifest_item *item = &run->manifest.items[index];
    const struct sy_history *history = &run->history;
    if (item->state != SY_MANIFEST_INCLUDED) return SY_OK;
    SY_TRY(sy_history_load(&run->history, &run->manifest, index, run->folder, run->x25519,
                           run->source, err));
    count_left(run, item);
    SY_TRY(sy_layout_open(&run->layout, run->store, run->system, &item->record,
                          history->record.record_class, history->versions, history->record.versions,
                          err));
    bool full = false;
    for (uint32_t k = 0; k < item->content_count; k++) {
        const struct sy_manifest_content *content =
            &run->manifest.contents[item->first_content + k];
        // Their numbers here follow one another, so what comes behind has no place either.
        sy_status status = full ? SY_OK : import_content(run, &full, content, err);
        sy_opened_free(&run->opened);
        if (status != SY_OK) return status;
        if (!full) continue;
        run->heads_left++;
        put_unplaced(run, content);
    }
    return retract_all(run, err);
}

static sy_status import_items(struct import_run *run, struct sy_error *err)
{
    for (uint32_t i = 0; i < run->manifest.item_count; i++) {
        sy_status status = import_item(run, i, err);
        sy_history_free(&run->history);
        sy_layout_close(&run->layout);
        if (status != SY_OK) return status;
    }
    return SY_OK;
}

// --- lineage -----------------------------------------------------------------------------------

static void begin_lineage(struct import_run *run)
{
    const struct sy_manifest *manifest = &run->manifest;
    sy_json_init_growing(&run->lineage, LINEAGE_BYTES_MAX);
    sy_json_object_begin(&run->lineage);
    sy_json_put_text(&run->lineage, "format", "systole-lineage-1");
    sy_json_put_hex(&run->lineage, "source_genesis", manifest->genesis.bytes, 32);
    sy_json_put_hex(&run->lineage, "source_export", manifest->export_id.bytes, 32);
    sy_json_put_hex(&run->lineage, "source_patient", manifest->patient.bytes, 32);
    sy_json_put_hex(&run->lineage, "source_organisation", manifest->organisation.bytes, 32);
    sy_json_put_u64(&run->lineage, "source_height", manifest->as_of);
    sy_json_put_hex(&run->lineage, "patient", run->patient.bytes, 32);
    sy_json_key(&run->lineage, "records");
    sy_json_array_begin(&run->lineage);
}

/* What was proven there and is not anchored here. */
static void put_left(const struct import_run *run, sy_json *json)
{
    sy_json_put_u64(json, "cosignatures", run->cosignatures_left);
    sy_json_put_u64(json, "versions", run->versions_left);
    sy_json_put_u64(json, "joins", run->joins_left);
    sy_json_put_u64(json, "beyond_heads", run->heads_left);
    sy_json_put_u64(json, "late", run->late_left);
    sy_json_put_u64(json, "erased", run->erased_left);
    sy_json_put_u64(json, "branches_apart", run->branches_apart);
    sy_json_put_u64(json, "links", run->links_left);
    sy_json_key(json, "linked_patients");
    sy_json_array_begin(json);
    for (unsigned i = 0; i < run->linked_count; i++) {
        sy_json_hex(json, run->linked[i].bytes, sizeof run->linked[i].bytes);
    }
    sy_json_array_end(json);
}

/* The file of what is anchored, if these bytes are what was: another run of the same export may
 * find more left out, and the ledger knows the first lineage alone. */
static sy_status write_lineage(const struct import_run *run,
                               const struct sy_client_version *version, struct sy_slice bytes,
                               struct sy_error *err)
{
    struct sy_hash made;
    char path[SY_MANIFEST_PATH_BYTES];
    sy_content_commit(&made, SY_FORM_RAW, &version->salt, bytes);
    if (!sy_hash_equal(&made, &version->commit)) return SY_OK;
    int size = snprintf(path, sizeof path, "%s/lineage.json", run->folder);
    if (size < 0 || (size_t)size >= sizeof path) {
        return sy_fail(err, SY_ERR_ARGUMENT, "%.80s...: the path is too long", run->folder);
    }
    return sy_os_write_file(path, bytes.data, bytes.size, 0600, err);
}

/* The same records make the same bytes, so that a second run finds it anchored. */
static sy_status anchor_lineage(struct import_run *run, struct sy_error *err)
{
    struct sy_client_record record;
    struct sy_client_version version;
    struct sy_hash label;
    uint16_t code = 0;
    bool known = false;
    struct sy_slice class = sy_slice_of("Provenance", 10);
    sy_json_array_end(&run->lineage);
    sy_json_key(&run->lineage, "left_out");
    sy_json_object_begin(&run->lineage);
    put_left(run, &run->lineage);
    sy_json_object_end(&run->lineage);
    sy_json_object_end(&run->lineage);
    const char *text = sy_json_finish(&run->lineage);
    if (text == NULL) return sy_fail(err, SY_ERR_LIMIT, "the lineage is too long");
    struct sy_slice bytes = sy_slice_of(text, run->lineage.size);
    struct class_count *count = class_of(run, class);
    count->read++;
    sy_client_label(run->store, &label, SY_LABEL_RESOURCE,
                    sy_slice_of(run->system, strlen(run->system)), class,
                    sy_slice_of(run->manifest.export_id.bytes, 32));
    SY_TRY(plan(run, &record, &version, &label, class, 1, bytes, err));
    if (record.erased) {
        return sy_fail(err, SY_ERR_PERMISSION,
                       "the lineage of this export was erased here: it is not anchored anew");
    }
    SY_TRY(write_lineage(run, &version, bytes, err));
    const struct sy_client_place place = {.label = label, .number = 1};
    SY_TRY(anchor(run, &code, &known, &record, &place, &version, class, NULL, err));
    count->accepted += code == SY_APPLIED && !known;
    count->duplicate += known;
    count->rejected += code != SY_APPLIED;
    return code == SY_APPLIED ? SY_OK : refused(err, "the lineage", code);
}

// --- the command -------------------------------------------------------------------------------

static sy_status run_import(struct import_run *run, struct sy_error *err)
{
    char hex[65];
    run->folder = run->cmd->words[0];
    SY_TRY(sy_cmd_hash(&run->patient, "--patient", run->patient_hex, err));
    SY_TRY(sy_cmd_genesis(&run->source, run->genesis_path, &run->where, err));
    SY_TRY(sy_x25519_key_load(&run->x25519, run->x25519_path, run->passphrase, err));
    SY_TRY(sy_export_check(&run->manifest, run->linked, &run->linked_count, run->folder,
                           run->source, run->x25519, err));
    SY_TRY(sy_cmd_connect(&run->net, &run->asker, &run->where, 0, err));
    if (sy_hash_equal(&run->manifest.genesis, &run->net->genesis.hash)) {
        return sy_fail(err, SY_ERR_ARGUMENT, "%s is of this very network", run->folder);
    }
    SY_TRY(sy_cmd_read_key(&run->key, run->net, run->key_path, err));
    SY_TRY(sy_client_store_open(&run->store, run->net->client, &run->net->genesis.hash,
                                SY_CLIENT_STORE_WRITE, err));
    sy_hex_encode(hex, run->manifest.genesis.bytes, 32);
    (void)snprintf(run->system, sizeof run->system, "systole %s", hex);
    SY_TRY(take_signer(run, err));
    SY_TRY(map_patient(run, err));
    begin_lineage(run);
    sy_status status = import_items(run, err);
    if (status == SY_OK) status = anchor_lineage(run, err);
    sy_json_free(&run->lineage);
    return status;
}

static int finish(const struct import_run *run, sy_status status, const struct sy_error *err)
{
    if (run->cmd->json) {
        sy_json json;
        sy_cmd_json_begin(&json);
        sy_json_key(&json, "types");
        sy_json_array_begin(&json);
        for (unsigned i = 0; i < run->class_count; i++) {
            const struct class_count *count = &run->classes[i];
            sy_json_object_begin(&json);
            sy_json_put_text(&json, "type", count->name);
            sy_json_put_u64(&json, "read", count->read);
            sy_json_put_u64(&json, "accepted", count->accepted);
            sy_json_put_u64(&json, "duplicate", count->duplicate);
            sy_json_put_u64(&json, "rejected", count->rejected);
            sy_json_object_end(&json);
        }
        sy_json_array_end(&json);
        sy_json_key(&json, "left_out");
        sy_json_object_begin(&json);
        put_left(run, &json);
        sy_json_object_end(&json);
        if (status != SY_OK) sy_json_put_text(&json, "error", err->text);
        return sy_cmd_json_end(&json, status == SY_OK ? SY_EXIT_DONE : (int)sy_exit_of(status));
    }
    for (unsigned i = 0; i < run->class_count; i++) {
        const struct class_count *count = &run->classes[i];
        printf("%-24s %llu read, %llu accepted, %llu duplicate, %llu rejected\n", count->name,
               (unsigned long long)count->read, (unsigned long long)count->accepted,
               (unsigned long long)count->duplicate, (unsigned long long)count->rejected);
    }
    if (status != SY_OK) return sy_cmd_fail(run->cmd, err);
    printf(
        "left out, and told in lineage.json: %llu cosignatures, %llu versions without content, "
        "%llu joins of branches, %llu links of records, %u linked patients; %llu versions beyond "
        "the heads that a record may have; %llu branches are records of their own; %llu versions "
        "came late, of which later ones stand here; of %llu the record was erased here\n",
        (unsigned long long)run->cosignatures_left, (unsigned long long)run->versions_left,
        (unsigned long long)run->joins_left, (unsigned long long)run->links_left, run->linked_count,
        (unsigned long long)run->heads_left, (unsigned long long)run->branches_apart,
        (unsigned long long)run->late_left, (unsigned long long)run->erased_left);
    return SY_EXIT_DONE;
}

static void close_import(struct import_run *run)
{
    sy_proven_free(&run->answer);
    sy_proven_free(&run->final);
    sy_manifest_free(&run->manifest);
    sy_x25519_key_close(run->x25519);
    sy_client_store_close(run->store);
    sy_secret_key_close(run->key);
    if (run->net && run->asker) sy_cmd_saw(run->net, run->asker);
    sy_asker_close(run->asker);
    sy_cmd_net_close(run->net);
    free(run->source);
}

int sy_cmd_import(int argc, char **argv)
{
    static struct import_run run; /* too large for a small stack; one command a process */
    const struct sy_option options[] = {
        {"patient", SY_OPTION_TEXT, &run.patient_hex, "ID", "whose record it is, here", 0, 0},
        {"source-genesis", SY_OPTION_TEXT, &run.genesis_path, "FILE",
         "genesis file of the network that FOLDER comes from", 0, 0},
        {"x25519-key", SY_OPTION_TEXT, &run.x25519_path, "FILE",
         "secret half of the key that it is sealed to", 0, 0},
        {"passphrase", SY_OPTION_TEXT, &run.passphrase, "FILE", "that key's passphrase", 0, 0},
        {"key", SY_OPTION_TEXT, &run.key_path, "FILE", "the gateway's key (the client.conf's)", 0,
         0},
        SY_CMD_WHERE_OPTIONS(run.where),
    };
    struct sy_cmd cmd = {.name = "import",
                         .arguments = "FOLDER",
                         .about = about,
                         .options = options,
                         .option_count = sizeof options / sizeof options[0],
                         .words_min = 1,
                         .words_max = 1};
    int exit_code;
    struct sy_error err = {SY_OK, ""};
    if (!sy_cmd_parse(&cmd, &exit_code, argc, argv)) return exit_code;
    if (!run.patient_hex) return sy_cmd_usage(&cmd, "--patient is missing: say whose it is here");
    if (!run.genesis_path) {
        return sy_cmd_usage(&cmd, "--source-genesis is missing: say where it comes from");
    }
    if (!run.x25519_path) return sy_cmd_usage(&cmd, "--x25519-key is missing: nothing opens it");
    run.cmd = &cmd;
    sy_status status = run_import(&run, &err);
    exit_code = finish(&run, status, &err);
    close_import(&run);
    run.cmd = NULL;
    return exit_code;
}
