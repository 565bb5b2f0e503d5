/* cmd_verify.c: `systole verify`: proofs and evidence, offline, with only the genesis file: one
 * file, many, a folder of them, or every receipt that a client's store kept.
 *
 * The signatures of many are decided together (core/crypto/sig_queue.h). What holds but for its
 * signatures waits; whatever then does not hold is checked again with OpenSSL alone, in its turn,
 * and it is that check's words that are told. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "core/base/assert.h"
#include "core/base/os.h"
#include "core/client/client_store.h"
#include "core/client/cmd.h"
#include "core/client/samples.h"
#include "core/client/show.h"
#include "core/client/valid.h"
#include "core/crypto/engine_choice.h"
#include "core/crypto/sig_queue.h"
#include "core/wire/render.h"

#define FEW_MAX 32u /* files that are not worth an engine, whose self-test takes 20 ms */
#define WAITING_MAX 512u
#define WAITING_BYTES_MAX (16u << 20) /* of files that wait; one may be larger */
#define ROWS_MAX 4096u                /* of a store at a time */

static const char about[] =
    "Checks proofs against the genesis file and nothing else: certificate, paths,\n"
    "and that receipt and transaction speak of each other. PROOF is a .syproof file\n"
    "or a folder of them. --store checks every receipt that a client's store kept\n"
    "(the folder that client.conf names), each under its header and certificate.\n"
    "Also takes .syvalid files (`systole get credential --at`): how a credential stood\n"
    "at a time gone by, which --json tells as `valid`; and .syevidence files: that a\n"
    "validator signed both of two statements that contradict each other; and .sysample\n"
    "files: one sample of a device's stream (`systole stream prove`).\n";

/* A file that holds if its signatures do. */
struct waiting {
    char *path;     /* owned */
    uint8_t *bytes; /* owned; to be checked again */
    size_t size;
    bool holds; /* its signatures, once they are decided */
    bool is_evidence;
    uint8_t kind;  /* of a proof; 0: it is another file */
    uint16_t code; /* of its receipt */
};

struct verify {
    const struct sy_cmd *cmd;
    struct sy_cmd_where where;
    const char *genesis_path;
    const char *store_path;
    struct sy_genesis *genesis;
    struct sy_proven proven;
    struct sy_proof proof; /* of a kept receipt */
    sy_epochs *epochs;     /* as far as a store kept them */
    struct sy_evidence evidence;
    struct sy_valid valid;
    enum sy_at_verdict verdict;
    struct sy_sample_proof sample;
    struct sy_stream_commit_entry commit; /* that the sample is of */
    struct sy_proven entry;
    bool is_evidence, is_valid, is_sample; /* what the last file was */
    sy_engine *engine;
    sy_sig_queue *queue;         /* NULL: there are but few files */
    struct sy_verifier verifier; /* the queue's, or OpenSSL */
    struct waiting *waiting;     /* WAITING_MAX */
    unsigned waiting_count;
    size_t waiting_bytes;
    uint64_t pieces; /* of evidence that holds; good counts them, too */
    uint64_t good;
    uint64_t bad;
    uint64_t applied;
    uint64_t refused;
    uint64_t headers;
    char first_bad[512];
};

static void note_bad(struct verify *verify, const char *name, const char *why)
{
    if (verify->bad++ == 0) {
        (void)snprintf(verify->first_bad, sizeof verify->first_bad, "%s: %s", name, why);
    }
    if (!verify->cmd->json) fprintf(stderr, "systole verify: %s: not proven: %s\n", name, why);
}

static void note_good(struct verify *verify, uint8_t kind, uint16_t code)
{
    verify->good++;
    if (kind != SY_PROOF_RECEIPT) return;
    if (code == SY_APPLIED) {
        verify->applied++;
    } else {
        verify->refused++;
    }
}

/* ---- files -------------------------------------------------------------------------------- */

