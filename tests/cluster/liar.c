/* liar.c: what peers are told. */
#include "tests/cluster/liar.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/os.h"
#include "core/base/siphash.h"
#include "core/base/thread.h"
#include "core/wire/genesis_json.h"
#include "core/wire/sync.h"
#include "core/wire/vote.h"
#include "tests/support/lies.h"

#define LATE_MAX 4096u
#define LATE_MS_MAX 1500u

struct liar liar;

/* The link as it is, and as the daemon's calls come here (the linker's --wrap). */
sy_status real_send(sy_link *link, uint32_t peer, enum sy_channel channel,
                    struct sy_slice payload) __asm__("__real_sy_link_send");
bool real_recv(sy_link *link, struct sy_link_frame *out) __asm__("__real_sy_link_recv");
void real_close(sy_link *link) __asm__("__real_sy_link_close");
sy_status liar_send(sy_link *link, uint32_t peer, enum sy_channel channel,
                    struct sy_slice payload) __asm__("__wrap_sy_link_send");
uint32_t liar_broadcast(sy_link *link, uint32_t count, enum sy_channel channel,
                        struct sy_slice payload) __asm__("__wrap_sy_link_broadcast");
bool liar_recv(sy_link *link, struct sy_link_frame *out) __asm__("__wrap_sy_link_recv");
void liar_link_close(sy_link *link) __asm__("__wrap_sy_link_close");

/* What a liar proposed in a slot besides what its node did. */
struct second {
    uint64_t view, slot;
    uint32_t victims; /* bit i: peer i hears the second, and later votes for it */
    struct sy_hash digest;
};

struct late {
    uint64_t due_ns;
    sy_link *link;
    uint32_t peer;
    enum sy_channel channel;
    uint8_t *bytes; /* malloc'ed; NULL: free */
    size_t size;
};

/* Under the lock: the consensus thread sends, and the one that hands out states. */
static struct {
    pthread_mutex_t lock;
    pthread_t thread;
    bool started;
    atomic_bool stopping;
    atomic_bool hushed;
    bool begun; /* its node knows what it said before, and so votes */
    uint8_t *room;
    struct sy_message message;
    struct second seconds[SY_PBFT_WINDOW];
    struct late late[LATE_MAX];
} state = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* ---- whether ------------------------------------------------------------------------------- */

void liar_draw(sy_prng *prng, enum liar_lie lie, uint64_t a, uint64_t b, uint64_t c)
{
    const uint64_t key[2] = {liar.seed, (uint64_t)lie};
    const uint64_t about[3] = {a, b, c};
    sy_prng_seed(prng, sy_siphash13(key, about, sizeof about));
}

/* One time in `of`; the rest of the lie may be drawn from prng. */
static bool does(sy_prng *prng, enum liar_lie lie, uint64_t of, uint64_t view, uint64_t slot,
                 uint32_t to)
{
    if (!liar.tells[lie]) return false;
    liar_draw(prng, lie, view, slot, to);
    return sy_prng_chance(prng, 1, of);
}

void liar_told(enum liar_lie lie)
{
    static const char *const names[] = {
#define LIAR_NAME(name, what) #name,
        LIES(LIAR_NAME)
#undef LIAR_NAME
    };
    static atomic_bool told[LIAR_LIES];
    if (!atomic_exchange(&told[lie], true)) fprintf(stderr, "lie: %s\n", names[lie]);
}

/* ---- saying ---------------------------------------------------------------------------------- */

static bool is_silent(uint32_t to)
{
    sy_prng prng;
    if (to >= liar.n) return false;
    if (atomic_load(&state.hushed)) {
        liar_told(LIAR_silent);
        return true;
    }
    if (!liar.tells[LIAR_shun]) return false;
    liar_draw(&prng, LIAR_shun, 0, 0, 0);
    uint32_t shunned = (liar.self + 1u + (uint32_t)sy_prng_below(&prng, liar.n - 1u)) % liar.n;
    if (shunned != to) return false;
    liar_told(LIAR_shun);
    return true;
}

