// SPDX-License-Identifier: Apache-2.0
//
// The gradient of attention for one key/value head of one sequence, in tiles of 64 queries by 64 keys, with the probabilities
// computed again from the logarithms of their denominators (FlashAttention-2, Dao 2023, arXiv:2307.08691, algorithm 2). All five
// products of a tile are those of matrix_products.h.

// Which elements of a product of a tile are needed. On the diagonal, query i sees keys 0 to i, so the tile is lower triangular.
enum { WHOLE, LOWER_RESULT, LOWER_LEFT, UPPER_LEFT };

// c[r, j] (+)= sum over i < depth of a[r, i] * b[i, j] for r < rows, j < n. a[r, i] is at a[r * row + i * step]; b: its first sliver,
// the next `apart` floats behind it.
static void tile_product(int shape, const float *a, int64_t row, int64_t step, int64_t rows, const float *b, int64_t apart,
                         int64_t depth, int64_t n, float *c, int64_t ldc, int add) {
    LeftTiles cut = left_tiles(rows);
    for (int64_t j = 0; j < n; j += SLIVER, b += apart) {
        for (int64_t t = 0; t < cut.tiles; t++) {
            int64_t first = cut.begin[t], end = cut.begin[t + 1];
            if (shape == LOWER_RESULT && j >= end) continue;
            int64_t from = shape == UPPER_LEFT ? first : 0, to = shape == LOWER_LEFT && end < depth ? end : depth;
            MatrixOut out = {c + first * ldc + j, ldc, n - j < SLIVER ? n - j : SLIVER, add};
            Soon nothing = {(const char *) b, 0};
            strided_tile(end - first, a + first * row + from * step, row, step, b + from * SLIVER, to - from, out, nothing);
        }
    }
}

INLINE float dot(const float *a, const float *b, int64_t count) {
    VF sum = vf_zero();
    for (int64_t i = 0; i < count; i += LANES) sum = vf_fma(part(a + i, count - i), part(b + i, count - i), sum);
    return vf_sum(sum);
}

// A query head with the key/value head that it uses, and their gradients. Rows of query, dq, dk and dv are stride floats apart, of d_out
// out_stride, of lse lse_stride. Slivers hold tokens (keys, values) or the head's dimensions (the others); delta [count].
typedef struct {
    const float *query, *d_out, *lse;
    float *dq, *dk, *dv;
    int64_t stride, out_stride, lse_stride, count, dim;
    float *keys_by_token, *values_by_token, *keys_by_dim, *queries_by_dim, *d_out_by_dim, *delta;
} HeadGradients;

// p: probabilities, from scores before the scale; ds: gradients of the scores, from those of the probabilities.
INLINE void softmax_backward(const HeadGradients *h, int64_t query, int64_t visible, float scale, float *p, float *ds) {
    VF factor = vf_set1(scale), less = vf_set1(-h->lse[query * h->lse_stride]), delta = vf_set1(h->delta[query]);
    for (int64_t j = 0; j < visible; j += LANES) {
        VF weight = vf_exp(vf_fma(vf_load(p + j), factor, less));
        vf_store(p + j, weight);
        vf_store(ds + j, vf_mul(vf_mul(weight, factor), vf_sub(vf_load(ds + j), delta)));
    }
    for (int64_t j = visible; j < POSITIONS; j++) p[j] = ds[j] = 0;
}

