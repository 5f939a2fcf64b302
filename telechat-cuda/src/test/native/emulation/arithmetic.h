// SPDX-License-Identifier: Apache-2.0
// CUDA's arithmetic: bits of numbers, narrow floating-point types, fast functions, atomic operations.
#pragma once
#include <type_traits>

// Bits ----------------------------------------------------------------------------------------------------------------------------
namespace emulation {
template <class To, class From> inline To sameBits(From value) {
    static_assert(sizeof(To) == sizeof(From));
    To result;
    memcpy(&result, &value, sizeof(To));
    return result;
}
} // namespace emulation

inline float __uint_as_float(uint32_t bits) { return emulation::sameBits<float>(bits); }
inline uint32_t __float_as_uint(float value) { return emulation::sameBits<uint32_t>(value); }
inline float __int_as_float(int bits) { return emulation::sameBits<float>(bits); }
inline int __float_as_int(float value) { return emulation::sameBits<int>(value); }
inline double __longlong_as_double(long long bits) { return emulation::sameBits<double>(bits); }
inline long long __double_as_longlong(double value) { return emulation::sameBits<long long>(value); }

inline int __popc(unsigned x) { return __builtin_popcount(x); }
inline int __popcll(unsigned long long x) { return __builtin_popcountll(x); }
inline int __ffs(int x) { return __builtin_ffs(x); }
inline int __ffsll(long long x) { return __builtin_ffsll(x); }
inline int __clz(int x) { return x == 0 ? 32 : __builtin_clz(x); }
inline int __clzll(long long x) { return x == 0 ? 64 : __builtin_clzll(x); }
inline unsigned __umulhi(unsigned a, unsigned b) { return (uint64_t)a * b >> 32; }
inline int __mulhi(int a, int b) { return (int64_t)a * b >> 32; }
inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b) { return (unsigned __int128)a * b >> 64; }
inline unsigned __brev(unsigned x) {
    unsigned reversed = 0;
    for (int i = 0; i < 32; i++) {
        reversed |= (x >> i & 1) << (31 - i);
    }
    return reversed;
}
// The lower 32 bits of high:low moved right, the upper 32 bits moved left.
inline unsigned __funnelshift_r(unsigned low, unsigned high, unsigned by) { return ((uint64_t)high << 32 | low) >> (by & 31); }
inline unsigned __funnelshift_l(unsigned low, unsigned high, unsigned by) {
    return ((uint64_t)high << 32 | low) << (by & 31) >> 32;
}
inline unsigned __byte_perm(unsigned low, unsigned high, unsigned selector) {
    uint64_t bytes = (uint64_t)high << 32 | low;
    unsigned result = 0;
    for (int i = 0; i < 4; i++) {
        result |= (unsigned)(bytes >> (selector >> 4 * i & 7) * 8 & 0xff) << 8 * i;
    }
    return result;
}
inline int __dp4a(int a, int b, int sum) {
    for (int i = 0; i < 32; i += 8) {
        sum += (int8_t)(a >> i) * (int8_t)(b >> i);
    }
    return sum;
}
inline unsigned __dp4a(unsigned a, unsigned b, unsigned sum) {
    for (int i = 0; i < 32; i += 8) {
        sum += (a >> i & 0xff) * (b >> i & 0xff);
    }
    return sum;
}

