/* engine_selftest.c: known answers that every implementation gives before it is used.
 *
 * The signatures are of two keys of RFC 8032 7.1 and of constructed ones; the leaves and roots are
 * the usual eight of RFC 6962 implementations. The bad and the odd ones pin the predicate where
 * implementations of Ed25519 are known to differ (Chalkias, Garillot, Nikolaenko 2020): S < L, no
 * cofactor, k reduced mod L before it meets a key with torsion, R compared as bytes, A decoded
 * without asking whether it is canonical. They were computed by a separate implementation of RFC
 * 8032 in big integers. An OpenSSL that decided one of them otherwise would fork this validator
 * from the others, so it is refused at start.
 *
 * A key with a table is decided by other arithmetic than one without. So all is asked again until
 * the valid keys have earned theirs, and once more: then the bad signatures under them go through
 * tables too. */
#include "core/base/assert.h"
#include "core/crypto/engine_check.h"
#include "core/crypto/hash.h"

struct known_signature {
    const char *what;
    uint8_t kind;
    uint32_t leaf;
    uint8_t verdict;
    const char *key;
    const char *signature;
};

/* The digest of those that sign no leaf: SHA-256("systole"). */
#define DIGEST_TEXT "systole"

/* clang-format off */
static const struct known_signature known_signatures[] = {
    {"a good transaction", 1, 3, 1,
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
     "66ada6dc7bb002d38d128d06a0bc5ef6f022df2c0536c8992b89b5106477f45e"
     "d9b515f8325216e4bcbd010ef4253e0904daff25f966a3dc788d11fa97b6a909"},
    {"a good seal", 9, SY_JOB_NO_LEAF, 1,
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
     "9933d5d334482b1cc3c3d211963924912ffa0d67b8e897f61485fc43f8f357fd"
     "add5f747ededce8ebbd508903dde6f590dc1f0e70fa4afaccb1dbb5ac763a708"},
    {"a good batch, by the first key again", 3, SY_JOB_NO_LEAF, 1,
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
     "ab49336bfc9d1b13be7ce5ddd7706454b5a4367b0b42e6db7bb4b98bf54140b0"
     "f76f6bbb67b45ce743bca33ad4dafeafb78ed5b0de493f4c18b3b5cf34750408"},
    {"another kind", 2, 3, 0,
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
     "66ada6dc7bb002d38d128d06a0bc5ef6f022df2c0536c8992b89b5106477f45e"
     "d9b515f8325216e4bcbd010ef4253e0904daff25f966a3dc788d11fa97b6a909"},
    {"another digest", 1, 4, 0,
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
     "66ada6dc7bb002d38d128d06a0bc5ef6f022df2c0536c8992b89b5106477f45e"
     "d9b515f8325216e4bcbd010ef4253e0904daff25f966a3dc788d11fa97b6a909"},
    {"another key", 1, 3, 0,
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
     "66ada6dc7bb002d38d128d06a0bc5ef6f022df2c0536c8992b89b5106477f45e"
     "d9b515f8325216e4bcbd010ef4253e0904daff25f966a3dc788d11fa97b6a909"},
    {"a flipped bit in R", 1, 3, 0,
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
     "66ada6dc7ba002d38d128d06a0bc5ef6f022df2c0536c8992b89b5106477f45e"
     "d9b515f8325216e4bcbd010ef4253e0904daff25f966a3dc788d11fa97b6a909"},
    {"a flipped bit in S", 1, 3, 0,
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
     "66ada6dc7bb002d38d128d06a0bc5ef6f022df2c0536c8992b89b5106477f45e"
     "d9b515f8325216e4bdbd010ef4253e0904daff25f966a3dc788d11fa97b6a909"},
    {"S + L, the same point", 1, 3, 0,
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
     "66ada6dc7bb002d38d128d06a0bc5ef6f022df2c0536c8992b89b5106477f45e"
     "c6890b554db5283c935af9b0d21f1d1e04daff25f966a3dc788d11fa97b6a919"},
    {"a key off the curve", 1, 3, 0,
     "0200000000000000000000000000000000000000000000000000000000000000",
     "66ada6dc7bb002d38d128d06a0bc5ef6f022df2c0536c8992b89b5106477f45e"
     "d9b515f8325216e4bcbd010ef4253e0904daff25f966a3dc788d11fa97b6a909"},
    {"the neutral element as key and R", 1, SY_JOB_NO_LEAF, 1,
     "0100000000000000000000000000000000000000000000000000000000000000",
     "0100000000000000000000000000000000000000000000000000000000000000"
     "0000000000000000000000000000000000000000000000000000000000000000"},
    {"R not canonical", 1, SY_JOB_NO_LEAF, 0,
     "0100000000000000000000000000000000000000000000000000000000000000",
     "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"
     "0000000000000000000000000000000000000000000000000000000000000000"},
    {"a key that is not canonical", 1, SY_JOB_NO_LEAF, 1,
     "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
     "0100000000000000000000000000000000000000000000000000000000000000"
     "0000000000000000000000000000000000000000000000000000000000000000"},
    {"a key with torsion, k reduced mod L", 1, SY_JOB_NO_LEAF, 1,
     "99555efe5dbf5b50b6fb4d8c38ee05c4ea8a97011c08e11366e8c8c00e8ce5d5",
     "245c079551b9a0f1a9aec79baef0c668a9e05d3617a15de23dd6dcf60c329fdd"
     "2709be6613b84a7c2089ae9603e06e10851a7d1b69d528153ca138babf4f7e0a"},
    {"the same key, right only for k not reduced", 1, SY_JOB_NO_LEAF, 0,
     "99555efe5dbf5b50b6fb4d8c38ee05c4ea8a97011c08e11366e8c8c00e8ce5d5",
     "e6ff0e4955925b2100e8ceebbd4ffe93e6fdfc71c226b33409a570d916254f72"
     "f9077665d0fce589195c95ea531c590ddf8d9ae127608624a7cb5241f5319d02"},
    {"the same key, right only with the cofactor", 1, SY_JOB_NO_LEAF, 0,
     "99555efe5dbf5b50b6fb4d8c38ee05c4ea8a97011c08e11366e8c8c00e8ce5d5",
     "c9a3f86aae465f0e56513864510f3997561fa2c9e85ea21dc2292309f3cd6022"
     "a32215e1805e9f68d4cdafa6ece4e8935605f0fa9ea6f76401d2ba2e9907bd0f"},
    {"a key of order 8 and a key's R", 1, SY_JOB_NO_LEAF, 0,
     "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
     "66ada6dc7bb002d38d128d06a0bc5ef6f022df2c0536c8992b89b5106477f45e"
     "d9b515f8325216e4bcbd010ef4253e0904daff25f966a3dc788d11fa97b6a909"},
};

