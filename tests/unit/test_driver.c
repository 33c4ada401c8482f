/* The driver against a register-level mock. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>
#include "../../sw_driver/lutra.c"
#include "sample_image.h"

#include "driver_mock.h"

/* ---- arguments ---- */

static void bad_config_touches_nothing(void **state)
{
    (void)state;
    lutra_config good = config(), c;
    assert_int_equal(lutra_init(NULL, &good), LUTRA_BAD_ARG);
    assert_int_equal(lutra_init(&dev, NULL), LUTRA_BAD_ARG);
#define REFUSED(change)                                                                                                \
    do {                                                                                                               \
        c = good;                                                                                                      \
        change;                                                                                                        \
        assert_int_equal(lutra_init(&dev, &c), LUTRA_BAD_ARG);                                                         \
    } while (0)
    REFUSED(c.hal.read32 = NULL);
    REFUSED(c.hal.write32 = NULL);
    REFUSED(c.hal.ticks = NULL);
    REFUSED(c.timeout = 0);
    REFUSED(c.buffer[1].cpu = NULL);
    REFUSED(c.buffer[2].device += 4);
    REFUSED(c.buffer[3].device = 0xFFFFFFC0u);                                       /* wraps around */
    REFUSED(c.buffer[3].device = c.buffer[0].device);                                /* overlap */
    REFUSED((c.buffer[3].device = c.buffer[0].device - 64, c.buffer[3].bytes = 65)); /* by one byte */
    assert_int_equal(hw.events, 0);
    c = good;
    c.buffer[3].device = 0xFFFFFFC0u; /* the last 64 bytes of the address space are fine */
    c.buffer[3].bytes = 64;
    assert_int_equal(lutra_init(&dev, &c), LUTRA_OK);
}

static void wrong_state_touches_nothing(void **state)
{
    (void)state;
    int16_t v[16];
    lutra_profile p;
    lutra_counters n;
    lutra_config c = config();

    for (int pass = 0; pass < 2; pass++) { /* an empty handle, then one without a program */
        int before = hw.events;
        assert_int_equal(lutra_put_image(&dev, some_pixels()), LUTRA_BAD_ARG);
        assert_int_equal(lutra_start(&dev), LUTRA_BAD_ARG);
        assert_int_equal(lutra_poll(&dev), LUTRA_BAD_ARG);
        assert_int_equal(lutra_wait(&dev), LUTRA_BAD_ARG);
        assert_int_equal(lutra_run(&dev, some_pixels()), LUTRA_BAD_ARG);
        assert_int_equal(lutra_logits(&dev, v, 1), LUTRA_BAD_ARG);
        assert_int_equal(lutra_read_tensor(&dev, &image.output, v, 16), LUTRA_BAD_ARG);
        assert_int_equal(lutra_read_profile(&dev, 0, &p), LUTRA_BAD_ARG);
        assert_int_equal(lutra_test_irq(&dev), LUTRA_BAD_ARG);
        if (pass == 0) {
            assert_int_equal(lutra_load(&dev, &image), LUTRA_BAD_ARG);
            assert_int_equal(lutra_recover(&dev), LUTRA_BAD_ARG);
            assert_int_equal(lutra_close(&dev), LUTRA_BAD_ARG);
            assert_int_equal(lutra_read_counters(&dev, &n), LUTRA_BAD_ARG);
            assert_false(lutra_isr(&dev));
        }
        assert_int_equal(hw.events, before);
        assert_int_equal(lutra_init(&dev, &c), LUTRA_OK);
    }
    assert_int_equal(lutra_load(&dev, &image), LUTRA_OK);
    int before = hw.events;
    assert_int_equal(lutra_put_image(&dev, NULL), LUTRA_BAD_ARG);
    assert_int_equal(lutra_run(&dev, NULL), LUTRA_BAD_ARG);
    assert_int_equal(lutra_load(&dev, NULL), LUTRA_BAD_ARG);
    assert_int_equal(lutra_start(NULL), LUTRA_BAD_ARG);
    assert_int_equal(lutra_poll(NULL), LUTRA_BAD_ARG);
    assert_int_equal(lutra_run(NULL, some_pixels()), LUTRA_BAD_ARG);
    assert_int_equal(lutra_logits(&dev, v, 1), LUTRA_BAD_ARG); /* nothing has run */
    assert_int_equal(lutra_test_irq(&dev), LUTRA_BAD_ARG);     /* polling mode */
    assert_int_equal(hw.events, before);
}

