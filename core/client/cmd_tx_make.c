/* cmd_tx_make.c: `systole tx make`: a draft from fields. What the fields do not say (nonce,
 * organisation) is given by options or read from the network, with proof. */
#include <stdlib.h>

#include "core/base/os.h"
#include "core/client/cmd.h"
#include "core/client/cmd_tx.h"
#include "core/client/tx_json.h"
#include "core/ledger/contracts/query_table.h"
#include "core/wire/state.h"

#define AGE_MS_MAX 60000

static const char about[] =
    "Makes a draft of one transaction from its fields: a JSON object in FILE or on\n"
    "standard input, or --field NAME=VALUE for each. \"random\" draws an id, \"now\" is\n"
    "the present time. `systole explain KIND` lists the fields.\n"
    "\n"
    "With --net or --config the first signer's next nonce and organisation are read\n"
    "from the network, with proof, unless they are given. Without, --genesis names\n"
    "the network and --nonce is needed. A key that the payload enrols proves its\n"
    "possession with --prove, or later with `systole tx prove`.\n"
    "\n"
    "A change of the roster names the current one by epoch and roster_hash, as `systole\n"
    "roster` shows them. Leave approvals out: `systole tx approve` adds them.\n";

struct make_wish {
    struct sy_cmd_where where;
    const char *genesis;
    struct sy_option_list fields, cosigners, prove;
    const char *signer, *key, *read_key, *passphrase;
    const char *organisation, *out;
    uint64_t nonce;          /* 0: ask the network */
    uint64_t valid_until_ms; /* 0: an hour from now */
};

struct make {
    const struct make_wish *wish;
    const struct sy_kind *kind;
    struct sy_cmd_net *net; /* NULL: offline */
    struct sy_genesis *genesis;
    struct sy_tx tx;
    uint8_t *payload;
};

/* ---- signers ------------------------------------------------------------------------------ */

static sy_status public_half(struct sy_public_key *out, const char *path, const char *passphrase,
                             struct sy_error *err)
{
    sy_secret_key *key = NULL;
    SY_TRY(sy_secret_key_load(&key, path, passphrase, err));
    sy_secret_key_public(key, out);
    sy_secret_key_close(key);
    return SY_OK;
}

static sy_status take_signers(struct make *make, struct sy_error *err)
{
    const struct make_wish *wish = make->wish;
    struct sy_hash half;
    if (!wish->signer == !wish->key) {
        return sy_fail(err, SY_ERR_ARGUMENT,
                       "say who signs first: --signer HEX (a public key) or --key FILE");
    }
    if (wish->key) {
        SY_TRY(public_half(&make->tx.signer, wish->key, wish->passphrase, err));
    } else {
        SY_TRY(sy_cmd_hash(&half, "--signer", wish->signer, err));
        memcpy(make->tx.signer.bytes, half.bytes, sizeof half.bytes);
    }
    if (wish->cosigners.count > SY_TX_COSIGNERS_MAX) {
        return sy_fail(err, SY_ERR_ARGUMENT, "at most %u --cosigner", SY_TX_COSIGNERS_MAX);
    }
    for (unsigned i = 0; i < wish->cosigners.count; i++) {
        SY_TRY(sy_cmd_hash(&half, "--cosigner", wish->cosigners.items[i], err));
        memcpy(make->tx.cosigners[i].bytes, half.bytes, sizeof half.bytes);
    }
    make->tx.cosigner_count = (uint8_t)wish->cosigners.count;
    return SY_OK;
}

/* ---- what the network knows --------------------------------------------------------------- */

static sy_status read_of_signer(struct sy_proven *answer, sy_asker *asker, const struct make *make,
                                const sy_secret_key *key, enum sy_state_kind kind,
                                struct sy_error *err)
{
    struct sy_read_request read = {
        .subject = SY_READ_STATE, .state_kind = (uint8_t)kind, .purpose = SY_PURPOSE_OPERATIONS};
    memcpy(read.id.bytes, make->tx.signer.bytes, sizeof read.id.bytes);
    return sy_asker_read(asker, answer, &read, key, AGE_MS_MAX, err);
}

static sy_status take_nonce(struct make *make, const struct sy_proven *answer, struct sy_error *err)
{
    struct sy_nonces nonces;
    memset(&nonces, 0, sizeof nonces);
    if (answer->proof.state.present && !sy_nonces_decode(&nonces, answer->proof.state.value)) {
        return sy_fail(err, SY_ERR_VERSION, "the nonces proven are of an unknown form: upgrade");
    }
    make->tx.nonce = nonces.highest + 1;
    return SY_OK;
}

