// SPDX-License-Identifier: Apache-2.0
//
// Inner products of rows of weights with one row of activations, for weights of 32 or 16 bits.
//
// One body serves every element type and instruction set: the macros below name how eight or sixteen weights become floats.
// A row at a time, so that the weights are one sequential stream; four accumulators hide the latency of the multiply-adds. The
// order of the sums depends on the instruction set and on nothing else.

#include <stdint.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>

#define AVX2 __attribute__((target("avx2,fma,f16c")))
#define AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,fma,f16c")))

static inline float scalar_f32(const float *w) { return *w; }

static inline float scalar_bf16(const uint16_t *w) {
    uint32_t bits = (uint32_t) *w << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

AVX2 static inline float scalar_f16(const uint16_t *w) { return _cvtsh_ss(*w); }

AVX2 static inline __m256 load8_f32(const float *w) { return _mm256_loadu_ps(w); }

AVX2 static inline __m256 load8_bf16(const uint16_t *w) {
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *) w)), 16));
}

AVX2 static inline __m256 load8_f16(const uint16_t *w) { return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *) w)); }

AVX512 static inline __m512 load16_f32(const float *w) { return _mm512_loadu_ps(w); }

AVX512 static inline __m512 load16_bf16(const uint16_t *w) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *) w)), 16));
}

AVX512 static inline __m512 load16_f16(const uint16_t *w) { return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *) w)); }

