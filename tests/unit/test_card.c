/* test_card.c: SMART Health Cards: the specification's own example holds, what is made is read, and
 * nothing that was changed passes. */
#include "core/client/card.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/base/base64url.h"
#include "core/base/os.h"
#include "core/client/deflate_zlib.h"
#include "core/client/systole.h"
#include "core/crypto/hash.h"
#include "tests/support/test.h"

/* https://spec.smarthealth.cards/examples/example-00-d-jws.txt and the issuer's key set. */
static const char spec_jws[] =
    "eyJ6aXAiOiJERUYiLCJhbGciOiJFUzI1NiIsImtpZCI6IjNLZmRnLVh3UC03Z1h5eXd0VWZVQUR3QnVtRE9QS01R"
    "eC1pRUxMMTFXOXMifQ.fVLRcppAFP2VzvZVEBRReQvYxtiaaklik04fVlhkYQVmFwjE8d97L9bWcTLliXv37Dnnn"
    "rsHwpUiDonLslBOv68KFuhqT2UZMyrKWA-oDFWfNXRfCKb6gK6YJD2SbSPimPZ4bA6sycjQp_aoR-qAOAdStgUjz"
    "s9_nNd0H0-FhgX51SOBZCHLSk6FX20TFpTIEsVcPjGpeJ6BP0s3dBNksetWWSgYYiRTeSUD9tApkj8HPQJksgULw"
    "FIJ8SgFHJ6xjgGAc_EOyYqWHO7jiHTPOpIdr1mGEy1yFVcUjjy0HdE9FyBDljQLmSBH6G05jDqjJTKZ08lAMw1tY"
    "MMN3k0YcQgPKWsqKsQs_YVmGwNrak_GU80wgeR47L3r2_y_by-vmaQ7HF-VtKxwqzQowTp0Tis5kCAPebbrHMAvX"
    "pvfrVATnLOMRTzgFJND9ohJlqHUZXQADATFJwMUp4DIrcyrAkTOM5kGfCZi_0K-Nx-uUa63uVnNVlco9-7-AmMDl"
    "WldQlzP9S8A1tDoEsPQiIoFOq-62M6PjxZcr2nT6IJnKVZ9gPW5MVF8dpt5U7-JeMr8h_Tzt08vye655drbqnhJk"
    "qqNabJxb0AtZbjl7W62934srbqN3-ZfNb4eJq_GWrPCdJg8bfyRGr_OQ7qwH59TjEnyEPf7pfWaeFzY1Zocj78B."
    "6DLKFKxMHQ4IMyn89DKwb6lS6dDJ5naO7y6pkewWe9hfqTyH17_KNhynXz_WTTpiNVc_5enckb7pvd4ah_1wHg";
static const char spec_keys[] =
    "{\"keys\":[{\"kty\":\"EC\",\"kid\":\"3Kfdg-XwP-7gXyywtUfUADwBumDOPKMQx-iELL11W9s\","
    "\"use\":\"sig\",\"alg\":\"ES256\",\"crv\":\"P-256\","
    "\"x\":\"11XvRWy1I2S0EyJlyf_bWfw_TQ5CJJNLw78bHXNxcgw\","
    "\"y\":\"eZXwxvO1hvCY0KucrPfKo7yAyMT6Ajc3N7OkAB6VYy8\"}]}";
#define SPEC_TIME 1700000000 // after its nbf

static struct sy_slice slice_of(const char *text)
{
    return sy_slice_of(text, strlen(text));
}

static void read_keys(struct sy_card_keys *keys, const char *text)
{
    struct sy_error err = {SY_OK, ""};
    assert_int_equal(sy_card_keys_read(keys, slice_of(text), &err), SY_OK);
}

static sy_status read_and_check(const char *text, const struct sy_card_keys *keys, int64_t now_s)
{
    struct sy_card card = {.jws = NULL};
    struct sy_error err = {SY_OK, ""};
    sy_status status = sy_card_read(&card, slice_of(text), &err);
    if (status == SY_OK) status = sy_card_check(&card, keys, now_s, &err);
    if (status != SY_OK) assert_true(err.text[0] != '\0');
    sy_card_free(&card);
    return status;
}

