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
    VF rows[TILE];
    UNROLL for (int i = 0; i < TILE; i++) rows[i] = (VF) r[i];
    vf_transpose(rows);
    UNROLL for (int i = 0; i < TILE; i++) r[i] = (__m512i) rows[i];
}
