// SPDX-License-Identifier: Apache-2.0
// mma.sync. Which element of a matrix is in which lane's register is laid down in the PTX manual, "Matrix fragments".
#pragma once

namespace emulation {
constexpr int ROWS = 16, COLUMNS = 8; // of d, for both shapes that we use

// Registers d[0...3] of a lane are two rows, 8 apart, of two neighbouring columns.
inline int rowOf(int lane, int i) { return lane / 4 + i / 2 * 8; }
inline int columnOf(int lane, int i) { return lane % 4 * 2 + i % 2; }

inline float wideBf16(uint32_t bits) {
    bits <<= 16;
    float value;
    memcpy(&value, &bits, 4);
    return value;
}

// A row of d, or of b.
template <class T> struct Row {
    typedef T Values __attribute__((vector_size(COLUMNS * sizeof(T))));
    union {
        Values all;
        T at[COLUMNS];
    };
};

template <class T, int DEPTH> inline void multiplyAdd(const T (&a)[ROWS][DEPTH], const Row<T> (&b)[DEPTH], Row<T> (&d)[ROWS]) {
    for (int row = 0; row < ROWS; row += 4) { // four at a time, for the latency of the additions
        auto d0 = d[row].all, d1 = d[row + 1].all, d2 = d[row + 2].all, d3 = d[row + 3].all;
        for (int k = 0; k < DEPTH; k++) {
            d0 += a[row][k] * b[k].all;
            d1 += a[row + 1][k] * b[k].all;
            d2 += a[row + 2][k] * b[k].all;
            d3 += a[row + 3][k] * b[k].all;
        }
        d[row].all = d0;
        d[row + 1].all = d1;
        d[row + 2].all = d2;
        d[row + 3].all = d3;
    }
}

// m16n8k16
inline void multiplyBf16(Warp& warp, uint32_t) {
    constexpr int DEPTH = 16;
    float a[ROWS][DEPTH];
    Row<float> b[DEPTH], d[ROWS];
    for (int lane = 0; lane < 32; lane++) {
        const MmaOperands& mine = warp.mma[lane];
        int group = lane / 4, pair = lane % 4 * 2;
        for (int i = 0; i < 4; i++) { // registers of a: rows 8 apart, then columns 8 apart
            float* at = &a[group + i % 2 * 8][pair + i / 2 * 8];
            at[0] = wideBf16(mine.a[i] & 0xffff);
            at[1] = wideBf16(mine.a[i] >> 16);
            d[rowOf(lane, i)].at[columnOf(lane, i)] = mine.d.f[i];
        }
        for (int i = 0; i < 2; i++) {
            b[pair + i * 8].at[group] = wideBf16(mine.b[i] & 0xffff);
            b[pair + i * 8 + 1].at[group] = wideBf16(mine.b[i] >> 16);
        }
    }
    multiplyAdd(a, b, d);
    for (int lane = 0; lane < 32; lane++) {
        for (int i = 0; i < 4; i++) {
            warp.mma[lane].d.f[i] = d[rowOf(lane, i)].at[columnOf(lane, i)];
        }
    }
}

// m16n8k32, unsigned by signed bytes
inline void multiplyU8S8(Warp& warp, uint32_t) {
    constexpr int DEPTH = 32;
    int a[ROWS][DEPTH];
    Row<int> b[DEPTH], d[ROWS];
    for (int lane = 0; lane < 32; lane++) {
        const MmaOperands& mine = warp.mma[lane];
        int group = lane / 4, quad = lane % 4 * 4;
        for (int i = 0; i < 4; i++) {
            for (int j = 0; j < 4; j++) {
                a[group + i % 2 * 8][quad + i / 2 * 16 + j] = mine.a[i] >> 8 * j & 0xff;
            }
            d[rowOf(lane, i)].at[columnOf(lane, i)] = mine.d.i[i];
        }
        for (int i = 0; i < 2; i++) {
            for (int j = 0; j < 4; j++) {
                b[quad + i * 16 + j].at[group] = (int8_t)(mine.b[i] >> 8 * j);
            }
        }
    }
    multiplyAdd(a, b, d);
    for (int lane = 0; lane < 32; lane++) {
        for (int i = 0; i < 4; i++) {
            warp.mma[lane].d.i[i] = d[rowOf(lane, i)].at[columnOf(lane, i)];
        }
    }
}

__attribute__((noinline)) inline void multiply(
        Operation operation, void* d, const uint32_t* a, const uint32_t* b, Place place, void (*compute)(Warp&, uint32_t)) {
    Untracked own;
    Thread& me = *block.current;
    Warp& warp = block.warps[me.warp];
    if (warp.lanes != 0xffffffffu) {
        failAt(place, "an mma in a warp that is not full");
    }
    MmaOperands& mine = warp.mma[me.lane]; // copies, so that the kernel's own arrays can stay in registers
    memcpy(mine.a, a, sizeof mine.a);
    memcpy(mine.b, b, sizeof mine.b);
    memcpy(&mine.d, d, sizeof mine.d);
    together(operation, 0xffffffffu, place, compute);
    memcpy(d, &mine.d, sizeof mine.d);
}
} // namespace emulation

inline void mmaBf16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2], EMULATION_PLACE) {
    emulation::multiply(emulation::Operation::MMA_BF16, d, a, b, {file, line}, emulation::multiplyBf16);
}
inline void mmaU8S8(int (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2], EMULATION_PLACE) {
    emulation::multiply(emulation::Operation::MMA_U8S8, d, a, b, {file, line}, emulation::multiplyU8S8);
}
