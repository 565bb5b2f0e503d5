#include "core/base/address.h"

#include <stdio.h>
#include <string.h>

#include "core/base/bytes.h"

static bool is_host_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_';
}

static bool is_host(const char *host, size_t size)
{
    if (size == 1 && host[0] == '*') return true;
    for (size_t i = 0; i < size; i++) {
        if (!is_host_char(host[i])) return false;
    }
    return size > 0 && size < SY_ADDRESS_HOST_MAX;
}

sy_status sy_address_parse(struct sy_address *out, const char *text, struct sy_error *err)
{
    static const char scheme[] = "tcp://";
    size_t skip = sizeof scheme - 1;
    const char *host = text + skip;
    const char *colon = strncmp(text, scheme, skip) == 0 ? strrchr(host, ':') : NULL;
    uint64_t port = 0;
    if (!colon || !is_host(host, (size_t)(colon - host)) || colon[1] == '0' ||
        !sy_parse_u64(&port, colon + 1, 1, UINT16_MAX)) {
        return sy_fail(err, SY_ERR_ARGUMENT,
                       "'%.100s' is not an address; write it as tcp://HOST:PORT, for example "
                       "tcp://127.0.0.1:27100",
                       text);
    }
    if (!out) return SY_OK;
    memcpy(out->host, host, (size_t)(colon - host));
    out->host[colon - host] = '\0';
    out->port = (uint16_t)port;
    return SY_OK;
}

bool sy_address_is_loopback(const struct sy_address *address)
{
    unsigned a = 0, b = 0, c = 0, d = 0;
    char rest = 0;
    if (strcmp(address->host, "localhost") == 0) return true;
    int fields = sscanf(address->host, "%3u.%3u.%3u.%3u%c", &a, &b, &c, &d, &rest);
    return fields == 4 && a == 127 && b < 256 && c < 256 && d < 256;
}
