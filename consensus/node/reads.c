/* reads.c: leaves on disk, and the queue of logs; see reads.h. */
#include "consensus/node/reads.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "consensus/node/reads_internal.h"
#include "core/base/assert.h"
#include "core/base/os.h"
#include "core/base/telemetry.h"
#include "core/crypto/hash.h"

#define SUFFIX ".leaves"
#define NAME_BYTES (64 + sizeof SUFFIX - 1)
#define TRIM_EVERY 256u
#define DAYS_MAX 8192u

_Static_assert(SY_READS_LEAVES_MAX >= SY_LOG_PATIENTS_MAX, "a log may name that many patients");

/* ---- files ------------------------------------------------------------------------------- */

void sy_reads_path(const sy_reads *reads, char path[SY_READS_PATH_MAX], const struct sy_hash *id)
{
    char hex[65];
    sy_hex_encode(hex, id->bytes, sizeof id->bytes);
    (void)snprintf(path, SY_READS_PATH_MAX, "%.420s/%s" SUFFIX, reads->folder, hex);
}

/* All or nothing at the end of the file. */
static sy_status append(int fd, const uint8_t *bytes, size_t size)
{
    off_t end = lseek(fd, 0, SEEK_END);
    size_t put = 0;
    sy_status status = sy_os_failpoint("reads.append");
    while (status == SY_OK && put < size) {
        ssize_t now = write(fd, bytes + put, size - put);
        if (now < 0 && errno == EINTR) continue;
        if (now < 0) status = sy_os_status(errno);
        if (now > 0) put += (size_t)now;
    }
    if (status != SY_OK && put > 0 && ftruncate(fd, end) != 0) return SY_ERR_IO;
    return status;
}

sy_status sy_reads_load(sy_reads *reads, uint32_t *count, const struct sy_hash *id)
{
    char path[SY_READS_PATH_MAX];
    uint8_t *bytes, network[16];
    size_t size;
    struct sy_hash named;
    *count = 0;
    sy_reads_path(reads, path, id);
    SY_TRY(sy_os_read_file(&bytes, &size, path, READS_FILE_BYTES_MAX, NULL));
    struct sy_reader r = sy_reader_of(sy_slice_of(bytes, size));
    bool good = sy_leaves_head_next(&r, network, &named) && sy_hash_equal(&named, id) &&
                memcmp(network, sy_network_tag(reads->config.genesis), sizeof network) == 0;
    while (good && *count < SY_READS_LEAVES_MAX &&
           sy_leaves_entry_next(&r, &reads->leaves[*count], id, *count)) {
        (*count)++;
    }
    free(bytes);
    return good ? SY_OK : SY_ERR_FORMAT;
}

static struct sy_slice encode_file(sy_reads *reads, const struct sy_hash *id, uint32_t count)
{
    struct sy_writer w = sy_writer_of(reads->file, sizeof reads->file);
    sy_leaves_head_encode(&w, sy_network_tag(reads->config.genesis), id);
    for (uint32_t i = 0; i < count; i++) {
        sy_leaves_entry_encode(&w, id, i, &reads->leaves[i]);
    }
    SY_ASSERT(!w.failed);
    return sy_writer_slice(&w);
}

sy_status sy_reads_rewrite(sy_reads *reads, const struct sy_hash *id, uint32_t count)
{
    char path[SY_READS_PATH_MAX];
    struct sy_slice bytes = encode_file(reads, id, count);
    sy_reads_path(reads, path, id);
    return sy_os_write_file(path, bytes.data, bytes.size, 0600, NULL);
}

/* ---- what is kept ------------------------------------------------------------------------ */

static int by_name(const void *a, const void *b)
{
    return strcmp((const char *)a, (const char *)b);
}

/* Names are dates, so that they sort by age. */
typedef char day_name[16];

static uint64_t bytes_of(const char *folder, const char *name)
{
    char path[SY_READS_PATH_MAX + 32];
    struct stat info;
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    return stat(path, &info) == 0 ? (uint64_t)info.st_size : 0;
}

static uint32_t list_days(day_name *days, uint64_t *bytes, const char *folder)
{
    uint32_t count = 0;
    DIR *dir = opendir(folder);
    *bytes = 0;
    for (struct dirent *entry; dir != NULL && count < DAYS_MAX && (entry = readdir(dir)) != NULL;) {
        if (strlen(entry->d_name) != 10 + sizeof SUFFIX - 1 || entry->d_name[0] == '.') continue;
        memcpy(days[count], entry->d_name, 11 + sizeof SUFFIX - 1);
        *bytes += bytes_of(folder, days[count++]);
    }
    if (dir != NULL) (void)closedir(dir);
    if (count > 0) qsort(days, count, sizeof *days, by_name);
    return count;
}

