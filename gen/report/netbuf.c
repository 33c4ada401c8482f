#include "report/netbuf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/grow.h"
#include "report/sram.h"

/* A gate drives this share of what a buffer drives before it gets one of its own; a module's input may load its driver
 * with half of it. */
static const double gate_share = 0.6, port_share = 0.5;
static const double ram_pin_ff_45 = 5;

typedef struct {
    size_t pin; /* in the module, or SIZE_MAX: a buffer of the level below */
    int buffer; /* its number then */
    double load;
} sink;

typedef struct {
    double load;
    size_t first_sink, n_sinks; /* in pass.sinks: pins that could be moved to a buffer */
    bool driven_by_port, driven_by_buffer;
} net_info;

typedef struct {
    const char *at; /* in the text: this many bytes are replaced by the name of a buffer's output */
    size_t len;
    int module, buffer;
} edit;

typedef struct {
    text_t name;
    int net;
} port;

/* The ports of a module, sorted by name. */
typedef struct {
    port *port;
    size_t n;
} port_list;

typedef struct {
    const nl_design *d;
    const celllib *lib;
    const celllib_cell *buf;
    const celllib_pin *buf_in, *buf_out;
    const celllib_cell **cell_of; /* by type */
    double **port_load;           /* by module, by net: what an input port asks of its driver */
    bool **clock_net;             /* by module, by net */
    port_list *ports;             /* by module */
    netbuf_stats *stats;
    edit *edits;
    size_t n_edits, cap_edits;
    lt_buf *wires; /* by module: text for its beginning */
    lt_buf *added; /* by module: text before its end */
} pass;

static int compare(text_t a, text_t b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int c = memcmp(a.s, b.s, n);
    return c ? c : (a.len > b.len) - (a.len < b.len);
}

static int by_name(const void *a, const void *b)
{
    return compare(((const port *)a)->name, ((const port *)b)->name);
}

static bool list_ports(const nl_module *m, port_list *l)
{
    for (size_t i = 0; i < m->n_nets; i++) l->n += m->nets[i].is_input || m->nets[i].is_output;
    l->port = calloc(l->n + 1, sizeof *l->port);
    if (!l->port) return false;
    l->n = 0;
    for (size_t i = 0; i < m->n_nets; i++)
        if (m->nets[i].is_input || m->nets[i].is_output)
            l->port[l->n++] = (port){{m->nets[i].name.s + 1, m->nets[i].name.len - 1}, (int)i};
    qsort(l->port, l->n, sizeof *l->port, by_name);
    return true;
}

static int port_net(const port_list *l, text_t name)
{
    port key = {name, 0};
    const port *p = bsearch(&key, l->port, l->n, sizeof key, by_name);
    return p ? p->net : NL_NONE;
}

/* Does this pin load its net, and how much? */
static bool is_sink(const pass *p, const nl_cell *c, const nl_pin *pin, double *load)
{
    int child = p->d->types[c->type].module;

    if (child == NL_NONE) {
        const celllib_pin *lp = p->cell_of[c->type] ? celllib_pin_of(p->lib, p->cell_of[c->type], pin->port) : NULL;
        *load = lp ? lp->cap_ff : 0;
        return lp && !lp->is_output;
    }
    const nl_module *m = &p->d->modules[child];
    int n = port_net(&p->ports[child], pin->port);
    if (n == NL_NONE || !m->nets[n].is_input) return false;
    *load = m->blackbox ? ram_pin_ff_45 * p->lib->node_nm / sram_model.node_nm : p->port_load[child][n];
    return true;
}

/* ---- clocks: top down ---- */

static void mark_clock(pass *p, int module, int net)
{
    const nl_module *m = &p->d->modules[module];
    int root = nl_root(m, net);

    if (p->clock_net[module][root]) return;
    p->clock_net[module][root] = true;
    for (size_t c = 0; c < m->n_cells; c++) {
        int child = p->d->types[m->cells[c].type].module;
        if (child == NL_NONE) continue;
        for (size_t i = 0; i < m->cells[c].n_pins; i++) {
            const nl_pin *pin = &m->pins[m->cells[c].first_pin + i];
            int n =
                pin->net != NL_NONE && nl_root(m, pin->net) == root ? port_net(&p->ports[child], pin->port) : NL_NONE;
            if (n != NL_NONE) mark_clock(p, child, n);
        }
    }
}

