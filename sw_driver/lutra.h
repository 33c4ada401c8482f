/* Driver of Lutra accelerators: freestanding C11, no heap, no libc.
 *
 *     lutra dev;
 *     lutra_init(&dev, &config);              hardware present?
 *     lutra_image_open(&image, data, bytes);  program image whole?
 *     lutra_load(&dev, &image);               same configuration? buffers large enough?
 *     lutra_run(&dev, pixels);                image bytes in, waits until done
 *     lutra_logits(&dev, logits, classes);
 *
 * Every function returns a lutra_result. LUTRA_BAD_ARG means that no register and no buffer was touched. Nothing waits
 * for ever: each wait ends after config.timeout ticks of the HAL's clock. After LUTRA_TIMEOUT or LUTRA_HW_* call
 * lutra_recover. The driver keeps no global state; one handle must not be used by two threads at once, except that
 * lutra_isr may interrupt any function. */
#ifndef LUTRA_H
#define LUTRA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lutra_image.h"
#include "lutra_result.h"

/* What the driver needs of its surroundings. read32, write32 and ticks must be given, the others may be NULL. */
typedef struct {
    void *context; /* handed to every function */
    /* register at a byte offset from the accelerator's base address */
    uint32_t (*read32)(void *context, uint32_t offset);
    void (*write32)(void *context, uint32_t offset, uint32_t value);
    /* free-running counter that may wrap; its rate gives config.timeout its unit */
    uint32_t (*ticks)(void *context);
    /* Caches, for processors that are not coherent with the accelerator's bus. clean: write dirty lines of the range
     * back to memory. invalidate: drop the lines. Buffers should start and end on cache lines. */
    void (*cache_clean)(void *context, const void *address, size_t bytes);
    void (*cache_invalidate)(void *context, void *address, size_t bytes);
    /* Interrupt mode if given: sleep until lutra_isr has run since the last return, or for at most `ticks`. May return
     * early. NULL: the driver polls. */
    void (*wait_irq)(void *context, uint32_t ticks);
} lutra_hal;

/* Memory shared with the accelerator: how the processor and how the accelerator see it. */
typedef struct {
    void *cpu;
    uint32_t device; /* bus address; a multiple of LUTRA_IMAGE_ALIGN */
    uint32_t bytes;
} lutra_buffer;

typedef struct {
    lutra_hal hal;
    lutra_buffer buffer[4]; /* by lutra_base; sizes as the image asks */
    uint32_t timeout;       /* ticks allowed for one run, at least 1 */
    uint32_t watchdog;      /* cycles without progress until the hardware gives up; 0: never */
} lutra_config;

/* Registers that count from START until DONE; meanings in docs/registers.md. */
typedef struct {
    uint32_t cycles, exec_busy, stall_read, stall_write, stall_core, read_beats, write_beats, descriptors;
} lutra_counters;

/* Handle; its members are the driver's own. */
typedef struct {
    lutra_config config;
    const lutra_image *image;
    uint32_t fingerprint;
    uint32_t started;      /* ticks at START */
    volatile uint32_t irq; /* events that lutra_isr saw */
    int state;
} lutra;

/* Takes a copy of the configuration and asks for the hardware's identity. LUTRA_BAD_ARG, LUTRA_NO_DEVICE. */
lutra_result lutra_init(lutra *dev, const lutra_config *config);

/* Makes a checked image the current program: copies its blob to the program buffer (unless it lies there already) and
 * sets the hardware up. The image must stay until the next lutra_load. LUTRA_BAD_ARG if a buffer is too small,
 * misaligned or overlaps another, LUTRA_MISMATCH if the hardware has another fingerprint (nothing was written),
 * LUTRA_BUSY. */
lutra_result lutra_load(lutra *dev, const lutra_image *image);

/* Image bytes [batch][c][h][w] (batch as the program image has it, usually 1) through the image's table into the input
 * buffer, in the layout the program reads. */
lutra_result lutra_put_image(lutra *dev, const uint8_t *pixels);

/* Starts the program and returns. LUTRA_BUSY if one runs. */
lutra_result lutra_start(lutra *dev);
/* LUTRA_BUSY while running, then LUTRA_OK or LUTRA_HW_*; LUTRA_TIMEOUT after config.timeout ticks. */
lutra_result lutra_poll(lutra *dev);
/* Waits for the end of the program, by interrupt or by polling. */
lutra_result lutra_wait(lutra *dev);
/* lutra_put_image, lutra_start, lutra_wait. */
lutra_result lutra_run(lutra *dev, const uint8_t *pixels);

/* After a failure, or when lutra_load finds the hardware busy: waits until the bus is quiet, resets the engines and
 * sets the hardware up again; the loaded image stays loaded. LUTRA_TIMEOUT if the bus does not become quiet: then only
 * a reset of the system helps. */
lutra_result lutra_recover(lutra *dev);
/* Disables the interrupt and forgets the program. LUTRA_BUSY while one runs. */
lutra_result lutra_close(lutra *dev);

/* To be called by the interrupt service routine: acknowledges the events. false: the interrupt is not ours. */
bool lutra_isr(lutra *dev);
/* Raises a test interrupt and waits for lutra_isr: LUTRA_TIMEOUT if it does not come. Needs hal.wait_irq. */
lutra_result lutra_test_irq(lutra *dev);

/* After a run: the first n output values, n <= classes, of image number `image` of the batch, or of the first. */
lutra_result lutra_logits_of(const lutra *dev, uint32_t image, int16_t *logits, uint32_t n);
lutra_result lutra_logits(const lutra *dev, int16_t *logits, uint32_t n);
/* Index of the largest value, the first of equals; 0 if n is 0. */
uint32_t lutra_argmax(const int16_t *values, uint32_t n);
/* A whole tensor as [c][h][w]: the output, or a dump of a layer (lutra_image_dump). `room` is the number of values that
 * fit; LUTRA_BAD_ARG if the tensor has more or does not lie in the output or scratch buffer. */
lutra_result lutra_read_tensor(const lutra *dev, const lutra_tensor *t, int16_t *values, size_t room);
/* Profile record i of the run. */
lutra_result lutra_read_profile(const lutra *dev, uint32_t i, lutra_profile *p);
/* Counters of the last run; readable at any time after lutra_init. */
lutra_result lutra_read_counters(const lutra *dev, lutra_counters *c);

#endif
