/* nation.c: keys, blocks and state of a nation; nation_deeds.c: what people do. */
#include "bench/nation.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "core/base/assert.h"
#include "core/crypto/hash.h"
#include "core/crypto/keys.h"

#define SCRATCH_BYTES (64u << 10)
#define LIST_BYTES (32u << 10)
#define BEGIN_MS 1700000000000ll
#define FIRST_ORGS_PERCENT 30u
#define FIRST_PAYER_PERCENT 40u

/* Numbers of keys: people's count from 0. */
#define FRESH_KEYS (UINT64_C(1) << 40)
#define VALIDATOR_KEYS (UINT64_C(1) << 41)
#define OTHER_KEYS (UINT64_C(1) << 42)
#define DEVICE_KEYS (UINT64_C(1) << 43)

struct sy_hash sy_nation_id(char sort, uint64_t number)
{
    uint8_t bytes[9] = {(uint8_t)sort};
    struct sy_hash id;
    sy_store_u64(bytes + 1, number);
    sy_sha256(&id, bytes, sizeof bytes);
    return id;
}

// --- people ------------------------------------------------------------------------------------

static sy_status make_person(struct sy_nation_person *person, uint64_t *number,
                             const struct sy_hash *organisation)
{
    struct sy_hash seed = sy_nation_id('k', (*number)++);
    sy_secret_key *key;
    SY_TRY(sy_secret_key_from_seed(&key, seed.bytes));
    sy_secret_key_public(key, &person->key);
    sy_secret_key_close(key);
    if (organisation != NULL) person->organisation = *organisation;
    return SY_OK;
}

/* Whose patient somebody is: first whether of the first hundredth of organisations, then which, by
 * Zipf's law. sums: of 1/1, 1/2 ... up to each organisation's. */
