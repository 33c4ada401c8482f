/* Accelerators for the settings of a study: tables of flows/explore.sh, and which variants they should have. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "config/config_table.h"
#include "report/grow.h"
#include "report/study.h"
#include "report/text.h"

enum { MAX_CSV = 1 << 20, MAX_FIELDS = 32 };

void study_areas_free(study_areas *a)
{
    free(a->areas);
    *a = (study_areas){0};
}

/* ---- reading ---- */

/* KEY=VALUE into cfg; false: no such key or value. */
static bool set_key(text_t word, lt_config *cfg)
{
    const char *equals = memchr(word.s, '=', word.len);
    char name[64], value[32], *end;

    if (!equals) return false;
    text_copy((text_t){word.s, (size_t)(equals - word.s)}, name, sizeof name);
    text_copy((text_t){equals + 1, word.len - (size_t)(equals - word.s) - 1}, value, sizeof value);
    int i = lt_key_find(name);
    if (i < 0 || !*value) return false;
    const lt_key *k = &lt_keys[i];
    if (k->type == LT_KEY_ENUM) {
        int v = 0;
        while (k->words[v] && strcmp(k->words[v], value) != 0) v++;
        if (!k->words[v]) return false;
        lt_key_set(k, cfg, v);
        return true;
    }
    long v = strtol(value, &end, 10);
    if (*end || v < INT16_MIN || v > 1 << 20) return false;
    lt_key_set(k, cfg, (int)v);
    return true;
}

static lt_code set_variant(const char *path, int line, text_t variant, const lt_config *base, lt_config *cfg,
                           lt_err *err)
{
    *cfg = *base;
    if (text_is(variant, "as shipped")) return LT_OK;
    while (variant.len) {
        const char *space = memchr(variant.s, ' ', variant.len);
        text_t word = {variant.s, space ? (size_t)(space - variant.s) : variant.len};
        if (word.len && !set_key(word, cfg))
            return lt_fail(err, LT_EINPUT, "%s:%d: variant: got '%.*s', expected KEY=VALUE of a configuration", path,
                           line, (int)word.len, word.s);
        variant.s += word.len + (space != NULL);
        variant.len -= word.len + (space != NULL);
    }
    char where[300];
    snprintf(where, sizeof where, "%.250s:%d", path, line);
    return lt_config_check(cfg, where, err);
}

static int fields_of(text_t line, text_t *f)
{
    int n = 0;
    while (n < MAX_FIELDS) {
        const char *comma = memchr(line.s, ',', line.len);
        f[n++] = (text_t){line.s, comma ? (size_t)(comma - line.s) : line.len};
        if (!comma) break;
        line.len -= (size_t)(comma - line.s) + 1;
        line.s = comma + 1;
    }
    return n;
}

typedef struct {
    const char *name;
    size_t offset;
} wanted;

/* logic and SRAM are added up */
static const wanted numbers[] = {{"cycles", offsetof(study_area, cycles)},
                                 {"fmax_mhz", offsetof(study_area, fmax_mhz)},
                                 {"logic_mm2", offsetof(study_area, area_mm2)},
                                 {"sram_mm2", offsetof(study_area, area_mm2)},
                                 {"whole_inferences_s_mm2", offsetof(study_area, per_mm2)},
                                 {"core_inferences_s_mm2", offsetof(study_area, core_per_mm2)}};
enum { N_NUMBERS = sizeof numbers / sizeof *numbers };

static lt_code get_numbers(const char *path, int line, const text_t *titles, const text_t *f, int n, study_area *a,
                           lt_err *err)
{
    for (int k = 0; k < N_NUMBERS; k++) {
        char text[32], *end;
        double v, sum;
        int i = 0;
        while (i < n && !text_is(titles[i], numbers[k].name)) i++;
        if (i == n) return lt_fail(err, LT_EINPUT, "%s:1: has no column %s", path, numbers[k].name);
        text_copy(f[i], text, sizeof text);
        v = strtod(text, &end);
        if (end == text || *end || !isfinite(v) || v <= 0)
            return lt_fail(err, LT_EINPUT, "%s:%d: %s: got '%s', expected a number above 0", path, line,
                           numbers[k].name, text);
        memcpy(&sum, (char *)a + numbers[k].offset, sizeof sum);
        sum += v;
        memcpy((char *)a + numbers[k].offset, &sum, sizeof sum);
    }
    return LT_OK;
}

