/* state.c: key hashes of state, and the encodings of governance and nonces; identities and records
 * are in state_values.c. See state.h. */
#include "core/wire/state.h"

#include "core/base/assert.h"
#include "core/crypto/hash.h"
#include "core/wire/money.h"
#include "core/wire/proof.h"
#include "core/wire/roster_change.h"
#include "core/wire/state_goods.h"
#include "core/wire/state_research.h"
#include "core/wire/state_stream.h"
#include "core/wire/state_trial.h"

#define PAIR_PREFIX 0x04

static const char *const kind_names[SY_STATE_KIND_COUNT] = {
    [SY_STATE_PARAMS] = "params",
    [SY_STATE_ROSTER] = "roster",
    [SY_STATE_VALIDATOR] = "validator",
    [SY_STATE_MAKER] = "maker",
    [SY_STATE_EVENT_COUNT] = "event count",
    [SY_STATE_NONCES] = "nonces",
    [SY_STATE_CREDENTIAL] = "credential",
    [SY_STATE_ORG] = "organisation",
    [SY_STATE_PREFIX] = "prefix",
    [SY_STATE_PATIENT] = "patient",
    [SY_STATE_CARE] = "care",
    [SY_STATE_OPEN_CARE] = "open care",
    [SY_STATE_RECORD] = "record",
    [SY_STATE_RECORD_VERSION] = "record version",
    [SY_STATE_ORG_EVENTS] = "org events",
    [SY_STATE_ROSTER_CHANGE] = "roster change",
    [SY_STATE_CONSENT] = "consent",
    [SY_STATE_CONSENTS] = "consents",
    [SY_STATE_CONSENT_PLACE] = "consent place",
    [SY_STATE_BREAK] = "break",
    [SY_STATE_BREAK_OF] = "break of",
    [SY_STATE_BREAKS] = "breaks",
    [SY_STATE_DEVICE] = "device",
    [SY_STATE_SCHEDULE] = "schedule",
    [SY_STATE_SCHEDULE_VERSION] = "schedule version",
    [SY_STATE_COSIGNATURES] = "cosignatures",
    [SY_STATE_RECORD_LINK] = "record link",
    [SY_STATE_DUPLICATE] = "duplicate",
    [SY_STATE_SIGNER] = "signer",
    [SY_STATE_SIGNER_OF] = "signer of",
    [SY_STATE_PATIENT_PLACE] = "patient place",
    [SY_STATE_EXPORT] = "export",
    [SY_STATE_ID_MAP] = "id map",
    [SY_STATE_ACCESS_REQUEST] = "access request",
    [SY_STATE_ACCESS_LOG] = "access log",
    [SY_STATE_DISCLOSURE] = "disclosure",
    [SY_STATE_NOTIFY_PREFS] = "notify prefs",
    [SY_STATE_NOTIFY_ACK] = "notify ack",
    [SY_STATE_DISPUTE] = "dispute",
    [SY_STATE_SUBSCRIPTION] = "subscription",
    [SY_STATE_CERT] = "cert",
    [SY_STATE_CERT_INDEX] = "cert index",
    [SY_STATE_SUSPENSIONS] = "suspensions",
    [SY_STATE_SUSPENSION] = "suspension",
    [SY_STATE_PLAN] = "plan",
    [SY_STATE_COVERAGE] = "coverage",
    [SY_STATE_COVERAGES] = "coverages",
    [SY_STATE_CLAIM] = "claim",
    [SY_STATE_CLAIM_KEY] = "claim key",
    [SY_STATE_USED] = "used",
    [SY_STATE_BALANCE] = "balance",
    [SY_STATE_OWED] = "owed",
    [SY_STATE_PAYMENT] = "payment",
    [SY_STATE_CLAIM_PLACE] = "claim place",
    [SY_STATE_CLAIMS] = "claims",
    [SY_STATE_REMITTANCE] = "remittance",
    [SY_STATE_SCHEDULE_ROW] = "schedule row",
    [SY_STATE_AUTH] = "authorisation",
    [SY_STATE_CONTEST] = "contest",
    [SY_STATE_FILL_BILLED] = "fill billed",
    [SY_STATE_BILLED_DAY] = "billed day",
    [SY_STATE_SETTLEMENT] = "settlement",
    [SY_STATE_SETTLEMENT_PLACE] = "settlement place",
    [SY_STATE_DENIED_LINES] = "denied lines",
    [SY_STATE_PRODUCT] = "product",
    [SY_STATE_LOT] = "lot",
    [SY_STATE_UNIT] = "unit",
    [SY_STATE_UNIT_STEP] = "unit step",
    [SY_STATE_GOODS_EVENT] = "goods event",
    [SY_STATE_SHIPMENT] = "shipment",
    [SY_STATE_LOT_HOLDER] = "lot holder",
    [SY_STATE_LOT_PLACE] = "lot place",
    [SY_STATE_LOT_RECALL] = "lot recall",
    [SY_STATE_RX] = "prescription",
    [SY_STATE_RX_FILL] = "fill",
    [SY_STATE_DISPENSED] = "dispensed",
    [SY_STATE_LOT_PATIENT] = "lot patient",
    [SY_STATE_LOT_PATIENT_PLACE] = "lot patient place",
    [SY_STATE_RECALL] = "recall",
    [SY_STATE_RECALL_TOLD] = "recall told",
    [SY_STATE_EXCEPTION] = "exception",
    [SY_STATE_CORRECTION] = "correction",
    [SY_STATE_STORAGE] = "storage",
    [SY_STATE_CONDITIONS] = "conditions",
    [SY_STATE_STREAM] = "stream",
    [SY_STATE_STREAM_COMMIT] = "stream commit",
    [SY_STATE_STREAM_GAP] = "stream gap",
    [SY_STATE_STREAM_ALERT] = "stream alert",
    [SY_STATE_FIRMWARE] = "firmware",
    [SY_STATE_TRIAL] = "trial",
    [SY_STATE_TRIAL_VERSION] = "trial version",
    [SY_STATE_TRIAL_SITE] = "trial site",
    [SY_STATE_TRIAL_SUBJECT] = "trial subject",
    [SY_STATE_TRIAL_PLACE] = "trial place",
    [SY_STATE_TRIAL_DATA] = "trial data",
    [SY_STATE_TRIAL_REPORT] = "trial report",
    [SY_STATE_TRIAL_DRAW] = "trial draw",
    [SY_STATE_TRIAL_LOCK] = "trial lock",
    [SY_STATE_TRIAL_RESULT] = "trial result",
    [SY_STATE_TRIAL_BEACON] = "trial beacon",
    [SY_STATE_TRIAL_KEY] = "trial key",
    [SY_STATE_DATASET] = "dataset",
    [SY_STATE_STREAM_NEWEST] = "stream newest",
    [SY_STATE_DATASET_VERSION] = "dataset version",
    [SY_STATE_DATASET_ROOT] = "dataset root",
    [SY_STATE_QUERY] = "query",
    [SY_STATE_QUERY_DECISION] = "query decision",
    [SY_STATE_QUERY_RESULT] = "query result",
    [SY_STATE_QUERY_ASKED] = "query asked",
    [SY_STATE_RESEARCH_BUDGET] = "research budget",
    [SY_STATE_CONTRIBUTION] = "contribution",
    [SY_STATE_OPTOUTS] = "optouts",
};

