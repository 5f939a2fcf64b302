// SPDX-License-Identifier: Apache-2.0
// The emulated kernels as a module image: a shared library that the stand-in driver loads where the real one loads a fatbin.
// Linked with one object of each file of kernels, which register themselves.
#define EXPORT extern "C" __attribute__((visibility("default")))

EXPORT int emulated_count() { return emulation::kernels().size(); }
EXPORT const char* emulated_name(int kernel) { return emulation::kernels()[kernel].name.c_str(); }
EXPORT int emulated_parameters(int kernel) { return emulation::kernels()[kernel].parameters.size(); }
EXPORT void emulated_parameter(int kernel, int parameter, size_t* offset, size_t* size, int* pointer) {
    const emulation::Parameter& p = emulation::kernels()[kernel].parameters[parameter];
    *offset = p.offset;
    *size = p.size;
    *pointer = p.pointer;
}
// Bytes of SHARED variables, as far as launches have shown.
EXPORT size_t emulated_static_shared(int kernel) { return emulation::kernels()[kernel].staticShared; }

// What went wrong, or null. The text lasts until the next call.
EXPORT const char* emulated_launch(int kernel, const unsigned* grid, const unsigned* block, size_t shared, void** arguments) {
    static std::string message;
    message = emulation::launch(emulation::kernels()[kernel], {grid[0], grid[1], grid[2]}, {block[0], block[1], block[2]}, shared,
            arguments);
    return message.empty() ? nullptr : message.c_str();
}
// After a fault in emulated_launch: which thread ran.
EXPORT const char* emulated_where(int kernel) {
    static std::string text;
    text = emulation::where(emulation::kernels()[kernel]);
    return text.c_str();
}
