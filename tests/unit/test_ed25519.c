/* test_ed25519.c: the parts of the portable Ed25519: field, scalars, digits, decoding, tables.
 * Whole verdicts are held against OpenSSL's in tests/suite. */
#include <stdlib.h>
#include <string.h>

#include "core/base/bytes.h"
#include "core/base/prng.h"
#include "core/crypto/ed25519_comb.h"
#include "core/crypto/ed25519_scalar.h"
#include "tests/support/test.h"
#include "tests/unit/emulated_field.h"

// --- field ---------------------------------------------------------------------------------------

static void random_field(struct sy_field *f, sy_prng *prng)
{
    for (int i = 0; i < 5; i++) {
        f->v[i] = sy_prng_next(prng) >> 10;
        if (sy_prng_below(prng, 4) == 0) f->v[i] = sy_prng_below(prng, 2) ? (1ull << 54) - 1 : 0;
    }
}

CASE(emulated_products_are_the_same)
{
    sy_prng prng;
    sy_prng_seed(&prng, test_seed());
    for (unsigned i = 0; i < 20000; i++) {
        struct sy_field a, b, r;
        uint64_t emulated[5];
        random_field(&a, &prng);
        random_field(&b, &prng);
        sy_field_mul(&r, &a, &b);
        emulated_mul(emulated, a.v, b.v);
        assert_memory_equal(r.v, emulated, sizeof emulated);
        sy_field_sqr(&r, &a);
        emulated_sqr(emulated, a.v);
        assert_memory_equal(r.v, emulated, sizeof emulated);
    }
}

static struct sy_packed packed_of(const char *hex)
{
    struct sy_packed packed;
    uint8_t bytes[32];
    assert_true(sy_hex_decode(bytes, sizeof bytes, hex));
    for (size_t i = 0; i < 4; i++) packed.word[i] = sy_load_u64(bytes + 8 * i);
    return packed;
}

