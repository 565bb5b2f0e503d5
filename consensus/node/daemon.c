#include "consensus/node/daemon.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "consensus/node/daemon_internal.h"
#include "consensus/node/joiner.h"
#include "consensus/node/recover.h"
#include "consensus/node/serve.h"
#include "core/base/assert.h"
#include "core/base/os.h"
#include "core/base/telemetry.h"
#include "core/crypto/sha256_many.h"
#include "core/wire/genesis_json.h"
#include "core/wire/roster_change.h"
#include "core/wire/state.h"
#include "gpu/cuda_engine.h"

#define INBOX_ITEMS 32768u
#define VOTE_CHECKS 512u
#define RESPREAD_MS 500u

/* ---- parts, in the order in which they are opened ---------------------------------------- */

static sy_status load_keys(sy_daemon *daemon, struct sy_error *err)
{
    const struct sy_config *config = &daemon->config;
    const char *passphrase = config->passphrase_file[0] ? config->passphrase_file : NULL;
    /* An observer signs nothing: a key that nobody ever knew stands for none. */
    if (config->observes) {
        SY_TRY(sy_secret_key_generate(&daemon->consensus_key, err));
        return sy_secret_key_load(&daemon->link_key, config->link_key, passphrase, err);
    }
    SY_TRY(sy_secret_key_load(&daemon->consensus_key, config->consensus_key, passphrase, err));
    return sy_secret_key_load(&daemon->link_key, config->link_key, passphrase, err);
}

/* Who this validator is in the roster. A consensus key that it does not have makes an observer,
 * until it has; the configuration may make one for good. */
static sy_status find_self(sy_daemon *daemon, struct sy_error *err)
{
    const struct sy_roster *roster = daemon->roster;
    struct sy_public_key key;
    sy_secret_key_public(daemon->consensus_key, &key);
    int index = sy_roster_find(roster, &key);
    daemon->self = index < 0 ? SY_PBFT_OBSERVER : (uint16_t)index;
    sy_secret_key_public(daemon->link_key, &key);
    if (index < 0 || sy_public_key_equal(&key, &roster->validators[index].link_key)) return SY_OK;
    return sy_fail(err, SY_ERR_ARGUMENT,
                   "%s is not the link key that the roster of epoch %u names for validator \"%s\"",
                   daemon->config.link_key, (unsigned)roster->epoch,
                   roster->validators[index].name);
}

static sy_status load_genesis(sy_daemon *daemon, struct sy_error *err)
{
    daemon->genesis = (struct sy_genesis *)calloc(1, sizeof *daemon->genesis);
    daemon->roster = (struct sy_roster *)calloc(1, sizeof *daemon->roster);
    if (!daemon->genesis || !daemon->roster) {
        return sy_fail(err, SY_ERR_NO_MEMORY, "genesis: no memory");
    }
    SY_TRY(sy_genesis_load(daemon->genesis, daemon->config.genesis, err));
    *daemon->roster = daemon->genesis->roster;
    return find_self(daemon, err);
}

static sy_status open_store(sy_daemon *daemon, enum sy_daemon_start start, struct sy_error *err)
{
    struct sy_store_config config = {.path = daemon->config.data,
                                     .genesis = daemon->genesis->hash,
                                     .init = start == SY_START_INIT,
                                     .snapshot_blocks = SY_SNAPSHOT_BLOCKS,
                                     .generation_bytes = daemon->config.generation_mib << 20};
    SY_TRY(sy_store_open_lmdb(&daemon->store, &config, err));
    if (sy_store_reader_open(&daemon->reader, daemon->store) != SY_OK) {
        return sy_fail(err, SY_ERR_LIMIT, "%s: too many readers", daemon->config.data);
    }
    return start == SY_START_REBUILD ? sy_directory_clear(daemon->store, err) : SY_OK;
}

static unsigned engine_threads(const struct sy_config *config)
{
    if (config->engine_threads > 0) return (unsigned)config->engine_threads;
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    if (online < 1) return 1;
    return online > 8 ? 8 : (unsigned)online;
}

