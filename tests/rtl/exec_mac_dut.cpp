// Shim between the C testbench and the verilated lutra_exec_mac.
#include "Vdut.h"
#include "verilated.h"

extern "C" {
#include "exec_mac_dut.h"
}

struct dut {
    VerilatedContext context;
    Vdut *model;
};

extern "C" dut *dut_new(int seed, dut_ports *p)
{
    dut *d = new dut;
    d->context.randReset(2);
    d->context.randSeed(seed);
    d->model = new Vdut{&d->context};
    Vdut &m = *d->model;
    *p = dut_ports{&m.clk,        &m.rst,         &m.op_valid,   &m.op_ready,   &m.op_done,     &m.op_desc[0],
                   &m.fb_rd_en,   &m.fb_res_en,   &m.fb_wr_en,   &m.fb_rd_addr, &m.fb_res_addr, &m.fb_wr_addr,
                   &m.fb_rd_data, &m.fb_res_data, &m.fb_wr_data, &m.ld_valid,   &m.ld_target,   &m.ld_addr,
                   &m.ld_data,    &m.issue,       &m.conflict};
    return d;
}

extern "C" void dut_delete(dut *d)
{
    d->model->final();
    delete d->model;
    delete d;
}

extern "C" void dut_eval(dut *d)
{
    d->model->eval();
}
