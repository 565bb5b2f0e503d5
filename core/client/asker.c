/* asker.c: asking one validator after the other until an answer is proven. */
#include "core/client/asker.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "core/base/assert.h"
#include "core/base/os.h"
#include "core/client/read.h"
#include "core/ledger/ledger.h"
#include "core/wire/tx.h"

#define CALL_MS_DEFAULT 5000
#define CONNECT_MS_DEFAULT 2500 /* a validator that is down should not keep anybody for long */
#define TURN_MS 3000     /* how long one validator is waited for before another is tried too */
#define PAUSE_MS 200     /* between two rounds in which nobody could help */
#define CATCH_UP_MS 5000 /* how long validators are waited for that are behind what is known */
#define PROOF_BYTES_MAX (2u * SY_FRAME_BYTES_MAX)

struct sy_asker {
    const struct sy_genesis *genesis;
    sy_epochs *epochs;
    const char *const *addresses;
    const char *validator; /* NULL: any */
    const struct sy_client_observer *observers;
    unsigned observer_count;
    bool observed; /* `observer` alone is asked: its place among the clients */
    unsigned observer;
    int call_ms;
    int connect_ms;
    unsigned turn;     /* whom to ask first */
    uint64_t expected; /* height that the state shall show */
    struct sy_proof proof;
    struct sy_roster roster; /* that the conversations are of: the newest, or one before it */
    sy_client *clients[SY_VALIDATORS_MAX + SY_ASKER_OBSERVERS_MAX];
};

/* ---- opening ------------------------------------------------------------------------------ */

static void find_observer(sy_asker *asker, const struct sy_asker_config *config)
{
    SY_ASSERT(config->observer_count <= SY_ASKER_OBSERVERS_MAX);
    asker->observers = config->observers;
    asker->observer_count = config->observer_count;
    for (unsigned i = 0; config->validator && i < config->observer_count; i++) {
        if (strcmp(config->observers[i].name, config->validator) != 0) continue;
        asker->observed = true;
        asker->observer = SY_ASKER_OBSERVER + i;
    }
}

sy_status sy_asker_open(sy_asker **out, const struct sy_asker_config *config, struct sy_error *err)
{
    uint32_t random;
    sy_asker *asker = (sy_asker *)calloc(1, sizeof *asker);
    if (!asker) return sy_fail(err, SY_ERR_NO_MEMORY, "network: no memory");
    sy_os_random(&random, sizeof random);
    asker->genesis = config->genesis;
    asker->addresses = config->addresses;
    asker->validator = config->validator;
    asker->call_ms = config->call_ms > 0 ? config->call_ms : CALL_MS_DEFAULT;
    asker->connect_ms = config->call_ms > 0 ? config->call_ms : CONNECT_MS_DEFAULT;
    find_observer(asker, config);
    asker->turn = random % config->genesis->roster.count;
    asker->roster = config->genesis->roster;
    sy_status status = sy_epochs_open(&asker->epochs, config->genesis, err);
    if (status == SY_OK) {
        *out = asker;
    } else {
        sy_asker_close(asker);
    }
    return status;
}

void sy_asker_close(sy_asker *asker)
{
    if (!asker) return;
    for (unsigned i = 0; i < SY_ASKER_OBSERVER + SY_ASKER_OBSERVERS_MAX; i++) {
        sy_client_close(asker->clients[i]);
    }
    sy_epochs_close(asker->epochs);
    free(asker);
}

const struct sy_genesis *sy_asker_genesis(const sy_asker *asker)
{
    return asker->genesis;
}

sy_epochs *sy_asker_epochs(const sy_asker *asker)
{
    return asker->epochs;
}

static const struct sy_validator *named(const struct sy_roster *roster, const char *name)
{
    for (unsigned i = 0; i < roster->count; i++) {
        if (strcmp(roster->validators[i].name, name) == 0) return &roster->validators[i];
    }
    return NULL;
}

