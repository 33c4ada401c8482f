#include "emit/regs.h"

#include <string.h>

#define U                                                  false
#define S                                                  true
#define LT_DESC_ROW(name, word, lsb, bits, sign, ops, doc) [LT_D_##name] = {#name, word, lsb, bits, sign, ops, doc},
const lt_desc_field lt_desc_fields[LT_N_DESC_FIELDS] = {LT_DESC_FIELDS(LT_DESC_ROW)};
#undef U
#undef S

const lt_hw_value lt_hw_values[] = {
    {"OP", "END", LT_OP_END, "wait until all engines are idle, then set STATUS.DONE"},
    {"OP", "LOAD", LT_OP_LOAD, "memory to chip (load engine)"},
    {"OP", "STORE", LT_OP_STORE, "chip to memory (store engine)"},
    {"OP", "CONV", LT_OP_CONV, "convolution or fully connected (exec engine)"},
    {"OP", "POOL", LT_OP_POOL, "pooling, element-wise add, copy (exec engine)"},
    {"OP", "PROFILE", LT_OP_PROFILE, "write a profile record (store engine)"},
    {"TARGET", "FB", 0, "feature buffer"},
    {"TARGET", "WEIGHT", 1, "weight buffer (ws, ews) or LUT memory (pq)"},
    {"TARGET", "PARAM", 2, "bias and multiplier"},
    {"TARGET", "ENC", 3, "encoder memory (pq)"},
    {"TARGET", "CODE", 4, "code memory (pq)"},
    {"BASE", "PROGRAM", 0, "BASE0: descriptors and weights"},
    {"BASE", "INPUT", 1, "BASE1: network input"},
    {"BASE", "OUTPUT", 2, "BASE2: network output"},
    {"BASE", "SCRATCH", 3, "BASE3: intermediate tensors and profile records"},
    {"ERROR", "NONE", 0, "no error"},
    {"ERROR", "READ", 1, "error response to a read"},
    {"ERROR", "WRITE", 2, "error response to a write"},
    {"ERROR", "DESCRIPTOR", 3, "bad descriptor"},
    {"ERROR", "BANK", 4, "two engines used one bank or half at the same time"},
    {"ERROR", "WATCHDOG", 5, "no progress for WATCHDOG cycles"},
};
const int lt_n_hw_values = sizeof lt_hw_values / sizeof lt_hw_values[0];

