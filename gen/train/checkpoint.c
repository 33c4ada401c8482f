/* Checkpoint file, little-endian: "LTCK", version, settings (text), where training stands, log rows, then every
 * parameter with the optimiser's state; CRC-32 of all before it at the end. */
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/buf.h"
#include "base/file.h"
#include "train/trainer.h"

/* Version 1 had no `prepared`: whatever the method does before the first step was done. Version 2 had no precision
 * among its settings, it was f32. */
enum { VERSION = 3, HEADER = 8, MAX_SETTINGS = 1 << 16 };
static const size_t MAX_FILE = (size_t)1 << 32;

static void put_double(lt_buf *b, double v)
{
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    lt_buf_le64(b, bits);
}

static void put_floats(lt_buf *b, const float *v, size_t n)
{
    lt_buf_u8(b, v != NULL);
    if (v) lt_buf_add(b, v, n * sizeof *v);
}

/* What a loss that runs away leaves is not worth keeping, and the checkpoint before it is. */
static lt_code all_finite(const lt_trainer *t, lt_err *err)
{
    for (int i = 0; i < t->n_params; i++) {
        const lt_param *p = t->params[i];
        for (size_t k = 0; k < p->n; k++)
            if (!isfinite(p->value[k]))
                return lt_fail(err, LT_EINPUT, "%s is not finite after step %ld: try a lower learning rate", p->name,
                               t->optim.steps);
    }
    return LT_OK;
}

lt_code lt_trainer_save(const lt_trainer *t, const char *path, lt_err *err)
{
    lt_buf b = {0};
    char *settings;

    LT_TRY(all_finite(t, err));
    LT_TRY(lt_trainer_settings(t, &settings, err));
    lt_buf_add(&b, "LTCK", 4);
    lt_buf_le32(&b, VERSION);
    lt_buf_le32(&b, (uint32_t)strlen(settings));
    lt_buf_puts(&b, settings);
    free(settings);
    lt_buf_le32(&b, (uint32_t)t->prepared);
    lt_buf_le32(&b, (uint32_t)t->epoch);
    lt_buf_le32(&b, (uint32_t)t->step);
    lt_buf_le64(&b, (uint64_t)t->optim.steps);
    put_double(&b, t->loss_sum);
    put_double(&b, t->seconds);
    lt_buf_le64(&b, (uint64_t)t->right);
    lt_buf_le64(&b, (uint64_t)t->seen);
    lt_buf_le32(&b, (uint32_t)t->n_rows);
    for (int i = 0; i < t->n_rows; i++) {
        const lt_train_row *r = &t->rows[i];
        lt_buf_le32(&b, (uint32_t)r->epoch);
        put_double(&b, r->lr);
        put_double(&b, r->loss);
        put_double(&b, r->train_acc);
        put_double(&b, r->test_acc);
        put_double(&b, r->seconds);
    }
    for (int i = 0; i < t->n_params; i++) {
        const lt_param *p = t->params[i];
        lt_buf_le32(&b, (uint32_t)strlen(p->name));
        lt_buf_puts(&b, p->name);
        lt_buf_le64(&b, p->n);
        put_floats(&b, p->value, p->n);
        put_floats(&b, t->optim.m[i], p->n);
        put_floats(&b, t->optim.v[i], p->n);
    }
    if (lt_buf_ok(&b)) lt_buf_le32(&b, (uint32_t)crc32_z(0, (const unsigned char *)b.data, b.len));
    lt_code rc =
        lt_buf_ok(&b) ? lt_write_file(path, b.data, b.len, err) : lt_fail(err, LT_EMEM, "%s: out of memory", path);
    lt_buf_free(&b);
    return rc;
}

typedef struct {
    const unsigned char *p;
    size_t left;
    bool failed;
} reader;

static const unsigned char *bytes(reader *r, size_t n)
{
    if (r->failed || n > r->left) {
        r->failed = true;
        return NULL;
    }
    const unsigned char *p = r->p;
    r->p += n;
    r->left -= n;
    return p;
}

static uint64_t number(reader *r, int size)
{
    const unsigned char *p = bytes(r, (size_t)size);
    uint64_t v = 0;
    for (int i = 0; p && i < size; i++) v |= (uint64_t)p[i] << (8 * i);
    return v;
}

