/* show_fields.h: members of a state entry's value that many kinds have (internal to core/client).
 */
#ifndef SY_CLIENT_SHOW_FIELDS_H
#define SY_CLIENT_SHOW_FIELDS_H

#include "core/base/json.h"
#include "core/wire/schema.h"

/* Each writes a member of the object that is open; when: "height" and "time_ms". word: the number
 * itself if it has no word, which a decoded value has. */
void sy_show_hash(sy_json *json, const char *name, const struct sy_hash *hash);
void sy_show_key(sy_json *json, const char *name, const struct sy_public_key *key);
void sy_show_word(sy_json *json, const char *name, const struct sy_enum *names, uint16_t number);
void sy_show_set(sy_json *json, const char *name, const struct sy_enum *names, uint32_t set);
void sy_show_when(sy_json *json, uint64_t height, int64_t time_ms);
void sy_show_ids(sy_json *json, const char *name, const struct sy_list *list);
void sy_show_texts(sy_json *json, const char *name, const struct sy_list *list);

#endif