// --- base64url, ES256, DEFLATE -----------------------------------------------------------------

CASE(base64url_has_one_text_a_value)
{
    static const struct {
        const char *bytes, *text;
    } pairs[] = {{"", ""},           {"f", "Zg"},          {"fo", "Zm8"},         {"foo", "Zm9v"},
                 {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}}; // RFC 4648 10
    char text[16];
    uint8_t bytes[16];
    size_t size;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        size_t chars = sy_base64url_encode(text, slice_of(pairs[i].bytes));
        assert_int_equal(chars, SY_BASE64URL_CHARS(strlen(pairs[i].bytes)));
        assert_int_equal(chars, strlen(pairs[i].text));
        assert_memory_equal(text, pairs[i].text, chars);
        assert_true(sy_base64url_decode(bytes, &size, slice_of(pairs[i].text)));
        assert_int_equal(size, strlen(pairs[i].bytes));
        assert_memory_equal(bytes, pairs[i].bytes, size);
    }
    static const uint8_t high[] = {0xfb, 0xff, 0xbf};
    assert_int_equal(sy_base64url_encode(text, sy_slice_of(high, 3)), 4);
    assert_memory_equal(text, "-_-_", 4);
    static const char *const wrong[] = {"Z", "Zh", "Zm9", "Zg==", "Zm+v", "Zm/v", "Zm 9", "Zm9v\n"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_false(sy_base64url_decode(bytes, &size, slice_of(wrong[i])));
    }
}

