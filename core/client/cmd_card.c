/* cmd_card.c: `systole card`: SMART Health Cards, issued, checked and taken back. */
#include <stdlib.h>

#include "core/base/base64url.h"
#include "core/base/os.h"
#include "core/client/card.h"
#include "core/client/cmd.h"
#include "core/client/show.h"
#include "core/crypto/hash.h"
#include "core/wire/state.h"

#define FILE_BYTES_MAX (4u << 20)

// --- files -------------------------------------------------------------------------------------

static sy_status read_keys(struct sy_card_keys *keys, const char *path, struct sy_error *err)
{
    uint8_t *text = NULL;
    size_t size = 0;
    SY_TRY(sy_os_read_file(&text, &size, path, FILE_BYTES_MAX, err));
    sy_status status = sy_card_keys_read(keys, sy_slice_of(text, size), err);
    free(text);
    if (status == SY_OK) return SY_OK;
    struct sy_error inner = *err;
    return sy_fail(err, status, "%s: %.400s", path, inner.text);
}

/* SY_ERR_NOT_FOUND, without a message: there is no such file yet. */
static sy_status read_crl(struct sy_card_crl *crl, const char *path, struct sy_error *err)
{
    uint8_t *text = NULL;
    size_t size = 0;
    struct sy_error inner = {SY_OK, ""};
    SY_TRY(sy_os_read_file(&text, &size, path, SY_CARD_CRL_BYTES_MAX, err));
    sy_status status = sy_card_crl_read(crl, sy_slice_of(text, size), &inner);
    free(text);
    return status == SY_OK ? SY_OK : sy_fail(err, status, "%s: %.400s", path, inner.text);
}

static sy_status write_text(const char *path, const char *text, unsigned mode, struct sy_error *err)
{
    if (path) return sy_os_write_file(path, text, strlen(text), mode, err);
    if (puts(text) < 0 || fflush(stdout) != 0) {
        return sy_fail(err, SY_ERR_IO, "standard output takes no more");
    }
    return SY_OK;
}

// --- jwks --------------------------------------------------------------------------------------

static const char jwks_about[] =
    "Writes the public halves of P-256 keys (`systole keygen --p256`) as the key set that\n"
    "an issuer has at ISSUER/.well-known/jwks.json. --crl: a key's revocation list, whose\n"
    "count stands in the set (crlVersion), so that whoever keeps the list reads it anew.\n";

/* Each list's count goes to its key. */
static sy_status count_crls(struct sy_card_keys *keys, const struct sy_option_list *paths,
                            struct sy_error *err)
{
    for (unsigned i = 0; i < paths->count; i++) {
        struct sy_card_crl crl = {.rids = NULL};
        bool found = false;
        SY_TRY(read_crl(&crl, paths->items[i], err));
        for (unsigned k = 0; k < keys->count; k++) {
            if (strcmp(keys->keys[k].kid, crl.kid) != 0) continue;
            keys->keys[k].crl_counter = crl.counter;
            found = true;
        }
        sy_card_crl_free(&crl);
        if (!found) {
            return sy_fail(err, SY_ERR_ARGUMENT, "%s is of no key that is named", paths->items[i]);
        }
    }
    return SY_OK;
}

static int make_jwks(int argc, char **argv)
{
    static struct sy_card_keys keys;
    static struct sy_option_list crls;
    const char *out = NULL, *passphrase = NULL;
    const struct sy_option options[] = {
        {"out", SY_OPTION_TEXT, &out, "FILE", "where it goes; else stdout", 0, 0},
        {"crl", SY_OPTION_LIST, &crls, "FILE", "a key's revocation list; again and again", 0, 0},
        {"passphrase", SY_OPTION_TEXT, &passphrase, "FILE", "the keys' passphrase", 0, 0},
    };
    struct sy_cmd cmd = {.name = "card jwks",
                         .arguments = "KEY...",
                         .about = jwks_about,
                         .options = options,
                         .option_count = sizeof options / sizeof options[0],
                         .words_min = 1,
                         .words_max = (int)SY_CARD_KEYS_MAX};
    int exit_code;
    struct sy_error err = {SY_OK, ""};
    char *text = NULL;
    if (!sy_cmd_parse(&cmd, &exit_code, argc, argv)) return exit_code;
    sy_status status = SY_OK;
    for (int i = 0; status == SY_OK && i < cmd.word_count; i++) {
        sy_p256_key *key = NULL;
        struct sy_card_key *made = &keys.keys[keys.count++];
        status = sy_p256_key_load(&key, cmd.words[i], passphrase, &err);
        if (status == SY_OK) sy_p256_key_public(key, &made->key);
        if (status == SY_OK) sy_card_thumbprint(made->kid, NULL, &made->key);
        sy_p256_key_close(key);
    }
    if (status == SY_OK) status = count_crls(&keys, &crls, &err);
    if (status == SY_OK) status = sy_card_keys_write(&text, &keys, &err);
    if (status == SY_OK) status = write_text(out, text, 0644, &err);
    free(text);
    return status == SY_OK ? SY_EXIT_DONE : sy_cmd_fail(&cmd, &err);
}

