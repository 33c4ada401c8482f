#include "shell_faults.h"

#include <string.h>

#include "emit/regs.h"
#include "emit/widths.h"
#include "shell_check.h"

enum { LONG = 400000, RECOVER = 20000 };

typedef struct {
    bench *b;
    program *p;
    lt_rng rng;
    uint64_t seed;
    int tried;
} tester;

static axi_mem_config plain(const tester *t, int latency)
{
    return (axi_mem_config){.bus_bytes = t->p->cfg->bus_bits / 8,
                            .latency = latency,
                            .seed = t->seed,
                            .max_burst = 64,
                            .max_reads = 4,
                            .max_writes = 2,
                            .fail_read = -1,
                            .fail_write = -1,
                            .hang_read = -1,
                            .hang_write = -1};
}

/* A program that is going to fail: load words are not compared. */
static void start(tester *t, const axi_mem_config *mem)
{
    program_place(t->p);
    bench_memory(t->b, t->p, mem);
    bench_start(t->b, t->p);
    t->b->prog = NULL;
}

static void wait_idle(tester *t)
{
    for (int i = 0; i < RECOVER; i++)
        if (!(bench_read(t->b, REG_STATUS) & BUSY)) return;
    CHECK(t->b, false, "still busy");
}

/* The next program runs as if nothing had been. */
static void good_program(tester *t)
{
    bool stalls = lt_rng_below(&t->rng, 2);
    t->tried++;
    bench_write(t->b, REG_WATCHDOG, 1u << 20);
    check_random(t->b, t->p, &t->rng, t->seed + (uint64_t)t->tried, stalls);
}

/* Waits for the error interrupt, then for quiet; then the next program. */
static void expect_error(tester *t, unsigned code, const char *what)
{
    bench *b = t->b;

    CHECK(b, bench_wait(b, LONG), "%s: no interrupt", what);
    uint32_t status = bench_read(b, REG_STATUS);
    CHECK(b, (status & (DONE | ERROR)) == ERROR && status >> 8 == code, "%s: status %08x, expected error %u", what,
          status, code);
    CHECK(b, bench_read(b, REG_IRQ_STATUS) == 2, "%s: IRQ_STATUS", what);
    wait_idle(t);
    status = bench_read(b, REG_STATUS);
    CHECK(b, status == (ERROR | BUS_IDLE | code << 8), "%s: status %08x after the stop", what, status);
    CHECK(b, axi_mem_idle(&b->mem), "%s: transfers are outstanding", what);
    if (lt_rng_below(&t->rng, 2)) {
        bench_write(b, REG_CONTROL, ABORT);
        CHECK(b, bench_read(b, REG_STATUS) == BUS_IDLE, "%s: status after ABORT", what);
    }
    good_program(t);
}

/* ---- error responses ---- */

static void bus_errors(tester *t)
{
    for (int i = 0; i < 6; i++) {
        axi_mem_config mem = plain(t, lt_rng_range(&t->rng, 1, 30));
        program_make(t->p, &t->rng, 20);
        if (i % 2) mem.stall = 40;
        mem.fail_read =
            i == 0 ? 0 : lt_rng_range(&t->rng, 1, t->p->n); /* every fetch is a burst, and there is a LOAD */
        start(t, &mem);
        expect_error(t, ERR_READ, "error response to a read");
    }
    for (int i = 0; i < 4; i++) {
        axi_mem_config mem = plain(t, lt_rng_range(&t->rng, 1, 30));
        program_make(t->p, &t->rng, 20);
        if (i % 2) mem.stall = 40;
        mem.fail_write = lt_rng_range(&t->rng, 0, 1);
        /* there is at least one burst; two if the last STORE does not fit in one */
        if (t->p->write_beats <= 64) mem.fail_write = 0;
        start(t, &mem);
        expect_error(t, ERR_WRITE, "error response to a write");
    }
}

/* ---- bad descriptors ---- */

/* n empty descriptors; an empty one is END. */
static void clear(program *p, int n)
{
    for (int i = 0; i < n; i++) memset(p->desc[i], 0, sizeof p->desc[i]);
    p->n = n;
}