// RFC 7515, appendix A.3.
CASE(es256_verifies_the_published_signature)
{
    static const char text[] =
        "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQog"
        "Imh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    static const char signature_text[] =
        "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
    struct sy_p256_public key;
    uint8_t signature[66];
    size_t size;
    assert_true(
        sy_base64url_decode(key.x, &size, slice_of("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU")));
    assert_true(
        sy_base64url_decode(key.y, &size, slice_of("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0")));
    assert_true(sy_base64url_decode(signature, &size, slice_of(signature_text)));
    assert_int_equal(size, SY_ES256_SIGNATURE_BYTES);
    assert_true(sy_es256_verify(&key, signature, slice_of(text)));
    for (size_t bit = 0; bit < 8 * size; bit++) {
        signature[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        assert_false(sy_es256_verify(&key, signature, slice_of(text)));
        signature[bit / 8] ^= (uint8_t)(1u << (bit % 8));
    }
    assert_false(sy_es256_verify(&key, signature, slice_of("something else")));
    key.y[31] ^= 1; // no point of the curve
    assert_false(sy_es256_verify(&key, signature, slice_of(text)));
    struct sy_p256_public zero = {{0}, {0}};
    memset(signature, 0, sizeof signature);
    assert_false(sy_es256_verify(&zero, signature, slice_of(text)));
}

CASE(what_is_unpacked_is_bounded)
{
    static uint8_t zeros[100000];
    uint8_t *packed = NULL, *back = NULL;
    size_t size, back_size;
    struct sy_error err = {SY_OK, ""};
    assert_int_equal(sy_deflate_raw(&packed, &size, sy_slice_of(zeros, sizeof zeros), &err), SY_OK);
    assert_true(size < 1000);
    struct sy_slice whole = sy_slice_of(packed, size);
    assert_int_equal(sy_inflate_raw(&back, &back_size, whole, sizeof zeros, &err), SY_OK);
    assert_int_equal(back_size, sizeof zeros);
    assert_memory_equal(back, zeros, sizeof zeros);
    free(back);
    assert_int_equal(sy_inflate_raw(&back, &back_size, whole, sizeof zeros - 1, &err),
                     SY_ERR_LIMIT);
    assert_null(back);
    for (size_t cut = 0; cut < size; cut++) {
        assert_int_equal(
            sy_inflate_raw(&back, &back_size, sy_slice_of(packed, cut), sizeof zeros, &err),
            SY_ERR_FORMAT);
    }
    uint8_t *longer = calloc(1, size + 1);
    assert_non_null(longer);
    memcpy(longer, packed, size);
    assert_int_equal(
        sy_inflate_raw(&back, &back_size, sy_slice_of(longer, size + 1), sizeof zeros, &err),
        SY_ERR_FORMAT);
    free(longer);
    free(packed);
}

// --- the specification's example ---------------------------------------------------------------

CASE(the_published_card_holds)
{
    static struct sy_card_keys keys;
    struct sy_card card = {.jws = NULL};
    struct sy_error err = {SY_OK, ""};
    read_keys(&keys, spec_keys);
    assert_int_equal(keys.count, 1);
    assert_int_equal(sy_card_read(&card, slice_of(spec_jws), &err), SY_OK);
    assert_string_equal(card.issuer, "https://spec.smarthealth.cards/examples/issuer");
    assert_int_equal(card.type_count, 1);
    assert_false(card.has_until);
    assert_true(card.has_rid);
    assert_string_equal(card.rid, "MKyCxh7p6uQ");
    assert_int_equal(sy_card_check(&card, &keys, SPEC_TIME, &err), SY_OK);
    assert_int_equal(sy_card_check(&card, &keys, 1600000000, &err), SY_ERR_PERMISSION);
    keys.count = 0;
    assert_int_equal(sy_card_check(&card, &keys, SPEC_TIME, &err), SY_ERR_CRYPTO);
    sy_card_free(&card);
}

CASE(a_card_is_the_same_in_all_three_forms)
{
    static struct sy_card_keys keys;
    struct sy_error err = {SY_OK, ""};
    char *numeric = NULL;
    static char file[2048];
    read_keys(&keys, spec_keys);
    assert_int_equal(sy_card_numeric(&numeric, spec_jws, &err), SY_OK);
    assert_memory_equal(numeric, "shc:/5676", 9); // "ey", as every card begins
    assert_int_equal(read_and_check(numeric, &keys, SPEC_TIME), SY_OK);
    numeric[20] = 'x';
    assert_int_equal(read_and_check(numeric, &keys, SPEC_TIME), SY_ERR_FORMAT);
    free(numeric);
    (void)snprintf(file, sizeof file, "\n {\"verifiableCredential\": [\"%s\"]} \n", spec_jws);
    assert_int_equal(read_and_check(file, &keys, SPEC_TIME), SY_OK);
}

CASE(every_changed_character_is_refused)
{
    static struct sy_card_keys keys;
    static char text[sizeof spec_jws];
    read_keys(&keys, spec_keys);
    for (size_t i = 0; i < sizeof spec_jws - 1; i++) {
        memcpy(text, spec_jws, sizeof text);
        text[i] = text[i] == 'A' ? 'B' : 'A';
        assert_int_not_equal(read_and_check(text, &keys, SPEC_TIME), SY_OK);
        memcpy(text, spec_jws, i);
        text[i] = '\0';
        assert_int_not_equal(read_and_check(text, &keys, SPEC_TIME), SY_OK);
    }
}

CASE(other_texts_are_no_cards)
{
    static struct sy_card_keys keys;
    static const char *const texts[] = {
        "",
        " ",
        "shc:/",
        "shc:/1/3/5676",
        "shc:/567",
        "{}",
        "{\"verifiableCredential\":[]}",
        "{\"verifiableCredential\":[1]}",
        "a.b",
        "a.b.c",
        "a.b.c.d",
        "..",
        // {"alg":"none"}
        "eyJhbGciOiJub25lIn0.AAAA.AAAA",
    };
    read_keys(&keys, spec_keys);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_int_equal(read_and_check(texts[i], &keys, SPEC_TIME), SY_ERR_FORMAT);
    }
}