static sy_status check_evidence(struct verify *verify, struct sy_slice bytes, struct sy_error *err)
{
    const char *what = "";
    if (!sy_evidence_decode(&verify->evidence, bytes, &what)) {
        return sy_fail(err, SY_ERR_FORMAT, "this is no evidence that can be read (%s)", what);
    }
    if (!sy_evidence_verify_by(&verify->verifier, &verify->evidence, verify->genesis, &what)) {
        return sy_fail(err, SY_ERR_CRYPTO, "it proves nothing: %s", what);
    }
    return SY_OK;
}

/* proven owns bytes. */
static sy_status check_proof(struct verify *verify, uint8_t *bytes, size_t size,
                             struct sy_error *err)
{
    const char *what = "";
    SY_TRY(sy_proven_take(&verify->proven, bytes, size, verify->genesis, err));
    if (sy_proof_verify_by(&verify->verifier, &verify->proven.proof, verify->genesis, NULL,
                           &what)) {
        return SY_OK;
    }
    return sy_fail(err, SY_ERR_CRYPTO, "it does not hold: %s", what);
}

/* How a credential stood. */
static sy_status check_valid(struct verify *verify, struct sy_slice bytes, struct sy_error *err)
{
    const char *what = "";
    if (!sy_valid_decode(&verify->valid, bytes, &what)) {
        return sy_fail(err, SY_ERR_FORMAT, "this is no proof that can be read (%s)", what);
    }
    return sy_valid_verify_by(&verify->verifier, &verify->verdict, &verify->valid, verify->genesis,
                              err);
}

/* A sample of a stream. */
static sy_status check_sample(struct verify *verify, struct sy_slice bytes, struct sy_error *err)
{
    const char *what = "";
    if (!sy_sample_proof_decode(&verify->sample, bytes, &what)) {
        return sy_fail(err, SY_ERR_FORMAT, "this is no proof that can be read (%s)", what);
    }
    // By OpenSSL at once: what it borrows is gone before a queue would decide.
    return sy_sample_proof_verify_by(&sy_verifier_openssl, &verify->sample, &verify->commit,
                                     &verify->entry, verify->genesis, err);
}

/* Checks what a file holds, which proven owns from then on. */
static sy_status check_bytes(struct verify *verify, uint8_t *bytes, size_t size,
                             struct sy_error *err)
{
    struct sy_slice all = sy_slice_of(bytes, size);
    verify->is_evidence = sy_evidence_is(all);
    verify->is_valid = sy_valid_is(all);
    verify->is_sample = sy_sample_proof_is(all);
    bool other = verify->is_evidence || verify->is_valid || verify->is_sample;
    if (!other) return check_proof(verify, bytes, size, err);
    sy_proven_free(&verify->proven);
    verify->proven.bytes = bytes;
    verify->proven.size = size;
    if (verify->is_sample) return check_sample(verify, all, err);
    return verify->is_valid ? check_valid(verify, all, err) : check_evidence(verify, all, err);
}

/* What note_good is told of the last file, if it is no evidence. */
static uint8_t last_kind(const struct verify *verify)
{
    bool other = verify->is_evidence || verify->is_valid || verify->is_sample;
    return other ? 0 : verify->proven.proof.kind;
}

static uint16_t last_code(const struct verify *verify)
{
    bool other = verify->is_evidence || verify->is_valid || verify->is_sample;
    return other ? 0 : verify->proven.receipt.code;
}

/* Notes what a check said. False: it does not hold. */
static bool note(struct verify *verify, const char *path, const struct sy_error *err)
{
    if (err->status != SY_OK) {
        note_bad(verify, path, err->text);
        return false;
    }
    if (verify->is_evidence) {
        verify->good++;
        verify->pieces++;
    } else {
        note_good(verify, last_kind(verify), last_code(verify));
    }
    return true;
}

/* Checks bytes at once, by OpenSSL, and notes it. */
static bool judge_bytes(struct verify *verify, const char *path, uint8_t *bytes, size_t size)
{
    struct sy_error err = {SY_OK, ""};
    struct sy_verifier before = verify->verifier;
    verify->verifier = sy_verifier_openssl;
    err.status = check_bytes(verify, bytes, size, &err);
    verify->verifier = before;
    return note(verify, path, &err);
}