const char *sy_state_kind_name(unsigned kind)
{
    return kind < SY_STATE_KIND_COUNT ? kind_names[kind] : NULL;
}

// --- key hashes --------------------------------------------------------------------------------

void sy_state_key_id(struct sy_hash *out, enum sy_state_kind kind, const struct sy_hash *id)
{
    SY_ASSERT(sy_state_kind_name(kind) != NULL);
    sy_state_key_hash(out, (uint8_t)kind, id);
}

void sy_state_key_zero(struct sy_hash *out, enum sy_state_kind kind)
{
    static const struct sy_hash zero;
    sy_state_key_id(out, kind, &zero);
}

void sy_state_key_public(struct sy_hash *out, enum sy_state_kind kind,
                         const struct sy_public_key *key)
{
    struct sy_hash id;
    memcpy(id.bytes, key->bytes, sizeof id.bytes);
    sy_state_key_id(out, kind, &id);
}

void sy_state_key_validator(struct sy_hash *out, uint16_t index)
{
    struct sy_hash id = {{0}};
    sy_store_u16(id.bytes, index);
    sy_state_key_id(out, SY_STATE_VALIDATOR, &id);
}

void sy_state_key_roster_change(struct sy_hash *out, uint32_t epoch)
{
    struct sy_hash id = {{0}};
    sy_store_u32(id.bytes, epoch);
    sy_state_key_id(out, SY_STATE_ROSTER_CHANGE, &id);
}

