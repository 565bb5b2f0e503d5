/* cmd_get.c: `systole get`: blocks, transactions, receipts and state entries, each with its proof
 * checked before a word of it is shown. */
#include <stdlib.h>

#include "core/base/os.h"
#include "core/client/cmd.h"
#include "core/client/show.h"
#include "core/client/valid.h"
#include "core/crypto/hash.h"
#include "core/wire/money.h"
#include "core/wire/render.h"
#include "core/wire/state_goods.h"

static const char about[] =
    "Shows what the ledger holds, verified against the genesis file:\n"
    "\n"
    "  block HEIGHT|newest   header, seals, batches; to members transaction ids\n"
    "  tx ID                 a transaction and its receipt\n"
    "  receipt ID            a transaction's receipt alone\n"
    "  record ID             a record, its first version and its heads\n"
    "  organisation ID, credential KEY, patient ID, care ID, consent ID,\n"
    "  break ID, device ID, nonces KEY\n"
    "  params current        the network's parameters, and what they will be\n"
    "  schedule ORGANISATION|regulators   the newest list of a --kind that they published\n"
    "  log ID, prefs PATIENT, ack PATIENT,\n"
    "  disclosure LOG --of PATIENT, request PATIENT --of ORGANISATION,\n"
    "  dispute ID, subscription ORGANISATION --of PATIENT\n"
    "  signer KEY            with what the validator of a consensus key signs logs\n"
    "  signer-of KEY         the consensus key of the validator that signs so\n"
    "  export ID             what was asked for, and whether it was handed over in time\n"
    "  id-map ID             whose an identifier of another system is\n"
    "  product GTIN, lot GTIN --of LOT, recall-of GTIN --of LOT, shipment ID,\n"
    "  unit 01/GTIN/21/SERIAL or 00/SSCC, event ID (of goods),\n"
    "  recall ID, prescription ID, dispensed 01/GTIN/21/SERIAL (to whom),\n"
    "  exception ID, correction EVENT (what was said of an event in error),\n"
    "  storage GTIN (the temperatures that a product bears), conditions EVENT\n"
    "  (those that goods had)\n"
    "  plan ID, coverage ID, claim ID, payment CLAIM, balance ORGANISATION,\n"
    "  claims PATIENT [--number N], remittance ORGANISATION --number N,\n"
    "  coverages PATIENT --number ORDER, used COVERAGE --number YEAR,\n"
    "  owed PAYER --of PAYEE, settlement ID --of PAYEE,\n"
    "  settlements ORGANISATION --number N (which one), service KEY (the claim\n"
    "  that stands for it),\n"
    "  auth ID (what was authorised, and how much of it is used up),\n"
    "  contest CLAIM --number 1 (appeal), 2 (the patient's) or 3 (dispute),\n"
    "  denied-lines CLAIM (what lines that were denied at once would bill),\n"
    "  billed-day KEY --number DAY (minutes that are billed of a practitioner's\n"
    "  day, since 1970), fill-billed PRESCRIPTION --number FILL (by which claim),\n"
    "  trial ID, trial-version TRIAL --number N (what was registered), trial-draw,\n"
    "  trial-lock and trial-result TRIAL, trial-site TRIAL --of ORGANISATION,\n"
    "  trial-subject TRIAL --of SUBJECT, trial-place, trial-beacon, trial-data and\n"
    "  trial-report TRIAL --number N\n"
    "  dataset ID, dataset-version DATASET --number N (what it has), query ID,\n"
    "  query-decision QUERY --of ORGANISATION, query-result QUERY,\n"
    "  contribution PATIENT, optouts current (how many there are)\n"
    "  row ORGANISATION|regulators --kind WORD --version N --row KEY\n"
    "  stream ID, firmware DEVICE, and of a stream, with --number N:\n"
    "  stream-commit ID, stream-gap ID, stream-alert ID\n"
    "\n"
    "Everything but a block's header is a signed request: the key's role, open\n"
    "care relations, consents and membership decide what it may see.\n";

enum thing { THING_BLOCK, THING_TX, THING_RECEIPT, THING_STATE };

struct thing_word {
    const char *word;
    enum thing thing;
    uint8_t state_kind;
};

