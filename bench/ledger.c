/* ledger.c: `systole-bench ledger`: execution alone (core/ledger), over a nation in memory
 * (nation.h): no consensus, no store, no links; signatures were admission's, and are not looked at.
 *
 * A block holds transactions of one kind. What has to be there before (a relation that is closed)
 * or has to go afterwards (an emergency access that is reviewed) stands in blocks of its own, which
 * are not measured. What is measured is sy_ledger_execute: decoding, contracts, receipts, the state
 * trie, the header; in CPU time, so that other programs do not count. Every transaction has to be
 * applied, or the bench fails.
 *
 * Last comes a block as a country sends them: ledger.md, section 2, as far as there are kinds. */
#include "bench/ledger.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/nation.h"
#include "core/base/assert.h"
#include "core/base/json.h"
#include "core/wire/roster_change.h"

#define ROUNDS_MAX 31u
#define STEPS_MAX 7u
#define TXS_MAX 1024u
#define BREAKS_A_DOCTOR 16u

static const char usage[] =
    "usage: systole-bench ledger [--json] [OPTION...]\n"
    "\n"
    "Times execution, kind by kind and mixed: transactions a second of CPU time, and for a\n"
    "transaction nanoseconds, entries read and written, bytes of its receipt.\n"
    "\n"
    "  --json              one JSON object instead of lines\n"
    "  --organisations N   of the nation, 2 to 1024 (100)\n"
    "  --patients N        of the nation, up to 1048576 (8192)\n"
    "  --txs N             transactions of a block, up to 1024, patients and 16 times\n"
    "                      organisations (1000)\n"
    "  --rounds N          blocks of each figure, 1 to 31 (7)\n"
    "  --kind NAME         this kind only, or: mix\n";

/* The blocks of one round; the measured-th counts. */
struct row {
    uint16_t kind;
    uint8_t measured;
    sy_nation_deed steps[STEPS_MAX];
};

