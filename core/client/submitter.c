#include "core/client/submitter.h"

#include <poll.h>
#include <stdlib.h>

#include "core/base/arena.h"
#include "core/base/assert.h"
#include "core/base/os.h"
#include "core/base/table.h"
#include "core/base/telemetry.h"
#include "core/client/client.h"
#include "core/client/resend.h"
#include "core/wire/state.h"

#define FLYING_MAX (2u * SY_IMPORT_WINDOW_MAX)
#define OUTGOING_LOW 1024u /* ask the importer for more below this */
#define GROUP_TXS 256u
#define GROUP_BYTES (512u << 10)
#define SUBMITS_A_CLIENT 4u
#define WAITS_A_CLIENT 16u
#define SUBMIT_MS 10000
#define WAIT_MS 2000u
#define TURN_MS 10
#define FILL_NS 50000000ull /* the importer reads for so long before the validators get a turn */
#define PROGRESS_NS 250000000ull
#define READ_MS 10000
#define REST_NS                                                                       \
    1000000000ull /* a validator that is stopping may come back, as at an epoch's end \
                   */

/* How many transactions are under way follows from how long they take: more than the validators
 * have work for only makes everybody wait, and waiting looks like loss. */
#define FLYING_FIRST 1024u
#define FLYING_LEAST 256u
#define PACE_NS 200000000ull
#define BRISK_US 600000u
#define SLOW_US 1200000u

/* A transaction between the importer's SEND and its end. */
struct flight {
    bool used;
    struct sy_awaited awaited;
    struct sy_slice tx; /* the importer's, until it is told the end */
    uint64_t first_ns;  /* first send; 0: not yet */
    uint64_t sent_ns;   /* last send */
    unsigned sends;
    uint64_t not_before_ns;
    uint64_t refused_by[(SY_VALIDATORS_MAX + 63) / 64]; /* a bit a validator */
    uint32_t next;                                      /* in whichever list it stands */
};

#define NONE UINT32_MAX

struct list {
    uint32_t head;
    uint32_t tail;
    uint32_t count;
};

/* A request on its way, and whom it is about. */
struct group {
    bool used;
    bool is_wait;
    uint64_t request;
    uint16_t count;
    uint32_t flights[GROUP_TXS];
};

#define GROUPS_A_CLIENT (SUBMITS_A_CLIENT + WAITS_A_CLIENT)

struct peer {
    sy_client *client; /* NULL: does not answer */
    bool sick;         /* lied: not used any more */
    uint64_t rest_ns;  /* it is stopping, or keeps things back: not used before */
    unsigned kept;     /* how often it kept something back */
    unsigned submits;
    unsigned waits;
    struct list watched;
    struct group groups[GROUPS_A_CLIENT];
};

struct submitter {
    const struct sy_submitter_config *config;
    const struct sy_genesis *genesis;
    struct sy_submit_result *result;
    sy_arena arena;
    struct flight *flights;
    struct sy_table by_id; /* id -> u32 index */
    struct list free_flights;
    struct list outgoing;
    struct peer *peers;
    uint16_t peer_count;
    uint32_t epoch; /* of the roster that the peers are of */
    uint16_t turn;
    bool done;
    bool reads_on; /* the importer was interrupted, not empty */
    uint64_t start_ns;
    uint64_t progress_ns;
    uint64_t last_final_ns;
    uint64_t passed_ns; /* when the last one of those was sent that are final */
    uint64_t finals;
    uint64_t finals_before;
    uint32_t limit; /* flights at once */
    uint64_t pace_ns;
    uint64_t paced_us; /* of the finals since then: sum of latencies, and how many */
    uint64_t paced;
    struct sy_error failure;
    uint16_t put_off; /* why a transaction was put off last; 0: the validator was busy */
};

/* ---- lists of flights -------------------------------------------------------------------- */

static void push(struct submitter *s, struct list *list, uint32_t index)
{
    s->flights[index].next = NONE;
    if (list->count++ == 0) {
        list->head = index;
    } else {
        s->flights[list->tail].next = index;
    }
    list->tail = index;
}