static const struct thing_word things[] = {
    {"block", THING_BLOCK, 0},
    {"tx", THING_TX, 0},
    {"receipt", THING_RECEIPT, 0},
    {"record", THING_STATE, SY_STATE_RECORD},
    {"organisation", THING_STATE, SY_STATE_ORG},
    {"credential", THING_STATE, SY_STATE_CREDENTIAL},
    {"patient", THING_STATE, SY_STATE_PATIENT},
    {"care", THING_STATE, SY_STATE_CARE},
    {"consent", THING_STATE, SY_STATE_CONSENT},
    {"break", THING_STATE, SY_STATE_BREAK},
    {"device", THING_STATE, SY_STATE_DEVICE},
    {"params", THING_STATE, SY_STATE_PARAMS},
    {"schedule", THING_STATE, SY_STATE_SCHEDULE},
    {"log", THING_STATE, SY_STATE_ACCESS_LOG},
    {"disclosure", THING_STATE, SY_STATE_DISCLOSURE},
    {"signer", THING_STATE, SY_STATE_SIGNER},
    {"signer-of", THING_STATE, SY_STATE_SIGNER_OF},
    {"request", THING_STATE, SY_STATE_ACCESS_REQUEST},
    {"prefs", THING_STATE, SY_STATE_NOTIFY_PREFS},
    {"ack", THING_STATE, SY_STATE_NOTIFY_ACK},
    {"dispute", THING_STATE, SY_STATE_DISPUTE},
    {"subscription", THING_STATE, SY_STATE_SUBSCRIPTION},
    {"export", THING_STATE, SY_STATE_EXPORT},
    {"id-map", THING_STATE, SY_STATE_ID_MAP},
    {"nonces", THING_STATE, SY_STATE_NONCES},
    {"product", THING_STATE, SY_STATE_PRODUCT},
    {"lot", THING_STATE, SY_STATE_LOT},
    {"recall-of", THING_STATE, SY_STATE_LOT_RECALL},
    {"unit", THING_STATE, SY_STATE_UNIT},
    {"shipment", THING_STATE, SY_STATE_SHIPMENT},
    {"event", THING_STATE, SY_STATE_GOODS_EVENT},
    {"recall", THING_STATE, SY_STATE_RECALL},
    {"exception", THING_STATE, SY_STATE_EXCEPTION},
    {"correction", THING_STATE, SY_STATE_CORRECTION},
    {"storage", THING_STATE, SY_STATE_STORAGE},
    {"conditions", THING_STATE, SY_STATE_CONDITIONS},
    {"prescription", THING_STATE, SY_STATE_RX},
    {"dispensed", THING_STATE, SY_STATE_DISPENSED},
    {"plan", THING_STATE, SY_STATE_PLAN},
    {"coverage", THING_STATE, SY_STATE_COVERAGE},
    {"coverages", THING_STATE, SY_STATE_COVERAGES},
    {"used", THING_STATE, SY_STATE_USED},
    {"claim", THING_STATE, SY_STATE_CLAIM},
    {"claims", THING_STATE, SY_STATE_CLAIMS},
    {"payment", THING_STATE, SY_STATE_PAYMENT},
    {"remittance", THING_STATE, SY_STATE_REMITTANCE},
    {"balance", THING_STATE, SY_STATE_BALANCE},
    {"owed", THING_STATE, SY_STATE_OWED},
    {"settlement", THING_STATE, SY_STATE_SETTLEMENT},
    {"settlements", THING_STATE, SY_STATE_SETTLEMENT_PLACE},
    {"service", THING_STATE, SY_STATE_CLAIM_KEY},
    {"auth", THING_STATE, SY_STATE_AUTH},
    {"contest", THING_STATE, SY_STATE_CONTEST},
    {"denied-lines", THING_STATE, SY_STATE_DENIED_LINES},
    {"billed-day", THING_STATE, SY_STATE_BILLED_DAY},
    {"fill-billed", THING_STATE, SY_STATE_FILL_BILLED},
    {"row", THING_STATE, SY_STATE_SCHEDULE_ROW},
    {"stream", THING_STATE, SY_STATE_STREAM},
    {"stream-commit", THING_STATE, SY_STATE_STREAM_COMMIT},
    {"stream-gap", THING_STATE, SY_STATE_STREAM_GAP},
    {"stream-alert", THING_STATE, SY_STATE_STREAM_ALERT},
    {"firmware", THING_STATE, SY_STATE_FIRMWARE},
    {"trial", THING_STATE, SY_STATE_TRIAL},
    {"trial-version", THING_STATE, SY_STATE_TRIAL_VERSION},
    {"trial-site", THING_STATE, SY_STATE_TRIAL_SITE},
    {"trial-subject", THING_STATE, SY_STATE_TRIAL_SUBJECT},
    {"trial-place", THING_STATE, SY_STATE_TRIAL_PLACE},
    {"trial-beacon", THING_STATE, SY_STATE_TRIAL_BEACON},
    {"trial-data", THING_STATE, SY_STATE_TRIAL_DATA},
    {"trial-report", THING_STATE, SY_STATE_TRIAL_REPORT},
    {"trial-draw", THING_STATE, SY_STATE_TRIAL_DRAW},
    {"trial-lock", THING_STATE, SY_STATE_TRIAL_LOCK},
    {"trial-result", THING_STATE, SY_STATE_TRIAL_RESULT},
    {"dataset", THING_STATE, SY_STATE_DATASET},
    {"dataset-version", THING_STATE, SY_STATE_DATASET_VERSION},
    {"query", THING_STATE, SY_STATE_QUERY},
    {"query-decision", THING_STATE, SY_STATE_QUERY_DECISION},
    {"query-result", THING_STATE, SY_STATE_QUERY_RESULT},
    {"contribution", THING_STATE, SY_STATE_CONTRIBUTION},
    {"optouts", THING_STATE, SY_STATE_OPTOUTS},
};