static int find(const program *p, lt_opcode opcode)
{
    for (int i = 0; i < p->n; i++)
        if (lt_desc_get(p->desc[i], LT_D_OPCODE) == opcode) return i;
    return -1;
}

static void bad_descriptor(tester *t, int at, lt_dfield field, int64_t value, const char *what)
{
    axi_mem_config mem = plain(t, lt_rng_range(&t->rng, 1, 30));

    if (at < 0) return;
    CHECK(t->b, lt_desc_put(t->p->desc[at], field, value), "%s: field", what);
    start(t, &mem);
    expect_error(t, ERR_DESCRIPTOR, what);
    program_make(t->p, &t->rng, 30);
}

static void bad_descriptors(tester *t)
{
    program *p = t->p;
    axi_mem_config mem = plain(t, 5);

    program_make(p, &t->rng, 30);
    for (int op = LT_N_OPS; op < 16; op += 3)
        bad_descriptor(t, (int)lt_rng_below(&t->rng, (uint32_t)p->n), LT_D_OPCODE, op, "opcode");
    for (int target = 1; target < 8; target++)
        if (!lt_target_bits(p->cfg, target)) bad_descriptor(t, find(p, LT_OP_LOAD), LT_D_TARGET, target, "load target");
    bad_descriptor(t, find(p, LT_OP_STORE), LT_D_TARGET, 1, "store target");
    bad_descriptor(t, find(p, LT_OP_LOAD), LT_D_WORDS, 0, "no words");
    bad_descriptor(t, find(p, LT_OP_STORE), LT_D_ROWS, 0, "no rows");
    bad_descriptor(t, find(p, LT_OP_LOAD), LT_D_OFFSET, 1, "address");
    bad_descriptor(t, find(p, LT_OP_STORE), LT_D_OFFSET, p->cfg->bus_bits / 16, "address");
    bad_descriptor(t, find(p, LT_OP_PROFILE), LT_D_OFFSET, 2, "address of a record");
    lt_desc_put(p->desc[0], LT_D_DRAM_STRIDE, 2);
    lt_desc_put(p->desc[0], LT_D_WORDS, 1);
    bad_descriptor(t, 0, LT_D_ROWS, 2, "stride");

    p->program += 4;
    bench_memory(t->b, p, &mem);
    bench_start(t->b, p);
    expect_error(t, ERR_DESCRIPTOR, "address of the program");

    /* tokens that nobody takes */
    clear(p, 17);
    for (int i = 0; i < 16; i++) {
        lt_desc_put(p->desc[i], LT_D_OPCODE, LT_OP_LOAD);
        lt_desc_put(p->desc[i], LT_D_SIGNAL_B, 1);
        lt_desc_put(p->desc[i], LT_D_WORDS, 1);
        lt_desc_put(p->desc[i], LT_D_ROWS, 1);
    }
    start(t, &mem);
    expect_error(t, ERR_DESCRIPTOR, "sixteen tokens");
}

/* ---- conflicts ---- */

/* A long LOAD into bank 0, and another user of that bank that does not wait for it. */
static void racing(tester *t, lt_opcode opcode, lt_dfield where)
{
    program *p = t->p;
    axi_mem_config mem = plain(t, 3);

    program_make(p, &t->rng, 4);
    clear(p, 3);
    lt_desc_put(p->desc[0], LT_D_OPCODE, LT_OP_LOAD);
    lt_desc_put(p->desc[0], LT_D_WORDS, p->cfg->fb_words);
    lt_desc_put(p->desc[0], LT_D_ROWS, 40);
    lt_desc_put(p->desc[1], LT_D_OPCODE, opcode);
    lt_desc_put(p->desc[1], LT_D_IN_BASE, p->cfg->fb_words);
    lt_desc_put(p->desc[1], LT_D_OUT_BASE, p->cfg->fb_words);
    lt_desc_put(p->desc[1], LT_D_RES_BASE, p->cfg->fb_words);
    lt_desc_put(p->desc[1], LT_D_OUT_W, p->cfg->fb_words);
    lt_desc_put(p->desc[1], LT_D_CHUNKS, 4);
    if (opcode == LT_OP_STORE) {
        memset(p->desc[1], 0, 64);
        lt_desc_put(p->desc[1], LT_D_OPCODE, opcode);
        lt_desc_put(p->desc[1], LT_D_BASE, 2);
        lt_desc_put(p->desc[1], LT_D_WORDS, p->cfg->fb_words);
        lt_desc_put(p->desc[1], LT_D_ROWS, 1);
        mem.stall = 30; /* in step, the two could pass each other */
    } else {
        lt_desc_put(p->desc[1], where, 0);
        if (where == LT_D_RES_BASE) lt_desc_put(p->desc[1], LT_D_RES_EN, 1);
    }
    start(t, &mem);
    expect_error(t, ERR_BANK, "two engines in one bank");
}

