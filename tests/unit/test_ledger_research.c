/* The research commons: data sets, what is asked of them, who decides, what is answered, and who
 * takes part. */
#include <stdio.h>
#include <string.h>

#include "core/base/prng.h"
#include "core/ledger/contracts/small_cells.h"
#include "core/wire/state_research.h"
#include "tests/unit/consent_rig.h"

/* By key number. Custodians are A, B and C; the board is of its own. */
enum {
    ADMIN_C = 130,
    BOARD_ADMIN,
    BOARD,
    BOARD_2, /* another key of it */
    LAB_ADMIN,
    RESEARCHER,
    RESEARCHER_2,
    UNI_ADMIN,
    STRANGER,       /* a researcher of another organisation */
    OWN_RESEARCHER, /* A's */
    BOARD_RESEARCHER
};
/* By hash number. */
enum {
    ORG_C = 2010,
    ORG_BOARD,
    ORG_LAB,
    ORG_UNI,
    DATASET = 23000, /* and on */
    ROOT = 23100,
    QUERY = 23200
};
#define DAY_MS (24ll * 3600 * 1000)
#define NONE SY_QUERY_HIDDEN

static unsigned org_of(unsigned key)
{
    switch (key) {
    case REGULATOR_1: return 0;
    case ADMIN_B: return ORG_B;
    case ADMIN_C: return ORG_C;
    case BOARD_ADMIN:
    case BOARD_RESEARCHER:
    case BOARD_2:
    case BOARD: return ORG_BOARD;
    case LAB_ADMIN:
    case RESEARCHER:
    case RESEARCHER_2: return ORG_LAB;
    case UNI_ADMIN:
    case STRANGER: return ORG_UNI;
    default: return ORG_A;
    }
}

static void add_org(unsigned admin, unsigned kind)
{
    struct world_tx tx = world_register(org_of(admin), kind, admin);
    assert_applied(&tx);
}

static void add_key(unsigned admin, unsigned role, unsigned key)
{
    struct world_tx tx = world_issue(&world, admin, org_of(admin), role, key);
    assert_applied(&tx);
}

static int set_up_research(void **state)
{
    set_up(state);
    add_org(ADMIN_C, SY_ORG_HOSPITAL);
    add_org(BOARD_ADMIN, SY_ORG_RESEARCH);
    add_org(LAB_ADMIN, SY_ORG_RESEARCH);
    add_org(UNI_ADMIN, SY_ORG_RESEARCH);
    add_key(BOARD_ADMIN, SY_ROLE_ETHICS, BOARD);
    add_key(BOARD_ADMIN, SY_ROLE_ETHICS, BOARD_2);
    add_key(BOARD_ADMIN, SY_ROLE_RESEARCHER, BOARD_RESEARCHER);
    add_key(LAB_ADMIN, SY_ROLE_RESEARCHER, RESEARCHER);
    add_key(LAB_ADMIN, SY_ROLE_RESEARCHER, RESEARCHER_2);
    add_key(UNI_ADMIN, SY_ROLE_RESEARCHER, STRANGER);
    add_key(ADMIN_A, SY_ROLE_RESEARCHER, OWN_RESEARCHER);
    return 0;
}
#define WITH_RESEARCH(name) cmocka_unit_test_setup_teardown(name, set_up_research, tear_down)

// --- transactions ------------------------------------------------------------------------------

/* Lists stand for the next 64 calls. */
static struct sy_writer next_room(void)
{
    static uint8_t rooms[64][1024];
    static unsigned at;
    at = (at + 1) % 64;
    return sy_writer_of(rooms[at], sizeof rooms[at]);
}

static struct sy_list ids(unsigned first, unsigned second, unsigned third)
{
    struct sy_list list = {0};
    struct sy_writer w = next_room();
    const unsigned numbers[] = {first, second, third};
    for (unsigned i = 0; i < 3 && numbers[i] != 0; i++) {
        struct sy_hash id = test_hash(numbers[i]);
        sy_list_add_id(&list, &w, &id);
    }
    return list;
}

/* Words with blanks between. */
static struct sy_list texts(const char *words)
{
    struct sy_list list = {0};
    struct sy_writer w = next_room();
    while (*words != '\0') {
        size_t size = strcspn(words, " ");
        sy_list_add_text(&list, &w, sy_slice_of(words, size));
        words += size + (words[size] == ' ' ? 1 : 0);
    }
    return list;
}

static struct sy_slice numbers(const uint32_t *values, unsigned count)
{
    struct sy_writer w = next_room();
    for (unsigned i = 0; i < count; i++) sy_write_u32(&w, values[i]);
    return sy_writer_slice(&w);
}

#define SAY_DATA(p, root)                              \
    do {                                               \
        (p)->schema_commit = test_hash(1);             \
        (p)->counts_root = test_hash(2);               \
        (p)->record_root = test_hash(ROOT + (root));   \
        (p)->as_of = 1;                                \
        (p)->basis = SY_BASIS_OPTIN;                   \
        (p)->genetic = true;                           \
        (p)->wearable = true;                          \
        (p)->codes = texts("icd|E11 loinc|8867-4");    \
        (p)->phenotypes = texts("HP:0001250");         \
        (p)->devices = SY_SET_BIT(SY_DEVICE_WEARABLE); \
        (p)->ages = SY_SET_BIT(SY_AGES_20S);           \
        (p)->people = SY_COUNT_HUNDREDS;               \
    } while (0)

/* Of A, B and C, two of whom are needed. */
static struct world_tx publish(unsigned n)
{
    struct world_tx tx = world_tx_of(SY_KIND_dataset_publish, ADMIN_A, ORG_A);
    struct sy_dataset_publish *p = &tx.payload.dataset_publish;
    p->dataset_id = test_hash(DATASET + n);
    p->custodians = ids(ORG_A, ORG_B, ORG_C);
    p->needed = 2;
    p->ethics = test_hash(ORG_BOARD);
    SAY_DATA(p, n);
    world_cosign(&tx, ADMIN_B);
    world_cosign(&tx, ADMIN_C);
    world_cosign(&tx, BOARD);
    return tx;
}