/* By what it says and to whom; 0: at once. */
static uint64_t lateness_ns(uint32_t to, struct sy_slice bytes)
{
    const uint64_t key[2] = {liar.seed, to};
    sy_prng prng;
    if (!liar.tells[LIAR_slow] || bytes.size > 65536) return 0;
    sy_prng_seed(&prng, sy_siphash13(key, bytes.data, bytes.size));
    if (sy_prng_chance(&prng, 1, 2)) return 0;
    return (1 + sy_prng_below(&prng, LATE_MS_MAX)) * 1000000ull;
}

/* False: there is no room, so it is not late. */
static bool keep_late(const struct late *what, struct sy_slice bytes)
{
    for (unsigned i = 0; i < LATE_MAX; i++) {
        struct late *late = &state.late[i];
        if (late->bytes != NULL) continue;
        *late = *what;
        late->bytes = (uint8_t *)malloc(bytes.size + 1);
        if (late->bytes == NULL) return false;
        memcpy(late->bytes, bytes.data, bytes.size);
        late->size = bytes.size;
        liar_told(LIAR_slow);
        return true;
    }
    return false;
}

static sy_status utter(sy_link *link, uint32_t to, enum sy_channel channel, struct sy_slice bytes)
{
    if (is_silent(to)) return SY_OK;
    uint64_t lateness = to < liar.n ? lateness_ns(to, bytes) : 0;
    struct late late = {
        .due_ns = sy_os_monotonic_ns() + lateness, .link = link, .peer = to, .channel = channel};
    if (lateness > 0 && keep_late(&late, bytes)) return SY_OK;
    return real_send(link, to, channel, bytes);
}

static void say(sy_link *link, uint32_t to, enum sy_channel channel,
                const struct sy_message *message)
{
    struct sy_writer w = sy_writer_of(state.room, SY_FRAME_BYTES_MAX);
    sy_message_encode(&w, message);
    SY_ASSERT(!w.failed);
    (void)utter(link, to, channel, sy_writer_slice(&w));
}

/* ---- what was late --------------------------------------------------------------------------- */

static void utter_late(uint64_t now_ns)
{
    for (unsigned i = 0; i < LATE_MAX; i++) {
        struct late *late = &state.late[i];
        if (late->bytes == NULL || late->due_ns > now_ns) continue;
        (void)real_send(late->link, late->peer, late->channel,
                        sy_slice_of(late->bytes, late->size));
        free(late->bytes);
        late->bytes = NULL;
    }
}

static void *be_late(void *self)
{
    (void)self;
    while (!atomic_load(&state.stopping)) {
        struct timespec pause = {.tv_nsec = 10000000};
        (void)nanosleep(&pause, NULL);
        pthread_mutex_lock(&state.lock);
        utter_late(sy_os_monotonic_ns());
        pthread_mutex_unlock(&state.lock);
    }
    return NULL;
}

void liar_link_close(sy_link *link)
{
    pthread_mutex_lock(&state.lock);
    for (unsigned i = 0; i < LATE_MAX; i++) {
        if (state.late[i].bytes == NULL || state.late[i].link != link) continue;
        free(state.late[i].bytes);
        state.late[i].bytes = NULL;
    }
    pthread_mutex_unlock(&state.lock);
    real_close(link);
}

/* ---- proposals and votes --------------------------------------------------------------------- */

static struct second *second_of(uint64_t view, uint64_t slot)
{
    struct second *second = &state.seconds[slot % SY_PBFT_WINDOW];
    return second->slot == slot && second->view == view ? second : NULL;
}

