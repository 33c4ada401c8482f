/* Errors travel as a result code plus a message; library code never prints or exits. */
#ifndef LUTRA_BASE_ERR_H
#define LUTRA_BASE_ERR_H

typedef enum {
    LT_OK = 0,
    LT_EINPUT,   /* the user's input is wrong: exit code 2 */
    LT_EIO,      /* a file could not be read or written: exit code 3 */
    LT_EMEM,     /* out of memory: exit code 4 */
    LT_EINTERNAL /* a broken invariant of our own: exit code 5 */
} lt_code;

typedef struct {
    lt_code code;
    char msg[1024];
} lt_err;

/* Sets code and message (printf style) and returns the code, so that `return lt_fail(...)` reads well. err may be NULL. */
lt_code lt_fail(lt_err *err, lt_code code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Puts "prefix: " before the message already in err; returns err->code. */
lt_code lt_wrap(lt_err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

int lt_exit_code(lt_code code);

#define LT_TRY(call)                                                                                                   \
    do {                                                                                                               \
        lt_code lt_rc_ = (call);                                                                                       \
        if (lt_rc_ != LT_OK) return lt_rc_;                                                                            \
    } while (0)

#endif