static struct world_tx update(unsigned n, uint32_t version, unsigned root)
{
    struct world_tx tx = world_tx_of(SY_KIND_dataset_update, ADMIN_A, ORG_A);
    struct sy_dataset_update *p = &tx.payload.dataset_update;
    p->dataset_id = test_hash(DATASET + n);
    p->version = version;
    SAY_DATA(p, root);
    world_cosign(&tx, ADMIN_B);
    world_cosign(&tx, BOARD);
    return tx;
}

static struct world_tx withdraw(unsigned key, unsigned n)
{
    struct world_tx tx = world_tx_of(SY_KIND_dataset_withdraw, key, org_of(key));
    tx.payload.dataset_withdraw.dataset_id = test_hash(DATASET + n);
    tx.payload.dataset_withdraw.reason = SY_DATASET_ENDED;
    return tx;
}

/* Each a query of its own: people with code icd|n, by age band and sex. */
static struct world_tx propose(unsigned key, unsigned n)
{
    static char words[64][16];
    struct world_tx tx = world_tx_of(SY_KIND_query_propose, key, org_of(key));
    struct sy_query_propose *p = &tx.payload.query_propose;
    char *word = words[n % 64];
    (void)snprintf(word, sizeof words[0], "icd|%u", n);
    p->query_id = test_hash(QUERY + n);
    p->datasets = ids(DATASET, 0, 0);
    p->codes = texts(word);
    p->phenotypes = texts("");
    p->variants = texts("");
    p->rows = SY_AXIS_NONE;
    p->columns = SY_AXIS_SEX;
    p->purpose = SY_QUERY_STUDY;
    p->ethics_ref = test_hash(3);
    p->budget = 16;
    return tx;
}

static struct world_tx approve(unsigned key, unsigned n)
{
    struct world_tx tx = world_tx_of(SY_KIND_query_approve, key, org_of(key));
    tx.payload.query_approve.query_id = test_hash(QUERY + n);
    return tx;
}

static struct world_tx deny(unsigned key, unsigned n)
{
    struct world_tx tx = world_tx_of(SY_KIND_query_deny, key, org_of(key));
    tx.payload.query_deny.query_id = test_hash(QUERY + n);
    tx.payload.query_deny.reason = SY_DENIED_ETHICS;
    return tx;
}

/* One row, as many columns; each number told with its totals. */
static struct world_tx answer(unsigned n, const uint32_t *cells, unsigned count)
{
    struct world_tx tx = world_tx_of(SY_KIND_query_result, ADMIN_A, ORG_A);
    struct sy_query_result *p = &tx.payload.query_result;
    uint32_t total = 0;
    for (unsigned i = 0; i < count; i++) {
        total = cells[i] == NONE || total == NONE ? NONE : total + cells[i];
    }
    p->query_id = test_hash(QUERY + n);
    p->k = 11;
    p->rows = texts("all");
    p->columns = texts(count == 1 ? "a" : count == 2 ? "a b" : count == 3 ? "a b c" : "a b c d");
    p->cells = numbers(cells, count);
    p->row_totals = numbers(&total, 1);
    p->column_totals = numbers(cells, count);
    p->has_total = total != NONE;
    p->total = p->has_total ? total : 0;
    world_cosign(&tx, ADMIN_B);
    return tx;
}

static struct world_tx good_answer(unsigned n)
{
    static const uint32_t cells[] = {40, 60};
    return answer(n, cells, 2);
}

static struct world_tx contribute(bool in, const char *classes, bool genetic)
{
    struct world_tx tx =
        world_tx_of(in ? SY_KIND_contribute_optin : SY_KIND_contribute_optout, WALLET_CLAIMED, 0);
    tx.payload.contribute_optin.patient_id = test_hash(PATIENT_CLAIMED);
    tx.payload.contribute_optin.classes = texts(classes);
    tx.payload.contribute_optin.genetic = genetic;
    return tx;
}

static void apply(struct world_tx tx)
{
    assert_applied(&tx);
}

static void refuse(struct world_tx tx, enum sy_refusal code)
{
    assert_refused(&tx, code);
}

static void make_query(unsigned n)
{
    apply(propose(RESEARCHER, n));
}

static void make_approved(unsigned n)
{
    make_query(n);
    apply(approve(ADMIN_A, n));
    apply(approve(ADMIN_B, n));
    apply(approve(BOARD, n));
}

/* A block so many days later. */
static void pass_days(unsigned days)
{
    int64_t step = world.step_ms;
    world.step_ms = days * DAY_MS;
    world_execute(&world, NULL, 0);
    world.step_ms = step;
}

static void set_param(unsigned name, uint64_t value, uint32_t version)
{
    struct world_tx tx = world_tx_of(SY_KIND_param_set, REGULATOR_1, 0);
    struct sy_param_set *p = &tx.payload.param_set;
    p->name = (uint16_t)name;
    p->value = value;
    p->version = version;
    p->activation_height = world.header.height + 1 + SY_ACTIVATION_DELAY;
    world_cosign(&tx, REGULATOR_2);
    assert_applied(&tx);
    while (world.header.height < p->activation_height) world_execute(&world, NULL, 0);
}

// --- what the state has ------------------------------------------------------------------------

static struct sy_slice find(enum sy_state_kind kind, struct sy_hash id, struct sy_hash second)
{
    static uint8_t kept[SY_STATE_VALUE_BYTES_MAX];
    struct sy_hash key_hash;
    struct sy_slice value;
    assert_true(sy_state_key_of(&key_hash, kind, &id, &second));
    assert_true(world_find(&world, &value, &key_hash));
    memcpy(kept, value.data, value.size);
    return sy_slice_of(kept, value.size);
}

