#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/file.h"
#include "config/config_check.h"
#include "config/suggest.h"

enum { MAX_FILE = 1 << 16 };

typedef struct {
    yaml_document_t doc;
    lt_config *cfg;
    lt_config_pos pos;
    lt_errlist errs;
} loader;

static int line_of(const yaml_node_t *n)
{
    return (int)n->start_mark.line + 1;
}

static void begin(loader *l, const yaml_node_t *n, const char *key)
{
    lt_config_begin_error(&l->errs, &l->pos, line_of(n), key);
}

static void end(loader *l)
{
    lt_errlist_end_line(&l->errs);
}

/* Text as it may appear in a message: short, printable, one line. */
static void print_quoted(lt_buf *b, const char *s, size_t len)
{
    enum { LONGEST = 40 };
    lt_buf_puts(b, "'");
    for (size_t i = 0; i < len && i < LONGEST; i++) lt_buf_printf(b, "%c", isprint((unsigned char)s[i]) ? s[i] : '?');
    lt_buf_puts(b, len > LONGEST ? "...'" : "'");
}

static void print_got(lt_buf *b, const yaml_node_t *n)
{
    if (n->type == YAML_MAPPING_NODE)
        lt_buf_puts(b, "a mapping");
    else if (n->type == YAML_SEQUENCE_NODE)
        lt_buf_puts(b, "a list");
    else if (n->data.scalar.length == 0)
        lt_buf_puts(b, "nothing");
    else {
        if (n->data.scalar.style != YAML_PLAIN_SCALAR_STYLE) lt_buf_puts(b, "text ");
        print_quoted(b, (const char *)n->data.scalar.value, n->data.scalar.length);
    }
}

/* Decimal or 0x; quoted text is not a number. */
static bool read_int(const yaml_node_t *n, int *v)
{
    const char *s = (const char *)n->data.scalar.value;
    char *after;

    if (n->type != YAML_SCALAR_NODE || n->data.scalar.style != YAML_PLAIN_SCALAR_STYLE) return false;
    if (!isdigit((unsigned char)s[s[0] == '-' || s[0] == '+'])) return false;
    errno = 0;
    long num = strtol(s, &after, s[0] == '0' && (s[1] | 32) == 'x' ? 16 : 10);
    *v = (int)num;
    return *after == '\0' && errno == 0 && num == *v && strlen(s) == n->data.scalar.length;
}

static bool read_word(const yaml_node_t *n, const char *const *words, int *v)
{
    if (n->type != YAML_SCALAR_NODE) return false;
    for (*v = 0; words[*v]; (*v)++)
        if (strcmp(words[*v], (const char *)n->data.scalar.value) == 0) return true;
    return false;
}

static bool read_value(const lt_key *k, const yaml_node_t *n, int *v)
{
    return k->type == LT_KEY_ENUM ? read_word(n, k->words, v) : read_int(n, v);
}

static void wrong_type(loader *l, const lt_key *k, const yaml_node_t *n)
{
    begin(l, n, k->name);
    lt_buf_puts(&l->errs.text, "got ");
    print_got(&l->errs.text, n);
    lt_buf_puts(&l->errs.text, ", expected ");
    if (k->type != LT_KEY_ENUM) lt_buf_puts(&l->errs.text, "an integer: ");
    lt_key_print_legal(&l->errs.text, k);
    if (k->type == LT_KEY_ENUM && n->type == YAML_SCALAR_NODE) {
        const char *near =
            lt_suggest((const char *)n->data.scalar.value, k->words, (size_t)k->max + 1, sizeof *k->words);
        if (near) lt_buf_printf(&l->errs.text, "; did you mean %s", near);
    }
    end(l);
}

