/* The clock: the only place where simulated time passes. */
#ifndef LUTRA_TB_TICK_H
#define LUTRA_TB_TICK_H

#include <stdint.h>
#include "axi_mem.h"
#include "dut.h"
#include "pins.h"

typedef struct {
    dut *model;
    axi_mem *mem;
    tb_pins pins; /* set inputs before tick(); outputs are those of the last cycle, as its edge saw them */
    uint64_t cycle;
} tb_clock;

/* Drive, settle, sample, edge; then the memory decides what it drives in the next cycle. */
static inline void tick(tb_clock *t)
{
    dut_cycle(t->model, &t->pins);
    axi_mem_step(t->mem, &t->pins);
    t->cycle++;
}

#endif
