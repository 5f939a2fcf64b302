// SPDX-License-Identifier: Apache-2.0
// AdamW (Loshchilov and Hutter 2019, arXiv:1711.05101), also with running means in 8 bits (Dettmers et al. 2022,
// arXiv:2110.02861), the norm of gradients, rounding of parameters (at random: Gupta et al. 2015, arXiv:1502.02551), dropout
// (Srivastava et al. 2014, JMLR 15:1929).
#include "device.cuh"

namespace optimizer {

// m = β1·m + (1−β1)·g; v = β2·v + (1−β2)·g²; p −= rate · (m·correction1/(√(v·correction2) + ε) + decay · p)
// with g = gradientScale · gradient and correction = 1/(1−β^t).
struct Step {
    float rate, beta1, beta2, epsilon, decay, gradientScale, correction1, correction2;

    __device__ __forceinline__ void take(float& parameter, float gradient, float& m, float& v) const {
        float g = gradientScale * gradient;
        m = beta1 * m + (1 - beta1) * g;
        v = beta2 * v + (1 - beta2) * (g * g);
        parameter -= rate * (m * correction1 / (sqrtf(v * correction2) + epsilon) + decay * parameter);
    }
};

// Elements that share a scale, and the values that a code can have.
constexpr int BLOCK = 256;
constexpr int CODES = 256;
constexpr int PER_LANE = BLOCK / WARP;

// The bits of the largest magnitude, which are in the order of magnitudes.
__device__ __forceinline__ float largestMagnitude(const float (&values)[PER_LANE]) {
    int largest = 0;
#pragma unroll
    for (int i = 0; i < PER_LANE; i++) {
        largest = max(largest, __float_as_int(values[i]) & 0x7fffffff);
    }
#pragma unroll
    for (int step = WARP / 2; step > 0; step >>= 1) {
        largest = max(largest, __shfl_xor_sync(ALL_LANES, largest, step));
    }
    return __int_as_float(largest);
}

// The first code whose end is not below x.
__device__ __forceinline__ uint8_t encode(float x, const float* ends) {
    int code = 0;
#pragma unroll
    for (int step = CODES / 2; step > 0; step >>= 1) {
        code += x > ends[code + step - 1] ? step : 0;
    }
    return (uint8_t)code;
}

// Running means of a block: codes and their scale, and what codes mean.
struct Means {
    uint8_t* codes;
    float* scale;
    const float* values;
    const float* ends;

    __device__ __forceinline__ void encodeAll(const float (&from)[PER_LANE], int count) const {
        float largest = largestMagnitude(from);
        float divisor = largest == 0 ? 1 : largest;
#pragma unroll
        for (int i = 0; i < PER_LANE; i++) {
            int at = i * WARP + threadIdx.x % WARP;
            if (at < count) {
                codes[at] = encode(from[i] / divisor, ends);
            }
        }
        if (threadIdx.x % WARP == 0) {
            *scale = largest;
        }
    }
};

// A warp's work: a block of 256 elements, or what there is of it. The means are floats only here.
__device__ __forceinline__ void updateBlock(
        const Step& step, float* parameter, const float* gradient, const Means& m, const Means& v, int count) {
    float mScale = *m.scale, vScale = *v.scale;
    float ms[PER_LANE], vs[PER_LANE];
#pragma unroll
    for (int i = 0; i < PER_LANE; i++) {
        int at = i * WARP + threadIdx.x % WARP;
        ms[i] = vs[i] = 0;
        if (at < count) {
            ms[i] = mScale * m.values[m.codes[at]];
            vs[i] = vScale * v.values[v.codes[at]];
            step.take(parameter[at], gradient[at], ms[i], vs[i]);
        }
    }
    __syncwarp(); // who still reads the scales
    m.encodeAll(ms, count);
    v.encodeAll(vs, count);
}

// Random numbers as a function of seed and place: as SplitMix.java (Steele, Lea and Flood 2014, "Fast splittable pseudorandom
// number generators").
__device__ __forceinline__ uint64_t mix(uint64_t value) {
    uint64_t z = value + 0x9e3779b97f4a7c15ull;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return z ^ z >> 31;
}
__device__ __forceinline__ uint64_t random(uint64_t seed, uint64_t place) {
    return mix(mix(seed) ^ mix(place * 0xd1342543de82ef95ull + 1));
}

// Bits as Tensor.floatToBf16 in Java makes them: those of a NaN are not the instruction's.
__device__ __forceinline__ uint16_t nearestBf16(uint32_t bits) {
    bool isNan = (bits & 0x7fffffffu) > 0x7f800000u;
    return (uint16_t)(isNan ? bits >> 16 | 0x40 : bits + 0x7fff + (bits >> 16 & 1) >> 16);
}

// Squares that a block adds up.
constexpr int CHUNK = 16384;

} // namespace optimizer

