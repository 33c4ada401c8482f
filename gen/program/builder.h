/* Shared by the parts of the program generator; not public. */
#ifndef LUTRA_PROGRAM_BUILDER_H
#define LUTRA_PROGRAM_BUILDER_H

#include "emit/regs.h"
#include "program/program.h"

enum { TO_FB, TO_WEIGHT, TO_PARAM, TO_ENC, TO_CODE };
enum { MAX_BANKS = 16 };

typedef enum { CODE_NONE, CODE_CODES, CODE_VALUES } code_kind;

/* Where a tensor is while it lives. */
typedef struct {
    bool in_fb, in_dram;
    int bank, banks; /* first feature-buffer bank and how many */
    int base;        /* feature-buffer word address */
    lutra_tensor dram;
    code_kind code; /* what the code memory holds of it at this moment, if anything */
    int map, chunks;
    int code_base; /* first word there */
    /* what planning decided */
    bool spill;     /* lives in DRAM */
    bool wants_fb;  /* some reader needs values in the feature buffer */
    bool dump_only; /* ... but only the dump: free again as soon as it is stored */
    bool apart;     /* does not replace a residual where it lies: reads and writes would meet in a bank */
} place;

/* A piece of the blob. */
typedef struct {
    uint64_t hash;
    uint32_t at, len;
} blob_part;

typedef struct {
    const lt_config *cfg;
    const qnet *net;
    const lt_program_options *opt;
    lt_program *p;
    lt_err *err;
    int cap_desc;
    place *at;                  /* [image][tensor]: of the image being built */
    place *places;              /* ... of the first one */
    int n_layers;               /* how many of the network's are built */
    int layer;                  /* being built */
    int batch;                  /* images of the program */
    int image;                  /* being built */
    int images;                 /* how many of them the layer is built for, one table load for all; usually 1 */
    int together;               /* from this layer on it is all of them (batch.c) */
    int layers_end;             /* those from here on are not built yet when an image's layers are done */
    int bank_tensor[MAX_BANKS]; /* tensor that occupies a feature-buffer bank, or -1 */
    int map_tensor[2];          /* tensor that occupies a code map, or -1 */
    int output_tensor;
    lutra_tensor dump[LUTRA_IMAGE_MAX_LAYERS];
    /* what the next attempt should do differently */
    int spill;    /* this tensor moves to DRAM, or -1 */
    int remake;   /* this tensor needs a home in the feature buffer to make its codes again, or -1 */
    int apart;    /* this tensor must not replace its residual, or -1 */
    bool shallow; /* the next attempt should use depth 1 */
    /* tokens, see tokens.c; descriptor indexes, -1 = none */
    int depth; /* tiles in flight: 2 overlaps transfers with computation, 1 needs less memory */
    int last_op, last_store, last_load;
    int ops;                                    /* operations so far = tokens given by exec to load */
    int load_waits, load_need;                  /* taken so far; to be taken before the loads being emitted */
    int store_signals, store_waits, stores_due; /* store -> exec: given, taken, to be taken by the next operation */
    int tile_stores[2];                         /* tokens given up to the store before last, and the last */
    bool op_stored;        /* the last operation has its stores, and gave the store engine a token */
    bool load_after_store; /* the next load reads what the store engine wrote */
    bool barrier;          /* the next operation reads what an earlier one may still be writing */
    int weight_half;       /* weight bank or LUT half of the last weight load */
    bool wide_weights;     /* the last operation used both weight banks */
    bool prefer_wide;      /* pq: use both LUT halves rather than passes, which need room for accumulators */
    bool again;            /* the operation repeats that of another image: what it needs is loaded */
    bool goes_on;          /* another image's repeats it; all of them count as one in tokens */
    bool input_loaded;
    int map_used[2];     /* operations when a code map was used last, that one included */
    int stores_floor;    /* tokens from stores that the next operation takes at least */
    uint32_t scratch;    /* bytes handed out */
    unsigned banks_last; /* banks that the last operations of the image before use */
    bool input_waits;    /* the input goes where they are */
    blob_part *parts;    /* batch: what add_blob has added, to add it only once; [n_parts] */
    int n_parts, cap_parts;
    int target_bytes[5]; /* bytes of one word in DRAM, per load target */
    uint32_t lost[16];   /* where a descriptor goes that there was no memory for */
} builder;

/* One operation's part of a tensor: rows row0 .. row0+rows-1, columns col0 .. col0+cols-1, on chip at `base` with
 * `cols` words between rows and `plane` words between groups. */
