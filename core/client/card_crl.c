/* card_crl.c: issuers' revocation lists as they are written; see card.h. */
#include <stdio.h>
#include <stdlib.h>

#include "core/base/json.h"
#include "core/client/card.h"

#define INDEX_CHARS 24

void sy_card_crl_free(struct sy_card_crl *crl)
{
    json_decref(crl->rids);
    *crl = (struct sy_card_crl){.rids = NULL};
}

static sy_status no_list(struct sy_error *err, const char *what)
{
    return sy_fail(err, SY_ERR_FORMAT, "it is no revocation list: %s", what);
}

static sy_status take_list(struct sy_card_crl *crl, json_t *root, struct sy_error *err)
{
    const char *kid = json_string_value(json_object_get(root, "kid"));
    const char *method = json_string_value(json_object_get(root, "method"));
    json_t *rids = json_object_get(root, "rids");
    const json_t *counter = json_object_get(root, "ctr");
    if (kid == NULL || strlen(kid) != SY_CARD_KID_CHARS) return no_list(err, "kid");
    if (method == NULL || strcmp(method, "rid") != 0) return no_list(err, "method");
    if (!json_is_integer(counter) || json_integer_value(counter) < 1 ||
        json_integer_value(counter) == INT64_MAX) {
        return no_list(err, "ctr");
    }
    if (!json_is_array(rids)) return no_list(err, "rids");
    for (size_t i = 0; i < json_array_size(rids); i++) {
        if (!json_is_string(json_array_get(rids, i))) return no_list(err, "rids");
    }
    memcpy(crl->kid, kid, sizeof crl->kid);
    crl->counter = (uint64_t)json_integer_value(counter);
    crl->rids = json_incref(rids);
    return SY_OK;
}

sy_status sy_card_crl_read(struct sy_card_crl *crl, struct sy_slice text, struct sy_error *err)
{
    json_t *root = json_loadb((const char *)text.data, text.size, JSON_REJECT_DUPLICATES, NULL);
    sy_status status = root ? take_list(crl, root, err) : no_list(err, "it is no JSON");
    json_decref(root);
    return status;
}

sy_status sy_card_crl_begin(struct sy_card_crl *crl, const char *kid, struct sy_error *err)
{
    if (strlen(kid) != SY_CARD_KID_CHARS) {
        return sy_fail(err, SY_ERR_ARGUMENT, "'%.60s' is no key's thumbprint", kid);
    }
    json_t *rids = json_array();
    if (rids == NULL) return sy_fail(err, SY_ERR_NO_MEMORY, "out of memory");
    sy_card_crl_free(crl);
    memcpy(crl->kid, kid, sizeof crl->kid);
    crl->rids = rids;
    return SY_OK;
}

sy_status sy_card_crl_add(struct sy_card_crl *crl, bool *added, uint64_t index,
                          struct sy_error *err)
{
    char text[INDEX_CHARS];
    (void)snprintf(text, sizeof text, "%llu", (unsigned long long)index);
    *added = false;
    for (size_t i = 0; i < json_array_size(crl->rids); i++) {
        if (strcmp(json_string_value(json_array_get(crl->rids, i)), text) == 0) return SY_OK;
    }
    if (json_array_append_new(crl->rids, json_string(text)) != 0) {
        return sy_fail(err, SY_ERR_NO_MEMORY, "out of memory");
    }
    *added = true;
    return SY_OK;
}

sy_status sy_card_crl_write(char **text, struct sy_card_crl *crl, struct sy_error *err)
{
    sy_json json;
    sy_json_init_growing(&json, SY_CARD_CRL_BYTES_MAX);
    sy_json_object_begin(&json);
    sy_json_put_text(&json, "kid", crl->kid);
    sy_json_put_text(&json, "method", "rid");
    sy_json_put_u64(&json, "ctr", crl->counter + 1);
    sy_json_key(&json, "rids");
    sy_json_array_begin(&json);
    for (size_t i = 0; i < json_array_size(crl->rids); i++) {
        sy_json_text(&json, json_string_value(json_array_get(crl->rids, i)));
    }
    sy_json_array_end(&json);
    sy_json_object_end(&json);
    const char *finished = sy_json_finish(&json);
    char *copy = finished != NULL ? strdup(finished) : NULL;
    sy_json_free(&json);
    if (copy == NULL) {
        return sy_fail(err, SY_ERR_LIMIT, "the revocation list would be larger than %u bytes",
                       SY_CARD_CRL_BYTES_MAX);
    }
    crl->counter++;
    *text = copy;
    return SY_OK;
}
