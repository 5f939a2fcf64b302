// SPDX-License-Identifier: Apache-2.0
//
// Products of bfloat16 with bfloat16 on the matrix unit. Weights are the left operand, so rows need not be rearranged, and
// activations the right one, sixteen tokens side by side; the sums of a tile come out transposed and are turned as they leave it.
// One token takes the same steps as five hundred, so its sums have the same order.
//
// Many tokens take a chunk of the columns at a time, of which activations stay in the second-level cache while the rows pass.

// Elements in a row of a tile.
#define STEP 32
// Steps of a chunk, if there are more than a few tokens.
#define CHUNK_STEPS 32
#define FEW_TOKENS 64
// Sums of so many are carried from chunk to chunk.
#define BLOCK_ROWS 128
#define BLOCK_TOKENS 512

INLINE int64_t steps_of(int64_t k) { return (k + STEP - 1) / STEP; }

// Bytes of a rounded token.
INLINE int64_t rounded_bytes(int64_t k) { return steps_of(k) * STEP * (int64_t) sizeof(uint16_t); }

INLINE VF vf_load_there(const float *p, int64_t there) {
    return there >= LANES ? vf_load(p) : there > 0 ? vf_load_part(p, there) : vf_zero();
}

// x [m, k] rounded, sixteen tokens at a time, or as many as there are: their pairs of columns, filled up to whole steps, one after
// the other, of each pair all tokens.
static void round_tokens(const float *x, int64_t m, int64_t k, uint16_t *to) {
    for (int64_t t = 0; t < m; t += TILE) {
        int64_t tokens = m - t < TILE ? m - t : TILE;
        for (int64_t i = 0; i < k; i += STEP, to += STEP * tokens) {
            __m512i pairs[TILE];
            for (int64_t j = 0; j < TILE; j++) {
                const float *from = x + (t + j) * k + i;
                int64_t there = j < tokens ? k - i : 0;
                pairs[j] = (__m512i) vh_round(vf_load_there(from, there), vf_load_there(from + LANES, there - LANES));
            }
            turn_tile(pairs);
            __mmask16 mask = (__mmask16) ((1u << tokens) - 1);
            for (int64_t p = 0; p < TILE; p++) _mm512_mask_storeu_epi32(to + 2 * tokens * p, mask, pairs[p]);
        }
    }
}

// Tiles 0 to 3 hold sums, 4 and 5 weights of so many rows, 6 and 7 so many tokens.
INLINE void configure_tiles_bf16(int rows, int tokens) {
    uint8_t r = (uint8_t) rows;
    uint16_t b = (uint16_t) (4 * tokens);
    configure_tiles((uint8_t[]){r, r, r, r, r, r, TILE, TILE}, (uint16_t[]){b, b, b, b, LINE, LINE, b, b});
}

INLINE void zero_sums(void) {
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
}

// The sums of one or two left operands with one or two right ones; each tile has a place of its own.
INLINE void load_sums(const int lefts, const int rights, const void *sums) {
    _tile_loadd(0, sums, LINE);
    if (rights > 1) _tile_loadd(1, (const char *) sums + TILE_BYTES, LINE);
    if (lefts > 1) _tile_loadd(2, (const char *) sums + 2 * TILE_BYTES, LINE);
    if (lefts > 1 && rights > 1) _tile_loadd(3, (const char *) sums + 3 * TILE_BYTES, LINE);
}

INLINE void store_sums(const int lefts, const int rights, void *sums) {
    _tile_stored(0, sums, LINE);
    if (rights > 1) _tile_stored(1, (char *) sums + TILE_BYTES, LINE);
    if (lefts > 1) _tile_stored(2, (char *) sums + 2 * TILE_BYTES, LINE);
    if (lefts > 1 && rights > 1) _tile_stored(3, (char *) sums + 3 * TILE_BYTES, LINE);
}

// Some rows of weights and some tokens: what they are multiplied with, and where the sums go.
typedef struct {
    const uint16_t *w;
    int64_t k;
    const uint16_t *x;
    const float *bias;
    float *y;
    int64_t ldy;
    int add;
} PRODUCT;

// Adds the products of so many steps to the sums of one or two tiles of each side. fetch: whether the rows of weights that lie behind
// these are asked for meanwhile, from first byte to last: the hardware does not follow so many rows at once.
INLINE void add_steps(const int lefts, const int rights, int64_t steps, const char *w, int64_t w_row, const char *x, int64_t x_row,
                      int64_t x_tile, int fetch, const PRODUCT *out) {
    const char *next = w + lefts * TILE * w_row;
    for (int64_t s = 0; s < steps; s++, w += LINE, x += TILE * x_row, next += lefts * TILE_BYTES) {
        if (fetch) {
            UNROLL for (int r = 0; r < lefts * TILE; r++) __builtin_prefetch(next + r * LINE, 0, 2);
        }
        if (out && s < rights * TILE) {
            __builtin_prefetch(out->y + s * out->ldy, 1, 3);
            if (lefts > 1) __builtin_prefetch(out->y + s * out->ldy + TILE, 1, 3);
        }
        _tile_loadd(6, x, x_row);
        _tile_loadd(4, w, w_row);
        _tile_dpbf16ps(0, 4, 6);
        if (lefts > 1) {
            _tile_loadd(5, w + TILE * w_row, w_row);
            _tile_dpbf16ps(2, 5, 6);
        }
        if (rights > 1) {
            _tile_loadd(7, x + x_tile, x_row);
            _tile_dpbf16ps(1, 4, 7);
            if (lefts > 1) _tile_dpbf16ps(3, 5, 7);
        }
    }
}

