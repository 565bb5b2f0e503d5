/* state.c: `systole-bench state`: the state trie over entries in memory, so that nothing but the
 * trie and its hashes is measured.
 *
 *     rebuild   sy_trie_rebuild of all entries: what a validator does when it starts
 *     update    sy_trie_update with changes spread over all of them: what each block does
 *     chunk     sy_chunk_verify of each chunk of the state: what a validator that joins does
 *
 * Each figure is the median of the rounds. The roots of all three ways are compared with the one
 * that the definition gives (sy_trie_root_of). */
#include "bench/state.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/os.h"
#include "core/base/prng.h"
#include "core/crypto/hash.h"
#include "core/ledger/snapshot.h"
#include "core/wire/delta.h"

#define ROUNDS_MAX 101u
#define VALUE_MIN 16u
#define VALUE_MAX 112u /* 64 bytes on average, as in a state of records */

static const char usage[] =
    "usage: systole-bench state [OPTION...]\n"
    "\n"
    "Times the state trie: rebuilding it from a state in memory, updating it, and checking the\n"
    "chunks of a snapshot.\n"
    "\n"
    "  --entries N     of the state, up to 16777216 (262144)\n"
    "  --changes N     of one update, up to 65536 (4096)\n"
    "  --rounds N      of each figure, 1 to 101 (7)\n";

struct entry {
    struct sy_hash key;
    uint8_t value[VALUE_MAX];
    uint8_t size;
};

struct bench {
    uint64_t entries_count, changes_count, rounds;
    struct entry *entries; // sorted by key
    struct sy_trie_change *leaves, *changes;
    sy_trie *trie;
    struct sy_hash root; // by the definition
    uint8_t *room;
};

// --- the state ---------------------------------------------------------------------------------

static int compare_entries(const void *a, const void *b)
{
    return sy_hash_compare(&((const struct entry *)a)->key, &((const struct entry *)b)->key);
}

static bool make_state(struct bench *bench)
{
    sy_prng prng;
    sy_prng_seed(&prng, 31);
    bench->entries = (struct entry *)calloc(bench->entries_count, sizeof *bench->entries);
    bench->leaves = (struct sy_trie_change *)calloc(bench->entries_count, sizeof *bench->leaves);
    bench->changes = (struct sy_trie_change *)calloc(bench->changes_count, sizeof *bench->changes);
    bench->room = (uint8_t *)malloc(SY_CHUNK_ENTRIES_BYTES_MAX);
    if (!bench->entries || !bench->leaves || !bench->changes || !bench->room) return false;
    for (uint64_t i = 0; i < bench->entries_count; i++) {
        struct entry *entry = &bench->entries[i];
        sy_prng_fill(&prng, entry->key.bytes, sizeof entry->key.bytes);
        entry->size = (uint8_t)(VALUE_MIN + sy_prng_below(&prng, VALUE_MAX - VALUE_MIN + 1));
        sy_prng_fill(&prng, entry->value, entry->size);
    }
    qsort(bench->entries, bench->entries_count, sizeof *bench->entries, compare_entries);
    for (uint64_t i = 0; i < bench->entries_count; i++) {
        const struct entry *entry = &bench->entries[i];
        bench->leaves[i] = (struct sy_trie_change){.key_hash = entry->key, .present = true};
        sy_sha256(&bench->leaves[i].value_hash, entry->value, entry->size);
    }
    sy_trie_root_of(&bench->root, bench->leaves, bench->entries_count);
    // Every n-th entry changes, to what it is already: the root stays, the work is the same.
    for (uint64_t i = 0; i < bench->changes_count; i++) {
        bench->changes[i] = bench->leaves[i * bench->entries_count / bench->changes_count];
        bench->changes[i].was_present = true;
    }
    return true;
}

static sy_status get_entry(void *self, struct sy_slice *value, const struct sy_hash *key_hash)
{
    const struct bench *bench = (const struct bench *)self;
    const struct entry *found = (const struct entry *)bsearch(
        key_hash, bench->entries, bench->entries_count, sizeof *bench->entries, compare_entries);
    if (!found) return SY_ERR_NOT_FOUND;
    *value = sy_slice_of(found->value, found->size);
    return SY_OK;
}

static bool is_below(const struct sy_hash *key, const struct sy_hash *prefix, unsigned bits)
{
    struct sy_hash mine, asked;
    sy_hash_prefix(&mine, key, bits);
    sy_hash_prefix(&asked, prefix, bits);
    return sy_hash_equal(&mine, &asked);
}

static sy_status scan_entries(void *self, const struct sy_hash *prefix, unsigned bits,
                              sy_state_visit visit, void *user)
{
    const struct bench *bench = (const struct bench *)self;
    struct sy_hash first;
    sy_hash_prefix(&first, prefix, bits);
    uint64_t lo = 0, hi = bench->entries_count;
    while (lo < hi) {
        uint64_t middle = lo + (hi - lo) / 2;
        if (sy_hash_compare(&bench->entries[middle].key, &first) < 0) {
            lo = middle + 1;
        } else {
            hi = middle;
        }
    }
    for (; lo < bench->entries_count && is_below(&bench->entries[lo].key, prefix, bits); lo++) {
        const struct entry *entry = &bench->entries[lo];
        if (!visit(user, &entry->key, sy_slice_of(entry->value, entry->size))) break;
    }
    return SY_OK;
}

