// SPDX-License-Identifier: Apache-2.0
//
// The gradient of attention for one key/value head of one sequence, in tiles of 64 queries by 64 keys, with the probabilities
// computed again from the logarithms of their denominators (FlashAttention-2, Dao 2023, arXiv:2307.08691, algorithm 2).

// to[d, t] = from[t, d] in blocks of POSITIONS tokens, zeros behind count.
INLINE void transpose_blocks(const float *from, int64_t stride, int64_t count, int64_t dim, float *to) {
    for (int64_t start = 0; start < count; start += POSITIONS, to += dim * POSITIONS) {
        int64_t n = count - start < POSITIONS ? count - start : POSITIONS;
        for (int64_t d = 0; d < dim; d++) {
            for (int64_t t = 0; t < n; t++) to[d * POSITIONS + t] = from[(start + t) * stride + d];
            for (int64_t t = n; t < POSITIONS; t++) to[d * POSITIONS + t] = 0;
        }
    }
}

// to[t, d] = factor * from[t, d], zeros up to a whole block.
INLINE void copy_blocks(const float *from, int64_t stride, int64_t count, int64_t dim, float factor, float *to) {
    int64_t whole = (count + POSITIONS - 1) / POSITIONS * POSITIONS;
    for (int64_t t = 0; t < count; t++) {
        for (int64_t d = 0; d < dim; d++) to[t * dim + d] = factor * from[t * stride + d];
    }
    memset(to + count * dim, 0, (whole - count) * dim * sizeof *to);
}

// tile[q, j] = sum over d of rows[q, d] * block[d, j].
INLINE void tile_scores(const float *rows, int64_t dim, const float *block, float (*tile)[POSITIONS]) {
    for (int q = 0; q < POSITIONS; q += QUERIES) block_scores(F32, QUERIES, rows + q * dim, dim, block, 0, tile + q);
}

// out[r, d] += sum over j of weight[r, j] * values[j, d].
INLINE void tile_out(float (*weight)[POSITIONS], const float *values, int64_t dim, float *out) {
    const float ones[QUERIES] = {1, 1, 1, 1};
    for (int r = 0; r < POSITIONS; r += QUERIES) {
        block_out(F32, QUERIES, values, dim, POSITIONS, weight + r, ones, out + r * dim);
    }
}

INLINE void transpose_tile(float (*from)[POSITIONS], float (*to)[POSITIONS]) {
    for (int i = 0; i < POSITIONS; i += 8) {
        for (int j = 0; j < POSITIONS; j++) {
            UNROLL for (int k = 0; k < 8; k++) to[j][i + k] = from[i + k][j];
        }
    }
}

// Memory for one head, all of whole blocks of positions; see attend_backward.
typedef struct {
    float *k, *k_columns, *v_columns, *dk, *dv, *q, *d_out, *dq, *lse, *delta;
} HeadGradients;

// Adds what the queries from `queries` on make of the keys from `keys` on.
INLINE void backward_tile(const HeadGradients *h, int64_t queries, int64_t keys, int64_t count, int64_t dim) {
    float p[POSITIONS][POSITIONS], ds[POSITIONS][POSITIONS], turned[POSITIONS][POSITIONS];
    tile_scores(h->q + queries * dim, dim, h->k_columns + keys * dim, p);
    tile_scores(h->d_out + queries * dim, dim, h->v_columns + keys * dim, ds);
    for (int64_t i = 0; i < POSITIONS; i++) {
        int64_t q = queries + i;
        int64_t visible = q >= count ? 0 : q + 1 - keys < POSITIONS ? q + 1 - keys : POSITIONS;
        VF lse = vf_set1(h->lse[q]), delta = vf_set1(h->delta[q]);
        for (int j = 0; j < POSITIONS; j += LANES) {
            VF weight = vf_exp(vf_sub(vf_load(p[i] + j), lse));
            vf_store(p[i] + j, weight);
            vf_store(ds[i] + j, vf_mul(weight, vf_sub(vf_load(ds[i] + j), delta)));
        }
        for (int64_t j = visible; j < POSITIONS; j++) p[i][j] = ds[i][j] = 0;
    }
    tile_out(ds, h->k + keys * dim, dim, h->dq + queries * dim);
    transpose_tile(p, turned);
    tile_out(turned, h->d_out + queries * dim, dim, h->dv + keys * dim);
    transpose_tile(ds, turned);
    // q is scaled, so ds need not be.
    tile_out(turned, h->q + queries * dim, dim, h->dk + keys * dim);
}

// d_qkv of a sequence of count tokens for one key/value head and the group of query heads that share it.
// query, key, value: of the first token, rows stride floats apart; out, d_out: of the group's first head, rows out_stride apart;
// lse: likewise, rows lse_stride apart; dq, dk, dv like query, key, value. scratch: 10 * whole * dim floats, where whole is
// count rounded up to whole blocks, and dim at least 2.
static void attend_backward(const float *query, const float *key, const float *value, int64_t stride, int64_t count,
                            int64_t group, int64_t dim, const float *out, const float *d_out, int64_t out_stride, const float *lse,
                            int64_t lse_stride, float *dq, float *dk, float *dv, float *scratch) {
    int64_t whole = (count + POSITIONS - 1) / POSITIONS * POSITIONS, size = whole * dim;
    float scale = (float) (1 / sqrt((double) dim));
    HeadGradients h = {scratch,            scratch + size,     scratch + 2 * size, scratch + 3 * size, scratch + 4 * size,
                       scratch + 5 * size, scratch + 6 * size, scratch + 7 * size, scratch + 8 * size, scratch + 9 * size};
    copy_blocks(key, stride, count, dim, 1, h.k);
    transpose_blocks(key, stride, count, dim, h.k_columns);
    transpose_blocks(value, stride, count, dim, h.v_columns);
    memset(h.dk, 0, 2 * size * sizeof(float)); // and dv, which follows
    for (int64_t g = 0; g < group; g++) {
        copy_blocks(query + g * dim, stride, count, dim, scale, h.q);
        copy_blocks(d_out + g * dim, out_stride, count, dim, 1, h.d_out);
        memset(h.dq, 0, size * sizeof(float));
        for (int64_t t = 0; t < whole; t++) {
            float sum = 0;
            if (t < count) {
                const float *o = out + t * out_stride + g * dim, *d_o = d_out + t * out_stride + g * dim;
                for (int64_t d = 0; d < dim; d++) sum += d_o[d] * o[d];
            }
            h.delta[t] = sum;
            h.lse[t] = t < count ? lse[t * lse_stride + g] : 0;
        }
        for (int64_t keys = 0; keys < count; keys += POSITIONS) {
            for (int64_t queries = keys; queries < count; queries += POSITIONS) {
                backward_tile(&h, queries, keys, count, dim);
            }
        }
        for (int64_t t = 0; t < count; t++) {
            for (int64_t d = 0; d < dim; d++) dq[t * stride + g * dim + d] = scale * h.dq[t * dim + d];
        }
    }
    for (int64_t t = 0; t < count; t++) {
        memcpy(dk + t * stride, h.dk + t * dim, dim * sizeof(float));
        memcpy(dv + t * stride, h.dv + t * dim, dim * sizeof(float));
    }
}