static sy_status take_organisation(struct make *make, const struct sy_proven *answer,
                                   struct sy_error *err)
{
    struct sy_credential credential;
    if (!answer->proof.state.present) return SY_OK; // a key that this very transaction enrols
    if (!sy_credential_decode(&credential, answer->proof.state.value)) {
        return sy_fail(err, SY_ERR_VERSION, "the credential proven is of an unknown form: upgrade");
    }
    bool for_itself = credential.role == SY_ROLE_REGULATOR || credential.role == SY_ROLE_PATIENT;
    if (!for_itself) make->tx.organisation = credential.holder;
    return SY_OK;
}

static sy_status ask_network(struct make *make, struct sy_error *err)
{
    static struct sy_proven answer; /* too large for a small stack; one command a process */
    const struct make_wish *wish = make->wish;
    sy_asker *asker = NULL;
    sy_secret_key *key = NULL;
    SY_TRY(sy_cmd_read_key(&key, make->net, wish->read_key ? wish->read_key : wish->key, err));
    sy_status status = sy_cmd_asker(&asker, make->net, 0, err);
    if (status == SY_OK && wish->nonce == 0) {
        status = read_of_signer(&answer, asker, make, key, SY_STATE_NONCES, err);
        if (status == SY_OK) status = take_nonce(make, &answer, err);
    }
    if (status == SY_OK && !wish->organisation) {
        status = read_of_signer(&answer, asker, make, key, SY_STATE_CREDENTIAL, err);
        if (status == SY_OK) status = take_organisation(make, &answer, err);
    }
    sy_proven_free(&answer);
    sy_asker_close(asker);
    sy_secret_key_close(key);
    return status;
}

static sy_status take_envelope(struct make *make, struct sy_error *err)
{
    const struct make_wish *wish = make->wish;
    make->tx.kind = make->kind->number;
    make->tx.nonce = wish->nonce;
    make->tx.valid_until_ms =
        wish->valid_until_ms ? (int64_t)wish->valid_until_ms : sy_os_wall_ms() + 3600 * 1000;
    if (wish->organisation) {
        SY_TRY(sy_cmd_hash(&make->tx.organisation, "--organisation", wish->organisation, err));
    }
    if (make->net && (wish->nonce == 0 || !wish->organisation)) return ask_network(make, err);
    if (wish->nonce != 0) return SY_OK;
    return sy_fail(err, SY_ERR_ARGUMENT,
                   "--nonce is missing: give one above the highest that the first signer used, or "
                   "--net or --config to have it read");
}

/* ---- the payload -------------------------------------------------------------------------- */

static sy_status take_payload(struct make *make, const char *path, struct sy_error *err)
{
    const struct make_wish *wish = make->wish;
    make->payload = (uint8_t *)malloc(SY_TX_BYTES_MAX);
    if (!make->payload) return sy_fail(err, SY_ERR_NO_MEMORY, "payload: no memory");
    struct sy_writer w = sy_writer_of(make->payload, SY_TX_BYTES_MAX);
    sy_status status;
    if (wish->fields.count > 0) {
        status =
            sy_payload_from_fields(&w, make->kind, wish->fields.items, wish->fields.count, err);
    } else {
        uint8_t *text = NULL;
        size_t size = 0;
        SY_TRY(sy_cmd_read_input(&text, &size, path, SY_TX_JSON_BYTES_MAX, err));
        status = sy_payload_from_json(&w, make->kind, sy_slice_of(text, size), path, err);
        free(text);
    }
    make->tx.payload = sy_writer_slice(&w);
    return status;
}

/* What validators refuse stands in its block all the same, for everybody to read. */
static sy_status check_table(const struct make *make, struct sy_error *err)
{
    union sy_payload payload;
    unsigned row = 0, column = 0;
    if (make->kind->number != SY_KIND_query_result) return SY_OK;
    if (!sy_payload_decode(&payload, make->kind, make->tx.payload, NULL)) {
        return sy_fail(err, SY_ERR_ARGUMENT, "the fields are no query.result");
    }
    const struct sy_query_result *p = &payload.query_result;
    struct sy_query_answer answer = {.k = p->k,
                                     .has_total = p->has_total,
                                     .total = p->total,
                                     .rows = p->rows,
                                     .columns = p->columns,
                                     .cells = p->cells,
                                     .row_totals = p->row_totals,
                                     .column_totals = p->column_totals};
    enum sy_refusal code =
        sy_query_table_shape(&answer) ? sy_query_table_check(&answer, &row, &column) : SY_E_TABLE;
    if (code == SY_APPLIED) return SY_OK;
    const struct sy_refusal_info *info = sy_refusal_info((uint16_t)code);
    return sy_fail(err, SY_ERR_ARGUMENT,
                   "%s, row %u, column %u: %s; it is not made, since what is refused can be read "
                   "in its block: hide more",
                   info->name, row, column, info->sentence);
}