static const struct row rows[] = {
    {SY_KIND_org_register, 0, {sy_nation_register}},
    {SY_KIND_org_suspend, 1, {sy_nation_register, sy_nation_suspend}},
    {SY_KIND_org_reinstate, 2, {sy_nation_register, sy_nation_suspend, sy_nation_reinstate}},
    {SY_KIND_cred_issue, 0, {sy_nation_issue}},
    {SY_KIND_cred_revoke, 1, {sy_nation_issue, sy_nation_revoke_key}},
    {SY_KIND_patient_enrol, 0, {sy_nation_enrol}},
    {SY_KIND_patient_claim, 1, {sy_nation_enrol_unclaimed, sy_nation_claim}},
    {SY_KIND_care_open, 0, {sy_nation_open_care, sy_nation_close_care}},
    {SY_KIND_care_close, 1, {sy_nation_open_care, sy_nation_close_care}},
    {SY_KIND_validator_add, 0, {sy_nation_add_validator, sy_nation_remove_validator}},
    {SY_KIND_validator_remove, 1, {sy_nation_add_validator, sy_nation_remove_validator}},
    {SY_KIND_validator_rekey, 0, {sy_nation_rekey_validator}},
    {SY_KIND_record_create, 0, {sy_nation_record}},
    {SY_KIND_record_amend, 1, {sy_nation_record, sy_nation_amend}},
    {SY_KIND_record_retract, 1, {sy_nation_record, sy_nation_retract}},
    {SY_KIND_consent_grant, 0, {sy_nation_grant, sy_nation_revoke}},
    {SY_KIND_consent_deny, 0, {sy_nation_deny, sy_nation_revoke}},
    {SY_KIND_consent_revoke, 1, {sy_nation_grant, sy_nation_revoke}},
    {SY_KIND_consent_delegate,
     1,
     {sy_nation_grant, sy_nation_delegate, sy_nation_revoke_delegate, sy_nation_revoke}},
    {SY_KIND_access_breakglass, 0, {sy_nation_break, sy_nation_review}},
    {SY_KIND_access_review, 1, {sy_nation_break, sy_nation_review}},
    {SY_KIND_record_contribute, 0, {sy_nation_contribute}},
    {SY_KIND_record_merge,
     3,
     {sy_nation_record, sy_nation_amend, sy_nation_branch, sy_nation_merge}},
    {SY_KIND_record_cosign, 1, {sy_nation_record, sy_nation_cosign}},
    {SY_KIND_record_erase, 1, {sy_nation_record, sy_nation_erase}},
    {SY_KIND_record_dup_report, 1, {sy_nation_record, sy_nation_report_twice}},
    {SY_KIND_custody_move,
     2,
     {sy_nation_record, sy_nation_open_care, sy_nation_move, sy_nation_close_care}},
    {SY_KIND_cert_issue, 0, {sy_nation_card}},
    {SY_KIND_rx_issue, 0, {sy_nation_prescribe}},
    {SY_KIND_rx_dispense, 1, {sy_nation_prescribe, sy_nation_fill}},
    {SY_KIND_rx_transfer, 2, {sy_nation_prescribe, sy_nation_fill, sy_nation_transfer}},
    {SY_KIND_rx_cancel, 1, {sy_nation_prescribe, sy_nation_cancel}},
    {SY_KIND_product_register, 0, {sy_nation_make_product}},
    {SY_KIND_product_storage, 0, {sy_nation_store}},
    {SY_KIND_unit_commission, 0, {sy_nation_commission}},
    {SY_KIND_unit_verify, 1, {sy_nation_commission, sy_nation_verify}},
    {SY_KIND_unit_aggregate, 1, {sy_nation_commission, sy_nation_pack}},
    {SY_KIND_unit_disaggregate, 2, {sy_nation_commission, sy_nation_pack, sy_nation_unpack}},
    {SY_KIND_cond_commit, 2, {sy_nation_commission, sy_nation_pack, sy_nation_monitor}},
    {SY_KIND_custody_ship, 2, {sy_nation_commission, sy_nation_pack, sy_nation_send}},
    {SY_KIND_custody_receive,
     3,
     {sy_nation_commission, sy_nation_pack, sy_nation_send, sy_nation_receive}},
    {SY_KIND_unit_decommission, 1, {sy_nation_commission, sy_nation_end}},
    {SY_KIND_event_correct, 2, {sy_nation_commission, sy_nation_end, sy_nation_correct}},
    {SY_KIND_unit_dispense,
     3,
     {sy_nation_commission, sy_nation_prescribe, sy_nation_fill, sy_nation_dispense}},
    {SY_KIND_unit_return,
     4,
     {sy_nation_commission, sy_nation_prescribe, sy_nation_fill, sy_nation_dispense,
      sy_nation_take_back}},
    {SY_KIND_exception_report, 1, {sy_nation_commission, sy_nation_doubt}},
    {SY_KIND_exception_respond, 2, {sy_nation_commission, sy_nation_doubt, sy_nation_acquit}},
    {SY_KIND_recall_issue, 1, {sy_nation_commission, sy_nation_recall}},
    {SY_KIND_recall_close, 2, {sy_nation_commission, sy_nation_recall, sy_nation_close_recall}},
    {SY_KIND_atomic, 0, {sy_nation_atomic}},
    {SY_KIND_device_firmware, 1, {sy_nation_equip, sy_nation_attest}},
    {SY_KIND_stream_open,
     3,
     {sy_nation_equip, sy_nation_attest, sy_nation_let_device, sy_nation_open_stream}},
    {SY_KIND_stream_commit,
     4,
     {sy_nation_equip, sy_nation_attest, sy_nation_let_device, sy_nation_open_stream,
      sy_nation_sample}},
    {SY_KIND_stream_alert,
     4,
     {sy_nation_equip, sy_nation_attest, sy_nation_let_device, sy_nation_open_stream,
      sy_nation_alert}},
    {SY_KIND_stream_close,
     4,
     {sy_nation_equip, sy_nation_attest, sy_nation_let_device, sy_nation_open_stream,
      sy_nation_close_stream}},
    {SY_KIND_plan_publish, 0, {sy_nation_publish_plan}},
    {SY_KIND_coverage_add, 0, {sy_nation_cover}},
    {SY_KIND_coverage_end, 1, {sy_nation_cover, sy_nation_end_cover}},
    {SY_KIND_auth_request, 0, {sy_nation_ask_payer}},
    {SY_KIND_auth_decide, 1, {sy_nation_ask_payer, sy_nation_authorise}},
    {SY_KIND_claim_submit, 0, {sy_nation_bill}},
    {SY_KIND_claim_adjudicate, 1, {sy_nation_bill_reviewed, sy_nation_adjudicate}},
    {SY_KIND_claim_pay, 1, {sy_nation_bill, sy_nation_pay}},
    {SY_KIND_claim_reverse, 2, {sy_nation_bill, sy_nation_pay, sy_nation_reverse}},
    {SY_KIND_settle_batch, 2, {sy_nation_bill, sy_nation_pay, sy_nation_settle}},
    {SY_KIND_claim_appeal, 1, {sy_nation_bill, sy_nation_appeal}},
    {SY_KIND_claim_dispute, 1, {sy_nation_bill, sy_nation_dispute}},
    {SY_KIND_fraud_flag,
     2,
     {sy_nation_bill_minute, sy_nation_bill_day, sy_nation_flag, sy_nation_reverse,
      sy_nation_reverse_day}},
    {SY_KIND_fraud_clear, 1, {sy_nation_bill_flagged, sy_nation_clear}},
    {SY_KIND_schedule_publish, 0, {sy_nation_publish_fees}},
    {SY_KIND_schedule_rows, 1, {sy_nation_publish_fees, sy_nation_bring_fees}},
    {SY_KIND_trial_register, 0, {sy_nation_register_trial}},
    {SY_KIND_trial_amend, 1, {sy_nation_register_trial, sy_nation_amend_trial}},
    {SY_KIND_site_activate, 1, {sy_nation_register_trial, sy_nation_open_site}},
    {SY_KIND_subject_consent, 2, {sy_nation_register_trial, sy_nation_open_site, sy_nation_agree}},
    {SY_KIND_subject_enrol,
     5,
     {sy_nation_register_trial, sy_nation_open_site, sy_nation_seed, sy_nation_salt,
      sy_nation_agree, sy_nation_place}},
    {SY_KIND_subject_withdraw,
     3,
     {sy_nation_register_trial, sy_nation_open_site, sy_nation_agree, sy_nation_leave}},
    {SY_KIND_randomise_commit, 1, {sy_nation_register_trial, sy_nation_seed}},
    {SY_KIND_randomise_salt, 2, {sy_nation_register_trial, sy_nation_seed, sy_nation_salt}},
    {SY_KIND_randomise_reveal,
     5,
     {sy_nation_register_trial, sy_nation_seed, sy_nation_salt, sy_nation_lock, sy_nation_unblind,
      sy_nation_reveal}},
    {SY_KIND_data_commit, 2, {sy_nation_register_trial, sy_nation_open_site, sy_nation_collect}},
    {SY_KIND_ae_report,
     3,
     {sy_nation_register_trial, sy_nation_open_site, sy_nation_agree, sy_nation_report_event}},
    {SY_KIND_db_lock, 1, {sy_nation_register_trial, sy_nation_lock}},
    {SY_KIND_unblind,
     4,
     {sy_nation_register_trial, sy_nation_seed, sy_nation_salt, sy_nation_lock, sy_nation_unblind}},
    {SY_KIND_result_post,
     6,
     {sy_nation_register_trial, sy_nation_seed, sy_nation_salt, sy_nation_lock, sy_nation_unblind,
      sy_nation_reveal, sy_nation_post}},
    {SY_KIND_dataset_publish, 0, {sy_nation_publish_data}},
    {SY_KIND_dataset_update, 1, {sy_nation_publish_data, sy_nation_update_data}},
    {SY_KIND_dataset_withdraw, 1, {sy_nation_publish_data, sy_nation_withdraw_data}},
    {SY_KIND_query_propose, 1, {sy_nation_publish_data, sy_nation_ask_data}},
    {SY_KIND_query_approve,
     3,
     {sy_nation_publish_data, sy_nation_ask_data, sy_nation_agree_query, sy_nation_approve_query}},
    {SY_KIND_query_deny, 2, {sy_nation_publish_data, sy_nation_ask_data, sy_nation_deny_query}},
    {SY_KIND_query_result,
     4,
     {sy_nation_publish_data, sy_nation_ask_data, sy_nation_agree_query, sy_nation_approve_query,
      sy_nation_answer_query}},
    {SY_KIND_contribute_optin, 1, {sy_nation_enrol, sy_nation_opt_in}},
    {SY_KIND_contribute_optout, 2, {sy_nation_enrol, sy_nation_opt_in, sy_nation_opt_out}},
};
#define ROWS (sizeof rows / sizeof rows[0])