/* Conversations go over to the newest roster known: with whoever has the key and the address of
 * before they go on. */
static void turn_over(sy_asker *asker)
{
    const struct sy_roster *newest = sy_epochs_newest(asker->epochs);
    if (newest->epoch == asker->roster.epoch) return;
    sy_client *clients[SY_VALIDATORS_MAX] = {NULL};
    for (unsigned i = 0; i < asker->roster.count; i++) {
        const struct sy_validator *old = &asker->roster.validators[i];
        const struct sy_validator *now = named(newest, old->name);
        if (now && sy_public_key_equal(&now->link_key, &old->link_key) &&
            strcmp(now->client_address, old->client_address) == 0) {
            clients[now - newest->validators] = asker->clients[i];
        } else {
            sy_client_close(asker->clients[i]);
        }
    }
    memcpy(asker->clients, clients, sizeof clients);
    asker->roster = *newest;
    asker->turn %= newest->count;
}

sy_status sy_asker_client(sy_asker *asker, sy_client **client, unsigned validator,
                          struct sy_error *err)
{
    turn_over(asker);
    SY_ASSERT(
        validator < asker->roster.count ||
        (validator >= SY_ASKER_OBSERVER && validator - SY_ASKER_OBSERVER < asker->observer_count));
    if (!asker->clients[validator] && validator >= SY_ASKER_OBSERVER) {
        struct sy_client_config config = {.epochs = asker->epochs,
                                          .observer =
                                              &asker->observers[validator - SY_ASKER_OBSERVER],
                                          .outstanding_max = 4,
                                          .connect_ms = asker->connect_ms};
        SY_TRY(sy_client_open(&asker->clients[validator], &config, err));
    } else if (!asker->clients[validator]) {
        struct sy_client_config config = {
            .epochs = asker->epochs,
            .validator = (uint16_t)validator,
            .address = sy_epochs_address(asker->epochs, asker->addresses, validator),
            .outstanding_max = 4,
            .connect_ms = asker->connect_ms};
        SY_TRY(sy_client_open(&asker->clients[validator], &config, err));
    }
    *client = asker->clients[validator];
    return SY_OK;
}

void sy_asker_drop(sy_asker *asker, unsigned validator)
{
    sy_client_close(asker->clients[validator]);
    asker->clients[validator] = NULL;
}

/* ---- one after the other ------------------------------------------------------------------ */

/* Asks one validator; anything but SY_OK lets the next one be asked. */
typedef sy_status (*ask_fn)(void *context, sy_asker *asker, sy_client *client,
                            struct sy_error *err);

/* What a validator cannot prove, so the others are asked too. */
static bool is_claim(sy_status status)
{
    return status == SY_ERR_NOT_FOUND || status == SY_ERR_PERMISSION || status == SY_ERR_PRUNED;
}

/* What the validators that were asked said. */
struct told {
    sy_status result;
    size_t used;
    char text[sizeof((struct sy_error *)NULL)->text];
};

static void note(struct told *told, sy_status status, const char *text)
{
    // Who has pruned cannot say that there never was such a thing, so nobody has said it.
    bool weaker = status == SY_ERR_PRUNED && told->result == SY_ERR_NOT_FOUND;
    if (told->result == SY_ERR_NETWORK || (is_claim(status) && !is_claim(told->result)) || weaker) {
        told->result = status;
    }
    if (told->used >= sizeof told->text) return;
    int size = snprintf(told->text + told->used, sizeof told->text - told->used, "%s%s",
                        told->used ? "; " : "", text);
    told->used += size > 0 ? (size_t)size : 0;
}

/* Asks the validators of the newest roster known in turn, each once; alone: only the one of this
 * name, if not NULL. SY_OK: one succeeded. */
