/* hash.h: SHA-256 and HMAC, and the three ways in which systole hashes (DESIGN.md, "Hashes").
 *
 *     leaf    SHA-256(0x00 || data), RFC 6962 2.1; a transaction's id is the leaf of its body
 *     node    SHA-256(0x01 || left || right), RFC 6962 2.1
 *     digest  SHA-256(0x02 || kind || genesis || layout), for all else that is signed or linked
 *     trie    prefixes 0x03 and 0x05, see core/ledger/trie.h
 *
 * The first byte keeps the classes apart, so no value of one class can be offered as another.
 * OpenSSL does the hashing, through contexts kept per thread: fetching an algorithm by name costs
 * more than hashing 64 bytes (OpenSSL 3.0). Nothing fails: a machine without SHA-256 or without
 * memory ends the process. Everything here may be called from any thread. */
#ifndef SY_CRYPTO_HASH_H
#define SY_CRYPTO_HASH_H

#include "core/base/bytes.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Kinds of digest; the byte after 0x02. Signature kinds (engine.h) and digest kinds share one
 * numbering: a kind below 64 is signed, one from 64 on is only linked. */
enum sy_digest_kind {
    SY_DIGEST_POSSESSION = 2,
    SY_DIGEST_BATCH = 3,
    SY_DIGEST_PRE_PREPARE = 4,
    SY_DIGEST_PREPARE = 5,
    SY_DIGEST_COMMIT = 6,
    SY_DIGEST_VIEW_CHANGE = 7,
    SY_DIGEST_NEW_VIEW = 8,
    SY_DIGEST_SEAL = 9,
    SY_DIGEST_APPROVAL = 10,
    SY_DIGEST_STATUS = 11,
    SY_DIGEST_READ = 12,
    SY_DIGEST_EVIDENCE = 13,
    SY_DIGEST_PROPOSAL = 64,
    SY_DIGEST_HEADER = 65,
    SY_DIGEST_ROSTER = 66,
    SY_DIGEST_GENESIS = 67,
    SY_DIGEST_WITNESS = 68
};

/* Incremental SHA-256. init, any number of updates, final. No memory is held afterwards. The
 * thread has one context for it: do not interleave two incremental hashes in one thread. The
 * functions below may come in between. */
void sy_sha256_init(void);
void sy_sha256_update(const void *data, size_t size);
void sy_sha256_final(struct sy_hash *out);

/* sy_sha256 hashes one run of bytes; sy_sha512 likewise (64 bytes out). */
void sy_sha256(struct sy_hash *out, const void *data, size_t size);
void sy_sha512(uint8_t out[64], const void *data, size_t size);

/* sy_hash_leaf is the RFC 6962 leaf hash; sy_hash_node the inner node's. */
void sy_hash_leaf(struct sy_hash *out, struct sy_slice data);
void sy_hash_node(struct sy_hash *out, const struct sy_hash *left, const struct sy_hash *right);

/* sy_hash_prefixed is SHA-256(prefix || a || b), for the trie. */
void sy_hash_prefixed(struct sy_hash *out, uint8_t prefix, const struct sy_hash *a,
                      const struct sy_hash *b);

/* sy_hash_digest is SHA-256(0x02 || kind || genesis || layout). */
void sy_hash_digest(struct sy_hash *out, enum sy_digest_kind kind, const struct sy_hash *genesis,
                    struct sy_slice layout);

/* HMAC-SHA-256 (RFC 2104). */
void sy_hmac_sha256(struct sy_hash *out, struct sy_slice key, struct sy_slice data);

#ifdef __cplusplus
}
#endif
#endif
