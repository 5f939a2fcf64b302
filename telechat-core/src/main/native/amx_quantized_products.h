// SPDX-License-Identifier: Apache-2.0
//
// Products of quantized activations with quantized weights for many tokens, on the matrix unit. Tokens are the left operand, a group
// of 32 columns of a panel the right one. Weights of 4 bits and their activations are multiplied as bytes. Weights of 8 bits and the
// two parts of their activations are multiplied as bfloat16, which holds them exactly, as a float does the sum of a group (32 * 128 *
// 2,039 < 2^24): then both parts add to the same sums, and no integers need to be widened. For a few tokens that costs more than it
// gains: they are multiplied with the bytes as they lie, each part apart. From there on the operations are those of
// quantized_products.h: so are the bits.

// Groups whose weights are taken apart at a time: 34 KiB.
#define CHUNK_GROUPS 32
// Tokens that stay in the second-level cache while the panels pass.
#define RESIDENT_TOKENS 256
#define RESIDENT_BYTES (1 << 20)
// So many tokens pay for taking weights of 8 bits apart.
#define MANY_TOKENS (3 * TILE)

// A group of a panel without bias: as bytes, quad by quad; as bfloat16, of each quad of 16 rows first the even columns, then the odd
// ones.
typedef struct {
    union {
        int8_t bytes[GROUP_SIZE / 4][4 * PANEL];
        uint16_t bf16[GROUP_SIZE / 2][2 * PANEL];
    };
    float scales[PANEL];
} APART_GROUP;

// Tiles 0 and 1 hold the sums of two groups in turn, 4 and 5 the tokens, 6 the weights.
INLINE void configure_tiles_for_groups(const int bits) {
    const uint8_t depth = bits == 8 ? GROUP_SIZE / 2 : GROUP_SIZE / 4;
    const uint16_t row = bits == 8 ? 2 * GROUP_SIZE : GROUP_SIZE;
    configure_tiles((uint8_t[]){TILE, TILE, 0, 0, TILE, TILE, depth, 0}, (uint16_t[]){LINE, LINE, 0, 0, row, row, LINE, 0});
}

// Of the lower bytes of all lanes of 16 bits: less 128, as bfloat16.
INLINE __m512i bytes_to_bf16(__m512i v) {
    // Behind the mantissa's first 15 bits, 2^15 has room for a byte.
    const __m512i room = _mm512_set1_epi32(0x47000000);
    const VF bias = vf_set1(32768 + 128);
    __m512i byte = _mm512_set1_epi32(0xff00);
    VF low = vf_sub((VF) _mm512_or_si512(_mm512_and_si512(_mm512_slli_epi32(v, 8), byte), room), bias);
    VF high = vf_sub((VF) _mm512_or_si512(_mm512_and_si512(_mm512_srli_epi32(v, 8), byte), room), bias);
    return _mm512_or_si512(_mm512_srli_epi32((__m512i) low, 16), (__m512i) high); // exact: the lower halves are zeros
}

// Takes groups of a panel apart.
INLINE void take_apart(const int bits, const uint8_t *panel, int64_t first, int64_t count, APART_GROUP *to) {
    const int group_bytes = PANEL * GROUP_SIZE * bits / 8;
    for (int64_t g = first; g < first + count; g++, to++) {
        const uint8_t *block = panel + PANEL * sizeof(float) + g / GROUPS * GROUPS * (PANEL + group_bytes);
        const uint8_t *scales = block + g % GROUPS * PANEL, *quads = block + GROUPS * PANEL + g % GROUPS * group_bytes;
        PREFETCH(scales, QUANTIZED_NEAR);
        vf_store(to->scales, bits == 8 ? scales8(scales) : scales4(scales));
        UNROLL for (int line = 0; line < bits; line++, quads += LINE) {
            PREFETCH(quads, QUANTIZED_NEAR);
            if (bits == 8) {
                VI v = vi_load(quads);
                _mm512_store_si512(to->bf16[2 * line], bytes_to_bf16(v));
                _mm512_store_si512(to->bf16[2 * line + 1], bytes_to_bf16(_mm512_srli_epi16(v, 8)));
            } else {
                const VI bias = _mm512_set1_epi8(8);
                _mm512_store_si512(to->bytes[2 * line], _mm512_sub_epi8(low_quad(quads), bias));
                _mm512_store_si512(to->bytes[2 * line + 1], _mm512_sub_epi8(high_quad(quads), bias));
            }
        }
    }
    BEFORE_TILES_READ;
}

// The sums of a group for the tokens of a tile.
#define MULTIPLY_GROUP(bits, tile, group, x, stride, to) \
    do {                                                 \
        _tile_zero(tile);                                \
        _tile_loadd(6, (group)->bytes, LINE);            \
        _tile_loadd(4, x, stride);                       \
        if (bits == 8) {                                 \
            _tile_dpbf16ps(tile, 4, 6);                  \
            _tile_loadd(5, (x) + LINE, stride);          \
            _tile_dpbf16ps(tile, 5, 6);                  \
        } else {                                         \
            _tile_dpbssd(tile, 4, 6);                    \
        }                                                \
        _tile_stored(tile, to, LINE);                    \
    } while (0)

