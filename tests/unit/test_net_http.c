/* The operators' pages. ctest: threaded timeout=120 */
#include "tests/support/test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/address.h"
#include "core/net/http.h"
#include "tests/support/links.h"

struct site {
    char address[64];
    uint16_t port;
    sy_http *http;
    unsigned renders;
};

static void render_health(void *context, struct sy_http_page *page)
{
    struct site *site = context;
    site->renders++;
    page->text_bytes = (size_t)snprintf(page->text, page->text_max, "{\"ok\":true}\n");
    page->content_type = "application/json";
}

static void render_sick(void *context, struct sy_http_page *page)
{
    (void)context;
    page->code = 503;
    page->text_bytes = (size_t)snprintf(page->text, page->text_max, "no quorum\n");
}

static void render_full(void *context, struct sy_http_page *page)
{
    (void)context;
    memset(page->text, 'x', page->text_max);
    page->text_bytes = page->text_max;
}

static void open_site(struct site *site)
{
    struct sy_error err = {0};
    const struct sy_http_route routes[] = {{"/healthz", render_health, site},
                                           {"/sick", render_sick, site},
                                           {"/full", render_full, site}};
    memset(site, 0, sizeof *site);
    site->port = test_free_ports(1);
    snprintf(site->address, sizeof site->address, "tcp://127.0.0.1:%u", site->port);
    sy_status status = sy_http_open(&site->http, site->address, routes, 3, &err);
    if (status != SY_OK) fail_msg("%s", err.text);
}

