/* area.json, timing.json and report.txt of one synthesis run. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "report/synth.h"

/* null for what was not computed. */
static json_t *real_or_null(double v)
{
    return isfinite(v) ? json_real(v) : json_null();
}

static json_t *text_or_null(const char *s)
{
    return s && *s ? json_string(s) : json_null();
}

static json_t *origin_json(const synth_origin *o, const celllib *lib)
{
    json_t *j = json_object();
    json_object_set_new(j, "config", text_or_null(o->config));
    json_object_set_new(j, "fingerprint", text_or_null(o->fingerprint));
    json_object_set_new(j, "command", text_or_null(o->command));
    json_object_set_new(j, "tools", text_or_null(o->tools));
    json_object_set_new(j, "input_hash", text_or_null(o->input_hash));
    json_object_set_new(j, "library",
                        json_pack("{s:s, s:o, s:o, s:o}", "name", lib->name, "node_nm",
                                  real_or_null(lib->node_nm > 0 ? lib->node_nm : NAN), "nand2_um2",
                                  real_or_null(lib->nand2_area > 0 ? lib->nand2_area : NAN), "voltage",
                                  real_or_null(lib->voltage > 0 ? lib->voltage : NAN)));
    return j;
}

static json_t *sum_json(const area_sum *s)
{
    return json_pack("{s:I, s:I, s:I, s:f, s:f, s:I, s:f}", "cells", (json_int_t)s->cells, "flip_flops",
                     (json_int_t)s->flip_flops, "latches", (json_int_t)s->latches, "logic_um2", s->logic, "sram_um2",
                     s->sram, "sram_bits", (json_int_t)s->sram_bits, "total_um2", s->logic + s->sram);
}

static json_t *ram_json(const area_ram *r)
{
    json_t *blocks = json_object();
    for (int b = 0; b < N_BLOCKS; b++)
        if (r->block_count[b])
            json_object_set_new(blocks, area_block_name((area_block)b), json_integer(r->block_count[b]));
    return json_pack("{s:s, s:i, s:i, s:s, s:I, s:s, s:f, s:f, s:o, s:o, s:o, s:i, s:i, s:f, s:f, s:o, s:o}", "module",
                     r->ram.module, "width", r->ram.width, "depth", r->ram.depth, "ports",
                     sram_ports_name(r->ram.ports), "count", (json_int_t)r->ram.count, "kind",
                     sram_kind_name(r->e.kind), "um2_each", r->e.area, "um2", r->e.area * (double)r->ram.count,
                     "um2_each_as_flip_flops", real_or_null(r->e.area_kind[SRAM_FLIPFLOPS]), "um2_each_as_latches",
                     real_or_null(r->e.area_kind[SRAM_LATCHES]), "um2_each_by_nand2", real_or_null(r->e.area_by_nand2),
                     "slices", r->e.slices, "banks", r->e.banks, "access_ns", r->e.access_ns, "setup_ns", r->e.setup_ns,
                     "energy_pj", real_or_null(r->e.energy_pj), "blocks", blocks);
}

/* Area of all RAMs if macros scaled with NAND2 area; NAN if unknown. */
static double sram_by_nand2(const area_report *a)
{
    double sum = 0;
    for (size_t i = 0; i < a->n_rams; i++) {
        double each = a->rams[i].e.kind == SRAM_MACRO ? a->rams[i].e.area_by_nand2 : a->rams[i].e.area;
        if (a->rams[i].ram.count) sum += each * (double)a->rams[i].ram.count;
    }
    return sum;
}

json_t *synth_area_json(const synth_origin *o, const celllib *lib, const area_report *a, const netbuf_stats *b,
                        long long ff_memory_bits)
{
    json_t *j = origin_json(o, lib), *list;

    json_object_update_new(j, sum_json(&a->total));
    json_object_set_new(j, "kgate", real_or_null(lib->nand2_area > 0 ? a->total.logic / lib->nand2_area / 1000 : NAN));
    json_object_set_new(j, "sram_um2_by_nand2", real_or_null(sram_by_nand2(a)));
    json_object_set_new(j, "memory_bits_in_flip_flops", json_integer(ff_memory_bits));
    json_object_set_new(j, "tree_buffers", json_integer((json_int_t)b->buffers));
    list = json_object();
    for (int i = 0; i < N_BLOCKS; i++)
        json_object_set_new(list, area_block_name((area_block)i), sum_json(&a->block[i]));
    json_object_set_new(j, "blocks", list);
    list = json_array();
    for (size_t i = 0; i < a->n_rams; i++)
        if (a->rams[i].ram.count) json_array_append_new(list, ram_json(&a->rams[i]));
    json_object_set_new(j, "srams", list);
    list = json_array();
    for (size_t i = 0; i < a->n_modules; i++) {
        const area_module *m = &a->modules[i];
        json_array_append_new(list, json_pack("{s:s, s:I, s:o, s:o}", "module", m->name, "instances",
                                              (json_int_t)m->instances, "own", sum_json(&m->own), "total",
                                              sum_json(&m->total)));
    }
    json_object_set_new(j, "modules", list);
    list = json_object();
    for (size_t i = 0; i < a->n_cells; i++)
        json_object_set_new(
            list, a->cells[i].name,
            json_pack("{s:I, s:f}", "count", (json_int_t)a->cells[i].count, "um2_each", a->cells[i].area));
    json_object_set_new(j, "cells_by_type", list);
    return j;
}