void sy_state_key_open_care(struct sy_hash *out, const struct sy_hash *patient,
                            const struct sy_hash *organisation)
{
    struct sy_hash id;
    sy_hash_prefixed(&id, PAIR_PREFIX, patient, organisation);
    sy_state_key_id(out, SY_STATE_OPEN_CARE, &id);
}

static void key_of_version(struct sy_hash *out, enum sy_state_kind kind,
                           const struct sy_hash *record, uint32_t version)
{
    struct sy_hash number = {{0}};
    sy_store_u32(number.bytes, version);
    struct sy_hash id;
    sy_hash_prefixed(&id, PAIR_PREFIX, record, &number);
    sy_state_key_id(out, kind, &id);
}

void sy_state_key_record_version(struct sy_hash *out, const struct sy_hash *record,
                                 uint32_t version)
{
    key_of_version(out, SY_STATE_RECORD_VERSION, record, version);
}

void sy_state_key_cosignatures(struct sy_hash *out, const struct sy_hash *record, uint32_t version)
{
    key_of_version(out, SY_STATE_COSIGNATURES, record, version);
}

void sy_state_key_record_link(struct sy_hash *out, const struct sy_hash *record, uint64_t number)
{
    struct sy_hash padded = {{0}};
    sy_store_u64(padded.bytes, number);
    struct sy_hash id;
    sy_hash_prefixed(&id, PAIR_PREFIX, record, &padded);
    sy_state_key_id(out, SY_STATE_RECORD_LINK, &id);
}

void sy_state_key_duplicate(struct sy_hash *out, const struct sy_hash *a, const struct sy_hash *b)
{
    bool ascend = sy_hash_compare(a, b) <= 0;
    struct sy_hash id;
    sy_hash_prefixed(&id, PAIR_PREFIX, ascend ? a : b, ascend ? b : a);
    sy_state_key_id(out, SY_STATE_DUPLICATE, &id);
}

void sy_state_key_prefix(struct sy_hash *out, struct sy_slice digits)
{
    struct sy_hash id = {{0}};
    SY_ASSERT(digits.size <= sizeof id.bytes);
    if (digits.size > 0) memcpy(id.bytes, digits.data, digits.size);
    sy_state_key_id(out, SY_STATE_PREFIX, &id);
}

void sy_state_key_consent_place(struct sy_hash *out, const struct sy_hash *patient, uint64_t number)
{
    struct sy_hash padded = {{0}};
    sy_store_u64(padded.bytes, number);
    struct sy_hash id;
    sy_hash_prefixed(&id, PAIR_PREFIX, patient, &padded);
    sy_state_key_id(out, SY_STATE_CONSENT_PLACE, &id);
}

void sy_state_key_patient_place(struct sy_hash *out, const struct sy_hash *patient, uint64_t number)
{
    struct sy_hash padded = {{0}};
    sy_store_u64(padded.bytes, number);
    struct sy_hash id;
    sy_hash_prefixed(&id, PAIR_PREFIX, patient, &padded);
    sy_state_key_id(out, SY_STATE_PATIENT_PLACE, &id);
}

void sy_state_key_break_of(struct sy_hash *out, const struct sy_hash *patient,
                           const struct sy_hash *key)
{
    struct sy_hash id;
    sy_hash_prefixed(&id, PAIR_PREFIX, patient, key);
    sy_state_key_id(out, SY_STATE_BREAK_OF, &id);
}

void sy_export_except(struct sy_export *exported, const struct sy_hash *record)
{
    struct sy_hash before = exported->exceptions;
    sy_hash_prefixed(&exported->exceptions, PAIR_PREFIX, &before, record);
    exported->last_exception = *record;
    exported->excepted++;
}

void sy_mapped_id_of(struct sy_hash *out, const struct sy_hash *organisation,
                     const struct sy_hash *system, const struct sy_hash *identifier)
{
    struct sy_hash inner;
    sy_hash_prefixed(&inner, PAIR_PREFIX, system, identifier);
    sy_hash_prefixed(out, PAIR_PREFIX, organisation, &inner);
}

