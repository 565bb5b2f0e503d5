/* cmd_get.c: `systole get`: blocks, transactions, receipts and state entries, each with its proof
 * checked before a word of it is shown. */
#include <stdlib.h>

#include "core/base/os.h"
#include "core/client/cmd.h"
#include "core/client/show.h"
#include "core/wire/render.h"
#include "core/wire/state.h"

static const char about[] =
    "Shows what the ledger holds, verified against the genesis file:\n"
    "\n"
    "  block HEIGHT|newest   header, seals, batches; to members transaction ids\n"
    "  tx ID                 a transaction and its receipt\n"
    "  receipt ID            a transaction's receipt alone\n"
    "  record ID             a record, its first version and its heads\n"
    "  organisation ID, credential KEY, patient ID, care ID, consent ID,\n"
    "  break ID, nonces KEY\n"
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
    {"nonces", THING_STATE, SY_STATE_NONCES},
};

struct get {
    const struct sy_cmd *cmd;
    struct sy_cmd_where where;
    const char *proof, *key_path, *purpose;
    uint64_t max_age_s, version;
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

static void put_entries(const struct get *get, sy_json *json)
{
    const struct sy_state_proof *state = &get->answer.proof.state;
    sy_json_put_bool(json, "present", state->present);
    if (!state->present) return;
    sy_json_key(json, get->thing->word);
    sy_show_state(json, get->read.state_kind, state->value);
    if (get->read.state_kind != SY_STATE_RECORD) return;
    sy_json_key(json, "heads");
    sy_json_array_begin(json);
    for (unsigned i = 0; i < get->head_count; i++) {
        const struct sy_state_proof *head = &get->heads[i].proof.state;
        if (head->present) sy_show_state(json, SY_STATE_RECORD_VERSION, head->value);
    }
    sy_json_array_end(json);
}

static int show_state(struct get *get)
{
    const struct sy_proof *proof = &get->answer.proof;
    int code = proof->state.present ? SY_EXIT_DONE : SY_EXIT_REFUSED;
    sy_json json;
    if (get->cmd->json) {
        sy_cmd_json_begin(&json);
        put_entries(get, &json);
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
    } else {
        printf("there is no %s %s\n", get->thing->word, get->id);
    }
    sy_show_proof_line(stdout, proof, &get->net->genesis);
    return code;
}

/* ---- reads -------------------------------------------------------------------------------- */

static sy_status prepare_read(struct get *get, struct sy_error *err)
{
    struct sy_read_request *read = &get->read;
    SY_TRY(sy_cmd_hash(&read->id, get->thing->word, get->id, err));
    SY_TRY(take_purpose(get, err));
    read->subject = get->thing->thing == THING_TX        ? SY_READ_TX
                    : get->thing->thing == THING_RECEIPT ? SY_READ_RECEIPT
                                                         : SY_READ_STATE;
    read->state_kind = get->thing->state_kind;
    if (get->version == 0) return SY_OK;
    if (read->state_kind != SY_STATE_RECORD) {
        return sy_fail(err, SY_ERR_ARGUMENT, "--version goes with `get record`");
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
    if (status == SY_OK && get->proof) {
        status = sy_os_write_file(get->proof, get->answer.bytes, get->answer.size, 0644, &err);
    }
    if (status != SY_OK) return sy_cmd_fail(get->cmd, &err);
    return get->thing->thing == THING_STATE ? show_state(get) : show_tx(get);
}

static void close_get(struct get *get)
{
    for (unsigned i = 0; i < SY_RECORD_HEADS_MAX; i++) sy_proven_free(&get->heads[i]);
    sy_proven_free(&get->answer);
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
    const struct sy_option options[] = {
        {"key", SY_OPTION_TEXT, &get.key_path, "FILE",
         "key that signs the read (the client.conf's)", 0, 0},
        {"purpose", SY_OPTION_TEXT, &get.purpose, "WORD",
         "why: treatment (default), payment, operations, self, audit, research, "
         "\"public health\" or emergency",
         0, 0},
        {"proof", SY_OPTION_TEXT, &get.proof, "FILE", "keep the proof (.syproof)", 0, 0},
        {"version", SY_OPTION_NUMBER, &get.version, "N", "a record's version N alone", 1,
         UINT32_MAX},
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
