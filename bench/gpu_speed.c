/* gpu_speed.c: how fast is the device? Kernels over what lies in its memory ("resident"), and the
 * engine from submissions in the host's ("host"); see gpu_trial.h.
 *
 * Each row is timed for a time or some rounds, whichever is longer, after one that is not counted;
 * a rate is that of the median, p99 that of the single rounds. A wait on the device looks every 20
 * us, which short rounds show. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/gpu_trial.h"
#include "core/base/json.h"
#include "core/base/os.h"
#include "gpu/cuda_lane.h"

#define SIGNED 65536u
#define ROUNDS_MAX 2000u
#define LEAF_BYTES 201u

struct speed {
    const struct sy_gpu_trial *trial;
    const struct sy_gpu_driver *driver;
    void *device;
    void *stream;
    uint8_t *pinned;
    struct sy_gpu_info info;
    sy_json json;
    struct sy_sig_job *jobs; /* SIGNED different ones, then over again */
    uint32_t most;           /* jobs of a batch */
    uint64_t least_ns;
    unsigned least_rounds;
};

#define PINNED ((size_t)64 << 20)

// --- rows ----------------------------------------------------------------------------------------

struct row {
    const char *what, *where;
    uint32_t keys, batch, threads;
    double items;
    double transfer; /* share of the round; below 0: none */
};

struct rounds {
    uint64_t ns[ROUNDS_MAX];
    unsigned count;
};

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void put_row(struct speed *speed, const struct row *row, struct rounds *rounds)
{
    qsort(rounds->ns, rounds->count, sizeof rounds->ns[0], compare);
    unsigned middle = rounds->count / 2, late = (rounds->count * 99 + 99) / 100 - 1;
    double p50 = (double)rounds->ns[middle], p99 = (double)rounds->ns[late];
    double per_s = row->items * 1e9 / p50;
    char transfer[16] = "-";
    if (row->transfer >= 0) (void)snprintf(transfer, sizeof transfer, "%.2f", row->transfer);
    printf("%-16s %-9s keys %6u batch %9u %15.0f/s  p50 %9.1f us  p99 %9.1f us  transfer %s\n",
           row->what, row->where, row->keys, row->batch, per_s, p50 / 1000, p99 / 1000, transfer);
    (void)fflush(stdout);
    sy_json *json = &speed->json;
    sy_json_object_begin(json);
    sy_json_put_text(json, "what", row->what);
    sy_json_put_text(json, "where", row->where);
    sy_json_put_u64(json, "keys", row->keys);
    sy_json_put_u64(json, "batch", row->batch);
    sy_json_put_u64(json, "rounds", rounds->count);
    sy_json_put_u64(json, "per_s", (uint64_t)per_s);
    sy_json_put_decimal(json, "p50_us", (int64_t)(p50 / 100), 1);
    sy_json_put_decimal(json, "p99_us", (int64_t)(p99 / 100), 1);
    if (row->transfer >= 0) {
        sy_json_put_decimal(json, "transfer_share", (int64_t)(row->transfer * 100), 2);
    }
    sy_json_object_end(json);
}

// Runs what is to be timed; false: it failed.
typedef bool (*work)(struct speed *speed, void *context);

static bool time_rounds(struct speed *speed, struct rounds *rounds, work run, void *context)
{
    uint64_t start = sy_os_monotonic_ns();
    rounds->count = 0;
    if (!run(speed, context)) return false;
    while (rounds->count < ROUNDS_MAX && (rounds->count < speed->least_rounds ||
                                          sy_os_monotonic_ns() - start < speed->least_ns)) {
        uint64_t before = sy_os_monotonic_ns();
        if (!run(speed, context)) return false;
        rounds->ns[rounds->count++] = sy_os_monotonic_ns() - before;
    }
    return true;
}

// --- the device's memory -------------------------------------------------------------------------

static bool is_fine(sy_status status, const char *what)
{
    if (status == SY_OK) return true;
    fprintf(stderr, "systole-gpu: %s: %s\n", what, sy_status_name(status));
    return false;
}

static bool wait_device(struct speed *speed)
{
    return is_fine(speed->driver->wait(speed->device, speed->stream, SY_GPU_WAIT_NS), "wait");
}

