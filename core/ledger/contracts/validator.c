/* validator.c: changes of the roster: a validator added, removed, or given new keys.
 *
 * validator.add, validator.remove, validator.rekey (a regulator or an organisation's admin hands
 * them in; the approvals decide)
 *   they name another roster than the current one         E_ROSTER {epoch} {hash}: the current one
 *   a change has yet to take effect                       E_ROSTER_PENDING {height of its effect}
 *   an approval is by no validator's admin key            E_APPROVALS {key}
 *   fewer than quorum(n) approvals                        E_APPROVALS {how many are needed}
 *   a new key is or was enrolled for anything             E_KEY_IN_USE {key}
 *   a new key is not canonical, of small order, ...       E_KEY_WEAK {key}
 *   no validator has the consensus key named              E_VALIDATOR_UNKNOWN {key}
 *   fewer than 4 or more than 100 would be left           E_QUORUM
 *   a name or address that no roster may have             E_SCHEMA, path
 *   nothing would change                                  E_ROSTER_SAME
 *   writes   roster change of the next epoch, the new keys' credentials
 *   event    validators.changed about the validator's consensus key, object: the next roster's hash
 *
 * Executed at height c, a change takes effect at c + SY_ROSTER_DELAY: that block is the first that
 * the new roster orders and seals. A key that leaves the roster stays enrolled, and so can never
 * come back. */
#include "core/base/assert.h"
#include "core/ledger/contracts/contracts.h"
#include "core/wire/roster_change.h"

/* The keys that a change brings, as far as it does, and the consensus key that it is about. */
struct subject {
    const struct sy_public_key *validator;
    struct sy_hash organisation;
    const struct sy_public_key *keys[3]; /* consensus, link, admin */
};

static struct subject subject_of(const struct sy_exec *x, const union sy_payload *payload)
{
    struct subject subject = {0};
    if (x->kind->number == SY_KIND_validator_add) {
        const struct sy_validator_add *p = &payload->validator_add;
        subject = (struct subject){.validator = &p->consensus_key,
                                   .organisation = p->org_id,
                                   .keys = {&p->consensus_key, &p->link_key, &p->admin_key}};
    } else if (x->kind->number == SY_KIND_validator_remove) {
        subject.validator = &payload->validator_remove.validator;
    } else {
        const struct sy_validator_rekey *p = &payload->validator_rekey;
        subject.validator = &p->validator;
        subject.keys[0] = p->has_consensus_key ? &p->consensus_key : NULL;
        subject.keys[1] = p->has_link_key ? &p->link_key : NULL;
        subject.keys[2] = p->has_admin_key ? &p->admin_key : NULL;
        int index = sy_roster_find(x->roster, subject.validator);
        if (index >= 0) subject.organisation = x->roster->validators[index].organisation;
    }
    return subject;
}

/* One change at a time. */
static enum sy_refusal check_pending(struct sy_exec *x)
{
    struct sy_hash key_hash;
    struct sy_slice value;
    sy_state_key_roster_change(&key_hash, x->roster->epoch + 1);
    if (!sy_exec_find(x, &value, &key_hash)) return SY_APPLIED;
    struct sy_roster_next next;
    if (sy_roster_next_decode(&next, value)) x->detail = next.first;
    return SY_E_ROSTER_PENDING;
}

static enum sy_refusal make_next(struct sy_exec *x, struct sy_hash *next_hash,
                                 const union sy_payload *payload, const struct subject *subject)
{
    const char *path = "";
    struct sy_roster next;
    enum sy_refusal code = sy_roster_apply(&next, &path, x->roster, x->kind->number, payload);
    if (code == SY_E_SCHEMA) return sy_refuse_path(x, code, path);
    if (code == SY_E_VALIDATOR_UNKNOWN) return sy_refuse_key(x, code, subject->validator);
    if (code == SY_APPLIED) sy_roster_hash(next_hash, x->genesis, &next);
    return code;
}

static enum sy_refusal enrol_keys(struct sy_exec *x, const struct subject *subject)
{
    static const uint8_t uses[3] = {SY_KEY_CONSENSUS, SY_KEY_LINK, SY_KEY_ADMIN};
    for (unsigned i = 0; i < 3; i++) {
        if (!subject->keys[i]) continue;
        enum sy_refusal code =
            sy_exec_enrol_validator(x, subject->keys[i], uses[i], &subject->organisation);
        if (code != SY_APPLIED) return code;
    }
    return SY_APPLIED;
}

static void save_change(struct sy_exec *x, const union sy_payload *payload)
{
    uint8_t change[SY_ROSTER_CHANGE_BYTES_MAX];
    uint8_t room[SY_ROSTER_CHANGE_BYTES_MAX + 16];
    struct sy_writer w = sy_writer_of(change, sizeof change);
    sy_approved_encode(&w, x->kind, payload);
    SY_ASSERT(!w.failed);
    struct sy_roster_next next = {.first = x->height + SY_ROSTER_DELAY,
                                  .kind = x->kind->number,
                                  .change = sy_writer_slice(&w)};
    struct sy_hash key_hash;
    sy_state_key_roster_change(&key_hash, x->roster->epoch + 1);
    w = sy_writer_of(room, sizeof room);
    sy_roster_next_encode(&w, &next);
    sy_exec_save(x, &key_hash, &w);
    x->roster_changed = true;
}

enum sy_refusal sy_contract_validator(struct sy_exec *x, const union sy_payload *payload)
{
    SY_ASSERT(sy_kind_changes_roster(x->kind->number));
    struct subject subject = subject_of(x, payload);
    struct sy_hash next_hash, about;
    enum sy_refusal code = sy_names_current_roster(x, payload);
    if (code == SY_APPLIED) code = check_pending(x);
    if (code == SY_APPLIED) code = sy_roster_approves(x, payload);
    if (code == SY_APPLIED) code = enrol_keys(x, &subject);
    if (code == SY_APPLIED) code = make_next(x, &next_hash, payload, &subject);
    if (code != SY_APPLIED) return code;
    save_change(x, payload);
    about = sy_hash_of_key(subject.validator);
    sy_exec_event(x, SY_EVENT_VALIDATORS_CHANGED, SY_SUBJECT_KEY, &about, &next_hash);
    return SY_APPLIED;
}
