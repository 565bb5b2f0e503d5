/* governance.c: parameters of the network, and lists that claims are judged by.
 *
 * param.set (a regulator answers for it)
 *   the value is out of the parameter's range             E_SCHEMA {least or most}, path value
 *   fewer than regulators_needed regulators signed, or
 *   than it is to be                                      E_REGULATORS {how many are needed}
 *   version is not the one after the parameters'          E_NEXT_VERSION {their version}
 *   it would count in fewer than 100 blocks               E_ACTIVATION {least height}
 *   writes   params
 *   event    param.set about the key that answered, object: name and value
 *
 * param.enact (a regulator or an organisation's admin hands it in; the approvals decide)
 *   the value is out of the parameter's range             E_SCHEMA {least or most}, path value
 *   it names another roster than the current one          E_ROSTER {epoch} {hash}: the current one
 *   an approval is by no validator's admin key            E_APPROVALS {key}
 *   fewer than quorum(n) approvals                        E_APPROVALS {how many are needed}
 *   version, height                                       as for param.set
 *   writes   params
 *   event    param.set about the key that handed it in, object: name and value
 *
 * schedule.publish (a regulator or a payer's key answers for it)
 *   by regulators: fewer than regulators_needed signed    E_REGULATORS {how many are needed}
 *   by a payer: it is not of fees                         E_ROLE {regulator}, path kind
 *   version is not the one after the publisher's newest   E_NEXT_VERSION {the newest, 0: none}
 *   it would count in fewer than 100 blocks, or before
 *   the version that it follows                           E_ACTIVATION {least height}
 *   writes   schedule, schedule version
 *   event    schedule.published about the payer, or the key that answered; object: the root
 *
 * A parameter that is set waits in the entry itself until the height comes: who reads the entry at
 * some height knows what counts then, and no block writes anything for it. Setting a parameter that
 * waits puts the new value in its place. The version makes two changes that do not know of each
 * other one, and the other refused; and nobody can hand in a change again. As many regulators as
 * there must be from then on sign when regulators_needed is raised, so that it is never more than
 * there are. A quorum of validators may set it to any number in range: should that ever be more
 * than there are, a quorum can lower it again. */
#include "core/base/assert.h"
#include "core/ledger/contracts/contracts.h"

_Static_assert(SY_REGULATORS_MAX <= SY_TX_SIGNERS_MAX, "all regulators can sign together");
_Static_assert(SY_RECORD_BYTES_MAX <= INT64_MAX && SY_CREDENTIAL_MS_MAX <= INT64_MAX,
               "a parameter's value fits where it is kept");

static uint64_t most_of(uint16_t name)
{
    switch (name) {
    case SY_PARAM_CREDENTIAL_MS_MAX: return (uint64_t)SY_CREDENTIAL_MS_MAX;
    case SY_PARAM_RECORD_BYTES_MAX: return SY_RECORD_BYTES_MAX;
    case SY_PARAM_RESEARCH_K: return SY_RESEARCH_K_MAX;
    case SY_PARAM_RESEARCH_CELLS:
    case SY_PARAM_DATASET_CELLS: return SY_RESEARCH_CELLS_MAX;
    case SY_PARAM_RESEARCH_DAYS: return SY_RESEARCH_DAYS_MAX;
    default: return SY_REGULATORS_MAX;
    }
}

static enum sy_refusal check_value(struct sy_exec *x, const struct sy_param_next *p)
{
    uint64_t least = p->name == SY_PARAM_RESEARCH_K ? SY_RESEARCH_K_MIN : 1;
    uint64_t most = most_of(p->name);
    SY_ASSERT(p->value > 0);
    if (p->value >= least && p->value <= most) return SY_APPLIED;
    x->detail = p->value < least ? least : most;
    return sy_refuse_path(x, SY_E_SCHEMA, "value");
}

static enum sy_refusal check_regulators(struct sy_exec *x, uint64_t needed)
{
    if (needed < x->params.regulators_needed) needed = x->params.regulators_needed;
    if (sy_exec_count_regulators(x) >= needed) return SY_APPLIED;
    x->detail = needed;
    return SY_E_REGULATORS;
}

/* `least`: a height before which it may not count for another reason. */
static enum sy_refusal check_activation(struct sy_exec *x, uint64_t height, uint64_t least)
{
    SY_ASSERT(x->height <= SY_SLOT_MAX && height <= SY_SLOT_MAX);
    uint64_t soonest = x->height + SY_ACTIVATION_DELAY;
    if (least < soonest) least = soonest;
    if (height >= least) return SY_APPLIED;
    x->detail = least;
    return SY_E_ACTIVATION;
}

static enum sy_refusal refuse_version(struct sy_exec *x, uint32_t newest)
{
    x->detail = newest;
    return SY_E_NEXT_VERSION;
}

/* Puts a value among those that wait, in the place of one that waits for the same parameter. */
static void put_pending(struct sy_params_state *state, const struct sy_param_next *next)
{
    unsigned at = 0;
    while (at < state->pending_count && state->pending[at].name < next->name) at++;
    bool waits = at < state->pending_count && state->pending[at].name == next->name;
    if (!waits) {
        SY_ASSERT(state->pending_count < SY_PARAMS_PENDING_MAX); // each name once
        for (unsigned i = state->pending_count++; i > at; i--) {
            state->pending[i] = state->pending[i - 1];
        }
    }
    state->pending[at] = *next;
}

