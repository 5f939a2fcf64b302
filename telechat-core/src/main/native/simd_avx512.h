// SPDX-License-Identifier: Apache-2.0
//
// What the kernels need of an instruction set, for AVX-512 (F, BW, VL, DQ, VNNI; with HAS_BF16 also BF16). simd_avx2.h and
// simd_neon.h define the same.

#include <immintrin.h>
#include <stdint.h>

#if defined(HAS_AMX)
#define KERNEL(name) telechat_amx_##name
#elif defined(HAS_BF16)
#define KERNEL(name) telechat_avx512_bf16_##name
#else
#define KERNEL(name) telechat_avx512_##name
#endif
#define LANES 16
// Tokens and weight rows per tile of a product of floats: 24 sums, 4 rows and a vector of x in 32 registers.
#define TILE_TOKENS 6
#define TILE_ROWS 4
// Rows of a tile of a product of large matrices, by two vectors of columns.
#define MATRIX_ROWS 14
// Tokens per tile of a product of quantized weights, and its sums, each of integers and of floats.
#define QUANTIZED_TOKENS 12
#define QUANTIZED_SUMS 12
// Vectors per query and piece of four queries in attention.
#define PIECE 4

typedef __m512 VF;

INLINE VF vf_zero(void) { return _mm512_setzero_ps(); }
INLINE VF vf_set1(float v) { return _mm512_set1_ps(v); }
INLINE VF vf_load(const float *p) { return _mm512_loadu_ps(p); }
INLINE void vf_store(float *p, VF v) { _mm512_storeu_ps(p, v); }
INLINE VF vf_add(VF a, VF b) { return _mm512_add_ps(a, b); }
INLINE VF vf_sub(VF a, VF b) { return _mm512_sub_ps(a, b); }
INLINE VF vf_mul(VF a, VF b) { return _mm512_mul_ps(a, b); }
INLINE VF vf_div(VF a, VF b) { return _mm512_div_ps(a, b); }
INLINE VF vf_sqrt(VF a) { return _mm512_sqrt_ps(a); }
INLINE VF vf_fma(VF a, VF b, VF c) { return _mm512_fmadd_ps(a, b, c); }
// x and the product in one instruction: beside another thread on the same core, their number counts.
INLINE VF vf_fma_at(const float *x, VF b, VF c) {
#ifdef __AVX512F__ // or else emulated by a test
    __asm__("vfmadd231ps %2%{1to16%}, %1, %0" : "+v"(c) : "v"(b), "m"(*x));
    return c;
#else
    return vf_fma(vf_set1(*x), b, c);
#endif
}
INLINE VF vf_max(VF a, VF b) { return _mm512_max_ps(a, b); }
INLINE VF vf_min(VF a, VF b) { return _mm512_min_ps(a, b); }
INLINE VF vf_abs(VF a) { return _mm512_abs_ps(a); }
INLINE VF vf_round(VF a) { return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
// v * 2^n for an integral n.
INLINE VF vf_scale(VF v, VF n) { return _mm512_scalef_ps(v, n); }

// Sums of lanes, always in this order: halves, quarters, pairs, neighbours.
INLINE float vf_sum(VF v) {
    __m256 eight = _mm256_add_ps(_mm512_castps512_ps256(v), _mm512_extractf32x8_ps(v, 1));
    __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

// The same sums of four vectors at once.
INLINE void vf_sum4(VF a, VF b, VF c, VF d, float *out) {
    VF ab = _mm512_add_ps(_mm512_shuffle_f32x4(a, b, 0x44), _mm512_shuffle_f32x4(a, b, 0xee));
    VF cd = _mm512_add_ps(_mm512_shuffle_f32x4(c, d, 0x44), _mm512_shuffle_f32x4(c, d, 0xee));
    VF all = _mm512_add_ps(_mm512_shuffle_f32x4(ab, cd, 0x88), _mm512_shuffle_f32x4(ab, cd, 0xdd));
    all = _mm512_add_ps(all, _mm512_permute_ps(all, 0x4e));
    all = _mm512_add_ps(all, _mm512_permute_ps(all, 0xb1));
    // One sum per lane of 128 bits; the first element of each.
    _mm_storeu_ps(out, _mm512_castps512_ps128(_mm512_permutexvar_ps(_mm512_setr_epi32(0, 4, 8, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), all)));
}

INLINE float vf_max_lane(VF v) { return _mm512_reduce_max_ps(v); }

// Rows into columns.
INLINE void vf_transpose(VF r[LANES]) {
    VF t[LANES];
    UNROLL for (int i = 0; i < LANES; i += 2) {
        t[i] = _mm512_unpacklo_ps(r[i], r[i + 1]);
        t[i + 1] = _mm512_unpackhi_ps(r[i], r[i + 1]);
    }
    UNROLL for (int i = 0; i < LANES; i += 4) {
        r[i] = _mm512_shuffle_ps(t[i], t[i + 2], 0x44);
        r[i + 1] = _mm512_shuffle_ps(t[i], t[i + 2], 0xee);
        r[i + 2] = _mm512_shuffle_ps(t[i + 1], t[i + 3], 0x44);
        r[i + 3] = _mm512_shuffle_ps(t[i + 1], t[i + 3], 0xee);
    }
    // Now the 128 bits at place p of r[4 q + c] hold column 4 p + c of rows 4 q to 4 q + 3.
    UNROLL for (int c = 0; c < 4; c++) {
        VF even_low = _mm512_shuffle_f32x4(r[c], r[4 + c], 0x88), even_high = _mm512_shuffle_f32x4(r[8 + c], r[12 + c], 0x88);
        VF odd_low = _mm512_shuffle_f32x4(r[c], r[4 + c], 0xdd), odd_high = _mm512_shuffle_f32x4(r[8 + c], r[12 + c], 0xdd);
        t[c] = _mm512_shuffle_f32x4(even_low, even_high, 0x88);
        t[4 + c] = _mm512_shuffle_f32x4(odd_low, odd_high, 0x88);
        t[8 + c] = _mm512_shuffle_f32x4(even_low, even_high, 0xdd);
        t[12 + c] = _mm512_shuffle_f32x4(odd_low, odd_high, 0xdd);
    }
    UNROLL for (int i = 0; i < LANES; i++) r[i] = t[i];
}

INLINE VF vf_from_f16(const uint16_t *p) { return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *) p)); }
INLINE VF vf_from_bf16(const uint16_t *p) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *) p)), 16));
}
INLINE VF vf_from_i8(const int8_t *p) {
    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i *) p)));
}

