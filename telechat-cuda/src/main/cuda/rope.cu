// SPDX-License-Identifier: Apache-2.0
// Rotary embeddings in rotate-half form (Su et al. 2021, arXiv:2104.09864): feature pairs (i, i + headDim/2).
#include "kv_cache.cuh"

// Turns queries and keys of rows [tokens, width] in place. Angles are [tokens, half]; direction is 1, or -1 to turn back. Queries are
// multiplied by the factors of their tokens, where there are any.
KERNEL rope(float* qkv, int width, int queries, int turned, int half, const float* cos, const float* sin, const float* factors,
        float direction, int64_t pairs) {
    int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
    if (i < pairs) {
        int pair = i % half, head = i / half % turned;
        int64_t token = i / half / turned;
        float factor = factors != nullptr && head < queries ? factors[token] : 1;
        float c = factor * cos[token * half + pair], s = factor * direction * sin[token * half + pair];
        float* a = qkv + token * width + head * 2 * half + pair;
        float first = a[0], second = a[half];
        a[0] = first * c - second * s;
        a[half] = second * c + first * s;
    }
}
REGISTER(rope)

// Turns the keys of a cache back by one rotation and forward by another: what a cache of rotated keys needs when the base changes.
// Grid: blocks of the cache, layers · kvHeads. Angles are [positions, half].
template <class T>
__device__ __forceinline__ void turnKeys(const int64_t* blocks, int positions, int kvHeads, int half, const float* fromCos,
        const float* fromSin, const float* toCos, const float* toSin) {
    T* keys = cache::keys<T>(blocks[blockIdx.x], blockIdx.y / kvHeads, blockIdx.y % kvHeads, kvHeads, 2 * half);
    for (int i = threadIdx.x; i < cache::BLOCK * half; i += blockDim.x) {
        int slot = i / half, pair = i % half, position = blockIdx.x * cache::BLOCK + slot;
        if (position < positions) {
            T* key = keys + slot * 2 * half + pair;
            int at = position * half + pair;
            float a = widen(key[0]), b = widen(key[half]);
            float plainA = a * fromCos[at] + b * fromSin[at];
            float plainB = b * fromCos[at] - a * fromSin[at];
            narrow(plainA * toCos[at] - plainB * toSin[at], key[0]);
            narrow(plainB * toCos[at] + plainA * toSin[at], key[half]);
        }
    }
}

#define TURN_KEYS(name, type)                                                                                          \
    KERNEL turn_keys_##name(const int64_t* blocks, int positions, int kvHeads, int half, const float* fromCos,         \
            const float* fromSin, const float* toCos, const float* toSin) {                                            \
        turnKeys<type>(blocks, positions, kvHeads, half, fromCos, fromSin, toCos, toSin);                              \
    }                                                                                                                  \
    REGISTER(turn_keys_##name)
TURN_KEYS(f32, float)
TURN_KEYS(f16, half16)
TURN_KEYS(bf16, bf16)
