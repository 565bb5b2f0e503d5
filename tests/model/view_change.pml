/* view_change.pml: the safety of the view change, tried in every order of events (`./run model`).
 *
 * The rules are those of consensus/pbft/PROTOCOL.md, cited by number, stated anew and so small that
 * every order of events can be tried. This shows that the rules are safe, not that the C code
 * follows them: the transcripts and systole-sim are for that.
 *
 * Bounds: n = 4, f = 1, quorum = 3, weak = 2; one slot; 3 views (VIEWS); the proposals A and B, and
 * the empty one of P30. Within them nothing is bounded: neither crashes nor steps.
 *
 * What is modelled:
 *   correct     Three processes. View, and whether it has begun here (P30, P34); vote, one a view,
 *               stored before it is sent (P1, P4); prepared certificate, stored before its COMMIT
 *               is sent (P5), also for a proposal other than the one voted for (P9); decision (P8);
 *               VIEW_CHANGE with the certificate of the highest view or the stable height (P27);
 *               timers, at any time (P26, P31, P33, P34); joining (P28); entering a view by its
 *               NEW_VIEW alone; seals, certificates, catch-up by certified blocks (P11, P12, P18).
 *   crash       At any time, any number of times, of any number at once. What is durable stays.
 *               Whether the view had begun, and what it fixed, is lost: it begins anew, perhaps
 *               with another NEW_VIEW (P34).
 *   Byzantine   One. It is the primary of every view: it proposes anything to anybody, and begins a
 *               view with another NEW_VIEW for each. It votes, commits and seals everything, for
 *               anybody, in every quorum. Its VIEW_CHANGE shows any certificate that can exist (for
 *               which correct ones signed), or hides all. Its NEW_VIEW names any quorum. It has no
 *               process and no state: it is what every step of the others may choose.
 *   network     What was sent may be received by anybody at any time, or never. So a message is a
 *               fact that stays true, and its receipt is part of the step that needs it; loss,
 *               delay, repetition and reordering are all in that.
 *
 * What is not, but is covered:
 *   correct primaries       Whatever one does to others, the Byzantine one can do. That a primary's
 *                           own proposal is its vote is the same as a backup's vote for it.
 *   stored, not yet durable Until a record is durable nothing follows from it, and records become
 *                           durable in order. So to store and to send is one step, and a crash in
 *                           between is that step not taken.
 *   received, not voted for A first proposal binds nobody but while it is held: here it is chosen
 *                           together with the vote or the certificate. The code allows less.
 *   decided, not executed   The same as decided later.
 *   P29's own bounds        On the stable height, and on NEW_VIEWs of later views: they are for
 *                           liveness, and here every NEW_VIEW that names a quorum is taken.
 *
 * What is left out: other slots (on them depends whether P30, shown no certificate, fixes the empty
 * proposal or leaves the slot free; here both may happen, each time), bodies, clocks, rosters,
 * bytes and signatures, and liveness.
 *
 * Reductions, both exact. SORT: validators are sorted after every step, since no number matters
 * (the primary is never one of them), and A is the first to be voted for. ERASE: what nobody can
 * use any more is erased (of views that all have left: votes that make no certificate, COMMITs and
 * VIEW_CHANGEs; and what a view fixes, for who voted in it). -DSORT=0 and -DERASE=0 do without.
 *
 * A MUTANT breaks one rule, and must be found. A GOAL is a state that must be reached, so that the
 * proof is not one about nothing; it is found as a violation, too. */

#ifndef VIEWS
#define VIEWS 3 /* 2 to 4 */
#endif
#ifndef SORT
#define SORT 1
#endif
#ifndef ERASE
#define ERASE 1
#endif

#define SMALL_QUORUM 1   /* two make a quorum, everywhere */
#define TWO_CHANGES 2    /* P29: a NEW_VIEW names two VIEW_CHANGEs */
#define LOWEST_WINS 3    /* P30: the certificate of the lowest view wins */
#define LOCK_FORGOTTEN 4 /* P27: a VIEW_CHANGE shows no certificate */
#define LOCK_VOLATILE 5  /* P5: a crash loses the prepared certificate */
#define VOTE_VOLATILE 6  /* P4: a crash loses the vote */
#define VIEW_VOLATILE 7  /* P27, P34: a crash loses the VIEW_CHANGE, and the view with it */
#define ANY_PROPOSAL 8   /* P30: a backup prepares what comes, whatever the NEW_VIEW fixes */
#define LATE_VOTE 9      /* P27: who sent a VIEW_CHANGE votes in its old view until the NEW_VIEW */
#ifndef MUTANT
#define MUTANT 0
#endif

