// SPDX-License-Identifier: Apache-2.0
//
// Products of rows of activations with rows of weights of 32 or 16 bits, both contiguous.
//
// One vector of partial sums per output, along the row; so weights are used where they lie, and one token or five hundred give
// the same bits. A single token streams the weights row by row; a few tokens take two rows at a time; many tokens work on
// tiles of a panel of weights that has been widened into the second-level cache once for all of them.

// The length of a sum that is computed in one go, so that a tile's rows of x stay in the first-level cache.
#define CHUNK 1024
// Weight rows of a panel at most; the partial sums of a tile of tokens with all of them lie on the stack.
#define PANEL_ROWS 64
// Up to this many tokens, weights are widened as they stream by.
#define STREAM_TOKENS 12
#define STREAM_TILE (LANES == 16 ? 6 : 4)
#define MOST_TOKENS (TILE_TOKENS > 6 ? TILE_TOKENS : 6)

// Bfloat16 comes two to a lane. So that nothing has to be moved, x is put into the same order beforehand: of every 2 * LANES
// elements those with even indices, then those with odd ones. What is left at the end of a row stays in order.
static void pair(const float *x, int64_t m, int64_t k, float *to) {
    for (int64_t t = 0; t < m; t++, x += k, to += k) {
        int64_t i = 0;
        for (; i + 2 * LANES <= k; i += 2 * LANES) {
            for (int lane = 0; lane < LANES; lane++) {
                to[i + lane] = x[i + 2 * lane];
                to[i + LANES + lane] = x[i + 2 * lane + 1];
            }
        }
        for (; i < k; i++) to[i] = x[i];
    }
}

// One row of bfloat16 as floats in that order.
INLINE void widen_pairs(const uint16_t *from, float *to, int64_t k) {
    int64_t i = 0;
    for (; i + 2 * LANES <= k; i += 2 * LANES) {
        VF first, second;
        vf_pair_bf16(from + i, &first, &second);
        vf_store(to + i, first);
        vf_store(to + i + LANES, second);
    }
    widen_from(BF16, from + i, to + i, k - i);
}

typedef VF SUMS[MOST_TOKENS][TILE_ROWS];

// sum[t][r] += x[t, 0] * w[r, 0], a vector of each.
INLINE void add_step(const int type, const int tokens, const int rows, const void *w, const float *x, int64_t k, SUMS sum) {
    VF row[TILE_ROWS];
    UNROLL for (int r = 0; r < rows; r++) row[r] = load(type, w, r * k);
    UNROLL for (int t = 0; t < tokens; t++) {
        VF v = vf_load(x + t * k);
        UNROLL for (int r = 0; r < rows; r++) sum[t][r] = vf_fma(row[r], v, sum[t][r]);
    }
}

// Two vectors of each, of bfloat16: one load has both, if x comes in pairs.
INLINE void add_pair(const int tokens, const int rows, const void *w, const float *x, int64_t k, SUMS sum) {
    VF first[TILE_ROWS], second[TILE_ROWS];
    UNROLL for (int r = 0; r < rows; r++) vf_pair_bf16((const uint16_t *) w + r * k, first + r, second + r);
    UNROLL for (int t = 0; t < tokens; t++) {
        VF a = vf_load(x + t * k), b = vf_load(x + t * k + LANES);
        UNROLL for (int r = 0; r < rows; r++) sum[t][r] = vf_fma(second[r], b, vf_fma(first[r], a, sum[t][r]));
    }
}

// sum[t][r] += x[t, i] * w[r, i] for i from begin to end, which is the end of the sum or a multiple of 2 * LANES.
INLINE void add_products(const int type, const int tokens, const int rows, const int fetch, const void *w, const float *x,
                         int64_t k, int64_t begin, int64_t end, SUMS sum) {
    const int step = type == F32 ? LANES : 2 * LANES;
    int64_t i = begin;
    for (; i + step <= end; i += step) {
        const char *at = (const char *) w + i * size_of(type);
        if (fetch) UNROLL for (int r = 0; r < rows; r++) PREFETCH(at + r * k * size_of(type), STREAM_NEAR);
        if (type == BF16) {
            add_pair(tokens, rows, at, x + i, k, sum);
        } else {
            add_step(type, tokens, rows, at, x + i, k, sum);
            if (step > LANES) add_step(type, tokens, rows, at + LANES * size_of(type), x + i + LANES, k, sum);
        }
    }
    for (; i + LANES <= end; i += LANES) {
        add_step(type, tokens, rows, (const char *) w + i * size_of(type), x + i, k, sum);
    }
    if (i < end) {
        UNROLL for (int r = 0; r < rows; r++) {
            VF row = load_part(type, w, r * k + i, end - i);
            UNROLL for (int t = 0; t < tokens; t++) sum[t][r] = vf_fma(row, vf_load_part(x + t * k + i, end - i), sum[t][r]);
        }
    }
}