void sy_state_key_schedule(struct sy_hash *out, const struct sy_hash *publisher, uint16_t kind)
{
    struct sy_hash second = {{0}}, id;
    sy_store_u16(second.bytes, kind);
    sy_hash_prefixed(&id, PAIR_PREFIX, publisher, &second);
    sy_state_key_id(out, SY_STATE_SCHEDULE, &id);
}

void sy_state_key_schedule_version(struct sy_hash *out, const struct sy_hash *publisher,
                                   uint16_t kind, uint32_t version)
{
    struct sy_hash second = {{0}}, id;
    sy_store_u16(second.bytes, kind);
    sy_store_u32(second.bytes + 2, version);
    sy_hash_prefixed(&id, PAIR_PREFIX, publisher, &second);
    sy_state_key_id(out, SY_STATE_SCHEDULE_VERSION, &id);
}

void sy_state_key_access_request(struct sy_hash *out, const struct sy_hash *patient,
                                 const struct sy_hash *organisation)
{
    struct sy_hash id;
    sy_hash_prefixed(&id, PAIR_PREFIX, patient, organisation);
    sy_state_key_id(out, SY_STATE_ACCESS_REQUEST, &id);
}

void sy_state_key_subscription(struct sy_hash *out, const struct sy_hash *organisation,
                               const struct sy_hash *patient)
{
    struct sy_hash id;
    sy_hash_prefixed(&id, PAIR_PREFIX, organisation, patient);
    sy_state_key_id(out, SY_STATE_SUBSCRIPTION, &id);
}

void sy_state_key_disclosure(struct sy_hash *out, const struct sy_hash *log,
                             const struct sy_hash *patient)
{
    struct sy_hash id;
    sy_hash_prefixed(&id, PAIR_PREFIX, log, patient);
    sy_state_key_id(out, SY_STATE_DISCLOSURE, &id);
}

void sy_state_key_cert(struct sy_hash *out, const struct sy_hash *organisation,
                       const struct sy_hash *jws_hash)
{
    struct sy_hash id;
    sy_hash_prefixed(&id, PAIR_PREFIX, organisation, jws_hash);
    sy_state_key_id(out, SY_STATE_CERT, &id);
}

void sy_state_key_cert_index(struct sy_hash *out, const struct sy_hash *organisation,
                             uint64_t index)
{
    struct sy_hash padded = {{0}};
    sy_store_u64(padded.bytes, index);
    struct sy_hash id;
    sy_hash_prefixed(&id, PAIR_PREFIX, organisation, &padded);
    sy_state_key_id(out, SY_STATE_CERT_INDEX, &id);
}

void sy_state_key_pair(struct sy_hash *out, enum sy_state_kind kind, const struct sy_hash *id,
                       const struct sy_hash *second)
{
    struct sy_hash pair;
    sy_hash_prefixed(&pair, PAIR_PREFIX, id, second);
    sy_state_key_id(out, kind, &pair);
}

/* Those that stand under an id alone, but for goods, money and so on. */
static bool is_of_one_id(unsigned kind)
{
    switch (kind) {
    case SY_STATE_MAKER:
    case SY_STATE_NONCES:
    case SY_STATE_CREDENTIAL:
    case SY_STATE_ORG:
    case SY_STATE_ORG_EVENTS:
    case SY_STATE_SUSPENSIONS:
    case SY_STATE_PREFIX:
    case SY_STATE_PATIENT:
    case SY_STATE_CARE:
    case SY_STATE_RECORD:
    case SY_STATE_CONSENT:
    case SY_STATE_BREAK:
    case SY_STATE_BREAKS:
    case SY_STATE_DEVICE:
    case SY_STATE_SIGNER:
    case SY_STATE_SIGNER_OF:
    case SY_STATE_EXPORT:
    case SY_STATE_ID_MAP:
    case SY_STATE_ACCESS_LOG:
    case SY_STATE_NOTIFY_PREFS:
    case SY_STATE_NOTIFY_ACK:
    case SY_STATE_DISPUTE:
    case SY_STATE_CONSENTS: return true;
    default: return false;
    }
}

