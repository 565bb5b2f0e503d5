/* Forgetting history, the half that both implementations share (store.h).
 *
 *     0 .. swept - 1          header and certificate
 *     swept .. pruned - 1     going: asked for, it is refused; bodies and parts are still dropped
 *     pruned .. next - 1      whole
 *
 * The mark goes first, so that nobody is told half of a block; bodies go before the orders that
 * name them, so that a crash in between leaves the names for the next try. */
#include "core/base/assert.h"
#include "core/store/impl.h"
#include "core/store/state.h"
#include "core/wire/block.h"

#define SLICE_BODIES_MAX 256u

_Static_assert(SLICE_BODIES_MAX >= SY_PROPOSAL_ENTRIES_MAX, "a slice holds any block");

struct slice {
    uint64_t from;
    uint64_t to;
    size_t body_count;
    struct sy_vote_write drops[SLICE_BODIES_MAX];
};

uint64_t sy_ledger_pruned(const sy_store *store)
{
    return atomic_load_explicit(&store->pruned, memory_order_acquire);
}

// How far history may go, whoever asks.
static uint64_t prunable(sy_store *store, uint64_t below)
{
    uint64_t certified = sy_ledger_certified(store);
    uint64_t complete = sy_state_complete(store->state);
    if (below > certified) below = certified;
    return below < complete ? below : complete;
}

// Adds the bodies that a block names. False: they do not fit any more.
static bool add_bodies(struct slice *slice, const struct sy_proposal *order)
{
    if (order->count > SLICE_BODIES_MAX - slice->body_count) return false;
    for (uint16_t i = 0; i < order->count; i++) {
        slice->drops[slice->body_count++] =
            (struct sy_vote_write){.op = SY_VOTE_DROP_BODY, .body = order->entries[i].digest};
    }
    return true;
}

static sy_status read_order(sy_store *store, struct sy_proposal *order, uint64_t height,
                            struct sy_error *err)
{
    sy_store_reader *reader = store->prune_reader;
    struct sy_buffer *part = &reader->parts[SY_BLOCK_ORDER];
    sy_status status = store->ops->ledger_get(reader, part, height, SY_BLOCK_ORDER);
    order->count = 0;
    if (status == SY_OK && part->size == 0) return SY_OK; // genesis
    struct sy_reader bytes = sy_reader_of(sy_buffer_slice(part));
    if (status == SY_OK && !sy_proposal_decode(&bytes, order)) status = SY_ERR_CORRUPT;
    if (status == SY_OK) return SY_OK;
    return sy_fail(err, status,
                   "ledger: block %llu is to be pruned, but its order cannot be read (%s); restore "
                   "the store from a backup or make it anew from peers",
                   (unsigned long long)height, sy_status_name(status));
}

static sy_status plan(sy_store *store, struct slice *slice, struct sy_error *err)
{
    uint64_t pruned = sy_ledger_pruned(store);
    slice->from = atomic_load(&store->swept);
    slice->to = slice->from;
    slice->body_count = 0;
    while (slice->to < pruned && slice->to - slice->from < SY_PRUNE_BLOCKS_MAX) {
        struct sy_proposal order;
        SY_TRY(read_order(store, &order, slice->to, err));
        if (!add_bodies(slice, &order)) break;
        slice->to++;
    }
    SY_ASSERT(slice->to > slice->from || slice->from == pruned);
    return SY_OK;
}

sy_status sy_store_prune(sy_store *store, bool *more, uint64_t below, struct sy_error *err)
{
    struct slice slice;
    uint64_t limit = prunable(store, below);
    *more = false;
    SY_TRY(sy_env_check(store, SY_ENV_LEDGER, err));
    if (!store->prune_reader && sy_store_reader_open(&store->prune_reader, store) != SY_OK) {
        return sy_fail(err, SY_ERR_LIMIT, "pruning: too many store readers");
    }
    if (sy_ledger_pruned(store) < limit) SY_TRY(store->ops->prune_mark(store, limit, err));
    SY_TRY(plan(store, &slice, err));
    if (slice.to == slice.from) return SY_OK;
    SY_TRY(sy_votes_commit(store, slice.drops, slice.body_count, err));
    SY_TRY(store->ops->prune_sweep(store, slice.to, err));
    *more = slice.to < sy_ledger_pruned(store);
    return SY_OK;
}
