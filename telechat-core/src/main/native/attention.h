// SPDX-License-Identifier: Apache-2.0
//
// Attention over a paged cache, a block of 64 positions at a time, with the running maximum and denominator of FlashAttention
// (Dao et al. 2022, arXiv:2205.14135). Within a block the keys of a head are [dim, 64] and its values [64, dim], so that nothing
// has to be summed across a vector.

#define POSITIONS 64
#define QUERIES 4

// Puts keys and values of some tokens, whose slots follow each other in one block, where they belong.
INLINE void store_tokens(const int type, const float *key, const float *value, int64_t stride, int64_t count, int64_t dim,
                         char *keys, char *values, int64_t slot) {
    for (int64_t t = 0; t < count; t++) {
        narrow_to(type, value + t * stride, values + (slot + t) * dim * size_of(type), dim);
    }
    for (int64_t d = 0; d < dim; d++) {
        float same[POSITIONS]; // element d of all these keys: neighbours in the block
        for (int64_t t = 0; t < count; t++) same[t] = key[t * stride + d];
        narrow_to(type, same, keys + (d * POSITIONS + slot) * size_of(type), count);
    }
}

// Asks for the lines that a single key is written to: each of its elements has one of its own.
INLINE void expect_key(int type, char *keys, int64_t elements, int64_t slot) {
    for (int64_t d = 0; d < elements; d++) __builtin_prefetch(keys + (d * POSITIONS + slot) * size_of(type), 1, 3);
}

// Stores keys and values of count tokens, from a position on, for neighbouring key/value heads. blocks[i]: positions 64 i to 64 i + 63
// of the sequence; keys, values: where those of the first head begin in each block, in elements, the next head's behind them; key,
// value: of the first token, stride floats apart.
static void store_keys_values(int type, void *const *blocks, int64_t keys, int64_t values, int64_t heads, int64_t position,
                               int64_t count, int64_t dim, const float *key, const float *value, int64_t stride) {
    if (count == 1) expect_key(type, (char *) blocks[position / POSITIONS] + keys * size_of(type), heads * dim, position % POSITIONS);
    for (int64_t done = 0, n; done < count; done += n) {
        char *block = blocks[(position + done) / POSITIONS];
        int64_t slot = (position + done) % POSITIONS;
        n = POSITIONS - slot < count - done ? POSITIONS - slot : count - done;
        for (int64_t h = 0; h < heads; h++) {
            char *k = block + (keys + h * POSITIONS * dim) * size_of(type), *v = block + (values + h * POSITIONS * dim) * size_of(type);
            const float *key_of = key + done * stride + h * dim, *value_of = value + done * stride + h * dim;
            switch (type) {
                case F16: store_tokens(F16, key_of, value_of, stride, n, dim, k, v, slot); break;
                case BF16: store_tokens(BF16, key_of, value_of, stride, n, dim, k, v, slot); break;
                default: store_tokens(F32, key_of, value_of, stride, n, dim, k, v, slot);
            }
        }
    }
}

// score[q][j] = sum over d of query[q][d] * keys[d][j].
INLINE void block_scores(const int type, const int queries, const float *query, int64_t dim, const void *keys,
                         const char *next, float (*score)[POSITIONS]) {
    const int piece = queries == 1 ? POSITIONS / LANES : PIECE;
    for (int j = 0; j < POSITIONS; j += piece * LANES) {
        VF sum[QUERIES][POSITIONS / LANES];
        UNROLL for (int q = 0; q < queries; q++) UNROLL for (int v = 0; v < piece; v++) sum[q][v] = vf_zero();
        for (int64_t d = 0; d < dim; d++) {
            if (queries == 1 && next) {
                for (int64_t line = 0; line < POSITIONS * size_of(type); line += LINE) {
                    __builtin_prefetch(next + d * POSITIONS * size_of(type) + line);
                }
            }
            VF key[POSITIONS / LANES];
            UNROLL for (int v = 0; v < piece; v++) key[v] = load(type, keys, d * POSITIONS + j + v * LANES);
            UNROLL for (int q = 0; q < queries; q++) {
                VF x = vf_set1(query[q * dim + d]);
                UNROLL for (int v = 0; v < piece; v++) sum[q][v] = vf_fma(key[v], x, sum[q][v]);
            }
        }
        UNROLL for (int q = 0; q < queries; q++) UNROLL for (int v = 0; v < piece; v++) vf_store(score[q] + j + v * LANES, sum[q][v]);
    }
}