AVX2 static inline float sum8(__m256 v) {
    __m128 four = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

AVX512 static inline float sum16(__m512 v) { return _mm512_reduce_add_ps(v); }

// How many bytes ahead weights are asked for. The hardware's own prefetching stops at the end of each page; two pages ahead
// brought a loop over rows of 2 KiB from 17 to 24 of the 27 GB/s that the machine reads.
#define AHEAD 8192
#define LINE 64

#define DEFINE_DOTS(NAME, TARGET, ELEMENT, VECTOR, WIDTH, PREFIX, SUFFIX)                                                      \
    TARGET static void NAME(const ELEMENT *w, const float *x, float *out, int64_t rows, int64_t k) {                          \
        for (int64_t row = 0; row < rows; row++, w += k) {                                                                    \
            VECTOR a = PREFIX##_setzero_ps(), b = a, c = a, d = a;                                                            \
            int64_t i = 0;                                                                                                    \
            for (; i + 4 * WIDTH <= k; i += 4 * WIDTH) {                                                                      \
                for (unsigned line = 0; line < 4 * WIDTH * sizeof(ELEMENT); line += LINE) {                                   \
                    _mm_prefetch((const char *) (w + i) + AHEAD + line, _MM_HINT_T0);                                         \
                }                                                                                                             \
                a = PREFIX##_fmadd_ps(load##WIDTH##_##SUFFIX(w + i), PREFIX##_loadu_ps(x + i), a);                            \
                b = PREFIX##_fmadd_ps(load##WIDTH##_##SUFFIX(w + i + WIDTH), PREFIX##_loadu_ps(x + i + WIDTH), b);            \
                c = PREFIX##_fmadd_ps(load##WIDTH##_##SUFFIX(w + i + 2 * WIDTH), PREFIX##_loadu_ps(x + i + 2 * WIDTH), c);    \
                d = PREFIX##_fmadd_ps(load##WIDTH##_##SUFFIX(w + i + 3 * WIDTH), PREFIX##_loadu_ps(x + i + 3 * WIDTH), d);    \
            }                                                                                                                 \
            float s = sum##WIDTH(PREFIX##_add_ps(PREFIX##_add_ps(a, b), PREFIX##_add_ps(c, d)));                              \
            for (; i < k; i++) {                                                                                              \
                s += scalar_##SUFFIX(w + i) * x[i];                                                                           \
            }                                                                                                                 \
            out[row] = s;                                                                                                     \
        }                                                                                                                     \
    }

DEFINE_DOTS(f32_avx2, AVX2, float, __m256, 8, _mm256, f32)
DEFINE_DOTS(f16_avx2, AVX2, uint16_t, __m256, 8, _mm256, f16)
DEFINE_DOTS(bf16_avx2, AVX2, uint16_t, __m256, 8, _mm256, bf16)
DEFINE_DOTS(f32_avx512, AVX512, float, __m512, 16, _mm512, f32)
DEFINE_DOTS(f16_avx512, AVX512, uint16_t, __m512, 16, _mm512, f16)
DEFINE_DOTS(bf16_avx512, AVX512, uint16_t, __m512, 16, _mm512, bf16)

// The machine's limits: how fast memory is read, and how many multiply-adds are done on registers alone.
AVX2 static int64_t read_avx2(const char *p, int64_t bytes) {
    __m256i a = _mm256_setzero_si256(), b = a;
    for (int64_t i = 0; i + 2 * LINE <= bytes; i += 2 * LINE) {
        _mm_prefetch(p + i + AHEAD, _MM_HINT_T0);
        _mm_prefetch(p + i + AHEAD + LINE, _MM_HINT_T0);
        a = _mm256_xor_si256(a, _mm256_loadu_si256((const __m256i *) (p + i)));
        b = _mm256_xor_si256(b, _mm256_loadu_si256((const __m256i *) (p + i + LINE / 2)));
        a = _mm256_xor_si256(a, _mm256_loadu_si256((const __m256i *) (p + i + LINE)));
        b = _mm256_xor_si256(b, _mm256_loadu_si256((const __m256i *) (p + i + LINE + LINE / 2)));
    }
    a = _mm256_xor_si256(a, b);
    return _mm256_extract_epi64(a, 0) ^ _mm256_extract_epi64(a, 1) ^ _mm256_extract_epi64(a, 2) ^ _mm256_extract_epi64(a, 3);
}

// Twelve chains of additions that depend on nothing but themselves: enough to fill two units of latency four.
#define CHAINS 12
#define DEFINE_FMA(NAME, TARGET, VECTOR, WIDTH, PREFIX)                                                                       \
    TARGET static float NAME(int64_t rounds) {                                                                                 \
        VECTOR sum[CHAINS], factor = PREFIX##_set1_ps(0.999f);                                                                \
        for (int c = 0; c < CHAINS; c++) sum[c] = PREFIX##_set1_ps((float) c);                                                \
        for (int64_t r = 0; r < rounds; r++) {                                                                                 \
            for (int c = 0; c < CHAINS; c++) sum[c] = PREFIX##_fmadd_ps(sum[c], factor, factor);                              \
        }                                                                                                                     \
        float total = 0;                                                                                                      \
        for (int c = 0; c < CHAINS; c++) total += sum##WIDTH(sum[c]);                                                         \
        return total;                                                                                                         \
    }

DEFINE_FMA(fma_avx2, AVX2, __m256, 8, _mm256)
DEFINE_FMA(fma_avx512, AVX512, __m512, 16, _mm512)

// Reads so many bytes, and returns something that depends on them.
int64_t telechat_read(const char *p, int64_t bytes) { return read_avx2(p, bytes); }

// Does rounds * telechat_fma_flops(isa) floating-point operations.
float telechat_fma(int isa, int64_t rounds) { return isa == 2 ? fma_avx512(rounds) : fma_avx2(rounds); }

int telechat_fma_flops(int isa) { return 2 * CHAINS * (isa == 2 ? 16 : 8); }

// The best instruction set of this CPU: 0 none that we use, 1 AVX2 with FMA and F16C, 2 AVX-512.
int telechat_best_isa(void) {
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl")
        && __builtin_cpu_supports("avx512dq")) {
        return 2;
    }
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c") ? 1 : 0;
}

// out[r] = sum over i of w[r * k + i] * x[i]. isa as telechat_best_isa numbers them, 1 or 2.
void telechat_dots_f32(int isa, const float *w, const float *x, float *out, int64_t rows, int64_t k) {
    (isa == 2 ? f32_avx512 : f32_avx2)(w, x, out, rows, k);
}

void telechat_dots_f16(int isa, const uint16_t *w, const float *x, float *out, int64_t rows, int64_t k) {
    (isa == 2 ? f16_avx512 : f16_avx2)(w, x, out, rows, k);
}

void telechat_dots_bf16(int isa, const uint16_t *w, const float *x, float *out, int64_t rows, int64_t k) {
    (isa == 2 ? bf16_avx512 : bf16_avx2)(w, x, out, rows, k);
}

#else

// No kernels for this architecture yet; the Vector API's serve.
int telechat_best_isa(void) { return 0; }

#endif
