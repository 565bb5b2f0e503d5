/* record_check.c: content against the ledger. */
#include "core/client/record_check.h"

#include <stdio.h>

#include "core/wire/state.h"

/* Versions that sy_record_check_content looks through, newest first. */
#define VERSIONS_READ_MAX 256u
#define PATH_BYTES 4200

/* ---- keys --------------------------------------------------------------------------------- */

/* The gateway key of an organisation: the importer names it by this label. */
static sy_status open_gateway(struct sy_record_checker *checker, const struct sy_hash *organisation,
                              struct sy_error *err)
{
    static const char what[] = "gateway";
    struct sy_hash name;
    char hex[65];
    char path[PATH_BYTES];
    if (checker->gateway.key && sy_hash_equal(&checker->gateway.organisation, organisation)) {
        return SY_OK;
    }
    sy_client_label(checker->store, &name, SY_LABEL_KEY, sy_slice_of(what, sizeof what - 1),
                    sy_slice_of(organisation->bytes, sizeof organisation->bytes),
                    sy_slice_of(NULL, 0));
    sy_hex_encode(hex, name.bytes, sizeof name.bytes);
    int size = snprintf(path, sizeof path, "%s/keys/%s.pem", checker->keys_folder, hex);
    if (size < 0 || (size_t)size >= sizeof path) {
        return sy_fail(err, SY_ERR_ARGUMENT, "the path of the client's keys is too long");
    }
    sy_secret_key_close(checker->gateway.key);
    checker->gateway.key = NULL;
    checker->gateway.organisation = *organisation;
    return sy_secret_key_load(&checker->gateway.key, path, NULL, err);
}

static sy_status choose_key(struct sy_record_checker *checker, const sy_secret_key **key,
                            const struct sy_client_record *record, struct sy_error *err)
{
    struct sy_hash label;
    struct sy_client_org org;
    *key = checker->key;
    if (*key) return SY_OK;
    sy_client_label_of(checker->store, &label, SY_LABEL_ORG, &record->org_label, NULL);
    SY_TRY(sy_client_get_org(checker->store, &org, &label, err));
    SY_TRY(open_gateway(checker, &org.id, err));
    *key = checker->gateway.key;
    return SY_OK;
}

void sy_record_checker_close(struct sy_record_checker *checker)
{
    sy_secret_key_close(checker->gateway.key);
    checker->gateway.key = NULL;
    sy_proven_free(&checker->answer);
}

/* ---- reading ------------------------------------------------------------------------------ */

static sy_status read_state(struct sy_record_checker *checker, enum sy_state_kind kind,
                            const struct sy_hash *id, uint32_t version, const sy_secret_key *key,
                            struct sy_error *err)
{
    struct sy_read_request read = {.subject = SY_READ_STATE,
                                   .state_kind = (uint8_t)kind,
                                   .id = *id,
                                   .purpose = SY_PURPOSE_OPERATIONS};
    if (kind == SY_STATE_RECORD_VERSION) sy_store_u32(read.second.bytes, version);
    return sy_asker_read(checker->asker, &checker->answer, &read, key, checker->max_age_ms, err);
}

/* What the ledger says of a record; record borrows checker->answer. SY_OK with present false: there
 * is none. */
static sy_status read_record(struct sy_record_checker *checker, struct sy_record *record,
                             bool *present, struct sy_record_verdict *verdict,
                             const sy_secret_key *key, struct sy_error *err)
{
    SY_TRY(read_state(checker, SY_STATE_RECORD, &verdict->record_id, 0, key, err));
    verdict->height = checker->answer.proof.header.height;
    *present = checker->answer.proof.state.present;
    if (!*present) return SY_OK;
    if (!sy_record_decode(record, checker->answer.proof.state.value)) {
        return sy_fail(err, SY_ERR_VERSION, "the record proven is of an unknown form: upgrade");
    }
    verdict->head = record->versions;
    verdict->retracted = record->retracted;
    if (!record->erased) return SY_OK;
    verdict->verdict = SY_RECORD_ERASED;
    verdict->erased_height = record->erased_height;
    verdict->erased_ms = record->erased_ms;
    verdict->erase_basis = record->erase_basis;
    return SY_OK;
}

