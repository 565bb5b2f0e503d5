/* The state trie against its definition: whatever the order of changes, the size of the heap and
 * the shape of the set, root and proofs are those of the set alone. */
#include "core/ledger/trie.h"

#include <stdlib.h>

#include "core/base/prng.h"
#include "core/crypto/hash.h"
#include "core/ledger/trie_hash.h"
#include "core/ledger/trie_nodes.h"
#include "core/ledger/trie_shelf.h"
#include "core/wire/codec.h"
#include "tests/support/state_source.h"
#include "tests/support/test.h"

#define CHANGES_MAX 2048u

/* A trie, the state it stands for, and where its next changes are collected. */
struct world {
    sy_trie *trie;
    struct state_array state;
    struct sy_state_source source;
    struct sy_trie_change changes[CHANGES_MAX];
    uint8_t values[CHANGES_MAX];
    size_t count;
};

static void open_world(struct world *world, unsigned bucket_leaves, size_t memory_bytes_max)
{
    memset(world, 0, sizeof *world);
    struct sy_trie_config config = {bucket_leaves, memory_bytes_max, CHANGES_MAX};
    assert_int_equal(sy_trie_open(&world->trie, &config), SY_OK);
    world->source = state_array_source(&world->state);
}

static void close_world(struct world *world)
{
    sy_trie_close(world->trie);
    state_array_close(&world->state);
}

/* Plans one change of the next update; later plans for a key replace earlier ones. */
static void plan(struct world *world, const struct sy_hash *key, bool present, uint8_t value)
{
    size_t i = 0;
    while (i < world->count && sy_hash_compare(&world->changes[i].key_hash, key) < 0) i++;
    bool known = i < world->count && sy_hash_equal(&world->changes[i].key_hash, key);
    if (!known) {
        assert_true(world->count < CHANGES_MAX);
        size_t tail = world->count - i;
        memmove(&world->changes[i + 1], &world->changes[i], tail * sizeof world->changes[0]);
        memmove(&world->values[i + 1], &world->values[i], tail);
        world->count++;
    }
    world->changes[i].key_hash = *key;
    world->changes[i].present = present;
    // a hint where it is true, and sometimes none
    world->changes[i].was_present =
        key->bytes[31] % 4 != 0 && state_array_find(&world->state, key) != NULL;
    sy_sha256(&world->changes[i].value_hash, &value, 1);
    world->values[i] = value;
}

static void apply_to_state(struct world *world)
{
    uint8_t *room = malloc(world->count * 64 + 1);
    assert_non_null(room);
    struct sy_writer w = sy_writer_of(room, world->count * 64 + 1);
    for (size_t i = 0; i < world->count; i++) {
        const struct sy_trie_change *change = &world->changes[i];
        bool there = state_array_find(&world->state, &change->key_hash) != NULL;
        if (!change->present && !there) continue;
        sy_write_hash(&w, &change->key_hash);
        sy_write_u8(&w, change->present ? 1 : 2);
        sy_write_u32(&w, change->present ? 1 : 0);
        if (change->present) sy_write_u8(&w, world->values[i]);
    }
    assert_false(w.failed);
    state_array_apply(&world->state, sy_writer_slice(&w));
    free(room);
}

/* Applies what was planned, to the trie before or after the state shows it. */
static void commit(struct world *world, bool state_first)
{
    if (state_first) apply_to_state(world);
    sy_status status = sy_trie_update(world->trie, world->changes, world->count, &world->source);
    assert_int_equal(status, SY_OK);
    if (!state_first) apply_to_state(world);
    world->count = 0;
}

static void assert_root(const struct world *world)
{
    struct sy_hash expected, root;
    state_array_root(&world->state, &expected);
    sy_trie_root(world->trie, &root);
    assert_memory_equal(root.bytes, expected.bytes, 32);
    struct sy_trie_info info;
    sy_trie_get_info(world->trie, &info);
    assert_int_equal(info.leaves, world->state.count);
}

static struct sy_hash random_key(sy_prng *prng)
{
    struct sy_hash key;
    sy_prng_fill(prng, key.bytes, sizeof key.bytes);
    return key;
}

