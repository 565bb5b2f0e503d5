/* Who may do what: every role, every kind of transaction and every read, by how the key stands to
 * the thing, as tests/data/contracts/who_may.txt says it; and the page that is written from it. */
#include <stdio.h>
#include <stdlib.h>

#include "core/base/os.h"
#include "tests/unit/who_may_rig.h"

#define PAGE "core/ledger/contracts/WHO_MAY.md"
#define PAGE_BYTES_MAX (256u << 10)

static int set_up(void **state)
{
    (void)state;
    rig_open();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    rig_close();
    return 0;
}

static const char *const standing_words[STANDINGS] = {"own", "granted", "foreign", "revoked",
                                                      "expired"};

CASE(no_kind_of_transaction_is_missing)
{
    const struct sy_kind *kind;
    unsigned missing = 0;
    for (unsigned k = 0; (kind = sy_kind_at(k)) != NULL; k++) {
        bool there = false;
        for (unsigned i = 0; i < scenario_count; i++) there = there || scenarios[i].kind == kind;
        if (there) continue;
        print_error("%s: who may do it? Add its lines to %s\n", kind->name, WHO_MAY_FILE);
        missing++;
    }
    assert_int_equal(missing, 0);
}

CASE(no_entry_of_state_is_missing)
{
    unsigned missing = 0;
    for (unsigned kind = SY_STATE_PARAMS; kind < SY_STATE_KIND_COUNT; kind++) {
        const char *name = sy_state_kind_name(kind);
        if (name == NULL) continue; // numbers have gaps
        bool there = false;
        for (unsigned i = 0; i < scenario_count; i++) {
            there = there || (scenarios[i].kind == NULL && strcmp(scenarios[i].what, name) == 0);
        }
        if (there) continue;
        print_error("read %s: who may? Add its lines to %s\n", name, WHO_MAY_FILE);
        missing++;
    }
    assert_int_equal(missing, 0);
}

/* Asks every cell of the scenarios that are reads, or are not. */
static void ask_all(bool reads)
{
    unsigned cells = 0, wrong = 0;
    for (unsigned i = 0; i < scenario_count; i++) {
        const struct scenario *scenario = &scenarios[i];
        if ((scenario->kind == NULL) != reads) continue;
        for (unsigned cell = 0; cell < (SY_ROLE_COUNT - 1u) * STANDINGS; cell++) {
            struct actor actor = {.role = 1 + cell / STANDINGS,
                                  .standing = (enum standing)(cell % STANDINGS)};
            const char *expected = scenario->of_role[actor.role]->codes[actor.standing];
            const char *got = reads ? rig_read(scenario, &actor) : rig_execute(scenario, &actor);
            cells++;
            if (strcmp(expected, got) == 0) continue;
            print_error("%s, %s, %s: %s, not %s\n", scenario->name,
                        sy_enum_word(&sy_enum_role, (uint16_t)actor.role),
                        standing_words[actor.standing], got, expected);
            wrong++;
        }
    }
    print_message("%u cells\n", cells);
    assert_true(cells >= 2000);
    assert_int_equal(wrong, 0);
}

CASE(execution_answers_as_the_table_says)
{
    ask_all(false);
}

CASE(reads_are_answered_as_the_table_says)
{
    ask_all(true);
}

/* What is read of a patient, and whether it is of a record. */
static const struct {
    const char *name;
    bool record;
} of_patient[] = {
    {"read patient", false},
    {"read open care", false},
    {"read record", true},
    {"read record version", true},
    {"read cosignatures", true},
    {"read record link", true},
    {"read record, with a label", true},
    {"read record, to audit", true},
    {"read consents", false},
    {"read consent place", false},
    {"read break of", false},
    {"read patient place", false},
    {"read transaction", true},
};

static bool is_of_patient(const struct scenario *scenario, bool *record)
{
    for (size_t i = 0; i < sizeof of_patient / sizeof of_patient[0]; i++) {
        *record = of_patient[i].record;
        if (strcmp(scenario->name, of_patient[i].name) == 0) return true;
    }
    return false;
}

/* Who reads what is their own: it is never noted. */
static bool is_own(const struct actor *actor)
{
    bool side = actor->role == SY_ROLE_PATIENT || actor->role == SY_ROLE_GUARDIAN;
    return side && actor->standing == OWN;
}

