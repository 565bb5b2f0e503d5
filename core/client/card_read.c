/* card_read.c: reading and checking SMART Health Cards; see card.h. */
#include <stdio.h>
#include <stdlib.h>

#include "core/base/base64url.h"
#include "core/client/card.h"
#include "core/client/deflate_zlib.h"
#include "core/crypto/hash.h"

#define HEADER_BYTES_MAX 1024u
#define TYPE_HEALTH_CARD "https://smarthealth.cards#health-card"

static sy_status malformed(struct sy_error *err, const char *what)
{
    return sy_fail(err, SY_ERR_FORMAT, "it is no SMART Health Card: %s", what);
}

// --- the three forms ---------------------------------------------------------------------------

static struct sy_slice trim(struct sy_slice text)
{
    while (text.size > 0 && strchr(" \t\r\n", text.data[0]) != NULL && text.data[0] != 0) {
        text = sy_slice_of(text.data + 1, text.size - 1);
    }
    while (text.size > 0 && text.data[text.size - 1] != 0 &&
           strchr(" \t\r\n", text.data[text.size - 1]) != NULL) {
        text.size--;
    }
    return text;
}

static sy_status take_numeric(struct sy_card *card, struct sy_slice digits, struct sy_error *err)
{
    if (digits.size % 2 != 0 || digits.size / 2 > SY_CARD_JWS_BYTES_MAX) {
        return malformed(err, memchr(digits.data, '/', digits.size) != NULL
                                  ? "one of several QR codes; such cards are not made any more"
                                  : "a wrong number of digits behind shc:/");
    }
    card->jws = malloc(digits.size / 2 + 1);
    if (card->jws == NULL) return sy_fail(err, SY_ERR_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < digits.size / 2; i++) {
        unsigned tens = digits.data[2 * i] - (unsigned)'0';
        unsigned ones = digits.data[2 * i + 1] - (unsigned)'0';
        if (tens > 9 || ones > 9) {
            return malformed(err, "something that is no digit behind shc:/");
        }
        card->jws[i] = (char)(10 * tens + ones + 45);
        card->jws[i + 1] = '\0';
    }
    return digits.size > 0 ? SY_OK : malformed(err, "nothing behind shc:/");
}

static sy_status take_text(struct sy_card *card, struct sy_slice text, struct sy_error *err)
{
    if (text.size > SY_CARD_JWS_BYTES_MAX) return malformed(err, "it is too long");
    card->jws = strndup((const char *)text.data, text.size);
    if (card->jws == NULL) return sy_fail(err, SY_ERR_NO_MEMORY, "out of memory");
    return strlen(card->jws) == text.size ? SY_OK : malformed(err, "a zero byte in it");
}

static sy_status take_file(struct sy_card *card, struct sy_slice text, struct sy_error *err)
{
    json_t *root = json_loadb((const char *)text.data, text.size, JSON_REJECT_DUPLICATES, NULL);
    const json_t *list = json_object_get(root, "verifiableCredential");
    const char *jws = json_string_value(json_array_get(list, 0));
    sy_status status = SY_OK;
    if (jws == NULL) {
        status = malformed(err, "a file without verifiableCredential");
    } else if (json_array_size(list) > 1) {
        status = malformed(err, "a file of several cards; give one at a time");
    } else {
        status = take_text(card, sy_slice_of(jws, strlen(jws)), err);
    }
    json_decref(root);
    return status;
}

static sy_status take_jws(struct sy_card *card, struct sy_slice text, struct sy_error *err)
{
    struct sy_slice trimmed = trim(text);
    if (trimmed.size == 0) return malformed(err, "it is empty");
    if (trimmed.size >= 5 && memcmp(trimmed.data, "shc:/", 5) == 0) {
        return take_numeric(card, sy_slice_of(trimmed.data + 5, trimmed.size - 5), err);
    }
    if (trimmed.data[0] == '{') return take_file(card, trimmed, err);
    return take_text(card, trimmed, err);
}

// --- header and payload ------------------------------------------------------------------------