bool sy_state_key_of(struct sy_hash *out, unsigned kind, const struct sy_hash *id,
                     const struct sy_hash *second)
{
    switch (kind) {
    case SY_STATE_PARAMS:
    case SY_STATE_ROSTER:
    case SY_STATE_EVENT_COUNT: sy_state_key_zero(out, (enum sy_state_kind)kind); return true;
    case SY_STATE_VALIDATOR: sy_state_key_validator(out, sy_load_u16(id->bytes)); return true;
    case SY_STATE_ROSTER_CHANGE:
        sy_state_key_roster_change(out, sy_load_u32(id->bytes));
        return true;
    case SY_STATE_OPEN_CARE: sy_state_key_open_care(out, id, second); return true;
    case SY_STATE_RECORD_VERSION:
        sy_state_key_record_version(out, id, sy_load_u32(second->bytes));
        return true;
    case SY_STATE_CONSENT_PLACE:
        sy_state_key_consent_place(out, id, sy_load_u64(second->bytes));
        return true;
    case SY_STATE_PATIENT_PLACE:
        sy_state_key_patient_place(out, id, sy_load_u64(second->bytes));
        return true;
    case SY_STATE_BREAK_OF: sy_state_key_break_of(out, id, second); return true;
    case SY_STATE_SCHEDULE: sy_state_key_schedule(out, id, sy_load_u16(second->bytes)); return true;
    case SY_STATE_SCHEDULE_VERSION:
        sy_state_key_schedule_version(out, id, sy_load_u16(second->bytes),
                                      sy_load_u32(second->bytes + 2));
        return true;
    case SY_STATE_COSIGNATURES:
        sy_state_key_cosignatures(out, id, sy_load_u32(second->bytes));
        return true;
    case SY_STATE_RECORD_LINK:
        sy_state_key_record_link(out, id, sy_load_u64(second->bytes));
        return true;
    case SY_STATE_DUPLICATE: sy_state_key_duplicate(out, id, second); return true;
    case SY_STATE_ACCESS_REQUEST: sy_state_key_access_request(out, id, second); return true;
    case SY_STATE_DISCLOSURE: sy_state_key_disclosure(out, id, second); return true;
    case SY_STATE_SUBSCRIPTION: sy_state_key_subscription(out, id, second); return true;
    case SY_STATE_CERT: sy_state_key_cert(out, id, second); return true;
    case SY_STATE_CERT_INDEX:
        sy_state_key_cert_index(out, id, sy_load_u64(second->bytes));
        return true;
    case SY_STATE_SUSPENSION:
        sy_state_key_suspension(out, id, sy_load_u64(second->bytes));
        return true;
    default:
        if (is_of_one_id(kind)) {
            sy_state_key_id(out, (enum sy_state_kind)kind, id);
            return true;
        }
        return sy_goods_key_of(out, kind, id, second) || sy_money_key_of(out, kind, id, second) ||
               sy_stream_key_of(out, kind, id, second) || sy_trial_key_of(out, kind, id, second) ||
               sy_research_key_of(out, kind, id, second);
    }
}

// --- governance --------------------------------------------------------------------------------

void sy_params_encode(struct sy_writer *w, const struct sy_params *params)
{
    sy_write_u32(w, params->regulators_needed);
    sy_write_i64(w, params->credential_ms_max);
    sy_write_u64(w, params->record_bytes_max);
}

void sy_params_state_encode(struct sy_writer *w, const struct sy_params_state *state)
{
    SY_ASSERT(state->pending_count <= SY_PARAMS_PENDING_MAX);
    sy_params_encode(w, &state->params);
    if (state->version == 0) return;
    sy_write_u32(w, state->params.research_k);
    sy_write_u32(w, state->params.research_cells);
    sy_write_u32(w, state->params.dataset_cells);
    sy_write_u32(w, state->params.research_days);
    sy_write_u32(w, state->version);
    sy_write_u8(w, state->pending_count);
    for (unsigned i = 0; i < state->pending_count; i++) {
        sy_write_u16(w, state->pending[i].name);
        sy_write_u64(w, state->pending[i].value);
        sy_write_u64(w, state->pending[i].height);
    }
}

