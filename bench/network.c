#include "bench/network.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include "core/base/assert.h"
#include "core/base/os.h"
#include "core/client/client.h"
#include "core/wire/genesis_json.h"

#define PATH_BYTES 512
// Long enough for a machine that is busy with other things.
#define END_MS 60000u
#define START_MS 60000u

struct sy_network {
    struct sy_network_config config;
    char dir[PATH_BYTES];
    char bin[PATH_BYTES];
    struct sy_genesis genesis;
    sy_secret_key *regulator;
    pid_t pids[SY_VALIDATORS_MAX];
};

static void sleep_ms(unsigned ms)
{
    struct timespec wait = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    (void)nanosleep(&wait, NULL);
}

static void path_of(char *out, const sy_network *network, const char *format, unsigned validator)
{
    char tail[128];
    /* Formats are literals of this file with at most one %u. */
    snprintf(tail, sizeof tail, format, validator);
    int size = snprintf(out, PATH_BYTES, "%s/%s", network->dir, tail);
    SY_ASSERT(size > 0 && size < PATH_BYTES);
}

/* ---- processes --------------------------------------------------------------------------- */

#define NO_VALIDATOR UINT_MAX

/* In the child: the place in the network and the time that a validator is given. */
static bool enter_world(const struct sy_network_config *config, unsigned validator)
{
    if (validator == NO_VALIDATOR) return true;
    if (config->lan != NULL && !sy_lan_enter(config->lan, validator)) return false;
    return config->clocks == NULL || sy_clocks_enter(config->clocks, validator);
}

static pid_t spawn(const sy_network *network, unsigned validator, char *const argv[],
                   const char *output, bool detached)
{
    pid_t pid = fork();
    if (pid != 0) return pid;
    if (detached) {
        (void)setsid();
    } else {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    }
    if (!enter_world(&network->config, validator)) _exit(126);
    sigset_t none;
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    int fd = open(output, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd >= 0) {
        (void)dup2(fd, STDOUT_FILENO);
        (void)dup2(fd, STDERR_FILENO);
    }
    execv(argv[0], argv);
    _exit(127);
}

static sy_status make_testnet(sy_network *network, struct sy_error *err)
{
    char program[PATH_BYTES + 16];
    char output[PATH_BYTES + 16];
    char count[16];
    snprintf(program, sizeof program, "%s/systole", network->bin);
    snprintf(output, sizeof output, "%s.testnet.log", network->dir);
    snprintf(count, sizeof count, "%u", network->config.validators);
    char setting[PATH_BYTES];
    bool set = network->config.setting != NULL;
    if (set) snprintf(setting, sizeof setting, "%s", network->config.setting);
    char *argv[] = {program,       "testnet", network->dir,         "--validators", count,
                    "--base-port", "0",       set ? "--set" : NULL, setting,        NULL};
    pid_t pid = spawn(network, NO_VALIDATOR, argv, output, false);
    int code = -1;
    if (pid < 0 || waitpid(pid, &code, 0) != pid || code != 0) {
        return sy_fail(err, SY_ERR_IO, "`%s testnet %s` failed: see %s", program, network->dir,
                       output);
    }
    (void)unlink(output);
    return SY_OK;
}

static sy_status start(sy_network *network, unsigned validator, bool init, bool detached,
                       struct sy_error *err)
{
    char program[PATH_BYTES + 16];
    char config[PATH_BYTES];
    char output[PATH_BYTES];
    snprintf(program, sizeof program, "%s/systoled", network->bin);
    path_of(config, network, "v%u/systoled.conf", validator);
    path_of(output, network, "v%u/output", validator);
    char *argv[] = {program, "--config", config, init ? "--init" : NULL, NULL};
    pid_t pid = spawn(network, validator, argv, output, detached);
    if (pid < 0) return sy_fail(err, SY_ERR_IO, "%s cannot be started", program);
    network->pids[validator] = pid;
    return SY_OK;
}

sy_status sy_network_start(sy_network *network, unsigned validator, struct sy_error *err)
{
    SY_ASSERT(validator < network->config.validators && network->pids[validator] == 0);
    return start(network, validator, false, false, err);
}

sy_status sy_network_start_new(sy_network *network, unsigned validator, struct sy_error *err)
{
    SY_ASSERT(validator < network->config.validators && network->pids[validator] == 0);
    return start(network, validator, true, false, err);
}

sy_status sy_network_start_detached(sy_network *network, unsigned validator, struct sy_error *err)
{
    SY_ASSERT(validator < network->config.validators && network->pids[validator] == 0);
    return start(network, validator, false, true, err);
}

