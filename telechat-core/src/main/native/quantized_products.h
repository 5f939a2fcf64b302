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
// Activations: integers of 12 bits for weights of 8, so that rounding them costs nothing beside rounding the weights, and of 8 bits
// for weights of 4. For each token the integers, padded to whole blocks, then a float scale per group, then an offset per group:
// their sum times minus the bias of the weights. The integers of 12 bits take 16; of each four the even ones come first, as quads of weights are taken apart. Or, for
// instruction sets that multiply bytes (SPLIT_X), an integer is 16 times an upper byte and a lower one, both signed, and all upper
// bytes of a group come before all lower ones. For the matrix unit (HAS_AMX), they follow as bfloat16, with even ones first and 16 times
// the upper bytes of a group before the lower ones.
//
// A scale byte is part of a float of 16 bits. With weights of 8 bits: the lower three bits of its exponent and the upper five of its
// mantissa. With weights of 4 bits: the sign, the lower four bits of the exponent, the upper three of the mantissa.

#define PANEL 16
#define QUANTIZED_NEAR 1024
#define BLOCK 128
#define GROUP_SIZE 32
#define GROUPS (BLOCK / GROUP_SIZE)

INLINE int64_t blocks_of(int64_t k) { return (k + BLOCK - 1) / BLOCK; }

// Bytes of an activation, for weights of so many bits.
INLINE int64_t x_bytes(int bits) { return bits == 8 ? 2 : 1; }

// Bytes of an activation as two of bfloat16, for those tokens that fill a tile of the matrix unit.
#ifdef HAS_AMX
#define BF16_BYTES(bits) ((bits) == 8 ? 4 : 0)
#else
#define BF16_BYTES(bits) 0
#endif

// Bytes of one quantized token, and where its integers as bfloat16 begin.
INLINE int64_t integer_bytes(int bits, int64_t blocks) { return blocks * (BLOCK * x_bytes(bits) + 8 * GROUPS); }
INLINE int64_t token_bytes(int bits, int64_t blocks) { return integer_bytes(bits, blocks) + blocks * BLOCK * BF16_BYTES(bits); }

INLINE int64_t panel_bytes(int bits, int64_t blocks) {
    return PANEL * sizeof(float) + blocks * GROUPS * (PANEL + PANEL * GROUP_SIZE * bits / 8);
}

// Of each four of a group, even ones first.
INLINE void even_first(const uint16_t *from, uint16_t *to) {
    for (int i = 0; i < GROUP_SIZE; i += 4) {
        uint64_t four;
        memcpy(&four, from + i, sizeof four);
        four = (four & 0xffff00000000ffff) | (four & 0xffff0000) << 16 | (four >> 16 & 0xffff0000);
        memcpy(to + i, &four, sizeof four);
    }
}

// Lays out a group's integers as weights of so many bits take them.
INLINE void put_integers(const int bits, const int32_t *q, char *out) {
    if (bits == 4) {
        for (int i = 0; i < GROUP_SIZE; i++) out[i] = (char) q[i];
        return;
    }
#ifdef SPLIT_X
    for (int i = 0; i < GROUP_SIZE; i++) {
        int upper = (q[i] + 8) >> 4;
        out[i] = (char) upper;
        out[GROUP_SIZE + i] = (char) (q[i] - 16 * upper);
    }
#else
    uint16_t in_order[GROUP_SIZE];
    for (int i = 0; i < GROUP_SIZE; i++) in_order[i] = (uint16_t) q[i];
    even_first(in_order, (uint16_t *) out);
#endif
}

#ifdef HAS_AMX
// The same for the matrix unit, see above.
INLINE void put_bf16(const int32_t *q, uint16_t *out) {
    UNROLL for (int i = 0; i < GROUP_SIZE; i += LANES) {
        VI v = _mm512_loadu_si512(q + i), upper = _mm512_slli_epi32(_mm512_srai_epi32(vi_add(v, vi_set1(8)), 4), 4);
        VI parts[] = {upper, _mm512_sub_epi32(v, upper)};
        UNROLL for (int p = 0; p < 2; p++) {
            VI bits = _mm512_srli_epi32((VI) vi_to_float(parts[p]), 16); // exact: the lower halves are zeros
            __m256i even_first = _mm256_shufflehi_epi16(_mm256_shufflelo_epi16(_mm512_cvtepi32_epi16(bits), 0xd8), 0xd8);
            _mm256_storeu_si256((__m256i *) (out + p * GROUP_SIZE + i), even_first);
        }
    }
}
#endif

