// SPDX-License-Identifier: Apache-2.0
//
// What the kernels need of an instruction set, for 64-bit Arm with NEON and the dot-product instructions of ARMv8.2.

#include <arm_neon.h>
#include <stdint.h>

#define KERNEL(name) telechat_neon_##name
#define LANES 4
#define TILE_TOKENS 5
#define TILE_ROWS 4
#define MATRIX_ROWS 8
#define QUANTIZED_TOKENS 6
#define QUANTIZED_SUMS 12
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
INLINE VF vf_sqrt(VF a) { return vsqrtq_f32(a); }
INLINE VF vf_fma(VF a, VF b, VF c) { return vfmaq_f32(c, a, b); }
INLINE VF vf_fma_at(const float *x, VF b, VF c) { return vfmaq_n_f32(c, b, *x); }
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

// Rows into columns.
INLINE void vf_transpose(VF r[LANES]) {
    VF even_low = vtrn1q_f32(r[0], r[1]), odd_low = vtrn2q_f32(r[0], r[1]);
    VF even_high = vtrn1q_f32(r[2], r[3]), odd_high = vtrn2q_f32(r[2], r[3]);
    r[0] = vcombine_f32(vget_low_f32(even_low), vget_low_f32(even_high));
    r[1] = vcombine_f32(vget_low_f32(odd_low), vget_low_f32(odd_high));
    r[2] = vcombine_f32(vget_high_f32(even_low), vget_high_f32(even_high));
    r[3] = vcombine_f32(vget_high_f32(odd_low), vget_high_f32(odd_high));
}

INLINE VF vf_from_f16(const uint16_t *p) { return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(p))); }
INLINE VF vf_from_bf16(const uint16_t *p) { return vreinterpretq_f32_u32(vshll_n_u16(vld1_u16(p), 16)); }
INLINE VF vf_from_i8(const int8_t *p) {
    uint32_t four;
    memcpy(&four, p, sizeof four);
    return vcvtq_f32_s32(vmovl_s16(vget_low_s16(vmovl_s8(vreinterpret_s8_u32(vdup_n_u32(four))))));
}
INLINE void vf_pair_bf16(const uint16_t *p, VF *first, VF *second) {
    uint32x4_t pairs = vreinterpretq_u32_u16(vld1q_u16(p));
    *first = vreinterpretq_f32_u32(vshlq_n_u32(pairs, 16));
    *second = vreinterpretq_f32_u32(vandq_u32(pairs, vdupq_n_u32(0xffff0000)));
}
INLINE void vf_to_f16(uint16_t *p, VF v) { vst1_u16(p, vreinterpret_u16_f16(vcvt_f16_f32(v))); }
// Rounds to nearest even; NaN stays NaN.
INLINE void vf_to_bf16(uint16_t *p, VF v) {
    uint32x4_t bits = vreinterpretq_u32_f32(v), even = vandq_u32(vshrq_n_u32(bits, 16), vdupq_n_u32(1));
    uint32x4_t rounded = vaddq_u32(vaddq_u32(bits, vdupq_n_u32(0x7fff)), even);
    rounded = vbslq_u32(vceqq_f32(v, v), rounded, vorrq_u32(bits, vdupq_n_u32(0x400000)));
    vst1_u16(p, vshrn_n_u32(rounded, 16));
}
INLINE float float_from_f16(uint16_t v) {
    __fp16 half;
    memcpy(&half, &v, sizeof v);
    return (float) half;
}
INLINE uint16_t float_to_f16(float v) {
    __fp16 half = (__fp16) v;
    uint16_t bits;
    memcpy(&bits, &half, sizeof bits);
    return bits;
}

// Loops, not memcpy of n elements: the compiler cannot see that n < LANES.
INLINE VF vf_load_part(const float *p, int64_t n) {
    float part[LANES] = {0};
    UNROLL for (int i = 0; i < LANES; i++) {
        if (i < n) part[i] = p[i];
    }
    return vf_load(part);
}
INLINE void vf_store_part(float *p, int64_t n, VF v) {
    float part[LANES];
    vf_store(part, v);
    UNROLL for (int i = 0; i < LANES; i++) {
        if (i < n) p[i] = part[i];
    }
}

typedef int32x4_t VI;

INLINE VI vi_set1(int32_t v) { return vdupq_n_s32(v); }
INLINE VI vi_add(VI a, VI b) { return vaddq_s32(a, b); }
INLINE VF vi_to_float(VI v) { return vcvtq_f32_s32(v); }
INLINE VI all_lanes(const void *p) {
    int32_t four;
    memcpy(&four, p, sizeof four);
    return vdupq_n_s32(four);
}

INLINE uint8x8_t four_bytes(const uint8_t *p) {
    uint32_t four;
    memcpy(&four, p, sizeof four);
    return vreinterpret_u8_u32(vdup_n_u32(four));
}
INLINE VF scales8(const uint8_t *p) {
    return vcvt_f32_f16(vreinterpret_f16_u16(vget_low_u16(vshll_n_u8(four_bytes(p), 5))));
}
INLINE VF scales4(const uint8_t *p) {
    int16x4_t half = vshr_n_s16(vreinterpret_s16_u16(vget_low_u16(vshll_n_u8(four_bytes(p), 8))), 1);
    return vcvt_f32_f16(vreinterpret_f16_s16(vand_s16(half, vdup_n_s16((int16_t) 0xbfff))));
}

INLINE VI even_columns(const uint8_t *p) {
    return vreinterpretq_s32_u16(vandq_u16(vreinterpretq_u16_u8(vld1q_u8(p)), vdupq_n_u16(255)));
}
INLINE VI odd_columns(const uint8_t *p) { return vreinterpretq_s32_u16(vshrq_n_u16(vreinterpretq_u16_u8(vld1q_u8(p)), 8)); }
INLINE VI low_quad(const uint8_t *p) { return vreinterpretq_s32_u8(vandq_u8(vld1q_u8(p), vdupq_n_u8(15))); }
INLINE VI high_quad(const uint8_t *p) { return vreinterpretq_s32_u8(vshrq_n_u8(vld1q_u8(p), 4)); }

// Two columns of four rows times two of x.
INLINE VI pair_products(VI w, const int16_t *x) {
    int16x8_t weights = vreinterpretq_s16_s32(w), twos = vreinterpretq_s16_s32(all_lanes(x));
    return vpaddq_s32(vmull_s16(vget_low_s16(weights), vget_low_s16(twos)), vmull_high_s16(weights, twos));
}
INLINE VI group_add8(VI sum, VI even, VI odd, const int16_t *x) {
    return vi_add(vi_add(sum, pair_products(even, x)), pair_products(odd, x + 2));
}
INLINE VI group_begin4(const void *offset) { return all_lanes(offset); }
INLINE VI group_add4(VI sum, VI w, const int8_t *x) {
    return vdotq_s32(sum, vreinterpretq_s8_s32(w), vreinterpretq_s8_s32(all_lanes(x)));
}
INLINE VI group_end4(VI sum, const void *offset) {
    (void) offset;
    return sum;
}
