// SPDX-License-Identifier: Apache-2.0
// The highest logits of each row, in the order of their ids; of equals, those with the lowest ids. A radix select (Alabi et al.
// 2012, doi:10.1145/2133803.2345676): histograms of eleven bits of the numbers at a time find the lowest candidate, then what lies
// above is put together. First in every part of a row, a block each, then in the candidates of the parts. Nothing depends on the
// order of threads: counters are integers, sums have their order.
#include "device.cuh"

namespace top {

constexpr int THREADS = 1024, WARPS = THREADS / WARP;
constexpr int BITS = 11, BINS = 1 << BITS;

// What is known of a row or a part of it besides its candidates.
struct Head {
    int candidates; // 0 where there is a NaN or +infinity, or no finite number
    float largest; // infinity where there is a NaN
    float sum; // of e^(x − largest)
    float rest; // the largest number that is no candidate, −infinity if all are
};

// Where the parts of a row have their results: heads, then all ids, then all numbers.
struct Layout {
    int parts, most;

    __device__ __forceinline__ int64_t rowBytes() const { return (int64_t)parts * (sizeof(Head) + 8ll * most); }
    __device__ __forceinline__ Head* heads(uint8_t* base, int row) const { return (Head*)(base + row * rowBytes()); }
    __device__ __forceinline__ int* ids(uint8_t* base, int row) const { return (int*)(heads(base, row) + parts); }
    __device__ __forceinline__ float* values(uint8_t* base, int row) const {
        return (float*)(ids(base, row) + (int64_t)parts * most);
    }
};

// Memory of a block.
struct Shared {
    int bins[BINS];
    int box[WARP];
    float floats[WARP];
    int above[WARPS], equal[WARPS];
    uint32_t digit;
    int ties;
};

// The lowest candidate, and how many of its equals are candidates.
struct Lowest {
    uint32_t key;
    int ties;
};

// Unsigned numbers in the order of the floats. Zero has two signs and one place.
__device__ __forceinline__ uint32_t key(float x) {
    uint32_t bits = __float_as_uint(x == 0 ? 0.0f : x);
    return bits >> 31 ? ~bits : bits | 0x80000000u;
}

// The sum of the numbers of this thread and of all before it.
__device__ __forceinline__ int sumUpTo(int x, int* box) {
    int warp = threadIdx.x / WARP, lane = threadIdx.x % WARP;
#pragma unroll
    for (int step = 1; step < WARP; step <<= 1) {
        int before = __shfl_up_sync(ALL_LANES, x, step);
        x += lane >= step ? before : 0;
    }
    __syncthreads(); // who still reads what was there before
    if (lane == WARP - 1) {
        box[warp] = x;
    }
    __syncthreads();
    return x + warpSum(lane < warp ? box[lane] : 0);
}

// The bin in which the lowest candidate is, if the highest `wanted` are candidates.
__device__ __forceinline__ void findBin(int wanted, Shared& shared) {
    int high = BINS - 1 - 2 * threadIdx.x, inHigh = shared.bins[high], inLow = shared.bins[high - 1];
    int end = sumUpTo(inHigh + inLow, shared.box), above = end - inHigh - inLow;
    if (above < wanted && wanted <= end) { // one thread
        bool isHigh = wanted <= above + inHigh;
        shared.digit = isHigh ? high : high - 1;
        shared.ties = wanted - above - (isHigh ? 0 : inHigh);
    }
    __syncthreads();
}

__device__ __forceinline__ Lowest findLowest(const float* values, int count, int wanted, Shared& shared) {
    uint32_t found = 0, mask = 0; // the highest bits of its key, and which those are
    for (int shift = 32 - BITS;; shift = max(0, shift - BITS)) { // the last eleven overlap those before by one
        for (int i = threadIdx.x; i < BINS; i += THREADS) {
            shared.bins[i] = 0;
        }
        __syncthreads();
#pragma unroll 8
        for (int i = threadIdx.x; i < count; i += THREADS) {
            uint32_t k = key(values[i]);
            if ((k & mask) == found) {
                atomicAdd(&shared.bins[k >> shift & (BINS - 1)], 1);
            }
        }
        __syncthreads();
        findBin(wanted, shared);
        found |= shared.digit << shift;
        mask |= (BINS - 1u) << shift;
        wanted = shared.ties;
        if (shift == 0) {
            return {found, wanted};
        }
    }
}

// Puts the candidates together; each warp has a stretch of its own. The largest of the others is returned.
__device__ __forceinline__ float collect(
        const float* values, const int* ids, int first, int count, Lowest lowest, Shared& shared, int* toIds, float* toValues) {
    int warp = threadIdx.x / WARP, lane = threadIdx.x % WARP;
    int stretch = (count + THREADS - 1) / THREADS * WARP, begin = min(count, warp * stretch), end = min(count, begin + stretch);
    int above = 0, equal = 0;
#pragma unroll 8
    for (int i = begin + lane; i < end; i += WARP) {
        uint32_t k = key(values[i]);
        above += k > lowest.key;
        equal += k == lowest.key;
    }
    above = warpSum(above);
    equal = warpSum(equal);
    if (lane == 0) {
        shared.above[warp] = above;
        shared.equal[warp] = equal;
    }
    __syncthreads();
    above = warpSum(lane < warp ? shared.above[lane] : 0); // from here on, how many there are before
    equal = warpSum(lane < warp ? shared.equal[lane] : 0);
    float rest = -infinity();
    uint32_t before = (1u << lane) - 1;
    for (int from = begin; from < end; from += WARP) {
        int i = from + lane;
        float x = i < end ? values[i] : -infinity();
        uint32_t k = i < end ? key(x) : 0; // no number's
        uint32_t allAbove = __ballot_sync(ALL_LANES, k > lowest.key), allEqual = __ballot_sync(ALL_LANES, k == lowest.key);
        int equalBefore = equal + __popc(allEqual & before);
        if (k > lowest.key || k == lowest.key && equalBefore < lowest.ties) {
            int at = above + __popc(allAbove & before) + min(equalBefore, lowest.ties);
            toIds[at] = ids ? ids[i] : first + i;
            toValues[at] = x;
        } else {
            rest = fmaxf(rest, x);
        }
        above += __popc(allAbove);
        equal += __popc(allEqual);
    }
    return blockMax(rest, shared.floats);
}

} // namespace top

