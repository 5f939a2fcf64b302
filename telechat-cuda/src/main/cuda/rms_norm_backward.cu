// SPDX-License-Identifier: Apache-2.0
// The gradient of y = x · rstd · weight (see rms_norm.cu): with g = dy · weight and x̂ = x · rstd,
//     dx = residual + rstd · (g − x̂ · mean(g · x̂)), dWeight += Σ_t dy · x̂,
// and sums of columns, as of a bias' gradient: dBias += Σ_t dy. The rows of a chunk are added up by a block, the sums of the
// chunks by column_sums_add, always in the same order.
#include "device.cuh"

namespace column_sums {
constexpr int NORM_ROWS = 16; // of a chunk
constexpr int BIAS_ROWS = 64;
}

// A block for each chunk of 16 rows. Its [columns] floats of dynamic shared memory become its row of `sums` [chunks, columns].
// dx may be dy or residual: each element is read by the thread that then writes it, after all have read dy for the mean.
KERNEL rms_norm_backward(const float* x, const float* weight, const float* rstd, const float* dy, const float* residual,
        int rows, int columns, float* dx, float* sums) {
    DYNAMIC_SHARED(memory);
    float* sum = reinterpret_cast<float*>(memory);
    SHARED(float, box, [WARP]);
    for (int i = threadIdx.x; i < columns; i += blockDim.x) { // each thread has columns of its own
        sum[i] = 0;
    }
    int first = blockIdx.x * column_sums::NORM_ROWS;
    for (int row = first; row < min(rows, first + column_sums::NORM_ROWS); row++) {
        int64_t start = (int64_t)row * columns;
        float scale = rstd[row];
        float mean = 0;
        for (int i = threadIdx.x; i < columns; i += blockDim.x) {
            float product = dy[start + i] * (x[start + i] * scale);
            sum[i] += product;
            mean += product * weight[i];
        }
        mean = blockSum(mean, box) / columns;
        for (int i = threadIdx.x; i < columns; i += blockDim.x) {
            float g = dy[start + i] * weight[i];
            dx[start + i] = residual[start + i] + scale * (g - x[start + i] * scale * mean);
        }
    }
    for (int i = threadIdx.x; i < columns; i += blockDim.x) {
        sums[(int64_t)blockIdx.x * columns + i] = sum[i];
    }
}
REGISTER(rms_norm_backward)

// sums[chunk, i] = Σ x[row, i] over the 64 rows of a chunk, for some columns of a matrix whose rows are `pitch` apart. Blocks for
// [columns, chunks].
KERNEL column_sums_of_chunks(const float* x, int64_t pitch, int rows, int columns, float* sums) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < columns) {
        int first = blockIdx.y * column_sums::BIAS_ROWS;
        float sum = 0;
#pragma unroll 8
        for (int row = first; row < min(rows, first + column_sums::BIAS_ROWS); row++) {
            sum += x[row * pitch + i];
        }
        sums[(int64_t)blockIdx.y * columns + i] = sum;
    }
}
REGISTER(column_sums_of_chunks)

// to[i] += Σ sums[chunk, i]
KERNEL column_sums_add(const float* sums, int chunks, int columns, float* to) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < columns) {
        float sum = 0;
#pragma unroll 8
        for (int chunk = 0; chunk < chunks; chunk++) {
            sum += sums[(int64_t)chunk * columns + i];
        }
        to[i] += sum;
    }
}
REGISTER(column_sums_add)