CASE(key_sets_are_read_with_care)
{
    static struct sy_card_keys keys;
    struct sy_error err = {SY_OK, ""};
    char text[512];
    read_keys(&keys, "{\"keys\":[{\"kty\":\"RSA\",\"n\":\"AQ\"}]}");
    assert_int_equal(keys.count, 0);
    static const char *const wrong[] = {"", "[]", "{}", "{\"keys\":{}}",
                                        "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\"}]}"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(sy_card_keys_read(&keys, slice_of(wrong[i]), &err), SY_ERR_FORMAT);
    }
    (void)snprintf(text, sizeof text, "%s", spec_keys);
    *strstr(text, "3Kfdg") = '4'; // a kid that is not its thumbprint
    assert_int_equal(sy_card_keys_read(&keys, slice_of(text), &err), SY_ERR_FORMAT);
}

// --- made here ---------------------------------------------------------------------------------

static char folder[200];
static sy_p256_key *key;
static struct sy_card_keys own_keys;

static int make_key(void **state)
{
    (void)state;
    char path[256];
    char *text = NULL;
    struct sy_p256_public half;
    struct sy_error err = {SY_OK, ""};
    test_folder(folder, sizeof folder, "card");
    (void)snprintf(path, sizeof path, "%s/card.pem", folder);
    if (sy_p256_generate(&half, path, NULL, &err) != SY_OK) return 1;
    if (sy_p256_key_load(&key, path, NULL, &err) != SY_OK) return 1;
    struct sy_p256_public loaded;
    sy_p256_key_public(key, &loaded);
    if (memcmp(&half, &loaded, sizeof half) != 0) return 1;
    static struct sy_card_keys keys;
    keys.count = 1;
    keys.keys[0].key = half;
    sy_card_thumbprint(keys.keys[0].kid, NULL, &half);
    if (sy_card_keys_write(&text, &keys, &err) != SY_OK) return 1;
    sy_status status = sy_card_keys_read(&own_keys, slice_of(text), &err);
    free(text);
    return status == SY_OK && own_keys.count == 1 ? 0 : 1;
}

static int drop_key(void **state)
{
    (void)state;
    sy_p256_key_close(key);
    return sy_os_remove_tree(folder, NULL) == SY_OK ? 0 : 1;
}

static struct sy_card_draft sound_draft(void)
{
    return (struct sy_card_draft){
        .issuer = "https://example.org/issuer",
        .from_s = 1000,
        .until_s = 2000,
        .type_count = 2,
        .types = {"immunization", "covid19"},
        .has_rid = true,
        .rid = 77,
        .bundle = slice_of(
            "{ \"resourceType\" : \"Bundle\",\n \"note\": \"a \\\" b\\\\\", \"n\": 7.10 }")};
}

CASE(a_card_that_is_made_is_read)
{
    struct sy_card_draft draft = sound_draft();
    struct sy_card card = {.jws = NULL};
    struct sy_error err = {SY_OK, ""};
    struct sy_hash hash;
    char *jws = NULL, *again = NULL;
    assert_int_equal(sy_card_make(&jws, &draft, key, &err), SY_OK);
    assert_int_equal(sy_card_make(&again, &draft, key, &err), SY_OK);
    assert_string_not_equal(jws, again); // nobody can guess its hash
    assert_int_equal(sy_card_read(&card, slice_of(jws), &err), SY_OK);
    assert_non_null(strstr((const char *)card.payload,
                           "{\"resourceType\":\"Bundle\",\"note\":\"a \\\" b\\\\\",\"n\":7.10}"));
    assert_string_equal(card.kid, own_keys.keys[0].kid);
    assert_string_equal(card.issuer, draft.issuer);
    assert_int_equal(card.type_count, 3);
    assert_string_equal(card.types[2], "https://smarthealth.cards#covid19");
    assert_string_equal(card.rid, "77");
    sy_sha256(&hash, jws, strlen(jws));
    assert_memory_equal(hash.bytes, card.jws_hash.bytes, 32);
    assert_int_equal(sy_card_check(&card, &own_keys, 999, &err), SY_ERR_PERMISSION);
    assert_int_equal(sy_card_check(&card, &own_keys, 1000, &err), SY_OK);
    assert_int_equal(sy_card_check(&card, &own_keys, 2000, &err), SY_OK);
    assert_int_equal(sy_card_check(&card, &own_keys, 2001, &err), SY_ERR_PERMISSION);
    static struct sy_card_keys others;
    read_keys(&others, spec_keys);
    assert_int_equal(sy_card_check(&card, &others, 1500, &err), SY_ERR_CRYPTO);
    memcpy(others.keys[0].kid, card.kid, sizeof card.kid); // another's key under this one's name
    assert_int_equal(sy_card_check(&card, &others, 1500, &err), SY_ERR_CRYPTO);
    sy_card_free(&card);
    free(jws);
    free(again);
}

