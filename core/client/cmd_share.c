/* cmd_share.c: `systole share`: content for somebody who may read it, in a .syenvelope. */
#include <stdlib.h>

#include "core/base/os.h"
#include "core/client/cmd.h"
#include "core/client/may_words.h"
#include "core/client/share.h"
#include "core/client/shared_content.h"
#include "core/wire/envelope.h"

static const char about[] =
    "Seals the content of the record RECORD, in FILE, to those who may read it, as an\n"
    "envelope (.syenvelope): `systole open` opens it, offline. Nothing of it goes to\n"
    "the ledger. FILE is the content itself, with --salt HEX; else a FHIR file that\n"
    "`systole submit` registered with this client's store, which knows the salt.\n"
    "\n"
    "Checked first, with state that is proven: that the content is the version that\n"
    "is registered, that a recipient's X25519 key is the one on the ledger, and that\n"
    "the recipient may read it (core/ledger/may.h). An organisation may what its\n"
    "first admin's key may. The content key is also sealed to the custodian, the\n"
    "organisation that keeps the record, for emergencies.\n"
    "\n"
    "A grant can commit to what is sealed under it (wrapped_key_hash). Such an\n"
    "envelope comes before its grant: --before-grant, then consent.grant with the\n"
    "hash that is shown, then hand it out.\n";

struct share_run {
    const struct sy_cmd *cmd;
    struct sy_cmd_where where;
    const char *key_path, *salt_hex, *source, *purpose_word, *out;
    bool before_grant;
    uint64_t version, max_age_s;
    struct sy_option_list to;
    struct sy_cmd_net *net;
    sy_asker *asker;
    sy_secret_key *key;
    sy_client_store *store;
    struct sy_share share;
    struct sy_shared_content content;
    struct sy_recipient recipients[SY_ENVELOPE_WRAPS_MAX]; /* the custodian last */
    unsigned count;
    struct sy_share_sealed sealed;
};

// --- what, and for whom ------------------------------------------------------------------------

static sy_status take_content(struct share_run *run, const struct sy_hash *record,
                              struct sy_error *err)
{
    const char *path = run->cmd->words[1];
    if (run->salt_hex) {
        SY_TRY(sy_cmd_hash(&run->content.salt, "--salt", run->salt_hex, err));
        return sy_shared_content_read(&run->content, path, err);
    }
    SY_TRY(sy_client_store_open(&run->store, run->net->client, &run->net->genesis.hash,
                                SY_CLIENT_STORE_READ, err));
    return sy_shared_content_find(&run->content, run->store, run->source, path, record, err);
}

static sy_status take_recipients(struct share_run *run, struct sy_error *err)
{
    struct sy_hash ids[SY_SHARE_RECIPIENTS_MAX];
    for (unsigned i = 0; i < run->to.count; i++) {
        SY_TRY(sy_cmd_hash(&ids[i], "--to", run->to.items[i], err));
    }
    SY_TRY(
        sy_share_recipients(&run->share, run->recipients, ids, run->to.count, run->before_grant));
    run->count = run->to.count + 1; // and the custodian
    return SY_OK;
}

// --- sealing -----------------------------------------------------------------------------------

static sy_status seal(struct share_run *run, struct sy_error *err)
{
    struct sy_public_key keys[SY_ENVELOPE_WRAPS_MAX];
    unsigned bad = 0;
    for (unsigned i = 0; i < run->count; i++) keys[i] = run->recipients[i].x25519;
    sy_status status = sy_share_seal(
        &run->share, &run->sealed, &bad, sy_network_tag(&run->net->genesis), keys, run->count,
        &run->content.salt, sy_slice_of(run->content.bytes, run->content.size));
    if (status != SY_ERR_CRYPTO) return status;
    char hex[65];
    sy_hex_encode(hex, run->recipients[bad].id.bytes, 32);
    return sy_fail(err, SY_ERR_CRYPTO,
                   "the X25519 key that the ledger has for %s is none: nothing can be sealed to it",
                   hex);
}

// --- telling -----------------------------------------------------------------------------------

static const char *kind_word(enum sy_recipient_kind kind)
{
    switch (kind) {
    case SY_RECIPIENT_KEY: return "key";
    case SY_RECIPIENT_ORG: return "organisation";
    case SY_RECIPIENT_PATIENT: return "patient";
    default: return "custodian";
    }
}

static int tell_json(const struct share_run *run)
{
    sy_json json;
    sy_cmd_json_begin(&json);
    sy_json_put_text(&json, "file", run->out);
    sy_json_put_hex(&json, "record", run->share.record.bytes, 32);
    sy_json_put_u64(&json, "version", run->share.version);
    sy_json_put_u64(&json, "height", run->share.record_proof.proof.header.height);
    sy_json_key(&json, "recipients");
    sy_json_array_begin(&json);
    for (unsigned i = 0; i < run->count; i++) {
        const struct sy_recipient *recipient = &run->recipients[i];
        sy_json_object_begin(&json);
        sy_json_put_text(&json, "kind", kind_word(recipient->kind));
        sy_json_put_hex(&json, "id", recipient->id.bytes, 32);
        sy_json_put_hex(&json, "x25519_key", recipient->x25519.bytes, 32);
        sy_json_put_hex(&json, "wrapped_key_hash", run->sealed.hashes[i].bytes, 32);
        sy_json_put_bool(&json, "may_read", recipient->answer.allowed);
        if (recipient->answer.ground != 0) {
            sy_json_put_text(&json, "ground", sy_may_ground_word(recipient->answer.ground));
        }
        sy_json_object_end(&json);
    }
    sy_json_array_end(&json);
    return sy_cmd_json_end(&json, SY_EXIT_DONE);
}

