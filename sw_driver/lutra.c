#include "lutra.h"

#include "lutra_hw.h"

enum { BUFFERS = 4 };

enum {
    CLOSED,  /* also a handle full of zeros */
    READY,   /* hardware found, no program */
    LOADED,  /* may start */
    RUNNING, /* between START and its end */
    DONE,    /* results are there; may start again */
    FAILED   /* needs lutra_recover */
};

static uint32_t read32(const lutra *dev, uint32_t offset)
{
    return dev->config.hal.read32(dev->config.hal.context, offset);
}

static void write32(const lutra *dev, uint32_t offset, uint32_t value)
{
    dev->config.hal.write32(dev->config.hal.context, offset, value);
}

static uint32_t ticks(const lutra *dev)
{
    return dev->config.hal.ticks(dev->config.hal.context);
}

static void clean(const lutra *dev, lutra_base base)
{
    const lutra_buffer *b = &dev->config.buffer[base];
    if (dev->config.hal.cache_clean && b->bytes) dev->config.hal.cache_clean(dev->config.hal.context, b->cpu, b->bytes);
}

static void invalidate(const lutra *dev, lutra_base base)
{
    const lutra_buffer *b = &dev->config.buffer[base];
    if (dev->config.hal.cache_invalidate && b->bytes)
        dev->config.hal.cache_invalidate(dev->config.hal.context, b->cpu, b->bytes);
}

static bool has_program(const lutra *dev)
{
    return dev && (dev->state == LOADED || dev->state == DONE);
}

static bool buffers_ok(const lutra_buffer *b)
{
    for (int i = 0; i < BUFFERS; i++) {
        if (b[i].bytes == 0) continue;
        if (!b[i].cpu || b[i].device % LUTRA_IMAGE_ALIGN || b[i].bytes - 1 > UINT32_MAX - b[i].device) return false;
        for (int k = 0; k < i; k++) {
            if (b[k].bytes == 0) continue;
            uint32_t end_i = b[i].device + (b[i].bytes - 1), end_k = b[k].device + (b[k].bytes - 1);
            if (b[i].device <= end_k && b[k].device <= end_i) return false;
        }
    }
    return true;
}

lutra_result lutra_init(lutra *dev, const lutra_config *config)
{
    if (!dev || !config) return LUTRA_BAD_ARG;
    const lutra_hal *hal = &config->hal;
    if (!hal->read32 || !hal->write32 || !hal->ticks || config->timeout == 0) return LUTRA_BAD_ARG;
    if (!buffers_ok(config->buffer)) return LUTRA_BAD_ARG;

    *dev = (lutra){.config = *config, .state = CLOSED};
    if (read32(dev, LUTRA_REG_ID) != LUTRA_HW_ID) return LUTRA_NO_DEVICE;
    /* a larger minor version adds, a larger major version changes */
    uint32_t version = read32(dev, LUTRA_REG_VERSION);
    if ((version & LUTRA_VERSION_MAJOR_MASK) != (LUTRA_HW_VERSION & LUTRA_VERSION_MAJOR_MASK) ||
        version < LUTRA_HW_VERSION)
        return LUTRA_NO_DEVICE;
    dev->fingerprint = read32(dev, LUTRA_REG_FINGERPRINT);
    dev->state = READY;
    return LUTRA_OK;
}

/* Everything the hardware must know before START. */
static void set_up(const lutra *dev)
{
    uint32_t irqs = dev->config.hal.wait_irq ? LUTRA_IRQ_ENABLE_DONE_MASK | LUTRA_IRQ_ENABLE_ERROR_MASK : 0;

    for (uint32_t i = 0; i < BUFFERS; i++) write32(dev, LUTRA_REG_BASE0 + 4 * i, dev->config.buffer[i].device);
    write32(dev, LUTRA_REG_PROGRAM, dev->image->program_offset);
    write32(dev, LUTRA_REG_WATCHDOG, dev->config.watchdog);
    write32(dev, LUTRA_REG_IRQ_STATUS, LUTRA_IRQ_STATUS_DONE_MASK | LUTRA_IRQ_STATUS_ERROR_MASK);
    write32(dev, LUTRA_REG_IRQ_ENABLE, irqs);
}

