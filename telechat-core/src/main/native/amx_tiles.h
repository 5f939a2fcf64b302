// SPDX-License-Identifier: Apache-2.0
//
// The matrix unit of Intel's CPUs (AMX): eight tiles of up to 16 rows of 64 bytes (Intel, "Architecture Instruction Set Extensions
// Programming Reference", chapter 3). A product of tiles adds to 16 by 16 sums what 16 rows of the left operand give with 16
// columns of the right one, which come four bytes of each column at a time. To load a tile takes nearly as long as to multiply
// two, so tiles are used in pairs: two by two products for four loads.

#include <immintrin.h>

#define TILE 16
#define SUMS_OF_TILE (TILE * TILE)
#define TILE_BYTES (TILE * LINE)

// The compiler does not know that the intrinsics for tiles read memory: what they shall read must be written before this.
#define BEFORE_TILES_READ __asm__ volatile("" ::: "memory")

// Tiles 0 to 3 hold sums, 4 and 5 left operands of so many rows, 6 and 7 right operands of so many columns.
INLINE void configure_tiles(int rows, int columns) {
    struct {
        uint8_t palette, start, reserved[14];
        uint16_t row_bytes[16];
        uint8_t rows[16];
    } config = {.palette = 1};
    for (int tile = 0; tile < 8; tile++) {
        config.rows[tile] = (uint8_t) (tile < 6 ? rows : TILE);
        config.row_bytes[tile] = (uint16_t) (tile == 4 || tile == 5 ? LINE : 4 * columns);
    }
    BEFORE_TILES_READ;
    _tile_loadconfig(&config);
}

INLINE void zero_sums(void) {
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
}

// The sums of one or two left operands with one or two right ones; each tile has a place of its own.
INLINE void load_sums(const int lefts, const int rights, const void *sums) {
    _tile_loadd(0, sums, LINE);
    if (rights > 1) _tile_loadd(1, (const char *) sums + TILE_BYTES, LINE);
    if (lefts > 1) _tile_loadd(2, (const char *) sums + 2 * TILE_BYTES, LINE);
    if (lefts > 1 && rights > 1) _tile_loadd(3, (const char *) sums + 3 * TILE_BYTES, LINE);
}

INLINE void store_sums(const int lefts, const int rights, void *sums) {
    _tile_stored(0, sums, LINE);
    if (rights > 1) _tile_stored(1, (char *) sums + TILE_BYTES, LINE);
    if (lefts > 1) _tile_stored(2, (char *) sums + 2 * TILE_BYTES, LINE);
    if (lefts > 1 && rights > 1) _tile_stored(3, (char *) sums + 3 * TILE_BYTES, LINE);
}

// Rows of 16 lanes into columns.
INLINE void turn_tile(__m512i r[TILE]) {
    __m512i t[TILE];
    UNROLL for (int i = 0; i < TILE; i += 2) {
        t[i] = _mm512_unpacklo_epi32(r[i], r[i + 1]);
        t[i + 1] = _mm512_unpackhi_epi32(r[i], r[i + 1]);
    }
    UNROLL for (int i = 0; i < TILE; i += 4) {
        r[i] = _mm512_unpacklo_epi64(t[i], t[i + 2]);
        r[i + 1] = _mm512_unpackhi_epi64(t[i], t[i + 2]);
        r[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]);
        r[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
    }
    // Now the 128 bits at place p of r[4 q + c] hold column 4 p + c of rows 4 q to 4 q + 3.
    UNROLL for (int c = 0; c < 4; c++) {
        __m512i even_low = _mm512_shuffle_i32x4(r[c], r[4 + c], 0x88), even_high = _mm512_shuffle_i32x4(r[8 + c], r[12 + c], 0x88);
        __m512i odd_low = _mm512_shuffle_i32x4(r[c], r[4 + c], 0xdd), odd_high = _mm512_shuffle_i32x4(r[8 + c], r[12 + c], 0xdd);
        t[c] = _mm512_shuffle_i32x4(even_low, even_high, 0x88);
        t[4 + c] = _mm512_shuffle_i32x4(odd_low, odd_high, 0x88);
        t[8 + c] = _mm512_shuffle_i32x4(even_low, even_high, 0xdd);
        t[12 + c] = _mm512_shuffle_i32x4(odd_low, odd_high, 0xdd);
    }
    UNROLL for (int i = 0; i < TILE; i++) r[i] = t[i];
}
