/* cmd_record_erase.c: `systole record erase`: a record is erased on the ledger, and what this
 * client knows of its content is destroyed.
 *
 *     record.erase --> final --+
 *     the ledger says so ------+--> salts overwritten --> rows of versions forgotten
 *
 * In this order, so that nothing is destroyed that the ledger refuses to let go. Whoever is
 * interrupted between runs the command again: it finds the record erased and goes on from there. */
#include <stdlib.h>

#include "core/base/os.h"
#include "core/client/client_store.h"
#include "core/client/cmd.h"
#include "core/client/cmd_record.h"
#include "core/client/may_read.h"
#include "core/client/show.h"
#include "core/client/tx_draft.h"
#include "core/wire/state.h"

#define PAYLOAD_BYTES 256u
#define AGE_MS_MAX 60000
#define SETTLE_MS 30000

static const char about[] =
    "Erases a record: sends record.erase, signed by --key (an admin of the\n"
    "organisation that holds it, or the patient) and --cosign (the patient or a\n"
    "regulator, as the basis needs), and once that is final, or the ledger has it\n"
    "already, destroys the salts of all its versions in the client's own store.\n"
    "Without its salt a commitment says nothing about what was committed to.\n"
    "\n"
    "Basis: \"consent withdrawn\", unlawful, \"legal duty\" or \"retention over\"\n"
    "(`systole explain record.erase`). Content that is kept elsewhere, and copies of\n"
    "the store, have to be destroyed there.\n";

struct erase_run {
    const struct sy_cmd *cmd;
    struct sy_cmd_where where;
    const char *key_path, *read_key, *basis, *passphrase;
    struct sy_option_list cosign;
    bool local;
    struct sy_hash record_id;
    struct sy_cmd_net *net;
    sy_asker *asker;
    sy_secret_key *reads; /* signs the reads */
    sy_secret_key *key;   /* signs first */
    struct sy_may_reader reader;
    struct sy_proven final;
    struct sy_record record; /* without what it borrows */
    bool sent;
    bool known;     /* the client's store has it */
    unsigned salts; /* destroyed here */
};

/* ---- the ledger --------------------------------------------------------------------------- */

static sy_status read_record(struct erase_run *run, struct sy_error *err)
{
    struct sy_slice value;
    sy_status status = sy_may_read(&run->reader, &value, SY_STATE_RECORD, &run->record_id, NULL);
    if (status == SY_ERR_NOT_FOUND) {
        return sy_fail(err, SY_ERR_NOT_FOUND, "the ledger has no record %s", run->cmd->words[0]);
    }
    if (status != SY_OK) return status;
    if (sy_record_decode(&run->record, value)) return SY_OK;
    return sy_fail(err, SY_ERR_VERSION, "the record proven is of an unknown form: upgrade");
}

/* The first signer's nonce and organisation, as state has them. */
static sy_status take_envelope(struct erase_run *run, struct sy_tx *tx, struct sy_error *err)
{
    struct sy_hash id;
    struct sy_slice value;
    struct sy_nonces nonces = {.highest = 0};
    struct sy_credential credential;
    memcpy(id.bytes, tx->signer.bytes, sizeof id.bytes);
    sy_status status = sy_may_read(&run->reader, &value, SY_STATE_NONCES, &id, NULL);
    if (status == SY_OK && !sy_nonces_decode(&nonces, value)) status = SY_ERR_VERSION;
    if (status != SY_OK && status != SY_ERR_NOT_FOUND) return status;
    tx->nonce = nonces.highest + 1;
    tx->valid_until_ms = sy_os_wall_ms() + 3600 * 1000;
    status = sy_may_read(&run->reader, &value, SY_STATE_CREDENTIAL, &id, NULL);
    if (status == SY_OK && !sy_credential_decode(&credential, value)) status = SY_ERR_VERSION;
    if (status == SY_ERR_NOT_FOUND) return sy_fail(err, status, "the key of --key is not enrolled");
    if (status == SY_ERR_VERSION) return sy_fail(err, status, "a proven value of an unknown form");
    if (status != SY_OK) return status;
    if (credential.role != SY_ROLE_PATIENT) tx->organisation = credential.holder;
    return SY_OK;
}

/* The key given, or the one that the importer made for an admin of the record's organisation. */
static sy_status choose_key(struct erase_run *run, struct sy_error *err)
{
    static const char what[] = "admin";
    sy_client_store *store = NULL;
    struct sy_hash name;
    char hex[65], path[SY_CMD_PATH_MAX + 80];
    struct sy_error why = {SY_OK, ""};
    if (run->key_path) return sy_secret_key_load(&run->key, run->key_path, run->passphrase, err);
    sy_status status = sy_client_store_open(&store, run->net->client, &run->net->genesis.hash,
                                            SY_CLIENT_STORE_READ, &why);
    if (status == SY_OK) {
        sy_client_label(store, &name, SY_LABEL_KEY, sy_slice_of(what, sizeof what - 1),
                        sy_slice_of(run->record.holder.bytes, sizeof run->record.holder.bytes),
                        sy_slice_of(NULL, 0));
        sy_hex_encode(hex, name.bytes, sizeof name.bytes);
        (void)snprintf(path, sizeof path, "%s/keys/%s.pem", run->net->client, hex);
        status = sy_secret_key_load(&run->key, path, NULL, &why);
    }
    sy_client_store_close(store);
    if (status == SY_OK) return SY_OK;
    return sy_fail(err, SY_ERR_ARGUMENT,
                   "no admin's key of the record's holder is here: give --key FILE (%.200s)",
                   why.text);
}