lutra_result lutra_load(lutra *dev, const lutra_image *image)
{
    if (!dev || !image || dev->state == CLOSED || dev->state == FAILED) return LUTRA_BAD_ARG;
    if (dev->state == RUNNING) return LUTRA_BUSY;
    const lutra_buffer *b = dev->config.buffer;
    if (b[LUTRA_BASE_PROGRAM].bytes < image->blob_bytes || b[LUTRA_BASE_INPUT].bytes < image->input_bytes ||
        b[LUTRA_BASE_OUTPUT].bytes < image->output_bytes || b[LUTRA_BASE_SCRATCH].bytes < image->scratch_bytes)
        return LUTRA_BAD_ARG;
    if (image->fingerprint != dev->fingerprint) return LUTRA_MISMATCH;
    if (read32(dev, LUTRA_REG_STATUS) & LUTRA_STATUS_BUSY_MASK) return LUTRA_BUSY;

    uint8_t *to = b[LUTRA_BASE_PROGRAM].cpu;
    if (to != image->blob)
        for (uint32_t i = 0; i < image->blob_bytes; i++) to[i] = image->blob[i];
    clean(dev, LUTRA_BASE_PROGRAM);
    dev->image = image;
    set_up(dev);
    dev->state = LOADED;
    return LUTRA_OK;
}

lutra_result lutra_put_image(lutra *dev, const uint8_t *pixels)
{
    if (!pixels || !has_program(dev)) return LUTRA_BAD_ARG;
    const lutra_tensor *t = &dev->image->input;
    uint8_t *to = dev->config.buffer[LUTRA_BASE_INPUT].cpu;

    /* padding lanes and rows are zero */
    for (uint32_t i = 0; i < dev->image->input_bytes; i++) to[i] = 0;
    for (uint32_t i = 0; i < dev->image->batch; i++) {
        for (uint32_t c = 0; c < t->c; c++) {
            const int8_t *table = dev->image->table + c * 256;
            for (uint32_t y = 0; y < t->h; y++) {
                uint8_t *row = to + lutra_tensor_at(t, c, y, 0);
                for (uint32_t x = 0; x < t->w; x++) row[x * t->x_stride] = (uint8_t)table[*pixels++];
            }
        }
        to += dev->image->input_bytes / dev->image->batch;
    }
    clean(dev, LUTRA_BASE_INPUT);
    return LUTRA_OK;
}

lutra_result lutra_start(lutra *dev)
{
    if (dev && dev->state == RUNNING) return LUTRA_BUSY;
    if (!has_program(dev)) return LUTRA_BAD_ARG;
    if (read32(dev, LUTRA_REG_STATUS) & LUTRA_STATUS_BUSY_MASK) return LUTRA_BUSY;

    /* No dirty line may be written back over what the accelerator is about to write. */
    invalidate(dev, LUTRA_BASE_OUTPUT);
    invalidate(dev, LUTRA_BASE_SCRATCH);
    dev->irq = 0;
    write32(dev, LUTRA_REG_IRQ_STATUS, LUTRA_IRQ_STATUS_DONE_MASK | LUTRA_IRQ_STATUS_ERROR_MASK);
    dev->started = ticks(dev);
    dev->state = RUNNING;
    write32(dev, LUTRA_REG_CONTROL, LUTRA_CONTROL_START_MASK);
    return LUTRA_OK;
}

static lutra_result hardware_error(uint32_t status)
{
    switch ((status & LUTRA_STATUS_ERROR_CODE_MASK) >> LUTRA_STATUS_ERROR_CODE_SHIFT) {
    case LUTRA_ERROR_READ:
        return LUTRA_HW_READ;
    case LUTRA_ERROR_WRITE:
        return LUTRA_HW_WRITE;
    case LUTRA_ERROR_DESCRIPTOR:
        return LUTRA_HW_DESC;
    case LUTRA_ERROR_BANK:
        return LUTRA_HW_BANK;
    case LUTRA_ERROR_WATCHDOG:
        return LUTRA_HW_WATCHDOG;
    default:
        return LUTRA_HW_OTHER;
    }
}

