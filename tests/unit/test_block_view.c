/* Certified blocks opened for questions: every proof that comes out of one verifies. */
#include "consensus/node/block_view.h"

#include <stdlib.h>

#include "core/crypto/hash.h"
#include "core/wire/receipt.h"
#include "tests/unit/chain_rig.h"

static void assert_proves(struct sy_block_views *views, const struct chain_rig *rig,
                          uint64_t height, uint32_t txs)
{
    static struct sy_receipt_proof proof;
    const struct sy_block_view *view = NULL;
    assert_int_equal(sy_block_views_open(views, &view, height), SY_OK);
    assert_int_equal(view->tx_count, txs);
    for (uint32_t i = 0; i < txs; i++) {
        for (int with_tx = 0; with_tx <= 1; with_tx++) {
            const char *what = NULL;
            memset(&proof, 0, sizeof proof);
            assert_int_equal(sy_block_views_prove(views, &proof, view, i, with_tx == 1), SY_OK);
            if (!sy_receipt_proof_verify(&proof, &view->header, &rig->genesis, &what)) {
                fail_msg("block %u, transaction %u: %s", (unsigned)height, i, what);
            }
            struct sy_receipt receipt;
            struct sy_reader reader = sy_reader_of(proof.receipt);
            assert_true(sy_receipt_decode(&reader, &receipt));
            assert_int_equal(receipt.index, i);
            assert_true(proof.with_tx == (with_tx == 1));
        }
    }
}

CASE(block_view_proves_every_transaction)
{
    struct chain_rig rig;
    struct sy_block_views views;
    chain_open(&rig);
    chain_populate(&rig);
    assert_int_equal(sy_block_views_init(&views, rig.reader, &rig.genesis.hash), SY_OK);
    assert_proves(&views, &rig, 1, 2);
    assert_proves(&views, &rig, 4, 13); /* of two batches */
    assert_proves(&views, &rig, 3, 6);
    assert_proves(&views, &rig, 2, 3);
    assert_proves(&views, &rig, 4, 13);
    sy_block_views_free(&views);
    chain_close(&rig);
}

CASE(block_view_shows_the_stored_parts)
{
    struct chain_rig rig;
    struct sy_block_views views;
    const struct sy_block_view *view = NULL;
    struct sy_certificate certificate;
    struct sy_header header;
    chain_open(&rig);
    chain_populate(&rig);
    assert_int_equal(sy_block_views_init(&views, rig.reader, &rig.genesis.hash), SY_OK);
    assert_int_equal(sy_block_views_open(&views, &view, 4), SY_OK);
    struct sy_reader reader = sy_reader_of(view->header_bytes);
    assert_true(sy_header_decode(&reader, &header));
    assert_int_equal(header.height, 4);
    reader = sy_reader_of(view->certificate);
    assert_true(sy_certificate_decode(&reader, &certificate, CHAIN_VALIDATORS));
    assert_true(
        sy_certificate_verify(&certificate, &rig.genesis.roster, &rig.genesis.hash, &view->header));
    assert_int_equal(view->order.count, 2);
    assert_int_equal(view->order.entries[1].maker, 2);
    /* Genesis has a header and nothing else. */
    assert_int_equal(sy_block_views_open(&views, &view, 0), SY_OK);
    assert_int_equal(view->tx_count, 0);
    assert_int_equal(view->certificate.size, 0);
    assert_int_equal(view->order.count, 0);
    sy_block_views_free(&views);
    chain_close(&rig);
}

CASE(block_view_opens_certified_blocks_only)
{
    struct chain_rig rig;
    struct sy_block_views views;
    const struct sy_block_view *view = NULL;
    chain_open(&rig);
    chain_populate(&rig);
    chain_run(&rig);
    assert_int_equal(sy_block_views_init(&views, rig.reader, &rig.genesis.hash), SY_OK);
    assert_int_equal(sy_block_views_open(&views, &view, 5), SY_ERR_NOT_FOUND);
    assert_int_equal(sy_block_views_open(&views, &view, 6), SY_ERR_NOT_FOUND);
    assert_int_equal(sy_block_views_open(&views, &view, UINT64_MAX), SY_ERR_NOT_FOUND);
    chain_certify(&rig);
    assert_int_equal(sy_block_views_open(&views, &view, 5), SY_OK);
    sy_block_views_free(&views);
    chain_close(&rig);
}

