/* test_wire_forms.c: one value has one encoding, for everything that travels. Every sample is
 * accepted, encodes again to its own bytes, and is refused when it is cut anywhere or has a byte
 * too many. */
#include "tests/support/test.h"

#include <stdlib.h>
#include <string.h>

#include "core/wire/receipt.h"
#include "core/wire/sync.h"
#include "core/wire/vote.h"
#include "tests/support/samples.h"

static uint8_t room[1u << 20];

// One decoder: accepts whole bytes, and writes what it understood.
typedef bool (*decoder)(struct sy_writer *w, struct sy_slice bytes);

static bool decode_tx(struct sy_writer *w, struct sy_slice bytes)
{
    struct sy_tx tx;
    if (sy_tx_decode(&tx, NULL, bytes, NULL) != SY_APPLIED) return false;
    sy_tx_encode_body(w, &tx);
    sy_write_raw(w, tx.signatures.data, tx.signatures.size);
    return true;
}

static bool decode_payload(struct sy_writer *w, struct sy_slice bytes)
{
    union sy_payload payload;
    if (bytes.size < 2) return false;
    const struct sy_kind *kind = sy_kind_by_number(sy_load_u16(bytes.data));
    struct sy_slice body = sy_slice_of(bytes.data + 2, bytes.size - 2);
    if (!kind || !sy_payload_decode(&payload, kind, body, NULL)) return false;
    sy_write_u16(w, kind->number);
    sy_payload_encode(w, kind, &payload);
    return true;
}

static bool decode_batch(struct sy_writer *w, struct sy_slice bytes)
{
    struct sy_batch batch;
    if (!sy_batch_decode(&batch, bytes)) return false;
    sy_batch_header_encode(w, &batch.header);
    sy_write_signature(w, &batch.signature);
    sy_write_raw(w, batch.txs.data, batch.txs.size);
    return true;
}

static bool decode_message(struct sy_writer *w, struct sy_slice bytes)
{
    static struct sy_message message;
    if (!sy_message_decode(&message, bytes, 4)) return false;
    sy_message_encode(w, &message);
    return true;
}

static bool decode_proof(struct sy_writer *w, struct sy_slice bytes)
{
    static struct sy_genesis genesis;
    static struct sy_proof proof;
    if (genesis.format == 0) test_genesis(&genesis, 4);
    if (!sy_proof_decode(&proof, bytes, &genesis.roster, NULL)) return false;
    sy_proof_encode(w, &proof);
    return true;
}

static bool decode_evidence(struct sy_writer *w, struct sy_slice bytes)
{
    struct sy_evidence evidence;
    if (!sy_evidence_decode(&evidence, bytes, NULL)) return false;
    sy_evidence_encode(w, &evidence);
    return true;
}

static bool decode_receipt(struct sy_writer *w, struct sy_slice bytes)
{
    struct sy_receipt receipt;
    struct sy_reader r = sy_reader_of(bytes);
    if (!sy_receipt_decode(&r, &receipt) || !sy_reader_done(&r)) return false;
    sy_receipt_encode(w, &receipt);
    return true;
}

static bool decode_roster(struct sy_writer *w, struct sy_slice bytes)
{
    static struct sy_roster roster;
    struct sy_reader r = sy_reader_of(bytes);
    if (!sy_roster_decode(&r, &roster) || !sy_reader_done(&r)) return false;
    sy_roster_encode(w, &roster);
    return true;
}

static bool decode_genesis(struct sy_writer *w, struct sy_slice bytes)
{
    static struct sy_genesis genesis;
    struct sy_reader r = sy_reader_of(bytes);
    if (!sy_genesis_decode(&r, &genesis) || !sy_reader_done(&r)) return false;
    sy_genesis_encode(w, &genesis);
    return true;
}

// The samples are of rosters of 4 and of 5.
static bool decode_handover(struct sy_writer *w, struct sy_slice bytes)
{
    static struct sy_handover handover;
    for (unsigned n = 4; n <= 5; n++) {
        struct sy_reader r = sy_reader_of(bytes);
        if (!sy_handover_decode(&r, &handover, n) || !sy_reader_done(&r)) continue;
        sy_handover_encode(w, &handover);
        return true;
    }
    return false;
}

static bool decode_sync(struct sy_writer *w, struct sy_slice bytes)
{
    static struct sy_sync_message message;
    if (!sy_sync_decode(&message, bytes, 4)) return false;
    sy_sync_encode(w, &message);
    return true;
}

static decoder decoder_of(const char *sample)
{
    static const struct {
        const char *folder;
        decoder decode;
    } table[] = {
        {"tx/", decode_tx},
        {"payload/", decode_payload},
        {"batch/", decode_batch},
        {"message/", decode_message},
        {"proof/", decode_proof},
        {"receipt/", decode_receipt},
        {"roster/", decode_roster},
        {"genesis/", decode_genesis},
        {"evidence/", decode_evidence},
        {"handover/", decode_handover},
        {"sync/", decode_sync},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (strncmp(sample, table[i].folder, strlen(table[i].folder)) == 0) {
            return table[i].decode;
        }
    }
    fail_msg("no decoder for sample %s", sample);
    return NULL;
}