/* False: it does not hold, and that was noted. */
static bool verify_file(struct verify *verify, const char *path)
{
    uint8_t *bytes = NULL;
    size_t size = 0;
    struct sy_error err = {SY_OK, ""};
    verify->is_evidence = verify->is_valid = verify->is_sample = false;
    if (sy_os_read_file(&bytes, &size, path, SY_PROVEN_BYTES_MAX, &err) == SY_OK) {
        return judge_bytes(verify, path, bytes, size);
    }
    note_bad(verify, path, err.text);
    return false;
}

/* ---- many files --------------------------------------------------------------------------- */

/* Judges what waits, in its order. */
static void settle(struct verify *verify)
{
    if (!verify->queue) return;
    sy_sig_queue_decide(verify->queue);
    for (unsigned i = 0; i < verify->waiting_count; i++) {
        struct waiting *waiting = &verify->waiting[i];
        if (!waiting->holds) {
            (void)judge_bytes(verify, waiting->path, waiting->bytes, waiting->size);
        } else if (waiting->is_evidence) {
            verify->good++;
            verify->pieces++;
        } else {
            note_good(verify, waiting->kind, waiting->code);
        }
        if (waiting->holds) free(waiting->bytes);
        free(waiting->path);
    }
    verify->waiting_count = 0;
    verify->waiting_bytes = 0;
}

/* Lets the file that was just checked wait; its bytes are proven's until here. */
static void let_wait(struct verify *verify, struct waiting *waiting, char *path)
{
    waiting->path = path;
    waiting->bytes = verify->proven.bytes;
    waiting->size = verify->proven.size;
    waiting->is_evidence = verify->is_evidence;
    waiting->kind = last_kind(verify);
    waiting->code = last_code(verify);
    verify->proven.bytes = NULL;
    verify->proven.size = 0;
    verify->waiting_count++;
    verify->waiting_bytes += waiting->size;
}

/* One of many. What is wrong with it is noted after all that is wrong with those before it. */
static void take_file(struct verify *verify, const char *path)
{
    struct sy_error err = {SY_OK, ""};
    size_t size = 0;
    uint8_t *bytes = NULL;
    if (!verify->queue) {
        (void)verify_file(verify, path);
        return;
    }
    if (verify->waiting_count == WAITING_MAX || verify->waiting_bytes > WAITING_BYTES_MAX) {
        settle(verify);
    }
    struct waiting *waiting = &verify->waiting[verify->waiting_count];
    if (sy_os_read_file(&bytes, &size, path, SY_PROVEN_BYTES_MAX, &err) != SY_OK) {
        settle(verify);
        note_bad(verify, path, err.text);
        return;
    }
    char *copy = strdup(path);
    sy_sig_queue_item(verify->queue, &waiting->holds);
    sy_status status = check_bytes(verify, bytes, size, &err);
    if (status == SY_OK && copy) {
        let_wait(verify, waiting, copy);
        return;
    }
    free(copy);
    verify->proven.bytes = NULL; // they are to be judged after those that wait
    settle(verify);
    (void)judge_bytes(verify, path, bytes, size);
}

static bool ends_with(const char *name, const char *end)
{
    size_t size = strlen(name);
    return size > strlen(end) && strcmp(name + size - strlen(end), end) == 0;
}

static bool is_proof_name(const char *name)
{
    return ends_with(name, ".syproof") || ends_with(name, ".syvalid") ||
           ends_with(name, ".syevidence") || ends_with(name, ".sysample");
}

