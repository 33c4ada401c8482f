#include "lutra_result.h"

const char *lutra_result_text(lutra_result r)
{
    static const char *const text[LUTRA_RESULTS] = {
        [LUTRA_OK] = "ok",
        [LUTRA_BAD_ARG] = "bad argument or wrong state",
        [LUTRA_NO_DEVICE] = "no accelerator answers at this address",
        [LUTRA_MISMATCH] = "image and hardware come from different configurations (fingerprint)",
        [LUTRA_BAD_MAGIC] = "not a program image",
        [LUTRA_BAD_VERSION] = "unknown version of the image format",
        [LUTRA_BAD_CRC] = "image is damaged (CRC)",
        [LUTRA_COMPRESSED] = "image is still compressed",
        [LUTRA_BAD_IMAGE] = "impossible size or offset in the image",
        [LUTRA_BUSY] = "a run is in progress",
        [LUTRA_TIMEOUT] = "hardware did not finish in time",
        [LUTRA_HW_READ] = "hardware: error response on a bus read",
        [LUTRA_HW_WRITE] = "hardware: error response on a bus write",
        [LUTRA_HW_DESC] = "hardware: bad descriptor",
        [LUTRA_HW_BANK] = "hardware: two engines in one memory bank",
        [LUTRA_HW_WATCHDOG] = "hardware: watchdog, no progress",
        [LUTRA_HW_OTHER] = "hardware: unknown error code",
    };
    return (unsigned)r < LUTRA_RESULTS ? text[r] : "unknown result";
}
