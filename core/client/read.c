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

bool sy_read_fits(const struct sy_proof *proof, const struct sy_read_request *read)
{
    struct sy_hash wanted;
    if (read->subject == SY_READ_STATE) {
        return proof->kind == SY_PROOF_STATE && sy_read_key(&wanted, read) &&
               sy_hash_equal(&wanted, &proof->state.key_hash);
    }
    if (read->subject == SY_READ_IDS) return false; /* they are told, not proven */
    struct sy_receipt receipt;
    struct sy_reader r = sy_reader_of(proof->receipt.receipt);
    return proof->kind == SY_PROOF_RECEIPT && sy_receipt_decode(&r, &receipt) &&
           sy_hash_equal(&receipt.tx_id, &read->id) &&
           proof->receipt.with_tx == (read->subject == SY_READ_TX);
}
