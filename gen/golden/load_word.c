#include "golden/load_word.h"

#include "emit/widths.h"

int lt_load_word_bytes(const lt_config *cfg, int target)
{
    int bits = lt_target_bits(cfg, target), bytes = 1;

    if (bits == 0) return 0;
    while (8 * bytes < bits) bytes *= 2;
    return bytes;
}