/* A key that shares `bits` leading bits with another one. */
static struct sy_hash ground_key(sy_prng *prng, const struct sy_hash *like, unsigned bits)
{
    struct sy_hash key = random_key(prng);
    for (unsigned bit = 0; bit < bits; bit++) {
        uint8_t mask = (uint8_t)(0x80u >> (bit % 8));
        key.bytes[bit / 8] =
            (uint8_t)((key.bytes[bit / 8] & ~mask) | (like->bytes[bit / 8] & mask));
    }
    return key;
}

CASE(trie_of_nothing_has_the_zero_root)
{
    static struct world world;
    open_world(&world, 0, 0);
    assert_root(&world);
    struct sy_hash root;
    sy_trie_root(world.trie, &root);
    assert_true(sy_hash_is_zero(&root));
    assert_int_equal(sy_trie_update(world.trie, NULL, 0, &world.source), SY_OK);
    assert_root(&world);
    close_world(&world);
}

CASE(trie_of_one_leaf_is_that_leaf)
{
    static struct world world;
    open_world(&world, 0, 0);
    struct sy_hash key = {{0x80}};
    plan(&world, &key, true, 7);
    struct sy_hash leaf;
    sy_trie_leaf(&leaf, &key, &world.changes[0].value_hash);
    commit(&world, false);
    struct sy_hash root;
    sy_trie_root(world.trie, &root);
    assert_memory_equal(root.bytes, leaf.bytes, 32);
    assert_root(&world);
    close_world(&world);
}

/* One random history: batches of insertions, rewritings and removals. */
static void live_through(struct world *world, sy_prng *prng, unsigned blocks, unsigned changes)
{
    for (unsigned block = 0; block < blocks; block++) {
        size_t planned = 1 + sy_prng_below(prng, changes);
        for (size_t i = 0; i < planned; i++) {
            struct sy_hash key = random_key(prng);
            bool known = world->state.count > 0 && sy_prng_chance(prng, 1, 2);
            if (known) key = world->state.entries[sy_prng_below(prng, world->state.count)].key_hash;
            bool present = !sy_prng_chance(prng, 2, 5);
            plan(world, &key, present, (uint8_t)sy_prng_below(prng, 256));
        }
        commit(world, sy_prng_chance(prng, 1, 2));
        assert_root(world);
    }
}

CASE(trie_root_follows_any_history)
{
    static const struct {
        unsigned bucket_leaves;
        size_t memory_bytes_max;
    } shapes[] = {{0, 0}, {1, 0}, {4, 0}, {16, 0}, {8, 1}, {8, 4096}, {1, 20000}};
    sy_prng prng;
    sy_prng_seed(&prng, test_seed());
    static struct world world;
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        open_world(&world, shapes[i].bucket_leaves, shapes[i].memory_bytes_max);
        live_through(&world, &prng, 30, 120);
        live_through(&world, &prng, 4, CHANGES_MAX / 2);
        close_world(&world);
    }
}

CASE(trie_root_depends_on_the_set_alone)
{
    sy_prng prng;
    sy_prng_seed(&prng, test_seed());
    static struct sy_hash keys[600];
    for (size_t i = 0; i < 600; i++) {
        keys[i] = random_key(&prng);
        if (i % 3 == 1) keys[i] = ground_key(&prng, &keys[i - 1], 1 + (unsigned)(i % 200));
    }
    struct sy_hash first = {{0}};
    static struct world world;
    for (unsigned round = 0; round < 6; round++) {
        open_world(&world, 1 + round * 3, round % 2 == 0 ? 0 : 3000);
        for (size_t i = 0; i < 600; i++) { // another order each time, with detours
            static const size_t strides[] = {7, 11, 13, 17, 19, 23};
            size_t k = (i * strides[round] + round) % 600;
            plan(&world, &keys[k], true, (uint8_t)k);
            struct sy_hash stray = ground_key(&prng, &keys[k], (unsigned)sy_prng_below(&prng, 60));
            plan(&world, &stray, true, 1);
            if (i % (5 + round) == 0) commit(&world, round % 3 == 0);
        }
        for (size_t i = 0; i < 600; i++) plan(&world, &keys[i], true, (uint8_t)i);
        commit(&world, true);
        for (size_t i = 0; i < world.state.count; i++) { // take the strays out again
            bool wanted = false;
            for (size_t k = 0; k < 600 && !wanted; k++) {
                wanted = sy_hash_equal(&world.state.entries[i].key_hash, &keys[k]);
            }
            if (!wanted) plan(&world, &world.state.entries[i].key_hash, false, 0);
        }
        commit(&world, false);
        assert_int_equal(world.state.count, 600);
        assert_root(&world);
        struct sy_hash root;
        sy_trie_root(world.trie, &root);
        if (round == 0) first = root;
        assert_memory_equal(root.bytes, first.bytes, 32);
        close_world(&world);
    }
}

