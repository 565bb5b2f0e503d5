/* ledger_store.h: a validator's store as a network would leave it: batches of really signed
 * transactions, executed block by block, with certificates; and, where a test asks for it, one
 * thing in one block that is not as it should be. */
#ifndef SY_TESTS_SUPPORT_LEDGER_STORE_H
#define SY_TESTS_SUPPORT_LEDGER_STORE_H

#include "core/ledger/ledger.h"
#include "core/store/store.h"
#include "tests/support/changes.h"
#include "tests/support/state_source.h"

/* What is wrong with a block. Of the first group execution knows nothing: the rest of the block is
 * as it follows from it. The second changes what is stored after everything was made. */
enum ledger_fault {
    FAULT_NONE,
    FAULT_TX_SIGNATURE,    /* a cosigner's, flipped before the maker signed the batch */
    FAULT_POSSESSION,      /* a proof of possession, of something else */
    FAULT_BATCH_SIGNATURE, /* the maker's */
    FAULT_ID_ROOT,         /* of the batch, signed by its maker all the same */
    FAULT_HEADER,
    FAULT_ORDER,
    FAULT_RECEIPTS,
    FAULT_DELTAS, /* stored; what the state shows is right */
    FAULT_TX_IDS,
    FAULT_CERTIFICATE,
    FAULT_BODY, /* a byte of a stored body */
    FAULT_BODY_MISSING,
    FAULT_STATE,     /* the state shows another value; the ledger is right */
    FAULT_COUNT,     /* of what any block can have; of a later epoch also: */
    FAULT_OLD_ROSTER /* the certificate is by the genesis's validators */
};

#define LEDGER_STORE_TXS                                                    \
    3u /* of each block: an org.register, the same again, one of a stranger \
        */

struct ledger_store {
    struct sy_genesis genesis;
    sy_store *store;
    struct sy_store_config config;
    sy_ledger *ledger;
    struct state_array state;
    struct sy_header header;
    struct sy_roster roster; /* that orders and seals it */
    uint64_t next_seq[4];    /* of the genesis's validators */
    unsigned next_key;       /* of the next organisation's admin */
    uint64_t nonce;
    uint8_t *batch_room;
};

/* ledger_store_open makes block 0. folder NULL: the in-memory twin; else an LMDB store there. */
void ledger_store_open(struct ledger_store *ls, const char *folder);
void ledger_store_close(struct ledger_store *ls);

/* ledger_store_block adds a block of one batch of LEDGER_STORE_TXS transactions; certified: with
 * its certificate. ledger_store_empty adds an empty one. The batches are of the four
 * validators in turn; ledger_store_block_of names one, who must be in the roster. */
void ledger_store_block(struct ledger_store *ls, bool certified, enum ledger_fault fault);
void ledger_store_block_of(struct ledger_store *ls, unsigned maker, bool certified,
                           enum ledger_fault fault);
void ledger_store_empty(struct ledger_store *ls, bool certified);

/* ledger_store_change proves and approves a change of the roster, runs it in a block of validator
 * 0's and goes on with empty ones, all certified, to the first block of the new epoch;
 * ledger_store_change_by names the maker. */
void ledger_store_change(struct ledger_store *ls, struct test_change *change);
void ledger_store_change_by(struct ledger_store *ls, struct test_change *change, unsigned maker);

#endif
