// SPDX-License-Identifier: Apache-2.0
// A stand-in for NCCL (libnccl.so.2) whose ranks are threads of one process, on the stand-in driver's devices; for tests only.
// Work has its place in a stream; when its turn comes it waits for the other ranks, though not for ever
// (TELECHAT_STANDIN_NCCL_SECONDS, 60). Sums are made in another order of ranks each time, and rounded after each addition, as
// in a ring. Numbers of types, operations and results as in NVIDIA's public documentation.
#include "standin/hooks.h"
#include "standin/numbers.h"
#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unistd.h>
#include <utility>
#include <vector>

using namespace standin;

enum Result { SUCCESS, UNHANDLED_CUDA_ERROR, SYSTEM_ERROR, INTERNAL_ERROR, INVALID_ARGUMENT, INVALID_USAGE, REMOTE_ERROR,
        IN_PROGRESS };
enum Type { INT8, UINT8, INT32, UINT32, INT64, UINT64, FLOAT16, FLOAT32, FLOAT64, BFLOAT16 };
enum Reduction { SUM, PRODUCT, MAXIMUM, MINIMUM, AVERAGE };
struct UniqueId {
    char bytes[128];
};

namespace {
using Time = std::chrono::steady_clock;
constexpr int CUDA_LAUNCH_FAILED = 719, CUDA_LAUNCH_TIMEOUT = 702;

std::chrono::seconds limit() {
    const char* text = getenv("TELECHAT_STANDIN_NCCL_SECONDS");
    return std::chrono::seconds(text && *text ? atoi(text) : 60);
}

thread_local std::string lastError;
Result complain(Result result, const std::string& what) {
    lastError = what;
    standin_complain(0, ("NCCL: " + what).c_str());
    return result;
}

size_t widthOf(int type) {
    constexpr size_t WIDTHS[] = {1, 1, 4, 4, 8, 8, 2, 4, 8, 2};
    return type >= 0 && type < 10 ? WIDTHS[type] : 0;
}

enum class Kind { ALL_REDUCE, REDUCE_SCATTER, ALL_GATHER, BROADCAST, SEND, RECEIVE };
const char* nameOf(Kind kind) {
    constexpr const char* NAMES[] = {"AllReduce", "ReduceScatter", "AllGather", "Broadcast", "Send", "Recv"};
    return NAMES[(int)kind];
}

// One operation of one rank.
struct Operation {
    Kind kind;
    const void* from;
    void* to;
    size_t count;
    int type;
    int reduction; // or the other rank, or the root
    bool done = false;