static int connect_site(const struct site *site)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(site->port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

// Sends text and reads until the other side closes; free what it returns.
static char *ask(const struct site *site, const char *text, size_t size)
{
    size_t room = 2 * SY_HTTP_PAGE_MAX;
    size_t got = 0;
    char *answer = malloc(room);
    assert_non_null(answer);
    int fd = connect_site(site);
    // The server may refuse before it has read all: then the rest cannot be written.
    for (size_t at = 0; at < size;) {
        ssize_t sent = send(fd, text + at, size - at, MSG_NOSIGNAL);
        if (sent <= 0) break;
        at += (size_t)sent;
    }
    for (;;) {
        ssize_t count = recv(fd, answer + got, room - got - 1, 0);
        if (count <= 0) break;
        got += (size_t)count;
    }
    answer[got] = '\0';
    close(fd);
    return answer;
}

static char *ask_line(const struct site *site, const char *line)
{
    char text[512];
    int size = snprintf(text, sizeof text,
                        "%s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", line);
    return ask(site, text, (size_t)size);
}

static void assert_answers(const struct site *site, const char *line, const char *status,
                           const char *part)
{
    char *answer = ask_line(site, line);
    if (strncmp(answer, status, strlen(status)) != 0) fail_msg("%s: %.200s", line, answer);
    if (part && !strstr(answer, part)) fail_msg("%s: no '%s' in %.300s", line, part, answer);
    assert_null(strstr(answer, "Access-Control"));
    free(answer);
}

CASE(pages_are_rendered_with_their_type_and_code)
{
    struct site site;
    open_site(&site);
    assert_answers(&site, "GET /healthz", "HTTP/1.1 200", "\r\n\r\n{\"ok\":true}\n");
    assert_answers(&site, "GET /healthz", "HTTP/1.1 200", "Content-Type: application/json");
    assert_answers(&site, "GET /healthz?verbose=1", "HTTP/1.1 200", "Cache-Control: no-store");
    assert_answers(&site, "GET /sick", "HTTP/1.1 503", "no quorum");
    assert_int_equal(site.renders, 3);
    sy_http_close(site.http);
}

CASE(a_page_of_the_largest_size_passes)
{
    struct site site;
    open_site(&site);
    char *answer = ask_line(&site, "GET /full");
    const char *body = strstr(answer, "\r\n\r\n");
    assert_non_null(body);
    assert_int_equal(strlen(body + 4), SY_HTTP_PAGE_MAX);
    free(answer);
    sy_http_close(site.http);
}

CASE(head_has_no_body)
{
    struct site site;
    open_site(&site);
    char *answer = ask_line(&site, "HEAD /healthz");
    assert_non_null(strstr(answer, "HTTP/1.1 200"));
    assert_null(strstr(answer, "ok"));
    free(answer);
    sy_http_close(site.http);
}

CASE(unknown_pages_are_404_and_other_methods_405)
{
    struct site site;
    open_site(&site);
    assert_answers(&site, "GET /", "HTTP/1.1 404", NULL);
    assert_answers(&site, "GET /healthz/", "HTTP/1.1 404", NULL);
    assert_answers(&site, "GET /../healthz", "HTTP/1.1 404", NULL);
    assert_answers(&site, "POST /healthz", "HTTP/1.1 405", "Allow: GET, HEAD");
    assert_answers(&site, "DELETE /healthz", "HTTP/1.1 405", NULL);
    assert_answers(&site, "OPTIONS /healthz", "HTTP/1.1 405", NULL);
    assert_int_equal(site.renders, 0);
    sy_http_close(site.http);
}

CASE(bodies_and_over_long_headers_are_refused_and_the_server_goes_on)
{
    struct site site;
    open_site(&site);
    size_t size = 100000;
    char *text = malloc(size + 1);
    assert_non_null(text);
    int head = snprintf(text, size, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Long: ");
    memset(text + head, 'a', size - (size_t)head);
    char *answer = ask(&site, text, size);
    assert_null(strstr(answer, "200 OK"));
    free(answer);
    head = snprintf(text, size,
                    "POST /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 90000\r\n\r\n");
    memset(text + head, 'b', size - (size_t)head);
    answer = ask(&site, text, size);
    assert_null(strstr(answer, "200 OK"));
    free(answer);
    answer = ask(&site, "\x16\x03\x01 this is no HTTP\r\n\r\n", 23);
    assert_null(strstr(answer, "200 OK"));
    free(answer);
    free(text);
    assert_answers(&site, "GET /healthz", "HTTP/1.1 200", NULL);
    sy_http_close(site.http);
}

CASE(connections_are_bounded_and_free_again)
{
    struct site site;
    int fds[64];
    open_site(&site);
    for (size_t i = 0; i < 64; i++) fds[i] = connect_site(&site);
    for (size_t i = 0; i < 64; i++) close(fds[i]);
    // The closed connections make room; until they are noticed a connection may be refused.
    for (int ms = 0;; ms += 10) {
        assert_true(ms < TEST_PATIENCE_MS);
        char *answer = ask_line(&site, "GET /healthz");
        bool served = strstr(answer, "200 OK") != NULL;
        free(answer);
        if (served) break;
        test_sleep_ms(10);
    }
    sy_http_close(site.http);
}

CASE(a_taken_port_and_a_bad_address_are_named)
{
    struct site site;
    struct sy_error err = {0};
    sy_http *second;
    open_site(&site);
    assert_int_equal(sy_http_open(&second, site.address, NULL, 0, &err), SY_ERR_NETWORK);
    assert_null(second);
    assert_non_null(strstr(err.text, site.address));
    assert_non_null(strstr(err.text, "another process listens there"));
    assert_int_equal(sy_http_open(&second, "tcp://nowhere.example:27103", NULL, 0, &err),
                     SY_ERR_ARGUMENT);
    assert_non_null(strstr(err.text, "nowhere.example"));
    assert_int_equal(sy_http_open(&second, "localhost:80", NULL, 0, &err), SY_ERR_ARGUMENT);
    sy_http_close(site.http);
}

CASE(addresses_have_one_form)
{
    static const char *const bad[] = {"",
                                      "tcp://",
                                      "tcp://:1",
                                      "tcp://127.0.0.1",
                                      "tcp://127.0.0.1:",
                                      "tcp://127.0.0.1:0",
                                      "tcp://127.0.0.1:080",
                                      "127.0.0.1:80",
                                      "tcp://127.0.0.1:65536",
                                      "tcp://127.0.0.1:+1",
                                      "tcp://127.0.0.1:1 ",
                                      "tcp://a b:1",
                                      "tcp://eth0;127.0.0.1:1",
                                      "tcp://**:1",
                                      "ipc://x:1",
                                      "TCP://127.0.0.1:1"};
    struct sy_address address;
    struct sy_error err;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(sy_address_parse(&address, bad[i], &err), SY_ERR_ARGUMENT);
        assert_non_null(strstr(err.text, bad[i]));
    }
    assert_int_equal(sy_address_parse(&address, "tcp://v1.example.org:27100", &err), SY_OK);
    assert_string_equal(address.host, "v1.example.org");
    assert_int_equal(address.port, 27100);
    assert_false(sy_address_is_loopback(&address));
    assert_int_equal(sy_address_parse(&address, "tcp://127.9.8.7:1", &err), SY_OK);
    assert_true(sy_address_is_loopback(&address));
    assert_int_equal(sy_address_parse(&address, "tcp://localhost:1", &err), SY_OK);
    assert_true(sy_address_is_loopback(&address));
    assert_int_equal(sy_address_parse(&address, "tcp://127.0.0.1.example.org:1", &err), SY_OK);
    assert_false(sy_address_is_loopback(&address));
    assert_int_equal(sy_address_parse(&address, "tcp://*:1", &err), SY_OK);
    assert_false(sy_address_is_loopback(&address));
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(pages_are_rendered_with_their_type_and_code),
        cmocka_unit_test(a_page_of_the_largest_size_passes),
        cmocka_unit_test(head_has_no_body),
        cmocka_unit_test(unknown_pages_are_404_and_other_methods_405),
        cmocka_unit_test(bodies_and_over_long_headers_are_refused_and_the_server_goes_on),
        cmocka_unit_test(connections_are_bounded_and_free_again),
        cmocka_unit_test(a_taken_port_and_a_bad_address_are_named),
        cmocka_unit_test(addresses_have_one_form),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
