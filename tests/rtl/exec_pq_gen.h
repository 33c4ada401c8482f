/* Random operations for tests/rtl/exec_pq_tb.c. */
#ifndef LUTRA_TESTS_EXEC_PQ_GEN_H
#define LUTRA_TESTS_EXEC_PQ_GEN_H

#include "base/rng.h"
#include "exec_pq_model.h"

enum { PQ_MAX_OPS = 4 };

typedef struct {
    pq_op op;
    uint32_t desc[16];
    int param_group, row, rows; /* LUT rows taken */
    int enc_word;               /* first encoder word used for windows or output */
    bool barrier;
} pq_job;

typedef struct {
    pq_job job[PQ_MAX_OPS];
    int jobs;
    qencoder enc[2];      /* channel: of outputs, encoder word = index; spatial: enc[0] of all windows */
    bool enc_unsigned[2]; /* signedness of what the encoder was made for */
    int enc_group[2];     /* channel: group loaded into the encoder word */
    bool half_used[2];    /* LUT halves that some operation reads */
} pq_case;

/* Makes a case that keeps the rules of docs/architecture.md (what the program guarantees). */
void pq_case_make(const lt_config *c, lt_rng *r, pq_case *k);
void pq_case_free(pq_case *k);

#endif