// sum[t] += products[t] * scales * factor of t.
INLINE void add_group(const int bits, const void *products, const float *scales, const char *factors, int64_t stride, VF sum[TILE]) {
    VF scale = vf_load(scales);
    UNROLL for (int t = 0; t < TILE; t++) {
        float factor;
        memcpy(&factor, factors + t * stride, sizeof factor);
        const char *row = (const char *) products + t * LINE;
        VF product = bits == 8 ? vf_load((const float *) row) : vi_to_float(_mm512_load_si512(row));
        sum[t] = vf_fma(vf_mul(product, scale), vf_set1(factor), sum[t]);
    }
}

// Bytes of a group of a token, as a tile takes them.
INLINE int64_t tile_bytes(int bits) { return bits == 8 ? 4 * GROUP_SIZE : GROUP_SIZE; }

// Adds an even number of groups to the sums of a tile's tokens. x: the first group of the first token; factors: its scale.
INLINE void add_groups(const int bits, const APART_GROUP *groups, int64_t count, const char *x, const char *factors, int64_t stride,
                       VF sum[TILE]) {
    const int64_t step = tile_bytes(bits);
    char products[2][TILE_BYTES] __attribute__((aligned(LINE)));
    MULTIPLY_GROUP(bits, 0, groups, x, stride, products[0]);
    for (int64_t g = 0; g < count; g += 2) {
        MULTIPLY_GROUP(bits, 1, groups + g + 1, x + (g + 1) * step, stride, products[1]);
        add_group(bits, products[0], groups[g].scales, factors + 4 * g, stride, sum);
        if (g + 2 < count) MULTIPLY_GROUP(bits, 0, groups + g + 2, x + (g + 2) * step, stride, products[0]);
        add_group(bits, products[1], groups[g + 1].scales, factors + 4 * (g + 1), stride, sum);
    }
}

// A panel with at most RESIDENT_TOKENS tokens, a multiple of TILE.
INLINE void panel_with_tiles(const int bits, const uint8_t *panel, int64_t rows, int64_t blocks, const char *x, int64_t m,
                             const float *bias, float *y, int64_t ldy, int add) {
    APART_GROUP chunk[CHUNK_GROUPS] __attribute__((aligned(LINE)));
    float carried[RESIDENT_TOKENS * PANEL] __attribute__((aligned(LINE)));
    const int64_t groups = blocks * GROUPS, stride = token_bytes(bits, blocks);
    const char *factors = x + groups * GROUP_SIZE * x_bytes(bits), *from = bits == 8 ? x + integer_bytes(bits, blocks) : x;
    for (int64_t first = 0; first < groups; first += CHUNK_GROUPS) {
        int64_t count = groups - first < CHUNK_GROUPS ? groups - first : CHUNK_GROUPS;
        take_apart(bits, panel, first, count, chunk);
        for (int64_t t = 0; t < m; t += TILE) {
            float *sums = carried + t * PANEL;
            VF sum[TILE];
            UNROLL for (int i = 0; i < TILE; i++) sum[i] = first == 0 ? vf_zero() : vf_load(sums + i * PANEL);
            if (first + count == groups) expect_writes(TILE, y + t * ldy, ldy);
            add_groups(bits, chunk, count, from + t * stride + first * tile_bytes(bits),
                       factors + t * stride + 4 * first, stride, sum);
            if (first + count < groups) {
                UNROLL for (int i = 0; i < TILE; i++) vf_store(sums + i * PANEL, sum[i]);
            } else {
                put_panel(TILE, 1, (const float *) panel, 0, rows, sum, bias, y + t * ldy, ldy, add);
            }
        }
    }
}

// Tiles 0 and 1 hold the sums of a group with the upper and the lower parts of the tokens in 4 and 5, 2 and 3 those of the next group;
// 6 the weights.
INLINE void configure_tiles_for_bytes(void) {
    configure_tiles((uint8_t[]){TILE, TILE, TILE, TILE, TILE, TILE, GROUP_SIZE / 4, 0},
                    (uint16_t[]){LINE, LINE, LINE, LINE, GROUP_SIZE, GROUP_SIZE, LINE, 0});
}

// The sums of a group of weights of 8 bits, with their bias, for each part of the tokens of a tile.
#define MULTIPLY_BYTES(upper, lower, quads, x, stride, to) \
    do {                                                   \
        _tile_zero(upper);                                 \
        _tile_loadd(6, quads, LINE);                       \
        _tile_loadd(4, x, stride);                         \
        _tile_dpbsud(upper, 4, 6);                         \
        _tile_zero(lower);                                 \
        _tile_loadd(5, (x) + GROUP_SIZE, stride);          \
        _tile_dpbsud(lower, 5, 6);                         \
        _tile_stored(upper, to, LINE);                     \
        _tile_stored(lower, (to) + TILE_BYTES, LINE);      \
    } while (0)

