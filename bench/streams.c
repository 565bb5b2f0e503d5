/* streams.c: `systole-bench streams`: so many gateways, each with a stream of its own, commit to a
 * window a minute through core/ledger alone (nation.h): no network, no signatures, a block a minute
 * of the ledger's time. Some send again, overlap, run ahead in their numbers, or are silent for a
 * minute; each of that has one answer, which is counted and compared with what was sent. */
#include "bench/streams.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/nation.h"
#include "core/base/assert.h"
#include "core/base/conf.h"
#include "core/base/json.h"
#include "core/wire/refusal.h"
#include "core/wire/state_stream.h"

#define MINUTE_MS 60000ll
#define GATEWAYS_MAX 16384u
#define MINUTES_MAX 10000u

static const char usage[] =
    "usage: systole-bench streams [OPTION...]\n"
    "\n"
    "Gateways that commit to a window of samples a minute, in turns, through execution alone.\n"
    "Of a hundred transactions about one each is sent again, overlaps, or has a number that is\n"
    "not the next one, and of a hundred minutes a gateway is silent in one.\n"
    "\n"
    "  --gateways N  how many (1000)\n"
    "  --minutes N   for how long (60)\n"
    "  --json        the counts as JSON\n";

/* A gateway's stream, as the gateway knows it. */
struct gateway {
    uint32_t commits;
    int64_t until_ms, from_ms; /* of its last window */
    bool silent;               /* since then, for a minute or more */
};

enum what { NEXT, AGAIN, OVERLAPS, AHEAD, SILENT, WHAT_COUNT };
static const uint16_t answers[WHAT_COUNT] = {SY_APPLIED, SY_E_DUP_COMMIT, SY_E_OVERLAP, SY_E_SEQ,
                                             SY_APPLIED};

struct streams {
    bool json_wanted;
    uint64_t gateway_count, minutes;
    sy_nation nation;
    struct gateway *gateways;
    enum what *sent; /* in the block that is filled, in order */
    uint32_t sent_count;
    uint64_t counts[WHAT_COUNT], gaps, samples;
    uint64_t took_ns, txs, tx_bytes, writes, reads, receipt_bytes;
    struct sy_error err;
};

// --- before the first minute -------------------------------------------------------------------

static sy_status run_block(struct streams *streams, struct sy_nation_figures *figures)
{
    return sy_nation_run(&streams->nation, figures, &streams->err);
}

static sy_status flush(struct streams *streams)
{
    struct sy_nation_figures figures;
    SY_TRY(run_block(streams, &figures));
    if (figures.applied == figures.txs) return SY_OK;
    return sy_fail(&streams->err, SY_ERR_FORMAT, "before the first minute: refused with %s",
                   sy_refusal_info(sy_nation_refusal(&streams->nation))->name);
}

static sy_status do_all(struct streams *streams, sy_nation_deed deed)
{
    for (uint64_t i = 0; i < streams->gateway_count; i++) {
        struct sy_nation_plan plan;
        deed(&streams->nation, &plan, i);
        if (sy_nation_add(&streams->nation, &plan)) continue;
        SY_TRY(flush(streams));
        bool added = sy_nation_add(&streams->nation, &plan);
        SY_ASSERT(added);
    }
    return flush(streams);
}

static sy_status set_up(struct streams *streams)
{
    static const sy_nation_deed deeds[] = {sy_nation_equip, sy_nation_attest, sy_nation_let_device,
                                           sy_nation_open_stream};
    uint32_t count = (uint32_t)streams->gateway_count;
    streams->gateways = (struct gateway *)calloc(count, sizeof *streams->gateways);
    streams->sent = (enum what *)calloc(SY_NATION_TXS_MAX, sizeof *streams->sent);
    if (!streams->gateways || !streams->sent) {
        return sy_fail(&streams->err, SY_ERR_NO_MEMORY, "no memory");
    }
    SY_TRY(sy_nation_open(&streams->nation, 10, count, 1, &streams->err));
    for (size_t i = 0; i < sizeof deeds / sizeof deeds[0]; i++) SY_TRY(do_all(streams, deeds[i]));
    for (uint32_t i = 0; i < count; i++) {
        streams->gateways[i].until_ms = streams->nation.header.time_ms;
    }
    streams->nation.step_ms = MINUTE_MS;
    return SY_OK;
}

// --- a minute ----------------------------------------------------------------------------------

static enum what draw(struct streams *streams, const struct gateway *gateway)
{
    uint64_t drawn = sy_prng_below(&streams->nation.prng, 100);
    if (gateway->commits == 0 || drawn > 3) return NEXT;
    return (enum what)(AGAIN + drawn);
}

