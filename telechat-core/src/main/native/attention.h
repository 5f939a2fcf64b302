// SPDX-License-Identifier: Apache-2.0
//
// Attention over a paged cache. The context is cut into stretches of 512 positions, counted from its beginning: of each, a query
// gathers the largest score, the denominator and the weighted sum of the values, and these are folded into what it had gathered
// before, in the order of the stretches (flash-decoding: Dao et al. 2023, on FlashAttention, arXiv:2205.14135). So it does not
// matter who computes which stretch, nor which tokens are computed together. Within a block of 64 positions the keys of a head
// are [dim, 64] and its values [64, dim], so that nothing has to be summed across a vector.

#define STRETCH 512
// Queries that are taken at once where there are too few for a tile of MATRIX_ROWS.
#define FEW 4

// What some queries of one key/value head look at in a stretch.
typedef struct {
    const void *const *blocks; // those of the stretch
    int64_t keys, values;      // where the head's begin in a block, in elements
    int64_t dim;
    int64_t positions; // that the last of the queries sees
    const char *after; // what is read next, or 0
} Seen;

INLINE const char *part_of(const int type, const Seen *seen, int64_t block, int64_t element) {
    return (const char *) seen->blocks[block] + element * size_of(type);
}

// Asks for as much of what is read next as there is in a row of what is being read.
INLINE void expect_row(const char *next, int64_t row, int64_t bytes) {
    for (int64_t at = 0; next && at < bytes; at += LINE) __builtin_prefetch(next + row * bytes + at);
}

// score[q][j] = sum over d of query[d][q] * keys[d][j].
INLINE void block_scores(const int type, const int queries, const float *query, int64_t dim, const void *keys, const char *next,
                         float *score) {
    const int piece = queries == 1 ? POSITIONS / LANES : 2;
    const int64_t group = type == Q8 ? GROUP_SIZE : dim;
    for (int j = 0; j < POSITIONS; j += piece * LANES) {
        VF sum[MATRIX_ROWS][POSITIONS / LANES], total[MATRIX_ROWS][POSITIONS / LANES];
        UNROLL for (int q = 0; q < queries; q++) UNROLL for (int v = 0; v < piece; v++) sum[q][v] = total[q][v] = vf_zero();
        for (int64_t first = 0; first < dim; first += group) {
            int64_t end = dim - first < group ? dim : first + group;
            for (int64_t d = first; d < end; d++) {
                if (queries == 1) {
                    expect_row(next, d, POSITIONS * size_of(type));
                    VF x = vf_set1(query[d]);
                    // One by one, so that all sums get registers.
                    UNROLL for (int v = 0; v < piece; v++) sum[0][v] = vf_fma(load(type, keys, d * POSITIONS + j + v * LANES), x, sum[0][v]);
                    continue;
                }
                VF key[POSITIONS / LANES];
                UNROLL for (int v = 0; v < piece; v++) key[v] = load(type, keys, d * POSITIONS + j + v * LANES);
                UNROLL for (int q = 0; q < queries; q++) {
                    VF x = vf_set1(query[d * queries + q]);
                    UNROLL for (int v = 0; v < piece; v++) sum[q][v] = vf_fma(key[v], x, sum[q][v]);
                }
            }
            if (type == Q8) {
                if (queries == 1) expect_scales(next, dim, first / GROUP_SIZE);
                UNROLL for (int v = 0; v < piece; v++) {
                    VF scale = vf_from_f16(cached_scales(keys, dim, first / GROUP_SIZE) + j + v * LANES);
                    UNROLL for (int q = 0; q < queries; q++) {
                        total[q][v] = vf_fma(sum[q][v], scale, total[q][v]);
                        sum[q][v] = vf_zero();
                    }
                }
            }
        }
        UNROLL for (int q = 0; q < queries; q++) {
            UNROLL for (int v = 0; v < piece; v++) vf_store(score + q * STRETCH + j + v * LANES, type == Q8 ? total[q][v] : sum[q][v]);
        }
    }
}

