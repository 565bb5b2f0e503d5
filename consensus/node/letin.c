#include "consensus/node/letin.h"

#include "core/base/bytes.h"
#include "core/base/telemetry.h"

#define AGAIN_NS (60 * UINT64_C(1000000000))

void sy_letin_look(struct sy_letin *letin, sy_link *link, const struct sy_peers *peers,
                   uint64_t now_ns)
{
    struct sy_link_peer_state state;
    bool linked = false;
    uint32_t first = 0;
    for (uint32_t i = 0; i < peers->members && !linked; i++) {
        linked = sy_link_get_peer_state(link, i, &state) && state.established;
        first = i;
    }
    if (linked && !letin->linked) {
        SY_LOG(SY_LOG_INFO, "node", "let_in", SY_F_TEXT("by", peers->list[first].name));
    }
    if (linked || letin->linked || letin->since_ns == 0) {
        letin->since_ns = now_ns;
        letin->told_ns = 0;
    }
    letin->linked = linked;
    uint64_t patience_ns = SY_LETIN_PATIENCE_MS * UINT64_C(1000000);
    if (linked || now_ns - letin->since_ns < patience_ns) return;
    if (letin->told_ns != 0 && now_ns - letin->told_ns < AGAIN_NS) return;
    char key[65];
    sy_hex_encode(key, peers->own.bytes, sizeof peers->own.bytes);
    letin->told_ns = now_ns;
    SY_LOG(SY_LOG_WARN, "node", "nobody_lets_in", SY_F_TEXT("link_key", key),
           SY_F_U64("asked", peers->members),
           SY_F_TEXT("what", "no validator talks to this key: none can be reached, or none lists "
                             "it; its operator adds `observer = NAME KEY CONTROL BULK` to "
                             "systoled.conf and restarts it, or a change of the roster names it"));
}
