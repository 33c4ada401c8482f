/* The verilated exec_pq_top as plain data. */
#ifndef LUTRA_TESTS_EXEC_PQ_DUT_H
#define LUTRA_TESTS_EXEC_PQ_DUT_H

#include <stdint.h>

enum { PQ_FB_WORDS = 1024, PQ_LD_BYTES = 512, PQ_WORD_BYTES = 64 };

typedef struct {
    /* driven */
    uint8_t rst, op_valid, ld_valid, ld_target;
    uint16_t ld_addr;
    uint32_t desc[16];
    uint8_t ld_data[PQ_LD_BYTES], rd_data[PQ_WORD_BYTES], res_data[PQ_WORD_BYTES];
    /* sampled after the inputs have settled, before the clock edge */
    uint8_t op_ready, op_done, issue, conflict, rd_en, res_en, wr_en;
    uint16_t rd_addr, res_addr, wr_addr, code_addr;
    uint8_t wr_data[PQ_WORD_BYTES];
    uint8_t code_en, code_map, code_bank, code_data[PQ_WORD_BYTES + 8];
} pq_pins;

typedef struct pq_dut pq_dut;
pq_dut *pq_dut_new(void);
void pq_dut_free(pq_dut *d);
/* Applies the inputs and reads the outputs. */
void pq_dut_settle(pq_dut *d, pq_pins *p);
/* The rising clock edge. */
void pq_dut_edge(pq_dut *d);

#endif
