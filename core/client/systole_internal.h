/* systole_internal.h: what the files of libsystole share: its handles and how they tell errors.
 * None of these names leaves the library. */
#ifndef SY_CLIENT_SYSTOLE_INTERNAL_H
#define SY_CLIENT_SYSTOLE_INTERNAL_H

#include "core/base/address.h"
#include "core/client/asker.h"
#include "core/client/systole.h"
#include "core/client/tx_draft.h"
#include "core/client/watch.h"
#include "core/wire/schema.h"

struct systole_network {
    struct sy_genesis genesis;
    sy_asker *net;
    const char *pointers[SY_VALIDATORS_MAX];
    char addresses[SY_VALIDATORS_MAX][SY_ADDRESS_BYTES_MAX + 1];
    size_t address_count;
    struct sy_client_observer observer; /* asked alone, if it has a name */
};
struct systole_key {
    sy_secret_key *key;
};
struct systole_tx {
    sy_draft *draft;
};
struct systole_proof {
    struct sy_proven proven;
};
struct systole_watch {
    sy_watch *watch;
};

/* What systole_error_text gives. */
extern _Thread_local struct sy_error sy_systole_error;

enum systole_result sy_systole_result(sy_status status);
enum systole_result sy_systole_no_memory(void);

/* sy_systole_new_proof is NULL without memory. sy_systole_give_proof hands it out if status is
 * SY_OK, and closes it otherwise. */
systole_proof *sy_systole_new_proof(void);
enum systole_result sy_systole_give_proof(systole_proof **out, systole_proof *proof,
                                          sy_status status);

#endif
