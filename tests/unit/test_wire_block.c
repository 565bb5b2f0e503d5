/* test_wire_block.c: proposals, headers, certificates and receipts. */
#include "tests/support/test.h"

#include <stdlib.h>
#include <string.h>

#include "core/crypto/hash.h"
#include "core/crypto/merkle.h"
#include "core/wire/receipt.h"
#include "core/wire/refusal.h"
#include "tests/support/samples.h"

static struct test_block block;
static uint8_t room[1u << 16];

static int prepare(void **state)
{
    (void)state;
    test_block_make(&block);
    return 0;
}

/* --- proposals ----------------------------------------------------------------------------- */

static bool decodes(const struct sy_proposal *proposal, const char **what)
{
    static struct sy_proposal back;
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_proposal_encode(&w, proposal);
    assert_false(w.failed);
    struct sy_reader r = sy_reader_of(sy_writer_slice(&w));
    bool fine = sy_proposal_decode(&r, &back) && sy_reader_done(&r);
    if (fine) assert_memory_equal(&back, proposal, sizeof back);
    *what = r.what;
    return fine;
}

static struct sy_proposal *fresh(void)
{
    static struct sy_proposal proposal;
    proposal = block.proposal;
    return &proposal;
}

static void assert_refused(const struct sy_proposal *proposal, const char *expected)
{
    const char *what = NULL;
    assert_false(decodes(proposal, &what));
    assert_string_equal(what, expected);
}

CASE(proposal_comes_back_from_its_bytes)
{
    const char *what;
    assert_true(decodes(fresh(), &what));
    struct sy_proposal *proposal = fresh();
    memset(proposal->entries, 0, sizeof proposal->entries);
    proposal->count = 0; // a heartbeat
    assert_true(decodes(proposal, &what));
    assert_int_equal(sy_load_u32(room), 0);
    assert_int_equal(sy_load_u64(room + 4), 9);
    assert_int_equal(sy_load_u64(room + 12), (uint64_t)block.proposal.time_ms);
}

CASE(proposal_names_64_batches_at_most)
{
    const char *what;
    struct sy_proposal *proposal = fresh();
    proposal->count = SY_PROPOSAL_ENTRIES_MAX;
    for (unsigned i = 0; i < SY_PROPOSAL_ENTRIES_MAX; i++) {
        proposal->entries[i] = (struct sy_entry){(uint16_t)(i % 4), 1 + i / 4, test_hash(i)};
    }
    assert_true(decodes(proposal, &what));
    proposal->count++;
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_proposal_encode(&w, proposal);
    assert_true(w.failed);
}

CASE(proposal_names_no_batch_twice)
{
    struct sy_proposal *proposal = fresh();
    proposal->entries[1].digest = proposal->entries[0].digest;
    assert_refused(proposal, "proposal.entries");
    proposal = fresh();
    proposal->entries[1].maker = proposal->entries[0].maker; // and both have seq 4
    assert_refused(proposal, "proposal.entries");
    proposal->entries[1].seq++;
    const char *what;
    assert_true(decodes(proposal, &what)); // one maker, two numbers
}

CASE(proposal_numbers_have_bounds)
{
    struct sy_proposal *proposal = fresh();
    proposal->slot = 0;
    assert_refused(proposal, "proposal.slot");
    proposal->slot = SY_SLOT_MAX + 1;
    assert_refused(proposal, "proposal.slot");
    proposal = fresh();
    proposal->time_ms = -1;
    assert_refused(proposal, "proposal.time_ms");
    proposal->time_ms = SY_TIME_MS_MAX + 1;
    assert_refused(proposal, "proposal.time_ms");
    proposal = fresh();
    proposal->entries[0].seq = 0;
    assert_refused(proposal, "proposal.seq");
    proposal = fresh();
    proposal->entries[1].maker = SY_VALIDATORS_MAX;
    assert_refused(proposal, "proposal.maker");
}

CASE(proposal_digest_covers_every_member)
{
    struct sy_hash a;
    struct sy_hash b;
    sy_proposal_digest(&a, &block.genesis.hash, fresh());
    for (unsigned i = 0; i < 7; i++) {
        struct sy_proposal *proposal = fresh();
        struct sy_hash network = block.genesis.hash;
        switch (i) {
        case 0: proposal->epoch++; break;
        case 1: proposal->slot++; break;
        case 2: proposal->time_ms++; break;
        case 3: proposal->count--; break;
        case 4: proposal->entries[1].maker++; break;
        case 5: proposal->entries[1].seq++; break;
        default: network.bytes[31] ^= 1;
        }
        sy_proposal_digest(&b, &network, proposal);
        assert_false(sy_hash_equal(&a, &b));
    }
}