static sy_status ask_round(sy_asker *asker, const char *alone, struct told *told, ask_fn ask,
                           void *context, struct sy_error *err)
{
    struct sy_error inner = {SY_OK, ""};
    uint32_t epoch = asker->roster.epoch;
    unsigned count = asker->observed ? 1 : asker->roster.count;
    unsigned turn = asker->observed ? 0 : asker->turn;
    SY_ASSERT(count > 0); // no roster is empty
    for (unsigned i = 0; i < count && epoch == sy_epochs_newest(asker->epochs)->epoch; i++) {
        unsigned validator = asker->observed ? asker->observer : (turn + i) % count;
        sy_client *client;
        if (!asker->observed && alone &&
            strcmp(asker->roster.validators[validator].name, alone) != 0)
            continue;
        // Somebody else's key there is no answer of this validator's, whatever dialling calls it.
        sy_status status = sy_asker_client(asker, &client, validator, &inner) == SY_OK
                               ? ask(context, asker, client, &inner)
                               : SY_ERR_NETWORK;
        if (status == SY_OK) {
            if (!asker->observed) asker->turn = validator;
            return SY_OK;
        }
        if (!is_claim(status)) sy_asker_drop(asker, validator);
        note(told, status, inner.text);
    }
    if (!asker->observed) asker->turn = (turn + 1) % count;
    return sy_fail(err, told->result, "%.500s", told->text);
}

/* Begins anew whenever the roster turns out to have changed. */
static sy_status ask_rounds(sy_asker *asker, const char *alone, ask_fn ask, void *context,
                            struct sy_error *err)
{
    for (;;) {
        struct told told = {.result = SY_ERR_NETWORK};
        turn_over(asker);
        sy_status status = ask_round(asker, alone, &told, ask, context, err);
        if (status == SY_OK) return SY_OK;
        if (asker->roster.epoch == sy_epochs_newest(asker->epochs)->epoch) return status;
    }
}

static sy_status ask_learn(void *context, sy_asker *asker, sy_client *client, struct sy_error *err)
{
    uint32_t before = sy_epochs_newest(asker->epochs)->epoch;
    (void)context;
    SY_TRY(sy_client_learn(client, asker->call_ms, err));
    if (sy_epochs_newest(asker->epochs)->epoch == before) return SY_OK;
    return sy_fail(err, SY_ERR_BUSY, "the roster has changed"); // its validators are asked anew
}

/* Whoever is to be asked alone may have come after the genesis: the others tell. */
static sy_status find_alone(sy_asker *asker, struct sy_error *err)
{
    struct sy_error inner = {SY_OK, ""};
    turn_over(asker);
    if (!asker->validator || asker->observed) return SY_OK;
    if (named(&asker->roster, asker->validator)) return SY_OK;
    (void)ask_rounds(asker, NULL, ask_learn, NULL, &inner);
    turn_over(asker);
    if (named(&asker->roster, asker->validator)) return SY_OK;
    return sy_fail(err, SY_ERR_ARGUMENT,
                   "the roster of epoch %u has no such name as '%.63s'%s%.300s",
                   (unsigned)asker->roster.epoch, asker->validator,
                   inner.text[0] ? ", and no later one is shown: " : "", inner.text);
}

/* Asks validators in turn. The result of the first that succeeds; else a claim, if anybody made
 * one; else SY_ERR_NETWORK or, when somebody answered at all, what was wrong with it. */
static sy_status ask_in_turn(sy_asker *asker, ask_fn ask, void *context, struct sy_error *err)
{
    SY_TRY(find_alone(asker, err));
    return ask_rounds(asker, asker->validator, ask, context, err);
}

sy_status sy_asker_learn(sy_asker *asker, struct sy_error *err)
{
    return ask_in_turn(asker, ask_learn, NULL, err);
}

/* ---- proven answers ----------------------------------------------------------------------- */

void sy_proven_free(struct sy_proven *proven)
{
    free(proven->bytes);
    proven->bytes = NULL;
    proven->size = 0;
}

