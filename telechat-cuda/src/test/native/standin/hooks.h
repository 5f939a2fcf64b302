// SPDX-License-Identifier: Apache-2.0
// What the stand-ins of cuBLASLt and NCCL need of the stand-in driver.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>

namespace standin {
constexpr int PENDING = -1;
// Called when it is its turn in a stream, with the driver's lock held. Returns a CUresult, or PENDING to be asked again later.
// The number tells one run of the same work from another: a graph may run it many times.
using Work = std::function<int(uint64_t occurrence)>;
} // namespace standin

extern "C" {
// Adds work to a stream of a device, or to the graph for which that is captured. `collective` work may wait for that of other
// streams.
int standin_enqueue(int device, void* stream, const standin::Work* work, int collective, const char* what);
// The device whose context is current, or -1.
int standin_current_device();
// Whether these bytes lie in one allocation of the device.
int standin_owns(int device, const void* at, size_t bytes);
// Prints and remembers what is wrong; returns the code.
int standin_complain(int code, const char* what);
// Has those who wait look again whether they still have to.
void standin_wake();
// For tests: how many kernels have run, how many graphs have been launched, how much is allocated, what the last complaint was.
long standin_launches();
long standin_graph_launches();
long standin_allocations();
const char* standin_complaint();
}