typedef struct {
    int base, plane, row0, rows, col0, cols;
} view;

/* Kernel rows r0 .. r0+r-1, columns s0 .. s0+s-1. */
typedef struct {
    int r0, r, s0, s;
} kernel_part;

static inline int ceil_div(int a, int b)
{
    return (a + b - 1) / b;
}
static inline int groups_of(const builder *b, const qtensor *t)
{
    return ceil_div(t->c, b->cfg->lanes);
}
int pow2_at_least(int n);
int word_bytes(const builder *b); /* of a feature-buffer word in DRAM */

/* batch.c: several images in one program */
/* Is tensor t made image by image and read by layers that are built for all images together? It waits in DRAM. */
bool waits(const builder *b, int t);
void select_image(builder *b, int image);
/* Code words of a map that one image may take. */
int code_room(const builder *b);
/* Distance of an image's input or output from the next one's, which takes so many bytes. */
uint32_t image_stride(uint32_t bytes);
/* Where the present image's output goes. */
lutra_tensor image_output(const builder *b);
/* All layers for all images of the batch. */
lt_code build_batch(builder *b);

/* program.c */
lt_code place_input(builder *b);
void place_output(builder *b, const qlayer *l);
lt_code build_layer(builder *b, const qlayer *l);
/* lower_pq.c: convolution l for all images, or LT_OK and *done = false if its operations cannot share tables. */
lt_code lower_conv_batch(builder *b, const qlayer *l, bool *done);

/* descriptors.c: descriptors, blob, DRAM layouts */
void set_target_bytes(builder *b);
/* MACs (or their equivalent) per cycle that the core could do at most in this layer. */
uint32_t peak_macs(const lt_config *c, const qlayer *l);
uint32_t *add_desc(builder *b, lt_opcode opcode);
/* Appends a finished operation: its loads come before it, so it is made first and added last. */
uint32_t *add_op(builder *b, const uint32_t op[16]);
void set_field(builder *b, uint32_t *d, lt_dfield field, int64_t v);
/* Adds data to the blob at a bus-aligned offset. */
uint32_t add_blob(builder *b, const void *data, size_t len);
/* A DRAM tensor in feature-buffer words; returns the bytes it takes. */
uint32_t dram_layout(const builder *b, lutra_tensor *d, lutra_base base, uint32_t offset, const qtensor *t);
/* tokens.c: transfers, and what waits for what */
/* Before the loads of the next operation. They wait until the operation before last is done (its weight half and tile
 * buffer are free), with depth 1 or `all` until the last one is. */
void open_group(builder *b, bool all);
/* Loads packed words of a row each to `address`, rows `stride` words apart. */
void add_packed_load(builder *b, int target, int address, int words, int rows, int stride, const lt_buf *data);
/* The open group's further loads wait until the last operation is done. */
void wait_for_all(builder *b);
/* `rows` rows of `words` words; strides in bytes (DRAM) and words (target). */
void add_load(builder *b, int base, uint32_t offset, int target, int address, int words, int rows, uint32_t dram_stride,
              int word_stride);
/* Loads `groups` groups from group `first` on of a part of a DRAM tensor to the feature buffer. */
void load_rows(builder *b, int t, const view *v, int first, int groups);
/* Sets the tokens of the operation just emitted. */
void finish_op(builder *b, uint32_t *d);
/* Stores the part v of tensor t, held in the feature buffer, to its place in `to`, after the operation just emitted. */
void store_rows(builder *b, int t, const view *v, const lutra_tensor *to);

/* table_order.c: moves loads of tables in front of the operation before them; once everything is there. */
void order_tables(lt_program *p);

/* place.c */
/* Chooses banks for tensor t outside `busy` (bit mask) and every live tensor; false if nothing is free. */
bool take_banks(builder *b, int t, unsigned busy);
/* May layer l's output replace its residual where that lies? */
bool in_place(const builder *b, const qlayer *l);
/* A finished operation of such a layer: asks for another attempt if a residual and a result meet in a bank. */
void check_in_place(builder *b, const qlayer *l, const uint32_t *op);
/* Puts tensor t where tensor old is, which dies after this layer. */
void take_over(builder *b, int t, int old);
void release_dead(builder *b);
unsigned banks_of(const builder *b, int t);
/* Mask of the banks that words base .. base+words-1 touch. */
unsigned banks_touched(const builder *b, int base, int words);
/* First word of a bank-aligned run for `words` words outside busy and live tensors, or -1. */
int find_run(const builder *b, int words, unsigned busy);