lutra_result lutra_poll(lutra *dev)
{
    if (!dev || dev->state != RUNNING) return LUTRA_BAD_ARG;
    /* The clock is read first: a run that has ended is never called late because the processor was. */
    uint32_t elapsed = ticks(dev) - dev->started;
    uint32_t status = read32(dev, LUTRA_REG_STATUS);

    if (status & LUTRA_STATUS_ERROR_MASK) {
        dev->state = FAILED;
        return hardware_error(status);
    }
    if (!(status & LUTRA_STATUS_BUSY_MASK) && (status & LUTRA_STATUS_DONE_MASK)) {
        /* Lines that were fetched while the accelerator was writing are stale. */
        invalidate(dev, LUTRA_BASE_OUTPUT);
        invalidate(dev, LUTRA_BASE_SCRATCH);
        dev->state = DONE;
        return LUTRA_OK;
    }
    if (elapsed >= dev->config.timeout) {
        dev->state = FAILED;
        return LUTRA_TIMEOUT;
    }
    return LUTRA_BUSY;
}

lutra_result lutra_wait(lutra *dev)
{
    lutra_result r;

    while ((r = lutra_poll(dev)) == LUTRA_BUSY) {
        if (!dev->config.hal.wait_irq) continue;
        uint32_t elapsed = ticks(dev) - dev->started;
        if (elapsed < dev->config.timeout)
            dev->config.hal.wait_irq(dev->config.hal.context, dev->config.timeout - elapsed);
    }
    return r;
}

lutra_result lutra_run(lutra *dev, const uint8_t *pixels)
{
    if (dev && dev->state == RUNNING) return LUTRA_BUSY;
    lutra_result r = lutra_put_image(dev, pixels);
    if (r == LUTRA_OK) r = lutra_start(dev);
    if (r == LUTRA_OK) r = lutra_wait(dev);
    return r;
}

lutra_result lutra_recover(lutra *dev)
{
    if (!dev || dev->state == CLOSED) return LUTRA_BAD_ARG;
    uint32_t start = ticks(dev), status;

    /* The engines are reset only while no transfer is outstanding, and asked again until they are: a transfer may begin
     * between the look at the bus and the command. */
    do {
        uint32_t elapsed = ticks(dev) - start;
        status = read32(dev, LUTRA_REG_STATUS);
        if (status & LUTRA_STATUS_BUS_IDLE_MASK) {
            write32(dev, LUTRA_REG_CONTROL, LUTRA_CONTROL_ABORT_MASK);
            status = read32(dev, LUTRA_REG_STATUS);
            if (!(status & LUTRA_STATUS_BUSY_MASK)) break;
        }
        if (elapsed >= dev->config.timeout) {
            dev->state = FAILED;
            return LUTRA_TIMEOUT;
        }
    } while (true);

    dev->state = READY;
    if (dev->image) {
        set_up(dev);
        dev->state = LOADED;
    }
    return LUTRA_OK;
}

lutra_result lutra_close(lutra *dev)
{
    if (!dev || dev->state == CLOSED) return LUTRA_BAD_ARG;
    if (dev->state == RUNNING) return LUTRA_BUSY;
    write32(dev, LUTRA_REG_IRQ_ENABLE, 0);
    dev->image = NULL;
    dev->state = CLOSED;
    return LUTRA_OK;
}

bool lutra_isr(lutra *dev)
{
    if (!dev || dev->state == CLOSED) return false;
    uint32_t events = read32(dev, LUTRA_REG_IRQ_STATUS) & read32(dev, LUTRA_REG_IRQ_ENABLE);
    if (!events) return false;
    write32(dev, LUTRA_REG_IRQ_STATUS, events);
    dev->irq |= events;
    return true;
}

