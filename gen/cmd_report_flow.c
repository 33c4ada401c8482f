/* lutra report lib | elab | buffer | synth: the steps of flows/synth.sh that are not Yosys' or OpenSTA's. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "cmd_report.h"
#include "report/celllib.h"
#include "report/elab.h"
#include "report/netbuf.h"
#include "report/netlist.h"
#include "report/synth.h"
#include "report/techmap.h"

enum { MAX_NETLIST = 1 << 30, MAX_PATH = 4096 };

#define LIBRARY_OPTIONS                                                                                                \
    {"liberty", 'l', CLI_TEXT, "FILE", NULL, 0, 0, "cell library"},                                                    \
    {                                                                                                                  \
        "node", 0, CLI_REAL, "NM", "0", 0, 1000, "node of a library that is not in the table; 0: not known"            \
    }

/* Opens the library named by --liberty, with --node for one that the table does not know. */
static lt_code open_library(const cli *c, celllib *lib, lt_err *err)
{
    const char *path = cli_text(c, "liberty");

    if (!path) return lt_fail(err, LT_EINPUT, "lutra %s: missing option --liberty", c->spec->command);
    LT_TRY(celllib_load(path, lib, err));
    if (!(lib->node_nm > 0)) lib->node_nm = cli_real(c, "node");
    return LT_OK;
}

static lt_code join(char *dst, size_t size, const char *dir, const char *name, lt_err *err)
{
    if (snprintf(dst, size, "%s/%s", dir, name) >= (int)size) return lt_fail(err, LT_EINPUT, "%s: path too long", dir);
    return LT_OK;
}

static lt_code write_in(const char *dir, const char *name, const lt_buf *b, lt_err *err)
{
    char path[MAX_PATH];
    if (!lt_buf_ok(b)) return lt_fail(err, LT_EMEM, "%s: out of memory", name);
    LT_TRY(join(path, sizeof path, dir, name, err));
    return lt_write_file(path, b->data ? b->data : "", b->len, err);
}

/* ---- lib ---- */

lt_code report_lib(int argc, char **argv, lt_err *err)
{
    static const cli_option options[] = {
        {"techmap", 't', CLI_TEXT, "FILE", NULL, 0, 0, "also write the techmap of lutra_fa, lutra_ha, latches"},
        {"node", 0, CLI_REAL, "NM", "0", 0, 1000, "node of a library that is not in the table; 0: not known"},
        {0}};
    static const cli_spec spec = {
        "report lib", "LIBERTY", 1, 1, "Prints what the flow knows about a library, as shell assignments.", options};
    celllib lib = {0};
    cli c;

    LT_TRY(cli_parse(&c, &spec, argc, argv, err));
    lt_code code = celllib_load(c.args[0], &lib, err);
    if (code == LT_OK && !(lib.node_nm > 0)) lib.node_nm = cli_real(&c, "node");
    for (char *s = lib.name; code == LT_OK && *s; s++)
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-", *s)) *s = '_';
    if (code == LT_OK) {
        const celllib_facts *f = lib.facts;
        printf(
            "LIB_NAME=%s\nLIB_KNOWN=%d\nLIB_NODE_NM=%g\nLIB_NAND2_UM2=%g\nLIB_BUF=%s\nLIB_BUF_FF=%g\nLIB_TIME_NS=%g\n",
            lib.name, f != NULL, lib.node_nm, lib.nand2_area, f && f->buf ? f->buf : "", f ? f->buf_max_ff : 0,
            lib.time_ns);
        if (cli_text(&c, "techmap")) {
            lt_buf b = {0};
            techmap_write(&lib, &b);
            code = lt_buf_ok(&b) ? lt_write_file(cli_text(&c, "techmap"), b.data, b.len, err)
                                 : lt_fail(err, LT_EMEM, "out of memory");
            lt_buf_free(&b);
        }
    }
    celllib_free(&lib);
    cli_free(&c);
    return code;
}

/* ---- elab ---- */

static lt_code write_elab(const cli *c, const elab *e, const celllib *lib, lt_err *err)
{
    const char *dir = cli_text(c, "out");
    char path[MAX_PATH], *text;
    size_t len;
    lt_buf out = {0}, blackbox = {0};

    LT_TRY(join(path, sizeof path, dir, "rams.json", err));
    LT_TRY(elab_write_rams(e, path, err));
    LT_TRY(join(path, sizeof path, dir, "rams.lib", err));
    LT_TRY(elab_write_liberty(e->rams, e->n_rams, lib, path, err));
    LT_TRY(join(path, sizeof path, dir, "rams.v", err));
    LT_TRY(elab_write_verilog(e->rams, e->n_rams, path, err));
    LT_TRY(write_in(dir, "memories.txt", &e->memories, err));
    lt_buf_puts(&blackbox, "# RAM wrappers: charged as macros, never mapped to flip-flops\n");
    for (size_t i = 0; i < e->n_rams; i++) lt_buf_printf(&blackbox, "blackbox %s\n", e->rams[i].module);
    lt_code code = write_in(dir, "blackbox.ys", &blackbox, err);
    lt_buf_free(&blackbox);
    if (code == LT_OK) code = lt_read_file(c->args[1], MAX_NETLIST, &text, &len, err);
    if (code != LT_OK) return code;
    code = elab_rename(e, text, len, &out, err);
    free(text);
    if (code == LT_OK) code = write_in(dir, "design.il", &out, err);
    lt_buf_free(&out);
    return code;
}