void sy_network_kill(sy_network *network, unsigned validator, int signal, int *code)
{
    SY_ASSERT(validator < network->config.validators);
    pid_t pid = network->pids[validator];
    *code = 0;
    if (pid == 0) return;
    (void)kill(pid, signal);
    for (unsigned waited_ms = 0; waitpid(pid, code, WNOHANG) == 0; waited_ms += 10) {
        if (waited_ms >= END_MS) (void)kill(pid, SIGKILL);
        sleep_ms(10);
    }
    network->pids[validator] = 0;
}

pid_t sy_network_pid(const sy_network *network, unsigned validator)
{
    return network->pids[validator];
}

/* ---- readiness --------------------------------------------------------------------------- */

bool sy_network_ended(sy_network *network, unsigned validator, int *code)
{
    SY_ASSERT(validator < network->config.validators && network->pids[validator] != 0);
    if (waitpid(network->pids[validator], code, WNOHANG) == 0) return false;
    network->pids[validator] = 0;
    return true;
}

/* The validator's own status, to be released; NULL: it does not answer. */
static json_t *ask_status(sy_network *network, unsigned validator)
{
    sy_epochs *epochs = NULL;
    sy_client *client = NULL;
    struct sy_slice text;
    json_t *json = NULL;
    if (sy_epochs_open(&epochs, &network->genesis, NULL) != SY_OK) return NULL;
    struct sy_client_config config = {
        .epochs = epochs, .validator = (uint16_t)validator, .connect_ms = 2000};
    if (sy_client_open(&client, &config, NULL) == SY_OK &&
        sy_client_get_status(client, &text, 5000, NULL) == SY_OK) {
        json = json_loadb((const char *)text.data, text.size, 0, NULL);
    }
    sy_client_close(client);
    sy_epochs_close(epochs);
    return json;
}

/* Reads one number of the validator's own status. */
static bool read_status(sy_network *network, unsigned validator, const char *name, uint64_t *out)
{
    json_t *json = ask_status(network, validator);
    json_t *value = json_object_get(json, name);
    bool found = json_is_integer(value);
    if (found) *out = (uint64_t)json_integer_value(value);
    json_decref(json);
    return found;
}

sy_status sy_network_await(sy_network *network, unsigned validator, uint64_t height,
                           unsigned timeout_ms, struct sy_error *err)
{
    uint64_t deadline_ns = sy_os_monotonic_ns() + timeout_ms * 1000000ull;
    uint64_t reached = 0;
    int code;
    while (sy_os_monotonic_ns() < deadline_ns) {
        if (network->pids[validator] == 0 || sy_network_ended(network, validator, &code)) {
            return sy_fail(err, SY_ERR_CLOSED, "validator %u has ended: see %s/v%u/output",
                           validator, network->dir, validator);
        }
        if (read_status(network, validator, "certified_height", &reached) && reached >= height) {
            return SY_OK;
        }
        sleep_ms(20);
    }
    return sy_fail(err, SY_ERR_TIMEOUT, "validator %u stands at height %llu, not %llu, after %u s",
                   validator, (unsigned long long)reached, (unsigned long long)height,
                   timeout_ms / 1000);
}

uint64_t sy_network_height(sy_network *network, unsigned validator)
{
    uint64_t height = 0;
    return read_status(network, validator, "certified_height", &height) ? height : 0;
}

bool sy_network_state_is(sy_network *network, unsigned validator, const char *state)
{
    json_t *json = ask_status(network, validator);
    const char *told = json_string_value(json_object_get(json, "state"));
    bool is = told != NULL && strcmp(told, state) == 0;
    json_decref(json);
    return is;
}

uint64_t sy_network_view(sy_network *network, unsigned validator)
{
    uint64_t view = 0;
    return read_status(network, validator, "view", &view) ? view : 0;
}

uint64_t sy_network_highest(sy_network *network, unsigned but)
{
    uint64_t highest = 0;
    for (unsigned i = 0; i < network->config.validators; i++) {
        bool asked = i != but && network->pids[i] != 0;
        uint64_t height = asked ? sy_network_height(network, i) : 0;
        if (height > highest) highest = height;
    }
    return highest;
}

/* Takes what one validator says of the view it is in, unless a newer one was told before. One that
 * is changing its view may be alone with that, and for long. */
