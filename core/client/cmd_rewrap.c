/* cmd_rewrap.c: `systole rewrap`: a custodian opens an envelope to whoever broke the glass.
 *
 *     ledger within reach   --to KEY: the emergency access is proven, and the rule of may.h says
 * yes out of reach          --entry DRAFT: signed and not sent; kept, and due within an hour
 *     afterwards            --submit: sends what is kept; what is late or refused is an alarm */
#include <stdlib.h>

#include "core/base/os.h"
#include "core/client/cmd.h"
#include "core/client/cmd_tx.h"
#include "core/client/may_words.h"
#include "core/client/opened.h"
#include "core/client/rewraps.h"
#include "core/client/share.h"

static const char about[] =
    "Seals an envelope, which the custodian's emergency key opens (--x25519-key, the key\n"
    "of its org.register), to one key more, that of a doctor or nurse who broke the glass:\n"
    "\n"
    "  --to KEY        the ledger is asked, and what it says is proven: the key may read\n"
    "                  this record for the purpose emergency\n"
    "  --entry DRAFT   the ledger is out of reach: DRAFT is a signed access.breakglass\n"
    "                  that was not sent yet, --credential its signer's credential, proven\n"
    "                  earlier. It is kept in --pending and has to be sent in an hour\n"
    "\n"
    "Without FILE, --submit sends what is kept, --list only shows it. What is late, or what\n"
    "the ledger refuses, is an alarm: exit code 1, and a line in the log of --pending.\n";

struct rewrap_run {
    const struct sy_cmd *cmd;
    struct sy_cmd_where where;
    const char *genesis_path, *x25519_path, *passphrase, *out, *key_path, *to, *entry;
    const char *credential_path, *patient_path, *pending;
    uint64_t credential_days, timeout_s;
    bool submit, list;
    struct sy_genesis *genesis;
    sy_x25519_key *x25519;
    struct sy_opened opened;
    struct sy_cmd_net *net;
    sy_asker *asker;
    sy_secret_key *key;
    struct sy_share share;
    struct sy_recipient recipient;
    struct sy_client_block block;
    struct sy_proven proven;
    sy_draft *draft;
    struct sy_rewraps waiting;
    int64_t due_ms;
};

// --- the ledger within reach -------------------------------------------------------------------

/* What the envelope's own proof says of the record is what the decision is asked about. */
static void take_record(struct rewrap_run *run, struct sy_error *err)
{
    const struct sy_record *record = &run->opened.record;
    struct sy_share *share = &run->share;
    share->asker = run->asker;
    share->key = run->key;
    share->max_age_ms = 60000;
    share->purpose = SY_PURPOSE_EMERGENCY;
    share->err = err;
    share->record = run->opened.body.record;
    share->subject = record->subject;
    share->holder = record->holder;
    share->about_patient = record->subject_kind == SY_SUBJECT_PATIENT;
    share->has_label = record->has_sens_tag;
    memcpy(share->label.bytes, record->sens_tag, sizeof share->label.bytes);
    share->class_size = record->record_class.size;
    if (share->class_size > 0) {
        memcpy(share->class_room, record->record_class.data, share->class_size);
    }
}

static sy_status check_custodian(struct rewrap_run *run, struct sy_error *err)
{
    struct sy_recipient custodian;
    struct sy_public_key half;
    SY_TRY(sy_share_custodian(&run->share, &custodian));
    sy_x25519_key_public(run->x25519, &half);
    if (sy_public_key_equal(&half, &custodian.x25519)) return SY_OK;
    return sy_fail(err, SY_ERR_PERMISSION,
                   "--x25519-key is not the emergency key that the ledger has for the record's "
                   "custodian");
}

