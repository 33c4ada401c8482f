// The shim of tb/dut.cpp for the bare shell, and its exec_* ports for the core that the test plays.
#include "dut.cpp"

extern "C" {
#include "shell_dut.h"
}

namespace
{
inline void put(CData &port, const uint32_t *w)
{
    port = static_cast<CData>(w[0]);
}
inline void put(SData &port, const uint32_t *w)
{
    port = static_cast<SData>(w[0]);
}
inline void get(const CData &port, uint32_t *w)
{
    w[0] = port;
}
inline void get(const SData &port, uint32_t *w)
{
    w[0] = port;
}
} // namespace

extern "C" void shell_put(dut *d, const exec_pins *x)
{
    Vdut &m = *d->model;

    m.exec_op_ready = x->op_ready;
    m.exec_op_done = x->op_done;
    m.exec_fb_rd_en = x->rd_en;
    m.exec_fb_rd_addr = x->rd_addr;
    m.exec_fb_res_en = x->res_en;
    m.exec_fb_res_addr = x->res_addr;
    m.exec_fb_wr_en = x->wr_en;
    m.exec_fb_wr_addr = x->wr_addr;
    put(m.exec_fb_wr_data, x->wr_data);
    m.exec_issue = x->issue;
    m.exec_conflict = x->conflict;
}

extern "C" void shell_get(dut *d, exec_pins *x)
{
    Vdut &m = *d->model;

    x->rst = m.exec_rst;
    x->op_valid = m.exec_op_valid;
    get(m.exec_op_desc, x->desc);
    get(m.exec_fb_rd_data, x->rd_data);
    get(m.exec_fb_res_data, x->res_data);
    x->ld_valid = m.exec_ld_valid;
    x->ld_target = m.exec_ld_target;
    x->ld_addr = m.exec_ld_addr;
    get(m.exec_ld_data, x->ld_data);
}
