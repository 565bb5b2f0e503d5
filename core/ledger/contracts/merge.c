/* merge.c: two ids turn out to be one person's.
 *
 * patient.link (an organisation's admin or gateway answers for it)
 *   both ids are the same                                 E_SCHEMA, path other_id
 *   a patient is not enrolled                             E_PATIENT_UNKNOWN {id}
 *   one id was merged                                     E_PATIENT_MERGED {the id in use}
 *   nobody of an organisation that treats either signed   E_NO_CARE {patient_id}
 *   and for the other one neither the patient, guardians,
 *   nor a second organisation that treats it              E_SIGNER_MISSING {other_id}
 *   they are linked                                       E_LINKED {other_id}
 *   one has 8 links                                       E_LINKS {8}
 *   writes   both patients
 *   event    patient.linked about both, object: the other
 *
 * patient.merge (an organisation's admin or gateway answers for it)
 *   both ids are the same                                 E_SCHEMA, path into_id
 *   a patient is not enrolled                             E_PATIENT_UNKNOWN {id}
 *   one id was merged                                     E_PATIENT_MERGED {the id in use}
 *   patient_id has a key                                  E_PATIENT_CLAIMED {patient_id}
 *   nobody of an organisation that treats patient_id
 *   signed                                                E_NO_CARE {patient_id}
 *   and for into_id neither the patient, guardians, nor a
 *   second organisation that treats it                    E_SIGNER_MISSING {into_id}
 *   patient_id has guardians, and too few signed          E_NOT_SUBJECT {patient_id}
 *   a consent of patient_id stands and is not over        E_MERGE_CONSENT {consent}
 *   more than 8 ids would lead one to the other           E_MERGES {8}
 *   writes   both patients, a patient place of into_id; what patient_id opted out of
 *            (contribute.c), contribution of into_id and optouts
 *   event    patient.merged about both, object: the other; with an opt-out optout.applied
 *
 * A merge ends an id: nothing new is written under it, and what stands there is into_id's, whose
 * key and consents decide about it (may.h). An id that is in use leads nowhere, so that merges
 * never make a ring. A patient's own key is never taken away by one: of two ids that have keys the
 * person keeps both, linked. A link lets nobody do anything, so that a ring of links harms nobody.
 */
#include "core/base/assert.h"
#include "core/ledger/contracts/contracts.h"
#include "core/ledger/contracts/research_rules.h"

_Static_assert(SY_CONSENTS_LIVE_MAX + SY_CONSENTS_PASSED_MAX + 4 * SY_TX_SIGNERS_MAX +
                       2 * SY_GUARDIANS_MAX + SY_MERGES_MAX + 20 <=
                   SY_OVERLAY_READS_BETWEEN,
               "a merge stays within what a payload may read");

struct side {
    const struct sy_hash *id;
    struct sy_patient patient;
    bool treats[SY_TX_SIGNERS_MAX]; /* signer i speaks for an organisation that does */
};

/* Finds a patient whose id is in use, and which signers speak for an organisation that treats it.
 */
static enum sy_refusal find_side(struct sy_exec *x, struct side *side, const struct sy_hash *id)
{
    static const uint32_t speak = SY_ROLE_BIT(SY_ROLE_ORG_ADMIN) | SY_ROLE_BIT(SY_ROLE_GATEWAY);
    SY_ASSERT(x->signer_count >= 1 && x->signer_count <= SY_TX_SIGNERS_MAX);
    *side = (struct side){.id = id};
    enum sy_refusal code = sy_exec_live_patient(x, &side->patient, id);
    if (code != SY_APPLIED) return code;
    for (unsigned i = 0; i < x->signer_count; i++) {
        const struct sy_exec_signer *signer = &x->signers[i];
        side->treats[i] = signer->valid && (speak & SY_ROLE_BIT(signer->role)) != 0 &&
                          sy_exec_treats(x, &side->patient, id, &signer->holder);
    }
    return SY_APPLIED;
}

/* Did an organisation that treats the one sign, and for the other one the patient, guardians, or a
 * second organisation? *treated: the first of it is so. */
static bool agreed(struct sy_exec *x, bool *treated, const struct side *one,
                   const struct side *other)
{
    bool subject = sy_exec_subject_signed(x, &other->patient);
    for (unsigned i = 0; i < x->signer_count; i++) {
        if (!one->treats[i]) continue;
        *treated = true;
        if (subject) return true;
        for (unsigned k = 0; k < x->signer_count; k++) {
            bool second = !sy_hash_equal(&x->signers[i].holder, &x->signers[k].holder);
            if (other->treats[k] && second) return true;
        }
    }
    return false;
}

/* Adds a link to a patient's entry. */
static enum sy_refusal add_link(struct sy_exec *x, struct side *side, const struct sy_hash *other)
{
    uint8_t room[SY_LINKS_MAX * 32];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    struct sy_list links = {.count = 0};
    struct sy_hash id;
    for (size_t offset = 0; sy_list_next_id(&side->patient.links, &offset, &id);) {
        if (sy_hash_equal(&id, other)) return sy_refuse_hash(x, SY_E_LINKED, other);
        sy_list_add_id(&links, &w, &id);
    }
    if (links.count >= SY_LINKS_MAX) {
        x->detail = SY_LINKS_MAX;
        return SY_E_LINKS;
    }
    sy_list_add_id(&links, &w, other);
    SY_ASSERT(!w.failed);
    side->patient.links = links;
    sy_exec_save_patient(x, side->id, &side->patient);
    return SY_APPLIED;
}

