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

// The eight tiles' rows, and bytes of each.
INLINE void configure_tiles(const uint8_t rows[8], const uint16_t row_bytes[8]) {
    struct {
        uint8_t palette, start, reserved[14];
        uint16_t row_bytes[16];
        uint8_t rows[16];
    } config = {.palette = 1};
    memcpy(config.rows, rows, 8);
    memcpy(config.row_bytes, row_bytes, 16);
    BEFORE_TILES_READ;
    _tile_loadconfig(&config);
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