static void read_pending(struct sy_reader *r, struct sy_params_state *state)
{
    uint16_t last = 0;
    state->version = sy_read_u32(r, "version");
    if (state->version == 0) sy_reader_fail(r, "version");
    state->pending_count = sy_read_u8(r, "pending");
    if (state->pending_count > SY_PARAMS_PENDING_MAX) sy_reader_fail(r, "pending");
    for (unsigned i = 0; !r->failed && i < state->pending_count; i++) {
        struct sy_param_next *next = &state->pending[i];
        next->name = sy_read_u16(r, "name");
        next->value = sy_read_u64(r, "value");
        next->height = sy_read_u64(r, "height");
        if (next->name <= last || !sy_enum_word(&sy_enum_param, next->name)) {
            sy_reader_fail(r, "name");
        }
        if (next->value > INT64_MAX) sy_reader_fail(r, "value");
        last = next->name;
    }
}

void sy_params_of_research(struct sy_params *params)
{
    params->research_k = SY_RESEARCH_K_MIN;
    params->research_cells = SY_RESEARCH_CELLS_DEFAULT;
    params->dataset_cells = SY_DATASET_CELLS_DEFAULT;
    params->research_days = SY_RESEARCH_DAYS_DEFAULT;
}

static uint32_t read_param(struct sy_reader *r, uint32_t least, uint32_t most, const char *what)
{
    uint32_t value = sy_read_u32(r, what);
    if (value < least || value > most) sy_reader_fail(r, what);
    return value;
}

static void read_research(struct sy_reader *r, struct sy_params *params)
{
    params->research_k = read_param(r, SY_RESEARCH_K_MIN, SY_RESEARCH_K_MAX, "research_k");
    params->research_cells = read_param(r, 1, SY_RESEARCH_CELLS_MAX, "research_cells");
    params->dataset_cells = read_param(r, 1, SY_RESEARCH_CELLS_MAX, "dataset_cells");
    params->research_days = read_param(r, 1, SY_RESEARCH_DAYS_MAX, "research_days");
}

bool sy_params_state_decode(struct sy_params_state *state, struct sy_slice bytes)
{
    struct sy_reader r = sy_reader_of(bytes);
    *state = (struct sy_params_state){.version = 0};
    state->params.regulators_needed = sy_read_u32(&r, "regulators_needed");
    state->params.credential_ms_max = sy_read_i64(&r, "credential_ms_max");
    state->params.record_bytes_max = sy_read_u64(&r, "record_bytes_max");
    sy_params_of_research(&state->params);
    if (!r.failed && sy_reader_left(&r) > 0) {
        read_research(&r, &state->params);
        read_pending(&r, state);
    }
    return sy_reader_done(&r);
}

void sy_params_at(struct sy_params_state *state, uint64_t height)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < state->pending_count; i++) {
        struct sy_param_next next = state->pending[i];
        struct sy_params *params = &state->params;
        if (next.height > height) {
            state->pending[kept++] = next;
        } else if (next.name == SY_PARAM_REGULATORS_NEEDED) {
            params->regulators_needed = (uint32_t)next.value;
        } else if (next.name == SY_PARAM_CREDENTIAL_MS_MAX) {
            params->credential_ms_max = (int64_t)next.value;
        } else if (next.name == SY_PARAM_RECORD_BYTES_MAX) {
            params->record_bytes_max = next.value;
        } else if (next.name == SY_PARAM_RESEARCH_K) {
            params->research_k = (uint32_t)next.value;
        } else if (next.name == SY_PARAM_RESEARCH_CELLS) {
            params->research_cells = (uint32_t)next.value;
        } else if (next.name == SY_PARAM_DATASET_CELLS) {
            params->dataset_cells = (uint32_t)next.value;
        } else {
            params->research_days = (uint32_t)next.value;
        }
    }
    state->pending_count = (uint8_t)kept;
}

void sy_schedule_encode(struct sy_writer *w, const struct sy_schedule *schedule)
{
    sy_write_u32(w, schedule->version);
    sy_write_hash(w, &schedule->root);
    sy_write_u64(w, schedule->activation_height);
    sy_write_u64(w, schedule->height);
}

