/* test_gpu_field.c: the device's numbers mod p and mod L, run as C with emulated carries, held
 * against OpenSSL's big numbers. */
#include <openssl/bn.h>
#include <string.h>

#include "core/base/prng.h"
#include "gpu/device_field.h"
#include "gpu/device_scalar.h"
#include "tests/support/test.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct {
    BN_CTX *ctx;
    BIGNUM *p, *order;
} rig;

static int open_rig(void **state)
{
    (void)state;
    rig.ctx = BN_CTX_new();
    rig.p = rig.order = NULL;
    assert_non_null(rig.ctx);
    assert_true(BN_hex2bn(&rig.p, "7fffffffffffffffffffffffffffffff"
                                  "ffffffffffffffffffffffffffffffed"));
    assert_true(BN_hex2bn(&rig.order, "10000000000000000000000000000000"
                                      "14def9dea2f79cd65812631a5cf5d3ed"));
    return 0;
}

static int close_rig(void **state)
{
    (void)state;
    BN_free(rig.p);
    BN_free(rig.order);
    BN_CTX_free(rig.ctx);
    return 0;
}

static BIGNUM *big_of(const uint32_t *words, size_t count)
{
    uint8_t bytes[64];
    for (size_t i = 0; i < 4 * count; i++) bytes[i] = (uint8_t)(words[i / 4] >> 8 * (i % 4));
    BIGNUM *big = BN_lebin2bn(bytes, (int)(4 * count), NULL);
    assert_non_null(big);
    return big;
}

// Words are any number that is `expected` mod `modulus`; expected is freed.
static void assert_is(const uint32_t words[8], BIGNUM *expected, const BIGNUM *modulus)
{
    BIGNUM *found = big_of(words, 8);
    assert_true(BN_nnmod(found, found, modulus, rig.ctx));
    assert_true(BN_nnmod(expected, expected, modulus, rig.ctx));
    assert_int_equal(BN_cmp(found, expected), 0);
    BN_free(found);
    BN_free(expected);
}

// --- operands ------------------------------------------------------------------------------------

#define ONES 0xffffffffu
/* 0, 1, 2, 18, 19, 37, 38, p - 2 ... p + 1, 2^255 - 1, 2^255, 2 p - 1, 2 p, 2^256 - 38 ... 2^256 -
 * 1, and words that are all ones or all zeros by turns. */
static const struct sy_fe edges[] = {
    {{0}},
    {{1}},
    {{2}},
    {{18}},
    {{19}},
    {{37}},
    {{38}},
    {{0xffffffebu, ONES, ONES, ONES, ONES, ONES, ONES, 0x7fffffffu}},
    {{0xffffffecu, ONES, ONES, ONES, ONES, ONES, ONES, 0x7fffffffu}},
    {{0xffffffedu, ONES, ONES, ONES, ONES, ONES, ONES, 0x7fffffffu}},
    {{0xffffffeeu, ONES, ONES, ONES, ONES, ONES, ONES, 0x7fffffffu}},
    {{ONES, ONES, ONES, ONES, ONES, ONES, ONES, 0x7fffffffu}},
    {{0, 0, 0, 0, 0, 0, 0, 0x80000000u}},
    {{0xffffffd9u, ONES, ONES, ONES, ONES, ONES, ONES, ONES}},
    {{0xffffffdau, ONES, ONES, ONES, ONES, ONES, ONES, ONES}},
    {{0xffffffdbu, ONES, ONES, ONES, ONES, ONES, ONES, ONES}},
    {{0xfffffffeu, ONES, ONES, ONES, ONES, ONES, ONES, ONES}},
    {{ONES, ONES, ONES, ONES, ONES, ONES, ONES, ONES}},
    {{ONES, 0, ONES, 0, ONES, 0, ONES, 0}},
    {{0, ONES, 0, ONES, 0, ONES, 0, ONES}},
    {{ONES, ONES, ONES, ONES, 0, 0, 0, 0}},
    {{0, 0, 0, 0, ONES, ONES, ONES, ONES}},
};

static struct sy_fe draw(sy_prng *prng)
{
    struct sy_fe f;
    if (sy_prng_chance(prng, 1, 8)) return edges[sy_prng_below(prng, COUNT(edges))];
    sy_prng_fill(prng, f.v, sizeof f.v);
    for (int i = 0; i < 8; i++) {
        if (sy_prng_chance(prng, 1, 6)) f.v[i] = sy_prng_chance(prng, 1, 2) ? ONES : 0;
    }
    return f;
}

// --- field ---------------------------------------------------------------------------------------