CASE(a_revocation_list_names_cards)
{
    struct sy_card_draft draft = sound_draft();
    struct sy_card card = {.jws = NULL};
    struct sy_error err = {SY_OK, ""};
    char *jws = NULL, text[256];
    static const struct {
        const char *rids;
        sy_status status;
    } lists[] = {{"[]", SY_OK},
                 {"[\"7\",\"78\",\"770\"]", SY_OK},
                 {"[\"1\",\"77\"]", SY_ERR_PERMISSION},
                 {"[\"77.900\"]", SY_OK}, // cards from before 900 s
                 {"[\"77.1001\"]", SY_ERR_PERMISSION},
                 {"7", SY_ERR_FORMAT}};
    assert_int_equal(sy_card_make(&jws, &draft, key, &err), SY_OK);
    assert_int_equal(sy_card_read(&card, slice_of(jws), &err), SY_OK);
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        (void)snprintf(text, sizeof text,
                       "{\"kid\":\"%s\",\"method\":\"rid\",\"ctr\":1,\"rids\":%s}", card.kid,
                       lists[i].rids);
        assert_int_equal(sy_card_revoked(&card, slice_of(text), &err), lists[i].status);
    }
    assert_int_equal(sy_card_revoked(&card, slice_of("{}"), &err), SY_ERR_FORMAT);
    assert_int_equal(
        sy_card_revoked(&card, slice_of("{\"kid\":\"x\",\"method\":\"rid\",\"rids\":[]}"), &err),
        SY_ERR_ARGUMENT);
    sy_card_free(&card);
    free(jws);
}

CASE(a_revocation_list_is_written_and_read_again)
{
    struct sy_card_draft draft = sound_draft();
    struct sy_card card = {.jws = NULL};
    struct sy_card_crl crl = {.rids = NULL}, again = {.rids = NULL};
    struct sy_error err = {SY_OK, ""};
    char *jws = NULL, *text = NULL;
    bool added = false;
    assert_int_equal(sy_card_make(&jws, &draft, key, &err), SY_OK);
    assert_int_equal(sy_card_read(&card, slice_of(jws), &err), SY_OK);
    assert_int_equal(sy_card_crl_begin(&crl, card.kid, &err), SY_OK);
    assert_int_equal(sy_card_crl_add(&crl, &added, 7, &err), SY_OK);
    assert_true(added);
    assert_int_equal(sy_card_crl_write(&text, &crl, &err), SY_OK);
    assert_int_equal(sy_card_revoked(&card, slice_of(text), &err), SY_OK); // 7 is another's
    assert_int_equal(sy_card_crl_read(&again, slice_of(text), &err), SY_OK);
    free(text);
    assert_true(again.counter == 1);
    assert_string_equal(again.kid, card.kid);
    assert_int_equal(sy_card_crl_add(&again, &added, 77, &err), SY_OK);
    assert_true(added);
    assert_int_equal(sy_card_crl_add(&again, &added, 7, &err), SY_OK);
    assert_false(added);
    assert_int_equal(sy_card_crl_write(&text, &again, &err), SY_OK);
    assert_non_null(strstr(text, "\"ctr\":2,\"rids\":[\"7\",\"77\"]"));
    assert_int_equal(sy_card_revoked(&card, slice_of(text), &err), SY_ERR_PERMISSION);
    free(text);
    sy_card_crl_free(&crl);
    sy_card_crl_free(&again);
    sy_card_free(&card);
    free(jws);
}

