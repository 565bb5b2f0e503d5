/* access.c: access in an emergency, which nothing forbids and everybody hears of.
 *
 * access.breakglass (a doctor or a nurse answers for it)
 *   its credential does not say break_glass               E_ROLE {doctor, nurse}, path break_glass
 *   the patient is not enrolled                           E_PATIENT_UNKNOWN {id}
 *   the id was merged                                     E_PATIENT_MERGED {the id in use}
 *   the id is taken                                       E_BREAK_EXISTS {id}
 *   until is past, or more than four hours ahead          E_BREAK_WINDOW {four hours, ms}
 *   one of this key's is not reviewed after 72 hours, or
 *   sixteen are not                                       E_REVIEW {id of the oldest}
 *   writes   break, break of, breaks
 *   event    breakglass.used about the patient, object: the break
 *
 * access.review (an organisation's admin answers for it)
 *   there is no such break                                E_BREAK_UNKNOWN {id}
 *   it was another organisation's key                     E_NOT_AUTHOR {organisation}
 *   it was reviewed                                       E_BREAK_STATE {id}
 *   writes   break; breaks, removed with the last one
 *   event    breakglass.reviewed about the patient, object: the break
 *
 * A key that replaced another takes over its breaks, reviewed or not: they are the holder's.
 * What it lets do: may.h. Who breaks the glass holds a credential that an admin of the organisation
 * issued for it, and another person's key reviews: no key is both a doctor's and an admin's. */
#include "core/base/assert.h"
#include "core/ledger/contracts/contracts.h"

/* The key's breaks that are not reviewed; none when there is no entry. */
static struct sy_list find_open(struct sy_exec *x, const struct sy_hash *key_hash)
{
    struct sy_slice value;
    struct sy_list open = {.count = 0};
    if (!sy_exec_find(x, &value, key_hash)) return open;
    if (!sy_breaks_decode(&open, value)) x->failed = SY_ERR_CORRUPT;
    SY_ASSERT(open.count <= SY_BREAKS_OPEN_MAX);
    return open;
}

static bool find_break(struct sy_exec *x, struct sy_break *out, const struct sy_hash *id)
{
    struct sy_hash key_hash;
    struct sy_slice value;
    sy_exec_key(x, &key_hash, SY_STATE_BREAK, id);
    if (!sy_exec_find(x, &value, &key_hash)) return false;
    if (sy_break_decode(out, value)) return true;
    x->failed = SY_ERR_CORRUPT;
    return false;
}

static void save_break(struct sy_exec *x, const struct sy_hash *id, const struct sy_break *entry)
{
    uint8_t room[512];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    struct sy_hash key_hash;
    SY_ASSERT(entry->from_ms <= entry->until_ms);
    SY_ASSERT(entry->reviewed == (entry->reviewed_height != 0));
    sy_break_encode(&w, entry);
    sy_exec_key(x, &key_hash, SY_STATE_BREAK, id);
    sy_exec_save(x, &key_hash, &w);
}

static void save_open(struct sy_exec *x, const struct sy_hash *key_hash, const struct sy_list *open)
{
    uint8_t room[SY_BREAKS_OPEN_MAX * 32 + 8];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    SY_ASSERT(open->count <= SY_BREAKS_OPEN_MAX);
    if (open->count == 0) {
        sy_exec_remove(x, key_hash);
        return;
    }
    sy_breaks_encode(&w, open);
    sy_exec_save(x, key_hash, &w);
}

/* The oldest comes first, so it is the one whose review is overdue if any is. */
static enum sy_refusal check_reviews(struct sy_exec *x, const struct sy_list *open)
{
    struct sy_hash oldest;
    struct sy_break entry;
    size_t offset = 0;
    if (!sy_list_next_id(open, &offset, &oldest)) return SY_APPLIED;
    if (!find_break(x, &entry, &oldest)) {
        sy_exec_corrupt(x);
        return SY_E_REVIEW;
    }
    bool overdue = x->time_ms - entry.from_ms > SY_REVIEW_MS_MAX;
    if (!overdue && open->count < SY_BREAKS_OPEN_MAX) return SY_APPLIED;
    return sy_refuse_hash(x, SY_E_REVIEW, &oldest);
}