static bool send(struct speed *speed, uint64_t to, const void *from, size_t bytes)
{
    for (size_t at = 0; at < bytes; at += PINNED) {
        size_t size = bytes - at < PINNED ? bytes - at : PINNED;
        memcpy(speed->pinned, (const uint8_t *)from + at, size);
        sy_status status =
            speed->driver->upload(speed->device, speed->stream, to + at, speed->pinned, size);
        if (!is_fine(status, "upload") || !wait_device(speed)) return false;
    }
    return true;
}

static bool launch(struct speed *speed, enum sy_gpu_kernel kernel, uint32_t items,
                   const void *arguments)
{
    uint32_t blocks = (items - 1) / sy_gpu_kernels[kernel].items + 1;
    return is_fine(speed->driver->launch(speed->device, speed->stream, kernel, blocks, arguments),
                   "launch");
}

// A number of addresses that are released together.
struct memory {
    uint64_t at[12];
    unsigned count;
};

static uint64_t reserve(struct speed *speed, struct memory *memory, uint64_t bytes)
{
    uint64_t address = 0;
    sy_status status = speed->driver->reserve(speed->device, &address, bytes);
    if (!is_fine(status, "device memory")) return 0;
    memory->at[memory->count++] = address;
    return address;
}

static void release(struct speed *speed, struct memory *memory)
{
    while (memory->count > 0) speed->driver->release(speed->device, memory->at[--memory->count]);
}

// --- signatures in the device's memory -----------------------------------------------------------

struct resident {
    struct memory memory;
    struct sy_gpu_challenge challenge;
    struct sy_gpu_points points;
    struct sy_gpu_finish finish;
    uint32_t batch;
    bool cold;
};

#define BUILD_STEP 128u

static bool build_tables(struct speed *speed, uint64_t tables, const uint8_t *keys, uint32_t count,
                         bool plus)
{
    struct memory memory = {.count = 0};
    uint32_t places[BUILD_STEP];
    uint64_t scratch = reserve(speed, &memory, (uint64_t)BUILD_STEP * SY_GPU_BUILD_SCRATCH);
    uint64_t order = reserve(speed, &memory, BUILD_STEP * 40);
    bool fine = scratch && order;
    for (uint32_t first = 0; fine && first < count; first += BUILD_STEP) {
        uint32_t own = count - first < BUILD_STEP ? count - first : BUILD_STEP;
        for (uint32_t i = 0; i < own; i++) places[i] = first + i;
        struct sy_gpu_build arguments = {.keys = order,
                                         .places = order + (uint64_t)BUILD_STEP * 32,
                                         .tables = tables,
                                         .built = order + (uint64_t)BUILD_STEP * 36,
                                         .scratch = scratch,
                                         .plus = plus,
                                         .count = own};
        fine = send(speed, arguments.keys, keys + (size_t)first * 32, (size_t)own * 32) &&
               send(speed, arguments.places, places, own * sizeof places[0]) &&
               launch(speed, SY_GPU_BUILD, own, &arguments) && wait_device(speed);
    }
    release(speed, &memory);
    return fine;
}

// Packs the batch's jobs: signatures, keys, heads and digests, each on its own.
static bool send_jobs(struct speed *speed, const struct resident *resident, uint32_t keys)
{
    uint32_t batch = resident->batch;
    uint8_t *bytes = (uint8_t *)malloc((size_t)batch * 64);
    bool fine = bytes != NULL;
    for (uint32_t i = 0; fine && i < batch; i++) {
        memcpy(bytes + (size_t)i * 64, &speed->jobs[i].signature, 64);
    }
    if (fine) fine = send(speed, resident->challenge.signatures, bytes, (size_t)batch * 64);
    for (uint32_t i = 0; fine && i < batch; i++) {
        memcpy(bytes + (size_t)i * 32, &speed->jobs[i].key, 32);
    }
    if (fine) fine = send(speed, resident->challenge.keys, bytes, (size_t)batch * 32);
    for (uint32_t i = 0; fine && i < batch; i++) {
        memcpy(bytes + (size_t)i * 32, &speed->jobs[i].digest, 32);
    }
    if (fine) fine = send(speed, resident->challenge.digests, bytes, (size_t)batch * 32);
    for (uint32_t i = 0; fine && i < batch; i++) {
        struct sy_gpu_head head = {SY_GPU_DIGEST | i, i % SIGNED % keys, SY_SIG_TX};
        memcpy(bytes + i * sizeof head, &head, sizeof head);
    }
    if (fine) {
        fine = send(speed, resident->challenge.heads, bytes, batch * sizeof(struct sy_gpu_head));
    }
    free(bytes);
    return fine;
}

