/* test_client_store.c: the client's store and keyring: rows come back as they were put, nothing
 * uncommitted survives, and everything on disk belongs to its owner alone. */
#include "core/client/client_store.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "core/base/os.h"
#include "core/base/prng.h"
#include "core/client/keyring.h"
#include "core/wire/limits.h"
#include "core/wire/schema.h"
#include "tests/support/test.h"

static const struct sy_hash genesis = {{42}};

struct bench {
    char folder[256];
    char path[300];
    sy_client_store *store;
    struct sy_error err;
};

static void reopen(struct bench *bench)
{
    sy_client_store_close(bench->store);
    sy_status status = sy_client_store_open(&bench->store, bench->path, &genesis,
                                            SY_CLIENT_STORE_WRITE, &bench->err);
    if (status != SY_OK) fail_msg("%s", bench->err.text);
}

static void open_bench(struct bench *bench)
{
    memset(bench, 0, sizeof *bench);
    test_folder(bench->folder, sizeof bench->folder, "store");
    snprintf(bench->path, sizeof bench->path, "%s/client", bench->folder);
    reopen(bench);
}

static void close_bench(struct bench *bench)
{
    sy_client_store_close(bench->store);
    assert_int_equal(sy_os_remove_tree(bench->folder, NULL), SY_OK);
}

static struct sy_hash hash_of(uint8_t number)
{
    struct sy_hash hash;
    memset(hash.bytes, number, sizeof hash.bytes);
    return hash;
}

static struct sy_public_key key_of(uint8_t number)
{
    struct sy_public_key key;
    memset(key.bytes, number, sizeof key.bytes);
    return key;
}

/* --- things ---------------------------------------------------------------------------------- */

CASE(rows_come_back_as_they_were_put)
{
    struct bench bench;
    open_bench(&bench);
    struct sy_client_org org = {hash_of(1), 2, key_of(3), key_of(4), 5, 6}, org_back;
    struct sy_client_practitioner who = {hash_of(7), 5}, who_back;
    struct sy_client_affiliation tie = {hash_of(8), key_of(9), 6, 10}, tie_back;
    struct sy_client_patient patient = {hash_of(11), hash_of(12), 13}, patient_back;
    struct sy_client_care care = {hash_of(14), 15}, care_back;
    struct sy_client_alias alias = {hash_of(16)}, alias_back;
    struct sy_hash labels[6];
    for (uint8_t i = 0; i < 6; i++) labels[i] = hash_of((uint8_t)(100 + i));
    assert_int_equal(sy_client_put_org(bench.store, &labels[0], &org, NULL), SY_OK);
    assert_int_equal(sy_client_put_practitioner(bench.store, &labels[1], &who, NULL), SY_OK);
    assert_int_equal(sy_client_put_affiliation(bench.store, &labels[2], &tie, NULL), SY_OK);
    assert_int_equal(sy_client_put_patient(bench.store, &labels[3], &patient, NULL), SY_OK);
    assert_int_equal(sy_client_put_care(bench.store, &labels[4], &care, NULL), SY_OK);
    assert_int_equal(sy_client_put_alias(bench.store, &labels[5], &alias, NULL), SY_OK);
    assert_int_equal(sy_client_store_commit(bench.store, NULL), SY_OK);
    reopen(&bench);
    memset(&org_back, 0, sizeof org_back);
    memset(&who_back, 0, sizeof who_back);
    memset(&tie_back, 0, sizeof tie_back);
    assert_int_equal(sy_client_get_org(bench.store, &org_back, &labels[0], NULL), SY_OK);
    assert_memory_equal(&org_back.id, &org.id, 32);
    assert_int_equal(org_back.kind, 2);
    assert_memory_equal(&org_back.admin_key, &org.admin_key, 32);
    assert_memory_equal(&org_back.gateway_key, &org.gateway_key, 32);
    assert_int_equal(org_back.seq * 10 + org_back.gateway_seq, 56);
    assert_int_equal(sy_client_get_practitioner(bench.store, &who_back, &labels[1], NULL), SY_OK);
    assert_memory_equal(&who_back.org_label, &who.org_label, 32);
    assert_int_equal(who_back.role, 5);
    assert_int_equal(sy_client_get_affiliation(bench.store, &tie_back, &labels[2], NULL), SY_OK);
    assert_memory_equal(&tie_back.name, &tie.name, 32);
    assert_memory_equal(&tie_back.key, &tie.key, 32);
    assert_int_equal(tie_back.role * 100 + (int)tie_back.seq, 610);
    assert_int_equal(sy_client_get_patient(bench.store, &patient_back, &labels[3], NULL), SY_OK);
    assert_memory_equal(&patient_back.id, &patient.id, 32);
    assert_memory_equal(&patient_back.org_label, &patient.org_label, 32);
    assert_int_equal(patient_back.seq, 13);
    assert_int_equal(sy_client_get_care(bench.store, &care_back, &labels[4], NULL), SY_OK);
    assert_int_equal(care_back.seq, 15);
    assert_int_equal(sy_client_get_alias(bench.store, &alias_back, &labels[5], NULL), SY_OK);
    assert_memory_equal(&alias_back.label, &alias.label, 32);
    // A row of one kind is never taken for another.
    assert_int_equal(sy_client_get_care(bench.store, &care_back, &labels[3], NULL), SY_ERR_CORRUPT);
    struct sy_hash nobody = hash_of(99);
    assert_int_equal(sy_client_get_org(bench.store, &org_back, &nobody, NULL), SY_ERR_NOT_FOUND);
    assert_int_equal(sy_client_drop_thing(bench.store, &labels[4], NULL), SY_OK);
    assert_int_equal(sy_client_get_care(bench.store, &care_back, &labels[4], NULL),
                     SY_ERR_NOT_FOUND);
    close_bench(&bench);
}