struct get {
    const struct sy_cmd *cmd;
    struct sy_cmd_where where;
    const char *proof, *key_path, *purpose, *kind;
    uint64_t max_age_s, version;
    const char *of; /* the other one, of an entry about two */
    const char *row;
    uint64_t number;
    const struct thing_word *thing;
    const char *id;
    struct sy_cmd_net *net;
    sy_asker *asker;
    sy_secret_key *key;
    struct sy_read_request read;
    struct sy_client_block block;
    struct sy_block_ids ids;
    struct sy_error ids_error; /* why there are none */
    struct sy_proven answer;
    struct sy_proven heads[SY_RECORD_HEADS_MAX];
    unsigned head_count;
    uint64_t at; /* SY_AT_NOW: not asked */
    struct sy_valid_asked then;
};

static sy_status take_purpose(struct get *get, struct sy_error *err)
{
    return sy_cmd_purpose(&get->read.purpose, get->purpose, err);
}

/* ---- blocks ------------------------------------------------------------------------------- */

/* That of the block's epoch, which is known since the block was verified. */
static const struct sy_roster *roster_of(const struct get *get)
{
    return sy_epochs_roster(sy_asker_epochs(get->asker), get->block.header.epoch);
}

static int show_block_json(const struct get *get)
{
    const struct sy_client_block *block = &get->block;
    sy_json json;
    sy_cmd_json_begin(&json);
    sy_json_key(&json, "header");
    sy_header_to_json(&json, &block->header, &block->header_hash);
    sy_json_key(&json, "certificate");
    sy_certificate_to_json(&json, &block->certificate, roster_of(get));
    sy_json_key(&json, "order");
    sy_proposal_to_json(&json, &block->order);
    sy_json_key(&json, "tx_ids");
    if (get->ids_error.status != SY_OK) {
        sy_json_null(&json);
        sy_json_put_text(&json, "tx_ids_withheld", get->ids_error.text);
        return sy_cmd_json_end(&json, SY_EXIT_DONE);
    }
    sy_json_array_begin(&json);
    for (uint32_t i = 0; i < get->ids.count; i++) sy_json_hex(&json, get->ids.ids[i].bytes, 32);
    sy_json_array_end(&json);
    sy_json_put_text(&json, "tx_ids_told_by", get->ids.told_by);
    return sy_cmd_json_end(&json, SY_EXIT_DONE);
}

static void print_ids(struct get *get)
{
    char hex[65];
    if (get->ids_error.status != SY_OK) {
        printf("%-14s not shown: %s\n", "transactions", sy_cmd_printable(get->ids_error.text));
        return;
    }
    printf("%-14s %u, as %s tells; `systole get receipt ID` proves each\n", "transactions",
           (unsigned)get->ids.count, get->ids.told_by);
    for (uint32_t i = 0; i < get->ids.count; i++) {
        sy_hex_encode(hex, get->ids.ids[i].bytes, sizeof get->ids.ids[i].bytes);
        printf("  %s\n", hex);
    }
}

static void print_hash(const char *name, const struct sy_hash *hash)
{
    char hex[65];
    sy_hex_encode(hex, hash->bytes, sizeof hash->bytes);
    printf("%-14s %s\n", name, hex);
}