static bool run_resident(struct speed *speed, void *context)
{
    struct resident *resident = (struct resident *)context;
    return launch(speed, SY_GPU_CHALLENGE, resident->batch, &resident->challenge) &&
           launch(speed, resident->cold ? SY_GPU_GENERAL : SY_GPU_TABLED, resident->batch,
                  &resident->points) &&
           launch(speed, SY_GPU_FINISH, resident->finish.threads, &resident->finish) &&
           wait_device(speed);
}

static bool open_resident(struct speed *speed, struct resident *resident, uint32_t batch)
{
    struct memory *memory = &resident->memory;
    uint64_t signatures = reserve(speed, memory, (uint64_t)batch * 64);
    uint64_t keys = reserve(speed, memory, (uint64_t)batch * 32);
    uint64_t heads = reserve(speed, memory, (uint64_t)batch * sizeof(struct sy_gpu_head));
    uint64_t digests = reserve(speed, memory, (uint64_t)batch * 32);
    uint64_t work_bytes = reserve(speed, memory, (uint64_t)batch * SY_GPU_WORK_JOB_BYTES);
    if (!signatures || !keys || !heads || !digests || !work_bytes) return false;
    uint64_t points = work_bytes, products = points + 4ull * SY_GPU_POINT_WORDS * batch;
    uint64_t scalars = products + 4ull * SY_GPU_PRODUCT_WORDS * batch;
    uint64_t flags = scalars + 4ull * SY_GPU_SCALAR_WORDS * batch;
    resident->batch = batch;
    resident->challenge = (struct sy_gpu_challenge){.signatures = signatures,
                                                    .keys = keys,
                                                    .heads = heads,
                                                    .digests = digests,
                                                    .scalars = scalars,
                                                    .flags = flags,
                                                    .stride = batch,
                                                    .count = batch};
    resident->points = (struct sy_gpu_points){.keys = keys,
                                              .heads = heads,
                                              .scalars = scalars,
                                              .points = points,
                                              .flags = flags,
                                              .stride = batch,
                                              .count = batch};
    resident->finish = (struct sy_gpu_finish){.points = points,
                                              .signatures = signatures,
                                              .flags = flags,
                                              .products = products,
                                              .verdicts = flags + batch,
                                              .stride = batch,
                                              .count = batch,
                                              .threads = batch < 8192 ? batch : batch / 8};
    return true;
}

// All of them are good; a figure of wrong verdicts would be none.
static bool are_good(struct speed *speed, const struct resident *resident)
{
    uint32_t batch = resident->batch;
    sy_status status = speed->driver->download(speed->device, speed->stream, speed->pinned,
                                               resident->finish.verdicts, batch);
    if (!is_fine(status, "download") || !wait_device(speed)) return false;
    for (uint32_t i = 0; i < batch; i++) {
        if (speed->pinned[i] == 1) continue;
        fprintf(stderr, "systole-gpu: job %u of %u is refused\n", i, batch);
        return false;
    }
    return true;
}

static bool time_batch(struct speed *speed, uint64_t tables, uint64_t base, uint32_t keys,
                       uint32_t batch, bool cold)
{
    struct rounds rounds;
    struct resident resident = {.cold = cold};
    struct row row = {
        cold ? "verify-cold" : "verify-enrolled", "resident", keys, batch, 0, batch, -1};
    bool fine = open_resident(speed, &resident, batch);
    resident.points.tables = tables;
    resident.points.base = base;
    fine = fine && send_jobs(speed, &resident, keys) &&
           time_rounds(speed, &rounds, run_resident, &resident) && are_good(speed, &resident);
    if (fine) put_row(speed, &row, &rounds);
    release(speed, &resident.memory);
    return fine;
}

