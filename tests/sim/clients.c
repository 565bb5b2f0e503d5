/* clients.c: who submits: a small population's clients, in stages, again and again until what they
 * sent is applied, and among them people who send rubbish. */
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/crypto/hash.h"
#include "core/wire/request.h"
#include "tests/sim/sim_internal.h"
#include "tests/support/network.h"

#define PERIOD_MS 10u
#define TX_BYTES_MAX 8192u
#define RECORDS_STAGE SY_POPULATION_STAGES
#define LONELY_STAGE (RECORDS_STAGE + 1u)
#define LIFETIME_MS (12ll * 3600 * 1000)

/* ---- what there is to send --------------------------------------------------------------- */

static struct client_tx *add_tx(struct world *world, enum tx_kind kind, unsigned stage,
                                struct sy_slice bytes, const struct sy_hash *id)
{
    struct clients *clients = &world->clients;
    SY_ASSERT(clients->count < clients->room);
    struct client_tx *tx = &clients->txs[clients->count++];
    *tx = (struct client_tx){.kind = kind, .stage = stage, .id = *id, .size = bytes.size};
    tx->bytes = (uint8_t *)malloc(bytes.size);
    SY_ASSERT(tx->bytes != NULL);
    memcpy(tx->bytes, bytes.data, bytes.size);
    sim_sign_tx(world, tx->bytes, tx->size);
    return tx;
}

static void index_tx(struct world *world, const struct client_tx *tx)
{
    bool is_new = false;
    uint32_t *place = (uint32_t *)sy_table_put(&world->tx_index, &tx->id, &is_new);
    SY_ASSERT(place != NULL && is_new);
    *place = (uint32_t)(tx - world->clients.txs) + 1;
}

/* A signature with a bit changed: of a transaction that exists only so, or a bad copy of a good
 * one, which must not be taken for it. */
static void add_bad_signature(struct world *world, struct sy_slice bytes, const struct sy_hash *id,
                              bool copy)
{
    struct client_tx *tx = add_tx(world, TX_BAD_SIGNATURE, RECORDS_STAGE, bytes, id);
    tx->bytes[tx->size - 1 - sy_prng_below(&world->prng, 64)] ^= 4;
    if (!copy) index_tx(world, tx);
}

static void add_damaged(struct world *world, struct sy_slice bytes, const struct sy_hash *id)
{
    struct client_tx *tx = add_tx(world, TX_DAMAGED, RECORDS_STAGE, bytes, id);
    switch (sy_prng_below(&world->prng, 3)) {
    case 0: tx->size = 1 + (size_t)sy_prng_below(&world->prng, tx->size - 1); break;
    case 1: tx->bytes[3] ^= 1; break; /* another network */
    default: sy_prng_fill(&world->prng, tx->bytes, tx->size);
    }
}

static void add_rubbish(struct world *world, int64_t until_ms)
{
    struct clients *clients = &world->clients;
    uint8_t bytes[SY_POPULATION_TX_BYTES];
    struct sy_hash id;
    sy_population *from = clients->population;
    uint64_t what = sy_prng_below(&world->prng, 4);
    if (what == 0) from = clients->strangers;
    struct sy_slice tx = sy_population_record(from, bytes, &id, until_ms);
    switch (what) {
    case 0: index_tx(world, add_tx(world, TX_STRANGER, RECORDS_STAGE, tx, &id)); break;
    case 1: add_bad_signature(world, tx, &id, false); break;
    case 2: {
        const struct client_tx *good = &clients->txs[sy_prng_below(&world->prng, clients->count)];
        if (good->kind == TX_GOOD) {
            add_bad_signature(world, sy_slice_of(good->bytes, good->size), &good->id, true);
        }
        break;
    }
    default: add_damaged(world, tx, &id);
    }
}

