#include "axi_mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { OKAY = 0, SLVERR = 2, DECERR = 3, INCR = 1, TOKEN = 256 };

static void violation(axi_mem *m, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void violation(axi_mem *m, const char *fmt, ...)
{
    va_list ap;

    if (m->violations < AXI_MEM_MESSAGES) {
        char *s = m->message[m->violations];
        int n = snprintf(s, sizeof m->message[0], "cycle %llu: ", (unsigned long long)m->cycle);
        va_start(ap, fmt);
        vsnprintf(s + n, sizeof m->message[0] - (size_t)n, fmt, ap);
        va_end(ap);
    }
    m->violations++;
}

void axi_mem_init(axi_mem *m, const axi_mem_config *cfg)
{
    memset(m, 0, sizeof *m);
    m->cfg = *cfg;
    if (m->cfg.max_burst <= 0) m->cfg.max_burst = AXI_MEM_BEATS;
    if (m->cfg.max_reads <= 0) m->cfg.max_reads = AXI_MEM_SLOTS;
    if (m->cfg.max_writes <= 0) m->cfg.max_writes = AXI_MEM_SLOTS;
    while (1 << m->bus_shift < cfg->bus_bytes) m->bus_shift++;
    m->rng = lt_rng_make(cfg->seed, 0xA71);
    m->stall_below = (uint32_t)cfg->stall * 256 / 100;
    m->rate = (int64_t)(cfg->bandwidth * TOKEN);
}

void axi_mem_add(axi_mem *m, const char *name, uint32_t address, uint32_t bytes, bool writable, uint8_t *data)
{
    if (m->regions < AXI_MEM_REGIONS && bytes)
        m->region[m->regions++] = (axi_region){name, address, bytes, writable, data};
}

/* The region that holds the whole range, or NULL. */
static const axi_region *find(const axi_mem *m, uint32_t address, uint32_t bytes)
{
    for (int i = 0; i < m->regions; i++) {
        const axi_region *r = &m->region[i];
        if (address >= r->address && address - r->address < r->bytes && bytes <= r->bytes - (address - r->address))
            return r;
    }
    return NULL;
}

/* Rules that a burst must keep on its own. */
static void check_burst(axi_mem *m, const char *channel, uint32_t address, int beats, int size, int burst)
{
    uint32_t bytes = (uint32_t)beats << m->bus_shift;

    if (burst != INCR) violation(m, "%s burst at %08x: type %d, expected INCR", channel, address, burst);
    if (size != m->bus_shift)
        violation(m, "%s burst at %08x: size code %d, expected %d", channel, address, size, m->bus_shift);
    if (address % (uint32_t)m->cfg.bus_bytes)
        violation(m, "%s burst at %08x: not aligned to the bus", channel, address);
    if (beats > m->cfg.max_burst)
        violation(m, "%s burst at %08x: %d beats, at most %d are allowed", channel, address, beats, m->cfg.max_burst);
    if ((address & 4095) + bytes > 4096)
        violation(m, "%s burst at %08x: %d beats cross a 4 KiB boundary", channel, address, beats);
}

/* ---- read ---- */

/* Copies the burst's data now. A last beat may reach beyond a region's end: those bytes read as zero. */
static void fetch(axi_mem *m, axi_read *b, uint32_t address)
{
    uint32_t bytes = (uint32_t)b->beats << m->bus_shift, bus = (uint32_t)m->cfg.bus_bytes;
    const axi_region *r = find(m, address, bytes);

    memset(b->data, 0, bytes);
    if (r) {
        memcpy(b->data, r->data + (address - r->address), bytes);
        return;
    }
    r = find(m, address, bytes - bus + 1);
    if (r) {
        memcpy(b->data, r->data + (address - r->address), r->bytes - (address - r->address));
        return;
    }
    b->resp = DECERR;
    violation(m, "read of %u bytes at %08x, outside every buffer", bytes, address);
}

static void take_ar(axi_mem *m, const tb_pins *p)
{
    axi_read *b = &m->read[m->reads_in % AXI_MEM_SLOTS];

    b->beats = p->m_arlen + 1;
    b->given = 0;
    b->id = p->m_arid;
    b->resp = OKAY;
    b->due = m->cycle + (uint64_t)m->cfg.latency;
    b->hangs = m->cfg.hang_read >= 0 && (int64_t)m->reads_in >= m->cfg.hang_read;
    check_burst(m, "read", p->m_araddr, b->beats, p->m_arsize, p->m_arburst);
    fetch(m, b, p->m_araddr);
    if ((int64_t)m->reads_in == m->cfg.fail_read) b->resp = SLVERR;
    m->reads_in++;
    if (m->reads_in - m->reads_out > (uint64_t)m->cfg.max_reads)
        violation(m, "%d read bursts outstanding, at most %d are allowed", (int)(m->reads_in - m->reads_out),
                  m->cfg.max_reads);
}

static void take_r(axi_mem *m)
{
    axi_read *b = &m->read[m->reads_out % AXI_MEM_SLOTS];

    m->read_beats++;
    m->tokens -= (int64_t)m->cfg.bus_bytes * TOKEN;
    if (++b->given == b->beats) m->reads_out++;
}

/* Offers the next beat if there is one. */
static void offer_r(axi_mem *m, tb_pins *p, bool held_up)
{
    const axi_read *b = &m->read[m->reads_out % AXI_MEM_SLOTS];

    p->m_rvalid = 0;
    if (held_up || m->reads_out == m->reads_in || b->hangs || m->cycle + 1 < b->due) return;
    p->m_rvalid = 1;
    p->m_rid = b->id;
    p->m_rresp = b->resp;
    p->m_rlast = b->given == b->beats - 1;
    memcpy(p->m_rdata, b->data + ((size_t)b->given << m->bus_shift), (size_t)m->cfg.bus_bytes);
}

/* ---- write ---- */

static void complete(axi_mem *m, uint64_t number)
{
    axi_write *b = &m->write[number % AXI_MEM_SLOTS];

    if (!b->has_address || !b->has_data) return;
    if (b->got != b->beats) violation(m, "write burst at %08x: WLAST at beat %d of %d", b->address, b->got, b->beats);
    b->resp = (int64_t)number == m->cfg.fail_write ? SLVERR : OKAY;
    b->hangs = m->cfg.hang_write >= 0 && (int64_t)number >= m->cfg.hang_write;
    b->due = m->cycle + (uint64_t)m->cfg.latency;
}

static void take_aw(axi_mem *m, const tb_pins *p)
{
    axi_write *b = &m->write[m->writes_addr % AXI_MEM_SLOTS];

    b->has_address = true;
    b->address = p->m_awaddr;
    b->beats = p->m_awlen + 1;
    b->id = p->m_awid;
    check_burst(m, "write", b->address, b->beats, p->m_awsize, p->m_awburst);
    complete(m, m->writes_addr++);
    if (m->writes_addr - m->writes_out > (uint64_t)m->cfg.max_writes)
        violation(m, "%d write bursts outstanding, at most %d are allowed", (int)(m->writes_addr - m->writes_out),
                  m->cfg.max_writes);
}

static void take_w(axi_mem *m, const tb_pins *p)
{
    axi_write *b = &m->write[m->writes_data % AXI_MEM_SLOTS];

    m->write_beats++;
    m->tokens -= (int64_t)m->cfg.bus_bytes * TOKEN;
    if (b->got == AXI_MEM_BEATS) {
        violation(m, "write data without WLAST after %d beats", b->got);
        b->got--;
    }
    b->strobe[b->got] = p->m_wstrb;
    memcpy(b->data + ((size_t)b->got << m->bus_shift), p->m_wdata, (size_t)m->cfg.bus_bytes);
    b->got++;
    bool full = b->has_address && b->got == b->beats;
    if (full && !p->m_wlast) violation(m, "write burst at %08x: no WLAST at its last beat %d", b->address, b->beats);
    /* go on after a missing WLAST as if it had come, so that one fault is reported once */
    if (p->m_wlast || full) {
        b->has_data = true;
        complete(m, m->writes_data++);
    }
}

static void commit(axi_mem *m, const axi_write *b)
{
    uint32_t bus = (uint32_t)m->cfg.bus_bytes;

    if (b->resp != OKAY) return;
    for (int i = 0; i < b->got; i++) {
        uint32_t address = b->address + ((uint32_t)i << m->bus_shift);
        uint64_t strobe = b->strobe[i];
        const uint8_t *from = b->data + ((size_t)i << m->bus_shift);
        const axi_region *r = find(m, address, bus);
        if (r && r->writable && strobe == UINT64_MAX >> (64 - bus)) {
            memcpy(r->data + (address - r->address), from, bus);
            continue;
        }
        for (uint32_t k = 0; k < bus; k++) {
            if (!(strobe >> k & 1)) continue;
            r = find(m, address + k, 1);
            if (r && r->writable)
                r->data[address + k - r->address] = from[k];
            else
                violation(m, "write at %08x, %s%s", address + k, r ? "inside the read-only " : "outside every buffer",
                          r ? r->name : "");
            if (m->violations > AXI_MEM_MESSAGES) return;
        }
    }
}

static void take_b(axi_mem *m)
{
    axi_write *b = &m->write[m->writes_out++ % AXI_MEM_SLOTS];

    commit(m, b);
    b->has_address = b->has_data = false;
    b->beats = b->got = 0;
}

/* Address errors are known when the response is chosen. */
static bool lands_badly(const axi_mem *m, const axi_write *b)
{
    const axi_region *r = find(m, b->address, 1);
    return !r || !r->writable;
}

static void offer_b(axi_mem *m, tb_pins *p, bool held_up)
{
    axi_write *b = &m->write[m->writes_out % AXI_MEM_SLOTS];

    p->m_bvalid = 0;
    if (held_up || m->writes_out == m->writes_addr || m->writes_out == m->writes_data) return;
    if (b->hangs || m->cycle + 1 < b->due) return;
    p->m_bvalid = 1;
    p->m_bid = b->id;
    p->m_bresp = b->resp != OKAY ? b->resp : lands_badly(m, b) ? DECERR : OKAY;
}

/* ---- the cycle ---- */

/* A valid that was not answered must stay, with everything beside it. */
static void check_stable(axi_mem *m, const tb_pins *p)
{
    const tb_pins *q = &m->before;

    if (m->ar_waits && (!p->m_arvalid || p->m_araddr != q->m_araddr || p->m_arlen != q->m_arlen ||
                        p->m_arsize != q->m_arsize || p->m_arburst != q->m_arburst || p->m_arid != q->m_arid))
        violation(m, "AR changed or went away before ARREADY (address %08x)", q->m_araddr);
    if (m->aw_waits && (!p->m_awvalid || p->m_awaddr != q->m_awaddr || p->m_awlen != q->m_awlen ||
                        p->m_awsize != q->m_awsize || p->m_awburst != q->m_awburst || p->m_awid != q->m_awid))
        violation(m, "AW changed or went away before AWREADY (address %08x)", q->m_awaddr);
    if (m->w_waits && (!p->m_wvalid || p->m_wlast != q->m_wlast || p->m_wstrb != q->m_wstrb ||
                       memcmp(p->m_wdata, q->m_wdata, (size_t)m->cfg.bus_bytes) != 0))
        violation(m, "W changed or went away before WREADY");
}

static void remember(axi_mem *m, const tb_pins *p)
{
    m->ar_waits = p->m_arvalid && !p->m_arready;
    m->aw_waits = p->m_awvalid && !p->m_awready;
    m->w_waits = p->m_wvalid && !p->m_wready;
    if (m->ar_waits || m->aw_waits || m->w_waits) m->before = *p;
}

void axi_mem_step(axi_mem *m, tb_pins *p)
{
    if (p->rst) {
        if (p->m_arvalid || p->m_awvalid || p->m_wvalid) {
            /* registers settle with the first edge of a reset */
            if (m->cycle > 1) violation(m, "a valid is high during reset");
        }
        m->cycle++;
        m->ar_waits = m->aw_waits = m->w_waits = false;
        return;
    }
    if (m->ar_waits || m->aw_waits || m->w_waits) check_stable(m, p);
    remember(m, p);

    /* what the edge of this cycle transfers */
    if (p->m_arvalid && p->m_arready) take_ar(m, p);
    bool r_waits = p->m_rvalid && !p->m_rready;
    if (p->m_rvalid && p->m_rready) take_r(m);
    if (p->m_awvalid && p->m_awready) take_aw(m, p);
    if (p->m_wvalid && p->m_wready) take_w(m, p);
    bool b_waits = p->m_bvalid && !p->m_bready;
    if (p->m_bvalid && p->m_bready) take_b(m);

    /* what the memory does in the next cycle; five random bytes say which channels are held up */
    uint32_t held = 0;
    if (m->stall_below) {
        uint32_t a = lt_rng_u32(&m->rng), b = lt_rng_u32(&m->rng);
        for (int i = 0; i < 4; i++) held |= (uint32_t)((a >> (8 * i) & 255) < m->stall_below) << i;
        held |= (uint32_t)((b & 255) < m->stall_below) << 4;
    }
    bool broke = false;
    if (m->rate) {
        int64_t most = m->rate + (int64_t)m->cfg.bus_bytes * TOKEN;
        m->tokens += m->rate;
        if (m->tokens > most) m->tokens = most;
        broke = m->tokens < (int64_t)m->cfg.bus_bytes * TOKEN;
    }
    if (!r_waits) offer_r(m, p, broke || (held & 1));
    if (!b_waits) offer_b(m, p, held >> 1 & 1);
    p->m_arready = !(held >> 2 & 1) && m->reads_in - m->reads_out < AXI_MEM_SLOTS;
    p->m_awready = !(held >> 3 & 1) && m->writes_addr - m->writes_out < AXI_MEM_SLOTS;
    p->m_wready = !(held >> 4 & 1) && !broke && m->writes_data - m->writes_out < AXI_MEM_SLOTS;
    m->cycle++;
}