CASE(trie_emptied_again_has_the_zero_root)
{
    sy_prng prng;
    sy_prng_seed(&prng, test_seed());
    static struct world world;
    open_world(&world, 2, 2000);
    live_through(&world, &prng, 8, 400);
    while (world.state.count > 0) {
        for (size_t i = 0; i < world.state.count && i < 300; i++) {
            plan(&world, &world.state.entries[i].key_hash, false, 0);
        }
        commit(&world, false);
        assert_root(&world);
    }
    struct sy_trie_info info;
    sy_trie_get_info(world.trie, &info);
    assert_int_equal(info.deep_nodes, 0);
    close_world(&world);
}

CASE(trie_rebuilt_from_the_source_is_the_same)
{
    sy_prng prng;
    sy_prng_seed(&prng, test_seed());
    static const size_t memory[] = {0, 1, 100000};
    static struct world world;
    for (size_t i = 0; i < 3; i++) {
        open_world(&world, 0, memory[i]);
        struct sy_hash like = random_key(&prng);
        for (unsigned block = 0; block < 6; block++) {
            for (unsigned k = 0; k < 1500; k++) {
                struct sy_hash key = random_key(&prng);
                if (k % 4 == 0) key = ground_key(&prng, &like, 45);
                plan(&world, &key, true, (uint8_t)k);
            }
            commit(&world, false);
        }
        struct sy_hash before, after;
        sy_trie_root(world.trie, &before);
        assert_int_equal(sy_trie_rebuild(world.trie, &world.source), SY_OK);
        sy_trie_root(world.trie, &after);
        assert_memory_equal(before.bytes, after.bytes, 32);
        assert_root(&world);
        // and what was rebuilt goes on like what was grown
        live_through(&world, &prng, 6, 300);
        close_world(&world);
    }
}

CASE(trie_rebuilt_from_nothing_is_empty)
{
    static struct world world;
    open_world(&world, 0, 0);
    assert_int_equal(sy_trie_rebuild(world.trie, &world.source), SY_OK);
    assert_root(&world);
    close_world(&world);
}

static void fill_proof(struct world *world, struct sy_state_proof *proof, const struct sy_hash *key)
{
    sy_status status =
        sy_trie_prove(world->trie, proof, key, world->changes, world->count, &world->source);
    assert_int_equal(status, SY_OK);
    const struct state_entry *entry = state_array_find(&world->state, key);
    if (world->count == 0) assert_int_equal(proof->present, entry != NULL);
    if (entry != NULL && proof->present) proof->value = sy_slice_of(entry->data, entry->size);
}

static struct sy_header header_of(const struct world *world)
{
    struct sy_header header = {.protocol = SY_PROTOCOL_VERSION};
    sy_trie_root(world->trie, &header.state_root);
    return header;
}

