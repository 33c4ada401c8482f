#include "model/prep.h"

#include <stddef.h>

#include "model/model.h"

lt_prep_options lt_prep_defaults(void)
{
    return (lt_prep_options){
        .model = "resnet20", .seed = 1, .lanes = 16, .calib_images = 512, .quant = lt_quant_defaults()};
}

void lt_prep_free(lt_prep *p)
{
    lt_graph_free(&p->graph);
    lt_dataset_free(&p->calib_data);
    lt_calib_free(&p->calib);
    qnet_free(&p->net);
    *p = (lt_prep){0};
}

static lt_code steps(const lt_prep_options *o, lt_prep *p, lt_err *err)
{
    LT_TRY(lt_model_load(o->model, o->data_dir, o->seed, &p->graph, &p->real, err));
    if (o->preproc) LT_TRY(lt_model_preproc(&p->graph, o->preproc, err));
    if (lt_graph_lower(&p->graph, err) != LT_OK || lt_graph_align(&p->graph, o->lanes, err) != LT_OK)
        return lt_wrap(err, "%s", o->model);
    LT_TRY(lt_dataset_open(&p->calib_data, &p->graph, o->data_dir, LT_TRAIN, o->calib_images, o->seed, err));
    LT_TRY(lt_calib_run(&p->calib, &p->graph, &p->calib_data, p->calib_data.n, err));
    if (lt_quantize(&p->graph, &p->calib, &o->quant, &p->net, err) != LT_OK) return lt_wrap(err, "%s", o->model);
    return LT_OK;
}

lt_code lt_prep_dense(const lt_prep_options *o, lt_prep *p, lt_err *err)
{
    *p = (lt_prep){0};
    lt_code rc = steps(o, p, err);
    if (rc != LT_OK) lt_prep_free(p);
    return rc;
}
