/* test_epcis.c: EPCIS events: their pre-hash letter by letter, what changes their hash and what
 * must not, what is found wrong with them and when one is there twice; the published vectors and
 * documents, when they are there. */
#include "core/client/epcis.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/os.h"
#include "core/client/epcis_seen.h"
#include "core/client/gs1_uri.h"
#include "tests/support/data.h"
#include "tests/support/test.h"

#define HEAD                                                                                   \
    "{\"@context\":[\"https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld\","       \
    "{\"own\":\"https://ns.example.org/own/\"}],\"type\":\"EPCISDocument\",\"schemaVersion\":" \
    "\"2.0\",\"creationDate\":\"2026-11-30T08:00:00Z\",\"epcisBody\":{\"eventList\":["
#define TAIL "]}}"

/* A pallet is shipped. */
#define SHIPPED                                                                                    \
    "{\"type\":\"ObjectEvent\",\"eventID\":\"urn:uuid:7d1b2b1e-0001-4000-8000-000000000001\","     \
    "\"eventTime\":\"2026-11-30T09:30:00.1235+01:00\",\"eventTimeZoneOffset\":\"+01:00\","         \
    "\"recordTime\":\"2026-11-30T09:31:00Z\",\"action\":\"OBSERVE\","                              \
    "\"bizStep\":\"shipping\",\"disposition\":\"in_transit\","                                     \
    "\"epcList\":[\"urn:epc:id:sscc:9506000.1000000017\",\"urn:epc:id:sgtin:9506000.013435.B1\"]," \
    "\"readPoint\":{\"id\":\"urn:epc:id:sgln:9506000.12345.0\",\"own:door\":\"7\"},"               \
    "\"bizTransactionList\":[{\"bizTransaction\":\"urn:x:po:9\",\"type\":\"po\"},"                 \
    "{\"type\":\"desadv\",\"bizTransaction\":\"urn:x:asn:3\"}],"                                   \
    "\"destinationList\":[{\"type\":\"possessing_party\",\"destination\":"                         \
    "\"urn:epc:id:pgln:9506111.00000\"}],"                                                         \
    "\"own:weight\":12.50,\"own:seals\":[\"z\",\"a\"]}"

static const char shipped_text[] =
    "eventType=ObjectEventeventTime=2026-11-30T08:30:00.124ZeventTimeZoneOffset=+01:00"
    "epcListepc=https://id.gs1.org/00/195060000000000173"
    "epc=https://id.gs1.org/01/09506000134352/21/B1"
    "action=OBSERVEbizStep=https://ref.gs1.org/cbv/BizStep-shipping"
    "disposition=https://ref.gs1.org/cbv/Disp-in_transit"
    "readPointid=https://id.gs1.org/414/9506000123455{https://ns.example.org/own/}door=7"
    "bizTransactionListtype=https://ref.gs1.org/cbv/BTT-desadvbizTransaction=urn:x:asn:3"
    "type=https://ref.gs1.org/cbv/BTT-pobizTransaction=urn:x:po:9"
    "destinationListtype=https://ref.gs1.org/cbv/SDT-possessing_party"
    "destination=https://id.gs1.org/417/9506111000003"
    "{https://ns.example.org/own/}seals=a{https://ns.example.org/own/}seals=z"
    "{https://ns.example.org/own/}weight=12.5";

static sy_epcis *open_text(const char *text)
{
    sy_epcis *document = NULL;
    struct sy_error err = {SY_OK, ""};
    char *copy = malloc(strlen(text)); // of its very size, so that a read past its end shows
    assert_non_null(copy);
    memcpy(copy, text, strlen(text));
    if (sy_epcis_open(&document, sy_slice_of(copy, strlen(text)), &err) != SY_OK) {
        fail_msg("%s", err.text);
    }
    free(copy);
    return document;
}

/* text, in which `old` (once) is replaced. free() it. */
static char *replaced(const char *text, const char *old, const char *new)
{
    size_t size = strlen(text) + strlen(new) + 1;
    char *out = malloc(size);
    const char *at = strstr(text, old);
    assert_non_null(out);
    assert_non_null(at);
    assert_null(strstr(at + 1, old));
    (void)snprintf(out, size, "%.*s%s%s", (int)(at - text), text, new, at + strlen(old));
    return out;
}

/* The hash of the only event, with `old` replaced (NULL: nothing). */
static struct sy_hash hash_of(const char *text, const char *old, const char *new)
{
    struct sy_hash hash;
    struct sy_error err = {SY_OK, ""};
    char *changed = old ? replaced(text, old, new) : strdup(text);
    sy_epcis *document = open_text(changed);
    assert_int_equal(sy_epcis_count(document), 1);
    struct sy_epcis_event event = sy_epcis_event(document, 0);
    if (sy_epcis_hash(&hash, &event, &err) != SY_OK) fail_msg("%s", err.text);
    sy_epcis_close(document);
    free(changed);
    return hash;
}