static sy_status load_cosigner(const struct erase_run *run, sy_secret_key **key, unsigned index,
                               struct sy_error *err)
{
    return sy_secret_key_load(key, run->cosign.items[index], run->passphrase, err);
}

static sy_status fill_signers(struct erase_run *run, struct sy_tx *tx, struct sy_error *err)
{
    sy_secret_key_public(run->key, &tx->signer);
    if (run->cosign.count > SY_TX_COSIGNERS_MAX) {
        return sy_fail(err, SY_ERR_ARGUMENT, "at most %u --cosign", SY_TX_COSIGNERS_MAX);
    }
    for (unsigned i = 0; i < run->cosign.count; i++) {
        sy_secret_key *key = NULL;
        SY_TRY(load_cosigner(run, &key, i, err));
        sy_secret_key_public(key, &tx->cosigners[i]);
        sy_secret_key_close(key);
    }
    tx->cosigner_count = (uint8_t)run->cosign.count;
    return SY_OK;
}

static sy_status sign_all(struct erase_run *run, sy_draft *draft, struct sy_error *err)
{
    unsigned place;
    SY_TRY(sy_draft_sign(draft, &place, run->key, &run->net->genesis, err));
    for (unsigned i = 0; i < run->cosign.count; i++) {
        sy_secret_key *key = NULL;
        SY_TRY(load_cosigner(run, &key, i, err));
        sy_status status = sy_draft_sign(draft, &place, key, &run->net->genesis, err);
        sy_secret_key_close(key);
        SY_TRY(status);
    }
    return sy_draft_check(draft, &run->net->genesis, err);
}

static sy_status judge_receipt(const struct sy_receipt *receipt, struct sy_error *err)
{
    if (receipt->code == SY_APPLIED) return SY_OK;
    const struct sy_refusal_info *info = sy_refusal_info(receipt->code);
    char until[SY_CMD_TIME_BYTES + 16] = "";
    if (receipt->code == SY_E_RETENTION) {
        char time[SY_CMD_TIME_BYTES];
        sy_cmd_time(time, (int64_t)receipt->detail);
        (void)snprintf(until, sizeof until, " (until %s)", time);
    }
    return sy_fail(err, SY_ERR_PERMISSION, "refused: %s, %s%s: %s", info->name, info->sentence,
                   until, info->remedy);
}

static sy_status send_erase(struct erase_run *run, struct sy_error *err)
{
    uint8_t room[PAYLOAD_BYTES];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    union sy_payload payload = {0};
    struct sy_tx tx = {.kind = SY_KIND_record_erase};
    sy_draft *draft = NULL;
    uint16_t code;
    payload.record_erase.record_id = run->record_id;
    if (!run->basis || !sy_enum_number(&payload.record_erase.basis, &sy_enum_erase_basis,
                                       run->basis, strlen(run->basis))) {
        return sy_fail(err, SY_ERR_ARGUMENT,
                       "give --basis: \"consent withdrawn\", unlawful, \"legal duty\" or "
                       "\"retention over\"");
    }
    SY_TRY(choose_key(run, err));
    SY_TRY(fill_signers(run, &tx, err));
    SY_TRY(take_envelope(run, &tx, err));
    sy_payload_encode(&w, sy_kind_by_number(tx.kind), &payload);
    tx.payload = sy_writer_slice(&w);
    sy_status status = sy_draft_make(&draft, &run->net->genesis, &tx, err);
    if (status == SY_OK) status = sign_all(run, draft, err);
    if (status == SY_OK) {
        status = sy_asker_settle(run->asker, &run->final, &code, sy_draft_bytes(draft), false,
                                 SETTLE_MS, err);
    }
    sy_draft_close(draft);
    if (status == SY_OK) sy_cmd_saw(run->net, run->asker);
    if (status == SY_OK) status = judge_receipt(&run->final.receipt, err);
    run->sent = status == SY_OK;
    return status;
}

/* ---- the client's store ------------------------------------------------------------------- */

