/* trial.c: clinical trials: what each says, its versions, its sites.
 *
 * trial.register (a sponsor's key answers for it)
 *   the trial id is taken                                 E_TRIAL_EXISTS {id}
 *   no key of an ethics board signed that is not of the
 *   sponsor's own organisation                            E_ETHICS
 *   an arm has no share                                   E_SCHEMA, path shares
 *   completion is not ahead of block time                 E_SCHEMA, path completion
 *   a site is not registered                              E_ORG_UNKNOWN {it}
 *   writes   trial, trial version
 *   event    trial.registered about the sponsor and the ethics board's organisation; object: the
 *            trial
 *
 * trial.amend (a sponsor's key answers for it)
 *   the trial is not registered                           E_TRIAL_STATE {0}
 *   it is another sponsor's                               E_NOT_SPONSOR {that}
 *   its data are locked                                   E_LOCKED {height}
 *   version is not the next one                           E_NEXT_VERSION {the newest}
 *   no key of the trial's ethics board signed             E_ETHICS {its organisation}
 *   the target is below who is enrolled                   E_SCHEMA, path target
 *   completion is another one, not ahead of block time    E_SCHEMA, path completion
 *   a site is left out                                    E_SITE {it}
 *   a new one is not registered                           E_ORG_UNKNOWN {it}
 *   writes   trial, trial version
 *   events   trial.changed as above; when the consent form is another one,
 *            consent.reconsent_needed about each active site; when the endpoints are others and
 *            somebody was enrolled, endpoint.changed as above; object: the trial
 *
 * site.activate (a sponsor's key answers for it)
 *   as of trial.amend, up to E_LOCKED
 *   the newest version does not name the site             E_SITE {it}
 *   it is active                                          E_TRIAL_STATE {3}
 *   no investigator of the site signed                    E_SIGNER_MISSING {site}
 *   writes   trial, trial site
 *   event    trial.changed as above, and about the site
 *
 * A version says all of it anew and stays for good, so what was registered at any time is proven by
 * two entries. Sites only become more: a subject's site does not vanish. Arms and their shares are
 * the trial's for ever, as its randomisation rests on them. */
#include "core/base/assert.h"
#include "core/ledger/contracts/contracts.h"
#include "core/ledger/contracts/trial_rules.h"

_Static_assert(SY_TRIAL_SITES_MAX * 4 + 2 * SY_TX_SIGNERS_MAX + 16 <= SY_OVERLAY_READS_BETWEEN,
               "sites stay within what a payload may read");
_Static_assert(SY_TRIAL_SITES_MAX + 16 <= SY_OVERLAY_WRITES_BETWEEN, "and write");

/* A board's key: of one organisation (ethics), or of any but the sponsor's (NULL). */
static const struct sy_exec_signer *find_board(const struct sy_exec *x,
                                               const struct sy_hash *ethics)
{
    if (ethics != NULL) return sy_trial_signer(x, SY_ROLE_ETHICS, ethics);
    for (unsigned i = 0; i < x->signer_count; i++) {
        const struct sy_exec_signer *signer = &x->signers[i];
        bool board = signer->valid && signer->role == SY_ROLE_ETHICS;
        if (board && !sy_hash_equal(&signer->holder, &x->by->holder)) return signer;
    }
    return NULL;
}

/* Organisations that are not among those named before must be registered. */
static enum sy_refusal check_sites(struct sy_exec *x, const struct sy_list *sites,
                                   const struct sy_list *before)
{
    struct sy_hash site;
    struct sy_org org;
    for (size_t offset = 0; sy_list_next_id(before, &offset, &site);) {
        if (!sy_trial_list_has(sites, &site)) return sy_refuse_hash(x, SY_E_SITE, &site);
    }
    for (size_t offset = 0; sy_list_next_id(sites, &offset, &site);) {
        if (sy_trial_list_has(before, &site)) continue;
        if (!sy_exec_find_org(x, &org, &site)) return sy_refuse_hash(x, SY_E_ORG_UNKNOWN, &site);
    }
    return SY_APPLIED;
}

