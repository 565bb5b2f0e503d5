/* contribute.c: whether a patient's records may be counted for research.
 *
 * contribute.optin, contribute.optout (the patient or a guardian answers for it)
 *   the patient is not enrolled, or merged                E_PATIENT_UNKNOWN, E_PATIENT_MERGED {id}
 *   neither the patient nor as many guardians as it takes
 *   signed                                                E_NOT_SUBJECT {the patient}
 *   classes do not ascend                                 E_SCHEMA, path classes
 *   an opt-out of all that leaves genetic data in         E_SCHEMA, path genetic
 *   the same was said last                                E_CONTRIBUTION {0}
 *   less than a day ago something was said, unless this
 *   is an opt-out of all, or takes back an opt-in         E_CONTRIBUTION {until when to wait, ms}
 *   writes   contribution; an opt-out also optouts
 *   event    optin.applied, optout.applied about the patient; object: the patient
 *
 * What is said last counts, as a whole. It is about research as such and not about a data set, so
 * it tells nobody where a patient's records lie: whoever keeps a data set looks its own people up.
 * It names the patient, as a consent does, and no commitment to one: a custodian who was never
 * given what opens it would go on counting. Opting out is possible at any moment, and counts for
 * what is approved from then on (research_result.c); an id that is merged into another one takes
 * its opt-out along. */
#include "core/base/assert.h"
#include "core/ledger/contracts/contracts.h"
#include "core/ledger/contracts/research_rules.h"
#include "core/wire/state_research.h"

static bool said_before(const struct sy_contribution *before, const struct sy_contribution *now)
{
    return before->in == now->in && before->genetic == now->genetic &&
           before->classes.count == now->classes.count &&
           sy_slice_equal(before->classes.items, now->classes.items);
}

static enum sy_refusal check_again(struct sy_exec *x, const struct sy_contribution *before,
                                   const struct sy_contribution *now)
{
    bool at_once = !now->in && (before->in || now->classes.count == 0);
    int64_t wait = before->time_ms + SY_OPTIN_MS_MIN;
    if (said_before(before, now)) return SY_E_CONTRIBUTION;
    if (at_once || x->time_ms >= wait) return SY_APPLIED;
    x->detail = (uint64_t)wait;
    return SY_E_CONTRIBUTION;
}

static void count_optout(struct sy_exec *x)
{
    uint8_t room[32];
    struct sy_hash key_hash;
    struct sy_optouts optouts = {
        .count = sy_optouts_count(x) + 1, .height = x->height, .time_ms = x->time_ms};
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_state_key_zero(&key_hash, SY_STATE_OPTOUTS);
    sy_optouts_encode(&w, &optouts);
    sy_exec_save(x, &key_hash, &w);
}

static enum sy_refusal say(struct sy_exec *x, const struct sy_hash *patient_id,
                           struct sy_contribution *now)
{
    uint8_t room[1024];
    struct sy_patient patient;
    struct sy_slice value;
    struct sy_contribution before;
    enum sy_refusal code = sy_exec_live_patient(x, &patient, patient_id);
    if (code != SY_APPLIED) return code;
    if (!sy_exec_subject_signed(x, &patient)) {
        return sy_refuse_hash(x, SY_E_NOT_SUBJECT, patient_id);
    }
    if (!sy_texts_ascend(&now->classes)) return sy_refuse_path(x, SY_E_SCHEMA, "classes");
    bool all = !now->in && now->classes.count == 0;
    if (all && !now->genetic) return sy_refuse_path(x, SY_E_SCHEMA, "genetic");
    bool again = sy_exec_find_at(x, &value, SY_STATE_CONTRIBUTION, patient_id) &&
                 sy_exec_decoded(x, sy_contribution_decode(&before, value));
    if (again) code = check_again(x, &before, now);
    if (code != SY_APPLIED) return code;
    now->times = again && before.times < UINT32_MAX ? before.times + 1 : 1;
    now->height = x->height;
    now->time_ms = x->time_ms;
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_contribution_encode(&w, now);
    sy_exec_save_at(x, SY_STATE_CONTRIBUTION, patient_id, &w);
    if (!now->in) count_optout(x);
    sy_exec_event(x, now->in ? SY_EVENT_OPTIN_APPLIED : SY_EVENT_OPTOUT_APPLIED, SY_SUBJECT_PATIENT,
                  patient_id, patient_id);
    return SY_APPLIED;
}

enum sy_refusal sy_contract_contribute_optin(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_contribute_optin *p = &payload->contribute_optin;
    SY_ASSERT(x->kind->number == SY_KIND_contribute_optin && x->by->valid);
    struct sy_contribution now = {.in = true, .genetic = p->genetic, .classes = p->classes};
    return say(x, &p->patient_id, &now);
}

enum sy_refusal sy_contract_contribute_optout(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_contribute_optout *p = &payload->contribute_optout;
    SY_ASSERT(x->kind->number == SY_KIND_contribute_optout && x->by->valid);
    struct sy_contribution now = {.in = false, .genetic = p->genetic, .classes = p->classes};
    return say(x, &p->patient_id, &now);
}

/* What both ids said: an opt-out of either holds, two that differ make one of all. */
void sy_contribution_merge(struct sy_exec *x, const struct sy_hash *from,
                           const struct sy_hash *into)
{
    uint8_t room[1024];
    struct sy_slice value;
    struct sy_contribution out, own = {.times = 0};
    struct sy_writer w = sy_writer_of(room, sizeof room);
    bool said = sy_exec_find_at(x, &value, SY_STATE_CONTRIBUTION, into) &&
                sy_exec_decoded(x, sy_contribution_decode(&own, value));
    uint32_t times = own.times;
    bool stays = said && !own.in;
    bool leaves = sy_exec_find_at(x, &value, SY_STATE_CONTRIBUTION, from) &&
                  sy_exec_decoded(x, sy_contribution_decode(&out, value)) && !out.in;
    if (!leaves) return;
    if (stays) {
        out.genetic = true;
        out.classes = (struct sy_list){.count = 0};
    }
    out.times = times < UINT32_MAX ? times + 1 : times;
    out.height = x->height;
    out.time_ms = x->time_ms;
    sy_contribution_encode(&w, &out);
    sy_exec_save_at(x, SY_STATE_CONTRIBUTION, into, &w);
    count_optout(x);
    sy_exec_event(x, SY_EVENT_OPTOUT_APPLIED, SY_SUBJECT_PATIENT, into, into);
}
