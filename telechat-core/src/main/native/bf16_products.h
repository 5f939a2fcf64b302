// SPDX-License-Identifier: Apache-2.0
//
// Products of bfloat16 with bfloat16, for instruction sets that multiply them two to a lane and add into a float (HAS_BF16).
//
// As with floats, there is one vector of partial sums per output, along the row, for one token as for five hundred. Nothing is
// widened, so weights are used where they lie; many tokens take as many rows at a time as stay in the second-level cache.

// Elements of a step.
#define BF16_STEP (2 * LANES)
// The length of a sum that is computed in one go, so that a tile's rows of x stay in the first-level cache.
#define BF16_CHUNK 2048

INLINE VH vh_load_within(const uint16_t *p, int64_t there) { return there >= BF16_STEP ? vh_load(p) : vh_load_part(p, there); }

// Elements from one rounded token to the next: whole vectors.
INLINE int64_t rounded(int64_t k) { return (k + BF16_STEP - 1) / BF16_STEP * BF16_STEP; }

INLINE int64_t rounded_bytes(int64_t k) { return rounded(k) * (int64_t) sizeof(uint16_t); }

// x [m, k] rounded.
static void round_tokens(const float *x, int64_t m, int64_t k, uint16_t *to) {
    for (int64_t t = 0; t < m; t++, x += k, to += rounded(k)) {
        int64_t i = 0;
        for (; i + BF16_STEP <= k; i += BF16_STEP) vh_store(to + i, vh_round(vf_load(x + i), vf_load(x + i + LANES)));
        for (; i < k; i++) to[i] = float_to_bf16(x[i]);
    }
}

// sum[t][r] += x[t, i] * w[r, i] for i from begin to end, which is k or a multiple of BF16_STEP.
INLINE void add_bf16(const int tokens, const int rows, const int fetch, const uint16_t *w, const uint16_t *x, int64_t k,
                     int64_t begin, int64_t end, SUMS sum) {
    for (int64_t i = begin; i < end; i += BF16_STEP) {
        VH row[TILE_ROWS];
        UNROLL for (int r = 0; r < rows; r++) {
            if (fetch) PREFETCH(w + r * k + i, STREAM_NEAR);
            row[r] = vh_load_within(w + r * k + i, end - i);
        }
        UNROLL for (int t = 0; t < tokens; t++) {
            VH v = vh_load_within(x + t * rounded(k) + i, end - i);
            UNROLL for (int r = 0; r < rows; r++) sum[t][r] = vf_dot_bf16(sum[t][r], row[r], v);
        }
    }
}

// y[t, r] (+)= sum over i of x[t, i] * w[r, i] + bias[r], for so few tokens and rows; the sums lie in partial between chunks.
INLINE void bf16_tile(const int tokens, const int rows, const int fetch, const uint16_t *w, const uint16_t *x, int64_t k,
                      int64_t begin, int64_t end, SUMS partial, const float *bias, float *y, int64_t ldy, int add) {
    SUMS sum;
    UNROLL for (int t = 0; t < tokens; t++) {
        UNROLL for (int r = 0; r < rows; r++) sum[t][r] = begin == 0 ? vf_zero() : partial[t][r];
    }
    add_bf16(tokens, rows, fetch, w, x, k, begin, end, sum);
    UNROLL for (int t = 0; t < tokens; t++) {
        if (end < k) {
            UNROLL for (int r = 0; r < rows; r++) partial[t][r] = sum[t][r];
        } else {
            put_sums(rows, sum[t], bias, y + t * ldy, add);
        }
    }
}

// So many tokens, all rows: a chunk of x stays in the first-level cache while the rows go by.
INLINE void bf16_tokens(const int tokens, const int tile_rows, const uint16_t *w, int64_t rows, int64_t k, const uint16_t *x,
                        const float *bias, float *y, int64_t ldy, int add) {
    SUMS partial[PANEL_ROWS];
    const int fetch = tokens < TILE_TOKENS;
    const int64_t chunk = tokens == 1 ? k : BF16_CHUNK;
    for (int64_t begin = 0; begin < k; begin += chunk) {
        int64_t end = k - begin < chunk ? k : begin + chunk, r = 0;
        SUMS *p = partial;
        for (; r + tile_rows <= rows; r += tile_rows, p++) {
            bf16_tile(tokens, tile_rows, fetch, w + r * k, x, k, begin, end, *p, bias ? bias + r : 0, y + r, ldy, add);
        }
        for (; r < rows; r++, p++) {
            bf16_tile(tokens, 1, fetch, w + r * k, x, k, begin, end, *p, bias ? bias + r : 0, y + r, ldy, add);
        }
    }
}

// y[t, r] (+)= sum over i of x[t, i] * w[r, i] + bias[r] for t < m, r < rows. w [rows, k]; x as round_tokens writes it; y [m, rows], rows
// ldy apart.
static void linear_bf16(const uint16_t *w, int64_t rows, int64_t k, const uint16_t *x, int64_t m, const float *bias, float *y,
                        int64_t ldy, int add) {
    // As many rows as leave the other half of a second-level cache of 512 KiB to x; a single token needs none of them twice.
    int64_t most = m == 1 ? PANEL_ROWS : (256 << 10) / (2 * k) / TILE_ROWS * TILE_ROWS;
    most = most > PANEL_ROWS ? PANEL_ROWS : most < TILE_ROWS ? TILE_ROWS : most;
    for (int64_t r = 0; r < rows; r += most) {
        int64_t n = rows - r < most ? rows - r : most, t = 0;
        const uint16_t *part = w + r * k;
        const float *b = bias ? bias + r : 0;
        for (; t + TILE_TOKENS <= m; t += TILE_TOKENS) {
            bf16_tokens(TILE_TOKENS, TILE_ROWS, part, n, k, x + t * rounded(k), b, y + t * ldy + r, ldy, add);
        }
        switch (m - t) {
            case 1: bf16_tokens(1, 1, part, n, k, x + t * rounded(k), b, y + t * ldy + r, ldy, add); break;
            case 2: bf16_tokens(2, 2, part, n, k, x + t * rounded(k), b, y + t * ldy + r, ldy, add); break;
            case 3: bf16_tokens(3, 2, part, n, k, x + t * rounded(k), b, y + t * ldy + r, ldy, add); break;
            case 4: bf16_tokens(4, 2, part, n, k, x + t * rounded(k), b, y + t * ldy + r, ldy, add); break;
            case 5: bf16_tokens(5, 2, part, n, k, x + t * rounded(k), b, y + t * ldy + r, ldy, add); break;
            default: break;
        }
    }
}
