// SPDX-License-Identifier: Apache-2.0
// What a GPU can do at most: bytes read from its memory, and products of bfloat16 on its tensor cores.
#include "device.cuh"

// Reads all of the memory, 16 bytes to a thread at a time, and writes what cannot be foreseen.
KERNEL probe_read(const uint4* memory, int64_t count, uint32_t* out) {
    uint32_t sum = 0;
    int64_t stride = (int64_t)gridDim.x * blockDim.x;
#pragma unroll 4
    for (int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x; i < count; i += stride) {
        uint4 v = memory[i];
        sum += v.x ^ v.y ^ v.z ^ v.w;
    }
    if (sum == 0x12345678u) {
        out[0] = sum;
    }
}
REGISTER(probe_read)

// Eight products of 16 x 8 x 16 in each warp, over and over: as many as run at a time without waiting for each other.
KERNEL probe_multiply(int rounds, float* out) {
    float sums[8][4] = {};
    uint32_t a[4] = {threadIdx.x, threadIdx.x + 1, 0x3f803f80u, 0x3f803f80u}, b[2] = {0x3c003c00u, 0x3c003c00u};
    for (int i = 0; i < rounds; i++) {
#pragma unroll
        for (int n = 0; n < 8; n++) {
            mmaBf16(sums[n], a, b);
        }
    }
    float sum = 0;
#pragma unroll
    for (int n = 0; n < 8; n++) {
        sum += sums[n][0] + sums[n][1] + sums[n][2] + sums[n][3];
    }
    if (sum == 12345) {
        out[0] = sum;
    }
}
REGISTER(probe_multiply)
