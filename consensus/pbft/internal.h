/* internal.h: the machine's own state, shared by the .c files of this folder and by nobody else.
 *
 *   pbft.c     init, the step, timers, what operators see
 *   slot.c     the window of slots: opening, clearing, counting votes
 *   order.c    PRE-PREPARE, PREPARE, COMMIT: from a proposal to a decision
 *   propose.c  the primary: which ready batches go into the next slot
 *   body.c     which bodies are held, which are missing and from whom they are asked
 *   certify.c  execution in order, seals, certificates, divergence
 *   status.c   status messages and what they make others send again
 *   catchup.c  certified blocks of heights that were missed
 *   restore.c  what the store remembers
 *   recall.c   what the others remember: asked before the first vote after a start
 *   suspect.c  how long the primary, or a new view, is waited for
 *   change.c   leaving a view: the own VIEW_CHANGE, and those of the others
 *   newview.c  beginning a view: NEW_VIEW, and what it says of the open slots
 *   wants.c    which messages are worth the check of their signatures
 *
 * Life of a slot, left to right; every step is taken once:
 *
 *   first ----> prepare ------> commit -------> decided --> run ------> certify
 *   (a pre-     NONE STORING    NONE STORING    (quorum     NONE ASKED  NONE ASKED, then the slot
 *   prepare)    SENT            SENT             commits)   DONE        is cleared when durable
 *                                                 ^
 *                             a certified block --+
 *
 * STORING means that the record was handed out with a token and PERSISTED has not come back: what
 * it allows to be sent is withheld, and does not count in any quorum either. */
#ifndef SY_CONSENSUS_PBFT_INTERNAL_H
#define SY_CONSENSUS_PBFT_INTERNAL_H

#include "consensus/pbft/pbft.h"
#include "core/base/assert.h"

_Static_assert(SY_PROPOSAL_ENTRIES_MAX <= 64, "a 64-bit mask has a bit for every entry");
_Static_assert(SY_PBFT_WINDOW <= 64, "a status mask has a bit for every slot of the window");
_Static_assert(SY_FETCH_BLOCKS_MAX >= SY_PBFT_WINDOW, "one request can fill the window");

/* The primary leaves this many slots of the window unused, so that backups whose certificates lag
 * a little still accept what it proposes (traps.md A13). */
#define PROPOSE_MARGIN 8u

/* A validator asks for blocks without waiting once this many heights behind. */
#define BEHIND_SLOTS 16u

/* At most this many slots are asked for by one SLOT_FETCH, and this many are served. */
#define SLOT_FETCH_MAX 16u

/* At most this many VIEW_CHANGEs answer one VIEW_FETCH. */
#define VIEW_FETCH_MAX 8u

/* A wait is put off no more once this validator came late so often since it began. */
#define WAKES_MAX 8u

enum own_vote { OWN_NONE, OWN_STORING, OWN_SENT };
enum run_state { RUN_NONE, RUN_ASKED, RUN_DONE };
enum clock_verdict { CLOCK_FINE, CLOCK_EARLY, CLOCK_LATE };

/* A proposal that may become a slot's. */
struct candidate {
    bool present;
    bool refused;  /* names a condemned body, or a body under a wrong maker or seq */
    uint8_t clock; /* enum clock_verdict, of the first receipt */
    uint8_t asked; /* how often its missing bodies were asked for */
    uint16_t from; /* who sent it: first to be asked for bodies of a certified block */
    uint64_t have; /* bit i: the body of entry i is held */
    uint64_t received_ns;
    uint64_t clock_ns; /* CLOCK_EARLY: when its time is judged again */
    uint64_t ask_ns;   /* when missing bodies are asked for next */
    struct sy_hash digest;
    struct sy_pre_prepare pre_prepare;
};

/* What one validator signed for one slot in one phase. The first statement counts. */
struct cell {
    bool present;
    bool blamed;           /* a contradiction was reported */
    struct sy_hash digest; /* proposal digest, or header hash in a seal */
    struct sy_signature signature;
};

