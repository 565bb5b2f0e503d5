/* main_liar.c: systole-liar: systoled's own daemon, lying (liar.h). It takes systoled's options,
 * --lies NAME,... and --seed N; SIGUSR1 begins and ends its silence toward the validators.
 *
 * wraps: sy_link_send sy_link_broadcast sy_link_recv sy_link_close sy_server_reply sy_server_next
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "consensus/node/daemon.h"
#include "core/base/bytes.h"
#include "core/base/telemetry.h"
#include "core/base/thread.h"
#include "tests/cluster/liar.h"

#define DRAIN_MS 1000u

static const char usage[] =
    "usage: systole-liar --config FILE [--init | --rebuild-index] --lies NAME,... [--seed N]\n"
    "\n"
    "A validator for tests that lies. The lies:\n";

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
        if (number == SIGUSR1) {
            liar_hush();
        } else {
            sy_daemon_stop(watcher->daemon, DRAIN_MS);
        }
    }
}

static sy_status serve(const struct sy_config *config, enum sy_daemon_start start,
                       struct sy_error *err)
{
    struct watcher watcher = {.daemon = NULL};
    pthread_t thread;
    static const int numbers[] = {SIGTERM, SIGINT, SIGUSR1, SIGUSR2};
    sigemptyset(&watcher.signals);
    for (int i = 0; i < 4; i++) sigaddset(&watcher.signals, numbers[i]);
    pthread_sigmask(SIG_BLOCK, &watcher.signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    SY_TRY(sy_daemon_open(&watcher.daemon, config, start, err));
    sy_status status = sy_thread_start(&thread, "liar-signals", watch_signals, &watcher, err);
    if (status == SY_OK) {
        status = sy_daemon_run(watcher.daemon, err);
        (void)pthread_kill(thread, SIGUSR2);
        sy_thread_join(thread);
    }
    sy_daemon_close(watcher.daemon);
    return status;
}

static sy_status lie(const char *path, enum sy_daemon_start start, const char *lies, uint64_t seed,
                     struct sy_error *err)
{
    struct sy_config config;
    SY_TRY(sy_config_load(&config, path, err));
    SY_TRY(liar_open(&config, lies, seed, err));
    SY_TRY(sy_log_open(config.log_file[0] != '\0' ? config.log_file : NULL, SY_LOG_INFO, err));
    sy_status status = serve(&config, start, err);
    liar_close();
    sy_log_close();
    return status;
}

int main(int argc, char **argv)
{
    static const struct option longs[] = {
        {"config", required_argument, NULL, 'c'},  {"init", no_argument, NULL, 'i'},
        {"rebuild-index", no_argument, NULL, 'r'}, {"lies", required_argument, NULL, 'l'},
        {"seed", required_argument, NULL, 's'},    {NULL, 0, NULL, 0}};
    const char *config = NULL, *lies = NULL;
    uint64_t seed = 1;
    enum sy_daemon_start start = SY_START_GO_ON;
    bool known = true;
    int option;
    while ((option = getopt_long(argc, argv, "c:", longs, NULL)) != -1) {
        switch (option) {
        case 'c': config = optarg; break;
        case 'i': start = SY_START_INIT; break;
        case 'r': start = SY_START_REBUILD; break;
        case 'l': lies = optarg; break;
        case 's': known = known && sy_parse_u64(&seed, optarg, 0, UINT64_MAX); break;
        default: known = false;
        }
    }
    struct sy_error err = {SY_OK, ""};
    if (!known || !config || !lies || optind != argc) {
        fputs(usage, stderr);
        liar_explain(stderr);
        return 2;
    }
    if (lie(config, start, lies, seed, &err) == SY_OK) return 0;
    fprintf(stderr, "systole-liar: %s\n", err.text);
    return 1;
}
