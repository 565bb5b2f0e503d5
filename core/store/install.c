/* A state from elsewhere, the half that both implementations share (store.h): what may be put, and
 * that it is put in order. */
#include "core/base/assert.h"
#include "core/store/impl.h"
#include "core/store/state.h"
#include "core/wire/delta.h"

uint64_t sy_ledger_base(const sy_store *store)
{
    return atomic_load_explicit(&store->base, memory_order_acquire);
}

void sy_install_get(const sy_store *store, struct sy_install *install)
{
    *install = store->install;
}

sy_status sy_install_check(const sy_store *store, struct sy_error *err)
{
    if (!atomic_load(&store->installing)) return SY_OK;
    return sy_fail(err, SY_ERR_EXISTS,
                   "the state of block %llu is being fetched from peers and is not whole yet; let "
                   "that end, or remove the store's folder and initialise again",
                   (unsigned long long)store->install.height);
}

sy_status sy_install_begin(sy_store *store, struct sy_install *install, uint64_t height,
                           const struct sy_hash *root, struct sy_error *err)
{
    struct sy_install *now = &store->install;
    *install = (struct sy_install){.active = true, .height = height, .root = *root};
    if (height == 0 || height >= UINT64_MAX - 1) {
        return sy_fail(err, SY_ERR_ARGUMENT, "store: no state of height %llu can be installed",
                       (unsigned long long)height);
    }
    if (sy_ledger_next(store) > 0 || sy_state_next(store) > 0) {
        return sy_fail(err, SY_ERR_EXISTS,
                       "store: it has blocks already; a state from peers needs a new store");
    }
    bool same = now->active && now->height == height && sy_hash_equal(&now->root, root);
    if (!same) {
        SY_TRY(sy_env_check(store, SY_ENV_STATE, err));
        SY_TRY(store->ops->install_begin(store, install, err));
        *now = *install;
        atomic_store(&store->installing, true);
    }
    *install = *now;
    return SY_OK;
}

// Whether all entries are puts from next on and below behind.
static bool in_place(const struct sy_install *now, struct sy_slice entries,
                     const struct sy_hash *behind)
{
    struct sy_delta_reader reader = sy_delta_reader_of(entries);
    struct sy_delta entry;
    if (behind && sy_hash_compare(behind, &now->next) <= 0) return false;
    while (sy_delta_next(&reader, &entry)) {
        if (entry.op != SY_DELTA_PUT || sy_hash_compare(&entry.key, &now->next) < 0) return false;
        if (behind && sy_hash_compare(&entry.key, behind) >= 0) return false;
    }
    return !reader.in.failed;
}

sy_status sy_install_put(sy_store *store, struct sy_slice entries, const struct sy_hash *behind,
                         struct sy_error *err)
{
    struct sy_install next = store->install;
    if (!next.active || next.whole) {
        return sy_fail(err, SY_ERR_ARGUMENT, "store: no state is being installed");
    }
    if (!in_place(&next, entries, behind)) {
        return sy_fail(err, SY_ERR_FORMAT, "store: entries of a state that are not next in order");
    }
    SY_TRY(sy_env_check(store, SY_ENV_STATE, err));
    next.whole = behind == NULL;
    if (behind) next.next = *behind;
    SY_TRY(store->ops->install_put(store, entries, &next, err));
    store->install = next;
    return SY_OK;
}

// Whether header and certificates are of a size that can be stored, and stand in order below base.
static bool are_headers(const struct sy_header_write *headers, size_t count, uint64_t below)
{
    for (size_t i = 0; i < count; i++) {
        const struct sy_header_write *one = &headers[i];
        bool sized = one->header.size > 0 && one->header.size <= SY_BLOCK_PART_BYTES_MAX &&
                     one->certificate.size > 0 && one->certificate.size <= SY_BLOCK_PART_BYTES_MAX;
        bool rises = i == 0 || one->height > headers[i - 1].height;
        if (!sized || !rises || one->height >= below) return false;
    }
    return true;
}

sy_status sy_install_finish(sy_store *store, struct sy_slice header, struct sy_slice certificate,
                            const struct sy_header_write *earlier, size_t earlier_count,
                            struct sy_error *err)
{
    const struct sy_install *now = &store->install;
    const struct sy_header_write base = {now->height, header, certificate};
    if (!now->active || !now->whole) {
        return sy_fail(err, SY_ERR_ARGUMENT, "store: the state to be installed is not whole");
    }
    if (!are_headers(&base, 1, now->height + 1)) {
        return sy_fail(err, SY_ERR_ARGUMENT, "store: a header of %zu bytes, a certificate of %zu",
                       header.size, certificate.size);
    }
    if (!are_headers(earlier, earlier_count, now->height)) {
        return sy_fail(err, SY_ERR_ARGUMENT,
                       "store: the headers of earlier heights are not in order");
    }
    SY_TRY(sy_env_check(store, SY_ENV_LEDGER, err));
    SY_TRY(sy_env_check(store, SY_ENV_STATE, err));
    SY_TRY(store->ops->install_finish(store, &base, earlier, earlier_count, err));
    store->install = (struct sy_install){.active = false};
    atomic_store(&store->installing, false);
    return SY_OK;
}