static void verify_folder(struct verify *verify, const char *path)
{
    char whole[SY_CMD_PATH_MAX];
    const struct dirent *entry;
    bool found = false;
    DIR *dir = opendir(path);
    if (!dir) {
        int reason = errno;
        settle(verify);
        note_bad(verify, path, strerror(reason));
        return;
    }
    while ((entry = readdir(dir)) != NULL) {
        if (!is_proof_name(entry->d_name)) continue;
        found = true;
        int size = snprintf(whole, sizeof whole, "%s/%s", path, entry->d_name);
        if (size > 0 && (size_t)size < sizeof whole) {
            take_file(verify, whole);
        } else {
            settle(verify);
            note_bad(verify, entry->d_name, "its path is too long");
        }
    }
    closedir(dir);
    if (!found) {
        settle(verify);
        note_bad(verify, path,
                 "there is no .syproof, .syvalid or .syevidence file in it, nor a .sysample");
    }
}

/* ---- a client's store --------------------------------------------------------------------- */

/* Headers that were verified, by height: receipts come in runs under one. */
struct trusted {
    uint8_t *known; /* a bit a height */
    uint64_t room;
    uint64_t newest[ROWS_MAX]; /* heights whose certificates' signatures wait */
    size_t newest_count;
};

static bool is_trusted(const struct trusted *trusted, uint64_t height)
{
    for (size_t i = trusted->newest_count; i-- > 0;) { // nearly always the last one
        if (trusted->newest[i] == height) return true;
    }
    return height < trusted->room && (trusted->known[height / 8] >> (height % 8) & 1) != 0;
}

/* The newest are certified, so their heights are a ledger's own and the bitmap stays small. */
static bool settle_trust(struct trusted *trusted)
{
    for (size_t i = 0; i < trusted->newest_count; i++) {
        uint64_t height = trusted->newest[i];
        if (height >= trusted->room) {
            uint64_t room = (height + 1) * 2 + 1024;
            room -= room % 8;
            uint8_t *moved = (uint8_t *)realloc(trusted->known, room / 8);
            if (!moved) return false;
            memset(moved + trusted->room / 8, 0, (room - trusted->room) / 8);
            trusted->known = moved;
            trusted->room = room;
        }
        trusted->known[height / 8] |= (uint8_t)(1u << (height % 8));
    }
    trusted->newest_count = 0;
    return true;
}

/* Follows the handovers that the store kept. */
static sy_status follow_kept(struct verify *verify, sy_client_store *store, struct sy_error *err)
{
    SY_TRY(sy_epochs_open(&verify->epochs, verify->genesis, err));
    for (;;) {
        struct sy_slice handover;
        uint32_t epoch = sy_epochs_newest(verify->epochs)->epoch;
        sy_status status = sy_client_get_handover(store, &handover, epoch, err);
        if (status == SY_ERR_NOT_FOUND) return SY_OK;
        if (status == SY_OK) status = sy_epochs_take(verify->epochs, handover, err);
        if (status != SY_OK) return status;
    }
}

/* The header of a height, certificate checked once. */
static sy_status load_header(struct verify *verify, sy_client_store *store, struct trusted *trusted,
                             struct sy_header *header, uint64_t height, struct sy_error *err)
{
    struct sy_slice bytes;
    SY_TRY(sy_client_get_header(store, header, &bytes, height, err));
    if (is_trusted(trusted, height)) return SY_OK;
    struct sy_reader r = sy_reader_of(bytes);
    if (header->height != height ||
        !sy_certificate_decode(&r, &verify->proof.certificate, SY_ROSTER_UNKNOWN) ||
        !sy_reader_done(&r) ||
        !sy_epochs_certified_by(verify->epochs, &verify->verifier, header,
                                &verify->proof.certificate)) {
        return sy_fail(err, SY_ERR_CRYPTO, "the certificate of block %llu does not hold",
                       (unsigned long long)height);
    }
    SY_ASSERT(trusted->newest_count < ROWS_MAX);
    trusted->newest[trusted->newest_count++] = height;
    verify->headers++;
    return SY_OK;
}

