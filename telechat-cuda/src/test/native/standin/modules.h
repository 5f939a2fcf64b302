// SPDX-License-Identifier: Apache-2.0
// Module images: shared libraries of emulated kernels, made from module.cpp.
#pragma once
#include <cstring>
#include <dlfcn.h>
#include <elf.h>
#include <map>
#include <string>
#include <string_view>
#include <sys/mman.h>
#include <unistd.h>
#include <utility>

namespace standin {
struct Image {
    int (*count)();
    const char* (*name)(int kernel);
    int (*parameters)(int kernel);
    void (*parameter)(int kernel, int parameter, size_t* offset, size_t* size, int* pointer);
    size_t (*staticShared)(int kernel);
    const char* (*launch)(int kernel, const unsigned* grid, const unsigned* block, size_t shared, void** arguments);
    const char* (*where)(int kernel);
};

// Loads every image once and for good: many tests, and all devices, load the same one.
class Images {
    std::map<std::pair<size_t, size_t>, Image> loaded; // by length and hash

    static size_t lengthOf(const Elf64_Ehdr& header) { return header.e_shoff + (size_t)header.e_shnum * header.e_shentsize; }
    template <class F> static bool find(void* library, const char* name, F& function) {
        return (function = reinterpret_cast<F>(dlsym(library, name))) != nullptr;
    }

public:
    /** Null, and why, if that is none. */
    const Image* load(const void* image, std::string& why) {
        auto* header = static_cast<const Elf64_Ehdr*>(image);
        constexpr int EM_OF_CUDA = 190;
        if (memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 || header->e_machine == EM_OF_CUDA) {
            why = "the image is none of emulated kernels";
            return nullptr;
        }
        std::string_view bytes(static_cast<const char*>(image), lengthOf(*header));
        auto key = std::make_pair(bytes.size(), std::hash<std::string_view>()(bytes));
        auto found = loaded.find(key);
        if (found != loaded.end()) {
            return &found->second;
        }
        // The file stays open: the loader knows libraries by their paths, so no other one may get the same.
        int file = memfd_create("kernels", MFD_CLOEXEC);
        for (size_t done = 0; done < bytes.size();) {
            ssize_t written = write(file, bytes.data() + done, bytes.size() - done);
            if (written <= 0) {
                why = "cannot write the image";
                return nullptr;
            }
            done += written;
        }
        void* library = dlopen(("/proc/self/fd/" + std::to_string(file)).c_str(), RTLD_NOW | RTLD_LOCAL);
        Image i;
        if (!library || !find(library, "emulated_count", i.count) || !find(library, "emulated_name", i.name)
                || !find(library, "emulated_parameters", i.parameters) || !find(library, "emulated_parameter", i.parameter)
                || !find(library, "emulated_static_shared", i.staticShared) || !find(library, "emulated_launch", i.launch)
                || !find(library, "emulated_where", i.where)) {
            why = dlerror();
            return nullptr;
        }
        return &(loaded[key] = i);
    }
};
} // namespace standin
