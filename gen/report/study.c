/* The CSV file of a study. */
#include "report/study.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "report/grow.h"
#include "report/text.h"

enum { MAX_CSV = 1 << 26 };

const char *const study_modes[] = {"channel", "spatial", NULL};
const char *const study_encoders[] = {"l1", "l2", "tree", "mirrored", NULL};

typedef enum { TEXT, WORD, INT, NUMBER, HEX, REAL, FLAG } kind;

typedef struct {
    const char *name;
    kind kind;
    size_t offset, size; /* size: TEXT */
    int decimals;        /* REAL; -1: as many as there are */
    const char *const *words;
    bool tried; /* says what was tried */
} column;

#define AT(field)             offsetof(study_row, field)
#define TEXT_OF(field, tried) #field, TEXT, AT(field), sizeof((study_row *)0)->field, 0, NULL, tried

static const column columns[] = {
    {TEXT_OF(model, true)},
    {TEXT_OF(images, true)},
    {"test_images", INT, AT(test_images), .tried = true},
    {"mode", WORD, AT(mode), .words = study_modes, .tried = true},
    {"encoder", WORD, AT(encoder), .words = study_encoders, .tried = true},
    {"prototypes", INT, AT(prototypes), .tried = true},
    {"length", INT, AT(length), .tried = true},
    {"lut_bits", INT, AT(lut_bits), .tried = true},
    {"enc_bits", INT, AT(enc_bits), .tried = true},
    {TEXT_OF(fit, true)},
    {TEXT_OF(method, true)},
    {TEXT_OF(assign, true)},
    {"follow", REAL, AT(follow), .decimals = -1, .tried = true},
    {"calib_images", INT, AT(calib_images), .tried = true},
    {"recon_steps", INT, AT(recon_steps), .tried = true},
    {"train_images", INT, AT(train_images), .tried = true},
    {"epochs", INT, AT(epochs), .tried = true},
    {"seed", NUMBER, AT(seed), .tried = true},
    {"rest", HEX, AT(rest), .tried = true},
    {"float_accuracy", REAL, AT(float_accuracy), .decimals = 2},
    {"accuracy", REAL, AT(accuracy), .decimals = 2},
    {"mean_error", REAL, AT(mean_error), .decimals = 4},
    {"seconds", REAL, AT(seconds), .decimals = 0},
    {"own_cycles", REAL, AT(own_cycles), .decimals = 0},
    {TEXT_OF(variant, false)},
    {"cycles", REAL, AT(cycles), .decimals = 0},
    {"fmax_mhz", REAL, AT(fmax_mhz), .decimals = 1},
    {"area_mm2", REAL, AT(area_mm2), .decimals = 3},
    {"inferences_s_mm2", REAL, AT(per_mm2), .decimals = 1},
    {"core_inferences_s_mm2", REAL, AT(core_per_mm2), .decimals = 1},
    {"front", FLAG, AT(front), .tried = false},
};
enum { N_COLUMNS = sizeof columns / sizeof *columns };
static const char last_column[] = "layer:error...";

void study_free(study_table *t)
{
    for (size_t i = 0; i < t->n; i++) free(t->rows[i].layers);
    free(t->rows);
    *t = (study_table){0};
}

void study_setting(const study_row *r, char text[STUDY_SETTING])
{
    int n = snprintf(text, STUDY_SETTING, "%s %s K%d L%d %d bit", study_modes[r->mode], study_encoders[r->encoder],
                     r->prototypes, r->length, r->lut_bits);
    if (r->enc_bits != 8) snprintf(text + n, STUDY_SETTING - (size_t)n, ", encoder %d bit", r->enc_bits);
}

static void put(lt_buf *b, const column *c, const study_row *row)
{
    const char *at = (const char *)row + c->offset;
    double v;

    switch (c->kind) {
    case TEXT:
        lt_buf_puts(b, *at ? at : "-");
        break;
    case WORD:
        lt_buf_puts(b, c->words[*(const int *)(const void *)at]);
        break;
    case INT:
        lt_buf_printf(b, "%d", *(const int *)(const void *)at);
        break;
    case NUMBER:
        lt_buf_printf(b, "%u", *(const uint32_t *)(const void *)at);
        break;
    case HEX:
        lt_buf_printf(b, "%08x", *(const uint32_t *)(const void *)at);
        break;
    case FLAG:
        lt_buf_printf(b, "%d", *(const bool *)(const void *)at);
        break;
    case REAL:
        memcpy(&v, at, sizeof v);
        if (!isfinite(v))
            lt_buf_puts(b, "n/a");
        else if (c->decimals < 0)
            lt_buf_printf(b, "%.9g", v);
        else
            lt_buf_printf(b, "%.*f", c->decimals, v);
    }
}