static uint32_t draw_org(sy_nation *nation, const uint64_t *sums)
{
    uint32_t few = (nation->org_count + 99) / 100;
    bool first = sy_prng_chance(&nation->prng, FIRST_ORGS_PERCENT, 100);
    uint32_t low = first ? 0 : few, high = first ? few : nation->org_count;
    uint64_t base = low > 0 ? sums[low - 1] : 0;
    uint64_t drawn = base + sy_prng_below(&nation->prng, sums[high - 1] - base);
    for (high--; low < high;) {
        uint32_t middle = low + (high - low) / 2;
        if (drawn < sums[middle])
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static uint32_t draw_payer(sy_nation *nation)
{
    if (sy_prng_chance(&nation->prng, FIRST_PAYER_PERCENT, 100)) return 0;
    return 1 + (uint32_t)sy_prng_below(&nation->prng, SY_NATION_PAYERS - 1);
}

static sy_status make_patients(sy_nation *nation, uint64_t *number)
{
    SY_ASSERT(nation->org_count > 0);
    uint64_t *sums = (uint64_t *)calloc(nation->org_count, sizeof *sums), sum = 0;
    sy_status status = sums != NULL ? SY_OK : SY_ERR_NO_MEMORY;
    for (uint32_t i = 0; status == SY_OK && i < nation->org_count; i++) {
        sum += 1000000000u / (i + 1);
        sums[i] = sum;
    }
    for (uint32_t i = 0; status == SY_OK && i < nation->patient_count; i++) {
        struct sy_nation_patient *patient = &nation->patients[i];
        patient->id = sy_nation_id('p', i);
        patient->organisation = draw_org(nation, sums);
        patient->payer = draw_payer(nation);
        status = make_person(&patient->wallet, number, NULL);
    }
    free(sums);
    return status;
}

/* Who runs clinical trials. */
static sy_status make_trialists(sy_nation *nation, uint64_t *number)
{
    struct sy_nation_payer *houses[] = {&nation->sponsor, &nation->board};
    for (unsigned i = 0; i < SY_NATION_TRIAL_ORGS; i++) {
        houses[i]->id = sy_nation_id('z', i);
        SY_TRY(make_person(&houses[i]->admin, number, &houses[i]->id));
        SY_TRY(make_person(&houses[i]->clerk, number, &houses[i]->id));
    }
    SY_TRY(make_person(&nation->second_sponsor, number, &nation->sponsor.id));
    SY_TRY(make_person(&nation->researcher, number, &nation->orgs[1].id));
    return make_person(&nation->investigator, number, &nation->orgs[0].id);
}

static sy_status make_people(sy_nation *nation)
{
    uint64_t number = 0;
    SY_TRY(make_person(&nation->regulators[0], &number, NULL));
    SY_TRY(make_person(&nation->regulators[1], &number, NULL));
    for (uint32_t i = 0; i < nation->org_count; i++) {
        struct sy_nation_org *org = &nation->orgs[i];
        org->id = sy_nation_id('o', i);
        SY_TRY(make_person(&org->admin, &number, &org->id));
        SY_TRY(make_person(&org->gateway, &number, &org->id));
        SY_TRY(make_person(&org->doctor, &number, &org->id));
        SY_TRY(make_person(&org->nurse, &number, &org->id));
    }
    SY_TRY(make_patients(nation, &number));
    for (uint32_t i = 0; i < SY_NATION_PAYERS; i++) {
        struct sy_nation_payer *payer = &nation->payers[i];
        payer->id = sy_nation_id('y', i);
        SY_TRY(make_person(&payer->admin, &number, &payer->id));
        SY_TRY(make_person(&payer->clerk, &number, &payer->id));
    }
    return make_trialists(nation, &number);
}

struct sy_nation_person *sy_nation_fresh(sy_nation *nation, uint64_t number)
{
    SY_ASSERT(nation->fresh_count > 0);
    uint64_t place = number % nation->fresh_count;
    struct sy_nation_person *person = &nation->fresh[place];
    struct sy_public_key none = {{0}};
    uint64_t of_key = FRESH_KEYS + place;
    if (!sy_public_key_equal(&person->key, &none)) return person;
    sy_status status = make_person(person, &of_key, NULL);
    SY_ASSERT(status == SY_OK); // as all before
    return person;
}

struct sy_nation_person *sy_nation_device(sy_nation *nation, uint64_t number)
{
    struct sy_nation_device *device = &nation->devices[number % SY_NATION_DEVICES];
    uint64_t of_key = DEVICE_KEYS + number;
    if (device->number == number + 1) return &device->person;
    *device = (struct sy_nation_device){.number = number + 1};
    sy_status status = make_person(&device->person, &of_key, NULL);
    SY_ASSERT(status == SY_OK); // as all before
    return &device->person;
}

struct sy_public_key sy_nation_key(uint64_t number)
{
    struct sy_nation_person person;
    uint64_t of_key = OTHER_KEYS + number;
    sy_status status = make_person(&person, &of_key, NULL);
    SY_ASSERT(status == SY_OK);
    return person.key;
}

static sy_status make_genesis(sy_nation *nation, struct sy_error *err)
{
    struct sy_genesis *genesis = &nation->genesis;
    uint64_t number = VALIDATOR_KEYS;
    genesis->format = SY_GENESIS_FORMAT;
    genesis->created_ms = BEGIN_MS;
    genesis->protocol = SY_PROTOCOL_VERSION;
    genesis->params.regulators_needed = 2;
    genesis->params.credential_ms_max = 5ll * 365 * 24 * 3600 * 1000;
    genesis->params.record_bytes_max = 1u << 30;
    genesis->roster.count = SY_NATION_MAKERS;
    for (unsigned i = 0; i < SY_NATION_MAKERS; i++) {
        struct sy_validator *validator = &genesis->roster.validators[i];
        struct sy_nation_person keys[3];
        for (unsigned k = 0; k < 3; k++) SY_TRY(make_person(&keys[k], &number, NULL));
        (void)snprintf(validator->name, sizeof validator->name, "v%u", i);
        validator->organisation = sy_nation_id('v', i);
        validator->consensus_key = keys[0].key;
        validator->link_key = keys[1].key;
        validator->admin_key = keys[2].key;
        char *addresses[3] = {validator->control_address, validator->bulk_address,
                              validator->client_address};
        for (unsigned k = 0; k < 3; k++) {
            (void)snprintf(addresses[k], SY_ADDRESS_BYTES_MAX + 1, "tcp://127.0.0.1:%u",
                           27100 + 10 * i + k);
        }
    }
    genesis->regulator_count = 2;
    genesis->regulators[0] = nation->regulators[0].key;
    genesis->regulators[1] = nation->regulators[1].key;
    return sy_genesis_seal(genesis, err);
}

// --- the state, counted ------------------------------------------------------------------------

static sy_status count_get(void *self, struct sy_slice *value, const struct sy_hash *key_hash)
{
    sy_nation *nation = (sy_nation *)self;
    struct sy_state_source source = sy_replay_state_source(nation->state);
    nation->reads++;
    return source.get(source.self, value, key_hash);
}

static sy_status count_scan(void *self, const struct sy_hash *prefix, unsigned bits,
                            sy_state_visit visit, void *user)
{
    sy_nation *nation = (sy_nation *)self;
    struct sy_state_source source = sy_replay_state_source(nation->state);
    nation->scans++;
    return source.scan(source.self, prefix, bits, visit, user);
}

static sy_status open_ledger(sy_nation *nation, struct sy_error *err)
{
    uint8_t *room = (uint8_t *)malloc(SY_LEDGER_GENESIS_BYTES_MAX);
    if (room == NULL) return sy_fail(err, SY_ERR_NO_MEMORY, "nation: no memory");
    struct sy_writer deltas = sy_writer_of(room, SY_LEDGER_GENESIS_BYTES_MAX);
    struct sy_hash root;
    sy_status status = sy_replay_state_open(&nation->state, err);
    if (status == SY_OK) status = sy_ledger_genesis(&deltas, &root, &nation->genesis);
    if (status == SY_OK) {
        status = sy_replay_state_apply(nation->state, sy_writer_slice(&deltas), err);
    }
    free(room);
    SY_TRY(status);
    sy_genesis_header(&nation->header, &nation->genesis, &root);
    struct sy_ledger_config config = {.genesis = &nation->genesis,
                                      .source = {nation, count_get, count_scan}};
    return sy_ledger_open(&nation->ledger, &config, err);
}

// --- blocks ------------------------------------------------------------------------------------

static void begin_block(sy_nation *nation)
{
    for (unsigned i = 0; i < SY_NATION_MAKERS; i++) {
        sy_batch_builder_init(&nation->builders[i], nation->rooms[i], SY_BATCH_BYTES_MAX);
    }
    nation->maker = 0;
    nation->tx_count = 0;
    nation->tx_bytes = 0;
    nation->lists = sy_writer_of(nation->scratch, LIST_BYTES);
}

bool sy_nation_add(sy_nation *nation, const struct sy_nation_plan *plan)
{
    static const struct sy_signature zeros;
    uint8_t payload[8192];
    struct sy_writer p = sy_writer_of(payload, sizeof payload);
    struct sy_writer w = sy_writer_of(nation->scratch + LIST_BYTES, SCRATCH_BYTES - LIST_BYTES);
    struct sy_nation_person *signer = plan->signers[0];
    sy_payload_encode(&p, sy_kind_by_number(plan->kind), &plan->payload);
    struct sy_tx tx = {.version = SY_TX_VERSION,
                       .kind = plan->kind,
                       .signer = signer->key,
                       .organisation = signer->organisation,
                       .nonce = signer->nonce + 1,
                       .valid_until_ms = nation->header.time_ms + 3600 * 1000,
                       .cosigner_count = (uint8_t)(plan->signer_count - 1),
                       .payload = sy_writer_slice(&p)};
    memcpy(tx.network, sy_network_tag(&nation->genesis), sizeof tx.network);
    if (plan->signer_count > 1) tx.cosigners[0] = plan->signers[1]->key;
    sy_tx_encode_body(&w, &tx);
    struct sy_slice body = sy_writer_slice(&w);
    for (unsigned i = 0; i < plan->signer_count; i++) sy_write_signature(&w, &zeros);
    SY_ASSERT(!p.failed && !w.failed);
    if (nation->tx_count == SY_NATION_TXS_MAX) return false;
    while (!sy_batch_builder_add(&nation->builders[nation->maker], sy_writer_slice(&w))) {
        if (nation->maker + 1 == SY_NATION_MAKERS) return false;
        nation->maker++;
    }
    sy_hash_leaf(&nation->ids[nation->tx_count++], body);
    nation->tx_bytes += w.used;
    nation->lists.used = 0;
    signer->nonce++;
    return true;
}

/* Ends the batches, as if their makers had signed them. */
static unsigned end_batches(sy_nation *nation, struct sy_block_entry *entries)
{
    static const struct sy_signature zeros;
    const struct sy_hash *ids = nation->ids;
    unsigned count = 0;
    for (unsigned i = 0; i < SY_NATION_MAKERS && nation->builders[i].count > 0; i++) {
        struct sy_batch_header header = {
            .maker = nation->genesis.roster.validators[i].consensus_key,
            .seq = nation->seqs[i]++,
            .id_root = ids[0],
        };
        struct sy_block_entry *entry = &entries[count++];
        *entry = (struct sy_block_entry){.entry = {.maker = (uint16_t)i, .seq = header.seq},
                                         .tx_ids = ids};
        ids += nation->builders[i].count;
        sy_batch_builder_head(&nation->builders[i], &entry->entry.digest, &header,
                              &nation->genesis.hash);
        entry->batch = sy_batch_builder_finish(&nation->builders[i], &zeros);
    }
    return count;
}

/* CPU time of this thread, which does all of it: other programs' share of the machine is no cost of
 * execution. */
static uint64_t cpu_ns(void)
{
    struct timespec now;
    int failed = clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    SY_ASSERT(!failed);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

sy_status sy_nation_run(sy_nation *nation, struct sy_nation_figures *figures, struct sy_error *err)
{
    struct sy_block_entry entries[SY_NATION_MAKERS];
    struct sy_block_input input = {
        .height = nation->header.height + 1,
        .epoch = sy_ledger_roster(nation->ledger, nation->header.height + 1)->epoch,
        .time_ms = nation->header.time_ms + (nation->step_ms != 0 ? nation->step_ms : 1000),
        .previous = &nation->header,
        .entries = entries,
        .entry_count = end_batches(nation, entries)};
    nation->reads = nation->scans = 0;
    uint64_t start = cpu_ns();
    SY_TRY(sy_ledger_execute(nation->ledger, &nation->result, &input, err));
    uint64_t took_ns = cpu_ns() - start;
    SY_ASSERT(nation->result.tx_count == nation->tx_count);
    *figures = (struct sy_nation_figures){.took_ns = took_ns,
                                          .txs = nation->tx_count,
                                          .applied = nation->result.applied_count,
                                          .reads = nation->reads,
                                          .scans = nation->scans,
                                          .writes = nation->result.delta_count,
                                          .receipt_bytes = nation->result.receipts.size,
                                          .tx_bytes = nation->tx_bytes};
    SY_TRY(sy_replay_state_apply(nation->state, nation->result.deltas, err));
    nation->header = nation->result.header;
    begin_block(nation);
    return SY_OK;
}

sy_status sy_nation_turn(sy_nation *nation, struct sy_error *err)
{
    struct sy_nation_figures figures;
    while (sy_ledger_next_epoch(nation->ledger, nation->header.height) != 0) {
        SY_TRY(sy_nation_run(nation, &figures, err));
    }
    return SY_OK;
}

uint16_t sy_nation_refusal(const sy_nation *nation)
{
    for (uint32_t i = 0; i < nation->result.tx_count; i++) {
        const uint8_t *at = nation->result.receipts.data + nation->result.receipt_offsets[i];
        struct sy_reader r = sy_reader_of(sy_slice_of(at + 4, sy_load_u32(at)));
        struct sy_receipt receipt;
        if (sy_receipt_decode(&r, &receipt) && receipt.code != SY_APPLIED) return receipt.code;
    }
    return SY_APPLIED;
}

// --- beginning ---------------------------------------------------------------------------------

/* Runs what is there and asserts nothing: a refusal is a failure, with its code. */
static sy_status settle(sy_nation *nation, struct sy_error *err)
{
    struct sy_nation_figures figures;
    SY_TRY(sy_nation_run(nation, &figures, err));
    if (figures.applied == figures.txs) return SY_OK;
    return sy_fail(err, SY_ERR_FORMAT, "nation: a transaction is refused with %s",
                   sy_refusal_info(sy_nation_refusal(nation))->name);
}

static void plan_org(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    struct sy_nation_org *org = &nation->orgs[number];
    *plan = (struct sy_nation_plan){.kind = SY_KIND_org_register,
                                    .signers = {&nation->regulators[0], &org->admin},
                                    .signer_count = 2};
    struct sy_org_register *p = &plan->payload.org_register;
    p->org_id = org->id;
    p->kind = SY_ORG_HOSPITAL;
    p->name_hash = sy_nation_id('n', number);
    p->admin_key = org->admin.key;
    p->x25519_key = org->admin.key;
    sy_list_add_text(&p->gs1_prefixes, &nation->lists, sy_nation_prefix((uint32_t)number));
}

static void plan_staff(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    struct sy_nation_org *org = &nation->orgs[number / 3];
    const struct sy_nation_person *staff[3] = {&org->gateway, &org->doctor, &org->nurse};
    static const uint16_t roles[3] = {SY_ROLE_GATEWAY, SY_ROLE_DOCTOR, SY_ROLE_NURSE};
    *plan = (struct sy_nation_plan){
        .kind = SY_KIND_cred_issue, .signers = {&org->admin}, .signer_count = 1};
    struct sy_cred_issue *p = &plan->payload.cred_issue;
    p->subject_key = staff[number % 3]->key;
    p->role = roles[number % 3];
    p->org_id = org->id;
    p->x25519_key = p->subject_key;
    p->not_before = BEGIN_MS;
    p->not_after = BEGIN_MS + nation->genesis.params.credential_ms_max;
    p->has_break_glass = p->break_glass = p->role == SY_ROLE_DOCTOR;
}

static void plan_payer(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    struct sy_nation_payer *payer = &nation->payers[number];
    *plan = (struct sy_nation_plan){.kind = SY_KIND_org_register,
                                    .signers = {&nation->regulators[0], &payer->admin},
                                    .signer_count = 2};
    struct sy_org_register *p = &plan->payload.org_register;
    p->org_id = payer->id;
    p->kind = SY_ORG_PAYER;
    p->name_hash = payer->id;
    p->admin_key = payer->admin.key;
    p->x25519_key = payer->admin.key;
}

static void plan_clerk(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    struct sy_nation_payer *payer = &nation->payers[number];
    *plan = (struct sy_nation_plan){
        .kind = SY_KIND_cred_issue, .signers = {&payer->admin}, .signer_count = 1};
    struct sy_cred_issue *p = &plan->payload.cred_issue;
    p->subject_key = payer->clerk.key;
    p->role = SY_ROLE_PAYER;
    p->org_id = payer->id;
    p->x25519_key = p->subject_key;
    p->not_before = BEGIN_MS;
    p->not_after = BEGIN_MS + nation->genesis.params.credential_ms_max;
}

static void plan_patient(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    struct sy_nation_patient *patient = &nation->patients[number];
    *plan = (struct sy_nation_plan){
        .kind = SY_KIND_patient_enrol,
        .signers = {&nation->orgs[patient->organisation].gateway, &patient->wallet},
        .signer_count = 2};
    plan->payload.patient_enrol.patient_id = patient->id;
    plan->payload.patient_enrol.has_wallet_key = true;
    plan->payload.patient_enrol.wallet_key = patient->wallet.key;
}

static sy_status live(sy_nation *nation, sy_nation_deed deed, uint64_t count, struct sy_error *err)
{
    for (uint64_t i = 0; i < count; i++) {
        struct sy_nation_plan plan;
        deed(nation, &plan, i);
        if (sy_nation_add(nation, &plan)) continue;
        SY_TRY(settle(nation, err));
        bool added = sy_nation_add(nation, &plan);
        SY_ASSERT(added);
    }
    return settle(nation, err);
}

static bool make_room(sy_nation *nation)
{
    nation->orgs = (struct sy_nation_org *)calloc(nation->org_count, sizeof *nation->orgs);
    nation->patients =
        (struct sy_nation_patient *)calloc(nation->patient_count, sizeof *nation->patients);
    nation->fresh =
        (struct sy_nation_person *)calloc(nation->fresh_count + 1, sizeof *nation->fresh);
    nation->ids = (struct sy_hash *)calloc(SY_NATION_TXS_MAX, sizeof *nation->ids);
    nation->scratch = (uint8_t *)malloc(SCRATCH_BYTES);
    nation->devices = (struct sy_nation_device *)calloc(SY_NATION_DEVICES, sizeof *nation->devices);
    bool good = nation->orgs && nation->patients && nation->fresh && nation->ids &&
                nation->scratch && nation->devices;
    for (unsigned i = 0; i < SY_NATION_MAKERS; i++) {
        nation->seqs[i] = 1;
        nation->rooms[i] = (uint8_t *)malloc(SY_BATCH_BYTES_MAX);
        good = good && nation->rooms[i];
    }
    return good;
}

/* Payers, whose plans know a code set, and what they cover. */
/* Budgets that a measurement does not use up, once they count. */
static sy_status begin_research(sy_nation *nation, struct sy_error *err)
{
    struct sy_nation_figures figures;
    SY_TRY(live(nation, sy_nation_widen, SY_NATION_BUDGETS, err));
    for (unsigned i = 0; i <= SY_ACTIVATION_DELAY; i++)
        SY_TRY(sy_nation_run(nation, &figures, err));
    return SY_OK;
}

static sy_status begin_money(sy_nation *nation, struct sy_error *err)
{
    struct sy_nation_figures figures;
    SY_TRY(live(nation, sy_nation_publish_codes, 1, err));
    SY_TRY(live(nation, sy_nation_bring_codes, 1, err));
    SY_TRY(live(nation, plan_payer, SY_NATION_PAYERS, err));
    SY_TRY(live(nation, plan_clerk, SY_NATION_PAYERS, err));
    for (unsigned i = 0; i < SY_ACTIVATION_DELAY; i++) SY_TRY(sy_nation_run(nation, &figures, err));
    SY_TRY(live(nation, sy_nation_publish_plan, SY_NATION_PAYERS, err));
    return live(nation, sy_nation_cover_all, nation->patient_count, err);
}

sy_status sy_nation_open(sy_nation *nation, uint32_t organisations, uint32_t patients,
                         uint32_t fresh, struct sy_error *err)
{
    SY_ASSERT(organisations >= 2 && patients >= 1);
    memset(nation, 0, sizeof *nation);
    nation->org_count = organisations;
    nation->patient_count = patients;
    nation->fresh_count = fresh;
    sy_prng_seed(&nation->prng, 1);
    if (!make_room(nation)) return sy_fail(err, SY_ERR_NO_MEMORY, "nation: no memory");
    sy_status status = make_people(nation);
    if (status != SY_OK) return sy_fail(err, status, "nation: no keys");
    SY_TRY(make_genesis(nation, err));
    SY_TRY(open_ledger(nation, err));
    begin_block(nation);
    SY_TRY(live(nation, plan_org, organisations, err));
    SY_TRY(live(nation, plan_staff, 3ull * organisations, err));
    SY_TRY(live(nation, sy_nation_make_first, organisations, err));
    SY_TRY(live(nation, plan_patient, patients, err));
    SY_TRY(begin_money(nation, err));
    SY_TRY(live(nation, sy_nation_trial_org, SY_NATION_TRIAL_ORGS, err));
    SY_TRY(live(nation, sy_nation_trial_staff, SY_NATION_TRIAL_STAFF, err));
    SY_TRY(begin_research(nation, err));
    SY_TRY(live(nation, sy_nation_grant, patients, err));
    return live(nation, sy_nation_record, sy_nation_first(nation), err);
}

void sy_nation_close(sy_nation *nation)
{
    sy_ledger_close(nation->ledger);
    sy_replay_state_close(nation->state);
    for (unsigned i = 0; i < SY_NATION_MAKERS; i++) free(nation->rooms[i]);
    free(nation->orgs);
    free(nation->patients);
    free(nation->fresh);
    free(nation->devices);
    free(nation->ids);
    free(nation->scratch);
}
