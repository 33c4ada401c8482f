/* Evaluates the Verilog that gen/emit/csa_tree.h emits, 64 input vectors at a time: bit i of every signal's word
 * belongs to vector i. Registers are taken as wires, so one pass gives the result that the pipeline gives later. */
#ifndef LUTRA_TESTS_CSA_EVAL_H
#define LUTRA_TESTS_CSA_EVAL_H

#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CSA_TABLE = 1 << 16, CSA_NAME = 24, CSA_STACK = 32 };

typedef enum { PUSH, ZERO, ONE, NOT, AND, OR, XOR, STORE } op_kind;

typedef struct {
    op_kind kind;
    int signal;
} op;

typedef struct {
    char name[CSA_NAME];
    uint64_t value;
    bool driven;
} signal_slot;

typedef struct {
    signal_slot *slot; /* hash table, open addressing */
    op *ops;
    size_t n, cap;
    const char *const *inputs;
    const char *p; /* the parser's place */
    bool bad;
} csa_circuit;

static inline int find(csa_circuit *c, const char *name)
{
    unsigned h = 2166136261u;
    for (const char *s = name; *s; s++) h = (h ^ (unsigned char)*s) * 16777619u;
    for (h %= CSA_TABLE;; h = (h + 1) % CSA_TABLE) {
        if (c->slot[h].name[0] == '\0') snprintf(c->slot[h].name, CSA_NAME, "%s", name);
        if (strcmp(c->slot[h].name, name) == 0) return (int)h;
    }
}

static inline void emit(csa_circuit *c, op_kind kind, int signal)
{
    if (c->n == c->cap) {
        c->cap = c->cap ? 2 * c->cap : 1024;
        c->ops = realloc(c->ops, c->cap * sizeof *c->ops);
        if (!c->ops) abort();
    }
    c->ops[c->n++] = (op){kind, signal};
}

static inline bool is_input(const csa_circuit *c, const char *name)
{
    size_t len = strcspn(name, "[");
    for (const char *const *i = c->inputs; *i; i++)
        if (strlen(*i) == len && strncmp(*i, name, len) == 0) return true;
    return false;
}

static inline void skip_space(csa_circuit *c)
{
    while (*c->p == ' ') c->p++;
}

static inline bool eat(csa_circuit *c, const char *token)
{
    skip_space(c);
    if (strncmp(c->p, token, strlen(token)) != 0) return false;
    c->p += strlen(token);
    return true;
}

/* name or name[index] */
static inline int parse_signal(csa_circuit *c)
{
    char name[CSA_NAME];
    size_t n = 0;

    skip_space(c);
    while ((isalnum((unsigned char)*c->p) || strchr("_[]", *c->p)) && *c->p && n + 1 < CSA_NAME) name[n++] = *c->p++;
    name[n] = '\0';
    if (n == 0) c->bad = true;
    return find(c, name);
}

static inline void parse_or(csa_circuit *c);

static inline void parse_unary(csa_circuit *c)
{
    if (eat(c, "~")) {
        parse_unary(c);
        emit(c, NOT, 0);
    } else if (eat(c, "(")) {
        parse_or(c);
        if (!eat(c, ")")) c->bad = true;
    } else if (eat(c, "1'b0")) {
        emit(c, ZERO, 0);
    } else if (eat(c, "1'b1")) {
        emit(c, ONE, 0);
    } else {
        int s = parse_signal(c);
        if (!c->slot[s].driven && !is_input(c, c->slot[s].name)) c->bad = true;
        emit(c, PUSH, s);
    }
}

/* Verilog's precedence: & before ^ before |. */
static inline void parse_and(csa_circuit *c)
{
    for (parse_unary(c); eat(c, "&"); emit(c, AND, 0)) parse_unary(c);
}

static inline void parse_xor(csa_circuit *c)
{
    for (parse_and(c); eat(c, "^"); emit(c, XOR, 0)) parse_and(c);
}

static inline void parse_or(csa_circuit *c)
{
    for (parse_xor(c); eat(c, "|"); emit(c, OR, 0)) parse_xor(c);
}

static inline void store(csa_circuit *c, int signal)
{
    if (c->slot[signal].driven) c->bad = true; /* two drivers */
    c->slot[signal].driven = true;
    emit(c, STORE, signal);
}

/* An instance: its inputs and outputs by name, in the order in which the emitter writes them; `expr` says what each
 * output is, in terms of $0, $1, ... */
static inline void parse_cell(csa_circuit *c, int n_in, int n_out, const char *const *expr)
{
    char args[8][64];
    const char *end = c->p;

    for (int i = 0; i < n_in + n_out; i++) {
        const char *open = strchr(strchr(end, '.') ? strchr(end, '.') : end, '(');
        const char *close = open ? strchr(open, ')') : NULL;
        if (!close || close - open > 60) {
            c->bad = true;
            return;
        }
        snprintf(args[i], sizeof args[i], "%.*s", (int)(close - open - 1), open + 1);
        end = close + 1;
    }
    for (int o = 0; o < n_out; o++) {
        char text[512];
        size_t n = 0;
        for (const char *e = expr[o]; *e; e++) {
            if (*e == '$')
                n += (size_t)snprintf(text + n, sizeof text - n, "(%s)", args[*++e - '0']);
            else
                text[n++] = *e;
        }
        text[n] = '\0';
        c->p = text;
        parse_or(c);
        if (*c->p) c->bad = true;
        c->p = args[n_in + o];
        store(c, parse_signal(c));
    }
    c->p = end + strcspn(end, "\n");
}

