#include "report/celllib.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "report/grow.h"
#include "report/liberty.h"

enum { MAX_LIBERTY = 512 << 20 };

/* buf_max_ff is the load that costs one `buf` about two gate delays. */
const celllib_facts celllib_table[] = {
    {.name = "osu018",
     .nand2 = "NAND2X1",
     .node_nm = 180,
     .dff = "DFFPOSX1",
     .mux2 = "MUX2X1",
     .buf = "BUFX4",
     .buf_max_ff = 400,
     .fa = {"FAX1", "A", "B", "C", "YC", "YS", false},
     .latch_hi = {"LATCH", "D", "CLK", "Q"},
     .latch_area = 56,
     .latch_source = "osu018_stdcells.lef, MACRO LATCH: 5.6 x 10 um; the Liberty says 0"},
    {.name = "osu035",
     .nand2 = "NAND2X1",
     .node_nm = 350,
     .dff = "DFFPOSX1",
     .mux2 = "MUX2X1",
     .buf = "BUFX4",
     .buf_max_ff = 800,
     .fa = {"FAX1", "A", "B", "C", "YC", "YS", false},
     .latch_hi = {"LATCH", "D", "CLK", "Q"},
     .latch_area = 224,
     .latch_source = "osu035_stdcells.lef, MACRO LATCH: 11.2 x 20 um; the Liberty says 0"},
    {.name = "nangate45",
     .nand2 = "NAND2_X1",
     .node_nm = 45,
     .dff = "DFF_X1",
     .mux2 = "MUX2_X1",
     .buf = "BUF_X4",
     .buf_max_ff = 80,
     .fa = {"FA_X1", "A", "B", "CI", "CO", "S", false},
     .latch_hi = {"DLH_X1", "D", "G", "Q"},
     .latch_lo = {"DLL_X1", "D", "GN", "Q"}},
    {.name = "sky130hd",
     .nand2 = "sky130_fd_sc_hd__nand2_1",
     .node_nm = 130,
     .dff = "sky130_fd_sc_hd__dfxtp_1",
     .mux2 = "sky130_fd_sc_hd__mux2_1",
     .buf = "sky130_fd_sc_hd__buf_4",
     .buf_max_ff = 120,
     .fa = {"sky130_fd_sc_hd__fa_1", "A", "B", "CIN", "COUT", "SUM", false},
     .latch_hi = {"sky130_fd_sc_hd__dlxtp_1", "D", "GATE", "Q"},
     .latch_lo = {"sky130_fd_sc_hd__dlxtn_1", "D", "GATE_N", "Q"}},
    {.name = "sg13g2", /* no full adder, no plain flip-flop (all have a reset) and no plain latch that is open at 0 */
     .nand2 = "sg13g2_nand2_1",
     .node_nm = 130,
     .dff = "sg13g2_dfrbpq_1",
     .mux2 = "sg13g2_mux2_1",
     .buf = "sg13g2_buf_4",
     .buf_max_ff = 150,
     .latch_hi = {"sg13g2_dlhq_1", "D", "GATE", "Q"}},
    {.name = "asap7",
     .nand2 = "NAND2xp5_ASAP7_75t_R",
     .node_nm = 7,
     .dff = "DFFHQNx1_ASAP7_75t_R",
     .mux2 = NULL,
     .buf = "BUFx4_ASAP7_75t_R",
     .buf_max_ff = 16,
     .fa = {"FAx1_ASAP7_75t_R", "A", "B", "CI", "CON", "SN", true},
     .latch_hi = {"DHLx1_ASAP7_75t_R", "D", "CLK", "Q"},
     .latch_lo = {"DLLx1_ASAP7_75t_R", "D", "CLK", "Q"}},
    {.name = NULL},
};

typedef struct {
    celllib *lib;
    bool in_cell, in_pin;
} loader;

static lt_code on_begin(void *ctx, int depth, text_t type, text_t name, lt_err *err)
{
    loader *ld = ctx;
    celllib *lib = ld->lib;

    if (depth == 0) {
        if (!text_is(type, "library")) return lt_fail(err, LT_EINPUT, "not a Liberty file: no library group");
        text_copy(name, lib->name, sizeof lib->name);
    } else if (depth == 1) {
        ld->in_cell = text_is(type, "cell");
        if (!ld->in_cell) return LT_OK;
        GROW(lib->cells, lib->n_cells, lib->cap_cells, return lt_fail(err, LT_EMEM, "out of memory"));
        celllib_cell *c = &lib->cells[lib->n_cells++];
        *c = (celllib_cell){.first_pin = lib->n_pins};
        if (name.len >= sizeof c->name) return lt_fail(err, LT_EINPUT, "cell name longer than %zu", sizeof c->name - 1);
        text_copy(name, c->name, sizeof c->name);
    } else if (depth == 2 && ld->in_cell) {
        celllib_cell *c = &lib->cells[lib->n_cells - 1];
        c->is_ff |= text_is(type, "ff") || text_is(type, "ff_bank");
        c->is_latch |= text_is(type, "latch") || text_is(type, "latch_bank");
        ld->in_pin = text_is(type, "pin");
        if (!ld->in_pin) return LT_OK;
        GROW(lib->pins, lib->n_pins, lib->cap_pins, return lt_fail(err, LT_EMEM, "out of memory"));
        celllib_pin *p = &lib->pins[lib->n_pins++];
        *p = (celllib_pin){0};
        text_copy(name, p->name, sizeof p->name);
        c->n_pins++;
    }
    return LT_OK;
}