static sy_status open_engine(sy_daemon *daemon, struct sy_error *err)
{
    struct sy_engine_choice *choice = &daemon->engine_choice;
    const char *wanted = daemon->config.engine;
    unsigned threads = engine_threads(&daemon->config);
    SY_TRY(sy_engine_choose(choice, wanted, sy_engine_all_impls, threads, err));
    struct sy_engine_config config = {.threads = threads,
                                      .queue = VOTE_CHECKS + (uint32_t)daemon->config.checks + 64,
                                      .leaves_max = 2 * SY_BATCH_TXS_MAX,
                                      .sample_every = (uint32_t)daemon->config.engine_sample_every,
                                      .table_bytes = daemon->config.engine_tables_mib << 20,
                                      .impls = choice->impls,
                                      .from = choice->from};
    SY_TRY(sy_engine_open(&daemon->engine, &config, err));
    SY_LOG(SY_LOG_INFO, "node", "engine_chosen", SY_F_TEXT("wanted", wanted),
           SY_F_TEXT("engine", choice->impls[0]->name), SY_F_U64("from", choice->from[0]),
           SY_F_TEXT("why", choice->why), SY_F_TEXT("hashing", sy_sha256_many_best()->name));
    sy_metric_set(SY_M_engine_rate_per_s, choice->per_s[0]);
    sy_metric_set(SY_M_engine_from_signatures, choice->from[0]);
    sy_signers_start(&daemon->signers, daemon->engine);
    sy_signers_roster(&daemon->signers, daemon->roster, &daemon->genesis->hash);
    sy_executor_give_signers(daemon->executor, sy_signers_note, &daemon->signers);
    return SY_OK;
}

static void node_config(const sy_daemon *daemon, struct sy_node_config *node)
{
    const struct sy_config *config = &daemon->config;
    *node = (struct sy_node_config){.genesis = daemon->genesis,
                                    .roster = daemon->roster,
                                    .signer = sy_signer_of_key(daemon->consensus_key),
                                    .self = daemon->self,
                                    .vote_checks = VOTE_CHECKS};
    sy_pbft_config_default(&node->pbft);
    node->pbft.base = daemon->base;
    node->pbft.pipeline_slots = (uint32_t)config->pipeline_slots;
    node->pbft.skew_ms = (int64_t)config->skew_ms;
    node->pbft.batch_ns = config->proposal_wait_ms * 1000000ull;
    node->pbft.heartbeat_ns = config->heartbeat_ms * 1000000ull;
    node->pbft.status_ns = config->status_ms * 1000000ull;
    node->pbft.view_ns = config->view_timeout_ms * 1000000ull;
    node->pool.batch_timeout_ns = config->batch_timeout_ms * 1000000ull;
    node->pool.batch_txs_max = (uint32_t)config->batch_txs_max;
    node->pool.pending_txs_max = (uint32_t)config->pending_txs_max;
    node->pool.lanes = (uint32_t)config->checks;
    node->pool.queued_per_maker = (uint32_t)config->queued_per_maker;
    node->pool.respread_ns = RESPREAD_MS * 1000000ull;
    sy_os_random(node->pool.seed, sizeof node->pool.seed);
}

static sy_status open_inbox(sy_daemon *daemon, struct sy_error *err)
{
    size_t bytes = INBOX_ITEMS * sizeof(struct sy_inbox_item) + (1u << 16);
    sy_status status = sy_arena_open(&daemon->inbox_arena, bytes);
    if (status == SY_OK) {
        status = sy_ring_open(&daemon->inbox, &daemon->inbox_arena, INBOX_ITEMS,
                              sizeof(struct sy_inbox_item));
    }
    if (status != SY_OK) return sy_fail(err, status, "no address space for the inbox");
    sy_arena_seal(&daemon->inbox_arena);
    return SY_OK;
}

static sy_status open_node(sy_daemon *daemon, struct sy_error *err)
{
    struct sy_node_config config;
    node_config(daemon, &config);
    size_t bytes = sy_node_footprint(&config) + sizeof(struct sy_node_effects) +
                   SY_FOUND_MAX * sizeof(struct found) + SY_SERVE_BYTES_MAX + (1u << 20);
    if (sy_arena_open(&daemon->arena, bytes) != SY_OK) {
        return sy_fail(err, SY_ERR_NO_MEMORY, "no address space for %zu MiB of queues",
                       bytes >> 20);
    }
    SY_TRY(sy_node_init(&daemon->node, &daemon->arena, &config, err));
    daemon->effects = SY_CARVE(&daemon->arena, struct sy_node_effects, 1);
    daemon->found = SY_CARVE(&daemon->arena, struct found, SY_FOUND_MAX);
    daemon->serve.out = SY_CARVE(&daemon->arena, uint8_t, SY_SERVE_BYTES_MAX);
    if (!daemon->effects || !daemon->found || !daemon->serve.out) {
        return sy_fail(err, SY_ERR_NO_MEMORY, "the arena for queues is too small");
    }
    daemon->serve.reader = daemon->reader;
    sy_arena_seal(&daemon->arena);
    return SY_OK;
}