// What the queries from `queries` on make of the keys from `keys` on. first: whether nothing has been added to these keys.
INLINE void backward_tile(const HeadGradients *h, int64_t queries, int64_t keys, int first, float scale) {
    float p[POSITIONS * POSITIONS], ds[POSITIONS * POSITIONS];
    const int64_t dim = h->dim, apart = h->count * SLIVER;
    int64_t m = h->count - queries < POSITIONS ? h->count - queries : POSITIONS;
    int64_t n = h->count - keys < POSITIONS ? h->count - keys : POSITIONS;
    int diagonal = queries == keys;
    const float *q = h->query + queries * h->stride, *d_o = h->d_out + queries * h->out_stride;
    int shape = diagonal ? LOWER_RESULT : WHOLE;
    tile_product(shape, q, h->stride, 1, m, h->keys_by_token + keys * dim, dim * SLIVER, dim, n, p, POSITIONS, 0);
    tile_product(shape, d_o, h->out_stride, 1, m, h->values_by_token + keys * dim, dim * SLIVER, dim, n, ds, POSITIONS, 0);
    for (int64_t i = 0; i < m; i++) {
        softmax_backward(h, queries + i, diagonal ? i + 1 : n, scale, p + i * POSITIONS, ds + i * POSITIONS);
    }
    shape = diagonal ? LOWER_LEFT : WHOLE;
    tile_product(shape, ds, POSITIONS, 1, m, h->keys_by_dim + keys * SLIVER, apart, n, dim, h->dq + queries * h->stride, h->stride,
                 keys > 0);
    shape = diagonal ? UPPER_LEFT : WHOLE;
    tile_product(shape, p, 1, POSITIONS, n, h->d_out_by_dim + queries * SLIVER, apart, m, dim, h->dv + keys * h->stride, h->stride,
                 !first);
    tile_product(shape, ds, 1, POSITIONS, n, h->queries_by_dim + queries * SLIVER, apart, m, dim, h->dk + keys * h->stride, h->stride,
                 !first);
}

// Floats from one matrix to the next where matrices [rows, columns] are packed.
INLINE int64_t packed_floats(int64_t rows, int64_t columns) { return (columns + SLIVER - 1) / SLIVER * SLIVER * rows; }

// Floats of scratch of the gradients below: two matrices packed by tokens, three by dimensions, a row.
INLINE int64_t attend_backward_scratch(int64_t count, int64_t dim) {
    return 2 * packed_floats(dim, count) + 3 * packed_floats(count, dim) + count;
}

// d_qkv of a sequence of count tokens for one key/value head and the group of query heads that share it.
// query, key, value: of the first token, rows stride floats apart; out, d_out: of the group's first head, rows out_stride apart;
// lse: likewise, rows lse_stride apart; dq, dk, dv like query, key, value.
static void attend_backward(const float *query, const float *key, const float *value, int64_t stride, int64_t count,
                            int64_t group, int64_t dim, const float *out, const float *d_out, int64_t out_stride, const float *lse,
                            int64_t lse_stride, float *dq, float *dk, float *dv, float *scratch) {
    int64_t by_token = packed_floats(dim, count), by_dim = packed_floats(count, dim);
    float scale = (float) (1 / sqrt((double) dim));
    float *keys = scratch, *values = keys + by_token, *keys_by_dim = values + by_token;
    HeadGradients h = {query, d_out, lse, dq, dk, dv, stride, out_stride, lse_stride, count, dim, keys, values,
                       keys_by_dim, keys_by_dim + by_dim, keys_by_dim + 2 * by_dim, keys_by_dim + 3 * by_dim};
    pack_floats(key, stride, 1, dim, count, h.keys_by_token);
    pack_floats(value, stride, 1, dim, count, h.values_by_token);
    pack_floats(key, stride, 0, count, dim, h.keys_by_dim);
    for (int64_t g = 0; g < group; g++, h.query += dim, h.dq += dim, h.d_out += dim, h.lse++, out += dim) {
        pack_floats(h.query, stride, 0, count, dim, h.queries_by_dim);
        pack_floats(h.d_out, out_stride, 0, count, dim, h.d_out_by_dim);
        for (int64_t t = 0; t < count; t++) h.delta[t] = dot(h.d_out + t * out_stride, out + t * out_stride, dim);
        for (int64_t k = 0; k < count; k += POSITIONS) {
            for (int64_t q = k; q < count; q += POSITIONS) backward_tile(&h, q, k, g == 0 && q == k, scale);
        }
    }
}
