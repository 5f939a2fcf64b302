// SPDX-License-Identifier: Apache-2.0
//
// Products of large matrices, for training: C = A B, where B has been packed into slivers of SLIVER columns, so that the inner loop
// reads it in order (Goto and van de Geijn 2008, "Anatomy of high-performance matrix multiplication"). A is packed a block at a time,
// whether it lies by rows or by columns. The sum of an element runs over k in order, DEPTH steps at a time, whatever the tile.
//
// What is packed has one of two forms, which take the same place and the same loops. FLOATS: a step is one k, a lane its element.
// PAIRS (HAS_BF16): a step is two of them, a lane both their elements, rounded to bfloat16; sums are floats in either case.
enum { FLOATS, PAIRS };

INLINE int has_form(int form) {
#ifdef HAS_BF16
    if (form == PAIRS) return 1;
#endif
    return form == FLOATS;
}

#define SLIVER (2 * LANES)
#define SLIVER_BYTES (SLIVER * (int64_t) sizeof(float)) // of one step
// So many steps of a sliver stay in the first-level cache while the rows of A take turns on it.
#define DEPTH 256

// The elements of a row of a matrix that a step takes.
INLINE int64_t per_step(const int form) { return form == PAIRS ? 2 : 1; }

// A vector of elements of one row, or the first n of them, zeros behind.
INLINE VF load_first(const int type, const void *p, int64_t i, int64_t n) {
    return n >= LANES ? load(type, p, i) : n > 0 ? load_part(type, p, i, n) : vf_zero();
}

// LANES steps along a row of which n elements are left.
INLINE VF load_steps(const int form, const int type, const void *row, int64_t n) {
#ifdef HAS_BF16
    if (form == PAIRS) {
        if (type == BF16) return (VF) (n >= 2 * LANES ? vh_load(row) : vh_load_part(row, n));
        return (VF) vh_round(load_first(type, row, 0, n), load_first(type, row, LANES, n - LANES));
    }
#endif
    (void) form;
    return load_first(type, row, 0, n);
}

// One step of n neighbouring columns, LANES at most, of rows stride bytes apart, of which k are left.
INLINE VF load_step(const int form, const int type, const void *first, int64_t stride, int64_t k, int64_t n) {
#ifdef HAS_BF16
    if (form == PAIRS) {
        return vh_zip(load_first(type, first, 0, n), k > 1 ? load_first(type, (const char *) first + stride, 0, n) : vf_zero());
    }
#endif
    (void) form, (void) stride, (void) k;
    return load_first(type, first, 0, n);
}

// Packs B [k, n], n <= SLIVER: step i of column j to to[i, j], zeros behind n. B[i, j] is at b[i * stride + j].
INLINE void pack_rows(const int form, const int type, const char *b, int64_t stride, int64_t k, int64_t n, float *to) {
    for (int64_t i = 0; i < k; i += per_step(form), to += SLIVER, b += per_step(form) * stride * size_of(type)) {
        for (int64_t v = 0; v < SLIVER; v += LANES) {
            vf_store(to + v, load_step(form, type, b + v * size_of(type), stride * size_of(type), k - i, n - v));
        }
    }
}

// LANES steps of some rows, LANES at most: lane r of tile[c] is step c of row r, zero where there is none.
INLINE void load_columns(const int form, const int type, const void *from, int64_t stride, int64_t rows, int64_t k, VF tile[LANES]) {
    UNROLL for (int64_t r = 0; r < LANES; r++) {
        tile[r] = r >= rows ? vf_zero() : load_steps(form, type, (const char *) from + r * stride * size_of(type), k);
    }
    vf_transpose(tile);
}

// As pack_rows, with B[i, j] at b[j * stride + i]: of a matrix whose rows are the columns of B.
INLINE void pack_columns(const int form, const int type, const char *b, int64_t stride, int64_t k, int64_t n, float *to) {
    const int64_t step = per_step(form);
    for (int64_t i = 0; i < k; i += LANES * step, to += LANES * SLIVER) {
        for (int64_t v = 0; v < SLIVER; v += LANES) {
            VF tile[LANES];
            load_columns(form, type, b + (v * stride + i) * size_of(type), stride, n - v, k - i, tile);
            UNROLL for (int64_t c = 0; c < LANES; c++) {
                if (i + c * step < k) vf_store(to + c * SLIVER + v, tile[c]);
            }
        }
    }
}

