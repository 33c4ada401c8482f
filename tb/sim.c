#include "sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The limits of docs/architecture.md, section 9. */
enum { MAX_BURST = 64, MAX_READS = 4, MAX_WRITES = 2 };
/* Cycles between the counter's idea of a run and the pins': command and interrupt take a few. */
enum { EDGE_CYCLES = 8 };
/* Buffers lie this far apart at least, and below 2 GiB. */
enum { PAGE = 4096, FIRST_ADDRESS = 0x10000000 };

static uint32_t round_up(uint32_t v, uint32_t to)
{
    return (v + to - 1) / to * to;
}

/* Buffers as large as the image asks, with a gap between them that belongs to nobody. They start with garbage, as
 * real memory does, and with other garbage in the cache. */
static lt_code add_buffers(tb_sim *s, lutra_config *config, lt_err *err)
{
    const lutra_image *img = s->image;
    const uint32_t sizes[4] = {img->blob_bytes, img->input_bytes, img->output_bytes, img->scratch_bytes};
    static const char *const names[4] = {"program", "input", "output", "scratch"};
    lt_rng rng = lt_rng_make(s->options->seed, 0xADD);
    uint64_t at = FIRST_ADDRESS;

    for (int i = 0; i < 4; i++) {
        tb_buffer *b = &s->hal.buffer[i];
        b->bytes = sizes[i];
        b->address = (uint32_t)at;
        if (s->options->scatter) b->address += LUTRA_IMAGE_ALIGN * lt_rng_below(&rng, 2 * PAGE / LUTRA_IMAGE_ALIGN);
        at += round_up(sizes[i], PAGE) + 4ull * PAGE;
        if (at > INT32_MAX) return lt_fail(err, LT_EINPUT, "%s: the buffers need more than 2 GiB", s->options->image);
        b->memory = malloc(sizes[i] ? sizes[i] : 1);
        b->cached = malloc(sizes[i] ? sizes[i] : 1);
        if (!b->memory || !b->cached) return lt_fail(err, LT_EMEM, "out of memory");
        for (uint32_t k = 0; k < sizes[i]; k++) {
            uint32_t garbage = lt_rng_u32(&rng);
            b->memory[k] = (uint8_t)garbage;
            b->cached[k] = (uint8_t)(garbage >> 8);
        }
        axi_mem_add(&s->mem, names[i], b->address, b->bytes, i >= (int)LUTRA_BASE_OUTPUT, b->memory);
        config->buffer[i] = (lutra_buffer){b->cached, b->address, b->bytes};
    }
    return LT_OK;
}

static void show_progress(const tb_hal *h)
{
    fprintf(stderr, "\rimage %d of %d, %.1f M cycles ", h->image + 1, h->images, (double)h->clock.cycle * 1e-6);
}

static lt_code bring_up(tb_sim *s, lutra_config *config, lt_err *err)
{
    tb_hal *h = &s->hal;

    if (dut_bus_bits() != (int)s->image->bus_bytes * 8)
        return lt_fail(err, LT_EINPUT, "%s: made for a bus of %u bits, this accelerator has %d", s->options->image,
                       s->image->bus_bytes * 8, dut_bus_bits());
    h->clock.model = dut_open((uint32_t)s->options->seed);
    if (!h->clock.model) return lt_fail(err, LT_EMEM, "out of memory");
    if (s->options->trace && !dut_trace(h->clock.model, s->options->trace))
        return lt_fail(err, LT_EIO, "%s: cannot be written, or the simulator was built without TRACE=1",
                       s->options->trace);
    LT_TRY(add_buffers(s, config, err));
    tb_hal_reset(h);
    lutra_result r = lutra_init(&s->dev, config);
    if (r == LUTRA_OK) r = lutra_load(&s->dev, s->image);
    if (r == LUTRA_OK && !s->options->poll) r = lutra_test_irq(&s->dev);
    if (h->failed) return lt_fail(err, LT_EINTERNAL, "%s", h->message);
    if (r == LUTRA_MISMATCH)
        return lt_fail(err, LT_EINPUT, "%s: made for fingerprint %08x, this accelerator has %08x", s->options->image,
                       s->image->fingerprint, s->dev.fingerprint);
    if (r != LUTRA_OK) return lt_fail(err, LT_EINTERNAL, "driver: %s", lutra_result_text(r));
    return LT_OK;
}

tb_sim *tb_sim_open(const tb_options *o, const lutra_image *image, int latency, lt_err *err)
{
    tb_sim *s = calloc(1, sizeof *s);
    axi_mem_config mem = {.bus_bytes = (int)image->bus_bytes,
                          .latency = latency,
                          .stall = o->stall,
                          .bandwidth = o->bandwidth,
                          .seed = o->seed,
                          .max_burst = MAX_BURST,
                          .max_reads = MAX_READS,
                          .max_writes = MAX_WRITES,
                          .fail_read = -1,
                          .fail_write = -1,
                          .hang_read = -1,
                          .hang_write = -1};

    if (!s) {
        lt_fail(err, LT_EMEM, "out of memory");
        return NULL;
    }
    s->options = o;
    s->image = image;
    axi_mem_init(&s->mem, &mem);
    s->hal.clock.mem = &s->mem;
    s->hal.dev = &s->dev;
    s->hal.rng = lt_rng_make(o->seed, 0xCB0);
    s->hal.stall = o->stall;
    s->hal.images = 1;
    if (o->progress && isatty(STDERR_FILENO)) s->hal.progress = show_progress;
    lutra_config config = {.hal = tb_hal_functions(&s->hal, !o->poll), .timeout = o->timeout, .watchdog = o->watchdog};
    if (bring_up(s, &config, err) == LT_OK) return s;
    tb_sim_close(s);
    return NULL;
}