/* Mostly one victim, so that the others go on; sometimes all that there are. */
static const struct second *choose_second(const struct sy_pre_prepare *own)
{
    uint64_t slot = own->proposal.slot;
    struct second *second = second_of(own->view, slot);
    sy_prng prng;
    if (second != NULL) return second;
    second = &state.seconds[slot % SY_PBFT_WINDOW];
    *second = (struct second){.view = own->view, .slot = slot};
    if (!does(&prng, LIAR_proposals, 2, own->view, slot, 0)) return second;
    struct sy_proposal other = own->proposal;
    lie_turn_proposal(&other);
    sy_proposal_digest(&second->digest, &liar.genesis.hash, &other);
    second->victims = 1u << sy_prng_below(&prng, liar.n);
    if (sy_prng_chance(&prng, 1, 16)) second->victims = UINT32_MAX;
    return second;
}

static void sign_vote(struct sy_vote *vote)
{
    struct sy_hash digest;
    sy_vote_digest(&digest, &liar.genesis.hash, vote);
    sy_sign(liar.key, &vote->signature,
            vote->type == SY_MESSAGE_PREPARE ? SY_SIG_PREPARE : SY_SIG_COMMIT, &digest);
}

/* The second one and a COMMIT for it; half the time its node's proposal too, which shows the lie.
 */
static void lie_proposal(sy_link *link, uint32_t to, enum sy_channel channel, struct sy_slice bytes)
{
    struct sy_pre_prepare *own = &state.message.body.pre_prepare;
    const struct second *second = choose_second(own);
    struct sy_message commit = {.type = SY_MESSAGE_COMMIT};
    struct sy_hash digest;
    sy_prng prng;
    if ((second->victims >> to & 1u) == 0) {
        (void)utter(link, to, channel, bytes);
        return;
    }
    lie_turn_proposal(&own->proposal);
    sy_pre_prepare_digest(&digest, &liar.genesis.hash, own->proposal.epoch, own->view,
                          own->proposal.slot, &second->digest);
    sy_sign(liar.key, &own->signature, SY_SIG_PRE_PREPARE, &digest);
    commit.body.vote = (struct sy_vote){.type = SY_MESSAGE_COMMIT,
                                        .epoch = own->proposal.epoch,
                                        .view = own->view,
                                        .slot = own->proposal.slot,
                                        .proposal_digest = second->digest,
                                        .signer = liar.self};
    sign_vote(&commit.body.vote);
    say(link, to, channel, &state.message);
    say(link, to, channel, &commit);
    liar_draw(&prng, LIAR_proposals, own->view, own->proposal.slot, 1u + to);
    if (sy_prng_chance(&prng, 1, 2)) (void)utter(link, to, channel, bytes);
    liar_told(LIAR_proposals);
}

static void lie_vote(sy_link *link, uint32_t to, enum sy_channel channel, struct sy_slice bytes)
{
    struct sy_vote *vote = &state.message.body.vote;
    const struct second *second = second_of(vote->view, vote->slot);
    sy_prng prng;
    bool both = false;
    if (second != NULL && (second->victims >> to & 1u) != 0) {
        vote->proposal_digest = second->digest;
        liar_told(LIAR_proposals);
    } else if (does(&prng, LIAR_votes, 3, vote->view * 2 + (vote->type == SY_MESSAGE_COMMIT),
                    vote->slot, to)) {
        vote->proposal_digest.bytes[0] ^= 1;
        both = sy_prng_chance(&prng, 1, 2);
        liar_told(LIAR_votes);
    } else {
        (void)utter(link, to, channel, bytes);
        return;
    }
    sign_vote(vote);
    say(link, to, channel, &state.message);
    if (both) (void)utter(link, to, channel, bytes);
}