static uint32_t pop(struct submitter *s, struct list *list)
{
    if (list->count == 0) return NONE;
    uint32_t index = list->head;
    list->head = s->flights[index].next;
    list->count--;
    return index;
}

static void land(struct submitter *s, uint32_t index)
{
    struct flight *flight = &s->flights[index];
    SY_ASSERT(flight->used);
    (void)sy_table_remove(&s->by_id, &flight->awaited.tx_id);
    flight->used = false;
    push(s, &s->free_flights, index);
}

/* ---- from the importer ------------------------------------------------------------------- */

static bool is_left(const struct peer *peer)
{
    return peer->client != NULL && !peer->sick;
}

static bool is_used(const struct peer *peer)
{
    return is_left(peer) && peer->rest_ns <= sy_os_monotonic_ns();
}

static struct peer *next_peer(struct submitter *s)
{
    for (uint16_t i = 0; i < s->peer_count; i++) {
        struct peer *peer = &s->peers[s->turn++ % s->peer_count];
        if (is_used(peer)) return peer;
    }
    return NULL;
}

static sy_status take_send(struct submitter *s, const struct sy_import_action *action)
{
    struct sy_tx tx;
    enum sy_refusal code = sy_tx_decode(&tx, NULL, action->tx, NULL);
    SY_ASSERT(code == SY_APPLIED); /* the importer made it */
    const uint32_t *known = (const uint32_t *)sy_table_find(&s->by_id, &action->tx_id);
    if (known != NULL) return SY_OK; /* it is under way already */
    uint32_t index = pop(s, &s->free_flights);
    SY_ASSERT(index != NONE); /* the importer's window is below FLYING_MAX */
    uint32_t *place = (uint32_t *)sy_table_put(&s->by_id, &action->tx_id, NULL);
    SY_ASSERT(place != NULL);
    *place = index;
    s->flights[index] = (struct flight){.used = true, .tx = action->tx};
    sy_awaited_of(&s->flights[index].awaited, &s->genesis->hash, &tx);
    push(s, &s->outgoing, index);
    return SY_OK;
}

/* A validator that lies is not asked again. */
static void note_failure(struct submitter *s, struct peer *peer, sy_status status, const char *text)
{
    if (status != SY_ERR_CRYPTO && status != SY_ERR_FORMAT && status != SY_ERR_CLOSED) return;
    (void)sy_fail(&s->failure, status, "%s", text);
    if (status == SY_ERR_CLOSED) {
        peer->rest_ns = sy_os_monotonic_ns() + REST_NS;
        return;
    }
    peer->sick = true;
    SY_LOG(SY_LOG_WARN, "client", "validator_left_out", SY_F_TEXT("why", text));
}

static sy_status read_nonces(struct submitter *s, struct peer *peer, struct sy_proof *proof,
                             const struct sy_public_key *key, struct sy_error *err)
{
    struct sy_read_request read = {.subject = SY_READ_STATE,
                                   .state_kind = SY_STATE_NONCES,
                                   .purpose = SY_PURPOSE_OPERATIONS,
                                   .time_ms = sy_os_wall_ms()};
    memcpy(read.id.bytes, key->bytes, sizeof read.id.bytes);
    sy_os_random(&read.nonce, sizeof read.nonce);
    sy_secret_key_public(s->config->reader, &read.reader);
    struct sy_hash digest;
    sy_read_digest(&digest, &s->genesis->hash, &read);
    sy_sign(s->config->reader, &read.signature, SY_SIG_READ, &digest);
    struct sy_slice bytes;
    return sy_client_read(peer->client, &bytes, proof, &read, READ_MS, err);
}

/* Reads a key's nonce window with proof: whether a transaction whose time has passed ever ran. One
 * validator after the other is asked until one proves it. */
static sy_status take_nonce(struct submitter *s, const struct sy_import_action *action,
                            struct sy_error *err)
{
    static struct sy_proof proof; /* one submitter a process; too large for a stack */
    struct sy_error inner = {SY_ERR_NETWORK, "none answers"};
    for (uint16_t i = 0; i < s->peer_count; i++) {
        struct peer *peer = next_peer(s);
        if (peer == NULL) break;
        sy_status status = read_nonces(s, peer, &proof, &action->key, &inner);
        if (status != SY_OK) {
            note_failure(s, peer, status, inner.text);
            continue;
        }
        struct sy_slice value = {NULL, 0};
        if (proof.state.present) value = proof.state.value;
        return sy_importer_on_nonce(s->config->importer, &action->key, value, &proof.header, err);
    }
    return sy_fail(err, inner.status, "no validator proves which nonces were used; the last: %s",
                   inner.text);
}

