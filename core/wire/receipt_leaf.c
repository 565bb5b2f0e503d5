/* receipt_leaf.c: what stands for a receipt under its block's receipts root: the leaf hash of its
 * head, in which a hash takes the place of the keys and a root that of the events. So one event can
 * be proven without showing the others, which may be about somebody else. */
#include "core/base/assert.h"
#include "core/crypto/hash.h"
#include "core/crypto/merkle.h"
#include "core/wire/limits.h"
#include "core/wire/receipt.h"

#define PATH_AT 88u /* where the path's length stands */
#define GROUP 64u   /* receipts hashed together */

struct parts {
    struct sy_slice front; /* everything before the keys, their count included */
    struct sy_slice keys;
    struct sy_slice events;
    uint32_t event_count;
};

/* Lengths alone: what they enclose is sy_receipt_decode's to judge. */
static bool split(struct parts *parts, struct sy_slice receipt)
{
    struct sy_reader r = sy_reader_of(receipt);
    (void)sy_read_raw(&r, PATH_AT, "receipt");
    (void)sy_read_bytes16(&r, SY_RECEIPT_PATH_BYTES_MAX, "receipt.path");
    uint32_t key_count = sy_read_count(&r, SY_RECEIPT_KEYS_MAX, 32, "receipt.keys");
    if (r.failed) return false;
    parts->front = sy_slice_of(receipt.data, r.used);
    parts->keys = sy_read_raw(&r, (size_t)key_count * 32, "receipt.keys");
    parts->event_count = sy_read_count(&r, SY_EVENTS_PER_TX_MAX, SY_EVENT_BYTES, "receipt.events");
    parts->events = sy_read_raw(&r, (size_t)parts->event_count * SY_EVENT_BYTES, "receipt.events");
    return sy_reader_done(&r);
}

/* RFC 6962 2.1, leaf after leaf: a node is joined with the one to its left as soon as both have the
 * same number of leaves below. */
static void root_of(struct sy_hash *root, const struct parts *parts)
{
    struct sy_hash left[SY_MERKLE_PATH_MAX + 1];
    unsigned depth = 0;
    if (parts->event_count == 0) {
        sy_sha256(root, NULL, 0);
        return;
    }
    for (uint32_t i = 0; i < parts->event_count; i++) {
        struct sy_hash node;
        const uint8_t *event = parts->events.data + (size_t)i * SY_EVENT_BYTES;
        sy_hash_leaf(&node, sy_slice_of(event, SY_EVENT_BYTES));
        for (uint32_t full = i; full % 2 == 1; full /= 2) {
            sy_hash_node(&node, &left[--depth], &node);
        }
        SY_ASSERT(depth <= SY_MERKLE_PATH_MAX);
        left[depth++] = node;
    }
    *root = left[--depth];
    while (depth > 0) sy_hash_node(root, &left[--depth], root);
}

static void write_head(struct sy_writer *w, const struct parts *parts,
                       const struct sy_hash *keys_hash, const struct sy_hash *events_root)
{
    sy_write_raw(w, parts->front.data, parts->front.size);
    sy_write_hash(w, keys_hash);
    sy_write_u32(w, parts->event_count);
    sy_write_hash(w, events_root);
}

/* Most transactions have one event or none, so those are hashed in groups, too. */
static void hash_events(struct sy_hash *roots, const struct parts *parts, uint32_t count)
{
    struct sy_slice alone[GROUP];
    struct sy_hash hashes[GROUP];
    uint32_t used = 0, at = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (parts[i].event_count == 1) {
            alone[used++] = parts[i].events;
        } else {
            root_of(&roots[i], &parts[i]);
        }
    }
    sy_sha256_many_best()->leaves(hashes, alone, used);
    for (uint32_t i = 0; i < count; i++) {
        if (parts[i].event_count == 1) roots[i] = hashes[at++];
    }
}

static bool hash_group(struct sy_hash *leaves, const struct sy_slice *receipts, uint32_t count)
{
    struct parts parts[GROUP];
    struct sy_slice slices[GROUP];
    struct sy_hash keys[GROUP], roots[GROUP];
    uint8_t heads[GROUP][SY_RECEIPT_HEAD_BYTES_MAX];
    for (uint32_t i = 0; i < count; i++) {
        if (!split(&parts[i], receipts[i])) return false;
        slices[i] = parts[i].keys;
    }
    sy_sha256_many_best()->messages(keys, slices, count);
    hash_events(roots, parts, count);
    for (uint32_t i = 0; i < count; i++) {
        struct sy_writer w = sy_writer_of(heads[i], sizeof heads[i]);
        write_head(&w, &parts[i], &keys[i], &roots[i]);
        SY_ASSERT(!w.failed);
        slices[i] = sy_writer_slice(&w);
    }
    sy_sha256_many_best()->leaves(leaves, slices, count);
    return true;
}

bool sy_receipt_leaves(struct sy_hash *leaves, const struct sy_slice *receipts, size_t count)
{
    for (size_t at = 0; at < count; at += GROUP) {
        uint32_t group = count - at < GROUP ? (uint32_t)(count - at) : GROUP;
        if (!hash_group(leaves + at, receipts + at, group)) return false;
    }
    return true;
}

bool sy_receipt_head_encode(struct sy_writer *w, struct sy_slice receipt)
{
    struct parts parts;
    struct sy_hash keys, root;
    if (!split(&parts, receipt)) return false;
    sy_sha256(&keys, parts.keys.data, parts.keys.size);
    root_of(&root, &parts);
    write_head(w, &parts, &keys, &root);
    return true;
}

bool sy_receipt_head_decode(struct sy_reader *r, struct sy_receipt_head *head)
{
    memset(head, 0, sizeof *head);
    head->height = sy_read_u64(r, "head.height");
    head->index = sy_read_u32(r, "head.index");
    sy_read_hash(r, &head->tx_id, "head.tx_id");
    head->code = sy_read_u16(r, "head.code");
    (void)sy_read_u16(r, "head.part");
    (void)sy_read_u64(r, "head.detail");
    (void)sy_read_raw(r, 32, "head.detail_hash");
    (void)sy_read_bytes16(r, SY_RECEIPT_PATH_BYTES_MAX, "head.path");
    (void)sy_read_u32(r, "head.keys");
    (void)sy_read_raw(r, 32, "head.keys");
    head->event_count = sy_read_u32(r, "head.events");
    sy_read_hash(r, &head->events_root, "head.events");
    return !r->failed;
}
