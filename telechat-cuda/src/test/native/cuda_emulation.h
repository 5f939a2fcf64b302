// SPDX-License-Identifier: Apache-2.0
// CUDA's words for a C++ compiler, so that the kernels run on a CPU; for tests only. Comes before a kernel source:
// `g++ -std=c++17 -x c++ -include cuda_emulation.h`.
//
// Every CUDA thread is a fiber, all of them on one system thread (emulation/scheduler.h). What a GPU leaves undefined is made
// to show: threads and blocks run in the order that the environment variable TELECHAT_EMULATION_ORDER chooses (forward,
// backward or a seed), shared memory begins as NaN, asynchronous copies happen as late as they may. Waits that can never end,
// barriers that diverge and lanes missing from an operation of a warp end the launch with a message. With -fsanitize=thread
// every CUDA thread is one to the race detector; with -fsanitize=address accesses beyond an array are found.
#pragma once
#include <cfloat>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <math.h>

#define __device__
#define __host__
#define __global__
#define __constant__ static const
#define __forceinline__ inline __attribute__((always_inline))
#define __noinline__ __attribute__((noinline))
#define __launch_bounds__(...)
#define __align__(n) alignas(n)

#include "emulation/vectors.h"

#include "emulation/fibers.h"

#include "emulation/scheduler.h"

#include "emulation/memory.h"

#include "emulation/warp.h"

#include "emulation/mma.h"

#include "emulation/arithmetic.h"

#include "emulation/launch.h"
