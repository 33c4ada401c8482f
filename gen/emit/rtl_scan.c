#include "emit/rtl_scan.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

enum { MAX_PATH = 4096, MAX_SOURCE = 1 << 22 };

void lt_rtl_free(lt_rtl_set *s)
{
    for (int i = 0; i < s->n; i++) {
        free(s->file[i].file);
        free(s->file[i].text);
    }
    free(s->file);
    *s = (lt_rtl_set){0};
}

static bool ends_with(const char *s, const char *tail)
{
    size_t n = strlen(s), m = strlen(tail);
    return n > m && strcmp(s + n - m, tail) == 0;
}

static int find(const lt_rtl_set *s, const char *name, size_t len, const char *tail)
{
    for (int i = 0; i < s->n; i++) {
        const char *f = s->file[i].file;
        if (strncmp(f, name, len) == 0 && strcmp(f + len, tail) == 0) return i;
    }
    return -1;
}

lt_code lt_rtl_put(lt_rtl_set *s, const char *file, const char *text, const char *origin, lt_err *err)
{
    int i = find(s, file, strlen(file), "");
    char *copy = strdup(text), *name = NULL;

    if (copy && i < 0) {
        lt_rtl_file *grown = realloc(s->file, (size_t)(s->n + 1) * sizeof *grown);
        name = strdup(file);
        if (grown) s->file = grown;
        if (grown && name) {
            i = s->n++;
            s->file[i] = (lt_rtl_file){.file = name, .include = ends_with(file, ".vh")};
        }
    }
    if (!copy || i < 0) {
        free(copy);
        free(name);
        return lt_fail(err, LT_EMEM, "out of memory");
    }
    free(s->file[i].text);
    s->file[i].text = copy;
    s->file[i].origin = origin;
    return LT_OK;
}

static int is_verilog(const struct dirent *d)
{
    return d->d_name[0] != '.' && (ends_with(d->d_name, ".v") || ends_with(d->d_name, ".vh"));
}

lt_code lt_rtl_read(const char *dir, const char *origin, lt_rtl_set *s, lt_err *err)
{
    char path[MAX_PATH];
    struct dirent **list;
    lt_code code = LT_OK;

    int n = scandir(dir, &list, is_verilog, alphasort);
    if (n < 0) return lt_fail(err, LT_EIO, "%s: %s", dir, strerror(errno));
    for (int i = 0; i < n; i++) {
        const char *name = list[i]->d_name;
        char *text = NULL;
        size_t len;
        if (code == LT_OK && snprintf(path, sizeof path, "%s/%s", dir, name) >= (int)sizeof path)
            code = lt_fail(err, LT_EINPUT, "%s: path too long", dir);
        if (code == LT_OK) code = lt_read_file(path, MAX_SOURCE, &text, &len, err);
        if (code == LT_OK) code = lt_rtl_put(s, name, text, origin, err);
        free(text);
        free(list[i]);
    }
    free(list);
    return code;
}

/* ---- dependencies ---- */

/* A cursor over Verilog source that skips comments and strings. */
typedef struct {
    const char *begin, *p;
    int line;
} cursor;

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '$';
}

static void skip_to(cursor *c, const char *end, size_t end_len)
{
    while (*c->p && strncmp(c->p, end, end_len) != 0) {
        if (*c->p == '\n') c->line++;
        c->p++;
    }
    if (*c->p && *end != '\n') c->p += end_len;
}

/* Next identifier, or the text of `include "..." with *is_include; NULL at the end. */
static const char *next_word(cursor *c, size_t *len, bool *is_include)
{
    bool after_include = false;

    for (;;) {
        if (*c->p == '\0') return NULL;
        if (c->p[0] == '/' && c->p[1] == '/') {
            skip_to(c, "\n", 1);
        } else if (c->p[0] == '/' && c->p[1] == '*') {
            c->p += 2;
            skip_to(c, "*/", 2);
        } else if (*c->p == '"') {
            const char *start = ++c->p;
            *len = strcspn(start, "\"\n");
            c->p = start + *len + (start[*len] == '"');
            if (after_include) {
                *is_include = true;
                return start;
            }
        } else if (is_word(*c->p)) {
            const char *start = c->p;
            while (is_word(*c->p)) c->p++;
            *len = (size_t)(c->p - start);
            *is_include = false;
            /* what follows a backquote is a directive or a macro, not a module */
            if (start == c->begin || start[-1] != '`') return start;
            after_include = *len == 7 && memcmp(start, "include", 7) == 0;
        } else {
            c->line += *c->p == '\n';
            c->p++;
        }
    }
}

typedef struct {
    const lt_rtl_set *s;
    int *order, *n_order;
    unsigned char *state; /* 0 new, 1 being visited, 2 done */
    lt_err *err;
} visit;

static lt_code visit_file(visit *v, int i);

/* An instance named u_error, of a module that does not exist, stops elaboration where parameters are wrong. */
static bool is_deliberate_error(const char *after)
{
    return strncmp(after + strspn(after, " "), "u_error", 7) == 0;
}

/* "lutra_x #(" or "lutra_x name (": is this word an instantiated module? Instances and signals are never named lutra_.
 */
static lt_code visit_word(visit *v, int i, const char *word, size_t len, bool is_include, int line)
{
    const lt_rtl_file *self = &v->s->file[i];
    int k = find(v->s, word, len, is_include ? "" : ".v");

    if (k == i) return LT_OK;
    if (k < 0 && !is_include && is_deliberate_error(word + len)) return LT_OK;
    if (k < 0 && (is_include || (len > 6 && strncmp(word, "lutra_", 6) == 0)))
        return lt_fail(v->err, LT_EINPUT, "%s:%d: %s '%.*s' is not there", self->file, line,
                       is_include ? "include file" : "module", (int)len, word);
    if (k < 0) return LT_OK;
    if (v->state[k] == 1)
        return lt_fail(v->err, LT_EINPUT, "%s:%d: '%.*s' is instantiated in a circle", self->file, line, (int)len,
                       word);
    return v->state[k] == 2 ? LT_OK : visit_file(v, k);
}

static lt_code visit_file(visit *v, int i)
{
    cursor c = {v->s->file[i].text, v->s->file[i].text, 1};
    size_t len;
    bool is_include;
    const char *w;

    v->state[i] = 1;
    while ((w = next_word(&c, &len, &is_include))) LT_TRY(visit_word(v, i, w, len, is_include, c.line));
    v->state[i] = 2;
    v->order[(*v->n_order)++] = i;
    return LT_OK;
}

lt_code lt_rtl_order(const lt_rtl_set *s, const char *top, int *order, int *n_order, lt_err *err)
{
    int i = find(s, top, strlen(top), ".v");
    visit v = {s, order, n_order, calloc((size_t)s->n + 1, 1), err};

    *n_order = 0;
    if (!v.state) return lt_fail(err, LT_EMEM, "out of memory");
    lt_code code = i < 0 ? lt_fail(err, LT_EINPUT, "module '%s' is not there", top) : visit_file(&v, i);
    free(v.state);
    /* includes first, otherwise in order */
    for (int k = 0, to = 0; k < *n_order; k++) {
        int inc = order[k];
        if (!s->file[inc].include) continue;
        memmove(&order[to + 1], &order[to], (size_t)(k - to) * sizeof *order);
        order[to++] = inc;
    }
    return code;
}