/* Every transaction's witness is the one that its bytes give. */
CASE(block_view_knows_who_may_ask)
{
    static struct sy_receipt_proof proof;
    struct chain_rig rig;
    struct sy_block_views views;
    const struct sy_block_view *view = NULL;
    const struct sy_hash *witness = NULL;
    chain_open(&rig);
    chain_populate(&rig);
    assert_int_equal(sy_block_views_init(&views, rig.reader, &rig.genesis.hash), SY_OK);
    for (uint64_t height = 1; height <= 4; height++) {
        assert_int_equal(sy_block_views_open(&views, &view, height), SY_OK);
        for (uint32_t i = 0; i < view->tx_count; i++) {
            struct sy_tx tx;
            struct sy_awaited awaited;
            assert_int_equal(sy_block_views_witness(&views, &witness, view, i), SY_OK);
            assert_int_equal(sy_block_views_prove(&views, &proof, view, i, true), SY_OK);
            assert_int_equal(sy_tx_decode(&tx, NULL, proof.tx, NULL), SY_APPLIED);
            sy_awaited_of(&awaited, &rig.genesis.hash, &tx);
            assert_true(sy_hash_equal(witness, &awaited.witness));
        }
    }
    sy_block_views_free(&views);
    chain_close(&rig);
}

/* A block is read once however much is asked about it. */
CASE(block_view_counts_what_it_reads)
{
    struct chain_rig rig;
    struct sy_block_views views;
    const struct sy_block_view *view = NULL;
    chain_open(&rig);
    chain_populate(&rig);
    assert_int_equal(sy_block_views_init(&views, rig.reader, &rig.genesis.hash), SY_OK);
    assert_int_equal(sy_block_views_open(&views, &view, 3), SY_OK);
    uint64_t receipts = views.read_bytes;
    assert_true(receipts > 0);
    assert_proves(&views, &rig, 3, 6);
    uint64_t all = views.read_bytes;
    assert_true(all > receipts);
    assert_proves(&views, &rig, 3, 6);
    assert_true(views.read_bytes == all);
    sy_block_views_free(&views);
    chain_close(&rig);
}

/* More heights than there are views, over and over: the one asked for last stays. */
CASE(block_view_closes_what_was_not_asked_for)
{
    struct chain_rig rig;
    struct sy_block_views views;
    const struct sy_block_view *first = NULL;
    const struct sy_block_view *view = NULL;
    chain_open(&rig);
    chain_populate(&rig);
    for (unsigned i = 0; i < 12; i++) {
        chain_run(&rig);
        chain_certify(&rig);
    }
    assert_int_equal(sy_block_views_init(&views, rig.reader, &rig.genesis.hash), SY_OK);
    assert_int_equal(sy_block_views_open(&views, &first, 4), SY_OK);
    for (uint64_t height = 5; height <= 16; height++) {
        assert_int_equal(sy_block_views_open(&views, &view, height), SY_OK);
        assert_int_equal(view->header.height, height);
        const struct sy_block_view *again = NULL;
        assert_int_equal(sy_block_views_open(&views, &again, 4), SY_OK);
        assert_ptr_equal(again, first);
    }
    assert_proves(&views, &rig, 4, 13);
    assert_proves(&views, &rig, 2, 3);
    sy_block_views_free(&views);
    chain_close(&rig);
}

