#include "tests/support/chronicle.h"

#include <stdlib.h>
#include <string.h>

#include "core/wire/block.h"
#include "tests/support/test.h"

#define BODIES_MAX 3u
#define CHANGES 12u

static unsigned body_count(uint64_t height)
{
    return height == 0 ? 0 : (unsigned)(height % (BODIES_MAX + 1));
}

static size_t size_of(uint64_t height, unsigned salt, size_t largest)
{
    return (size_t)((height * 7919 + salt * 104729 + 17) % (largest + 1));
}

static uint64_t body_number(uint64_t height, unsigned i)
{
    return (1ull << 40) + height * BODIES_MAX + i;
}

static struct sy_hash tx_id(uint64_t height, unsigned i)
{
    return test_hash_of((1ull << 44) + height * CHRONICLE_TXS + i);
}

static struct sy_slice make_order(uint8_t *out, size_t room, uint64_t height)
{
    struct sy_proposal order = {.slot = height, .time_ms = (int64_t)height + 1};
    struct sy_writer writer = sy_writer_of(out, room);
    if (height == 0) return sy_writer_slice(&writer);
    for (unsigned i = 0; i < body_count(height); i++) {
        order.entries[order.count++] = (struct sy_entry){
            .maker = (uint16_t)i, .seq = height, .digest = test_hash_of(body_number(height, i))};
    }
    sy_proposal_encode(&writer, &order);
    assert_false(writer.failed);
    return sy_writer_slice(&writer);
}

static struct sy_slice deltas_of(struct test_model *model, uint8_t *packed, uint64_t height)
{
    sy_prng prng;
    sy_prng_seed(&prng, height + 77);
    return test_model_step(model, packed, &prng, height, CHANGES);
}

/* ---- filling ---------------------------------------------------------------------------- */

static sy_status put_bodies(const struct chronicle *chronicle, sy_store *store, uint64_t height,
                            struct sy_error *err)
{
    for (unsigned i = 0; i < body_count(height); i++) {
        size_t size = size_of(height, i, chronicle->body_bytes);
        uint8_t *bytes = (uint8_t *)malloc(size + 1);
        assert_non_null(bytes);
        test_fill(bytes, size, body_number(height, i));
        struct sy_vote_write write = {.op = SY_VOTE_PUT_BODY,
                                      .body = test_hash_of(body_number(height, i)),
                                      .value = sy_slice_of(bytes, size)};
        sy_status status = sy_votes_commit(store, &write, 1, err);
        free(bytes);
        SY_TRY(status);
    }
    return SY_OK;
}

static sy_status append(const struct chronicle *chronicle, sy_store *store, uint64_t height,
                        struct sy_slice deltas, struct sy_error *err)
{
    uint8_t header[184];
    uint8_t order[1024];
    struct sy_hash ids[CHRONICLE_TXS];
    size_t receipts_bytes = size_of(height, 9, chronicle->part_bytes);
    uint8_t *receipts = (uint8_t *)malloc(receipts_bytes + 1);
    assert_non_null(receipts);
    test_fill(header, sizeof header, height * 16);
    test_fill(receipts, receipts_bytes, height * 16 + 2);
    for (unsigned i = 0; i < CHRONICLE_TXS; i++) ids[i] = tx_id(height, i);
    struct sy_block_write block = {.height = height,
                                   .header = sy_slice_of(header, sizeof header),
                                   .order = make_order(order, sizeof order, height),
                                   .receipts = sy_slice_of(receipts, receipts_bytes),
                                   .deltas = deltas,
                                   .tx_ids = ids,
                                   .tx_count = CHRONICLE_TXS};
    sy_status status = sy_ledger_append(store, &block, 1, err);
    free(receipts);
    return status;
}

static sy_status certify(sy_store *store, uint64_t height, struct sy_error *err)
{
    if (height == 0) return SY_OK;
    uint8_t bytes[66 * 3 + 2];
    test_fill(bytes, sizeof bytes, height * 16 + 5);
    struct sy_certificate_write write = {height, sy_slice_of(bytes, sizeof bytes)};
    return sy_ledger_put_certificates(store, &write, 1, err);
}

