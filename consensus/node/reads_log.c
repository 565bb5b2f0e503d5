/* reads_log.c: logs of what was read, as transactions; see reads.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "consensus/node/reads_internal.h"
#include "core/base/assert.h"
#include "core/base/os.h"
#include "core/base/telemetry.h"
#include "core/crypto/hash.h"
#include "core/wire/state.h"

#define GOOD_MS 600000 /* a transaction of these is good so long */
#define AGAIN_NS 5000000000ull
#define REFUSED_NS 1000000000ull
#define LOOK_NS 1000000000ull

_Static_assert(GOOD_MS < SY_TX_LIFETIME_MS_MAX, "execution takes it");

/* ---- state ------------------------------------------------------------------------------- */

static sy_status get(sy_state_view *view, struct sy_slice *value, enum sy_state_kind kind,
                     const struct sy_hash *id)
{
    struct sy_hash place;
    sy_state_key_id(&place, kind, id);
    return sy_state_view_get(view, value, &place);
}

static struct sy_hash hash_of(const struct sy_public_key *key)
{
    struct sy_hash hash;
    memcpy(hash.bytes, key->bytes, sizeof hash.bytes);
    return hash;
}

/* What state says of the signing key: nobody has it, it is the validator's, or it is no use. */
enum standing { NOT_ENROLLED, STANDS, NO_USE };

static enum standing look_at_key(const sy_reads *reads, sy_state_view *view)
{
    struct sy_slice value;
    struct sy_credential credential;
    struct sy_validator_key signer;
    struct sy_hash id = hash_of(&reads->public_key), validator = hash_of(&reads->config.validator);
    if (get(view, &value, SY_STATE_CREDENTIAL, &id) != SY_OK) return NOT_ENROLLED;
    bool good = sy_credential_decode(&credential, value) && !credential.revoked &&
                get(view, &value, SY_STATE_SIGNER, &validator) == SY_OK &&
                sy_validator_key_decode(&signer, value) &&
                sy_public_key_equal(&signer.key, &reads->public_key);
    return good ? STANDS : NO_USE;
}

static bool find_nonces(const sy_reads *reads, sy_state_view *view, struct sy_nonces *nonces)
{
    struct sy_slice value;
    struct sy_hash id = hash_of(&reads->public_key);
    *nonces = (struct sy_nonces){.highest = 0};
    sy_status status = get(view, &value, SY_STATE_NONCES, &id);
    return status == SY_ERR_NOT_FOUND || (status == SY_OK && sy_nonces_decode(nonces, value));
}

/* The id that a patient's id was merged into, at last. */
static struct sy_hash live_id(sy_state_view *view, const struct sy_hash *patient)
{
    struct sy_hash id = *patient;
    struct sy_slice value;
    struct sy_patient entry;
    for (unsigned i = 0; i <= SY_MERGES_MAX; i++) {
        if (get(view, &value, SY_STATE_PATIENT, &id) != SY_OK) return id;
        if (!sy_patient_decode(&entry, value) || !entry.merged) return id;
        id = entry.into;
    }
    return id;
}

/* ---- the key ----------------------------------------------------------------------------- */

static sy_status load_key(sy_reads *reads, const char *path, struct sy_error *err)
{
    sy_status status = sy_secret_key_load(&reads->key, path, reads->config.passphrase, err);
    if (status == SY_ERR_NOT_FOUND) {
        SY_TRY(sy_secret_key_generate(&reads->key, err));
        status = sy_secret_key_save(reads->key, path, reads->config.passphrase, err);
    }
    if (status == SY_OK) sy_secret_key_public(reads->key, &reads->public_key);
    return status;
}

/* The consensus key's word for the signing key, for each of a few nonces. */
static void take_vouches(sy_reads *reads)
{
    for (unsigned i = 0; i < READS_VOUCHES; i++) {
        struct sy_hash digest;
        sy_possession_digest(&digest, &reads->config.genesis->hash, SY_ROLE_VALIDATOR,
                             &reads->config.organisation, &reads->public_key, i + 1u);
        reads->config.consensus.sign(reads->config.consensus.self, &reads->vouches[i],
                                     SY_SIG_POSSESSION, &digest);
    }
}

sy_status sy_reads_open_key(sy_reads *reads, struct sy_error *err)
{
    char path[SY_READS_PATH_MAX];
    sy_state_view *view = NULL;
    (void)snprintf(path, sizeof path, "%.480s/signer.pem", reads->folder);
    SY_TRY(load_key(reads, path, err));
    if (sy_state_view_open(&view, reads->config.store) == SY_OK) {
        enum standing standing = look_at_key(reads, view);
        sy_state_view_close(view);
        if (standing == NO_USE) { // revoked, or another consensus key's
            sy_secret_key_close(reads->key);
            reads->key = NULL;
            if (unlink(path) != 0) return sy_fail(err, SY_ERR_IO, "%s: cannot be replaced", path);
            SY_TRY(load_key(reads, path, err));
        }
        reads->enrolled = standing == STANDS;
    }
    take_vouches(reads);
    return SY_OK;
}