static void check_pair(const struct sy_fe *a, const struct sy_fe *b)
{
    struct sy_fe r;
    BIGNUM *big_a = big_of(a->v, 8), *big_b = big_of(b->v, 8), *expected;
    assert_non_null(expected = BN_new());
    assert_true(BN_mul(expected, big_a, big_b, rig.ctx));
    sy_fe_mul(&r, a, b);
    assert_is(r.v, expected, rig.p);
    assert_non_null(expected = BN_new());
    assert_true(BN_add(expected, big_a, big_b));
    sy_fe_add(&r, a, b);
    assert_is(r.v, expected, rig.p);
    assert_non_null(expected = BN_new());
    assert_true(BN_sub(expected, big_a, big_b));
    sy_fe_sub(&r, a, b);
    assert_is(r.v, expected, rig.p);
    BN_free(big_a);
    BN_free(big_b);
}

static void check_one(const struct sy_fe *a)
{
    struct sy_fe r;
    BIGNUM *big = big_of(a->v, 8), *expected;
    assert_non_null(expected = BN_new());
    assert_true(BN_sqr(expected, big, rig.ctx));
    sy_fe_square(&r, a);
    assert_is(r.v, expected, rig.p);
    sy_fe_freeze(&r, a);
    BIGNUM *frozen = big_of(r.v, 8);
    assert_true(BN_nnmod(big, big, rig.p, rig.ctx));
    assert_int_equal(BN_cmp(frozen, big), 0); // The least one.
    assert_int_equal(sy_fe_is_zero(a), BN_is_zero(big));
    BN_free(frozen);
    BN_free(big);
}

CASE(edges_with_edges)
{
    for (size_t i = 0; i < COUNT(edges); i++) {
        check_one(&edges[i]);
        for (size_t j = 0; j < COUNT(edges); j++) check_pair(&edges[i], &edges[j]);
    }
}

CASE(random_numbers)
{
    sy_prng prng;
    sy_prng_seed(&prng, test_seed());
    for (int i = 0; i < 20000; i++) {
        struct sy_fe a = draw(&prng), b = draw(&prng);
        check_pair(&a, &b);
        check_one(&a);
    }
}

CASE(results_may_lie_where_operands_do)
{
    sy_prng prng;
    sy_prng_seed(&prng, test_seed());
    for (int i = 0; i < 1000; i++) {
        struct sy_fe a = draw(&prng), b = draw(&prng), apart, same;
        void (*const two[])(struct sy_fe *, const struct sy_fe *,
                            const struct sy_fe *) = {sy_fe_mul, sy_fe_add, sy_fe_sub};
        for (size_t k = 0; k < COUNT(two); k++) {
            two[k](&apart, &a, &b);
            same = a;
            two[k](&same, &same, &b);
            assert_memory_equal(&same, &apart, sizeof same);
            same = b;
            two[k](&same, &a, &same);
            assert_memory_equal(&same, &apart, sizeof same);
        }
        sy_fe_square(&apart, &a);
        same = a;
        sy_fe_square(&same, &same);
        assert_memory_equal(&same, &apart, sizeof same);
    }
}

CASE(powers)
{
    sy_prng prng;
    sy_prng_seed(&prng, test_seed());
    for (size_t i = 0; i < COUNT(edges) + 200; i++) {
        struct sy_fe a = i < COUNT(edges) ? edges[i] : draw(&prng), r;
        BIGNUM *base = big_of(a.v, 8), *exponent = BN_dup(rig.p), *expected = BN_new();
        assert_true(exponent && expected);
        assert_true(BN_sub_word(exponent, 2));
        assert_true(BN_mod_exp(expected, base, exponent, rig.p, rig.ctx));
        sy_fe_invert(&r, &a); // Of 0 it is 0.
        assert_is(r.v, expected, rig.p);
        assert_non_null(expected = BN_new());
        assert_true(BN_sub_word(exponent, 3) && BN_rshift(exponent, exponent, 3));
        assert_true(BN_mod_exp(expected, base, exponent, rig.p, rig.ctx));
        sy_fe_power_root(&r, &a);
        assert_is(r.v, expected, rig.p);
        BN_free(base);
        BN_free(exponent);
    }
}

CASE(constants)
{
    struct sy_fe d = SY_FE_D, d2 = SY_FE_2D, root = SY_FE_ROOT, r, twice, num, den, one;
    sy_fe_set(&den, 121666);
    sy_fe_set(&num, 121665);
    sy_fe_mul(&r, &d, &den); // d = -121665 / 121666
    sy_fe_add(&r, &r, &num);
    assert_true(sy_fe_is_zero(&r));
    sy_fe_add(&twice, &d, &d);
    sy_fe_sub(&twice, &twice, &d2);
    assert_true(sy_fe_is_zero(&twice));
    sy_fe_set(&one, 1);
    sy_fe_square(&r, &root);
    sy_fe_add(&r, &r, &one);
    assert_true(sy_fe_is_zero(&r));
}

// --- scalars -------------------------------------------------------------------------------------