/* Whole vectors pass through registers under the same index. */
static inline void parse_vector_copy(csa_circuit *c, const char *to, const char *from)
{
    for (int i = 0;; i++) {
        char name[CSA_NAME];
        snprintf(name, sizeof name, "%s[%d]", from, i);
        int f = find(c, name);
        if (!c->slot[f].driven) break;
        emit(c, PUSH, f);
        snprintf(name, sizeof name, "%s[%d]", to, i);
        store(c, find(c, name));
    }
    c->p += strcspn(c->p, "\n");
}

static inline bool starts(const csa_circuit *c, const char *s)
{
    return strncmp(c->p, s, strlen(s)) == 0;
}

static inline void parse_line(csa_circuit *c)
{
    static const char *const fa[] = {"$0 ^ $1 ^ $2", "$0 & $1 | $2 & ($0 | $1)"}, *const ha[] = {"$0 ^ $1", "$0 & $1"},
                             *const sel[] = {"~($0 & ~$3 | $1 & $3 | $2 & $4)"};
    static const char *const ignored[] = {"//",
                                          "`",
                                          "module ",
                                          "parameter ",
                                          "input ",
                                          "output ",
                                          ")",
                                          "generate",
                                          "if (",
                                          "endg",
                                          "endm",
                                          "end",
                                          "reg ",
                                          "wire [",
                                          "always @(posedge clk) begin",
                                          "lutra_dot_was",
                                          "lutra_recode_was",
                                          "\n"};

    skip_space(c);
    if (starts(c, "always @(posedge clk) sum <= next;")) {
        parse_vector_copy(c, "sum", "next");
    } else if (starts(c, "code <= digit;")) {
        parse_vector_copy(c, "code", "digit");
    } else if (starts(c, "corr <= next;")) {
        parse_vector_copy(c, "corr", "next");
    } else if (eat(c, "lutra_fa ")) {
        parse_cell(c, 3, 2, fa);
    } else if (eat(c, "lutra_ha ")) {
        parse_cell(c, 2, 2, ha);
    } else if (eat(c, "lutra_sel ")) {
        parse_cell(c, 5, 1, sel);
    } else {
        for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++) {
            if (!starts(c, ignored[i])) continue;
            c->p += strcspn(c->p, "\n");
            return;
        }
        bool wire = eat(c, "wire ");
        if (!wire) eat(c, "assign ");
        int target = parse_signal(c);
        if (wire && eat(c, ";")) return;
        if (!eat(c, "=") && !eat(c, "<=")) c->bad = true;
        parse_or(c);
        if (!eat(c, ";")) c->bad = true;
        store(c, target);
    }
}

static inline void csa_circuit_free(csa_circuit *c)
{
    if (!c) return;
    free(c->slot);
    free(c->ops);
    free(c);
}

/* Reads one module. Returns NULL, after
 * printing the line, if it holds a construct that the emitter should not have made, or a signal is used before it is
 * driven. The vectors in `inputs` (names, ended by NULL) count as driven. */
static inline csa_circuit *csa_circuit_read(const char *text, const char *const *inputs)
{
    csa_circuit *c = calloc(1, sizeof *c);

    if (!c || !(c->slot = calloc(CSA_TABLE, sizeof *c->slot))) abort();
    c->inputs = inputs;
    c->p = text;
    while (*c->p) {
        const char *line = c->p;
        parse_line(c);
        if (c->bad || *c->p != '\n') {
            printf("not understood: %.*s\n", (int)strcspn(line, "\n"), line);
            csa_circuit_free(c);
            return NULL;
        }
        c->p++;
    }
    return c;
}

/* The word of one bit of a vector, to set before and read after csa_circuit_run(); NULL if the circuit does not have
 * it. */
static inline uint64_t *csa_circuit_bit(csa_circuit *c, const char *name, int index)
{
    char full[CSA_NAME];
    snprintf(full, sizeof full, "%s[%d]", name, index);
    signal_slot *s = &c->slot[find(c, full)];
    return s->driven || is_input(c, name) ? &s->value : NULL;
}

static inline void csa_circuit_run(csa_circuit *c)
{
    uint64_t stack[CSA_STACK];
    int top = 0;

    for (size_t i = 0; i < c->n; i++) {
        op o = c->ops[i];
        switch (o.kind) {
        case PUSH:
            stack[top++] = c->slot[o.signal].value;
            break;
        case ZERO:
            stack[top++] = 0;
            break;
        case ONE:
            stack[top++] = ~UINT64_C(0);
            break;
        case NOT:
            stack[top - 1] = ~stack[top - 1];
            break;
        case AND:
            top--;
            stack[top - 1] &= stack[top];
            break;
        case OR:
            top--;
            stack[top - 1] |= stack[top];
            break;
        case XOR:
            top--;
            stack[top - 1] ^= stack[top];
            break;
        case STORE:
            c->slot[o.signal].value = stack[--top];
            break;
        }
    }
}

#endif
