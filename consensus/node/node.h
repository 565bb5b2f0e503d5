/* node.h: the node loop: where the pool and the consensus machine meet, still without I/O.
 *
 *     frames, SUBMITs, checks done,     +-----------------+   SEND, SEND_BODY, SEND_BLOCKS
 *     DURABLE, EXECUTED, CERTIFIED, --> |  sy_node        | --> CHECK, COMMIT, EXECUTE, CERTIFY
 *     TICK                              |  pool <-> pbft  |   LOOKUP, OUTCOMES, ALARM
 *                                       +-----------------+
 *
 * A pure function of its events, so that tests and simulators run it whole: the same events give
 * the same effects. systoled carries effects out with threads (runtime.c), the test harness with a
 * simulated world (tests/sim). Nothing a peer or client sends can make it fail.
 *
 * What the runner owes the node:
 *   - effects are carried out in their order, before the next step; bytes in an effect are good
 *     until then, except a COMMIT's body (until its DURABLE) and a CHECK's submission (until it
 *     comes back by CHECKED);
 *   - sy_node_step is called with an event, then again with NULL until it returns false: one call
 *     does a bounded amount of work;
 *   - COMMITs become durable in their order; DURABLE {t} says that all up to t are;
 *   - EXECUTE is carried out in order and answered by EXECUTED once the block is durable; CERTIFY
 *     is answered by CERTIFIED once the certificate is durable;
 *   - CHECK goes to the engine and comes back by CHECKED;
 *   - at sy_node_wake_ns a TICK is due. Early and late ones are harmless. */
#ifndef SY_NODE_NODE_H
#define SY_NODE_NODE_H

#include "consensus/node/clocks.h"
#include "consensus/pbft/pbft.h"
#include "consensus/pool/pool.h"
#include "core/base/arena.h"
#include "core/crypto/engine.h"
#include "core/crypto/signer.h"
#include "core/wire/genesis.h"

typedef struct sy_node sy_node;

/* `peer` of a SEND to every other validator; a STATUS goes to guests too. */
#define SY_NODE_ALL UINT16_MAX

/* Peers have the numbers of the roster; guests (peers.h) have these; observer i of the
 * configuration SY_NODE_OBSERVER + i. Of a guest only requests are taken: of all for blocks and
 * bodies, for blocks of the departed only up to the end of its epoch; of the announced and of
 * observers for states and handovers too. No vote, seal, batch or status of a guest is looked at.
 */
#define SY_NODE_DEPARTED SY_VALIDATORS_MAX
#define SY_NODE_ANNOUNCED (SY_VALIDATORS_MAX + 1u)
#define SY_NODE_OBSERVER (SY_VALIDATORS_MAX + 2u)
#define SY_NODE_OBSERVERS_MAX 8u
#define SY_NODE_GUESTS_MAX (2u + SY_NODE_OBSERVERS_MAX)
#define SY_NODE_PEERS_MAX (SY_VALIDATORS_MAX + SY_NODE_GUESTS_MAX)

struct sy_node_config {
    const struct sy_genesis *genesis; /* borrowed */
    const struct sy_roster *roster;   /* borrowed */
    struct sy_signer signer;          /* the consensus key */
    struct sy_pbft_config pbft;       /* genesis, epoch, n and self are set from the above; base is
                                         the caller's */
    struct sy_pool_config pool;       /* the same; pace_ns follows from pbft.view_ns */
    uint16_t self;                    /* roster index, or SY_PBFT_OBSERVER */
    uint32_t vote_checks;             /* consensus messages at the engine at once, 16..4096 */
};

enum sy_node_event_type {
    /* The start, in this order: START, EXECUTED for each block above the certified height, RECORD
     * for each vote record, BODY for each stored body, RESUME. */
    SY_NODE_START = 1,
    SY_NODE_RECORD,
    SY_NODE_BODY,
    SY_NODE_RESUME,
    /* Afterwards, in any order. */
    SY_NODE_FRAME,     /* from a peer, whole and authenticated */
    SY_NODE_SUBMIT,    /* a client's transactions */
    SY_NODE_CHECKED,   /* a submission came back from the engine */
    SY_NODE_DURABLE,   /* COMMITs up to a token are durable */
    SY_NODE_EXECUTED,  /* a block is executed and durable */
    SY_NODE_CERTIFIED, /* a certificate is durable */
    SY_NODE_FOUND,     /* answer to LOOKUP: the store has this body (head), or not (empty head) */
    SY_NODE_TICK,
    SY_NODE_DRAIN /* take no more transactions; finish what is there */
};