static bool time_resident(struct speed *speed, uint32_t keys)
{
    static uint8_t encodings[SIGNED * 32];
    uint8_t base_key[32];
    struct memory memory = {.count = 0};
    memset(base_key, 0x66, sizeof base_key);
    base_key[0] = 0x58;
    for (uint32_t i = 0; i < keys; i++) memcpy(encodings + (size_t)i * 32, &speed->jobs[i].key, 32);
    uint64_t tables = reserve(speed, &memory, (uint64_t)keys * SY_GPU_TABLE_BYTES);
    uint64_t base = reserve(speed, &memory, SY_GPU_TABLE_BYTES);
    bool fine = tables && base && build_tables(speed, base, base_key, 1, true);
    uint64_t start = sy_os_monotonic_ns();
    fine = fine && build_tables(speed, tables, encodings, keys, false);
    struct rounds rounds = {.ns = {sy_os_monotonic_ns() - start}, .count = 1};
    struct row row = {"tables", "resident", keys, keys, 0, keys, -1};
    if (fine) put_row(speed, &row, &rounds);
    uint32_t least = speed->trial->twin ? speed->most : 4096;
    for (uint32_t batch = least; fine && batch <= speed->most; batch *= 4) {
        fine = time_batch(speed, tables, base, keys, batch, false);
        if (fine && keys == (speed->trial->twin ? 4 : SIGNED)) {
            fine = time_batch(speed, tables, base, keys, batch, true);
        }
    }
    release(speed, &memory);
    return fine;
}

// --- hashes in the device's memory ---------------------------------------------------------------

static bool run_leaves(struct speed *speed, void *context)
{
    const struct sy_gpu_leaves *arguments = (const struct sy_gpu_leaves *)context;
    return launch(speed, SY_GPU_LEAVES, arguments->count, arguments) && wait_device(speed);
}

struct tree {
    uint64_t hashes, nodes;
    uint32_t count;
};

static bool run_tree(struct speed *speed, void *context)
{
    const struct tree *tree = (const struct tree *)context;
    struct sy_gpu_subtrees arguments = {tree->hashes, tree->nodes, tree->count};
    while (arguments.count > 1) {
        uint32_t blocks = (arguments.count - 1) / SY_GPU_SUBTREE + 1;
        if (!launch(speed, SY_GPU_SUBTREES, arguments.count, &arguments)) return false;
        arguments.from = arguments.to;
        arguments.to += (uint64_t)blocks * 32;
        arguments.count = blocks;
    }
    return wait_device(speed);
}

// Fills memory with something; what it is makes no difference to hashing.
static bool fill(struct speed *speed, uint64_t to, uint64_t bytes)
{
    for (size_t i = 0; i < PINNED; i++) speed->pinned[i] = (uint8_t)(i * 31 + i / 251);
    for (uint64_t at = 0; at < bytes; at += PINNED) {
        size_t size = bytes - at < PINNED ? (size_t)(bytes - at) : PINNED;
        sy_status status =
            speed->driver->upload(speed->device, speed->stream, to + at, speed->pinned, size);
        if (!is_fine(status, "upload")) return false;
    }
    return wait_device(speed);
}

static bool time_leaves(struct speed *speed)
{
    uint32_t count = speed->most;
    struct memory memory = {.count = 0};
    struct rounds rounds;
    uint64_t bytes = reserve(speed, &memory, (uint64_t)count * LEAF_BYTES);
    uint64_t offsets = reserve(speed, &memory, ((uint64_t)count + 1) * 4);
    uint64_t hashes = reserve(speed, &memory, (uint64_t)count * 32);
    uint32_t *made = (uint32_t *)malloc(((size_t)count + 1) * sizeof *made);
    bool fine = bytes && offsets && hashes && made;
    for (uint32_t i = 0; fine && i <= count; i++) made[i] = i * LEAF_BYTES;
    struct sy_gpu_leaves arguments = {bytes, offsets, hashes, count};
    struct row row = {"leaf201", "resident", 0, count, 0, count, -1};
    fine = fine && send(speed, offsets, made, ((size_t)count + 1) * sizeof *made) &&
           fill(speed, bytes, (uint64_t)count * LEAF_BYTES) &&
           time_rounds(speed, &rounds, run_leaves, &arguments);
    if (fine) put_row(speed, &row, &rounds);
    release(speed, &memory);
    free(made);
    return fine;
}

static bool time_tree(struct speed *speed, const char *what, uint32_t count, double items)
{
    struct memory memory = {.count = 0};
    struct rounds rounds;
    struct tree tree = {reserve(speed, &memory, (uint64_t)count * 32),
                        reserve(speed, &memory, (uint64_t)count), count};
    struct row row = {what, "resident", 0, count, 0, items, -1};
    bool fine = tree.hashes && tree.nodes && fill(speed, tree.hashes, (uint64_t)count * 32) &&
                time_rounds(speed, &rounds, run_tree, &tree);
    if (fine) put_row(speed, &row, &rounds);
    release(speed, &memory);
    return fine;
}

