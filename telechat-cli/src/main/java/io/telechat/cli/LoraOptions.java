// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import io.telechat.core.InvalidRequestException;
import io.telechat.core.lora.LoraConfig;
import io.telechat.core.tensor.DType;
import io.telechat.train.TuningMethod;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Option;

/** Adapters that are trained instead of the model. */
final class LoraOptions {
    @Option(
            names = "--adapter",
            paramLabel = "DIR",
            description = "train this LoRA adapter (PEFT's format) instead of the model")
    private Optional<Path> adapter = Optional.empty();

    @Option(
            names = "--lora-dim",
            paramLabel = "N",
            description = "train fresh LoRA adapters of this rank instead of the model")
    private Optional<Integer> rank = Optional.empty();

    @Option(names = "--lora-scaling", paramLabel = "X", description = "their product is scaled by X/rank (default: 1)")
    private double scaling = 1;

    @Option(names = "--lora-rank-stabilized", description = "scale by X/√rank instead")
    private boolean rankStabilized;

    @Option(
            names = "--lora-dropout",
            paramLabel = "X",
            description = "share of what they are given that is dropped while they are trained (default: 0)")
    private Optional<Double> dropout = Optional.empty();

    @Option(
            names = "--lora-module-name",
            split = ",",
            paramLabel = "NAME",
            description =
                    "linear layers that get one, by the ends of their names (default: those of attention's queries,"
                            + " keys and values)")
    private List<String> modules = LoraConfig.ATTENTION_INPUTS;

    @Option(
            names = "--weights",
            paramLabel = "TYPE",
            converter = DTypeConverter.Quantized.class,
            completionCandidates = DTypeConverter.Quantized.class,
            description = "with adapters, round the model to q8 or q4 while it is loaded (QLoRA)")
    private Optional<DType> weights = Optional.empty();

    /** Adapters to train, if it is not the model itself. */
    Optional<TuningMethod.Lora> method() {
        rank.ifPresent(n -> Positive.check("--lora-dim", n));
        dropout.ifPresent(this::checkDropout);
        if (adapter.isEmpty() && rank.isEmpty()) {
            weights.ifPresent(type -> {
                throw new InvalidRequestException(
                        "--weights %s: quantized weights cannot be trained; add --lora-dim", type);
            });
            return Optional.empty();
        }
        LoraConfig fresh = new LoraConfig(rank.orElse(1), scaling, rankStabilized, dropout.orElse(0.0), modules);
        return Optional.of(new TuningMethod.Lora(fresh, adapter, weights));
    }

    private void checkDropout(double share) {
        if (!(share >= 0 && share < 1)) {
            throw new InvalidRequestException("--lora-dropout %s: must be from 0 to below 1", share);
        }
        if (adapter.isPresent()) {
            throw new InvalidRequestException(
                    "--lora-dropout: %s has its own; change it in its adapter_config.json", adapter.get());
        }
    }
}
