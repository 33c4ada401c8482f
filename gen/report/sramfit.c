#include "report/sramfit.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "report/liberty.h"
#include "report/lsq.h"

enum { MAX_FILE = 16 << 20, MAX_PATH = 4096 };

/* Relative error from which a macro counts as odd: the bulk of the published ones lies within it. */
static const double huber = 0.1;

typedef struct {
    sram_macro *m;
    int path; /* bits: 1 in the cell, 2 in the clock pin, 4 in a cell_rise table, 8 in a rise_power table */
    int depth_of[4];
    bool clock_pin;
    double cap_ff, word_width;
} parser;

static lt_code on_begin(void *ctx, int depth, text_t type, text_t name, lt_err *err)
{
    static const char *const opens[4] = {"cell", "pin", "cell_rise", "rise_power"};
    parser *p = ctx;

    for (int i = 0; i < 4; i++) {
        if (p->path >> i & 1 || !text_is(type, opens[i])) continue;
        p->path |= 1 << i;
        p->depth_of[i] = depth;
        if (i == 0) {
            if (name.len >= sizeof p->m->name) return lt_fail(err, LT_EINPUT, "cell name too long");
            if (p->m->name[0]) return lt_fail(err, LT_EINPUT, "more than one cell");
            text_copy(name, p->m->name, sizeof p->m->name);
        }
        if (i == 1) p->clock_pin = false;
    }
    return LT_OK;
}

static lt_code on_attr(void *ctx, int depth, text_t name, text_t value, lt_err *err)
{
    parser *p = ctx;
    double v;

    (void)err;
    if (!lib_number(value, &v)) {
        if (text_is(name, "clock") && (p->path & 2)) p->clock_pin = text_is(value, "true");
        return LT_OK;
    }
    if (depth == 0 && text_is(name, "nom_voltage")) p->m->voltage = v;
    if (depth == 0 && text_is(name, "capacitive_load_unit")) {
        bool pf = false;
        for (size_t i = 0; i < value.len; i++) pf |= (value.s[i] | 32) == 'p';
        p->cap_ff = pf ? v * 1000 : v;
    }
    if (p->path == 1 && depth == 1 && text_is(name, "area")) p->m->area = v;
    if ((p->path & 1) && text_is(name, "word_width")) p->word_width = v;
    if (!text_is(name, "values")) return LT_OK;
    if ((p->path & 4) && !(p->m->access_ns > 0)) p->m->access_ns = v;
    if ((p->path & 8) && p->clock_pin && !(p->m->energy_pj > 0)) p->m->energy_pj = v;
    return LT_OK;
}

static lt_code on_end(void *ctx, int depth, lt_err *err)
{
    parser *p = ctx;
    (void)err;
    for (int i = 0; i < 4; i++)
        if ((p->path >> i & 1) && p->depth_of[i] == depth) p->path &= ~(1 << i);
    return LT_OK;
}

/* Finds `<a>x<b>` in the cell's name, one of which is the width. */
static bool depth_from_name(sram_macro *m)
{
    for (const char *s = m->name; *s; s++) {
        int a, b;
        if ((s > m->name && s[-1] != '_') || sscanf(s, "%9dx%9d", &a, &b) != 2 || a < 1 || b < 1) continue;
        if (b == m->width)
            m->depth = a;
        else if (a == m->width)
            m->depth = b;
        else
            continue;
        return true;
    }
    return false;
}

static lt_code read_macro(const char *path, sram_macro *m, bool *is_memory, lt_err *err)
{
    static const lib_events events = {on_begin, on_attr, on_end};
    parser p = {.m = m, .cap_ff = 1000};
    char *text;
    size_t len;

    *m = (sram_macro){0};
    *is_memory = false;
    LT_TRY(lt_read_file(path, MAX_FILE, &text, &len, err));
    lt_code code = lib_parse(path, text, len, &events, &p, err);
    free(text);
    if (code != LT_OK) return code;
    if (!(p.word_width >= 1)) return LT_OK;
    *is_memory = true;
    m->width = (int)p.word_width;
    m->energy_pj *= p.cap_ff * 1e-3; /* Liberty's energy unit is cap * V^2 with V = 1 */
    if (!depth_from_name(m)) return lt_fail(err, LT_EINPUT, "%s: no <words>x<bits> in the name '%s'", path, m->name);
    if (!(m->area > 0)) return lt_fail(err, LT_EINPUT, "%s: no area", path);
    return LT_OK;
}

