#include "bench/load.h"

#include <poll.h>
#include <stdlib.h>

#include "core/base/assert.h"
#include "core/base/os.h"
#include "core/client/client.h"

#define GROUP_TXS 256u
#define GROUP_NS 4000000ull /* what falls due within this time travels together */
#define GROUPS 48u
#define WAIT_MS 10000u
#define SUBMIT_MS 20000
#define SAMPLE_NS 20000000ull
#define SET_UP_LIFETIME_MS (3600ll * 1000)
#define SET_UP_DRAIN_MS 120000u

enum tx_state { TX_IDLE, TX_SENT, TX_RECEIVED, TX_ENDED };

struct group {
    bool used;
    bool is_wait;
    bool given_up;       /* its transactions went to other validators */
    uint64_t overdue_ns; /* an answer is owed since then */
    uint64_t request;
    uint16_t count;
    uint32_t txs[GROUP_TXS];
};

struct peer {
    sy_client *client;
    bool silent;
    struct group groups[GROUPS];
};

struct load {
    const struct sy_load_config *config;
    struct sy_load_result *result;
    sy_epochs *epochs;
    struct peer *peers;
    uint16_t peer_count;
    uint16_t turn;
    uint32_t count; /* to send in all */
    uint8_t *states;
    uint64_t *due_ns;
    uint64_t *sent_ns; /* first */
    uint32_t *again;   /* stack of transactions to send again */
    uint64_t *again_ns;
    uint32_t again_count;
    uint32_t next; /* first that was never sent */
    uint32_t undecided;
    uint64_t start_ns;
    uint64_t last_due_ns;
    uint64_t sampled_ns;
    double backlog[3];
    uint32_t samples[3];
};

/* ---- signing ----------------------------------------------------------------------------- */

sy_status sy_load_sign(struct sy_load_txs *txs, sy_population *population, unsigned stage,
                       uint32_t count, int64_t valid_until_ms, struct sy_error *err)
{
    if (stage < SY_POPULATION_STAGES) count = sy_population_stage_count(population, stage);
    size_t capacity = (size_t)count * 512 + SY_POPULATION_TX_BYTES;
    *txs = (struct sy_load_txs){.bytes = (uint8_t *)malloc(capacity),
                                .txs = (struct sy_slice *)calloc(count, sizeof(struct sy_slice)),
                                .awaited =
                                    (struct sy_awaited *)calloc(count, sizeof(struct sy_awaited))};
    if (!txs->bytes || !txs->txs || !txs->awaited) {
        sy_load_free(txs);
        return sy_fail(err, SY_ERR_NO_MEMORY, "load: no memory for %u transactions", count);
    }
    size_t used = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint8_t tx[SY_POPULATION_TX_BYTES];
        struct sy_hash id;
        struct sy_tx decoded;
        struct sy_slice made =
            stage < SY_POPULATION_STAGES
                ? sy_population_stage(population, tx, &id, stage, i, valid_until_ms)
                : sy_population_record(population, tx, &id, valid_until_ms);
        enum sy_refusal code = sy_tx_decode(&decoded, NULL, made, NULL);
        SY_ASSERT(code == SY_APPLIED);
        sy_awaited_of(&txs->awaited[i], &sy_population_genesis(population)->hash, &decoded);
        if (capacity - used < made.size) {
            sy_load_free(txs);
            return sy_fail(err, SY_ERR_LIMIT, "load: transactions are longer than expected");
        }
        memcpy(txs->bytes + used, made.data, made.size);
        txs->txs[i] = sy_slice_of(txs->bytes + used, made.size);
        used += made.size;
    }
    txs->count = count;
    return SY_OK;
}

void sy_load_free(struct sy_load_txs *txs)
{
    free(txs->bytes);
    free(txs->txs);
    free(txs->awaited);
    *txs = (struct sy_load_txs){0};
}

/* ---- sending ----------------------------------------------------------------------------- */

static struct group *free_group(struct peer *peer, bool is_wait)
{
    /* A third of the groups stays free for waits, or finals would have nowhere to come from. */
    unsigned first = is_wait ? 0 : GROUPS / 3;
    for (unsigned i = first; i < GROUPS; i++) {
        if (!peer->groups[i].used) return &peer->groups[i];
    }
    return NULL;
}

static bool is_due(const struct load *load, uint32_t tx, uint64_t now_ns)
{
    if (load->config->rate_per_s > 0) return load->due_ns[tx] <= now_ns;
    return load->undecided < load->config->closed_window;
}

