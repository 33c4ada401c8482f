/* The testbench's memory model: timing, data under stalls, and that every protocol rule it claims to check is checked.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../../tb/axi_mem.c"

enum { BASE = 0x10000000, BYTES = 16384, ROM = 0x20000000, ROM_BYTES = 256, BUS = 8 };

static axi_mem mem;
static uint8_t ram[BYTES], rom[ROM_BYTES];
static tb_pins p;

static axi_mem_config plain(int latency)
{
    return (axi_mem_config){
        .bus_bytes = BUS, .latency = latency, .fail_read = -1, .fail_write = -1, .hang_read = -1, .hang_write = -1};
}

static void start(axi_mem_config cfg)
{
    for (int i = 0; i < BYTES; i++) ram[i] = (uint8_t)(i * 7 + i / 256);
    memset(rom, 0x5A, sizeof rom);
    memset(&p, 0, sizeof p);
    axi_mem_init(&mem, &cfg);
    axi_mem_add(&mem, "ram", BASE, BYTES, true, ram);
    axi_mem_add(&mem, "rom", ROM, ROM_BYTES, false, rom);
    p.rst = 1;
    for (int i = 0; i < 4; i++) axi_mem_step(&mem, &p);
    p.rst = 0;
    axi_mem_step(&mem, &p);
}

static void cycle(void)
{
    axi_mem_step(&mem, &p);
}

static void drive_ar(uint32_t address, int beats)
{
    p.m_arvalid = 1;
    p.m_araddr = address;
    p.m_arlen = (uint8_t)(beats - 1);
    p.m_arsize = 3;
    p.m_arburst = 1;
}

static void drive_aw(uint32_t address, int beats)
{
    p.m_awvalid = 1;
    p.m_awaddr = address;
    p.m_awlen = (uint8_t)(beats - 1);
    p.m_awsize = 3;
    p.m_awburst = 1;
}

static void drive_w(uint32_t low, uint32_t high, uint32_t strobe, bool last)
{
    p.m_wvalid = 1;
    p.m_wdata[0] = low;
    p.m_wdata[1] = high;
    p.m_wstrb = strobe;
    p.m_wlast = last;
}

static uint32_t word(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

/* ---- timing ---- */

static void read_timing(void **state)
{
    (void)state;
    for (int latency = 1; latency <= 21; latency += 5) {
        start(plain(latency));
        p.m_rready = 1;
        assert_int_equal(p.m_arready, 1);
        drive_ar(BASE + 64, 4);
        cycle(); /* address taken in this cycle, number 0 */
        drive_ar(BASE + 256, 2);
        int at = 1;
        for (int beat = 0; beat < 6; beat++) {
            while (!p.m_rvalid) {
                cycle();
                p.m_arvalid = 0;
                assert_true(++at < 100);
            }
            /* the second burst follows without a gap, unless its own latency has not passed */
            assert_int_equal(at, latency + beat);
            uint32_t from = beat < 4 ? 64 + 8 * (uint32_t)beat : 256 + 8 * (uint32_t)(beat - 4);
            assert_int_equal(p.m_rdata[0], word(ram + from));
            assert_int_equal(p.m_rdata[1], word(ram + from + 4));
            assert_int_equal(p.m_rlast, beat == 3 || beat == 5);
            assert_int_equal(p.m_rresp, 0);
            cycle();
            p.m_arvalid = 0;
            at++;
        }
        assert_false(p.m_rvalid);
        assert_true(axi_mem_idle(&mem));
        assert_int_equal(mem.read_beats, 6);
        assert_int_equal(mem.violations, 0);
    }
}

static void read_waits_for_ready(void **state)
{
    (void)state;
    start(plain(2));
    drive_ar(BASE, 2);
    cycle();
    p.m_arvalid = 0;
    for (int i = 0; i < 10; i++) cycle();
    assert_true(p.m_rvalid && !p.m_rlast);
    assert_int_equal(p.m_rdata[0], word(ram));
    p.m_rready = 1;
    cycle();
    assert_true(p.m_rvalid && p.m_rlast);
    cycle();
    assert_false(p.m_rvalid);
}