struct bench {
    bool json_wanted;
    uint64_t organisations, patients, txs, rounds;
    const char *only;
    sy_nation nation;
    uint64_t number; /* of the next things done; above all that the nation begins with */
    sy_json json;
    struct sy_nation_figures figures[ROUNDS_MAX];
    struct sy_error err;
};

// --- a figure ----------------------------------------------------------------------------------

static int compare_figures(const void *a, const void *b)
{
    uint64_t x = ((const struct sy_nation_figures *)a)->took_ns;
    uint64_t y = ((const struct sy_nation_figures *)b)->took_ns;
    return (x > y) - (x < y);
}

static double each(uint64_t sum, uint64_t count)
{
    return (double)sum / (double)count;
}

static void put_each(sy_json *json, const char *name, uint64_t sum, uint64_t count)
{
    sy_json_put_decimal(json, name, (int64_t)(each(sum, count) * 100), 2);
}

/* Tells what the rounds gave: the block in the middle by time. All rounds have as many txs. */
static void tell(struct bench *bench, const char *name)
{
    qsort(bench->figures, bench->rounds, sizeof bench->figures[0], compare_figures);
    const struct sy_nation_figures *f = &bench->figures[(bench->rounds - 1) / 2];
    double least = each(bench->figures[0].took_ns, f->txs);
    double most = each(bench->figures[bench->rounds - 1].took_ns, f->txs);
    double ns = each(f->took_ns, f->txs);
    if (!bench->json_wanted) {
        printf("%-18s %9.0f tx/s %8.0f ns a tx (%.0f..%.0f) %6.2f read %6.2f written %6.0f "
               "receipt bytes %6.0f tx bytes\n",
               name, 1e9 / ns, ns, least, most, each(f->reads, f->txs), each(f->writes, f->txs),
               each(f->receipt_bytes, f->txs), each(f->tx_bytes, f->txs));
        (void)fflush(stdout);
        return;
    }
    sy_json *json = &bench->json;
    sy_json_object_begin(json);
    sy_json_put_text(json, "kind", name);
    sy_json_put_u64(json, "per_s", (uint64_t)(1e9 / ns));
    sy_json_put_u64(json, "ns", (uint64_t)ns);
    sy_json_put_u64(json, "ns_min", (uint64_t)least);
    sy_json_put_u64(json, "ns_max", (uint64_t)most);
    put_each(json, "reads", f->reads, f->txs);
    put_each(json, "trie_scans", f->scans, f->txs);
    put_each(json, "writes", f->writes, f->txs);
    put_each(json, "receipt_bytes", f->receipt_bytes, f->txs);
    put_each(json, "tx_bytes", f->tx_bytes, f->txs);
    sy_json_put_u64(json, "applied", f->applied);
    sy_json_put_u64(json, "refused", f->txs - f->applied);
    sy_json_object_end(json);
}

