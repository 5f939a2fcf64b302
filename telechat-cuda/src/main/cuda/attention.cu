// SPDX-License-Identifier: Apache-2.0
// out = softmax(q · kᵀ / sqrt(headDim)) · v, by tiles and with a running maximum (Dao et al. 2022, arXiv:2205.14135), for prompts and
// for single tokens alike. A row of a tile is a query of a head; the heads that share keys and values are neighbours, so that
// one reading of the cache serves them all. Where there are few rows, the positions are divided among blocks (Dao et al. 2023,
// "Flash-Decoding"), whose results attention_merge puts together.
#include "kv_cache.cuh"
#include "planes.cuh"

namespace attention {
// Which rows of the batch belong to which sequence; its blocks begin at `table` in the table of block addresses.
struct Span {
    int first, count, cached, table;
};
// Rows of a tile begin at `row` of the span's count · group.
struct Tile {
    int span, row;
};

struct Shape {
    int layer, heads, kvHeads, headDim;
    __device__ __forceinline__ int group() const { return heads / kvHeads; }
    __device__ __forceinline__ int width() const { return (heads + 2 * kvHeads) * headDim; }
};

template <class T> __device__ __forceinline__ void loadEight(const T* from, int count, float (&to)[8]) {
    if (count >= 8 && reinterpret_cast<uint64_t>(from) % 16 == 0) {
        widenEight(from, to);
    } else {
#pragma unroll
        for (int i = 0; i < 8; i++) {
            to[i] = i < count ? widen(from[i]) : 0;
        }
    }
}

// Keys and values out of a cache.
template <class T, int PLANES_OF_T> struct Cached {
    static constexpr int PLANES = PLANES_OF_T;
    static constexpr bool NEIGHBOURS_ALONG_DIM = false; // of values
    const int64_t* blocks;
    Shape shape;
    int kvHead, positions;

    __device__ __forceinline__ Cached(const float*, const int64_t* table, Span span, Shape shape, int kvHead)
        : blocks(table + span.table), shape(shape), kvHead(kvHead), positions(span.cached + span.count) {}

    __device__ __forceinline__ void keys(int position, int d, float (&to)[8]) const {
        const T* keys = cache::keys<T>(block(position), shape.layer, kvHead, shape.kvHeads, shape.headDim);
        loadEight(keys + position % cache::BLOCK * shape.headDim + d, shape.headDim - d, to);
    }
    // Zeros beyond the end: what the memory holds there may be no number.
    __device__ __forceinline__ void values(int position, int d, float (&to)[8]) const {
        const T* values = cache::values<T>(block(position), shape.layer, kvHead, shape.kvHeads, shape.headDim);
        loadEight(values + d * cache::BLOCK + position % cache::BLOCK, d < shape.headDim ? positions - position : 0, to);
    }
    __device__ __forceinline__ int64_t block(int position) const {
        return blocks[min(position, positions - 1) / cache::BLOCK];
    }
};

// Keys and values in the rows of the batch, as in training.
struct Rows {
    static constexpr int PLANES = 3;
    static constexpr bool NEIGHBOURS_ALONG_DIM = true;
    const float* key;
    Shape shape;
    int positions;

    __device__ __forceinline__ Rows(const float* qkv, const int64_t*, Span span, Shape shape, int kvHead)
        : key(qkv + (int64_t)span.first * shape.width() + (shape.heads + kvHead) * shape.headDim), shape(shape),
          positions(span.count) {}

