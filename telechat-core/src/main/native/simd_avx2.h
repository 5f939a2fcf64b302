// SPDX-License-Identifier: Apache-2.0
//
// What the kernels need of an instruction set, for AVX2 with FMA and F16C.

#include <immintrin.h>
#include <stdint.h>

#define KERNEL(name) telechat_avx2_##name
#define LANES 8
#define TILE_TOKENS 4
#define TILE_ROWS 3
#define MATRIX_ROWS 6
#define QUANTIZED_TOKENS 4
#define QUANTIZED_SUMS 8
#define PIECE 2

typedef __m256 VF;

INLINE VF vf_zero(void) { return _mm256_setzero_ps(); }
INLINE VF vf_set1(float v) { return _mm256_set1_ps(v); }
INLINE VF vf_load(const float *p) { return _mm256_loadu_ps(p); }
INLINE void vf_store(float *p, VF v) { _mm256_storeu_ps(p, v); }
INLINE VF vf_add(VF a, VF b) { return _mm256_add_ps(a, b); }
INLINE VF vf_sub(VF a, VF b) { return _mm256_sub_ps(a, b); }
INLINE VF vf_mul(VF a, VF b) { return _mm256_mul_ps(a, b); }
INLINE VF vf_div(VF a, VF b) { return _mm256_div_ps(a, b); }
INLINE VF vf_sqrt(VF a) { return _mm256_sqrt_ps(a); }
INLINE VF vf_fma(VF a, VF b, VF c) { return _mm256_fmadd_ps(a, b, c); }
INLINE VF vf_fma_at(const float *x, VF b, VF c) { return _mm256_fmadd_ps(_mm256_broadcast_ss(x), b, c); }
INLINE VF vf_max(VF a, VF b) { return _mm256_max_ps(a, b); }
INLINE VF vf_min(VF a, VF b) { return _mm256_min_ps(a, b); }
INLINE VF vf_abs(VF a) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), a); }
INLINE VF vf_round(VF a) { return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
INLINE VF vf_scale(VF v, VF n) {
    __m256i exponent = _mm256_slli_epi32(_mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127)), 23);
    return _mm256_mul_ps(v, _mm256_castsi256_ps(exponent));
}

INLINE float sum4(__m128 four) {
    __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}
INLINE __m128 halves(VF v) { return _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1)); }
INLINE float vf_sum(VF v) { return sum4(halves(v)); }
INLINE void vf_sum4(VF a, VF b, VF c, VF d, float *out) {
    out[0] = vf_sum(a);
    out[1] = vf_sum(b);
    out[2] = vf_sum(c);
    out[3] = vf_sum(d);
}
INLINE float vf_max_lane(VF v) {
    __m128 four = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
}

// Rows into columns.
INLINE void vf_transpose(VF r[LANES]) {
    VF t[LANES];
    UNROLL for (int i = 0; i < LANES; i += 2) {
        t[i] = _mm256_unpacklo_ps(r[i], r[i + 1]);
        t[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]);
    }
    UNROLL for (int i = 0; i < LANES; i += 4) {
        r[i] = _mm256_shuffle_ps(t[i], t[i + 2], 0x44);
        r[i + 1] = _mm256_shuffle_ps(t[i], t[i + 2], 0xee);
        r[i + 2] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0x44);
        r[i + 3] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0xee);
    }
    // Now the half at place p of r[4 q + c] holds column 4 p + c of rows 4 q to 4 q + 3.
    UNROLL for (int c = 0; c < 4; c++) {
        t[c] = _mm256_permute2f128_ps(r[c], r[4 + c], 0x20);
        t[4 + c] = _mm256_permute2f128_ps(r[c], r[4 + c], 0x31);
    }
    UNROLL for (int i = 0; i < LANES; i++) r[i] = t[i];
}

