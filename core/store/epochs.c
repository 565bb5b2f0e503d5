/* epochs.c: see epochs.h. */
#include "core/store/epochs.h"

#include <stdlib.h>

#include "core/base/assert.h"
#include "core/store/handovers.h"

/* How an epoch ended. */
struct ending {
    uint64_t height; /* the last that its roster sealed */
    size_t end;      /* of its handover in the bytes */
};

struct sy_epochs {
    const struct sy_genesis *genesis;
    struct sy_verifier verifier;
    struct sy_roster newest;
    struct sy_roster older; /* the one before that was asked for last */
    uint8_t *bytes;         /* handovers, from epoch 0 on */
    size_t size, room;
    struct ending *endings; /* newest.epoch of them */
    uint32_t ending_room;
};

sy_status sy_epochs_open(sy_epochs **out, const struct sy_genesis *genesis, struct sy_error *err)
{
    return sy_epochs_open_by(out, genesis, &sy_verifier_openssl, err);
}

sy_status sy_epochs_open_by(sy_epochs **out, const struct sy_genesis *genesis,
                            const struct sy_verifier *verifier, struct sy_error *err)
{
    sy_epochs *epochs = (sy_epochs *)calloc(1, sizeof *epochs);
    if (!epochs) return sy_fail(err, SY_ERR_NO_MEMORY, "rosters: no memory");
    epochs->genesis = genesis;
    epochs->verifier = *verifier;
    epochs->newest = genesis->roster;
    epochs->older = genesis->roster;
    *out = epochs;
    return SY_OK;
}

void sy_epochs_close(sy_epochs *epochs)
{
    if (!epochs) return;
    free(epochs->bytes);
    free(epochs->endings);
    free(epochs);
}

const struct sy_genesis *sy_epochs_genesis(const sy_epochs *epochs)
{
    return epochs->genesis;
}

const struct sy_roster *sy_epochs_newest(const sy_epochs *epochs)
{
    return &epochs->newest;
}

static struct sy_slice handover_of(const sy_epochs *epochs, uint32_t epoch)
{
    size_t start = epoch > 0 ? epochs->endings[epoch - 1].end : 0;
    return sy_slice_of(epochs->bytes + start, epochs->endings[epoch].end - start);
}

/* The handovers were verified when they were taken. */
const struct sy_roster *sy_epochs_roster(sy_epochs *epochs, uint32_t epoch)
{
    if (epoch > epochs->newest.epoch) return NULL;
    if (epoch == epochs->newest.epoch) return &epochs->newest;
    if (epoch < epochs->older.epoch) epochs->older = epochs->genesis->roster;
    while (epochs->older.epoch < epoch) {
        struct sy_roster before = epochs->older;
        struct sy_handover handover;
        struct sy_reader r = sy_reader_of(handover_of(epochs, before.epoch));
        bool decodes = sy_handover_decode(&r, &handover, before.count);
        SY_ASSERT(decodes);
        sy_status status = sy_roster_follow(&epochs->older, &epochs->genesis->hash, &before,
                                            handover.kind, handover.change);
        SY_ASSERT(status == SY_OK);
    }
    return &epochs->older;
}

/* ---- taking ------------------------------------------------------------------------------- */

static bool make_room(sy_epochs *epochs, size_t size)
{
    if (epochs->newest.epoch == epochs->ending_room) {
        uint32_t room = 2 * epochs->ending_room + 16;
        void *moved = realloc(epochs->endings, room * sizeof *epochs->endings);
        if (!moved) return false;
        epochs->endings = (struct ending *)moved;
        epochs->ending_room = room;
    }
    if (epochs->room - epochs->size < size) {
        size_t room = 2 * epochs->room + SY_HANDOVER_BYTES_MAX;
        void *moved = realloc(epochs->bytes, room);
        if (!moved) return false;
        epochs->bytes = (uint8_t *)moved;
        epochs->room = room;
    }
    return true;
}

static uint64_t first_height(const sy_epochs *epochs, uint32_t epoch)
{
    return epoch > 0 ? epochs->endings[epoch - 1].height + 1 : 0;
}

