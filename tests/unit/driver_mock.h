/* A mock of the accelerator at register level for the driver's test: every access is logged, so a test can say which
 * ones must not happen. Belongs to one program, test_driver.c. */
#ifndef LUTRA_TESTS_DRIVER_MOCK_H
#define LUTRA_TESTS_DRIVER_MOCK_H

enum { LOG_MAX = 4096, NEVER = 1 << 30, POOL = 1 << 14 };
enum { EV_READ = 'r', EV_WRITE = 'w', EV_CLEAN = 'c', EV_INVALIDATE = 'i', EV_WAIT = 'W' };

typedef struct {
    char kind;
    uint32_t at, value; /* registers; caches: buffer number */
} event;

static struct {
    uint32_t reg[64];
    event log[LOG_MAX];
    int events;
    uint32_t now, ticks_per_read; /* the clock advances with every register read */
    int run_reads;                /* STATUS reads from START until the end of the program */
    uint32_t error;               /* with which it ends, 0: DONE */
    bool stuck_bus, ignore_start, irq_dead;
    uint32_t aborts_needed, aborts, starts;
    uint32_t status_at_idle;
    lutra *dev;
} hw;

static _Alignas(64) uint8_t memory[POOL];
static lt_image sample;
static lt_buf packed;
static uint8_t *image_bytes;
static lutra_image image;
static lutra dev;

static void record(char kind, uint32_t at, uint32_t value)
{
    assert_true(hw.events < LOG_MAX);
    hw.log[hw.events++] = (event){kind, at, value};
}

static bool irq_line(void)
{
    return (hw.reg[LUTRA_REG_IRQ_STATUS / 4] & hw.reg[LUTRA_REG_IRQ_ENABLE / 4]) != 0;
}

static void set_status(uint32_t status)
{
    hw.reg[LUTRA_REG_STATUS / 4] = status;
}

static uint32_t mock_read(void *context, uint32_t offset)
{
    assert_ptr_equal(context, &hw);
    record(EV_READ, offset, 0);
    hw.now += hw.ticks_per_read;
    if (offset == LUTRA_REG_STATUS && (hw.reg[offset / 4] & LUTRA_STATUS_BUSY_MASK) && hw.run_reads != NEVER &&
        hw.run_reads-- == 0) {
        bool bad = hw.error != 0;
        set_status(LUTRA_STATUS_BUS_IDLE_MASK | (bad ? LUTRA_STATUS_ERROR_MASK : LUTRA_STATUS_DONE_MASK) |
                   hw.error << LUTRA_STATUS_ERROR_CODE_SHIFT);
        hw.reg[LUTRA_REG_IRQ_STATUS / 4] |= bad ? LUTRA_IRQ_STATUS_ERROR_MASK : LUTRA_IRQ_STATUS_DONE_MASK;
    }
    return hw.reg[offset / 4];
}

static void mock_write(void *context, uint32_t offset, uint32_t value)
{
    assert_ptr_equal(context, &hw);
    record(EV_WRITE, offset, value);
    switch (offset) {
    case LUTRA_REG_CONTROL:
        if ((value & LUTRA_CONTROL_START_MASK) && !hw.ignore_start) {
            hw.starts++;
            set_status(LUTRA_STATUS_BUSY_MASK | (hw.stuck_bus ? 0 : LUTRA_STATUS_BUS_IDLE_MASK));
        }
        if (value & LUTRA_CONTROL_ABORT_MASK) {
            assert_true(hw.reg[LUTRA_REG_STATUS / 4] & LUTRA_STATUS_BUS_IDLE_MASK);
            if (++hw.aborts >= hw.aborts_needed) set_status(LUTRA_STATUS_BUS_IDLE_MASK);
        }
        break;
    case LUTRA_REG_IRQ_STATUS:
        hw.reg[offset / 4] &= ~value;
        break;
    case LUTRA_REG_IRQ_TEST:
        hw.reg[LUTRA_REG_IRQ_STATUS / 4] |= value;
        break;
    default:
        hw.reg[offset / 4] = value;
    }
}

