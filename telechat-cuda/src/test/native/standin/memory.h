// SPDX-License-Identifier: Apache-2.0
// Memory of devices, and pinned memory of the host. It begins as NaN, and lies between pages that must not be touched.
#pragma once
#include <cstdint>
#include <cstring>
#include <map>
#include <string>
#include <sys/mman.h>
#include <unistd.h>

namespace standin {
constexpr int HOST = -1; // in place of a device's number

struct Allocation {
    uintptr_t start;
    size_t bytes;
    int device;
    char* mapping;
    size_t mapped;
    // Between the pages that must not be touched, before and behind; writing there is noticed afterwards only.
    size_t before, behind;

    bool untouchedBehind() const { return untouched(start + bytes, behind); }
    bool untouchedAround() const { return untouched(start - before, before) && untouchedBehind(); }

private:
    static bool untouched(uintptr_t from, size_t count) {
        auto* at = reinterpret_cast<const unsigned char*>(from);
        for (size_t i = 0; i < count; i++) {
            if (at[i] != 0xff) {
                return false;
            }
        }
        return true;
    }
};

class Memory {
    static constexpr size_t ALIGNMENT = 256; // as the driver promises
    static constexpr size_t LARGE = 16 << 20;
    const size_t page = sysconf(_SC_PAGESIZE);
    std::map<uintptr_t, Allocation> all;
    int nans = -1;

    // Pages that are NaN but take no memory before they are written to.
    bool mapLarge(char* at, size_t bytes) {
        if (nans < 0) {
            nans = memfd_create("nan", MFD_CLOEXEC);
            std::string filled(1 << 20, '\xff');
            for (size_t done = 0; done < LARGE; done += filled.size()) {
                if (write(nans, filled.data(), filled.size()) != (ssize_t)filled.size()) {
                    return false;
                }
            }
        }
        for (size_t done = 0; done < bytes; done += LARGE) {
            size_t part = bytes - done < LARGE ? bytes - done : LARGE;
            if (mmap(at + done, part, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, nans, 0) == MAP_FAILED) {
                return false;
            }
        }
        return true;
    }

public:
    /** Null if the machine has no more. */
    const Allocation* allocate(size_t bytes, int device) {
        size_t used = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT, pages = (used + page - 1) / page * page;
        size_t mapped = pages + 2 * page;
        auto* mapping = static_cast<char*>(mmap(nullptr, mapped, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
        if (mapping == MAP_FAILED) {
            return nullptr;
        }
        char* body = mapping + page;
        if (pages >= LARGE ? !mapLarge(body, pages) : mprotect(body, pages, PROT_READ | PROT_WRITE) != 0) {
            munmap(mapping, mapped);
            return nullptr;
        }
        if (pages < LARGE) {
            memset(body, 0xff, pages);
        }
        auto start = reinterpret_cast<uintptr_t>(body + pages - used);
        return &(all[start] = Allocation{start, bytes, device, mapping, mapped, pages - used, used - bytes});
    }
    void free(const Allocation& allocation) {
        munmap(allocation.mapping, allocation.mapped);
        all.erase(allocation.start);
    }
    void freeAllOf(int device) {
        for (auto next = all.begin(); next != all.end();) {
            auto here = next++;
            if (here->second.device == device) {
                free(here->second);
            }
        }
    }
    const Allocation* startingAt(uintptr_t at) const {
        auto found = all.find(at);
        return found == all.end() ? nullptr : &found->second;
    }
    /** The allocation in which an address lies or which ends there; null if there is none. */
    const Allocation* containing(uintptr_t at) const {
        auto next = all.upper_bound(at);
        if (next == all.begin()) {
            return nullptr;
        }
        const Allocation& before = std::prev(next)->second;
        return at <= before.start + before.bytes ? &before : nullptr;
    }
    const Allocation* containing(const void* at, size_t bytes) const {
        const Allocation* found = containing((uintptr_t)at);
        return found && (uintptr_t)at + bytes <= found->start + found->bytes ? found : nullptr;
    }
    size_t count() const { return all.size(); }

    /** Where an address that was touched lies. */
    std::string describe(uintptr_t at) const {
        char text[160];
        auto next = all.upper_bound(at);
        const Allocation* before = next == all.begin() ? nullptr : &std::prev(next)->second;
        if (before && at < (uintptr_t)before->mapping + before->mapped) {
            snprintf(text, sizeof text, "%#zx, %zu bytes beyond the end of an allocation of %zu bytes", (size_t)at,
                    (size_t)(at - before->start - before->bytes), before->bytes);
        } else if (next != all.end() && at >= (uintptr_t)next->second.mapping) {
            snprintf(text, sizeof text, "%#zx, %zu bytes before an allocation of %zu bytes", (size_t)at,
                    (size_t)(next->second.start - at), next->second.bytes);
        } else {
            snprintf(text, sizeof text, "%#zx, in no allocation", (size_t)at);
        }
        return text;
    }
};
} // namespace standin
