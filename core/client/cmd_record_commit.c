/* cmd_record_commit.c: `systole record commit`: what record.create and record.amend say of content.
 */
#include "core/client/cmd_record.h"

#include <stdlib.h>

#include "core/base/os.h"
#include "core/client/cmd.h"
#include "core/client/shared_content.h"
#include "core/wire/schema.h"

static const char about[] =
    "Makes the commitment to the bytes of FILE that `record.create` and\n"
    "`record.amend` take, under a fresh random salt, and the size that they tell.\n"
    "Keep the salt with the content: without it nobody can show what was registered,\n"
    "and who has neither cannot guess it.\n";

int sy_cmd_record_commit(int argc, char **argv)
{
    const char *salt_hex = NULL;
    const struct sy_option options[] = {
        {"salt", SY_OPTION_TEXT, &salt_hex, "HEX", "this salt, instead of a fresh one", 0, 0},
    };
    struct sy_cmd cmd = {.name = "record commit",
                         .arguments = "FILE",
                         .about = about,
                         .options = options,
                         .option_count = sizeof options / sizeof options[0],
                         .words_min = 1,
                         .words_max = 1};
    int exit_code;
    struct sy_error err = {SY_OK, ""};
    struct sy_shared_content content = {.bytes = NULL};
    if (!sy_cmd_parse(&cmd, &exit_code, argc, argv)) return exit_code;
    sy_status status = SY_OK;
    if (salt_hex) status = sy_cmd_hash(&content.salt, "--salt", salt_hex, &err);
    if (!salt_hex) sy_os_random(&content.salt, sizeof content.salt);
    if (status == SY_OK) status = sy_shared_content_read(&content, cmd.words[0], &err);
    if (status != SY_OK) return sy_cmd_fail(&cmd, &err);

    struct sy_hash commit;
    char hex[65], salt[65];
    uint64_t rounded = sy_content_size_rounded(content.size);
    sy_content_commit(&commit, SY_FORM_RAW, &content.salt,
                      sy_slice_of(content.bytes, content.size));
    sy_hex_encode(hex, commit.bytes, sizeof commit.bytes);
    sy_hex_encode(salt, content.salt.bytes, sizeof content.salt.bytes);
    sy_shared_content_free(&content);
    if (!cmd.json) {
        printf("form=raw commit=%s size=%llu\nsalt %s\n", hex, (unsigned long long)rounded, salt);
        return SY_EXIT_DONE;
    }
    sy_json json;
    sy_cmd_json_begin(&json);
    sy_json_put_text(&json, "form", "raw");
    sy_json_put_text(&json, "commit", hex);
    sy_json_put_u64(&json, "size", rounded);
    sy_json_put_text(&json, "salt", salt);
    return sy_cmd_json_end(&json, SY_EXIT_DONE);
}