static sy_status ask_ledger(struct rewrap_run *run, struct sy_error *err)
{
    struct sy_hash id;
    char words[SY_MAY_WORDS_BYTES];
    SY_TRY(sy_cmd_hash(&id, "--to", run->to, err));
    SY_TRY(sy_cmd_connect(&run->net, &run->asker, &run->where, 0, err));
    SY_TRY(sy_cmd_read_key(&run->key, run->net, run->key_path, err));
    take_record(run, err);
    SY_TRY(sy_share_check_record(&run->share));
    SY_TRY(check_custodian(run, err));
    SY_TRY(sy_share_resolve(&run->share, &run->recipient, &id));
    if (run->recipient.kind != SY_RECIPIENT_KEY) {
        return sy_fail(err, SY_ERR_PERMISSION, "--to names no key: a key breaks the glass");
    }
    SY_TRY(sy_asker_block(run->asker, &run->block, SY_HEIGHT_NEWEST, err));
    SY_TRY(sy_share_judge(&run->share, &run->recipient, run->block.header.time_ms));
    if (run->recipient.answer.ground == SY_MAY_EMERGENCY) return SY_OK;
    sy_may_say(words, sizeof words, &run->recipient.answer);
    return sy_fail(err, SY_ERR_PERMISSION, "no emergency access of that key stands (%s)%s", words,
                   run->recipient.answer.allowed ? "; `systole share` is for that" : "");
}

// --- out of reach ------------------------------------------------------------------------------

/* The record's patient, or the one into whom that one was merged, as an earlier proof has it. (A
 * merge is never undone, so its proof does not age.) */
static sy_status check_patient(struct rewrap_run *run, const struct sy_hash *named,
                               struct sy_error *err)
{
    struct sy_hash place;
    struct sy_patient patient;
    const struct sy_hash *subject = &run->opened.record.subject;
    if (run->opened.record.subject_kind == SY_SUBJECT_PATIENT && sy_hash_equal(named, subject)) {
        return SY_OK;
    }
    if (!run->patient_path || run->opened.record.subject_kind != SY_SUBJECT_PATIENT) {
        return sy_fail(err, SY_ERR_PERMISSION,
                       "the entry is about another patient (the same under another id? then "
                       "--patient: the proof of the merge)");
    }
    SY_TRY(sy_proven_load(&run->proven, run->patient_path, run->genesis, err));
    const struct sy_proof *proof = &run->proven.proof;
    sy_state_key_id(&place, SY_STATE_PATIENT, subject);
    if (proof->kind != SY_PROOF_STATE || !proof->state.present ||
        !sy_hash_equal(&proof->state.key_hash, &place)) {
        return sy_fail(err, SY_ERR_PERMISSION, "%s is not about the record's patient",
                       run->patient_path);
    }
    if (!sy_patient_decode(&patient, proof->state.value)) {
        return sy_fail(err, SY_ERR_VERSION, "the patient proven is of an unknown form: upgrade");
    }
    if (patient.merged && sy_hash_equal(&patient.into, named)) return SY_OK;
    return sy_fail(err, SY_ERR_PERMISSION,
                   "%s does not show that the record's patient was merged into the entry's",
                   run->patient_path);
}

/* The signer's credential, as an earlier proof has it. */
static sy_status take_credential(struct rewrap_run *run, const struct sy_tx *tx, int64_t now_ms,
                                 struct sy_error *err)
{
    struct sy_hash place;
    struct sy_credential credential;
    SY_TRY(sy_proven_load(&run->proven, run->credential_path, run->genesis, err));
    const struct sy_proof *proof = &run->proven.proof;
    sy_state_key_public(&place, SY_STATE_CREDENTIAL, &tx->signer);
    if (proof->kind != SY_PROOF_STATE || !proof->state.present ||
        !sy_hash_equal(&proof->state.key_hash, &place)) {
        return sy_fail(err, SY_ERR_PERMISSION, "%s is not the credential of who signed the entry",
                       run->credential_path);
    }
    if (!sy_credential_decode(&credential, proof->state.value)) {
        return sy_fail(err, SY_ERR_VERSION, "the credential is of an unknown form: upgrade");
    }
    if (now_ms - proof->header.time_ms > (int64_t)run->credential_days * 86400000) {
        return sy_fail(err, SY_ERR_PERMISSION,
                       "the proof of the credential is older than %llu days",
                       (unsigned long long)run->credential_days);
    }
    if (!sy_credential_valid(&credential, now_ms) || !credential.break_glass ||
        (credential.role != SY_ROLE_DOCTOR && credential.role != SY_ROLE_NURSE) ||
        !sy_hash_equal(&credential.holder, &tx->organisation)) {
        return sy_fail(err, SY_ERR_PERMISSION,
                       "the credential does not let its holder break the glass");
    }
    run->recipient = (struct sy_recipient){
        .kind = SY_RECIPIENT_KEY, .id = place, .who = tx->signer, .x25519 = credential.x25519_key};
    memcpy(run->recipient.id.bytes, tx->signer.bytes, sizeof tx->signer.bytes);
    return credential.has_x25519_key
               ? SY_OK
               : sy_fail(err, SY_ERR_PERMISSION, "the credential names no X25519 key");
}

