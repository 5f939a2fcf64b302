// SPDX-License-Identifier: Apache-2.0
package io.telechat.cuda;

import io.telechat.core.InvalidRequestException;
import io.telechat.core.backend.Backend;
import io.telechat.core.backend.DeviceMemory;
import io.telechat.core.backend.MachineLimits;
import io.telechat.core.backend.TopSelector;
import io.telechat.core.comm.Communicator;
import io.telechat.core.ops.GradOps;
import io.telechat.core.ops.Ops;
import io.telechat.core.tensor.DType;
import io.telechat.core.workers.WorkerTeam;
import io.telechat.cuda.driver.CublasLt;
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
    private final CudaGradOps roundingGradOps;
    private final CudaTopSelector selector;
    private Optional<NcclCollectives> collectives = Optional.empty();

    private CudaBackend(Device device, int threads, boolean library) {
        this.device = device;
        this.stream = new Stream(device);
        this.kernels = new Kernels(device, new KernelImages(device));
        this.engine = new CudaEngine(stream, kernels, library ? CublasLt.find(stream) : Optional.empty());
        this.memory = new CudaMemory(stream, kernels);
        this.workers = new WorkerTeam(threads);
        this.ops = new CudaOps(engine, Precision.EXACT);
        this.roundingOps = new CudaOps(engine, Precision.ROUNDING);
        this.gradOps = new CudaGradOps(engine, memory, Precision.EXACT);
        this.roundingGradOps = new CudaGradOps(engine, memory, Precision.ROUNDING);
        this.selector = new CudaTopSelector(stream, kernels);
    }

    /**
     * @param ordinal number of the GPU
     * @param threads for what the host does beside it
     */
    static CudaBackend open(int ordinal, int threads) {
        return new CudaBackend(Device.open(ordinal), threads, true);
    }

    /** Likewise, with our own kernels for all products, also where cuBLASLt is installed. */
    static CudaBackend withoutLibrary(int ordinal, int threads) {
        return new CudaBackend(Device.open(ordinal), threads, false);
    }

    /**
     * Which GPU a rank uses: the next ones behind the one that is asked for, and then those before it.
     *
     * @param number of the rank on this machine, from 0
     */
    static int ordinal(int number) {
        String text = System.getProperty(DEVICE, "0");
        try {
            return (Integer.parseInt(text) + number) % Math.max(1, Device.count());
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
        return "%s (sm_%d), CUDA %d.%d; kernels %s; large products by %s; telechat has not yet been run on a GPU by its makers"
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
    public Ops trainingOps(DType parameters) {
        return parameters == DType.BF16 ? roundingOps : ops;
    }

    @Override
    public GradOps gradOps(DType parameters) {
        return parameters == DType.BF16 ? roundingGradOps : gradOps;
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
    public void connect(Communicator ranks) {
        collectives.ifPresent(NcclCollectives::close);
        NcclCollectives connected = NcclCollectives.connect(ranks, stream, kernels);
        collectives = Optional.of(connected);
        ranks.connect(Optional.of(connected));
        stream.watch(Optional.of(connected));
    }

    /** What it has been connected by. */
    NcclCollectives collectives() {
        return collectives.orElseThrow();
    }

    @Override
    public Optional<TopSelector> topSelector() {
        return selector.most() > 0 ? Optional.of(selector) : Optional.empty();
    }

    @Override
    public WorkerTeam workers() {
        return workers;
    }

    @Override
    public Optional<MachineLimits> measureLimits() {
        return Optional.of(new GpuLimits(stream, kernels).measure());
    }

    @Override
    public OptionalDouble measureFlops() {
        return OptionalDouble.of(new GpuLimits(stream, kernels).flops());
    }

    @Override
    public void close() {
        collectives.ifPresent(NcclCollectives::close);
        workers.close();
        memory.close();
        gradOps.close();
        roundingGradOps.close();
        selector.close();
        engine.close();
        kernels.close();
        stream.close();
        device.close();
    }
}
