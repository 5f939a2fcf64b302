// SPDX-License-Identifier: Apache-2.0
//
// What the kernels need of an instruction set, for AVX2 with FMA and F16C.

#include <immintrin.h>
#include <stdint.h>

#define KERNEL(name) telechat_avx2_##name
#define LANES 8
#define TILE_TOKENS 4
#define TILE_ROWS 3
#define QUANTIZED_TOKENS 2
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
INLINE VF vf_fma(VF a, VF b, VF c) { return _mm256_fmadd_ps(a, b, c); }
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

INLINE VF vf_from_f16(const uint16_t *p) { return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *) p)); }
INLINE VF vf_from_bf16(const uint16_t *p) {
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *) p)), 16));
}
INLINE void vf_pair_bf16(const uint16_t *p, VF *first, VF *second) {
    __m256i pairs = _mm256_loadu_si256((const __m256i *) p);
    *first = _mm256_castsi256_ps(_mm256_slli_epi32(pairs, 16));
    *second = _mm256_castsi256_ps(_mm256_and_si256(pairs, _mm256_set1_epi32((int) 0xffff0000)));
}
INLINE void vf_to_f16(uint16_t *p, VF v) {
    _mm_storeu_si128((__m128i *) p, _mm256_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}
INLINE uint16_t float_to_f16(float v) { return _cvtss_sh(v, _MM_FROUND_TO_NEAREST_INT); }

INLINE __m256i first_lanes(int64_t n) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int) n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
INLINE VF vf_load_part(const float *p, int64_t n) { return _mm256_maskload_ps(p, first_lanes(n)); }
INLINE void vf_store_part(float *p, int64_t n, VF v) { _mm256_maskstore_ps(p, first_lanes(n), v); }

typedef struct { __m256i a, b; } VI16;
typedef struct { __m256 a, b; } VF16;
typedef struct { __m256i a, b; } QUAD;

INLINE VF16 vf16_zero(void) { return (VF16){_mm256_setzero_ps(), _mm256_setzero_ps()}; }
INLINE VF16 vf16_load(const float *p) { return (VF16){_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)}; }
INLINE void vf16_store(float *p, VF16 v) {
    _mm256_storeu_ps(p, v.a);
    _mm256_storeu_ps(p + 8, v.b);
}
INLINE VF16 vf16_add(VF16 a, VF16 b) { return (VF16){_mm256_add_ps(a.a, b.a), _mm256_add_ps(a.b, b.b)}; }
INLINE VF16 vf16_mul(VF16 a, VF16 b) { return (VF16){_mm256_mul_ps(a.a, b.a), _mm256_mul_ps(a.b, b.b)}; }
INLINE VF16 vf16_accumulate(VI16 v, VF16 scale, float factor, VF16 sum) {
    __m256 f = _mm256_set1_ps(factor);
    return (VF16){_mm256_fmadd_ps(_mm256_mul_ps(_mm256_cvtepi32_ps(v.a), scale.a), f, sum.a),
                  _mm256_fmadd_ps(_mm256_mul_ps(_mm256_cvtepi32_ps(v.b), scale.b), f, sum.b)};
}
INLINE VF16 from_halves(__m256i half) {
    return (VF16){_mm256_cvtph_ps(_mm256_castsi256_si128(half)), _mm256_cvtph_ps(_mm256_extracti128_si256(half, 1))};
}
INLINE VF16 scales8(const uint8_t *p) {
    return from_halves(_mm256_slli_epi16(_mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *) p)), 5));
}
INLINE VF16 scales4(const uint8_t *p) {
    __m256i half = _mm256_slli_epi16(_mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *) p)), 8);
    return from_halves(_mm256_and_si256(_mm256_srai_epi16(half, 1), _mm256_set1_epi16((short) 0xbfff)));
}
INLINE void quad8(const uint8_t *p, QUAD *even, QUAD *odd) {
    __m256i mask = _mm256_set1_epi16(255);
    __m256i a = _mm256_loadu_si256((const __m256i *) p), b = _mm256_loadu_si256((const __m256i *) (p + 32));
    *even = (QUAD){_mm256_and_si256(a, mask), _mm256_and_si256(b, mask)};
    *odd = (QUAD){_mm256_srli_epi16(a, 8), _mm256_srli_epi16(b, 8)};
}
INLINE void quads4(const uint8_t *p, QUAD *low, QUAD *high) {
    __m256i mask = _mm256_set1_epi8(15);
    __m256i a = _mm256_loadu_si256((const __m256i *) p), b = _mm256_loadu_si256((const __m256i *) (p + 32));
    *low = (QUAD){_mm256_and_si256(a, mask), _mm256_and_si256(b, mask)};
    *high = (QUAD){_mm256_and_si256(_mm256_srli_epi16(a, 4), mask), _mm256_and_si256(_mm256_srli_epi16(b, 4), mask)};
}

typedef VI16 GROUP;

INLINE __m256i all_lanes(const void *p) {
    int32_t four;
    memcpy(&four, p, sizeof four);
    return _mm256_set1_epi32(four);
}
INLINE GROUP group_begin8(int32_t sum_x) {
    __m256i bias = _mm256_set1_epi32(-128 * sum_x);
    return (GROUP){bias, bias};
}
INLINE GROUP group_add8(GROUP sum, QUAD even, QUAD odd, const int16_t *x) {
    __m256i first = all_lanes(x), second = all_lanes(x + 2);
    __m256i a = _mm256_add_epi32(_mm256_madd_epi16(even.a, first), _mm256_madd_epi16(odd.a, second));
    __m256i b = _mm256_add_epi32(_mm256_madd_epi16(even.b, first), _mm256_madd_epi16(odd.b, second));
    return (GROUP){_mm256_add_epi32(sum.a, a), _mm256_add_epi32(sum.b, b)};
}
INLINE VI16 group_end8(GROUP sum, int32_t sum_x) {
    (void) sum_x;
    return sum;
}
// With weights of four bits, pairs of all eight quads fit 16 bits: 8 * 2 * 15 * 127 = 30,480.
INLINE GROUP group_begin4(int32_t sum_x) {
    (void) sum_x;
    return (GROUP){_mm256_setzero_si256(), _mm256_setzero_si256()};
}
INLINE GROUP group_add4(GROUP sum, QUAD w, const int8_t *x) {
    __m256i four = all_lanes(x);
    return (GROUP){_mm256_add_epi16(sum.a, _mm256_maddubs_epi16(w.a, four)),
                   _mm256_add_epi16(sum.b, _mm256_maddubs_epi16(w.b, four))};
}
INLINE VI16 group_end4(GROUP sum, int32_t sum_x) {
    __m256i ones = _mm256_set1_epi16(1), bias = _mm256_set1_epi32(-8 * sum_x);
    return (VI16){_mm256_add_epi32(_mm256_madd_epi16(sum.a, ones), bias),
                  _mm256_add_epi32(_mm256_madd_epi16(sum.b, ones), bias)};
}