static enum sy_refusal check_break(struct sy_exec *x, const struct sy_access_breakglass *p)
{
    struct sy_credential credential;
    if (!sy_exec_find_credential(x, &credential, &x->by->key) || !credential.break_glass) {
        (void)sy_refuse_path(x, SY_E_ROLE, "break_glass");
        return sy_refuse_role(x, x->kind->roles);
    }
    struct sy_patient patient;
    enum sy_refusal code = sy_exec_live_patient(x, &patient, &p->patient_id);
    if (code != SY_APPLIED) return code;
    if (sy_exec_has(x, SY_STATE_BREAK, &p->break_id)) {
        return sy_refuse_hash(x, SY_E_BREAK_EXISTS, &p->break_id);
    }
    if (p->until >= x->time_ms && p->until - x->time_ms <= SY_BREAK_MS_MAX) return SY_APPLIED;
    x->detail = (uint64_t)SY_BREAK_MS_MAX;
    return SY_E_BREAK_WINDOW;
}

/* Makes it the newest of this holder and patient; the one before stays to be found from it. */
static void chain_break(struct sy_exec *x, struct sy_break *entry, const struct sy_hash *break_id)
{
    struct sy_hash key_hash;
    uint8_t room[32];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    struct sy_slice value;
    SY_ASSERT(!entry->has_previous && !entry->reviewed);
    sy_state_key_break_of(&key_hash, &entry->patient, &x->by->line);
    entry->has_previous = sy_exec_find(x, &value, &key_hash);
    if (entry->has_previous && !sy_id_decode(&entry->previous, value)) x->failed = SY_ERR_CORRUPT;
    sy_id_encode(&w, break_id);
    sy_exec_save(x, &key_hash, &w);
}

enum sy_refusal sy_contract_access_breakglass(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_access_breakglass *p = &payload->access_breakglass;
    SY_ASSERT(x->kind->number == SY_KIND_access_breakglass && x->by->valid);
    SY_ASSERT(sy_exec_acts_for_org(x->by->role));
    enum sy_refusal code = check_break(x, p);
    if (code != SY_APPLIED) return code;
    struct sy_hash open_key;
    sy_exec_key(x, &open_key, SY_STATE_BREAKS, &x->by->line);
    struct sy_list open = find_open(x, &open_key);
    code = check_reviews(x, &open);
    if (code != SY_APPLIED) return code;
    struct sy_break entry = {
        .patient = p->patient_id,
        .key = x->by->key,
        .organisation = x->by->holder,
        .reason = p->reason,
        .height = x->height,
        .from_ms = x->time_ms,
        .until_ms = p->until,
    };
    chain_break(x, &entry, &p->break_id);
    save_break(x, &p->break_id, &entry);
    uint8_t room[SY_BREAKS_OPEN_MAX * 32];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    struct sy_list longer = {.count = 0};
    struct sy_hash id;
    for (size_t offset = 0; sy_list_next_id(&open, &offset, &id);) {
        sy_list_add_id(&longer, &w, &id);
    }
    sy_list_add_id(&longer, &w, &p->break_id);
    SY_ASSERT(!w.failed);
    save_open(x, &open_key, &longer);
    sy_exec_event(x, SY_EVENT_BREAKGLASS_USED, SY_SUBJECT_PATIENT, &p->patient_id, &p->break_id);
    return SY_APPLIED;
}

enum sy_refusal sy_contract_access_review(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_access_review *p = &payload->access_review;
    SY_ASSERT(x->kind->number == SY_KIND_access_review && x->by->valid);
    SY_ASSERT(x->height > 0 && x->by->role == SY_ROLE_ORG_ADMIN);
    struct sy_break entry;
    if (!find_break(x, &entry, &p->break_id)) {
        return sy_refuse_hash(x, SY_E_BREAK_UNKNOWN, &p->break_id);
    }
    if (!sy_hash_equal(&entry.organisation, &x->by->holder)) {
        return sy_refuse_hash(x, SY_E_NOT_AUTHOR, &entry.organisation);
    }
    if (entry.reviewed) return sy_refuse_hash(x, SY_E_BREAK_STATE, &p->break_id);
    entry.reviewed = true;
    entry.outcome = p->outcome;
    entry.reviewed_height = x->height;
    entry.reviewer = x->by->key;
    save_break(x, &p->break_id, &entry);
    struct sy_hash line = sy_exec_line(x, &entry.key), open_key, id;
    sy_exec_key(x, &open_key, SY_STATE_BREAKS, &line);
    struct sy_list open = find_open(x, &open_key), shorter = {.count = 0};
    uint8_t room[SY_BREAKS_OPEN_MAX * 32];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    for (size_t offset = 0; sy_list_next_id(&open, &offset, &id);) {
        if (!sy_hash_equal(&id, &p->break_id)) sy_list_add_id(&shorter, &w, &id);
    }
    save_open(x, &open_key, &shorter);
    sy_exec_event(x, SY_EVENT_BREAKGLASS_REVIEWED, SY_SUBJECT_PATIENT, &entry.patient,
                  &p->break_id);
    return SY_APPLIED;
}
