/* Derived descriptor fields of the pq core: docs/architecture.md section 6. */
#include "emit/regs.h"
#include "program/pack_pq.h"

enum { FLAG_ACC_IN = 1 << 20, FLAG_ACC_OUT = 1 << 21, FLAG_FINISHED = 1 << 22, FLAG_ACC_SHORT = 1 << 23 };

static int get(const uint32_t *d, lt_dfield f)
{
    return (int)lt_desc_get(d, f);
}

static void put(uint32_t *d, int word, int lsb, int bits, int v)
{
    uint32_t mask = (uint32_t)(((uint64_t)1 << bits) - 1);
    d[word] = (d[word] & ~(mask << lsb)) | ((uint32_t)v & mask) << lsb;
}

static int floor_div(int a, int b)
{
    return a >= 0 ? a / b : -((-a + b - 1) / b);
}

/* STREAM: columns fetched per row, columns before the first pixel is complete, columns from a row's last pixel to the
 * next row's first. */
typedef struct {
    int cols, before, gap;
} stream_shape;

static bool can_stream(const lt_config *c, const uint32_t *d, int count, stream_shape *s)
{
    int r = get(d, LT_D_R), k = get(d, LT_D_S), pad = get(d, LT_D_PAD_L), stride = get(d, LT_D_STRIDE);
    int in_w = get(d, LT_D_IN_W), out_w = get(d, LT_D_OUT_W), last = (out_w - 1) * stride;

    if (r > 3 || k > 3 || get(d, LT_D_DILATION) != 1 || count > c->pq_chunks) return false;
    s->cols = last + k - pad < in_w ? last + k - pad : in_w;
    s->before = k - 1 - pad;
    s->gap = s->cols - last;
    return s->cols >= 1 && s->before >= 0 && s->gap >= 1;
}

static void finish_stream(uint32_t *d, const stream_shape *s)
{
    put(d, 6, 0, 16, s->cols);
    put(d, 6, 16, 16, s->gap);
    put(d, 12, 16, 16, s->before);
}

/* Bank, word address and bank step of the row counters of a code map with `pitch` words per row triple. */
static void finish_code_rows(uint32_t *d, int pitch, int code_in, int pad_t, int row_step, int sub_step)
{
    int triple = floor_div(-pad_t, 3);
    put(d, 1, 0, 16, pitch);
    put(d, 1, 16, 16, sub_step / 3 * pitch);
    put(d, 7, 0, 16, row_step / 3 * pitch);
    put(d, 7, 28, 2, -pad_t - 3 * triple);
    put(d, 7, 30, 2, row_step % 3);
    put(d, 11, 0, 2, sub_step % 3);
    put(d, 13, 0, 16, code_in + triple * pitch);
}

static void finish_output(const lt_config *c, uint32_t *d)
{
    int row0 = get(d, LT_D_OUT_ROW0), chunks = get(d, LT_D_CODE_OUT_CHUNKS), pitch = get(d, LT_D_OUT_W) * chunks;
    int base = get(d, LT_D_CODE_OUT) + row0 / 3 * pitch + get(d, LT_D_CODE_OG0);
    int res_row = get(d, LT_D_RES_W) * get(d, LT_D_RES_STEP), cycles = c->lanes / c->post_lanes, write = 0;

    if (get(d, LT_D_RES_OG_OFF) > 0 || get(d, LT_D_RES_OG_COUNT) < 1)
        put(d, 0, 9, 1, 0); /* no residual in this group */
    if (get(d, LT_D_WRITE_CODE)) {
        bool raw = get(d, LT_D_CODE_RAW);
        write = lt_pq_group_words(c, raw) * (raw ? 1 : c->pq_enc_cycles);
    }
    put(d, 3, 16, 16, pitch);
    put(d, 7, 16, 12, write > cycles ? write : cycles);
    put(d, 10, 16, 16, res_row);
    put(d, 11, 0, 12, 0);
    put(d, 11, 16, 16, 0);
    put(d, 11, 2, 2, row0 % 3);
    put(d, 14, 0, 16, base);
}

