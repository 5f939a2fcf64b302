// SPDX-License-Identifier: Apache-2.0
// loss = −log softmax(scale · logits)[target], and in place of the logits scale · weight · (softmax − onehot(target)). The maximum
// and the sum of e^(x − maximum) take one pass (Milakov and Gimelshein 2018, arXiv:1805.02867). A block for each row.
#include "device.cuh"

KERNEL cross_entropy(float* logits, const int* targets, const float* weights, float scale, int vocab, float* loss) {
    SHARED(float, box, [WARP]);
    float* row = logits + (int64_t)blockIdx.x * vocab;
    int target = targets[blockIdx.x];
    float targetScore = __fmul_rn(scale, row[target]); // before anybody writes
    float largest = -3.402823466e38f, sum = 0;
#pragma unroll 4
    for (int i = threadIdx.x; i < vocab; i += blockDim.x) {
        float score = __fmul_rn(scale, row[i]); // rounded by itself, so that it is the same number in every place
        float factor = expf(-fabsf(score - largest));
        sum = score > largest ? sum * factor + 1 : sum + factor;
        largest = fmaxf(largest, score);
    }
    float maximum = blockMax(largest, box);
    sum = blockSum(sum * expf(largest - maximum), box);
    float factor = scale * weights[blockIdx.x];
#pragma unroll 4
    for (int i = threadIdx.x; i < vocab; i += blockDim.x) {
        float softmax = expf(__fmul_rn(scale, row[i]) - maximum) / sum;
        row[i] = factor * (i == target ? softmax - 1 : softmax);
    }
    if (threadIdx.x == 0) {
        loss[blockIdx.x] = logf(sum) - (targetScore - maximum);
    }
}
REGISTER(cross_entropy)
