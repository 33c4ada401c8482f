#include "study_grid.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "compress/tree.h"

enum { MAX_WORDS = 32 };

/* ---- words ---- */

bool study_method_parse(const char *word, study_method *m)
{
    static const char *const parts[] = {"all", "prototypes", "tables", "both"}; /* by lt_tune_set */
    const char *colon = strchr(word, ':');
    size_t len = colon ? (size_t)(colon - word) : strlen(word);

    *m = (study_method){.trained = true, .part = LT_TUNE_ALL, .layers = true, .network = true};
    if (strcmp(word, "frozen") == 0) {
        *m = (study_method){0};
        return true;
    }
    if (strcmp(word, "layers") == 0 || strcmp(word, "network") == 0) {
        m->layers = *word == 'l';
        m->network = !m->layers;
        return true;
    }
    for (int i = 0; i < 4; i++) {
        if (strlen(parts[i]) != len || memcmp(parts[i], word, len) != 0) continue;
        m->part = (lt_tune_set)i;
        if (colon && strcmp(colon, ":layers") == 0)
            m->network = false;
        else if (colon && strcmp(colon, ":network") == 0)
            m->layers = false;
        else if (colon)
            return false;
        return true;
    }
    return false;
}

bool study_assign_parse(const char *word, study_assign *a)
{
    char *end;

    *a = (study_assign){.assign = LT_ASSIGN_HARD, .first = 1};
    if (strcmp(word, "hard") == 0) return true;
    a->assign = LT_ASSIGN_SOFT;
    if (strncmp(word, "soft", 4) != 0) return false;
    word += 4;
    for (int i = 0; i < 2 && *word == ':'; i++, word = end) {
        double *t = i ? &a->last : &a->first;
        *t = strtod(word + 1, &end);
        if (end == word + 1 || !(*t >= 0.001 && *t <= 1000)) return false;
    }
    return *word == '\0';
}

/* ---- the grid ---- */

typedef struct {
    int n;
    char word[MAX_WORDS][32];
} list;

/* Splits a comma-separated list; legal (NULL: anything) ends with NULL. */
static lt_code parse_list(const cli *c, const char *option, const char *const *legal, list *l, lt_err *err)
{
    const char *text = cli_text(c, option);

    l->n = 0;
    for (const char *w = text; *w || w == text;) {
        size_t len = strcspn(w, ",");
        bool ok = len > 0 && len < sizeof l->word[0] && l->n < MAX_WORDS;
        int i = 0;
        if (ok) {
            memcpy(l->word[l->n], w, len);
            l->word[l->n][len] = '\0';
        }
        while (ok && legal && legal[i] && strcmp(legal[i], l->word[l->n]) != 0) i++;
        if (!ok || (legal && !legal[i]))
            return lt_fail(err, LT_EINPUT, "lutra study: --%s: got '%.*s', expected a list as --help says", option,
                           (int)(len < 60 ? len : 60), w);
        l->n++;
        w += len;
        if (*w == ',' && w[1])
            w++;
        else if (*w == ',')
            return lt_fail(err, LT_EINPUT, "lutra study: --%s: ends with a comma", option);
    }
    return LT_OK;
}

static int index_of(const char *const *words, const char *word)
{
    int i = 0;
    while (strcmp(words[i], word) != 0) i++;
    return i;
}

typedef struct {
    list modes, encoders, fits, methods, assigns;
    const int *prototypes, *lengths, *bits, *enc_bits;
    int n_prototypes, n_lengths, n_bits, n_enc_bits;
} grid;

static lt_code read_grid(const cli *c, const lt_config *base, grid *g, lt_err *err)
{
    static const char *const fits[] = {"lsq", "products", "tied", NULL};
    study_method m;
    study_assign a;

    LT_TRY(parse_list(c, "modes", study_modes, &g->modes, err));
    LT_TRY(parse_list(c, "encoders", study_encoders, &g->encoders, err));
    LT_TRY(parse_list(c, "fits", fits, &g->fits, err));
    LT_TRY(parse_list(c, "methods", NULL, &g->methods, err));
    LT_TRY(parse_list(c, "assigns", NULL, &g->assigns, err));
    for (int i = 0; i < g->methods.n; i++)
        if (!study_method_parse(g->methods.word[i], &m))
            return lt_fail(err, LT_EINPUT, "lutra study: --methods: got '%s', expected words as --help says",
                           g->methods.word[i]);
    for (int i = 0; i < g->assigns.n; i++)
        if (!study_assign_parse(g->assigns.word[i], &a))
            return lt_fail(err, LT_EINPUT,
                           "lutra study: --assigns: got '%s', expected hard, soft, soft:T or soft:T:U of 0.001..1000",
                           g->assigns.word[i]);
    g->prototypes = cli_ints(c, "prototypes", &g->n_prototypes);
    g->lengths = cli_ints(c, "lengths", &g->n_lengths);
    g->bits = cli_ints(c, "lut-bits", &g->n_bits);
    g->enc_bits = cli_ints(c, "enc-bits", &g->n_enc_bits);
    if (!g->n_enc_bits) {
        g->enc_bits = &base->pq_enc_bits;
        g->n_enc_bits = 1;
    }
    for (int i = 0; i < g->n_prototypes; i++)
        if (g->prototypes[i] & (g->prototypes[i] - 1))
            return lt_fail(err, LT_EINPUT, "lutra study: --prototypes: got %d, expected powers of two",
                           g->prototypes[i]);
    return LT_OK;
}

