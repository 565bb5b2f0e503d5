/* node_rig.c: see node_rig.h. */
#include "tests/unit/node_rig.h"

#include <stdlib.h>

#include "consensus/node/committer.h"
#include "core/base/telemetry.h"
#include "core/crypto/hash.h"

#define ROOM_BYTES (64u << 20)

void nrig_config(struct node_rig *rig, struct sy_node_config *config, uint16_t self)
{
    sy_secret_key *key = (sy_secret_key *)(uintptr_t)test_key(3u * self);
    memset(rig, 0, sizeof *rig);
    test_genesis(&rig->genesis, 4);
    *config = (struct sy_node_config){.genesis = &rig->genesis,
                                      .roster = &rig->genesis.roster,
                                      .signer = sy_signer_of_key(key),
                                      .self = self,
                                      .vote_checks = 16};
    sy_pbft_config_default(&config->pbft);
    config->pool = (struct sy_pool_config){.batch_timeout_ns = 4 * NRIG_MS,
                                           .batch_txs_max = 10,
                                           .pending_txs_max = 100,
                                           .lanes = 2,
                                           .queued_per_maker = 4,
                                           .respread_ns = 250 * NRIG_MS};
}

static void start(struct node_rig *rig, uint64_t certified_height)
{
    uint64_t next_seqs[4] = {1, 1, 1, 1};
    struct sy_node_event event = {.type = SY_NODE_START};
    rig->head = test_hash(4000 + (unsigned)certified_height);
    event.as.start.certified_height = certified_height;
    event.as.start.header_hash = rig->head;
    event.as.start.next_seqs = next_seqs;
    struct sy_certificate certificate = {.count = 3};
    if (certified_height > 0) event.as.start.certificate = &certificate;
    nrig_feed(rig, &event);
    event = (struct sy_node_event){.type = SY_NODE_RESUME};
    nrig_feed(rig, &event);
    // The others have nothing to say of it: they send its first STATUS back.
    const struct nrig_effect *status = nrig_last(rig, SY_NODE_SEND);
    assert_non_null(status);
    struct sy_slice bytes = status->bytes;
    nrig_frame(rig, (uint16_t)((rig->self + 1) % 4), bytes);
    nrig_frame(rig, (uint16_t)((rig->self + 2) % 4), bytes);
}

void nrig_open_with(struct node_rig *rig, const struct sy_node_config *config,
                    uint64_t certified_height)
{
    static const struct sy_engine_impl *const impls[] = {&sy_engine_openssl, NULL};
    struct sy_engine_config engine = {.queue = 256, .leaves_max = 8192, .impls = impls};
    struct sy_error err;
    assert_int_equal(sy_log_open("/dev/null", SY_LOG_ERROR, &err), SY_OK);
    rig->config = *config;
    rig->self = config->self;
    assert_int_equal(sy_engine_open(&rig->engine, &engine, &err), SY_OK);
    assert_int_equal(sy_arena_open(&rig->arena, sy_node_footprint(config)), SY_OK);
    assert_int_equal(sy_node_init(&rig->node, &rig->arena, config, &err), SY_OK);
    sy_arena_seal(&rig->arena);
    rig->effects = (struct sy_node_effects *)calloc(1, sizeof *rig->effects);
    rig->log = (struct nrig_effect *)calloc(NRIG_LOG_MAX, sizeof *rig->log);
    rig->room = (uint8_t *)malloc(ROOM_BYTES);
    assert_true(rig->effects && rig->log && rig->room);
    rig->writer = sy_writer_of(rig->room, ROOM_BYTES);
    rig->now_ms = TEST_GENESIS_MS + 1000000;
    rig->now_ns = 7000 * NRIG_MS;
    start(rig, certified_height);
    nrig_forget(rig);
}

void nrig_open(struct node_rig *rig, uint16_t self, uint64_t certified_height)
{
    struct sy_node_config config;
    nrig_config(rig, &config, self);
    nrig_open_with(rig, &config, certified_height);
}

void nrig_close(struct node_rig *rig)
{
    sy_engine_close(rig->engine);
    sy_arena_close(&rig->arena);
    free(rig->effects);
    free(rig->log);
    free(rig->room);
}

