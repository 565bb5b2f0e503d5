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
    return SY_OK;
}

/* The commitment of one version; absent: *present is false. */
static sy_status read_commit(struct sy_record_checker *checker, struct sy_hash *commit,
                             uint16_t *form, bool *present, const struct sy_record *record,
                             const struct sy_hash *id, uint32_t version, const sy_secret_key *key,
                             struct sy_error *err)
{
    struct sy_record_version entry;
    *present = version >= 1 && version <= record->versions;
    if (!*present) return SY_OK;
    if (version == 1) {
        *commit = record->first.commit;
        *form = record->first.form;
        return SY_OK;
    }
    SY_TRY(read_state(checker, SY_STATE_RECORD_VERSION, id, version, key, err));
    *present = checker->answer.proof.state.present;
    if (!*present) return SY_OK;
    if (!sy_record_version_decode(&entry, checker->answer.proof.state.value)) {
        return sy_fail(err, SY_ERR_VERSION, "the version proven is of an unknown form: upgrade");
    }
    *commit = entry.commit;
    *form = entry.form;
    return SY_OK;
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
    struct sy_hash digest;
    uint32_t version;
    sy_client_digest(checker->store, &digest, bytes);
    SY_TRY(sy_client_find_version(checker->store, &version, label, known, &digest, err));
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
    struct sy_hash made, proven;
    const sy_secret_key *key;
    uint16_t form = 0;
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
    if (!present) return SY_OK;
    verdict->verdict = SY_RECORD_ALTERED;
    verdict->version = mine.version;
    if (mine.version == 0) return SY_OK;

    bool newest = is_head(&record, mine.version);
    SY_TRY(
        read_commit(checker, &proven, &form, &present, &record, &known.id, mine.version, key, err));
    verdict->pending = !present;
    if (!present) verdict->verdict = SY_RECORD_UNKNOWN;
    if (!present) return SY_OK;
    sy_content_commit(&made, (uint8_t)form, &mine.salt, bytes);
    if (sy_hash_equal(&made, &proven)) {
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
    struct sy_hash made, proven;
    uint16_t form = 0;
    bool present;
    memset(verdict, 0, sizeof *verdict);
    verdict->verdict = SY_RECORD_UNKNOWN;
    verdict->record_known = true;
    verdict->record_id = *id;
    SY_TRY(read_record(checker, &record, &present, verdict, checker->key, err));
    if (!present) return SY_OK;
    verdict->verdict = SY_RECORD_ALTERED;
    for (uint32_t back = 0; back < record.versions && back < VERSIONS_READ_MAX; back++) {
        uint32_t version = record.versions - back;
        bool newest = is_head(&record, version);
        SY_TRY(read_commit(checker, &proven, &form, &present, &record, id, version, checker->key,
                           err));
        if (!present) continue;
        sy_content_commit(&made, (uint8_t)form, salt, bytes);
        if (!sy_hash_equal(&made, &proven)) continue;
        verdict->verdict = newest ? SY_RECORD_REGISTERED : SY_RECORD_OLDER;
        verdict->version = version;
        return SY_OK;
    }
    return SY_OK;
}

/* ---- words -------------------------------------------------------------------------------- */

const char *sy_record_verdict_name(enum sy_record_result verdict)
{
    static const char *const names[] = {[SY_RECORD_REGISTERED] = "registered",
                                        [SY_RECORD_OLDER] = "older",
                                        [SY_RECORD_ALTERED] = "altered",
                                        [SY_RECORD_UNKNOWN] = "unknown"};
    return names[verdict];
}

void sy_record_verdict_words(char *out, size_t size, const struct sy_record_verdict *verdict)
{
    const char *retracted = verdict->retracted ? "; the record was retracted" : "";
    unsigned version = verdict->version;
    switch (verdict->verdict) {
    case SY_RECORD_REGISTERED:
        (void)snprintf(out, size, "registered, version %u, proven by block %llu%s", version,
                       (unsigned long long)verdict->height, retracted);
        break;
    case SY_RECORD_OLDER:
        (void)snprintf(out, size, "older version %u of %u, proven by block %llu%s", version,
                       (unsigned)verdict->head, (unsigned long long)verdict->height, retracted);
        break;
    case SY_RECORD_ALTERED:
        (void)snprintf(out, size, "altered: no version of its record has these bytes%s", retracted);
        break;
    default:
        (void)snprintf(out, size, "unknown: %s",
                       verdict->pending ? "it was signed here, but the ledger does not have it"
                                        : "no record of it is known");
        break;
    }
}
