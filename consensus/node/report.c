/* report.c: what operators see of a running validator: STATUS, /metrics, /healthz. */
#include <stdlib.h>

#include "consensus/node/daemon_internal.h"
#include "core/base/json.h"
#include "core/base/os.h"
#include "core/base/telemetry.h"

/* A validator is healthy while the network makes progress and it takes part; an observer while it
 * follows. */
#define STALLED_MS_MAX 10000u

struct tally {
    const struct sy_roster *roster;
    uint64_t against[SY_VALIDATORS_MAX];
};

static sy_status count_piece(void *context, const struct sy_hash *signer,
                             const struct sy_record_key *key, struct sy_slice value)
{
    struct tally *tally = (struct tally *)context;
    struct sy_public_key liar;
    (void)key;
    (void)value;
    memcpy(liar.bytes, signer->bytes, sizeof liar.bytes);
    int index = sy_roster_find(tally->roster, &liar);
    if (index >= 0) tally->against[index]++;
    return SY_OK;
}

/* Evidence is rare: it is told apart only when there is more of it. A damaged piece is left out;
 * `systole evidence` tells of it. */
static void recount_evidence(sy_daemon *daemon)
{
    uint64_t count = sy_evidence_count(daemon->reader);
    uint32_t epoch = daemon->roster->epoch; /* another one has other indices */
    if (count == daemon->evidence_seen && epoch == daemon->evidence_epoch) return;
    struct tally tally = {.roster = daemon->roster};
    struct sy_error ignored;
    (void)sy_evidence_each(daemon->reader, count_piece, &tally, &ignored);
    daemon->evidence_seen = count;
    daemon->evidence_epoch = epoch;
    pthread_mutex_lock(&daemon->snapshot.lock);
    memcpy(daemon->snapshot.evidence, tally.against, sizeof tally.against);
    pthread_mutex_unlock(&daemon->snapshot.lock);
    sy_metric_set(SY_M_store_evidence_count, count);
}

static void tell_of_views(sy_daemon *daemon, const struct sy_pbft_info *pbft)
{
    static const char *const words[] = {[SY_PBFT_LEFT_NEVER] = "",
                                        [SY_PBFT_LEFT_SLOT] = "undecided proposal",
                                        [SY_PBFT_LEFT_BATCH] = "unordered batch",
                                        [SY_PBFT_LEFT_HEARTBEAT] = "no heartbeat",
                                        [SY_PBFT_LEFT_SEALS] = "missing seals",
                                        [SY_PBFT_LEFT_NEW_VIEW] = "no new view",
                                        [SY_PBFT_LEFT_JOINED] = "joined others"};
    uint64_t more = pbft->view_changes_total - daemon->view_changes_counted;
    if (more == 0) return;
    sy_metric_add(SY_M_pbft_view_changes_total, more);
    daemon->view_changes_counted = pbft->view_changes_total;
    SY_LOG(SY_LOG_WARN, "pbft", "view_left", SY_F_U64("now_in", pbft->view),
           SY_F_TEXT("why", words[pbft->left_why]), SY_F_U64("maker", pbft->left_maker),
           SY_F_U64("waited_ms", pbft->left_waited_ms),
           SY_F_U64("primary_silent_ms", pbft->left_silent_ms));
}

static uint64_t blocks_behind(const struct sy_pbft_info *pbft)
{
    uint64_t best = pbft->best_peer_height, own = pbft->certified_height;
    return best > own ? best - own : 0;
}

void sy_daemon_refresh(sy_daemon *daemon, uint64_t now_ns)
{
    struct sy_node_info *info = &daemon->fresh; /* the consensus thread's alone */
    sy_node_get_info(daemon->node, info, now_ns);
    pthread_mutex_lock(&daemon->snapshot.lock);
    daemon->snapshot.info = *info;
    daemon->snapshot.taken_ns = now_ns;
    pthread_mutex_unlock(&daemon->snapshot.lock);
    recount_evidence(daemon);
    sy_metric_set(SY_M_pbft_view, info->pbft.view);
    if (daemon->self == SY_PBFT_OBSERVER) {
        sy_letin_look(&daemon->letin, daemon->link, &daemon->peers, now_ns);
    }
    tell_of_views(daemon, &info->pbft);
    sy_metric_set(SY_M_node_height_committed, info->pbft.decided_height);
    int64_t error_ms = info->clocks.error_ms;
    sy_metric_set(SY_M_node_observer, daemon->self == SY_PBFT_OBSERVER);
    sy_metric_set(SY_M_node_blocks_behind, blocks_behind(&info->pbft));
    sy_metric_set(SY_M_node_history_gone, info->history_gone);
    sy_metric_set(SY_M_node_clock_off, info->clocks.off);
    sy_metric_set(SY_M_node_clock_error_ms, (uint64_t)(error_ms < 0 ? -error_ms : error_ms));
    sy_metric_set(SY_M_node_peer_clocks_off_count, info->clocks.peers_off);
    sy_metric_set(SY_M_pool_pending_txs_count, info->pool.pending_txs);
    sy_metric_set(SY_M_pool_pace_txs_count, info->pool.pace_txs);
    sy_metric_set(SY_M_pool_pending_batches_count,
                  info->pool.peer_batches + info->pool.own_batches);
}

