// SPDX-License-Identifier: Apache-2.0
// Sums over ranks. The order is that of the ranks, whatever way the parts have come.
#include "device.cuh"

// to = Σ_r parts[r], or, to be added, to = Σ_r parts[r] + to; parts is [ranks, elements].
KERNEL sum_parts(const float* parts, int ranks, int64_t elements, int add, float* to) {
    int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
    if (i < elements) {
        float sum = parts[i];
        for (int r = 1; r < ranks; r++) {
            sum += parts[r * elements + i];
        }
        to[i] = add ? sum + to[i] : sum;
    }
}
REGISTER(sum_parts)
