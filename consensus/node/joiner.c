#include "consensus/node/joiner.h"

#include <poll.h>
#include <stdlib.h>

#include "core/base/assert.h"
#include "core/base/os.h"
#include "core/base/telemetry.h"
#include "core/ledger/snapshot.h"
#include "core/wire/delta.h"
#include "core/wire/sync.h"

#define ANSWER_MS 5000u
#define PAUSE_MS 200 /* after a round in which nobody had anything */

/* A state so much older than another may lack the history that leads on from it. */
#define OLD_BLOCKS (3u * SY_SNAPSHOT_BLOCKS)

struct joiner {
    const struct sy_joiner_config *config;
    struct sy_joined *joined;
    struct sy_error *err;
    bool liar[SY_VALIDATORS_MAX];
    bool later[SY_VALIDATORS_MAX];         /* it holds a state of a later epoch */
    uint32_t epoch;                        /* the last one that was seen so */
    uint64_t offers[SY_VALIDATORS_MAX];    /* the height whose state each holds; 0: none */
    uint32_t let_downs[SY_VALIDATORS_MAX]; /* how often what each offered could not be fetched */
    uint16_t turn;
    uint16_t peer;   /* that answers */
    uint64_t height; /* that is fetched; 0: none is chosen */
    bool done;
    struct sy_sync_message message;
    uint8_t header[SY_HEADER_BYTES];
    uint8_t certificate[2 + SY_VALIDATORS_MAX * 66];
};

/* ---- asking -------------------------------------------------------------------------------- */

static bool is_asked(const struct joiner *joiner, uint16_t peer)
{
    return peer != joiner->config->self && !joiner->liar[peer] && !joiner->later[peer];
}

static void ask(const struct joiner *joiner, uint16_t peer, uint64_t height,
                const struct sy_hash *key)
{
    uint8_t bytes[64];
    struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
    struct sy_sync_message fetch = {.type = SY_SYNC_SNAPSHOT_FETCH, .height = height, .key = *key};
    sy_sync_encode(&w, &fetch);
    SY_ASSERT(!w.failed);
    (void)sy_link_send(joiner->config->link, peer, SY_CHANNEL_CONTROL, sy_writer_slice(&w));
}

/* Waits for a frame of these kinds from the peer; everything else is dropped. False: the time is
 * over. The frame must be released. */
static bool wait_for(const struct joiner *joiner, struct sy_link_frame *frame, uint16_t peer,
                     uint64_t until_ns)
{
    sy_link *link = joiner->config->link;
    for (;;) {
        uint64_t now_ns = sy_os_monotonic_ns();
        if (now_ns >= until_ns) return false;
        if (!sy_link_recv(link, frame)) {
            struct pollfd fd = {.fd = sy_link_fd(link), .events = POLLIN};
            (void)poll(&fd, 1, (int)((until_ns - now_ns) / 1000000 + 1));
            continue;
        }
        bool ours = frame->peer == peer && sy_sync_is(frame->payload) &&
                    frame->payload.data[0] >= SY_SYNC_SNAPSHOT;
        if (ours) return true;
        sy_link_frame_release(link, frame);
    }
}

static void refuse(struct joiner *joiner, uint16_t peer, const char *what)
{
    joiner->liar[peer] = true;
    joiner->joined->liars++;
    SY_LOG(SY_LOG_WARN, "node", "snapshot_refused",
           SY_F_TEXT("peer", joiner->config->roster->validators[peer].name),
           SY_F_TEXT("what", what));
}

/* Its seals say nothing to who does not know that epoch's roster: it may be true, or not. */
static void note_later(struct joiner *joiner, uint16_t peer)
{
    joiner->later[peer] = true;
    joiner->epoch = joiner->message.header.epoch;
    SY_LOG(SY_LOG_WARN, "node", "snapshot_of_later_epoch",
           SY_F_TEXT("peer", joiner->config->roster->validators[peer].name),
           SY_F_U64("epoch", joiner->epoch));
}

/* ---- judging ------------------------------------------------------------------------------- */

static bool holds_key(const struct sy_chunk *chunk, const struct sy_hash *key)
{
    struct sy_hash behind;
    if (sy_hash_compare(key, &chunk->prefix) < 0) return false;
    return !sy_chunk_next(&behind, chunk) || sy_hash_compare(key, &behind) < 0;
}

enum answer {
    ANSWER_LATE, /* to an earlier question, whose time was over */
    ANSWER_LIE,
    ANSWER_NONE,
    ANSWER_LATER_EPOCH,
    ANSWER_CHUNK
};

/* Whether joiner->message may be said by a validator that tells the truth. */
static bool is_true(const struct joiner *joiner, const char **what)
{
    const struct sy_joiner_config *config = joiner->config;
    const struct sy_sync_message *message = &joiner->message;
    *what = "its certificate does not hold";
    if (!sy_certificate_verify(&message->certificate, config->roster, &config->genesis->hash,
                               &message->header)) {
        return false;
    }
    return sy_chunk_verify(&message->chunk, &message->header.state_root, what);
}