/* The configuration may bind elsewhere than the roster says (behind a translated address). */
static const char *address_of(const char *configured, const char *in_roster)
{
    return configured[0] != '\0' ? configured : in_roster;
}

static sy_status need_address(const char *address, const char *key, struct sy_error *err)
{
    if (address[0] != '\0') return SY_OK;
    return sy_fail(err, SY_ERR_ARGUMENT,
                   "this node is not in the roster, so it runs as an observer: set `%s` to an "
                   "address to bind",
                   key);
}

static sy_status open_link(sy_daemon *daemon, uint32_t peers_max, struct sy_error *err)
{
    static const struct sy_validator nobody;
    const struct sy_roster *roster = daemon->roster;
    const struct sy_validator *me =
        daemon->self == SY_PBFT_OBSERVER ? &nobody : &roster->validators[daemon->self];
    struct sy_link_config config = {.key = daemon->link_key,
                                    .bind_control =
                                        address_of(daemon->config.control, me->control_address),
                                    .bind_bulk = address_of(daemon->config.bulk, me->bulk_address),
                                    .peers = daemon->peers.list,
                                    .peer_count = daemon->peers.count,
                                    .peers_max = peers_max,
                                    .me = daemon->peers.me};
    sy_status status = need_address(config.bind_control, "control", err);
    if (status == SY_OK) status = need_address(config.bind_bulk, "bulk", err);
    if (status == SY_OK) status = sy_link_open(&daemon->link, &config, err);
    return status;
}

static void list_members(sy_daemon *daemon)
{
    struct sy_public_key own;
    sy_secret_key_public(daemon->link_key, &own);
    sy_peers_begin(&daemon->peers, daemon->roster, daemon->self, &own);
}

const char *sy_daemon_guest_word(uint16_t number)
{
    if (number >= SY_NODE_OBSERVER) return "observer";
    return number == SY_NODE_ANNOUNCED ? "announced" : "departed";
}

static void note_guests(sy_daemon *daemon)
{
    const struct sy_peers *peers = &daemon->peers;
    struct snapshot *snapshot = &daemon->snapshot;
    pthread_mutex_lock(&snapshot->lock);
    snapshot->guest_count = peers->count - peers->members;
    for (uint32_t i = 0; i < snapshot->guest_count; i++) {
        struct guest *guest = &snapshot->guests[i];
        guest->place = peers->members + i;
        guest->number = peers->guests[i];
        memcpy(guest->name, peers->list[guest->place].name, sizeof guest->name);
    }
    pthread_mutex_unlock(&snapshot->lock);
    for (uint32_t i = peers->members; i < peers->count; i++) {
        SY_LOG(SY_LOG_INFO, "node", "guest", SY_F_TEXT("name", peers->list[i].name),
               SY_F_TEXT("what", sy_daemon_guest_word(sy_peers_number(peers, i))));
    }
}

static sy_status find_peers(sy_daemon *daemon, struct sy_error *err)
{
    list_members(daemon);
    sy_peers_add_observers(&daemon->peers, daemon->config.observers, daemon->config.observer_count);
    SY_TRY(
        sy_peers_look(&daemon->peers, daemon->store, daemon->genesis, daemon->roster->epoch, err));
    note_guests(daemon);
    return SY_OK;
}

/* What fails here is tried again with the next block. */
void sy_daemon_announce(sy_daemon *daemon)
{
    struct sy_peers *peers = &daemon->peers;
    struct sy_error err = {SY_OK, ""};
    if (peers->announced) return;
    sy_status status =
        sy_peers_look(peers, daemon->store, daemon->genesis, daemon->roster->epoch, &err);
    if (status == SY_OK) {
        status = sy_link_set_peers(daemon->link, peers->list, peers->count, peers->me, &err);
    }
    if (status == SY_OK) {
        note_guests(daemon);
    } else {
        SY_LOG(SY_LOG_WARN, "node", "guest_not_let_in", SY_F_TEXT("error", err.text));
    }
}

