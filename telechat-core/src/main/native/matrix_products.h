// SPDX-License-Identifier: Apache-2.0
//
// Products of large matrices of floats, for training: C = A B, where B has been packed into slivers of SLIVER columns, so that
// the inner loop reads it in order (Goto and van de Geijn 2008, "Anatomy of high-performance matrix multiplication"). A is packed a
// block at a time, whether it lies by rows or by columns. The sum of an element runs over k in order, DEPTH at a time, whatever the
// tile.

#define SLIVER (2 * LANES)
#define SLIVER_BYTES (SLIVER * (int64_t) sizeof(float)) // of one k
// So much of a sliver stays in the first-level cache while the rows of A take turns on it.
#define DEPTH 256

// Packs B [k, n], n <= SLIVER: to[i, j] = B[i, j], zeros behind n. B[i, j] is at b[i * stride + j].
INLINE void pack_rows(const int type, const void *b, int64_t stride, int64_t k, int64_t n, float *to) {
    for (int64_t i = 0; i < k; i++, to += SLIVER) {
        const char *row = (const char *) b + i * stride * size_of(type);
        for (int v = 0; v < 2; v++) {
            int64_t left = n - v * LANES;
            vf_store(to + v * LANES, left >= LANES ? load(type, row, v * LANES)
                                     : left > 0   ? load_part(type, row, v * LANES, left)
                                                  : vf_zero());
        }
    }
}

// The first columns of some rows, LANES at most of either: lane r of tile[c] is element c of row r, zero where there is none.
INLINE void load_columns(const int type, const void *from, int64_t stride, int64_t rows, int64_t depth, VF tile[LANES]) {
    UNROLL for (int64_t r = 0; r < LANES; r++) {
        tile[r] = r >= rows        ? vf_zero()
                  : depth >= LANES ? load(type, from, r * stride)
                                   : load_part(type, from, r * stride, depth);
    }
    vf_transpose(tile);
}

// The same with B[i, j] at b[j * stride + i]: of a matrix whose rows are the columns of B.
INLINE void pack_columns(const int type, const void *b, int64_t stride, int64_t k, int64_t n, float *to) {
    for (int64_t i = 0; i < k; i += LANES) {
        for (int64_t v = 0; v < SLIVER; v += LANES) {
            VF tile[LANES];
            load_columns(type, (const char *) b + (v * stride + i) * size_of(type), stride, n - v, k - i, tile);
            UNROLL for (int64_t c = 0; c < LANES; c++) {
                if (c < k - i) vf_store(to + (i + c) * SLIVER + v, tile[c]);
            }
        }
    }
}

INLINE void pack_sliver(const int type, const void *b, int64_t stride, int columns, int64_t k, int64_t n, float *to) {
    if (columns) {
        pack_columns(type, b, stride, k, n, to);
    } else {
        pack_rows(type, b, stride, k, n, to);
    }
}

// Packs B [k, n] into slivers, one behind the other. columns: whether b holds the columns of B as rows.
static void pack_matrix(int type, const void *b, int64_t stride, int columns, int64_t k, int64_t n, float *to) {
    for (int64_t j = 0; j < n; j += SLIVER, to += k * SLIVER) {
        const char *at = (const char *) b + (columns ? j * stride : j) * size_of(type);
        int64_t width = n - j < SLIVER ? n - j : SLIVER;
        switch (type) {
            case F16: pack_sliver(F16, at, stride, columns, k, width, to); break;
            case BF16: pack_sliver(BF16, at, stride, columns, k, width, to); break;
            default: pack_sliver(F32, at, stride, columns, k, width, to);
        }
    }
}

// Where the sums of a tile go: element [r, j], j < n, to c[r * ldc + j], or on top of what is there.
typedef struct {
    float *c;
    int64_t ldc, n;
    int add;
} MatrixOut;

// Asked for while a tile is computed, so many bytes with every step: the hardware's own prefetching stops at the end of a page.
typedef struct {
    const char *at;
    int64_t pace;
} Soon;

