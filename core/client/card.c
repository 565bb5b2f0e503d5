/* card.c: making SMART Health Cards, and issuers' keys; see card.h. */
#include "core/client/card.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/assert.h"
#include "core/base/base64url.h"
#include "core/base/json.h"
#include "core/client/deflate_zlib.h"
#include "core/crypto/hash.h"

#define TYPE_PREFIX "https://smarthealth.cards#"
#define COORDINATE_CHARS 43

static sy_status no_memory(struct sy_error *err)
{
    return sy_fail(err, SY_ERR_NO_MEMORY, "out of memory");
}

// --- keys --------------------------------------------------------------------------------------

static void coordinate_text(char out[COORDINATE_CHARS + 1], const uint8_t bytes[32])
{
    size_t size = sy_base64url_encode(out, sy_slice_of(bytes, 32));
    SY_ASSERT(size == COORDINATE_CHARS);
    out[size] = '\0';
}

void sy_card_thumbprint(char kid[SY_CARD_KID_CHARS + 1], struct sy_hash *bytes,
                        const struct sy_p256_public *key)
{
    char x[COORDINATE_CHARS + 1], y[COORDINATE_CHARS + 1], text[160];
    struct sy_hash hash;
    coordinate_text(x, key->x);
    coordinate_text(y, key->y);
    int size = snprintf(text, sizeof text,
                        "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"%s\",\"y\":\"%s\"}", x, y);
    SY_ASSERT(size > 0 && (size_t)size < sizeof text);
    sy_sha256(&hash, text, (size_t)size);
    kid[sy_base64url_encode(kid, sy_slice_of(hash.bytes, sizeof hash.bytes))] = '\0';
    if (bytes != NULL) *bytes = hash;
}

static void put_key(sy_json *json, const struct sy_card_key *key)
{
    char x[COORDINATE_CHARS + 1], y[COORDINATE_CHARS + 1];
    coordinate_text(x, key->key.x);
    coordinate_text(y, key->key.y);
    sy_json_object_begin(json);
    sy_json_put_text(json, "kty", "EC");
    sy_json_put_text(json, "kid", key->kid);
    sy_json_put_text(json, "use", "sig");
    sy_json_put_text(json, "alg", "ES256");
    sy_json_put_text(json, "crv", "P-256");
    sy_json_put_text(json, "x", x);
    sy_json_put_text(json, "y", y);
    if (key->crl_counter != 0) sy_json_put_u64(json, "crlVersion", key->crl_counter);
    sy_json_object_end(json);
}

// Copies a finished writer's text and frees the writer.
static sy_status take_text(char **text, sy_json *json, struct sy_error *err)
{
    const char *finished = sy_json_finish(json);
    *text = finished != NULL ? strdup(finished) : NULL;
    if (json->data != NULL) sy_wipe(json->data, json->size);
    sy_json_free(json);
    return *text != NULL ? SY_OK : no_memory(err);
}

sy_status sy_card_keys_write(char **text, const struct sy_card_keys *keys, struct sy_error *err)
{
    sy_json json;
    sy_json_init_growing(&json, 1u << 20);
    sy_json_object_begin(&json);
    sy_json_key(&json, "keys");
    sy_json_array_begin(&json);
    for (unsigned i = 0; i < keys->count; i++) put_key(&json, &keys->keys[i]);
    sy_json_array_end(&json);
    sy_json_object_end(&json);
    return take_text(text, &json, err);
}

static bool has_text(const json_t *object, const char *name, const char *value)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text != NULL && strcmp(text, value) == 0;
}

static bool read_coordinate(uint8_t out[32], const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    size_t size = 0;
    return text != NULL && strlen(text) == COORDINATE_CHARS &&
           sy_base64url_decode(out, &size, sy_slice_of(text, COORDINATE_CHARS)) && size == 32;
}

static sy_status read_key(struct sy_card_keys *keys, const json_t *object, struct sy_error *err)
{
    struct sy_card_key key = {.crl_counter = 0};
    if (!has_text(object, "kty", "EC") || !has_text(object, "crv", "P-256")) return SY_OK;
    if (keys->count == SY_CARD_KEYS_MAX) {
        return sy_fail(err, SY_ERR_LIMIT, "more than %u keys", SY_CARD_KEYS_MAX);
    }
    if (!read_coordinate(key.key.x, object, "x") || !read_coordinate(key.key.y, object, "y")) {
        return sy_fail(err, SY_ERR_FORMAT, "key %u has no x and y of a P-256 key", keys->count + 1);
    }
    sy_card_thumbprint(key.kid, NULL, &key.key);
    if (!has_text(object, "kid", key.kid)) {
        return sy_fail(err, SY_ERR_FORMAT, "the kid of key %u is not its thumbprint, %s",
                       keys->count + 1, key.kid);
    }
    keys->keys[keys->count++] = key;
    return SY_OK;
}

