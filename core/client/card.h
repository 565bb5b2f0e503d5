/* card.h: SMART Health Cards (https://spec.smarthealth.cards, 1.4): a FHIR Bundle, signed by an
 * issuer, small enough for a QR code.
 *
 *     jws      BASE64URL(header) "." BASE64URL(raw DEFLATE of the payload) "." BASE64URL(r || s)
 *     header   {"zip":"DEF","alg":"ES256","kid":thumbprint of the issuer's key}
 *     payload  {"iss":URL,"nbf":s,"exp":s?,"vc":{"type":[...],"credentialSubject":{"fhirVersion":
 *              "4.0.1","fhirBundle":{...}},"rid":...?}}, minified
 *     numeric  "shc:/" and two digits a character: its code less 45, what a QR code holds
 *     file     .smart-health-card: {"verifiableCredential":[jws]}
 *
 * A key's thumbprint (RFC 7638) is BASE64URL(SHA-256({"crv":"P-256","kty":"EC","x":...,"y":...})).
 * Everything a card says is a stranger's: sizes are bounded before anything is unpacked. The ledger
 * holds of a card at most SHA-256 of its jws (cert.issue), which the signature in it makes
 * impossible to guess. One thread at a time. */
#ifndef SY_CLIENT_CARD_H
#define SY_CLIENT_CARD_H

#include <jansson.h>
#include <stdbool.h>

#include "core/base/bytes.h"
#include "core/base/status.h"
#include "core/crypto/es256.h"

#define SY_CARD_JWS_BYTES_MAX (128u << 10)
#define SY_CARD_PAYLOAD_BYTES_MAX (1u << 20)
#define SY_CARD_TYPES_MAX 8u
#define SY_CARD_KEYS_MAX 64u
#define SY_CARD_QR_CHARS_MAX 1195u /* of a jws that fits one QR code */
#define SY_CARD_KID_CHARS 43u
#define SY_CARD_RID_CHARS_MAX 24u

// --- issuers' keys -----------------------------------------------------------------------------

struct sy_card_key {
    char kid[SY_CARD_KID_CHARS + 1];
    struct sy_p256_public key;
    uint64_t crl_counter; /* of the key's revocation list; 0: it has none. Written, not read */
};
struct sy_card_keys {
    unsigned count;
    struct sy_card_key keys[SY_CARD_KEYS_MAX];
};

/* sy_card_thumbprint writes a key's kid, and its 32 bytes (unless NULL). */
void sy_card_thumbprint(char kid[SY_CARD_KID_CHARS + 1], struct sy_hash *bytes,
                        const struct sy_p256_public *key);

/* sy_card_keys_write gives a key set as /.well-known/jwks.json has it; free() it. */
sy_status sy_card_keys_write(char **text, const struct sy_card_keys *keys, struct sy_error *err);

/* sy_card_keys_read reads one. Keys of other kinds are passed over; one whose kid is not its
 * thumbprint is an error. */
sy_status sy_card_keys_read(struct sy_card_keys *keys, struct sy_slice text, struct sy_error *err);

// --- making ------------------------------------------------------------------------------------

struct sy_card_draft {
    const char
        *issuer;    /* https URL without a slash at the end: keys at issuer/.well-known/jwks.json */
    int64_t from_s; /* seconds since 1970 */
    int64_t until_s; /* 0: no end */
    unsigned type_count;
    const char
        *types[SY_CARD_TYPES_MAX]; /* "immunization", "laboratory" ...; health-card is implied */
    bool has_rid;
    uint64_t rid;           /* place in the issuer's revocation list */
    struct sy_slice bundle; /* JSON of a FHIR Bundle, borrowed */
};

/* sy_card_make signs a card; *jws is fresh memory with a terminator. Numbers of the bundle keep
 * their digits as they stand. SY_ERR_ARGUMENT: the draft makes no card; SY_ERR_LIMIT. */
sy_status sy_card_make(char **jws, const struct sy_card_draft *draft, const sy_p256_key *key,
                       struct sy_error *err);

/* sy_card_numeric gives "shc:/..." of a jws; fresh memory. */
sy_status sy_card_numeric(char **text, const char *jws, struct sy_error *err);

// --- checking ----------------------------------------------------------------------------------

/* A card that was read. Zero it first; sy_card_free wipes and frees. */
struct sy_card {
    char *jws;
    struct sy_hash jws_hash; /* SHA-256 of it */
    char kid[SY_CARD_KID_CHARS + 1];
    uint8_t *payload; /* JSON, with a terminator */
    size_t payload_size;
    json_t *json; /* of the payload */
    const char *issuer;
    double from_s;
    bool has_until, has_rid;
    double until_s;
    const char *rid;
    unsigned type_count;
    const char *types[SY_CARD_TYPES_MAX];
    const json_t *bundle;
};

/* sy_card_read takes a card out of text of any of the three forms and reads it; nothing is
 * verified. SY_ERR_FORMAT, SY_ERR_LIMIT. */
sy_status sy_card_read(struct sy_card *card, struct sy_slice text, struct sy_error *err);

/* sy_card_check verifies a card that was read: signed by that one of keys that it names, valid at
 * now_s. SY_ERR_CRYPTO: not signed so; SY_ERR_PERMISSION: not valid yet, or no more. */
sy_status sy_card_check(const struct sy_card *card, const struct sy_card_keys *keys, int64_t now_s,
                        struct sy_error *err);

/* sy_card_revoked looks a card up in a revocation list ({"kid","method":"rid","ctr","rids"}) of its
 * key. SY_ERR_PERMISSION: it is revoked; SY_ERR_FORMAT: no such list; SY_ERR_ARGUMENT: another
 * key's. */
sy_status sy_card_revoked(const struct sy_card *card, struct sy_slice list, struct sy_error *err);

void sy_card_free(struct sy_card *card);

// --- revocation lists --------------------------------------------------------------------------

#define SY_CARD_CRL_BYTES_MAX (4u << 20)

/* A list of one key's cards that their issuer takes back, as it stands at
 * ISSUER/.well-known/crl/KID.json: {"kid","method":"rid","ctr","rids"}. Zero it first;
 * sy_card_crl_free frees. */
struct sy_card_crl {
    char kid[SY_CARD_KID_CHARS + 1];
    uint64_t counter; /* of the list as it was written last, from 1; 0: never */
    json_t *rids;     /* texts */
};
void sy_card_crl_free(struct sy_card_crl *crl);

/* sy_card_crl_read reads one that is to be written again, whose entries stay as they are.
 * sy_card_crl_begin makes an empty one. SY_ERR_FORMAT, SY_ERR_ARGUMENT. */
sy_status sy_card_crl_read(struct sy_card_crl *crl, struct sy_slice text, struct sy_error *err);
sy_status sy_card_crl_begin(struct sy_card_crl *crl, const char *kid, struct sy_error *err);

/* sy_card_crl_add adds a card's place (cert.issue's revocation_index); *added: it was not there. */
sy_status sy_card_crl_add(struct sy_card_crl *crl, bool *added, uint64_t index,
                          struct sy_error *err);

/* sy_card_crl_write counts on and gives the list's text; free() it. SY_ERR_LIMIT. */
sy_status sy_card_crl_write(char **text, struct sy_card_crl *crl, struct sy_error *err);

#endif