/* ---- transactions ------------------------------------------------------------------------ */

static void put_tx(sy_reads *reads, struct sy_writer *w, const struct sy_kind *kind,
                   const union sy_payload *payload, const struct waiting *as)
{
    uint8_t room[READS_TX_BYTES_MAX];
    struct sy_writer inner = sy_writer_of(room, sizeof room);
    struct sy_hash id;
    struct sy_signature signature;
    sy_payload_encode(&inner, kind, payload);
    SY_ASSERT(!inner.failed);
    struct sy_tx tx = {.version = SY_TX_VERSION,
                       .kind = kind->number,
                       .signer = reads->public_key,
                       .organisation = reads->config.organisation,
                       .nonce = as->nonce,
                       .valid_until_ms = as->until_ms,
                       .payload = sy_writer_slice(&inner)};
    memcpy(tx.network, sy_network_tag(reads->config.genesis), sizeof tx.network);
    size_t length_at = w->used;
    sy_write_u32(w, 0);
    size_t body_at = w->used;
    sy_tx_encode_body(w, &tx);
    sy_hash_leaf(&id, sy_slice_of(w->data + body_at, w->used - body_at));
    sy_sign(reads->key, &signature, SY_SIG_TX, &id);
    sy_write_signature(w, &signature);
    SY_ASSERT(!w->failed);
    sy_store_u32(w->data + length_at, (uint32_t)(w->used - body_at));
}

/* A turn of sy_reads_turn. */
struct turn {
    sy_reads *reads;
    sy_state_view *view;
    uint64_t certified;
    int64_t time_ms;
    uint64_t now_ns;
    struct sy_nonces nonces;
    struct sy_writer txs;
    uint16_t count;
};

/* Gives a transaction its nonce, unless the one it had may still be used. */
static void take_nonce(struct turn *turn, struct waiting *as)
{
    sy_reads *reads = turn->reads;
    if (!as->sent || turn->time_ms > as->until_ms) {
        if (reads->nonce < turn->nonces.highest) reads->nonce = turn->nonces.highest;
        as->nonce = ++reads->nonce;
        as->until_ms = turn->time_ms + GOOD_MS;
    }
    as->sent = true;
    as->again_ns = turn->now_ns + AGAIN_NS;
}

static void enrol(struct turn *turn)
{
    sy_reads *reads = turn->reads;
    struct waiting *as = &reads->enrolment;
    struct sy_slice value;
    struct sy_validator_key newest;
    struct sy_hash validator = hash_of(&reads->config.validator);
    union sy_payload payload = {0};
    if (turn->now_ns < as->again_ns) return;
    if (as->sent && sy_nonces_seen(&turn->nonces, as->nonce)) as->sent = false;
    bool early = get(turn->view, &value, SY_STATE_SIGNER, &validator) == SY_OK &&
                 sy_validator_key_decode(&newest, value) &&
                 turn->time_ms - newest.time_ms < SY_SIGNER_MS_MIN;
    bool renews = !as->sent || turn->time_ms > as->until_ms;
    bool spent = renews && (turn->nonces.highest >= READS_VOUCHES || reads->nonce >= READS_VOUCHES);
    if (early || spent) { // not yet; or not before the next start
        as->again_ns = turn->now_ns + AGAIN_NS;
        return;
    }
    take_nonce(turn, as);
    SY_ASSERT(as->nonce >= 1 && as->nonce <= READS_VOUCHES);
    payload.validator_signer.validator = reads->config.validator;
    payload.validator_signer.validator_possession = reads->vouches[as->nonce - 1];
    put_tx(reads, &turn->txs, sy_kind_by_number(SY_KIND_validator_signer), &payload, as);
    turn->count++;
}

/* The leaves of a log, under ids that are in use. False: it cannot be sent now. */
static bool load_live(struct turn *turn, uint32_t *count, const struct sy_hash *id)
{
    sy_reads *reads = turn->reads;
    bool changed = false;
    if (sy_reads_load(reads, count, id) != SY_OK || *count == 0) return false;
    for (uint32_t i = 0; i < *count; i++) {
        struct sy_hash *patient = &reads->leaves[i].patient;
        struct sy_hash live = live_id(turn->view, patient);
        changed = changed || !sy_hash_equal(&live, patient);
        *patient = live;
    }
    return !changed || sy_reads_rewrite(reads, id, *count) == SY_OK;
}

