// SPDX-License-Identifier: Apache-2.0
//
// Products of large matrices of floats, for training: C = A B, where B has been packed into slivers of SLIVER columns, so that
// the inner loop reads it in order (Goto and van de Geijn 2008, "Anatomy of high-performance matrix multiplication"). A is read
// where it lies, by rows or by columns. The sum of an element runs over k in order, DEPTH at a time, whatever the tile.

#define SLIVER (2 * LANES)
// So much of a sliver stays in the first-level cache while the rows of A take turns on it.
#define DEPTH 256

// LANES rows of LANES floats, row r at from + r * stride, into columns; column c goes to to + c * SLIVER.
INLINE void transpose_lanes(const float *from, int64_t stride, float *to) {
    for (int r = 0; r < LANES; r++) {
        float row[LANES];
        vf_store(row, vf_load(from + r * stride));
        UNROLL for (int c = 0; c < LANES; c++) to[c * SLIVER + r] = row[c];
    }
}

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

// The same with B[i, j] at b[j * stride + i]: of a matrix whose rows are the columns of B.
INLINE void pack_columns(const int type, const void *b, int64_t stride, int64_t k, int64_t n, float *to) {
    float tile[LANES * LANES];
    for (int64_t i = 0; i < k; i += LANES) {
        int64_t depth = k - i < LANES ? k - i : LANES;
        for (int v = 0; v < 2; v++) {
            for (int64_t r = 0; r < LANES; r++) {
                int64_t j = v * LANES + r;
                VF row = vf_zero();
                if (j < n) row = depth == LANES ? load(type, b, j * stride + i) : load_part(type, b, j * stride + i, depth);
                vf_store(tile + r * LANES, row);
            }
            if (depth == LANES) {
                transpose_lanes(tile, LANES, to + i * SLIVER + v * LANES);
            } else {
                for (int64_t c = 0; c < depth; c++) {
                    for (int r = 0; r < LANES; r++) to[(i + c) * SLIVER + v * LANES + r] = tile[r * LANES + c];
                }
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

// c[r, j] (+)= sum over i < k of a[r, i] * sliver[i, j] for so many rows; a[r, i] is at a[r * row + i * step].
INLINE void matrix_tile(const int rows, const float *a, int64_t row, int64_t step, const float *sliver, int64_t k, float *c,
                        int64_t ldc, int64_t n, int add) {
    VF sum[MATRIX_ROWS][2];
    UNROLL for (int r = 0; r < rows; r++) sum[r][0] = sum[r][1] = vf_zero();
    for (int64_t i = 0; i < k; i++, sliver += SLIVER) {
        VF left = vf_load(sliver), right = vf_load(sliver + LANES);
        const float *at = a + i * step;
        UNROLL for (int r = 0; r < rows; r++) {
            VF x = vf_set1(at[r * row]);
            sum[r][0] = vf_fma(x, left, sum[r][0]);
            sum[r][1] = vf_fma(x, right, sum[r][1]);
        }
    }
    UNROLL for (int r = 0; r < rows; r++) {
        UNROLL for (int v = 0; v < 2; v++) {
            float *to = c + r * ldc + v * LANES;
            int64_t left = n - v * LANES;
            if (left >= LANES) {
                vf_store(to, add ? vf_add(vf_load(to), sum[r][v]) : sum[r][v]);
            } else if (left > 0) {
                vf_store_part(to, left, add ? vf_add(vf_load_part(to, left), sum[r][v]) : sum[r][v]);
            }
        }
    }
}

// Never more rows than there are sums for: the compiler drops the other cases.
#define MATRIX_CASE(n) \
    case n: matrix_tile(n < MATRIX_ROWS ? n : MATRIX_ROWS, a, row, step, sliver, k, c, ldc, width, add); break

INLINE void matrix_rows(int64_t rows, const float *a, int64_t row, int64_t step, const float *sliver, int64_t k, float *c,
                        int64_t ldc, int64_t width, int add) {
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
        default: matrix_tile(MATRIX_ROWS, a, row, step, sliver, k, c, ldc, width, add);
    }
}

// C [m, n] (+)= A B with B [k, n] packed; A[r, i] at a[r * row + i * step].
static void matrix_product(const float *a, int64_t row, int64_t step, int64_t m, const float *packed, int64_t k, int64_t n, float *c,
                           int64_t ldc, int add) {
    for (int64_t begin = 0; begin < k || begin == 0; begin += DEPTH) {
        int64_t depth = k - begin < DEPTH ? k - begin : DEPTH;
        const float *from = a + begin * step;
        for (int64_t j = 0; j < n; j += SLIVER) {
            const float *sliver = packed + j * k + begin * SLIVER;
            int64_t width = n - j < SLIVER ? n - j : SLIVER;
            // Rows are spread evenly: a tile of two would take as long as one of eight.
            int64_t tiles = (m + MATRIX_ROWS - 1) / MATRIX_ROWS;
            for (int64_t t = 0; t < tiles; t++) {
                int64_t first = m * t / tiles, rows = m * (t + 1) / tiles - first;
                matrix_rows(rows, from + first * row, row, step, sliver, depth, c + first * ldc + j, ldc, width, add || begin);
            }
        }
    }
}
