// SPDX-License-Identifier: Apache-2.0
// How keys and values lie in a block of 64 positions: [layers, 2, kvHeads] matrices of which those of keys are [64, headDim] and those
// of values [headDim, 64]: so that the tensor cores find neighbours in memory where they multiply, for both products of attention.
#pragma once
#include "device.cuh"

namespace cache {
constexpr int BLOCK = 64;

template <class T>
__device__ __forceinline__ T* keys(int64_t block, int layer, int kvHead, int kvHeads, int headDim) {
    return reinterpret_cast<T*>(block) + (int64_t)(2 * layer * kvHeads + kvHead) * BLOCK * headDim;
}

template <class T>
__device__ __forceinline__ T* values(int64_t block, int layer, int kvHead, int kvHeads, int headDim) {
    return keys<T>(block, layer, kvHead + kvHeads, kvHeads, headDim);
}
} // namespace cache