static void send_log(struct turn *turn, struct waiting *as)
{
    sy_reads *reads = turn->reads;
    struct sy_log_room room;
    union sy_payload payload = {0};
    uint32_t count;
    if (!load_live(turn, &count, &as->id) || sy_log_make(&payload.access_log, &room, reads->hashes,
                                                         &as->id, reads->leaves, count) != SY_OK) {
        as->again_ns = turn->now_ns + AGAIN_NS;
        SY_LOG(SY_LOG_WARN, "node", "reads_not_sent",
               SY_F_HEX("log", as->id.bytes, sizeof as->id.bytes));
        return;
    }
    take_nonce(turn, as);
    put_tx(reads, &turn->txs, sy_kind_by_number(SY_KIND_access_log), &payload, as);
    turn->count++;
}

/* True: the log stands at a certified height, and its leaves are kept. */
static bool settle(struct turn *turn, struct waiting *as)
{
    struct sy_slice value;
    struct sy_access_logged log;
    if (get(turn->view, &value, SY_STATE_ACCESS_LOG, &as->id) == SY_OK &&
        sy_access_logged_decode(&log, value)) {
        as->again_ns = turn->now_ns + AGAIN_NS; // it is not sent again
        if (log.height > turn->certified) return false;
        if (sy_reads_keep(turn->reads, &as->id) != SY_OK) return false;
        sy_metric_add(SY_M_client_reads_logs_total, 1);
        return true;
    }
    if (as->sent && sy_nonces_seen(&turn->nonces, as->nonce)) { // it ran, and was refused
        as->sent = false;
        as->again_ns = turn->now_ns + REFUSED_NS;
    }
    return false;
}

static void settle_all(struct turn *turn)
{
    sy_reads *reads = turn->reads;
    uint32_t left = 0, looked = 0;
    for (uint32_t i = 0; i < reads->count; i++) {
        bool look = looked < SY_READS_FLIGHT_MAX;
        looked += look ? 1 : 0;
        if (look && settle(turn, &reads->logs[i])) continue;
        reads->logs[left++] = reads->logs[i];
    }
    reads->count = left;
}

static void send_all(struct turn *turn)
{
    sy_reads *reads = turn->reads;
    for (uint32_t i = 0; i < reads->count && i < SY_READS_FLIGHT_MAX; i++) {
        struct waiting *as = &reads->logs[i];
        if (turn->now_ns >= as->again_ns) send_log(turn, as);
    }
}

/* ---- turns ------------------------------------------------------------------------------- */

uint64_t sy_reads_wake(const sy_reads *reads)
{
    uint64_t wake = UINT64_MAX;
    if (reads->open.fd >= 0) wake = reads->open.opened_ns + reads->config.delay_ns;
    if (reads->count > 0 && reads->look_ns < wake) wake = reads->look_ns;
    return wake;
}

void sy_reads_certified(sy_reads *reads)
{
    reads->look_ns = 0;
}

static void look(struct turn *turn)
{
    sy_reads *reads = turn->reads;
    if (!find_nonces(reads, turn->view, &turn->nonces)) return;
    settle_all(turn);
    if (reads->count == 0) return;
    if (!reads->enrolled) {
        enum standing standing = look_at_key(reads, turn->view);
        reads->enrolled = standing == STANDS;
        if (standing == NOT_ENROLLED) enrol(turn);
    }
    if (reads->enrolled) send_all(turn);
}

uint16_t sy_reads_turn(sy_reads *reads, struct sy_slice *txs, sy_state_view *view,
                       uint64_t certified, int64_t time_ms, uint64_t now_ns)
{
    struct turn turn = {.reads = reads,
                        .view = view,
                        .certified = certified,
                        .time_ms = time_ms,
                        .now_ns = now_ns,
                        .txs = sy_writer_of(reads->txs, sizeof reads->txs)};
    bool due = reads->open.fd >= 0 && now_ns - reads->open.opened_ns >= reads->config.delay_ns;
    if (due) sy_reads_seal(reads, now_ns);
    if (reads->count > 0 && now_ns >= reads->look_ns) {
        reads->look_ns = now_ns + LOOK_NS;
        look(&turn);
    }
    SY_ASSERT(!turn.txs.failed && turn.count <= SY_READS_FLIGHT_MAX);
    sy_metric_set(SY_M_client_reads_waiting_count, sy_reads_waiting(reads));
    *txs = sy_writer_slice(&turn.txs);
    return turn.count;
}
