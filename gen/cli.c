#include "cli.h"

#include <argp.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "config/suggest.h"

enum { KEY_BASE = 0x1000 }; /* argp keys beyond any letter */

typedef struct {
    cli *c;
    lt_err *err;
    lt_code code;
    int cap_args;
} parse_state;

static lt_code bad(const cli_spec *spec, const cli_option *o, const char *got, lt_err *err)
{
    char range[96] = "a number";
    bool limited = o->min != 0 || o->max != 0;

    if (o->type == CLI_CHOICE) {
        snprintf(range, sizeof range, "%s", o->arg);
    } else {
        const char *kind = o->type == CLI_REAL ? "a number" : o->type == CLI_INT ? "an integer" : "integers a,b,c";
        if (limited)
            snprintf(range, sizeof range, "%s in %.10g..%.10g", kind, o->min, o->max);
        else
            snprintf(range, sizeof range, "%s", kind);
    }
    return lt_fail(err, LT_EINPUT, "lutra %s: --%s: got '%s', expected %s", spec->command, o->name, got, range);
}

static bool in_range(const cli_option *o, double v)
{
    return (o->min == 0 && o->max == 0) || (v >= o->min && v <= o->max);
}

/* One integer up to `end` (NUL or comma); false if it is not one. */
static bool read_int(const char *s, char stop, int64_t *v, const char **end)
{
    char *e;
    errno = 0;
    long long n = strtoll(s, &e, 0);
    *v = n;
    *end = e;
    return e != s && errno == 0 && (*e == '\0' || *e == stop) && s[0] != ' ';
}

static lt_code read_ints(const cli_spec *spec, const cli_option *o, cli_value *v, const char *text, lt_err *err)
{
    int *ints = malloc(CLI_MAX_INTS * sizeof *ints);
    int n = 0;

    if (!ints) return lt_fail(err, LT_EMEM, "out of memory");
    for (const char *s = text;; s++) {
        int64_t num;
        if (n == CLI_MAX_INTS || !read_int(s, ',', &num, &s) || !in_range(o, (double)num) || num != (int)num) {
            free(ints);
            return bad(spec, o, text, err);
        }
        ints[n++] = (int)num;
        if (*s == '\0') break;
    }
    free(v->ints);
    v->ints = ints;
    v->n_ints = n;
    return LT_OK;
}

/* Index of the word in "a|b|c", or -1. */
static int choice_index(const char *words, const char *word)
{
    size_t len = strlen(word);
    int i = 0;
    for (const char *w = words; w; i++) {
        const char *bar = strchr(w, '|');
        size_t n = bar ? (size_t)(bar - w) : strlen(w);
        if (n == len && memcmp(w, word, n) == 0) return i;
        w = bar ? bar + 1 : NULL;
    }
    return -1;
}

static lt_code set_value(const cli_spec *spec, const cli_option *o, cli_value *v, const char *text, lt_err *err)
{
    const char *end;
    char *real_end;

    v->text = text;
    switch (o->type) {
    case CLI_FLAG:
        v->num = 1;
        break;
    case CLI_TEXT:
        break;
    case CLI_INT:
        if (!read_int(text, '\0', &v->num, &end) || !in_range(o, (double)v->num)) return bad(spec, o, text, err);
        v->real = (double)v->num;
        break;
    case CLI_REAL:
        v->real = strtod(text, &real_end);
        if (real_end == text || *real_end || !isfinite(v->real) || !in_range(o, v->real))
            return bad(spec, o, text, err);
        break;
    case CLI_CHOICE:
        v->num = choice_index(o->arg, text);
        if (v->num < 0) return bad(spec, o, text, err);
        break;
    case CLI_INTS:
        return read_ints(spec, o, v, text, err);
    }
    return LT_OK;
}

static error_t on_key(int key, char *arg, struct argp_state *state)
{
    parse_state *p = state->input;
    cli *c = p->c;

    if (key == ARGP_KEY_ARG) {
        if (c->n_args == p->cap_args) {
            p->code =
                lt_fail(p->err, LT_EINPUT, "lutra %s: unexpected argument '%s', expected %s%s", c->spec->command, arg,
                        c->spec->max_args ? "only " : "no arguments", c->spec->max_args ? c->spec->args : "");
            return EINVAL;
        }
        c->args[c->n_args++] = arg;
        return 0;
    }
    if (key < KEY_BASE || key >= KEY_BASE + CLI_MAX_OPTIONS) {
        /* a letter? */
        int i = 0;
        while (c->spec->options[i].name && c->spec->options[i].letter != key) i++;
        if (key <= 0 || key >= 128 || !c->spec->options[i].name) return ARGP_ERR_UNKNOWN;
        key = KEY_BASE + i;
    }
    const cli_option *o = &c->spec->options[key - KEY_BASE];
    cli_value *v = &c->v[key - KEY_BASE];
    v->given = true;
    p->code = set_value(c->spec, o, v, arg ? arg : "", p->err);
    return p->code == LT_OK ? 0 : EINVAL;
}