static bool run_block(struct bench *bench, struct sy_nation_figures *figures, const char *name,
                      bool all)
{
    if (sy_nation_run(&bench->nation, figures, &bench->err) != SY_OK) {
        fprintf(stderr, "systole-bench ledger: %s: %s\n", name, bench->err.text);
        return false;
    }
    if (!all || figures->applied == figures->txs) return true;
    fprintf(stderr, "systole-bench ledger: %s: %llu of %llu are refused, one with %s\n", name,
            (unsigned long long)(figures->txs - figures->applied), (unsigned long long)figures->txs,
            sy_refusal_info(sy_nation_refusal(&bench->nation))->name);
    return false;
}

static void add(struct bench *bench, sy_nation_deed deed, uint64_t number)
{
    struct sy_nation_plan plan;
    deed(&bench->nation, &plan, number);
    bool added = sy_nation_add(&bench->nation, &plan);
    SY_ASSERT(added); // TXS_MAX of the largest fit a block
}

static bool measure_row(struct bench *bench, const struct row *row)
{
    const char *name = sy_kind_by_number(row->kind)->name;
    bool alone = sy_kind_changes_roster(row->kind); // until the next epoch, 128 blocks later
    for (uint64_t round = 0; round < bench->rounds; round++) {
        for (unsigned step = 0; step < STEPS_MAX && row->steps[step] != NULL; step++) {
            struct sy_nation_figures figures;
            bool one = alone || row->steps[step] == sy_nation_settle; // all that is owed
            for (uint64_t i = 0; i < (one ? 1 : bench->txs); i++) {
                add(bench, row->steps[step], bench->number + i);
            }
            if (!run_block(bench, &figures, name, true)) return false;
            if (alone && sy_nation_turn(&bench->nation, &bench->err) != SY_OK) return false;
            if (step == row->measured) bench->figures[round] = figures;
        }
        bench->number += bench->txs;
    }
    tell(bench, name);
    return true;
}

