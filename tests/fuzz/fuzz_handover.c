/* fuzz_handover.c: any bytes as a handover, offered to the test network's roster and to the one of
 * five that it may become. What decodes has one encoding; what is taken leads where the samples
 * lead, as nobody here can seal anything else; what is not taken leaves the roster as it was. The
 * change alone, unsealed, makes a roster that keeps every rule or none. */
#include "core/base/assert.h"
#include "tests/support/changes.h"
#include "tests/support/samples.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct sy_genesis genesis;
static struct sy_roster rosters[2]; /* of 4 and of 5 */

static void make_rosters(void)
{
    static struct test_change change;
    test_genesis(&genesis, 4);
    rosters[0] = genesis.roster;
    test_change_add(&change, &genesis.hash, &rosters[0], 4);
    test_change_follow(&rosters[1], &rosters[0], &change);
}

static bool was_sealed(const struct sy_hash *roster_hash)
{
    static const char *const names[] = {"handover/add", "handover/rekey", "handover/remove"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        static struct sy_handover sample;
        struct sy_reader r = sy_reader_of(test_sample(names[i]));
        bool good = sy_handover_decode(&r, &sample, i < 2 ? 4 : 5);
        SY_ASSERT(good);
        if (sy_hash_equal(&sample.header.next_roster, roster_hash)) return true;
    }
    return false;
}

static bool is_same(const struct sy_roster *a, const struct sy_roster *b)
{
    struct sy_hash of_a, of_b;
    sy_roster_hash(&of_a, &genesis.hash, a);
    sy_roster_hash(&of_b, &genesis.hash, b);
    return sy_hash_equal(&of_a, &of_b);
}

static void offer(const struct sy_roster *to, struct sy_slice bytes)
{
    static uint8_t again[SY_HANDOVER_BYTES_MAX];
    static struct sy_roster roster, next;
    struct sy_handover handover;
    struct sy_error err = {SY_OK, ""};
    struct sy_reader r = sy_reader_of(bytes);
    if (!sy_handover_decode(&r, &handover, to->count) || !sy_reader_done(&r)) {
        SY_ASSERT(r.what != NULL);
        return;
    }
    struct sy_writer w = sy_writer_of(again, sizeof again);
    sy_handover_encode(&w, &handover);
    SY_ASSERT(!w.failed && sy_slice_equal(sy_writer_slice(&w), bytes));

    sy_status follows = sy_roster_follow(&next, &genesis.hash, to, handover.kind, handover.change);
    if (follows == SY_OK) {
        SY_ASSERT(sy_roster_check(&next, NULL) == SY_OK && next.epoch == to->epoch + 1);
    }
    roster = *to;
    if (sy_handover_take(&roster, &genesis.hash, &handover, &err) == SY_OK) {
        struct sy_hash hash;
        sy_roster_hash(&hash, &genesis.hash, &roster);
        SY_ASSERT(follows == SY_OK && was_sealed(&hash));
        SY_ASSERT(is_same(&roster, &next));
    } else {
        SY_ASSERT(err.text[0] && is_same(&roster, to));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (genesis.format == 0) make_rosters();
    for (unsigned i = 0; i < 2; i++) offer(&rosters[i], sy_slice_of(data, size));
    return 0;
}
