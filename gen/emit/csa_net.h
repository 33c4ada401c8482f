/* The netlist under construction: columns of one-bit signals of equal weight that wait to be added, and the Verilog
 * text of the cells placed so far. Private to gen/emit/csa_*.c.
 *
 * All signals of a net may be kept as complements (`inverted`): a full adder is self-dual, FA(~a,~b,~c) = ~FA(a,b,c),
 * so a whole tree works on complements, and the partial products can come straight from NAND and AOI gates. */
#ifndef LUTRA_EMIT_CSA_NET_H
#define LUTRA_EMIT_CSA_NET_H

#include <stdbool.h>
#include <stdint.h>
#include "base/buf.h"

/* Delays in hundredths of a full adder's input-to-sum delay; the ratios hold within 15 % in osu018 and Nangate45. */
enum {
    CSA_T_FA_S = 100, /* a, b -> s */
    CSA_T_FA_C = 70,  /* a, b -> co */
    CSA_T_FA_CI = 10, /* what the third input saves on both */
    CSA_T_HA_S = 60,
    CSA_T_HA_C = 40,
    CSA_T_XOR = 50,
    CSA_T_PREFIX = 45, /* one prefix level of the final adder */
    CSA_T_SELECT = 100, /* control -> partial product, its buffer included */
    CSA_T_BOOTH = 170, /* the same for the last digit of a signed operand */
    CSA_T_RECODE = 120 /* activation bits -> digits */
};

typedef struct {
    int col, id; /* named c<col>_<id> */
    int time;    /* arrival after the start of the pipeline stage */
} csa_bit;

typedef struct {
    csa_bit *bit;
    int n, cap;
    bool one;    /* a constant 1 is added in this column */
    int next_id; /* numbers the signals of the column */
} csa_column;

typedef struct {
    int width; /* columns, at most 64; sums are modulo 2^width */
    csa_column *col;
    bool inverted;
    bool failed; /* out of memory: sticky, tested once at the end */
    bool silent; /* only delays are wanted: no text is made */
    int cells;   /* numbers the instances */
    lt_buf text;
} csa_net;

csa_net csa_net_make(int width, bool inverted, bool silent);
void csa_net_free(csa_net *net);
bool csa_net_ok(const csa_net *net);

/* Appends to the text, unless the net is silent. */
void csa_put(csa_net *net, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* A new signal of weight 2^col, declared as a wire; the caller places its driver. */
csa_bit csa_wire(csa_net *net, int col, int time);
/* Hands a signal to its column for addition; beyond the last column it is dropped. */
void csa_push(csa_net *net, csa_bit b);
/* A new signal that is an expression of one index (`fmt` with one %d), handed to its column. */
void csa_push_wire(csa_net *net, int col, int time, const char *fmt, int index) __attribute__((format(printf, 4, 0)));
/* Takes the earliest (or the latest) signal out of a column that is not empty. */
csa_bit csa_pop_earliest(csa_net *net, int col);
/* Adds the constant value (modulo 2^width) through the constant bits of the columns; call it once. */
void csa_constant(csa_net *net, uint64_t value);

/* Adders. The sum bit and the carry bit are returned, not pushed. A carry out of the last column is not made:
 * its col is then `width`. `one` adds a constant 1 as third input. */
void csa_full(csa_net *net, csa_bit a, csa_bit b, csa_bit c, csa_bit *sum, csa_bit *carry);
void csa_half(csa_net *net, csa_bit a, csa_bit b, bool one, csa_bit *sum, csa_bit *carry);

/* Passes every waiting signal through a register. */
void csa_cut(csa_net *net);

/* Reduces columns with full adders, lowest column first, always adding the three earliest signals, as far as no output
 * comes later than `limit`. With no limit (< 0) every column ends with at most two signals. */
void csa_reduce(csa_net *net, int limit);

/* Adds the last two rows: ripples through the columns that are ready early, then a prefix adder. Assigns the result
 * (true, not complemented) to the wire vector `name` of `width` bits. Returns its arrival. */
int csa_final_add(csa_net *net, const char *name);

#endif
