/* Memory images and descriptor fields of the pq core (docs/architecture.md section 6). Pure functions of the
 * configuration and the layer. */
#ifndef LUTRA_PROGRAM_PACK_PQ_H
#define LUTRA_PROGRAM_PACK_PQ_H

#include <stdbool.h>
#include "base/buf.h"
#include "config/pq_shape.h"

/* What a LOAD has to say about its target: `rows` rows of `words` words from word `address` on, `stride` words apart.
 * The words of all rows follow each other in the packed data. */
typedef struct {
    int address, words, rows, stride;
} lt_pq_load;

/* Code words that the writer makes of one output group and pixel; raw: values, not codes. */
int lt_pq_group_words(const lt_config *c, bool raw);

/* LUT rows of a lookup step for tables of so many prototypes, the configuration's or, where lt_pq_alone, fewer. */
int lt_pq_step_rows(const lt_config *c, int prototypes);
/* LUT rows that `chunks` chunks of layer l take per output group; e: its encoder, NULL for a dense one. */
int lt_pq_rows(const lt_config *c, const qlayer *l, const qencoder *e, int chunks);
/* Load address and WEIGHT_BASE of row `row` (0 .. 2 * lt_pq_half_rows - 1, the second half of them in LUT half 1). */
int lt_pq_row_address(const lt_config *c, int row);
/* The LOADs of rows row .. row+rows-1 of layer l, which must lie in one half: how many, one behind the other in the
 * packed words. Channel mode: window positions without weights (lt_pq_window) are left out. */
enum { LT_PQ_LUT_LOADS = 3 };
int lt_pq_lut_loads(const lt_config *c, const qlayer *l, int row, int rows, lt_pq_load to[LT_PQ_LUT_LOADS]);
/* Rows and columns of the window that a kernel's sub-kernels use: the first rows, the last (newest) columns. */
void lt_pq_window(const qlayer *l, int *rows, int *cols);
/* LUT rows row0 .. row0+rows-1 of output group og of layer l: words [window position with weights][row] (channel) or
 * [row] (spatial), each padded to a power of two of bytes. Row = step * lt_pq_step_rows + row of the code; step =
 * sub-kernel * chunks + chunk. Codebooks and outputs that do not exist are 0. */
void lt_pack_pq_lut(const lt_config *c, const qlayer *l, const qencoder *e, int first, int chunks, int og, int row0,
                    int rows, lt_buf *words);
/* The same for a dense layer with in_c input channels: row = step (channel), or steps divided into rows of weights. */
void lt_pack_pq_dense(const lt_config *c, const qlayer *l, int in_c, int first, int chunks, int og, int row0, int rows,
                      lt_buf *words);

/* Encoder words held on chip, and the LOAD of number `word` of them. */
int lt_pq_enc_words(const lt_config *c);
lt_pq_load lt_pq_enc_load(const lt_config *c, int word);
/* One encoder word: codebooks of output group i (channel) or of chunk i (spatial); codebooks beyond the encoder's are
 * 0. is_signed: of the tensor that is encoded. */
void lt_pack_pq_encoder(const lt_config *c, const qencoder *e, bool is_signed, int i, lt_buf *words);

/* Replaces fields of a finished CONV or POOL descriptor by those that the hardware's counters use (architecture.md
 * section 6, derived fields), and clears STREAM where it is impossible or slower. OG must be 1. Does nothing the second
 * time. */
void lt_pq_finish_desc(const lt_config *c, uint32_t desc[16]);
/* Lookups in a finished CONV take tables of so many prototypes; they are the configuration's until then. */
void lt_pq_set_prototypes(const lt_config *c, uint32_t desc[16], int prototypes);
/* The same for an operation that works on chunks first .. first+count-1 of the CHUNKS that an input pixel has. */
void lt_pq_finish_part(const lt_config *c, uint32_t desc[16], int first, int count);
/* Makes a finished CONV start from accumulators stored at feature-buffer word `from` (ACC_IN), or store its
 * accumulators at OUT_BASE instead of results (ACC_OUT): lt_pq_acc_words words per pixel. */
void lt_pq_acc_in(uint32_t desc[16], int from, bool is_short);
void lt_pq_acc_out(uint32_t desc[16], bool is_short);
int lt_pq_acc_words(const lt_config *c, bool is_short);
/* Do two bytes hold all sums of a layer with that many codebooks (ACC_SHORT)? */
bool lt_pq_acc_short(const lt_config *c, const qlayer *l, int codebooks);

#endif
