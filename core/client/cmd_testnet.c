/* cmd_testnet.c: `systole testnet DIR`. */
#include <stdlib.h>

#include "core/client/cmd.h"
#include "core/client/testnet.h"

static const char about[] =
    "Lays out a network of validators of this machine in DIR: a genesis file, a\n"
    "folder a validator (systoled.conf, keys, later data, log and pid), a\n"
    "regulator's key and the configuration of a client. Validator i listens on\n"
    "127.0.0.1 at the base port + 10 i: control, bulk, client, http. Observers o0, o1\n"
    "... come behind them.\n";

static int tell(const struct sy_cmd *cmd, const char *folder, const struct sy_testnet *net,
                unsigned observers)
{
    const struct sy_roster *roster = &net->genesis.roster;
    if (!cmd->json) {
        printf("%u validators laid out in %s; start each, the first time with --init:\n\n",
               (unsigned)roster->count, folder);
        for (unsigned i = 0; i < roster->count; i++) {
            printf("  systoled --config %s/v%u/systoled.conf --init\n", folder, i);
        }
        for (unsigned i = 0; i < observers; i++) {
            printf("  systoled --config %s/o%u/systoled.conf --init\n", folder, i);
        }
        printf("\nthen ask it: systole status --net %s\n", folder);
        return SY_EXIT_DONE;
    }
    char path[SY_CMD_PATH_MAX];
    sy_json json;
    sy_cmd_json_begin(&json);
    sy_json_put_text(&json, "folder", folder);
    sy_json_put_hex(&json, "genesis", net->genesis.hash.bytes, sizeof net->genesis.hash.bytes);
    sy_json_key(&json, "validators");
    sy_json_array_begin(&json);
    for (unsigned i = 0; i < roster->count; i++) {
        const struct sy_validator *validator = &roster->validators[i];
        sy_json_object_begin(&json);
        sy_json_put_text(&json, "name", validator->name);
        (void)snprintf(path, sizeof path, "%s/v%u/systoled.conf", folder, i);
        sy_json_put_text(&json, "config", path);
        sy_json_put_text(&json, "control", validator->control_address);
        sy_json_put_text(&json, "bulk", validator->bulk_address);
        sy_json_put_text(&json, "client", validator->client_address);
        (void)snprintf(path, sizeof path, "tcp://127.0.0.1:%u", net->ports[i] + 3u);
        sy_json_put_text(&json, "http", path);
        sy_json_object_end(&json);
    }
    sy_json_array_end(&json);
    sy_json_key(&json, "observers");
    sy_json_array_begin(&json);
    for (unsigned i = 0; i < observers; i++) {
        sy_json_object_begin(&json);
        (void)snprintf(path, sizeof path, "o%u", i);
        sy_json_put_text(&json, "name", path);
        (void)snprintf(path, sizeof path, "%s/o%u/systoled.conf", folder, i);
        sy_json_put_text(&json, "config", path);
        sy_json_put_hex(&json, "link_key", net->observers[i].bytes, sizeof net->observers[i].bytes);
        (void)snprintf(path, sizeof path, "tcp://127.0.0.1:%u", net->ports[roster->count + i] + 2u);
        sy_json_put_text(&json, "client", path);
        sy_json_object_end(&json);
    }
    sy_json_array_end(&json);
    return sy_cmd_json_end(&json, SY_EXIT_DONE);
}

int sy_cmd_testnet(int argc, char **argv)
{
    uint64_t validators = SY_VALIDATORS_MIN;
    uint64_t observers = 0;
    uint64_t base_port = SY_TESTNET_BASE_PORT;
    struct sy_option_list settings = {.count = 0};
    const struct sy_option options[] = {
        {"validators", SY_OPTION_NUMBER, &validators, "N", "how many (4)", SY_VALIDATORS_MIN,
         SY_VALIDATORS_MAX},
        {"observers", SY_OPTION_NUMBER, &observers, "N",
         "nodes that follow, serve reads and never vote (0)", 0, SY_TESTNET_OBSERVERS_MAX},
        {"base-port", SY_OPTION_NUMBER, &base_port, "PORT",
         "first port (27100); 0: free ones, wherever they are", 0, 65000},
        {"set", SY_OPTION_LIST, &settings, "'KEY = VALUE'",
         "a line for every systoled.conf; may be given again", 0, 0},
    };
    struct sy_cmd cmd = {.name = "testnet",
                         .arguments = "DIR",
                         .about = about,
                         .options = options,
                         .option_count = sizeof options / sizeof options[0],
                         .words_min = 1,
                         .words_max = 1};
    int exit_code;
    if (!sy_cmd_parse(&cmd, &exit_code, argc, argv)) return exit_code;
    struct sy_error err = {SY_OK, ""};
    struct sy_testnet *net = (struct sy_testnet *)malloc(sizeof *net);
    struct sy_testnet_config config = {.folder = cmd.words[0],
                                       .validators = (unsigned)validators,
                                       .observers = (unsigned)observers,
                                       .base_port = (unsigned)base_port,
                                       .settings = settings.items,
                                       .setting_count = settings.count};
    if (!net) {
        (void)sy_fail(&err, SY_ERR_NO_MEMORY, "no memory");
        return sy_cmd_fail(&cmd, &err);
    }
    exit_code = sy_testnet_make(net, &config, &err) == SY_OK
                    ? tell(&cmd, config.folder, net, (unsigned)observers)
                    : sy_cmd_fail(&cmd, &err);
    free(net);
    return exit_code;
}
