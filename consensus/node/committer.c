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
#define SLOT_BYTES 16384u /* a record or a certificate; SY_PBFT_RECORD_BYTES_MAX */
#define GROUP_MAX 512u

_Static_assert(SLOT_BYTES >= SY_PBFT_RECORD_BYTES_MAX, "a slot holds any record");

struct item {
    bool is_certificate;
    enum sy_node_commit what;
    uint8_t record_type;
    uint64_t slot; /* certificate: height */
    uint64_t view;
    uint64_t token;
    struct sy_hash digest;
    struct sy_slice value;
};

struct sy_committer {
    sy_store *store;
    sy_ring *inbox;
    sy_ring *items;
    sy_ring *free_slots; /* uint8_t *: where records are copied to */
    sy_arena arena;
    pthread_t thread;
    bool started;
    atomic_bool failed;
    struct item group[GROUP_MAX];
    struct sy_vote_write writes[GROUP_MAX * 2]; /* a DROP is two writes */
    struct sy_certificate_write certificates[GROUP_MAX];
};

static bool owns_slot(const struct item *item)
{
    return item->is_certificate || item->what == SY_COMMIT_RECORD;
}

/* ---- the thread -------------------------------------------------------------------------- */

static size_t add_writes(struct sy_vote_write *out, const struct item *item)
{
    struct sy_vote_write *write = out;
    memset(out, 0, 2 * sizeof *out);
    switch (item->what) {
    case SY_COMMIT_RECORD:
        write->op = SY_VOTE_PUT_RECORD;
        write->key = (struct sy_record_key){item->record_type, item->slot, item->view};
        write->value = item->value;
        return 1;
    case SY_COMMIT_DROP:
        out[0].op = out[1].op = SY_VOTE_DROP_BELOW;
        out[0].key = (struct sy_record_key){SY_PBFT_RECORD_PREPARE, item->slot + 1, 0};
        out[1].key = (struct sy_record_key){SY_PBFT_RECORD_PREPARED, item->slot + 1, 0};
        return 2;
    case SY_COMMIT_BODY:
        write->op = SY_VOTE_PUT_BODY;
        write->body = item->digest;
        write->value = item->value;
        return 1;
    case SY_COMMIT_DROP_BODY:
        write->op = SY_VOTE_DROP_BODY;
        write->body = item->digest;
        return 1;
    }
    return 0;
}

static sy_status write_group(sy_committer *committer, size_t count, uint64_t *token,
                             uint64_t *height, struct sy_error *err)
{
    size_t writes = 0;
    size_t certificates = 0;
    for (size_t i = 0; i < count; i++) {
        const struct item *item = &committer->group[i];
        if (item->is_certificate) {
            committer->certificates[certificates++] =
                (struct sy_certificate_write){item->slot, item->value};
            if (item->slot > *height) *height = item->slot;
        } else {
            writes += add_writes(committer->writes + writes, item);
            *token = item->token;
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

static void fail(sy_committer *committer, sy_status status, const struct sy_error *err)
{
    atomic_store(&committer->failed, true);
    sy_ring_stop(committer->items);
    sy_ring_stop(committer->free_slots);
    SY_LOG(SY_LOG_ERROR, "node", "store_failed", SY_F_TEXT("what", err->text));
    struct sy_inbox_item item = {
        .type = SY_INBOX_FAILED, .status = status, .pointer = "the vote store"};
    (void)sy_ring_push_wait(committer->inbox, &item);
}

static void give_slots_back(sy_committer *committer, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!owns_slot(&committer->group[i])) continue;
        const uint8_t *slot = committer->group[i].value.data;
        (void)sy_ring_push(committer->free_slots, &slot);
    }
}

static void *run(void *self)
{
    sy_committer *committer = (sy_committer *)self;
    while (sy_ring_pop_wait(committer->items, &committer->group[0], -1)) {
        size_t count = 1;
        while (count < GROUP_MAX && sy_ring_pop(committer->items, &committer->group[count])) {
            count++;
        }
        uint64_t token = 0;
        uint64_t height = 0;
        struct sy_error err = {SY_OK, ""};
        sy_status status = write_group(committer, count, &token, &height, &err);
        if (status != SY_OK) {
            fail(committer, status, &err);
            return NULL;
        }
        give_slots_back(committer, count);
        if (token > 0) tell(committer, SY_INBOX_DURABLE, token);
        if (height > 0) tell(committer, SY_INBOX_CERTIFIED, height);
    }
    return NULL;
}

/* ---- the caller's side ------------------------------------------------------------------- */

static sy_status open_parts(sy_committer *committer, struct sy_error *err)
{
    size_t bytes = ITEMS * (SLOT_BYTES + sizeof(struct item) + 64) + (1u << 20);
    SY_TRY(sy_arena_open(&committer->arena, bytes));
    SY_TRY(sy_ring_open(&committer->items, &committer->arena, ITEMS, sizeof(struct item)));
    SY_TRY(sy_ring_open(&committer->free_slots, &committer->arena, ITEMS, sizeof(uint8_t *)));
    for (unsigned i = 0; i < ITEMS; i++) {
        const uint8_t *slot = SY_CARVE(&committer->arena, uint8_t, SLOT_BYTES);
        if (slot == NULL || !sy_ring_push(committer->free_slots, &slot)) return SY_ERR_NO_MEMORY;
    }
    SY_TRY(sy_thread_start(&committer->thread, "sy-store", run, committer, err));
    committer->started = true;
    return SY_OK;
}

sy_status sy_committer_open(sy_committer **out, sy_store *store, sy_ring *inbox,
                            struct sy_error *err)
{
    sy_committer *committer = (sy_committer *)calloc(1, sizeof *committer);
    if (committer == NULL) return sy_fail(err, SY_ERR_NO_MEMORY, "store thread: no memory");
    committer->store = store;
    committer->inbox = inbox;
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
    if (committer->items != NULL) sy_ring_stop(committer->items);
    if (committer->started) sy_thread_join(committer->thread);
    sy_ring_close(committer->items);
    sy_ring_close(committer->free_slots);
    sy_arena_close(&committer->arena);
    free(committer);
}

bool sy_committer_put(sy_committer *committer, const struct sy_node_effect *effect)
{
    struct item item = {0};
    if (effect->type == SY_NODE_CERTIFY) {
        item.is_certificate = true;
        item.slot = effect->as.certify.height;
        item.value = effect->as.certify.certificate;
    } else {
        SY_ASSERT(effect->type == SY_NODE_COMMIT);
        item.what = effect->as.commit.what;
        item.record_type = effect->as.commit.record_type;
        item.slot = effect->as.commit.slot;
        item.view = effect->as.commit.view;
        item.token = effect->as.commit.token;
        item.digest = effect->as.commit.digest;
        item.value = effect->as.commit.value;
    }
    if (owns_slot(&item)) {
        SY_ASSERT(item.value.size <= SLOT_BYTES);
        uint8_t *slot;
        if (!sy_ring_pop_wait(committer->free_slots, &slot, -1)) return false;
        memcpy(slot, item.value.data, item.value.size);
        item.value.data = slot;
    }
    return !atomic_load(&committer->failed) && sy_ring_push_wait(committer->items, &item);
}
