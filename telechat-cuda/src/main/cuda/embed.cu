// SPDX-License-Identifier: Apache-2.0
// out[t] = scale · table[tokens[t]]. A block for each token.
#include "quantized.cuh"

template <class T>
__device__ __forceinline__ void embedRow(
        const int* tokens, const T* table, int64_t pitch, float scale, int columns, float* out) {
    const T* row = table + tokens[blockIdx.x] * pitch;
    float* to = out + (int64_t)blockIdx.x * columns;
    for (int i = threadIdx.x; i < columns; i += blockDim.x) {
        to[i] = scale * widen(row[i]);
    }
}

template <int BITS>
__device__ __forceinline__ void embedQuantized(
        const int* tokens, const uint8_t* table, float scale, int columns, float* out) {
    int token = tokens[blockIdx.x];
    const uint8_t* panel = table + token / quantized::PANEL * quantized::Layout<BITS>::panelBytes(columns);
    int row = token % quantized::PANEL;
    float* to = out + (int64_t)blockIdx.x * columns;
    for (int i = threadIdx.x; i < columns; i += blockDim.x) {
        to[i] = scale * (quantized::integerAt<BITS>(panel, row, i) * quantized::factorAt<BITS>(panel, row, i));
    }
}

#define EMBED(name, type)                                                                                              \
    KERNEL embed_##name(const int* tokens, const type* table, int64_t pitch, float scale, int columns, float* out) {  \
        embedRow(tokens, table, pitch, scale, columns, out);                                                           \
    }                                                                                                                  \
    REGISTER(embed_##name)
EMBED(f32, float)
EMBED(f16, half16)
EMBED(bf16, bf16)

#define EMBED_QUANTIZED(bits)                                                                                          \
    KERNEL embed_q##bits(const int* tokens, const uint8_t* table, int64_t, float scale, int columns, float* out) {    \
        embedQuantized<bits>(tokens, table, scale, columns, out);                                                      \
    }                                                                                                                  \
    REGISTER(embed_q##bits)
EMBED_QUANTIZED(8)
EMBED_QUANTIZED(4)
