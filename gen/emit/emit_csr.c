#include "emit/emit_csr.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "emit/expand.h"
#include "emit/regs.h"

enum { NAME_MAX_LEN = 64 };

/* Port or signal of a register or of one of its fields, in small letters. */
static void signal_name(char out[NAME_MAX_LEN], const lt_reg *r, const lt_reg_field *f)
{
    snprintf(out, NAME_MAX_LEN, f ? "csr_%s_%s" : "csr_%s", r->name, f ? f->name : "");
    for (char *c = out; *c; c++) *c = (char)tolower((unsigned char)*c);
}

static bool has_fields(const lt_reg *r)
{
    return r->fields[0].name != NULL;
}

/* Bits up to the highest field; registers without fields have 32. */
static int used_bits(const lt_reg *r)
{
    int bits = 0;
    for (const lt_reg_field *f = r->fields; f->name; f++)
        if (f->lsb + f->bits > bits) bits = f->lsb + f->bits;
    return bits ? bits : 32;
}

/* "[31:0]" padded to the width of the template's port list; nothing for one bit. */
static const char *range(char out[16], int bits)
{
    if (bits == 1)
        out[0] = '\0';
    else
        snprintf(out, 16, "[%d:0]", bits - 1);
    return out;
}

static void print_port(lt_buf *b, const char *kind, int bits, const char *name)
{
    char r[16];
    lt_buf_printf(b, "%s%s %-6s %s", b->len ? ",\n" : "", kind, range(r, bits), name);
}

static void print_ports(lt_buf *b)
{
    char name[NAME_MAX_LEN];

    for (int i = 0; i < lt_n_regs; i++) {
        const lt_reg *r = &lt_regs[i];
        if (r->access == LT_W1C) {
            signal_name(name, r, NULL);
            strncat(name, "_set", sizeof name - strlen(name) - 1);
            print_port(b, "input  wire", used_bits(r), name);
        }
        if (r->source != LT_FROM_PORT && r->source != LT_TO_PORT) continue;
        const char *kind = r->source == LT_FROM_PORT ? "input  wire" : "output reg ";
        if (!has_fields(r)) {
            signal_name(name, r, NULL);
            print_port(b, kind, 32, name);
        }
        for (const lt_reg_field *f = r->fields; f->name; f++) {
            signal_name(name, r, f);
            print_port(b, kind, f->bits, name);
        }
    }
    lt_buf_puts(b, "\n");
}

static bool is_kept(const lt_reg *r)
{
    return r->source == LT_KEPT && r->access != LT_WO;
}

static void print_registers(lt_buf *b)
{
    char name[NAME_MAX_LEN], rg[16];
    for (int i = 0; i < lt_n_regs; i++) {
        if (!is_kept(&lt_regs[i])) continue;
        signal_name(name, &lt_regs[i], NULL);
        lt_buf_printf(b, "reg %s %s;\n", range(rg, used_bits(&lt_regs[i])), name);
    }
}

static void print_every_cycle(lt_buf *b)
{
    char name[NAME_MAX_LEN];
    for (int i = 0; i < lt_n_regs; i++) {
        const lt_reg *r = &lt_regs[i];
        if (r->access == LT_W1C) {
            signal_name(name, r, NULL);
            lt_buf_printf(b, "%s <= %s | %s_set;\n", name, name, name);
        }
        if (r->access != LT_WO || r->source != LT_TO_PORT) continue;
        for (const lt_reg_field *f = r->fields; f->name; f++) {
            signal_name(name, r, f);
            lt_buf_printf(b, "%s <= %d'd0;\n", name, f->bits);
        }
    }
}

/* "[3:0]" of a 32-bit word, nothing if it is all of it. */
static const char *slice(char out[16], int lsb, int bits)
{
    if (bits == 32)
        out[0] = '\0';
    else if (bits == 1)
        snprintf(out, 16, "[%d]", lsb);
    else
        snprintf(out, 16, "[%d:%d]", lsb + bits - 1, lsb);
    return out;
}

