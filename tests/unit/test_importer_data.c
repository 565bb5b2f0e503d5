/* test_importer_data.c: the importer over public data, when it is there. What it counts is compared
 * with a table made by another program; the largest Bundle must fit one transaction; a process that
 * is killed again and again ends where an undisturbed one does.
 *
 * ctest: slow timeout=1800 */
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/os.h"
#include "core/client/client_store.h"
#include "core/client/importer.h"
#include "tests/support/data.h"
#include "tests/support/import_rig.h"
#include "tests/support/test.h"

static struct sy_error err;

static void rehearse(struct import_rig *rig, sy_importer **importer, const char *path, bool atomic)
{
    struct sy_importer_config config = rig_config(rig);
    config.dry_run = true;
    config.atomic = atomic;
    sy_status status = sy_importer_open(importer, &config, &err);
    if (status == SY_OK) status = sy_importer_add(*importer, path, &err);
    if (status == SY_OK) status = rig_run(rig, *importer, &err);
    if (status != SY_OK) fail_msg("%s", err.text);
}

/* --- the oracle ------------------------------------------------------------------------------ */

#define COLUMNS_MAX 40u

struct oracle {
    char names[COLUMNS_MAX][64];
    uint64_t sums[COLUMNS_MAX];
    size_t columns;
};

/* Columns "Patient" to "Device" hold counts a type; the first row names them. */
static void add_row(struct oracle *oracle, char *line, bool is_head)
{
    size_t column = 0;
    for (char *rest = line, *cell; (cell = strsep(&rest, "\t\n")) != NULL; column++) {
        if (column >= COLUMNS_MAX || (rest == NULL && cell[0] == '\0')) continue;
        if (is_head) {
            snprintf(oracle->names[column], sizeof oracle->names[column], "%s", cell);
            oracle->columns = column + 1;
        } else {
            oracle->sums[column] += strtoull(cell, NULL, 10);
        }
    }
}

static void read_oracle(struct oracle *oracle, const char *path)
{
    char line[4096];
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    memset(oracle, 0, sizeof *oracle);
    while (fgets(line, sizeof line, file) != NULL) add_row(oracle, line, oracle->columns == 0);
    fclose(file);
}

static uint64_t count_of(const sy_importer *importer, const char *type)
{
    const struct sy_import_type *row;
    for (size_t i = 0; (row = sy_importer_type(importer, i)) != NULL; i++) {
        if (strcmp(row->type, type) == 0) return row->read;
    }
    return 0;
}

CASE(the_whole_set_counts_as_the_oracle_says)
{
    struct import_rig rig;
    struct oracle oracle;
    struct sy_import_totals totals;
    sy_importer *importer;
    char folder[1024];
    char table[1024];
    if (TEST_SANITIZED) skip(); // for its time; the cases below read the largest of them
    if (!test_data(folder, sizeof folder, "fhir-synthea-617")) skip();
    if (!test_data(table, sizeof table, "fhir-synthea-r4-all617.oracle.tsv")) skip();
    read_oracle(&oracle, table);
    rig_open(&rig);
    rehearse(&rig, &importer, folder, false);
    sy_importer_totals(importer, &totals);
    uint64_t sum = 0;
    for (size_t i = 0; i < oracle.columns; i++) {
        if (oracle.names[i][0] < 'A' || oracle.names[i][0] > 'Z') continue;
        uint64_t counted = count_of(importer, oracle.names[i]);
        if (counted != oracle.sums[i]) fail_msg("%s", oracle.names[i]);
        sum += counted;
    }
    assert_int_equal(totals.resources_read, sum);
    assert_int_equal(sum, 191093);
    assert_int_equal(totals.files_read, 617);
    assert_int_equal(totals.refused + totals.warnings, 0);
    // Organisations and practitioners come again in patients' Bundles: 198 times with new bytes.
    assert_int_equal(totals.amendments, 198);
    assert_int_equal(totals.duplicates, 1784);
    assert_int_equal(totals.patients, 615);
    sy_importer_close(importer);
    rig_close(&rig);
}

CASE(the_largest_bundle_fits_one_transaction)
{
    struct import_rig rig;
    struct sy_import_totals totals;
    sy_importer *importer;
    char path[1024];
    if (!test_data(path, sizeof path,
                   "fhir-synthea-617/Vito_Feeney_63dd4423-56ec-4f40-9dd6-82bc133aaddc.json")) {
        skip();
    }
    rig_open(&rig);
    rehearse(&rig, &importer, path, true);
    sy_importer_totals(importer, &totals);
    assert_int_equal(totals.resources_read, 1244);
    assert_int_equal(totals.refused, 0);
    assert_int_equal(totals.atomics, 1);
    sy_importer_close(importer);
    // And the ledger takes it.
    struct sy_importer_config config = rig_config(&rig);
    const char *paths[] = {path, NULL};
    config.atomic = true;
    sy_status status = rig_import(&rig, &config, paths, &totals, &err);
    if (status != SY_OK) fail_msg("%s", err.text);
    assert_int_equal(totals.resources_final, 1244);
    assert_int_equal(totals.atomics, 1);
    rig_close(&rig);
}

