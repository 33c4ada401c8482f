/* Homes of tensors in the code memory of the pq core, and the encoders that fill it. */
#include "program/builder.h"

#include "golden/golden.h"
#include "program/pack_pq.h"

/* How the reader `l` wants its input: codes of an encoder, or plain values. */
static code_kind kind_for(const builder *b, const qlayer *l)
{
    bool codes = l->encoder >= 0 && b->net->encoders[l->encoder].mode == QPQ_CHANNEL;
    return codes ? CODE_CODES : CODE_VALUES;
}

static bool spatial(const builder *b)
{
    return b->cfg->pq_mode == QPQ_SPATIAL;
}

/* Chunks that addresses of a map count in a code word: values, where several lie in one. */
static int word_chunks(const builder *b, code_kind kind)
{
    return kind == CODE_VALUES && !spatial(b) ? lt_pq_word_values(b->cfg) : 1;
}

/* Chunks per pixel of a tensor as the hardware writes it. */
static int chunks_of(const builder *b, const qtensor *t, code_kind kind)
{
    return groups_of(b, t) * lt_pq_group_words(b->cfg, kind == CODE_VALUES) * word_chunks(b, kind);
}

static int code_words(const builder *b, const qtensor *t, int rows, int chunks, code_kind kind)
{
    return ceil_div(ceil_div(rows, 3) * t->w * chunks, word_chunks(b, kind));
}

int code_word_chunks(const builder *b, const qlayer *l)
{
    return word_chunks(b, kind_for(b, l));
}

int code_chunks(const builder *b, const qlayer *l)
{
    const place *p = &b->at[l->in];
    return p->code == kind_for(b, l) ? p->chunks : chunks_of(b, &b->net->tensors[l->in], kind_for(b, l));
}

/* The next convolution that reads tensor t after the layer being built, or NULL. */
static const qlayer *next_reader(const builder *b, int t)
{
    for (int i = b->layer + 1; i < b->layers_end; i++)
        if (b->net->layers[i].in == t && b->net->layers[i].op == QOP_CONV) return &b->net->layers[i];
    return NULL;
}

/* A map to write to, other than `except` (-1: any). What it holds is lost; a tensor that is still wanted has to be made
 * again. */
static int choose_map(builder *b, int except)
{
    int m = except == 0;
    if (except < 0 && b->map_tensor[0] >= 0 && b->map_tensor[1] < 0) m = 1;
    int t = b->map_tensor[m];
    if (t >= 0) {
        b->at[t].code = CODE_NONE;
        for (int i = 0; i < b->batch && b->images > 1; i++) b->places[i * b->net->n_tensors + t].code = CODE_NONE;
        if (next_reader(b, t) && !b->at[t].wants_fb) b->remake = t;
        b->map_tensor[m] = -1;
    }
    return m;
}

/* The map for tensor t of this image: all images of a layer that is built for all use the one of the first. */
static void take_map(builder *b, int t, int except)
{
    place *p = &b->at[t];

    p->map = b->images > 1 && b->image > 0 ? b->places[t].map : choose_map(b, except);
    p->code_base = b->images > 1 ? b->image * code_room(b) : 0;
    b->map_tensor[p->map] = t;
}

void load_encoder(builder *b, const qencoder *e, const qtensor *t, int first, int n, int slot)
{
    for (int i = 0; i < n; i++) {
        lt_buf words = {0};
        lt_pq_load at = lt_pq_enc_load(b->cfg, slot + i);
        lt_pack_pq_encoder(b->cfg, e, t->is_signed, first + i, &words);
        add_packed_load(b, TO_ENC, at.address, at.words, at.rows, at.stride, &words);
        lt_buf_free(&words);
    }
}

/* Operation d writes group og of tensor t to a code map for reader; the map holds groups first .. first+groups-1. */
static void write_code(builder *b, uint32_t *d, int t, const qlayer *reader, int map, int og, int first, int groups)
{
    code_kind kind = kind_for(b, reader);
    const qtensor *q = &b->net->tensors[t];
    int words = lt_pq_group_words(b->cfg, kind == CODE_VALUES);

    set_field(b, d, LT_D_WRITE_CODE, 1);
    set_field(b, d, LT_D_CODE_RAW, kind == CODE_VALUES);
    set_field(b, d, LT_D_CODE_OUT, b->at[t].code_base);
    set_field(b, d, LT_D_CODE_OUT_MAP, map);
    b->map_used[map] = b->ops + 1;
    set_field(b, d, LT_D_CODE_OUT_CHUNKS, groups * words);
    set_field(b, d, LT_D_CODE_OG0, (og - first) * words);
    if (kind == CODE_CODES) {
        load_encoder(b, &b->net->encoders[reader->encoder], q, og, 1, b->ops % 2);
        set_field(b, d, LT_D_ENC_BASE, b->ops % 2);
    }
}

void set_code_output(builder *b, uint32_t *d, const qlayer *l, const tiling *t, int og)
{
    place *p = &b->at[l->out];
    const qtensor *q = &b->net->tensors[l->out];
    const qlayer *reader = b->cfg->core == CORE_PQ && !p->in_dram ? next_reader(b, l->out) : NULL;

    if (!reader) return;
    code_kind kind = kind_for(b, reader);
    int chunks = chunks_of(b, q, kind);
    /* a layer in tiles needs the maps for its input */
    if (t->count > 1 || t->groups || code_words(b, q, q->h, chunks, kind) > code_room(b)) {
        if (!p->wants_fb) b->remake = l->out; /* its reader will encode it tile by tile */
        return;
    }
    if (og == 0) {
        bool reads_code = l->op == QOP_CONV && b->at[l->in].code != CODE_NONE;
        take_map(b, l->out, reads_code ? b->at[l->in].map : -1);
        p->code = kind;
        p->chunks = chunks;
    }
    write_code(b, d, l->out, reader, p->map, og, 0, groups_of(b, q));
}