/* Reads a frame into joiner->message. What was not asked for is not looked at any closer: a peer
 * that took its time is no liar. */
static enum answer judge(struct joiner *joiner, struct sy_slice frame, const struct sy_hash *key,
                         const char **what)
{
    struct sy_sync_message *message = &joiner->message;
    *what = "it is malformed";
    if (!sy_sync_decode(message, frame, SY_ROSTER_UNKNOWN)) return ANSWER_LIE;
    if (message->type != SY_SYNC_SNAPSHOT) return ANSWER_NONE;
    if (message->header.epoch > joiner->config->roster->epoch) return ANSWER_LATER_EPOCH;
    bool other = joiner->height != 0 && message->header.height != joiner->height;
    if (other || !holds_key(&message->chunk, key)) return ANSWER_LATE;
    return is_true(joiner, what) ? ANSWER_CHUNK : ANSWER_LIE;
}

/* ---- taking -------------------------------------------------------------------------------- */

static sy_status finish(struct joiner *joiner)
{
    struct sy_writer header = sy_writer_of(joiner->header, sizeof joiner->header);
    struct sy_writer seals = sy_writer_of(joiner->certificate, sizeof joiner->certificate);
    sy_header_encode(&header, &joiner->message.header);
    sy_certificate_encode(&seals, &joiner->message.certificate);
    SY_ASSERT(!header.failed && !seals.failed);
    joiner->joined->height = joiner->message.header.height;
    joiner->done = true;
    return sy_install_finish(joiner->config->store, sy_writer_slice(&header),
                             sy_writer_slice(&seals), joiner->err);
}

/* The entries from a key on. */
static struct sy_slice entries_from(struct sy_slice entries, const struct sy_hash *key)
{
    struct sy_delta_reader reader = sy_delta_reader_of(entries);
    struct sy_delta entry;
    size_t before = 0;
    while (sy_delta_next(&reader, &entry) && sy_hash_compare(&entry.key, key) < 0) {
        before = reader.in.used;
    }
    return before == 0 ? entries : sy_slice_of(entries.data + before, entries.size - before);
}

/* Installs the chunk of joiner->message, which holds; with the last one the store begins. */
static sy_status take_chunk(struct joiner *joiner)
{
    const struct sy_sync_message *message = &joiner->message;
    struct sy_install install;
    struct sy_hash behind;
    sy_store *store = joiner->config->store;
    SY_TRY(sy_install_begin(store, &install, message->header.height, &message->header.state_root,
                            joiner->err));
    if (install.whole) return finish(joiner); // a crash came between the last chunk and the end
    // What was asked for belongs to a state that is being fetched no more.
    if (!holds_key(&message->chunk, &install.next)) return SY_OK;
    // Not everybody cuts alike: the chunk before may have been a part of this one.
    struct sy_slice entries = entries_from(message->chunk.entries, &install.next);
    bool more = sy_chunk_next(&behind, &message->chunk);
    SY_TRY(sy_install_put(store, entries, more ? &behind : NULL, joiner->err));
    joiner->joined->chunks++;
    return more ? SY_OK : finish(joiner);
}

/* Notes whose state the peer holds; the chunk itself is asked for again. */
static sy_status note_offer(struct joiner *joiner)
{
    joiner->offers[joiner->peer] = joiner->message.header.height;
    return SY_OK;
}

/* Asks one peer and lets `take` have what holds. *given: there was something. */
static sy_status try_peer(struct joiner *joiner, bool *given, uint16_t peer,
                          const struct sy_hash *key, sy_status (*take)(struct joiner *joiner))
{
    uint32_t patience_ms = joiner->config->answer_ms ? joiner->config->answer_ms : ANSWER_MS;
    uint64_t until_ns = sy_os_monotonic_ns() + (uint64_t)patience_ms * 1000000;
    struct sy_link_frame frame;
    enum answer answer = ANSWER_LATE;
    sy_status status = SY_OK;
    joiner->peer = peer;
    ask(joiner, peer, joiner->height, key);
    while (answer == ANSWER_LATE && wait_for(joiner, &frame, peer, until_ns)) {
        const char *what;
        answer = judge(joiner, frame.payload, key, &what);
        if (answer == ANSWER_LIE) refuse(joiner, peer, what);
        if (answer == ANSWER_LATER_EPOCH) note_later(joiner, peer);
        if (answer == ANSWER_CHUNK) {
            *given = true;
            joiner->joined->bytes += frame.payload.size;
            status = take(joiner); // the entries lie in the frame
        }
        sy_link_frame_release(joiner->config->link, &frame);
    }
    return status;
}

/* ---- the run ------------------------------------------------------------------------------- */