sy_status sy_card_keys_read(struct sy_card_keys *keys, struct sy_slice text, struct sy_error *err)
{
    json_t *root = json_loadb((const char *)text.data, text.size, JSON_REJECT_DUPLICATES, NULL);
    const json_t *list = json_object_get(root, "keys");
    sy_status status = SY_OK;
    keys->count = 0;
    if (!json_is_array(list)) status = sy_fail(err, SY_ERR_FORMAT, "it is no key set (jwks.json)");
    for (size_t i = 0; status == SY_OK && i < json_array_size(list); i++) {
        status = read_key(keys, json_array_get(list, i), err);
    }
    json_decref(root);
    return status;
}

// --- making ------------------------------------------------------------------------------------

static bool is_url(const char *text)
{
    size_t size = strlen(text);
    if (strncmp(text, "https://", 8) != 0 || size < 9 || size > 256 || text[size - 1] == '/') {
        return false;
    }
    for (size_t i = 8; i < size; i++) {
        if (isalnum((unsigned char)text[i]) == 0 && strchr("-._~/:", text[i]) == NULL) return false;
    }
    return true;
}

static bool is_type(const char *text)
{
    size_t size = strlen(text);
    for (size_t i = 0; i < size; i++) {
        bool fine = (text[i] >= 'a' && text[i] <= 'z') || (text[i] >= '0' && text[i] <= '9');
        if (!fine && text[i] != '-') return false;
    }
    return size > 0 && size <= 40;
}

/* The same JSON without white space between its tokens: numbers keep their digits. */
static size_t minify(char *out, struct sy_slice json)
{
    size_t used = 0;
    bool in_text = false, escaped = false;
    for (size_t i = 0; i < json.size; i++) {
        char c = (char)json.data[i];
        if (!in_text && strchr(" \t\r\n", c) != NULL && c != '\0') continue;
        out[used++] = c;
        if (c == '"' && !escaped) in_text = !in_text;
        escaped = in_text && c == '\\' && !escaped;
    }
    return used;
}

static sy_status check_draft(const struct sy_card_draft *draft, struct sy_error *err)
{
    if (!is_url(draft->issuer)) {
        return sy_fail(err, SY_ERR_ARGUMENT,
                       "an issuer is an https URL without a slash at its end, not '%.80s'",
                       draft->issuer);
    }
    if (draft->from_s < 0 || (draft->until_s != 0 && draft->until_s <= draft->from_s)) {
        return sy_fail(err, SY_ERR_ARGUMENT, "the card's time ends before it begins");
    }
    SY_ASSERT(draft->type_count <= SY_CARD_TYPES_MAX);
    for (unsigned i = 0; i < draft->type_count; i++) {
        if (is_type(draft->types[i])) continue;
        return sy_fail(err, SY_ERR_ARGUMENT, "'%.60s' is no type of card", draft->types[i]);
    }
    if (draft->bundle.size > SY_CARD_PAYLOAD_BYTES_MAX / 2) {
        return sy_fail(err, SY_ERR_LIMIT, "the bundle is too large for a card");
    }
    json_t *bundle = json_loadb((const char *)draft->bundle.data, draft->bundle.size,
                                JSON_REJECT_DUPLICATES, NULL);
    bool fine = has_text(bundle, "resourceType", "Bundle");
    json_decref(bundle);
    if (!fine) return sy_fail(err, SY_ERR_ARGUMENT, "what goes into a card is a FHIR Bundle");
    return SY_OK;
}

static void put_credential(sy_json *json, const struct sy_card_draft *draft, const char *bundle,
                           size_t size)
{
    char text[96];
    sy_json_key(json, "vc");
    sy_json_object_begin(json);
    sy_json_key(json, "type");
    sy_json_array_begin(json);
    sy_json_text(json, TYPE_PREFIX "health-card");
    for (unsigned i = 0; i < draft->type_count; i++) {
        (void)snprintf(text, sizeof text, TYPE_PREFIX "%s", draft->types[i]);
        sy_json_text(json, text);
    }
    sy_json_array_end(json);
    sy_json_key(json, "credentialSubject");
    sy_json_object_begin(json);
    sy_json_put_text(json, "fhirVersion", "4.0.1");
    sy_json_key(json, "fhirBundle");
    sy_json_raw(json, bundle, size);
    sy_json_object_end(json);
    if (draft->has_rid) {
        (void)snprintf(text, sizeof text, "%llu", (unsigned long long)draft->rid);
        sy_json_put_text(json, "rid", text);
    }
    sy_json_object_end(json);
}

