#include "report/results.h"

#include <jansson.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

enum { MAX_JSON = 256 << 20, MAX_PATH = 4096 };

#define COLUMN(field, title, decimals, in_table, help)                                                                 \
    {                                                                                                                  \
#field, title, help, offsetof(result_row, field), decimals, in_table                                           \
    }

const result_column result_columns[] = {
    COLUMN(accuracy_float, "float %", 2, true, "accuracy of the float network, percent"),
    COLUMN(accuracy_integer, "integer %", 2, true, "accuracy of the integer model that the RTL matches, percent"),
    COLUMN(accuracy_images, "test images", 0, false, "images of the accuracy figures"),
    COLUMN(cycles, "cycles/image", 0, true,
           "clock cycles per image, steady state where two images or more were simulated"),
    COLUMN(latency_cycles, "latency", 0, false, "clock cycles of the first image, driver included"),
    COLUMN(macs, "MACs", 0, false, "multiply-accumulates of the dense network per image"),
    COLUMN(utilisation, "used", 3, false, "share of the core's peak while its layers run, weighted by cycles"),
    COLUMN(fmax_mhz, "Fmax MHz", 1, true, "from static timing of the mapped netlist, no wires"),
    COLUMN(logic_um2, "logic um2", 0, true, "area of all mapped cells"),
    COLUMN(sram_um2, "SRAM um2", 0, true, "area of all memories by the SRAM model"),
    COLUMN(total_um2, "total um2", 0, false, "logic and SRAM"),
    COLUMN(core_logic_um2, "core logic um2", 0, false, "cells of the core block (u_exec without the post unit)"),
    COLUMN(core_sram_um2, "core SRAM um2", 0, false,
           "memories in the core block: weights or LUTs, partial sums, codes"),
    COLUMN(core_um2, "core um2", 0, true, "core block, logic and memories"),
    COLUMN(sram_um2_by_nand2, "SRAM um2 by NAND2", 0, false,
           "sensitivity: macros scaled with NAND2 area instead of node^2"),
    COLUMN(inferences, "inf/s", 1, true, "inferences per second: Fmax / cycles per image, at the batch stated above"),
    COLUMN(gmac, "GMAC/s", 2, false, "dense-equivalent multiply-accumulates per second, 1e9"),
    COLUMN(per_mm2, "inf/s/mm2", 2, true, "inferences per second and mm2 of the whole accelerator, memories included"),
    COLUMN(ratio, "ratio", 2, true, "inf/s/mm2 of the whole accelerator over the baseline's"),
    COLUMN(per_core_mm2, "core inf/s/mm2", 2, true, "the same per mm2 of the core block, its memories included"),
    COLUMN(core_ratio, "core ratio", 2, true, "core inf/s/mm2 over the baseline's"),
    COLUMN(post_um2, "post um2", 0, false, "post unit (bias, requantisation, residual), logic and memory"),
    COLUMN(datapath_ratio, "core and post ratio", 2, true,
           "inf/s per mm2 of core and post unit together over the baseline's: a faster core needs a wider post unit"),
    COLUMN(per_core_logic_mm2, "core logic inf/s/mm2", 2, false, "the same per mm2 of the core block's cells only"),
    COLUMN(core_logic_ratio, "core logic ratio", 2, true, "core logic inf/s/mm2 over the baseline's"),
    COLUMN(bus_bits, "bus bits", 0, true, "width of the memory bus"),
    COLUMN(bus_gbs, "bus GB/s", 2, true, "what the bus offers at Fmax in one direction"),
    COLUMN(used_gbs, "used GB/s", 2, true, "bytes read and written per image times inferences per second"),
    COLUMN(read_bytes, "bytes read", 0, false, "per image"),
    COLUMN(write_bytes, "bytes written", 0, false, "per image"),
    COLUMN(bus_latency, "bus latency", 0, false, "cycles of memory latency in the simulation"),
    COLUMN(bus_bandwidth, "bandwidth limit", 1, false,
           "bytes per cycle the simulated memory was limited to; 0: the bus"),
    COLUMN(stall_percent, "stalls %", 0, false, "random bus stalls in the simulation"),
    COLUMN(power_w, "W", 3, false, "cells and memories at Fmax with default activity, not simulated"),
    COLUMN(energy_mj, "mJ/image", 4, true, "that power over inferences per second"),
    COLUMN(images, "images", 0, false, "images simulated"),
    COLUMN(batch, "batch", 0, false, "images per run"),
    COLUMN(bit_exact, "bit-exact", 0, false, "1: the simulated RTL matched the integer model"),
};
const size_t n_result_columns = sizeof result_columns / sizeof *result_columns;

