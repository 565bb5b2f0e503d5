/* network.c: see network.h. */
#include "tests/support/network.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/base/assert.h"
#include "core/crypto/hash.h"
#include "core/crypto/merkle.h"

#define TEST_BATCH_TXS_MAX 64u

/* --- keys and values ----------------------------------------------------------------------- */

const sy_secret_key *test_key(unsigned number)
{
    static sy_secret_key *keys[TEST_KEYS_MAX];
    uint8_t seed[32] = "systole test key";
    SY_ASSERT(number < TEST_KEYS_MAX);
    if (keys[number]) return keys[number];
    sy_store_u32(seed + 28, number);
    if (sy_secret_key_from_seed(&keys[number], seed) != SY_OK) abort();
    return keys[number];
}

struct sy_public_key test_public(unsigned number)
{
    struct sy_public_key key;
    sy_secret_key_public(test_key(number), &key);
    return key;
}

unsigned test_number(const struct sy_public_key *key)
{
    for (unsigned number = 0; number < TEST_KEYS_MAX; number++) {
        struct sy_public_key known = test_public(number);
        if (sy_public_key_equal(&known, key)) return number;
    }
    abort();
}

struct sy_hash test_hash(unsigned number)
{
    struct sy_hash hash;
    uint8_t bytes[4];
    sy_store_u32(bytes, number);
    sy_sha256(&hash, bytes, sizeof bytes);
    return hash;
}

/* --- genesis ------------------------------------------------------------------------------- */

static void fill_address(char *out, size_t size, unsigned port)
{
    (void)snprintf(out, size, "tcp://127.0.0.1:%u", port);
}

void test_genesis(struct sy_genesis *genesis, unsigned n)
{
    memset(genesis, 0, sizeof *genesis);
    genesis->format = SY_GENESIS_FORMAT;
    genesis->created_ms = TEST_GENESIS_MS;
    genesis->protocol = SY_PROTOCOL_VERSION;
    genesis->params.regulators_needed = 2;
    genesis->params.credential_ms_max = 5ll * 365 * 24 * 3600 * 1000;
    genesis->params.record_bytes_max = 1u << 30;
    genesis->roster.count = (uint16_t)n;
    for (unsigned i = 0; i < n; i++) {
        struct sy_validator *validator = &genesis->roster.validators[i];
        (void)snprintf(validator->name, sizeof validator->name, "validator %u", i);
        validator->organisation = test_hash(1000 + i);
        validator->consensus_key = test_public(3 * i);
        validator->link_key = test_public(3 * i + 1);
        validator->admin_key = test_public(3 * i + 2);
        fill_address(validator->control_address, sizeof validator->control_address, 27100 + 10 * i);
        fill_address(validator->bulk_address, sizeof validator->bulk_address, 27101 + 10 * i);
        fill_address(validator->client_address, sizeof validator->client_address, 27102 + 10 * i);
    }
    genesis->regulator_count = 2;
    genesis->regulators[0] = test_public(TEST_REGULATOR);
    genesis->regulators[1] = test_public(TEST_REGULATOR + 1);
    struct sy_error err;
    if (sy_genesis_seal(genesis, &err) != SY_OK) {
        (void)fprintf(stderr, "%s\n", err.text);
        abort();
    }
}

/* --- payloads ------------------------------------------------------------------------------ */

static uint64_t draw_between(sy_prng *prng, uint64_t min, uint64_t max)
{
    return min + sy_prng_below(prng, max - min + 1);
}

// A text of the field's length and content, in room.
static struct sy_slice draw_text(const struct sy_field *field, struct sy_writer *room,
                                 sy_prng *prng)
{
    size_t size = (size_t)draw_between(prng, field->min, field->max);
    struct sy_slice text = sy_slice_of(room->data + room->used, size);
    for (size_t i = 0; i < size; i++) {
        uint8_t c = (uint8_t)(field->digits ? '0' + sy_prng_below(prng, 10)
                                            : 'a' + sy_prng_below(prng, 26));
        sy_write_u8(room, c);
    }
    return text;
}

static void draw_ids(struct sy_list *list, unsigned count, struct sy_writer *room, sy_prng *prng)
{
    for (unsigned i = 0; i < count; i++) {
        struct sy_hash id;
        sy_prng_fill(prng, id.bytes, sizeof id.bytes);
        sy_list_add_id(list, room, &id);
    }
}