static struct sy_slice content_of(char out[32], uint32_t number)
{
    int size = snprintf(out, 32, "{\"version\":%u}", number);
    return sy_slice_of(out, (size_t)size);
}

static struct sy_client_version version_of(uint32_t number)
{
    char text[32];
    struct sy_client_version version = {
        .version = number,
        .salt = hash_of((uint8_t)(50 + number)),
        .size = content_of(text, number).size,
        .seq = 7000 + number,
    };
    sy_content_commit(&version.commit, SY_FORM_RAW, &version.salt, content_of(text, number));
    return version;
}

CASE(versions_are_found_by_their_bytes_and_can_be_taken_back)
{
    struct bench bench;
    open_bench(&bench);
    struct sy_hash label = hash_of(200);
    struct sy_client_record record = {.id = hash_of(201), .type = "Observation", .subject_kind = 3};
    record.head = version_of(1);
    assert_int_equal(sy_client_put_record(bench.store, &label, &record, NULL), SY_OK);
    for (uint32_t i = 2; i <= 5; i++) {
        struct sy_client_version version = version_of(i);
        assert_int_equal(sy_client_add_version(bench.store, &label, &record, &version, NULL),
                         SY_OK);
    }
    assert_int_equal(sy_client_store_commit(bench.store, NULL), SY_OK);
    reopen(&bench);
    memset(&record, 0, sizeof record);
    assert_int_equal(sy_client_get_record(bench.store, &record, &label, NULL), SY_OK);
    assert_string_equal(record.type, "Observation");
    assert_int_equal(record.head.version, 5);
    for (uint32_t i = 1; i <= 5; i++) {
        uint32_t found;
        char text[32];
        struct sy_client_version version, wanted = version_of(i);
        assert_int_equal(
            sy_client_find_version(bench.store, &found, &label, &record, content_of(text, i), NULL),
            SY_OK);
        assert_int_equal(found, i);
        assert_int_equal(sy_client_get_version(bench.store, &version, &label, &record, i, NULL),
                         SY_OK);
        assert_memory_equal(&version.salt, &wanted.salt, 32);
        assert_memory_equal(&version.commit, &wanted.commit, 32);
        assert_int_equal(version.size, wanted.size);
        assert_int_equal(version.seq, wanted.seq);
    }
    // Version 3 was refused: 3, 4 and 5 go, and their bytes are new again.
    assert_int_equal(sy_client_drop_versions(bench.store, &label, 3, NULL), SY_OK);
    assert_int_equal(sy_client_drop_versions(bench.store, &label, 4, NULL), SY_OK);
    assert_int_equal(sy_client_get_record(bench.store, &record, &label, NULL), SY_OK);
    assert_int_equal(record.head.version, 2);
    for (uint32_t i = 1; i <= 5; i++) {
        uint32_t found;
        char text[32];
        assert_int_equal(
            sy_client_find_version(bench.store, &found, &label, &record, content_of(text, i), NULL),
            SY_OK);
        assert_int_equal(found, i <= 2 ? i : 0);
    }
    assert_int_equal(sy_client_drop_versions(bench.store, &label, 1, NULL), SY_OK);
    assert_int_equal(sy_client_get_record(bench.store, &record, &label, NULL), SY_ERR_NOT_FOUND);
    assert_int_equal(sy_client_drop_versions(bench.store, &label, 1, NULL), SY_OK);
    close_bench(&bench);
}