CASE(the_numbers_around_p_are_taken_mod_p)
{
    // p - 1, p, p + 1, p + 18 = 2^255 - 1, and 2^256 - 1, whose top bit is left out.
    static const char *const pairs[][2] = {
        {"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
         "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"},
        {"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
         "0000000000000000000000000000000000000000000000000000000000000000"},
        {"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
         "0100000000000000000000000000000000000000000000000000000000000000"},
        {"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
         "1200000000000000000000000000000000000000000000000000000000000000"},
        {"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
         "1200000000000000000000000000000000000000000000000000000000000000"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        struct sy_packed in = packed_of(pairs[i][0]), expected = packed_of(pairs[i][1]), out;
        struct sy_field f;
        sy_field_unpack(&f, &in);
        sy_field_pack(&out, &f);
        assert_memory_equal(&out, &expected, sizeof out);
        assert_int_equal(sy_field_is_zero(&f), i == 1);
    }
}

CASE(inverses_are_inverses_one_by_one_and_together)
{
    enum { COUNT = 65 };
    struct sy_field all[COUNT], scratch[COUNT], inverses[COUNT];
    const struct sy_field one = sy_field_of(1, 0, 0, 0, 0);
    struct sy_packed packed_one, packed;
    sy_prng prng;
    sy_prng_seed(&prng, test_seed());
    sy_field_pack(&packed_one, &one);
    for (size_t i = 0; i < COUNT; i++) random_field(&all[i], &prng);
    all[7] = one;
    for (size_t count = 0; count <= COUNT; count++) {
        memcpy(inverses, all, sizeof all);
        sy_fields_invert(inverses, scratch, count);
        for (size_t i = 0; i < count; i++) {
            struct sy_field product;
            sy_field_mul(&product, &all[i], &inverses[i]);
            sy_field_pack(&packed, &product);
            assert_memory_equal(&packed, &packed_one, sizeof packed);
        }
    }
}

// --- scalars -------------------------------------------------------------------------------------

struct reduction {
    const char *what;
    const char *number; // 64 bytes, the least first
    const char *rest;
};

// From big integers in another language.
static const struct reduction reductions[] = {
    {"2^512 - 1",
     "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
     "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
     "000f9c44e31106a447938568a71b0ed065bef517d273ecce3d9a307c1b419903"},
    {"L",
     "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010"
     "0000000000000000000000000000000000000000000000000000000000000000",
     "0000000000000000000000000000000000000000000000000000000000000000"},
    {"L - 1",
     "ecd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010"
     "0000000000000000000000000000000000000000000000000000000000000000",
     "ecd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010"},
    {"L^2",
     "698912ab85f6ede21da3982276920368bef517d273ecce3d9a307c1b4199b3a1"
     "7dba9e4b634c02cb9af35ed43bdf9b0200000000000000000000000000000001",
     "0000000000000000000000000000000000000000000000000000000000000000"},
    {"L^2 - 1",
     "688912ab85f6ede21da3982276920368bef517d273ecce3d9a307c1b4199b3a1"
     "7dba9e4b634c02cb9af35ed43bdf9b0200000000000000000000000000000001",
     "ecd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010"},
    {"2^252",
     "0000000000000000000000000000000000000000000000000000000000000010"
     "0000000000000000000000000000000000000000000000000000000000000000",
     "0000000000000000000000000000000000000000000000000000000000000010"},
    {"2^256 - 1",
     "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
     "0000000000000000000000000000000000000000000000000000000000000000",
     "1c95988d7431ecd670cf7d73f45befc6feffffffffffffffffffffffffffff0f"},
    {"a pattern",
     "030a11181f262d343b424950575e656c737a81888f969da4abb2b9c0c7ced5dc"
     "e3eaf1f8ff060d141b222930373e454c535a61686f767d848b9299a0a7aeb5bc",
     "4aa70a615c257b2a6f0e1d418c6d294e5bead6ae68915f33e8835f538b5a3d0e"},
    {"another",
     "c8e5021f3c597693b0cdea0724415e7b98b5d2ef0c294663809dbad7f4112e4b"
     "6885a2bfdcf91633506d8aa7c4e1fe1b3855728facc9e603203d5a7794b1ceeb",
     "1b8d792776af41209b739861b04c2a4a6568046200c1f7cc3c326a557af56e0b"},
};

CASE(numbers_are_reduced_mod_l)
{
    for (size_t i = 0; i < sizeof reductions / sizeof reductions[0]; i++) {
        uint8_t number[64], rest[32], out[32];
        struct sy_scalar scalar;
        assert_true(sy_hex_decode(number, sizeof number, reductions[i].number));
        assert_true(sy_hex_decode(rest, sizeof rest, reductions[i].rest));
        sy_scalar_reduce(&scalar, number);
        for (size_t j = 0; j < 4; j++) sy_store_u64(out + 8 * j, scalar.word[j]);
        assert_memory_equal(out, rest, sizeof out);
        assert_true(sy_scalar_read(&scalar, out));
    }
}

CASE(scalars_of_l_and_above_are_refused)
{
    struct sy_scalar scalar;
    uint8_t bytes[32];
    assert_true(sy_hex_decode(bytes, 32, reductions[2].rest)); // L - 1
    assert_true(sy_scalar_read(&scalar, bytes));
    bytes[0]++;
    assert_false(sy_scalar_read(&scalar, bytes));
    bytes[0]++;
    assert_false(sy_scalar_read(&scalar, bytes));
    memset(bytes, 0xff, sizeof bytes);
    assert_false(sy_scalar_read(&scalar, bytes));
    memset(bytes, 0, sizeof bytes);
    assert_true(sy_scalar_read(&scalar, bytes));
}

// a = 2a + digit mod 2^256.
static void shift_in(struct sy_scalar *a, int digit)
{
    for (int i = 3; i > 0; i--) a->word[i] = a->word[i] << 1 | a->word[i - 1] >> 63;
    a->word[0] <<= 1;
    uint64_t add = (uint64_t)(int64_t)digit, fill = digit < 0 ? UINT64_MAX : 0, carry = 0;
    for (int i = 0; i < 4; i++) {
        uint64_t part = (i == 0 ? add : fill) + carry;
        carry = carry > 0 && part == 0 ? 1 : 0;
        a->word[i] += part;
        carry += a->word[i] < part;
    }
}

static void random_scalar(struct sy_scalar *a, sy_prng *prng, unsigned round)
{
    uint8_t bytes[64];
    sy_prng_fill(prng, bytes, sizeof bytes);
    sy_scalar_reduce(a, bytes);
    if (round % 5 == 1) *a = (struct sy_scalar){{round / 5, 0, 0, 0}};
    if (round % 5 == 2) a->word[round % 4] = UINT64_MAX >> (round % 4 == 3 ? 4 : 0);
}

CASE(digits_sum_up_to_the_number)
{
    sy_prng prng;
    sy_prng_seed(&prng, test_seed());
    for (unsigned round = 0; round < 2000; round++) {
        struct sy_scalar a, sum = {{0}};
        int16_t digits[SY_NAF_DIGITS];
        random_scalar(&a, &prng, round);
        sy_scalar_naf_vartime(digits, &a);
        for (int i = SY_NAF_DIGITS - 1; i >= 0; i--) {
            assert_true(digits[i] == 0 || (digits[i] % 2 != 0 && abs(digits[i]) < 16));
            shift_in(&sum, digits[i]);
        }
        assert_memory_equal(&sum, &a, sizeof sum);
    }
}

CASE(signs_of_the_comb_sum_up_to_the_number)
{
    sy_prng prng;
    sy_prng_seed(&prng, test_seed());
    for (unsigned round = 0; round < 2000; round++) {
        struct sy_scalar a, sum = {{0}};
        uint16_t columns[SY_COMB_COLUMNS];
        random_scalar(&a, &prng, round);
        a.word[0] |= 1;
        sy_scalar_comb(columns, &a);
        for (int i = 255; i >= 0; i--) shift_in(&sum, columns[i % 16] >> i / 16 & 1 ? 1 : -1);
        assert_memory_equal(&sum, &a, sizeof sum);
        assert_true(columns[15] >> 15);
    }
}

CASE(even_numbers_are_made_odd_by_l)
{
    struct sy_scalar even = {{2, 0, 0, 0}}, odd = {{3, 0, 0, 0}}, before = odd;
    sy_scalar_make_odd_vartime(&even);
    assert_true(even.word[0] == 0x5812631a5cf5d3ed + 2 && even.word[3] == 0x1000000000000000);
    sy_scalar_make_odd_vartime(&odd);
    assert_memory_equal(&odd, &before, sizeof odd);
}

// --- tables --------------------------------------------------------------------------------------

CASE(what_is_no_point_has_no_table)
{
    static const uint8_t off_curve[32] = {2};
    struct sy_comb_table *table = (struct sy_comb_table *)aligned_alloc(64, sizeof *table);
    assert_non_null(table);
    assert_false(sy_comb_build(table, off_curve));
    free(table);
}

// Entry m of the base table is the sum of +-2^(16 i) B by the bits of m, with 2^240 B added: two of
// them that differ in bit 0 alone differ by 2 B, and so on.
CASE(entries_of_the_base_table_differ_by_their_teeth)
{
    const struct sy_comb_entry *base = sy_comb_base();
    struct sy_affine low, high, b;
    sy_comb_load(&low, &base[0x1234 & ~1u]);
    sy_comb_load(&high, &base[0x1234 | 1u]);
    // (y + x, y - x) of B: y = 4/5.
    const struct sy_field x = sy_field_of(0x62d608f25d51a, 0x412a4b4f6592a, 0x75b7171a4b31d,
                                          0x1ff60527118fe, 0x216936d3cd6e5);
    const struct sy_field y = sy_field_of(0x6666666666658, 0x4cccccccccccc, 0x1999999999999,
                                          0x3333333333333, 0x6666666666666);
    const struct sy_field d2 = sy_field_2d();
    struct sy_point sum;
    struct sy_field t;
    struct sy_packed packed, packed_other;
    sy_field_add(&b.plus, &y, &x);
    sy_field_sub(&b.minus, &y, &x);
    sy_field_mul(&t, &x, &y);
    sy_field_mul(&b.t2d, &t, &d2);
    sy_point_zero(&sum);
    sy_point_add_affine(&sum, &sum, &low, false, true);
    sy_point_add_affine(&sum, &sum, &b, false, true);
    sy_point_add_affine(&sum, &sum, &b, false, true);
    sy_point_add_affine(&sum, &sum, &high, true, true); // Nothing is left: x = 0, y = z.
    assert_true(sy_field_is_zero(&sum.x));
    sy_field_pack(&packed, &sum.y);
    sy_field_pack(&packed_other, &sum.z);
    assert_memory_equal(&packed, &packed_other, sizeof packed);
    assert_true(sy_field_is_zero(&sum.t));
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(emulated_products_are_the_same),
        cmocka_unit_test(the_numbers_around_p_are_taken_mod_p),
        cmocka_unit_test(inverses_are_inverses_one_by_one_and_together),
        cmocka_unit_test(numbers_are_reduced_mod_l),
        cmocka_unit_test(scalars_of_l_and_above_are_refused),
        cmocka_unit_test(digits_sum_up_to_the_number),
        cmocka_unit_test(signs_of_the_comb_sum_up_to_the_number),
        cmocka_unit_test(even_numbers_are_made_odd_by_l),
        cmocka_unit_test(what_is_no_point_has_no_table),
        cmocka_unit_test(entries_of_the_base_table_differ_by_their_teeth),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
