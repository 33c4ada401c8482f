#include "study_files.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/file.h"
#include "golden/mirror.h"
#include "model/qnet_file.h"

enum { MAX_FILE = 1 << 29, SEED_DIGITS = 9 };

/* ---- the setting ---- */

/* What all lookup layers have in common -> row. */
static lt_code read_setting(const char *path, const qnet *n, study_row *row, lt_err *err)
{
    const qlayer *first = NULL;
    bool mirrored = true;

    row->mixed = false;

    for (int i = 0; i < n->n_layers; i++) {
        const qlayer *l = &n->layers[i];
        if (l->encoder < 0) continue;
        const qencoder *e = &n->encoders[l->encoder];
        study_row of = {.mode = (int)e->mode,
                        .encoder = (int)e->encoder,
                        .prototypes = e->prototypes,
                        .length = e->length,
                        .lut_bits = l->lut_bits,
                        .enc_bits = e->enc_bits};
        char got[STUDY_SETTING], want[STUDY_SETTING];
        mirrored = mirrored && e->encoder == QENC_TREE && qlayer_unmirrored(l, e) < 0;
        if (!first) {
            first = l;
            row->mode = of.mode;
            row->encoder = of.encoder;
            row->prototypes = of.prototypes;
            row->length = of.length;
            row->lut_bits = of.lut_bits;
            row->enc_bits = of.enc_bits;
        }
        if (mirrored && of.prototypes != row->prototypes) { /* an accelerator of pq_mirror runs them */
            row->mixed = true;
            if (of.prototypes > row->prototypes) row->prototypes = of.prototypes;
            of.prototypes = row->prototypes;
        }
        study_setting(&of, got);
        study_setting(row, want);
        if (strcmp(got, want) != 0)
            return lt_fail(err, LT_EINPUT, "%s: layer %s: got %s, expected %s as layer %s has", path, l->name, got,
                           want, first->name);
    }
    if (!first)
        return lt_fail(err, LT_EINPUT, "%s: got no lookup layer, expected a network of product quantisation", path);
    if (row->mixed && !mirrored)
        return lt_fail(err, LT_EINPUT,
                       "%s: layers differ in prototypes, expected the same ones or antisymmetric tables in all", path);
    if (mirrored) row->encoder = STUDY_MIRRORED;
    return LT_OK;
}

/* ---- name and seed ---- */

/* NAME.lqn or NAME.sN.lqn: NAME, and N as the seed. */
static lt_code read_name(const char *path, study_row *row, lt_err *err)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    size_t len = strlen(name);

    if (len > 4 && strcmp(name + len - 4, ".lqn") == 0) len -= 4;
    if (len == 0 || len >= sizeof row->fit || strcmp(name, "-") == 0 || memchr(name, '\n', len))
        return lt_fail(err, LT_EINPUT, "lutra study: --networks: got '%s', expected files with names of 1..%zu letters",
                       path, sizeof row->fit - 1);
    memcpy(row->fit, name, len);
    row->fit[len] = '\0';
    char *dot = strrchr(row->fit, '.');
    if (!dot || dot == row->fit || dot[1] != 's') return LT_OK;
    size_t digits = strspn(dot + 2, "0123456789");
    if (digits == 0 || digits > SEED_DIGITS || dot[2 + digits]) return LT_OK;
    row->seed = (uint32_t)strtoul(dot + 2, NULL, 10);
    *dot = '\0';
    return LT_OK;
}

/* ---- rows ---- */

/* What the measured numbers depend on. */
static uint32_t checksum(const cli *c, const char *data, size_t len)
{
    static const char *const options[] = {"preproc", "seed"}; /* of the float network, of procedural images */
    uint32_t crc = (uint32_t)crc32_z(0, (const unsigned char *)data, len);

    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        const char *text = cli_text(c, options[i]);
        crc = (uint32_t)crc32_z(crc, (const unsigned char *)text, strlen(text));
    }
    return crc;
}

static lt_code plan_file(const cli *c, const char *path, const study_row *like, study_table *rows, lt_err *err)
{
    study_row row = *like;
    char *data;
    size_t len;
    qnet net;

    row.calib_images = row.train_images = 0;
    row.file = path;
    strcpy(row.method, STUDY_FILE);
    LT_TRY(read_name(path, &row, err));
    LT_TRY(lt_read_file(path, MAX_FILE, &data, &len, err));
    row.rest = checksum(c, data, len);
    lt_code rc = lt_qnet_unpack(data, len, path, &net, err);
    free(data);
    if (rc != LT_OK) return rc;
    rc = read_setting(path, &net, &row, err);
    qnet_free(&net);
    if (rc != LT_OK) return rc;
    const study_row *other = study_find_file(rows, &row);
    if (!other) return study_add(rows, &row, err);
    return lt_fail(err, LT_EINPUT, "%s: got name %s and seed %u, expected another than %s has", path, row.fit, row.seed,
                   other->file);
}

lt_code study_files_plan(const cli *c, char *list, const study_row *like, study_table *rows, lt_err *err)
{
    for (char *at = list, *comma; at; at = comma ? comma + 1 : NULL) {
        comma = strchr(at, ',');
        if (comma) *comma = '\0';
        LT_TRY(plan_file(c, at, like, rows, err));
    }
    return LT_OK;
}

/* ---- the network ---- */

lt_code study_file_load(const study_row *row, const qnet *dense, qnet *net, lt_err *err)
{
    lt_code rc = LT_OK;

    LT_TRY(lt_qnet_load(row->file, net, err));
    const qtensor *a = &net->tensors[0], *b = &dense->tensors[0];
    if (net->n_layers != dense->n_layers || net->n_tensors != dense->n_tensors)
        rc = lt_fail(err, LT_EINPUT, "%s: got %d layers, expected the %d of MODEL", row->file, net->n_layers,
                     dense->n_layers);
    else if (a->c != b->c || a->h != b->h || a->w != b->w)
        rc = lt_fail(err, LT_EINPUT, "%s: got images of %dx%dx%d, expected MODEL's %dx%dx%d", row->file, a->c, a->h,
                     a->w, b->c, b->h, b->w);
    int other = rc == LT_OK ? qnet_differs(net, dense) : -1;
    if (other >= 0)
        rc = lt_fail(err, LT_EINPUT, "%s: layer %s: is another than that of MODEL prepared for --config", row->file,
                     net->layers[other].name);
    if (rc != LT_OK) qnet_free(net);
    return rc;
}