bool sy_schedule_decode(struct sy_schedule *schedule, struct sy_slice bytes)
{
    struct sy_reader r = sy_reader_of(bytes);
    schedule->version = sy_read_u32(&r, "version");
    if (schedule->version == 0) sy_reader_fail(&r, "version");
    sy_read_hash(&r, &schedule->root, "root");
    schedule->activation_height = sy_read_u64(&r, "activation_height");
    schedule->height = sy_read_u64(&r, "height");
    return sy_reader_done(&r);
}

void sy_roster_head_encode(struct sy_writer *w, const struct sy_roster_head *head)
{
    sy_write_u32(w, head->epoch);
    sy_write_u16(w, head->count);
    sy_write_hash(w, &head->hash);
}

bool sy_roster_head_decode(struct sy_roster_head *head, struct sy_slice bytes)
{
    struct sy_reader r = sy_reader_of(bytes);
    head->epoch = sy_read_u32(&r, "epoch");
    head->count = sy_read_u16(&r, "count");
    sy_read_hash(&r, &head->hash, "hash");
    return sy_reader_done(&r);
}

void sy_roster_next_encode(struct sy_writer *w, const struct sy_roster_next *next)
{
    sy_write_u64(w, next->first);
    sy_write_u16(w, next->kind);
    sy_write_bytes16(w, next->change);
}

bool sy_roster_next_decode(struct sy_roster_next *next, struct sy_slice bytes)
{
    struct sy_reader r = sy_reader_of(bytes);
    next->first = sy_read_u64(&r, "first");
    next->kind = sy_read_u16(&r, "kind");
    next->change = sy_read_bytes16(&r, SY_ROSTER_CHANGE_BYTES_MAX, "change");
    return sy_reader_done(&r);
}

static void write_text(struct sy_writer *w, const char *text)
{
    sy_write_bytes16(w, sy_slice_of(text, strlen(text)));
}

/* room: the array's size, terminator included. */
static void read_text(struct sy_reader *r, char *out, size_t room, const char *what)
{
    struct sy_slice text = sy_read_bytes16(r, room - 1, what);
    if (text.size > 0 && memchr(text.data, 0, text.size) != NULL) {
        sy_reader_fail(r, what);
        text.size = 0;
    }
    if (text.size > 0) memcpy(out, text.data, text.size);
    out[text.size] = '\0';
}

void sy_validator_state_encode(struct sy_writer *w, const struct sy_validator *validator)
{
    write_text(w, validator->name);
    sy_write_hash(w, &validator->organisation);
    sy_write_public_key(w, &validator->consensus_key);
    sy_write_public_key(w, &validator->link_key);
    sy_write_public_key(w, &validator->admin_key);
    write_text(w, validator->control_address);
    write_text(w, validator->bulk_address);
    write_text(w, validator->client_address);
}

bool sy_validator_state_decode(struct sy_validator *validator, struct sy_slice bytes)
{
    struct sy_reader r = sy_reader_of(bytes);
    memset(validator, 0, sizeof *validator);
    read_text(&r, validator->name, sizeof validator->name, "name");
    sy_read_hash(&r, &validator->organisation, "organisation");
    sy_read_public_key(&r, &validator->consensus_key, "consensus_key");
    sy_read_public_key(&r, &validator->link_key, "link_key");
    sy_read_public_key(&r, &validator->admin_key, "admin_key");
    read_text(&r, validator->control_address, sizeof validator->control_address, "control_address");
    read_text(&r, validator->bulk_address, sizeof validator->bulk_address, "bulk_address");
    read_text(&r, validator->client_address, sizeof validator->client_address, "client_address");
    return sy_reader_done(&r);
}

void sy_count_encode(struct sy_writer *w, uint64_t count)
{
    sy_write_u64(w, count);
}

bool sy_count_decode(uint64_t *count, struct sy_slice bytes)
{
    struct sy_reader r = sy_reader_of(bytes);
    *count = sy_read_u64(&r, "count");
    return sy_reader_done(&r);
}

void sy_id_encode(struct sy_writer *w, const struct sy_hash *id)
{
    sy_write_hash(w, id);
}

bool sy_id_decode(struct sy_hash *id, struct sy_slice bytes)
{
    struct sy_reader r = sy_reader_of(bytes);
    sy_read_hash(&r, id, "id");
    return sy_reader_done(&r);
}

// --- nonces
// ------------------------------------------------------------------------------------

