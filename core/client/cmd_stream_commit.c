/* cmd_stream_commit.c: `systole stream commit`: a file of samples becomes a batch with salts, kept
 * here, and a stream.commit, sent.
 *
 * The batch is durable before its root is sent, under the stream's id and the commitment's number.
 * So whoever is interrupted runs the command again: the same samples are then the same batch, salts
 * included, and what arrived before is answered as a duplicate, whether or not the stream's entry
 * shows it yet. Other samples are not taken while nobody knows what became of the first: what was
 * sent once may apply for an hour, so that a batch goes only when the first sending is refused. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/os.h"
#include "core/client/cmd_stream.h"
#include "core/client/omh.h"
#include "core/client/samples.h"
#include "core/client/show.h"
#include "core/client/tx_draft.h"
#include "core/wire/refusal.h"
#include "core/wire/render.h"

#define SETTLE_MS 60000

static const char about[] =
    "Commits a stream to a file of samples, one a line, in the order of their times:\n"
    "  {\"time\": 1764547200000, \"value\": 72}     (milliseconds since 1970)\n"
    "Each gets a random salt; samples and salts are kept in --out, in a file that\n"
    "`systole stream prove` needs and nobody else should have. The ledger gets the root\n"
    "of them, how many there are and from when to when. --key is the device's.\n"
    "With --open-mhealth FILE is JSON of Open mHealth data points of the stream's\n"
    "measure and unit, in any order: one behind another, or in an array.\n";

struct run {
    const struct sy_cmd *cmd;
    struct sy_stream_asked asked;
    const char *out;
    bool open_mhealth;
    struct sy_hash id, organisation, device;
    struct sy_samples samples; /* the batch */
    struct sy_proven final;
    uint64_t nonce;
    char path[SY_CMD_PATH_MAX]; /* of the batch's file */
    bool again;                 /* it was there */
    int lock;                   /* of the stream's batches, for the whole run; -1: none */
};

// --- what the network knows --------------------------------------------------------------------

static sy_status ask_release(struct run *run, uint32_t *release, struct sy_error *err)
{
    struct sy_slice value;
    struct sy_firmware firmware;
    sy_status status = sy_stream_ask(&run->asked, &value, SY_STATE_FIRMWARE, &run->device, 0, err);
    if (status == SY_ERR_NOT_FOUND && err->status == SY_OK) {
        return sy_fail(err, SY_ERR_NOT_FOUND,
                       "no firmware of the device is attested: see device.firmware");
    }
    if (status != SY_OK) return status;
    if (!sy_firmware_decode(&firmware, value)) {
        return sy_fail(err, SY_ERR_VERSION, "the firmware proven is of an unknown form: upgrade");
    }
    *release = firmware.release;
    return SY_OK;
}

static sy_status ask_nonce(struct run *run, struct sy_error *err)
{
    struct sy_public_key key;
    struct sy_hash id;
    struct sy_slice value;
    struct sy_nonces nonces;
    sy_secret_key_public(run->asked.key, &key);
    memcpy(id.bytes, key.bytes, sizeof id.bytes);
    memset(&nonces, 0, sizeof nonces);
    sy_status status = sy_stream_ask(&run->asked, &value, SY_STATE_NONCES, &id, 0, err);
    if (status != SY_OK && !(status == SY_ERR_NOT_FOUND && err->status == SY_OK)) return status;
    if (status == SY_OK && !sy_nonces_decode(&nonces, value)) {
        return sy_fail(err, SY_ERR_VERSION, "the nonces proven are of an unknown form: upgrade");
    }
    run->nonce = nonces.highest + 1;
    return SY_OK;
}

// --- the batch ---------------------------------------------------------------------------------

static sy_status name_batch(struct run *run, struct sy_error *err)
{
    char hex[65];
    sy_hex_encode(hex, run->id.bytes, sizeof run->id.bytes);
    int size = snprintf(run->path, sizeof run->path, "%s/%s-%u.samples", run->out, hex,
                        (unsigned)run->samples.sequence);
    if (size > 0 && (size_t)size < sizeof run->path) return SY_OK;
    return sy_fail(err, SY_ERR_ARGUMENT, "--out: the path is too long");
}