static sy_status check_receipt(struct verify *verify, sy_client_store *store,
                               struct trusted *trusted, const struct sy_client_done *done,
                               struct sy_error *err)
{
    struct sy_receipt_proof *body = &verify->proof.receipt;
    struct sy_header header;
    struct sy_receipt receipt;
    const char *what = "";
    struct sy_reader r = sy_reader_of(done->proof);
    if (!sy_receipt_proof_decode(&r, body) || !sy_reader_done(&r)) {
        return sy_fail(err, SY_ERR_FORMAT, "its proof cannot be read");
    }
    SY_TRY(load_header(verify, store, trusted, &header, done->height, err));
    if (!sy_receipt_proof_verify_by(&verify->verifier, body, &header, verify->genesis, &what)) {
        return sy_fail(err, SY_ERR_CRYPTO, "its proof does not hold: %s", what);
    }
    struct sy_reader in = sy_reader_of(body->receipt);
    if (!sy_receipt_decode(&in, &receipt) || !sy_hash_equal(&receipt.tx_id, &done->tx_id) ||
        receipt.code != done->code) {
        return sy_fail(err, SY_ERR_CORRUPT, "its proof is of another transaction or outcome");
    }
    note_good(verify, SY_PROOF_RECEIPT, receipt.code);
    return SY_OK;
}

/* The rows from *seq on, ROWS_MAX at most, up to `end`; *seq is behind the last one then. strict:
 * one that does not hold is noted; else it ends the walk, and *fine is false. SY_ERR_NOT_FOUND:
 * there are no more. */
static sy_status walk_rows(struct verify *verify, sy_client_store *store, struct trusted *trusted,
                           bool *fine, uint64_t *seq, uint64_t end, bool strict,
                           struct sy_error *err)
{
    struct sy_client_done done;
    struct sy_error inner = {SY_OK, ""};
    char hex[65];
    trusted->newest_count = 0;
    for (unsigned rows = 0; rows < ROWS_MAX && *seq < end; rows++) {
        SY_TRY(sy_client_done_from(store, &done, *seq, err));
        if (done.seq == UINT64_MAX) {
            return sy_fail(err, SY_ERR_CORRUPT,
                           "the store has a row of number 2^64 - 1, which no "
                           "client writes");
        }
        if (done.seq >= end) return SY_OK;
        *seq = done.seq + 1;
        if (done.height == 0) continue; // refused before ordering: there is nothing to prove
        if (check_receipt(verify, store, trusted, &done, &inner) == SY_OK) continue;
        *fine = false;
        if (!strict) return SY_OK;
        sy_hex_encode(hex, done.tx_id.bytes, sizeof done.tx_id.bytes);
        note_bad(verify, hex, inner.text);
    }
    return SY_OK;
}

/* Some rows with their signatures decided together; and, if anything is wrong, the same again by
 * OpenSSL. */
static sy_status verify_some_rows(struct verify *verify, sy_client_store *store,
                                  struct trusted *trusted, uint64_t *seq, struct sy_error *err)
{
    uint64_t start = *seq, good = verify->good, applied = verify->applied;
    uint64_t refused = verify->refused, headers = verify->headers;
    bool fine = true, holds;
    sy_sig_queue_item(verify->queue, &holds);
    sy_status status = walk_rows(verify, store, trusted, &fine, seq, UINT64_MAX, false, err);
    sy_sig_queue_decide(verify->queue);
    if (fine && holds) {
        return settle_trust(trusted) ? status : sy_fail(err, SY_ERR_NO_MEMORY, "no memory");
    }
    trusted->newest_count = 0;
    verify->good = good;
    verify->applied = applied;
    verify->refused = refused;
    verify->headers = headers;
    struct sy_verifier queue = verify->verifier;
    verify->verifier = sy_verifier_openssl;
    sy_status again = walk_rows(verify, store, trusted, &fine, &start, *seq, true, err);
    verify->verifier = queue;
    if (again == SY_OK && !settle_trust(trusted))
        again = sy_fail(err, SY_ERR_NO_MEMORY, "no memory");
    return again == SY_OK ? status : again;
}

static sy_status verify_rows(struct verify *verify, sy_client_store *store, struct trusted *trusted,
                             struct sy_error *err)
{
    uint64_t seq = 0;
    sy_status status = SY_OK;
    while (status == SY_OK) status = verify_some_rows(verify, store, trusted, &seq, err);
    return status == SY_ERR_NOT_FOUND ? SY_OK : status;
}

