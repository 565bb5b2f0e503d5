/* genesis.c: the first state of a network: bytes, bounds and hash. */
#include "core/wire/genesis.h"

#include "core/crypto/hash.h"
#include "core/crypto/keys.h"

#define DAY_MS (24ll * 3600 * 1000)
#define CREDENTIAL_MS_MAX SY_CREDENTIAL_MS_MAX

void sy_genesis_encode(struct sy_writer *w, const struct sy_genesis *genesis)
{
    if (genesis->regulator_count > SY_REGULATORS_MAX) w->failed = true;
    sy_write_u32(w, genesis->format);
    sy_write_i64(w, genesis->created_ms);
    sy_write_u32(w, genesis->protocol);
    sy_write_u32(w, genesis->params.regulators_needed);
    sy_write_i64(w, genesis->params.credential_ms_max);
    sy_write_u64(w, genesis->params.record_bytes_max);
    sy_roster_encode(w, &genesis->roster);
    sy_write_u16(w, genesis->regulator_count);
    for (unsigned i = 0; i < genesis->regulator_count && !w->failed; i++) {
        sy_write_public_key(w, &genesis->regulators[i]);
    }
}

bool sy_genesis_decode(struct sy_reader *r, struct sy_genesis *genesis)
{
    memset(genesis, 0, sizeof *genesis);
    genesis->format = sy_read_u32(r, "format");
    genesis->created_ms = sy_read_i64(r, "created_ms");
    genesis->protocol = sy_read_u32(r, "protocol");
    genesis->params.regulators_needed = sy_read_u32(r, "params.regulators_needed");
    genesis->params.credential_ms_max = sy_read_i64(r, "params.credential_ms_max");
    genesis->params.record_bytes_max = sy_read_u64(r, "params.record_bytes_max");
    (void)sy_roster_decode(r, &genesis->roster);
    genesis->regulator_count = sy_read_count16(r, SY_REGULATORS_MAX, 32, "regulators");
    for (unsigned i = 0; i < genesis->regulator_count; i++) {
        sy_read_public_key(r, &genesis->regulators[i], "regulators");
    }
    if (!r->failed && sy_genesis_seal(genesis, NULL) != SY_OK) sy_reader_fail(r, "genesis");
    return !r->failed;
}

static sy_status check_numbers(const struct sy_genesis *genesis, struct sy_error *err)
{
    const struct sy_params *params = &genesis->params;
    if (genesis->format != SY_GENESIS_FORMAT) {
        return sy_fail(err, SY_ERR_VERSION,
                       "genesis: format %u is not known here, only %u: upgrade, or write it again",
                       (unsigned)genesis->format, SY_GENESIS_FORMAT);
    }
    if (genesis->protocol != SY_PROTOCOL_VERSION) {
        return sy_fail(err, SY_ERR_VERSION,
                       "genesis: protocol %u is not known here, only %u: upgrade this program",
                       (unsigned)genesis->protocol, SY_PROTOCOL_VERSION);
    }
    if (genesis->created_ms < 1 || genesis->created_ms > SY_TIME_MS_MAX) {
        return sy_fail(err, SY_ERR_ARGUMENT,
                       "genesis: created_ms %lld is not a time: give milliseconds since 1970",
                       (long long)genesis->created_ms);
    }
    if (params->regulators_needed < 1 || params->regulators_needed > genesis->regulator_count) {
        return sy_fail(err, SY_ERR_ARGUMENT,
                       "genesis: params.regulators_needed is %u with %u regulators: give 1 to %u",
                       (unsigned)params->regulators_needed, (unsigned)genesis->regulator_count,
                       (unsigned)genesis->regulator_count);
    }
    if (params->credential_ms_max < 1 || params->credential_ms_max > CREDENTIAL_MS_MAX) {
        return sy_fail(err, SY_ERR_ARGUMENT,
                       "genesis: params.credential_ms_max %lld: give 1 to %lld (%d years)",
                       (long long)params->credential_ms_max, CREDENTIAL_MS_MAX,
                       SY_CREDENTIAL_YEARS_MAX);
    }
    if (params->record_bytes_max < 1 || params->record_bytes_max > SY_RECORD_BYTES_MAX) {
        return sy_fail(err, SY_ERR_ARGUMENT,
                       "genesis: params.record_bytes_max %llu: give 1 to %llu",
                       (unsigned long long)params->record_bytes_max, SY_RECORD_BYTES_MAX);
    }
    return SY_OK;
}

static sy_status check_regulators(const struct sy_genesis *genesis, struct sy_error *err)
{
    if (genesis->regulator_count < 1 || genesis->regulator_count > SY_REGULATORS_MAX) {
        return sy_fail(err, SY_ERR_ARGUMENT, "genesis: %u regulators: name 1 to %u",
                       (unsigned)genesis->regulator_count, SY_REGULATORS_MAX);
    }
    for (unsigned i = 0; i < genesis->regulator_count; i++) {
        const struct sy_public_key *key = &genesis->regulators[i];
        bool twice = sy_roster_holds(&genesis->roster, key);
        for (unsigned k = 0; k < i; k++) {
            twice = twice || sy_public_key_equal(&genesis->regulators[k], key);
        }
        if (twice) {
            return sy_fail(err, SY_ERR_ARGUMENT,
                           "genesis: the key of regulator %u stands elsewhere too: every key has "
                           "one role; generate another",
                           i);
        }
        if (!sy_key_enrollable(key)) {
            return sy_fail(err, SY_ERR_ARGUMENT,
                           "genesis: the key of regulator %u is not a sound Ed25519 key: generate "
                           "another",
                           i);
        }
    }
    return SY_OK;
}

static sy_status check_roster_keys(const struct sy_roster *roster, struct sy_error *err)
{
    for (unsigned i = 0; i < roster->count; i++) {
        const struct sy_validator *validator = &roster->validators[i];
        const char *bad = !sy_key_enrollable(&validator->consensus_key) ? "consensus_key"
                          : !sy_key_enrollable(&validator->link_key)    ? "link_key"
                          : !sy_key_enrollable(&validator->admin_key)   ? "admin_key"
                                                                        : NULL;
        if (bad) {
            return sy_fail(err, SY_ERR_ARGUMENT,
                           "genesis: %s of validator %u (%s) is not a sound Ed25519 key: generate "
                           "another",
                           bad, i, validator->name);
        }
    }
    return SY_OK;
}

sy_status sy_genesis_seal(struct sy_genesis *genesis, struct sy_error *err)
{
    static const struct sy_hash no_genesis; // the one digest that cannot name its network
    uint8_t bytes[SY_GENESIS_BYTES_MAX];
    struct sy_writer w = sy_writer_of(bytes, sizeof bytes);

    SY_TRY(check_numbers(genesis, err));
    if (genesis->roster.epoch != 0) {
        return sy_fail(err, SY_ERR_ARGUMENT, "genesis: roster.epoch is %u: the first one is 0",
                       (unsigned)genesis->roster.epoch);
    }
    SY_TRY(sy_roster_check(&genesis->roster, err));
    SY_TRY(check_regulators(genesis, err));
    SY_TRY(check_roster_keys(&genesis->roster, err));

    sy_genesis_encode(&w, genesis);
    sy_hash_digest(&genesis->hash, SY_DIGEST_GENESIS, &no_genesis, sy_writer_slice(&w));
    return SY_OK;
}