static sy_status destroy(struct erase_run *run, struct sy_error *err)
{
    sy_client_store *store = NULL;
    struct sy_hash label;
    struct sy_error why = {SY_OK, ""};
    sy_status status = sy_client_store_open(&store, run->net->client, &run->net->genesis.hash,
                                            SY_CLIENT_STORE_READ, &why);
    sy_client_store_close(store);
    if (status == SY_ERR_NOT_FOUND) return SY_OK; // and none is made
    if (status != SY_OK) return sy_fail(err, status, "%s", why.text);
    SY_TRY(sy_client_store_open(&store, run->net->client, &run->net->genesis.hash,
                                SY_CLIENT_STORE_WRITE, err));
    status = sy_client_find_label(store, &label, &run->record_id, err);
    run->known = status == SY_OK;
    if (status == SY_OK) status = sy_client_erase_record(store, &run->salts, &label, err);
    if (status == SY_OK) status = sy_client_store_commit(store, err);
    sy_client_store_close(store);
    return status == SY_ERR_NOT_FOUND && !run->known ? SY_OK : status;
}

/* ---- the run ------------------------------------------------------------------------------ */

static sy_status run_erase(struct erase_run *run, struct sy_error *err)
{
    SY_TRY(sy_cmd_hash(&run->record_id, "RECORD", run->cmd->words[0], err));
    SY_TRY(sy_cmd_connect(&run->net, &run->asker, &run->where, 0, err));
    SY_TRY(sy_cmd_read_key(&run->reads, run->net, run->read_key, err));
    run->reader = (struct sy_may_reader){
        .asker = run->asker, .key = run->reads, .max_age_ms = AGE_MS_MAX, .err = err};
    SY_TRY(read_record(run, err));
    if (!run->record.erased && run->local) {
        return sy_fail(err, SY_ERR_PERMISSION,
                       "the ledger does not say that it was erased, so nothing is destroyed; "
                       "leave --local out, with --basis");
    }
    if (!run->record.erased) SY_TRY(send_erase(run, err));
    return destroy(run, err);
}

static int tell_erased(const struct erase_run *run)
{
    uint64_t height = run->sent ? run->final.receipt.height : run->record.erased_height;
    if (run->cmd->json) {
        sy_json json;
        sy_cmd_json_begin(&json);
        sy_json_put_hex(&json, "record", run->record_id.bytes, sizeof run->record_id.bytes);
        sy_json_put_u64(&json, "erased_height", height);
        sy_json_put_bool(&json, "sent", run->sent);
        sy_json_put_bool(&json, "known_here", run->known);
        sy_json_put_u64(&json, "salts_destroyed", run->salts);
        return sy_cmd_json_end(&json, SY_EXIT_DONE);
    }
    printf("erased on the ledger %s block %llu\n", run->sent ? "by" : "already, in",
           (unsigned long long)height);
    if (run->known) {
        printf("%u salt%s of it destroyed in %s\n", run->salts, run->salts == 1 ? "" : "s",
               run->net->client);
    } else {
        printf("the client's store %s knows nothing of it\n", run->net->client);
    }
    return SY_EXIT_DONE;
}

int sy_cmd_record_erase(int argc, char **argv)
{
    static struct erase_run run; /* too large for a small stack; one command a process */
    const struct sy_option options[] = {
        {"basis", SY_OPTION_TEXT, &run.basis, "WORDS", "why it may be erased", 0, 0},
        {"key", SY_OPTION_TEXT, &run.key_path, "FILE",
         "key of an admin of the holder, or of the patient (what `submit` made)", 0, 0},
        {"read-key", SY_OPTION_TEXT, &run.read_key, "FILE",
         "key that signs the reads (--key, or the client.conf's)", 0, 0},
        {"cosign", SY_OPTION_LIST, &run.cosign, "FILE",
         "key that signs besides: the patient's or a regulator's", 0, 0},
        {"passphrase", SY_OPTION_TEXT, &run.passphrase, "FILE", "passphrase of those keys", 0, 0},
        {"local", SY_OPTION_SWITCH, &run.local, NULL,
         "send nothing: destroy what is known here of a record that was erased", 0, 0},
        SY_CMD_WHERE_OPTIONS(run.where),
    };
    struct sy_cmd cmd = {.name = "record erase",
                         .arguments = "RECORD",
                         .about = about,
                         .options = options,
                         .option_count = sizeof options / sizeof options[0],
                         .words_min = 1,
                         .words_max = 1};
    int exit_code;
    struct sy_error err = {SY_OK, ""};
    if (!sy_cmd_parse(&cmd, &exit_code, argc, argv)) return exit_code;
    run.cmd = &cmd;
    if (!run.read_key) run.read_key = run.key_path;
    exit_code = run_erase(&run, &err) == SY_OK ? tell_erased(&run) : sy_cmd_fail(&cmd, &err);
    sy_may_reader_free(&run.reader);
    sy_proven_free(&run.final);
    sy_secret_key_close(run.key);
    sy_secret_key_close(run.reads);
    sy_asker_close(run.asker);
    sy_cmd_net_close(run.net);
    run.cmd = NULL;
    return exit_code;
}