static sy_status prove(const struct make *make, sy_draft *draft, struct sy_error *err)
{
    for (unsigned i = 0; i < make->wish->prove.count; i++) {
        sy_secret_key *key = NULL;
        unsigned proven;
        SY_TRY(sy_secret_key_load(&key, make->wish->prove.items[i], make->wish->passphrase, err));
        sy_status status = sy_draft_prove(draft, &proven, key, make->genesis, err);
        sy_secret_key_close(key);
        SY_TRY(status);
    }
    return SY_OK;
}

static sy_status open_network(struct make *make, struct sy_error *err)
{
    const struct make_wish *wish = make->wish;
    if (wish->where.net || wish->where.config) {
        SY_TRY(sy_cmd_net_open(&make->net, &wish->where, err));
    }
    return sy_cmd_genesis(&make->genesis, wish->genesis, &wish->where, err);
}

static sy_status run_make(struct make *make, const char *path, bool tells, struct sy_error *err)
{
    sy_draft *draft = NULL;
    sy_status status = open_network(make, err);
    if (status == SY_OK) status = take_signers(make, err);
    if (status == SY_OK) status = take_payload(make, path, err);
    if (status == SY_OK) status = check_table(make, err);
    if (status == SY_OK) status = take_envelope(make, err);
    if (status == SY_OK) status = sy_draft_make(&draft, make->genesis, &make->tx, err);
    if (status == SY_OK) status = prove(make, draft, err);
    if (status == SY_OK) status = sy_cmd_draft_save(draft, make->wish->out, tells, err);
    sy_draft_close(draft);
    free(make->payload);
    free(make->genesis);
    sy_cmd_net_close(make->net);
    return status;
}

int sy_cmd_tx_make(int argc, char **argv)
{
    static struct make_wish wish; /* its lists are long */
    const struct sy_option options[] = {
        {"field", SY_OPTION_LIST, &wish.fields, "NAME=VALUE",
         "a field; lists are separated by commas", 0, 0},
        {"signer", SY_OPTION_TEXT, &wish.signer, "HEX", "public key of the first signer", 0, 0},
        {"key", SY_OPTION_TEXT, &wish.key, "FILE", "the first signer's key, instead of --signer", 0,
         0},
        {"cosigner", SY_OPTION_LIST, &wish.cosigners, "HEX", "public key of a further signer", 0,
         0},
        {"organisation", SY_OPTION_TEXT, &wish.organisation, "HEX",
         "id of the organisation that the first signer acts for", 0, 0},
        {"nonce", SY_OPTION_NUMBER, &wish.nonce, "N", "number that the first signer never used", 1,
         UINT64_MAX},
        {"valid-until", SY_OPTION_NUMBER, &wish.valid_until_ms, "MS",
         "last block time at which it may run, ms since 1970 (in an hour)", 1, SY_TIME_MS_MAX},
        {"prove", SY_OPTION_LIST, &wish.prove, "FILE",
         "a key that the payload enrols: prove its possession", 0, 0},
        {"read-key", SY_OPTION_TEXT, &wish.read_key, "FILE",
         "key that signs the reads (the first signer's, or the client.conf's)", 0, 0},
        {"passphrase", SY_OPTION_TEXT, &wish.passphrase, "FILE", "passphrase of these keys", 0, 0},
        {"out", SY_OPTION_TEXT, &wish.out, "FILE", "where the draft goes (standard output)", 0, 0},
        {"genesis", SY_OPTION_TEXT, &wish.genesis, "FILE", "the network's genesis file", 0, 0},
        SY_CMD_WHERE_OPTIONS(wish.where),
    };
    struct sy_cmd cmd = {.name = "tx make",
                         .arguments = "KIND [FILE|-]",
                         .about = about,
                         .options = options,
                         .option_count = sizeof options / sizeof options[0],
                         .words_min = 1,
                         .words_max = 2};
    int exit_code;
    struct sy_error err = {SY_OK, ""};
    if (!sy_cmd_parse(&cmd, &exit_code, argc, argv)) return exit_code;
    struct make make = {.wish = &wish, .kind = sy_kind_by_name(cmd.words[0])};
    if (!make.kind) {
        return sy_cmd_usage(&cmd, "there is no kind '%s'; `systole explain` lists them",
                            cmd.words[0]);
    }
    if (wish.fields.count > 0 && cmd.word_count > 1) {
        return sy_cmd_usage(&cmd, "give the fields by --field or in FILE, not both");
    }
    const char *path = cmd.word_count > 1 ? cmd.words[1] : "-";
    return run_make(&make, path, cmd.json, &err) == SY_OK ? SY_EXIT_DONE : sy_cmd_fail(&cmd, &err);
}
