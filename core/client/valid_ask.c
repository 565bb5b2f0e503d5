/* valid_ask.c: what a network is asked to tell how a credential stood, and keeping it. */
#include <stdlib.h>

#include "core/base/assert.h"
#include "core/base/os.h"
#include "core/client/valid.h"

#define PASSED_MAX 64u /* blocks that may come meanwhile */
#define TRIES_MAX 8u   /* how often they may come while entries are read */

/* One validator's answers about one key. */
struct asking {
    struct sy_valid_asked *asked;
    sy_asker *asker;
    const sy_secret_key *key;
    int64_t max_age_ms;
    uint8_t purpose;
    bool timed; /* a time is asked about, and no height */
};

void sy_valid_asked_free(struct sy_valid_asked *asked)
{
    for (unsigned i = 0; i < SY_VALID_ENTRIES_MAX; i++) sy_proven_free(&asked->answers[i]);
}

static sy_status read_entry(struct asking *ask, struct sy_proven *answer, enum sy_state_kind kind,
                            const struct sy_hash *id, uint64_t number, struct sy_error *err)
{
    struct sy_read_request read = {
        .subject = SY_READ_STATE, .state_kind = (uint8_t)kind, .id = *id, .purpose = ask->purpose};
    sy_store_u64(read.second.bytes, number);
    return sy_asker_read(ask->asker, answer, &read, ask->key, ask->max_age_ms, err);
}

/* Is there no block behind H? Anybody may see blocks, and nobody has pruned one that comes behind
 * what is proven: who says so else has none to show. */
static bool is_last(const struct asking *ask, sy_status status)
{
    bool newest = ask->asked->valid.block.height >= sy_asker_expected(ask->asker);
    return status == SY_ERR_NOT_FOUND ||
           (newest && (status == SY_ERR_PRUNED || status == SY_ERR_PERMISSION));
}

/* Finds H, the block behind it, and the time that is asked about. */
static sy_status find_blocks(struct asking *ask, uint64_t at, struct sy_error *err)
{
    struct sy_valid_asked *asked = ask->asked;
    struct sy_valid *valid = &asked->valid;
    struct sy_client_block *block = &asked->block;
    struct sy_error inner = {SY_OK, ""};
    unsigned passed = 0;
    SY_TRY(sy_block_at(ask->asker, block, at, err));
    valid->block = block->header;
    // A block may have come since the newest was asked for, and still lie before the time.
    for (; passed < PASSED_MAX; passed++) {
        sy_status status = sy_asker_block(ask->asker, block, valid->block.height + 1, &inner);
        asked->has_next = status == SY_OK;
        if (is_last(ask, status)) break;
        if (status != SY_OK) return sy_fail(err, status, "%s", inner.text);
        valid->next = block->header;
        valid->next_certificate = block->certificate;
        if (!ask->timed || valid->next.time_ms > (int64_t)at) break;
        valid->block = block->header;
        asked->has_next = false;
    }
    if (passed == PASSED_MAX) {
        return sy_fail(err, SY_ERR_BUSY,
                       "block %llu is still before that time, %u blocks behind what was said to be "
                       "the newest: ask again",
                       (unsigned long long)valid->block.height, PASSED_MAX);
    }
    valid->time_ms = ask->timed && asked->has_next ? (int64_t)at : valid->block.time_ms;
    sy_asker_expect(ask->asker, valid->block.height);
    return SY_OK;
}

static sy_status began_by(bool *by, const struct sy_proven *answer, uint64_t height,
                          struct sy_error *err)
{
    struct sy_suspension suspension;
    *by = false;
    if (!answer->proof.state.present) return SY_OK;
    if (!sy_suspension_decode(&suspension, answer->proof.state.value)) {
        return sy_fail(err, SY_ERR_VERSION, "an entry is of an unknown form: upgrade");
    }
    *by = suspension.begun.height <= height;
    return SY_OK;
}

/* Finds number k + 1, whose proof is answers[2], and k, whose is answers[1]. */
static sy_status find_suspensions(struct asking *ask, const struct sy_hash *organisation,
                                  struct sy_error *err)
{
    struct sy_proven *last = &ask->asked->answers[1], *next = &ask->asked->answers[2];
    uint64_t count = 0, height = ask->asked->valid.block.height;
    bool by = true;
    SY_TRY(read_entry(ask, last, SY_STATE_SUSPENSIONS, organisation, 0, err));
    if (last->proof.state.present && !sy_count_decode(&count, last->proof.state.value)) {
        return sy_fail(err, SY_ERR_VERSION, "an entry is of an unknown form: upgrade");
    }
    // Another one may have begun since they were counted.
    while (by) {
        SY_TRY(read_entry(ask, next, SY_STATE_SUSPENSION, organisation, count + 1, err));
        SY_TRY(began_by(&by, next, height, err));
        if (by) count++;
    }
    for (; count > 0; count--) {
        SY_TRY(read_entry(ask, last, SY_STATE_SUSPENSION, organisation, count, err));
        SY_TRY(began_by(&by, last, height, err));
        if (by) break;
        struct sy_proven unused = *next;
        *next = *last;
        *last = unused;
    }
    ask->asked->valid.suspension = count;
    return SY_OK;
}

