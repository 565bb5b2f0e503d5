/* daemon_internal.h: what daemon.c (life), loop.c (work) and report.c (status) share. */
#ifndef SY_NODE_DAEMON_INTERNAL_H
#define SY_NODE_DAEMON_INTERNAL_H

#include <pthread.h>

#include "consensus/node/api.h"
#include "consensus/node/committer.h"
#include "consensus/node/daemon.h"
#include "consensus/node/holder.h"
#include "consensus/node/letin.h"
#include "consensus/node/node.h"
#include "consensus/node/peers.h"
#include "consensus/node/runner.h"
#include "consensus/node/serve.h"
#include "consensus/node/signers.h"
#include "core/crypto/engine_choice.h"
#include "core/net/http.h"
#include "core/net/link.h"

struct guest {
    char name[SY_LINK_NAME_MAX];
    uint32_t place;  /* in the link's list */
    uint16_t number; /* as node.h numbers it */
};

/* What status and metrics show; the loop refreshes it, other threads copy it. */
struct snapshot {
    pthread_mutex_t lock;
    struct sy_node_info info;
    struct sy_header head;
    uint64_t evidence[SY_VALIDATORS_MAX]; /* pieces that the store keeps against each validator */
    struct guest guests[SY_NODE_GUESTS_MAX];
    uint32_t guest_count;
    uint64_t taken_ns;
};

struct found {
    struct sy_hash digest;
    uint8_t head[SY_BATCH_HEADER_BYTES];
    size_t size;
};

struct sy_daemon {
    struct sy_config config;
    struct sy_genesis *genesis;
    struct sy_roster *roster; /* of the running epoch */
    uint64_t base;            /* the height before the epoch's first */
    uint16_t self;
    sy_secret_key *consensus_key;
    sy_secret_key *link_key;
    sy_arena arena;       /* the node's, of one epoch */
    sy_arena inbox_arena; /* lives as long as the daemon: whoever stops it writes there */
    sy_store *store;
    sy_store_reader *reader; /* the loop's */
    sy_engine *engine;
    struct sy_engine_choice engine_choice;
    struct sy_signers signers; /* the executor's, while the engine is open */
    sy_executor *executor;
    sy_runner *runner;
    sy_committer *committer;
    sy_holder *holder;
    struct sy_cutter_top tops[SY_CUTTER_TOPS]; /* of the last holder, for the next one */
    sy_link *link;
    struct sy_peers peers; /* whom it has, in its order */
    struct sy_letin letin; /* of one that is in no roster */
    sy_api *api;
    sy_http *http;
    sy_ring *inbox;
    sy_node *node;
    struct sy_node_effects *effects;
    struct found *found; /* answers to LOOKUPs of the running step */
    uint32_t found_count;
    struct sy_serve serve;
    struct snapshot snapshot;
    struct sy_node_info fresh;     /* what the next snapshot is made of */
    uint64_t view_changes_counted; /* in the metric; the consensus thread's alone */
    uint64_t evidence_seen;        /* pieces in the store when they were last told apart, */
    uint32_t evidence_epoch;       /* and by which roster */
    uint64_t drain_ns;             /* 0: not draining */
    bool stopping;
    bool end_seen;           /* of the epoch, while others may need this node to get there, */
    bool leaving;            /* and the next roster does not have its key */
    struct sy_error failure; /* status SY_OK: none */
};

#define SY_FOUND_MAX 256u

/* What a guest of this number is: "observer", "announced" or "departed". */
const char *sy_daemon_guest_word(uint16_t number);

/* loop.c */
void sy_daemon_carry(void *self, const struct sy_node_effects *effects);
/* daemon.c: sy_daemon_turn goes on with the next roster once the epoch is over; sy_daemon_lingers:
 * not yet, for this validator leaves, and others may need it to get there (sy_node_awaited). */
bool sy_daemon_lingers(sy_daemon *daemon);
sy_status sy_daemon_turn(sy_daemon *daemon, struct sy_error *err);
/* Lets in whom a change of the roster has announced. */
void sy_daemon_announce(sy_daemon *daemon);
void sy_daemon_item(sy_daemon *daemon, const struct sy_inbox_item *item);
/* report.c */
size_t sy_daemon_status_json(void *self, char *text, size_t size);
void sy_daemon_metrics_page(void *self, struct sy_http_page *page);
void sy_daemon_health_page(void *self, struct sy_http_page *page);
void sy_daemon_refresh(sy_daemon *daemon, uint64_t now_ns);

#endif
