/* test_key_files.c: secret keys in files: what is written, and what is refused with which words. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/os.h"
#include "core/crypto/hash.h"
#include "core/crypto/keys.h"
#include "tests/support/test.h"

static char folder[200];

static const char *path_of(const char *name)
{
    static char paths[4][256];
    static unsigned next;
    char *path = paths[next++ % 4];
    (void)snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static void write_text(const char *path, const char *text, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    assert_int_equal(fchmod(fd, mode), 0);
    assert_int_equal(close(fd), 0);
}

static char *read_text(const char *path)
{
    uint8_t *text = NULL;
    size_t size = 0;
    assert_int_equal(sy_os_read_file(&text, &size, path, 65536, NULL), SY_OK);
    return (char *)text;
}

static sy_secret_key *make_key(uint8_t number)
{
    uint8_t seed[32] = {number};
    sy_secret_key *key = NULL;
    assert_int_equal(sy_secret_key_from_seed(&key, seed), SY_OK);
    return key;
}

static int make_folder(void **state)
{
    (void)state;
    test_folder(folder, sizeof folder, "key_files");
    sy_secret_key *key = make_key(1);
    write_text(path_of("pass"), "correct horse\n", 0600);
    write_text(path_of("pass2"), "battery staple\n", 0600);
    assert_int_equal(sy_secret_key_save(key, path_of("plain"), NULL, NULL), SY_OK);
    assert_int_equal(sy_secret_key_save(key, path_of("sealed"), path_of("pass"), NULL), SY_OK);
    sy_secret_key_close(key);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    return sy_os_remove_tree(folder, NULL) == SY_OK ? 0 : -1;
}

// Loading name must fail with this status and a sentence that names the path and holds the words.
static void assert_refused(const char *name, const char *pass_name, sy_status status,
                           const char *words)
{
    struct sy_error err = {SY_OK, ""};
    sy_secret_key *key = (sy_secret_key *)&err;
    const char *path = path_of(name);
    sy_status got = sy_secret_key_load(&key, path, pass_name ? path_of(pass_name) : NULL, &err);
    if (got != status) fail_msg("status %d instead of %d: %s", got, status, err.text);
    assert_int_equal(err.status, status);
    assert_null(key);
    if (!strstr(err.text, words)) fail_msg("\"%s\" lacks \"%s\"", err.text, words);
    assert_non_null(strstr(err.text, folder));
}

static void assert_same_key(const sy_secret_key *a, const sy_secret_key *b)
{
    struct sy_public_key public_a, public_b;
    struct sy_signature signature_a, signature_b;
    struct sy_hash digest;
    sy_sha256(&digest, "x", 1);
    sy_secret_key_public(a, &public_a);
    sy_secret_key_public(b, &public_b);
    sy_sign(a, &signature_a, SY_SIG_TX, &digest);
    sy_sign(b, &signature_b, SY_SIG_TX, &digest);
    assert_memory_equal(&public_a, &public_b, sizeof public_a);
    assert_memory_equal(&signature_a, &signature_b, sizeof signature_a);
}

CASE(a_saved_key_loads_again)
{
    static const struct {
        const char *name, *pass;
    } files[] = {{"plain", NULL}, {"sealed", "pass"}};
    sy_secret_key *expected = make_key(1);
    for (size_t i = 0; i < 2; i++) {
        sy_secret_key *key = NULL;
        const char *pass = files[i].pass ? path_of(files[i].pass) : NULL;
        assert_int_equal(sy_secret_key_load(&key, path_of(files[i].name), pass, NULL), SY_OK);
        assert_same_key(key, expected);
        sy_secret_key_close(key);
    }
    sy_secret_key_close(expected);
}

CASE(files_are_pkcs8_pem_of_mode_0600_whatever_the_umask)
{
    struct stat info;
    sy_secret_key *key = make_key(2);
    mode_t before = umask(0);
    assert_int_equal(sy_secret_key_save(key, path_of("umask"), NULL, NULL), SY_OK);
    (void)umask(before);
    sy_secret_key_close(key);
    assert_int_equal(stat(path_of("umask"), &info), 0);
    assert_int_equal(info.st_mode & 07777, 0600);

    char *plain = read_text(path_of("plain"));
    char *sealed = read_text(path_of("sealed"));
    assert_int_equal(strncmp(plain, "-----BEGIN PRIVATE KEY-----\n", 28), 0);
    assert_int_equal(strncmp(sealed, "-----BEGIN ENCRYPTED PRIVATE KEY-----\n", 38), 0);
    free(sealed);
    free(plain);
}

// RFC 8410 10.3 prints this key.
CASE(a_key_made_elsewhere_loads)
{
    uint8_t expected[32];
    struct sy_public_key public_key;
    sy_secret_key *key = NULL;
    write_text(path_of("rfc8410"),
               "-----BEGIN PRIVATE KEY-----\n"
               "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n"
               "-----END PRIVATE KEY-----\n",
               0600);
    assert_int_equal(sy_secret_key_load(&key, path_of("rfc8410"), NULL, NULL), SY_OK);
    sy_secret_key_public(key, &public_key);
    sy_secret_key_close(key);
    assert_true(sy_hex_decode(expected, 32,
                              "19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1"));
    assert_memory_equal(public_key.bytes, expected, 32);
}

CASE(a_passphrase_file_may_end_in_any_line_end_or_none)
{
    static const char *const ends[] = {"correct horse", "correct horse\r\n",
                                       "correct horse\nand more\n"};
    for (size_t i = 0; i < 3; i++) {
        sy_secret_key *key = NULL;
        write_text(path_of("pass3"), ends[i], 0600);
        assert_int_equal(sy_secret_key_load(&key, path_of("sealed"), path_of("pass3"), NULL),
                         SY_OK);
        sy_secret_key_close(key);
    }
}

CASE(an_existing_path_is_refused_and_kept)
{
    struct sy_error err;
    char *before = read_text(path_of("plain"));
    sy_secret_key *key = make_key(3);
    assert_int_equal(sy_secret_key_save(key, path_of("plain"), NULL, &err), SY_ERR_EXISTS);
    assert_non_null(strstr(err.text, "never overwritten"));
    assert_non_null(strstr(err.text, path_of("plain")));
    sy_secret_key_close(key);
    char *after = read_text(path_of("plain"));
    assert_string_equal(before, after);
    free(after);
    free(before);
}

CASE(a_link_at_the_path_is_not_followed_when_saving)
{
    sy_secret_key *key = make_key(3);
    assert_int_equal(symlink(path_of("target"), path_of("link")), 0);
    assert_int_equal(sy_secret_key_save(key, path_of("link"), NULL, NULL), SY_ERR_EXISTS);
    assert_int_equal(access(path_of("target"), F_OK), -1);
    sy_secret_key_close(key);
}

CASE(a_file_that_others_can_use_is_refused)
{
    static const mode_t modes[] = {0640, 0604, 0620, 0602, 0666, 0777, 0610};
    char *text = read_text(path_of("plain"));
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        write_text(path_of("open"), text, modes[i]);
        assert_refused("open", NULL, SY_ERR_PERMISSION, "chmod 600");
        write_text(path_of("open_pass"), "correct horse\n", modes[i]);
        assert_refused("sealed", "open_pass", SY_ERR_PERMISSION, "chmod 600");
    }
    free(text);
}

CASE(what_is_no_file_is_refused)
{
    assert_refused("missing", NULL, SY_ERR_NOT_FOUND, "cannot open");
    assert_refused("sealed", "missing", SY_ERR_NOT_FOUND, "cannot open");
    assert_int_equal(mkdir(path_of("folder"), 0700), 0);
    assert_refused("folder", NULL, SY_ERR_ARGUMENT, "not a regular file");
    assert_int_equal(mkfifo(path_of("pipe"), 0600), 0);
    assert_refused("pipe", NULL, SY_ERR_ARGUMENT, "not a regular file");
}

CASE(what_is_no_key_is_refused)
{
    static const char *const texts[] = {
        "",
        "garbage\n",
        "-----BEGIN PRIVATE KEY-----\n",
        "-----BEGIN PRIVATE KEY-----\n!!!!\n-----END PRIVATE KEY-----\n",
        "-----BEGIN PRIVATE KEY-----\n"
        "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK\n"
        "-----END PRIVATE KEY-----\n",
        "-----BEGIN PUBLIC KEY-----\n"
        "MCowBQYDK2VwAyEAfU0Of2FTpptiQrUiq77mhf2kQg+INLEIw72uNp71Sfo=\n"
        "-----END PUBLIC KEY-----\n"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        write_text(path_of("garbage"), texts[i], 0600);
        assert_refused("garbage", NULL, SY_ERR_FORMAT, "-----BEGIN PRIVATE KEY-----");
    }
}

CASE(every_cut_of_a_key_file_is_refused)
{
    char *text = read_text(path_of("plain"));
    size_t size = strlen(text);
    // Without only its last line end the file is still whole.
    for (size_t cut = 0; cut + 1 < size; cut++) {
        char kept = text[cut];
        text[cut] = '\0';
        write_text(path_of("cut"), text, 0600);
        text[cut] = kept;
        assert_refused("cut", NULL, SY_ERR_FORMAT, "PKCS#8");
    }
    free(text);
}

CASE(a_file_too_long_is_refused)
{
    char *text = malloc(20001);
    assert_non_null(text);
    memset(text, 'A', 20000);
    text[20000] = '\0';
    write_text(path_of("long"), text, 0600);
    assert_refused("long", NULL, SY_ERR_LIMIT, "longer than 16384");
    assert_refused("sealed", "long", SY_ERR_LIMIT, "longer than");
    text[513] = '\0';
    write_text(path_of("long_pass"), text, 0600);
    assert_refused("sealed", "long_pass", SY_ERR_LIMIT, "longer than 512");
    free(text);
}

CASE(an_encrypted_key_needs_its_passphrase)
{
    assert_refused("sealed", NULL, SY_ERR_ARGUMENT, "is encrypted");
    assert_refused("sealed", "pass2", SY_ERR_CRYPTO, "does not open");
    write_text(path_of("empty"), "\n", 0600);
    assert_refused("sealed", "empty", SY_ERR_ARGUMENT, "is empty");
}

CASE(saving_under_an_unusable_passphrase_writes_nothing)
{
    struct sy_error err;
    sy_secret_key *key = make_key(4);
    assert_int_equal(sy_secret_key_save(key, path_of("unsaved"), path_of("none"), &err),
                     SY_ERR_NOT_FOUND);
    assert_int_equal(access(path_of("unsaved"), F_OK), -1);
    assert_int_equal(sy_secret_key_save(key, path_of("none/unsaved"), NULL, &err),
                     SY_ERR_NOT_FOUND);
    assert_non_null(strstr(err.text, "none/unsaved"));
    sy_secret_key_close(key);
}

// Exit status 0: a file size limit stopped the write as a full disk does.
static void save_under_a_size_limit(void *context)
{
    struct rlimit limit = {20, 20};
    struct sy_error err;
    (void)context;
    sy_secret_key *key = make_key(5);
    if (signal(SIGXFSZ, SIG_IGN) == SIG_ERR || setrlimit(RLIMIT_FSIZE, &limit) != 0) _exit(1);
    if (sy_secret_key_save(key, path_of("full"), NULL, &err) != SY_ERR_DISK_FULL) _exit(2);
    if (access(path_of("full"), F_OK) == 0) _exit(3);
    sy_secret_key_close(key);
}

CASE(a_full_disk_leaves_nothing_at_the_path)
{
    int status = test_child(save_under_a_size_limit, NULL);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

CASE(an_x25519_key_is_written_and_is_no_signing_key)
{
    static const uint8_t zero[SY_X25519_BYTES];
    uint8_t a[SY_X25519_BYTES] = {0}, b[SY_X25519_BYTES] = {0};
    struct sy_error err;
    struct stat info;
    assert_int_equal(sy_x25519_generate(a, path_of("x1"), NULL, NULL), SY_OK);
    assert_int_equal(sy_x25519_generate(b, path_of("x2"), path_of("pass"), NULL), SY_OK);
    assert_memory_not_equal(a, zero, sizeof a);
    assert_memory_not_equal(a, b, sizeof a);
    assert_int_equal(stat(path_of("x1"), &info), 0);
    assert_int_equal(info.st_mode & 07777, 0600);
    assert_refused("x1", NULL, SY_ERR_ARGUMENT, "X25519");
    assert_int_equal(sy_x25519_generate(a, path_of("x1"), NULL, &err), SY_ERR_EXISTS);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(a_saved_key_loads_again),
        cmocka_unit_test(files_are_pkcs8_pem_of_mode_0600_whatever_the_umask),
        cmocka_unit_test(a_key_made_elsewhere_loads),
        cmocka_unit_test(a_passphrase_file_may_end_in_any_line_end_or_none),
        cmocka_unit_test(an_existing_path_is_refused_and_kept),
        cmocka_unit_test(a_link_at_the_path_is_not_followed_when_saving),
        cmocka_unit_test(a_file_that_others_can_use_is_refused),
        cmocka_unit_test(what_is_no_file_is_refused),
        cmocka_unit_test(what_is_no_key_is_refused),
        cmocka_unit_test(every_cut_of_a_key_file_is_refused),
        cmocka_unit_test(a_file_too_long_is_refused),
        cmocka_unit_test(an_encrypted_key_needs_its_passphrase),
        cmocka_unit_test(saving_under_an_unusable_passphrase_writes_nothing),
        cmocka_unit_test(a_full_disk_leaves_nothing_at_the_path),
        cmocka_unit_test(an_x25519_key_is_written_and_is_no_signing_key),
    };
    return cmocka_run_group_tests(cases, make_folder, remove_folder);
}
