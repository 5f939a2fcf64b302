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
INLINE void expect_key(int type, char *keys, int64_t rows, int64_t slot) {
    for (int64_t d = 0; d < rows; d++) __builtin_prefetch(keys + (d * POSITIONS + slot) * size_of(type), 1, 3);
}

// Stores keys and values of count tokens, from a position on, for neighbouring key/value heads. blocks[i]: positions 64 i to 64 i + 63
// of the sequence; keys, values: where those of the first head begin in each block, in elements, the next head's behind them; key,
// value: of the first token, stride floats apart.
static void store_keys_values(int type, void *const *blocks, int64_t keys, int64_t values, int64_t heads, int64_t position,
                               int64_t count, int64_t dim, const float *key, const float *value, int64_t stride) {
    if (count == 1) {
        int64_t rows = heads * head_elements(type, dim) / POSITIONS;
        expect_key(type, (char *) blocks[position / POSITIONS] + keys * size_of(type), rows, position % POSITIONS);
    }
    for (int64_t done = 0, n; done < count; done += n) {
        char *block = blocks[(position + done) / POSITIONS];
        int64_t slot = (position + done) % POSITIONS;
        n = POSITIONS - slot < count - done ? POSITIONS - slot : count - done;
        for (int64_t h = 0; h < heads; h++) {
            int64_t head = h * head_elements(type, dim);
            char *k = block + (keys + head) * size_of(type), *v = block + (values + head) * size_of(type);
            const float *key_of = key + done * stride + h * dim, *value_of = value + done * stride + h * dim;
            switch (type) {
                case F16: store_tokens(F16, key_of, value_of, stride, n, dim, k, v, slot); break;
                case BF16: store_tokens(BF16, key_of, value_of, stride, n, dim, k, v, slot); break;
                case Q8: store_cached_tokens(key_of, value_of, stride, n, dim, k, v, slot); break;
                default: store_tokens(F32, key_of, value_of, stride, n, dim, k, v, slot);
            }
        }
    }
}

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
    // Scales take registers, too.
    const int piece = queries > 1 ? 2 : type == Q8 ? 4 : POSITIONS / LANES;
    for (int j = 0; j < POSITIONS; j += piece * LANES) {
        VF sum[MATRIX_ROWS][POSITIONS / LANES];
        UNROLL for (int q = 0; q < queries; q++) UNROLL for (int v = 0; v < piece; v++) sum[q][v] = vf_zero();
        VF scale[POSITIONS / LANES] = {0};
        for (int64_t d = 0; d < dim; d++) {
            if (queries == 1 && j == 0) expect_row(next, d, POSITIONS * size_of(type));
            if (type == Q8 && d % GROUP_SIZE == 0) {
                const uint16_t *scales = cached_scales(keys, dim, d / GROUP_SIZE);
                UNROLL for (int v = 0; v < piece; v++) scale[v] = vf_from_f16(scales + j + v * LANES);
                if (queries == 1 && j == 0) expect_scales(next, dim, d / GROUP_SIZE);
            }
            VF key[POSITIONS / LANES];
            UNROLL for (int v = 0; v < piece; v++) key[v] = load_cached(type, keys, d * POSITIONS + j + v * LANES, scale[v]);
            UNROLL for (int q = 0; q < queries; q++) {
                VF x = vf_set1(query[d * queries + q]);
                UNROLL for (int v = 0; v < piece; v++) sum[q][v] = vf_fma(key[v], x, sum[q][v]);
            }
        }
        UNROLL for (int q = 0; q < queries; q++) {
            UNROLL for (int v = 0; v < piece; v++) vf_store(score + q * STRETCH + j + v * LANES, sum[q][v]);
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

INLINE VF fold(VF before, VF old, VF sum, VF fresh) { return vf_fma(sum, fresh, vf_mul(before, old)); }

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
        float scale[4][POSITIONS]; // of the groups that these elements are in
        if (type == Q8) cached_scales_of(values, seen->dim, d, n < LANES ? n : piece * LANES, scale);
        if (type == Q8 && queries == 1 && d == 0) {
            for (int64_t g = 0; g < cached_groups(seen->dim); g++) expect_scales(next, seen->dim, g);
        }
        for (int64_t j = 0; j < count; j++) {
            if (queries == 1 && d == 0) expect_row(next, j, seen->dim * size_of(type));
            VF value[8];
            UNROLL for (int v = 0; v < piece; v++) {
                int64_t at = j * seen->dim + d + v * LANES;
                VF s = type == Q8 ? vf_set1(scale[v * LANES / GROUP_SIZE][j]) : vf_zero();
                value[v] = n < LANES && type != Q8 ? load_part(type, values, at, n) : load_cached(type, values, at, s);
            }
            UNROLL for (int q = 0; q < queries; q++) {
                VF x = vf_set1(w[q * STRETCH + j]);
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