static int show_block_text(struct get *get)
{
    const struct sy_client_block *block = &get->block;
    const struct sy_roster *roster = roster_of(get);
    const struct sy_header *header = &block->header;
    char time[SY_CMD_TIME_BYTES];
    char hex[65];
    sy_cmd_time(time, header->time_ms);
    printf("%-14s %llu (epoch %u, protocol %u)\n%-14s %s\n", "block",
           (unsigned long long)header->height, (unsigned)header->epoch, (unsigned)header->protocol,
           "time", time);
    print_hash("hash", &block->header_hash);
    print_hash("previous", &header->previous);
    print_hash("batches root", &header->batches_root);
    print_hash("receipts root", &header->receipts_root);
    print_hash("state root", &header->state_root);
    for (unsigned i = 0; i < block->certificate.count; i++) {
        printf("%-14s %s\n", i ? "" : "sealed by",
               roster->validators[block->certificate.seals[i].signer].name);
    }
    for (unsigned i = 0; i < block->order.count; i++) {
        const struct sy_entry *entry = &block->order.entries[i];
        sy_hex_encode(hex, entry->digest.bytes, sizeof entry->digest.bytes);
        printf("%-14s %s #%llu %s\n", i ? "" : "batches",
               entry->maker < roster->count ? roster->validators[entry->maker].name : "?",
               (unsigned long long)entry->seq, hex);
    }
    print_ids(get);
    return SY_EXIT_DONE;
}

/* Without a key, or with one that is no member's, there is the header all the same; ids_error says
 * why there are no ids, and what to do. */
static sy_status get_ids(struct get *get, struct sy_error *err)
{
    struct sy_error inner = {SY_OK, ""};
    struct sy_error *why = &get->ids_error;
    sy_status status = sy_cmd_read_key(&get->key, get->net, get->key_path, &inner);
    if (status != SY_OK && get->key_path) return sy_fail(err, status, "%s", inner.text);
    if (status != SY_OK) {
        (void)sy_fail(why, status,
                      "they are told to members only: give --key FILE, or name a key in the "
                      "client.conf");
        return SY_OK;
    }
    status = sy_asker_ids(get->asker, &get->ids, get->block.header.height, get->read.purpose,
                          get->key, &inner);
    if (status == SY_ERR_PERMISSION) {
        (void)sy_fail(why, status,
                      "no validator tells them to this key: give --key FILE of an active "
                      "organisation, a regulator or a validator");
        return SY_OK;
    }
    return status == SY_OK ? SY_OK : sy_fail(err, status, "%s", inner.text);
}

static int get_block(struct get *get)
{
    struct sy_error err = {SY_OK, ""};
    uint64_t height = SY_HEIGHT_NEWEST;
    if (get->at != SY_AT_NOW) {
        return sy_cmd_usage(get->cmd, "--at goes with `get credential`");
    }
    if (strcmp(get->id, "newest") != 0 && !sy_parse_u64(&height, get->id, 0, SY_SLOT_MAX)) {
        return sy_cmd_usage(get->cmd, "'%s' is not a height; give a number, or newest", get->id);
    }
    if (take_purpose(get, &err) != SY_OK ||
        sy_asker_block(get->asker, &get->block, height, &err) != SY_OK ||
        get_ids(get, &err) != SY_OK) {
        return sy_cmd_fail(get->cmd, &err);
    }
    return get->cmd->json ? show_block_json(get) : show_block_text(get);
}

/* ---- transactions ------------------------------------------------------------------------- */

static int show_tx(struct get *get)
{
    const struct sy_receipt_proof *proof = &get->answer.proof.receipt;
    struct sy_tx tx;
    sy_json json;
    bool with_tx = proof->with_tx && sy_tx_decode(&tx, NULL, proof->tx, NULL) == SY_APPLIED;
    if (get->cmd->json) {
        sy_cmd_json_begin(&json);
        sy_json_key(&json, "receipt");
        sy_receipt_to_json(&json, &get->answer.receipt);
        if (with_tx) {
            sy_json_key(&json, "tx");
            sy_tx_to_json(&json, &tx);
        }
        sy_show_proof(&json, &get->answer.proof, &get->net->genesis);
        return sy_cmd_json_end(&json, SY_EXIT_DONE);
    }
    sy_show_receipt_lines(stdout, &get->answer.receipt);
    sy_show_proof_line(stdout, &get->answer.proof, &get->net->genesis);
    if (with_tx) {
        sy_json_init_growing(&json, 16u << 20);
        sy_json_set_pretty(&json);
        sy_tx_to_json(&json, &tx);
        sy_show_pretty(stdout, &json);
    }
    return SY_EXIT_DONE;
}

/* ---- state -------------------------------------------------------------------------------- */