static void write_timing(void **state)
{
    (void)state;
    for (int latency = 1; latency <= 21; latency += 5) {
        start(plain(latency));
        p.m_bready = 1;
        drive_aw(BASE + 128, 3);
        assert_true(p.m_awready && p.m_wready);
        for (uint32_t i = 0; i < 3; i++) {
            drive_w(100 + i, 200 + i, 0xFF, i == 2);
            cycle();
            p.m_awvalid = 0;
        }
        p.m_wvalid = 0;
        for (int i = 1; i < latency; i++) {
            assert_false(p.m_bvalid);
            cycle();
        }
        assert_true(p.m_bvalid);
        assert_int_not_equal(word(ram + 128), 100); /* nothing is promised before the response is taken */
        cycle();
        for (uint32_t i = 0; i < 3; i++) {
            assert_int_equal(word(ram + 128 + 8 * i), 100 + i);
            assert_int_equal(word(ram + 132 + 8 * i), 200 + i);
        }
        assert_false(p.m_bvalid);
        assert_int_equal(mem.violations, 0);
    }
}

static void strobes(void **state)
{
    (void)state;
    start(plain(1));
    uint8_t before = ram[2];
    p.m_bready = 1;
    drive_aw(BASE, 1);
    drive_w(0x04030201, 0x08070605, 0xA3, true);
    cycle();
    p.m_awvalid = p.m_wvalid = 0;
    for (int i = 0; i < 3; i++) cycle();
    assert_int_equal(ram[0], 1);
    assert_int_equal(ram[1], 2);
    assert_int_equal(ram[2], before);
    assert_int_equal(ram[5], 6);
    assert_int_equal(ram[7], 8);
}

/* A read whose address was taken before the write response sees the old data, one taken after it the new. */
static void least_helpful_order(void **state)
{
    (void)state;
    for (int after = 0; after < 2; after++) {
        start(plain(3));
        uint32_t old = word(ram);
        drive_aw(BASE, 1);
        drive_w(0xCAFE, 0, 0xFF, true);
        cycle();
        p.m_awvalid = p.m_wvalid = 0;
        while (!p.m_bvalid) cycle();
        p.m_bready = (uint8_t)after;
        cycle();
        drive_ar(BASE, 1);
        cycle();
        p.m_arvalid = 0;
        p.m_bready = p.m_rready = 1;
        while (!p.m_rvalid) cycle();
        assert_int_equal(p.m_rdata[0], after ? 0xCAFE : old);
        assert_int_equal(mem.violations, 0);
    }
}

static void bandwidth_limit(void **state)
{
    (void)state;
    static const double rates[] = {0.5, 1.0, 3.3, 8.0, 12.0, 16.0};
    for (unsigned i = 0; i < sizeof rates / sizeof *rates; i++) {
        axi_mem_config cfg = plain(4);
        cfg.bandwidth = rates[i];
        start(cfg);
        p.m_rready = p.m_bready = 1;
        int sent = 0;
        enum { CYCLES = 20000 };
        for (int k = 0; k < CYCLES; k++) {
            drive_ar(BASE, 16); /* as much as goes, both ways */
            p.m_awvalid = mem.writes_addr - mem.writes_out < 8;
            if (p.m_awvalid || !p.m_awready) drive_aw(BASE, 16);
            drive_w(0, 0, 0xFF, sent % 16 == 15);
            sent += p.m_wready;
            bool aw_held = p.m_awvalid && !p.m_awready;
            cycle();
            assert_false(aw_held);
        }
        double got = (double)(mem.read_beats + mem.write_beats) * BUS / CYCLES;
        if (fabs(got - rates[i]) > 0.02 * rates[i] + 0.01) fail_msg("rate %g: got %g", rates[i], got);
    }
}

/* ---- random traffic ---- */

