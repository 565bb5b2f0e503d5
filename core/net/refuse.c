#include "core/net/refuse.h"

#include "core/base/os.h"

#define LOG_PAUSE_NS UINT64_C(1000000000)

// clang-format off
static const struct reason_row {
    enum sy_metric metric;
    const char *name;
    enum sy_log_level level; // what an attack or a misconfiguration looks like is a warning
} reasons[SY_NET_REASON_COUNT] = {
    [SY_NET_GARBAGE]         = {SY_M_net_refused_garbage_total, "garbage", SY_LOG_WARN},
    [SY_NET_OVERLONG]        = {SY_M_net_refused_overlong_total, "overlong", SY_LOG_WARN},
    [SY_NET_UNKNOWN_SESSION] = {SY_M_net_refused_unknown_session_total, "unknown_session",
                                SY_LOG_INFO},
    [SY_NET_FORGED]          = {SY_M_net_refused_forged_total, "forged", SY_LOG_WARN},
    [SY_NET_REPLAYED]        = {SY_M_net_refused_replayed_total, "replayed", SY_LOG_WARN},
    [SY_NET_STRANGER]        = {SY_M_net_refused_stranger_total, "stranger", SY_LOG_WARN},
    [SY_NET_WRONG_KEY]       = {SY_M_net_refused_wrong_key_total, "wrong_key", SY_LOG_WARN},
    [SY_NET_BAD_HANDSHAKE]   = {SY_M_net_refused_handshake_total, "bad_handshake", SY_LOG_WARN},
    [SY_NET_TIMED_OUT]       = {SY_M_net_handshakes_timed_out_total, "timed_out", SY_LOG_INFO},
    [SY_NET_EVICTED]         = {SY_M_net_handshakes_evicted_total, "evicted", SY_LOG_INFO},
    [SY_NET_LIMITED]         = {SY_M_net_limited_total, "limited", SY_LOG_WARN},
    [SY_NET_BROKEN]          = {SY_M_net_connections_broken_total, "connection_ended", SY_LOG_INFO},
    [SY_NET_QUEUE_FULL]      = {SY_M_net_dropped_queue_full_total, "queue_full", SY_LOG_INFO},
    [SY_NET_STALE]           = {SY_M_net_dropped_stale_total, "stale", SY_LOG_INFO},
    [SY_NET_INBOX_FULL]      = {SY_M_net_dropped_inbox_full_total, "inbox_full", SY_LOG_WARN},
};
// clang-format on

enum sy_metric sy_net_reason_metric(enum sy_net_reason reason)
{
    return reasons[reason].metric;
}

void sy_net_count(enum sy_net_reason reason, uint64_t amount)
{
    sy_metric_add(reasons[reason].metric, amount);
}

void sy_net_refuse(struct sy_refuser *refuser, enum sy_net_reason reason, const char *peer)
{
    uint64_t now_ns = sy_os_monotonic_ns();
    uint64_t last_ns = refuser->last_log_ns[reason];
    sy_net_count(reason, 1);
    if (last_ns != 0 && now_ns - last_ns < LOG_PAUSE_NS) {
        refuser->unlogged[reason]++;
        return;
    }
    SY_LOG(reasons[reason].level, "net", "refused", SY_F_TEXT("where", refuser->where),
           SY_F_TEXT("reason", reasons[reason].name), SY_F_TEXT("peer", peer ? peer : "unknown"),
           SY_F_U64("unlogged", refuser->unlogged[reason]));
    refuser->last_log_ns[reason] = now_ns;
    refuser->unlogged[reason] = 0;
}
