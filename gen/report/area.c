#include "report/area.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

typedef struct {
    const nl_design *d;
    const celllib *lib;
    area_report *a;
    const celllib_cell **cell_of; /* by type, NULL: not a library cell */
    area_module *module_of;       /* by module number */
    int *ram_of;                  /* by module number, NL_NONE: no RAM */
    long long *type_count;        /* library cells in the design, by type */
} meter;

static const struct {
    const char *prefix;
    area_block block;
} block_rules[] = {
    {"lutra_csr", BLOCK_CSR}, {"lutra_counters", BLOCK_CSR}, {"lutra_seq", BLOCK_SEQUENCER}, {"lutra_dma", BLOCK_DMA},
    {"lutra_axi", BLOCK_DMA}, {"lutra_fb", BLOCK_BUFFERS},   {"lutra_exec", BLOCK_CORE},     {"lutra_post", BLOCK_POST},
};

const char *area_block_name(area_block b)
{
    static const char *const names[] = {"core", "post", "buffers", "dma", "sequencer", "csr", "glue"};
    return names[b];
}

area_block area_block_of(const char *module)
{
    for (size_t i = 0; i < sizeof block_rules / sizeof *block_rules; i++)
        if (strncmp(module, block_rules[i].prefix, strlen(block_rules[i].prefix)) == 0) return block_rules[i].block;
    return N_BLOCKS;
}

static void add(area_sum *to, const area_sum *s)
{
    to->cells += s->cells;
    to->flip_flops += s->flip_flops;
    to->latches += s->latches;
    to->logic += s->logic;
    to->sram += s->sram;
    to->sram_bits += s->sram_bits;
}

static lt_code resolve_types(meter *mt, lt_err *err)
{
    lt_buf bad = {0};
    int n_bad = 0;

    for (size_t i = 0; i < mt->d->n_types; i++) {
        char name[ELAB_NAME];
        const nl_type *t = &mt->d->types[i];
        if (t->module != NL_NONE) continue;
        text_copy(t->name, name, sizeof name);
        mt->cell_of[i] = celllib_find(mt->lib, name);
        if (!mt->cell_of[i] && n_bad++ < 20) lt_buf_printf(&bad, "%s%s", bad.len ? ", " : "", name);
    }
    lt_code code = LT_OK;
    if (n_bad)
        code = lt_fail(err, LT_EINPUT, "%d cell types are not mapped to library %s: %s", n_bad, mt->lib->name,
                       bad.data ? bad.data : "?");
    lt_buf_free(&bad);
    return code;
}

static lt_code resolve_rams(meter *mt, const elab_ram *rams, size_t n, lt_err *err)
{
    area_report *a = mt->a;

    a->rams = calloc(n + 1, sizeof *a->rams);
    if (!a->rams) return lt_fail(err, LT_EMEM, "out of memory");
    for (size_t i = 0; i < mt->d->n_modules; i++) {
        const nl_module *m = &mt->d->modules[i];
        mt->ram_of[i] = NL_NONE;
        for (size_t r = 0; r < n; r++) {
            if (!text_is(m->name, rams[r].module)) continue;
            mt->ram_of[i] = (int)a->n_rams;
            area_ram *ar = &a->rams[a->n_rams++];
            ar->ram = rams[r];
            ar->ram.count = 0;
            LT_TRY(sram_estimate_memory(ar->ram.width, ar->ram.depth, ar->ram.ports, mt->lib, &ar->e, err));
        }
        if (m->blackbox && mt->ram_of[i] == NL_NONE)
            return lt_fail(err, LT_EINPUT, "black box %.*s is not a known RAM", (int)m->name.len, m->name.s);
    }
    return LT_OK;
}

/* Own and total sums of every module, children first. */
static lt_code sum_modules(meter *mt, const int *order)
{
    for (size_t k = 0; k < mt->d->n_modules; k++) {
        int i = order[k];
        const nl_module *m = &mt->d->modules[i];
        area_module *am = &mt->module_of[i];
        text_copy(m->name, am->name, sizeof am->name);
        if (mt->ram_of[i] != NL_NONE) {
            const area_ram *r = &mt->a->rams[mt->ram_of[i]];
            am->own.sram = r->e.area;
            am->own.sram_bits = (long long)r->ram.width * r->ram.depth;
            am->total = am->own;
            continue;
        }
        for (size_t c = 0; c < m->n_cells; c++) {
            int type = m->cells[c].type, child = mt->d->types[type].module;
            if (child != NL_NONE) {
                add(&am->total, &mt->module_of[child].total);
                continue;
            }
            const celllib_cell *cell = mt->cell_of[type];
            am->own.cells++;
            am->own.logic += cell->area;
            am->own.flip_flops += cell->is_ff;
            am->own.latches += cell->is_latch;
        }
        add(&am->total, &am->own);
    }
    return LT_OK;
}

