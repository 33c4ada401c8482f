// Thin shim between Verilator's C++ model (class Vdut) and the C testbench.
#include "Vdut.h"
#include "verilated.h"
#if VM_TRACE_FST
#include "verilated_fst_c.h"
#endif

#include <cstddef>
#include <new>
#include <type_traits>

extern "C" {
#include "dut.h"
}

namespace
{
// A data port of any width against 32-bit words; the port's type says how many.
inline void put(IData &port, const uint32_t *w)
{
    port = w[0];
}
inline void put(QData &port, const uint32_t *w)
{
    port = static_cast<QData>(w[1]) << 32 | w[0];
}
template <std::size_t N> inline void put(VlWide<N> &port, const uint32_t *w)
{
    for (std::size_t i = 0; i < N; i++) port[i] = w[i];
}
inline void get(const IData &port, uint32_t *w)
{
    w[0] = port;
}
inline void get(const QData &port, uint32_t *w)
{
    w[0] = static_cast<uint32_t>(port);
    w[1] = static_cast<uint32_t>(port >> 32);
}
template <std::size_t N> inline void get(const VlWide<N> &port, uint32_t *w)
{
    for (std::size_t i = 0; i < N; i++) w[i] = port[i];
}
} // namespace

struct dut {
    VerilatedContext context;
    Vdut *model = nullptr;
#if VM_TRACE_FST
    VerilatedFstC *trace = nullptr;
#endif
    uint64_t time = 0;
};

extern "C" dut *dut_open(uint32_t seed)
{
    dut *d = new (std::nothrow) dut;
    if (!d) return nullptr;
    d->context.randSeed(static_cast<int>(seed & 0x7FFFFFFF));
    d->context.randReset(2);
#if VM_TRACE_FST
    d->context.traceEverOn(true);
#endif
    d->model = new (std::nothrow) Vdut{&d->context};
    if (!d->model) {
        delete d;
        return nullptr;
    }
    return d;
}

extern "C" void dut_close(dut *d)
{
    if (!d) return;
#if VM_TRACE_FST
    if (d->trace) d->trace->close();
    delete d->trace;
#endif
    d->model->final();
    delete d->model;
    delete d;
}

extern "C" int dut_bus_bits(void)
{
    return static_cast<int>(sizeof(std::remove_reference<decltype(Vdut::m_axi_rdata)>::type) * 8);
}

extern "C" bool dut_trace(dut *d, const char *path)
{
#if VM_TRACE_FST
    if (d->trace) return false;
    d->trace = new (std::nothrow) VerilatedFstC;
    if (!d->trace) return false;
    d->model->trace(d->trace, 99);
    d->trace->open(path);
    return d->trace->isOpen();
#else
    (void)d;
    (void)path;
    return false;
#endif
}

extern "C" void dut_cycle(dut *d, tb_pins *p)
{
    Vdut &m = *d->model;

    m.clk = 0;
    m.rst = p->rst;
    m.s_axil_awaddr = p->s_awaddr;
    m.s_axil_awvalid = p->s_awvalid;
    m.s_axil_wdata = p->s_wdata;
    m.s_axil_wstrb = p->s_wstrb;
    m.s_axil_wvalid = p->s_wvalid;
    m.s_axil_bready = p->s_bready;
    m.s_axil_araddr = p->s_araddr;
    m.s_axil_arvalid = p->s_arvalid;
    m.s_axil_rready = p->s_rready;
    m.m_axi_arready = p->m_arready;
    m.m_axi_rid = p->m_rid;
    m.m_axi_rresp = p->m_rresp;
    m.m_axi_rlast = p->m_rlast;
    m.m_axi_rvalid = p->m_rvalid;
    put(m.m_axi_rdata, p->m_rdata);
    m.m_axi_awready = p->m_awready;
    m.m_axi_wready = p->m_wready;
    m.m_axi_bid = p->m_bid;
    m.m_axi_bresp = p->m_bresp;
    m.m_axi_bvalid = p->m_bvalid;
    m.eval();

    p->irq = m.irq;
    p->s_awready = m.s_axil_awready;
    p->s_wready = m.s_axil_wready;
    p->s_bvalid = m.s_axil_bvalid;
    p->s_bresp = m.s_axil_bresp;
    p->s_arready = m.s_axil_arready;
    p->s_rvalid = m.s_axil_rvalid;
    p->s_rresp = m.s_axil_rresp;
    p->s_rdata = m.s_axil_rdata;
    p->m_arvalid = m.m_axi_arvalid;
    p->m_araddr = m.m_axi_araddr;
    p->m_arlen = m.m_axi_arlen;
    p->m_arsize = m.m_axi_arsize;
    p->m_arburst = m.m_axi_arburst;
    p->m_arid = m.m_axi_arid;
    p->m_rready = m.m_axi_rready;
    p->m_awvalid = m.m_axi_awvalid;
    p->m_awaddr = m.m_axi_awaddr;
    p->m_awlen = m.m_axi_awlen;
    p->m_awsize = m.m_axi_awsize;
    p->m_awburst = m.m_axi_awburst;
    p->m_awid = m.m_axi_awid;
    p->m_wvalid = m.m_axi_wvalid;
    if (p->m_wvalid) {
        p->m_wlast = m.m_axi_wlast;
        p->m_wstrb = m.m_axi_wstrb;
        get(m.m_axi_wdata, p->m_wdata);
    }
    p->m_bready = m.m_axi_bready;
#if VM_TRACE_FST
    if (d->trace) d->trace->dump(10 * d->time);
#endif

    m.clk = 1;
    m.eval();
#if VM_TRACE_FST
    if (d->trace) d->trace->dump(10 * d->time + 5);
#endif
    d->time++;
}