static void conflicts(tester *t)
{
    racing(t, LT_OP_CONV, LT_D_IN_BASE);
    racing(t, LT_OP_CONV, LT_D_OUT_BASE);
    racing(t, LT_OP_CONV, LT_D_RES_BASE);
    racing(t, LT_OP_STORE, LT_D_OFFSET);

    axi_mem_config mem = plain(t, 10);
    program_make(t->p, &t->rng, 30);
    start(t, &mem);
    for (uint32_t i = lt_rng_below(&t->rng, 300); i > 0; i--) bench_tick(t->b);
    t->b->x.conflict = 1;
    bench_tick(t->b);
    t->b->x.conflict = 0;
    expect_error(t, ERR_BANK, "conflict inside the core");
}

/* ---- watchdog ---- */

/* The only operation never ends. */
static void stuck_core(tester *t, uint32_t watchdog)
{
    bench *b = t->b;
    program *p = t->p;
    axi_mem_config mem = plain(t, 7);
    uint64_t last = 0;

    program_make(p, &t->rng, 4);
    clear(p, 2);
    lt_desc_put(p->desc[0], LT_D_OPCODE, LT_OP_CONV);
    lt_desc_put(p->desc[0], LT_D_OUT_BASE, p->cfg->fb_words);
    lt_desc_put(p->desc[0], LT_D_CODE_IN, 50);
    lt_desc_put(p->desc[0], LT_D_OUT_W, 9);
    bench_write(b, REG_WATCHDOG, watchdog);
    b->core.stuck = true;
    start(t, &mem);
    for (int i = 0; i < LONG / 40 && !b->p.irq; i++) {
        bench_tick(b);
        if (b->x.issue) last = b->now - 1;
    }
    CHECK(b, last > 0, "the operation was not started");
    b->core.stuck = false;
    if (watchdog) {
        CHECK(b, b->p.irq && b->irq_since - last == watchdog + 5,
              "watchdog of %u came %llu cycles after the last issue", watchdog,
              (unsigned long long)(b->irq_since - last));
        expect_error(t, ERR_WATCHDOG, "watchdog");
    } else {
        CHECK(b, !b->p.irq, "the watchdog is off");
        bench_write(b, REG_CONTROL, ABORT);
        wait_idle(t);
        good_program(t);
    }
}

/* The memory does not answer: the error is reported, the bus stays busy, START is ignored; only a reset helps. */
static void hanging_bus(tester *t, bool reads)
{
    bench *b = t->b;
    axi_mem_config mem = plain(t, 7);

    program_make(t->p, &t->rng, 20);
    if (reads)
        mem.hang_read = lt_rng_range(&t->rng, 0, 20);
    else
        mem.hang_write = 0;
    bench_write(b, REG_WATCHDOG, 1500);
    start(t, &mem);
    CHECK(b, bench_wait(b, LONG), "no interrupt");
    uint32_t status = bench_read(b, REG_STATUS);
    CHECK(b, status == (BUSY | ERROR | ERR_WATCHDOG << 8), "status %08x", status);
    bench_write(b, REG_CONTROL, START);
    for (int i = 0; i < 100; i++) bench_tick(b);
    CHECK(b, bench_read(b, REG_STATUS) == status, "START while the bus hangs");
    bench_reset(b);
    CHECK(b, bench_read(b, REG_STATUS) == BUS_IDLE, "status after reset");
    good_program(t);
}

