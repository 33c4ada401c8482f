#include "report/netlist.h"

#include <ctype.h>
#include <stdlib.h>

#include "report/grow.h"

typedef struct {
    const char *where, *start, *line, *p, *end; /* p: inside the line; end: of the line, at its newline or the NUL */
    nl_design *d;
    nl_module *m;   /* NULL between modules */
    nl_cell *c;     /* NULL outside cells */
    bool blackbox;  /* attribute seen before a module */
    int *net_table; /* first net of each wire of this module, open addressing */
    size_t net_table_size, n_wires;
} reader;

static lt_code fail(const reader *r, lt_err *err, const char *what, text_t t)
{
    int line = 1;
    for (const char *p = r->start; p < r->line; p++) line += *p == '\n';
    return lt_fail(err, LT_EINPUT, "%s:%d: %s '%.*s'", r->where, line, what, (int)(t.len < 80 ? t.len : 80), t.s);
}

static lt_code no_memory(lt_err *err)
{
    return lt_fail(err, LT_EMEM, "netlist: out of memory");
}

/* Next word of the line: up to a blank. Empty at the line's end. */
static text_t word(reader *r)
{
    while (r->p < r->end && isspace((unsigned char)*r->p)) r->p++;
    text_t t = {r->p, 0};
    while (r->p < r->end && !isspace((unsigned char)*r->p)) r->p++;
    t.len = (size_t)(r->p - t.s);
    return t;
}

static text_t plain(text_t t)
{
    return t.len && t.s[0] == '\\' ? (text_t){t.s + 1, t.len - 1} : t;
}

/* ---- tables of names ---- */

static int *new_table(size_t size)
{
    int *t = malloc(size * sizeof *t);
    for (size_t i = 0; t && i < size; i++) t[i] = NL_NONE;
    return t;
}

static size_t type_slot(const nl_design *d, text_t name)
{
    size_t i = text_hash(name) & (d->table_size - 1);
    while (d->type_table[i] != NL_NONE && !text_same(d->types[d->type_table[i]].name, name))
        i = (i + 1) & (d->table_size - 1);
    return i;
}

/* Number of a cell type, added if new. */
static lt_code intern(nl_design *d, text_t name, int *type, lt_err *err)
{
    if (d->n_types * 2 >= d->table_size) {
        size_t size = d->table_size ? d->table_size * 2 : 256;
        int *t = new_table(size);
        if (!t) return no_memory(err);
        free(d->type_table);
        d->type_table = t;
        d->table_size = size;
        for (size_t i = 0; i < d->n_types; i++) t[type_slot(d, d->types[i].name)] = (int)i;
    }
    size_t slot = type_slot(d, name);
    if (d->type_table[slot] == NL_NONE) {
        GROW(d->types, d->n_types, d->cap_types, return no_memory(err));
        d->types[d->n_types] = (nl_type){name, NL_NONE};
        d->type_table[slot] = (int)d->n_types++;
    }
    *type = d->type_table[slot];
    return LT_OK;
}

static size_t net_slot(const reader *r, text_t name)
{
    size_t i = text_hash(name) & (r->net_table_size - 1);
    while (r->net_table[i] != NL_NONE && !text_same(r->m->nets[r->net_table[i]].name, name))
        i = (i + 1) & (r->net_table_size - 1);
    return i;
}

static lt_code add_wire(reader *r, text_t name, int width, bool in, bool out, lt_err *err)
{
    nl_module *m = r->m;

    if (r->n_wires * 2 >= r->net_table_size) {
        size_t size = r->net_table_size ? r->net_table_size * 2 : 1024;
        int *t = new_table(size);
        if (!t) return no_memory(err);
        free(r->net_table);
        r->net_table = t;
        r->net_table_size = size;
        for (size_t i = 0; i < m->n_nets; i += (size_t)m->nets[i].width) t[net_slot(r, m->nets[i].name)] = (int)i;
    }
    size_t slot = net_slot(r, name);
    if (r->net_table[slot] != NL_NONE) return fail(r, err, "second wire", name);
    r->net_table[slot] = (int)m->n_nets;
    r->n_wires++;
    for (int i = 0; i < width; i++) {
        GROW(m->nets, m->n_nets, m->cap_nets, return no_memory(err));
        m->nets[m->n_nets] = (nl_net){name, (int)m->n_nets, width, in, out};
        m->n_nets++;
    }
    return LT_OK;
}

/* ---- signals ---- */

/* Receives the bits of a signal, most significant first. */
typedef struct {
    int *net;
    text_t *token;
    size_t n, cap, cap_tokens;
} bits;