/* What the gateway sends in the minute that ends at to_ms; its stream as it is if that is applied.
 */
static void plan_window(struct streams *streams, struct sy_nation_plan *plan, uint32_t number,
                        enum what what, int64_t to_ms)
{
    struct gateway *gateway = &streams->gateways[number];
    uint32_t sequence = gateway->commits + 1;
    int64_t from_ms = gateway->silent ? to_ms - MINUTE_MS : gateway->until_ms;
    if (what == AHEAD) sequence++;
    if (what == OVERLAPS) from_ms = gateway->until_ms - 1;
    if (what == AGAIN) {
        sequence = gateway->commits;
        from_ms = gateway->from_ms;
        to_ms = gateway->until_ms;
    }
    sy_nation_commit_window(&streams->nation, plan, number, sequence, from_ms, to_ms);
    if (what != NEXT) return;
    streams->gaps += gateway->silent ? 1 : 0;
    streams->samples += plan->payload.stream_commit.samples;
    *gateway = (struct gateway){.commits = sequence, .from_ms = from_ms, .until_ms = to_ms};
}

/* Every answer is the one that what was sent has to get. */
static sy_status compare(struct streams *streams)
{
    const struct sy_block_result *result = &streams->nation.result;
    SY_ASSERT(result->tx_count == streams->sent_count);
    for (uint32_t i = 0; i < result->tx_count; i++) {
        const uint8_t *at = result->receipts.data + result->receipt_offsets[i];
        struct sy_reader r = sy_reader_of(sy_slice_of(at + 4, sy_load_u32(at)));
        struct sy_receipt receipt;
        if (!sy_receipt_decode(&r, &receipt)) {
            return sy_fail(&streams->err, SY_ERR_CORRUPT, "a receipt does not decode");
        }
        if (receipt.code == answers[streams->sent[i]]) continue;
        return sy_fail(&streams->err, SY_ERR_FORMAT, "answered by %s instead of %s",
                       sy_refusal_info(receipt.code)->name,
                       sy_refusal_info(answers[streams->sent[i]])->name);
    }
    streams->sent_count = 0;
    return SY_OK;
}

static sy_status end_block(struct streams *streams)
{
    struct sy_nation_figures figures;
    SY_TRY(run_block(streams, &figures));
    streams->took_ns += figures.took_ns;
    streams->txs += figures.txs;
    streams->tx_bytes += figures.tx_bytes;
    streams->reads += figures.reads;
    streams->writes += figures.writes;
    streams->receipt_bytes += figures.receipt_bytes;
    return compare(streams);
}

static sy_status live_minute(struct streams *streams)
{
    int64_t to_ms = streams->nation.header.time_ms + MINUTE_MS;
    streams->nation.step_ms = MINUTE_MS;
    for (uint32_t i = 0; i < streams->gateway_count; i++) {
        struct sy_nation_plan plan;
        enum what what = draw(streams, &streams->gateways[i]);
        streams->counts[what]++;
        if (what == SILENT) {
            streams->gateways[i].silent = true;
            continue;
        }
        plan_window(streams, &plan, i, what, to_ms);
        if (streams->sent_count == SY_NATION_TXS_MAX || !sy_nation_add(&streams->nation, &plan)) {
            SY_TRY(end_block(streams));
            streams->nation.step_ms = 0; // the minute goes on, a second later
            bool added = sy_nation_add(&streams->nation, &plan);
            SY_ASSERT(added);
        }
        streams->sent[streams->sent_count++] = what;
        // A second one in the same minute, so that a minute is not lost by what was refused.
        if (what == NEXT) continue;
        streams->gateways[i].silent = true;
    }
    return end_block(streams);
}

// --- afterwards --------------------------------------------------------------------------------

/* The ledger has what the gateways have: numbers, ends, gaps. */
static sy_status check_streams(struct streams *streams)
{
    uint64_t gaps = 0, samples = 0;
    for (uint32_t i = 0; i < streams->gateway_count; i++) {
        struct sy_hash id = sy_nation_id('~', i), key_hash;
        struct sy_slice value;
        struct sy_stream stream;
        sy_state_key_id(&key_hash, SY_STATE_STREAM, &id);
        bool there = sy_replay_state_get(streams->nation.state, &value, &key_hash) &&
                     sy_stream_decode(&stream, value);
        const struct gateway *gateway = &streams->gateways[i];
        bool same = there && stream.commits == gateway->commits &&
                    (stream.commits == 0 || stream.until_ms == gateway->until_ms);
        if (!same) {
            return sy_fail(&streams->err, SY_ERR_CORRUPT, "stream %u is not what was sent",
                           (unsigned)i);
        }
        gaps += stream.gaps;
        samples += stream.samples;
    }
    if (gaps == streams->gaps && samples == streams->samples) return SY_OK;
    return sy_fail(&streams->err, SY_ERR_CORRUPT, "%llu gaps stand there, and %llu were made",
                   (unsigned long long)gaps, (unsigned long long)streams->gaps);
}

