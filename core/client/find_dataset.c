/* find_dataset.c: see find_dataset.h. */
#include "core/client/find_dataset.h"

#include <string.h>

#include "core/wire/schema.h"

static sy_status take_word(uint16_t *number, const struct sy_enum *names, const char *word,
                           const char *what, struct sy_error *err)
{
    *number = 0;
    if (word == NULL || sy_enum_number(number, names, word, strlen(word))) return SY_OK;
    return sy_fail(err, SY_ERR_ARGUMENT,
                   "there is no %s '%.40s': `systole explain dataset.publish` lists them", what,
                   word);
}

sy_status sy_dataset_wish_take(struct sy_dataset_wish *wish, const struct sy_dataset_words *words,
                               struct sy_error *err)
{
    *wish = (struct sy_dataset_wish){.words = words};
    SY_TRY(take_word(&wish->device, &sy_enum_device_class, words->device, "class of devices", err));
    SY_TRY(take_word(&wish->ages, &sy_enum_age_band, words->ages, "age band", err));
    return take_word(&wish->people, &sy_enum_count_bucket, words->people, "bucket of people", err);
}

static bool has_text(const struct sy_list *list, const char *word)
{
    struct sy_slice text, wanted;
    if (word == NULL) return true;
    wanted = sy_slice_of(word, strlen(word));
    for (size_t offset = 0; sy_list_next_text(list, &offset, &text);) {
        if (sy_slice_equal(text, wanted)) return true;
    }
    return false;
}

bool sy_dataset_wish_fits(const struct sy_dataset_wish *wish,
                          const struct sy_dataset_version *version)
{
    bool devices = wish->device == 0 || (version->devices & SY_SET_BIT(wish->device)) != 0;
    bool ages = wish->ages == 0 || (version->ages & SY_SET_BIT(wish->ages)) != 0;
    bool flags = (!wish->words->genetic || version->genetic) &&
                 (!wish->words->wearable || version->wearable);
    return devices && ages && flags && version->people >= wish->people &&
           has_text(&version->codes, wish->words->code) &&
           has_text(&version->phenotypes, wish->words->phenotype);
}