/* A Bundle with more organisations than can sign one transaction, and one with too many payloads:
 * refused whole, with the figures. */
static char *make_bundle(unsigned orgs, unsigned records)
{
    char *text = malloc((size_t)(orgs + records) * 200 + 200);
    assert_non_null(text);
    size_t used = (size_t)sprintf(text, "{\"resourceType\":\"Bundle\",\"type\":\"transaction\","
                                        "\"entry\":[");
    for (unsigned i = 0; i < orgs; i++) {
        used += (size_t)sprintf(
            text + used, "{\"resource\":{\"resourceType\":\"Organization\",\"id\":\"o%u\"}},", i);
    }
    for (unsigned i = 0; i < records; i++) {
        used += (size_t)sprintf(text + used,
                                "%s{\"resource\":{\"resourceType\":\"Basic\",\"id\":\"b%u\","
                                "\"author\":{\"reference\":\"Organization/o%u\"}}}",
                                i == 0 ? "" : ",", i, i % orgs);
    }
    (void)sprintf(text + used, "]}");
    return text;
}

static void assert_refused_whole(unsigned orgs, unsigned records, const char *figure)
{
    struct import_rig rig;
    struct sy_import_totals totals;
    sy_importer *importer;
    char path[400];
    char *text = make_bundle(orgs, records);
    rig_open(&rig);
    rig_write(&rig, path, sizeof path, "large.json", text);
    free(text);
    rehearse(&rig, &importer, path, true);
    sy_importer_totals(importer, &totals);
    assert_int_equal(totals.refused, records);
    assert_int_equal(totals.atomics, 0);
    const struct sy_import_issue *issue = sy_importer_issue(importer, 0);
    assert_non_null(issue);
    if (strstr(issue->what, figure) == NULL) fail_msg("%s", issue->what);
    sy_importer_close(importer);
    rig_close(&rig);
}

CASE(a_bundle_beyond_the_limits_is_refused_with_the_figures)
{
    assert_refused_whole(18, 18, "18 signers (at most 17)");
    assert_refused_whole(1, 4097, "4097 payloads (at most 4096)");
    assert_refused_whole(2, 4090, "bytes (at most 524288)");
}

/* --- killed ---------------------------------------------------------------------------------- */

/* The importer's process talks to the ledger's over a socket: what it sends, it sends as length and
 * bytes; length 0 asks for everything that was decided. Killed at any moment it leaves only its
 * store behind. */
struct wire_head {
    uint32_t bytes;
    struct sy_hash id;
    uint32_t receipt, proof, certificate;
    struct sy_header header;
};

static void write_all(int fd, const void *data, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t wrote = send(fd, (const char *)data + done, size - done, MSG_NOSIGNAL);
        if (wrote <= 0) _Exit(5);
        done += (size_t)wrote;
    }
}

static bool read_all(int fd, void *data, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t got = read(fd, (char *)data + done, size - done);
        if (got <= 0) return false;
        done += (size_t)got;
    }
    return true;
}

/* The importer's side. Ends with status 0 when everything is decided, by a signal, or with 5. */
static void run_client(int fd, const struct sy_importer_config *config, const char *path)
{
    static uint8_t receipt[1u << 20], proof[1u << 20], certificate[1u << 16];
    struct sy_importer *importer;
    if (sy_importer_open(&importer, config, &err) != SY_OK) _Exit(6);
    if (sy_importer_add(importer, path, &err) != SY_OK) _Exit(6);
    unsigned out = 0;
    for (;;) {
        struct sy_import_action action;
        if (sy_importer_next(importer, &action, &err) != SY_OK) _Exit(7);
        if (action.kind == SY_IMPORT_DONE) break;
        if (action.kind == SY_IMPORT_SEND) {
            struct wire_head head = {.bytes = (uint32_t)action.tx.size, .id = action.tx_id};
            write_all(fd, &head, sizeof head);
            write_all(fd, action.tx.data, action.tx.size);
            out++;
        }
        if (action.kind != SY_IMPORT_WAIT) continue;
        struct wire_head ask = {.bytes = 0};
        write_all(fd, &ask, sizeof ask);
        for (; out > 0; out--) {
            struct wire_head head;
            if (!read_all(fd, &head, sizeof head) || !read_all(fd, receipt, head.receipt) ||
                !read_all(fd, proof, head.proof) || !read_all(fd, certificate, head.certificate)) {
                _Exit(5);
            }
            struct sy_import_outcome told = {
                .tx_id = head.id,
                .receipt = sy_slice_of(receipt, head.receipt),
                .receipt_proof = sy_slice_of(proof, head.proof),
                .header = &head.header,
                .certificate = sy_slice_of(certificate, head.certificate),
            };
            if (sy_importer_on_final(importer, &told, &err) != SY_OK) _Exit(7);
        }
    }
    sy_importer_close(importer);
    _Exit(0);
}