// A block for each part of each row, the parts of a row beside each other.
KERNEL top_of_parts(const float* logits, int vocab, int most, uint8_t* out) {
    SHARED(top::Shared, all, [1]);
    top::Shared& shared = all[0];
    top::Layout layout{(int)gridDim.x, most};
    int part = blockIdx.x, row = blockIdx.y;
    int first = (int)((int64_t)vocab * part / layout.parts), count = (int)((int64_t)vocab * (part + 1) / layout.parts) - first;
    const float* values = logits + (int64_t)row * vocab + first;
    float largest = -infinity(), sum = 0;
#pragma unroll 8
    for (int i = threadIdx.x; i < count; i += top::THREADS) {
        largest = fmaxf(largest, values[i] < infinity() ? values[i] : infinity());
    }
    largest = blockMax(largest, shared.floats);
    top::Head head{min(most, count), largest, 0, -infinity()};
    if (largest < infinity()) {
#pragma unroll 8
        for (int i = threadIdx.x; i < count; i += top::THREADS) {
            sum += largest > -infinity() ? expf(values[i] - largest) : 0;
        }
        head.sum = blockSum(sum, shared.floats);
        top::Lowest lowest = top::findLowest(values, count, head.candidates, shared);
        int64_t at = (int64_t)part * most;
        head.rest = top::collect(
                values, nullptr, first, count, lowest, shared, layout.ids(out, row) + at, layout.values(out, row) + at);
    }
    if (threadIdx.x == 0) {
        layout.heads(out, row)[part] = head;
    }
}
REGISTER(top_of_parts)

// Likewise of the candidates of the parts. A block for each row. If there are several parts, each has as many as are wanted.
KERNEL top_of_rows(uint8_t* from, int parts, int most, uint8_t* out) {
    SHARED(top::Shared, all, [1]);
    top::Shared& shared = all[0];
    top::Layout given{parts, most}, layout{1, most};
    int row = blockIdx.x;
    const top::Head* heads = given.heads(from, row);
    top::Head head{0, -infinity(), 0, -infinity()};
    for (int i = 0; i < parts; i++) {
        head.largest = fmaxf(head.largest, heads[i].largest);
        head.rest = fmaxf(head.rest, heads[i].rest);
    }
    if (fabsf(head.largest) < infinity()) {
        for (int i = 0; i < parts; i++) {
            head.sum += heads[i].sum * expf(heads[i].largest - head.largest);
        }
        head.candidates = min(most, parts * heads[0].candidates);
        const float* values = given.values(from, row);
        int count = parts * heads[0].candidates;
        top::Lowest lowest = top::findLowest(values, count, head.candidates, shared);
        float rest = top::collect(
                values, given.ids(from, row), 0, count, lowest, shared, layout.ids(out, row), layout.values(out, row));
        head.rest = fmaxf(head.rest, rest);
    }
    if (threadIdx.x == 0) {
        layout.heads(out, row)[0] = head;
    }
}
REGISTER(top_of_rows)
