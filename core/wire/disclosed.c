/* disclosed.c: see disclosed.h. */
#include "core/wire/disclosed.h"

#include <string.h>

#include "core/base/assert.h"
#include "core/crypto/hash.h"

#define LEAF_VERSION 1u

static const char *const ground_words[SY_GROUND_COUNT] = {
    [SY_GROUND_CONSENT] = "consent", [SY_GROUND_BREAK] = "break",
    [SY_GROUND_CARE] = "care",       [SY_GROUND_ENROLLED] = "enrolled",
    [SY_GROUND_REQUEST] = "request", [SY_GROUND_OVERSIGHT] = "oversight",
};

const char *sy_ground_word(unsigned ground)
{
    return ground < SY_GROUND_COUNT ? ground_words[ground] : NULL;
}

uint8_t sy_ground_named(const char *word)
{
    for (uint8_t ground = SY_GROUND_CONSENT; ground < SY_GROUND_COUNT; ground++) {
        if (strcmp(ground_words[ground], word) == 0) return ground;
    }
    return 0;
}

static bool has_id(unsigned ground)
{
    return ground >= SY_GROUND_CONSENT && ground <= SY_GROUND_CARE;
}

void sy_disclosed_encode(struct sy_writer *w, const struct sy_disclosed *leaf)
{
    SY_ASSERT(sy_ground_word(leaf->ground) != NULL);
    sy_write_u8(w, LEAF_VERSION);
    sy_write_hash(w, &leaf->patient);
    sy_write_public_key(w, &leaf->reader);
    sy_write_hash(w, &leaf->record);
    sy_write_u32(w, leaf->version);
    sy_write_u16(w, leaf->purpose);
    sy_write_i64(w, leaf->time_ms);
    sy_write_u8(w, leaf->ground);
    sy_write_hash(w, &leaf->by);
    sy_write_hash(w, &leaf->salt);
}

bool sy_disclosed_decode(struct sy_reader *r, struct sy_disclosed *leaf)
{
    if (sy_read_u8(r, "leaf version") != LEAF_VERSION) sy_reader_fail(r, "leaf version");
    sy_read_hash(r, &leaf->patient, "patient");
    sy_read_public_key(r, &leaf->reader, "reader");
    sy_read_hash(r, &leaf->record, "record");
    leaf->version = sy_read_u32(r, "version");
    leaf->purpose = sy_read_u16(r, "purpose");
    leaf->time_ms = sy_read_i64(r, "time");
    leaf->ground = sy_read_u8(r, "ground");
    sy_read_hash(r, &leaf->by, "by");
    sy_read_hash(r, &leaf->salt, "salt");
    if (r->failed) return false;
    bool good = sy_enum_word(&sy_enum_purpose, leaf->purpose) != NULL &&
                sy_ground_word(leaf->ground) != NULL &&
                has_id(leaf->ground) == !sy_hash_is_zero(&leaf->by) &&
                (leaf->version == 0 || !sy_hash_is_zero(&leaf->record));
    if (!good) sy_reader_fail(r, "leaf");
    return good;
}

void sy_disclosed_hash(struct sy_hash *out, const struct sy_disclosed *leaf)
{
    uint8_t bytes[SY_LEAF_BYTES];
    struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
    sy_disclosed_encode(&w, leaf);
    SY_ASSERT(!w.failed && w.used == sizeof bytes);
    sy_hash_leaf(out, sy_writer_slice(&w));
}

/* --- a file's bytes ---------------------------------------------------------------------------*/

void sy_leaves_head_encode(struct sy_writer *w, const uint8_t network[16],
                           const struct sy_hash *log_id)
{
    sy_write_raw(w, SY_LEAVES_MAGIC, 8);
    sy_write_raw(w, network, 16);
    sy_write_hash(w, log_id);
}

static void sum_of(uint8_t sum[8], const struct sy_hash *log_id, uint32_t number,
                   const uint8_t *leaf)
{
    uint8_t bytes[32 + 4 + SY_LEAF_BYTES];
    struct sy_hash hash;
    memcpy(bytes, log_id->bytes, 32);
    sy_store_u32(bytes + 32, number);
    memcpy(bytes + 36, leaf, SY_LEAF_BYTES);
    sy_sha256(&hash, bytes, sizeof bytes);
    memcpy(sum, hash.bytes, 8);
}

void sy_leaves_entry_encode(struct sy_writer *w, const struct sy_hash *log_id, uint32_t number,
                            const struct sy_disclosed *leaf)
{
    uint8_t bytes[SY_LEAF_BYTES], sum[8];
    struct sy_writer one = sy_writer_of(bytes, sizeof bytes);
    sy_disclosed_encode(&one, leaf);
    SY_ASSERT(!one.failed && one.used == sizeof bytes);
    sum_of(sum, log_id, number, bytes);
    sy_write_raw(w, bytes, sizeof bytes);
    sy_write_raw(w, sum, sizeof sum);
}

