#include "model/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "model/qnet_file.h"

static const size_t MAX_MODEL = (size_t)1 << 29;

static const struct {
    const char *word;
    float mean[3], std[3];
} kinds[] = {{"imagenet", {0.485f, 0.456f, 0.406f}, {0.229f, 0.224f, 0.225f}},
             {"unit", {0, 0, 0}, {1, 1, 1}},
             {"byte", {0, 0, 0}, {1 / 255.0f, 1 / 255.0f, 1 / 255.0f}}};

static void set_preproc(lt_graph *g, const float *mean, const float *std)
{
    for (int c = 0; c < LT_MAX_INPUT_CHANNELS; c++) {
        g->pre.mean[c] = mean[c < 3 ? c : 2];
        g->pre.std[c] = std[c < 3 ? c : 2];
    }
}

lt_code lt_model_preproc(lt_graph *g, const char *spec, lt_err *err)
{
    float m[3], s[3];
    char rest;

    if (!spec || !spec[0] || strcmp(spec, "auto") == 0)
        spec = strstr(g->name, "resnet8") ? "byte" : strstr(g->name, "vww") ? "unit" : "imagenet";
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(spec, kinds[i].word) == 0) {
            set_preproc(g, kinds[i].mean, kinds[i].std);
            return LT_OK;
        }
    if (sscanf(spec, "%f,%f,%f/%f,%f,%f%c", &m[0], &m[1], &m[2], &s[0], &s[1], &s[2], &rest) != 6)
        return lt_fail(err, LT_EINPUT,
                       "preprocessing: got '%s', expected auto, imagenet, unit, byte or m0,m1,m2/s0,s1,s2", spec);
    for (int c = 0; c < 3; c++)
        if (!(m[c] >= -1000 && m[c] <= 1000 && s[c] >= 1e-6f && s[c] <= 1e6f))
            return lt_fail(err, LT_EINPUT, "preprocessing: mean %g, deviation %g: expected -1000..1000 and 1e-6..1e6",
                           (double)m[c], (double)s[c]);
    set_preproc(g, m, s);
    return LT_OK;
}

static lt_code load_file(const char *path, lt_graph *g, lt_err *err)
{
    char *data;
    size_t len;

    LT_TRY(lt_read_file(path, MAX_MODEL, &data, &len, err));
    lt_code rc;
    if (len >= 4 && memcmp(data, LT_LQN_MAGIC, 4) == 0)
        rc = lt_fail(err, LT_EINPUT, "%s: is an integer network already, expected .onnx or .npz", path);
    else if (len >= 4 && memcmp(data, "PK\003\004", 4) == 0)
        rc = lt_npz_import(data, len, path, g, err);
    else
        rc = lt_onnx_import(data, len, path, g, err);
    free(data);
    return rc;
}

bool lt_model_is_random(const char *net_name)
{
    static const char ending[] = "-random";
    size_t n = strlen(net_name), e = sizeof ending - 1;
    return n >= e && strcmp(net_name + n - e, ending) == 0;
}

lt_code lt_model_load(const char *name, const char *data_dir, uint64_t seed, lt_graph *g, bool *real, lt_err *err)
{
    char path[4096];

    *g = (lt_graph){0};
    if (real) *real = true;
    if (strcmp(name, "wide") == 0) {
        if (real) *real = false;
        return lt_wide_random(seed, g, err);
    }
    if (strcmp(name, "resnet20") == 0) {
        if (!data_dir || !data_dir[0]) {
            if (real) *real = false;
            return lt_resnet20_random(seed, g, err);
        }
        snprintf(path, sizeof path, "%s/models/resnet20_cifar10.onnx", data_dir);
        name = path;
    }
    LT_TRY(load_file(name, g, err));
    return lt_model_preproc(g, NULL, err);
}