CASE(labels_depend_on_every_part_and_on_the_secret)
{
    struct bench bench, other;
    struct sy_hash a, b;
    struct sy_slice none = {NULL, 0};
    open_bench(&bench);
    open_bench(&other);
    sy_client_label(bench.store, &a, SY_LABEL_RESOURCE, sy_slice_of("ab", 2), sy_slice_of("c", 1),
                    none);
    sy_client_label(bench.store, &b, SY_LABEL_RESOURCE, sy_slice_of("a", 1), sy_slice_of("bc", 2),
                    none);
    assert_memory_not_equal(&a, &b, 32);
    sy_client_label(bench.store, &b, SY_LABEL_INPUT, sy_slice_of("ab", 2), sy_slice_of("c", 1),
                    none);
    assert_memory_not_equal(&a, &b, 32);
    sy_client_label(other.store, &b, SY_LABEL_RESOURCE, sy_slice_of("ab", 2), sy_slice_of("c", 1),
                    none);
    assert_memory_not_equal(&a, &b, 32);
    reopen(&bench);
    sy_client_label(bench.store, &b, SY_LABEL_RESOURCE, sy_slice_of("ab", 2), sy_slice_of("c", 1),
                    none);
    assert_memory_equal(&a, &b, 32);
    close_bench(&other);
    close_bench(&bench);
}

/* --- transactions ---------------------------------------------------------------------------- */

static sy_status put_tx(struct bench *bench, uint64_t seq)
{
    uint8_t made_bytes[2 * SY_CLIENT_MADE_BYTES];
    uint8_t after[16] = {1, 0, 0, 0, 0, 0, 0, 0, 2};
    struct sy_hash names[2] = {hash_of(61), hash_of(62)};
    struct sy_writer w = sy_writer_of(made_bytes, sizeof made_bytes);
    struct sy_client_made made = {3, hash_of(71), 4};
    sy_client_made_write(&w, &made);
    made.version = 5;
    sy_client_made_write(&w, &made);
    struct sy_client_queued queued = {
        .seq = seq,
        .run = 9,
        .kind = 20,
        .tx_id = hash_of((uint8_t)seq),
        .signer = key_of(60),
        .names = sy_slice_of(names, sizeof names),
        .nonce = 77,
        .valid_until_ms = -5,
        .has_thing = true,
        .thing = hash_of(63),
        .place = "file\\nentry[3]\\nBasic/1",
        .made_count = 2,
        .made = sy_writer_slice(&w),
        .after_count = 2,
        .after = sy_slice_of(after, sizeof after),
        .tx = sy_slice_of("signed bytes", 12),
    };
    return sy_client_put_queued(bench->store, &queued, NULL);
}

