/* asker.h: a whole network as a client sees it: every validator may be down, slow or lying, and
 * the next one is asked.
 *
 *     question --> validator a --- no answer, or one that does not hold ---> validator b --> ...
 *                       |
 *                       +--- an answer that is proven ---> done
 *
 * Conversations (client.h) are opened when first needed and kept. They are with the validators of
 * the newest roster known: when an answer shows that it changed, those that came are asked too, and
 * those that left no more (epochs.h). What cannot be proven by one
 * ("there is no such transaction", "your key may not read that", a refusal before ordering) is
 * believed only when every validator that answers says so. An observer of the caller's may be asked
 * alone, in a validator's stead. One thread at a time.
 *
 * Every call that asks: SY_ERR_ARGUMENT, when only one validator is to be asked and no roster that
 * anybody shows has its name. */
#ifndef SY_CLIENT_ASKER_H
#define SY_CLIENT_ASKER_H

#include "core/client/client.h"
#include "core/crypto/keys.h"

typedef struct sy_asker sy_asker;

#define SY_ASKER_OBSERVERS_MAX 8u
/* The place of observer 0 where validators are named by their index; the others come behind. */
#define SY_ASKER_OBSERVER SY_VALIDATORS_MAX

struct sy_asker_config {
    const struct sy_genesis *genesis; /* borrowed */
    const char *const *addresses;     /* client addresses in the order of the genesis's roster,
                                         borrowed (sy_epochs_address); NULL: the roster's */
    const char *validator;            /* ask only the one of this name, in whichever roster is the
                                         newest; borrowed; NULL: any, beginning at a random one */
    const struct sy_client_observer *observers; /* borrowed; asked only by name, as validator: what
                                                   one of them claims counts for itself */
    unsigned observer_count;                    /* at most SY_ASKER_OBSERVERS_MAX */
    int call_ms; /* how long one validator may take; 0: 5,000, and 2,500 to
                    connect */
};

/* sy_asker_open talks to nobody yet. */
sy_status sy_asker_open(sy_asker **asker, const struct sy_asker_config *config,
                        struct sy_error *err);
void sy_asker_close(sy_asker *asker); /* NULL is fine */
const struct sy_genesis *sy_asker_genesis(const sy_asker *asker);

/* sy_asker_epochs are the rosters known so far; borrowed. */
sy_epochs *sy_asker_epochs(const sy_asker *asker);

/* sy_asker_learn follows the rosters to the newest one that anybody shows, asking until a validator
 * of the newest roster known knows none that is newer. SY_ERR_NETWORK: none answers. */
sy_status sy_asker_learn(sy_asker *asker, struct sy_error *err);

/* A proven answer that owns its bytes: a whole .syproof with its handovers, decoded; for a
 * transaction its receipt too. Zero it first; sy_proven_free frees the bytes. Too large for a small
 * stack. */
struct sy_proven {
    uint8_t *bytes;
    size_t size;
    struct sy_proof proof;     /* borrows bytes */
    struct sy_receipt receipt; /* of a RECEIPT proof; borrows bytes */
};
void sy_proven_free(struct sy_proven *proven);

/* sy_proven_take decodes size bytes of malloc'ed memory, which proven owns from then on, even after
 * a failure. SY_ERR_FORMAT: no proof. Nothing is verified. */
sy_status sy_proven_take(struct sy_proven *proven, uint8_t *bytes, size_t size,
                         const struct sy_genesis *genesis, struct sy_error *err);

/* sy_proven_load reads a proof's file, takes it, and verifies it against the genesis.
 * SY_ERR_FORMAT: no proof; SY_ERR_CRYPTO: it does not hold; else as sy_os_read_file. What it is
 * about is the caller's to compare. */
#define SY_PROVEN_BYTES_MAX (64u << 20) /* with many handovers */
sy_status sy_proven_load(struct sy_proven *proven, const char *path,
                         const struct sy_genesis *genesis, struct sy_error *err);

/* sy_asker_submit hands a transaction to one validator. SY_OK: it was received, which promises
 * nothing. SY_ERR_PERMISSION: every validator refuses it before ordering, *code says why.
 * SY_ERR_NETWORK: none answers. */
sy_status sy_asker_submit(sy_asker *asker, uint16_t *code, struct sy_slice tx,
                          struct sy_error *err);

