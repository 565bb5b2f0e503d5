/* Phenopackets: which terms and genes one has, by hand and by the published ones when they are
 * there; hostile JSON is refused with a reason.
 *
 * ctest: timeout=300 */
#include "core/client/phenopacket.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/os.h"
#include "tests/support/data.h"
#include "tests/support/test.h"

static struct sy_phenopacket packet;
static struct sy_error err;
static struct {
    unsigned files, taken, refused, terms, excluded, genes;
} tally;

static sy_status take(const char *text)
{
    sy_phenopacket_free(&packet);
    err = (struct sy_error){SY_OK, ""};
    return sy_phenopacket_read(&packet, sy_slice_of(text, strlen(text)), "in", &err);
}

static void assert_refused(const char *text, const char *why)
{
    if (take(text) != SY_ERR_FORMAT) fail_msg("taken: %s", text);
    assert_null(packet.terms);
    if (!strstr(err.text, why)) fail_msg("'%s' is not in '%s'", why, err.text);
}

#define META "\"id\": \"1\", \"metaData\": {\"phenopacketSchemaVersion\": \"2.0.2\"}"
#define TERM(digits) "{\"type\": {\"id\": \"HP:" digits "\"}}"
#define ABSENT(digits) "{\"type\": {\"id\": \"HP:" digits "\"}, \"excluded\": true}"

#define GENE                                                 \
    "{\"variantInterpretation\": {\"variationDescriptor\": " \
    "{\"geneContext\": {\"symbol\": \"NF1\"}}}}, "

CASE(terms_and_genes_are_told_once_in_order)
{
    static const char text[] =
        "{" META ", \"phenotypicFeatures\": [" TERM("0000002") ", " TERM("0000001") ", " TERM(
            "0000002") ", " ABSENT("0000003") "], \"interpretations\": [{\"diagnosis\": "
                                              "{\"genomicInterpretations\": [" GENE
                                              "{\"gene\": {\"symbol\": \"BRCA1\"}}]}}]}";
    assert_int_equal(take(text), SY_OK);
    assert_int_equal(packet.term_count, 2);
    assert_int_equal(packet.excluded, 1);
    assert_string_equal(packet.terms[0], "HP:0000001");
    assert_string_equal(packet.terms[1], "HP:0000002");
    assert_int_equal(packet.gene_count, 2);
    assert_string_equal(packet.genes[0], "BRCA1");
    assert_string_equal(packet.genes[1], "NF1");
    sy_phenopacket_free(&packet);
}

CASE(what_is_wrong_is_told_with_its_path)
{
    assert_refused("[]", "in, $: it is no object");
    assert_refused("{}", "in, $.id: ");
    assert_refused("{\"id\": \"1\"}", "$.metaData.phenopacketSchemaVersion");
    assert_refused("{\"id\": \"1\", \"metaData\": {\"phenopacketSchemaVersion\": \"1.0\"}}",
                   "not 2.x");
    assert_refused("{" META ", \"phenotypicFeatures\": {}}", "$.phenotypicFeatures: ");
    assert_refused("{" META ", \"phenotypicFeatures\": [" TERM("001") "]}",
                   "$.phenotypicFeatures[0].type.id: it is no term");
    assert_refused("{" META
                   ", \"phenotypicFeatures\": [" TERM("0000001") ", " ABSENT("0000001") "]}",
                   "to be there and to be absent");
    assert_refused("{" META ", \"phenotypicFeatures\": [{\"type\": {\"id\": \"HP:0000001\"}, "
                   "\"excluded\": 1}]}",
                   "$.phenotypicFeatures[0].excluded: ");
    assert_refused("{" META ", \"interpretations\": [{\"diagnosis\": {\"genomicInterpretations\": "
                   "[{\"gene\": {\"symbol\": \"a b\"}}]}}]}",
                   "$.interpretations[0].diagnosis.genomicInterpretations[0]: ");
    assert_refused("{\n{", "line 2");
    assert_refused("{\"id\": \"1\", \"id\": \"1\"}", "duplicate");
}

static int try_file(const char *path, const struct stat *info, int type, struct FTW *at)
{
    uint8_t *text = NULL;
    size_t size = 0;
    (void)info;
    (void)at;
    if (type != FTW_F || sy_os_read_file(&text, &size, path, 64u << 20, &err) != SY_OK) return 0;
    err = (struct sy_error){SY_OK, ""};
    tally.files++;
    if (sy_phenopacket_read(&packet, sy_slice_of(text, size), path, &err) == SY_OK) {
        tally.taken++;
        tally.terms += packet.term_count;
        tally.excluded += packet.excluded;
        tally.genes += packet.gene_count;
    } else {
        assert_true(strstr(err.text, "$") && packet.terms == NULL);
        tally.refused++;
    }
    sy_phenopacket_free(&packet);
    free(text);
    return 0;
}

static bool try_folder(const char *part)
{
    char root[1024];
    memset(&tally, 0, sizeof tally);
    if (!test_data(root, sizeof root, part)) return false;
    assert_int_equal(nftw(root, try_file, 16, FTW_PHYS), 0);
    print_message("%u files: %u taken, %u refused; %u terms, %u excluded, %u genes\n", tally.files,
                  tally.taken, tally.refused, tally.terms, tally.excluded, tally.genes);
    return true;
}

/* Counted apart from this reader, in the data. */
CASE(published_packets_are_taken)
{
    if (!try_folder("genetics-phenopackets")) skip();
    assert_int_equal(tally.taken, 125);
    assert_int_equal(tally.refused, 0);
    assert_int_equal(tally.terms, 328);
    assert_int_equal(tally.excluded, 1412);
    assert_int_equal(tally.genes, 125);
}

CASE(hostile_json_is_refused_with_a_reason)
{
    if (!try_folder("json-hostile/JSONTestSuite/test_parsing")) skip();
    assert_true(tally.files > 0);
    assert_int_equal(tally.refused, tally.files);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(terms_and_genes_are_told_once_in_order),
        cmocka_unit_test(what_is_wrong_is_told_with_its_path),
        cmocka_unit_test(published_packets_are_taken),
        cmocka_unit_test(hostile_json_is_refused_with_a_reason),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