// out[r, j] = sum over i < k of a[r, i] * sliver[i, j] for so many rows; a[r, i] is at a[r * row + i * step].
INLINE void matrix_tile(const int rows, const float *a, int64_t row, int64_t step, const float *sliver, int64_t k, MatrixOut out,
                        Soon soon) {
    UNROLL for (int r = 0; r < rows; r++) {
        UNROLL for (int v = 0; v < 2; v++) __builtin_prefetch(out.c + r * out.ldc + v * LANES, 1);
    }
    VF sum[MATRIX_ROWS][2];
    UNROLL for (int r = 0; r < rows; r++) sum[r][0] = sum[r][1] = vf_zero();
    for (int64_t i = 0; i < k; i++, sliver += SLIVER) {
        VF left = vf_load(sliver), right = vf_load(sliver + LANES);
        const float *at = a + i * step;
        __builtin_prefetch(soon.at + i * soon.pace);
        UNROLL for (int r = 0; r < rows; r++) {
            if (r % 3 < 2) {
                sum[r][0] = vf_fma_at(at + r * row, left, sum[r][0]);
                sum[r][1] = vf_fma_at(at + r * row, right, sum[r][1]);
            } else { // an instruction more for a load less: with two loads a cycle, both are scarce
                VF x = vf_set1(at[r * row]);
                sum[r][0] = vf_fma(x, left, sum[r][0]);
                sum[r][1] = vf_fma(x, right, sum[r][1]);
            }
        }
    }
    UNROLL for (int r = 0; r < rows; r++) {
        UNROLL for (int v = 0; v < 2; v++) {
            float *to = out.c + r * out.ldc + v * LANES;
            int64_t left = out.n - v * LANES;
            if (left >= LANES) {
                vf_store(to, out.add ? vf_add(vf_load(to), sum[r][v]) : sum[r][v]);
            } else if (left > 0) {
                vf_store_part(to, left, out.add ? vf_add(vf_load_part(to, left), sum[r][v]) : sum[r][v]);
            }
        }
    }
}

// Never more rows than there are sums for: the compiler drops the other cases.
#define MATRIX_CASE(n) \
    case n: matrix_tile(n < MATRIX_ROWS ? n : MATRIX_ROWS, a, row, step, sliver, k, out, soon); break

INLINE void matrix_rows(int64_t rows, const float *a, int64_t row, int64_t step, const float *sliver, int64_t k, MatrixOut out,
                        Soon soon) {
    switch (rows) {
        MATRIX_CASE(1);
        MATRIX_CASE(2);
        MATRIX_CASE(3);
        MATRIX_CASE(4);
        MATRIX_CASE(5);
        MATRIX_CASE(6);
        MATRIX_CASE(7);
        MATRIX_CASE(8);
        MATRIX_CASE(9);
        MATRIX_CASE(10);
        MATRIX_CASE(11);
        MATRIX_CASE(12);
        MATRIX_CASE(13);
        default: matrix_tile(MATRIX_ROWS, a, row, step, sliver, k, out, soon);
    }
}

// Where rows are kilobytes apart, the hardware does not follow: they are asked for so many rows ahead.
#define ROWS_AHEAD 8

// So many rows of A take turns on a sliver. They are packed first, tile behind tile: read by columns, A touches another page with
// every k; by rows, every line of it lies in the same few sets of the cache.
#define LEFT_ROWS 168
#define LEFT_TILES (LEFT_ROWS / MATRIX_ROWS)
_Static_assert(LEFT_ROWS % MATRIX_ROWS == 0, "rows are spread over tiles in whole ones");

// A tile of A [rows, k] with A[r, i] at a[i * rows + r].
APART void packed_tile(int64_t rows, const float *a, const float *sliver, int64_t k, MatrixOut out, Soon soon) {
    matrix_rows(rows, a, 1, rows, sliver, k, out, soon);
}

// With A[r, i] at a[r * row + i * step].
APART void strided_tile(int64_t rows, const float *a, int64_t row, int64_t step, const float *sliver, int64_t k, MatrixOut out,
                        Soon soon) {
    matrix_rows(rows, a, row, step, sliver, k, out, soon);
}

// Rows that a block of A is cut into: those of tile t begin at begin[t].
typedef struct {
    int64_t tiles, begin[LEFT_TILES + 1];
} LeftTiles;