lt_code place_input_code(builder *b)
{
    const lt_config *c = b->cfg;
    const qtensor *t = &b->net->tensors[0];
    place *p = &b->at[0];
    lt_image *img = &b->p->image;

    p->chunks = spatial(b) ? groups_of(b, t) : t->c;
    if (kind_for(b, &b->net->layers[0]) == CODE_CODES ||
        code_words(b, t, t->h, p->chunks, CODE_VALUES) > c->pq_code_words) {
        b->remake = 0; /* goes through the feature buffer */
        return b->err->code;
    }
    p->code = CODE_VALUES;
    p->map = b->map_used[1] < b->map_used[0]; /* the image before may still be using the other one */
    p->code_base = 0;
    b->map_tensor[p->map] = 0;
    img->input_bytes = lt_image_code_layout(&img->input, LUTRA_BASE_INPUT, 0, t->c, t->h, t->w,
                                            word_chunks(b, CODE_VALUES) > 1 ? 8 : lt_pq_code_word_bits(c),
                                            spatial(b) ? c->lanes : 1, c->bus_bits / 8);
    img->input.bits = (uint32_t)t->bits;
    img->input.is_signed = t->is_signed;
    return b->err->code;
}

void load_input_code(builder *b)
{
    const qtensor *t = &b->net->tensors[0];
    uint32_t from = (uint32_t)b->image * image_stride(b->p->image.input_bytes);

    if (b->load_need < b->map_used[b->at[0].map]) b->load_need = b->map_used[b->at[0].map];
    add_load(b, LUTRA_BASE_INPUT, from, TO_CODE, b->at[0].map * b->cfg->pq_code_words,
             code_words(b, t, t->h, b->at[0].chunks, CODE_VALUES), 1, 0, 0);
}

/* Groups first .. first+groups-1 of a tensor from the feature buffer, where `from` begins with them, into a code map:
 * pooling with a 1x1 window and multiplier 1. */
static void copy_to_code(builder *b, const qlayer *reader, const view *from, int first, int groups, int map, bool *open)
{
    enum { ONE = 1 };
    const lt_config *c = b->cfg;
    int t = reader->in;
    const qtensor *q = &b->net->tensors[t];
    uint16_t mult[64];
    int32_t bias[64] = {0};

    for (int i = 0; i < 64; i++) mult[i] = ONE;
    for (int og = first; og < first + groups; og++) {
        int param = b->ops % 2 * c->param_groups;
        qlayer copy = {.op = QOP_SUMPOOL,
                       .in = t,
                       .out = t,
                       .res = -1,
                       .k = c->lanes,
                       .r = 1,
                       .s = 1,
                       .stride = 1,
                       .dilation = 1,
                       .groups = 1,
                       .encoder = -1,
                       .bias = bias,
                       .mult = mult,
                       .lo = qtensor_min(q),
                       .hi = qtensor_max(q)};
        if (!*open) open_group(b, false);
        *open = false;
        load_params(b, &copy, 0, 1, param, false);
        uint32_t op[16] = {0};
        set_field(b, op, LT_D_OPCODE, LT_OP_POOL);
        view out = {.rows = from->rows, .cols = from->cols};
        set_groups(b, op, &copy, out, NULL, 0, param);
        set_field(b, op, LT_D_IN_BASE, from->base + (og - first) * from->plane);
        set_field(b, op, LT_D_IN_PLANE, from->plane);
        set_field(b, op, LT_D_IN_H, from->rows);
        set_field(b, op, LT_D_IN_W, from->cols);
        set_field(b, op, LT_D_R, 1);
        set_field(b, op, LT_D_S, 1);
        set_field(b, op, LT_D_OG, 1);
        write_code(b, op, t, reader, map, og, first, groups);
        lt_pq_finish_desc(c, op);
        finish_op(b, add_op(b, op));
    }
    b->barrier = true; /* the convolution reads what was just written */
}

void code_for_tile(builder *b, const qlayer *l, const tiling *t, view *in, bool *open, int *map)
{
    place *p = &b->at[l->in];
    const qtensor *q = &b->net->tensors[l->in];
    code_kind kind = kind_for(b, l);

    if (t->count == 1 && p->code == kind) {
        *map = p->map;
        *in = (view){.rows = q->h, .cols = q->w};
        return;
    }
    if (!p->in_fb && !p->in_dram) {
        b->remake = l->in;
        *map = 0;
        return;
    }
    take_map(b, l->in, -1);
    *map = p->map;
    if (t->count > 1) b->map_tensor[*map] = -1;
    copy_to_code(b, l, in, 0, groups_of(b, q), *map, open);
    if (t->count == 1) {
        p->code = kind;
        p->chunks = chunks_of(b, q, kind);
    }
}

int code_group_chunks(const builder *b, const qlayer *l)
{
    return lt_pq_group_words(b->cfg, kind_for(b, l) == CODE_VALUES) * code_word_chunks(b, l);
}

void code_for_groups(builder *b, const qlayer *l, const view *in, int first, int groups, bool *open, int *map)
{
    *map = choose_map(b, -1);
    copy_to_code(b, l, in, first, groups, *map, open);
}
