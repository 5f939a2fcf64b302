// SPDX-License-Identifier: Apache-2.0
//
// Found before the compiler's own header of this name (-I emulation), so that kernels for AVX-512 with VNNI and BF16, and for
// AMX, run on a CPU that has AVX2: what simd_avx512.h and the products use of these instruction sets, as pairs of instructions of
// AVX2, and where there are none as loops over elements (Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2).
// The types are the compiler's; an intrinsic that is missing here does not compile.

#pragma once
#include_next <immintrin.h>

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

// A vector is memory here, so there are no registers to make the most of: kernels are not inlined and unrolled into all their
// variants, which would take minutes to compile.
#undef UNROLL
#define UNROLL
#undef INLINE
#define INLINE static inline __attribute__((unused))

#define EMULATED static inline __attribute__((always_inline, unused))

// A register of 512 bits and its parts.
typedef union {
    __m512 f;
    __m512i i;
    __m256 f_half[2];
    __m256i i_half[2];
    __m128 quarter[4];
    float floats[16];
    int32_t ints[16];
    uint32_t words[16];
    uint16_t shorts[32];
} REGISTER;

// What an instruction of AVX2 makes of each half: of operands of one kind, f or i, to a result of one kind. Behind them, what
// both halves get: immediate values.
#define OF_ONE(from, to, f, a, ...) \
    ({ REGISTER a_ = {.from = (a)}, r_; \
       for (int h_ = 0; h_ < 2; h_++) r_.to##_half[h_] = f(a_.from##_half[h_], ##__VA_ARGS__); \
       r_.to; })
#define OF_TWO(kind, f, a, b, ...) \
    ({ REGISTER a_ = {.kind = (a)}, b_ = {.kind = (b)}, r_; \
       for (int h_ = 0; h_ < 2; h_++) r_.kind##_half[h_] = f(a_.kind##_half[h_], b_.kind##_half[h_], ##__VA_ARGS__); \
       r_.kind; })
#define OF_THREE(kind, f, a, b, c) \
    ({ REGISTER a_ = {.kind = (a)}, b_ = {.kind = (b)}, c_ = {.kind = (c)}, r_; \
       for (int h_ = 0; h_ < 2; h_++) r_.kind##_half[h_] = f(a_.kind##_half[h_], b_.kind##_half[h_], c_.kind##_half[h_]); \
       r_.kind; })
#define TWICE(kind, v) ({ REGISTER r_; r_.kind##_half[0] = r_.kind##_half[1] = (v); r_.kind; })

// Floats.
#define _mm512_setzero_ps() TWICE(f, _mm256_setzero_ps())
#define _mm512_set1_ps(v) TWICE(f, _mm256_set1_ps(v))
#define _mm512_add_ps(a, b) OF_TWO(f, _mm256_add_ps, a, b)
#define _mm512_sub_ps(a, b) OF_TWO(f, _mm256_sub_ps, a, b)
#define _mm512_mul_ps(a, b) OF_TWO(f, _mm256_mul_ps, a, b)
#define _mm512_div_ps(a, b) OF_TWO(f, _mm256_div_ps, a, b)
#define _mm512_max_ps(a, b) OF_TWO(f, _mm256_max_ps, a, b)
#define _mm512_min_ps(a, b) OF_TWO(f, _mm256_min_ps, a, b)
#define _mm512_sqrt_ps(a) OF_ONE(f, f, _mm256_sqrt_ps, a)
#define _mm512_abs_ps(a) OF_TWO(f, _mm256_andnot_ps, _mm512_set1_ps(-0.0f), a)
#define _mm512_fmadd_ps(a, b, c) OF_THREE(f, _mm256_fmadd_ps, a, b, c)
#define _mm512_roundscale_ps(a, how) OF_ONE(f, f, _mm256_round_ps, a, how) // to integers: the upper half of how is 0
#define _mm512_unpacklo_ps(a, b) OF_TWO(f, _mm256_unpacklo_ps, a, b)
#define _mm512_unpackhi_ps(a, b) OF_TWO(f, _mm256_unpackhi_ps, a, b)
#define _mm512_shuffle_ps(a, b, which) OF_TWO(f, _mm256_shuffle_ps, a, b, which)
#define _mm512_permute_ps(a, which) OF_ONE(f, f, _mm256_permute_ps, a, which)
#define _mm512_castps512_ps128(a) (((REGISTER){.f = (a)}).quarter[0])
#define _mm512_castps512_ps256(a) (((REGISTER){.f = (a)}).f_half[0])
#define _mm512_extractf32x8_ps(a, half) (((REGISTER){.f = (a)}).f_half[half])
#define _mm512_castsi512_ps(a) (((REGISTER){.i = (a)}).f)
#define _mm512_castps_si512(a) (((REGISTER){.f = (a)}).i)

