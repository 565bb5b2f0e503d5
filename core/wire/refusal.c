/* refusal.c: look-ups in the registry of refusal codes. */
#include "core/wire/refusal.h"

#include <string.h>

static const struct sy_refusal_info registry[] = {
    {SY_APPLIED, "APPLIED", "the transaction was applied", "nothing to do"},
#define SY_REFUSAL(name, number, sentence, remedy) {number, #name, sentence, remedy},
#include "core/wire/refusal.def"
#undef SY_REFUSAL
};
#define REGISTRY_COUNT (sizeof registry / sizeof registry[0])

static const struct sy_refusal_info unknown = {UINT16_MAX, "E_UNKNOWN",
                                               "this code is not known to this version",
                                               "upgrade to the version that the validators run"};

const struct sy_refusal_info *sy_refusal_info(uint16_t number)
{
    for (size_t i = 0; i < REGISTRY_COUNT; i++) {
        if (registry[i].number == number) return &registry[i];
    }
    return &unknown;
}

const struct sy_refusal_info *sy_refusal_by_name(const char *name)
{
    for (size_t i = 0; i < REGISTRY_COUNT; i++) {
        if (strcmp(registry[i].name, name) == 0) return &registry[i];
    }
    return NULL;
}

const struct sy_refusal_info *sy_refusal_at(unsigned position)
{
    return position < REGISTRY_COUNT ? &registry[position] : NULL;
}

bool sy_refusal_decides(uint16_t number)
{
    return number == SY_APPLIED || number >= SY_REFUSAL_DECIDES_FROM;
}