sy_status chronicle_try_step(struct chronicle *chronicle, sy_store *store, struct sy_error *err)
{
    uint64_t height = sy_ledger_next(store);
    SY_TRY(put_bodies(chronicle, store, height, err));
    struct sy_slice deltas = deltas_of(&chronicle->model, chronicle->packed, height);
    SY_TRY(append(chronicle, store, height, deltas, err));
    sy_status status;
    while ((status = sy_state_apply(store, height, deltas, err)) == SY_ERR_BUSY) {
        SY_TRY(sy_state_wait(store, 60000));
    }
    SY_TRY(status);
    return certify(store, height, err);
}

void chronicle_step(struct chronicle *chronicle, sy_store *store)
{
    struct sy_error err = {0};
    sy_status status = chronicle_try_step(chronicle, store, &err);
    if (status != SY_OK) print_error("%s\n", err.text);
    assert_int_equal(status, SY_OK);
}

void chronicle_model(struct chronicle *chronicle, uint64_t blocks)
{
    memset(&chronicle->model, 0, sizeof chronicle->model);
    for (uint64_t height = 0; height < blocks; height++) {
        (void)deltas_of(&chronicle->model, chronicle->packed, height);
    }
}

/* ---- a state from elsewhere ------------------------------------------------------------- */

struct sy_hash chronicle_root(uint64_t height)
{
    return test_hash_of((1ull << 48) + height);
}

// The next `entries` entries from `next` on. *behind: the first key after them; false: none.
static bool take_entries(struct sy_slice *taken, struct sy_hash *behind, struct sy_slice all,
                         const struct sy_hash *next, size_t entries)
{
    struct sy_delta_reader reader = sy_delta_reader_of(all);
    struct sy_delta delta;
    size_t from = 0;
    size_t count = 0;
    for (size_t at = 0; sy_delta_next(&reader, &delta); at = reader.in.used) {
        if (sy_hash_compare(&delta.key, next) < 0) {
            from = reader.in.used;
            continue;
        }
        if (count++ < entries) continue;
        *taken = sy_slice_of(all.data + from, at - from);
        *behind = delta.key;
        return true;
    }
    *taken = sy_slice_of(all.data + from, all.size - from);
    return false;
}

sy_status chronicle_try_install(struct chronicle *chronicle, sy_store *store, uint64_t height,
                                size_t entries, struct sy_error *err)
{
    struct sy_install install;
    struct sy_hash root = chronicle_root(height);
    uint8_t header[184];
    uint8_t certificate[66 * 3 + 2];
    chronicle_model(chronicle, height + 1);
    struct sy_slice all = test_model_pack(&chronicle->model, chronicle->packed);
    SY_TRY(sy_install_begin(store, &install, height, &root, err));
    for (bool more = !install.whole; more; sy_install_get(store, &install)) {
        struct sy_slice taken;
        struct sy_hash behind;
        more = take_entries(&taken, &behind, all, &install.next, entries);
        SY_TRY(sy_install_put(store, taken, more ? &behind : NULL, err));
    }
    test_fill(header, sizeof header, height * 16);
    test_fill(certificate, sizeof certificate, height * 16 + 5);
    return sy_install_finish(store, sy_slice_of(header, sizeof header),
                             sy_slice_of(certificate, sizeof certificate), NULL, 0, err);
}

/* ---- checking --------------------------------------------------------------------------- */

static sy_status check_part(sy_store_reader *reader, uint64_t height, enum sy_block_part part,
                            size_t size, uint64_t number)
{
    struct sy_slice bytes;
    SY_TRY(sy_ledger_get(reader, &bytes, height, part));
    return test_is_filled(bytes, size, number) ? SY_OK : SY_ERR_CORRUPT;
}

static sy_status check_kept(sy_store *store, sy_store_reader *reader, uint64_t height)
{
    SY_TRY(check_part(reader, height, SY_BLOCK_HEADER, 184, height * 16));
    bool certified = height > 0 && height <= sy_ledger_certified(store);
    if (!certified) return SY_OK;
    return check_part(reader, height, SY_BLOCK_CERTIFICATE, 66 * 3 + 2, height * 16 + 5);
}

static sy_status check_bodies(const struct chronicle *chronicle, sy_store_reader *reader,
                              uint64_t height)
{
    for (unsigned i = 0; i < body_count(height); i++) {
        struct sy_slice body;
        struct sy_hash digest = test_hash_of(body_number(height, i));
        SY_TRY(sy_body_get(reader, &body, &digest));
        size_t size = size_of(height, i, chronicle->body_bytes);
        if (!test_is_filled(body, size, body_number(height, i))) return SY_ERR_CORRUPT;
    }
    return SY_OK;
}

