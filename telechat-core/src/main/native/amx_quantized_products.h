// SPDX-License-Identifier: Apache-2.0
//
// Products of quantized activations with quantized weights for many tokens, on the matrix unit. Tokens are the left operand, a group
// of 32 columns of a panel the right one, whose layout it has already. The integers of a group leave the tiles for the floats'
// additions, which are those of quantized_products.h: so are the bits.

// Groups whose weights are taken apart at a time: 18 KiB.
#define CHUNK_GROUPS 32
// Tokens that stay in the second-level cache while the panels pass.
#define RESIDENT_TOKENS 128

// A group of a panel: its weights, signed, eight quads of 16 rows; and their scales.
typedef struct {
    int8_t weights[GROUP_SIZE / 4][LINE];
    float scales[PANEL];
} SIGNED_GROUP;

// Tiles 0 and 1 hold the integers of one group, 2 and 3 those of the next; 4 and 5 the tokens, 6 the weights.
INLINE void configure_tiles_for_groups(int tokens) {
    uint8_t rows[8] = {[6] = GROUP_SIZE / 4};
    uint16_t row_bytes[8] = {LINE, LINE, LINE, LINE, GROUP_SIZE, GROUP_SIZE, LINE, 0};
    for (int tile = 0; tile < 6; tile++) rows[tile] = (uint8_t) tokens;
    configure_tiles(rows, row_bytes);
}

INLINE void sign_groups(const int bits, const uint8_t *panel, int64_t first, int64_t count, SIGNED_GROUP *to) {
    const int group_bytes = PANEL * GROUP_SIZE * bits / 8;
    for (int64_t g = first; g < first + count; g++, to++) {
        const uint8_t *block = panel + PANEL * sizeof(float) + g / GROUPS * GROUPS * (PANEL + group_bytes);
        const uint8_t *scales = block + g % GROUPS * PANEL, *quads = block + GROUPS * PANEL + g % GROUPS * group_bytes;
        PREFETCH(scales, QUANTIZED_NEAR);
        vf_store(to->scales, bits == 8 ? scales8(scales) : scales4(scales));
        UNROLL for (int line = 0; line < bits; line++, quads += LINE) {
            PREFETCH(quads, QUANTIZED_NEAR);
            if (bits == 8) {
                _mm512_store_si512(to->weights[line], _mm512_xor_si512(vi_load(quads), _mm512_set1_epi8((char) 0x80)));
            } else {
                __m512i eight = _mm512_set1_epi8(8);
                _mm512_store_si512(to->weights[2 * line], _mm512_sub_epi8(low_quad(quads), eight));
                _mm512_store_si512(to->weights[2 * line + 1], _mm512_sub_epi8(high_quad(quads), eight));
            }
        }
    }
    BEFORE_TILES_READ;
}

// The integers of a group: with activations of 16 bits those of their upper bytes, then those of their lower ones.
#define MULTIPLY_GROUP(bits, upper, lower, group, x, stride, to)                      \
    do {                                                                              \
        _tile_zero(upper);                                                            \
        _tile_loadd(6, (group)->weights, LINE);                                       \
        _tile_loadd(4, x, stride);                                                    \
        _tile_dpbssd(upper, 4, 6);                                                    \
        if (bits == 8) {                                                              \
            _tile_zero(lower);                                                        \
            _tile_loadd(5, (x) + GROUP_SIZE, stride);                                 \
            _tile_dpbssd(lower, 5, 6);                                                \
            _tile_stored(lower, (to)[1], LINE);                                       \
        }                                                                             \
        _tile_stored(upper, (to)[0], LINE);                                           \
    } while (0)

// sum[t] += integers[t] * scales * factor of t.
INLINE void add_group(const int bits, const int tokens, int32_t integers[2][SUMS_OF_TILE], const float *scales, const char *factors,
                      int64_t stride, VF sum[TILE]) {
    VF scale = vf_load(scales);
    UNROLL for (int t = 0; t < tokens; t++) {
        VI whole = _mm512_load_si512(integers[0] + t * PANEL);
        if (bits == 8) whole = vi_add(vi_times256(whole), _mm512_load_si512(integers[1] + t * PANEL));
        float factor;
        memcpy(&factor, factors + t * stride, sizeof factor);
        sum[t] = vf_fma(vf_mul(vi_to_float(whole), scale), vf_set1(factor), sum[t]);
    }
}