static sy_status trust_entry(struct rewrap_run *run, struct sy_error *err)
{
    int64_t now_ms = sy_os_wall_ms();
    SY_TRY(sy_cmd_draft_load(&run->draft, run->genesis, run->entry, err));
    SY_TRY(sy_draft_check(run->draft, run->genesis, err));
    const struct sy_tx *tx = sy_draft_tx(run->draft);
    const struct sy_kind *kind = sy_kind_by_number(tx->kind);
    union sy_payload payload;
    if (tx->kind != SY_KIND_access_breakglass ||
        !sy_payload_decode(&payload, kind, tx->payload, NULL)) {
        return sy_fail(err, SY_ERR_PERMISSION, "%s is no access.breakglass", run->entry);
    }
    if (tx->cosigner_count != 0) { // who of several answers for it is for the ledger to say
        return sy_fail(err, SY_ERR_PERMISSION, "%s has more signers than one", run->entry);
    }
    const struct sy_access_breakglass *p = &payload.access_breakglass;
    SY_TRY(check_patient(run, &p->patient_id, err));
    if (p->until < now_ms || p->until - now_ms > SY_BREAK_MS_MAX) {
        return sy_fail(err, SY_ERR_PERMISSION,
                       "the entry's emergency is over, or longer than four hours");
    }
    if (tx->valid_until_ms < now_ms + SY_REWRAP_DUE_MS) {
        return sy_fail(
            err, SY_ERR_PERMISSION,
            "the entry is not valid for another hour, so that it might come too late: make "
            "it with `systole tx make --valid-until`");
    }
    SY_TRY(take_credential(run, tx, now_ms, err));
    return sy_rewrap_keep(run->pending, run->draft, now_ms, &run->due_ms, err);
}

// --- rewrapping --------------------------------------------------------------------------------

static sy_status write_envelope(struct rewrap_run *run, struct sy_error *err)
{
    const struct sy_envelope *envelope = &run->opened.envelope;
    size_t size = sy_envelope_bytes((size_t)envelope->body_bytes, envelope->wrap_count + 1u);
    uint8_t *file = malloc(size);
    if (file == NULL) return sy_fail(err, SY_ERR_NO_MEMORY, "out of memory");
    struct sy_writer w = sy_writer_of(file, size);
    sy_status status = SY_OK;
    if (!sy_envelope_add(&w, envelope, &run->opened.content_key, &run->recipient.x25519) ||
        w.failed) {
        status = sy_fail(err, SY_ERR_LIMIT,
                         "nothing can be sealed to that key, or as many can open it as may");
    }
    if (status == SY_OK) status = sy_os_write_file(run->out, file, w.used, 0600, err);
    free(file);
    return status;
}

static sy_status rewrap(struct rewrap_run *run, struct sy_error *err)
{
    SY_TRY(sy_cmd_genesis(&run->genesis, run->genesis_path, &run->where, err));
    SY_TRY(sy_x25519_key_load(&run->x25519, run->x25519_path, run->passphrase, err));
    SY_TRY(sy_opened_load(&run->opened, run->cmd->words[0], run->x25519, run->genesis, err));
    SY_TRY(run->to ? ask_ledger(run, err) : trust_entry(run, err));
    return write_envelope(run, err);
}

static int tell_rewrapped(const struct rewrap_run *run)
{
    char hex[65], due[SY_CMD_TIME_BYTES];
    sy_hex_encode(hex, run->recipient.who.bytes, 32);
    sy_cmd_time(due, run->due_ms);
    if (run->cmd->json) {
        sy_json json;
        sy_cmd_json_begin(&json);
        sy_json_put_text(&json, "file", run->out);
        sy_json_put_text(&json, "key", hex);
        sy_json_put_bool(&json, "proven", run->to != NULL);
        if (run->to) sy_json_put_hex(&json, "break", run->recipient.answer.consent.bytes, 32);
        if (!run->to) sy_json_put_text(&json, "due", due);
        return sy_cmd_json_end(&json, SY_EXIT_DONE);
    }
    printf("%s: key %s can open it\n", run->out, hex);
    if (!run->to) printf("submit the entry by %s: systole rewrap --submit\n", due);
    return SY_EXIT_DONE;
}