/* ---- a state from peers ------------------------------------------------------------------ */

/* Nobody waits for signals yet (main waits for the daemon), so they are looked for. */
static bool is_told_to_stop(void *self)
{
    sigset_t pending;
    (void)self;
    if (sigpending(&pending) != 0) return false;
    return sigismember(&pending, SIGTERM) == 1 || sigismember(&pending, SIGINT) == 1;
}

/* A store without blocks may begin with a state; one that has begun to fetch it must. */
static sy_status join(sy_daemon *daemon, struct sy_error *err)
{
    struct sy_install install;
    struct sy_joined joined;
    sy_install_get(daemon->store, &install);
    bool wanted = install.active || daemon->config.join_by_snapshot;
    if (!wanted || sy_ledger_next(daemon->store) > 0) return SY_OK;
    list_members(daemon);
    SY_TRY(open_link(daemon, SY_NODE_PEERS_MAX, err));
    struct sy_joiner_config config = {.store = daemon->store,
                                      .link = daemon->link,
                                      .genesis = daemon->genesis,
                                      .own = &daemon->peers.own,
                                      .stopping = is_told_to_stop};
    SY_LOG(SY_LOG_INFO, "node", "joining", SY_F_U64("from", install.height));
    sy_status status = sy_joiner_run(&joined, &config, err);
    sy_link_close(daemon->link);
    daemon->link = NULL;
    SY_TRY(status);
    SY_LOG(SY_LOG_INFO, "node", "joined", SY_F_U64("height", joined.height),
           SY_F_U64("epoch", joined.epoch), SY_F_U64("chunks", joined.chunks),
           SY_F_U64("bytes", joined.bytes), SY_F_U64("liars", joined.liars));
    return SY_OK;
}

static void send_chunk(void *self, uint16_t place, struct sy_slice message)
{
    (void)sy_link_send(((sy_daemon *)self)->link, place, SY_CHANNEL_BULK, message);
}

static void give_top(void *self, uint64_t height, struct sy_snapshot_top *top)
{
    sy_holder_put_top(((sy_daemon *)self)->holder, height, top);
}

/* The roster that orders what comes after the certified height. */
static sy_status choose_roster(sy_daemon *daemon, struct sy_error *err)
{
    uint64_t next = sy_ledger_certified(daemon->store) + 1;
    *daemon->roster = *sy_executor_roster(daemon->executor, next);
    daemon->base = sy_executor_epoch_base(daemon->executor, next);
    return find_self(daemon, err);
}

static sy_status open_holder(sy_daemon *daemon, struct sy_error *err)
{
    SY_TRY(sy_holder_open(&daemon->holder, daemon->store, send_chunk, daemon, err));
    for (unsigned i = 0; i < SY_CUTTER_TOPS; i++) {
        struct sy_cutter_top *kept = &daemon->tops[i];
        if (kept->height > 0) sy_holder_put_top(daemon->holder, kept->height, &kept->top);
        kept->height = 0;
    }
    sy_executor_give_tops(daemon->executor, SY_SNAPSHOT_BLOCKS, give_top, daemon);
    return SY_OK;
}

/* What is read through a validator is noted beside its store; an observer can log nothing. */
static sy_status note_reads(sy_daemon *daemon, struct sy_reads_config *reads, char *folder,
                            size_t size, struct sy_error *err)
{
    const struct sy_config *config = &daemon->config;
    if (daemon->self == SY_PBFT_OBSERVER) return SY_OK;
    const struct sy_validator *me = &daemon->roster->validators[daemon->self];
    int length = snprintf(folder, size, "%s/reads", config->data);
    if (length < 0 || (size_t)length >= size) {
        return sy_fail(err, SY_ERR_ARGUMENT, "%.60s...: the path is too long", config->data);
    }
    *reads = (struct sy_reads_config){
        .folder = folder,
        .passphrase = config->passphrase_file[0] ? config->passphrase_file : NULL,
        .consensus = sy_signer_of_key(daemon->consensus_key),
        .validator = me->consensus_key,
        .organisation = me->organisation,
        .delay_ns = config->reads_log_ms * 1000000ull,
        .kept_bytes_max = config->reads_kept_mib << 20};
    return SY_OK;
}

