#include "consensus/node/fetcher.h"

#include <stdlib.h>

#include "core/base/assert.h"
#include "core/base/telemetry.h"
#include "core/crypto/hash.h"
#include "core/ledger/snapshot.h"
#include "core/wire/delta.h"
#include "core/wire/sync.h"

#define QUESTION_BYTES 64u
#define NOBODY UINT16_MAX

/* A state so much older than another may lack the history that leads on from it. */
#define OLD_BLOCKS (3u * SY_SNAPSHOT_BLOCKS)

/* How many of its turns are passed over, at most, for one that did not answer: twice as many each
 * time, so that one that is dead does not cost a wait at every other chunk. */
#define RESTS_SHIFT_MAX 6u

struct peer {
    bool self;
    bool liar;
    bool helpless;        /* it cannot prove the epoch that it shows, */
    uint32_t epoch;       /* which is this one; 0: it has shown none */
    uint64_t offer;       /* the height whose state it holds; 0: none */
    uint32_t let_downs;   /* how often what it offered could not be fetched */
    uint32_t misses;      /* chunks that it was asked for and did not answer, since it last did; */
    uint32_t rests;       /* so many turns are passed over */
    bool proved;          /* it has shown a header that is certified, */
    struct sy_hash shown; /* which, with its certificate, is this */
};

struct sy_fetcher {
    struct sy_fetcher_config config;
    struct sy_joined joined;
    sy_epochs *epochs;
    struct sy_roster roster; /* whose validators are asked; the epochs may know a newer one */
    struct peer peers[SY_VALIDATORS_MAX];
    uint64_t height; /* that is fetched; 0: none is chosen yet */
    uint16_t turn;   /* who is asked next */
    uint16_t asked;  /* how many were, of this round */
    uint16_t guide;  /* who is to show how the newest known epoch ended, or NOBODY */
    bool done;
    uint16_t peer; /* who is being asked, or NOBODY; and what for: */
    bool handovers;
    struct sy_hash key; /* a chunk */
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
    for (uint16_t i = 0; i < fetcher->roster.count; i++) fetcher->peers[i].offer = 0;
}

static bool is_own(const sy_fetcher *fetcher, uint16_t index)
{
    return sy_public_key_equal(&fetcher->roster.validators[index].link_key, fetcher->config.own);
}

sy_fetcher *sy_fetcher_open(const struct sy_fetcher_config *config)
{
    sy_fetcher *fetcher = (sy_fetcher *)calloc(1, sizeof *fetcher);
    struct sy_install install;
    struct sy_error err;
    if (fetcher == NULL) return NULL;
    fetcher->config = *config;
    if (sy_epochs_open_by(&fetcher->epochs, config->genesis, &config->verifier, &err) != SY_OK) {
        free(fetcher);
        return NULL;
    }
    fetcher->roster = *sy_epochs_newest(fetcher->epochs);
    for (uint16_t i = 0; i < fetcher->roster.count; i++) {
        fetcher->peers[i].self = is_own(fetcher, i);
    }
    fetcher->peer = fetcher->guide = NOBODY;
    sy_install_get(config->store, &install);
    begin_round(fetcher, install.active ? install.height : 0);
    return fetcher;
}

void sy_fetcher_close(sy_fetcher *fetcher)
{
    if (fetcher == NULL) return;
    sy_epochs_close(fetcher->epochs);
    free(fetcher);
}

void sy_fetcher_get_joined(const sy_fetcher *fetcher, struct sy_joined *joined)
{
    *joined = fetcher->joined;
}

const struct sy_roster *sy_fetcher_roster(const sy_fetcher *fetcher)
{
    return &fetcher->roster;
}

/* ---- peers --------------------------------------------------------------------------------- */

static uint32_t known_epoch(const sy_fetcher *fetcher)
{
    return sy_epochs_newest(fetcher->epochs)->epoch;
}

/* It has shown a state that cannot be checked yet. */
static bool is_ahead(const sy_fetcher *fetcher, const struct peer *peer)
{
    return peer->epoch > known_epoch(fetcher);
}

