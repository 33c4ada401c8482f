/* Pipelining of a carry-save tree: finds the shortest clock that a number of register cuts allows. Private to gen/emit.
 */
#ifndef LUTRA_EMIT_CSA_PLAN_H
#define LUTRA_EMIT_CSA_PLAN_H

#include "emit/csa_digits.h"
#include "emit/csa_net.h"

/* What a tree adds. */
typedef struct csa_tree csa_tree;
struct csa_tree {
    int width;  /* bits of the result, which is modulo 2^width */
    int stages; /* register cuts */
    bool inverted;
    const char *result;                                          /* vector of `width` wires that gets the sum */
    void (*push)(csa_net *net, const csa_tree *tree, int stage); /* pushes the signals that join in that stage */
    int inputs;                                                  /* products or operands */
    csa_operand a;                                               /* the recoded operand, or the only one */
    csa_operand w;                                               /* the multiplicand */
    int join;                                                    /* dot product: stage in which corr joins */
    int late;                                                    /* dot product: arrival of the code */
};

/* The least delay (in hundredths of a full adder) to which every stage can be held. */
int csa_stage_delay(const csa_tree *tree);

/* Builds the tree with stages of that delay; test csa_net_ok(). */
csa_net csa_build(const csa_tree *tree, int delay);

#endif