/* The heads of a record besides its first version, which stands in the record itself. */
static sy_status read_heads(struct get *get, struct sy_error *err)
{
    struct sy_record record;
    if (get->read.state_kind != SY_STATE_RECORD || !get->answer.proof.state.present) return SY_OK;
    if (!sy_record_decode(&record, get->answer.proof.state.value)) {
        return sy_fail(err, SY_ERR_VERSION, "the record proven is of an unknown form: upgrade");
    }
    for (unsigned i = 0; i < record.head_count; i++) {
        if (record.heads[i] == 1) continue;
        struct sy_read_request read = get->read;
        read.state_kind = SY_STATE_RECORD_VERSION;
        sy_store_u32(read.second.bytes, record.heads[i]);
        SY_TRY(sy_asker_read(get->asker, &get->heads[get->head_count], &read, get->key,
                             (int64_t)get->max_age_s * 1000, err));
        get->head_count++;
    }
    return SY_OK;
}

/* Of an export: as of the block that proves it. */
static void put_overdue(const struct get *get, sy_json *json)
{
    struct sy_export export;
    const struct sy_proof *proof = &get->answer.proof;
    if (get->read.state_kind != SY_STATE_EXPORT) return;
    if (!sy_export_decode(&export, proof->state.value)) return;
    sy_json_put_bool(json, "overdue", !export.fulfilled && proof->header.time_ms > export.due_ms);
}

static void put_entries(const struct get *get, sy_json *json)
{
    const struct sy_state_proof *state = &get->answer.proof.state;
    sy_json_put_bool(json, "present", state->present);
    if (!state->present) return;
    sy_json_key(json, get->thing->word);
    sy_show_state(json, get->read.state_kind, state->value);
    put_overdue(get, json);
    if (get->read.state_kind != SY_STATE_RECORD) return;
    sy_json_key(json, "heads");
    sy_json_array_begin(json);
    for (unsigned i = 0; i < get->head_count; i++) {
        const struct sy_state_proof *head = &get->heads[i].proof.state;
        if (head->present) sy_show_state(json, SY_STATE_RECORD_VERSION, head->value);
    }
    sy_json_array_end(json);
}

/* What --at asks of a credential; --proof keeps it instead of the entry alone. */
static sy_status judge_at(struct get *get, struct sy_error *err)
{
    struct sy_public_key credential;
    memcpy(credential.bytes, get->read.id.bytes, sizeof credential.bytes);
    sy_asker_expect(get->asker, get->answer.proof.header.height);
    SY_TRY(sy_valid_ask(&get->then, get->asker, &credential, get->at, get->read.purpose, get->key,
                        (int64_t)get->max_age_s * 1000, err));
    return get->proof ? sy_valid_keep(&get->then, get->asker, get->proof, err) : SY_OK;
}

static sy_status keep_proof(struct get *get, struct sy_error *err)
{
    if (get->at != SY_AT_NOW) return judge_at(get, err);
    if (!get->proof) return SY_OK;
    return sy_os_write_file(get->proof, get->answer.bytes, get->answer.size, 0644, err);
}

static void print_at(const struct get *get)
{
    char time[SY_CMD_TIME_BYTES], block[SY_CMD_TIME_BYTES];
    const struct sy_valid *valid = &get->then.valid;
    if (get->at == SY_AT_NOW) return;
    sy_cmd_time(time, valid->time_ms);
    sy_cmd_time(block, valid->block.time_ms);
    if (valid->time_ms != valid->block.time_ms) printf("at %s, ", time);
    printf("at block %llu of %s %s\n", (unsigned long long)valid->block.height, block,
           sy_at_verdict_sentence(get->then.verdict));
}

static void put_at(const struct get *get, sy_json *json)
{
    const struct sy_valid *valid = &get->then.valid;
    if (get->at == SY_AT_NOW) return;
    sy_json_put_u64(json, "at_height", valid->block.height);
    sy_json_put_i64(json, "at_ms", valid->time_ms);
    sy_json_put_bool(json, "valid", get->then.verdict == SY_AT_VALID);
    sy_json_put_text(json, "verdict", sy_at_verdict_sentence(get->then.verdict));
}

static int show_state(struct get *get)
{
    const struct sy_proof *proof = &get->answer.proof;
    bool valid = get->at == SY_AT_NOW || get->then.verdict == SY_AT_VALID;
    int code = proof->state.present && valid ? SY_EXIT_DONE : SY_EXIT_REFUSED;
    sy_json json;
    if (get->cmd->json) {
        sy_cmd_json_begin(&json);
        put_entries(get, &json);
        put_at(get, &json);
        sy_show_proof(&json, proof, &get->net->genesis);
        return sy_cmd_json_end(&json, code);
    }
    if (proof->state.present) {
        sy_json_init_growing(&json, 1u << 20);
        sy_json_set_pretty(&json);
        sy_json_object_begin(&json);
        put_entries(get, &json);
        sy_json_object_end(&json);
        sy_show_pretty(stdout, &json);
        print_at(get);
    } else {
        printf("there is no %s %s\n", get->thing->word, get->id);
        print_at(get);
    }
    sy_show_proof_line(stdout, proof, &get->net->genesis);
    return code;
}

