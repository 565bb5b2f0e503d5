/* fuzz_state.c: values of state, as a client decodes them from a proof. The first byte says which
 * kind of entry the rest is taken for. What decodes encodes to the same bytes again, and a nonce
 * window that decodes keeps its promises. */
#include <stdlib.h>

#include "core/base/assert.h"
#include "core/wire/money.h"
#include "core/wire/state_cond.h"
#include "core/wire/state_exception.h"
#include "core/wire/state_research.h"
#include "core/wire/state_stream.h"
#include "core/wire/state_trial.h"

/* One kind of entry: what decodes is written again. */
#define AGAIN(name, member, given)               \
    good = sy_##name##_decode(&u.member, value); \
    if (good) sy_##name##_encode(w, given);      \
    break

/* The research commons; others: an id. */
static bool round_trip_research(struct sy_writer *w, unsigned kind, struct sy_slice value)
{
    union {
        struct sy_dataset dataset;
        struct sy_dataset_version version;
        struct sy_query query;
        struct sy_query_decision decision;
        struct sy_query_answer answer;
        struct sy_query_asked asked;
        struct sy_research_budget budget;
        struct sy_contribution contribution;
        struct sy_optouts optouts;
        struct sy_hash id;
    } u;

    bool good = false;
    switch (kind) {
    case SY_STATE_DATASET: AGAIN(dataset, dataset, &u.dataset);
    case SY_STATE_DATASET_VERSION: AGAIN(dataset_version, version, &u.version);
    case SY_STATE_QUERY: AGAIN(query, query, &u.query);
    case SY_STATE_QUERY_DECISION: AGAIN(query_decision, decision, &u.decision);
    case SY_STATE_QUERY_RESULT: AGAIN(query_answer, answer, &u.answer);
    case SY_STATE_QUERY_ASKED: AGAIN(query_asked, asked, &u.asked);
    case SY_STATE_RESEARCH_BUDGET: AGAIN(research_budget, budget, &u.budget);
    case SY_STATE_CONTRIBUTION: AGAIN(contribution, contribution, &u.contribution);
    case SY_STATE_OPTOUTS: AGAIN(optouts, optouts, &u.optouts);
    default: AGAIN(id, id, &u.id);
    }
    return good;
}

/* Clinical trials; others: as above. */
static bool round_trip_trials(struct sy_writer *w, unsigned kind, struct sy_slice value)
{
    union {
        struct sy_trial trial;
        struct sy_trial_version version;
        struct sy_trial_site site;
        struct sy_trial_subject subject;
        struct sy_trial_data data;
        struct sy_trial_report report;
        struct sy_trial_draw draw;
        struct sy_trial_lock lock;
        struct sy_trial_result result;
        struct sy_trial_lot lot;
        struct sy_trial_key key;
    } u;

    bool good = false;
    switch (kind) {
    case SY_STATE_TRIAL: AGAIN(trial, trial, &u.trial);
    case SY_STATE_TRIAL_VERSION: AGAIN(trial_version, version, &u.version);
    case SY_STATE_TRIAL_SITE: AGAIN(trial_site, site, &u.site);
    case SY_STATE_TRIAL_SUBJECT: AGAIN(trial_subject, subject, &u.subject);
    case SY_STATE_TRIAL_DATA: AGAIN(trial_data, data, &u.data);
    case SY_STATE_TRIAL_REPORT: AGAIN(trial_report, report, &u.report);
    case SY_STATE_TRIAL_DRAW: AGAIN(trial_draw, draw, &u.draw);
    case SY_STATE_TRIAL_LOCK: AGAIN(trial_lock, lock, &u.lock);
    case SY_STATE_TRIAL_RESULT: AGAIN(trial_result, result, &u.result);
    case SY_STATE_TRIAL_BEACON: AGAIN(trial_lot, lot, &u.lot);
    case SY_STATE_TRIAL_KEY: AGAIN(trial_key, key, &u.key);
    default: return round_trip_research(w, kind, value);
    }
    return good;
}