static int is_lib(const struct dirent *d)
{
    size_t n = strlen(d->d_name);
    return (n > 4 && strcmp(d->d_name + n - 4, ".lib") == 0) || (n > 7 && strcmp(d->d_name + n - 7, ".lib.gz") == 0);
}

lt_code sramfit_read(const char *dir, sram_macro *m, size_t *n, lt_err *err)
{
    struct dirent **list;
    lt_code code = LT_OK;
    int files = scandir(dir, &list, is_lib, alphasort);

    *n = 0;
    if (files < 0) return lt_fail(err, LT_EIO, "%s: %s", dir, strerror(errno));
    for (int i = 0; i < files; i++) {
        char path[MAX_PATH];
        bool is_memory = false;
        if (code == LT_OK && *n == SRAMFIT_MAX_MACROS)
            code = lt_fail(err, LT_EINPUT, "%s: more than %d macros", dir, SRAMFIT_MAX_MACROS);
        if (code == LT_OK && snprintf(path, sizeof path, "%s/%s", dir, list[i]->d_name) >= (int)sizeof path)
            code = lt_fail(err, LT_EINPUT, "%s: path too long", dir);
        if (code == LT_OK) code = read_macro(path, &m[*n], &is_memory, err);
        if (is_memory) ++*n;
        free(list[i]);
    }
    free(list);
    if (code == LT_OK && *n == 0)
        return lt_fail(err, LT_EINPUT, "%s: no memory macros (*.lib with a memory group)", dir);
    return code;
}

lt_code sramfit_run(const sram_macro *m, size_t n, sram_fit *fit, lt_err *err)
{
    static double xa[SRAMFIT_MAX_MACROS * 3], xt[SRAMFIT_MAX_MACROS * 2], xe[SRAMFIT_MAX_MACROS * 2];
    double y[SRAMFIT_MAX_MACROS] = {0}, k[LSQ_MAX_TERMS];

    if (n < 1) return lt_fail(err, LT_EINPUT, "no macros");
    if (n > SRAMFIT_MAX_MACROS) return lt_fail(err, LT_EINPUT, "more than %d macros", SRAMFIT_MAX_MACROS);
    *fit = (sram_fit){.n = n};
    for (size_t i = 0; i < n; i++) {
        double w = (m[i].width + 7) / 8 * 8, d = m[i].depth;
        memcpy(&xa[i * 3], (double[]){w * d, w, d}, 3 * sizeof(double));
        memcpy(&xt[i * 2], (double[]){1, sqrt(w * d)}, 2 * sizeof(double));
        memcpy(&xe[i * 2], (double[]){w, w * sqrt(d)}, 2 * sizeof(double));
    }
    for (size_t i = 0; i < n; i++) y[i] = m[i].area;
    if (lsq_fit(n, 3, xa, y, huber, k, fit->area_err, err) != LT_OK) return lt_wrap(err, "area");
    fit->k.area_bit = k[0], fit->k.area_width = k[1], fit->k.area_depth = k[2];
    for (size_t i = 0; i < n; i++) y[i] = m[i].access_ns;
    if (lsq_fit(n, 2, xt, y, huber, k, fit->access_err, err) != LT_OK) return lt_wrap(err, "access time");
    fit->k.access_0 = k[0], fit->k.access_size = k[1];
    for (size_t i = 0; i < n; i++) y[i] = m[i].energy_pj;
    if (lsq_fit(n, 2, xe, y, huber, k, fit->energy_err, err) != LT_OK) return lt_wrap(err, "energy");
    fit->k.energy_width = k[0], fit->k.energy_bitline = k[1];
    fit->k.voltage = m[0].voltage;
    return LT_OK;
}