static void tell_both(struct sy_exec *x, enum sy_event_kind kind, const struct sy_hash *one,
                      const struct sy_hash *other)
{
    SY_ASSERT(!sy_hash_equal(one, other));
    sy_exec_event(x, kind, SY_SUBJECT_PATIENT, one, other);
    sy_exec_event(x, kind, SY_SUBJECT_PATIENT, other, one);
}

enum sy_refusal sy_contract_patient_link(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_patient_link *p = &payload->patient_link;
    SY_ASSERT(x->kind->number == SY_KIND_patient_link && x->by->valid);
    if (sy_hash_equal(&p->patient_id, &p->other_id)) {
        return sy_refuse_path(x, SY_E_SCHEMA, "other_id");
    }
    struct side one, other;
    bool treated = false;
    enum sy_refusal code = find_side(x, &one, &p->patient_id);
    if (code == SY_APPLIED) code = find_side(x, &other, &p->other_id);
    if (code != SY_APPLIED) return code;
    if (!agreed(x, &treated, &one, &other) && !agreed(x, &treated, &other, &one)) {
        return treated ? sy_refuse_hash(x, SY_E_SIGNER_MISSING, &p->other_id)
                       : sy_refuse_hash(x, SY_E_NO_CARE, &p->patient_id);
    }
    code = add_link(x, &one, &p->other_id);
    if (code == SY_APPLIED) code = add_link(x, &other, &p->patient_id);
    if (code != SY_APPLIED) return code;
    tell_both(x, SY_EVENT_PATIENT_LINKED, &p->patient_id, &p->other_id);
    return SY_APPLIED;
}

/* What guardians forbade under the id that ends would be open under the other: nobody but they may
 * take that back, before. */
static enum sy_refusal check_consents(struct sy_exec *x, const struct sy_hash *patient_id)
{
    struct sy_consents consents;
    struct sy_hash id;
    sy_exec_find_consents(x, &consents, patient_id);
    for (size_t offset = 0; sy_list_next_id(&consents.live, &offset, &id);) {
        if (!sy_consent_is_spent(x, &id)) return sy_refuse_hash(x, SY_E_MERGE_CONSENT, &id);
    }
    return SY_APPLIED;
}

static enum sy_refusal check_merge(struct sy_exec *x, const struct side *from,
                                   const struct side *into)
{
    bool treated = false;
    if (from->patient.claimed) return sy_refuse_hash(x, SY_E_PATIENT_CLAIMED, from->id);
    if (!agreed(x, &treated, from, into)) {
        return treated ? sy_refuse_hash(x, SY_E_SIGNER_MISSING, into->id)
                       : sy_refuse_hash(x, SY_E_NO_CARE, from->id);
    }
    bool guarded = from->patient.guardians_needed > 0;
    if (guarded && !sy_exec_guardians_signed(x, &from->patient)) {
        return sy_refuse_hash(x, SY_E_NOT_SUBJECT, from->id);
    }
    enum sy_refusal code = check_consents(x, from->id);
    if (code != SY_APPLIED) return code;
    if (from->patient.merges < SY_MERGES_MAX) return SY_APPLIED;
    x->detail = SY_MERGES_MAX;
    return SY_E_MERGES;
}

/* A death that was said of the one id is the other's by the word of who enrolled both: anybody else
 * could say it of an id of their own, and then merge that into a living patient's. */
static bool is_death_shared(const struct sy_patient *from, const struct sy_patient *into)
{
    return from->died && !into->died && sy_hash_equal(&from->died_by, &into->organisation);
}

enum sy_refusal sy_contract_patient_merge(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_patient_merge *p = &payload->patient_merge;
    SY_ASSERT(x->kind->number == SY_KIND_patient_merge && x->by->valid && x->height > 0);
    if (sy_hash_equal(&p->patient_id, &p->into_id)) {
        return sy_refuse_path(x, SY_E_SCHEMA, "into_id");
    }
    struct side from, into;
    enum sy_refusal code = find_side(x, &from, &p->patient_id);
    if (code == SY_APPLIED) code = find_side(x, &into, &p->into_id);
    if (code == SY_APPLIED) code = check_merge(x, &from, &into);
    if (code != SY_APPLIED) return code;
    // The events come first: each is still about an id in use, and counts in its entry.
    tell_both(x, SY_EVENT_PATIENT_MERGED, &p->patient_id, &p->into_id);
    sy_contribution_merge(x, &p->patient_id, &p->into_id);
    sy_exec_place(x, &p->into_id, SY_PLACE_MERGED, &p->patient_id, from.patient.records);
    code = find_side(x, &from, &p->patient_id);
    if (code == SY_APPLIED) code = find_side(x, &into, &p->into_id);
    if (code != SY_APPLIED) return code; // the source failed
    bool deeper = into.patient.merges <= from.patient.merges;
    bool died = is_death_shared(&from.patient, &into.patient);
    if (deeper) into.patient.merges = (uint8_t)(from.patient.merges + 1);
    if (died) {
        into.patient.died = true;
        into.patient.died_ms = from.patient.died_ms;
        into.patient.died_by = from.patient.died_by;
    }
    if (deeper || died) sy_exec_save_patient(x, into.id, &into.patient);
    from.patient.merged = true;
    from.patient.into = p->into_id;
    from.patient.merged_height = x->height;
    sy_exec_save_patient(x, from.id, &from.patient);
    return SY_APPLIED;
}
