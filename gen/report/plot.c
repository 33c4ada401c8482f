/* The plots of report/compare.h. */
#include <math.h>
#include <string.h>

#include "report/compare.h"

static bool has_bar(const result_row *r)
{
    return isfinite(r->per_mm2) && r->per_mm2 > 0;
}

static bool has_point(const result_row *r)
{
    return has_bar(r) && isfinite(r->accuracy_integer);
}

static void missing(const result_row *rows, size_t n, bool (*has)(const result_row *), lt_buf *b)
{
    bool any = false;
    for (size_t i = 0; i < n; i++) {
        if (has(&rows[i])) continue;
        lt_buf_printf(b, "%s%s", any ? ", " : " (n/a: ", rows[i].config);
        any = true;
    }
    if (any) lt_buf_puts(b, ")");
}

static void number(double v, lt_buf *b)
{
    if (isfinite(v))
        lt_buf_printf(b, " %.6g", v);
    else
        lt_buf_puts(b, " NaN");
}

/* Bars on a logarithmic axis would hide nothing but start nowhere: the axis is linear and starts at 0. */
static void bars(const result_row *rows, size_t n, lt_buf *b)
{
    lt_buf_puts(b, "$bars << EOD\n");
    for (size_t i = 0; i < n; i++) {
        if (!has_bar(&rows[i])) continue;
        lt_buf_printf(b, "\"%s\"", rows[i].config);
        number(rows[i].per_mm2, b);
        number(rows[i].per_core_mm2, b);
        number(rows[i].per_core_logic_mm2, b);
        lt_buf_puts(b, "\n");
    }
    lt_buf_puts(b, "EOD\nset title \"inferences / s / mm2");
    missing(rows, n, has_bar, b);
    lt_buf_puts(
        b, "\"\nset style data histograms\nset style histogram clustered gap 1\nset style fill solid 0.85 noborder\n"
           "set boxwidth 0.9\nset yrange [0:*]\nset grid ytics lc rgb '#dddddd'\nset key outside bottom center "
           "horizontal\n"
           "set ylabel 'inferences / s / mm2'\n"
           "plot $bars using 2:xtic(1) title 'whole accelerator' lc rgb '#1f4e79', "
           "'' using 3 title 'core with its memories' lc rgb '#2e8b57', "
           "'' using 4 title 'core logic' lc rgb '#c08030'\n");
}

static void points(const result_row *rows, size_t n, lt_buf *b)
{
    double lo = INFINITY, hi = -INFINITY;

    lt_buf_puts(b, "unset style\nunset xtics\nset xtics auto\nset key off\n$points << EOD\n");
    for (size_t i = 0; i < n; i++) {
        if (!has_point(&rows[i])) continue;
        lt_buf_printf(b, "\"%s\"", rows[i].config);
        number(rows[i].per_mm2, b);
        number(rows[i].accuracy_integer, b);
        lt_buf_puts(b, "\n");
        lo = fmin(lo, rows[i].accuracy_integer);
        hi = fmax(hi, rows[i].accuracy_integer);
    }
    lt_buf_puts(b, "EOD\nset title \"accuracy and performance per area");
    missing(rows, n, has_point, b);
    double margin = fmax(0.5, 0.2 * (hi - lo));
    lt_buf_puts(b, "\"\nset xlabel 'inferences / s / mm2, whole accelerator'\n"
                   "set ylabel 'accuracy of the integer model, %'\nset offsets 0, graph 0.25, 0, 0\n");
    lt_buf_printf(b, "set xrange [0:*]\nset yrange [%.6g:%.6g]\n", lo - margin, hi + margin);
    lt_buf_puts(b, "plot $points using 2:3 with points pt 7 ps 1 lc rgb '#1f4e79', "
                   "'' using 2:3:1 with labels left offset 1,0.5\n");
}

void compare_gnuplot(const result_row *rows, size_t n, const char *svg, lt_buf *b)
{
    size_t n_bars = 0, n_points = 0;

    for (size_t i = 0; i < n; i++) {
        n_bars += has_bar(&rows[i]);
        n_points += has_point(&rows[i]);
    }
    lt_buf_printf(b, "set terminal svg size %d,480 font 'sans,12' background rgb 'white'\nset output '%s'\n",
                  n_points ? 1200 : 640, svg);
    lt_buf_puts(b, "set datafile missing 'NaN'\n");
    if (n_points) lt_buf_puts(b, "set multiplot layout 1,2\n");
    if (n_bars)
        bars(rows, n, b);
    else
        lt_buf_puts(b, "set title 'performance per area: n/a'\nset xrange [0:1]\nset yrange [0:1]\nplot NaN notitle\n");
    if (n_points) points(rows, n, b);
    if (n_points) lt_buf_puts(b, "unset multiplot\n");
}