    __device__ __forceinline__ void keys(int position, int d, float (&to)[8]) const {
        const float* from = key + (int64_t)min(position, positions - 1) * shape.width() + d;
        loadEight(from, shape.headDim - d, to);
    }
    __device__ __forceinline__ void values(int position, int d, float (&to)[8]) const {
#pragma unroll
        for (int i = 0; i < 8; i++) {
            const float* value = key + (int64_t)(position + i) * shape.width() + shape.kvHeads * shape.headDim + d;
            to[i] = d < shape.headDim && position + i < positions ? *value : 0;
        }
    }
};
struct RoundedRows : Rows {
    static constexpr int PLANES = 1;
    using Rows::Rows;
};

// Eight neighbours of a row of a tile [PLANES][ROWS][PITCH].
template <int PLANES>
__device__ __forceinline__ void storeEight(uint16_t* row, int planeSize, const float (&from)[8]) {
    uint32_t planes[4][PLANES];
#pragma unroll
    for (int i = 0; i < 4; i++) {
        split<PLANES>(from[2 * i], from[2 * i + 1], planes[i]);
    }
#pragma unroll
    for (int p = 0; p < PLANES; p++) {
        *reinterpret_cast<uint4*>(row + p * planeSize) = make_uint4(planes[0][p], planes[1][p], planes[2][p], planes[3][p]);
    }
}

// ROWS queries, 16 to a warp, by POSITIONS keys at a time; headDim up to DIM, filled up with zeros. Queries and probabilities have PQ planes.
template <int DIM, int ROWS, int POSITIONS, int PQ, class Source>
__device__ __forceinline__ void attend(const float* qkv, const Span* spans, const Tile* tiles, const int64_t* table, Shape shape,
        float scale, float* out, float* lse, float* partOut, float* partLse) {
    constexpr int PK = Source::PLANES, THREADS = ROWS * 2, PITCH = DIM + 8, PITCH_V = POSITIONS + 8;
    DYNAMIC_SHARED(memory);
    uint16_t* queries = reinterpret_cast<uint16_t*>(memory);   // [PQ][ROWS][PITCH]
    uint16_t* keys = queries + PQ * ROWS * PITCH;              // [PK][POSITIONS][PITCH]
    uint16_t* values = keys + PK * POSITIONS * PITCH;          // [PK][DIM][PITCH_V]
    Tile tile = tiles[blockIdx.x];
    Span span = spans[tile.span];
    int kvHead = blockIdx.y, group = shape.group(), rows = span.count * group;
    Source source(qkv, table, span, shape, kvHead);
    for (int i = threadIdx.x; i < ROWS * DIM / 8; i += THREADS) {
        int r = i / (DIM / 8), d = i % (DIM / 8) * 8, row = tile.row + r;
        float q[8];
        int64_t token = span.first + row / group;
        const float* from = qkv + token * shape.width() + (kvHead * group + row % group) * shape.headDim + d;
        loadEight(from, row < rows ? shape.headDim - d : 0, q);
#pragma unroll
        for (int e = 0; e < 8; e++) {
            q[e] *= scale;
        }
        storeEight<PQ>(queries + r * PITCH + d, ROWS * PITCH, q);
    }

    int warp = threadIdx.x / WARP, lane = threadIdx.x % WARP, in = lane % 4, ofWarp = warp * 16 + lane / 4;
    int seen[2]; // positions that the two rows of this lane see
    float best[2] = {-infinity(), -infinity()}, sum[2] = {0, 0};
#pragma unroll
    for (int i = 0; i < 2; i++) {
        int row = tile.row + ofWarp + 8 * i;
        seen[i] = row < rows ? span.cached + row / group + 1 : 0;
    }
    float o[DIM / 8][4] = {};
    int last = min(tile.row + ROWS, rows) - 1;
    int steps = (span.cached + last / group + POSITIONS) / POSITIONS, splits = gridDim.z;
    int perSplit = (steps + splits - 1) / splits;
    int from = blockIdx.z * perSplit, to = min(steps, from + perSplit);
    for (int step = from; step < to; step++) {
        int first = step * POSITIONS;
        __syncthreads(); // the step before has been computed
        for (int i = threadIdx.x; i < POSITIONS * DIM / 8; i += THREADS) {
            int position = i / (DIM / 8), d = i % (DIM / 8) * 8;
            float k[8];
            source.keys(first + position, d, k);
            storeEight<PK>(keys + position * PITCH + d, POSITIONS * PITCH, k);
        }
        for (int i = threadIdx.x; i < POSITIONS / 8 * DIM; i += THREADS) {
            int d = Source::NEIGHBOURS_ALONG_DIM ? i % DIM : i / (POSITIONS / 8);
            int position = (Source::NEIGHBOURS_ALONG_DIM ? i / DIM : i % (POSITIONS / 8)) * 8;
            float v[8];
            source.values(first + position, d, v);
            storeEight<PK>(values + d * PITCH_V + position, DIM * PITCH_V, v);
        }
        __syncthreads();

        float s[POSITIONS / 8][4] = {};
        for (int k = 0; k < shape.headDim; k += 16) {
            uint32_t a[PQ][4];
#pragma unroll
            for (int p = 0; p < PQ; p++) {
                const uint16_t* q = queries + (p * ROWS + ofWarp) * PITCH + k + in * 2;
                a[p][0] = *reinterpret_cast<const uint32_t*>(q);
                a[p][1] = *reinterpret_cast<const uint32_t*>(q + 8 * PITCH);
                a[p][2] = *reinterpret_cast<const uint32_t*>(q + 8);
                a[p][3] = *reinterpret_cast<const uint32_t*>(q + 8 * PITCH + 8);
            }
#pragma unroll
            for (int n = 0; n < POSITIONS / 8; n++) {
                uint32_t b[PK][2];
#pragma unroll
                for (int p = 0; p < PK; p++) {
                    const uint16_t* key = keys + (p * POSITIONS + n * 8 + lane / 4) * PITCH + k + in * 2;
                    b[p][0] = *reinterpret_cast<const uint32_t*>(key);
                    b[p][1] = *reinterpret_cast<const uint32_t*>(key + 8);
                }
                mmaPlanes<PQ, PK>(s[n], a, b);
            }
        }
        float top[2] = {best[0], best[1]};
#pragma unroll
        for (int e = 0; e < POSITIONS / 2; e++) {
            int n = e / 4, position = first + n * 8 + in * 2 + e % 2;
            float& score = s[n][e % 4];
            score = position < seen[e % 4 / 2] ? score : -infinity();
            top[e % 4 / 2] = fmaxf(top[e % 4 / 2], score);
        }
#pragma unroll
        for (int i = 0; i < 2; i++) {
            top[i] = fmaxf(top[i], __shfl_xor_sync(ALL_LANES, top[i], 1));
            top[i] = fmaxf(top[i], __shfl_xor_sync(ALL_LANES, top[i], 2));
            float base = top[i] == -infinity() ? 0 : top[i]; // nothing is seen yet
            float correction = expf(best[i] - base);
            best[i] = top[i];
            top[i] = base;
            sum[i] *= correction;
#pragma unroll
            for (int n = 0; n < DIM / 8; n++) {
                o[n][2 * i] *= correction;
                o[n][2 * i + 1] *= correction;
            }
        }
#pragma unroll
        for (int e = 0; e < POSITIONS / 2; e++) {
            float& score = s[e / 4][e % 4];
            score = expf(score - top[e % 4 / 2]);
            sum[e % 4 / 2] += score; // of this lane's columns; the four lanes of a row meet at the end
        }
#pragma unroll
        for (int j = 0; j < POSITIONS / 16; j++) {
            uint32_t a[PQ][4]; // what lane and register of a sum are to the product before, they are to the factor of the next
#pragma unroll
            for (int i = 0; i < 4; i++) {
                uint32_t planes[PQ];
                split<PQ>(s[2 * j + i / 2][i % 2 * 2], s[2 * j + i / 2][i % 2 * 2 + 1], planes);
#pragma unroll
                for (int p = 0; p < PQ; p++) {
                    a[p][i] = planes[p];
                }
            }
#pragma unroll
            for (int n = 0; n < DIM / 8; n++) {
                if (n * 8 < shape.headDim) {
                    uint32_t b[PK][2];
#pragma unroll
                    for (int p = 0; p < PK; p++) {
                        const uint16_t* value = values + (p * DIM + n * 8 + lane / 4) * PITCH_V + j * 16 + in * 2;
                        b[p][0] = *reinterpret_cast<const uint32_t*>(value);
                        b[p][1] = *reinterpret_cast<const uint32_t*>(value + 8);
                    }
                    mmaPlanes<PQ, PK>(o[n], a, b);
                }
            }
        }
    }

#pragma unroll
    for (int i = 0; i < 2; i++) {
        sum[i] += __shfl_xor_sync(ALL_LANES, sum[i], 1);
        sum[i] += __shfl_xor_sync(ALL_LANES, sum[i], 2);
        int row = tile.row + ofWarp + 8 * i;
        if (row < rows) {
            int64_t query = (int64_t)(span.first + row / group) * shape.heads + kvHead * group + row % group;
            int64_t part = splits == 1 ? query : query * splits + blockIdx.z;
            float inverse = sum[i] > 0 ? 1 / sum[i] : sum[i]; // a part without positions; NaN stays
            float* to = (splits == 1 ? out : partOut) + part * shape.headDim;
            for (int n = 0; n < DIM / 8; n++) {
#pragma unroll
                for (int e = 0; e < 2; e++) {
                    int d = n * 8 + in * 2 + e;
                    if (d < shape.headDim) {
                        to[d] = o[n][2 * i + e] * inverse;
                    }
                }
            }
            if (in == 0) {
                (splits == 1 ? lse : partLse)[part] = sum[i] > 0 ? best[i] + logf(sum[i]) : sum[i] == 0 ? -infinity() : sum[i];
            }
        }
    }
}
} // namespace attention