// The items are drawn first, elsewhere: a list's bytes stand together. Each item starts with its
// place in the list, so that no two are equal.
static void draw_texts(struct sy_list *list, const struct sy_field *field, unsigned count,
                       struct sy_writer *room, sy_prng *prng)
{
    for (unsigned i = 0; i < count; i++) {
        uint8_t bytes[SY_TEXT_BYTES_MAX];
        struct sy_writer scratch = sy_writer_of(bytes, sizeof bytes);
        struct sy_slice text = draw_text(field, &scratch, prng);
        bytes[0] = (uint8_t)(field->digits ? '0' + i : 'a' + i);
        sy_list_add_text(list, room, text);
    }
}

static void draw_tags(struct sy_list *list, unsigned count, struct sy_writer *room, sy_prng *prng)
{
    for (unsigned i = 0; i < count; i++) {
        struct sy_tag tag;
        sy_prng_fill(prng, tag.bytes, sizeof tag.bytes);
        sy_list_add_tag(list, room, &tag);
    }
}

/* No two are equal. */
static void draw_numbers(struct sy_list *list, unsigned count, struct sy_writer *room,
                         sy_prng *prng)
{
    uint32_t number = 0;
    for (unsigned i = 0; i < count; i++) {
        number += 1 + (uint32_t)sy_prng_below(prng, 1000);
        sy_list_add_u32(list, room, number);
    }
}

/* At least one member, then each of the others by chance. */
static uint32_t draw_set(const struct sy_enum *names, sy_prng *prng)
{
    uint32_t set = SY_SET_BIT(names->values[sy_prng_below(prng, names->count)].number);
    for (unsigned i = 0; i < names->count; i++) {
        if (sy_prng_chance(prng, 1, 3)) set |= SY_SET_BIT(names->values[i].number);
    }
    return set;
}

static void draw_approvals(struct sy_list *list, unsigned count, struct sy_writer *room,
                           sy_prng *prng)
{
    for (unsigned i = 0; i < count; i++) {
        struct sy_approval approval;
        sy_prng_fill(prng, approval.key.bytes, sizeof approval.key.bytes);
        sy_prng_fill(prng, approval.signature.bytes, sizeof approval.signature.bytes);
        sy_list_add_approval(list, room, &approval);
    }
}

static void draw_list(struct sy_list *list, const struct sy_field *field, struct sy_writer *room,
                      sy_prng *prng)
{
    unsigned most = field->items_max;
    if (field->digits && most > 10) most = 10;
    if (field->type == SY_FIELD_TEXT_LIST && most > 20) most = 20; // as many first letters
    // Of an atomic transaction's parts together no more than its signatures may be.
    if (field->type == SY_FIELD_APPROVAL_LIST) most = 10;
    bool counts = field->type == SY_FIELD_ID_LIST || field->type == SY_FIELD_U32_LIST;
    unsigned least = counts ? (unsigned)field->min : 0;
    unsigned count = least + (unsigned)sy_prng_below(prng, most + 1 - least);
    memset(list, 0, sizeof *list);
    if (field->type == SY_FIELD_U32_LIST) draw_numbers(list, count, room, prng);
    if (field->type == SY_FIELD_ID_LIST) draw_ids(list, count, room, prng);
    if (field->type == SY_FIELD_TEXT_LIST) draw_texts(list, field, count, room, prng);
    if (field->type == SY_FIELD_TAG_LIST) draw_tags(list, count, room, prng);
    if (field->type == SY_FIELD_APPROVAL_LIST) draw_approvals(list, count, room, prng);
}

