/* cmd_keygen.c: `systole keygen`: one key in one file. */
#include "core/client/cmd.h"
#include "core/crypto/es256.h"

static sy_status make_ed25519(uint8_t public_out[32], const char *path, const char *passphrase,
                              struct sy_error *err)
{
    sy_secret_key *key = NULL;
    struct sy_public_key half;
    SY_TRY(sy_secret_key_generate(&key, err));
    sy_status status = sy_secret_key_save(key, path, passphrase, err);
    sy_secret_key_public(key, &half);
    sy_secret_key_close(key);
    memcpy(public_out, half.bytes, sizeof half.bytes);
    return status;
}

/* The public half as x and y behind each other. */
static sy_status make_p256(uint8_t public_out[64], const char *path, const char *passphrase,
                           struct sy_error *err)
{
    struct sy_p256_public half;
    SY_TRY(sy_p256_generate(&half, path, passphrase, err));
    memcpy(public_out, half.x, sizeof half.x);
    memcpy(public_out + sizeof half.x, half.y, sizeof half.y);
    return SY_OK;
}

int sy_cmd_keygen(int argc, char **argv)
{
    const char *path = NULL;
    const char *passphrase = NULL;
    bool x25519 = false, p256 = false;
    const struct sy_option options[] = {
        {"out", SY_OPTION_TEXT, &path, "FILE",
         "where the key goes (key.pem, x25519.pem or card.pem)", 0, 0},
        {"x25519", SY_OPTION_SWITCH, &x25519, NULL,
         "make an X25519 key, to which content keys are wrapped", 0, 0},
        {"p256", SY_OPTION_SWITCH, &p256, NULL, "make a P-256 key, which signs health cards", 0, 0},
        {"passphrase", SY_OPTION_TEXT, &passphrase, "FILE",
         "encrypt the key under the first line of this file (mode 0600)", 0, 0},
    };
    struct sy_cmd cmd = {
        .name = "keygen",
        .arguments = "",
        .about = "Makes an Ed25519 key, writes it to a new file of mode 0600 (PKCS#8 PEM) and\n"
                 "prints its public half. The secret half leaves the file nowhere else: keep a\n"
                 "copy where you keep such things.\n",
        .options = options,
        .option_count = sizeof options / sizeof options[0]};
    int exit_code;
    if (!sy_cmd_parse(&cmd, &exit_code, argc, argv)) return exit_code;

    struct sy_error err = {SY_OK, ""};
    uint8_t half[64];
    char hex[129];
    if (x25519 && p256) return sy_cmd_usage(&cmd, "a key is of one type: --x25519 or --p256");
    if (!path) path = x25519 ? "x25519.pem" : p256 ? "card.pem" : "key.pem";
    sy_status status = x25519 ? sy_x25519_generate(half, path, passphrase, &err)
                       : p256 ? make_p256(half, path, passphrase, &err)
                              : make_ed25519(half, path, passphrase, &err);
    if (status != SY_OK) return sy_cmd_fail(&cmd, &err);
    sy_hex_encode(hex, half, p256 ? 64 : 32);
    if (!cmd.json) {
        printf("%s\n", hex);
        fprintf(stderr, "the secret half is in %s\n", path);
        return SY_EXIT_DONE;
    }
    sy_json json;
    sy_cmd_json_begin(&json);
    sy_json_put_text(&json, "type", x25519 ? "x25519" : p256 ? "p256" : "ed25519");
    sy_json_put_text(&json, "public_key", hex);
    sy_json_put_text(&json, "file", path);
    return sy_cmd_json_end(&json, SY_EXIT_DONE);
}