void lt_pq_finish_desc(const lt_config *c, uint32_t desc[16])
{
    lt_pq_finish_part(c, desc, 0, get(desc, LT_D_OPCODE) == LT_OP_POOL ? 1 : get(desc, LT_D_CHUNKS));
}

void lt_pq_finish_part(const lt_config *c, uint32_t desc[16], int first, int count)
{
    uint32_t d[16];
    bool pool = get(desc, LT_D_OPCODE) == LT_OP_POOL;
    int chunks = pool ? 1 : get(desc, LT_D_CHUNKS), in_w = get(desc, LT_D_IN_W), stride = get(desc, LT_D_STRIDE);
    int dil = get(desc, LT_D_DILATION), pad_t = get(desc, LT_D_PAD_T), pad_l = get(desc, LT_D_PAD_L);
    int tall = !pool && dil == 1 ? 3 : 1, kernel_rows = get(desc, LT_D_R), kernel_cols = get(desc, LT_D_S);
    stream_shape s;

    if (desc[0] & FLAG_FINISHED) return;
    for (int i = 0; i < 16; i++) d[i] = desc[i];
    finish_output(c, d);
    if (pool) {
        put(d, 1, 0, 16, 0);
        put(d, 1, 16, 16, dil * in_w);
        put(d, 7, 0, 16, stride * in_w);
        put(d, 7, 28, 4, 0);
        put(d, 13, 0, 16, get(desc, LT_D_IN_BASE) - pad_t * in_w);
    } else {
        finish_code_rows(d, in_w * chunks, get(desc, LT_D_CODE_IN) + first, pad_t, stride, tall * dil);
    }
    /* rows of pixels x columns fetched for each, streaming or not */
    bool stream = !pool && get(desc, LT_D_STREAM) && can_stream(c, desc, count, &s) &&
                  s.cols <= get(desc, LT_D_OUT_W) * kernel_cols && kernel_rows <= 3;
    put(d, 0, 18, 1, stream);
    if (stream) {
        finish_stream(d, &s);
    } else {
        put(d, 6, 0, 16, dil * chunks);
        put(d, 6, 16, 16, stride * chunks);
        put(d, 12, 16, 16, -pad_l * chunks);
    }
    put(d, 15, 16, 16, stream ? chunks - count + 1 : 3 * dil * chunks - (count - 1));
    if (!pool) put(d, 13, 17, 15, count);
    d[0] |= FLAG_FINISHED;
    for (int i = 0; i < 16; i++) desc[i] = d[i];
    lt_pq_set_prototypes(c, desc, c->pq_prototypes);
}

void lt_pq_set_prototypes(const lt_config *c, uint32_t desc[16], int prototypes)
{
    bool lookup = get(desc, LT_D_OPCODE) == LT_OP_CONV && !get(desc, LT_D_DENSE);
    put(desc, 11, 4, 6, lookup ? lt_pq_step_rows(c, prototypes) - 1 : 0);
}

bool lt_pq_acc_short(const lt_config *c, const qlayer *l, int codebooks)
{
    if (l->encoder < 0 || c->acc_bits <= 16) return false;
    int taps = c->pq_mode == QPQ_SPATIAL ? 1 : l->r * l->s;
    return (int64_t)codebooks * taps << (l->lut_bits - 1) <= INT16_MAX;
}

int lt_pq_acc_words(const lt_config *c, bool is_short)
{
    return is_short ? 2 : (c->acc_bits + 7) / 8;
}

void lt_pq_acc_in(uint32_t desc[16], int from, bool is_short)
{
    desc[0] |= FLAG_ACC_IN | (is_short ? FLAG_ACC_SHORT : 0);
    put(desc, 11, 16, 16, from);
}

void lt_pq_acc_out(uint32_t desc[16], bool is_short)
{
    desc[0] |= FLAG_ACC_OUT | (is_short ? FLAG_ACC_SHORT : 0);
}