static void add_changes(struct world *world)
{
    uint8_t bytes[TX_BYTES_MAX];
    for (uint32_t epoch = 0; epoch < world->options.epochs; epoch++) {
        struct sy_writer room = sy_writer_of(bytes, sizeof bytes);
        struct sy_hash id;
        struct sy_slice tx = sim_epoch_change(world, &room, &id, epoch);
        struct client_tx *change = add_tx(world, TX_GOOD, RECORDS_STAGE, tx, &id);
        change->epoch = epoch;
        index_tx(world, change);
    }
}

static sy_population *open_population(struct world *world, uint32_t gateways, uint32_t patients)
{
    struct sy_population_config config = {.genesis = world->genesis,
                                          .regulator = test_key(TEST_REGULATOR),
                                          .organisations = 1 + gateways / 2,
                                          .gateways = gateways,
                                          .patients = patients,
                                          .seed = sy_prng_next(&world->prng)};
    struct sy_error err;
    sy_population *population = NULL;
    sy_status status = sy_population_open(&population, &config, &err);
    SY_ASSERT(status == SY_OK);
    return population;
}

static void plan_stage(struct world *world)
{
    struct clients *clients = &world->clients;
    uint64_t spread_ms = clients->stage == RECORDS_STAGE ? world->options.faults_ms * 3 / 4 : 50;
    if (clients->stage == LONELY_STAGE) spread_ms = 0;
    for (uint32_t i = 0; i < clients->count; i++) {
        struct client_tx *tx = &clients->txs[i];
        if (tx->stage != clients->stage) continue;
        tx->due_ns = world->now_ns + sy_prng_below(&world->prng, spread_ms * MS + 1);
    }
}

void sim_clients_open(struct world *world)
{
    struct clients *clients = &world->clients;
    int64_t until_ms = TEST_GENESIS_MS + LIFETIME_MS;
    uint8_t bytes[SY_POPULATION_TX_BYTES];
    struct sy_hash id;
    clients->population = open_population(world, 1 + (uint32_t)sy_prng_below(&world->prng, 3),
                                          3 + (uint32_t)sy_prng_below(&world->prng, 4));
    clients->strangers = open_population(world, 1, 1);
    clients->room = 64 + world->options.records + world->options.rubbish + world->options.epochs;
    clients->txs = (struct client_tx *)calloc(clients->room, sizeof *clients->txs);
    SY_ASSERT(clients->txs != NULL);
    for (unsigned stage = 0; stage < SY_POPULATION_STAGES; stage++) {
        uint32_t count = sy_population_stage_count(clients->population, stage);
        for (uint32_t i = 0; i < count; i++) {
            struct sy_slice tx =
                sy_population_stage(clients->population, bytes, &id, stage, i, until_ms);
            index_tx(world, add_tx(world, TX_GOOD, stage, tx, &id));
        }
    }
    for (unsigned i = 0; i < world->options.records; i++) {
        struct sy_slice tx = sy_population_record(clients->population, bytes, &id, until_ms);
        index_tx(world, add_tx(world, TX_GOOD, RECORDS_STAGE, tx, &id));
    }
    add_changes(world);
    for (unsigned i = 0; i < world->options.rubbish; i++) add_rubbish(world, until_ms);
    struct sy_slice lonely = sy_population_record(clients->population, bytes, &id, until_ms);
    index_tx(world, add_tx(world, TX_GOOD, LONELY_STAGE, lonely, &id));
    plan_stage(world);
}

void sim_clients_close(struct world *world)
{
    struct clients *clients = &world->clients;
    for (uint32_t i = 0; i < clients->count; i++) free(clients->txs[i].bytes);
    free(clients->txs);
    free(clients->requests);
    sy_population_close(clients->population);
    sy_population_close(clients->strangers);
}

/* ---- sending ----------------------------------------------------------------------------- */

static bool wants_sending(const struct world *world, const struct client_tx *tx)
{
    if (tx->epoch > world->epoch) return false;
    if (tx->stage > world->clients.stage || tx->due_ns > world->now_ns || tx->answered)
        return false;
    return tx->kind == TX_STRANGER ? tx->copies == 0 : !tx->applied;
}