INLINE void stretch_scores(const int type, const int queries, const float *query, const Seen *seen, float *score) {
    for (int64_t j = 0; j < seen->positions; j += POSITIONS) {
        int64_t block = j / POSITIONS;
        const char *next = j + POSITIONS < seen->positions ? part_of(type, seen, block + 1, seen->keys)
                                                           : part_of(type, seen, 0, seen->values);
        block_scores(type, queries, query, seen->dim, part_of(type, seen, block, seen->keys), next, score + j);
    }
}

// Turns the scores of the first valid positions into weights, those behind them into zeros; gives the largest score.
INLINE float stretch_weights(float *score, int64_t valid, int64_t positions, float *denominator) {
    int64_t end = (positions + POSITIONS - 1) / POSITIONS * POSITIONS, last = (valid + POSITIONS - 1) / POSITIONS * POSITIONS;
    for (int64_t j = valid; j < last; j++) score[j] = -INFINITY;
    VF m[4], sum[4];
    UNROLL for (int v = 0; v < 4; v++) {
        m[v] = vf_set1(-INFINITY);
        sum[v] = vf_zero();
    }
    for (int64_t j = 0; j < last; j += 4 * LANES) UNROLL for (int v = 0; v < 4; v++) m[v] = vf_max(m[v], vf_load(score + j + v * LANES));
    float largest = vf_max_lane(vf_max(vf_max(m[0], m[1]), vf_max(m[2], m[3])));
    for (int64_t j = 0; j < last; j += 4 * LANES) {
        VF weight[4];
        UNROLL for (int v = 0; v < 4; v++) {
            weight[v] = vf_exp(vf_sub(vf_load(score + j + v * LANES), vf_set1(largest)));
            vf_store(score + j + v * LANES, weight[v]);
        }
        if (valid < j + 4 * LANES) {
            for (int64_t i = valid > j ? valid : j; i < j + 4 * LANES; i++) score[i] = 0;
            UNROLL for (int v = 0; v < 4; v++) weight[v] = vf_load(score + j + v * LANES);
        }
        UNROLL for (int v = 0; v < 4; v++) sum[v] = vf_add(sum[v], weight[v]);
    }
    for (int64_t j = last; j < end; j++) score[j] = 0;
    *denominator = vf_sum(vf_add(vf_add(sum[0], sum[1]), vf_add(sum[2], sum[3])));
    return largest;
}

// What some queries have gathered: the largest score, the denominator and the weighted sum [dim] of each.
typedef struct {
    float *max, *denominator, *out;
} Gathered;

// The most queries that are taken at once, rounded up to whole vectors.
#define ROWS 16

// Folds maxima and denominators of a stretch into those before; old, fresh: by what the weighted sums have to be multiplied.
INLINE void fold_factors(int64_t queries, Gathered before, const float *max, const float *denominator, float *old, float *fresh) {
    for (int64_t q = 0; q < queries; q++) {
        float m = before.max[q] > max[q] ? before.max[q] : max[q];
        float base = m == -INFINITY ? 0 : m; // where a query has not seen anything yet
        old[q] = before.max[q] - base;
        fresh[q] = max[q] - base;
        before.max[q] = m;
    }
    for (int64_t q = 0; q < queries; q += LANES) {
        vf_store(old + q, vf_exp(vf_load(old + q)));
        vf_store(fresh + q, vf_exp(vf_load(fresh + q)));
    }
    for (int64_t q = 0; q < queries; q++) before.denominator[q] = before.denominator[q] * old[q] + denominator[q] * fresh[q];
}

// Weights of values of eight bits in a block, times the scales of the groups that so many vectors from d on are in.
INLINE void scale_weights(const int queries, const int vectors, const char *values, int64_t dim, int64_t d, const float *weight,
                          float (*scaled)[POSITIONS]) {
    for (int v = 0; v < vectors && d + v * LANES < dim; v += GROUP_SIZE / LANES) {
        const uint16_t *scales = cached_scales(values, dim, (d + v * LANES) / GROUP_SIZE);
        UNROLL for (int j = 0; j < POSITIONS; j += LANES) {
            VF scale = vf_from_f16(scales + j);
            for (int q = 0; q < queries; q++) {
                vf_store(scaled[v * LANES / GROUP_SIZE + q] + j, vf_mul(vf_load(weight + q * STRETCH + j), scale));
            }
        }
    }
}

