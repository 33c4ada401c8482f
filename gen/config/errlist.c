#include "config/errlist.h"

#include <string.h>

void lt_errlist_end_line(lt_errlist *list)
{
    lt_buf_puts(&list->text, "\n");
    list->count++;
}

lt_code lt_errlist_finish(lt_errlist *list, lt_err *err)
{
    lt_code code = LT_OK;
    enum { ROOM_FOR_COUNT = 40 };
    size_t room = sizeof err->msg - ROOM_FOR_COUNT, end = 0;
    int shown = 0;

    if (!lt_buf_ok(&list->text)) {
        code = lt_fail(err, LT_EMEM, "out of memory");
    } else if (list->count) {
        const char *text = list->text.data;
        while (shown < list->count) {
            const char *nl = strchr(text + end, '\n');
            size_t next = (size_t)(nl - text);
            /* a single line longer than the message is cut by lt_fail */
            if (next > room && shown > 0) break;
            end = next + 1;
            shown++;
        }
        if (shown < list->count)
            code = lt_fail(err, LT_EINPUT, "%.*s... and %d more errors", (int)end, text, list->count - shown);
        else
            code = lt_fail(err, LT_EINPUT, "%.*s", (int)end - 1, text);
    }
    lt_buf_free(&list->text);
    *list = (lt_errlist){0};
    return code;
}