/* A LOAD, a STORE and an operation, one after the other, each of many cycles. */
static void long_program(tester *t)
{
    program *p = t->p;

    program_make(p, &t->rng, 4);
    clear(p, 4);
    for (int i = 0; i < 2; i++) {
        lt_desc_put(p->desc[i], LT_D_OPCODE, i ? LT_OP_STORE : LT_OP_LOAD);
        lt_desc_put(p->desc[i], LT_D_BASE, i ? 2 : 0);
        lt_desc_put(p->desc[i], LT_D_ADDRESS, i ? p->cfg->fb_words : 0);
        lt_desc_put(p->desc[i], LT_D_WORDS, p->cfg->fb_words);
        lt_desc_put(p->desc[i], LT_D_ROWS, 60);
    }
    lt_desc_put(p->desc[0], LT_D_SIGNAL_A, 1);
    lt_desc_put(p->desc[0], LT_D_SIGNAL_B, 1);
    lt_desc_put(p->desc[1], LT_D_WAIT_A, 1);
    lt_desc_put(p->desc[1], LT_D_SIGNAL_B, 1);
    lt_desc_put(p->desc[2], LT_D_OPCODE, LT_OP_CONV);
    lt_desc_put(p->desc[2], LT_D_WAIT_A, 1);
    lt_desc_put(p->desc[2], LT_D_WAIT_B, 1);
    lt_desc_put(p->desc[2], LT_D_OUT_BASE, p->cfg->fb_words);
    lt_desc_put(p->desc[2], LT_D_CHUNKS, 40);
    lt_desc_put(p->desc[2], LT_D_OUT_W, p->cfg->fb_words);
}

/* What moves keeps the watchdog quiet, however long it takes. */
static void busy_watchdog(tester *t)
{
    axi_mem_config mem = plain(t, 7);

    long_program(t);
    bench_write(t->b, REG_WATCHDOG, 70);
    start(t, &mem);
    CHECK(t->b, bench_wait(t->b, LONG), "no interrupt");
    CHECK(t->b, bench_read(t->b, REG_STATUS) == (DONE | BUS_IDLE), "the watchdog bit while something moved");
    CHECK(t->b, bench_read(t->b, REG_CYCLES) > 6 * 70, "the program was too short");
    t->tried++;
}

static void watchdogs(tester *t)
{
    busy_watchdog(t);
    stuck_core(t, 200);
    stuck_core(t, 77);
    stuck_core(t, 0);
    hanging_bus(t, true);
    hanging_bus(t, false);
    /* a token that never comes */
    axi_mem_config mem = plain(t, 7);
    program_make(t->p, &t->rng, 10);
    lt_desc_put(t->p->desc[0], LT_D_WAIT_B, 1);
    bench_write(t->b, REG_WATCHDOG, 300);
    start(t, &mem);
    expect_error(t, ERR_WATCHDOG, "missing token");
}

/* ---- commands ---- */

/* Engines stop at the next burst. */
static void abort_now(tester *t)
{
    bench *b = t->b;

    bench_write(b, REG_CONTROL, ABORT);
    uint64_t reads = b->mem.reads_in, writes = b->mem.writes_addr;
    wait_idle(t);
    CHECK(b, bench_read(b, REG_STATUS) == BUS_IDLE, "status after ABORT");
    CHECK(b, bench_read(b, REG_IRQ_STATUS) == 0, "IRQ_STATUS after ABORT");
    CHECK(b, axi_mem_idle(&b->mem), "transfers are outstanding after ABORT");
    CHECK(b, b->mem.reads_in <= reads + 1 && b->mem.writes_addr <= writes + 1, "bursts were requested after ABORT");
    good_program(t);
}

