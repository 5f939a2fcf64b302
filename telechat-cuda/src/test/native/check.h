// SPDX-License-Identifier: Apache-2.0
// For checks of kernels without a driver. Each file check_*.cpp is a program of its own (see build.sh): it includes this and the
// kernels that it checks, and declares cases, which run in several orders of threads and blocks.
//
//   CHECK_CASE(sums_add_up) {
//       std::vector<float> x = gaussian(1000), y(1, NAN);
//       run<sum>(1, 256, 0, x.data(), x.size(), y.data());
//       EXPECT(y[0] > 0, "sum is %g", y[0]);
//   }
#pragma once
#include <functional>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

inline int failures = 0;

// Goes on after a failure.
#define EXPECT(condition, ...)                                                                                         \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            check::fail(__FILE__, __LINE__, __VA_ARGS__);                                                              \
        }                                                                                                              \
    } while (0)

#define CHECK_CASE(name)                                                                                               \
    static void check_##name();                                                                                        \
    static const bool registered_check_##name = check::add(#name, check_##name);                                       \
    static void check_##name()

namespace check {
struct Case {
    const char* name;
    void (*body)();
};
inline std::vector<Case>& cases() {
    static std::vector<Case> all;
    return all;
}
inline bool add(const char* name, void (*body)()) {
    cases().push_back({name, body});
    return true;
}
__attribute__((format(printf, 3, 4))) void fail(const char* file, int line, const char* format, ...);

template <auto F> struct Launcher;
template <class... A, void (*F)(A...)> struct Launcher<F> {
    // Arguments become what the kernel's parameters are, as in a call.
    static std::string launch(dim3 grid, dim3 block, size_t shared, std::remove_cv_t<A>... arguments) {
        static emulation::Kernel kernel = named();
        void* pointers[] = {&arguments..., nullptr};
        return emulation::launch(kernel, {grid.x, grid.y, grid.z}, {block.x, block.y, block.z}, shared, pointers);
    }

private:
    static emulation::Kernel named() {
        emulation::Kernel own = emulation::describeKernel<F>("without REGISTER");
        for (const emulation::Kernel& registered : emulation::kernels()) {
            if (registered.call == own.call) {
                return registered;
            }
        }
        return own;
    }
};
} // namespace check

/** Launches a kernel; what goes wrong ends the case. */
template <auto F, class... A> void run(dim3 grid, dim3 block, size_t shared, A... arguments) {
    std::string error = check::Launcher<F>::launch(grid, block, shared, arguments...);
    if (!error.empty()) {
        throw std::runtime_error(error);
    }
}
/** The same, but returns what went wrong, or "". */
template <auto F, class... A> std::string tryRun(dim3 grid, dim3 block, size_t shared, A... arguments) {
    return check::Launcher<F>::launch(grid, block, shared, arguments...);
}

/** The same numbers for the same seed, on every machine. */
std::vector<float> gaussian(size_t count, uint64_t seed = 1);

/** The difference must not exceed tolerance times (1 + expected). */
template <class Actual, class Expected>
void expectClose(const char* what, const Actual& actual, const Expected& expected, double tolerance) {
    double worst = 0;
    size_t place = 0;
    for (size_t i = 0; i < expected.size(); i++) {
        double error = fabs((double)actual[i] - (double)expected[i]) / (1 + fabs((double)expected[i]));
        if (!(error <= worst)) { // NaN is worst of all
            worst = error;
            place = i;
        }
    }
    EXPECT(worst <= tolerance, "%s: %.9g instead of %.9g at %zu", what, (double)actual[place], (double)expected[place], place);
}

/** Runs an action in a process of its own, in all orders, and expects that it, or a detector, says something. */
void expectNoticed(const char* what, const char* text, const std::function<void()>& action);
