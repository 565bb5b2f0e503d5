/* valid.h: .syvalid, a proof of how a credential stood at a time gone by: valid, or why not.
 * Anybody can check it offline with only the genesis file.
 *
 *        block H            time T             block H + 1              the newest block
 *     ----[header]--------------x--------------[header + seals]- ... -[state: the credential,
 *             ^------------ previous --------------'                    suspensions k and k + 1]
 *
 * The certified header of block H + 1 names the one before it by its hash: so H is the last block
 * at T or before it, and what was executed up to H is what counted at T. State of H or later tells
 * the rest, since its entries only grow: when the key was enrolled and revoked, and each suspension
 * of its organisation (core/wire/state_org.h). With number k begun by H, and k + 1 begun later or
 * absent from a state of H or later, k is the last that can count; k = 0: there was none.
 *
 *   magic "SYVALID1" | 16 network tag | 32 key | i64 time | u8 has header; if 1: the header of H
 *   | header of H + 1 | certificate | u64 k | u8 entries (1 to 3), each: header | certificate
 *   | state body (core/wire/proof.h) | handovers to the newest of its epochs | 32 checksum
 *
 * There is no header of H if H is 0, which has no certificate and which nobody needs to be shown.
 * Entries: the credential; then, only if it was not invalid by itself and has an organisation,
 * suspension k unless k is 0, and suspension k + 1. Nothing else is a proof. */
#ifndef SY_CLIENT_VALID_H
#define SY_CLIENT_VALID_H

#include "core/client/asker.h"
#include "core/client/at_time.h"

#define SY_VALID_ENTRIES_MAX 3u

struct sy_valid_entry {
    struct sy_header header;
    struct sy_certificate certificate;
    struct sy_state_proof state; /* borrows */
};

/* Too large for a small stack. */
struct sy_valid {
    uint8_t network[SY_NETWORK_TAG_BYTES];
    struct sy_public_key key;
    int64_t time_ms;        /* T */
    struct sy_header block; /* H; only its height, 0, counts if that is 0 */
    struct sy_header next;
    struct sy_certificate next_certificate;
    uint64_t suspension; /* k */
    uint8_t entry_count;
    struct sy_valid_entry entries[SY_VALID_ENTRIES_MAX];
    struct sy_slice handovers; /* borrowed */
};

/* sy_valid_is: do these bytes begin as such a file? */
bool sy_valid_is(struct sy_slice bytes);
void sy_valid_encode(struct sy_writer *w, const struct sy_valid *valid);
/* Borrows from bytes. *what: what cannot be read. Nothing is verified. */
bool sy_valid_decode(struct sy_valid *valid, struct sy_slice bytes, const char **what);

/* sy_valid_judge says how the credential stood, if the entries are those that tell it: of this key,
 * its organisation and these numbers, from states of H or later, each leading to the state root of
 * its header. Headers are taken at their word here. SY_ERR_CRYPTO, err saying what does not fit. */
sy_status sy_valid_judge(enum sy_at_verdict *verdict, const struct sy_valid *valid,
                         struct sy_error *err);

/* sy_valid_verify checks all of it against the genesis, and judges; sy_valid_verify_by lets
 * somebody else decide each signature. SY_ERR_CRYPTO: it proves nothing; or why there is no memory.
 */
sy_status sy_valid_verify(enum sy_at_verdict *verdict, const struct sy_valid *valid,
                          const struct sy_genesis *genesis, struct sy_error *err);
sy_status sy_valid_verify_by(const struct sy_verifier *verifier, enum sy_at_verdict *verdict,
                             const struct sy_valid *valid, const struct sy_genesis *genesis,
                             struct sy_error *err);

/* ---- asking ------------------------------------------------------------------------------- */

/* What was asked of a network. Zero it first. Too large for a small stack. */
struct sy_valid_asked {
    struct sy_valid valid; /* borrows the answers */
    struct sy_proven answers[SY_VALID_ENTRIES_MAX];
    struct sy_client_block block; /* work area */
    bool has_next;                /* a block is known behind H: only then can it be kept */
    enum sy_at_verdict verdict;
};
void sy_valid_asked_free(struct sy_valid_asked *asked);

/* sy_valid_ask finds out how a key's credential stood at a height or a time (at_time.h), read with
 * purpose and max_age_ms as sy_asker_read. A height stands for the time of its block, and so does a
 * time that no block has passed yet for that of the newest one. A key without a credential was not
 * enrolled. What the caller expects (sy_asker_expect) bounds how old a block one validator may call
 * the newest. SY_ERR_ARGUMENT: it is no key for transactions; SY_ERR_BUSY: which block was the last
 * at that time is not known; or as sy_asker_read. */
sy_status sy_valid_ask(struct sy_valid_asked *asked, sy_asker *asker,
                       const struct sy_public_key *credential, uint64_t at, uint8_t purpose,
                       const sy_secret_key *key, int64_t max_age_ms, struct sy_error *err);

/* sy_valid_pack gives the file's bytes, malloc'ed; sy_valid_keep writes it. Verified first as
 * anybody will. SY_ERR_NOT_FOUND: no block is known that is later, so nothing bounds the time yet.
 */
sy_status sy_valid_pack(struct sy_valid_asked *asked, sy_asker *asker, uint8_t **bytes,
                        size_t *size, struct sy_error *err);
sy_status sy_valid_keep(struct sy_valid_asked *asked, sy_asker *asker, const char *path,
                        struct sy_error *err);

#endif