static sy_status verify_store(struct verify *verify, struct sy_error *err)
{
    static struct trusted trusted; /* too large for a small stack */
    sy_client_store *store = NULL;
    SY_TRY(sy_client_store_open(&store, verify->store_path, &verify->genesis->hash,
                                SY_CLIENT_STORE_READ, err));
    sy_status status = follow_kept(verify, store, err);
    if (status == SY_OK) status = verify_rows(verify, store, &trusted, err);
    sy_client_store_close(store);
    free(trusted.known);
    return status;
}

/* ---- telling ------------------------------------------------------------------------------ */

/* As many handovers were followed as there are epochs before. */
static void put_epoch(sy_json *json, uint32_t epoch)
{
    sy_json_put_u64(json, "epoch", epoch);
    sy_json_put_u64(json, "handovers", epoch);
}

static int tell_evidence(const struct verify *verify)
{
    if (verify->cmd->json) {
        sy_json json;
        sy_cmd_json_begin(&json);
        sy_json_put_bool(&json, "proven", true);
        put_epoch(&json, verify->evidence.epoch);
        sy_json_key(&json, "evidence");
        sy_evidence_to_json(&json, &verify->evidence, verify->genesis);
        return sy_cmd_json_end(&json, SY_EXIT_DONE);
    }
    sy_show_evidence_lines(stdout, &verify->evidence, verify->genesis);
    puts("proven by both signatures, under the key that the roster names");
    sy_show_epoch_line(stdout, verify->evidence.epoch);
    return SY_EXIT_DONE;
}

static void put_valid(sy_json *json, const struct verify *verify)
{
    const struct sy_valid *valid = &verify->valid;
    sy_json_put_hex(json, "key", valid->key.bytes, sizeof valid->key.bytes);
    sy_json_put_i64(json, "at_ms", valid->time_ms);
    sy_json_put_u64(json, "at_height", valid->block.height);
    sy_json_put_bool(json, "valid", verify->verdict == SY_AT_VALID);
    sy_json_put_text(json, "verdict", sy_at_verdict_sentence(verify->verdict));
    sy_json_put_i64(json, "next_block_ms", valid->next.time_ms);
    if (!valid->entries[0].state.present) return;
    sy_json_key(json, "credential");
    sy_show_state(json, SY_STATE_CREDENTIAL, valid->entries[0].state.value);
    if (valid->suspension == 0) return;
    sy_json_key(json, "suspension");
    sy_show_state(json, SY_STATE_SUSPENSION, valid->entries[1].state.value);
}

static int tell_valid(const struct verify *verify)
{
    const struct sy_valid *valid = &verify->valid;
    char time[SY_CMD_TIME_BYTES], hex[65];
    if (verify->cmd->json) {
        sy_json json;
        sy_cmd_json_begin(&json);
        sy_json_put_bool(&json, "proven", true);
        put_epoch(&json, valid->next.epoch);
        put_valid(&json, verify);
        return sy_cmd_json_end(&json, SY_EXIT_DONE);
    }
    sy_hex_encode(hex, valid->key.bytes, sizeof valid->key.bytes);
    sy_cmd_time(time, valid->time_ms);
    printf("credential %s\nat %s, after block %llu and before block %llu: %s\n", hex, time,
           (unsigned long long)valid->block.height, (unsigned long long)valid->next.height,
           sy_at_verdict_sentence(verify->verdict));
    printf("proven by states of blocks %llu", (unsigned long long)valid->entries[0].header.height);
    for (unsigned i = 1; i < valid->entry_count; i++) {
        printf(", %llu", (unsigned long long)valid->entries[i].header.height);
    }
    printf(", all sealed by a quorum\n");
    sy_show_epoch_line(stdout, valid->next.epoch);
    return SY_EXIT_DONE;
}

