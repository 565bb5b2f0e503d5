/* roster.c: the validators of an epoch: bytes and rules. */
#include "core/wire/roster.h"

#include "core/base/address.h"
#include "core/crypto/hash.h"

#define VALIDATOR_BYTES_MIN ((2 + 1) + 4 * 32 + 3 * (2 + 3))

int sy_roster_find(const struct sy_roster *roster, const struct sy_public_key *consensus_key)
{
    for (int i = 0; i < roster->count; i++) {
        if (sy_public_key_equal(&roster->validators[i].consensus_key, consensus_key)) return i;
    }
    return -1;
}

static bool is_printable_ascii(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (text[i] < ' ' || text[i] > '~') return false;
    }
    return true;
}

static bool is_name(const char *name)
{
    size_t size = strnlen(name, SY_NAME_BYTES_MAX + 1);
    return size >= 1 && size <= SY_NAME_BYTES_MAX && is_printable_ascii(name, size) &&
           name[0] != ' ' && name[size - 1] != ' ';
}

// What links can dial, so that no roster can be agreed on that stops everybody when it takes
// effect.
static bool is_address(const char *text)
{
    struct sy_address address;
    if (strnlen(text, SY_ADDRESS_BYTES_MAX + 1) > SY_ADDRESS_BYTES_MAX) return false;
    return sy_address_parse(&address, text, NULL) == SY_OK && strcmp(address.host, "*") != 0;
}

// The k-th of a roster's keys: three a validator.
static const struct sy_public_key *key_at(const struct sy_roster *roster, size_t k)
{
    const struct sy_validator *validator = &roster->validators[k / 3];
    switch (k % 3) {
    case 0: return &validator->consensus_key;
    case 1: return &validator->link_key;
    default: return &validator->admin_key;
    }
}

bool sy_roster_holds(const struct sy_roster *roster, const struct sy_public_key *key)
{
    for (size_t k = 0; k < 3u * roster->count; k++) {
        if (sy_public_key_equal(key_at(roster, k), key)) return true;
    }
    return false;
}

static const char *bad_address(const struct sy_validator *validator)
{
    return !is_address(validator->control_address)  ? "control_address"
           : !is_address(validator->bulk_address)   ? "bulk_address"
           : !is_address(validator->client_address) ? "client_address"
                                                    : NULL;
}

static sy_status check_validator(const struct sy_roster *roster, unsigned i, struct sy_error *err)
{
    const struct sy_validator *validator = &roster->validators[i];
    if (!is_name(validator->name)) {
        return sy_fail(err, SY_ERR_ARGUMENT,
                       "roster: name of validator %u: give it 1 to %u printable ASCII characters",
                       i, SY_NAME_BYTES_MAX);
    }
    for (unsigned k = 0; k < i; k++) {
        if (strcmp(roster->validators[k].name, validator->name) == 0) {
            return sy_fail(err, SY_ERR_ARGUMENT,
                           "roster: validators %u and %u are both named \"%s\": rename one", k, i,
                           validator->name);
        }
    }
    const char *bad = bad_address(validator);
    if (!bad) return SY_OK;
    return sy_fail(
        err, SY_ERR_ARGUMENT,
        "roster: %s of validator %u (%s): write it as tcp://HOST:PORT, where the others find "
        "it, at most %u characters",
        bad, i, validator->name, SY_ADDRESS_BYTES_MAX);
}

sy_status sy_roster_check(const struct sy_roster *roster, struct sy_error *err)
{
    if (roster->count < SY_VALIDATORS_MIN || roster->count > SY_VALIDATORS_MAX) {
        return sy_fail(err, SY_ERR_ARGUMENT, "roster: %u validators: name %u to %u",
                       (unsigned)roster->count, SY_VALIDATORS_MIN, SY_VALIDATORS_MAX);
    }
    for (unsigned i = 0; i < roster->count; i++) SY_TRY(check_validator(roster, i, err));

    for (size_t i = 0; i < 3u * roster->count; i++) {
        for (size_t k = 0; k < i; k++) {
            if (!sy_public_key_equal(key_at(roster, i), key_at(roster, k))) continue;
            return sy_fail(err, SY_ERR_ARGUMENT,
                           "roster: a key stands twice, at validators %zu and %zu: every key has "
                           "one role; generate another",
                           k / 3, i / 3);
        }
    }
    return SY_OK;
}

