/* test_testnet.c: a network laid out in a folder: everything that a validator and a client need,
 * and nothing half done. */
#include "tests/support/test.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "consensus/node/config.h"
#include "core/base/os.h"
#include "core/client/cmd.h"
#include "core/client/testnet.h"
#include "core/wire/genesis_json.h"

static struct sy_testnet net;
static char folder[256];

static void fresh_folder(void)
{
    test_folder(folder, sizeof folder, "testnet");
}

static void drop_folder(void)
{
    assert_int_equal(sy_os_remove_tree(folder, NULL), SY_OK);
}

static sy_status make(unsigned validators, unsigned base_port, struct sy_error *err)
{
    struct sy_testnet_config config = {
        .folder = folder, .validators = validators, .base_port = base_port};
    return sy_testnet_make(&net, &config, err);
}

static unsigned mode_of(const char *name)
{
    char path[400];
    struct stat info;
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    if (stat(path, &info) != 0) fail_msg("%s is missing", path);
    return info.st_mode & 0777u;
}

static void check_key(const char *name, const struct sy_public_key *wanted)
{
    char path[400];
    sy_secret_key *key = NULL;
    struct sy_public_key half;
    struct sy_error err = {SY_OK, ""};
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_int_equal(mode_of(name), 0600);
    if (sy_secret_key_load(&key, path, NULL, &err) != SY_OK) fail_msg("%s", err.text);
    sy_secret_key_public(key, &half);
    sy_secret_key_close(key);
    assert_true(sy_public_key_equal(&half, wanted));
}

CASE(a_network_is_complete)
{
    struct sy_error err = {SY_OK, ""};
    static struct sy_genesis genesis;
    char path[400];
    fresh_folder();
    if (make(5, 0, &err) != SY_OK) fail_msg("%s", err.text);
    (void)snprintf(path, sizeof path, "%s/genesis.json", folder);
    assert_int_equal(sy_genesis_load(&genesis, path, &err), SY_OK);
    assert_true(sy_hash_equal(&genesis.hash, &net.genesis.hash));
    assert_int_equal(genesis.roster.count, 5);
    for (unsigned i = 0; i < 5; i++) {
        const struct sy_validator *validator = &genesis.roster.validators[i];
        char name[64];
        (void)snprintf(name, sizeof name, "v%u/keys", i);
        assert_int_equal(mode_of(name), 0700);
        (void)snprintf(name, sizeof name, "v%u/keys/consensus.pem", i);
        check_key(name, &validator->consensus_key);
        (void)snprintf(name, sizeof name, "v%u/keys/link.pem", i);
        check_key(name, &validator->link_key);
        (void)snprintf(name, sizeof name, "v%u/keys/admin.pem", i);
        check_key(name, &validator->admin_key);
        (void)snprintf(name, sizeof name, "tcp://127.0.0.1:%u", net.ports[i] + 2u);
        assert_string_equal(validator->client_address, name);
    }
    assert_int_equal(mode_of("keys"), 0700);
    check_key("keys/regulator-0.pem", &genesis.regulators[0]);
    drop_folder();
}

