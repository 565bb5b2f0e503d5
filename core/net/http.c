/* http.c: see http.h. libmicrohttpd parses and serves; this file gives it a socket of our own, so
 * that a taken port is told precisely, and a table of pages. */
#include "core/net/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/address.h"
#include "core/base/assert.h"
#include "core/base/telemetry.h"

#define CONNECTIONS_MAX 32u
#define IDLE_SECONDS 10u
// What one connection may hold: request line, headers and the reply's headers.
#define CONNECTION_BYTES 8192u
#define BACKLOG 16

struct sy_http {
    struct MHD_Daemon *daemon;
    struct sy_http_route *routes;
    size_t route_count;
};

static const char plain_text[] = "text/plain; charset=utf-8";

static enum MHD_Result answer(struct MHD_Connection *connection, unsigned code,
                              const char *content_type, struct MHD_Response *response)
{
    if (!response) return MHD_NO;
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, content_type);
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    (void)MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    if (code == MHD_HTTP_METHOD_NOT_ALLOWED) {
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    }
    enum MHD_Result result = MHD_queue_response(connection, code, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result refuse(struct MHD_Connection *connection, unsigned code, const char *text)
{
    // The buffer is static text; the library only reads it.
    return answer(connection, code, plain_text,
                  MHD_create_response_from_buffer(strlen(text), (void *)(uintptr_t)text,
                                                  MHD_RESPMEM_PERSISTENT));
}

static enum MHD_Result serve_page(struct MHD_Connection *connection,
                                  const struct sy_http_route *route)
{
    struct sy_http_page page = {.text = malloc(SY_HTTP_PAGE_MAX),
                                .text_max = SY_HTTP_PAGE_MAX,
                                .code = MHD_HTTP_OK,
                                .content_type = plain_text};
    if (!page.text) return MHD_NO;
    route->render(route->context, &page);
    SY_ASSERT(page.text_bytes <= page.text_max);
    return answer(
        connection, page.code, page.content_type,
        MHD_create_response_from_buffer(page.text_bytes, page.text, MHD_RESPMEM_MUST_FREE));
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_size, void **state)
{
    sy_http *http = context;
    (void)version;
    (void)upload;
    (void)upload_size;
    (void)state;
    sy_metric_add(SY_M_http_requests_total, 1);
    // Answering at the first call, before a body is read, makes the library close the connection
    // after a request that announced one.
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0) {
        return refuse(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET is answered here\n");
    }
    for (size_t i = 0; i < http->route_count; i++) {
        if (strcmp(http->routes[i].path, url) == 0) {
            return serve_page(connection, &http->routes[i]);
        }
    }
    return refuse(connection, MHD_HTTP_NOT_FOUND, "no such page\n");
}

static sy_status resolve(struct sockaddr_in *out, const char *text, struct sy_error *err)
{
    struct sy_address address;
    SY_TRY(sy_address_parse(&address, text, err));
    memset(out, 0, sizeof *out);
    out->sin_family = AF_INET;
    out->sin_port = htons(address.port);
    const char *host = address.host;
    if (strcmp(host, "localhost") == 0) host = "127.0.0.1";
    if (strcmp(host, "*") == 0) host = "0.0.0.0";
    if (inet_pton(AF_INET, host, &out->sin_addr) == 1) return SY_OK;
    return sy_fail(err, SY_ERR_ARGUMENT,
                   "cannot listen on %s for HTTP: '%s' is not an IPv4 address of this machine, "
                   "such as 127.0.0.1",
                   text, address.host);
}

static sy_status open_socket(int *fd_out, const char *text, struct sy_error *err)
{
    struct sockaddr_in address;
    const int on = 1;
    SY_TRY(resolve(&address, text, err));
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool listens = fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
                   bind(fd, (const struct sockaddr *)&address, sizeof address) == 0 &&
                   listen(fd, BACKLOG) == 0;
    if (listens) {
        *fd_out = fd;
        return SY_OK;
    }
    int reason = errno;
    if (fd >= 0) close(fd);
    return sy_fail(
        err, SY_ERR_NETWORK, "cannot listen on %s for HTTP: %s; %s", text, strerror(reason),
        reason == EADDRINUSE ? "another process listens there: stop it or configure another port"
                             : "configure another address");
}

static struct MHD_Daemon *start_daemon(sy_http *http, int fd)
{
    // The library's thread inherits the mask: signals are for the main thread (thread.h).
    sigset_t all, before;
    sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    struct MHD_Daemon *daemon = MHD_start_daemon(
        MHD_USE_INTERNAL_POLLING_THREAD, 0, NULL, NULL, on_request, http, MHD_OPTION_LISTEN_SOCKET,
        fd, MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
        IDLE_SECONDS, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES, MHD_OPTION_END);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return daemon;
}

sy_status sy_http_open(sy_http **out, const char *address, const struct sy_http_route *routes,
                       size_t route_count, struct sy_error *err)
{
    int fd = -1;
    *out = NULL;
    SY_TRY(open_socket(&fd, address, err));
    sy_http *http = calloc(1, sizeof *http);
    struct sy_http_route *copy = calloc(route_count ? route_count : 1, sizeof *copy);
    if (http && copy) {
        if (route_count > 0) memcpy(copy, routes, route_count * sizeof *copy);
        http->routes = copy;
        http->route_count = route_count;
        http->daemon = start_daemon(http, fd);
    }
    if (http && http->daemon) {
        *out = http;
        return SY_OK;
    }
    close(fd);
    free(copy);
    free(http);
    return sy_fail(err, SY_ERR_NETWORK, "cannot serve HTTP on %s: libmicrohttpd does not start",
                   address);
}

void sy_http_close(sy_http *http)
{
    if (!http) return;
    MHD_stop_daemon(http->daemon); // closes the socket too
    free(http->routes);
    free(http);
}
