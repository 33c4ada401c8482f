/* Column compression: V. Oklobdzija, D. Villeger, S. Liu, "A method for speed optimized partial product reduction and
 * generation of fast parallel multipliers", IEEE Trans. Computers 45(3), 1996: in every column the earliest signals are
 * added first and the latest takes the fast input of the adder. */
#include "emit/csa_net.h"

#include <limits.h>

/* Arrival of the n-th earliest signal of a column (n counts from 1); the column has at least n. */
static int nth_arrival(const csa_column *c, int n)
{
    int after = INT_MIN;
    for (;;) {
        int next = INT_MAX, count = 0;
        for (int i = 0; i < c->n; i++)
            if (c->bit[i].time > after && c->bit[i].time < next) next = c->bit[i].time;
        for (int i = 0; i < c->n; i++) count += c->bit[i].time <= next;
        if (count >= n) return next;
        after = next;
    }
}

static void add_earliest(csa_net *net, int col, int inputs, bool one)
{
    csa_bit in[3] = {{0}}, sum, carry;

    for (int i = 0; i < inputs; i++) in[i] = csa_pop_earliest(net, col);
    if (inputs == 3)
        csa_full(net, in[0], in[1], in[2], &sum, &carry);
    else
        csa_half(net, in[0], in[1], one, &sum, &carry);
    csa_push(net, sum);
    csa_push(net, carry);
}

void csa_reduce(csa_net *net, int limit)
{
    bool low_done = limit >= 0; /* every lower column is down to one signal */

    if (limit < 0) limit = INT_MAX;
    for (int col = 0; col < net->width && !net->failed; col++) {
        csa_column *c = &net->col[col];
        while (c->n + c->one > 2) {
            int inputs = c->one ? 2 : 3;
            int delay = c->one ? CSA_T_HA_S : CSA_T_FA_S;
            if (nth_arrival(c, inputs) > limit - delay) break;
            add_earliest(net, col, inputs, c->one);
            c->one = false;
        }
        /* Finish the lowest columns early: it shortens the final adder and saves registers at the cut. */
        if (low_done && c->n == 2 && !c->one && nth_arrival(c, 2) <= limit - CSA_T_HA_S)
            add_earliest(net, col, 2, false);
        low_done = low_done && c->n + c->one <= 1;
    }
}