/* Takes the batch of this number that was made before, if there is one; *other: it has other
 * samples. */
static sy_status take_kept(struct run *run, bool *other, struct sy_error *err)
{
    uint8_t *bytes = NULL;
    size_t size = 0;
    struct sy_samples kept = {.count = 0};
    struct sy_error inner = {SY_OK, ""};
    *other = false;
    sy_status status =
        sy_os_read_file(&bytes, &size, run->path, SY_SAMPLES_BATCH_BYTES_MAX, &inner);
    if (status == SY_ERR_NOT_FOUND) return SY_OK;
    if (status != SY_OK) return sy_fail(err, status, "%s", inner.text);
    status = sy_samples_decode(&kept, sy_slice_of(bytes, size), run->path, &inner);
    sy_wipe(bytes, size);
    free(bytes);
    if (status != SY_OK) return sy_fail(err, status, "%s", inner.text);
    *other = !(sy_hash_equal(&kept.stream, &run->id) && kept.sequence == run->samples.sequence &&
               memcmp(kept.network, run->samples.network, sizeof kept.network) == 0 &&
               sy_samples_same(&kept, &run->samples));
    if (*other) {
        sy_samples_free(&kept);
        return SY_OK;
    }
    sy_samples_free(&run->samples);
    run->samples = kept;
    run->again = true;
    return SY_OK;
}

/* Looks for the batch among those kept: under the stream's last number, where it stands if what was
 * sent has arrived since, and under the next one, which no other samples may have. */
static sy_status find_kept(struct run *run, const struct sy_stream *stream, struct sy_error *err)
{
    bool other;
    for (unsigned i = stream->commits == 0 ? 1 : 0; i < 2 && !run->again; i++) {
        run->samples.sequence = stream->commits + i;
        SY_TRY(name_batch(run, err));
        SY_TRY(take_kept(run, &other, err));
        if (!other || i == 0) continue;
        return sy_fail(err, SY_ERR_EXISTS,
                       "%s has other samples under the number %u, which may be on their way: "
                       "send those again, or wait an hour and move the file away",
                       run->path, (unsigned)run->samples.sequence);
    }
    return SY_OK;
}

static sy_status save_batch(const struct run *run, struct sy_error *err)
{
    size_t size = 256 + (size_t)run->samples.count * SY_SAMPLE_LEAF_BYTES_MAX;
    uint8_t *bytes = (uint8_t *)malloc(size);
    if (bytes == NULL) return sy_fail(err, SY_ERR_NO_MEMORY, "no memory for the batch");
    struct sy_writer w = sy_writer_of(bytes, size);
    sy_samples_encode(&w, &run->samples);
    sy_status status = w.failed ? sy_fail(err, SY_ERR_LIMIT, "the batch is too large")
                                : sy_os_write_new_file(run->path, bytes, w.used, 0600, err);
    sy_wipe(bytes, size);
    free(bytes);
    return status;
}

/* Two runs at once would each draw salts, and one would keep those of the root that the ledger does
 * not get. */
static sy_status lock_batches(struct run *run, struct sy_error *err)
{
    char hex[65], path[SY_CMD_PATH_MAX];
    sy_hex_encode(hex, run->id.bytes, sizeof run->id.bytes);
    int size = snprintf(path, sizeof path, "%s/%s", run->out, hex);
    if (size < 0 || (size_t)size >= sizeof path) {
        return sy_fail(err, SY_ERR_ARGUMENT, "--out: the path is too long");
    }
    SY_TRY(sy_os_make_dirs(run->out, 0700, err));
    return sy_os_lock(&run->lock, path, err);
}