static bool is_asked(const sy_fetcher *fetcher, uint16_t index)
{
    const struct peer *peer = &fetcher->peers[index];
    return !peer->self && !peer->liar && !is_ahead(fetcher, peer);
}

/* Whoever is ahead is still good for something, unless it has nothing that proves it. */
static bool is_of_use(const sy_fetcher *fetcher, uint16_t index)
{
    const struct peer *peer = &fetcher->peers[index];
    if (peer->self || peer->liar) return false;
    return !is_ahead(fetcher, peer) || !peer->helpless;
}

static sy_status may_go_on(const sy_fetcher *fetcher, struct sy_error *err)
{
    uint32_t ahead = 0;
    for (uint16_t i = 0; i < fetcher->roster.count; i++) {
        const struct peer *peer = &fetcher->peers[i];
        if (is_of_use(fetcher, i)) return SY_OK;
        if (!peer->self && !peer->liar && peer->epoch > ahead) ahead = peer->epoch;
    }
    if (ahead > 0) {
        return sy_fail(err, SY_ERR_VERSION,
                       "the network is in epoch %u by now, and no validator that can be reached "
                       "keeps what proves how epoch %u ended: start one that has all history, or "
                       "remove the store, set join_by_snapshot = 0 and start with --init, so that "
                       "the blocks are fetched from genesis on",
                       (unsigned)ahead, (unsigned)known_epoch(fetcher));
    }
    return sy_fail(err, SY_ERR_CRYPTO,
                   "every peer sent a state that its certificate does not cover; is this the "
                   "network's genesis file?");
}

/* The peers of the newest roster; what was known of one that stays is known of it there. */
static void relink(sy_fetcher *fetcher)
{
    struct sy_roster before = fetcher->roster;
    struct peer known[SY_VALIDATORS_MAX];
    memcpy(known, fetcher->peers, sizeof known);
    memset(fetcher->peers, 0, sizeof fetcher->peers);
    fetcher->roster = *sy_epochs_newest(fetcher->epochs);
    for (uint16_t i = 0; i < fetcher->roster.count; i++) {
        const struct sy_public_key *key = &fetcher->roster.validators[i].link_key;
        for (uint16_t j = 0; j < before.count; j++) {
            if (sy_public_key_equal(key, &before.validators[j].link_key)) {
                fetcher->peers[i] = known[j];
            }
        }
        fetcher->peers[i].self = is_own(fetcher, i);
        fetcher->peers[i].offer = 0;
    }
    fetcher->turn = 0;
    begin_round(fetcher, fetcher->height);
}

/* ---- asking -------------------------------------------------------------------------------- */

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
    if (fetcher->handovers) {
        fetch.type = SY_SYNC_HANDOVER_FETCH;
        fetch.epoch = known_epoch(fetcher);
    }
    sy_sync_encode(&w, &fetch);
    SY_ASSERT(!w.failed);
    return sy_writer_slice(&w);
}

/* The last question got no answer. */
static void note_silence(sy_fetcher *fetcher)
{
    struct peer *peer = &fetcher->peers[fetcher->peer];
    if (fetcher->height == 0) return;
    if (peer->misses < RESTS_SHIFT_MAX) peer->misses++;
    peer->rests = UINT32_C(1) << peer->misses;
}

/* It is passed over, while there are others that answer. */
static bool rests(sy_fetcher *fetcher, uint16_t index)
{
    struct peer *peer = &fetcher->peers[index];
    bool others = false;
    if (fetcher->height == 0 || peer->rests == 0) return false;
    for (uint16_t i = 0; i < fetcher->roster.count && !others; i++) {
        others = is_asked(fetcher, i) && fetcher->peers[i].rests == 0;
    }
    if (others) peer->rests--;
    return others;
}