/* The only event's pre-hash. free() it. */
static char *prehash_of(const char *text)
{
    char *out = NULL;
    size_t size = 0;
    struct sy_error err = {SY_OK, ""};
    sy_epcis *document = open_text(text);
    struct sy_epcis_event event = sy_epcis_event(document, 0);
    if (sy_epcis_prehash(&out, &size, &event, &err) != SY_OK) fail_msg("%s", err.text);
    assert_int_equal(size, strlen(out));
    sy_epcis_close(document);
    return out;
}

// --- hashes ------------------------------------------------------------------------------------

CASE(fields_stand_in_the_order_of_the_standard)
{
    char *text = prehash_of(HEAD SHIPPED TAIL);
    assert_string_equal(text, shipped_text);
    free(text);
}

CASE(the_same_event_said_otherwise_has_the_same_hash)
{
    static const char *const pairs[][2] = {
        {"09:30:00.1235+01:00", "08:30:00.124Z"},
        {"09:30:00.1235+01:00", "03:00:00.1240000-05:30"},
        {"\"shipping\"", "\"https://ref.gs1.org/cbv/BizStep-shipping\""},
        {"\"shipping\"", "\"cbv:BizStep-shipping\""},
        {"\"shipping\"", "\"urn:epcglobal:cbv:bizstep:shipping\""},
        {"\"shipping\"", "\"  shipping\\n\""},
        {"urn:epc:id:sgtin:9506000.013435.B1",
         "http://shop.example.com/gtin/9506000134352/lot/L7/ser/B1?x=1#y"},
        {"urn:epc:id:sscc:9506000.1000000017", "https://id.gs1.org/00/195060000000000173"},
        {"12.50", "\"+012.500\""},
        {"12.50", "1.25e1"},
        {"[\"z\",\"a\"]", "[\"a\",\"z\"]"},
        {"{\"own\":\"https://ns.example.org/own/\"}",
         "{\"other\":\"https://ns.example.org/\"},{\"own\":{\"@id\":"
         "\"https://ns.example.org/own/\"}}"},
        {"urn:uuid:7d1b2b1e-0001", "urn:uuid:7d1b2b1e-0009"},
        {"\"recordTime\":\"2026-11-30T09:31:00Z\"", "\"recordTime\":\"2026-12-01T00:00:00Z\""},
        {"\"own:weight\"",
         "\"errorDeclaration\":{\"declarationTime\":\"2026-12-01T00:00:00Z\",\"reason\":"
         "\"did_not_occur\"},\"own:weight\""},
        {"\"own:weight\"", "\"rdfs:comment\":\"by hand\",\"own:weight\""},
        {"\"own:weight\"", "\"own:nothing\":null,\"own:weight\""},
        {"\"schemaVersion\"", "\"own:ignoreFields\":[\"own:mark\"],\"schemaVersion\""},
    };
    struct sy_hash first = hash_of(HEAD SHIPPED TAIL, NULL, NULL);
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        struct sy_hash other = hash_of(HEAD SHIPPED TAIL, pairs[i][0], pairs[i][1]);
        if (!sy_hash_equal(&first, &other)) fail_msg("%s", pairs[i][1]);
    }
}

CASE(whatever_is_said_else_changes_the_hash)
{
    static const char *const pairs[][2] = {
        {"ObjectEvent", "TransactionEvent"},
        {"09:30:00.1235", "09:30:00.1225"},
        {"\"+01:00\"", "\"+02:00\""},
        {"OBSERVE", "ADD"},
        {"\"shipping\"", "\"departing\""},
        {"in_transit", "in_progress"},
        {"1000000017", "1000000018"},
        {"435.B1\"", "435.b1\""},
        {"435.B1\"", "435.B1\",\"urn:epc:id:sgtin:9506000.013435.B2\""},
        {"12345.0", "12345.1"},
        {"own:door", "own:dock"},
        {"\"7\"", "\"8\""},
        {"{\"type\":\"desadv\",", "{\"type\":\"inv\","},
        {"urn:x:asn:3", "urn:x:asn:4"},
        {"possessing_party", "owning_party"},
        {"9506111", "9506112"},
        {"12.50", "12.51"},
        {"[\"z\",\"a\"]", "[\"z\"]"},
        {"https://ns.example.org/own/", "https://ns.example.org/owned/"},
        {"\"own:weight\":12.50,", ""},
        {"\"own:weight\"", "\"own:empty\":\"\",\"own:weight\""},
        {"\"own:weight\"", "\"own:deep\":{\"own:er\":{\"own:est\":1}},\"own:weight\""},
        {"\"own:weight\"", "\"unknown\":1,\"own:weight\""},
    };
    struct sy_hash first = hash_of(HEAD SHIPPED TAIL, NULL, NULL);
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        struct sy_hash other = hash_of(HEAD SHIPPED TAIL, pairs[i][0], pairs[i][1]);
        if (sy_hash_equal(&first, &other)) fail_msg("%s", pairs[i][1]);
    }
}

