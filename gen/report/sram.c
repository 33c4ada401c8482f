#include "report/sram.h"

#include <math.h>

/* `lutra report sram-fit` on the 26 fakeram45 macros of OpenROAD-flow-scripts (platforms/nangate45/lib), which CACTI
 * made for a 45 nm process (github.com/bespoke-silicon-group/bsg_fakeram). docs/sram-model.md lists the residuals. */
const sram_coefficients sram_model = {
    .node_nm = 45,
    .voltage = 1.1,
    .area_bit = 0.5517,
    .area_width = 8.50,
    .area_depth = 0.064,
    .access_0 = 0.1540,
    .access_size = 0.000873,
    .energy_width = 0,
    .energy_bitline = 0.003776,
};

/* Inputs must settle this long before the clock; the published macros say 0.050 ns at 45 nm. */
static const double setup_45 = 0.050;

/* Second port: an 8T cell is 30 % larger than a 6T cell (L. Chang et al., Symp. VLSI Technology 2005, pp. 128-129),
 * there is a second row decoder, and the column circuits exist once as before: reading in one port, writing in the
 * other. */
static const double port2_bit = 1.3, port2_depth = 2.0;

/* A 2:1 multiplexer costs about three NAND2 where the library has no cell for it. */
static const double mux2_in_nand2 = 3.0;

/* One level of bank multiplexer, relative to the macro's own minimum access time: about two of its dozen gate delays.
 */
static const double bank_mux_delay = 0.15;

enum { MAX_MEMORY_BITS = 1 << 30 };

static double rounded(int width)
{
    int w = (width + 7) / 8 * 8;
    return w < SRAM_MIN_WIDTH ? SRAM_MIN_WIDTH : w;
}

static double at_least_min_depth(int depth)
{
    return depth < SRAM_MIN_DEPTH ? SRAM_MIN_DEPTH : depth;
}

double sram_macro_area(const sram_coefficients *k, int width, int depth, sram_ports ports)
{
    double w = rounded(width), d = at_least_min_depth(depth);
    double bit = k->area_bit, row = k->area_depth;
    if (ports == SRAM_1R1W) bit *= port2_bit, row *= port2_depth;
    return bit * w * d + k->area_width * w + row * d;
}

double sram_macro_access(const sram_coefficients *k, int width, int depth)
{
    return k->access_0 + k->access_size * sqrt(rounded(width) * at_least_min_depth(depth));
}

double sram_macro_energy(const sram_coefficients *k, int width, int depth)
{
    double w = rounded(width);
    return k->energy_width * w + k->energy_bitline * w * sqrt(at_least_min_depth(depth));
}

static int div_up(int a, int b)
{
    return (a + b - 1) / b;
}

/* Cheapest tiling from macros within the fitted range, at the model's node; muxes between banks come from the library.
 */
static void tile(int width, int depth, sram_ports ports, double scale, double mux2, sram_estimate *e)
{
    double best = INFINITY;

    for (int slices = div_up(width, SRAM_MAX_WIDTH); slices <= width && slices <= 4 * div_up(width, SRAM_MAX_WIDTH);
         slices++) {
        int w = div_up(width, slices);
        for (int banks = 1; banks <= depth; banks *= 2) {
            int d = div_up(depth, banks);
            if (d > SRAM_MAX_DEPTH || rounded(w) * d > SRAM_MAX_BITS) continue;
            double area =
                scale * slices * banks * sram_macro_area(&sram_model, w, d, ports) + mux2 * (banks - 1) * width;
            if (area < best) {
                best = area;
                e->slices = slices, e->banks = banks, e->slice_width = w, e->bank_depth = d;
            }
            if (d <= SRAM_MIN_DEPTH) break;
        }
    }
    e->area_kind[SRAM_MACRO] = best;
}

