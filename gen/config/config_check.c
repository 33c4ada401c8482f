#include "config/config_check.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "emit/desc_fields.h"

/* A rule between keys. `key` is the one to change; the nearest values for which `holds` is true are found by trying
 * them. In `expect`, $name stands for another key of the rule: its name and value in a message, its name in the manual.
 */
typedef struct {
    const char *key;
    unsigned cores;
    bool (*when)(const lt_config *c);  /* NULL: always */
    const char *when_key, *when_value; /* the same in words */
    bool (*holds)(const lt_config *c);
    const char *expect;
} rule;

/* How many bits the fields of a descriptor have: BITS_ADDRESS, ... */
#define FIELD_BITS(name, word, lsb, bits, sign, ops, doc) BITS_##name = (bits),
enum { LT_DESC_FIELDS(FIELD_BITS) };
#undef FIELD_BITS

enum { MAX_ADDRESSES = 1 << BITS_ADDRESS, TAPS = 9 };
_Static_assert(MAX_ADDRESSES == 65536 && BITS_WEIGHT_BASE >= BITS_ADDRESS && BITS_IN_BASE >= BITS_ADDRESS,
               "the texts of the rules below say so");

static bool post_divides(const lt_config *c)
{
    return c->lanes % c->post_lanes == 0;
}

static bool fb_addressable(const lt_config *c)
{
    return (long)c->fb_banks * c->fb_words <= MAX_ADDRESSES;
}

static bool wb_holds_entry(const lt_config *c)
{
    return c->wb_words >= c->lanes;
}

static bool prf_useful(const lt_config *c)
{
    return c->prf_depth <= c->wrf_depth;
}

static bool is_channel(const lt_config *c)
{
    return c->pq_mode == QPQ_CHANNEL;
}

static bool is_spatial(const lt_config *c)
{
    return c->pq_mode == QPQ_SPATIAL;
}

static bool is_tree(const lt_config *c)
{
    return c->pq_encoder == QENC_TREE;
}

static bool is_distance(const lt_config *c)
{
    return c->pq_encoder != QENC_TREE;
}

static bool length_divides(const lt_config *c)
{
    return c->lanes % c->pq_length == 0;
}

static bool length_is_window(const lt_config *c)
{
    return c->pq_length == TAPS;
}

static bool codebooks_divide(const lt_config *c)
{
    return c->lanes % (c->pq_length * c->pq_codebooks) == 0;
}

static bool codebooks_are_lanes(const lt_config *c)
{
    return c->pq_codebooks == c->lanes;
}

static bool one_cycle(const lt_config *c)
{
    return c->pq_enc_cycles == 1;
}

static bool cycles_divide(const lt_config *c)
{
    return c->pq_prototypes % c->pq_enc_cycles == 0;
}

static bool lut_addressable(const lt_config *c)
{
    long half = 1; /* rows of a half as they are addressed */
    while (half < lt_pq_half_rows(c)) half *= 2;
    return 2 * half * (c->pq_mode == QPQ_CHANNEL ? TAPS : 1) <= MAX_ADDRESSES;
}

static bool is_mirrored(const lt_config *c)
{
    return c->pq_mirror;
}

static bool two_rows(const lt_config *c)
{
    return lt_pq_half_rows(c) >= 2;
}

static bool dense_taps(const lt_config *c)
{
    return c->pq_dense == 0 || c->pq_dense == 1 || c->pq_dense == 3 || c->pq_dense == TAPS;
}

static bool dense_byte_fits(const lt_config *c)
{
    return !c->pq_dense || c->pq_codebooks * c->pq_lut_bits >= 8;
}

static bool dense_channels(const lt_config *c)
{
    int m = c->pq_dense;
    return m == 0 || ((m & (m - 1)) == 0 && c->lanes % m == 0 && 8 * m <= c->pq_codebooks * c->pq_lut_bits);
}

#define ALWAYS       NULL, NULL, NULL
#define WHEN_CHANNEL is_channel, "pq_mode", "channel"
#define WHEN_SPATIAL is_spatial, "pq_mode", "spatial"