/* Many blocks do the same to the numbers of a lot that many had. */
static bool run_wide(struct bench *bench, sy_nation_deed deed, uint64_t first, const char *name)
{
    struct sy_nation_figures figures;
    for (uint64_t done = 0; done < SY_NATION_WIDE;) {
        for (uint64_t i = 0; i < bench->txs && done < SY_NATION_WIDE; i++) {
            add(bench, deed, first + done++);
        }
        if (!run_block(bench, &figures, name, true)) return false;
    }
    return true;
}

static bool has_wide(const struct bench *bench)
{
    return bench->patients >= SY_NATION_WIDE; // a unit each
}

/* recall.notify: a recall tells the first of those who had the lot, and the next transaction as
 * many more. */
static bool measure_notify(struct bench *bench)
{
    const char *name = sy_kind_by_number(SY_KIND_recall_notify)->name;
    struct sy_nation_figures figures;
    static const sy_nation_deed before[] = {sy_nation_commission_wide, sy_nation_prescribe,
                                            sy_nation_fill_wide, sy_nation_dispense_wide};
    for (uint64_t round = 0; round < bench->rounds; round++) {
        uint64_t first = (bench->number / SY_NATION_WIDE + 1) * SY_NATION_WIDE;
        for (size_t i = 0; i < sizeof before / sizeof before[0]; i++) {
            if (!run_wide(bench, before[i], first, name)) return false;
        }
        add(bench, sy_nation_recall_wide, first);
        if (!run_block(bench, &figures, name, true)) return false;
        add(bench, sy_nation_notify_wide, first);
        if (!run_block(bench, &bench->figures[round], name, true)) return false;
        bench->number = first + SY_NATION_WIDE;
    }
    tell(bench, name);
    return true;
}

// --- as a country sends them -------------------------------------------------------------------

/* Shares of the national mix, in 1/1000 of its transactions (ledger.md, section 2). Of records one
 * in seven is amended, of consents half are taken back. What is refused stands for the duplicates
 * and errors in every such load. */
