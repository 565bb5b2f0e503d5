/* nation_trials.c: what a sponsor, an ethics board and a site do, by number: each number is a trial
 * of its own, with one subject. The first organisation is the site of all of them. */
#include "bench/nation.h"

#include <string.h>

#include "core/base/assert.h"
#include "core/wire/state_trial.h"

#define YEAR_MS (365ll * 24 * 3600 * 1000)

static void begin(struct sy_nation_plan *plan, uint16_t kind, uint64_t number,
                  struct sy_nation_person *first, struct sy_nation_person *second)
{
    memset(plan, 0, sizeof *plan);
    plan->kind = kind;
    plan->signers[0] = first;
    plan->signers[1] = second;
    plan->signer_count = second != NULL ? 2 : 1;
    plan->payload.trial_register.trial_id = sy_nation_id('T', number); // each kind begins with it
}

static struct sy_hash subject_of(uint64_t number)
{
    return sy_nation_id('S', number);
}

/* The subject's key, made for the trial; it signs second, so its nonces are never asked for. */
static struct sy_nation_person *consenter(uint64_t number)
{
    static struct sy_nation_person person;
    struct sy_hash seed = sy_nation_id('K', number);
    memset(&person, 0, sizeof person);
    // A number of its own, far above those of devices.
    person.key = sy_nation_key((UINT64_C(1) << 40) + (sy_load_u64(seed.bytes) >> 32));
    return &person;
}

// --- who there is ------------------------------------------------------------------------------

void sy_nation_trial_org(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    struct sy_nation_payer *house = number == 0 ? &nation->sponsor : &nation->board;
    *plan = (struct sy_nation_plan){.kind = SY_KIND_org_register,
                                    .signers = {&nation->regulators[0], &house->admin},
                                    .signer_count = 2};
    struct sy_org_register *p = &plan->payload.org_register;
    p->org_id = house->id;
    p->kind = number == 0 ? SY_ORG_SPONSOR : SY_ORG_AUTHORITY;
    p->name_hash = house->id;
    p->admin_key = house->admin.key;
    p->x25519_key = house->admin.key;
}

void sy_nation_trial_staff(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    struct {
        struct sy_nation_person *admin, *person;
        uint16_t role;
    } staff[] = {
        {&nation->sponsor.admin, &nation->sponsor.clerk, SY_ROLE_SPONSOR},
        {&nation->sponsor.admin, &nation->second_sponsor, SY_ROLE_SPONSOR},
        {&nation->board.admin, &nation->board.clerk, SY_ROLE_ETHICS},
        {&nation->orgs[0].admin, &nation->investigator, SY_ROLE_INVESTIGATOR},
        {&nation->orgs[1].admin, &nation->researcher, SY_ROLE_RESEARCHER},
    };
    SY_ASSERT(number < SY_NATION_TRIAL_STAFF);
    *plan = (struct sy_nation_plan){
        .kind = SY_KIND_cred_issue, .signers = {staff[number].admin}, .signer_count = 1};
    struct sy_cred_issue *p = &plan->payload.cred_issue;
    p->subject_key = staff[number].person->key;
    p->role = staff[number].role;
    p->org_id = staff[number].admin->organisation;
    p->x25519_key = p->subject_key;
    p->not_before = nation->genesis.created_ms;
    p->not_after = p->not_before + nation->genesis.params.credential_ms_max;
}

// --- trials ------------------------------------------------------------------------------------

static void add_id(sy_nation *nation, struct sy_list *list, struct sy_hash id)
{
    sy_list_add_id(list, &nation->lists, &id);
    SY_ASSERT(!nation->lists.failed);
}

void sy_nation_register_trial(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    static const uint8_t shares[] = {1, 1};
    begin(plan, SY_KIND_trial_register, number, &nation->sponsor.clerk, &nation->board.clerk);
    struct sy_trial_register *p = &plan->payload.trial_register;
    p->protocol_commit = sy_nation_id('e', number);
    p->sap_commit = p->form_commit = p->protocol_commit;
    add_id(nation, &p->endpoints, p->protocol_commit);
    p->target = 400;
    p->completion = nation->header.time_ms + YEAR_MS;
    add_id(nation, &p->sites, nation->orgs[0].id);
    p->shares = sy_slice_of(shares, sizeof shares);
}

