/* genesis.c: the state that a network starts with: parameters, roster, and every key that the
 * genesis file names, each enrolled for its one use. */
#include <stdlib.h>

#include "core/base/assert.h"
#include "core/crypto/hash.h"
#include "core/ledger/ledger.h"
#include "core/wire/delta.h"
#include "core/wire/state.h"

#define ENTRIES_MAX (2u + 4u * SY_VALIDATORS_MAX + SY_REGULATORS_MAX)
#define ENTRY_BYTES_MAX 1024u

_Static_assert(ENTRIES_MAX *(ENTRY_BYTES_MAX + SY_DELTA_ITEM_BYTES) <= SY_LEDGER_GENESIS_BYTES_MAX,
               "genesis deltas fit the room that ledger.h promises");

struct entry {
    struct sy_hash key_hash;
    struct sy_slice value;
    uint8_t room[ENTRY_BYTES_MAX];
};

struct entries {
    struct entry items[ENTRIES_MAX];
    size_t count;
};

/* Starts the next entry; finish_entry ends it. */
static struct sy_writer start_entry(struct entries *entries)
{
    SY_ASSERT(entries->count < ENTRIES_MAX);
    return sy_writer_of(entries->items[entries->count].room, ENTRY_BYTES_MAX);
}

static void finish_entry(struct entries *entries, const struct sy_hash *key_hash,
                         const struct sy_writer *w)
{
    SY_ASSERT(!w->failed);
    struct entry *entry = &entries->items[entries->count++];
    entry->key_hash = *key_hash;
    entry->value = sy_writer_slice(w);
}

static void add_key(struct entries *entries, const struct sy_public_key *key,
                    const struct sy_credential *credential)
{
    SY_ASSERT(credential->use >= SY_KEY_TX && credential->use <= SY_KEY_ADMIN);
    struct sy_writer w = start_entry(entries);
    sy_credential_encode(&w, credential);
    struct sy_hash key_hash;
    sy_state_key_public(&key_hash, SY_STATE_CREDENTIAL, key);
    finish_entry(entries, &key_hash, &w);
}

static void add_validator(struct entries *entries, const struct sy_genesis *genesis, uint16_t index)
{
    SY_ASSERT(index < genesis->roster.count);
    const struct sy_validator *validator = &genesis->roster.validators[index];
    struct sy_writer w = start_entry(entries);
    sy_validator_state_encode(&w, validator);
    struct sy_hash key_hash;
    sy_state_key_validator(&key_hash, index);
    finish_entry(entries, &key_hash, &w);
    struct sy_credential credential = {
        .holder = validator->organisation,
        .not_before_ms = genesis->created_ms,
        .not_after_ms = INT64_MAX,
    };
    credential.use = SY_KEY_CONSENSUS;
    add_key(entries, &validator->consensus_key, &credential);
    credential.use = SY_KEY_LINK;
    add_key(entries, &validator->link_key, &credential);
    credential.use = SY_KEY_ADMIN;
    add_key(entries, &validator->admin_key, &credential);
}

static void add_governance(struct entries *entries, const struct sy_genesis *genesis)
{
    struct sy_hash key_hash;
    SY_ASSERT(genesis->roster.count <= SY_VALIDATORS_MAX);
    SY_ASSERT(genesis->regulator_count <= SY_REGULATORS_MAX);
    struct sy_writer w = start_entry(entries);
    sy_params_encode(&w, &genesis->params);
    sy_state_key_zero(&key_hash, SY_STATE_PARAMS);
    finish_entry(entries, &key_hash, &w);
    struct sy_roster_head head = {.epoch = genesis->roster.epoch, .count = genesis->roster.count};
    sy_roster_hash(&head.hash, &genesis->hash, &genesis->roster);
    w = start_entry(entries);
    sy_roster_head_encode(&w, &head);
    sy_state_key_zero(&key_hash, SY_STATE_ROSTER);
    finish_entry(entries, &key_hash, &w);
}

static int compare_entries(const void *a, const void *b)
{
    const struct entry *left = a;
    const struct entry *right = b;
    return sy_hash_compare(&left->key_hash, &right->key_hash);
}

/* Writes the sorted entries and computes the root. False: two of them have one key. */
static bool write_entries(struct sy_writer *deltas, struct sy_hash *state_root,
                          struct entries *entries)
{
    qsort(entries->items, entries->count, sizeof entries->items[0], compare_entries);
    struct sy_trie_change leaves[ENTRIES_MAX];
    SY_ASSERT(entries->count > 0 && entries->count <= ENTRIES_MAX);
    for (size_t i = 0; i < entries->count; i++) {
        struct entry *entry = &entries->items[i];
        entry->value.data = entry->room; // sorting moved the room
        if (i > 0 && sy_hash_equal(&entry->key_hash, &entries->items[i - 1].key_hash)) return false;
        leaves[i].key_hash = entry->key_hash;
        leaves[i].present = true;
        sy_sha256(&leaves[i].value_hash, entry->value.data, entry->value.size);
        struct sy_delta delta = {entry->key_hash, SY_DELTA_PUT, entry->value};
        sy_delta_write(deltas, &delta);
    }
    sy_trie_root_of(state_root, leaves, entries->count);
    return true;
}

sy_status sy_ledger_genesis(struct sy_writer *deltas, struct sy_hash *state_root,
                            const struct sy_genesis *genesis)
{
    SY_ASSERT(!sy_hash_is_zero(&genesis->hash));
    struct entries *entries = calloc(1, sizeof *entries);
    if (entries == NULL) return SY_ERR_NO_MEMORY;
    add_governance(entries, genesis);
    for (uint16_t i = 0; i < genesis->roster.count; i++) add_validator(entries, genesis, i);
    struct sy_credential regulator = {
        .use = SY_KEY_TX,
        .role = SY_ROLE_REGULATOR,
        .not_before_ms = genesis->created_ms,
        .not_after_ms = INT64_MAX,
    };
    for (unsigned i = 0; i < genesis->regulator_count; i++) {
        add_key(entries, &genesis->regulators[i], &regulator);
    }
    bool distinct = write_entries(deltas, state_root, entries);
    free(entries);
    if (!distinct) return SY_ERR_ARGUMENT;
    return deltas->failed ? SY_ERR_LIMIT : SY_OK;
}

sy_status sy_ledger_genesis_hash(struct sy_hash *header_hash, const struct sy_genesis *genesis)
{
    uint8_t *room = malloc(SY_LEDGER_GENESIS_BYTES_MAX);
    if (room == NULL) return SY_ERR_NO_MEMORY;
    struct sy_writer deltas = sy_writer_of(room, SY_LEDGER_GENESIS_BYTES_MAX);
    struct sy_header header;
    struct sy_hash root;
    sy_status status = sy_ledger_genesis(&deltas, &root, genesis);
    free(room);
    if (status != SY_OK) return status;
    sy_genesis_header(&header, genesis, &root);
    sy_header_hash(header_hash, &genesis->hash, &header);
    return SY_OK;
}
