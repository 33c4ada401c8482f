#include "train/loss.h"

#include <math.h>
#include <stddef.h>

lt_code lt_loss_check(const lt_loss_options *o, lt_err *err)
{
    if (!(o->smoothing >= 0 && o->smoothing <= 1))
        return lt_fail(err, LT_EINPUT, "label smoothing: got %g, expected 0..1", o->smoothing);
    if (!(o->distill >= 0 && o->distill <= 1))
        return lt_fail(err, LT_EINPUT, "weight of distillation: got %g, expected 0..1", o->distill);
    if (!(o->temperature > 0 && o->temperature <= 1000))
        return lt_fail(err, LT_EINPUT, "temperature of distillation: got %g, expected above 0, to 1000",
                       o->temperature);
    return LT_OK;
}

/* log of the sum of exp(v / t); *max = the largest v */
static double log_sum(const float *v, int k, double t, double *max)
{
    double m = (double)v[0], s = 0;
    for (int i = 1; i < k; i++)
        if ((double)v[i] > m) m = (double)v[i];
    for (int i = 0; i < k; i++) s += exp(((double)v[i] - m) / t);
    *max = m;
    return m / t + log(s);
}

double lt_loss(const lt_loss_options *o, const float *logits, int k, int label, const float *teacher, double scale,
               float *g)
{
    double max, lse = log_sum(logits, k, 1, &max), hard = 0, soft = 0;
    double share = o->smoothing / k, t = o->temperature, a = teacher ? o->distill : 0;

    for (int i = 0; i < k; i++) {
        double target = share + (i == label ? 1 - o->smoothing : 0), log_p = (double)logits[i] - lse;
        hard -= target * log_p;
        if (g) g[i] = (float)(scale * (1 - a) * (exp(log_p) - target));
    }
    if (a == 0) return hard;
    double lse_s = log_sum(logits, k, t, &max), lse_t = log_sum(teacher, k, t, &max);
    for (int i = 0; i < k; i++) {
        double log_s = (double)logits[i] / t - lse_s, log_t = (double)teacher[i] / t - lse_t, p = exp(log_t);
        soft += p * (log_t - log_s);
        /* T^2 times the derivative of KL, which is (s - p) / T */
        if (g) g[i] += (float)(scale * a * t * (exp(log_s) - p));
    }
    return (1 - a) * hard + a * t * t * soft;
}