// --- issue -------------------------------------------------------------------------------------

static const char issue_about[] =
    "Signs a FHIR Bundle as a SMART Health Card and writes it as a .smart-health-card\n"
    "file. Says its SHA-256 and the key's thumbprint, as `cert.issue` takes them, and\n"
    "whether it fits a QR code, whose text --numeric writes (shc:/).\n";

struct issue_run {
    const struct sy_cmd *cmd;
    const char *key_path, *passphrase, *out, *numeric;
    struct sy_option_list types;
    uint64_t from_s, days, rid;
    struct sy_card_draft draft;
    sy_p256_key *key;
    uint8_t *bundle;
    size_t bundle_size;
    char *jws, *text;
    struct sy_hash jws_hash, key_id;
};

static sy_status write_card(struct issue_run *run, struct sy_error *err)
{
    sy_json json;
    if (run->numeric) {
        SY_TRY(sy_card_numeric(&run->text, run->jws, err));
        SY_TRY(write_text(run->numeric, run->text, 0600, err));
    }
    sy_json_init_growing(&json, SY_CARD_JWS_BYTES_MAX + 128);
    sy_json_object_begin(&json);
    sy_json_key(&json, "verifiableCredential");
    sy_json_array_begin(&json);
    sy_json_text(&json, run->jws);
    sy_json_array_end(&json);
    sy_json_object_end(&json);
    const char *file = sy_json_finish(&json);
    sy_status status = file ? sy_os_write_file(run->out, file, json.size, 0600, err)
                            : sy_fail(err, SY_ERR_NO_MEMORY, "out of memory");
    sy_json_free(&json);
    return status;
}

static sy_status issue(struct issue_run *run, struct sy_error *err)
{
    struct sy_card_draft *draft = &run->draft;
    struct sy_p256_public half;
    char kid[SY_CARD_KID_CHARS + 1];
    SY_TRY(sy_p256_key_load(&run->key, run->key_path, run->passphrase, err));
    SY_TRY(sy_cmd_read_input(&run->bundle, &run->bundle_size, run->cmd->words[0], FILE_BYTES_MAX,
                             err));
    draft->bundle = sy_slice_of(run->bundle, run->bundle_size);
    draft->from_s = run->from_s != 0 ? (int64_t)run->from_s : sy_os_wall_ms() / 1000;
    draft->until_s = run->days != 0 ? draft->from_s + (int64_t)run->days * 86400 : 0;
    draft->has_rid = run->rid != UINT64_MAX;
    draft->rid = run->rid;
    draft->type_count = run->types.count;
    for (unsigned i = 0; i < run->types.count; i++) draft->types[i] = run->types.items[i];
    SY_TRY(sy_card_make(&run->jws, draft, run->key, err));
    sy_p256_key_public(run->key, &half);
    sy_card_thumbprint(kid, &run->key_id, &half);
    sy_sha256(&run->jws_hash, run->jws, strlen(run->jws));
    return write_card(run, err);
}

static int tell_issued(const struct issue_run *run)
{
    char hash[65], key[65];
    bool fits = strlen(run->jws) <= SY_CARD_QR_CHARS_MAX;
    sy_hex_encode(hash, run->jws_hash.bytes, 32);
    sy_hex_encode(key, run->key_id.bytes, 32);
    if (!run->cmd->json) {
        printf("%s: jws_hash=%s key_id=%s\n%zu characters%s\n", run->out, hash, key,
               strlen(run->jws), fits ? "" : ", too many for one QR code");
        return SY_EXIT_DONE;
    }
    sy_json json;
    sy_cmd_json_begin(&json);
    sy_json_put_text(&json, "file", run->out);
    sy_json_put_text(&json, "jws_hash", hash);
    sy_json_put_text(&json, "key_id", key);
    sy_json_put_u64(&json, "characters", strlen(run->jws));
    sy_json_put_bool(&json, "fits_qr", fits);
    return sy_cmd_json_end(&json, SY_EXIT_DONE);
}