typedef struct {
    lt_rng rng;
    uint8_t expect[BYTES];
    int w_left, w_beats;       /* of the burst whose data are being sent */
    uint32_t w_at;             /* where */
    int aw_pending, b_pending; /* address not taken; response not taken */
    int r_beats, r_given;
    uint32_t r_at;
    int bursts;
} master;

/* One burst at a time in each direction, reads only while no write is on its way, so that data are known. */
static void master_cycle(master *s)
{
    bool ar_taken = p.m_arvalid && p.m_arready, aw_taken = p.m_awvalid && p.m_awready;
    bool w_taken = p.m_wvalid && p.m_wready, b_taken = p.m_bvalid && p.m_bready;

    if (p.m_rvalid && p.m_rready) {
        uint32_t at = s->r_at + 8 * (uint32_t)s->r_given;
        assert_int_equal(p.m_rdata[0], word(s->expect + at));
        assert_int_equal(p.m_rdata[1], word(s->expect + at + 4));
        s->r_given++;
        assert_int_equal(p.m_rlast, s->r_given == s->r_beats);
        if (p.m_rlast) s->r_beats = 0;
    }
    cycle();
    if (ar_taken) p.m_arvalid = 0;
    if (aw_taken) p.m_awvalid = 0, s->aw_pending = 0;
    if (b_taken) s->b_pending = 0;
    if (w_taken) {
        p.m_wvalid = 0;
        s->w_left--;
    }
    p.m_rready = lt_rng_below(&s->rng, 4) != 0;
    p.m_bready = lt_rng_below(&s->rng, 2) != 0;

    bool idle = !s->b_pending && !s->r_beats;
    if (idle && lt_rng_below(&s->rng, 3) == 0) {
        s->b_pending = 1;
        s->w_beats = s->w_left = 1 + (int)lt_rng_below(&s->rng, 64);
        s->w_at = 8 * lt_rng_below(&s->rng, BYTES / 8);
        int room = (int)(4096 - s->w_at % 4096) / 8;
        if (s->w_beats > room) s->w_beats = s->w_left = room;
        s->aw_pending = 1 + (int)lt_rng_below(&s->rng, 40); /* data may run ahead of the address */
        s->bursts++;
    } else if (idle && lt_rng_below(&s->rng, 2) == 0) {
        s->r_beats = 1 + (int)lt_rng_below(&s->rng, 64);
        s->r_given = 0;
        s->r_at = 8 * lt_rng_below(&s->rng, BYTES / 8);
        int room = (int)(4096 - s->r_at % 4096) / 8;
        if (s->r_beats > room) s->r_beats = room;
        drive_ar(BASE + s->r_at, s->r_beats);
        s->bursts++;
    }
    if (s->aw_pending > 0 && --s->aw_pending == 0) s->aw_pending = -1;
    if (s->aw_pending == -1 && !p.m_awvalid) drive_aw(BASE + s->w_at, s->w_beats);
    if (s->w_left > 0 && !p.m_wvalid && lt_rng_below(&s->rng, 3) != 0) {
        uint32_t at = s->w_at + 8 * (uint32_t)(s->w_beats - s->w_left), a = lt_rng_u32(&s->rng),
                 b = lt_rng_u32(&s->rng), strobe = lt_rng_below(&s->rng, 2) ? 0xFF : lt_rng_below(&s->rng, 256);
        drive_w(a, b, strobe, s->w_left == 1);
        for (uint32_t k = 0; k < 8; k++)
            if (strobe >> k & 1) s->expect[at + k] = (uint8_t)((k < 4 ? a : b) >> (8 * (k % 4)));
    }
}

static void random_traffic(void **state)
{
    (void)state;
    for (unsigned seed = 0; seed < 12; seed++) {
        axi_mem_config cfg = plain(1 + (int)seed * 3);
        cfg.stall = (int)(seed % 4) * 25;
        cfg.bandwidth = seed % 3 == 2 ? 5.0 : 0;
        cfg.seed = seed;
        start(cfg);
        master s = {.rng = lt_rng_make(seed, 1)};
        memcpy(s.expect, ram, BYTES);
        for (int i = 0; i < 30000; i++) master_cycle(&s);
        while (s.b_pending || s.r_beats) master_cycle(&s);
        if (mem.violations) fail_msg("seed %u: %s", seed, mem.message[0]);
        assert_true(s.bursts > 80);
        assert_memory_equal(ram, s.expect, BYTES);
    }
}

