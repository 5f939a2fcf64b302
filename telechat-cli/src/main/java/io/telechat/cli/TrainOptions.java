// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import io.telechat.core.InvalidRequestException;
import io.telechat.core.Message;
import io.telechat.train.TrainConfig;
import io.telechat.train.TuningMethod;
import io.telechat.train.optimizer.AdamW;
import io.telechat.train.zero.ZeroStage;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The options of a run: the reference's names and defaults, and our own. */
final class TrainOptions {
    /** Of ZeRO (Rajbhandari et al. 2020, arXiv:1910.02054). */
    private static final int LARGEST_STAGE = 3;

    /** By the options that they stand above. */
    static final Map<String, Message> HEADINGS = Map.of(
            "--model-path", Message.of("Files:"),
            "--recipe", Message.of("What is trained:"),
            "--dtype", Message.of("Numbers:"),
            "--per-device-train-batch-size", Message.of("Updates:"),
            "--save-steps", Message.of("Checkpoints and measurements:"),
            "--gradient-checkpointing", Message.of("Computing:"),
            "--adapter", Message.of("Adapters (LoRA):"),
            "--zero-stage", Message.of("Many processes:"),
            "--config", Message.of("This command:"));

    /** Whose defaults. */
    enum Recipe {
        /** Answers only, every token weighs the same, dialogs of a sample don't see each other. */
        TELECHAT,
        /** As main.py of TeleChat-52B: everything counts, or what --with-loss-mask says; samples are one sequence. */
        REFERENCE;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    @Option(
            names = {"--model-path", "--model-name-or-path"},
            required = true,
            paramLabel = "DIR",
            description = "checkpoint to start from")
    private Path model;

    @Option(names = "--data-path", required = true, paramLabel = "DIR", description = "samples made by process-data")
    private Path data;

    @Option(names = "--output-dir", required = true, paramLabel = "DIR", description = "for checkpoints and metrics")
    private Path output;

    @Option(
            names = "--recipe",
            paramLabel = "NAME",
            description = "telechat (default): answers only, every token weighs the same, dialogs of a sample are kept"
                    + " apart; reference: as the original trains")
    private Recipe recipe = Recipe.TELECHAT;

    @Option(names = "--data-order", paramLabel = "ORDER", description = "shuffled (default) or sequential")
    private String order = "shuffled";

    @Option(
            names = "--packed-attention",
            paramLabel = "WAY",
            description =
                    "isolated: dialogs of a sample do not see each other; reference: they do (default: by --recipe)")
    private Optional<String> packedAttention = Optional.empty();

    @Option(
            names = "--with-loss-mask",
            description = "train the tokens of the loss mask only (always so but with --recipe reference)")
    private boolean withLossMask;

    @Mixin
    private PrecisionOptions precision;

    @Option(
            names = "--per-device-train-batch-size",
            paramLabel = "N",
            description = "samples computed at once (default: 1)")
    private int microBatch = TrainConfig.Batching.STANDARD.microBatch();

    @Option(
            names = "--gradient-accumulation-steps",
            paramLabel = "N",
            description = "micro-batches per update (default: 1)")
    private int accumulation = TrainConfig.Batching.STANDARD.accumulation();

    @Option(names = "--learning-rate", paramLabel = "RATE", description = "highest rate (default: 3e-5)")
    private double learningRate = TrainConfig.Rate.STANDARD.peak();

    @Option(names = "--weight-decay", paramLabel = "X", description = "(default: 1e-4)")
    private double weightDecay = AdamW.Settings.STANDARD_DECAY;

    @Option(
            names = "--max-grad-norm",
            paramLabel = "X",
            description = "gradients are clipped to this norm (default: 1)")
    private double clip = TrainConfig.Rate.STANDARD.clip();

    @Option(
            names = "--lr-scheduler-type",
            paramLabel = "NAME",
            description = "linear, cosine (default), cosine_with_restarts, polynomial, constant, constant_with_warmup")
    private String schedule = TrainConfig.Rate.STANDARD.schedule();

    @Option(names = "--warmup-steps", paramLabel = "N", description = "updates in which the rate rises")
    private Optional<Long> warmupSteps = Optional.empty();

    @Option(
            names = "--warmup-proportion",
            paramLabel = "X",
            description = "share of all updates in which it rises (default: 0.1)")
    private double warmupProportion = TrainConfig.Rate.STANDARD.warmupProportion();

    @Option(
            names = "--schedule-steps",
            paramLabel = "N",
            description = "updates the schedule is made for (default: those of the run)")
    private Optional<Long> scheduleSteps = Optional.empty();

    @Option(names = "--num-train-epochs", paramLabel = "X", description = "passes over the data (default: 1)")
    private double epochs = TrainConfig.Length.STANDARD.epochs();

    @Option(names = "--max-steps", paramLabel = "N", description = "updates at most, whatever the epochs")
    private Optional<Long> maxSteps = Optional.empty();

