/* who_may_table.c: the lines of tests/data/contracts/who_may.txt; see who_may_rig.h. */
#include "tests/unit/who_may_table.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/base/os.h"

struct scenario scenarios[SCENARIOS_MAX];
unsigned scenario_count;
struct made mades[MADES_MAX];
unsigned made_count;

static unsigned line_number;

/* Ends the test; abort is never reached, which not every reader of this code knows. */
#define BAD(...)                                                 \
    do {                                                         \
        print_error("%s, line %u: ", WHO_MAY_FILE, line_number); \
        fail_msg(__VA_ARGS__);                                   \
        abort();                                                 \
    } while (0)

/* Without blanks at both ends, in place. */
static char *trim(char *text)
{
    while (*text == ' ') text++;
    size_t size = strlen(text);
    while (size > 0 && text[size - 1] == ' ') text[--size] = '\0';
    return text;
}

/* The next piece of *rest before a separator, trimmed; NULL: there is none. */
static char *next_piece(char **rest, char separator)
{
    char *piece = *rest;
    if (piece == NULL) return NULL;
    char *end = strchr(piece, separator);
    *rest = end != NULL ? end + 1 : NULL;
    if (end != NULL) *end = '\0';
    return trim(piece);
}

static void keep(char *out, size_t size, const char *text)
{
    if (strlen(text) >= size) BAD("too long: %s", text);
    memcpy(out, text, strlen(text) + 1);
}

static struct scenario *newest(void)
{
    if (scenario_count == 0) BAD("no scenario begins before this");
    return &scenarios[scenario_count - 1];
}

// --- one line ----------------------------------------------------------------------------------

/* make KIND by KEY[, KEY] */
static void begin_made(char *text)
{
    char *by = strstr(text, " by ");
    if (made_count == MADES_MAX || by == NULL) BAD("no: make KIND by KEY");
    struct made *made = &mades[made_count++];
    *by = '\0';
    made->line = line_number;
    made->kind = sy_kind_by_name(trim(text));
    if (made->kind == NULL) BAD("no kind %s", text);
    char *rest = by + 4, *key;
    while ((key = next_piece(&rest, ',')) != NULL && made->key_count < COSIGNERS_MAX) {
        keep(made->keys[made->key_count++], sizeof made->keys[0], key);
    }
}

/* == KIND[, words], or == read WHAT[, words] */
static void begin_scenario(char *text)
{
    if (scenario_count == SCENARIOS_MAX) BAD("too many scenarios");
    struct scenario *scenario = &scenarios[scenario_count++];
    keep(scenario->name, sizeof scenario->name, text);
    bool read = strncmp(text, "read ", 5) == 0;
    keep(scenario->what, sizeof scenario->what, text + (read ? 5 : 0));
    char *comma = strchr(scenario->what, ',');
    if (comma != NULL) *comma = '\0';
    scenario->kind = read ? NULL : sy_kind_by_name(scenario->what);
    if (!read && scenario->kind == NULL) BAD("no kind %s", scenario->what);
    for (unsigned i = 0; i + 1 < scenario_count; i++) {
        if (strcmp(scenarios[i].name, text) == 0) BAD("%s stands here twice", text);
    }
}

/* Which line is about the role; the one of "others" comes last and takes what is left. */
static void take_roles(struct scenario *scenario, const struct who_line *line)
{
    char roles[sizeof line->roles];
    char *rest = roles, *word;
    memcpy(roles, line->roles, sizeof roles);
    if (strcmp(roles, "others") == 0) {
        for (unsigned role = 1; role < SY_ROLE_COUNT; role++) {
            if (scenario->of_role[role] == NULL) scenario->of_role[role] = line;
        }
        return;
    }
    while ((word = next_piece(&rest, ',')) != NULL) {
        uint16_t role;
        if (!sy_enum_number(&role, &sy_enum_role, word, strlen(word))) BAD("no role '%s'", word);
        if (scenario->of_role[role] != NULL) BAD("%s stands in two lines", word);
        scenario->of_role[role] = line;
    }
}