// sum[t] += (16 * upper[t] + lower[t] + offset of t) * scales * factor of t.
INLINE void add_parts(const char *products, const uint8_t *codes, const char *factors, const char *offsets, int64_t stride, VF sum[TILE]) {
    VF scale = scales8(codes);
    UNROLL for (int t = 0; t < TILE; t++) {
        float factor;
        memcpy(&factor, factors + t * stride, sizeof factor);
        VI upper = _mm512_load_si512(products + t * LINE), lower = _mm512_load_si512(products + TILE_BYTES + t * LINE);
        VI whole = vi_add(vi_add(vi_times16(upper), lower), all_lanes(offsets + t * stride));
        sum[t] = vf_fma(vf_mul(vi_to_float(whole), scale), vf_set1(factor), sum[t]);
    }
}

// A panel of weights of 8 bits with the tokens of a tile.
INLINE void panel_with_bytes(const uint8_t *panel, int64_t rows, int64_t blocks, const char *x, const float *bias, float *y, int64_t ldy,
                             int add) {
    const int64_t stride = token_bytes(8, blocks);
    const char *factors = x + blocks * BLOCK * x_bytes(8), *offsets = factors + blocks * GROUPS * 4;
    char products[2][2 * TILE_BYTES] __attribute__((aligned(LINE)));
    VF sum[TILE];
    UNROLL for (int t = 0; t < TILE; t++) sum[t] = vf_zero();
    expect_writes(TILE, y, ldy);
    const uint8_t *block = panel + PANEL * sizeof(float), *quads = block + GROUPS * PANEL;
    MULTIPLY_BYTES(0, 1, quads, x, stride, products[0]);
    for (int64_t b = 0; b < blocks; b++, block += GROUPS * PANEL + BLOCK * PANEL) {
        PREFETCH(block, QUANTIZED_NEAR);
        for (int g = 0; g < GROUPS; g += 2, factors += 8, offsets += 8) {
            UNROLL for (int line = 0; line < 16; line++) PREFETCH(quads + line * LINE, QUANTIZED_NEAR);
            quads += PANEL * GROUP_SIZE;
            x += 2 * GROUP_SIZE;
            MULTIPLY_BYTES(2, 3, quads, x, stride, products[1]);
            add_parts(products[0], block + g * PANEL, factors, offsets, stride, sum);
            quads += PANEL * GROUP_SIZE + (g + 2 == GROUPS ? GROUPS * PANEL : 0);
            x += 2 * GROUP_SIZE;
            if (b + 1 < blocks || g + 2 < GROUPS) MULTIPLY_BYTES(0, 1, quads, x, stride, products[0]);
            add_parts(products[1], block + (g + 1) * PANEL, factors + 4, offsets + 4, stride, sum);
        }
    }
    put_panel(TILE, 1, (const float *) panel, 0, rows, sum, bias, y, ldy, add);
}

// All panels with those tokens that fill tiles; returns how many.
INLINE int64_t quantized_with_tiles(const int bits, const uint8_t *panels, int64_t rows, int64_t blocks, const char *x, int64_t m,
                                    const float *bias, float *y, int64_t ldy, int add) {
    int64_t all = m / TILE * TILE, most = RESIDENT_BYTES / (blocks * GROUPS * tile_bytes(bits)) / TILE * TILE;
    if (all == 0) return 0;
    if (bits == 8 && all < MANY_TOKENS) {
        configure_tiles_for_bytes();
        for (int64_t r = 0; r < rows; r += PANEL, panels += panel_bytes(bits, blocks)) {
            for (int64_t t = 0; t < all; t += TILE) {
                panel_with_bytes(panels, rows - r, blocks, x + t * token_bytes(bits, blocks), bias ? bias + r : 0, y + t * ldy + r, ldy,
                                 add);
            }
        }
        _tile_release();
        return all;
    }
    most = most > RESIDENT_TOKENS ? RESIDENT_TOKENS : most < TILE ? TILE : most;
    configure_tiles_for_groups(bits);
    for (int64_t t = 0; t < all; t += most) {
        int64_t count = all - t < most ? all - t : most;
        const uint8_t *panel = panels;
        const char *from = x + t * token_bytes(bits, blocks);
        for (int64_t r = 0; r < rows; r += PANEL, panel += panel_bytes(bits, blocks)) {
            panel_with_tiles(bits, panel, rows - r, blocks, from, count, bias ? bias + r : 0, y + t * ldy + r, ldy, add);
        }
    }
    _tile_release();
    return all;
}
