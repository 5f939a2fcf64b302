// SPDX-License-Identifier: Apache-2.0
// What all kernels share. The same sources are compiled by nvcc, by NVRTC at run time, and, for tests without a GPU, by a C++
// compiler, before which cuda_emulation.h then comes and says what CUDA's words mean on a CPU.
#pragma once

#ifdef __CUDACC__
#ifdef __CUDACC_RTC__ // which has no headers
typedef signed char int8_t;
typedef unsigned char uint8_t;
typedef unsigned short uint16_t;
typedef unsigned int uint32_t;
typedef long long int64_t;
typedef unsigned long long uint64_t;
#else
#include <stdint.h>
#endif

// An entry point. The emulation has to be told of it by REGISTER.
#define KERNEL extern "C" __global__ void
#define REGISTER(kernel)
// Memory of a thread block: SHARED(float, sums, [8][16]) declares an array; DYNAMIC_SHARED(memory) names the bytes asked for at
// the launch, aligned to 16.
#define SHARED(type, name, dims) __shared__ type name dims
#define DYNAMIC_SHARED(name)                                                                                           \
    extern __shared__ __align__(16) unsigned char dynamicShared[];                                                     \
    unsigned char* name = dynamicShared

// Instructions without a spelling in CUDA C++; which lane holds which element is in the PTX manual's chapter on mma. ----------

// d[16, 8] += a[16, 16] · b[16, 8], bf16 with float sums.
__device__ __forceinline__ void mmaBf16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
                 : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}
// d[16, 8] += a[16, 32] · b[32, 8], unsigned by signed bytes.
__device__ __forceinline__ void mmaU8S8(int (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
    asm volatile("mma.sync.aligned.m16n8k32.row.col.s32.u8.s8.s32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
                 : "+r"(d[0]), "+r"(d[1]), "+r"(d[2]), "+r"(d[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}
// Copies 16 aligned bytes while the thread goes on; those of a committed group have arrived after a wait for all but N groups.
__device__ __forceinline__ void copyAsync16(void* shared, const void* global) {
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16;"
                 :: "r"((uint32_t)__cvta_generic_to_shared(shared)), "l"(global) : "memory");
}
__device__ __forceinline__ void copyAsyncCommit() { asm volatile("cp.async.commit_group;" ::: "memory"); }
template <int N> __device__ __forceinline__ void copyAsyncWait() {
    asm volatile("cp.async.wait_group %0;" :: "n"(N) : "memory");
}
__device__ __forceinline__ float halfToFloat(uint16_t bits) {
    float wide;
    asm("cvt.f32.f16 %0, %1;" : "=f"(wide) : "h"(bits));
    return wide;
}
__device__ __forceinline__ uint16_t floatToHalf(float value) {
    uint16_t bits;
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(value));
    return bits;
}
// Two bfloat16, to the nearest, ties to even; the first in the lower half.
__device__ __forceinline__ uint32_t packBf16(float low, float high) {
    uint32_t packed;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(packed) : "f"(high), "f"(low));
    return packed;
}
#endif

constexpr unsigned ALL_LANES = 0xffffffffu;
constexpr int WARP = 32;

__device__ __forceinline__ float infinity() { return __uint_as_float(0x7f800000u); }

// Element types of weights and caches. ---------------------------------------------------------------------------------------
struct bf16 {
    uint16_t bits;
};
struct half16 {
    uint16_t bits;
};

__device__ __forceinline__ float widen(float x) { return x; }
__device__ __forceinline__ float widen(bf16 x) { return __uint_as_float((uint32_t)x.bits << 16); }
__device__ __forceinline__ float widen(half16 x) { return halfToFloat(x.bits); }
__device__ __forceinline__ float lowBf16(uint32_t pair) { return __uint_as_float(pair << 16); }
__device__ __forceinline__ float highBf16(uint32_t pair) { return __uint_as_float(pair & 0xffff0000u); }

__device__ __forceinline__ void narrow(float x, float& to) { to = x; }
__device__ __forceinline__ void narrow(float x, bf16& to) { to.bits = (uint16_t)packBf16(x, 0); }
__device__ __forceinline__ void narrow(float x, half16& to) { to.bits = floatToHalf(x); }

// Eight neighbours, the first at an address that is a multiple of 16.
__device__ __forceinline__ void widenEight(const float* from, float (&to)[8]) {
    float4 a = reinterpret_cast<const float4*>(from)[0], b = reinterpret_cast<const float4*>(from)[1];
    to[0] = a.x, to[1] = a.y, to[2] = a.z, to[3] = a.w, to[4] = b.x, to[5] = b.y, to[6] = b.z, to[7] = b.w;
}
__device__ __forceinline__ void widenEight(const bf16* from, float (&to)[8]) {
    uint4 raw = *reinterpret_cast<const uint4*>(from);
    const uint32_t words[4] = {raw.x, raw.y, raw.z, raw.w};
#pragma unroll
    for (int i = 0; i < 4; i++) {
        to[2 * i] = lowBf16(words[i]);
        to[2 * i + 1] = highBf16(words[i]);
    }
}
__device__ __forceinline__ void widenEight(const half16* from, float (&to)[8]) {
    uint4 raw = *reinterpret_cast<const uint4*>(from);
    const uint32_t words[4] = {raw.x, raw.y, raw.z, raw.w};
#pragma unroll
    for (int i = 0; i < 4; i++) {
        to[2 * i] = halfToFloat((uint16_t)words[i]);
        to[2 * i + 1] = halfToFloat((uint16_t)(words[i] >> 16));
    }
}

// Sums and maxima over a warp, the same in every lane and in the same order always. ------------------------------------------
template <class T> __device__ __forceinline__ T warpSum(T x) {
#pragma unroll
    for (int step = WARP / 2; step > 0; step >>= 1) {
        x += __shfl_xor_sync(ALL_LANES, x, step);
    }
    return x;
}
__device__ __forceinline__ float warpMax(float x) {
#pragma unroll
    for (int step = WARP / 2; step > 0; step >>= 1) {
        x = fmaxf(x, __shfl_xor_sync(ALL_LANES, x, step));
    }
    return x;
}

// Likewise over a block of whole warps, 1024 threads at most; all threads call it. `box` is memory of the block, [WARP].
template <class T> __device__ __forceinline__ T blockSum(T x, T* box) {
    int warp = threadIdx.x / WARP, lane = threadIdx.x % WARP, warps = blockDim.x / WARP;
    x = warpSum(x);
    __syncthreads(); // who still reads what was there before
    if (lane == 0) {
        box[warp] = x;
    }
    __syncthreads();
    return warpSum(lane < warps ? box[lane] : T(0));
}
__device__ __forceinline__ float blockMax(float x, float* box) {
    int warp = threadIdx.x / WARP, lane = threadIdx.x % WARP, warps = blockDim.x / WARP;
    x = warpMax(x);
    __syncthreads();
    if (lane == 0) {
        box[warp] = x;
    }
    __syncthreads();
    return warpMax(lane < warps ? box[lane] : -infinity());
}