// Grid: tiles, kvHeads, splits. Shared memory: see Attention.java.
#define ATTENTION(name, source, planes, dim, queries, positions)                                                       \
    KERNEL __launch_bounds__(queries * 2, 1) attention_##name##_p##planes##_d##dim(const float* qkv,                   \
            const int4* spans, const int2* tiles, const int64_t* table, int layer, int heads, int kvHeads,             \
            int headDim, float scale, float* out, float* lse, float* partOut, float* partLse) {                        \
        using namespace attention;                                                                                     \
        attend<dim, queries, positions, planes, source>(qkv, reinterpret_cast<const Span*>(spans),                     \
                reinterpret_cast<const Tile*>(tiles), table, Shape{layer, heads, kvHeads, headDim}, scale, out, lse,   \
                partOut, partLse);                                                                                     \
    }                                                                                                                  \
    REGISTER(attention_##name##_p##planes##_d##dim)
#define ATTENTION_CACHED(name, type, ofType, planes, dim, queries, positions)                                          \
    typedef attention::Cached<type, ofType> cached_##name##_p##planes##_d##dim;                                        \
    ATTENTION(name, cached_##name##_p##planes##_d##dim, planes, dim, queries, positions)
// Tiles are such that a block takes no more than the 99 KiB of shared memory that sm_86 and sm_89 have.
#define ATTENTION_FLOATS(dim, queries, positions)                                                                      \
    ATTENTION_CACHED(f32, float, 3, 3, dim, queries, positions)                                                        \
    ATTENTION_CACHED(f16, half16, 2, 3, dim, queries, positions)                                                       \
    ATTENTION(rows, Rows, 3, dim, queries, positions)
ATTENTION_FLOATS(64, 64, 64)
ATTENTION_FLOATS(128, 32, 32)
ATTENTION_FLOATS(192, 16, 16)
ATTENTION_FLOATS(256, 16, 16)
ATTENTION_CACHED(bf16, bf16, 1, 3, 64, 64, 64)
ATTENTION_CACHED(bf16, bf16, 1, 3, 128, 64, 64)
ATTENTION_CACHED(bf16, bf16, 1, 3, 192, 32, 32)
ATTENTION_CACHED(bf16, bf16, 1, 3, 256, 32, 32)
#define ATTENTION_ROUNDED(dim, queries, positions)                                                                     \
    ATTENTION_CACHED(bf16, bf16, 1, 1, dim, queries, positions)                                                        \
    ATTENTION(rows, RoundedRows, 1, dim, queries, positions)
ATTENTION_ROUNDED(64, 64, 64)
ATTENTION_ROUNDED(128, 64, 64)
ATTENTION_ROUNDED(192, 64, 64)
ATTENTION_ROUNDED(256, 32, 32)

// The parts of a query, each with its output and the logarithm of its denominator. Grid: tokens · heads.
KERNEL attention_merge(const float* partOut, const float* partLse, int splits, int headDim, float* out, float* lse) {
    int64_t first = (int64_t)blockIdx.x * splits;
    float top = -infinity(), sum = 0;
    for (int s = 0; s < splits; s++) {
        top = fmaxf(top, partLse[first + s]);
    }
    for (int s = 0; s < splits; s++) {
        sum += expf(partLse[first + s] - top);
    }
    for (int d = threadIdx.x; d < headDim; d += blockDim.x) {
        float value = 0;
        for (int s = 0; s < splits; s++) {
            value += expf(partLse[first + s] - top) * partOut[(first + s) * headDim + d];
        }
        out[(int64_t)blockIdx.x * headDim + d] = value / sum;
    }
    if (threadIdx.x == 0) {
        lse[blockIdx.x] = top + logf(sum);
    }
}
REGISTER(attention_merge)
