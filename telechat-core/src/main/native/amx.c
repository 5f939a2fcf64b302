// SPDX-License-Identifier: Apache-2.0

#define HAS_BF16
#define HAS_AMX
#define SIMD "simd_avx512.h"
#include "kernels.h"
