#include "config/config_table.h"

#include <string.h>

const char *const lt_core_names[LT_N_CORES + 1] = {"ws", "ews", "pq", NULL};
static const char *const modes[] = {"channel", "spatial", NULL};
static const char *const encoders[] = {"l1", "l2", "tree", NULL};

#define KEY(field) .name = #field, .offset = offsetof(lt_config, field)
/* default by core: ws, ews, pq */
#define DEF(ws, ews, pq) .def = {ws, ews, pq}

enum { ON_DENSE = LT_ON_WS | LT_ON_EWS };

const lt_key lt_keys[] = {
    {KEY(core), .type = LT_KEY_ENUM, .cores = LT_ON_ALL, .required = true, .max = LT_N_CORES - 1,
     .words = lt_core_names, DEF(CORE_WS, CORE_EWS, CORE_PQ), .unit = "",
     .help = "Datapath: `ws` dense weight-stationary int8, `ews` the same with register files per PE, `pq` product "
             "quantisation by table lookup."},
    {KEY(lanes), .cores = LT_ON_ALL, .required = true, .min = 1, .max = 64, DEF(16, 16, 16), .unit = "channels",
     .verilog = "LANES",
     .help =
         "Channels per activation word and outputs per group: rows and columns of the array, bytes of a feature-map "
         "word."},
    {KEY(bus_bits), .type = LT_KEY_POW2, .cores = LT_ON_ALL, .min = 32, .max = 512, DEF(128, 128, 128), .unit = "bits",
     .verilog = "BUS_BITS", .help = "Data width of the AXI4 master."},
    {KEY(acc_bits), .cores = LT_ON_ALL, .min = 12, .max = 32, DEF(24, 24, 20), .unit = "bits", .verilog = "ACC_BITS",
     .help = "Accumulator and bias width. `lutra prep` refuses a network whose sums could exceed it."},
    {KEY(mult_bits), .cores = LT_ON_ALL, .min = 8, .max = 16, DEF(16, 16, 12), .unit = "bits", .verilog = "MULT_BITS",
     .help =
         "Width of the requantisation multipliers, of accumulator and residual: scales are multiples of 2^-shift, and "
         "the layer's largest multiplier fills this width."},
    {KEY(post_lanes), .cores = LT_ON_ALL, .min = 1, .max = 64, DEF(2, 2, 16), .unit = "lanes", .verilog = "POST_LANES",
     .help = "Outputs requantised per cycle; divides `lanes`."},
    {KEY(param_groups), .cores = LT_ON_ALL, .min = 1, .max = 1024, DEF(4, 4, 4), .unit = "groups",
     .verilog = "PARAM_GROUPS",
     .help = "Output groups whose bias and multiplier are held on chip, in each of two halves."},
    {KEY(fb_banks), .type = LT_KEY_POW2, .cores = LT_ON_ALL, .min = 2, .max = 16, DEF(4, 4, 4), .unit = "banks",
     .verilog = "FB_BANKS", .help = "Single-port banks of the feature buffer."},
    {KEY(fb_words), .type = LT_KEY_POW2, .cores = LT_ON_ALL, .min = 16, .max = 65536, DEF(512, 512, 512),
     .unit = "words", .verilog = "FB_WORDS", .help = "Words of `lanes` bytes in each feature-buffer bank."},
    {KEY(wb_words), .cores = ON_DENSE, .min = 16, .max = 32768, DEF(576, 576, 0), .unit = "words",
     .verilog = "WB_WORDS", .help = "Words of `lanes` bytes in each of the two weight-buffer banks."},
    {KEY(psum_words), .cores = ON_DENSE, .min = 1, .max = 4096, DEF(16, 16, 0), .unit = "words",
     .verilog = "PSUM_WORDS",
     .help = "Entries of `lanes` accumulators in each of the two partial-sum banks; 1: no partial-sum memory."},
    {KEY(wrf_depth), .cores = LT_ON_EWS, .min = 3, .max = 64, DEF(2, 16, 0), .unit = "weights", .verilog = "WRF_DEPTH",
     .help = "Weights held per multiplier. `ws` has 2: one works while the other loads. A*B*D of a layer fits here."},
    {KEY(arf_depth), .cores = LT_ON_EWS, .min = 0, .max = 64, DEF(0, 16, 0), .unit = "words", .verilog = "ARF_DEPTH",
     .help = "Activation words kept in the array for reuse; 0: none, as in `ws`."},
    {KEY(prf_depth), .cores = LT_ON_EWS, .min = 1, .max = 15, DEF(1, 4, 0), .unit = "sums", .verilog = "PRF_DEPTH",
     .help = "Partial-sum registers per output: the most output groups (A) worked on in turn; `ws` has 1."},
    {KEY(dot_stages), .cores = ON_DENSE, .min = 0, .max = 3, DEF(1, 1, 0), .unit = "stages", .verilog = "DOT_STAGES",
     .help = "Pipeline registers inside the dot product."},
    {KEY(pq_mode), .type = LT_KEY_ENUM, .cores = LT_ON_PQ, .max = 1, .words = modes, DEF(0, 0, QPQ_CHANNEL), .unit = "",
     .verilog = "PQ_MODE",
     .help = "What one code stands for: `channel` is `pq_length` channels of one pixel, `spatial` the kernel window of "
             "one channel."},
    {KEY(pq_prototypes), .type = LT_KEY_POW2, .cores = LT_ON_PQ, .min = 2, .max = 64, DEF(0, 0, 16),
     .unit = "prototypes", .verilog = "PQ_PROTOTYPES", .help = "Prototypes per codebook (K): entries of a LUT."},
    {KEY(pq_length), .cores = LT_ON_PQ, .min = 2, .max = 64, DEF(0, 0, 8), .unit = "values", .verilog = "PQ_LENGTH",
     .help = "Subvector length (L): channels per codebook in `channel` mode, 9 (a 3x3 window) in `spatial` mode."},
    {KEY(pq_encoder), .type = LT_KEY_ENUM, .cores = LT_ON_PQ, .max = 2, .words = encoders, DEF(0, 0, QENC_TREE),
     .unit = "", .verilog = "PQ_ENCODER",
     .help = "How a code is found: least `l1` or `l2` distance to a prototype, or a decision `tree` of depth log2 K."},
    {KEY(pq_enc_bits), .cores = LT_ON_PQ, .min = 1, .max = 8, DEF(0, 0, 8), .unit = "bits", .verilog = "PQ_ENC_BITS",
     .help = "High bits of an activation that the encoder compares."},
    {KEY(pq_enc_cycles), .type = LT_KEY_POW2, .cores = LT_ON_PQ, .min = 1, .max = 32, DEF(0, 0, 1), .unit = "cycles",
     .verilog = "PQ_ENC_CYCLES",
     .help = "Cycles per encoded word: `l1` and `l2` compare K/cycles prototypes at a time; `tree` takes 1."},
    {KEY(pq_lut_bits), .cores = LT_ON_PQ, .min = 4, .max = 8, DEF(0, 0, 4), .unit = "bits", .verilog = "PQ_LUT_BITS",
     .help = "Width of a LUT entry."},
    {KEY(pq_mirror), .cores = LT_ON_PQ, .min = 0, .max = 1, DEF(0, 0, 0), .unit = "", .verilog = "PQ_MIRROR",
     .help =
         "1: the entry of code K-1-c is the negative of code c's, so that only the first K/2 are stored, loaded and "
         "trained."},
    {KEY(pq_codebooks), .cores = LT_ON_PQ, .min = 1, .max = 64, DEF(0, 0, 2), .unit = "codebooks",
     .verilog = "PQ_CODEBOOKS",
     .help = "Codebooks looked up per cycle and tap (`channel`), or channels per cycle (`spatial`)."},
    {KEY(pq_chunks), .cores = LT_ON_PQ, .min = 1, .max = 64, DEF(0, 0, 4), .unit = "words", .verilog = "PQ_CHUNKS",
     .help = "Window depth: code words kept per kernel tap."},
    {KEY(pq_lut_rows), .cores = LT_ON_PQ, .min = 1, .max = 256, DEF(0, 0, 4), .unit = "sets", .verilog = "PQ_LUT_ROWS",
     .help = "LUT sets (K entries, K/2 with `pq_mirror`, x `lanes`) per LUT bank, in each of two halves."},
    {KEY(pq_code_words), .cores = LT_ON_PQ, .min = 16, .max = 32768, DEF(0, 0, 512), .unit = "words",
     .verilog = "PQ_CODE_WORDS", .help = "Code words in each of the three row banks, in each of two maps."},
    {KEY(pq_fb_pairs), .cores = LT_ON_PQ, .min = 0, .max = 1, DEF(0, 0, 0), .unit = "", .verilog = "FB_PAIRS",
     .help = "1: neighbouring words of the feature buffer lie in the two banks of a pair, so that results may replace "
             "residuals even where `post_lanes` is `lanes`; tensors then take whole pairs of banks."},
    {KEY(pq_dense), .cores = LT_ON_PQ, .min = 0, .max = 64, DEF(0, 0, 1), .unit = "multipliers", .verilog = "PQ_DENSE",
     .help =
         "Dense int8 multipliers per lane, for layers that are kept dense (by default the first and last); 0: none. In "
         "`channel` mode 9 work on all kernel taps at once, 3 on a column of taps, 1 on one tap; in `spatial` mode "
         "they work on that many channels."},
};
const int lt_n_keys = sizeof lt_keys / sizeof lt_keys[0];
_Static_assert(sizeof lt_keys / sizeof lt_keys[0] <= LT_MAX_KEYS, "raise LT_MAX_KEYS");
/* every int of lt_config is described */
_Static_assert(sizeof lt_keys / sizeof lt_keys[0] == (sizeof(lt_config) - sizeof((lt_config *)0)->name) / sizeof(int),
               "a field of lt_config has no table entry");

