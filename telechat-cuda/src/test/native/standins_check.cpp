// SPDX-License-Identifier: Apache-2.0
// Checks the stand-ins for the driver, cuBLASLt and NCCL, on three devices. Argument: a module image of planted.cu.
#include "standin/cuda_types.h"
#include "standin/hooks.h"
#include "standin/numbers.h"
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

using namespace standin;

extern "C" {
#if !__has_include(<cuda.h>)
CUresult cuInit(unsigned);
CUresult cuDevicePrimaryCtxRetain(CUcontext*, CUdevice);
CUresult cuDevicePrimaryCtxRelease_v2(CUdevice);
CUresult cuCtxSetCurrent(CUcontext);
CUresult cuMemAlloc_v2(CUdeviceptr*, size_t);
CUresult cuMemFree_v2(CUdeviceptr);
CUresult cuMemHostAlloc(void**, size_t, unsigned);
CUresult cuMemFreeHost(void*);
CUresult cuMemGetInfo_v2(size_t*, size_t*);
CUresult cuMemcpyHtoD_v2(CUdeviceptr, const void*, size_t);
CUresult cuMemcpyDtoH_v2(void*, CUdeviceptr, size_t);
CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr, const void*, size_t, CUstream);
CUresult cuMemcpyDtoHAsync_v2(void*, CUdeviceptr, size_t, CUstream);
CUresult cuMemcpyDtoDAsync_v2(CUdeviceptr, CUdeviceptr, size_t, CUstream);
CUresult cuMemsetD32Async(CUdeviceptr, unsigned, size_t, CUstream);
CUresult cuModuleLoadData(CUmodule*, const void*);
CUresult cuModuleUnload(CUmodule);
CUresult cuModuleGetFunction(CUfunction*, CUmodule, const char*);
CUresult cuFuncGetParamInfo(CUfunction, size_t, size_t*, size_t*);
CUresult cuLaunchKernel(CUfunction, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, CUstream, void**, void**);
CUresult cuStreamCreate(CUstream*, unsigned);
CUresult cuStreamDestroy_v2(CUstream);
CUresult cuStreamSynchronize(CUstream);
CUresult cuStreamQuery(CUstream);
CUresult cuStreamWaitEvent(CUstream, CUevent, unsigned);
CUresult cuEventCreate(CUevent*, unsigned);
CUresult cuEventRecord(CUevent, CUstream);
CUresult cuEventSynchronize(CUevent);
CUresult cuEventQuery(CUevent);
CUresult cuStreamBeginCapture_v2(CUstream, CUstreamCaptureMode);
CUresult cuStreamEndCapture(CUstream, CUgraph*);
CUresult cuGraphInstantiateWithFlags(CUgraphExec*, CUgraph, unsigned long long);
CUresult cuGraphLaunch(CUgraphExec, CUstream);
CUresult cuGraphExecDestroy(CUgraphExec);
CUresult cuGraphDestroy(CUgraph);
#endif
CUresult cuEventElapsedTime_v2(float*, CUevent, CUevent);

int cublasLtCreate(void**);
int cublasLtDestroy(void*);
int cublasLtMatmulDescCreate(void**, int, int);
int cublasLtMatmulDescSetAttribute(void*, int, const void*, size_t);
int cublasLtMatrixLayoutCreate(void**, int, uint64_t, uint64_t, int64_t);
int cublasLtMatmulPreferenceCreate(void**);
int cublasLtMatmulPreferenceSetAttribute(void*, int, const void*, size_t);
int cublasLtMatmulAlgoGetHeuristic(void*, void*, void*, void*, void*, void*, void*, int, void*, int*);
int cublasLtMatmul(void*, void*, const float*, const void*, void*, const void*, void*, const float*, const void*, void*, void*,
        void*, const void*, void*, size_t, void*);

struct UniqueId {
    char bytes[128];
};
int ncclGetUniqueId(UniqueId*);
int ncclCommInitRank(void**, int, UniqueId, int);
int ncclCommInitAll(void**, int, const int*);
int ncclCommDestroy(void*);
int ncclCommAbort(void*);
int ncclCommGetAsyncError(void*, int*);
int ncclAllReduce(const void*, void*, size_t, int, int, void*, void*);
int ncclReduceScatter(const void*, void*, size_t, int, int, void*, void*);
int ncclAllGather(const void*, void*, size_t, int, void*, void*);
int ncclBroadcast(const void*, void*, size_t, int, int, void*, void*);
int ncclSend(const void*, size_t, int, int, void*, void*);
int ncclRecv(void*, size_t, int, int, void*, void*);
int ncclGroupStart();
int ncclGroupEnd();
}