INLINE VF vf_from_f16(const uint16_t *p) { return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *) p)); }
INLINE VF vf_from_bf16(const uint16_t *p) {
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *) p)), 16));
}
INLINE VF vf_from_i8(const int8_t *p) {
    return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *) p)));
}
INLINE void vf_pair_bf16(const uint16_t *p, VF *first, VF *second) {
    __m256i pairs = _mm256_loadu_si256((const __m256i *) p);
    *first = _mm256_castsi256_ps(_mm256_slli_epi32(pairs, 16));
    *second = _mm256_castsi256_ps(_mm256_and_si256(pairs, _mm256_set1_epi32((int) 0xffff0000)));
}
INLINE void vf_to_f16(uint16_t *p, VF v) {
    _mm_storeu_si128((__m128i *) p, _mm256_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}
// Rounds to nearest even; NaN stays NaN.
INLINE void vf_to_bf16(uint16_t *p, VF v) {
    __m256i bits = _mm256_castps_si256(v), even = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
    __m256i rounded = _mm256_add_epi32(_mm256_add_epi32(bits, _mm256_set1_epi32(0x7fff)), even);
    __m256i quiet = _mm256_or_si256(bits, _mm256_set1_epi32(0x400000));
    rounded = _mm256_blendv_epi8(rounded, quiet, _mm256_castps_si256(_mm256_cmp_ps(v, v, _CMP_UNORD_Q)));
    rounded = _mm256_srli_epi32(rounded, 16);
    __m256i packed = _mm256_permute4x64_epi64(_mm256_packus_epi32(rounded, rounded), 0x08);
    _mm_storeu_si128((__m128i *) p, _mm256_castsi256_si128(packed));
}
INLINE float float_from_f16(uint16_t v) { return _cvtsh_ss(v); }
INLINE uint16_t float_to_f16(float v) { return _cvtss_sh(v, _MM_FROUND_TO_NEAREST_INT); }

INLINE __m256i first_lanes(int64_t n) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int) n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
INLINE VF vf_load_part(const float *p, int64_t n) { return _mm256_maskload_ps(p, first_lanes(n)); }
INLINE void vf_store_part(float *p, int64_t n, VF v) { _mm256_maskstore_ps(p, first_lanes(n), v); }

typedef __m256i VI;

INLINE VI vi_set1(int32_t v) { return _mm256_set1_epi32(v); }
INLINE VI vi_add(VI a, VI b) { return _mm256_add_epi32(a, b); }
INLINE VF vi_to_float(VI v) { return _mm256_cvtepi32_ps(v); }
INLINE VI all_lanes(const void *p) {
    int32_t four;
    memcpy(&four, p, sizeof four);
    return _mm256_set1_epi32(four);
}

INLINE VF scales8(const uint8_t *p) {
    return _mm256_cvtph_ps(_mm_slli_epi16(_mm_cvtepu8_epi16(_mm_loadl_epi64((const __m128i *) p)), 5));
}
INLINE VF scales4(const uint8_t *p) {
    __m128i half = _mm_slli_epi16(_mm_cvtepu8_epi16(_mm_loadl_epi64((const __m128i *) p)), 8);
    return _mm256_cvtph_ps(_mm_and_si128(_mm_srai_epi16(half, 1), _mm_set1_epi16((short) 0xbfff)));
}

INLINE VI load_bytes(const uint8_t *p) { return _mm256_loadu_si256((const __m256i *) p); }
INLINE VI even_columns(const uint8_t *p) { return _mm256_and_si256(load_bytes(p), _mm256_set1_epi16(255)); }
INLINE VI odd_columns(const uint8_t *p) { return _mm256_srli_epi16(load_bytes(p), 8); }
INLINE VI low_quad(const uint8_t *p) { return _mm256_and_si256(load_bytes(p), _mm256_set1_epi8(15)); }
INLINE VI high_quad(const uint8_t *p) { return _mm256_and_si256(_mm256_srli_epi16(load_bytes(p), 4), _mm256_set1_epi8(15)); }

// Additions of integers that the compiler put off would take more registers than there are.
INLINE VI in_order(VI sum) {
    __asm__("" : "+x"(sum));
    return sum;
}
INLINE VI group_add8(VI sum, VI even, VI odd, const int16_t *x) {
    return in_order(vi_add(in_order(vi_add(sum, _mm256_madd_epi16(even, all_lanes(x)))), _mm256_madd_epi16(odd, all_lanes(x + 2))));
}
// With weights of four bits, pairs of all eight quads fit 16 bits: 8 * 2 * 15 * 127 = 30,480.
INLINE VI group_begin4(const void *offset) {
    (void) offset;
    return _mm256_setzero_si256();
}
INLINE VI group_add4(VI sum, VI w, const int8_t *x) {
    return in_order(_mm256_add_epi16(sum, _mm256_maddubs_epi16(w, all_lanes(x))));
}
INLINE VI group_end4(VI sum, const void *offset) {
    return vi_add(_mm256_madd_epi16(sum, _mm256_set1_epi16(1)), all_lanes(offset));
}