/* Goods, prescriptions, recalls; others: false. */
static bool round_trip_goods(struct sy_writer *w, unsigned kind, struct sy_slice value)
{
    union {
        struct sy_product product;
        struct sy_lot lot;
        struct sy_unit unit;
        struct sy_unit_step step;
        struct sy_goods_event goods_event;
        struct sy_shipment shipment;
        struct sy_lot_holder lot_holder;
        struct sy_rx rx;
        struct sy_rx_fill fill;
        struct sy_dispensed dispensed;
        struct sy_recall recall;
        struct sy_recall_told told;
        struct sy_exception exception;
        struct sy_correction correction;
        struct sy_storage storage;
        struct sy_conditions conditions;
        struct sy_hash id;
    } u;

    bool good = false;
    switch (kind) {
    case SY_STATE_PRODUCT: AGAIN(product, product, &u.product);
    case SY_STATE_LOT: AGAIN(lot, lot, &u.lot);
    case SY_STATE_UNIT: AGAIN(unit, unit, &u.unit);
    case SY_STATE_UNIT_STEP: AGAIN(unit_step, step, &u.step);
    case SY_STATE_GOODS_EVENT: AGAIN(goods_event, goods_event, &u.goods_event);
    case SY_STATE_SHIPMENT: AGAIN(shipment, shipment, &u.shipment);
    case SY_STATE_LOT_PATIENT:
    case SY_STATE_LOT_HOLDER: AGAIN(lot_holder, lot_holder, &u.lot_holder);
    case SY_STATE_RX: AGAIN(rx, rx, &u.rx);
    case SY_STATE_RX_FILL: AGAIN(rx_fill, fill, &u.fill);
    case SY_STATE_DISPENSED: AGAIN(dispensed, dispensed, &u.dispensed);
    case SY_STATE_RECALL: AGAIN(recall, recall, &u.recall);
    case SY_STATE_RECALL_TOLD: AGAIN(recall_told, told, &u.told);
    case SY_STATE_EXCEPTION: AGAIN(exception, exception, &u.exception);
    case SY_STATE_CORRECTION: AGAIN(correction, correction, &u.correction);
    case SY_STATE_STORAGE: AGAIN(storage, storage, &u.storage);
    case SY_STATE_CONDITIONS: AGAIN(conditions, conditions, &u.conditions);
    default: AGAIN(id, id, &u.id);
    }
    return good;
}

static bool round_trip_stream(struct sy_writer *w, unsigned kind, struct sy_slice value)
{
    union {
        struct sy_stream stream;
        struct sy_stream_commit_entry commit;
        struct sy_stream_gap gap;
        struct sy_stream_alert_entry alert;
        struct sy_firmware firmware;
        struct sy_stream_newest newest;
    } u;
    bool good = false;
    switch (kind) {
    case SY_STATE_STREAM: AGAIN(stream, stream, &u.stream);
    case SY_STATE_STREAM_COMMIT: AGAIN(stream_commit, commit, &u.commit);
    case SY_STATE_STREAM_GAP: AGAIN(stream_gap, gap, &u.gap);
    case SY_STATE_STREAM_ALERT: AGAIN(stream_alert, alert, &u.alert);
    case SY_STATE_STREAM_NEWEST: AGAIN(stream_newest, newest, &u.newest);
    default: AGAIN(firmware, firmware, &u.firmware);
    }
    return good;
}

