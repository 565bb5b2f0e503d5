/* Chunks of a state: together they are the whole state and nothing else, each is checked against
 * the root alone, and nothing that is not so passes. ctest: timeout=900 */
#include "core/ledger/snapshot.h"

#include <stdlib.h>

#include "core/base/prng.h"
#include "core/crypto/hash.h"
#include "core/wire/delta.h"
#include "tests/support/state_source.h"
#include "tests/support/test.h"

struct world {
    sy_trie *trie;
    struct state_array state;
    struct sy_state_source source;
    struct sy_snapshot_top top;
    struct sy_hash root;
    uint8_t *room;
    uint8_t *bytes; /* an encoded chunk */
    unsigned hint;
};

static struct sy_chunk chunk;
static struct sy_chunk decoded;

/* Keys and values of `count` entries; the first `ground` share their first 70 bits. */
static void open_world(struct world *world, size_t count, size_t value_max, size_t ground)
{
    sy_prng prng;
    uint8_t value[SY_STATE_VALUE_BYTES_MAX];
    memset(world, 0, sizeof *world);
    sy_prng_seed(&prng, count * 31 + value_max);
    for (size_t i = 0; i < count; i++) {
        struct sy_hash key;
        size_t size = (size_t)sy_prng_below(&prng, value_max + 1);
        sy_prng_fill(&prng, key.bytes, sizeof key.bytes);
        if (i < ground) memset(key.bytes, 0xa7, 8);
        if (i < ground) key.bytes[8] = (uint8_t)(0x14 | (key.bytes[8] & 3));
        sy_prng_fill(&prng, value, size);
        state_array_put(&world->state, &key, sy_slice_of(value, size));
    }
    struct sy_trie_config config = {.changes_max = 16};
    world->source = state_array_source(&world->state);
    assert_int_equal(sy_trie_open(&world->trie, &config), SY_OK);
    assert_int_equal(sy_trie_rebuild(world->trie, &world->source), SY_OK);
    assert_int_equal(sy_snapshot_top_take(&world->top, world->trie), SY_OK);
    sy_trie_root(world->trie, &world->root);
    world->room = (uint8_t *)malloc(SY_CHUNK_ENTRIES_BYTES_MAX);
    world->bytes = (uint8_t *)malloc(SY_FRAME_BYTES_MAX);
    assert_true(world->room != NULL && world->bytes != NULL);
}

static void close_world(struct world *world)
{
    sy_snapshot_top_free(&world->top);
    sy_trie_close(world->trie);
    state_array_close(&world->state);
    free(world->room);
    free(world->bytes);
}

/* Makes the chunk of a key, sends it over the wire, and checks it there. */
static struct sy_slice fetch(struct world *world, const struct sy_hash *key)
{
    const char *what = "";
    struct sy_writer w = sy_writer_of(world->bytes, SY_FRAME_BYTES_MAX);
    sy_status status =
        sy_chunk_make(&chunk, world->room, &world->hint, &world->top, &world->source, key);
    assert_int_equal(status, SY_OK);
    sy_chunk_encode(&w, &chunk);
    assert_false(w.failed);
    struct sy_reader r = sy_reader_of(sy_writer_slice(&w));
    assert_true(sy_chunk_decode(&r, &decoded));
    assert_true(sy_reader_done(&r));
    if (!sy_chunk_verify(&decoded, &world->root, &what)) fail_msg("%s", what);
    return sy_writer_slice(&w);
}

/* Walks all chunks from the first key on; every entry of the state stands in one, in order. */
static unsigned walk(struct world *world)
{
    struct sy_hash key = {{0}};
    size_t at = 0;
    unsigned chunks = 0;
    bool more = true;
    for (; more; chunks++) {
        (void)fetch(world, &key);
        struct sy_delta_reader entries = sy_delta_reader_of(decoded.entries);
        struct sy_delta entry;
        while (sy_delta_next(&entries, &entry)) {
            assert_true(at < world->state.count);
            const struct state_entry *expected = &world->state.entries[at++];
            assert_memory_equal(entry.key.bytes, expected->key_hash.bytes, 32);
            assert_true(sy_slice_equal(entry.value, sy_slice_of(expected->data, expected->size)));
        }
        more = sy_chunk_next(&key, &decoded);
    }
    assert_int_equal(at, world->state.count);
    return chunks;
}