/* --- headers ------------------------------------------------------------------------------- */

CASE(header_layout_is_the_offset_table)
{
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_header_encode(&w, &block.header);
    assert_int_equal(w.used, SY_HEADER_BYTES);
    assert_int_equal(SY_HEADER_BYTES, 184);
    assert_int_equal(sy_load_u32(room), SY_PROTOCOL_VERSION);
    assert_int_equal(sy_load_u64(room + 4), 9);
    assert_int_equal(sy_load_u32(room + 12), 0);
    assert_int_equal(sy_load_u64(room + 16), (uint64_t)block.header.time_ms);
    assert_memory_equal(room + 24, block.header.previous.bytes, 32);
    assert_memory_equal(room + 56, block.header.batches_root.bytes, 32);
    assert_memory_equal(room + 88, block.header.receipts_root.bytes, 32);
    assert_memory_equal(room + 120, block.header.state_root.bytes, 32);
    assert_memory_equal(room + 152, block.header.next_roster.bytes, 32);
}

CASE(header_of_another_protocol_is_refused)
{
    struct sy_header header;
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_header_encode(&w, &block.header);
    struct sy_reader r = sy_reader_of(sy_writer_slice(&w));
    assert_true(sy_header_decode(&r, &header));
    room[0] ^= 2;
    r = sy_reader_of(sy_writer_slice(&w));
    assert_false(sy_header_decode(&r, &header));
    assert_string_equal(r.what, "header.protocol");
}

