/* epochs.h: a network whose roster changed three times, with the handovers that prove it.
 *
 *     epoch 0   validators 0 1 2 3     the genesis
 *     epoch 1   validators 0 1 2 3 4   4 was added
 *     epoch 2   validators 0 1 2 3 4   1 has other keys, from TEST_REKEYED on, and other addresses
 *     epoch 3   validators 1 2 3 4     0 was removed
 *
 * Epochs are short: epoch e ends with height TEST_EPOCH_HEIGHTS (e + 1). */
#ifndef SY_TESTS_SUPPORT_EPOCHS_H
#define SY_TESTS_SUPPORT_EPOCHS_H

#include "tests/support/changes.h"

#define TEST_EPOCHS 4u
#define TEST_EPOCH_HEIGHTS 4u
#define TEST_REKEYED 300u

struct test_epochs {
    struct sy_genesis genesis;
    struct sy_roster rosters[TEST_EPOCHS];
    struct sy_handover handovers[TEST_EPOCHS - 1];
    uint8_t room[(TEST_EPOCHS - 1) * SY_ROSTER_CHANGE_BYTES_MAX];
    uint8_t bytes[(TEST_EPOCHS - 1) * SY_HANDOVER_BYTES_MAX];
    size_t ends[TEST_EPOCHS]; /* where the handovers before an epoch end in bytes */
};

/* test_epochs_make fills one; it borrows its own bytes, so it must stay where it is. A place where
 * validator 4 is to be found by clients ("tcp://127.0.0.1:4711") may be given: validator 1 then
 * keeps its addresses, so that all can be served. */
void test_epochs_make(struct test_epochs *epochs, const char *place);

/* test_epochs_path are the encoded handovers from epoch `first` to epoch `end`. */
struct sy_slice test_epochs_path(const struct test_epochs *epochs, unsigned first, unsigned end);

/* test_epochs_header makes a header of an epoch at a height, sealed by the epoch's roster. */
void test_epochs_header(const struct test_epochs *epochs, struct sy_header *header,
                        struct sy_certificate *certificate, unsigned epoch, uint64_t height);

#endif