const char *sy_roster_wrong(const struct sy_roster *roster)
{
    for (unsigned i = 0; i < roster->count; i++) {
        const char *bad = bad_address(&roster->validators[i]);
        if (bad) return bad;
    }
    return "name";
}

static void write_text(struct sy_writer *w, const char *text, size_t max)
{
    sy_write_bytes16(w, sy_slice_of(text, strnlen(text, max)));
}

void sy_roster_encode(struct sy_writer *w, const struct sy_roster *roster)
{
    if (roster->count > SY_VALIDATORS_MAX) w->failed = true;
    sy_write_u32(w, roster->epoch);
    sy_write_u16(w, roster->count);
    for (unsigned i = 0; i < roster->count && !w->failed; i++) {
        const struct sy_validator *validator = &roster->validators[i];
        write_text(w, validator->name, SY_NAME_BYTES_MAX);
        sy_write_hash(w, &validator->organisation);
        sy_write_public_key(w, &validator->consensus_key);
        sy_write_public_key(w, &validator->link_key);
        sy_write_public_key(w, &validator->admin_key);
        write_text(w, validator->control_address, SY_ADDRESS_BYTES_MAX);
        write_text(w, validator->bulk_address, SY_ADDRESS_BYTES_MAX);
        write_text(w, validator->client_address, SY_ADDRESS_BYTES_MAX);
    }
}

// A text of at most max bytes into a terminated array; a zero byte inside would be a second form.
static void read_text(struct sy_reader *r, char *out, size_t max, const char *what)
{
    struct sy_slice text = sy_read_bytes16(r, max, what);
    if (text.size > 0 && memchr(text.data, 0, text.size)) sy_reader_fail(r, what);
    if (text.size > 0) memcpy(out, text.data, text.size);
    out[text.size] = 0;
}

bool sy_roster_decode(struct sy_reader *r, struct sy_roster *roster)
{
    memset(roster, 0, sizeof *roster);
    roster->epoch = sy_read_u32(r, "roster.epoch");
    roster->count = sy_read_count16(r, SY_VALIDATORS_MAX, VALIDATOR_BYTES_MIN, "roster.count");
    for (unsigned i = 0; i < roster->count && !r->failed; i++) {
        struct sy_validator *validator = &roster->validators[i];
        read_text(r, validator->name, SY_NAME_BYTES_MAX, "roster.name");
        sy_read_hash(r, &validator->organisation, "roster.organisation");
        sy_read_public_key(r, &validator->consensus_key, "roster.consensus_key");
        sy_read_public_key(r, &validator->link_key, "roster.link_key");
        sy_read_public_key(r, &validator->admin_key, "roster.admin_key");
        read_text(r, validator->control_address, SY_ADDRESS_BYTES_MAX, "roster.control_address");
        read_text(r, validator->bulk_address, SY_ADDRESS_BYTES_MAX, "roster.bulk_address");
        read_text(r, validator->client_address, SY_ADDRESS_BYTES_MAX, "roster.client_address");
    }
    if (!r->failed && sy_roster_check(roster, NULL) != SY_OK) sy_reader_fail(r, "roster");
    return !r->failed;
}

void sy_roster_hash(struct sy_hash *out, const struct sy_hash *genesis,
                    const struct sy_roster *roster)
{
    uint8_t bytes[SY_ROSTER_BYTES_MAX];
    struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
    sy_roster_encode(&w, roster);
    sy_hash_digest(out, SY_DIGEST_ROSTER, genesis, sy_writer_slice(&w));
}
