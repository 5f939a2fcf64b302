// SPDX-License-Identifier: Apache-2.0
// One thread block at a time: which of its threads runs, and where the others wait. A thread runs until it has to wait for
// others, then hands over to the next one directly.
#pragma once
#include <string>
#include <vector>

namespace emulation {
constexpr unsigned MAX_THREADS = 1024;
constexpr unsigned WARP_SIZE = 32;

// Where a kernel's source calls the emulation.
struct Place {
    const char* file = nullptr;
    int line = 0;
    bool operator!=(const Place& other) const { return line != other.line || file != other.file; }
};
inline std::string describe(const Place& place) {
    const char* slash = place.file ? strrchr(place.file, '/') : nullptr;
    return std::string(slash ? slash + 1 : place.file ? place.file : "its beginning")
            + (place.line ? ":" + std::to_string(place.line) : "");
}

// What lanes of a warp do together; all of them have to do the same.
enum class Operation : uint8_t { SYNC, SHUFFLE, VOTE, MMA_BF16, MMA_U8S8 };
inline const char* nameOf(Operation operation) {
    switch (operation) {
        case Operation::SYNC: return "__syncwarp";
        case Operation::SHUFFLE: return "a shuffle";
        case Operation::VOTE: return "a vote";
        default: return "an mma";
    }
}

struct Copy {
    void* to;
    const void* from;
};

struct Thread {
    uint3 index;
    unsigned lane, warp;
    bool started;
    int stack;
    Context context;
    Place place; // of the last wait
    // cp.async: copies not done yet, and where in them the committed groups end.
    std::vector<Copy> copies;
    std::vector<size_t> groups;
    // For the race detector: two, for blocks take turns with them; and how often barriers have been passed.
    void* fibers[2] = {};
    int untracked[2] = {};
    unsigned barriers, warpBarriers;
};

// What one lane brings to an mma and takes from it.
struct MmaOperands {
    uint32_t a[4], b[2];
    union {
        float f[4];
        int i[4];
    } d;
};

struct Warp {
    uint32_t lanes;    // that exist
    uint32_t runnable; // lanes that can go on
    uint32_t waiting;  // in an operation of the warp
    uint32_t ended;
    uint32_t masks[WARP_SIZE]; // of the operation in which a lane waits
    Operation operations[WARP_SIZE];
    uint8_t sources[WARP_SIZE]; // of a shuffle
    uint64_t operands[WARP_SIZE], results[WARP_SIZE];
    MmaOperands mma[WARP_SIZE];
};

// Points at which memory accesses are put in order, to the race detector. A thread may already be at the next barrier while another
// one has yet to leave the last, hence two of each.
struct Tracks {
    char barriers[2], warpBarriers[MAX_THREADS / WARP_SIZE][2];
};

enum class Order { FORWARD, BACKWARD, RANDOM };

struct Block {
    Thread* current;
    uint3 index, size, grid;
    unsigned char* dynamicShared;
    uint64_t serial = 0; // number of this block among all that ever ran
    size_t staticShared;
    unsigned count, warpCount;
    uint32_t runnableWarps;
    unsigned ended;

    unsigned atBarrier;
    Place barrier; // at which the first one waits
    unsigned votes, votesPassed; // of __syncthreads_count and its like, for this barrier and the last

    Order order = Order::FORWARD;
    uint64_t random;
    void (*entry)(void** arguments);
    void** arguments;
    Context launcher; // who launched the grid
    std::string failure;

    unsigned turn; // which fibers and tracks this block uses
    void* launcherFiber;
    char launch; // to the race detector: the beginning and the end of the grid
    Tracks tracks[2];