INLINE void pack_sliver(const int form, const int type, const char *b, int64_t stride, int columns, int64_t k, int64_t n, float *to) {
    if (columns) {
        pack_columns(form, type, b, stride, k, n, to);
    } else {
        pack_rows(form, type, b, stride, k, n, to);
    }
}

// Steps of a packed matrix of depth k.
INLINE int64_t packed_steps(const int form, int64_t k) {
#ifdef HAS_AMX
    if (form == PAIRS) return (k + 2 * TILE - 1) / (2 * TILE) * TILE; // whole tiles
#endif
    return (k + per_step(form) - 1) / per_step(form);
}

// Packs B [k, n] into slivers, one behind the other. columns: whether b holds the columns of B as rows.
INLINE void pack_slivers(const int form, const int type, const char *b, int64_t stride, int columns, int64_t k, int64_t n, float *to) {
    const int64_t steps = packed_steps(form, k), full = (k + per_step(form) - 1) / per_step(form);
    for (int64_t j = 0; j < n; j += SLIVER, to += steps * SLIVER) {
        const char *at = b + (columns ? j * stride : j) * size_of(type);
        pack_sliver(form, type, at, stride, columns, k, n - j < SLIVER ? n - j : SLIVER, to);
        memset(to + full * SLIVER, 0, (steps - full) * SLIVER_BYTES);
    }
}

static void pack_floats(const float *b, int64_t stride, int columns, int64_t k, int64_t n, float *to) {
    pack_slivers(FLOATS, F32, (const char *) b, stride, columns, k, n, to);
}