static const rule rules[] = {
    {"post_lanes", LT_ON_ALL, ALWAYS, post_divides, "a divisor of $lanes"},
    {"fb_words", LT_ON_ALL, ALWAYS, fb_addressable, "at most 65536 words over all $fb_banks (addresses have 16 bits)"},
    {"wb_words", LT_ON_WS | LT_ON_EWS, ALWAYS, wb_holds_entry, "at least $lanes (the words of one array of weights)"},
    {"prf_depth", LT_ON_EWS, ALWAYS, prf_useful, "at most $wrf_depth (every partial sum needs its own weight)"},
    {"pq_length", LT_ON_PQ, WHEN_CHANNEL, length_divides, "a divisor of $lanes"},
    {"pq_length", LT_ON_PQ, WHEN_SPATIAL, length_is_window, "9, the taps of a 3 x 3 window"},
    {"pq_codebooks", LT_ON_PQ, WHEN_CHANNEL, codebooks_divide, "a divisor of $lanes / $pq_length"},
    {"pq_codebooks", LT_ON_PQ, WHEN_SPATIAL, codebooks_are_lanes, "$lanes"},
    {"pq_enc_cycles", LT_ON_PQ, is_tree, "pq_encoder", "tree", one_cycle, "1"},
    {"pq_enc_cycles", LT_ON_PQ, is_distance, "pq_encoder", "l1 or l2", cycles_divide, "a divisor of $pq_prototypes"},
    {"pq_lut_rows", LT_ON_PQ, WHEN_CHANNEL, lut_addressable,
     "at most 65536 load addresses (9 taps x 2 halves x the power of two that holds pq_lut_rows x $pq_prototypes "
     "/ (1 + $pq_mirror))"},
    {"pq_lut_rows", LT_ON_PQ, WHEN_SPATIAL, lut_addressable,
     "at most 65536 load addresses (2 halves x the power of two that holds pq_lut_rows x $pq_prototypes / (1 + "
     "$pq_mirror))"},
    {"pq_lut_rows", LT_ON_PQ, is_mirrored, "pq_mirror", "1", two_rows,
     "so many that pq_lut_rows x $pq_prototypes / 2, the entries in a half of a LUT bank, are 2 or more"},
    {"pq_dense", LT_ON_PQ, WHEN_CHANNEL, dense_taps, "0, 1, 3 or 9"},
    {"pq_dense", LT_ON_PQ, WHEN_CHANNEL, dense_byte_fits,
     "0, or $pq_codebooks times $pq_lut_bits of 8 or more (the bits of a dense weight)"},
    {"pq_dense", LT_ON_PQ, WHEN_SPATIAL, dense_channels,
     "0, or a power of two that divides $lanes and is at most $pq_codebooks times $pq_lut_bits / 8"},
};
enum { N_RULES = sizeof rules / sizeof rules[0] };

/* Next $name in the text, copied to name; returns where it starts, or NULL. *after points behind it. */
static const char *next_name(const char *text, char name[32], const char **after)
{
    const char *s = strchr(text, '$');
    size_t n = 0;

    if (!s) return NULL;
    for (*after = s + 1; (islower((unsigned char)**after) || **after == '_') && n < 31; (*after)++) name[n++] = **after;
    name[n] = '\0';
    return s;
}

/* The text with each $name replaced: "name" in backquotes, or with cfg "name (value)". */
static void print_expect(lt_buf *b, const char *text, const lt_config *cfg)
{
    char name[32];
    const char *after, *s;

    for (; (s = next_name(text, name, &after)); text = after) {
        lt_buf_add(b, text, (size_t)(s - text));
        if (cfg) {
            const lt_key *k = &lt_keys[lt_key_find(name)];
            lt_buf_printf(b, "%s = ", name);
            lt_key_print_value(b, k, lt_key_get(k, cfg));
        } else {
            lt_buf_printf(b, "`%s`", name);
        }
    }
    lt_buf_puts(b, text);
}

/* Does the rule count here, and do the other keys in it have sensible values? */
static bool usable(const rule *r, const lt_config *cfg, const lt_config_pos *pos)
{
    char name[32];
    const char *after = r->expect;

    if (!((r->cores >> cfg->core) & 1)) return false;
    if (r->when && (pos->bad[lt_key_find(r->when_key)] || !r->when(cfg))) return false;
    while (next_name(after, name, &after))
        if (pos->bad[lt_key_find(name)]) return false;
    return true;
}

static int rule_line(const rule *r, const lt_config_pos *pos)
{
    char name[32];
    const char *after = r->expect;
    int line = pos->line[lt_key_find(r->key)];

    if (line == 0 && r->when_key) line = pos->line[lt_key_find(r->when_key)];
    while (line == 0 && next_name(after, name, &after)) line = pos->line[lt_key_find(name)];
    return line;
}

static bool value_works(const lt_key *k, int value, const lt_config *cfg, const lt_config_pos *pos)
{
    lt_config c = *cfg;

    if (!lt_key_legal(k, value)) return false;
    lt_key_set(k, &c, value);
    for (int i = 0; i < N_RULES; i++)
        if (strcmp(rules[i].key, k->name) == 0 && usable(&rules[i], &c, pos) && !rules[i].holds(&c)) return false;
    return true;
}