// --- what is kept ------------------------------------------------------------------------------

/* One entry's outcome: "waiting", "late", "sent", "sent late", "refused". */
static void tell_entry(const struct rewrap_run *run, sy_json *json, const struct sy_rewrap *rewrap,
                       const char *state)
{
    char hex[65], due[SY_CMD_TIME_BYTES];
    sy_hex_encode(hex, rewrap->id.bytes, 32);
    sy_cmd_time(due, rewrap->due_ms);
    if (!run->cmd->json) {
        printf("%s: %s, due %s\n", hex, state, due);
        return;
    }
    sy_json_object_begin(json);
    sy_json_put_text(json, "tx_id", hex);
    sy_json_put_text(json, "state", state);
    sy_json_put_text(json, "due", due);
    sy_json_object_end(json);
}

/* Sends one entry; *state says what became of it. A failure is only the network's or the disk's. */
static sy_status submit_one(struct rewrap_run *run, const struct sy_rewrap *rewrap,
                            const char **state, struct sy_error *err)
{
    uint16_t code = 0;
    bool late = sy_os_wall_ms() > rewrap->due_ms;
    *state = late ? "late" : "waiting";
    if (!run->submit) return SY_OK;
    sy_status status =
        sy_asker_settle(run->asker, &run->proven, &code, sy_draft_bytes(rewrap->draft), false,
                        (int)run->timeout_s * 1000, err);
    if (status != SY_OK) return status;
    sy_cmd_saw(run->net, run->asker);
    bool applied = run->proven.receipt.code == SY_APPLIED;
    late = run->proven.proof.header.time_ms > rewrap->due_ms;
    *state = !applied ? "refused" : late ? "sent late" : "sent";
    SY_TRY(sy_rewrap_settle(run->pending, rewrap, applied, err));
    return SY_OK;
}

static bool is_alarm(const char *state)
{
    return strcmp(state, "late") == 0 || strcmp(state, "sent late") == 0 ||
           strcmp(state, "refused") == 0;
}

static int go_through(struct rewrap_run *run, struct sy_error *err)
{
    sy_json json = {0};
    int worst = SY_EXIT_DONE;
    if (run->cmd->json) {
        sy_cmd_json_begin(&json);
        sy_json_key(&json, "entries");
        sy_json_array_begin(&json);
    }
    for (unsigned i = 0; i < run->waiting.count; i++) {
        const struct sy_rewrap *rewrap = &run->waiting.items[i];
        const char *state;
        sy_status status = submit_one(run, rewrap, &state, err);
        if (status != SY_OK) {
            fprintf(stderr, "systole rewrap: %s\n", err->text);
            if (worst == SY_EXIT_DONE) worst = (int)sy_exit_of(status);
        }
        if (is_alarm(state)) {
            worst = SY_EXIT_REFUSED; // an alarm stands over everything else
            if (sy_rewrap_alarm(run->pending, rewrap, state, err) != SY_OK) {
                fprintf(stderr, "systole rewrap: %s\n", err->text);
            }
        }
        tell_entry(run, &json, rewrap, state);
        sy_proven_free(&run->proven);
    }
    if (!run->cmd->json) return worst;
    sy_json_array_end(&json);
    return sy_cmd_json_end(&json, worst);
}

static int run_kept(struct rewrap_run *run)
{
    struct sy_error err = {SY_OK, ""};
    sy_status status;
    if (run->submit) {
        status = sy_cmd_connect(&run->net, &run->asker, &run->where, 0, &err);
    } else {
        status = sy_cmd_genesis(&run->genesis, run->genesis_path, &run->where, &err);
    }
    const struct sy_genesis *genesis = run->submit && run->net ? &run->net->genesis : run->genesis;
    if (status == SY_OK) status = sy_rewraps_list(&run->waiting, run->pending, genesis, &err);
    return status == SY_OK ? go_through(run, &err) : sy_cmd_fail(run->cmd, &err);
}

// --- the command -------------------------------------------------------------------------------