CASE(transactions_move_from_undecided_to_decided)
{
    struct bench bench;
    struct sy_client_queued queued;
    struct sy_client_made made;
    open_bench(&bench);
    for (uint64_t i = 1; i <= 3; i++) assert_int_equal(sy_client_next_seq(bench.store), i);
    for (uint64_t i = 1; i <= 3; i++) assert_int_equal(put_tx(&bench, i), SY_OK);
    assert_int_equal(sy_client_store_commit(bench.store, NULL), SY_OK);
    reopen(&bench);
    assert_int_equal(sy_client_next_seq(bench.store), 4);
    assert_int_equal(sy_client_get_queued(bench.store, &queued, 2, NULL), SY_OK);
    assert_int_equal(queued.run, 9);
    assert_int_equal(queued.kind, 20);
    assert_int_equal(queued.nonce, 77);
    assert_int_equal(queued.valid_until_ms, -5);
    assert_true(queued.has_thing);
    assert_int_equal(queued.names.size, 64);
    assert_int_equal(queued.after_count, 2);
    assert_true(sy_slice_equal(queued.tx, sy_slice_of("signed bytes", 12)));
    sy_client_made_at(&made, &queued, 1);
    assert_int_equal(made.type, 3);
    assert_int_equal(made.version, 5);
    struct sy_client_done done = {2, hash_of(2), 12, 80, sy_slice_of("proof", 5)}, back;
    assert_int_equal(sy_client_put_done(bench.store, &done, NULL), SY_OK);
    assert_int_equal(sy_client_get_queued(bench.store, &queued, 2, NULL), SY_ERR_NOT_FOUND);
    assert_int_equal(sy_client_queued_from(bench.store, &queued, 2, NULL), SY_OK);
    assert_int_equal(queued.seq, 3);
    assert_int_equal(sy_client_queued_from(bench.store, &queued, 4, NULL), SY_ERR_NOT_FOUND);
    assert_int_equal(sy_client_done_from(bench.store, &back, 0, NULL), SY_OK);
    assert_int_equal(back.seq, 2);
    assert_int_equal(back.height, 12);
    assert_int_equal(back.code, 80);
    assert_true(sy_slice_equal(back.proof, done.proof));
    assert_int_equal(sy_client_done_from(bench.store, &back, 3, NULL), SY_ERR_NOT_FOUND);
    close_bench(&bench);
}

CASE(nonces_headers_cursors_and_runs_are_kept)
{
    struct bench bench;
    open_bench(&bench);
    uint64_t nonce;
    struct sy_public_key key = key_of(5);
    assert_int_equal(sy_client_next_nonce(bench.store, &nonce, &key, NULL), SY_OK);
    assert_int_equal(nonce, 1);
    assert_int_equal(sy_client_set_next_nonce(bench.store, &key, 4000000000000, NULL), SY_OK);
    struct sy_header header = {.protocol = 1, .height = 9, .time_ms = 77}, header_back;
    struct sy_slice certificate;
    assert_int_equal(sy_client_put_header(bench.store, &header, sy_slice_of("seals", 5), NULL),
                     SY_OK);
    // Once a height: a second one does not replace it.
    assert_int_equal(sy_client_put_header(bench.store, &header, sy_slice_of("other", 5), NULL),
                     SY_OK);
    struct sy_hash input = hash_of(31);
    struct sy_client_cursor cursor = {true, 100, 7, 3, 60, 40, hash_of(8)}, cursor_back;
    assert_int_equal(sy_client_put_cursor(bench.store, &input, &cursor, NULL), SY_OK);
    struct sy_client_deferred deferred = {.offset = 60, .size = 40, .line = 5, .handle = 60}, late;
    assert_int_equal(sy_client_put_deferred(bench.store, &input, &deferred, NULL), SY_OK);
    deferred.offset = 10;
    assert_int_equal(sy_client_put_deferred(bench.store, &input, &deferred, NULL), SY_OK);
    struct sy_slice run;
    assert_int_equal(sy_client_get_run(bench.store, &run, NULL), SY_ERR_NOT_FOUND);
    assert_int_equal(sy_client_put_run(bench.store, sy_slice_of("totals", 6), NULL), SY_OK);
    assert_int_equal(sy_client_store_commit(bench.store, NULL), SY_OK);
    reopen(&bench);
    assert_int_equal(sy_client_next_nonce(bench.store, &nonce, &key, NULL), SY_OK);
    assert_int_equal(nonce, 4000000000000);
    assert_int_equal(sy_client_get_header(bench.store, &header_back, &certificate, 9, NULL), SY_OK);
    assert_int_equal(header_back.time_ms, 77);
    assert_true(sy_slice_equal(certificate, sy_slice_of("seals", 5)));
    assert_int_equal(sy_client_get_header(bench.store, &header_back, &certificate, 8, NULL),
                     SY_ERR_NOT_FOUND);
    assert_int_equal(sy_client_get_cursor(bench.store, &cursor_back, &input, NULL), SY_OK);
    assert_true(cursor_back.finished);
    assert_int_equal(cursor_back.next_offset + cursor_back.next_line + cursor_back.entries_done,
                     110);
    assert_int_equal(sy_client_deferred_from(bench.store, &late, &input, 0, NULL), SY_OK);
    assert_int_equal(late.offset, 10);
    assert_int_equal(sy_client_drop_deferred(bench.store, &input, 10, NULL), SY_OK);
    assert_int_equal(sy_client_deferred_from(bench.store, &late, &input, 0, NULL), SY_OK);
    assert_int_equal(late.offset, 60);
    struct sy_hash other = hash_of(30);
    assert_int_equal(sy_client_deferred_from(bench.store, &late, &other, 0, NULL),
                     SY_ERR_NOT_FOUND);
    assert_int_equal(sy_client_get_run(bench.store, &run, NULL), SY_OK);
    assert_true(sy_slice_equal(run, sy_slice_of("totals", 6)));
    assert_int_equal(sy_client_forget_progress(bench.store, NULL), SY_OK);
    assert_int_equal(sy_client_get_cursor(bench.store, &cursor_back, &input, NULL), SY_OK);
    assert_int_equal(cursor_back.next_offset, 0);
    assert_int_equal(cursor_back.next_line, 1);
    assert_int_equal(sy_client_deferred_from(bench.store, &late, &input, 0, NULL),
                     SY_ERR_NOT_FOUND);
    close_bench(&bench);
}