static int issue_card(int argc, char **argv)
{
    static struct issue_run run;
    run.rid = UINT64_MAX;
    const struct sy_option options[] = {
        {"card-key", SY_OPTION_TEXT, &run.key_path, "FILE", "the issuer's P-256 key", 0, 0},
        {"passphrase", SY_OPTION_TEXT, &run.passphrase, "FILE", "that key's passphrase", 0, 0},
        {"issuer", SY_OPTION_TEXT, &run.draft.issuer, "URL",
         "https, whose /.well-known/jwks.json has the key", 0, 0},
        {"out", SY_OPTION_TEXT, &run.out, "FILE", "the .smart-health-card file", 0, 0},
        {"numeric", SY_OPTION_TEXT, &run.numeric, "FILE", "also the text of a QR code", 0, 0},
        {"type", SY_OPTION_LIST, &run.types, "WORD",
         "immunization, laboratory, covid19 ...; again and again", 0, 0},
        {"from", SY_OPTION_NUMBER, &run.from_s, "SECONDS", "valid from this time since 1970 (now)",
         1, 253402300799ull},
        {"days", SY_OPTION_NUMBER, &run.days, "N", "valid for so many days; else without end", 1,
         36500},
        {"revocation-index", SY_OPTION_NUMBER, &run.rid, "N",
         "its place in the issuer's revocation list, as cert.issue says it", 0, INT64_MAX},
    };
    struct sy_cmd cmd = {.name = "card issue",
                         .arguments = "BUNDLE",
                         .about = issue_about,
                         .options = options,
                         .option_count = sizeof options / sizeof options[0],
                         .words_min = 1,
                         .words_max = 1};
    int exit_code;
    struct sy_error err = {SY_OK, ""};
    if (!sy_cmd_parse(&cmd, &exit_code, argc, argv)) return exit_code;
    if (!run.key_path || !run.draft.issuer || !run.out) {
        return sy_cmd_usage(&cmd, "--card-key, --issuer and --out are needed");
    }
    if (run.types.count >= SY_CARD_TYPES_MAX) return sy_cmd_usage(&cmd, "too many types");
    run.cmd = &cmd;
    exit_code = issue(&run, &err) == SY_OK ? tell_issued(&run) : sy_cmd_fail(&cmd, &err);
    if (run.bundle) sy_wipe(run.bundle, run.bundle_size);
    free(run.bundle);
    free(run.jws);
    free(run.text);
    sy_p256_key_close(run.key);
    run.cmd = NULL;
    return exit_code;
}

// --- check -------------------------------------------------------------------------------------

static const char check_about[] =
    "Checks a SMART Health Card (a .smart-health-card file, a jws, or the shc:/ text of a\n"
    "QR code) against its issuer's key set, offline. That the key set is the issuer's\n"
    "you have to know: it stands at ISSUER/.well-known/jwks.json. --organisation also\n"
    "asks the ledger whether that organisation anchored the card (cert.issue).\n";

struct check_run {
    const struct sy_cmd *cmd;
    struct sy_cmd_where where;
    const char *jwks, *crl, *out, *organisation, *key_path;
    struct sy_card_keys keys;
    struct sy_card card;
    struct sy_cmd_net *net;
    sy_asker *asker;
    sy_secret_key *key;
    struct sy_proven answer;
};

static sy_status check_crl(struct check_run *run, struct sy_error *err)
{
    uint8_t *text = NULL;
    size_t size = 0;
    if (!run->crl) return SY_OK;
    SY_TRY(sy_os_read_file(&text, &size, run->crl, FILE_BYTES_MAX, err));
    sy_status status = sy_card_revoked(&run->card, sy_slice_of(text, size), err);
    free(text);
    return status;
}

