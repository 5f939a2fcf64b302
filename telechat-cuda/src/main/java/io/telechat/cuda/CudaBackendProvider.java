// SPDX-License-Identifier: Apache-2.0
package io.telechat.cuda;

import io.telechat.core.Message;
import io.telechat.core.backend.Backend;
import io.telechat.core.backend.BackendProvider;
import io.telechat.cuda.driver.Device;
import java.util.Optional;

/**
 * Usable where NVIDIA's driver is, and a GPU of sm_80 or later. Never the default: nothing of it has been run on a GPU yet, so it is
 * for those who ask for it.
 */
public final class CudaBackendProvider implements BackendProvider {
    static final String NAME = "cuda";

    /** Ampere, the first with all that the kernels use: bfloat16 and integer products, asynchronous copies. */
    private static final int LEAST_CAPABILITY = 80;

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public int priority() {
        return 0;
    }

    @Override
    public Optional<Message> unusableReason() {
        if (!Device.hasDriver()) {
            return Optional.of(
                    Message.of("there is no NVIDIA driver (libcuda.so.1); it comes with NVIDIA's kernel module"));
        }
        if (Device.count() == 0) {
            return Optional.of(Message.of("NVIDIA's driver is installed, but offers no GPU; try nvidia-smi"));
        }
        try (Device device = Device.open(CudaBackend.ordinal(0))) {
            if (device.capability() < LEAST_CAPABILITY) {
                return Optional.of(Message.of(
                        "%s is of sm_%d, and sm_%d is the least; ND4J's CUDA build serves older GPUs, see README",
                        device.name(), device.capability(), LEAST_CAPABILITY));
            }
        }
        return KernelImages.absence();
    }

    @Override
    public Backend create(int threads) {
        return create(threads, 0);
    }

    @Override
    public Backend create(int threads, int device) {
        return CudaBackend.open(CudaBackend.ordinal(device), threads);
    }
}
