#include "consensus/node/fetcher.h"

#include <stdlib.h>

#include "core/base/assert.h"
#include "core/base/telemetry.h"
#include "core/ledger/snapshot.h"
#include "core/wire/delta.h"
#include "core/wire/sync.h"

#define QUESTION_BYTES 64u
#define NOBODY UINT16_MAX

/* A state so much older than another may lack the history that leads on from it. */
#define OLD_BLOCKS (3u * SY_SNAPSHOT_BLOCKS)

struct sy_fetcher {
    struct sy_fetcher_config config;
    struct sy_joined joined;
    bool liar[SY_VALIDATORS_MAX];
    bool later[SY_VALIDATORS_MAX];         /* it holds a state of a later epoch */
    uint32_t epoch;                        /* the last one that was seen so */
    uint64_t offers[SY_VALIDATORS_MAX];    /* the height whose state each holds; 0: none */
    uint32_t let_downs[SY_VALIDATORS_MAX]; /* how often what each offered could not be fetched */
    uint64_t height;                       /* that is fetched; 0: none is chosen yet */
    uint16_t turn;                         /* who is asked next */
    uint16_t asked;                        /* how many were, of this round */
    bool done;
    uint16_t peer; /* who is being asked, or NOBODY, and for which chunk */
    struct sy_hash key;
    uint8_t question[QUESTION_BYTES];
    struct sy_sync_message message;
    uint8_t header[SY_HEADER_BYTES];
    uint8_t certificate[2 + SY_VALIDATORS_MAX * SY_SEAL_BYTES];
};

static void begin_round(sy_fetcher *fetcher, uint64_t height)
{
    fetcher->height = height;
    fetcher->asked = 0;
    if (height != 0) return;
    fetcher->turn = 0;
    memset(fetcher->offers, 0, sizeof fetcher->offers);
}

sy_fetcher *sy_fetcher_open(const struct sy_fetcher_config *config)
{
    sy_fetcher *fetcher = (sy_fetcher *)calloc(1, sizeof *fetcher);
    struct sy_install install;
    if (fetcher == NULL) return NULL;
    fetcher->config = *config;
    fetcher->peer = NOBODY;
    sy_install_get(config->store, &install);
    begin_round(fetcher, install.active ? install.height : 0);
    return fetcher;
}

void sy_fetcher_close(sy_fetcher *fetcher)
{
    free(fetcher);
}

void sy_fetcher_get_joined(const sy_fetcher *fetcher, struct sy_joined *joined)
{
    *joined = fetcher->joined;
}

/* ---- asking -------------------------------------------------------------------------------- */

static bool is_asked(const sy_fetcher *fetcher, uint16_t peer)
{
    return peer != fetcher->config.self && !fetcher->liar[peer] && !fetcher->later[peer];
}

static sy_status may_go_on(const sy_fetcher *fetcher, struct sy_error *err)
{
    bool later = false;
    for (uint16_t i = 0; i < fetcher->config.roster->count; i++) {
        if (is_asked(fetcher, i)) return SY_OK;
        later |= fetcher->later[i];
    }
    if (later) {
        return sy_fail(err, SY_ERR_VERSION,
                       "the network is in epoch %u by now, and a state of another roster than the "
                       "genesis's cannot be joined by snapshot: remove the store, set "
                       "join_by_snapshot = 0 and start with --init, so that the blocks are fetched "
                       "from genesis on",
                       (unsigned)fetcher->epoch);
    }
    return sy_fail(err, SY_ERR_CRYPTO,
                   "every peer sent a state that its certificate does not cover; is this the "
                   "network's genesis file?");
}

/* The first key that is not there yet; of a state that is not being fetched yet, the first. */
static void choose_key(sy_fetcher *fetcher)
{
    struct sy_install install;
    sy_install_get(fetcher->config.store, &install);
    bool same = install.active && !install.whole && install.height == fetcher->height;
    fetcher->key = fetcher->height != 0 && same ? install.next : (struct sy_hash){{0}};
}

static struct sy_slice write_question(sy_fetcher *fetcher)
{
    struct sy_writer w = sy_writer_of(fetcher->question, sizeof fetcher->question);
    struct sy_sync_message fetch = {
        .type = SY_SYNC_SNAPSHOT_FETCH, .height = fetcher->height, .key = fetcher->key};
    sy_sync_encode(&w, &fetch);
    SY_ASSERT(!w.failed);
    return sy_writer_slice(&w);
}

