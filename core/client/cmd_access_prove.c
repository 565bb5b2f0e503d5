/* cmd_access_prove.c: `systole access show`, `prove` and `verify`: the leaves that were kept, and a
 * patient's, with the paths to the root that the ledger has.
 *
 * What goes from who disclosed to the patient is a file of JSON:
 *
 *     {"format": "systole-disclosures-1", "network": "<32 hex>", "log_id": "<64 hex>",
 *      "patient": "<64 hex>",
 *      "leaves": [{"leaf": "<352 hex>", "index": N, "count": N, "path": ["<64 hex>", ...], ...}]}
 *
 * of which leaf, index, count and path are checked and the rest is for people. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "core/client/cmd.h"
#include "core/client/cmd_access.h"
#include "core/wire/render.h"
#include "core/wire/state.h"

#define FORMAT_NAME "systole-disclosures-1"
#define FILE_BYTES_MAX (256u << 20)

// --- files of leaves ---------------------------------------------------------------------------

static sy_status take_log(struct sy_access_file *file, struct sy_slice bytes, const char *path,
                          const struct sy_hash *wanted, struct sy_error *err)
{
    struct sy_reader r = sy_reader_of(bytes);
    struct sy_disclosed *leaves = (struct sy_disclosed *)malloc(SY_LOG_LEAVES_MAX * sizeof *leaves);
    if (!leaves) return sy_fail(err, SY_ERR_NO_MEMORY, "%s: no memory", path);
    uint8_t network[16];
    struct sy_hash id;
    uint32_t count;
    bool found = false, several = false;
    while (!several && sy_leaves_log_next(&r, network, &id, leaves, &count)) {
        if (wanted != NULL && !sy_hash_equal(&id, wanted)) continue;
        bool same = found && sy_hash_equal(&id, &file->log_id);
        several = found && !same;
        if (same && count <= file->count) continue;
        memcpy(file->leaves, leaves, count * sizeof *leaves);
        memcpy(file->network, network, sizeof file->network);
        file->log_id = id;
        file->count = count;
        found = true;
    }
    free(leaves);
    if (several) {
        return sy_fail(err, SY_ERR_ARGUMENT, "%s has several logs: name one with --log", path);
    }
    if (found) return SY_OK;
    return sy_fail(err, wanted ? SY_ERR_NOT_FOUND : SY_ERR_FORMAT,
                   wanted ? "%s does not have that log" : "%s is no file of leaves", path);
}

sy_status sy_access_file_find(struct sy_access_file *file, const char *path,
                              const struct sy_hash *wanted, struct sy_error *err)
{
    uint8_t *bytes = NULL;
    size_t size = 0;
    *file = (struct sy_access_file){.count = 0};
    file->leaves = (struct sy_disclosed *)malloc(SY_LOG_LEAVES_MAX * sizeof *file->leaves);
    if (!file->leaves) return sy_fail(err, SY_ERR_NO_MEMORY, "%s: no memory", path);
    SY_TRY(sy_cmd_read_input(&bytes, &size, path, FILE_BYTES_MAX, err));
    sy_status status = take_log(file, sy_slice_of(bytes, size), path, wanted, err);
    free(bytes);
    return status;
}

void sy_access_put(sy_json *json, const struct sy_disclosed *leaf)
{
    sy_json_put_hex(json, "patient", leaf->patient.bytes, 32);
    sy_json_put_hex(json, "reader", leaf->reader.bytes, 32);
    if (!sy_hash_is_zero(&leaf->record)) sy_json_put_hex(json, "record", leaf->record.bytes, 32);
    if (leaf->version != 0) sy_json_put_u64(json, "version", leaf->version);
    sy_json_put_text(json, "purpose", sy_enum_word(&sy_enum_purpose, leaf->purpose));
    sy_json_put_text(json, "ground", sy_ground_word(leaf->ground));
    if (!sy_hash_is_zero(&leaf->by)) sy_json_put_hex(json, "by", leaf->by.bytes, 32);
    sy_json_put_i64(json, "time_ms", leaf->time_ms);
}

static void tell_leaf(const struct sy_disclosed *leaf)
{
    char time[SY_CMD_TIME_BYTES], reader[65], record[65], by[65];
    sy_cmd_time(time, leaf->time_ms);
    sy_hex_encode(reader, leaf->reader.bytes, 32);
    sy_hex_encode(record, leaf->record.bytes, 32);
    sy_hex_encode(by, leaf->by.bytes, 32);
    bool of_record = !sy_hash_is_zero(&leaf->record), named = !sy_hash_is_zero(&leaf->by);
    printf("%s  %s saw %s%s for %s, by %s%s%s\n", time, reader,
           of_record ? "record " : "what is no record", of_record ? record : "",
           sy_enum_word(&sy_enum_purpose, leaf->purpose), sy_ground_word(leaf->ground),
           named ? " " : "", named ? by : "");
}

// --- show --------------------------------------------------------------------------------------

struct show_run {
    const struct sy_cmd *cmd;
    bool of_patient;
    struct sy_hash patient;
    sy_json json;
};

static void show_log(struct show_run *run, const struct sy_hash *id,
                     const struct sy_disclosed *leaves, uint32_t count)
{
    char hex[65];
    sy_hex_encode(hex, id->bytes, 32);
    if (!run->cmd->json) printf("log %s: %u disclosures\n", hex, (unsigned)count);
    for (uint32_t i = 0; i < count; i++) {
        if (run->of_patient && !sy_hash_equal(&leaves[i].patient, &run->patient)) continue;
        if (!run->cmd->json) {
            tell_leaf(&leaves[i]);
            continue;
        }
        sy_json_object_begin(&run->json);
        sy_json_put_text(&run->json, "log_id", hex);
        sy_access_put(&run->json, &leaves[i]);
        sy_json_object_end(&run->json);
    }
}

static sy_status show_file(struct show_run *run, const char *path, struct sy_error *err)
{
    uint8_t *bytes = NULL, network[16];
    size_t size = 0;
    struct sy_hash id;
    uint32_t count, logs = 0;
    struct sy_disclosed *leaves = (struct sy_disclosed *)malloc(SY_LOG_LEAVES_MAX * sizeof *leaves);
    sy_status status = leaves ? sy_cmd_read_input(&bytes, &size, path, FILE_BYTES_MAX, err)
                              : sy_fail(err, SY_ERR_NO_MEMORY, "%s: no memory", path);
    struct sy_reader r = sy_reader_of(sy_slice_of(bytes, size));
    while (status == SY_OK && sy_leaves_log_next(&r, network, &id, leaves, &count)) {
        show_log(run, &id, leaves, count);
        logs++;
    }
    free(leaves);
    free(bytes);
    if (status != SY_OK || logs > 0) return status;
    return sy_fail(err, SY_ERR_FORMAT, "%s is no file of leaves", path);
}

int sy_cmd_access_show(int argc, char **argv)
{
    const char *patient = NULL;
    const struct sy_option options[] = {
        {"patient", SY_OPTION_TEXT, &patient, "ID", "what is about this patient alone", 0, 0}};
    struct sy_cmd cmd = {
        .name = "access show",
        .arguments = "LEAVES...",
        .about = "Shows what files of leaves say: those that `systole access log` wrote,\n"
                 "or a validator's, in reads/kept of its data folder.\n",
        .options = options,
        .option_count = sizeof options / sizeof options[0],
        .words_min = 1,
        .words_max = 4096};
    struct show_run run = {.cmd = &cmd};
    int exit_code;
    struct sy_error err = {SY_OK, ""};
    sy_status status = SY_OK;
    if (!sy_cmd_parse(&cmd, &exit_code, argc, argv)) return exit_code;
    run.of_patient = patient != NULL;
    if (patient) status = sy_cmd_hash(&run.patient, "--patient", patient, &err);
    if (status != SY_OK) return sy_cmd_fail(&cmd, &err);
    if (cmd.json) {
        sy_cmd_json_begin(&run.json);
        sy_json_key(&run.json, "disclosures");
        sy_json_array_begin(&run.json);
    }
    for (int i = 0; status == SY_OK && i < cmd.word_count; i++) {
        status = show_file(&run, cmd.words[i], &err);
    }
    if (status != SY_OK) {
        sy_json_free(&run.json);
        return sy_cmd_fail(&cmd, &err);
    }
    if (!cmd.json) return SY_EXIT_DONE;
    sy_json_array_end(&run.json);
    return sy_cmd_json_end(&run.json, SY_EXIT_DONE);
}

// --- prove -------------------------------------------------------------------------------------

static void put_proof(sy_json *json, const struct sy_disclosed *leaf,
                      const struct sy_merkle_path *path)
{
    uint8_t bytes[SY_LEAF_BYTES];
    struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
    sy_disclosed_encode(&w, leaf);
    sy_json_object_begin(json);
    sy_json_put_hex(json, "leaf", bytes, sizeof bytes);
    sy_json_put_u64(json, "index", path->leaf_index);
    sy_json_put_u64(json, "count", path->leaf_count);
    sy_json_key(json, "path");
    sy_json_array_begin(json);
    for (uint32_t i = 0; i < path->count; i++) sy_json_hex(json, path->siblings[i].bytes, 32);
    sy_json_array_end(json);
    sy_access_put(json, leaf);
    sy_json_object_end(json);
}

/* which: of the patient's leaves, from 1; 0: all of them. */
static sy_status write_proofs(const struct sy_access_file *file, const struct sy_hash *patient,
                              uint64_t which, const char *out, struct sy_error *err)
{
    sy_json json;
    uint64_t own = 0, shown = 0;
    struct sy_hash *hashes = (struct sy_hash *)malloc(SY_LOG_LEAVES_MAX * sizeof *hashes);
    if (!hashes) return sy_fail(err, SY_ERR_NO_MEMORY, "no memory");
    sy_json_init_growing(&json, FILE_BYTES_MAX);
    sy_json_set_pretty(&json);
    sy_json_object_begin(&json);
    sy_json_put_text(&json, "format", FORMAT_NAME);
    sy_json_put_hex(&json, "network", file->network, sizeof file->network);
    sy_json_put_hex(&json, "log_id", file->log_id.bytes, 32);
    sy_json_put_hex(&json, "patient", patient->bytes, 32);
    sy_json_key(&json, "leaves");
    sy_json_array_begin(&json);
    for (uint32_t i = 0; i < file->count; i++) {
        struct sy_merkle_path path;
        if (!sy_hash_equal(&file->leaves[i].patient, patient)) continue;
        if (++own != which && which != 0) continue;
        sy_log_prove(&path, hashes, file->leaves, file->count, i);
        put_proof(&json, &file->leaves[i], &path);
        shown++;
    }
    sy_json_array_end(&json);
    sy_json_object_end(&json);
    free(hashes);
    if (shown > 0) return sy_cmd_put_json(&json, out, err);
    sy_json_free(&json);
    return sy_fail(err, SY_ERR_NOT_FOUND, "the log has %llu disclosures about that patient",
                   (unsigned long long)own);
}