static bool find_params(struct sy_exec *x, struct sy_params_state *state, struct sy_hash *key_hash)
{
    struct sy_slice value;
    sy_state_key_zero(key_hash, SY_STATE_PARAMS);
    if (sy_exec_find(x, &value, key_hash) && sy_params_state_decode(state, value)) return true;
    sy_exec_corrupt(x);
    return false;
}

/* Lets a value wait for its height, however it was decided. */
static enum sy_refusal set_param(struct sy_exec *x, const struct sy_param_next *next,
                                 uint32_t version)
{
    struct sy_params_state state;
    struct sy_hash key_hash, object = {{0}};
    if (!find_params(x, &state, &key_hash)) return SY_E_NEXT_VERSION;
    if (state.version == UINT32_MAX || version != state.version + 1) {
        return refuse_version(x, state.version);
    }
    enum sy_refusal code = check_activation(x, next->height, 0);
    if (code != SY_APPLIED) return code;
    sy_params_at(&state, x->height);
    put_pending(&state, next);
    state.version = version;
    uint8_t room[256];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_params_state_encode(&w, &state);
    sy_exec_save(x, &key_hash, &w);
    sy_store_u16(object.bytes, next->name);
    sy_store_u64(object.bytes + 2, next->value);
    struct sy_hash by = sy_hash_of_key(&x->by->key);
    sy_exec_event(x, SY_EVENT_PARAM_SET, SY_SUBJECT_KEY, &by, &object);
    return SY_APPLIED;
}

enum sy_refusal sy_contract_param_set(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_param_set *p = &payload->param_set;
    SY_ASSERT(x->kind->number == SY_KIND_param_set && x->by->valid);
    struct sy_param_next next = {p->name, p->value, p->activation_height};
    enum sy_refusal code = check_value(x, &next);
    if (code != SY_APPLIED) return code;
    code = check_regulators(x, p->name == SY_PARAM_REGULATORS_NEEDED ? p->value : 0);
    if (code != SY_APPLIED) return code;
    return set_param(x, &next, p->version);
}

enum sy_refusal sy_contract_param_enact(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_param_enact *p = &payload->param_enact;
    SY_ASSERT(x->kind->number == SY_KIND_param_enact && x->by->valid);
    struct sy_param_next next = {p->name, p->value, p->activation_height};
    enum sy_refusal code = check_value(x, &next);
    if (code == SY_APPLIED) code = sy_names_current_roster(x, payload);
    if (code == SY_APPLIED) code = sy_roster_approves(x, payload);
    return code == SY_APPLIED ? set_param(x, &next, p->version) : code;
}

/* --- schedules -------------------------------------------------------------------------------- */

static enum sy_refusal check_publisher(struct sy_exec *x, const struct sy_schedule_publish *p)
{
    if (x->by->role == SY_ROLE_REGULATOR) return check_regulators(x, 0);
    SY_ASSERT(x->by->role == SY_ROLE_PAYER);
    if (p->kind == SY_SCHEDULE_FEES) return SY_APPLIED;
    (void)sy_refuse_path(x, SY_E_ROLE, "kind");
    return sy_refuse_role(x, SY_ROLE_BIT(SY_ROLE_REGULATOR));
}

static void save_schedule(struct sy_exec *x, const struct sy_hash *publisher, uint16_t kind,
                          const struct sy_schedule *schedule)
{
    uint8_t room[64];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    struct sy_hash key_hash;
    SY_ASSERT(schedule->version > 0);
    sy_schedule_encode(&w, schedule);
    sy_state_key_schedule(&key_hash, publisher, kind);
    sy_exec_save(x, &key_hash, &w);
    sy_state_key_schedule_version(&key_hash, publisher, kind, schedule->version);
    sy_exec_save(x, &key_hash, &w);
}

enum sy_refusal sy_contract_schedule_publish(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_schedule_publish *p = &payload->schedule_publish;
    SY_ASSERT(x->kind->number == SY_KIND_schedule_publish && x->by->valid);
    enum sy_refusal code = check_publisher(x, p);
    if (code != SY_APPLIED) return code;
    // A regulator's holder is zero, and so stands for all of them.
    struct sy_hash key_hash, publisher = x->by->holder, by = sy_hash_of_key(&x->by->key);
    struct sy_schedule last = {.version = 0};
    struct sy_slice value;
    sy_state_key_schedule(&key_hash, &publisher, p->kind);
    if (sy_exec_find(x, &value, &key_hash) && !sy_schedule_decode(&last, value)) {
        x->failed = SY_ERR_CORRUPT;
        return SY_E_NEXT_VERSION;
    }
    if (last.version == UINT32_MAX || p->version != last.version + 1) {
        return refuse_version(x, last.version);
    }
    code = check_activation(x, p->activation_height, last.activation_height);
    if (code != SY_APPLIED) return code;
    struct sy_schedule schedule = {p->version, p->root, p->activation_height, x->height};
    save_schedule(x, &publisher, p->kind, &schedule);
    bool payers = x->by->role == SY_ROLE_PAYER;
    sy_exec_event(x, SY_EVENT_SCHEDULE_PUBLISHED, payers ? SY_SUBJECT_ORG : SY_SUBJECT_KEY,
                  payers ? &publisher : &by, &p->root);
    return SY_APPLIED;
}