static lt_code add_bit(bits *b, int net, text_t token, lt_err *err)
{
    GROW(b->net, b->n, b->cap, return no_memory(err));
    GROW(b->token, b->n, b->cap_tokens, return no_memory(err));
    b->net[b->n] = net;
    b->token[b->n++] = token;
    return LT_OK;
}

static lt_code wire_bits(reader *r, text_t name, bits *b, lt_err *err)
{
    int base = r->net_table_size ? r->net_table[net_slot(r, name)] : NL_NONE;
    if (base == NL_NONE) return fail(r, err, "unknown wire", name);
    int width = r->m->nets[base].width, hi = width - 1, lo = 0;
    while (r->p < r->end && *r->p == ' ') r->p++;
    if (r->p < r->end && *r->p == '[') {
        char *e;
        hi = lo = (int)strtol(r->p + 1, &e, 10);
        if (*e == ':') lo = (int)strtol(e + 1, &e, 10);
        if (*e != ']' || lo < 0 || hi < lo || hi >= width) return fail(r, err, "bad bit selection of", name);
        r->p = e + 1;
    }
    text_t none = {NULL, 0};
    for (int i = hi; i >= lo; i--) LT_TRY(add_bit(b, base + i, width == 1 ? name : none, err));
    return LT_OK;
}

/* A wire, part of one, a constant such as 4'01x1 or 12, or { ... } of these. */
static lt_code signal(reader *r, int depth, bits *b, lt_err *err)
{
    text_t t = word(r), none = {NULL, 0};

    if (!t.len || depth > 32) return fail(r, err, "expected a signal, got", t);
    if (text_is(t, "{")) {
        for (;;) {
            const char *save = r->p;
            text_t next = word(r);
            if (text_is(next, "}")) return LT_OK;
            r->p = save;
            LT_TRY(signal(r, depth + 1, b, err));
        }
    }
    if (t.s[0] == '\\' || t.s[0] == '$') return wire_bits(r, t, b, err);
    if (!isdigit((unsigned char)t.s[0]) && t.s[0] != '-') return fail(r, err, "expected a signal, got", t);
    const char *tick = memchr(t.s, '\'', t.len);
    long width = tick ? strtol(t.s, NULL, 10) : 32;
    if (width < 0 || width > 1 << 20) return fail(r, err, "bad constant", t);
    for (long i = 0; i < width; i++) LT_TRY(add_bit(b, NL_NONE, none, err));
    return LT_OK;
}

/* ---- statements ---- */

static lt_code begin_module(reader *r, lt_err *err)
{
    nl_design *d = r->d;
    text_t name = plain(word(r));
    int type;

    if (r->m || !name.len) return fail(r, err, "misplaced module", name);
    LT_TRY(intern(d, name, &type, err));
    if (d->types[type].module != NL_NONE) return fail(r, err, "second module", name);
    GROW(d->modules, d->n_modules, d->cap_modules, return no_memory(err));
    d->types[type].module = (int)d->n_modules;
    r->m = &d->modules[d->n_modules++];
    *r->m = (nl_module){.name = name, .type = type, .blackbox = r->blackbox, .body = r->end + (*r->end != 0)};
    for (size_t i = 0; i < r->net_table_size; i++) r->net_table[i] = NL_NONE;
    r->n_wires = 0;
    r->blackbox = false;
    return LT_OK;
}

static lt_code wire(reader *r, lt_err *err)
{
    int width = 1;
    bool in = false, out = false;

    for (;;) {
        text_t t = word(r);
        if (!t.len) return fail(r, err, "wire without a name", t);
        if (t.s[0] == '\\' || t.s[0] == '$') return add_wire(r, t, width, in, out, err);
        in |= text_is(t, "input") || text_is(t, "inout");
        out |= text_is(t, "output") || text_is(t, "inout");
        if (text_is(t, "width")) {
            text_t n = word(r);
            width = n.len ? atoi(n.s) : 0;
            if (width < 1 || width > 1 << 20) return fail(r, err, "bad width", n);
        }
    }
}

static lt_code begin_cell(reader *r, lt_err *err)
{
    nl_module *m = r->m;
    text_t type = plain(word(r)), name = plain(word(r));
    int t;

    if (!name.len || r->c) return fail(r, err, "misplaced cell", name);
    LT_TRY(intern(r->d, type, &t, err));
    GROW(m->cells, m->n_cells, m->cap_cells, return no_memory(err));
    r->c = &m->cells[m->n_cells++];
    *r->c = (nl_cell){t, name, m->n_pins, 0};
    return LT_OK;
}

static lt_code cell_connect(reader *r, bits *b, lt_err *err)
{
    nl_module *m = r->m;
    text_t port = plain(word(r));

    LT_TRY(signal(r, 0, b, err));
    for (size_t i = 0; i < b->n; i++) {
        GROW(m->pins, m->n_pins, m->cap_pins, return no_memory(err));
        m->pins[m->n_pins++] = (nl_pin){port, b->token[i], b->net[i]};
        r->c->n_pins++;
    }
    return LT_OK;
}

