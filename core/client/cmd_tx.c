/* cmd_tx.c: `systole tx`: one transaction by hand: make, prove, approve, sign, cosign, show, send.
 * What goes from hand to hand is a file of JSON (tx_draft.h). */
#include <stdlib.h>

#include "core/base/os.h"
#include "core/client/cmd.h"
#include "core/client/cmd_tx.h"
#include "core/client/show.h"
#include "core/client/tx_draft.h"
#include "core/client/tx_json.h"
#include "core/wire/render.h"

static const char usage[] =
    "usage: systole tx make KIND [FILE|-]   a draft from fields in JSON, or --field NAME=VALUE\n"
    "       systole tx prove DRAFT --key FILE    prove possession of a key that it enrols\n"
    "       systole tx approve DRAFT --key FILE  approve what validators decide, as one of them\n"
    "       systole tx sign DRAFT --key FILE     sign as the first signer\n"
    "       systole tx cosign DRAFT --key FILE   sign as a further signer\n"
    "       systole tx show DRAFT                what it says and who has signed\n"
    "       systole tx send DRAFT...             submit and wait until it is final\n"
    "\n"
    "`systole explain KIND` lists a kind's fields; `systole tx make --help` and so on say more.\n";

/* ---- drafts ------------------------------------------------------------------------------- */

sy_status sy_cmd_draft_load(sy_draft **draft, const struct sy_genesis *genesis, const char *path,
                            struct sy_error *err)
{
    uint8_t *bytes = NULL;
    size_t size = 0;
    SY_TRY(sy_cmd_read_input(&bytes, &size, path, SY_TX_JSON_BYTES_MAX, err));
    sy_status status = sy_draft_parse(draft, genesis, sy_slice_of(bytes, size), path, err);
    free(bytes);
    return status;
}

sy_status sy_cmd_draft_save(const sy_draft *draft, const char *path, bool tells,
                            struct sy_error *err)
{
    sy_json json;
    struct sy_hash id;
    sy_json_init_growing(&json, SY_TX_JSON_BYTES_MAX);
    sy_json_set_pretty(&json);
    sy_draft_to_json(draft, &json);
    SY_TRY(sy_cmd_put_json(&json, path, err));
    if (!tells || !path || strcmp(path, "-") == 0) return SY_OK;
    sy_draft_id(draft, &id);
    sy_json_init_growing(&json, SY_TX_JSON_BYTES_MAX);
    sy_json_set_pretty(&json);
    sy_json_object_begin(&json);
    sy_json_put_text(&json, "file", path);
    sy_json_put_hex(&json, "tx_id", id.bytes, sizeof id.bytes);
    sy_json_put_u64(&json, "signatures_missing", sy_draft_missing(draft));
    sy_json_object_end(&json);
    return sy_cmd_put_json(&json, NULL, err);
}

/* ---- prove, approve, sign, cosign --------------------------------------------------------- */

enum hand { HAND_PROVE, HAND_APPROVE, HAND_SIGN, HAND_COSIGN };

struct hand_wish {
    enum hand hand;
    struct sy_cmd_where where;
    const char *genesis;
    const char *key;
    const char *passphrase;
    const char *out;
};

static sy_status put_hand(const struct hand_wish *wish, sy_draft *draft,
                          const struct sy_genesis *genesis, const sy_secret_key *key,
                          struct sy_error *err)
{
    unsigned number;
    if (wish->hand == HAND_PROVE) return sy_draft_prove(draft, &number, key, genesis, err);
    if (wish->hand == HAND_APPROVE) return sy_draft_approve(draft, key, genesis, err);
    struct sy_public_key half;
    sy_secret_key_public(key, &half);
    bool is_first = sy_public_key_equal(&sy_draft_tx(draft)->signer, &half);
    if (is_first != (wish->hand == HAND_SIGN)) {
        return sy_fail(err, SY_ERR_ARGUMENT,
                       is_first ? "this key is the first signer's: use `systole tx sign`"
                                : "this key is not the first signer's: a further signer uses "
                                  "`systole tx cosign`");
    }
    return sy_draft_sign(draft, &number, key, genesis, err);
}

static sy_status run_hand(const struct hand_wish *wish, const char *path, bool tells,
                          struct sy_error *err)
{
    struct sy_genesis *genesis = NULL;
    sy_secret_key *key = NULL;
    sy_draft *draft = NULL;
    sy_status status = sy_cmd_genesis(&genesis, wish->genesis, &wish->where, err);
    if (status == SY_OK) status = sy_cmd_draft_load(&draft, genesis, path, err);
    if (status == SY_OK) status = sy_secret_key_load(&key, wish->key, wish->passphrase, err);
    if (status == SY_OK) status = put_hand(wish, draft, genesis, key, err);
    if (status == SY_OK)
        status = sy_cmd_draft_save(draft, wish->out ? wish->out : path, tells, err);
    sy_secret_key_close(key);
    sy_draft_close(draft);
    free(genesis);
    return status;
}