#define LAST_VIEW 1   /* something is decided in the last view */
#define CARRIED 2     /* what was prepared in view 0 is decided in the last view */
#define EMPTY_SLOT 3  /* the empty proposal is decided */
#define OVERRULED 4   /* a later certificate overrules that of another proposal */
#define CLOSED_SLOT 5 /* a NEW_VIEW closes the slot */
#ifndef GOAL
#define GOAL 0
#endif

/* Where a mutant votes in views that it has left, nothing of these may be erased. */
#define ERASING                                                                                    \
    (ERASE && MUTANT != SMALL_QUORUM && MUTANT != VOTE_VOLATILE && MUTANT != VIEW_VOLATILE &&      \
     MUTANT != LATE_VOTE)

#if MUTANT == SMALL_QUORUM
#define QUORUM 2
#else
#define QUORUM 3
#endif
#define HELP (QUORUM - 1) /* the correct ones that a quorum with the Byzantine validator needs */

/* Proposals, or none. */
#define NONE 0
#define A 1
#define B 2
#define EMPTY 3

/* What the present view's NEW_VIEW says of the slot: A, B, EMPTY, or one of these (P30). */
#define FREE 0
#define CLOSED 4 /* the slot is not above the stable height: nobody votes */

/* What a VIEW_CHANGE shows: a prepared certificate, none, or a stable height not below the slot. */
#define UNSENT 0
#define BARE 1
#define PREPARED(view, value) (4 * ((view) + 1) + (value))
#define STABLE (4 * (VIEWS + 1))
#define VALUE_OF(shown) ((shown) % 4)

typedef validator {
    byte view;
    byte begun = 1;        /* volatile; all else is durable */
    byte fixed;            /* volatile: what the NEW_VIEW says */
    byte voted[VIEWS];     /* bits: the proposals that it prepared */
    byte committed[VIEWS]; /* the proposal that it sent a COMMIT for */
    byte lock;             /* its prepared certificate of the highest view, or 0 */
    byte change[VIEWS];    /* its VIEW_CHANGE for this view, or UNSENT */
    byte executed;         /* and sealed */
    byte certified;        /* its stable height covers the slot */
#if MUTANT == VOTE_VOLATILE
    byte amnesia;
#endif
}
validator v[3];

byte decided;      /* a quorum of COMMITs exists for it, whether or not anybody has seen them */
byte decided_view; /* the lowest view where that is so */
byte best;         /* what wins among the VIEW_CHANGEs named; 0 between steps */
byte k;            /* 0 between steps */

/* --- sorting, erasing, and the words of a trail ---------------------------------------------- */

c_decl {
/* Who stands where: for the words of a trail alone, and so no part of the state. */
extern int readtrail; /* of pan: a trail is being shown */
static int name[3] = {0, 1, 2};
}
c_code {
static void sort_pair(int a, int b)
{
    struct validator spare;
    if (memcmp(&now.v[a], &now.v[b], sizeof spare) <= 0) return;
    spare = now.v[a];
    now.v[a] = now.v[b];
    now.v[b] = spare;
    int kept = name[a];
    name[a] = name[b];
    name[b] = kept;
}

/* erase_past erases what is of no use any more in a view that every validator has left. */
static void erase_past(int view)
{
    for (int value = 1; value <= 3; value++) {
        int bit = 1 << value, votes = 0;
        for (int i = 0; i < 3; i++) votes += (now.v[i].voted[view] & bit) != 0;
        for (int i = 0; i < 3; i++) {
            now.v[i].voted[view] &= ~bit;
            if (votes >= 2) now.v[i].voted[view] |= bit;
        }
    }
    for (int i = 0; i < 3; i++) now.v[i].committed[view] = now.v[i].change[view] = 0;
}

static void finish(void)
{
#if ERASING
    int lowest = VIEWS;
    for (int i = 0; i < 3; i++) {
        if (now.v[i].voted[now.v[i].view] || now.v[i].certified) now.v[i].fixed = 0;
        if (now.v[i].certified) now.v[i].lock = 0;
        if (now.v[i].view < lowest) lowest = now.v[i].view;
    }
    for (int view = 0; view < lowest; view++) erase_past(view);
#endif
#if SORT
    sort_pair(0, 1);
    sort_pair(1, 2);
    sort_pair(0, 1);
#endif
}

static void tell(int i, const char *what, int value)
{
    static const char *const values[] = {"", "A", "B", "the empty proposal", "no votes", "nothing"};
    if (readtrail)
        printf("  validator %d in view %d %s %s\n", name[i], now.v[i].view, what, values[value]);
}
}

