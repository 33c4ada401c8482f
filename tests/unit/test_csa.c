/* Carry-save arithmetic: what the emitted dot products, multipliers and adders compute, exhaustively for small sizes;
 * sizes refused; pipelining; cost. The same modules meet Verilog simulators in tests/rtl/csa_equiv.sh. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/bits.h"
#include "base/rng.h"
#include "csa_eval.h"
#include "emit/csa_tree.h"

enum { WORD = 64 };

/* Sets `bits` bits from bit `base` of vector input `name` to those of value, for vector number v. */
static void put(csa_circuit *c, const char *name, int base, int bits, int v, long long value)
{
    for (int j = 0; j < bits; j++) {
        uint64_t *w = csa_circuit_bit(c, name, base + j);
        if (w) *w = (*w & ~(UINT64_C(1) << v)) | (uint64_t)(value >> j & 1) << v;
    }
}

static long long get(csa_circuit *c, const char *name, int bits, int v, bool is_signed)
{
    unsigned long long value = 0;
    for (int j = 0; j < bits; j++) {
        uint64_t *w = csa_circuit_bit(c, name, j);
        assert_non_null(w);
        value |= (unsigned long long)(*w >> v & 1) << j;
    }
    if (is_signed && bits < 64 && value >> (bits - 1) & 1) value -= 1ULL << bits;
    return (long long)value;
}

static long long extended(unsigned long long raw, int bits, bool is_signed)
{
    raw &= (1ULL << bits) - 1;
    return is_signed && raw >> (bits - 1) ? (long long)raw - (1LL << bits) : (long long)raw;
}

/* Dot products ----------------------------------------------------------------------------------------------------- */

/* The recoder's outputs are the dot product's inputs. */
typedef struct {
    csa_circuit *recode, *dot;
} dot_pair;

static dot_pair make_dot(int inputs, int a_bits, int w_bits, int stages)
{
    static const char *const recode_ports[] = {"a", NULL}, *const dot_ports[] = {"code", "corr", "w", NULL};
    lt_buf recode = {0}, dot = {0};
    lt_err err;

    assert_int_equal(lt_csa_emit_recode("lutra_recode", inputs, a_bits, w_bits, stages, 0, &recode, &err), LT_OK);
    assert_int_equal(lt_csa_emit_dot("lutra_dot", inputs, a_bits, w_bits, stages, 0, &dot, &err), LT_OK);
    dot_pair pair = {csa_circuit_read(recode.data, recode_ports), csa_circuit_read(dot.data, dot_ports)};
    lt_buf_free(&recode);
    lt_buf_free(&dot);
    assert_non_null(pair.recode);
    assert_non_null(pair.dot);
    return pair;
}

static void copy(const dot_pair *pair, const char *name)
{
    for (int i = 0;; i++) {
        const uint64_t *from = csa_circuit_bit(pair->recode, name, i);
        if (!from) return;
        *csa_circuit_bit(pair->dot, name, i) = *from;
    }
}

/* Random and extreme vectors, or all of them if there are at most 2^20. */
static void check_dot(int inputs, int a_bits, int w_bits, int stages)
{
    dot_pair c = make_dot(inputs, a_bits, w_bits, stages);
    lt_rng rng = lt_rng_make(7, (uint64_t)(inputs * 1000 + a_bits * 100 + w_bits * 10 + stages));
    int in_bits = inputs * (a_bits + w_bits), sum_bits = a_bits + w_bits + lt_clog2(inputs);
    bool all = in_bits <= 16;
    long count = all ? 1L << in_bits : 4096;

    for (long n = 0; n < count; n += WORD) {
        long long expected[WORD] = {0};
        int lanes = count - n < WORD ? (int)(count - n) : WORD;
        for (int v = 0; v < lanes; v++) {
            unsigned long long bits = (unsigned long long)(n + v);
            for (int i = 0; i < inputs; i++) {
                if (!all) bits = (unsigned long long)lt_rng_u32(&rng) << 32 | lt_rng_u32(&rng);
                long long a = extended(bits, a_bits, true), w = extended(bits >> a_bits, w_bits, true);
                if (!all && v % 8 == 1) a = v & 16 ? -(1LL << (a_bits - 1)) : (1LL << (a_bits - 1)) - 1;
                if (!all && v % 4 == 1) w = v & 32 ? -(1LL << (w_bits - 1)) : (1LL << (w_bits - 1)) - 1;
                bits >>= a_bits + w_bits;
                put(c.recode, "a", i * a_bits, a_bits, v, a);
                put(c.dot, "w", i * w_bits, w_bits, v, w);
                expected[v] += a * w;
            }
        }
        csa_circuit_run(c.recode);
        copy(&c, "code");
        copy(&c, "corr");
        csa_circuit_run(c.dot);
        for (int v = 0; v < lanes; v++) assert_int_equal(get(c.dot, "sum", sum_bits, v, true), expected[v]);
    }
    csa_circuit_free(c.recode);
    csa_circuit_free(c.dot);
}