static bool get(text_t t, const column *c, study_row *row)
{
    char *at = (char *)row + c->offset, text[64], *end = text;
    double v = NAN;
    unsigned long n = 0;

    if (c->kind == TEXT) {
        if (t.len >= c->size || t.len == 0) return false;
        text_copy(t, at, c->size);
        if (strcmp(at, "-") == 0) *at = '\0';
        return true;
    }
    if (t.len == 0 || t.len >= sizeof text || *t.s == ' ' || *t.s == '+') return false;
    text_copy(t, text, sizeof text);
    errno = 0;
    if (c->kind == WORD) {
        while (c->words[n] && strcmp(c->words[n], text) != 0) n++;
        if (!c->words[n]) return false;
        end = text + strlen(text);
    } else if (c->kind == REAL) {
        if (strcmp(text, "n/a") == 0)
            end = text + 3;
        else
            v = strtod(text, &end);
    } else if (text[0] != '-') {
        n = strtoul(text, &end, c->kind == HEX ? 16 : 10);
    }
    if (*end || end == text || errno) return false;
    if (n > (c->kind == FLAG ? 1UL : c->kind == INT ? (unsigned long)INT32_MAX : UINT32_MAX)) return false;
    if (c->kind == REAL)
        memcpy(at, &v, sizeof v);
    else if (c->kind == FLAG)
        *(bool *)(void *)at = n != 0;
    else if (c->kind == INT || c->kind == WORD)
        *(int *)(void *)at = (int)n;
    else
        *(uint32_t *)(void *)at = (uint32_t)n;
    return true;
}

/* The field up to the next comma, which is taken off *rest. */
static text_t field(text_t *rest)
{
    const char *comma = memchr(rest->s, ',', rest->len);
    text_t f = {rest->s, comma ? (size_t)(comma - rest->s) : rest->len};
    size_t used = f.len + (comma != NULL);
    rest->s += used;
    rest->len -= used;
    return f;
}

static lt_code get_layers(text_t rest, study_row *row, const char **bad, lt_err *err)
{
    size_t cap = 0, n = 0;

    while (rest.len) {
        text_t f = field(&rest);
        const char *colon = f.len ? memrchr(f.s, ':', f.len) : NULL;
        column error = {"error", REAL, 0, .decimals = 4};
        study_row number;
        size_t len = colon ? (size_t)(colon - f.s) : 0;
        if (!len || len >= QN_NAME || !get((text_t){colon + 1, f.len - len - 1}, &error, &number)) {
            *bad = last_column;
            return LT_OK;
        }
        GROW(row->layers, n, cap, return lt_fail(err, LT_EMEM, "out of memory"));
        study_layer *l = &row->layers[n++];
        text_copy((text_t){f.s, len}, l->name, sizeof l->name);
        memcpy(&l->error, &number, sizeof l->error);
    }
    row->n_layers = (int)n;
    return LT_OK;
}

static lt_code get_row(const char *path, int line, text_t rest, study_table *t, lt_err *err)
{
    study_row row = {0};
    const char *bad = NULL;
    text_t f = {0};

    for (int i = 0; i < N_COLUMNS && !bad; i++) {
        f = field(&rest);
        if (!get(f, &columns[i], &row)) bad = columns[i].name;
    }
    lt_code rc = bad ? LT_OK : get_layers(rest, &row, &bad, err);
    if (rc == LT_OK && bad)
        rc = lt_fail(err, LT_EINPUT, "%s:%d: %s: got '%.*s', expected what lutra study writes", path, line, bad,
                     (int)(f.len < 60 ? f.len : 60), f.s);
    if (rc == LT_OK && study_find(t, &row))
        rc = lt_fail(err, LT_EINPUT, "%s:%d: a row that is there twice", path, line);
    if (rc != LT_OK) {
        free(row.layers);
        return rc;
    }
    return study_add(t, &row, err);
}

static void header(lt_buf *b)
{
    for (int i = 0; i < N_COLUMNS; i++) lt_buf_printf(b, "%s,", columns[i].name);
    lt_buf_printf(b, "%s\n", last_column);
}

