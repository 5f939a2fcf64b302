// SPDX-License-Identifier: Apache-2.0
//
// The kernels of training against their definitions; part of check_kernels.c.

// Floats that are there already, to be added to.
static float *copy(const float *from, int64_t count) {
    float *to = malloc(count * sizeof *to);
    return memcpy(to, from, count * sizeof *to);
}

// How many columns are packed together.
static int64_t sliver(void) { return CALL(SLIVER_COLUMNS, 0); }

// The nearest bfloat16, to even.
static float rounded(float v) {
    uint32_t bits = (uint32_t) bits_of(v);
    bits = (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff0000u;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

// What a step of a packed matrix has of its columns: a float, or two elements of bfloat16, the first one in the lower half.
enum { FLOATS, PAIRS };

static int has_pairs(void) { return CALL(PACKED_STEPS, PAIRS, 1) != NO_SUCH_OPERATION; }

static float element_of(int form, const float *packed, int64_t steps, int64_t i, int64_t j) {
    int64_t width = sliver(), step = form == PAIRS ? i / 2 : i;
    const float *at = packed + j / width * width * steps + step * width + j % width;
    if (form == FLOATS) return *at;
    uint16_t half;
    memcpy(&half, (const char *) at + i % 2 * 2, sizeof half);
    uint32_t bits = (uint32_t) half << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

// C [m, n] (+)= A B; the rows of C are wider than C, and what lies between them must stay.
static void check_product(int form, int type, int left_type, int turned_a, int turned_b, int add, int64_t m, int64_t k, int64_t n) {
    int64_t width = sliver(), padded = (n + width - 1) / width * width, ldc = n + 3, ldb = (turned_b ? k : n) + 2;
    int64_t size_b = ldb * (turned_b ? n : k), row = turned_a ? 1 : k, step = turned_a ? m : 1, steps = CALL(PACKED_STEPS, form, k);
    float *a = malloc(m * k * sizeof *a), *b = malloc(size_b * sizeof *b), *packed = floats(steps * padded), *c = floats(m * ldc);
    float *before = copy(c, m * ldc);
    void *stored = weights(type, size_b, b), *left = weights(left_type, m * k, a);
    for (int64_t i = 0; form == PAIRS && i < m * k; i++) a[i] = rounded(a[i]);
    for (int64_t i = 0; form == PAIRS && i < size_b; i++) b[i] = rounded(b[i]);
    CALL(PACK_MATRIX, form, type, P(stored), ldb, turned_b, k, n, P(packed));
    for (int64_t i = 0; i < (form == PAIRS ? 2 * steps : steps); i++) {
        for (int64_t j = 0; j < padded; j++) {
            double element = j >= n || i >= k ? 0 : turned_b ? b[j * ldb + i] : b[i * ldb + j];
            check("pack_matrix", element, element_of(form, packed, steps, i, j), 0);
        }
    }
    CALL(MATRIX_PRODUCT, form, P(left), left_type, row, step, m, P(packed), k, n, P(c), ldc, add);
    for (int64_t r = 0; r < m; r++) {
        for (int64_t j = 0; j < ldc; j++) {
            double sum = add || j >= n ? before[r * ldc + j] : 0;
            for (int64_t i = 0; j < n && i < k; i++) {
                sum += (double) a[r * row + i * step] * (turned_b ? b[j * ldb + i] : b[i * ldb + j]);
            }
            check(form == PAIRS ? "matrix_product of pairs" : "matrix_product", sum, c[r * ldc + j], j < n ? 2e-6 * sqrt((double) k) : 0);
        }
    }
    free(a), free(b), free(packed), free(c), free(before), free(stored), free(left);
}

static void check_conversions(int64_t count) {
    float *meaning = malloc(count * sizeof *meaning), *wide = floats(count), *from = floats(count);
    uint16_t *narrow = malloc(count * sizeof *narrow);
    for (int type = F16; type <= BF16; type++) {
        CALL(WIDEN_ROWS, type, P(weights(type, count, meaning)), count, P(wide), count, 1, count);
        for (int64_t i = 0; i < count; i++) check("widen", meaning[i], wide[i], 0);
    }
    uint32_t hard[] = {0x3f808000, 0x3f818000, 0x3f807fff, 0x3f808001, 0x7f7fffff, 0x7f800000, 0x80000001, 0x00018000};
    for (int64_t i = 0; i < count && i < 8; i++) memcpy(from + i, hard + i, sizeof *hard);
    CALL(NARROW_ROWS, BF16, P(from), count, P(narrow), count, 1, count);
    CALL(WIDEN_ROWS, BF16, P(narrow), count, P(wide), count, 1, count);
    for (int64_t i = 0; i < count; i++) check("narrow_rows", bits_of(rounded(from[i])), bits_of(wide[i]), 0);
    int64_t columns = count / 3, stride = columns + 1; // three rows with something between them
    float *apart = floats(3 * stride);
    CALL(NARROW_ROWS, BF16, P(from), columns, P(narrow), columns, 3, columns);
    CALL(WIDEN_ROWS, BF16, P(narrow), columns, P(apart), stride, 2, columns);
    for (int64_t i = 0; i < 2 * columns; i++) {
        check("widen_rows", bits_of(rounded(from[i])), bits_of(apart[i / columns * stride + i % columns]), 0);
    }
}

static void check_norm_backward(int64_t columns) {
    float *x = floats(3 * columns), *w = floats(columns), *rstd = floats(3), *dy = floats(3 * columns);
    float *dx = floats(3 * columns), *dw = floats(columns), *residual = copy(dx, 3 * columns), *before = copy(dw, columns);
    CALL(RMS_NORM_BACKWARD, P(x), P(w), P(rstd), P(dy), P(dx), P(dx), P(dw), 3, columns);
    for (int64_t t = 0; t < 3; t++) {
        double mean = 0;
        const float *xt = x + t * columns, *d = dy + t * columns;
        for (int64_t i = 0; i < columns; i++) mean += (double) d[i] * w[i] * xt[i] * rstd[t] / columns;
        for (int64_t i = 0; i < columns; i++) {
            double expected = residual[t * columns + i] + rstd[t] * ((double) d[i] * w[i] - xt[i] * rstd[t] * mean);
            check("rms_norm_backward dx", expected, dx[t * columns + i], 1e-5);
        }
    }
    for (int64_t i = 0; i < columns; i++) {
        double sum = before[i];
        for (int64_t t = 0; t < 3; t++) sum += (double) dy[t * columns + i] * x[t * columns + i] * rstd[t];
        check("rms_norm_backward dw", sum, dw[i], 1e-5);
    }
    float *sums = copy(before, columns);
    CALL(COLUMN_SUMS, P(x), columns, 3, columns, P(sums));
    for (int64_t i = 0; i < columns; i++) {
        check("column_sums", (double) before[i] + x[i] + x[columns + i] + x[2 * columns + i], sums[i], 1e-6);
    }
}

static void check_swiglu_backward(int64_t columns) {
    float *gate_up = floats(6 * columns), *d = floats(3 * columns);
    for (int64_t i = 0; i < 6 * columns; i++) gate_up[i] *= i % 7 == 0 ? 100 : 4;
    float *before = copy(gate_up, 6 * columns);
    CALL(SWIGLU_BACKWARD, P(gate_up), P(d), P(gate_up), 3, columns);
    for (int64_t t = 0; t < 3; t++) {
        for (int64_t i = 0; i < columns; i++) {
            int64_t at = 2 * t * columns + i;
            double gate = before[at], up = before[at + columns], s = 1 / (1 + exp(-gate)), out = d[t * columns + i];
            check("swiglu_backward gate", out * up * s * (1 + gate * (1 - s)), gate_up[at], 1e-5);
            check("swiglu_backward up", out * gate * s, gate_up[at + columns], 1e-5);
        }
    }
}

static void check_cross_entropy(int64_t columns) {
    float *logits = floats(2 * columns), *w = floats(2), *loss = floats(2), scale = 1.5f;
    for (int64_t i = 0; i < 2 * columns; i++) logits[i] *= i % 5 == 0 ? 30 : 3;
    float *before = copy(logits, 2 * columns);
    int32_t targets[] = {0, (int32_t) columns - 1};
    CALL(CROSS_ENTROPY, P(logits), P(targets), P(w), bits_of(scale), P(loss), 2, columns);
    for (int64_t t = 0; t < 2; t++) {
        double sum = 0; // of at most e^45 each
        for (int64_t i = 0; i < columns; i++) sum += exp((double) scale * before[t * columns + i]);
        double denominator = log(sum);
        check("cross_entropy loss", denominator - (double) scale * before[t * columns + targets[t]], loss[t], 1e-6);
        for (int64_t i = 0; i < columns; i++) {
            double p = exp((double) scale * before[t * columns + i] - denominator);
            check("cross_entropy", scale * w[t] * (p - (i == targets[t])), logits[t * columns + i], 2e-6);
        }
    }
}

static void check_optimizer(int64_t count) {
    float *p = floats(count), *g = floats(count), *m = floats(count), *v = floats(count);
    for (int64_t i = 0; i < count; i++) v[i] = fabsf(v[i]);
    double sum = 0, found;
    for (int64_t i = 0; i < count; i++) sum += (double) g[i] * g[i];
    CALL(SUM_OF_SQUARES, P(g), count, P(&found));
    check("sum_of_squares", sum, found, 1e-6);
    float *p0 = copy(p, count), *m0 = copy(m, count), *v0 = copy(v, count);
    const float rate = 0.01f, b1 = 0.9f, b2 = 0.95f, epsilon = 1e-5f, decay = 0.1f, scale = 0.25f, c1 = 2, c2 = 3;
    CALL(ADAMW, P(p), P(g), P(m), P(v), count, bits_of(rate), bits_of(b1), bits_of(b2), bits_of(epsilon), bits_of(decay),
         bits_of(scale), bits_of(c1), bits_of(c2));
    for (int64_t i = 0; i < count; i++) {
        double grad = (double) scale * g[i], mean = b1 * m0[i] + (1.0 - b1) * grad, square = b2 * v0[i] + (1.0 - b2) * grad * grad;
        check("adamw m", mean, m[i], 1e-6);
        check("adamw v", square, v[i], 1e-6);
        check("adamw p", p0[i] - rate * (mean * c1 / (sqrt(square * c2) + epsilon) + decay * p0[i]), p[i], 1e-6);
    }
}

static double dot(const float *a, const float *b, int64_t count) {
    double sum = 0;
    for (int64_t i = 0; i < count; i++) sum += (double) a[i] * b[i];
    return sum;
}

// A group of query heads, a key head and a value head side by side in rows of qkv, as the model has them.
static void check_attention_backward(int64_t dim, int64_t group, int64_t count) {
    int64_t wide = (group + 2) * dim, narrow = group * dim;
    float *qkv = floats(count * wide), *d_qkv = floats(count * wide), *d_out = floats(count * narrow);
    float *out = floats(count * narrow), *lse = floats(count * group);
    float *scratch = floats(CALL(ATTEND_BACKWARD_SCRATCH, count, dim));
    float *key = qkv + narrow, *value = key + dim;
    double *expected = calloc(count * wide, sizeof *expected), *p = malloc(count * sizeof *p), root = sqrt((double) dim);
    for (int64_t i = 0; i < count * group; i++) {
        int64_t t = i / group, head = i % group * dim;
        const float *q = qkv + t * wide + head, *d = d_out + t * narrow + head;
        double sum = 0, delta = 0;
        for (int64_t j = 0; j <= t; j++) sum += p[j] = exp(dot(q, key + j * wide, dim) / root);
        lse[t * group + i % group] = (float) log(sum);
        for (int64_t e = 0; e < dim; e++) {
            double o = 0;
            for (int64_t j = 0; j <= t; j++) o += p[j] / sum * value[j * wide + e];
            out[t * narrow + head + e] = (float) o;
            delta += d[e] * o;
        }
        for (int64_t j = 0; j <= t; j++) {
            double weight = p[j] / sum, ds = weight * (dot(d, value + j * wide, dim) - delta) / root;
            for (int64_t e = 0; e < dim; e++) {
                expected[t * wide + head + e] += ds * key[j * wide + e];
                expected[j * wide + narrow + e] += ds * q[e];
                expected[j * wide + narrow + dim + e] += weight * d[e];
            }
        }
    }
    CALL(ATTEND_BACKWARD, P(qkv), P(key), P(value), wide, count, group, dim, P(out), P(d_out), narrow, P(lse), group, P(d_qkv),
         P(d_qkv + narrow), P(d_qkv + narrow + dim), P(scratch));
    for (int64_t i = 0; i < count * wide; i++) check("attend_backward", expected[i], d_qkv[i], 1e-5);
}

// What limits.h measures with: the largest of what was read, and so many chains of multiply-adds.
static void check_limits(void) {
    float *x = floats(256), largest, result;
    double flops, sum = 0;
    for (int i = 0; i < 256; i++) {
        x[i] += 3;
        CALL(READ, P(x), 256 * (int64_t) sizeof *x, P(&largest));
        check("read", x[i], largest, 0);
        x[i] -= 3;
    }
    CALL(MULTIPLY_ADD, FLOATS, 5, P(&result), P(&flops));
    for (int c = 0; c < 12; c++) {
        double chain = c;
        for (int r = 0; r < 5; r++) chain = chain * 0.999 + 0.999;
        sum += chain * sliver() / 2;
    }
    check("multiply_add", sum, result, 1e-5);
    check("multiply_add flops", 5 * 12 * sliver(), flops, 0);
    if (!has_pairs()) return;
    CALL(MULTIPLY_ADD, PAIRS, 80, P(&result), P(&flops));
    check("multiply_add of pairs", 1, result > 0 && flops > 0, 0);
}

static void check_training(void) {
    int64_t sizes[] = {1, 7, 40, 100, 1030};
    for (int form = FLOATS; form <= (has_pairs() ? PAIRS : FLOATS); form++) {
        for (int types = 0; types < 6; types++) { // F32, F16 or BF16 by F32 or BF16
            int type = types / 2, left = types % 2 ? BF16 : F32;
            for (int way = 0; way < 8; way++) {
                for (int64_t m = 1; m <= 15; m += 2) check_product(form, type, left, way & 1, way & 2, way & 4, m, sizes[m % 4], 37);
                check_product(form, type, left, way & 1, way & 2, way & 4, 29, 1030, 100);
                check_product(form, type, left, way & 1, way & 2, way & 4, 180, 37, 70);
            }
        }
    }
    check_conversions(7);
    check_conversions(100);
    for (int i = 0; i < 5; i++) {
        check_norm_backward(sizes[i]);
        check_swiglu_backward(sizes[i]);
        check_cross_entropy(sizes[i]);
        check_optimizer(sizes[i]);
    }
    check_cross_entropy(5000);
    check_attention_backward(64, 1, 1);
    check_attention_backward(10, 2, 63);
    check_attention_backward(128, 4, 70);
    check_attention_backward(36, 1, 130);
    check_limits();
}