static bool take_view(sy_network *network, unsigned validator, unsigned *primary, uint64_t *view)
{
    json_t *json = ask_status(network, validator);
    json_t *number = json_object_get(json, "view");
    const char *name = json_string_value(json_object_get(json, "primary"));
    bool newest = json_is_true(json_object_get(json, "in_view")) && json_is_integer(number) &&
                  (uint64_t)json_integer_value(number) >= *view;
    bool named = false;
    for (unsigned i = 0; newest && name != NULL && i < network->config.validators; i++) {
        if (strcmp(network->genesis.roster.validators[i].name, name) != 0) continue;
        *primary = i;
        *view = (uint64_t)json_integer_value(number);
        named = true;
    }
    json_decref(json);
    return named;
}

sy_status sy_network_primary(sy_network *network, unsigned *primary, uint64_t *view,
                             unsigned timeout_ms, struct sy_error *err)
{
    uint64_t deadline_ns = sy_os_monotonic_ns() + timeout_ms * 1000000ull;
    *view = 0;
    while (sy_os_monotonic_ns() < deadline_ns) {
        bool known = false;
        for (unsigned i = 0; i < network->config.validators; i++) {
            if (network->pids[i] != 0 && take_view(network, i, primary, view)) known = true;
        }
        if (known) return SY_OK;
        sleep_ms(20);
    }
    return sy_fail(err, SY_ERR_TIMEOUT, "no running validator is in a view after %u s",
                   timeout_ms / 1000);
}

/* ---- what they use ----------------------------------------------------------------------- */

static uint64_t cpu_us_of(pid_t pid)
{
    char path[64];
    uint8_t *text = NULL;
    size_t size;
    snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
    if (sy_os_read_file(&text, &size, path, 4096, NULL) != SY_OK) return 0;
    unsigned long user = 0;
    unsigned long system = 0;
    /* Fields count from behind the command's name, which may hold anything. */
    const char *rest = strrchr((const char *)text, ')');
    int found = rest == NULL ? 0
                             : sscanf(rest, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
                                      &user, &system);
    free(text);
    uint64_t ticks = (uint64_t)sysconf(_SC_CLK_TCK);
    return found == 2 ? (user + system) * 1000000ull / ticks : 0;
}

static uint64_t folder_bytes(const char *path)
{
    DIR *dir = opendir(path);
    if (dir == NULL) return 0;
    uint64_t bytes = 0;
    for (const struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        char inner[2 * PATH_BYTES];
        struct stat about;
        if (entry->d_name[0] == '.') continue;
        snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name);
        if (lstat(inner, &about) == 0 && S_ISREG(about.st_mode)) {
            bytes += (uint64_t)about.st_blocks * 512;
        }
    }
    closedir(dir);
    return bytes;
}

static uint64_t store_bytes(const sy_network *network, unsigned validator)
{
    static const char *const parts[] = {"v%u/data/votes", "v%u/data/ledger", "v%u/data/state"};
    uint64_t bytes = 0;
    for (unsigned i = 0; i < 3; i++) {
        char path[PATH_BYTES];
        path_of(path, network, parts[i], validator);
        bytes += folder_bytes(path);
    }
    return bytes;
}

static void read_engine(sy_network *network, unsigned validator, char *out, size_t size)
{
    json_t *json = ask_status(network, validator);
    const char *told = json_string_value(json_object_get(json, "engine"));
    (void)snprintf(out, size, "%s", told ? told : "?");
    json_decref(json);
}

sy_status sy_network_use(sy_network *network, struct sy_network_usage *usage, struct sy_error *err)
{
    *usage = (struct sy_network_usage){0};
    for (unsigned i = 0; i < network->config.validators; i++) {
        uint64_t signatures = 0;
        uint64_t net_bytes = 0;
        if (network->pids[i] == 0) continue;
        if (!read_status(network, i, "signatures_checked", &signatures) ||
            !read_status(network, i, "net_bytes_sent", &net_bytes)) {
            return sy_fail(err, SY_ERR_NETWORK, "validator %u does not tell its status", i);
        }
        if (!usage->engine[0]) read_engine(network, i, usage->engine, sizeof usage->engine);
        usage->cpu_us += cpu_us_of(network->pids[i]);
        usage->disk_bytes += store_bytes(network, i);
        usage->signatures += signatures;
        usage->net_bytes += net_bytes;
    }
    return SY_OK;
}

/* ---- life -------------------------------------------------------------------------------- */

