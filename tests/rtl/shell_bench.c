#include "shell_bench.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "emit/regs.h"
#include "emit/widths.h"

void bench_fail(const bench *b, const char *file, int line, const char *cond, const char *fmt, ...)
{
    va_list ap;

    fprintf(stderr, "%s:%d: cycle %llu: not true: %s: ", file, line, (unsigned long long)b->now, cond);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
    for (int i = 0; i < b->mem.violations && i < AXI_MEM_MESSAGES; i++)
        fprintf(stderr, "  bus: %s\n", b->mem.message[i]);
    exit(1);
}

bool bench_open(bench *b, const lt_config *cfg, uint32_t seed)
{
    memset(b, 0, sizeof *b);
    b->lanes = cfg->lanes;
    b->entropy = seed;
    b->d = dut_open(seed);
    for (int i = 0; i < N_REGIONS; i++) {
        /* far apart, on 4 KiB boundaries that a wrong carry would show */
        b->address[i] = 0x0FFF0000u + (uint32_t)i * 0x30001000u;
        b->data[i] = calloc(1, REGION_BYTES);
        if (!b->data[i]) return false;
    }
    const char *trace = getenv("TRACE");
    if (b->d && trace && !dut_trace(b->d, trace)) return false;
    return b->d != NULL;
}

void bench_close(bench *b)
{
    dut_close(b->d);
    for (int i = 0; i < N_REGIONS; i++) free(b->data[i]);
}

/* Bits of parameters that nobody stores. */
static bool significant(const lt_config *cfg, int target, int bit)
{
    if (target != 2) return true;
    return bit % 64 < 32 ? bit % 64 < cfg->acc_bits : bit % 64 - 32 < cfg->mult_bits;
}

static void check_load_word(bench *b)
{
    const program *p = b->prog;
    const exec_pins *x = &b->x;

    if (!p) return;
    CHECK(b, b->words < p->words, "load word %d: only %d were expected", b->words, p->words);
    const ld_word *w = &p->word[b->words++];
    int bits = lt_target_bits(p->cfg, w->target);
    CHECK(b, x->ld_target == w->target && x->ld_addr == w->address,
          "load word %d: target %d address %d, expected %d %d", b->words - 1, x->ld_target, x->ld_addr, w->target,
          w->address);
    for (int i = 0; i < bits; i++) {
        int got = x->ld_data[i / 32] >> (i % 32) & 1, want = p->word_data[w->at + (uint32_t)i / 8] >> (i % 8) & 1;
        if (!significant(p->cfg, w->target, i)) continue;
        CHECK(b, got == want, "load word %d, target %d: bit %d", b->words - 1, w->target, i);
    }
    b->checks -= bits; /* one word is one check */
}

static void note_mark(bench *b, const core_op *o)
{
    if (!lt_desc_get(o->desc, LT_D_MARK) || b->marks == MAX_DESC) return;
    b->mark[b->marks++] = (mark_seen){.layer = (int)lt_desc_get(o->desc, LT_D_LAYER),
                                      .cycle = b->now,
                                      .busy = b->core.busy,
                                      .idle_busy = b->core.idle_busy,
                                      .alone = b->core.ops == 0};
}

void bench_tick(bench *b)
{
    core_op oldest = b->core.op[0];
    bool irq = b->p.irq;
    int before = b->marks;

    core_drive(&b->core, &b->x, b->now, b->lanes);
    CHECK(b, !b->core.overrun, "a third operation was handed to the core");
    if (b->x.op_done) note_mark(b, &oldest);
    if (b->x.ld_valid && !b->x.rst) check_load_word(b);
    shell_put(b->d, &b->x);
    dut_cycle(b->d, &b->p);
    shell_get(b->d, &b->x);
    if (!b->p.rst) axi_mem_step(&b->mem, &b->p);
    if (b->marks > before) { /* beats of this cycle count */
        b->mark[before].read_beats = b->mem.read_beats;
        b->mark[before].write_beats = b->mem.write_beats;
    }
    if (b->p.irq && !irq) b->irq_since = b->now;
    b->now++;
    CHECK(b, b->mem.violations == 0, "the bus protocol was violated");
}

