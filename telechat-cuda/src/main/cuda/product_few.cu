// SPDX-License-Identifier: Apache-2.0
// y = x · Wᵀ for up to 32 tokens, as decoding needs it: bound by the bytes of W, which every block reads once and from which it computes
// 16 (quantized: 32) rows of y. The weights are what the tensor cores call A, just as they lie in memory: 16 bytes to a lane. Which column an element of a
// fragment stands for is free, as long as A and B agree. The warps of a block share the columns by steps of 32; their sums are
// added in order.
#include "planes.cuh"
#include "quantized.cuh"

namespace few {
constexpr int WARPS = 8, THREADS = WARPS * WARP, STEP = 32;

// Planes of weights beside activations of so many.
template <class T, int ACTIVATIONS> constexpr int PLANES = ACTIVATIONS;
template <int ACTIVATIONS> constexpr int PLANES<bf16, ACTIVATIONS> = 1;
template <int ACTIVATIONS> constexpr int PLANES<half16, ACTIVATIONS> = 2; // 11 bits

// Eight elements of a row from column k on; zeros beyond its end.
template <class T> __device__ __forceinline__ void loadEight(const T* row, int k, int columns, bool aligned, float (&to)[8]) {
    if (aligned && k + 8 <= columns) {
        widenEight(row + k, to);
    } else {
#pragma unroll
        for (int i = 0; i < 8; i++) {
            to[i] = k + i < columns ? widen(row[k + i]) : 0;
        }
    }
}

template <class T> __device__ __forceinline__ bool isAligned(const T* matrix, int64_t pitch) {
    return reinterpret_cast<uint64_t>(matrix) % 16 == 0 && pitch * sizeof(T) % 16 == 0;
}

// Adds the sums of the warps and writes them. `sums` is [WARPS][ROWS][TOKENS + 1].
template <int ROWS, int TOKENS>
__device__ __forceinline__ void finish(const float (&sums)[WARPS][ROWS][TOKENS + 1], const float* factors, int rows, int tokens,
        const float* bias, const float* residual, float* y, int64_t pitch) {
    __syncthreads();
    for (int i = threadIdx.x; i < ROWS * TOKENS; i += THREADS) {
        int in = i % ROWS, token = i / ROWS, row = blockIdx.x * ROWS + in;
        if (token < tokens && row < rows) {
            float sum = 0;
#pragma unroll
            for (int w = 0; w < WARPS; w++) {
                sum += sums[w][in][token];
            }
            sum = (factors ? sum * factors[in] : sum) + (bias ? bias[row] : 0);
            y[token * pitch + row] = sum + (residual ? residual[token * pitch + row] : 0);
        }
    }
}

// Weights of a float type: PX planes of the activations, and as many of the weights as their type needs.
template <class T, int PX, int TILES>
__device__ __forceinline__ void product(const float* x, const T* weights, int64_t pitch, int tokens, int rows, int columns,
        const float* bias, const float* residual, float* y, int64_t pitchY) {
    constexpr int PW = PLANES<T, PX>, ROWS = 16, TOKENS = 8 * TILES;
    SHARED(float, sums, [WARPS][ROWS][TOKENS + 1]);
    int warp = threadIdx.x / WARP, lane = threadIdx.x % WARP, in = lane % 4, group = lane / 4;
    bool alignedX = isAligned(x, columns), alignedW = isAligned(weights, pitch);
    const T* w[2]; // rows beyond the end repeat the last one; what they give is not written
    const float* tokenRows[TILES];
#pragma unroll
    for (int i = 0; i < 2; i++) {
        w[i] = weights + min((int)blockIdx.x * ROWS + group + 8 * i, rows - 1) * pitch;
    }
#pragma unroll
    for (int t = 0; t < TILES; t++) {
        tokenRows[t] = x + (int64_t)min(8 * t + group, tokens - 1) * columns;
    }
    float acc[TILES][4] = {};
#pragma unroll 2
    for (int k = warp * STEP + in * 8; k - in * 8 < columns; k += WARPS * STEP) {
        float wide[2][8];
        loadEight(w[0], k, columns, alignedW, wide[0]);
        loadEight(w[1], k, columns, alignedW, wide[1]);
        uint32_t a[2][PW][4]; // two products of 16 columns: pairs 0 and 1 of a lane, then 2 and 3
#pragma unroll
        for (int pair = 0; pair < 4; pair++) {
#pragma unroll
            for (int i = 0; i < 2; i++) {
                uint32_t planes[PW];
                split<PW>(wide[i][2 * pair], wide[i][2 * pair + 1], planes);
#pragma unroll
                for (int p = 0; p < PW; p++) {
                    a[pair / 2][p][pair % 2 * 2 + i] = planes[p];
                }
            }
        }
#pragma unroll
        for (int t = 0; t < TILES; t++) {
            float values[8];
            loadEight(tokenRows[t], k, columns, alignedX, values);
#pragma unroll
            for (int half = 0; half < 2; half++) {
                uint32_t b[PX][2];
#pragma unroll
                for (int i = 0; i < 2; i++) {
                    uint32_t planes[PX];
                    split<PX>(values[4 * half + 2 * i], values[4 * half + 2 * i + 1], planes);
#pragma unroll
                    for (int p = 0; p < PX; p++) {
                        b[p][i] = planes[p];
                    }
                }
                mmaPlanes<PW, PX>(acc[t], a[half], b);
            }
        }
    }
#pragma unroll
    for (int t = 0; t < TILES; t++) {
#pragma unroll
        for (int e = 0; e < 4; e++) {
            sums[warp][group + e / 2 * 8][8 * t + in * 2 + e % 2] = acc[t][e];
        }
    }
    finish<ROWS, TOKENS>(sums, nullptr, rows, tokens, bias, residual, y, pitchY);
}

// Activations of a group as integers, as io.telechat.core.quant.QuantizedActivations has them: 12 bits with weights of 8, as 16 · high + low;
// 8 bits, high alone, with weights of 4. Four lanes hold the group of a token, eight columns each.
struct Integers {
    uint32_t high[2], low[2];
    float scale;
    int sum;
};
template <int BITS> __device__ __forceinline__ Integers quantize(const float (&x)[8]) {
    constexpr float MOST = BITS == 8 ? 127 * 16 + 7 : 127;
    float largest = 0, check = 0;
#pragma unroll
    for (int i = 0; i < 8; i++) {
        largest = fmaxf(largest, fabsf(x[i]));
        check += x[i] * 0; // NaN where anything is not finite
    }
#pragma unroll
    for (int step = 1; step < 4; step <<= 1) {
        largest = fmaxf(largest, __shfl_xor_sync(ALL_LANES, largest, step));
        check += __shfl_xor_sync(ALL_LANES, check, step);
    }
    float inverse = largest > 0 && check == 0 ? MOST / largest : 0;
    Integers to = {};
    to.scale = largest * (1 / MOST) + check;
#pragma unroll
    for (int i = 0; i < 8; i++) {
        int q = (int)rintf(x[i] * inverse);
        q = inverse == 0 ? 0 : q;
        to.sum += q;
        int high = BITS == 8 ? (q + 8) >> 4 : q;
        to.high[i / 4] |= (uint32_t)(high & 0xff) << 8 * (i % 4);
        to.low[i / 4] |= (uint32_t)((q - 16 * high) & 0xff) << 8 * (i % 4);
    }
#pragma unroll
    for (int step = 1; step < 4; step <<= 1) {
        to.sum += __shfl_xor_sync(ALL_LANES, to.sum, step);
    }
    return to;
}

// Quantized weights, multiplied byte by byte without being widened. A lane's 16 bytes are four rows of a panel by four columns (8 bits) or
// eight (4 bits): lanes 0-15 have the block's first panel, 16-31 its second.
template <int BITS, int TILES>
__device__ __forceinline__ void quantizedProduct(const float* x, const uint8_t* panels, int tokens, int rows, int columns,
        const float* bias, const float* residual, float* y, int64_t pitchY) {
    using Layout = quantized::Layout<BITS>;
    constexpr int ROWS = 2 * quantized::PANEL, TOKENS = 8 * TILES;
    SHARED(float, sums, [WARPS][ROWS][TOKENS + 1]);
    SHARED(float, factors, [ROWS]);
    int warp = threadIdx.x / WARP, lane = threadIdx.x % WARP, in = lane % 4, group = lane / 4, fourRows = group % 4;
    int64_t panelBytes = Layout::panelBytes(columns);
    int lastPanel = (rows - 1) / quantized::PANEL;
    const uint8_t* panel = panels + min((int)blockIdx.x * 2 + lane / 16, lastPanel) * panelBytes;
    if (threadIdx.x < ROWS) {
        int of = min((int)(blockIdx.x * 2 + threadIdx.x / quantized::PANEL), lastPanel);
        factors[threadIdx.x] = reinterpret_cast<const float*>(panels + of * panelBytes)[threadIdx.x % quantized::PANEL];
    }
    bool aligned = isAligned(x, columns);
    float acc[TILES][2][4] = {};
#pragma unroll 2
    for (int g = warp; g * STEP < columns; g += WARPS) {
        const uint8_t* block = panel + quantized::HEADER + (int64_t)(g / 4) * Layout::BLOCK_BYTES;
        const uint8_t* lines = block + quantized::SCALES + g % 4 * Layout::LINES_PER_GROUP * quantized::LINE + fourRows * 16;
        uint4 first = *reinterpret_cast<const uint4*>(lines + in * quantized::LINE);
        uint4 second = BITS == 8 ? *reinterpret_cast<const uint4*>(lines + (in + 4) * quantized::LINE) : first;
        uint32_t scales = *reinterpret_cast<const uint32_t*>(block + g % 4 * quantized::PANEL + fourRows * 4);
        const uint32_t w[4] = {first.x, first.y, first.z, first.w}, v[4] = {second.x, second.y, second.z, second.w};
#pragma unroll
        for (int t = 0; t < TILES; t++) {
            // The columns of the lane's bytes: four and, 16 later, four (8 bits); eight in a row (4 bits).
            const float* row = x + (int64_t)min(8 * t + group, tokens - 1) * columns;
            float values[8];
            if (BITS == 4) {
                loadEight(row, g * STEP + in * 8, columns, aligned, values);
            } else {
#pragma unroll
                for (int half = 0; half < 2; half++) {
                    int k = g * STEP + half * 16 + in * 4;
                    float4 four = make_float4(0, 0, 0, 0);
                    if (aligned && k + 4 <= columns) {
                        four = *reinterpret_cast<const float4*>(row + k);
                    } else {
                        four.x = k < columns ? row[k] : 0;
                        four.y = k + 1 < columns ? row[k + 1] : 0;
                        four.z = k + 2 < columns ? row[k + 2] : 0;
                        four.w = k + 3 < columns ? row[k + 3] : 0;
                    }
                    values[4 * half] = four.x;
                    values[4 * half + 1] = four.y;
                    values[4 * half + 2] = four.z;
                    values[4 * half + 3] = four.w;
                }
            }
            Integers q = quantize<BITS>(values);
            // Scale and sum of the two tokens whose results this lane holds.
            float scale[2];
            float sum[2];
#pragma unroll
            for (int i = 0; i < 2; i++) {
                scale[i] = __shfl_sync(ALL_LANES, q.scale, (in * 2 + i) * 4);
                sum[i] = (float)__shfl_sync(ALL_LANES, q.sum, (in * 2 + i) * 4);
            }
#pragma unroll
            for (int pair = 0; pair < 2; pair++) { // of the four rows, two at a time
                uint32_t a[4] = {w[2 * pair], w[2 * pair + 1], v[2 * pair], v[2 * pair + 1]};
                if (BITS == 4) {
                    a[2] = a[2] >> 4 & 0x0f0f0f0fu;
                    a[3] = a[3] >> 4 & 0x0f0f0f0fu;
                    a[0] &= 0x0f0f0f0fu;
                    a[1] &= 0x0f0f0f0fu;
                }
                int d[4] = {};
                mmaU8S8(d, a, q.high);
                if (BITS == 8) {
#pragma unroll
                    for (int e = 0; e < 4; e++) {
                        d[e] *= 16;
                    }
                    mmaU8S8(d, a, q.low);
                }
                float ofRow[2] = {quantized::scaleOf<BITS>(scales >> 16 * pair), quantized::scaleOf<BITS>(scales >> (16 * pair + 8))};
#pragma unroll
                for (int e = 0; e < 4; e++) { // both integers are exact in a float: below 2^24
                    acc[t][pair][e] += ofRow[e / 2] * scale[e % 2] * ((float)d[e] - Layout::BIAS * sum[e % 2]);
                }
            }
        }
    }
#pragma unroll
    for (int t = 0; t < TILES; t++) {
#pragma unroll
        for (int e = 0; e < 8; e++) {
            int row = lane / 16 * quantized::PANEL + fourRows * 4 + e / 4 * 2 + e % 4 / 2;
            sums[warp][row][8 * t + in * 2 + e % 2] = acc[t][e / 4][e % 4];
        }
    }
    finish<ROWS, TOKENS>(sums, factors, rows, tokens, bias, residual, y, pitchY);
}
} // namespace few

