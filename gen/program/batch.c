/* Several images in one program. Layers run image by image up to one from which on each works on all images before the
 * next layer begins, so that its tables are loaded once (only pq; docs/architecture.md section 4). Tensors that wait
 * for that go through DRAM. Between images nothing but the input overlaps. */
#include "program/builder.h"

#include "golden/golden.h"

bool waits(const builder *b, int t)
{
    bool early = t == 0;

    if (b->together >= b->n_layers) return false;
    for (int i = 0; i < b->together; i++) early = early || b->net->layers[i].out == t;
    return early && qnet_last_use(b->net, t) >= b->together;
}

void select_image(builder *b, int image)
{
    b->image = image;
    b->at = b->places + (size_t)image * (size_t)b->net->n_tensors;
}

int code_room(const builder *b)
{
    return b->cfg->pq_code_words / b->images;
}

uint32_t image_stride(uint32_t bytes)
{
    return (bytes + LUTRA_IMAGE_ALIGN - 1) / LUTRA_IMAGE_ALIGN * LUTRA_IMAGE_ALIGN;
}

lutra_tensor image_output(const builder *b)
{
    lutra_tensor t = b->p->image.output;
    t.offset += (uint32_t)b->image * image_stride(b->p->image.output_bytes);
    return t;
}

static bool stopped(const builder *b)
{
    return b->err->code != LT_OK || b->spill >= 0 || b->remake >= 0 || b->apart >= 0 || b->shallow;
}

/* An image's layers are done: its tensors leave the chip. */
static void leave(builder *b)
{
    for (int i = 0; i < MAX_BANKS; i++) b->bank_tensor[i] = -1;
    b->map_tensor[0] = b->map_tensor[1] = -1;
    for (int t = 0; t < b->net->n_tensors; t++) {
        b->at[t].in_fb = false;
        b->at[t].code = CODE_NONE;
    }
    b->stores_floor = b->store_signals;
}

static void first_layers(builder *b)
{
    b->layers_end = b->together;
    for (int image = 0; image < b->batch && !stopped(b); image++) {
        select_image(b, image);
        place_input(b);
        for (b->layer = 0; b->layer < b->together && !stopped(b); b->layer++) {
            const qlayer *l = &b->net->layers[b->layer];
            build_layer(b, l);
            b->banks_last = banks_of(b, l->in) | banks_of(b, l->out) | (l->res >= 0 ? banks_of(b, l->res) : 0);
            release_dead(b);
        }
        leave(b);
    }
    b->layers_end = b->n_layers;
}

/* The tensors that wait come back, of all images. */
static void load_waiting(builder *b)
{
    bool first = true;

    b->layer = b->together;
    open_group(b, true);
    for (int image = 0; image < b->batch && !stopped(b); image++) {
        select_image(b, image);
        for (int t = 0; t < b->net->n_tensors; t++) {
            const qtensor *q = &b->net->tensors[t];
            if (!waits(b, t)) continue;
            if (b->at[t].in_dram || !take_banks(b, t, 0)) {
                lt_fail(b->err, LT_EINPUT, "no room for %d images", b->batch);
                return;
            }
            if (first) { /* stores are done in order */
                set_field(b, b->p->desc[b->last_store], LT_D_SIGNAL_A, 1);
                b->load_after_store = true;
            }
            first = false;
            view whole = {b->at[t].base, q->h * q->w, 0, q->h, 0, q->w};
            load_rows(b, t, &whole, 0, groups_of(b, q));
        }
    }
}

static void pool_all(builder *b, const qlayer *l)
{
    for (int image = 0; image < b->batch && !stopped(b); image++) {
        select_image(b, image);
        build_layer(b, l);
    }
}

static void conv_all(builder *b, const qlayer *l)
{
    bool done = false;

    for (int image = 0; image < b->batch && !stopped(b); image++) {
        select_image(b, image);
        place_output(b, l);
    }
    b->barrier = true;
    if (!stopped(b)) lower_conv_batch(b, l, &done);
    for (int image = 0; image < b->batch && !done && !stopped(b); image++) {
        select_image(b, image);
        lower_conv_pq(b, l);
    }
}

lt_code build_batch(builder *b)
{
    first_layers(b);
    if (b->together < b->n_layers && !stopped(b)) {
        load_waiting(b);
        b->images = b->batch;
        for (; b->layer < b->n_layers && !stopped(b); b->layer++) {
            const qlayer *l = &b->net->layers[b->layer];
            if (l->op == QOP_CONV)
                conv_all(b, l);
            else
                pool_all(b, l);
            release_dead(b);
        }
    }
    if (b->layer == b->n_layers) b->layer--;
    add_desc(b, LT_OP_END);
    order_tables(b->p);
    return b->err->code;
}