static void small_dots_exhaustively(void **state)
{
    (void)state;
    for (int inputs = 1; inputs <= 4; inputs++)
        for (int a = 2; a <= 8; a++)
            for (int w = 2; w <= 8; w++)
                for (int stages = 0; stages <= 3; stages += 1 + (a > 3))
                    if (inputs * (a + w) <= 16) check_dot(inputs, a, w, stages);
}

static void large_dots(void **state)
{
    (void)state;
    for (int stages = 0; stages <= LT_CSA_MAX_STAGES; stages++) check_dot(16, 8, 8, stages);
    static const int size[][4] = {{3, 8, 8, 1},   {5, 8, 8, 2},   {64, 8, 8, 2},  {33, 8, 4, 0}, {17, 7, 5, 3},
                                  {256, 2, 3, 1}, {9, 16, 16, 3}, {100, 8, 8, 3}, {6, 3, 8, 7}};
    for (size_t i = 0; i < sizeof size / sizeof *size; i++) check_dot(size[i][0], size[i][1], size[i][2], size[i][3]);
}

/* Multipliers and adders ------------------------------------------------------------------------------------------- */

static void check_mul(int a_bits, bool a_signed, int b_bits, bool b_signed, int stages)
{
    static const char *const ports[] = {"a", "b", NULL};
    lt_buf text = {0};
    lt_err err;
    assert_int_equal(lt_csa_emit_mul("mul", a_bits, a_signed, b_bits, b_signed, stages, &text, &err), LT_OK);
    csa_circuit *c = csa_circuit_read(text.data, ports);
    assert_non_null(c);
    lt_rng rng = lt_rng_make(9, (uint64_t)(a_bits * 40 + b_bits));
    bool all = a_bits + b_bits <= 16;
    long count = all ? 1L << (a_bits + b_bits) : 2048;

    for (long n = 0; n < count; n += WORD) {
        long long expected[WORD];
        int lanes = count - n < WORD ? (int)(count - n) : WORD;
        for (int v = 0; v < lanes; v++) {
            unsigned long long ra = (unsigned long long)(n + v), rb = ra >> a_bits;
            if (!all) {
                ra = v % 5 == 1 ? 1ULL << (a_bits - 1) : v % 5 == 2 ? ~0ULL : lt_rng_u32(&rng);
                rb = v % 3 == 1 ? 1ULL << (b_bits - 1) : v % 3 == 2 && v & 8 ? ~0ULL : lt_rng_u32(&rng);
            }
            long long a = extended(ra, a_bits, a_signed), b = extended(rb, b_bits, b_signed);
            put(c, "a", 0, a_bits, v, a);
            put(c, "b", 0, b_bits, v, b);
            /* modulo 2^64: exact for every size but unsigned 32 x 32, whose product has 64 bits */
            expected[v] = (long long)((unsigned long long)a * (unsigned long long)b);
        }
        csa_circuit_run(c);
        for (int v = 0; v < lanes; v++)
            assert_int_equal(get(c, "p", a_bits + b_bits, v, a_signed || b_signed), expected[v]);
    }
    csa_circuit_free(c);
    lt_buf_free(&text);
}

static void multipliers(void **state)
{
    (void)state;
    for (int a = 2; a <= 9; a++)
        for (int b = 2; b <= 7; b++)
            for (int signs = 0; signs < 4; signs++) check_mul(a, signs & 1, b, signs & 2, (a + b + signs) % 4);
    for (int signs = 0; signs < 4; signs++) {
        check_mul(25, signs & 1, 16, signs & 2, 2);
        check_mul(16, signs & 1, 25, signs & 2, 1);
        check_mul(32, signs & 1, 32, signs & 2, 7);
        check_mul(31, signs & 1, 9, signs & 2, 0);
    }
}

static void check_sum(int inputs, int bits, bool is_signed, int sum_bits, int stages)
{
    static const char *const ports[] = {"x", NULL};
    lt_buf text = {0};
    lt_err err;
    assert_int_equal(lt_csa_emit_sum("sum", inputs, bits, is_signed, sum_bits, stages, &text, &err), LT_OK);
    csa_circuit *c = csa_circuit_read(text.data, ports);
    assert_non_null(c);
    lt_rng rng = lt_rng_make(11, (uint64_t)(inputs * 100 + bits));

    for (int n = 0; n < 32; n++) {
        long long expected[WORD] = {0};
        for (int v = 0; v < WORD; v++) {
            for (int i = 0; i < inputs; i++) {
                unsigned long long raw = v == 1 ? ~0ULL : v == 2 ? 1ULL << (bits - 1) : v == 3 ? 0 : lt_rng_u32(&rng);
                long long x = extended(raw, bits, is_signed);
                put(c, "x", i * bits, bits, v, x);
                expected[v] += x;
            }
        }
        csa_circuit_run(c);
        for (int v = 0; v < WORD; v++)
            assert_int_equal(get(c, "sum", sum_bits, v, false), expected[v] & ((1LL << sum_bits) - 1));
    }
    csa_circuit_free(c);
    lt_buf_free(&text);
}

