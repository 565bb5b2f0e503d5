/* pbft.h: the PBFT machine of one validator: events in, effects out, nothing else.
 *
 * Castro & Liskov, "Practical Byzantine Fault Tolerance" (OSDI '99; TOCS 20(4), 2002), variant with
 * signed messages, for any n >= 4. The rules, numbered, stand in PROTOCOL.md.
 *
 *     events                      +---------------+       effects
 *     START RESTORE* EXECUTED*    |               |       PERSIST  -> vote store, then PERSISTED
 *     RESUME, then:               |    sy_pbft    |       SEND     -> links (own: signed first)
 *     MESSAGE  (signatures        |               |       FETCH_BODY -> pool, then BATCH_READY
 *               checked)      --> |  64 slots of  | -->   EXECUTE  -> ledger, then EXECUTED
 *     BATCH_READY BATCH_DROPPED   |  votes, seals |       CERTIFIED -> ledger store, then
 *     PERSISTED EXECUTED          |  and blocks   |                    CERTIFICATE_DURABLE
 *     CERTIFICATE_DURABLE TIMER   |               |       DROP_VOTES SET_TIMER ALARM EVIDENCE
 *                                 +---------------+
 *
 * The machine does no I/O, reads no clock, holds no key, allocates nothing after sy_pbft_init and
 * calls nobody back: the same events give the same effects. One thread at a time.
 *
 * What the node owes the machine:
 *   - effects are carried out in the order of the list, before the next step;
 *   - records are made durable in the order of their tokens; PERSISTED {t} says that every record
 *     with a token <= t is durable. The machine itself withholds what may not be sent before;
 *   - before a SEND, PERSIST or CERTIFIED is carried out, the signatures that
 *     sy_pbft_effect_own lists are filled in: everything that this validator signs leaves the
 *     machine with an empty signature (signing is deterministic, so signing again is harmless);
 *   - a MESSAGE is decoded (core/wire/vote.h) and all jobs that sy_message_jobs lists for it had a
 *     positive verdict. Nothing else about a message is assumed;
 *   - a batch announced by BATCH_READY was admitted, is durable, and stays until every slot that
 *     names it is certified or BATCH_DROPPED said otherwise;
 *   - FETCH_BODY is answered by BATCH_READY as soon as the body is durable (at once if it is
 *     already), or by BATCH_DROPPED {condemned} when admission refused these bytes;
 *   - EXECUTE is answered by EXECUTED once the block is durable in the ledger, in order of height.
 *
 * A primary that lets something wait too long is replaced (OSDI '99, 4.4; PROTOCOL.md, P26-P34). */
#ifndef SY_CONSENSUS_PBFT_PBFT_H
#define SY_CONSENSUS_PBFT_PBFT_H

#include "consensus/pbft/record.h"
#include "core/base/arena.h"
#include "core/wire/vote.h"

typedef struct sy_pbft sy_pbft;

/* self of a machine that follows but never votes, proposes or sends a status. */
#define SY_PBFT_OBSERVER UINT16_MAX
/* `to` of a SEND to every other validator. */
#define SY_PBFT_ALL UINT16_MAX
/* A timer that is switched off. */
#define SY_PBFT_NEVER UINT64_MAX

/* --- configuration --------------------------------------------------------------------------- */

struct sy_pbft_config {
    struct sy_hash genesis;  /* genesis hash: in every digest */
    uint32_t epoch;          /* of the roster */
    uint64_t base;           /* height before the epoch's first: certified by the roster before, and
                                certain for everybody in this one; 0: the genesis */
    uint16_t n;              /* validators of the roster, SY_VALIDATORS_MIN..SY_VALIDATORS_MAX */
    uint16_t self;           /* own roster index, or SY_PBFT_OBSERVER */
    uint32_t pipeline_slots; /* proposes at once while fewer slots are undecided; 1..WINDOW */
    int64_t skew_ms;         /* a proposal's time may differ from the own clock by this much */
    uint64_t batch_ns;       /* a ready batch waits at most this long when the pipeline is full */
    uint64_t heartbeat_ns;   /* an idle primary proposes an empty slot after this long */
    uint64_t status_ns;      /* period of status messages while anything is open */
    uint64_t status_idle_ns; /* period while nothing is */
    uint64_t resend_ns;      /* a vote is sent again to a peer that lacks it once this old */
    uint64_t body_wait_ns;   /* a missing body is expected on its own for this long */
    uint64_t body_retry_ns;  /* then asked for, each time from another validator */
    uint64_t block_retry_ns; /* a request for certified blocks is given this long */
    uint64_t view_ns;        /* a silent primary is given up after this long while something waits,
                                 one that is heard after five times as long; doubles with every view
                                 that decides nothing, up to 16 times */
};