bool sy_leaves_head_next(struct sy_reader *r, uint8_t network[16], struct sy_hash *log_id)
{
    if (r->failed || sy_reader_left(r) < SY_LEAVES_HEAD_BYTES) return false;
    struct sy_reader ahead = *r;
    struct sy_slice magic = sy_read_raw(&ahead, 8, "magic");
    struct sy_slice tag = sy_read_raw(&ahead, 16, "network");
    sy_read_hash(&ahead, log_id, "log id");
    if (ahead.failed || memcmp(magic.data, SY_LEAVES_MAGIC, 8) != 0) return false;
    memcpy(network, tag.data, 16);
    *r = ahead;
    return true;
}

bool sy_leaves_entry_next(struct sy_reader *r, struct sy_disclosed *leaf,
                          const struct sy_hash *log_id, uint32_t number)
{
    if (r->failed || sy_reader_left(r) < SY_LEAF_ENTRY_BYTES) return false;
    struct sy_reader ahead = *r;
    struct sy_slice bytes = sy_read_raw(&ahead, SY_LEAF_BYTES, "leaf");
    struct sy_slice sum = sy_read_raw(&ahead, 8, "sum");
    uint8_t expected[8];
    if (ahead.failed) return false;
    sum_of(expected, log_id, number, bytes.data);
    struct sy_reader inner = sy_reader_of(bytes);
    if (memcmp(sum.data, expected, 8) != 0 || !sy_disclosed_decode(&inner, leaf)) return false;
    *r = ahead;
    return true;
}

bool sy_leaves_log_next(struct sy_reader *r, uint8_t network[16], struct sy_hash *log_id,
                        struct sy_disclosed *leaves, uint32_t *count)
{
    *count = 0;
    while (!sy_leaves_head_next(r, network, log_id)) {
        if (r->failed || sy_reader_left(r) < SY_LEAVES_HEAD_BYTES) return false;
        (void)sy_read_u8(r, "rest"); // of an entry that was cut off
    }
    while (*count < SY_LOG_LEAVES_MAX && sy_leaves_entry_next(r, &leaves[*count], log_id, *count)) {
        (*count)++;
    }
    return true;
}

/* --- the transaction --------------------------------------------------------------------------*/

/* The hashes of the leaves about one patient, in their order. */
static size_t hash_those_of(struct sy_hash *hashes, const struct sy_disclosed *leaves, size_t count,
                            const struct sy_hash *patient)
{
    size_t own = 0;
    for (size_t i = 0; i < count; i++) {
        if (!sy_hash_equal(&leaves[i].patient, patient)) continue;
        sy_disclosed_hash(&hashes[own++], &leaves[i]);
    }
    SY_ASSERT(own > 0);
    return own;
}

static bool comes_first(const struct sy_disclosed *leaves, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (sy_hash_equal(&leaves[i].patient, &leaves[index].patient)) return false;
    }
    return true;
}

static bool in_order(const struct sy_disclosed *leaves, size_t count)
{
    if (count == 0 || count > UINT32_MAX || leaves[0].time_ms < 0) return false;
    for (size_t i = 1; i < count; i++) {
        if (leaves[i].time_ms < leaves[i - 1].time_ms) return false;
    }
    return leaves[count - 1].time_ms - leaves[0].time_ms <= SY_LOG_SPAN_MS_MAX;
}

sy_status sy_log_make(struct sy_access_log *log, struct sy_log_room *room, struct sy_hash *hashes,
                      const struct sy_hash *log_id, const struct sy_disclosed *leaves, size_t count)
{
    if (!in_order(leaves, count)) return SY_ERR_ARGUMENT;
    struct sy_writer patients = sy_writer_of(room->patients, sizeof room->patients);
    struct sy_writer roots = sy_writer_of(room->roots, sizeof room->roots);
    *log = (struct sy_access_log){
        .log_id = *log_id, .first = leaves[0].time_ms, .last = leaves[count - 1].time_ms};
    for (size_t i = 0; i < count; i++) {
        struct sy_hash root;
        if (!comes_first(leaves, i)) continue;
        if (log->patients.count == SY_LOG_PATIENTS_MAX) return SY_ERR_LIMIT;
        size_t own = hash_those_of(hashes, leaves, count, &leaves[i].patient);
        sy_merkle_root(&root, hashes, hashes, own);
        sy_store_u32(room->counts + 4u * log->patients.count, (uint32_t)own);
        sy_list_add_id(&log->patients, &patients, &leaves[i].patient);
        sy_list_add_id(&log->roots, &roots, &root);
    }
    SY_ASSERT(!patients.failed && !roots.failed);
    log->counts = sy_slice_of(room->counts, 4u * (size_t)log->patients.count);
    return SY_OK;
}

void sy_log_prove(struct sy_merkle_path *path, struct sy_hash *hashes,
                  const struct sy_disclosed *leaves, size_t count, size_t index)
{
    size_t place = 0;
    SY_ASSERT(index < count);
    for (size_t i = 0; i < index; i++) {
        place += sy_hash_equal(&leaves[i].patient, &leaves[index].patient);
    }
    size_t own = hash_those_of(hashes, leaves, count, &leaves[index].patient);
    sy_merkle_path_make(path, hashes, hashes, own, place);
}
