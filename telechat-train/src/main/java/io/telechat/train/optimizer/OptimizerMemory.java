// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.optimizer;

import io.telechat.core.InvalidRequestException;
import io.telechat.core.backend.Backend;
import io.telechat.core.tensor.FileArena;
import io.telechat.core.tensor.TensorArena;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Where lies what the optimizer alone needs: running means, and parameters in F32 beside rounded ones.
 *
 * @param directory for files that it lies in; empty for memory
 */
public record OptimizerMemory(Optional<Path> directory) {
    /** In memory, like everything else. */
    public static final OptimizerMemory RESIDENT = new OptimizerMemory(Optional.empty());

    /** @throws InvalidRequestException if the backend cannot work in files */
    public TensorArena newArena(Backend backend) {
        if (directory.isEmpty()) {
            return backend.memory().newArena();
        }
        if (!backend.memory().isOnHost()) {
            throw new InvalidRequestException(
                    "--offload: the backend '%s' has its memory elsewhere; use --backend cpu", backend.name());
        }
        return new FileArena(directory.get());
    }
}
