/* research.c: data sets of the research commons: what each has, who keeps it, where it came from.
 *
 * dataset.publish (an admin of a custodian answers for it)
 *   the id is taken                                       E_DATASET_EXISTS {id}
 *   needed is above how many custodians there are         E_SCHEMA, path needed
 *   the ethics board is of a custodian                    E_CONFLICT {it}
 *   who answers is no custodian's                         E_DATA_CUSTODIAN {the data set}
 *   no admin of a custodian signed                        E_CUSTODIANS {it}
 *   no key of the ethics board signed                     E_ETHICS {its organisation}
 *   codes or phenotypes do not ascend, or are none        E_SCHEMA, path codes or phenotypes
 *   devices, and it is not of wearables                   E_SCHEMA, path devices
 *   a beacon, and it is not genetic                       E_SCHEMA, path beacon_root
 *   as_of is not below this height                        E_LINEAGE {the highest}
 *   another data set has or had the root of its records   E_LINEAGE {that}
 *   writes   dataset, dataset version, dataset root
 *   event    dataset.published about the ethics board and each custodian; object: the data set
 *
 * dataset.update (an admin of a custodian answers for it)
 *   there is no such data set                             E_DATASET_UNKNOWN {id}
 *   it is withdrawn                                       E_DATASET_STATE {height}
 *   version is not the next one                           E_NEXT_VERSION {the newest}
 *   who answers is no custodian's                         E_DATA_CUSTODIAN {the data set}
 *   fewer custodians signed than it takes                 E_CUSTODIANS {how many} {the data set}
 *   then as for dataset.publish from E_ETHICS on; as_of
 *   is below that of the version before                   E_LINEAGE {the lowest}
 *   writes   as above
 *   event    dataset.changed as above
 *
 * dataset.withdraw (a custodian's admin, its ethics board or a regulator answers for it)
 *   unknown, withdrawn                                    as above
 *   neither a regulator, nor of a custodian or the board  E_DATA_CUSTODIAN {the data set}
 *   writes   dataset
 *   event    dataset.withdrawn as above
 *
 * Custodians, how many of them it takes, and the ethics board are the data set's for good: no two
 * custodians let a third in who decides alone. The root of its records stays its own, so what was
 * published once is not published under another id; records that differ a little have another
 * root, and what that could win is bounded by the budget of the custodian (research_query.c).
 * One organisation alone stops a data set, and none alone begins one. */
#include "core/base/assert.h"
#include "core/ledger/contracts/contracts.h"
#include "core/ledger/contracts/research_rules.h"
#include "core/ledger/contracts/trial_rules.h"

/* What dataset.publish and dataset.update both say. */
struct said {
    const struct sy_hash *id;
    uint32_t number;
    struct sy_dataset_version version;
};

#define SAID_OF(p, n)                                    \
    {                                                    \
        .id = &(p)->dataset_id, .number = (n),           \
        .version = {.schema_commit = (p)->schema_commit, \
                    .counts_root = (p)->counts_root,     \
                    .record_root = (p)->record_root,     \
                    .as_of = (p)->as_of,                 \
                    .basis = (p)->basis,                 \
                    .genetic = (p)->genetic,             \
                    .wearable = (p)->wearable,           \
                    .has_beacon = (p)->has_beacon_root,  \
                    .devices = (p)->devices,             \
                    .ages = (p)->ages,                   \
                    .people = (p)->people,               \
                    .beacon_root = (p)->beacon_root,     \
                    .codes = (p)->codes,                 \
                    .phenotypes = (p)->phenotypes},      \
    }

static bool codes_good(const struct sy_list *codes)
{
    struct sy_slice code;
    for (size_t offset = 0; sy_list_next_text(codes, &offset, &code);) {
        if (memchr(code.data, '|', code.size) == NULL) return false;
    }
    return sy_texts_ascend(codes);
}

