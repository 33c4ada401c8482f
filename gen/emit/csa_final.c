/* The final carry-propagate adder over the two rows that column compression leaves. */
#include "emit/csa_net.h"

#include <stdlib.h>

static int later(int a, int b)
{
    return a > b ? a : b;
}

static int latest_from(const csa_net *net, int col)
{
    int t = 0;
    for (; col < net->width; col++)
        for (int i = 0; i < net->col[col].n; i++) t = later(t, net->col[col].bit[i].time);
    return t;
}

/* Adds the carry into the signals of one low column. Returns the arrival of the result bit. */
static int ripple_column(csa_net *net, int col, bool *has_carry, csa_bit *carry, const char *name)
{
    csa_column *c = &net->col[col];
    csa_bit sum = {0}, next = {0};
    const char *no = net->inverted ? "~" : "";
    bool more = true;

    if (*has_carry) csa_push(net, *carry);
    *has_carry = false;
    if (c->n == 0) {
        csa_put(net, "    assign %s[%d] = 1'b%d;\n", name, col, c->one);
        return 0;
    }
    if (c->n == 1 && !c->one) {
        sum = c->bit[0];
        more = false;
    } else if (c->n == 1) { /* x + 1 = {x, ~x} */
        sum = c->bit[0];
        no = net->inverted ? "" : "~";
        if (col + 1 < net->width) {
            next = csa_wire(net, col + 1, sum.time);
            csa_put(net, "    assign c%d_%d = c%d_%d;\n", next.col, next.id, col, sum.id);
        }
    } else if (c->n == 2) {
        csa_half(net, c->bit[0], c->bit[1], c->one, &sum, &next);
    } else {
        csa_full(net, c->bit[0], c->bit[1], c->bit[2], &sum, &next);
    }
    csa_put(net, "    assign %s[%d] = %sc%d_%d;\n", name, col, no, col, sum.id);
    *has_carry = more && col + 1 < net->width;
    *carry = next;
    return sum.time;
}

/* Propagate p0_<i> of one column and, unless it is the last, generate g0_<i>. Returns their arrival. */
static int column_gp(csa_net *net, int col, int i)
{
    csa_column *c = &net->col[col];
    const char *no = net->inverted ? "~" : "";
    bool last = col + 1 == net->width;
    int a = c->n > 0 ? c->bit[0].id : 0, b = c->n > 1 ? c->bit[1].id : 0;

    if (c->n == 2) {
        csa_put(net, "    wire p0_%d = c%d_%d ^ c%d_%d;\n", i, col, a, col, b);
        if (!last) csa_put(net, "    wire g0_%d = %s(c%d_%d %s c%d_%d);\n", i, no, col, a, *no ? "|" : "&", col, b);
        return later(c->bit[0].time, c->bit[1].time) + CSA_T_XOR;
    }
    if (c->n == 1) {
        csa_put(net, "    wire p0_%d = %sc%d_%d;\n", i, net->inverted != c->one ? "~" : "", col, a);
        if (!last && c->one) csa_put(net, "    wire g0_%d = %sc%d_%d;\n", i, no, col, a);
    } else {
        csa_put(net, "    wire p0_%d = 1'b%d;\n", i, c->one);
    }
    if (!last && !(c->n && c->one)) csa_put(net, "    wire g0_%d = 1'b0;\n", i);
    return c->n ? c->bit[0].time : 0;
}

/* Sklansky's parallel prefix over columns first..width-1; entry 0 of the prefix is the carry in. */
static int prefix_columns(csa_net *net, int first, csa_bit carry, const char *name)
{
    int n = net->width - first + 1, top = 0;
    int *level = calloc((size_t)n, sizeof *level), *time = calloc((size_t)n, sizeof *time);

    if (!level || !time) {
        net->failed = true;
        goto done;
    }
    csa_put(net, "    wire g0_0 = %sc%d_%d;\n", net->inverted ? "~" : "", carry.col, carry.id);
    time[0] = carry.time;
    for (int i = 1; i < n; i++) time[i] = column_gp(net, first + i - 1, i);

    /* Entry i ends as the carry out of column first+i-1; the last carry is not needed. */
    for (int span = 1, l = 1; span < n - 1; span *= 2, l++) {
        for (int i = 1; i < n - 1; i++) {
            int j = i / span * span - 1, li = level[i];
            if (!(i / span % 2)) continue;
            csa_put(net, "    wire g%d_%d = g%d_%d | (p%d_%d & g%d_%d);\n", l, i, li, i, li, i, level[j], j);
            if (i >= 2 * span) /* otherwise the group reaches down to the carry in, and g is the carry itself */
                csa_put(net, "    wire p%d_%d = p%d_%d & p%d_%d;\n", l, i, li, i, level[j], j);
            time[i] = later(time[i], time[j]) + CSA_T_PREFIX;
        }
        for (int i = 1; i < n - 1; i++)
            if (i / span % 2) level[i] = l;
    }
    for (int i = 1; i < n; i++) {
        csa_put(net, "    assign %s[%d] = p0_%d ^ g%d_%d;\n", name, first + i - 1, i, level[i - 1], i - 1);
        top = later(top, later(time[i - 1], latest_from(net, first)) + CSA_T_XOR);
    }
done:
    free(level);
    free(time);
    return top;
}

int csa_final_add(csa_net *net, const char *name)
{
    bool has_carry = false;
    csa_bit carry = {0};
    int t = 0;

    for (int col = 0; col < net->width && !net->failed; col++) {
        /* Where the carry would hold up the sum, and enough columns are left to be worth it, look ahead. */
        if (has_carry && net->width - col > 3 && carry.time > latest_from(net, col))
            return later(t, prefix_columns(net, col, carry, name));
        t = later(t, ripple_column(net, col, &has_carry, &carry, name));
    }
    return t;
}