static struct sy_query find_query(unsigned n)
{
    struct sy_query query;
    struct sy_slice value = find(SY_STATE_QUERY, test_hash(QUERY + n), test_hash(0));
    assert_true(sy_query_decode(&query, value));
    return query;
}

static uint64_t spent(unsigned whose, unsigned key, enum sy_budget_of what)
{
    struct sy_hash id = test_hash(whose), second = {{0}}, key_hash;
    struct sy_public_key public_key = test_public(key);
    struct sy_slice value;
    struct sy_research_budget budget;
    if (key != 0) memcpy(id.bytes, public_key.bytes, sizeof id.bytes);
    sy_store_u16(second.bytes, (uint16_t)what);
    assert_true(sy_state_key_of(&key_hash, SY_STATE_RESEARCH_BUDGET, &id, &second));
    if (!world_find(&world, &value, &key_hash)) return 0;
    assert_true(sy_research_budget_decode(&budget, value));
    return budget.cells;
}

static void assert_told(unsigned n, unsigned kind, unsigned org, unsigned object)
{
    struct sy_event event;
    struct sy_hash about = test_hash(org), named = test_hash(object);
    size_t offset = (size_t)n * SY_EVENT_BYTES;
    assert_true(sy_receipt_next_event(&world.receipt, &offset, &event));
    assert_int_equal(event.kind, kind);
    assert_memory_equal(&event.subject, &about, sizeof about);
    assert_memory_equal(&event.object, &named, sizeof named);
}

static void assert_number(uint64_t detail)
{
    assert_int_equal(world.receipt.detail, detail);
}

// --- data sets ---------------------------------------------------------------------------------

CASE(a_data_set_takes_every_custodian_and_a_board_of_its_own)
{
    struct world_tx tx = publish(0);
    tx.key_count = 3; // without the board
    refuse(tx, SY_E_ETHICS);
    assert_detail(ORG_BOARD);
    tx = publish(0), tx.keys[2] = BOARD_2; // without C
    refuse(tx, SY_E_CUSTODIANS);
    assert_detail(ORG_C);
    tx = publish(0), tx.payload.dataset_publish.needed = 4;
    refuse(tx, SY_E_SCHEMA);
    assert_path("needed");
    tx = publish(0), tx.payload.dataset_publish.ethics = test_hash(ORG_B);
    refuse(tx, SY_E_CONFLICT);
    assert_detail(ORG_B);
    tx = publish(0), tx.payload.dataset_publish.custodians = ids(ORG_B, ORG_C, 0);
    refuse(tx, SY_E_DATA_CUSTODIAN);
    apply(publish(0));
    assert_int_equal(world.receipt.event_count, 4);
    assert_told(0, SY_EVENT_DATASET_PUBLISHED, ORG_BOARD, DATASET);
    assert_told(3, SY_EVENT_DATASET_PUBLISHED, ORG_C, DATASET);
    refuse(publish(0), SY_E_DATASET_EXISTS);
    assert_detail(DATASET);
}

CASE(what_a_data_set_says_fits)
{
    struct world_tx tx = publish(0);
    tx.payload.dataset_publish.codes = texts("loinc|8867-4 icd|E11");
    refuse(tx, SY_E_SCHEMA);
    assert_path("codes");
    tx = publish(0), tx.payload.dataset_publish.codes = texts("E11");
    refuse(tx, SY_E_SCHEMA);
    tx = publish(0), tx.payload.dataset_publish.phenotypes = texts("HP:000125x");
    refuse(tx, SY_E_SCHEMA);
    assert_path("phenotypes");
    tx = publish(0), tx.payload.dataset_publish.wearable = false;
    refuse(tx, SY_E_SCHEMA);
    assert_path("devices");
    tx = publish(0), tx.payload.dataset_publish.genetic = false;
    tx.payload.dataset_publish.has_beacon_root = true;
    refuse(tx, SY_E_SCHEMA);
    assert_path("beacon_root");
    tx = publish(0), tx.payload.dataset_publish.as_of = world.header.height + 1;
    refuse(tx, SY_E_LINEAGE); // this block is not over
    assert_number(world.header.height - 1);
    tx = publish(0), tx.payload.dataset_publish.as_of = world.header.height;
    apply(tx);
}

/* The same records are not published again to be asked anew. */
CASE(records_are_one_data_sets)
{
    apply(publish(0));
    struct world_tx tx = publish(1);
    tx.payload.dataset_publish.record_root = test_hash(ROOT);
    refuse(tx, SY_E_LINEAGE);
    assert_detail(DATASET);
    apply(withdraw(ADMIN_B, 0));
    tx = publish(1), tx.payload.dataset_publish.record_root = test_hash(ROOT);
    refuse(tx, SY_E_LINEAGE);
    apply(publish(1));
}

CASE(an_update_is_the_next_version)
{
    refuse(update(0, 2, 5), SY_E_DATASET_UNKNOWN);
    apply(publish(0));
    refuse(update(0, 3, 5), SY_E_NEXT_VERSION);
    assert_number(1);
    struct world_tx tx = update(0, 2, 5);
    tx.keys[1] = UNI_ADMIN;
    refuse(tx, SY_E_CUSTODIANS);
    assert_number(2);
    tx = update(0, 2, 5), tx.key_count = 2;
    refuse(tx, SY_E_ETHICS);
    tx = update(0, 2, 5), tx.keys[0] = UNI_ADMIN, tx.organisation = test_hash(ORG_UNI);
    refuse(tx, SY_E_DATA_CUSTODIAN);
    tx = update(0, 2, 5), tx.payload.dataset_update.as_of = 3;
    apply(tx);
    tx = update(0, 3, 6), tx.payload.dataset_update.as_of = 2;
    refuse(tx, SY_E_LINEAGE); // older records than before
    assert_number(3);
    tx = update(0, 3, 0), tx.payload.dataset_update.as_of = 4;
    apply(tx); // a root that was its own
    apply(withdraw(ADMIN_C, 0));
    tx = update(0, 4, 7), tx.payload.dataset_update.as_of = 4;
    refuse(tx, SY_E_DATASET_STATE);
    assert_number(world.header.height - 1);
}

