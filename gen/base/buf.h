/* A growable byte buffer, used for text that is emitted and for binary images. Allocation failure is sticky:
 * test lt_buf_ok() once at the end. */
#ifndef LUTRA_BASE_BUF_H
#define LUTRA_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    char *data; /* always followed by a NUL byte once something was added */
    size_t len, cap;
    bool failed;
} lt_buf;

void lt_buf_free(lt_buf *b);
bool lt_buf_ok(const lt_buf *b);
void lt_buf_add(lt_buf *b, const void *data, size_t len);
void lt_buf_puts(lt_buf *b, const char *s);
void lt_buf_printf(lt_buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void lt_buf_u8(lt_buf *b, unsigned v);
void lt_buf_le16(lt_buf *b, uint16_t v);
void lt_buf_le32(lt_buf *b, uint32_t v);
void lt_buf_le64(lt_buf *b, uint64_t v);
/* Appends zero bytes until len is a multiple of align. */
void lt_buf_align(lt_buf *b, size_t align);

#endif