static void copy_snapshot(sy_daemon *daemon, struct sy_node_info *info, struct sy_header *head)
{
    pthread_mutex_lock(&daemon->snapshot.lock);
    *info = daemon->snapshot.info;
    *head = daemon->snapshot.head;
    pthread_mutex_unlock(&daemon->snapshot.lock);
}

static bool is_let_in(sy_daemon *daemon)
{
    struct sy_link_peer_state link;
    for (uint16_t i = 0; i < daemon->roster->count; i++) {
        if (sy_link_get_peer_state(daemon->link, i, &link) && link.established) return true;
    }
    return false;
}

static bool is_near(const struct sy_node_info *info)
{
    return blocks_behind(&info->pbft) <= SY_PBFT_WINDOW;
}

static const char *state_word(sy_daemon *daemon, const struct sy_node_info *info)
{
    const struct sy_pbft_info *pbft = &info->pbft;
    if (pbft->halted) return "halted";
    if (info->history_gone) return "behind: peers keep no history so old";
    if (daemon->self == SY_PBFT_OBSERVER) { /* views and their primaries are not its business */
        if (!is_let_in(daemon)) return "no validator lets it in";
        return is_near(info) ? "following" : "catching up";
    }
    if (pbft->asking) return "asking peers for its own votes";
    if (!pbft->in_view) return "changing view";
    if (pbft->stalled && !pbft->is_primary && pbft->primary_silent_ms > 2000) {
        return "stalled: the primary is silent";
    }
    if (pbft->stalled) return "stalled";
    return is_near(info) ? "working" : "catching up";
}

static void put_peers(sy_json *json, sy_daemon *daemon, const struct sy_node_info *info)
{
    uint64_t evidence[SY_VALIDATORS_MAX];
    pthread_mutex_lock(&daemon->snapshot.lock);
    memcpy(evidence, daemon->snapshot.evidence, sizeof evidence);
    pthread_mutex_unlock(&daemon->snapshot.lock);
    sy_json_key(json, "peers");
    sy_json_array_begin(json);
    for (uint16_t i = 0; i < daemon->roster->count; i++) {
        if (i == daemon->self) continue;
        struct sy_link_peer_state link;
        bool known = sy_link_get_peer_state(daemon->link, i, &link);
        const struct sy_pbft_peer_info *peer = &info->peers[i];
        sy_json_object_begin(json);
        sy_json_put_text(json, "name", daemon->roster->validators[i].name);
        sy_json_key(json, "linked");
        sy_json_bool(json, known && link.established);
        sy_json_put_u64(json, "certified_height", peer->certified_height);
        sy_json_put_u64(json, "view", peer->view);
        sy_json_put_u64(json, "history_from", info->history_from[i]);
        sy_json_put_u64(json, "blocks_fetched", info->blocks_from[i]);
        sy_json_key(json, "status_age_ms");
        if (peer->status_age_ns == UINT64_MAX) {
            sy_json_null(json);
        } else {
            sy_json_u64(json, peer->status_age_ns / 1000000);
        }
        sy_json_put_i64(json, "clock_offset_ms", info->clocks.peers[i].offset_ms);
        sy_json_put_bool(json, "clock_off", info->clocks.peers[i].off);
        sy_json_put_u64(json, "equivocations", peer->equivocations);
        sy_json_put_u64(json, "evidence", evidence[i]);
        sy_json_object_end(json);
    }
    sy_json_array_end(json);
}

static void put_guests(sy_json *json, sy_daemon *daemon)
{
    struct guest guests[SY_NODE_GUESTS_MAX];
    pthread_mutex_lock(&daemon->snapshot.lock);
    uint32_t count = daemon->snapshot.guest_count;
    memcpy(guests, daemon->snapshot.guests, sizeof guests);
    pthread_mutex_unlock(&daemon->snapshot.lock);
    sy_json_key(json, "guests");
    sy_json_array_begin(json);
    for (uint32_t i = 0; i < count; i++) {
        struct sy_link_peer_state link;
        bool known = sy_link_get_peer_state(daemon->link, guests[i].place, &link);
        sy_json_object_begin(json);
        sy_json_put_text(json, "name", guests[i].name);
        sy_json_put_text(json, "what", sy_daemon_guest_word(guests[i].number));
        sy_json_put_bool(json, "linked", known && link.established);
        sy_json_object_end(json);
    }
    sy_json_array_end(json);
}