/* Removes the batch, if its file is still of the root that was sent. */
static void drop_batch(const struct run *run)
{
    uint8_t *bytes = NULL;
    size_t size = 0;
    struct sy_samples kept = {.count = 0};
    struct sy_hash root, sent;
    struct sy_error err = {SY_OK, ""};
    if (sy_os_read_file(&bytes, &size, run->path, SY_SAMPLES_BATCH_BYTES_MAX, &err) != SY_OK) {
        return;
    }
    bool ours = sy_samples_decode(&kept, sy_slice_of(bytes, size), run->path, &err) == SY_OK &&
                sy_samples_root(&root, &kept, &err) == SY_OK &&
                sy_samples_root(&sent, &run->samples, &err) == SY_OK && sy_hash_equal(&root, &sent);
    sy_wipe(bytes, size);
    free(bytes);
    sy_samples_free(&kept);
    if (ours) (void)unlink(run->path);
}

static sy_status read_input(struct run *run, const char *path, const struct sy_stream *stream,
                            struct sy_error *err)
{
    uint8_t *text = NULL;
    size_t size = 0;
    size_t most = run->open_mhealth ? SY_OMH_INPUT_BYTES_MAX : SY_SAMPLES_INPUT_BYTES_MAX;
    SY_TRY(sy_cmd_read_input(&text, &size, path, most, err));
    struct sy_slice input = sy_slice_of(text, size);
    sy_status status = run->open_mhealth ? sy_omh_read(&run->samples, input, path, stream, err)
                                         : sy_samples_read(&run->samples, input, path, err);
    if (size > 0) sy_wipe(text, size);
    free(text);
    return status;
}

static sy_status make_batch(struct run *run, const char *path, struct sy_error *err)
{
    struct sy_stream stream;
    SY_TRY(sy_stream_ask_whole(&run->asked, &stream, &run->id, err));
    SY_TRY(read_input(run, path, &stream, err));
    const uint8_t *tag = sy_network_tag(&run->asked.net->genesis);
    memcpy(run->samples.network, tag, sizeof run->samples.network);
    run->samples.stream = run->id;
    run->organisation = stream.organisation;
    run->device = stream.device;
    SY_TRY(find_kept(run, &stream, err));
    if (run->again) return SY_OK;
    if (stream.closed) {
        return sy_fail(err, SY_ERR_ARGUMENT, "the stream is closed: open another one");
    }
    SY_TRY(sy_samples_window(&run->samples, &stream, sy_os_wall_ms(), err));
    SY_TRY(ask_release(run, &run->samples.release, err));
    sy_samples_salt(&run->samples);
    return save_batch(run, err);
}

// --- sending -----------------------------------------------------------------------------------

static sy_status settle(struct run *run, const union sy_payload *payload, struct sy_error *err)
{
    uint8_t room[512];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    struct sy_tx tx = {.kind = SY_KIND_stream_commit,
                       .organisation = run->organisation,
                       .nonce = run->nonce,
                       .valid_until_ms = sy_os_wall_ms() + 3600 * 1000};
    const struct sy_genesis *genesis = &run->asked.net->genesis;
    sy_draft *draft = NULL;
    unsigned place;
    uint16_t code;
    sy_secret_key_public(run->asked.key, &tx.signer);
    sy_payload_encode(&w, sy_kind_by_number(SY_KIND_stream_commit), payload);
    if (w.failed) return sy_fail(err, SY_ERR_ARGUMENT, "the transaction has no encoding");
    tx.payload = sy_writer_slice(&w);
    SY_TRY(sy_draft_make(&draft, genesis, &tx, err));
    sy_status status = sy_draft_sign(draft, &place, run->asked.key, genesis, err);
    if (status == SY_OK) {
        status = sy_asker_settle(run->asked.asker, &run->final, &code, sy_draft_bytes(draft), false,
                                 SETTLE_MS, err);
    }
    sy_draft_close(draft);
    return status;
}

static sy_status send_batch(struct run *run, struct sy_error *err)
{
    const struct sy_samples *samples = &run->samples;
    union sy_payload payload;
    memset(&payload, 0, sizeof payload);
    struct sy_stream_commit *p = &payload.stream_commit;
    p->stream_id = run->id;
    p->sequence = samples->sequence;
    p->release = samples->release;
    p->from = samples->from_ms;
    p->to = samples->to_ms;
    p->samples = samples->count;
    p->backfill = samples->backfill;
    SY_TRY(sy_samples_root(&p->root, samples, err));
    SY_TRY(ask_nonce(run, err));
    return settle(run, &payload, err);
}

