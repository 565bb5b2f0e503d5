/* test_bill_data.c: claims of public data, when it is there: how many, what they come to, and which
 * are there twice, compared with tables made by another program.
 *
 * ctest: slow timeout=600 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/os.h"
#include "core/client/bill_files.h"
#include "core/client/x12.h"
#include "tests/support/data.h"
#include "tests/support/test.h"

#define FILES_MAX 1024u

static char *files[FILES_MAX];
static size_t file_count;
static struct sy_error err;

static void add_file(const char *folder, const char *name)
{
    char path[2048];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_true(file_count < FILES_MAX);
    files[file_count] = strdup(path);
    assert_non_null(files[file_count++]);
}

static void forget_files(void)
{
    while (file_count > 0) free(files[--file_count]);
}

static void read_files(struct sy_bill_report *report)
{
    if (sy_bill_report_open(report, &err) != SY_OK ||
        sy_bill_files(report, files, file_count, NULL, NULL, &err) != SY_OK) {
        fail_msg("%s", err.text);
    }
}

/* The files that a table names in its first column, and the sum of amounts in one of the others. */
static int64_t read_table(const char *folder, const char *table, size_t column)
{
    char line[4096];
    int64_t sum = 0;
    FILE *file = fopen(table, "r");
    assert_non_null(file);
    assert_non_null(fgets(line, sizeof line, file)); // its head
    while (fgets(line, sizeof line, file) != NULL) {
        char *rest = line, *cell;
        for (size_t i = 0; (cell = strsep(&rest, "\t\n")) != NULL; i++) {
            int64_t cents;
            if (i == 0) add_file(folder, cell);
            if (i != column || strchr(cell, ' ') != NULL) continue;
            if (!sy_x12_cents(&cents, sy_slice_of(cell, strlen(cell)))) continue; // "no ISA"
            sum += cents;
        }
    }
    fclose(file);
    return sum;
}

static uint64_t sum_of(const struct sy_bill_report *report, uint64_t *final, uint64_t *duplicates,
                       uint64_t *refused, int64_t *cents)
{
    uint64_t read = 0;
    *final = *duplicates = *refused = 0;
    *cents = 0;
    for (size_t i = 0; i < SY_BILL_TYPES; i++) {
        read += report->types[i].read;
        *final += report->types[i].final;
        *duplicates += report->types[i].duplicates;
        *refused += report->types[i].refused;
        *cents += report->charged_read[i];
    }
    return read;
}

/* Column 22 is claim_total_sum. Three encounters of the set last for years, which no claim may. */
CASE(all_synthea_claims_sum_up_and_none_is_there_twice)
{
    char folder[1024], table[1024];
    uint64_t final, duplicates, refused, read;
    int64_t cents;
    struct sy_bill_report report;
    if (TEST_SANITIZED) skip(); // for its time
    if (!test_data(folder, sizeof folder, "fhir-synthea-617")) skip();
    if (!test_data(table, sizeof table, "fhir-synthea-r4-all617.oracle.tsv")) skip();
    int64_t want = read_table(folder, table, 22);
    assert_int_equal(file_count, 617);
    read_files(&report);
    read = sum_of(&report, &final, &duplicates, &refused, &cents);
    assert_int_equal(read, 22810);
    assert_int_equal(report.types[SY_BILL_INSTITUTIONAL].read, 18098);
    assert_int_equal(report.types[SY_BILL_PHARMACY].read, 4712);
    assert_int_equal(cents, want);
    assert_int_equal(want, 8139044917);
    assert_int_equal(duplicates, 0);
    assert_int_equal(refused, 3);
    assert_int_equal(final, 22807);
    for (size_t i = 0; i < report.issues_kept; i++) {
        assert_non_null(strstr(report.issues[i].what, "longer than 366 days"));
    }
    sy_bill_report_close(&report);
    forget_files();
}

CASE(every_claim_that_comes_again_is_found)
{
    char folder[1024];
    uint64_t final, duplicates, refused, read;
    int64_t cents;
    struct sy_bill_report report;
    if (!test_data(folder, sizeof folder, "fhir-synthea-617")) skip();
    for (unsigned i = 0; i < 2; i++) {
        add_file(folder, "Abdul_Koepp_e925b0f3-8006-43f6-aa31-94bd215e55e7.json");
    }
    read_files(&report);
    read = sum_of(&report, &final, &duplicates, &refused, &cents);
    assert_int_equal(read, 36);
    assert_int_equal(final, 18);
    assert_int_equal(duplicates, 18);
    assert_int_equal(cents, 2 * 4633416);
    sy_bill_report_close(&report);
    forget_files();
}

/* Column 6 is CLM02_sum. Almost all sets of these files were made wrong on purpose. */
CASE(all_x12_claims_sum_up_and_wrong_sets_bill_nothing)
{
    char folder[1024], table[1024];
    uint64_t final, duplicates, refused, read;
    int64_t cents;
    struct sy_bill_report report;
    if (!test_data(folder, sizeof folder, "x12")) skip();
    if (!test_data(table, sizeof table, "x12.oracle.tsv")) skip();
    int64_t want = read_table(folder, table, 6);
    assert_int_equal(file_count, 48);
    read_files(&report);
    read = sum_of(&report, &final, &duplicates, &refused, &cents);
    assert_int_equal(read, 1512);
    assert_int_equal(cents, want);
    assert_int_equal(final, 5);
    assert_int_equal(duplicates, 2);
    assert_int_equal(refused, 1505);
    assert_int_equal(report.charged[SY_BILL_837P], 73904);
    sy_bill_report_close(&report);
    forget_files();
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(all_synthea_claims_sum_up_and_none_is_there_twice),
        cmocka_unit_test(every_claim_that_comes_again_is_found),
        cmocka_unit_test(all_x12_claims_sum_up_and_wrong_sets_bill_nothing),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
