/* Every descriptor field, once: docs/architecture.md section 4. Columns: name, word, lowest bit, bits, U or S (unsigned,
 * two's complement), operations that have it, meaning. From this list come the C enumeration, the table behind
 * emission, lutra_desc.vh, lutra_hw.h and the manual. */
#ifndef LUTRA_EMIT_DESC_FIELDS_H
#define LUTRA_EMIT_DESC_FIELDS_H

/* clang-format off */
#define LT_DESC_FIELDS(F) \
    F(OPCODE,        0,  0,  4, U, LT_IN_ALL,      "operation, see the table of values") \
    F(WAIT_A,        0,  4,  1, U, LT_IN_ENGINES,  "take a token of engine A before starting") \
    F(WAIT_B,        0,  5,  1, U, LT_IN_ENGINES,  "take a token of engine B before starting") \
    F(SIGNAL_A,      0,  6,  1, U, LT_IN_ENGINES,  "give engine A a token when done") \
    F(SIGNAL_B,      0,  7,  1, U, LT_IN_ENGINES,  "give engine B a token when done") \
    \
    F(BASE,          0,  8,  2, U, LT_IN_DMA,      "base register that the byte offset adds to") \
    F(TARGET,        0, 10,  3, U, LT_IN_LOADSTORE, "memory on chip") \
    F(OFFSET,        1,  0, 32, U, LT_IN_DMA,      "byte offset from the base register") \
    F(ADDRESS,       2,  0, 16, U, LT_IN_LOADSTORE, "first word in the target") \
    F(WORDS,         3,  0, 16, U, LT_IN_LOADSTORE, "words per row, 1 or more") \
    F(ROWS,          3, 16, 16, U, LT_IN_LOADSTORE, "rows, 1 or more") \
    F(DRAM_STRIDE,   4,  0, 32, U, LT_IN_LOADSTORE, "bytes between rows in memory") \
    F(WORD_STRIDE,   5,  0, 16, U, LT_IN_LOADSTORE, "words between rows in the target") \
    \
    F(IN_UNSIGNED,   0,  8,  1, U, LT_IN_EXEC,     "input values are unsigned") \
    F(RES_EN,        0,  9,  1, U, LT_IN_EXEC,     "add a residual") \
    F(RES_UNSIGNED,  0, 10,  1, U, LT_IN_EXEC,     "residual values are unsigned") \
    F(BARRIER,       0, 11,  1, U, LT_IN_EXEC,     "wait until everything earlier is written before the first read") \
    F(WRITE_FB,      0, 12,  1, U, LT_IN_EXEC,     "write results to the feature buffer") \
    F(WRITE_CODE,    0, 13,  1, U, LT_IN_EXEC,     "write results to the code memory (pq)") \
    F(POOL_MAX,      0, 14,  1, U, LT_IN_POOL,     "maximum instead of sum") \
    F(MARK,          0, 15,  1, U, LT_IN_EXEC,     "latch the counters for PROFILE when done") \
    F(DENSE,         0, 16,  1, U, LT_IN_CONV,     "multiply instead of looking up (pq)") \
    F(CODE_RAW,      0, 17,  1, U, LT_IN_EXEC,     "WRITE_CODE writes values, not codes (pq)") \
    F(STREAM,        0, 18,  1, U, LT_IN_CONV,     "visit every input column once (pq); kernel up to 3 x 3, dilation 1") \
    F(OUT_UNSIGNED,  0, 19,  1, U, LT_IN_EXEC,     "results are unsigned") \
    F(ACC_IN,        0, 20,  1, U, LT_IN_CONV,     "start from stored accumulators instead of zero") \
    F(ACC_OUT,       0, 21,  1, U, LT_IN_CONV,     "store accumulators instead of results") \
    F(ACC_SHORT,     0, 23,  1, U, LT_IN_CONV,     "stored accumulators have two bytes, sign-extended, not all (pq)") \
    F(FINISHED,      0, 22,  1, U, LT_IN_EXEC,     "the derived fields are in place (pq); not read by the hardware") \
    F(LAYER,         0, 24,  8, U, LT_IN_EXEC,     "layer number for profile records") \
    F(IN_BASE,       1,  0, 16, U, LT_IN_EXEC,     "feature-buffer word of the input: address = base + group*plane + y*IN_W + x") \
    F(IN_PLANE,      1, 16, 16, U, LT_IN_EXEC,     "words between input groups") \
    F(IN_H,          2,  0, 12, U, LT_IN_EXEC,     "input rows") \
    F(IN_W,          2, 12, 12, U, LT_IN_EXEC,     "input columns") \
    F(STRIDE,        2, 24,  4, U, LT_IN_EXEC,     "stride, 1 or more") \
    F(DILATION,      2, 28,  4, U, LT_IN_EXEC,     "dilation, 1 or more") \
    F(OUT_BASE,      3,  0, 16, U, LT_IN_EXEC,     "feature-buffer word of the output; its rows are OUT_W words apart") \
    F(OUT_PLANE,     3, 16, 16, U, LT_IN_EXEC,     "words between output groups") \
    F(OUT_H,         4,  0, 12, U, LT_IN_EXEC,     "rows that this operation computes") \
    F(OUT_W,         4, 12, 12, U, LT_IN_EXEC,     "columns that this operation computes") \
    F(R,             5,  0,  8, U, LT_IN_EXEC,     "kernel rows") \
    F(S,             5,  8,  8, U, LT_IN_EXEC,     "kernel columns") \
    F(PAD_T,         5, 16,  8, S, LT_IN_EXEC,     "padding above; negative: rows skipped") \
    F(PAD_L,         5, 24,  8, S, LT_IN_EXEC,     "padding to the left; negative: columns skipped") \
    F(CG,            6,  0,  8, U, LT_IN_CONV,     "input groups per output") \
    F(OG,            6,  8,  8, U, LT_IN_EXEC,     "output groups") \
    F(CG_STEP,       6, 16,  8, U, LT_IN_CONV,     "input group = og*CG_STEP + cg: 0 dense, 1 depthwise") \
    F(TILE_H,        7,  0,  8, U, LT_IN_CONV,     "not used: 0") \
    F(TILE_W,        7,  8,  8, U, LT_IN_CONV,     "pixels of a partial-sum tile, in raster order (ws, ews)") \
    F(A,             7, 16,  4, U, LT_IN_CONV,     "output groups held at once (ws: 1)") \
    F(B,             7, 20,  4, U, LT_IN_CONV,     "input groups held at once (ws: 1)") \
    F(D,             7, 24,  8, U, LT_IN_CONV,     "kernel taps held at once (ws: 1)") \
    F(WEIGHT_BASE,   8,  0, 16, U, LT_IN_CONV,     "first weight word over both banks (pq: first LUT row over both halves)") \
    F(PARAM_BASE,    8, 16, 16, U, LT_IN_EXEC,     "first group of bias and multiplier") \
    F(SHIFT,         9,  0,  6, U, LT_IN_EXEC,     "requantisation shift, 0..47") \
    F(LO,            9,  6, 10, S, LT_IN_EXEC,     "least result") \
    F(HI,            9, 16, 10, S, LT_IN_EXEC,     "largest result") \
    F(RES_BASE,     10,  0, 16, U, LT_IN_EXEC,     "feature-buffer word of the residual") \
    F(RES_PLANE,    10, 16, 16, U, LT_IN_EXEC,     "words between residual groups") \
    F(RES_W,        11,  0, 12, U, LT_IN_EXEC,     "columns of the residual") \
    F(RES_STEP,     11, 12,  4, U, LT_IN_EXEC,     "residual of pixel (p,q) is pixel (p*step, q*step)") \
    F(RES_OG_OFF,   11, 16,  8, U, LT_IN_EXEC,     "residual of output group og is group og - RES_OG_OFF ...") \
    F(RES_OG_COUNT, 11, 24,  8, U, LT_IN_EXEC,     "... if below this, else 0") \
    F(RES_MULT,     12,  0, 16, U, LT_IN_EXEC,     "multiplier of the residual") \
    F(OUT_ROW0,     12, 16, 16, U, LT_IN_EXEC,     "number of the first output row in the code map (pq)") \
    F(CODE_IN,      13,  0, 16, U, LT_IN_CONV,     "first word of the input in a row bank (pq)") \
    F(CODE_IN_MAP,  13, 16,  1, U, LT_IN_CONV,     "code map of the input (pq)") \
    F(CHUNKS,       13, 17, 15, U, LT_IN_CONV,     "code words per input pixel (pq)") \
    F(CODE_OUT,     14,  0, 16, U, LT_IN_EXEC,     "first word of the output in a row bank (pq)") \
    F(CODE_OUT_MAP, 14, 16,  1, U, LT_IN_EXEC,     "code map of the output (pq)") \
    F(CODE_OUT_CHUNKS, 14, 17, 15, U, LT_IN_EXEC,  "code words per pixel of the written map (pq)") \
    F(ENC_BASE,     15,  0, 16, U, LT_IN_EXEC,     "encoder word of the first output group (channel) or chunk (spatial) (pq)") \
    F(CODE_OG0,     15, 16, 16, U, LT_IN_EXEC,     "first chunk written by group 0 (pq)") \
    \
    F(PQ_IN_PITCH,   1,  0, 16, U, LT_IN_PQ,       "words of three input rows (POOL: 0)") \
    F(PQ_KROW_STEP,  1, 16, 16, U, LT_IN_PQ,       "words from one sub-kernel row to the next, without the bank's wrap") \
    F(PQ_OUT_PITCH,  3, 16, 16, U, LT_IN_PQ,       "code words of three output rows") \
    F(PQ_COL_STEP,   6,  0, 16, U, LT_IN_PQ,       "words from column to column; STREAM: columns fetched per row") \
    F(PQ_PIXEL_STEP, 6, 16, 16, U, LT_IN_PQ,       "words from pixel to pixel; STREAM: columns from a row's last pixel to the next row's first") \
    F(PQ_ROW_STEP,   7,  0, 16, U, LT_IN_PQ,       "words from pixel row to pixel row, without the bank's wrap") \
    F(PQ_INTERVAL,   7, 16, 12, U, LT_IN_PQ,       "least cycles between the ends of two pixels") \
    F(PQ_ROW_BANK,   7, 28,  2, U, LT_IN_PQ,       "row bank of the first input row") \
    F(PQ_ROW_MOD,    7, 30,  2, U, LT_IN_PQ,       "banks from pixel row to pixel row") \
    F(PQ_RES_ROW,   10, 16, 16, U, LT_IN_PQ,       "residual words from pixel row to pixel row") \
    F(PQ_KROW_MOD,  11,  0,  2, U, LT_IN_PQ,       "banks from one sub-kernel row to the next") \
    F(PQ_OUT_BANK,  11,  2,  2, U, LT_IN_PQ,       "row bank of the first output row") \
    F(PQ_ACC_BASE,  11, 16, 16, U, LT_IN_PQ,       "feature-buffer word of the accumulators that ACC_IN loads") \
    F(PQ_X_START,   12, 16, 16, U, LT_IN_PQ,       "words from a row's start to the first column; STREAM: columns before the first pixel is complete") \
    F(PQ_IN_ADDRESS, 13, 0, 16, U, LT_IN_PQ,       "word address of the first input row in its bank (POOL: in the feature buffer)") \
    F(PQ_OUT_ADDRESS, 14, 0, 16, U, LT_IN_PQ,      "code word address of the first output row in its bank") \
    F(PQ_KCOL_STEP, 15, 16, 16, U, LT_IN_PQ,       "words from the last chunk of a sub-kernel to the next sub-kernel")
/* clang-format on */

#endif
