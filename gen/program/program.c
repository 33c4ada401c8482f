#include "program/program.h"

#include <stdlib.h>
#include <string.h>

#include "golden/golden.h"
#include "program/builder.h"

void lt_program_free(lt_program *p)
{
    free(p->desc);
    lt_image_free(&p->image);
    *p = (lt_program){0};
}

lt_code no_room(builder *b, const qlayer *l)
{
    int involved[MAX_BANKS + 3], n = 0;
    size_t most = 0;

    involved[n++] = l->out;
    involved[n++] = l->in;
    if (l->res >= 0) involved[n++] = l->res;
    for (int i = 0; i < b->cfg->fb_banks; i++)
        if (b->bank_tensor[i] >= 0) involved[n++] = b->bank_tensor[i];
    b->spill = -1;
    for (int i = 0; i < n; i++) {
        const place *p = &b->at[involved[i]];
        size_t size = qtensor_size(&b->net->tensors[involved[i]]);
        if (p->spill || !p->wants_fb || size <= most) continue;
        most = size;
        b->spill = involved[i];
    }
    if (b->spill < 0 && b->depth == 2) b->shallow = true;
    if (b->spill >= 0 || b->shallow) return LT_OK;
    return lt_fail(
        b->err, LT_EINPUT,
        "layer %s does not fit: one output row with its input rows exceeds fb_banks x fb_words = %d x %d words",
        l->name, b->cfg->fb_banks, b->cfg->fb_words);
}

void place_output(builder *b, const qlayer *l)
{
    place *p = &b->at[l->out];
    const qtensor *t = &b->net->tensors[l->out];

    if (!p->wants_fb) return;
    if (p->spill) {
        p->in_dram = true;
        if (l->out == b->output_tensor) {
            p->dram = image_output(b);
        } else {
            b->scratch += dram_layout(b, &p->dram, LUTRA_BASE_SCRATCH, b->scratch, t);
        }
        if (b->opt->dumps) b->dump[b->layer] = p->dram;
        return;
    }
    if (in_place(b, l)) {
        take_over(b, l->out, l->res);
    } else if (!take_banks(b, l->out, banks_of(b, l->in) | (l->res >= 0 ? banks_of(b, l->res) : 0))) {
        no_room(b, l);
        return;
    }
    if (b->opt->dumps) b->scratch += dram_layout(b, &b->dump[b->layer], LUTRA_BASE_SCRATCH, b->scratch, t);
    if (waits(b, l->out)) b->scratch += dram_layout(b, &p->dram, LUTRA_BASE_SCRATCH, b->scratch, t);
}

lt_code build_layer(builder *b, const qlayer *l)
{
    place_output(b, l);
    if (b->spill >= 0 || b->shallow || b->err->code != LT_OK) return b->err->code;
    b->barrier = b->layer > 0 || b->image > 0;
    if (l->op != QOP_CONV) return lower_pool(b, l);
    return b->cfg->core == CORE_PQ ? lower_conv_pq(b, l) : lower_conv_mac(b, l);
}

/* Which tensors need values in the feature buffer (or DRAM): all on the mac cores; on pq those that are read by pools,
 * adds and residuals, that leave the chip, and those whose codes had to be made again in an earlier attempt. */
static void decide_homes(builder *b, const bool *spill, const bool *remake, const bool *apart)
{
    int n = b->net->n_tensors;
    for (int i = 0; i < n * b->batch; i++) {
        int t = i % n;
        place *p = &b->places[i];
        p->spill = spill[t];
        p->apart = apart[t];
        p->wants_fb = b->cfg->core != CORE_PQ || t == b->output_tensor || remake[t] || spill[t] ||
                      (b->opt->dumps && t > 0) || waits(b, t);
        for (int k = 0; k < b->n_layers; k++) {
            const qlayer *l = &b->net->layers[k];
            if (l->res == t || (l->in == t && l->op != QOP_CONV)) p->wants_fb = true;
        }
        p->dump_only = b->opt->dumps && t > 0 && !p->wants_fb;
        if (p->dump_only) p->wants_fb = true;
    }
}