#define FIXED_NAME now.v[Pcorrect->_pid].fixed ? now.v[Pcorrect->_pid].fixed : 5
#define TELL(what, value) c_code { tell(Pcorrect->_pid, what, value); };
#define FINISH c_code { finish(); }

/* --- what exists ----------------------------------------------------------------------------- */

#define BIT(value) (1 << (value))
#define DID(i, view, value) ((v[i].voted[view] >> (value)) & 1)
#define VOTES(view, value) (DID(0, view, value) + DID(1, view, value) + DID(2, view, value))
#define VOTED_AT(view) (v[0].voted[view] | v[1].voted[view] | v[2].voted[view])
#define COMMITS(view, value)                                                                       \
    ((v[0].committed[view] == (value)) + (v[1].committed[view] == (value)) +                       \
     (v[2].committed[view] == (value)))
#define SEALS (v[0].executed + v[1].executed + v[2].executed)
#define SENT(i, view) (v[i].change[view] != UNSENT)
#define CHANGES(view) (SENT(0, view) + SENT(1, view) + SENT(2, view))
/* i sent a VIEW_CHANGE for this view or a later one (VIEWS is at most 4). */
#define REACHED(i, view)                                                                           \
    (SENT(i, VIEWS - 1) || ((view) <= VIEWS - 2 && SENT(i, VIEWS - 2)) ||                          \
     ((view) <= 1 && SENT(i, 1)))
#define ANOTHER_REACHED(view)                                                                      \
    ((_pid != 0 && REACHED(0, view)) || (_pid != 1 && REACHED(1, view)) ||                         \
     (_pid != 2 && REACHED(2, view)))
/* Before anything was voted for, A and B are each other's mirror image: then A comes first. */
#define VOTED_EVER (VOTED_AT(0) | VOTED_AT(1) | VOTED_AT(VIEWS - 2) | VOTED_AT(VIEWS - 1))
#define NAMED (!SORT || (VOTED_EVER & (BIT(A) | BIT(B))) != 0)

#define ME v[_pid]
#define VIEW v[_pid].view

/* --- what must hold -------------------------------------------------------------------------- */

/* After each COMMIT. Two decisions never differ, and nothing else is ever voted for in a view later
 * than the decision's. */
inline check_decision(d)
{
    if
    :: COMMITS(VIEW, d) >= HELP ->
        assert(decided == NONE || decided == d);
        if
        :: decided == NONE || VIEW < decided_view -> decided_view = VIEW
        :: else
        fi;
        decided = d;
        for (k : 0 .. VIEWS - 1) {
            assert(k <= decided_view || (VOTED_AT(k) & ~BIT(d)) == 0)
        }
        k = 0;
        assert(GOAL != LAST_VIEW || decided_view < VIEWS - 1);
        assert(GOAL != EMPTY_SLOT || d != EMPTY);
        assert(GOAL != CARRIED || decided_view < VIEWS - 1 || VOTES(0, d) < HELP || VOTES(1, d) > 0)
    :: else
    fi
}

/* After each vote, PREPARE or COMMIT: none is in a view below a VIEW_CHANGE that was sent. */
inline check_promise()
{
    for (k : 1 .. VIEWS - 1) { assert(k <= VIEW || !SENT(_pid, k)) }
    k = 0
}

/* After each beginning: a decision of an earlier view is fixed, or closed with the slot. */
inline check_fixed()
{
    assert(decided == NONE || VIEW <= decided_view || ME.fixed == decided || ME.fixed == CLOSED);
    assert(GOAL != CLOSED_SLOT || ME.fixed != CLOSED);
    assert(GOAL != OVERRULED || ME.lock == 0 || ME.fixed == FREE || ME.fixed == CLOSED ||
           ME.fixed == VALUE_OF(ME.lock))
}

/* --- voting ---------------------------------------------------------------------------------- */

#if MUTANT == VOTE_VOLATILE
#define BOUND (ME.voted[VIEW] != 0 && !ME.amnesia)
#else
#define BOUND (ME.voted[VIEW] != 0)
#endif
#if MUTANT == ANY_PROPOSAL
#define IN_ORDER(d) ((d) != EMPTY)
#else
#define IN_ORDER(d) (ME.fixed == (d) || (ME.fixed == FREE && (d) != EMPTY && !ME.executed))
#endif

