// SPDX-License-Identifier: Apache-2.0
//
// The machine's limits: how fast memory is read, and how many multiply-adds are done on registers alone, of floats or
// of pairs of bfloat16.

// Reads so many bytes, and returns something that depends on them.
static float read_all(const float *p, int64_t bytes) {
    VF a = vf_zero(), b = a, c = a, d = a;
    for (int64_t i = 0; i + 4 * LANES <= bytes / 4; i += 4 * LANES) {
        for (int line = 0; line < 4 * LANES * 4; line += LINE) PREFETCH((const char *) (p + i) + line, STREAM_NEAR);
        a = vf_max(a, vf_load(p + i));
        b = vf_max(b, vf_load(p + i + LANES));
        c = vf_max(c, vf_load(p + i + 2 * LANES));
        d = vf_max(d, vf_load(p + i + 3 * LANES));
    }
    return vf_max_lane(vf_max(vf_max(a, b), vf_max(c, d)));
}

// Twelve chains of additions that depend on nothing but themselves: enough to fill two units of latency four.
#define CHAINS 12

// Does rounds * CHAINS * LANES products of one form; the result depends on them.
INLINE float multiply_chains(const int form, int64_t rounds) {
    VF sum[CHAINS], factor = vf_set1(0.999f);
    UNROLL for (int c = 0; c < CHAINS; c++) sum[c] = vf_set1((float) c);
    for (int64_t r = 0; r < rounds; r++) {
        // Either way the sums stay finite.
        UNROLL for (int c = 0; c < CHAINS; c++) {
            sum[c] = form == FLOATS ? vf_fma(sum[c], factor, factor) : add_product(form, factor, factor, sum[c]);
        }
    }
    float total = 0;
    UNROLL for (int c = 0; c < CHAINS; c++) total += vf_sum(sum[c]);
    return total;
}

#ifdef HAS_AMX
// Tile products take longer: one of each of four tiles in so many rounds.
#define ROUNDS_OF_TILES 8

static float multiply_tiles(int64_t rounds) {
    uint16_t factors[TILE * 2 * TILE] __attribute__((aligned(LINE)));
    float sums[SUMS_OF_TILE] __attribute__((aligned(LINE)));
    for (int i = 0; i < TILE * 2 * TILE; i++) factors[i] = float_to_bf16(1e-3f * (float) (i % 31));
    configure_matrix_tiles();
    BEFORE_TILES_READ;
    zero_sums();
    _tile_loadd(4, factors, LINE);
    _tile_loadd(5, factors, LINE);
    for (int64_t r = 0; r < rounds / ROUNDS_OF_TILES; r++) {
        _tile_dpbf16ps(0, 4, 5);
        _tile_dpbf16ps(1, 4, 5);
        _tile_dpbf16ps(2, 4, 5);
        _tile_dpbf16ps(3, 4, 5);
    }
    _tile_stored(3, sums, LINE);
    return sums[TILE];
}
#endif

// Floating-point operations of so many rounds.
static double multiply_add_flops(int form, int64_t rounds) {
#ifdef HAS_AMX
    if (form == PAIRS) return (double) (rounds / ROUNDS_OF_TILES) * 4 * 2 * SUMS_OF_TILE * 2 * TILE;
#endif
    return (double) rounds * 2 * CHAINS * LANES * (double) per_step(form);
}

// Does them.
static float multiply_add(int form, int64_t rounds) {
#if defined(HAS_AMX)
    if (form == PAIRS) return multiply_tiles(rounds);
#elif defined(HAS_BF16)
    if (form == PAIRS) return multiply_chains(PAIRS, rounds);
#endif
    (void) form;
    return multiply_chains(FLOATS, rounds);
}