/* Drops the oldest days while there is more than may be kept; never the newest. */
static void trim(sy_reads *reads)
{
    char folder[SY_READS_PATH_MAX], path[SY_READS_PATH_MAX + 32];
    day_name *days = (day_name *)malloc(DAYS_MAX * sizeof *days);
    uint64_t bytes = 0;
    reads->kept_since_trim = 0;
    if (days == NULL) return;
    (void)snprintf(folder, sizeof folder, "%.480s/kept", reads->folder);
    uint32_t count = list_days(days, &bytes, folder);
    for (uint32_t i = 0; i + 1 < count && bytes > reads->config.kept_bytes_max; i++) {
        bytes -= bytes_of(folder, days[i]);
        (void)snprintf(path, sizeof path, "%s/%s", folder, days[i]);
        (void)unlink(path);
        SY_LOG(SY_LOG_WARN, "node", "reads_dropped", SY_F_TEXT("day", days[i]),
               SY_F_TEXT("what", "more leaves than reads_kept_mib: copy them away in time"));
    }
    free(days);
}

static sy_status append_day(const sy_reads *reads, int64_t time_ms, struct sy_slice bytes)
{
    char path[SY_READS_PATH_MAX + 32], day[16];
    struct tm parts;
    time_t seconds = (time_t)(time_ms / 1000);
    if (gmtime_r(&seconds, &parts) == NULL) return SY_ERR_ARGUMENT;
    if (strftime(day, sizeof day, "%Y-%m-%d", &parts) != 10) return SY_ERR_ARGUMENT;
    (void)snprintf(path, sizeof path, "%s/kept/%s" SUFFIX, reads->folder, day);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return sy_os_status(errno);
    sy_status status = append(fd, bytes.data, bytes.size);
    if (status == SY_OK && fdatasync(fd) != 0) status = SY_ERR_IO;
    (void)close(fd);
    return status;
}

sy_status sy_reads_keep(sy_reads *reads, const struct sy_hash *id)
{
    char path[SY_READS_PATH_MAX];
    uint32_t count;
    sy_reads_path(reads, path, id);
    SY_TRY(sy_reads_load(reads, &count, id));
    if (count > 0) {
        struct sy_slice bytes = encode_file(reads, id, count);
        SY_TRY(append_day(reads, reads->leaves[count - 1].time_ms, bytes));
    }
    if (++reads->kept_since_trim >= TRIM_EVERY) trim(reads);
    return unlink(path) == 0 ? SY_OK : sy_os_status(errno);
}

/* ---- the log that is being written ------------------------------------------------------- */

static void push(sy_reads *reads, const struct sy_hash *id)
{
    SY_ASSERT(reads->count < SY_READS_LOGS_MAX);
    reads->logs[reads->count++] = (struct waiting){.id = *id};
    reads->look_ns = 0;
}

void sy_reads_seal(sy_reads *reads, uint64_t now_ns)
{
    struct writing *open = &reads->open;
    (void)now_ns;
    if (open->fd < 0) return;
    // What cannot be made durable now is in the file all the same, and will be sent.
    if (fdatasync(open->fd) != 0 || sy_os_fsync_dir(reads->folder, NULL) != SY_OK) {
        SY_LOG(SY_LOG_WARN, "node", "reads_not_durable", SY_F_I64("errno", errno));
    }
    (void)close(open->fd);
    open->fd = -1;
    push(reads, &open->id);
}

static sy_status begin(sy_reads *reads, int64_t time_ms, uint64_t now_ns)
{
    char path[SY_READS_PATH_MAX];
    struct writing *open_log = &reads->open;
    if (reads->count >= reads->config.logs_max) return SY_ERR_BUSY;
    *open_log = (struct writing){.fd = -1, .first_ms = time_ms, .opened_ns = now_ns};
    sy_os_random(&open_log->id, sizeof open_log->id);
    sy_reads_path(reads, path, &open_log->id);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) return sy_os_status(errno);
    struct sy_slice head = encode_file(reads, &open_log->id, 0);
    sy_status status = append(fd, head.data, head.size);
    if (status != SY_OK) {
        (void)close(fd);
        (void)unlink(path);
        return status;
    }
    open_log->fd = fd;
    return SY_OK;
}