/* What a value may be decoded into. */
union value {
    struct sy_params_state params;
    struct sy_schedule schedule;
    struct sy_roster_head head;
    struct sy_validator validator;
    uint64_t count;
    struct sy_hash id;
    struct sy_credential credential;
    struct sy_org org;
    struct sy_patient patient;
    struct sy_care care;
    struct sy_record record;
    struct sy_record_version version;
    struct sy_consent consent;
    struct sy_consents consents;
    struct sy_break entry;
    struct sy_list open;
    struct sy_device device;
    struct sy_cosignatures cosignatures;
    struct sy_record_link link;
    struct sy_duplicate duplicate;
    struct sy_cert cert;
    struct sy_suspension suspension;
    struct sy_validator_key signer;
    struct sy_patient_place place;
    struct sy_access_asked asked;
    struct sy_access_logged log;
    struct sy_disclosure disclosure;
    struct sy_notify_choice choice;
    struct sy_dispute dispute;
    struct sy_subscription subscription;
};
static bool round_trip_money(struct sy_writer *w, unsigned kind, struct sy_slice value)
{
    union {
        struct sy_plan plan;
        struct sy_coverage coverage;
        struct sy_coverages coverages;
        struct sy_used used;
        struct sy_claim claim;
        struct sy_auth auth;
        struct sy_contest_entry contest;
        struct sy_balance balance;
        struct sy_owed owed;
        struct sy_settlement settlement;
        struct sy_denied_lines denied;
        struct sy_fill_billed billed;
        struct sy_payment payment;
        struct sy_remittance remittance;
        struct sy_schedule_row row;
        struct sy_hash id;
        uint64_t count;
    } u;
    bool good = false;
    switch (kind) {
    case SY_STATE_PLAN: AGAIN(plan, plan, &u.plan);
    case SY_STATE_COVERAGE: AGAIN(coverage, coverage, &u.coverage);
    case SY_STATE_COVERAGES: AGAIN(coverages, coverages, &u.coverages);
    case SY_STATE_USED: AGAIN(used, used, &u.used);
    case SY_STATE_CLAIM: AGAIN(claim, claim, &u.claim);
    case SY_STATE_AUTH: AGAIN(auth, auth, &u.auth);
    case SY_STATE_CONTEST: AGAIN(contest, contest, &u.contest);
    case SY_STATE_BALANCE: AGAIN(balance, balance, &u.balance);
    case SY_STATE_OWED: AGAIN(owed, owed, &u.owed);
    case SY_STATE_PAYMENT: AGAIN(payment, payment, &u.payment);
    case SY_STATE_REMITTANCE: AGAIN(remittance, remittance, &u.remittance);
    case SY_STATE_DENIED_LINES: AGAIN(denied_lines, denied, &u.denied);
    case SY_STATE_SETTLEMENT: AGAIN(settlement, settlement, &u.settlement);
    case SY_STATE_SCHEDULE_ROW: AGAIN(schedule_row, row, &u.row);
    case SY_STATE_FILL_BILLED: AGAIN(fill_billed, billed, &u.billed);
    case SY_STATE_CLAIM_KEY:
    case SY_STATE_SETTLEMENT_PLACE:
    case SY_STATE_CLAIM_PLACE: AGAIN(id, id, &u.id);
    default: AGAIN(count, count, u.count);
    }
    return good;
}

/* Encodes again what decoded; false when it did not. */
static bool round_trip(struct sy_writer *w, unsigned kind, struct sy_slice value)
{
    union value u;
    bool good = false;
    switch (kind) {
    case SY_STATE_PARAMS: AGAIN(params_state, params, &u.params);
    case SY_STATE_ROSTER: AGAIN(roster_head, head, &u.head);
    case SY_STATE_VALIDATOR: AGAIN(validator_state, validator, &u.validator);
    case SY_STATE_CREDENTIAL: AGAIN(credential, credential, &u.credential);
    case SY_STATE_ORG: AGAIN(org, org, &u.org);
    case SY_STATE_PATIENT: AGAIN(patient, patient, &u.patient);
    case SY_STATE_CARE: AGAIN(care, care, &u.care);
    case SY_STATE_RECORD: AGAIN(record, record, &u.record);
    case SY_STATE_RECORD_VERSION: AGAIN(record_version, version, &u.version);
    case SY_STATE_CONSENT: AGAIN(consent, consent, &u.consent);
    case SY_STATE_CONSENTS: AGAIN(consents, consents, &u.consents);
    case SY_STATE_BREAK: AGAIN(break, entry, &u.entry);
    case SY_STATE_BREAKS: AGAIN(breaks, open, &u.open);
    case SY_STATE_SCHEDULE:
    case SY_STATE_SCHEDULE_VERSION: AGAIN(schedule, schedule, &u.schedule);
    case SY_STATE_DEVICE: AGAIN(device, device, &u.device);
    case SY_STATE_COSIGNATURES: AGAIN(cosignatures, cosignatures, &u.cosignatures);
    case SY_STATE_RECORD_LINK: AGAIN(record_link, link, &u.link);
    case SY_STATE_DUPLICATE: AGAIN(duplicate, duplicate, &u.duplicate);
    case SY_STATE_ACCESS_REQUEST: AGAIN(access_asked, asked, &u.asked);
    case SY_STATE_ACCESS_LOG: AGAIN(access_logged, log, &u.log);
    case SY_STATE_SIGNER: AGAIN(validator_key, signer, &u.signer);
    case SY_STATE_DISCLOSURE: AGAIN(disclosure, disclosure, &u.disclosure);
    case SY_STATE_NOTIFY_PREFS: AGAIN(notify_choice, choice, &u.choice);
    case SY_STATE_DISPUTE: AGAIN(dispute, dispute, &u.dispute);
    case SY_STATE_SUBSCRIPTION: AGAIN(subscription, subscription, &u.subscription);
    case SY_STATE_CERT: AGAIN(cert, cert, &u.cert);
    case SY_STATE_SUSPENSION: AGAIN(suspension, suspension, &u.suspension);
    case SY_STATE_CERT_INDEX:
    case SY_STATE_SIGNER_OF:
    case SY_STATE_BREAK_OF:
    case SY_STATE_PREFIX:
    case SY_STATE_CONSENT_PLACE:
    case SY_STATE_OPEN_CARE: AGAIN(id, id, &u.id);
    default: AGAIN(count, count, u.count);
    }
    return good;
}

