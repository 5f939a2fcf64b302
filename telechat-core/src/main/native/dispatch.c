// SPDX-License-Identifier: Apache-2.0
//
// Which of the compiled instruction sets this CPU has.

// 0: none of ours; 1: AVX2 with FMA and F16C; 2: AVX-512 with VNNI; 3: the same with BF16; 4: the same with AMX, for bfloat16 and
// integers of 8 bits; 5: NEON with dot products.
int telechat_best_tier(void);

#if defined(__x86_64__)

#ifdef HAS_AMX_TIER
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#define REQUEST_STATE 0x1023 // ARCH_REQ_XCOMP_PERM, Linux 5.16
#define TILE_DATA 18

// Linux lends the tiles to a process that asks for them.
static int has_amx(void) {
    unsigned a, b, c, d;
    const unsigned needed = 1u << 22 | 1u << 24 | 1u << 25; // bfloat16, tiles, integers
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (d & needed) == needed
           && syscall(SYS_arch_prctl, REQUEST_STATE, TILE_DATA) == 0;
}
#endif

int telechat_best_tier(void) {
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl")
        && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vnni")) {
#ifdef HAS_BF16_TIER
        if (__builtin_cpu_supports("avx512bf16")) {
#ifdef HAS_AMX_TIER
            if (has_amx()) return 4;
#endif
            return 3;
        }
#endif
        return 2;
    }
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c") ? 1 : 0;
}

#elif defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>

#define DOT_PRODUCT (1ul << 20) // HWCAP_ASIMDDP

int telechat_best_tier(void) { return getauxval(AT_HWCAP) & DOT_PRODUCT ? 5 : 0; }

#elif defined(__aarch64__) && defined(__APPLE__)

int telechat_best_tier(void) { return 5; } // every Apple silicon has them

#else

int telechat_best_tier(void) { return 0; }

#endif