static struct request *new_request(struct clients *clients)
{
    if (clients->request_count == clients->request_room) {
        clients->request_room = 2 * clients->request_room + 64;
        clients->requests = (struct request *)realloc(
            clients->requests, clients->request_room * sizeof *clients->requests);
        SY_ASSERT(clients->requests != NULL);
    }
    struct request *request = &clients->requests[clients->request_count++];
    request->count = 0;
    return request;
}

/* Of those that the roster has, as clients know it. The lonely one goes to a correct one, or the
 * time that it takes would tell how often a client draws a liar. */
static uint16_t somebody(struct world *world)
{
    bool lonely = world->clients.stage == LONELY_STAGE;
    for (;;) {
        uint16_t place = (uint16_t)sy_prng_below(&world->prng, world->places);
        const struct validator *validator = &world->validators[place];
        if (sim_index_in(world, world->epoch, validator->index) == SY_PBFT_OBSERVER) continue;
        if (!lonely || !validator->faulty) return place;
    }
}

static void send_request(struct world *world, uint32_t number)
{
    const struct request *request = &world->clients.requests[number];
    struct sy_client_request submit = {.kind = SY_REQUEST_SUBMIT, .request_id = number};
    uint8_t txs[SUBMIT_TXS_MAX * (SY_POPULATION_TX_BYTES + 4) + SIM_EPOCHS_MAX * TX_BYTES_MAX];
    struct sy_writer section = sy_writer_of(txs, sizeof txs);
    for (uint16_t i = 0; i < request->count; i++) {
        const struct client_tx *tx = &world->clients.txs[request->txs[i]];
        sy_write_bytes32(&section, sy_slice_of(tx->bytes, tx->size));
    }
    submit.body.submit.count = request->count;
    submit.body.submit.txs = sy_writer_slice(&section);
    struct event event = {.type = EVENT_SUBMIT, .node = somebody(world), .size = section.used + 64};
    event.bytes = (uint8_t *)malloc(event.size);
    SY_ASSERT(event.bytes != NULL);
    struct sy_writer w = sy_writer_of(event.bytes, event.size);
    sy_request_encode(&w, &submit);
    SY_ASSERT(!section.failed && !w.failed);
    event.size = w.used;
    sim_later(world, event, sim_draw(world, world->options.delay_us));
}

/* One request of what is due, each transaction to be sent again if nothing is heard. */
static bool send_some(struct world *world)
{
    struct clients *clients = &world->clients;
    struct request *request = NULL;
    uint64_t most = 1 + sy_prng_below(&world->prng, SUBMIT_TXS_MAX);
    for (uint32_t i = 0; i < clients->count; i++) {
        struct client_tx *tx = &clients->txs[i];
        if (!wants_sending(world, tx)) continue;
        if (request == NULL) request = new_request(clients);
        if (request->count == most) break;
        request->txs[request->count++] = i;
        tx->due_ns = world->now_ns + (1000 + sy_prng_below(&world->prng, 1000)) * MS;
        /* At times to another validator too, at once: both will order it. */
        if (sy_prng_chance(&world->prng, 1, 12)) tx->due_ns = world->now_ns;
    }
    if (request == NULL) return false;
    send_request(world, clients->request_count - 1);
    return true;
}

static bool stage_done(const struct world *world)
{
    const struct clients *clients = &world->clients;
    for (uint32_t i = 0; i < clients->count; i++) {
        const struct client_tx *tx = &clients->txs[i];
        if (tx->kind == TX_GOOD && tx->stage == clients->stage && !tx->applied) return false;
    }
    return true;
}

void sim_on_clients(struct world *world)
{
    struct clients *clients = &world->clients;
    if (clients->stage < RECORDS_STAGE && stage_done(world)) {
        clients->stage++;
        plan_stage(world);
    }
    for (unsigned i = 0; i < 4 && send_some(world); i++) {}
    sim_later(world, (struct event){.type = EVENT_CLIENTS}, PERIOD_MS * MS);
}

