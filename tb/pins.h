/* The pins of lutra_top as plain data: what the testbench drives and what it samples, once per cycle. */
#ifndef LUTRA_TB_PINS_H
#define LUTRA_TB_PINS_H

#include <stdint.h>

enum { TB_BUS_WORDS = 16 }; /* 32-bit words of the widest bus, 512 bits */

typedef struct {
    /* driven */
    uint8_t rst;
    uint8_t s_awvalid, s_wvalid, s_wstrb, s_bready, s_arvalid, s_rready; /* AXI4-Lite */
    uint32_t s_awaddr, s_wdata, s_araddr;
    uint8_t m_arready, m_rvalid, m_rlast, m_rresp, m_rid; /* AXI4, memory's side */
    uint8_t m_awready, m_wready, m_bvalid, m_bresp, m_bid;
    uint32_t m_rdata[TB_BUS_WORDS];
    /* sampled */
    uint8_t irq;
    uint8_t s_awready, s_wready, s_bvalid, s_bresp, s_arready, s_rvalid, s_rresp;
    uint32_t s_rdata;
    uint8_t m_arvalid, m_arlen, m_arsize, m_arburst, m_arid, m_rready;
    uint8_t m_awvalid, m_awlen, m_awsize, m_awburst, m_awid, m_wvalid, m_wlast, m_bready;
    uint32_t m_araddr, m_awaddr;
    uint64_t m_wstrb;
    uint32_t m_wdata[TB_BUS_WORDS]; /* only while m_wvalid */
} tb_pins;

#endif
