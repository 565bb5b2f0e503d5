/* cmd_open.c: `systole open`: content out of a .syenvelope, if the ledger has it so. */
#include <stdlib.h>

#include "core/base/os.h"
#include "core/client/cmd.h"
#include "core/client/may_read.h"
#include "core/client/opened.h"
#include "core/client/show.h"

static const char about[] =
    "Opens an envelope that was sealed to your X25519 key, and checks, offline, with\n"
    "the genesis file alone, that its content is the version of the record that the\n"
    "ledger committed to: nothing is written unless it is. Whether there is a newer\n"
    "version now, `systole get record` says.\n"
    "\n"
    "--consent ID also asks the network for that grant, with --key, and checks that\n"
    "it stands and, if it commits to wrapped keys, that it commits to this envelope.\n";

struct open_run {
    const struct sy_cmd *cmd;
    struct sy_cmd_where where;
    const char *genesis_path, *x25519_path, *passphrase, *out, *consent_hex, *key_path;
    struct sy_genesis *genesis;
    sy_x25519_key *x25519;
    struct sy_opened opened;
    struct sy_cmd_net *net;
    sy_asker *asker;
    sy_secret_key *key;
    struct sy_may_reader reader;
};

static sy_status judge_consent(struct open_run *run, const struct sy_hash *id,
                               const struct sy_consent *consent, struct sy_error *err)
{
    const struct sy_opened *opened = &run->opened;
    char hex[65];
    sy_hex_encode(hex, id->bytes, 32);
    if (consent->denies || consent->revoked) {
        return sy_fail(err, SY_ERR_PERMISSION, "consent %s %s", hex,
                       consent->denies ? "is a denial" : "was revoked");
    }
    if (!sy_hash_equal(&consent->patient, &opened->record.subject)) {
        return sy_fail(err, SY_ERR_PERMISSION, "consent %s is another patient's", hex);
    }
    int64_t now = run->reader.answer.proof.header.time_ms;
    if (now < consent->from_ms || now > consent->until_ms) {
        return sy_fail(err, SY_ERR_PERMISSION, "consent %s is not in force now", hex);
    }
    if (consent->has_wrapped_key_hash &&
        !sy_hash_equal(&consent->wrapped_key_hash, &opened->wrapped_hash)) {
        return sy_fail(err, SY_ERR_PERMISSION,
                       "consent %s commits to another envelope than this one", hex);
    }
    return SY_OK;
}

static sy_status check_consent(struct open_run *run, struct sy_error *err)
{
    struct sy_hash id;
    struct sy_slice value;
    struct sy_consent consent;
    SY_TRY(sy_cmd_hash(&id, "--consent", run->consent_hex, err));
    SY_TRY(sy_cmd_connect(&run->net, &run->asker, &run->where, 0, err));
    SY_TRY(sy_cmd_read_key(&run->key, run->net, run->key_path, err));
    run->reader = (struct sy_may_reader){
        .asker = run->asker, .key = run->key, .max_age_ms = 60000, .err = err};
    sy_status status = sy_may_read(&run->reader, &value, SY_STATE_CONSENT, &id, NULL);
    if (status == SY_ERR_NOT_FOUND) {
        return sy_fail(err, SY_ERR_PERMISSION, "there is no consent %.64s", run->consent_hex);
    }
    if (status != SY_OK) return status;
    if (!sy_consent_decode(&consent, value)) {
        return sy_fail(err, SY_ERR_VERSION, "the consent proven is of an unknown form: upgrade");
    }
    return judge_consent(run, &id, &consent, err);
}

static sy_status write_content(const struct open_run *run, struct sy_error *err)
{
    struct sy_slice content = run->opened.body.content;
    if (run->out && strcmp(run->out, "-") != 0) {
        return sy_os_write_file(run->out, content.data, content.size, 0600, err);
    }
    if (content.size > 0 && fwrite(content.data, 1, content.size, stdout) != content.size) {
        return sy_fail(err, SY_ERR_IO, "standard output takes no more");
    }
    return fflush(stdout) == 0 ? SY_OK : sy_fail(err, SY_ERR_IO, "standard output takes no more");
}