/* --- durability ------------------------------------------------------------------------------ */

static void put_patient(struct bench *bench, uint8_t number)
{
    struct sy_client_patient patient = {hash_of(number), hash_of(1), number};
    struct sy_hash label = hash_of((uint8_t)(100 + number));
    assert_int_equal(sy_client_put_patient(bench->store, &label, &patient, NULL), SY_OK);
}

static bool has_patient(struct bench *bench, uint8_t number)
{
    struct sy_client_patient patient;
    struct sy_hash label = hash_of((uint8_t)(100 + number));
    return sy_client_get_patient(bench->store, &patient, &label, NULL) == SY_OK;
}

CASE(what_was_not_committed_never_happened)
{
    struct bench bench;
    open_bench(&bench);
    put_patient(&bench, 1);
    assert_int_equal(sy_client_store_commit(bench.store, NULL), SY_OK);
    put_patient(&bench, 2);
    assert_true(has_patient(&bench, 2));
    reopen(&bench);
    assert_true(has_patient(&bench, 1));
    assert_false(has_patient(&bench, 2));
    close_bench(&bench);
}

CASE(a_commit_that_fails_loses_only_what_was_not_durable_and_stops_the_store)
{
    static const char *const actions[] = {"eio", "enospc"};
    for (size_t i = 0; i < 2; i++) {
        struct bench bench;
        open_bench(&bench);
        put_patient(&bench, 1);
        assert_int_equal(sy_client_store_commit(bench.store, NULL), SY_OK);
        put_patient(&bench, 2);
        sy_os_failpoint_arm("client.commit", 1, actions[i]);
        sy_status status = sy_client_store_commit(bench.store, &bench.err);
        sy_os_failpoint_arm(NULL, 0, NULL);
        assert_int_equal(status, i == 0 ? SY_ERR_IO : SY_ERR_DISK_FULL);
        if (i == 1) assert_non_null(strstr(bench.err.text, "make room"));
        struct sy_hash label = hash_of(9);
        struct sy_client_care care = {hash_of(1), 1};
        assert_int_equal(sy_client_put_care(bench.store, &label, &care, NULL), SY_ERR_CLOSED);
        reopen(&bench);
        assert_true(has_patient(&bench, 1));
        assert_false(has_patient(&bench, 2));
        close_bench(&bench);
    }
}