static void adders(void **state)
{
    (void)state;
    for (int inputs = 1; inputs <= 40; inputs += 1 + inputs / 4)
        for (int bits = 1; bits <= 9; bits += 2)
            for (int s = 0; s < 2; s++) check_sum(inputs, bits, s, bits + lt_clog2(inputs), inputs % 4);
    check_sum(256, 8, true, 16, 3);
    check_sum(18, 4, true, 24, 1);
    check_sum(9, 32, true, 40, 2);
    check_sum(7, 6, true, 6, 0);
}

/* Form ---------------------------------------------------------------------------------------------------------------
 */

static int count(const char *text, const char *what)
{
    int n = 0;
    for (const char *p = strstr(text, what); p; p = strstr(p + 1, what)) n++;
    return n;
}

/* The cost that the reports rest on, so that a change for the worse is seen: 16 products of 8 x 8 bits need about 35
 * full adders each, and every cut shortens a stage. */
static void cost(void **state)
{
    (void)state;
    int before = 1 << 30, registers_before = -1;
    for (int stages = 0; stages <= 3; stages++) {
        lt_buf b = {0};
        lt_err err;
        int whole, part;
        assert_int_equal(lt_csa_emit_dot("lutra_dot", 16, 8, 8, stages, 0, &b, &err), LT_OK);
        const char *delay = strstr(b.data, "modelled delay of a stage: ");
        assert_non_null(delay);
        assert_int_equal(sscanf(delay, "modelled delay of a stage: %d.%d", &whole, &part), 2);
        assert_true(100 * whole + part < before);
        before = 100 * whole + part;
        int fa = count(b.data, "lutra_fa "), registers = count(b.data, "    reg c");
        assert_in_range(fa, 540, 570);
        assert_in_range(count(b.data, "lutra_ha "), 0, 24);
        assert_int_equal(count(b.data, "lutra_sel "), 16 * 3 * 7);
        assert_true(registers > registers_before && registers < 110 * stages + 1);
        registers_before = registers;
        lt_buf_free(&b);
    }
    assert_true(before < 400); /* hundredths of a full adder, with three cuts */
}

static void same_text_twice(void **state)
{
    (void)state;
    lt_buf a = {0}, b = {0};
    lt_err err;
    assert_int_equal(lt_csa_emit_dot("d", 16, 8, 8, 2, 0, &a, &err), LT_OK);
    assert_int_equal(lt_csa_emit_dot("d", 16, 8, 8, 2, 0, &b, &err), LT_OK);
    assert_string_equal(a.data, b.data);
    lt_buf_free(&a);
    lt_buf_free(&b);
}

static void refused(lt_code code, const lt_err *err, const char *message)
{
    assert_int_equal(code, LT_EINPUT);
    assert_string_equal(err->msg, message);
}

static void sizes_out_of_range(void **state)
{
    (void)state;
    lt_buf b = {0};
    lt_err e;
    refused(lt_csa_emit_dot("m", 0, 8, 8, 0, 0, &b, &e), &e, "carry-save tree: inputs: got 0, expected 1 to 256");
    refused(lt_csa_emit_dot("m", 257, 8, 8, 0, 0, &b, &e), &e, "carry-save tree: inputs: got 257, expected 1 to 256");
    refused(lt_csa_emit_dot("m", 4, 1, 8, 0, 0, &b, &e), &e,
            "carry-save tree: activation bits: got 1, expected 2 to 16");
    refused(lt_csa_emit_recode("m", 4, 8, 17, 0, 0, &b, &e), &e,
            "carry-save tree: weight bits: got 17, expected 2 to 16");
    refused(lt_csa_emit_dot("m", 4, 8, 8, 8, 0, &b, &e), &e, "carry-save tree: stages: got 8, expected 0 to 7");
    refused(lt_csa_emit_mul("m", 33, true, 8, true, 0, &b, &e), &e,
            "carry-save tree: bits of a: got 33, expected 2 to 32");
    refused(lt_csa_emit_mul("m", 8, true, 1, true, 0, &b, &e), &e,
            "carry-save tree: bits of b: got 1, expected 2 to 32");
    refused(lt_csa_emit_mul("m", 8, true, 8, true, -1, &b, &e), &e, "carry-save tree: stages: got -1, expected 0 to 7");
    refused(lt_csa_emit_sum("m", -3, 8, true, 8, 0, &b, &e), &e,
            "carry-save tree: operands: got -3, expected 1 to 256");
    refused(lt_csa_emit_sum("m", 4, 0, true, 8, 0, &b, &e), &e, "carry-save tree: bits: got 0, expected 1 to 32");
    refused(lt_csa_emit_sum("m", 4, 8, true, 7, 0, &b, &e), &e,
            "carry-save tree: bits of the sum: got 7, expected 8 to 40");
    assert_null(b.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_dots_exhaustively),
        cmocka_unit_test(large_dots),
        cmocka_unit_test(multipliers),
        cmocka_unit_test(adders),
        cmocka_unit_test(cost),
        cmocka_unit_test(same_text_twice),
        cmocka_unit_test(sizes_out_of_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