static int tell(const struct run *run)
{
    const struct sy_receipt *receipt = &run->final.receipt;
    bool there = receipt->code == SY_APPLIED || receipt->code == SY_E_DUP_COMMIT;
    int code = there ? SY_EXIT_DONE : SY_EXIT_REFUSED;
    bool kept = there || !sy_samples_refused(receipt->code, run->again);
    const struct sy_samples *samples = &run->samples;
    char from[SY_CMD_TIME_BYTES], to[SY_CMD_TIME_BYTES];
    sy_cmd_time(from, samples->from_ms);
    sy_cmd_time(to, samples->to_ms);
    if (run->cmd->json) {
        sy_json json;
        sy_cmd_json_begin(&json);
        sy_json_put_bool(&json, "committed", there);
        sy_json_put_u64(&json, "sequence", samples->sequence);
        sy_json_put_u64(&json, "samples", samples->count);
        sy_json_put_i64(&json, "from_ms", samples->from_ms);
        sy_json_put_i64(&json, "to_ms", samples->to_ms);
        sy_json_put_bool(&json, "backfill", samples->backfill);
        if (kept) sy_json_put_text(&json, "batch", run->path);
        sy_json_key(&json, "receipt");
        sy_receipt_to_json(&json, receipt);
        sy_show_proof(&json, &run->final.proof, &run->asked.net->genesis);
        return sy_cmd_json_end(&json, code);
    }
    sy_show_receipt_lines(stdout, receipt);
    sy_show_proof_line(stdout, &run->final.proof, &run->asked.net->genesis);
    if (there) {
        printf("commitment %u: %u samples from %s to %s; kept in %s\n", (unsigned)samples->sequence,
               (unsigned)samples->count, from, to, run->path);
    } else if (kept) {
        printf("what was sent before may yet apply: run it again; kept in %s\n", run->path);
    }
    return code;
}

static int run_commit(struct run *run, struct sy_error *err)
{
    sy_status status = sy_cmd_hash(&run->id, "STREAM", run->cmd->words[0], err);
    if (status == SY_OK) status = sy_stream_open_asked(&run->asked, err);
    if (status == SY_OK) status = lock_batches(run, err);
    if (status == SY_OK) status = make_batch(run, run->cmd->words[1], err);
    if (status == SY_OK) status = send_batch(run, err);
    if (status != SY_OK) return sy_cmd_fail(run->cmd, err);
    sy_cmd_saw(run->asked.net, run->asked.asker);
    int code = tell(run);
    // Its number is free again, and nothing stands on the ledger that its salts would open.
    if (sy_samples_refused(run->final.receipt.code, run->again)) drop_batch(run);
    return code;
}

int sy_cmd_stream_commit(int argc, char **argv)
{
    static struct run run; /* too large for a small stack; one command a process */
    const struct sy_option options[] = {
        {"out", SY_OPTION_TEXT, &run.out, "DIR", "folder where batches are kept", 0, 0},
        {"open-mhealth", SY_OPTION_SWITCH, &run.open_mhealth, NULL, "FILE has Open mHealth points",
         0, 0},
        SY_STREAM_OPTIONS(run.asked),
    };
    struct sy_cmd cmd = {.name = "stream commit",
                         .arguments = "STREAM FILE|-",
                         .about = about,
                         .options = options,
                         .option_count = sizeof options / sizeof options[0],
                         .words_min = 2,
                         .words_max = 2};
    int exit_code;
    struct sy_error err = {SY_OK, ""};
    if (!sy_cmd_parse(&cmd, &exit_code, argc, argv)) return exit_code;
    if (!run.out) return sy_cmd_usage(&cmd, "--out DIR is missing: where the salts are kept");
    run.cmd = &cmd;
    run.lock = -1;
    exit_code = run_commit(&run, &err);
    sy_os_unlock(run.lock);
    sy_samples_free(&run.samples);
    sy_proven_free(&run.final);
    sy_stream_close_asked(&run.asked);
    return exit_code;
}