CASE(extensions_nest_and_are_sorted_at_each_depth)
{
    static const char event[] =
        HEAD "{\"type\":\"TransformationEvent\",\"eventTime\":\"2026-11-30T08:00:00Z\","
             "\"eventTimeZoneOffset\":\"+00:00\",\"inputQuantityList\":[{\"uom\":\"KGM\","
             "\"quantity\":10.0,\"epcClass\":\"urn:epc:class:lgtin:9506000.013435.L2\"},"
             "{\"epcClass\":\"urn:epc:idpat:sgtin:9506000.013435.*\",\"quantity\":3}],"
             "\"outputEPCList\":[],\"transformationID\":\"urn:x:t:1\",\"ilmd\":{"
             "\"cbvmda:lotNumber\":\"L9\",\"own:b\":{\"own:d\":\"x\",\"own:c\":[true,2]},"
             "\"own:pieceList\":[\"p2\",{\"own:k\":\"v\"},\"p1\"]},\"undeclared:x\":\"\"}" TAIL;
    char *text = prehash_of(event);
    assert_string_equal(
        text, "eventType=TransformationEventeventTime=2026-11-30T08:00:00.000Z"
              "eventTimeZoneOffset=+00:00inputQuantityList"
              "quantityElementepcClass=https://id.gs1.org/01/09506000134352/10/L2"
              "quantity=10uom=KGM"
              "quantityElementepcClass=https://id.gs1.org/01/09506000134352quantity=3"
              "transformationID=urn:x:t:1ilmd"
              "{https://ns.example.org/own/}b{https://ns.example.org/own/}c=2"
              "{https://ns.example.org/own/}c=true{https://ns.example.org/own/}d=x"
              "{https://ns.example.org/own/}pieceList{https://ns.example.org/own/}piece=p1"
              "{https://ns.example.org/own/}piece=p2"
              "{https://ns.example.org/own/}piece{https://ns.example.org/own/}k=v"
              "{urn:epcglobal:cbv:mda:}lotNumber=L9undeclared:x");
    free(text);
}

CASE(times_are_rounded_by_their_fourth_decimal)
{
    static const struct {
        const char *text;
        int64_t ms;
    } good[] = {{"1970-01-01T00:00:00Z", 0},
                {"1969-12-31T23:59:59.999Z", -1},
                {"1970-01-01T01:00:00.0005+01:00", 1},
                {"1970-01-01T00:00:00.00049999Z", 0},
                {"1970-01-01t00:00:00,5z", 500},
                {"2024-02-29T23:59:59.9995Z", 1709251200000},
                {"2000-03-01T00:00:00-00:30", 951870600000},
                {"0001-01-01T00:00:00Z", -62135596800000},
                {"9999-12-31T23:59:59.999Z", 253402300799999}};
    static const char *const bad[] = {"2026-11-30T08:00:00",       "2026-11-30",
                                      "2026-02-29T00:00:00Z",      "2026-13-01T00:00:00Z",
                                      "2026-11-30T24:00:00Z",      "2026-11-30T08:60:00Z",
                                      "2026-11-30T08:00:60Z",      "2026-11-30T08:00:00.Z",
                                      "2026-11-30T08:00:00+0100",  "2026-11-30T08:00:00+24:00",
                                      "2026-11-30T08:00:00Z ",     "2026-11-30 08:00:00Z",
                                      "0000-01-01T00:00:00Z",      "0001-01-01T00:00:00+00:01",
                                      "9999-12-31T23:59:59.9995Z", "",
                                      "2026-11-30T08:00:00+01:60"};
    int64_t ms;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        if (!sy_epcis_time(&ms, good[i].text)) fail_msg("%s", good[i].text);
        assert_int_equal(ms, good[i].ms);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (sy_epcis_time(&ms, bad[i])) fail_msg("%s", bad[i]);
    }
}