/* Until there is enough to send, the importer has nothing, or its time is up: what is read may wait
 * for something that the validators have long decided. */
static sy_status fill(struct submitter *s, struct sy_error *err)
{
    uint64_t end_ns = sy_os_monotonic_ns() + FILL_NS;
    s->reads_on = false;
    while (!s->done && !s->reads_on && s->outgoing.count < OUTGOING_LOW &&
           FLYING_MAX - s->free_flights.count < s->limit) {
        struct sy_import_action action;
        SY_TRY(sy_importer_next(s->config->importer, &action, err));
        switch (action.kind) {
        case SY_IMPORT_SEND: SY_TRY(take_send(s, &action)); break;
        case SY_IMPORT_NONCE: SY_TRY(take_nonce(s, &action, err)); break;
        case SY_IMPORT_DONE: s->done = true; break;
        case SY_IMPORT_MORE: break;
        default: return SY_OK;
        }
        s->reads_on = sy_os_monotonic_ns() >= end_ns;
    }
    return SY_OK;
}

/* ---- to the validators ------------------------------------------------------------------- */

static struct group *free_group(struct peer *peer)
{
    for (unsigned i = 0; i < GROUPS_A_CLIENT; i++) {
        if (!peer->groups[i].used) return &peer->groups[i];
    }
    return NULL;
}

/* Brings one that is due to the front; those put off do not hold the others up. False: none is. */
static bool due_first(struct submitter *s, uint64_t now_ns)
{
    for (uint32_t left = s->outgoing.count; left > 0; left--) {
        if (s->flights[s->outgoing.head].not_before_ns <= now_ns) return true;
        push(s, &s->outgoing, pop(s, &s->outgoing));
    }
    return false;
}

static struct group *submit_group(struct submitter *s, struct peer *peer, struct sy_slice *txs,
                                  uint64_t now_ns)
{
    struct group *group = free_group(peer);
    SY_ASSERT(group != NULL);
    group->count = 0;
    size_t bytes = 0;
    while (group->count < GROUP_TXS && due_first(s, now_ns)) {
        const struct flight *flight = &s->flights[s->outgoing.head];
        if (group->count > 0 && bytes + flight->tx.size > GROUP_BYTES) break;
        bytes += flight->tx.size + 4;
        txs[group->count] = flight->tx;
        group->flights[group->count++] = pop(s, &s->outgoing);
    }
    return group;
}

static void mark_sent(struct submitter *s, const struct group *group, uint64_t now_ns)
{
    for (uint16_t i = 0; i < group->count; i++) {
        struct flight *flight = &s->flights[group->flights[i]];
        if (flight->first_ns != 0) s->result->resent++;
        if (flight->first_ns == 0) flight->first_ns = now_ns;
        flight->sent_ns = now_ns;
        flight->sends++;
    }
}

static void submit_some(struct submitter *s, uint64_t now_ns)
{
    struct sy_slice txs[GROUP_TXS];
    for (uint16_t i = 0; i < s->peer_count && s->outgoing.count > 0; i++) {
        struct peer *peer = next_peer(s);
        if (peer == NULL) return;
        if (peer->submits >= SUBMITS_A_CLIENT) continue;
        struct group *group = submit_group(s, peer, txs, now_ns);
        if (group->count == 0) return;
        sy_status status =
            sy_client_submit(peer->client, &group->request, txs, group->count, SUBMIT_MS);
        if (status != SY_OK) {
            for (uint16_t k = 0; k < group->count; k++) push(s, &s->outgoing, group->flights[k]);
            return;
        }
        mark_sent(s, group, now_ns);
        group->used = true;
        group->is_wait = false;
        peer->submits++;
    }
}