static uint32_t take_due(struct load *load, uint64_t now_ns)
{
    if (load->again_count > 0 && load->again_ns[load->again_count - 1] <= now_ns) {
        return load->again[--load->again_count];
    }
    if (load->next == load->count || !is_due(load, load->next, now_ns)) return UINT32_MAX;
    uint32_t tx = load->next++;
    load->sent_ns[tx] = now_ns;
    if (load->config->rate_per_s <= 0) load->due_ns[tx] = now_ns;
    load->last_due_ns = load->due_ns[tx];
    load->undecided++;
    load->result->sent++;
    return tx;
}

static void push_again(struct load *load, uint32_t tx, uint64_t at_ns)
{
    load->states[tx] = TX_IDLE;
    load->again[load->again_count] = tx;
    load->again_ns[load->again_count++] = at_ns;
}

static void begin_group(const struct load *load, struct group *group, bool is_wait)
{
    uint64_t patience_ms = load->config->silent_ms + (is_wait ? WAIT_MS : 0ull);
    group->used = true;
    group->is_wait = is_wait;
    group->given_up = false;
    group->overdue_ns =
        load->config->silent_ms == 0 ? UINT64_MAX : sy_os_monotonic_ns() + patience_ms * 1000000ull;
}

static bool owes_nothing(const struct peer *peer)
{
    for (unsigned i = 0; i < GROUPS; i++) {
        if (peer->groups[i].used) return false;
    }
    return true;
}

static sy_status send_due(struct load *load, uint64_t now_ns, struct sy_error *err)
{
    for (uint16_t tried = 0; tried < load->peer_count; tried++) {
        struct peer *peer = &load->peers[load->turn++ % load->peer_count];
        /* The dial asks again what a silent one owes; after that, one group is the question. */
        if (peer->silent && !owes_nothing(peer)) continue;
        struct group *group = free_group(peer, false);
        if (group == NULL) continue;
        struct sy_slice slices[GROUP_TXS];
        group->count = 0;
        while (group->count < GROUP_TXS) {
            uint32_t tx = take_due(load, now_ns);
            if (tx == UINT32_MAX) break;
            slices[group->count] = load->config->txs->txs[tx];
            group->txs[group->count++] = tx;
            load->states[tx] = TX_SENT;
        }
        if (group->count == 0) return SY_OK;
        sy_status status =
            sy_client_submit(peer->client, &group->request, slices, group->count, SUBMIT_MS);
        if (status != SY_OK) {
            return sy_fail(err, status, "%s takes no requests", sy_client_name(peer->client));
        }
        begin_group(load, group, false);
    }
    return SY_OK;
}

static sy_status watch(struct load *load, struct peer *peer, const uint32_t *txs, uint16_t count,
                       struct sy_error *err)
{
    struct group *group = free_group(peer, true);
    SY_ASSERT(group != NULL); /* every wait takes the place of the group that led to it */
    struct sy_awaited items[GROUP_TXS];
    for (uint16_t i = 0; i < count; i++) {
        items[i] = load->config->txs->awaited[txs[i]];
        group->txs[i] = txs[i];
    }
    group->count = count;
    sy_status status = sy_client_wait(peer->client, &group->request, items, count, WAIT_MS, false);
    if (status != SY_OK) {
        return sy_fail(err, status, "%s takes no requests", sy_client_name(peer->client));
    }
    begin_group(load, group, true);
    return SY_OK;
}

/* Takes what overdue validators hold out of their hands. The others get it again: bytes that reach
 * several validators are executed once. */
static void give_up_silent(struct load *load, uint64_t now_ns)
{
    for (uint16_t p = 0; p < load->peer_count; p++) {
        struct peer *peer = &load->peers[p];
        bool overdue = false;
        for (unsigned i = 0; i < GROUPS; i++) {
            const struct group *group = &peer->groups[i];
            overdue = overdue || (group->used && !group->given_up && group->overdue_ns <= now_ns);
        }
        for (unsigned i = 0; overdue && i < GROUPS; i++) {
            struct group *group = &peer->groups[i];
            if (!group->used || group->given_up) continue;
            for (uint16_t t = 0; t < group->count; t++) push_again(load, group->txs[t], now_ns);
            group->given_up = true;
        }
        peer->silent = peer->silent || overdue;
    }
}

/* ---- answers ----------------------------------------------------------------------------- */

static void end_tx(struct load *load, uint32_t tx, bool final)
{
    SY_ASSERT(load->states[tx] != TX_ENDED);
    load->states[tx] = TX_ENDED;
    load->undecided--;
    load->result->final += final;
    load->result->refused += !final;
}