struct slot {
    uint64_t number;      /* 0: not in use */
    bool blamed;          /* the primary's second pre-prepare was reported */
    bool decided;         /* quorum commits, in any view, or executed before a restart */
    bool decided_in_view; /* quorum commits in the present view */
    bool certify_asked;
    uint8_t prepare; /* enum own_vote; on the primary its pre-prepare */
    uint8_t commit;  /* enum own_vote */
    uint8_t run;     /* enum run_state */
    bool block_present;
    bool conflicted; /* names a (maker, seq) of another open slot: judged again after execution */
    uint64_t opened_ns;
    uint64_t prepare_token, commit_token;
    uint64_t prepare_ns, commit_ns, seal_ns; /* when sent to all; 0: before the start */
    struct sy_hash commit_digest;
    struct sy_hash header_hash; /* own, once run == RUN_DONE */

    /* The pre-prepare that came first, the only one this validator ever prepares; and another one
     * that weak(n) commits name, which it may still commit and execute (PROTOCOL.md, P9). */
    struct candidate first, other;
    struct candidate final;         /* what an earlier view decided */
    const struct candidate *chosen; /* first, other or final, once decided by commits */

    /* The prepared certificate of the highest view, for VIEW_CHANGEs; it outlives its view. */
    bool certificate_present;
    struct sy_prepared certificate;

    /* A certified block. Its candidate has the time and the entries that ran. */
    struct candidate block;
    struct sy_hash block_hash;
    struct sy_hash block_previous;
    struct sy_certificate block_certificate;

    struct cell *prepares, *commits, *seals; /* n each */
};

struct ready_batch {
    bool present;
    uint64_t seq;
    uint32_t tx_count;
    uint32_t bytes;
    struct sy_hash digest;
};

struct peer {
    uint64_t heard_ns;               /* when anything came over its link */
    uint64_t status_counter;         /* 0: none yet */
    struct sy_status_message status; /* that one, to answer its signer */
    uint64_t answered_ns;            /* when it was; 0: never */
    bool recalled;                   /* it answered this start */
    uint64_t status_ns;
    uint64_t view;
    bool in_view;
    uint64_t certified, executed;
    uint64_t pre_prepared_mask, prepared_mask, committed_mask;
    uint64_t sealed;               /* highest height it sealed */
    uint64_t pushed_ns, served_ns; /* when it was last sent stored messages; 0: never */
    uint64_t view_served_ns;       /* likewise, for VIEW_CHANGEs */
    uint64_t distrusted_ns;        /* until then its blocks are not wanted */
    uint64_t equivocations;
};

/* A VIEW_CHANGE that is held. change.prepared borrows `bytes`, which has room for any. */
struct held_change {
    bool present;
    struct sy_hash digest;
    struct sy_view_change change;
    uint8_t *bytes;
};

/* What a NEW_VIEW says of one slot. */
struct fixed {
    uint64_t view; /* of the prepared certificate behind it; meaningless if null */
    bool null;     /* no certificate: the slot stays empty */
    struct sy_hash digest;
    struct sy_proposal proposal;
};

/* A NEW_VIEW and the VIEW_CHANGEs that it names, n places, as far as they are here. */
struct view_start {
    bool present;
    struct sy_new_view message;
    struct held_change *changes;
};

/* The next batch in order of a maker, which the primary has not proposed. */
struct maker_wait {
    uint64_t seq; /* 0: nothing waits */
    uint64_t since_ns;
    uint64_t sent_ns;  /* when its body was first sent to the primary; 0: not yet */
    uint64_t again_ns; /* when it was last */
};

/* How a view ended, for operators. */
struct left_note {
    enum sy_pbft_left why;
    uint16_t maker;
    uint64_t waited_ns, silent_ns;
};

struct sy_pbft {
    struct sy_pbft_config config;
    unsigned quorum, weak;

    bool started, live;
    bool halted;
    struct sy_pbft_halt halt; /* why; alarm 0: not halted */
    uint64_t halt_height;
    uint64_t view;
    bool in_view;           /* the view has begun: its NEW_VIEW is here, or it is view 0 */
    uint64_t view_since_ns; /* when the view was reached, then when it began */
    unsigned backoff;       /* views left since a slot was decided */
    uint64_t boots;
    uint64_t boot_token;
    bool boot_durable;
    bool recalled; /* quorum(n) - 1 others have told what they hold of this validator */
    uint64_t status_seq;