lt_code report_elab(int argc, char **argv, lt_err *err)
{
    static const cli_option options[] = {
        LIBRARY_OPTIONS,
        {"out", 'o', CLI_TEXT, "DIR", ".", 0, 0,
         "folder for design.il, rams.json, rams.lib, rams.v, blackbox.ys, memories.txt"},
        {"top", 't', CLI_TEXT, "MODULE", "lutra_top", 0, 0, "top module"},
        {"memory-bits", 0, CLI_INT, "N", "1024", 0, 1 << 30, "largest memory that may become flip-flops"},
        {"memory-total", 0, CLI_INT, "N", "65536", 0, 1 << 30, "bits of all memories that may become flip-flops"},
        {0}};
    static const cli_spec spec = {"report elab",
                                  "ELAB.json ELAB.il",
                                  2,
                                  2,
                                  "Checks the memories of an elaborated design and prepares it for mapping.",
                                  options};
    celllib lib = {0};
    elab *e = calloc(1, sizeof *e);
    char *text = NULL;
    size_t len;
    cli c;

    if (!e) return lt_fail(err, LT_EMEM, "out of memory");
    lt_code code = cli_parse(&c, &spec, argc, argv, err);
    if (code != LT_OK) {
        free(e);
        return code;
    }
    code = open_library(&c, &lib, err);
    if (code == LT_OK) code = lt_read_file(c.args[0], MAX_NETLIST, &text, &len, err);
    if (code == LT_OK)
        code = elab_read(c.args[0], text, len, cli_text(&c, "top"),
                         (elab_limits){cli_int(&c, "memory-bits"), cli_int(&c, "memory-total")}, e, err);
    if (code == LT_OK) code = write_elab(&c, e, &lib, err);
    if (code == LT_OK)
        printf("RAM_SIZES=%zu\nRAM_BITS=%lld\nFF_MEMORY_BITS=%lld\n", e->n_rams, e->ram_bits, e->ff_memory_bits);
    free(text);
    elab_free(e);
    free(e);
    celllib_free(&lib);
    cli_free(&c);
    return code;
}

/* ---- buffer ---- */

lt_code report_buffer(int argc, char **argv, lt_err *err)
{
    static const cli_option options[] = {LIBRARY_OPTIONS,
                                         {"top", 't', CLI_TEXT, "MODULE", "lutra_top", 0, 0, "top module"},
                                         {"clock", 'c', CLI_TEXT, "PORT", "clk", 0, 0, "clock port of the top module"},
                                         {0}};
    static const cli_spec spec = {
        "report buffer", "IN.il OUT.il", 2, 2, "Adds buffer trees to nets with too much load for one gate.", options};
    celllib lib = {0};
    nl_design d = {0};
    netbuf_stats stats;
    lt_buf out = {0};
    char *text = NULL;
    size_t len;
    cli c;

    LT_TRY(cli_parse(&c, &spec, argc, argv, err));
    lt_code code = open_library(&c, &lib, err);
    if (code == LT_OK) code = lt_read_file(c.args[0], MAX_NETLIST, &text, &len, err);
    if (code == LT_OK) code = nl_parse(c.args[0], text, len, &d, err);
    if (code == LT_OK)
        code = netbuf_run(&d, text, len, cli_text(&c, "top"), cli_text(&c, "clock"), &lib, &stats, &out, err);
    if (code == LT_OK) code = lt_write_file(c.args[1], out.data, out.len, err);
    if (code == LT_OK)
        printf("TREE_BUFFERS=%zu\nTREE_NETS=%zu\nTREE_WORST_FF=%.0f\n", stats.buffers, stats.nets, stats.worst_ff);
    lt_buf_free(&out);
    free(text);
    nl_free(&d);
    celllib_free(&lib);
    cli_free(&c);
    return code;
}

/* ---- synth ---- */

/* Buffers of the trees, all instances: netbuf names them. */
static netbuf_stats count_buffers(const nl_design *d, const area_report *a)
{
    static const char prefix[] = "lutra_tree_";
    netbuf_stats s = {0};

    for (size_t i = 0; i < d->n_modules; i++) {
        const nl_module *m = &d->modules[i];
        size_t n = 0;
        long long instances = 0;
        for (size_t c = 0; c < m->n_cells; c++) n += text_starts(m->cells[c].name, prefix);
        for (size_t k = 0; k < a->n_modules; k++)
            if (text_is(m->name, a->modules[k].name)) instances = a->modules[k].instances;
        s.buffers += n * (size_t)instances;
    }
    return s;
}