/* ---- trees: bottom up ---- */

static lt_code no_memory(lt_err *err)
{
    return lt_fail(err, LT_EMEM, "buffering: out of memory");
}

static void add_buffer(pass *p, int module, int number, text_t net)
{
    lt_buf_printf(&p->wires[module], "  wire \\lutra_tree_%d\n", number);
    lt_buf_printf(&p->added[module], "  cell \\%s \\lutra_tree_%d_buf\n    connect \\%s ", p->buf->name, number,
                  p->buf_in->name);
    lt_buf_add(&p->added[module], net.s, net.len);
    lt_buf_printf(&p->added[module], "\n    connect \\%s \\lutra_tree_%d\n  end\n", p->buf_out->name, number);
}

/* Inputs of buffers inside the tree are written when their own driver is known. */
typedef struct {
    int number, driver; /* driver: buffer, or -1: the net itself */
} tree_buffer;

/* Groups sinks under buffers, level by level, until what is left may hang on the net itself. Returns the remaining
 * load. */
static lt_code build_tree(pass *p, int module, text_t net, sink *s, size_t n, double fixed, double limit, int *next,
                          double *left, lt_err *err)
{
    tree_buffer *tree = NULL;
    size_t n_tree = 0, cap_tree = 0;
    double max = p->lib->facts->buf_max_ff, total = fixed;
    nl_module *m = &p->d->modules[module];
    lt_code code = LT_OK;
    int base = *next;

    for (size_t i = 0; i < n; i++) total += s[i].load;
    while (total > limit && code == LT_OK) {
        size_t out = 0;
        for (size_t i = 0; i < n && code == LT_OK;) {
            double load = 0;
            size_t first = i;
            GROW(tree, n_tree, cap_tree, {
                code = no_memory(err);
                break;
            });
            tree[n_tree] = (tree_buffer){*next, -1};
            while (i < n && (i == first || load + s[i].load <= max)) {
                load += s[i].load;
                if (s[i].pin == SIZE_MAX) {
                    tree[s[i].buffer - base].driver = *next;
                } else {
                    GROW(p->edits, p->n_edits, p->cap_edits, {
                        code = no_memory(err);
                        break;
                    });
                    text_t t = m->pins[s[i].pin].token;
                    p->edits[p->n_edits++] = (edit){t.s, t.len, module, *next};
                }
                i++;
            }
            if (code != LT_OK) break;
            s[out++] = (sink){SIZE_MAX, *next, p->buf_in->cap_ff};
            n_tree++;
            ++*next;
        }
        double before = total;
        total = fixed;
        for (size_t i = 0; i < out; i++) total += s[i].load;
        n = out;
        if (n == 1 || total >= before) break; /* one buffer is the least; more levels would not help */
    }
    for (size_t i = 0; i < n_tree && code == LT_OK; i++) {
        char name[48];
        int len = snprintf(name, sizeof name, "\\lutra_tree_%d", tree[i].driver);
        add_buffer(p, module, tree[i].number, tree[i].driver < 0 ? net : (text_t){name, (size_t)len});
    }
    p->stats->buffers += n_tree;
    p->stats->nets += n_tree > 0;
    *left = total;
    free(tree);
    return code;
}

