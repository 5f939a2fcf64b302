// SPDX-License-Identifier: Apache-2.0
// What the lanes of a warp do together: shuffles, votes, __syncwarp. The last lane to come computes it for all.
#pragma once
#include <type_traits>

namespace emulation {
/** @param compute (warp, mask): called in the last lane of the mask to come */
template <class Compute> inline void together(Operation operation, uint32_t mask, Place place, Compute compute) {
    Thread& me = *block.current;
    Warp& warp = block.warps[me.warp];
    uint32_t bit = 1u << me.lane;
    mask &= warp.lanes; // a last warp that is not full
    me.place = place;
    if (!(mask & bit)) {
        failAt(place, std::string("a lane is not in the mask that it gives to ") + nameOf(operation));
    }
    if (mask & warp.ended) {
        failAt(place, std::string(nameOf(operation)) + " waits for lane " + std::to_string(__builtin_ctz(mask & warp.ended))
                + ", which has ended");
    }
    warp.masks[me.lane] = mask;
    warp.operations[me.lane] = operation;
    warp.waiting |= bit;
    if ((warp.waiting & mask) != mask) {
        stopRunning(me);
        suspend();
        return;
    }
    bool same = true;
    for (unsigned i = 0; i < WARP_SIZE; i++) {
        same &= !(mask >> i & 1) || (warp.masks[i] == mask && warp.operations[i] == operation);
    }
    if (!same) {
        failAt(place, std::string("lanes of a warp meet at different operations or with different masks; one of them in ")
                + nameOf(operation));
    }
    compute(warp, mask);
    warp.waiting &= ~mask;
    warp.runnable |= mask;
}

// No order of memory accesses follows from it, as on a GPU.
__attribute__((noinline)) inline uint64_t shuffle(uint32_t mask, uint64_t bits, unsigned source, Place place) {
    Untracked own;
    const Thread& me = *block.current;
    Warp& warp = block.warps[me.warp];
    warp.operands[me.lane] = bits;
    warp.sources[me.lane] = source;
    together(Operation::SHUFFLE, mask, place, [](Warp& warp, uint32_t mask) {
        for (unsigned i = 0; i < WARP_SIZE; i++) {
            if (mask >> i & 1) { // the value of a lane that does not take part is undefined
                warp.results[i] = mask >> warp.sources[i] & 1 ? warp.operands[warp.sources[i]] : ~0ull;
            }
        }
    });
    return warp.results[me.lane];
}

template <class T> inline T shuffleValue(uint32_t mask, T value, unsigned source, Place place) {
    static_assert(sizeof(T) <= 8 && std::is_trivially_copyable_v<T>);
    uint64_t bits = 0;
    memcpy(&bits, &value, sizeof(T));
    bits = shuffle(mask, bits, source, place);
    memcpy(&value, &bits, sizeof(T));
    return value;
}

__attribute__((noinline)) inline uint32_t ballot(uint32_t mask, bool vote, Place place) {
    Untracked own;
    const Thread& me = *block.current;
    Warp& warp = block.warps[me.warp];
    warp.operands[me.lane] = vote;
    together(Operation::VOTE, mask, place, [](Warp& warp, uint32_t mask) {
        uint32_t votes = 0;
        for (unsigned i = 0; i < WARP_SIZE; i++) {
            votes |= (uint32_t)warp.operands[i] << i;
        }
        for (unsigned i = 0; i < WARP_SIZE; i++) {
            if (mask >> i & 1) {
                warp.results[i] = votes & mask;
            }
        }
    });
    return warp.results[me.lane];
}

__attribute__((noinline)) inline void syncWarp(uint32_t mask, Place place) {
    Thread& me = *block.current;
    char* track = &block.tracks[block.turn].warpBarriers[me.warp][me.warpBarriers++ % 2];
    trackRelease(track);
    {
        Untracked own;
        together(Operation::SYNC, mask, place, [](Warp&, uint32_t) {});
    }
    trackAcquire(track);
}
inline unsigned lane() { return block.current->lane; }
} // namespace emulation

#define EMULATION_PLACE const char *file = __builtin_FILE(), int line = __builtin_LINE()
// A width below 32 divides the warp into parts that do not see each other.
template <class T> T __shfl_sync(unsigned mask, T value, int source, int width = 32, EMULATION_PLACE) {
    unsigned first = emulation::lane() & ~(width - 1);
    return emulation::shuffleValue(mask, value, first + (source & (width - 1)), {file, line});
}
template <class T> T __shfl_xor_sync(unsigned mask, T value, int with, int width = 32, EMULATION_PLACE) {
    unsigned me = emulation::lane(), source = me ^ with, end = (me | (width - 1)) + 1;
    return emulation::shuffleValue(mask, value, source < end ? source % 32 : me, {file, line});
}
template <class T> T __shfl_down_sync(unsigned mask, T value, unsigned by, int width = 32, EMULATION_PLACE) {
    unsigned me = emulation::lane(), source = me + by, end = (me | (width - 1)) + 1;
    return emulation::shuffleValue(mask, value, source < end ? source : me, {file, line});
}
template <class T> T __shfl_up_sync(unsigned mask, T value, unsigned by, int width = 32, EMULATION_PLACE) {
    unsigned me = emulation::lane(), first = me & ~(width - 1);
    return emulation::shuffleValue(mask, value, me >= first + by ? me - by : me, {file, line});
}
inline unsigned __ballot_sync(unsigned mask, int vote, EMULATION_PLACE) { return emulation::ballot(mask, vote != 0, {file, line}); }
inline int __any_sync(unsigned mask, int vote, EMULATION_PLACE) { return emulation::ballot(mask, vote != 0, {file, line}) != 0; }
inline int __all_sync(unsigned mask, int vote, EMULATION_PLACE) { return emulation::ballot(mask, vote == 0, {file, line}) == 0; }
inline void __syncwarp(unsigned mask = 0xffffffffu, EMULATION_PLACE) { emulation::syncWarp(mask, {file, line}); }