static int tell_sample(const struct verify *verify)
{
    const struct sy_sample_proof *sample = &verify->sample;
    const struct sy_stream_commit_entry *commit = &verify->commit;
    const struct sy_proof *proof = &verify->entry.proof;
    char time[SY_CMD_TIME_BYTES], hex[65], key[65];
    sy_cmd_time(time, sample->sample.time_ms);
    sy_hex_encode(hex, sample->stream.bytes, sizeof sample->stream.bytes);
    sy_hex_encode(key, commit->key.bytes, sizeof commit->key.bytes);
    if (verify->cmd->json) {
        sy_json json;
        sy_cmd_json_begin(&json);
        sy_json_put_bool(&json, "proven", true);
        put_epoch(&json, proof->header.epoch);
        sy_json_put_text(&json, "stream", hex);
        sy_json_put_u64(&json, "sequence", sample->sequence);
        sy_json_put_u64(&json, "sample", sample->path.leaf_index + 1);
        sy_json_put_u64(&json, "samples", commit->samples);
        sy_json_put_i64(&json, "at_ms", sample->sample.time_ms);
        sy_json_put_text(&json, "value", sample->sample.value);
        sy_json_put_text(&json, "signed_by", key);
        sy_json_put_i64(&json, "committed_ms", commit->time_ms);
        return sy_cmd_json_end(&json, SY_EXIT_DONE);
    }
    printf("sample %s at %s\nof stream %s, commitment %u, number %llu of %u\n"
           "signed by device key %s\n",
           sample->sample.value, time, hex, (unsigned)sample->sequence,
           (unsigned long long)sample->path.leaf_index + 1, (unsigned)commit->samples, key);
    sy_show_proof_line(stdout, proof, verify->genesis);
    return SY_EXIT_DONE;
}

static int tell_one(struct verify *verify, const char *path)
{
    sy_json json;
    if (!verify_file(verify, path)) {
        if (!verify->cmd->json) return SY_EXIT_REFUSED;
        sy_cmd_json_begin(&json);
        sy_json_put_bool(&json, "proven", false);
        sy_json_put_text(&json, "why", verify->first_bad);
        return sy_cmd_json_end(&json, SY_EXIT_REFUSED);
    }
    if (verify->is_evidence) return tell_evidence(verify);
    if (verify->is_valid) return tell_valid(verify);
    if (verify->is_sample) return tell_sample(verify);
    const struct sy_proof *proof = &verify->proven.proof;
    if (verify->cmd->json) {
        sy_cmd_json_begin(&json);
        sy_json_put_bool(&json, "proven", true);
        put_epoch(&json, proof->header.epoch);
        sy_json_key(&json, "proof");
        sy_proof_to_json(&json, proof, verify->genesis);
        return sy_cmd_json_end(&json, SY_EXIT_DONE);
    }
    if (proof->kind == SY_PROOF_RECEIPT) {
        sy_show_receipt_lines(stdout, &verify->proven.receipt);
    } else {
        char hex[65];
        sy_hex_encode(hex, proof->state.key_hash.bytes, sizeof proof->state.key_hash.bytes);
        printf("state entry %s: %s\n", hex, proof->state.present ? "present" : "absent");
    }
    sy_show_proof_line(stdout, proof, verify->genesis);
    return SY_EXIT_DONE;
}

static int tell_many(const struct verify *verify)
{
    int code = verify->bad == 0 ? SY_EXIT_DONE : SY_EXIT_REFUSED;
    if (!verify->cmd->json) {
        printf("%llu proofs hold (%llu applied, %llu refused, %llu of evidence), %llu do not\n",
               (unsigned long long)verify->good, (unsigned long long)verify->applied,
               (unsigned long long)verify->refused, (unsigned long long)verify->pieces,
               (unsigned long long)verify->bad);
        return code;
    }
    sy_json json;
    sy_cmd_json_begin(&json);
    sy_json_put_bool(&json, "proven", verify->bad == 0);
    sy_json_put_u64(&json, "proofs", verify->good + verify->bad);
    sy_json_put_u64(&json, "good", verify->good);
    sy_json_put_u64(&json, "bad", verify->bad);
    sy_json_put_u64(&json, "applied", verify->applied);
    sy_json_put_u64(&json, "refused", verify->refused);
    sy_json_put_u64(&json, "evidence", verify->pieces);
    sy_json_put_u64(&json, "headers", verify->headers);
    if (verify->epochs) put_epoch(&json, sy_epochs_newest(verify->epochs)->epoch);
    if (verify->bad > 0) sy_json_put_text(&json, "first", verify->first_bad);
    return sy_cmd_json_end(&json, code);
}