static sy_status check_places(sy_store_reader *reader, uint64_t height, size_t expected)
{
    for (unsigned i = 0; i < CHRONICLE_TXS; i++) {
        struct sy_tx_position at;
        size_t found = 99;
        struct sy_hash id = tx_id(height, i);
        SY_TRY(sy_ledger_find_tx(reader, &at, &found, 1, &id));
        if (found != expected) return SY_ERR_CORRUPT;
        if (found == 1 && (at.height != height || at.index != i)) return SY_ERR_CORRUPT;
    }
    return SY_OK;
}

sy_status chronicle_check_block(const struct chronicle *chronicle, sy_store *store,
                                sy_store_reader *reader, uint64_t height)
{
    struct sy_slice part;
    uint8_t order[1024];
    static struct test_model unused;
    static uint8_t packed[TEST_MODEL_BYTES];
    SY_TRY(check_kept(store, reader, height));
    SY_TRY(check_part(reader, height, SY_BLOCK_RECEIPTS, size_of(height, 9, chronicle->part_bytes),
                      height * 16 + 2));
    SY_TRY(sy_ledger_get(reader, &part, height, SY_BLOCK_ORDER));
    if (!sy_slice_equal(part, make_order(order, sizeof order, height))) return SY_ERR_CORRUPT;
    SY_TRY(sy_ledger_get(reader, &part, height, SY_BLOCK_DELTAS));
    if (!sy_slice_equal(part, deltas_of(&unused, packed, height))) return SY_ERR_CORRUPT;
    SY_TRY(sy_ledger_get(reader, &part, height, SY_BLOCK_TX_IDS));
    if (part.size != (size_t)CHRONICLE_TXS * 32) return SY_ERR_CORRUPT;
    SY_TRY(check_bodies(chronicle, reader, height));
    return check_places(reader, height, 1);
}

sy_status chronicle_check_pruned(sy_store *store, sy_store_reader *reader, uint64_t height,
                                 bool swept)
{
    static const enum sy_block_part gone[] = {SY_BLOCK_ORDER, SY_BLOCK_RECEIPTS, SY_BLOCK_DELTAS,
                                              SY_BLOCK_TX_IDS};
    struct sy_slice part;
    SY_TRY(check_kept(store, reader, height));
    for (size_t i = 0; i < sizeof gone / sizeof gone[0]; i++) {
        if (sy_ledger_get(reader, &part, height, gone[i]) != SY_ERR_PRUNED) return SY_ERR_CORRUPT;
    }
    for (unsigned i = 0; swept && i < body_count(height); i++) {
        struct sy_hash digest = test_hash_of(body_number(height, i));
        if (sy_body_get(reader, &part, &digest) != SY_ERR_NOT_FOUND) return SY_ERR_CORRUPT;
    }
    return check_places(reader, height, 0);
}

sy_status chronicle_check(struct chronicle *chronicle, sy_store *store, uint64_t swept)
{
    sy_store_reader *reader = NULL;
    uint64_t next = sy_ledger_next(store);
    SY_TRY(sy_store_reader_open(&reader, store));
    sy_status status = SY_OK;
    for (uint64_t height = 0; height < sy_ledger_base(store) && status == SY_OK; height++) {
        struct sy_slice part;
        for (int i = 0; i < SY_BLOCK_PARTS; i++) {
            sy_status got = sy_ledger_get(reader, &part, height, (enum sy_block_part)i);
            if (got != SY_ERR_PRUNED) status = SY_ERR_CORRUPT;
        }
    }
    for (uint64_t height = sy_ledger_base(store); height < next && status == SY_OK; height++) {
        status = height < sy_ledger_pruned(store)
                     ? chronicle_check_pruned(store, reader, height, height < swept)
                     : chronicle_check_block(chronicle, store, reader, height);
    }
    sy_store_reader_close(reader);
    SY_TRY(status);
    if (next == 0) return SY_OK;
    if (sy_state_next(store) != next) return SY_ERR_NOT_FOUND;
    chronicle_model(chronicle, next);
    test_newest_check(store, &chronicle->model);
    return SY_OK;
}
