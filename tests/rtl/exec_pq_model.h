/* What lutra_exec_pq should do, from docs/arithmetic.md, on the same memories. */
#ifndef LUTRA_TESTS_EXEC_PQ_MODEL_H
#define LUTRA_TESTS_EXEC_PQ_MODEL_H

#include <stdbool.h>
#include "config/config.h"
#include "exec_pq_dut.h"

enum { PQ_MAX_LANES = 16, PQ_MAX_CODE_WORDS = 512 };

typedef struct {
    uint8_t fb[PQ_FB_WORDS][PQ_MAX_LANES];
    uint8_t code[2][3][PQ_MAX_CODE_WORDS][PQ_WORD_BYTES];
} pq_memory;

/* One operation with all its constants. */
typedef struct {
    bool pool, dense, max, in_unsigned, out_unsigned, write_fb, write_code, raw, res, res_unsigned, acc_in, acc_out;
    bool acc_short; /* stored accumulators have two bytes */
    int in_h, in_w, stride, dilation, pad_t, pad_l, r, s, out_h, out_w;
    int chunks, first, count; /* per pixel; worked on */
    int code_in, map_in, code_out, map_out, out_chunks, chunk0, row0;
    int in_base, out_base, acc_base, res_base, res_w, res_step, res_mult, shift, lo, hi;
    int og;           /* output group of the layer, whose tables are below */
    qlayer layer;     /* dense: w for in_c channels; else lut */
    qencoder books;   /* lookup: prototypes and codebooks of lut */
    qencoder *enc_in; /* spatial: of the windows */
    qencoder *enc_out;
    int enc_group; /* channel: group of enc_out's codebooks that the output is */
    int32_t bias[PQ_MAX_LANES];
    uint16_t mult[PQ_MAX_LANES];
} pq_op;

/* Channels, or codebooks, that the layer's tables are made for. */
int pq_op_channels(const lt_config *c, const pq_op *o);
/* Addresses of the operation's input that one code word has: those of values, several of which lie in a word, or 1. */
int pq_op_values(const lt_config *c, const pq_op *o);
/* Does the operation in the memories. */
void pq_model_run(const lt_config *c, const pq_op *o, pq_memory *m);

#endif
