// SPDX-License-Identifier: Apache-2.0
// The gradient of causal attention over the rows of each span (Dao et al. 2022, arXiv:2205.14135, algorithm 4): with
// P = exp(scale · q·kᵀ − lse) and δ = Σ dOut · out,
//     dV = Pᵀ·dOut, dS = scale · P · (dOut·vᵀ − δ), dQ = dS·k, dK = dSᵀ·q.
// Nobody adds to what another block adds to: P is computed twice, once by the block that has the keys, which meets all queries
// after them, and once by the block that has the queries.
//
// qkv and dQkv are rows of queries | keys | values, out and dOut are [tokens, heads · headDim], lse and delta are
// [tokens, heads]. `tiles` lists the tiles of OUTER rows of all spans: first row of the span, rows of the span, first row of
// the tile counted within its span.
//
// Two warps share 16 of a tile's OUTER rows. They have a role each: role 0 computes the rows' P, role 1 the rows' dOut·vᵀ.
#include "planes.cuh"

namespace attention_backward {

// Tiles such that a block's shared memory stays below 160 KiB. WIDTH is the head's width, filled up with zeros.
template <int WIDTH, int PLANES> struct Sizes {
    static constexpr int OUTER = WIDTH > 160 && PLANES > 1 ? 32 : 64; // rows that stay
    static constexpr int INNER = WIDTH > 128 && PLANES > 1 ? 16 : 32; // rows that pass by
    static constexpr int THREADS = OUTER / 16 * 2 * WARP;
    static constexpr int BLOCKS = PLANES == 1 && WIDTH <= 128 || WIDTH == 64 ? 2 : 1; // that a multiprocessor has registers for
    static constexpr int TILES = INNER / 8;
    // Words of a row in shared memory, all planes. What the lanes of a warp read at a time lies in 32 banks.
    static constexpr int ROW = PLANES * WIDTH / 2 + 4;
};

// Whether groups of four floats can be read at once.
__device__ __forceinline__ bool isAligned(const float* x, int64_t pitch, int width) {
    return (reinterpret_cast<uint64_t>(x) % 16 | pitch % 4 | width % 4) == 0;
}

// [ROWS, width] floats to planes in shared memory; zeros where there are no more than `rows` and beyond the width.
template <int WIDTH, int PLANES, int ROWS>
__device__ __forceinline__ void load(
        const float* x, int64_t pitch, int rows, int width, bool aligned, uint32_t* to) {
    using Size = Sizes<WIDTH, PLANES>;
    constexpr int QUADS = WIDTH / 4;
    constexpr int STEPS = (ROWS * QUADS + Size::THREADS - 1) / Size::THREADS;
    float4 values[STEPS];
    if (aligned) {
#pragma unroll
        for (int step = 0; step < STEPS; step++) {
            int i = step * Size::THREADS + threadIdx.x;
            int row = i / QUADS, column = i % QUADS * 4;
            values[step] = make_float4(0, 0, 0, 0);
            if (row < rows && column < width) {
                values[step] = *reinterpret_cast<const float4*>(x + row * pitch + column);
            }
        }
    } else {
#pragma unroll
        for (int step = 0; step < STEPS; step++) {
            int i = step * Size::THREADS + threadIdx.x;
            int row = i / QUADS, column = i % QUADS * 4;
            int left = row < rows ? width - column : 0;
            const float* from = x + row * pitch + column;
            values[step].x = left > 0 ? from[0] : 0;
            values[step].y = left > 1 ? from[1] : 0;
            values[step].z = left > 2 ? from[2] : 0;
            values[step].w = left > 3 ? from[3] : 0;
        }
    }
#pragma unroll
    for (int step = 0; step < STEPS; step++) {
        int i = step * Size::THREADS + threadIdx.x;
        if (ROWS * QUADS % Size::THREADS == 0 || i < ROWS * QUADS) {
            uint32_t low[PLANES], high[PLANES];
            split(values[step].x, values[step].y, low);
            split(values[step].z, values[step].w, high);
            uint32_t* row = to + i / QUADS * Size::ROW + i % QUADS * 2;
#pragma unroll
            for (int plane = 0; plane < PLANES; plane++) {
                *reinterpret_cast<uint2*>(row + plane * WIDTH / 2) = make_uint2(low[plane], high[plane]);
            }
        }
    }
}

// d[n] = a · b[n]ᵀ for 16 rows of a and 8 rows of b for each n.
template <int WIDTH, int PLANES, int TILES>
__device__ __forceinline__ void products(const uint32_t* a, const uint32_t* b, float (&d)[TILES][4]) {
    constexpr int ROW = Sizes<WIDTH, PLANES>::ROW;
    int lane = threadIdx.x % WARP, group = lane / 4, place = lane % 4;
    a += group * ROW + place;
    b += group * ROW + place;
#pragma unroll
    for (int n = 0; n < TILES; n++) {
#pragma unroll
        for (int i = 0; i < 4; i++) {
            d[n][i] = 0;
        }
    }
    for (int k = 0; k < WIDTH / 2; k += 8) {
        uint32_t as[PLANES][4], bs[TILES][PLANES][2];
#pragma unroll
        for (int plane = 0; plane < PLANES; plane++) {
            int word = plane * WIDTH / 2 + k;
            as[plane][0] = a[word];
            as[plane][1] = a[word + 8 * ROW];
            as[plane][2] = a[word + 4];
            as[plane][3] = a[word + 8 * ROW + 4];
#pragma unroll
            for (int n = 0; n < TILES; n++) {
                bs[n][plane][0] = b[word + 8 * n * ROW];
                bs[n][plane][1] = b[word + 8 * n * ROW + 4];
            }
        }
        mmaPlanes(d, as, bs);
    }
}

// sums += a · b for a of 16 rows, as `products` leaves it, and columns of b, which start at the word `b` of its first row. Two
// tiles of sums belong to 16 columns, the even ones to the first and the odd ones to the second: so pairs of columns can be
// read at a time, and four neighbours end up in one lane, see `store`.
template <int WIDTH, int PLANES, int TILES, int SUMS>
__device__ __forceinline__ void addProducts(const float (&a)[TILES][4], const uint32_t* b, float (&sums)[SUMS][4]) {
    constexpr int ROW = Sizes<WIDTH, PLANES>::ROW;
    int lane = threadIdx.x % WARP, group = lane / 4, place = lane % 4;
    b += 2 * place * ROW + group;
    uint32_t as[TILES / 2][PLANES][4];
#pragma unroll
    for (int i = 0; i < TILES * 2; i++) {
        uint32_t planes[PLANES];
        split(a[i / 2][i % 2 * 2], a[i / 2][i % 2 * 2 + 1], planes);
#pragma unroll
        for (int plane = 0; plane < PLANES; plane++) {
            as[i / 4][plane][i % 4] = planes[plane];
        }
    }
#pragma unroll
    for (int n = 0; n < SUMS; n += 2) {
        // A tensor core rounds sums toward zero: long sums of floats are better put together outside.
        float part[2][4] = {};
#pragma unroll
        for (int k = 0; k < TILES / 2; k++) {
            uint32_t bs[2][PLANES][2];
#pragma unroll
            for (int half = 0; half < 2; half++) {
#pragma unroll
                for (int plane = 0; plane < PLANES; plane++) {
                    const uint32_t* word = b + (16 * k + 8 * half) * ROW + plane * WIDTH / 2 + 4 * n;
                    uint32_t first = word[0], second = word[ROW];
                    bs[0][plane][half] = first & 0xffffu | second << 16;
                    bs[1][plane][half] = first >> 16 | second & 0xffff0000u;
                }
            }
            mmaPlanes(part, as[k], bs);
        }
#pragma unroll
        for (int i = 0; i < 4; i++) {
            sums[n][i] += part[0][i];
            sums[n + 1][i] += part[1][i];
        }
    }
}

// Writes what `addProducts` has summed up to 16 rows, of which there are `rows`, and `width` columns.
template <int SUMS>
__device__ __forceinline__ void store(
        const float (&sums)[SUMS][4], float* to, int64_t pitch, int rows, int width, bool aligned) {
    int lane = threadIdx.x % WARP, group = lane / 4, place = lane % 4;
#pragma unroll
    for (int half = 0; half < 2; half++) {
        if (group + 8 * half < rows) {
            float* row = to + (group + 8 * half) * pitch;
#pragma unroll
            for (int n = 0; n < SUMS; n += 2) {
                float values[] = {sums[n][2 * half], sums[n + 1][2 * half], sums[n][2 * half + 1], sums[n + 1][2 * half + 1]};
                int column = 8 * n + 4 * place;
                if (aligned && column < width) {
                    *reinterpret_cast<float4*>(row + column) = make_float4(values[0], values[1], values[2], values[3]);
                } else {
#pragma unroll
                    for (int i = 0; i < 4; i++) {
                        if (column + i < width) {
                            row[column + i] = values[i];
                        }
                    }
                }
            }
        }
    }
}

// What 16 rows have in the place of one role, for the other.
template <int TILES> __device__ __forceinline__ void put(const float (&values)[TILES][4], float4* box) {
#pragma unroll
    for (int n = 0; n < TILES; n++) {
        box[n * WARP + threadIdx.x % WARP] = make_float4(values[n][0], values[n][1], values[n][2], values[n][3]);
    }
}

template <int TILES> __device__ __forceinline__ void multiplyBy(const float4* box, float (&values)[TILES][4]) {
#pragma unroll
    for (int n = 0; n < TILES; n++) {
        float4 factor = box[n * WARP + threadIdx.x % WARP];
        values[n][0] *= factor.x;
        values[n][1] *= factor.y;
        values[n][2] *= factor.z;
        values[n][3] *= factor.w;
    }
}

// dK and dV of a tile of keys, which role 1 and role 0 sum up. Scores are transposed: rows are keys.
template <int WIDTH, int PLANES>
__device__ __forceinline__ void keys(const float* qkv, const float* dOut, const float* lse, const float* delta, const int4* tiles,
        int headDim, int heads, int kvHeads, float scale, float* dQkv) {
    using Size = Sizes<WIDTH, PLANES>;
    constexpr int OUTER = Size::OUTER, INNER = Size::INNER, TILES = Size::TILES, ROW = Size::ROW;
    DYNAMIC_SHARED(memory);
    uint32_t* keyRows = reinterpret_cast<uint32_t*>(memory);
    uint32_t* valueRows = keyRows + OUTER * ROW;
    uint32_t* queryRows = valueRows + OUTER * ROW;
    uint32_t* dOutRows = queryRows + INNER * ROW;
    float4* boxes = reinterpret_cast<float4*>(dOutRows + INNER * ROW);
    float* lses = reinterpret_cast<float*>(boxes + OUTER * INNER / 4);
    float* deltas = lses + INNER;

    int warp = threadIdx.x / WARP, lane = threadIdx.x % WARP;
    int role = warp % 2, strip = warp / 2 * 16;
    int4 tile = tiles[blockIdx.y];
    int count = tile.y, start = tile.z, kvHead = blockIdx.x, group = heads / kvHeads;
    int outWidth = heads * headDim;
    int64_t pitch = outWidth + 2 * kvHeads * headDim;
    int64_t keyColumn = outWidth + kvHead * headDim, valueColumn = keyColumn + kvHeads * headDim;
    qkv += tile.x * pitch;
    dQkv += tile.x * pitch;
    dOut += tile.x * (int64_t)outWidth;
    lse += tile.x * (int64_t)heads;
    delta += tile.x * (int64_t)heads;
    bool qkvAligned = isAligned(qkv, pitch, headDim), dOutAligned = isAligned(dOut, outWidth, headDim);

    const float* own = qkv + start * pitch;
    load<WIDTH, PLANES, OUTER>(own + keyColumn, pitch, count - start, headDim, qkvAligned, keyRows);
    load<WIDTH, PLANES, OUTER>(own + valueColumn, pitch, count - start, headDim, qkvAligned, valueRows);
    float4* box = boxes + warp / 2 * TILES * WARP;
    float sums[WIDTH / 8][4] = {};
    for (int head = kvHead * group; head < (kvHead + 1) * group; head++) {
        for (int first = start; first < count; first += INNER) {
            __syncthreads(); // who still reads the rows before
            load<WIDTH, PLANES, INNER>(
                    qkv + first * pitch + head * headDim, pitch, count - first, headDim, qkvAligned, queryRows);
            load<WIDTH, PLANES, INNER>(dOut + first * (int64_t)outWidth + head * headDim, outWidth, count - first, headDim,
                    dOutAligned, dOutRows);
            if (threadIdx.x < INNER) {
                int row = first + threadIdx.x;
                int64_t at = row * (int64_t)heads + head;
                lses[threadIdx.x] = row < count ? lse[at] : infinity(); // rows that are none have P = 0
                deltas[threadIdx.x] = row < count ? delta[at] : 0;
            }
            __syncthreads();
            float scores[TILES][4];
            products<WIDTH, PLANES>(
                    (role == 0 ? keyRows : valueRows) + strip * ROW, role == 0 ? queryRows : dOutRows, scores);
#pragma unroll
            for (int n = 0; n < TILES; n++) {
#pragma unroll
                for (int i = 0; i < 4; i++) {
                    int query = 8 * n + lane % 4 * 2 + i % 2;
                    int key = start + strip + lane / 4 + i / 2 * 8;
                    if (role == 1) {
                        scores[n][i] = scale * (scores[n][i] - deltas[query]);
                    } else {
                        scores[n][i] = key <= first + query ? expf(scale * scores[n][i] - lses[query]) : 0;
                    }
                }
            }
            if (role == 0) {
                put(scores, box);
            }
            __syncthreads();
            if (role == 1) {
                multiplyBy(box, scores);
            }
            addProducts<WIDTH, PLANES>(scores, role == 0 ? dOutRows : queryRows, sums);
        }
    }
    int64_t column = role == 0 ? valueColumn : keyColumn;
    store(sums, dQkv + (start + strip) * pitch + column, pitch, count - start - strip, headDim, isAligned(dQkv, pitch, headDim));
}

// dQ of a tile of queries, one half of the columns for each role. The last tiles, which meet the most keys, come first.
template <int WIDTH, int PLANES>
__device__ __forceinline__ void queries(const float* qkv, const float* dOut, const float* lse, const float* delta,
        const int4* tiles, int headDim, int heads, int kvHeads, float scale, float* dQkv) {
    using Size = Sizes<WIDTH, PLANES>;
    constexpr int OUTER = Size::OUTER, INNER = Size::INNER, TILES = Size::TILES, ROW = Size::ROW;
    DYNAMIC_SHARED(memory);
    uint32_t* queryRows = reinterpret_cast<uint32_t*>(memory);
    uint32_t* dOutRows = queryRows + OUTER * ROW;
    uint32_t* keyRows = dOutRows + OUTER * ROW;
    uint32_t* valueRows = keyRows + INNER * ROW;
    float4* boxes = reinterpret_cast<float4*>(valueRows); // [2][OUTER][INNER] floats in the place of values that are done with

    int warp = threadIdx.x / WARP, lane = threadIdx.x % WARP;
    int role = warp % 2, strip = warp / 2 * 16;
    int4 tile = tiles[gridDim.y - 1 - blockIdx.y];
    int count = tile.y, start = tile.z, head = blockIdx.x;
    int outWidth = heads * headDim;
    int64_t pitch = outWidth + 2 * kvHeads * headDim;
    int64_t keyColumn = outWidth + head / (heads / kvHeads) * headDim, valueColumn = keyColumn + kvHeads * headDim;
    qkv += tile.x * pitch;
    dQkv += tile.x * pitch;
    dOut += tile.x * (int64_t)outWidth;
    bool qkvAligned = isAligned(qkv, pitch, headDim), dOutAligned = isAligned(dOut, outWidth, headDim);

    load<WIDTH, PLANES, OUTER>(
            qkv + start * pitch + head * headDim, pitch, count - start, headDim, qkvAligned, queryRows);
    load<WIDTH, PLANES, OUTER>(dOut + start * (int64_t)outWidth + head * headDim, outWidth, count - start, headDim, dOutAligned,
            dOutRows);
    const float* rowValues = (role == 0 ? lse : delta) + head;
    float ofRow[2];
#pragma unroll
    for (int half = 0; half < 2; half++) {
        int row = start + strip + lane / 4 + 8 * half;
        ofRow[half] = row < count ? rowValues[(tile.x + row) * (int64_t)heads] : 0;
    }
    float4* box = boxes + warp / 2 * TILES * WARP;
    constexpr int BOXES = OUTER * INNER / 4;
    float sums[WIDTH / 16][4] = {};
    for (int first = 0; first < min(count, start + OUTER); first += INNER) {
        __syncthreads(); // who still reads the rows before
        const float* rows = qkv + first * pitch;
        load<WIDTH, PLANES, INNER>(rows + keyColumn, pitch, count - first, headDim, qkvAligned, keyRows);
        load<WIDTH, PLANES, INNER>(rows + valueColumn, pitch, count - first, headDim, qkvAligned, valueRows);
        __syncthreads();
        float scores[TILES][4];
        products<WIDTH, PLANES>((role == 0 ? queryRows : dOutRows) + strip * ROW, role == 0 ? keyRows : valueRows, scores);
#pragma unroll
        for (int n = 0; n < TILES; n++) {
#pragma unroll
            for (int i = 0; i < 4; i++) {
                int key = first + 8 * n + lane % 4 * 2 + i % 2;
                int query = start + strip + lane / 4 + i / 2 * 8;
                if (role == 1) {
                    scores[n][i] = scale * (scores[n][i] - ofRow[i / 2]);
                } else {
                    scores[n][i] = key <= query ? expf(scale * scores[n][i] - ofRow[i / 2]) : 0;
                }
            }
        }
        __syncthreads(); // who still reads values
        put(scores, box + role * BOXES);
        __syncthreads();
        multiplyBy(box + (1 - role) * BOXES, scores);
        addProducts<WIDTH, PLANES>(scores, keyRows + role * WIDTH / 4, sums);
    }
    int column = role * WIDTH / 2;
    store(sums, dQkv + (start + strip) * pitch + head * headDim + column, pitch, count - start - strip, headDim - column,
            isAligned(dQkv, pitch, headDim));
}

} // namespace attention_backward