INLINE void out_piece(const int type, const int queries, const int piece, const void *values, int64_t dim, int64_t d, int64_t positions,
                      float (*weight)[POSITIONS], const float *correction, float *out) {
    VF sum[QUERIES][4];
    UNROLL for (int q = 0; q < queries; q++) {
        UNROLL for (int v = 0; v < piece; v++) sum[q][v] = vf_mul(vf_load(out + q * dim + d + v * LANES), vf_set1(correction[q]));
    }
    for (int64_t j = 0; j < positions; j++) {
        VF value[4];
        UNROLL for (int v = 0; v < piece; v++) value[v] = load(type, values, j * dim + d + v * LANES);
        UNROLL for (int q = 0; q < queries; q++) {
            VF w = vf_set1(weight[q][j]);
            UNROLL for (int v = 0; v < piece; v++) sum[q][v] = vf_fma(value[v], w, sum[q][v]);
        }
    }
    UNROLL for (int q = 0; q < queries; q++) UNROLL for (int v = 0; v < piece; v++) vf_store(out + q * dim + d + v * LANES, sum[q][v]);
}

// out[q][d] = out[q][d] * correction[q] + sum over j of weight[q][j] * values[j][d].
INLINE void block_out(const int type, const int queries, const void *values, int64_t dim, int64_t positions,
                      float (*weight)[POSITIONS], const float *correction, float *out) {
    const int piece = queries == 1 ? 4 : PIECE;
    int64_t d = 0;
    for (; d + piece * LANES <= dim; d += piece * LANES) {
        out_piece(type, queries, piece, values, dim, d, positions, weight, correction, out);
    }
    for (; d + LANES <= dim; d += LANES) out_piece(type, queries, 1, values, dim, d, positions, weight, correction, out);
    if (d < dim) {
        UNROLL for (int q = 0; q < queries; q++) {
            VF sum = vf_mul(vf_load_part(out + q * dim + d, dim - d), vf_set1(correction[q]));
            for (int64_t j = 0; j < positions; j++) {
                sum = vf_fma(load_part(type, values, j * dim + d, dim - d), vf_set1(weight[q][j]), sum);
            }
            vf_store_part(out + q * dim + d, dim - d, sum);
        }
    }
}

// Turns scores of the first valid positions into weights, the others into zeros; returns the factor for what was gathered before.
INLINE float softmax_block(float *score, int64_t valid, float *max, float *denominator) {
    if (valid <= 0) {
        for (int j = 0; j < POSITIONS; j += LANES) vf_store(score + j, vf_zero());
        return 1;
    }
    for (int64_t j = valid; j < POSITIONS; j++) score[j] = -INFINITY;
    VF largest = vf_load(score);
    UNROLL for (int j = LANES; j < POSITIONS; j += LANES) largest = vf_max(largest, vf_load(score + j));
    float m = fmaxf(*max, vf_max_lane(largest));
    UNROLL for (int j = 0; j < POSITIONS; j += LANES) vf_store(score + j, vf_exp(vf_sub(vf_load(score + j), vf_set1(m))));
    for (int64_t j = valid; j < POSITIONS; j++) score[j] = 0;
    VF sum = vf_zero();
    UNROLL for (int j = 0; j < POSITIONS; j += LANES) sum = vf_add(sum, vf_load(score + j));
    float correction = 0;
    if (*max != -INFINITY) {
        float lanes[LANES];
        vf_store(lanes, vf_exp(vf_set1(*max - m)));
        correction = lanes[0];
    }
    *max = m;
    *denominator = *denominator * correction + vf_sum(sum);
    return correction;
}

// What the queries from first on, of one head's block, see of the block that begins at a position.
INLINE void attend_block(const int type, const int queries, int64_t first, int64_t group, int64_t dim, int64_t visible,
                         const void *keys, const void *values, const char *next_keys, const char *next_values, float *query,
                         float *out, float *max, float *denominator) {
    float score[QUERIES][POSITIONS], correction[QUERIES];
    int64_t most = visible + (first + queries - 1) / group; // positions that the last of these queries sees
    if (most <= 0) return;
    block_scores(type, queries, query + first * dim, dim, keys, next_keys, score);
    if (queries == 1 && next_values) {
        for (int64_t line = 0; line < POSITIONS * dim * size_of(type); line += LINE) __builtin_prefetch(next_values + line);
    }
    UNROLL for (int q = 0; q < queries; q++) {
        int64_t valid = visible + (first + q) / group;
        valid = valid > POSITIONS ? POSITIONS : valid;
        correction[q] = softmax_block(score[q], valid, max + first + q, denominator + first + q);
    }
    block_out(type, queries, values, dim, most > POSITIONS ? POSITIONS : most, score, correction, out + first * dim);
}

