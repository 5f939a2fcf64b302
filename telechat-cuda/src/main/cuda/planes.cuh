// SPDX-License-Identifier: Apache-2.0
// Products of floats on tensor cores that take bfloat16: a float is the sum x0 + x1 + x2 of bfloat16 numbers, its planes, each
// the rounded rest of what the ones before leave, exact to 24 bits. Of the products xi · yj those with i + j < planes are added
// up; what is left out is as small as the rounding of a float (Henry, Tang and Heinecke 2019, arXiv:1904.06376). One plane is
// rounding to bfloat16.
#pragma once

#include "device.cuh"

// The planes of two neighbours, the first in the lower half: planes[i] holds the i-th plane of both.
template <int PLANES> __device__ __forceinline__ void split(float low, float high, uint32_t (&planes)[PLANES]) {
#pragma unroll
    for (int i = 0; i < PLANES; i++) {
        planes[i] = packBf16(low, high);
        low -= lowBf16(planes[i]);
        high -= highBf16(planes[i]);
    }
}

// d[n][16, 8] += a[16, 16] · b[n][16, 8] for N tiles of columns, a in PA planes and b in PB: the small products first, and
// tiles innermost, so that one product need not wait for the sum of the one before.
template <int N, int PA, int PB>
__device__ __forceinline__ void mmaPlanes(float (&d)[N][4], const uint32_t (&a)[PA][4], const uint32_t (&b)[N][PB][2]) {
    constexpr int PLANES = PA > PB ? PA : PB;
#pragma unroll
    for (int sum = PLANES - 1; sum >= 0; sum--) {
#pragma unroll
        for (int i = 0; i < PA; i++) {
#pragma unroll
            for (int n = 0; n < N; n++) {
                if (sum >= i && sum - i < PB) {
                    mmaBf16(d[n], a[i], b[n][sum - i]);
                }
            }
        }
    }
}

// The same for a single tile.
template <int PA, int PB>
__device__ __forceinline__ void mmaPlanes(float (&d)[4], const uint32_t (&a)[PA][4], const uint32_t (&b)[PB][2]) {
    constexpr int PLANES = PA > PB ? PA : PB;
#pragma unroll
    for (int sum = PLANES - 1; sum >= 0; sum--) {
#pragma unroll
        for (int i = 0; i < PA; i++) {
            if (sum >= i && sum - i < PB) {
                mmaBf16(d, a[i], b[sum - i]);
            }
        }
    }
}