// delta[row] = Σ dOut · out over the width of a head; a warp for each of [tokens · heads] rows.
KERNEL attention_delta(const float* out, const float* dOut, int64_t rows, int headDim, float* delta) {
    int64_t row = ((int64_t)blockIdx.x * blockDim.x + threadIdx.x) / WARP;
    if (row < rows) {
        float sum = 0;
        for (int i = threadIdx.x % WARP; i < headDim; i += WARP) {
            sum += out[row * headDim + i] * dOut[row * headDim + i];
        }
        sum = warpSum(sum);
        if (threadIdx.x % WARP == 0) {
            delta[row] = sum;
        }
    }
}
REGISTER(attention_delta)

// attention_backward_keys_d64_p3: a block for each [kv head, tile]; attention_backward_queries_d64_p3: for each [head, tile].
#define ATTENTION_BACKWARD_OF(what, width, planes)                                                                     \
    KERNEL __launch_bounds__(attention_backward::Sizes<width, planes>::THREADS,                                        \
            attention_backward::Sizes<width, planes>::BLOCKS)                                                          \
            attention_backward_##what##_d##width##_p##planes(const float* qkv, const float* dOut, const float* lse,    \
                    const float* delta, const int4* tiles, int headDim, int heads, int kvHeads, float scale,           \
                    float* dQkv) {                                                                                     \
        attention_backward::what<width, planes>(                                                                       \
                qkv, dOut, lse, delta, tiles, headDim, heads, kvHeads, scale, dQkv);                                   \
    }                                                                                                                  \
    REGISTER(attention_backward_##what##_d##width##_p##planes)
#define ATTENTION_BACKWARD(width, planes)                                                                              \
    ATTENTION_BACKWARD_OF(keys, width, planes)                                                                         \
    ATTENTION_BACKWARD_OF(queries, width, planes)
ATTENTION_BACKWARD(64, 3)
ATTENTION_BACKWARD(128, 3)
ATTENTION_BACKWARD(160, 3)
ATTENTION_BACKWARD(256, 3)
ATTENTION_BACKWARD(64, 1)
ATTENTION_BACKWARD(128, 1)
ATTENTION_BACKWARD(160, 1)
ATTENTION_BACKWARD(256, 1)