// Rows are spread evenly: a tile of two would take as long as one of eight.
INLINE LeftTiles left_tiles(int64_t rows) {
    LeftTiles cut = {.tiles = (rows + MATRIX_ROWS - 1) / MATRIX_ROWS};
    for (int64_t t = 0; t <= cut.tiles; t++) cut.begin[t] = rows * t / cut.tiles;
    return cut;
}

// Packs A [rows, k] with A[r, i] at a[r + i * step], tile behind tile.
INLINE void pack_left_columns(const float *a, int64_t step, LeftTiles cut, int64_t k, float *to) {
    for (int64_t i = 0; i < k; i++, a += step) {
        for (int64_t r = 0; r < cut.begin[cut.tiles]; r += LINE / 4) __builtin_prefetch(a + ROWS_AHEAD * step + r);
        for (int64_t t = 0; t < cut.tiles; t++) {
            int64_t first = cut.begin[t], rows = cut.begin[t + 1] - first;
            float *at = to + first * k + i * rows;
            UNROLL for (int v = 0; v < MATRIX_ROWS; v += LANES) {
                if (v < rows) put_part(at + v, rows - v, part(a + first + v, rows - v));
            }
        }
    }
}

// A tile with A[r, i] at a[r * row + i].
INLINE void pack_left_tile(const float *a, int64_t row, int64_t rows, int64_t k, float *to) {
    for (int64_t i = 0; i < k; i += LANES) {
        for (int64_t v = 0; v < rows; v += LANES) {
            VF tile[LANES];
            load_columns(F32, a + v * row + i, row, rows - v, k - i, tile);
            UNROLL for (int64_t c = 0; c < LANES; c++) {
                if (c < k - i) put_part(to + (i + c) * rows + v, rows - v, tile[c]);
            }
        }
    }
}

APART void pack_left(const float *a, int64_t row, int64_t step, LeftTiles cut, int64_t k, float *to) {
    if (row == 1) {
        pack_left_columns(a, step, cut, k, to);
        return;
    }
    for (int64_t t = 0; t < cut.tiles; t++) {
        int64_t first = cut.begin[t];
        pack_left_tile(a + first * row, row, cut.begin[t + 1] - first, k, to + first * k);
    }
}

// C [m, n] (+)= A B for m <= LEFT_ROWS.
static void matrix_block(const float *a, int64_t row, int64_t step, int64_t m, const float *packed, int64_t k, int64_t n, float *c,
                         int64_t ldc, int add) {
    float left[LEFT_ROWS * DEPTH] __attribute__((aligned(LINE)));
    LeftTiles cut = left_tiles(m);
    int packs = row == 1 || n > SLIVER; // rows that meet one sliver only are read where they lie
    for (int64_t begin = 0; begin < k || begin == 0; begin += DEPTH) {
        int64_t depth = k - begin < DEPTH ? k - begin : DEPTH;
        if (packs) pack_left(a + begin * step, row, step, cut, depth, left);
        for (int64_t j = 0; j < n; j += SLIVER) {
            const float *sliver = packed + j * k + begin * SLIVER;
            const char *next = (const char *) (sliver + k * SLIVER);
            for (int64_t t = 0; t < cut.tiles; t++) {
                int64_t first = cut.begin[t], rows = cut.begin[t + 1] - first;
                MatrixOut out = {c + first * ldc + j, ldc, n - j < SLIVER ? n - j : SLIVER, add || begin};
                Soon soon = {next + SLIVER_BYTES * depth * first / m, SLIVER_BYTES * rows / m}; // its share of the next sliver
                if (packs) {
                    packed_tile(rows, left + first * depth, sliver, depth, out, soon);
                } else {
                    strided_tile(rows, a + first * row + begin * step, row, step, sliver, depth, out, soon);
                }
            }
        }
    }
}

// C [m, n] (+)= A B with B [k, n] packed; A[r, i] at a[r * row + i * step], where one of the two is 1.
static void matrix_product(const float *a, int64_t row, int64_t step, int64_t m, const float *packed, int64_t k, int64_t n, float *c,
                           int64_t ldc, int add) {
    for (int64_t first = 0; first < m; first += LEFT_ROWS) {
        int64_t rows = m - first < LEFT_ROWS ? m - first : LEFT_ROWS;
        matrix_block(a + first * row, row, step, rows, packed, k, n, c + first * ldc, ldc, add);
    }
}
