// SPDX-License-Identifier: Apache-2.0
// Kernels by name, and running a grid of thread blocks, one after the other.
#pragma once
#include <tuple>
#include <utility>

// inline, so that several parts of a program may include the same kernels.
#define KERNEL extern "C" inline void
#ifdef ONLY_LAUNCHED_KERNELS // for programs that launch kernels by themselves: the others are not even compiled
#define REGISTER(kernel)
#else
#define REGISTER(kernel)                                                                                               \
    [[maybe_unused]] static const bool registered_##kernel = emulation::registerKernel(emulation::describeKernel<kernel>(#kernel));
#endif

namespace emulation {
struct Parameter {
    size_t offset, size; // as they lie in the parameter memory of a GPU
    bool pointer;
};
struct Kernel {
    std::string name;
    void (*call)(void** arguments);
    std::vector<Parameter> parameters;
    size_t staticShared = 0; // as far as launches have shown
};
inline std::vector<Kernel>& kernels() {
    static auto& all = *new std::vector<Kernel>;
    return all;
}
inline bool registerKernel(Kernel kernel) {
    kernels().push_back(std::move(kernel));
    return true;
}

// The driver gets an array of pointers to arguments; the kernel's own type says how to read them.
template <auto F> struct Caller;
template <class... A, void (*F)(A...)> struct Caller<F> {
    template <size_t... I> static void call(void** arguments, std::index_sequence<I...>) {
        F(*static_cast<std::remove_cv_t<A>*>(arguments[I])...);
    }
    static void call(void** arguments) { call(arguments, std::index_sequence_for<A...>()); }
    static std::vector<Parameter> parameters() {
        std::vector<Parameter> all;
        size_t at = 0;
        auto add = [&](size_t size, size_t alignment, bool pointer) {
            at = (at + alignment - 1) / alignment * alignment;
            all.push_back({at, size, pointer});
            at += size;
        };
        (add(sizeof(A), alignof(A), std::is_pointer_v<A>), ...);
        return all;
    }
};
template <auto F> Kernel describeKernel(const char* name) { return {name, Caller<F>::call, Caller<F>::parameters()}; }

// The order ---------------------------------------------------------------------------------------------------------------------
// "forward", "backward" or a seed; null: as the environment says, and if it doesn't, forward.
inline const char*& chosenOrder() {
    static const char* order = nullptr;
    return order;
}
inline const char* orderName() {
    const char* order = chosenOrder() ? chosenOrder() : getenv("TELECHAT_EMULATION_ORDER");
    return order && *order ? order : "forward";
}
inline void startOrder(const std::string& kernel) {
    std::string order = orderName();
    block.order = order == "forward" ? Order::FORWARD : order == "backward" ? Order::BACKWARD : Order::RANDOM;
    block.random = 0x9e3779b97f4a7c15ull * (strtoull(order.c_str(), nullptr, 10) + 1);
    for (char c : kernel) { // not the same for every kernel, yet the same at every launch, so that failures can be repeated
        block.random = (block.random ^ (unsigned char)c) * 0x100000001b3ull;
    }
    block.random |= 1;
}
inline std::vector<uint32_t> arrangeBlocks(size_t count) {
    std::vector<uint32_t> all(count);
    for (size_t i = 0; i < count; i++) {
        all[i] = block.order == Order::BACKWARD ? count - 1 - i : i;
    }
    for (size_t i = count; block.order == Order::RANDOM && i > 1; i--) {
        std::swap(all[i - 1], all[nextRandom() % i]);
    }
    return all;
}

// Dynamic shared memory -----------------------------------------------------------------------------------------------------------
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline void startDynamicShared(size_t bytes) { // exactly so much, and for every block anew
    block.dynamicShared = static_cast<unsigned char*>(renew(block.dynamicShared, bytes));
    memset(block.dynamicShared, 0xff, bytes);
}
#else
inline void startDynamicShared(size_t bytes) { // ends just before a page that must not be touched
    static unsigned char* end = [] {
        size_t page = sysconf(_SC_PAGESIZE), all = (MAX_SHARED + page - 1) / page * page;
        void* memory = mmap(nullptr, all + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        auto* start = static_cast<unsigned char*>(memory);
        mprotect(start + all, page, PROT_NONE);
        return start + all;
    }();
    block.dynamicShared = end - (bytes + 15) / 16 * 16;
    memset(block.dynamicShared, 0xff, end - block.dynamicShared);
}
#endif

// Launching -----------------------------------------------------------------------------------------------------------------------
inline void startThreads(uint3 size) {
    for (unsigned i = 0; i < block.count; i++) {
        Thread& t = block.threads[i];
        t.index = {i % size.x, i / size.x % size.y, i / size.x / size.y};
        t.lane = i % WARP_SIZE;
        t.warp = i / WARP_SIZE;
        for (void*& fiber : t.fibers) { // dear, hence kept
            fiber = fiber ? fiber : trackCreate();
        }
    }
}

inline void runBlock(uint3 index, size_t dynamicShared) {
    block.index = index;
    block.serial++;
    block.turn = block.serial % 2;
    block.staticShared = block.ended = block.atBarrier = block.votes = 0;
    startDynamicShared(dynamicShared);
    for (unsigned i = 0; i < block.count; i++) {
        Thread& t = block.threads[i];
        t.started = false;
        t.place = {};
        t.barriers = t.warpBarriers = 0;
        t.copies.clear();
        t.groups.clear();
    }
    block.runnableWarps = 0;
    for (unsigned w = 0; w < block.warpCount; w++) {
        unsigned lanes = block.count - w * WARP_SIZE;
        Warp& warp = block.warps[w];
        warp.lanes = warp.runnable = lanes >= WARP_SIZE ? 0xffffffffu : (1u << lanes) - 1;
        warp.waiting = warp.ended = 0;
        block.runnableWarps |= 1u << w;
    }
    block.current = &block.threads[block.order == Order::BACKWARD ? block.count - 1 : 0];
    switchTo(block.launcher, next());
}

// To the race detector, threads that were left somewhere come before what follows the launch, too.
EMULATION_UNINSTRUMENTED inline void trackFailure() {
    for (unsigned i = 0; i < block.count; i++) {
        for (void* fiber : block.threads[i].fibers) {
            trackSwitch(fiber);
            trackRelease(&block.launch);
            trackSwitch(block.launcherFiber);
        }
    }
}

/** What went wrong; empty if nothing did. */
inline std::string launch(Kernel& kernel, uint3 grid, uint3 size, size_t dynamicShared, void** arguments) {
    Untracked own;
    static bool running = false; // still so if the last launch ended by a fault
    size_t count = (size_t)size.x * size.y * size.z, blocks = (size_t)grid.x * grid.y * grid.z;
    if (count == 0 || count > MAX_THREADS || size.z > 64 || blocks == 0 || blocks > INT_MAX || grid.y > 65535 || grid.z > 65535
            || dynamicShared > MAX_SHARED) {
        return "kernel " + kernel.name + ": no GPU launches such a grid";
    }
    bool abandoned = running || !block.failure.empty();
    if (abandoned || block.serial == 0) {
        block.stacks.reset(abandoned);
    }
    running = true;
    block.failure.clear();
    block.size = size;
    block.grid = grid;
    block.count = count;
    block.warpCount = (count + WARP_SIZE - 1) / WARP_SIZE;
    block.entry = kernel.call;
    block.arguments = arguments;
    block.launcherFiber = trackCurrent();
    startThreads(size);
    startOrder(kernel.name);
    trackRelease(&block.launch);
    for (uint32_t b : arrangeBlocks(blocks)) {
        runBlock({b % grid.x, b / grid.x % grid.y, b / grid.x / grid.y}, dynamicShared);
        kernel.staticShared = max(kernel.staticShared, block.staticShared);
        if (block.failure.empty() && (block.staticShared > MAX_STATIC_SHARED || block.staticShared + dynamicShared > MAX_SHARED)) {
            block.failure = "more shared memory than a GPU has: " + std::to_string(block.staticShared) + " static and "
                    + std::to_string(dynamicShared) + " dynamic bytes";
        }
        if (!block.failure.empty()) {
            break;
        }
    }
    running = false;
    if (RACE_DETECTION && !block.failure.empty()) {
        trackFailure();
    }
    trackAcquire(&block.launch);
    return block.failure.empty() ? "" : "kernel " + kernel.name + ": " + block.failure + " [order " + orderName() + "]";
}

/** Which thread of which kernel ran last, after a fault. */
inline std::string where(const Kernel& kernel) {
    const Thread& t = *block.current;
    return "kernel " + kernel.name + ", " + describeThread(t) + ", after " + describe(t.place) + " [order " + orderName() + "]";
}
} // namespace emulation