/* What the organisation says of the card on the ledger has to be what the card says. */
static sy_status check_anchor(struct check_run *run, struct sy_error *err)
{
    const struct sy_card *card = &run->card;
    struct sy_read_request read = {.subject = SY_READ_STATE,
                                   .state_kind = SY_STATE_CERT,
                                   .second = card->jws_hash,
                                   .purpose = SY_PURPOSE_OPERATIONS};
    struct sy_cert cert;
    char index[24];
    if (!run->organisation) return SY_OK;
    SY_TRY(sy_cmd_hash(&read.id, "--organisation", run->organisation, err));
    SY_TRY(sy_cmd_connect(&run->net, &run->asker, &run->where, 0, err));
    SY_TRY(sy_cmd_read_key(&run->key, run->net, run->key_path, err));
    SY_TRY(sy_asker_read(run->asker, &run->answer, &read, run->key, 60000, err));
    const struct sy_state_proof *state = &run->answer.proof.state;
    if (!state->present) {
        return sy_fail(err, SY_ERR_PERMISSION, "that organisation did not anchor this card");
    }
    if (!sy_cert_decode(&cert, state->value)) {
        return sy_fail(err, SY_ERR_VERSION, "the cert proven is of an unknown form: upgrade");
    }
    (void)snprintf(index, sizeof index, "%llu", (unsigned long long)cert.index);
    char kid[SY_CARD_KID_CHARS + 1];
    kid[sy_base64url_encode(kid, sy_slice_of(cert.key_id.bytes, 32))] = '\0';
    if (strcmp(kid, card->kid) != 0 || (card->rid && strcmp(index, card->rid) != 0)) {
        return sy_fail(err, SY_ERR_PERMISSION,
                       "the organisation anchored it with another key or revocation index than the "
                       "card has");
    }
    return SY_OK;
}

static sy_status check(struct check_run *run, struct sy_error *err)
{
    uint8_t *text = NULL;
    size_t size = 0;
    SY_TRY(read_keys(&run->keys, run->jwks, err));
    SY_TRY(sy_cmd_read_input(&text, &size, run->cmd->words[0], FILE_BYTES_MAX, err));
    sy_status status = sy_card_read(&run->card, sy_slice_of(text, size), err);
    sy_wipe(text, size);
    free(text);
    if (status != SY_OK) return status;
    SY_TRY(sy_card_check(&run->card, &run->keys, sy_os_wall_ms() / 1000, err));
    SY_TRY(check_crl(run, err));
    SY_TRY(check_anchor(run, err));
    if (!run->out) return SY_OK;
    return sy_os_write_file(run->out, run->card.payload, run->card.payload_size, 0600, err);
}

/* What an issuer says of itself may hold what a terminal would obey. */
static void tell_issuer(const struct sy_card *card, const char *from, const char *until)
{
    char text[300];
    (void)snprintf(text, sizeof text, "%s", card->issuer);
    printf("valid: signed by key %s of %s\nfrom %s%s%s\n", card->kid, sy_cmd_printable(text), from,
           until ? " until " : "", until ? until : "");
    for (unsigned i = 0; i < card->type_count; i++) {
        (void)snprintf(text, sizeof text, "%s", card->types[i]);
        printf("  %s\n", sy_cmd_printable(text));
    }
}

static int tell_checked(const struct check_run *run)
{
    const struct sy_card *card = &run->card;
    char from[SY_CMD_TIME_BYTES], until[SY_CMD_TIME_BYTES], hash[65];
    sy_cmd_time(from, (int64_t)(card->from_s * 1000));
    if (card->has_until) sy_cmd_time(until, (int64_t)(card->until_s * 1000));
    sy_hex_encode(hash, card->jws_hash.bytes, 32);
    if (!run->cmd->json) {
        tell_issuer(card, from, card->has_until ? until : NULL);
        printf("jws_hash %s\n", hash);
        if (run->organisation) sy_show_proof_line(stdout, &run->answer.proof, &run->net->genesis);
        return SY_EXIT_DONE;
    }
    sy_json json;
    sy_cmd_json_begin(&json);
    sy_json_put_bool(&json, "valid", true);
    sy_json_put_text(&json, "issuer", card->issuer);
    sy_json_put_text(&json, "kid", card->kid);
    sy_json_put_text(&json, "from", from);
    if (card->has_until) sy_json_put_text(&json, "until", until);
    if (card->has_rid) sy_json_put_text(&json, "rid", card->rid);
    sy_json_put_text(&json, "jws_hash", hash);
    if (run->organisation) {
        sy_json_put_u64(&json, "anchored_by_block", run->answer.proof.header.height);
    }
    sy_json_key(&json, "types");
    sy_json_array_begin(&json);
    for (unsigned i = 0; i < card->type_count; i++) sy_json_text(&json, card->types[i]);
    sy_json_array_end(&json);
    return sy_cmd_json_end(&json, SY_EXIT_DONE);
}

