// SPDX-License-Identifier: Apache-2.0
// Norms of single heads of queries and keys (Henry et al. 2020, arXiv:2010.04245, with RMSNorm), rows [tokens, queries | keys | values].
#include "device.cuh"

// A warp for each head, values among them, which are copied; y may be x. rstd: of all tokens' queries, then of all keys.
KERNEL head_norm(const float* x, int tokens, int heads, int kvHeads, int headDim, const float* queryNorm, const float* keyNorm,
        float eps, float* y, float* rstd) {
    int all = heads + 2 * kvHeads;
    int64_t item = ((int64_t)blockIdx.x * blockDim.x + threadIdx.x) / WARP;
    int lane = threadIdx.x % WARP, head = (int)(item % all);
    int64_t token = item / all;
    if (token >= tokens) {
        return;
    }
    const float* from = x + item * headDim;
    float* to = y + item * headDim;
    if (head >= heads + kvHeads) {
        for (int i = lane; i < headDim; i += WARP) {
            to[i] = from[i];
        }
        return;
    }
    float sum = 0;
    for (int i = lane; i < headDim; i += WARP) {
        sum += from[i] * from[i];
    }
    float scale = 1 / sqrtf(warpSum(sum) / headDim + eps);
    const float* weight = head < heads ? queryNorm : keyNorm;
    for (int i = lane; i < headDim; i += WARP) {
        to[i] = from[i] * scale * weight[i];
    }
    if (lane == 0) {
        rstd[head < heads ? token * heads + head : (int64_t)tokens * heads + token * kvHeads + head - heads] = scale;
    }
}
REGISTER(head_norm)
