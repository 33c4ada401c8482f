#include "hal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "lutra_hw.h"

enum { RESET_CYCLES = 8, ANSWER_CYCLES = 1000, PROGRESS_CYCLES = 1 << 18, HASTE = 1 << 27 };

static void fail(tb_hal *h, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void fail(tb_hal *h, const char *fmt, ...)
{
    va_list ap;

    if (h->failed) return;
    h->failed = true;
    int n = snprintf(h->message, sizeof h->message, "cycle %llu: ", (unsigned long long)h->clock.cycle);
    va_start(ap, fmt);
    vsnprintf(h->message + n, sizeof h->message - (size_t)n, fmt, ap);
    va_end(ap);
}

/* true if the processor holds a channel up in the next cycle */
static bool held_up(tb_hal *h)
{
    return h->stall && (int)lt_rng_below(&h->rng, 100) < h->stall;
}

void tb_hal_reset(tb_hal *h)
{
    h->clock.pins.rst = 1;
    for (int i = 0; i < RESET_CYCLES; i++) tick(&h->clock);
    h->clock.pins.rst = 0;
    tick(&h->clock);
}

static uint32_t hal_read32(void *context, uint32_t offset)
{
    tb_hal *h = context;
    tb_pins *p = &h->clock.pins;
    uint32_t value = UINT32_MAX;
    bool asked = false;

    for (int i = 0; i < ANSWER_CYCLES && !h->failed; i++) {
        if (!p->s_arvalid) p->s_arvalid = !asked && !held_up(h);
        p->s_araddr = offset;
        p->s_rready = !held_up(h);
        tick(&h->clock);
        if (p->s_rvalid && !asked) fail(h, "AXI4-Lite: read data that nobody asked for");
        if (p->s_arvalid && p->s_arready) {
            asked = true;
            p->s_arvalid = 0;
        }
        if (!p->s_rvalid || !p->s_rready) continue;
        p->s_rready = 0;
        if (p->s_rresp) fail(h, "AXI4-Lite: error response to a read of %03x", (unsigned)offset);
        value = p->s_rdata;
        return h->failed ? UINT32_MAX : value;
    }
    fail(h, "AXI4-Lite: no answer to a read of %03x", (unsigned)offset);
    p->s_arvalid = p->s_rready = 0;
    return value;
}

static void hal_write32(void *context, uint32_t offset, uint32_t value)
{
    tb_hal *h = context;
    tb_pins *p = &h->clock.pins;
    bool address_taken = false, data_taken = false;
    bool start = offset == LUTRA_REG_CONTROL && (value & LUTRA_CONTROL_START_MASK);

    if (start) h->ended = 0;
    for (int i = 0; i < ANSWER_CYCLES && !h->failed; i++) {
        /* address and data come independently */
        if (!p->s_awvalid) p->s_awvalid = !address_taken && !held_up(h);
        if (!p->s_wvalid) p->s_wvalid = !data_taken && !held_up(h);
        p->s_awaddr = offset;
        p->s_wdata = value;
        p->s_wstrb = 0xF;
        p->s_bready = !held_up(h);
        tick(&h->clock);
        if (p->s_bvalid && !(address_taken && data_taken)) fail(h, "AXI4-Lite: response to an unfinished write");
        if (p->s_awvalid && p->s_awready) {
            address_taken = true;
            p->s_awvalid = 0;
        }
        if (p->s_wvalid && p->s_wready) {
            data_taken = true;
            p->s_wvalid = 0;
        }
        if (start && address_taken && data_taken) {
            h->started = h->clock.cycle;
            start = false;
        }
        if (!p->s_bvalid || !p->s_bready) continue;
        p->s_bready = 0;
        if (p->s_bresp) fail(h, "AXI4-Lite: error response to a write of %03x", (unsigned)offset);
        return;
    }
    fail(h, "AXI4-Lite: no answer to a write of %03x", (unsigned)offset);
    p->s_awvalid = p->s_wvalid = p->s_bready = 0;
}

/* A failed bus, or a violation that makes all that follows worthless, ends the driver's waits quickly. */
static uint32_t hal_ticks(void *context)
{
    tb_hal *h = context;
    if (h->failed || h->clock.mem->violations) h->skew += HASTE;
    return (uint32_t)h->clock.cycle + h->skew;
}

static void hal_wait_irq(void *context, uint32_t ticks)
{
    tb_hal *h = context;
    uint64_t end = h->clock.cycle + ticks;

    while (!h->clock.pins.irq && h->clock.cycle < end && !h->clock.mem->violations) {
        uint64_t stop = end - h->clock.cycle > PROGRESS_CYCLES ? h->clock.cycle + PROGRESS_CYCLES : end;
        while (h->clock.cycle < stop && !h->clock.pins.irq && !h->clock.mem->violations) tick(&h->clock);
        if (h->progress && h->clock.cycle >= h->next_progress) {
            h->next_progress = h->clock.cycle + PROGRESS_CYCLES;
            h->progress(h);
        }
    }
    if (!h->clock.pins.irq) return;
    if (!h->ended) h->ended = h->clock.cycle;
    if (!lutra_isr(h->dev)) fail(h, "an interrupt without a cause");
    /* the line follows the acknowledge within a few cycles */
    for (int i = 0; i < 4 && h->clock.pins.irq; i++) tick(&h->clock);
    if (h->clock.pins.irq) fail(h, "the interrupt line stays high after its acknowledge");
}

/* The buffer's memory behind a processor address. */
static uint8_t *behind(tb_hal *h, const void *cached, size_t bytes, uint8_t **memory)
{
    for (int i = 0; i < 4; i++) {
        tb_buffer *b = &h->buffer[i];
        const uint8_t *p = cached;
        if (!b->cached || p < b->cached || p >= b->cached + b->bytes) continue;
        size_t at = (size_t)(p - b->cached);
        if (bytes > b->bytes - at) break;
        *memory = b->memory + at;
        return b->cached + at;
    }
    fail(h, "cache operation outside every buffer");
    return NULL;
}

static void hal_clean(void *context, const void *address, size_t bytes)
{
    tb_hal *h = context;
    uint8_t *memory, *cached = behind(h, address, bytes, &memory);
    if (cached) memcpy(memory, cached, bytes);
}

static void hal_invalidate(void *context, void *address, size_t bytes)
{
    tb_hal *h = context;
    uint8_t *memory, *cached = behind(h, address, bytes, &memory);
    if (cached) memcpy(cached, memory, bytes);
}

lutra_hal tb_hal_functions(tb_hal *h, bool interrupts)
{
    return (lutra_hal){.context = h,
                       .read32 = hal_read32,
                       .write32 = hal_write32,
                       .ticks = hal_ticks,
                       .cache_clean = hal_clean,
                       .cache_invalidate = hal_invalidate,
                       .wait_irq = interrupts ? hal_wait_irq : NULL};
}