static lt_code get_table(const char *path, const char *data, size_t len, study_table *t, lt_err *err)
{
    lt_buf first = {0};
    lt_code rc = LT_OK;
    int line = 1;

    header(&first);
    if (!lt_buf_ok(&first))
        rc = lt_fail(err, LT_EMEM, "out of memory");
    else if (len < first.len || memcmp(data, first.data, first.len) != 0)
        rc = lt_fail(err, LT_EINPUT, "%s:1: is not a file of this command; remove it or choose --output", path);
    for (size_t at = first.len; rc == LT_OK && at < len;) {
        const char *end = memchr(data + at, '\n', len - at);
        size_t n = end ? (size_t)(end - data) - at : len - at;
        line++;
        if (!end)
            rc = lt_fail(err, LT_EINPUT, "%s:%d: the line has no end: truncated", path, line);
        else
            rc = get_row(path, line, (text_t){data + at, n}, t, err);
        at += n + 1;
    }
    lt_buf_free(&first);
    return rc;
}

lt_code study_read(const char *path, study_table *t, lt_err *err)
{
    char *data;
    size_t len;

    *t = (study_table){0};
    if (access(path, F_OK) != 0 && errno == ENOENT) return LT_OK;
    LT_TRY(lt_read_file(path, MAX_CSV, &data, &len, err));
    lt_code rc = get_table(path, data, len, t, err);
    free(data);
    if (rc != LT_OK) study_free(t);
    return rc;
}

lt_code study_write(const char *path, const study_table *t, lt_err *err)
{
    lt_buf b = {0};

    header(&b);
    for (size_t i = 0; i < t->n; i++) {
        const study_row *r = &t->rows[i];
        for (int k = 0; k < N_COLUMNS; k++) {
            if (k) lt_buf_puts(&b, ",");
            put(&b, &columns[k], r);
        }
        for (int k = 0; k < r->n_layers; k++) lt_buf_printf(&b, ",%s:%.4f", r->layers[k].name, r->layers[k].error);
        lt_buf_puts(&b, "\n");
    }
    lt_code rc = lt_buf_ok(&b) ? lt_write_file(path, b.data, b.len, err) : lt_fail(err, LT_EMEM, "out of memory");
    lt_buf_free(&b);
    return rc;
}

/* Reals as far as the file tells them apart. */
static bool same_field(const column *c, const study_row *a, const study_row *b)
{
    const char *x = (const char *)a + c->offset, *y = (const char *)b + c->offset;
    double u, v;

    switch (c->kind) {
    case TEXT:
        return strcmp(x, y) == 0;
    case REAL:
        memcpy(&u, x, sizeof u);
        memcpy(&v, y, sizeof v);
        return fabs(u - v) <= 1e-8 * fabs(u);
    case FLAG:
        return *(const bool *)(const void *)x == *(const bool *)(const void *)y;
    default: /* all of them of four bytes */
        return memcmp(x, y, sizeof(uint32_t)) == 0;
    }
}

static bool same(const study_row *a, const study_row *b)
{
    for (int i = 0; i < N_COLUMNS; i++)
        if (columns[i].tried && !same_field(&columns[i], a, b)) return false;
    return true;
}

study_row *study_find(const study_table *t, const study_row *like)
{
    for (size_t i = 0; i < t->n; i++)
        if (same(&t->rows[i], like)) return &t->rows[i];
    return NULL;
}

bool study_is_file(const study_row *row)
{
    return strcmp(row->method, STUDY_FILE) == 0;
}

study_row *study_find_file(const study_table *t, const study_row *like)
{
    for (size_t i = 0; i < t->n && study_is_file(like); i++) {
        study_row *r = &t->rows[i];
        if (study_is_file(r) && strcmp(r->model, like->model) == 0 && strcmp(r->images, like->images) == 0 &&
            r->test_images == like->test_images && strcmp(r->fit, like->fit) == 0 && r->seed == like->seed)
            return r;
    }
    return NULL;
}

lt_code study_add(study_table *t, const study_row *row, lt_err *err)
{
    study_row *to = study_find_file(t, row);

    if (to) {
        free(to->layers);
    } else {
        GROW(t->rows, t->n, t->cap, {
            free(row->layers);
            return lt_fail(err, LT_EMEM, "out of memory");
        });
        to = &t->rows[t->n++];
    }
    *to = *row;
    /* names are fields of the file */
    for (int i = 0; i < row->n_layers; i++)
        for (char *c = row->layers[i].name; *c; c++)
            if (*c == ',' || *c == '\n') *c = ';';
    return LT_OK;
}