    bool fits(const Operation& other) const {
        return kind == other.kind && count == other.count && type == other.type && reduction == other.reduction;
    }
    std::string describe() const {
        return std::string(nameOf(kind)) + " of " + std::to_string(count) + " elements of type " + std::to_string(type) + " ("
                + std::to_string(reduction) + ")";
    }
};
using OperationPointer = std::shared_ptr<Operation>;

struct Member { // a rank's part of a group; lives as long as work that needs it
    std::shared_ptr<struct Ranks> ranks;
    int rank, device;
    uint64_t collectives = 0; // that have had their turn
    std::atomic<int> error{SUCCESS};
    std::atomic<bool> aborted{false};
};
using MemberPointer = std::shared_ptr<Member>;

// All ranks that communicate. What happens in streams is under the driver's lock.
struct Ranks {
    int count, joined = 0;
    std::string broken; // what went wrong at one of them, and so for all
    std::vector<MemberPointer> members;
    std::map<uint64_t, std::vector<OperationPointer>> collectives; // by number; of each rank, or null
    std::map<std::pair<int, int>, std::deque<OperationPointer>> sends, receives; // by sender and receiver
    explicit Ranks(int count) : count(count), members(count) {}
};

// Arithmetic ----------------------------------------------------------------------------------------------------------------------
template <class T> T reduce(int reduction, T a, T b) {
    switch (reduction) {
        case PRODUCT: return a * b;
        case MAXIMUM: return a < b ? b : a;
        case MINIMUM: return b < a ? b : a;
        default: return a + b;
    }
}
Bf16 reduce(int reduction, Bf16 a, Bf16 b) { return Bf16::of(reduce(reduction, a.wide(), b.wide())); }
Half reduce(int reduction, Half a, Half b) { return Half::of(reduce(reduction, a.wide(), b.wide())); }
template <class T> T divide(T a, int by) { return a / by; }
Bf16 divide(Bf16 a, int by) { return Bf16::of(a.wide() / by); }
Half divide(Half a, int by) { return Half::of(a.wide() / by); }

template <class T> void reduceAll(const std::vector<OperationPointer>& all, size_t count, uint64_t number,
        std::vector<char>& result) {
    int ranks = all.size(), reduction = all[0]->reduction;
    auto* to = reinterpret_cast<T*>(result.data());
    for (int i = 0; i < ranks; i++) { // begins at another rank each time, up or down
        int step = number / ranks % 2 == 0 ? i : ranks - i;
        auto* from = static_cast<const T*>(all[(number + 1 + step) % ranks]->from);
        for (size_t j = 0; j < count; j++) {
            to[j] = i == 0 ? from[j] : reduce(reduction, to[j], from[j]);
        }
    }
    for (size_t j = 0; reduction == AVERAGE && j < count; j++) {
        to[j] = divide(to[j], ranks);
    }
}
void reduceAll(const std::vector<OperationPointer>& all, size_t count, uint64_t number, std::vector<char>& result) {
    switch (all[0]->type) {
        case INT8: return reduceAll<int8_t>(all, count, number, result);
        case UINT8: return reduceAll<uint8_t>(all, count, number, result);
        case INT32: return reduceAll<int32_t>(all, count, number, result);
        case UINT32: return reduceAll<uint32_t>(all, count, number, result);
        case INT64: return reduceAll<int64_t>(all, count, number, result);
        case UINT64: return reduceAll<uint64_t>(all, count, number, result);
        case FLOAT16: return reduceAll<Half>(all, count, number, result);
        case FLOAT32: return reduceAll<float>(all, count, number, result);
        case FLOAT64: return reduceAll<double>(all, count, number, result);
        default: return reduceAll<Bf16>(all, count, number, result);
    }
}

// What all ranks of a collective operation get. By way of a copy, for results may lie where the inputs do.
void compute(const std::vector<OperationPointer>& all, uint64_t number) {
    const Operation& first = *all[0];
    size_t ranks = all.size(), bytes = first.count * widthOf(first.type);
    std::vector<char> result(bytes * (first.kind == Kind::REDUCE_SCATTER || first.kind == Kind::ALL_GATHER ? ranks : 1));
    switch (first.kind) {
        case Kind::ALL_REDUCE: reduceAll(all, first.count, number, result); break;
        case Kind::REDUCE_SCATTER: reduceAll(all, first.count * ranks, number, result); break;
        case Kind::ALL_GATHER:
            for (size_t r = 0; r < ranks; r++) {
                memcpy(&result[r * bytes], all[r]->from, bytes);
            }
            break;
        default: memcpy(result.data(), all[first.reduction]->from, bytes);
    }
    for (size_t r = 0; r < ranks; r++) {
        if (first.kind == Kind::REDUCE_SCATTER) {
            memcpy(all[r]->to, &result[r * bytes], bytes);
        } else {
            memcpy(all[r]->to, result.data(), result.size());
        }
        all[r]->done = true;
    }
}

// In streams ----------------------------------------------------------------------------------------------------------------------
// What a rank calls within one group, done together: one run of it.
struct Running {
    std::vector<OperationPointer> operations;
    Time::time_point begun = Time::now();
};

int failure(Member& member, int code, const std::string& what) {
    member.error = code == CUDA_LAUNCH_TIMEOUT ? REMOTE_ERROR : INVALID_USAGE;
    member.ranks->broken = "NCCL: rank " + std::to_string(member.rank) + ": " + what;
    return standin_complain(code, member.ranks->broken.c_str());
}

// Its turn has come. A CUresult.
int arrive(Member& member, const OperationPointer& operation) {
    Ranks& ranks = *member.ranks;
    if (operation->kind == Kind::SEND || operation->kind == Kind::RECEIVE) {
        bool sends = operation->kind == Kind::SEND;
        auto path = sends ? std::make_pair(member.rank, operation->reduction) : std::make_pair(operation->reduction, member.rank);
        auto &mine = (sends ? ranks.sends : ranks.receives)[path], &others = (sends ? ranks.receives : ranks.sends)[path];
        if (others.empty()) {
            mine.push_back(operation);
            return 0;
        }
        OperationPointer other = others.front();
        others.pop_front();
        if (other->count != operation->count || other->type != operation->type) {
            return failure(member, CUDA_LAUNCH_FAILED, operation->describe() + " meets " + other->describe());
        }
        const Operation &sender = sends ? *operation : *other, &receiver = sends ? *other : *operation;
        memmove(receiver.to, sender.from, sender.count * widthOf(sender.type));
        operation->done = other->done = true;
        return 0;
    }
    uint64_t number = member.collectives++;
    std::vector<OperationPointer>& all = ranks.collectives[number];
    all.resize(ranks.count);
    all[member.rank] = operation;
    for (int r = 0; r < ranks.count; r++) {
        if (all[r] && !all[r]->fits(*operation)) {
            return failure(member, CUDA_LAUNCH_FAILED, operation->describe() + ", but rank " + std::to_string(r) + " calls "
                    + all[r]->describe());
        }
    }
    if (std::count(all.begin(), all.end(), nullptr) == 0) {
        compute(all, number);
        ranks.collectives.erase(number);
    }
    return 0;
}

std::string missing(const Member& member, const Operation& operation) {
    if (operation.kind == Kind::SEND || operation.kind == Kind::RECEIVE) {
        return " for rank " + std::to_string(operation.reduction);
    }
    std::string names = " for ranks";
    for (int r = 0; r < member.ranks->count; r++) {
        if (member.ranks->members[r]->collectives < member.collectives) {
            names += " " + std::to_string(r);
        }
    }
    return names;
}

Work workOf(const MemberPointer& member, const std::vector<Operation>& operations) {
    auto runs = std::make_shared<std::map<uint64_t, Running>>();
    return [=](uint64_t occurrence) {
        if (member->aborted) {
            runs->erase(occurrence);
            return 0;
        }
        if (!member->ranks->broken.empty()) {
            member->error = REMOTE_ERROR;
            return standin_complain(CUDA_LAUNCH_FAILED, member->ranks->broken.c_str());
        }
        auto found = runs->find(occurrence);
        if (found == runs->end()) {
            found = runs->emplace(occurrence, Running()).first;
            for (const Operation& operation : operations) {
                found->second.operations.push_back(std::make_shared<Operation>(operation));
                if (int code = arrive(*member, found->second.operations.back())) {
                    return code;
                }
            }
        }
        for (const OperationPointer& operation : found->second.operations) {
            if (!operation->done) {
                if (Time::now() - found->second.begun < limit()) {
                    return PENDING;
                }
                return failure(*member, CUDA_LAUNCH_TIMEOUT, std::string(nameOf(operation->kind)) + " waited "
                        + std::to_string(limit().count()) + " s" + missing(*member, *operation));
            }
        }
        runs->erase(occurrence);
        return 0;
    };
}
} // namespace