static sy_status open_api(sy_daemon *daemon, struct sy_error *err)
{
    char folder[SY_READS_PATH_MAX];
    const char *in_roster = daemon->self == SY_PBFT_OBSERVER
                                ? ""
                                : daemon->roster->validators[daemon->self].client_address;
    struct sy_api_config config = {
        .server = {.key = daemon->link_key,
                   .bind = address_of(daemon->config.client, in_roster),
                   .sessions_max = (uint32_t)daemon->config.sessions_max},
        .store = daemon->store,
        .genesis = daemon->genesis,
        .inbox = daemon->inbox,
        .observes = daemon->self == SY_PBFT_OBSERVER,
        .status = sy_daemon_status_json,
        .self = daemon};
    SY_TRY(need_address(config.server.bind, "client", err));
    SY_TRY(note_reads(daemon, &config.reads, folder, sizeof folder, err));
    SY_TRY(sy_api_open(&daemon->api, &config, err));
    SY_TRY(sy_runner_open(&daemon->runner, daemon->executor, daemon->inbox, sy_api_proved,
                          daemon->api, err));
    sy_api_set_runner(daemon->api, daemon->runner);
    return SY_OK;
}

static sy_status open_http(sy_daemon *daemon, struct sy_error *err)
{
    if (daemon->config.http[0] == '\0') return SY_OK;
    const struct sy_http_route routes[] = {
        {"/metrics", sy_daemon_metrics_page, daemon},
        {"/healthz", sy_daemon_health_page, daemon},
    };
    return sy_http_open(&daemon->http, daemon->config.http, routes,
                        sizeof routes / sizeof routes[0], err);
}

static sy_status recover(sy_daemon *daemon, struct sy_error *err)
{
    sy_executor_head(daemon->executor, &daemon->snapshot.head, &(struct sy_hash){{0}});
    SY_TRY(sy_node_recover(daemon->node, daemon->effects, daemon->store, daemon->executor,
                           daemon->genesis, daemon->roster, sy_daemon_carry, daemon,
                           sy_os_wall_ms(), sy_os_monotonic_ns(), err));
    sy_daemon_refresh(daemon, sy_os_monotonic_ns());
    sy_api_certified(daemon->api, sy_ledger_certified(daemon->store));
    return SY_OK;
}

/* What lives as long as the process. */
static sy_status open_base(sy_daemon *daemon, enum sy_daemon_start start, struct sy_error *err)
{
    SY_TRY(load_keys(daemon, err));
    SY_TRY(load_genesis(daemon, err));
    SY_TRY(open_inbox(daemon, err));
    SY_TRY(open_store(daemon, start, err));
    SY_TRY(join(daemon, err));
    return sy_executor_open(&daemon->executor, daemon->store, daemon->genesis, err);
}

/* What lives as long as a roster. */
static sy_status open_epoch(sy_daemon *daemon, struct sy_error *err)
{
    SY_TRY(choose_roster(daemon, err));
    SY_TRY(open_engine(daemon, err));
    SY_TRY(open_node(daemon, err));
    SY_TRY(find_peers(daemon, err));
    SY_TRY(open_link(daemon, daemon->peers.members + 2 + daemon->config.observer_count, err));
    SY_TRY(open_holder(daemon, err));
    SY_TRY(sy_committer_open(&daemon->committer, daemon->store, daemon->config.history_blocks,
                             daemon->inbox, err));
    SY_TRY(open_api(daemon, err));
    SY_TRY(recover(daemon, err));
    return open_http(daemon, err);
}

/* Whoever feeds the inbox ends before its items are looked at for the last time. */
static void close_epoch(sy_daemon *daemon)
{
    sy_http_close(daemon->http);
    sy_api_stop(daemon->api);
    sy_runner_close(daemon->runner);
    sy_api_close(daemon->api);
    if (daemon->holder != NULL) sy_holder_take_tops(daemon->holder, daemon->tops);
    sy_holder_close(daemon->holder);
    sy_link_close(daemon->link);
    if (daemon->executor != NULL) sy_executor_give_signers(daemon->executor, NULL, NULL);
    sy_engine_close(daemon->engine);
    sy_committer_close(daemon->committer);
    daemon->http = NULL;
    daemon->runner = NULL;
    daemon->api = NULL;
    daemon->holder = NULL;
    daemon->link = NULL;
    daemon->engine = NULL;
    daemon->committer = NULL;
}

