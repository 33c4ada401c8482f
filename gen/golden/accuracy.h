/* Accuracy of an integer network over images, on all cores. */
#ifndef LUTRA_GOLDEN_ACCURACY_H
#define LUTRA_GOLDEN_ACCURACY_H

#include <stdint.h>
#include "base/err.h"
#include "golden/qnet.h"

/* *right = how many of n images (bytes [n][C][H][W] of the network's input shape) get their label. what names the
 * progress line; NULL: none. The network must have passed lt_quant_check. */
lt_code golden_accuracy(const qnet *net, const uint8_t *pixels, const uint8_t *labels, int n, const char *what,
                        int *right, lt_err *err);

#endif
