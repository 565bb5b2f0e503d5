#include "consensus/node/runner.h"

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

/* Either the next block or a question; one queue keeps the thread's waiting simple. */
struct task {
    bool is_question;
    uint64_t token;
    struct sy_hash key_hash;
    struct sy_proposal proposal;
};

struct sy_runner {
    sy_executor *executor;
    sy_ring *inbox;
    sy_ring *tasks;
    sy_ring *free_slots;
    sy_runner_proved proved;
    void *self;
    sy_arena arena;
    pthread_t thread;
    bool started;
    struct slot slots[SLOTS];
    struct task task;
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
        sy_executor_prove(runner->executor, &runner->proof, &runner->task.key_hash, &err);
    struct sy_writer writer = sy_writer_of(runner->proof_bytes, sizeof runner->proof_bytes);
    if (status == SY_OK) sy_state_proof_encode(&writer, &runner->proof);
    if (writer.failed) status = SY_ERR_LIMIT;
    runner->proved(runner->self, runner->task.token, status, &header, sy_writer_slice(&writer));
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
    sy_status status =
        sy_executor_run(runner->executor, &slot->executed, &runner->task.proposal, &err);
    struct sy_inbox_item item = {.type = SY_INBOX_EXECUTED, .pointer = &slot->executed};
    if (status == SY_OK) {
        keep_ids(slot);
    } else {
        SY_LOG(SY_LOG_ERROR, "node", "execution_failed", SY_F_TEXT("what", err.text));
        item = (struct sy_inbox_item){
            .type = SY_INBOX_FAILED, .status = status, .pointer = "execution"};
        sy_ring_stop(runner->tasks);
    }
    (void)sy_ring_push_wait(runner->inbox, &item);
    return status == SY_OK;
}

static void *run(void *self)
{
    sy_runner *runner = (sy_runner *)self;
    while (sy_ring_pop_wait(runner->tasks, &runner->task, -1)) {
        if (runner->task.is_question) {
            answer(runner);
        } else if (!execute(runner)) {
            break;
        }
    }
    return NULL;
}

static sy_status open_parts(sy_runner *runner, struct sy_error *err)
{
    size_t ids = SY_PROPOSAL_ENTRIES_MAX * SY_BATCH_TXS_MAX * sizeof(struct sy_hash);
    size_t bytes = SLOTS * (ids + 64) + (BLOCKS + QUESTIONS) * sizeof(struct task) + (1u << 20);
    SY_TRY(sy_arena_open(&runner->arena, bytes));
    SY_TRY(sy_ring_open(&runner->tasks, &runner->arena, BLOCKS + QUESTIONS, sizeof(struct task)));
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
    if (runner->tasks != NULL) sy_ring_stop(runner->tasks);
    if (runner->free_slots != NULL) sy_ring_stop(runner->free_slots);
    if (runner->started) sy_thread_join(runner->thread);
    sy_ring_close(runner->tasks);
    sy_ring_close(runner->free_slots);
    sy_arena_close(&runner->arena);
    free(runner);
}

bool sy_runner_execute(sy_runner *runner, const struct sy_proposal *proposal)
{
    struct task task = {.proposal = *proposal};
    return sy_ring_push_wait(runner->tasks, &task);
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
    if (sy_ring_count(runner->tasks) >= QUESTIONS) return false;
    struct task task = {.is_question = true, .token = token, .key_hash = *key_hash};
    return sy_ring_push(runner->tasks, &task);
}