static const struct part {
    const char *what;
    unsigned share;
    sy_nation_deed deed; /* NULL: there is no such kind yet */
    bool again;          /* done to what stands from the beginning */
    unsigned lane;       /* and is numbered apart: what prepare() made for this part alone */
} mix[] = {
    {"record.create", 340, sy_nation_record, false, 0},
    {"record.amend", 60, sy_nation_amend, true, 0},
    {"record.create, a duplicate", 15, sy_nation_record, true, 0},
    {"record.create, without a right", 5, sy_nation_trespass, false, 0},
    {"claim.submit", 113, sy_nation_bill, false, 0},
    {"claim.submit, a duplicate", 7, sy_nation_bill_twice, true, 0},
    {"claim.pay", 100, sy_nation_pay, true, 0},
    {"unit.commission, a case", 10, sy_nation_commission, false, 0},
    {"custody.ship", 50, sy_nation_send, true, 1},
    {"custody.receive", 50, sy_nation_receive, true, 2},
    {"cond.commit", 10, sy_nation_monitor, true, 3},
    {"rx.issue", 60, sy_nation_prescribe, false, 0},
    {"rx.dispense", 60, sy_nation_fill, true, 4},
    {"access.log", 60, NULL, false, 0},
    {"stream.commit", 40, sy_nation_sample, true, 5},
    {"consent.grant", 5, sy_nation_grant, false, 0},
    {"consent.revoke", 5, sy_nation_revoke, true, 0},
    {"trials and research", 5, NULL, false, 0},
    {"patient.enrol", 5, sy_nation_enrol_unclaimed, false, 0},
};
#define LANE_BITS 31u /* above all other numbers */
#define PARTS (sizeof mix / sizeof mix[0])

static unsigned share_there(void)
{
    unsigned share = 0;
    for (size_t i = 0; i < PARTS; i++) share += mix[i].deed != NULL ? mix[i].share : 0;
    return share;
}

/* One in twenty patients has half of all that happens. */
static uint64_t draw_patient(struct bench *bench)
{
    sy_prng *prng = &bench->nation.prng;
    uint64_t few = (bench->patients + 19) / 20;
    return sy_prng_below(prng, sy_prng_chance(prng, 1, 2) ? few : bench->patients);
}

/* The next number that names something of the patient's. */
static uint64_t number_for(struct bench *bench, uint64_t patient)
{
    uint64_t round = bench->number / bench->patients + 1;
    bench->number = round * bench->patients;
    return bench->number + patient;
}

static void add_mixed(struct bench *bench, uint64_t *done)
{
    uint64_t left = sy_prng_below(&bench->nation.prng, share_there());
    size_t part = 0;
    while (mix[part].deed == NULL || left >= mix[part].share) {
        left -= mix[part].deed != NULL ? mix[part].share : 0;
        part++;
    }
    SY_ASSERT(part < PARTS);
    bool amends = mix[part].deed == sy_nation_amend || mix[part].deed == sy_nation_revoke;
    uint64_t lane = (uint64_t)mix[part].lane << LANE_BITS;
    uint64_t number = lane != 0         ? lane + done[part]++
                      : mix[part].again ? done[part]++ % sy_nation_first(&bench->nation)
                                        : number_for(bench, draw_patient(bench));
    SY_ASSERT(!amends || mix[part].again);
    add(bench, mix[part].deed, number);
}

/* Does so to the first of a lane, as many as a part of the mix will need: its share is far below
 * one in four. */
static bool prepare(struct bench *bench, unsigned lane, sy_nation_deed deed)
{
    uint64_t number = (uint64_t)lane << LANE_BITS,
             end = number + bench->rounds * bench->txs / 4 + 1;
    while (number < end) {
        struct sy_nation_figures figures;
        for (uint64_t i = 0; i < bench->txs && number < end; i++) add(bench, deed, number++);
        if (!run_block(bench, &figures, "mix", true)) return false;
    }
    return true;
}