/* A batch that ran in a block. */
struct sy_node_ran {
    uint16_t maker;
    uint64_t seq;
    struct sy_hash digest;
    const struct sy_hash *tx_ids; /* borrowed for the step */
    uint32_t tx_count;
};

struct sy_node_event {
    enum sy_node_event_type type;
    int64_t now_ms;  /* wall clock */
    uint64_t now_ns; /* monotonic */
    union {
        struct {
            uint64_t certified_height;
            uint64_t next_epoch; /* as in pbft.h */
            struct sy_hash header_hash;
            const struct sy_certificate *certificate; /* of that height; NULL: pbft.base */
            const uint64_t *next_seqs;                /* of each maker, at the certified height */
        } start;
        struct sy_slice record; /* RECORD: a vote record's value */
        struct {
            struct sy_hash digest;
            struct sy_slice head;
        } body; /* BODY, FOUND */
        struct {
            uint16_t peer; /* as numbered above */
            struct sy_slice bytes;
        } frame;
        struct {
            uint64_t token;
            const struct sy_client_request *request; /* decoded SUBMIT; borrowed for the step */
            const uint16_t *held; /* as sy_pool_on_submit takes it; borrowed likewise */
        } submit;
        struct sy_submission *submission; /* CHECKED */
        uint64_t token;                   /* DURABLE */
        struct {
            uint64_t height;
            uint64_t next_epoch; /* as in pbft.h */
            struct sy_hash header_hash;
            const struct sy_node_ran *ran;
            uint32_t ran_count;
        } executed;
        uint64_t height; /* CERTIFIED */
    } as;
};

enum sy_node_effect_type {
    SY_NODE_SEND = 1,       /* bytes to a peer (or all), control channel */
    SY_NODE_SEND_BODY,      /* the stored body of digest, as a BATCH message, bulk channel */
    SY_NODE_SEND_BLOCKS,    /* certified blocks first .. first + count - 1, as BLOCK messages */
    SY_NODE_SEND_CHUNK,     /* a chunk of the held state, bulk channel */
    SY_NODE_SEND_HANDOVERS, /* how epochs ended, from one on, bulk channel */
    SY_NODE_CHECK,          /* a submission for the engine */
    SY_NODE_COMMIT,         /* one write to the vote store */
    SY_NODE_EXECUTE,        /* the next block */
    SY_NODE_CERTIFY,        /* store a certificate */
    SY_NODE_LOOKUP,         /* is this body in the store? answer by FOUND */
    SY_NODE_OUTCOMES,       /* answer to SUBMIT */
    SY_NODE_ALARM           /* tell the operator; consensus has stopped voting */
};

enum sy_node_commit {
    SY_COMMIT_RECORD,
    SY_COMMIT_DROP,
    SY_COMMIT_BODY,
    SY_COMMIT_DROP_BODY,
    SY_COMMIT_DROP_SPARE_BODY,
    SY_COMMIT_EVIDENCE
};