sy_status sy_proven_take(struct sy_proven *proven, uint8_t *bytes, size_t size,
                         const struct sy_genesis *genesis, struct sy_error *err)
{
    const char *what = "not canonical";
    sy_proven_free(proven);
    proven->bytes = bytes;
    proven->size = size;
    memset(&proven->receipt, 0, sizeof proven->receipt);
    if (!sy_proof_decode(&proven->proof, sy_slice_of(bytes, size), &genesis->roster, &what)) {
        return sy_fail(err, SY_ERR_FORMAT, "this is not a proof that can be read (%s)", what);
    }
    if (proven->proof.kind != SY_PROOF_RECEIPT) return SY_OK;
    struct sy_reader r = sy_reader_of(proven->proof.receipt.receipt);
    if (sy_receipt_decode(&r, &proven->receipt) && sy_reader_done(&r)) return SY_OK;
    return sy_fail(err, SY_ERR_FORMAT, "this proof's receipt cannot be read");
}

sy_status sy_proven_load(struct sy_proven *proven, const char *path,
                         const struct sy_genesis *genesis, struct sy_error *err)
{
    uint8_t *bytes = NULL;
    size_t size = 0;
    const char *what = "";
    struct sy_error inner = {SY_OK, ""};
    SY_TRY(sy_os_read_file(&bytes, &size, path, SY_PROVEN_BYTES_MAX, err));
    sy_status status = sy_proven_take(proven, bytes, size, genesis, &inner);
    if (status != SY_OK) return sy_fail(err, status, "%s: %.400s", path, inner.text);
    if (sy_proof_verify(&proven->proof, genesis, NULL, &what)) return SY_OK;
    return sy_fail(err, SY_ERR_CRYPTO, "%s does not hold: %s", path, what);
}

/* Encodes a whole proof into fresh memory, with what anybody needs to check it alone. */
static sy_status take_proof(sy_asker *asker, struct sy_proven *proven, struct sy_proof *proof,
                            struct sy_error *err)
{
    proof->handovers = sy_epochs_handovers(asker->epochs, proof->header.epoch);
    size_t room = PROOF_BYTES_MAX + proof->handovers.size;
    uint8_t *bytes = (uint8_t *)malloc(room);
    if (!bytes) return sy_fail(err, SY_ERR_NO_MEMORY, "proof: no memory");
    struct sy_writer w = sy_writer_of(bytes, room);
    sy_proof_encode(&w, proof);
    SY_ASSERT(!w.failed); // made of what came in one frame
    uint8_t *fitted = (uint8_t *)realloc(bytes, w.used);
    return sy_proven_take(proven, fitted ? fitted : bytes, w.used, asker->genesis, err);
}

static sy_status take_final(sy_asker *asker, struct sy_proven *final, const struct sy_client_tx *tx,
                            struct sy_error *err)
{
    struct sy_proof *proof = &asker->proof;
    struct sy_reader certificate = sy_reader_of(tx->certificate);
    struct sy_reader body = sy_reader_of(tx->proof);
    memcpy(proof->network, sy_network_tag(asker->genesis), sizeof proof->network);
    proof->kind = SY_PROOF_RECEIPT;
    proof->header = *tx->header;
    // The client verified all of this; it is only put together again.
    bool decodes = sy_certificate_decode(&certificate, &proof->certificate, SY_ROSTER_UNKNOWN) &&
                   sy_receipt_proof_decode(&body, &proof->receipt);
    SY_ASSERT(decodes);
    sy_asker_expect(asker, proof->header.height);
    return take_proof(asker, final, proof, err);
}

/* ---- submitting and waiting --------------------------------------------------------------- */