lutra_result lutra_test_irq(lutra *dev)
{
    if (!has_program(dev) || !dev->config.hal.wait_irq) return LUTRA_BAD_ARG;
    uint32_t start = ticks(dev), elapsed = 0;

    dev->irq = 0;
    write32(dev, LUTRA_REG_IRQ_TEST, LUTRA_IRQ_TEST_DONE_MASK);
    while (!dev->irq && elapsed < dev->config.timeout) {
        dev->config.hal.wait_irq(dev->config.hal.context, dev->config.timeout - elapsed);
        elapsed = ticks(dev) - start;
    }
    if (!dev->irq) return LUTRA_TIMEOUT;
    dev->irq = 0;
    return LUTRA_OK;
}

static int16_t value_at(const lutra_tensor *t, const uint8_t *p)
{
    return t->is_signed ? (int16_t)(int8_t)*p : (int16_t)*p;
}

lutra_result lutra_logits_of(const lutra *dev, uint32_t image, int16_t *logits, uint32_t n)
{
    lutra_tensor t;

    if (!dev || dev->state != DONE || !logits || n > dev->image->classes) return LUTRA_BAD_ARG;
    if (lutra_image_output(dev->image, image, &t) != LUTRA_OK) return LUTRA_BAD_ARG;
    const uint8_t *from = dev->config.buffer[LUTRA_BASE_OUTPUT].cpu;

    for (uint32_t c = 0; c < n; c++) logits[c] = value_at(&t, from + lutra_tensor_at(&t, c, 0, 0));
    return LUTRA_OK;
}

lutra_result lutra_logits(const lutra *dev, int16_t *logits, uint32_t n)
{
    return lutra_logits_of(dev, 0, logits, n);
}

uint32_t lutra_argmax(const int16_t *values, uint32_t n)
{
    uint32_t best = 0;
    for (uint32_t i = 1; i < n; i++)
        if (values[i] > values[best]) best = i;
    return best;
}

lutra_result lutra_read_tensor(const lutra *dev, const lutra_tensor *t, int16_t *values, size_t room)
{
    if (!dev || dev->state != DONE || !t || !values) return LUTRA_BAD_ARG;
    if (t->base != LUTRA_BASE_OUTPUT && t->base != LUTRA_BASE_SCRATCH) return LUTRA_BAD_ARG;
    if (!lutra_tensor_fits(t, dev->config.buffer[t->base].bytes)) return LUTRA_BAD_ARG;
    if ((uint64_t)t->c * t->h * t->w > room) return LUTRA_BAD_ARG;
    const uint8_t *from = dev->config.buffer[t->base].cpu;

    for (uint32_t c = 0; c < t->c; c++)
        for (uint32_t y = 0; y < t->h; y++) {
            const uint8_t *row = from + lutra_tensor_at(t, c, y, 0);
            for (uint32_t x = 0; x < t->w; x++) *values++ = value_at(t, row + x * t->x_stride);
        }
    return LUTRA_OK;
}

lutra_result lutra_read_profile(const lutra *dev, uint32_t i, lutra_profile *p)
{
    if (!dev || dev->state != DONE || !p || i >= dev->image->profile_count) return LUTRA_BAD_ARG;
    const lutra_image *img = dev->image;
    const uint8_t *from = dev->config.buffer[img->profile_base].cpu;

    lutra_profile_decode(from + img->profile_offset + i * img->profile_stride, p);
    return LUTRA_OK;
}

lutra_result lutra_read_counters(const lutra *dev, lutra_counters *c)
{
    if (!dev || !c || dev->state == CLOSED) return LUTRA_BAD_ARG;
    c->cycles = read32(dev, LUTRA_REG_CYCLES);
    c->exec_busy = read32(dev, LUTRA_REG_EXEC_BUSY);
    c->stall_read = read32(dev, LUTRA_REG_STALL_READ);
    c->stall_write = read32(dev, LUTRA_REG_STALL_WRITE);
    c->stall_core = read32(dev, LUTRA_REG_STALL_CORE);
    c->read_beats = read32(dev, LUTRA_REG_READ_BEATS);
    c->write_beats = read32(dev, LUTRA_REG_WRITE_BEATS);
    c->descriptors = read32(dev, LUTRA_REG_DESCRIPTORS);
    return LUTRA_OK;
}