static bool is_folder(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

static bool are_few(const struct sy_cmd *cmd)
{
    for (int i = 0; i < cmd->word_count; i++) {
        if (is_folder(cmd->words[i])) return false;
    }
    return cmd->word_count <= (int)FEW_MAX;
}

/* For many: an engine, and a queue before it. */
static sy_status open_queue(struct verify *verify, struct sy_error *err)
{
    struct sy_engine_config config = {
        .queue = 1, .leaves_max = 1, .sample_every = 1024, .impls = sy_engine_cpu_impls};
    verify->waiting = (struct waiting *)calloc(WAITING_MAX, sizeof *verify->waiting);
    if (!verify->waiting) return sy_fail(err, SY_ERR_NO_MEMORY, "no memory");
    SY_TRY(sy_engine_open(&verify->engine, &config, err));
    SY_TRY(sy_sig_queue_open(&verify->queue, verify->engine, err));
    verify->verifier = sy_sig_queue_verifier(verify->queue);
    return SY_OK;
}

static int run_verify(struct verify *verify)
{
    const struct sy_cmd *cmd = verify->cmd;
    struct sy_error err = {SY_OK, ""};
    bool few = !verify->store_path && are_few(cmd);
    sy_status status = sy_cmd_genesis(&verify->genesis, verify->genesis_path, &verify->where, &err);
    if (status == SY_OK && !few) status = open_queue(verify, &err);
    if (status == SY_OK && verify->store_path) status = verify_store(verify, &err);
    if (status != SY_OK) return sy_cmd_fail(cmd, &err);
    if (few && cmd->word_count == 1) return tell_one(verify, cmd->words[0]);
    for (int i = 0; i < cmd->word_count; i++) {
        if (is_folder(cmd->words[i])) {
            verify_folder(verify, cmd->words[i]);
        } else {
            take_file(verify, cmd->words[i]);
        }
    }
    settle(verify);
    return tell_many(verify);
}

int sy_cmd_verify(int argc, char **argv)
{
    static struct verify verify; /* too large for a small stack; one command a process */
    const struct sy_option options[] = {
        {"genesis", SY_OPTION_TEXT, &verify.genesis_path, "FILE",
         "the network's genesis file (genesis.json here)", 0, 0},
        {"store", SY_OPTION_TEXT, &verify.store_path, "DIR",
         "check every receipt that this client's store kept", 0, 0},
        SY_CMD_WHERE_OPTIONS(verify.where),
    };
    struct sy_cmd cmd = {.name = "verify",
                         .arguments = "PROOF...",
                         .about = about,
                         .options = options,
                         .option_count = sizeof options / sizeof options[0],
                         .words_max = 1 << 20};
    int exit_code;
    if (!sy_cmd_parse(&cmd, &exit_code, argc, argv)) return exit_code;
    if (cmd.word_count == 0 && !verify.store_path) {
        return sy_cmd_usage(&cmd, "name a proof, a folder of proofs, or --store DIR");
    }
    verify.cmd = &cmd;
    verify.verifier = sy_verifier_openssl;
    exit_code = run_verify(&verify);
    sy_proven_free(&verify.proven);
    sy_proven_free(&verify.entry);
    sy_sig_queue_close(verify.queue);
    sy_engine_close(verify.engine);
    free(verify.waiting);
    sy_epochs_close(verify.epochs);
    free(verify.genesis);
    return exit_code;
}
