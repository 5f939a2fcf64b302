// SPDX-License-Identifier: Apache-2.0
//
// Keys and values in the blocks of a cache. Of a head, a block has the keys of 64 positions [dim, 64], or their values [64, dim].
//
// Of eight bits, groups of 32 elements of one head of one token share a scale of 16 bits: what one token stores never changes
// another's. A head's integers come first, then their scales [groups, 64]; element = integer * scale. Sums run over the integers of a
// group first, so that there is no multiplication for each element; behind the last integers come scales, so that whole vectors can be
// read. The largest of a group becomes 127 or -127.

#define POSITIONS 64
#define F16_NAN 0x7e00

INLINE int64_t cached_groups(int64_t dim) { return (dim + GROUP_SIZE - 1) / GROUP_SIZE; }

// Elements of a head's keys, or values, in a block; of eight bits, bytes, the scales among them.
INLINE int64_t head_elements(int type, int64_t dim) {
    return POSITIONS * (type == Q8 ? dim + (int64_t) sizeof(uint16_t) * cached_groups(dim) : dim);
}

// Scales of a group, for all positions.
INLINE const uint16_t *cached_scales(const void *integers, int64_t dim, int64_t group) {
    return (const uint16_t *) ((const char *) integers + POSITIONS * dim) + group * POSITIONS;
}

// Rounds the n elements of a group; returns their scale. One with an infinity or NaN in it gets NaN.
INLINE uint16_t round_cached(const float *v, int64_t n, int8_t *q) {
    float group[GROUP_SIZE] = {0};
    memcpy(group, v, n * sizeof *v);
    VF largest = vf_zero(), check = vf_zero();
    UNROLL for (int i = 0; i < GROUP_SIZE; i += LANES) {
        VF u = vf_load(group + i);
        largest = vf_max(largest, vf_abs(u));
        check = vf_fma(u, vf_zero(), check);
    }
    uint16_t bits = vf_sum(check) == 0 ? float_to_f16(vf_max_lane(largest) / 127) : F16_NAN;
    float scale = float_from_f16(bits);
    if (!(scale > 0)) {
        memset(q, 0, GROUP_SIZE);
        return bits;
    }
    UNROLL for (int i = 0; i < GROUP_SIZE; i += LANES) {
        VF u = vf_div(vf_load(group + i), vf_set1(scale));
        // Adding 1.5 * 2^23 rounds to nearest even, and leaves the integer in the lowest bits. A scale that is nearly 0 is rounded itself.
        vf_store(group + i, vf_add(vf_min(vf_max(u, vf_set1(-127)), vf_set1(127)), vf_set1(12582912)));
    }
    for (int i = 0; i < GROUP_SIZE; i++) {
        int32_t rounded;
        memcpy(&rounded, group + i, sizeof rounded);
        q[i] = (int8_t) rounded;
    }
    return bits;
}

// Puts a token's key or value of one head in its slot; the integers lie step bytes apart.
INLINE void store_cached(const float *from, int64_t dim, char *head, int64_t first, int64_t step, int64_t slot) {
    uint16_t *scales = (uint16_t *) (head + POSITIONS * dim);
    for (int64_t g = 0; g < cached_groups(dim); g++) {
        int8_t q[GROUP_SIZE];
        int64_t d = g * GROUP_SIZE, n = dim - d < GROUP_SIZE ? dim - d : GROUP_SIZE;
        scales[g * POSITIONS + slot] = round_cached(from + d, n, q);
        for (int64_t i = 0; i < n; i++) head[first + (d + i) * step] = q[i];
    }
}

// As store_tokens, of eight bits.
static void store_cached_tokens(const float *key, const float *value, int64_t stride, int64_t count, int64_t dim, char *keys,
                                char *values, int64_t slot) {
    for (int64_t t = 0; t < count; t++) {
        store_cached(key + t * stride, dim, keys, slot + t, POSITIONS, slot + t);
        store_cached(value + t * stride, dim, values, (slot + t) * dim, 1, slot + t);
    }
}

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

// Asks for the scales of a group, if there are integers.
INLINE void expect_scales(const char *integers, int64_t dim, int64_t group) {
    const char *scales = (const char *) cached_scales(integers, dim, group);
    for (int64_t line = 0; integers && line < POSITIONS * (int64_t) sizeof(uint16_t); line += LINE) __builtin_prefetch(scales + line);
}