static void watch_some(struct submitter *s, struct peer *peer)
{
    while (peer->watched.count > 0 && peer->waits < WAITS_A_CLIENT) {
        struct sy_awaited items[GROUP_TXS];
        struct group *group = free_group(peer);
        if (group == NULL) return;
        group->count = 0;
        while (group->count < GROUP_TXS && peer->watched.count > 0) {
            uint32_t index = pop(s, &peer->watched);
            items[group->count] = s->flights[index].awaited;
            group->flights[group->count++] = index;
        }
        sy_status status =
            sy_client_wait(peer->client, &group->request, items, group->count, WAIT_MS, false);
        if (status != SY_OK) {
            for (uint16_t k = 0; k < group->count; k++) push(s, &peer->watched, group->flights[k]);
            return;
        }
        group->used = true;
        group->is_wait = true;
        peer->waits++;
    }
}

/* ---- from the validators ----------------------------------------------------------------- */

/* A whole group goes elsewhere: whatever became of it, sending the same bytes again is safe. */
static void send_elsewhere(struct submitter *s, const struct group *group, uint32_t retry_ms)
{
    uint64_t not_before = sy_os_monotonic_ns() + retry_ms * 1000000ull;
    for (uint16_t i = 0; i < group->count; i++) {
        s->flights[group->flights[i]].not_before_ns = not_before;
        push(s, &s->outgoing, group->flights[i]);
    }
}

/* That a transaction cannot be ordered is proven by nothing: it is believed when so many say so
 * that one of them is correct, or all that are left. */
static bool is_refused(const struct submitter *s, struct flight *flight, const struct peer *peer)
{
    unsigned refuse = 0, left = 0;
    size_t by = (size_t)(peer - s->peers);
    flight->refused_by[by / 64] |= 1ull << by % 64;
    for (uint16_t i = 0; i < s->peer_count; i++) {
        bool refused = (flight->refused_by[i / 64] >> i % 64 & 1u) != 0;
        refuse += refused;
        left += !refused && is_left(&s->peers[i]);
    }
    return refuse >= sy_weak(s->peer_count) || left == 0;
}

static sy_status take_outcomes(struct submitter *s, struct peer *peer, const struct group *group,
                               const struct sy_submit_outcome *outcomes, struct sy_error *err)
{
    uint64_t now_ns = sy_os_monotonic_ns();
    for (uint16_t i = 0; i < group->count; i++) {
        uint32_t index = group->flights[i];
        struct flight *flight = &s->flights[index];
        if (outcomes[i].state == SY_TX_REFUSED && outcomes[i].code != SY_E_BUSY) {
            struct sy_hash id = flight->awaited.tx_id;
            if (!is_refused(s, flight, peer)) {
                push(s, &s->outgoing, index); // the next one may think otherwise
                continue;
            }
            land(s, index);
            SY_TRY(sy_importer_on_refused(s->config->importer, &id, outcomes[i].code, err));
        } else if (outcomes[i].state == SY_TX_RECEIVED || outcomes[i].state == SY_TX_FINAL) {
            sy_importer_on_received(s->config->importer, &flight->awaited.tx_id);
            push(s, &peer->watched, index);
        } else {
            s->put_off = outcomes[i].code;
            flight->not_before_ns = now_ns + (outcomes[i].retry_ms + 1) * 1000000ull;
            push(s, &s->outgoing, index);
        }
    }
    return SY_OK;
}

static sy_status take_final(struct submitter *s, uint32_t index, const struct sy_client_tx *tx,
                            struct sy_error *err)
{
    struct flight *flight = &s->flights[index];
    uint64_t now_ns = sy_os_monotonic_ns();
    struct sy_import_outcome outcome = {.tx_id = tx->id,
                                        .receipt = tx->receipt_bytes,
                                        .receipt_proof = tx->proof,
                                        .header = tx->header,
                                        .certificate = tx->certificate,
                                        .epochs = s->config->epochs};
    uint64_t latency_us = (now_ns - flight->first_ns) / 1000;
    sy_quantile_add(&s->result->latency_us, latency_us);
    s->paced_us += latency_us;
    s->paced++;
    if (tx->header->height > s->result->last_height) s->result->last_height = tx->header->height;
    s->finals++;
    s->last_final_ns = now_ns;
    if (flight->sent_ns > s->passed_ns) s->passed_ns = flight->sent_ns;
    land(s, index);
    return sy_importer_on_final(s->config->importer, &outcome, err);
}