static int tell(const struct share_run *run)
{
    char id[65], hash[65], words[SY_MAY_WORDS_BYTES];
    if (run->cmd->json) return tell_json(run);
    printf("%s: version %u of the record, as block %llu proves it\n", run->out,
           (unsigned)run->share.version,
           (unsigned long long)run->share.record_proof.proof.header.height);
    for (unsigned i = 0; i < run->count; i++) {
        const struct sy_recipient *recipient = &run->recipients[i];
        sy_hex_encode(id, recipient->id.bytes, 32);
        sy_hex_encode(hash, run->sealed.hashes[i].bytes, 32);
        sy_may_say(words, sizeof words, &recipient->answer);
        printf("  %s %s\n    %s\n    wrapped_key_hash %s\n", kind_word(recipient->kind), id,
               recipient->answer.ground != 0               ? words
               : recipient->kind == SY_RECIPIENT_CUSTODIAN ? "keeps the record: for emergencies"
                                                           : "it is about no patient",
               hash);
    }
    return SY_EXIT_DONE;
}

// --- the command -------------------------------------------------------------------------------

static sy_status run_share(struct share_run *run, struct sy_error *err)
{
    struct sy_hash record;
    uint8_t purpose;
    uint32_t version = (uint32_t)run->version;
    SY_TRY(sy_cmd_hash(&record, "record", run->cmd->words[0], err));
    SY_TRY(sy_cmd_purpose(&purpose, run->purpose_word, err));
    SY_TRY(sy_cmd_connect(&run->net, &run->asker, &run->where, 0, err));
    SY_TRY(sy_cmd_read_key(&run->key, run->net, run->key_path, err));
    SY_TRY(take_content(run, &record, err));
    run->share.asker = run->asker;
    run->share.key = run->key;
    run->share.max_age_ms = (int64_t)run->max_age_s * 1000;
    run->share.purpose = purpose;
    run->share.err = err;
    SY_TRY(sy_share_find(&run->share, &version, &record, &run->content.salt,
                         sy_slice_of(run->content.bytes, run->content.size)));
    SY_TRY(take_recipients(run, err));
    SY_TRY(seal(run, err));
    return sy_os_write_file(run->out, run->sealed.file, run->sealed.size, 0600, err);
}

static void close_share(struct share_run *run)
{
    free(run->sealed.file);
    sy_shared_content_free(&run->content);
    sy_share_free(&run->share);
    sy_client_store_close(run->store);
    sy_secret_key_close(run->key);
    sy_asker_close(run->asker);
    sy_cmd_net_close(run->net);
}

int sy_cmd_share(int argc, char **argv)
{
    static struct share_run run; /* too large for a small stack; one command a process */
    run.purpose_word = "treatment";
    run.source = "fhir";
    run.max_age_s = 60;
    const struct sy_option options[] = {
        {"to", SY_OPTION_LIST, &run.to, "ID",
         "a key, an organisation or a patient; again and again", 0, 0},
        {"out", SY_OPTION_TEXT, &run.out, "FILE", "where the envelope goes", 0, 0},
        {"salt", SY_OPTION_TEXT, &run.salt_hex, "HEX",
         "the salt of the content's commitment; else the client's store knows it", 0, 0},
        {"source", SY_OPTION_TEXT, &run.source, "NAME",
         "name of the source system, as given to `systole submit` (fhir)", 0, 0},
        {"version", SY_OPTION_NUMBER, &run.version, "N",
         "this version, though there is a newer one", 1, UINT32_MAX},
        {"purpose", SY_OPTION_TEXT, &run.purpose_word, "WORD",
         "what they would read it for (treatment)", 0, 0},
        {"before-grant", SY_OPTION_SWITCH, &run.before_grant, NULL,
         "do not ask whether they may read it: a grant will commit to this envelope", 0, 0},
        {"key", SY_OPTION_TEXT, &run.key_path, "FILE",
         "key that signs the reads, and may see the patient's consents (the client.conf's)", 0, 0},
        {"max-age", SY_OPTION_NUMBER, &run.max_age_s, "SECONDS",
         "refuse proofs of a state older than this (60); 0: any", 0, 86400},
        SY_CMD_WHERE_OPTIONS(run.where),
    };
    struct sy_cmd cmd = {.name = "share",
                         .arguments = "RECORD FILE",
                         .about = about,
                         .options = options,
                         .option_count = sizeof options / sizeof options[0],
                         .words_min = 2,
                         .words_max = 2};
    int exit_code;
    struct sy_error err = {SY_OK, ""};
    if (!sy_cmd_parse(&cmd, &exit_code, argc, argv)) return exit_code;
    if (!run.out) return sy_cmd_usage(&cmd, "--out is missing: say where the envelope goes");
    if (run.to.count == 0) return sy_cmd_usage(&cmd, "--to is missing: say who shall open it");
    if (run.to.count > SY_SHARE_RECIPIENTS_MAX) {
        return sy_cmd_usage(&cmd, "at most %u recipients an envelope", SY_SHARE_RECIPIENTS_MAX);
    }
    run.cmd = &cmd;
    exit_code = run_share(&run, &err) == SY_OK ? tell(&run) : sy_cmd_fail(&cmd, &err);
    close_share(&run);
    run.cmd = NULL;
    return exit_code;
}
