#include "consensus/node/joiner.h"

#include <poll.h>
#include <string.h>

#include "core/base/os.h"
#include "core/base/telemetry.h"

#define ANSWER_MS 5000u
#define PAUSE_MS 200 /* after a round in which nobody had anything */

struct joining {
    const struct sy_joiner_config *config;
    sy_fetcher *fetcher;
    struct sy_peers peers;
    struct sy_letin letin;
};

/* Waits for the peer's answer; everything else is dropped. False: the time is over. The frame must
 * be released. */
static bool wait_for(const struct sy_joiner_config *config, const sy_fetcher *fetcher,
                     struct sy_link_frame *frame, uint64_t until_ns)
{
    sy_link *link = config->link;
    for (;;) {
        uint64_t now_ns = sy_os_monotonic_ns();
        if (now_ns >= until_ns) return false;
        if (!sy_link_recv(link, frame)) {
            struct pollfd fd = {.fd = sy_link_fd(link), .events = POLLIN};
            (void)poll(&fd, 1, (int)((until_ns - now_ns) / 1000000 + 1));
            continue;
        }
        if (sy_fetcher_awaits(fetcher, (uint16_t)frame->peer, frame->payload)) return true;
        sy_link_frame_release(link, frame);
    }
}

static sy_status ask(const struct sy_joiner_config *config, sy_fetcher *fetcher, uint16_t peer,
                     struct sy_slice question, struct sy_error *err)
{
    uint32_t patience_ms = config->answer_ms ? config->answer_ms : ANSWER_MS;
    uint64_t until_ns = sy_os_monotonic_ns() + (uint64_t)patience_ms * 1000000;
    struct sy_link_frame frame;
    sy_status status = SY_OK;
    bool late = true;
    (void)sy_link_send(config->link, peer, SY_CHANNEL_CONTROL, question);
    while (late && wait_for(config, fetcher, &frame, until_ns)) {
        status = sy_fetcher_answer(fetcher, &late, frame.payload, err);
        sy_link_frame_release(config->link, &frame);
    }
    return status;
}

static sy_status relink(struct joining *joining, struct sy_error *err)
{
    struct sy_peers *peers = &joining->peers;
    const struct sy_roster *roster = sy_fetcher_roster(joining->fetcher);
    sy_peers_begin(peers, roster, SY_PBFT_OBSERVER, joining->config->own);
    SY_LOG(SY_LOG_INFO, "node", "joining_later_epoch", SY_F_U64("epoch", roster->epoch),
           SY_F_U64("validators", roster->count));
    return sy_link_set_peers(joining->config->link, peers->list, peers->count, peers->me, err);
}

static sy_status take_step(struct joining *joining, bool *done, struct sy_error *err)
{
    const struct sy_joiner_config *config = joining->config;
    sy_fetcher *fetcher = joining->fetcher;
    enum sy_fetcher_step step;
    uint16_t peer = 0;
    struct sy_slice question;
    if (config->stopping && config->stopping(config->context)) {
        return sy_fail(err, SY_ERR_CLOSED, "told to stop while a state was being fetched");
    }
    sy_letin_look(&joining->letin, config->link, &joining->peers, sy_os_monotonic_ns());
    SY_TRY(sy_fetcher_next(fetcher, &step, &peer, &question, err));
    *done = step == SY_FETCHER_DONE;
    if (step == SY_FETCHER_PAUSE) (void)poll(NULL, 0, PAUSE_MS);
    if (step == SY_FETCHER_RELINK) return relink(joining, err);
    return step == SY_FETCHER_ASK ? ask(config, fetcher, peer, question, err) : SY_OK;
}

sy_status sy_joiner_run(struct sy_joined *joined, const struct sy_joiner_config *config,
                        struct sy_error *err)
{
    struct sy_fetcher_config own = {.store = config->store,
                                    .genesis = config->genesis,
                                    .own = config->own,
                                    .verifier = sy_verifier_openssl};
    struct joining joining = {.config = config};
    sy_status status = SY_OK;
    bool done = false;
    memset(joined, 0, sizeof *joined);
    joining.fetcher = sy_fetcher_open(&own);
    if (joining.fetcher == NULL) return sy_fail(err, SY_ERR_NO_MEMORY, "joining: no memory");
    sy_peers_begin(&joining.peers, sy_fetcher_roster(joining.fetcher), SY_PBFT_OBSERVER,
                   config->own);
    while (status == SY_OK && !done) status = take_step(&joining, &done, err);
    sy_fetcher_get_joined(joining.fetcher, joined);
    sy_fetcher_close(joining.fetcher);
    return status;
}