static double real(reader *r)
{
    uint64_t bits = number(r, 8);
    double v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

/* n floats to `to`, which is NULL on a first reading that only checks; they must be there just if `there`. */
static void get_floats(reader *r, float *to, bool there, size_t n)
{
    if ((number(r, 1) != 0) != there) r->failed = true;
    if (!there || r->failed) return;
    const unsigned char *p = bytes(r, n * sizeof *to);
    if (p && to) memcpy(to, p, n * sizeof *to);
}

/* Names the first line in which the settings of the file and ours differ. */
static lt_code compare(const char *path, const char *there, size_t len, const char *here, lt_err *err)
{
    lt_code rc = LT_OK;
    const char *a = there, *end = there + len, *b = here;

    while (rc == LT_OK && (a < end || *b)) {
        size_t la = 0, lb = strcspn(b, "\n");
        while (a + la < end && a[la] != '\n') la++;
        if (la != lb || memcmp(a, b, la) != 0)
            rc = lt_fail(err, LT_EINPUT, "%s: is of another run: it has '%.*s', this one '%.*s'", path, (int)la, a,
                         (int)lb, b);
        a += la + (a + la < end);
        b += lb + (b[lb] != '\0');
    }
    return rc;
}

static lt_code check_settings(const lt_trainer *t, const char *path, uint32_t version, const char *there, size_t len,
                              lt_err *err)
{
    char *here;
    lt_buf b = {0};

    LT_TRY(lt_trainer_settings(t, &here, err));
    lt_buf_add(&b, there, len);
    if (version < 3) lt_buf_puts(&b, "precision f32\n");
    lt_code rc = lt_buf_ok(&b) ? compare(path, b.data, b.len, here, err) : lt_fail(err, LT_EMEM, "out of memory");
    lt_buf_free(&b);
    free(here);
    return rc;
}

/* Reads what follows the settings; with keep false only checks. */
static bool body(lt_trainer *t, reader r, uint32_t version, bool keep)
{
    lt_trainer s = *t; /* scalars are read into a copy */

    s.prepared = version < 2 ? INT_MAX : (int)number(&r, 4);
    s.epoch = (int)number(&r, 4);
    s.step = (int)number(&r, 4);
    s.optim.steps = (long)number(&r, 8);
    s.loss_sum = real(&r);
    s.seconds = real(&r);
    s.right = (long)number(&r, 8);
    s.seen = (long)number(&r, 8);
    s.n_rows = (int)number(&r, 4);
    if (r.failed || s.prepared < 0 || s.epoch < 0 || s.epoch > t->o.epochs || s.step < 0 ||
        s.step >= t->steps_per_epoch || (s.epoch == t->o.epochs && s.step) || s.n_rows != s.epoch ||
        s.optim.steps != (long)s.epoch * t->steps_per_epoch + s.step)
        return false;
    for (int i = 0; i < s.n_rows; i++) {
        lt_train_row row = {.epoch = (int)number(&r, 4)};
        row.lr = real(&r);
        row.loss = real(&r);
        row.train_acc = real(&r);
        row.test_acc = real(&r);
        row.seconds = real(&r);
        if (keep) t->rows[i] = row;
    }
    for (int i = 0; i < t->n_params && !r.failed; i++) {
        lt_param *p = t->params[i];
        size_t len = (size_t)number(&r, 4);
        const unsigned char *name = bytes(&r, len);
        if (!name || len != strlen(p->name) || memcmp(name, p->name, len) != 0 || number(&r, 8) != p->n) return false;
        get_floats(&r, keep ? p->value : NULL, true, p->n);
        get_floats(&r, keep ? t->optim.m[i] : NULL, t->optim.m[i] != NULL, p->n);
        get_floats(&r, keep ? t->optim.v[i] : NULL, t->optim.v[i] != NULL, p->n);
    }
    if (r.failed || r.left) return false;
    if (keep) *t = s;
    return true;
}

static lt_code parse(lt_trainer *t, const char *path, const char *data, size_t len, lt_err *err)
{
    if (len < HEADER + 4 || memcmp(data, "LTCK", 4) != 0)
        return lt_fail(err, LT_EINPUT, "%s: not a checkpoint of lutra train", path);
    reader end = {(const unsigned char *)data + len - 4, 4, false},
           r = {(const unsigned char *)data + 4, len - 8, false};
    uint32_t version = (uint32_t)number(&r, 4);
    if (version < 1 || version > VERSION)
        return lt_fail(err, LT_EINPUT, "%s: checkpoint of version %u, expected 1..%d", path, version, VERSION);
    if (crc32_z(0, (const unsigned char *)data, len - 4) != number(&end, 4))
        return lt_fail(err, LT_EINPUT, "%s: damaged or truncated checkpoint (checksum)", path);
    size_t n = (size_t)number(&r, 4);
    const char *settings = n <= MAX_SETTINGS ? (const char *)bytes(&r, n) : NULL;
    if (!settings) return lt_fail(err, LT_EINPUT, "%s: damaged checkpoint (settings)", path);
    LT_TRY(check_settings(t, path, version, settings, n, err));
    if (!body(t, r, version, false)) return lt_fail(err, LT_EINPUT, "%s: does not fit this network", path);
    body(t, r, version, true);
    lt_shuffle(t->order, t->train.n, t->o.seed, t->epoch);
    return LT_OK;
}

lt_code lt_trainer_load(lt_trainer *t, const char *path, lt_err *err)
{
    char *data;
    size_t len;

    LT_TRY(lt_read_file(path, MAX_FILE, &data, &len, err));
    lt_code rc = parse(t, path, data, len, err);
    free(data);
    return rc;
}

lt_code lt_trainer_log(const lt_trainer *t, const char *path, lt_err *err)
{
    size_t n = strlen(path);
    bool json = n >= 5 && strcmp(path + n - 5, ".json") == 0;
    lt_buf b = {0};

    lt_buf_puts(&b, json ? "[\n" : "epoch,lr,loss,train_accuracy,test_accuracy,seconds,images_per_second\n");
    for (int i = 0; i < t->n_rows; i++) {
        const lt_train_row *r = &t->rows[i];
        const char *none = json ? "null" : "n/a";
        char test[32];
        double rate = r->seconds > 0 ? t->train.n / r->seconds : 0;
        snprintf(test, sizeof test, "%.2f", r->test_acc);
        lt_buf_printf(&b,
                      json ? "  {\"epoch\": %d, \"lr\": %.6g, \"loss\": %.6f, \"train_accuracy\": %.2f, "
                             "\"test_accuracy\": %s, \"seconds\": %.2f, \"images_per_second\": %.0f}%s\n"
                           : "%d,%.6g,%.6f,%.2f,%s,%.2f,%.0f%s\n",
                      r->epoch, r->lr, r->loss, r->train_acc, r->test_acc < 0 ? none : test, r->seconds, rate,
                      json && i + 1 < t->n_rows ? "," : "");
    }
    if (json) lt_buf_puts(&b, "]\n");
    lt_code rc = lt_buf_ok(&b) ? lt_write_file(path, b.data, b.len, err) : lt_fail(err, LT_EMEM, "out of memory");
    lt_buf_free(&b);
    return rc;
}
