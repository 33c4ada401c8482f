#include "report/fpga.h"

#include <math.h>
#include <string.h>

const char *const fpga_names[N_FPGAS] = {"ice40", "ecp5", "xc7"};

/* Cell types by prefix; the first match counts. A NULL counter: known and not counted (buffers, constants, multiplexers
 * that come with the LUTs). */
typedef enum { LUT, FF, BRAM, DSP, CARRY, LUTRAM, OTHER } resource;

static const struct {
    const char *prefix;
    resource r;
} rules[N_FPGAS][20] = {
    {{"SB_LUT4", LUT},
     {"SB_DFF", FF},
     {"SB_RAM40", BRAM},
     {"SB_SPRAM", BRAM},
     {"SB_MAC16", DSP},
     {"SB_CARRY", CARRY},
     {"SB_", OTHER}},
    {{"LUT4", LUT},
     {"TRELLIS_FF", FF},
     {"DP16KD", BRAM},
     {"PDPW16KD", BRAM},
     {"MULT18X18D", DSP},
     {"ALU54B", DSP},
     {"CCU2C", CARRY},
     {"TRELLIS_DPR16X4", LUTRAM},
     {"PFUMX", OTHER},
     {"L6MUX21", OTHER},
     {"TRELLIS_", OTHER}},
    {{"LUT", LUT},
     {"INV", LUT},
     {"FD", FF},
     {"RAMB", BRAM},
     {"DSP48", DSP},
     {"CARRY4", CARRY},
     {"RAM", LUTRAM},
     {"SRL", LUTRAM},
     {"MUXF", OTHER},
     {"IBUF", OTHER},
     {"OBUF", OTHER},
     {"BUFG", OTHER},
     {"LD", FF},
     {"VCC", OTHER},
     {"GND", OTHER}},
};

static json_t *load(const char *where, const char *json, size_t len, lt_err *err)
{
    json_error_t jerr;
    json_t *root = json_loadb(json, len, 0, &jerr);
    if (!root) lt_fail(err, LT_EINPUT, "%s:%d: %s", where, jerr.line, jerr.text);
    return root;
}

/* Yosys writes module names with or without the backslash. */
static json_t *module(json_t *root, const char *top)
{
    char name[128];
    json_t *modules = json_object_get(root, "modules"), *m = json_object_get(modules, top);
    if (m || strlen(top) + 2 > sizeof name) return m;
    name[0] = '\\';
    strcpy(name + 1, top);
    return json_object_get(modules, name);
}

lt_code fpga_count(const char *where, const char *json, size_t len, const char *top, fpga_family f, fpga_counts *c,
                   lt_err *err)
{
    json_t *root = load(where, json, len, err), *n;
    const char *type;
    lt_code code = LT_OK;

    *c = (fpga_counts){0};
    if (!root) return LT_EINPUT;
    json_t *cells = json_object_get(module(root, top), "num_cells_by_type");
    if (!json_is_object(cells)) code = lt_fail(err, LT_EINPUT, "%s: no cell counts of module %s", where, top);
    json_object_foreach(cells, type, n)
    {
        long long *const counter[] = {&c->luts, &c->flip_flops, &c->block_rams, &c->dsps, &c->carries, &c->lut_rams,
                                      NULL};
        int i = 0;
        if (!json_is_integer(n) || json_integer_value(n) < 0) {
            code = lt_fail(err, LT_EINPUT, "%s: count of %s is not a number", where, type);
            break;
        }
        while (rules[f][i].prefix && strncmp(type, rules[f][i].prefix, strlen(rules[f][i].prefix)) != 0) i++;
        if (!rules[f][i].prefix && type[0] != '$') {
            code = lt_fail(err, LT_EINPUT, "%s: %s is no cell of %s", where, type, fpga_names[f]);
            break;
        }
        if (type[0] == '$' || type[0] == '\\') {
            code = lt_fail(err, LT_EINPUT, "%s: %s is not mapped", where, type);
            break;
        }
        c->cells += json_integer_value(n);
        if (counter[rules[f][i].r]) *counter[rules[f][i].r] += json_integer_value(n);
    }
    json_decref(root);
    return code;
}

lt_code fpga_read_fmax(const char *where, const char *json, size_t len, double *mhz, lt_err *err)
{
    json_t *root = load(where, json, len, err), *clock;
    const char *name;

    *mhz = NAN;
    if (!root) return LT_EINPUT;
    json_object_foreach(json_object_get(root, "fmax"), name, clock)
    {
        double v = json_number_value(json_object_get(clock, "achieved"));
        if (v > 0 && !(v >= *mhz)) *mhz = v;
    }
    json_decref(root);
    return isfinite(*mhz) ? LT_OK : lt_fail(err, LT_EINPUT, "%s: no clock in nextpnr's report", where);
}

lt_code fpga_harness(const char *where, const char *json, size_t len, const char *top, lt_buf *b, int *pins,
                     lt_err *err)
{
    json_t *root = load(where, json, len, err), *port;
    const char *name;
    int in = 0, out = 0;
    lt_buf list = {0};
    bool clock = false;

    *pins = 0;
    if (!root) return LT_EINPUT;
    json_object_foreach(json_object_get(module(root, top), "ports"), name, port)
    {
        const char *direction = json_string_value(json_object_get(port, "direction"));
        int n = (int)json_array_size(json_object_get(port, "bits"));
        *pins += n;
        if (strcmp(name, "clk") == 0) {
            clock = true;
            continue;
        }
        int *count = direction && strcmp(direction, "output") == 0 ? &out : &in;
        lt_buf_printf(&list, ",\n        .%s(%s[%d:%d])", name, count == &out ? "to" : "from", *count + n - 1, *count);
        *count += n;
    }
    json_decref(root);
    lt_code code = LT_OK;
    if (!clock || in < 1 || out < 1)
        code = lt_fail(err, LT_EINPUT, "%s: module %s needs a port clk, inputs and outputs", where, top);
    if (code == LT_OK)
        lt_buf_printf(b,
                      "// %s behind three pins: inputs from a shift register, outputs folded into another one.\n"
                      "module lutra_harness (input clk, input si, output so);\n"
                      "    reg  [%d:0] from = 0;\n    reg  [%d:0] fold = 0; // one bit more than the outputs\n    wire "
                      "[%d:0] to;\n"
                      "    always @(posedge clk) begin\n        from <= {from, si};\n"
                      "        fold <= {fold[%d:0], fold[%d]} ^ {1'b0, to};\n    end\n    assign so = fold[%d];\n\n"
                      "    %s u_top (\n        .clk(clk)%s\n    );\nendmodule\n",
                      top, in - 1, out, out - 1, out - 1, out, out, top, list.data);
    if (!lt_buf_ok(b)) code = lt_fail(err, LT_EMEM, "out of memory");
    lt_buf_free(&list);
    return code;
}
