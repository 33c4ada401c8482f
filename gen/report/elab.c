#include "report/elab.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

typedef struct {
    const char *yosys;    /* name in the JSON */
    char base[ELAB_NAME]; /* name in the Verilog source */
    char name[ELAB_NAME]; /* name in the netlist */
    char params[256];     /* parameter values, to sort variants */
    json_t *cells, *ports;
    long long count; /* instances in the design; -1: not yet known */
    bool is_ram;
    int ram_width, ram_depth;
} module;

typedef struct {
    const char *where;
    size_t n;
    module *m;
} modules;

/* Yosys writes parameters as strings of bits. -1 if it is none or larger than 2^48. */
static long long bits_value(json_t *v)
{
    const char *s = json_string_value(v);
    long long n = 0;
    if (json_is_integer(v)) return json_integer_value(v);
    if (!s || !*s) return -1;
    for (; *s == '0' || *s == '1'; s++) {
        if (n >> 48) return -1;
        n = n * 2 + (*s - '0');
    }
    return *s ? -1 : n;
}

static module *find(const modules *ms, const char *yosys)
{
    for (size_t i = 0; i < ms->n; i++)
        if (strcmp(ms->m[i].yosys, yosys) == 0) return &ms->m[i];
    return NULL;
}

/* "$paramod$<hash>\name" or "$paramod\name\A=..": the name in the source. */
static void source_name(const char *yosys, char *dst, size_t size)
{
    const char *s = yosys;
    if (strncmp(s, "$paramod", 8) == 0 && strchr(s, '\\')) s = strchr(s, '\\') + 1;
    snprintf(dst, size, "%.*s", (int)strcspn(s, "\\"), s);
}

static bool is_memory(const char *type)
{
    return strcmp(type, "$mem") == 0 || strcmp(type, "$mem_v2") == 0;
}

static lt_code ram_size(const modules *ms, module *m, lt_err *err)
{
    const char *key;
    json_t *cell;
    int found = 0;

    if (strcmp(m->base, "lutra_ram_1rw") != 0 && strcmp(m->base, "lutra_ram_1r1w") != 0)
        return lt_fail(err, LT_EINPUT,
                       "%s: module %s: the flow knows the RAM wrappers lutra_ram_1rw and lutra_ram_1r1w only",
                       ms->where, m->base);
    json_object_foreach(m->cells, key, cell)
    {
        const char *type = json_string_value(json_object_get(cell, "type"));
        json_t *p = json_object_get(cell, "parameters");
        if (!type || !is_memory(type)) continue;
        long long w = bits_value(json_object_get(p, "WIDTH")), d = bits_value(json_object_get(p, "SIZE"));
        if (w < 1 || d < 1 || w > 1 << 20 || d > 1 << 26)
            return lt_fail(err, LT_EINPUT, "%s: module %s: memory without a size", ms->where, m->yosys);
        m->ram_width = (int)w;
        m->ram_depth = (int)d;
        found++;
    }
    if (found != 1)
        return lt_fail(err, LT_EINPUT, "%s: module %s: expected one memory, found %d", ms->where, m->yosys, found);
    m->is_ram = true;
    snprintf(m->name, sizeof m->name, "%.60s_%dx%d", m->base, m->ram_width, m->ram_depth);
    return LT_OK;
}

static int by_base(const void *a, const void *b)
{
    const module *x = a, *y = b;
    int c = strcmp(x->base, y->base);
    if (!c) c = strcmp(x->params, y->params);
    return c ? c : strcmp(x->yosys, y->yosys);
}

/* Variants of one source module get _1, _2, ...; a module with one variant keeps its name. */
static lt_code name_modules(modules *ms, lt_err *err)
{
    qsort(ms->m, ms->n, sizeof *ms->m, by_base);
    for (size_t i = 0; i < ms->n;) {
        size_t j = i;
        while (j < ms->n && strcmp(ms->m[j].base, ms->m[i].base) == 0) j++;
        for (size_t k = i; k < j; k++) {
            module *m = &ms->m[k];
            if (strncmp(m->base, "lutra_ram_", 10) == 0)
                LT_TRY(ram_size(ms, m, err));
            else if (j - i == 1)
                snprintf(m->name, sizeof m->name, "%s", m->base);
            else
                snprintf(m->name, sizeof m->name, "%.100s_%zu", m->base, k - i + 1);
        }
        i = j;
    }
    return LT_OK;
}