static void die_at(void *context)
{
    struct bench *bench = context;
    sy_status status = sy_client_store_open(&bench->store, bench->path, &genesis,
                                            SY_CLIENT_STORE_WRITE, &bench->err);
    if (status != SY_OK) _Exit(3);
    put_patient(bench, 2);
    (void)sy_client_store_commit(bench->store, NULL);
    _Exit(4);
}

CASE(killed_before_a_commit_it_did_not_happen_killed_after_it_it_did)
{
    static const char *const points[] = {"client.commit", "client.committed"};
    for (size_t i = 0; i < 2; i++) {
        struct bench bench;
        open_bench(&bench);
        put_patient(&bench, 1);
        assert_int_equal(sy_client_store_commit(bench.store, NULL), SY_OK);
        sy_client_store_close(bench.store);
        bench.store = NULL;
        sy_os_failpoint_arm(points[i], 2, "kill"); /* the first makes the trees */
        int status = test_child(die_at, &bench);
        sy_os_failpoint_arm(NULL, 0, NULL);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        reopen(&bench);
        assert_true(has_patient(&bench, 1));
        assert_int_equal(has_patient(&bench, 2), i == 1);
        close_bench(&bench);
    }
}

CASE(the_map_grows_by_itself)
{
    struct bench bench;
    open_bench(&bench);
    uint8_t *bytes = malloc(1u << 20);
    assert_non_null(bytes);
    sy_prng prng;
    sy_prng_seed(&prng, test_seed());
    sy_prng_fill(&prng, bytes, 1u << 20);
    // The first map has room for 256 MiB besides one transaction's.
    for (uint64_t i = 0; i < 300; i++) {
        struct sy_client_done done = {i + 1, hash_of(1), 1, 0, sy_slice_of(bytes, 1u << 20)};
        assert_int_equal(sy_client_put_done(bench.store, &done, NULL), SY_OK);
        if (i % 16 == 15) assert_int_equal(sy_client_store_commit(bench.store, &bench.err), SY_OK);
    }
    assert_int_equal(sy_client_store_commit(bench.store, NULL), SY_OK);
    reopen(&bench);
    struct sy_client_done back;
    assert_int_equal(sy_client_done_from(bench.store, &back, 300, NULL), SY_OK);
    assert_memory_equal(back.proof.data, bytes, 1u << 20);
    free(bytes);
    close_bench(&bench);
}

/* --- who may --------------------------------------------------------------------------------- */

CASE(a_store_is_one_writers_and_of_one_network)
{
    struct bench bench;
    sy_client_store *other;
    struct sy_error err;
    struct sy_hash foreign = hash_of(43);
    open_bench(&bench);
    assert_int_equal(
        sy_client_store_open(&other, bench.path, &genesis, SY_CLIENT_STORE_WRITE, &err),
        SY_ERR_BUSY);
    // Readers and rehearsals may come beside the writer.
    put_patient(&bench, 1);
    assert_int_equal(sy_client_store_commit(bench.store, NULL), SY_OK);
    sy_client_store_close(bench.store);
    bench.store = NULL;
    assert_int_equal(
        sy_client_store_open(&other, bench.path, &foreign, SY_CLIENT_STORE_WRITE, &err),
        SY_ERR_ARGUMENT);
    assert_non_null(strstr(err.text, "another network"));
    assert_int_equal(sy_client_store_open(&other, bench.path, &foreign, SY_CLIENT_STORE_READ, &err),
                     SY_ERR_ARGUMENT);
    assert_int_equal(sy_client_store_open(&other, bench.path, NULL, SY_CLIENT_STORE_READ, &err),
                     SY_OK);
    sy_client_store_close(other);
    char nowhere[400];
    snprintf(nowhere, sizeof nowhere, "%s/nowhere", bench.folder);
    assert_int_equal(sy_client_store_open(&other, nowhere, NULL, SY_CLIENT_STORE_READ, &err),
                     SY_ERR_NOT_FOUND);
    close_bench(&bench);
}

