#include "model/npy.h"

#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "model/graph.h"

enum { MAX_HEADER = 4096 };

typedef struct {
    const char *p, *end;
} text;

static void blanks(text *t)
{
    while (t->p < t->end && (*t->p == ' ' || *t->p == '\n')) t->p++;
}

static bool eat(text *t, char c)
{
    blanks(t);
    if (t->p >= t->end || *t->p != c) return false;
    t->p++;
    return true;
}

/* 'word' or "word" into out. */
static bool quoted(text *t, char *out, size_t cap)
{
    size_t n = 0;
    char q = eat(t, '\'') ? '\'' : eat(t, '"') ? '"' : 0;

    if (!q) return false;
    while (t->p < t->end && *t->p != q && n + 1 < cap) out[n++] = *t->p++;
    out[n] = '\0';
    return t->p < t->end && *t->p++ == q;
}

static bool number(text *t, size_t *v)
{
    blanks(t);
    if (t->p >= t->end || *t->p < '0' || *t->p > '9') return false;
    for (*v = 0; t->p < t->end && *t->p >= '0' && *t->p <= '9'; t->p++) {
        *v = *v * 10 + (size_t)(*t->p - '0');
        if (*v > LT_MAX_ELEMENTS) return false;
    }
    if (t->p < t->end && *t->p == 'L') t->p++; /* written by Python 2 */
    return true;
}

static bool shape(text *t, lt_npy *a)
{
    if (!eat(t, '(')) return false;
    while (!eat(t, ')')) {
        if (a->rank == LT_NPY_MAX_RANK || !number(t, &a->dim[a->rank++])) return false;
        if (!eat(t, ',')) return eat(t, ')');
    }
    return true;
}

static bool word(text *t, const char *w)
{
    size_t n = strlen(w);
    blanks(t);
    if ((size_t)(t->end - t->p) < n || memcmp(t->p, w, n) != 0) return false;
    t->p += n;
    return true;
}

/* {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), } in any order. */
static bool header(text *t, lt_npy *a, char *descr, size_t cap, bool *fortran)
{
    char key[16];
    int seen = 0;

    if (!eat(t, '{')) return false;
    while (!eat(t, '}')) {
        if (!quoted(t, key, sizeof key) || !eat(t, ':')) return false;
        if (strcmp(key, "descr") == 0 && !(seen & 1)) {
            if (!quoted(t, descr, cap)) return false;
            seen |= 1;
        } else if (strcmp(key, "fortran_order") == 0 && !(seen & 2)) {
            *fortran = word(t, "True");
            if (!*fortran && !word(t, "False")) return false;
            seen |= 2;
        } else if (strcmp(key, "shape") == 0 && !(seen & 4)) {
            if (!shape(t, a)) return false;
            seen |= 4;
        } else {
            return false;
        }
        if (!eat(t, ',')) {
            if (!eat(t, '}')) return false;
            break;
        }
    }
    return seen == 7;
}

static float element(const uint8_t *p, size_t bytes, bool is_float)
{
    uint32_t w;
    uint64_t d;
    float f;
    double g;

    if (bytes == 1) return (float)(int8_t)*p;
    if (bytes == 4) {
        memcpy(&w, p, 4);
        w = le32toh(w);
        memcpy(&f, &w, 4);
        return is_float ? f : (float)(int32_t)w;
    }
    memcpy(&d, p, 8);
    d = le64toh(d);
    memcpy(&g, &d, 8);
    return is_float ? (float)g : (float)(int64_t)d;
}

void lt_npy_free(lt_npy *a)
{
    free(a->v);
    a->v = NULL;
}

lt_code lt_npy_parse(const void *data, size_t len, const char *who, lt_npy *a, lt_err *err)
{
    const uint8_t *p = data;
    char descr[16] = "";
    bool fortran = false;

    a->v = NULL;
    a->rank = 0;
    a->count = 1;
    if (len < 12 || memcmp(p, "\x93NUMPY", 6) != 0)
        return lt_fail(err, LT_EINPUT, "%s: not a NumPy array, or truncated", who);
    if (p[6] < 1 || p[6] > 3) return lt_fail(err, LT_EINPUT, "%s: .npy version %d, expected 1..3", who, p[6]);
    size_t start = p[6] == 1 ? 10 : 12, n = p[6] == 1
                                                ? p[8] | (size_t)p[9] << 8
                                                : p[8] | (size_t)p[9] << 8 | (size_t)p[10] << 16 | (size_t)p[11] << 24;
    if (n > MAX_HEADER || n > len - start) return lt_fail(err, LT_EINPUT, "%s: truncated .npy header", who);
    text t = {(const char *)p + start, (const char *)p + start + n};
    if (!header(&t, a, descr, sizeof descr, &fortran)) return lt_fail(err, LT_EINPUT, "%s: malformed .npy header", who);
    static const struct {
        const char *descr;
        size_t bytes;
        bool is_float;
    } types[] = {{"<f4", 4, true},  {"<f8", 8, true},  {"<i4", 4, false},
                 {"<i8", 8, false}, {"|i1", 1, false}, {"<i1", 1, false}};
    size_t type = 0, kinds = sizeof types / sizeof *types;
    while (type < kinds && strcmp(types[type].descr, descr) != 0) type++;
    if (type == kinds) return lt_fail(err, LT_EINPUT, "%s: type '%s', expected <f4, <f8, <i4, <i8 or |i1", who, descr);
    if (fortran && a->rank > 1) return lt_fail(err, LT_EINPUT, "%s: Fortran order, expected C order", who);
    for (int i = 0; i < a->rank; i++) {
        if (a->dim[i] && a->count > LT_MAX_ELEMENTS / a->dim[i])
            return lt_fail(err, LT_EINPUT, "%s: more than %zu values", who, LT_MAX_ELEMENTS);
        a->count *= a->dim[i];
    }
    size_t body = len - start - n;
    if (body != a->count * types[type].bytes)
        return lt_fail(err, LT_EINPUT, "%s: %zu bytes of data, its shape says %zu", who, body,
                       a->count * types[type].bytes);
    a->v = malloc(a->count * sizeof *a->v + 1);
    if (!a->v) return lt_fail(err, LT_EMEM, "%s: out of memory", who);
    for (size_t i = 0; i < a->count; i++)
        a->v[i] = element(p + start + n + i * types[type].bytes, types[type].bytes, types[type].is_float);
    return LT_OK;
}
