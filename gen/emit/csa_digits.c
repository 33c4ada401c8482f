#include "emit/csa_digits.h"

#include <stdio.h>

int csa_digits(int bits, bool is_signed)
{
    return is_signed ? (bits + 1) / 2 : bits / 2 + 1;
}

csa_digit csa_digit_kind(int bits, bool is_signed, int k)
{
    if (k + 1 < csa_digits(bits, is_signed)) return CSA_DIGIT_LOW;
    if (!is_signed) return bits % 2 ? CSA_DIGIT_POS : CSA_DIGIT_CARRY;
    return bits % 2 ? CSA_DIGIT_SIGN : CSA_DIGIT_BOOTH;
}

bool csa_can_be_negative(csa_digit kind)
{
    return kind != CSA_DIGIT_POS && kind != CSA_DIGIT_CARRY;
}

void csa_put_recode(lt_buf *out, const csa_operand *a, const char *code, int base, const char *carry)
{
    int digits = csa_digits(a->bits, a->is_signed);
    char in[64] = "1'b0"; /* carry into the digit */

    for (int k = 0; k < digits; k++) {
        char lo[64], hi[64]; /* each is used only where the operand has that bit */
        csa_digit kind = csa_digit_kind(a->bits, a->is_signed, k);
        int c = base + CSA_CODE_BITS * k;
        snprintf(lo, sizeof lo, "%s[%d]", a->name, a->base + 2 * k);
        snprintf(hi, sizeof hi, "%s[%d]", a->name, a->base + 2 * k + 1);

        switch (kind) {
        case CSA_DIGIT_LOW:
            lt_buf_printf(out, "    assign %s[%d] = %s & (%s ^ %s);\n", code, c, hi, lo, in);
            lt_buf_printf(out, "    assign %s[%d] = ~%s & (%s ^ %s);\n", code, c + 1, hi, lo, in);
            break;
        case CSA_DIGIT_BOOTH:
            lt_buf_printf(out, "    assign %s[%d] = %s & ~(%s & %s);\n", code, c, hi, lo, in);
            lt_buf_printf(out, "    assign %s[%d] = %s ^ %s;\n", code, c + 1, lo, in);
            break;
        case CSA_DIGIT_SIGN:
            lt_buf_printf(out, "    assign %s[%d] = %s & ~%s;\n", code, c, lo, in);
            lt_buf_printf(out, "    assign %s[%d] = ~%s & %s;\n", code, c + 1, lo, in);
            lt_buf_printf(out, "    assign %s[%d] = 1'b0;\n", code, c + 2);
            break;
        case CSA_DIGIT_POS:
            lt_buf_printf(out, "    assign %s[%d] = 1'b0;\n", code, c);
            lt_buf_printf(out, "    assign %s[%d] = %s ^ %s;\n", code, c + 1, lo, in);
            lt_buf_printf(out, "    assign %s[%d] = %s & %s;\n", code, c + 2, lo, in);
            break;
        case CSA_DIGIT_CARRY:
            lt_buf_printf(out, "    assign %s[%d] = 1'b0;\n", code, c);
            lt_buf_printf(out, "    assign %s[%d] = %s;\n", code, c + 1, in);
            lt_buf_printf(out, "    assign %s[%d] = 1'b0;\n", code, c + 2);
            break;
        }
        if (kind == CSA_DIGIT_LOW || kind == CSA_DIGIT_BOOTH)
            lt_buf_printf(out, "    assign %s[%d] = (~%s & %s & %s) | (%s & ~%s & ~%s);\n", code, c + 2, hi, lo, in, hi,
                          lo, in);
        if (k + 1 < digits) {
            lt_buf_printf(out, "    wire %s_%d = %s & (%s | %s);\n", carry, k, hi, lo, in);
            snprintf(in, sizeof in, "%s_%d", carry, k);
        }
    }
}

/* Bit j of the multiplicand, sign- or zero-extended. */
static void operand_bit(char *s, size_t n, const csa_operand *w, int j)
{
    if (j < 0 || (j >= w->bits && !w->is_signed))
        snprintf(s, n, "1'b0");
    else
        snprintf(s, n, "%s[%d]", w->name, w->base + (j < w->bits ? j : w->bits - 1));
}