/* Every present key, its neighbours and strangers: all provable; nothing else is. */
CASE(trie_proofs_verify_and_no_change_of_them_does)
{
    sy_prng prng;
    sy_prng_seed(&prng, test_seed());
    static struct world world;
    open_world(&world, 0, 8000);
    live_through(&world, &prng, 10, 300);
    struct sy_hash like = world.state.entries[0].key_hash;
    for (unsigned i = 0; i < 40; i++) {
        struct sy_hash key = ground_key(&prng, &like, 50);
        plan(&world, &key, true, 3);
    }
    commit(&world, true);
    struct sy_header header = header_of(&world);
    struct sy_state_proof proof;
    const char *what = NULL;
    for (unsigned round = 0; round < 400; round++) {
        size_t pick = sy_prng_below(&prng, world.state.count);
        struct sy_hash key = world.state.entries[pick].key_hash;
        if (round % 4 == 1) key = random_key(&prng);
        if (round % 4 == 2) key = ground_key(&prng, &key, (unsigned)sy_prng_below(&prng, 200));
        if (round % 4 == 3) key = ground_key(&prng, &like, 50);
        fill_proof(&world, &proof, &key);
        assert_true(sy_state_proof_verify(&proof, &header, &what));
        // a bit of a sibling, of the key, of the value, the count, the claim itself
        struct sy_state_proof bad = proof;
        if (bad.count > 0) {
            bad.siblings[sy_prng_below(&prng, bad.count)].bytes[sy_prng_below(&prng, 32)] ^= 1;
            assert_false(sy_state_proof_verify(&bad, &header, &what));
            bad = proof;
            bad.count--;
            assert_false(sy_state_proof_verify(&bad, &header, &what));
        }
        bad = proof;
        bad.siblings[bad.count++] = random_key(&prng);
        assert_false(sy_state_proof_verify(&bad, &header, &what));
        bad = proof;
        bad.present = !bad.present;
        bad.value = sy_slice_of("", 1);
        bad.other = false;
        assert_false(sy_state_proof_verify(&bad, &header, &what));
        if (proof.present) {
            bad = proof;
            bad.value = sy_slice_of("xy", 2);
            assert_false(sy_state_proof_verify(&bad, &header, &what));
            bad = proof;
            bad.key_hash.bytes[31] ^= 1;
            assert_false(sy_state_proof_verify(&bad, &header, &what));
        }
        if (proof.other) {
            bad = proof;
            bad.other_value_hash.bytes[5] ^= 4;
            assert_false(sy_state_proof_verify(&bad, &header, &what));
            bad = proof;
            bad.other = false;
            assert_false(sy_state_proof_verify(&bad, &header, &what));
        }
    }
    close_world(&world);
}

CASE(trie_proves_absence_in_an_empty_and_a_single_state)
{
    static struct world world;
    open_world(&world, 0, 0);
    struct sy_state_proof proof;
    const char *what = NULL;
    struct sy_hash key = {{1}}, other = {{2}};
    fill_proof(&world, &proof, &key);
    struct sy_header header = header_of(&world);
    assert_false(proof.present || proof.other);
    assert_int_equal(proof.count, 0);
    assert_true(sy_state_proof_verify(&proof, &header, &what));
    plan(&world, &other, true, 9);
    commit(&world, false);
    header = header_of(&world);
    fill_proof(&world, &proof, &key);
    assert_true(proof.other);
    assert_true(sy_state_proof_verify(&proof, &header, &what));
    fill_proof(&world, &proof, &other);
    assert_true(proof.present);
    assert_true(sy_state_proof_verify(&proof, &header, &what));
    close_world(&world);
}

CASE(trie_proves_before_the_source_shows_the_changes)
{
    sy_prng prng;
    sy_prng_seed(&prng, test_seed());
    static struct world world;
    open_world(&world, 0, 0);
    live_through(&world, &prng, 5, 300);
    struct sy_hash fresh = random_key(&prng);
    struct sy_hash gone = world.state.entries[3].key_hash;
    plan(&world, &fresh, true, 5);
    plan(&world, &gone, false, 0);
    assert_int_equal(sy_trie_update(world.trie, world.changes, world.count, &world.source), SY_OK);
    struct sy_header header = header_of(&world);
    const char *what = NULL;
    for (unsigned shown = 0; shown < 2; shown++) {
        struct sy_state_proof proof;
        fill_proof(&world, &proof, &fresh);
        uint8_t value = 5;
        proof.value = sy_slice_of(&value, 1);
        assert_true(proof.present);
        assert_true(sy_state_proof_verify(&proof, &header, &what));
        fill_proof(&world, &proof, &gone);
        assert_false(proof.present);
        proof.value = sy_slice_of(NULL, 0);
        assert_true(sy_state_proof_verify(&proof, &header, &what));
        if (shown == 0) apply_to_state(&world);
    }
    close_world(&world);
}

