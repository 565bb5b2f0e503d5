/* cmd_stream.c: `systole stream`: what its parts share, and the choice among them. */
#include "core/client/cmd_stream.h"

#include <string.h>

#include "core/base/os.h"

#define AGE_MS_MAX 60000

sy_status sy_stream_open_asked(struct sy_stream_asked *asked, struct sy_error *err)
{
    const char *word = asked->purpose_word ? asked->purpose_word : "treatment";
    SY_TRY(sy_cmd_purpose(&asked->purpose, word, err));
    if (asked->proofs != NULL) SY_TRY(sy_os_make_dirs(asked->proofs, 0700, err));
    SY_TRY(sy_cmd_connect(&asked->net, &asked->asker, &asked->where, 0, err));
    return sy_cmd_read_key(&asked->key, asked->net, asked->key_path, err);
}

void sy_stream_close_asked(struct sy_stream_asked *asked)
{
    sy_proven_free(&asked->answer);
    sy_secret_key_close(asked->key);
    sy_asker_close(asked->asker);
    sy_cmd_net_close(asked->net);
}

static sy_status keep_proof(const struct sy_stream_asked *asked, struct sy_error *err)
{
    char path[SY_CMD_PATH_MAX], hex[65];
    sy_hex_encode(hex, asked->answer.proof.state.key_hash.bytes, 32);
    int size = snprintf(path, sizeof path, "%s/%s.syproof", asked->proofs, hex);
    if (size < 0 || (size_t)size >= sizeof path) {
        return sy_fail(err, SY_ERR_ARGUMENT, "--proofs: the path is too long");
    }
    return sy_os_write_file(path, asked->answer.bytes, asked->answer.size, 0600, err);
}

sy_status sy_stream_ask(struct sy_stream_asked *asked, struct sy_slice *value,
                        enum sy_state_kind kind, const struct sy_hash *id, uint64_t number,
                        struct sy_error *err)
{
    struct sy_read_request read = {.subject = SY_READ_STATE,
                                   .state_kind = (uint8_t)kind,
                                   .id = *id,
                                   .purpose = asked->purpose};
    sy_store_u64(read.second.bytes, number);
    SY_TRY(sy_asker_read(asked->asker, &asked->answer, &read, asked->key, AGE_MS_MAX, err));
    const struct sy_proof *proof = &asked->answer.proof;
    // What is asked next is from no older block, so that numbers told by one are there in the
    // other.
    sy_asker_expect(asked->asker, proof->header.height);
    if (proof->header.height > asked->highest) asked->highest = proof->header.height;
    if (asked->proofs != NULL) SY_TRY(keep_proof(asked, err));
    if (!proof->state.present) return SY_ERR_NOT_FOUND;
    *value = proof->state.value;
    return SY_OK;
}

sy_status sy_stream_ask_whole(struct sy_stream_asked *asked, struct sy_stream *stream,
                              const struct sy_hash *id, struct sy_error *err)
{
    struct sy_slice value;
    sy_status status = sy_stream_ask(asked, &value, SY_STATE_STREAM, id, 0, err);
    if (status == SY_ERR_NOT_FOUND && err->status == SY_OK) {
        return sy_fail(err, SY_ERR_NOT_FOUND, "the ledger has no such stream: see stream.open");
    }
    if (status != SY_OK) return status;
    if (sy_stream_decode(stream, value)) return SY_OK;
    return sy_fail(err, SY_ERR_VERSION, "the stream proven is of an unknown form: upgrade");
}

int sy_cmd_stream(int argc, char **argv)
{
    const char *word = argc > 1 ? argv[1] : "";
    if (strcmp(word, "commit") == 0) return sy_cmd_stream_commit(argc - 1, argv + 1);
    if (strcmp(word, "prove") == 0) return sy_cmd_stream_prove(argc - 1, argv + 1);
    if (strcmp(word, "coverage") == 0) return sy_cmd_stream_coverage(argc - 1, argv + 1);
    if (strcmp(word, "gaps") == 0) return sy_cmd_stream_gaps(argc - 1, argv + 1);
    bool asks = strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
    if (!asks && word[0]) fprintf(stderr, "systole stream: there is no '%s'\n", word);
    fputs("usage: systole stream commit STREAM FILE  commit to a file of samples, salted\n"
          "       systole stream prove BATCH N       prove one of them, for anybody to check\n"
          "       systole stream coverage STREAM     which windows were committed to\n"
          "       systole stream gaps STREAM         of which time nothing was\n"
          "\n`systole stream commit --help` and so on say more; `systole verify` checks what\n"
          "`prove` wrote. A stream is opened by stream.open, which `systole tx` makes.\n",
          asks ? stdout : stderr);
    return asks ? SY_EXIT_DONE : SY_EXIT_USAGE;
}
