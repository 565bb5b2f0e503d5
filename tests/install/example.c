/* A small program of somebody else's: it knows libsystole by its installed header and pkg-config
 * file alone. Given a genesis file it makes a key, makes and signs a transaction, hands it on as
 * text, and checks a file that claims to be a proof. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <systole.h>

static int fail(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, systole_error_text());
    return EXIT_FAILURE;
}

static void print_hex(const char *name, const unsigned char *bytes, size_t size)
{
    printf("%s ", name);
    for (size_t i = 0; i < size; i++) printf("%02x", bytes[i]);
    printf("\n");
}

static int make_transaction(systole_network *network, systole_key *key)
{
    systole_tx *tx = NULL;
    systole_tx *copy = NULL;
    char *text = NULL;
    unsigned char signer[32], id[32];
    struct systole_tx_config config;
    memset(&config, 0, sizeof config);
    systole_key_get_public(key, signer);
    config.struct_bytes = sizeof config;
    config.kind = "care.close";
    config.fields = "{\"care_id\": \"random\"}";
    config.signer = signer;
    config.nonce = 1;
    if (systole_tx_make(&tx, network, &config) != SYSTOLE_OK) return fail("make");
    if (systole_tx_sign(tx, network, key) != SYSTOLE_OK) return fail("sign");
    if (systole_tx_get_text(tx, &text) != SYSTOLE_OK) return fail("text");
    if (systole_tx_parse(&copy, network, text, strlen(text)) != SYSTOLE_OK) return fail("parse");
    systole_tx_get_id(copy, id);
    print_hex("transaction", id, sizeof id);
    printf("missing %u\n", systole_tx_missing(copy));
    systole_free(text);
    systole_tx_close(tx);
    systole_tx_close(copy);
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    systole_network *network = NULL;
    systole_key *key = NULL;
    systole_proof *proof = NULL;
    unsigned char hash[32];
    if (argc != 2) {
        fprintf(stderr, "usage: example GENESIS\n");
        return EXIT_FAILURE;
    }
    if (systole_network_open(&network, argv[1], NULL, 0) != SYSTOLE_OK) return fail("open");
    systole_network_get_hash(network, hash);
    print_hex("network", hash, sizeof hash);
    printf("validators %u\n", systole_network_count(network));
    if (systole_key_generate(&key, NULL, NULL) != SYSTOLE_OK) return fail("key");
    int code = make_transaction(network, key);
    if (systole_proof_verify(&proof, network, "no proof", 8) != SYSTOLE_ERR_FORMAT) {
        return fail("a file that is no proof was taken for one");
    }
    printf("no proof: %s\n", systole_error_text());
    systole_key_close(key);
    systole_network_close(network);
    return code;
}