static void append(struct chain_rig *rig, struct sy_slice receipts, const struct sy_hash *root)
{
    uint8_t bytes[2][256];
    struct sy_writer header_bytes = sy_writer_of(bytes[0], sizeof bytes[0]);
    struct sy_writer order_bytes = sy_writer_of(bytes[1], sizeof bytes[1]);
    uint64_t height = sy_ledger_next(rig->store);
    struct sy_header header = {
        .protocol = SY_PROTOCOL_VERSION, .height = height, .time_ms = 1, .receipts_root = *root};
    struct sy_proposal order = {.slot = height, .time_ms = 1};
    sy_header_encode(&header_bytes, &header);
    sy_proposal_encode(&order_bytes, &order);
    struct sy_block_write block = {.height = height,
                                   .header = sy_writer_slice(&header_bytes),
                                   .order = sy_writer_slice(&order_bytes),
                                   .receipts = receipts};
    assert_int_equal(sy_ledger_append(rig->store, &block, 1, &rig->err), SY_OK);
    struct sy_certificate_write write = {height, sy_slice_of("seals", 5)};
    assert_int_equal(sy_ledger_put_certificates(rig->store, &write, 1, &rig->err), SY_OK);
}

/* One receipt that did nothing, packed as the ledger packs them. */
static struct sy_slice sound_receipts(uint8_t *room, size_t size)
{
    struct sy_receipt receipt = {.height = 8};
    struct sy_writer w = sy_writer_of(room, size);
    sy_write_u32(&w, 1);
    sy_write_u32(&w, 0);
    sy_receipt_encode(&w, &receipt);
    assert_false(w.failed);
    sy_store_u32(room + 4, (uint32_t)(w.used - 8));
    return sy_writer_slice(&w);
}

CASE(block_view_refuses_damaged_receipts)
{
    static const char *const damaged[] = {
        "\1\0\0",                    /* a count cut short */
        "\2\0\0\0\1\0\0\0x",         /* fewer than counted */
        "\1\0\0\0\1\0\0\0xy",        /* more */
        "\377\377\377\377\1\0\0\0x", /* a count that memory has no room for */
        "\1\0\0\0\377\0\0\0x",       /* a length beyond the end */
        "\1\0\0\0\1\0\0\0x",         /* no receipt */
    };
    static const size_t sizes[] = {3, 9, 10, 9, 9, 9};
    struct chain_rig rig;
    struct sy_block_views views;
    const struct sy_block_view *view = NULL;
    struct sy_hash root = test_hash(1);
    uint8_t room[256];
    struct sy_slice sound = sound_receipts(room, sizeof room);
    chain_open(&rig);
    for (unsigned i = 0; i < 6; i++) append(&rig, sy_slice_of(damaged[i], sizes[i]), &root);
    append(&rig, sound, &root); /* another root than the header's */
    struct sy_slice receipt = sy_slice_of(room + 8, sound.size - 8);
    assert_true(sy_receipt_leaves(&root, &receipt, 1));
    append(&rig, sound, &root);
    assert_int_equal(sy_block_views_init(&views, rig.reader, &rig.genesis.hash), SY_OK);
    for (uint64_t height = 1; height <= 7; height++) {
        assert_int_equal(sy_block_views_open(&views, &view, height), SY_ERR_CORRUPT);
        assert_int_equal(sy_block_views_open(&views, &view, height), SY_ERR_CORRUPT);
    }
    assert_int_equal(sy_block_views_open(&views, &view, 8), SY_OK);
    assert_int_equal(view->tx_count, 1);
    struct sy_receipt_proof proof;
    assert_int_equal(sy_block_views_prove(&views, &proof, view, 0, false), SY_OK);
    sy_status status = sy_block_views_prove(&views, &proof, view, 0, true); /* in no batch */
    assert_int_equal(status, SY_ERR_CORRUPT);
    sy_block_views_free(&views);
    chain_close(&rig);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(block_view_proves_every_transaction),
        cmocka_unit_test(block_view_shows_the_stored_parts),
        cmocka_unit_test(block_view_opens_certified_blocks_only),
        cmocka_unit_test(block_view_knows_who_may_ask),
        cmocka_unit_test(block_view_counts_what_it_reads),
        cmocka_unit_test(block_view_closes_what_was_not_asked_for),
        cmocka_unit_test(block_view_refuses_damaged_receipts),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
