/* lutra_exec_mac under Verilator, as plain C. */
#ifndef LUTRA_TESTS_EXEC_MAC_DUT_H
#define LUTRA_TESTS_EXEC_MAC_DUT_H

#include <stdint.h>

/* Where the model keeps its ports. Wide ports are little-endian byte strings, rounded up to 1, 2, 4, 8 or n*4 bytes. */
typedef struct {
    uint8_t *clk, *rst, *op_valid, *op_ready, *op_done;
    uint32_t *op_desc;
    uint8_t *fb_rd_en, *fb_res_en, *fb_wr_en;
    uint16_t *fb_rd_addr, *fb_res_addr, *fb_wr_addr;
    void *fb_rd_data, *fb_res_data, *fb_wr_data;
    uint8_t *ld_valid, *ld_target;
    uint16_t *ld_addr;
    void *ld_data;
    uint8_t *issue, *conflict;
} dut_ports;

typedef struct dut dut;

/* Registers start with values made from seed. */
dut *dut_new(int seed, dut_ports *p);
void dut_delete(dut *d);
void dut_eval(dut *d);

#endif