/* ---- effects ----------------------------------------------------------------------------- */

static struct sy_slice copy(struct node_rig *rig, struct sy_slice bytes)
{
    struct sy_slice out = sy_slice_of(rig->writer.data + rig->writer.used, bytes.size);
    sy_write_raw(&rig->writer, bytes.data, bytes.size);
    assert_false(rig->writer.failed);
    return out;
}

static void note(struct node_rig *rig, const struct sy_node_effect *effect)
{
    assert_true(rig->logged < NRIG_LOG_MAX);
    struct nrig_effect *out = &rig->log[rig->logged++];
    out->effect = *effect;
    out->bytes = sy_slice_of(NULL, 0);
    switch (effect->type) {
    case SY_NODE_SEND: out->bytes = copy(rig, effect->as.send.bytes); break;
    case SY_NODE_CERTIFY: out->bytes = copy(rig, effect->as.certify.certificate); break;
    case SY_NODE_COMMIT:
        assert_true(effect->as.commit.token == rig->token + 1); /* without a gap */
        rig->token = effect->as.commit.token;
        out->bytes = copy(rig, effect->as.commit.value);
        break;
    case SY_NODE_CHECK:
        assert_true(rig->flying_count < sizeof rig->flying / sizeof rig->flying[0]);
        rig->flying[rig->flying_count++] = effect->as.submission;
        break;
    default: break;
    }
}

static void step(struct node_rig *rig, const struct sy_node_event *event)
{
    bool more = true;
    while (more) {
        more = sy_node_step(rig->node, rig->effects, event);
        for (uint32_t i = 0; i < rig->effects->count; i++) note(rig, &rig->effects->items[i]);
        event = NULL;
    }
}

static void take_back(struct node_rig *rig)
{
    struct sy_submission *submission = rig->flying[0];
    rig->flying_count--;
    memmove(rig->flying, rig->flying + 1, rig->flying_count * sizeof rig->flying[0]);
    assert_int_equal(sy_engine_run(rig->engine, submission), SY_OK);
    struct sy_node_event event = {
        .type = SY_NODE_CHECKED, .now_ms = rig->now_ms, .now_ns = rig->now_ns};
    event.as.submission = submission;
    step(rig, &event);
}

static void settle(struct node_rig *rig)
{
    uint64_t durable = 0;
    while ((!rig->hold_checks && rig->flying_count > 0) ||
           (!rig->hold_commits && durable < rig->token)) {
        while (!rig->hold_checks && rig->flying_count > 0) take_back(rig);
        if (rig->hold_commits || durable == rig->token) continue;
        durable = rig->token;
        struct sy_node_event event = {
            .type = SY_NODE_DURABLE, .now_ms = rig->now_ms, .now_ns = rig->now_ns};
        event.as.token = durable;
        step(rig, &event);
    }
}

void nrig_feed(struct node_rig *rig, struct sy_node_event *event)
{
    event->now_ms = rig->now_ms;
    event->now_ns = rig->now_ns;
    step(rig, event);
    settle(rig);
}

void nrig_frame(struct node_rig *rig, uint16_t peer, struct sy_slice bytes)
{
    struct sy_node_event event = {.type = SY_NODE_FRAME};
    event.as.frame.peer = peer;
    event.as.frame.bytes = bytes;
    nrig_feed(rig, &event);
}

void nrig_tick(struct node_rig *rig, uint64_t later_ns)
{
    struct sy_node_event event = {.type = SY_NODE_TICK};
    rig->now_ns += later_ns;
    rig->now_ms += (int64_t)(later_ns / NRIG_MS);
    nrig_feed(rig, &event);
}

void nrig_check(struct node_rig *rig)
{
    assert_true(rig->flying_count > 0);
    take_back(rig);
    settle(rig);
}

void nrig_durable(struct node_rig *rig)
{
    struct sy_node_event event = {.type = SY_NODE_DURABLE};
    event.as.token = rig->token;
    nrig_feed(rig, &event);
}