int sy_cmd_access_prove(int argc, char **argv)
{
    const char *patient = NULL, *log = NULL, *out = NULL;
    uint64_t which = 0;
    const struct sy_option options[] = {
        {"patient", SY_OPTION_TEXT, &patient, "ID", "whose disclosures are shown", 0, 0},
        {"log", SY_OPTION_TEXT, &log, "ID", "of which log, if the file has several", 0, 0},
        {"leaf", SY_OPTION_NUMBER, &which, "N", "the patient's N-th alone (all)", 1, UINT32_MAX},
        {"out", SY_OPTION_TEXT, &out, "FILE", "where they go (standard output)", 0, 0}};
    struct sy_cmd cmd = {
        .name = "access prove",
        .arguments = "LEAVES",
        .about = "Shows a patient's disclosures out of a file of leaves, each with the path\n"
                 "to the root that the log on the ledger has for the patient. For the\n"
                 "patient: `systole access verify` checks it.\n",
        .options = options,
        .option_count = sizeof options / sizeof options[0],
        .words_min = 1,
        .words_max = 1};
    int exit_code;
    struct sy_error err = {SY_OK, ""};
    struct sy_access_file file = {.leaves = NULL};
    struct sy_hash patient_id, log_id;
    if (!sy_cmd_parse(&cmd, &exit_code, argc, argv)) return exit_code;
    if (!patient) return sy_cmd_usage(&cmd, "--patient ID is missing");
    sy_status status = sy_cmd_hash(&patient_id, "--patient", patient, &err);
    if (status == SY_OK && log) status = sy_cmd_hash(&log_id, "--log", log, &err);
    if (status == SY_OK) {
        status = sy_access_file_find(&file, cmd.words[0], log ? &log_id : NULL, &err);
    }
    if (status == SY_OK) status = write_proofs(&file, &patient_id, which, out, &err);
    free(file.leaves);
    return status == SY_OK ? SY_EXIT_DONE : sy_cmd_fail(&cmd, &err);
}