/* ---- the next epoch ---------------------------------------------------------------------- */

/* What is left in the inbox was for the node that ends, but for what the operator says. */
static void sort_inbox(sy_daemon *daemon, struct sy_inbox_item *drain)
{
    struct sy_inbox_item item;
    while (sy_ring_pop(daemon->inbox, &item)) {
        if (item.type == SY_INBOX_DRAIN) *drain = item;
        if (item.type == SY_INBOX_STOP || item.type == SY_INBOX_FAILED)
            sy_daemon_item(daemon, &item);
    }
}

/* A key that the next roster has no more has nothing to do there, and nobody to talk to. */
static bool leaves(sy_daemon *daemon)
{
    uint64_t next = sy_ledger_certified(daemon->store) + 1;
    const struct sy_roster *roster = sy_executor_roster(daemon->executor, next);
    struct sy_public_key key;
    sy_secret_key_public(daemon->consensus_key, &key);
    if (daemon->self == SY_PBFT_OBSERVER || sy_roster_find(roster, &key) >= 0) return false;
    SY_LOG(SY_LOG_WARN, "node", "left_the_roster", SY_F_U64("epoch", roster->epoch),
           SY_F_U64("height", next),
           SY_F_TEXT("what", "this key votes no more; with a new one, start systoled again"));
    return true;
}

/* The same, while the execution thread has the executor: as the state tells it. What cannot be read
 * keeps nobody. */
static bool will_leave(sy_daemon *daemon)
{
    sy_state_view *view = NULL;
    struct sy_roster next;
    struct sy_roster_next change;
    struct sy_public_key key;
    struct sy_hash place;
    struct sy_slice value;
    sy_secret_key_public(daemon->consensus_key, &key);
    sy_state_key_roster_change(&place, daemon->roster->epoch + 1);
    sy_status status = sy_state_view_open(&view, daemon->store);
    if (status == SY_OK) status = sy_state_view_get(view, &value, &place);
    if (status == SY_OK && !sy_roster_next_decode(&change, value)) status = SY_ERR_CORRUPT;
    if (status == SY_OK) {
        status = sy_roster_follow(&next, &daemon->genesis->hash, daemon->roster, change.kind,
                                  change.change);
    }
    sy_state_view_close(view);
    return status == SY_OK && sy_roster_find(&next, &key) < 0;
}

bool sy_daemon_lingers(sy_daemon *daemon)
{
    if (daemon->self == SY_PBFT_OBSERVER) return false;
    if (!sy_node_awaited(daemon->node, sy_os_monotonic_ns())) return false;
    if (daemon->end_seen) return daemon->leaving;
    daemon->end_seen = true;
    daemon->leaving = will_leave(daemon);
    if (!daemon->leaving) return false;
    SY_LOG(SY_LOG_INFO, "node", "lingers", SY_F_U64("epoch", daemon->roster->epoch),
           SY_F_TEXT("what", "the others may need this validator to end the epoch"));
    return true;
}

sy_status sy_daemon_turn(sy_daemon *daemon, struct sy_error *err)
{
    struct sy_inbox_item drain = {.number = 0};
    bool draining = daemon->drain_ns != 0;
    close_epoch(daemon);
    sort_inbox(daemon, &drain);
    sy_arena_close(&daemon->arena);
    daemon->node = NULL;
    daemon->found_count = 0;
    daemon->end_seen = daemon->leaving = false;
    daemon->view_changes_counted = 0;
    memset(&daemon->letin, 0, sizeof daemon->letin);
    memset(&daemon->serve, 0, sizeof daemon->serve);
    if (daemon->stopping || draining || leaves(daemon)) { // nothing of it goes on
        daemon->stopping = true;
        return SY_OK;
    }
    SY_TRY(open_epoch(daemon, err));
    SY_LOG(SY_LOG_INFO, "node", "epoch", SY_F_U64("epoch", daemon->roster->epoch),
           SY_F_U64("validators", daemon->roster->count), SY_F_U64("base", daemon->base),
           SY_F_TEXT("self", daemon->self == SY_PBFT_OBSERVER
                                 ? "observer"
                                 : daemon->roster->validators[daemon->self].name));
    if (drain.type == SY_INBOX_DRAIN) sy_daemon_item(daemon, &drain);
    return SY_OK;
}