static void draw_value(void *out, const struct sy_field *field, struct sy_writer *room,
                       sy_prng *prng)
{
    uint64_t highest = field->max ? field->max : 1u << 7;
    switch (field->type) {
    case SY_FIELD_U8: *(uint8_t *)out = (uint8_t)draw_between(prng, field->min, highest); break;
    case SY_FIELD_U16: *(uint16_t *)out = (uint16_t)draw_between(prng, field->min, highest); break;
    case SY_FIELD_U32: *(uint32_t *)out = (uint32_t)draw_between(prng, field->min, highest); break;
    case SY_FIELD_U64: *(uint64_t *)out = draw_between(prng, field->min, highest); break;
    case SY_FIELD_TIME: *(int64_t *)out = (int64_t)sy_prng_below(prng, SY_TIME_MS_MAX); break;
    case SY_FIELD_BOOL: *(bool *)out = sy_prng_chance(prng, 1, 2); break;
    case SY_FIELD_ENUM:
        *(uint16_t *)out = field->names->values[sy_prng_below(prng, field->names->count)].number;
        break;
    case SY_FIELD_SET: *(uint32_t *)out = draw_set(field->names, prng); break;
    case SY_FIELD_ID:
    case SY_FIELD_HASH:
    case SY_FIELD_KEY: sy_prng_fill(prng, out, 32); break;
    case SY_FIELD_POSSESSION: sy_prng_fill(prng, out, 64); break;
    case SY_FIELD_TAG: sy_prng_fill(prng, out, sizeof(struct sy_tag)); break;
    case SY_FIELD_TEXT:
    case SY_FIELD_BYTES: *(struct sy_slice *)out = draw_text(field, room, prng); break;
    default: draw_list((struct sy_list *)out, field, room, prng);
    }
}

static void draw_flat(union sy_payload *payload, const struct sy_kind *kind, struct sy_writer *room,
                      sy_prng *prng)
{
    memset(payload, 0, sizeof *payload);
    for (unsigned i = 0; i < kind->field_count; i++) {
        const struct sy_field *field = &kind->fields[i];
        sy_field_set_present(field, payload, sy_prng_chance(prng, 1, 2));
        if (!sy_field_present(kind, field, payload)) continue;
        draw_value(sy_field_of_mutable(field, payload), field, room, prng);
    }
}

static const struct sy_kind *draw_part_kind(sy_prng *prng)
{
    unsigned count = 0;
    const struct sy_kind *kind;
    while (sy_kind_at(count)) count++;
    do {
        kind = sy_kind_at((unsigned)sy_prng_below(prng, count));
    } while (kind->number == SY_KIND_atomic);
    return kind;
}

void test_payload(union sy_payload *payload, const struct sy_kind *kind, struct sy_writer *room,
                  sy_prng *prng)
{
    draw_flat(payload, kind, room, prng);
    if (kind->number != SY_KIND_atomic) return;

    uint8_t scratch[16384];
    uint8_t bytes[16384];
    union sy_payload inner;
    unsigned count = 1 + (unsigned)sy_prng_below(prng, 5);
    for (unsigned i = 0; i < count; i++) {
        struct sy_writer scratch_room = sy_writer_of(scratch, sizeof scratch);
        struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
        const struct sy_kind *part_kind = draw_part_kind(prng);
        draw_flat(&inner, part_kind, &scratch_room, prng);
        sy_payload_encode(&w, part_kind, &inner);
        SY_ASSERT(!w.failed);
        struct sy_part part = {part_kind->number, 0, sy_writer_slice(&w)};
        sy_list_add_part(&payload->atomic.payloads, room, &part);
    }
}

/* --- transactions and batches -------------------------------------------------------------- */

void test_tx_begin(struct sy_tx *tx, const struct sy_genesis *genesis, uint16_t kind,
                   const unsigned *keys, unsigned key_count)
{
    SY_ASSERT(key_count >= 1 && key_count <= SY_TX_SIGNERS_MAX);
    memset(tx, 0, sizeof *tx);
    tx->version = SY_TX_VERSION;
    tx->kind = kind;
    memcpy(tx->network, sy_network_tag(genesis), sizeof tx->network);
    tx->signer = test_public(keys[0]);
    tx->organisation = test_hash(2000);
    tx->nonce = 1;
    tx->valid_until_ms = TEST_GENESIS_MS + 3600 * 1000;
    tx->cosigner_count = (uint8_t)(key_count - 1);
    for (unsigned i = 1; i < key_count; i++) tx->cosigners[i - 1] = test_public(keys[i]);
}

struct sy_slice test_tx_sign(struct sy_writer *room, const struct sy_tx *tx, const unsigned *keys,
                             unsigned key_count)
{
    struct sy_hash id;
    size_t start = room->used;
    sy_tx_encode_body(room, tx);
    sy_hash_leaf(&id, sy_slice_of(room->data + start, room->used - start));
    for (unsigned i = 0; i < key_count; i++) {
        struct sy_signature signature;
        sy_sign(test_key(keys[i]), &signature, SY_SIG_TX, &id);
        sy_write_signature(room, &signature);
    }
    SY_ASSERT(!room->failed);
    return sy_slice_of(room->data + start, room->used - start);
}