static lt_code collect(json_t *root, modules *ms, lt_err *err)
{
    json_t *list = json_object_get(root, "modules"), *mod, *v;
    const char *key, *pkey;

    if (!json_is_object(list) || !json_object_size(list))
        return lt_fail(err, LT_EINPUT, "%s: no modules; expected the output of Yosys' write_json", ms->where);
    ms->m = calloc(json_object_size(list), sizeof *ms->m);
    if (!ms->m) return lt_fail(err, LT_EMEM, "out of memory");
    json_object_foreach(list, key, mod)
    {
        module *m = &ms->m[ms->n++];
        size_t used = 0;
        *m = (module){.yosys = key, .cells = json_object_get(mod, "cells"), .count = -1};
        source_name(key, m->base, sizeof m->base);
        json_object_foreach(json_object_get(mod, "parameter_default_values"), pkey, v)
        {
            used += (size_t)snprintf(m->params + used, sizeof m->params - used, "%s=%012lld ", pkey, bits_value(v));
            if (used >= sizeof m->params) break;
        }
    }
    return name_modules(ms, err);
}

/* Adds `times` instances of m and everything in it. */
static lt_code count_instances(const modules *ms, module *m, long long times, int depth, lt_err *err)
{
    const char *key;
    json_t *cell;

    if (depth > 64) return lt_fail(err, LT_EINPUT, "%s: hierarchy deeper than 64 levels", ms->where);
    m->count = (m->count < 0 ? 0 : m->count) + times;
    json_object_foreach(m->cells, key, cell)
    {
        const char *type = json_string_value(json_object_get(cell, "type"));
        module *child = type && type[0] ? find(ms, type) : NULL;
        if (child) LT_TRY(count_instances(ms, child, times, depth + 1, err));
    }
    return LT_OK;
}

/* Memories outside the wrappers: listed, and refused above the limits. */
static lt_code check_memories(const modules *ms, elab_limits limits, elab *e, lt_err *err)
{
    lt_buf bad = {0};
    const char *key;
    json_t *cell;

    for (size_t i = 0; i < ms->n; i++) {
        const module *m = &ms->m[i];
        if (m->is_ram || m->count < 1) continue;
        json_object_foreach(m->cells, key, cell)
        {
            const char *type = json_string_value(json_object_get(cell, "type"));
            json_t *p = json_object_get(cell, "parameters");
            if (!type || !is_memory(type) || bits_value(json_object_get(p, "WR_PORTS")) == 0)
                continue; /* a ROM is logic */
            long long w = bits_value(json_object_get(p, "WIDTH")), d = bits_value(json_object_get(p, "SIZE"));
            if (w < 1 || d < 1) w = d = 1LL << 24; /* unreadable: refuse */
            lt_buf_printf(&e->memories, "%s.%s: %lld x %lld bits, %lld times\n", m->name, key, d, w, m->count);
            e->ff_memory_bits += w * d * m->count;
            if (w * d > limits.per_memory)
                lt_buf_printf(&bad, "\n  %s.%s: %lld words x %lld bits = %lld bits", m->name, key, d, w, w * d);
        }
    }
    if (!lt_buf_ok(&e->memories) || !lt_buf_ok(&bad)) {
        lt_buf_free(&bad);
        return lt_fail(err, LT_EMEM, "out of memory");
    }
    lt_code code = LT_OK;
    if (bad.len)
        code = lt_fail(err, LT_EINPUT,
                       "these memories are about to become flip-flops (limit %lld bits each, FF_MEM_BITS):%s\n"
                       "Use lutra_ram_1rw or lutra_ram_1r1w, or raise the limit.",
                       limits.per_memory, bad.data);
    else if (e->ff_memory_bits > limits.total)
        code = lt_fail(err, LT_EINPUT,
                       "%lld bits of memory are about to become flip-flops (limit %lld in all, FF_MEM_TOTAL_BITS):\n%s"
                       "Use lutra_ram_1rw or lutra_ram_1r1w, or raise the limit.",
                       e->ff_memory_bits, limits.total, e->memories.data);
    lt_buf_free(&bad);
    return code;
}

static int by_old(const void *a, const void *b)
{
    return strcmp(((const elab_name *)a)->old, ((const elab_name *)b)->old);
}