json_t *synth_timing_json(const synth_origin *o, const celllib *lib, const area_report *a, const sta_result *s,
                          double activity, double ram_rate)
{
    double sram_pj = 0;
    json_t *j = origin_json(o, lib);

    for (size_t i = 0; i < a->n_rams; i++)
        if (a->rams[i].ram.count) sram_pj += a->rams[i].e.energy_pj * (double)a->rams[i].ram.count;
    json_object_set_new(j, "min_period_ns", json_real(s->min_period));
    json_object_set_new(j, "fmax_mhz", json_real(1000 / s->min_period));
    json_object_set_new(j, "register_to_register_ns", real_or_null(s->register_period));
    json_object_set_new(j, "critical_path",
                        json_pack("{s:s, s:s, s:i}", "start", s->start, "end", s->end, "cells", s->path_cells));
    json_object_set_new(j, "power",
                        json_pack("{s:s, s:f, s:o, s:o, s:o, s:o, s:f, s:o}", "at", "fmax",
                                  "activity_per_pin_and_cycle", activity, "sequential_w",
                                  real_or_null(s->power_sequential), "combinational_w",
                                  real_or_null(s->power_combinational), "leakage_w", real_or_null(s->power_leakage),
                                  "cells_w", real_or_null(s->power_total), "sram_accesses_per_cycle", ram_rate,
                                  "sram_w", real_or_null(sram_pj * ram_rate * 1e-12 / (s->min_period * 1e-9))));
    json_object_set_new(
        j, "not_counted",
        json_string("wires, clock tree and layout; inputs and outputs are registered by their neighbours"));
    return j;
}

lt_code synth_write_json(json_t *doc, const char *path, lt_err *err)
{
    char *text = doc ? json_dumps(doc, JSON_INDENT(2) | JSON_SORT_KEYS | JSON_REAL_PRECISION(9)) : NULL;
    lt_buf b = {0};

    if (text) lt_buf_printf(&b, "%s\n", text);
    free(text);
    json_decref(doc);
    lt_code code =
        b.len && lt_buf_ok(&b) ? lt_write_file(path, b.data, b.len, err) : lt_fail(err, LT_EMEM, "out of memory");
    lt_buf_free(&b);
    return code;
}

static double share(double part, double whole)
{
    return whole > 0 ? 100 * part / whole : 0;
}

void synth_report_area(lt_buf *b, const synth_origin *o, const celllib *lib, const area_report *a,
                       const netbuf_stats *nb)
{
    double whole = a->total.logic + a->total.sram;

    lt_buf_printf(b, "%s on %s\n%s\n\n", o->config, lib->name, o->command);
    lt_buf_printf(b, "logic %14.0f um2", a->total.logic);
    if (lib->nand2_area > 0) lt_buf_printf(b, "  = %.1f k NAND2", a->total.logic / lib->nand2_area / 1000);
    lt_buf_printf(b, ", %lld cells, %lld flip-flops, %lld latches, %zu buffers added for fan-out\n", a->total.cells,
                  a->total.flip_flops, a->total.latches, nb->buffers);
    lt_buf_printf(b, "SRAM  %14.0f um2  %lld bits\n", a->total.sram, a->total.sram_bits);
    if (isfinite(sram_by_nand2(a)))
        lt_buf_printf(b, "      %14.0f um2  if macros scaled with NAND2 area instead of node^2\n", sram_by_nand2(a));
    lt_buf_printf(b, "total %14.0f um2\n\n", whole);

    lt_buf_puts(b, "block              logic um2        SRAM um2     share  flip-flops   SRAM bits\n");
    for (int i = 0; i < N_BLOCKS; i++) {
        const area_sum *s = &a->block[i];
        lt_buf_printf(b, "%-10s %17.0f %15.0f %8.1f%% %11lld %11lld\n", area_block_name((area_block)i), s->logic,
                      s->sram, share(s->logic + s->sram, whole), s->flip_flops, s->sram_bits);
    }
    lt_buf_puts(
        b, "\nmemory                              count   built as     um2 each      um2 all  access ns   pJ/access\n");
    for (size_t i = 0; i < a->n_rams; i++) {
        const area_ram *r = &a->rams[i];
        if (!r->ram.count) continue;
        lt_buf_printf(b, "%-34s %6lld %10s %12.0f %12.0f %10.3f", r->ram.module, r->ram.count,
                      sram_kind_name(r->e.kind), r->e.area, r->e.area * (double)r->ram.count, r->e.access_ns);
        if (isfinite(r->e.energy_pj))
            lt_buf_printf(b, " %11.2f\n", r->e.energy_pj);
        else
            lt_buf_puts(b, "         n/a\n");
    }
    lt_buf_puts(b, "\nmodule (by share of logic)             instances    own um2 each   with children     share\n");
    for (size_t i = 0; i < a->n_modules; i++) {
        const area_module *m = &a->modules[i];
        lt_buf_printf(b, "%-38s %9lld %15.0f %15.0f %8.1f%%\n", m->name, m->instances, m->own.logic, m->total.logic,
                      share(m->own.logic * (double)m->instances, a->total.logic));
    }
}

void synth_report_timing(lt_buf *b, const sta_result *s, double activity)
{
    lt_buf_printf(b, "\nFmax %.1f MHz: period %.3f ns", 1000 / s->min_period, s->min_period);
    if (isfinite(s->register_period)) lt_buf_printf(b, ", between registers %.3f ns", s->register_period);
    lt_buf_printf(b, "\nfrom %s\nto   %s\nthrough %d cells\n", s->start, s->end, s->path_cells);
    if (isfinite(s->power_total))
        lt_buf_printf(b, "cells at Fmax, %.2f transitions per pin and cycle: %.4f W\n", activity, s->power_total);
    lt_buf_puts(b, "Not counted: wires, clock tree, layout.\n\n");
    lt_buf_add(b, s->path.data ? s->path.data : "", s->path.len);
}
