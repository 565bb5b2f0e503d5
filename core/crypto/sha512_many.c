/* sha512_many.c: which way of sha512_many.h this processor takes. */
#include "core/crypto/sha512_many.h"

#include "core/crypto/cpu.h"
#include "core/crypto/sha512_tables.h"

const struct sy_sha512_many *sy_sha512_many_at(size_t index)
{
    const struct sy_sha512_many *ways[2];
    size_t count = 0;
#ifdef __x86_64__
    if (sy_cpu()->avx512) ways[count++] = &sy_sha512_avx512;
#endif
    ways[count++] = &sy_sha512_portable;
    return index < count ? ways[index] : NULL;
}

const struct sy_sha512_many *sy_sha512_many_best(void)
{
    return sy_sha512_many_at(0);
}

const struct sy_sha512_many *sy_sha512_many_named(const char *name)
{
    const struct sy_sha512_many *way;
    size_t i = 0;
    while ((way = sy_sha512_many_at(i++)) != NULL) {
        if (strcmp(way->name, name) == 0) return way;
    }
    return NULL;
}