static sy_status find_places(sy_network *network, const struct sy_network_config *config,
                             struct sy_error *err)
{
    const char *base = getenv("TMPDIR");
    if (config->dir != NULL) {
        snprintf(network->dir, sizeof network->dir, "%s", config->dir);
    } else {
        snprintf(network->dir, sizeof network->dir, "%.200s/systole-bench-%ld",
                 base ? base : "/tmp", (long)getpid());
    }
    if (config->bin != NULL) {
        snprintf(network->bin, sizeof network->bin, "%s", config->bin);
        return SY_OK;
    }
    ssize_t size = readlink("/proc/self/exe", network->bin, sizeof network->bin - 1);
    if (size <= 0) return sy_fail(err, SY_ERR_IO, "this program cannot find its own folder");
    network->bin[size] = '\0';
    *strrchr(network->bin, '/') = '\0';
    return SY_OK;
}

/* The same ports at the addresses of another network. */
static void move_address(char address[SY_ADDRESS_BYTES_MAX + 1], unsigned host)
{
    char name[SY_LAN_ADDRESS_BYTES];
    char port[16];
    snprintf(port, sizeof port, "%s", strrchr(address, ':'));
    sy_lan_address(name, host);
    snprintf(address, SY_ADDRESS_BYTES_MAX + 1, "tcp://%s%s", name, port);
}

static sy_status move_to_lan(sy_network *network, const char *path, struct sy_error *err)
{
    for (unsigned i = 0; i < network->config.validators; i++) {
        struct sy_validator *validator = &network->genesis.roster.validators[i];
        move_address(validator->control_address, i);
        move_address(validator->bulk_address, i);
        move_address(validator->client_address, i);
    }
    SY_TRY(sy_genesis_seal(&network->genesis, err));
    (void)unlink(path);
    return sy_genesis_save(&network->genesis, path, err);
}

static sy_status open_parts(sy_network *network, struct sy_error *err)
{
    char path[PATH_BYTES];
    SY_TRY(make_testnet(network, err));
    path_of(path, network, "genesis.json", 0);
    SY_TRY(sy_genesis_load(&network->genesis, path, err));
    if (network->config.lan != NULL) SY_TRY(move_to_lan(network, path, err));
    path_of(path, network, "keys/regulator-%u.pem", 0);
    SY_TRY(sy_secret_key_load(&network->regulator, path, NULL, err));
    for (unsigned i = 0; i < network->config.validators; i++) {
        SY_TRY(start(network, i, true, false, err));
    }
    for (unsigned i = 0; i < network->config.validators; i++) {
        SY_TRY(sy_network_await(network, i, 1, START_MS, err));
    }
    return SY_OK;
}

sy_status sy_network_open(sy_network **out, const struct sy_network_config *config,
                          struct sy_error *err)
{
    SY_ASSERT(config->validators >= SY_VALIDATORS_MIN && config->validators <= SY_VALIDATORS_MAX);
    sy_network *network = (sy_network *)calloc(1, sizeof *network);
    if (network == NULL) return sy_fail(err, SY_ERR_NO_MEMORY, "network: no memory");
    network->config = *config;
    sy_status status = find_places(network, config, err);
    if (status == SY_OK) status = open_parts(network, err);
    if (status != SY_OK) {
        sy_network_close(network);
        return status;
    }
    *out = network;
    return SY_OK;
}

void sy_network_stop(sy_network *network)
{
    for (unsigned i = 0; i < network->config.validators; i++) {
        if (network->pids[i] != 0) (void)kill(network->pids[i], SIGTERM);
    }
    for (unsigned i = 0; i < network->config.validators; i++) {
        int code;
        sy_network_kill(network, i, 0, &code); /* asked already: a second SIGTERM would hurry it */
    }
}

sy_status sy_network_stop_level(sy_network *network, unsigned timeout_ms, struct sy_error *err)
{
    uint64_t highest = sy_network_highest(network, UINT_MAX);
    for (unsigned i = 0; i < network->config.validators; i++) {
        if (network->pids[i] == 0) continue;
        SY_TRY(sy_network_await(network, i, highest, timeout_ms, err));
    }
    sy_network_stop(network);
    return SY_OK;
}

void sy_network_close(sy_network *network)
{
    if (network == NULL) return;
    sy_network_stop(network);
    sy_network_leave(network);
}

void sy_network_discard(sy_network *network)
{
    if (network == NULL) return;
    sy_network_stop(network);
    (void)sy_os_remove_tree(network->dir, NULL);
    sy_network_leave(network);
}

void sy_network_leave(sy_network *network)
{
    sy_secret_key_close(network->regulator);
    free(network);
}

const struct sy_genesis *sy_network_genesis(const sy_network *network)
{
    return &network->genesis;
}

const sy_secret_key *sy_network_regulator(const sy_network *network)
{
    return network->regulator;
}

const char *sy_network_dir(const sy_network *network)
{
    return network->dir;
}