CASE(a_rehearsal_sees_the_store_and_leaves_it_alone)
{
    struct bench bench, scratch = {.store = NULL};
    open_bench(&bench);
    put_patient(&bench, 1);
    assert_int_equal(sy_client_store_commit(bench.store, NULL), SY_OK);
    sy_client_store_close(bench.store);
    bench.store = NULL;
    assert_int_equal(
        sy_client_store_open(&scratch.store, bench.path, &genesis, SY_CLIENT_STORE_SCRATCH, NULL),
        SY_OK);
    put_patient(&scratch, 2);
    assert_int_equal(sy_client_store_commit(scratch.store, NULL), SY_OK);
    assert_true(has_patient(&scratch, 1) && has_patient(&scratch, 2));
    sy_client_store_close(scratch.store);
    reopen(&bench);
    assert_true(has_patient(&bench, 1));
    assert_false(has_patient(&bench, 2));
    close_bench(&bench);
}

static unsigned mode_of(const char *path)
{
    struct stat info;
    assert_int_equal(lstat(path, &info), 0);
    return info.st_mode & 0777;
}

CASE(everything_on_disk_is_the_owners_alone)
{
    struct bench bench;
    sy_keyring *keyring;
    char keys[400];
    struct sy_public_key key, sealing, again;
    struct sy_hash name = hash_of(1);
    open_bench(&bench);
    snprintf(keys, sizeof keys, "%s/keys", bench.path);
    assert_int_equal(sy_keyring_open(&keyring, keys, 8, false, NULL), SY_OK);
    assert_int_equal(sy_keyring_make(keyring, &key, &name, NULL), SY_OK);
    assert_int_equal(sy_keyring_make_x25519(keyring, &sealing, &name, NULL), SY_OK);
    assert_int_equal(sy_keyring_make(keyring, &again, &name, NULL), SY_OK);
    assert_memory_equal(&key, &again, 32);
    assert_int_equal(mode_of(bench.path), 0700);
    assert_int_equal(mode_of(keys), 0700);
    unsigned files = 0;
    DIR *folder = opendir(keys);
    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        char path[900];
        if (entry->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "%s/%s", keys, entry->d_name);
        assert_int_equal(mode_of(path), 0600);
        files++;
    }
    closedir(folder);
    assert_int_equal(files, 2);
    snprintf(keys, sizeof keys, "%s/data.mdb", bench.path);
    assert_int_equal(mode_of(keys), 0600);
    sy_keyring_close(keyring);
    close_bench(&bench);
}

CASE(the_keyring_keeps_few_keys_open_and_finds_all_of_them)
{
    struct bench bench;
    sy_keyring *keyring;
    char keys[400];
    enum { KEYS = 40 };
    struct sy_public_key public[KEYS];
    open_bench(&bench);
    snprintf(keys, sizeof keys, "%s/keys", bench.path);
    assert_int_equal(sy_keyring_open(&keyring, keys, 8, false, NULL), SY_OK);
    for (uint8_t i = 0; i < KEYS; i++) {
        struct sy_hash name = hash_of(i);
        assert_int_equal(sy_keyring_make(keyring, &public[i], &name, NULL), SY_OK);
    }
    sy_keyring_close(keyring);
    assert_int_equal(sy_keyring_open(&keyring, keys, 8, false, NULL), SY_OK);
    for (uint8_t i = 0; i < KEYS; i++) {
        struct sy_hash name = hash_of(i), digest = hash_of(77);
        struct sy_signature signature;
        assert_int_equal(sy_keyring_sign(keyring, &signature, &name, SY_SIG_TX, &digest, NULL),
                         SY_OK);
        assert_true(sy_verify_one(&public[i], SY_SIG_TX, &digest, &signature));
    }
    // Adopted keys have no file to come back from, so they stay whatever else is opened.
    sy_secret_key *mine;
    struct sy_public_key adopted;
    struct sy_hash own = hash_of(150);
    assert_int_equal(sy_secret_key_generate(&mine, NULL), SY_OK);
    sy_secret_key_public(mine, &adopted);
    assert_int_equal(sy_keyring_adopt(keyring, &own, mine, NULL), SY_OK);
    for (uint8_t i = 0; i < KEYS; i++) {
        struct sy_hash name = hash_of(i);
        struct sy_signature signature;
        assert_int_equal(sy_keyring_sign(keyring, &signature, &name, SY_SIG_TX, &name, NULL),
                         SY_OK);
        assert_int_equal(sy_keyring_sign(keyring, &signature, &own, SY_SIG_TX, &name, NULL), SY_OK);
        assert_true(sy_verify_one(&adopted, SY_SIG_TX, &name, &signature));
    }
    struct sy_hash nobody = hash_of(200);
    struct sy_signature signature;
    assert_int_equal(sy_keyring_sign(keyring, &signature, &nobody, SY_SIG_TX, &nobody, NULL),
                     SY_ERR_NOT_FOUND);
    sy_keyring_close(keyring);
    // A rehearsing keyring makes no file and signs nothing.
    assert_int_equal(sy_keyring_open(&keyring, NULL, 8, true, NULL), SY_OK);
    assert_int_equal(sy_keyring_make(keyring, &public[0], &nobody, NULL), SY_OK);
    assert_int_equal(sy_keyring_sign(keyring, &signature, &nobody, SY_SIG_TX, &nobody, NULL),
                     SY_OK);
    assert_false(sy_verify_one(&public[0], SY_SIG_TX, &nobody, &signature));
    sy_keyring_close(keyring);
    close_bench(&bench);
}