/* The help text of one option: what it does, legal range, default. */
static char *option_help(const cli_option *o)
{
    lt_buf b = {0};
    lt_buf_puts(&b, o->help);
    bool limited = o->type != CLI_CHOICE && (o->min != 0 || o->max != 0);
    if (limited || o->def) {
        lt_buf_puts(&b, " (");
        if (limited) lt_buf_printf(&b, "%.10g..%.10g", o->min, o->max);
        if (limited && o->def) lt_buf_puts(&b, ", ");
        if (o->def) lt_buf_printf(&b, "default %s", o->def);
        lt_buf_puts(&b, ")");
    }
    return b.data;
}

/* An unknown long option gets a suggestion; argp would only say that it does not know it. */
static lt_code check_long_options(const cli_spec *spec, int argc, char **argv, lt_err *err)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strncmp(argv[i], "--", 2) != 0) continue;
        char name[64];
        size_t len = strcspn(argv[i] + 2, "="), n = 0;
        bool known = false;
        if (len >= sizeof name) len = sizeof name - 1;
        memcpy(name, argv[i] + 2, len);
        name[len] = '\0';
        for (const cli_option *o = spec->options; o->name; o++, n++) known |= strncmp(o->name, name, len) == 0;
        known |= strncmp("help", name, len) == 0 || strncmp("usage", name, len) == 0;
        if (known) continue;
        const char *near = lt_suggest(name, &spec->options[0].name, n, sizeof *spec->options);
        return lt_fail(err, LT_EINPUT, "lutra %s: unknown option '--%s'%s%s%s", spec->command, name,
                       near ? "; did you mean '--" : "; see --help", near ? near : "", near ? "'?" : "");
    }
    return LT_OK;
}

static lt_code run_argp(cli *c, int argc, char **argv, parse_state *p)
{
    struct argp_option opts[CLI_MAX_OPTIONS + 1] = {0};
    char *helps[CLI_MAX_OPTIONS] = {0};
    char title[64];
    int n = 0;

    for (const cli_option *o = c->spec->options; o->name; o++, n++) {
        helps[n] = option_help(o);
        opts[n] = (struct argp_option){.name = o->name,
                                       .key = o->letter ? o->letter : KEY_BASE + n,
                                       .arg = o->type == CLI_FLAG ? NULL : o->arg,
                                       .doc = helps[n]};
    }
    struct argp argp = {.options = opts, .parser = on_key, .args_doc = c->spec->args, .doc = c->spec->about};
    snprintf(title, sizeof title, "lutra %s", c->spec->command);
    char *command = argv[0];
    argv[0] = title;
    argp_err_exit_status = lt_exit_code(LT_EINPUT);
    error_t rc = argp_parse(&argp, argc, argv, 0, NULL, p);
    argv[0] = command;
    for (int i = 0; i < n; i++) free(helps[i]);
    if (p->code != LT_OK) return p->code;
    return rc ? lt_fail(p->err, LT_EINPUT, "lutra %s: %s", c->spec->command, strerror(rc)) : LT_OK;
}

lt_code cli_parse(cli *c, const cli_spec *spec, int argc, char **argv, lt_err *err)
{
    int n = 0;

    *c = (cli){.spec = spec};
    while (spec->options[n].name) n++;
    if (n > CLI_MAX_OPTIONS) return lt_fail(err, LT_EINTERNAL, "lutra %s: too many options", spec->command);
    LT_TRY(check_long_options(spec, argc, argv, err));
    c->args = calloc((size_t)spec->max_args + 1, sizeof *c->args);
    if (!c->args) return lt_fail(err, LT_EMEM, "out of memory");

    lt_code code = LT_OK;
    for (int i = 0; i < n && code == LT_OK; i++)
        if (spec->options[i].def) code = set_value(spec, &spec->options[i], &c->v[i], spec->options[i].def, err);
    if (code != LT_OK) {
        code = lt_wrap(err, "broken default");
    } else {
        parse_state p = {.c = c, .err = err, .code = LT_OK, .cap_args = spec->max_args};
        code = run_argp(c, argc, argv, &p);
    }
    if (code == LT_OK && c->n_args < spec->min_args)
        code = lt_fail(err, LT_EINPUT, "lutra %s: missing argument, expected %s", spec->command, spec->args);
    if (code != LT_OK) cli_free(c);
    return code;
}

void cli_free(cli *c)
{
    for (int i = 0; i < CLI_MAX_OPTIONS; i++) free(c->v[i].ints);
    free(c->args);
    *c = (cli){0};
}

static const cli_value *find(const cli *c, const char *name)
{
    for (int i = 0; c->spec->options[i].name; i++)
        if (strcmp(c->spec->options[i].name, name) == 0) return &c->v[i];
    fprintf(stderr, "lutra %s: option --%s is not in its table\n", c->spec->command, name);
    abort();
}

bool cli_given(const cli *c, const char *name)
{
    return find(c, name)->given;
}

bool cli_flag(const cli *c, const char *name)
{
    return find(c, name)->num != 0;
}

int64_t cli_int(const cli *c, const char *name)
{
    return find(c, name)->num;
}

double cli_real(const cli *c, const char *name)
{
    return find(c, name)->real;
}

const char *cli_text(const cli *c, const char *name)
{
    return find(c, name)->text;
}

int cli_choice(const cli *c, const char *name)
{
    return (int)find(c, name)->num;
}

const int *cli_ints(const cli *c, const char *name, int *n)
{
    const cli_value *v = find(c, name);
    *n = v->n_ints;
    return v->ints;
}