static bool prepare_all(struct bench *bench)
{
    for (unsigned lane = 1; lane <= 3; lane++) { // what is sent, received, kept cold
        if (!prepare(bench, lane, sy_nation_commission)) return false;
        if (lane < 3 && !prepare(bench, lane, sy_nation_pack)) return false;
    }
    static const sy_nation_deed of_streams[] = {sy_nation_equip, sy_nation_attest,
                                                sy_nation_let_device, sy_nation_open_stream};
    for (size_t i = 0; i < sizeof of_streams / sizeof of_streams[0]; i++) {
        if (!prepare(bench, 5, of_streams[i])) return false;
    }
    return prepare(bench, 2, sy_nation_send) && prepare(bench, 4, sy_nation_prescribe) &&
           prepare(bench, 3, sy_nation_pack); // last: its temperature is known from then on
}

/* The claims that the mix pays: those numbered below sy_nation_first, as many as may be needed. */
static bool bill_first(struct bench *bench)
{
    uint64_t first = sy_nation_first(&bench->nation), needed = bench->rounds * bench->txs;
    if (needed > first) needed = first;
    for (uint64_t number = 0; number < needed;) {
        struct sy_nation_figures figures;
        for (uint64_t i = 0; i < bench->txs && number < needed; i++) {
            add(bench, sy_nation_bill, number++);
        }
        if (!run_block(bench, &figures, "mix", true)) return false;
    }
    return true;
}

static bool measure_mix(struct bench *bench)
{
    uint64_t done[PARTS] = {0};
    if (!bill_first(bench) || !prepare_all(bench)) return false;
    for (uint64_t round = 0; round < bench->rounds; round++) {
        for (uint64_t i = 0; i < bench->txs; i++) add_mixed(bench, done);
        if (!run_block(bench, &bench->figures[round], "mix", false)) return false;
    }
    if (bench->json_wanted) {
        sy_json_put_u64(&bench->json, "mix_permille_there", share_there());
        sy_json_key(&bench->json, "mix");
    }
    tell(bench, "mix");
    if (!bench->json_wanted) {
        printf("mix: kinds that there are make up %u of 1000 transactions; not there yet:",
               share_there());
        for (size_t i = 0; i < PARTS; i++) {
            if (mix[i].deed == NULL) printf(" %s %u;", mix[i].what, mix[i].share);
        }
        puts("");
    }
    return true;
}

// --- the command -------------------------------------------------------------------------------

static bool wants(const struct bench *bench, const char *name)
{
    return bench->only == NULL || strcmp(bench->only, name) == 0;
}

static bool has_row(const struct bench *bench, uint16_t kind)
{
    if (kind == SY_KIND_recall_notify) return has_wide(bench);
    for (size_t i = 0; i < ROWS; i++) {
        if (rows[i].kind == kind) return true;
    }
    return false;
}

/* Names the kinds that no row is about, so that nobody takes the rest for all. */
static void tell_left_out(struct bench *bench)
{
    const struct sy_kind *kind;
    if (bench->json_wanted) {
        sy_json_key(&bench->json, "left_out");
        sy_json_array_begin(&bench->json);
    }
    for (unsigned i = 0; (kind = sy_kind_at(i)) != NULL; i++) {
        if (has_row(bench, kind->number)) continue;
        if (bench->json_wanted) {
            sy_json_text(&bench->json, kind->name);
        } else {
            printf("%-18s left out\n", kind->name);
        }
    }
    if (bench->json_wanted) sy_json_array_end(&bench->json);
}

static bool measure_kinds(struct bench *bench)
{
    for (size_t i = 0; i < ROWS; i++) {
        if (!wants(bench, sy_kind_by_number(rows[i].kind)->name)) continue;
        if (!measure_row(bench, &rows[i])) return false;
    }
    return !has_wide(bench) || !wants(bench, "recall.notify") || measure_notify(bench);
}