static int do_hand(enum hand hand, int argc, char **argv)
{
    static const char *const names[] = {"tx prove", "tx approve", "tx sign", "tx cosign"};
    static const char *const abouts[] = {
        ("Signs, with a key that the draft's payload enrols, the proof that its holder\n"
         "wants it enrolled by this very transaction. Comes before the first signature.\n"),
        ("Approves a change of the roster (validator.add, .remove, .rekey) or of a parameter\n"
         "(param.enact) with a validator's admin key. It takes a quorum of them, of the roster\n"
         "that it names. They sign the proofs of possession too: so prove first, then approve,\n"
         "then sign.\n"),
        "Signs a draft with its first signer's key.\n",
        "Signs a draft with the key of a further signer.\n"};
    struct hand_wish wish = {.hand = hand};
    const struct sy_option options[] = {
        {"key", SY_OPTION_TEXT, &wish.key, "FILE", "the secret key", 0, 0},
        {"passphrase", SY_OPTION_TEXT, &wish.passphrase, "FILE", "the key's passphrase", 0, 0},
        {"out", SY_OPTION_TEXT, &wish.out, "FILE", "write here (default: the draft itself)", 0, 0},
        {"genesis", SY_OPTION_TEXT, &wish.genesis, "FILE", "the network's genesis file", 0, 0},
        SY_CMD_WHERE_OPTIONS(wish.where),
    };
    struct sy_cmd cmd = {.name = names[hand],
                         .arguments = "DRAFT",
                         .about = abouts[hand],
                         .options = options,
                         .option_count = sizeof options / sizeof options[0],
                         .words_min = 1,
                         .words_max = 1};
    int exit_code;
    struct sy_error err = {SY_OK, ""};
    if (!sy_cmd_parse(&cmd, &exit_code, argc, argv)) return exit_code;
    if (!wish.key) return sy_cmd_usage(&cmd, "--key FILE is missing");
    if (run_hand(&wish, cmd.words[0], cmd.json, &err) != SY_OK) return sy_cmd_fail(&cmd, &err);
    return SY_EXIT_DONE;
}

/* ---- show --------------------------------------------------------------------------------- */

static int do_show(int argc, char **argv)
{
    struct sy_cmd cmd = {.name = "tx show",
                         .arguments = "DRAFT",
                         .about = "Shows what a draft says and who has signed it.\n",
                         .words_min = 1,
                         .words_max = 1};
    int exit_code;
    struct sy_error err = {SY_OK, ""};
    sy_draft *draft = NULL;
    if (!sy_cmd_parse(&cmd, &exit_code, argc, argv)) return exit_code;
    if (sy_cmd_draft_load(&draft, NULL, cmd.words[0], &err) != SY_OK) {
        return sy_cmd_fail(&cmd, &err);
    }
    sy_json json;
    sy_cmd_json_begin(&json);
    sy_json_put_u64(&json, "signatures_missing", sy_draft_missing(draft));
    sy_json_key(&json, "tx");
    sy_tx_to_json(&json, sy_draft_tx(draft));
    sy_draft_close(draft);
    return sy_cmd_json_end(&json, SY_EXIT_DONE);
}

/* ---- send --------------------------------------------------------------------------------- */

struct send_wish {
    struct sy_cmd_where where;
    const char *proof;
    uint64_t timeout_s;
    bool with_tx;
};

static sy_status save_proof(const struct sy_proven *final, const char *path, struct sy_error *err)
{
    if (!path) return SY_OK;
    return sy_os_write_file(path, final->bytes, final->size, 0644, err);
}

/* One draft to its end. *applied says what became of it. */
static sy_status send_one(const struct send_wish *wish, sy_asker *asker, struct sy_proven *final,
                          const char *path, struct sy_error *err)
{
    const struct sy_genesis *genesis = sy_asker_genesis(asker);
    sy_draft *draft = NULL;
    uint16_t code;
    SY_TRY(sy_cmd_draft_load(&draft, genesis, path, err));
    sy_status status = sy_draft_check(draft, genesis, err);
    if (status == SY_OK) {
        status = sy_asker_settle(asker, final, &code, sy_draft_bytes(draft), wish->with_tx,
                                 (int)wish->timeout_s * 1000, err);
    }
    if (status == SY_OK) status = save_proof(final, wish->proof, err);
    sy_draft_close(draft);
    return status;
}

