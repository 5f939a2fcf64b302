// SPDX-License-Identifier: Apache-2.0
package io.telechat.cuda;

import io.telechat.core.InvalidRequestException;
import io.telechat.core.backend.Backend;
import io.telechat.core.backend.DeviceMemory;
import io.telechat.core.backend.MachineLimits;
import io.telechat.core.ops.GradOps;
import io.telechat.core.ops.Ops;
import io.telechat.core.tensor.DType;
import io.telechat.core.workers.WorkerTeam;
import io.telechat.cuda.driver.Device;
import io.telechat.cuda.driver.Stream;
import java.util.Optional;
import java.util.OptionalDouble;

/** One GPU: our kernels in the order of one stream. */
final class CudaBackend implements Backend {
    /** Which GPU of several, counted from 0. */
    private static final String DEVICE = "telechat.cuda.device";

    private final Device device;
    private final Stream stream;
    private final Kernels kernels;
    private final CudaEngine engine;
    private final CudaMemory memory;
    private final WorkerTeam workers;
    private final CudaOps ops;
    private final CudaOps roundingOps;
    private final CudaGradOps gradOps;

    private CudaBackend(Device device, int threads) {
        this.device = device;
        this.stream = new Stream(device);
        this.kernels = new Kernels(device, new KernelImages(device));
        this.engine = new CudaEngine(stream, kernels);
        this.memory = new CudaMemory(stream, kernels);
        this.workers = new WorkerTeam(threads);
        this.ops = new CudaOps(engine, Precision.EXACT);
        this.roundingOps = new CudaOps(engine, Precision.ROUNDING);
        this.gradOps = new CudaGradOps(engine, memory, Precision.EXACT);
    }

    /**
     * @param ordinal number of the GPU
     * @param threads for what the host does beside it
     */
    static CudaBackend open(int ordinal, int threads) {
        return new CudaBackend(Device.open(ordinal), threads);
    }

    /** The GPU of this process. */
    static int ordinal() {
        String text = System.getProperty(DEVICE, "0");
        try {
            return Integer.parseInt(text);
        } catch (NumberFormatException e) {
            throw new InvalidRequestException(e, "-D%s=%s is not a number", DEVICE, text);
        }
    }

    @Override
    public String name() {
        return CudaBackendProvider.NAME;
    }

    @Override
    public String description() {
        return "%s (sm_%d), CUDA %d.%d; kernels %s; large products by %s"
                .formatted(
                        device.name(),
                        device.capability(),
                        device.driverVersion() / 1000,
                        device.driverVersion() % 1000 / 10,
                        KernelImages.origin(),
                        engine.products().libraryVersion().orElse("them, for want of cuBLASLt"));
    }

    @Override
    public Ops ops() {
        return ops;
    }

    @Override
    public Ops roundingOps() {
        return roundingOps;
    }

    @Override
    public GradOps gradOps() {
        return gradOps;
    }

    @Override
    public boolean computesWith(DType dtype) {
        return switch (dtype) {
            case F32, F16, BF16, Q8, Q4 -> true;
            default -> false;
        };
    }

    @Override
    public DeviceMemory memory() {
        return memory;
    }

    @Override
    public WorkerTeam workers() {
        return workers;
    }

    @Override
    public Optional<MachineLimits> measureLimits() {
        return Optional.empty();
    }

    @Override
    public OptionalDouble measureFlops() {
        return OptionalDouble.empty();
    }

    @Override
    public void close() {
        workers.close();
        memory.close();
        gradOps.close();
        engine.close();
        kernels.close();
        stream.close();
        device.close();
    }
}
