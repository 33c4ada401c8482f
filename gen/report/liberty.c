#include "report/liberty.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_DEPTH = 64 };

typedef struct {
    const char *where, *start, *p, *end;
} reader;

bool lib_number(text_t t, double *v)
{
    char buf[64];
    char *e;
    size_t i = 0;

    while (i < t.len && (isspace((unsigned char)t.s[i]) || t.s[i] == '"' || t.s[i] == '\\')) i++;
    text_copy((text_t){t.s + i, t.len - i}, buf, sizeof buf);
    *v = strtod(buf, &e);
    return e != buf && isfinite(*v);
}

static int line_of(const reader *r)
{
    int line = 1;
    for (const char *p = r->start; p < r->p; p++) line += *p == '\n';
    return line;
}

static lt_code fail(const reader *r, const char *what, lt_err *err)
{
    return lt_fail(err, LT_EINPUT, "%s:%d: %s", r->where, line_of(r), what);
}

/* The outcome of a callback; its message gets file and line. */
static lt_code located(const reader *r, lt_code code, lt_err *err)
{
    if (code != LT_OK) lt_wrap(err, "%s:%d", r->where, line_of(r));
    return code;
}

/* White space, comments and backslash-newline. With stop_at_newline a line's end is left standing. */
static void skip(reader *r, bool stop_at_newline)
{
    while (r->p < r->end) {
        if (r->p[0] == '/' && r->p[1] == '*') {
            r->p += 2;
            while (r->p < r->end && !(r->p[0] == '*' && r->p[1] == '/')) r->p++;
            r->p = r->p + 2 < r->end ? r->p + 2 : r->end;
        } else if (r->p[0] == '/' && r->p[1] == '/') {
            while (r->p < r->end && *r->p != '\n') r->p++;
        } else if (r->p[0] == '\\' && (r->p[1] == '\n' || r->p[1] == '\r')) {
            r->p += 2;
        } else if (isspace((unsigned char)*r->p) && !(stop_at_newline && *r->p == '\n')) {
            r->p++;
        } else {
            return;
        }
    }
}

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || (c && strchr("_.+-*[]:!&|^'<>\\/$%", c));
}

/* Text between quotes; the opening quote is at r->p. */
static lt_code quoted(reader *r, text_t *t, lt_err *err)
{
    t->s = ++r->p;
    while (r->p < r->end && *r->p != '"') r->p += r->p[0] == '\\' && r->p + 1 < r->end ? 2 : 1;
    if (r->p >= r->end) return fail(r, "string without an end", err);
    t->len = (size_t)(r->p++ - t->s);
    return LT_OK;
}

/* The text between parentheses; the opening one is at r->p. One quoted or bare word loses its quotes. */
static lt_code arguments(reader *r, text_t *t, lt_err *err)
{
    int depth = 0;
    const char *s = r->p + 1;

    for (; r->p < r->end; r->p++) {
        if (*r->p == '"') {
            text_t ignored;
            LT_TRY(quoted(r, &ignored, err));
            r->p--;
        } else if (*r->p == '(') {
            depth++;
        } else if (*r->p == ')' && --depth == 0) {
            break;
        }
    }
    if (r->p >= r->end) return fail(r, "'(' without ')'", err);
    const char *e = r->p++;
    while (s < e && isspace((unsigned char)*s)) s++;
    while (e > s && isspace((unsigned char)e[-1])) e--;
    if (e - s >= 2 && *s == '"' && e[-1] == '"' && !memchr(s + 1, '"', (size_t)(e - s - 2))) s++, e--;
    *t = (text_t){s, (size_t)(e - s)};
    return LT_OK;
}

/* The value of `name : value ;`. The semicolon is often forgotten: a line's end does as well. */
static lt_code simple_value(reader *r, text_t *t, lt_err *err)
{
    skip(r, true);
    if (r->p < r->end && *r->p == '"') {
        LT_TRY(quoted(r, t, err));
    } else {
        const char *s = r->p;
        while (r->p < r->end && !strchr(";\n}", *r->p) && !(r->p[0] == '/' && r->p[1] == '*')) r->p++;
        const char *e = r->p;
        while (e > s && isspace((unsigned char)e[-1])) e--;
        *t = (text_t){s, (size_t)(e - s)};
    }
    skip(r, true);
    if (r->p < r->end && *r->p == ';') r->p++;
    return LT_OK;
}

lt_code lib_parse(const char *where, const char *text, size_t len, const lib_events *ev, void *ctx, lt_err *err)
{
    reader r = {where, text, text, text + len};
    int depth = 0;
    bool any = false;

    for (;;) {
        skip(&r, false);
        if (r.p >= r.end) break;
        if (*r.p == ';') {
            r.p++;
            continue;
        }
        if (*r.p == '}') {
            if (depth == 0) return fail(&r, "'}' without '{'", err);
            depth--;
            if (ev->end) LT_TRY(located(&r, ev->end(ctx, depth, err), err));
            r.p++;
            continue;
        }
        text_t name = {r.p, 0}, value;
        while (r.p < r.end && is_word(*r.p) && *r.p != ':') r.p++;
        name.len = (size_t)(r.p - name.s);
        if (!name.len) return fail(&r, "expected a Liberty group or attribute", err);
        skip(&r, false);
        if (r.p < r.end && *r.p == ':' && depth > 0) {
            r.p++;
            LT_TRY(simple_value(&r, &value, err));
            if (ev->attr) LT_TRY(located(&r, ev->attr(ctx, depth - 1, name, value, err), err));
        } else if (r.p < r.end && *r.p == '(') {
            LT_TRY(arguments(&r, &value, err));
            skip(&r, false);
            if (r.p < r.end && *r.p == '{') {
                r.p++;
                any = true;
                if (depth == MAX_DEPTH) return fail(&r, "groups nested too deeply", err);
                if (ev->begin) LT_TRY(located(&r, ev->begin(ctx, depth, name, value, err), err));
                depth++;
            } else if (depth > 0) {
                if (ev->attr) LT_TRY(located(&r, ev->attr(ctx, depth - 1, name, value, err), err));
            } else {
                return fail(&r, "expected '{' after the library's name", err);
            }
        } else {
            return fail(&r, "expected ':' or '(' after a name", err);
        }
    }
    if (depth) return fail(&r, "the file ends inside a group", err);
    return any ? LT_OK : fail(&r, "no library group", err);
}