CASE(a_client_finds_the_network_by_its_folder)
{
    struct sy_error err = {SY_OK, ""};
    struct sy_cmd_net *client = NULL;
    char wanted[400];
    fresh_folder();
    assert_int_equal(make(4, 0, &err), SY_OK);
    struct sy_cmd_where where = {folder, NULL, "v2"};
    if (sy_cmd_net_open(&client, &where, &err) != SY_OK) fail_msg("%s", err.text);
    assert_true(sy_hash_equal(&client->genesis.hash, &net.genesis.hash));
    assert_string_equal(client->validator, "v2");
    (void)snprintf(wanted, sizeof wanted, "%s/keys/regulator-0.pem", folder);
    assert_string_equal(client->regulator_key, wanted);
    (void)snprintf(wanted, sizeof wanted, "%s/client", folder);
    assert_string_equal(client->client, wanted);
    assert_string_equal(sy_cmd_net_address(client, 3),
                        net.genesis.roster.validators[3].client_address);
    sy_cmd_net_close(client);

    // Whether any roster has the name is known once the rosters are.
    char name[SY_NAME_BYTES_MAX + 2];
    memset(name, 'v', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    where.validator = name;
    assert_int_equal(sy_cmd_net_open(&client, &where, &err), SY_ERR_ARGUMENT);
    assert_non_null(strstr(err.text, name));
    where = (struct sy_cmd_where){NULL, NULL, NULL};
    assert_int_equal(sy_cmd_net_open(&client, &where, &err), SY_ERR_ARGUMENT);
    drop_folder();
}

static void write_conf(const char *text, struct sy_cmd_where *where, char path[400])
{
    struct sy_error err = {SY_OK, ""};
    (void)snprintf(path, 400, "%s/other.conf", folder);
    assert_int_equal(sy_os_write_file(path, text, strlen(text), 0644, &err), SY_OK);
    *where = (struct sy_cmd_where){NULL, path, NULL};
}

#define KEY "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

CASE(a_clients_configuration_is_read_strictly)
{
    static const struct {
        const char *text, *words;
    } bad[] = {
        {"genesis = genesis.json\ncolour = red\n", "other.conf:2: there is no key \"colour\""},
        {"genesis = a\n\n# b\ngenesis = c\n", "other.conf:4: genesis is given twice"},
        {"genesis\n", "other.conf:1: expected `key = value`"},
        {"addresses = tcp://127.0.0.1:1, nowhere\n", "other.conf:1"},
        {"addresses = tcp://127.0.0.1:1\n", "1 addresses for 4 validators"},
        {"\nobserver = a tcp://127.0.0.1:1\n", "other.conf:2: an observer is a name"},
        {"observer = a 00 tcp://127.0.0.1:1\n", "other.conf:1: an observer is a name"},
        {"observer = a " KEY " nowhere\n", "other.conf:1: 'nowhere'"},
        {"observer = a " KEY " tcp://127.0.0.1:1\nobserver = a " KEY " tcp://127.0.0.1:1\n",
         "other.conf:2: another observer has the name a"},
    };
    struct sy_error err = {SY_OK, ""};
    struct sy_cmd_net *client = NULL;
    struct sy_cmd_where where;
    char path[400];
    fresh_folder();
    assert_int_equal(make(4, 0, &err), SY_OK);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        write_conf(bad[i].text, &where, path);
        assert_int_equal(sy_cmd_net_open(&client, &where, &err), SY_ERR_ARGUMENT);
        if (!strstr(err.text, bad[i].words)) fail_msg("'%s', not '%s'", err.text, bad[i].words);
    }
    write_conf("addresses = tcp://127.0.0.1:1, tcp://127.0.0.1:2,tcp://127.0.0.1:3,"
               "tcp://localhost:4\nkey = /keys/mine.pem\n",
               &where, path);
    if (sy_cmd_net_open(&client, &where, &err) != SY_OK) fail_msg("%s", err.text);
    assert_string_equal(sy_cmd_net_address(client, 1), "tcp://127.0.0.1:2");
    assert_string_equal(sy_cmd_net_address(client, 3), "tcp://localhost:4");
    assert_string_equal(client->key, "/keys/mine.pem");
    assert_string_equal(client->regulator_key, "");
    sy_cmd_net_close(client);
    drop_folder();
}

CASE(settings_reach_every_validator)
{
    static const char *const settings[] = {"heartbeat_ms = 100", "batch_timeout_ms = 2"};
    struct sy_error err = {SY_OK, ""};
    char path[400];
    uint8_t *bytes;
    size_t size;
    fresh_folder();
    struct sy_testnet_config config = {
        .folder = folder, .validators = 4, .settings = settings, .setting_count = 2};
    assert_int_equal(sy_testnet_make(&net, &config, &err), SY_OK);
    (void)snprintf(path, sizeof path, "%s/v3/systoled.conf", folder);
    assert_int_equal(sy_os_read_file(&bytes, &size, path, 65536, &err), SY_OK);
    assert_non_null(strstr((const char *)bytes, "\nheartbeat_ms = 100\nbatch_timeout_ms = 2\n"));
    assert_non_null(strstr((const char *)bytes, "\ngenesis = ../genesis.json\n"));
    free(bytes);
    drop_folder();
}