const lt_reg lt_regs[] = {
    {"ID", 0x000, LT_RO, LT_FROM_RESET, LT_HW_ID, NULL, {{0}}, "\"LUTR\": this is a Lutra accelerator"},
    {"VERSION",
     0x004,
     LT_RO,
     LT_FROM_RESET,
     LT_HW_VERSION,
     NULL,
     {{"MINOR", 0, 16, "compatible additions"}, {"MAJOR", 16, 16, "incompatible changes"}},
     "version of this register map and of the descriptors"},
    {"FINGERPRINT",
     0x008,
     LT_RO,
     LT_FROM_FINGERPRINT,
     0,
     NULL,
     {{0}},
     "configuration fingerprint; header, program image and hardware must agree"},
    {"CONTROL",
     0x00C,
     LT_WO,
     LT_TO_PORT,
     0,
     NULL,
     {{"START", 0, 1, "clear the counters and run the program; ignored while BUSY"},
      {"ABORT", 1, 1, "soft reset of all engines; only when STATUS.BUS_IDLE"}},
     "commands"},
    {"STATUS",
     0x010,
     LT_RO,
     LT_FROM_PORT,
     0,
     NULL,
     {{"BUSY", 0, 1, "a program runs"},
      {"DONE", 1, 1, "the last program reached END"},
      {"ERROR", 2, 1, "the last program stopped with an error"},
      {"BUS_IDLE", 3, 1, "no transfer of the AXI4 master is outstanding"},
      {"ERROR_CODE", 8, 8, "why, see the table of values"}},
     "state"},
    {"IRQ_ENABLE",
     0x014,
     LT_RW,
     LT_KEPT,
     0,
     NULL,
     {{"DONE", 0, 1, "interrupt when done"}, {"ERROR", 1, 1, "interrupt on an error"}},
     "which events raise the interrupt line"},
    {"IRQ_STATUS",
     0x018,
     LT_W1C,
     LT_KEPT,
     0,
     NULL,
     {{"DONE", 0, 1, "a program reached END"}, {"ERROR", 1, 1, "a program stopped with an error"}},
     "events; the level-sensitive interrupt line is high while an enabled one is set"},
    {"IRQ_TEST",
     0x01C,
     LT_WO,
     LT_KEPT,
     0,
     "IRQ_STATUS",
     {{"DONE", 0, 1, "set IRQ_STATUS.DONE"}, {"ERROR", 1, 1, "set IRQ_STATUS.ERROR"}},
     "sets events, to test interrupt wiring"},
    {"BASE0", 0x020, LT_RW, LT_TO_PORT, 0, NULL, {{0}}, "memory address of the program image"},
    {"BASE1", 0x024, LT_RW, LT_TO_PORT, 0, NULL, {{0}}, "memory address of the input"},
    {"BASE2", 0x028, LT_RW, LT_TO_PORT, 0, NULL, {{0}}, "memory address of the output"},
    {"BASE3", 0x02C, LT_RW, LT_TO_PORT, 0, NULL, {{0}}, "memory address of the scratch area"},
    {"PROGRAM", 0x030, LT_RW, LT_TO_PORT, 0, NULL, {{0}}, "byte offset of the first descriptor from BASE0"},
    {"WATCHDOG",
     0x034,
     LT_RW,
     LT_TO_PORT,
     1u << 20,
     NULL,
     {{0}},
     "cycles without a retired descriptor, bus beat or core activity until ERROR_CODE 5; 0: off"},
    {"CYCLES", 0x040, LT_RO, LT_FROM_PORT, 0, NULL, {{0}}, "cycles from START until DONE"},
    {"EXEC_BUSY",
     0x044,
     LT_RO,
     LT_FROM_PORT,
     0,
     NULL,
     {{0}},
     "cycles in which an operation is in the exec engine (accepted, not done)"},
    {"STALL_READ",
     0x048,
     LT_RO,
     LT_FROM_PORT,
     0,
     NULL,
     {{0}},
     "cycles in which the exec engine is empty and the next operation waits for a load token"},
    {"STALL_WRITE",
     0x04C,
     LT_RO,
     LT_FROM_PORT,
     0,
     NULL,
     {{0}},
     "the same, waiting for a store token while the load token is there"},
    {"STALL_CORE",
     0x050,
     LT_RO,
     LT_FROM_PORT,
     0,
     NULL,
     {{0}},
     "cycles in which an operation is in the exec engine but nothing was issued to the core"},
    {"READ_BEATS", 0x054, LT_RO, LT_FROM_PORT, 0, NULL, {{0}}, "data beats read by the AXI4 master"},
    {"WRITE_BEATS", 0x058, LT_RO, LT_FROM_PORT, 0, NULL, {{0}}, "data beats written by the AXI4 master"},
    {"DESCRIPTORS", 0x05C, LT_RO, LT_FROM_PORT, 0, NULL, {{0}}, "descriptors retired"},
};
const int lt_n_regs = sizeof lt_regs / sizeof lt_regs[0];

int lt_desc_find(const char *name)
{
    for (int i = 0; i < LT_N_DESC_FIELDS; i++)
        if (strcmp(lt_desc_fields[i].name, name) == 0) return i;
    return -1;
}

int lt_desc_opcode(const char *name)
{
    for (int i = 0; i < lt_n_hw_values; i++)
        if (strcmp(lt_hw_values[i].group, "OP") == 0 && strcmp(lt_hw_values[i].name, name) == 0)
            return lt_hw_values[i].value;
    return -1;
}

int64_t lt_desc_get(const uint32_t *desc, lt_dfield field)
{
    const lt_desc_field *f = &lt_desc_fields[field];
    int64_t v = (desc[f->word] & lt_field_mask(f->lsb, f->bits)) >> f->lsb;

    if (f->is_signed && v >> (f->bits - 1)) v -= INT64_C(1) << f->bits;
    return v;
}

bool lt_desc_put(uint32_t *desc, lt_dfield field, int64_t value)
{
    const lt_desc_field *f = &lt_desc_fields[field];
    int64_t span = INT64_C(1) << f->bits, lo = f->is_signed ? -span / 2 : 0;
    uint32_t mask = lt_field_mask(f->lsb, f->bits);

    if (value < lo || value >= lo + span) return false;
    desc[f->word] = (desc[f->word] & ~mask) | (((uint32_t)value << f->lsb) & mask);
    return true;
}

bool lt_desc_set(uint32_t *desc, const char *name, int64_t value)
{
    int field = lt_desc_find(name);
    return field >= 0 && lt_desc_put(desc, (lt_dfield)field, value);
}
