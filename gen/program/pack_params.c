#include "program/pack_params.h"

/* What reading unsigned bytes as u - 128 takes away from output k. */
static int32_t unsigned_offset(const qlayer *l, int in_c, int k)
{
    int groups = l->groups > 0 ? l->groups : 1;
    size_t n = (size_t)(in_c / groups) * (size_t)l->r * (size_t)l->s; /* weights of one output */
    int32_t sum = 0;

    for (size_t i = 0; i < n; i++) sum += l->w[(size_t)k * n + i];
    return 128 * sum;
}

void lt_pack_params(const qlayer *l, int in_c, int lanes, int post_lanes, int og0, int og, bool in_unsigned,
                    lt_buf *words)
{
    int bytes = 1; /* of a word */

    while (bytes < 8 * post_lanes) bytes *= 2;
    for (int k = og0 * lanes; k < (og0 + og) * lanes; k++) {
        bool used = k < l->k;
        int32_t offset = used && in_unsigned ? unsigned_offset(l, in_c, k) : 0;

        lt_buf_le32(words, used ? (uint32_t)l->bias[k] + (uint32_t)offset : 0);
        lt_buf_le16(words, used ? l->mult[k] : 0);
        lt_buf_le16(words, 0);
        if (k % post_lanes == post_lanes - 1)
            for (int i = 8 * post_lanes; i < bytes; i++) lt_buf_u8(words, 0);
    }
}
