#include "report.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/file.h"

static double mean(const tb_report *r, uint64_t sum)
{
    return r->stats->images ? (double)sum / r->stats->images : 0;
}

static bool wanted(const tb_report *r, int layer)
{
    return r->options->layer < 0 || r->options->layer == layer;
}

static void print_layers(const tb_report *r)
{
    const tb_stats *s = r->stats;

    if (r->image->profile_count == 0) return;
    printf("\n%3s  %-24s %10s %12s %6s %9s %9s %9s\n", "#", "layer", "cycles", "MACs", "util", "read", "write", "core");
    for (int i = 0; i < s->layers; i++) {
        const tb_layer_stats *l = &s->layer[i];
        double u = tb_stats_utilisation(s, i);
        char util[16] = "n/a";
        if (!wanted(r, i)) continue;
        if (u >= 0) snprintf(util, sizeof util, "%.1f%%", 100 * u);
        printf("%3d  %-24.24s %10.0f %12llu %6s %9.0f %9.0f %9.0f\n", i, s->info[i].name, mean(r, l->cycles),
               (unsigned long long)s->info[i].macs, util, mean(r, l->read_stall), mean(r, l->write_stall),
               mean(r, l->core_stall));
    }
    printf("     %-24s %10.0f %12llu %6s %9.0f %9.0f %9.0f\n", "whole network", mean(r, s->total.cycles),
           (unsigned long long)s->macs, "", mean(r, s->total.read_stall), mean(r, s->total.write_stall),
           mean(r, s->total.core_stall));
    puts("     (util: of the core's peak while the layer runs; read, write, core: cycles stalled)");
}

static void print_comparison(const tb_report *r)
{
    const tb_comparison *c = r->comparison;
    const tb_mismatch *m = &c->first;

    if (!r->expect) {
        puts("results: not compared (no --expect)");
        return;
    }
    if (!c->wrong) {
        printf("results: bit-exact, %llu values in %d tensors per image\n", (unsigned long long)c->values, c->layers);
        return;
    }
    printf("results: %llu of %llu values wrong\n", (unsigned long long)c->wrong, (unsigned long long)c->values);
    printf("  first mismatch: image %d, layer %d (%s), pixel y=%u x=%u, channel %u: expected %d, got %d\n", m->image,
           m->layer, r->expect->layers[m->layer].name, m->y, m->x, m->c, m->expected, m->got);
    printf("  in that tensor %llu of %llu values are wrong\n", (unsigned long long)m->wrong, (unsigned long long)m->of);
}

void tb_report_print(const tb_report *r)
{
    const tb_stats *s = r->stats;
    const lutra_image *img = r->image;
    double steady = tb_stats_steady(s), reads = mean(r, s->total.read_beats) * img->bus_bytes,
           writes = mean(r, s->total.write_beats) * img->bus_bytes;

    printf("%s on %s, fingerprint %08x, %d image%s, seed %llu, memory latency %d", img->model, img->config,
           img->fingerprint, s->images, s->images == 1 ? "" : "s", (unsigned long long)r->options->seed, r->latency);
    if (r->options->stall) printf(", %d%% stalls", r->options->stall);
    if (r->options->bandwidth > 0) printf(", %g bytes per cycle", r->options->bandwidth);
    puts("");
    print_layers(r);
    printf("\ncycles per image: %.0f from START to DONE\n", mean(r, s->total.cycles));
    printf("latency of the first %s: %llu cycles, driver included\n", img->batch > 1 ? "batch" : "image",
           (unsigned long long)s->first_latency);
    if (img->batch > 1) printf("batch: %u images per run\n", img->batch);
    if (steady > 0)
        printf("steady state: %.1f cycles per image, driver included (over %d images)\n", steady, s->images);
    else
        puts("steady state: n/a (needs two images)");
    printf("memory traffic per image: %.0f bytes read, %.0f written on %u bits\n", reads, writes, img->bus_bytes * 8);
    printf("simulation: %llu cycles in %.2f s (%.2f s of processor time), %.3f M cycles/s, %.1f M MAC/s\n",
           (unsigned long long)r->cycles, r->wall, r->cpu, (double)r->cycles / r->wall * 1e-6,
           (double)s->macs * s->images / r->wall * 1e-6);
    if (!s->predicted)
        puts("cycle model: not compared (needs a prediction, its memory latency, and no stalls)");
    else if (s->exact)
        puts("cycle model: exact");
    else
        printf("cycle model: WRONG: %s; counters that differ anywhere:%s\n", s->difference, s->differing);
    print_comparison(r);
}

