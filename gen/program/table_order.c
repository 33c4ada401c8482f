/* The order of table loads: a LOAD of tables goes in front of the operation before it. Where that does the same for
 * several images, it goes in front of the second of them.
 *
 * The sequencer holds one descriptor and fetches the next when it has left. An operation leaves when its loads are
 * done, so the load of the next tables, fetched behind it, would reach the read engine only when that has run dry. In
 * front of the operation it waits in the engine, and its bursts follow those of the operation's own loads without a
 * gap. */
#include "program/builder.h"

#include <string.h>

static bool flag(const uint32_t *d, lt_dfield f)
{
    return lt_desc_get(d, f) != 0;
}

static bool is_op(const uint32_t *d)
{
    int64_t o = lt_desc_get(d, LT_D_OPCODE);
    return o == LT_OP_CONV || o == LT_OP_POOL;
}

/* A load of tables that reads nothing stored. It may give a token: loads, and so their tokens, stay in their order. */
static bool movable(const uint32_t *d)
{
    return lt_desc_get(d, LT_D_OPCODE) == LT_OP_LOAD && lt_desc_get(d, LT_D_TARGET) == TO_WEIGHT &&
           !flag(d, LT_D_WAIT_B);
}

void order_tables(lt_program *p)
{
    int given = 0, taken = 0; /* tokens from operations to loads, by the descriptors so far */
    int last = -1;            /* where the load goes to, if only what may be overtaken follows */
    int late = 0;             /* tokens given from there on */
    bool first = false;       /* there is the only operation, or the first for several images */

    for (int i = 0; i < p->n_desc; i++) {
        uint32_t d[16], *at = p->desc[i];
        if (is_op(at)) {
            bool loads = flag(at, LT_D_WAIT_A); /* the others for several images have none */
            if (last < 0 || loads || first) {
                last = i;
                late = 0;
                first = loads;
            }
            late += flag(at, LT_D_SIGNAL_A);
            given += flag(at, LT_D_SIGNAL_A);
            continue;
        }
        if (lt_desc_get(at, LT_D_OPCODE) != LT_OP_LOAD) continue; /* STORE and PROFILE are overtaken too */
        taken += flag(at, LT_D_WAIT_A);
        if (last < 0 || !movable(at) || taken > given - late) {
            last = -1;
            continue;
        }
        memcpy(d, at, sizeof d);
        memmove(p->desc[last + 1], p->desc[last], (size_t)(i - last) * sizeof d);
        memcpy(p->desc[last], d, sizeof d);
        last = -1; /* a second one would hold up the operation until the first is nearly there */
    }
}
