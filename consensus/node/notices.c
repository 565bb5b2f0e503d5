#include "consensus/node/notices.h"

#include <stdlib.h>

#include "consensus/node/follower.h"
#include "core/wire/notice.h"

#define PRUNE_EVERY 64u /* blocks */

struct sy_notices {
    sy_store *store;
    sy_notices_added added;
    void *self;
    sy_store_reader *reader;
    sy_follower *follower;
    struct sy_notice_place *places; /* of the block under way */
    size_t room;
};

static sy_status add_place(struct sy_notices *notices, size_t *count, uint32_t index,
                           const struct sy_event *event)
{
    if (*count == notices->room) {
        size_t room = 2 * notices->room + 1024;
        void *moved = realloc(notices->places, room * sizeof *notices->places);
        if (moved == NULL) return SY_ERR_NO_MEMORY;
        notices->places = (struct sy_notice_place *)moved;
        notices->room = room;
    }
    struct sy_notice_place *place = &notices->places[(*count)++];
    place->index = index;
    sy_notice_name(&place->name, event->subject_kind, &event->subject, event->subject_number);
    return SY_OK;
}

static sy_status read_block(struct sy_notices *notices, size_t *count, uint64_t height)
{
    struct sy_slice packed;
    *count = 0;
    SY_TRY(sy_ledger_get(notices->reader, &packed, height, SY_BLOCK_RECEIPTS));
    struct sy_reader in = sy_reader_of(packed);
    uint32_t receipts = packed.size == 0 ? 0 : sy_read_u32(&in, "count");
    for (uint32_t i = 0; i < receipts && !in.failed; i++) {
        struct sy_reader one = sy_reader_of(sy_read_bytes32(&in, packed.size, "receipt"));
        struct sy_receipt receipt;
        struct sy_event event;
        size_t offset = 0;
        if (!sy_receipt_decode(&one, &receipt)) return SY_ERR_CORRUPT;
        while (sy_receipt_next_event(&receipt, &offset, &event)) {
            SY_TRY(add_place(notices, count, i, &event));
        }
    }
    return sy_reader_done(&in) ? SY_OK : SY_ERR_CORRUPT;
}

static uint64_t next(void *self)
{
    return sy_notices_next(((struct sy_notices *)self)->store);
}

static sy_status take(void *self, uint64_t height, uint64_t certified, struct sy_error *err)
{
    struct sy_notices *notices = (struct sy_notices *)self;
    size_t count;
    (void)certified;
    SY_TRY(read_block(notices, &count, height));
    SY_TRY(sy_notices_append(notices->store, height, notices->places, count, err));
    if (height % PRUNE_EVERY == 0) SY_TRY(sy_notices_prune(notices->store, err));
    notices->added(notices->self, height);
    return SY_OK;
}

static sy_status open_parts(struct sy_notices *notices, struct sy_error *err)
{
    const struct sy_follower_config config = {notices->store, "notices", next, take, notices};
    SY_TRY(sy_store_reader_open(&notices->reader, notices->store));
    return sy_follower_open(&notices->follower, &config, err);
}

sy_status sy_notices_open(sy_notices **out, sy_store *store, sy_notices_added added, void *self,
                          struct sy_error *err)
{
    struct sy_notices *notices = (struct sy_notices *)calloc(1, sizeof *notices);
    if (notices == NULL) return sy_fail(err, SY_ERR_NO_MEMORY, "notices: no memory");
    notices->store = store;
    notices->added = added;
    notices->self = self;
    sy_status status = open_parts(notices, err);
    if (status == SY_OK) {
        *out = notices;
    } else {
        sy_notices_close(notices);
    }
    return status;
}

void sy_notices_certified(sy_notices *notices)
{
    sy_follower_wake(notices->follower);
}

void sy_notices_close(sy_notices *notices)
{
    if (notices == NULL) return;
    sy_follower_close(notices->follower);
    sy_store_reader_close(notices->reader);
    free(notices->places);
    free(notices);
}
