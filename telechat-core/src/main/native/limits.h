// SPDX-License-Identifier: Apache-2.0
//
// The machine's limits: how fast memory is read, and how many multiply-adds are done on registers alone.

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

// Does rounds * FLOPS_PER_ROUND floating-point operations.
static float multiply_add(int64_t rounds) {
    VF sum[CHAINS], factor = vf_set1(0.999f);
    UNROLL for (int c = 0; c < CHAINS; c++) sum[c] = vf_set1((float) c);
    for (int64_t r = 0; r < rounds; r++) {
        UNROLL for (int c = 0; c < CHAINS; c++) sum[c] = vf_fma(sum[c], factor, factor);
    }
    float total = 0;
    UNROLL for (int c = 0; c < CHAINS; c++) total += vf_sum(sum[c]);
    return total;
}

#define FLOPS_PER_ROUND (2 * CHAINS * LANES)
