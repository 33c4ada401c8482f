/* Small robust least squares: minimises relative errors with coefficients that are not negative. */
#ifndef LUTRA_REPORT_LSQ_H
#define LUTRA_REPORT_LSQ_H

#include <stddef.h>
#include "base/err.h"

enum { LSQ_MAX_TERMS = 4 };

/* Finds k >= 0 such that x[i][0..terms-1] * k is close to y[i] > 0, i < n, in relative error r = x*k/y - 1. Iteratively
 * reweighted least squares with Huber's weights (P. J. Huber, Robust Estimation of a Location Parameter, 1964): an
 * error beyond `huber` counts linearly, not squared, so that single odd points do not bend the fit. Every subset of
 * terms is tried (terms <= LSQ_MAX_TERMS), which makes the constraint exact. residual (n) may be NULL; it receives r.
 * LT_EINPUT if there are fewer points than terms, a y that is not positive, or no solution. */
lt_code lsq_fit(size_t n, int terms, const double *x, const double *y, double huber, double *k, double *residual,
                lt_err *err);

#endif
