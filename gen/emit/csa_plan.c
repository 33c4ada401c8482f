#include "emit/csa_plan.h"

/* Builds the tree with no stage but the last longer than `limit`; returns the delay of the last. */
static int build(csa_net *net, const csa_tree *tree, int limit, bool silent)
{
    *net = csa_net_make(tree->width, tree->inverted, silent);
    for (int stage = 0; stage < tree->stages && csa_net_ok(net); stage++) {
        tree->push(net, tree, stage);
        csa_reduce(net, limit);
        csa_cut(net);
    }
    if (!csa_net_ok(net)) return 0;
    tree->push(net, tree, tree->stages);
    csa_reduce(net, -1);
    return csa_final_add(net, tree->result);
}

static int last_stage(const csa_tree *tree, int limit)
{
    csa_net net;
    int t = build(&net, tree, limit, true);
    csa_net_free(&net);
    return t;
}

int csa_stage_delay(const csa_tree *tree)
{
    enum { STEP = 5 };
    csa_tree single = *tree;
    single.stages = single.join = 0;

    int whole = last_stage(&single, 0);
    if (tree->stages == 0) return whole;
    /* Perfect balance is whole / (stages + 1); what is cut off at the stages' ends can make it a little less. */
    int limit = whole * 3 / (4 * (tree->stages + 1));
    while (limit < whole && last_stage(tree, limit) > limit) limit += STEP;
    return limit;
}

csa_net csa_build(const csa_tree *tree, int delay)
{
    csa_net net;
    build(&net, tree, delay, false);
    return net;
}