CASE(a_number_has_one_form)
{
    static const char *const pairs[][2] = {
        {"12.50", "12.5"},
        {"-9007199254740993", "-9007199254740992"},
        {"1e22", "10000000000000000000000"},
        {"\"1e3\"", "1000"},
        {"\"-0.0\"", "0"},
        {"\"007\"", "7"},
        {"1E-7", "1e-07"},
        {"0.1", "0.1"},
        {"\".5\"", "0.5"},
        {"\"5.\"", "5"},
        {"\"0x10\"", "0x10"},
        {"\"inf\"", "inf"},
        {"\"1e999\"", "1e999"},
        {"\"1_000\"", "1_000"},
        {"\"1.2.3\"", "1.2.3"},
        {"\"-\"", "-"},
        {"\"1e\"", "1e"},
        {"true", "true"},
        {"28.104000000000003", "28.104000000000003"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        char *changed = replaced(HEAD SHIPPED TAIL, "12.50", pairs[i][0]);
        char *text = prehash_of(changed);
        assert_string_equal(strstr(text, "weight=") + 7, pairs[i][1]);
        free(text);
        free(changed);
    }
}

CASE(a_time_that_cannot_be_read_has_no_hash)
{
    struct sy_hash hash;
    struct sy_error err = {SY_OK, ""};
    char *changed = replaced(HEAD SHIPPED TAIL, "T09:30:00.1235", " 09:30:00.1235");
    sy_epcis *document = open_text(changed);
    struct sy_epcis_event event = sy_epcis_event(document, 0);
    assert_int_equal(sy_epcis_hash(&hash, &event, &err), SY_ERR_FORMAT);
    assert_non_null(strstr(err.text, "epcisBody.eventList[0]: a eventTime"));
    sy_epcis_close(document);
    free(changed);
    changed = replaced(HEAD SHIPPED TAIL, "ObjectEvent", "QuantityEvent");
    document = open_text(changed);
    event = sy_epcis_event(document, 0);
    assert_int_equal(sy_epcis_hash(&hash, &event, &err), SY_ERR_FORMAT);
    assert_non_null(strstr(err.text, "eventList[0].type"));
    sy_epcis_close(document);
    free(changed);
}

// --- GS1 keys ----------------------------------------------------------------------------------

CASE(each_gs1_key_has_one_uri)
{
    static const char *const pairs[][2] = {
        {"urn:epc:id:sgtin:950600013435.0.A%2F1(", "01/09506000134352/21/A%2F1%28"},
        {"urn:epc:id:sgln:9506000.12345.A", "414/9506000123455/254/A"},
        {"urn:epc:id:sgln:950600012345..0", "414/9506000123455"},
        {"urn:epc:id:pgln:950600012345.", "417/9506000123455"},
        {"urn:epc:id:grai:9506000.12345.X1", "8003/09506000123455X1"},
        {"urn:epc:id:giai:9506000.12.3", "8004/950600012.3"},
        {"urn:epc:id:gsrn:9506000.0000000001", "8018/950600000000000019"},
        {"urn:epc:id:gsrnp:9506000.0000000001", "8017/950600000000000019"},
        {"urn:epc:id:gdti:9506000.12345.77", "253/950600012345577"},
        {"urn:epc:id:cpi:9506000.A1.5", "8010/9506000A1/8011/5"},
        {"urn:epc:id:sgcn:9506000.12345.77", "255/950600012345577"},
        {"urn:epc:id:ginc:9506000.abc", "401/9506000abc"},
        {"urn:epc:id:gsin:9506000.000000001", "402/95060000000000015"},
        {"urn:epc:id:itip:9506000.013435.01.02.S", "8006/095060001343520102/21/S"},
        {"urn:epc:id:upui:9506000.013435.S", "01/09506000134352/235/S"},
        {"urn:epc:class:lgtin:9506000.013435.L", "01/09506000134352/10/L"},
        {"urn:epc:idpat:itip:9506000.013435.01.02.*", "8006/095060001343520102"},
        {"urn:epc:idpat:cpi:9506000.A1.*", "8010/9506000A1"},
        {"https://x.example/a/01/9506000134352/", "01/09506000134352"},
        {"https://x.example/01/09506000134352/22/2A/10/L/21/S", "01/09506000134352/21/S"},
        {"https://x.example/gln/9506000123455/254/A#f", "414/9506000123455/254/A"},
    };
    char out[SY_GS1_URI_BYTES];
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        struct sy_slice uri = sy_slice_of(pairs[i][0], strlen(pairs[i][0]));
        if (!sy_gs1_canonical(out, uri)) fail_msg("%s", pairs[i][0]);
        assert_string_equal(sy_gs1_path(out), pairs[i][1]);
        char expected;
        assert_true(sy_gs1_check_good(&expected, out));
    }
}