static sy_status poll_for(sy_client *client, struct sy_client_event *event, uint64_t request,
                          int timeout_ms, struct sy_error *err)
{
    uint64_t end_ns = sy_os_monotonic_ns() + (uint64_t)timeout_ms * 1000000u;
    do {
        if (!sy_client_poll(client, event, 100) || event->request != request) continue;
        if (event->status == SY_OK) return SY_OK;
        return sy_fail(err, event->status, "%s: %s", sy_client_name(client),
                       event->text && event->text[0] ? event->text : sy_status_name(event->status));
    } while (sy_os_monotonic_ns() < end_ns);
    return sy_fail(err, SY_ERR_TIMEOUT, "%s did not answer within %d ms", sy_client_name(client),
                   timeout_ms);
}

struct submission {
    struct sy_slice tx;
    uint16_t code;
};

static sy_status ask_submit(void *context, sy_asker *asker, sy_client *client, struct sy_error *err)
{
    struct submission *submission = (struct submission *)context;
    struct sy_client_event event;
    uint64_t request;
    sy_status status = sy_client_submit(client, &request, &submission->tx, 1, asker->call_ms);
    if (status != SY_OK) {
        return sy_fail(err, status, "%s: %s", sy_client_name(client), sy_status_name(status));
    }
    SY_TRY(poll_for(client, &event, request, asker->call_ms, err));
    if (!event.outcomes || event.count != 1) {
        return sy_fail(err, SY_ERR_FORMAT, "%s answered another question", sy_client_name(client));
    }
    const struct sy_submit_outcome *outcome = &event.outcomes[0];
    if (outcome->state == SY_TX_RECEIVED || outcome->state == SY_TX_FINAL) return SY_OK;
    const struct sy_refusal_info *info = sy_refusal_info(outcome->code);
    if (outcome->code == SY_E_BUSY || outcome->code == SY_APPLIED) {
        return sy_fail(err, SY_ERR_BUSY, "%s is busy", sy_client_name(client));
    }
    if (outcome->state != SY_TX_REFUSED) {
        return sy_fail(err, SY_ERR_BUSY, "%s puts it off: %s, %s: %s", sy_client_name(client),
                       info->name, info->sentence, info->remedy);
    }
    submission->code = outcome->code;
    return sy_fail(err, SY_ERR_PERMISSION, "%s refuses it: %s, %s: %s", sy_client_name(client),
                   info->name, info->sentence, info->remedy);
}

sy_status sy_asker_submit(sy_asker *asker, uint16_t *code, struct sy_slice tx, struct sy_error *err)
{
    struct submission submission = {.tx = tx};
    sy_status status = ask_in_turn(asker, ask_submit, &submission, err);
    *code = submission.code;
    return status;
}

struct wait {
    struct sy_proven *final;
    const struct sy_awaited *awaited;
    bool with_tx;
    uint64_t end_ns;
};

static int left_ms(uint64_t end_ns)
{
    uint64_t now_ns = sy_os_monotonic_ns();
    return now_ns >= end_ns ? 0 : (int)((end_ns - now_ns) / 1000000u) + 1;
}

static sy_status ask_wait(void *context, sy_asker *asker, sy_client *client, struct sy_error *err)
{
    struct wait *wait = (struct wait *)context;
    struct sy_client_event event;
    uint64_t request;
    int ms = left_ms(wait->end_ns);
    if (ms > TURN_MS) ms = TURN_MS;
    sy_status status =
        sy_client_wait(client, &request, wait->awaited, 1, (uint32_t)ms, wait->with_tx);
    if (status != SY_OK) {
        return sy_fail(err, status, "%s: %s", sy_client_name(client), sy_status_name(status));
    }
    SY_TRY(poll_for(client, &event, request, ms + asker->call_ms, err));
    if (!event.txs || event.count != 1) {
        return sy_fail(err, SY_ERR_FORMAT, "%s answered another question", sy_client_name(client));
    }
    if (event.txs[0].state != SY_TX_FINAL) {
        return sy_fail(err, SY_ERR_NOT_FOUND, "%s: it is not final yet", sy_client_name(client));
    }
    return take_final(asker, wait->final, &event.txs[0], err);
}