INLINE VF fold(VF before, VF old, VF sum, VF fresh) { return vf_fma(sum, fresh, vf_mul(before, old)); }

// A vector of values, or its first n lanes: behind integers there is always something, be it scales.
INLINE VF load_value(const int type, const void *values, int64_t at, int64_t n) {
    return n < LANES && type != Q8 ? load_part(type, values, at, n) : load(type, values, at);
}

// out[q][d] = out[q][d] * old[q] + fresh[q] * (sum over j of weight[q][j] * values[j][d]), for some vectors of d, or, of the last, the
// first n lanes.
INLINE void out_piece(const int type, const int queries, const int piece, const Seen *seen, int64_t d, int64_t n, const float *weight,
                      const float *old, const float *fresh, float *out) {
    VF sum[MATRIX_ROWS][8];
    UNROLL for (int q = 0; q < queries; q++) UNROLL for (int v = 0; v < piece; v++) sum[q][v] = vf_zero();
    const float *w = weight;
    for (int64_t left = seen->positions, block = 0; left > 0; left -= POSITIONS, block++, w += POSITIONS) {
        const char *values = part_of(type, seen, block, seen->values);
        const char *next = left > POSITIONS ? part_of(type, seen, block + 1, seen->values) : seen->after;
        int64_t count = left < POSITIONS ? left : POSITIONS;
        float scaled[MATRIX_ROWS][POSITIONS]; // of each group for one query, of each query for one group
        if (type == Q8) {
            scale_weights(queries, queries == 1 ? piece : 1, values, seen->dim, d, w, scaled);
            for (int64_t g = 0; queries == 1 && d == 0 && g < cached_groups(seen->dim); g++) expect_scales(next, seen->dim, g);
        }
        for (int64_t j = 0; j < count; j++) {
            if (queries == 1 && d == 0) expect_row(next, j, seen->dim * size_of(type));
            int64_t at = j * seen->dim + d;
            if (queries == 1) {
                UNROLL for (int v = 0; v < piece; v++) {
                    VF x = vf_set1(type == Q8 ? scaled[v * LANES / GROUP_SIZE][j] : w[j]);
                    sum[0][v] = vf_fma(load_value(type, values, at + v * LANES, n), x, sum[0][v]);
                }
                continue;
            }
            VF value[8];
            UNROLL for (int v = 0; v < piece; v++) value[v] = load_value(type, values, at + v * LANES, n);
            UNROLL for (int q = 0; q < queries; q++) {
                VF x = vf_set1(type == Q8 ? scaled[q][j] : w[q * STRETCH + j]);
                UNROLL for (int v = 0; v < piece; v++) sum[q][v] = vf_fma(value[v], x, sum[q][v]);
            }
        }
    }
    UNROLL for (int q = 0; q < queries; q++) {
        UNROLL for (int v = 0; v < piece; v++) {
            float *to = out + q * seen->dim + d + v * LANES;
            put_part(to, n, fold(part(to, n), vf_set1(old[q]), sum[q][v], vf_set1(fresh[q])));
        }
    }
}

INLINE void stretch_out(const int type, const int queries, const Seen *seen, const float *weight, const float *old, const float *fresh,
                        float *out) {
    int64_t d = 0;
    if (queries == 1) {
        for (; d + 8 * LANES <= seen->dim; d += 8 * LANES) out_piece(type, 1, 8, seen, d, LANES, weight, old, fresh, out);
        for (; d + 4 * LANES <= seen->dim; d += 4 * LANES) out_piece(type, 1, 4, seen, d, LANES, weight, old, fresh, out);
    } else {
        for (; d + 2 * LANES <= seen->dim; d += 2 * LANES) out_piece(type, queries, 2, seen, d, LANES, weight, old, fresh, out);
    }
    for (; d + LANES <= seen->dim; d += LANES) out_piece(type, queries, 1, seen, d, LANES, weight, old, fresh, out);
    if (d < seen->dim) out_piece(type, queries, 1, seen, d, seen->dim - d, weight, old, fresh, out);
}