// next_head: how many elements further on the following head begins, 0 if none does.
INLINE void attend_blocks(const int type, const void *const *blocks, int64_t keys, int64_t values, int64_t next_head, int64_t position,
                          int64_t count, int64_t group, int64_t dim, float *query, float *out, float *max, float *denominator,
                          float *wide) {
    int64_t queries = count * group;
    int64_t end = position + count;
    for (int64_t start = 0; start < end; start += POSITIONS) {
        const char *block = blocks[start / POSITIONS];
        const void *k = block + keys * size_of(type), *v = block + values * size_of(type);
        int64_t visible = position + 1 - start; // to the first token
        if (queries == 1) {
            const char *next = 0; // where what is read next lies
            if (start + POSITIONS < end) {
                next = blocks[start / POSITIONS + 1];
            } else if (next_head > 0) {
                next = (const char *) blocks[0] + next_head * size_of(type);
            }
            attend_block(type, 1, 0, group, dim, visible, k, v, next ? next + keys * size_of(type) : 0,
                         next ? next + values * size_of(type) : 0, query, out, max, denominator);
            continue;
        }
        if (type != F32) {
            widen(type, k, wide, POSITIONS * dim);
            widen(type, v, wide + POSITIONS * dim, POSITIONS * dim);
            k = wide;
            v = wide + POSITIONS * dim;
        }
        int64_t q = 0;
        for (; q + QUERIES <= queries; q += QUERIES) {
            attend_block(F32, QUERIES, q, group, dim, visible, k, v, 0, 0, query, out, max, denominator);
        }
        for (; q < queries; q++) attend_block(F32, 1, q, group, dim, visible, k, v, 0, 0, query, out, max, denominator);
    }
}

INLINE void attend_head(int type, const void *const *blocks, int64_t keys, int64_t values, int64_t next_head, int64_t position,
                        int64_t count, int64_t group, int64_t dim, const float *query, int64_t query_stride, float *out,
                        int64_t out_stride, float *lse, int64_t lse_stride, float *scratch) {
    int64_t queries = count * group;
    float *q = scratch, *o = q + queries * dim, *max = o + queries * dim, *denominator = max + queries, *wide = denominator + queries;
    float scale = (float) (1 / sqrt((double) dim));
    for (int64_t t = 0; t < count; t++) {
        for (int64_t i = 0; i < group * dim; i++) q[t * group * dim + i] = query[t * query_stride + i] * scale;
    }
    memset(o, 0, queries * dim * sizeof *o);
    for (int64_t i = 0; i < queries; i++) {
        max[i] = -INFINITY;
        denominator[i] = 0;
    }
    switch (type) {
        case F16:
            attend_blocks(F16, blocks, keys, values, next_head, position, count, group, dim, q, o, max, denominator, wide);
            break;
        case BF16:
            attend_blocks(BF16, blocks, keys, values, next_head, position, count, group, dim, q, o, max, denominator, wide);
            break;
        default: attend_blocks(F32, blocks, keys, values, next_head, position, count, group, dim, q, o, max, denominator, wide);
    }
    for (int64_t i = 0; i < queries; i++) {
        int64_t t = i / group, g = i % group;
        float factor = 1 / denominator[i];
        for (int64_t d = 0; d < dim; d++) out[t * out_stride + g * dim + d] = o[i * dim + d] * factor;
        lse[t * lse_stride + g] = max[i] + logf(denominator[i]);
    }
}

// Floats of scratch of the attention below, with so many queries of one key/value head.
INLINE int64_t attend_scratch(int64_t queries, int64_t dim) { return 2 * queries * (dim + 1) + 2 * POSITIONS * dim; }

// Attention of count consecutive tokens from a position on, for neighbouring key/value heads and the group of query heads that
// share each. blocks, keys, values as above; query, out: of the first token and head, rows stride floats apart; lse: likewise.
static void attend(int type, const void *const *blocks, int64_t keys, int64_t values, int64_t heads, int64_t position, int64_t count,
                   int64_t group, int64_t dim, const float *query, int64_t query_stride, float *out, int64_t out_stride,
                   float *lse, int64_t lse_stride, float *scratch) {
    for (int64_t h = 0; h < heads; h++) {
        int64_t first = h * POSITIONS * dim, row = h * group * dim;
        attend_head(type, blocks, keys + first, values + first, h + 1 < heads ? POSITIONS * dim : 0, position, count, group, dim,
                    query + row, query_stride, out + row, out_stride, lse + h * group, lse_stride, scratch);
    }
}