static int check_card(int argc, char **argv)
{
    static struct check_run run;
    const struct sy_option options[] = {
        {"jwks", SY_OPTION_TEXT, &run.jwks, "FILE", "the issuer's key set", 0, 0},
        {"crl", SY_OPTION_TEXT, &run.crl, "FILE", "the issuer's revocation list of that key", 0, 0},
        {"organisation", SY_OPTION_TEXT, &run.organisation, "ID",
         "ask the ledger whether this organisation anchored it", 0, 0},
        {"key", SY_OPTION_TEXT, &run.key_path, "FILE",
         "with --organisation: key that signs the read (the client.conf's)", 0, 0},
        SY_CMD_WHERE_OPTIONS(run.where),
        {"out", SY_OPTION_TEXT, &run.out, "FILE", "where the payload (JSON) goes, mode 0600", 0, 0},
    };
    struct sy_cmd cmd = {.name = "card check",
                         .arguments = "FILE",
                         .about = check_about,
                         .options = options,
                         .option_count = sizeof options / sizeof options[0],
                         .words_min = 1,
                         .words_max = 1};
    int exit_code;
    struct sy_error err = {SY_OK, ""};
    if (!sy_cmd_parse(&cmd, &exit_code, argc, argv)) return exit_code;
    if (!run.jwks) return sy_cmd_usage(&cmd, "--jwks is missing: whose keys are believed?");
    run.cmd = &cmd;
    exit_code = check(&run, &err) == SY_OK ? tell_checked(&run) : sy_cmd_fail(&cmd, &err);
    sy_card_free(&run.card);
    sy_proven_free(&run.answer);
    sy_secret_key_close(run.key);
    sy_asker_close(run.asker);
    sy_cmd_net_close(run.net);
    run.cmd = NULL;
    return exit_code;
}

// --- revoke ------------------------------------------------------------------------------------

static const char revoke_about[] =
    "Adds cards, each named by its jws_hash, to the issuer's revocation list FILE (--crl),\n"
    "which is made if there is none. Which place in the list a card has, and whose key it\n"
    "is of, is what ORGANISATION anchored (cert.issue), proven. A list is of one key: it\n"
    "stands at ISSUER/.well-known/crl/KID.json, and its count in the key set (`systole card\n"
    "jwks --crl`). Nobody else changes it meanwhile: FILE.lock.\n";

struct revoke_run {
    const struct sy_cmd *cmd;
    struct sy_cmd_where where;
    const char *crl_path, *organisation, *key_path;
    struct sy_cmd_net *net;
    sy_asker *asker;
    sy_secret_key *key;
    struct sy_proven answer;
    struct sy_card_crl crl;
    unsigned added;
    int lock; /* of the list, from before it is read until it is written; -1: none */
};

/* What the organisation anchored of the card that a word names. */
static sy_status find_cert(struct revoke_run *run, struct sy_cert *cert, const char *word,
                           struct sy_error *err)
{
    struct sy_read_request read = {
        .subject = SY_READ_STATE, .state_kind = SY_STATE_CERT, .purpose = SY_PURPOSE_OPERATIONS};
    SY_TRY(sy_cmd_hash(&read.id, "--organisation", run->organisation, err));
    SY_TRY(sy_cmd_hash(&read.second, "JWS_HASH", word, err));
    SY_TRY(sy_asker_read(run->asker, &run->answer, &read, run->key, 60000, err));
    // All cards are looked up at no earlier height than the first: none is of an older state.
    sy_asker_expect(run->asker, run->answer.proof.header.height);
    const struct sy_state_proof *state = &run->answer.proof.state;
    if (!state->present) {
        return sy_fail(err, SY_ERR_PERMISSION, "that organisation did not anchor card %.64s", word);
    }
    if (sy_cert_decode(cert, state->value)) return SY_OK;
    return sy_fail(err, SY_ERR_VERSION, "the cert proven is of an unknown form: upgrade");
}

static sy_status add_card(struct revoke_run *run, const char *word, struct sy_error *err)
{
    struct sy_cert cert;
    char kid[SY_CARD_KID_CHARS + 1];
    bool added = false;
    SY_TRY(find_cert(run, &cert, word, err));
    kid[sy_base64url_encode(kid, sy_slice_of(cert.key_id.bytes, 32))] = '\0';
    if (run->crl.rids == NULL) SY_TRY(sy_card_crl_begin(&run->crl, kid, err));
    if (strcmp(kid, run->crl.kid) != 0) {
        return sy_fail(err, SY_ERR_ARGUMENT,
                       "card %.64s is of key %s, and the list of key %s: a list is of one key",
                       word, kid, run->crl.kid);
    }
    SY_TRY(sy_card_crl_add(&run->crl, &added, cert.index, err));
    run->added += added;
    return SY_OK;
}