/* One version as the ledger has it; absent: *present is false. */
static sy_status read_version(struct sy_record_checker *checker, struct sy_record_version *entry,
                              bool *present, const struct sy_record *record,
                              const struct sy_hash *id, uint32_t version, const sy_secret_key *key,
                              struct sy_error *err)
{
    *present = version >= 1 && version <= record->versions;
    if (!*present) return SY_OK;
    *entry = record->first;
    if (version == 1) return SY_OK;
    SY_TRY(read_state(checker, SY_STATE_RECORD_VERSION, id, version, key, err));
    *present = checker->answer.proof.state.present;
    if (!*present) return SY_OK;
    if (sy_record_version_decode(entry, checker->answer.proof.state.value)) return SY_OK;
    return sy_fail(err, SY_ERR_VERSION, "the version proven is of an unknown form: upgrade");
}

/* Who registered the newest version: what was altered was altered since then. */
static sy_status read_newest(struct sy_record_checker *checker, struct sy_record_verdict *verdict,
                             const struct sy_record *record, const sy_secret_key *key,
                             struct sy_error *err)
{
    return read_version(checker, &verdict->entry, &verdict->registered, record, &verdict->record_id,
                        record->versions, key, err);
}

static bool is_head(const struct sy_record *record, uint32_t version)
{
    for (unsigned i = 0; i < record->head_count; i++) {
        if (record->heads[i] == version) return true;
    }
    return false;
}

/* ---- judging ------------------------------------------------------------------------------ */

/* What the client's store knows of the bytes: which version has them, and its salt. */
static sy_status find_version(struct sy_record_checker *checker, struct sy_client_version *out,
                              const struct sy_hash *label, const struct sy_client_record *known,
                              struct sy_slice bytes, struct sy_error *err)
{
    uint32_t version;
    SY_TRY(sy_client_find_version(checker->store, &version, label, known, bytes, err));
    out->version = 0;
    if (version == 0) return SY_OK;
    return sy_client_get_version(checker->store, out, label, known, version, err);
}

sy_status sy_record_check_known(struct sy_record_checker *checker,
                                struct sy_record_verdict *verdict, const struct sy_hash *label,
                                struct sy_slice bytes, struct sy_error *err)
{
    struct sy_client_record known;
    struct sy_client_version mine;
    struct sy_record record;
    struct sy_hash made;
    const sy_secret_key *key;
    bool present;
    memset(verdict, 0, sizeof *verdict);
    verdict->verdict = SY_RECORD_UNKNOWN;
    sy_status status = sy_client_get_record(checker->store, &known, label, err);
    if (status == SY_ERR_NOT_FOUND) return SY_OK;
    if (status != SY_OK) return status;
    verdict->record_known = true;
    verdict->record_id = known.id;
    SY_TRY(choose_key(checker, &key, &known, err));
    SY_TRY(find_version(checker, &mine, label, &known, bytes, err));
    SY_TRY(read_record(checker, &record, &present, verdict, key, err));
    verdict->pending = !present;
    if (!present || verdict->verdict == SY_RECORD_ERASED) return SY_OK;
    verdict->verdict = SY_RECORD_ALTERED;
    verdict->version = mine.version;
    if (mine.version == 0) return read_newest(checker, verdict, &record, key, err);

    bool newest = is_head(&record, mine.version);
    SY_TRY(read_version(checker, &verdict->entry, &present, &record, &known.id, mine.version, key,
                        err));
    verdict->pending = !present;
    verdict->registered = present;
    if (!present) verdict->verdict = SY_RECORD_UNKNOWN;
    if (!present) return SY_OK;
    sy_content_commit(&made, (uint8_t)verdict->entry.form, &mine.salt, bytes);
    if (sy_hash_equal(&made, &verdict->entry.commit)) {
        verdict->verdict = newest ? SY_RECORD_REGISTERED : SY_RECORD_OLDER;
    }
    return SY_OK;
}

