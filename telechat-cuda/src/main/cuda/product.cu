// SPDX-License-Identifier: Apache-2.0
// Products of many rows: y[m, n] = Σ_k a(m, k) · b(n, k), for the three products of a linear layer: y = x · Wᵀ, dx = dy · W and
// dW = dyᵀ · x. A thread block computes TILE x TILE elements; by steps of 32 along k it brings both operands to shared memory as planes
// of bfloat16 (planes.cuh), which the tensor cores multiply.
//
// With quantized weights a step is just a group of 32 columns with one scale: the integers are exact in bfloat16, and the sums are
// scaled behind the product.
#include "planes.cuh"
#include "quantized.cuh"

namespace product {
constexpr int STEP = 32, PITCH = STEP + 8; // 16 bytes more than a row, so that lanes read from different banks
constexpr int CHUNK = 8, CHUNKS = STEP / CHUNK;

// How many planes hold an element, where activations have so many.
template <class T> struct Element {
    static constexpr bool QUANTIZED = false;
    __host__ __device__ static constexpr int planes(int ofActivations, bool) { return ofActivations; }
};
template <> struct Element<bf16> {
    static constexpr bool QUANTIZED = false;
    __host__ __device__ static constexpr int planes(int, bool) { return 1; }
};
template <> struct Element<half16> {
    static constexpr bool QUANTIZED = false;
    __host__ __device__ static constexpr int planes(int, bool) { return 2; } // 11 bits
};
template <int BITS> struct Quantized {
    static constexpr bool QUANTIZED = true;
    __host__ __device__ static constexpr int planes(int ofActivations, bool scaled) { return scaled ? ofActivations : 1; }
};
template <> struct Element<q8> : Quantized<8> {};
template <> struct Element<q4> : Quantized<4> {};

// Eight elements (row, k ... k + 7), zeros where there are none.
template <class T, bool TRANSPOSED> struct Operand {
    const T* elements;
    int64_t pitch;
    int rows, depth;

    __device__ __forceinline__ void load(int row, int k, float (&to)[CHUNK]) const {
        if (TRANSPOSED) {
#pragma unroll
            for (int i = 0; i < CHUNK; i++) {
                to[i] = row < rows && k + i < depth ? widen(elements[(k + i) * pitch + row]) : 0;
            }
            return;
        }
        const T* from = elements + row * pitch + k;
        if (row < rows && k + CHUNK <= depth && reinterpret_cast<uint64_t>(from) % 16 == 0) {
            widenEight(from, to);
        } else {
#pragma unroll
            for (int i = 0; i < CHUNK; i++) {
                to[i] = row < rows && k + i < depth ? widen(from[i]) : 0;
            }
        }
    }
};

// Without TRANSPOSED the integers alone; see factorOf.
template <int BITS, bool TRANSPOSED> struct QuantizedOperand {
    const uint8_t* panels;
    int64_t columns; // of the matrix
    int rows, depth;

    __device__ __forceinline__ const uint8_t* panelOf(int row) const {
        return panels + row / quantized::PANEL * quantized::Layout<BITS>::panelBytes((int)columns);
    }
    __device__ __forceinline__ void load(int row, int k, float (&to)[CHUNK]) const {
        if (TRANSPOSED) { // k counts the rows of the matrix
#pragma unroll
            for (int i = 0; i < CHUNK; i++) {
                to[i] = 0;
                if (row < rows && k + i < depth) {
                    const uint8_t* panel = panelOf(k + i);
                    int in = (k + i) % quantized::PANEL;
                    to[i] = quantized::integerAt<BITS>(panel, in, row) * quantized::factorAt<BITS>(panel, in, row);
                }
            }
            return;
        }
        if (row >= rows) {
#pragma unroll
            for (int i = 0; i < CHUNK; i++) {
                to[i] = 0;
            }
            return;
        }
        const uint8_t* block = panelOf(row) + quantized::HEADER + quantized::SCALES
                + (int64_t)(k / quantized::BLOCK) * quantized::Layout<BITS>::BLOCK_BYTES;
        int in = k % quantized::BLOCK;
        const uint8_t* line = block + (BITS == 8 ? in / 4 : in / 8) * quantized::LINE + row % quantized::PANEL * 4;
        uint32_t first = *reinterpret_cast<const uint32_t*>(line);
        uint32_t second = BITS == 8 ? *reinterpret_cast<const uint32_t*>(line + quantized::LINE) : first >> 4;
#pragma unroll
        for (int i = 0; i < 4; i++) {
            uint32_t mask = BITS == 8 ? 0xff : 0x0f;
            to[i] = (float)((int)(first >> 8 * i & mask) - quantized::Layout<BITS>::BIAS);
            to[4 + i] = (float)((int)(second >> 8 * i & mask) - quantized::Layout<BITS>::BIAS);
        }
    }
    __device__ __forceinline__ float factorOf(int row, int k) const {
        return row < rows ? quantized::factorAt<BITS>(panelOf(row), row % quantized::PANEL, k) : 0;
    }
};
template <bool TRANSPOSED> struct Operand<q8, TRANSPOSED> : QuantizedOperand<8, TRANSPOSED> {};
template <bool TRANSPOSED> struct Operand<q4, TRANSPOSED> : QuantizedOperand<4, TRANSPOSED> {};

// A tile in shared memory: [PLANES][TILE][PITCH].
template <int PLANES, int TILE>
__device__ __forceinline__ void store(uint16_t* tile, int row, int k, const float (&from)[CHUNK]) {
    uint32_t planes[CHUNK / 2][PLANES];
#pragma unroll
    for (int i = 0; i < CHUNK / 2; i++) {
        split<PLANES>(from[2 * i], from[2 * i + 1], planes[i]);
    }
#pragma unroll
    for (int p = 0; p < PLANES; p++) {
        *reinterpret_cast<uint4*>(tile + (p * TILE + row) * PITCH + k) =
                make_uint4(planes[0][p], planes[1][p], planes[2][p], planes[3][p]);
    }
}

template <class B, bool TRANSPOSED_A, bool TRANSPOSED_B, int PA, int TILE> struct Product {
    static constexpr bool SCALES = Element<B>::QUANTIZED && !TRANSPOSED_B;
    static constexpr int PB = Element<B>::planes(PA, TRANSPOSED_B);
    static constexpr int WARPS = TILE == 64 ? 4 : 8, THREADS = WARPS * WARP;
    static constexpr int PER_THREAD = TILE * CHUNKS / THREADS;
    static constexpr int M = TILE / 2 / 16, N = 4; // fragments of a warp: two warps along m, and as many as it takes along n
    static constexpr int SHARED_BYTES = (PA + PB) * TILE * PITCH * 2 + TILE * 4;

    __device__ static __forceinline__ int rowOf(int i, bool along) { return along ? i % TILE : i / CHUNKS; }
    __device__ static __forceinline__ int chunkOf(int i, bool along) { return (along ? i / TILE : i % CHUNKS) * CHUNK; }

    __device__ static __forceinline__ void run(const Operand<float, TRANSPOSED_A>& a, const Operand<B, TRANSPOSED_B>& b,
            const float* bias, const float* residual, float* y, int64_t pitch) {
        DYNAMIC_SHARED(memory);
        uint16_t* as = reinterpret_cast<uint16_t*>(memory);
        uint16_t* bs = as + PA * TILE * PITCH;
        float* factors = reinterpret_cast<float*>(bs + PB * TILE * PITCH);
        constexpr bool ALONG_B = TRANSPOSED_B || Element<B>::QUANTIZED; // neighbouring lanes take neighbouring rows
        int firstM = blockIdx.y * TILE, firstN = blockIdx.x * TILE;
        int warp = threadIdx.x / WARP, lane = threadIdx.x % WARP;
        int warpM = warp % 2 * (TILE / 2), warpN = warp / 2 * 32;
        float acc[M][N][4] = {};
        float nextA[PER_THREAD][CHUNK], nextB[PER_THREAD][CHUNK], nextFactor = 0;

        auto fetch = [&](int k) {
#pragma unroll
            for (int i = 0; i < PER_THREAD; i++) {
                int piece = i * THREADS + threadIdx.x;
                a.load(firstM + rowOf(piece, TRANSPOSED_A), k + chunkOf(piece, TRANSPOSED_A), nextA[i]);
                b.load(firstN + rowOf(piece, ALONG_B), k + chunkOf(piece, ALONG_B), nextB[i]);
            }
            if constexpr (SCALES) {
                nextFactor = threadIdx.x < TILE ? b.factorOf(firstN + threadIdx.x, k) : 0;
            }
        };
        fetch(0);
        for (int k = 0; k < a.depth; k += STEP) {
#pragma unroll
            for (int i = 0; i < PER_THREAD; i++) {
                int piece = i * THREADS + threadIdx.x;
                store<PA, TILE>(as, rowOf(piece, TRANSPOSED_A), chunkOf(piece, TRANSPOSED_A), nextA[i]);
                store<PB, TILE>(bs, rowOf(piece, ALONG_B), chunkOf(piece, ALONG_B), nextB[i]);
            }
            if (SCALES && threadIdx.x < TILE) {
                factors[threadIdx.x] = nextFactor;
            }
            __syncthreads();
            if (k + STEP < a.depth) {
                fetch(k + STEP); // arrives while this step is computed
            }
            multiply(as, bs, factors, warpM, warpN, lane, acc);
            __syncthreads();
        }
#pragma unroll
        for (int i = 0; i < M * N * 4; i++) {
            int m = i / (N * 4), n = i / 4 % N, e = i % 4;
            int row = firstM + warpM + m * 16 + lane / 4 + e / 2 * 8;
            int column = firstN + warpN + n * 8 + lane % 4 * 2 + e % 2;
            if (row < a.rows && column < b.rows) {
                float sum = acc[m][n][e] + (bias ? bias[column] : 0);
                y[row * pitch + column] = sum + (residual ? residual[row * pitch + column] : 0);
            }
        }
    }

    __device__ static __forceinline__ void multiply(const uint16_t* as, const uint16_t* bs, const float* factors, int warpM,
            int warpN, int lane, float (&acc)[M][N][4]) {
#pragma unroll
        for (int m = 0; m < M; m++) {
            float sums[N][4] = {}; // of this step alone
#pragma unroll
            for (int k = 0; k < STEP; k += 16) {
                uint32_t af[PA][4];
#pragma unroll
                for (int p = 0; p < PA; p++) {
                    const uint16_t* from = as + (p * TILE + warpM + m * 16 + lane / 4) * PITCH + k + lane % 4 * 2;
                    af[p][0] = *reinterpret_cast<const uint32_t*>(from);
                    af[p][1] = *reinterpret_cast<const uint32_t*>(from + 8 * PITCH);
                    af[p][2] = *reinterpret_cast<const uint32_t*>(from + 8);
                    af[p][3] = *reinterpret_cast<const uint32_t*>(from + 8 * PITCH + 8);
                }
#pragma unroll
                for (int n = 0; n < N; n++) {
                    uint32_t bf[PB][2];
#pragma unroll
                    for (int p = 0; p < PB; p++) {
                        const uint16_t* from = bs + (p * TILE + warpN + n * 8 + lane / 4) * PITCH + k + lane % 4 * 2;
                        bf[p][0] = *reinterpret_cast<const uint32_t*>(from);
                        bf[p][1] = *reinterpret_cast<const uint32_t*>(from + 8);
                    }
                    mmaPlanes<PA, PB>(SCALES ? sums[n] : acc[m][n], af, bf);
                }
            }
            if (SCALES) {
#pragma unroll
                for (int i = 0; i < N * 4; i++) {
                    acc[m][i / 4][i % 4] += factors[warpN + i / 4 * 8 + lane % 4 * 2 + i % 2] * sums[i / 4][i % 4];
                }
            }
        }
    }
};
} // namespace product