    /* certified <= certify_asked <= executed <= execute_asked <= known;
     * certified <= decided <= known <= certified + window. */
    uint64_t certified;
    struct sy_hash certified_hash;
    struct sy_certificate certified_certificate; /* the own signature in it may be missing */
    uint64_t certify_asked;
    uint64_t executed;
    uint64_t execute_asked;
    uint64_t decided;
    uint64_t last;     /* slot of the epoch, once known; UINT64_MAX: none is in sight */
    uint64_t known;    /* highest slot in use */
    uint64_t proposed; /* highest slot this validator proposed */

    uint64_t next_token;
    uint64_t durable_token;

    /* The step under way. */
    struct sy_pbft_effects *effects;
    int64_t now_ms;
    uint64_t now_ns; /* never 0, which stands for "never" in the times below */
    uint32_t fetches_left;
    uint32_t serves_left;

    uint64_t resumed_ns;
    uint64_t wakes[WAKES_MAX];  /* when this validator ran again after it had not: the last ones, */
    uint32_t wake_count;        /* number i at i % WAKES_MAX */
    uint64_t last_decided_ns;   /* or when the machine resumed */
    uint64_t last_certified_ns; /* likewise */
    bool waiting;               /* something is open or ready, */
    uint64_t waiting_since_ns;  /* since then */
    uint64_t behind_disk_ns;    /* since when records are awaited; 0: none is */
    uint64_t last_proposed_ns;
    bool ready_waits;        /* something to propose waits, */
    uint64_t ready_since_ns; /* since then */
    uint64_t status_due_ns;
    bool clocks_waiting;   /* some candidate's clock verdict is not CLOCK_FINE */
    bool bodies_missing;   /* some candidate lacks a body */
    uint64_t block_due_ns; /* a request for blocks is out until then; SY_PBFT_NEVER: none */
    uint64_t block_upto;   /* last height it asked for */
    uint16_t block_turn, slot_turn; /* whom to ask next */
    uint16_t maker_turn;            /* whose batch is proposed first */

    uint64_t timers[SY_PBFT_TIMER_COUNT]; /* deadlines the node was told */

    struct slot *slots;        /* SY_PBFT_WINDOW; slot s lives at s % window */
    struct ready_batch *ready; /* n * SY_BATCH_WINDOW; (maker, seq) lives at seq % window */
    uint32_t ready_count;      /* cells of it in use */
    uint64_t *next_seqs;       /* n: next seq of each maker, after block `executed` */
    uint64_t *cursors;         /* n: scratch of propose.c and suspect.c */
    struct peer *peers;        /* n */

    /* View change. */
    struct held_change *changes; /* n: of every validator the one with the highest view */
    uint8_t own_change;          /* enum own_vote: the own one, for the present view */
    uint8_t *own_spare; /* where the next own VIEW_CHANGE is made: the last one may be on its way */
    uint64_t own_change_token;
    uint64_t own_change_ns;    /* when it was last sent to all */
    struct view_start current; /* of the present view, once begun */
    struct view_start pending; /* of the present or a later view, VIEW_CHANGEs missing */
    uint8_t new_view;          /* enum own_vote: the own NEW_VIEW for the present view */
    uint64_t new_view_token;
    uint64_t quorum_since_ns; /* quorum(n) validators wait for this view or later; 0: not yet */
    uint16_t view_turn;       /* whom to ask next */
    struct fixed *fixed;      /* SY_PBFT_WINDOW: of slots fixed_above + 1 and up */
    uint64_t fixed_above;     /* the highest stable height that the NEW_VIEW shows */
    unsigned fixed_count;
    struct maker_wait *waits; /* n */

    uint64_t decided_total, retransmissions_total, adopted_total, equivocations_total;
    uint64_t view_changes_total;
    struct left_note left; /* the last of them */
    uint64_t ignored_total[SY_PBFT_IGNORED_COUNT];
};

/* --- pbft.c ---------------------------------------------------------------------------------- */

/* sy_pbft_emit gives the next effect of this step, its type set and the rest unspecified. */
struct sy_pbft_effect *sy_pbft_emit(sy_pbft *pbft, enum sy_pbft_effect_type type);
/* sy_pbft_persist gives a PERSIST effect's record to fill and its token. */
struct sy_pbft_record *sy_pbft_persist(sy_pbft *pbft, uint64_t *token,
                                       enum sy_pbft_record_type type, uint64_t slot);