void bench_reset(bench *b)
{
    axi_mem_config mem = b->mem.cfg;

    b->p.rst = 1;
    for (int i = 0; i < 3; i++) bench_tick(b);
    b->p.rst = 0;
    axi_mem_init(&b->mem, &mem); /* it was reset with the rest */
    bench_tick(b);
    b->checks = 0;
}

static uint32_t draw(bench *b, uint32_t n)
{
    b->entropy = b->entropy * 1664525u + 1013904223u;
    return (b->entropy >> 16) % n;
}

/* Address and data come in any order, the answer is taken when it pleases the master. */
void bench_write(bench *b, uint32_t offset, uint32_t value)
{
    uint32_t aw = draw(b, 3), w = draw(b, 3), ready = draw(b, 3);
    tb_pins *p = &b->p;

    p->s_awaddr = offset;
    p->s_wdata = value;
    p->s_wstrb = 15;
    for (uint32_t i = 0; p->s_awvalid || p->s_wvalid || i <= aw || i <= w; i++) {
        if (i == aw) p->s_awvalid = 1;
        if (i == w) p->s_wvalid = 1;
        bench_tick(b);
        if (p->s_awvalid && p->s_awready) p->s_awvalid = 0;
        if (p->s_wvalid && p->s_wready) p->s_wvalid = 0;
        CHECK(b, i < 100, "register write not taken");
    }
    if (offset == REG_CONTROL && (value & START)) b->started = b->now + 2; /* command pulse, engine reset, run */
    for (uint32_t i = 0;; i++) {
        p->s_bready = i >= ready;
        bench_tick(b);
        if (p->s_bready && p->s_bvalid) break;
        CHECK(b, i < 100, "register write not answered");
    }
    p->s_bready = 0;
    CHECK(b, p->s_bresp == 0, "error response of a register");
}

uint32_t bench_read(bench *b, uint32_t offset)
{
    uint32_t ready = draw(b, 3);
    tb_pins *p = &b->p;

    p->s_araddr = offset;
    p->s_arvalid = 1;
    for (uint32_t i = 0; p->s_arvalid; i++) {
        bench_tick(b);
        if (p->s_arready) p->s_arvalid = 0;
        CHECK(b, i < 100, "register read not taken");
    }
    for (uint32_t i = 0;; i++) {
        p->s_rready = i >= ready;
        bench_tick(b);
        if (p->s_rready && p->s_rvalid) break;
        CHECK(b, i < 100, "register read not answered");
    }
    p->s_rready = 0;
    CHECK(b, p->s_rresp == 0, "error response of a register");
    return p->s_rdata;
}

void bench_memory(bench *b, const program *p, const axi_mem_config *mem)
{
    static const char *const names[N_REGIONS] = {"program", "input", "output", "scratch"};

    axi_mem_init(&b->mem, mem);
    for (int i = 0; i < N_REGIONS; i++) {
        memcpy(b->data[i], p->region[i], REGION_BYTES);
        axi_mem_add(&b->mem, names[i], b->address[i], REGION_BYTES, i >= 2, b->data[i]);
    }
    b->p.m_rvalid = b->p.m_bvalid = b->p.m_arready = b->p.m_awready = b->p.m_wready = 0;
    bench_tick(b); /* the memory sets its pins for the cycle after */
}

void bench_start(bench *b, const program *p)
{
    b->prog = p;
    b->words = b->marks = 0;
    for (uint32_t i = 0; i < N_REGIONS; i++) bench_write(b, REG_BASE0 + 4 * i, b->address[i]);
    bench_write(b, REG_PROGRAM, p->program);
    bench_write(b, REG_IRQ_STATUS, 3);
    bench_write(b, REG_IRQ_ENABLE, 3);
    CHECK(b, !b->p.irq, "an interrupt before the start");
    bench_write(b, REG_CONTROL, START);
}

bool bench_wait(bench *b, uint64_t cycles)
{
    for (uint64_t i = 0; i < cycles && !b->p.irq; i++) bench_tick(b);
    return b->p.irq;
}