CASE(one_alone_withdraws_a_data_set)
{
    refuse(withdraw(ADMIN_A, 0), SY_E_DATASET_UNKNOWN);
    apply(publish(0));
    refuse(withdraw(UNI_ADMIN, 0), SY_E_DATA_CUSTODIAN);
    struct world_tx tx = withdraw(BOARD_ADMIN, 0); // an admin is no board
    refuse(tx, SY_E_DATA_CUSTODIAN);
    apply(withdraw(BOARD, 0));
    refuse(withdraw(ADMIN_A, 0), SY_E_DATASET_STATE);
    apply(publish(1));
    apply(withdraw(REGULATOR_1, 1));
    refuse(propose(RESEARCHER, 0), SY_E_DATASET_STATE);
}

// --- queries -----------------------------------------------------------------------------------

CASE(a_query_is_written_one_way_and_asks_little)
{
    refuse(propose(RESEARCHER, 0), SY_E_DATASET_UNKNOWN);
    apply(publish(0));
    struct world_tx tx = propose(RESEARCHER, 0);
    tx.payload.query_propose.codes = texts("icd|b icd|a");
    refuse(tx, SY_E_SCHEMA);
    assert_path("codes");
    tx = propose(RESEARCHER, 0);
    tx.payload.query_propose.phenotypes = texts("XX:0001250");
    refuse(tx, SY_E_SCHEMA);
    tx = propose(RESEARCHER, 0);
    tx.payload.query_propose.variants = texts("b a");
    refuse(tx, SY_E_SCHEMA);
    assert_path("variants");
    tx = propose(RESEARCHER, 0); // the same table on its side
    tx.payload.query_propose.rows = SY_AXIS_SEX, tx.payload.query_propose.columns = SY_AXIS_NONE;
    refuse(tx, SY_E_SCHEMA);
    assert_path("columns");
    tx = propose(RESEARCHER, 0);
    tx.payload.query_propose.codes = texts("icd|a icd|b icd|c icd|d");
    refuse(tx, SY_E_PREDICATE);
    assert_number(SY_QUERY_TERMS_MAX);
    tx.payload.query_propose.columns = SY_AXIS_NONE;
    apply(tx);
    refuse(propose(RESEARCHER, 0), SY_E_DATASET_EXISTS);
    assert_int_equal(find_query(0).status, SY_QUERY_PROPOSED);
}

CASE(a_data_set_is_asked_for_what_it_has)
{
    struct world_tx tx = publish(0);
    struct sy_dataset_publish *p = &tx.payload.dataset_publish;
    p->genetic = p->wearable = false;
    p->devices = 0;
    p->phenotypes = texts("");
    apply(tx);
    tx = propose(RESEARCHER, 0), tx.payload.query_propose.variants = texts("BRCA1");
    refuse(tx, SY_E_PREDICATE);
    assert_detail(DATASET);
    tx = propose(RESEARCHER, 0);
    tx.payload.query_propose.devices = SY_SET_BIT(SY_DEVICE_WEARABLE);
    refuse(tx, SY_E_PREDICATE);
    tx = propose(RESEARCHER, 0), tx.payload.query_propose.columns = SY_AXIS_PHENOTYPE;
    refuse(tx, SY_E_PREDICATE);
    apply(propose(RESEARCHER, 0));
    assert_int_equal(world.receipt.event_count, 4);
    assert_told(0, SY_EVENT_QUERY_PROPOSED, ORG_BOARD, QUERY);
}

CASE(who_asks_does_not_decide)
{
    struct world_tx tx = publish(0);
    apply(tx);
    refuse(propose(BOARD_RESEARCHER, 0), SY_E_CONFLICT);
    assert_detail(ORG_BOARD);
    apply(propose(OWN_RESEARCHER, 0)); // B and C are enough
    refuse(approve(ADMIN_A, 0), SY_E_CONFLICT);
    refuse(deny(ADMIN_A, 0), SY_E_CONFLICT);
    apply(approve(ADMIN_B, 0));
    apply(approve(BOARD, 0));
    apply(approve(ADMIN_C, 0));
    refuse(good_answer(0), SY_E_CUSTODIANS); // A and B signed, and A asked
    tx = good_answer(0), tx.keys[0] = ADMIN_C, tx.organisation = test_hash(ORG_C);
    apply(tx);
    tx = publish(1), tx.payload.dataset_publish.needed = 3;
    apply(tx);
    tx = propose(OWN_RESEARCHER, 1), tx.payload.query_propose.datasets = ids(DATASET + 1, 0, 0);
    refuse(tx, SY_E_CONFLICT);
    assert_detail(ORG_A);
}

/* The board of one data set that keeps another would decide twice. */
CASE(a_board_keeps_no_data_that_are_asked_with_its_own)
{
    struct world_tx tx = world_issue(&world, ADMIN_A, ORG_A, SY_ROLE_ETHICS, FRESH_KEY);
    assert_applied(&tx);
    apply(publish(0));
    tx = publish(1);
    tx.keys[0] = ADMIN_B, tx.keys[1] = ADMIN_C, tx.keys[2] = FRESH_KEY, tx.key_count = 3;
    tx.organisation = test_hash(ORG_B);
    tx.payload.dataset_publish.custodians = ids(ORG_B, ORG_C, 0);
    tx.payload.dataset_publish.ethics = test_hash(ORG_A);
    apply(tx);
    tx = propose(RESEARCHER, 0);
    tx.payload.query_propose.datasets = ids(DATASET, DATASET + 1, 0);
    refuse(tx, SY_E_CONFLICT);
    assert_detail(ORG_A);
    tx.payload.query_propose.datasets = ids(DATASET + 1, DATASET, 0);
    refuse(tx, SY_E_CONFLICT);
    assert_detail(ORG_A);
}