// kind: nt for y = x · Wᵀ, nn for dx = dy · W, tn for dW = dyᵀ · x. `pitchB` of a quantized matrix is its number of columns.
// Grid: tiles along n, tiles along m. Shared memory: see Products.java.
#define PRODUCT(kind, name, type, pointer, transposedA, transposedB, planes, tile)                                     \
    KERNEL __launch_bounds__(tile * 2, 1) product_##kind##_##name##_p##planes##_##tile(const float* a, int64_t pitchA,    \
            const pointer* b, int64_t pitchB, int m, int n, int depth, const float* bias, const float* residual,       \
            float* y, int64_t pitchY) {                                                                                \
        using namespace product;                                                                                       \
        Product<type, transposedA, transposedB, planes, tile>::run(                                                    \
                {a, pitchA, m, depth}, {b, pitchB, n, depth}, bias, residual, y, pitchY);                              \
    }                                                                                                                  \
    REGISTER(product_##kind##_##name##_p##planes##_##tile)
// Large tiles for where speed counts: what rounds as far as its weights allow, and floats.
#define PRODUCT_NT(name, type, pointer, planes)                                                                        \
    PRODUCT(nt, name, type, pointer, false, false, planes, 64)                                                         \
    PRODUCT(nt, name, type, pointer, false, false, planes, 128)
PRODUCT_NT(f32, float, float, 3)
PRODUCT_NT(f16, half16, half16, 2)
PRODUCT_NT(bf16, bf16, bf16, 1)
PRODUCT_NT(q8, q8, uint8_t, 2)
PRODUCT_NT(q4, q4, uint8_t, 1)
PRODUCT(nt, f16, half16, half16, false, false, 3, 64)
PRODUCT(nt, bf16, bf16, bf16, false, false, 3, 64)
PRODUCT(nt, q8, q8, uint8_t, false, false, 3, 64)
PRODUCT(nt, q4, q4, uint8_t, false, false, 3, 64)
PRODUCT(nn, f32, float, float, false, true, 3, 64)
PRODUCT(nn, f16, half16, half16, false, true, 3, 64)
PRODUCT(nn, bf16, bf16, bf16, false, true, 1, 64)
PRODUCT(nn, bf16, bf16, bf16, false, true, 3, 64)
PRODUCT(nn, q8, q8, uint8_t, false, true, 3, 64)
PRODUCT(nn, q4, q4, uint8_t, false, true, 3, 64)
PRODUCT(tn, f32, float, float, true, true, 1, 64)
PRODUCT(tn, f32, float, float, true, true, 3, 64)
