// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import io.telechat.core.ops.Rounding;
import io.telechat.core.tensor.DType;
import io.telechat.train.TuningMethod;
import io.telechat.train.optimizer.MomentType;
import picocli.CommandLine.Option;

/** What training keeps numbers in. */
final class PrecisionOptions {
    @Option(
            names = "--dtype",
            paramLabel = "TYPE",
            converter = DTypeConverter.Computed.class,
            completionCandidates = DTypeConverter.Computed.class,
            description = "what is computed in: f32 (default) or bf16, for parameters and activations; beside adapters,"
                    + " parameters stay as they are stored")
    private DType dtype = DType.F32;

    @Option(
            names = "--rounding",
            paramLabel = "WAY",
            description = "from float32 to bf16 after each update: nearest (default) or stochastic")
    private Rounding rounding = Rounding.NEAREST;

    @Option(
            names = "--optimizer-state",
            paramLabel = "TYPE",
            converter = MomentTypeConverter.class,
            completionCandidates = MomentTypeConverter.class,
            description = "of AdamW's running means: f32 (default), or 8bit, by blocks: a quarter of the memory")
    private MomentType moments = MomentType.F32;

    TuningMethod.Full full() {
        return new TuningMethod.Full(dtype, rounding);
    }

    DType dtype() {
        return dtype;
    }

    MomentType moments() {
        return moments;
    }
}