/* Somebody who grinds ids can make 2,000 keys share 44 bits. One more change among them must cost
 * its path, not their number. */
CASE(trie_ground_ids_cost_their_path_only)
{
    sy_prng prng;
    sy_prng_seed(&prng, test_seed());
    static struct world world;
    open_world(&world, 0, 0);
    live_through(&world, &prng, 4, 1000);
    struct sy_hash like = random_key(&prng);
    for (unsigned i = 0; i < 2000; i++) {
        struct sy_hash key = ground_key(&prng, &like, 44);
        plan(&world, &key, true, 1);
    }
    commit(&world, false);
    assert_root(&world);
    struct sy_trie_info before, after;
    for (unsigned i = 0; i < 50; i++) {
        struct sy_hash key = ground_key(&prng, &like, 44);
        plan(&world, &key, true, 2);
        sy_trie_get_info(world.trie, &before);
        commit(&world, i % 2 == 0);
        sy_trie_get_info(world.trie, &after);
        // 44 shared levels, about 8 of their own, one bucket's leaves and nodes
        assert_true(after.hashes - before.hashes <= 44 + 24 + 4 * SY_TRIE_BUCKET_MAX);
        assert_true(after.scanned - before.scanned <= SY_TRIE_BUCKET_MAX + 1);
        assert_true(after.scans - before.scans <= 1);
    }
    assert_root(&world);
    // and few ids that share very much cost one level a bit, in a single bucket
    struct sy_hash deep = random_key(&prng);
    for (unsigned bits = 200; bits < 216; bits++) {
        struct sy_hash key = ground_key(&prng, &deep, bits);
        plan(&world, &key, true, 3);
        sy_trie_get_info(world.trie, &before);
        commit(&world, false);
        sy_trie_get_info(world.trie, &after);
        assert_true(after.hashes - before.hashes <= 256 + 2 * SY_TRIE_BUCKET_MAX);
    }
    assert_root(&world);
    close_world(&world);
}

/* Key hashes spread evenly, some of them ground to share every bit that a lone leaf's tag has with
 * a key before. */
static struct sy_hash spread_key(sy_prng *prng, const struct world *world)
{
    if (sy_prng_below(prng, 8) != 0 || world->state.count == 0) return random_key(prng);
    size_t like = (size_t)sy_prng_below(prng, world->state.count);
    unsigned bits = 8 + (unsigned)sy_prng_below(prng, 40);
    return ground_key(prng, &world->state.entries[like].key_hash, bits);
}

/* A heap deep enough for tags to tell where keys part. */
CASE(trie_places_keys_beside_lone_leaves_without_reading_them)
{
    static struct world world;
    open_world(&world, 1, 0);
    sy_prng prng;
    sy_prng_seed(&prng, 20261129);
    for (int round = 0; round < 40; round++) {
        for (int i = 0; i < 500; i++) {
            struct sy_hash key = spread_key(&prng, &world);
            bool known = world.state.count > 0 && sy_prng_below(&prng, 4) == 0;
            if (known) {
                size_t at = (size_t)sy_prng_below(&prng, world.state.count);
                key = world.state.entries[at].key_hash;
            }
            plan(&world, &key, !known || sy_prng_below(&prng, 2) == 0, (uint8_t)i);
        }
        commit(&world, round % 2 == 0);
        assert_root(&world);
    }
    struct sy_trie_info before, after;
    sy_trie_get_info(world.trie, &before);
    assert_true(before.heap_depth > SY_NODES_TAG_FROM);
    for (int i = 0; i < 1000; i++) {
        struct sy_hash key = random_key(&prng);
        plan(&world, &key, true, 1);
    }
    commit(&world, true);
    assert_root(&world);
    sy_trie_get_info(world.trie, &after);
    // Half of a thousand fresh keys meet a leaf; those few that meet two or more are read.
    assert_true(after.scans - before.scans < 300);
    assert_int_equal(sy_trie_rebuild(world.trie, &world.source), SY_OK);
    assert_root(&world);
    close_world(&world);
}

