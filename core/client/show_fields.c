/* show_fields.c: see show_fields.h. */
#include "core/client/show_fields.h"

void sy_show_hash(sy_json *json, const char *name, const struct sy_hash *hash)
{
    sy_json_put_hex(json, name, hash->bytes, sizeof hash->bytes);
}

void sy_show_key(sy_json *json, const char *name, const struct sy_public_key *key)
{
    sy_json_put_hex(json, name, key->bytes, sizeof key->bytes);
}

void sy_show_word(sy_json *json, const char *name, const struct sy_enum *names, uint16_t number)
{
    const char *word = sy_enum_word(names, number);
    if (word) {
        sy_json_put_text(json, name, word);
    } else {
        sy_json_put_u64(json, name, number);
    }
}

void sy_show_set(sy_json *json, const char *name, const struct sy_enum *names, uint32_t set)
{
    sy_json_key(json, name);
    sy_json_array_begin(json);
    for (unsigned i = 0; i < names->count; i++) {
        if ((set & SY_SET_BIT(names->values[i].number)) != 0) {
            sy_json_text(json, names->values[i].word);
        }
    }
    sy_json_array_end(json);
}

void sy_show_when(sy_json *json, uint64_t height, int64_t time_ms)
{
    sy_json_put_u64(json, "height", height);
    sy_json_put_i64(json, "time_ms", time_ms);
}

void sy_show_ids(sy_json *json, const char *name, const struct sy_list *list)
{
    struct sy_hash id;
    sy_json_key(json, name);
    sy_json_array_begin(json);
    for (size_t offset = 0; sy_list_next_id(list, &offset, &id);) {
        sy_json_hex(json, id.bytes, sizeof id.bytes);
    }
    sy_json_array_end(json);
}

void sy_show_texts(sy_json *json, const char *name, const struct sy_list *list)
{
    struct sy_slice text;
    sy_json_key(json, name);
    sy_json_array_begin(json);
    for (size_t offset = 0; sy_list_next_text(list, &offset, &text);) {
        sy_json_text_bytes(json, text.data, text.size);
    }
    sy_json_array_end(json);
}