void sim_on_submit(struct world *world, struct validator *validator, const struct event *event)
{
    struct sy_client_request request;
    bool decoded = sy_request_decode(&request, sy_slice_of(event->bytes, event->size));
    SY_ASSERT(decoded && request.kind == SY_REQUEST_SUBMIT);
    struct sy_node_event submit = {.type = SY_NODE_SUBMIT};
    submit.as.submit.token = request.request_id + 1;
    submit.as.submit.request = &request;
    sim_feed(world, validator, &submit);
}

/* ---- answers ----------------------------------------------------------------------------- */

static void on_refused(struct world *world, const struct validator *validator, struct client_tx *tx,
                       uint16_t code)
{
    bool deserved = tx->kind == TX_DAMAGED && code >= SY_E_SIZE && code <= SY_E_SIG;
    if (tx->kind == TX_BAD_SIGNATURE) deserved = code == SY_E_SIG;
    if (!deserved) {
        sim_fail(world, SIM_CHECK_VALIDITY, "validator %u refuses transaction %u with code %u",
                 validator->index, (unsigned)(tx - world->clients.txs), code);
    }
    tx->answered = true;
    world->result->refused++;
}

static void tell_early(struct world *world, struct client_tx *tx)
{
    if (tx->told_height != 0 || world->height_count == 0) return;
    tx->told_height = world->height_count;
    world->planted = true;
}

void sim_on_outcomes(struct world *world, const struct validator *validator, uint64_t token,
                     uint32_t count, const struct sy_submit_outcome *outcomes)
{
    struct clients *clients = &world->clients;
    if (validator->faulty) return; /* whatever it says, clients try elsewhere */
    SY_ASSERT(token >= 1 && token <= clients->request_count);
    const struct request *request = &clients->requests[token - 1];
    SY_ASSERT(count == request->count);
    for (uint32_t i = 0; i < count; i++) {
        struct client_tx *tx = &clients->txs[request->txs[i]];
        switch (outcomes[i].state) {
        case SY_TX_RECEIVED:
            sim_note_branch(world, SIM_BRANCH_client_received, 1);
            if (world->options.plant == SIM_PLANT_TOLD_EARLY) tell_early(world, tx);
            if (tx->kind == TX_GOOD || tx->kind == TX_STRANGER) break;
            sim_fail(world, SIM_CHECK_VALIDITY, "validator %u takes the bad transaction %u",
                     validator->index, request->txs[i]);
            break;
        case SY_TX_REFUSED:
            sim_note_branch(world, SIM_BRANCH_client_refused, 1);
            on_refused(world, validator, tx, outcomes[i].code);
            break;
        case SY_TX_BUSY:
            sim_note_branch(world, SIM_BRANCH_client_busy, 1);
            SY_ASSERT(outcomes[i].retry_ms > 0);
            tx->due_ns = world->now_ns + outcomes[i].retry_ms * MS;
            break;
        default:
            sim_fail(world, SIM_CHECK_VALIDITY, "validator %u answers with state %u",
                     validator->index, outcomes[i].state);
        }
    }
}

bool sim_clients_lonely(struct world *world)
{
    if (world->clients.stage == LONELY_STAGE) return false;
    world->clients.stage = LONELY_STAGE;
    world->clients.lonely_ns = world->now_ns;
    plan_stage(world);
    return true;
}

bool sim_clients_done(const struct world *world)
{
    const struct clients *clients = &world->clients;
    for (uint32_t i = 0; i < clients->count; i++) {
        const struct client_tx *tx = &clients->txs[i];
        bool done = tx->answered;
        if (tx->stage > clients->stage) continue;
        if (tx->kind == TX_GOOD) done = tx->applied;
        if (tx->kind == TX_STRANGER) done = tx->copies > 0;
        if (!done) return false;
    }
    return true;
}