static bool shares_good(struct sy_slice shares)
{
    SY_ASSERT(shares.size >= 1 && shares.size <= SY_TRIAL_ARMS_MAX); // by the field's rule
    for (size_t i = 0; i < shares.size; i++) {
        if (shares.data[i] == 0) return false;
    }
    return true;
}

static void register_it(struct sy_exec *x, const struct sy_trial_register *p,
                        const struct sy_exec_signer *board)
{
    struct sy_trial trial = {
        .sponsor = x->by->holder,
        .ethics = board->holder,
        .version = 1,
        .form_version = 1,
        .form_commit = p->form_commit,
        .target = p->target,
        .arm_count = (uint8_t)p->shares.size,
        .height = x->height,
        .time_ms = x->time_ms,
    };
    struct sy_trial_version version = {
        .protocol_commit = p->protocol_commit,
        .sap_commit = p->sap_commit,
        .form_commit = p->form_commit,
        .form_version = 1,
        .target = p->target,
        .completion_ms = p->completion,
        .sponsor_key = x->by->key,
        .ethics_key = board->key,
        .height = x->height,
        .time_ms = x->time_ms,
        .endpoints = p->endpoints,
        .sites = p->sites,
    };
    memcpy(trial.shares, p->shares.data, p->shares.size);
    sy_trial_save(x, &p->trial_id, &trial);
    sy_trial_save_version(x, &p->trial_id, 1, &version);
    sy_trial_tell(x, SY_EVENT_TRIAL_REGISTERED, &trial, &p->trial_id);
}

enum sy_refusal sy_contract_trial_register(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_trial_register *p = &payload->trial_register;
    const struct sy_list none = {0};
    SY_ASSERT(x->kind->number == SY_KIND_trial_register && x->by->valid);
    if (sy_exec_has(x, SY_STATE_TRIAL, &p->trial_id)) {
        return sy_refuse_hash(x, SY_E_TRIAL_EXISTS, &p->trial_id);
    }
    const struct sy_exec_signer *board = find_board(x, NULL);
    if (board == NULL) return SY_E_ETHICS;
    if (!shares_good(p->shares)) return sy_refuse_path(x, SY_E_SCHEMA, "shares");
    if (p->completion <= x->time_ms) return sy_refuse_path(x, SY_E_SCHEMA, "completion");
    enum sy_refusal code = check_sites(x, &p->sites, &none);
    if (code != SY_APPLIED) return code;
    register_it(x, p, board);
    return SY_APPLIED;
}

// --- amendments --------------------------------------------------------------------------------

static enum sy_refusal check_amendment(struct sy_exec *x, const struct sy_trial *trial,
                                       const struct sy_trial_amend *p)
{
    if ((uint64_t)trial->version + 1 != p->version) {
        x->detail = trial->version;
        return SY_E_NEXT_VERSION;
    }
    if (find_board(x, &trial->ethics) == NULL) {
        return sy_refuse_hash(x, SY_E_ETHICS, &trial->ethics);
    }
    if (p->target < trial->enrolled) return sy_refuse_path(x, SY_E_SCHEMA, "target");
    return SY_APPLIED;
}

static void tell_sites(struct sy_exec *x, const struct sy_trial_amend *p)
{
    struct sy_hash site;
    for (size_t offset = 0; sy_list_next_id(&p->sites, &offset, &site);) {
        if (!sy_trial_has_site(x, &p->trial_id, &site)) continue;
        sy_exec_event(x, SY_EVENT_CONSENT_RECONSENT_NEEDED, SY_SUBJECT_ORG, &site, &p->trial_id);
    }
}