lt_code place_input(builder *b)
{
    const qtensor *t = &b->net->tensors[0];
    lt_image *img = &b->p->image;
    place *p = &b->at[0];
    bool tiled = false;

    b->input_loaded = false;
    b->input_waits = false;
    if (!p->wants_fb) return place_input_code(b);
    img->input_bytes = dram_layout(b, &img->input, LUTRA_BASE_INPUT, 0, t);
    p->dram = img->input;
    p->dram.offset += (uint32_t)b->image * image_stride(img->input_bytes);
    if (p->spill) {
        p->in_dram = true;
        b->input_waits = b->image > 0;
        b->input_loaded = b->image == 0;
    } else {
        /* tiles of tensors in DRAM may have been anywhere */
        for (int i = 0; i < b->net->n_tensors; i++) tiled = tiled || b->at[i].spill;
        bool apart = take_banks(b, 0, b->banks_last);
        b->input_waits = b->image > 0 && (tiled || !apart);
        if (!apart && !take_banks(b, 0, 0)) no_room(b, &b->net->layers[0]);
    }
    return b->err->code;
}

static lt_code attempt(builder *b)
{
    const qtensor *out = &b->net->tensors[b->output_tensor];
    lt_image *img = &b->p->image;

    img->output_bytes = dram_layout(b, &img->output, LUTRA_BASE_OUTPUT, 0, out);
    img->profile_base = LUTRA_BASE_SCRATCH;
    img->profile_count = b->opt->profile ? b->n_layers : 0;
    img->profile_stride = (uint32_t)b->cfg->bus_bits / 8;
    if (img->profile_stride < LUTRA_COUNTERS_BYTES) img->profile_stride = LUTRA_COUNTERS_BYTES;
    b->scratch = (uint32_t)img->profile_count * img->profile_stride;
    if (b->batch > 1) return build_batch(b);
    LT_TRY(place_input(b));
    for (b->layer = 0; b->layer < b->n_layers && b->spill < 0 && !b->shallow; b->layer++) {
        LT_TRY(build_layer(b, &b->net->layers[b->layer]));
        release_dead(b);
    }
    if (b->layer == b->n_layers) b->layer--;
    add_desc(b, LT_OP_END);
    order_tables(b->p);
    return b->err->code;
}

/* Attempts until every layer has room. Each failed one moves a tensor to DRAM or sets it apart, so they end. */
static lt_code place_and_lower(builder *b, const lt_program_options *o)
{
    int n = b->net->n_tensors;
    bool *spill = calloc(3 * (size_t)n, 1), *remake = spill + n, *apart = remake + n;
    lt_code rc = spill ? LT_OK : lt_fail(b->err, LT_EMEM, "out of memory");
    int depth = 2;

    while (rc == LT_OK) {
        builder fresh = {.cfg = b->cfg,
                         .net = b->net,
                         .opt = o,
                         .p = b->p,
                         .err = b->err,
                         .at = b->places,
                         .places = b->places,
                         .n_layers = b->n_layers,
                         .batch = b->batch,
                         .images = 1,
                         .together = b->together,
                         .layers_end = b->n_layers,
                         .parts = b->parts,
                         .cap_parts = b->cap_parts,
                         .output_tensor = b->output_tensor,
                         .depth = depth,
                         .last_op = -1,
                         .last_store = -1,
                         .last_load = -1,
                         .spill = -1,
                         .remake = -1,
                         .apart = -1};
        *b = fresh;
        lt_program_free(b->p);
        b->p->image.batch = b->batch;
        memset(b->places, 0, (size_t)(n * b->batch) * sizeof *b->places);
        for (int i = 0; i < MAX_BANKS; i++) b->bank_tensor[i] = -1;
        b->map_tensor[0] = b->map_tensor[1] = -1;
        set_target_bytes(b);
        decide_homes(b, spill, remake, apart);
        rc = attempt(b);
        if (rc == LT_OK && b->spill >= 0)
            spill[b->spill] = true;
        else if (rc == LT_OK && b->remake >= 0 && remake[b->remake])
            rc = lt_fail(b->err, LT_EINPUT, "no room for the codes of %d images", b->batch);
        else if (rc == LT_OK && b->remake >= 0)
            remake[b->remake] = true;
        else if (rc == LT_OK && b->apart >= 0)
            apart[b->apart] = true;
        else if (rc == LT_OK && b->shallow)
            depth = 1;
        else
            break;
    }
    free(spill);
    return rc;
}

