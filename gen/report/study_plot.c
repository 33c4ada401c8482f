/* The plots of a study. */
#include <math.h>

#include "report/study.h"

enum { SERIES = 2 * STUDY_ENCODERS };

static bool has_area(const study_group *g)
{
    return isfinite(g->accuracy) && isfinite(g->row->per_mm2);
}

static bool has_error(const study_group *g)
{
    return isfinite(g->accuracy) && isfinite(g->error);
}

static int series_of(const study_group *g)
{
    return g->row->mode * STUDY_ENCODERS + g->row->encoder;
}

/* One data block per mode and encoder that has points, and the front from slow to fast. */
static void blocks(const study_group *g, size_t n, const char *name, bool (*has)(const study_group *), bool area,
                   bool *used, lt_buf *b)
{
    for (int s = 0; s < SERIES; s++) {
        used[s] = false;
        for (size_t i = 0; i < n; i++) {
            if (!has(&g[i]) || series_of(&g[i]) != s) continue;
            if (!used[s]) lt_buf_printf(b, "$%s%d << EOD\n", name, s);
            used[s] = true;
            lt_buf_printf(b, "%.6g %.6g\n", area ? g[i].row->per_mm2 : g[i].error, g[i].accuracy);
        }
        if (used[s]) lt_buf_puts(b, "EOD\n");
    }
}

static void plot(const bool *used, const char *name, bool line, lt_buf *b)
{
    const char *comma = "";

    lt_buf_puts(b, "plot ");
    if (line)
        lt_buf_puts(b, "$front using 1:2 smooth unique with fsteps lw 2 lc rgb '#999999' title 'front'"), comma = ", ";
    for (int s = 0; s < SERIES; s++) {
        if (!used[s]) continue;
        lt_buf_printf(b, "%s$%s%d using 1:2 with points pt %d ps 1 lc %d title '%s %s'", comma, name, s, s + 4, s + 1,
                      study_modes[s / STUDY_ENCODERS], study_encoders[s % STUDY_ENCODERS]);
        comma = ", ";
    }
    lt_buf_puts(b, "\n");
}

void study_gnuplot(const study_group *g, size_t n, const char *svg, lt_buf *b)
{
    bool area[SERIES], error[SERIES];
    size_t n_area = 0, n_error = 0;

    for (size_t i = 0; i < n; i++) {
        n_area += has_area(&g[i]);
        n_error += has_error(&g[i]);
    }
    lt_buf_printf(b, "set terminal svg size %d,480 font 'sans,12' background rgb 'white'\nset output '%s'\n",
                  n_area ? 1200 : 640, svg);
    lt_buf_puts(
        b, "set grid lc rgb '#dddddd'\nset key outside bottom center horizontal\nset ylabel 'accuracy of the integer "
           "model, %'\nset offsets graph 0.05, graph 0.05, graph 0.05, graph 0.05\n");
    if (!n_error) {
        lt_buf_puts(b, "set title 'accuracy: n/a'\nset xrange [0:1]\nset yrange [0:1]\nplot NaN notitle\n");
        return;
    }
    blocks(g, n, "area", has_area, true, area, b);
    blocks(g, n, "error", has_error, false, error, b);
    if (n_area) {
        lt_buf_puts(b, "$front << EOD\n");
        for (size_t i = 0; i < n; i++)
            if (g[i].front) lt_buf_printf(b, "%.6g %.6g\n", g[i].row->per_mm2, g[i].accuracy);
        lt_buf_puts(b, "EOD\nset multiplot layout 1,2\nset title 'accuracy and performance per area'\n"
                       "set xlabel 'inferences / s / mm2, whole accelerator'\n");
        plot(area, "area", true, b);
    }
    lt_buf_puts(b, "set title 'accuracy and reconstruction error'\nset xlabel 'mean reconstruction error'\n");
    plot(error, "error", false, b);
    if (n_area) lt_buf_puts(b, "unset multiplot\n");
}