sy_status sy_epochs_take(sy_epochs *epochs, struct sy_slice bytes, struct sy_error *err)
{
    struct sy_handover handover;
    struct sy_reader r = sy_reader_of(bytes);
    uint32_t epoch = epochs->newest.epoch;
    if (epoch >= SY_EPOCHS_MAX) {
        return sy_fail(err, SY_ERR_LIMIT, "more than %u epochs are not followed", SY_EPOCHS_MAX);
    }
    if (!sy_handover_decode(&r, &handover, epochs->newest.count) || !sy_reader_done(&r)) {
        return sy_fail(err, SY_ERR_FORMAT, "the handover of epoch %u cannot be read (%s)",
                       (unsigned)epoch, r.what);
    }
    if (handover.header.height < first_height(epochs, epoch)) {
        return sy_fail(err, SY_ERR_CRYPTO, "the handover of epoch %u lies before its first height",
                       (unsigned)epoch);
    }
    if (!make_room(epochs, bytes.size)) {
        return sy_fail(err, SY_ERR_NO_MEMORY, "rosters: no memory");
    }
    SY_TRY(sy_handover_take_by(&epochs->verifier, &epochs->newest, &epochs->genesis->hash,
                               &handover, err));
    memcpy(epochs->bytes + epochs->size, bytes.data, bytes.size);
    epochs->size += bytes.size;
    epochs->endings[epoch] = (struct ending){handover.header.height, epochs->size};
    return SY_OK;
}

static sy_status take_all(sy_epochs *epochs, sy_store_reader *reader, sy_state_view *view,
                          uint64_t certified, struct sy_error *err)
{
    uint8_t bytes[SY_HANDOVER_BYTES_MAX];
    for (;;) {
        struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
        uint32_t epoch = epochs->newest.epoch;
        sy_status status = sy_store_handover(&w, reader, view, epoch, certified);
        if (status == SY_ERR_NOT_FOUND || status == SY_ERR_PRUNED) return SY_OK;
        if (status != SY_OK || w.failed) {
            return sy_fail(err, status != SY_OK ? status : SY_ERR_CORRUPT,
                           "how epoch %u ended cannot be read from the store", (unsigned)epoch);
        }
        SY_TRY(sy_epochs_take(epochs, sy_writer_slice(&w), err));
    }
}

sy_status sy_epochs_take_store(sy_epochs *epochs, sy_store *store, sy_store_reader *reader,
                               struct sy_error *err)
{
    sy_state_view *view = NULL;
    sy_status status = sy_state_view_open(&view, store);
    if (status == SY_ERR_NOT_FOUND) return SY_OK; // there is no state, and so no change
    if (status != SY_OK) {
        return sy_fail(err, status, "state: it cannot be opened (%s)", sy_status_name(status));
    }
    status = take_all(epochs, reader, view, sy_ledger_certified(store), err);
    sy_state_view_close(view);
    return status;
}

/* ---- asking ------------------------------------------------------------------------------- */

bool sy_epochs_certified(sy_epochs *epochs, const struct sy_header *header,
                         const struct sy_certificate *certificate)
{
    return sy_epochs_certified_by(epochs, &epochs->verifier, header, certificate);
}

bool sy_epochs_certified_by(sy_epochs *epochs, const struct sy_verifier *verifier,
                            const struct sy_header *header,
                            const struct sy_certificate *certificate)
{
    uint32_t epoch = header->epoch;
    const struct sy_roster *roster = sy_epochs_roster(epochs, epoch);
    if (!roster || header->height < first_height(epochs, epoch)) return false;
    bool ended = epoch < epochs->newest.epoch;
    if (ended && header->height > epochs->endings[epoch].height) return false;
    return sy_certificate_verify_by(verifier, certificate, roster, &epochs->genesis->hash, header);
}

struct sy_slice sy_epochs_handovers(const sy_epochs *epochs, uint32_t epoch)
{
    SY_ASSERT(epoch <= epochs->newest.epoch);
    if (epoch == 0) return sy_slice_of(NULL, 0);
    return sy_slice_of(epochs->bytes, epochs->endings[epoch - 1].end);
}

const char *sy_epochs_address(const sy_epochs *epochs, const char *const *addresses,
                              unsigned validator)
{
    const struct sy_roster *genesis = &epochs->genesis->roster;
    SY_ASSERT(validator < epochs->newest.count);
    const struct sy_validator *now = &epochs->newest.validators[validator];
    for (unsigned i = 0; addresses && i < genesis->count; i++) {
        const struct sy_validator *then = &genesis->validators[i];
        if (strcmp(then->name, now->name) == 0 &&
            strcmp(then->client_address, now->client_address) == 0) {
            return addresses[i];
        }
    }
    return now->client_address;
}
