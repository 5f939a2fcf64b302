// SPDX-License-Identifier: Apache-2.0
// Fibers: stacks that a system thread can change between, and what the race detector has to be told about them.
#pragma once
#include <sys/mman.h>
#include <unistd.h>
#if defined(__x86_64__) && !defined(EMULATION_UCONTEXT)
#define EMULATION_OWN_SWITCH 1 // swapcontext asks the operating system for the signal mask each time, some 60 times slower
#else
#define EMULATION_OWN_SWITCH 0
#include <ucontext.h>
#endif
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

// For functions within which stacks change: the detectors take what returns from a function to be what entered it.
#define EMULATION_UNINSTRUMENTED __attribute__((no_sanitize("address", "thread")))

namespace emulation {
// Calls for -fsanitize=thread; nothing without it. ------------------------------------------------------------------------------
#if defined(__SANITIZE_THREAD__)
extern "C" {
void* __tsan_get_current_fiber();
void* __tsan_create_fiber(unsigned flags);
void __tsan_switch_to_fiber(void* fiber, unsigned flags);
void __tsan_acquire(void* address);
void __tsan_release(void* address);
void __tsan_ignore_thread_begin();
void __tsan_ignore_thread_end();
}
constexpr bool RACE_DETECTION = true;
constexpr unsigned NO_ORDER = 1; // a change of fibers says nothing about what happens before what
EMULATION_UNINSTRUMENTED inline void trackSwitch(void* fiber) { __tsan_switch_to_fiber(fiber, NO_ORDER); }
inline void* trackCurrent() { return __tsan_get_current_fiber(); }
inline void* trackCreate() { return __tsan_create_fiber(0); }
inline void trackAcquire(void* at) { __tsan_acquire(at); }
inline void trackRelease(void* at) { __tsan_release(at); }
// How many of the following the launcher, or the running fiber, has.
inline int launcherUntracked = 0;
inline int* untracked = &launcherUntracked;
// While one exists, what the running fiber reads and writes is the emulation's own business.
struct Untracked {
    Untracked() {
        ++*untracked;
        __tsan_ignore_thread_begin();
    }
    ~Untracked() {
        --*untracked;
        __tsan_ignore_thread_end();
    }
};
// A fiber begins again, whose last run was left somewhere.
EMULATION_UNINSTRUMENTED inline void trackAnew() {
    for (; *untracked > 0; --*untracked) {
        __tsan_ignore_thread_end();
    }
}
#else
constexpr bool RACE_DETECTION = false;
inline void trackSwitch(void*) {}
inline void* trackCurrent() { return nullptr; }
inline void* trackCreate() { return nullptr; }
inline void trackAcquire(void*) {}
inline void trackRelease(void*) {}
inline int launcherUntracked = 0;
inline int* untracked = &launcherUntracked;
inline void trackAnew() {}
struct Untracked {
    Untracked() {}
};
#endif

// A point of execution that can be continued. ---------------------------------------------------------------------------------
#if EMULATION_OWN_SWITCH
struct Context {
    void* stackPointer;
};
// noipa: the compiler must not conclude from the missing body that registers survive the call.
__attribute__((naked, noinline, noipa)) static void swapStacks(void** /* rdi: from */, void* /* rsi: to */) {
    asm("push %rbp\n push %rbx\n push %r12\n push %r13\n push %r14\n push %r15\n"
        "mov %rsp, (%rdi)\n"
        "mov %rsi, %rsp\n"
        "pop %r15\n pop %r14\n pop %r13\n pop %r12\n pop %rbx\n pop %rbp\n"
        "ret");
}
EMULATION_UNINSTRUMENTED inline void swap(Context& from, const Context& to) { swapStacks(&from.stackPointer, to.stackPointer); }
inline void prepare(Context& context, unsigned char* /* bottom */, unsigned char* top, void (*body)()) {
    auto* slots = reinterpret_cast<void**>(top);
    *--slots = nullptr; // where body would return to; with it, the stack is aligned as after a call
    *--slots = reinterpret_cast<void*>(body);
    constexpr int SAVED_REGISTERS = 6;
    context.stackPointer = slots - SAVED_REGISTERS;
}
#else
struct Context {
    ucontext_t registers;
};
EMULATION_UNINSTRUMENTED inline void swap(Context& from, const Context& to) { swapcontext(&from.registers, &to.registers); }
inline void prepare(Context& context, unsigned char* bottom, unsigned char* top, void (*body)()) {
    getcontext(&context.registers);
    context.registers.uc_stack.ss_sp = bottom;
    context.registers.uc_stack.ss_size = top - bottom;
    context.registers.uc_link = nullptr;
    makecontext(&context.registers, body, 0);
}
#endif

// The stacks, each above a page that must not be touched. -----------------------------------------------------------------------
class Stacks {
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
    static constexpr size_t SIZE = 256 << 10;
#else
    static constexpr size_t SIZE = 64 << 10;
#endif
    static constexpr int MOST = 1024;
    size_t page = sysconf(_SC_PAGESIZE);
    // Neither the distance of stacks (an odd number of pages) nor their tops (see top()) may put them all into the same sets of
    // the caches.
    size_t distance = (SIZE / page | 1) * page + page * 2;
    unsigned char* memory = nullptr;
    unsigned short spare[MOST]; // numbers of stacks not in use
    int spares = 0;

    void map() {
        memory = static_cast<unsigned char*>(
                mmap(nullptr, MOST * distance, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
        if (memory == MAP_FAILED) {
            perror("stacks of the emulation");
            abort();
        }
        for (int i = 0; i < MOST; i++) {
            mprotect(memory + i * distance, page, PROT_NONE);
        }
    }

public:
    /** @param abandoned whether fibers were left before their end */
    void reset([[maybe_unused]] bool abandoned) {
        if (!memory) {
            map();
        }
#if defined(__SANITIZE_ADDRESS__)
        if (abandoned) { // they have left the surroundings of their variables poisoned
            ASAN_UNPOISON_MEMORY_REGION(memory, MOST * distance);
        }
#endif
        for (spares = 0; spares < MOST; spares++) {
            spare[spares] = MOST - 1 - spares;
        }
    }
    int take() { return spare[--spares]; }
    void giveBack(int stack) { spare[spares++] = stack; }
    unsigned char* bottom(int stack) { return memory + stack * distance + page; }
    unsigned char* top(int stack) { return memory + (stack + 1) * distance - stack % 32 * 128; }
};
} // namespace emulation
