#include "program/pack_mac.h"

/* What does not change while one operation's weights are packed. */
typedef struct {
    const qlayer *l;
    int in_c, lanes;
} packing;

/* w[k][c][tap] of the whole layer, 0 outside it and between convolution groups. */
static int8_t weight(const packing *p, int k, int c, int tap)
{
    const qlayer *l = p->l;
    int groups = l->groups > 0 ? l->groups : 1, taps = l->r * l->s;
    int kpg = l->k / groups, cpg = p->in_c / groups;

    if (k >= l->k || c >= p->in_c || k / kpg != c / cpg) return 0;
    return l->w[((size_t)k * (size_t)cpg + (size_t)(c % cpg)) * (size_t)taps + (size_t)tap];
}

/* The rows of one entry: `lanes` input channels of group ig towards the lanes of output group og. */
static void pack_entry(const packing *p, int og, int ig, int tap, lt_buf *words)
{
    int bytes = 1;

    while (bytes < p->lanes) bytes *= 2;
    for (int row = 0; row < p->lanes; row++) {
        for (int lane = 0; lane < p->lanes; lane++)
            lt_buf_u8(words, (uint8_t)weight(p, og * p->lanes + lane, ig * p->lanes + row, tap));
        for (int i = p->lanes; i < bytes; i++) lt_buf_u8(words, 0);
    }
}

/* Number in the kernel of tap i of a part. */
static int tap_of(const qlayer *l, const lt_mac_part *part, int i)
{
    return (part->r0 + i / part->s) * l->s + part->s0 + i % part->s;
}

void lt_pack_mac_weights(const qlayer *l, int in_c, int lanes, int og0, int og, int cg_step, const lt_mac_part *part,
                         const lt_mac_schedule *s, lt_buf *words)
{
    const packing p = {l, in_c, lanes};
    int taps = part->r * part->s;

    for (int set = og0; set < og0 + og; set += s->a)
        for (int c = 0; c < part->cg; c += s->b)
            for (int t = 0; t < taps; t += s->d)
                for (int d = 0; d < s->d; d++)
                    for (int b = 0; b < s->b; b++)
                        for (int a = 0; a < s->a; a++)
                            pack_entry(&p, set + a, (set + a) * cg_step + part->c0 + c + b, tap_of(l, part, t + d),
                                       words);
}
