// SPDX-License-Identifier: Apache-2.0
// Kernels with mistakes, which the emulation has to notice; and, by the template's parameter, the same without.
#include "../../main/cuda/device.cuh"

// Turns an array of a block's size round, several times, in shared memory.
template <bool FIRST, bool SECOND> __device__ __forceinline__ void reverse(const float* x, float* y, int rounds) {
    SHARED(float, box, [256]);
    float mine = x[threadIdx.x];
    for (int i = 0; i < rounds; i++) {
        box[threadIdx.x] = mine;
        if (FIRST) {
            __syncthreads(); // all have written
        }
        mine = box[blockDim.x - 1 - threadIdx.x];
        if (SECOND) {
            __syncthreads(); // all have read
        }
    }
    y[threadIdx.x] = mine;
}
KERNEL reverse_good(const float* x, float* y, int rounds) { reverse<true, true>(x, y, rounds); }
REGISTER(reverse_good)
KERNEL reverse_missing_first_barrier(const float* x, float* y, int rounds) { reverse<false, true>(x, y, rounds); }
REGISTER(reverse_missing_first_barrier)
KERNEL reverse_missing_second_barrier(const float* x, float* y, int rounds) { reverse<true, false>(x, y, rounds); }
REGISTER(reverse_missing_second_barrier)

// The same within a warp. A shuffle puts no memory accesses in order.
template <bool SYNC> __device__ __forceinline__ void reverseWarp(const float* x, float* y) {
    SHARED(float, box, [256]);
    float* mine = box + threadIdx.x / WARP * WARP;
    int lane = threadIdx.x % WARP;
    mine[lane] = x[threadIdx.x];
    if (SYNC) {
        __syncwarp();
    }
    y[threadIdx.x] = mine[WARP - 1 - lane];
}
KERNEL reverse_warp_good(const float* x, float* y) { reverseWarp<true>(x, y); }
REGISTER(reverse_warp_good)
KERNEL reverse_warp_missing_sync(const float* x, float* y) { reverseWarp<false>(x, y); }
REGISTER(reverse_warp_missing_sync)

// Sums of four floats each of tiles that arrive while the last one is summed up.
template <bool WAIT, bool BARRIER> __device__ __forceinline__ void pipeline(const float4* x, int tiles, float* y) {
    SHARED(float4, tile, [2][64]);
    float sum = 0;
    copyAsync16(&tile[0][threadIdx.x], &x[threadIdx.x]);
    copyAsyncCommit();
    for (int i = 0; i < tiles; i++) {
        if (i + 1 < tiles) {
            copyAsync16(&tile[(i + 1) % 2][threadIdx.x], &x[(i + 1) * 64 + threadIdx.x]);
        }
        copyAsyncCommit();
        if (WAIT) {
            copyAsyncWait<1>();
        }
        if (BARRIER) {
            __syncthreads();
        }
        float4 other = tile[i % 2][63 - threadIdx.x];
        sum += other.x + other.y + other.z + other.w;
        __syncthreads();
    }
    y[threadIdx.x] = sum;
}
KERNEL pipeline_good(const float4* x, int tiles, float* y) { pipeline<true, true>(x, tiles, y); }
REGISTER(pipeline_good)
KERNEL pipeline_missing_wait(const float4* x, int tiles, float* y) { pipeline<false, true>(x, tiles, y); }
REGISTER(pipeline_missing_wait)
KERNEL pipeline_missing_barrier(const float4* x, int tiles, float* y) { pipeline<true, false>(x, tiles, y); }
REGISTER(pipeline_missing_barrier)

KERNEL diverging_barriers(float* y) {
    if (threadIdx.x < 32) {
        __syncthreads();
    } else {
        __syncthreads();
    }
    y[threadIdx.x] = 1;
}
REGISTER(diverging_barriers)

KERNEL barrier_without_some(float* y) {
    if (threadIdx.x < 40) {
        __syncthreads();
    }
    y[threadIdx.x] = 1;
}
REGISTER(barrier_without_some)

KERNEL shuffle_without_some(float* y) {
    float x = threadIdx.x;
    if (threadIdx.x % WARP < 20) {
        x = warpSum(x);
    }
    y[threadIdx.x] = x;
}
REGISTER(shuffle_without_some)

KERNEL shuffle_meets_vote(float* y) {
    y[threadIdx.x] = threadIdx.x % 2 ? __shfl_xor_sync(ALL_LANES, 1.0f, 2) : __any_sync(ALL_LANES, 1);
}
REGISTER(shuffle_meets_vote)

KERNEL shuffle_waits_while_others_are_at_barrier(float* y) {
    if (threadIdx.x < 16) {
        y[threadIdx.x] = warpSum(1.0f);
    }
    __syncthreads();
}
REGISTER(shuffle_waits_while_others_are_at_barrier)

KERNEL misaligned_copy(const float* x, float* y) {
    SHARED(float4, box, [2]);
    copyAsync16(box, x + 1);
    copyAsyncCommit();
    copyAsyncWait<0>();
    y[0] = box[0].x;
}
REGISTER(misaligned_copy)

KERNEL too_much_shared(float* y) {
    SHARED(float, box, [12289]);
    box[threadIdx.x] = threadIdx.x;
    y[threadIdx.x] = box[threadIdx.x];
}
REGISTER(too_much_shared)

KERNEL beyond_shared(float* y, int at) {
    SHARED(float, box, [64]);
    box[at] = 1;
    y[0] = box[0];
}
REGISTER(beyond_shared)

KERNEL beyond_dynamic_shared(float* y, int at) {
    DYNAMIC_SHARED(memory);
    float* box = reinterpret_cast<float*>(memory);
    box[at] = 1;
    y[0] = box[at];
}
REGISTER(beyond_dynamic_shared)

KERNEL beyond_global(float* y, int at) { y[at] = 1; }
REGISTER(beyond_global)

// Blocks run at the same time.
template <bool ATOMIC> __device__ __forceinline__ void countBlocks(int* counter) {
    if (threadIdx.x == 0) {
        if (ATOMIC) {
            atomicAdd(counter, 1);
        } else {
            *counter += 1;
        }
    }
}
KERNEL count_blocks_good(int* counter) { countBlocks<true>(counter); }
REGISTER(count_blocks_good)
KERNEL count_blocks_race(int* counter) { countBlocks<false>(counter); }
REGISTER(count_blocks_race)
// The last block to come adds up what the others have left.
template <bool FENCE> __device__ __forceinline__ void lastBlockSums(const float* x, float* sums, unsigned* counter, float* y) {
    SHARED(int, last, [1]);
    SHARED(float, box, [WARP]);
    float sum = blockSum(x[blockIdx.x * blockDim.x + threadIdx.x], box);
    if (threadIdx.x == 0) {
        sums[blockIdx.x] = sum;
        if (FENCE) {
            __threadfence();
        }
        last[0] = atomicAdd(counter, 1u) == gridDim.x - 1;
        if (FENCE) {
            __threadfence();
        }
    }
    __syncthreads();
    if (last[0]) {
        float all = blockSum(threadIdx.x < gridDim.x ? sums[threadIdx.x] : 0, box);
        if (threadIdx.x == 0) {
            *y = all;
        }
    }
}
KERNEL last_block_sums_good(const float* x, float* sums, unsigned* counter, float* y) { lastBlockSums<true>(x, sums, counter, y); }
REGISTER(last_block_sums_good)
KERNEL last_block_sums_missing_fence(const float* x, float* sums, unsigned* counter, float* y) {
    lastBlockSums<false>(x, sums, counter, y);
}
REGISTER(last_block_sums_missing_fence)