static void check_reduce(const uint32_t words[16])
{
    uint32_t r[8];
    BIGNUM *expected = big_of(words, 16);
    assert_true(BN_nnmod(expected, expected, rig.order, rig.ctx));
    sy_sc_reduce(r, words);
    BIGNUM *found = big_of(r, 8);
    assert_int_equal(BN_cmp(found, expected), 0); // The least one.
    BN_free(found);
    BN_free(expected);
}

// words = big, which is freed.
static void words_of(uint32_t words[16], BIGNUM *big)
{
    uint8_t bytes[64];
    assert_int_equal(BN_bn2lebinpad(big, bytes, 64), 64);
    for (int i = 0; i < 16; i++) words[i] = sy_load_word(bytes + 4 * i);
    BN_free(big);
}

CASE(numbers_are_reduced_mod_the_order)
{
    sy_prng prng;
    uint32_t words[16];
    sy_prng_seed(&prng, test_seed());
    for (int i = 0; i < 20000; i++) {
        sy_prng_fill(&prng, words, sizeof words);
        for (int k = 0; k < 16; k++) {
            if (sy_prng_chance(&prng, 1, 4)) words[k] = sy_prng_chance(&prng, 1, 2) ? ONES : 0;
        }
        check_reduce(words);
    }
    // Multiples of L by 2^i or so, one less, one more.
    for (int i = 0; i <= 259; i++) {
        for (int off = -1; off <= 1; off++) {
            for (BN_ULONG less = 0; less < 2; less++) {
                BIGNUM *big = BN_new(), *factor = BN_new();
                assert_true(big && factor && BN_set_bit(factor, i) && BN_sub_word(factor, less));
                assert_true(BN_mul(big, factor, rig.order, rig.ctx));
                if (off == 1) assert_true(BN_add_word(big, 1));
                if (off == -1 && !BN_is_zero(big)) assert_true(BN_sub_word(big, 1));
                BN_free(factor);
                words_of(words, big);
                check_reduce(words);
            }
        }
    }
}

CASE(the_order_divides_what_is_below)
{
    uint32_t words[16];
    for (int off = -2; off <= 2; off++) {
        BIGNUM *big = BN_dup(rig.order);
        assert_non_null(big);
        assert_true(off < 0 ? BN_sub_word(big, (BN_ULONG)-off) : BN_add_word(big, (BN_ULONG)off));
        words_of(words, big);
        assert_int_equal(sy_sc_is_below_order(words), off < 0);
    }
    for (int bit = 0; bit < 256; bit++) {
        BIGNUM *big = BN_new();
        assert_true(big && BN_set_bit(big, bit));
        words_of(words, big);
        assert_int_equal(sy_sc_is_below_order(words), bit <= 252);
    }
    memset(words, 0xff, sizeof words);
    assert_false(sy_sc_is_below_order(words));
}

// The digits of a number below 2^253 give it back, and each is within its table.
static void check_digits(const uint32_t words[8], unsigned bits)
{
    BIGNUM *sum = BN_new(), *term = BN_new(), *expected = big_of(words, 8);
    int32_t most = 1 << (bits - 1);
    uint32_t carry = 0, count = 256 / bits;
    assert_true(sum && term);
    for (uint32_t w = 0; w < count; w++) {
        uint32_t word = words[w * bits / 32];
        int32_t digit =
            bits == 8 ? sy_sc_digit_256(word, w, &carry) : sy_sc_digit_16(word, w, &carry);
        assert_true(-most < digit && digit <= most);
        assert_true(BN_set_word(term, (BN_ULONG)(digit < 0 ? -digit : digit)));
        assert_true(BN_lshift(term, term, (int)(w * bits)));
        assert_true(digit < 0 ? BN_sub(sum, sum, term) : BN_add(sum, sum, term));
    }
    assert_int_equal(carry, 0);
    assert_int_equal(BN_cmp(sum, expected), 0);
    BN_free(sum);
    BN_free(term);
    BN_free(expected);
}

CASE(digits_give_the_number_back)
{
    sy_prng prng;
    uint32_t words[16];
    sy_prng_seed(&prng, test_seed());
    for (int i = 0; i < 5000; i++) {
        struct sy_fe a = draw(&prng);
        a.v[7] &= 0x1fffffffu;
        check_digits(a.v, 8);
        check_digits(a.v, 4);
    }
    for (BN_ULONG off = 0; off < 3; off++) {
        BIGNUM *big = BN_dup(rig.order);
        assert_true(big && BN_sub_word(big, off));
        words_of(words, big);
        check_digits(words, 8);
        check_digits(words, 4);
    }
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(edges_with_edges),
        cmocka_unit_test(random_numbers),
        cmocka_unit_test(results_may_lie_where_operands_do),
        cmocka_unit_test(powers),
        cmocka_unit_test(constants),
        cmocka_unit_test(numbers_are_reduced_mod_the_order),
        cmocka_unit_test(the_order_divides_what_is_below),
        cmocka_unit_test(digits_give_the_number_back),
    };
    return cmocka_run_group_tests(cases, open_rig, close_rig);
}