CASE(a_query_takes_as_many_custodians_as_needed_and_the_board)
{
    refuse(approve(ADMIN_A, 0), SY_E_QUERY_UNKNOWN);
    apply(publish(0));
    make_query(0);
    refuse(approve(UNI_ADMIN, 0), SY_E_DATA_CUSTODIAN);
    refuse(approve(BOARD_ADMIN, 0), SY_E_DATA_CUSTODIAN);
    apply(approve(ADMIN_A, 0));
    assert_int_equal(world.receipt.event_count, 0);
    refuse(approve(ADMIN_A, 0), SY_E_QUERY_STATE);
    assert_number(6);
    apply(approve(BOARD, 0));
    refuse(approve(BOARD_2, 0), SY_E_QUERY_STATE); // of the same board
    refuse(good_answer(0), SY_E_QUERY_STATE);
    assert_number(SY_QUERY_PROPOSED);
    assert_int_equal(spent(DATASET, 0, SY_BUDGET_DATASET), 0);
    apply(approve(ADMIN_C, 0));
    assert_int_equal(world.receipt.event_count, 5);
    assert_told(0, SY_EVENT_QUERY_APPROVED, ORG_LAB, QUERY);
    assert_int_equal(find_query(0).status, SY_QUERY_APPROVED);
    assert_int_equal(spent(DATASET, 0, SY_BUDGET_DATASET), 16);
    assert_int_equal(spent(ORG_B, 0, SY_BUDGET_CUSTODIAN), 16);
    refuse(approve(ADMIN_B, 0), SY_E_QUERY_STATE);
    assert_number(SY_QUERY_APPROVED);
}

CASE(a_query_that_was_denied_is_over)
{
    refuse(deny(ADMIN_A, 0), SY_E_QUERY_UNKNOWN);
    apply(publish(0));
    make_query(0);
    refuse(deny(UNI_ADMIN, 0), SY_E_DATA_CUSTODIAN);
    apply(deny(BOARD, 0));
    assert_told(0, SY_EVENT_QUERY_DENIED, ORG_LAB, QUERY);
    refuse(deny(ADMIN_A, 0), SY_E_QUERY_STATE);
    assert_number(SY_QUERY_DENIED);
    refuse(approve(ADMIN_A, 0), SY_E_QUERY_STATE);
    make_approved(1);
    apply(deny(ADMIN_A, 1)); // who approved it, too
    refuse(good_answer(1), SY_E_QUERY_STATE);
    assert_number(SY_QUERY_DENIED);
    make_approved(2);
    apply(good_answer(2));
    refuse(deny(ADMIN_A, 2), SY_E_QUERY_STATE);
    assert_number(SY_QUERY_ANSWERED);
}

CASE(a_query_does_not_wait_for_ever)
{
    apply(publish(0));
    make_query(0);
    make_approved(1);
    pass_days(91);
    refuse(approve(ADMIN_A, 0), SY_E_QUERY_STATE);
    assert_number(5);
    refuse(deny(ADMIN_A, 0), SY_E_QUERY_STATE);
    refuse(good_answer(1), SY_E_QUERY_STATE);
    assert_number(5);
}

CASE(the_same_is_asked_once_an_epoch)
{
    apply(publish(0));
    make_query(0);
    struct world_tx tx = propose(STRANGER, 0);
    tx.payload.query_propose.query_id = test_hash(QUERY + 1);
    apply(tx); // nobody said yes so far
    apply(approve(ADMIN_A, 0));
    apply(approve(ADMIN_B, 0));
    apply(approve(BOARD, 0));
    apply(approve(ADMIN_A, 1));
    apply(approve(ADMIN_B, 1));
    refuse(approve(BOARD, 1), SY_E_ASKED);
    assert_detail(QUERY);
    tx.payload.query_propose.query_id = test_hash(QUERY + 2);
    tx.payload.query_propose.budget = 4;
    refuse(tx, SY_E_ASKED);
    pass_days(31);
    apply(tx);
}

// --- budgets -----------------------------------------------------------------------------------

/* Refused queries, denied queries and keys of one organisation do not make more. */
CASE(a_researcher_and_their_organisation_have_a_budget)
{
    apply(publish(0));
    struct world_tx tx = propose(RESEARCHER, 0);
    tx.payload.query_propose.budget = 128;
    apply(tx);
    apply(deny(BOARD, 0));
    tx = propose(RESEARCHER, 1), tx.payload.query_propose.budget = 120;
    apply(tx);
    tx = propose(RESEARCHER, 2), tx.payload.query_propose.budget = 9;
    refuse(tx, SY_E_BUDGET);
    assert_number(8);
    tx.payload.query_propose.budget = 8;
    apply(tx);
    assert_int_equal(spent(0, RESEARCHER, SY_BUDGET_RESEARCHER), 256);
    refuse(propose(RESEARCHER, 3), SY_E_BUDGET);
    assert_number(0);
    for (unsigned i = 0; i < 3; i++) { // three colleagues have what is the organisation's
        add_key(LAB_ADMIN, SY_ROLE_RESEARCHER, FRESH_KEY + i);
        for (unsigned n = 0; n < 2; n++) {
            tx = propose(RESEARCHER, 4 + 2 * i + n);
            tx.keys[0] = FRESH_KEY + i;
            tx.payload.query_propose.budget = 128;
            apply(tx);
        }
    }
    refuse(propose(RESEARCHER_2, 20), SY_E_BUDGET);
    assert_detail(ORG_LAB);
    apply(propose(STRANGER, 20));
    pass_days(31);
    apply(propose(RESEARCHER, 21));
}

/* Only who says yes spends a data set's budget. */
CASE(a_data_set_has_a_budget)
{
    apply(publish(0));
    set_param(SY_PARAM_DATASET_CELLS, 20, 1);
    make_approved(0);
    make_query(1);
    apply(approve(ADMIN_A, 1));
    apply(approve(ADMIN_B, 1));
    refuse(approve(BOARD, 1), SY_E_BUDGET);
    assert_number(4);
    assert_detail(DATASET);
    assert_int_equal(find_query(1).status, SY_QUERY_PROPOSED);
    pass_days(31);
    apply(approve(BOARD, 1));
}