static void aborts(tester *t)
{
    bench *b = t->b;

    for (int i = 0; i < 12; i++) {
        axi_mem_config mem = plain(t, lt_rng_range(&t->rng, 1, 30));
        mem.stall = i % 3 * 30;
        program_make(t->p, &t->rng, 40);
        bench_memory(b, t->p, &mem);
        bench_start(b, t->p); /* the load words of its first part are compared */
        for (uint32_t n = lt_rng_below(&t->rng, i < 4 ? 60 : 1500); n > 0 && !b->p.irq; n--) bench_tick(b);
        if (!b->p.irq) abort_now(t);
    }
    for (int i = 0; i < 2; i++) { /* in the middle of a LOAD, of a STORE */
        axi_mem_config mem = plain(t, 12);
        long_program(t);
        start(t, &mem);
        while (i ? b->mem.write_beats < 50 : b->mem.read_beats < 90) bench_tick(b);
        abort_now(t);
    }
}

static void start_while_busy(tester *t)
{
    bench *b = t->b;
    axi_mem_config mem = plain(t, 12);

    program_make(t->p, &t->rng, 30);
    bench_memory(b, t->p, &mem);
    bench_start(b, t->p);
    uint64_t started = b->started;
    for (int i = 0; i < 5; i++) {
        for (int k = 0; k < 17 * i; k++) bench_tick(b);
        CHECK(b, bench_read(b, REG_STATUS) & BUSY, "it is busy");
        bench_write(b, REG_CONTROL, START);
    }
    b->started = started;
    CHECK(b, bench_wait(b, LONG), "the program does not end");
    check_results(b, t->p);
    t->tried++;
}

static void interrupts(tester *t)
{
    bench *b = t->b;
    axi_mem_config mem = plain(t, 4);

    bench_write(b, REG_IRQ_ENABLE, 0);
    bench_write(b, REG_IRQ_STATUS, 3);
    bench_write(b, REG_IRQ_TEST, 3);
    CHECK(b, bench_read(b, REG_IRQ_STATUS) == 3 && !b->p.irq, "masked interrupts");
    for (uint32_t enable = 0; enable < 4; enable++) {
        for (uint32_t events = 0; events < 4; events++) {
            bench_write(b, REG_IRQ_STATUS, 3);
            bench_write(b, REG_IRQ_ENABLE, enable);
            bench_write(b, REG_IRQ_TEST, events);
            CHECK(b, bench_read(b, REG_IRQ_STATUS) == events, "IRQ_STATUS");
            CHECK(b, b->p.irq == ((events & enable) != 0), "irq with enable %u and events %u", enable, events);
        }
    }
    bench_write(b, REG_IRQ_ENABLE, 3);
    bench_write(b, REG_IRQ_STATUS, 1);
    CHECK(b, bench_read(b, REG_IRQ_STATUS) == 2 && b->p.irq, "only what is written is cleared");
    bench_write(b, REG_IRQ_STATUS, 2);
    CHECK(b, !b->p.irq, "the interrupt is a level");

    /* DONE without interrupt: polling works too */
    program_make(t->p, &t->rng, 10);
    bench_memory(b, t->p, &mem);
    bench_start(b, t->p);
    bench_write(b, REG_IRQ_ENABLE, 0);
    wait_idle(t);
    CHECK(b, bench_read(b, REG_STATUS) == (DONE | BUS_IDLE) && !b->p.irq, "polling");
    bench_write(b, REG_IRQ_ENABLE, 1);
    CHECK(b, b->p.irq, "the event waited for its enable");
    t->tried++;
}

static void reset_in_flight(tester *t)
{
    axi_mem_config mem = plain(t, 9);

    program_make(t->p, &t->rng, 30);
    start(t, &mem);
    for (int i = 0; i < 333; i++) bench_tick(t->b);
    bench_reset(t->b);
    CHECK(t->b, bench_read(t->b, REG_STATUS) == BUS_IDLE, "status after reset");
    CHECK(t->b, bench_read(t->b, REG_WATCHDOG) == 1u << 20, "WATCHDOG after reset");
    good_program(t);
}

int shell_faults(bench *b, program *p, uint64_t seed)
{
    tester t = {.b = b, .p = p, .rng = lt_rng_make(seed, 0xFA17), .seed = seed};
    int checks = b->checks; /* a reset clears the count */

    bus_errors(&t);
    bad_descriptors(&t);
    conflicts(&t);
    watchdogs(&t);
    aborts(&t);
    start_while_busy(&t);
    interrupts(&t);
    reset_in_flight(&t);
    b->checks += checks;
    return t.tried;
}
