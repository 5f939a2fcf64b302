// SPDX-License-Identifier: Apache-2.0
//
// Products of large matrices of bfloat16 on the matrix unit: of a block of A, packed into tiles, two tiles of rows at a time with a
// sliver, which is two tiles wide. The sums stay in the tiles while a sliver's steps pass; part of matrix_products.h.

_Static_assert(SLIVER == 2 * TILE, "a sliver is two tiles");

// Tiles of LEFT_ROWS rows, the last one filled up with zeros.
#define LEFT_TILE_ROWS ((LEFT_ROWS + TILE - 1) / TILE * TILE)

INLINE void configure_matrix_tiles(void) {
    configure_tiles((uint8_t[]){TILE, TILE, TILE, TILE, TILE, TILE, TILE, TILE},
                    (uint16_t[]){LINE, LINE, LINE, LINE, LINE, LINE, LINE, LINE});
}

// Packs A [rows, k] into tiles of TILE rows by TILE steps, of the same rows one behind the other.
INLINE void pack_tiles_of(const int type, Left a, int64_t rows, int64_t k, float *to) {
    const int64_t bytes = size_of(type);
    for (int64_t r = 0; r < rows; r += TILE) {
        for (int64_t i = 0; i < k; i += 2 * TILE, to += SUMS_OF_TILE) {
            VF lines[TILE];
            if (a.row == 1) {
                UNROLL for (int64_t s = 0; s < TILE; s++) {
                    const char *at = a.first + ((i + 2 * s) * a.step + r) * bytes;
                    lines[s] = i + 2 * s < k ? load_step(PAIRS, type, at, a.step * bytes, k - i - 2 * s, rows - r) : vf_zero();
                }
                vf_transpose(lines);
            } else {
                UNROLL for (int64_t q = 0; q < TILE; q++) {
                    lines[q] = r + q < rows ? load_steps(PAIRS, type, a.first + ((r + q) * a.row + i) * bytes, k - i) : vf_zero();
                }
            }
            UNROLL for (int64_t q = 0; q < TILE; q++) vf_store(to + q * TILE, lines[q]);
        }
    }
}

APART void pack_tiles(Left a, int64_t rows, int64_t k, float *to) {
    if (a.type == BF16) {
        pack_tiles_of(BF16, a, rows, k, to);
    } else {
        pack_tiles_of(F32, a, rows, k, to);
    }
}

INLINE void load_matrix_sums(const int lefts, const int rights, const float *c, int64_t ldc) {
    _tile_loadd(0, c, ldc * 4);
    if (rights > 1) _tile_loadd(1, c + TILE, ldc * 4);
    if (lefts > 1) _tile_loadd(2, c + TILE * ldc, ldc * 4);
    if (lefts > 1 && rights > 1) _tile_loadd(3, c + TILE * ldc + TILE, ldc * 4);
}

INLINE void store_matrix_sums(const int lefts, const int rights, float *c, int64_t ldc) {
    _tile_stored(0, c, ldc * 4);
    if (rights > 1) _tile_stored(1, c + TILE, ldc * 4);
    if (lefts > 1) _tile_stored(2, c + TILE * ldc, ldc * 4);
    if (lefts > 1 && rights > 1) _tile_stored(3, c + TILE * ldc + TILE, ldc * 4);
}

// c (+)= one or two tiles of rows, the second one apart floats behind the first, with one or two tiles of a sliver.
INLINE void matrix_tiles(const int lefts, const int rights, const float *a, int64_t apart, const float *sliver, int64_t steps, float *c,
                         int64_t ldc, int add, Soon soon) {
    if (add) {
        BEFORE_TILES_READ;
        load_matrix_sums(lefts, rights, c, ldc);
    } else {
        zero_sums();
    }
    for (int64_t i = 0; i < steps; i += TILE, a += SUMS_OF_TILE, sliver += TILE * SLIVER) {
        for (int64_t line = 0; line < TILE * soon.pace; line += LINE) __builtin_prefetch(soon.at + i * soon.pace + line);
        _tile_loadd(6, sliver, 2 * LINE);
        _tile_loadd(4, a, LINE);
        _tile_dpbf16ps(0, 4, 6);
        if (lefts > 1) {
            _tile_loadd(5, a + apart, LINE);
            _tile_dpbf16ps(2, 5, 6);
        }
        if (rights > 1) {
            _tile_loadd(7, sliver + TILE, 2 * LINE);
            _tile_dpbf16ps(1, 4, 7);
            if (lefts > 1) _tile_dpbf16ps(3, 5, 7);
        }
    }
    store_matrix_sums(lefts, rights, c, ldc);
}

// The same of so many rows and columns; what fills their tiles up is not part of C.
INLINE void matrix_corner(int64_t rows, const float *a, int64_t apart, const float *sliver, int64_t steps, MatrixOut out, Soon soon) {
    float sums[2 * TILE * SLIVER] __attribute__((aligned(LINE))) = {0};
    for (int64_t r = 0; out.add && r < rows; r++) memcpy(sums + r * SLIVER, out.c + r * out.ldc, out.n * sizeof *sums);
    if (rows > TILE) {
        matrix_tiles(2, 2, a, apart, sliver, steps, sums, SLIVER, out.add, soon);
    } else {
        matrix_tiles(1, 2, a, apart, sliver, steps, sums, SLIVER, out.add, soon);
    }
    for (int64_t r = 0; r < rows; r++) memcpy(out.c + r * out.ldc, sums + r * SLIVER, out.n * sizeof *sums);
}

// C [m, n] (+)= A B for m <= LEFT_ROWS, as matrix_block.
static void amx_matrix_block(Left a, int64_t m, const float *packed, int64_t k, int64_t n, float *c, int64_t ldc, int add) {
    float left[LEFT_TILE_ROWS * DEPTH] __attribute__((aligned(LINE)));
    int64_t steps = packed_steps(PAIRS, k);
    for (int64_t begin = 0; begin < steps || begin == 0; begin += DEPTH) {
        int64_t depth = steps - begin < DEPTH ? steps - begin : DEPTH, apart = TILE * depth;
        pack_tiles(left_from(a, 0, 2 * begin), m, k - 2 * begin < 2 * depth ? k - 2 * begin : 2 * depth, left);
        BEFORE_TILES_READ;
        for (int64_t j = 0; j < n; j += SLIVER) {
            const float *sliver = packed + j * steps + begin * SLIVER;
            const char *next = (const char *) (sliver + steps * SLIVER);
            for (int64_t r = 0; r < m; r += 2 * TILE) {
                int64_t rows = m - r < 2 * TILE ? m - r : 2 * TILE;
                MatrixOut out = {c + r * ldc + j, ldc, n - j < SLIVER ? n - j : SLIVER, add || begin};
                Soon soon = {next + SLIVER_BYTES * depth * r / m, SLIVER_BYTES * rows / m};
                if (rows == 2 * TILE && out.n == SLIVER) {
                    matrix_tiles(2, 2, left + r * depth, apart, sliver, depth, out.c, ldc, out.add, soon);
                } else {
                    matrix_corner(rows, left + r * depth, apart, sliver, depth, out, soon);
                }
            }
        }
    }
}