CASE(chunks_are_the_whole_state)
{
    static const struct {
        size_t count, value_max, ground;
        unsigned least, most;
    } states[] = {
        {0, 0, 0, 1, 1},           {1, 10, 0, 1, 1},          {7, 4096, 0, 1, 1},
        {1500, 4096, 0, 4, 16},    {30000, 0, 0, 2, 2},       {40000, 60, 0, 4, 4},
        {3000, 4096, 1500, 5, 99}, {2600, 4096, 2600, 5, 99},
    };
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
        struct world world;
        open_world(&world, states[i].count, states[i].value_max, states[i].ground);
        unsigned chunks = walk(&world);
        print_message("%zu entries: %u chunks\n", states[i].count, chunks);
        assert_in_range(chunks, states[i].least, states[i].most);
        close_world(&world);
    }
}

CASE(a_chunk_is_the_same_wherever_the_search_begins)
{
    static uint8_t first[SY_FRAME_BYTES_MAX];
    struct world world;
    sy_prng prng;
    sy_prng_seed(&prng, test_seed());
    open_world(&world, 2000, 4096, 700);
    for (unsigned i = 0; i < 12; i++) {
        struct sy_hash key;
        sy_prng_fill(&prng, key.bytes, sizeof key.bytes);
        if (i % 2 == 0) memset(key.bytes, 0xa7, 8);
        world.hint = 0;
        struct sy_slice bytes = fetch(&world, &key);
        memcpy(first, bytes.data, bytes.size);
        const unsigned hints[] = {1, 5, 66, 200, 256, 9999};
        for (size_t h = 0; h < sizeof hints / sizeof hints[0]; h++) {
            world.hint = hints[h];
            struct sy_slice again = fetch(&world, &key);
            assert_true(sy_slice_equal(again, sy_slice_of(first, bytes.size)));
        }
    }
    close_world(&world);
}

CASE(every_changed_bit_is_refused)
{
    struct world world;
    struct sy_hash key = {{0x80}};
    open_world(&world, 1500, 4096, 0);
    struct sy_slice bytes = fetch(&world, &key);
    size_t refused = 0;
    assert_true(decoded.bits > 0);
    // Every bit of what is not entries, and of the first of these; of the rest one in some.
    size_t front = 2 + 32 + 32 * (size_t)decoded.bits + 4 + 80;
    for (size_t bit = 0; bit < bytes.size * 8; bit += bit < front * 8 ? 1 : 99991) {
        world.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        struct sy_reader r = sy_reader_of(bytes);
        bool taken = sy_chunk_decode(&r, &decoded) && sy_reader_done(&r) &&
                     sy_chunk_verify(&decoded, &world.root, NULL);
        if (taken) fail_msg("bit %zu of byte %zu", bit % 8, bit / 8);
        world.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        refused++;
    }
    assert_true(refused > 1500);
    for (size_t size = 0; size < bytes.size; size += size < front ? 1 : 9973) {
        struct sy_reader r = sy_reader_of(sy_slice_of(bytes.data, size));
        assert_false(sy_chunk_decode(&r, &decoded));
    }
    close_world(&world);
}