/* The timing part; without a log in the folder there is none, and an old timing.json is removed. */
static lt_code add_timing(const cli *c, const synth_origin *o, const celllib *lib, const area_report *a, lt_buf *text,
                          lt_err *err)
{
    char path[MAX_PATH], *log;
    size_t len;
    sta_result s = {0};

    LT_TRY(join(path, sizeof path, c->args[0], "timing.json", err));
    if (cli_flag(c, "no-timing")) {
        unlink(path);
        lt_buf_puts(text, "\nFmax n/a: no timing analysis in this run\n");
        return LT_OK;
    }
    char log_path[MAX_PATH];
    LT_TRY(join(log_path, sizeof log_path, c->args[0], "sta.log", err));
    LT_TRY(lt_read_file(log_path, MAX_NETLIST, &log, &len, err));
    lt_code code = sta_parse(log_path, log, len, lib->time_ns, &s, err);
    free(log);
    if (code == LT_OK)
        code = synth_write_json(synth_timing_json(o, lib, a, &s, cli_real(c, "activity"), cli_real(c, "ram-rate")),
                                path, err);
    if (code == LT_OK) synth_report_timing(text, &s, cli_real(c, "activity"));
    sta_free(&s);
    return code;
}

static lt_code write_synth(const cli *c, const nl_design *d, const celllib *lib, const area_report *a, lt_err *err)
{
    synth_origin o = {cli_text(c, "config"), cli_text(c, "fingerprint"), cli_text(c, "command"), cli_text(c, "tools"),
                      cli_text(c, "hash")};
    netbuf_stats nb = count_buffers(d, a);
    char path[MAX_PATH];
    lt_buf text = {0};

    LT_TRY(join(path, sizeof path, c->args[0], "area.json", err));
    LT_TRY(synth_write_json(synth_area_json(&o, lib, a, &nb, cli_int(c, "ff-memory-bits")), path, err));
    synth_report_area(&text, &o, lib, a, &nb);
    lt_code code = add_timing(c, &o, lib, a, &text, err);
    if (code == LT_OK) code = write_in(c->args[0], "report.txt", &text, err);
    lt_buf_free(&text);
    return code;
}

lt_code report_synth(int argc, char **argv, lt_err *err)
{
    static const cli_option options[] = {
        LIBRARY_OPTIONS,
        {"top", 't', CLI_TEXT, "MODULE", "lutra_top", 0, 0, "top module"},
        {"config", 0, CLI_TEXT, "NAME", "unnamed", 0, 0, "configuration's name"},
        {"fingerprint", 0, CLI_TEXT, "HEX", NULL, 0, 0, "configuration's fingerprint"},
        {"command", 0, CLI_TEXT, "TEXT", "make synth", 0, 0, "command that regenerates this run"},
        {"tools", 0, CLI_TEXT, "TEXT", NULL, 0, 0, "versions of the tools"},
        {"hash", 0, CLI_TEXT, "HEX", NULL, 0, 0, "hash of the inputs"},
        {"ff-memory-bits", 0, CLI_INT, "N", "0", 0, 1 << 30, "memory bits that became flip-flops (from report elab)"},
        {"activity", 0, CLI_REAL, "X", "0.1", 0, 2, "transitions per pin and cycle that the power figure assumes"},
        {"ram-rate", 0, CLI_REAL, "X", "0.5", 0, 2, "accesses per memory and cycle that the SRAM power assumes"},
        {"no-timing", 0, CLI_FLAG, NULL, NULL, 0, 0, "area only"},
        {0}};
    static const cli_spec spec = {"report synth",
                                  "DIR",
                                  1,
                                  1,
                                  "Reads netlist.il, rams.json and sta.log in DIR; writes area.json, timing.json, "
                                  "report.txt there.",
                                  options};
    static elab_ram rams[ELAB_MAX_RAMS];
    char path[MAX_PATH], *text = NULL;
    size_t len, n_rams = 0;
    celllib lib = {0};
    nl_design d = {0};
    area_report a = {0};
    cli c;

    LT_TRY(cli_parse(&c, &spec, argc, argv, err));
    lt_code code = open_library(&c, &lib, err);
    if (code == LT_OK) code = join(path, sizeof path, c.args[0], "rams.json", err);
    if (code == LT_OK) code = elab_read_rams(path, rams, &n_rams, err);
    if (code == LT_OK) code = join(path, sizeof path, c.args[0], "netlist.il", err);
    if (code == LT_OK) code = lt_read_file(path, MAX_NETLIST, &text, &len, err);
    if (code == LT_OK) code = nl_parse(path, text, len, &d, err);
    if (code == LT_OK) code = area_measure(&d, cli_text(&c, "top"), &lib, rams, n_rams, &a, err);
    if (code == LT_OK) code = write_synth(&c, &d, &lib, &a, err);
    area_free(&a);
    nl_free(&d);
    free(text);
    celllib_free(&lib);
    cli_free(&c);
    return code;
}
