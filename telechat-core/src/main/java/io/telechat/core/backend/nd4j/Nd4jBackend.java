// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend.nd4j;

import io.telechat.core.backend.Backend;
import io.telechat.core.backend.DeviceMemory;
import io.telechat.core.backend.MachineLimits;
import io.telechat.core.ops.GradOps;
import io.telechat.core.ops.Ops;
import io.telechat.core.tensor.DType;
import io.telechat.core.workers.WorkerTeam;
import java.util.Optional;
import java.util.OptionalDouble;
import org.nd4j.linalg.factory.Nd4j;

/** ND4J arrays throughout. */
final class Nd4jBackend implements Backend {
    private final WorkerTeam workers;
    private final Nd4jOps ops = new Nd4jOps();
    private final Nd4jGradOps gradOps = new Nd4jGradOps();
    private final Nd4jMemory memory = new Nd4jMemory();

    Nd4jBackend(int threads) {
        this.workers = new WorkerTeam(threads);
    }

    @Override
    public String name() {
        return Nd4jBackendProvider.NAME;
    }

    @Override
    public String description() {
        return "ND4J on " + Nd4j.getBackend().getClass().getSimpleName();
    }

    @Override
    public Ops ops() {
        return ops;
    }

    @Override
    public GradOps gradOps() {
        return gradOps;
    }

    @Override
    public boolean computesWith(DType dtype) {
        return dtype == DType.F32;
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
    }
}