// Two neighbouring bfloat16 per lane: the first of each pair, and the second.
INLINE void vf_pair_bf16(const uint16_t *p, VF *first, VF *second) {
    __m512i pairs = _mm512_loadu_si512(p);
    *first = _mm512_castsi512_ps(_mm512_slli_epi32(pairs, 16));
    *second = _mm512_castsi512_ps(_mm512_and_si512(pairs, _mm512_set1_epi32((int) 0xffff0000)));
}

INLINE void vf_to_f16(uint16_t *p, VF v) {
    _mm256_storeu_si256((__m256i *) p, _mm512_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}
// Rounds to nearest even; NaN stays NaN.
INLINE void vf_to_bf16(uint16_t *p, VF v) {
    __m512i bits = _mm512_castps_si512(v), even = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    __m512i rounded = _mm512_add_epi32(_mm512_add_epi32(bits, _mm512_set1_epi32(0x7fff)), even);
    rounded = _mm512_mask_or_epi32(rounded, _mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q), bits, _mm512_set1_epi32(0x400000));
    _mm256_storeu_si256((__m256i *) p, _mm512_cvtepi32_epi16(_mm512_srli_epi32(rounded, 16)));
}
INLINE float float_from_f16(uint16_t v) { return _cvtsh_ss(v); }
INLINE uint16_t float_to_f16(float v) { return _cvtss_sh(v, _MM_FROUND_TO_NEAREST_INT); }

// The first n < LANES elements, zeros behind them.
INLINE VF vf_load_part(const float *p, int64_t n) { return _mm512_maskz_loadu_ps((__mmask16) ((1u << n) - 1), p); }
INLINE void vf_store_part(float *p, int64_t n, VF v) { _mm512_mask_storeu_ps(p, (__mmask16) ((1u << n) - 1), v); }

// Quantized weights: a vector holds four neighbouring columns of LANES rows, or one integer for each of these rows.
typedef __m512i VI;