/* Those by which a patient's whole record is known; false: it is another kind, or does not decode.
 */
static bool round_trip_export(struct sy_writer *w, unsigned kind, struct sy_slice value)
{
    union {
        struct sy_patient_place place;
        struct sy_export export;
        struct sy_mapped_id mapped;
    } u;
    bool good = false;
    switch (kind) {
    case SY_STATE_PATIENT_PLACE: AGAIN(patient_place, place, &u.place);
    case SY_STATE_EXPORT: AGAIN(export, export, &u.export);
    default: AGAIN(mapped_id, mapped, &u.mapped);
    }
    return good;
}

static bool round_trip_any(struct sy_writer *w, unsigned kind, struct sy_slice value)
{
    if (kind == SY_STATE_STREAM_NEWEST) return round_trip_stream(w, kind, value);
    if (kind >= SY_STATE_TRIAL_BEACON) return round_trip_trials(w, kind, value);
    if (kind >= SY_STATE_STREAM) return round_trip_stream(w, kind, value);
    if (kind >= SY_STATE_TRIAL) return round_trip_trials(w, kind, value);
    return kind >= SY_STATE_PRODUCT ? round_trip_goods(w, kind, value) : round_trip(w, kind, value);
}

static bool use_nonces(struct sy_writer *w, struct sy_slice value)
{
    struct sy_nonces nonces;
    if (!sy_nonces_decode(&nonces, value)) return false;
    sy_nonces_encode(w, &nonces);
    struct sy_nonces next = nonces;
    uint64_t nonce = nonces.highest - nonces.highest % 97;
    if (!sy_nonces_accept(&next, nonce)) nonce = nonces.highest + 1 + nonces.highest % 4000;
    if (nonce > nonces.highest && nonce - nonces.highest > SY_NONCE_WINDOW) return true;
    if (nonce <= nonces.highest && !sy_nonces_accept(&next, nonce)) return true; // wrapped round
    sy_nonces_use(&next, nonce);
    SY_ASSERT(!sy_nonces_accept(&next, nonce));
    SY_ASSERT(sy_nonces_seen(&next, nonce));
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    unsigned kind = SY_STATE_PARAMS + data[0] % (SY_STATE_KIND_COUNT - SY_STATE_PARAMS);
    struct sy_slice value = sy_slice_of(data + 1, size - 1);
    static uint8_t room[1 << 16];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    bool exported = kind >= SY_STATE_PATIENT_PLACE && kind <= SY_STATE_ID_MAP;
    bool good = kind == SY_STATE_NONCES ? use_nonces(&w, value)
                : exported              ? round_trip_export(&w, kind, value)
                : kind >= SY_STATE_PLAN && kind <= SY_STATE_AUTH ? round_trip_money(&w, kind, value)
                                                                 : round_trip_any(&w, kind, value);
    if (!good) return 0;
    SY_ASSERT(!w.failed);
    SY_ASSERT(sy_slice_equal(sy_writer_slice(&w), value));
    return 0;
}
