/* lane_rig.c: see lane_rig.h. */
#include "tests/unit/lane_rig.h"

#include <stdlib.h>

#define SY_LANES_EMULATED
#include "core/crypto/avx512_scalar.h"
#include "core/crypto/hash.h"
#include "core/crypto/keys.h"
#include "tests/support/engines.h"
#include "tests/support/test.h"

#define KEYS 8
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct {
    const struct lane_way *way;
    sy_secret_key *secrets[KEYS];
    struct sy_public_key keys[KEYS];
    void *tables[KEYS];
    void *base;
} rig;

/* Behind every encoding of a point of small order, more that are at an edge: p - 2, p + 2,
 * 2^255 - 1, with either sign. */
static const char *const edge_points[] = {
    "ebffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "efffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "0200000000000000000000000000000000000000000000000000000000000000",
};

#define ODD_POINTS (ENGINES_ODD_POINTS + COUNT(edge_points))

static const char *odd_point(size_t i)
{
    return i < ENGINES_ODD_POINTS ? engines_odd_points[i] : edge_points[i - ENGINES_ODD_POINTS];
}

/* B + T for the eight T of small order, B first. */
static const char *const twisted_points[8] = {
    "5866666666666666666666666666666666666666666666666666666666666666",
    "98519eadf35b995233b51b5cd23e9cc5a28b639b5a4af0ec903cb960d81b7819",
    "9bad33f580df7ecc49df5342bac8145d5bedc40f573d1b067f3c4ce449689a15",
    "da99e28ba529cdde35a25fba9059e78ecaee239f99755b9b1aa4f65df00803e2",
    "9599999999999999999999999999999999999999999999999999999999999999",
    "55ae61520ca466adcc4ae4a32dc1633a5d749c64a5b50f136fc3469f27e487e6",
    "5252cc0a7f208133b620acbd4537eba2a4123bf0a8c2e4f980c3b31bb69765ea",
    "13661d745ad63221ca5da0456fa618713511dc60668aa464e55b09a20ff7fc1d",
};

/* 0, 1, L - 1, L, L + 1, 2 L, 2^252, 2^255 - 1, 2^256 - 1. */
static const char *const odd_scalars[] = {
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010",
    "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010",
    "eed3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010",
    "daa7ebb934c624b0ac39ef45bdf3bd2900000000000000000000000000000020",
    "0000000000000000000000000000000000000000000000000000000000000010",
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
};

/* --- jobs ------------------------------------------------------------------------------------ */

struct job {
    struct sy_public_key key;
    struct sy_signature signature;
    struct sy_hash digest;
    const void *table;
};

static void read_hex(uint8_t out[32], const char *text)
{
    assert_true(sy_hex_decode(out, 32, text));
}

static void hash_job(uint8_t hash[64], const struct job *job)
{
    uint8_t input[64 + SY_SIG_MESSAGE_BYTES];
    memcpy(input, job->signature.bytes, 32);
    memcpy(input + 32, job->key.bytes, 32);
    sy_sig_message(input + 64, SY_SIG_TX, &job->digest);
    sy_sha512(hash, input, sizeof input);
}

static struct job make_good(size_t key, uint32_t number)
{
    struct job job = {.key = rig.keys[key], .table = rig.tables[key]};
    sy_sha256(&job.digest, &number, sizeof number);
    sy_sign(rig.secrets[key], &job.signature, SY_SIG_TX, &job.digest);
    return job;
}

static void fill_group(struct sy_lane_group *group, const struct job *jobs, size_t count)
{
    for (size_t lane = 0; lane < SY_LANE_GROUP; lane++) {
        const struct job *job = &jobs[lane < count ? lane : count - 1];
        uint8_t hash[64];
        hash_job(hash, job);
        group->keys[lane] = job->key.bytes;
        group->signatures[lane] = job->signature.bytes;
        group->tables[lane] = job->table;
        for (size_t i = 0; i < 8; i++) group->hashes[i][lane] = sy_load_u64(hash + 8 * i);
    }
}