CASE(what_is_no_gs1_key_stays_as_it_is)
{
    static const char *const none[] = {
        "urn:epc:id:sgtin:9506000.13435.B1",   /* a digit too few */
        "urn:epc:id:sgtin:95060.00013435.B1",  /* a prefix of five */
        "urn:epc:id:sgtin:9506000.013435.",    /* no serial */
        "urn:epc:id:sgtin:9506000.013435",     /* no serial */
        "urn:epc:id:sgtin:9506000.013435.B#1", /* not of the set */
        "urn:epc:id:sgtin:9506000.013435.B%2", /* half an escape */
        "urn:epc:id:gdti:9506000.12345.A?2",   /* a query where a serial goes on */
        "urn:epc:id:sgtin:9506000.01343x.B1",  /* no digit */
        "urn:epc:id:sgtin:9506000.013435.123456789012345678901", /* 21 characters */
        "urn:epc:id:sscc:9506000.1000000017.1",                  /* a part too many */
        "urn:epc:idpat:sgtin:9506000.013435.7",                  /* no pattern */
        "urn:epc:id:gid:95100000.12345.400",                     /* no GS1 key */
        "urn:epc:id:sgcn:9506000.12345.A",                       /* letters in a coupon's serial */
        "https://x.example/01/09506000134",                      /* no GTIN's length */
        "https://x.example/01/09506000134352/21",                /* a qualifier without value */
        "https://x.example/01/09506000134352/99/1",              /* no qualifier of a GTIN */
        "https://x.example/00/195060000000000173/21/1",
        "https://x.example/01",
        "ftp://x.example/01/09506000134352",
        "geo:50.9,6.9",
        "",
    };
    char out[SY_GS1_URI_BYTES];
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        if (sy_gs1_canonical(out, sy_slice_of(none[i], strlen(none[i])))) fail_msg("%s", none[i]);
        assert_string_equal(out, "");
    }
    assert_null(sy_gs1_path("https://x.example/01/09506000134352"));
}

// --- checks ------------------------------------------------------------------------------------

struct told {
    size_t count, warnings;
    struct sy_epcis_issue first;
};

static void note(void *self, const struct sy_epcis_issue *issue)
{
    struct told *told = (struct told *)self;
    if (told->count + told->warnings == 0) told->first = *issue;
    if (issue->warning) {
        told->warnings++;
    } else {
        told->count++;
    }
}

static struct told told_of(const char *text, const char *old, const char *new)
{
    struct told told = {.count = 0};
    char *changed = old ? replaced(text, old, new) : strdup(text);
    sy_epcis *document = open_text(changed);
    struct sy_epcis_event event = sy_epcis_event(document, 0);
    size_t issues = sy_epcis_check(&event, note, &told);
    assert_int_equal(issues, told.count);
    sy_epcis_close(document);
    free(changed);
    return told;
}

CASE(what_is_wrong_is_told_by_path)
{
    static const char packed[] =
        HEAD "{\"type\":\"AggregationEvent\",\"eventTime\":\"2026-11-30T08:00:00Z\","
             "\"eventTimeZoneOffset\":\"-14:00\",\"action\":\"ADD\",\"bizStep\":\"packing\","
             "\"parentID\":\"https://id.gs1.org/00/195060000000000173\","
             "\"childEPCs\":[\"https://id.gs1.org/01/09506000134352/21/1\"]}" TAIL;
    static const struct {
        const char *old, *new, *path, *what;
    } wrong[] = {
        {"\"ADD\"", "\"add\"", "action", "ADD, OBSERVE or DELETE"},
        {"\"action\":\"ADD\",", "", "action", "ADD, OBSERVE or DELETE"},
        {"\"packing\"", "\"packed\"", "bizStep", "no word of CBV"},
        {"\"packing\"", "7", "bizStep", "has to be a text"},
        {"AggregationEvent", "QuantityEvent", "type", "none of ObjectEvent"},
        {"eventTime\":\"2026-11-30T08:00:00Z", "eventTime\":\"2026-11-30", "eventTime",
         "no time with a zone"},
        {"\"eventTime\":\"2026-11-30T08:00:00Z\",", "", "eventTime", "missing"},
        {"-14:00", "-15:00", "eventTimeZoneOffset", "has to be there"},
        {"-14:00", "14:00", "eventTimeZoneOffset", "has to be there"},
        {"\"parentID\":\"https://id.gs1.org/00/195060000000000173\",", "", "parentID", "missing"},
        {"000173", "000174", "parentID", "check digit has to be 3"},
        {"134352", "134353", "childEPCs[0]", "check digit has to be 2"},
        {"https://id.gs1.org/01/09506000134352/21/1", "09506000134352", "childEPCs[0]", "no URI"},
        {"https://id.gs1.org/01/09506000134352/21/1", "urn:epc:id:sgtin:9506000.13435.1",
         "childEPCs[0]", "not as the EPC standard"},
        {"[\"https://id.gs1.org/01/09506000134352/21/1\"]", "[]", "childEPCs", "no children"},
        {"\"ADD\",", "\"ADD\",\"sourceList\":[{\"type\":\"owner\",\"source\":\"urn:x:1\"}],",
         "sourceList[0].type", "no word of CBV"},
        {"\"ADD\",", "\"ADD\",\"bizTransactionList\":[{\"type\":\"po\"}],",
         "bizTransactionList[0].bizTransaction", "missing"},
        {"\"ADD\",", "\"ADD\",\"readPoint\":{},", "readPoint.id", "missing"},
        {"\"ADD\",", "\"ADD\",\"childQuantityList\":[{\"quantity\":-1,\"epcClass\":\"urn:x:1\"}],",
         "childQuantityList[0].quantity", "not below 0"},
        {"\"ADD\",", "\"ADD\",\"errorDeclaration\":{},", "errorDeclaration.declarationTime",
         "missing"},
        {"\"ADD\",",
         "\"ADD\",\"errorDeclaration\":{\"declarationTime\":\"2026-11-30T08:00:00Z\",\"reason\":"
         "\"oops\"},",
         "errorDeclaration.reason", "no word of CBV"},
        {"AggregationEvent", "TransactionEvent", "bizTransactionList", "missing"},
        {"AggregationEvent", "ObjectEvent", "epcList", "of nothing"},
        {"AggregationEvent", "TransformationEvent", "action", "has none"},
    };
    assert_int_equal(told_of(packed, NULL, NULL).count, 0);
    assert_int_equal(told_of(HEAD SHIPPED TAIL, NULL, NULL).count, 0);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct told told = told_of(packed, wrong[i].old, wrong[i].new);
        if (told.count == 0) fail_msg("%s is taken", wrong[i].new);
        assert_string_equal(told.first.path, wrong[i].path);
        if (!strstr(told.first.what, wrong[i].what)) fail_msg("%s", told.first.what);
    }
    // An eventID that is the hash of something else is told, and may be meant so.
    struct told told =
        told_of(packed, "\"ADD\",", "\"ADD\",\"eventID\":\"ni:///sha-256;00?ver=CBV2.0\",");
    assert_int_equal(told.count, 0);
    assert_int_equal(told.warnings, 1);
    assert_string_equal(told.first.path, "eventID");
}