static enum sy_refusal check_lineage(struct sy_exec *x, const struct said *said, uint64_t least)
{
    struct sy_slice value;
    struct sy_hash owner;
    bool within = said->version.as_of >= least && said->version.as_of < x->height;
    if (!within) {
        x->detail = said->version.as_of < least ? least : x->height - 1;
        return SY_E_LINEAGE;
    }
    bool taken = sy_exec_find_at(x, &value, SY_STATE_DATASET_ROOT, &said->version.record_root) &&
                 sy_exec_decoded(x, sy_id_decode(&owner, value));
    if (!taken || sy_hash_equal(&owner, said->id)) return SY_APPLIED;
    return sy_refuse_hash(x, SY_E_LINEAGE, &owner);
}

/* ethics: whose board has to sign. least: the lowest as_of. */
static enum sy_refusal check_said(struct sy_exec *x, const struct said *said,
                                  const struct sy_hash *ethics, uint64_t least)
{
    const struct sy_dataset_version *version = &said->version;
    if (sy_trial_signer(x, SY_ROLE_ETHICS, ethics) == NULL) {
        return sy_refuse_hash(x, SY_E_ETHICS, ethics);
    }
    if (!codes_good(&version->codes)) return sy_refuse_path(x, SY_E_SCHEMA, "codes");
    if (!sy_texts_phenotypes(&version->phenotypes)) {
        return sy_refuse_path(x, SY_E_SCHEMA, "phenotypes");
    }
    if (version->devices != 0 && !version->wearable) {
        return sy_refuse_path(x, SY_E_SCHEMA, "devices");
    }
    if (version->has_beacon && !version->genetic) {
        return sy_refuse_path(x, SY_E_SCHEMA, "beacon_root");
    }
    return check_lineage(x, said, least);
}

static void tell(struct sy_exec *x, enum sy_event_kind kind, const struct sy_dataset *dataset,
                 const struct sy_hash *id)
{
    struct sy_hash custodian;
    sy_exec_event(x, kind, SY_SUBJECT_ORG, &dataset->ethics, id);
    for (size_t offset = 0; sy_list_next_id(&dataset->custodians, &offset, &custodian);) {
        sy_exec_event(x, kind, SY_SUBJECT_ORG, &custodian, id);
    }
}

static void save(struct sy_exec *x, struct said *said, struct sy_dataset *dataset)
{
    uint8_t room[64];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    dataset->version = said->number;
    said->version.custodian_key = x->by->key;
    said->version.ethics_key = sy_trial_signer(x, SY_ROLE_ETHICS, &dataset->ethics)->key;
    said->version.height = x->height;
    said->version.time_ms = x->time_ms;
    sy_dataset_save_version(x, said->id, said->number, &said->version);
    sy_id_encode(&w, said->id);
    sy_exec_save_at(x, SY_STATE_DATASET_ROOT, &said->version.record_root, &w);
    sy_dataset_save(x, said->id, dataset);
}

static enum sy_refusal check_new(struct sy_exec *x, const struct sy_dataset_publish *p,
                                 const struct sy_dataset *dataset)
{
    struct sy_hash custodian;
    if (sy_exec_has(x, SY_STATE_DATASET, &p->dataset_id)) {
        return sy_refuse_hash(x, SY_E_DATASET_EXISTS, &p->dataset_id);
    }
    if (p->needed > p->custodians.count) return sy_refuse_path(x, SY_E_SCHEMA, "needed");
    if (sy_dataset_kept_by(dataset, &p->ethics)) {
        return sy_refuse_hash(x, SY_E_CONFLICT, &p->ethics);
    }
    if (!sy_dataset_kept_by(dataset, &x->by->holder)) {
        return sy_refuse_hash(x, SY_E_DATA_CUSTODIAN, &p->dataset_id);
    }
    for (size_t offset = 0; sy_list_next_id(&p->custodians, &offset, &custodian);) {
        if (sy_trial_signer(x, SY_ROLE_ORG_ADMIN, &custodian) != NULL) continue;
        return sy_refuse_hash(x, SY_E_CUSTODIANS, &custodian);
    }
    return SY_APPLIED;
}