int nl_root(const nl_module *m, int net)
{
    while (m->nets[net].alias != net) net = m->nets[net].alias;
    return net;
}

static lt_code module_connect(reader *r, bits *b, lt_err *err)
{
    LT_TRY(signal(r, 0, b, err));
    size_t half = b->n;
    LT_TRY(signal(r, 0, b, err));
    if (b->n != 2 * half) return fail(r, err, "connect of unequal widths in", r->m->name);
    for (size_t i = 0; i < half; i++) {
        int l = b->net[i], v = b->net[half + i];
        if (l == NL_NONE || v == NL_NONE) continue;
        int a = nl_root(r->m, l), c = nl_root(r->m, v);
        if (a != c) r->m->nets[a].alias = c; /* the driving side stands for both */
    }
    return LT_OK;
}

static lt_code statement(reader *r, bits *b, lt_err *err)
{
    text_t key = word(r);

    if (!key.len || key.s[0] == '#' || text_is(key, "autoidx") || text_is(key, "parameter")) return LT_OK;
    if (text_is(key, "attribute")) {
        text_t name = word(r);
        if (!r->m && (text_is(name, "\\blackbox") || text_is(name, "\\whitebox"))) r->blackbox = true;
        return LT_OK;
    }
    if (text_is(key, "module")) return begin_module(r, err);
    if (!r->m) return fail(r, err, "expected a module, got", key);
    if (text_is(key, "wire")) return wire(r, err);
    if (text_is(key, "cell")) return begin_cell(r, err);
    if (text_is(key, "connect")) return r->c ? cell_connect(r, b, err) : module_connect(r, b, err);
    if (text_is(key, "end")) {
        if (r->c) {
            r->c = NULL;
        } else {
            r->m->end = r->line;
            r->m = NULL;
        }
        return LT_OK;
    }
    return fail(r, err, "not a mapped netlist: found", key);
}

lt_code nl_parse(const char *where, const char *text, size_t len, nl_design *d, lt_err *err)
{
    reader r = {.where = where, .start = text, .line = text, .d = d};
    const char *stop = text + len;
    lt_code code = LT_OK;
    bits b = {0};

    *d = (nl_design){0};
    for (; code == LT_OK && r.line < stop; r.line = r.end + 1) {
        const char *nl = memchr(r.line, '\n', (size_t)(stop - r.line));
        r.end = nl ? nl : stop;
        r.p = r.line;
        b.n = 0;
        code = statement(&r, &b, err);
    }
    if (code == LT_OK && r.m) code = lt_fail(err, LT_EINPUT, "%s: the file ends inside a module", where);
    if (code == LT_OK && !d->n_modules) code = lt_fail(err, LT_EINPUT, "%s: no modules", where);
    free(b.net);
    free(b.token);
    free(r.net_table);
    return code;
}

void nl_free(nl_design *d)
{
    for (size_t i = 0; i < d->n_modules; i++) {
        free(d->modules[i].cells);
        free(d->modules[i].nets);
        free(d->modules[i].pins);
    }
    free(d->modules);
    free(d->types);
    free(d->type_table);
    *d = (nl_design){0};
}

int nl_find(const nl_design *d, const char *name)
{
    for (size_t i = 0; i < d->n_modules; i++)
        if (text_is(d->modules[i].name, name)) return (int)i;
    return NL_NONE;
}

/* Depth-first; state: 0 new, 1 open, 2 done. */
static lt_code visit(const nl_design *d, int m, char *state, int *order, size_t *n, lt_err *err)
{
    const nl_module *mod = &d->modules[m];
    if (state[m] == 2) return LT_OK;
    if (state[m] == 1) return lt_fail(err, LT_EINPUT, "module %.*s contains itself", (int)mod->name.len, mod->name.s);
    state[m] = 1;
    for (size_t i = 0; i < mod->n_cells; i++) {
        int child = d->types[mod->cells[i].type].module;
        if (child != NL_NONE) LT_TRY(visit(d, child, state, order, n, err));
    }
    state[m] = 2;
    order[(*n)++] = m;
    return LT_OK;
}

lt_code nl_bottom_up(const nl_design *d, int *order, lt_err *err)
{
    char *state = calloc(d->n_modules + 1, 1);
    size_t n = 0;
    lt_code code = LT_OK;

    if (!state) return no_memory(err);
    for (size_t i = 0; i < d->n_modules && code == LT_OK; i++) code = visit(d, (int)i, state, order, &n, err);
    free(state);
    return code;
}