static bool is_code(const struct scenario *scenario, const char *word)
{
    if (scenario->kind == NULL) return strcmp(word, "yes") == 0 || strcmp(word, "no") == 0;
    if (strcmp(word, "applied") == 0) return true;
    for (unsigned code = 1; code < 1024; code++) {
        const struct sy_refusal_info *info = sy_refusal_info((uint16_t)code);
        if (info != NULL && strcmp(info->name, word) == 0) return true;
    }
    return false;
}

/* ROLE, ROLE | five codes */
static void take_line(char *text, char *codes)
{
    struct scenario *scenario = newest();
    if (scenario->line_count == LINES_MAX) BAD("too many lines");
    struct who_line *line = &scenario->lines[scenario->line_count++];
    char *rest = codes, *word;
    unsigned count = 0;
    keep(line->roles, sizeof line->roles, trim(text));
    while ((word = next_piece(&rest, ' ')) != NULL) {
        if (word[0] == '\0') continue;
        if (count == STANDINGS || !is_code(scenario, word)) BAD("no code '%s' here", word);
        keep(line->codes[count++], sizeof line->codes[0], word);
    }
    if (count != STANDINGS) BAD("%u codes instead of %u", count, (unsigned)STANDINGS);
    take_roles(scenario, line);
}

static void take_fields(const char *text)
{
    bool of_made = scenario_count == 0;
    if (of_made && made_count == 0) BAD("fields of nothing");
    if (of_made) {
        keep(mades[made_count - 1].fields, sizeof mades[0].fields, text);
    } else {
        keep(newest()->fields, sizeof newest()->fields, text);
    }
}

static void read_line(char *text)
{
    char *bar = strchr(text, '|');
    if (text[0] == '\0' || text[0] == '#') return;
    if (strncmp(text, "make ", 5) == 0) {
        begin_made(text + 5);
    } else if (strncmp(text, "== ", 3) == 0) {
        begin_scenario(trim(text + 3));
    } else if (strncmp(text, "= ", 2) == 0) {
        take_fields(trim(text + 2));
    } else if (strncmp(text, "+ ", 2) == 0) {
        struct scenario *scenario = newest();
        if (scenario->cosigner_count == COSIGNERS_MAX) BAD("too many cosigners");
        keep(scenario->cosigners[scenario->cosigner_count++], sizeof scenario->cosigners[0],
             trim(text + 2));
    } else if (bar != NULL) {
        *bar = '\0';
        take_line(text, bar + 1);
    } else {
        BAD("what is this: %s", text);
    }
}

void table_read(void)
{
    char path[512];
    const char *source = getenv("SYSTOLE_SOURCE");
    uint8_t *bytes;
    size_t size;
    struct sy_error err;
    (void)snprintf(path, sizeof path, "%s/%s", source != NULL ? source : ".", WHO_MAY_FILE);
    if (sy_os_read_file(&bytes, &size, path, 1 << 20, &err) != SY_OK) fail_msg("%s", err.text);
    char *text = (char *)malloc(size + 1);
    assert_non_null(text);
    memcpy(text, bytes, size);
    text[size] = '\0';
    free(bytes);
    char *rest = text;
    for (line_number = 1; rest != NULL && *rest != '\0'; line_number++) {
        char *end = strchr(rest, '\n');
        if (end != NULL) *end = '\0';
        read_line(rest);
        rest = end != NULL ? end + 1 : NULL;
    }
    free(text);
    for (unsigned i = 0; i < scenario_count; i++) {
        for (unsigned role = 1; role < SY_ROLE_COUNT; role++) {
            if (scenarios[i].of_role[role] == NULL) {
                fail_msg("%s: nothing is said of %s", scenarios[i].name,
                         sy_enum_word(&sy_enum_role, (uint16_t)role));
            }
        }
    }
}