static void lie_seal(sy_link *link, uint32_t to, enum sy_channel channel, struct sy_slice bytes)
{
    struct sy_seal_message *seal = &state.message.body.seal;
    struct sy_hash digest;
    sy_prng prng;
    bool lies = does(&prng, LIAR_votes, 3, UINT64_MAX, seal->height, to);
    bool both = lies && sy_prng_chance(&prng, 1, 2);
    if (lies) {
        seal->header_hash.bytes[3] ^= 1;
        sy_seal_digest(&digest, &liar.genesis.hash, seal->epoch, seal->height, &seal->header_hash);
        sy_sign(liar.key, &seal->seal.signature, SY_SIG_SEAL, &digest);
        say(link, to, channel, &state.message);
        liar_told(LIAR_votes);
    }
    if (!lies || both) (void)utter(link, to, channel, bytes);
}

/* ---- the rest -------------------------------------------------------------------------------- */

static void lie_status(sy_link *link, uint32_t to, enum sy_channel channel, struct sy_slice bytes)
{
    struct sy_status_message *status = &state.message.body.status;
    struct sy_hash digest;
    sy_prng prng;
    if (!state.begun || !does(&prng, LIAR_statuses, 3, 0, status->counter, to)) {
        (void)utter(link, to, channel, bytes);
        return;
    }
    lie_turn_status(&prng, status);
    sy_status_digest(&digest, &liar.genesis.hash, status);
    sy_sign(liar.key, &status->signature, SY_SIG_STATUS, &digest);
    liar_told(LIAR_statuses);
    say(link, to, channel, &state.message);
}

/* Another view, or nothing prepared and nothing certified. */
static void lie_view_change(sy_link *link, uint32_t to, enum sy_channel channel,
                            struct sy_slice bytes)
{
    struct sy_view_change *change = &state.message.body.view_change;
    struct sy_hash digest;
    sy_prng prng;
    if (!does(&prng, LIAR_views, 2, change->view, 0, to)) {
        (void)utter(link, to, channel, bytes);
        return;
    }
    change->count = 0;
    change->prepared = sy_slice_of(NULL, 0);
    switch (sy_prng_below(&prng, 3)) {
    case 0: change->view += 1 + sy_prng_below(&prng, 5); break;
    case 1:
        change->stable_height = 0;
        memset(&change->stable_hash, 0, sizeof change->stable_hash);
        memset(&change->certificate, 0, sizeof change->certificate);
        break;
    default: break;
    }
    sy_view_change_digest(&digest, &liar.genesis.hash, change, liar.n);
    sy_sign(liar.key, &change->signature, SY_SIG_VIEW_CHANGE, &digest);
    liar_told(LIAR_views);
    say(link, to, channel, &state.message);
}

static void lie_new_view(sy_link *link, uint32_t to, enum sy_channel channel, struct sy_slice bytes)
{
    struct sy_new_view *own = &state.message.body.new_view;
    struct sy_hash digest;
    sy_prng prng;
    if (!does(&prng, LIAR_views, 2, own->view, 1, to)) {
        (void)utter(link, to, channel, bytes);
        return;
    }
    own->changes[sy_prng_below(&prng, own->count)].digest.bytes[2] ^= 1;
    sy_new_view_digest(&digest, &liar.genesis.hash, own);
    sy_sign(liar.key, &own->signature, SY_SIG_NEW_VIEW, &digest);
    liar_told(LIAR_views);
    say(link, to, channel, &state.message);
}

/* A view that nobody needs, beside a status now and then. */
static void leave_view(sy_link *link, uint32_t to, const struct sy_status_message *status)
{
    static struct sy_message message;
    struct sy_view_change *change = &message.body.view_change;
    struct sy_hash digest;
    sy_prng prng;
    if (!does(&prng, LIAR_views, 64, 2, status->counter, to)) return;
    memset(&message, 0, sizeof message);
    message.type = SY_MESSAGE_VIEW_CHANGE;
    change->epoch = status->epoch;
    change->signer = liar.self;
    change->view = status->view + 1 + sy_prng_below(&prng, 3);
    sy_view_change_digest(&digest, &liar.genesis.hash, change, liar.n);
    sy_sign(liar.key, &change->signature, SY_SIG_VIEW_CHANGE, &digest);
    liar_told(LIAR_views);
    say(link, to, SY_CHANNEL_CONTROL, &message);
}