struct sy_slice test_tx(struct sy_writer *room, const struct sy_genesis *genesis,
                        const struct sy_kind *kind, const union sy_payload *payload, unsigned key)
{
    struct sy_tx tx;
    size_t start = room->used;
    sy_payload_encode(room, kind, payload);
    test_tx_begin(&tx, genesis, kind->number, &key, 1);
    tx.payload = sy_slice_of(room->data + start, room->used - start);
    return test_tx_sign(room, &tx, &key, 1);
}

struct sy_slice test_batch(void *data, const struct sy_genesis *genesis, unsigned maker,
                           uint64_t seq, const struct sy_slice *txs, unsigned count)
{
    struct sy_batch_builder builder;
    struct sy_batch_header header = {.maker = test_public(maker), .seq = seq};
    struct sy_hash ids[TEST_BATCH_TXS_MAX];
    struct sy_hash signatures[TEST_BATCH_TXS_MAX];
    struct sy_hash digest;
    struct sy_signature signature;

    SY_ASSERT(count >= 1 && count <= TEST_BATCH_TXS_MAX);
    sy_batch_builder_init(&builder, data, SY_BATCH_BYTES_MAX);
    for (unsigned i = 0; i < count; i++) {
        struct sy_tx tx;
        bool fits = sy_batch_builder_add(&builder, txs[i]);
        enum sy_refusal code = sy_tx_decode(&tx, NULL, txs[i], NULL);
        SY_ASSERT(fits && code == SY_APPLIED);
        sy_hash_leaf(&ids[i], tx.body);
        sy_hash_leaf(&signatures[i], tx.signatures);
    }
    sy_merkle_root(&header.id_root, ids, ids, count);
    sy_merkle_root(&header.signature_root, signatures, signatures, count);
    sy_batch_builder_head(&builder, &digest, &header, &genesis->hash);
    sy_sign(test_key(maker), &signature, SY_SIG_BATCH, &digest);
    return sy_batch_builder_finish(&builder, &signature);
}

void test_certify(struct sy_certificate *certificate, const struct sy_hash *genesis,
                  const struct sy_roster *roster, const struct sy_header *header)
{
    struct sy_hash hash;
    struct sy_hash digest;
    memset(certificate, 0, sizeof *certificate);
    sy_header_hash(&hash, genesis, header);
    sy_seal_digest(&digest, genesis, header->epoch, header->height, &hash);
    certificate->count = (uint16_t)sy_quorum(roster->count);
    for (unsigned i = 0; i < certificate->count; i++) {
        unsigned number = test_number(&roster->validators[i].consensus_key);
        certificate->seals[i].signer = (uint16_t)i;
        sy_sign(test_key(number), &certificate->seals[i].signature, SY_SIG_SEAL, &digest);
    }
}

void test_certificate(struct sy_certificate *certificate, const struct sy_genesis *genesis,
                      const struct sy_header *header)
{
    test_certify(certificate, &genesis->hash, &genesis->roster, header);
}

void test_prepared_by(struct sy_prepared *prepared, unsigned n, uint16_t holder)
{
    uint16_t primary = (uint16_t)(prepared->view % n);
    unsigned left = sy_quorum(n) - 1 - (holder != primary);
    prepared->count = 0;
    for (uint16_t i = 0; i < n; i++) {
        if (i == holder || (i != primary && left == 0)) continue;
        left -= i != primary;
        prepared->statements[prepared->count++].signer = i;
    }
}

/* --- the trie, by its definition ----------------------------------------------------------- */

static unsigned bit_of(const struct sy_hash *key_hash, unsigned depth)
{
    return (unsigned)key_hash->bytes[depth / 8] >> (7 - depth % 8) & 1u;
}

static unsigned shared_bits(const struct sy_hash *a, const struct sy_hash *b)
{
    unsigned depth = 0;
    while (depth < SY_TRIE_DEPTH_MAX && bit_of(a, depth) == bit_of(b, depth)) depth++;
    return depth;
}

static int compare_entries(const void *a, const void *b)
{
    return sy_hash_compare(&((const struct test_entry *)a)->key_hash,
                           &((const struct test_entry *)b)->key_hash);
}