// --- the engine, from the host's memory ----------------------------------------------------------

struct engine {
    void *state;
    struct sy_submission submission;
    struct sy_hash scratch;
};

static bool run_engine(struct speed *speed, void *context)
{
    struct engine *engine = (struct engine *)context;
    return is_fine(speed->trial->impl->run(engine->state, &engine->submission, &engine->scratch),
                   "engine");
}

static bool run_copies(struct speed *speed, void *context)
{
    const struct engine *engine = (const struct engine *)context;
    struct sy_gpu_half *half = &((struct sy_gpu_state *)engine->state)->lanes[0].half[0];
    uint32_t left = engine->submission.job_count;
    while (left > 0) { // As the engine sends a piece, without its kernels.
        uint32_t own = left < speed->driver->piece ? left : speed->driver->piece;
        if (!is_fine(sy_gpu_half_send(half, (size_t)own * 140), "upload") ||
            !is_fine(sy_gpu_half_fetch(half, 0, half->work, own), "download") ||
            !is_fine(sy_gpu_half_wait(half), "wait")) {
            return false;
        }
        left -= own;
    }
    return true;
}

static bool time_engine_batch(struct speed *speed, struct engine *engine, const char *what,
                              uint32_t keys, uint32_t batch)
{
    struct rounds rounds, copies;
    uint64_t whole = 0, copied = 0;
    engine->submission.job_count = batch;
    memset(engine->submission.verdicts, 0x5a, batch);
    if (!time_rounds(speed, &rounds, run_engine, engine) ||
        !time_rounds(speed, &copies, run_copies, engine)) {
        return false;
    }
    for (uint32_t i = 0; i < batch; i++) {
        if (engine->submission.verdicts[i] == 1) continue;
        fprintf(stderr, "systole-gpu: the engine refuses job %u of %u\n", i, batch);
        return false;
    }
    for (unsigned i = 0; i < rounds.count; i++) whole += rounds.ns[i];
    for (unsigned i = 0; i < copies.count; i++) copied += copies.ns[i];
    struct row row = {what,
                      "host",
                      keys,
                      batch,
                      1,
                      batch,
                      (double)copied / copies.count / ((double)whole / rounds.count)};
    put_row(speed, &row, &rounds);
    return true;
}

// Until every key has its table, or as often as it takes to earn it and be built.
static bool warm(struct speed *speed, struct engine *engine, uint32_t keys)
{
    engine->submission.job_count = speed->most < SIGNED ? speed->most : SIGNED;
    for (unsigned i = 0; i < 8 + keys / 128; i++) {
        if (!run_engine(speed, engine)) return false;
    }
    return true;
}

static bool time_engine(struct speed *speed, uint32_t keys, bool cold)
{
    uint8_t *verdicts = (uint8_t *)malloc(speed->most);
    struct engine engine = {.submission = {.jobs = speed->jobs, .verdicts = verdicts}};
    struct sy_engine_config config = {.table_bytes =
                                          cold ? 1 : (uint64_t)(keys + 16) * SY_GPU_TABLE_BYTES};
    struct sy_error err = {.text = ""};
    if (!verdicts) return false;
    sy_status status = speed->trial->impl->open(&engine.state, &config, &err);
    if (status != SY_OK) {
        fprintf(stderr, "systole-gpu: %s\n", err.text);
        free(verdicts);
        return false;
    }
    bool fine = cold || warm(speed, &engine, keys);
    for (uint32_t batch = speed->trial->twin ? speed->most : 4096; fine && batch <= speed->most;
         batch *= 4) {
        fine = time_engine_batch(speed, &engine, cold ? "verify-cold" : "verify-enrolled", keys,
                                 batch);
    }
    speed->trial->impl->close(engine.state);
    free(verdicts);
    return fine;
}

// --- all of it -----------------------------------------------------------------------------------

static bool time_keys(struct speed *speed, uint32_t keys)
{
    uint64_t need = (uint64_t)(keys + 64) * SY_GPU_TABLE_BYTES + ((uint64_t)1 << 30);
    uint32_t made = speed->most < SIGNED ? speed->most : SIGNED;
    if (!speed->trial->twin && need > speed->info.free_bytes) {
        printf("skipped: tables of %u keys need %llu MiB of the device's memory\n", keys,
               (unsigned long long)(need >> 20));
        return true;
    }
    if (!is_fine(sy_gpu_trial_make(speed->jobs, made, keys), "signing")) return false;
    for (uint32_t i = made; i < speed->most; i++) speed->jobs[i] = speed->jobs[i - made];
    bool fine = time_resident(speed, keys) && time_engine(speed, keys, false);
    if (fine && keys == (speed->trial->twin ? 4 : SIGNED)) fine = time_engine(speed, keys, true);
    return fine;
}

