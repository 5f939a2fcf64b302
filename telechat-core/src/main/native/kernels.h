// SPDX-License-Identifier: Apache-2.0
//
// All kernels, written once over the vectors of simd_*.h and compiled once for each instruction set. Every kernel works on a
// range of rows or heads that the caller has cut out; none allocates, starts threads or checks shapes. The order of additions
// depends on the instruction set and on the length of the sum, never on how many rows or tokens are computed together: so the
// result of a token does not depend on its neighbours.

#include <math.h>
#include <stdint.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))
// Loops that need every register: inlined into a larger function, they would not get them.
#define APART static __attribute__((noinline))
#define UNROLL _Pragma("GCC unroll 32")

// Element types, numbered as the caller does.
enum { F32 = 0, F16 = 1, BF16 = 2, Q8 = 3 };

// Weights are asked for twice: far ahead for the second-level cache, since the hardware's own prefetching stops at the end of
// each page, and again, closer, for the first. Of 14.5 GB/s that one thread reads at most, a loop over rows of 2 KiB got 9 GB/s
// without this, 12 with one request 8 KiB ahead, and 13 with these two. How close is the kernel's business: where little is
// done with each line, a second request that overtakes the first takes a place in the queue of cache misses (40 instead of 48
// GB/s on Zen 5 with 1,024 bytes instead of 256); quantized products, which do more with each, lose 7 % with 256.
#define LINE 64
#define FAR 4096
#define STREAM_NEAR 256
#define PREFETCH(p, near)                                    \
    do {                                                     \
        __builtin_prefetch((const char *) (p) + FAR, 0, 2);  \
        __builtin_prefetch((const char *) (p) + near, 0, 3); \
    } while (0)

#include SIMD

#include "elements.h"
#include "formulas.h"
#include "float_products.h"
#if defined(HAS_AMX)
#include "amx_tiles.h"
#include "amx_bf16_products.h"
#elif defined(HAS_BF16)
#include "bf16_products.h"
#endif
#include "quantized_products.h"
#include "cache_blocks.h"
#include "attention.h"
#include "matrix_products.h"
#include "backward_formulas.h"
#include "attention_backward.h"
#include "limits.h"
#include "entry.h"