/* P1, P2, P4, P6, P30: the first proposal, and what the NEW_VIEW fixes if it fixes anything. */
#define PREPARE(d)                                                                                 \
    d_step {                                                                                       \
        ME.begun && !ME.certified && !BOUND && IN_ORDER(d) && ((d) != B || NAMED) ->               \
        TELL("prepares", d)                                                                        \
        ME.voted[VIEW] = ME.voted[VIEW] | BIT(d);                                                  \
        AMNESIA(0)                                                                                 \
        check_promise();                                                                           \
        FINISH                                                                                     \
    }

/* P5, and P9: a proposal other than the own vote's once weak COMMITs name it. */
#define COMMIT(d)                                                                                  \
    d_step {                                                                                       \
        ME.begun && !ME.certified && ME.committed[VIEW] == NONE && VOTES(VIEW, d) >= HELP &&       \
            (ME.voted[VIEW] == 0 || DID(_pid, VIEW, d) || COMMITS(VIEW, d) > 0) ->                 \
        TELL("commits", d)                                                                         \
        ME.committed[VIEW] = d;                                                                    \
        ME.lock = PREPARED(VIEW, d);                                                               \
        check_promise();                                                                           \
        check_decision(d);                                                                         \
        FINISH                                                                                     \
    }

/* P8, P10, P11. */
#define DECIDE(d)                                                                                  \
    d_step {                                                                                       \
        !ME.executed && COMMITS(VIEW, d) >= HELP ->                                                \
        TELL("decides", d)                                                                         \
        assert(decided == d);                                                                      \
        ME.executed = 1;                                                                           \
        FINISH                                                                                     \
    }

/* P12, and P18 for who did not decide. From now on it takes no part in the slot (P2). */
#define CERTIFY                                                                                    \
    d_step {                                                                                       \
        !ME.certified && SEALS >= HELP ->                                                          \
        TELL("holds the slot's certificate", NONE)                                                 \
        ME.executed = 1;                                                                           \
        ME.certified = 1;                                                                          \
        FINISH                                                                                     \
    }

/* --- changing the view ----------------------------------------------------------------------- */

#if MUTANT == LOCK_FORGOTTEN
#define SHOWN BARE
#else
#define SHOWN (ME.certified -> STABLE : (ME.lock -> ME.lock : BARE))
#endif

/* By timers: the next view, at any time once the present one has begun (P26); if it has not, when a
 * quorum waits for it (P31: this one, another, the Byzantine), or this one came without VIEW_CHANGE
 * (P34), or it ran ahead (P33). By P28, joining: any view up to that of another correct validator,
 * as the Byzantine one names what it likes. */
#define PATIENT (ME.begun || !SENT(_pid, VIEW) || ME.executed || ANOTHER_REACHED(VIEW))
#define LEAVE(w)                                                                                   \
    d_step {                                                                                       \
        VIEW < (w) && (((w) == VIEW + 1 && PATIENT) || ANOTHER_REACHED(w)) ->                      \
        ME.change[w] = SHOWN;                                                                      \
        LEAVE_BEHIND(w)                                                                            \
        TELL("sends a VIEW_CHANGE", NONE)                                                          \
        FINISH                                                                                     \
    }
#define ENTER(w, has_begun, what)                                                                  \
    VIEW = w;                                                                                      \
    ME.begun = has_begun;                                                                          \
    ME.fixed = what; AMNESIA(0)
#if MUTANT == LATE_VOTE
#define LEAVE_BEHIND(w)
#define STILL_OUT(w) (VIEW < (w))
#else
#define LEAVE_BEHIND(w) ENTER(w, 0, FREE)
#define STILL_OUT(w) (VIEW < (w) || (VIEW == (w) && !ME.begun))
#endif

#if MUTANT == LOWEST_WINS
#define WINS(shown) ((shown) >= 4 && (best < 4 || (shown) < best))
#else
#define WINS(shown) ((shown) > best) /* the stable height first, then the highest view */
#endif
#define SEE(i, w)                                                                                  \
    if                                                                                             \
    :: WINS(v[i].change[w]) -> best = v[i].change[w]                                               \
    :: else                                                                                        \
    fi
/* What the Byzantine validator's VIEW_CHANGE shows: nothing, or a certificate that can exist. */
#define FORGE(w, u, d)                                                                             \
    :: (u) < (w) && VOTES(u, d) >= HELP && WINS(PREPARED(u, d)) -> best = PREPARED(u, d)
