// SPDX-License-Identifier: Apache-2.0
// dTable[token] += scale · Σ dOut[t] over the positions t of the token. The host lists each token once, and the positions of the
// i-th of them in rising order at [starts[i], starts[i + 1]). Blocks for [tokens, columns].
#include "device.cuh"

KERNEL embed_backward(const int* tokens, const int* starts, const int* positions, const float* dOut, float scale, int columns,
        float* dTable) {
    int i = blockIdx.y * blockDim.x + threadIdx.x;
    if (i < columns) {
        float sum = 0;
#pragma unroll 4
        for (int at = starts[blockIdx.x]; at < starts[blockIdx.x + 1]; at++) {
            sum += dOut[(int64_t)positions[at] * columns + i];
        }
        dTable[(int64_t)tokens[blockIdx.x] * columns + i] += scale * sum;
    }
}
REGISTER(embed_backward)
