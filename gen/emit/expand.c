#include "emit/expand.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static bool is_name_char(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* Length of "@NAME@" at s; 0: no placeholder (such as @(posedge clk)); -1: "@NAME" without the second @. */
static int placeholder_length(const char *s)
{
    int n = 1;
    if (s[0] != '@' || !is_name_char(s[1])) return 0;
    while (is_name_char(s[n])) n++;
    return s[n] == '@' ? n + 1 : -1;
}

static int find(const lt_subst *subst, size_t n, const char *name, size_t len)
{
    for (size_t i = 0; i < n; i++)
        if (strlen(subst[i].name) == len && memcmp(subst[i].name, name, len) == 0) return (int)i;
    return -1;
}

/* The value's lines, each after `indent`; empty lines stay empty. Ends with a newline. */
static void add_lines(lt_buf *out, const char *indent, size_t indent_len, const char *value)
{
    while (*value) {
        size_t len = strcspn(value, "\n");
        if (len) lt_buf_add(out, indent, indent_len);
        lt_buf_add(out, value, len);
        lt_buf_puts(out, "\n");
        value += len + (value[len] == '\n');
    }
}

/* Expands one line (without its newline). */
static lt_code expand_line(const char *where, int line, const char *s, size_t len, const lt_subst *subst, size_t n,
                           bool *used, lt_buf *out, lt_err *err)
{
    const char *end = s + len;
    size_t indent = strspn(s, " \t");

    for (const char *p = s; p < end;) {
        int ph = placeholder_length(p);
        if (ph == 0) {
            lt_buf_add(out, p++, 1);
            continue;
        }
        if (ph < 0)
            return lt_fail(err, LT_EINPUT, "%s:%d: unfinished placeholder '%.*s', expected @NAME@", where, line,
                           (int)strcspn(p, " \t\n"), p);
        int i = find(subst, n, p + 1, (size_t)ph - 2);
        if (i < 0) return lt_fail(err, LT_EINPUT, "%s:%d: unknown placeholder '%.*s'", where, line, ph, p);
        used[i] = true;
        if (p == s + indent && p + ph == end) {
            /* alone on its line: the indentation was already added, take it back */
            out->len -= indent;
            if (out->data) out->data[out->len] = '\0';
            add_lines(out, s, indent, subst[i].value);
            return LT_OK;
        }
        lt_buf_puts(out, subst[i].value);
        p += ph;
    }
    lt_buf_puts(out, "\n");
    return LT_OK;
}

/* The result must not contain anything that looks like a placeholder. */
static lt_code scan(const char *where, const char *text, lt_err *err)
{
    int line = 1;
    for (const char *p = text; *p; p++) {
        line += *p == '\n';
        int ph = placeholder_length(p);
        if (ph == 0) continue;
        return lt_fail(err, LT_EINPUT, "%s: output line %d: placeholder '%.*s' is left over", where, line,
                       ph > 0 ? ph : (int)strcspn(p, " \t\n"), p);
    }
    return LT_OK;
}

lt_code lt_expand(const char *where, const char *text, const lt_subst *subst, size_t n, lt_buf *out, lt_err *err)
{
    size_t start = out->len;
    bool *used = calloc(n + 1, sizeof *used);
    lt_code code = LT_OK;
    int line = 1;

    if (!used) return lt_fail(err, LT_EMEM, "out of memory");
    while (*text && code == LT_OK) {
        size_t len = strcspn(text, "\n");
        code = expand_line(where, line++, text, len, subst, n, used, out, err);
        text += len + (text[len] == '\n');
    }
    for (size_t i = 0; i < n && code == LT_OK; i++)
        if (!used[i] && !subst[i].optional)
            code = lt_fail(err, LT_EINTERNAL, "%s: template does not use @%s@", where, subst[i].name);
    free(used);
    if (code == LT_OK && !lt_buf_ok(out)) code = lt_fail(err, LT_EMEM, "out of memory");
    if (code == LT_OK && out->len > start) code = scan(where, out->data + start, err);
    return code;
}