#define SEE_BYZANTINE(w)                                                                           \
    if                                                                                             \
    :: true                                                                                        \
    FORGE(w, 0, A)                                                                                 \
    FORGE(w, 0, B)                                                                                 \
    FORGE(w, 1, A)                                                                                 \
    FORGE(w, 1, B)                                                                                 \
    FORGE(w, 1, EMPTY)                                                                             \
    FORGE(w, VIEWS - 2, A)                                                                         \
    FORGE(w, VIEWS - 2, B)                                                                         \
    FORGE(w, VIEWS - 2, EMPTY)                                                                     \
    :: SEALS >= HELP -> best = STABLE                                                              \
    fi

/* P29: any quorum. */
#if MUTANT == TWO_CHANGES || MUTANT == SMALL_QUORUM
#define CHANGES_NEEDED 1
#define SEE_QUORUM(w)                                                                              \
    if                                                                                             \
    :: SENT(0, w) -> SEE(0, w); SEE_BYZANTINE(w)                                                   \
    :: SENT(1, w) -> SEE(1, w); SEE_BYZANTINE(w)                                                   \
    :: SENT(2, w) -> SEE(2, w); SEE_BYZANTINE(w)                                                   \
    fi
#else
#define CHANGES_NEEDED 2
#define SEE_QUORUM(w)                                                                              \
    if                                                                                             \
    :: SENT(0, w) && SENT(1, w) -> SEE(0, w); SEE(1, w); SEE_BYZANTINE(w)                          \
    :: SENT(0, w) && SENT(2, w) -> SEE(0, w); SEE(2, w); SEE_BYZANTINE(w)                          \
    :: SENT(1, w) && SENT(2, w) -> SEE(1, w); SEE(2, w); SEE_BYZANTINE(w)                          \
    :: CHANGES(w) == 3 -> SEE(0, w); SEE(1, w); SEE(2, w)                                          \
    fi
#endif

/* P30. */
#define BEGIN(w)                                                                                   \
    atomic {                                                                                       \
        STILL_OUT(w) && CHANGES(w) >= CHANGES_NEEDED ->                                            \
        SEE_QUORUM(w);                                                                             \
        if                                                                                         \
        :: best == STABLE -> ENTER(w, 1, CLOSED)                                                   \
        :: best >= 4 && best < STABLE -> ENTER(w, 1, VALUE_OF(best))                               \
        :: best < 4 -> ENTER(w, 1, FREE)                                                           \
        :: best < 4 -> ENTER(w, 1, EMPTY)                                                          \
        fi;                                                                                        \
        best = 0;                                                                                  \
        TELL("begins, which fixes", FIXED_NAME)                                                    \
        check_fixed();                                                                             \
        FINISH                                                                                     \
    }

/* --- crash and restart ----------------------------------------------------------------------- */

#if MUTANT == VOTE_VOLATILE
#define AMNESIA(yes) ME.amnesia = yes;
#else
#define AMNESIA(yes)
#endif
#if MUTANT == VIEW_VOLATILE
#define FORGET ENTER(0, 1, FREE)
#elif MUTANT == LOCK_VOLATILE
#define FORGET ME.lock = 0; ENTER(VIEW, VIEW == 0, FREE)
#else
#define FORGET ENTER(VIEW, VIEW == 0, FREE)
#endif
#define RESTART                                                                                    \
    d_step {                                                                                       \
        MUTANT != 0 || (ME.begun && VIEW > 0) ->                                                   \
        TELL("crashes and restarts", NONE)                                                         \
        FORGET                                                                                     \
        AMNESIA(1)                                                                                 \
        FINISH                                                                                     \
    }

/* --- the validators -------------------------------------------------------------------------- */

active [3] proctype correct()
{
end:
    do
    :: PREPARE(A)
    :: PREPARE(B)
    :: PREPARE(EMPTY)
    :: COMMIT(A)
    :: COMMIT(B)
    :: COMMIT(EMPTY)
    :: DECIDE(A)
    :: DECIDE(B)
    :: DECIDE(EMPTY)
    :: CERTIFY
    :: LEAVE(1)
    :: BEGIN(1)
#if VIEWS > 2
    :: LEAVE(2)
    :: BEGIN(2)
#endif
#if VIEWS > 3
    :: LEAVE(3)
    :: BEGIN(3)
#endif
    :: RESTART
    od
}
