#include "consensus/node/committer.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "consensus/pbft/record.h"
#include "core/base/arena.h"
#include "core/base/assert.h"
#include "core/base/os.h"
#include "core/base/telemetry.h"
#include "core/base/thread.h"

#define ITEMS 4096u
#define SLOT_BYTES SY_PBFT_RECORD_BYTES_SHORT /* a record or a certificate */
#define LARGE_ITEMS 4u                        /* VIEW_CHANGEs: one a view */
#define GROUP_MAX 512u
#define DROPS_MAX 64u     /* that wait for company */
#define PRUNE_EVERY 32u   /* blocks that gather before a slice is worth its commits */
#define PRUNE_PAUSE_MS 50 /* between slices while there is nothing else to do */

struct sy_committer {
    sy_store *store;
    sy_ring *inbox;
    sy_ring *items;
    sy_ring *free_slots;  /* uint8_t *: where records are copied to */
    sy_ring *large_slots; /* likewise, of SY_PBFT_RECORD_BYTES_MAX */
    sy_arena arena;
    pthread_t thread;
    bool started;
    atomic_bool failed;
    atomic_bool closing;
    struct sy_pruning pruning;
    struct sy_node_effect group[GROUP_MAX];
    struct sy_vote_write writes[GROUP_MAX * 2]; /* a DROP is two writes */
    struct sy_certificate_write certificates[GROUP_MAX];
};

/* Bytes that are good until the next step only are copied into a slot; a body stays where it is. */
static struct sy_slice *short_lived(struct sy_node_effect *item)
{
    if (item->type == SY_NODE_CERTIFY) return &item->as.certify.certificate;
    bool copied =
        item->as.commit.what == SY_COMMIT_RECORD || item->as.commit.what == SY_COMMIT_EVIDENCE;
    return copied ? &item->as.commit.value : NULL;
}

size_t sy_committer_writes(struct sy_vote_write out[2], const struct sy_node_effect *commit)
{
    SY_ASSERT(commit->type == SY_NODE_COMMIT);
    memset(out, 0, 2 * sizeof *out);
    out->body = commit->as.commit.digest;
    out->value = commit->as.commit.value;
    out->key = (struct sy_record_key){commit->as.commit.record_type, commit->as.commit.slot,
                                      commit->as.commit.view};
    switch (commit->as.commit.what) {
    case SY_COMMIT_RECORD: out->op = SY_VOTE_PUT_RECORD; return 1;
    case SY_COMMIT_EVIDENCE: out->op = SY_VOTE_PUT_EVIDENCE; return 1;
    case SY_COMMIT_DROP:
        out[0].op = out[1].op = SY_VOTE_DROP_BELOW;
        out[0].key = (struct sy_record_key){SY_PBFT_RECORD_PREPARE, commit->as.commit.slot + 1, 0};
        out[1].key = (struct sy_record_key){SY_PBFT_RECORD_PREPARED, commit->as.commit.slot + 1, 0};
        return 2;
    case SY_COMMIT_BODY: out->op = SY_VOTE_PUT_BODY; return 1;
    case SY_COMMIT_DROP_BODY: out->op = SY_VOTE_DROP_BODY; return 1;
    case SY_COMMIT_DROP_SPARE_BODY: out->op = SY_VOTE_DROP_SPARE_BODY; return 1;
    }
    SY_UNREACHABLE("there is no other commit");
}

sy_status sy_committer_prune(struct sy_pruning *pruning, sy_store *store, struct sy_error *err)
{
    uint64_t certified = sy_ledger_certified(store);
    uint64_t history = pruning->history_blocks;
    if (history == 0) return SY_OK;
    uint64_t below = certified + 1 > history ? certified + 1 - history : 0;
    if (!pruning->more && below < sy_ledger_pruned(store) + pruning->every) return SY_OK;
    sy_status status = sy_store_prune(store, &pruning->more, below, err);
    if (status != SY_ERR_CORRUPT) return status;
    SY_LOG(SY_LOG_ERROR, "node", "pruning_stopped", SY_F_TEXT("what", err->text));
    pruning->history_blocks = 0;
    pruning->more = false;
    return SY_OK;
}

