/* research_rig.c: see research_rig.h. */
#include "tests/unit/research_rig.h"

#include <stdio.h>
#include <string.h>

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

void add_research_key(unsigned admin, unsigned role, unsigned key)
{
    struct world_tx tx = world_issue(&world, admin, org_of(admin), role, key);
    assert_applied(&tx);
}

int set_up_research(void **state)
{
    set_up(state);
    add_org(ADMIN_C, SY_ORG_HOSPITAL);
    add_org(BOARD_ADMIN, SY_ORG_RESEARCH);
    add_org(LAB_ADMIN, SY_ORG_RESEARCH);
    add_org(UNI_ADMIN, SY_ORG_RESEARCH);
    add_research_key(BOARD_ADMIN, SY_ROLE_ETHICS, BOARD);
    add_research_key(BOARD_ADMIN, SY_ROLE_ETHICS, BOARD_2);
    add_research_key(BOARD_ADMIN, SY_ROLE_RESEARCHER, BOARD_RESEARCHER);
    add_research_key(LAB_ADMIN, SY_ROLE_RESEARCHER, RESEARCHER);
    add_research_key(LAB_ADMIN, SY_ROLE_RESEARCHER, RESEARCHER_2);
    add_research_key(UNI_ADMIN, SY_ROLE_RESEARCHER, STRANGER);
    add_research_key(ADMIN_A, SY_ROLE_RESEARCHER, OWN_RESEARCHER);
    return 0;
}

// --- transactions ------------------------------------------------------------------------------

/* Lists stand for the next 64 calls. */
static struct sy_writer next_room(void)
{
    static uint8_t rooms[64][1024];
    static unsigned at;
    at = (at + 1) % 64;
    return sy_writer_of(rooms[at], sizeof rooms[at]);
}

struct sy_list some_ids(unsigned first, unsigned second, unsigned third)
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
struct sy_list some_texts(const char *words)
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

struct sy_slice some_numbers(const uint32_t *values, unsigned count)
{
    struct sy_writer w = next_room();
    for (unsigned i = 0; i < count; i++) sy_write_u32(&w, values[i]);
    return sy_writer_slice(&w);
}

#define SAY_DATA(p, root)                                \
    do {                                                 \
        (p)->schema_commit = test_hash(1);               \
        (p)->counts_root = test_hash(2);                 \
        (p)->record_root = test_hash(ROOT + (root));     \
        (p)->as_of = 1;                                  \
        (p)->basis = SY_BASIS_OPTIN;                     \
        (p)->genetic = true;                             \
        (p)->wearable = true;                            \
        (p)->codes = some_texts("icd|E11 loinc|8867-4"); \
        (p)->phenotypes = some_texts("HP:0001250");      \
        (p)->devices = SY_SET_BIT(SY_DEVICE_WEARABLE);   \
        (p)->ages = SY_SET_BIT(SY_AGES_20S);             \
        (p)->people = SY_COUNT_HUNDREDS;                 \
    } while (0)

/* Of A, B and C, two of whom are needed. */
struct world_tx publish_dataset(unsigned n)
{
    struct world_tx tx = world_tx_of(SY_KIND_dataset_publish, ADMIN_A, ORG_A);
    struct sy_dataset_publish *p = &tx.payload.dataset_publish;
    p->dataset_id = test_hash(DATASET + n);
    p->custodians = some_ids(ORG_A, ORG_B, ORG_C);
    p->needed = 2;
    p->ethics = test_hash(ORG_BOARD);
    SAY_DATA(p, n);
    world_cosign(&tx, ADMIN_B);
    world_cosign(&tx, ADMIN_C);
    world_cosign(&tx, BOARD);
    return tx;
}

struct world_tx update_dataset(unsigned n, uint32_t version, unsigned root)
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

struct world_tx withdraw_dataset(unsigned key, unsigned n)
{
    struct world_tx tx = world_tx_of(SY_KIND_dataset_withdraw, key, org_of(key));
    tx.payload.dataset_withdraw.dataset_id = test_hash(DATASET + n);
    tx.payload.dataset_withdraw.reason = SY_DATASET_ENDED;
    return tx;
}

/* Each a query of its own: people with code icd|n, by age band and sex. */
struct world_tx propose_query(unsigned key, unsigned n)
{
    static char words[64][16];
    struct world_tx tx = world_tx_of(SY_KIND_query_propose, key, org_of(key));
    struct sy_query_propose *p = &tx.payload.query_propose;
    char *word = words[n % 64];
    (void)snprintf(word, sizeof words[0], "icd|%u", n);
    p->query_id = test_hash(QUERY + n);
    p->datasets = some_ids(DATASET, 0, 0);
    p->codes = some_texts(word);
    p->phenotypes = some_texts("");
    p->variants = some_texts("");
    p->rows = SY_AXIS_NONE;
    p->columns = SY_AXIS_SEX;
    p->purpose = SY_QUERY_STUDY;
    p->ethics_ref = test_hash(3);
    p->budget = 16;
    return tx;
}