/* Visits every instance: counts it and books its own cells on its block. */
static void walk(meter *mt, int module, area_block block)
{
    const nl_module *m = &mt->d->modules[module];
    area_module *am = &mt->module_of[module];
    area_block own = area_block_of(am->name);

    if (own != N_BLOCKS) block = own;
    am->instances++;
    add(&mt->a->block[block], &am->own);
    if (mt->ram_of[module] != NL_NONE) {
        area_ram *r = &mt->a->rams[mt->ram_of[module]];
        r->ram.count++;
        r->block_count[block]++;
        return;
    }
    for (size_t c = 0; c < m->n_cells; c++) {
        int child = mt->d->types[m->cells[c].type].module;
        if (child != NL_NONE)
            walk(mt, child, block);
        else
            mt->type_count[m->cells[c].type]++;
    }
}

static int by_share(const void *a, const void *b)
{
    const area_module *x = a, *y = b;
    double d = y->own.logic * (double)y->instances - x->own.logic * (double)x->instances;
    return d > 0 ? 1 : d < 0 ? -1 : strcmp(x->name, y->name);
}

static int by_type(const void *a, const void *b)
{
    return strcmp(((const area_cell *)a)->name, ((const area_cell *)b)->name);
}

static lt_code collect(meter *mt, lt_err *err)
{
    area_report *a = mt->a;

    a->modules = calloc(mt->d->n_modules + 1, sizeof *a->modules);
    a->cells = calloc(mt->d->n_types + 1, sizeof *a->cells);
    if (!a->modules || !a->cells) return lt_fail(err, LT_EMEM, "out of memory");
    for (size_t i = 0; i < mt->d->n_modules; i++)
        if (mt->module_of[i].instances && mt->ram_of[i] == NL_NONE) a->modules[a->n_modules++] = mt->module_of[i];
    for (size_t i = 0; i < mt->d->n_types; i++) {
        if (!mt->type_count[i]) continue;
        area_cell *c = &a->cells[a->n_cells++];
        snprintf(c->name, sizeof c->name, "%s", mt->cell_of[i]->name);
        c->area = mt->cell_of[i]->area;
        c->count = mt->type_count[i];
    }
    qsort(a->modules, a->n_modules, sizeof *a->modules, by_share);
    qsort(a->cells, a->n_cells, sizeof *a->cells, by_type);
    return LT_OK;
}

lt_code area_measure(const nl_design *d, const char *top, const celllib *lib, const elab_ram *rams, size_t n_rams,
                     area_report *a, lt_err *err)
{
    meter mt = {.d = d, .lib = lib, .a = a};
    int t = nl_find(d, top);
    lt_code code = LT_OK;

    *a = (area_report){0};
    if (t == NL_NONE) return lt_fail(err, LT_EINPUT, "the netlist has no module %s", top);
    int *order = calloc(d->n_modules, sizeof *order);
    mt.cell_of = calloc(d->n_types, sizeof *mt.cell_of);
    mt.module_of = calloc(d->n_modules, sizeof *mt.module_of);
    mt.ram_of = calloc(d->n_modules, sizeof *mt.ram_of);
    mt.type_count = calloc(d->n_types, sizeof *mt.type_count);
    if (!order || !mt.cell_of || !mt.module_of || !mt.ram_of || !mt.type_count)
        code = lt_fail(err, LT_EMEM, "out of memory");
    if (code == LT_OK) code = resolve_types(&mt, err);
    if (code == LT_OK) code = resolve_rams(&mt, rams, n_rams, err);
    if (code == LT_OK) code = nl_bottom_up(d, order, err);
    if (code == LT_OK) code = sum_modules(&mt, order);
    if (code == LT_OK) {
        a->total = mt.module_of[t].total;
        walk(&mt, t, BLOCK_GLUE);
        code = collect(&mt, err);
    }
    free(order);
    free(mt.cell_of);
    free(mt.module_of);
    free(mt.ram_of);
    free(mt.type_count);
    return code;
}

void area_free(area_report *a)
{
    free(a->modules);
    free(a->rams);
    free(a->cells);
    *a = (area_report){0};
}