static void small_buffers_touch_nothing(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        lutra_config c = config();
        c.buffer[i].bytes--;
        assert_int_equal(lutra_init(&dev, &c), LUTRA_OK);
        int before = hw.events;
        assert_int_equal(lutra_load(&dev, &image), LUTRA_BAD_ARG);
        assert_int_equal(hw.events, before);
    }
}

/* ---- identity ---- */

static void finds_the_hardware(void **state)
{
    (void)state;
    lutra_config c = config();
    assert_int_equal(lutra_init(&dev, &c), LUTRA_OK);
    assert_int_equal(count(EV_WRITE, LUTRA_REG_CONTROL), 0);
    hw.reg[LUTRA_REG_ID / 4] = 0xFFFFFFFF;
    assert_int_equal(lutra_init(&dev, &c), LUTRA_NO_DEVICE);
    assert_int_equal(lutra_load(&dev, &image), LUTRA_BAD_ARG);
    hw.reg[LUTRA_REG_ID / 4] = LUTRA_HW_ID;
    hw.reg[LUTRA_REG_VERSION / 4] = LUTRA_HW_VERSION + 0x10000;
    assert_int_equal(lutra_init(&dev, &c), LUTRA_NO_DEVICE);
    hw.reg[LUTRA_REG_VERSION / 4] = LUTRA_HW_VERSION + 1; /* compatible additions */
    assert_int_equal(lutra_init(&dev, &c), LUTRA_OK);
}

static void fingerprint_must_agree(void **state)
{
    (void)state;
    lutra_config c = config();
    hw.reg[LUTRA_REG_FINGERPRINT / 4] ^= 1;
    assert_int_equal(lutra_init(&dev, &c), LUTRA_OK);
    int before = hw.events;
    assert_int_equal(lutra_load(&dev, &image), LUTRA_MISMATCH);
    assert_int_equal(hw.events, before);
    assert_int_equal(memory[0], 0xEE);
    assert_int_equal(lutra_run(&dev, some_pixels()), LUTRA_BAD_ARG);
}

static void load_sets_up(void **state)
{
    (void)state;
    loaded(false);
    for (int i = 0; i < 4; i++)
        assert_int_equal(hw.reg[LUTRA_REG_BASE0 / 4 + (uint32_t)i], dev.config.buffer[i].device);
    assert_int_equal(hw.reg[LUTRA_REG_PROGRAM / 4], image.program_offset);
    assert_int_equal(hw.reg[LUTRA_REG_WATCHDOG / 4], 5000);
    assert_int_equal(hw.reg[LUTRA_REG_IRQ_ENABLE / 4], 0);
    assert_memory_equal(memory, image.blob, image.blob_bytes);
    assert_int_equal(hw.starts, 0);
    assert_int_equal(count(EV_CLEAN, 0), 1);

    hw.reg[LUTRA_REG_STATUS / 4] |= LUTRA_STATUS_BUSY_MASK; /* someone else's run */
    hw.run_reads = NEVER;
    int before = hw.events;
    assert_int_equal(lutra_load(&dev, &image), LUTRA_BUSY);
    assert_int_equal(hw.events, before + 1); /* one look at STATUS */
}

static void blob_in_place_is_not_copied(void **state)
{
    (void)state;
    lutra_config c = config();
    c.buffer[LUTRA_BASE_PROGRAM].cpu = (void *)(uintptr_t)image.blob;
    assert_int_equal(lutra_init(&dev, &c), LUTRA_OK);
    assert_int_equal(lutra_load(&dev, &image), LUTRA_OK);
    assert_int_equal(memory[0], 0xEE);
}

/* ---- input and output ---- */

