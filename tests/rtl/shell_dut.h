/* Ports of the shell towards its core, as plain data. All outputs of the shell come from registers, so what shell_get
 * returns after one cycle holds for the next. */
#ifndef LUTRA_TESTS_SHELL_DUT_H
#define LUTRA_TESTS_SHELL_DUT_H

#include <stdint.h>
#include "dut.h"

enum { FB_WORD = 16, LD_WORD = 64 }; /* 32-bit words of the widest feature-buffer and load words tested */

typedef struct {
    /* driven by the core */
    uint8_t op_ready, op_done, rd_en, res_en, wr_en, issue, conflict;
    uint16_t rd_addr, res_addr, wr_addr;
    uint32_t wr_data[FB_WORD];
    /* driven by the shell */
    uint8_t rst, op_valid, ld_valid, ld_target;
    uint16_t ld_addr;
    uint32_t desc[16], rd_data[FB_WORD], res_data[FB_WORD], ld_data[LD_WORD];
} exec_pins;

void shell_put(dut *d, const exec_pins *x);
void shell_get(dut *d, exec_pins *x);

#endif
