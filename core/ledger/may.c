/* may.c: the decision who may do what; see may.h. */
#include "core/ledger/may.h"

#include "core/base/assert.h"
#include "core/ledger/exec.h"

/* What a treating organisation may do without being asked for. */
#define TREATING_PURPOSES                                                \
    (SY_SET_BIT(SY_PURPOSE_TREATMENT) | SY_SET_BIT(SY_PURPOSE_PAYMENT) | \
     SY_SET_BIT(SY_PURPOSE_OPERATIONS) | SY_SET_BIT(SY_PURPOSE_EMERGENCY))
#define TREATING_ACTIONS (SY_SET_BIT(SY_ACTION_READ) | SY_SET_BIT(SY_ACTION_WRITE))

/* How wide a circle is: the numbers of enum sy_grantee_kind, and one beyond. */
enum { NO_CIRCLE = SY_GRANTEE_ROLE + 1 };

/* No ground at all: nothing is decided yet. */
#define NO_BAR ((enum sy_may_ground)0)

struct judge {
    const struct sy_may_question *question;
    struct sy_may_answer *answer;
    sy_may_get get;
    void *self;
    /* the patient's */
    bool claimed; /* the patient has a key */
    /* the id that is asked about, and those that it was merged into; the last one is in use */
    unsigned id_count;
    struct sy_hash ids[SY_MERGES_MAX + 1];
    struct sy_hash enrolled_by[SY_MERGES_MAX + 1];
    /* the key's */
    uint8_t role;
    struct sy_hash holder;
    struct sy_hash line; /* the first key of its line */
    bool own;            /* it is the patient's */
    /* the narrowest circles that fit, NO_CIRCLE: none, and the first consents that name them */
    unsigned granted, denied;
    struct sy_hash grant, denial;
};

/* Reads an entry; false: it is absent, or *status is a failure. */
static bool find(const struct judge *j, sy_status *status, struct sy_slice *value,
                 enum sy_state_kind kind, const struct sy_hash *id, const struct sy_hash *second)
{
    *status = j->get(j->self, value, kind, id, second);
    if (*status == SY_OK) return true;
    if (*status == SY_ERR_NOT_FOUND) *status = SY_OK;
    return false;
}

static sy_status decide(const struct judge *j, enum sy_may_ground ground)
{
    SY_ASSERT(j->answer->ground == NO_BAR && ground != NO_BAR);
    j->answer->ground = ground;
    j->answer->allowed = ground == SY_MAY_SELF || ground == SY_MAY_OVERSIGHT ||
                         ground == SY_MAY_EMERGENCY || ground == SY_MAY_GRANTED ||
                         ground == SY_MAY_TREATMENT;
    return SY_OK;
}

// --- who asks ----------------------------------------------------------------------------------

/* The patient's id that is in use. */
static const struct sy_hash *live_id(const struct judge *j)
{
    SY_ASSERT(j->id_count > 0);
    return &j->ids[j->id_count - 1];
}

/* Did it happen at or before the height that is asked about? */
static bool happened(const struct judge *j, uint64_t height)
{
    return height <= j->question->height;
}

static bool credential_holds(const struct judge *j, const struct sy_credential *credential)
{
    struct sy_credential then = *credential;
    then.revoked = credential->revoked && happened(j, credential->revoked_height);
    return happened(j, credential->issued_height) &&
           sy_credential_valid(&then, j->question->time_ms);
}