/* Plans the next value of n keys that the state has. */
static void plan_known(struct world *world, size_t n, uint8_t value)
{
    for (size_t i = 0; i < n; i++) {
        struct sy_hash key = world->state.entries[i * 7].key_hash;
        plan(world, &key, true, value);
    }
    for (size_t i = 0; i < world->count; i++) world->changes[i].was_present = true;
}

CASE(trie_reads_what_stands_beside_changing_keys_once)
{
    static struct world world;
    open_world(&world, 1, 0);
    sy_prng prng;
    sy_prng_seed(&prng, 7);
    for (int i = 0; i < 2000; i++) {
        struct sy_hash key = random_key(&prng);
        plan(&world, &key, true, 1);
    }
    commit(&world, false);
    struct sy_trie_info before, after;
    sy_trie_get_info(world.trie, &before);
    for (uint8_t round = 2; round < 12; round++) {
        plan_known(&world, 250, round);
        commit(&world, round % 2 == 0);
        assert_root(&world);
    }
    sy_trie_get_info(world.trie, &after);
    // 250 keys ten times: only buckets of more leaves than the shelf keeps are read.
    assert_true(after.scans - before.scans < 250);
    close_world(&world);
}

CASE(trie_forgets_what_a_bucket_was_before_it_grew_and_shrank)
{
    static struct world world;
    open_world(&world, 1, 300); // a heap of two levels
    sy_prng prng;
    sy_prng_seed(&prng, 8);
    struct sy_hash keys[24];
    keys[0] = random_key(&prng);
    for (size_t i = 1; i < 24; i++) keys[i] = ground_key(&prng, &keys[0], 12);
    for (size_t i = 0; i < 3; i++) plan(&world, &keys[i], true, 1);
    commit(&world, false);
    assert_root(&world);
    for (size_t i = 3; i < 24; i++) plan(&world, &keys[i], true, 2);
    commit(&world, false);
    assert_root(&world);
    // Three leaves again, but others.
    plan(&world, &keys[0], false, 0);
    for (size_t i = 4; i < 24; i++) plan(&world, &keys[i], false, 0);
    commit(&world, false);
    assert_root(&world);
    plan(&world, &keys[1], true, 3);
    commit(&world, false);
    assert_root(&world);
    close_world(&world);
}

CASE(trie_knows_most_keys_that_are_nowhere)
{
    static struct world world;
    open_world(&world, 1, 0);
    sy_prng prng;
    sy_prng_seed(&prng, 42);
    struct sy_hash key = random_key(&prng);
    assert_false(sy_trie_may_hold(world.trie, &key));
    int guessed = 0;
    for (int round = 0; round < 12; round++) {
        for (int i = 0; i < 700; i++) {
            key = spread_key(&prng, &world);
            bool gone = world.state.count > 0 && i % 5 == 0;
            if (gone) key = world.state.entries[sy_prng_below(&prng, world.state.count)].key_hash;
            plan(&world, &key, !gone, (uint8_t)round);
        }
        commit(&world, false);
        for (size_t i = 0; i < world.state.count; i++) {
            assert_true(sy_trie_may_hold(world.trie, &world.state.entries[i].key_hash));
        }
        for (int i = 0; i < 500; i++) {
            key = random_key(&prng);
            guessed += sy_trie_may_hold(world.trie, &key) ? 1 : 0;
        }
    }
    assert_true(guessed < 6000 / 4); // only those that meet two leaves or more
    close_world(&world);
}

CASE(trie_keeps_to_its_memory_bound)
{
    sy_prng prng;
    sy_prng_seed(&prng, test_seed());
    static struct world bounded, free_world;
    open_world(&bounded, 0, 16 * 1024);
    open_world(&free_world, 0, 0);
    for (unsigned block = 0; block < 10; block++) {
        for (unsigned i = 0; i < 1000; i++) {
            struct sy_hash key = random_key(&prng);
            plan(&bounded, &key, true, 1);
            plan(&free_world, &key, true, 1);
        }
        commit(&bounded, false);
        commit(&free_world, false);
    }
    struct sy_trie_info info, free_info;
    sy_trie_get_info(bounded.trie, &info);
    sy_trie_get_info(free_world.trie, &free_info);
    assert_true(((size_t)2 << info.heap_depth) * sizeof(struct sy_node) <= 16 * 1024);
    assert_true(free_info.heap_depth > info.heap_depth);
    assert_true(info.deep_nodes > 0);
    assert_root(&bounded);
    assert_root(&free_world);
    close_world(&bounded);
    close_world(&free_world);
}