/* What an issuer wrote by other means stays as it is; what cannot be counted on is refused. */
CASE(lists_that_cannot_be_written_again_are_refused)
{
#define KID "3Kfdg-XwP-7gXyywtUfUADwBumDOPKMQx-iELL11W9s"
    static const struct {
        const char *text;
        const char *why;
    } lists[] = {
        {"7", "no JSON"},
        {"{", "no JSON"},
        {"{\"kid\":\"x\",\"method\":\"rid\",\"ctr\":1,\"rids\":[]}", "kid"},
        {"{\"kid\":\"" KID "\",\"method\":\"r\",\"ctr\":1,\"rids\":[]}", "method"},
        {"{\"kid\":\"" KID "\",\"method\":\"rid\",\"rids\":[]}", "ctr"},
        {"{\"kid\":\"" KID "\",\"method\":\"rid\",\"ctr\":0,\"rids\":[]}", "ctr"},
        {"{\"kid\":\"" KID "\",\"method\":\"rid\",\"ctr\":9223372036854775807,\"rids\":[]}", "ctr"},
        {"{\"kid\":\"" KID "\",\"method\":\"rid\",\"ctr\":1,\"rids\":[7]}", "rids"},
        {"{\"kid\":\"" KID "\",\"method\":\"rid\",\"ctr\":1}", "rids"},
    };
    struct sy_card_crl crl = {.rids = NULL};
    struct sy_error err = {SY_OK, ""};
    char *text = NULL;
    bool added;
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        assert_int_equal(sy_card_crl_read(&crl, slice_of(lists[i].text), &err), SY_ERR_FORMAT);
        if (!strstr(err.text, lists[i].why)) fail_msg("%s: %s", lists[i].text, err.text);
        assert_null(crl.rids);
    }
    assert_int_equal(sy_card_crl_begin(&crl, "short", &err), SY_ERR_ARGUMENT);
    static const char other[] =
        "{\"kid\":\"" KID "\",\"method\":\"rid\",\"ctr\":41,\"rids\":[\"MKyCxh7p6uQ.900\"]}";
    assert_int_equal(sy_card_crl_read(&crl, slice_of(other), &err), SY_OK);
    assert_int_equal(sy_card_crl_add(&crl, &added, 5, &err), SY_OK);
    assert_int_equal(sy_card_crl_write(&text, &crl, &err), SY_OK);
    assert_non_null(strstr(text, "\"ctr\":42,\"rids\":[\"MKyCxh7p6uQ.900\",\"5\"]"));
    free(text);
    sy_card_crl_free(&crl);
}

CASE(a_key_set_says_how_often_its_list_was_written)
{
    char *text = NULL;
    struct sy_error err = {SY_OK, ""};
    static struct sy_card_keys keys, read;
    keys = own_keys;
    assert_int_equal(sy_card_keys_write(&text, &keys, &err), SY_OK);
    assert_null(strstr(text, "crlVersion"));
    free(text);
    keys.keys[0].crl_counter = 12;
    assert_int_equal(sy_card_keys_write(&text, &keys, &err), SY_OK);
    assert_non_null(strstr(text, "\"crlVersion\":12"));
    read_keys(&read, text);
    assert_int_equal(read.count, 1);
    free(text);
}