// --- verify ------------------------------------------------------------------------------------

struct verify_run {
    const struct sy_cmd *cmd;
    struct sy_cmd_where where;
    const char *genesis_path, *disclosure_path;
    struct sy_genesis *genesis;
    struct sy_hash log_id, patient;
    struct sy_disclosure entry; /* what the ledger has */
    sy_json json;
};

static sy_status member_hash(struct sy_hash *out, const json_t *tree, const char *name,
                             const char *path, struct sy_error *err)
{
    const json_t *value = json_object_get(tree, name);
    if (json_is_string(value) && json_string_length(value) == 64 &&
        sy_hex_decode(out->bytes, 32, json_string_value(value))) {
        return SY_OK;
    }
    return sy_fail(err, SY_ERR_FORMAT, "%s: %s must be 64 hex digits", path, name);
}

/* The patient's entry in the log, proven by the network's certificate. */
static sy_status check_entry(struct verify_run *run, struct sy_error *err)
{
    static struct sy_proven proven; /* too large for a small stack; one command a process */
    uint8_t *bytes = NULL;
    size_t size = 0;
    const char *what = "", *path = run->disclosure_path;
    struct sy_hash place;
    SY_TRY(sy_cmd_read_input(&bytes, &size, path, SY_PROVEN_BYTES_MAX, err));
    sy_status status = sy_proven_take(&proven, bytes, size, run->genesis, err);
    const struct sy_state_proof *state = &proven.proof.state;
    sy_state_key_disclosure(&place, &run->log_id, &run->patient);
    if (status == SY_OK &&
        !sy_proof_verify_by(&sy_verifier_openssl, &proven.proof, run->genesis, NULL, &what)) {
        status = sy_fail(err, SY_ERR_CRYPTO, "%s does not hold: %s", path, what);
    }
    bool fits = status != SY_OK ||
                (proven.proof.kind == SY_PROOF_STATE && sy_hash_equal(&state->key_hash, &place));
    if (!fits) {
        status = sy_fail(err, SY_ERR_CRYPTO,
                         "%s is not about this patient in this log: have `systole get disclosure "
                         "LOG --of PATIENT --proof FILE` made",
                         path);
    }
    if (status == SY_OK && (!state->present || !sy_disclosure_decode(&run->entry, state->value))) {
        status = sy_fail(err, SY_ERR_CRYPTO, "the ledger has no such log about this patient");
    }
    sy_proven_free(&proven);
    return status;
}