INLINE void put(float *y, float value, const float *bias, int add) {
    if (bias) value += *bias;
    *y = add ? *y + value : value;
}

// The results of a token with so many rows.
INLINE void put_sums(const int rows, const VF *sum, const float *bias, float *y, int add) {
    if (rows == 4) {
        float four[4];
        vf_sum4(sum[0], sum[1], sum[2], sum[TILE_ROWS - 1], four);
        UNROLL for (int r = 0; r < rows; r++) put(y + r, four[r], bias ? bias + r : 0, add);
    } else {
        UNROLL for (int r = 0; r < rows; r++) put(y + r, vf_sum(sum[r]), bias ? bias + r : 0, add);
    }
}

// y[t, r] (+)= sum over i of x[t, i] * w[r, i] + bias[r], for so few tokens and rows.
INLINE void stream_tile(const int type, const int tokens, const int rows, const void *w, const float *x, int64_t k,
                        const float *bias, float *y, int64_t ldy, int add) {
    SUMS sum;
    UNROLL for (int t = 0; t < tokens; t++) UNROLL for (int r = 0; r < rows; r++) sum[t][r] = vf_zero();
    add_products(type, tokens, rows, 1, w, x, k, 0, k, sum);
    UNROLL for (int t = 0; t < tokens; t++) put_sums(rows, sum[t], bias, y + t * ldy, add);
}

INLINE void stream_rows(const int type, const int tokens, const void *w, int64_t rows, int64_t k, const float *x,
                        const float *bias, float *y, int64_t ldy, int add) {
    int64_t r = 0;
    if (tokens > 1) {
        for (; r + 2 <= rows; r += 2) {
            stream_tile(type, tokens, 2, (const char *) w + r * k * size_of(type), x, k, bias ? bias + r : 0, y + r, ldy, add);
        }
    }
    for (; r < rows; r++) {
        stream_tile(type, tokens, 1, (const char *) w + r * k * size_of(type), x, k, bias ? bias + r : 0, y + r, ldy, add);
    }
}

INLINE void stream(const int type, const void *w, int64_t rows, int64_t k, const float *x, int64_t m, const float *bias, float *y,
                   int64_t ldy, int add) {
    // Pairs of weight rows stay in the first-level cache while the tiles of tokens take turns on them.
    int64_t at_once = m <= STREAM_TILE ? rows : 2;
    for (int64_t r = 0; r < rows; r += at_once) {
        int64_t n = rows - r < at_once ? rows - r : at_once;
        const char *part = (const char *) w + r * k * size_of(type);
        const float *b = bias ? bias + r : 0;
        for (int64_t t = 0; t < m; t += STREAM_TILE) {
            const float *xt = x + t * k;
            float *yt = y + t * ldy + r;
            switch (m - t < STREAM_TILE ? m - t : STREAM_TILE) {
                case 1: stream_rows(type, 1, part, n, k, xt, b, yt, ldy, add); break;
                case 2: stream_rows(type, 2, part, n, k, xt, b, yt, ldy, add); break;
                case 3: stream_rows(type, 3, part, n, k, xt, b, yt, ldy, add); break;
                case 4: stream_rows(type, 4, part, n, k, xt, b, yt, ldy, add); break;
                case 5: stream_rows(type, 5, part, n, k, xt, b, yt, ldy, add); break;
                default: stream_rows(type, 6, part, n, k, xt, b, yt, ldy, add);
            }
        }
    }
}