/* ---- life -------------------------------------------------------------------------------- */

sy_status sy_daemon_open(sy_daemon **out, const struct sy_config *config,
                         enum sy_daemon_start start, struct sy_error *err)
{
    sy_daemon *daemon = (sy_daemon *)calloc(1, sizeof *daemon);
    if (daemon == NULL) return sy_fail(err, SY_ERR_NO_MEMORY, "systoled: no memory");
    daemon->config = *config;
    int failed = pthread_mutex_init(&daemon->snapshot.lock, NULL);
    SY_ASSERT(failed == 0);
    sy_status status = open_base(daemon, start, err);
    if (status == SY_OK) status = open_epoch(daemon, err);
    if (status != SY_OK) {
        sy_daemon_close(daemon);
        return status;
    }
    *out = daemon;
    return SY_OK;
}

/* As the genesis's roster has it: a later one is known to a store only. */
static sy_status tell_sound(const sy_daemon *daemon, FILE *out, struct sy_error *err)
{
    static const struct sy_validator nobody;
    const struct sy_config *config = &daemon->config;
    bool observes = daemon->self == SY_PBFT_OBSERVER;
    const struct sy_validator *me = observes ? &nobody : &daemon->roster->validators[daemon->self];
    const char *control = address_of(config->control, me->control_address);
    const char *bulk = address_of(config->bulk, me->bulk_address);
    const char *client = address_of(config->client, me->client_address);
    SY_TRY(need_address(control, "control", err));
    SY_TRY(need_address(bulk, "bulk", err));
    SY_TRY(need_address(client, "client", err));
    if (observes) {
        fprintf(out, "observer beside %u validators\n", daemon->roster->count);
    } else {
        fprintf(out, "validator %s of %u\n", me->name, daemon->roster->count);
    }
    fprintf(out,
            "control   %s\nbulk      %s\nclient    %s\nhttp      %s\ndata      %s\n"
            "observers let in: %u\nthe configuration is sound\n",
            control, bulk, client, config->http, config->data, config->observer_count);
    return SY_OK;
}

sy_status sy_daemon_check(const struct sy_config *config, FILE *out, struct sy_error *err)
{
    sy_daemon *daemon = (sy_daemon *)calloc(1, sizeof *daemon);
    if (daemon == NULL) return sy_fail(err, SY_ERR_NO_MEMORY, "systoled: no memory");
    daemon->config = *config;
    sy_status status = load_keys(daemon, err);
    if (status == SY_OK) status = load_genesis(daemon, err);
    if (status == SY_OK) status = tell_sound(daemon, out, err);
    sy_secret_key_close(daemon->consensus_key);
    sy_secret_key_close(daemon->link_key);
    free(daemon->genesis);
    free(daemon->roster);
    free(daemon);
    return status;
}

void sy_daemon_stop(sy_daemon *daemon, uint64_t drain_ms)
{
    struct sy_inbox_item item = {.type = SY_INBOX_DRAIN, .number = drain_ms};
    (void)sy_ring_push_wait(daemon->inbox, &item);
}

void sy_daemon_flap(sy_daemon *daemon, unsigned peer)
{
    struct sy_inbox_item item = {.type = SY_INBOX_FLAP, .number = peer};
    (void)sy_ring_push(daemon->inbox, &item);
}

/* Whoever feeds the inbox ends before the inbox does; the store goes last. */
void sy_daemon_close(sy_daemon *daemon)
{
    if (daemon == NULL) return;
    if (daemon->inbox != NULL) sy_ring_stop(daemon->inbox);
    close_epoch(daemon);
    for (unsigned i = 0; i < SY_CUTTER_TOPS; i++) sy_snapshot_top_free(&daemon->tops[i].top);
    sy_executor_close(daemon->executor);
    sy_store_reader_close(daemon->reader);
    sy_store_close(daemon->store);
    sy_ring_close(daemon->inbox);
    sy_arena_close(&daemon->arena);
    sy_arena_close(&daemon->inbox_arena);
    sy_secret_key_close(daemon->consensus_key);
    sy_secret_key_close(daemon->link_key);
    free(daemon->genesis);
    free(daemon->roster);
    pthread_mutex_destroy(&daemon->snapshot.lock);
    free(daemon);
}
