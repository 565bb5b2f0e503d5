/* test_wire_tx.c: transactions: form, limits, ids, and the signatures inside payloads. */
#include "tests/support/test.h"

#include <string.h>

#include "core/crypto/hash.h"
#include "tests/support/samples.h"

#define PAYLOAD_BYTES 33u /* of care.close: an id, and that nobody died */

#define SIGNER 300u

static struct sy_genesis genesis;
static uint8_t room[SY_TX_BYTES_MAX + 65536];
static struct sy_writer w;
static struct sy_tx tx;
static const char *what;

static int prepare(void **state)
{
    (void)state;
    test_genesis(&genesis, 4);
    return 0;
}

// A fresh care.close of one signer, encoded at the start of room: 32 bytes of payload.
static struct sy_slice make_simple(void)
{
    union sy_payload payload = {0};
    payload.care_close.care_id = test_hash(5);
    w = sy_writer_of(room, sizeof room);
    what = NULL;
    struct sy_slice bytes =
        test_tx(&w, &genesis, sy_kind_by_number(SY_KIND_care_close), &payload, SIGNER);
    memmove(room, bytes.data, bytes.size);
    w.used = bytes.size;
    return sy_writer_slice(&w);
}

static void assert_refused(struct sy_slice bytes, enum sy_refusal code, const char *field)
{
    enum sy_refusal got = sy_tx_decode(&tx, &what, bytes, sy_network_tag(&genesis));
    assert_int_equal(got, code);
    assert_string_equal(what, field);
    assert_int_equal(sy_tx_decode(&tx, NULL, bytes, sy_network_tag(&genesis)), code);
}

CASE(tx_decodes_to_what_was_encoded)
{
    struct sy_slice bytes = make_simple();
    struct sy_public_key signer = test_public(SIGNER);
    struct sy_hash organisation = test_hash(2000);
    assert_int_equal(sy_tx_decode(&tx, &what, bytes, sy_network_tag(&genesis)), SY_APPLIED);
    assert_int_equal(tx.version, SY_TX_VERSION);
    assert_int_equal(tx.kind, SY_KIND_care_close);
    assert_memory_equal(tx.network, genesis.hash.bytes, 16);
    assert_true(sy_public_key_equal(&tx.signer, &signer));
    assert_true(sy_hash_equal(&tx.organisation, &organisation));
    assert_int_equal(tx.nonce, 1);
    assert_int_equal(tx.valid_until_ms, TEST_GENESIS_MS + 3600 * 1000);
    assert_int_equal(tx.cosigner_count, 0);
    assert_int_equal(tx.payload.size, PAYLOAD_BYTES);
    assert_int_equal(tx.body.size + tx.signatures.size, bytes.size);
}

CASE(layout_is_the_offset_table)
{
    struct sy_slice bytes = make_simple();
    const uint8_t *p = bytes.data;
    struct sy_public_key signer = test_public(SIGNER);
    assert_int_equal(bytes.size, 104 + PAYLOAD_BYTES + 64);
    assert_int_equal(p[0], 1);
    assert_int_equal(sy_load_u16(p + 1), SY_KIND_care_close);
    assert_memory_equal(p + 3, genesis.hash.bytes, 16);
    assert_memory_equal(p + 19, signer.bytes, 32);
    assert_int_equal(sy_load_u64(p + 83), 1);
    assert_int_equal(sy_load_u64(p + 91), (uint64_t)(TEST_GENESIS_MS + 3600 * 1000));
    assert_int_equal(p[99], 0);
    assert_int_equal(sy_load_u32(p + 100), PAYLOAD_BYTES);
}

CASE(id_is_the_leaf_hash_of_the_body_alone)
{
    uint8_t preimage[512] = {0};
    struct sy_hash id;
    struct sy_hash expected;
    struct sy_slice bytes = make_simple();
    assert_int_equal(sy_tx_decode(&tx, NULL, bytes, NULL), SY_APPLIED);
    memcpy(preimage + 1, tx.body.data, tx.body.size);
    sy_sha256(&expected, preimage, tx.body.size + 1);
    sy_tx_id(&id, &tx);
    assert_true(sy_hash_equal(&id, &expected));

    room[bytes.size - 1] ^= 1; // the last byte of the signature
    assert_int_equal(sy_tx_decode(&tx, NULL, bytes, NULL), SY_APPLIED);
    sy_tx_id(&id, &tx);
    assert_true(sy_hash_equal(&id, &expected));
}