EMULATED __m512 emulated_shuffle_f32x4(__m512 a, __m512 b, int which) {
    REGISTER x = {.f = a}, y = {.f = b};
    return (REGISTER){.quarter = {x.quarter[which & 3], x.quarter[which >> 2 & 3], y.quarter[which >> 4 & 3], y.quarter[which >> 6]}}.f;
}
#define _mm512_shuffle_f32x4 emulated_shuffle_f32x4

EMULATED __m512 emulated_permutexvar_ps(__m512i places, __m512 a) {
    REGISTER p = {.i = places}, x = {.f = a}, r;
    for (int i = 0; i < 16; i++) r.floats[i] = x.floats[p.ints[i] & 15];
    return r.f;
}
#define _mm512_permutexvar_ps emulated_permutexvar_ps

EMULATED __m512 emulated_scalef_ps(__m512 a, __m512 exponents) {
    REGISTER x = {.f = a}, n = {.f = exponents}, r;
    for (int i = 0; i < 16; i++) r.floats[i] = ldexpf(x.floats[i], (int) floorf(fminf(fmaxf(n.floats[i], -999), 999)));
    return r.f;
}
#define _mm512_scalef_ps emulated_scalef_ps

EMULATED float emulated_reduce_max_ps(__m512 a) {
    REGISTER x = {.f = a};
    for (int width = 8; width > 0; width /= 2) {
        for (int i = 0; i < width; i++) x.floats[i] = x.floats[i] > x.floats[i + width] ? x.floats[i] : x.floats[i + width];
    }
    return x.floats[0];
}
#define _mm512_reduce_max_ps emulated_reduce_max_ps

// Integers.
#define _mm512_set1_epi32(v) TWICE(i, _mm256_set1_epi32(v))
#define _mm512_set1_epi8(v) TWICE(i, _mm256_set1_epi8(v))
#undef _mm512_setr_epi32
#define _mm512_setr_epi32(...) (((REGISTER){.ints = {__VA_ARGS__}}).i)
#define _mm512_add_epi32(a, b) OF_TWO(i, _mm256_add_epi32, a, b)
#define _mm512_sub_epi32(a, b) OF_TWO(i, _mm256_sub_epi32, a, b)
#define _mm512_sub_epi8(a, b) OF_TWO(i, _mm256_sub_epi8, a, b)
#define _mm512_and_si512(a, b) OF_TWO(i, _mm256_and_si256, a, b)
#define _mm512_or_si512(a, b) OF_TWO(i, _mm256_or_si256, a, b)
#define _mm512_slli_epi32(a, n) OF_ONE(i, i, _mm256_slli_epi32, a, n)
#define _mm512_srli_epi32(a, n) OF_ONE(i, i, _mm256_srli_epi32, a, n)
#define _mm512_srai_epi32(a, n) OF_ONE(i, i, _mm256_srai_epi32, a, n)
#define _mm512_srli_epi16(a, n) OF_ONE(i, i, _mm256_srli_epi16, a, n)
#define _mm512_cvtepi32_ps(a) OF_ONE(i, f, _mm256_cvtepi32_ps, a)

// Of each lane the lower half, side by side.
EMULATED __m256i emulated_cvtepi32_epi16(__m512i a) {
    REGISTER x = {.i = a}, r;
    for (int i = 0; i < 16; i++) r.shorts[i] = (uint16_t) x.ints[i];
    return r.i_half[0];
}
#define _mm512_cvtepi32_epi16 emulated_cvtepi32_epi16

EMULATED uint32_t emulated_unordered(__m512 a, __m512 b) {
    REGISTER x = {.f = a}, y = {.f = b};
    uint32_t mask = 0;
    for (int i = 0; i < 16; i++) mask |= (uint32_t) (isnan(x.floats[i]) || isnan(y.floats[i])) << i;
    return mask;
}
#define _mm512_cmp_ps_mask(a, b, how) ({ _Static_assert((how) == _CMP_UNORD_Q, "the only one in use"); emulated_unordered(a, b); })

EMULATED __m512i emulated_mask_or_epi32(__m512i other, uint32_t mask, __m512i a, __m512i b) {
    REGISTER r = {.i = other}, x = {.i = a}, y = {.i = b};
    for (int i = 0; i < 16; i++) r.ints[i] = mask >> i & 1 ? x.ints[i] | y.ints[i] : r.ints[i];
    return r.i;
}
#define _mm512_mask_or_epi32 emulated_mask_or_epi32

