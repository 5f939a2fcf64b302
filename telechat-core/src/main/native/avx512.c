// SPDX-License-Identifier: Apache-2.0

#define SIMD "simd_avx512.h"
#include "kernels.h"
