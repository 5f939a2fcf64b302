// SPDX-License-Identifier: Apache-2.0

#define SIMD "simd_avx2.h"
#include "kernels.h"
