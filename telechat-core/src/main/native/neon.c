// SPDX-License-Identifier: Apache-2.0

#define SIMD "simd_neon.h"
#include "kernels.h"