// A subtree while the trie grows: single leaves stand at any depth.
struct subtree {
    struct sy_hash hash;
    struct sy_hash key_hash; // of any of its leaves
    unsigned depth;          // of its top
    bool leaf;
};

// Lifts a subtree's top to a smaller depth: inner nodes with one empty child.
static void raise_to(struct subtree *tree, unsigned depth)
{
    static const struct sy_hash empty;
    for (; !tree->leaf && tree->depth > depth; tree->depth--) {
        if (bit_of(&tree->key_hash, tree->depth - 1)) {
            sy_trie_inner(&tree->hash, &empty, &tree->hash);
        } else {
            sy_trie_inner(&tree->hash, &tree->hash, &empty);
        }
    }
}

static void join(struct subtree *left, struct subtree *right)
{
    unsigned depth = shared_bits(&left->key_hash, &right->key_hash);
    raise_to(left, depth + 1);
    raise_to(right, depth + 1);
    sy_trie_inner(&left->hash, &left->hash, &right->hash);
    left->depth = depth;
    left->leaf = false;
}

// The hash of the entries, all under one prefix of `depth` bits and sorted, as a subtree there:
// each leaf joins what stands to its left as long as it shares less with what comes than with that.
static void subtree_hash(struct sy_hash *out, const struct test_entry *entries, unsigned count,
                         unsigned depth)
{
    struct subtree stack[SY_TRIE_DEPTH_MAX + 1];
    unsigned used = 0;
    memset(out, 0, sizeof *out);
    for (unsigned i = 0; i < count; i++) {
        struct subtree *leaf = &stack[used++];
        struct sy_hash value_hash;
        sy_sha256(&value_hash, entries[i].value.data, entries[i].value.size);
        sy_trie_leaf(&leaf->hash, &entries[i].key_hash, &value_hash);
        leaf->key_hash = entries[i].key_hash;
        leaf->leaf = true;
        unsigned ahead =
            i + 1 < count ? shared_bits(&entries[i].key_hash, &entries[i + 1].key_hash) : 0;
        while (used >= 2 && (i + 1 == count || shared_bits(&stack[used - 2].key_hash,
                                                           &stack[used - 1].key_hash) > ahead)) {
            join(&stack[used - 2], &stack[used - 1]);
            used--;
        }
    }
    if (used == 0) return;
    raise_to(&stack[0], depth);
    *out = stack[0].hash;
}

static struct test_entry *copy_sorted(const struct test_entry *entries, unsigned count)
{
    struct test_entry *sorted = (struct test_entry *)calloc(count + 1, sizeof *sorted);
    SY_ASSERT(sorted);
    if (count > 0) memcpy(sorted, entries, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, compare_entries);
    return sorted;
}

void test_trie_root(struct sy_hash *root, const struct test_entry *entries, unsigned count)
{
    struct test_entry *sorted = copy_sorted(entries, count);
    subtree_hash(root, sorted, count, 0);
    free(sorted);
}

void test_trie_prove(struct sy_state_proof *proof, const struct test_entry *entries, unsigned count,
                     const struct sy_hash *key_hash)
{
    struct test_entry *sorted = copy_sorted(entries, count);
    struct sy_hash from_top[SY_TRIE_DEPTH_MAX];
    unsigned first = 0;
    unsigned end = count;
    unsigned depth = 0;

    memset(proof, 0, sizeof *proof);
    proof->key_hash = *key_hash;
    for (; end - first > 1; depth++) {
        unsigned middle = first; // the first entry of this prefix whose next bit is 1
        while (middle < end && bit_of(&sorted[middle].key_hash, depth) == 0) middle++;
        if (bit_of(key_hash, depth)) {
            subtree_hash(&from_top[depth], sorted + first, middle - first, depth + 1);
            first = middle;
        } else {
            subtree_hash(&from_top[depth], sorted + middle, end - middle, depth + 1);
            end = middle;
        }
    }
    proof->count = (uint16_t)depth;
    for (unsigned i = 0; i < depth; i++) proof->siblings[i] = from_top[depth - 1 - i];
    if (first < end) {
        proof->present = sy_hash_equal(&sorted[first].key_hash, key_hash);
        proof->value = sorted[first].value;
        proof->other = !proof->present;
        proof->other_key_hash = sorted[first].key_hash;
        sy_sha256(&proof->other_value_hash, proof->value.data, proof->value.size);
    }
    free(sorted);
}