/* Nothing is written unless all of it can be. */
static sy_status revoke(struct revoke_run *run, struct sy_error *err)
{
    char *text = NULL;
    SY_TRY(sy_os_lock(&run->lock, run->crl_path, err));
    sy_status status = read_crl(&run->crl, run->crl_path, err);
    if (status != SY_OK && status != SY_ERR_NOT_FOUND) return status;
    SY_TRY(sy_cmd_connect(&run->net, &run->asker, &run->where, 0, err));
    SY_TRY(sy_cmd_read_key(&run->key, run->net, run->key_path, err));
    for (int i = 0; i < run->cmd->word_count; i++) {
        SY_TRY(add_card(run, run->cmd->words[i], err));
    }
    if (run->added == 0) return SY_OK; // and the count stays
    SY_TRY(sy_card_crl_write(&text, &run->crl, err));
    status = write_text(run->crl_path, text, 0644, err);
    free(text);
    return status;
}

static int tell_revoked(const struct revoke_run *run)
{
    if (!run->cmd->json) {
        printf("%s: %u added, %zu in all, crlVersion %llu of key %s\n", run->crl_path, run->added,
               json_array_size(run->crl.rids), (unsigned long long)run->crl.counter, run->crl.kid);
        return SY_EXIT_DONE;
    }
    sy_json json;
    sy_cmd_json_begin(&json);
    sy_json_put_text(&json, "file", run->crl_path);
    sy_json_put_text(&json, "kid", run->crl.kid);
    sy_json_put_u64(&json, "added", run->added);
    sy_json_put_u64(&json, "revoked", json_array_size(run->crl.rids));
    sy_json_put_u64(&json, "crl_version", run->crl.counter);
    return sy_cmd_json_end(&json, SY_EXIT_DONE);
}

static int revoke_cards(int argc, char **argv)
{
    static struct revoke_run run;
    const struct sy_option options[] = {
        {"crl", SY_OPTION_TEXT, &run.crl_path, "FILE", "the issuer's revocation list of that key",
         0, 0},
        {"organisation", SY_OPTION_TEXT, &run.organisation, "ID", "who anchored them", 0, 0},
        {"key", SY_OPTION_TEXT, &run.key_path, "FILE",
         "key that signs the reads (the client.conf's)", 0, 0},
        SY_CMD_WHERE_OPTIONS(run.where),
    };
    struct sy_cmd cmd = {.name = "card revoke",
                         .arguments = "JWS_HASH...",
                         .about = revoke_about,
                         .options = options,
                         .option_count = sizeof options / sizeof options[0],
                         .words_min = 1,
                         .words_max = 1024};
    int exit_code;
    struct sy_error err = {SY_OK, ""};
    if (!sy_cmd_parse(&cmd, &exit_code, argc, argv)) return exit_code;
    if (!run.crl_path || !run.organisation) {
        return sy_cmd_usage(&cmd, "--crl and --organisation are needed");
    }
    run.cmd = &cmd;
    run.lock = -1;
    exit_code = revoke(&run, &err) == SY_OK ? tell_revoked(&run) : sy_cmd_fail(&cmd, &err);
    sy_os_unlock(run.lock);
    sy_card_crl_free(&run.crl);
    sy_proven_free(&run.answer);
    sy_secret_key_close(run.key);
    sy_asker_close(run.asker);
    sy_cmd_net_close(run.net);
    run.cmd = NULL;
    return exit_code;
}

int sy_cmd_card(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "revoke") == 0) return revoke_cards(argc - 1, argv + 1);
    if (argc > 1 && strcmp(argv[1], "issue") == 0) return issue_card(argc - 1, argv + 1);
    if (argc > 1 && strcmp(argv[1], "check") == 0) return check_card(argc - 1, argv + 1);
    if (argc > 1 && strcmp(argv[1], "jwks") == 0) return make_jwks(argc - 1, argv + 1);
    bool asks = argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0);
    if (!asks && argc > 1) fprintf(stderr, "systole card: there is no '%s'\n", argv[1]);
    fputs("usage: systole card issue BUNDLE   sign a SMART Health Card\n"
          "       systole card check FILE     check one\n"
          "       systole card jwks KEY...    the key set that an issuer publishes\n"
          "       systole card revoke HASH... the list of cards that it takes back\n"
          "\n`systole card issue --help` and so on say more.\n",
          asks ? stdout : stderr);
    return asks ? SY_EXIT_DONE : SY_EXIT_USAGE;
}
