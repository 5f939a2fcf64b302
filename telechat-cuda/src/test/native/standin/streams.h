// SPDX-License-Identifier: Apache-2.0
// Streams, events and graphs. Work waits in its stream until somebody waits for it, which is as late as a driver may run it:
// code that forgets to wait sees old values. All of it is under one lock, the driver's.
#pragma once
#include "cuda_types.h"
#include "hooks.h"
#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

struct CUctx_st {
    int device;
};

namespace standin {
using Clock = std::chrono::steady_clock;

struct Range {
    uintptr_t start;
    size_t bytes;
    bool meets(uintptr_t at, size_t count) const { return start < at + count && at < start + bytes; }
};

// One piece of work. A graph and its launches share them.
struct Node {
    std::string what;
    Work run;
    bool collective = false;  // may wait for other streams
    bool anyMemory = false;   // a kernel may use whatever it finds pointers to
    std::vector<Range> memory; // else, what it uses
};
using NodePointer = std::shared_ptr<const Node>;

// How much of each stream's captured work comes before something.
using Captured = std::map<CUstream_st*, size_t>;

struct Capture {
    CUstream_st* origin;
    CUstreamCaptureMode mode;
    std::thread::id thread;
    bool valid = true;
    std::vector<NodePointer> nodes; // in an order in which they may run
    std::map<CUstream_st*, Captured> known; // of each stream that takes part
};

// One recording of an event.
struct Recording {
    CUstream_st* stream;
    uint64_t position; // in the stream
    bool done = false;
    Clock::time_point time;
    std::shared_ptr<Capture> capture; // when recorded in one
    Captured known;
};

struct Device {
    int number;
    CUctx_st context;
    int retained = 0;
    CUresult sticky = CUDA_SUCCESS; // after a fault every call fails, as on a GPU
    size_t allocated = 0;
    std::set<CUstream_st*> streams; // with the null stream
    CUstream_st* nullStream = nullptr;
};
} // namespace standin

struct CUstream_st {
    standin::Device* device;
    bool blocking; // waits for the null stream, and that for it
    struct Queued {
        standin::NodePointer node;
        uint64_t occurrence;
    };
    std::deque<Queued> queue;
    uint64_t enqueued = 0, executed = 0;
    std::shared_ptr<standin::Capture> capture;
};
struct CUevent_st {
    standin::Device* device;
    bool timed;
    std::shared_ptr<standin::Recording> recording;
};
struct CUgraph_st {
    std::vector<standin::NodePointer> nodes;
};
struct CUgraphExec_st {
    std::vector<standin::NodePointer> nodes;
    standin::Device* device;
};

namespace standin {
class Streams {
    uint64_t occurrences = 0;

public:
    std::mutex lock;
    std::condition_variable changed; // work has been added, or has come to its end
    std::vector<Device>& devices;
    const bool eager = getenv("TELECHAT_STANDIN_EAGER") && *getenv("TELECHAT_STANDIN_EAGER") == '1';

    explicit Streams(std::vector<Device>& devices) : devices(devices) {}

    /** Runs what a stream holds up to a position. A CUresult, or PENDING if that needs others first. */
    int advance(CUstream_st& stream, uint64_t position) {
        while (stream.executed < position) {
            CUstream_st::Queued head = stream.queue.front();
            int result = head.node->run(head.occurrence);
            if (result == PENDING) {
                return PENDING;
            }
            if (result != CUDA_SUCCESS) {
                fail(*stream.device, (CUresult)result);
                return result;
            }
            stream.queue.pop_front();
            stream.executed++;
            changed.notify_all();
        }
        return stream.device->sticky;
    }

    /** The same, once, and gets others on if that is what it needs. */
    int ask(CUstream_st& stream, uint64_t position) {
        int result = advance(stream, position);
        if (result == PENDING) {
            advanceCollectives(stream);
        }
        return result;
    }

    /** The same, but waits for others, meanwhile without the lock. */
    CUresult drain(std::unique_lock<std::mutex>& held, CUstream_st& stream, uint64_t position) {
        for (;;) {
            int result = advance(stream, position);
            if (result != PENDING) {
                return (CUresult)result;
            }
            // Other streams would run by themselves on a GPU; here, someone has to get them as far as their collective work.
            if (!advanceCollectives(stream)) {
                changed.wait_for(held, std::chrono::milliseconds(20)); // at times, for the work itself to look at the clock
            }
        }
    }
    CUresult drain(std::unique_lock<std::mutex>& held, CUstream_st& stream) { return drain(held, stream, stream.enqueued); }

    CUresult add(CUstream_st& stream, NodePointer node) {
        if (stream.capture) {
            Capture& capture = *stream.capture;
            capture.nodes.push_back(std::move(node));
            capture.known[&stream][&stream]++;
            return CUDA_SUCCESS;
        }
        Device& device = *stream.device;
        if (&stream == device.nullStream) {
            for (CUstream_st* other : device.streams) {
                if (other != &stream && other->blocking) {
                    waitFor(stream, *other, other->enqueued);
                }
            }
        } else if (stream.blocking) {
            waitFor(stream, *device.nullStream, device.nullStream->enqueued);
        }
        push(stream, std::move(node));
        if (eager) {
            int result = advance(stream, stream.enqueued);
            return result == PENDING ? CUDA_SUCCESS : (CUresult)result;
        }
        return CUDA_SUCCESS;
    }
    void waitFor(CUstream_st& stream, CUstream_st& other, uint64_t position) {
        if (other.executed < position) {
            auto node = std::make_shared<Node>();
            node->what = "a wait for another stream";
            node->run = [this, &other, position](uint64_t) { return advance(other, position); };
            push(stream, node);
        }
    }

    /** Queued work of the device that may use this memory, or, if it is pinned, that does; null if there is none. */
    const Node* userOf(const Device& device, uintptr_t at, size_t bytes, bool pinned) const {
        for (CUstream_st* stream : device.streams) {
            for (const CUstream_st::Queued& queued : stream->queue) {
                if (queued.node->anyMemory && !pinned) { // kernels seldom use pinned memory
                    return queued.node.get();
                }
                for (const Range& range : queued.node->memory) {
                    if (range.meets(at, bytes)) {
                        return queued.node.get();
                    }
                }
            }
        }
        return nullptr;
    }

    /** Whatever the device still has to do is lost. */
    void fail(Device& device, CUresult code) {
        device.sticky = code;
        for (CUstream_st* stream : device.streams) {
            stream->executed = stream->enqueued;
            stream->queue.clear();
        }
        changed.notify_all();
    }

private:
    void push(CUstream_st& stream, NodePointer node) {
        stream.queue.push_back({std::move(node), ++occurrences});
        stream.enqueued++;
        changed.notify_all();
    }

    bool advanceCollectives(CUstream_st& but) {
        bool moved = false;
        for (Device& device : devices) {
            std::vector<CUstream_st*> streams(device.streams.begin(), device.streams.end());
            for (CUstream_st* stream : streams) {
                uint64_t position = stream->executed;
                if (stream == &but) {
                    continue;
                }
                for (const CUstream_st::Queued& queued : stream->queue) {
                    position++;
                    if (queued.node->collective) {
                        uint64_t before = stream->executed;
                        advance(*stream, position);
                        moved |= stream->executed > before;
                        break;
                    }
                }
            }
        }
        return moved;
    }
};
} // namespace standin
