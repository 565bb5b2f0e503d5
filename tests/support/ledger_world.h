/* ledger_world.h: a ledger over a plain array of state, and a small health system living on it.
 *
 * Transactions are whole and well formed, but their signatures are zeros: execution never looks at
 * them, because admission verified them before a batch could be ordered. Nonces count upwards by
 * key unless a test says otherwise; each block is one second later than the one before. */
#ifndef SY_TESTS_SUPPORT_LEDGER_WORLD_H
#define SY_TESTS_SUPPORT_LEDGER_WORLD_H

#include "core/ledger/ledger.h"
#include "core/wire/receipt.h"
#include "core/wire/state.h"
#include "tests/support/network.h"
#include "tests/support/state_source.h"

/* Who lives here after world_populate, by key number (network.h). */
enum {
    REGULATOR_1 = TEST_REGULATOR,
    REGULATOR_2 = TEST_REGULATOR + 1,
    ADMIN_A = 100, /* hospital A ... */
    GATEWAY_A,
    DOCTOR_A,
    NURSE_A,
    PHARMACIST_A,
    LAB_A,
    ADMIN_B = 120, /* practice B ... */
    GATEWAY_B,
    DOCTOR_B,
    NURSE_B,
    WALLET_CLAIMED = 150, /* of PATIENT_CLAIMED */
    FRESH_KEY = 200       /* nobody's, and all from here to 399 */
};

/* By hash number. Patients were enrolled by A. */
enum {
    ORG_A = 2000,
    ORG_B,
    ORG_NONE,
    PATIENT = 5000, /* unclaimed */
    PATIENT_CLAIMED,
    PATIENT_NONE,
    FRESH_ID = 10000 /* unused, and all above */
};

#define WORLD_VALIDATORS 4u

struct world_tx {
    uint16_t kind;
    union sy_payload payload;
    unsigned keys[SY_TX_SIGNERS_MAX]; /* key numbers, first signer first */
    unsigned key_count;
    struct sy_hash organisation;
    uint64_t nonce;         /* 0: the key's next */
    int64_t valid_until_ms; /* 0: an hour after the block */
};

struct ledger_world {
    struct sy_genesis genesis;
    struct state_array state;
    struct sy_ledger_config config;
    sy_ledger *ledger;
    struct sy_header header;        /* the newest */
    uint64_t nonces[TEST_KEYS_MAX]; /* the last one that was not given explicitly */
    int64_t step_ms;
    uint8_t *batch; /* being filled: SY_BATCH_BYTES_MAX */
    size_t batch_bytes;
    uint32_t batch_txs;
    struct sy_block_result result; /* of the newest block */
    struct sy_receipt receipt;     /* what world_submit gave last */
    uint8_t *payload_room;         /* for the payload that is being added */
    uint8_t *list_room;            /* for parts and lists */
    struct sy_writer lists;
    struct sy_error err;
};

/* world_open starts at genesis. bucket_leaves and trie_bytes_max as in sy_ledger_config.
 * world_open_of does so with n validators. */
void world_open(struct ledger_world *world, unsigned bucket_leaves, size_t trie_bytes_max);
void world_open_of(struct ledger_world *world, unsigned n);
void world_close(struct ledger_world *world);

/* world_copy opens another world with the state, height and nonces of one that fills no batch. */
void world_copy(struct ledger_world *world, const struct ledger_world *from, unsigned bucket_leaves,
                size_t trie_bytes_max);

/* world_reopen closes the ledger and opens it over the same state, as a restart does. */
void world_reopen(struct ledger_world *world);
/* world_try_reopen does so over a state that may be damaged; the world has no ledger if it fails.
 */
sy_status world_try_reopen(struct ledger_world *world);

/* world_tx_of begins a transaction of one signer who acts for organisation number org (0: none). */
struct world_tx world_tx_of(uint16_t kind, unsigned key, unsigned org);
void world_cosign(struct world_tx *tx, unsigned key);

/* world_add appends a transaction to the batch being filled; false: it is full. */
bool world_add(struct ledger_world *world, const struct world_tx *tx);

/* world_next_seq is the number of a maker's next batch, as the state has it. */
uint64_t world_next_seq(const struct ledger_world *world, unsigned maker);
/* world_batch ends the batch being filled as maker's batch seq; a maker is an index of the next
 * block's roster. The bytes stand until the next world_add. */
struct sy_slice world_batch(struct ledger_world *world, unsigned maker, uint64_t seq);
/* world_entry is the proposal entry that names a batch. */
struct sy_block_entry world_entry(const struct ledger_world *world, unsigned maker, uint64_t seq,
                                  struct sy_slice batch);

/* world_execute runs one block of these entries and applies it; asserts that it succeeds. */
void world_execute(struct ledger_world *world, const struct sy_block_entry *entries, size_t count);

/* world_run runs the batch being filled as validator 0's next. */
void world_run(struct ledger_world *world);

/* world_receipt decodes the newest block's receipt of transaction index. */
void world_receipt(const struct ledger_world *world, struct sy_receipt *receipt, uint32_t index);

/* world_submit runs one transaction in a block of its own and returns the receipt's code; the whole
 * receipt is world->receipt until the next block. */
enum sy_refusal world_submit(struct ledger_world *world, const struct world_tx *tx);

/* world_find gives the value under a key, or false. */
bool world_find(const struct ledger_world *world, struct sy_slice *value,
                const struct sy_hash *key_hash);

/* Atomic transactions: start with world_tx_of(SY_KIND_atomic, ...). */
void world_part(struct ledger_world *world, struct world_tx *tx, uint16_t kind, unsigned signer,
                const union sy_payload *payload);

/* Payloads that keep every rule; tests change one thing. */
struct world_tx world_register(unsigned org, unsigned kind, unsigned admin);
struct world_tx world_issue(const struct ledger_world *world, unsigned issuer, unsigned org,
                            unsigned role, unsigned key);
struct world_tx world_enrol(unsigned key, unsigned org, unsigned patient);
struct world_tx world_open_care(unsigned key, unsigned org, unsigned care, unsigned patient);
/* A patient's consent to, or denial of, every action for every purpose, for a year; grantee is a
 * key number, the number of an organisation, or a role. */
struct world_tx world_grant(const struct ledger_world *world, unsigned key, unsigned consent,
                            unsigned patient, unsigned grantee_kind, unsigned grantee);
struct world_tx world_deny(const struct ledger_world *world, unsigned key, unsigned consent,
                           unsigned patient, unsigned grantee_kind, unsigned grantee);
/* Passes a grant on, for half a year, with everything but sharing. */
struct world_tx world_delegate(const struct ledger_world *world, unsigned key, unsigned org,
                               unsigned consent, unsigned patient, unsigned parent,
                               unsigned grantee_kind, unsigned grantee);
struct world_tx world_revoke(unsigned key, unsigned consent, unsigned patient);
struct world_tx world_record(unsigned key, unsigned role, unsigned org, unsigned record,
                             unsigned patient);
struct world_tx world_amend(unsigned key, unsigned role, unsigned org, unsigned record,
                            uint32_t prev_version);
struct world_tx world_retract(unsigned key, unsigned org, unsigned record);

/* world_populate registers A and B with all who stand above. */
void world_populate(struct ledger_world *world);

#endif
