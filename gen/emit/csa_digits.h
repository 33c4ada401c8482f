/* Radix-4 digits of a binary operand, and the partial products digit x multiplicand.
 *
 * Every digit but the last lies in {-1, 0, 1, 2} (bits 2k+1, 2k and a carry from the digit below; 3 becomes -1 and a
 * carry), so that a partial product bit is one AOI222 gate; the last digit of a signed operand is a Booth digit in
 * {-2..2}. A negative multiple is formed as the complement; the missing +1 is the digit's `neg`. */
#ifndef LUTRA_EMIT_CSA_DIGITS_H
#define LUTRA_EMIT_CSA_DIGITS_H

#include "emit/csa_net.h"

typedef enum {
    CSA_DIGIT_LOW,   /* {-1,0,1,2}: controls m1, p1, p2 */
    CSA_DIGIT_BOOTH, /* {-2..2}, last of a signed operand of even width: neg, one, two */
    CSA_DIGIT_SIGN,  /* {-1,0,1}, last of a signed operand of odd width: m1, p1 */
    CSA_DIGIT_POS,   /* {0,1,2}, last of an unsigned operand of odd width: p1, p2 */
    CSA_DIGIT_CARRY  /* {0,1}, last of an unsigned operand of even width: p1 */
} csa_digit;

/* Code bits of a digit, lowest first: LOW m1,p1,p2; BOOTH neg,one,two; SIGN m1,p1,0; POS 0,p1,p2; CARRY 0,p1,0.
 * The lowest is 1 exactly if the digit is negative. */
enum { CSA_CODE_BITS = 3 };

int csa_digits(int bits, bool is_signed);
csa_digit csa_digit_kind(int bits, bool is_signed, int k);

/* <name>[base +: bits] */
typedef struct {
    const char *name;
    int base, bits;
    bool is_signed;
} csa_operand;

/* Prints the drivers of the wires <code>[base +: 3 * digits], the digits of operand a, and local wires <carry>_<k>. */
void csa_put_recode(lt_buf *out, const csa_operand *a, const char *code, int base, const char *carry);

/* Pushes the partial products of one digit (code at <code>[code_base +: 3], weight 2^col), which are stable at time
 * `time`, and returns the constant that must be added to make their sum right. The +1 of a negative digit is left to
 * the caller. */
uint64_t csa_push_products(csa_net *net, csa_digit kind, const char *code, int code_base, const csa_operand *w, int col,
                           int time);

bool csa_can_be_negative(csa_digit kind);

#endif
