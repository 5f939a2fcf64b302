// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.plan;

import io.telechat.core.lora.LoraConfig;
import io.telechat.core.ops.Rounding;
import io.telechat.core.tensor.DType;
import io.telechat.train.TuningMethod;
import io.telechat.train.optimizer.MomentType;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What of a run decides on its memory and time.
 *
 * @param batch samples that a rank computes at once
 * @param tokens of each
 * @param checkpointing whether layers are computed twice
 * @param method what is trained; beside BF16 parameters the optimizer keeps them in F32
 * @param moments how the optimizer keeps its running means
 * @param ranks processes
 * @param offload whether what the optimizer alone needs lies in files
 */
public record RunSetup(
        int batch,
        int tokens,
        boolean checkpointing,
        TuningMethod method,
        MomentType moments,
        int ranks,
        boolean offload) {
    private static final TuningMethod.Full EVERYTHING = new TuningMethod.Full(DType.F32, Rounding.NEAREST);

    /** A run that trains all parameters in F32, in one process, without anything that saves memory. */
    public RunSetup(int batch, int tokens) {
        this(batch, tokens, false, EVERYTHING, MomentType.F32, 1, false);
    }

    int rows() {
        return Math.multiplyExact(batch, tokens);
    }

    Optional<TuningMethod.Lora> lora() {
        return method instanceof TuningMethod.Lora lora ? Optional.of(lora) : Optional.empty();
    }

    public RunSetup withCheckpointing(boolean on) {
        return new RunSetup(batch, tokens, on, method, moments, ranks, offload);
    }

    public RunSetup withBatch(int samples) {
        return new RunSetup(samples, tokens, checkpointing, method, moments, ranks, offload);
    }

    public RunSetup withMethod(TuningMethod trained) {
        return new RunSetup(batch, tokens, checkpointing, trained, moments, ranks, offload);
    }

    public RunSetup withMoments(MomentType type) {
        return new RunSetup(batch, tokens, checkpointing, method, type, ranks, offload);
    }

    public RunSetup withRanks(int processes) {
        return new RunSetup(batch, tokens, checkpointing, method, moments, processes, offload);
    }

    /** The options of {@code telechat train} that ask for it; without ranks. */
    public List<String> options() {
        List<String> options = new ArrayList<>();
        switch (method) {
            case TuningMethod.Full full -> {}
            case TuningMethod.Lora lora -> addAdapters(options, lora);
        }
        if (method.dtype() != DType.F32) {
            options.addAll(List.of("--dtype", method.dtype().toString()));
        }
        if (checkpointing) {
            options.add("--gradient-checkpointing");
        }
        if (moments != MomentType.F32) {
            options.addAll(List.of("--optimizer-state", moments.toString()));
        }
        if (offload) {
            options.add("--offload");
        }
        if (batch != 1) {
            options.addAll(List.of("--per-device-train-batch-size", Integer.toString(batch)));
        }
        return options;
    }

    private static void addAdapters(List<String> options, TuningMethod.Lora lora) {
        if (lora.start().isPresent()) {
            options.addAll(List.of("--adapter", lora.start().get().toString()));
        } else {
            options.addAll(List.of("--lora-dim", Integer.toString(lora.fresh().rank())));
            if (lora.fresh().alpha() != 1) {
                options.addAll(
                        List.of("--lora-scaling", Double.toString(lora.fresh().alpha())));
            }
            if (lora.fresh().rankStabilized()) {
                options.add("--lora-rank-stabilized");
            }
            if (lora.fresh().dropout() > 0) {
                options.addAll(
                        List.of("--lora-dropout", Double.toString(lora.fresh().dropout())));
            }
            List<String> modules = lora.fresh().targets().names();
            if (!modules.equals(LoraConfig.ATTENTION_INPUTS)) {
                options.addAll(List.of("--lora-module-name", String.join(",", modules)));
            }
        }
        lora.quantization().ifPresent(type -> options.addAll(List.of("--weights", type.toString())));
    }
}