CASE(trie_is_unusable_after_its_source_failed)
{
    sy_prng prng;
    sy_prng_seed(&prng, test_seed());
    static struct world world;
    open_world(&world, 0, 0);
    live_through(&world, &prng, 3, 500);
    // among more leaves than the shelf keeps, so that the source must be asked
    struct sy_hash key = world.state.entries[0].key_hash;
    for (unsigned i = 0; i < SY_SHELF_LEAVES_MAX; i++) {
        key = ground_key(&prng, &key, 40);
        plan(&world, &key, true, 1);
    }
    commit(&world, false);
    key = ground_key(&prng, &key, 40);
    plan(&world, &key, true, 1);
    world.state.fail_after = 1;
    sy_status status = sy_trie_update(world.trie, world.changes, world.count, &world.source);
    assert_int_equal(status, SY_ERR_IO);
    status = sy_trie_update(world.trie, world.changes, world.count, &world.source);
    assert_int_equal(status, SY_ERR_CLOSED);
    struct sy_state_proof proof;
    status = sy_trie_prove(world.trie, &proof, &key, NULL, 0, &world.source);
    assert_int_equal(status, SY_ERR_CLOSED);
    world.state.fail_after = 2;
    world.count = 0;
    assert_int_equal(sy_trie_rebuild(world.trie, &world.source), SY_OK);
    world.state.fail_after = 0;
    assert_root(&world);
    close_world(&world);
}

CASE(trie_refuses_a_source_that_holds_something_else)
{
    sy_prng prng;
    sy_prng_seed(&prng, test_seed());
    static struct world world;
    open_world(&world, 0, 1);
    struct sy_hash key = random_key(&prng);
    plan(&world, &key, true, 1);
    commit(&world, false);
    for (unsigned i = 0; i < 6000; i++) { // behind the trie's back
        struct sy_hash stray = random_key(&prng);
        stray.bytes[0] = key.bytes[0];
        state_array_put(&world.state, &stray, sy_slice_of("x", 1));
    }
    struct sy_state_proof proof;
    sy_status status = sy_trie_prove(world.trie, &proof, &key, NULL, 0, &world.source);
    assert_int_equal(status, SY_ERR_CORRUPT);
    struct sy_hash fresh = ground_key(&prng, &key, 9);
    plan(&world, &fresh, true, 2);
    status = sy_trie_update(world.trie, world.changes, world.count, &world.source);
    assert_int_equal(status, SY_ERR_CORRUPT);
    world.count = 0;
    close_world(&world);
}

/* A source that gives two leaves, whatever it is asked for. */
static sy_status scan_wrongly(void *self, const struct sy_hash *prefix, unsigned bits,
                              sy_state_visit visit, void *user)
{
    (void)prefix;
    (void)bits;
    const struct sy_hash *leaves = self;
    for (unsigned i = 0; i < 2; i++) {
        if (!visit(user, &leaves[i], sy_slice_of("x", 1))) return SY_OK;
    }
    return SY_OK;
}

CASE(trie_refuses_a_source_without_order_or_place)
{
    struct sy_hash wrong[][2] = {
        {{{0x80}}, {{0x10}}}, // descending
        {{{0x10}}, {{0x10}}}, // twice the same
        {{{0x10}}, {{0xf0}}}, // ascending, but all over the place
    };
    for (size_t i = 0; i < 3; i++) {
        static struct world world;
        open_world(&world, 0, 0);
        struct sy_hash key = {{0x10, 1}};
        for (uint8_t k = 0; k < 64; k++) { // so that the heap is deeper than one bucket
            key.bytes[0] = (uint8_t)(k * 4 + 1);
            plan(&world, &key, true, k);
        }
        commit(&world, false);
        struct sy_state_source source = {.self = wrong[i], .scan = scan_wrongly};
        key.bytes[0] = 0x11;
        key.bytes[1] = 0x80;
        plan(&world, &key, true, 1);
        sy_status status = sy_trie_update(world.trie, world.changes, world.count, &source);
        assert_int_equal(status, SY_ERR_CORRUPT);
        status = sy_trie_rebuild(world.trie, &source);
        bool whole = i == 2; // for a whole state any two different leaves are in place
        assert_int_equal(status, whole ? SY_OK : SY_ERR_CORRUPT);
        close_world(&world);
    }
}

