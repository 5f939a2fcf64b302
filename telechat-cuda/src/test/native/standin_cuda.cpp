// SPDX-License-Identifier: Apache-2.0
// A stand-in for the CUDA driver (libcuda.so.1) on machines without a GPU; for tests only. Runs modules of emulated kernels
// (module.cpp). Strict where the driver may be lenient; whatever it objects to, it says in a line on stderr.
//
// Environment:
//   TELECHAT_STANDIN_DEVICES  how many devices there are (1)
//   TELECHAT_STANDIN_MEMORY   bytes of memory of each (8 GiB)
//   TELECHAT_STANDIN_EAGER    1: work runs at once instead of as late as possible
#include "standin/cuda_types.h"
#include "standin/faults.h"
#include "standin/hooks.h"
#include "standin/memory.h"
#include "standin/modules.h"
#include "standin/streams.h"
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <unordered_set>

using namespace standin;

struct CUmod_st {
    Device* device;
    const Image* image;
    std::map<std::string, CUfunc_st*> functions;
};
struct CUfunc_st {
    struct Parameter {
        size_t offset, size;
        bool pointer;
    };
    std::string name;
    Device* device;
    const Image* image;
    int index;
    int maxDynamicShared;
    std::vector<Parameter> parameters;
    size_t parameterBytes;
};

namespace {
constexpr int MAX_SHARED = 227 << 10, DEFAULT_SHARED = 48 << 10; // of a thread block
// The first four devices are of sm_90; those behind them of sm_89, which has less shared memory.
constexpr int FIRST_SMALL = 4, SMALL_SHARED = 99 << 10;
static int mostShared(int device) { return device < FIRST_SMALL ? MAX_SHARED : SMALL_SHARED; }

struct Driver {
    bool initialized = false;
    const size_t memorySize;
    std::vector<Device> devices;
    Streams streams;
    Memory memory;
    Images images;
    std::unordered_set<const void*> handles; // of everything but contexts and the null streams
    std::mutex complaining; // the last complaint may come from outside the driver's lock
    std::deque<std::string> texts; // that have been handed out
    std::string complaint;
    CUresult complaintCode = CUDA_SUCCESS;
    long launches = 0, graphLaunches = 0;

    static long number(const char* variable, long otherwise) {
        const char* text = getenv(variable);
        return text && *text ? strtol(text, nullptr, 10) : otherwise;
    }
    Driver() : memorySize(number("TELECHAT_STANDIN_MEMORY", 8l << 30)), devices(number("TELECHAT_STANDIN_DEVICES", 1)),
            streams(devices) {
        for (size_t i = 0; i < devices.size(); i++) {
            Device& d = devices[i];
            d.number = d.context.device = i;
            d.nullStream = new CUstream_st{&d, true, {}, 0, 0, nullptr};
            d.streams.insert(d.nullStream);
        }
    }
};
Driver& driver = *new Driver; // never destroyed: other threads may still call when the process ends
thread_local CUcontext currentContext = nullptr;

CUresult complain(CUresult code, const std::string& what) {
    std::lock_guard<std::mutex> held(driver.complaining);
    driver.complaint = what;
    driver.complaintCode = code;
    fprintf(stderr, "[stand-in driver] %s\n", what.c_str());
    return code;
}

// Begins every function: holds the lock, and knows the device.
struct Call {
    std::unique_lock<std::mutex> held{driver.streams.lock};
    const char* name;
    Device* device = nullptr;

    explicit Call(const char* name) : name(name) {}
    CUresult initialized() const {
        return driver.initialized ? CUDA_SUCCESS : complain(CUDA_ERROR_NOT_INITIALIZED, std::string(name) + " before cuInit");
    }
    CUresult begin() {
        if (CUresult result = initialized()) {
            return result;
        }
        if (!currentContext) {
            return complain(CUDA_ERROR_INVALID_CONTEXT, std::string(name) + ": no context is current in this thread");
        }
        return use(driver.devices[currentContext->device]);
    }
    CUresult use(Device& used) {
        device = &used;
        return used.retained == 0 ? fail(CUDA_ERROR_CONTEXT_IS_DESTROYED, "the context has been released") : used.sticky;
    }
    CUresult fail(CUresult code, const std::string& what) const { return complain(code, std::string(name) + ": " + what); }
    CUresult badHandle(const char* what) const { return fail(CUDA_ERROR_INVALID_HANDLE, std::string("no such ") + what); }

    // The stream meant by a handle, or null and the error in `result`.
    CUstream_st* stream(CUstream handle, CUresult& result) const {
        result = CUDA_SUCCESS;
        if (handle == nullptr || (uintptr_t)handle == 1) { // CU_STREAM_LEGACY
            result = forbiddenInCapture();
            return result ? nullptr : device->nullStream;
        }
        if (!driver.handles.count(handle)) {
            result = badHandle("stream");
        } else if (handle->device != device) {
            result = fail(CUDA_ERROR_INVALID_HANDLE, "the stream belongs to device " + std::to_string(handle->device->number)
                    + ", the current context to device " + std::to_string(device->number));
        } else if (handle->capture && !handle->capture->valid) {
            result = fail(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, "the capture of the stream has failed before");
        }
        return result ? nullptr : handle;
    }

