/* sig_queue.h: the signatures of many things, decided together by an engine.
 *
 * A check that asks a sy_verifier (keys.h) for each signature is given the queue's: it notes what
 * is asked, and says yes. So one check after the other goes through all it has to but signatures,
 * and then these are decided, some hundred at a time, which engines are far better at:
 *
 *     sy_sig_queue_item(queue, &holds);            what comes is of this thing
 *     hopeful = check(thing, verifier)             of sy_sig_queue_verifier
 *     ... more items ...
 *     sy_sig_queue_decide(queue);
 *     hopeful && holds                             the verdict
 *
 * This is right for checks that say no whenever a signature does, whatever else they then do: with
 * every signature good, yes-sayer and judge answer alike. When the verdict is no, the check may be
 * done again with sy_verifier_openssl to learn what fails first; a verdict of no on a signature was
 * confirmed by OpenSSL.
 *
 * Memory is fixed: a queue that is full decides what it has. One thread. */
#ifndef SY_CRYPTO_SIG_QUEUE_H
#define SY_CRYPTO_SIG_QUEUE_H

#include <stdbool.h>

#include "core/crypto/engine.h"

typedef struct sy_sig_queue sy_sig_queue;

/* So many signatures are decided by one submission. */
#define SY_SIG_QUEUE_MAX 1024u

/* sy_sig_queue_open: the engine is borrowed, and works in the thread that decides (sy_engine_run).
 * SY_ERR_NO_MEMORY. close drops what is not decided; NULL is fine. */
sy_status sy_sig_queue_open(sy_sig_queue **queue, sy_engine *engine, struct sy_error *err);
void sy_sig_queue_close(sy_sig_queue *queue);

/* sy_sig_queue_item begins a thing: *holds becomes true, and false when one of the signatures asked
 * for until the next item turns out bad. It must stay until they are decided. */
void sy_sig_queue_item(sy_sig_queue *queue, bool *holds);

/* sy_sig_queue_verifier is good as long as the queue is open. Asserts that an item was begun. */
struct sy_verifier sy_sig_queue_verifier(sy_sig_queue *queue);

/* sy_sig_queue_count is how many signatures wait. */
uint32_t sy_sig_queue_count(const sy_sig_queue *queue);

/* sy_sig_queue_decide decides all that waits; what is asked for afterwards needs a new item. */
void sy_sig_queue_decide(sy_sig_queue *queue);

#endif