/* Withdrawn and published anew, or cut into many, it has no fresh budget. */
CASE(a_custodian_has_a_budget_for_all_its_data_sets)
{
    set_param(SY_PARAM_DATASET_CELLS, 16, 1);
    for (unsigned i = 0; i < 5; i++) {
        apply(publish(i));
        struct world_tx tx = propose(RESEARCHER, i);
        tx.payload.query_propose.datasets = ids(DATASET + i, 0, 0);
        apply(tx);
        apply(approve(ADMIN_A, i));
        apply(approve(BOARD, i));
        if (i < 4) {
            apply(approve(ADMIN_B, i));
        } else {
            refuse(approve(ADMIN_B, i), SY_E_BUDGET);
            assert_detail(ORG_A);
        }
        apply(withdraw(ADMIN_C, i));
    }
}

CASE(parameters_of_research_have_bounds)
{
    struct world_tx tx = world_tx_of(SY_KIND_param_set, REGULATOR_1, 0);
    struct sy_param_set *p = &tx.payload.param_set;
    world_cosign(&tx, REGULATOR_2);
    p->name = SY_PARAM_RESEARCH_K, p->value = 10, p->version = 1;
    p->activation_height = world.header.height + 200;
    assert_refused(&tx, SY_E_SCHEMA);
    assert_number(SY_RESEARCH_K_MIN);
    p->value = SY_RESEARCH_K_MAX + 1;
    assert_refused(&tx, SY_E_SCHEMA);
    p->name = SY_PARAM_RESEARCH_DAYS, p->value = 367;
    assert_refused(&tx, SY_E_SCHEMA);
    set_param(SY_PARAM_RESEARCH_K, 20, 1);
    apply(publish(0));
    make_approved(0);
    refuse(good_answer(0), SY_E_K);
    assert_number(20);
    tx = good_answer(0), tx.payload.query_result.k = 20;
    apply(tx);
}

// --- results -----------------------------------------------------------------------------------

CASE(a_result_is_posted_once_by_custodians)
{
    refuse(good_answer(0), SY_E_QUERY_UNKNOWN);
    apply(publish(0));
    make_approved(0);
    struct world_tx tx = good_answer(0);
    tx.key_count = 1;
    refuse(tx, SY_E_CUSTODIANS);
    assert_number(2);
    tx = good_answer(0), tx.keys[1] = UNI_ADMIN;
    refuse(tx, SY_E_CUSTODIANS);
    tx = good_answer(0), tx.payload.query_result.k = 10;
    refuse(tx, SY_E_K);
    assert_number(11);
    apply(good_answer(0));
    assert_told(0, SY_EVENT_QUERY_ANSWERED, ORG_LAB, QUERY);
    refuse(good_answer(0), SY_E_QUERY_STATE);
    assert_number(SY_QUERY_ANSWERED);
    struct sy_query_answer kept;
    struct sy_slice value = find(SY_STATE_QUERY_RESULT, test_hash(QUERY), test_hash(0));
    assert_true(sy_query_answer_decode(&kept, value));
    assert_int_equal(kept.key_count, 2);
    assert_int_equal(sy_load_u32(kept.cells.data), 40);
    make_approved(1);
    apply(withdraw(ADMIN_C, 0));
    refuse(good_answer(1), SY_E_DATASET_STATE);
}

/* What the result rests on follows from entries: the version that was asked stays. */
CASE(a_result_leads_to_the_records)
{
    apply(publish(0));
    make_approved(0);
    apply(update(0, 2, 5));
    apply(good_answer(0));
    struct sy_query query = find_query(0);
    assert_int_equal(query.datasets[0].version, 1);
    assert_int_equal(query.datasets[0].approvals, 2);
    assert_true(query.datasets[0].ethics);
    struct sy_hash number = {{0}}, root = test_hash(ROOT);
    sy_store_u32(number.bytes, query.datasets[0].version);
    struct sy_dataset_version version;
    struct sy_slice value = find(SY_STATE_DATASET_VERSION, query.datasets[0].id, number);
    assert_true(sy_dataset_version_decode(&version, value));
    assert_memory_equal(&version.record_root, &root, sizeof root);
    static const unsigned deciders[] = {ORG_A, ORG_B, ORG_BOARD};
    for (unsigned i = 0; i < 3; i++) {
        struct sy_query_decision decision;
        value = find(SY_STATE_QUERY_DECISION, test_hash(QUERY), test_hash(deciders[i]));
        assert_true(sy_query_decision_decode(&decision, value));
        assert_int_equal(decision.reason, 0);
        assert_true(decision.height <= query.approved_height);
    }
}

CASE(a_table_has_a_shape)
{
    static const uint32_t two[] = {40, 60}, many[] = {40, 60, 70, 80};
    apply(publish(0));
    make_approved(0);
    struct world_tx tx = good_answer(0);
    tx.payload.query_result.cells = numbers(two, 1);
    refuse(tx, SY_E_TABLE);
    tx = good_answer(0), tx.payload.query_result.rows = texts("x y");
    tx.payload.query_result.cells = numbers(many, 4);
    tx.payload.query_result.row_totals = numbers(two, 2);
    refuse(tx, SY_E_TABLE); // rows were one for all
    tx = good_answer(0), tx.payload.query_result.column_totals = numbers(two, 1);
    refuse(tx, SY_E_TABLE);
    tx = good_answer(0), tx.payload.query_result.total = 500;
    refuse(tx, SY_E_TABLE); // no such sum
    tx = propose(RESEARCHER, 1), tx.payload.query_propose.budget = 3;
    apply(tx);
    apply(approve(ADMIN_A, 1));
    apply(approve(ADMIN_B, 1));
    apply(approve(BOARD, 1));
    refuse(answer(1, many, 4), SY_E_BUDGET);
    assert_number(3);
    apply(answer(1, many, 3));
}