/* A validator that keeps things back is passed over for a while, if there is another one; what else
 * it has goes to others too (empty_unused). */
static void let_rest(struct submitter *s, struct peer *peer, uint64_t now_ns)
{
    if (!is_used(peer)) return; // what it was asked before its rest began
    for (uint16_t i = 0; i < s->peer_count; i++) {
        if (&s->peers[i] == peer || !is_used(&s->peers[i])) continue;
        peer->rest_ns = now_ns + sy_resend_rest_ns(++peer->kept);
        return;
    }
}

static sy_status take_txs(struct submitter *s, struct peer *peer, const struct group *group,
                          const struct sy_client_tx *txs, struct sy_error *err)
{
    uint64_t now_ns = sy_os_monotonic_ns();
    uint64_t latency_us = sy_quantile_get(&s->result->latency_us, 500);
    bool keeps = false;
    for (uint16_t i = 0; i < group->count; i++) {
        uint32_t index = group->flights[i];
        if (txs[i].state == SY_TX_FINAL) {
            SY_TRY(take_final(s, index, &txs[i], err));
            continue;
        }
        const struct flight *flight = &s->flights[index];
        bool kept =
            sy_resend_is_kept(now_ns, flight->sent_ns, s->passed_ns, latency_us, flight->sends);
        bool late = now_ns > flight->sent_ns + SY_RESEND_MOST_NS;
        push(s, kept || late ? &s->outgoing : &peer->watched, index); // through another one
        keeps = keeps || kept;
    }
    if (keeps) let_rest(s, peer, now_ns);
    return SY_OK;
}

static struct group *find_group(struct peer *peer, uint64_t request)
{
    for (unsigned i = 0; i < GROUPS_A_CLIENT; i++) {
        if (peer->groups[i].used && peer->groups[i].request == request) return &peer->groups[i];
    }
    return NULL;
}

static sy_status take_event(struct submitter *s, struct peer *peer,
                            const struct sy_client_event *event, struct sy_error *err)
{
    struct group *group = find_group(peer, event->request);
    if (group == NULL) return SY_OK;
    group->used = false;
    if (group->is_wait) {
        peer->waits--;
    } else {
        peer->submits--;
    }
    if (event->status == SY_OK && event->txs != NULL) {
        return take_txs(s, peer, group, event->txs, err);
    }
    if (event->status == SY_OK) return take_outcomes(s, peer, group, event->outcomes, err);
    note_failure(s, peer, event->status, event->text);
    send_elsewhere(s, group, event->status == SY_ERR_BUSY ? event->retry_ms : 0);
    return SY_OK;
}

/* Whatever a validator that is left out still held goes to the others. */
static void empty_unused(struct submitter *s, struct peer *peer)
{
    if (is_used(peer)) return;
    while (peer->watched.count > 0) push(s, &s->outgoing, pop(s, &peer->watched));
}

static sy_status take_events(struct submitter *s, struct sy_error *err)
{
    for (uint16_t i = 0; i < s->peer_count; i++) {
        struct peer *peer = &s->peers[i];
        struct sy_client_event event;
        while (peer->client != NULL && sy_client_poll(peer->client, &event, 0)) {
            SY_TRY(take_event(s, peer, &event, err));
        }
        empty_unused(s, peer);
    }
    return SY_OK;
}

/* ---- the run ----------------------------------------------------------------------------- */

static void tell_progress(struct submitter *s, uint64_t now_ns)
{
    if (s->config->progress == NULL || now_ns - s->progress_ns < PROGRESS_NS) return;
    struct sy_submit_progress progress = {.height = s->result->last_height};
    sy_importer_totals(s->config->importer, &progress.totals);
    progress.seconds = (double)(now_ns - s->start_ns) / 1e9;
    progress.tx_per_s =
        (double)(s->finals - s->finals_before) * 1e9 / (double)(now_ns - s->progress_ns);
    for (uint16_t i = 0; i < s->peer_count; i++) {
        progress.validators += is_left(&s->peers[i]);
    }
    s->finals_before = s->finals;
    s->progress_ns = now_ns;
    s->config->progress(s->config->self, &progress);
}