static void stalls_are_as_asked(void **state)
{
    (void)state;
    uint64_t sums[2] = {0};
    for (int run = 0; run < 3; run++) {
        axi_mem_config cfg = plain(1);
        cfg.stall = 40;
        cfg.seed = run == 2 ? 8 : 7;
        start(cfg);
        int ready = 0;
        uint64_t sum = 0;
        for (int i = 0; i < 20000; i++) {
            cycle();
            ready += p.m_arready;
            sum = sum * 31 + (uint64_t)(p.m_arready | p.m_awready << 1 | p.m_wready << 2);
        }
        assert_in_range(ready, 11600, 12400);
        if (run == 0) sums[0] = sum;
        if (run == 1) assert_true(sum == sums[0]); /* same seed, same stalls */
        if (run == 2) assert_true(sum != sums[0]);
    }
}

/* ---- rules ---- */

static void expect_violation(const char *text)
{
    if (mem.violations != 1 || !strstr(mem.message[0], text))
        fail_msg("expected \"%s\", got %d violations, first \"%s\"", text, mem.violations, mem.message[0]);
    assert_non_null(strstr(mem.message[0], "cycle "));
}

static void bad_bursts(void **state)
{
    (void)state;
    axi_mem_config cfg = plain(2);
    cfg.max_burst = 64;
    for (int write = 0; write < 2; write++) {
        static const struct {
            uint32_t address;
            int beats, size, burst;
            const char *text;
        } bad[] = {
            {BASE + 4096 - 8, 2, 3, 1, "4 KiB"}, {BASE, 65, 3, 1, "65 beats, at most 64"},
            {BASE, 4, 2, 1, "size code 2"},      {BASE, 4, 3, 2, "expected INCR"},
            {BASE, 4, 3, 0, "expected INCR"},    {BASE + 4, 4, 3, 1, "not aligned"},
        };
        for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
            start(cfg);
            if (write) {
                drive_aw(bad[i].address, bad[i].beats);
                p.m_awsize = (uint8_t)bad[i].size;
                p.m_awburst = (uint8_t)bad[i].burst;
            } else {
                drive_ar(bad[i].address, bad[i].beats);
                p.m_arsize = (uint8_t)bad[i].size;
                p.m_arburst = (uint8_t)bad[i].burst;
            }
            cycle();
            expect_violation(bad[i].text);
        }
        start(cfg); /* the largest legal burst, up to the boundary */
        if (write)
            drive_aw(BASE + 4096 - 512, 64);
        else
            drive_ar(BASE + 4096 - 512, 64);
        cycle();
        assert_int_equal(mem.violations, 0);
    }
}

/* Runs with stalls until the named ready is low while the design drives valid. */
static void wait_for_stall(const uint8_t *ready)
{
    for (int i = 0; *ready; i++) {
        assert_true(i < 1000);
        cycle();
    }
}

static void unstable_valids(void **state)
{
    (void)state;
    axi_mem_config cfg = plain(2);
    cfg.stall = 60;
    for (int way = 0; way < 8; way++) {
        start(cfg);
        const char *text;
        if (way < 3) {
            wait_for_stall(&p.m_arready);
            drive_ar(BASE, 4);
            cycle();
            if (way == 0) p.m_arvalid = 0;
            if (way == 1) p.m_araddr += 8;
            if (way == 2) p.m_arlen++;
            text = "AR changed";
        } else if (way < 5) {
            wait_for_stall(&p.m_awready);
            drive_aw(BASE, 4);
            cycle();
            if (way == 3) p.m_awvalid = 0;
            if (way == 4) p.m_awaddr += 8;
            text = "AW changed";
        } else {
            wait_for_stall(&p.m_wready);
            drive_w(1, 2, 0xFF, false);
            cycle();
            if (way == 5) p.m_wvalid = 0;
            if (way == 6) p.m_wdata[1] = 3;
            if (way == 7) p.m_wlast = 1;
            text = "W changed";
        }
        cycle();
        expect_violation(text);
    }
}