/* ---- reads -------------------------------------------------------------------------------- */

/* Goods are named by what stands on them. */
static sy_status take_goods(struct get *get, struct sy_error *err)
{
    struct sy_slice text = sy_slice_of(get->id, strlen(get->id));
    struct sy_slice lot = sy_slice_of(get->of, get->of ? strlen(get->of) : 0);
    struct sy_epc epc = {.number = text, .serial = lot};
    bool dispensed = get->thing->state_kind == SY_STATE_DISPENSED;
    bool unit = dispensed || get->thing->state_kind == SY_STATE_UNIT;
    bool product =
        get->thing->state_kind == SY_STATE_PRODUCT || get->thing->state_kind == SY_STATE_STORAGE;
    if (unit && !sy_epc_read(&epc, text)) {
        return sy_fail(err, SY_ERR_ARGUMENT,
                       "'%s' is neither 01/GTIN/21/SERIAL nor 00/SSCC (14 and 18 digits)", get->id);
    }
    if (!unit && (text.size != SY_GTIN_BYTES || strspn(get->id, "0123456789") != text.size)) {
        return sy_fail(err, SY_ERR_ARGUMENT, "'%s' is no GTIN: 14 digits", get->id);
    }
    if ((unit || product) ? get->of != NULL : !sy_goods_serial_good(lot)) {
        return sy_fail(err, SY_ERR_ARGUMENT,
                       "--of LOT goes with `get lot GTIN` and `get recall-of GTIN`");
    }
    if (get->version != 0) return sy_fail(err, SY_ERR_ARGUMENT, "goods have no --version");
    if (dispensed) {
        get->read.id = sy_goods_id(epc.number, epc.serial);
        return SY_OK;
    }
    get->read.id = sy_goods_text(epc.number);
    get->read.second = sy_goods_text(epc.serial);
    return SY_OK;
}

static bool is_goods(uint8_t state_kind)
{
    return state_kind == SY_STATE_PRODUCT || state_kind == SY_STATE_LOT ||
           state_kind == SY_STATE_LOT_RECALL || state_kind == SY_STATE_UNIT ||
           state_kind == SY_STATE_DISPENSED || state_kind == SY_STATE_STORAGE;
}

/* The id that is named. Parameters, opt-outs and the regulators' schedules have zeros. */
static sy_status take_id(struct get *get, struct sy_error *err)
{
    bool current =
        get->thing->state_kind == SY_STATE_PARAMS || get->thing->state_kind == SY_STATE_OPTOUTS;
    bool schedule = get->thing->state_kind == SY_STATE_SCHEDULE ||
                    get->thing->state_kind == SY_STATE_SCHEDULE_ROW;
    if (current && strcmp(get->id, "current") != 0) {
        return sy_fail(err, SY_ERR_ARGUMENT, "it is `get %s current`", get->thing->word);
    }
    if (current || (schedule && strcmp(get->id, "regulators") == 0)) return SY_OK;
    return sy_cmd_hash(&get->read.id, get->thing->word, get->id, err);
}

/* A schedule's kind, and its version unless it is the newest. */
static sy_status take_schedule(struct get *get, struct sy_error *err)
{
    struct sy_read_request *read = &get->read;
    uint16_t kind;
    if (!get->kind ||
        !sy_enum_number(&kind, &sy_enum_schedule_kind, get->kind, strlen(get->kind))) {
        return sy_fail(err, SY_ERR_ARGUMENT,
                       "say which with --kind: fees, \"procedure pairs\", \"unit limits\", "
                       "exclusions or \"code set\"");
    }
    sy_store_u16(read->second.bytes, kind);
    if (get->version == 0) return SY_OK;
    read->state_kind = SY_STATE_SCHEDULE_VERSION;
    sy_store_u32(read->second.bytes + 2, (uint32_t)get->version);
    return SY_OK;
}

