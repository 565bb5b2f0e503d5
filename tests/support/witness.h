/* witness.h: four validators' client side over one known block (samples.h), each of which tells the
 * truth about it, or behaves as a validator should not: adversaries for tests of the client. */
#ifndef SY_TESTS_SUPPORT_WITNESS_H
#define SY_TESTS_SUPPORT_WITNESS_H

#include <pthread.h>
#include <stdatomic.h>

#include "core/client/asker.h"
#include "core/net/server.h"
#include "core/wire/request.h"
#include "tests/support/epochs.h"
#include "tests/support/samples.h"

enum witness_mode {
    WITNESS_TRUE,
    WITNESS_SILENT,   /* says hello and answers nothing else */
    WITNESS_BUSY,     /* refuses every request: busy */
    WITNESS_GARBLED,  /* the truth with one byte changed, in what is proven */
    WITNESS_OTHER,    /* the truth about something else than was asked */
    WITNESS_DENIES,   /* there is no such thing; every transaction is refused */
    WITNESS_PRUNED,   /* a read, or a block that is to come: pruned; else the truth */
    WITNESS_NONSENSE, /* bytes that are no answer */
    WITNESS_ABSENT,   /* says what it should prove: that an entry is absent; else the truth */
    WITNESS_EMPTY,    /* notices: none yet; else the truth */
    WITNESS_HIDING    /* notices: all asked for are there, and not to be shown; else the truth */
};

#define WITNESSES 4u

struct witness {
    struct test_block *block;
    const struct test_epochs *epochs; /* NULL: only the genesis's roster ever was */
    unsigned index;
    char address[64];
    sy_server *server;
    pthread_t thread;
    atomic_int mode;      /* enum witness_mode */
    atomic_int handovers; /* of HANDOVERS alone, when it is not WITNESS_TRUE */
    atomic_bool stopping;
    atomic_uint asked; /* requests other than HELLO */
    /* Blocks before the block and behind it, one a second, that are blocks and nothing more: the
     * one that it calls the newest, and the last that it shows. 0: the block. */
    atomic_uint told, shown;
};

struct witnesses {
    struct test_block block;
    struct test_epochs epochs;
    uint8_t pending[64 + SY_ROSTER_CHANGE_BYTES_MAX]; /* the state's entry about epoch 3 */
    struct witness of[WITNESSES + 1]; /* the last one only after witnesses_start_late */
    unsigned count;
    const char *addresses[WITNESSES];
};

/* witnesses_start makes the block and starts all four, telling the truth. witnesses_start_with
 * gives the block another state of exactly TEST_BLOCK_ENTRIES entries, which are borrowed. */
#define TEST_BLOCK_ENTRIES 7u
void witnesses_start(struct witnesses *all);
void witnesses_start_with(struct witnesses *all, const struct test_entry *entries);
/* witnesses_start_late makes the block one of epoch 2 (epochs.h), and starts a fifth: validator 4,
 * who is not in the genesis. Validator 1 does not know its new keys. In the block's state the
 * change to epoch 3 is pending, which that height orders first. */
#define WITNESS_EPOCH 2u
#define WITNESS_PENDING 139u
void witnesses_start_late(struct witnesses *all);
void witnesses_stop(struct witnesses *all);
/* witnesses_set_time gives the block another time, and seals it anew. Before anybody is asked. */
void witnesses_set_time(struct witnesses *all, int64_t time_ms);
/* witnesses_set lets witness `but` tell the truth and all others behave like mode; but > WITNESSES:
 * all behave like mode. Resets counts and blocks; lets all tell the truth about handovers. */
void witnesses_set(struct witnesses *all, enum witness_mode mode, unsigned but);

/* witnesses_ask opens a client that knows the genesis and their addresses. validator: the only one
 * to be asked, by name, or NULL; call_ms: how long one call may take. */
sy_asker *witnesses_ask(const struct witnesses *all, const char *validator, int call_ms);
/* How long a test waits for what comes, on a busy machine too. */
#define WITNESS_PATIENCE_MS 60000
/* What each finds in the directory, whatever it is asked for: WITNESS_FOUND ids, the i-th of which,
 * from 1, is witness_found(i) and begins with that byte. WITNESS_OTHER: also those that do not
 * begin as the search asks. */
#define WITNESS_FOUND 5u
struct sy_hash witness_found(uint8_t i);
/* witness_read is a read of one patient of the block's state. */
struct sy_read_request witness_read(unsigned id);

#endif