// Rounds a group to integers of at most that size; returns their sum. A group with an infinity or NaN in it gets NaN for its scale.
INLINE int32_t round_group(const int most, const float *v, float *scale, int32_t *q) {
    VF largest = vf_zero(), check = vf_zero();
    UNROLL for (int i = 0; i < GROUP_SIZE; i += LANES) {
        VF u = vf_load(v + i);
        largest = vf_max(largest, vf_abs(u));
        check = vf_fma(u, vf_zero(), check);
    }
    float max = vf_max_lane(largest), finite = vf_sum(check);
    *scale = max * (1.0f / most) + finite;
    if (!(max > 0 && finite == 0)) {
        memset(q, 0, GROUP_SIZE * sizeof *q);
        return 0;
    }
    float inverse = most / max;
    int32_t sum = 0;
    for (int i = 0; i < GROUP_SIZE; i++) {
        // Adding 1.5 * 2^23 rounds to nearest even, and leaves the integer in the lowest bits.
        float rounded = v[i] * inverse + 12582912.0f;
        memcpy(q + i, &rounded, sizeof rounded);
        q[i] -= 0x4b400000;
        sum += q[i];
    }
    return sum;
}

// x [m, k] to integers, scales and offsets, for weights of so many bits.
INLINE void quantize_for(const int bits, const float *x, int64_t m, int64_t k, char *out) {
    const int most = bits == 8 ? 127 * 16 + 7 : 127, bias = bits == 8 ? 128 : 8;
    int64_t blocks = blocks_of(k), groups = blocks * GROUPS;
    for (int64_t t = 0; t < m; t++, x += k, out += token_bytes(bits, blocks)) {
        float *scales = (float *) (out + groups * GROUP_SIZE * x_bytes(bits));
        int32_t *offsets = (int32_t *) (scales + groups);
        for (int64_t g = 0; g < groups; g++) {
            float padded[GROUP_SIZE] = {0};
            const float *v = x + g * GROUP_SIZE;
            int64_t there = k - g * GROUP_SIZE;
            if (there < GROUP_SIZE) {
                if (there > 0) memcpy(padded, v, there * sizeof *v);
                v = padded;
            }
            int32_t q[GROUP_SIZE];
            offsets[g] = -bias * round_group(most, v, scales + g, q);
            put_integers(bits, q, out + g * GROUP_SIZE * x_bytes(bits));
#ifdef HAS_AMX
            uint16_t *bf16 = (uint16_t *) (out + integer_bytes(bits, blocks)) + 2 * g * GROUP_SIZE;
            if (bits == 8 && t < m / TILE * TILE) put_bf16(q, bf16);
#endif
        }
    }
}

static void quantize_tokens(int bits, const float *x, int64_t m, int64_t k, char *out) {
    if (bits == 8) {
        quantize_for(8, x, m, k, out);
    } else {
        quantize_for(4, x, m, k, out);
    }
}

// A tile of a product: so many tokens with so many vectors of neighbouring rows of a panel. Sums of token t and vector v are at
// t * vectors + v. The tokens lie stride bytes apart, as do their offsets.

// The integers of a group's weights with each token's activations.
INLINE void group_sums8(const int tokens, const int vectors, const uint8_t *quads, int fetch, const char *x, const char *offsets,
                        int64_t stride, VI whole[QUANTIZED_SUMS]) {
#ifdef SPLIT_X
    VI upper[QUANTIZED_SUMS];
    UNROLL for (int i = 0; i < tokens * vectors; i++) upper[i] = vi_set1(0);
#endif
    UNROLL for (int i = 0; i < tokens * vectors; i++) whole[i] = all_lanes(offsets + i / vectors * stride);
    UNROLL for (int line = 0; line < 8; line++, quads += LINE) {
        if (fetch) PREFETCH(quads, QUANTIZED_NEAR);
        UNROLL for (int v = 0; v < vectors; v++) {
            const uint8_t *at = quads + v * 4 * LANES;
#ifdef SPLIT_X
            VI w = vi_load(at);
            UNROLL for (int t = 0; t < tokens; t++) {
                const int8_t *fours = (const int8_t *) (x + t * stride) + 4 * line;
                upper[t * vectors + v] = group_add4(upper[t * vectors + v], w, fours);
                whole[t * vectors + v] = group_add4(whole[t * vectors + v], w, fours + GROUP_SIZE);
            }
#else
            VI even = even_columns(at), odd = odd_columns(at);
            UNROLL for (int t = 0; t < tokens; t++) {
                const int16_t *fours = (const int16_t *) (x + t * stride) + 4 * line;
                whole[t * vectors + v] = group_add8(whole[t * vectors + v], even, odd, fours);
            }
#endif
        }
    }
#ifdef SPLIT_X
    UNROLL for (int i = 0; i < tokens * vectors; i++) whole[i] = vi_add(vi_times16(upper[i]), whole[i]);
#endif
}