    @Option(
            names = "--save-steps",
            paramLabel = "N",
            description = "updates between checkpoints (default: 0, at the end only)")
    private long saveSteps = TrainConfig.Length.STANDARD.saveSteps();

    @Option(
            names = "--save-total-limit",
            paramLabel = "N",
            description = "newest checkpoints that are kept (default: 2)")
    private int saveLimit = TrainConfig.Length.STANDARD.saveLimit();

    @Option(
            names = "--eval-split",
            paramLabel = "X",
            description = "share of the samples that is measured instead of trained (default: 0)")
    private double evaluationShare = TrainConfig.Length.STANDARD.evaluationShare();

    @Option(names = "--eval-steps", paramLabel = "N", description = "updates between measurements (default: 100)")
    private long evaluationSteps = TrainConfig.Length.STANDARD.evaluationSteps();

    @Option(
            names = "--early-stop",
            paramLabel = "N",
            description = "end after so many measurements without improvement")
    private Optional<Integer> patience = Optional.empty();

    @Option(
            names = "--gradient-checkpointing",
            description = "keep only the layers' inputs and compute them twice: less memory")
    private boolean gradientCheckpointing;

    @Option(names = "--seed", paramLabel = "N", description = "of every random choice (default: 42)")
    private long seed = TrainConfig.STANDARD_SEED;

    @Mixin
    private BackendOptions backend;

    @Mixin
    private LoraOptions lora;

    @Option(
            names = {"--only-optimize-lora", "--mark-only-lora-as-trainable"},
            description = "as it always is with adapters")
    private boolean onlyLora;

    @Option(
            names = "--zero-stage",
            paramLabel = "N",
            description =
                    "what several ranks share out: 0 nothing (default), 1 the optimizer's state, 2 gradients too, 3"
                            + " parameters too")
    private int zeroStage;

    @Option(
            names = "--offload",
            description =
                    "keep what the optimizer alone needs in files that are mapped into memory: less memory, if the"
                            + " disk is fast")
    private boolean offload;

    @Option(names = "--offload-dir", paramLabel = "DIR", description = "for these files (default: RUN/offload)")
    private Optional<Path> offloadDirectory = Optional.empty();

    /** What the ranks share out. */
    ZeroStage stage() {
        return ZeroStage.of(zeroStage);
    }

    /** What is asked for in vain, a line each. */
    List<String> withoutEffect(int ranks) {
        List<String> lines = new ArrayList<>();
        if (zeroStage > 0 && ranks == 1) {
            lines.add(Message.localized(
                    "--zero-stage %d changes nothing: one process has nothing to share out", zeroStage));
        }
        return lines;
    }

    private TuningMethod method() {
        Optional<TuningMethod.Lora> adapters = lora.method();
        return adapters.isPresent() ? adapters.get().computedIn(precision.dtype()) : precision.full();
    }

    TrainConfig config() {
        TrainConfig.Objective objective =
                recipe == Recipe.REFERENCE ? TrainConfig.Objective.REFERENCE : TrainConfig.Objective.STANDARD;
        boolean isolated = switch (packedAttention
                .orElse(objective.isolated() ? "isolated" : "reference")
                .toLowerCase(Locale.ROOT)) {
            case "isolated" -> true;
            case "reference" -> false;
            default -> throw new InvalidRequestException("--packed-attention: choose isolated or reference");
        };
        boolean shuffled = switch (order.toLowerCase(Locale.ROOT)) {
            case "shuffled" -> true;
            case "sequential" -> false;
            default -> throw new InvalidRequestException("--data-order: choose shuffled or sequential");
        };
        if (zeroStage < 0 || zeroStage > LARGEST_STAGE) {
            throw new InvalidRequestException("--zero-stage %d: must be from 0 to 3", zeroStage);
        }
        return new TrainConfig(
                ModelOptions.found(model),
                data,
                output,
                method(),
                backend.choice(),
                new TrainConfig.Batching(microBatch, accumulation, shuffled),
                new TrainConfig.Objective(withLossMask || objective.masked(), objective.perToken(), isolated),
                optimizer(),
                new TrainConfig.Rate(
                        learningRate, schedule, optional(warmupSteps), warmupProportion, optional(scheduleSteps), clip),
                new TrainConfig.Length(
                        epochs, optional(maxSteps), saveSteps, saveLimit, evaluationShare, evaluationSteps, patience),
                seed,
                gradientCheckpointing);
    }

    private AdamW.Settings optimizer() {
        if (!offload && offloadDirectory.isPresent()) {
            throw new InvalidRequestException("--offload-dir is for --offload");
        }
        AdamW.Settings settings = AdamW.Settings.reference(weightDecay).withState(precision.moments());
        return offload ? settings.offloadedTo(offloadDirectory.orElse(output.resolve("offload"))) : settings;
    }

    private static OptionalLong optional(Optional<Long> value) {
        return value.map(OptionalLong::of).orElseGet(OptionalLong::empty);
    }
}