// A communicator, as callers know it.
struct ncclComm {
    MemberPointer member;
};

namespace {
std::mutex joining;
std::condition_variable joined;
std::map<std::string, std::shared_ptr<Ranks>> waiting; // by unique id; those not complete yet

Result join(ncclComm** to, int count, const UniqueId& id, int rank, int device) {
    std::lock_guard<std::mutex> held(joining);
    if (count < 1 || rank < 0 || rank >= count || device < 0) {
        return complain(INVALID_ARGUMENT, "rank " + std::to_string(rank) + " of " + std::to_string(count) + " on device "
                + std::to_string(device));
    }
    std::string key(id.bytes, sizeof id.bytes);
    std::shared_ptr<Ranks>& ranks = waiting[key];
    if (!ranks) {
        ranks = std::make_shared<Ranks>(count);
    }
    if (ranks->count != count || ranks->members[rank]) {
        return complain(INVALID_USAGE, "rank " + std::to_string(rank) + " of " + std::to_string(count)
                + " does not fit the ranks that are there");
    }
    for (const MemberPointer& other : ranks->members) {
        if (other && other->device == device) {
            return complain(INVALID_USAGE, "ranks " + std::to_string(other->rank) + " and " + std::to_string(rank)
                    + " are on the same device");
        }
    }
    auto member = std::make_shared<Member>();
    member->ranks = ranks;
    member->rank = rank;
    member->device = device;
    ranks->members[rank] = member;
    *to = new ncclComm{member};
    if (++ranks->joined == count) {
        waiting.erase(key);
        joined.notify_all();
    }
    return SUCCESS;
}
Result waitForAll(const ncclComm& comm) {
    std::unique_lock<std::mutex> held(joining);
    Ranks& ranks = *comm.member->ranks;
    if (!joined.wait_for(held, limit(), [&] { return ranks.joined == ranks.count; })) {
        return complain(SYSTEM_ERROR, "only " + std::to_string(ranks.joined) + " of " + std::to_string(ranks.count)
                + " ranks came together");
    }
    return SUCCESS;
}

// Groups --------------------------------------------------------------------------------------------------------------------------
struct Called {
    MemberPointer member;
    void* stream;
    std::vector<Operation> operations;
};
thread_local int depth = 0;
thread_local std::vector<Called> called;
thread_local std::vector<ncclComm*> begun;
thread_local Result groupResult = SUCCESS;

Result enqueue(const Called& calls) {
    Work work = workOf(calls.member, calls.operations);
    return standin_enqueue(calls.member->device, calls.stream, &work, 1, nameOf(calls.operations[0].kind)) == 0 ? SUCCESS
            : UNHANDLED_CUDA_ERROR;
}

Result call(ncclComm* comm, void* stream, Operation operation, size_t fromCount, size_t toCount) {
    size_t width = widthOf(operation.type);
    Result result = SUCCESS;
    if (!comm || width == 0) {
        result = complain(INVALID_ARGUMENT, "no communicator, or an unknown type");
    } else if (comm->member->aborted) {
        result = complain(INVALID_USAGE, "the communicator was aborted");
    } else if (comm->member->ranks->joined < comm->member->ranks->count) {
        result = complain(INVALID_USAGE, "the communicator is not complete");
    } else {
        int device = comm->member->device;
        if ((fromCount && !standin_owns(device, operation.from, fromCount * width))
                || (toCount && !standin_owns(device, operation.to, toCount * width))) {
            result = complain(INVALID_ARGUMENT, operation.describe() + ": a buffer is not within an allocation of device "
                    + std::to_string(device));
        }
    }
    if (result == SUCCESS) {
        Called* same = nullptr;
        for (Called& c : called) {
            same = c.member == comm->member && c.stream == stream ? &c : same;
        }
        if (depth == 0) {
            return enqueue({comm->member, stream, {operation}});
        }
        if (same) {
            same->operations.push_back(operation);
        } else {
            called.push_back({comm->member, stream, {operation}});
        }
    } else if (depth > 0) {
        groupResult = result;
    }
    return result;
}
Result checkRank(const ncclComm* comm, int rank) {
    return comm && rank >= 0 && rank < comm->member->ranks->count ? SUCCESS
            : complain(INVALID_ARGUMENT, "no rank " + std::to_string(rank));
}
Result checkReduction(int reduction) {
    return reduction >= SUM && reduction <= AVERAGE ? SUCCESS : complain(INVALID_ARGUMENT, "no reduction "
            + std::to_string(reduction));
}
} // namespace