/* A liar's chunks: well formed, of the right state but for one thing. */
CASE(what_a_liar_changes_is_refused)
{
    struct world world;
    struct sy_hash key = {{0}};
    open_world(&world, 1500, 4096, 0);
    (void)fetch(&world, &key);
    struct sy_chunk honest = decoded;
    struct sy_delta_reader entries = sy_delta_reader_of(honest.entries);
    struct sy_delta entry;
    assert_true(sy_delta_next(&entries, &entry));
    size_t first = entries.in.used;

    struct sy_chunk lie = honest; // an entry left out
    lie.entries = sy_slice_of(honest.entries.data + first, honest.entries.size - first);
    assert_false(sy_chunk_verify(&lie, &world.root, NULL));
    lie = honest; // nothing at all
    lie.entries.size = 0;
    assert_false(sy_chunk_verify(&lie, &world.root, NULL));
    lie = honest; // another place
    lie.prefix.bytes[0] ^= 0x80;
    assert_false(sy_chunk_verify(&lie, &world.root, NULL));
    lie = honest; // of another state
    struct sy_hash other = world.root;
    other.bytes[9] ^= 1;
    assert_false(sy_chunk_verify(&lie, &other, NULL));
    assert_true(sy_chunk_verify(&honest, &world.root, NULL));
    close_world(&world);
}

CASE(a_prefix_that_is_longer_than_need_be_is_refused)
{
    struct world world;
    struct sy_hash key = {{0}};
    const char *what = "";
    open_world(&world, 0, 0, 0);
    key.bytes[0] = 0x40;
    uint8_t value = 1;
    state_array_put(&world.state, &key, sy_slice_of(&value, 1));
    assert_int_equal(sy_trie_rebuild(world.trie, &world.source), SY_OK);
    sy_trie_root(world.trie, &world.root);
    sy_snapshot_top_free(&world.top);
    assert_int_equal(sy_snapshot_top_take(&world.top, world.trie), SY_OK);
    (void)fetch(&world, &key);
    assert_int_equal(decoded.bits, 0);
    decoded.bits = 1; // the lone leaf stands for itself at any depth; its sibling would be empty
    assert_false(sy_chunk_verify(&decoded, &world.root, &what));
    assert_string_equal(what, "its prefix is longer than need be");
    close_world(&world);
}

CASE(a_source_that_has_moved_on_gives_no_chunk)
{
    struct world world;
    struct sy_hash key = {{0}};
    uint8_t value = 1;
    open_world(&world, 300, 4096, 0);
    state_array_put(&world.state, &key, sy_slice_of(&value, 1));
    sy_status status =
        sy_chunk_make(&chunk, world.room, &world.hint, &world.top, &world.source, &key);
    assert_int_equal(status, SY_ERR_CORRUPT);
    close_world(&world);
}

CASE(the_next_key_is_that_behind_the_prefix)
{
    struct sy_chunk at = {.bits = 3};
    struct sy_hash next;
    at.prefix.bytes[0] = 0x60;
    assert_true(sy_chunk_next(&next, &at));
    assert_int_equal(next.bytes[0], 0x80);
    at.prefix.bytes[0] = 0xe0;
    assert_false(sy_chunk_next(&next, &at));
    at = (struct sy_chunk){.bits = 0};
    assert_false(sy_chunk_next(&next, &at));
    at = (struct sy_chunk){.bits = 256};
    memset(at.prefix.bytes, 0xff, 32);
    at.prefix.bytes[1] = 0x0f;
    assert_true(sy_chunk_next(&next, &at));
    assert_int_equal(next.bytes[0], 0xff);
    assert_int_equal(next.bytes[1], 0x10);
    assert_int_equal(next.bytes[31], 0);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(chunks_are_the_whole_state),
        cmocka_unit_test(a_chunk_is_the_same_wherever_the_search_begins),
        cmocka_unit_test(every_changed_bit_is_refused),
        cmocka_unit_test(what_a_liar_changes_is_refused),
        cmocka_unit_test(a_prefix_that_is_longer_than_need_be_is_refused),
        cmocka_unit_test(a_source_that_has_moved_on_gives_no_chunk),
        cmocka_unit_test(the_next_key_is_that_behind_the_prefix),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
