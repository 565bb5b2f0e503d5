/* openssl_pem.c: see openssl_pem.h. Everything that held a secret is wiped on every way out. */
#include "core/crypto/openssl_pem.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/bytes.h"
#include "core/base/os.h"
#include "core/crypto/openssl_ctx.h"

struct passphrase {
    char text[SY_PASSPHRASE_BYTES_MAX + 3]; // room for a line end and for seeing one byte too many
    size_t size;
    bool given;
    bool asked; // OpenSSL wanted it: the file is encrypted
};

static sy_status check_secret_file(int fd, const char *path, struct sy_error *err)
{
    struct stat info;
    if (fstat(fd, &info) != 0) {
        return sy_fail(err, SY_ERR_IO, "cannot look at %s: %s", path, strerror(errno));
    }
    if (!S_ISREG(info.st_mode)) {
        return sy_fail(err, SY_ERR_ARGUMENT,
                       "%s is not a regular file; name the file that holds "
                       "the secret",
                       path);
    }
    if ((info.st_mode & 077) != 0) {
        return sy_fail(err, SY_ERR_PERMISSION,
                       "%s holds a secret but its mode %04o lets group or others use it; run: "
                       "chmod 600 %s",
                       path, (unsigned)(info.st_mode & 07777), path);
    }
    return SY_OK;
}

static sy_status read_all(char *out, size_t *size, size_t room, int fd, const char *path,
                          struct sy_error *err)
{
    *size = 0;
    while (*size < room) {
        ssize_t got = read(fd, out + *size, room - *size);
        if (got == 0) return SY_OK;
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return sy_fail(err, SY_ERR_IO, "cannot read %s: %s", path, strerror(errno));
        *size += (size_t)got;
    }
    return sy_fail(err, SY_ERR_LIMIT,
                   "%s is longer than %zu bytes, too long for what it should "
                   "hold",
                   path, room - 1);
}

// The mode is judged on the opened file, so nobody can swap it in between.
static sy_status read_secret_file(char *out, size_t *size, size_t room, const char *path,
                                  struct sy_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        return sy_fail(err, sy_os_status(errno), "cannot open %s: %s", path, strerror(errno));
    }
    sy_status status = check_secret_file(fd, path, err);
    if (status == SY_OK) status = read_all(out, size, room, fd, path, err);
    (void)close(fd);
    return status;
}

static sy_status read_passphrase(struct passphrase *pass, const char *path, struct sy_error *err)
{
    if (path == NULL) return SY_OK;
    SY_TRY(read_secret_file(pass->text, &pass->size, sizeof pass->text, path, err));
    char *end = memchr(pass->text, '\n', pass->size);
    if (end != NULL) pass->size = (size_t)(end - pass->text);
    if (pass->size > 0 && pass->text[pass->size - 1] == '\r') pass->size--;
    if (pass->size == 0) {
        return sy_fail(err, SY_ERR_ARGUMENT,
                       "the first line of the passphrase file %s is empty; "
                       "write the passphrase there",
                       path);
    }
    if (pass->size > SY_PASSPHRASE_BYTES_MAX) {
        return sy_fail(err, SY_ERR_LIMIT, "the passphrase in %s is longer than %d bytes", path,
                       SY_PASSPHRASE_BYTES_MAX);
    }
    pass->given = true;
    return SY_OK;
}

// OpenSSL's pem_password_cb. Never asks at the terminal: a daemon would hang there.
static int give_passphrase(char *out, int room, int writing, void *data)
{
    struct passphrase *pass = data;
    (void)writing;
    pass->asked = true;
    if (!pass->given || room < 0 || pass->size > (size_t)room) return -1;
    memcpy(out, pass->text, pass->size);
    return (int)pass->size;
}

static sy_status explain_unreadable(const struct passphrase *pass, const char *path,
                                    const char *passphrase_path, struct sy_error *err)
{
    if (pass->asked && !pass->given) {
        return sy_fail(err, SY_ERR_ARGUMENT,
                       "%s is encrypted; name the file that holds its "
                       "passphrase",
                       path);
    }
    if (pass->asked) {
        return sy_fail(err, SY_ERR_CRYPTO, "the passphrase in %s does not open %s", passphrase_path,
                       path);
    }
    return sy_fail(err, SY_ERR_FORMAT,
                   "%s holds no readable PKCS#8 PEM key; it should begin with "
                   "-----BEGIN PRIVATE KEY----- (make one with: systole keygen)",
                   path);
}

static sy_status decode_pem(EVP_PKEY **key, const char *text, size_t size, const char *path,
                            struct passphrase *pass, const char *passphrase_path,
                            struct sy_error *err)
{
    BIO *bio = BIO_new_mem_buf(text, (int)size);
    SY_OPENSSL_MUST(bio != NULL);
    ERR_set_mark();
    *key = PEM_read_bio_PrivateKey_ex(bio, NULL, give_passphrase, pass, sy_openssl()->lib, NULL);
    ERR_pop_to_mark();
    BIO_free(bio);
    return *key != NULL ? SY_OK : explain_unreadable(pass, path, passphrase_path, err);
}