    // What must not be called while a stream is captured breaks the capture.
    CUresult forbiddenInCapture() const {
        CUresult result = CUDA_SUCCESS;
        for (Device& d : driver.devices) {
            for (CUstream_st* s : d.streams) {
                if (s->capture && s->capture->mode != CU_STREAM_CAPTURE_MODE_RELAXED
                        && (s->capture->mode == CU_STREAM_CAPTURE_MODE_GLOBAL
                                || s->capture->thread == std::this_thread::get_id())) {
                    s->capture->valid = false;
                    result = CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
                }
            }
        }
        return result ? fail(result, "not allowed while a stream is captured") : result;
    }
    CUresult notCaptured(CUstream_st& stream) const {
        if (stream.capture) {
            stream.capture->valid = false;
            return fail(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, "the stream is captured");
        }
        return forbiddenInCapture();
    }
    CUresult drain(CUstream_st& stream) { return driver.streams.drain(held, stream); }
};

#define BEGIN                                                                                                          \
    Call call(__func__);                                                                                               \
    if (CUresult result = call.begin()) {                                                                              \
        return result;                                                                                                 \
    }                                                                                                                  \
    [[maybe_unused]] Device& device = *call.device;
#define BEGIN_WITHOUT_CONTEXT                                                                                          \
    Call call(__func__);                                                                                               \
    if (CUresult result = call.initialized()) {                                                                        \
        return result;                                                                                                 \
    }
#define STREAM(name, handle)                                                                                           \
    CUresult name##Result;                                                                                             \
    CUstream_st* name = call.stream(handle, name##Result);                                                             \
    if (!name) {                                                                                                       \
        return name##Result;                                                                                           \
    }
#define FAIL_IF(expression)                                                                                            \
    if (CUresult result = expression) {                                                                                \
        return result;                                                                                                 \
    }
#define REQUIRE(condition, code, what)                                                                                 \
    if (!(condition)) {                                                                                                \
        return call.fail(code, what);                                                                                  \
    }

// Runs what touches memory that may not be there.
template <class F> CUresult guarded(F work, const std::function<std::string()>& what) {
    Fault fault = FaultGuard::run(work);
    switch (fault.signal) {
        case 0: return CUDA_SUCCESS;
        case SIGFPE: return complain(CUDA_ERROR_LAUNCH_FAILED, what() + " divided an integer by zero");
        case SIGILL: return complain(CUDA_ERROR_ILLEGAL_INSTRUCTION, what() + " stopped with a trap");
    }
    if (fault.signal == SIGBUS || fault.code == SI_KERNEL) { // what x86 says of vector accesses; then without an address
        return complain(CUDA_ERROR_MISALIGNED_ADDRESS, what() + " made a misaligned access, or one to an impossible address");
    }
    return complain(CUDA_ERROR_ILLEGAL_ADDRESS, what() + " touched " + driver.memory.describe(fault.address));
}

// Kernels -------------------------------------------------------------------------------------------------------------------------
struct Launch {
    CUfunc_st* function;
    unsigned grid[3], block[3], shared;
    std::vector<char> parameters; // as they were at the call

    const void* pointer(const CUfunc_st::Parameter& p) const {
        const void* value;
        memcpy(&value, parameters.data() + p.offset, sizeof value);
        return value;
    }
    CUresult checkPointers() const {
        for (size_t i = 0; i < function->parameters.size(); i++) {
            const CUfunc_st::Parameter& p = function->parameters[i];
            if (p.pointer && pointer(p)) {
                const Allocation* found = driver.memory.containing((uintptr_t)pointer(p));
                if (!found || (found->device != HOST && found->device != function->device->number)) {
                    return complain(CUDA_ERROR_ILLEGAL_ADDRESS, "kernel " + function->name + ": parameter " + std::to_string(i)
                            + " is no address of the memory of device " + std::to_string(function->device->number)
                            + (found ? ", but one of another device" : ""));
                }
            }
        }
        return CUDA_SUCCESS;
    }
    CUresult run() {
        if (CUresult result = checkPointers()) {
            return result;
        }
        std::vector<void*> pointers;
        for (const CUfunc_st::Parameter& p : function->parameters) {
            pointers.push_back(parameters.data() + p.offset);
        }
        const char* error = nullptr;
        CUresult result = guarded([&] { error = function->image->launch(function->index, grid, block, shared, pointers.data()); },
                [&] { return std::string(function->image->where(function->index)); });
        if (result) {
            return result;
        }
        if (error) {
            return complain(CUDA_ERROR_LAUNCH_FAILED, error);
        }
        driver.launches++;
        for (const CUfunc_st::Parameter& p : function->parameters) {
            const Allocation* found = p.pointer ? driver.memory.containing((uintptr_t)pointer(p)) : nullptr;
            if (found && !found->untouchedBehind()) {
                return complain(CUDA_ERROR_ILLEGAL_ADDRESS, "kernel " + function->name
                        + " wrote beyond the end of an allocation of "
                        + std::to_string(found->bytes) + " bytes");
            }
        }
        return CUDA_SUCCESS;
    }
};

// Copies --------------------------------------------------------------------------------------------------------------------------
enum class Side { DEVICE, HOST_MEMORY };

CUresult checkSide(const Call& call, Side side, const void* at, size_t bytes, const char* role) {
    const Allocation* whole = driver.memory.containing(at, bytes);
    if (side == Side::DEVICE) {
        REQUIRE(whole && whole->device != HOST, CUDA_ERROR_INVALID_VALUE,
                std::string(role) + " is not within an allocation: " + std::to_string(bytes) + " bytes from "
                        + driver.memory.describe((uintptr_t)at));
        REQUIRE(whole->device == call.device->number, CUDA_ERROR_INVALID_VALUE,
                std::string(role) + " is memory of device " + std::to_string(whole->device) + ", not of "
                        + std::to_string(call.device->number));
    } else {
        REQUIRE(at, CUDA_ERROR_INVALID_VALUE, std::string(role) + " is null");
        REQUIRE(!whole || whole->device == HOST, CUDA_ERROR_INVALID_VALUE, std::string(role)
                + " is memory of a device, not of the host");
    }
    return CUDA_SUCCESS;
}

/** @param waits whether the caller waits for the copy, so that no snapshot is needed */
CUresult copy(const Call& call, CUstream_st& stream, Side toSide, void* to, Side fromSide, const void* from, size_t bytes,
        bool waits) {
    if (bytes == 0) {
        return CUDA_SUCCESS;
    }
    FAIL_IF(checkSide(call, toSide, to, bytes, "the target"))
    FAIL_IF(checkSide(call, fromSide, from, bytes, "the source"))
    auto node = std::make_shared<Node>();
    node->what = "a copy";
    node->memory = {{(uintptr_t)to, bytes}, {(uintptr_t)from, bytes}};
    bool pageableSource = fromSide == Side::HOST_MEMORY && !driver.memory.containing(from, bytes);
    bool pageableTarget = toSide == Side::HOST_MEMORY && !driver.memory.containing(to, bytes);
    if (stream.capture && (pageableSource || pageableTarget)) {
        stream.capture->valid = false;
        return call.fail(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, "a captured copy from or to memory of the host that is not pinned");
    }
    std::shared_ptr<std::vector<char>> snapshot;
    if (pageableSource && !waits) {
        auto* bytesFrom = static_cast<const char*>(from);
        snapshot = std::make_shared<std::vector<char>>(bytesFrom, bytesFrom + bytes);
    }
    std::string name = call.name;
    node->run = [=](uint64_t) -> int {
        return guarded([&] { memmove(to, snapshot ? snapshot->data() : from, bytes); }, [&] { return name; });
    };
    return driver.streams.add(stream, node);
}

CUresult copyAndWait(Call& call, Side toSide, void* to, Side fromSide, const void* from, size_t bytes) {
    FAIL_IF(call.forbiddenInCapture())
    CUstream_st& stream = *call.device->nullStream;
    FAIL_IF(copy(call, stream, toSide, to, fromSide, from, bytes, true))
    return call.drain(stream);
}

template <class Unit> CUresult set(const Call& call, CUstream_st& stream, CUdeviceptr to, Unit value, size_t count) {
    REQUIRE(to % sizeof(Unit) == 0, CUDA_ERROR_INVALID_VALUE, "the address is not aligned");
    if (count == 0) {
        return CUDA_SUCCESS;
    }
    FAIL_IF(checkSide(call, Side::DEVICE, (void*)to, count * sizeof(Unit), "the target"))
    auto node = std::make_shared<Node>();
    node->what = "a memset";
    node->memory = {{(uintptr_t)to, count * sizeof(Unit)}};
    std::string name = call.name;
    node->run = [=](uint64_t) -> int {
        return guarded([&] { std::fill_n((Unit*)to, count, value); }, [&] { return name; });
    };
    return driver.streams.add(stream, node);
}

CUresult allocate(const Call& call, uintptr_t* at, size_t bytes, int owner) {
    FAIL_IF(call.forbiddenInCapture())
    REQUIRE(at && bytes > 0, CUDA_ERROR_INVALID_VALUE, "nothing to allocate");
    Device& device = *call.device;
    if (owner != HOST && device.allocated + bytes > driver.memorySize) {
        return call.fail(CUDA_ERROR_OUT_OF_MEMORY, std::to_string(bytes) + " bytes wanted, "
                + std::to_string(driver.memorySize - device.allocated) + " free on device " + std::to_string(owner));
    }
    const Allocation* allocation = driver.memory.allocate(bytes, owner);
    REQUIRE(allocation, CUDA_ERROR_OUT_OF_MEMORY, "the machine has no more memory");
    if (owner != HOST) {
        device.allocated += bytes;
    }
    *at = allocation->start;
    return CUDA_SUCCESS;
}

CUresult release(const Call& call, uintptr_t at, bool host) {
    FAIL_IF(call.forbiddenInCapture())
    const Allocation* allocation = driver.memory.startingAt(at);
    REQUIRE(allocation && (allocation->device == HOST) == host, CUDA_ERROR_INVALID_VALUE, "freed what was not allocated");
    for (Device& device : driver.devices) {
        if (host || device.number == allocation->device) {
            const Node* user = driver.streams.userOf(device, at, allocation->bytes, host);
            REQUIRE(!user, CUDA_ERROR_ILLEGAL_STATE,
                    "memory is freed while " + user->what + " is still to be done on device " + std::to_string(device.number));
        }
    }
    bool good = allocation->untouchedAround();
    size_t bytes = allocation->bytes;
    if (!host) {
        driver.devices[allocation->device].allocated -= bytes;
    }
    driver.memory.free(*allocation);
    REQUIRE(good, CUDA_ERROR_ILLEGAL_ADDRESS, "something was written before or behind an allocation of " + std::to_string(bytes)
            + " bytes");
    return CUDA_SUCCESS;
}

// Events --------------------------------------------------------------------------------------------------------------------------
// Gets an event's recording done as far as it can without waiting.
int advance(const Recording& recording) {
    return recording.done ? CUDA_SUCCESS : driver.streams.advance(*recording.stream, recording.position);
}

template <class T> CUresult destroy(const Call& call, T* handle, const char* what) {
    if (!driver.handles.erase(handle)) {
        return call.badHandle(what);
    }
    delete handle;
    return CUDA_SUCCESS;
}
} // namespace

#define EXPORT extern "C" __attribute__((visibility("default")))
#define API EXPORT CUresult

// For the other stand-ins and for tests -------------------------------------------------------------------------------------------
EXPORT int standin_enqueue(int device, void* stream, const Work* work, int collective, const char* what) {
    Call call(what);
    FAIL_IF(call.initialized())
    FAIL_IF(call.use(driver.devices.at(device)))
    STREAM(s, static_cast<CUstream>(stream))
    auto node = std::make_shared<Node>();
    node->what = what;
    node->collective = collective;
    node->anyMemory = true;
    node->run = [work = *work, name = std::string(what)](uint64_t occurrence) {
        int result = CUDA_SUCCESS;
        CUresult fault = guarded([&] { result = work(occurrence); }, [&] { return name; });
        return fault ? (int)fault : result;
    };
    return driver.streams.add(*s, node);
}
EXPORT int standin_current_device() { return currentContext ? currentContext->device : -1; }
EXPORT int standin_owns(int device, const void* at, size_t bytes) {
    std::lock_guard<std::mutex> held(driver.streams.lock);
    const Allocation* found = driver.memory.containing(at, bytes);
    return found && found->device == device;
}
EXPORT int standin_complain(int code, const char* what) { return complain((CUresult)code, what); }
EXPORT void standin_wake() { driver.streams.changed.notify_all(); }
EXPORT long standin_launches() {
    std::lock_guard<std::mutex> held(driver.streams.lock);
    return driver.launches;
}
EXPORT long standin_graph_launches() {
    std::lock_guard<std::mutex> held(driver.streams.lock);
    return driver.graphLaunches;
}
EXPORT long standin_allocations() {
    std::lock_guard<std::mutex> held(driver.streams.lock);
    return driver.memory.count();
}
EXPORT const char* standin_complaint() {
    std::lock_guard<std::mutex> held(driver.complaining);
    driver.texts.push_back(driver.complaint);
    return driver.texts.back().c_str();
}

// Initialization and devices ------------------------------------------------------------------------------------------------------
API cuInit(unsigned flags) {
    Call call(__func__);
    REQUIRE(flags == 0, CUDA_ERROR_INVALID_VALUE, "flags must be 0");
    REQUIRE(!driver.devices.empty(), CUDA_ERROR_NO_DEVICE, "no device");
    driver.initialized = true;
    return CUDA_SUCCESS;
}
API cuDriverGetVersion(int* version) {
    *version = 13000;
    return CUDA_SUCCESS;
}
API cuDeviceGetCount(int* count) {
    BEGIN_WITHOUT_CONTEXT
    *count = driver.devices.size();
    return CUDA_SUCCESS;
}
static CUresult checkDevice(const Call& call, int device) {
    REQUIRE(device >= 0 && device < (int)driver.devices.size(), CUDA_ERROR_INVALID_DEVICE, "no device " + std::to_string(device));
    return CUDA_SUCCESS;
}
#define BEGIN_WITH_DEVICE(number)                                                                                      \
    BEGIN_WITHOUT_CONTEXT                                                                                              \
    FAIL_IF(checkDevice(call, number))

API cuDeviceGet(CUdevice* device, int ordinal) {
    BEGIN_WITH_DEVICE(ordinal)
    *device = ordinal;
    return CUDA_SUCCESS;
}
API cuDeviceGetName(char* name, int length, CUdevice device) {
    BEGIN_WITH_DEVICE(device)
    snprintf(name, length, "TeleChat stand-in device");
    return CUDA_SUCCESS;
}
API cuDeviceGetUuid_v2(CUuuid* uuid, CUdevice device) {
    BEGIN_WITH_DEVICE(device)
    memcpy(uuid->bytes, "telechat-standin", sizeof uuid->bytes);
    uuid->bytes[15] = (char)device;
    return CUDA_SUCCESS;
}
API cuDeviceGetUuid(CUuuid* uuid, CUdevice device) { return cuDeviceGetUuid_v2(uuid, device); }
API cuDeviceTotalMem_v2(size_t* bytes, CUdevice device) {
    BEGIN_WITH_DEVICE(device)
    *bytes = driver.memorySize;
    return CUDA_SUCCESS;
}
API cuDeviceGetAttribute(int* value, CUdevice_attribute attribute, CUdevice device) {
    BEGIN_WITH_DEVICE(device)
    switch ((int)attribute) {
        case 1: *value = 1024; break;           // threads of a block
        case 2: case 3: *value = 1024; break;   // block, x and y
        case 4: *value = 64; break;             // block, z
        case 5: *value = 2147483647; break;     // grid, x
        case 6: case 7: *value = 65535; break;  // grid, y and z
        case 8: *value = DEFAULT_SHARED; break; // shared memory of a block
        case 10: *value = 32; break;            // lanes of a warp
        case 12: *value = 65536; break;         // registers of a block
        case 13: *value = 1500000; break;       // clock rate, kHz
        case 16: *value = 4; break;             // multiprocessors: few, so that loops over them run more than once
        case 17: *value = 0; break;             // no limit of the time of a kernel
        case 18: *value = 0; break;             // memory of its own
        case 19: *value = 1; break;             // can map memory of the host
        case 20: *value = 0; break;             // compute mode: default
        case 31: *value = 1; break;             // concurrent kernels
        case 33: *value = 1 + device; break;    // PCI bus
        case 34: *value = 0; break;             // PCI device
        case 36: *value = 2000000; break;       // memory clock rate, kHz
        case 37: *value = 512; break;           // width of the memory's bus, bits
        case 38: *value = 4 << 20; break;       // level 2 cache
        case 39: *value = 2048; break;          // threads of a multiprocessor
        case 40: *value = 1; break;             // copy engines
        case 41: *value = 1; break;             // unified addresses
        case 50: *value = 0; break;             // PCI domain
        case 75: *value = device < FIRST_SMALL ? 9 : 8; break; // compute capability
        case 76: *value = device < FIRST_SMALL ? 0 : 9; break;
        case 81: *value = 228 << 10; break;     // shared memory of a multiprocessor
        case 82: *value = 65536; break;         // registers of a multiprocessor
        case 97: *value = mostShared(device); break; // shared memory of a block, with opt-in
        case 106: *value = 32; break;           // blocks of a multiprocessor
        case 111: *value = 1024; break;         // reserved shared memory of a block
        case 115: *value = 0; break;            // no memory pools
        default: return call.fail(CUDA_ERROR_INVALID_VALUE, "the stand-in does not know attribute "
                + std::to_string((int)attribute));
    }
    return CUDA_SUCCESS;
}

// Contexts ------------------------------------------------------------------------------------------------------------------------
API cuDevicePrimaryCtxRetain(CUcontext* context, CUdevice number) {
    BEGIN_WITH_DEVICE(number)
    Device& device = driver.devices[number];
    device.retained++;
    *context = &device.context;
    return CUDA_SUCCESS;
}
API cuDevicePrimaryCtxRelease_v2(CUdevice number) {
    BEGIN_WITH_DEVICE(number)
    Device& device = driver.devices[number];
    REQUIRE(device.retained > 0, CUDA_ERROR_INVALID_CONTEXT, "released more often than retained");
    if (--device.retained == 0) { // with all that was its own; a new one knows nothing of faults
        driver.streams.fail(device, CUDA_SUCCESS);
        driver.memory.freeAllOf(device.number);
        device.allocated = 0;
        for (CUstream_st* stream : device.streams) {
            driver.handles.erase(stream);
        }
        device.streams = {device.nullStream};
    }
    return CUDA_SUCCESS;
}
API cuCtxSetCurrent(CUcontext context) {
    BEGIN_WITHOUT_CONTEXT
    bool known = context == nullptr;
    for (Device& device : driver.devices) {
        known |= context == &device.context;
    }
    REQUIRE(known, CUDA_ERROR_INVALID_CONTEXT, "no such context");
    currentContext = context;
    return CUDA_SUCCESS;
}
API cuCtxGetCurrent(CUcontext* context) {
    BEGIN_WITHOUT_CONTEXT
    *context = currentContext;
    return CUDA_SUCCESS;
}
API cuCtxGetDevice(CUdevice* number) {
    BEGIN
    *number = device.number;
    return CUDA_SUCCESS;
}
API cuCtxSynchronize() {
    BEGIN
    FAIL_IF(call.forbiddenInCapture())
    std::vector<CUstream_st*> all(device.streams.begin(), device.streams.end());
    for (CUstream_st* stream : all) {
        FAIL_IF(call.drain(*stream))
    }
    return CUDA_SUCCESS;
}

// Memory --------------------------------------------------------------------------------------------------------------------------
API cuMemGetInfo_v2(size_t* free, size_t* total) {
    BEGIN
    *total = driver.memorySize;
    *free = driver.memorySize - device.allocated;
    return CUDA_SUCCESS;
}
API cuMemAlloc_v2(CUdeviceptr* at, size_t bytes) {
    BEGIN
    uintptr_t address;
    FAIL_IF(allocate(call, &address, bytes, device.number))
    *at = address;
    return CUDA_SUCCESS;
}
API cuMemFree_v2(CUdeviceptr at) {
    BEGIN
    return at == 0 ? CUDA_SUCCESS : release(call, at, false);
}
API cuMemHostAlloc(void** at, size_t bytes, unsigned flags) {
    BEGIN
    constexpr unsigned PORTABLE = 1, MAPPED = 2, WRITE_COMBINED = 4;
    REQUIRE((flags & ~(PORTABLE | MAPPED | WRITE_COMBINED)) == 0, CUDA_ERROR_INVALID_VALUE, "unknown flags");
    uintptr_t address;
    FAIL_IF(allocate(call, &address, bytes, HOST))
    *at = (void*)address;
    return CUDA_SUCCESS;
}
API cuMemFreeHost(void* at) {
    BEGIN
    return release(call, (uintptr_t)at, true);
}
API cuMemcpyHtoDAsync_v2(CUdeviceptr to, const void* from, size_t bytes, CUstream handle) {
    BEGIN
    STREAM(stream, handle)
    return copy(call, *stream, Side::DEVICE, (void*)to, Side::HOST_MEMORY, from, bytes, false);
}
API cuMemcpyDtoHAsync_v2(void* to, CUdeviceptr from, size_t bytes, CUstream handle) {
    BEGIN
    STREAM(stream, handle)
    return copy(call, *stream, Side::HOST_MEMORY, to, Side::DEVICE, (void*)from, bytes, false);
}
API cuMemcpyDtoDAsync_v2(CUdeviceptr to, CUdeviceptr from, size_t bytes, CUstream handle) {
    BEGIN
    STREAM(stream, handle)
    return copy(call, *stream, Side::DEVICE, (void*)to, Side::DEVICE, (void*)from, bytes, false);
}
// In the order of the null stream: they do not wait for streams made with CU_STREAM_NON_BLOCKING.
API cuMemcpyHtoD_v2(CUdeviceptr to, const void* from, size_t bytes) {
    BEGIN
    return copyAndWait(call, Side::DEVICE, (void*)to, Side::HOST_MEMORY, from, bytes);
}
API cuMemcpyDtoH_v2(void* to, CUdeviceptr from, size_t bytes) {
    BEGIN
    return copyAndWait(call, Side::HOST_MEMORY, to, Side::DEVICE, (void*)from, bytes);
}
API cuMemsetD8Async(CUdeviceptr to, unsigned char value, size_t count, CUstream handle) {
    BEGIN
    STREAM(stream, handle)
    return set(call, *stream, to, value, count);
}
API cuMemsetD32Async(CUdeviceptr to, unsigned value, size_t count, CUstream handle) {
    BEGIN
    STREAM(stream, handle)
    return set(call, *stream, to, value, count);
}

// Modules and kernels -------------------------------------------------------------------------------------------------------------
API cuModuleLoadData(CUmodule* module, const void* image) {
    BEGIN
    FAIL_IF(call.forbiddenInCapture())
    std::string why;
    const Image* loaded = driver.images.load(image, why);
    REQUIRE(loaded, CUDA_ERROR_NO_BINARY_FOR_GPU, why);
    *module = new CUmod_st{&device, loaded, {}};
    driver.handles.insert(*module);
    return CUDA_SUCCESS;
}
API cuModuleUnload(CUmodule module) {
    BEGIN
    if (!driver.handles.erase(module)) {
        return call.badHandle("module");
    }
    for (auto& [name, function] : module->functions) {
        driver.handles.erase(function); // but not the object: work in a stream may still need it
    }
    delete module;
    return CUDA_SUCCESS;
}
API cuModuleGetFunction(CUfunction* function, CUmodule module, const char* name) {
    BEGIN
    if (!driver.handles.count(module)) {
        return call.badHandle("module");
    }
    CUfunc_st*& known = module->functions[name];
    for (int i = 0; i < module->image->count() && !known; i++) {
        if (strcmp(module->image->name(i), name) == 0) {
            known = new CUfunc_st{name, module->device, module->image, i, DEFAULT_SHARED, {}, 0};
            for (int p = 0; p < module->image->parameters(i); p++) {
                size_t offset, size;
                int pointer;
                module->image->parameter(i, p, &offset, &size, &pointer);
                known->parameters.push_back({offset, size, pointer != 0});
                known->parameterBytes = offset + size;
            }
            driver.handles.insert(known);
        }
    }
    *function = known;
    if (!known) {
        module->functions.erase(name);
        return call.fail(CUDA_ERROR_NOT_FOUND, std::string("no kernel ") + name);
    }
    return CUDA_SUCCESS;
}
#define CHECK_FUNCTION(f)                                                                                              \
    if (!driver.handles.count(f)) {                                                                                    \
        return call.badHandle("function");                                                                             \
    }
API cuFuncGetParamInfo(CUfunction f, size_t index, size_t* offset, size_t* size) {
    BEGIN
    CHECK_FUNCTION(f)
    if (index >= f->parameters.size()) { // no complaint: it is how to find out how many there are
        return CUDA_ERROR_INVALID_VALUE;
    }
    *offset = f->parameters[index].offset;
    if (size) {
        *size = f->parameters[index].size;
    }
    return CUDA_SUCCESS;
}
API cuFuncSetAttribute(CUfunction f, CUfunction_attribute attribute, int value) {
    BEGIN
    CHECK_FUNCTION(f)
    switch ((int)attribute) {
        case 8: // most dynamic shared memory
            REQUIRE(value >= 0 && value + (int)f->image->staticShared(f->index) <= mostShared(f->device->number), CUDA_ERROR_INVALID_VALUE,
                    "kernel " + f->name + " cannot have " + std::to_string(value) + " bytes of dynamic shared memory");
            f->maxDynamicShared = value;
            return CUDA_SUCCESS;
        case 9: // which part of the level 1 cache is shared memory: a hint
            return CUDA_SUCCESS;
        default: return call.fail(CUDA_ERROR_INVALID_VALUE, "attribute " + std::to_string((int)attribute) + " cannot be set");
    }
}
API cuFuncGetAttribute(int* value, CUfunction_attribute attribute, CUfunction f) {
    BEGIN
    CHECK_FUNCTION(f)
    switch ((int)attribute) {
        case 0: *value = 1024; break;                                     // threads of a block
        case 1: *value = (int)f->image->staticShared(f->index); break; // static shared memory, as far as launches have shown
        case 2: case 3: *value = 0; break;                                // constant and local memory
        case 4: *value = 32; break;                                       // registers
        case 5: case 6: *value = 90; break;                               // architecture of the PTX and of the binary
        case 8: *value = f->maxDynamicShared; break;
        default: return call.fail(CUDA_ERROR_INVALID_VALUE, "the stand-in does not know attribute "
                + std::to_string((int)attribute));
    }
    return CUDA_SUCCESS;
}
API cuLaunchKernel(CUfunction f, unsigned gridX, unsigned gridY, unsigned gridZ, unsigned blockX, unsigned blockY, unsigned blockZ,
        unsigned shared, CUstream handle, void** parameters, void** extra) {
    BEGIN
    CHECK_FUNCTION(f)
    STREAM(stream, handle)
    std::string kernel = "kernel " + f->name;
    REQUIRE(f->device == &device, CUDA_ERROR_INVALID_HANDLE, kernel + " is of a module of another device");
    REQUIRE(!extra, CUDA_ERROR_NOT_SUPPORTED, kernel + ": the stand-in takes parameters by pointers only");
    REQUIRE(parameters || f->parameters.empty(), CUDA_ERROR_INVALID_VALUE, kernel + " needs parameters");
    REQUIRE(blockX && blockY && blockZ && blockX <= 1024 && blockY <= 1024 && blockZ <= 64
            && (size_t)blockX * blockY * blockZ <= 1024,
            CUDA_ERROR_INVALID_VALUE, kernel + ": a block of " + std::to_string(blockX) + " x " + std::to_string(blockY) + " x "
                    + std::to_string(blockZ) + " threads");
    REQUIRE(gridX && gridY && gridZ && gridX <= 0x7fffffff && gridY <= 65535 && gridZ <= 65535, CUDA_ERROR_INVALID_VALUE,
            kernel + ": a grid of " + std::to_string(gridX) + " x " + std::to_string(gridY) + " x " + std::to_string(gridZ)
                    + " blocks");
    REQUIRE((int)shared <= f->maxDynamicShared && (int)shared <= mostShared(f->device->number), CUDA_ERROR_INVALID_VALUE,
            kernel + ": " + std::to_string(shared) + " bytes of dynamic shared memory, where cuFuncSetAttribute allows "
                    + std::to_string(f->maxDynamicShared));
    Launch launch{f, {gridX, gridY, gridZ}, {blockX, blockY, blockZ}, shared, std::vector<char>(f->parameterBytes)};
    auto node = std::make_shared<Node>();
    for (size_t i = 0; i < f->parameters.size(); i++) {
        REQUIRE(parameters[i], CUDA_ERROR_INVALID_VALUE, kernel + ": no parameter " + std::to_string(i));
        memcpy(launch.parameters.data() + f->parameters[i].offset, parameters[i], f->parameters[i].size);
    }
    node->what = kernel;
    node->anyMemory = true;
    node->run = [launch](uint64_t) -> int {
        Launch own = launch; // a kernel may write to its parameters
        return own.run();
    };
    return driver.streams.add(*stream, node);
}

// Streams -------------------------------------------------------------------------------------------------------------------------
API cuStreamCreate(CUstream* stream, unsigned flags) {
    BEGIN
    constexpr unsigned NON_BLOCKING = 1;
    REQUIRE(flags <= NON_BLOCKING, CUDA_ERROR_INVALID_VALUE, "unknown flags");
    *stream = new CUstream_st{&device, flags != NON_BLOCKING, {}, 0, 0, nullptr};
    device.streams.insert(*stream);
    driver.handles.insert(*stream);
    return CUDA_SUCCESS;
}
API cuStreamDestroy_v2(CUstream handle) {
    BEGIN
    REQUIRE(handle, CUDA_ERROR_INVALID_HANDLE, "the null stream cannot be destroyed");
    STREAM(stream, handle)
    FAIL_IF(call.notCaptured(*stream))
    CUresult result = call.drain(*stream);
    driver.handles.erase(stream); // but not the object: events may still point to it
    device.streams.erase(stream);
    return result;
}
API cuStreamSynchronize(CUstream handle) {
    BEGIN
    STREAM(stream, handle)
    FAIL_IF(call.notCaptured(*stream))
    return call.drain(*stream);
}
// Each question gets one piece of work done, so that asking again and again comes to an end.
API cuStreamQuery(CUstream handle) {
    BEGIN
    STREAM(stream, handle)
    FAIL_IF(call.notCaptured(*stream))
    if (stream->executed == stream->enqueued) {
        return CUDA_SUCCESS;
    }
    int result = driver.streams.ask(*stream, stream->executed + 1);
    return result != CUDA_SUCCESS && result != PENDING ? (CUresult)result : CUDA_ERROR_NOT_READY;
}
API cuStreamWaitEvent(CUstream handle, CUevent event, unsigned flags) {
    BEGIN
    STREAM(stream, handle)
    if (!driver.handles.count(event)) {
        return call.badHandle("event");
    }
    REQUIRE(flags <= 1, CUDA_ERROR_INVALID_VALUE, "unknown flags");
    std::shared_ptr<Recording> recording = event->recording;
    if (recording && recording->capture) {
        if (!stream->capture && recording->capture->origin->capture == recording->capture) {
            stream->capture = recording->capture; // takes part from now on
        }
        if (stream->capture != recording->capture) {
            if (stream->capture) {
                stream->capture->valid = false;
            }
            return call.fail(CUDA_ERROR_STREAM_CAPTURE_MERGE, "the event was recorded in another capture");
        }
        for (auto [other, count] : recording->known) {
            size_t& known = stream->capture->known[stream][other];
            known = std::max(known, count);
        }
        return CUDA_SUCCESS;
    }
    if (stream->capture) {
        stream->capture->valid = false;
        return call.fail(CUDA_ERROR_STREAM_CAPTURE_ISOLATION, "a captured stream would wait for work that is not captured");
    }
    if (!recording || recording->done) {
        return CUDA_SUCCESS;
    }
    auto node = std::make_shared<Node>();
    node->what = "a wait for an event";
    node->run = [recording](uint64_t) { return advance(*recording); };
    return driver.streams.add(*stream, node);
}

// Events --------------------------------------------------------------------------------------------------------------------------
API cuEventCreate(CUevent* event, unsigned flags) {
    BEGIN
    constexpr unsigned BLOCKING_SYNC = 1, DISABLE_TIMING = 2;
    REQUIRE((flags & ~(BLOCKING_SYNC | DISABLE_TIMING)) == 0, CUDA_ERROR_INVALID_VALUE, "unknown flags");
    *event = new CUevent_st{&device, !(flags & DISABLE_TIMING), nullptr};
    driver.handles.insert(*event);
    return CUDA_SUCCESS;
}
API cuEventDestroy_v2(CUevent event) {
    BEGIN
    return destroy(call, event, "event");
}
#define CHECK_EVENT(event)                                                                                             \
    if (!driver.handles.count(event)) {                                                                                \
        return call.badHandle("event");                                                                                \
    }
#define CHECK_NOT_CAPTURED(event)                                                                                      \
    REQUIRE(!(event)->recording || !(event)->recording->capture, CUDA_ERROR_CAPTURED_EVENT, "the event was recorded in a capture")

API cuEventRecord(CUevent event, CUstream handle) {
    BEGIN
    STREAM(stream, handle)
    CHECK_EVENT(event)
    REQUIRE(event->device == &device, CUDA_ERROR_INVALID_HANDLE, "the event belongs to another device");
    auto recording = std::make_shared<Recording>();
    event->recording = recording;
    recording->stream = stream;
    if (stream->capture) { // says only what comes before what
        recording->capture = stream->capture;
        recording->known = stream->capture->known[stream];
        return CUDA_SUCCESS;
    }
    auto node = std::make_shared<Node>();
    node->what = "the recording of an event";
    node->run = [recording](uint64_t) -> int {
        recording->done = true;
        recording->time = Clock::now();
        return CUDA_SUCCESS;
    };
    CUresult result = driver.streams.add(*stream, node);
    recording->position = stream->enqueued;
    return result;
}
API cuEventQuery(CUevent event) { // see cuStreamQuery
    BEGIN
    CHECK_EVENT(event)
    CHECK_NOT_CAPTURED(event)
    FAIL_IF(call.forbiddenInCapture())
    if (!event->recording || event->recording->done) {
        return CUDA_SUCCESS;
    }
    CUstream_st& stream = *event->recording->stream;
    int result = driver.streams.ask(stream, std::min(stream.executed + 1, event->recording->position));
    return result != CUDA_SUCCESS && result != PENDING ? (CUresult)result : CUDA_ERROR_NOT_READY;
}
API cuEventSynchronize(CUevent event) {
    BEGIN
    CHECK_EVENT(event)
    CHECK_NOT_CAPTURED(event)
    FAIL_IF(call.forbiddenInCapture())
    std::shared_ptr<Recording> recording = event->recording;
    return recording ? driver.streams.drain(call.held, *recording->stream, recording->position) : CUDA_SUCCESS;
}
API cuEventElapsedTime_v2(float* milliseconds, CUevent from, CUevent to) {
    BEGIN
    CHECK_EVENT(from)
    CHECK_EVENT(to)
    CHECK_NOT_CAPTURED(from)
    CHECK_NOT_CAPTURED(to)
    REQUIRE(from->timed && to->timed, CUDA_ERROR_INVALID_HANDLE, "an event that was made without timing");
    REQUIRE(from->recording && to->recording, CUDA_ERROR_INVALID_HANDLE, "an event that was never recorded");
    if (!from->recording->done || !to->recording->done) {
        return CUDA_ERROR_NOT_READY;
    }
    *milliseconds = std::chrono::duration<float, std::milli>(to->recording->time - from->recording->time).count();
    return CUDA_SUCCESS;
}
API cuEventElapsedTime(float* milliseconds, CUevent from, CUevent to) { return cuEventElapsedTime_v2(milliseconds, from, to); }

// Graphs --------------------------------------------------------------------------------------------------------------------------
API cuStreamBeginCapture_v2(CUstream handle, CUstreamCaptureMode mode) {
    BEGIN
    REQUIRE((uintptr_t)handle > 1, CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, "the null stream cannot be captured");
    STREAM(stream, handle)
    REQUIRE(!stream->capture, CUDA_ERROR_ILLEGAL_STATE, "the stream is captured already");
    stream->capture = std::make_shared<Capture>();
    stream->capture->origin = stream;
    stream->capture->mode = mode;
    stream->capture->thread = std::this_thread::get_id();
    return CUDA_SUCCESS;
}
API cuStreamEndCapture(CUstream handle, CUgraph* graph) {
    BEGIN
    *graph = nullptr;
    if (!driver.handles.count(handle)) {
        return call.badHandle("stream");
    }
    std::shared_ptr<Capture> capture = handle->capture;
    REQUIRE(capture, CUDA_ERROR_ILLEGAL_STATE, "the stream is not captured");
    REQUIRE(capture->origin == handle, CUDA_ERROR_STREAM_CAPTURE_UNMATCHED, "the capture began in another stream");
    REQUIRE(capture->mode == CU_STREAM_CAPTURE_MODE_RELAXED || capture->thread == std::this_thread::get_id(),
            CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD, "the capture began in another thread");
    bool joined = true;
    for (auto& [member, known] : capture->known) {
        joined &= capture->known[handle][member] == known[member];
    }
    for (Device& d : driver.devices) {
        for (CUstream_st* stream : d.streams) {
            if (stream->capture == capture) {
                stream->capture = nullptr;
            }
        }
    }
    REQUIRE(capture->valid, CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, "the capture has failed before");
    REQUIRE(joined, CUDA_ERROR_STREAM_CAPTURE_UNJOINED, "the stream did not wait for all the work of the others in the capture");
    *graph = new CUgraph_st{std::move(capture->nodes)};
    driver.handles.insert(*graph);
    return CUDA_SUCCESS;
}
API cuGraphInstantiateWithFlags(CUgraphExec* exec, CUgraph graph, unsigned long long) {
    BEGIN
    if (!driver.handles.count(graph)) {
        return call.badHandle("graph");
    }
    *exec = new CUgraphExec_st{graph->nodes, &device};
    driver.handles.insert(*exec);
    return CUDA_SUCCESS;
}
API cuGraphLaunch(CUgraphExec exec, CUstream handle) {
    BEGIN
    STREAM(stream, handle)
    if (!driver.handles.count(exec)) {
        return call.badHandle("executable graph");
    }
    REQUIRE(exec->device == &device, CUDA_ERROR_INVALID_HANDLE, "the graph belongs to another device");
    driver.graphLaunches++;
    for (const NodePointer& node : exec->nodes) {
        FAIL_IF(driver.streams.add(*stream, node))
    }
    return CUDA_SUCCESS;
}
API cuGraphExecDestroy(CUgraphExec exec) {
    BEGIN
    return destroy(call, exec, "executable graph");
}
API cuGraphDestroy(CUgraph graph) {
    BEGIN
    return destroy(call, graph, "graph");
}

// Errors --------------------------------------------------------------------------------------------------------------------------
API cuGetErrorName(CUresult code, const char** name) {
    switch (code) {
#define X(constant, number, text)                                                                                      \
    case constant: *name = #constant; return CUDA_SUCCESS;
        STANDIN_ERRORS(X)
#undef X
        default: *name = nullptr; return CUDA_ERROR_INVALID_VALUE;
    }
}
// With what the stand-in has to say, if that was the last thing that went wrong.
API cuGetErrorString(CUresult code, const char** text) {
    std::lock_guard<std::mutex> held(driver.complaining);
    if (code != CUDA_SUCCESS && code == driver.complaintCode) {
        driver.texts.push_back(driver.complaint);
        *text = driver.texts.back().c_str();
        return CUDA_SUCCESS;
    }
    switch (code) {
#define X(constant, number, meaning)                                                                                   \
    case constant: *text = meaning; return CUDA_SUCCESS;
        STANDIN_ERRORS(X)
#undef X
        default: *text = nullptr; return CUDA_ERROR_INVALID_VALUE;
    }
}
