// SPDX-License-Identifier: Apache-2.0
// The driver's types that the stand-in uses. Where CUDA's own header is, that is taken, so that the compiler compares the
// stand-in's signatures with the real ones.
#pragma once
#include "errors.h"
#include <cstddef>
#if __has_include(<cuda.h>)
#include <cuda.h>
// Names of old versions, which the header has replaced.
#undef cuDeviceGetUuid
#undef cuEventElapsedTime
#define X(name, number, text) static_assert((int)name == number);
STANDIN_ERRORS(X)
#undef X
#else
enum CUresult {
#define X(name, number, text) name = number,
    STANDIN_ERRORS(X)
#undef X
};
typedef int CUdevice;
typedef unsigned long long CUdeviceptr;
typedef int CUdevice_attribute;
typedef int CUfunction_attribute;
enum CUstreamCaptureMode { CU_STREAM_CAPTURE_MODE_GLOBAL, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL, CU_STREAM_CAPTURE_MODE_RELAXED };
struct CUuuid {
    char bytes[16];
};
typedef struct CUctx_st* CUcontext;
typedef struct CUmod_st* CUmodule;
typedef struct CUfunc_st* CUfunction;
typedef struct CUstream_st* CUstream;
typedef struct CUevent_st* CUevent;
typedef struct CUgraph_st* CUgraph;
typedef struct CUgraphExec_st* CUgraphExec;
#endif