static uint64_t layer_macs(const qnet *n, const qlayer *l)
{
    const qtensor *in = &n->tensors[l->in], *out = &n->tensors[l->out];
    if (l->op != QOP_CONV) return 0;
    return (uint64_t)l->k * (uint64_t)(out->h * out->w) * (uint64_t)(in->c / l->groups * l->r * l->s);
}

static lt_code describe(builder *b)
{
    const qnet *n = b->net;
    const lt_config *c = b->cfg;
    lt_image *img = &b->p->image;
    int last = b->n_layers - 1;

    memcpy(img->model, n->name, sizeof n->name);
    memcpy(img->config, c->name, sizeof c->name);
    img->fingerprint = lt_config_fingerprint(c);
    img->bus_bytes = c->bus_bits / 8;
    img->scratch_bytes = b->scratch;
    if (b->batch > 1) {
        img->input_bytes = image_stride(img->input_bytes) * (uint32_t)b->batch;
        img->output_bytes = image_stride(img->output_bytes) * (uint32_t)b->batch;
    }
    img->classes = last == n->n_layers - 1 ? n->classes : n->tensors[b->output_tensor].c;
    img->table = malloc((size_t)n->tensors[0].c * 256);
    img->layers = calloc((size_t)b->n_layers, sizeof *img->layers);
    img->dumps = calloc((size_t)b->n_layers, sizeof *img->dumps);
    if (!img->table || !img->layers || !img->dumps) return lt_fail(b->err, LT_EMEM, "out of memory");
    memcpy(img->table, n->input_table, (size_t)n->tensors[0].c * 256);
    img->n_layers = b->n_layers;
    for (int i = 0; i < b->n_layers; i++) {
        const qlayer *l = &n->layers[i];
        const qtensor *in = &n->tensors[l->in], *out = &n->tensors[l->out];
        lutra_layer *r = &img->layers[i];
        static const uint32_t ops[] = {LUTRA_KIND_CONV, LUTRA_KIND_MAXPOOL, LUTRA_KIND_SUMPOOL, LUTRA_KIND_ADD};
        memcpy(r->name, l->name, sizeof l->name);
        r->op = ops[l->op];
        r->lookup = l->encoder >= 0;
        r->in_c = (uint32_t)in->c, r->in_h = (uint32_t)in->h, r->in_w = (uint32_t)in->w;
        r->out_c = (uint32_t)out->c, r->out_h = (uint32_t)out->h, r->out_w = (uint32_t)out->w;
        r->r = (uint32_t)l->r, r->s = (uint32_t)l->s;
        r->stride = (uint32_t)l->stride, r->groups = (uint32_t)l->groups;
        r->macs = layer_macs(n, l);
        r->peak_macs = l->op == QOP_CONV ? peak_macs(c, l) : 0;
        if (b->opt->dumps) img->dumps[img->n_dumps++] = (lutra_dump){(uint32_t)i, b->dump[i]};
    }
    lt_buf_align(&img->blob, 64);
    img->program_offset = (uint32_t)img->blob.len;
    for (int i = 0; i < b->p->n_desc; i++)
        for (int w = 0; w < 16; w++) lt_buf_le32(&img->blob, b->p->desc[i][w]);
    return lt_buf_ok(&img->blob) ? LT_OK : lt_fail(b->err, LT_EMEM, "out of memory");
}

static lutra_profile profile_of(uint32_t layer, const lt_counters *c)
{
    return (lutra_profile){layer,
                           (uint32_t)c->cycles,
                           (uint32_t)c->exec_busy,
                           (uint32_t)c->stall_read,
                           (uint32_t)c->stall_write,
                           (uint32_t)c->stall_core,
                           (uint32_t)c->read_beats,
                           (uint32_t)c->write_beats};
}