#define EXPORT extern "C" __attribute__((visibility("default")))
#define API EXPORT Result

API ncclGetVersion(int* version) {
    *version = 22703;
    return SUCCESS;
}
EXPORT const char* ncclGetErrorString(int result) {
    constexpr const char* TEXTS[] = {"no error", "unhandled cuda error", "unhandled system error", "internal error",
            "invalid argument",
            "invalid usage", "remote process exited or there was a network error", "NCCL operation in progress"};
    return result >= SUCCESS && result <= IN_PROGRESS ? TEXTS[result] : "unknown result code";
}
EXPORT const char* ncclGetLastError(ncclComm*) { return lastError.c_str(); }

// Communicators
API ncclGetUniqueId(UniqueId* id) {
    static std::atomic<int> count{0};
    memset(id->bytes, 0, sizeof id->bytes);
    snprintf(id->bytes, sizeof id->bytes, "stand-in %d %d", (int)getpid(), ++count);
    return SUCCESS;
}
API ncclCommInitRank(ncclComm** comm, int count, UniqueId id, int rank) {
    Result result = join(comm, count, id, rank, standin_current_device());
    if (depth > 0) {
        groupResult = result ? result : groupResult;
        if (!result) {
            begun.push_back(*comm);
        }
        return result;
    }
    return result ? result : waitForAll(**comm);
}
API ncclCommInitAll(ncclComm** comms, int count, const int* devices) {
    UniqueId id;
    ncclGetUniqueId(&id);
    for (int i = 0; i < count; i++) {
        if (Result result = join(&comms[i], count, id, i, devices ? devices[i] : i)) {
            return result;
        }
    }
    return SUCCESS;
}
API ncclCommFinalize(ncclComm* comm) { return comm ? SUCCESS : INVALID_ARGUMENT; }
API ncclCommDestroy(ncclComm* comm) {
    delete comm;
    return SUCCESS;
}
// What the rank still has to do does nothing any more.
API ncclCommAbort(ncclComm* comm) {
    comm->member->aborted = true;
    standin_wake();
    delete comm;
    return SUCCESS;
}
API ncclCommGetAsyncError(ncclComm* comm, int* error) {
    *error = comm->member->error;
    return SUCCESS;
}
API ncclCommCount(const ncclComm* comm, int* count) {
    *count = comm->member->ranks->count;
    return SUCCESS;
}
API ncclCommUserRank(const ncclComm* comm, int* rank) {
    *rank = comm->member->rank;
    return SUCCESS;
}
API ncclCommCuDevice(const ncclComm* comm, int* device) {
    *device = comm->member->device;
    return SUCCESS;
}