/* Finds the key's role and holder; *bar: why it may do nothing, or NO_BAR. */
static sy_status find_who(struct judge *j, enum sy_may_ground *bar)
{
    struct sy_hash id = sy_hash_of_key(&j->question->who);
    struct sy_credential credential;
    struct sy_org org;
    struct sy_slice value;
    sy_status status;
    *bar = SY_MAY_NO_CREDENTIAL;
    if (!find(j, &status, &value, SY_STATE_CREDENTIAL, &id, NULL)) return status;
    if (!sy_credential_decode(&credential, value)) return SY_ERR_CORRUPT;
    if (!credential_holds(j, &credential)) return SY_OK;
    j->role = credential.role;
    j->holder = credential.holder;
    j->line = sy_credential_line(&credential, &j->question->who);
    // Only the patient's own keys have the patient for a holder, and one of them at a time.
    j->own = j->claimed && j->role == SY_ROLE_PATIENT && sy_hash_equal(&j->holder, live_id(j));
    if (sy_exec_acts_for_org(j->role)) {
        if (!find(j, &status, &value, SY_STATE_ORG, &j->holder, NULL)) return status;
        if (!sy_org_decode(&org, value)) return SY_ERR_CORRUPT;
        *bar = SY_MAY_SUSPENDED;
        if (org.suspended && happened(j, org.suspended_height)) return SY_OK;
    }
    *bar = NO_BAR;
    return SY_OK;
}

/* Takes one id of the patient; *next: the one that it was merged into by then, *more: there is one.
 * *enrolled: false when there is no such patient. */
static sy_status take_id(struct judge *j, struct sy_hash *next, bool *more, bool *enrolled)
{
    struct sy_patient patient;
    struct sy_slice value;
    sy_status status;
    struct sy_hash id = *next;
    *more = false;
    if (!find(j, &status, &value, SY_STATE_PATIENT, &id, NULL)) {
        return status == SY_OK && j->id_count > 0 ? SY_ERR_CORRUPT : status;
    }
    if (!sy_patient_decode(&patient, value)) return SY_ERR_CORRUPT;
    if (j->id_count == 0) *enrolled = happened(j, patient.enrolled_height);
    j->claimed = patient.claimed;
    j->ids[j->id_count] = id;
    j->enrolled_by[j->id_count++] = patient.organisation;
    *more = patient.merged && happened(j, patient.merged_height);
    *next = patient.into;
    return SY_OK;
}

/* Finds the patient, and the id in use if this one was merged; *enrolled: false when there is none.
 */
static sy_status find_subject(struct judge *j, bool *enrolled)
{
    struct sy_hash next = j->question->subject;
    bool more = true;
    *enrolled = false;
    while (more) {
        if (j->id_count > SY_MERGES_MAX) return SY_ERR_CORRUPT; // no contract leads so far
        SY_TRY(take_id(j, &next, &more, enrolled));
    }
    if (*enrolled) j->answer->subject = *live_id(j);
    return SY_OK;
}

/* Finds out whether the key's organisation treats the patient under this id. */
static sy_status find_care_of(const struct judge *j, const struct sy_hash *id)
{
    struct sy_hash care_id;
    struct sy_care care;
    struct sy_slice value;
    sy_status status;
    if (!find(j, &status, &value, SY_STATE_OPEN_CARE, id, &j->holder)) return status;
    j->answer->treats = true;
    if (!j->question->past) return SY_OK;
    if (!sy_id_decode(&care_id, value)) return SY_ERR_CORRUPT;
    if (!find(j, &status, &value, SY_STATE_CARE, &care_id, NULL)) {
        return status != SY_OK ? status : SY_ERR_CORRUPT;
    }
    if (!sy_care_decode(&care, value)) return SY_ERR_CORRUPT;
    j->answer->treats = happened(j, care.opened_height);
    return SY_OK;
}

/* Under any of the ids: who treated a patient under the one that ended goes on to see what stands
 * under it, and whoever treats the patient sees it, too. */
static sy_status find_care(const struct judge *j)
{
    if (!sy_exec_acts_for_org(j->role) || j->role == SY_ROLE_DEVICE) return SY_OK;
    for (unsigned i = 0; i < j->id_count && !j->answer->treats; i++) {
        j->answer->treats = sy_hash_equal(&j->enrolled_by[i], &j->holder);
    }
    for (unsigned i = 0; i < j->id_count && !j->answer->treats; i++) {
        SY_TRY(find_care_of(j, &j->ids[i]));
    }
    return SY_OK;
}

// --- emergency access --------------------------------------------------------------------------