struct sy_node_effect {
    enum sy_node_effect_type type;
    union {
        struct {
            uint16_t peer;
            struct sy_slice bytes;
        } send;
        struct {
            uint16_t peer;
            struct sy_hash digest;
        } send_body;
        struct {
            uint16_t peer;
            uint64_t first;
            uint16_t count;
        } send_blocks;
        struct {
            uint16_t peer;
            uint64_t height; /* 0: whichever is held */
            struct sy_hash key;
        } send_chunk;
        struct {
            uint16_t peer;
            uint32_t epoch;
        } send_handovers;
        struct sy_submission *submission;
        /* RECORD: record type, slot, view, value. DROP: droppable records with slot <= slot.
         * BODY: digest, value. DROP_BODY, and DROP_SPARE_BODY, which may be part of history
         * and then stays: digest. EVIDENCE: of what (a message type), slot, view and the liar's
         * key as record_type, slot, view and digest; value. */
        struct {
            enum sy_node_commit what;
            uint64_t token;
            uint8_t record_type;
            uint64_t slot;
            uint64_t view;
            struct sy_hash digest;
            struct sy_slice value;
        } commit;
        struct {
            bool adopted;
            const struct sy_proposal *proposal; /* good until the next step */
        } execute;
        struct {
            uint64_t height;
            struct sy_slice certificate;
        } certify;
        struct sy_hash lookup;
        struct {
            uint64_t token;
            uint32_t count;
            const struct sy_submit_outcome *outcomes;
        } outcomes;
        struct {
            enum sy_pbft_alarm alarm;
            uint64_t height;
        } alarm;
    } as;
};

/* One call of sy_node_step appends at most this many. */
#define SY_NODE_EFFECTS_MAX (SY_PBFT_EFFECTS_MAX + 2u * SY_POOL_EFFECTS_MAX + 64u)

struct sy_node_effects {
    uint32_t count;
    struct sy_node_effect items[SY_NODE_EFFECTS_MAX];
};

/* sy_node_footprint bounds the arena bytes that sy_node_init needs. */
size_t sy_node_footprint(const struct sy_node_config *config);

sy_status sy_node_init(sy_node **node, sy_arena *arena, const struct sy_node_config *config,
                       struct sy_error *err);

/* sy_node_index is the own roster index, or SY_PBFT_OBSERVER. */
uint16_t sy_node_index(const sy_node *node);

/* sy_node_step takes one event, or goes on with what an earlier one left (event NULL), and
 * replaces the list by the effects. True: there is more, call again with NULL before the next
 * event. */
bool sy_node_step(sy_node *node, struct sy_node_effects *effects,
                  const struct sy_node_event *event);

/* sy_node_epoch_over says that the last height of the roster's epoch is certified: this node has
 * nothing more to decide, and another one goes on from the same store with the next roster. It is
 * to be given DRAIN and its COMMITs are to be made durable first: clients' transactions that it
 * received are then in batches that the next one finds. */
bool sy_node_epoch_over(const sy_node *node);

/* How long a peer is taken for waiting after it was heard last. */
#define SY_NODE_LINGER_NS (5ull * 1000 * 1000 * 1000)

/* sy_node_awaited says of a node whose epoch is over whether others may be unable to get there
 * without it: weak(n) of them, heard of late, have not shown the last certificate. Its own seal may
 * be the one that they lack, if a faulty validator withholds its own. Who goes on with the next
 * roster is heard there; who leaves is not, and so has to stay until then. Lying validators alone
 * keep nobody. */
bool sy_node_awaited(const sy_node *node, uint64_t now_ns);

/* sy_node_wake_ns is the monotonic time of the next TICK; UINT64_MAX: none wanted. */
uint64_t sy_node_wake_ns(const sy_node *node);

struct sy_node_info {
    struct sy_pbft_info pbft;
    struct sy_pool_info pool;
    struct sy_clocks_info clocks;
    struct sy_pbft_peer_info peers[SY_VALIDATORS_MAX];
    uint64_t history_from[SY_VALIDATORS_MAX]; /* a peer lacks blocks below; 0: it never said so */
    uint64_t blocks_from[SY_VALIDATORS_MAX]; /* certified blocks that a peer gave and were wanted */
    bool history_gone;         /* every peer that is ahead has said that it lacks the block that */
                               /* comes next here: no peer can help this validator on */
    uint64_t frames_malformed; /* dropped: not canonical, or a signature was wrong */
    uint64_t frames_shed;      /* dropped: too many checks in flight; they will be sent again */
    uint64_t signatures;       /* checked so far, of transactions, batches and votes */
};
void sy_node_get_info(const sy_node *node, struct sy_node_info *info, uint64_t now_ns);

#endif