/* ---- the other validators ---------------------------------------------------------------- */

struct sy_slice nrig_encode(struct node_rig *rig, const struct sy_message *message)
{
    size_t start_used = rig->writer.used;
    sy_message_encode(&rig->writer, message);
    assert_false(rig->writer.failed);
    return sy_slice_of(rig->writer.data + start_used, rig->writer.used - start_used);
}

struct sy_slice nrig_pre_prepare(struct node_rig *rig, const struct sy_proposal *proposal)
{
    struct sy_message message = {.type = SY_MESSAGE_PRE_PREPARE};
    struct sy_pre_prepare *own = &message.body.pre_prepare;
    struct sy_hash digest, signed_digest;
    own->proposal = *proposal;
    sy_proposal_digest(&digest, &rig->genesis.hash, proposal);
    sy_pre_prepare_digest(&signed_digest, &rig->genesis.hash, 0, 0, proposal->slot, &digest);
    sy_sign(test_key(0), &own->signature, SY_SIG_PRE_PREPARE, &signed_digest);
    return nrig_encode(rig, &message);
}

struct sy_slice nrig_vote(struct node_rig *rig, uint8_t type, uint16_t signer, uint64_t slot,
                          const struct sy_hash *digest)
{
    struct sy_message message = {.type = type};
    struct sy_vote *vote = &message.body.vote;
    struct sy_hash signed_digest;
    *vote =
        (struct sy_vote){.type = type, .slot = slot, .proposal_digest = *digest, .signer = signer};
    sy_vote_digest(&signed_digest, &rig->genesis.hash, vote);
    sy_sign(test_key(3u * signer), &vote->signature,
            type == SY_MESSAGE_PREPARE ? SY_SIG_PREPARE : SY_SIG_COMMIT, &signed_digest);
    return nrig_encode(rig, &message);
}

struct sy_slice nrig_seal(struct node_rig *rig, uint16_t signer, uint64_t height,
                          const struct sy_hash *hash)
{
    struct sy_message message = {.type = SY_MESSAGE_SEAL};
    struct sy_seal_message *seal = &message.body.seal;
    struct sy_hash digest;
    *seal = (struct sy_seal_message){.height = height, .header_hash = *hash};
    seal->seal.signer = signer;
    sy_seal_digest(&digest, &rig->genesis.hash, 0, height, hash);
    sy_sign(test_key(3u * signer), &seal->seal.signature, SY_SIG_SEAL, &digest);
    return nrig_encode(rig, &message);
}

struct sy_slice nrig_batch(struct node_rig *rig, uint16_t maker, uint64_t seq)
{
    static uint8_t whole[SY_BATCH_BYTES_MAX];
    static unsigned salt;
    uint8_t lists[4096];
    struct sy_writer room = sy_writer_of(lists, sizeof lists);
    union sy_payload payload;
    sy_prng prng;
    sy_prng_seed(&prng, ++salt);
    const struct sy_kind *kind = sy_kind_by_number(SY_KIND_record_create);
    test_payload(&payload, kind, &room, &prng);
    struct sy_slice tx = test_tx(&rig->writer, &rig->genesis, kind, &payload, 300);
    return copy(rig, test_batch(whole, &rig->genesis, 3u * maker, seq, &tx, 1));
}

struct sy_hash nrig_batch_digest(const struct node_rig *rig, struct sy_slice batch)
{
    struct sy_hash digest;
    sy_batch_digest(&digest, &rig->genesis.hash, sy_slice_of(batch.data, SY_BATCH_HEADER_BYTES));
    return digest;
}

static void executed(struct node_rig *rig, const struct sy_proposal *proposal)
{
    static struct sy_node_ran ran[SY_PROPOSAL_ENTRIES_MAX];
    struct sy_node_event event = {.type = SY_NODE_EXECUTED};
    for (uint16_t i = 0; i < proposal->count; i++) {
        ran[i] = (struct sy_node_ran){.maker = proposal->entries[i].maker,
                                      .seq = proposal->entries[i].seq,
                                      .digest = proposal->entries[i].digest};
    }
    rig->head = test_hash(4000 + (unsigned)proposal->slot);
    event.as.executed.height = proposal->slot;
    event.as.executed.header_hash = rig->head;
    event.as.executed.ran = ran;
    event.as.executed.ran_count = proposal->count;
    nrig_feed(rig, &event);
}

