#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

lt_code lt_fail(lt_err *err, lt_code code, const char *fmt, ...)
{
    if (err) {
        va_list ap;
        va_start(ap, fmt);
        err->code = code;
        vsnprintf(err->msg, sizeof err->msg, fmt, ap);
        va_end(ap);
    }
    return code;
}

lt_code lt_wrap(lt_err *err, const char *fmt, ...)
{
    char prefix[sizeof err->msg], joined[2 * sizeof err->msg + 3];
    va_list ap;

    if (!err) return LT_EINTERNAL;
    va_start(ap, fmt);
    vsnprintf(prefix, sizeof prefix, fmt, ap);
    va_end(ap);
    snprintf(joined, sizeof joined, "%s: %s", prefix, err->msg);
    memcpy(err->msg, joined, sizeof err->msg - 1);
    err->msg[sizeof err->msg - 1] = '\0';
    return err->code;
}

int lt_exit_code(lt_code code)
{
    static const int exits[] = {[LT_OK] = 0, [LT_EINPUT] = 2, [LT_EIO] = 3, [LT_EMEM] = 4, [LT_EINTERNAL] = 5};
    return exits[code];
}