/* Flip-flops: per bit a flip-flop, the multiplexer of its write enable and its share of the read multiplexer.
 * Latches: per bit a latch and the read multiplexer, per word a clock gate (a latch and an AND, here 2 NAND2), and one
 * row of flip-flops that holds the write data while a latch is open. Both: write decoder, and an output register with
 * enable. */
static void register_areas(double w, double d, const celllib *lib, double mux2, sram_estimate *e)
{
    double ff = celllib_area(lib, lib->facts->dff), latch = celllib_area(lib, lib->facts->latch_hi.cell);
    double nand2 = lib->nand2_area;
    double both = w * (ff + mux2) + d * 2 * nand2 + w * (d - 1) * mux2;

    if (!(ff > 0)) return;
    e->area_kind[SRAM_FLIPFLOPS] = both + w * d * (ff + mux2);
    if (latch > 0) e->area_kind[SRAM_LATCHES] = both + w * d * latch + d * (latch + 2 * nand2) + w * ff;
}

lt_code sram_estimate_memory(int width, int depth, sram_ports ports, const celllib *lib, sram_estimate *e, lt_err *err)
{
    *e = (sram_estimate){.area_kind = {NAN, NAN, NAN}, .area_by_nand2 = NAN, .energy_pj = NAN};
    if (width < 1 || depth < 1 || (double)width * depth > MAX_MEMORY_BITS)
        return lt_fail(err, LT_EINPUT, "memory of %d bits x %d words: expected 1 bit to 1 Gbit", width, depth);
    if (!(lib->node_nm > 0))
        return lt_fail(err, LT_EINPUT,
                       "library %s: its node is unknown, so its memories cannot be scaled; add it to the "
                       "table in gen/report/celllib.c or give the node",
                       lib->name);
    double shrink = lib->node_nm / sram_model.node_nm;
    double mux2 = lib->facts ? celllib_area(lib, lib->facts->mux2) : 0;
    if (!(mux2 > 0)) mux2 = mux2_in_nand2 * lib->nand2_area;
    tile(width, depth, ports, shrink * shrink, mux2, e);
    if (lib->facts) register_areas(width, depth, lib, mux2, e);

    if ((double)width * depth < SRAM_MIN_BITS && isfinite(e->area_kind[SRAM_FLIPFLOPS])) e->area_kind[SRAM_MACRO] = NAN;
    e->kind = isfinite(e->area_kind[SRAM_MACRO]) ? SRAM_MACRO : SRAM_FLIPFLOPS;
    for (int i = 1; i < 3; i++)
        if (e->area_kind[i] < e->area_kind[e->kind]) e->kind = (sram_kind)i;
    e->area = e->area_kind[e->kind];
    if (lib->nand2_area > 0) {
        const double nangate_nand2 = 0.798; /* NAND2_X1 of the library the macros were made for */
        sram_estimate by_nand2 = *e;
        tile(width, depth, ports, lib->nand2_area / nangate_nand2, mux2, &by_nand2);
        e->area_by_nand2 = by_nand2.area_kind[SRAM_MACRO];
    }
    /* Delay follows the gate length. Registers are timed like a macro of their size. */
    double access = sram_macro_access(&sram_model, e->slice_width, e->bank_depth) +
                    bank_mux_delay * sram_model.access_0 * ceil(log2(e->banks));
    e->access_ns = access * shrink;
    e->setup_ns = setup_45 * shrink;
    /* Energy = capacitance * voltage^2; capacitance follows the dimensions. */
    double v = (lib->voltage > 0 ? lib->voltage : sram_model.voltage) / sram_model.voltage;
    if (e->kind == SRAM_MACRO)
        e->energy_pj = e->slices * sram_macro_energy(&sram_model, e->slice_width, e->bank_depth) * shrink * v * v;
    return LT_OK;
}

const char *sram_kind_name(sram_kind kind)
{
    static const char *const names[] = {"macro", "flip-flops", "latches"};
    return names[kind];
}

const char *sram_ports_name(sram_ports ports)
{
    return ports == SRAM_1RW ? "1rw" : "1r1w";
}
