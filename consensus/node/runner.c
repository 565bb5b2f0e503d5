#include "consensus/node/runner.h"

#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "core/base/arena.h"
#include "core/base/assert.h"
#include "core/base/telemetry.h"
#include "core/base/thread.h"

#define BLOCKS (2u * SY_PBFT_WINDOW)
#define QUESTIONS 256u
#define SLOTS 4u
#define PROOF_BYTES (SY_TRIE_DEPTH_MAX * 32u + SY_STATE_VALUE_BYTES_MAX + 1024u)

/* One executed block on its way to the consensus thread, with the ids it points at. */
struct slot {
    struct sy_executed executed;
    struct sy_hash *ids; /* SY_PROPOSAL_ENTRIES_MAX * SY_BATCH_TXS_MAX at most; lazily touched */
};

struct question {
    uint64_t token;
    struct sy_hash key_hash;
};

struct sy_runner {
    sy_executor *executor;
    sy_ring *inbox;
    sy_ring *blocks;    /* struct sy_proposal; served first, so that no reader delays a block */
    sy_ring *questions; /* struct question */
    sy_ring *free_slots;
    sy_runner_proved proved;
    void *self;
    sy_arena arena;
    pthread_t thread;
    bool started;
    atomic_bool stopping;
    struct slot slots[SLOTS];
    struct sy_proposal proposal;
    struct question question;
    struct sy_state_proof proof;
    uint8_t proof_bytes[PROOF_BYTES];
};

static void answer(sy_runner *runner)
{
    struct sy_error err;
    struct sy_header header;
    struct sy_hash hash;
    sy_executor_head(runner->executor, &header, &hash);
    sy_status status =
        sy_executor_prove(runner->executor, &runner->proof, &runner->question.key_hash, &err);
    struct sy_writer writer = sy_writer_of(runner->proof_bytes, sizeof runner->proof_bytes);
    if (status == SY_OK) sy_state_proof_encode(&writer, &runner->proof);
    if (writer.failed) status = SY_ERR_LIMIT;
    runner->proved(runner->self, runner->question.token, status, &header, sy_writer_slice(&writer));
}

/* The ids belong to the executor until its next run; the slot's copy lives until released. */
static void keep_ids(struct slot *slot)
{
    size_t used = 0;
    for (uint32_t i = 0; i < slot->executed.ran_count; i++) {
        struct sy_node_ran *ran = &slot->executed.ran[i];
        memcpy(slot->ids + used, ran->tx_ids, ran->tx_count * sizeof(struct sy_hash));
        ran->tx_ids = slot->ids + used;
        used += ran->tx_count;
    }
}

static bool execute(sy_runner *runner)
{
    struct slot *slot;
    if (!sy_ring_pop_wait(runner->free_slots, &slot, -1)) return false;
    struct sy_error err = {SY_OK, ""};
    sy_status status = sy_executor_run(runner->executor, &slot->executed, &runner->proposal, &err);
    struct sy_inbox_item item = {.type = SY_INBOX_EXECUTED, .pointer = &slot->executed};
    if (status == SY_OK) {
        keep_ids(slot);
    } else {
        SY_LOG(SY_LOG_ERROR, "node", "execution_failed", SY_F_TEXT("what", err.text));
        item = (struct sy_inbox_item){
            .type = SY_INBOX_FAILED, .status = status, .pointer = "execution"};
        sy_ring_stop(runner->blocks);
    }
    (void)sy_ring_push_wait(runner->inbox, &item);
    return status == SY_OK;
}

static void wait_for_work(const sy_runner *runner)
{
    struct pollfd fds[] = {{.fd = sy_ring_fd(runner->blocks), .events = POLLIN},
                           {.fd = sy_ring_fd(runner->questions), .events = POLLIN}};
    (void)poll(fds, 2, -1);
}

static void *run(void *self)
{
    sy_runner *runner = (sy_runner *)self;
    while (!atomic_load(&runner->stopping)) {
        if (sy_ring_pop(runner->blocks, &runner->proposal)) {
            if (!execute(runner)) break;
        } else if (sy_ring_pop(runner->questions, &runner->question)) {
            answer(runner);
        } else {
            wait_for_work(runner);
        }
    }
    return NULL;
}

static sy_status open_parts(sy_runner *runner, struct sy_error *err)
{
    size_t ids = SY_PROPOSAL_ENTRIES_MAX * SY_BATCH_TXS_MAX * sizeof(struct sy_hash);
    size_t bytes = SLOTS * (ids + 64) + BLOCKS * sizeof(struct sy_proposal) +
                   QUESTIONS * sizeof(struct question) + (1u << 20);
    SY_TRY(sy_arena_open(&runner->arena, bytes));
    SY_TRY(sy_ring_open(&runner->blocks, &runner->arena, BLOCKS, sizeof(struct sy_proposal)));
    SY_TRY(sy_ring_open(&runner->questions, &runner->arena, QUESTIONS, sizeof(struct question)));
    SY_TRY(sy_ring_open(&runner->free_slots, &runner->arena, SLOTS, sizeof(struct slot *)));
    for (unsigned i = 0; i < SLOTS; i++) {
        struct slot *slot = &runner->slots[i];
        slot->ids =
            SY_CARVE(&runner->arena, struct sy_hash, SY_PROPOSAL_ENTRIES_MAX * SY_BATCH_TXS_MAX);
        if (slot->ids == NULL) return SY_ERR_NO_MEMORY;
        (void)sy_ring_push(runner->free_slots, &slot);
    }
    SY_TRY(sy_thread_start(&runner->thread, "sy-execute", run, runner, err));
    runner->started = true;
    return SY_OK;
}

sy_status sy_runner_open(sy_runner **out, sy_executor *executor, sy_ring *inbox,
                         sy_runner_proved proved, void *self, struct sy_error *err)
{
    sy_runner *runner = (sy_runner *)calloc(1, sizeof *runner);
    if (runner == NULL) return sy_fail(err, SY_ERR_NO_MEMORY, "execution thread: no memory");
    runner->executor = executor;
    runner->inbox = inbox;
    runner->proved = proved;
    runner->self = self;
    sy_status status = open_parts(runner, err);
    if (status != SY_OK) {
        sy_runner_close(runner);
        return sy_fail(err, status, "the execution thread cannot start (%s)",
                       sy_status_name(status));
    }
    *out = runner;
    return SY_OK;
}

void sy_runner_close(sy_runner *runner)
{
    if (runner == NULL) return;
    atomic_store(&runner->stopping, true);
    if (runner->blocks != NULL) sy_ring_stop(runner->blocks);
    if (runner->questions != NULL) sy_ring_stop(runner->questions);
    if (runner->free_slots != NULL) sy_ring_stop(runner->free_slots);
    if (runner->started) sy_thread_join(runner->thread);
    sy_ring_close(runner->blocks);
    sy_ring_close(runner->questions);
    sy_ring_close(runner->free_slots);
    sy_arena_close(&runner->arena);
    free(runner);
}

bool sy_runner_execute(sy_runner *runner, const struct sy_proposal *proposal)
{
    return sy_ring_push_wait(runner->blocks, proposal);
}

void sy_runner_release(sy_runner *runner, const struct sy_executed *executed)
{
    for (unsigned i = 0; i < SLOTS; i++) {
        struct slot *slot = &runner->slots[i];
        if (&slot->executed == executed) (void)sy_ring_push(runner->free_slots, &slot);
    }
}

bool sy_runner_prove(sy_runner *runner, uint64_t token, const struct sy_hash *key_hash)
{
    struct question question = {token, *key_hash};
    return sy_ring_push(runner->questions, &question);
}