/* The content may go to standard output, so this does not, but with --json. */
static int tell(const struct open_run *run)
{
    const struct sy_opened *opened = &run->opened;
    const struct sy_proof *proof = &opened->proofs[opened->body.proof_count - 1].proof;
    char record[65], salt[65], hash[65];
    if (run->cmd->json) {
        sy_json json;
        sy_cmd_json_begin(&json);
        sy_json_put_text(&json, "file", run->out);
        sy_json_put_hex(&json, "record", opened->body.record.bytes, 32);
        sy_json_put_u64(&json, "version", opened->body.version);
        sy_json_put_bool(&json, "current_then", opened->is_head && !opened->record.retracted);
        sy_json_put_hex(&json, "salt", opened->body.salt.bytes, 32);
        sy_json_put_u64(&json, "bytes", opened->body.content.size);
        sy_json_put_hex(&json, "wrapped_key_hash", opened->wrapped_hash.bytes, 32);
        sy_show_proof(&json, proof, run->genesis);
        return sy_cmd_json_end(&json, SY_EXIT_DONE);
    }
    sy_hex_encode(record, opened->body.record.bytes, 32);
    sy_hex_encode(salt, opened->body.salt.bytes, 32);
    sy_hex_encode(hash, opened->wrapped_hash.bytes, 32);
    fprintf(stderr, "version %u of record %s%s%s\nsalt %s\nwrapped_key_hash %s\n",
            (unsigned)opened->body.version, record,
            opened->is_head ? "" : ", not the current one even then",
            opened->record.retracted ? ", retracted" : "", salt, hash);
    sy_show_proof_line(stderr, proof, run->genesis);
    return SY_EXIT_DONE;
}

static sy_status run_open(struct open_run *run, struct sy_error *err)
{
    SY_TRY(sy_cmd_genesis(&run->genesis, run->genesis_path, &run->where, err));
    SY_TRY(sy_x25519_key_load(&run->x25519, run->x25519_path, run->passphrase, err));
    SY_TRY(sy_opened_load(&run->opened, run->cmd->words[0], run->x25519, run->genesis, err));
    if (run->consent_hex) SY_TRY(check_consent(run, err));
    return write_content(run, err);
}

int sy_cmd_open(int argc, char **argv)
{
    static struct open_run run; /* too large for a small stack; one command a process */
    const struct sy_option options[] = {
        {"x25519-key", SY_OPTION_TEXT, &run.x25519_path, "FILE",
         "secret half of the key it is sealed to (`systole keygen --x25519`)", 0, 0},
        {"passphrase", SY_OPTION_TEXT, &run.passphrase, "FILE", "that key's passphrase", 0, 0},
        {"out", SY_OPTION_TEXT, &run.out, "FILE", "where the content goes, mode 0600; else stdout",
         0, 0},
        {"genesis", SY_OPTION_TEXT, &run.genesis_path, "FILE",
         "the network's genesis file (genesis.json, or --net's or --config's)", 0, 0},
        {"consent", SY_OPTION_TEXT, &run.consent_hex, "ID", "the grant it should be opened by", 0,
         0},
        {"key", SY_OPTION_TEXT, &run.key_path, "FILE",
         "with --consent: key that signs the read (the client.conf's)", 0, 0},
        SY_CMD_WHERE_OPTIONS(run.where),
    };
    struct sy_cmd cmd = {.name = "open",
                         .arguments = "FILE",
                         .about = about,
                         .options = options,
                         .option_count = sizeof options / sizeof options[0],
                         .words_min = 1,
                         .words_max = 1};
    int exit_code;
    struct sy_error err = {SY_OK, ""};
    if (!sy_cmd_parse(&cmd, &exit_code, argc, argv)) return exit_code;
    if (!run.x25519_path) return sy_cmd_usage(&cmd, "--x25519-key is missing: say whose it is");
    bool to_stdout = !run.out || strcmp(run.out, "-") == 0;
    if (cmd.json && to_stdout) return sy_cmd_usage(&cmd, "--json needs --out FILE");
    run.cmd = &cmd;
    exit_code = run_open(&run, &err) == SY_OK ? tell(&run) : sy_cmd_fail(&cmd, &err);
    sy_may_reader_free(&run.reader);
    sy_opened_free(&run.opened);
    sy_x25519_key_close(run.x25519);
    sy_secret_key_close(run.key);
    sy_asker_close(run.asker);
    sy_cmd_net_close(run.net);
    free(run.genesis);
    run.cmd = NULL;
    return exit_code;
}
