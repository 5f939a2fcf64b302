// SPDX-License-Identifier: Apache-2.0
// Puts the new tokens' keys and values behind those that are cached. A block for each token and head; a token without a cache has block 0.
#include "kv_cache.cuh"

template <class T>
__device__ __forceinline__ void kvStore(
        const float* qkv, const int64_t* blocks, const int* slots, int layer, int heads, int kvHeads, int headDim) {
    int token = blockIdx.x, head = blockIdx.y;
    if (blocks[token] != 0) {
        const float* key = qkv + (int64_t)token * (heads + 2 * kvHeads) * headDim + (heads + head) * headDim;
        const float* value = key + kvHeads * headDim;
        T* keys = cache::keys<T>(blocks[token], layer, head, kvHeads, headDim);
        T* values = cache::values<T>(blocks[token], layer, head, kvHeads, headDim);
        int slot = slots[token];
        for (int i = threadIdx.x; i < headDim; i += blockDim.x) {
            narrow(key[i], keys[slot * headDim + i]);
            narrow(value[i], values[i * cache::BLOCK + slot]);
        }
    }
}

#define KV_STORE(name, type)                                                                                           \
    KERNEL kv_store_##name(const float* qkv, const int64_t* blocks, const int* slots, int layer, int heads,            \
            int kvHeads, int headDim) {                                                                                \
        kvStore<type>(qkv, blocks, slots, layer, heads, kvHeads, headDim);                                             \
    }                                                                                                                  \
    REGISTER(kv_store_##name)
KV_STORE(f32, float)
KV_STORE(f16, half16)
KV_STORE(bf16, bf16)
