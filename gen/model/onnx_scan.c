#include "model/onnx_internal.h"

enum { MAX_DEPTH = 32, MAX_FIELDS = 4000000 };

typedef struct {
    const char *who;
    long fields;
    lt_err *err;
} scan;

static lt_code malformed(const scan *s)
{
    return lt_fail(s->err, LT_EINPUT, "%s: not an ONNX model, or truncated (malformed protobuf)", s->who);
}

static bool varint(const uint8_t **p, const uint8_t *end, uint64_t *v)
{
    *v = 0;
    for (int shift = 0; shift < 64 && *p < end; shift += 7) {
        uint8_t b = *(*p)++;
        *v |= (uint64_t)(b & 0x7f) << shift;
        if (!(b & 0x80)) return true;
    }
    return false;
}

static lt_code message(scan *s, const ProtobufCMessageDescriptor *d, const uint8_t *p, const uint8_t *end, int depth)
{
    if (depth > MAX_DEPTH) return lt_fail(s->err, LT_EINPUT, "%s: messages nested deeper than %d", s->who, MAX_DEPTH);
    while (p < end) {
        uint64_t key, len;
        if (!varint(&p, end, &key)) return malformed(s);
        switch (key & 7) {
        case 0:
            if (!varint(&p, end, &len)) return malformed(s);
            continue;
        case 1:
            len = 8;
            break;
        case 5:
            len = 4;
            break;
        case 2:
            if (!varint(&p, end, &len)) return malformed(s);
            if (++s->fields > MAX_FIELDS)
                return lt_fail(s->err, LT_EINPUT, "%s: more than %d fields", s->who, MAX_FIELDS);
            break;
        default: /* groups do not occur in ONNX */
            return malformed(s);
        }
        if (len > (uint64_t)(end - p)) return malformed(s);
        const ProtobufCFieldDescriptor *f = (key & 7) == 2 && key >> 3 <= UINT32_MAX
                                                ? protobuf_c_message_descriptor_get_field(d, (unsigned)(key >> 3))
                                                : NULL;
        if (f && f->type == PROTOBUF_C_TYPE_MESSAGE) LT_TRY(message(s, f->descriptor, p, p + len, depth + 1));
        p += len;
    }
    return LT_OK;
}

lt_code ox_scan(const uint8_t *data, size_t len, const char *who, lt_err *err)
{
    scan s = {who, 0, err};
    return message(&s, &onnx__model_proto__descriptor, data, data + len, 0);
}