EMULATED __m512i emulated_permutexvar_epi16(__m512i places, __m512i a) {
    REGISTER p = {.i = places}, x = {.i = a}, r;
    for (int i = 0; i < 32; i++) r.shorts[i] = x.shorts[p.shorts[i] & 31];
    return r.i;
}
#define _mm512_permutexvar_epi16 emulated_permutexvar_epi16

// Four products of an unsigned byte with a signed one, and a sum, per lane.
EMULATED __m256i emulated_dpbusd(__m256i sum, __m256i a, __m256i b) {
    __m256i even = _mm256_madd_epi16(_mm256_and_si256(a, _mm256_set1_epi16(255)), _mm256_srai_epi16(_mm256_slli_epi16(b, 8), 8));
    __m256i odd = _mm256_madd_epi16(_mm256_srli_epi16(a, 8), _mm256_srai_epi16(b, 8));
    return _mm256_add_epi32(sum, _mm256_add_epi32(even, odd));
}
#define _mm512_dpbusd_epi32(sum, a, b) OF_THREE(i, emulated_dpbusd, sum, a, b)

// Narrower elements, widened and rounded.
#define HALVES(kind, low, high) ({ REGISTER r_; r_.kind##_half[0] = (low); r_.kind##_half[1] = (high); r_.kind; })
#define UPPER(a) _mm256_extracti128_si256(a, 1)
#define _mm512_cvtepi8_epi32(a) \
    ({ __m128i s_ = (a); HALVES(i, _mm256_cvtepi8_epi32(s_), _mm256_cvtepi8_epi32(_mm_unpackhi_epi64(s_, s_))); })
#define _mm512_cvtepu16_epi32(a) \
    ({ __m256i s_ = (a); HALVES(i, _mm256_cvtepu16_epi32(_mm256_castsi256_si128(s_)), _mm256_cvtepu16_epi32(UPPER(s_))); })
#define _mm512_cvtph_ps(a) \
    ({ __m256i s_ = (a); HALVES(f, _mm256_cvtph_ps(_mm256_castsi256_si128(s_)), _mm256_cvtph_ps(UPPER(s_))); })
#define _mm512_cvtps_ph(a, how) \
    ({ REGISTER a_ = {.f = (a)}; \
       _mm256_set_m128i(_mm256_cvtps_ph(a_.f_half[1], (how) & 7), _mm256_cvtps_ph(a_.f_half[0], (how) & 7)); })

// Memory. Behind a mask nothing is touched.
EMULATED __m512i emulated_load(const void *p) {
    REGISTER r;
    memcpy(&r, p, sizeof r);
    return r.i;
}
EMULATED void emulated_store(void *p, __m512i v) { memcpy(p, &v, sizeof v); }
// Instructions that want whole lines fault without.
EMULATED void *emulated_aligned(const void *p) {
    if ((uintptr_t) p % 64 != 0) __builtin_trap();
    return (void *) (uintptr_t) p;
}
#define _mm512_loadu_ps(p) _mm512_castsi512_ps(emulated_load(p))
#define _mm512_loadu_si512(p) emulated_load(p)
#define _mm512_load_si512(p) emulated_load(emulated_aligned(p))
#define _mm512_storeu_ps(p, v) emulated_store(p, _mm512_castps_si512(v))
#define _mm512_storeu_si512(p, v) emulated_store(p, v)
#define _mm512_store_si512(p, v) emulated_store(emulated_aligned(p), v)

EMULATED __m512i emulated_load_masked(uint32_t mask, const void *p, int size) {
    REGISTER r = {.ints = {0}};
    for (int i = 0; i < 64 / size; i++) {
        if (mask >> i & 1) memcpy((char *) &r + i * size, (const char *) p + i * size, size);
    }
    return r.i;
}
EMULATED void emulated_store_masked(void *p, uint32_t mask, __m512i v) {
    REGISTER x = {.i = v};
    for (int i = 0; i < 16; i++) {
        if (mask >> i & 1) memcpy((char *) p + 4 * i, x.ints + i, 4);
    }
}
#define _mm512_maskz_loadu_ps(mask, p) _mm512_castsi512_ps(emulated_load_masked(mask, p, 4))
#define _mm512_maskz_loadu_epi16(mask, p) emulated_load_masked(mask, p, 2)
#define _mm512_mask_storeu_ps(p, mask, v) emulated_store_masked(p, mask, _mm512_castps_si512(v))
#define _mm512_mask_storeu_epi32(p, mask, v) emulated_store_masked(p, mask, v)

#include "bf16.h"
#include "tiles.h"