static void lie_block(sy_link *link, uint32_t to, enum sy_channel channel, struct sy_slice bytes)
{
    struct sy_block_message *block = &state.message.body.block;
    sy_prng prng;
    if (!does(&prng, LIAR_blocks, 2, 0, block->header.height, to)) {
        (void)utter(link, to, channel, bytes);
        return;
    }
    lie_turn_block(&prng, block, liar.n);
    liar_told(LIAR_blocks);
    say(link, to, channel, &state.message);
}

static void lie_body(sy_link *link, uint32_t to, enum sy_channel channel, struct sy_slice bytes)
{
    sy_prng prng;
    uint64_t about = 0; // the maker's signature ends it
    memcpy(&about, bytes.data + bytes.size - sizeof about, sizeof about);
    if (!does(&prng, LIAR_bodies, 2, 0, about, to)) {
        (void)utter(link, to, channel, bytes);
        return;
    }
    liar_told(LIAR_bodies);
}

/* ---- between the daemon and its link --------------------------------------------------------- */

static bool is_of_genesis(const struct sy_message *message)
{
    switch (message->type) {
    case SY_MESSAGE_PRE_PREPARE: return message->body.pre_prepare.proposal.epoch == 0;
    case SY_MESSAGE_PREPARE:
    case SY_MESSAGE_COMMIT: return message->body.vote.epoch == 0;
    case SY_MESSAGE_SEAL: return message->body.seal.epoch == 0;
    case SY_MESSAGE_STATUS: return message->body.status.epoch == 0;
    case SY_MESSAGE_VIEW_CHANGE: return message->body.view_change.epoch == 0;
    case SY_MESSAGE_NEW_VIEW: return message->body.new_view.epoch == 0;
    case SY_MESSAGE_BLOCK: return message->body.block.header.epoch == 0;
    default: return true;
    }
}

static bool can_lie(struct sy_slice bytes, uint32_t to)
{
    if (to >= liar.n || bytes.size == 0 || sy_sync_is(bytes)) return false;
    if (!sy_message_decode(&state.message, bytes, liar.n)) return false;
    if (!is_of_genesis(&state.message)) return false;
    uint8_t type = state.message.type;
    return type == SY_MESSAGE_BATCH || type == SY_MESSAGE_BLOCK ||
           lie_is_own(&state.message, liar.self, liar.n);
}

static sy_status tell(sy_link *link, uint32_t to, enum sy_channel channel, struct sy_slice bytes)
{
    if (!can_lie(bytes, to)) return utter(link, to, channel, bytes);
    uint8_t type = state.message.type;
    if (type < SY_MESSAGE_STATUS || type == SY_MESSAGE_VIEW_CHANGE) state.begun = true;
    switch (state.message.type) {
    case SY_MESSAGE_PRE_PREPARE: lie_proposal(link, to, channel, bytes); break;
    case SY_MESSAGE_PREPARE:
    case SY_MESSAGE_COMMIT: lie_vote(link, to, channel, bytes); break;
    case SY_MESSAGE_SEAL: lie_seal(link, to, channel, bytes); break;
    case SY_MESSAGE_STATUS:
        leave_view(link, to, &state.message.body.status);
        lie_status(link, to, channel, bytes);
        break;
    case SY_MESSAGE_VIEW_CHANGE: lie_view_change(link, to, channel, bytes); break;
    case SY_MESSAGE_NEW_VIEW: lie_new_view(link, to, channel, bytes); break;
    case SY_MESSAGE_BLOCK: lie_block(link, to, channel, bytes); break;
    case SY_MESSAGE_BATCH: lie_body(link, to, channel, bytes); break;
    default: return utter(link, to, channel, bytes);
    }
    return SY_OK;
}