static void packs_the_input(void **state)
{
    for (int code = 0; code < 2; code++) {
        tear_down(state);
        assert_int_equal(prepare(state), 0);
        lt_image_free(&sample);
        sample = sample_image(code);
        lt_err err;
        packed.len = 0;
        free(image_bytes);
        assert_int_equal(lt_image_pack(&sample, false, &packed, &err), LT_OK);
        assert_int_equal(lt_image_inflate(packed.data, packed.len, "s", &image_bytes, &image, &err), LT_OK);
        loaded(false);
        assert_int_equal(lutra_put_image(&dev, some_pixels()), LUTRA_OK);

        /* expected bytes from the layout's definition, padding zero */
        uint8_t want[POOL] = {0};
        const uint8_t *px = some_pixels();
        for (int c = 0; c < SAMPLE_C; c++)
            for (int y = 0; y < SAMPLE_H; y++)
                for (int x = 0; x < SAMPLE_W; x++) {
                    int at = code ? y / 3 * 84 + (x * SAMPLE_C + c) * 4 + y % 3 : y * 32 + x * SAMPLE_LANES + c;
                    want[at] = (uint8_t)sample_table(c, *px++);
                }
        assert_int_equal(image.input_bytes, code ? 2 * 84 : 5 * 32);
        assert_memory_equal(dev.config.buffer[1].cpu, want, image.input_bytes);
        assert_int_equal(((uint8_t *)dev.config.buffer[1].cpu)[image.input_bytes], 0xEE);
    }
}

static void reads_results(void **state)
{
    (void)state;
    int16_t v[SAMPLE_CLASSES], all[SAMPLE_CLASSES * 16];
    lutra_dump d;
    lutra_profile p;

    loaded(false);
    assert_int_equal(lutra_run(&dev, some_pixels()), LUTRA_OK);
    uint8_t *out = dev.config.buffer[2].cpu, *scratch = dev.config.buffer[3].cpu;
    for (uint32_t c = 0; c < SAMPLE_CLASSES; c++) out[c / 4 * 8 + c % 4] = (uint8_t)(c == 6 ? 120 : 200 + c);
    assert_int_equal(lutra_logits(&dev, v, SAMPLE_CLASSES), LUTRA_OK);
    for (int c = 0; c < SAMPLE_CLASSES; c++) assert_int_equal(v[c], c == 6 ? 120 : 200 + c - 256);
    assert_int_equal(lutra_argmax(v, SAMPLE_CLASSES), 6);
    v[2] = 120;
    assert_int_equal(lutra_argmax(v, SAMPLE_CLASSES), 2); /* the first of equals */
    assert_int_equal(lutra_argmax(v, 0), 0);
    assert_int_equal(lutra_logits(&dev, v, SAMPLE_CLASSES + 1), LUTRA_BAD_ARG);
    assert_int_equal(lutra_logits_of(&dev, 1, v, SAMPLE_CLASSES), LUTRA_BAD_ARG); /* a run is one image */
    assert_int_equal(lutra_logits_of(&dev, 0, v, 1), LUTRA_OK);
    assert_int_equal(v[0], 200 - 256);
    image.output.is_signed = 0;
    assert_int_equal(lutra_logits(&dev, v, 3), LUTRA_OK);
    assert_int_equal(v[1], 201);

    assert_int_equal(lutra_image_dump(&image, 0, &d), LUTRA_OK);
    for (uint32_t i = 0; i < d.tensor.offset + 3 * 4 * 16; i++) scratch[i] = (uint8_t)(i * 3);
    assert_int_equal(lutra_read_tensor(&dev, &d.tensor, all, SAMPLE_CLASSES * 16), LUTRA_OK);
    for (uint32_t c = 0; c < SAMPLE_CLASSES; c++)
        for (uint32_t y = 0; y < 4; y++)
            for (uint32_t x = 0; x < 4; x++)
                assert_int_equal(all[(c * 4 + y) * 4 + x], (int8_t)((c / 4 * 64 + y * 16 + x * 4 + c % 4) * 3));
    assert_int_equal(lutra_read_tensor(&dev, &d.tensor, all, SAMPLE_CLASSES * 16 - 1), LUTRA_BAD_ARG);
    assert_int_equal(lutra_read_tensor(&dev, &image.input, all, 4096), LUTRA_BAD_ARG);
    d.tensor.offset = image.scratch_bytes;
    assert_int_equal(lutra_read_tensor(&dev, &d.tensor, all, 4096), LUTRA_BAD_ARG);

    uint8_t *rec = scratch + image.profile_offset + 32;
    for (unsigned i = 0; i < 32; i++) rec[i] = (uint8_t)(i + 1);
    assert_int_equal(lutra_read_profile(&dev, 1, &p), LUTRA_OK);
    assert_int_equal(p.layer, 0x04030201);
    assert_int_equal(p.cycles, 0x08070605);
    assert_int_equal(p.write_beats, 0x201F1E1D);
    assert_int_equal(lutra_read_profile(&dev, 2, &p), LUTRA_BAD_ARG);
}