enum sy_refusal sy_contract_dataset_publish(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_dataset_publish *p = &payload->dataset_publish;
    SY_ASSERT(x->kind->number == SY_KIND_dataset_publish && x->by->valid);
    struct said said = SAID_OF(p, 1);
    struct sy_dataset dataset = {
        .ethics = p->ethics,
        .needed = p->needed,
        .height = x->height,
        .time_ms = x->time_ms,
        .custodians = p->custodians,
    };
    enum sy_refusal code = check_new(x, p, &dataset);
    if (code == SY_APPLIED) code = check_said(x, &said, &p->ethics, 1);
    if (code != SY_APPLIED) return code;
    tell(x, SY_EVENT_DATASET_PUBLISHED, &dataset, &p->dataset_id);
    save(x, &said, &dataset);
    return SY_APPLIED;
}

static enum sy_refusal check_next(struct sy_exec *x, const struct sy_dataset_update *p,
                                  const struct sy_dataset *dataset)
{
    if ((uint64_t)dataset->version + 1 != p->version) {
        x->detail = dataset->version;
        return SY_E_NEXT_VERSION;
    }
    if (!sy_dataset_kept_by(dataset, &x->by->holder)) {
        return sy_refuse_hash(x, SY_E_DATA_CUSTODIAN, &p->dataset_id);
    }
    if (sy_dataset_signed(x, dataset, NULL) >= dataset->needed) return SY_APPLIED;
    x->detail = dataset->needed;
    return sy_refuse_hash(x, SY_E_CUSTODIANS, &p->dataset_id);
}

enum sy_refusal sy_contract_dataset_update(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_dataset_update *p = &payload->dataset_update;
    SY_ASSERT(x->kind->number == SY_KIND_dataset_update && x->by->valid);
    struct said said = SAID_OF(p, p->version);
    struct sy_dataset dataset;
    struct sy_dataset_version before;
    enum sy_refusal code = sy_dataset_find_open(x, &dataset, &p->dataset_id);
    if (code == SY_APPLIED) code = check_next(x, p, &dataset);
    if (code != SY_APPLIED) return code;
    if (!sy_dataset_find_version(x, &before, &p->dataset_id, dataset.version)) {
        return SY_E_DATASET_UNKNOWN; // the block is abandoned
    }
    code = check_said(x, &said, &dataset.ethics, before.as_of);
    if (code != SY_APPLIED) return code;
    tell(x, SY_EVENT_DATASET_CHANGED, &dataset, &p->dataset_id);
    save(x, &said, &dataset);
    return SY_APPLIED;
}

enum sy_refusal sy_contract_dataset_withdraw(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_dataset_withdraw *p = &payload->dataset_withdraw;
    struct sy_dataset dataset;
    SY_ASSERT(x->kind->number == SY_KIND_dataset_withdraw && x->by->valid);
    enum sy_refusal code = sy_dataset_find_open(x, &dataset, &p->dataset_id);
    if (code != SY_APPLIED) return code;
    bool board = x->by->role == SY_ROLE_ETHICS && sy_hash_equal(&x->by->holder, &dataset.ethics);
    bool keeps = x->by->role == SY_ROLE_ORG_ADMIN && sy_dataset_kept_by(&dataset, &x->by->holder);
    if (!board && !keeps && x->by->role != SY_ROLE_REGULATOR) {
        return sy_refuse_hash(x, SY_E_DATA_CUSTODIAN, &p->dataset_id);
    }
    dataset.withdrawn = true;
    dataset.reason = p->reason;
    dataset.withdrawn_height = x->height;
    dataset.withdrawn_ms = x->time_ms;
    tell(x, SY_EVENT_DATASET_WITHDRAWN, &dataset, &p->dataset_id);
    sy_dataset_save(x, &p->dataset_id, &dataset);
    return SY_APPLIED;
}