static sy_status take_outcomes(struct load *load, struct peer *peer, const struct group *done,
                               const struct sy_submit_outcome *outcomes, struct sy_error *err)
{
    uint32_t received[GROUP_TXS];
    uint16_t count = 0;
    uint64_t now_ns = sy_os_monotonic_ns();
    for (uint16_t i = 0; i < done->count; i++) {
        uint32_t tx = done->txs[i];
        if (outcomes[i].state == SY_TX_RECEIVED || outcomes[i].state == SY_TX_FINAL) {
            load->states[tx] = TX_RECEIVED;
            received[count++] = tx;
        } else if (outcomes[i].state == SY_TX_BUSY) {
            load->result->busy++;
            push_again(load, tx, now_ns + outcomes[i].retry_ms * 1000000ull);
        } else {
            end_tx(load, tx, false);
        }
    }
    return count > 0 ? watch(load, peer, received, count, err) : SY_OK;
}

static sy_status take_txs(struct load *load, struct peer *peer, const struct group *done,
                          const struct sy_client_tx *txs, struct sy_error *err)
{
    uint32_t left[GROUP_TXS];
    uint16_t count = 0;
    uint64_t now_ns = sy_os_monotonic_ns();
    uint64_t sending_ns = load->last_due_ns;
    for (uint16_t i = 0; i < done->count; i++) {
        uint32_t tx = done->txs[i];
        /* A validator that was killed and is back may have lost what it had received. */
        if (txs[i].state == SY_TX_UNKNOWN && load->config->silent_ms > 0) {
            push_again(load, tx, now_ns);
            continue;
        }
        if (txs[i].state != SY_TX_FINAL) {
            left[count++] = tx;
            continue;
        }
        bool applied = txs[i].receipt.code == SY_APPLIED;
        end_tx(load, tx, applied);
        if (applied) sy_quantile_add(&load->result->latency_us, (now_ns - load->due_ns[tx]) / 1000);
        if (applied && load->config->on_final != NULL) {
            load->config->on_final(load->config->self, tx, load->sent_ns[tx], now_ns);
        }
        if (now_ns <= sending_ns || load->next < load->count) {
            load->result->committed_per_s += applied;
        }
    }
    return count > 0 ? watch(load, peer, left, count, err) : SY_OK;
}

static sy_status take_event(struct load *load, struct peer *peer,
                            const struct sy_client_event *event, struct sy_error *err)
{
    struct group *group = NULL;
    for (unsigned i = 0; i < GROUPS; i++) {
        if (peer->groups[i].used && peer->groups[i].request == event->request) {
            group = &peer->groups[i];
        }
    }
    SY_ASSERT(group != NULL);
    group->used = false;
    struct group done = *group;
    if (event->status != SY_ERR_TIMEOUT) peer->silent = false;
    if (done.given_up) return SY_OK;
    if (event->status == SY_OK && event->txs != NULL) {
        return take_txs(load, peer, &done, event->txs, err);
    }
    if (event->status == SY_OK) return take_outcomes(load, peer, &done, event->outcomes, err);
    if (event->status == SY_ERR_CRYPTO || event->status == SY_ERR_FORMAT) {
        return sy_fail(err, event->status, "%s", event->text);
    }
    if (done.is_wait) return watch(load, peer, done.txs, done.count, err);
    uint64_t at_ns = sy_os_monotonic_ns() + (event->retry_ms + 1) * 1000000ull;
    for (uint16_t i = 0; i < done.count; i++) push_again(load, done.txs[i], at_ns);
    load->result->busy += done.count;
    return SY_OK;
}

/* ---- the run ----------------------------------------------------------------------------- */

static void sample(struct load *load, uint64_t now_ns)
{
    if (now_ns - load->sampled_ns < SAMPLE_NS || load->next == load->count) return;
    load->sampled_ns = now_ns;
    unsigned third = (unsigned)((uint64_t)load->next * 3 / load->count);
    load->backlog[third] += load->undecided;
    load->samples[third]++;
}

static sy_status turn(struct load *load, struct sy_error *err)
{
    uint64_t now_ns = sy_os_monotonic_ns();
    if (load->config->stop != NULL && atomic_load(load->config->stop)) load->count = load->next;
    SY_TRY(send_due(load, now_ns, err));
    sample(load, now_ns);
    struct pollfd fds[SY_VALIDATORS_MAX];
    for (uint16_t i = 0; i < load->peer_count; i++) {
        fds[i] = (struct pollfd){.fd = sy_client_fd(load->peers[i].client), .events = POLLIN};
    }
    (void)poll(fds, load->peer_count, (int)(GROUP_NS / 1000000));
    for (uint16_t i = 0; i < load->peer_count; i++) {
        struct sy_client_event event;
        while (sy_client_poll(load->peers[i].client, &event, 0)) {
            SY_TRY(take_event(load, &load->peers[i], &event, err));
        }
    }
    give_up_silent(load, now_ns); /* by the time before the answers were taken */
    return SY_OK;
}