/* sy_pbft_send gives a SEND effect's message to fill. */
struct sy_message *sy_pbft_send(sy_pbft *pbft, uint16_t to, bool again, enum sy_message_type type);
void sy_pbft_ignore(sy_pbft *pbft, enum sy_pbft_ignored why);
/* sy_pbft_halt ends voting for good: record, alarm. Once for each reason, the graver one last. */
void sy_pbft_halt(sy_pbft *pbft, enum sy_pbft_alarm alarm, uint64_t height,
                  const struct sy_hash *own, const struct sy_hash *certified);
/* sy_pbft_check_own judges a verified statement under the own key for a height above certified.
 * own: what this validator knows to have said there, NULL if nothing. If that is something else,
 * another process holds this key or the store lost votes, and voting on could contradict them
 * (P14). */
void sy_pbft_check_own(sy_pbft *pbft, uint64_t height, const struct sy_hash *own,
                       const struct sy_hash *seen);
/* sy_pbft_alarm tells why the machine is halted. */
void sy_pbft_alarm(sy_pbft *pbft);
/* sy_pbft_blame emits EVIDENCE with room for the pair and counts it. */
struct sy_pbft_evidence *sy_pbft_blame(sy_pbft *pbft, uint8_t type, uint16_t signer);

/* The last slot that may be voted on: of the window, and of the epoch. */
static inline uint64_t window_end(const sy_pbft *pbft)
{
    uint64_t end = pbft->certified + SY_PBFT_WINDOW;
    return end < pbft->last ? end : pbft->last;
}
static inline uint16_t primary_of(const sy_pbft *pbft, uint64_t view)
{
    return (uint16_t)(view % pbft->config.n);
}
static inline bool is_primary(const sy_pbft *pbft)
{
    return primary_of(pbft, pbft->view) == pbft->config.self;
}
/* Seals, and leaves views. */
static inline bool can_vote(const sy_pbft *pbft)
{
    return pbft->live && !pbft->halted && pbft->config.self != SY_PBFT_OBSERVER;
}
/* Says something new: the others were asked what it said before (P39). */
static inline bool may_begin(const sy_pbft *pbft)
{
    return can_vote(pbft) && pbft->recalled;
}
/* Prepares, commits and proposes. */
static inline bool votes_in_view(const sy_pbft *pbft)
{
    return may_begin(pbft) && pbft->in_view;
}

/* What was sent then may be sent again, to all or to this peer; 0: it never was. */
static inline bool aged(const sy_pbft *pbft, uint64_t sent_ns)
{
    SY_ASSERT(sent_ns <= pbft->now_ns);
    return sent_ns == 0 || pbft->now_ns - sent_ns >= pbft->config.resend_ns;
}

/* Only what is in use is copied: a proposal has room for 64 entries, a certificate for 100 names.
 */
static inline void copy_proposal(struct sy_proposal *out, const struct sy_proposal *in)
{
    SY_ASSERT(in->count <= SY_PROPOSAL_ENTRIES_MAX && out != in);
    memcpy(out, in, offsetof(struct sy_proposal, entries) + in->count * sizeof in->entries[0]);
}
static inline void copy_prepared(struct sy_prepared *out, const struct sy_prepared *in)
{
    SY_ASSERT(in->count <= SY_VALIDATORS_MAX && out != in);
    out->view = in->view;
    copy_proposal(&out->proposal, &in->proposal);
    out->count = in->count;
    memcpy(out->statements, in->statements, in->count * sizeof in->statements[0]);
}

/* --- slot.c ---------------------------------------------------------------------------------- */

/* sy_pbft_slot_open gives the slot of a number inside the window, put in use if it was not. */
struct slot *sy_pbft_slot_open(sy_pbft *pbft, uint64_t number);
/* sy_pbft_slot_find gives the slot if it is in use, else NULL; any number. */
struct slot *sy_pbft_slot_find(const sy_pbft *pbft, uint64_t number);
/* sy_pbft_slot_clear_to frees every slot up to height. */
void sy_pbft_slot_clear_to(sy_pbft *pbft, uint64_t height);
/* sy_pbft_slots_leave_view forgets the votes and proposals of the present view. What was decided,
 * executed or certified stays, and so do prepared certificates. */
