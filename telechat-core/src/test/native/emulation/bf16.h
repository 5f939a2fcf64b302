// SPDX-License-Identifier: Apache-2.0
//
// AVX512-BF16. Its instructions take denormal operands for zeros, give zeros for denormal results and always round to nearest
// even.

EMULATED __m256 emulated_flush(__m256 v) {
    const __m256 sign = _mm256_set1_ps(-0.0f);
    __m256 tiny = _mm256_cmp_ps(_mm256_andnot_ps(sign, v), _mm256_set1_ps(FLT_MIN), _CMP_LT_OQ);
    return _mm256_andnot_ps(_mm256_andnot_ps(sign, tiny), v);
}

EMULATED uint16_t emulated_bf16(uint32_t bits) {
    uint32_t magnitude = bits & 0x7fffffff;
    if (magnitude > 0x7f800000) return (uint16_t) (bits >> 16 | 0x40); // NaN, made quiet
    if (magnitude < 0x00800000) return (uint16_t) (bits >> 16 & 0x8000);
    return (uint16_t) ((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

// The second operand's sixteen come first.
EMULATED __m512bh emulated_cvtne2ps_pbh(__m512 a, __m512 b) {
    REGISTER upper = {.f = a}, lower = {.f = b}, r;
    for (int i = 0; i < 16; i++) {
        r.shorts[i] = emulated_bf16(lower.words[i]);
        r.shorts[16 + i] = emulated_bf16(upper.words[i]);
    }
    return (__m512bh) r.i;
}
#define _mm512_cvtne2ps_pbh emulated_cvtne2ps_pbh

// The first of each pair of bfloat16 as floats, and the second.
EMULATED __m256 emulated_first(__m256i pairs) { return _mm256_castsi256_ps(_mm256_slli_epi32(pairs, 16)); }
EMULATED __m256 emulated_second(__m256i pairs) {
    return _mm256_castsi256_ps(_mm256_and_si256(pairs, _mm256_set1_epi32((int) 0xffff0000)));
}

EMULATED __m256 emulated_fma_flushing(__m256 a, __m256 b, __m256 c) {
    return emulated_flush(_mm256_fmadd_ps(emulated_flush(a), emulated_flush(b), emulated_flush(c)));
}

// The second ones' product is added first.
EMULATED __m512 emulated_dpbf16_ps(__m512 sum, __m512bh a, __m512bh b) {
    REGISTER s = {.f = sum}, x = {.i = (__m512i) a}, y = {.i = (__m512i) b};
    for (int h = 0; h < 2; h++) {
        __m256 half = emulated_fma_flushing(emulated_second(x.i_half[h]), emulated_second(y.i_half[h]), s.f_half[h]);
        s.f_half[h] = emulated_fma_flushing(emulated_first(x.i_half[h]), emulated_first(y.i_half[h]), half);
    }
    return s.f;
}
#define _mm512_dpbf16_ps emulated_dpbf16_ps