// Adds an even number of groups to the sums of so many tokens. x: the first group of the first token; factors: its scale.
INLINE void add_groups(const int bits, const int tokens, const SIGNED_GROUP *groups, int64_t count, const char *x,
                       const char *factors, int64_t stride, VF sum[TILE]) {
    const int64_t group_bytes = GROUP_SIZE * x_bytes(bits);
    int32_t integers[2][2][SUMS_OF_TILE] __attribute__((aligned(LINE)));
    MULTIPLY_GROUP(bits, 0, 1, groups, x, stride, integers[0]);
    for (int64_t g = 0; g < count; g += 2) {
        MULTIPLY_GROUP(bits, 2, 3, groups + g + 1, x + (g + 1) * group_bytes, stride, integers[1]);
        add_group(bits, tokens, integers[0], groups[g].scales, factors + 4 * g, stride, sum);
        if (g + 2 < count) MULTIPLY_GROUP(bits, 0, 1, groups + g + 2, x + (g + 2) * group_bytes, stride, integers[0]);
        add_group(bits, tokens, integers[1], groups[g + 1].scales, factors + 4 * (g + 1), stride, sum);
    }
}

// A panel with at most RESIDENT_TOKENS tokens, so many at a time.
INLINE void panel_with_tiles(const int bits, const int tokens, const uint8_t *panel, int64_t rows, int64_t blocks, const char *x,
                             int64_t m, const float *bias, float *y, int64_t ldy, int add) {
    SIGNED_GROUP chunk[CHUNK_GROUPS] __attribute__((aligned(LINE)));
    float carried[RESIDENT_TOKENS * PANEL] __attribute__((aligned(LINE)));
    const int64_t groups = blocks * GROUPS, stride = blocks * (BLOCK * x_bytes(bits) + 8 * GROUPS);
    configure_tiles_for_groups(tokens);
    for (int64_t first = 0; first < groups; first += CHUNK_GROUPS) {
        int64_t count = groups - first < CHUNK_GROUPS ? groups - first : CHUNK_GROUPS;
        sign_groups(bits, panel, first, count, chunk);
        for (int64_t t = 0; t < m; t += tokens) {
            float *sums = carried + t * PANEL;
            VF sum[TILE];
            UNROLL for (int i = 0; i < tokens; i++) sum[i] = first == 0 ? vf_zero() : vf_load(sums + i * PANEL);
            if (first + count == groups) expect_writes(tokens, y + t * ldy, ldy);
            const char *token = x + t * stride;
            add_groups(bits, tokens, chunk, count, token + first * GROUP_SIZE * x_bytes(bits),
                       token + groups * GROUP_SIZE * x_bytes(bits) + 4 * first, stride, sum);
            if (first + count < groups) {
                UNROLL for (int i = 0; i < tokens; i++) vf_store(sums + i * PANEL, sum[i]);
            } else {
                put_panel(tokens, (const float *) panel, 0, rows, sum, bias, y + t * ldy, ldy, add);
            }
        }
    }
}

// All panels with as many tokens as fill tiles at least by half; returns how many.
INLINE int64_t quantized_with_tiles(const int bits, const uint8_t *panels, int64_t rows, int64_t k, const char *x, int64_t m,
                                    const float *bias, float *y, int64_t ldy, int add) {
    int64_t blocks = blocks_of(k), t = 0;
    while (m - t >= TILE / 2) {
        int64_t whole = (m - t) / TILE * TILE, count = whole == 0 ? TILE / 2 : whole < RESIDENT_TOKENS ? whole : RESIDENT_TOKENS;
        const uint8_t *panel = panels;
        const char *from = x + t * token_bytes(bits, k);
        for (int64_t r = 0; r < rows; r += PANEL, panel += panel_bytes(bits, k)) {
            const float *b = bias ? bias + r : 0;
            float *to = y + t * ldy + r;
            if (whole > 0) {
                panel_with_tiles(bits, TILE, panel, rows - r, blocks, from, count, b, to, ldy, add);
            } else {
                panel_with_tiles(bits, TILE / 2, panel, rows - r, blocks, from, count, b, to, ldy, add);
            }
        }
        t += count;
    }
    _tile_release();
    return t;
}
