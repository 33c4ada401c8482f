#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool reserve(lt_buf *b, size_t more)
{
    size_t cap = b->cap ? b->cap : 256;

    if (b->failed) return false;
    if (more < SIZE_MAX - b->len - 1) {
        while (cap < b->len + more + 1 && cap < SIZE_MAX / 2) cap *= 2;
        if (cap == b->cap) return true;
        char *p = realloc(b->data, cap);
        if (p) {
            b->data = p;
            b->cap = cap;
            return true;
        }
    }
    b->failed = true;
    return false;
}

void lt_buf_free(lt_buf *b)
{
    free(b->data);
    *b = (lt_buf){0};
}

bool lt_buf_ok(const lt_buf *b)
{
    return !b->failed;
}

void lt_buf_add(lt_buf *b, const void *data, size_t len)
{
    if (len == 0 || !reserve(b, len)) return;
    memcpy(b->data + b->len, data, len);
    b->len += len;
    b->data[b->len] = '\0';
}

void lt_buf_puts(lt_buf *b, const char *s)
{
    lt_buf_add(b, s, strlen(s));
}

void lt_buf_printf(lt_buf *b, const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n >= 0 && reserve(b, (size_t)n)) {
        vsnprintf(b->data + b->len, (size_t)n + 1, fmt, again);
        b->len += (size_t)n;
    }
    va_end(again);
}

static void add_le(lt_buf *b, uint64_t v, int bytes)
{
    unsigned char raw[8];
    for (int i = 0; i < bytes; i++) raw[i] = (unsigned char)(v >> (8 * i));
    lt_buf_add(b, raw, (size_t)bytes);
}

void lt_buf_u8(lt_buf *b, unsigned v)
{
    add_le(b, v, 1);
}

void lt_buf_le16(lt_buf *b, uint16_t v)
{
    add_le(b, v, 2);
}

void lt_buf_le32(lt_buf *b, uint32_t v)
{
    add_le(b, v, 4);
}

void lt_buf_le64(lt_buf *b, uint64_t v)
{
    add_le(b, v, 8);
}

void lt_buf_align(lt_buf *b, size_t align)
{
    while (b->len % align && !b->failed) lt_buf_u8(b, 0);
}
