/* cmd_stream_prove.c: `systole stream prove`: one sample of a batch, with all that shows anybody
 * that the device committed to it. */
#include <stdlib.h>
#include <string.h>

#include "core/base/os.h"
#include "core/client/cmd_stream.h"
#include "core/client/samples.h"

static const char about[] =
    "Writes a file that proves one sample: the sample with its salt, its path to the\n"
    "root, and the ledger's entry with that root, certified by the validators. BATCH is\n"
    "a file that `systole stream commit` kept, N the sample's place in it, from 1.\n"
    "`systole verify FILE` checks it offline, with only the genesis file. Of the other\n"
    "samples it tells how many there are.\n";

struct run {
    const struct sy_cmd *cmd;
    struct sy_stream_asked asked;
    const char *out;
    struct sy_samples samples;
    struct sy_sample_proof proof;
};

static sy_status load_batch(struct run *run, struct sy_error *err)
{
    uint8_t *bytes = NULL;
    size_t size = 0;
    const char *path = run->cmd->words[0];
    SY_TRY(sy_cmd_read_input(&bytes, &size, path, SY_SAMPLES_BATCH_BYTES_MAX, err));
    sy_status status = sy_samples_decode(&run->samples, sy_slice_of(bytes, size), path, err);
    if (size > 0) sy_wipe(bytes, size);
    free(bytes);
    return status;
}

/* The ledger has this batch's root. */
static sy_status check_root(struct run *run, struct sy_error *err)
{
    const struct sy_samples *samples = &run->samples;
    struct sy_stream_commit_entry entry;
    struct sy_slice value;
    struct sy_hash root;
    const uint8_t *tag = sy_network_tag(&run->asked.net->genesis);
    if (memcmp(samples->network, tag, sizeof samples->network) != 0) {
        return sy_fail(err, SY_ERR_ARGUMENT, "the batch is of another network");
    }
    sy_status status = sy_stream_ask(&run->asked, &value, SY_STATE_STREAM_COMMIT, &samples->stream,
                                     samples->sequence, err);
    if (status == SY_ERR_NOT_FOUND && err->status == SY_OK) {
        return sy_fail(err, SY_ERR_NOT_FOUND,
                       "the ledger has no commitment %u of the stream: the batch did not arrive, "
                       "so commit to its samples again",
                       (unsigned)samples->sequence);
    }
    if (status != SY_OK) return status;
    if (!sy_stream_commit_decode(&entry, value)) {
        return sy_fail(err, SY_ERR_VERSION, "the commitment proven is of an unknown form: upgrade");
    }
    SY_TRY(sy_samples_root(&root, samples, err));
    if (sy_hash_equal(&root, &entry.root) && entry.samples == samples->count) return SY_OK;
    return sy_fail(err, SY_ERR_CRYPTO, "the stream's commitment %u is to other samples",
                   (unsigned)samples->sequence);
}

static sy_status save_proof(const struct run *run, struct sy_error *err)
{
    size_t size = 4096 + run->proof.entry.size;
    uint8_t *bytes = (uint8_t *)malloc(size);
    if (bytes == NULL) return sy_fail(err, SY_ERR_NO_MEMORY, "no memory for the proof");
    struct sy_writer w = sy_writer_of(bytes, size);
    sy_sample_proof_encode(&w, &run->proof);
    sy_status status = w.failed ? sy_fail(err, SY_ERR_LIMIT, "the proof is too large")
                                : sy_os_write_file(run->out, bytes, w.used, 0600, err);
    free(bytes);
    return status;
}

static sy_status prove(struct run *run, uint32_t index, struct sy_error *err)
{
    struct sy_sample_proof *proof = &run->proof;
    SY_TRY(check_root(run, err));
    memcpy(proof->network, run->samples.network, sizeof proof->network);
    proof->stream = run->samples.stream;
    proof->sequence = run->samples.sequence;
    proof->sample = run->samples.items[index];
    SY_TRY(sy_samples_path(&proof->path, &run->samples, index, err));
    proof->entry = sy_slice_of(run->asked.answer.bytes, run->asked.answer.size);
    return save_proof(run, err);
}

static int run_prove(struct run *run, struct sy_error *err)
{
    const struct sy_cmd *cmd = run->cmd;
    uint64_t number = 0;
    sy_status status = load_batch(run, err);
    if (status == SY_OK && !sy_parse_u64(&number, cmd->words[1], 1, run->samples.count)) {
        return sy_cmd_usage(cmd, "'%s' is not the place of a sample: the batch has %u, from 1",
                            cmd->words[1], (unsigned)run->samples.count);
    }
    if (status == SY_OK) status = sy_stream_open_asked(&run->asked, err);
    if (status == SY_OK) status = prove(run, (uint32_t)number - 1, err);
    if (status != SY_OK) return sy_cmd_fail(cmd, err);
    if (!cmd->json) {
        printf("sample %llu of %u in commitment %u: proven by %s\n", (unsigned long long)number,
               (unsigned)run->samples.count, (unsigned)run->samples.sequence, run->out);
        return SY_EXIT_DONE;
    }
    sy_json json;
    sy_cmd_json_begin(&json);
    sy_json_put_text(&json, "proof", run->out);
    sy_json_put_u64(&json, "sample", number);
    sy_json_put_u64(&json, "samples", run->samples.count);
    sy_json_put_u64(&json, "sequence", run->samples.sequence);
    return sy_cmd_json_end(&json, SY_EXIT_DONE);
}

int sy_cmd_stream_prove(int argc, char **argv)
{
    static struct run run; /* too large for a small stack; one command a process */
    const struct sy_option options[] = {
        {"out", SY_OPTION_TEXT, &run.out, "FILE", "where the proof goes (.sysample)", 0, 0},
        SY_STREAM_OPTIONS(run.asked),
    };
    struct sy_cmd cmd = {.name = "stream prove",
                         .arguments = "BATCH N",
                         .about = about,
                         .options = options,
                         .option_count = sizeof options / sizeof options[0],
                         .words_min = 2,
                         .words_max = 2};
    int exit_code;
    struct sy_error err = {SY_OK, ""};
    if (!sy_cmd_parse(&cmd, &exit_code, argc, argv)) return exit_code;
    if (!run.out) return sy_cmd_usage(&cmd, "--out FILE is missing");
    run.cmd = &cmd;
    exit_code = run_prove(&run, &err);
    sy_samples_free(&run.samples);
    sy_stream_close_asked(&run.asked);
    return exit_code;
}
