/* The verilated design behind a C interface; dut.cpp is the only C++ of the testbench. */
#ifndef LUTRA_TB_DUT_H
#define LUTRA_TB_DUT_H

#include <stdbool.h>
#include <stdint.h>
#include "pins.h"

typedef struct dut dut;

/* NULL when out of memory. seed: of random initial register values, if the model was built with them. */
dut *dut_open(uint32_t seed);
void dut_close(dut *d);
int dut_bus_bits(void);

/* One clock cycle: drives the pins with the clock low, settles, samples the outputs as the coming edge will see them,
 * then raises the clock. Inputs never change at the edge. */
void dut_cycle(dut *d, tb_pins *p);

/* Writes all signals to an FST file from now on. false if the model was built without tracing or the file cannot be
 * opened. */
bool dut_trace(dut *d, const char *path);

#endif