static json_t *real_or_null(double v)
{
    return v >= 0 ? json_real(v) : json_null();
}

/* Whole when it is one, so that equal runs read equal. */
static json_t *number(double v)
{
    return v == floor(v) ? json_integer((json_int_t)v) : json_real(v);
}

static json_t *layers_json(const tb_report *r)
{
    const tb_stats *s = r->stats;
    json_t *list = json_array();

    for (int i = 0; r->image->profile_count && i < s->layers; i++) {
        const tb_layer_stats *l = &s->layer[i];
        if (!wanted(r, i)) continue;
        json_array_append_new(list,
                              json_pack("{s:s, s:o, s:I, s:o, s:o, s:o, s:o}", "name", s->info[i].name, "cycles",
                                        number(mean(r, l->cycles)), "macs", (json_int_t)s->info[i].macs, "utilisation",
                                        real_or_null(tb_stats_utilisation(s, i)), "read_stall",
                                        number(mean(r, l->read_stall)), "write_stall", number(mean(r, l->write_stall)),
                                        "core_stall", number(mean(r, l->core_stall))));
    }
    return list;
}

lt_code tb_report_json(const tb_report *r, const char *path, lt_err *err)
{
    const tb_stats *s = r->stats;
    const lutra_image *img = r->image;
    char fingerprint[9];
    double steady = tb_stats_steady(s);

    snprintf(fingerprint, sizeof fingerprint, "%08x", img->fingerprint);
    json_t *root = json_pack(
        "{s:s, s:s, s:s, s:i, s:i, s:I, s:o, s:I, s:o, s:I, s:o, s:{s:i, s:o, s:o, s:i, s:i, s:f}, s:{s:I, s:f, s:f, "
        "s:f}, "
        "s:o, s:o}",
        "config", img->config, "fingerprint", fingerprint, "model", img->model, "images", s->images, "batch",
        (int)img->batch, "seed", (json_int_t)r->options->seed, "cycles_per_image", number(mean(r, s->total.cycles)),
        "first_image_latency", (json_int_t)s->first_latency, "steady_cycles_per_image",
        steady > 0 ? number(steady) : json_null(), "macs_per_image", (json_int_t)s->macs, "layers", layers_json(r),
        "axi", "bus_bits", (int)img->bus_bytes * 8, "read_bytes", number(mean(r, s->total.read_beats) * img->bus_bytes),
        "write_bytes", number(mean(r, s->total.write_beats) * img->bus_bytes), "latency", r->latency, "stall_percent",
        r->options->stall, "bandwidth", r->options->bandwidth, "sim", "cycles", (json_int_t)r->cycles, "cycles_per_s",
        (double)r->cycles / r->wall, "wall_s", r->wall, "cpu_s", r->cpu, "bit_exact",
        r->expect ? json_boolean(r->comparison->wrong == 0) : json_null(), "cycle_model_exact",
        s->predicted ? json_boolean(s->exact) : json_null());
    char *text = root ? json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(9)) : NULL;
    json_decref(root);
    if (!text) return lt_fail(err, LT_EMEM, "out of memory");
    size_t len = strlen(text);
    text[len] = '\n'; /* instead of the terminator */
    lt_code rc = lt_write_file(path, text, len + 1, err);
    free(text);
    return rc;
}
