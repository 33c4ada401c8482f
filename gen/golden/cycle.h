/* The exact cycle model: equals the RTL's CYCLES counter with a stall-free memory (docs/architecture.md,
 * sections 4..9). Two layers: the time an operation spends in u_exec (a function of its descriptor and of what is still
 * draining), and the shell around it (fetch, tokens, DMA). */
#ifndef LUTRA_GOLDEN_CYCLE_H
#define LUTRA_GOLDEN_CYCLE_H

#include <stdbool.h>
#include <stdint.h>
#include "config/config.h"

/* What u_exec remembers between operations; zero-initialise before the first one. Cycles are absolute. */
typedef struct {
    uint64_t drained;      /* cycle from which everything earlier is written */
    uint64_t bank_free[2]; /* partial-sum banks: cycle from which the bank may accumulate again */
    int bank;              /* bank the next tile accumulates into */
    uint64_t post_free;    /* cycle from which the post unit takes the next word */
    uint64_t spare[8];     /* further state of a core's model */
} lt_exec_state;

typedef struct {
    uint64_t ready, done; /* see architecture.md section 8 */
    uint64_t issued;      /* cycles with `issue` high */
} lt_exec_time;

/* ws, ews (cycle_mac.c) and pq (cycle_pq.c): one CONV or POOL descriptor accepted in cycle `start`. */
lt_exec_time lt_cycle_mac(const lt_config *cfg, const uint32_t desc[16], lt_exec_state *st, uint64_t start);
lt_exec_time lt_cycle_pq(const lt_config *cfg, const uint32_t desc[16], lt_exec_state *st, uint64_t start);

/* Does a finished descriptor of pq, which has a residual and writes to the feature buffer, read the one in the same
 * cycle and bank in which it writes the other? For paired banks (pq_fb_pairs) of pair_words words together. */
bool lt_cycle_pq_meet(const lt_config *cfg, const uint32_t desc[16], int pair_words);

/* Counters of a whole program, as the CSRs show them after DONE. */
typedef struct {
    uint64_t cycles, exec_busy, stall_read, stall_write, stall_core, read_beats, write_beats, descriptors;
} lt_counters;

/* Counters latched by operations with MARK, in order. */
typedef struct {
    int layer;
    lt_counters at;
} lt_mark;

/* Runs descriptors (16 words each, n of them, the last is END) on a stall-free memory of the given read and write
 * latency. Marks beyond max_marks are counted but not stored. */
lt_code lt_cycle_program(const lt_config *cfg, const uint32_t (*desc)[16], int n, int latency, lt_counters *total,
                         lt_mark *marks, int max_marks, int *n_marks, lt_err *err);

#endif