static void wlast_rules(void **state)
{
    (void)state;
    for (int way = 0; way < 3; way++) {
        start(plain(2));
        if (way != 2) drive_aw(BASE, 4);
        int beats = way == 0 ? 3 : 4; /* too early; missing; data first, then an address of another length */
        for (int i = 0; i < beats; i++) {
            drive_w(0, 0, 0xFF, way != 1 && i == beats - 1);
            cycle();
            p.m_awvalid = 0;
        }
        p.m_wvalid = 0;
        if (way == 2) {
            assert_int_equal(mem.violations, 0);
            drive_aw(BASE, 5);
            cycle();
        }
        expect_violation(way == 1 ? "no WLAST at its last beat 4" : way == 0 ? "WLAST at beat 3 of 4" : "beat 4 of 5");
    }
}

static void outside_the_buffers(void **state)
{
    (void)state;
    p.m_rready = 1;
    start(plain(2));
    drive_ar(BASE + BYTES, 1);
    cycle();
    p.m_arvalid = 0;
    expect_violation("outside every buffer");
    while (!p.m_rvalid) cycle();
    assert_int_equal(p.m_rresp, 3);

    start(plain(2)); /* its last beat leaves the buffer */
    drive_ar(ROM + ROM_BYTES - 16, 3);
    cycle();
    expect_violation("outside every buffer");

    for (int rom_too = 0; rom_too < 2; rom_too++) {
        start(plain(2));
        drive_aw(rom_too ? ROM : BASE - 8, 1);
        drive_w(0, 0, 0x01, true);
        p.m_bready = 1;
        cycle();
        p.m_awvalid = p.m_wvalid = 0;
        while (!p.m_bvalid) cycle();
        assert_int_equal(p.m_bresp, 3);
        cycle();
        expect_violation(rom_too ? "read-only rom" : "outside every buffer");
        assert_int_equal(rom[0], 0x5A);
    }
    /* bytes without strobe may lie outside */
    start(plain(2));
    axi_mem_add(&mem, "odd", 0x30000000, 12, true, ram);
    drive_aw(0x30000008, 1);
    drive_w(7, 8, 0x0F, true);
    p.m_bready = 1;
    for (int i = 0; i < 6; i++) {
        cycle();
        p.m_awvalid = p.m_wvalid = 0;
    }
    assert_int_equal(mem.violations, 0);
    assert_int_equal(word(ram + 8), 7);
}

static void too_many_outstanding(void **state)
{
    (void)state;
    axi_mem_config cfg = plain(50);
    cfg.max_reads = 4;
    cfg.max_writes = 2;
    start(cfg);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(mem.violations, 0);
        drive_ar(BASE, 1);
        cycle();
    }
    expect_violation("5 read bursts outstanding, at most 4");
    start(cfg);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(mem.violations, 0);
        drive_aw(BASE, 1);
        cycle();
    }
    expect_violation("3 write bursts outstanding, at most 2");
}

static void valid_during_reset(void **state)
{
    (void)state;
    start(plain(1));
    p.rst = 1;
    p.m_wvalid = 1;
    cycle();
    expect_violation("during reset");
}