static void refuse(const char *text, size_t size, const char *what)
{
    sy_epcis *document = NULL;
    struct sy_error err = {SY_OK, ""};
    if (sy_epcis_open(&document, sy_slice_of(text, size), &err) != SY_ERR_FORMAT) {
        fail_msg("%.*s: %s", (int)size, text, err.text);
    }
    assert_null(document);
    if (!strstr(err.text, what)) fail_msg("%s", err.text);
}

CASE(what_is_no_document_of_events_is_refused)
{
    static const struct {
        const char *text, *what;
    } bad[] = {
        {"", "line 1"},
        {"{\"type\":\"EPCISDocument\"", "line 1"},
        {"{\"type\":\n\"EPCISDocument\",\"type\":1}", "line 2, type: the key stands twice"},
        {"{\"type\":\"EPCISDocument\",\"epcisBody\":{}}", "epcisBody.eventList is no list"},
        {"{\"type\":\"EPCISDocument\",\"epcisBody\":{\"eventList\":{}}}", "is no list"},
        {"{\"type\":\"EPCISQueryDocument\",\"epcisBody\":{\"queryResults\":{}}}",
         "resultsBody.eventList is no list"},
        {"7", "line 1"},
        {"[1e999]", "line 1"},
        {"[] x", "line 1"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        refuse(bad[i].text, strlen(bad[i].text), bad[i].what);
    }
    char deep[2 * SY_EPCIS_DEPTH_MAX + 4];
    memset(deep, '[', SY_EPCIS_DEPTH_MAX + 1);
    memset(deep + SY_EPCIS_DEPTH_MAX + 1, ']', SY_EPCIS_DEPTH_MAX + 1);
    refuse(deep, 2 * SY_EPCIS_DEPTH_MAX + 2, "line 1");
    sy_epcis *document = NULL;
    struct sy_error err = {SY_OK, ""};
    struct sy_slice huge = sy_slice_of(deep, (size_t)SY_EPCIS_DOCUMENT_BYTES_MAX + 1);
    assert_int_equal(sy_epcis_open(&document, huge, &err), SY_ERR_LIMIT);
}

CASE(events_stand_in_lists_alone_and_in_answers)
{
    static const char *const forms[][3] = {
        {"[", "]", "[0]"},
        {"", "", ""},
        {"{\"type\":\"EPCISDocument\",\"epcisBody\":{\"event\":", "}}", "epcisBody.event"},
        {"{\"type\":\"EPCISQueryDocument\",\"epcisBody\":{\"queryResults\":{\"resultsBody\":{"
         "\"eventList\":[",
         "]}}}}", "epcisBody.queryResults.resultsBody.eventList[0]"}};
    static char text[4096];
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        (void)snprintf(text, sizeof text, "%s%s%s", forms[i][0], SHIPPED, forms[i][1]);
        sy_epcis *document = open_text(text);
        assert_int_equal(sy_epcis_count(document), 1);
        struct sy_epcis_event event = sy_epcis_event(document, 0);
        assert_int_equal(event.type, SY_EPCIS_OBJECT);
        assert_string_equal(event.path, forms[i][2]);
        sy_epcis_close(document);
    }
}

// --- twice -------------------------------------------------------------------------------------

