#include "core/client/resend.h"

#include "core/base/assert.h"

/* ns, doubled so many times, within the bounds. */
static uint64_t doubled(uint64_t ns, unsigned times)
{
    if (ns < SY_RESEND_LEAST_NS) ns = SY_RESEND_LEAST_NS;
    for (unsigned i = 0; i < times && ns < SY_RESEND_MOST_NS; i++) ns *= 2;
    return ns < SY_RESEND_MOST_NS ? ns : SY_RESEND_MOST_NS;
}

uint64_t sy_resend_ns(uint64_t latency_us, unsigned sends)
{
    SY_ASSERT(sends > 0);
    if (latency_us > SY_RESEND_MOST_NS / 1000) latency_us = SY_RESEND_MOST_NS / 1000;
    return doubled(latency_us * 1000 * SY_RESEND_LATENCIES, sends - 1);
}

bool sy_resend_is_kept(uint64_t now_ns, uint64_t sent_ns, uint64_t passed_ns, uint64_t latency_us,
                       unsigned sends)
{
    if (now_ns <= sent_ns) return false;
    uint64_t waited_ns = now_ns - sent_ns;
    return passed_ns > sent_ns && waited_ns > sy_resend_ns(latency_us, sends);
}

uint64_t sy_resend_rest_ns(unsigned times)
{
    SY_ASSERT(times > 0);
    return doubled(SY_RESEND_LEAST_NS, times - 1);
}
