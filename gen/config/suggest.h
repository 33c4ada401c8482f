/* "Did you mean": the known word nearest to a mistyped one. */
#ifndef LUTRA_CONFIG_SUGGEST_H
#define LUTRA_CONFIG_SUGGEST_H

#include <stddef.h>

/* Edits (insert, delete, replace, swap of neighbours; case ignored) that turn a into b; words beyond 63 characters
 * count as completely different. */
int lt_edit_distance(const char *a, const char *b);

/* The nearest of n words, or NULL if none is near enough to be a likely typing error. Ties go to the first. words[i] is
 * read at (const char *)words + i * stride, so that a member of an array of structures can be searched. */
const char *lt_suggest(const char *word, const void *words, size_t n, size_t stride);

#endif
