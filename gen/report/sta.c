/* The log of flows/sta.tcl. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/synth.h"

static const char tag[] = "LUTRA ";

static bool key_is(const char *line, const char *key, const char **value)
{
    size_t n = strlen(key);
    if (strncmp(line, key, n) != 0 || line[n] != ' ') return false;
    *value = line + n + 1;
    return true;
}

static bool number(const char *s, double *v)
{
    char *e;
    *v = strtod(s, &e);
    return e != s && isfinite(*v);
}

/* A row of the power table: internal, switching, leakage, total. */
static bool power_row(const char *line, const char *name, double v[4])
{
    size_t n = strlen(name);
    return strncmp(line, name, n) == 0 && sscanf(line + n, "%lf %lf %lf %lf", &v[0], &v[1], &v[2], &v[3]) == 4;
}

static void power_line(const char *line, sta_result *r)
{
    double v[4];
    if (power_row(line, "Sequential", v)) r->power_sequential = v[3];
    if (power_row(line, "Combinational", v)) r->power_combinational = v[3];
    if (power_row(line, "Total", v)) {
        r->power_leakage = v[2];
        r->power_total = v[3];
    }
}

/* The flow names registers `signal\\cell`: what a reader wants is the signal. */
static void pin_name(const char *v, char *dst, size_t size)
{
    const char *end = strchr(v, '\\');
    size_t n = end && end > v ? (size_t)(end - v) : strlen(v);
    snprintf(dst, size, "%.*s", (int)(n < size ? n : size - 1), v);
}

static void value_line(const char *line, double time_ns, sta_result *r, bool *done)
{
    const char *v;
    double x;

    if (key_is(line, "startpoint", &v)) pin_name(v, r->start, sizeof r->start);
    if (key_is(line, "endpoint", &v)) pin_name(v, r->end, sizeof r->end);
    if (key_is(line, "min_period", &v) && number(v, &x)) r->min_period = x * time_ns;
    if (key_is(line, "register_period", &v) && number(v, &x)) r->register_period = x * time_ns;
    if (key_is(line, "first_period", &v) && number(v, &x)) r->first_period = x * time_ns;
    if (key_is(line, "first_slack", &v) && number(v, &x)) r->first_slack = x * time_ns;
    if (key_is(line, "done", &v)) *done = true;
}

lt_code sta_parse(const char *where, const char *log, size_t len, double time_ns, sta_result *r, lt_err *err)
{
    enum { OUTSIDE, PATH, POWER } in = OUTSIDE;
    bool done = false;
    char line[1024], last_error[256] = "";

    *r = (sta_result){.min_period = NAN,
                      .register_period = NAN,
                      .first_period = NAN,
                      .first_slack = NAN,
                      .power_sequential = NAN,
                      .power_combinational = NAN,
                      .power_leakage = NAN,
                      .power_total = NAN};
    for (const char *p = log, *end = log + len; p < end;) {
        const char *nl = memchr(p, '\n', (size_t)(end - p));
        size_t n = (size_t)((nl ? nl : end) - p);
        snprintf(line, sizeof line, "%.*s", (int)(n < sizeof line ? n : sizeof line - 1), p);
        p += n + 1;
        if (strncmp(line, tag, sizeof tag - 1) == 0) {
            const char *s = line + sizeof tag - 1;
            if (strcmp(s, "begin path") == 0)
                in = PATH;
            else if (strcmp(s, "begin power") == 0)
                in = POWER;
            else if (strcmp(s, "end") == 0)
                in = OUTSIDE;
            else
                value_line(s, time_ns, r, &done);
            continue;
        }
        if (strncmp(line, "Error:", 6) == 0) snprintf(last_error, sizeof last_error, "%.250s", line);
        if (in == POWER) power_line(line, r);
        if (in == PATH) {
            lt_buf_printf(&r->path, "%s\n", line);
            r->path_cells += (strstr(line, " ^ ") || strstr(line, " v ")) && strchr(line, '(') &&
                             !strstr(line, "(in)") && !strstr(line, "(out)");
        }
    }
    if (!done || !(r->min_period > 0))
        return lt_fail(err, LT_EINPUT, "%s: timing analysis did not finish%s%s", where, last_error[0] ? ": " : "",
                       last_error);
    /* every cell shows with its input and its output pin, but the first */
    r->path_cells = r->path_cells ? r->path_cells - 1 : 0;
    return lt_buf_ok(&r->path) ? LT_OK : lt_fail(err, LT_EMEM, "out of memory");
}

void sta_free(sta_result *r)
{
    lt_buf_free(&r->path);
}