static bool accepts(decoder decode, struct sy_slice bytes)
{
    struct sy_writer w = sy_writer_of(room, sizeof room);
    return decode(&w, bytes);
}

static struct test_sample samples[TEST_SAMPLES_MAX];
static unsigned sample_count;

static int collect(void **state)
{
    (void)state;
    sample_count = test_samples(samples);
    return 0;
}

CASE(every_sample_is_accepted_and_encodes_to_itself)
{
    for (unsigned i = 0; i < sample_count; i++) {
        struct sy_writer w = sy_writer_of(room, sizeof room);
        if (!decoder_of(samples[i].name)(&w, samples[i].bytes)) {
            fail_msg("%s is refused", samples[i].name);
        }
        assert_false(w.failed);
        if (!sy_slice_equal(sy_writer_slice(&w), samples[i].bytes)) {
            fail_msg("%s has a second encoding", samples[i].name);
        }
    }
}

// The copy has exactly the bytes it claims, so that a sanitizer sees any read past them.
CASE(every_cut_of_every_sample_is_refused)
{
    for (unsigned i = 0; i < sample_count; i++) {
        decoder decode = decoder_of(samples[i].name);
        for (size_t size = 0; size < samples[i].bytes.size; size++) {
            uint8_t *copy = (uint8_t *)malloc(size ? size : 1);
            assert_non_null(copy);
            memcpy(copy, samples[i].bytes.data, size);
            bool accepted = accepts(decode, sy_slice_of(copy, size));
            free(copy);
            if (accepted) fail_msg("%s is accepted cut to %zu bytes", samples[i].name, size);
        }
    }
}

CASE(every_sample_with_a_byte_too_many_is_refused)
{
    for (unsigned i = 0; i < sample_count; i++) {
        size_t size = samples[i].bytes.size;
        uint8_t *copy = (uint8_t *)malloc(size + 1);
        assert_non_null(copy);
        memcpy(copy, samples[i].bytes.data, size);
        for (unsigned v = 0; v < 256; v += 51) {
            copy[size] = (uint8_t)v;
            if (accepts(decoder_of(samples[i].name), sy_slice_of(copy, size + 1))) {
                fail_msg("%s is accepted with a trailing byte", samples[i].name);
            }
        }
        free(copy);
    }
}

// Whatever bit changes: what is accepted is another value in its one encoding, never the same.
CASE(every_flipped_bit_is_refused_or_another_value)
{
    for (unsigned i = 0; i < sample_count; i++) {
        size_t size = samples[i].bytes.size;
        decoder decode = decoder_of(samples[i].name);
        uint8_t *copy = (uint8_t *)malloc(size);
        assert_non_null(copy);
        memcpy(copy, samples[i].bytes.data, size);
        // A genesis checks each of its keys with a point multiplication: a sample of its bits.
        size_t step = strncmp(samples[i].name, "genesis/", 8) == 0 ? 37 : 1;
        for (size_t bit = 0; bit < size * 8; bit += step) {
            struct sy_writer w = sy_writer_of(room, sizeof room);
            copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
            if (decode(&w, sy_slice_of(copy, size))) {
                assert_false(w.failed);
                if (!sy_slice_equal(sy_writer_slice(&w), sy_slice_of(copy, size))) {
                    fail_msg("%s: bit %zu gives a second encoding", samples[i].name, bit);
                }
            }
            copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        free(copy);
    }
}

// A decoder of one structure does not take another one's bytes for its own.
CASE(no_decoder_accepts_another_ones_sample)
{
    for (unsigned i = 0; i < sample_count; i++) {
        for (unsigned k = 0; k < sample_count; k++) {
            decoder decode = decoder_of(samples[k].name);
            if (decode == decoder_of(samples[i].name)) continue;
            // Payloads carry no mark of their own: inside a transaction its kind says what they
            // are.
            if (decode == decode_payload) continue;
            if (accepts(decode, samples[i].bytes)) {
                fail_msg("%s is accepted as what %s is", samples[i].name, samples[k].name);
            }
        }
    }
}

CASE(nothing_is_not_something)
{
    for (unsigned i = 0; i < sample_count; i++) {
        assert_false(accepts(decoder_of(samples[i].name), sy_slice_of(NULL, 0)));
    }
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(every_sample_is_accepted_and_encodes_to_itself),
        cmocka_unit_test(every_cut_of_every_sample_is_refused),
        cmocka_unit_test(every_sample_with_a_byte_too_many_is_refused),
        cmocka_unit_test(every_flipped_bit_is_refused_or_another_value),
        cmocka_unit_test(no_decoder_accepts_another_ones_sample),
        cmocka_unit_test(nothing_is_not_something),
    };
    return cmocka_run_group_tests(cases, collect, NULL);
}