static void reads_counters(void **state)
{
    (void)state;
    lutra_counters n;
    lutra_config c = config();
    assert_int_equal(lutra_init(&dev, &c), LUTRA_OK);
    for (uint32_t i = 0; i < 8; i++) hw.reg[LUTRA_REG_CYCLES / 4 + i] = 100 + i;
    assert_int_equal(lutra_read_counters(&dev, &n), LUTRA_OK);
    const uint32_t got[8] = {n.cycles,     n.exec_busy,  n.stall_read,  n.stall_write,
                             n.stall_core, n.read_beats, n.write_beats, n.descriptors};
    for (uint32_t i = 0; i < 8; i++) assert_int_equal(got[i], 100 + i);
}

/* ---- running ---- */

static void order_of_a_run(void **state)
{
    (void)state;
    loaded(false);
    hw.events = 0;
    assert_int_equal(lutra_run(&dev, some_pixels()), LUTRA_OK);
    /* The input leaves the cache, output and scratch are dropped, old events cleared, START; at the end output and
     * scratch are dropped again before anybody reads them. */
    static const event want[] = {
        {EV_CLEAN, 0, LUTRA_BASE_INPUT},       {EV_READ, LUTRA_REG_STATUS, 0},
        {EV_INVALIDATE, 0, LUTRA_BASE_OUTPUT}, {EV_INVALIDATE, 0, LUTRA_BASE_SCRATCH},
        {EV_WRITE, LUTRA_REG_IRQ_STATUS, 3},   {EV_WRITE, LUTRA_REG_CONTROL, LUTRA_CONTROL_START_MASK}};
    int n = (int)(sizeof want / sizeof *want);
    for (int i = 0; i < n; i++) {
        assert_int_equal(hw.log[i].kind, want[i].kind);
        assert_int_equal(hw.log[i].at, want[i].at);
        assert_int_equal(hw.log[i].value, want[i].value);
    }
    for (int i = n; i < hw.events - 2; i++) {
        assert_int_equal(hw.log[i].kind, EV_READ);
        assert_int_equal(hw.log[i].at, LUTRA_REG_STATUS);
    }
    assert_int_equal(hw.events - 2 - n, 6); /* run_reads = 5, then the end */
    for (int i = 0; i < 2; i++) {
        assert_int_equal(hw.log[hw.events - 2 + i].kind, EV_INVALIDATE);
        assert_int_equal(hw.log[hw.events - 2 + i].value, LUTRA_BASE_OUTPUT + (uint32_t)i);
    }
}

static void caches_are_optional(void **state)
{
    (void)state;
    lutra_config c = config();
    c.hal.cache_clean = NULL;
    c.hal.cache_invalidate = NULL;
    assert_int_equal(lutra_init(&dev, &c), LUTRA_OK);
    assert_int_equal(lutra_load(&dev, &image), LUTRA_OK);
    assert_int_equal(lutra_run(&dev, some_pixels()), LUTRA_OK);
    hw.run_reads = 5;
    assert_int_equal(lutra_run(&dev, some_pixels()), LUTRA_OK);
    assert_int_equal(hw.starts, 2);
}

static void busy_while_running(void **state)
{
    (void)state;
    loaded(false);
    hw.run_reads = 3;
    assert_int_equal(lutra_put_image(&dev, some_pixels()), LUTRA_OK);
    assert_int_equal(lutra_start(&dev), LUTRA_OK);
    int before = hw.events;
    assert_int_equal(lutra_start(&dev), LUTRA_BUSY);
    assert_int_equal(lutra_run(&dev, some_pixels()), LUTRA_BUSY);
    assert_int_equal(lutra_load(&dev, &image), LUTRA_BUSY);
    assert_int_equal(lutra_close(&dev), LUTRA_BUSY);
    assert_int_equal(hw.events, before);
    for (int i = 0; i < 3; i++) assert_int_equal(lutra_poll(&dev), LUTRA_BUSY);
    assert_int_equal(lutra_poll(&dev), LUTRA_OK);
    assert_int_equal(lutra_poll(&dev), LUTRA_BAD_ARG);
    assert_int_equal(hw.starts, 1);
}

