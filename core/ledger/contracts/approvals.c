/* approvals.c: what a quorum of the validators' admin keys decides, whoever hands it in. */
#include "core/base/assert.h"
#include "core/ledger/contracts/contracts.h"
#include "core/wire/approval.h"

enum sy_refusal sy_names_current_roster(struct sy_exec *x, const union sy_payload *payload)
{
    struct sy_roster_named named = sy_approved_roster(x->kind, payload);
    if (named.epoch == x->roster->epoch && sy_hash_equal(&named.hash, &x->roster_hash)) {
        return SY_APPLIED;
    }
    x->detail = x->roster->epoch;
    return sy_refuse_hash(x, SY_E_ROSTER, &x->roster_hash);
}

static bool is_admin(const struct sy_roster *roster, const struct sy_public_key *key)
{
    for (uint16_t i = 0; i < roster->count; i++) {
        if (sy_public_key_equal(&roster->validators[i].admin_key, key)) return true;
    }
    return false;
}

/* Admission has checked the signatures; no key stands twice, by the field's rule. */
enum sy_refusal sy_roster_approves(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_list *approvals = sy_approvals_of(x->kind, payload);
    struct sy_approval approval;
    for (size_t offset = 0; sy_list_next_approval(approvals, &offset, &approval);) {
        if (!is_admin(x->roster, &approval.key)) {
            return sy_refuse_key(x, SY_E_APPROVALS, &approval.key);
        }
    }
    unsigned needed = sy_quorum(x->roster->count);
    SY_ASSERT(needed > 0 && needed <= x->roster->count);
    if (approvals->count >= needed) return SY_APPLIED;
    x->detail = needed;
    return SY_E_APPROVALS;
}
