/* The driver's surroundings in simulation: register accesses become AXI4-Lite transfers on the pins, waiting for the
 * interrupt lets the clock run. Processor and accelerator see memory through a cache that is not coherent: the driver's
 * buffers are copies, and only cache_clean and cache_invalidate move data between them and the memory model. */
#ifndef LUTRA_TB_HAL_H
#define LUTRA_TB_HAL_H

#include <stdbool.h>
#include <stdint.h>
#include "../sw_driver/lutra.h"
#include "tick.h"

typedef struct {
    uint32_t address, bytes;
    uint8_t *memory; /* what the accelerator sees */
    uint8_t *cached; /* what the processor sees */
} tb_buffer;

typedef struct tb_hal {
    tb_clock clock;
    lutra *dev;          /* whose lutra_isr serves the interrupt */
    tb_buffer buffer[4]; /* by lutra_base */
    lt_rng rng;
    int stall;               /* per cent, of the processor's side of AXI4-Lite */
    uint64_t started, ended; /* cycles in which START was written and the interrupt came; ended 0: not yet */
    bool failed;             /* the bus broke down: see message; register reads then give all ones, time races */
    char message[200];
    uint32_t skew;                            /* how far ahead of the clock the processor's timer is */
    void (*progress)(const struct tb_hal *h); /* called now and then, or NULL */
    uint64_t next_progress;
    int image, images; /* which one of how many is running, for progress */
} tb_hal;

/* Zero h but for clock, dev, buffer, rng and stall before. */
lutra_hal tb_hal_functions(tb_hal *h, bool interrupts);

/* Holds reset for a few cycles. */
void tb_hal_reset(tb_hal *h);

#endif
