// SPDX-License-Identifier: Apache-2.0
//
// Every kernel of one instruction set against its definition in plain loops of double. Java's tests do the same for the
// instruction sets of the machine that they run on; this program is for the others, under an emulator. Compiled with
// -DRUN=telechat_neon_run (or another), and with -DSPLIT_X if that set's kernels are; linked with its object. Says what is wrong
// and exits with 1.

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int64_t RUN(int operation, int64_t a0, int64_t a1, int64_t a2, int64_t a3, int64_t a4, int64_t a5, int64_t a6, int64_t a7, int64_t a8,
         int64_t a9, int64_t a10, int64_t a11, int64_t a12, int64_t a13, int64_t a14, int64_t a15);

static int64_t run(int operation, const int64_t *a) {
    return RUN(operation, a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9], a[10], a[11], a[12], a[13], a[14], a[15]);
}

#include "../../main/native/operations.h"

enum { F32, F16, BF16, Q8 };

#define CALL(operation, ...) run(operation, (const int64_t[16]){__VA_ARGS__})
#define P(pointer) (int64_t) (intptr_t) (pointer)

static int wrong, checks;

static void check(const char *what, double expected, double actual, double tolerance) {
    checks++;
    if (!(fabs(expected - actual) <= tolerance * (1 + fabs(expected)))) {
        if (wrong++ < 20) printf("%s: expected %.9g, got %.9g\n", what, expected, actual);
    }
}

static void check_same(const char *what, const float *expected, const float *actual, int64_t count) {
    checks++;
    if (memcmp(expected, actual, count * sizeof *actual) != 0 && wrong++ < 20) printf("%s: other bits\n", what);
}

static uint64_t state = 42;

static double uniform(void) { // from -1 to 1
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (double) (int64_t) state / 9.3e18;
}

static float *floats(int64_t count) {
    float *values = aligned_alloc(64, (count * sizeof(float) + 127) / 64 * 64);
    for (int64_t i = 0; i < count; i++) values[i] = (float) uniform();
    return values;
}

