/* Which table entries the sampled pixels of a layer look up: input of the fits in lut_fit.h. */
#ifndef LUTRA_COMPRESS_PQ_ENTRIES_H
#define LUTRA_COMPRESS_PQ_ENTRIES_H

#include <stdbool.h>
#include "compress/pq_samples.h"

/* Entries of all tables that are fitted, in the order [codebook][tap][code]; mirrored: only those of the lower half of
 * the codes. taps: 1 in spatial mode. */
int lt_pq_entries(const qencoder *e, int taps, bool mirror);

/* idx[rows][codebooks * taps] as lt_lut_samples has it. */
void lt_pq_looked_up(const lt_pq_samples *s, const qencoder *e, int taps, bool mirror, int32_t *idx);

#endif