// Operations
API ncclAllReduce(const void* from, void* to, size_t count, int type, int reduction, ncclComm* comm, void* stream) {
    Result result = checkReduction(reduction);
    return result ? result : call(comm, stream, {Kind::ALL_REDUCE, from, to, count, type, reduction}, count, count);
}
API ncclReduceScatter(const void* from, void* to, size_t count, int type, int reduction, ncclComm* comm, void* stream) {
    Result result = checkReduction(reduction);
    size_t ranks = comm ? comm->member->ranks->count : 1;
    return result ? result : call(comm, stream, {Kind::REDUCE_SCATTER, from, to, count, type, reduction}, count * ranks, count);
}
API ncclAllGather(const void* from, void* to, size_t count, int type, ncclComm* comm, void* stream) {
    size_t ranks = comm ? comm->member->ranks->count : 1;
    return call(comm, stream, {Kind::ALL_GATHER, from, to, count, type, 0}, count, count * ranks);
}
API ncclBroadcast(const void* from, void* to, size_t count, int type, int root, ncclComm* comm, void* stream) {
    Result result = checkRank(comm, root);
    return result ? result : call(comm, stream, {Kind::BROADCAST, from, to, count, type, root}, comm->member->rank == root ? count
            : 0, count);
}
API ncclSend(const void* from, size_t count, int type, int to, ncclComm* comm, void* stream) {
    Result result = checkRank(comm, to);
    return result ? result : call(comm, stream, {Kind::SEND, from, nullptr, count, type, to}, count, 0);
}
API ncclRecv(void* to, size_t count, int type, int from, ncclComm* comm, void* stream) {
    Result result = checkRank(comm, from);
    return result ? result : call(comm, stream, {Kind::RECEIVE, nullptr, to, count, type, from}, 0, count);
}

API ncclGroupStart() {
    depth++;
    return SUCCESS;
}
API ncclGroupEnd() {
    if (depth == 0) {
        return complain(INVALID_USAGE, "ncclGroupEnd without ncclGroupStart");
    }
    if (--depth > 0) {
        return SUCCESS;
    }
    Result result = std::exchange(groupResult, SUCCESS);
    std::vector<Called> calls = std::exchange(called, {});
    for (ncclComm* comm : std::exchange(begun, {})) {
        result = result ? result : waitForAll(*comm);
    }
    for (const Called& c : calls) {
        result = result ? result : enqueue(c);
    }
    return result;
}