void nrig_decide(struct node_rig *rig, struct sy_proposal *proposal)
{
    struct sy_hash digest;
    proposal->time_ms = rig->now_ms;
    sy_proposal_digest(&digest, &rig->genesis.hash, proposal);
    assert_true(rig->self != 0); /* validator 0 is the primary, played here */
    nrig_frame(rig, 0, nrig_pre_prepare(rig, proposal));
    for (uint16_t i = 1; i < 4; i++) {
        if (i == rig->self) continue;
        nrig_frame(rig, i, nrig_vote(rig, SY_MESSAGE_PREPARE, i, proposal->slot, &digest));
    }
    for (uint16_t i = 0; i < 4; i++) {
        if (i == rig->self) continue;
        nrig_frame(rig, i, nrig_vote(rig, SY_MESSAGE_COMMIT, i, proposal->slot, &digest));
    }
    assert_true(nrig_last(rig, SY_NODE_EXECUTE)->effect.as.execute.adopted == false);
    executed(rig, proposal);
    for (uint16_t i = 0; i < 4; i++) {
        if (i != rig->self) nrig_frame(rig, i, nrig_seal(rig, i, proposal->slot, &rig->head));
    }
    assert_int_equal(nrig_last(rig, SY_NODE_CERTIFY)->effect.as.certify.height, proposal->slot);
    struct sy_node_event event = {.type = SY_NODE_CERTIFIED};
    event.as.height = proposal->slot;
    nrig_feed(rig, &event);
}

/* ---- the log ----------------------------------------------------------------------------- */

unsigned nrig_count(const struct node_rig *rig, enum sy_node_effect_type type)
{
    unsigned count = 0;
    for (unsigned i = 0; i < rig->logged; i++) count += rig->log[i].effect.type == type;
    return count;
}

bool nrig_sent(const struct node_rig *rig, struct sy_message *message, uint8_t type)
{
    for (unsigned i = rig->logged; i > 0; i--) {
        const struct nrig_effect *effect = &rig->log[i - 1];
        if (effect->effect.type != SY_NODE_SEND || effect->bytes.data[0] != type) continue;
        assert_true(sy_message_decode(message, effect->bytes, 4));
        return true;
    }
    return false;
}

unsigned nrig_committed(const struct node_rig *rig, enum sy_node_commit what)
{
    unsigned count = 0;
    for (unsigned i = 0; i < rig->logged; i++) {
        const struct sy_node_effect *effect = &rig->log[i].effect;
        count += effect->type == SY_NODE_COMMIT && effect->as.commit.what == what;
    }
    return count;
}

void nrig_store_commits(const struct node_rig *rig, sy_store *store)
{
    for (unsigned i = 0; i < rig->logged; i++) {
        struct sy_node_effect effect = rig->log[i].effect;
        struct sy_vote_write writes[2];
        struct sy_error err;
        if (effect.type != SY_NODE_COMMIT) continue;
        effect.as.commit.value = rig->log[i].bytes;
        size_t count = sy_committer_writes(writes, &effect);
        sy_status status = sy_votes_commit(store, writes, count, &err);
        if (status != SY_OK) fail_msg("%s: %s", sy_status_name(status), err.text);
    }
}

const struct nrig_effect *nrig_last(const struct node_rig *rig, enum sy_node_effect_type type)
{
    for (unsigned i = rig->logged; i > 0; i--) {
        if (rig->log[i - 1].effect.type == type) return &rig->log[i - 1];
    }
    fail_msg("no effect of type %d", (int)type);
    return NULL;
}

void nrig_forget(struct node_rig *rig)
{
    rig->logged = 0;
}

const struct sy_node_info *nrig_info(const struct node_rig *rig)
{
    static struct sy_node_info info;
    sy_node_get_info(rig->node, &info, rig->now_ns);
    return &info;
}