// Some queries of a head on a stretch. query [dim, queries]; sees: the positions that each of them sees; score [queries, STRETCH].
INLINE void attend_tile(const int type, const int queries, const float *query, const Seen *seen, const int64_t *sees, float *score,
                        Gathered to) {
    float max[ROWS] = {0}, denominator[ROWS] = {0}, old[ROWS] = {0}, fresh[ROWS] = {0};
    stretch_scores(type, queries, query, seen, score);
    for (int q = 0; q < queries; q++) max[q] = stretch_weights(score + q * STRETCH, sees[q], seen->positions, denominator + q);
    fold_factors(queries, to, max, denominator, old, fresh);
    stretch_out(type, queries, seen, score, old, fresh, to.out);
}

// How many of so many queries are taken at once.
INLINE int64_t tile_of(int64_t queries) { return queries >= MATRIX_ROWS ? MATRIX_ROWS : queries > 1 ? FEW : 1; }

// Queries with those that fill up the last tile.
INLINE int64_t filled(int64_t queries) { return queries > 1 ? queries + FEW - 1 : 1; }

INLINE Gathered gathered(float *state, int64_t queries) {
    int64_t rows = filled(queries);
    return (Gathered){.max = state, .denominator = state + rows, .out = state + 2 * rows};
}

// Floats of what so many queries of one key/value head gather.
INLINE int64_t attend_state(int64_t queries, int64_t dim) { return filled(queries) * (dim + 2); }

// Floats of scratch of the attention below, with so many queries of one key/value head.
INLINE int64_t attend_scratch(int64_t queries, int64_t dim) { return filled(queries) * dim + MATRIX_ROWS * STRETCH; }

// The tokens whose attention is asked for, and which of the stretches of their context.
typedef struct {
    int64_t position, count, group, first, end;
} Asked;

// Positions that a query, of count * group, sees of a stretch.
INLINE int64_t seen_by(Asked asked, int64_t query, int64_t stretch) {
    int64_t sees = asked.position + query / asked.group + 1 - stretch * STRETCH;
    return sees < 0 ? 0 : sees > STRETCH ? STRETCH : sees;
}

// One head on its stretches. query: packed, tile behind tile; next_head: how many elements further on the following head begins, 0 if
// none does.
INLINE void attend_stretches(const int type, const void *const *blocks, int64_t keys, int64_t values, int64_t next_head, int64_t dim,
                             Asked asked, const float *query, float *score, Gathered to) {
    int64_t queries = asked.count * asked.group;
    for (int64_t stretch = asked.first; stretch < asked.end; stretch++) {
        Seen seen = {.blocks = blocks + stretch * (STRETCH / POSITIONS), .keys = keys, .values = values, .dim = dim};
        if (stretch + 1 < asked.end) {
            seen.after = part_of(type, &seen, STRETCH / POSITIONS, keys);
        } else if (next_head > 0) {
            seen.after = (const char *) blocks[asked.first * (STRETCH / POSITIONS)] + (keys + next_head) * size_of(type);
        }
        for (int64_t q = 0, n; q < queries; q += n) {
            n = tile_of(queries - q);
            int64_t sees[ROWS];
            seen.positions = seen_by(asked, q + n <= queries ? q + n - 1 : queries - 1, stretch);
            if (seen.positions == 0) continue;
            for (int64_t i = 0; i < n; i++) {
                sees[i] = seen_by(asked, q + i, stretch);
                sees[i] = sees[i] < seen.positions ? sees[i] : seen.positions; // of those that fill up, too
            }
            Gathered rows = {.max = to.max + q, .denominator = to.denominator + q, .out = to.out + q * dim};
            if (n == MATRIX_ROWS) {
                attend_tile(type, MATRIX_ROWS, query + q * dim, &seen, sees, score, rows);
            } else if (n == FEW) {
                attend_tile(type, FEW, query + q * dim, &seen, sees, score, rows);
            } else {
                attend_tile(type, 1, query + q * dim, &seen, sees, score, rows);
            }
        }
    }
}