CASE(header_hash_moves_with_every_bit_of_the_header)
{
    struct sy_hash original;
    struct sy_header header;
    sy_header_hash(&original, &block.genesis.hash, &block.header);
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_header_encode(&w, &block.header);
    for (size_t bit = 0; bit < SY_HEADER_BYTES * 8u; bit++) {
        struct sy_hash hash;
        room[bit / 8] ^= (uint8_t)(1u << bit % 8);
        struct sy_reader r = sy_reader_of(sy_writer_slice(&w));
        if (sy_header_decode(&r, &header)) {
            sy_header_hash(&hash, &block.genesis.hash, &header);
            assert_false(sy_hash_equal(&hash, &original));
        }
        room[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

CASE(genesis_header_is_height_zero_of_empty_trees)
{
    struct sy_header header;
    struct sy_hash empty;
    struct sy_hash roster;
    struct sy_hash root = test_hash(4);
    sy_sha256(&empty, "", 0);
    sy_roster_hash(&roster, &block.genesis.hash, &block.genesis.roster);
    sy_genesis_header(&header, &block.genesis, &root);
    assert_int_equal(header.height, 0);
    assert_int_equal(header.epoch, 0);
    assert_int_equal(header.protocol, SY_PROTOCOL_VERSION);
    assert_int_equal(header.time_ms, TEST_GENESIS_MS);
    assert_true(sy_hash_is_zero(&header.previous));
    assert_true(sy_hash_equal(&header.batches_root, &empty));
    assert_true(sy_hash_equal(&header.receipts_root, &empty));
    assert_true(sy_hash_equal(&header.state_root, &root));
    assert_true(sy_hash_equal(&header.next_roster, &roster));
}

/* --- certificates -------------------------------------------------------------------------- */

static bool verifies(const struct sy_certificate *certificate)
{
    return sy_certificate_verify(certificate, &block.genesis.roster, &block.genesis.hash,
                                 &block.header);
}

static bool certificate_decodes(const struct sy_certificate *certificate, unsigned n)
{
    static struct sy_certificate back;
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_certificate_encode(&w, certificate);
    assert_false(w.failed);
    struct sy_reader r = sy_reader_of(sy_writer_slice(&w));
    return sy_certificate_decode(&r, &back, n) && sy_reader_done(&r);
}

CASE(certificate_of_a_quorum_verifies)
{
    assert_int_equal(block.certificate.count, 3);
    assert_true(verifies(&block.certificate));
    assert_true(certificate_decodes(&block.certificate, 4));
}

CASE(certificate_has_exactly_a_quorum)
{
    struct sy_certificate certificate = block.certificate;
    certificate.count = 2;
    assert_false(verifies(&certificate));
    assert_false(certificate_decodes(&certificate, 4));

    // A fourth good seal is one too many: exactly one form.
    struct sy_hash hash;
    struct sy_hash digest;
    certificate = block.certificate;
    sy_header_hash(&hash, &block.genesis.hash, &block.header);
    sy_seal_digest(&digest, &block.genesis.hash, 0, 9, &hash);
    certificate.seals[3].signer = 3;
    sy_sign(test_key(9), &certificate.seals[3].signature, SY_SIG_SEAL, &digest);
    certificate.count = 4;
    assert_false(verifies(&certificate));
    assert_false(certificate_decodes(&certificate, 4));
    assert_true(certificate_decodes(&certificate, 6)); // quorum(6) is 4
}

CASE(any_quorum_will_do)
{
    struct sy_hash hash;
    struct sy_hash digest;
    sy_header_hash(&hash, &block.genesis.hash, &block.header);
    sy_seal_digest(&digest, &block.genesis.hash, 0, 9, &hash);
    for (uint16_t missing = 0; missing < 4; missing++) {
        struct sy_certificate certificate = {0};
        for (uint16_t i = 0; i < 4; i++) {
            if (i == missing) continue;
            struct sy_seal *seal = &certificate.seals[certificate.count++];
            seal->signer = i;
            sy_sign(test_key(3u * i), &seal->signature, SY_SIG_SEAL, &digest);
        }
        assert_true(verifies(&certificate));
    }
}

CASE(signers_stand_in_roster_order_once_each)
{
    struct sy_certificate certificate = block.certificate;
    certificate.seals[1] = certificate.seals[0];
    assert_false(verifies(&certificate));
    assert_false(certificate_decodes(&certificate, 4));

    certificate = block.certificate;
    certificate.seals[0] = block.certificate.seals[1];
    certificate.seals[1] = block.certificate.seals[0];
    assert_false(verifies(&certificate));
    assert_false(certificate_decodes(&certificate, 4));

    certificate = block.certificate;
    certificate.seals[2].signer = 4; // beyond the roster
    assert_false(verifies(&certificate));
    assert_false(certificate_decodes(&certificate, 4));
}

CASE(seal_of_another_header_height_epoch_kind_or_network_is_none)
{
    struct sy_hash hash;
    struct sy_hash digest;
    sy_header_hash(&hash, &block.genesis.hash, &block.header);
    for (unsigned i = 0; i < 6; i++) {
        struct sy_certificate certificate = block.certificate;
        struct sy_hash signed_hash = hash;
        struct sy_hash network = block.genesis.hash;
        uint32_t epoch = 0;
        uint64_t height = 9;
        enum sy_sig_kind kind = SY_SIG_SEAL;
        bool good = i == 0;
        if (i == 1) signed_hash.bytes[0] ^= 1;
        if (i == 2) height = 10;
        if (i == 3) epoch = 1;
        if (i == 4) kind = SY_SIG_COMMIT;
        if (i == 5) network.bytes[0] ^= 1;
        sy_seal_digest(&digest, &network, epoch, height, &signed_hash);
        sy_sign(test_key(6), &certificate.seals[2].signature, kind, &digest);
        assert_int_equal(verifies(&certificate), good);
    }
}

CASE(certificate_of_another_epochs_roster_is_none)
{
    struct sy_roster roster = block.genesis.roster;
    roster.epoch = 1;
    assert_false(
        sy_certificate_verify(&block.certificate, &roster, &block.genesis.hash, &block.header));
}

/* --- receipts ------------------------------------------------------------------------------ */

static bool receipt_decodes(const struct sy_receipt *receipt, const char **what)
{
    struct sy_receipt back;
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_receipt_encode(&w, receipt);
    assert_false(w.failed);
    struct sy_reader r = sy_reader_of(sy_writer_slice(&w));
    bool fine = sy_receipt_decode(&r, &back) && sy_reader_done(&r);
    *what = r.what;
    return fine;
}

static void assert_receipt_refused(const struct sy_receipt *receipt, const char *expected)
{
    const char *what = NULL;
    assert_false(receipt_decodes(receipt, &what));
    assert_string_equal(what, expected);
}

static struct sy_receipt applied(void)
{
    struct sy_receipt receipt;
    struct sy_reader r = sy_reader_of(test_sample("receipt/applied"));
    assert_true(sy_receipt_decode(&r, &receipt));
    return receipt;
}

CASE(receipt_gives_back_keys_and_events)
{
    struct sy_receipt receipt = applied();
    struct sy_hash key;
    struct sy_hash last = {{0}};
    struct sy_event event;
    size_t offset = 0;
    unsigned keys = 0;
    for (; sy_receipt_next_key(&receipt, &offset, &key); keys++) {
        assert_true(sy_hash_compare(&key, &last) > 0);
        last = key;
    }
    assert_int_equal(keys, 2);
    offset = 0;
    assert_true(sy_receipt_next_event(&receipt, &offset, &event));
    assert_int_equal(event.kind, SY_EVENT_RECORD_CREATED);
    assert_int_equal(event.subject_kind, SY_SUBJECT_PATIENT);
    assert_int_equal(event.global_number, 10);
    assert_false(sy_receipt_next_event(&receipt, &offset, &event));
}

CASE(refusals_have_a_path_and_no_effects)
{
    const char *what;
    struct sy_receipt receipt;
    struct sy_reader r = sy_reader_of(test_sample("receipt/refused"));
    assert_true(sy_receipt_decode(&r, &receipt));
    assert_int_equal(receipt.code, SY_E_SCHEMA);
    assert_memory_equal(receipt.path.data, "parents[1]", receipt.path.size);
    assert_int_equal(receipt.key_count, 0);

    receipt = applied();
    receipt.code = SY_E_ROLE;
    assert_receipt_refused(&receipt, "receipt.keys");
    receipt.key_count = 0;
    receipt.keys.size = 0;
    assert_receipt_refused(&receipt, "receipt.events");
    receipt.event_count = 0;
    receipt.events.size = 0;
    assert_true(receipt_decodes(&receipt, &what));
}

CASE(answers_to_clients_are_no_receipts)
{
    struct sy_receipt receipt;
    struct sy_reader r = sy_reader_of(test_sample("receipt/refused"));
    assert_true(sy_receipt_decode(&r, &receipt));
    for (uint16_t code = 1; code < SY_REFUSAL_ORDERED_FROM; code++) {
        receipt.code = code;
        assert_receipt_refused(&receipt, "receipt.code");
    }
    const char *what;
    receipt.code = 60000; // a later version's own
    assert_true(receipt_decodes(&receipt, &what));
}

CASE(keys_of_a_receipt_ascend)
{
    uint8_t keys[64];
    struct sy_receipt receipt = applied();
    memcpy(keys, receipt.keys.data + 32, 32);
    memcpy(keys + 32, receipt.keys.data, 32);
    receipt.keys = sy_slice_of(keys, 64);
    assert_receipt_refused(&receipt, "receipt.keys");
    memcpy(keys + 32, keys, 32); // the same one twice
    assert_receipt_refused(&receipt, "receipt.keys");
}

CASE(events_of_a_receipt_are_well_formed)
{
    uint8_t bytes[SY_EVENT_BYTES];
    struct sy_receipt receipt = applied();
    memcpy(bytes, receipt.events.data, sizeof bytes);
    receipt.events = sy_slice_of(bytes, sizeof bytes);
    bytes[2] = 4; // no such kind of subject
    assert_receipt_refused(&receipt, "receipt.events");
    bytes[2] = 0;
    assert_receipt_refused(&receipt, "receipt.events");
    bytes[2] = SY_SUBJECT_PATIENT;
    bytes[0] = bytes[1] = 0; // no event
    assert_receipt_refused(&receipt, "receipt.events");
}

CASE(receipt_counts_must_match_their_bytes)
{
    struct sy_receipt receipt = applied();
    struct sy_writer w = sy_writer_of(room, sizeof room);
    receipt.key_count++;
    sy_receipt_encode(&w, &receipt);
    assert_true(w.failed);
    receipt = applied();
    receipt.event_count = 0;
    w = sy_writer_of(room, sizeof room);
    sy_receipt_encode(&w, &receipt);
    assert_true(w.failed);
}

CASE(receipt_path_has_a_limit)
{
    static const char path[SY_RECEIPT_PATH_BYTES_MAX + 1];
    const char *what;
    struct sy_receipt receipt;
    struct sy_reader r = sy_reader_of(test_sample("receipt/refused"));
    assert_true(sy_receipt_decode(&r, &receipt));
    receipt.path = sy_slice_of(path, SY_RECEIPT_PATH_BYTES_MAX);
    assert_true(receipt_decodes(&receipt, &what));
    receipt.path.size++;
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_receipt_encode(&w, &receipt);
    assert_true(w.failed);
}

CASE(largest_receipt_decodes)
{
    size_t size = SY_RECEIPT_KEYS_MAX * 32u + SY_EVENTS_PER_TX_MAX * (size_t)SY_EVENT_BYTES;
    uint8_t *keys = (uint8_t *)calloc(SY_RECEIPT_KEYS_MAX, 32);
    uint8_t *events = (uint8_t *)malloc(SY_EVENTS_PER_TX_MAX * (size_t)SY_EVENT_BYTES);
    uint8_t *bytes = (uint8_t *)malloc(size + 512);
    assert_true(keys && events && bytes);
    struct sy_receipt receipt = applied();
    struct sy_receipt back;
    for (uint32_t i = 0; i < SY_RECEIPT_KEYS_MAX; i++) {
        keys[32 * i] = (uint8_t)(i >> 8);
        keys[32 * i + 1] = (uint8_t)i;
    }
    for (uint32_t i = 0; i < SY_EVENTS_PER_TX_MAX; i++) {
        memcpy(events + (size_t)i * SY_EVENT_BYTES, receipt.events.data, SY_EVENT_BYTES);
    }
    receipt.key_count = SY_RECEIPT_KEYS_MAX;
    receipt.keys = sy_slice_of(keys, SY_RECEIPT_KEYS_MAX * 32u);
    receipt.event_count = SY_EVENTS_PER_TX_MAX;
    receipt.events = sy_slice_of(events, SY_EVENTS_PER_TX_MAX * (size_t)SY_EVENT_BYTES);
    struct sy_writer w = sy_writer_of(bytes, size + 512);
    sy_receipt_encode(&w, &receipt);
    struct sy_reader r = sy_reader_of(sy_writer_slice(&w));
    assert_true(sy_receipt_decode(&r, &back) && sy_reader_done(&r));
    free(keys);
    free(events);
    free(bytes);
}

CASE(events_have_names)
{
    unsigned named = 0;
    for (uint16_t kind = SY_EVENT_ORG_ADDED; kind < SY_EVENT_KIND_COUNT; kind++) {
        if (strcmp(sy_event_name(kind), "unknown") == 0) continue; // numbers have gaps
        named++;
        for (uint16_t other = SY_EVENT_ORG_ADDED; other < kind; other++) {
            assert_string_not_equal(sy_event_name(kind), sy_event_name(other));
        }
    }
    assert_true(named >= 17);
    assert_string_equal(sy_event_name(0), "unknown");
    assert_string_equal(sy_event_name(SY_EVENT_KIND_COUNT), "unknown");
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(proposal_comes_back_from_its_bytes),
        cmocka_unit_test(proposal_names_64_batches_at_most),
        cmocka_unit_test(proposal_names_no_batch_twice),
        cmocka_unit_test(proposal_numbers_have_bounds),
        cmocka_unit_test(proposal_digest_covers_every_member),
        cmocka_unit_test(header_layout_is_the_offset_table),
        cmocka_unit_test(header_of_another_protocol_is_refused),
        cmocka_unit_test(header_hash_moves_with_every_bit_of_the_header),
        cmocka_unit_test(genesis_header_is_height_zero_of_empty_trees),
        cmocka_unit_test(certificate_of_a_quorum_verifies),
        cmocka_unit_test(certificate_has_exactly_a_quorum),
        cmocka_unit_test(any_quorum_will_do),
        cmocka_unit_test(signers_stand_in_roster_order_once_each),
        cmocka_unit_test(seal_of_another_header_height_epoch_kind_or_network_is_none),
        cmocka_unit_test(certificate_of_another_epochs_roster_is_none),
        cmocka_unit_test(receipt_gives_back_keys_and_events),
        cmocka_unit_test(refusals_have_a_path_and_no_effects),
        cmocka_unit_test(answers_to_clients_are_no_receipts),
        cmocka_unit_test(keys_of_a_receipt_ascend),
        cmocka_unit_test(events_of_a_receipt_are_well_formed),
        cmocka_unit_test(receipt_counts_must_match_their_bytes),
        cmocka_unit_test(receipt_path_has_a_limit),
        cmocka_unit_test(largest_receipt_decodes),
        cmocka_unit_test(events_have_names),
    };
    return cmocka_run_group_tests(cases, prepare, NULL);
}
