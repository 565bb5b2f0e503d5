/* network.h: a network of known keys, and small things made of them: what tests of the wire and of
 * the rooms above it start from. Everything is deterministic: the same numbers give the same bytes
 * on every machine (RFC 8032 signatures need no randomness). */
#ifndef SY_TESTS_SUPPORT_NETWORK_H
#define SY_TESTS_SUPPORT_NETWORK_H

#include "core/base/prng.h"
#include "core/crypto/keys.h"
#include "core/wire/batch.h"
#include "core/wire/block.h"
#include "core/wire/genesis.h"
#include "core/wire/proof.h"
#include "core/wire/schema.h"
#include "core/wire/tx.h"
#include "core/wire/view_change.h"

/* Keys have numbers below TEST_KEYS_MAX. Validator i has keys 3 i (consensus), 3 i + 1 (link) and
 * 3 i + 2 (admin); regulators follow from TEST_REGULATOR on; the rest is anybody's. */
#define TEST_KEYS_MAX 512u
#define TEST_REGULATOR 400u
#define TEST_GENESIS_MS 1700000000000ll

/* test_key is the number-th secret key, made once and kept. test_public is its public half. */
const sy_secret_key *test_key(unsigned number);
struct sy_public_key test_public(unsigned number);
/* test_number is the number of a key of these; it fails hard for any other. */
unsigned test_number(const struct sy_public_key *key);

/* test_hash is a number-th 32-byte value that is neither zero nor any other one's. */
struct sy_hash test_hash(unsigned number);

/* test_genesis makes a sealed genesis of n validators and two regulators. */
void test_genesis(struct sy_genesis *genesis, unsigned n);

/* test_payload fills a random payload that keeps every rule of its kind; lists are written into
 * room. The payload borrows room's bytes and static text. */
void test_payload(union sy_payload *payload, const struct sy_kind *kind, struct sy_writer *room,
                  sy_prng *prng);

/* test_tx_begin gives a tx's fields: this network, first signer keys[0], cosigners the others. */
void test_tx_begin(struct sy_tx *tx, const struct sy_genesis *genesis, uint16_t kind,
                   const unsigned *keys, unsigned key_count);

/* test_tx_sign encodes tx (its payload set) and signs it with the same keys. Returns the bytes, in
 * room. */
struct sy_slice test_tx_sign(struct sy_writer *room, const struct sy_tx *tx, const unsigned *keys,
                             unsigned key_count);

/* test_tx makes a whole tx of one signer around a payload. */
struct sy_slice test_tx(struct sy_writer *room, const struct sy_genesis *genesis,
                        const struct sy_kind *kind, const union sy_payload *payload, unsigned key);

/* test_batch makes a signed batch of transactions by a maker; data has SY_BATCH_BYTES_MAX room. */
struct sy_slice test_batch(void *data, const struct sy_genesis *genesis, unsigned maker,
                           uint64_t seq, const struct sy_slice *txs, unsigned count);

/* test_certificate seals a header with the first quorum of the genesis's validators. */
void test_certificate(struct sy_certificate *certificate, const struct sy_genesis *genesis,
                      const struct sy_header *header);
/* test_certify does so with the first quorum of any roster of these keys; genesis: its hash. */
void test_certify(struct sy_certificate *certificate, const struct sy_hash *genesis,
                  const struct sy_roster *roster, const struct sy_header *header);

/* test_prepared_by fills in who states it: the lowest validators of n that a certificate of a view
 * and holder can name. */
void test_prepared_by(struct sy_prepared *prepared, unsigned n, uint16_t holder);

/* A set of state entries, in any order, and its trie by the definition alone. */
struct test_entry {
    struct sy_hash key_hash;
    struct sy_slice value;
};
void test_trie_root(struct sy_hash *root, const struct test_entry *entries, unsigned count);
void test_trie_prove(struct sy_state_proof *proof, const struct test_entry *entries, unsigned count,
                     const struct sy_hash *key_hash);

#endif