static void pause_ms(int ms)
{
    struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = (ms % 1000) * 1000000l};
    (void)nanosleep(&time, NULL);
}

/* Waits at the validators in turn until one proves it final or the time is up. */
static sy_status wait_until(sy_asker *asker, struct wait *wait, struct sy_error *err)
{
    struct sy_error inner = {SY_OK, ""};
    while (left_ms(wait->end_ns) > 0) {
        sy_status status = ask_in_turn(asker, ask_wait, wait, &inner);
        if (status == SY_OK) return SY_OK;
        if (status != SY_ERR_NOT_FOUND) pause_ms(PAUSE_MS);
    }
    return sy_fail(err, SY_ERR_TIMEOUT,
                   "nobody proved in time that it is final; its outcome is unknown, and asking "
                   "again is safe (%.300s)",
                   inner.text);
}

sy_status sy_asker_wait(sy_asker *asker, struct sy_proven *final, const struct sy_awaited *awaited,
                        bool with_tx, int timeout_ms, struct sy_error *err)
{
    struct wait wait = {.final = final,
                        .awaited = awaited,
                        .with_tx = with_tx,
                        .end_ns = sy_os_monotonic_ns() + (uint64_t)timeout_ms * 1000000u};
    return wait_until(asker, &wait, err);
}

sy_status sy_asker_settle(sy_asker *asker, struct sy_proven *final, uint16_t *code,
                          struct sy_slice tx, bool with_tx, int timeout_ms, struct sy_error *err)
{
    struct sy_tx decoded;
    struct sy_awaited awaited;
    uint64_t end_ns = sy_os_monotonic_ns() + (uint64_t)timeout_ms * 1000000u;
    *code = SY_APPLIED;
    if (sy_tx_decode(&decoded, NULL, tx, NULL) != SY_APPLIED) {
        return sy_fail(err, SY_ERR_ARGUMENT, "these bytes are no transaction");
    }
    sy_awaited_of(&awaited, &asker->genesis->hash, &decoded);
    sy_status status = SY_ERR_TIMEOUT;
    while (left_ms(end_ns) > 0) {
        status = sy_asker_submit(asker, code, tx, err);
        if (status == SY_ERR_PERMISSION) return status;
        if (status != SY_OK) {
            pause_ms(PAUSE_MS);
            continue;
        }
        // A turn, then the same bytes go to whoever is asked next: the first may keep them back.
        uint64_t turn_ns = sy_os_monotonic_ns() + 2u * TURN_MS * 1000000ull;
        struct wait wait = {.final = final,
                            .awaited = &awaited,
                            .with_tx = with_tx,
                            .end_ns = turn_ns < end_ns ? turn_ns : end_ns};
        status = wait_until(asker, &wait, err);
        if (status == SY_OK) return SY_OK;
    }
    return status;
}

/* ---- reads -------------------------------------------------------------------------------- */

struct question {
    struct sy_proven *answer;
    struct sy_read_request read;
    const sy_secret_key *key;
    int64_t max_age_ms;
    bool behind; /* somebody has yet to come to what is expected */
};

void sy_asker_expect(sy_asker *asker, uint64_t height)
{
    if (height > asker->expected) asker->expected = height;
}

uint64_t sy_asker_expected(const sy_asker *asker)
{
    return asker->expected;
}