INLINE void group_sums4(const int tokens, const int vectors, const uint8_t *quads, int fetch, const char *x, const char *offsets,
                        int64_t stride, VI whole[QUANTIZED_SUMS]) {
    UNROLL for (int i = 0; i < tokens * vectors; i++) whole[i] = group_begin4(offsets + i / vectors * stride);
    UNROLL for (int line = 0; line < 4; line++, quads += LINE) {
        if (fetch) PREFETCH(quads, QUANTIZED_NEAR);
        UNROLL for (int v = 0; v < vectors; v++) {
            VI low = low_quad(quads + v * 4 * LANES), high = high_quad(quads + v * 4 * LANES);
            UNROLL for (int t = 0; t < tokens; t++) {
                const int8_t *fours = (const int8_t *) (x + t * stride) + 8 * line;
                VI sum = group_add4(whole[t * vectors + v], low, fours);
                whole[t * vectors + v] = group_add4(sum, high, fours + 4);
            }
        }
    }
    UNROLL for (int i = 0; i < tokens * vectors; i++) whole[i] = group_end4(whole[i], offsets + i / vectors * stride);
}

// The sums of a tile that begins with a row of a panel, but for the rows' floats.
INLINE void panel_sums(const int bits, const int tokens, const int vectors, const uint8_t *panel, int row, int64_t blocks,
                       const char *x, VF sum[QUANTIZED_SUMS]) {
    const int group_bytes = PANEL * GROUP_SIZE * bits / 8;
    const int fetch = vectors * LANES == PANEL || row == 0; // what the first rows brought into the cache is there for the others
    int64_t stride = token_bytes(bits, blocks);
    UNROLL for (int i = 0; i < tokens * vectors; i++) sum[i] = vf_zero();
    const uint8_t *w = panel + PANEL * sizeof(float);
    for (int64_t b = 0; b < blocks; b++, w += GROUPS * (PANEL + group_bytes)) {
        PREFETCH(w, QUANTIZED_NEAR);
        for (int g = 0; g < GROUPS; g++) {
            const uint8_t *quads = w + GROUPS * PANEL + g * group_bytes + 4 * row, *codes = w + g * PANEL + row;
            int64_t at = b * GROUPS + g;
            const char *xs = x + at * GROUP_SIZE * x_bytes(bits);
            const char *scales = x + blocks * BLOCK * x_bytes(bits) + at * 4, *offsets = scales + blocks * GROUPS * 4;
            VI whole[QUANTIZED_SUMS];
            if (bits == 8) {
                group_sums8(tokens, vectors, quads, fetch, xs, offsets, stride, whole);
            } else {
                group_sums4(tokens, vectors, quads, fetch, xs, offsets, stride, whole);
            }
            UNROLL for (int v = 0; v < vectors; v++) {
                VF scale = bits == 8 ? scales8(codes + v * LANES) : scales4(codes + v * LANES);
                UNROLL for (int t = 0; t < tokens; t++) {
                    float factor;
                    memcpy(&factor, scales + t * stride, sizeof factor);
                    int i = t * vectors + v;
                    sum[i] = vf_fma(vf_mul(vi_to_float(whole[i]), scale), vf_set1(factor), sum[i]);
                }
            }
        }
    }
}

// Asks for the lines of y that will be written, of so many tokens: each is on a page of its own, and far away.
INLINE void expect_writes(const int tokens, float *y, int64_t ldy) {
    UNROLL for (int t = 0; t < tokens; t++) __builtin_prefetch(y + t * ldy, 1, 3);
}

