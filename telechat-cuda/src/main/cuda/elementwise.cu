// SPDX-License-Identifier: Apache-2.0
// Formulas that look at one element, or one row, at a time.
#include "device.cuh"

// out = silu(gate) · up (Shazeer 2020, arXiv:2002.05202); gateUp is [tokens, 2 · ffn] = gate | up.
KERNEL swi_glu(const float* gateUp, int64_t elements, int ffn, float* out) {
    int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
    if (i < elements) {
        int64_t row = i / ffn;
        const float* gate = gateUp + 2 * row * ffn + (i - row * ffn);
        out[i] = gate[0] / (1 + expf(-gate[0])) * gate[ffn];
    }
}
REGISTER(swi_glu)

// x = factor · x
KERNEL scale(float* x, int64_t elements, float factor) {
    int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
    if (i < elements) {
        x[i] *= factor;
    }
}
REGISTER(scale)

// out[r] = x[rows[r]]; a block for each row.
KERNEL select_rows(const float* x, const int* rows, int columns, float* out) {
    const float* from = x + (int64_t)rows[blockIdx.x] * columns;
    for (int i = threadIdx.x; i < columns; i += blockDim.x) {
        out[(int64_t)blockIdx.x * columns + i] = from[i];
    }
}
REGISTER(select_rows)

// Rows of a dense matrix to a matrix of another row pitch, both in bytes; rows end with zeros.
KERNEL spread_rows(const uint8_t* from, int64_t bytes, int64_t pitch, uint8_t* to) {
    for (int64_t i = threadIdx.x; i < pitch; i += blockDim.x) {
        to[blockIdx.x * pitch + i] = i < bytes ? from[blockIdx.x * bytes + i] : 0;
    }
}
REGISTER(spread_rows)

template <class T> __device__ __forceinline__ void widenAll(const T* from, int64_t elements, float* to) {
    int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
    if (i < elements) {
        to[i] = widen(from[i]);
    }
}
KERNEL widen_f16(const half16* from, int64_t elements, float* to) { widenAll(from, elements, to); }
REGISTER(widen_f16)
KERNEL widen_bf16(const bf16* from, int64_t elements, float* to) { widenAll(from, elements, to); }
REGISTER(widen_bf16)

// To the nearest bfloat16, for products that round.
KERNEL narrow_bf16(const float* from, int64_t elements, bf16* to) {
    int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
    if (i < elements) {
        narrow(from[i], to[i]);
    }
}
REGISTER(narrow_bf16)

// y[t] += bias; a block for each row.
KERNEL add_bias(float* y, int64_t pitch, int columns, const float* bias) {
    for (int i = threadIdx.x; i < columns; i += blockDim.x) {
        y[blockIdx.x * pitch + i] += bias[i];
    }
}
REGISTER(add_bias)