static sy_status ask_read(void *context, sy_asker *asker, sy_client *client, struct sy_error *err)
{
    struct question *question = (struct question *)context;
    struct sy_slice bytes;
    sy_read_sign(&question->read, question->key, asker->genesis);
    SY_TRY(sy_client_read(client, &bytes, &asker->proof, &question->read, asker->call_ms, err));
    int64_t age_ms = sy_os_wall_ms() - asker->proof.header.time_ms;
    bool of_state = question->read.subject == SY_READ_STATE;
    if (of_state && asker->proof.header.height < asker->expected) {
        question->behind = true;
        return sy_fail(err, SY_ERR_TIMEOUT, "%s is at block %llu, and block %llu is known",
                       sy_client_name(client), (unsigned long long)asker->proof.header.height,
                       (unsigned long long)asker->expected);
    }
    if (of_state && question->max_age_ms > 0 && age_ms > question->max_age_ms) {
        return sy_fail(err, SY_ERR_TIMEOUT,
                       "%s proves only what was so %lld s ago; the network may stand still",
                       sy_client_name(client), (long long)(age_ms / 1000));
    }
    return take_proof(asker, question->answer, &asker->proof, err);
}

sy_status sy_asker_read(sy_asker *asker, struct sy_proven *answer,
                        const struct sy_read_request *read, const sy_secret_key *key,
                        int64_t max_age_ms, struct sy_error *err)
{
    struct question question = {
        .answer = answer, .read = *read, .key = key, .max_age_ms = max_age_ms};
    uint64_t end_ns = sy_os_monotonic_ns() + CATCH_UP_MS * 1000000ull;
    for (;;) {
        question.behind = false;
        sy_status status = ask_in_turn(asker, ask_read, &question, err);
        if (status == SY_OK || !question.behind || left_ms(end_ns) == 0) return status;
        pause_ms(PAUSE_MS);
    }
}

struct notices_question {
    struct sy_client_notices *notices;
    struct sy_read_request read;
    const sy_secret_key *key;
};

static sy_status ask_notices(void *context, sy_asker *asker, sy_client *client,
                             struct sy_error *err)
{
    struct notices_question *question = (struct notices_question *)context;
    struct sy_notices_asked asked;
    bool canonical = sy_read_notices_asked(&asked, &question->read);
    SY_ASSERT(canonical);
    sy_read_sign(&question->read, question->key, asker->genesis);
    return sy_client_get_notices(client, question->notices, &question->read,
                                 asker->call_ms + (int)asked.wait_ms, err);
}

sy_status sy_asker_notices(sy_asker *asker, struct sy_client_notices *notices,
                           const struct sy_read_request *read, const sy_secret_key *key,
                           struct sy_error *err)
{
    struct notices_question question = {.notices = notices, .read = *read, .key = key};
    return ask_in_turn(asker, ask_notices, &question, err);
}

void sy_asker_pass(sy_asker *asker)
{
    if (!asker->observed) asker->turn = (asker->turn + 1) % asker->roster.count;
}

/* ---- searching ---------------------------------------------------------------------------- */

struct find_question {
    struct sy_found *found;
    char *told_by;
    const struct sy_find *query;
    struct sy_read_request read;
    const sy_secret_key *key;
};

static sy_status ask_find(void *context, sy_asker *asker, sy_client *client, struct sy_error *err)
{
    struct find_question *question = (struct find_question *)context;
    sy_read_sign(&question->read, question->key, asker->genesis);
    SY_TRY(sy_client_find(client, question->found, &question->read, question->query, asker->call_ms,
                          err));
    (void)snprintf(question->told_by, SY_NAME_BYTES_MAX + 1, "%s", sy_client_name(client));
    return SY_OK;
}

sy_status sy_asker_find(sy_asker *asker, struct sy_found *found,
                        char told_by[SY_NAME_BYTES_MAX + 1], const struct sy_find *query,
                        uint8_t purpose, const sy_secret_key *key, struct sy_error *err)
{
    struct find_question question = {
        .found = found, .told_by = told_by, .query = query, .key = key};
    question.read.purpose = purpose;
    sy_read_find(&question.read, query);
    return ask_in_turn(asker, ask_find, &question, err);
}

/* ---- blocks ------------------------------------------------------------------------------- */