INLINE VI vi_set1(int32_t v) { return _mm512_set1_epi32(v); }
INLINE VI vi_add(VI a, VI b) { return _mm512_add_epi32(a, b); }
INLINE VF vi_to_float(VI v) { return _mm512_cvtepi32_ps(v); }
INLINE VI all_lanes(const void *p) {
    int32_t four;
    memcpy(&four, p, sizeof four);
    return _mm512_set1_epi32(four);
}

// Scale bytes of weights of 8 bits as floats, and of weights of 4.
INLINE VF scales8(const uint8_t *p) {
    return _mm512_cvtph_ps(_mm256_slli_epi16(_mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *) p)), 5));
}
INLINE VF scales4(const uint8_t *p) {
    __m256i half = _mm256_slli_epi16(_mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *) p)), 8);
    return _mm512_cvtph_ps(_mm256_and_si256(_mm256_srai_epi16(half, 1), _mm256_set1_epi16((short) 0xbfff)));
}

// Activations of 12 bits are multiplied byte by byte.
#define SPLIT_X
INLINE VI vi_load(const uint8_t *p) { return _mm512_loadu_si512(p); }
INLINE VI vi_times16(VI v) { return _mm512_slli_epi32(v, 4); }
// The quad in the lower halves of the bytes, and that in the upper.
INLINE VI low_quad(const uint8_t *p) { return _mm512_and_si512(_mm512_loadu_si512(p), _mm512_set1_epi8(15)); }
INLINE VI high_quad(const uint8_t *p) {
    return _mm512_and_si512(_mm512_srli_epi16(_mm512_loadu_si512(p), 4), _mm512_set1_epi8(15));
}

// The sum of a group: eight quads times eight fours of x. It begins with the offset that takes the bias of the weights off again.
INLINE VI group_begin4(const void *offset) { return all_lanes(offset); }
// As in vf_fma_at, x and the product in one instruction.
INLINE VI group_add4(VI sum, VI w, const int8_t *x) {
#ifdef __AVX512VNNI__
    typedef int32_t FOUR __attribute__((may_alias));
    __asm__("vpdpbusd %2%{1to16%}, %1, %0" : "+v"(sum) : "v"(w), "m"(*(const FOUR *) x));
    return sum;
#else
    return _mm512_dpbusd_epi32(sum, w, all_lanes(x));
#endif
}
INLINE VI group_end4(VI sum, const void *offset) {
    (void) offset;
    return sum;
}

#ifdef HAS_BF16
// Products of bfloat16: two neighbouring elements per lane.
typedef __m512bh VH;

INLINE VH vh_load(const uint16_t *p) { return (VH) _mm512_loadu_si512(p); }
// The first n < 2 * LANES elements, zeros behind them.
INLINE VH vh_load_part(const uint16_t *p, int64_t n) { return (VH) _mm512_maskz_loadu_epi16((__mmask32) ((1ull << n) - 1), p); }
INLINE void vh_store(uint16_t *p, VH v) { _mm512_storeu_si512(p, (__m512i) v); }
// Of the elements of low, then those of high. Numbers below the smallest normal one become zero.
INLINE VH vh_round(VF low, VF high) { return _mm512_cvtne2ps_pbh(high, low); }
INLINE VF vf_dot_bf16(VF sum, VH a, VH b) { return _mm512_dpbf16_ps(sum, a, b); }
// The same with two elements that all lanes take.
INLINE VF vf_dot_bf16_at(VF sum, const float *two, VF b) {
#ifdef __AVX512F__
    __asm__("vdpbf16ps %2%{1to16%}, %1, %0" : "+v"(sum) : "v"(b), "m"(*two));
    return sum;
#else
    return vf_dot_bf16(sum, (VH) vf_set1(*two), (VH) b);
#endif
}
// In each lane, an element of first and one of second, rounded.
INLINE VF vh_zip(VF first, VF second) {
    static const uint16_t order[] = {0, 16, 1, 17, 2,  18, 3,  19, 4,  20, 5,  21, 6,  22, 7,  23,
                                     8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
    return (VF) _mm512_permutexvar_epi16(_mm512_loadu_si512(order), (__m512i) vh_round(first, second));
}
#endif
