// SPDX-License-Identifier: Apache-2.0
//
// Elements of the three float types, widened on load and rounded on store.

// Of eight bits, that of an integer.
INLINE int64_t size_of(int type) { return type == F32 ? 4 : type == Q8 ? 1 : 2; }

INLINE VF load(int type, const void *p, int64_t i) {
    switch (type) {
        case F16: return vf_from_f16((const uint16_t *) p + i);
        case BF16: return vf_from_bf16((const uint16_t *) p + i);
        case Q8: return vf_from_i8((const int8_t *) p + i); // the integers
        default: return vf_load((const float *) p + i);
    }
}

// The first n < LANES elements from i on, zeros behind them.
INLINE VF load_part(int type, const void *p, int64_t i, int64_t n) {
    if (type == F32) return vf_load_part((const float *) p + i, n);
    uint16_t part[LANES] = {0};
    memcpy(part, (const uint16_t *) p + i, n * sizeof *part);
    return load(type, part, 0);
}

// A whole vector, or the first n floats of one.
INLINE VF part(const float *p, int64_t n) { return n >= LANES ? vf_load(p) : vf_load_part(p, n); }
INLINE void put_part(float *p, int64_t n, VF v) {
    if (n >= LANES) {
        vf_store(p, v);
    } else {
        vf_store_part(p, n, v);
    }
}

// Rounds to nearest even; NaN stays NaN.
INLINE uint16_t float_to_bf16(float v) {
    uint32_t bits;
    memcpy(&bits, &v, sizeof bits);
    if (v != v) return (uint16_t) (bits >> 16 | 0x40);
    return (uint16_t) ((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

// to[i] = from[i], rounded.
INLINE void narrow_to(int type, const float *from, void *to, int64_t count) {
    int64_t i = 0;
    switch (type) {
        case F16:
            for (; i + LANES <= count; i += LANES) vf_to_f16((uint16_t *) to + i, vf_load(from + i));
            for (; i < count; i++) ((uint16_t *) to)[i] = float_to_f16(from[i]);
            break;
        case BF16:
            for (; i + LANES <= count; i += LANES) vf_to_bf16((uint16_t *) to + i, vf_load(from + i));
            for (; i < count; i++) ((uint16_t *) to)[i] = float_to_bf16(from[i]);
            break;
        default: memcpy(to, from, count * sizeof *from);
    }
}

INLINE void widen_from(int type, const void *from, float *to, int64_t count) {
    int64_t i = 0;
    for (; i + LANES <= count; i += LANES) vf_store(to + i, load(type, from, i));
    if (i < count) vf_store_part(to + i, count - i, load_part(type, from, i, count - i));
}

// to[i] = from[i] as a float.
static void widen(int type, const void *from, float *to, int64_t count) {
    switch (type) {
        case F16: widen_from(F16, from, to, count); break;
        case BF16: widen_from(BF16, from, to, count); break;
        default: widen_from(F32, from, to, count);
    }
}

// The same of rows that are so many elements apart.
static void widen_rows(int type, const char *from, int64_t from_stride, float *to, int64_t to_stride, int64_t rows, int64_t columns) {
    for (int64_t row = 0; row < rows; row++, from += from_stride * size_of(type), to += to_stride) widen(type, from, to, columns);
}

static void narrow_rows(int type, const float *from, int64_t from_stride, char *to, int64_t to_stride, int64_t rows, int64_t columns) {
    for (int64_t row = 0; row < rows; row++, from += from_stride, to += to_stride * size_of(type)) narrow_to(type, from, to, columns);
}
