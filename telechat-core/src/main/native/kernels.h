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
#define UNROLL _Pragma("GCC unroll 32")

// Element types, numbered as the caller does.
enum { F32 = 0, F16 = 1, BF16 = 2 };

// How many bytes ahead weights are asked for. The hardware's own prefetching stops at the end of each page; two pages ahead
// brought a loop over rows of 2 KiB from 17 to 24 of the 27 GB/s that the machine reads.
#define AHEAD 8192
#define LINE 64
#define PREFETCH(p) __builtin_prefetch((const char *) (p), 0, 3)

#include SIMD

#include "elements.h"
#include "formulas.h"
#include "float_products.h"
#include "quantized_products.h"
#include "attention.h"
#include "limits.h"
