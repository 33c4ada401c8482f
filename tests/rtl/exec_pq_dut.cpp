// Shim between the C testbench and the verilated exec_pq_top.
#include <cstring>
#include "Vexec_pq_top.h"
#include "verilated.h"

extern "C" {
#include "exec_pq_dut.h"
}

struct pq_dut {
    VerilatedContext context;
    Vexec_pq_top *top;
};

template <class P> static void put(P &port, const void *from)
{
    std::memcpy(&port, from, sizeof port);
}
template <class P, size_t N> static void get(const P &port, uint8_t (&to)[N])
{
    std::memcpy(to, &port, sizeof port < N ? sizeof port : N);
}

extern "C" pq_dut *pq_dut_new(void)
{
    pq_dut *d = new pq_dut;
    d->context.randReset(2); // registers without reset start with anything
    d->context.randSeed(1);
    d->top = new Vexec_pq_top{&d->context};
    return d;
}

extern "C" void pq_dut_free(pq_dut *d)
{
    d->top->final();
    delete d->top;
    delete d;
}

extern "C" void pq_dut_settle(pq_dut *d, pq_pins *p)
{
    Vexec_pq_top &m = *d->top;

    m.rst = p->rst;
    m.op_valid = p->op_valid;
    put(m.op_desc, p->desc);
    m.ld_valid = p->ld_valid;
    m.ld_target = p->ld_target;
    m.ld_addr = p->ld_addr;
    put(m.ld_data, p->ld_data);
    put(m.fb_rd_data, p->rd_data);
    put(m.fb_res_data, p->res_data);
    m.eval();
    p->op_ready = m.op_ready;
    p->op_done = m.op_done;
    p->issue = m.issue;
    p->conflict = m.conflict;
    p->rd_en = m.fb_rd_en;
    p->rd_addr = m.fb_rd_addr;
    p->res_en = m.fb_res_en;
    p->res_addr = m.fb_res_addr;
    p->wr_en = m.fb_wr_en;
    p->wr_addr = m.fb_wr_addr;
    get(m.fb_wr_data, p->wr_data);
    p->code_en = m.code_wr_en;
    p->code_map = m.code_wr_map;
    p->code_bank = m.code_wr_bank;
    p->code_addr = m.code_wr_addr;
    get(m.code_wr_data, p->code_data);
}

extern "C" void pq_dut_edge(pq_dut *d)
{
    d->top->clk = 1;
    d->top->eval();
    d->top->clk = 0;
    d->top->eval();
}