static struct sy_state_source source_of(struct bench *bench)
{
    return (struct sy_state_source){bench, get_entry, scan_entries};
}

// --- measuring ---------------------------------------------------------------------------------

static bool has_root(const struct bench *bench)
{
    struct sy_hash root;
    sy_trie_root(bench->trie, &root);
    return sy_hash_equal(&root, &bench->root);
}

/* Each returns how many entries it went through, or 0 for a wrong root or a failure; *took_ns is
 * the time of what is measured alone. */
static uint64_t rebuild(struct bench *bench, uint64_t *took_ns)
{
    struct sy_state_source source = source_of(bench);
    uint64_t start = sy_os_monotonic_ns();
    bool fine = sy_trie_rebuild(bench->trie, &source) == SY_OK;
    *took_ns = sy_os_monotonic_ns() - start;
    return fine && has_root(bench) ? bench->entries_count : 0;
}

static uint64_t update(struct bench *bench, uint64_t *took_ns)
{
    struct sy_state_source source = source_of(bench);
    uint64_t start = sy_os_monotonic_ns();
    bool fine = sy_trie_update(bench->trie, bench->changes, bench->changes_count, &source) == SY_OK;
    *took_ns = sy_os_monotonic_ns() - start;
    return fine && has_root(bench) ? bench->changes_count : 0;
}

static uint64_t check_chunks(struct bench *bench, uint64_t *took_ns)
{
    static struct sy_chunk chunk;
    struct sy_state_source source = source_of(bench);
    struct sy_snapshot_top top;
    struct sy_hash key = {{0}};
    unsigned hint = 0;
    bool fine = sy_snapshot_top_take(&top, bench->trie) == SY_OK;
    for (*took_ns = 0; fine;) {
        fine = sy_chunk_make(&chunk, bench->room, &hint, &top, &source, &key) == SY_OK;
        uint64_t start = sy_os_monotonic_ns();
        fine = fine && sy_chunk_verify(&chunk, &bench->root, NULL);
        *took_ns += sy_os_monotonic_ns() - start;
        if (!sy_chunk_next(&key, &chunk)) break;
    }
    sy_snapshot_top_free(&top);
    return fine ? bench->entries_count : 0;
}

static int compare_times(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static bool measure(struct bench *bench, const char *name,
                    uint64_t (*run)(struct bench *, uint64_t *))
{
    double ns[ROUNDS_MAX];
    for (uint64_t i = 0; i < bench->rounds; i++) {
        uint64_t took_ns = 0;
        uint64_t count = run(bench, &took_ns);
        if (count == 0) {
            fprintf(stderr, "systole-bench state: %s fails or gives a wrong root\n", name);
            return false;
        }
        ns[i] = (double)took_ns / (double)count;
    }
    qsort(ns, bench->rounds, sizeof ns[0], compare_times);
    double median = ns[(bench->rounds - 1) / 2];
    printf("%-8s %12.0f entries/s %8.1f ns an entry (%.1f..%.1f)\n", name, 1e9 / median, median,
           ns[0], ns[bench->rounds - 1]);
    return fflush(stdout) == 0;
}

static bool run_all(struct bench *bench)
{
    struct sy_trie_config config = {.changes_max = bench->changes_count};
    if (!make_state(bench) || sy_trie_open(&bench->trie, &config) != SY_OK) {
        fputs("systole-bench state: no memory\n", stderr);
        return false;
    }
    return measure(bench, "rebuild", rebuild) && measure(bench, "update", update) &&
           measure(bench, "chunk", check_chunks);
}

static bool take_option(struct bench *bench, int option, const char *value)
{
    switch (option) {
    case 'e': return sy_parse_u64(&bench->entries_count, value, 1, 1u << 24);
    case 'c': return sy_parse_u64(&bench->changes_count, value, 1, 65536);
    case 'r': return sy_parse_u64(&bench->rounds, value, 1, ROUNDS_MAX);
    default: return false;
    }
}

int sy_bench_state(int argc, char **argv)
{
    static const struct option longs[] = {{"entries", required_argument, NULL, 'e'},
                                          {"changes", required_argument, NULL, 'c'},
                                          {"rounds", required_argument, NULL, 'r'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    struct bench bench = {.entries_count = 262144, .changes_count = 4096, .rounds = 7};
    bool fine = true;
    int option;
    optind = 1;
    while (fine && (option = getopt_long(argc, argv, "", longs, NULL)) != -1) {
        if (option == 'h') {
            fputs(usage, stdout);
            return 0;
        }
        fine = take_option(&bench, option, optarg);
    }
    if (!fine || optind != argc || bench.changes_count > bench.entries_count) {
        fputs(usage, stderr);
        return 2;
    }
    fine = run_all(&bench);
    sy_trie_close(bench.trie);
    free(bench.entries);
    free(bench.leaves);
    free(bench.changes);
    free(bench.room);
    return fine ? 0 : 1;
}
