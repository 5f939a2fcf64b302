// SPDX-License-Identifier: Apache-2.0
package io.telechat.cuda.driver;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.telechat.core.ffi.NativeLibrary;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * NVIDIA's compiler as a library, {@code libnvrtc.so}; needs neither a GPU nor a driver.
 *
 * @see <a href="https://docs.nvidia.com/cuda/nvrtc/">NVRTC</a>
 */
public final class Nvrtc {
    /** Names another library than the system's: a path. */
    private static final String PROPERTY = "telechat.nvrtc.library";

    private static final List<String> NAMES = List.of(
            "libnvrtc.so.13",
            "libnvrtc.so.12",
            "/usr/local/cuda/lib64/libnvrtc.so.13",
            "/usr/local/cuda/lib64/libnvrtc.so.12");

    private static final Optional<Nvrtc> INSTANCE = NativeLibrary.find(Optional.ofNullable(System.getProperty(PROPERTY))
                    .map(List::of)
                    .orElse(NAMES))
            .map(Nvrtc::new);

    private final Functions functions;

    private Nvrtc(NativeLibrary library) {
        this.functions = new Functions(library, Nvrtc::check);
    }

    /** Empty where it is not installed. */
    public static Optional<Nvrtc> find() {
        return INSTANCE;
    }

    /** Such as {@code NVRTC 13.0}. */
    public String version() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment numbers = arena.allocate(JAVA_INT, 2);
            functions.call("nvrtcVersion", List.of(ADDRESS, ADDRESS), numbers, numbers.asSlice(JAVA_INT.byteSize()));
            return "NVRTC %d.%d".formatted(numbers.getAtIndex(JAVA_INT, 0), numbers.getAtIndex(JAVA_INT, 1));
        }
    }

    private static void check(int code, String name) {
        if (code != 0) {
            throw new CudaException("%s failed: %d", name, code);
        }
    }

    /**
     * Compiles a source file.
     *
     * @param headers texts of what it includes, by name
     * @param capability of the GPU: 90 for {@code sm_90}
     * @return a cubin
     * @throws CudaException if there is an error, with the first lines of what the compiler says
     */
    public byte[] compile(String name, String source, Map<String, String> headers, int capability) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment texts = strings(arena, List.copyOf(headers.values()));
            MemorySegment names = strings(arena, List.copyOf(headers.keySet()));
            MemorySegment handle = arena.allocate(ADDRESS);
            functions.call(
                    "nvrtcCreateProgram",
                    List.of(ADDRESS, ADDRESS, ADDRESS, JAVA_INT, ADDRESS, ADDRESS),
                    handle,
                    arena.allocateFrom(source),
                    arena.allocateFrom(name),
                    headers.size(),
                    texts,
                    names);
            MemorySegment program = handle.get(ADDRESS, 0);
            try {
                List<String> options = List.of("--gpu-architecture=sm_" + capability, "--std=c++17");
                int code = functions.code(
                        "nvrtcCompileProgram",
                        List.of(ADDRESS, JAVA_INT, ADDRESS),
                        program,
                        options.size(),
                        strings(arena, options));
                if (code != 0) {
                    throw new CudaException("%s could not be compiled for sm_%d: %s", name, capability, log(program));
                }
                return bytes(program, "nvrtcGetCUBIN");
            } finally {
                functions.code("nvrtcDestroyProgram", List.of(ADDRESS), handle);
            }
        }
    }

    private static MemorySegment strings(Arena arena, List<String> values) {
        MemorySegment pointers = arena.allocate(ADDRESS, values.size());
        for (int i = 0; i < values.size(); i++) {
            pointers.setAtIndex(ADDRESS, i, arena.allocateFrom(values.get(i)));
        }
        return pointers;
    }

    private String log(MemorySegment program) {
        String text = new String(bytes(program, "nvrtcGetProgramLog"), java.nio.charset.StandardCharsets.UTF_8);
        return text.lines().limit(4).reduce((a, b) -> a + " | " + b).orElse("");
    }

    private byte[] bytes(MemorySegment program, String name) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment size = arena.allocate(JAVA_LONG);
            functions.call(name + "Size", List.of(ADDRESS, ADDRESS), program, size);
            MemorySegment bytes = arena.allocate(size.get(JAVA_LONG, 0));
            functions.call(name, List.of(ADDRESS, ADDRESS), program, bytes);
            return bytes.toArray(JAVA_BYTE);
        }
    }
}