/* Every byte of the widest bus has its strobe; 64 beats are a whole page. */
static void widest_bus(void **state)
{
    enum { WIDEST = 4 * TB_BUS_WORDS, BEATS = 4096 / WIDEST };
    static uint8_t expect[4096];
    axi_mem_config cfg = plain(3);
    lt_rng rng = lt_rng_make(5, 0);

    (void)state;
    cfg.bus_bytes = WIDEST;
    start(cfg);
    memcpy(expect, ram + 4096, sizeof expect);
    drive_aw(BASE + 4096, BEATS);
    p.m_awsize = 6;
    p.m_bready = 1;
    for (int i = 0; i < BEATS; i++) {
        drive_w(0, 0, 0, i == BEATS - 1);
        if (i % 3) p.m_wstrb = (uint64_t)lt_rng_u32(&rng) << 32 | lt_rng_u32(&rng);
        if (i % 3 == 2) p.m_wstrb = UINT64_MAX;
        for (int k = 0; k < TB_BUS_WORDS; k++) p.m_wdata[k] = lt_rng_u32(&rng);
        for (int k = 0; k < WIDEST; k++)
            if (p.m_wstrb >> k & 1) expect[i * WIDEST + k] = (uint8_t)(p.m_wdata[k / 4] >> (8 * (k % 4)));
        cycle();
        p.m_awvalid = 0;
    }
    p.m_wvalid = 0;
    while (!p.m_bvalid) cycle();
    cycle();
    assert_memory_equal(ram + 4096, expect, sizeof expect);
    drive_ar(BASE + 4096, BEATS);
    p.m_arsize = 6;
    p.m_rready = 1;
    cycle();
    p.m_arvalid = 0;
    while (!p.m_rvalid) cycle();
    for (int i = 0; i < BEATS; i++) {
        assert_true(p.m_rvalid);
        for (int k = 0; k < TB_BUS_WORDS; k++) assert_int_equal(p.m_rdata[k], word(expect + i * WIDEST + 4 * k));
        assert_int_equal(p.m_rlast, i == BEATS - 1);
        cycle();
    }
    assert_int_equal(mem.violations, 0);
    drive_ar(BASE + 64, BEATS);
    p.m_arsize = 6;
    cycle();
    expect_violation("64 beats cross a 4 KiB boundary");
}

/* ---- faults on demand ---- */

static void faults(void **state)
{
    (void)state;
    axi_mem_config cfg = plain(2);
    cfg.fail_read = 1;
    cfg.fail_write = 1;
    start(cfg);
    p.m_rready = p.m_bready = 1;
    for (int i = 0; i < 3; i++) {
        drive_ar(BASE, 1);
        cycle();
        p.m_arvalid = 0;
        while (!p.m_rvalid) cycle();
        assert_int_equal(p.m_rresp, i == 1 ? 2 : 0);
        cycle();
        drive_aw(BASE, 1);
        drive_w((uint32_t)i + 50, 0, 0xFF, true);
        cycle();
        p.m_awvalid = p.m_wvalid = 0;
        while (!p.m_bvalid) cycle();
        assert_int_equal(p.m_bresp, i == 1 ? 2 : 0);
        cycle();
        assert_int_equal(word(ram), i == 1 ? 50 : 50 + i); /* a refused write changes nothing */
    }
    cfg = plain(2);
    cfg.hang_read = 0;
    cfg.hang_write = 0;
    start(cfg);
    p.m_rready = p.m_bready = 1;
    drive_ar(BASE, 1);
    drive_aw(BASE, 1);
    drive_w(0, 0, 0xFF, true);
    for (int i = 0; i < 100; i++) {
        cycle();
        p.m_arvalid = p.m_awvalid = p.m_wvalid = 0;
        assert_false(p.m_rvalid || p.m_bvalid);
    }
    assert_int_equal(mem.violations, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(read_timing),          cmocka_unit_test(read_waits_for_ready),
        cmocka_unit_test(write_timing),         cmocka_unit_test(strobes),
        cmocka_unit_test(least_helpful_order),  cmocka_unit_test(bandwidth_limit),
        cmocka_unit_test(random_traffic),       cmocka_unit_test(stalls_are_as_asked),
        cmocka_unit_test(bad_bursts),           cmocka_unit_test(unstable_valids),
        cmocka_unit_test(wlast_rules),          cmocka_unit_test(outside_the_buffers),
        cmocka_unit_test(too_many_outstanding), cmocka_unit_test(valid_during_reset),
        cmocka_unit_test(widest_bus),           cmocka_unit_test(faults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