void sy_pbft_slots_leave_view(sy_pbft *pbft);
/* sy_pbft_in_window counts and refuses slots outside the window. */
bool sy_pbft_in_window(sy_pbft *pbft, uint64_t number);
/* sy_pbft_count_cells counts cells with this digest; skip (or SY_PBFT_OBSERVER) is left out. */
unsigned sy_pbft_count_cells(const sy_pbft *pbft, const struct cell *cells,
                             const struct sy_hash *digest, uint16_t skip);
/* sy_pbft_prepared_count counts who prepared a candidate, the pre-prepare as the primary's. */
unsigned sy_pbft_prepared_count(const sy_pbft *pbft, const struct slot *slot,
                                const struct candidate *candidate);
/* sy_pbft_provable: weak(n) commits name this digest, so a correct validator holds a prepared
 * certificate for it, and no other can be decided in this view. */
bool sy_pbft_provable(const sy_pbft *pbft, const struct slot *slot, const struct sy_hash *digest);
/* sy_pbft_block_holds: a certified block is here with all its bodies. */
bool sy_pbft_block_holds(const struct slot *slot);
/* sy_pbft_settled: what the slot executes is fixed, by commits or by a certificate. */
bool sy_pbft_settled(const struct slot *slot);
/* sy_pbft_plan is what the slot will execute as far as this validator stands by it: what was
 * decided, or what it prepared itself; or NULL. */
const struct candidate *sy_pbft_plan(const struct slot *slot);
/* sy_pbft_candidate_set fills a candidate from a pre-prepare. */
void sy_pbft_candidate_set(sy_pbft *pbft, struct candidate *candidate,
                           const struct sy_pre_prepare *pre_prepare, const struct sy_hash *digest,
                           uint16_t from);

/* --- order.c --------------------------------------------------------------------------------- */

void sy_pbft_on_pre_prepare(sy_pbft *pbft, const struct sy_pre_prepare *message, uint16_t from);
void sy_pbft_on_vote(sy_pbft *pbft, const struct sy_vote *vote);
void sy_pbft_on_persisted(sy_pbft *pbft, uint64_t token);
/* sy_pbft_advance takes every step that the slot's votes allow. */
void sy_pbft_advance(sy_pbft *pbft, struct slot *slot);
void sy_pbft_advance_all(sy_pbft *pbft);
/* sy_pbft_send_prepare, _commit, _seal send this validator's stored message (on the primary
 * _prepare sends its pre-prepare). */
void sy_pbft_send_prepare(sy_pbft *pbft, struct slot *slot, uint16_t to, bool again);
void sy_pbft_send_commit(sy_pbft *pbft, struct slot *slot, uint16_t to, bool again);
void sy_pbft_send_seal(sy_pbft *pbft, struct slot *slot, uint16_t to, bool again);
/* sy_pbft_clock_recheck judges again what is due, and takes the steps that it allows. */
void sy_pbft_clock_recheck(sy_pbft *pbft);
/* sy_pbft_clock_deadline is when a waiting clock verdict is due again. */
uint64_t sy_pbft_clock_deadline(sy_pbft *pbft);

/* --- propose.c ------------------------------------------------------------------------------- */

/* sy_pbft_propose proposes what it may now, if this validator is the primary. */
void sy_pbft_propose(sy_pbft *pbft);
uint64_t sy_pbft_batch_deadline(const sy_pbft *pbft);
uint64_t sy_pbft_heartbeat_deadline(const sy_pbft *pbft);
unsigned sy_pbft_in_flight(const sy_pbft *pbft);
/* sy_pbft_find_cursors fills cursors with each maker's next seq as it will be once every open slot
 * is executed as planned, or else as the primary proposed it: what execution will do is repeated
 * here in thought (an entry with another seq is skipped). */
void sy_pbft_find_cursors(sy_pbft *pbft);
/* sy_pbft_window_full: the primary may not propose before certificates come. */
bool sy_pbft_window_full(const sy_pbft *pbft);

/* --- body.c ---------------------------------------------------------------------------------- */

