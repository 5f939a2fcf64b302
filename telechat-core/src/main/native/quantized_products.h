// SPDX-License-Identifier: Apache-2.0
//
// Products of quantized activations with quantized weights. Sums of integers are exact, and the few operations on floats come in
// the same order everywhere: all instruction sets give the same bits.
//
// Weights: panels of 16 rows. A panel begins with a float per row, then come blocks of 128 columns: a scale byte for each of
// four groups of 32 columns times 16 rows, then the weights, quad by quad (four columns of each row, row by row). With eight bits
// a quad is 64 bytes; with four, the lower halves of 64 bytes are one quad, the upper halves the next. Stored with a bias of 128
// or 8. weight = row's float * scale * (stored - bias).
//
// Activations: for each token the bytes, padded to whole blocks, then a float scale per group, then the sum of bytes per group.
//
// A scale byte is sign, four bits of exponent (bias 15) and three of mantissa: a float of 16 bits without its top exponent bit
// and without its last seven bits of mantissa.

#define PANEL 16
#define BLOCK 128
#define GROUP_SIZE 32
#define GROUPS (BLOCK / GROUP_SIZE)

INLINE int64_t blocks_of(int64_t k) { return (k + BLOCK - 1) / BLOCK; }

// Bytes of one quantized token.
INLINE int64_t token_bytes(int64_t k) { return blocks_of(k) * (BLOCK + 8 * GROUPS); }

// x [m, k] to bytes, scales and sums. A group with an infinity or NaN in it gets NaN for its scale.
static void quantize_tokens(const float *x, int64_t m, int64_t k, int8_t *out) {
    int64_t groups = blocks_of(k) * GROUPS;
    for (int64_t t = 0; t < m; t++, x += k, out += token_bytes(k)) {
        float *scales = (float *) (out + groups * GROUP_SIZE);
        int32_t *sums = (int32_t *) (scales + groups);
        for (int64_t g = 0; g < groups; g++) {
            float padded[GROUP_SIZE] = {0};
            const float *v = x + g * GROUP_SIZE;
            int64_t there = k - g * GROUP_SIZE;
            if (there < GROUP_SIZE) {
                if (there > 0) memcpy(padded, v, there * sizeof *v);
                v = padded;
            }
            VF largest = vf_zero(), check = vf_zero();
            UNROLL for (int i = 0; i < GROUP_SIZE; i += LANES) {
                VF u = vf_load(v + i);
                largest = vf_max(largest, vf_abs(u));
                check = vf_fma(u, vf_zero(), check);
            }
            float most = vf_max_lane(largest);
            float finite = vf_sum(check);
            scales[g] = most * (1 / 127.0f) + finite;
            float inverse = most > 0 && finite == 0 ? 127 / most : 0;
            int32_t sum = 0;
            for (int i = 0; i < GROUP_SIZE; i++) {
                // Adding and subtracting 1.5 * 2^23 rounds to nearest even.
                float rounded = v[i] * inverse + 12582912.0f;
                int32_t bits;
                memcpy(&bits, &rounded, sizeof bits);
                int8_t q = (int8_t) (inverse == 0 ? 0 : bits);
                out[g * GROUP_SIZE + i] = q;
                sum += q;
            }
            sums[g] = sum;
        }
    }
}