/* sy_pbft_config_default fills every tunable with its default; genesis, epoch, base, n and self
 * stay to be set. */
void sy_pbft_config_default(struct sy_pbft_config *config);

/* --- events ---------------------------------------------------------------------------------- */

enum sy_pbft_event_type {
    SY_PBFT_START = 1,           /* first: what the ledger holds */
    SY_PBFT_RESTORE,             /* each record of the vote store, any order */
    SY_PBFT_RESUME,              /* last of the start: the machine begins to act */
    SY_PBFT_MESSAGE,             /* a message, signatures checked */
    SY_PBFT_BATCH_READY,         /* a body was admitted and is durable */
    SY_PBFT_BATCH_DROPPED,       /* a body is gone, or was refused by admission */
    SY_PBFT_PERSISTED,           /* records up to a token are durable */
    SY_PBFT_EXECUTED,            /* a block is executed and durable in the ledger */
    SY_PBFT_CERTIFICATE_DURABLE, /* the certificate of a height is durable */
    SY_PBFT_TIMER /* a timer set by SET_TIMER is due; early or stale ones are harmless */
};

enum sy_pbft_timer {
    SY_PBFT_TIMER_BATCH,     /* the oldest ready batch has waited */
    SY_PBFT_TIMER_HEARTBEAT, /* the primary has been idle */
    SY_PBFT_TIMER_STATUS,    /* tell the others, look for what is missing */
    SY_PBFT_TIMER_CLOCK,     /* a proposal from the future may be due, or a late one */
    SY_PBFT_TIMER_BODY,      /* ask again for missing bodies */
    SY_PBFT_TIMER_BLOCK,     /* ask again for certified blocks */
    SY_PBFT_TIMER_VIEW,      /* the primary, or the next view, is waited for no longer */
    SY_PBFT_TIMER_COUNT
};

struct sy_pbft_event {
    enum sy_pbft_event_type type;
    int64_t now_ms;  /* wall clock: only for the times of proposals */
    uint64_t now_ns; /* monotonic: only for timers */
    union {
        /* START: the newest height whose certificate is durable (0: genesis), and that
         * certificate (NULL: the height is config.base). next_seqs: next batch seq of each of the n
         * makers at that height. Both are borrowed. next_epoch: the height from which another
         * roster orders, which an executed block told; 0: none did. Blocks executed above it follow
         * as EXECUTED, in order, before RESUME. */
        struct {
            uint64_t certified_height;
            uint64_t next_epoch;
            struct sy_hash header_hash;
            const struct sy_certificate *certificate;
            const uint64_t *next_seqs;
        } start;
        const struct sy_pbft_record *record; /* RESTORE; borrowed */
        /* MESSAGE: from = roster index of the link's peer that delivered it, SY_PBFT_OBSERVER for
         * a peer outside the roster. The message is borrowed. */
        struct {
            uint16_t from;
            const struct sy_message *message;
        } message;
        /* BATCH_READY: what the batch's header says (maker as roster index). BATCH_DROPPED uses
         * digest, maker, seq and condemned. */
        struct {
            struct sy_hash digest;
            uint16_t maker;
            uint64_t seq;
            uint32_t tx_count;
            uint32_t bytes; /* of the whole batch */
            bool condemned; /* admission refused the bytes; otherwise the body merely went away */
        } batch;
        uint64_t token; /* PERSISTED */
        /* EXECUTED: next_seqs and next_epoch as in START, after this block; borrowed. */
        struct {
            uint64_t height;
            uint64_t next_epoch;
            struct sy_hash header_hash;
            const uint64_t *next_seqs;
        } executed;
        uint64_t height; /* CERTIFICATE_DURABLE */
        enum sy_pbft_timer timer;
    } as;
};

/* --- effects --------------------------------------------------------------------------------- */

enum sy_pbft_effect_type {
    SY_PBFT_PERSIST = 1, /* make record durable, then PERSISTED {token} */
    SY_PBFT_SEND,        /* message to one validator or to all others */
    SY_PBFT_FETCH_BODY,  /* get this body, from whom if it is not here */
    SY_PBFT_SEND_BODY,   /* send this body, which is held, to a validator that seems to lack it */
    SY_PBFT_EXECUTE,     /* execute the block of the next height */
    SY_PBFT_CERTIFIED,   /* make the certificate durable, then CERTIFICATE_DURABLE */
    SY_PBFT_DROP_VOTES,  /* vote records with slot <= height may go (sy_pbft_record_droppable) */
    SY_PBFT_SET_TIMER,   /* replaces the timer's deadline; NEVER switches it off; it fires once */
    SY_PBFT_ALARM,       /* a person must look; the machine has stopped voting for good */
    SY_PBFT_EVIDENCE     /* two contradicting signatures of one validator: keep both */
};