double result_value(const result_row *r, const result_column *c)
{
    double v;
    memcpy(&v, (const char *)r + c->offset, sizeof v);
    return v;
}

const result_column *result_find_column(const char *key)
{
    for (size_t i = 0; i < n_result_columns; i++)
        if (strcmp(result_columns[i].key, key) == 0) return &result_columns[i];
    return NULL;
}

const char *result_text(const result_row *r, const result_column *c, char *buf, size_t size)
{
    double v = result_value(r, c);
    if (isfinite(v))
        snprintf(buf, size, "%.*f", c->decimals, v);
    else
        snprintf(buf, size, "n/a");
    return buf;
}

static void note(result_row *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void note(result_row *r, const char *fmt, ...)
{
    size_t n = strlen(r->notes);
    va_list ap;

    if (n && n + 2 < sizeof r->notes) n += (size_t)snprintf(r->notes + n, sizeof r->notes - n, "; ");
    va_start(ap, fmt);
    if (n < sizeof r->notes) vsnprintf(r->notes + n, sizeof r->notes - n, fmt, ap);
    va_end(ap);
}

/* A number or a boolean; NAN for anything else. */
static double num(json_t *obj, const char *key)
{
    json_t *v = json_object_get(obj, key);
    if (json_is_boolean(v)) return json_is_true(v);
    return json_is_number(v) && isfinite(json_number_value(v)) ? json_number_value(v) : NAN;
}

static void text(json_t *obj, const char *key, char *dst, size_t size)
{
    const char *s = json_string_value(json_object_get(obj, key));
    if (s) snprintf(dst, size, "%s", s);
}

/* "0x0012abcd" and "12ABCD" are the same. */
static bool same_fingerprint(const char *a, const char *b)
{
    char *ea, *eb;
    unsigned long x = strtoul(a, &ea, 16), y = strtoul(b, &eb, 16);
    return *a && *b && !*ea && !*eb && x == y;
}

/* Opens a result file; NULL with a note if it cannot be used. */
static json_t *open_result(result_row *r, const char *what, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static json_t *open_result(result_row *r, const char *what, const char *fmt, ...)
{
    char path[MAX_PATH], *data;
    size_t len;
    va_list ap;
    lt_err e = {0};
    json_error_t jerr;

    va_start(ap, fmt);
    int n = vsnprintf(path, sizeof path, fmt, ap);
    va_end(ap);
    if (n >= (int)sizeof path || lt_read_file(path, MAX_JSON, &data, &len, &e) != LT_OK) {
        note(r, "no %s", what);
        return NULL;
    }
    json_t *j = json_loadb(data, len, 0, &jerr);
    free(data);
    if (!json_is_object(j)) {
        note(r, "%s: line %d: %s", what, j ? 1 : jerr.line, j ? "not an object" : jerr.text);
        json_decref(j);
        return NULL;
    }
    const char *fp = json_string_value(json_object_get(j, "fingerprint"));
    if (fp && r->fingerprint[0] && !same_fingerprint(fp, r->fingerprint)) {
        note(r, "%s is stale (fingerprint %s, configuration %s)", what, fp, r->fingerprint);
        json_decref(j);
        return NULL;
    }
    return j;
}

static void read_sim(result_row *r, json_t *j)
{
    json_t *axi = json_object_get(j, "axi"), *layer;
    size_t i;
    double steady = num(j, "steady_cycles_per_image"), cycles = 0, busy = 0;

    r->steady = steady > 0;
    r->cycles = r->steady ? steady : num(j, "cycles_per_image");
    r->latency_cycles = num(j, "first_image_latency");
    r->macs = num(j, "macs_per_image");
    r->images = num(j, "images");
    r->batch = json_object_get(j, "batch") ? num(j, "batch") : 1;
    r->bit_exact = num(j, "bit_exact");
    r->bus_bits = num(axi, "bus_bits");
    r->read_bytes = num(axi, "read_bytes");
    r->write_bytes = num(axi, "write_bytes");
    r->bus_latency = num(axi, "latency");
    r->bus_bandwidth = num(axi, "bandwidth");
    r->stall_percent = num(axi, "stall_percent");
    json_array_foreach(json_object_get(j, "layers"), i, layer)
    {
        double c = num(layer, "cycles"), u = num(layer, "utilisation");
        if (!(c > 0) || !(u >= 0)) continue;
        cycles += c;
        busy += c * u;
    }
    if (cycles > 0) r->utilisation = busy / cycles;
    if (r->bit_exact == 0) {
        note(r, "the simulation was NOT bit-exact: its cycles are not used");
        r->cycles = NAN;
    }
    if (!isfinite(r->bit_exact)) note(r, "the simulation's results were not compared");
    if (!r->steady) note(r, "cycles from START to DONE of one image, not the steady state");
}

static void read_synth(result_row *r, json_t *area, json_t *timing)
{
    json_t *blocks = json_object_get(area, "blocks"), *core = json_object_get(blocks, "core"),
           *post = json_object_get(blocks, "post"), *lib = json_object_get(area, "library");
    json_t *power = json_object_get(timing, "power");

    if (area) {
        r->logic_um2 = num(area, "logic_um2");
        r->sram_um2 = num(area, "sram_um2");
        r->sram_um2_by_nand2 = num(area, "sram_um2_by_nand2");
        r->core_logic_um2 = num(core, "logic_um2");
        r->core_sram_um2 = num(core, "sram_um2");
        r->post_um2 = num(post, "total_um2");
        r->node_nm = num(lib, "node_nm");
        r->nand2_um2 = num(lib, "nand2_um2");
        text(area, "command", r->synth_command, sizeof r->synth_command);
        text(area, "tools", r->synth_tools, sizeof r->synth_tools);
    }
    if (timing) {
        r->fmax_mhz = num(timing, "fmax_mhz");
        r->power_w = num(power, "cells_w") + num(power, "sram_w");
        text(timing, "tools", r->synth_tools, sizeof r->synth_tools);
    }
    const char *a = json_string_value(json_object_get(area, "input_hash"));
    const char *t = json_string_value(json_object_get(timing, "input_hash"));
    if (a && t && strcmp(a, t) != 0) {
        note(r, "timing is of another netlist than area");
        r->fmax_mhz = r->power_w = NAN;
    }
}

lt_code results_load(const char *build, const char *config, const char *library, const char *model, result_row *r,
                     lt_err *err)
{
    *r = (result_row){.steady = false};
    for (size_t i = 0; i < n_result_columns; i++) {
        const double nan_value = NAN;
        memcpy((char *)r + result_columns[i].offset, &nan_value, sizeof nan_value);
    }
    r->node_nm = r->nand2_um2 = NAN;
    if (!*config || strchr(config, '/') || strlen(config) >= sizeof r->config)
        return lt_fail(err, LT_EINPUT, "'%s' is no configuration's name", config);
    if (strchr(library, '/') || strlen(library) >= sizeof r->library)
        return lt_fail(err, LT_EINPUT, "'%s' is no library's name", library);
    if (strchr(model, '/') || strlen(model) >= sizeof r->model)
        return lt_fail(err, LT_EINPUT, "'%s' is no model's name", model);
    strcpy(r->config, config);
    strcpy(r->library, library);
    strcpy(r->model, model);
    strcpy(r->network, model);

    json_t *j = open_result(r, "manifest", "%s/%s/%s.json", build, config, config);
    if (j) text(j, "fingerprint", r->fingerprint, sizeof r->fingerprint);
    json_decref(j);
    json_t *sim = open_result(r, "simulation", "%s/%s/sim/%s.json", build, config, model);
    text(sim, "model", r->network, sizeof r->network);
    j = open_result(r, "accuracy", "%s/%s/accuracy.json", build, config);
    const char *of = json_string_value(json_object_get(j, "model"));
    if (of && strcmp(of, r->network) != 0) {
        note(r, "accuracy is of %s", of);
        json_decref(j);
        j = NULL;
    }
    r->accuracy_float = num(j, "float");
    r->accuracy_integer = num(j, "integer");
    r->accuracy_images = num(j, "images");
    json_decref(j);
    if (sim) read_sim(r, sim);
    json_decref(sim);
    json_t *area = open_result(r, "area", "%s/%s/synth/%s/area.json", build, config, library);
    json_t *timing = open_result(r, "timing", "%s/%s/synth/%s/timing.json", build, config, library);
    read_synth(r, area, timing);
    json_decref(area);
    json_decref(timing);
    return LT_OK;
}

static void derive_one(result_row *r)
{
    r->total_um2 = r->logic_um2 + r->sram_um2;
    r->core_um2 = r->core_logic_um2 + r->core_sram_um2;
    r->inferences = r->cycles > 0 ? r->fmax_mhz * 1e6 / r->cycles : NAN;
    r->gmac = r->inferences * r->macs * 1e-9;
    r->per_mm2 = r->total_um2 > 0 ? r->inferences / (r->total_um2 * 1e-6) : NAN;
    r->per_core_mm2 = r->core_um2 > 0 ? r->inferences / (r->core_um2 * 1e-6) : NAN;
    r->per_core_logic_mm2 = r->core_logic_um2 > 0 ? r->inferences / (r->core_logic_um2 * 1e-6) : NAN;
    r->bus_gbs = r->bus_bits / 8 * r->fmax_mhz * 1e-3;
    r->used_gbs = (r->read_bytes + r->write_bytes) * r->inferences * 1e-9;
    r->energy_mj = r->inferences > 0 ? r->power_w / r->inferences * 1e3 : NAN;
}

static double per_datapath(const result_row *r)
{
    double area = r->core_um2 + r->post_um2;
    return area > 0 ? r->inferences / (area * 1e-6) : NAN;
}

void results_derive(result_row *rows, size_t n, const char *baseline)
{
    const result_row *base = NULL;

    for (size_t i = 0; i < n; i++) {
        derive_one(&rows[i]);
        if (strcmp(rows[i].config, baseline) == 0) base = &rows[i];
    }
    double whole = base ? base->per_mm2 : NAN, core = base ? base->per_core_mm2 : NAN,
           logic = base ? base->per_core_logic_mm2 : NAN, datapath = base ? per_datapath(base) : NAN;
    for (size_t i = 0; i < n; i++) {
        rows[i].ratio = whole > 0 ? rows[i].per_mm2 / whole : NAN;
        rows[i].core_ratio = core > 0 ? rows[i].per_core_mm2 / core : NAN;
        rows[i].datapath_ratio = datapath > 0 ? per_datapath(&rows[i]) / datapath : NAN;
        rows[i].core_logic_ratio = logic > 0 ? rows[i].per_core_logic_mm2 / logic : NAN;
    }
}