/* tiles.c */
/* How a layer is cut: on-chip layers are one tile. Buffers for tiles that go through DRAM. */
typedef struct {
    int rows, cols;                     /* output rows and columns per tile */
    int across, count;                  /* tiles side by side, tiles */
    int groups;                         /* 0: a tile's input is loaded once; else operations load so many groups each */
    int in_at[2], out_at[2], res_at[2]; /* feature-buffer word of each tile buffer */
    int acc_at[2];                      /* of the two buffers of raw accumulators (pq, partial passes) */
} tiling;
/* What else decides about tiles. */
typedef struct {
    int code_chunks;    /* pq: chunks per input pixel, if the input has to be copied to a code map */
    int word_chunks;    /* ... and how many share a code word; 0: one */
    int acc_words;      /* feature-buffer words per output pixel of raw accumulators */
    int acc_buffers;    /* ... and how many buffers of them: 2 if operations both load and store them */
    int groups;         /* input groups of one operation, if operations are able to load their own input */
    bool split;         /* ... and have to: all of it would not fit the code memory; code_chunks is for those groups */
    kernel_part kernel; /* ... and the largest part of the kernel that one works on */
    bool passes;        /* ... and whether several share the partial sums of a tile */
} tile_needs;
/* false if not even one output pixel fits, or if less would do were all tensors in DRAM. */
bool plan_tiles(builder *b, const qlayer *l, const tile_needs *n, tiling *t);
/* The views of tile i; load: emit the loads of what is in DRAM. */
void tile_views(builder *b, const qlayer *l, const tiling *t, int i, bool load, view *in, view *out, view *res);

/* t->groups > 0: loads what the next operation reads: input groups group .. group+groups-1 under part k of the kernel,
 * for the output pixels `out`. */
void load_part(builder *b, const qlayer *l, const tiling *t, const view *out, const kernel_part *k, int group,
               int groups, view *in);

/* operation.c: what every operation does before and after */
/* The network's input, if it lives on chip and was not loaded yet. */
void load_input(builder *b);
/* Bias and multipliers of output groups og0 .. og0+og-1 to parameter group `at`. */
void load_params(builder *b, const qlayer *l, int og0, int og, int at, bool in_unsigned);
/* Output view, residual view (NULL: none) and post fields of output groups from og0 on. */
void set_groups(builder *b, uint32_t *d, const qlayer *l, view out, const view *res, int og0, int param_group);
/* Tokens, profile record and stores. last: no further operation of this tile follows. */
void end_op(builder *b, uint32_t *d, const qlayer *l, const tiling *t, int tile, bool last, const view *out);

/* Asks for another attempt with more room for layer l; LT_EINPUT if there is nothing left to try. */
lt_code no_room(builder *b, const qlayer *l);

/* lower_mac.c, lower_pq.c, lower_pool.c: one layer each */
/* code_place.c: the code memory of the pq core */
lt_code place_input_code(builder *b);
void load_input_code(builder *b);
/* Encoder words first .. first+n-1 (output groups or chunks) to words slot .. of the encoder memory. */
void load_encoder(builder *b, const qencoder *e, const qtensor *t, int first, int n, int slot);
/* Chunks per pixel of layer l's input, as it is there or will be written, and how many share a code word. */
int code_chunks(const builder *b, const qlayer *l);
int code_word_chunks(const builder *b, const qlayer *l);
/* Makes sure that the rows of tile view `in` are in a code map, copying them from the feature buffer if they are not:
 * gives the map; `in` becomes the whole tensor if it was there. *open: the open load group was
 * not used up. */
void code_for_tile(builder *b, const qlayer *l, const tiling *t, view *in, bool *open, int *map);
/* The same for input groups first .. first+groups-1 only, which `in` begins with; the map holds nothing else. */
void code_for_groups(builder *b, const qlayer *l, const view *in, int first, int groups, bool *open, int *map);
/* Chunks that one input group of layer l takes per pixel. */
int code_group_chunks(const builder *b, const qlayer *l);
/* Where this operation's results go in the code memory, if some layer reads them from there. */
void set_code_output(builder *b, uint32_t *d, const qlayer *l, const tiling *t, int og);
/* pq: the configuration's datapath is what all layers were fitted for. */
lt_code check_encoders(const builder *b);
lt_code lower_conv_mac(builder *b, const qlayer *l);
lt_code lower_conv_pq(builder *b, const qlayer *l);
lt_code lower_pool(builder *b, const qlayer *l);

#endif
