/* fuzz_execute.c: execution of whatever can be decoded. The bytes are read as a story: transactions
 * of every kind about few things (tests/support/soup.h), payloads byte by byte, ends of blocks,
 * time that passes, restarts. A ledger runs it block by block; another one, with another trie,
 * which is opened anew over what the deltas made of its state, runs the same. No assertion fails,
 * and both give the same header, receipts and deltas at every height; the last root is the
 * definition's.
 *
 * Signatures are zeros: execution looks at none (tests/support/ledger_world.h). ctest: slow */
#include <malloc.h>

#include "core/base/assert.h"
#include "tests/support/soup.h"

#define TXS_MAX 128u   /* of one input */
#define BLOCKS_MAX 64u /* likewise */

struct story {
    struct soup soup;
    struct ledger_world first, second;
    unsigned txs, blocks;
};

/* The world in which every story begins, made once. */
static struct ledger_world *beginning(void)
{
    static struct ledger_world world;
    static bool made;
    if (!made) {
        // What a ledger reserves comes from the kernel, zeroed where it is touched: not from
        // malloc's heap, which would be zeroed whole each time one is opened.
        (void)mallopt(M_MMAP_THRESHOLD, 1 << 20);
        world_open(&world, 0, 0);
        soup_populate(&world);
        made = true;
    }
    return &world;
}

/* What one receipt says hangs together. */
static void check_receipt(const struct sy_receipt *receipt, uint64_t height, uint32_t index)
{
    size_t offset = 0;
    struct sy_event event;
    uint32_t events = 0;
    while (sy_receipt_next_event(receipt, &offset, &event)) events++;
    SY_ASSERT(receipt->height == height && receipt->index == index);
    SY_ASSERT(events == receipt->event_count);
    SY_ASSERT(receipt->code == SY_APPLIED || (receipt->key_count == 0 && events == 0));
    SY_ASSERT(receipt->code == SY_APPLIED || sy_refusal_info(receipt->code) != NULL);
    SY_ASSERT(receipt->code != SY_APPLIED || receipt->key_count > 0);
}

static void run_block(struct story *story)
{
    struct ledger_world *first = &story->first, *second = &story->second;
    struct sy_block_entry entry = {.tx_ids = NULL};
    size_t count = 0; // no batch is empty
    if (first->batch_txs > 0) {
        uint64_t seq = world_next_seq(first, 0);
        struct sy_slice batch = world_batch(first, 0, seq);
        entry = world_entry(first, 0, seq, batch);
        count = 1;
    }
    world_execute(first, &entry, count);
    world_execute(second, &entry, count);
    first->lists.used = 0;
    SY_ASSERT(count == 0 || first->result.entries[0].ran);
    SY_ASSERT(sy_hash_equal(&first->result.header_hash, &second->result.header_hash));
    SY_ASSERT(sy_slice_equal(first->result.receipts, second->result.receipts));
    SY_ASSERT(sy_slice_equal(first->result.deltas, second->result.deltas));
    for (uint32_t i = 0; i < first->result.tx_count; i++) {
        struct sy_receipt receipt;
        world_receipt(first, &receipt, i);
        check_receipt(&receipt, first->header.height, i);
    }
    story->blocks++;
}

static void add(struct story *story, const struct world_tx *tx)
{
    bool added = world_add(&story->first, tx);
    SY_ASSERT(added); // TXS_MAX of the longest fit one batch
    story->txs++;
}

/* A payload as the bytes have it, if that is one. */
static void add_bytes(struct story *story)
{
    unsigned count = 0;
    while (sy_kind_at(count) != NULL) count++;
    const struct sy_kind *kind = sy_kind_at(soup_draw(&story->soup, count));
    struct world_tx tx = world_tx_of(kind->number, 0, 0);
    struct sy_slice payload = soup_take(&story->soup, soup_draw(&story->soup, 512));
    bool good =
        kind->number != SY_KIND_atomic && sy_payload_decode(&tx.payload, kind, payload, NULL);
    soup_signers(&story->soup, &tx);
    if (good) add(story, &tx);
}

/* The next block comes so much later. */
static void pass_time(struct story *story)
{
    static const int64_t steps_ms[] = {
        1,    1000, 61 * 1000, 4 * 3600 * 1000, 73 * 3600 * 1000, 366ll * 24 * 3600 * 1000,
        1000, 1000};
    int64_t step_ms = steps_ms[soup_draw(&story->soup, 8)];
    story->first.step_ms = step_ms;
    story->second.step_ms = step_ms;
}

static void tell(struct story *story)
{
    while (!soup_over(&story->soup) && story->txs < TXS_MAX && story->blocks < BLOCKS_MAX) {
        unsigned what = soup_draw(&story->soup, 256);
        if (what < 32) {
            run_block(story);
        } else if (what < 40) {
            world_reopen(&story->second);
        } else if (what < 48) {
            pass_time(story);
        } else if (what < 80) {
            add_bytes(story);
        } else {
            struct world_tx tx = soup_tx(&story->soup);
            add(story, &tx);
        }
    }
    run_block(story);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct story story;
    struct sy_hash root;
    story = (struct story){.soup = {.world = &story.first, .bytes = data, .size = size}};
    if (size == 0) return 0;
    world_copy(&story.first, beginning(), 0, 0);
    world_copy(&story.second, beginning(), 1 + data[0] % 16, 4096);
    tell(&story);
    state_array_root(&story.second.state, &root);
    SY_ASSERT(sy_hash_equal(&root, &story.first.header.state_root));
    world_close(&story.first);
    world_close(&story.second);
    return 0;
}
