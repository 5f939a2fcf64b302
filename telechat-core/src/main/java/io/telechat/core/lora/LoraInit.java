// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.lora;

import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.SplitMix;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.tensor.TensorArena;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SplittableRandom;

/** How an adapter starts: {@code a} uniform within ±1/√rank, as the reference draws it (its fan-in is the rank), {@code b} zero. */
final class LoraInit {
    private LoraInit() {}

    static Map<String, LoraFiles.Pair> pairs(
            LoraTargets.Composition composition, int rank, long seed, TensorArena memory) {
        Map<String, LoraFiles.Pair> pairs = new LinkedHashMap<>();
        double bound = 1 / Math.sqrt(rank);
        for (LoraTargets.Module module : composition.modules()) {
            Tensor a = memory.allocate(DType.F32, rank, module.in());
            SplittableRandom random =
                    new SplittableRandom(SplitMix.seed(seed, module.name().hashCode()));
            for (long i = 0; i < a.shape().elements(); i++) {
                a.setFloat(i, (float) random.nextDouble(-bound, bound));
            }
            pairs.put(module.name(), new LoraFiles.Pair(a, memory.allocate(DType.F32, module.out(), rank)));
        }
        return pairs;
    }
}
