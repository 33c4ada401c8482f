/* A piece of somebody else's text. */
#ifndef LUTRA_REPORT_TEXT_H
#define LUTRA_REPORT_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct {
    const char *s;
    size_t len;
} text_t;

static inline bool text_is(text_t t, const char *s)
{
    size_t n = strlen(s);
    return t.len == n && memcmp(t.s, s, n) == 0;
}

static inline bool text_same(text_t a, text_t b)
{
    return a.len == b.len && memcmp(a.s, b.s, a.len) == 0;
}

static inline bool text_starts(text_t t, const char *s)
{
    size_t n = strlen(s);
    return t.len >= n && memcmp(t.s, s, n) == 0;
}

/* Copies t, cut to size - 1 bytes, with a NUL. */
static inline void text_copy(text_t t, char *dst, size_t size)
{
    size_t n = t.len < size ? t.len : size - 1;
    memcpy(dst, t.s, n);
    dst[n] = '\0';
}

/* FNV-1a, for hash tables. */
static inline uint64_t text_hash(text_t t)
{
    uint64_t h = 1469598103934665603u;
    for (size_t i = 0; i < t.len; i++) h = (h ^ (unsigned char)t.s[i]) * 1099511628211u;
    return h;
}

#endif
