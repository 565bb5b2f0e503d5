/* An export's manifest: what is written comes back, and nothing else is read. */
#include "core/base/os.h"
#include "core/client/manifest.h"
#include "core/crypto/hash.h"
#include "core/crypto/merkle.h"
#include "tests/support/network.h"
#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>

static char folder[] = "/tmp/systole_manifest_XXXXXX";
static struct sy_error err;

static void add(struct sy_manifest *manifest, unsigned record, uint8_t state, unsigned contents)
{
    struct sy_hash id = test_hash(record);
    uint32_t item = manifest->item_count;
    assert_int_equal(sy_manifest_add_item(manifest, &id, &err), SY_OK);
    manifest->items[item].state = state;
    if (state == SY_MANIFEST_INCLUDED) manifest->items[item].history = test_hash(300 * record);
    for (unsigned i = contents; i > 0; i--) {
        struct sy_manifest_content content = {.item = item,
                                              .version = i,
                                              .file = test_hash(100 * record + i),
                                              .wrapped = test_hash(200 * record + i)};
        assert_int_equal(sy_manifest_add_content(manifest, &content, &err), SY_OK);
    }
}

/* Three records, of which the middle one was erased. */
static struct sy_manifest small(void)
{
    struct sy_manifest manifest = {.genesis = test_hash(1),
                                   .export_id = test_hash(2),
                                   .patient = test_hash(3),
                                   .organisation = test_hash(4),
                                   .recipient_key = test_public(5),
                                   .as_of = 6,
                                   .places = 7,
                                   .records = 3};
    add(&manifest, 10, SY_MANIFEST_INCLUDED, 2);
    add(&manifest, 11, SY_MANIFEST_ERASED, 0);
    add(&manifest, 12, SY_MANIFEST_INCLUDED, 1);
    sy_manifest_sort(&manifest);
    return manifest;
}

static uint8_t *written(const struct sy_manifest *manifest, size_t *size)
{
    char path[128];
    uint8_t *bytes = NULL;
    assert_int_equal(sy_manifest_write(manifest, folder, &err), SY_OK);
    (void)snprintf(path, sizeof path, "%s/manifest.syexport", folder);
    assert_int_equal(sy_os_read_file(&bytes, size, path, 1 << 20, &err), SY_OK);
    return bytes;
}

CASE(what_is_written_is_read_again)
{
    struct sy_manifest manifest = small(), again = {.items = NULL};
    struct sy_hash roots[2], others[2];
    size_t size;
    free(written(&manifest, &size));
    assert_int_equal(sy_manifest_read(&again, folder, &err), SY_OK);
    assert_int_equal(again.item_count, 3);
    assert_int_equal(again.content_count, 3);
    assert_int_equal(again.contents[0].version, 1); // sorted, whatever order they came in
    assert_int_equal(again.items[2].first_content, 2);
    assert_int_equal(sy_manifest_count(&again, SY_MANIFEST_INCLUDED), 2);
    assert_int_equal(sy_manifest_count(&again, SY_MANIFEST_ELSEWHERE), 0);
    assert_memory_equal(again.patient.bytes, manifest.patient.bytes, 32);
    assert_true(sy_manifest_roots(&manifest, &roots[0], &roots[1]));
    assert_true(sy_manifest_roots(&again, &others[0], &others[1]));
    assert_memory_equal(roots, others, sizeof roots);
    sy_manifest_free(&again);
    sy_manifest_free(&manifest);
}

/* The roots are those of core/wire/FORMAT.md, "Exports", made here by hand. */
CASE(roots_are_what_the_format_says)
{
    struct sy_manifest manifest = small();
    struct sy_hash roots[2], leaves[3], expected;
    size_t size, from = 197;
    uint8_t *bytes = written(&manifest, &size);
    for (unsigned i = 0; i < 3; i++) {
        size_t item = i == 1 ? 35 : 35 + 32 + 68 * (size_t)(i == 0 ? 2 : 1);
        sy_hash_leaf(&leaves[i], sy_slice_of(bytes + from, item));
        from += item;
    }
    assert_int_equal(from, size);
    sy_merkle_root(&expected, leaves, leaves, 3);
    assert_true(sy_manifest_roots(&manifest, &roots[0], &roots[1]));
    assert_memory_equal(roots[0].bytes, expected.bytes, 32);
    leaves[0] = test_hash(2001);
    leaves[1] = test_hash(2002);
    leaves[2] = test_hash(2401);
    sy_merkle_root(&expected, leaves, leaves, 3);
    assert_memory_equal(roots[1].bytes, expected.bytes, 32);
    free(bytes);
    sy_manifest_free(&manifest);
}

CASE(every_byte_counts)
{
    struct sy_manifest manifest = small();
    struct sy_hash roots[2];
    size_t size;
    uint8_t *bytes = written(&manifest, &size);
    assert_true(sy_manifest_roots(&manifest, &roots[0], &roots[1]));
    for (size_t i = 0; i < size; i++) {
        struct sy_manifest other = {.items = NULL};
        bytes[i] ^= 0x40;
        sy_status status = sy_manifest_decode(&other, sy_slice_of(bytes, size), "m", &err);
        struct sy_hash others[2];
        bool same = status == SY_OK && sy_manifest_roots(&other, &others[0], &others[1]) &&
                    memcmp(others, roots, sizeof roots) == 0;
        if (i < 9 || i >= 193) assert_false(same); // the front is compared with proofs instead
        sy_manifest_free(&other);
        other = (struct sy_manifest){.items = NULL};
        bytes[i] ^= 0x40;
        assert_int_not_equal(sy_manifest_decode(&other, sy_slice_of(bytes, i), "m", &err), SY_OK);
        sy_manifest_free(&other);
    }
    free(bytes);
    sy_manifest_free(&manifest);
}

CASE(what_is_not_canonical_is_refused)
{
    struct sy_manifest manifest = small(), other = {.items = NULL};
    size_t size;
    uint8_t *bytes = written(&manifest, &size);
    static const struct {
        size_t at;
        uint8_t value;
    } faults[] = {
        {8, 1},             // another version
        {196, 0x7f},        // more items than there is room for
        {197 + 32, 0},      // no state
        {197 + 32, 4},      // none that there is
        {197 + 32, 2},      // erased, with contents
        {197 + 67, 2},      // versions that do not ascend
        {197 + 67 + 68, 1}, // one twice
        {197 + 33, 0},      // included, without contents
    };
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        uint8_t kept = bytes[faults[i].at];
        bytes[faults[i].at] = faults[i].value;
        assert_int_not_equal(sy_manifest_decode(&other, sy_slice_of(bytes, size), "m", &err),
                             SY_OK);
        bytes[faults[i].at] = kept;
        sy_manifest_free(&other);
    }
    assert_int_equal(sy_manifest_decode(&other, sy_slice_of(bytes, size), "m", &err), SY_OK);
    sy_manifest_free(&other);
    free(bytes);
    sy_manifest_free(&manifest);
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) != NULL ? 0 : -1;
}

static int drop_folder(void **state)
{
    (void)state;
    return sy_os_remove_tree(folder, &err) == SY_OK ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(what_is_written_is_read_again),
        cmocka_unit_test(roots_are_what_the_format_says),
        cmocka_unit_test(every_byte_counts),
        cmocka_unit_test(what_is_not_canonical_is_refused),
    };
    return cmocka_run_group_tests(cases, make_folder, drop_folder);
}
