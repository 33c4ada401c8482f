/* Room for one more element of a growing array. */
#ifndef LUTRA_REPORT_GROW_H
#define LUTRA_REPORT_GROW_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* The array with room for element n (cap elements so far), or NULL: then the old one is still there. */
static inline void *grow(void *array, size_t n, size_t *cap, size_t size)
{
    if (n < *cap) return array;
    size_t more = *cap ? *cap * 2 : 64;
    if (more > SIZE_MAX / size) return NULL;
    void *p = realloc(array, more * size);
    if (p) *cap = more;
    return p;
}

/* Makes room in `array` for index n, or runs `otherwise`. */
#define GROW(array, n, cap, otherwise)                                                                                 \
    do {                                                                                                               \
        void *grown_ = grow((array), (n), &(cap), sizeof *(array));                                                    \
        if (!grown_) otherwise;                                                                                        \
        (array) = grown_;                                                                                              \
    } while (0)

#endif
