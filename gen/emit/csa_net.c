#include "emit/csa_net.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

csa_net csa_net_make(int width, bool inverted, bool silent)
{
    csa_net net = {.width = width, .inverted = inverted, .silent = silent};
    net.col = calloc((size_t)width, sizeof *net.col);
    net.failed = net.col == NULL;
    return net;
}

void csa_net_free(csa_net *net)
{
    for (int c = 0; net->col && c < net->width; c++) free(net->col[c].bit);
    free(net->col);
    lt_buf_free(&net->text);
    *net = (csa_net){0};
}

bool csa_net_ok(const csa_net *net)
{
    return !net->failed && lt_buf_ok(&net->text);
}

void csa_put(csa_net *net, const char *fmt, ...)
{
    char line[512];
    va_list ap;

    if (net->silent) return;
    va_start(ap, fmt);
    vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    lt_buf_puts(&net->text, line);
}

csa_bit csa_wire(csa_net *net, int col, int time)
{
    csa_bit b = {col, 0, time};
    if (net->failed) return b;
    b.id = net->col[col].next_id++;
    csa_put(net, "    wire c%d_%d;\n", b.col, b.id);
    return b;
}

void csa_push(csa_net *net, csa_bit b)
{
    if (net->failed || b.col >= net->width) return;
    csa_column *c = &net->col[b.col];
    if (c->n == c->cap) {
        int cap = c->cap ? 2 * c->cap : 16;
        csa_bit *p = realloc(c->bit, (size_t)cap * sizeof *p);
        if (!p) {
            net->failed = true;
            return;
        }
        c->bit = p;
        c->cap = cap;
    }
    c->bit[c->n++] = b;
}

void csa_push_wire(csa_net *net, int col, int time, const char *fmt, int index)
{
    char expr[64];

    if (col >= net->width) return;
    csa_bit b = csa_wire(net, col, time);
    snprintf(expr, sizeof expr, fmt, index);
    csa_put(net, "    assign c%d_%d = %s;\n", col, b.id, expr);
    csa_push(net, b);
}

csa_bit csa_pop_earliest(csa_net *net, int col)
{
    csa_column *c = &net->col[col];
    int best = 0;
    for (int i = 1; i < c->n; i++)
        if (c->bit[i].time < c->bit[best].time) best = i;
    csa_bit b = c->bit[best];
    /* Keep the order of the others, so that equal arrivals are taken first come, first served. */
    for (int i = best + 1; i < c->n; i++) c->bit[i - 1] = c->bit[i];
    c->n--;
    return b;
}

void csa_constant(csa_net *net, uint64_t value)
{
    if (net->failed) return;
    for (int c = 0; c < net->width; c++) net->col[c].one = value >> c & 1;
}

static int later(int a, int b)
{
    return a > b ? a : b;
}

/* The signal that ends a chain of XORs in the last column, where no carry is needed. */
static csa_bit plain_sum(csa_net *net, const char *expr, int col, int time)
{
    csa_bit s = csa_wire(net, col, time);
    csa_put(net, "    assign c%d_%d = %s;\n", s.col, s.id, expr);
    return s;
}

void csa_full(csa_net *net, csa_bit a, csa_bit b, csa_bit c, csa_bit *sum, csa_bit *carry)
{
    int t = later(later(a.time, b.time), c.time - CSA_T_FA_CI);
    int col = a.col;

    if (col + 1 >= net->width) {
        char expr[96];
        snprintf(expr, sizeof expr, "c%d_%d ^ c%d_%d ^ c%d_%d", col, a.id, col, b.id, col, c.id);
        *sum = plain_sum(net, expr, col, later(later(a.time, b.time) + CSA_T_XOR, c.time) + CSA_T_XOR);
        *carry = (csa_bit){net->width, 0, 0};
        return;
    }
    *sum = csa_wire(net, col, t + CSA_T_FA_S);
    *carry = csa_wire(net, col + 1, t + CSA_T_FA_C);
    csa_put(net, "    lutra_fa f%d (.a(c%d_%d), .b(c%d_%d), .c(c%d_%d), .s(c%d_%d), .co(c%d_%d));\n", net->cells++, col,
            a.id, col, b.id, col, c.id, col, sum->id, col + 1, carry->id);
}

void csa_half(csa_net *net, csa_bit a, csa_bit b, bool one, csa_bit *sum, csa_bit *carry)
{
    int t = later(a.time, b.time), col = a.col;
    /* On complements a constant 1 reads as 0, so that the two cases change places. */
    bool plus_one = one != net->inverted;

    if (col + 1 >= net->width) {
        char expr[96];
        snprintf(expr, sizeof expr, "%sc%d_%d ^ c%d_%d", plus_one ? "~" : "", col, a.id, col, b.id);
        *sum = plain_sum(net, expr, col, t + CSA_T_XOR);
        *carry = (csa_bit){net->width, 0, 0};
        return;
    }
    *sum = csa_wire(net, col, t + CSA_T_HA_S);
    *carry = csa_wire(net, col + 1, t + CSA_T_HA_C);
    if (plus_one)
        csa_put(net, "    assign c%d_%d = ~(c%d_%d ^ c%d_%d);\n    assign c%d_%d = c%d_%d | c%d_%d;\n", col, sum->id,
                col, a.id, col, b.id, col + 1, carry->id, col, a.id, col, b.id);
    else
        csa_put(net, "    lutra_ha f%d (.a(c%d_%d), .b(c%d_%d), .s(c%d_%d), .co(c%d_%d));\n", net->cells++, col, a.id,
                col, b.id, col, sum->id, col + 1, carry->id);
}

void csa_cut(csa_net *net)
{
    lt_buf clocked = {0};

    if (net->failed) return;
    for (int c = 0; c < net->width; c++) {
        csa_column *k = &net->col[c];
        for (int i = 0; i < k->n; i++) {
            int id = k->next_id++;
            csa_put(net, "    reg c%d_%d;\n", c, id);
            if (!net->silent) lt_buf_printf(&clocked, "        c%d_%d <= c%d_%d;\n", c, id, c, k->bit[i].id);
            k->bit[i] = (csa_bit){c, id, 0};
        }
    }
    if (!net->silent) {
        lt_buf_puts(&net->text, "    always @(posedge clk) begin\n");
        lt_buf_add(&net->text, clocked.data, clocked.len);
        lt_buf_puts(&net->text, "    end\n");
    }
    net->failed |= clocked.failed;
    lt_buf_free(&clocked);
}