/* The fate of an event that is SHIPPED with `old` replaced. */
static struct sy_epcis_verdict judged(struct sy_epcis_seen *seen, uint32_t number, const char *old,
                                      const char *new)
{
    struct sy_epcis_verdict verdict;
    struct sy_hash hash;
    struct sy_error err = {SY_OK, ""};
    char *changed = old ? replaced(HEAD SHIPPED TAIL, old, new) : strdup(HEAD SHIPPED TAIL);
    sy_epcis *document = open_text(changed);
    struct sy_epcis_event event = sy_epcis_event(document, 0);
    struct sy_epcis_place place = {.event = number};
    assert_int_equal(sy_epcis_hash(&hash, &event, &err), SY_OK);
    assert_int_equal(sy_epcis_seen_add(seen, &verdict, &event, &hash, place, &err), SY_OK);
    sy_epcis_close(document);
    free(changed);
    return verdict;
}

#define DECLARED \
    "\"errorDeclaration\":{\"declarationTime\":\"2026-12-01T00:00:00Z\"},\"own:weight\""

CASE(the_same_event_again_is_one_too_many_unless_it_declares_an_error)
{
    struct sy_epcis_seen seen;
    struct sy_error err = {SY_OK, ""};
    assert_int_equal(sy_epcis_seen_open(&seen, &err), SY_OK);
    struct sy_epcis_verdict verdict = judged(&seen, 1, NULL, NULL);
    assert_int_equal(verdict.fate, SY_EPCIS_NEW);
    assert_false(verdict.has_earlier);
    verdict = judged(&seen, 2, NULL, NULL);
    assert_int_equal(verdict.fate, SY_EPCIS_DUPLICATE);
    assert_int_equal(verdict.earlier.event, 1);
    verdict = judged(&seen, 3, "urn:uuid:7d1b2b1e-0001", "urn:uuid:7d1b2b1e-0003");
    assert_int_equal(verdict.fate, SY_EPCIS_DUPLICATE); // whatever it is called
    verdict = judged(&seen, 4, "\"own:weight\"", DECLARED);
    assert_int_equal(verdict.fate, SY_EPCIS_CORRECTION);
    assert_int_equal(verdict.earlier.event, 1);
    verdict = judged(&seen, 5, "\"own:weight\"", DECLARED);
    assert_int_equal(verdict.fate, SY_EPCIS_DUPLICATE);
    assert_int_equal(verdict.earlier.event, 4);
    verdict = judged(&seen, 6, "OBSERVE", "ADD");
    assert_int_equal(verdict.fate, SY_EPCIS_CONFLICT);
    assert_int_equal(verdict.earlier.event, 1);
    sy_epcis_seen_close(&seen);
}

CASE(a_declaration_may_come_first)
{
    struct sy_epcis_seen seen;
    struct sy_error err = {SY_OK, ""};
    assert_int_equal(sy_epcis_seen_open(&seen, &err), SY_OK);
    struct sy_epcis_verdict verdict = judged(&seen, 1, "\"own:weight\"", DECLARED);
    assert_int_equal(verdict.fate, SY_EPCIS_CORRECTION);
    assert_false(verdict.has_earlier);
    assert_int_equal(judged(&seen, 2, NULL, NULL).fate, SY_EPCIS_NEW);
    assert_int_equal(judged(&seen, 3, NULL, NULL).fate, SY_EPCIS_DUPLICATE);
    sy_epcis_seen_close(&seen);
}

// --- what GS1 published ------------------------------------------------------------------------

static char *read_text(const char *path)
{
    uint8_t *bytes = NULL;
    size_t size = 0;
    struct sy_error err = {SY_OK, ""};
    if (sy_os_read_file(&bytes, &size, path, 64u << 20, &err) != SY_OK) fail_msg("%s", err.text);
    return (char *)bytes;
}

/* Compares a document's hashes with the lines beside it; returns how many there are. */
static size_t compare_vectors(const char *folder, const char *name)
{
    char path[1400];
    char hash_text[SY_EPCIS_HASH_BYTES];
    struct sy_hash hash;
    struct sy_error err = {SY_OK, ""};
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    char *text = read_text(path);
    sy_epcis *document = open_text(text);
    char *dot = strrchr(path, '.');
    assert_non_null(dot);
    (void)snprintf(dot, sizeof path - (size_t)(dot - path), ".hashes");
    char *lines = read_text(path);
    char *rest = lines;
    size_t count = sy_epcis_count(document);
    for (size_t i = 0; i < count; i++) {
        struct sy_epcis_event event = sy_epcis_event(document, i);
        if (sy_epcis_hash(&hash, &event, &err) != SY_OK) fail_msg("%s", err.text);
        sy_epcis_hash_text(hash_text, &hash);
        const char *line = strtok_r(rest, "\r\n", &rest);
        if (line == NULL || strcmp(line, hash_text) != 0) fail_msg("%s: event %zu", name, i);
    }
    assert_null(strtok_r(rest, "\r\n", &rest));
    sy_epcis_close(document);
    free(lines);
    free(text);
    return count;
}

