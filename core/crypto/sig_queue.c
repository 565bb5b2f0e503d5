/* sig_queue.c: see sig_queue.h. */
#include "core/crypto/sig_queue.h"

#include <stdlib.h>

#include "core/base/assert.h"

struct sy_sig_queue {
    sy_engine *engine;
    bool *item; /* what comes is of this one */
    uint32_t count;
    struct sy_sig_job jobs[SY_SIG_QUEUE_MAX];
    bool *items[SY_SIG_QUEUE_MAX]; /* whose each job is */
    uint8_t verdicts[SY_SIG_QUEUE_MAX];
};

sy_status sy_sig_queue_open(sy_sig_queue **out, sy_engine *engine, struct sy_error *err)
{
    sy_sig_queue *queue = (sy_sig_queue *)calloc(1, sizeof *queue);
    *out = queue;
    if (!queue) return sy_fail(err, SY_ERR_NO_MEMORY, "signatures: no memory");
    queue->engine = engine;
    return SY_OK;
}

void sy_sig_queue_close(sy_sig_queue *queue)
{
    free(queue);
}

void sy_sig_queue_item(sy_sig_queue *queue, bool *holds)
{
    *holds = true;
    queue->item = holds;
}

uint32_t sy_sig_queue_count(const sy_sig_queue *queue)
{
    return queue->count;
}

static void decide_all(sy_sig_queue *queue)
{
    struct sy_submission submission = {.jobs = queue->jobs,
                                       .job_count = queue->count,
                                       .verdicts = queue->verdicts,
                                       .confirm_negatives = true};
    if (queue->count == 0) return;
    sy_status status = sy_engine_run(queue->engine, &submission);
    SY_ASSERT(status == SY_OK); // it fails for too many leaves only
    for (uint32_t i = 0; i < queue->count; i++) {
        if (!queue->verdicts[i]) *queue->items[i] = false;
    }
    queue->count = 0;
}

void sy_sig_queue_decide(sy_sig_queue *queue)
{
    decide_all(queue);
    queue->item = NULL;
}

/* The verifier's: takes one, and says yes; of a thing so long that one of its signatures was found
 * bad meanwhile, no, so that a forged one costs no more than a queue full. */
static bool take(void *self, const struct sy_public_key *key, enum sy_sig_kind kind,
                 const struct sy_hash *digest, const struct sy_signature *signature)
{
    sy_sig_queue *queue = (sy_sig_queue *)self;
    SY_ASSERT(queue->item);
    if (queue->count == SY_SIG_QUEUE_MAX) decide_all(queue);
    if (!*queue->item) return false;
    queue->items[queue->count] = queue->item;
    queue->jobs[queue->count++] = (struct sy_sig_job){.key = *key,
                                                      .signature = *signature,
                                                      .digest = *digest,
                                                      .leaf = SY_JOB_NO_LEAF,
                                                      .key_handle = SY_KEY_HANDLE_NONE,
                                                      .kind = (uint8_t)kind};
    return true;
}

struct sy_verifier sy_sig_queue_verifier(sy_sig_queue *queue)
{
    return (struct sy_verifier){queue, take};
}