static sy_status may_go_on(const struct joiner *joiner)
{
    const struct sy_joiner_config *config = joiner->config;
    bool any = false, later = false;
    if (config->stopping && config->stopping(config->context)) {
        return sy_fail(joiner->err, SY_ERR_CLOSED, "told to stop while a state was being fetched");
    }
    for (uint16_t i = 0; i < config->roster->count; i++) {
        any |= is_asked(joiner, i);
        later |= joiner->later[i];
    }
    if (any) return SY_OK;
    if (later) {
        return sy_fail(joiner->err, SY_ERR_VERSION,
                       "the network is in epoch %u by now, and a state of another roster than the "
                       "genesis's cannot be joined by snapshot: remove the store, set "
                       "join_by_snapshot = 0 and start with --init, so that the blocks are fetched "
                       "from genesis on",
                       (unsigned)joiner->epoch);
    }
    return sy_fail(joiner->err, SY_ERR_CRYPTO,
                   "every peer sent a state that its certificate does not cover; is this the "
                   "network's genesis file?");
}

/* What speaks for a height. */
struct choice {
    uint64_t height;
    unsigned holders;
    uint32_t let_downs; /* of the best of the holders */
};

static struct choice weigh(const struct joiner *joiner, uint64_t height)
{
    struct choice choice = {.height = height, .let_downs = UINT32_MAX};
    for (uint16_t i = 0; i < joiner->config->roster->count; i++) {
        if (joiner->offers[i] != height) continue;
        choice.holders++;
        if (joiner->let_downs[i] < choice.let_downs) choice.let_downs = joiner->let_downs[i];
    }
    return choice;
}

/* One peer alone can hold any true state, and then keep it to itself. So what more of them hold
 * comes first; then, what somebody offers who has not let this validator down. */
static bool is_better(const struct choice *one, const struct choice *other)
{
    if (one->holders != other->holders) return one->holders > other->holders;
    if (one->let_downs != other->let_downs) return one->let_downs < other->let_downs;
    return one->height > other->height;
}

/* The best of what is offered; 0: nothing is. */
static uint64_t choose(const struct joiner *joiner)
{
    struct choice best = {.height = 0};
    uint16_t count = joiner->config->roster->count;
    uint64_t newest = 0;
    for (uint16_t i = 0; i < count; i++) {
        if (joiner->offers[i] > newest) newest = joiner->offers[i];
    }
    for (uint16_t i = 0; i < count; i++) {
        if (joiner->offers[i] == 0 || newest - joiner->offers[i] > OLD_BLOCKS) continue;
        struct choice choice = weigh(joiner, joiner->offers[i]);
        if (is_better(&choice, &best)) best = choice;
    }
    return best.height;
}

/* Asks everybody which state it holds. */
static sy_status choose_height(struct joiner *joiner)
{
    static const struct sy_hash first;
    joiner->height = 0;
    memset(joiner->offers, 0, sizeof joiner->offers);
    for (uint16_t peer = 0; peer < joiner->config->roster->count; peer++) {
        bool given = false;
        SY_TRY(may_go_on(joiner));
        if (is_asked(joiner, peer)) SY_TRY(try_peer(joiner, &given, peer, &first, note_offer));
    }
    joiner->height = choose(joiner);
    if (joiner->height == 0) (void)poll(NULL, 0, PAUSE_MS);
    return SY_OK;
}

/* Nobody has the next chunk any more, or never had it. */
static void give_up_height(struct joiner *joiner)
{
    for (uint16_t i = 0; i < joiner->config->roster->count; i++) {
        joiner->let_downs[i] += joiner->offers[i] == joiner->height;
    }
    joiner->height = 0;
}

/* Asks peer after peer until one has the next chunk; if none has, another height must be found. */
static sy_status fetch_chunk(struct joiner *joiner)
{
    struct sy_install install;
    uint16_t count = joiner->config->roster->count;
    sy_install_get(joiner->config->store, &install);
    bool same = install.active && !install.whole && install.height == joiner->height;
    struct sy_hash key = same ? install.next : (struct sy_hash){{0}};
    for (uint16_t i = 0; i < count; i++) {
        bool given = false;
        uint16_t peer = joiner->turn;
        joiner->turn = (uint16_t)((peer + 1) % count);
        SY_TRY(may_go_on(joiner));
        if (!is_asked(joiner, peer)) continue;
        SY_TRY(try_peer(joiner, &given, peer, &key, take_chunk));
        if (given) return SY_OK;
    }
    give_up_height(joiner);
    return SY_OK;
}

sy_status sy_joiner_run(struct sy_joined *joined, const struct sy_joiner_config *config,
                        struct sy_error *err)
{
    struct sy_install install;
    memset(joined, 0, sizeof *joined);
    struct joiner *joiner = (struct joiner *)calloc(1, sizeof *joiner);
    if (joiner == NULL) return sy_fail(err, SY_ERR_NO_MEMORY, "joining: no memory");
    joiner->config = config;
    joiner->joined = joined;
    joiner->err = err;
    sy_install_get(config->store, &install);
    joiner->height = install.active ? install.height : 0;
    sy_status status = SY_OK;
    while (status == SY_OK && !joiner->done) {
        status = joiner->height == 0 ? choose_height(joiner) : fetch_chunk(joiner);
    }
    free(joiner);
    return status;
}