/* Was it judged to have been without cause, by then? */
static bool unjustified(const struct judge *j, const struct sy_break *entry)
{
    return entry->reviewed && entry->outcome != SY_REVIEW_JUSTIFIED &&
           happened(j, entry->reviewed_height);
}

/* Finds the emergency access by which the key may read at that time: the newest of its holder and
 * this id of the patient that there was then, is not over, and was not judged unjustified. *found:
 * false when there is none. An older one lasts no longer than any may from the newer one's
 * beginning. */
static sy_status find_break_of(const struct judge *j, bool *found, const struct sy_hash *patient)
{
    const struct sy_may_question *q = j->question;
    struct sy_hash id;
    struct sy_break entry;
    struct sy_slice value;
    sy_status status;
    if (!find(j, &status, &value, SY_STATE_BREAK_OF, patient, &j->line)) return status;
    if (!sy_id_decode(&id, value)) return SY_ERR_CORRUPT;
    for (bool more = true; more;) {
        if (!find(j, &status, &value, SY_STATE_BREAK, &id, NULL)) {
            return status != SY_OK ? status : SY_ERR_CORRUPT;
        }
        if (!sy_break_decode(&entry, value)) return SY_ERR_CORRUPT;
        bool then = happened(j, entry.height);
        *found = then && q->time_ms <= entry.until_ms && !unjustified(j, &entry);
        if (*found) j->answer->consent = id;
        bool older = !then || q->time_ms - entry.from_ms <= SY_BREAK_MS_MAX;
        more = !*found && older && entry.has_previous;
        id = entry.previous;
    }
    return SY_OK;
}

static sy_status find_break(const struct judge *j, bool *found)
{
    const struct sy_may_question *q = j->question;
    *found = false;
    if (q->action != SY_ACTION_READ || q->purpose != SY_PURPOSE_EMERGENCY) return SY_OK;
    for (unsigned i = 0; i < j->id_count && !*found; i++) {
        SY_TRY(find_break_of(j, found, &j->ids[i]));
    }
    return SY_OK;
}

// --- consents ----------------------------------------------------------------------------------

static bool names_class(const struct sy_consent *consent, struct sy_slice record_class)
{
    struct sy_slice named;
    if (consent->classes.count == 0) return true;
    for (size_t offset = 0; sy_list_next_text(&consent->classes, &offset, &named);) {
        if (sy_slice_equal(named, record_class)) return true;
    }
    return false;
}

static bool names_label(const struct sy_consent *consent, const struct sy_tag *label)
{
    struct sy_tag named;
    if (consent->labels.count == 0) return consent->denies || label == NULL;
    for (size_t offset = 0; label != NULL && sy_list_next_tag(&consent->labels, &offset, &named);) {
        if (memcmp(named.bytes, label->bytes, sizeof named.bytes) == 0) return true;
    }
    return false;
}

static bool names_key(const struct judge *j, const struct sy_consent *consent)
{
    struct sy_hash whom = {{0}};
    switch (consent->grantee_kind) {
    case SY_GRANTEE_KEY: whom = j->line; break;
    case SY_GRANTEE_ORG:
        if (!sy_exec_acts_for_org(j->role)) return false;
        if (j->role == SY_ROLE_DEVICE && !consent->denies) return false;
        whom = j->holder;
        break;
    default: sy_store_u16(whom.bytes, j->role);
    }
    return sy_hash_equal(&consent->grantee, &whom);
}

static void note_miss(struct judge *j, enum sy_may_miss miss, const struct sy_hash *id,
                      int64_t time_ms)
{
    if (miss >= j->answer->miss) return;
    j->answer->miss = miss;
    j->answer->missed = *id;
    j->answer->missed_ms = time_ms;
}

/* In what respects a consent does not fit, counted, and the nearest of them. */
struct misses {
    unsigned count;
    enum sy_may_miss nearest;
    int64_t time_ms;
};

static void miss_unless(struct misses *misses, bool fits, enum sy_may_miss miss)
{
    if (fits) return;
    misses->count++;
    if (miss < misses->nearest) misses->nearest = miss;
}

