// SPDX-License-Identifier: Apache-2.0
// Memory of a thread block, which begins as NaN, and copies into it that arrive as late as they may.
#pragma once

namespace emulation {
constexpr size_t MAX_SHARED = 227 << 10;
constexpr size_t MAX_STATIC_SHARED = 48 << 10;

inline void* renew(void* memory, size_t bytes) {
    free(memory);
    return posix_memalign(&memory, 16, bytes) == 0 ? memory : nullptr;
}

// One variable of a block's memory. The first thread of a block to come by fills it.
struct SharedVariable {
    uint64_t block;
    void* memory;

    void begin(void* at, size_t bytes) {
        if (block != emulation::block.serial) {
            fill(at, bytes);
        }
    }
    // With detectors: every block has memory of its own, for blocks run at the same time on a GPU, and of just this size.
    void* fresh(size_t bytes) {
        Untracked own;
        if (block != emulation::block.serial) {
            memory = renew(memory, bytes);
            fill(memory, bytes);
        }
        return memory;
    }

private:
    __attribute__((noinline)) void fill(void* at, size_t bytes) {
        Untracked own;
        block = emulation::block.serial;
        memset(at, 0xff, bytes);
        emulation::block.staticShared += (bytes + 15) / 16 * 16;
    }
};
} // namespace emulation

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define SHARED(type, name, dims)                                                                                       \
    typedef type name##Type dims;                                                                                      \
    static emulation::SharedVariable name##Variable;                                                                   \
    name##Type& name = *static_cast<name##Type*>(name##Variable.fresh(sizeof(name##Type)))
#else
#define SHARED(type, name, dims)                                                                                       \
    alignas(16) static type name dims;                                                                                 \
    static emulation::SharedVariable name##Variable;                                                                   \
    name##Variable.begin(&name, sizeof name)
#endif
#define DYNAMIC_SHARED(name) unsigned char* name = emulation::block.dynamicShared

// cp.async ------------------------------------------------------------------------------------------------------------------------
inline void copyAsync16(void* to, const void* from, const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
    emulation::Untracked own;
    if ((uintptr_t)to % 16 != 0 || (uintptr_t)from % 16 != 0) {
        emulation::failAt({file, line}, "an asynchronous copy whose addresses are no multiples of 16");
    }
    emulation::block.current->copies.push_back({to, from});
}
inline void copyAsyncCommit() {
    emulation::Untracked own;
    emulation::Thread& me = *emulation::block.current;
    me.groups.push_back(me.copies.size());
}
// Those of all groups but the last N.
template <int N> inline void copyAsyncWait() {
    emulation::Thread& me = *emulation::block.current;
    size_t groups, end;
    {
        emulation::Untracked own;
        if (me.groups.size() <= N) {
            return;
        }
        groups = me.groups.size() - N;
        end = me.groups[groups - 1];
    }
    for (size_t i = 0; i < end; i++) {
        emulation::Copy copy;
        {
            emulation::Untracked own;
            copy = me.copies[i];
        }
        memcpy(copy.to, copy.from, 16); // tracked: it is this thread that writes
    }
    emulation::Untracked own;
    me.copies.erase(me.copies.begin(), me.copies.begin() + end);
    me.groups.erase(me.groups.begin(), me.groups.begin() + groups);
    for (size_t& group : me.groups) {
        group -= end;
    }
}