static void set_pace(struct submitter *s, uint64_t now_ns)
{
    if (now_ns - s->pace_ns < PACE_NS || s->paced == 0) return;
    uint64_t mean_us = s->paced_us / s->paced;
    uint32_t step = s->limit / 8;
    if (mean_us < BRISK_US && s->limit + step <= FLYING_MAX / 2) s->limit += step;
    if (mean_us > SLOW_US && s->limit - step >= FLYING_LEAST) s->limit -= step;
    s->pace_ns = now_ns;
    s->paced_us = s->paced = 0;
}

static void wait_for_events(struct submitter *s)
{
    struct pollfd fds[SY_VALIDATORS_MAX];
    nfds_t count = 0;
    for (uint16_t i = 0; i < s->peer_count; i++) {
        if (s->peers[i].client == NULL) continue;
        fds[count++] = (struct pollfd){.fd = sy_client_fd(s->peers[i].client), .events = POLLIN};
    }
    (void)poll(fds, count, s->reads_on ? 0 : TURN_MS);
}

static sy_status check_patience(struct submitter *s, struct sy_error *err)
{
    bool any = false;
    for (uint16_t i = 0; i < s->peer_count; i++) any |= is_left(&s->peers[i]);
    if (!any) {
        return sy_fail(err, SY_ERR_NETWORK, "no validator is left to ask; the last said: %s",
                       s->failure.text);
    }
    uint64_t patience_ms = s->config->patience_ms ? s->config->patience_ms : 60000;
    if (sy_os_monotonic_ns() - s->last_final_ns < patience_ms * 1000000ull) return SY_OK;
    const struct sy_refusal_info *why = s->put_off ? sy_refusal_info(s->put_off) : NULL;
    return sy_fail(err, SY_ERR_TIMEOUT,
                   "nothing became final for %llu s%s%s; `systole status` shows more; run again "
                   "with --resume, nothing is lost",
                   (unsigned long long)patience_ms / 1000,
                   why ? "; validators put transactions off with " : "", why ? why->name : "");
}

static sy_status connect_all(struct submitter *s, struct sy_error *err)
{
    unsigned connected = 0;
    const struct sy_roster *roster = sy_epochs_newest(s->config->epochs);
    s->peer_count = roster->count;
    s->epoch = roster->epoch;
    for (uint16_t i = 0; i < s->peer_count; i++) {
        struct sy_client_config config = {
            .epochs = s->config->epochs,
            .validator = i,
            .address = sy_epochs_address(s->config->epochs, s->config->addresses, i),
            .outstanding_max = GROUPS_A_CLIENT + 4};
        if (sy_client_open(&s->peers[i].client, &config, &s->failure) != SY_OK) {
            s->peers[i].client = NULL;
            SY_LOG(SY_LOG_WARN, "client", "validator_unreachable",
                   SY_F_TEXT("why", s->failure.text));
            continue;
        }
        connected++;
    }
    if (connected > 0) return SY_OK;
    return sy_fail(err, SY_ERR_NETWORK, "no validator answers; the last said: %s", s->failure.text);
}

/* Conversations are with the validators of the newest roster: when an answer showed that it has
 * changed, all are begun anew, and whatever was under way is sent again. */
static sy_status turn_over(struct submitter *s, struct sy_error *err)
{
    if (sy_epochs_newest(s->config->epochs)->epoch == s->epoch) return SY_OK;
    for (uint16_t i = 0; i < s->peer_count; i++) {
        struct peer *peer = &s->peers[i];
        for (unsigned k = 0; k < GROUPS_A_CLIENT; k++) {
            if (peer->groups[k].used) send_elsewhere(s, &peer->groups[k], 0);
        }
        while (peer->watched.count > 0) push(s, &s->outgoing, pop(s, &peer->watched));
        sy_client_close(peer->client);
        memset(peer, 0, sizeof *peer);
    }
    for (uint32_t i = 0; i < FLYING_MAX; i++) { // whoever has that number now has said nothing
        memset(s->flights[i].refused_by, 0, sizeof s->flights[i].refused_by);
    }
    return connect_all(s, err);
}

