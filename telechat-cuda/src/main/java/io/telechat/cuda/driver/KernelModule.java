// SPDX-License-Identifier: Apache-2.0
package io.telechat.cuda.driver;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Compiled kernels that have been brought onto a GPU. */
public final class KernelModule implements AutoCloseable {
    private final Device device;
    private final long module;
    private final Map<String, Kernel> kernels = new HashMap<>();

    /**
     * @param image a fat binary, a cubin or PTX text
     * @throws CudaException if it holds nothing for this GPU
     */
    public KernelModule(Device device, byte[] image) {
        this.device = device;
        device.use();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment copy = arena.allocate(image.length + 1L, 64); // PTX ends with a zero
            MemorySegment.copy(image, 0, copy, java.lang.foreign.ValueLayout.JAVA_BYTE, 0, image.length);
            this.module = device.driver().make("cuModuleLoadData", List.of(ADDRESS), copy);
        }
    }

    /**
     * @param signature see {@link Kernel}
     * @throws IllegalStateException if the kernel takes other parameters
     */
    public synchronized Kernel kernel(String name, String signature) {
        return kernels.computeIfAbsent(name, n -> load(n, signature));
    }

    private Kernel load(String name, String signature) {
        device.use();
        try (Arena arena = Arena.ofConfined()) {
            long function = device.driver()
                    .make("cuModuleGetFunction", List.of(JAVA_LONG, ADDRESS), module, arena.allocateFrom(name));
            return new Kernel(device.driver(), function, name, signature);
        }
    }

    @Override
    public void close() {
        device.use();
        device.driver().call("cuModuleUnload", List.of(JAVA_LONG), module);
    }
}