CASE(the_library_checks_cards)
{
    uint8_t hash[32];
    struct sy_hash wanted;
    char *payload = NULL;
    static const char other[] = "{\"kid\":\"x\",\"method\":\"rid\",\"ctr\":1,\"rids\":[]}";
    static const char list[] =
        "{\"kid\":\"3Kfdg-XwP-7gXyywtUfUADwBumDOPKMQx-iELL11W9s\",\"method\":\"rid\",\"ctr\":1,"
        "\"rids\":[\"MKyCxh7p6uQ\"]}";
    const int64_t now_ms = SPEC_TIME * 1000ll;
    assert_int_equal(systole_card_check(&payload, hash, spec_jws, spec_keys, NULL, now_ms),
                     SYSTOLE_OK);
    assert_non_null(strstr(payload, "\"iss\":\"https://spec.smarthealth.cards/examples/issuer\""));
    sy_sha256(&wanted, spec_jws, strlen(spec_jws));
    assert_memory_equal(hash, wanted.bytes, 32);
    systole_free(payload);
    payload = NULL;
    assert_int_equal(systole_card_check(&payload, hash, spec_jws, spec_keys, list, now_ms),
                     SYSTOLE_ERR_FORBIDDEN);
    assert_non_null(strstr(systole_error_text(), "revoked"));
    assert_int_equal(systole_card_check(&payload, hash, spec_jws, spec_keys, other, now_ms),
                     SYSTOLE_ERR_ARGUMENT);
    assert_int_equal(systole_card_check(&payload, hash, spec_jws, spec_keys, NULL, 1000),
                     SYSTOLE_ERR_FORBIDDEN);
    assert_int_equal(systole_card_check(&payload, hash, spec_jws, "{\"keys\":[]}", NULL, now_ms),
                     SYSTOLE_ERR_NOT_PROVEN);
    assert_int_equal(systole_card_check(&payload, hash, "no card", spec_keys, NULL, now_ms),
                     SYSTOLE_ERR_FORMAT);
    assert_null(payload);
}

CASE(drafts_that_make_no_card_are_refused)
{
    struct sy_error err = {SY_OK, ""};
    static const char *const issuers[] = {"",           "http://example.org", "https://",
                                          "https://a/", "https://a\"b",       "https://a b"};
    static const char *const bundles[] = {
        "",
        "[]",
        "{}",
        "{\"resourceType\":\"Patient\"}",
        "{\"resourceType\":\"Bundle\"} x",
        "{\"resourceType\":\"Bundle\",\"resourceType\":\"Bundle\"}"};
    static const char *const types[] = {"", "Covid", "a\"b", "a#b"};
    char *jws = NULL;
    for (size_t i = 0; i < 6; i++) {
        struct sy_card_draft draft = sound_draft();
        draft.issuer = issuers[i];
        assert_int_equal(sy_card_make(&jws, &draft, key, &err), SY_ERR_ARGUMENT);
        draft = sound_draft();
        draft.bundle = slice_of(bundles[i]);
        assert_int_equal(sy_card_make(&jws, &draft, key, &err), SY_ERR_ARGUMENT);
        draft = sound_draft();
        draft.types[1] = types[i % 4];
        assert_int_equal(sy_card_make(&jws, &draft, key, &err), SY_ERR_ARGUMENT);
    }
    struct sy_card_draft draft = sound_draft();
    draft.until_s = 1000;
    assert_int_equal(sy_card_make(&jws, &draft, key, &err), SY_ERR_ARGUMENT);
    assert_null(jws);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(base64url_has_one_text_a_value),
        cmocka_unit_test(es256_verifies_the_published_signature),
        cmocka_unit_test(what_is_unpacked_is_bounded),
        cmocka_unit_test(the_published_card_holds),
        cmocka_unit_test(a_card_is_the_same_in_all_three_forms),
        cmocka_unit_test(every_changed_character_is_refused),
        cmocka_unit_test(other_texts_are_no_cards),
        cmocka_unit_test(key_sets_are_read_with_care),
        cmocka_unit_test(a_card_that_is_made_is_read),
        cmocka_unit_test(a_revocation_list_names_cards),
        cmocka_unit_test(a_revocation_list_is_written_and_read_again),
        cmocka_unit_test(lists_that_cannot_be_written_again_are_refused),
        cmocka_unit_test(a_key_set_says_how_often_its_list_was_written),
        cmocka_unit_test(the_library_checks_cards),
        cmocka_unit_test(drafts_that_make_no_card_are_refused),
    };
    return cmocka_run_group_tests(cases, make_key, drop_key);
}
