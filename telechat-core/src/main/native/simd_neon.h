// SPDX-License-Identifier: Apache-2.0
//
// What the kernels need of an instruction set, for 64-bit Arm with NEON and the dot-product instructions of ARMv8.2.

#include <arm_neon.h>
#include <stdint.h>

#define KERNEL(name) telechat_neon_##name
#define LANES 4
#define TILE_TOKENS 5
#define TILE_ROWS 4
#define QUANTIZED_TOKENS 2
#define PIECE 4

typedef float32x4_t VF;

INLINE VF vf_zero(void) { return vdupq_n_f32(0); }
INLINE VF vf_set1(float v) { return vdupq_n_f32(v); }
INLINE VF vf_load(const float *p) { return vld1q_f32(p); }
INLINE void vf_store(float *p, VF v) { vst1q_f32(p, v); }
INLINE VF vf_add(VF a, VF b) { return vaddq_f32(a, b); }
INLINE VF vf_sub(VF a, VF b) { return vsubq_f32(a, b); }
INLINE VF vf_mul(VF a, VF b) { return vmulq_f32(a, b); }
INLINE VF vf_div(VF a, VF b) { return vdivq_f32(a, b); }
INLINE VF vf_fma(VF a, VF b, VF c) { return vfmaq_f32(c, a, b); }
INLINE VF vf_max(VF a, VF b) { return vmaxq_f32(a, b); }
INLINE VF vf_min(VF a, VF b) { return vminq_f32(a, b); }
INLINE VF vf_abs(VF a) { return vabsq_f32(a); }
INLINE VF vf_round(VF a) { return vrndnq_f32(a); }
INLINE VF vf_scale(VF v, VF n) {
    int32x4_t exponent = vshlq_n_s32(vaddq_s32(vcvtq_s32_f32(n), vdupq_n_s32(127)), 23);
    return vmulq_f32(v, vreinterpretq_f32_s32(exponent));
}

INLINE float vf_sum(VF v) {
    float32x2_t two = vadd_f32(vget_low_f32(v), vget_high_f32(v));
    return vget_lane_f32(two, 0) + vget_lane_f32(two, 1);
}
INLINE void vf_sum4(VF a, VF b, VF c, VF d, float *out) {
    out[0] = vf_sum(a);
    out[1] = vf_sum(b);
    out[2] = vf_sum(c);
    out[3] = vf_sum(d);
}
INLINE float vf_max_lane(VF v) { return vmaxvq_f32(v); }

INLINE VF vf_from_f16(const uint16_t *p) { return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(p))); }
INLINE VF vf_from_bf16(const uint16_t *p) { return vreinterpretq_f32_u32(vshll_n_u16(vld1_u16(p), 16)); }
INLINE void vf_pair_bf16(const uint16_t *p, VF *first, VF *second) {
    uint32x4_t pairs = vreinterpretq_u32_u16(vld1q_u16(p));
    *first = vreinterpretq_f32_u32(vshlq_n_u32(pairs, 16));
    *second = vreinterpretq_f32_u32(vandq_u32(pairs, vdupq_n_u32(0xffff0000)));
}
INLINE void vf_to_f16(uint16_t *p, VF v) { vst1_u16(p, vreinterpret_u16_f16(vcvt_f16_f32(v))); }
INLINE uint16_t float_to_f16(float v) {
    __fp16 half = (__fp16) v;
    uint16_t bits;
    memcpy(&bits, &half, sizeof bits);
    return bits;
}

INLINE VF vf_load_part(const float *p, int64_t n) {
    float part[LANES] = {0};
    memcpy(part, p, n * sizeof *p);
    return vf_load(part);
}
INLINE void vf_store_part(float *p, int64_t n, VF v) {
    float part[LANES];
    vf_store(part, v);
    memcpy(p, part, n * sizeof *p);
}

typedef struct { int32x4_t v[4]; } VI16;
typedef struct { float32x4_t v[4]; } VF16;
typedef struct { int8x16_t v[4]; } QUAD;