void sy_pbft_on_batch_ready(sy_pbft *pbft, const struct sy_pbft_event *event);
void sy_pbft_on_batch_dropped(sy_pbft *pbft, const struct sy_pbft_event *event);
/* sy_pbft_bodies_complete: every body of the candidate is held. */
bool sy_pbft_bodies_complete(const struct candidate *candidate);
/* sy_pbft_bodies_look marks what is held of a new candidate and announces what is missing. */
void sy_pbft_bodies_look(sy_pbft *pbft, struct candidate *candidate, bool ask_now);
/* sy_pbft_bodies_retry asks for missing bodies that are due. */
void sy_pbft_bodies_retry(sy_pbft *pbft);
uint64_t sy_pbft_bodies_deadline(sy_pbft *pbft);
const struct ready_batch *sy_pbft_ready_at(const sy_pbft *pbft, uint16_t maker, uint64_t seq);
uint32_t sy_pbft_ready_count(const sy_pbft *pbft);
/* sy_pbft_set_next_seqs takes over what execution made of the makers' next seqs. */
void sy_pbft_set_next_seqs(sy_pbft *pbft, const uint64_t *next_seqs);

/* --- certify.c ------------------------------------------------------------------------------- */

/* sy_pbft_run emits EXECUTE for every next slot that is settled and complete, and CERTIFIED for
 * every next height with a certificate. */
void sy_pbft_run(sy_pbft *pbft);
void sy_pbft_note_epoch_end(sy_pbft *pbft, uint64_t next_epoch);
void sy_pbft_on_executed(sy_pbft *pbft, const struct sy_pbft_event *event);
void sy_pbft_on_certificate_durable(sy_pbft *pbft, uint64_t height);
/* sy_pbft_compare_header halts if a certificate, whole or to be made of the seals held, names
 * another header than the one that this validator executed. */
void sy_pbft_compare_header(sy_pbft *pbft, const struct slot *slot);
/* sy_pbft_certificate_of makes the certificate of a slot that has one; the own signature in it may
 * be missing. */
void sy_pbft_certificate_of(const sy_pbft *pbft, struct sy_certificate *certificate,
                            const struct slot *slot);
/* sy_pbft_seal signs and sends what this validator executed. */
void sy_pbft_seal(sy_pbft *pbft, struct slot *slot);
void sy_pbft_on_seal(sy_pbft *pbft, const struct sy_seal_message *message);

/* --- status.c -------------------------------------------------------------------------------- */

void sy_pbft_on_status(sy_pbft *pbft, const struct sy_status_message *status, uint16_t from);
void sy_pbft_on_slot_fetch(sy_pbft *pbft, const struct sy_range_fetch *fetch, uint16_t from);
/* sy_pbft_pass_on sends a statement of another validator on a slot of the present view. */
void sy_pbft_pass_on(sy_pbft *pbft, const struct slot *slot, const struct cell *cell,
                     uint16_t signer, enum sy_message_type type, uint16_t to);
/* sy_pbft_status_tick sends a status and asks for what is missing, when due. */
void sy_pbft_status_tick(sy_pbft *pbft);
/* sy_pbft_open: some slot above the certified height is in use here or at a peer, or a view is not
 * settled. */
bool sy_pbft_open(const sy_pbft *pbft);

/* --- catchup.c ------------------------------------------------------------------------------- */

void sy_pbft_on_block(sy_pbft *pbft, const struct sy_block_message *block, uint16_t from);
/* sy_pbft_catch_up asks a peer for certified blocks if this validator is behind. */
void sy_pbft_catch_up(sy_pbft *pbft);
void sy_pbft_distrust(sy_pbft *pbft, uint16_t from);
/* sy_pbft_claim is the height up to which a peer says it can serve blocks. */
uint64_t sy_pbft_claim(const struct peer *peer);
/* sy_pbft_told_height is a certified height that weak(n) validators tell, self included. */
uint64_t sy_pbft_told_height(const sy_pbft *pbft);

/* --- suspect.c ------------------------------------------------------------------------------- */

/* sy_pbft_suspect leaves the view if it was waited for long enough, and sends bodies that wait to
 * the primary. */
void sy_pbft_suspect(sy_pbft *pbft);
/* sy_pbft_view_deadline is when the view will be left if nothing happens, or a body be sent. */
uint64_t sy_pbft_view_deadline(const sy_pbft *pbft);
/* sy_pbft_overdue: the view would be left now if enough others were heard. */
bool sy_pbft_overdue(const sy_pbft *pbft);
/* sy_pbft_waits_clear begins all waiting for batches anew. */
void sy_pbft_waits_clear(sy_pbft *pbft);