static double each(const struct streams *streams, uint64_t sum)
{
    return (double)sum / (double)streams->txs;
}

static void tell(const struct streams *streams)
{
    const uint64_t *counts = streams->counts;
    double ns = each(streams, streams->took_ns);
    if (!streams->json_wanted) {
        printf("%llu gateways, %llu minutes: %llu windows of %llu samples, %llu gaps\n",
               (unsigned long long)streams->gateway_count, (unsigned long long)streams->minutes,
               (unsigned long long)counts[NEXT], (unsigned long long)streams->samples,
               (unsigned long long)streams->gaps);
        printf("sent again %llu, overlapping %llu, out of order %llu, silent %llu: each answered "
               "so\n",
               (unsigned long long)counts[AGAIN], (unsigned long long)counts[OVERLAPS],
               (unsigned long long)counts[AHEAD], (unsigned long long)counts[SILENT]);
        printf("%.0f tx/s, %.0f ns a tx, %.2f read %.2f written, %.0f receipt bytes %.0f tx "
               "bytes\n",
               1e9 / ns, ns, each(streams, streams->reads), each(streams, streams->writes),
               each(streams, streams->receipt_bytes), each(streams, streams->tx_bytes));
        return;
    }
    sy_json json;
    sy_json_init_growing(&json, 1u << 16);
    sy_json_set_pretty(&json);
    sy_json_object_begin(&json);
    sy_json_put_u64(&json, "gateways", streams->gateway_count);
    sy_json_put_u64(&json, "minutes", streams->minutes);
    sy_json_put_u64(&json, "windows", counts[NEXT]);
    sy_json_put_u64(&json, "samples", streams->samples);
    sy_json_put_u64(&json, "gaps", streams->gaps);
    sy_json_put_u64(&json, "sent_again", counts[AGAIN]);
    sy_json_put_u64(&json, "overlapping", counts[OVERLAPS]);
    sy_json_put_u64(&json, "out_of_order", counts[AHEAD]);
    sy_json_put_u64(&json, "silent", counts[SILENT]);
    sy_json_put_u64(&json, "per_s", (uint64_t)(1e9 / ns));
    sy_json_put_u64(&json, "ns", (uint64_t)ns);
    sy_json_put_u64(&json, "tx_bytes", (uint64_t)each(streams, streams->tx_bytes));
    sy_json_put_u64(&json, "receipt_bytes", (uint64_t)each(streams, streams->receipt_bytes));
    sy_json_object_end(&json);
    const char *text = sy_json_finish(&json);
    if (text != NULL) puts(text);
    sy_json_free(&json);
}

static sy_status simulate(struct streams *streams)
{
    SY_TRY(set_up(streams));
    for (uint64_t i = 0; i < streams->minutes; i++) SY_TRY(live_minute(streams));
    SY_TRY(check_streams(streams));
    tell(streams);
    return SY_OK;
}

int sy_bench_streams(int argc, char **argv)
{
    static const struct option longs[] = {{"gateways", required_argument, NULL, 'g'},
                                          {"minutes", required_argument, NULL, 'm'},
                                          {"json", no_argument, NULL, 'j'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    static struct streams streams;
    streams = (struct streams){.gateway_count = 1000, .minutes = 60};
    bool fine = true;
    int option;
    optind = 1;
    while (fine && (option = getopt_long(argc, argv, "", longs, NULL)) != -1) {
        if (option == 'h') {
            fputs(usage, stdout);
            return 0;
        }
        if (option == 'g') fine = sy_parse_u64(&streams.gateway_count, optarg, 1, GATEWAYS_MAX);
        if (option == 'm') fine = sy_parse_u64(&streams.minutes, optarg, 1, MINUTES_MAX);
        if (option == 'j') streams.json_wanted = true;
        if (option == '?') fine = false;
    }
    if (!fine || optind != argc) {
        fputs(usage, stderr);
        return 2;
    }
    sy_status status = simulate(&streams);
    if (status != SY_OK) fprintf(stderr, "systole-bench streams: %s\n", streams.err.text);
    sy_nation_close(&streams.nation);
    free(streams.gateways);
    free(streams.sent);
    return status == SY_OK ? 0 : 1;
}