// A tile of sums [rows, tokens] to y, turned.
INLINE void put_turned(const float *sums, int64_t rows, int64_t tokens, const float *bias, float *y, int64_t ldy, int add) {
    __mmask16 there = (__mmask16) ((1u << rows) - 1);
    __m512i r[TILE];
    UNROLL for (int i = 0; i < TILE; i++) r[i] = _mm512_load_si512(sums + i * TILE);
    turn_tile(r);
    VF b = bias ? _mm512_maskz_loadu_ps(there, bias) : vf_zero();
    for (int64_t t = 0; t < tokens; t++, y += ldy) {
        VF v = (VF) r[t];
        if (bias) v = vf_add(v, b);
        if (add) v = vf_add(_mm512_maskz_loadu_ps(there, y), v);
        _mm512_mask_storeu_ps(y, there, v);
    }
}

// One or two tiles of so many rows with one or two of so many tokens, from a step on. sums: those of the steps before, and after.
INLINE void tiles_bf16(const int lefts, const int rights, PRODUCT p, int64_t rows, int64_t tokens, int64_t first, int64_t count,
                       float *sums, int fetch) {
    int64_t steps = steps_of(p.k), x_row = 4 * tokens, x_tile = steps * TILE * x_row;
    const char *x = (const char *) p.x + first * TILE * x_row;
    if (first == 0) {
        zero_sums();
    } else {
        load_sums(lefts, rights, sums);
    }
    int ends = first + count == steps, cut = ends && p.k % STEP != 0;
    add_steps(lefts, rights, count - cut, (const char *) (p.w + first * STEP), 2 * p.k, x, x_row, x_tile, fetch, rights > 1 && ends ? &p : 0);
    if (cut) {
        int64_t at = p.k / STEP * STEP;
        uint16_t last[2 * TILE * STEP] = {0};
        for (int64_t r = 0; r < (lefts - 1) * TILE + rows; r++) memcpy(last + r * STEP, p.w + r * p.k + at, 2 * (p.k - at));
        BEFORE_TILES_READ;
        add_steps(lefts, rights, 1, (const char *) last, LINE, x + (count - 1) * TILE * x_row, x_row, x_tile, 0, 0);
    }
    store_sums(lefts, rights, sums);
    if (!ends) return;
    for (int l = 0; l < lefts; l++) {
        for (int r = 0; r < rights; r++) {
            put_turned(sums + (2 * l + r) * SUMS_OF_TILE, rows, tokens, p.bias ? p.bias + l * TILE : 0,
                       p.y + r * TILE * p.ldy + l * TILE, p.ldy, p.add);
        }
    }
}

INLINE PRODUCT from_row(PRODUCT p, int64_t row) {
    p.w += row * p.k;
    if (p.bias) p.bias += row;
    p.y += row;
    return p;
}

INLINE PRODUCT from_token(PRODUCT p, int64_t token) {
    p.x += token * steps_of(p.k) * STEP;
    p.y += token * p.ldy;
    return p;
}

// At most BLOCK_ROWS rows with at most BLOCK_TOKENS tokens, which fill one or two tiles at a time.
INLINE void block_bf16(const int rights, PRODUCT p, int64_t rows, int64_t m, int64_t tokens) {
    float sums[BLOCK_ROWS * BLOCK_TOKENS] __attribute__((aligned(LINE)));
    int64_t steps = steps_of(p.k), chunk = m <= FEW_TOKENS ? steps : CHUNK_STEPS;
    // Sums that are not carried share a place.
    int64_t place = chunk < steps ? 4 * SUMS_OF_TILE : 0;
    for (int64_t first = 0; first < steps; first += chunk) {
        int64_t count = steps - first < chunk ? steps - first : chunk, r = 0;
        float *s = sums;
        configure_tiles_bf16(TILE, (int) tokens);
        for (; r + 2 * TILE <= rows; r += 2 * TILE) {
            for (int64_t t = 0; t < m; t += rights * tokens, s += place) {
                tiles_bf16(2, rights, from_token(from_row(p, r), t), TILE, tokens, first, count, s, t == 0);
            }
        }
        for (; r < rows; r += TILE) {
            int64_t left = rows - r < TILE ? rows - r : TILE;
            configure_tiles_bf16((int) left, (int) tokens);
            for (int64_t t = 0; t < m; t += rights * tokens, s += place / 2) {
                tiles_bf16(1, rights, from_token(from_row(p, r), t), left, tokens, first, count, s, 0);
            }
        }
    }
}

// y[t, r] (+)= sum over i of x[t, i] * w[r, i] + bias[r] for t < m, r < rows. w [rows, k]; x as round_tokens writes it; y [m, rows],
// rows ldy apart.
static void linear_bf16(const uint16_t *w, int64_t rows, int64_t k, const uint16_t *x, int64_t m, const float *bias, float *y,
                        int64_t ldy, int add) {
    const PRODUCT all = {w, k, x, bias, y, ldy, add};
    for (int64_t r = 0; r < rows; r += BLOCK_ROWS) {
        int64_t n = rows - r < BLOCK_ROWS ? rows - r : BLOCK_ROWS, t = 0;
        PRODUCT p = from_row(all, r);
        while (m - t >= 2 * TILE) {
            int64_t count = m - t < BLOCK_TOKENS ? (m - t) / (2 * TILE) * (2 * TILE) : BLOCK_TOKENS;
            block_bf16(2, from_token(p, t), n, count, TILE);
            t += count;
        }
        for (; t < m; t += TILE) {
            int64_t count = m - t < TILE ? m - t : TILE;
            block_bf16(1, from_token(p, t), n, count, count);
        }
    }
    _tile_release();
}