static sy_status write_payload(char **text, const struct sy_card_draft *draft, struct sy_error *err)
{
    sy_json json;
    char *bundle = malloc(draft->bundle.size);
    if (bundle == NULL) return no_memory(err);
    size_t size = minify(bundle, draft->bundle);
    sy_json_init_growing(&json, SY_CARD_PAYLOAD_BYTES_MAX);
    sy_json_object_begin(&json);
    sy_json_put_text(&json, "iss", draft->issuer);
    sy_json_put_i64(&json, "nbf", draft->from_s);
    if (draft->until_s != 0) sy_json_put_i64(&json, "exp", draft->until_s);
    put_credential(&json, draft, bundle, size);
    sy_json_object_end(&json);
    sy_wipe(bundle, draft->bundle.size);
    free(bundle);
    return take_text(text, &json, err);
}

// Signs header "." payload.
static sy_status sign(char **jws, struct sy_slice packed, const sy_p256_key *key,
                      struct sy_error *err)
{
    char kid[SY_CARD_KID_CHARS + 1], header[128];
    uint8_t signature[SY_ES256_SIGNATURE_BYTES];
    struct sy_p256_public half;
    sy_p256_key_public(key, &half);
    sy_card_thumbprint(kid, NULL, &half);
    int size =
        snprintf(header, sizeof header, "{\"zip\":\"DEF\",\"alg\":\"ES256\",\"kid\":\"%s\"}", kid);
    SY_ASSERT(size > 0 && (size_t)size < sizeof header);
    size_t room = SY_BASE64URL_CHARS((size_t)size) + SY_BASE64URL_CHARS(packed.size) +
                  SY_BASE64URL_CHARS(sizeof signature) + 3;
    if (room > SY_CARD_JWS_BYTES_MAX) {
        return sy_fail(err, SY_ERR_LIMIT, "the bundle is too large for a card");
    }
    char *text = malloc(room);
    if (text == NULL) return no_memory(err);
    size_t used = sy_base64url_encode(text, sy_slice_of(header, (size_t)size));
    text[used++] = '.';
    used += sy_base64url_encode(text + used, packed);
    sy_es256_sign(key, signature, sy_slice_of(text, used));
    text[used++] = '.';
    used += sy_base64url_encode(text + used, sy_slice_of(signature, sizeof signature));
    text[used++] = '\0';
    SY_ASSERT(used == room);
    *jws = text;
    return SY_OK;
}

sy_status sy_card_make(char **jws, const struct sy_card_draft *draft, const sy_p256_key *key,
                       struct sy_error *err)
{
    char *payload = NULL;
    uint8_t *packed = NULL;
    size_t size = 0;
    *jws = NULL;
    SY_TRY(check_draft(draft, err));
    SY_TRY(write_payload(&payload, draft, err));
    SY_ASSERT(payload != NULL);
    sy_status status = sy_deflate_raw(&packed, &size, sy_slice_of(payload, strlen(payload)), err);
    if (status == SY_OK) status = sign(jws, sy_slice_of(packed, size), key, err);
    sy_wipe(payload, strlen(payload));
    free(payload);
    if (packed != NULL) sy_wipe(packed, size);
    free(packed);
    return status;
}

sy_status sy_card_numeric(char **text, const char *jws, struct sy_error *err)
{
    size_t size = strlen(jws);
    char *out = malloc(5 + 2 * size + 1);
    *text = out;
    if (out == NULL) return no_memory(err);
    memcpy(out, "shc:/", 5);
    for (size_t i = 0; i < size; i++) {
        unsigned value = (unsigned)(unsigned char)jws[i] - 45u;
        SY_ASSERT(value < 100); // of the alphabet, or a dot
        out[5 + 2 * i] = (char)('0' + value / 10);
        out[5 + 2 * i + 1] = (char)('0' + value % 10);
    }
    out[5 + 2 * size] = '\0';
    return SY_OK;
}
