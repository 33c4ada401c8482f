#include "shell_check.h"

#include <string.h>

/* What the random programs made happen, so that a check on it is not empty. */
static struct {
    uint64_t stall_read, stall_write, profiles, overlaps;
} seen;

static uint32_t counter(bench *b, int i)
{
    return bench_read(b, REG_CYCLES + 4 * (uint32_t)i);
}

static lt_counters read_counters(bench *b)
{
    uint32_t v[8];
    for (int i = 0; i < 8; i++) v[i] = counter(b, i);
    return (lt_counters){v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7]};
}

static uint32_t profile_word(const bench *b, const program *p, int i, int word)
{
    const uint8_t *at = b->data[p->profile[i].region] + p->profile[i].offset + 4 * word;
    return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

lt_counters check_results(bench *b, program *p)
{
    uint32_t status = bench_read(b, REG_STATUS);
    lt_counters c = read_counters(b);

    CHECK(b, status == (DONE | BUS_IDLE), "status %08x", status);
    CHECK(b, bench_read(b, REG_IRQ_STATUS) == 1, "IRQ_STATUS");
    CHECK(b, b->words == p->words, "%d of %d load words", b->words, p->words);
    CHECK(b, c.cycles == b->irq_since - b->started - 1, "CYCLES %u, expected %u", (unsigned)c.cycles,
          (unsigned)(b->irq_since - b->started - 1)); /* the interrupt comes a cycle after DONE */
    CHECK(b, c.exec_busy == b->core.busy, "EXEC_BUSY %u, expected %u", (unsigned)c.exec_busy, (unsigned)b->core.busy);
    CHECK(b, c.stall_core == b->core.idle_busy, "STALL_CORE %u, expected %u", (unsigned)c.stall_core,
          (unsigned)b->core.idle_busy);
    CHECK(b, c.read_beats == p->read_beats && c.read_beats == b->mem.read_beats, "READ_BEATS %u, expected %u",
          (unsigned)c.read_beats, (unsigned)p->read_beats);
    CHECK(b, c.write_beats == p->write_beats && c.write_beats == b->mem.write_beats, "WRITE_BEATS %u, expected %u",
          (unsigned)c.write_beats, (unsigned)p->write_beats);
    CHECK(b, c.descriptors == (uint64_t)p->n, "DESCRIPTORS %u, expected %d", (unsigned)c.descriptors, p->n);
    CHECK(b, c.exec_busy + c.stall_read + c.stall_write <= c.cycles, "stalls exceed the cycles");
    CHECK(b, axi_mem_idle(&b->mem), "transfers are outstanding after the end");

    for (int i = 0; i < p->profiles; i++) {
        const mark_seen *m = &b->mark[p->profile[i].mark];
        uint32_t want[8] = {(uint32_t)m->layer,       (uint32_t)(m->cycle - b->started + 1),
                            (uint32_t)m->busy,        profile_word(b, p, i, 3),
                            profile_word(b, p, i, 4), (uint32_t)m->idle_busy,
                            (uint32_t)m->read_beats,  (uint32_t)m->write_beats};
        for (int w = 0; w < 8; w++)
            CHECK(b, profile_word(b, p, i, w) == want[w], "profile record %d word %d: %u, expected %u", i, w,
                  profile_word(b, p, i, w), want[w]);
        memcpy(p->expect[p->profile[i].region] + p->profile[i].offset,
               b->data[p->profile[i].region] + p->profile[i].offset, RECORD_BYTES);
    }
    for (int r = 0; r < N_REGIONS; r++)
        for (int i = 0; i < REGION_BYTES; i++)
            if (b->data[r][i] != p->expect[r][i])
                CHECK(b, false, "region %d offset %d: %02x, expected %02x", r, i, b->data[r][i], p->expect[r][i]);
    b->checks += REGION_BYTES / 64;
    return c;
}

static void check_same(bench *b, const char *what, uint64_t got, uint64_t want)
{
    CHECK(b, got == want, "%s is %llu, the cycle model says %llu", what, (unsigned long long)got,
          (unsigned long long)want);
}

/* The cycle model equals the hardware on the stall-free memory. */
static void check_model(bench *b, const program *p, const lt_counters *c, int latency)
{
    lt_counters m;
    lt_mark mark[MAX_DESC];
    lt_err err = {0};
    int n = 0;
    lt_code rc = lt_cycle_program(p->cfg, p->desc, p->n, latency, &m, mark, MAX_DESC, &n, &err);

    CHECK(b, rc == LT_OK, "cycle model: %s", err.msg);
    check_same(b, "CYCLES", c->cycles, m.cycles);
    check_same(b, "EXEC_BUSY", c->exec_busy, m.exec_busy);
    check_same(b, "STALL_READ", c->stall_read, m.stall_read);
    check_same(b, "STALL_WRITE", c->stall_write, m.stall_write);
    check_same(b, "STALL_CORE", c->stall_core, m.stall_core);
    check_same(b, "READ_BEATS", c->read_beats, m.read_beats);
    check_same(b, "WRITE_BEATS", c->write_beats, m.write_beats);
    check_same(b, "DESCRIPTORS", c->descriptors, m.descriptors);
    check_same(b, "number of marks", (uint64_t)p->marks, (uint64_t)n);
    for (int i = 0; i < p->profiles; i++) {
        const lt_mark *k = &mark[p->profile[i].mark];
        uint64_t want[8] = {(uint64_t)k->layer, k->at.cycles,     k->at.exec_busy,  k->at.stall_read,
                            k->at.stall_write,  k->at.stall_core, k->at.read_beats, k->at.write_beats};
        for (int w = 0; w < 8; w++)
            if (w != 5 || b->mark[p->profile[i].mark].alone)
                check_same(b, "profile record", profile_word(b, p, i, w), want[w]);
    }
}

void check_random(bench *b, program *p, lt_rng *rng, uint64_t seed, bool stalls)
{
    axi_mem_config mem = {.bus_bytes = p->cfg->bus_bits / 8,
                          .latency = lt_rng_range(rng, 1, 40),
                          .seed = seed,
                          .max_burst = 64,
                          .max_reads = 4,
                          .max_writes = 2,
                          .fail_read = -1,
                          .fail_write = -1,
                          .hang_read = -1,
                          .hang_write = -1};

    if (stalls) {
        static const double rates[] = {0, 0, 1.5, 5.25};
        mem.stall = (int[]){0, 10, 50, 90}[lt_rng_below(rng, 4)];
        mem.bandwidth = rates[lt_rng_below(rng, 4)];
        if (mem.stall == 90) mem.latency = 1 + mem.latency % 8;
    }
    program_make(p, rng, lt_rng_range(rng, 4, 60));
    bench_memory(b, p, &mem);
    bench_start(b, p);
    CHECK(b, bench_wait(b, 4000000), "seed %llu: the program does not end", (unsigned long long)seed);
    lt_counters c = check_results(b, p);
    if (!stalls) check_model(b, p, &c, mem.latency);
    seen.stall_read += c.stall_read;
    seen.stall_write += c.stall_write;
    seen.profiles += (uint64_t)p->profiles;
    for (int i = 0; i < b->marks; i++) seen.overlaps += !b->mark[i].alone;
}

void check_coverage(bench *b)
{
    CHECK(b, seen.stall_read > 0, "no operation ever waited for a load");
    CHECK(b, seen.stall_write > 0, "no operation ever waited for a store");
    CHECK(b, seen.profiles > 0, "no profile record was written");
    CHECK(b, seen.overlaps > 0, "no two operations were ever in the core");
}
