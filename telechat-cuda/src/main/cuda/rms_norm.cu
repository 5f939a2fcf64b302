// SPDX-License-Identifier: Apache-2.0
// y = x · rstd · weight with rstd = 1/sqrt(mean(x²) + eps) (Zhang and Sennrich 2019, arXiv:1910.07467). A block for each row; y may be x.
#include "device.cuh"

KERNEL rms_norm(const float* x, const float* weight, float eps, int columns, float* y, float* rstd) {
    SHARED(float, box, [WARP]);
    const float* from = x + (int64_t)blockIdx.x * columns;
    float* to = y + (int64_t)blockIdx.x * columns;
    float sum = 0;
    for (int i = threadIdx.x; i < columns; i += blockDim.x) {
        sum += from[i] * from[i];
    }
    float scale = 1 / sqrtf(blockSum(sum, box) / columns + eps);
    for (int i = threadIdx.x; i < columns; i += blockDim.x) { // what a thread reads here, it has read above: from the cache
        to[i] = from[i] * scale * weight[i];
    }
    if (threadIdx.x == 0) {
        rstd[blockIdx.x] = scale;
    }
}
REGISTER(rms_norm)