static lt_code do_module(pass *p, int module, lt_err *err)
{
    nl_module *m = &p->d->modules[module];
    size_t n_sinks = 0, max_sinks = 0;
    int next = 0;
    lt_code code = LT_OK;
    net_info *info = calloc(m->n_nets + 1, sizeof *info);
    sink *sinks = calloc(m->n_pins + 1, sizeof *sinks);
    double *load = calloc(m->n_pins + 1, sizeof *load);

    if (!info || !sinks || !load) {
        code = no_memory(err);
        goto done;
    }
    /* Loads, and how many pins of each net can be moved. */
    for (size_t c = 0; c < m->n_cells; c++) {
        for (size_t i = m->cells[c].first_pin; i < m->cells[c].first_pin + m->cells[c].n_pins; i++) {
            const nl_pin *pin = &m->pins[i];
            load[i] = -1;
            if (pin->net == NL_NONE || !is_sink(p, &m->cells[c], pin, &load[i])) {
                load[i] = -1;
                if (pin->net != NL_NONE && p->cell_of[m->cells[c].type] == p->buf)
                    info[nl_root(m, pin->net)].driven_by_buffer = true;
                continue;
            }
            net_info *ni = &info[nl_root(m, pin->net)];
            ni->load += load[i];
            if (pin->token.s) ni->n_sinks++;
        }
    }
    for (size_t n = 0; n < m->n_nets; n++) {
        if (m->nets[n].is_input) info[nl_root(m, (int)n)].driven_by_port = true;
        info[n].first_sink = max_sinks;
        max_sinks += info[n].n_sinks;
        info[n].n_sinks = 0;
    }
    for (size_t c = 0; c < m->n_cells; c++) {
        for (size_t i = m->cells[c].first_pin; i < m->cells[c].first_pin + m->cells[c].n_pins; i++) {
            if (load[i] < 0 || !m->pins[i].token.s) continue;
            net_info *ni = &info[nl_root(m, m->pins[i].net)];
            sinks[ni->first_sink + ni->n_sinks++] = (sink){i, 0, load[i]};
            n_sinks++;
        }
    }
    for (size_t n = 0; n < m->n_nets && code == LT_OK; n++) {
        net_info *ni = &info[n];
        double limit = p->lib->facts->buf_max_ff * (ni->driven_by_port     ? port_share
                                                    : ni->driven_by_buffer ? 1
                                                                           : gate_share);
        double movable = 0, left = ni->load;
        if (m->nets[n].alias != (int)n || p->clock_net[module][n] || m->nets[n].width != 1) continue;
        if (ni->load > p->stats->worst_ff) p->stats->worst_ff = ni->load;
        for (size_t i = 0; i < ni->n_sinks; i++) movable += sinks[ni->first_sink + i].load;
        if (ni->load > limit && ni->n_sinks > 1)
            code = build_tree(p, module, m->nets[n].name, &sinks[ni->first_sink], ni->n_sinks, ni->load - movable,
                              limit, &next, &left, err);
        ni->load = left;
    }
    for (size_t n = 0; n < m->n_nets; n++) p->port_load[module][n] = info[nl_root(m, (int)n)].load;
done:
    free(info);
    free(sinks);
    free(load);
    return code;
}

/* ---- output ---- */

static int by_place(const void *a, const void *b)
{
    const edit *x = a, *y = b;
    return x->at < y->at ? -1 : x->at > y->at;
}

static int by_end(const void *a, const void *b)
{
    const nl_module *const *x = a, *const *y = b;
    return (*x)->end < (*y)->end ? -1 : (*x)->end > (*y)->end;
}

static lt_code write_out(pass *p, const char *text, size_t len, lt_buf *out, lt_err *err)
{
    const nl_module **mods = calloc(p->d->n_modules, sizeof *mods);
    const char *at = text;
    size_t e = 0;

    if (!mods) return no_memory(err);
    for (size_t i = 0; i < p->d->n_modules; i++) mods[i] = &p->d->modules[i];
    qsort(mods, p->d->n_modules, sizeof *mods, by_end);
    if (p->n_edits) qsort(p->edits, p->n_edits, sizeof *p->edits, by_place);
    for (size_t i = 0; i < p->d->n_modules; i++) {
        const lt_buf *wires = &p->wires[mods[i] - p->d->modules], *added = &p->added[mods[i] - p->d->modules];
        lt_buf_add(out, at, (size_t)(mods[i]->body - at));
        at = mods[i]->body;
        if (wires->len) lt_buf_add(out, wires->data, wires->len);
        for (; e < p->n_edits && p->edits[e].at < mods[i]->end; e++) {
            lt_buf_add(out, at, (size_t)(p->edits[e].at - at));
            lt_buf_printf(out, "\\lutra_tree_%d", p->edits[e].buffer);
            at = p->edits[e].at + p->edits[e].len;
        }
        lt_buf_add(out, at, (size_t)(mods[i]->end - at));
        if (added->len) lt_buf_add(out, added->data, added->len);
        out->failed |= added->failed || wires->failed;
        at = mods[i]->end;
    }
    lt_buf_add(out, at, (size_t)(text + len - at));
    free(mods);
    return lt_buf_ok(out) ? LT_OK : no_memory(err);
}