sy_status liar_send(sy_link *link, uint32_t peer, enum sy_channel channel, struct sy_slice payload)
{
    pthread_mutex_lock(&state.lock);
    sy_status status = tell(link, peer, channel, payload);
    pthread_mutex_unlock(&state.lock);
    return status;
}

uint32_t liar_broadcast(sy_link *link, uint32_t count, enum sy_channel channel,
                        struct sy_slice payload)
{
    struct sy_link_peer_state peer;
    uint32_t took = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (i == liar.self) continue;
        if (!sy_link_get_peer_state(link, i, &peer)) break; // that was the last
        if (liar_send(link, i, channel, payload) == SY_OK) took++;
    }
    return took;
}

/* Its own STATUS comes back as the answer to its start, without which its node says nothing. */
bool liar_recv(sy_link *link, struct sy_link_frame *out)
{
    static struct sy_message heard; // the consensus thread's
    while (real_recv(link, out)) {
        bool own = sy_message_decode(&heard, out->payload, liar.n) && is_of_genesis(&heard) &&
                   heard.type != SY_MESSAGE_STATUS && lie_is_own(&heard, liar.self, liar.n);
        if (!own) return true;
        sy_link_frame_release(link, out);
    }
    return false;
}

/* ---- life ------------------------------------------------------------------------------------ */

void liar_hush(void)
{
    bool before = atomic_load(&state.hushed);
    atomic_store(&state.hushed, !before);
}

void liar_explain(FILE *out)
{
#define LIAR_EXPLAIN(name, what) fprintf(out, "  %-10s %s\n", #name, what);
    LIES(LIAR_EXPLAIN)
#undef LIAR_EXPLAIN
}

static sy_status choose_lies(const char *lies, struct sy_error *err)
{
    char copy[256];
    char *rest = copy;
    (void)snprintf(copy, sizeof copy, "%s", lies);
    for (char *name; (name = strsep(&rest, ",")) != NULL;) {
        bool known = false;
#define LIAR_CHOOSE(lie, what) \
    if (strcmp(name, #lie) == 0) known = liar.tells[LIAR_##lie] = true;
        LIES(LIAR_CHOOSE)
#undef LIAR_CHOOSE
        if (!known) return sy_fail(err, SY_ERR_ARGUMENT, "there is no lie '%s'", name);
    }
    return SY_OK;
}

sy_status liar_open(const struct sy_config *config, const char *lies, uint64_t seed,
                    struct sy_error *err)
{
    struct sy_public_key key;
    SY_TRY(choose_lies(lies, err));
    SY_TRY(sy_genesis_load(&liar.genesis, config->genesis, err));
    SY_TRY(sy_secret_key_load(&liar.key, config->consensus_key,
                              config->passphrase_file[0] ? config->passphrase_file : NULL, err));
    sy_secret_key_public(liar.key, &key);
    int self = sy_roster_find(&liar.genesis.roster, &key);
    if (self < 0) return sy_fail(err, SY_ERR_ARGUMENT, "only a validator of the genesis can lie");
    liar.self = (uint16_t)self;
    liar.n = liar.genesis.roster.count;
    liar.seed = seed;
    atomic_store(&state.hushed, liar.tells[LIAR_silent]);
    state.room = (uint8_t *)malloc(SY_FRAME_BYTES_MAX);
    if (state.room == NULL) return sy_fail(err, SY_ERR_NO_MEMORY, "liar: no memory");
    SY_TRY(liar_clients_open(err));
    SY_TRY(sy_thread_start(&state.thread, "liar-late", be_late, NULL, err));
    state.started = true;
    return SY_OK;
}

void liar_close(void)
{
    atomic_store(&state.stopping, true);
    if (state.started) sy_thread_join(state.thread);
    liar_clients_close();
    sy_secret_key_close(liar.key);
    free(state.room);
}