// The same of any type and form.
static void pack_matrix(int form, int type, const void *b, int64_t stride, int columns, int64_t k, int64_t n, float *to) {
    switch (form * 3 + type) {
        case FLOATS * 3 + F16: pack_slivers(FLOATS, F16, b, stride, columns, k, n, to); break;
        case FLOATS * 3 + BF16: pack_slivers(FLOATS, BF16, b, stride, columns, k, n, to); break;
#ifdef HAS_BF16
        case PAIRS * 3 + F32: pack_slivers(PAIRS, F32, b, stride, columns, k, n, to); break;
        case PAIRS * 3 + F16: pack_slivers(PAIRS, F16, b, stride, columns, k, n, to); break;
        case PAIRS * 3 + BF16: pack_slivers(PAIRS, BF16, b, stride, columns, k, n, to); break;
#endif
        default: pack_floats(b, stride, columns, k, n, to);
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

// sum += x * b, lane by lane, or pair by pair.
INLINE VF add_product(const int form, VF x, VF b, VF sum) {
#ifdef HAS_BF16
    if (form == PAIRS) return vf_dot_bf16(sum, (VH) x, (VH) b);
#endif
    (void) form;
    return vf_fma(x, b, sum);
}

INLINE VF add_product_at(const int form, const float *x, VF b, VF sum) {
#ifdef HAS_BF16
    if (form == PAIRS) return vf_dot_bf16_at(sum, x, b);
#endif
    (void) form;
    return vf_fma_at(x, b, sum);
}

// out[r, j] = sum over i < k steps of a[r, i] * sliver[i, j] for so many rows; a[r, i] is at a[r * row + i * step].
INLINE void matrix_tile(const int form, const int rows, const float *a, int64_t row, int64_t step, const float *sliver, int64_t k, MatrixOut out,
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
                sum[r][0] = add_product_at(form, at + r * row, left, sum[r][0]);
                sum[r][1] = add_product_at(form, at + r * row, right, sum[r][1]);
            } else { // an instruction more for a load less: with two loads a cycle, both are scarce
                VF x = vf_set1(at[r * row]);
                sum[r][0] = add_product(form, x, left, sum[r][0]);
                sum[r][1] = add_product(form, x, right, sum[r][1]);
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
    case n: matrix_tile(form, n < MATRIX_ROWS ? n : MATRIX_ROWS, a, row, step, sliver, k, out, soon); break

INLINE void matrix_rows(const int form, int64_t rows, const float *a, int64_t row, int64_t step, const float *sliver, int64_t k,
                        MatrixOut out, Soon soon) {
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
        default: matrix_tile(form, MATRIX_ROWS, a, row, step, sliver, k, out, soon);
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
    matrix_rows(FLOATS, rows, a, 1, rows, sliver, k, out, soon);
}

// With A[r, i] at a[r * row + i * step].
APART void strided_tile(int64_t rows, const float *a, int64_t row, int64_t step, const float *sliver, int64_t k, MatrixOut out,
                        Soon soon) {
    matrix_rows(FLOATS, rows, a, row, step, sliver, k, out, soon);
}

#if defined(HAS_BF16) && !defined(HAS_AMX)
APART void packed_pairs(int64_t rows, const float *a, const float *sliver, int64_t k, MatrixOut out, Soon soon) {
    matrix_rows(PAIRS, rows, a, 1, rows, sliver, k, out, soon);
}
#endif

// A matrix whose element [r, i] is number r * row + i * step, where one of the two is 1.
typedef struct {
    const char *first;
    int type;
    int64_t row, step;
} Left;

INLINE const char *left_at(Left a, int64_t r, int64_t i) { return a.first + (r * a.row + i * a.step) * size_of(a.type); }

INLINE Left left_from(Left a, int64_t r, int64_t i) {
    a.first = left_at(a, r, i);
    return a;
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

// Packs A [rows, k], a.row being 1: tile behind tile, of each tile step behind step.
INLINE void pack_left_columns(const int form, const int type, Left a, LeftTiles cut, int64_t k, float *to) {
    const int64_t bytes = size_of(type), steps = (k + per_step(form) - 1) / per_step(form);
    for (int64_t i = 0; i < steps; i++) {
        const char *at = a.first + i * per_step(form) * a.step * bytes;
        for (int64_t r = 0; r < cut.begin[cut.tiles] * bytes; r += LINE) {
            UNROLL for (int64_t e = 0; e < per_step(form); e++) __builtin_prefetch(at + (ROWS_AHEAD + e) * a.step * bytes + r);
        }
        for (int64_t t = 0; t < cut.tiles; t++) {
            int64_t first = cut.begin[t], rows = cut.begin[t + 1] - first;
            float *tile = to + first * steps + i * rows;
            UNROLL for (int v = 0; v < MATRIX_ROWS; v += LANES) {
                if (v >= rows) continue;
                put_part(tile + v, rows - v,
                         load_step(form, type, at + (first + v) * bytes, a.step * bytes, k - i * per_step(form), rows - v));
            }
        }
    }
}

// The same of a tile, a.step being 1.
INLINE void pack_left_tile(const int form, const int type, Left a, int64_t rows, int64_t k, float *to) {
    const int64_t step = per_step(form);
    for (int64_t i = 0; i < k; i += LANES * step, to += LANES * rows) {
        for (int64_t v = 0; v < rows; v += LANES) {
            VF tile[LANES];
            load_columns(form, type, a.first + (v * a.row + i) * size_of(type), a.row, rows - v, k - i, tile);
            UNROLL for (int64_t c = 0; c < LANES; c++) {
                if (i + c * step < k) put_part(to + c * rows + v, rows - v, tile[c]);
            }
        }
    }
}

INLINE void pack_left_of(const int form, const int type, Left a, LeftTiles cut, int64_t k, float *to) {
    if (a.row == 1) {
        pack_left_columns(form, type, a, cut, k, to);
        return;
    }
    const int64_t steps = (k + per_step(form) - 1) / per_step(form);
    for (int64_t t = 0; t < cut.tiles; t++) {
        int64_t first = cut.begin[t];
        pack_left_tile(form, type, left_from(a, first, 0), cut.begin[t + 1] - first, k, to + first * steps);
    }
}

// Packs A [rows, k].
INLINE void pack_left(const int form, Left a, LeftTiles cut, int64_t k, float *to) {
    if (a.type == BF16) {
        pack_left_of(form, BF16, a, cut, k, to);
    } else {
        pack_left_of(form, F32, a, cut, k, to);
    }
}

APART void pack_left_floats(Left a, LeftTiles cut, int64_t k, float *to) { pack_left(FLOATS, a, cut, k, to); }

#if defined(HAS_AMX)
#include "amx_matrix_products.h"
#elif defined(HAS_BF16)
APART void pack_left_pairs(Left a, LeftTiles cut, int64_t k, float *to) { pack_left(PAIRS, a, cut, k, to); }
#endif

// C [m, n] (+)= A B for m <= LEFT_ROWS.
INLINE void matrix_block(const int form, Left a, int64_t m, const float *packed, int64_t k, int64_t n, float *c, int64_t ldc, int add) {
    float left[LEFT_ROWS * DEPTH] __attribute__((aligned(LINE)));
    LeftTiles cut = left_tiles(m);
    // Rows of floats that meet one sliver only are read where they lie.
    int packs = form == PAIRS || a.type != F32 || a.row == 1 || n > SLIVER;
    int64_t steps = packed_steps(form, k);
    for (int64_t begin = 0; begin < steps || begin == 0; begin += DEPTH) {
        int64_t depth = steps - begin < DEPTH ? steps - begin : DEPTH;
        Left from = left_from(a, 0, begin * per_step(form));
        if (packs) {
#if defined(HAS_BF16) && !defined(HAS_AMX)
            if (form == PAIRS) pack_left_pairs(from, cut, k - 2 * begin < 2 * depth ? k - 2 * begin : 2 * depth, left);
#endif
            if (form == FLOATS) pack_left_floats(from, cut, depth, left);
        }
        for (int64_t j = 0; j < n; j += SLIVER) {
            const float *sliver = packed + j * steps + begin * SLIVER;
            const char *next = (const char *) (sliver + steps * SLIVER);
            for (int64_t t = 0; t < cut.tiles; t++) {
                int64_t first = cut.begin[t], rows = cut.begin[t + 1] - first;
                MatrixOut out = {c + first * ldc + j, ldc, n - j < SLIVER ? n - j : SLIVER, add || begin};
                Soon soon = {next + SLIVER_BYTES * depth * first / m, SLIVER_BYTES * rows / m}; // its share of the next sliver
                if (!packs) {
                    strided_tile(rows, (const float *) left_at(from, first, 0), a.row, a.step, sliver, depth, out, soon);
                    continue;
                }
#if defined(HAS_BF16) && !defined(HAS_AMX)
                if (form == PAIRS) packed_pairs(rows, left + first * depth, sliver, depth, out, soon);
#endif
                if (form == FLOATS) packed_tile(rows, left + first * depth, sliver, depth, out, soon);
            }
        }
    }
}

// C [m, n] (+)= A B with B [k, n] packed in this form.
static void matrix_product(int form, Left a, int64_t m, const float *packed, int64_t k, int64_t n, float *c, int64_t ldc, int add) {
#ifdef HAS_AMX
    if (form == PAIRS) configure_matrix_tiles();
#endif
    for (int64_t first = 0; first < m; first += LEFT_ROWS) {
        int64_t rows = m - first < LEFT_ROWS ? m - first : LEFT_ROWS;
        Left part = left_from(a, first, 0);
        float *to = c + first * ldc;
#if defined(HAS_AMX)
        if (form == PAIRS) amx_matrix_block(part, rows, packed, k, n, to, ldc, add);
#elif defined(HAS_BF16)
        if (form == PAIRS) matrix_block(PAIRS, part, rows, packed, k, n, to, ldc, add);
#endif
        if (form == FLOATS) matrix_block(FLOATS, part, rows, packed, k, n, to, ldc, add);
    }
}