/* A log without a leaf would wait for ever, and the others behind it. */
static void drop(sy_reads *reads)
{
    char path[SY_READS_PATH_MAX];
    struct writing *open = &reads->open;
    SY_ASSERT(open->fd >= 0 && open->count == 0);
    sy_reads_path(reads, path, &open->id);
    (void)close(open->fd);
    (void)unlink(path);
    open->fd = -1;
}

static bool knows(const struct writing *open, const struct sy_hash *patient)
{
    for (uint32_t i = 0; i < open->patient_count; i++) {
        if (sy_hash_equal(&open->patients[i], patient)) return true;
    }
    return false;
}

static bool has_room(const struct writing *open, const struct sy_disclosed *leaf)
{
    if (open->fd < 0 || open->count == SY_READS_LEAVES_MAX) return false;
    if (leaf->time_ms - open->first_ms > SY_LOG_SPAN_MS_MAX) return false;
    return knows(open, &leaf->patient) || open->patient_count < SY_LOG_PATIENTS_MAX;
}

/* ---- what was noted lately --------------------------------------------------------------- */

static struct sy_hash name_of(const struct sy_disclosed *leaf)
{
    uint8_t bytes[32 + 32 + 2 + 1 + 32];
    struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
    struct sy_hash name;
    sy_write_hash(&w, &leaf->patient);
    sy_write_public_key(&w, &leaf->reader);
    sy_write_u16(&w, leaf->purpose);
    sy_write_u8(&w, leaf->ground);
    sy_write_hash(&w, &leaf->by);
    SY_ASSERT(!w.failed && w.used == sizeof bytes);
    sy_sha256(&name, bytes, sizeof bytes);
    return name;
}

static bool was_noted(const sy_reads *reads, const struct sy_disclosed *leaf, uint64_t now_ns)
{
    if (!sy_hash_is_zero(&leaf->record)) return false;
    struct sy_hash name = name_of(leaf);
    const uint64_t *noted_ns = (const uint64_t *)sy_table_find(&reads->lately, &name);
    return noted_ns != NULL && now_ns - *noted_ns < SY_READS_AGAIN_NS;
}

static void remember(sy_reads *reads, const struct sy_disclosed *leaf, uint64_t now_ns)
{
    if (!sy_hash_is_zero(&leaf->record)) return;
    struct sy_hash name = name_of(leaf);
    uint64_t *noted_ns = (uint64_t *)sy_table_put(&reads->lately, &name, NULL);
    if (noted_ns == NULL) {
        sy_table_clear(&reads->lately); // then some are noted once more
    } else {
        *noted_ns = now_ns;
    }
}

static sy_status open_lately(sy_reads *reads)
{
    uint64_t seed[2];
    sy_os_random(seed, sizeof seed);
    SY_TRY(sy_arena_open(&reads->arena, READS_LATELY * 3 * 64 + (1u << 16)));
    return sy_table_init(&reads->lately, &reads->arena, READS_LATELY, sizeof(uint64_t), seed);
}

static sy_status note_one(sy_reads *reads, const struct sy_disclosed *given, uint64_t now_ns)
{
    uint8_t entry[SY_LEAF_ENTRY_BYTES];
    struct sy_writer w = sy_writer_of(entry, sizeof entry);
    struct writing *open = &reads->open;
    struct sy_disclosed leaf = *given;
    if (open->fd >= 0 && leaf.time_ms < open->last_ms) leaf.time_ms = open->last_ms;
    if (!has_room(open, &leaf)) {
        sy_reads_seal(reads, now_ns);
        SY_TRY(begin(reads, leaf.time_ms, now_ns));
    }
    sy_os_random(&leaf.salt, sizeof leaf.salt);
    sy_leaves_entry_encode(&w, &open->id, open->count, &leaf);
    SY_ASSERT(!w.failed && w.used == sizeof entry);
    sy_status status = append(open->fd, entry, sizeof entry);
    if (status != SY_OK) { // what stands behind it would not be read
        if (open->count == 0) drop(reads);
        sy_reads_seal(reads, now_ns);
        return status;
    }
    if (!knows(open, &leaf.patient)) open->patients[open->patient_count++] = leaf.patient;
    open->count++;
    open->last_ms = leaf.time_ms;
    remember(reads, given, now_ns);
    sy_metric_add(SY_M_client_reads_noted_total, 1);
    return SY_OK;
}