struct world_tx approve_query(unsigned key, unsigned n)
{
    struct world_tx tx = world_tx_of(SY_KIND_query_approve, key, org_of(key));
    tx.payload.query_approve.query_id = test_hash(QUERY + n);
    return tx;
}

struct world_tx deny_query(unsigned key, unsigned n)
{
    struct world_tx tx = world_tx_of(SY_KIND_query_deny, key, org_of(key));
    tx.payload.query_deny.query_id = test_hash(QUERY + n);
    tx.payload.query_deny.reason = SY_DENIED_ETHICS;
    return tx;
}

/* One row, as many columns; each number told with its totals. */
struct world_tx answer_query(unsigned n, const uint32_t *cells, unsigned count)
{
    struct world_tx tx = world_tx_of(SY_KIND_query_result, ADMIN_A, ORG_A);
    struct sy_query_result *p = &tx.payload.query_result;
    uint32_t total = 0;
    for (unsigned i = 0; i < count; i++) {
        total = cells[i] == NONE || total == NONE ? NONE : total + cells[i];
    }
    p->query_id = test_hash(QUERY + n);
    p->k = 11;
    p->rows = some_texts("all");
    p->columns = some_texts(count == 1   ? "a"
                            : count == 2 ? "a b"
                            : count == 3 ? "a b c"
                                         : "a b c d");
    p->cells = some_numbers(cells, count);
    p->row_totals = some_numbers(&total, 1);
    p->column_totals = some_numbers(cells, count);
    p->has_total = total != NONE;
    p->total = p->has_total ? total : 0;
    world_cosign(&tx, ADMIN_B);
    return tx;
}

struct world_tx good_answer(unsigned n)
{
    static const uint32_t cells[] = {40, 60};
    return answer_query(n, cells, 2);
}

struct world_tx say_contribution(bool in, const char *classes, bool genetic)
{
    struct world_tx tx =
        world_tx_of(in ? SY_KIND_contribute_optin : SY_KIND_contribute_optout, WALLET_CLAIMED, 0);
    tx.payload.contribute_optin.patient_id = test_hash(PATIENT_CLAIMED);
    tx.payload.contribute_optin.classes = some_texts(classes);
    tx.payload.contribute_optin.genetic = genetic;
    return tx;
}

void apply_tx(struct world_tx tx)
{
    assert_applied(&tx);
}

void refuse_tx(struct world_tx tx, enum sy_refusal code)
{
    assert_refused(&tx, code);
}

void make_query(unsigned n)
{
    apply_tx(propose_query(RESEARCHER, n));
}

void make_approved(unsigned n)
{
    make_query(n);
    apply_tx(approve_query(ADMIN_A, n));
    apply_tx(approve_query(ADMIN_B, n));
    apply_tx(approve_query(BOARD, n));
}

/* A block so many days later. */
void pass_research_days(unsigned days)
{
    int64_t step = world.step_ms;
    world.step_ms = days * DAY_MS;
    world_execute(&world, NULL, 0);
    world.step_ms = step;
}

void set_research_param(unsigned name, uint64_t value, uint32_t version)
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

struct sy_slice find_research(enum sy_state_kind kind, struct sy_hash id, struct sy_hash second)
{
    static uint8_t kept[SY_STATE_VALUE_BYTES_MAX];
    struct sy_hash key_hash;
    struct sy_slice value;
    assert_true(sy_state_key_of(&key_hash, kind, &id, &second));
    assert_true(world_find(&world, &value, &key_hash));
    memcpy(kept, value.data, value.size);
    return sy_slice_of(kept, value.size);
}

struct sy_query find_query(unsigned n)
{
    struct sy_query query;
    struct sy_slice value = find_research(SY_STATE_QUERY, test_hash(QUERY + n), test_hash(0));
    assert_true(sy_query_decode(&query, value));
    return query;
}

uint64_t cells_spent(unsigned whose, unsigned key, enum sy_budget_of what)
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

void assert_research_told(unsigned n, unsigned kind, unsigned org, unsigned object)
{
    struct sy_event event;
    struct sy_hash about = test_hash(org), named = test_hash(object);
    size_t offset = (size_t)n * SY_EVENT_BYTES;
    assert_true(sy_receipt_next_event(&world.receipt, &offset, &event));
    assert_int_equal(event.kind, kind);
    assert_memory_equal(&event.subject, &about, sizeof about);
    assert_memory_equal(&event.object, &named, sizeof named);
}

void assert_research_number(uint64_t detail)
{
    assert_int_equal(world.receipt.detail, detail);
}