static double time_unit_ns(text_t t)
{
    double v;
    if (!lib_number(t, &v)) return 0;
    if (t.len >= 2 && memcmp(t.s + t.len - 2, "ps", 2) == 0) return v * 1e-3;
    return t.len >= 2 && memcmp(t.s + t.len - 2, "ns", 2) == 0 ? v : 0;
}

static lt_code on_attr(void *ctx, int depth, text_t name, text_t value, lt_err *err)
{
    loader *ld = ctx;
    celllib *lib = ld->lib;
    double v = 0;

    if (depth == 0) {
        if (text_is(name, "nom_voltage") && lib_number(value, &v)) lib->voltage = v;
        if (text_is(name, "time_unit")) lib->time_ns = time_unit_ns(value);
        if (text_is(name, "capacitive_load_unit") && lib_number(value, &v)) {
            bool pf = false;
            for (size_t i = 0; i + 1 < value.len; i++) pf |= (value.s[i] | 32) == 'p' && (value.s[i + 1] | 32) == 'f';
            lib->cap_ff = pf ? v * 1000 : v;
        }
    } else if (depth == 1 && ld->in_cell && text_is(name, "area")) {
        celllib_cell *c = &lib->cells[lib->n_cells - 1];
        if (!lib_number(value, &v) || v < 0) return lt_fail(err, LT_EINPUT, "cell %s: area is not a number", c->name);
        c->area = v;
    } else if (depth == 2 && ld->in_cell && ld->in_pin) {
        celllib_pin *p = &lib->pins[lib->n_pins - 1];
        if (text_is(name, "capacitance") && lib_number(value, &v)) p->cap_ff = v * lib->cap_ff;
        if (text_is(name, "direction")) p->is_output = text_is(value, "output");
        if (text_is(name, "clock")) p->is_clock = text_is(value, "true");
    }
    return LT_OK;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const celllib_cell *)a)->name, ((const celllib_cell *)b)->name);
}

const celllib_cell *celllib_find(const celllib *lib, const char *cell)
{
    celllib_cell key;
    size_t n = cell ? strlen(cell) : sizeof key.name;
    if (n >= sizeof key.name || !lib->n_cells) return NULL;
    memcpy(key.name, cell, n + 1);
    return bsearch(&key, lib->cells, lib->n_cells, sizeof key, by_name);
}

const celllib_pin *celllib_pin_of(const celllib *lib, const celllib_cell *cell, text_t pin)
{
    for (size_t i = 0; i < cell->n_pins; i++)
        if (text_is(pin, lib->pins[cell->first_pin + i].name)) return &lib->pins[cell->first_pin + i];
    return NULL;
}

double celllib_area(const celllib *lib, const char *cell)
{
    const celllib_cell *c = celllib_find(lib, cell);
    return c ? c->area : 0;
}

/* osu018 and osu035 share their cell names: the Liberty's own name decides between rows with the same NAND2. */
static void find_facts(celllib *lib)
{
    for (const celllib_facts *f = celllib_table; f->name; f++) {
        if (!celllib_find(lib, f->nand2)) continue;
        if (!lib->facts || strncmp(lib->name, f->name, strlen(f->name)) == 0) lib->facts = f;
    }
    const celllib_facts *f = lib->facts;
    if (f && strncmp(f->name, "osu", 3) == 0 && strncmp(lib->name, f->name, strlen(f->name)) != 0) f = NULL;
    lib->facts = f;
    if (!f) return;
    strcpy(lib->name, f->name);
    lib->node_nm = f->node_nm;
    lib->nand2_area = celllib_area(lib, f->nand2);
    for (size_t i = 0; f->latch_area > 0 && i < lib->n_cells; i++)
        if (lib->cells[i].is_latch && lib->cells[i].area == 0) lib->cells[i].area = f->latch_area;
}

lt_code celllib_load(const char *path, celllib *lib, lt_err *err)
{
    static const lib_events events = {on_begin, on_attr, NULL};
    loader ld = {.lib = lib};
    char *text;
    size_t len;

    *lib = (celllib){.time_ns = 1, .cap_ff = 1000};
    LT_TRY(lt_read_file(path, MAX_LIBERTY, &text, &len, err));
    lt_code code = lib_parse(path, text, len, &events, &ld, err);
    free(text);
    if (code != LT_OK) return code;
    if (!lib->n_cells) return lt_fail(err, LT_EINPUT, "%s: no cells", path);
    if (!(lib->time_ns > 0)) return lt_fail(err, LT_EINPUT, "%s: time_unit is neither ns nor ps", path);
    qsort(lib->cells, lib->n_cells, sizeof *lib->cells, by_name);
    find_facts(lib);
    return LT_OK;
}

void celllib_free(celllib *lib)
{
    free(lib->cells);
    free(lib->pins);
    *lib = (celllib){0};
}