static sy_status take_path(struct sy_merkle_path *path, const json_t *item, const char *where,
                           struct sy_error *err)
{
    const json_t *siblings = json_object_get(item, "path");
    size_t count = json_array_size(siblings);
    json_int_t index = json_integer_value(json_object_get(item, "index"));
    json_int_t leaves = json_integer_value(json_object_get(item, "count"));
    bool good = json_is_array(siblings) && count <= SY_MERKLE_PATH_MAX && index >= 0 && leaves > 0;
    for (size_t i = 0; good && i < count; i++) {
        const json_t *sibling = json_array_get(siblings, i);
        good = json_string_length(sibling) == 64 &&
               sy_hex_decode(path->siblings[i].bytes, 32, json_string_value(sibling));
    }
    if (!good) return sy_fail(err, SY_ERR_FORMAT, "%s: the path cannot be read", where);
    path->count = (uint32_t)count;
    path->leaf_index = (uint64_t)index;
    path->leaf_count = (uint64_t)leaves;
    return SY_OK;
}

static sy_status check_leaf(struct verify_run *run, const json_t *item, const char *where,
                            struct sy_error *err)
{
    uint8_t bytes[SY_LEAF_BYTES];
    struct sy_disclosed leaf;
    struct sy_merkle_path path = {.leaf_count = 0};
    struct sy_hash hash, root;
    const json_t *text = json_object_get(item, "leaf");
    struct sy_reader r = sy_reader_of(sy_slice_of(bytes, sizeof bytes));
    if (json_string_length(text) != 2 * sizeof bytes ||
        !sy_hex_decode(bytes, sizeof bytes, json_string_value(text)) ||
        !sy_disclosed_decode(&r, &leaf)) {
        return sy_fail(err, SY_ERR_FORMAT, "%s: the leaf cannot be read", where);
    }
    SY_TRY(take_path(&path, item, where, err));
    sy_disclosed_hash(&hash, &leaf);
    if (!sy_hash_equal(&leaf.patient, &run->patient) || path.leaf_count != run->entry.count ||
        !sy_merkle_path_root(&root, &path, &hash) || !sy_hash_equal(&root, &run->entry.root)) {
        return sy_fail(err, SY_ERR_CRYPTO, "%s: the log on the ledger does not have this leaf",
                       where);
    }
    if (!run->cmd->json) {
        tell_leaf(&leaf);
        return SY_OK;
    }
    sy_json_object_begin(&run->json);
    sy_access_put(&run->json, &leaf);
    sy_json_object_end(&run->json);
    return SY_OK;
}