/* ---- the thread -------------------------------------------------------------------------- */

static sy_status write_group(sy_committer *committer, size_t count, uint64_t *token,
                             uint64_t *height, struct sy_error *err)
{
    size_t writes = 0;
    size_t certificates = 0;
    for (size_t i = 0; i < count; i++) {
        const struct sy_node_effect *item = &committer->group[i];
        if (item->type == SY_NODE_CERTIFY) {
            committer->certificates[certificates++] = (struct sy_certificate_write){
                item->as.certify.height, item->as.certify.certificate};
            if (item->as.certify.height > *height) *height = item->as.certify.height;
        } else {
            writes += sy_committer_writes(committer->writes + writes, item);
            *token = item->as.commit.token;
        }
    }
    if (writes > 0) SY_TRY(sy_votes_commit(committer->store, committer->writes, writes, err));
    if (certificates > 0) {
        SY_TRY(sy_ledger_put_certificates(committer->store, committer->certificates, certificates,
                                          err));
    }
    return SY_OK;
}

static void tell(sy_committer *committer, enum sy_inbox_type type, uint64_t number)
{
    struct sy_inbox_item item = {.type = type, .number = number};
    (void)sy_ring_push_wait(committer->inbox, &item);
}

static sy_ring *slots_for(sy_committer *committer, const struct sy_slice *value)
{
    SY_ASSERT(value->size <= SY_PBFT_RECORD_BYTES_MAX);
    return value->size <= SLOT_BYTES ? committer->free_slots : committer->large_slots;
}

static void fail(sy_committer *committer, sy_status status, const struct sy_error *err)
{
    atomic_store(&committer->failed, true);
    sy_ring_stop(committer->items);
    sy_ring_stop(committer->free_slots);
    sy_ring_stop(committer->large_slots);
    SY_LOG(SY_LOG_ERROR, "node", "store_failed", SY_F_TEXT("what", err->text));
    struct sy_inbox_item item = {
        .type = SY_INBOX_FAILED, .status = status, .pointer = "the vote store"};
    (void)sy_ring_push_wait(committer->inbox, &item);
}

static void give_slots_back(sy_committer *committer, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct sy_slice *value = short_lived(&committer->group[i]);
        if (value != NULL) (void)sy_ring_push(slots_for(committer, value), &value->data);
    }
}

static bool commit_group(sy_committer *committer, size_t count)
{
    uint64_t token = 0;
    uint64_t height = 0;
    struct sy_error err = {SY_OK, ""};
    sy_status status = write_group(committer, count, &token, &height, &err);
    if (status == SY_OK) {
        give_slots_back(committer, count);
        if (token > 0) tell(committer, SY_INBOX_DURABLE, token);
        if (height > 0) tell(committer, SY_INBOX_CERTIFIED, height);
        status = sy_committer_prune(&committer->pruning, committer->store, &err);
    }
    if (status != SY_OK) fail(committer, status, &err);
    return status == SY_OK;
}

/* Nobody waits for old votes to be gone, so that alone is not worth two fsyncs. */
static bool may_wait(const sy_committer *committer, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct sy_node_effect *item = &committer->group[i];
        if (item->type != SY_NODE_COMMIT || item->as.commit.what != SY_COMMIT_DROP) return false;
    }
    return count < DROPS_MAX;
}

/* Waits for the next item, or, while there is history to forget, only for a moment. False: the end.
 * *came: there is one. */
static bool take_next(sy_committer *committer, bool *came, size_t count)
{
    int patience_ms = committer->pruning.more ? PRUNE_PAUSE_MS : -1;
    *came = sy_ring_pop_wait(committer->items, &committer->group[count], patience_ms);
    return *came || (committer->pruning.more && !atomic_load(&committer->closing));
}