sy_status sy_record_check_content(struct sy_record_checker *checker,
                                  struct sy_record_verdict *verdict, const struct sy_hash *id,
                                  const struct sy_hash *salt, struct sy_slice bytes,
                                  struct sy_error *err)
{
    struct sy_record record;
    struct sy_hash made;
    bool present;
    memset(verdict, 0, sizeof *verdict);
    verdict->verdict = SY_RECORD_UNKNOWN;
    verdict->record_known = true;
    verdict->record_id = *id;
    SY_TRY(read_record(checker, &record, &present, verdict, checker->key, err));
    if (!present || verdict->verdict == SY_RECORD_ERASED) return SY_OK;
    verdict->verdict = SY_RECORD_ALTERED;
    for (uint32_t back = 0; back < record.versions && back < VERSIONS_READ_MAX; back++) {
        uint32_t version = record.versions - back;
        bool newest = is_head(&record, version);
        SY_TRY(read_version(checker, &verdict->entry, &present, &record, id, version, checker->key,
                            err));
        if (!present) continue;
        sy_content_commit(&made, (uint8_t)verdict->entry.form, salt, bytes);
        if (!sy_hash_equal(&made, &verdict->entry.commit)) continue;
        verdict->registered = true;
        verdict->verdict = newest ? SY_RECORD_REGISTERED : SY_RECORD_OLDER;
        verdict->version = version;
        return SY_OK;
    }
    return read_newest(checker, verdict, &record, checker->key, err);
}

/* ---- words -------------------------------------------------------------------------------- */

const char *sy_record_verdict_name(enum sy_record_result verdict)
{
    static const char *const names[] = {[SY_RECORD_REGISTERED] = "registered",
                                        [SY_RECORD_OLDER] = "older",
                                        [SY_RECORD_ALTERED] = "altered",
                                        [SY_RECORD_UNKNOWN] = "unknown",
                                        [SY_RECORD_ERASED] = "erased"};
    return names[verdict];
}

/* ", registered by nurse KEY of ORGANISATION in block N", or nothing. */
static void registered_words(char *out, size_t size, const struct sy_record_verdict *verdict)
{
    const struct sy_record_version *entry = &verdict->entry;
    const char *role = sy_role_name(entry->author_role);
    char key[65], holder[65];
    out[0] = '\0';
    if (!verdict->registered) return;
    sy_hex_encode(key, entry->author.bytes, sizeof entry->author.bytes);
    sy_hex_encode(holder, entry->holder.bytes, sizeof entry->holder.bytes);
    (void)snprintf(out, size, ", registered by %s %s of %s in block %llu", role ? role : "?", key,
                   holder, (unsigned long long)entry->height);
}

void sy_record_verdict_words(char *out, size_t size, const struct sy_record_verdict *verdict)
{
    const char *retracted = verdict->retracted ? "; the record was retracted" : "";
    const char *basis = sy_enum_word(&sy_enum_erase_basis, verdict->erase_basis);
    unsigned version = verdict->version;
    char by[220];
    registered_words(by, sizeof by, verdict);
    switch (verdict->verdict) {
    case SY_RECORD_REGISTERED:
        (void)snprintf(out, size, "registered, version %u, proven by block %llu%s%s", version,
                       (unsigned long long)verdict->height, by, retracted);
        break;
    case SY_RECORD_OLDER:
        (void)snprintf(out, size, "older version %u of %u, proven by block %llu%s%s", version,
                       (unsigned)verdict->head, (unsigned long long)verdict->height, by, retracted);
        break;
    case SY_RECORD_ALTERED:
        (void)snprintf(out, size,
                       "altered: no version of its record has these bytes; the newest is version "
                       "%u%s%s",
                       (unsigned)verdict->head, by, retracted);
        break;
    case SY_RECORD_ERASED:
        (void)snprintf(out, size, "erased in block %llu (%s), proven by block %llu",
                       (unsigned long long)verdict->erased_height, basis ? basis : "?",
                       (unsigned long long)verdict->height);
        break;
    default:
        (void)snprintf(out, size, "unknown: %s",
                       verdict->pending ? "it was signed here, but the ledger does not have it"
                                        : "no record of it is known");
        break;
    }
}