// Compares every verdict with OpenSSL's; returns how many were good.
static size_t check_jobs(const struct job *jobs, size_t count, bool tabled)
{
    static struct sy_lane_group groups[SY_LANE_GROUPS_MAX];
    size_t all_good = 0;
    for (size_t done = 0; done < count;) {
        uint8_t good[SY_LANE_GROUPS_MAX];
        size_t used = 0, start = done;
        for (; done < count && used < SY_LANE_GROUPS_MAX; used++) {
            size_t left = count - done < SY_LANE_GROUP ? count - done : SY_LANE_GROUP;
            fill_group(&groups[used], &jobs[done], left);
            done += left;
        }
        (tabled ? rig.way->tabled : rig.way->general)(good, groups, used, rig.base);
        for (size_t i = start; i < done; i++) {
            bool ours = (good[(i - start) / SY_LANE_GROUP] >> (i - start) % SY_LANE_GROUP & 1) != 0;
            bool theirs =
                sy_verify_one(&jobs[i].key, SY_SIG_TX, &jobs[i].digest, &jobs[i].signature);
            assert_int_equal(ours, theirs);
            all_good += ours;
        }
    }
    return all_good;
}

/* --- fixture --------------------------------------------------------------------------------- */

void lane_rig_open(const struct lane_way *way)
{
    bool built[KEYS];
    rig.way = way;
    rig.base = aligned_alloc(64, SY_AVX512_BASE_BYTES);
    assert_non_null(rig.base);
    way->build_base(rig.base);
    for (size_t i = 0; i < KEYS; i++) {
        uint8_t seed[32] = {(uint8_t)(i + 1), 7};
        assert_int_equal(sy_secret_key_from_seed(&rig.secrets[i], seed), SY_OK);
        sy_secret_key_public(rig.secrets[i], &rig.keys[i]);
        rig.tables[i] = aligned_alloc(64, SY_AVX512_KEY_BYTES);
        assert_non_null(rig.tables[i]);
    }
    way->build_tables(rig.tables, rig.keys, built, KEYS);
    for (size_t i = 0; i < KEYS; i++) assert_true(built[i]);
}

void lane_rig_close(void)
{
    for (size_t i = 0; i < KEYS; i++) {
        sy_secret_key_close(rig.secrets[i]);
        free(rig.tables[i]);
    }
    free(rig.base);
}

const void *lane_rig_base(void)
{
    return rig.base;
}

const void *lane_rig_table(size_t key)
{
    return rig.tables[key];
}

struct sy_public_key lane_rig_key(size_t key)
{
    return rig.keys[key];
}

/* --- checks ---------------------------------------------------------------------------------- */

void lane_check_edges(void)
{
    enum { KEYS_MAX = ODD_POINTS + 1, SCALARS_MAX = COUNT(odd_scalars) + 1 };
    static struct job jobs[KEYS_MAX * KEYS_MAX * SCALARS_MAX];
    struct job good = make_good(0, 1);
    size_t count = 0;
    for (size_t key = 0; key < KEYS_MAX; key++) {
        for (size_t r = 0; r < KEYS_MAX; r++) {
            for (size_t s = 0; s < SCALARS_MAX; s++) {
                struct job *job = &jobs[count++];
                *job = good;
                if (key < ODD_POINTS) read_hex(job->key.bytes, odd_point(key));
                if (r < ODD_POINTS) read_hex(job->signature.bytes, odd_point(r));
                if (s < COUNT(odd_scalars)) read_hex(job->signature.bytes + 32, odd_scalars[s]);
            }
        }
    }
    size_t found = check_jobs(jobs, count, false);
    assert_true(found > 1 && found < count); // A grid of one colour would show nothing.
}

void lane_check_edges_by_table(void)
{
    enum { POINTS = ODD_POINTS, SCALARS = COUNT(odd_scalars), EACH = POINTS + SCALARS + 1 };
    static struct job jobs[KEYS * EACH];
    size_t count = 0;
    for (size_t key = 0; key < KEYS; key++) {
        for (uint32_t i = 0; i < EACH; i++) {
            struct job *job = &jobs[count++];
            *job = make_good(key, 100 + i);
            if (i < POINTS) {
                read_hex(job->signature.bytes, odd_point(i));
            } else if (i < POINTS + SCALARS) {
                read_hex(job->signature.bytes + 32, odd_scalars[i - POINTS]);
            }
        }
    }
    assert_int_equal(check_jobs(jobs, count, true), KEYS);
    assert_int_equal(check_jobs(jobs, count, false), KEYS);
}

// S = k mod L, so that R' = k B - k (B + T) = -k T: one of few points, which some R name.
static void set_s_to_k(struct job *job)
{
    uint8_t hash[64];
    sy_lanes words[8];
    hash_job(hash, job);
    for (size_t i = 0; i < 8; i++) words[i] = lanes_of(sy_load_u64(hash + 8 * i));
    struct scalar k = sc_reduce(words);
    for (unsigned i = 0; i < 4; i++) {
        sy_store_u64(job->signature.bytes + 32 + (size_t)8 * i, sc_cut64(&k, 64 * i).w[0]);
    }
}

