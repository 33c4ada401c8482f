#include "stats.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

lt_code tb_stats_init(tb_stats *s, const lutra_image *image, lt_err *err)
{
    *s = (tb_stats){.layers = (int)image->layers};
    s->info = calloc(image->layers + (size_t)1, sizeof *s->info);
    s->layer = calloc(image->layers + (size_t)1, sizeof *s->layer);
    if (!s->info || !s->layer) {
        tb_stats_free(s);
        return lt_fail(err, LT_EMEM, "out of memory");
    }
    for (uint32_t i = 0; i < image->layers; i++) {
        lutra_image_layer(image, i, &s->info[i]);
        s->macs += s->info[i].macs;
    }
    return LT_OK;
}

void tb_stats_free(tb_stats *s)
{
    free(s->info);
    free(s->layer);
    *s = (tb_stats){0};
}

static void add(tb_layer_stats *s, const lutra_profile *to, const lutra_profile *from)
{
    s->cycles += to->cycles - from->cycles;
    s->exec_busy += to->exec_busy - from->exec_busy;
    s->read_stall += to->stall_read - from->stall_read;
    s->write_stall += to->stall_write - from->stall_write;
    s->core_stall += to->stall_core - from->stall_core;
    s->read_beats += to->read_beats - from->read_beats;
    s->write_beats += to->write_beats - from->write_beats;
}

/* The counters at the end as a profile record; `layer` holds the descriptors, as in a prediction. */
static lutra_profile final_record(const lutra_counters *c)
{
    return (lutra_profile){c->descriptors, c->cycles,     c->exec_busy,  c->stall_read,
                           c->stall_write, c->stall_core, c->read_beats, c->write_beats};
}

static bool not_before(const lutra_profile *a, const lutra_profile *b)
{
    return a->cycles >= b->cycles && a->exec_busy >= b->exec_busy && a->stall_read >= b->stall_read &&
           a->stall_write >= b->stall_write && a->stall_core >= b->stall_core && a->read_beats >= b->read_beats &&
           a->write_beats >= b->write_beats;
}

lt_code tb_stats_add(tb_stats *s, const lutra_image *image, const tb_run *run, lt_err *err)
{
    lutra_profile before = {0}, end = final_record(&run->counters), zero = {0};

    for (uint32_t i = 0; i < image->profile_count; i++) {
        const lutra_profile *p = &run->profile[i];
        if (p->layer >= image->layers)
            return lt_fail(err, LT_EINTERNAL, "profile record %u: layer %u of %u", i, p->layer, image->layers);
        if (!not_before(p, &before) || !not_before(&end, p))
            return lt_fail(err, LT_EINTERNAL, "profile record %u (layer %u): counters run backwards", i, p->layer);
        add(&s->layer[p->layer], p, &before);
        before = *p;
    }
    add(&s->total, &end, &zero);
    s->images += (int)image->batch;
    if (s->runs++ == 0) {
        s->batch = (int)image->batch;
        s->first_latency = run->end - run->start;
        s->first_end = run->end;
    }
    s->end = run->end;
    return LT_OK;
}

static void compare(tb_stats *s, const char *what, uint32_t which, const lutra_profile *want, const lutra_profile *got,
                    bool total)
{
    const struct {
        const char *name;
        uint32_t want, got;
    } field[] = {{total ? "DESCRIPTORS" : "layer", want->layer, got->layer},
                 {"CYCLES", want->cycles, got->cycles},
                 {"EXEC_BUSY", want->exec_busy, got->exec_busy},
                 {"STALL_READ", want->stall_read, got->stall_read},
                 {"STALL_WRITE", want->stall_write, got->stall_write},
                 {"STALL_CORE", want->stall_core, got->stall_core},
                 {"READ_BEATS", want->read_beats, got->read_beats},
                 {"WRITE_BEATS", want->write_beats, got->write_beats}};

    for (unsigned i = 0; i < sizeof field / sizeof *field; i++) {
        if (field[i].want == field[i].got) continue;
        if (s->exact)
            snprintf(s->difference, sizeof s->difference, "%s %u, %s: predicted %u, counted %u", what, which,
                     field[i].name, field[i].want, field[i].got);
        s->exact = false;
        size_t used = strlen(s->differing);
        if (!strstr(s->differing, field[i].name))
            snprintf(s->differing + used, sizeof s->differing - used, " %s", field[i].name);
    }
}

void tb_stats_compare(tb_stats *s, const lutra_image *image, const tb_run *run)
{
    lutra_profile want, end = final_record(&run->counters);

    if (!s->predicted) s->exact = true;
    s->predicted = true;
    for (uint32_t i = 0; i < image->profile_count; i++) {
        lutra_image_predicted(image, i, &want);
        compare(s, "profile record", i, &want, &run->profile[i], false);
    }
    lutra_image_predicted(image, image->profile_count, &want);
    compare(s, "whole program, image", (uint32_t)s->images - image->batch, &want, &end, true);
}

double tb_stats_steady(const tb_stats *s)
{
    return s->runs < 2 ? 0 : (double)(s->end - s->first_end) / (s->images - s->batch);
}

double tb_stats_utilisation(const tb_stats *s, int layer)
{
    const lutra_layer *l = &s->info[layer];
    double most = (double)s->layer[layer].cycles * l->peak_macs;
    return l->peak_macs && most > 0 && l->macs ? (double)l->macs * s->images / most : -1;
}