CASE(sizes_are_rounded_up_by_at_most_an_eighth)
{
    assert_int_equal(sy_content_size_rounded(0), 256);
    assert_int_equal(sy_content_size_rounded(256), 256);
    assert_int_equal(sy_content_size_rounded(257), 288);
    assert_int_equal(sy_content_size_rounded(512), 512);
    assert_int_equal(sy_content_size_rounded(513), 576);
    assert_int_equal(sy_content_size_rounded(1000), 1024);
    for (uint64_t size = 256; size < (1ull << 24); size += 1 + size / 97) {
        uint64_t rounded = sy_content_size_rounded(size);
        assert_true(rounded >= size && rounded - size <= size / 8);
        assert_int_equal(sy_content_size_rounded(rounded), rounded);
    }
    assert_true(sy_content_size_rounded(SY_RECORD_BYTES_MAX) <= SY_RECORD_BYTES_MAX);
}

CASE(commitments_hide_and_bind)
{
    struct sy_hash salt = hash_of(1), other_salt = hash_of(2), a, b;
    sy_content_commit(&a, 1, &salt, sy_slice_of("72", 2));
    sy_content_commit(&b, 1, &other_salt, sy_slice_of("72", 2));
    assert_memory_not_equal(&a, &b, 32);
    sy_content_commit(&b, 2, &salt, sy_slice_of("72", 2));
    assert_memory_not_equal(&a, &b, 32);
    sy_content_commit(&b, 1, &salt, sy_slice_of("73", 2));
    assert_memory_not_equal(&a, &b, 32);
    // SHA-256("systole-commit-v1" || 01 || 32 x 01 || 2 as u64 || "72"), computed with another
    // tool.
    char hex[65];
    sy_hex_encode(hex, a.bytes, 32);
    assert_string_equal(hex, "100c950d7c9ee80ddb1239e3a85db8927797f7eed08ab1f7cbff144287686917");
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(rows_come_back_as_they_were_put),
        cmocka_unit_test(versions_are_found_by_their_bytes_and_can_be_taken_back),
        cmocka_unit_test(labels_depend_on_every_part_and_on_the_secret),
        cmocka_unit_test(transactions_move_from_undecided_to_decided),
        cmocka_unit_test(nonces_headers_cursors_and_runs_are_kept),
        cmocka_unit_test(what_was_not_committed_never_happened),
        cmocka_unit_test(a_commit_that_fails_loses_only_what_was_not_durable_and_stops_the_store),
        cmocka_unit_test(killed_before_a_commit_it_did_not_happen_killed_after_it_it_did),
        cmocka_unit_test(the_map_grows_by_itself),
        cmocka_unit_test(a_store_is_one_writers_and_of_one_network),
        cmocka_unit_test(a_rehearsal_sees_the_store_and_leaves_it_alone),
        cmocka_unit_test(everything_on_disk_is_the_owners_alone),
        cmocka_unit_test(the_keyring_keeps_few_keys_open_and_finds_all_of_them),
        cmocka_unit_test(sizes_are_rounded_up_by_at_most_an_eighth),
        cmocka_unit_test(commitments_hide_and_bind),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