/* The buffer's only input and only output. */
static bool buffer_pins(pass *p)
{
    for (size_t i = 0; i < p->buf->n_pins; i++) {
        const celllib_pin *pin = &p->lib->pins[p->buf->first_pin + i];
        if (pin->is_output)
            p->buf_out = pin;
        else
            p->buf_in = pin;
    }
    return p->buf->n_pins == 2 && p->buf_in && p->buf_out && p->buf_in->cap_ff > 0;
}

static lt_code prepare(pass *p, lt_err *err)
{
    const nl_design *d = p->d;

    p->cell_of = calloc(d->n_types, sizeof *p->cell_of);
    p->port_load = calloc(d->n_modules, sizeof *p->port_load);
    p->clock_net = calloc(d->n_modules, sizeof *p->clock_net);
    p->added = calloc(d->n_modules, sizeof *p->added);
    p->wires = calloc(d->n_modules, sizeof *p->wires);
    p->ports = calloc(d->n_modules, sizeof *p->ports);
    if (!p->cell_of || !p->port_load || !p->clock_net || !p->added || !p->wires || !p->ports) return no_memory(err);
    for (size_t i = 0; i < d->n_types; i++) {
        char name[64];
        text_copy(d->types[i].name, name, sizeof name);
        p->cell_of[i] = celllib_find(p->lib, name);
    }
    for (size_t i = 0; i < d->n_modules; i++) {
        const nl_module *m = &d->modules[i];
        p->port_load[i] = calloc(m->n_nets + 1, sizeof **p->port_load);
        p->clock_net[i] = calloc(m->n_nets + 1, sizeof **p->clock_net);
        if (!p->port_load[i] || !p->clock_net[i] || !list_ports(m, &p->ports[i])) return no_memory(err);
        for (size_t n = 0; !m->blackbox && n < m->n_nets; n++)
            if (m->nets[n].width > 1)
                return lt_fail(err, LT_EINPUT, "buffering: %.*s.%.*s has %d bits; run splitnets -ports",
                               (int)m->name.len, m->name.s, (int)m->nets[n].name.len, m->nets[n].name.s,
                               m->nets[n].width);
    }
    return LT_OK;
}

lt_code netbuf_run(const nl_design *d, const char *text, size_t len, const char *top, const char *clock,
                   const celllib *lib, netbuf_stats *stats, lt_buf *out, lt_err *err)
{
    pass p = {.d = d, .lib = lib, .stats = stats};
    int t = nl_find(d, top);

    *stats = (netbuf_stats){0};
    if (t == NL_NONE) return lt_fail(err, LT_EINPUT, "buffering: no module %s", top);
    p.buf = lib->facts ? celllib_find(lib, lib->facts->buf) : NULL;
    if (!p.buf || !buffer_pins(&p)) {
        lt_buf_add(out, text, len);
        return lt_buf_ok(out) ? LT_OK : no_memory(err);
    }
    int *order = calloc(d->n_modules, sizeof *order);
    lt_code code = order ? prepare(&p, err) : no_memory(err);
    if (code == LT_OK) code = nl_bottom_up(d, order, err);
    if (code == LT_OK) {
        int n = port_net(&p.ports[t], (text_t){clock, strlen(clock)});
        if (n != NL_NONE) mark_clock(&p, t, n);
    }
    for (size_t i = 0; i < d->n_modules && code == LT_OK; i++)
        if (!d->modules[order[i]].blackbox) code = do_module(&p, order[i], err);
    if (code == LT_OK) code = write_out(&p, text, len, out, err);
    for (size_t i = 0; i < d->n_modules; i++) {
        if (p.port_load) free(p.port_load[i]);
        if (p.clock_net) free(p.clock_net[i]);
        if (p.added) lt_buf_free(&p.added[i]);
        if (p.wires) lt_buf_free(&p.wires[i]);
        if (p.ports) free(p.ports[i].port);
    }
    free(p.port_load);
    free(p.clock_net);
    free(p.added);
    free(p.wires);
    free(p.ports);
    free(p.cell_of);
    free(p.edits);
    free(order);
    return code;
}
