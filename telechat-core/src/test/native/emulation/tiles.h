// SPDX-License-Identifier: Apache-2.0
//
// AMX: eight tiles of the shapes that a configuration gives them. What lies beyond the shape of a tile is zero after every
// instruction that writes it. What a CPU refuses ends the program.

#include <stdio.h>
#include <stdlib.h>

#undef _tile_loadconfig
#undef _tile_release
#undef _tile_zero
#undef _tile_loadd
#undef _tile_stored
#undef _tile_dpbf16ps
#undef _tile_dpbssd
#undef _tile_dpbsud

static struct {
    int configured;
    struct {
        int rows, row_bytes;
        REGISTER row[16];
    } tile[8];
} emulated_tiles;

static void __attribute__((unused)) emulated_refuse(int refused, const char *why) {
    if (!refused) return;
    printf("tiles: %s\n", why);
    exit(1);
}

// 64 bytes: the palette, the row to start with, 14 reserved ones, 16 lengths of two bytes, 16 numbers of rows.
static void __attribute__((unused)) _tile_loadconfig(const void *config) {
    const uint8_t *bytes = config, *rows = bytes + 48;
    memset(&emulated_tiles, 0, sizeof emulated_tiles);
    emulated_refuse(bytes[0] != 1, "a palette other than 1");
    for (int i = 1; i < 16; i++) emulated_refuse(bytes[i] != 0, "a configuration's reserved bytes are not zero");
    for (int t = 0; t < 16; t++) {
        uint16_t row_bytes;
        memcpy(&row_bytes, bytes + 16 + 2 * t, sizeof row_bytes);
        emulated_refuse(t >= 8 && (rows[t] != 0 || row_bytes != 0), "more than eight tiles");
        emulated_refuse(rows[t] > 16 || row_bytes > 64 || (rows[t] == 0) != (row_bytes == 0), "a shape that no tile can have");
        if (t >= 8) continue;
        emulated_tiles.tile[t].rows = rows[t];
        emulated_tiles.tile[t].row_bytes = row_bytes;
    }
    emulated_tiles.configured = 1;
}

static void __attribute__((unused)) _tile_release(void) { memset(&emulated_tiles, 0, sizeof emulated_tiles); }

static void __attribute__((unused)) emulated_use(int t) {
    emulated_refuse(!emulated_tiles.configured || emulated_tiles.tile[t].rows == 0, "a tile without a shape");
}

static void __attribute__((unused)) _tile_zero(int t) {
    emulated_use(t);
    memset(emulated_tiles.tile[t].row, 0, sizeof emulated_tiles.tile[t].row);
}

static void __attribute__((unused)) _tile_loadd(int t, const void *from, int64_t stride) {
    _tile_zero(t);
    for (int r = 0; r < emulated_tiles.tile[t].rows; r++) {
        memcpy(emulated_tiles.tile[t].row + r, (const char *) from + r * stride, emulated_tiles.tile[t].row_bytes);
    }
}

static void __attribute__((unused)) _tile_stored(int t, void *to, int64_t stride) {
    emulated_use(t);
    for (int r = 0; r < emulated_tiles.tile[t].rows; r++) {
        memcpy((char *) to + r * stride, emulated_tiles.tile[t].row + r, emulated_tiles.tile[t].row_bytes);
    }
}

// sums [rows, row_bytes / 4] += a [rows, depth] b [depth, row_bytes / 4], an element being four bytes.
static void __attribute__((unused)) emulated_begin_product(int sums, int a, int b) {
    emulated_use(sums);
    emulated_use(a);
    emulated_use(b);
    emulated_refuse(sums == a || sums == b || a == b, "a tile twice in one product");
    emulated_refuse(emulated_tiles.tile[sums].rows != emulated_tiles.tile[a].rows, "sums have not the rows of the left operand");
    emulated_refuse(emulated_tiles.tile[sums].row_bytes != emulated_tiles.tile[b].row_bytes, "sums have not the columns of the right operand");
    emulated_refuse(emulated_tiles.tile[a].row_bytes != 4 * emulated_tiles.tile[b].rows, "operands of different depths");
}

static void emulated_end_row(int sums, int r, REGISTER row) {
    memset(emulated_tiles.tile[sums].row + r, 0, sizeof row);
    memcpy(emulated_tiles.tile[sums].row + r, &row, emulated_tiles.tile[sums].row_bytes);
}

// The first products of all pairs have a sum, and the second ones; both sums together are added to what is there.
static void __attribute__((unused)) _tile_dpbf16ps(int sums, int a, int b) {
    emulated_begin_product(sums, a, b);
    for (int r = 0; r < emulated_tiles.tile[sums].rows; r++) {
        REGISTER row = emulated_tiles.tile[sums].row[r];
        for (int h = 0; h < 2; h++) {
            __m256 first = _mm256_setzero_ps(), second = first;
            for (int k = 0; k < emulated_tiles.tile[b].rows; k++) {
                __m256i x = _mm256_set1_epi32(emulated_tiles.tile[a].row[r].ints[k]), y = emulated_tiles.tile[b].row[k].i_half[h];
                first = emulated_fma_flushing(emulated_first(x), emulated_first(y), first);
                second = emulated_fma_flushing(emulated_second(x), emulated_second(y), second);
            }
            __m256 both = emulated_flush(_mm256_add_ps(first, second));
            row.f_half[h] = emulated_flush(_mm256_add_ps(emulated_flush(row.f_half[h]), both));
        }
        emulated_end_row(sums, r, row);
    }
}

// Signed bytes with signed or unsigned ones.
EMULATED void emulated_dpbytes(int sums, int a, int b, int is_signed) {
    emulated_begin_product(sums, a, b);
    for (int r = 0; r < emulated_tiles.tile[sums].rows; r++) {
        REGISTER row = emulated_tiles.tile[sums].row[r];
        const int8_t *left = (const int8_t *) (emulated_tiles.tile[a].row + r);
        for (int k = 0; k < emulated_tiles.tile[b].rows; k++) {
            const uint8_t *right = (const uint8_t *) (emulated_tiles.tile[b].row + k);
            for (int i = 0; i < 64; i++) row.ints[i / 4] += left[4 * k + i % 4] * (is_signed ? (int8_t) right[i] : right[i]);
        }
        emulated_end_row(sums, r, row);
    }
}
static void __attribute__((unused)) _tile_dpbssd(int sums, int a, int b) { emulated_dpbytes(sums, a, b, 1); }
static void __attribute__((unused)) _tile_dpbsud(int sums, int a, int b) { emulated_dpbytes(sums, a, b, 0); }
