#include "model/onnx_internal.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "model/graph.h"

void ox_free(ox_const *c)
{
    free(c->f);
    free(c->i);
    *c = (ox_const){0};
}

lt_code ox_alloc(ox_const *c, size_t *budget, const char *who, lt_err *err)
{
    size_t n = 1;

    for (int i = 0; i < c->rank; i++) {
        if (c->dim[i] < 0 || c->dim[i] > (int64_t)LT_MAX_ELEMENTS)
            return lt_fail(err, LT_EINPUT, "%s: dimension %d is %lld, expected 0..%zu", who, i, (long long)c->dim[i],
                           LT_MAX_ELEMENTS);
        if (c->dim[i] && n > LT_MAX_ELEMENTS / (size_t)c->dim[i])
            return lt_fail(err, LT_EINPUT, "%s: more than %zu values", who, LT_MAX_ELEMENTS);
        n *= (size_t)c->dim[i];
    }
    if (n > *budget) return lt_fail(err, LT_EINPUT, "%s: the constants of the model need too much memory", who);
    *budget -= n;
    c->count = n;
    if (c->is_int)
        c->i = calloc(n + 1, sizeof *c->i);
    else
        c->f = calloc(n + 1, sizeof *c->f);
    return c->i || c->f ? LT_OK : lt_fail(err, LT_EMEM, "%s: out of memory for %zu values", who, n);
}

static lt_code wrong_count(const char *who, size_t got, size_t want, lt_err *err)
{
    return lt_fail(err, LT_EINPUT, "%s: holds %zu values, its dimensions say %zu", who, got, want);
}

/* Element i of a little-endian array of 4- or 8-byte numbers. */
static uint64_t raw_at(const ProtobufCBinaryData *raw, size_t i, size_t bytes)
{
    uint32_t w;
    uint64_t d;
    if (bytes == 4) {
        memcpy(&w, raw->data + 4 * i, 4);
        return le32toh(w);
    }
    memcpy(&d, raw->data + 8 * i, 8);
    return le64toh(d);
}

static float as_float(uint64_t bits)
{
    uint32_t w = (uint32_t)bits;
    float f;
    memcpy(&f, &w, sizeof f);
    return f;
}

static double as_double(uint64_t bits)
{
    double d;
    memcpy(&d, &bits, sizeof d);
    return d;
}

static lt_code decode_raw(const Onnx__TensorProto *t, const char *who, ox_const *c, lt_err *err)
{
    size_t bytes =
        t->data_type == ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT || t->data_type == ONNX__TENSOR_PROTO__DATA_TYPE__INT32
            ? 4
            : 8;
    if (t->raw_data.len != c->count * bytes) return wrong_count(who, t->raw_data.len / bytes, c->count, err);
    for (size_t k = 0; k < c->count; k++) {
        uint64_t v = raw_at(&t->raw_data, k, bytes);
        if (t->data_type == ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT)
            c->f[k] = as_float(v);
        else if (t->data_type == ONNX__TENSOR_PROTO__DATA_TYPE__DOUBLE)
            c->f[k] = (float)as_double(v);
        else
            c->i[k] = bytes == 4 ? (int32_t)v : (int64_t)v;
    }
    return LT_OK;
}

static lt_code decode_fields(const Onnx__TensorProto *t, const char *who, ox_const *c, lt_err *err)
{
    size_t n;

    switch (t->data_type) {
    case ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT:
        if ((n = t->n_float_data) == c->count && n) memcpy(c->f, t->float_data, n * sizeof *c->f);
        break;
    case ONNX__TENSOR_PROTO__DATA_TYPE__DOUBLE:
        n = t->n_double_data;
        for (size_t k = 0; n == c->count && k < n; k++) c->f[k] = (float)t->double_data[k];
        break;
    case ONNX__TENSOR_PROTO__DATA_TYPE__INT32:
        n = t->n_int32_data;
        for (size_t k = 0; n == c->count && k < n; k++) c->i[k] = t->int32_data[k];
        break;
    default:
        if ((n = t->n_int64_data) == c->count && n) memcpy(c->i, t->int64_data, n * sizeof *c->i);
        break;
    }
    return n == c->count ? LT_OK : wrong_count(who, n, c->count, err);
}

lt_code ox_decode(const Onnx__TensorProto *t, const char *who, ox_const *out, size_t *budget, lt_err *err)
{
    *out = (ox_const){0};
    if (t->has_data_location && t->data_location == ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL)
        return lt_fail(err, LT_EINPUT, "%s: its values are in another file; save the model as one file", who);
    switch (t->data_type) {
    case ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT:
    case ONNX__TENSOR_PROTO__DATA_TYPE__DOUBLE:
        break;
    case ONNX__TENSOR_PROTO__DATA_TYPE__INT32:
    case ONNX__TENSOR_PROTO__DATA_TYPE__INT64:
        out->is_int = true;
        break;
    default:
        return lt_fail(err, LT_EINPUT, "%s: data type %d, expected float (1), int32 (6), int64 (7) or double (11)", who,
                       t->data_type);
    }
    if (t->n_dims > OX_MAX_RANK)
        return lt_fail(err, LT_EINPUT, "%s: %zu dimensions, expected at most %d", who, t->n_dims, OX_MAX_RANK);
    out->rank = (int)t->n_dims;
    size_t room = t->raw_data.len + t->n_float_data + t->n_double_data + t->n_int32_data + t->n_int64_data, n = 1;
    for (int i = 0; i < out->rank; i++) {
        out->dim[i] = t->dims[i];
        /* what the file holds bounds what is allocated */
        if (t->dims[i] > 0 && n <= room) n *= (size_t)(t->dims[i] < (int64_t)room + 1 ? t->dims[i] : (int64_t)room + 1);
        if (t->dims[i] == 0) n = 0;
    }
    if (n > room) return wrong_count(who, room, n, err);
    lt_code rc = ox_alloc(out, budget, who, err);
    if (rc == LT_OK) rc = t->has_raw_data ? decode_raw(t, who, out, err) : decode_fields(t, who, out, err);
    if (rc != LT_OK) ox_free(out);
    return rc;
}

const Onnx__AttributeProto *ox_attr(const Onnx__NodeProto *n, const char *name)
{
    for (size_t i = 0; i < n->n_attribute; i++)
        if (n->attribute[i]->name && strcmp(n->attribute[i]->name, name) == 0) return n->attribute[i];
    return NULL;
}

int64_t ox_attr_int(const Onnx__NodeProto *n, const char *name, int64_t def)
{
    const Onnx__AttributeProto *a = ox_attr(n, name);
    return a && a->has_i ? a->i : def;
}

float ox_attr_float(const Onnx__NodeProto *n, const char *name, float def)
{
    const Onnx__AttributeProto *a = ox_attr(n, name);
    return a && a->has_f ? a->f : def;
}
