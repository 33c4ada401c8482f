#include "config/suggest.h"

#include <ctype.h>
#include <string.h>

enum { LONGEST = 63 };

static int min2(int a, int b)
{
    return a < b ? a : b;
}

/* Optimal string alignment distance, whole table: the words are short. */
int lt_edit_distance(const char *a, const char *b)
{
    int d[LONGEST + 1][LONGEST + 1];
    size_t n = strlen(a), m = strlen(b);

    if (n > LONGEST || m > LONGEST) return LONGEST + 1;
    for (size_t i = 0; i <= n; i++) d[i][0] = (int)i;
    for (size_t j = 0; j <= m; j++) d[0][j] = (int)j;
    for (size_t i = 1; i <= n; i++) {
        for (size_t j = 1; j <= m; j++) {
            int ca = tolower((unsigned char)a[i - 1]), cb = tolower((unsigned char)b[j - 1]);
            int best = min2(min2(d[i - 1][j], d[i][j - 1]) + 1, d[i - 1][j - 1] + (ca != cb));
            if (i > 1 && j > 1 && ca == tolower((unsigned char)b[j - 2]) && tolower((unsigned char)a[i - 2]) == cb)
                best = min2(best, d[i - 2][j - 2] + 1);
            d[i][j] = best;
        }
    }
    return d[n][m];
}

const char *lt_suggest(const char *word, const void *words, size_t n, size_t stride)
{
    const char *best = NULL;
    int best_d = 0;

    for (size_t i = 0; i < n; i++) {
        const char *w;
        memcpy(&w, (const char *)words + i * stride, sizeof w);
        int d = lt_edit_distance(word, w);
        /* a third of the letters may be wrong; one always may, unless nothing would be left */
        int limit = (int)strlen(w) / 3;
        if (limit < 1) limit = 1;
        if (d > limit || d >= (int)strlen(w)) continue;
        if (!best || d < best_d) {
            best = w;
            best_d = d;
        }
    }
    return best;
}
