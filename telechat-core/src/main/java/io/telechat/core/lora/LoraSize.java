// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.lora;

import io.telechat.core.architecture.ModelConfig;
import java.util.ArrayList;
import java.util.List;

/**
 * What adapters of a model will take.
 *
 * @param parameters in the files: of each linear layer, rank · (in + out)
 * @param matrices elements of each matrix that is trained; where a weight is made of several linear layers, zeros included
 * @param width of what is between the two products, at most
 * @param input of an adapter whose input is dropped, at most; 0 without dropout
 * @param stacked elements of the first matrices of one weight that drop something each for themselves, at most
 */
public record LoraSize(long parameters, List<Long> matrices, long width, long input, long stacked) {
    public LoraSize {
        matrices = List.copyOf(matrices);
    }

    /** @throws io.telechat.core.InvalidModelException if the model has none of the targets */
    public static LoraSize of(ModelConfig model, LoraConfig config) {
        LoraTargets targets = new LoraTargets(model);
        targets.requireAny(config, "LoRA");
        long parameters = 0;
        List<Long> matrices = new ArrayList<>();
        long width = 0;
        long input = 0;
        long stacked = 0;
        for (int i = 0; i < model.layers(); i++) {
            for (LoraTargets.Composition composition : targets.layer(i, config).values()) {
                List<LoraTargets.Module> modules = composition.modules();
                long columns = (long) config.rank() * modules.size();
                long in = modules.getFirst().in();
                for (LoraTargets.Module module : modules) {
                    parameters += config.rank() * ((long) module.in() + module.out());
                    matrices.add(config.rank() * in);
                }
                matrices.add(composition.rowOf().length * columns);
                width = Math.max(width, columns);
                input = config.dropout() > 0 ? Math.max(input, in) : 0;
                stacked = config.dropout() > 0 && modules.size() > 1 ? Math.max(stacked, columns * in) : stacked;
            }
        }
        return new LoraSize(parameters, matrices, width, input, stacked);
    }

    /** Elements of all matrices. */
    public long elements() {
        return matrices.stream().mapToLong(Long::longValue).sum();
    }

    /**
     * Bytes of what is between the formulas: between the products, in the forward pass, and with its gradient in the backward
     * pass; what dropout leaves; and what takes the place of linear layers that are given something else.
     *
     * @param rows tokens that are computed at once
     */
    public long scratchBytes(int rows) {
        return Float.BYTES * (rows * (3 * width + input) + 2 * stacked);
    }
}