static bool time_all(struct speed *speed)
{
    static const uint32_t counts[] = {256, 4096, SIGNED};
    uint32_t large = speed->trial->twin ? 2000 : 1u << 25;
    bool fine = time_leaves(speed) && time_tree(speed, "nodes", speed->most, speed->most - 1) &&
                time_tree(speed, speed->trial->twin ? "tree" : "tree25", large, 1);
    if (speed->trial->twin) return fine && time_keys(speed, 4);
    for (size_t i = 0; fine && i < 3; i++) fine = time_keys(speed, counts[i]);
    return fine;
}

static void put_head(struct speed *speed)
{
    char date[32] = "";
    time_t now = time(NULL);
    struct tm parts;
    if (gmtime_r(&now, &parts)) (void)strftime(date, sizeof date, "%Y-%m-%d", &parts);
    sy_json *json = &speed->json;
    sy_json_set_pretty(json);
    sy_json_object_begin(json);
    sy_json_put_text(json, "device", speed->info.name);
    sy_json_put_bool(json, "host_twin", speed->trial->twin);
    sy_json_put_text(json, "date", date);
    sy_json_put_u64(json, "memory_mib", speed->info.memory_bytes >> 20);
    sy_json_put_u64(json, "processors", speed->info.processors);
    sy_json_put_u64(json, "clock_mhz", speed->info.clock_mhz);
    sy_json_put_u64(json, "capability", speed->info.capability);
    sy_json_key(json, "rows");
    sy_json_array_begin(json);
}

static bool write_out(struct speed *speed)
{
    struct sy_error err = {.text = ""};
    sy_json_array_end(&speed->json);
    sy_json_object_end(&speed->json);
    const char *text = sy_json_finish(&speed->json);
    if (!text) return is_fine(SY_ERR_NO_MEMORY, "the results");
    if (!speed->trial->out) return true;
    if (sy_os_write_file(speed->trial->out, text, strlen(text), 0644, &err) != SY_OK) {
        fprintf(stderr, "systole-gpu: %s\n", err.text);
        return false;
    }
    printf("written: %s\n", speed->trial->out);
    return true;
}

static bool open_speed(struct speed *speed)
{
    const struct sy_gpu_driver *driver = speed->driver;
    struct sy_error err = {.text = ""};
    void *pinned = NULL;
    speed->most = speed->trial->twin ? 256 : 1u << 20;
    speed->least_ns = speed->trial->twin ? 0 : 1000000000;
    speed->least_rounds = speed->trial->twin ? 2 : 100;
    if (driver->open(&speed->device, &err) != SY_OK) {
        fprintf(stderr, "systole-gpu: %s\n", err.text);
        return false;
    }
    speed->jobs = (struct sy_sig_job *)calloc(speed->most, sizeof *speed->jobs);
    if (!speed->jobs) return is_fine(SY_ERR_NO_MEMORY, "jobs");
    bool fine = is_fine(driver->get_info(speed->device, &speed->info), "device") &&
                is_fine(driver->open_stream(speed->device, &speed->stream), "stream") &&
                is_fine(driver->pin(speed->device, &pinned, PINNED), "pinned memory");
    speed->pinned = (uint8_t *)pinned;
    return fine;
}

static void close_speed(struct speed *speed)
{
    free(speed->jobs);
    if (!speed->device) return;
    if (speed->stream) speed->driver->close_stream(speed->device, speed->stream);
    if (speed->pinned) speed->driver->unpin(speed->device, speed->pinned);
    speed->driver->close(speed->device);
}

bool sy_gpu_trial_time(const struct sy_gpu_trial *trial)
{
    struct speed speed = {.trial = trial, .driver = trial->driver};
    sy_json_init_growing(&speed.json, 1u << 20);
    bool fine = open_speed(&speed);
    if (fine) {
        put_head(&speed);
        fine = time_all(&speed) && write_out(&speed);
    }
    close_speed(&speed);
    sy_json_free(&speed.json);
    return fine;
}