// Scaled queries, tile behind tile, each [dim, queries]; zeros fill up the last one.
INLINE void pack_queries(const float *query, int64_t stride, int64_t count, int64_t group, int64_t dim, float *to) {
    int64_t queries = count * group;
    float scale = (float) (1 / sqrt((double) dim));
    for (int64_t q = 0, n; q < queries; q += n) {
        n = tile_of(queries - q);
        for (int64_t i = 0; i < n; i++) {
            const float *from = query + (q + i) / group * stride + (q + i) % group * dim;
            for (int64_t d = 0; d < dim; d++) to[q * dim + d * n + i] = q + i < queries ? from[d] * scale : 0;
        }
    }
}

// Attention of count consecutive tokens from a position on to some stretches of their context, for neighbouring key/value heads and
// the group of query heads that share each. blocks, keys, values as above; query: of the first token and head, rows stride floats
// apart; states: for each head what its queries gather, attend_state floats.
static void attend(int type, const void *const *blocks, int64_t keys, int64_t values, int64_t heads, int64_t position, int64_t count,
                   int64_t group, int64_t dim, const float *query, int64_t stride, int64_t first, int64_t end, float *states,
                   float *scratch) {
    int64_t queries = count * group;
    Asked asked = {.position = position, .count = count, .group = group, .first = first, .end = end};
    float *packed = scratch, *score = scratch + filled(queries) * dim;
    for (int64_t h = 0; h < heads; h++) {
        int64_t size = head_elements(type, dim), at = h * size, next_head = h + 1 < heads ? size : 0;
        float *state = states + h * attend_state(queries, dim);
        Gathered to = gathered(state, queries);
        memset(state, 0, attend_state(queries, dim) * sizeof *state);
        for (int64_t q = 0; q < filled(queries); q++) to.max[q] = -INFINITY;
        pack_queries(query + h * group * dim, stride, count, group, dim, packed);
        switch (type) {
            case F16: attend_stretches(F16, blocks, keys + at, values + at, next_head, dim, asked, packed, score, to); break;
            case BF16: attend_stretches(BF16, blocks, keys + at, values + at, next_head, dim, asked, packed, score, to); break;
            case Q8: attend_stretches(Q8, blocks, keys + at, values + at, next_head, dim, asked, packed, score, to); break;
            default: attend_stretches(F32, blocks, keys + at, values + at, next_head, dim, asked, packed, score, to);
        }
    }
}

// Folds what the queries of one head gathered into what they had gathered before.
INLINE void fold_states(int64_t queries, int64_t dim, Gathered before, Gathered more) {
    for (int64_t q = 0; q < queries; q++) {
        float old[ROWS] = {0}, fresh[ROWS] = {0};
        Gathered row = {.max = before.max + q, .denominator = before.denominator + q, .out = before.out + q * dim};
        fold_factors(1, row, more.max + q, more.denominator + q, old, fresh);
        for (int64_t d = 0; d < dim; d += LANES) {
            float *to = row.out + d;
            put_part(to, dim - d, fold(part(to, dim - d), vf_set1(old[0]), part(more.out + q * dim + d, dim - d), vf_set1(fresh[0])));
        }
    }
}

// Folds what was gathered in several parts of the context, in their order, into the first, and gives the result. states: of the
// first part and head, the next head's behind it, the next part's stride floats on; out, lse: of the first token and head, rows
// stride floats apart.
static void attend_fold(float *states, int64_t parts, int64_t stride, int64_t heads, int64_t count, int64_t group, int64_t dim,
                        float *out, int64_t out_stride, float *lse, int64_t lse_stride) {
    int64_t queries = count * group;
    for (int64_t h = 0; h < heads; h++, states += attend_state(queries, dim)) {
        Gathered all = gathered(states, queries);
        for (int64_t p = 1; p < parts; p++) fold_states(queries, dim, all, gathered(states + p * stride, queries));
        for (int64_t q = 0; q < queries; q++) {
            int64_t t = q / group, head = h * group + q % group;
            float factor = 1 / all.denominator[q];
            for (int64_t d = 0; d < dim; d++) out[t * out_stride + head * dim + d] = all.out[q * dim + d] * factor;
            lse[t * lse_stride + head] = all.max[q] + logf(all.denominator[q]);
        }
    }
}