enum sy_pbft_alarm {
    SY_PBFT_ALARM_NONE = 0,
    SY_PBFT_ALARM_DIVERGED, /* own header at height differs from the certified one */
    SY_PBFT_ALARM_FORGOTTEN /* a vote under the own key that the own store does not know */
};

/* What a validator signed twice: type is the message type, the pair is in arrival order. */
struct sy_pbft_evidence {
    uint8_t type;
    uint16_t signer;
    union {
        struct sy_pre_prepare pre_prepares[2];
        struct sy_vote votes[2];
        struct sy_seal_message seals[2];
    } pair;
};

struct sy_pbft_effect {
    enum sy_pbft_effect_type type;
    union {
        struct {
            uint64_t token;
            struct sy_pbft_record record;
        } persist;
        struct {
            uint16_t to; /* roster index, or SY_PBFT_ALL */
            bool again;  /* a retransmission */
            struct sy_message message;
        } send;
        struct {
            struct sy_hash digest;
            uint16_t maker; /* whose batch, by the proposal */
            uint64_t seq;
            uint16_t whom; /* SY_PBFT_ALL: expected on its own, ask nobody yet */
        } fetch_body;
        struct {
            struct sy_hash digest;
            uint16_t to;
        } send_body;
        /* Height = proposal.slot. adopted: a certified block, with the time and exactly the
         * entries that ran; otherwise the proposal as voted. */
        struct {
            bool adopted;
            struct sy_proposal proposal;
        } execute;
        struct {
            uint64_t height;
            struct sy_hash header_hash;
            struct sy_certificate certificate;
        } certified;
        uint64_t height; /* DROP_VOTES */
        struct {
            enum sy_pbft_timer timer;
            uint64_t at_ns;
        } set_timer;
        struct {
            enum sy_pbft_alarm alarm;
            uint64_t height;
            struct sy_hash own;
            struct sy_hash certified;
        } alarm;
        struct sy_pbft_evidence evidence;
    } as;
};

/* What one step may cause at most. A slot passes through each of these once in its life, so even a
 * step that moves the whole window stays below the sum. */
#define SY_PBFT_SLOT_EFFECTS_MAX                                                              \
    8u                         /* persist 2, send 3 (vote, commit, seal), execute, certified, \
                                       and one to spare */
#define SY_PBFT_SERVE_MAX 256u /* stored messages sent in answer to one status or request */
#define SY_PBFT_FETCH_MAX 64u  /* bodies asked for in one step */
#define SY_PBFT_FORWARD_MAX SY_VALIDATORS_MAX /* bodies sent to the primary in one step */
#define SY_PBFT_SINGLE_EFFECTS_MAX                                   \
    64u /* timers, status, requests, proposals, alarm, evidence, and \
           what begins or ends a view */
#define SY_PBFT_EFFECTS_MAX                                                              \
    (SY_PBFT_WINDOW * SY_PBFT_SLOT_EFFECTS_MAX + SY_PBFT_SERVE_MAX + SY_PBFT_FETCH_MAX + \
     SY_PBFT_FORWARD_MAX + SY_PBFT_SINGLE_EFFECTS_MAX)

/* The caller's list (about 9 MB of address space; only what is used is touched). It owns every
 * byte in it, but for the certificates of a VIEW_CHANGE, sent or recorded: those lie in the machine
 * and stay until the next step. */
struct sy_pbft_effects {
    uint32_t count;
    struct sy_pbft_effect items[SY_PBFT_EFFECTS_MAX];
};

/* --- the machine ----------------------------------------------------------------------------- */

/* sy_pbft_footprint is how many bytes sy_pbft_init carves for a roster of n. */
size_t sy_pbft_footprint(uint16_t n);

/* sy_pbft_init carves a machine that lives as long as the arena. SY_ERR_ARGUMENT: a config value
 * out of its bounds (err says which); SY_ERR_NO_MEMORY: the arena is too small. */
SY_MUST_CHECK sy_status sy_pbft_init(sy_pbft **pbft, sy_arena *arena,
                                     const struct sy_pbft_config *config, struct sy_error *err);

/* sy_pbft_step takes one event and replaces the list by the effects it has. Never fails, never
 * fills more than SY_PBFT_EFFECTS_MAX. The order START, RESTORE and EXECUTED, RESUME is asserted;
 * whatever a message says is not. */
void sy_pbft_step(sy_pbft *pbft, struct sy_pbft_effects *effects,
                  const struct sy_pbft_event *event);

