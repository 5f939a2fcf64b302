// SPDX-License-Identifier: Apache-2.0
// Weights of 8 and 4 bits as they lie in memory; io.telechat.core.tensor.QuantizedLayout describes it: panels of 16 rows, which are
// 16 floats and then blocks of 128 columns; a block is 4 x 16 scale bytes, then lines of 64 bytes, four for each row. A line is
// four columns of all 16 rows with 8 bits, eight columns with 4 (the first four in the low halves).
#pragma once
#include "device.cuh"

namespace quantized {
constexpr int PANEL = 16, BLOCK = 128, GROUP = 32, HEADER = 64, SCALES = 64, LINE = 64;

template <int BITS> struct Layout {
    static constexpr int LINES_PER_GROUP = BITS == 8 ? 8 : 4;
    static constexpr int BLOCK_BYTES = SCALES + 4 * LINES_PER_GROUP * LINE;
    static constexpr int BIAS = BITS == 8 ? 128 : 8;

    __host__ __device__ static __forceinline__ int64_t panelBytes(int columns) {
        return HEADER + (int64_t)((columns + BLOCK - 1) / BLOCK) * BLOCK_BYTES;
    }
};

// The value of a scale byte: io.telechat.core.quant.ScaleByte.
template <int BITS> __device__ __forceinline__ float scaleOf(uint32_t code) {
    return BITS == 8 ? halfToFloat((uint16_t)((code & 0xff) << 5))
                     : halfToFloat((uint16_t)((code & 0x7f) << 7 | (code & 0x80) << 8));
}

// The stored integer at a row and column, less the bias.
template <int BITS> __device__ __forceinline__ int integerAt(const uint8_t* panel, int row, int column) {
    const uint8_t* block = panel + HEADER + (int64_t)(column / BLOCK) * Layout<BITS>::BLOCK_BYTES + SCALES;
    int in = column % BLOCK;
    int byte = block[(BITS == 8 ? in / 4 : in / 8) * LINE + row * 4 + in % 4];
    return (BITS == 8 ? byte : byte >> (in / 4 % 2 * 4) & 15) - Layout<BITS>::BIAS;
}

// What the integers of a row's group of 32 columns are multiplied with, the row's own factor included.
template <int BITS> __device__ __forceinline__ float factorAt(const uint8_t* panel, int row, int column) {
    const uint8_t* block = panel + HEADER + (int64_t)(column / BLOCK) * Layout<BITS>::BLOCK_BYTES;
    return reinterpret_cast<const float*>(panel)[row] * scaleOf<BITS>(block[column % BLOCK / GROUP * PANEL + row]);
}
} // namespace quantized

// A matrix of 8- or 4-bit weights as an element type of products.
struct q8 {
    static constexpr int BITS = 8;
};
struct q4 {
    static constexpr int BITS = 4;
};