/* 3, 12, 40: what is small is hidden, and so is what it could be told from. */
CASE(small_counts_are_hidden_so_that_they_stay_hidden)
{
    static const uint32_t told[] = {5, 15, 40}, raw[] = {40, 60, 43}, zero[] = {40, 0, 50};
    static const uint32_t lone[] = {NONE, 15, 40}, pair[] = {NONE, NONE, 40};
    uint32_t total = 55;
    apply(publish(0));
    make_approved(0);
    refuse(answer(0, told, 3), SY_E_SMALL_CELL);
    assert_number(0); // row 0, column 0
    refuse(answer(0, zero, 3), SY_E_SMALL_CELL);
    assert_number(1);
    refuse(answer(0, raw, 3), SY_E_ROUNDING);
    assert_number(2);
    struct world_tx tx = answer(0, lone, 3);
    tx.payload.query_result.row_totals = numbers(&total, 1);
    refuse(tx, SY_E_RECOVERABLE);
    tx = answer(0, pair, 3); // the two of them are 15, and each may be all of it
    tx.payload.query_result.row_totals = numbers(&total, 1);
    refuse(tx, SY_E_RECOVERABLE); // the total of all is the row's
    tx.payload.query_result.has_total = true, tx.payload.query_result.total = total;
    apply(tx);
}

CASE(a_gene_that_too_few_carry_is_not_answered)
{
    static const uint32_t none[] = {NONE, NONE};
    apply(publish(0));
    struct world_tx tx = propose(RESEARCHER, 0);
    tx.payload.query_propose.variants = texts("BRCA1");
    apply(tx);
    apply(approve(ADMIN_A, 0));
    apply(approve(ADMIN_B, 0));
    apply(approve(BOARD, 0));
    refuse(answer(0, none, 2), SY_E_CARRIERS);
    assert_number(11);
    apply(good_answer(0));
    make_approved(1); // no gene: that all are few may be told
    apply(answer(1, none, 2));
}

// --- who takes part ----------------------------------------------------------------------------

CASE(a_patient_opts_in_and_out)
{
    struct world_tx tx = contribute(true, "Observation", false);
    tx.payload.contribute_optin.patient_id = test_hash(PATIENT_NONE);
    refuse(tx, SY_E_PATIENT_UNKNOWN);
    tx = contribute(true, "Observation", false);
    tx.payload.contribute_optin.patient_id = test_hash(PATIENT);
    refuse(tx, SY_E_NOT_SUBJECT);
    tx = contribute(true, "Observation", false), tx.keys[0] = ADMIN_A;
    tx.organisation = test_hash(ORG_A);
    refuse(tx, SY_E_ROLE);
    apply(contribute(true, "Observation", false));
    assert_told(0, SY_EVENT_OPTIN_APPLIED, PATIENT_CLAIMED, PATIENT_CLAIMED);
    refuse(contribute(true, "Observation", false), SY_E_CONTRIBUTION);
    assert_number(0);
    refuse(contribute(true, "", false), SY_E_CONTRIBUTION); // so soon
    assert_true(world.receipt.detail > 0);
    refuse(contribute(false, "", false), SY_E_SCHEMA);
    assert_path("genetic");
    apply(contribute(false, "Condition", false));
    assert_told(0, SY_EVENT_OPTOUT_APPLIED, PATIENT_CLAIMED, PATIENT_CLAIMED);
    refuse(contribute(false, "Observation", false), SY_E_CONTRIBUTION);
    apply(contribute(false, "", true)); // of all, at any time
    tx = contribute(false, "", true), tx.payload.contribute_optin.patient_id = test_hash(PATIENT);
    refuse(tx, SY_E_NOT_SUBJECT);
    pass_days(1);
    apply(contribute(true, "", true));
    struct sy_contribution said;
    struct sy_slice value = find(SY_STATE_CONTRIBUTION, test_hash(PATIENT_CLAIMED), test_hash(0));
    assert_true(sy_contribution_decode(&said, value));
    assert_true(said.in && said.genetic);
    assert_int_equal(said.times, 4);
}

/* Whenever it was approved: who opts out before the answer is not counted in it. */
CASE(an_answer_knows_of_every_opt_out)
{
    apply(publish(0));
    make_approved(0);
    struct world_tx tx = good_answer(0);
    tx.payload.query_result.optouts = 1;
    refuse(tx, SY_E_OPTOUTS);
    assert_number(0);
    apply(contribute(false, "", true));
    refuse(good_answer(0), SY_E_OPTOUTS);
    assert_number(1);
    apply(tx);
}

// --- over seeds --------------------------------------------------------------------------------

/* A checker of its own, by the rules' words alone: each told number stands for at least k, and no
 * line with a total hides exactly one. */
static bool naive_good(const struct sy_query_answer *a)
{
    unsigned rows = a->rows.count, columns = a->columns.count;
    for (unsigned r = 0; r < rows; r++) {
        unsigned hidden = 0;
        for (unsigned c = 0; c < columns; c++) {
            uint32_t n = sy_load_u32(a->cells.data + 4 * (size_t)(r * columns + c));
            hidden += n == NONE ? 1 : 0;
            if (n != NONE && (n % 5 != 0 || n < a->k)) return false;
        }
        bool told =
            a->row_totals.size > 0 && sy_load_u32(a->row_totals.data + 4 * (size_t)r) != NONE;
        if (told && hidden == 1) return false;
    }
    for (unsigned c = 0; c < columns; c++) {
        unsigned hidden = 0;
        for (unsigned r = 0; r < rows; r++) {
            hidden += sy_load_u32(a->cells.data + 4 * (size_t)(r * columns + c)) == NONE ? 1 : 0;
        }
        bool told =
            a->column_totals.size > 0 && sy_load_u32(a->column_totals.data + 4 * (size_t)c) != NONE;
        if (told && hidden == 1) return false;
    }
    return true;
}

