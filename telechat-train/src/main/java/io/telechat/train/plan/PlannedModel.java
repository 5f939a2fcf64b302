// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.plan;

import io.telechat.core.architecture.ModelConfig;
import io.telechat.core.tensor.DType;
import io.telechat.core.weights.ModelLoader;
import java.util.List;
import java.util.Optional;
import java.util.function.ToLongFunction;

/**
 * A model whose training is planned.
 *
 * @param tensors elements of each
 * @param storedBytes of its parameters as adapters meet them: as they are stored
 * @param bytesOf8 likewise, with the matrices rounded to 8 bits
 * @param bytesOf4 likewise, to 4 bits
 */
public record PlannedModel(ModelConfig config, List<Long> tensors, long storedBytes, long bytesOf8, long bytesOf4) {
    private static PlannedModel of(ModelConfig config, ToLongFunction<Optional<DType>> bytes) {
        return new PlannedModel(
                config,
                config.architecture().tensors(config).stream()
                        .map(t -> t.shape().elements())
                        .toList(),
                bytes.applyAsLong(Optional.empty()),
                bytes.applyAsLong(Optional.of(DType.Q8)),
                bytes.applyAsLong(Optional.of(DType.Q4)));
    }

    /** Of a checkpoint, which may be closed afterwards. */
    public static PlannedModel of(ModelLoader.Checked checked) {
        return of(checked.config(), checked::loadedBytes);
    }

    /** Of a configuration without a checkpoint, whose parameters are taken to be stored in BF16, as the makers store theirs. */
    public static PlannedModel of(ModelConfig config) {
        return of(
                config,
                quantization -> config.architecture().tensors(config).stream()
                        .mapToLong(spec -> spec.loadedBytes(DType.BF16, quantization))
                        .sum());
    }

    long parameters() {
        return tensors.stream().mapToLong(Long::longValue).sum();
    }

    long bytes(Optional<DType> quantization) {
        return quantization.map(type -> type == DType.Q8 ? bytesOf8 : bytesOf4).orElse(storedBytes);
    }
}