static void take_entry(struct sy_valid *valid, const struct sy_proven *answer)
{
    struct sy_valid_entry *entry = &valid->entries[valid->entry_count++];
    entry->header = answer->proof.header;
    entry->certificate = answer->proof.certificate;
    entry->state = answer->proof.state;
}

static sy_status find_entries(struct asking *ask, struct sy_error *err)
{
    struct sy_valid *valid = &ask->asked->valid;
    struct sy_proven *answers = ask->asked->answers;
    struct sy_credential credential;
    struct sy_hash id;
    memcpy(id.bytes, valid->key.bytes, sizeof id.bytes);
    SY_TRY(read_entry(ask, &answers[0], SY_STATE_CREDENTIAL, &id, 0, err));
    take_entry(valid, &answers[0]);
    if (!answers[0].proof.state.present) return SY_OK;
    if (!sy_credential_decode(&credential, answers[0].proof.state.value) ||
        credential.use != SY_KEY_TX) {
        return sy_fail(err, SY_ERR_ARGUMENT, "--at is for keys that sign transactions");
    }
    if (!sy_credential_is_of_org(&credential) ||
        sy_credential_at(&credential, NULL, valid->block.height, valid->time_ms) != SY_AT_VALID) {
        return SY_OK;
    }
    SY_TRY(find_suspensions(ask, &credential.holder, err));
    if (valid->suspension > 0) take_entry(valid, &answers[1]);
    take_entry(valid, &answers[2]);
    return SY_OK;
}

/* No block was known behind H, and entries prove one: then H need not be the last at the time. */
static bool is_passed(const struct asking *ask)
{
    const struct sy_valid *valid = &ask->asked->valid;
    if (!ask->timed || ask->asked->has_next) return false;
    for (unsigned i = 0; i < valid->entry_count; i++) {
        if (valid->entries[i].header.height > valid->block.height) return true;
    }
    return false;
}

sy_status sy_valid_ask(struct sy_valid_asked *asked, sy_asker *asker,
                       const struct sy_public_key *credential, uint64_t at, uint8_t purpose,
                       const sy_secret_key *key, int64_t max_age_ms, struct sy_error *err)
{
    struct asking ask = {asked,      asker,   key,
                         max_age_ms, purpose, .timed = at != SY_AT_NOW && at >= SY_AT_TIME_FROM_MS};
    const struct sy_genesis *genesis = sy_asker_genesis(asker);
    struct sy_valid *valid = &asked->valid;
    for (unsigned i = 0; i < TRIES_MAX; i++) {
        memset(valid, 0, sizeof *valid);
        memcpy(valid->network, sy_network_tag(genesis), sizeof valid->network);
        valid->key = *credential;
        SY_TRY(find_blocks(&ask, at, err));
        SY_TRY(find_entries(&ask, err));
        if (!is_passed(&ask)) return sy_valid_judge(&asked->verdict, valid, err);
        sy_asker_pass(asker); // whoever kept it back is not asked first again
    }
    return sy_fail(err, SY_ERR_BUSY,
                   "blocks come that nobody shows, so the last one before that time is not known: "
                   "ask again");
}

/* ---- keeping ------------------------------------------------------------------------------ */

#define HEADER_BYTES_MAX (SY_HEADER_BYTES + 2u + SY_VALIDATORS_MAX * SY_SEAL_BYTES)
#define ENTRY_BYTES_MAX \
    (HEADER_BYTES_MAX + SY_STATE_VALUE_BYTES_MAX + 128u + SY_TRIE_DEPTH_MAX * 32u)

sy_status sy_valid_pack(struct sy_valid_asked *asked, sy_asker *asker, uint8_t **out, size_t *size,
                        struct sy_error *err)
{
    struct sy_valid *valid = &asked->valid;
    const struct sy_genesis *genesis = sy_asker_genesis(asker);
    enum sy_at_verdict verdict;
    if (!asked->has_next) {
        return sy_fail(err, SY_ERR_NOT_FOUND,
                       "no block is later than that yet, so nothing bounds the time: ask again");
    }
    uint32_t epoch = valid->next.epoch;
    for (unsigned i = 0; i < valid->entry_count; i++) {
        if (valid->entries[i].header.epoch > epoch) epoch = valid->entries[i].header.epoch;
    }
    valid->handovers = sy_epochs_handovers(sy_asker_epochs(asker), epoch);
    SY_TRY(sy_valid_verify(&verdict, valid, genesis, err));
    SY_ASSERT(verdict == asked->verdict);
    size_t room = 1024u + 2u * HEADER_BYTES_MAX + SY_VALID_ENTRIES_MAX * ENTRY_BYTES_MAX +
                  valid->handovers.size;
    uint8_t *bytes = (uint8_t *)malloc(room);
    if (!bytes) return sy_fail(err, SY_ERR_NO_MEMORY, "no memory");
    struct sy_writer w = sy_writer_of(bytes, room);
    sy_valid_encode(&w, valid);
    SY_ASSERT(!w.failed);
    *out = bytes;
    *size = w.used;
    return SY_OK;
}

sy_status sy_valid_keep(struct sy_valid_asked *asked, sy_asker *asker, const char *path,
                        struct sy_error *err)
{
    uint8_t *bytes = NULL;
    size_t size = 0;
    SY_TRY(sy_valid_pack(asked, asker, &bytes, &size, err));
    sy_status status = sy_os_write_file(path, bytes, size, 0644, err);
    free(bytes);
    return status;
}