static sy_status run(struct load *load, struct sy_error *err)
{
    const struct sy_load_config *config = load->config;
    load->start_ns = load->last_due_ns = sy_os_monotonic_ns();
    SY_ASSERT(load->due_ns != NULL); // prepare made it
    for (uint32_t i = 0; config->rate_per_s > 0 && i < load->count; i++) {
        load->due_ns[i] = load->start_ns + (uint64_t)((double)i * 1e9 / config->rate_per_s);
    }
    while (load->next < load->count || load->undecided > 0) {
        SY_TRY(turn(load, err));
        bool all_sent = load->next == load->count;
        uint64_t end_ns = load->last_due_ns + config->drain_ms * 1000000ull;
        if (all_sent && sy_os_monotonic_ns() > end_ns) break;
    }
    struct sy_load_result *result = load->result;
    result->seconds = (double)(sy_os_monotonic_ns() - load->start_ns) / 1e9;
    result->send_seconds = (double)(load->last_due_ns - load->start_ns) / 1e9;
    result->lost = load->undecided;
    if (result->send_seconds > 0) result->committed_per_s /= result->send_seconds;
    result->backlog_middle = load->samples[1] ? load->backlog[1] / load->samples[1] : 0;
    result->backlog_end = load->samples[2] ? load->backlog[2] / load->samples[2] : 0;
    return SY_OK;
}

static sy_status prepare(struct load *load, struct sy_error *err)
{
    uint32_t count = load->count = load->config->txs->count;
    uint16_t validators = load->config->genesis->roster.count;
    if (count == 0 || validators == 0) {
        return sy_fail(err, SY_ERR_ARGUMENT, "load: %u transactions for %u validators", count,
                       validators);
    }
    load->peers = (struct peer *)calloc(validators, sizeof(struct peer));
    load->states = (uint8_t *)calloc(count, 1);
    load->due_ns = (uint64_t *)calloc(count, sizeof(uint64_t));
    load->sent_ns = (uint64_t *)calloc(count, sizeof(uint64_t));
    load->again = (uint32_t *)calloc(count, sizeof(uint32_t));
    load->again_ns = (uint64_t *)calloc(count, sizeof(uint64_t));
    if (!load->peers || !load->states || !load->due_ns || !load->sent_ns || !load->again ||
        !load->again_ns) {
        return sy_fail(err, SY_ERR_NO_MEMORY, "load: no memory");
    }
    load->peer_count = 0;
    SY_TRY(sy_epochs_open(&load->epochs, load->config->genesis, err));
    for (uint16_t i = 0; i < validators; i++) {
        if (i < 64 && (load->config->skip >> i & 1)) continue;
        struct sy_client_config config = {
            .epochs = load->epochs, .validator = i, .outstanding_max = GROUPS + 4};
        SY_TRY(sy_client_open(&load->peers[load->peer_count].client, &config, err));
        load->peer_count++;
    }
    return SY_OK;
}

sy_status sy_load_run(struct sy_load_result *result, const struct sy_load_config *config,
                      struct sy_error *err)
{
    struct load load = {.config = config, .result = result};
    memset(result, 0, sizeof *result);
    sy_status status = prepare(&load, err);
    if (status == SY_OK) status = run(&load, err);
    for (uint16_t i = 0; load.peers != NULL && i < load.peer_count; i++) {
        sy_client_close(load.peers[i].client);
    }
    sy_epochs_close(load.epochs);
    free(load.peers);
    free(load.states);
    free(load.due_ns);
    free(load.sent_ns);
    free(load.again);
    free(load.again_ns);
    return status;
}

/* ---- setting up -------------------------------------------------------------------------- */

sy_status sy_load_set_up(uint32_t *count, sy_population *population, struct sy_error *err)
{
    uint32_t all = 0;
    for (unsigned stage = 0; stage < SY_POPULATION_STAGES; stage++) {
        struct sy_load_txs txs;
        struct sy_load_result result;
        int64_t until_ms = sy_os_wall_ms() + SET_UP_LIFETIME_MS;
        SY_TRY(sy_load_sign(&txs, population, stage, 0, until_ms, err));
        struct sy_load_config config = {.genesis = sy_population_genesis(population),
                                        .txs = &txs,
                                        .closed_window = 1024,
                                        .drain_ms = SET_UP_DRAIN_MS};
        sy_status status = sy_load_run(&result, &config, err);
        uint32_t wanted = txs.count;
        sy_load_free(&txs);
        if (status != SY_OK) return status;
        if (result.final != wanted) {
            return sy_fail(err, SY_ERR_IO, "set-up: only %u of %u transactions of stage %u applied",
                           result.final, wanted, stage);
        }
        all += wanted;
    }
    if (count != NULL) *count = all;
    return SY_OK;
}