static void print_write(lt_buf *b, const lt_reg *r)
{
    char name[NAME_MAX_LEN], target[NAME_MAX_LEN], sl[16];
    int bits = used_bits(r);

    signal_name(name, r, NULL);
    slice(sl, 0, bits);
    lt_buf_printf(b, "10'h%03x: ", (unsigned)r->offset / 4);
    if (r->access == LT_W1C) {
        lt_buf_printf(b, "%s <= (%s & ~wones%s) | %s_set;\n", name, name, sl, name);
    } else if (r->access == LT_WO && r->sets) {
        snprintf(target, sizeof target, "csr_%s", r->sets);
        for (char *c = target; *c; c++) *c = (char)tolower((unsigned char)*c);
        lt_buf_printf(b, "%s <= %s | %s_set | wones%s;\n", target, target, target, sl);
    } else if (r->access == LT_WO) {
        lt_buf_puts(b, "begin\n");
        for (const lt_reg_field *f = r->fields; f->name; f++) {
            signal_name(name, r, f);
            lt_buf_printf(b, "    %s <= wones%s;\n", name, slice(sl, f->lsb, f->bits));
        }
        lt_buf_puts(b, "end\n");
    } else {
        lt_buf_printf(b, "%s <= (%s & ~wmask%s) | wones%s;\n", name, name, sl, sl);
    }
}

static void print_resets(lt_buf *b)
{
    char name[NAME_MAX_LEN];
    for (int i = 0; i < lt_n_regs; i++) {
        const lt_reg *r = &lt_regs[i];
        if (r->access == LT_WO && r->source == LT_TO_PORT) {
            for (const lt_reg_field *f = r->fields; f->name; f++) {
                signal_name(name, r, f);
                lt_buf_printf(b, "%s <= %d'd0;\n", name, f->bits);
            }
        } else if (r->source == LT_TO_PORT || is_kept(r)) {
            signal_name(name, r, NULL);
            lt_buf_printf(b, "%s <= %d'd%u;\n", name, used_bits(r), (unsigned)r->reset);
        }
    }
}

/* What a read returns: 32 bits, gaps filled with zeros. */
static void print_read_value(lt_buf *b, const lt_reg *r)
{
    char name[NAME_MAX_LEN];
    int bits = used_bits(r);

    signal_name(name, r, NULL);
    if (r->source == LT_FROM_RESET) {
        lt_buf_printf(b, "32'h%08x", (unsigned)r->reset);
    } else if (r->source == LT_FROM_FINGERPRINT) {
        lt_buf_puts(b, "FINGERPRINT");
    } else if (r->source == LT_FROM_PORT && has_fields(r)) {
        int n = 0;
        while (r->fields[n].name) n++;
        lt_buf_puts(b, "{");
        for (int at = 32; n-- > 0;) { /* from the top; the table lists fields upward */
            const lt_reg_field *f = &r->fields[n];
            int gap = at - (f->lsb + f->bits);
            if (gap) lt_buf_printf(b, "%d'd0, ", gap);
            signal_name(name, r, f);
            lt_buf_printf(b, "%s%s", name, n ? ", " : "");
            at = f->lsb;
        }
        lt_buf_puts(b, "}");
    } else if (bits < 32) {
        lt_buf_printf(b, "{%d'd0, %s}", 32 - bits, name);
    } else {
        lt_buf_puts(b, name);
    }
}

lt_code lt_emit_csr(const char *where, const char *text, lt_buf *out, lt_err *err)
{
    enum { PORTS, REGISTERS, EVERY_CYCLE, WRITE_CASES, RESETS, READ_CASES, N };
    static const char *const names[N] = {"PORTS", "REGISTERS", "EVERY_CYCLE", "WRITE_CASES", "RESETS", "READ_CASES"};
    lt_buf b[N] = {{0}};
    lt_subst subst[N];

    print_ports(&b[PORTS]);
    print_registers(&b[REGISTERS]);
    print_every_cycle(&b[EVERY_CYCLE]);
    print_resets(&b[RESETS]);
    for (int i = 0; i < lt_n_regs; i++) {
        const lt_reg *r = &lt_regs[i];
        if (r->access != LT_RO) print_write(&b[WRITE_CASES], r);
        if (r->access == LT_WO) continue;
        lt_buf_printf(&b[READ_CASES], "10'h%03x: s_axil_rdata <= ", (unsigned)r->offset / 4);
        print_read_value(&b[READ_CASES], r);
        lt_buf_puts(&b[READ_CASES], ";\n");
    }
    bool ok = true;
    for (int i = 0; i < N; i++) {
        ok = ok && lt_buf_ok(&b[i]);
        subst[i] = (lt_subst){names[i], b[i].data ? b[i].data : "", false};
    }
    lt_code code = ok ? lt_expand(where, text, subst, N, out, err) : lt_fail(err, LT_EMEM, "out of memory");
    for (int i = 0; i < N; i++) lt_buf_free(&b[i]);
    return code;
}