/* --- change.c -------------------------------------------------------------------------------- */

/* sy_pbft_leave_view goes on to a higher view and prepares the own VIEW_CHANGE for it. */
void sy_pbft_leave_view(sy_pbft *pbft, uint64_t view);
/* sy_pbft_goto_view makes `view` the present one, not begun. */
void sy_pbft_goto_view(sy_pbft *pbft, uint64_t view);
/* sy_pbft_join leaves for a view that weak(n) others have asked for. */
void sy_pbft_join(sy_pbft *pbft);
void sy_pbft_on_view_change(sy_pbft *pbft, const struct sy_view_change *change);
void sy_pbft_on_view_fetch(sy_pbft *pbft, const struct sy_view_fetch *fetch, uint16_t from);
/* sy_pbft_view_persisted sends what was withheld until its record was durable. */
void sy_pbft_view_persisted(sy_pbft *pbft);
/* sy_pbft_wants_change: the VIEW_CHANGE is not held, or a NEW_VIEW needs it, or it contradicts. */
bool sy_pbft_wants_change(const sy_pbft *pbft, const struct sy_view_change *change);
/* sy_pbft_hold keeps a copy of a VIEW_CHANGE. */
void sy_pbft_hold(const sy_pbft *pbft, struct held_change *held,
                  const struct sy_view_change *change, const struct sy_hash *digest);
/* sy_pbft_changes_from counts validators, self included, that wait for `view` or a later one. */
unsigned sy_pbft_changes_from(const sy_pbft *pbft, uint64_t view);
/* sy_pbft_push_view tells a peer, whose status shows that it is behind, of the present view. */
void sy_pbft_push_view(sy_pbft *pbft, uint16_t to);
/* sy_pbft_ask_view asks a peer for what is missing of a view; whom: SY_PBFT_ALL for the next one
 * whose status shows more. */
void sy_pbft_ask_view(sy_pbft *pbft, uint16_t whom);

/* --- newview.c ------------------------------------------------------------------------------- */

/* sy_pbft_try_new_view makes the NEW_VIEW of the present view, if that is this validator's to do
 * and it holds quorum VIEW_CHANGEs. */
void sy_pbft_try_new_view(sy_pbft *pbft);
void sy_pbft_on_new_view(sy_pbft *pbft, const struct sy_new_view *message, uint16_t from);
/* sy_pbft_try_begin begins the view of the pending NEW_VIEW if everything that it names is here. */
void sy_pbft_try_begin(sy_pbft *pbft);
/* sy_pbft_begin_view begins the view of `current`, which is complete. */
void sy_pbft_begin_view(sy_pbft *pbft);
/* sy_pbft_pend makes a NEW_VIEW the pending one, with those VIEW_CHANGEs of it that are here. */
void sy_pbft_pend(sy_pbft *pbft, const struct sy_new_view *message);
/* sy_pbft_fixed is what the NEW_VIEW says of a slot, NULL if nothing; any number. */
const struct fixed *sy_pbft_fixed(const sy_pbft *pbft, uint64_t number);
/* sy_pbft_fixed_end is the highest slot of which the NEW_VIEW says something. */
static inline uint64_t sy_pbft_fixed_end(const sy_pbft *pbft)
{
    return pbft->fixed_above + pbft->fixed_count;
}

/* --- recall.c -------------------------------------------------------------------------------- */

/* sy_pbft_answer_start tells a validator, whose STATUS shows a start, what it said itself. */
void sy_pbft_answer_start(sy_pbft *pbft, uint16_t to);
/* sy_pbft_status_counter is the counter of the own newest STATUS. */
uint64_t sy_pbft_status_counter(const sy_pbft *pbft);
/* A STATUS under the own key: the end of an answer, or a reason to stop. */
void sy_pbft_on_own_status(sy_pbft *pbft, const struct sy_status_message *status, uint16_t from);

/* --- restore.c ------------------------------------------------------------------------------- */

void sy_pbft_on_start(sy_pbft *pbft, const struct sy_pbft_event *event);
void sy_pbft_on_restore(sy_pbft *pbft, const struct sy_pbft_record *record);
void sy_pbft_on_resume(sy_pbft *pbft);

#endif