static struct misses misses_of(const struct sy_consent *consent, const struct sy_may_question *q)
{
    struct misses misses = {.nearest = SY_MAY_MISS_NONE};
    bool over = q->time_ms > consent->until_ms;
    miss_unless(&misses, (consent->actions & SY_SET_BIT(q->action)) != 0, SY_MAY_MISS_ACTION);
    miss_unless(&misses, (consent->purposes & SY_SET_BIT(q->purpose)) != 0, SY_MAY_MISS_PURPOSE);
    miss_unless(&misses, names_class(consent, q->record_class), SY_MAY_MISS_CLASS);
    miss_unless(&misses, names_label(consent, q->label), SY_MAY_MISS_LABEL);
    miss_unless(&misses, q->time_ms >= consent->from_ms, SY_MAY_MISS_EARLY);
    miss_unless(&misses, !over, SY_MAY_MISS_EXPIRED);
    if (misses.nearest == SY_MAY_MISS_EARLY) misses.time_ms = consent->from_ms;
    if (misses.nearest == SY_MAY_MISS_EXPIRED) misses.time_ms = consent->until_ms;
    return misses;
}

/* Weighs one consent that stands as far as revocation goes. */
static void weigh(struct judge *j, const struct sy_consent *consent, const struct sy_hash *id)
{
    if (!names_key(j, consent)) return;
    struct misses misses = misses_of(consent, j->question);
    if (misses.count == 1 && !consent->denies) note_miss(j, misses.nearest, id, misses.time_ms);
    if (misses.count > 0) return;
    unsigned *circle = consent->denies ? &j->denied : &j->granted;
    unsigned named = consent->passed_on ? SY_GRANTEE_ROLE : consent->grantee_kind;
    if (named >= *circle) return;
    *circle = named;
    *(consent->denies ? &j->denial : &j->grant) = *id;
}

/* Reads a consent. One that is named and not there is a state that execution never made. */
static sy_status read_consent(const struct judge *j, struct sy_consent *consent,
                              const struct sy_hash *id)
{
    struct sy_slice value;
    sy_status status;
    if (!find(j, &status, &value, SY_STATE_CONSENT, id, NULL)) {
        return status != SY_OK ? status : SY_ERR_CORRUPT;
    }
    return sy_consent_decode(consent, value) ? SY_OK : SY_ERR_CORRUPT;
}

/* Was it given by then, and not revoked? */
static bool stands(const struct judge *j, const struct sy_consent *consent)
{
    return happened(j, consent->given_height) &&
           !(consent->revoked && happened(j, consent->revoked_height));
}

/* Weighs a consent, if it and what it was passed on from stand. A parent is no grant that was
 * passed on itself. It is read first: what is read is borrowed until the next. */
static sy_status weigh_id(struct judge *j, const struct sy_hash *id)
{
    struct sy_consent consent;
    SY_TRY(read_consent(j, &consent, id));
    if (consent.passed_on) {
        struct sy_hash parent_id = consent.parent;
        struct sy_consent parent;
        SY_TRY(read_consent(j, &parent, &parent_id));
        if (!stands(j, &parent)) return SY_OK;
        SY_TRY(read_consent(j, &consent, id));
    }
    if (stands(j, &consent)) weigh(j, &consent, id);
    return SY_OK;
}

static sy_status weigh_live(struct judge *j, const struct sy_list *live)
{
    struct sy_hash ids[SY_CONSENTS_LIVE_MAX]; // the list is borrowed until the next read
    unsigned count = 0;
    for (size_t offset = 0; count < SY_CONSENTS_LIVE_MAX; count++) {
        if (!sy_list_next_id(live, &offset, &ids[count])) break;
    }
    for (unsigned i = 0; i < count; i++) SY_TRY(weigh_id(j, &ids[i]));
    return SY_OK;
}

static sy_status weigh_all(struct judge *j, uint64_t given)
{
    for (uint64_t number = 1; number <= given; number++) {
        struct sy_hash place = {{0}};
        struct sy_hash id;
        struct sy_slice value;
        sy_status status;
        sy_store_u64(place.bytes, number);
        if (!find(j, &status, &value, SY_STATE_CONSENT_PLACE, live_id(j), &place)) {
            return status != SY_OK ? status : SY_ERR_CORRUPT;
        }
        if (!sy_id_decode(&id, value)) return SY_ERR_CORRUPT;
        SY_TRY(weigh_id(j, &id));
    }
    return SY_OK;
}

