/* signer.c: the key with which a validator signs transactions of its own.
 *
 * validator.signer (the key itself, for which the consensus key vouches: exec.c)
 *   no validator of the roster has the consensus key      E_KEY_UNKNOWN, the signer: nobody vouches
 *   the validator enrolled one less than a day ago        E_SIGNER_RECENT {when it may again, ms}
 *   the signer is or was enrolled for anything            E_KEY_IN_USE {key}
 *   the signer is not canonical, of small order, ...      E_KEY_WEAK {key}
 *   writes   the signer's credential, signer, signer of
 *   event    validator.signer about the consensus key, object: the signer
 *
 * A key has one use, so a consensus key signs no transactions: it says once for which key it
 * stands. That one may log what was read through the validator (disclosure.c) and nothing else,
 * while the roster has the consensus key, and until the validator enrols another one. */
#include "core/base/assert.h"
#include "core/ledger/contracts/contracts.h"

static bool find_signer(struct sy_exec *x, struct sy_validator_key *out,
                        const struct sy_hash *consensus)
{
    struct sy_hash place;
    struct sy_slice value;
    sy_exec_key(x, &place, SY_STATE_SIGNER, consensus);
    if (!sy_exec_find(x, &value, &place)) return false;
    if (sy_validator_key_decode(out, value)) return true;
    x->failed = SY_ERR_CORRUPT;
    return false;
}

static void save_signer(struct sy_exec *x, const struct sy_hash *consensus)
{
    struct sy_validator_key signer = {
        .key = x->by->key, .height = x->height, .time_ms = x->time_ms};
    struct sy_hash place, id = sy_hash_of_key(&x->by->key);
    uint8_t room[64];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_validator_key_encode(&w, &signer);
    sy_exec_key(x, &place, SY_STATE_SIGNER, consensus);
    sy_exec_save(x, &place, &w);
    w = sy_writer_of(room, sizeof room);
    sy_id_encode(&w, consensus);
    sy_exec_key(x, &place, SY_STATE_SIGNER_OF, &id);
    sy_exec_save(x, &place, &w);
}

enum sy_refusal sy_contract_validator_signer(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_validator_signer *p = &payload->validator_signer;
    SY_ASSERT(x->kind->number == SY_KIND_validator_signer && x->by->valid);
    SY_ASSERT(x->by->role == SY_ROLE_VALIDATOR);
    struct sy_hash consensus = sy_hash_of_key(&p->validator), id = sy_hash_of_key(&x->by->key);
    struct sy_validator_key before;
    if (find_signer(x, &before, &consensus) && x->time_ms - before.time_ms < SY_SIGNER_MS_MIN) {
        x->detail = (uint64_t)(before.time_ms + SY_SIGNER_MS_MIN);
        return SY_E_SIGNER_RECENT;
    }
    struct sy_credential credential = {.role = SY_ROLE_VALIDATOR,
                                       .holder = x->by->holder,
                                       .not_before_ms = x->time_ms,
                                       .not_after_ms = INT64_MAX};
    enum sy_refusal code = sy_exec_enrol(x, &x->by->key, &credential);
    if (code != SY_APPLIED) return code;
    save_signer(x, &consensus);
    sy_exec_event(x, SY_EVENT_VALIDATOR_SIGNER, SY_SUBJECT_KEY, &consensus, &id);
    return SY_APPLIED;
}

enum sy_refusal sy_signer_stands(struct sy_exec *x)
{
    SY_ASSERT(x->by->role == SY_ROLE_VALIDATOR && x->by->valid);
    struct sy_hash place, consensus, id = sy_hash_of_key(&x->by->key);
    struct sy_slice value;
    struct sy_validator_key newest;
    struct sy_public_key key;
    sy_exec_key(x, &place, SY_STATE_SIGNER_OF, &id);
    if (!sy_exec_find(x, &value, &place)) return sy_refuse_key(x, SY_E_SIGNER, &x->by->key);
    if (!sy_id_decode(&consensus, value)) {
        x->failed = SY_ERR_CORRUPT;
        return SY_E_SIGNER;
    }
    memcpy(key.bytes, consensus.bytes, sizeof key.bytes);
    bool stands = sy_roster_find(x->roster, &key) >= 0 && find_signer(x, &newest, &consensus) &&
                  sy_public_key_equal(&newest.key, &x->by->key);
    return stands ? SY_APPLIED : sy_refuse_key(x, SY_E_SIGNER, &x->by->key);
}