void lane_check_torsion(void)
{
    enum { SMALL = 8, DIGESTS = 10 };
    static struct job jobs[SMALL * SMALL * DIGESTS];
    size_t count = 0;
    for (size_t key = 0; key < SMALL; key++) {
        for (size_t r = 0; r < SMALL; r++) {
            for (uint8_t digest = 0; digest < DIGESTS; digest++) {
                struct job *job = &jobs[count++];
                read_hex(job->key.bytes, twisted_points[key]);
                read_hex(job->signature.bytes, odd_point(r));
                sy_sha256(&job->digest, &digest, 1);
                set_s_to_k(job);
            }
        }
    }
    // Of eight R one is right.
    size_t good = check_jobs(jobs, count, false);
    assert_true(good > count / 16 && good < count / 4);
}

void lane_check_every_place(void)
{
    enum { MOST = 70 };
    static struct job jobs[MOST];
    for (uint32_t i = 0; i < MOST; i++) jobs[i] = make_good(i % KEYS, 1000 + i);
    for (size_t count = 1; count <= MOST; count += count < 18 ? 1 : 13) {
        for (int tabled = 0; tabled < 2; tabled++) {
            assert_int_equal(check_jobs(jobs, count, tabled), count);
            size_t bad = (count * 5 + 3) % count;
            jobs[bad].signature.bytes[count % 64] ^= 0x10;
            assert_int_equal(check_jobs(jobs, count, tabled), count - 1);
            jobs[bad].signature.bytes[count % 64] ^= 0x10;
        }
    }
    for (size_t bad = 0; bad < 2 * SY_LANE_GROUP; bad++) {
        for (int tabled = 0; tabled < 2; tabled++) {
            jobs[bad].digest.bytes[bad] ^= 1;
            assert_int_equal(check_jobs(jobs, 2 * SY_LANE_GROUP, tabled), 2 * SY_LANE_GROUP - 1);
            jobs[bad].digest.bytes[bad] ^= 1;
        }
    }
}

// No message gives such a k, so it is put in the place of the hash. What R must be is known: with
// S = 1 and k = 0 it is B, with S = 0 and k = 1 it is -A, and with k = L - 1 it is A.
void lane_check_edge_k(void)
{
    static const size_t numbers[3] = {0, 1, 2}; // in odd_scalars
    for (size_t i = 0; i < COUNT(numbers); i++) {
        struct job jobs[SY_LANE_GROUP];
        struct sy_lane_group group;
        uint8_t k[32], good = 0;
        for (size_t key = 0; key < KEYS; key++) jobs[key] = make_good(key, 1);
        fill_group(&group, jobs, KEYS);
        read_hex(k, odd_scalars[numbers[i]]);
        for (size_t key = 0; key < KEYS; key++) {
            uint8_t *r = jobs[key].signature.bytes;
            for (size_t word = 0; word < 8; word++) {
                group.hashes[word][key] = word < 4 ? sy_load_u64(k + 8 * word) : 0;
            }
            memcpy(r, jobs[key].key.bytes, 32);
            if (i == 0) read_hex(r, twisted_points[0]);
            if (i == 1) r[31] ^= 0x80;
            read_hex(r + 32, odd_scalars[i == 0 ? 1 : 0]);
        }
        for (int tabled = 0; tabled < 2; tabled++) {
            void (*verify)(uint8_t *, const struct sy_lane_group *, size_t, const void *) =
                tabled ? rig.way->tabled : rig.way->general;
            verify(&good, &group, 1, rig.base);
            assert_int_equal(good, 0xff);
            jobs[i].signature.bytes[0] ^= 1;
            verify(&good, &group, 1, rig.base);
            assert_int_equal(good, 0xff ^ 1 << i);
            jobs[i].signature.bytes[0] ^= 1;
        }
    }
}

static bool gets_table(const char *encoding, void *table)
{
    struct sy_public_key key;
    bool built = false;
    read_hex(key.bytes, encoding);
    rig.way->build_tables(&table, &key, &built, 1);
    return built;
}

void lane_check_refused_tables(void)
{
    void *table = aligned_alloc(64, SY_AVX512_KEY_BYTES);
    assert_non_null(table);
    for (size_t i = 0; i < 8; i++) {
        // Of these two rows only the neutral element and B are of order 1 and L.
        assert_int_equal(gets_table(odd_point(i), table), i == 0);
        assert_int_equal(gets_table(twisted_points[i], table), i == 0);
    }
    assert_false(gets_table(odd_point(ODD_POINTS - 1), table)); // No point at all.
    free(table);
}
