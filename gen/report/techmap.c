#include "report/techmap.h"

static void full_adder(const celllib *lib, lt_buf *b)
{
    const celllib_facts *f = lib->facts;

    lt_buf_puts(b, "module lutra_fa (input a, input b, input c, output s, output co);\n");
    if (f && celllib_find(lib, f->fa.cell)) {
        const char *n = f->fa.inverted ? "n" : "";
        if (f->fa.inverted) lt_buf_puts(b, "    wire sn, con;\n    assign s = ~sn;\n    assign co = ~con;\n");
        lt_buf_printf(b, "    %s u (.%s(a), .%s(b), .%s(c), .%s(s%s), .%s(co%s));\n", f->fa.cell, f->fa.a, f->fa.b,
                      f->fa.ci, f->fa.s, n, f->fa.co, n);
    } else {
        lt_buf_puts(b, "    assign s = a ^ b ^ c;\n    assign co = (a & b) | (c & (a ^ b));\n");
    }
    lt_buf_puts(b, "endmodule\n\n"
                   "module lutra_ha (input a, input b, output s, output co);\n"
                   "    assign s = a ^ b;\n    assign co = a & b;\nendmodule\n\n");
}

static void latch(const celllib *lib, bool open_at_1, lt_buf *b)
{
    const celllib_facts *f = lib->facts;
    const char *direct = f ? (open_at_1 ? f->latch_hi.cell : f->latch_lo.cell) : NULL;
    const char *other = f ? (open_at_1 ? f->latch_lo.cell : f->latch_hi.cell) : NULL;
    bool invert = !celllib_find(lib, direct);

    if (invert && !celllib_find(lib, other)) return;
    bool hi = open_at_1 != invert;
    lt_buf_printf(b, "module \\$_DLATCH_%c_ (input E, input D, output Q);\n", open_at_1 ? 'P' : 'N');
    lt_buf_printf(b, "    %s u (.%s(%sE), .%s(D), .%s(Q));\nendmodule\n\n", invert ? other : direct,
                  hi ? f->latch_hi.en : f->latch_lo.en, invert ? "~" : "", hi ? f->latch_hi.d : f->latch_lo.d,
                  hi ? f->latch_hi.q : f->latch_lo.q);
}

void techmap_write(const celllib *lib, lt_buf *b)
{
    lt_buf_printf(b, "// Lutra's own cells and latches on %s, from the table in gen/report/celllib.c.\n", lib->name);
    full_adder(lib, b);
    latch(lib, true, b);
    latch(lib, false, b);
}
