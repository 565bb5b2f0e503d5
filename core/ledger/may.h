/* may.h: who may do what with a patient's records: the one decision, for execution, for validators
 * that are asked, and for clients that want to know why.
 *
 * sy_may is a pure function of its question and of state, which it reads through the caller's
 * sy_may_get: the same state gives the same answer everywhere. It is judged in this order:
 *
 *   1. The patient is enrolled, and the key's credential holds: not revoked, within its window, its
 *      organisation not suspended.
 *   2. The patient's own wallet key may do anything; a regulator may read, and an auditor for the
 *      purpose audit.
 *      A key that broke the glass may read for the purpose emergency, whatever was denied, until
 *      that is over or judged unjustified.
 *   3. Consents that fit the key, by how narrow a circle they name: the key itself (1), its
 *      organisation (2), its role (3). A denial stands over every grant to the same or a wider
 *      circle; a grant to a narrower circle stands over the denial. A grant that was passed on
 *      counts like one to a role, whatever it names: any denial that fits stands over it, because
 *      the patient did not choose whom it names.
 *   4. Where no consent fits, an organisation that treats the patient (it enrolled the patient or
 *      holds an open care relation) may read and write for treatment, payment, operations and
 *      emergency: records without a label, and its own.
 *
 * What was passed on goes when it or the grant that it came from is revoked or over, and not when
 * somebody is denied later, or when whoever passed it on loses the key: sharing is judged when it
 * is done (contracts/consent.c).
 *
 * A key stands for its line (state.h): a consent to a key, and an emergency access, are its
 * holder's and go with every key that replaces it; the one that was replaced may nothing more.
 *
 * A patient's id that was merged into another (patient.merge) is asked for as that one: its key and
 * its consents decide. Who treats the patient, or broke the glass, under either id may see what is
 * asked for under the one that ended; what stands under the id in use is not theirs by that.
 *
 * A device is let in by a consent that names its key or its role alone: what its organisation may
 * is for people and their systems. A denial that names the organisation keeps its devices out, too.
 *
 * A consent fits when it stands (given, not revoked, and so its parent; from <= time <= until) and
 * names the action, the purpose, the class (or no class at all) and the label. A grant without
 * labels covers only records without a label, never those with one; one with labels only records
 * with one of these. A denial without labels covers all records. What is no record (the patient's
 * entry, care relations) is asked for as class SY_MAY_CLASS_PATIENT without a label.
 *
 * The past: with `past` set, all consents that the patient ever gave are judged as they stood at
 * the height, and credential, enrolment and suspension likewise as far as state remembers them: a
 * care relation that has been closed since then, and a suspension that has ended, are not seen. */
#ifndef SY_LEDGER_MAY_H
#define SY_LEDGER_MAY_H

#include <stdbool.h>

#include "core/base/bytes.h"
#include "core/base/status.h"
#include "core/wire/state.h"

#define SY_MAY_CLASS_PATIENT "Patient"
#define SY_MAY_NOW UINT64_MAX /* a height at which everything in state has happened */

/* sy_may_get gives the value of a state entry (sy_state_key_of says what id and second are; second
 * may be NULL), borrowed until the next call. SY_ERR_NOT_FOUND: absent. Any other failure ends the
 * decision and is handed on. */
typedef sy_status (*sy_may_get)(void *self, struct sy_slice *value, enum sy_state_kind kind,
                                const struct sy_hash *id, const struct sy_hash *second);

struct sy_may_question {
    struct sy_hash subject;       /* the patient */
    struct sy_public_key who;     /* the key that would act */
    uint16_t purpose;             /* enum sy_purpose */
    uint16_t action;              /* enum sy_action */
    struct sy_slice record_class; /* borrowed */
    const struct sy_tag *label;   /* borrowed; NULL: the record has none */
    const struct sy_hash *holder; /* borrowed: who registered the record; NULL: nobody yet */
    uint64_t height;              /* SY_MAY_NOW, or of a block */
    int64_t time_ms;              /* block time at which windows are judged */
    bool past;                    /* the height may lie in the past */
};

enum sy_may_ground {
    SY_MAY_NO_SUBJECT = 1, /* the patient is not enrolled */
    SY_MAY_NO_CREDENTIAL,  /* the key has none that holds */
    SY_MAY_SUSPENDED,      /* its organisation is suspended */
    SY_MAY_SELF,           /* allowed: the patient's own key */
    SY_MAY_OVERSIGHT,      /* allowed: a regulator, or an auditor who audits */
    SY_MAY_EMERGENCY,      /* allowed: by the emergency access `consent` */
    SY_MAY_DENIED,         /* `consent` forbids it */
    SY_MAY_GRANTED,        /* allowed: `consent` allows it */
    SY_MAY_TREATMENT,      /* allowed: the organisation treats the patient */
    SY_MAY_NOTHING         /* nothing allows it; `miss` names what came nearest */
};

/* In what one respect a grant to the key, its organisation or its role does not fit, or (`missed`
 * then being zero) the treating organisation's right. A smaller number is nearer. */
enum sy_may_miss {
    SY_MAY_MISS_EXPIRED = 1, /* it is over since missed_ms */
    SY_MAY_MISS_EARLY,       /* it begins at missed_ms */
    SY_MAY_MISS_LABEL,
    SY_MAY_MISS_CLASS,
    SY_MAY_MISS_PURPOSE,
    SY_MAY_MISS_ACTION,
    SY_MAY_MISS_NONE
};

struct sy_may_answer {
    bool allowed;
    enum sy_may_ground ground;
    struct sy_hash subject; /* the patient's id in use; zero: NO_SUBJECT */
    bool treats;            /* DENIED to NOTHING: the key's organisation treats the patient */
    struct sy_hash consent; /* EMERGENCY: its id; DENIED, GRANTED: the first that decides, by
                               number; else zero */
    enum sy_may_miss miss;  /* NOTHING; else SY_MAY_MISS_NONE */
    struct sy_hash missed;  /* the grant that came nearest, the first of several */
    int64_t missed_ms;
};

/* sy_may decides. Failures: sy_may_get's, and SY_ERR_CORRUPT for a value that does not decode.
 * Pure, but for what get does; any thread. */
SY_MUST_CHECK sy_status sy_may(struct sy_may_answer *answer, const struct sy_may_question *question,
                               sy_may_get get, void *self);

#endif