static sy_status weigh_consents(struct judge *j)
{
    struct sy_consents consents;
    struct sy_slice value;
    sy_status status;
    if (!find(j, &status, &value, SY_STATE_CONSENTS, live_id(j), NULL)) return status;
    if (!sy_consents_decode(&consents, value)) return SY_ERR_CORRUPT;
    return j->question->past ? weigh_all(j, consents.given) : weigh_live(j, &consents.live);
}

// --- the decision ------------------------------------------------------------------------------

static bool oversees(const struct judge *j)
{
    const struct sy_may_question *q = j->question;
    if (q->action != SY_ACTION_READ) return false;
    return j->role == SY_ROLE_REGULATOR ||
           (j->role == SY_ROLE_AUDITOR && q->purpose == SY_PURPOSE_AUDIT);
}

/* Does the right of a treating organisation cover it? As of a grant, a single miss is noted. */
static bool treating_fits(struct judge *j)
{
    const struct sy_may_question *q = j->question;
    static const struct sy_hash nobody;
    bool own = q->holder != NULL && sy_hash_equal(q->holder, &j->holder);
    struct misses misses = {.nearest = SY_MAY_MISS_NONE};
    miss_unless(&misses, (TREATING_ACTIONS & SY_SET_BIT(q->action)) != 0, SY_MAY_MISS_ACTION);
    miss_unless(&misses, (TREATING_PURPOSES & SY_SET_BIT(q->purpose)) != 0, SY_MAY_MISS_PURPOSE);
    miss_unless(&misses, q->label == NULL || own, SY_MAY_MISS_LABEL);
    if (misses.count == 1) note_miss(j, misses.nearest, &nobody, 0);
    return misses.count == 0;
}

static sy_status conclude(struct judge *j)
{
    struct sy_may_answer *answer = j->answer;
    bool denied = j->denied != NO_CIRCLE && j->denied <= j->granted;
    bool granted = !denied && j->granted != NO_CIRCLE;
    if (denied) answer->consent = j->denial;
    if (granted) answer->consent = j->grant;
    bool treating = !denied && !granted && answer->treats && treating_fits(j);
    if (denied || granted || treating) {
        answer->miss = SY_MAY_MISS_NONE;
        answer->missed = (struct sy_hash){{0}};
        answer->missed_ms = 0;
    }
    return decide(j, denied     ? SY_MAY_DENIED
                     : granted  ? SY_MAY_GRANTED
                     : treating ? SY_MAY_TREATMENT
                                : SY_MAY_NOTHING);
}

sy_status sy_may(struct sy_may_answer *answer, const struct sy_may_question *question,
                 sy_may_get get, void *self)
{
    SY_ASSERT(question->purpose < 32 && question->action < 32);
    *answer = (struct sy_may_answer){.miss = SY_MAY_MISS_NONE};
    struct judge j = {.question = question,
                      .answer = answer,
                      .get = get,
                      .self = self,
                      .granted = NO_CIRCLE,
                      .denied = NO_CIRCLE};
    bool enrolled;
    SY_TRY(find_subject(&j, &enrolled));
    if (!enrolled) return decide(&j, SY_MAY_NO_SUBJECT);
    enum sy_may_ground bar;
    SY_TRY(find_who(&j, &bar));
    if (bar != NO_BAR) return decide(&j, bar);
    if (j.own) return decide(&j, SY_MAY_SELF);
    if (oversees(&j)) return decide(&j, SY_MAY_OVERSIGHT);
    bool opened;
    SY_TRY(find_break(&j, &opened));
    if (opened) return decide(&j, SY_MAY_EMERGENCY);
    SY_TRY(find_care(&j));
    SY_TRY(weigh_consents(&j));
    return conclude(&j);
}