static sy_status check_all(struct verify_run *run, const json_t *tree, const char *path,
                           struct sy_error *err)
{
    const json_t *leaves = json_object_get(tree, "leaves");
    const char *format = json_string_value(json_object_get(tree, "format"));
    if (format == NULL || strcmp(format, FORMAT_NAME) != 0) {
        return sy_fail(err, SY_ERR_FORMAT, "%s: this is nothing that `systole access prove` wrote",
                       path);
    }
    SY_TRY(member_hash(&run->log_id, tree, "log_id", path, err));
    SY_TRY(member_hash(&run->patient, tree, "patient", path, err));
    SY_TRY(sy_cmd_genesis(&run->genesis, run->genesis_path, &run->where, err));
    SY_TRY(check_entry(run, err));
    for (size_t i = 0; i < json_array_size(leaves); i++) {
        char where[SY_CMD_PATH_MAX + 32];
        (void)snprintf(where, sizeof where, "%s: leaves[%zu]", path, i);
        SY_TRY(check_leaf(run, json_array_get(leaves, i), where, err));
    }
    if (json_array_size(leaves) > 0) return SY_OK;
    return sy_fail(err, SY_ERR_FORMAT, "%s: there are no leaves in it", path);
}

static sy_status verify_file(struct verify_run *run, const char *path, struct sy_error *err)
{
    uint8_t *text = NULL;
    size_t size = 0;
    SY_TRY(sy_cmd_read_input(&text, &size, path, FILE_BYTES_MAX, err));
    json_t *tree = json_loadb((const char *)text, size, JSON_REJECT_DUPLICATES, NULL);
    free(text);
    sy_status status = tree ? check_all(run, tree, path, err)
                            : sy_fail(err, SY_ERR_FORMAT, "%s: this is no JSON", path);
    json_decref(tree);
    return status;
}

int sy_cmd_access_verify(int argc, char **argv)
{
    struct verify_run run = {.genesis = NULL};
    const struct sy_option options[] = {
        {"disclosure", SY_OPTION_TEXT, &run.disclosure_path, "FILE",
         "proof of the patient's entry, by `systole get disclosure LOG --of PATIENT --proof FILE`",
         0, 0},
        {"genesis", SY_OPTION_TEXT, &run.genesis_path, "FILE", "the network's genesis file", 0, 0},
        SY_CMD_WHERE_OPTIONS(run.where),
    };
    struct sy_cmd cmd = {
        .name = "access verify",
        .arguments = "PROOF",
        .about = "Checks what `systole access prove` wrote against the proof of the patient's\n"
                 "entry in the log, offline: each leaf shown is one that who disclosed\n"
                 "committed to then. The entry says how many there are in all.\n",
        .options = options,
        .option_count = sizeof options / sizeof options[0],
        .words_min = 1,
        .words_max = 1};
    int exit_code;
    struct sy_error err = {SY_OK, ""};
    if (!sy_cmd_parse(&cmd, &exit_code, argc, argv)) return exit_code;
    if (!run.disclosure_path) return sy_cmd_usage(&cmd, "--disclosure FILE is missing");
    run.cmd = &cmd;
    if (cmd.json) {
        sy_cmd_json_begin(&run.json);
        sy_json_key(&run.json, "disclosures");
        sy_json_array_begin(&run.json);
    }
    sy_status status = verify_file(&run, cmd.words[0], &err);
    free(run.genesis);
    if (status != SY_OK) {
        sy_json_free(&run.json);
        return sy_cmd_fail(&cmd, &err);
    }
    if (!cmd.json) {
        printf("the log has %u about this patient\n", (unsigned)run.entry.count);
        return SY_EXIT_DONE;
    }
    sy_json_array_end(&run.json);
    sy_json_put_u64(&run.json, "in_the_log", run.entry.count);
    return sy_cmd_json_end(&run.json, SY_EXIT_DONE);
}
