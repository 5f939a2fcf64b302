// SPDX-License-Identifier: Apache-2.0
package io.telechat.cuda;

import io.telechat.cuda.driver.CudaException;
import io.telechat.cuda.driver.Device;
import io.telechat.cuda.driver.Kernel;
import io.telechat.cuda.driver.KernelModule;
import java.util.HashMap;
import java.util.Map;

/** Our kernels on a GPU, loaded as they are asked for: a module for each source file. */
final class Kernels implements AutoCloseable {
    /** Threads of a block in kernels that look at one element, or row, each. */
    static final int THREADS = 256;

    private final Device device;
    private final KernelImages images;
    private final Map<String, KernelModule> modules = new HashMap<>();
    private final Map<String, Kernel> kernels = new HashMap<>();

    Kernels(Device device, KernelImages images) {
        this.device = device;
        this.images = images;
    }

    /**
     * @param module name of the source file, without its ending
     * @param signature see {@link Kernel}
     */
    synchronized Kernel get(String module, String name, String signature) {
        Kernel known = kernels.get(name);
        if (known != null) {
            return known;
        }
        Kernel kernel =
                modules.computeIfAbsent(images.moduleOf(module), this::load).kernel(name, signature);
        kernels.put(name, kernel);
        return kernel;
    }

    /** A driver that is older than the build's compiler may refuse what that made; what is compiled here fits to it. */
    private KernelModule load(String module) {
        try {
            return new KernelModule(device, images.image(module));
        } catch (CudaException e) {
            return new KernelModule(
                    device,
                    images.compiledHere(module)
                            .orElseThrow(() -> new CudaException(
                                    e,
                                    "the driver, of CUDA %d.%d, does not take the kernels of this build (%s); install"
                                            + " a newer one, or NVIDIA's package cuda-nvrtc of its version, with which"
                                            + " they are compiled here",
                                    device.driverVersion() / 1000,
                                    device.driverVersion() % 1000 / 10,
                                    e.message())));
        }
    }

    /** Blocks of {@link #THREADS} for so many elements. */
    static long blocks(long elements) {
        return Math.ceilDiv(elements, THREADS);
    }

    @Override
    public synchronized void close() {
        modules.values().forEach(KernelModule::close);
        modules.clear();
        kernels.clear();
    }
}
