/* Random streams: whatever gateways send, resend, skip, overlap, close and open anew, the windows
 * of a device's streams of one kind ascend without overlap, from each stream to the next, their
 * numbers have no hole, each gap stands where it is, and the counts are those of a scan of all
 * there is. SYSTOLE_TEST_SEED runs one again. */
#include <stdio.h>
#include <string.h>

#include "core/base/prng.h"
#include "tests/unit/stream_rig.h"

enum { STREAMS = 3, STEPS = 1500, KEPT = 64 };

static sy_prng prng;
static struct world_tx sent[KEPT]; /* some that were sent before, to be sent again */
static unsigned sent_count;
static unsigned counted[512];    /* by refusal, 0: applied */
static unsigned newest[STREAMS]; /* of each kind: how many were opened before it */

static unsigned below(unsigned bound)
{
    return (unsigned)sy_prng_below(&prng, bound);
}

/* The `turn`-th stream of a kind. */
static unsigned stream_of(unsigned kind, unsigned turn)
{
    return STREAM + kind + turn * STREAM_KINDS;
}

/* Near the stream's next number and the end of its last window, and often not quite. */
static struct world_tx draw_commit(unsigned stream)
{
    struct sy_stream now = find_stream(stream);
    uint32_t sequence = now.commits + 1;
    int64_t from = now.until_ms != 0 ? now.until_ms : stream_now() - HOUR_MS;
    if (below(8) == 0) sequence = below(now.commits + 4);
    if (below(4) == 0) from += (int64_t)below(6) * MINUTE_MS - 2 * MINUTE_MS;
    int64_t to = from + (int64_t)(below(6) + (below(20) != 0)) * MINUTE_MS;
    if (from < 0) from = 0;
    struct world_tx tx = commit_window(sequence, from, to);
    struct sy_stream_commit *p = &tx.payload.stream_commit;
    p->stream_id = test_hash(stream);
    p->root = test_hash(below(1000));
    p->samples = p->samples + below(12) / 10;
    if (p->samples == 0 || p->samples > SY_STREAM_SAMPLES_MAX) p->samples = 1;
    if (below(16) == 0) p->release = 1 + below(3);
    if (below(16) == 0) p->backfill = !p->backfill;
    return tx;
}

/* Opens another stream of the kind, mostly once the last one is closed. */
static void open_another(unsigned kind)
{
    struct world_tx tx = close_stream(below(2) == 0 ? WEARABLE_KEY : GATEWAY_A);
    tx.payload.stream_close.stream_id = test_hash(stream_of(kind, newest[kind]));
    if (below(3) != 0) assert_applied(&tx);
    tx = open_stream(stream_of(kind, newest[kind] + 1), WEARABLE, WEARABLE_KEY);
    enum sy_refusal code = world_submit(&world, &tx);
    counted[code]++;
    if (code == SY_APPLIED) newest[kind]++;
}

static void step(void)
{
    unsigned kind = below(STREAMS), stream = stream_of(kind, newest[kind]);
    if (below(40) == 0) {
        open_another(kind);
        return;
    }
    world.step_ms = below(10) == 0 ? (int64_t)below(20) * MINUTE_MS + 1 : MINUTE_MS;
    struct world_tx tx = draw_commit(stream);
    if (sent_count > 0 && below(5) == 0) {
        unsigned again = below(sent_count < KEPT ? sent_count : KEPT);
        tx = sent[again];
        tx.nonce = 0;
    } else {
        sent[sent_count++ % KEPT] = tx;
    }
    tx.valid_until_ms = stream_now() + HOUR_MS;
    counted[world_submit(&world, &tx)]++;
}

/* The entry of one of the stream's numbers; false: there is none. */
static bool find_numbered(struct sy_slice *value, unsigned stream, enum sy_state_kind kind,
                          uint64_t number)
{
    struct sy_hash key_hash, id = test_hash(stream);
    sy_state_key_stream(&key_hash, kind, &id, number);
    return world_find(&world, value, &key_hash);
}

/* until: where the stream of this kind before it ended, 0: there was none, or no window. */
static void scan(unsigned stream, int64_t *until)
{
    struct sy_stream whole = find_stream(stream);
    struct sy_slice value;
    int64_t until_ms = *until;
    uint64_t samples = 0;
    uint32_t gaps = 0;
    for (uint64_t number = 1; number <= whole.commits; number++) {
        struct sy_stream_commit_entry entry;
        struct sy_stream_gap gap;
        assert_true(find_numbered(&value, stream, SY_STATE_STREAM_COMMIT, number)); // no hole
        assert_true(sy_stream_commit_decode(&entry, value));
        assert_true(entry.from_ms >= until_ms); // no overlap
        assert_true(entry.to_ms <= entry.time_ms + SY_STREAM_SKEW_MS);
        assert_true(entry.samples * 10ull * HOUR_MS <=
                    60ull * 11 * (uint64_t)(entry.to_ms - entry.from_ms));
        bool missing = until_ms > 0 && entry.from_ms - until_ms > 120 * 1000;
        assert_int_equal(entry.gap, missing);
        if (missing) {
            assert_true(find_numbered(&value, stream, SY_STATE_STREAM_GAP, ++gaps));
            assert_true(sy_stream_gap_decode(&gap, value));
            assert_int_equal(gap.sequence, number);
            assert_true(gap.from_ms == until_ms && gap.to_ms == entry.from_ms);
        }
        until_ms = entry.to_ms;
        samples += entry.samples;
    }
    assert_int_equal(whole.gaps, gaps);
    assert_int_equal(whole.samples, samples);
    assert_int_equal(whole.until_ms, until_ms);
    *until = until_ms;
    assert_false(find_numbered(&value, stream, SY_STATE_STREAM_COMMIT, whole.commits + 1ull));
    assert_false(find_numbered(&value, stream, SY_STATE_STREAM_COMMIT, 0));
    assert_false(find_numbered(&value, stream, SY_STATE_STREAM_GAP, whole.gaps + 1ull));
}

CASE(streams_never_overlap_and_have_no_hole)
{
    static const enum sy_refusal met[] = {SY_APPLIED, SY_E_SEQ,  SY_E_OVERLAP,  SY_E_DUP_COMMIT,
                                          SY_E_RATE,  SY_E_SKEW, SY_E_FIRMWARE, SY_E_STREAM_OPEN};
    sy_prng_seed(&prng, test_seed());
    sent_count = 0;
    memset(counted, 0, sizeof counted);
    memset(newest, 0, sizeof newest);
    for (unsigned i = 1; i < STREAMS; i++) {
        struct world_tx tx = open_stream(STREAM + i, WEARABLE, WEARABLE_KEY);
        assert_applied(&tx);
    }
    for (unsigned i = 0; i < STEPS; i++) step();
    for (unsigned kind = 0; kind < STREAMS; kind++) {
        int64_t until_ms = 0;
        for (unsigned turn = 0; turn <= newest[kind]; turn++) {
            scan(stream_of(kind, turn), &until_ms);
        }
        assert_true(newest[kind] > 0);
    }
    for (size_t i = 0; i < sizeof met / sizeof met[0]; i++) {
        print_message("%4u %s\n", counted[met[i]],
                      met[i] == SY_APPLIED ? "applied" : sy_refusal_info((uint16_t)met[i])->name);
        assert_true(counted[met[i]] > 0); // a history in which nothing went wrong shows nothing
    }
}

int main(void)
{
    const struct CMUnitTest cases[] = {WITH_STREAM(streams_never_overlap_and_have_no_hole)};
    return cmocka_run_group_tests(cases, NULL, NULL);
}