// The sums of a tile to y [tokens, rows].
INLINE void put_panel(const int tokens, const int vectors, const float *units, int row, int64_t rows, VF *sum, const float *bias,
                      float *y, int64_t ldy, int add) {
    UNROLL for (int v = 0; v < vectors; v++, row += LANES) {
        VF unit = vf_load(units + row);
        UNROLL for (int t = 0; t < tokens; t++) {
            VF value = vf_mul(sum[t * vectors + v], unit);
            float *to = y + t * ldy + row;
            if (rows - row >= LANES) {
                if (bias) value = vf_add(value, vf_load(bias + row));
                if (add) value = vf_add(vf_load(to), value);
                vf_store(to, value);
            } else {
                float values[LANES];
                vf_store(values, value);
                for (int64_t r = 0; r < rows - row; r++) put(to + r, values[r], bias ? bias + row + r : 0, add);
            }
        }
    }
}

// So many tokens with a panel, as many rows at a time as there is room for.
INLINE void quantized_tile(const int bits, const int tokens, const uint8_t *panel, int64_t rows, int64_t blocks, const char *x,
                           const float *bias, float *y, int64_t ldy, int add) {
    const int fit = QUANTIZED_SUMS / tokens * LANES, vectors = (fit >= PANEL ? PANEL : fit >= PANEL / 2 ? PANEL / 2 : LANES) / LANES;
    for (int row = 0; row < PANEL && row < rows; row += vectors * LANES) {
        VF sum[QUANTIZED_SUMS];
        if (tokens > 1 && row == 0) expect_writes(tokens, y, ldy);
        panel_sums(bits, tokens, vectors, panel, row, blocks, x, sum);
        put_panel(tokens, vectors, (const float *) panel, row, rows, sum, bias, y, ldy, add);
    }
}

#ifdef HAS_AMX
#include "amx_quantized_products.h"
#endif

// So many tokens are taken next, of those that are left: the most that there is room for, unless two tiles of eight take all.
INLINE int next_tile(const int most, int64_t left) {
    if (left >= most && !(most > 8 && left >= 16 && left < most + 8)) return most;
    return most > 8 && left >= 8 ? 8 : left >= 4 ? 4 : left >= 2 ? 2 : 1;
}

INLINE void quantized(const int bits, const uint8_t *panels, int64_t rows, int64_t k, const char *x, int64_t m, const float *bias,
                      float *y, int64_t ldy, int add) {
    // Of activations in two parts, each has a sum of integers more.
    const int most = bits == 8 && QUANTIZED_TOKENS > 8 ? 8 : QUANTIZED_TOKENS;
    int64_t blocks = blocks_of(k), done = 0;
#ifdef HAS_AMX
    done = quantized_with_tiles(bits, panels, rows, blocks, x, m, bias, y, ldy, add);
#endif
    for (int64_t r = 0; r < rows && done < m; r += PANEL, panels += panel_bytes(bits, blocks)) {
        int64_t n = rows - r < PANEL ? rows - r : PANEL;
        const float *b = bias ? bias + r : 0;
        for (int64_t t = done, tokens; t < m; t += tokens) {
            const char *from = x + t * token_bytes(bits, blocks);
            float *to = y + t * ldy + r;
            switch (tokens = next_tile(most, m - t)) {
                case 1: quantized_tile(bits, 1, panels, n, blocks, from, b, to, ldy, add); break;
                case 2: quantized_tile(bits, 2, panels, n, blocks, from, b, to, ldy, add); break;
#if QUANTIZED_TOKENS > 4
                case 4: quantized_tile(bits, 4, panels, n, blocks, from, b, to, ldy, add); break;
#endif
#if QUANTIZED_TOKENS > 8
                case 8: quantized_tile(bits, 8, panels, n, blocks, from, b, to, ldy, add); break;
#endif
                default: quantized_tile(bits, most, panels, n, blocks, from, b, to, ldy, add);
            }
        }
    }
}

// y[t, r] (+)= sum over i of x[t, i] * w[r, i] + bias[r]. panels: rows of k weights of 8 or 4 bits; x as quantize writes it.
static void linear_quantized(int bits, const uint8_t *panels, int64_t rows, int64_t k, const char *x, int64_t m,
                              const float *bias, float *y, int64_t ldy, int add) {
    if (bits == 8) {
        quantized(8, panels, rows, k, x, m, bias, y, ldy, add);
    } else {
        quantized(4, panels, rows, k, x, m, bias, y, ldy, add);
    }
}