static void check_grant(const struct scenario *scenario, const struct actor *actor, bool record)
{
    const struct sy_grants *grants = rig_grants();
    struct sy_hash patient = rig_id("patient");
    const struct sy_disclosed *leaf = &grants->items[0];
    if (grants->count != 1 || !sy_hash_equal(&leaf->patient, &patient) ||
        sy_hash_is_zero(&leaf->record) == record) {
        fail_msg("%s, %s, %s: noted %u times", scenario->name,
                 sy_enum_word(&sy_enum_role, (uint16_t)actor->role),
                 standing_words[actor->standing], grants->count);
    }
    bool oversees = actor->role == SY_ROLE_REGULATOR ||
                    (actor->role == SY_ROLE_AUDITOR && leaf->purpose == SY_PURPOSE_AUDIT);
    enum sy_ground expected = oversees                     ? SY_GROUND_OVERSIGHT
                              : actor->standing == GRANTED ? SY_GROUND_CONSENT
                                                           : SY_GROUND_CARE;
    assert_int_equal(leaf->ground, expected);
    assert_int_equal(sy_hash_is_zero(&leaf->by), oversees);
    assert_int_equal(leaf->version, strcmp(scenario->name, "read record version") == 0 ? 1 : 0);
}

CASE(what_others_read_of_a_patient_is_noted_and_why)
{
    unsigned noted = 0, own = 0;
    bool record;
    for (unsigned i = 0; i < scenario_count; i++) {
        for (unsigned cell = 0; cell < (SY_ROLE_COUNT - 1u) * STANDINGS; cell++) {
            const struct scenario *scenario = &scenarios[i];
            struct actor actor = {.role = 1 + cell / STANDINGS,
                                  .standing = (enum standing)(cell % STANDINGS)};
            if (scenario->kind != NULL || strcmp(rig_read(scenario, &actor), "yes") != 0) continue;
            if (is_own(&actor)) {
                assert_int_equal(rig_grants()->count, 0);
                own++;
            } else if (is_of_patient(scenario, &record)) {
                // Who wrote a transaction, or for whom it was written, learns nothing from it.
                if (strcmp(scenario->name, "read transaction") == 0 && actor.standing == OWN &&
                    actor.role != SY_ROLE_REGULATOR) {
                    continue;
                }
                check_grant(scenario, &actor, record);
                noted++;
            }
        }
    }
    assert_true(noted > 100 && own > 20);
}

/* The directory, an organisation's own, and what is nobody's: nothing of it is noted. */
CASE(what_is_of_no_patient_is_not_noted)
{
    static const char *const of_nobody[] = {
        "read params",     "read roster",     "read organisation",
        "read credential", "read access log", "read cert",
        "read signer",     "read signer of",  "read record, about an organisation",
        "read schedule"};
    unsigned seen = 0;
    for (unsigned i = 0; i < scenario_count; i++) {
        bool plain = false;
        for (size_t k = 0; k < sizeof of_nobody / sizeof of_nobody[0]; k++) {
            plain = plain || strcmp(scenarios[i].name, of_nobody[k]) == 0;
        }
        for (unsigned role = 1; plain && role < SY_ROLE_COUNT; role++) {
            struct actor actor = {.role = role, .standing = OWN};
            (void)rig_read(&scenarios[i], &actor);
            assert_int_equal(rig_grants()->count, 0);
            seen++;
        }
    }
    assert_true(seen > 100);
}

/* A table in which nothing is ever applied, or nothing refused, would be true of a ledger that does
 * nothing: each kind is applied for somebody, and refused in at least three cells for reasons that
 * are not the key's own. */
CASE(the_table_has_both_answers_for_every_kind)
{
    const struct sy_kind *kind;
    for (unsigned k = 0; (kind = sy_kind_at(k)) != NULL; k++) {
        unsigned applied = 0, refused = 0;
        // It tells those behind the first SY_RECALL_TOLD_MAX: test_ledger_recall has so many.
        if (kind->number == SY_KIND_recall_notify) applied = 1;
        // It takes a list that has come to count, and an impossible day: test_ledger_fraud has
        // them.
        if (kind->number == SY_KIND_fraud_flag) applied = 1;
        // Nobody who asks is the device that it takes: test_ledger_stream has one.
        bool by_device =
            kind->number == SY_KIND_stream_open || kind->number == SY_KIND_stream_commit;
        if (by_device) applied = 1;
        for (unsigned i = 0; i < scenario_count; i++) {
            if (scenarios[i].kind != kind) continue;
            for (unsigned cell = 0; cell < (SY_ROLE_COUNT - 1u) * REVOKED; cell++) {
                const char *code = scenarios[i].of_role[1 + cell / REVOKED]->codes[cell % REVOKED];
                *(strcmp(code, "applied") == 0 ? &applied : &refused) += 1;
            }
        }
        if (applied == 0 || refused < 3) {
            fail_msg("%s: applied in %u cells, refused in %u", kind->name, applied, refused);
        }
    }
}