CASE(the_published_vectors_agree)
{
    char folder[1100];
    size_t documents = 0;
    size_t events = 0;
    if (!test_data(folder, sizeof folder, "epcis/event-hash-vectors/examples")) skip();
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        const char *dot = strrchr(entry->d_name, '.');
        if (dot == NULL || strcmp(dot, ".jsonld") != 0) continue;
        events += compare_vectors(folder, entry->d_name);
        documents++;
    }
    closedir(dir);
    assert_int_equal(documents, 22); // the other 6 are XML alone
    assert_int_equal(events, 43);
}

CASE(the_published_equal_events_are_equal)
{
    char path[1100];
    struct sy_hash hashes[2];
    struct sy_error err = {SY_OK, ""};
    if (!test_data(path, sizeof path,
                   "epcis/event-hash-vectors/expected_equal/ReferenceEventHashAlgorithm.json")) {
        skip();
    }
    char *text = read_text(path);
    sy_epcis *document = open_text(text);
    assert_int_equal(sy_epcis_count(document), 2);
    for (size_t i = 0; i < 2; i++) {
        struct sy_epcis_event event = sy_epcis_event(document, i);
        assert_int_equal(sy_epcis_hash(&hashes[i], &event, &err), SY_OK);
    }
    assert_true(sy_hash_equal(&hashes[0], &hashes[1]));
    sy_epcis_close(document);
    free(text);
}

struct counts {
    size_t documents, unreadable, declared, good, types[6];
};

static void count_document(struct counts *counts, const char *path)
{
    sy_epcis *document = NULL;
    struct sy_error err = {SY_OK, ""};
    char *text = read_text(path);
    counts->documents++;
    if (sy_epcis_open(&document, sy_slice_of(text, strlen(text)), &err) != SY_OK) {
        counts->unreadable++;
        free(text);
        return;
    }
    for (size_t i = 0; i < sy_epcis_count(document); i++) {
        struct told told = {.count = 0};
        struct sy_epcis_event event = sy_epcis_event(document, i);
        struct sy_hash hash;
        assert_int_equal(sy_epcis_hash(&hash, &event, &err), SY_OK);
        counts->types[event.type]++;
        counts->declared += event.declared_wrong;
        counts->good += sy_epcis_check(&event, note, &told) == 0;
    }
    sy_epcis_close(document);
    free(text);
}

CASE(the_public_documents_are_read)
{
    static const char *const folders[] = {"",
                                          "/WithDigitalLinkID",
                                          "/WithSensorData",
                                          "/WithErrorDeclaration",
                                          "/WithFullCombinationOfFields",
                                          "/AssociationEvent"};
    char root[1100];
    char path[1400];
    struct counts counts = {.documents = 0};
    if (!test_data(root, sizeof root, "epcis/gs1/JSON")) skip();
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        char folder[1200];
        (void)snprintf(folder, sizeof folder, "%s%s", root, folders[i]);
        DIR *dir = opendir(folder);
        assert_non_null(dir);
        for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
            const char *dot = strrchr(entry->d_name, '.');
            if (dot == NULL || strcmp(dot, ".jsonld") != 0) continue;
            (void)snprintf(path, sizeof path, "%s/%.180s", folder, entry->d_name);
            count_document(&counts, path);
        }
        closedir(dir);
    }
    assert_int_equal(counts.documents, 47);
    assert_int_equal(counts.good, 55);
    assert_int_equal(counts.unreadable, 1); // AssociationEvent-h has two eventIDs in one event
    assert_int_equal(counts.types[0], 0);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(fields_stand_in_the_order_of_the_standard),
        cmocka_unit_test(the_same_event_said_otherwise_has_the_same_hash),
        cmocka_unit_test(whatever_is_said_else_changes_the_hash),
        cmocka_unit_test(extensions_nest_and_are_sorted_at_each_depth),
        cmocka_unit_test(times_are_rounded_by_their_fourth_decimal),
        cmocka_unit_test(a_number_has_one_form),
        cmocka_unit_test(a_time_that_cannot_be_read_has_no_hash),
        cmocka_unit_test(each_gs1_key_has_one_uri),
        cmocka_unit_test(what_is_no_gs1_key_stays_as_it_is),
        cmocka_unit_test(what_is_wrong_is_told_by_path),
        cmocka_unit_test(what_is_no_document_of_events_is_refused),
        cmocka_unit_test(events_stand_in_lists_alone_and_in_answers),
        cmocka_unit_test(the_same_event_again_is_one_too_many_unless_it_declares_an_error),
        cmocka_unit_test(a_declaration_may_come_first),
        cmocka_unit_test(the_published_vectors_agree),
        cmocka_unit_test(the_published_equal_events_are_equal),
        cmocka_unit_test(the_public_documents_are_read),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