int lt_key_find(const char *name)
{
    for (int i = 0; i < lt_n_keys; i++)
        if (strcmp(lt_keys[i].name, name) == 0) return i;
    return -1;
}

int lt_key_get(const lt_key *k, const lt_config *cfg)
{
    int v;
    memcpy(&v, (const char *)cfg + k->offset, sizeof v);
    return v;
}

void lt_key_set(const lt_key *k, lt_config *cfg, int value)
{
    memcpy((char *)cfg + k->offset, &value, sizeof value);
}

static bool is_pow2(int v)
{
    return v > 0 && (v & (v - 1)) == 0;
}

bool lt_key_legal(const lt_key *k, int value)
{
    return value >= k->min && value <= k->max && (k->type != LT_KEY_POW2 || is_pow2(value));
}

void lt_key_print_value(lt_buf *b, const lt_key *k, int value)
{
    if (k->type == LT_KEY_ENUM && value >= 0 && value <= k->max)
        lt_buf_puts(b, k->words[value]);
    else
        lt_buf_printf(b, "%d", value);
}

void lt_key_print_legal(lt_buf *b, const lt_key *k)
{
    if (k->type == LT_KEY_INT) {
        lt_buf_printf(b, "%d..%d", k->min, k->max);
        return;
    }
    if (k->type == LT_KEY_POW2 && k->max / k->min > 16) {
        lt_buf_printf(b, "a power of two in %d..%d", k->min, k->max);
        return;
    }
    for (int v = k->min, next; v <= k->max; v = next) {
        next = k->type == LT_KEY_POW2 ? 2 * v : v + 1;
        if (v > k->min) lt_buf_puts(b, next > k->max ? " or " : ", ");
        lt_key_print_value(b, k, v);
    }
}

void lt_config_defaults(int core, lt_config *cfg)
{
    memset(cfg, 0, sizeof *cfg);
    for (int i = 0; i < lt_n_keys; i++) lt_key_set(&lt_keys[i], cfg, lt_keys[i].def[core]);
}