static lt_code get_areas(const char *path, const char *data, const lt_config *base, study_areas *out, lt_err *err)
{
    text_t titles[MAX_FIELDS], f[MAX_FIELDS];
    int n = 0, line = 0;

    for (const char *at = data; *at;) {
        size_t len = strcspn(at, "\n");
        text_t text = {at, len};
        study_area a = {0};
        at += len + (at[len] == '\n');
        line++;
        if (line == 1) {
            n = fields_of(text, titles);
            if (!text_is(titles[0], "variant"))
                return lt_fail(err, LT_EINPUT, "%s:1: got column '%.*s', expected variant: is this of make explore?",
                               path, (int)(titles[0].len < 60 ? titles[0].len : 60), titles[0].s);
            continue;
        }
        if (fields_of(text, f) != n)
            return lt_fail(err, LT_EINPUT, "%s:%d: got another number of fields than %d", path, line, n);
        if (f[0].len >= sizeof a.variant) return lt_fail(err, LT_EINPUT, "%s:%d: variant: too long", path, line);
        text_copy(f[0], a.variant, sizeof a.variant);
        LT_TRY(get_numbers(path, line, titles, f, n, &a, err));
        if (base) LT_TRY(set_variant(path, line, f[0], base, &a.cfg, err));
        GROW(out->areas, out->n, out->cap, return lt_fail(err, LT_EMEM, "out of memory"));
        out->areas[out->n++] = a;
    }
    return out->n ? LT_OK : lt_fail(err, LT_EINPUT, "%s: holds no variant", path);
}

lt_code study_areas_read(const char *path, const lt_config *base, study_areas *a, lt_err *err)
{
    char *data;
    size_t len;

    *a = (study_areas){0};
    LT_TRY(lt_read_file(path, MAX_CSV, &data, &len, err));
    lt_code rc = get_areas(path, data, base, a, err);
    free(data);
    if (rc != LT_OK) study_areas_free(a);
    return rc;
}

/* ---- matching ---- */

static bool runs(const lt_config *cfg, const lt_config *base, const study_row *r)
{
    return cfg->core == CORE_PQ && cfg->pq_mode == r->mode && cfg->pq_encoder == (int)study_encoder(r) &&
           cfg->pq_mirror == (r->encoder == STUDY_MIRRORED) && cfg->pq_prototypes == r->prototypes &&
           cfg->pq_length == r->length && cfg->pq_lut_bits == r->lut_bits && cfg->pq_enc_bits == r->enc_bits &&
           cfg->lanes == base->lanes && cfg->acc_bits == base->acc_bits && cfg->mult_bits == base->mult_bits;
}

const study_area *study_area_of(const study_areas *a, const lt_config *base, const study_row *row)
{
    const study_area *best = NULL;
    for (size_t i = 0; i < a->n; i++)
        if (runs(&a->areas[i].cfg, base, row) && (!best || a->areas[i].per_mm2 > best->per_mm2)) best = &a->areas[i];
    return best;
}

void study_join(study_table *t, const study_areas *a, const lt_config *base)
{
    for (size_t i = 0; i < t->n; i++) {
        study_row *r = &t->rows[i];
        const study_area *of = study_area_of(a, base, r);
        r->variant[0] = '\0';
        if (of) memcpy(r->variant, of->variant, sizeof r->variant);
        double faster = of && isfinite(r->own_cycles) ? of->cycles / r->own_cycles : 1;
        r->cycles = of ? of->cycles / faster : NAN;
        r->fmax_mhz = of ? of->fmax_mhz : NAN;
        r->area_mm2 = of ? of->area_mm2 : NAN;
        r->per_mm2 = of ? of->per_mm2 * faster : NAN;
        r->core_per_mm2 = of ? of->core_per_mm2 * faster : NAN;
    }
}

/* ---- the variant of a setting ---- */

/* As many dense multipliers as base has, or the next fewer that are legal beside the other keys. */
static lt_code fit_dense(lt_config *cfg, lt_err *err)
{
    lt_code rc = lt_config_check(cfg, "configuration", err);
    lt_err ignored;

    for (int m = cfg->pq_dense - 1; rc != LT_OK && m > 0; m--) {
        lt_config c = *cfg;
        c.pq_dense = m;
        if (lt_config_check(&c, "configuration", &ignored) != LT_OK) continue;
        *cfg = c;
        rc = LT_OK;
    }
    return rc;
}

lt_code study_variant(const lt_config *base, const study_row *row, lt_config *cfg, lt_buf *text, lt_err *err)
{
    const char *comma = "";

    *cfg = *base;
    cfg->pq_mode = row->mode;
    cfg->pq_encoder = (int)study_encoder(row);
    cfg->pq_mirror = row->encoder == STUDY_MIRRORED;
    cfg->pq_prototypes = row->prototypes;
    cfg->pq_length = row->length;
    cfg->pq_lut_bits = row->lut_bits;
    cfg->pq_enc_bits = row->enc_bits;
    if (row->mode == QPQ_SPATIAL)
        cfg->pq_codebooks = base->lanes;
    else if (row->length > 0 && base->lanes % row->length == 0)
        cfg->pq_codebooks = base->lanes / row->length;
    if (study_encoder(row) == QENC_TREE) cfg->pq_enc_cycles = 1;
    LT_TRY(fit_dense(cfg, err));
    for (int i = 0; i < lt_n_keys; i++) {
        const lt_key *k = &lt_keys[i];
        if (lt_key_get(k, cfg) == lt_key_get(k, base)) continue;
        lt_buf_printf(text, "%s%s=", comma, k->name);
        lt_key_print_value(text, k, lt_key_get(k, cfg));
        comma = ",";
    }
    return lt_buf_ok(text) ? LT_OK : lt_fail(err, LT_EMEM, "out of memory");
}