static void close_rewrap(struct rewrap_run *run)
{
    sy_rewraps_free(&run->waiting);
    sy_draft_close(run->draft);
    sy_proven_free(&run->proven);
    sy_share_free(&run->share);
    sy_opened_free(&run->opened);
    sy_x25519_key_close(run->x25519);
    sy_secret_key_close(run->key);
    sy_asker_close(run->asker);
    sy_cmd_net_close(run->net);
    free(run->genesis);
}

/* What does not go together. NULL: fine. */
static const char *fault_of(const struct rewrap_run *run)
{
    bool kept = run->submit || run->list;
    if (kept && (run->cmd->word_count > 0 || (run->submit && run->list))) {
        return "--submit and --list go alone, without FILE";
    }
    if (kept) return run->pending ? NULL : "--pending is missing: where entries are kept";
    if (run->cmd->word_count == 0) return "name an envelope, or say --submit or --list";
    if (!run->x25519_path || !run->out) return "--x25519-key and --out are needed";
    if (!run->to == !run->entry) return "say either --to KEY or --entry DRAFT";
    if (run->entry && (!run->credential_path || !run->pending)) {
        return "--entry needs --credential and --pending";
    }
    return NULL;
}

int sy_cmd_rewrap(int argc, char **argv)
{
    static struct rewrap_run run; /* too large for a small stack; one command a process */
    run.credential_days = 7;
    run.timeout_s = 30;
    const struct sy_option options[] = {
        {"x25519-key", SY_OPTION_TEXT, &run.x25519_path, "FILE", "the custodian's emergency key", 0,
         0},
        {"passphrase", SY_OPTION_TEXT, &run.passphrase, "FILE", "that key's passphrase", 0, 0},
        {"out", SY_OPTION_TEXT, &run.out, "FILE", "where the envelope goes", 0, 0},
        {"to", SY_OPTION_TEXT, &run.to, "KEY", "who broke the glass, as the ledger knows", 0, 0},
        {"key", SY_OPTION_TEXT, &run.key_path, "FILE",
         "with --to: key that signs the reads (the client.conf's)", 0, 0},
        {"entry", SY_OPTION_TEXT, &run.entry, "DRAFT", "a signed access.breakglass, not sent yet",
         0, 0},
        {"credential", SY_OPTION_TEXT, &run.credential_path, "FILE",
         "its signer's credential (`systole get --proof FILE credential KEY`)", 0, 0},
        {"patient", SY_OPTION_TEXT, &run.patient_path, "FILE",
         "where the entry names the patient into whom the record's was merged: the record's "
         "patient (`systole get --proof FILE patient ID`)",
         0, 0},
        {"credential-days", SY_OPTION_NUMBER, &run.credential_days, "N",
         "how old that proof may be (7)", 1, 366},
        {"pending", SY_OPTION_TEXT, &run.pending, "DIR", "where entries are kept", 0, 0},
        {"submit", SY_OPTION_SWITCH, &run.submit, NULL, "send what is kept", 0, 0},
        {"list", SY_OPTION_SWITCH, &run.list, NULL, "show what is kept", 0, 0},
        {"timeout", SY_OPTION_NUMBER, &run.timeout_s, "SECONDS", "how long to wait for each (30)",
         1, 3600},
        {"genesis", SY_OPTION_TEXT, &run.genesis_path, "FILE",
         "the network's genesis file (genesis.json, or --net's or --config's)", 0, 0},
        SY_CMD_WHERE_OPTIONS(run.where),
    };
    struct sy_cmd cmd = {.name = "rewrap",
                         .arguments = "[FILE]",
                         .about = about,
                         .options = options,
                         .option_count = sizeof options / sizeof options[0],
                         .words_max = 1};
    int exit_code;
    struct sy_error err = {SY_OK, ""};
    if (!sy_cmd_parse(&cmd, &exit_code, argc, argv)) return exit_code;
    run.cmd = &cmd;
    const char *fault = fault_of(&run);
    if (fault) {
        exit_code = sy_cmd_usage(&cmd, "%s", fault);
    } else if (run.submit || run.list) {
        exit_code = run_kept(&run);
    } else {
        exit_code = rewrap(&run, &err) == SY_OK ? tell_rewrapped(&run) : sy_cmd_fail(&cmd, &err);
    }
    close_rewrap(&run);
    run.cmd = NULL;
    return exit_code;
}