/* The next peer of this round, or NOBODY: all have been asked. */
static uint16_t next_peer(sy_fetcher *fetcher)
{
    uint16_t count = fetcher->config.roster->count;
    while (fetcher->asked < count) {
        uint16_t peer = fetcher->turn;
        fetcher->turn = (uint16_t)((peer + 1) % count);
        fetcher->asked++;
        if (is_asked(fetcher, peer)) return peer;
    }
    return NOBODY;
}

/* ---- choosing ------------------------------------------------------------------------------ */

/* What speaks for a height. */
struct choice {
    uint64_t height;
    unsigned holders;
    uint32_t let_downs; /* of the best of the holders */
};

static struct choice weigh(const sy_fetcher *fetcher, uint64_t height)
{
    struct choice choice = {.height = height, .let_downs = UINT32_MAX};
    for (uint16_t i = 0; i < fetcher->config.roster->count; i++) {
        if (fetcher->offers[i] != height) continue;
        choice.holders++;
        if (fetcher->let_downs[i] < choice.let_downs) choice.let_downs = fetcher->let_downs[i];
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
static uint64_t choose(const sy_fetcher *fetcher)
{
    struct choice best = {.height = 0};
    uint16_t count = fetcher->config.roster->count;
    uint64_t newest = 0;
    for (uint16_t i = 0; i < count; i++) {
        if (fetcher->offers[i] > newest) newest = fetcher->offers[i];
    }
    for (uint16_t i = 0; i < count; i++) {
        if (fetcher->offers[i] == 0 || newest - fetcher->offers[i] > OLD_BLOCKS) continue;
        struct choice choice = weigh(fetcher, fetcher->offers[i]);
        if (is_better(&choice, &best)) best = choice;
    }
    return best.height;
}

/* Everybody has said what it holds; or nobody has the next chunk any more, or never had it. */
static void end_round(sy_fetcher *fetcher)
{
    if (fetcher->height == 0) {
        uint64_t height = choose(fetcher);
        begin_round(fetcher, height);
        return;
    }
    for (uint16_t i = 0; i < fetcher->config.roster->count; i++) {
        fetcher->let_downs[i] += fetcher->offers[i] == fetcher->height;
    }
    begin_round(fetcher, 0);
}

sy_status sy_fetcher_next(sy_fetcher *fetcher, enum sy_fetcher_step *step, uint16_t *peer,
                          struct sy_slice *question, struct sy_error *err)
{
    *step = fetcher->done ? SY_FETCHER_DONE : SY_FETCHER_ASK;
    if (fetcher->done) return SY_OK;
    SY_TRY(may_go_on(fetcher, err));
    fetcher->peer = next_peer(fetcher);
    if (fetcher->peer == NOBODY) {
        end_round(fetcher);
        *step = fetcher->height == 0 ? SY_FETCHER_PAUSE : SY_FETCHER_ASK;
        if (*step == SY_FETCHER_PAUSE) return SY_OK;
        fetcher->peer = next_peer(fetcher);
        SY_ASSERT(fetcher->peer != NOBODY);
    }
    choose_key(fetcher);
    *peer = fetcher->peer;
    *question = write_question(fetcher);
    return SY_OK;
}

bool sy_fetcher_awaits(const sy_fetcher *fetcher, uint16_t peer, struct sy_slice frame)
{
    return peer == fetcher->peer && sy_sync_is(frame) &&
           (frame.data[0] == SY_SYNC_SNAPSHOT || frame.data[0] == SY_SYNC_SNAPSHOT_NONE);
}

/* ---- judging ------------------------------------------------------------------------------- */

static void refuse(sy_fetcher *fetcher, uint16_t peer, const char *what)
{
    fetcher->liar[peer] = true;
    fetcher->joined.liars++;
    SY_LOG(SY_LOG_WARN, "node", "snapshot_refused",
           SY_F_TEXT("peer", fetcher->config.roster->validators[peer].name),
           SY_F_TEXT("what", what));
}

/* Its seals say nothing to who does not know that epoch's roster: it may be true, or not. */
static void note_later(sy_fetcher *fetcher, uint16_t peer)
{
    fetcher->later[peer] = true;
    fetcher->epoch = fetcher->message.header.epoch;
    SY_LOG(SY_LOG_WARN, "node", "snapshot_of_later_epoch",
           SY_F_TEXT("peer", fetcher->config.roster->validators[peer].name),
           SY_F_U64("epoch", fetcher->epoch));
}

static bool holds_key(const struct sy_chunk *chunk, const struct sy_hash *key)
{
    struct sy_hash behind;
    if (sy_hash_compare(key, &chunk->prefix) < 0) return false;
    return !sy_chunk_next(&behind, chunk) || sy_hash_compare(key, &behind) < 0;
}

/* Whether it is part of a state that this network had. */
static bool is_true(const sy_fetcher *fetcher, const char **what)
{
    const struct sy_fetcher_config *config = &fetcher->config;
    const struct sy_sync_message *message = &fetcher->message;
    *what = "its certificate does not hold";
    if (!sy_certificate_verify_by(&config->verifier, &message->certificate, config->roster,
                                  &config->genesis->hash, &message->header)) {
        return false;
    }
    return sy_chunk_verify(&message->chunk, &message->header.state_root, what);
}

/* A slow peer's answer may come when it is asked something else: what was not asked for is not
 * looked at any closer. */
static bool is_what_was_asked(const sy_fetcher *fetcher)
{
    const struct sy_sync_message *message = &fetcher->message;
    bool right_height = fetcher->height == 0 || message->header.height == fetcher->height;
    return right_height && holds_key(&message->chunk, &fetcher->key);
}

/* ---- taking -------------------------------------------------------------------------------- */

static sy_status finish(sy_fetcher *fetcher, struct sy_error *err)
{
    struct sy_writer header = sy_writer_of(fetcher->header, sizeof fetcher->header);
    struct sy_writer seals = sy_writer_of(fetcher->certificate, sizeof fetcher->certificate);
    sy_header_encode(&header, &fetcher->message.header);
    sy_certificate_encode(&seals, &fetcher->message.certificate);
    SY_ASSERT(!header.failed && !seals.failed);
    fetcher->joined.height = fetcher->message.header.height;
    fetcher->done = true;
    return sy_install_finish(fetcher->config.store, sy_writer_slice(&header),
                             sy_writer_slice(&seals), err);
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

/* Installs the chunk of fetcher->message, which holds; with the last one the store begins. */
static sy_status take_chunk(sy_fetcher *fetcher, struct sy_error *err)
{
    const struct sy_sync_message *message = &fetcher->message;
    struct sy_install install;
    struct sy_hash behind;
    sy_store *store = fetcher->config.store;
    SY_TRY(sy_install_begin(store, &install, message->header.height, &message->header.state_root,
                            err));
    if (install.whole)
        return finish(fetcher, err); // a crash came between the last chunk and the end
    // What was asked for belongs to a state that is being fetched no more.
    if (!holds_key(&message->chunk, &install.next)) return SY_OK;
    // Not everybody cuts alike: the chunk before may have been a part of this one.
    struct sy_slice entries = entries_from(message->chunk.entries, &install.next);
    bool more = sy_chunk_next(&behind, &message->chunk);
    SY_TRY(sy_install_put(store, entries, more ? &behind : NULL, err));
    fetcher->joined.chunks++;
    return more ? SY_OK : finish(fetcher, err);
}

sy_status sy_fetcher_answer(sy_fetcher *fetcher, bool *late, struct sy_slice frame,
                            struct sy_error *err)
{
    const char *what = "it is malformed";
    const struct sy_sync_message *message = &fetcher->message;
    uint16_t peer = fetcher->peer;
    SY_ASSERT(peer != NOBODY && !fetcher->done);
    bool read = sy_sync_decode(&fetcher->message, frame, SY_ROSTER_UNKNOWN);
    bool chunk = read && message->type == SY_SYNC_SNAPSHOT;
    bool later = chunk && message->header.epoch > fetcher->config.roster->epoch;
    *late = chunk && !later && !is_what_was_asked(fetcher);
    if (*late) return SY_OK;
    fetcher->peer = NOBODY;
    if (later) {
        note_later(fetcher, peer);
        return SY_OK;
    }
    if (!read || (chunk && !is_true(fetcher, &what))) {
        refuse(fetcher, peer, what);
        return SY_OK;
    }
    if (!chunk) return SY_OK;
    fetcher->joined.bytes += frame.size;
    if (fetcher->height == 0) {
        fetcher->offers[peer] = message->header.height; // the chunk itself is asked for again
        return SY_OK;
    }
    fetcher->asked = 0;
    return take_chunk(fetcher, err); // the entries lie in the frame
}