/* Block 0 has no certificate: everybody derives it. */
static bool is_genesis_block(const struct sy_genesis *genesis, const struct sy_header *header)
{
    struct sy_hash own, theirs;
    sy_header_hash(&theirs, &genesis->hash, header);
    return sy_ledger_genesis_hash(&own, genesis) == SY_OK && sy_hash_equal(&own, &theirs);
}

/* The entries that ran stand under the header's batches root. */
static bool order_fits(const struct sy_proposal *order, const struct sy_header *header)
{
    struct sy_hash root;
    sy_proposal_batches_root(&root, order);
    return sy_hash_equal(&root, &header->batches_root) && order->slot == header->height;
}

struct block_question {
    struct sy_client_block *block;
    uint64_t height;
    bool behind; /* as of a read */
};

static sy_status ask_block(void *context, sy_asker *asker, sy_client *client, struct sy_error *err)
{
    struct block_question *question = (struct block_question *)context;
    struct sy_client_block *block = question->block;
    SY_TRY(sy_client_get_block(client, block, question->height, asker->call_ms, err));
    // Any block that ever was is certified: of an old one somebody might say that it is the newest.
    if (question->height == SY_HEIGHT_NEWEST && block->header.height < asker->expected) {
        question->behind = true;
        return sy_fail(err, SY_ERR_TIMEOUT,
                       "%s says that block %llu is the newest, and %llu is known",
                       sy_client_name(client), (unsigned long long)block->header.height,
                       (unsigned long long)asker->expected);
    }
    bool fits = block->header.height == 0 ? is_genesis_block(asker->genesis, &block->header)
                                          : order_fits(&block->order, &block->header);
    if (fits) return SY_OK;
    return sy_fail(err, SY_ERR_CRYPTO, "%s sent a block whose parts do not fit each other",
                   sy_client_name(client));
}

sy_status sy_asker_block(sy_asker *asker, struct sy_client_block *block, uint64_t height,
                         struct sy_error *err)
{
    struct block_question question = {.block = block, .height = height};
    uint64_t end_ns = sy_os_monotonic_ns() + CATCH_UP_MS * 1000000ull;
    for (;;) {
        question.behind = false;
        sy_status status = ask_in_turn(asker, ask_block, &question, err);
        if (status == SY_OK || !question.behind || left_ms(end_ns) == 0) return status;
        pause_ms(PAUSE_MS);
    }
}

struct ids_question {
    struct sy_block_ids *ids;
    struct sy_read_request read;
    const sy_secret_key *key;
};

static sy_status ask_ids(void *context, sy_asker *asker, sy_client *client, struct sy_error *err)
{
    struct ids_question *question = (struct ids_question *)context;
    struct sy_block_ids *ids = question->ids;
    struct sy_slice told;
    sy_read_sign(&question->read, question->key, asker->genesis);
    SY_TRY(sy_client_get_ids(client, &told, &question->read, asker->call_ms, err));
    ids->ids = (struct sy_hash *)malloc(told.size + 1);
    if (!ids->ids) return sy_fail(err, SY_ERR_NO_MEMORY, "ids: no memory");
    if (told.size > 0) memcpy(ids->ids, told.data, told.size);
    ids->count = (uint32_t)(told.size / 32);
    (void)snprintf(ids->told_by, sizeof ids->told_by, "%s", sy_client_name(client));
    return SY_OK;
}

sy_status sy_asker_ids(sy_asker *asker, struct sy_block_ids *ids, uint64_t height, uint8_t purpose,
                       const sy_secret_key *key, struct sy_error *err)
{
    struct ids_question question = {.ids = ids, .key = key};
    memset(ids, 0, sizeof *ids);
    question.read.purpose = purpose;
    sy_read_ids(&question.read, height);
    return ask_in_turn(asker, ask_ids, &question, err);
}

void sy_block_ids_free(struct sy_block_ids *ids)
{
    free(ids->ids);
    ids->ids = NULL;
}