INLINE VF16 vf16_zero(void) {
    VF z = vf_zero();
    return (VF16){{z, z, z, z}};
}
INLINE VF16 vf16_load(const float *p) { return (VF16){{vf_load(p), vf_load(p + 4), vf_load(p + 8), vf_load(p + 12)}}; }
INLINE void vf16_store(float *p, VF16 v) {
    for (int i = 0; i < 4; i++) vf_store(p + 4 * i, v.v[i]);
}
INLINE VF16 vf16_add(VF16 a, VF16 b) {
    for (int i = 0; i < 4; i++) a.v[i] = vf_add(a.v[i], b.v[i]);
    return a;
}
INLINE VF16 vf16_mul(VF16 a, VF16 b) {
    for (int i = 0; i < 4; i++) a.v[i] = vf_mul(a.v[i], b.v[i]);
    return a;
}
INLINE VF16 vf16_accumulate(VI16 v, VF16 scale, float factor, VF16 sum) {
    for (int i = 0; i < 4; i++) {
        sum.v[i] = vf_fma(vf_mul(vcvtq_f32_s32(v.v[i]), scale.v[i]), vf_set1(factor), sum.v[i]);
    }
    return sum;
}
INLINE VF16 scales_of(const uint8_t *p, const int bits) {
    VF16 scales;
    uint8x16_t bytes = vld1q_u8(p);
    for (int half = 0; half < 2; half++) {
        uint8x8_t eight = half == 0 ? vget_low_u8(bytes) : vget_high_u8(bytes);
        int16x8_t floats = vreinterpretq_s16_u16(vshll_n_u8(eight, 5));
        if (bits == 4) {
            int16x8_t signs = vshrq_n_s16(vreinterpretq_s16_u16(vshll_n_u8(eight, 8)), 1);
            floats = vandq_s16(signs, vdupq_n_s16((int16_t) 0xbfff));
        }
        scales.v[2 * half] = vcvt_f32_f16(vget_low_f16(vreinterpretq_f16_s16(floats)));
        scales.v[2 * half + 1] = vcvt_f32_f16(vget_high_f16(vreinterpretq_f16_s16(floats)));
    }
    return scales;
}
INLINE VF16 scales8(const uint8_t *p) { return scales_of(p, 8); }
INLINE VF16 scales4(const uint8_t *p) { return scales_of(p, 4); }
INLINE void quad8(const uint8_t *p, QUAD *even, QUAD *odd) {
    for (int i = 0; i < 4; i++) {
        uint16x8_t both = vreinterpretq_u16_u8(vld1q_u8(p + 16 * i));
        even->v[i] = vreinterpretq_s8_u16(vandq_u16(both, vdupq_n_u16(255)));
        odd->v[i] = vreinterpretq_s8_u16(vshrq_n_u16(both, 8));
    }
}
INLINE void quads4(const uint8_t *p, QUAD *low, QUAD *high) {
    for (int i = 0; i < 4; i++) {
        uint8x16_t both = vld1q_u8(p + 16 * i);
        low->v[i] = vreinterpretq_s8_u8(vandq_u8(both, vdupq_n_u8(15)));
        high->v[i] = vreinterpretq_s8_u8(vshrq_n_u8(both, 4));
    }
}

typedef VI16 GROUP;
INLINE GROUP group_all(int32_t v) {
    int32x4_t all = vdupq_n_s32(v);
    return (GROUP){{all, all, all, all}};
}
INLINE GROUP group_begin8(int32_t sum_x) { return group_all(-128 * sum_x); }
// Two columns of four rows times two of x.
INLINE int32x4_t pair_products(int8x16_t w, const int16_t *x) {
    int32_t two;
    memcpy(&two, x, sizeof two);
    int16x8_t weights = vreinterpretq_s16_s8(w), twos = vreinterpretq_s16_s32(vdupq_n_s32(two));
    return vpaddq_s32(vmull_s16(vget_low_s16(weights), vget_low_s16(twos)), vmull_high_s16(weights, twos));
}
INLINE GROUP group_add8(GROUP sum, QUAD even, QUAD odd, const int16_t *x) {
    for (int i = 0; i < 4; i++) {
        sum.v[i] = vaddq_s32(sum.v[i], vaddq_s32(pair_products(even.v[i], x), pair_products(odd.v[i], x + 2)));
    }
    return sum;
}
INLINE VI16 group_end8(GROUP sum, int32_t sum_x) {
    (void) sum_x;
    return sum;
}
INLINE GROUP group_begin4(int32_t sum_x) { return group_all(-8 * sum_x); }
INLINE GROUP group_add4(GROUP sum, QUAD w, const int8_t *x) {
    int32_t four;
    memcpy(&four, x, sizeof four);
    int8x16_t fours = vreinterpretq_s8_s32(vdupq_n_s32(four));
    for (int i = 0; i < 4; i++) sum.v[i] = vdotq_s32(sum.v[i], w.v[i], fours);
    return sum;
}
INLINE VI16 group_end4(GROUP sum, int32_t sum_x) {
    (void) sum_x;
    return sum;
}
