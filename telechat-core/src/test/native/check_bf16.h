// SPDX-License-Identifier: Apache-2.0
//
// Products of bfloat16 with bfloat16, of the instruction sets that have them; part of check_kernels.c.

// The nearest bfloat16, of two the even one; zero for what is below the smallest normal number.
static float rounded_to_bf16(float v) {
    if (fabsf(v) < 0x1p-126f) return 0;
    int exponent;
    frexp(v, &exponent);
    return (float) ldexp(rint(ldexp(v, 8 - exponent)), exponent - 8);
}

static void check_linear_bf16(int64_t rows, int64_t k, int64_t m) {
    int64_t bytes = CALL(ROUNDED_BYTES, k), ldy = rows + 3;
    if (bytes == NO_SUCH_OPERATION) return;
    float *w = malloc(rows * k * sizeof *w), *x = floats(m * k), *bias = floats(rows), *y = floats(m * ldy), *alone = floats(rows);
    float *before = malloc(m * ldy * sizeof *y);
    void *stored = weights(BF16, rows * k, w), *tokens = aligned_alloc(64, (m * bytes + 63) / 64 * 64);
    memcpy(before, y, m * ldy * sizeof *y);
    for (int64_t i = 0; i < m * k; i += 97) x[i] = 0x1p-130f;
    for (int64_t i = 50; i < m * k; i += 97) x[i] = (i % 2 ? -1 : 1) * 0x1.81p0f; // halfway, to either side of an even one
    int biased = m % 3 != 0, add = m % 4 != 0;
    CALL(ROUND_TOKENS, P(x), m, k, P(tokens));
    CALL(LINEAR_BF16, BF16, P(stored), rows, k, P(tokens), m, biased ? P(bias) : 0, P(y), ldy, add);
    for (int64_t i = 0; i < m * k; i++) x[i] = rounded_to_bf16(x[i]);
    for (int64_t t = 0; t < m; t++) {
        CALL(ROUND_TOKENS, P(x + t * k), 1, k, P(tokens));
        memcpy(alone, before + t * ldy, rows * sizeof *alone);
        CALL(LINEAR_BF16, BF16, P(stored), rows, k, P(tokens), 1, biased ? P(bias) : 0, P(alone), ldy, add);
        for (int64_t r = 0; r < rows; r++) {
            double sum = (biased ? (double) bias[r] : 0) + (add ? (double) before[t * ldy + r] : 0);
            for (int64_t i = 0; i < k; i++) sum += (double) x[t * k + i] * w[r * k + i];
            check("linear_bf16", sum, y[t * ldy + r], 1e-5);
            check("linear_bf16 of one token", alone[r], y[t * ldy + r], 0);
        }
        for (int64_t r = rows; r < ldy; r++) check("linear_bf16 beyond", before[t * ldy + r], y[t * ldy + r], 0);
    }
    free(w), free(x), free(bias), free(y), free(alone), free(before), free(stored), free(tokens);
}

static void check_bf16(void) {
    int64_t ks[] = {1, 7, 31, 32, 33, 64, 101, 1030};
    for (int64_t i = 1; i <= 40; i++) {
        for (int k = 0; k < 8; k++) check_linear_bf16((7 * i + 11 * k) % 40 + 1, ks[k], i);
    }
    for (int k = 0; k < 8; k++) check_linear_bf16(37, ks[k], 100);
    // Sums that are carried from one part of the columns, rows or tokens to the next.
    check_linear_bf16(140, 2051, 70);
    check_linear_bf16(20, 1100, 530);
}