// One chunk of the sums of a tile of a panel; the sums stay in memory between chunks.
INLINE void panel_tile(const int tokens, const int rows, const float *w, const float *x, int64_t k, int64_t begin, int64_t end,
                       VF *partial, const float *bias, float *y, int64_t ldy, int add) {
    SUMS sum;
    UNROLL for (int t = 0; t < tokens; t++) {
        UNROLL for (int r = 0; r < rows; r++) sum[t][r] = begin == 0 ? vf_zero() : partial[t * TILE_ROWS + r];
    }
    add_products(F32, tokens, rows, 0, w, x, k, begin, end, sum);
    if (end < k) {
        UNROLL for (int t = 0; t < tokens; t++) UNROLL for (int r = 0; r < rows; r++) partial[t * TILE_ROWS + r] = sum[t][r];
        return;
    }
    UNROLL for (int t = 0; t < tokens; t++) put_sums(rows, sum[t], bias, y + t * ldy, add);
}

INLINE void panel_tokens(const int tokens, const float *w, int64_t rows, int64_t k, const float *x, const float *bias, float *y,
                         int64_t ldy, int add) {
    VF partial[(PANEL_ROWS / TILE_ROWS + TILE_ROWS) * TILE_TOKENS * TILE_ROWS];
    for (int64_t begin = 0; begin < k; begin += CHUNK) {
        int64_t end = begin + CHUNK < k ? begin + CHUNK : k;
        VF *p = partial;
        int64_t r = 0;
        for (; r + TILE_ROWS <= rows; r += TILE_ROWS, p += TILE_TOKENS * TILE_ROWS) {
            panel_tile(tokens, TILE_ROWS, w + r * k, x, k, begin, end, p, bias ? bias + r : 0, y + r, ldy, add);
        }
        for (; r < rows; r++, p += TILE_TOKENS * TILE_ROWS) {
            panel_tile(tokens, 1, w + r * k, x, k, begin, end, p, bias ? bias + r : 0, y + r, ldy, add);
        }
    }
}

INLINE void panel(const float *w, int64_t rows, int64_t k, const float *x, int64_t m, const float *bias, float *y, int64_t ldy,
                  int add) {
    int64_t t = 0;
    for (; t + TILE_TOKENS <= m; t += TILE_TOKENS) panel_tokens(TILE_TOKENS, w, rows, k, x + t * k, bias, y + t * ldy, ldy, add);
    for (; t < m; t++) panel_tokens(1, w, rows, k, x + t * k, bias, y + t * ldy, ldy, add);
}

// y[t, r] (+)= sum over i of x[t, i] * w[r, i] + bias[r] for t < m, r < rows.
// Floats of scratch of the product below: a panel of weights.
INLINE int64_t linear_scratch(int64_t k) { return PANEL_ROWS * k; }

// w [rows, k] of a type; x [m, k], in pairs for bfloat16; bias [rows] or null; y [m, rows] with rows ldy apart.
static void linear(int type, const void *w, int64_t rows, int64_t k, const float *x, int64_t m, const float *bias, float *y,
                    int64_t ldy, int add, float *scratch) {
    if (m <= STREAM_TOKENS) {
        switch (type) {
            case F16: stream(F16, w, rows, k, x, m, bias, y, ldy, add); return;
            case BF16: stream(BF16, w, rows, k, x, m, bias, y, ldy, add); return;
            default: stream(F32, w, rows, k, x, m, bias, y, ldy, add); return;
        }
    }
    // As many rows as leave the other half of a second-level cache of 512 KiB to x.
    int64_t most = (256 << 10) / (4 * k) / TILE_ROWS * TILE_ROWS;
    most = most > PANEL_ROWS ? PANEL_ROWS / TILE_ROWS * TILE_ROWS : most < TILE_ROWS ? TILE_ROWS : most;
    for (int64_t r = 0; r < rows; r += most) {
        int64_t n = rows - r < most ? rows - r : most;
        const void *part = (const char *) w + r * k * size_of(type);
        const float *wide = part;
        if (type != F32) {
            wide = scratch;
            if (type == BF16) {
                for (int64_t i = 0; i < n; i++) widen_pairs((const uint16_t *) part + i * k, scratch + i * k, k);
            } else {
                widen(type, part, scratch, n * k);
            }
        }
        panel(wide, n, k, x, m, bias ? bias + r : 0, y + r, ldy, add);
    }
}