/* The next peer of this round, or NOBODY: all have been asked. */
static uint16_t next_peer(sy_fetcher *fetcher)
{
    uint16_t count = fetcher->roster.count;
    while (fetcher->asked < count) {
        uint16_t peer = fetcher->turn;
        fetcher->turn = peer + 1 < count ? (uint16_t)(peer + 1) : 0;
        fetcher->asked++;
        if (is_asked(fetcher, peer) && !rests(fetcher, peer)) return peer;
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
    for (uint16_t i = 0; i < fetcher->roster.count; i++) {
        const struct peer *peer = &fetcher->peers[i];
        if (peer->offer != height) continue;
        choice.holders++;
        if (peer->let_downs < choice.let_downs) choice.let_downs = peer->let_downs;
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
    uint16_t count = fetcher->roster.count;
    uint64_t newest = 0;
    for (uint16_t i = 0; i < count; i++) {
        if (fetcher->peers[i].offer > newest) newest = fetcher->peers[i].offer;
    }
    for (uint16_t i = 0; i < count; i++) {
        uint64_t offer = fetcher->peers[i].offer;
        if (offer == 0 || newest - offer > OLD_BLOCKS) continue;
        struct choice choice = weigh(fetcher, offer);
        if (is_better(&choice, &best)) best = choice;
    }
    return best.height;
}

/* Everybody has said what it holds; or nobody has the next chunk any more, or never had it. Who was
 * ahead and did not answer gets another chance. */
static void end_round(sy_fetcher *fetcher)
{
    uint64_t height = fetcher->height == 0 ? choose(fetcher) : 0;
    for (uint16_t i = 0; i < fetcher->roster.count; i++) {
        struct peer *peer = &fetcher->peers[i];
        peer->let_downs += fetcher->height != 0 && peer->offer == fetcher->height;
        if (height == 0 && !peer->helpless) peer->epoch = 0;
    }
    begin_round(fetcher, height);
}

/* Whom to ask for a chunk; NOBODY: pause. */
static uint16_t choose_peer(sy_fetcher *fetcher)
{
    uint16_t peer = next_peer(fetcher);
    if (peer != NOBODY) return peer;
    end_round(fetcher);
    return fetcher->height == 0 ? NOBODY : next_peer(fetcher);
}

sy_status sy_fetcher_next(sy_fetcher *fetcher, enum sy_fetcher_step *step, uint16_t *peer,
                          struct sy_slice *question, struct sy_error *err)
{
    *step = fetcher->done ? SY_FETCHER_DONE : SY_FETCHER_ASK;
    if (fetcher->done) return SY_OK;
    SY_TRY(may_go_on(fetcher, err));
    if (fetcher->peer != NOBODY) note_silence(fetcher);
    fetcher->handovers = fetcher->guide != NOBODY;
    if (!fetcher->handovers && known_epoch(fetcher) > fetcher->roster.epoch) {
        relink(fetcher);
        fetcher->peer = NOBODY;
        *step = SY_FETCHER_RELINK;
        return SY_OK;
    }
    fetcher->peer = fetcher->handovers ? fetcher->guide : choose_peer(fetcher);
    fetcher->guide = NOBODY; // until it answers: once is enough in a round
    if (fetcher->peer == NOBODY) *step = SY_FETCHER_PAUSE;
    if (fetcher->peer == NOBODY) return SY_OK;
    choose_key(fetcher);
    *peer = fetcher->peer;
    *question = write_question(fetcher);
    return SY_OK;
}

bool sy_fetcher_awaits(const sy_fetcher *fetcher, uint16_t peer, struct sy_slice frame)
{
    if (peer != fetcher->peer || peer == NOBODY || !sy_sync_is(frame)) return false;
    uint8_t type = frame.data[0];
    if (fetcher->handovers) return type == SY_SYNC_HANDOVERS;
    return type == SY_SYNC_SNAPSHOT || type == SY_SYNC_SNAPSHOT_NONE;
}

/* ---- judging ------------------------------------------------------------------------------- */

static const char *name_of(const sy_fetcher *fetcher, uint16_t peer)
{
    return fetcher->roster.validators[peer].name;
}

static void refuse(sy_fetcher *fetcher, uint16_t peer, const char *what)
{
    fetcher->peers[peer].liar = true;
    fetcher->joined.liars++;
    SY_LOG(SY_LOG_WARN, "node", "snapshot_refused", SY_F_TEXT("peer", name_of(fetcher, peer)),
           SY_F_TEXT("what", what));
}

/* A state of an epoch whose roster is not known here: it may be true, or not. */
static void note_later(sy_fetcher *fetcher, uint16_t peer)
{
    fetcher->peers[peer].epoch = fetcher->message.header.epoch;
    fetcher->peers[peer].helpless = false;
    fetcher->guide = peer;
    SY_LOG(SY_LOG_INFO, "node", "snapshot_of_later_epoch",
           SY_F_TEXT("peer", name_of(fetcher, peer)),
           SY_F_U64("epoch", fetcher->message.header.epoch),
           SY_F_U64("known_epoch", known_epoch(fetcher)));
}

static bool holds_key(const struct sy_chunk *chunk, const struct sy_hash *key)
{
    struct sy_hash behind;
    if (sy_hash_compare(key, &chunk->prefix) < 0) return false;
    return !sy_chunk_next(&behind, chunk) || sy_hash_compare(key, &behind) < 0;
}

/* Every chunk brings header and certificate; a peer's are the same from chunk to chunk. */
static bool is_certified(sy_fetcher *fetcher, struct peer *peer)
{
    const struct sy_sync_message *message = &fetcher->message;
    uint8_t bytes[sizeof fetcher->header + sizeof fetcher->certificate];
    struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
    struct sy_hash shown;
    sy_header_encode(&w, &message->header);
    sy_certificate_encode(&w, &message->certificate);
    SY_ASSERT(!w.failed);
    sy_sha256(&shown, bytes, w.used);
    if (peer->proved && sy_hash_equal(&peer->shown, &shown)) return true;
    if (!sy_epochs_certified(fetcher->epochs, &message->header, &message->certificate)) {
        return false;
    }
    peer->proved = true;
    peer->shown = shown;
    return true;
}

/* Whether it is part of a state that this network had. */
static bool is_true(sy_fetcher *fetcher, struct peer *peer, const char **what)
{
    const struct sy_sync_message *message = &fetcher->message;
    *what = "its certificate does not hold";
    if (!is_certified(fetcher, peer)) return false;
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

/* ---- taking handovers ---------------------------------------------------------------------- */

/* *what: why one of them proves nothing, or NULL. */
static sy_status follow(sy_fetcher *fetcher, const char **what, struct sy_error *err)
{
    struct sy_reader r = sy_reader_of(fetcher->message.handovers);
    *what = NULL;
    for (uint16_t i = 0; i < fetcher->message.count; i++) {
        struct sy_slice handover;
        bool decodes = sy_handovers_decode(&r, &handover, 1);
        SY_ASSERT(decodes); // sync.c has read them
        sy_status status = sy_epochs_take(fetcher->epochs, handover, err);
        bool lie = status == SY_ERR_CRYPTO || status == SY_ERR_FORMAT;
        if (lie) *what = "a handover that it sent proves nothing";
        if (status != SY_OK) return lie ? SY_OK : status;
        // What was certified by an epoch's roster may lie behind the end of that epoch.
        for (uint16_t p = 0; p < SY_VALIDATORS_MAX; p++) fetcher->peers[p].proved = false;
    }
    return SY_OK;
}

static sy_status take_handovers(sy_fetcher *fetcher, bool *late, struct sy_error *err)
{
    const char *what;
    uint16_t peer = fetcher->peer;
    uint32_t epoch = known_epoch(fetcher);
    *late = fetcher->message.epoch != epoch;
    if (*late) return SY_OK;
    fetcher->peer = NOBODY;
    SY_TRY(follow(fetcher, &what, err));
    fetcher->joined.epoch = known_epoch(fetcher);
    if (what != NULL) {
        refuse(fetcher, peer, what);
    } else if (known_epoch(fetcher) == epoch) {
        fetcher->peers[peer].helpless = true;
        SY_LOG(SY_LOG_WARN, "node", "handovers_missing", SY_F_TEXT("peer", name_of(fetcher, peer)),
               SY_F_U64("known_epoch", epoch), SY_F_U64("epoch", fetcher->peers[peer].epoch));
    } else if (is_ahead(fetcher, &fetcher->peers[peer])) {
        fetcher->guide = peer; // there are more than one answer holds
    }
    return SY_OK;
}

/* ---- taking a state ------------------------------------------------------------------------ */

/* How the epochs before the state's ended: whoever begins with the state keeps that, so that it can
 * show the way from the genesis, too. Returns how many. */
static size_t collect_ends(const sy_fetcher *fetcher, struct sy_header_write *ends)
{
    struct sy_slice all = sy_epochs_handovers(fetcher->epochs, known_epoch(fetcher));
    struct sy_reader r = sy_reader_of(all);
    struct sy_handover handover;
    size_t count = 0;
    while (count < known_epoch(fetcher)) {
        size_t start = r.used;
        bool decodes = sy_handover_decode(&r, &handover, SY_ROSTER_UNKNOWN);
        SY_ASSERT(decodes);
        if (handover.header.height >= fetcher->message.header.height) break;
        const uint8_t *header = all.data + start + 2 + 2 + handover.change.size;
        const uint8_t *certificate = header + SY_HEADER_BYTES;
        ends[count++] = (struct sy_header_write){
            handover.header.height, sy_slice_of(header, SY_HEADER_BYTES),
            sy_slice_of(certificate, (size_t)(all.data + r.used - certificate))};
    }
    return count;
}

static sy_status finish(sy_fetcher *fetcher, struct sy_error *err)
{
    struct sy_writer header = sy_writer_of(fetcher->header, sizeof fetcher->header);
    struct sy_writer seals = sy_writer_of(fetcher->certificate, sizeof fetcher->certificate);
    sy_header_encode(&header, &fetcher->message.header);
    sy_certificate_encode(&seals, &fetcher->message.certificate);
    SY_ASSERT(!header.failed && !seals.failed);
    struct sy_header_write *ends =
        (struct sy_header_write *)calloc(known_epoch(fetcher) + 1u, sizeof *ends);
    if (ends == NULL) return sy_fail(err, SY_ERR_NO_MEMORY, "joining: no memory");
    size_t count = collect_ends(fetcher, ends);
    fetcher->joined.height = fetcher->message.header.height;
    fetcher->done = true;
    sy_status status = sy_install_finish(fetcher->config.store, sy_writer_slice(&header),
                                         sy_writer_slice(&seals), ends, count, err);
    free(ends);
    return status;
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
static sy_status install_chunk(sy_fetcher *fetcher, struct sy_error *err)
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

static sy_status take_chunk(sy_fetcher *fetcher, bool *late, size_t bytes, struct sy_error *err)
{
    const struct sy_sync_message *message = &fetcher->message;
    const char *what;
    uint16_t peer = fetcher->peer;
    bool ahead = message->header.epoch > known_epoch(fetcher);
    *late = !ahead && !is_what_was_asked(fetcher);
    if (*late) return SY_OK;
    fetcher->peer = NOBODY;
    fetcher->peers[peer].misses = fetcher->peers[peer].rests = 0;
    if (ahead) {
        note_later(fetcher, peer);
        return SY_OK;
    }
    if (!is_true(fetcher, &fetcher->peers[peer], &what)) {
        refuse(fetcher, peer, what);
        return SY_OK;
    }
    fetcher->joined.bytes += bytes;
    if (fetcher->height == 0) {
        fetcher->peers[peer].offer = message->header.height; // the chunk is asked for again
        return SY_OK;
    }
    fetcher->asked = 0;
    return install_chunk(fetcher, err); // the entries lie in the frame
}

sy_status sy_fetcher_answer(sy_fetcher *fetcher, bool *late, struct sy_slice frame,
                            struct sy_error *err)
{
    uint16_t peer = fetcher->peer;
    SY_ASSERT(peer != NOBODY && !fetcher->done);
    *late = false;
    if (!sy_sync_decode(&fetcher->message, frame, SY_ROSTER_UNKNOWN)) {
        fetcher->peer = NOBODY;
        refuse(fetcher, peer, "it is malformed");
        return SY_OK;
    }
    switch (fetcher->message.type) {
    case SY_SYNC_SNAPSHOT: return take_chunk(fetcher, late, frame.size, err);
    case SY_SYNC_HANDOVERS: return take_handovers(fetcher, late, err);
    default: fetcher->peer = NOBODY; return SY_OK; // it holds nothing
    }
}