static const char *const known_leaves[] = {
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
};

/* The roots over the first 0, 1, ... 8 leaves. */
static const char *const known_roots[] = {
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
};
/* clang-format on */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define LEAVES COUNT(known_leaves)
#define JOBS COUNT(known_signatures)
#define TREES COUNT(known_roots)

/* One submission with room for its answers. */
struct exercise {
    uint8_t leaf_bytes[LEAVES][16];
    struct sy_slice leaves[LEAVES];
    struct sy_hash leaf_hashes[LEAVES];
    struct sy_sig_job jobs[JOBS];
    uint8_t verdicts[JOBS];
    struct sy_tree_job trees[TREES];
    struct sy_hash scratch[LEAVES];
    struct sy_submission submission;
};

static void read_hex(void *out, size_t size, const char *text)
{
    bool read = sy_hex_decode(out, size, text);
    SY_ASSERT(read);
}

static void write_job(struct sy_sig_job *job, const struct known_signature *known)
{
    read_hex(job->key.bytes, sizeof job->key.bytes, known->key);
    read_hex(job->signature.bytes, sizeof job->signature.bytes, known->signature);
    sy_sha256(&job->digest, DIGEST_TEXT, sizeof DIGEST_TEXT - 1);
    job->leaf = known->leaf;
    job->key_handle = SY_KEY_HANDLE_NONE;
    job->kind = known->kind;
}

// Answers start as what they must not stay, so that one left out shows.
static void write_exercise(struct exercise *ex)
{
    *ex = (struct exercise){0};
    for (size_t i = 0; i < LEAVES; i++) {
        size_t size = strlen(known_leaves[i]) / 2;
        read_hex(ex->leaf_bytes[i], size, known_leaves[i]);
        ex->leaves[i] = sy_slice_of(ex->leaf_bytes[i], size);
    }
    for (size_t i = 0; i < JOBS; i++) {
        write_job(&ex->jobs[i], &known_signatures[i]);
        ex->verdicts[i] = UINT8_MAX;
    }
    for (size_t i = 0; i < TREES; i++) ex->trees[i].count = (uint32_t)i;
    ex->submission = (struct sy_submission){.leaves = ex->leaves,
                                            .leaf_count = LEAVES,
                                            .leaf_hashes = ex->leaf_hashes,
                                            .jobs = ex->jobs,
                                            .job_count = JOBS,
                                            .verdicts = ex->verdicts,
                                            .trees = ex->trees,
                                            .tree_count = TREES};
}

static sy_status mark_exercise(const struct exercise *ex, const char *name, struct sy_error *err)
{
    for (size_t i = 0; i < JOBS; i++) {
        const struct known_signature *known = &known_signatures[i];
        if (ex->verdicts[i] == known->verdict) continue;
        return sy_fail(err, SY_ERR_CRYPTO,
                       "engine %s fails its self-test: it says %u, not %u, to a signature check "
                       "(%s); do not use it on this machine",
                       name, ex->verdicts[i], known->verdict, known->what);
    }
    for (size_t i = 0; i < LEAVES; i++) {
        struct sy_hash leaf;
        sy_hash_leaf(&leaf, ex->leaves[i]); // The roots below say whether this one is right.
        if (sy_hash_equal(&ex->leaf_hashes[i], &leaf)) continue;
        return sy_fail(
            err, SY_ERR_CRYPTO,
            "engine %s fails its self-test: the hash of leaf %zu is wrong; do not use it "
            "on this machine",
            name, i);
    }
    for (size_t i = 0; i < TREES; i++) {
        struct sy_hash root;
        read_hex(root.bytes, sizeof root.bytes, known_roots[i]);
        if (sy_hash_equal(&ex->trees[i].root, &root)) continue;
        return sy_fail(err, SY_ERR_CRYPTO,
                       "engine %s fails its self-test: the root of %zu leaves is wrong; do not use "
                       "it on this machine",
                       name, i);
    }
    return SY_OK;
}

sy_status sy_engine_selftest(const struct sy_engine_impl *impl, void *state, struct sy_error *err)
{
    struct exercise ex;
    unsigned rounds = impl == &sy_engine_openssl ? 1 : SY_ENGINE_SELFTEST_ROUNDS;
    for (unsigned round = 0; round < rounds; round++) {
        write_exercise(&ex);
        sy_status status = impl->run(state, &ex.submission, ex.scratch);
        if (status != SY_OK) {
            return sy_fail(err, status, "engine %s fails its self-test: %s", impl->name,
                           sy_status_name(status));
        }
        SY_TRY(mark_exercise(&ex, impl->name, err));
    }
    return SY_OK;
}
