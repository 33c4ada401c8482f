/* One line of progress on stderr with an ETA; silent unless stderr is a terminal. Safe to call from many threads. */
#ifndef LUTRA_BASE_PROGRESS_H
#define LUTRA_BASE_PROGRESS_H

#include <stddef.h>

typedef struct lt_progress lt_progress;

lt_progress *lt_progress_start(const char *what, size_t total); /* NULL is a valid, silent progress */
void lt_progress_add(lt_progress *p, size_t done);
void lt_progress_end(lt_progress *p);

#endif
