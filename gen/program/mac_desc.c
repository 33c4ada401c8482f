#include "program/mac_desc.h"

#include "emit/regs.h"

/* w0: the derived fields are there. The hardware does not look at it. */
#define FLAG_FINISHED (1u << 22)

/* a and b modulo 2^16 as the low and high half of a word. */
static uint32_t halves(int64_t a, int64_t b)
{
    return ((uint32_t)a & 0xffffu) | (uint32_t)b << 16;
}

void lt_mac_finish_desc(uint32_t desc[16])
{
    if (desc[0] & FLAG_FINISHED) return;

    int64_t in_w = lt_desc_get(desc, LT_D_IN_W), stride = lt_desc_get(desc, LT_D_STRIDE);
    int64_t pad_t = lt_desc_get(desc, LT_D_PAD_T), pad_l = lt_desc_get(desc, LT_D_PAD_L);
    int64_t out_h = lt_desc_get(desc, LT_D_OUT_H), out_w = lt_desc_get(desc, LT_D_OUT_W);
    int64_t taps = lt_desc_get(desc, LT_D_R) * lt_desc_get(desc, LT_D_S);

    desc[0] |= FLAG_FINISHED;
    desc[1] = halves(lt_desc_get(desc, LT_D_IN_BASE) - pad_t * in_w, lt_desc_get(desc, LT_D_IN_PLANE));
    desc[12] =
        halves(lt_desc_get(desc, LT_D_RES_MULT), lt_desc_get(desc, LT_D_RES_STEP) * lt_desc_get(desc, LT_D_RES_W));
    desc[13] = halves(stride * in_w, lt_desc_get(desc, LT_D_DILATION) * in_w);
    desc[14] = halves(out_h * out_w, (out_w - 1) * stride);
    desc[15] = ((uint32_t)-pad_l & 0x1ffu) | ((uint32_t)-pad_t & 0x1ffu) << 9 | (uint32_t)taps << 18;
}

/* Rows or columns of the input that no window reaches, of `size`. */
static int skipped(int pad, int64_t size)
{
    int n = pad < 0 ? -pad : 0;
    return n < size ? n : (int)size;
}

bool lt_mac_finish_part(uint32_t desc[16], const lt_mac_part *part, int pad_t, int pad_l)
{
    int dil = (int)lt_desc_get(desc, LT_D_DILATION);
    int64_t in_h = lt_desc_get(desc, LT_D_IN_H), in_w = lt_desc_get(desc, LT_D_IN_W);
    int64_t base = lt_desc_get(desc, LT_D_IN_BASE) + part->c0 * lt_desc_get(desc, LT_D_IN_PLANE);

    pad_t -= part->r0 * dil;
    pad_l -= part->s0 * dil;
    /* what lies before the first window is cut off: the fields for padding are short */
    int rows = skipped(pad_t, in_h), cols = skipped(pad_l, in_w);
    base += rows * in_w + cols;
    bool ok = lt_desc_put(desc, LT_D_CG, part->cg) && lt_desc_put(desc, LT_D_R, part->r) &&
              lt_desc_put(desc, LT_D_S, part->s) && lt_desc_put(desc, LT_D_PAD_T, pad_t < 0 ? 0 : pad_t) &&
              lt_desc_put(desc, LT_D_PAD_L, pad_l < 0 ? 0 : pad_l);
    lt_desc_put(desc, LT_D_IN_BASE, base & 0xffff);
    lt_desc_put(desc, LT_D_IN_H, in_h - rows);
    lt_mac_finish_desc(desc);
    lt_desc_put(desc, LT_D_IN_W, in_w - cols); /* from here on only the limit of the columns */
    return ok;
}