/* sy_asker_wait waits until the transaction is final; awaited (sy_awaited_of) shows that the caller
 * has it. with_tx: the proof carries the transaction itself. SY_ERR_TIMEOUT: it is not, as far as
 * anybody could prove within timeout_ms; the outcome is unknown and asking again is safe. */
sy_status sy_asker_wait(sy_asker *asker, struct sy_proven *final, const struct sy_awaited *awaited,
                        bool with_tx, int timeout_ms, struct sy_error *err);

/* sy_asker_settle submits and waits, through another validator whenever one makes no progress.
 * Results as of the two above. */
sy_status sy_asker_settle(sy_asker *asker, struct sy_proven *final, uint16_t *code,
                          struct sy_slice tx, bool with_tx, int timeout_ms, struct sy_error *err);

/* sy_asker_expect: what is read of the state from now on shall show this height. What the asker
 * proved to be final it expects by itself. The newest block is asked for likewise.
 * sy_asker_expected is the highest so far; 0: none. */
void sy_asker_expect(sy_asker *asker, uint64_t height);
uint64_t sy_asker_expected(const sy_asker *asker);

/* sy_asker_read signs the read (subject, state_kind, id, second and purpose are the caller's)
 * with key for each validator that is asked. An answer about the state that is older than
 * max_age_ms (0: any age) is not taken: it may be valid and yet hide what happened since. Nor is
 * one from before the height expected, of a validator that has yet to come so far: others are
 * asked, and all once more for some seconds, so that who wrote reads what was written.
 * SY_ERR_NOT_FOUND, SY_ERR_PERMISSION, SY_ERR_TIMEOUT (only older answers), SY_ERR_NETWORK. */
sy_status sy_asker_read(sy_asker *asker, struct sy_proven *answer,
                        const struct sy_read_request *read, const sy_secret_key *key,
                        int64_t max_age_ms, struct sy_error *err);

/* sy_asker_notices asks for notices (sy_read_notices of core/wire/notice.h makes the read, purpose
 * is the caller's), signed with key. None is SY_OK too, and one validator's word; sy_asker_pass
 * lets the next one be asked first from then on. SY_ERR_PERMISSION, SY_ERR_PRUNED, SY_ERR_NETWORK.
 */
sy_status sy_asker_notices(sy_asker *asker, struct sy_client_notices *notices,
                           const struct sy_read_request *read, const sy_secret_key *key,
                           struct sy_error *err);
void sy_asker_pass(sy_asker *asker);

/* sy_asker_block: header, certificate and order of a block, verified against each other and the
 * genesis. height: SY_HEIGHT_NEWEST for the newest that one validator can show, which is none from
 * before the height expected: others are asked, as in sy_asker_read. It may still be older than
 * what others have, so whoever needs more than its word expects a height first. */
sy_status sy_asker_block(sy_asker *asker, struct sy_client_block *block, uint64_t height,
                         struct sy_error *err);

/* The ids of a block's transactions, as one validator tells them: only each transaction's own proof
 * proves it. */
struct sy_block_ids {
    struct sy_hash *ids; /* malloc'ed */
    uint32_t count;
    char told_by[SY_NAME_BYTES_MAX + 1];
};
/* sy_asker_ids asks for them in the name of key, which must be a member's.
 * SY_ERR_PERMISSION: it is none. sy_block_ids_free frees them, zeroed ones too. */
sy_status sy_asker_ids(sy_asker *asker, struct sy_block_ids *ids, uint64_t height, uint8_t purpose,
                       const sy_secret_key *key, struct sy_error *err);
void sy_block_ids_free(struct sy_block_ids *ids);

/* sy_asker_find searches the directory (core/wire/find.h) in the name of key. What is found is the
 * word of one validator, named in told_by: read each entry. SY_ERR_PERMISSION, SY_ERR_NETWORK. */
sy_status sy_asker_find(sy_asker *asker, struct sy_found *found,
                        char told_by[SY_NAME_BYTES_MAX + 1], const struct sy_find *query,
                        uint8_t purpose, const sy_secret_key *key, struct sy_error *err);

/* sy_asker_client is the conversation with one validator, by its index in the newest roster known,
 * or with observer i as SY_ASKER_OBSERVER + i,
 * opened if need be; borrowed until something else is asked. */
sy_status sy_asker_client(sy_asker *asker, sy_client **client, unsigned validator,
                          struct sy_error *err);
/* sy_asker_drop closes it; the next call opens another. */
void sy_asker_drop(sy_asker *asker, unsigned validator);

#endif