    Stacks stacks;
    Thread threads[MAX_THREADS];
    Warp warps[MAX_THREADS / WARP_SIZE];
};
// Never destroyed: other system threads may still run when the process ends.
inline union Storage {
    Block block;
    Storage() : block() {}
    ~Storage() {}
} storage;
inline Block& block = storage.block;

// Leaving a block. --------------------------------------------------------------------------------------------------------------
[[noreturn]] EMULATION_UNINSTRUMENTED inline void toLauncher() {
    Context abandoned;
    untracked = &launcherUntracked;
    trackSwitch(block.launcherFiber);
    swap(abandoned, block.launcher);
    __builtin_unreachable();
}

// An exception cannot leave a fiber, so the message is left for the launcher.
[[noreturn]] inline void fail(const std::string& what) {
    block.failure = what;
    toLauncher();
}

inline std::string describeThread(const Thread& t) {
    auto triple = [](uint3 i) { return "(" + std::to_string(i.x) + "," + std::to_string(i.y) + "," + std::to_string(i.z) + ")"; };
    return "thread " + triple(t.index) + " of block " + triple(block.index);
}

[[noreturn]] inline void failAt(const Place& place, const std::string& what) {
    fail(what + " at " + describe(place) + ", " + describeThread(*block.current));
}

// No thread can go on.
[[noreturn]] inline void failStuck() {
    std::string what = "threads wait for each other for ever: ";
    if (block.atBarrier > 0) {
        what += std::to_string(block.atBarrier) + " of " + std::to_string(block.count) + " at the barrier of "
                + describe(block.barrier) + ", ";
    }
    for (unsigned w = 0; w < block.warpCount; w++) {
        const Warp& warp = block.warps[w];
        if (warp.waiting) {
            unsigned lane = __builtin_ctz(warp.waiting);
            uint32_t missing = warp.masks[lane] & ~warp.waiting;
            char masks[96];
            snprintf(masks, sizeof masks, " with mask %08x, where the lanes %08x are missing", warp.masks[lane], missing);
            what += "warp " + std::to_string(w) + " in " + nameOf(warp.operations[lane]) + " of "
                    + describe(block.threads[w * WARP_SIZE + lane].place)
                    + (missing ? masks : ", whose lanes give different masks") + ", ";
        }
    }
    fail(what + std::to_string(block.ended) + " threads ended");
}

// Whose turn is next. -----------------------------------------------------------------------------------------------------------
inline uint32_t nextRandom() { // xorshift64*
    uint64_t& state = block.random;
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return state * 0x2545f4914f6cdd1dull >> 32;
}
inline unsigned highest(uint32_t bits) { return 31 - __builtin_clz(bits); }
inline unsigned anyOf(uint32_t bits) { // the first one at or above a random place, else the first of all
    unsigned from = nextRandom() % 32;
    uint32_t above = bits >> from << from;
    return __builtin_ctz(above ? above : bits);
}

// Forward and backward, a warp goes as far as it can before another one runs, so that warps get as far apart as barriers let
// them; in random order, warps also overtake each other.
inline Thread& next() {
    if (block.runnableWarps == 0) {
        failStuck();
    }
    unsigned w = block.current->warp;
    bool stay = block.runnableWarps >> w & 1;
    unsigned lane;
    switch (block.order) {
        case Order::FORWARD:
            w = stay ? w : __builtin_ctz(block.runnableWarps);
            lane = __builtin_ctz(block.warps[w].runnable);
            break;
        case Order::BACKWARD:
            w = stay ? w : highest(block.runnableWarps);
            lane = highest(block.warps[w].runnable);
            break;
        default:
            w = stay && nextRandom() % 4 != 0 ? w : anyOf(block.runnableWarps);
            lane = anyOf(block.warps[w].runnable);
    }
    return block.threads[w * WARP_SIZE + lane];
}

inline void stopRunning(const Thread& t) {
    Warp& warp = block.warps[t.warp];
    warp.runnable &= ~(1u << t.lane);
    if (warp.runnable == 0) {
        block.runnableWarps &= ~(1u << t.warp);
    }
}

inline void threadBody();

EMULATION_UNINSTRUMENTED inline void switchTo(Context& from, Thread& to) {
    bool starts = !to.started;
    if (starts) {
        to.started = true;
        to.stack = block.stacks.take();
        prepare(to.context, block.stacks.bottom(to.stack), block.stacks.top(to.stack), threadBody);
    }
    block.current = &to;
    if (RACE_DETECTION) {
        untracked = &to.untracked[block.turn];
        trackSwitch(to.fibers[block.turn]);
        if (starts) {
            trackAnew();
        }
    }
    swap(from, to.context);
}

// The current thread, no longer runnable, waits until it is again and its turn comes.
inline void suspend() {
    Context& mine = block.current->context;
    switchTo(mine, next());
}

// A stack runs one thread after the other, as long as the next one has not begun elsewhere.
EMULATION_UNINSTRUMENTED inline void threadBody() {
    for (;;) {
        trackAcquire(&block.launch);
        block.entry(block.arguments);
        trackRelease(&block.launch);
        Untracked own;
        Thread& me = *block.current;
        if (block.atBarrier > 0) {
            fail(describeThread(me) + " ended, while others wait at the barrier of " + describe(block.barrier));
        }
        stopRunning(me);
        block.warps[me.warp].ended |= 1u << me.lane;
        if (++block.ended == block.count) {
            block.stacks.giveBack(me.stack); // nothing else runs before it is left
            toLauncher();
        }
        Thread& to = next();
        if (to.started || RACE_DETECTION) {
            block.stacks.giveBack(me.stack);
            switchTo(me.context, to);
            __builtin_unreachable();
        }
        to.started = true;
        to.stack = me.stack;
        block.current = &to;
    }
}

// __syncthreads and its like: returns the sum of all threads' votes. --------------------------------------------------------------
__attribute__((noinline)) inline unsigned barrier(unsigned vote, Place place) {
    Thread& me = *block.current;
    char* track = &block.tracks[block.turn].barriers[me.barriers++ % 2];
    trackRelease(track);
    {
        Untracked own;
        me.place = place;
        if (block.ended > 0) {
            fail(describeThread(me) + " waits at the barrier of " + describe(place) + ", but " + std::to_string(block.ended)
                    + " threads of its block have ended");
        }
        if (block.atBarrier == 0) {
            block.barrier = place;
        } else if (block.barrier != place) {
            fail("threads of a block wait at different barriers, " + describe(block.barrier) + " and " + describe(place));
        }
        block.votes += vote;
        if (++block.atBarrier < block.count) {
            stopRunning(me);
            suspend();
        } else {
            block.atBarrier = 0;
            block.votesPassed = block.votes;
            block.votes = 0;
            for (unsigned w = 0; w < block.warpCount; w++) {
                block.warps[w].runnable = block.warps[w].lanes;
            }
            block.runnableWarps = block.warpCount == 32 ? 0xffffffffu : (1u << block.warpCount) - 1;
        }
    }
    trackAcquire(track);
    return block.votesPassed;
}
} // namespace emulation

#define threadIdx (emulation::block.current->index)
#define blockIdx (emulation::block.index)
#define blockDim (emulation::block.size)
#define gridDim (emulation::block.grid)
#define warpSize 32

// The default arguments are evaluated where the call stands.
inline void __syncthreads(const char* file = __builtin_FILE(), int line = __builtin_LINE()) { emulation::barrier(0, {file, line}); }
inline int __syncthreads_count(int x, const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
    return emulation::barrier(x != 0, {file, line});
}
inline int __syncthreads_or(int x, const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
    return emulation::barrier(x != 0, {file, line}) > 0;
}
inline int __syncthreads_and(int x, const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
    return emulation::barrier(x == 0, {file, line}) == 0;
}
