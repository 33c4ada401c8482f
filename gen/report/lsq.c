#include "report/lsq.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { ITERATIONS = 100 };

/* Gaussian elimination with partial pivoting on the m x m normal equations a*k = b; false if they are singular. */
static bool solve(int m, double a[LSQ_MAX_TERMS][LSQ_MAX_TERMS], double *b)
{
    for (int c = 0; c < m; c++) {
        int p = c;
        for (int r = c + 1; r < m; r++)
            if (fabs(a[r][c]) > fabs(a[p][c])) p = r;
        if (!(fabs(a[p][c]) > 1e-12)) return false;
        for (int j = 0; j < m; j++) {
            double t = a[c][j];
            a[c][j] = a[p][j];
            a[p][j] = t;
        }
        double t = b[c];
        b[c] = b[p];
        b[p] = t;
        for (int r = c + 1; r < m; r++) {
            double f = a[r][c] / a[c][c];
            for (int j = c; j < m; j++) a[r][j] -= f * a[c][j];
            b[r] -= f * b[c];
        }
    }
    for (int c = m - 1; c >= 0; c--) {
        for (int j = c + 1; j < m; j++) b[c] -= a[c][j] * b[j];
        b[c] /= a[c][c];
    }
    return true;
}

static double error_of(const double *x, double y, int terms, const double *k)
{
    double v = 0;
    for (int t = 0; t < terms; t++) v += x[t] * k[t];
    return v / y - 1;
}

static double huber_loss(double r, double h)
{
    double a = fabs(r);
    return a <= h ? r * r / 2 : h * (a - h / 2);
}

/* Fits the terms in `mask` only. Columns are scaled by their largest relative entry, or the pivots would compare units.
 */
static bool fit_subset(size_t n, int terms, unsigned mask, const double *x, const double *y, double huber, double *k)
{
    int col[LSQ_MAX_TERMS], m = 0;
    double scale[LSQ_MAX_TERMS];

    memset(k, 0, (size_t)terms * sizeof *k);
    for (int t = 0; t < terms; t++) {
        if (!(mask >> t & 1)) continue;
        double s = 0;
        for (size_t i = 0; i < n; i++) s = fmax(s, fabs(x[i * (size_t)terms + (size_t)t] / y[i]));
        if (!(s > 0)) return false;
        scale[m] = s;
        col[m++] = t;
    }
    for (int it = 0; it < ITERATIONS; it++) {
        double a[LSQ_MAX_TERMS][LSQ_MAX_TERMS] = {{0}}, b[LSQ_MAX_TERMS] = {0};
        for (size_t i = 0; i < n; i++) {
            const double *row = x + i * (size_t)terms;
            double r = fabs(error_of(row, y[i], terms, k));
            double w = it == 0 || r <= huber ? 1 : huber / r;
            for (int p = 0; p < m; p++) {
                double xp = row[col[p]] / (y[i] * scale[p]);
                b[p] += w * xp;
                for (int q = 0; q < m; q++) a[p][q] += w * xp * row[col[q]] / (y[i] * scale[q]);
            }
        }
        if (!solve(m, a, b)) return false;
        double change = 0;
        for (int p = 0; p < m; p++) {
            double v = b[p] / scale[p];
            change = fmax(change, fabs(v - k[col[p]]) * scale[p]);
            k[col[p]] = v;
        }
        if (change < 1e-12) break;
    }
    for (int p = 0; p < m; p++)
        if (k[col[p]] < 0) return false;
    return true;
}

lt_code lsq_fit(size_t n, int terms, const double *x, const double *y, double huber, double *k, double *residual,
                lt_err *err)
{
    double best = DBL_MAX;

    if (terms < 1 || terms > LSQ_MAX_TERMS) return lt_fail(err, LT_EINTERNAL, "least squares: %d terms", terms);
    if (n < (size_t)terms) return lt_fail(err, LT_EINPUT, "least squares: %zu points for %d coefficients", n, terms);
    for (size_t i = 0; i < n; i++)
        if (!(y[i] > 0)) return lt_fail(err, LT_EINPUT, "least squares: point %zu is not positive", i);
    for (unsigned mask = 1; mask < 1u << terms; mask++) {
        double try[LSQ_MAX_TERMS], loss = 0;
        if (!fit_subset(n, terms, mask, x, y, huber, try)) continue;
        for (size_t i = 0; i < n; i++) loss += huber_loss(error_of(x + i * (size_t)terms, y[i], terms, try), huber);
        if (loss >= best) continue;
        best = loss;
        memcpy(k, try, (size_t)terms * sizeof *k);
    }
    if (best == DBL_MAX) return lt_fail(err, LT_EINPUT, "least squares: no solution with positive coefficients");
    for (size_t i = 0; residual && i < n; i++) residual[i] = error_of(x + i * (size_t)terms, y[i], terms, k);
    return LT_OK;
}
