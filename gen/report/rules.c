#include "report/rules.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

/* Area depends on the tools' versions in the last percent; cycles depend on nothing. */
static const rule defaults[] = {
    {"logic_um2", true, 0, 0.02},     {"sram_um2", true, 0, 0.0},   {"core_logic_um2", true, 0, 0.02},
    {"fmax_mhz", false, 0, 0.05},     {"cycles", true, 0, 0.0},     {"per_mm2", false, 0, 0.05},
    {"per_core_mm2", false, 0, 0.05}, {"bit_exact", false, 0, 0.0}, {"accuracy_integer", false, 0, 0.001},
};

static lt_code read_rule(const char *path, size_t i, json_t *j, rule *r, lt_err *err)
{
    const char *metric = json_string_value(json_object_get(j, "metric"));
    const char *compare = json_string_value(json_object_get(j, "compare"));
    json_t *value = json_object_get(j, "value"), *tol = json_object_get(j, "tolerance");

    if (!metric || !result_find_column(metric))
        return lt_fail(err, LT_EINPUT, "%s: rule %zu: metric: got '%s', expected a column of compare.csv", path, i + 1,
                       metric ? metric : "nothing");
    if (!compare || (strcmp(compare, "<=") != 0 && strcmp(compare, ">=") != 0))
        return lt_fail(err, LT_EINPUT, "%s: rule %zu (%s): compare: got '%s', expected <= or >=", path, i + 1, metric,
                       compare ? compare : "nothing");
    if (!json_is_number(value))
        return lt_fail(err, LT_EINPUT, "%s: rule %zu (%s): value is not a number", path, i + 1, metric);
    if (tol && (!json_is_number(tol) || json_number_value(tol) < 0 || json_number_value(tol) >= 1))
        return lt_fail(err, LT_EINPUT, "%s: rule %zu (%s): tolerance: expected a fraction of 0 to below 1", path, i + 1,
                       metric);
    *r = (rule){
        .at_most = compare[0] == '<', .value = json_number_value(value), .tolerance = tol ? json_number_value(tol) : 0};
    strcpy(r->metric, result_find_column(metric)->key);
    return LT_OK;
}

static lt_code read_name(const char *path, json_t *root, const char *key, char *dst, size_t size, lt_err *err)
{
    const char *s = json_string_value(json_object_get(root, key));
    if (!s || strlen(s) >= size) return lt_fail(err, LT_EINPUT, "%s: %s: expected a name", path, key);
    strcpy(dst, s);
    return LT_OK;
}

lt_code rules_read(const char *path, rule_set *s, lt_err *err)
{
    json_error_t jerr;
    char *text;
    size_t len, i;
    json_t *j;

    *s = (rule_set){.n = 0};
    LT_TRY(lt_read_file(path, 1 << 20, &text, &len, err));
    json_t *root = json_loadb(text, len, 0, &jerr);
    free(text);
    if (!root) return lt_fail(err, LT_EINPUT, "%s:%d: %s", path, jerr.line, jerr.text);
    lt_code code = read_name(path, root, "config", s->config, sizeof s->config, err);
    if (code == LT_OK) code = read_name(path, root, "library", s->library, sizeof s->library, err);
    if (code == LT_OK) code = read_name(path, root, "model", s->model, sizeof s->model, err);
    json_t *list = json_object_get(root, "rules");
    if (code == LT_OK && (!json_is_array(list) || !json_array_size(list) || json_array_size(list) > RULES_MAX))
        code = lt_fail(err, LT_EINPUT, "%s: rules: expected a list of 1 to %d rules", path, RULES_MAX);
    if (code == LT_OK) json_array_foreach(list, i, j)
        {
            code = read_rule(path, i, j, &s->rule[s->n], err);
            if (code != LT_OK) break;
            s->n++;
        }
    json_decref(root);
    return code;
}

void rules_from(const result_row *r, rule_set *s)
{
    *s = (rule_set){.n = 0};
    strcpy(s->config, r->config);
    strcpy(s->library, r->library);
    strcpy(s->model, r->model);
    for (size_t i = 0; i < sizeof defaults / sizeof *defaults; i++) {
        double v = result_value(r, result_find_column(defaults[i].metric));
        if (!isfinite(v)) continue;
        s->rule[s->n] = defaults[i];
        s->rule[s->n++].value = v;
    }
}

lt_code rules_write(const rule_set *s, const char *path, lt_err *err)
{
    json_t *list = json_array();
    lt_buf b = {0};

    for (size_t i = 0; i < s->n; i++)
        json_array_append_new(list, json_pack("{s:s, s:s, s:f, s:f}", "metric", s->rule[i].metric, "compare",
                                              s->rule[i].at_most ? "<=" : ">=", "value", s->rule[i].value, "tolerance",
                                              s->rule[i].tolerance));
    json_t *root =
        json_pack("{s:s, s:s, s:s, s:o}", "config", s->config, "library", s->library, "model", s->model, "rules", list);
    char *text = root ? json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(7)) : NULL;
    json_decref(root);
    if (!text) return lt_fail(err, LT_EMEM, "out of memory");
    lt_buf_printf(&b, "%s\n", text);
    free(text);
    lt_code code = lt_buf_ok(&b) ? lt_write_file(path, b.data, b.len, err) : lt_fail(err, LT_EMEM, "out of memory");
    lt_buf_free(&b);
    return code;
}

void rules_check(const rule_set *s, const result_row *r, lt_buf *b, int *failed, int *missing)
{
    char cell[64];

    *failed = *missing = 0;
    for (size_t i = 0; i < s->n; i++) {
        const rule *u = &s->rule[i];
        const result_column *c = result_find_column(u->metric);
        double v = result_value(r, c), limit = u->value * (u->at_most ? 1 + u->tolerance : 1 - u->tolerance);
        /* limits are stored with 7 digits */
        double slack = fabs(limit) * 1e-6;
        bool known = isfinite(v), ok = known && (u->at_most ? v <= limit + slack : v >= limit - slack);
        *missing += !known;
        *failed += known && !ok;
        lt_buf_printf(b, "%-5s %-10s %-18s %14s %s %.*f (%.*f with tolerance)\n",
                      !known ? "n/a"
                      : ok   ? "ok"
                             : "FAIL",
                      r->config, u->metric, result_text(r, c, cell, sizeof cell), u->at_most ? "<=" : ">=", c->decimals,
                      u->value, c->decimals, limit);
    }
}