static const char *text_of(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

static sy_status read_header(struct sy_card *card, struct sy_slice part, struct sy_error *err)
{
    uint8_t bytes[HEADER_BYTES_MAX];
    size_t size = 0;
    if (part.size > sizeof bytes || !sy_base64url_decode(bytes, &size, part)) {
        return malformed(err, "its header is no base64url");
    }
    json_t *header = json_loadb((const char *)bytes, size, JSON_REJECT_DUPLICATES, NULL);
    const char *alg = text_of(header, "alg"), *zip = text_of(header, "zip");
    const char *kid = text_of(header, "kid");
    bool fine = alg != NULL && strcmp(alg, "ES256") == 0 && zip != NULL &&
                strcmp(zip, "DEF") == 0 && kid != NULL && strlen(kid) == SY_CARD_KID_CHARS;
    uint8_t thumbprint[SY_BASE64URL_BYTES(SY_CARD_KID_CHARS) + 1]; // so it has no other characters
    fine = fine && sy_base64url_decode(thumbprint, &size, sy_slice_of(kid, SY_CARD_KID_CHARS));
    if (fine) memcpy(card->kid, kid, SY_CARD_KID_CHARS + 1);
    json_decref(header);
    return fine ? SY_OK : malformed(err, "its header says another alg, zip or kid");
}

static sy_status unpack(struct sy_card *card, struct sy_slice part, struct sy_error *err)
{
    size_t size = 0;
    uint8_t *packed = malloc(SY_BASE64URL_BYTES(part.size) + 1);
    if (packed == NULL) return sy_fail(err, SY_ERR_NO_MEMORY, "out of memory");
    sy_status status =
        sy_base64url_decode(packed, &size, part)
            ? sy_inflate_raw(&card->payload, &card->payload_size, sy_slice_of(packed, size),
                             SY_CARD_PAYLOAD_BYTES_MAX, err)
            : malformed(err, "its payload is no base64url");
    free(packed);
    return status;
}

// Seconds since 1970, to the end of the year 9999; what is no number at all is not either.
static bool is_time(double seconds)
{
    return seconds >= 0 && seconds <= 253402300799.0;
}

// The members that every card has, and those that it may have.
static sy_status read_payload(struct sy_card *card, struct sy_error *err)
{
    card->json =
        json_loadb((const char *)card->payload, card->payload_size, JSON_REJECT_DUPLICATES, NULL);
    const json_t *vc = json_object_get(card->json, "vc");
    const json_t *subject = json_object_get(vc, "credentialSubject");
    const json_t *types = json_object_get(vc, "type");
    const json_t *from = json_object_get(card->json, "nbf");
    const json_t *until = json_object_get(card->json, "exp");
    const json_t *rid = json_object_get(vc, "rid");
    card->issuer = text_of(card->json, "iss");
    card->bundle = json_object_get(subject, "fhirBundle");
    if (card->issuer == NULL || !json_is_number(from)) return malformed(err, "no iss or nbf");
    if (text_of(subject, "fhirVersion") == NULL || !json_is_object(card->bundle)) {
        return malformed(err, "no fhirVersion or fhirBundle");
    }
    card->from_s = json_number_value(from);
    card->has_until = until != NULL;
    card->until_s = json_number_value(until);
    if (!is_time(card->from_s) || !is_time(card->until_s)) {
        return malformed(err, "a time out of bounds");
    }
    card->has_rid = rid != NULL;
    card->rid = json_string_value(rid);
    if ((until != NULL && !json_is_number(until)) ||
        (rid != NULL && (card->rid == NULL || strlen(card->rid) > SY_CARD_RID_CHARS_MAX))) {
        return malformed(err, "an exp or rid of another form");
    }
    bool is_card = false;
    for (size_t i = 0; i < json_array_size(types); i++) {
        const char *type = json_string_value(json_array_get(types, i));
        if (type == NULL || i >= SY_CARD_TYPES_MAX) return malformed(err, "its types");
        card->types[card->type_count++] = type;
        is_card = is_card || strcmp(type, TYPE_HEALTH_CARD) == 0;
    }
    return is_card ? SY_OK : malformed(err, "its types do not say that it is one");
}

// The three parts of a jws, borrowed.
struct parts {
    struct sy_slice header, payload, signature, signed_text;
};

static bool split(struct parts *parts, const char *jws)
{
    const char *first = strchr(jws, '.');
    const char *second = first != NULL ? strchr(first + 1, '.') : NULL;
    if (second == NULL || strchr(second + 1, '.') != NULL) return false;
    parts->header = sy_slice_of(jws, (size_t)(first - jws));
    parts->payload = sy_slice_of(first + 1, (size_t)(second - first - 1));
    parts->signature = sy_slice_of(second + 1, strlen(second + 1));
    parts->signed_text = sy_slice_of(jws, (size_t)(second - jws));
    return true;
}

sy_status sy_card_read(struct sy_card *card, struct sy_slice text, struct sy_error *err)
{
    struct parts parts;
    SY_TRY(take_jws(card, text, err));
    sy_sha256(&card->jws_hash, card->jws, strlen(card->jws));
    if (!split(&parts, card->jws)) return malformed(err, "it has not three parts between dots");
    SY_TRY(read_header(card, parts.header, err));
    SY_TRY(unpack(card, parts.payload, err));
    return read_payload(card, err);
}

void sy_card_free(struct sy_card *card)
{
    json_decref(card->json);
    if (card->payload != NULL) sy_wipe(card->payload, card->payload_size);
    free(card->payload);
    free(card->jws);
    *card = (struct sy_card){.jws = NULL};
}

// --- checking ----------------------------------------------------------------------------------

static sy_status check_signature(const struct sy_card *card, const struct sy_card_keys *keys,
                                 struct sy_error *err)
{
    struct parts parts;
    uint8_t signature[SY_ES256_SIGNATURE_BYTES + 2];
    size_t size = 0;
    if (!split(&parts, card->jws)) return malformed(err, "it has not three parts between dots");
    if (parts.signature.size != SY_BASE64URL_CHARS((size_t)SY_ES256_SIGNATURE_BYTES) ||
        !sy_base64url_decode(signature, &size, parts.signature)) {
        return sy_fail(err, SY_ERR_CRYPTO, "its signature is of another form");
    }
    for (unsigned i = 0; i < keys->count; i++) {
        if (strcmp(keys->keys[i].kid, card->kid) != 0) continue;
        if (sy_es256_verify(&keys->keys[i].key, signature, parts.signed_text)) return SY_OK;
        return sy_fail(err, SY_ERR_CRYPTO, "its signature is wrong: it was changed, or forged");
    }
    return sy_fail(err, SY_ERR_CRYPTO, "none of the issuer's keys given is the one it names, %s",
                   card->kid);
}

sy_status sy_card_check(const struct sy_card *card, const struct sy_card_keys *keys, int64_t now_s,
                        struct sy_error *err)
{
    SY_TRY(check_signature(card, keys, err));
    if (card->from_s > (double)now_s) {
        return sy_fail(err, SY_ERR_PERMISSION, "it is not valid yet");
    }
    if (card->has_until && card->until_s < (double)now_s) {
        return sy_fail(err, SY_ERR_PERMISSION, "it is not valid any more");
    }
    return SY_OK;
}

/* An entry is a rid, or "rid.T": then only cards from before T (seconds) are meant. */
static bool names_card(const char *entry, const struct sy_card *card)
{
    size_t size = strlen(card->rid);
    if (strncmp(entry, card->rid, size) != 0) return false;
    if (entry[size] == '\0') return true;
    return entry[size] == '.' && card->from_s < strtod(entry + size + 1, NULL);
}

sy_status sy_card_revoked(const struct sy_card *card, struct sy_slice list, struct sy_error *err)
{
    json_t *root = json_loadb((const char *)list.data, list.size, JSON_REJECT_DUPLICATES, NULL);
    const json_t *rids = json_object_get(root, "rids");
    const char *kid = text_of(root, "kid"), *method = text_of(root, "method");
    sy_status status = SY_OK;
    if (!json_is_array(rids) || kid == NULL || method == NULL || strcmp(method, "rid") != 0) {
        status = sy_fail(err, SY_ERR_FORMAT, "it is no revocation list");
    } else if (strcmp(kid, card->kid) != 0) {
        status = sy_fail(err, SY_ERR_ARGUMENT, "the revocation list is of another key");
    }
    for (size_t i = 0; status == SY_OK && card->rid != NULL && i < json_array_size(rids); i++) {
        const char *entry = json_string_value(json_array_get(rids, i));
        if (entry != NULL && names_card(entry, card)) {
            status = sy_fail(err, SY_ERR_PERMISSION, "its issuer revoked it");
        }
    }
    json_decref(root);
    return status;
}