// `tiles` of 8 tokens at most. Grid: rows of y by 16 or, quantized, by 32.
#define FEW(name, type, planes, tiles)                                                                                 \
    KERNEL __launch_bounds__(256) few_##name##_p##planes##_t##tiles(const float* x, const type* weights,               \
            int64_t pitch, int tokens, int rows, int columns, const float* bias, const float* residual, float* y,      \
            int64_t pitchY) {                                                                                          \
        few::product<type, planes, tiles>(x, weights, pitch, tokens, rows, columns, bias, residual, y, pitchY);        \
    }                                                                                                                  \
    REGISTER(few_##name##_p##planes##_t##tiles)
#define FEW_OF(name, type, planes)                                                                                     \
    FEW(name, type, planes, 1)                                                                                         \
    FEW(name, type, planes, 4)
FEW_OF(f32, float, 3)
FEW_OF(f16, half16, 2)
FEW_OF(f16, half16, 3)
FEW_OF(bf16, bf16, 1)
FEW_OF(bf16, bf16, 3)

#define FEW_QUANTIZED(bits, tiles)                                                                                     \
    KERNEL __launch_bounds__(256) few_q##bits##_t##tiles(const float* x, const uint8_t* weights, int64_t, int tokens,  \
            int rows, int columns, const float* bias, const float* residual, float* y, int64_t pitchY) {               \
        few::quantizedProduct<bits, tiles>(x, weights, tokens, rows, columns, bias, residual, y, pitchY);              \
    }                                                                                                                  \
    REGISTER(few_q##bits##_t##tiles)
FEW_QUANTIZED(8, 1)
FEW_QUANTIZED(8, 4)
FEW_QUANTIZED(4, 1)
FEW_QUANTIZED(4, 4)