static uint32_t mock_ticks(void *context)
{
    assert_ptr_equal(context, &hw);
    return hw.now;
}

static uint32_t buffer_of(const void *address, size_t bytes)
{
    for (uint32_t i = 0; i < 4; i++)
        if (dev.config.buffer[i].cpu == address) {
            assert_int_equal(bytes, dev.config.buffer[i].bytes);
            return i;
        }
    fail_msg("cache operation outside the buffers");
    return 0;
}

static void mock_clean(void *context, const void *address, size_t bytes)
{
    (void)context;
    record(EV_CLEAN, 0, buffer_of(address, bytes));
}

static void mock_invalidate(void *context, void *address, size_t bytes)
{
    (void)context;
    record(EV_INVALIDATE, 0, buffer_of(address, bytes));
}

/* Time passes, the program gets on, the interrupt is served. */
static void mock_wait(void *context, uint32_t ticks)
{
    (void)context;
    record(EV_WAIT, 0, ticks);
    hw.now += ticks < 10 ? ticks : 10;
    for (int i = 0; i < 3 && !irq_line(); i++) mock_read(&hw, LUTRA_REG_STATUS);
    if (!hw.irq_dead && irq_line()) assert_true(lutra_isr(hw.dev));
}

static lutra_config config(void)
{
    lutra_config c = {.hal = {.context = &hw,
                              .read32 = mock_read,
                              .write32 = mock_write,
                              .ticks = mock_ticks,
                              .cache_clean = mock_clean,
                              .cache_invalidate = mock_invalidate},
                      .timeout = 1000,
                      .watchdog = 5000};
    uint32_t sizes[4] = {image.blob_bytes, image.input_bytes, image.output_bytes, image.scratch_bytes}, at = 0;
    for (int i = 0; i < 4; i++) {
        c.buffer[i] = (lutra_buffer){memory + at, 0x80000000u + at, sizes[i]};
        at += (sizes[i] + 63) / 64 * 64;
    }
    assert_true(at <= POOL);
    return c;
}

static int prepare(void **state)
{
    lt_err err;
    (void)state;
    memset(&hw, 0, sizeof hw);
    memset(memory, 0xEE, sizeof memory);
    hw.reg[LUTRA_REG_ID / 4] = LUTRA_HW_ID;
    hw.reg[LUTRA_REG_VERSION / 4] = LUTRA_HW_VERSION;
    hw.reg[LUTRA_REG_FINGERPRINT / 4] = SAMPLE_FINGERPRINT;
    set_status(LUTRA_STATUS_BUS_IDLE_MASK);
    hw.ticks_per_read = 1;
    hw.run_reads = 5;
    hw.aborts_needed = 1;
    hw.dev = &dev;
    dev = (lutra){0};
    sample = sample_image(0);
    packed = (lt_buf){0};
    if (lt_image_pack(&sample, false, &packed, &err) != LT_OK) return -1;
    return lt_image_inflate(packed.data, packed.len, "sample", &image_bytes, &image, &err) != LT_OK;
}

static int tear_down(void **state)
{
    (void)state;
    lt_image_free(&sample);
    lt_buf_free(&packed);
    free(image_bytes);
    return 0;
}

static void loaded(bool interrupts)
{
    lutra_config c = config();
    if (interrupts) c.hal.wait_irq = mock_wait;
    assert_int_equal(lutra_init(&dev, &c), LUTRA_OK);
    assert_int_equal(lutra_load(&dev, &image), LUTRA_OK);
}

static const uint8_t *some_pixels(void)
{
    static uint8_t pixels[SAMPLE_C * SAMPLE_H * SAMPLE_W];
    for (unsigned i = 0; i < sizeof pixels; i++) pixels[i] = (uint8_t)(i * 37 + 5);
    return pixels;
}

static int count(char kind, uint32_t at)
{
    int n = 0;
    for (int i = 0; i < hw.events; i++) n += hw.log[i].kind == kind && (kind > 'Z' ? hw.log[i].at == at : true);
    return n;
}

#endif