static sy_status work(struct submitter *s, struct sy_error *err)
{
    for (;;) {
        SY_TRY(fill(s, err));
        uint64_t now_ns = sy_os_monotonic_ns();
        submit_some(s, now_ns);
        for (uint16_t i = 0; i < s->peer_count; i++) {
            struct peer *peer = &s->peers[i];
            if (!is_used(peer)) continue;
            watch_some(s, peer);
            sy_importer_on_block_time(s->config->importer, sy_client_time_ms(peer->client));
        }
        set_pace(s, now_ns);
        tell_progress(s, now_ns);
        if (s->done && s->free_flights.count == FLYING_MAX) return SY_OK;
        wait_for_events(s);
        SY_TRY(take_events(s, err));
        SY_TRY(turn_over(s, err));
        SY_TRY(check_patience(s, err));
    }
}

static int later_first(const void *one, const void *other)
{
    int64_t a = *(const int64_t *)one, b = *(const int64_t *)other;
    return (a < b) - (a > b);
}

/* Where the ledger stands, before anything is proven: as far as so many validators claim that one
 * of them is correct. */
static void take_claims(struct submitter *s)
{
    int64_t heights[SY_VALIDATORS_MAX], times[SY_VALIDATORS_MAX];
    unsigned count = 0, weak = sy_weak(s->peer_count);
    for (uint16_t i = 0; i < s->peer_count; i++) {
        uint64_t height;
        if (s->peers[i].client == NULL) continue;
        sy_client_claim(s->peers[i].client, &height, &times[count]);
        heights[count++] = height > INT64_MAX ? INT64_MAX : (int64_t)height;
    }
    if (count < weak) return;
    qsort(heights, count, sizeof heights[0], later_first);
    qsort(times, count, sizeof times[0], later_first);
    s->result->first_height = (uint64_t)heights[weak - 1];
    sy_importer_on_block_time(s->config->importer, times[weak - 1]);
}

static sy_status prepare(struct submitter *s, struct sy_error *err)
{
    size_t bytes = FLYING_MAX * sizeof(struct flight) + FLYING_MAX * 3 * 64 +
                   SY_VALIDATORS_MAX * sizeof(struct peer) + (1u << 20);
    uint64_t seed[2];
    sy_os_random(seed, sizeof seed);
    if (sy_arena_open(&s->arena, bytes) != SY_OK) {
        return sy_fail(err, SY_ERR_NO_MEMORY, "submit: no memory");
    }
    s->flights = SY_CARVE(&s->arena, struct flight, FLYING_MAX);
    s->peers = SY_CARVE(&s->arena, struct peer, SY_VALIDATORS_MAX);
    if (s->flights == NULL || s->peers == NULL ||
        sy_table_init(&s->by_id, &s->arena, FLYING_MAX, sizeof(uint64_t), seed) != SY_OK) {
        return sy_fail(err, SY_ERR_NO_MEMORY, "submit: no memory");
    }
    for (uint32_t i = 0; i < FLYING_MAX; i++) push(s, &s->free_flights, i);
    SY_TRY(connect_all(s, err));
    take_claims(s);
    s->result->last_height = s->result->first_height;
    return SY_OK;
}

sy_status sy_submitter_run(const struct sy_submitter_config *config,
                           struct sy_submit_result *result, struct sy_error *err)
{
    struct submitter s = {
        .config = config, .genesis = sy_epochs_genesis(config->epochs), .result = result};
    memset(result, 0, sizeof *result);
    s.limit = FLYING_FIRST;
    s.start_ns = s.progress_ns = s.last_final_ns = sy_os_monotonic_ns();
    sy_status status = prepare(&s, err);
    if (status == SY_OK) status = work(&s, err);
    result->seconds = (double)(sy_os_monotonic_ns() - s.start_ns) / 1e9;
    for (uint16_t i = 0; s.peers != NULL && i < s.peer_count; i++) {
        sy_client_close(s.peers[i].client);
    }
    sy_arena_close(&s.arena);
    return status;
}