static int failures = 0;
#define EXPECT(condition)                                                                                              \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            failures++;                                                                                                \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                                            \
        }                                                                                                              \
    } while (0)
#define GOOD(call) EXPECT((call) == 0)
#define EXPECT_ERROR(code, call) EXPECT((call) == code)

namespace {
constexpr int DEVICES = 3, NON_BLOCKING = 1;
std::string image;
CUcontext contexts[DEVICES];

// A device as one thread uses it.
struct Session {
    CUstream stream;
    CUmodule module;

    explicit Session(int device) {
        GOOD(cuDevicePrimaryCtxRetain(&contexts[device], device));
        GOOD(cuCtxSetCurrent(contexts[device]));
        GOOD(cuStreamCreate(&stream, NON_BLOCKING));
        GOOD(cuModuleLoadData(&module, image.data()));
    }
    CUfunction kernel(const char* name) {
        CUfunction f = nullptr;
        GOOD(cuModuleGetFunction(&f, module, name));
        return f;
    }
    template <class... A> CUresult launch(const char* name, unsigned threads, A... arguments) {
        void* pointers[] = {&arguments...};
        return cuLaunchKernel(kernel(name), 1, 1, 1, threads, 1, 1, 0, stream, pointers, nullptr);
    }
    CUdeviceptr upload(const std::vector<float>& values) {
        CUdeviceptr at = 0;
        GOOD(cuMemAlloc_v2(&at, values.size() * 4));
        GOOD(cuMemcpyHtoD_v2(at, values.data(), values.size() * 4));
        return at;
    }
    std::vector<float> download(CUdeviceptr at, size_t count) {
        std::vector<float> values(count);
        GOOD(cuMemcpyDtoHAsync_v2(values.data(), at, count * 4, stream));
        GOOD(cuStreamSynchronize(stream));
        return values;
    }
};
void release(int device) { GOOD(cuDevicePrimaryCtxRelease_v2(device)); }

std::vector<float> numbers(size_t count, float first = 0) {
    std::vector<float> all(count);
    for (size_t i = 0; i < count; i++) {
        all[i] = first + i;
    }
    return all;
}

// The driver ----------------------------------------------------------------------------------------------------------------------
void workIsDoneWhenWaitedFor() {
    Session s(0);
    CUdeviceptr x = s.upload(numbers(64)), y = s.upload(std::vector<float>(64, -1));
    float* pinned;
    GOOD(cuMemHostAlloc((void**)&pinned, 64 * 4, 0));
    EXPECT(std::isnan(pinned[0]));
    pinned[0] = -2;
    long before = standin_launches();
    GOOD(s.launch("reverse_good", 64, x, y, 1));
    GOOD(cuMemcpyDtoHAsync_v2(pinned, y, 64 * 4, s.stream));
    EXPECT(pinned[0] == -2 && standin_launches() == before);
    EXPECT_ERROR(CUDA_ERROR_ILLEGAL_STATE, cuMemFree_v2(x)); // the kernel has yet to run
    EXPECT_ERROR(CUDA_ERROR_ILLEGAL_STATE, cuMemFreeHost(pinned));
    GOOD(cuStreamSynchronize(s.stream));
    EXPECT(pinned[0] == 63 && pinned[63] == 0 && standin_launches() == before + 1);

    // What lies in pageable memory is taken at the call, what lies in pinned memory later.
    float pageable = 5;
    pinned[0] = 6;
    GOOD(cuMemcpyHtoDAsync_v2(x, &pageable, 4, s.stream));
    GOOD(cuMemcpyHtoDAsync_v2(x + 4, pinned, 4, s.stream));
    pageable = pinned[0] = 7;
    std::vector<float> now = s.download(x, 2);
    EXPECT(now[0] == 5 && now[1] == 7);

    // Other streams, by events; asking again and again ends.
    CUstream other;
    CUevent event, start;
    GOOD(cuStreamCreate(&other, NON_BLOCKING));
    GOOD(cuEventCreate(&event, 0));
    GOOD(cuEventCreate(&start, 0));
    GOOD(cuEventRecord(start, other));
    GOOD(cuMemsetD32Async(x, 0x40000000, 1, other));
    GOOD(cuEventRecord(event, other));
    GOOD(cuMemsetD32Async(x + 4, 0x40000000, 1, other)); // nobody waits for it
    GOOD(cuStreamWaitEvent(s.stream, event, 0));
    now = s.download(x, 2);
    EXPECT(now[0] == 2 && now[1] == 7);
    int asked = 0;
    while (cuStreamQuery(other) == CUDA_ERROR_NOT_READY) {
        asked++;
    }
    EXPECT(asked == 1);
    float milliseconds;
    GOOD(cuEventElapsedTime_v2(&milliseconds, start, event));
    EXPECT(milliseconds >= 0);

    // A null stream and one that waits for it.
    CUstream blocking;
    GOOD(cuStreamCreate(&blocking, 0));
    GOOD(cuMemsetD32Async(x, 0x3f800000, 1, blocking));
    float value;
    GOOD(cuMemcpyDtoH_v2(&value, x, 4));
    EXPECT(value == 1);
    GOOD(cuMemFreeHost(pinned));
    release(0);
}

void mistakesAreErrors() {
    Session s(0);
    CUdeviceptr x = s.upload(numbers(64)), y = s.upload(numbers(64));
    std::vector<float> host(65);
    EXPECT_ERROR(CUDA_ERROR_INVALID_VALUE, cuMemcpyHtoD_v2(x, host.data(), 65 * 4));
    EXPECT_ERROR(CUDA_ERROR_INVALID_VALUE, cuMemcpyDtoH_v2(host.data(), x + 4, 64 * 4));
    EXPECT_ERROR(CUDA_ERROR_INVALID_VALUE, cuMemcpyHtoD_v2(x, (void*)y, 4));
    EXPECT_ERROR(CUDA_ERROR_INVALID_VALUE, cuMemFree_v2(x + 4));
    EXPECT_ERROR(CUDA_ERROR_INVALID_VALUE, s.launch("reverse_good", 1025, x, y, 1));
    EXPECT_ERROR(CUDA_ERROR_INVALID_HANDLE, cuStreamSynchronize((CUstream)&host));
    CUfunction f;
    EXPECT_ERROR(CUDA_ERROR_NOT_FOUND, cuModuleGetFunction(&f, s.module, "no_such_kernel"));
    EXPECT_ERROR(CUDA_ERROR_NO_BINARY_FOR_GPU, cuModuleLoadData(&s.module, std::string(100, 'x').data()));
    int zero = 0;
    void* parameters[] = {&x, &zero};
    CUfunction any = s.kernel("beyond_global");
    EXPECT_ERROR(CUDA_ERROR_INVALID_VALUE, cuLaunchKernel(any, 1, 1, 1, 1, 1, 1, 49153, s.stream, parameters, nullptr));
    size_t offset, size;
    GOOD(cuFuncGetParamInfo(s.kernel("reverse_good"), 2, &offset, &size));
    EXPECT(offset == 16 && size == 4);
    EXPECT_ERROR(CUDA_ERROR_INVALID_VALUE, cuFuncGetParamInfo(s.kernel("reverse_good"), 3, &offset, &size));

    size_t free, total, freeBefore;
    CUdeviceptr large;
    GOOD(cuMemGetInfo_v2(&freeBefore, &total));
    EXPECT_ERROR(CUDA_ERROR_OUT_OF_MEMORY, cuMemAlloc_v2(&large, freeBefore + 1));
    GOOD(cuMemAlloc_v2(&large, freeBefore));
    GOOD(cuMemGetInfo_v2(&free, &total));
    EXPECT(free == 0);
    EXPECT(std::isnan(s.download(large + freeBefore / 2 / 4 * 4, 1)[0]));
    GOOD(cuMemFree_v2(large));
    release(0);

    Session again(0); // without a fault, yet not without a trace
    CUdeviceptr z = again.upload(numbers(64));
    GOOD(again.launch("beyond_global", 1, z, -100));
    GOOD(cuStreamSynchronize(again.stream));
    EXPECT_ERROR(CUDA_ERROR_ILLEGAL_ADDRESS, cuMemFree_v2(z));
    release(0);

    // Faults, which last until the context is made anew.
    auto fault = [&](CUresult code, const char* text, const std::function<CUresult(Session&, CUdeviceptr)>& launch) {
        Session own(0);
        CUdeviceptr at = own.upload(numbers(64));
        GOOD(launch(own, at));
        EXPECT_ERROR(code, cuStreamSynchronize(own.stream));
        EXPECT(strstr(standin_complaint(), text));
        EXPECT_ERROR(code, cuMemcpyDtoH_v2(host.data(), at, 4));
        release(0);
    };
    fault(CUDA_ERROR_ILLEGAL_ADDRESS, "beyond the end of an allocation of 256 bytes",
            [](Session& own, CUdeviceptr at) { return own.launch("beyond_global", 1, at, 64); });
    fault(CUDA_ERROR_ILLEGAL_ADDRESS, "beyond the end of an allocation of 252 bytes", [](Session& own, CUdeviceptr) {
        return own.launch("beyond_global", 1, own.upload(numbers(63)), 63); // within the same 256 bytes
    });
    fault(CUDA_ERROR_ILLEGAL_ADDRESS, "before",
            [](Session& own, CUdeviceptr at) { return own.launch("beyond_global", 1, at, -1500); });
    fault(CUDA_ERROR_ILLEGAL_ADDRESS, "no address of the memory",
            [&](Session& own, CUdeviceptr) { return own.launch("beyond_global", 1, host.data(), 0); });
    fault(CUDA_ERROR_LAUNCH_FAILED, "different barriers",
            [](Session& own, CUdeviceptr at) { return own.launch("diverging_barriers", 64, at); });
}

void graphsReplayWhatWasCaptured() {
    Session s(0);
    CUdeviceptr x = s.upload(numbers(64)), y = s.upload(numbers(64)), z = s.upload(numbers(64));
    CUstream other;
    CUevent fork, join;
    GOOD(cuStreamCreate(&other, NON_BLOCKING));
    GOOD(cuEventCreate(&fork, 0));
    GOOD(cuEventCreate(&join, 0));
    int rounds = 1;
    GOOD(cuStreamBeginCapture_v2(s.stream, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL));
    GOOD(s.launch("reverse_good", 64, x, y, rounds));
    GOOD(cuEventRecord(fork, s.stream));
    GOOD(cuStreamWaitEvent(other, fork, 0));
    GOOD(cuMemcpyDtoDAsync_v2(z, y, 256, other));
    GOOD(cuEventRecord(join, other));
    GOOD(cuStreamWaitEvent(s.stream, join, 0));
    std::thread([&] { // other threads are not concerned
        Session elsewhere(1);
        elsewhere.upload(numbers(3));
        release(1);
    }).join();
    CUgraph graph;
    GOOD(cuStreamEndCapture(s.stream, &graph));
    CUgraphExec exec;
    GOOD(cuGraphInstantiateWithFlags(&exec, graph, 0));
    GOOD(cuGraphDestroy(graph));
    EXPECT(s.download(z, 1)[0] == 0);
    for (float first : {10.0f, 20.0f}) {
        std::vector<float> values = numbers(64, first);
        GOOD(cuMemcpyHtoD_v2(x, values.data(), 256));
        GOOD(cuGraphLaunch(exec, s.stream));
        EXPECT(s.download(z, 1)[0] == first + 63);
    }
    EXPECT(standin_graph_launches() == 2);
    GOOD(cuGraphExecDestroy(exec));

    auto broken = [&](CUresult code, const std::function<CUresult()>& call) {
        GOOD(cuStreamBeginCapture_v2(s.stream, CU_STREAM_CAPTURE_MODE_GLOBAL));
        EXPECT_ERROR(code, call());
        EXPECT_ERROR(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, cuStreamEndCapture(s.stream, &graph));
    };
    float value = 0;
    CUdeviceptr more;
    broken(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, [&] { return cuMemAlloc_v2(&more, 4); });
    broken(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, [&] { return cuStreamSynchronize(s.stream); });
    broken(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, [&] { return cuMemcpyDtoH_v2(&value, x, 4); });
    broken(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, [&] { return cuMemcpyDtoHAsync_v2(&value, x, 4, nullptr); });
    broken(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, [&] { return cuMemcpyHtoDAsync_v2(x, &value, 4, s.stream); });
    GOOD(cuMemsetD32Async(x, 0, 1, other));
    GOOD(cuEventRecord(join, other));
    broken(CUDA_ERROR_STREAM_CAPTURE_ISOLATION, [&] { return cuStreamWaitEvent(s.stream, join, 0); });
    GOOD(cuStreamBeginCapture_v2(s.stream, CU_STREAM_CAPTURE_MODE_GLOBAL));
    GOOD(cuEventRecord(fork, s.stream));
    GOOD(cuStreamWaitEvent(other, fork, 0));
    GOOD(cuMemcpyDtoDAsync_v2(z, y, 256, other)); // and s.stream does not wait for it
    EXPECT_ERROR(CUDA_ERROR_STREAM_CAPTURE_UNJOINED, cuStreamEndCapture(s.stream, &graph));
    release(0);
}

void devicesAreApart() {
    Session first(0), second(1); // the second one is current
    CUdeviceptr here = second.upload(numbers(4));
    GOOD(cuCtxSetCurrent(contexts[0]));
    CUdeviceptr there = first.upload(numbers(4));
    EXPECT_ERROR(CUDA_ERROR_INVALID_VALUE, cuMemcpyDtoDAsync_v2(there, here, 4, first.stream));
    EXPECT_ERROR(CUDA_ERROR_INVALID_HANDLE, cuMemsetD32Async(there, 0, 1, second.stream));
    GOOD(first.launch("beyond_global", 1, here, 0));
    EXPECT_ERROR(CUDA_ERROR_ILLEGAL_ADDRESS, cuStreamSynchronize(first.stream));
    GOOD(cuCtxSetCurrent(contexts[1])); // which knows nothing of it
    EXPECT(second.download(here, 4)[3] == 3);
    release(0);
    release(1);
    EXPECT(standin_allocations() == 0);
}

// cuBLASLt ------------------------------------------------------------------------------------------------------------------------
void productsAreRight() {
    Session s(0);
    void *handle, *desc, *layouts[3], *preference;
    GOOD(cublasLtCreate(&handle));
    for (int type : {0, 2, 14}) {
        for (int trans = 0; trans < 4; trans++) {
            int m = 5, n = 7, k = 600, transA = trans & 1, transB = trans >> 1, width = type == 0 ? 4 : 2, apart = 3;
            auto rowsA = transA ? k : m, columnsA = transA ? m : k, rowsB = transB ? n : k, columnsB = transB ? k : n;
            auto make = [&](int rows, int columns, int seed, std::vector<float>& values) {
                std::vector<char> bytes((rows + apart) * columns * width);
                values.assign((rows + apart) * columns, NAN);
                for (size_t i = 0; i < values.size(); i++) {
                    float x = (int)((i * 37 + seed) % 11) - 5;
                    values[i] = x;
                    uint32_t bits = type == 0 ? toBits(x) : type == 2 ? Half::of(x).bits : Bf16::of(x).bits;
                    memcpy(&bytes[i * width], &bits, width);
                }
                CUdeviceptr at;
                GOOD(cuMemAlloc_v2(&at, bytes.size()));
                GOOD(cuMemcpyHtoD_v2(at, bytes.data(), bytes.size()));
                return at;
            };
            std::vector<float> a, b;
            CUdeviceptr atA = make(rowsA, columnsA, 1, a), atB = make(rowsB, columnsB, 2, b);
            CUdeviceptr atD = s.upload(std::vector<float>(m * n, 100));
            GOOD(cublasLtMatmulDescCreate(&desc, 68, 0));
            GOOD(cublasLtMatmulDescSetAttribute(desc, 3, &transA, 4));
            GOOD(cublasLtMatmulDescSetAttribute(desc, 4, &transB, 4));
            GOOD(cublasLtMatrixLayoutCreate(&layouts[0], type, rowsA, columnsA, rowsA + apart));
            GOOD(cublasLtMatrixLayoutCreate(&layouts[1], type, rowsB, columnsB, rowsB + apart));
            GOOD(cublasLtMatrixLayoutCreate(&layouts[2], 0, m, n, m));
            GOOD(cublasLtMatmulPreferenceCreate(&preference));
            uint64_t workspaceBytes = 1000;
            GOOD(cublasLtMatmulPreferenceSetAttribute(preference, 1, &workspaceBytes, 8));
            char result[96];
            int found;
            GOOD(cublasLtMatmulAlgoGetHeuristic(
                    handle, desc, layouts[0], layouts[1], layouts[2], layouts[2], preference, 1, result, &found));
            EXPECT(found == 1);
            CUdeviceptr workspace = s.upload(std::vector<float>(250));
            float alpha = 2, beta = 1;
            GOOD(cublasLtMatmul(handle, desc, &alpha, (void*)atA, layouts[0], (void*)atB, layouts[1], &beta, (void*)atD, layouts[2],
                    (void*)atD, layouts[2], result, (void*)workspace, workspaceBytes, s.stream));
            std::vector<float> d = s.download(atD, m * n);
            for (int i = 0; i < m; i++) {
                for (int j = 0; j < n; j++) {
                    float sum = 100;
                    for (int l = 0; l < k; l++) {
                        sum += 2 * a[transA ? i * (rowsA + apart) + l : l * (rowsA + apart) + i]
                                * b[transB ? l * (rowsB + apart) + j : j * (rowsB + apart) + l];
                    }
                    EXPECT(d[j * m + i] == sum);
                }
            }
            EXPECT(cublasLtMatmul(handle, desc, &alpha, (void*)(atA + 64), layouts[0], (void*)atB, layouts[1], &beta, (void*)atD,
                           layouts[2], (void*)atD, layouts[2], result, (void*)workspace, workspaceBytes, s.stream) != 0);
        }
    }
    release(0);
}

// NCCL ----------------------------------------------------------------------------------------------------------------------------
void inThreads(const std::function<void(int rank, Session& s, void* comm)>& action) {
    UniqueId id;
    GOOD(ncclGetUniqueId(&id));
    std::vector<std::thread> threads;
    for (int rank = 0; rank < DEVICES; rank++) {
        threads.emplace_back([&, rank] {
            Session s(rank);
            void* comm = nullptr;
            GOOD(ncclCommInitRank(&comm, DEVICES, id, rank));
            action(rank, s, comm);
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    for (int rank = 0; rank < DEVICES; rank++) {
        release(rank);
    }
}

void ranksWorkTogether() {
    constexpr int FLOAT = 7, BF16_TYPE = 9, SUM = 0;
    inThreads([](int rank, Session& s, void* comm) {
        CUdeviceptr x = s.upload(numbers(6, 10 * rank)), y = s.upload(std::vector<float>(18));
        for (int round = 0; round < 20; round++) {
            GOOD(ncclAllReduce((void*)x, (void*)y, 6, FLOAT, SUM, comm, s.stream));
        }
        std::vector<float> sums = s.download(y, 6);
        EXPECT(sums[0] == 30 && sums[5] == 45);
        GOOD(ncclReduceScatter((void*)x, (void*)y, 2, FLOAT, SUM, comm, s.stream));
        EXPECT(s.download(y, 2)[1] == 30 + 3 * (2 * rank + 1));
        GOOD(ncclAllGather((void*)x, (void*)y, 6, FLOAT, comm, s.stream));
        EXPECT(s.download(y, 18)[13] == 21);
        GOOD(ncclBroadcast((void*)x, (void*)y, 6, FLOAT, 2, comm, s.stream));
        EXPECT(s.download(y, 6)[1] == 21);

        // Round in a ring, sending before receiving: only as a group does that end.
        GOOD(ncclGroupStart());
        GOOD(ncclSend((void*)x, 6, FLOAT, (rank + 1) % DEVICES, comm, s.stream));
        GOOD(ncclRecv((void*)y, 6, FLOAT, (rank + DEVICES - 1) % DEVICES, comm, s.stream));
        GOOD(ncclGroupEnd());
        EXPECT(s.download(y, 1)[0] == 10 * ((rank + DEVICES - 1) % DEVICES));

        // Captured, and launched twice.
        GOOD(cuStreamBeginCapture_v2(s.stream, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL));
        GOOD(ncclAllReduce((void*)x, (void*)x, 6, FLOAT, SUM, comm, s.stream));
        CUgraph graph;
        CUgraphExec exec;
        GOOD(cuStreamEndCapture(s.stream, &graph));
        GOOD(cuGraphInstantiateWithFlags(&exec, graph, 0));
        GOOD(cuGraphLaunch(exec, s.stream));
        GOOD(cuGraphLaunch(exec, s.stream));
        EXPECT(s.download(x, 1)[0] == 90);

        std::vector<uint16_t> narrow(2, Bf16::of(rank + 1).bits), result(2);
        GOOD(cuMemcpyHtoD_v2(x, narrow.data(), 4));
        GOOD(ncclAllReduce((void*)x, (void*)y, 2, BF16_TYPE, SUM, comm, s.stream));
        GOOD(cuMemcpyDtoHAsync_v2(result.data(), y, 4, s.stream));
        GOOD(cuStreamSynchronize(s.stream));
        EXPECT(Bf16{result[1]}.wide() == 6);
        GOOD(ncclCommDestroy(comm));
    });
}

// A rank's work goes on although its own thread does not wait for it.
void oneThreadServesAll() {
    std::vector<Session> sessions;
    std::vector<CUdeviceptr> x;
    void* comms[DEVICES];
    for (int rank = 0; rank < DEVICES; rank++) {
        sessions.emplace_back(rank);
        x.push_back(sessions[rank].upload(numbers(3, rank)));
    }
    GOOD(ncclCommInitAll(comms, DEVICES, nullptr));
    GOOD(ncclGroupStart());
    for (int rank = 0; rank < DEVICES; rank++) {
        GOOD(ncclAllReduce((void*)x[rank], (void*)x[rank], 3, 7, 2, comms[rank], sessions[rank].stream));
    }
    GOOD(ncclGroupEnd());
    GOOD(cuCtxSetCurrent(contexts[1]));
    EXPECT(sessions[1].download(x[1], 3)[0] == 2);
    for (int rank = 0; rank < DEVICES; rank++) {
        GOOD(ncclCommDestroy(comms[rank]));
        release(rank);
    }
}

void waitingEnds() { // TELECHAT_STANDIN_NCCL_SECONDS=1
    inThreads([](int rank, Session& s, void* comm) {
        CUdeviceptr x = s.upload(numbers(6));
        int error = 0;
        if (rank == 2) { // does not take part, then gives up
            std::this_thread::sleep_for(std::chrono::milliseconds(1300));
        } else {
            GOOD(ncclAllReduce((void*)x, (void*)x, 6, 7, 0, comm, s.stream));
            EXPECT(cuStreamSynchronize(s.stream) != CUDA_SUCCESS);
            GOOD(ncclCommGetAsyncError(comm, &error));
            EXPECT(error != 0);
        }
        GOOD(ncclCommAbort(comm));
    });
    inThreads([](int rank, Session& s, void* comm) { // different operations
        CUdeviceptr x = s.upload(numbers(6));
        GOOD(ncclAllReduce((void*)x, (void*)x, rank == 1 ? 5 : 6, 7, 0, comm, s.stream));
        EXPECT(cuStreamSynchronize(s.stream) != CUDA_SUCCESS);
        GOOD(ncclCommAbort(comm));
    });
    inThreads([](int rank, Session& s, void* comm) { // aborted while another thread waits
        CUdeviceptr x = s.upload(numbers(6));
        if (rank == 0) {
            GOOD(ncclAllReduce((void*)x, (void*)x, 6, 7, 0, comm, s.stream));
            std::thread abort([&] {
                std::this_thread::sleep_for(std::chrono::milliseconds(200));
                GOOD(ncclCommAbort(comm));
            });
            GOOD(cuStreamSynchronize(s.stream));
            abort.join();
        }
    });
}
} // namespace

int main(int, char** arguments) {
    setenv("TELECHAT_STANDIN_NCCL_SECONDS", "1", 1);
    std::ifstream file(arguments[1], std::ios::binary);
    image.assign(std::istreambuf_iterator<char>(file), {});
    GOOD(cuInit(0));
    workIsDoneWhenWaitedFor();
    mistakesAreErrors();
    graphsReplayWhatWasCaptured();
    devicesAreApart();
    productsAreRight();
    ranksWorkTogether();
    oneThreadServesAll();
    waitingEnds();
    fprintf(stderr, "%d failures\n", failures);
    return failures > 0;
}