static int tell_sent(const struct sy_cmd *cmd, const struct sy_proven *final,
                     const struct sy_genesis *genesis)
{
    int code = final->receipt.code == SY_APPLIED ? SY_EXIT_DONE : SY_EXIT_REFUSED;
    if (!cmd->json) {
        sy_show_receipt_lines(stdout, &final->receipt);
        sy_show_proof_line(stdout, &final->proof, genesis);
        return code;
    }
    sy_json json;
    sy_cmd_json_begin(&json);
    sy_json_key(&json, "receipt");
    sy_receipt_to_json(&json, &final->receipt);
    sy_show_proof(&json, &final->proof, genesis);
    return sy_cmd_json_end(&json, code);
}

static int send_all(const struct sy_cmd *cmd, const struct send_wish *wish, sy_asker *asker)
{
    static struct sy_proven final; /* too large for a small stack; one command a process */
    int worst = SY_EXIT_DONE;
    for (int i = 0; i < cmd->word_count; i++) {
        struct sy_error err = {SY_OK, ""};
        sy_status status = send_one(wish, asker, &final, cmd->words[i], &err);
        int code = status == SY_OK ? tell_sent(cmd, &final, sy_asker_genesis(asker))
                                   : sy_cmd_fail(cmd, &err);
        if (code > worst) worst = code;
        sy_proven_free(&final);
    }
    return worst;
}

static int do_send(int argc, char **argv)
{
    struct send_wish wish = {.timeout_s = 30};
    const struct sy_option options[] = {
        {"proof", SY_OPTION_TEXT, &wish.proof, "FILE", "keep the proof (.syproof)", 0, 0},
        {"with-tx", SY_OPTION_SWITCH, &wish.with_tx, NULL,
         "let the proof carry the transaction itself", 0, 0},
        {"timeout", SY_OPTION_NUMBER, &wish.timeout_s, "SECONDS", "how long to wait (30)", 1, 3600},
        SY_CMD_WHERE_OPTIONS(wish.where),
    };
    struct sy_cmd cmd = {.name = "tx send",
                         .arguments = "DRAFT...",
                         .about =
                             "Submits signed drafts, one after the other, and waits until each\n"
                             "is final. A receipt that says refused is exit code 1; an outcome\n"
                             "that is unknown is 3: sending the same file again is safe.\n",
                         .options = options,
                         .option_count = sizeof options / sizeof options[0],
                         .words_min = 1,
                         .words_max = 4096};
    int exit_code;
    struct sy_error err = {SY_OK, ""};
    struct sy_cmd_net *net = NULL;
    sy_asker *asker = NULL;
    if (!sy_cmd_parse(&cmd, &exit_code, argc, argv)) return exit_code;
    if (wish.proof && cmd.word_count > 1) {
        return sy_cmd_usage(&cmd, "--proof FILE is for one draft at a time");
    }
    sy_status status = sy_cmd_connect(&net, &asker, &wish.where, 0, &err);
    exit_code = status == SY_OK ? send_all(&cmd, &wish, asker) : sy_cmd_fail(&cmd, &err);
    if (status == SY_OK) sy_cmd_saw(net, asker);
    sy_asker_close(asker);
    sy_cmd_net_close(net);
    return exit_code;
}

/* ---- dispatch ----------------------------------------------------------------------------- */

int sy_cmd_tx(int argc, char **argv)
{
    const char *word = argc > 1 ? argv[1] : "";
    if (strcmp(word, "make") == 0) return sy_cmd_tx_make(argc - 1, argv + 1);
    if (strcmp(word, "prove") == 0) return do_hand(HAND_PROVE, argc - 1, argv + 1);
    if (strcmp(word, "approve") == 0) return do_hand(HAND_APPROVE, argc - 1, argv + 1);
    if (strcmp(word, "sign") == 0) return do_hand(HAND_SIGN, argc - 1, argv + 1);
    if (strcmp(word, "cosign") == 0) return do_hand(HAND_COSIGN, argc - 1, argv + 1);
    if (strcmp(word, "show") == 0) return do_show(argc - 1, argv + 1);
    if (strcmp(word, "send") == 0) return do_send(argc - 1, argv + 1);
    bool asks = strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
    if (!asks && word[0]) fprintf(stderr, "systole tx: there is no '%s'\n", word);
    fputs(usage, asks ? stdout : stderr);
    return asks ? SY_EXIT_DONE : SY_EXIT_USAGE;
}
