/* samples.h: one of everything that travels, whole and sound, as bytes: the corpus of the fuzz
 * targets, the golden files of the formats, and the start of tests that break things.
 *
 * A sample's name is <decoder>/<what>, and its bytes stand in tests/fuzz/corpus/<name>. They are
 * deterministic; tests/unit/test_wire_samples.c compares them with the files, so that a format
 * never changes unnoticed, and writes them when SYSTOLE_REGENERATE=1. */
#ifndef SY_TESTS_SUPPORT_SAMPLES_H
#define SY_TESTS_SUPPORT_SAMPLES_H

#include "core/wire/evidence.h"
#include "core/wire/request.h"
#include "core/wire/vote.h"
#include "tests/support/network.h"

#define TEST_SAMPLES_MAX 320u

struct test_sample {
    char name[64];
    struct sy_slice bytes;
};

/* test_samples gives all samples of the network of test_genesis(4); the bytes live for ever. */
unsigned test_samples(struct test_sample *out);

/* test_sample finds one by name and fails hard when there is none. */
struct sy_slice test_sample(const char *name);

/* test_accepted encodes a message and says whether a validator of n takes it. */
bool test_accepted(const struct sy_message *message, unsigned n);

#define TEST_BLOCK_TXS 5u
#define TEST_BLOCK_BATCHES 2u

/* A block of two batches and five receipts, one of them a refusal, as execution would leave it. */
struct test_block {
    struct sy_genesis genesis;
    uint8_t batch_room[TEST_BLOCK_BATCHES][8192];
    struct sy_slice batches[TEST_BLOCK_BATCHES];
    struct sy_slice txs[TEST_BLOCK_TXS];
    struct sy_slice receipts[TEST_BLOCK_TXS];
    uint8_t room[16384];
    struct test_entry state[7];
    struct sy_proposal proposal;
    struct sy_header header;
    struct sy_certificate certificate;
};

/* test_block_make fills one; it borrows its own bytes, so it must stay where it is. */
void test_block_make(struct test_block *block);
/* What a WAIT for transaction i holds. */
struct sy_awaited test_block_awaited(const struct test_block *block, unsigned i);
/* The proof of transaction i's receipt, and of what stands under a key of the state. */
void test_block_prove_receipt(struct sy_proof *proof, const struct test_block *block, unsigned i,
                              bool with_tx);
void test_block_prove_state(struct sy_proof *proof, const struct test_block *block,
                            const struct sy_hash *key_hash);

/* test_evidence makes what validator `signer` leaves behind that signs messages of a type for two
 * different digests, test_hash(1) and test_hash(2). slot is a seal's height; a seal's view is 0. */
void test_evidence(struct sy_evidence *evidence, const struct sy_genesis *genesis, uint8_t type,
                   uint16_t signer, uint64_t view, uint64_t slot);

/* test_register fills an org.register of organisation org whose admin key is key `admin`, with its
 * real proof of possession for a sponsor and a nonce. */
void test_register(union sy_payload *payload, const struct sy_genesis *genesis,
                   const struct sy_hash *org, unsigned admin, unsigned sponsor, uint64_t nonce);

#endif
