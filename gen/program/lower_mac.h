/* Shared by the files that map convolutions onto the ws and ews cores; not public. */
#ifndef LUTRA_PROGRAM_LOWER_MAC_H
#define LUTRA_PROGRAM_LOWER_MAC_H

#include "program/builder.h"
#include "program/mac_desc.h"

/* How the layer's channels map onto the array. */
typedef struct {
    int cg, cg_step; /* input groups per output group; see architecture.md */
    int og;          /* output groups */
    int set;         /* output groups per operation */
    int words;       /* weight words per output group */
} mac_shape;

/* How the terms of one output group are cut into passes, each small enough for one bank of the weight buffer. */
typedef struct {
    int cg, r, s;       /* input groups, kernel rows, kernel columns of a pass */
    int ncg, nr, ns;    /* how many of each the layer takes */
    int count;          /* passes: ncg * nr * ns */
    lt_mac_part *parts; /* [count] */
} mac_passes;

/* Sets A, B, D and TILE_W of op, whose other fields that say how long it takes are set, for `part` of the terms of `og`
 * output groups: fewest cycles, then fewest feature-buffer reads, over every legal A, B and D and tiles of
 * NARROWEST_TILE pixels or more (lower_mac.c). */
void choose_schedule(const builder *b, const mac_shape *s, const qlayer *l, const lt_mac_part *part, int og,
                     uint32_t *op);
/* Gives op the schedule of another operation. */
void set_schedule_of(builder *b, const uint32_t *from, uint32_t *op);
/* Adds the weights of `part` of output groups og0 .. og0+og-1, as op's schedule takes them, to the blob; *words: how
 * many. Returns where. */
uint32_t add_weights(builder *b, const qlayer *l, const mac_shape *s, const lt_mac_part *part, int og0, int og,
                     const uint32_t *op, int *words);
/* Opcode and input fields of a CONV. */
void set_conv(builder *b, uint32_t *op, const view *in, int cg_step);
/* Finishes a CONV on `part` of the terms of output pixels `out`, which reads from view `in`. */
void set_part(builder *b, uint32_t *op, const qlayer *l, const lt_mac_part *part, const view *in, const view *out);

/* lower_mac_pass.c */
lt_code plan_passes_mac(builder *b, const qlayer *l, const mac_shape *s, mac_passes *p);
/* Would passes, one bank loading while the other is used, take fewer cycles than weights that fill both? */
bool passes_win(const builder *b, const qlayer *l, const mac_shape *s, const tiling *t, const mac_passes *p);
lt_code lower_in_passes(builder *b, const qlayer *l, const mac_shape *s, const tiling *t, const mac_passes *p);

#endif
