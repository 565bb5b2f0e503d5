/* runner.h: the execution thread: blocks in order, and proofs of state in between. */
#ifndef SY_NODE_RUNNER_H
#define SY_NODE_RUNNER_H

#include "consensus/node/executor.h"
#include "consensus/node/inbox.h"

typedef struct sy_runner sy_runner;

/* Where an answered question goes: the header under which it was proved, and the proof's encoding
 * (proof.h). Called on the execution thread; bytes are borrowed for the call. status: not SY_OK
 * when it could not be proved. */
typedef void (*sy_runner_proved)(void *self, uint64_t token, sy_status status,
                                 const struct sy_header *header, struct sy_slice proof);

/* sy_runner_open starts the thread. EXECUTED and FAILED go to inbox. executor is borrowed. */
sy_status sy_runner_open(sy_runner **runner, sy_executor *executor, sy_ring *inbox,
                         sy_runner_proved proved, void *self, struct sy_error *err);

/* sy_runner_close finishes the block under way, then ends the thread. NULL is fine. */
void sy_runner_close(sy_runner *runner);

/* sy_runner_execute queues a block. False: the thread has failed. Consensus thread. */
bool sy_runner_execute(sy_runner *runner, const struct sy_proposal *proposal);

/* sy_runner_release gives back what an EXECUTED pointed at. Consensus thread. */
void sy_runner_release(sy_runner *runner, const struct sy_executed *executed);

/* sy_runner_prove queues a question. False: too many wait. Any one thread. */
bool sy_runner_prove(sy_runner *runner, uint64_t token, const struct sy_hash *key_hash);

#endif