/* Bit j of digit x multiplicand, as a sum of products (true polarity). */
static void product_bit(char *s, size_t n, csa_digit kind, const char *code, int c, const csa_operand *w, int j)
{
    char w1[64], w2[64];
    operand_bit(w1, sizeof w1, w, j);
    operand_bit(w2, sizeof w2, w, j - 1);

    switch (kind) {
    case CSA_DIGIT_LOW:
        snprintf(s, n, "(%s[%d] & ~%s) | (%s[%d] & %s) | (%s[%d] & %s)", code, c, w1, code, c + 1, w1, code, c + 2, w2);
        break;
    case CSA_DIGIT_BOOTH:
        snprintf(s, n, "(%s[%d] & (%s ^ %s[%d])) | (%s[%d] & (%s ^ %s[%d]))", code, c + 1, w1, code, c, code, c + 2, w2,
                 code, c);
        break;
    case CSA_DIGIT_SIGN:
        snprintf(s, n, "(%s[%d] & ~%s) | (%s[%d] & %s)", code, c, w1, code, c + 1, w1);
        break;
    case CSA_DIGIT_POS:
        snprintf(s, n, "(%s[%d] & %s) | (%s[%d] & %s)", code, c + 1, w1, code, c + 2, w2);
        break;
    case CSA_DIGIT_CARRY:
        snprintf(s, n, "%s[%d] & %s", code, c + 1, w1);
        break;
    }
}

/* The sign of digit x multiplicand: both neighbours of product_bit() are the multiplicand's sign here. */
static void product_sign(char *s, size_t n, csa_digit kind, const char *code, int c, const csa_operand *w)
{
    char sign[64];
    operand_bit(sign, sizeof sign, w, w->bits);

    switch (kind) {
    case CSA_DIGIT_LOW:
        snprintf(s, n, "(%s[%d] & ~%s) | ((%s[%d] | %s[%d]) & %s)", code, c, sign, code, c + 1, code, c + 2, sign);
        break;
    case CSA_DIGIT_BOOTH:
        snprintf(s, n, "(%s[%d] | %s[%d]) & (%s ^ %s[%d])", code, c + 1, code, c + 2, sign, code, c);
        break;
    case CSA_DIGIT_SIGN:
        snprintf(s, n, "(%s[%d] & ~%s) | (%s[%d] & %s)", code, c, sign, code, c + 1, sign);
        break;
    case CSA_DIGIT_POS:
        snprintf(s, n, "(%s[%d] | %s[%d]) & %s", code, c + 1, code, c + 2, sign);
        break;
    case CSA_DIGIT_CARRY:
        snprintf(s, n, "%s[%d] & %s", code, c + 1, sign);
        break;
    }
}

/* The common partial product bit, complemented, as one cell. */
static void put_selector(csa_net *net, const char *code, int c, const csa_operand *w, int j, csa_bit out)
{
    char w1[64], w2[64];
    operand_bit(w1, sizeof w1, w, j);
    operand_bit(w2, sizeof w2, w, j - 1);
    csa_put(net, "    lutra_sel s%d (.m1(%s[%d]), .p1(%s[%d]), .p2(%s[%d]), .w1(%s), .w2(%s), .n(c%d_%d));\n",
            net->cells++, code, c, code, c + 1, code, c + 2, w1, w2, out.col, out.id);
}

uint64_t csa_push_products(csa_net *net, csa_digit kind, const char *code, int code_base, const csa_operand *w, int col,
                           int time)
{
    /* Magnitude bits 0..top-1, then (if it can be negative) a sign of weight -2^top, added as its complement with
     * weight +2^top and the constant -2^top. Twice an unsigned multiplicand needs one bit more. */
    bool doubles = kind != CSA_DIGIT_SIGN && kind != CSA_DIGIT_CARRY;
    bool is_signed = w->is_signed || csa_can_be_negative(kind);
    int top = w->is_signed ? w->bits - 1 + doubles : w->bits + doubles;

    time += kind == CSA_DIGIT_BOOTH ? CSA_T_BOOTH : CSA_T_SELECT;
    for (int j = 0; j < top + is_signed && col + j < net->width; j++) {
        bool sign = j == top;
        csa_bit b = csa_wire(net, col + j, time);
        if (kind == CSA_DIGIT_LOW && net->inverted && !sign && j > 0) {
            put_selector(net, code, code_base, w, j, b);
        } else {
            char s[320];
            if (sign)
                product_sign(s, sizeof s, kind, code, code_base, w);
            else
                product_bit(s, sizeof s, kind, code, code_base, w, j);
            csa_put(net, "    assign c%d_%d = %s(%s);\n", b.col, b.id, sign != net->inverted ? "~" : "", s);
        }
        csa_push(net, b);
    }
    if (!is_signed || col + top >= net->width) return 0;
    return -(UINT64_C(1) << (col + top));
}