static int64_t bits_of(float value) {
    int32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

// A finite value of each type with random bits, and what it stands for.
static void *weights(int type, int64_t count, float *meaning) {
    if (type == F32) {
        float *values = floats(count);
        memcpy(meaning, values, count * sizeof *values);
        return values;
    }
    uint16_t *values = malloc(count * sizeof *values + 64);
    for (int64_t i = 0; i < count; i++) {
        double v = uniform();
        if (type == BF16) {
            uint32_t bits = (uint32_t) bits_of((float) v) & 0xffff0000u;
            values[i] = (uint16_t) (bits >> 16);
            memcpy(meaning + i, &bits, sizeof bits);
        } else {
            int mantissa = (int) (fabs(v) * 1023), exponent = 10 + (int) (i % 6);
            values[i] = (uint16_t) ((v < 0) << 15 | exponent << 10 | mantissa);
            meaning[i] = (float) ((v < 0 ? -1 : 1) * ldexp(1024 + mantissa, exponent - 25));
        }
    }
    return values;
}

static void check_linear(int type, int64_t rows, int64_t k, int64_t m) {
    float *w = malloc(rows * k * sizeof *w), *x = floats(m * k), *paired = floats(m * k), *bias = floats(rows);
    float *y = floats(m * rows), *before = malloc(m * rows * sizeof *y), *scratch = floats(CALL(LINEAR_SCRATCH, k));
    void *stored = weights(type, rows * k, w);
    memcpy(before, y, m * rows * sizeof *y);
    CALL(PAIR, P(x), m, k, P(paired));
    CALL(LINEAR, type, P(stored), rows, k, P(type == BF16 ? paired : x), m, P(bias), P(y), rows, 1, P(scratch));
    for (int64_t t = 0; t < m; t++) {
        for (int64_t r = 0; r < rows; r++) {
            double sum = (double) before[t * rows + r] + bias[r];
            for (int64_t i = 0; i < k; i++) sum += (double) x[t * k + i] * w[r * k + i];
            check("linear", sum, y[t * rows + r], 1e-5);
        }
    }
}

static double scale_value(int bits, int code) {
    int exponent = bits == 8 ? code >> 5 : code >> 3 & 15, steps = bits == 8 ? 32 : 8, mantissa = code % steps;
    double magnitude = exponent == 0 ? ldexp(mantissa, -14) / steps : ldexp(steps + mantissa, exponent - 15) / steps;
    return bits == 4 && code & 128 ? -magnitude : magnitude;
}

// Activation i of a token, as quantized_products.h lays them out.
static int integer(const int8_t *token, int bits, int64_t i) {
    if (bits == 4) return token[i];
#ifdef SPLIT_X
    const int8_t *upper = token + i / 32 * 64 + i % 32, *lower = upper + 32;
    return 16 * *upper + *lower;
#else
    static const int place[] = {0, 2, 1, 3};
    return ((const int16_t *) token)[i / 4 * 4 + place[i % 4]];
#endif
}

static void check_quantized(int bits, int64_t rows, int64_t k, int64_t m) {
    int64_t blocks = (k + 127) / 128, panels = (rows + 15) / 16, block_bytes = 64 + 16 * 128 * bits / 8;
    int64_t panel_bytes = 64 + blocks * block_bytes, x_bytes = bits == 8 ? 2 : 1;
    int64_t token_bytes = CALL(QUANTIZED_BYTES, bits, k);
    int most = bits == 8 ? 2039 : 127;
    uint8_t *w = aligned_alloc(64, panels * panel_bytes + 8192);
    for (int64_t i = 0; i < panels * panel_bytes; i++) w[i] = (uint8_t) (uniform() * 128 + 128);
    for (int64_t p = 0; p < panels; p++) {
        for (int r = 0; r < 16; r++) {
            float unit = (float) (1 + uniform() / 2);
            memcpy(w + p * panel_bytes + 4 * r, &unit, sizeof unit);
        }
        // An 8-bit weight is never -128.
        for (int64_t i = 64; bits == 8 && i < panel_bytes; i++) {
            if ((i - 64) % block_bytes >= 64 && w[p * panel_bytes + i] == 0) w[p * panel_bytes + i] = 1;
        }
    }
    float *x = floats(m * k), *bias = floats(rows), *y = floats(m * rows);
    int8_t *q = aligned_alloc(64, (m * token_bytes + 63) / 64 * 64);
    CALL(QUANTIZE, bits, P(x), m, k, P(q));
    CALL(LINEAR_QUANTIZED, bits, P(w), rows, k, P(q), m, P(bias), P(y), rows, 0);
    for (int64_t t = 0; t < m; t++) {
        const int8_t *token = q + t * token_bytes;
        const float *scales = (const float *) (token + blocks * 128 * x_bytes);
        const int32_t *offsets = (const int32_t *) (scales + blocks * 4);
        for (int64_t g = 0; g < blocks * 4; g++) {
            float largest = 0;
            int sum = 0;
            for (int64_t i = g * 32; i < g * 32 + 32 && i < k; i++) largest = fmaxf(largest, fabsf(x[t * k + i]));
            for (int64_t i = g * 32; i < g * 32 + 32; i++) {
                double exact = i < k && largest > 0 ? rint(x[t * k + i] * (most / largest)) : 0;
                check("quantize", exact, integer(token, bits, i), 0);
                sum += integer(token, bits, i);
            }
            check("scale", largest / most, scales[g], 1e-7);
            check("offset", (bits == 8 ? -128 : -8) * sum, offsets[g], 0);
        }
        for (int64_t r = 0; r < rows; r++) {
            const uint8_t *panel = w + r / 16 * panel_bytes;
            float unit;
            memcpy(&unit, panel + 4 * (r % 16), sizeof unit);
            float sum = 0;
            for (int64_t g = 0; g < blocks * 4; g++) {
                const uint8_t *block = panel + 64 + g / 4 * block_bytes;
                int products = 0;
                for (int64_t i = g * 32; i < g * 32 + 32; i++) {
                    int quad = (int) (i % 128 / 4), in_quad = (int) (r % 16 * 4 + i % 4), v;
                    if (bits == 8) {
                        v = block[64 + quad * 64 + in_quad] - 128;
                    } else {
                        int both = block[64 + quad / 2 * 64 + in_quad];
                        v = (quad % 2 ? both >> 4 : both & 15) - 8;
                    }
                    products += v * integer(token, bits, i);
                }
                float scale = (float) scale_value(bits, block[g % 4 * 16 + r % 16]);
                sum = fmaf((float) products * scale, scales[g], sum);
            }
            check("linear_quantized", sum * unit + bias[r], y[t * rows + r], 0);
        }
    }
}

static void check_rows(int64_t columns) {
    float *x = floats(3 * columns), *w = floats(columns), *y = floats(3 * columns), *rstd = floats(3);
    CALL(RMS_NORM, P(x), P(w), bits_of(1e-5f), P(y), P(rstd), 3, columns);
    for (int64_t t = 0; t < 3; t++) {
        double squares = 0;
        for (int64_t i = 0; i < columns; i++) squares += (double) x[t * columns + i] * x[t * columns + i];
        double factor = 1 / sqrt(squares / columns + 1e-5);
        check("rstd", factor, rstd[t], 1e-6);
        for (int64_t i = 0; i < columns; i++) check("rms_norm", x[t * columns + i] * factor * w[i], y[t * columns + i], 1e-6);
    }
    float *gate_up = floats(6 * columns);
    for (int64_t i = 0; i < 6 * columns; i++) gate_up[i] *= i % 7 == 0 ? 100 : 4;
    CALL(SWIGLU, P(gate_up), P(y), 3, columns);
    for (int64_t t = 0; t < 3; t++) {
        for (int64_t i = 0; i < columns; i++) {
            double gate = gate_up[2 * t * columns + i], up = gate_up[(2 * t + 1) * columns + i];
            check("swiglu", gate / (1 + exp(-gate)) * up, y[t * columns + i], 1e-6);
        }
    }
    float *before = malloc(3 * columns * sizeof *before);
    memcpy(before, x, 3 * columns * sizeof *before);
    CALL(SCALE, P(x), bits_of(0.3f), 3 * columns);
    for (int64_t i = 0; i < 3 * columns; i++) check("scale", before[i] * 0.3f, x[i], 1e-7);
}

static void check_rope(int64_t half) {
    int64_t stride = 7 * half;
    float *x = floats(2 * stride), *before = malloc(2 * stride * sizeof *before), *cosines = floats(2 * half), *sines = floats(2 * half);
    memcpy(before, x, 2 * stride * sizeof *before);
    CALL(ROPE, P(x), P(cosines), P(sines), 2, stride, 3, half);
    for (int64_t t = 0; t < 2; t++) {
        for (int64_t i = 0; i < stride; i++) {
            int64_t in_head = i % (2 * half), angle = t * half + in_head % half;
            double v = before[t * stride + i];
            if (i < 6 * half) {
                double other = before[t * stride + i + (in_head < half ? half : -half)];
                v = v * cosines[angle] + (in_head < half ? -1 : 1) * other * sines[angle];
            }
            check("rope", v, x[t * stride + i], 1e-6);
        }
    }
}

static double f16_meaning(uint16_t bits) { // of a finite one
    int exponent = bits >> 10 & 31, mantissa = bits & 1023;
    double size = exponent ? ldexp(1024 + mantissa, exponent - 25) : ldexp(mantissa, -24);
    return bits >> 15 ? -size : size;
}

// What a cache of eight bits holds, in the place of what was stored: a head's integers, then scales [groups, 64]. position_step,
// element_step: how far the next position's and the next element's integer lie.
static void check_stored(const char *part, float *stored, int64_t slot, int64_t dim, int64_t position_step, int64_t element_step) {
    for (int64_t d = 0; d < dim; d++) {
        uint16_t bits;
        memcpy(&bits, part + 64 * dim + 2 * (d / 32 * 64 + slot), sizeof bits);
        double scale = f16_meaning(bits);
        int integer = ((const int8_t *) part)[slot * position_step + d * element_step];
        check("stored", 0, stored[d] / scale - integer, 0.5 + 1e-5);
        stored[d] = (float) (integer * scale);
    }
}

static void check_attention(int type, int64_t dim, int64_t group, int64_t past, int64_t count) {
    int64_t heads = 2, total = past + count, blocks = (total + 63) / 64, wide = heads * dim, queries = heads * group;
    int64_t stretches = (total + 511) / 512, each = CALL(ATTEND_STATE, count * group, dim), part = heads * each;
    double tolerance = type == F32 || type == Q8 ? 1e-5 : type == F16 ? 2e-3 : 1e-2;
    int64_t head = 64 * (type == Q8 ? dim + 2 * ((dim + 31) / 32) : dim);
    void **table = malloc(blocks * sizeof *table);
    for (int64_t b = 0; b < blocks; b++) table[b] = calloc(2 * 64 * wide, sizeof(float));
    float *keys = floats(total * wide), *values = floats(total * wide), *q = floats(count * queries * dim);
    float *out = floats(count * queries * dim), *lse = floats(count * queries), *scratch = floats(CALL(ATTEND_SCRATCH, count * group, dim));
    float *states = floats(stretches * part), *same = floats(count * queries * dim), *same_lse = floats(count * queries);
    CALL(STORE_KEYS_VALUES, type, P(table), 0, heads * head, heads, 0, past, dim, P(keys), P(values), wide);
    CALL(STORE_KEYS_VALUES, type, P(table), 0, heads * head, heads, past, count, dim, P(keys + past * wide), P(values + past * wide), wide);
    for (int64_t i = 0; type == Q8 && i < total * heads; i++) {
        const char *part = (const char *) table[i / heads / 64] + i % heads * head;
        check_stored(part, keys + i * dim, i / heads % 64, dim, 1, 64);
        check_stored(part + heads * head, values + i * dim, i / heads % 64, dim, dim, 1);
    }
    CALL(ATTEND, type, P(table), 0, heads * head, heads, past, count, group, dim, P(q), queries * dim, 0, stretches, P(states), P(scratch));
    CALL(ATTEND_FOLD, P(states), 1, part, heads, count, group, dim, P(out), queries * dim, P(lse), queries);
    // The same bits from stretches that are computed apart, and from each token by itself.
    for (int64_t s = 0; s < stretches; s++) {
        CALL(ATTEND, type, P(table), 0, heads * head, heads, past, count, group, dim, P(q), queries * dim, s, s + 1, P(states + s * part),
             P(scratch));
    }
    CALL(ATTEND_FOLD, P(states), stretches, part, heads, count, group, dim, P(same), queries * dim, P(same_lse), queries);
    check_same("attend by stretches", out, same, count * queries * dim);
    check_same("lse by stretches", lse, same_lse, count * queries);
    for (int64_t t = 0; t < count; t++) {
        CALL(ATTEND, type, P(table), 0, heads * head, heads, past + t, 1, group, dim, P(q + t * queries * dim), queries * dim, 0,
             (past + t) / 512 + 1, P(states), P(scratch));
        CALL(ATTEND_FOLD, P(states), 1, part, heads, 1, group, dim, P(same + t * queries * dim), queries * dim, P(same_lse + t * queries),
             queries);
    }
    check_same("attend by tokens", out, same, count * queries * dim);
    check_same("lse by tokens", lse, same_lse, count * queries);
    double *p = malloc(total * sizeof *p);
    for (int64_t i = 0; i < count * queries; i++) {
        int64_t visible = past + i / queries + 1, column = i % queries / group * dim;
        double sum = 0;
        for (int64_t j = 0; j < visible; j++) {
            double score = 0;
            for (int64_t d = 0; d < dim; d++) score += (double) q[i * dim + d] * keys[j * wide + column + d];
            p[j] = exp(score / sqrt((double) dim));
            sum += p[j];
        }
        check("lse", log(sum), lse[i], tolerance);
        for (int64_t d = 0; d < dim; d++) {
            double v = 0;
            for (int64_t j = 0; j < visible; j++) v += p[j] / sum * values[j * wide + column + d];
            check("attend", v, out[i * dim + d], tolerance);
        }
    }
}

#include "check_bf16.h"
#include "check_training.h"

int main(void) {
    int64_t ks[] = {1, 7, 40, 100, 1030}, ms[] = {1, 2, 5, 13, 30, 39};
    for (int type = F32; type <= BF16; type++) {
        for (int k = 0; k < 5; k++) for (int m = 0; m < 5; m++) check_linear(type, 21, ks[k], ms[m]);
    }
    for (int bits = 4; bits <= 8; bits += 4) {
        for (int k = 0; k < 5; k++) for (int m = 0; m < 6; m++) check_quantized(bits, 37, ks[k], ms[m]);
        check_quantized(bits, 20, 1030, 245);
    }
    for (int k = 0; k < 5; k++) check_rows(ks[k]);
    for (int64_t half = 1; half < 70; half += 11) check_rope(half);
    for (int type = F32; type <= Q8; type++) {
        check_attention(type, 64, 1, 0, 1);
        check_attention(type, 64, 1, 100, 1);
        check_attention(type, 100, 1, 200, 1);
        check_attention(type, 10, 2, 63, 3);
        check_attention(type, 128, 4, 5, 70);
        check_attention(type, 128, 4, 90, 2);
        check_attention(type, 64, 7, 190, 1);
        check_attention(type, 36, 1, 130, 40);
        check_attention(type, 36, 1, 1000, 40);
        check_attention(type, 64, 1, 1600, 1);
        check_attention(type, 128, 4, 1100, 1);
        check_attention(type, 16, 7, 505, 13);
    }
    check_bf16();
    check_training();
    printf("%d checks, %d wrong\n", checks, wrong);
    return wrong != 0;
}