// --- the page ----------------------------------------------------------------------------------

static void put(struct sy_writer *w, const char *text)
{
    sy_write_raw(w, text, strlen(text));
}

static void put_scenario(struct sy_writer *w, const struct scenario *scenario)
{
    put(w, "\n### ");
    put(w, scenario->name);
    put(w,
        "\n\n| role | own | granted | foreign | revoked | expired |\n|---|---|---|---|---|---|\n");
    for (unsigned i = 0; i < scenario->line_count; i++) {
        const struct who_line *line = &scenario->lines[i];
        put(w, "| ");
        put(w, line->roles);
        for (unsigned k = 0; k < STANDINGS; k++) {
            put(w, " | ");
            put(w, line->codes[k]);
        }
        put(w, " |\n");
    }
}

static void put_page(struct sy_writer *w)
{
    static const char head[] =
        "# Who may do what\n"
        "\n"
        "Written from `" WHO_MAY_FILE "`, whose head says more, by\n"
        "`tests/unit/test_who_may.c`, which compares every cell with what execution and\n"
        "validators' API answer. Do not edit it here: `SYSTOLE_REGENERATE=1 ctest --test-dir\n"
        "build/dev -R test_who_may` writes it anew.\n"
        "\n"
        "**own**: acts for the organisation that enrolled the patient, treats them and wrote the\n"
        "record; a patient: their own key; a guardian: one of the patient's. **granted**:\n"
        "another, whom a consent of the patient lets read, write and share. **foreign**:\n"
        "another, who was given nothing. **revoked**, **expired**: as own, but the key is\n"
        "revoked, or its credential is over. A regulator stands to everything alike. Refusals:\n"
        "`core/wire/CATALOGUE.md`.\n";
    put(w, head);
    put(w, "\n## Transactions\n");
    for (unsigned i = 0; i < scenario_count; i++) {
        if (scenarios[i].kind != NULL) put_scenario(w, &scenarios[i]);
    }
    put(w, "\n## Reads\n\nFor the purpose treatment, where nothing else is said.\n");
    for (unsigned i = 0; i < scenario_count; i++) {
        if (scenarios[i].kind == NULL) put_scenario(w, &scenarios[i]);
    }
}

CASE(the_page_is_the_table)
{
    const char *wish = getenv("SYSTOLE_REGENERATE");
    const char *source = getenv("SYSTOLE_SOURCE");
    uint8_t *room = (uint8_t *)malloc(PAGE_BYTES_MAX), *stored;
    size_t size;
    char path[512];
    struct sy_error err;
    struct sy_writer w = sy_writer_of(room, PAGE_BYTES_MAX);
    assert_non_null(room);
    put_page(&w);
    assert_false(w.failed);
    (void)snprintf(path, sizeof path, "%s/%s", source != NULL ? source : ".", PAGE);
    if (wish != NULL && strcmp(wish, "1") == 0) {
        assert_int_equal(sy_os_write_file(path, w.data, w.used, 0644, &err), SY_OK);
    }
    if (sy_os_read_file(&stored, &size, path, PAGE_BYTES_MAX, &err) != SY_OK) {
        fail_msg("%s (SYSTOLE_REGENERATE=1 writes it)", err.text);
    }
    bool same = sy_slice_equal(sy_slice_of(stored, size), sy_writer_slice(&w));
    free(stored);
    free(room);
    if (!same) fail_msg("%s differs: SYSTOLE_REGENERATE=1 writes it anew", path);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(no_kind_of_transaction_is_missing),
        cmocka_unit_test(no_entry_of_state_is_missing),
        cmocka_unit_test(the_table_has_both_answers_for_every_kind),
        cmocka_unit_test(execution_answers_as_the_table_says),
        cmocka_unit_test(reads_are_answered_as_the_table_says),
        cmocka_unit_test(what_others_read_of_a_patient_is_noted_and_why),
        cmocka_unit_test(what_is_of_no_patient_is_not_noted),
        cmocka_unit_test(the_page_is_the_table),
    };
    return cmocka_run_group_tests(cases, set_up, tear_down);
}
