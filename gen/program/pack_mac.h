/* Weights of the ws and ews cores, packed in the order in which the array takes them (docs/architecture.md section 5).
 */
#ifndef LUTRA_PROGRAM_PACK_MAC_H
#define LUTRA_PROGRAM_PACK_MAC_H

#include "base/buf.h"
#include "golden/qnet.h"
#include "program/mac_desc.h"

/* The three factors of a descriptor: output groups, input groups and kernel taps held in the array at once. */
typedef struct {
    int a, b, d;
} lt_mac_schedule;

/* Appends the weight words of `og` output groups of layer l from group og0 on, for the terms of `part`; in_c is the
 * number of input channels (of all convolution groups), cg_step is the descriptor's. Order: set of A output groups;
 * chunk (B input groups, then D taps); entry (d, b, a); row. A word is one row of the array: the weights [lane] of one
 * input channel towards `lanes` outputs, padded with zeros to a power of two of bytes. Channels beyond C or K and pairs
 * that belong to different convolution groups are zero. A divides og, B divides part->cg, D divides part->r*part->s.
 * Running out of memory shows in lt_buf_ok. */
void lt_pack_mac_weights(const qlayer *l, int in_c, int lanes, int og0, int og, int cg_step, const lt_mac_part *part,
                         const lt_mac_schedule *s, lt_buf *words);

#endif
