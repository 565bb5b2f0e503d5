#include "core/client/read.h"

#include "core/base/os.h"
#include "core/wire/state.h"

void sy_read_sign(struct sy_read_request *read, const sy_secret_key *key,
                  const struct sy_genesis *genesis)
{
    struct sy_hash digest;
    read->time_ms = sy_os_wall_ms();
    sy_os_random(&read->nonce, sizeof read->nonce);
    sy_secret_key_public(key, &read->reader);
    sy_read_digest(&digest, &genesis->hash, read);
    sy_sign(key, &read->signature, SY_SIG_READ, &digest);
}

bool sy_read_key(struct sy_hash *key_hash, const struct sy_read_request *read)
{
    struct sy_public_key key;
    enum sy_state_kind kind = (enum sy_state_kind)read->state_kind;
    memcpy(key.bytes, read->id.bytes, sizeof key.bytes);
    switch (read->state_kind) {
    case SY_STATE_PARAMS:
    case SY_STATE_ROSTER:
    case SY_STATE_EVENT_COUNT: sy_state_key_zero(key_hash, kind); return true;
    case SY_STATE_VALIDATOR:
        sy_state_key_validator(key_hash, sy_load_u16(read->id.bytes));
        return true;
    case SY_STATE_MAKER:
    case SY_STATE_NONCES:
    case SY_STATE_CREDENTIAL: sy_state_key_public(key_hash, kind, &key); return true;
    case SY_STATE_OPEN_CARE:
        sy_state_key_open_care(key_hash, &read->id, &read->second);
        return true;
    case SY_STATE_RECORD_VERSION:
        sy_state_key_record_version(key_hash, &read->id, sy_load_u32(read->second.bytes));
        return true;
    case SY_STATE_ORG:
    case SY_STATE_PREFIX:
    case SY_STATE_PATIENT:
    case SY_STATE_CARE:
    case SY_STATE_RECORD: sy_state_key_id(key_hash, kind, &read->id); return true;
    default: return false;
    }
}

bool sy_read_fits(const struct sy_proof *proof, const struct sy_read_request *read)
{
    struct sy_hash wanted;
    if (read->subject == SY_READ_STATE) {
        return proof->kind == SY_PROOF_STATE && sy_read_key(&wanted, read) &&
               sy_hash_equal(&wanted, &proof->state.key_hash);
    }
    struct sy_receipt receipt;
    struct sy_reader r = sy_reader_of(proof->receipt.receipt);
    return proof->kind == SY_PROOF_RECEIPT && sy_receipt_decode(&r, &receipt) &&
           sy_hash_equal(&receipt.tx_id, &read->id) &&
           proof->receipt.with_tx == (read->subject == SY_READ_TX);
}