static void amend(struct sy_exec *x, struct sy_trial *trial, const struct sy_trial_amend *p,
                  bool other_endpoints)
{
    bool other_form = !sy_hash_equal(&trial->form_commit, &p->form_commit);
    bool after_first = trial->enrolled > 0, switches = other_endpoints && after_first;
    trial->version = p->version;
    trial->form_version += other_form ? 1 : 0;
    trial->form_commit = p->form_commit;
    trial->target = p->target;
    trial->endpoints_amended = trial->endpoints_amended || switches;
    struct sy_trial_version version = {
        .protocol_commit = p->protocol_commit,
        .sap_commit = p->sap_commit,
        .form_commit = p->form_commit,
        .form_version = trial->form_version,
        .target = p->target,
        .completion_ms = p->completion,
        .amends = true,
        .other_endpoints = other_endpoints,
        .after_first = after_first,
        .changes_commit = p->changes_commit,
        .reason = p->reason,
        .sponsor_key = x->by->key,
        .ethics_key = find_board(x, &trial->ethics)->key,
        .height = x->height,
        .time_ms = x->time_ms,
        .endpoints = p->endpoints,
        .sites = p->sites,
    };
    sy_trial_save(x, &p->trial_id, trial);
    sy_trial_save_version(x, &p->trial_id, p->version, &version);
    sy_trial_tell(x, SY_EVENT_TRIAL_CHANGED, trial, &p->trial_id);
    if (switches) sy_trial_tell(x, SY_EVENT_ENDPOINT_CHANGED, trial, &p->trial_id);
    if (other_form) tell_sites(x, p);
}

enum sy_refusal sy_contract_trial_amend(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_trial_amend *p = &payload->trial_amend;
    struct sy_trial trial;
    struct sy_trial_version before;
    SY_ASSERT(x->kind->number == SY_KIND_trial_amend && x->by->valid);
    enum sy_refusal code = sy_trial_find_own(x, &trial, &p->trial_id);
    if (code == SY_APPLIED) code = sy_trial_check_open(x, &trial);
    if (code == SY_APPLIED) code = check_amendment(x, &trial, p);
    if (code != SY_APPLIED) return code;
    if (!sy_trial_find_version(x, &before, &p->trial_id, trial.version)) {
        return sy_trial_refuse(x, SY_TRIAL_UNREGISTERED); // the block is abandoned
    }
    bool moved = p->completion != before.completion_ms;
    if (moved && p->completion <= x->time_ms) return sy_refuse_path(x, SY_E_SCHEMA, "completion");
    code = check_sites(x, &p->sites, &before.sites);
    if (code != SY_APPLIED) return code;
    amend(x, &trial, p, !sy_trial_lists_same(&before.endpoints, &p->endpoints));
    return SY_APPLIED;
}

// --- sites -------------------------------------------------------------------------------------

enum sy_refusal sy_contract_site_activate(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_site_activate *p = &payload->site_activate;
    struct sy_trial trial;
    struct sy_trial_version version;
    SY_ASSERT(x->kind->number == SY_KIND_site_activate && x->by->valid);
    enum sy_refusal code = sy_trial_find_own(x, &trial, &p->trial_id);
    if (code == SY_APPLIED) code = sy_trial_check_open(x, &trial);
    if (code != SY_APPLIED) return code;
    bool named = sy_trial_find_version(x, &version, &p->trial_id, trial.version) &&
                 sy_trial_list_has(&version.sites, &p->org_id);
    if (!named) return sy_refuse_hash(x, SY_E_SITE, &p->org_id);
    if (sy_trial_has_site(x, &p->trial_id, &p->org_id)) return sy_trial_refuse(x, SY_TRIAL_DONE);
    const struct sy_exec_signer *investigator =
        sy_trial_signer(x, SY_ROLE_INVESTIGATOR, &p->org_id);
    if (investigator == NULL) return sy_refuse_hash(x, SY_E_SIGNER_MISSING, &p->org_id);
    struct sy_trial_site site = {
        .investigator = investigator->key, .height = x->height, .time_ms = x->time_ms};
    trial.sites++;
    sy_trial_save(x, &p->trial_id, &trial);
    sy_trial_save_site(x, &p->trial_id, &p->org_id, &site);
    sy_trial_tell_site(x, SY_EVENT_TRIAL_CHANGED, &trial, &p->org_id, &p->trial_id);
    return SY_APPLIED;
}
