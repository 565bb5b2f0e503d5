/* http.h: a small read-only HTTP server for operators (libmicrohttpd): /metrics, /healthz.
 *
 * GET and HEAD only; a fixed table of exact paths, each rendered by a callback. No CORS header is
 * ever sent and nothing can be changed through it. It binds the address it is told to, which is a
 * loopback address unless an operator says otherwise. Limits: connections (32), header bytes
 * (8 KiB), idle time (10 s); a request body is refused. Unknown path 404, another method 405.
 *
 * Threads: one internal thread serves; callbacks run in it. */
#ifndef SY_NET_HTTP_H
#define SY_NET_HTTP_H

#include "core/base/bytes.h"
#include "core/base/status.h"

typedef struct sy_http sy_http;

#define SY_HTTP_PAGE_MAX (1024u * 1024u)

/* What a page is filled into. */
struct sy_http_page {
    char *text;               /* room for text_max bytes */
    size_t text_max;          /* SY_HTTP_PAGE_MAX */
    size_t text_bytes;        /* out: how many are filled */
    unsigned code;            /* out: 200 already */
    const char *content_type; /* out: "text/plain; charset=utf-8" already; static storage */
};

struct sy_http_route {
    const char *path; /* "/metrics"; compared whole, the query part left off; static storage */
    void (*render)(void *context, struct sy_http_page *page);
    void *context; /* borrowed until close */
};

/* sy_http_open binds address ("tcp://127.0.0.1:27103") and serves. routes are copied. A taken or
 * malformed address is SY_ERR_NETWORK and err says what to do. */
sy_status sy_http_open(sy_http **http, const char *address, const struct sy_http_route *routes,
                       size_t route_count, struct sy_error *err);

/* sy_http_close stops; running callbacks finish first. NULL is fine. */
void sy_http_close(sy_http *http);

#endif