/* "; nearest 4 and 8": the values of a number nearest to the present one that are in range and obey its rules. */
static void print_nearest(lt_buf *b, const lt_key *k, const lt_config *cfg, const lt_config_pos *pos)
{
    int got = lt_key_get(k, cfg), below = k->min - 1, above = k->min - 1;

    if (k->type == LT_KEY_ENUM) return;
    for (int v = k->min; v <= k->max && above < k->min; v++) {
        if (!value_works(k, v, cfg, pos)) continue;
        if (v < got)
            below = v;
        else
            above = v;
    }
    if (below >= k->min && above >= k->min)
        lt_buf_printf(b, "; nearest %d and %d", below, above);
    else if (below >= k->min || above >= k->min)
        lt_buf_printf(b, "; nearest %d", below >= k->min ? below : above);
}

void lt_config_begin_error(lt_errlist *errs, const lt_config_pos *pos, int line, const char *key)
{
    if (line > 0)
        lt_buf_printf(&errs->text, "%s:%d: %s: ", pos->where, line, key);
    else
        lt_buf_printf(&errs->text, "%s: %s: ", pos->where, key);
}

static bool key_is_wrong(const lt_key *k, const lt_config *cfg)
{
    int v = lt_key_get(k, cfg);
    return k == lt_keys || lt_key_applies(k, cfg->core) ? !lt_key_legal(k, v) : v != k->def[cfg->core];
}

static void report_key(const lt_config *cfg, int i, lt_config_pos *pos, lt_errlist *errs)
{
    const lt_key *k = &lt_keys[i];
    int v = lt_key_get(k, cfg);

    lt_config_begin_error(errs, pos, pos->line[i], k->name);
    lt_buf_printf(&errs->text, "got %d, expected ", v);
    if (i > 0 && !lt_key_applies(k, cfg->core)) {
        lt_buf_printf(&errs->text, "%d: core %s has it fixed", k->def[cfg->core], lt_core_names[cfg->core]);
    } else {
        lt_key_print_legal(&errs->text, k);
        if (i > 0) print_nearest(&errs->text, k, cfg, pos);
    }
    lt_errlist_end_line(errs);
}

static void report_rule(const rule *r, const lt_config *cfg, lt_config_pos *pos, lt_errlist *errs)
{
    int i = lt_key_find(r->key), line = rule_line(r, pos);
    const lt_key *k = &lt_keys[i];

    lt_config_begin_error(errs, pos, line, r->key);
    lt_buf_puts(&errs->text, "got ");
    lt_key_print_value(&errs->text, k, lt_key_get(k, cfg));
    if (pos->line[i] == 0 && line > 0) lt_buf_puts(&errs->text, " (the default)");
    lt_buf_puts(&errs->text, ", expected ");
    print_expect(&errs->text, r->expect, cfg);
    if (r->when) lt_buf_printf(&errs->text, " when %s is %s", r->when_key, r->when_value);
    print_nearest(&errs->text, k, cfg, pos);
    lt_errlist_end_line(errs);
}

void lt_config_check_all(const lt_config *cfg, lt_config_pos *pos, lt_errlist *errs)
{
    bool reported[LT_MAX_KEYS];

    memcpy(reported, pos->bad, sizeof reported);
    /* the core first: everything else depends on it */
    for (int i = 0; i < lt_n_keys && !pos->bad[0]; i++) pos->bad[i] = pos->bad[i] || key_is_wrong(&lt_keys[i], cfg);
    for (int i = 0; i < lt_n_keys; i++)
        if (pos->bad[i] && !reported[i]) report_key(cfg, i, pos, errs);
    for (int i = 0; i < N_RULES && !pos->bad[0]; i++) {
        const rule *r = &rules[i];
        int k = lt_key_find(r->key);
        if (pos->bad[k] || !usable(r, cfg, pos) || r->holds(cfg)) continue;
        report_rule(r, cfg, pos, errs);
        pos->bad[k] = true;
    }
}

void lt_config_print_rules(lt_buf *b)
{
    for (int i = 0; i < N_RULES; i++) {
        const rule *r = &rules[i];
        lt_buf_printf(b, "- `%s` must be ", r->key);
        print_expect(b, r->expect, NULL);
        if (r->when) lt_buf_printf(b, " when `%s` is %s", r->when_key, r->when_value);
        lt_buf_puts(b, ".\n");
    }
}

lt_code lt_config_check(const lt_config *cfg, const char *where, lt_err *err)
{
    lt_errlist errs = {0};
    lt_config_pos pos = {.where = where};

    lt_config_check_all(cfg, &pos, &errs);
    return lt_errlist_finish(&errs, err);
}