CASE(trie_refuses_too_many_changes_and_bad_limits)
{
    static struct world world;
    open_world(&world, 0, 0);
    static struct sy_trie_change many[CHANGES_MAX + 1];
    assert_int_equal(sy_trie_update(world.trie, many, CHANGES_MAX + 1, &world.source),
                     SY_ERR_LIMIT);
    close_world(&world);
    sy_trie *trie = NULL;
    struct sy_trie_config config = {SY_TRIE_BUCKET_MAX + 1, 0, 1};
    assert_int_equal(sy_trie_open(&trie, &config), SY_ERR_ARGUMENT);
    config = (struct sy_trie_config){0, 0, 0};
    assert_int_equal(sy_trie_open(&trie, &config), SY_ERR_ARGUMENT);
    assert_null(trie);
}

CASE(trie_root_of_a_list_is_the_definition)
{
    sy_prng prng;
    sy_prng_seed(&prng, test_seed());
    static struct world world;
    open_world(&world, 0, 0);
    for (unsigned round = 0; round < 40; round++) {
        size_t count = round < 6 ? round : sy_prng_below(&prng, 300);
        struct sy_hash like = random_key(&prng);
        for (size_t i = 0; i < count; i++) {
            struct sy_hash key = ground_key(&prng, &like, (unsigned)sy_prng_below(&prng, 250));
            plan(&world, &key, true, (uint8_t)i);
        }
        struct sy_hash root, expected;
        sy_trie_root_of(&root, world.changes, world.count);
        apply_to_state(&world);
        state_array_root(&world.state, &expected);
        assert_memory_equal(root.bytes, expected.bytes, 32);
        // the same leaves as a run
        static struct sy_trie_leaf leaves[512];
        for (size_t i = 0; i < world.count; i++) {
            leaves[i].key_hash = world.changes[i].key_hash;
            leaves[i].value_hash = world.changes[i].value_hash;
        }
        uint64_t hashes = 0;
        sy_trie_run_root(&root, leaves, world.count, 0, &hashes);
        assert_memory_equal(root.bytes, expected.bytes, 32);
        state_array_close(&world.state);
        world.count = 0;
    }
    close_world(&world);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(trie_of_nothing_has_the_zero_root),
        cmocka_unit_test(trie_of_one_leaf_is_that_leaf),
        cmocka_unit_test(trie_root_follows_any_history),
        cmocka_unit_test(trie_root_depends_on_the_set_alone),
        cmocka_unit_test(trie_emptied_again_has_the_zero_root),
        cmocka_unit_test(trie_rebuilt_from_the_source_is_the_same),
        cmocka_unit_test(trie_rebuilt_from_nothing_is_empty),
        cmocka_unit_test(trie_proofs_verify_and_no_change_of_them_does),
        cmocka_unit_test(trie_proves_absence_in_an_empty_and_a_single_state),
        cmocka_unit_test(trie_proves_before_the_source_shows_the_changes),
        cmocka_unit_test(trie_ground_ids_cost_their_path_only),
        cmocka_unit_test(trie_places_keys_beside_lone_leaves_without_reading_them),
        cmocka_unit_test(trie_reads_what_stands_beside_changing_keys_once),
        cmocka_unit_test(trie_forgets_what_a_bucket_was_before_it_grew_and_shrank),
        cmocka_unit_test(trie_knows_most_keys_that_are_nowhere),
        cmocka_unit_test(trie_keeps_to_its_memory_bound),
        cmocka_unit_test(trie_is_unusable_after_its_source_failed),
        cmocka_unit_test(trie_refuses_a_source_that_holds_something_else),
        cmocka_unit_test(trie_refuses_a_source_without_order_or_place),
        cmocka_unit_test(trie_refuses_too_many_changes_and_bad_limits),
        cmocka_unit_test(trie_root_of_a_list_is_the_definition),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
