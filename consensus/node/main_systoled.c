/* main_systoled.c: the validator's program. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "consensus/node/daemon.h"
#include "core/base/os.h"
#include "core/base/telemetry.h"
#include "core/base/thread.h"

#define DRAIN_MS 5000u

enum exit_code { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

static const char usage[] =
    "usage: systoled --config FILE [--init | --rebuild-index] [--check-config]\n"
    "       systoled --explain-config\n"
    "\n"
    "  --config FILE      configuration: `key = value` lines\n"
    "  --init             make a new, empty store at genesis, then run\n"
    "  --rebuild-index    forget the directory's index and make it again while running; nothing\n"
    "                     waits for it\n"
    "  --check-config     read everything the configuration names, say what is wrong, exit\n"
    "  --explain-config   print every key with its default, bounds and meaning\n"
    "\n"
    "SIGTERM and SIGINT drain for up to 5 s, then stop; a second one stops at once.\n";

struct options {
    const char *config;
    enum sy_daemon_start start;
    bool check;
};

/* ---- signals ----------------------------------------------------------------------------- */

struct watcher {
    sy_daemon *daemon;
    sigset_t signals;
};

static void *watch_signals(void *self)
{
    struct watcher *watcher = (struct watcher *)self;
    for (;;) {
        int number = 0;
        if (sigwait(&watcher->signals, &number) != 0) continue;
        if (number == SIGUSR2) return NULL; /* the daemon ended by itself */
        SY_LOG(SY_LOG_INFO, "node", "signal", SY_F_I64("number", number));
        sy_daemon_stop(watcher->daemon, DRAIN_MS);
    }
}

/* ---- the run ----------------------------------------------------------------------------- */

static enum sy_log_level level_of(const char *name)
{
    static const char *const names[] = {"debug", "info", "warn", "error"};
    for (int i = 0; i < 4; i++) {
        if (strcmp(name, names[i]) == 0) return (enum sy_log_level)i;
    }
    return SY_LOG_INFO;
}

static sy_status write_pid(const char *path, struct sy_error *err)
{
    if (path[0] == '\0') return SY_OK;
    char text[32];
    int size = snprintf(text, sizeof text, "%ld\n", (long)getpid());
    return sy_os_write_file(path, text, (size_t)size, 0644, err);
}

static sy_status run(sy_daemon *daemon, sigset_t signals, struct sy_error *err)
{
    struct watcher watcher = {daemon, signals};
    pthread_t thread;
    SY_TRY(sy_thread_start(&thread, "sy-signals", watch_signals, &watcher, err));
    SY_LOG(SY_LOG_INFO, "node", "started", SY_F_I64("pid", getpid()));
    sy_status status = sy_daemon_run(daemon, err);
    (void)pthread_kill(thread, SIGUSR2);
    sy_thread_join(thread);
    return status;
}

static int fail(const struct sy_error *err)
{
    fprintf(stderr, "systoled: %s\n", err->text);
    SY_LOG(SY_LOG_ERROR, "node", "failed", SY_F_TEXT("what", err->text));
    return EXIT_FAILED;
}

/* As many files as this process may have open: whoever can reach a port can hold connections, and
 * once there is no room for another one nobody else is let in, while nanomsg tries without a pause.
 */
static void raise_files(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur == files.rlim_max) return;
    files.rlim_cur = files.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &files) != 0) {
        SY_LOG(SY_LOG_WARN, "node", "few_open_files", SY_F_TEXT("raise", "ulimit -n"));
    }
}

static int serve(const struct options *options)
{
    struct sy_error err = {SY_OK, ""};
    struct sy_config config;
    if (sy_config_load(&config, options->config, &err) != SY_OK) return fail(&err);
    if (options->check) {
        if (sy_daemon_check(&config, stdout, &err) != SY_OK) return fail(&err);
        return EXIT_DONE;
    }
    const char *log = config.log_file[0] != '\0' ? config.log_file : NULL;
    if (sy_log_open(log, level_of(config.log_level), &err) != SY_OK) return fail(&err);

    /* Blocked before any thread starts, so that only the watcher sees them. */
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGUSR2);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    raise_files();

    sy_daemon *daemon = NULL;
    sy_status status = sy_daemon_open(&daemon, &config, options->start, &err);
    if (status == SY_OK) status = write_pid(config.pid_file, &err);
    /* Without a daemon of our own the file is that of the one that holds the store. */
    bool ours = daemon != NULL;
    if (status == SY_OK) status = run(daemon, signals, &err);
    sy_daemon_close(daemon);
    if (ours && config.pid_file[0] != '\0') (void)unlink(config.pid_file);
    int code = status == SY_OK ? EXIT_DONE : fail(&err);
    SY_LOG(SY_LOG_INFO, "node", "stopped", SY_F_I64("code", code));
    sy_log_close();
    return code;
}

int main(int argc, char **argv)
{
    static const struct option longs[] = {{"config", required_argument, NULL, 'c'},
                                          {"init", no_argument, NULL, 'i'},
                                          {"check-config", no_argument, NULL, 'k'},
                                          {"explain-config", no_argument, NULL, 'e'},
                                          {"rebuild-index", no_argument, NULL, 'r'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    struct options options = {.start = SY_START_GO_ON};
    bool both = false; /* of what excludes each other */
    int option;
    while ((option = getopt_long(argc, argv, "c:h", longs, NULL)) != -1) {
        switch (option) {
        case 'c': options.config = optarg; break;
        case 'i': both |= options.start != SY_START_GO_ON, options.start = SY_START_INIT; break;
        case 'k': options.check = true; break;
        case 'r': both |= options.start != SY_START_GO_ON, options.start = SY_START_REBUILD; break;
        case 'e': sy_config_explain(stdout); return EXIT_DONE;
        case 'h': fputs(usage, stdout); return EXIT_DONE;
        default: fputs(usage, stderr); return EXIT_USAGE;
        }
    }
    if (options.config == NULL || optind != argc || both) {
        fputs(usage, stderr);
        return EXIT_USAGE;
    }
    return serve(&options);
}