KERNEL adam_w(float* parameter, const float* gradient, float* m, float* v, int64_t elements, float rate, float beta1,
        float beta2, float epsilon, float decay, float gradientScale, float correction1, float correction2) {
    optimizer::Step step = {rate, beta1, beta2, epsilon, decay, gradientScale, correction1, correction2};
    int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
    if (i < elements) {
        step.take(parameter[i], gradient[i], m[i], v[i]);
    }
}
REGISTER(adam_w)

// `values` and `ends` of the codes are those of DynamicCode, 256 each.
KERNEL adam_w8(float* parameter, const float* gradient, uint8_t* mCodes, float* mScales, uint8_t* vCodes, float* vScales,
        const float* mValues, const float* mEnds, const float* vValues, const float* vEnds, int64_t elements, float rate,
        float beta1, float beta2, float epsilon, float decay, float gradientScale, float correction1, float correction2) {
    SHARED(float, tables, [4][optimizer::CODES]);
    for (int i = threadIdx.x; i < optimizer::CODES; i += blockDim.x) {
        tables[0][i] = mValues[i];
        tables[1][i] = mEnds[i];
        tables[2][i] = vValues[i];
        tables[3][i] = vEnds[i];
    }
    __syncthreads();
    optimizer::Step step = {rate, beta1, beta2, epsilon, decay, gradientScale, correction1, correction2};
    int warpsOfBlock = blockDim.x / WARP;
    int64_t warps = (int64_t)gridDim.x * warpsOfBlock;
    for (int64_t first = ((int64_t)blockIdx.x * warpsOfBlock + threadIdx.x / WARP) * optimizer::BLOCK; first < elements;
            first += warps * optimizer::BLOCK) {
        int64_t block = first / optimizer::BLOCK;
        int count = (int)min((int64_t)optimizer::BLOCK, elements - first);
        optimizer::Means m = {mCodes + first, mScales + block, tables[0], tables[1]};
        optimizer::Means v = {vCodes + first, vScales + block, tables[2], tables[3]};
        optimizer::updateBlock(step, parameter + first, gradient + first, m, v, count);
    }
}
REGISTER(adam_w8)

// sums[chunk] = Σ x² over 16384 elements, in double. A block of 256 threads for each chunk.
KERNEL sum_of_squares(const float* x, int64_t elements, double* sums) {
    SHARED(double, box, [WARP]);
    int64_t first = (int64_t)blockIdx.x * optimizer::CHUNK;
    int count = (int)min((int64_t)optimizer::CHUNK, elements - first);
    double sum = 0;
#pragma unroll 8
    for (int i = threadIdx.x; i < count; i += blockDim.x) {
        double value = x[first + i];
        sum += value * value;
    }
    sum = blockSum(sum, box);
    if (threadIdx.x == 0) {
        sums[blockIdx.x] = sum;
    }
}
REGISTER(sum_of_squares)

// The sum of the chunks of all tensors; one block.
KERNEL sum_doubles(const double* sums, int64_t count, double* total) {
    SHARED(double, box, [WARP]);
    double sum = 0;
#pragma unroll 8
    for (int64_t i = threadIdx.x; i < count; i += blockDim.x) {
        sum += sums[i];
    }
    sum = blockSum(sum, box);
    if (threadIdx.x == 0) {
        *total = sum;
    }
}
REGISTER(sum_doubles)

KERNEL round_bf16(const float* from, int64_t elements, uint16_t* to) {
    int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
    if (i < elements) {
        to[i] = optimizer::nearestBf16(__float_as_uint(from[i]));
    }
}
REGISTER(round_bf16)

KERNEL round_bf16_stochastic(const float* from, int64_t elements, uint64_t seed, uint16_t* to) {
    int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
    if (i < elements) {
        uint32_t bits = __float_as_uint(from[i]);
        bool isFinite = (bits & 0x7fffffffu) < 0x7f800000u;
        uint32_t some = (uint32_t)optimizer::random(seed, i) & 0xffffu;
        to[i] = isFinite ? (uint16_t)(bits + some >> 16) : optimizer::nearestBf16(bits);
    }
}
REGISTER(round_bf16_stochastic)

// y (+)= factor · x where the random number of the place is not below the rate, y (+)= 0 elsewhere; factor = 1/(1 − rate). y may
// be x.
KERNEL dropout(const float* x, int64_t elements, double rate, float factor, uint64_t seed, int add, float* y) {
    int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
    if (i < elements) {
        bool isKept = (double)(optimizer::random(seed, i) >> 11) * 0x1p-53 >= rate;
        float value = isKept ? factor * x[i] : 0;
        y[i] = add ? y[i] + value : value;
    }
}
REGISTER(dropout)