/* What a method does not use is not a part of what was tried. */
static void describe(const cli *c, const char *method, const char *assign, study_row *r)
{
    study_method m;
    study_assign a;

    snprintf(r->method, sizeof r->method, "%s", method);
    if (strcmp(method, "all:layers") == 0) strcpy(r->method, "layers");
    if (strcmp(method, "all:network") == 0) strcpy(r->method, "network");
    study_method_parse(method, &m);
    study_assign_parse(assign, &a);
    r->assign[0] = '\0';
    r->follow = r->recon_steps = r->epochs = 0;
    if (!m.trained) r->train_images = 0;
    if (!m.trained) return;
    if (a.assign == LT_ASSIGN_HARD)
        strcpy(r->assign, "hard");
    else if (a.last > 0)
        snprintf(r->assign, sizeof r->assign, "soft:%g:%g", a.first, a.last);
    else
        snprintf(r->assign, sizeof r->assign, "soft:%g", a.first);
    /* thresholds of mirrored trees do not move one by one */
    if (m.part != LT_TUNE_TABLES && r->encoder != STUDY_MIRRORED) r->follow = cli_real(c, "follow");
    if (m.layers) r->recon_steps = (int)cli_int(c, "recon-steps");
    if (m.network) r->epochs = (int)cli_int(c, "epochs");
}

/* A mirrored tree quantises every element of a vector alone. */
static bool possible(const study_row *r)
{
    if (r->encoder != STUDY_MIRRORED) return true;
    return r->mode == QPQ_CHANNEL && lt_tree_can_mirror(r->prototypes, r->length);
}

/* The other options that the result depends on. */
static const char *const of_all[] = {"preproc", NULL};
static const char *const of_training[] = {"batch", "chunk", "precision", NULL};
static const char *const of_layers[] = {"recon-lr", NULL};
static const char *const of_network[] = {
    "optimiser",  "momentum", "nesterov", "weight-decay", "lr",      "schedule", "last-lr",
    "milestones", "factor",   "warm-up",  "smoothing",    "teacher", "distill",  "temperature",
    "no-flip",    "crop",     "cutout",   "freeze-bn",    NULL};

static uint32_t checksum(const cli *c, const lt_config *base, const study_row *r)
{
    const char *const *lists[] = {of_all, r->assign[0] ? of_training : NULL, r->recon_steps ? of_layers : NULL,
                                  r->epochs ? of_network : NULL};
    lt_buf b = {0};

    lt_buf_printf(&b, "lanes %d acc %d mult %d", base->lanes, base->acc_bits, base->mult_bits);
    for (int i = 0; i < 4; i++)
        for (const char *const *name = lists[i]; name && *name; name++) {
            const char *text = cli_text(c, *name);
            lt_buf_printf(&b, " %s=%s", *name, text ? text : "unset");
        }
    uint32_t crc = lt_buf_ok(&b) ? (uint32_t)crc32_z(0, (const unsigned char *)b.data, b.len) : 0;
    lt_buf_free(&b);
    return crc;
}

lt_code study_plan(const cli *c, const lt_config *base, const study_row *like, study_table *t, lt_err *err)
{
    grid gr;
    const grid *g = &gr;

    LT_TRY(read_grid(c, base, &gr, err));
    int n = g->modes.n * g->encoders.n * g->n_prototypes * g->n_lengths * g->n_bits * g->n_enc_bits * g->fits.n *
            g->methods.n * g->assigns.n;

    for (int i = 0; i < n; i++) {
        study_row r = *like;
        int j = i;
        r.mode = index_of(study_modes, g->modes.word[j % g->modes.n]), j /= g->modes.n;
        r.encoder = index_of(study_encoders, g->encoders.word[j % g->encoders.n]), j /= g->encoders.n;
        r.prototypes = g->prototypes[j % g->n_prototypes], j /= g->n_prototypes;
        r.lut_bits = g->bits[j % g->n_bits], j /= g->n_bits;
        r.enc_bits = g->enc_bits[j % g->n_enc_bits], j /= g->n_enc_bits;
        r.length = r.mode == QPQ_SPATIAL ? 9 : g->lengths[j % g->n_lengths], j /= g->n_lengths;
        if (!possible(&r)) continue;
        snprintf(r.fit, sizeof r.fit, "%s", g->fits.word[j % g->fits.n]), j /= g->fits.n;
        describe(c, g->methods.word[j % g->methods.n], g->assigns.word[j / g->methods.n], &r);
        bool tied = strcmp(r.fit, "tied") == 0, hard = strcmp(r.assign, "hard") == 0;
        if (tied && (r.mode == QPQ_SPATIAL || !r.assign[0])) continue; /* not trained: `products` */
        /* hard assignment sends no gradient to prototypes, but to the vectors that tied tables are products of */
        if (strncmp(r.method, "prototypes", 10) == 0 && hard && r.follow == 0 && !tied) continue;
        r.rest = checksum(c, base, &r);
        if (!study_find(t, &r)) LT_TRY(study_add(t, &r, err));
    }
    return LT_OK;
}