/* A row of a version of a list: by its key. */
static sy_status take_row(struct get *get, struct sy_error *err)
{
    struct sy_read_request *read = &get->read;
    uint16_t kind;
    struct sy_hash publisher = read->id;
    if (!get->kind || !get->row || get->version == 0 ||
        !sy_enum_number(&kind, &sy_enum_schedule_kind, get->kind, strlen(get->kind))) {
        return sy_fail(err, SY_ERR_ARGUMENT,
                       "say which list with --kind and --version, and which row with --row, as in "
                       "--kind fees --version 1 --row hc:99213");
    }
    sy_schedule_id(&read->id, &publisher, kind, (uint32_t)get->version);
    sy_hash_leaf(&read->second, sy_slice_of(get->row, strlen(get->row)));
    return SY_OK;
}

/* An entry that is one of several, by number; a patient's claims without one: how many. */
static sy_status take_number(struct get *get, struct sy_error *err)
{
    struct sy_read_request *read = &get->read;
    if (get->number == 0 && read->state_kind == SY_STATE_CLAIMS) return SY_OK;
    if (get->number == 0) {
        return sy_fail(err, SY_ERR_ARGUMENT,
                       "say which with --number: of `get used` the year, of `get coverages` the "
                       "order, of `get contest` 1 to 3, of others a number from 1");
    }
    if (read->state_kind == SY_STATE_CLAIMS) read->state_kind = SY_STATE_CLAIM_PLACE;
    sy_store_u64(read->second.bytes, get->number);
    return SY_OK;
}

static bool is_numbered(uint8_t state_kind)
{
    return state_kind == SY_STATE_CLAIMS || state_kind == SY_STATE_USED ||
           state_kind == SY_STATE_COVERAGES || state_kind == SY_STATE_REMITTANCE ||
           state_kind == SY_STATE_CONTEST || state_kind == SY_STATE_BILLED_DAY ||
           state_kind == SY_STATE_FILL_BILLED || state_kind == SY_STATE_SETTLEMENT_PLACE ||
           state_kind == SY_STATE_STREAM_COMMIT || state_kind == SY_STATE_STREAM_GAP ||
           state_kind == SY_STATE_STREAM_ALERT || state_kind == SY_STATE_TRIAL_VERSION ||
           state_kind == SY_STATE_TRIAL_PLACE || state_kind == SY_STATE_TRIAL_DATA ||
           state_kind == SY_STATE_TRIAL_REPORT || state_kind == SY_STATE_TRIAL_BEACON ||
           state_kind == SY_STATE_DATASET_VERSION;
}

static sy_status prepare_read(struct get *get, struct sy_error *err)
{
    struct sy_read_request *read = &get->read;
    bool goods = get->thing->thing == THING_STATE && is_goods(get->thing->state_kind);
    SY_TRY(goods ? take_goods(get, err) : take_id(get, err));
    SY_TRY(take_purpose(get, err));
    read->subject = get->thing->thing == THING_TX        ? SY_READ_TX
                    : get->thing->thing == THING_RECEIPT ? SY_READ_RECEIPT
                                                         : SY_READ_STATE;
    read->state_kind = get->thing->state_kind;
    if (get->at != SY_AT_NOW && read->state_kind != SY_STATE_CREDENTIAL) {
        return sy_fail(err, SY_ERR_ARGUMENT, "--at goes with `get credential`");
    }
    if (goods) return SY_OK;
    if (read->state_kind == SY_STATE_SCHEDULE) return take_schedule(get, err);
    if (read->state_kind == SY_STATE_SCHEDULE_ROW) return take_row(get, err);
    if (is_numbered(read->state_kind)) return take_number(get, err);
    bool of_two = get->read.state_kind == SY_STATE_DISCLOSURE ||
                  get->read.state_kind == SY_STATE_ACCESS_REQUEST ||
                  get->read.state_kind == SY_STATE_SUBSCRIPTION ||
                  get->read.state_kind == SY_STATE_SETTLEMENT ||
                  get->read.state_kind == SY_STATE_OWED ||
                  get->read.state_kind == SY_STATE_TRIAL_SITE ||
                  get->read.state_kind == SY_STATE_TRIAL_SUBJECT ||
                  get->read.state_kind == SY_STATE_QUERY_DECISION;
    if (of_two != (get->of != NULL)) {
        return sy_fail(err, SY_ERR_ARGUMENT,
                       "--of goes with `get disclosure LOG` and `get subscription ORGANISATION`, a "
                       "patient, with `get request PATIENT`, `get owed PAYER`, `get settlement "
                       "ID`, `get trial-site TRIAL` and `get query-decision QUERY`, an "
                       "organisation, and with `get trial-subject TRIAL` a subject");
    }
    if (of_two) return sy_cmd_hash(&get->read.second, "--of", get->of, err);
    if (get->version == 0) return SY_OK;
    if (read->state_kind != SY_STATE_RECORD) {
        return sy_fail(err, SY_ERR_ARGUMENT, "--version goes with `get record` and `get schedule`");
    }
    if (get->version == 1) return SY_OK; // stands in the record itself
    read->state_kind = SY_STATE_RECORD_VERSION;
    sy_store_u32(read->second.bytes, (uint32_t)get->version);
    return SY_OK;
}