// Narrow types --------------------------------------------------------------------------------------------------------------------
// By bits, since not every compiler for every processor has a type for them.
inline float halfToFloat(uint16_t bits) {
    uint32_t magnitude = (uint32_t)(bits & 0x7fff) << 13; // exponent and fraction where a float has them
    uint32_t sign = (uint32_t)(bits & 0x8000) << 16;
    if (magnitude >= 0x0f800000u) { // infinity or NaN
        return __uint_as_float(sign | magnitude | 0x7f800000u);
    }
    return __uint_as_float(sign | __float_as_uint(__uint_as_float(magnitude) * 0x1p112f)); // the difference of the biases
}
inline uint16_t floatToHalf(float value) { // to the nearest, ties to even
    uint32_t bits = __float_as_uint(value), magnitude = bits & 0x7fffffffu, sign = bits >> 16 & 0x8000u;
    if (magnitude > 0x7f800000u) {
        return 0x7fff; // the NaN that a GPU makes
    }
    if (magnitude >= __float_as_uint(65520.0f)) {
        return sign | 0x7c00;
    }
    if (magnitude < __float_as_uint(0x1p-14f)) { // below the normal numbers: adding 0.5 leaves multiples of 2^-24
        return sign | (__float_as_uint(__uint_as_float(magnitude) + 0.5f) - __float_as_uint(0.5f));
    }
    return sign | ((magnitude - (112u << 23) + 0xfff + (magnitude >> 13 & 1)) >> 13);
}
namespace emulation {
inline uint32_t roundToBf16(float value) { // to the nearest, ties to even
    uint32_t bits = __float_as_uint(value);
    return value != value ? 0x7fff : (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
}
} // namespace emulation
inline uint32_t packBf16(float low, float high) { return emulation::roundToBf16(low) | emulation::roundToBf16(high) << 16; }

// Functions -----------------------------------------------------------------------------------------------------------------------
// Macros where a C library might have a function of that name.
#define __expf(x) expf(x)
#define __exp10f(x) exp10f(x)
#define __logf(x) logf(x)
#define __log2f(x) log2f(x)
#define __sinf(x) sinf(x)
#define __cosf(x) cosf(x)
#define __tanhf(x) tanhf(x)
#define __powf(x, y) powf(x, y)
#define __sincosf(x, s, c) sincosf(x, s, c)
#define rsqrtf(x) emulation::reciprocalRoot((float)(x))
#define rsqrt(x) emulation::reciprocalRoot((double)(x))
#define __frsqrt_rn(x) emulation::reciprocalRoot((float)(x))

namespace emulation {
inline float reciprocalRoot(float x) { return 1 / sqrtf(x); }
inline double reciprocalRoot(double x) { return 1 / sqrt(x); }
// A result on its own: the compiler may not contract the operation with the next one.
inline float rounded(float x) {
#if defined(__x86_64__)
    asm("" : "+x"(x));
#elif defined(__aarch64__)
    asm("" : "+w"(x));
#endif
    return x;
}
} // namespace emulation
inline float __fadd_rn(float a, float b) { return emulation::rounded(a + b); }
inline float __fsub_rn(float a, float b) { return emulation::rounded(a - b); }
inline float __fmul_rn(float a, float b) { return emulation::rounded(a * b); }
inline float __fdiv_rn(float a, float b) { return a / b; }
inline float __fmaf_rn(float a, float b, float c) { return fmaf(a, b, c); }
inline float __fsqrt_rn(float a) { return sqrtf(a); }
inline float __frcp_rn(float a) { return 1 / a; }
inline float __fdividef(float a, float b) { return a / b; }
inline float fdividef(float a, float b) { return a / b; }
inline float __saturatef(float x) { return x > 0 ? x < 1 ? x : 1 : 0; }

inline float __int2float_rn(int x) { return x; }
inline float __uint2float_rn(unsigned x) { return x; }
namespace emulation {
template <class Integer> inline Integer toInteger(float x) { // out of range: the nearest there is; NaN: 0
    constexpr double LOWEST = std::is_signed_v<Integer> ? -0x1p31 : 0, HIGHEST = std::is_signed_v<Integer> ? 0x1p31 - 1
            : 0x1p32 - 1;
    return x != x ? 0 : x <= LOWEST ? (Integer)LOWEST : x >= HIGHEST ? (Integer)HIGHEST : (Integer)x;
}
} // namespace emulation
inline int __float2int_rn(float x) { return emulation::toInteger<int>(rintf(x)); }
inline int __float2int_rz(float x) { return emulation::toInteger<int>(truncf(x)); }
inline int __float2int_rd(float x) { return emulation::toInteger<int>(floorf(x)); }
inline int __float2int_ru(float x) { return emulation::toInteger<int>(ceilf(x)); }
inline unsigned __float2uint_rn(float x) { return emulation::toInteger<unsigned>(rintf(x)); }
inline unsigned __float2uint_rz(float x) { return emulation::toInteger<unsigned>(truncf(x)); }

// As with CUDA, arguments may be of different types, and a NaN loses against a number.
template <class A, class B> inline std::common_type_t<A, B> min(A a, B b) {
    using T = std::common_type_t<A, B>;
    if constexpr (std::is_floating_point_v<T>) {
        return fmin((T)a, (T)b);
    }
    return (T)b < (T)a ? (T)b : (T)a;
}
template <class A, class B> inline std::common_type_t<A, B> max(A a, B b) {
    using T = std::common_type_t<A, B>;
    if constexpr (std::is_floating_point_v<T>) {
        return fmax((T)a, (T)b);
    }
    return (T)a < (T)b ? (T)b : (T)a;
}

// Memory --------------------------------------------------------------------------------------------------------------------------
template <class T> inline T __ldg(const T* at) { return *at; }
template <class T> inline T __ldcg(const T* at) { return *at; }
template <class T> inline T __ldcs(const T* at) { return *at; }
template <class T> inline void __stcs(T* at, std::common_type_t<T> value) { *at = value; }
template <class T> inline void __stcg(T* at, std::common_type_t<T> value) { *at = value; }

namespace emulation {
// Replaces *at by change(*at); returns what was there. Orders no other accesses.
template <class T, class Change> inline T atomically(T* at, Change change) {
#if defined(__SANITIZE_THREAD__)
    using Bits = std::conditional_t<sizeof(T) == 8, uint64_t, uint32_t>;
    auto* bits = reinterpret_cast<Bits*>(at);
    Bits before = __atomic_load_n(bits, __ATOMIC_RELAXED);
    for (;;) {
        Bits after = sameBits<Bits>((T)change(sameBits<T>(before)));
        if (__atomic_compare_exchange_n(bits, &before, after, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
            return sameBits<T>(before);
        }
    }
#else // one system thread, which changes fibers elsewhere only
    T before = *at;
    *at = change(before);
    return before;
#endif
}
inline char fence;
} // namespace emulation

#define EMULATION_ATOMIC(name, after)                                                                                  \
    template <class T> inline T name(T* at, std::common_type_t<T> x) {                                                 \
        return emulation::atomically(at, [=](T old) -> T { return after; });                                           \
    }
EMULATION_ATOMIC(atomicAdd, old + x)
EMULATION_ATOMIC(atomicSub, old - x)
EMULATION_ATOMIC(atomicMax, old < x ? x : old)
EMULATION_ATOMIC(atomicMin, x < old ? x : old)
EMULATION_ATOMIC(atomicAnd, old & x)
EMULATION_ATOMIC(atomicOr, old | x)
EMULATION_ATOMIC(atomicXor, old ^ x)
EMULATION_ATOMIC(atomicExch, (void(old), x))
EMULATION_ATOMIC(atomicInc, old >= x ? 0 : old + 1)
#undef EMULATION_ATOMIC
template <class T> inline T atomicCAS(T* at, std::common_type_t<T> expected, std::common_type_t<T> value) {
    return emulation::atomically(at, [=](T old) -> T { return old == expected ? value : old; });
}

// To the race detector, what comes before a fence is in order with what comes after another one.
inline void __threadfence() {
    emulation::trackRelease(&emulation::fence);
    emulation::trackAcquire(&emulation::fence);
}
inline void __threadfence_block() { __threadfence(); }