static lt_code predict(builder *b)
{
    lt_image *img = &b->p->image;
    lt_counters total;
    int n = 0;
    lt_mark *marks = calloc((size_t)b->n_layers, sizeof *marks);

    img->predict = calloc((size_t)b->n_layers + 1, sizeof *img->predict);
    if (!marks || !img->predict) {
        free(marks);
        return lt_fail(b->err, LT_EMEM, "out of memory");
    }
    lt_code rc = lt_cycle_program(b->cfg, (const uint32_t(*)[16])b->p->desc, b->p->n_desc, b->opt->latency, &total,
                                  marks, b->n_layers, &n, b->err);
    if (rc == LT_OK && n != img->profile_count)
        rc = lt_fail(b->err, LT_EINTERNAL, "%d marks for %d layers", n, img->profile_count);
    for (int i = 0; rc == LT_OK && i < n; i++) img->predict[i] = profile_of((uint32_t)marks[i].layer, &marks[i].at);
    if (rc == LT_OK) img->predict[n] = profile_of((uint32_t)total.descriptors, &total);
    img->predict_latency = b->opt->latency;
    free(marks);
    return rc;
}

/* Predicted cycles of the program, or UINT64_MAX. */
static uint64_t cycles_of(const builder *b)
{
    lt_counters total;
    lt_mark mark;
    int n = 0;
    lt_err err = {0};
    lt_code rc = lt_cycle_program(b->cfg, (const uint32_t(*)[16])b->p->desc, b->p->n_desc, b->opt->latency, &total,
                                  &mark, 1, &n, &err);
    return rc == LT_OK ? total.cycles : UINT64_MAX;
}

/* The layer from which on all images are worked on together: the cycle model decides between all that are possible. */
static void choose_together(builder *b, const lt_program_options *o)
{
    lt_err *err = b->err, own;
    uint64_t least = UINT64_MAX;
    int best = b->n_layers;

    for (int from = b->n_layers; from >= 1; from--) {
        own = (lt_err){0};
        b->err = &own;
        b->together = from;
        if (place_and_lower(b, o) != LT_OK) continue;
        uint64_t cycles = cycles_of(b);
        if (cycles >= least) continue;
        least = cycles;
        best = from;
    }
    b->err = err;
    b->together = best;
}

lt_code lt_program_build(const lt_config *cfg, const qnet *n, const lt_program_options *opt, lt_program *p, lt_err *err)
{
    lt_err own = {0};
    lt_program_options o = *opt;
    int layers = o.last_layer < 0 || o.last_layer >= n->n_layers ? n->n_layers : o.last_layer + 1;

    if (o.batch < 1) o.batch = 1;
    builder b = {.cfg = cfg,
                 .net = n,
                 .p = p,
                 .err = err ? err : &own,
                 .n_layers = layers,
                 .together = layers,
                 .batch = o.batch};

    *p = (lt_program){0};
    b.err->code = LT_OK;
    if (layers < 1 || layers > LUTRA_IMAGE_MAX_LAYERS)
        return lt_fail(err, LT_EINPUT, "%s: %d layers, expected 1..%d", n->name, layers, LUTRA_IMAGE_MAX_LAYERS);
    if (cfg->fb_banks > MAX_BANKS) return lt_fail(err, LT_EINTERNAL, "fb_banks above %d", MAX_BANKS);
    if (o.batch > LUTRA_IMAGE_MAX_BATCH)
        return lt_fail(err, LT_EINPUT, "batch: got %d, expected 1..%d", o.batch, LUTRA_IMAGE_MAX_BATCH);
    if (o.batch > 1 && o.dumps) return lt_fail(err, LT_EINPUT, "batch: a program with dumps runs one image");
    if (o.batch > 1) o.profile = false;
    b.output_tensor = n->layers[layers - 1].out;
    b.places = calloc((size_t)n->n_tensors * (size_t)o.batch, sizeof *b.places);
    if (!b.places) return lt_fail(err, LT_EMEM, "out of memory");
    lt_code rc = cfg->core == CORE_PQ ? check_encoders(&b) : LT_OK;
    if (rc == LT_OK && o.batch > 1 && cfg->core == CORE_PQ) choose_together(&b, &o);
    if (rc == LT_OK) rc = place_and_lower(&b, &o);
    if (rc == LT_OK) rc = describe(&b);
    if (rc == LT_OK && (o.profile || o.batch > 1)) rc = predict(&b);
    free(b.places);
    free(b.parts);
    if (rc != LT_OK) lt_program_free(p);
    return rc;
}