sy_status sy_pem_load(EVP_PKEY **key, const char *path, const char *passphrase_path,
                      const char *algorithm, struct sy_error *err)
{
    char text[SY_PEM_BYTES_MAX + 1];
    size_t size = 0;
    struct passphrase pass = {.given = false};
    *key = NULL;
    sy_status status = read_passphrase(&pass, passphrase_path, err);
    if (status == SY_OK) status = read_secret_file(text, &size, sizeof text, path, err);
    if (status == SY_OK) status = decode_pem(key, text, size, path, &pass, passphrase_path, err);
    if (status == SY_OK && !EVP_PKEY_is_a(*key, algorithm)) {
        const char *name = EVP_PKEY_get0_type_name(*key);
        status = sy_fail(err, SY_ERR_ARGUMENT, "%s holds a key of type %s; here it must be %s",
                         path, name != NULL ? name : "unknown", algorithm);
        EVP_PKEY_free(*key);
        *key = NULL;
    }
    sy_wipe(text, sizeof text);
    sy_wipe(&pass, sizeof pass);
    return status;
}

static void encode_encrypted(BIO *bio, EVP_PKEY *key, const struct passphrase *pass)
{
    const struct sy_openssl *ssl = sy_openssl();
    uint8_t salt[16];
    sy_os_random(salt, sizeof salt);
    PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key);
    SY_OPENSSL_MUST(info != NULL);
    X509_ALGOR *scheme = PKCS5_pbe2_set_iv_ex(ssl->aes_256_cbc, SY_PEM_ITERATIONS, salt,
                                              (int)sizeof salt, NULL, NID_hmacWithSHA256, ssl->lib);
    SY_OPENSSL_MUST(scheme != NULL);
    // The result owns scheme.
    X509_SIG *sealed = PKCS8_set0_pbe_ex(pass->text, (int)pass->size, info, scheme, ssl->lib, NULL);
    SY_OPENSSL_MUST(sealed != NULL);
    SY_OPENSSL_MUST(PEM_write_bio_PKCS8(bio, sealed) == 1);
    X509_SIG_free(sealed);
    PKCS8_PRIV_KEY_INFO_free(info);
}

static void encode_pem(BIO *bio, EVP_PKEY *key, const struct passphrase *pass)
{
    if (pass->given) {
        encode_encrypted(bio, key, pass);
    } else {
        SY_OPENSSL_MUST(PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1);
    }
}

static sy_status write_all(int fd, const char *text, size_t size)
{
    while (size > 0) {
        ssize_t put = write(fd, text, size);
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) return sy_os_status(errno);
        text += put;
        size -= (size_t)put;
    }
    return fsync(fd) == 0 ? SY_OK : sy_os_status(errno);
}

static sy_status sync_folder_of(const char *path, struct sy_error *err)
{
    const char *slash = strrchr(path, '/');
    char folder[4096];
    if (slash == NULL) return sy_os_fsync_dir(".", err);
    size_t size = slash == path ? 1 : (size_t)(slash - path);
    if (size >= sizeof folder) return sy_fail(err, SY_ERR_LIMIT, "%s: path too long", path);
    memcpy(folder, path, size);
    folder[size] = '\0';
    return sy_os_fsync_dir(folder, err);
}

static sy_status write_new_file(const char *path, const char *text, size_t size,
                                struct sy_error *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 && errno == EEXIST) {
        return sy_fail(err, SY_ERR_EXISTS,
                       "%s exists; a key is never overwritten: choose another "
                       "path or move the old file away",
                       path);
    }
    if (fd < 0) {
        return sy_fail(err, sy_os_status(errno), "cannot make %s: %s", path, strerror(errno));
    }
    sy_status status = write_all(fd, text, size);
    if (status != SY_OK) {
        status = sy_fail(err, status, "cannot write %s: %s", path, strerror(errno));
    }
    if (close(fd) != 0 && status == SY_OK) {
        status = sy_fail(err, SY_ERR_IO, "cannot write %s: %s", path, strerror(errno));
    }
    if (status == SY_OK) status = sync_folder_of(path, err);
    if (status != SY_OK) (void)unlink(path);
    return status;
}

sy_status sy_pem_save(EVP_PKEY *key, const char *path, const char *passphrase_path,
                      struct sy_error *err)
{
    struct passphrase pass = {.given = false};
    sy_status status = read_passphrase(&pass, passphrase_path, err);
    if (status == SY_OK) {
        char *text = NULL;
        BIO *bio = BIO_new(BIO_s_mem()); // OpenSSL wipes a memory BIO when it frees it.
        SY_OPENSSL_MUST(bio != NULL);
        encode_pem(bio, key, &pass);
        long size = BIO_get_mem_data(bio, &text);
        status = write_new_file(path, text, (size_t)size, err);
        BIO_free(bio);
    }
    sy_wipe(&pass, sizeof pass);
    return status;
}
