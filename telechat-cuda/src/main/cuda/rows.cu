// SPDX-License-Identifier: Apache-2.0
// What the parts of a model that is cut do with rows of activations.
#include "device.cuh"

// Some columns of a matrix to some of another; pitches in elements. A block for each row and 256 of the columns.
KERNEL copy_columns(const float* from, int64_t pitchFrom, int count, float* to, int64_t pitchTo) {
    int column = blockIdx.y * blockDim.x + threadIdx.x;
    if (column < count) {
        to[blockIdx.x * pitchTo + column] = from[blockIdx.x * pitchFrom + column];
    }
}
REGISTER(copy_columns)

// x[t] = 0 where which[t] is not 0; a block for each row.
KERNEL clear_rows(const int* which, int columns, float* x) {
    if (which[blockIdx.x]) {
        for (int i = threadIdx.x; i < columns; i += blockDim.x) {
            x[(int64_t)blockIdx.x * columns + i] = 0;
        }
    }
}
REGISTER(clear_rows)