/* sy_pbft_heard tells that something came over a peer's link, before it is known what: signatures
 * take time to check, and a primary whose words wait for that is not silent. Has no effects. Only
 * after START. */
void sy_pbft_heard(sy_pbft *pbft, uint16_t from, uint64_t now_ns);

/* sy_pbft_wants tells whether a message, decoded and not verified yet, could still change anything
 * here: ask before its signatures are checked, and drop it if not (PROTOCOL.md, P35). It changes
 * nothing itself, and a machine that is given what it does not want ignores it. Only after START.
 */
bool sy_pbft_wants(const sy_pbft *pbft, const struct sy_message *message);

/* sy_pbft_awaits_change tells whether a VIEW_CHANGE is one that an incomplete NEW_VIEW names: the
 * view cannot begin without it. Likewise. */
bool sy_pbft_awaits_change(const sy_pbft *pbft, const struct sy_view_change *change);

/* --- what operators and tests see ------------------------------------------------------------ */

/* Why messages were ignored. */
enum sy_pbft_ignored {
    SY_PBFT_IGNORED_STALE,      /* at or below the certified height, an old view, an old status */
    SY_PBFT_IGNORED_FUTURE,     /* above the window, a later view or epoch */
    SY_PBFT_IGNORED_DUPLICATE,  /* seen before */
    SY_PBFT_IGNORED_CONFLICT,   /* contradicts what the signer said before */
    SY_PBFT_IGNORED_MALFORMED,  /* a field that cannot be: signer, epoch, a lying block */
    SY_PBFT_IGNORED_UNEXPECTED, /* not this machine's to answer, not wanted, asked too often */
    SY_PBFT_IGNORED_COUNT
};

struct sy_pbft_peer_info {
    uint64_t status_age_ns; /* UINT64_MAX: none heard since the start */
    uint64_t certified_height;
    uint64_t executed_height;
    uint64_t view;
    bool in_view;
    uint64_t equivocations;
};

/* Why the view before the present one was left. */
enum sy_pbft_left {
    SY_PBFT_LEFT_NEVER,
    SY_PBFT_LEFT_SLOT,      /* a proposal was not decided */
    SY_PBFT_LEFT_BATCH,     /* a maker's batch was not proposed */
    SY_PBFT_LEFT_HEARTBEAT, /* nothing came */
    SY_PBFT_LEFT_SEALS,     /* seals were missing while somebody waited in a later view */
    SY_PBFT_LEFT_NEW_VIEW,  /* the view did not begin */
    SY_PBFT_LEFT_JOINED     /* others went on */
};

struct sy_pbft_info {
    uint64_t view;
    bool in_view; /* the view has begun; otherwise its NEW_VIEW is awaited */
    uint16_t primary;
    bool is_primary;
    bool halted; /* stopped voting; alarm says why */
    bool asking; /* too few others have told yet what they hold of it: no vote before that */
    enum sy_pbft_alarm alarm;
    uint64_t certified_height; /* certificate durable */
    uint64_t executed_height;
    uint64_t decided_height;     /* every slot up to here is decided */
    uint64_t proposed_height;    /* highest slot with a proposal */
    uint64_t next_epoch;         /* height from which another roster orders; 0: none is known */
    uint64_t best_peer_height;   /* highest certified height that a peer's status tells */
    uint32_t ready_batches;      /* bodies held and not yet executed */
    uint32_t late_proposals;     /* open proposals that are refused for their time, */
    uint32_t refused_proposals;  /* or for what they name */
    bool stalled;                /* something waits, and nothing was decided for a while */
    uint64_t stalled_ms;         /* since the last decision while something waits; else 0 */
    uint64_t primary_silent_ms;  /* since anything came from the primary; 0 on the primary */
    uint64_t view_changes_total; /* views left since the start */
    enum sy_pbft_left left_why;  /* the last of them, */
    uint16_t left_maker;         /* if for a batch, whose, */
    uint64_t left_waited_ms;     /* and how long it was waited for */
    uint64_t left_silent_ms;     /* since anything came from the primary then */
    uint64_t decided_total;
    uint64_t retransmissions_total;
    uint64_t blocks_adopted_total;
    uint64_t equivocations_total;
    uint64_t ignored_total[SY_PBFT_IGNORED_COUNT];
};

/* sy_pbft_get_info fills a snapshot; now_ns as in events. */
void sy_pbft_get_info(const sy_pbft *pbft, struct sy_pbft_info *info, uint64_t now_ns);

/* sy_pbft_get_peer fills what is known of validator index < n; zeroes and an infinite age for the
 * own index. */
void sy_pbft_get_peer(const sy_pbft *pbft, struct sy_pbft_peer_info *info, uint16_t index,
                      uint64_t now_ns);

#endif