static void error_codes(void **state)
{
    (void)state;
    static const lutra_result want[] = {LUTRA_OK,      LUTRA_HW_READ,     LUTRA_HW_WRITE, LUTRA_HW_DESC,
                                        LUTRA_HW_BANK, LUTRA_HW_WATCHDOG, LUTRA_HW_OTHER};
    int16_t v;
    loaded(false);
    for (uint32_t code = 1; code <= 6; code++) {
        hw.error = code;
        hw.run_reads = 2;
        assert_int_equal(lutra_run(&dev, some_pixels()), want[code]);
        assert_int_equal(lutra_logits(&dev, &v, 1), LUTRA_BAD_ARG);
        uint32_t starts = hw.starts;
        assert_int_equal(lutra_start(&dev), LUTRA_BAD_ARG); /* not before lutra_recover */
        assert_int_equal(hw.starts, starts);
        assert_int_equal(lutra_recover(&dev), LUTRA_OK);
    }
    hw.error = 0;
    hw.run_reads = 2;
    assert_int_equal(lutra_run(&dev, some_pixels()), LUTRA_OK);
    assert_int_equal(lutra_logits(&dev, &v, 1), LUTRA_OK);
}

static void timeout_ends_a_run(void **state)
{
    (void)state;
    for (int wrap = 0; wrap < 2; wrap++) {
        loaded(false);
        hw.run_reads = NEVER;
        hw.now = wrap ? 0xFFFFFF00u : 0; /* the clock wraps around during the wait */
        uint32_t start = hw.now;
        assert_int_equal(lutra_run(&dev, some_pixels()), LUTRA_TIMEOUT);
        assert_true(hw.now - start >= 1000 && hw.now - start < 1010);
        assert_int_equal(lutra_recover(&dev), LUTRA_OK);
    }
    hw.ignore_start = true; /* hardware that never becomes busy */
    assert_int_equal(lutra_run(&dev, some_pixels()), LUTRA_TIMEOUT);
}

static void late_processor_is_no_timeout(void **state)
{
    (void)state;
    loaded(false);
    hw.run_reads = 0;
    assert_int_equal(lutra_put_image(&dev, some_pixels()), LUTRA_OK);
    assert_int_equal(lutra_start(&dev), LUTRA_OK);
    hw.now += 100000; /* the program ended long ago, nobody looked */
    assert_int_equal(lutra_poll(&dev), LUTRA_OK);
}

static void recovery(void **state)
{
    (void)state;
    loaded(false);
    hw.run_reads = NEVER;
    hw.stuck_bus = true;
    assert_int_equal(lutra_run(&dev, some_pixels()), LUTRA_TIMEOUT);
    uint32_t start = hw.now;
    assert_int_equal(lutra_recover(&dev), LUTRA_TIMEOUT); /* the bus never becomes quiet: no ABORT */
    assert_true(hw.now - start >= 1000 && hw.now - start < 1010);
    assert_int_equal(hw.aborts, 0);
    assert_int_equal(lutra_start(&dev), LUTRA_BAD_ARG);

    hw.reg[LUTRA_REG_STATUS / 4] |= LUTRA_STATUS_BUS_IDLE_MASK;
    hw.stuck_bus = false;
    hw.aborts_needed = 3; /* the first two come while a transfer begins */
    memset(&hw.reg[LUTRA_REG_BASE0 / 4], 0, 16);
    assert_int_equal(lutra_recover(&dev), LUTRA_OK);
    assert_int_equal(hw.aborts, 3);
    for (int i = 0; i < 4; i++)
        assert_int_equal(hw.reg[LUTRA_REG_BASE0 / 4 + (uint32_t)i], dev.config.buffer[i].device);
    hw.run_reads = 4;
    assert_int_equal(lutra_run(&dev, some_pixels()), LUTRA_OK);
}

