/* epochs.c: see epochs.h. */
#include "tests/support/epochs.h"

#include <stdio.h>

#include "core/base/assert.h"

/* The change that begins epoch e + 1. */
static void make_change(struct test_change *change, const struct test_epochs *epochs, unsigned e,
                        const char *place)
{
    const struct sy_hash *genesis = &epochs->genesis.hash;
    const struct sy_roster *now = &epochs->rosters[e];
    unsigned what = place ? TEST_REKEY_KEYS : TEST_REKEY_ALL;
    switch (e) {
    case 0: test_change_add(change, genesis, now, 4); break;
    case 1: test_change_rekey(change, genesis, now, 1, what, TEST_REKEYED); break;
    default: test_change_remove(change, genesis, now, 0); break;
    }
    if (e > 0 || !place) return;
    (void)snprintf(change->texts[3], sizeof change->texts[3], "%s", place);
    test_change_texts(change);
}

void test_epochs_make(struct test_epochs *epochs, const char *place)
{
    struct test_change change;
    memset(epochs, 0, sizeof *epochs);
    struct sy_writer w = sy_writer_of(epochs->bytes, sizeof epochs->bytes);
    struct sy_writer room = sy_writer_of(epochs->room, sizeof epochs->room);
    test_genesis(&epochs->genesis, 4);
    epochs->rosters[0] = epochs->genesis.roster;
    for (unsigned e = 0; e + 1 < TEST_EPOCHS; e++) {
        make_change(&change, epochs, e, place);
        test_change_follow(&epochs->rosters[e + 1], &epochs->rosters[e], &change);
        test_handover(&epochs->handovers[e], &room, &epochs->genesis.hash, &epochs->rosters[e],
                      &change, TEST_EPOCH_HEIGHTS * (e + 1u));
        sy_handover_encode(&w, &epochs->handovers[e]);
        SY_ASSERT(!w.failed);
        epochs->ends[e + 1] = w.used;
    }
}

struct sy_slice test_epochs_path(const struct test_epochs *epochs, unsigned first, unsigned end)
{
    SY_ASSERT(first <= end && end < TEST_EPOCHS);
    size_t start = epochs->ends[first];
    return sy_slice_of(epochs->bytes + start, epochs->ends[end] - start);
}

void test_epochs_header(const struct test_epochs *epochs, struct sy_header *header,
                        struct sy_certificate *certificate, unsigned epoch, uint64_t height)
{
    SY_ASSERT(epoch < TEST_EPOCHS);
    *header = (struct sy_header){.protocol = SY_PROTOCOL_VERSION,
                                 .height = height,
                                 .epoch = epoch,
                                 .time_ms = TEST_GENESIS_MS + (int64_t)height * 1000,
                                 .previous = test_hash(910),
                                 .state_root = test_hash(913)};
    sy_roster_hash(&header->next_roster, &epochs->genesis.hash, &epochs->rosters[epoch]);
    test_certify(certificate, &epochs->genesis.hash, &epochs->rosters[epoch], header);
}