static void put_engine(sy_json *json, sy_daemon *daemon)
{
    struct sy_engine_info engine;
    sy_engine_get_info(daemon->engine, &engine);
    sy_json_put_text(json, "engine", engine.impl);
    sy_json_put_text(json, "engine_small", engine.small);
    sy_json_put_u64(json, "engine_from", engine.from);
    sy_json_put_text(json, "engine_why", daemon->engine_choice.why);
    sy_json_put_u64(json, "engines_retired", engine.retired);
    sy_json_put_u64(json, "signatures_checked", engine.jobs);
}

size_t sy_daemon_status_json(void *self, char *text, size_t size)
{
    sy_daemon *daemon = (sy_daemon *)self;
    struct sy_node_info info;
    struct sy_header head;
    copy_snapshot(daemon, &info, &head);
    const struct sy_pbft_info *pbft = &info.pbft;
    sy_json json;
    sy_json_init_fixed(&json, text, size);
    sy_json_object_begin(&json);
    sy_json_put_text(&json, "state", state_word(daemon, &info));
    sy_json_put_text(&json, "name",
                     daemon->self == SY_PBFT_OBSERVER
                         ? "observer"
                         : daemon->roster->validators[daemon->self].name);
    sy_json_put_text(&json, "role", daemon->self == SY_PBFT_OBSERVER ? "observer" : "validator");
    sy_json_key(&json, "network");
    sy_json_hex(&json, sy_network_tag(daemon->genesis), SY_NETWORK_TAG_BYTES);
    sy_json_put_u64(&json, "protocol", SY_PROTOCOL_VERSION);
    sy_json_put_u64(&json, "epoch", daemon->roster->epoch);
    sy_json_put_u64(&json, "next_epoch_height", pbft->next_epoch);
    sy_json_put_u64(&json, "validators", daemon->roster->count);
    sy_json_put_u64(&json, "quorum", sy_quorum(daemon->roster->count));
    sy_json_put_u64(&json, "view", pbft->view);
    sy_json_key(&json, "in_view");
    sy_json_bool(&json, pbft->in_view);
    sy_json_put_u64(&json, "view_changes", pbft->view_changes_total);
    sy_json_put_text(&json, "primary", daemon->roster->validators[pbft->primary].name);
    sy_json_put_u64(&json, "primary_silent_ms", pbft->primary_silent_ms);
    sy_json_put_u64(&json, "stalled_ms", pbft->stalled_ms);
    sy_json_put_u64(&json, "certified_height", pbft->certified_height);
    sy_json_put_u64(&json, "executed_height", pbft->executed_height);
    sy_json_put_u64(&json, "pruned_at", sy_ledger_pruned(daemon->store));
    sy_json_put_u64(&json, "best_peer_height", pbft->best_peer_height);
    sy_json_put_u64(&json, "blocks_behind", blocks_behind(pbft));
    sy_json_put_bool(&json, "history_gone", info.history_gone);
    sy_json_put_i64(&json, "block_time_ms", head.time_ms);
    sy_json_key(&json, "state_root");
    sy_json_hex(&json, head.state_root.bytes, 32);
    sy_json_put_bool(&json, "clock_off", info.clocks.off);
    sy_json_put_i64(&json, "clock_error_ms", info.clocks.error_ms);
    sy_json_put_u64(&json, "pending_txs", info.pool.pending_txs);
    sy_json_put_u64(&json, "ready_batches", pbft->ready_batches);
    sy_json_put_u64(&json, "equivocations", pbft->equivocations_total);
    put_engine(&json, daemon);
    sy_json_put_u64(&json, "net_bytes_sent", sy_metric_get(SY_M_net_bytes_sent_total));
    put_peers(&json, daemon, &info);
    put_guests(&json, daemon);
    sy_json_object_end(&json);
    return json.cut ? 0 : json.size;
}

void sy_daemon_metrics_page(void *self, struct sy_http_page *page)
{
    (void)self;
    page->content_type = "text/plain; version=0.0.4; charset=utf-8";
    page->text_bytes = sy_metrics_render(page->text, page->text_max);
    if (page->text_bytes > page->text_max) page->code = 500;
}

void sy_daemon_health_page(void *self, struct sy_http_page *page)
{
    sy_daemon *daemon = (sy_daemon *)self;
    struct sy_node_info info;
    struct sy_header head;
    copy_snapshot(daemon, &info, &head);
    bool healthy = !info.pbft.halted && info.pbft.stalled_ms < STALLED_MS_MAX;
    if (daemon->self == SY_PBFT_OBSERVER) healthy = is_let_in(daemon) && is_near(&info);
    sy_json json;
    sy_json_init_fixed(&json, page->text, page->text_max);
    sy_json_object_begin(&json);
    sy_json_key(&json, "healthy");
    sy_json_bool(&json, healthy);
    sy_json_put_text(&json, "state", state_word(daemon, &info));
    sy_json_put_u64(&json, "certified_height", info.pbft.certified_height);
    sy_json_object_end(&json);
    page->text_bytes = json.size;
    page->content_type = "application/json";
    page->code = healthy ? 200 : 503;
}