void tb_sim_close(tb_sim *s)
{
    if (!s) return;
    if (s->hal.progress) fputs("\r\033[K", stderr);
    dut_close(s->hal.clock.model);
    for (int i = 0; i < 4; i++) {
        free(s->hal.buffer[i].memory);
        free(s->hal.buffer[i].cached);
    }
    free(s);
}

void tb_sim_fault(tb_sim *s, tb_fault kind, int64_t burst)
{
    axi_mem_config *c = &s->mem.cfg;
    int64_t read = (int64_t)s->mem.reads_in + burst, write = (int64_t)s->mem.writes_addr + burst;

    c->fail_read = kind == FAULT_READ ? read : -1;
    c->fail_write = kind == FAULT_WRITE ? write : -1;
    c->hang_read = kind == FAULT_HANG_READ ? read : -1;
    c->hang_write = kind == FAULT_HANG_WRITE ? write : -1;
}

lt_code tb_run_alloc(const lutra_image *image, tb_run *run, lt_err *err)
{
    *run = (tb_run){.profile = calloc(image->profile_count + (size_t)1, sizeof *run->profile),
                    .logits = calloc((size_t)image->batch * image->classes, sizeof *run->logits)};
    if (run->profile && run->logits) return LT_OK;
    tb_run_free(run);
    return lt_fail(err, LT_EMEM, "out of memory");
}

void tb_run_free(tb_run *run)
{
    free(run->profile);
    free(run->logits);
    *run = (tb_run){0};
}

/* The accelerator's counters against what memory and clock saw. */
static lt_code check_counters(const tb_sim *s, const tb_run *run, lt_err *err)
{
    const lutra_counters *c = &run->counters;

    if (c->read_beats != run->read_beats || c->write_beats != run->write_beats)
        return lt_fail(err, LT_EINTERNAL, "counters READ_BEATS, WRITE_BEATS: got %u, %u, the memory saw %llu, %llu",
                       c->read_beats, c->write_beats, (unsigned long long)run->read_beats,
                       (unsigned long long)run->write_beats);
    if (run->seen && (c->cycles > run->seen + EDGE_CYCLES || run->seen > c->cycles + EDGE_CYCLES))
        return lt_fail(err, LT_EINTERNAL, "counter CYCLES: got %u, the clock saw %llu", c->cycles,
                       (unsigned long long)run->seen);
    if (c->exec_busy > c->cycles || c->stall_core > c->exec_busy ||
        (uint64_t)c->exec_busy + c->stall_read + c->stall_write > c->cycles)
        return lt_fail(err, LT_EINTERNAL,
                       "counters: %u cycles cannot hold %u of work (%u stalled) and %u, %u stalled on read and write",
                       c->cycles, c->exec_busy, c->stall_core, c->stall_read, c->stall_write);
    if (!axi_mem_idle(&s->mem)) return lt_fail(err, LT_EINTERNAL, "done, but a bus transfer is still on its way");
    return LT_OK;
}

lt_code tb_sim_image(tb_sim *s, const uint8_t *pixels, tb_run *run, lutra_result *result, lt_err *err)
{
    tb_hal *h = &s->hal;
    uint64_t reads = s->mem.read_beats, writes = s->mem.write_beats;

    run->start = h->clock.cycle;
    lutra_result r = lutra_run(&s->dev, pixels);
    run->end = h->clock.cycle;
    run->seen = h->ended ? h->ended - h->started : 0;
    run->read_beats = s->mem.read_beats - reads;
    run->write_beats = s->mem.write_beats - writes;
    *result = r;
    if (h->failed) return lt_fail(err, LT_EINTERNAL, "%s", h->message);
    if (s->mem.violations)
        return lt_fail(err, LT_EINTERNAL, "bus rule broken (%d times), first: %s", s->mem.violations,
                       s->mem.message[0]);
    if (r != LUTRA_OK) return lt_fail(err, LT_EINTERNAL, "driver: %s", lutra_result_text(r));

    lutra_read_counters(&s->dev, &run->counters);
    for (uint32_t i = 0; i < s->image->batch; i++)
        lutra_logits_of(&s->dev, i, run->logits + (size_t)i * s->image->classes, s->image->classes);
    for (uint32_t i = 0; i < s->image->profile_count; i++) lutra_read_profile(&s->dev, i, &run->profile[i]);
    return check_counters(s, run, err);
}