static void *run(void *self)
{
    sy_committer *committer = (sy_committer *)self;
    size_t count = 0;
    bool came;
    while (take_next(committer, &came, count)) {
        if (!came) {
            if (!commit_group(committer, count)) return NULL;
            count = 0;
            continue;
        }
        count++;
        while (count < GROUP_MAX && sy_ring_pop(committer->items, &committer->group[count])) {
            count++;
        }
        if (may_wait(committer, count)) continue;
        if (!commit_group(committer, count)) return NULL;
        count = 0;
    }
    if (count > 0) (void)commit_group(committer, count);
    return NULL;
}

/* ---- the caller's side ------------------------------------------------------------------- */

static sy_status open_slots(sy_ring **ring, sy_arena *arena, unsigned count, size_t slot_bytes)
{
    SY_TRY(sy_ring_open(ring, arena, count, sizeof(uint8_t *)));
    for (unsigned i = 0; i < count; i++) {
        const uint8_t *slot = SY_CARVE(arena, uint8_t, slot_bytes);
        if (slot == NULL || !sy_ring_push(*ring, &slot)) return SY_ERR_NO_MEMORY;
    }
    return SY_OK;
}

static sy_status open_parts(sy_committer *committer, struct sy_error *err)
{
    size_t bytes = ITEMS * (SLOT_BYTES + sizeof(struct sy_node_effect) + 64) +
                   LARGE_ITEMS * (SY_PBFT_RECORD_BYTES_MAX + 64) + (1u << 20);
    SY_TRY(sy_arena_open(&committer->arena, bytes));
    SY_TRY(
        sy_ring_open(&committer->items, &committer->arena, ITEMS, sizeof(struct sy_node_effect)));
    SY_TRY(open_slots(&committer->free_slots, &committer->arena, ITEMS, SLOT_BYTES));
    SY_TRY(open_slots(&committer->large_slots, &committer->arena, LARGE_ITEMS,
                      SY_PBFT_RECORD_BYTES_MAX));
    SY_TRY(sy_thread_start(&committer->thread, "sy-store", run, committer, err));
    committer->started = true;
    return SY_OK;
}

sy_status sy_committer_open(sy_committer **out, sy_store *store, uint64_t history_blocks,
                            sy_ring *inbox, struct sy_error *err)
{
    sy_committer *committer = (sy_committer *)calloc(1, sizeof *committer);
    if (committer == NULL) return sy_fail(err, SY_ERR_NO_MEMORY, "store thread: no memory");
    committer->store = store;
    committer->inbox = inbox;
    committer->pruning = (struct sy_pruning){
        .history_blocks = history_blocks, .every = PRUNE_EVERY, .more = history_blocks > 0};
    sy_status status = open_parts(committer, err);
    if (status != SY_OK) {
        sy_committer_close(committer);
        return sy_fail(err, status, "the store thread cannot start (%s)", sy_status_name(status));
    }
    *out = committer;
    return SY_OK;
}

void sy_committer_close(sy_committer *committer)
{
    if (committer == NULL) return;
    atomic_store(&committer->closing, true);
    if (committer->items != NULL) sy_ring_stop(committer->items);
    if (committer->started) sy_thread_join(committer->thread);
    sy_ring_close(committer->items);
    sy_ring_close(committer->free_slots);
    sy_ring_close(committer->large_slots);
    sy_arena_close(&committer->arena);
    free(committer);
}

bool sy_committer_put(sy_committer *committer, const struct sy_node_effect *effect)
{
    SY_ASSERT(effect->type == SY_NODE_CERTIFY || effect->type == SY_NODE_COMMIT);
    struct sy_node_effect item = *effect;
    struct sy_slice *value = short_lived(&item);
    if (value != NULL) {
        uint8_t *slot;
        if (!sy_ring_pop_wait(slots_for(committer, value), &slot, -1)) return false;
        memcpy(slot, value->data, value->size);
        value->data = slot;
    }
    return !atomic_load(&committer->failed) && sy_ring_push_wait(committer->items, &item);
}
