// SPDX-License-Identifier: Apache-2.0
//
// Which of the compiled instruction sets this CPU has.

// 0: none of ours; 1: AVX2 with FMA and F16C; 2: AVX-512 with VNNI; 3: the same with BF16; 4: NEON with dot products.
int telechat_best_tier(void);

#if defined(__x86_64__)

int telechat_best_tier(void) {
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl")
        && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vnni")) {
#ifdef HAS_BF16_TIER
        if (__builtin_cpu_supports("avx512bf16")) return 3;
#endif
        return 2;
    }
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c") ? 1 : 0;
}

#elif defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>

#define DOT_PRODUCT (1ul << 20) // HWCAP_ASIMDDP

int telechat_best_tier(void) { return getauxval(AT_HWCAP) & DOT_PRODUCT ? 4 : 0; }

#elif defined(__aarch64__) && defined(__APPLE__)

int telechat_best_tier(void) { return 4; } // every Apple silicon has them

#else

int telechat_best_tier(void) { return 0; }

#endif