static lt_code list_names(const modules *ms, elab *e, lt_err *err)
{
    e->names = calloc(ms->n, sizeof *e->names);
    if (!e->names) return lt_fail(err, LT_EMEM, "out of memory");
    for (size_t i = 0; i < ms->n; i++) {
        const module *m = &ms->m[i];
        elab_name *n = &e->names[e->n_names];
        if (m->count < 1) continue;
        n->old = strdup(m->yosys);
        if (!n->old) return lt_fail(err, LT_EMEM, "out of memory");
        strcpy(n->name, m->name);
        e->n_names++;
    }
    qsort(e->names, e->n_names, sizeof *e->names, by_old);
    return LT_OK;
}

static lt_code list_rams(const modules *ms, elab *e, lt_err *err)
{
    for (size_t i = 0; i < ms->n; i++) {
        const module *m = &ms->m[i];
        if (m->count < 1 || !m->is_ram) continue;
        if (e->n_rams == ELAB_MAX_RAMS)
            return lt_fail(err, LT_EINPUT, "%s: more than %d sizes of RAM", ms->where, ELAB_MAX_RAMS);
        elab_ram *r = &e->rams[e->n_rams++];
        strcpy(r->module, m->name);
        r->width = m->ram_width;
        r->depth = m->ram_depth;
        r->ports = strcmp(m->base, "lutra_ram_1rw") == 0 ? SRAM_1RW : SRAM_1R1W;
        r->count = m->count;
        e->ram_bits += (long long)r->width * r->depth * r->count;
    }
    return LT_OK;
}

lt_code elab_read(const char *where, const char *json, size_t len, const char *top, elab_limits limits, elab *e,
                  lt_err *err)
{
    modules ms = {.where = where};
    json_error_t jerr;

    *e = (elab){0};
    json_t *root = json_loadb(json, len, 0, &jerr);
    if (!root) return lt_fail(err, LT_EINPUT, "%s:%d: %s", where, jerr.line, jerr.text);
    lt_code code = collect(root, &ms, err);
    module *t = code == LT_OK ? find(&ms, top) : NULL;
    if (code == LT_OK && !t) code = lt_fail(err, LT_EINPUT, "%s: no module %s", where, top);
    if (code == LT_OK) code = count_instances(&ms, t, 1, 0, err);
    if (code == LT_OK) code = check_memories(&ms, limits, e, err);
    if (code == LT_OK) code = list_rams(&ms, e, err);
    if (code == LT_OK) code = list_names(&ms, e, err);
    free(ms.m);
    json_decref(root);
    return code;
}

static int name_of(const void *key, const void *item)
{
    const text_t *t = key;
    const elab_name *n = item;
    int c = strncmp(t->s, n->old, t->len);
    return c ? c : -(n->old[t->len] != '\0');
}

lt_code elab_rename(const elab *e, const char *rtlil, size_t len, lt_buf *out, lt_err *err)
{
    const char *end = rtlil + len;

    for (const char *line = rtlil; line < end;) {
        const char *nl = memchr(line, '\n', (size_t)(end - line));
        const char *next = nl ? nl + 1 : end, *p = line;
        while (p < next && *p == ' ') p++;
        size_t skip = strncmp(p, "module ", 7) == 0 ? 7 : strncmp(p, "cell ", 5) == 0 ? 5 : 0;
        text_t name = {p + skip, 0};
        while (skip && name.s + name.len < next && !strchr(" \n", name.s[name.len])) name.len++;
        if (name.len && name.s[0] == '\\') name = (text_t){name.s + 1, name.len - 1};
        const elab_name *n = name.len ? bsearch(&name, e->names, e->n_names, sizeof *n, name_of) : NULL;
        if (n) {
            const char *rest = name.s + name.len;
            lt_buf_add(out, line, (size_t)(p + skip - line));
            lt_buf_printf(out, "\\%s", n->name);
            lt_buf_add(out, rest, (size_t)(next - rest));
        } else {
            lt_buf_add(out, line, (size_t)(next - line));
        }
        line = next;
    }
    return lt_buf_ok(out) ? LT_OK : lt_fail(err, LT_EMEM, "out of memory");
}

void elab_free(elab *e)
{
    for (size_t i = 0; i < e->n_names; i++) free(e->names[i].old);
    free(e->names);
    lt_buf_free(&e->memories);
}