// The sums of the 16 rows of a panel with each of so many tokens.
INLINE void panel_sums(const int bits, const int tokens, const uint8_t *panel, int64_t blocks, const int8_t *x, VF16 sum[QUANTIZED_TOKENS]) {
    const int group_bytes = PANEL * GROUP_SIZE * bits / 8;
    int64_t stride = blocks * (BLOCK + 8 * GROUPS);
    UNROLL for (int t = 0; t < tokens; t++) sum[t] = vf16_zero();
    const uint8_t *w = panel + PANEL * sizeof(float);
    for (int64_t b = 0; b < blocks; b++, w += GROUPS * (PANEL + group_bytes)) {
        PREFETCH(w);
        for (int g = 0; g < GROUPS; g++) {
            const uint8_t *quads = w + GROUPS * PANEL + g * group_bytes;
            int64_t at = b * GROUPS + g;
            const int8_t *xs = x + at * GROUP_SIZE;
            const int8_t *scales = x + blocks * BLOCK + at * 4, *sums = scales + blocks * GROUPS * 4;
            GROUP whole[QUANTIZED_TOKENS];
            UNROLL for (int t = 0; t < tokens; t++) {
                int32_t sum_x;
                memcpy(&sum_x, sums + t * stride, sizeof sum_x);
                whole[t] = bits == 8 ? group_begin8(sum_x) : group_begin4(sum_x);
            }
            UNROLL for (int q = 0; q < 8; q++) {
                if (bits == 8) {
                    PREFETCH(quads + q * LINE);
                    QUAD quad = quad8(quads + q * LINE);
                    UNROLL for (int t = 0; t < tokens; t++) whole[t] = group_add8(whole[t], quad, xs + t * stride + 4 * q);
                } else if (q % 2 == 0) {
                    PREFETCH(quads + q / 2 * LINE);
                    QUAD low, high;
                    quads4(quads + q / 2 * LINE, &low, &high);
                    UNROLL for (int t = 0; t < tokens; t++) whole[t] = group_add4(whole[t], low, xs + t * stride + 4 * q);
                    UNROLL for (int t = 0; t < tokens; t++) whole[t] = group_add4(whole[t], high, xs + t * stride + 4 * q + 4);
                }
            }
            VF16 scale = vf16_scales(w + g * PANEL);
            UNROLL for (int t = 0; t < tokens; t++) {
                int32_t sum_x;
                float factor;
                memcpy(&sum_x, sums + t * stride, sizeof sum_x);
                memcpy(&factor, scales + t * stride, sizeof factor);
                VI16 integers = bits == 8 ? group_end8(whole[t], sum_x) : group_end4(whole[t], sum_x);
                sum[t] = vf16_accumulate(integers, scale, factor, sum[t]);
            }
        }
    }
    VF16 rows = vf16_load((const float *) panel);
    UNROLL for (int t = 0; t < tokens; t++) sum[t] = vf16_mul(sum[t], rows);
}

INLINE void quantized_tile(const int bits, const int tokens, const uint8_t *panel, int64_t rows, int64_t blocks, const int8_t *x,
                           const float *bias, float *y, int64_t ldy, int add) {
    VF16 sum[QUANTIZED_TOKENS];
    panel_sums(bits, tokens, panel, blocks, x, sum);
    UNROLL for (int t = 0; t < tokens; t++) {
        if (rows == PANEL) {
            if (bias) sum[t] = vf16_add(sum[t], vf16_load(bias));
            if (add) sum[t] = vf16_add(vf16_load(y + t * ldy), sum[t]);
            vf16_store(y + t * ldy, sum[t]);
        } else {
            float values[PANEL];
            vf16_store(values, sum[t]);
            for (int64_t r = 0; r < rows; r++) put(y + t * ldy + r, values[r], bias ? bias + r : 0, add);
        }
    }
}

INLINE void quantized(const int bits, const uint8_t *panels, int64_t rows, int64_t k, const int8_t *x, int64_t m, const float *bias,
                      float *y, int64_t ldy, int add) {
    int64_t blocks = blocks_of(k);
    int64_t panel_bytes = PANEL * sizeof(float) + blocks * GROUPS * (PANEL + PANEL * GROUP_SIZE * bits / 8);
    for (int64_t r = 0; r < rows; r += PANEL, panels += panel_bytes) {
        int64_t n = rows - r < PANEL ? rows - r : PANEL;
        const float *b = bias ? bias + r : 0;
        int64_t t = 0;
        for (; t + QUANTIZED_TOKENS <= m; t += QUANTIZED_TOKENS) {
            quantized_tile(bits, QUANTIZED_TOKENS, panels, n, blocks, x + t * token_bytes(k), b, y + t * ldy + r, ldy, add);
        }
        for (; t + QUANTIZED_TOKENS / 2 <= m; t += QUANTIZED_TOKENS / 2) {
            quantized_tile(bits, QUANTIZED_TOKENS / 2, panels, n, blocks, x + t * token_bytes(k), b, y + t * ldy + r, ldy, add);
        }
        for (; t + 2 <= m; t += 2) {
            quantized_tile(bits, 2, panels, n, blocks, x + t * token_bytes(k), b, y + t * ldy + r, ldy, add);
        }
        for (; t < m; t++) quantized_tile(bits, 1, panels, n, blocks, x + t * token_bytes(k), b, y + t * ldy + r, ldy, add);
    }
}

// y[t, r] (+)= sum over i of x[t, i] * w[r, i] + bias[r]. panels: rows of k weights of 8 or 4 bits; x as quantize writes it.
static void linear_quantized(int bits, const uint8_t *panels, int64_t rows, int64_t k, const int8_t *x, int64_t m,
                              const float *bias, float *y, int64_t ldy, int add) {
    if (bits == 8) {
        quantized(8, panels, rows, k, x, m, bias, y, ldy, add);
    } else {
        quantized(4, panels, rows, k, x, m, bias, y, ldy, add);
    }
}