sy_status sy_reads_note(sy_reads *reads, const struct sy_disclosed *leaves, size_t count,
                        uint64_t now_ns)
{
    sy_status status = SY_OK;
    for (size_t i = 0; i < count && status == SY_OK; i++) {
        if (!was_noted(reads, &leaves[i], now_ns)) status = note_one(reads, &leaves[i], now_ns);
    }
    if (status != SY_OK && !reads->failing) {
        SY_LOG(SY_LOG_WARN, "node", "reads_refused", SY_F_TEXT("why", sy_status_name(status)),
               SY_F_U64("logs_waiting", reads->count),
               SY_F_TEXT("what", "reads of patients' data are refused until they can be noted"));
    }
    reads->failing = status != SY_OK;
    return status;
}

uint32_t sy_reads_waiting(const sy_reads *reads)
{
    return reads->count + (reads->open.fd >= 0 ? 1 : 0);
}

/* ---- life -------------------------------------------------------------------------------- */

static void set_aside(const char *path)
{
    char bad[SY_READS_PATH_MAX + 8];
    (void)snprintf(bad, sizeof bad, "%s.bad", path);
    (void)rename(path, bad);
    SY_LOG(SY_LOG_ERROR, "node", "reads_unreadable", SY_F_TEXT("path", bad),
           SY_F_TEXT("what", "it is no log of this network's, and is not sent"));
}

static void take_up_one(sy_reads *reads, const char *name)
{
    char path[SY_READS_PATH_MAX], hex[65] = "";
    struct sy_hash id;
    uint32_t count;
    memcpy(hex, name, 64);
    if (!sy_hex_decode(id.bytes, sizeof id.bytes, hex)) return;
    sy_reads_path(reads, path, &id);
    sy_status status = sy_reads_load(reads, &count, &id);
    if (status == SY_OK && count > 0) {
        push(reads, &id);
    } else if (status == SY_OK || bytes_of(reads->folder, name) < SY_LEAVES_HEAD_BYTES) {
        (void)unlink(path); // begun, and no leaf was written
    } else {
        set_aside(path);
    }
}

static sy_status take_up(sy_reads *reads, struct sy_error *err)
{
    DIR *dir = opendir(reads->folder);
    if (dir == NULL) return sy_fail(err, sy_os_status(errno), "%s: cannot be read", reads->folder);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        bool log = strlen(entry->d_name) == NAME_BYTES && strcmp(entry->d_name + 64, SUFFIX) == 0;
        if (log && reads->count < SY_READS_LOGS_MAX) take_up_one(reads, entry->d_name);
    }
    (void)closedir(dir);
    if (reads->count > 0) {
        SY_LOG(SY_LOG_INFO, "node", "reads_taken_up", SY_F_U64("logs", reads->count));
    }
    return SY_OK;
}

sy_status sy_reads_open(sy_reads **out, const struct sy_reads_config *config, struct sy_error *err)
{
    char kept[SY_READS_PATH_MAX];
    if (strlen(config->folder) > SY_READS_PATH_MAX - 100) {
        return sy_fail(err, SY_ERR_ARGUMENT, "%.60s...: the path is too long for what is read",
                       config->folder);
    }
    sy_reads *reads = (sy_reads *)calloc(1, sizeof *reads);
    if (reads == NULL) return sy_fail(err, SY_ERR_NO_MEMORY, "the log of reads: no memory");
    reads->config = *config;
    if (config->logs_max == 0) reads->config.logs_max = SY_READS_LOGS_MAX;
    SY_ASSERT(reads->config.logs_max <= SY_READS_LOGS_MAX);
    reads->open.fd = -1;
    (void)snprintf(reads->folder, sizeof reads->folder, "%s", config->folder);
    reads->config.folder = reads->folder;
    (void)snprintf(kept, sizeof kept, "%.480s/kept", config->folder);
    sy_status status = sy_os_make_dirs(kept, 0700, err);
    if (status == SY_OK && open_lately(reads) != SY_OK) {
        status = sy_fail(err, SY_ERR_NO_MEMORY, "the log of reads: no memory");
    }
    if (status == SY_OK) status = sy_reads_open_key(reads, err);
    if (status == SY_OK) status = take_up(reads, err);
    if (status != SY_OK) {
        sy_reads_close(reads);
        return status;
    }
    trim(reads);
    *out = reads;
    return SY_OK;
}

void sy_reads_close(sy_reads *reads)
{
    if (reads == NULL) return;
    sy_reads_seal(reads, 0);
    sy_secret_key_close(reads->key);
    sy_arena_close(&reads->arena);
    free(reads);
}