CASE(witness_is_the_digest_of_id_and_signatures)
{
    uint8_t preimage[2 + 32 + 32 + 3 * 64] = {0x02, 68};
    struct sy_hash id, witness, expected, other;
    assert_int_equal(sy_tx_decode(&tx, NULL, test_sample("tx/cosigned"), NULL), SY_APPLIED);
    assert_int_equal(sy_tx_signer_count(&tx), 3);
    sy_tx_id(&id, &tx);
    memcpy(preimage + 2, genesis.hash.bytes, 32);
    memcpy(preimage + 34, id.bytes, 32);
    memcpy(preimage + 66, tx.signatures.data, 192);
    sy_sha256(&expected, preimage, sizeof preimage);
    sy_tx_witness(&witness, &genesis.hash, &id, &tx);
    assert_true(sy_hash_equal(&witness, &expected));

    // Nothing of it may be missing or another.
    uint8_t signatures[192];
    memcpy(signatures, tx.signatures.data, sizeof signatures);
    tx.signatures = sy_slice_of(signatures, sizeof signatures);
    for (unsigned bit = 0; bit < 8 * sizeof signatures; bit++) {
        signatures[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        sy_tx_witness(&other, &genesis.hash, &id, &tx);
        assert_false(sy_hash_equal(&witness, &other));
        signatures[bit / 8] ^= (uint8_t)(1u << (bit % 8));
    }
    struct sy_hash genesis_hash = genesis.hash;
    for (unsigned bit = 0; bit < 256; bit++) {
        genesis_hash.bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        sy_tx_witness(&other, &genesis_hash, &id, &tx);
        assert_false(sy_hash_equal(&witness, &other));
        genesis_hash = genesis.hash;
        struct sy_hash other_id = id;
        other_id.bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        sy_tx_witness(&other, &genesis.hash, &other_id, &tx);
        assert_false(sy_hash_equal(&witness, &other));
    }
}

CASE(signers_can_be_seen_without_decoding)
{
    struct sy_public_key keys[SY_TX_SIGNERS_MAX];
    struct sy_slice bytes = test_sample("tx/cosigned");
    assert_int_equal(sy_tx_decode(&tx, NULL, bytes, NULL), SY_APPLIED);
    assert_int_equal(sy_tx_peek_signers(keys, bytes), sy_tx_signer_count(&tx));
    for (unsigned i = 0; i < sy_tx_signer_count(&tx); i++) {
        assert_true(sy_public_key_equal(&keys[i], sy_tx_signer_key(&tx, i)));
    }
    // It needs the keys and no more; it asks for nothing but them.
    size_t enough = 100 + 2 * 32;
    for (size_t size = 0; size < bytes.size; size++) {
        unsigned count = sy_tx_peek_signers(keys, sy_slice_of(bytes.data, size));
        assert_int_equal(count, size < enough ? 0 : 3);
    }
    uint8_t many[100 + 32 * (SY_TX_COSIGNERS_MAX + 1)] = {0};
    many[99] = SY_TX_COSIGNERS_MAX;
    assert_int_equal(sy_tx_peek_signers(keys, sy_slice_of(many, sizeof many)), SY_TX_SIGNERS_MAX);
    many[99] = SY_TX_COSIGNERS_MAX + 1;
    assert_int_equal(sy_tx_peek_signers(keys, sy_slice_of(many, sizeof many)), 0);
}

CASE(signers_are_numbered_first_signer_first)
{
    assert_int_equal(sy_tx_decode(&tx, NULL, test_sample("tx/cosigned"), NULL), SY_APPLIED);
    assert_int_equal(sy_tx_signer_count(&tx), 3);
    struct sy_public_key keys[3] = {test_public(TEST_REGULATOR), test_public(320),
                                    test_public(321)};
    for (unsigned i = 0; i < 3; i++) {
        assert_true(sy_public_key_equal(sy_tx_signer_key(&tx, i), &keys[i]));
    }
    assert_int_equal(tx.signatures.size, 3 * 64);
}

static void ask_beyond(void *context)
{
    (void)sy_tx_signer_key((const struct sy_tx *)context, 1);
}

CASE(asking_for_a_signer_that_is_not_there_is_our_bug)
{
    assert_int_equal(sy_tx_decode(&tx, NULL, make_simple(), NULL), SY_APPLIED);
    assert_aborts(ask_beyond, &tx);
}

CASE(another_network_is_refused_before_its_payload_is_read)
{
    struct sy_slice bytes = make_simple();
    room[3] ^= 1;
    assert_refused(bytes, SY_E_NETWORK, "network");
    assert_int_equal(sy_tx_decode(&tx, NULL, bytes, NULL), SY_APPLIED); // not asked
    room[1] = 0xEE;                                                     // and an unknown kind
    assert_refused(bytes, SY_E_NETWORK, "network");
}

CASE(unknown_versions_and_kinds_are_version_refusals)
{
    struct sy_slice bytes = make_simple();
    room[0] = 2;
    assert_refused(bytes, SY_E_VERSION, "version");
    room[0] = 0;
    assert_refused(bytes, SY_E_VERSION, "version");
    room[0] = 1;
    room[1] = 0xEE;
    assert_refused(bytes, SY_E_VERSION, "kind");
}

CASE(newer_version_may_have_any_layout)
{
    const uint8_t newer[] = {9, 1, 2, 3};
    assert_refused(sy_slice_of(newer, sizeof newer), SY_E_VERSION, "version");
    assert_refused(sy_slice_of(newer, 0), SY_E_DECODE, "version");
}

CASE(missing_or_extra_signatures_are_malformed)
{
    struct sy_slice bytes = make_simple();
    assert_refused(sy_slice_of(bytes.data, bytes.size - 64), SY_E_DECODE, "signatures");
    assert_refused(sy_slice_of(bytes.data, bytes.size - 1), SY_E_DECODE, "signatures");
    sy_write_raw(&w, bytes.data + bytes.size - 64, 64); // a second one that nobody asked for
    assert_refused(sy_slice_of(bytes.data, bytes.size + 64), SY_E_DECODE, "trailing bytes");
}

CASE(payload_length_is_exact)
{
    struct sy_slice bytes = make_simple();
    sy_store_u32(room + 100,
                 PAYLOAD_BYTES - 1); // the last payload byte becomes the first of the signature
    assert_refused(bytes, SY_E_DECODE, "trailing bytes");
    sy_store_u32(room + 100, PAYLOAD_BYTES + 1);
    assert_refused(bytes, SY_E_DECODE, "signatures");
    sy_store_u32(room + 100, UINT32_MAX);
    assert_refused(bytes, SY_E_DECODE, "payload");
}

CASE(payload_form_is_refused_with_the_field)
{
    union sy_payload payload = {0};
    w = sy_writer_of(room, sizeof room);
    struct sy_slice bytes =
        test_tx(&w, &genesis, sy_kind_by_number(SY_KIND_record_amend), &payload, SIGNER);
    room[w.used - 64 - 1] = 7; // the last byte of the payload
    assert_refused(bytes, SY_E_DECODE, "branch");
}

// Rules of fields are execution's: such a tx is ordered and gets a receipt with E_SCHEMA.
CASE(broken_rules_do_not_stop_admission)
{
    union sy_payload payload = {0}; // every id zero, every enum 0
    w = sy_writer_of(room, sizeof room);
    const struct sy_kind *kind = sy_kind_by_number(SY_KIND_record_create);
    struct sy_slice bytes = test_tx(&w, &genesis, kind, &payload, SIGNER);
    assert_false(sy_payload_check(kind, &payload, NULL));
    assert_int_equal(sy_tx_decode(&tx, &what, bytes, NULL), SY_APPLIED);
}

/* --- cosigners ----------------------------------------------------------------------------- */

static struct sy_slice make_cosigned(const unsigned *keys, unsigned count)
{
    uint8_t payload_room[64];
    struct sy_writer payload_writer = sy_writer_of(payload_room, sizeof payload_room);
    union sy_payload payload = {0};
    payload.care_close.care_id = test_hash(5);
    sy_payload_encode(&payload_writer, sy_kind_by_number(SY_KIND_care_close), &payload);
    test_tx_begin(&tx, &genesis, SY_KIND_care_close, keys, count);
    tx.payload = sy_writer_slice(&payload_writer);
    w = sy_writer_of(room, sizeof room);
    return test_tx_sign(&w, &tx, keys, count);
}

CASE(sixteen_cosigners_are_allowed)
{
    unsigned keys[SY_TX_SIGNERS_MAX];
    for (unsigned i = 0; i < SY_TX_SIGNERS_MAX; i++) keys[i] = 200 + i;
    struct sy_slice bytes = make_cosigned(keys, SY_TX_SIGNERS_MAX);
    assert_int_equal(sy_tx_decode(&tx, &what, bytes, NULL), SY_APPLIED);
    assert_int_equal(sy_tx_signer_count(&tx), 17);
}

CASE(seventeen_cosigners_are_too_many)
{
    unsigned keys[SY_TX_SIGNERS_MAX];
    for (unsigned i = 0; i < SY_TX_SIGNERS_MAX; i++) keys[i] = 200 + i;
    struct sy_slice bytes = make_cosigned(keys, SY_TX_SIGNERS_MAX);
    room[99] = 17;
    assert_refused(bytes, SY_E_SIZE, "cosigners");
    room[99] = 255;
    assert_refused(bytes, SY_E_SIZE, "cosigners");

    tx.cosigner_count = 17;
    w = sy_writer_of(room, sizeof room);
    sy_tx_encode_body(&w, &tx);
    assert_true(w.failed);
}

CASE(signers_are_all_different)
{
    const unsigned self[] = {200, 200};
    const unsigned twice[] = {200, 201, 202, 201};
    const unsigned fine[] = {200, 201, 202};
    assert_refused(make_cosigned(self, 2), SY_E_DECODE, "cosigners");
    assert_refused(make_cosigned(twice, 4), SY_E_DECODE, "cosigners");
    assert_int_equal(sy_tx_decode(&tx, NULL, make_cosigned(fine, 3), NULL), SY_APPLIED);
}

/* --- size ---------------------------------------------------------------------------------- */

// An atomic tx of n parts, each a care.close, around a signature.
static struct sy_slice make_atomic(unsigned parts, uint8_t signer)
{
    static uint8_t list_bytes[SY_TX_BYTES_MAX + 1024];
    static uint8_t payload_bytes[SY_TX_BYTES_MAX + 1024];
    uint8_t inner[64];
    struct sy_writer list_writer = sy_writer_of(list_bytes, sizeof list_bytes);
    struct sy_writer payload_writer = sy_writer_of(payload_bytes, sizeof payload_bytes);
    const unsigned keys[] = {SIGNER, SIGNER + 1};
    union sy_payload payload = {0};
    for (unsigned i = 0; i < parts; i++) {
        struct sy_writer inner_writer = sy_writer_of(inner, sizeof inner);
        union sy_payload close = {0};
        close.care_close.care_id = test_hash(i);
        sy_payload_encode(&inner_writer, sy_kind_by_number(SY_KIND_care_close), &close);
        struct sy_part part = {SY_KIND_care_close, signer, sy_writer_slice(&inner_writer)};
        sy_list_add_part(&payload.atomic.payloads, &list_writer, &part);
    }
    assert_false(list_writer.failed);
    sy_payload_encode(&payload_writer, sy_kind_by_number(SY_KIND_atomic), &payload);
    test_tx_begin(&tx, &genesis, SY_KIND_atomic, keys, 2);
    tx.payload = sy_writer_slice(&payload_writer);
    w = sy_writer_of(room, sizeof room);
    return test_tx_sign(&w, &tx, keys, 2);
}

CASE(atomic_holds_4096_payloads)
{
    struct sy_slice bytes = make_atomic(SY_ATOMIC_PAYLOADS_MAX, 1);
    assert_true(bytes.size < SY_TX_BYTES_MAX);
    assert_int_equal(sy_tx_decode(&tx, &what, bytes, NULL), SY_APPLIED);
    // The count says one more.
    sy_store_u16(room + 104 + 32, SY_ATOMIC_PAYLOADS_MAX + 1);
    assert_refused(bytes, SY_E_DECODE, "payloads");
}

CASE(parts_name_signers_that_signed)
{
    assert_int_equal(sy_tx_decode(&tx, &what, make_atomic(3, 0), NULL), SY_APPLIED);
    assert_int_equal(sy_tx_decode(&tx, &what, make_atomic(3, 1), NULL), SY_APPLIED);
    assert_refused(make_atomic(3, 2), SY_E_DECODE, "payloads.signer");
    assert_refused(make_atomic(3, 255), SY_E_DECODE, "payloads.signer");
}

CASE(unknown_kind_of_a_part_is_a_version_refusal)
{
    struct sy_slice bytes = make_atomic(3, 0);
    size_t first_part = 104 + 32 + 2;
    sy_store_u16(room + first_part, 999);
    assert_refused(bytes, SY_E_VERSION, "payloads.kind");
    sy_store_u16(room + first_part, SY_KIND_atomic);
    assert_refused(bytes, SY_E_DECODE, "payloads.kind");
}

CASE(bytes_over_the_limit_are_refused_unread)
{
    struct sy_slice bytes = make_simple();
    memset(room + bytes.size, 0, SY_TX_BYTES_MAX + 1 - bytes.size);
    assert_refused(sy_slice_of(room, SY_TX_BYTES_MAX + 1), SY_E_SIZE, "transaction");
    assert_refused(sy_slice_of(room, SY_TX_BYTES_MAX), SY_E_DECODE, "trailing bytes");
}

/* --- signatures inside the payload --------------------------------------------------------- */

CASE(possession_digest_is_its_layout)
{
    uint8_t preimage[2 + 32 + 1 + 32 + 32 + 8];
    struct sy_hash digest;
    struct sy_hash expected;
    struct sy_hash organisation = test_hash(1);
    struct sy_public_key sponsor = test_public(2);
    preimage[0] = 0x02;
    preimage[1] = SY_DIGEST_POSSESSION;
    memcpy(preimage + 2, genesis.hash.bytes, 32);
    preimage[34] = SY_ROLE_DOCTOR;
    memcpy(preimage + 35, organisation.bytes, 32);
    memcpy(preimage + 67, sponsor.bytes, 32);
    sy_store_u64(preimage + 99, 0x1122334455667788ull);
    sy_sha256(&expected, preimage, sizeof preimage);
    sy_possession_digest(&digest, &genesis.hash, SY_ROLE_DOCTOR, &organisation, &sponsor,
                         0x1122334455667788ull);
    assert_true(sy_hash_equal(&digest, &expected));
}

CASE(org_register_brings_one_possession_that_verifies)
{
    struct sy_tx_proof proof;
    struct sy_public_key admin = test_public(320);
    assert_int_equal(sy_tx_decode(&tx, NULL, test_sample("tx/cosigned"), NULL), SY_APPLIED);
    assert_int_equal(sy_tx_proofs(&proof, 1, &tx, &genesis.hash), 1);
    assert_true(sy_public_key_equal(&proof.key, &admin));
    assert_int_equal(proof.sig_kind, SY_SIG_POSSESSION);
    assert_true(sy_verify_one(&proof.key, SY_SIG_POSSESSION, &proof.digest, &proof.signature));
    // Not as a signature of another kind, not under another network, not for another nonce.
    assert_false(sy_verify_one(&proof.key, SY_SIG_TX, &proof.digest, &proof.signature));
    struct sy_hash other = test_hash(8);
    assert_int_equal(sy_tx_proofs(&proof, 1, &tx, &other), 1);
    assert_false(sy_verify_one(&proof.key, SY_SIG_POSSESSION, &proof.digest, &proof.signature));
    tx.nonce++;
    assert_int_equal(sy_tx_proofs(&proof, 1, &tx, &genesis.hash), 1);
    assert_false(sy_verify_one(&proof.key, SY_SIG_POSSESSION, &proof.digest, &proof.signature));
}

static struct sy_tx_proof one_proof(const struct sy_kind *kind, const union sy_payload *payload)
{
    struct sy_tx_proof proof;
    w = sy_writer_of(room, sizeof room);
    struct sy_slice bytes = test_tx(&w, &genesis, kind, payload, SIGNER);
    assert_int_equal(sy_tx_decode(&tx, &what, bytes, NULL), SY_APPLIED);
    assert_int_equal(sy_tx_proofs(&proof, 1, &tx, &genesis.hash), 1);
    return proof;
}

static void assert_digest(const struct sy_tx_proof *proof, uint8_t role,
                          const struct sy_hash *organisation)
{
    struct sy_hash digest;
    sy_possession_digest(&digest, &genesis.hash, role, organisation, &tx.signer, tx.nonce);
    assert_true(sy_hash_equal(&proof->digest, &digest));
}

CASE(credential_possession_is_for_the_payloads_role_and_organisation)
{
    union sy_payload payload = {0};
    payload.cred_issue.subject_key = test_public(330);
    payload.cred_issue.role = SY_ROLE_NURSE;
    payload.cred_issue.org_id = test_hash(42);
    struct sy_tx_proof proof = one_proof(sy_kind_by_number(SY_KIND_cred_issue), &payload);
    assert_true(sy_public_key_equal(&proof.key, &payload.cred_issue.subject_key));
    assert_digest(&proof, SY_ROLE_NURSE, &payload.cred_issue.org_id);
}

CASE(patients_possession_is_for_the_transactions_organisation)
{
    union sy_payload payload = {0};
    payload.patient_claim.wallet_key = test_public(331);
    struct sy_tx_proof proof = one_proof(sy_kind_by_number(SY_KIND_patient_claim), &payload);
    assert_digest(&proof, SY_ROLE_PATIENT, &tx.organisation);

    memset(&payload, 0, sizeof payload);
    payload.patient_enrol.has_wallet_key = true;
    payload.patient_enrol.wallet_key = test_public(332);
    proof = one_proof(sy_kind_by_number(SY_KIND_patient_enrol), &payload);
    assert_digest(&proof, SY_ROLE_PATIENT, &tx.organisation);
}

CASE(payloads_without_new_keys_bring_none)
{
    union sy_payload payload = {0};
    assert_int_equal(sy_tx_decode(&tx, NULL, make_simple(), NULL), SY_APPLIED);
    assert_int_equal(sy_tx_proofs(NULL, 0, &tx, &genesis.hash), 0);
    w = sy_writer_of(room, sizeof room);
    struct sy_slice bytes =
        test_tx(&w, &genesis, sy_kind_by_number(SY_KIND_patient_enrol), &payload, SIGNER);
    assert_int_equal(sy_tx_decode(&tx, NULL, bytes, NULL), SY_APPLIED);
    assert_int_equal(sy_tx_proofs(NULL, 0, &tx, &genesis.hash), 0); // unclaimed
}

// n patients with keys of their own, answered for by signer i % 2.
static struct sy_slice make_enrolments(unsigned n)
{
    static uint8_t list_bytes[65536];
    static uint8_t payload_bytes[65536];
    struct sy_writer list_writer = sy_writer_of(list_bytes, sizeof list_bytes);
    struct sy_writer payload_writer = sy_writer_of(payload_bytes, sizeof payload_bytes);
    const unsigned keys[] = {SIGNER, SIGNER + 1};
    union sy_payload payload = {0};
    for (unsigned i = 0; i < n; i++) {
        uint8_t inner[256];
        struct sy_writer inner_writer = sy_writer_of(inner, sizeof inner);
        union sy_payload enrol = {0};
        enrol.patient_enrol.patient_id = test_hash(i);
        enrol.patient_enrol.has_wallet_key = true;
        memcpy(enrol.patient_enrol.wallet_key.bytes, test_hash(i).bytes, 32);
        sy_payload_encode(&inner_writer, sy_kind_by_number(SY_KIND_patient_enrol), &enrol);
        struct sy_part part = {SY_KIND_patient_enrol, (uint8_t)(i % 2),
                               sy_writer_slice(&inner_writer)};
        sy_list_add_part(&payload.atomic.payloads, &list_writer, &part);
    }
    sy_payload_encode(&payload_writer, sy_kind_by_number(SY_KIND_atomic), &payload);
    test_tx_begin(&tx, &genesis, SY_KIND_atomic, keys, 2);
    tx.payload = sy_writer_slice(&payload_writer);
    w = sy_writer_of(room, sizeof room);
    return test_tx_sign(&w, &tx, keys, 2);
}

CASE(parts_possessions_are_sponsored_by_who_answers_for_them)
{
    struct sy_tx_proof proofs[8];
    assert_int_equal(sy_tx_decode(&tx, NULL, make_enrolments(5), NULL), SY_APPLIED);
    assert_int_equal(sy_tx_proofs(proofs, 8, &tx, &genesis.hash), 5);
    for (unsigned i = 0; i < 5; i++) {
        struct sy_hash digest;
        struct sy_hash key = test_hash(i);
        assert_memory_equal(proofs[i].key.bytes, key.bytes, 32);
        sy_possession_digest(&digest, &genesis.hash, SY_ROLE_PATIENT, &tx.organisation,
                             sy_tx_signer_key(&tx, i % 2), tx.nonce);
        assert_true(sy_hash_equal(&proofs[i].digest, &digest));
    }
}

CASE(proofs_beyond_the_callers_room_are_counted_not_written)
{
    struct sy_tx_proof proofs[3];
    memset(proofs, 0xCC, sizeof proofs);
    assert_int_equal(sy_tx_decode(&tx, NULL, make_enrolments(5), NULL), SY_APPLIED);
    assert_int_equal(sy_tx_proofs(proofs, 2, &tx, &genesis.hash), 5);
    assert_int_equal(proofs[1].sig_kind, SY_SIG_POSSESSION);
    assert_int_equal(proofs[2].sig_kind, 0xCC);
}

CASE(more_than_128_inner_signatures_are_too_many)
{
    assert_int_equal(sy_tx_decode(&tx, NULL, make_enrolments(SY_TX_PAYLOAD_SIGS_MAX), NULL),
                     SY_APPLIED);
    assert_int_equal(sy_tx_proofs(NULL, 0, &tx, &genesis.hash), SY_TX_PAYLOAD_SIGS_MAX);
    assert_refused(make_enrolments(SY_TX_PAYLOAD_SIGS_MAX + 1), SY_E_SIZE, "payloads");
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(tx_decodes_to_what_was_encoded),
        cmocka_unit_test(layout_is_the_offset_table),
        cmocka_unit_test(id_is_the_leaf_hash_of_the_body_alone),
        cmocka_unit_test(witness_is_the_digest_of_id_and_signatures),
        cmocka_unit_test(signers_can_be_seen_without_decoding),
        cmocka_unit_test(signers_are_numbered_first_signer_first),
        cmocka_unit_test(asking_for_a_signer_that_is_not_there_is_our_bug),
        cmocka_unit_test(another_network_is_refused_before_its_payload_is_read),
        cmocka_unit_test(unknown_versions_and_kinds_are_version_refusals),
        cmocka_unit_test(newer_version_may_have_any_layout),
        cmocka_unit_test(missing_or_extra_signatures_are_malformed),
        cmocka_unit_test(payload_length_is_exact),
        cmocka_unit_test(payload_form_is_refused_with_the_field),
        cmocka_unit_test(broken_rules_do_not_stop_admission),
        cmocka_unit_test(sixteen_cosigners_are_allowed),
        cmocka_unit_test(seventeen_cosigners_are_too_many),
        cmocka_unit_test(signers_are_all_different),
        cmocka_unit_test(atomic_holds_4096_payloads),
        cmocka_unit_test(parts_name_signers_that_signed),
        cmocka_unit_test(unknown_kind_of_a_part_is_a_version_refusal),
        cmocka_unit_test(bytes_over_the_limit_are_refused_unread),
        cmocka_unit_test(possession_digest_is_its_layout),
        cmocka_unit_test(org_register_brings_one_possession_that_verifies),
        cmocka_unit_test(credential_possession_is_for_the_payloads_role_and_organisation),
        cmocka_unit_test(patients_possession_is_for_the_transactions_organisation),
        cmocka_unit_test(payloads_without_new_keys_bring_none),
        cmocka_unit_test(parts_possessions_are_sponsored_by_who_answers_for_them),
        cmocka_unit_test(proofs_beyond_the_callers_room_are_counted_not_written),
        cmocka_unit_test(more_than_128_inner_signatures_are_too_many),
    };
    return cmocka_run_group_tests(cases, prepare, NULL);
}