static void check_answered(unsigned n)
{
    struct sy_query query = find_query(n);
    struct sy_query_answer kept;
    assert_int_equal(query.status, SY_QUERY_ANSWERED);
    struct sy_slice value = find(SY_STATE_QUERY_RESULT, test_hash(QUERY + n), test_hash(0));
    assert_true(sy_query_answer_decode(&kept, value));
    assert_true(naive_good(&kept));
    unsigned custodians = 0;
    static const unsigned orgs[] = {ORG_A, ORG_B, ORG_C, ORG_BOARD};
    for (unsigned i = 0; i < 4; i++) {
        struct sy_hash id = test_hash(QUERY + n), org = test_hash(orgs[i]), key_hash;
        sy_state_key_pair(&key_hash, SY_STATE_QUERY_DECISION, &id, &org);
        bool decided = world_find(&world, &value, &key_hash);
        if (orgs[i] == ORG_BOARD) assert_true(decided);
        if (orgs[i] != ORG_BOARD && decided) custodians++;
    }
    assert_true(custodians >= 2);
}

static uint32_t random_cell(sy_prng *rng)
{
    static const uint32_t usual[] = {NONE, NONE, 0, 5, 10, 15, 20, 40, 43, 100};
    return usual[sy_prng_below(rng, 10)];
}

/* Everybody does anything: whatever is applied keeps the promises. */
CASE(whatever_happens_budgets_hold_and_answers_were_approved)
{
    static const unsigned askers[] = {RESEARCHER, RESEARCHER_2, STRANGER, OWN_RESEARCHER,
                                      BOARD_RESEARCHER};
    static const unsigned deciders[] = {ADMIN_A, ADMIN_B, ADMIN_C, BOARD, BOARD_2, UNI_ADMIN};
    sy_prng rng;
    sy_prng_seed(&rng, test_seed());
    unsigned answered = 0, optouts = 0;
    apply(publish(0));
    set_param(SY_PARAM_RESEARCH_CELLS, 60, 1);
    set_param(SY_PARAM_DATASET_CELLS, 100, 2);
    for (unsigned step = 0; step < 1500; step++) {
        unsigned n = (unsigned)sy_prng_below(&rng, 4) + step / 150 * 4;
        struct world_tx tx = propose(askers[sy_prng_below(&rng, 5)], n);
        uint32_t cells[3] = {random_cell(&rng), random_cell(&rng), random_cell(&rng)};
        switch (sy_prng_below(&rng, 12)) {
        case 0: break;
        case 1:
            if (sy_prng_below(&rng, 8) != 0) continue;
            tx = deny(deciders[sy_prng_below(&rng, 6)], n);
            break;
        case 2: tx = good_answer(n); break;
        case 3: tx = contribute(sy_prng_below(&rng, 2) == 0, "", true); break;
        case 4:
            if (step % 50 == 0) pass_days(31);
            continue;
        case 5:
        case 6: tx = answer(n, cells, 2 + (unsigned)sy_prng_below(&rng, 2)); break;
        default: tx = approve(deciders[sy_prng_below(&rng, 6)], n); break;
        }
        bool answers = tx.kind == SY_KIND_query_result,
             leaves = tx.kind == SY_KIND_contribute_optout;
        if (answers) tx.payload.query_result.optouts = optouts;
        if (world_submit(&world, &tx) != SY_APPLIED) continue;
        optouts += leaves ? 1 : 0;
        if (answers) check_answered(n);
        answered += answers ? 1 : 0;
        assert_true(spent(0, RESEARCHER, SY_BUDGET_RESEARCHER) <= 60);
        assert_true(spent(0, STRANGER, SY_BUDGET_RESEARCHER) <= 60);
        assert_true(spent(ORG_LAB, 0, SY_BUDGET_ORGANISATION) <= 240);
        assert_true(spent(DATASET, 0, SY_BUDGET_DATASET) <= 100);
        assert_true(spent(ORG_A, 0, SY_BUDGET_CUSTODIAN) <= 400);
    }
    print_message("%u answered, %u opted out\n", answered, optouts);
    assert_true(answered > 0);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        WITH_RESEARCH(a_data_set_takes_every_custodian_and_a_board_of_its_own),
        WITH_RESEARCH(what_a_data_set_says_fits),
        WITH_RESEARCH(records_are_one_data_sets),
        WITH_RESEARCH(an_update_is_the_next_version),
        WITH_RESEARCH(one_alone_withdraws_a_data_set),
        WITH_RESEARCH(a_query_is_written_one_way_and_asks_little),
        WITH_RESEARCH(a_data_set_is_asked_for_what_it_has),
        WITH_RESEARCH(who_asks_does_not_decide),
        WITH_RESEARCH(a_board_keeps_no_data_that_are_asked_with_its_own),
        WITH_RESEARCH(a_query_takes_as_many_custodians_as_needed_and_the_board),
        WITH_RESEARCH(a_query_that_was_denied_is_over),
        WITH_RESEARCH(a_query_does_not_wait_for_ever),
        WITH_RESEARCH(the_same_is_asked_once_an_epoch),
        WITH_RESEARCH(a_researcher_and_their_organisation_have_a_budget),
        WITH_RESEARCH(a_data_set_has_a_budget),
        WITH_RESEARCH(a_custodian_has_a_budget_for_all_its_data_sets),
        WITH_RESEARCH(parameters_of_research_have_bounds),
        WITH_RESEARCH(a_result_is_posted_once_by_custodians),
        WITH_RESEARCH(a_result_leads_to_the_records),
        WITH_RESEARCH(a_table_has_a_shape),
        WITH_RESEARCH(small_counts_are_hidden_so_that_they_stay_hidden),
        WITH_RESEARCH(a_gene_that_too_few_carry_is_not_answered),
        WITH_RESEARCH(a_patient_opts_in_and_out),
        WITH_RESEARCH(an_answer_knows_of_every_opt_out),
        WITH_RESEARCH(whatever_happens_budgets_hold_and_answers_were_approved),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
