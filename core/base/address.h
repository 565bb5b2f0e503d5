/* address.h: addresses as the configuration, the roster and genesis write them:
 * "tcp://127.0.0.1:27100". IPv4 and host names; nanomsg resolves names as it connects. Pure. */
#ifndef SY_BASE_ADDRESS_H
#define SY_BASE_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/status.h"

/* With its terminator. An address of at most 127 characters, which is what a roster holds and what
 * nanomsg takes, has none that is longer. */
#define SY_ADDRESS_HOST_MAX 120u

struct sy_address {
    char host[SY_ADDRESS_HOST_MAX]; /* IPv4 address, host name, or "*" (every interface) */
    uint16_t port;
};

/* sy_address_parse reads text. SY_ERR_ARGUMENT: it is not of the form; err names it and shows the
 * form. out may be NULL to check only. */
sy_status sy_address_parse(struct sy_address *out, const char *text, struct sy_error *err);

/* sy_address_is_loopback says whether the host is in 127.0.0.0/8 or "localhost". */
bool sy_address_is_loopback(const struct sy_address *address);

#endif