static void unknown_key(loader *l, const yaml_node_t *key)
{
    const char *near = NULL;

    lt_config_begin_error(&l->errs, &l->pos, line_of(key), "key");
    lt_buf_puts(&l->errs.text, "got ");
    print_got(&l->errs.text, key);
    lt_buf_puts(&l->errs.text, ", expected a key of docs/configuration.md");
    if (key->type == YAML_SCALAR_NODE)
        near = lt_suggest((const char *)key->data.scalar.value, &lt_keys[0].name, (size_t)lt_n_keys, sizeof lt_keys[0]);
    if (near) lt_buf_printf(&l->errs.text, "; did you mean %s", near);
    end(l);
}

static int key_index(const yaml_node_t *key)
{
    if (key->type != YAML_SCALAR_NODE || strlen((const char *)key->data.scalar.value) != key->data.scalar.length)
        return -1;
    return lt_key_find((const char *)key->data.scalar.value);
}

/* The core decides defaults and which keys belong, so it is looked up before the rest. */
static void find_core(loader *l, const yaml_node_t *root)
{
    int core = -1;
    for (yaml_node_pair_t *p = root->data.mapping.pairs.start; p < root->data.mapping.pairs.top && core < 0; p++) {
        const yaml_node_t *key = yaml_document_get_node(&l->doc, p->key);
        if (key_index(key) == 0 && !read_word(yaml_document_get_node(&l->doc, p->value), lt_core_names, &core))
            core = -1;
    }
    lt_config_defaults(core < 0 ? CORE_WS : core, l->cfg);
    l->pos.bad[0] = core < 0;
}

/* Names the cores that have a key. */
static void print_owners(lt_buf *b, const lt_key *k)
{
    const char *sep = "";
    for (int core = 0; core < LT_N_CORES; core++) {
        if (!lt_key_applies(k, core)) continue;
        lt_buf_printf(b, "%s%s", sep, lt_core_names[core]);
        sep = " and ";
    }
}

static void load_pair(loader *l, const yaml_node_t *key, const yaml_node_t *value)
{
    int i = key_index(key), v = 0;

    if (i < 0) {
        unknown_key(l, key);
        return;
    }
    const lt_key *k = &lt_keys[i];
    if (l->pos.line[i]) {
        begin(l, key, k->name);
        lt_buf_printf(&l->errs.text, "got it twice, expected it once: it was given on line %d", l->pos.line[i]);
        end(l);
        return;
    }
    l->pos.line[i] = line_of(key);
    if (!read_value(k, value, &v)) {
        wrong_type(l, k, value);
        l->pos.bad[i] = true;
    } else if (!l->pos.bad[0] && !lt_key_applies(k, l->cfg->core)) {
        begin(l, key, k->name);
        lt_buf_printf(&l->errs.text, "got a key of core ");
        print_owners(&l->errs.text, k);
        lt_buf_printf(&l->errs.text, ", expected only keys of core %s", lt_core_names[l->cfg->core]);
        end(l);
        l->pos.bad[i] = true;
    } else {
        lt_key_set(k, l->cfg, v);
    }
}

static void load_mapping(loader *l, const yaml_node_t *root)
{
    find_core(l, root);
    for (yaml_node_pair_t *p = root->data.mapping.pairs.start; p < root->data.mapping.pairs.top; p++)
        load_pair(l, yaml_document_get_node(&l->doc, p->key), yaml_document_get_node(&l->doc, p->value));
    for (int i = 0; i < lt_n_keys; i++) {
        if (!lt_keys[i].required || l->pos.line[i]) continue;
        lt_config_begin_error(&l->errs, &l->pos, line_of(root), lt_keys[i].name);
        lt_buf_puts(&l->errs.text, "got nothing, expected ");
        lt_key_print_legal(&l->errs.text, &lt_keys[i]);
        lt_buf_puts(&l->errs.text, ": this key is required");
        end(l);
        l->pos.bad[i] = true;
    }
    lt_config_check_all(l->cfg, &l->pos, &l->errs);
}

