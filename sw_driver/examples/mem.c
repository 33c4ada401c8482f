/* The two functions that a compiler may call in freestanding code, for firmware without a libc. */
#include <stddef.h>
#include <stdint.h>

void *memcpy(void *restrict to, const void *restrict from, size_t n);
void *memset(void *to, int value, size_t n);

/* The loops must not be turned into calls of the functions they implement. */
#define PLAIN_LOOPS __attribute__((optimize("no-tree-loop-distribute-patterns")))

PLAIN_LOOPS void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
    uint8_t *d = to;
    const uint8_t *s = from;
    while (n--) *d++ = *s++;
    return to;
}

PLAIN_LOOPS void *memset(void *to, int value, size_t n)
{
    uint8_t *d = to;
    while (n--) *d++ = (uint8_t)value;
    return to;
}