static bool measure(struct bench *bench)
{
    sy_json *json = &bench->json;
    if (sy_nation_open(&bench->nation, (uint32_t)bench->organisations, (uint32_t)bench->patients,
                       (uint32_t)(ROWS * bench->txs * bench->rounds), &bench->err) != SY_OK) {
        fprintf(stderr, "systole-bench ledger: %s\n", bench->err.text);
        return false;
    }
    bench->number = sy_nation_first(&bench->nation);
    sy_json_put_u64(json, "organisations", bench->organisations);
    sy_json_put_u64(json, "patients", bench->patients);
    sy_json_put_u64(json, "entries", sy_replay_state_count(bench->nation.state));
    sy_json_put_u64(json, "txs", bench->txs);
    sy_json_put_u64(json, "rounds", bench->rounds);
    sy_json_key(json, "kinds");
    sy_json_array_begin(json);
    if (!bench->json_wanted) {
        printf("%llu organisations, %llu patients, %llu entries; blocks of %llu, %llu rounds\n",
               (unsigned long long)bench->organisations, (unsigned long long)bench->patients,
               (unsigned long long)sy_replay_state_count(bench->nation.state),
               (unsigned long long)bench->txs, (unsigned long long)bench->rounds);
    }
    bool measured = measure_kinds(bench);
    sy_json_array_end(json);
    if (!measured) return false;
    if (bench->only == NULL) tell_left_out(bench);
    return !wants(bench, "mix") || measure_mix(bench);
}

static bool take_option(struct bench *bench, int option, const char *value)
{
    switch (option) {
    case 'j': bench->json_wanted = true; return true;
    case 'o': return sy_parse_u64(&bench->organisations, value, 2, 1024);
    case 'p': return sy_parse_u64(&bench->patients, value, 1, 1u << 20);
    case 't': return sy_parse_u64(&bench->txs, value, 1, TXS_MAX);
    case 'r': return sy_parse_u64(&bench->rounds, value, 1, ROUNDS_MAX);
    case 'k': bench->only = value; return true;
    default: return false;
    }
}

static bool takes(const struct bench *bench)
{
    const struct sy_kind *kind = bench->only ? sy_kind_by_name(bench->only) : NULL;
    bool known = bench->only == NULL || strcmp(bench->only, "mix") == 0 ||
                 (kind != NULL && has_row(bench, kind->number));
    return known && bench->txs <= bench->patients &&
           bench->txs <= BREAKS_A_DOCTOR * bench->organisations;
}

int sy_bench_ledger(int argc, char **argv)
{
    static const struct option longs[] = {
        {"json", no_argument, NULL, 'j'},           {"organisations", required_argument, NULL, 'o'},
        {"patients", required_argument, NULL, 'p'}, {"txs", required_argument, NULL, 't'},
        {"rounds", required_argument, NULL, 'r'},   {"kind", required_argument, NULL, 'k'},
        {"help", no_argument, NULL, 'h'},           {NULL, 0, NULL, 0}};
    static struct bench bench;
    bench = (struct bench){.organisations = 100, .patients = 8192, .txs = 1000, .rounds = 7};
    bool fine = true;
    int option;
    optind = 1;
    while (fine && (option = getopt_long(argc, argv, "", longs, NULL)) != -1) {
        if (option == 'h') {
            fputs(usage, stdout);
            return 0;
        }
        fine = take_option(&bench, option, optarg);
    }
    if (!fine || optind != argc || !takes(&bench)) {
        fputs(usage, stderr);
        return 2;
    }
    sy_json_init_growing(&bench.json, 1u << 20);
    sy_json_set_pretty(&bench.json);
    sy_json_object_begin(&bench.json);
    fine = measure(&bench);
    sy_json_object_end(&bench.json);
    if (fine && bench.json_wanted) {
        const char *text = sy_json_finish(&bench.json);
        fine = text != NULL && puts(text) >= 0 && fflush(stdout) == 0;
    }
    sy_json_free(&bench.json);
    sy_nation_close(&bench.nation);
    return fine ? 0 : 1;
}
