// SPDX-License-Identifier: Apache-2.0
// A kernel that leaves its memory is an error of the driver, not the end of the process. The signals are those that a Java
// virtual machine uses, too, so its handlers get what is not ours.
#pragma once
#include <csetjmp>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <functional>
#include <pthread.h>

namespace standin {
struct Fault {
    int signal = 0; // none
    int code = 0;
    uintptr_t address = 0;
};

// One system thread at a time, which holds the driver's lock.
class FaultGuard {
    static constexpr int SIGNALS[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL};
    static constexpr int COUNT = 4;
    static inline sigjmp_buf escape;
    static inline volatile bool armed = false;
    static inline pthread_t thread;
    static inline Fault fault;
    static inline struct sigaction previous[COUNT];
    static inline char stack[64 << 10]; // for a fault may be one of the stack

    static void onSignal(int signal, siginfo_t* info, void* context) {
        if (armed && pthread_equal(thread, pthread_self())) {
            armed = false;
            fault = {signal, info->si_code, (uintptr_t)info->si_addr};
            siglongjmp(escape, 1);
        }
        for (int i = 0; i < COUNT; i++) {
            if (SIGNALS[i] == signal) {
                passOn(previous[i], signal, info, context);
            }
        }
    }
    static void passOn(const struct sigaction& to, int signal, siginfo_t* info, void* context) {
        if (to.sa_flags & SA_SIGINFO) {
            to.sa_sigaction(signal, info, context);
        } else if (to.sa_handler != SIG_DFL && to.sa_handler != SIG_IGN) {
            to.sa_handler(signal);
        } else { // the instruction is tried again, and ends the process
            struct sigaction standard = {};
            standard.sa_handler = SIG_DFL;
            sigaction(signal, &standard, nullptr);
        }
    }
    // A function of its own: what sigsetjmp returns to must not have changed variables.
    static __attribute__((noinline)) bool runGuarded(const std::function<void()>& work) {
        if (sigsetjmp(escape, 1) != 0) {
            return false;
        }
        armed = true;
        work();
        armed = false;
        return true;
    }

public:
    static Fault run(const std::function<void()>& work) {
        struct sigaction action = {};
        action.sa_sigaction = onSignal;
        action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
        stack_t own = {}, before = {};
        own.ss_sp = stack;
        own.ss_size = sizeof stack;
        sigaltstack(&own, &before);
        thread = pthread_self();
        for (int i = 0; i < COUNT; i++) {
            sigaction(SIGNALS[i], &action, &previous[i]);
        }
        bool good = runGuarded(work);
        for (int i = 0; i < COUNT; i++) {
            sigaction(SIGNALS[i], &previous[i], nullptr);
        }
        sigaltstack(&before, nullptr);
        return good ? Fault{} : fault;
    }
};
} // namespace standin