void sy_nation_amend_trial(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    begin(plan, SY_KIND_trial_amend, number, &nation->sponsor.clerk, &nation->board.clerk);
    struct sy_trial_amend *p = &plan->payload.trial_amend;
    p->version = 2;
    p->protocol_commit = p->sap_commit = p->changes_commit = sy_nation_id('f', number);
    p->form_commit = sy_nation_id('e', number);
    add_id(nation, &p->endpoints, p->form_commit);
    p->target = 400;
    p->completion = nation->header.time_ms + YEAR_MS;
    add_id(nation, &p->sites, nation->orgs[0].id);
    p->reason = SY_TRIAL_SCIENCE;
}

void sy_nation_open_site(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    begin(plan, SY_KIND_site_activate, number, &nation->sponsor.clerk, &nation->investigator);
    plan->payload.site_activate.org_id = nation->orgs[0].id;
}

// --- subjects ----------------------------------------------------------------------------------

void sy_nation_agree(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    struct sy_nation_person *person = consenter(number);
    begin(plan, SY_KIND_subject_consent, number, &nation->investigator, person);
    struct sy_subject_consent *p = &plan->payload.subject_consent;
    p->subject_id = subject_of(number);
    p->consent_key = person->key;
    p->by = SY_CONSENTER_SUBJECT;
    p->form_version = 1;
    p->form_commit = sy_nation_id('e', number);
}

void sy_nation_place(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    begin(plan, SY_KIND_subject_enrol, number, &nation->investigator, NULL);
    plan->payload.subject_enrol.subject_id = subject_of(number);
}

void sy_nation_leave(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    begin(plan, SY_KIND_subject_withdraw, number, &nation->investigator, NULL);
    plan->payload.subject_withdraw.subject_id = subject_of(number);
    plan->payload.subject_withdraw.reason = SY_WITHDRAW_LOST;
}

// --- the draw ----------------------------------------------------------------------------------

void sy_nation_seed(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    struct sy_hash trial = sy_nation_id('T', number), seed = sy_nation_id('s', number);
    begin(plan, SY_KIND_randomise_commit, number, &nation->sponsor.clerk, NULL);
    sy_trial_seed_commit(&plan->payload.randomise_commit.commit, &trial, &seed);
    plan->payload.randomise_commit.reveal_days = 30;
}

void sy_nation_salt(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    begin(plan, SY_KIND_randomise_salt, number, &nation->board.clerk, NULL);
    plan->payload.randomise_salt.salt = sy_nation_id('i', number);
}

void sy_nation_unblind(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    begin(plan, SY_KIND_unblind, number, &nation->sponsor.clerk, NULL);
}

void sy_nation_reveal(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    begin(plan, SY_KIND_randomise_reveal, number, &nation->sponsor.clerk, NULL);
    plan->payload.randomise_reveal.seed = sy_nation_id('s', number);
}

// --- data and results --------------------------------------------------------------------------

void sy_nation_collect(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    begin(plan, SY_KIND_data_commit, number, &nation->orgs[0].gateway, NULL);
    plan->payload.data_commit.visit = plan->payload.data_commit.form = 1;
    plan->payload.data_commit.rows = 20;
    plan->payload.data_commit.root = sy_nation_id('h', number);
}

void sy_nation_report_event(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    begin(plan, SY_KIND_ae_report, number, &nation->investigator, NULL);
    struct sy_ae_report *p = &plan->payload.ae_report;
    p->subject_id = subject_of(number);
    p->grade = 3;
    p->serious = true;
    p->related = SY_RELATED_POSSIBLY;
    p->aware = nation->header.time_ms;
}

void sy_nation_lock(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    begin(plan, SY_KIND_db_lock, number, &nation->sponsor.clerk, &nation->second_sponsor);
    struct sy_db_lock *p = &plan->payload.db_lock;
    p->root = sy_nation_id('h', number);
    p->meaning = SY_MEANING_APPROVAL;
    p->second = nation->second_sponsor.key;
    p->second_meaning = SY_MEANING_REVIEW;
}

void sy_nation_post(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    begin(plan, SY_KIND_result_post, number, &nation->sponsor.clerk, &nation->second_sponsor);
    struct sy_result_post *p = &plan->payload.result_post;
    p->effect_commit = p->tables_root = sy_nation_id('h', number);
    add_id(nation, &p->endpoints, sy_nation_id('e', number));
    p->meaning = SY_MEANING_AUTHOR;
    p->second = nation->second_sponsor.key;
    p->second_meaning = SY_MEANING_RESPONSIBILITY;
}