/* File name without folder and ending: it becomes a folder and part of file names, so it is kept plain. */
static lt_code take_name(const char *path, lt_config *cfg, lt_err *err)
{
    const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
    const char *dot = strrchr(base, '.');
    size_t len = dot && (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0) ? (size_t)(dot - base) : strlen(base);
    bool plain = len > 0 && len < sizeof cfg->name && isalpha((unsigned char)base[0]);

    for (size_t i = 0; i < len; i++) plain = plain && (isalnum((unsigned char)base[i]) || base[i] == '_');
    if (!plain)
        return lt_fail(err, LT_EINPUT,
                       "%s: file name: got '%.*s', expected a letter, then letters, digits or _, at most %zu in all",
                       path, (int)(len < 64 ? len : 64), base, sizeof cfg->name - 1);
    memcpy(cfg->name, base, len);
    cfg->name[len] = '\0';
    return LT_OK;
}

/* Line of a syntax error. The reader (bad UTF-8) gives only a byte offset. */
static int problem_line(const yaml_parser_t *p, const char *text, size_t len)
{
    if (p->error != YAML_READER_ERROR) return (int)p->problem_mark.line + 1;
    int line = 1;
    for (size_t i = 0; i < p->problem_offset && i < len; i++) line += text[i] == '\n';
    return line;
}

lt_code lt_config_parse(const char *path, const char *text, size_t len, lt_config *cfg, lt_err *err)
{
    loader l = {.cfg = cfg, .pos = {.where = path}};
    yaml_parser_t parser;
    lt_code code;

    memset(cfg, 0, sizeof *cfg);
    if (!yaml_parser_initialize(&parser)) return lt_fail(err, LT_EMEM, "%s: out of memory", path);
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
    if (!yaml_parser_load(&parser, &l.doc)) {
        code = parser.error == YAML_MEMORY_ERROR
                   ? lt_fail(err, LT_EMEM, "%s: out of memory", path)
                   : lt_fail(err, LT_EINPUT,
                             "%s:%d: syntax: got text that is not YAML (%s), expected lines of `key: value`", path,
                             problem_line(&parser, text, len), parser.problem ? parser.problem : "an unknown error");
        yaml_parser_delete(&parser);
        return code;
    }
    const yaml_node_t *root = yaml_document_get_root_node(&l.doc);
    if (!root) {
        code = lt_fail(err, LT_EINPUT, "%s:1: file: got nothing, expected lines of `key: value`", path);
    } else if (root->type != YAML_MAPPING_NODE) {
        code = lt_fail(err, LT_EINPUT, "%s:%d: file: got a %s, expected lines of `key: value`", path, line_of(root),
                       root->type == YAML_SEQUENCE_NODE ? "list" : "single value");
    } else {
        load_mapping(&l, root);
        yaml_document_t more;
        if (yaml_parser_load(&parser, &more)) {
            const yaml_node_t *second = yaml_document_get_root_node(&more);
            if (second) {
                begin(&l, second, "file");
                lt_buf_puts(&l.errs.text, "got a second document, expected one");
                end(&l);
            }
            yaml_document_delete(&more);
        } else {
            lt_config_begin_error(&l.errs, &l.pos, problem_line(&parser, text, len), "syntax");
            lt_buf_printf(&l.errs.text, "got text that is not YAML (%s), expected lines of `key: value`",
                          parser.problem ? parser.problem : "an unknown error");
            end(&l);
        }
        code = lt_errlist_finish(&l.errs, err);
    }
    yaml_document_delete(&l.doc);
    yaml_parser_delete(&parser);
    return code;
}

lt_code lt_config_load(const char *path, lt_config *cfg, lt_err *err)
{
    char *text;
    size_t len;

    LT_TRY(lt_read_file(path, MAX_FILE, &text, &len, err));
    lt_code code = lt_config_parse(path, text, len, cfg, err);
    free(text);
    if (code == LT_OK) code = take_name(path, cfg, err);
    return code;
}