/* The ledger's side: orders what comes and answers until the other end is gone. */
static void run_ledger(struct import_rig *rig, int fd)
{
    static struct sy_import_action sends[RIG_TXS_MAX];
    size_t count = 0;
    struct wire_head head;
    while (read_all(fd, &head, sizeof head)) {
        if (head.bytes != 0) {
            uint8_t *bytes = malloc(head.bytes);
            assert_non_null(bytes);
            if (!read_all(fd, bytes, head.bytes)) {
                free(bytes);
                break;
            }
            assert_true(count < RIG_TXS_MAX);
            sends[count++] = (struct sy_import_action){
                .tx_id = head.id, .tx = sy_slice_of(bytes, head.bytes), .again = true};
            continue;
        }
        for (size_t i = 0; i < count; i++) {
            const struct rig_outcome *outcome = rig_decide(rig, &sends[i]);
            struct wire_head answer = {.id = outcome->id,
                                       .receipt = (uint32_t)outcome->receipt_bytes,
                                       .proof = (uint32_t)outcome->proof_bytes,
                                       .certificate = (uint32_t)outcome->certificate_bytes,
                                       .header = outcome->header};
            bool sent = send(fd, &answer, sizeof answer, MSG_NOSIGNAL) == sizeof answer &&
                        send(fd, outcome->receipt, answer.receipt, MSG_NOSIGNAL) > 0 &&
                        send(fd, outcome->proof, answer.proof, MSG_NOSIGNAL) > 0 &&
                        send(fd, outcome->certificate, answer.certificate, MSG_NOSIGNAL) > 0;
            free((void *)(uintptr_t)sends[i].tx.data);
            if (!sent) sends[i].tx.size = 0;
        }
        count = 0;
    }
    while (count > 0) free((void *)(uintptr_t)sends[--count].tx.data);
}

/* One process; it is killed at its nth commit (0: not at all). True: it came to the end. */
static bool run_process(struct import_rig *rig, const struct sy_importer_config *config,
                        const char *path, const char *point, uint64_t nth)
{
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        close(ends[0]);
        if (nth != 0) sy_os_failpoint_arm(point, nth, "kill");
        run_client(ends[1], config, path);
    }
    close(ends[1]);
    run_ledger(rig, ends[0]);
    close(ends[0]);
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    bool killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    bool ended = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (!killed && !ended) fail_msg("the importer's process ended with status %d", status);
    return ended;
}

CASE(killed_at_any_commit_and_resumed_the_totals_are_the_same)
{
    static const char *const points[] = {"client.commit", "client.committed"};
    struct import_rig rig;
    struct sy_import_totals totals, undisturbed;
    char path[1024];
    size_t records, amendments, wanted_records, wanted_amendments;
    rig_samples(path, sizeof path, "");
    rig_open(&rig);
    struct sy_importer_config config = rig_config(&rig);
    const char *paths[] = {path, NULL};
    assert_int_equal(rig_import(&rig, &config, paths, &undisturbed, &err), SY_OK);
    rig_records(&rig, &wanted_records, &wanted_amendments);
    rig_close(&rig);
    for (size_t i = 0; i < 2; i++) {
        rig_open(&rig);
        config = rig_config(&rig);
        config.resume = true;
        config.window = 32;
        unsigned processes = 0;
        // Every process gets one commit further than the one before.
        while (!run_process(&rig, &config, path, points[i], 4)) {
            processes++;
            assert_true(processes < 300);
        }
        printf("%u processes were killed at %s\n", processes, points[i]);
        assert_true(processes > 2);
        assert_int_equal(rig_import(&rig, &config, paths, &totals, &err), SY_OK);
        rig_records(&rig, &records, &amendments);
        assert_int_equal(records, wanted_records);
        assert_int_equal(amendments, wanted_amendments);
        assert_int_equal(totals.resources_read, undisturbed.resources_read);
        assert_int_equal(totals.resources_final, undisturbed.resources_final);
        assert_int_equal(totals.duplicates, undisturbed.duplicates);
        assert_int_equal(totals.txs_final, undisturbed.txs_final);
        assert_int_equal(totals.refused, 0);
        rig_close(&rig);
    }
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(the_whole_set_counts_as_the_oracle_says),
        cmocka_unit_test(the_largest_bundle_fits_one_transaction),
        cmocka_unit_test(a_bundle_beyond_the_limits_is_refused_with_the_figures),
        cmocka_unit_test(killed_at_any_commit_and_resumed_the_totals_are_the_same),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