static bool map_bit(const struct sy_nonces *nonces, uint64_t nonce)
{
    uint64_t index = nonce - nonces->floor - 1;
    SY_ASSERT(index < SY_NONCE_WINDOW);
    return (nonces->map[index / 8] >> (index % 8) & 1) != 0;
}

bool sy_nonces_seen(const struct sy_nonces *nonces, uint64_t nonce)
{
    if (nonce <= nonces->floor) return true;
    return nonce <= nonces->highest && map_bit(nonces, nonce);
}

bool sy_nonces_accept(const struct sy_nonces *nonces, uint64_t nonce)
{
    // Nothing that was too old when highest stood lower can come back: highest only rises.
    if (nonce > nonces->highest) return nonce - nonces->highest <= SY_NONCE_WINDOW;
    return !sy_nonces_seen(nonces, nonce);
}

static size_t map_bytes(const struct sy_nonces *nonces)
{
    SY_ASSERT(nonces->highest - nonces->floor <= SY_NONCE_WINDOW);
    return (size_t)((nonces->highest - nonces->floor + 7) / 8);
}

/* Moves the floor up by count, whatever the bits it passes say. All bits above highest are
 * clear, so only the bytes up to there move. */
static void raise_floor(struct sy_nonces *nonces, uint64_t count)
{
    size_t used = map_bytes(nonces);
    size_t bytes = (size_t)(count / 8);
    unsigned shift = (unsigned)(count % 8);
    SY_ASSERT(bytes <= used);
    memmove(nonces->map, nonces->map + bytes, used - bytes);
    memset(nonces->map + used - bytes, 0, bytes);
    for (size_t i = 0; shift > 0 && i < used; i++) {
        unsigned above = i + 1 < used ? nonces->map[i + 1] : 0;
        nonces->map[i] = (uint8_t)((nonces->map[i] | above << 8) >> shift);
    }
    nonces->floor += count;
}

void sy_nonces_use(struct sy_nonces *nonces, uint64_t nonce)
{
    SY_ASSERT(sy_nonces_accept(nonces, nonce));
    if (nonce > nonces->highest) {
        // The window moves: what falls out of its lower end counts as seen.
        uint64_t reach = nonce - nonces->floor;
        if (reach > SY_NONCE_WINDOW) {
            uint64_t drop = reach - SY_NONCE_WINDOW;
            uint64_t held = nonces->highest - nonces->floor;
            raise_floor(nonces, drop < held ? drop : held);
            nonces->floor = nonce - SY_NONCE_WINDOW;
        }
        nonces->highest = nonce;
    }
    uint64_t index = nonce - nonces->floor - 1;
    SY_ASSERT(index < SY_NONCE_WINDOW);
    nonces->map[index / 8] |= (uint8_t)(1u << (index % 8));
    uint64_t run = 0;
    while (run < nonces->highest - nonces->floor && map_bit(nonces, nonces->floor + 1 + run)) run++;
    if (run > 0) raise_floor(nonces, run);
}

void sy_nonces_encode(struct sy_writer *w, const struct sy_nonces *nonces)
{
    sy_write_u64(w, nonces->highest);
    sy_write_u64(w, nonces->floor);
    sy_write_raw(w, nonces->map, map_bytes(nonces));
}

bool sy_nonces_decode(struct sy_nonces *nonces, struct sy_slice bytes)
{
    *nonces = (struct sy_nonces){.highest = 0};
    struct sy_reader r = sy_reader_of(bytes);
    nonces->highest = sy_read_u64(&r, "highest");
    nonces->floor = sy_read_u64(&r, "floor");
    uint64_t span = nonces->highest - nonces->floor;
    if (nonces->floor > nonces->highest || span > SY_NONCE_WINDOW) sy_reader_fail(&r, "floor");
    if (r.failed) return false;
    struct sy_slice map = sy_read_raw(&r, (size_t)((span + 7) / 8), "map");
    if (!sy_reader_done(&r)) return false;
    if (span == 0) return true;
    memcpy(nonces->map, map.data, map.size);
    bool tail_clear = span % 8 == 0 || nonces->map[span / 8] >> (span % 8) == 0;
    return tail_clear && (nonces->map[0] & 1) == 0 && map_bit(nonces, nonces->highest);
}