/* What the layout writes the programs read. */
CASE(observers_are_known_to_validators_and_to_the_client)
{
    struct sy_error err = {SY_OK, ""};
    static struct sy_config daemon;
    struct sy_cmd_net *client = NULL;
    char path[400];
    fresh_folder();
    struct sy_testnet_config config = {.folder = folder, .validators = 4, .observers = 2};
    if (sy_testnet_make(&net, &config, &err) != SY_OK) fail_msg("%s", err.text);
    check_key("o0/keys/link.pem", &net.observers[0]);
    check_key("o1/keys/link.pem", &net.observers[1]);
    (void)snprintf(path, sizeof path, "%s/v3/systoled.conf", folder);
    if (sy_config_load(&daemon, path, &err) != SY_OK) fail_msg("%s", err.text);
    assert_true(!daemon.observes && daemon.observer_count == 2);
    static struct sy_link_peer listed;
    listed = daemon.observers[1];
    assert_string_equal(listed.name, "o1");
    assert_true(sy_public_key_equal(&listed.key, &net.observers[1]));
    (void)snprintf(path, sizeof path, "%s/o1/systoled.conf", folder);
    if (sy_config_load(&daemon, path, &err) != SY_OK) fail_msg("%s", err.text);
    assert_true(daemon.observes && daemon.observer_count == 0);
    assert_string_equal(daemon.control, listed.control);
    assert_string_equal(daemon.bulk, listed.bulk);
    struct sy_cmd_where where = {folder, NULL, "o1"};
    if (sy_cmd_net_open(&client, &where, &err) != SY_OK) fail_msg("%s", err.text);
    assert_int_equal(client->observer_count, 2);
    assert_string_equal(client->observers[1].name, "o1");
    assert_string_equal(client->observers[1].address, daemon.client);
    assert_true(sy_public_key_equal(&client->observers[1].link_key, &net.observers[1]));
    sy_cmd_net_close(client);
    drop_folder();
    config.observers = SY_TESTNET_OBSERVERS_MAX + 1;
    assert_int_equal(sy_testnet_make(&net, &config, &err), SY_ERR_ARGUMENT);
    assert_non_null(strstr(err.text, "at most 8"));
}

CASE(a_network_is_laid_out_once)
{
    struct sy_error err = {SY_OK, ""};
    fresh_folder();
    assert_int_equal(make(4, 0, &err), SY_OK);
    struct sy_hash first = net.genesis.hash;
    assert_int_equal(make(4, 0, &err), SY_ERR_EXISTS);
    assert_non_null(strstr(err.text, folder));
    static struct sy_genesis genesis;
    char path[400];
    (void)snprintf(path, sizeof path, "%s/genesis.json", folder);
    assert_int_equal(sy_genesis_load(&genesis, path, &err), SY_OK);
    assert_true(sy_hash_equal(&genesis.hash, &first));
    drop_folder();
}

// Other processes take ports too: a base port that one of them spoils is left for the next.
#define BASES 50u

static uint16_t next_base(uint16_t *from)
{
    uint16_t base = sy_os_free_port(*from, 40);
    assert_true(base > 0);
    *from = (uint16_t)(base + 40);
    return base;
}

CASE(a_taken_port_is_told_before_anything_is_written)
{
    struct sy_error err = {SY_OK, ""};
    bool told = false;
    uint16_t from = 30000;
    fresh_folder();
    for (unsigned i = 0; i < BASES && !told; i++) {
        char words[64];
        uint16_t base = next_base(&from);
        unsigned taken = base + 10u * 2 + 3; // the http port of validator 2
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)taken)};
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (bind(fd, (const struct sockaddr *)&address, sizeof address) == 0) {
            assert_int_equal(listen(fd, 1), 0);
            assert_int_equal(make(4, base, &err), SY_ERR_NETWORK);
            (void)snprintf(words, sizeof words, "port %u of 127.0.0.1, for validator v2", taken);
            told = strstr(err.text, words) != NULL;
        }
        close(fd);
    }
    if (!told) fail_msg("%s", err.text);
    assert_int_equal(rmdir(folder), 0); // still empty
}

CASE(ports_follow_the_base_port)
{
    struct sy_error err = {SY_OK, ""};
    sy_status status = SY_ERR_NETWORK;
    uint16_t from = 31000;
    uint16_t base = 0;
    fresh_folder();
    for (unsigned i = 0; i < BASES && status == SY_ERR_NETWORK; i++) {
        base = next_base(&from);
        status = make(4, base, &err);
    }
    if (status != SY_OK) fail_msg("%s", err.text);
    for (unsigned i = 0; i < 4; i++) assert_int_equal(net.ports[i], base + 10 * i);
    drop_folder();
    fresh_folder();
    assert_int_equal(make(100, 64700, &err), SY_ERR_ARGUMENT);
    assert_non_null(strstr(err.text, "64541"));
    assert_int_equal(make(3, 0, &err), SY_ERR_ARGUMENT);
    assert_int_equal(make(101, 0, &err), SY_ERR_ARGUMENT);
    drop_folder();
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(a_network_is_complete),
        cmocka_unit_test(a_client_finds_the_network_by_its_folder),
        cmocka_unit_test(a_clients_configuration_is_read_strictly),
        cmocka_unit_test(settings_reach_every_validator),
        cmocka_unit_test(observers_are_known_to_validators_and_to_the_client),
        cmocka_unit_test(a_network_is_laid_out_once),
        cmocka_unit_test(a_taken_port_is_told_before_anything_is_written),
        cmocka_unit_test(ports_follow_the_base_port),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