static void recovery_of_a_foreign_run(void **state)
{
    (void)state;
    lutra_config c = config();
    set_status(LUTRA_STATUS_BUSY_MASK | LUTRA_STATUS_BUS_IDLE_MASK);
    hw.run_reads = NEVER;
    assert_int_equal(lutra_init(&dev, &c), LUTRA_OK);
    assert_int_equal(lutra_load(&dev, &image), LUTRA_BUSY);
    assert_int_equal(lutra_recover(&dev), LUTRA_OK);
    assert_int_equal(lutra_start(&dev), LUTRA_BAD_ARG); /* there is still no program */
    assert_int_equal(lutra_load(&dev, &image), LUTRA_OK);
}

/* ---- interrupts ---- */

static void interrupt_run(void **state)
{
    (void)state;
    loaded(true);
    assert_int_equal(hw.reg[LUTRA_REG_IRQ_ENABLE / 4], 3);
    hw.run_reads = 4;
    assert_int_equal(lutra_run(&dev, some_pixels()), LUTRA_OK);
    assert_true(count(EV_WAIT, 0) > 0);
    if (irq_line()) assert_true(lutra_isr(&dev)); /* the end was seen by the look at STATUS */
    assert_false(irq_line());
    assert_false(lutra_isr(&dev)); /* nothing pending: not ours */
    hw.error = LUTRA_ERROR_READ;
    hw.run_reads = 4;
    assert_int_equal(lutra_run(&dev, some_pixels()), LUTRA_HW_READ);
    if (irq_line()) assert_true(lutra_isr(&dev));
    assert_false(irq_line());
}

static void lost_interrupt_does_not_hang(void **state)
{
    (void)state;
    loaded(true);
    hw.irq_dead = true;
    hw.run_reads = NEVER;
    uint32_t start = hw.now;
    assert_int_equal(lutra_run(&dev, some_pixels()), LUTRA_TIMEOUT);
    assert_true(hw.now - start >= 1000);
    assert_int_equal(lutra_recover(&dev), LUTRA_OK);
    hw.run_reads = 10; /* ends, but no interrupt arrives: the next look finds it */
    assert_int_equal(lutra_run(&dev, some_pixels()), LUTRA_OK);
}

static void interrupt_self_test(void **state)
{
    (void)state;
    loaded(true);
    assert_int_equal(lutra_test_irq(&dev), LUTRA_OK);
    assert_false(irq_line());
    hw.irq_dead = true;
    assert_int_equal(lutra_test_irq(&dev), LUTRA_TIMEOUT);
}

static void closing(void **state)
{
    (void)state;
    loaded(true);
    assert_int_equal(lutra_close(&dev), LUTRA_OK);
    assert_int_equal(hw.reg[LUTRA_REG_IRQ_ENABLE / 4], 0);
    assert_int_equal(lutra_close(&dev), LUTRA_BAD_ARG);
    assert_int_equal(lutra_start(&dev), LUTRA_BAD_ARG);
}

static void result_texts(void **state)
{
    (void)state;
    for (int i = 0; i < LUTRA_RESULTS; i++) {
        const char *s = lutra_result_text((lutra_result)i);
        assert_true(strlen(s) > 1 && strcmp(s, "unknown result") != 0);
    }
    assert_string_equal(lutra_result_text(LUTRA_RESULTS), "unknown result");
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, prepare, tear_down)
    const struct CMUnitTest tests[] = {
        T(bad_config_touches_nothing),
        T(wrong_state_touches_nothing),
        T(small_buffers_touch_nothing),
        T(finds_the_hardware),
        T(fingerprint_must_agree),
        T(load_sets_up),
        T(blob_in_place_is_not_copied),
        T(packs_the_input),
        T(reads_results),
        T(reads_counters),
        T(order_of_a_run),
        T(caches_are_optional),
        T(busy_while_running),
        T(error_codes),
        T(timeout_ends_a_run),
        T(late_processor_is_no_timeout),
        T(recovery),
        T(recovery_of_a_foreign_run),
        T(interrupt_run),
        T(lost_interrupt_does_not_hang),
        T(interrupt_self_test),
        T(closing),
        T(result_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