static int get_proven(struct get *get)
{
    struct sy_error err = {SY_OK, ""};
    sy_status status = prepare_read(get, &err);
    if (status == SY_OK) status = sy_cmd_read_key(&get->key, get->net, get->key_path, &err);
    if (status == SY_OK) {
        status = sy_asker_read(get->asker, &get->answer, &get->read, get->key,
                               (int64_t)get->max_age_s * 1000, &err);
    }
    if (status == SY_OK) status = read_heads(get, &err);
    if (status == SY_OK) status = keep_proof(get, &err);
    if (status != SY_OK) return sy_cmd_fail(get->cmd, &err);
    return get->thing->thing == THING_STATE ? show_state(get) : show_tx(get);
}

static void close_get(struct get *get)
{
    for (unsigned i = 0; i < SY_RECORD_HEADS_MAX; i++) sy_proven_free(&get->heads[i]);
    sy_proven_free(&get->answer);
    sy_valid_asked_free(&get->then);
    sy_block_ids_free(&get->ids);
    sy_secret_key_close(get->key);
    sy_asker_close(get->asker);
    sy_cmd_net_close(get->net);
}

int sy_cmd_get(int argc, char **argv)
{
    static struct get get; /* too large for a small stack; one command a process */
    get.purpose = "treatment";
    get.max_age_s = 60;
    get.at = SY_AT_NOW;
    const struct sy_option options[] = {
        {"key", SY_OPTION_TEXT, &get.key_path, "FILE",
         "key that signs the read (the client.conf's)", 0, 0},
        {"purpose", SY_OPTION_TEXT, &get.purpose, "WORD",
         "why: treatment (default), payment, operations, self, audit, research, "
         "\"public health\" or emergency",
         0, 0},
        {"proof", SY_OPTION_TEXT, &get.proof, "FILE",
         "keep the proof (.syproof; .syvalid with --at), for `systole verify`", 0, 0},
        {"version", SY_OPTION_NUMBER, &get.version, "N", "a record's or schedule's version N alone",
         1, UINT32_MAX},
        {"kind", SY_OPTION_TEXT, &get.kind, "WORD", "what a schedule is of", 0, 0},
        {"of", SY_OPTION_TEXT, &get.of, "ID",
         "the patient of a disclosure, the organisation of a request, a trial's site or subject", 0,
         0},
        {"number", SY_OPTION_NUMBER, &get.number, "N", "which one of several, from 1", 1,
         UINT32_MAX},
        {"at", SY_OPTION_NUMBER, &get.at, "WHEN",
         "was the credential valid at this height, or time in ms since 1970?", 0, SY_TIME_MS_MAX},
        {"row", SY_OPTION_TEXT, &get.row, "KEY", "a row of a list, as in hc:99213", 0, 0},
        {"max-age", SY_OPTION_NUMBER, &get.max_age_s, "SECONDS",
         "refuse proofs of a state older than this (60); 0: any", 0, 86400},
        SY_CMD_WHERE_OPTIONS(get.where),
    };
    struct sy_cmd cmd = {.name = "get",
                         .arguments = "WHAT ID",
                         .about = about,
                         .options = options,
                         .option_count = sizeof options / sizeof options[0],
                         .words_min = 2,
                         .words_max = 2};
    int exit_code;
    struct sy_error err = {SY_OK, ""};
    if (!sy_cmd_parse(&cmd, &exit_code, argc, argv)) return exit_code;
    get.cmd = &cmd;
    get.id = cmd.words[1];
    for (size_t i = 0; i < sizeof things / sizeof things[0]; i++) {
        if (strcmp(things[i].word, cmd.words[0]) == 0) get.thing = &things[i];
    }
    if (!get.thing) return sy_cmd_usage(&cmd, "there is no '%s' to get", cmd.words[0]);
    sy_status status = sy_cmd_connect(&get.net, &get.asker, &get.where, 0, &err);
    if (status != SY_OK) {
        exit_code = sy_cmd_fail(&cmd, &err);
    } else {
        exit_code = get.thing->thing == THING_BLOCK ? get_block(&get) : get_proven(&get);
    }
    close_get(&get);
    return exit_code;
}
