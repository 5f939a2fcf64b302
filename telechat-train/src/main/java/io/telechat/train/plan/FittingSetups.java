// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.plan;

import io.telechat.core.lora.LoraConfig;
import io.telechat.core.tensor.DType;
import io.telechat.train.TuningMethod;
import io.telechat.train.optimizer.MomentType;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Searches the options of training for what makes a run fit into memory. Of two ways of which one changes all that the other
 * changes, and more, only the lesser is told, and besides the one that takes least.
 */
public final class FittingSetups {
    private static final int LARGEST_STAGE = 3;
    private static final int LARGEST_CLUSTER = 4096;
    private static final int LORA_DIM = 8;
    private static final double NEXT_TO_NOTHING = 1.01;

    private final PlannedModel model;
    private final RunSetup asked;
    private final long available;
    /** One of each method; what they take in memory is the same in all setups. */
    private final Map<TuningMethod, TrainingPlan> plans = new HashMap<>();

    private FittingSetups(PlannedModel model, RunSetup asked, long available) {
        this.model = model;
        this.asked = asked;
        this.available = available;
    }

    /**
     * A run that fits.
     *
     * @param stage of ZeRO; 0 for a single process
     * @param bytes that a rank needs
     */
    public record Fitting(RunSetup setup, int stage, long bytes) {}

    /**
     * A run that fits, and how far it is from what was asked for, in each direction.
     *
     * @param method how many methods further
     * @param batch samples fewer at once
     */
    private record Candidate(Fitting fitting, int method, int batch, boolean checkpointing, boolean moments) {
        boolean isNoMoreThan(Candidate other) {
            return method <= other.method
                    && batch <= other.batch
                    && (!checkpointing || other.checkpointing)
                    && (!moments || other.moments);
        }

        /** What is learned changes last, the time a step takes before that. */
        int cost() {
            return 10 * method + (checkpointing ? 3 : 0) + (batch > 0 ? 2 : 0) + (moments ? 1 : 0);
        }
    }

    /**
     * The ways that fit, those first that change least; then the one that takes least, and those with more processes.
     *
     * @param available bytes of a rank
     * @return empty if there is none
     */
    public static List<Fitting> of(PlannedModel model, RunSetup asked, long available) {
        return new FittingSetups(model, asked, available).search();
    }

    private List<Fitting> search() {
        List<Candidate> candidates = new ArrayList<>();
        List<TuningMethod> methods = methods();
        for (int method = 0; method < methods.size(); method++) {
            for (boolean checkpointing : asOrElse(asked.checkpointing(), true)) {
                for (MomentType moments : asOrElse(asked.moments(), MomentType.EIGHT_BIT)) {
                    RunSetup setup = asked.withMethod(methods.get(method))
                            .withCheckpointing(checkpointing)
                            .withMoments(moments);
                    int further = method;
                    largestBatch(setup)
                            .ifPresent(fitting -> candidates.add(new Candidate(
                                    fitting,
                                    further,
                                    asked.batch() - fitting.setup().batch(),
                                    checkpointing && !asked.checkpointing(),
                                    moments != asked.moments())));
                }
            }
        }
        Set<Fitting> found = new LinkedHashSet<>();
        candidates.stream()
                .filter(c -> candidates.stream().noneMatch(other -> other != c && other.isNoMoreThan(c)))
                .sorted(Comparator.comparingInt(Candidate::cost))
                .forEach(c -> found.add(c.fitting()));
        leanest(candidates).ifPresent(found::add);
        for (boolean checkpointing : asOrElse(asked.checkpointing(), true)) {
            moreRanks(asked.withCheckpointing(checkpointing)).ifPresent(found::add);
        }
        return List.copyOf(found);
    }

    /** Without what saves next to nothing. */
    private static Optional<Fitting> leanest(List<Candidate> candidates) {
        long least =
                candidates.stream().mapToLong(c -> c.fitting().bytes()).min().orElse(0);
        return candidates.stream()
                .filter(c -> c.fitting().bytes() <= least * NEXT_TO_NOTHING)
                .min(Comparator.comparingInt(Candidate::cost))
                .map(Candidate::fitting);
    }

    /** As asked, and what saves memory, if that is something else. */
    private static <T> Set<T> asOrElse(T asked, T saving) {
        Set<T> values = new LinkedHashSet<>();
        values.add(asked);
        values.add(saving);
        return values;
    }

    /** As asked, and what takes less in its place. */
    private List<TuningMethod> methods() {
        List<TuningMethod> methods = new ArrayList<>();
        methods.add(asked.method());
        TuningMethod.Lora adapters = asked.lora()
                .orElseGet(() -> attentionAdapters().computedIn(asked.method().dtype()));
        if (asked.lora().isEmpty()) {
            methods.add(adapters);
        }
        if (adapters.quantization().isEmpty()) {
            methods.add(adapters.quantized(DType.Q8));
        }
        if (!adapters.quantization().equals(Optional.of(DType.Q4))) {
            methods.add(adapters.quantized(DType.Q4));
        }
        return methods;
    }

    private static TuningMethod.Lora attentionAdapters() {
        LoraConfig fresh = new LoraConfig(LORA_DIM, 1, false, 0, LoraConfig.ATTENTION_INPUTS);
        return new TuningMethod.Lora(fresh, Optional.empty(), Optional.empty());
    }

    private Optional<Fitting> largestBatch(RunSetup setup) {
        int fits = 0;
        int tooMany = setup.batch() + 1;
        while (tooMany - fits > 1) {
            int middle = (fits + tooMany) >>> 1;
            if (fitting(setup.withBatch(middle)).isPresent()) {
                fits = middle;
            } else {
                tooMany = middle;
            }
        }
        return fits == 0 ? Optional.empty() : fitting(setup.withBatch(fits));
    }

    private Optional<Fitting> moreRanks(RunSetup setup) {
        for (int ranks = 2 * setup.ranks(); ranks <= LARGEST_CLUSTER; ranks *= 2) {
            Optional<Fitting> fitting = fitting(setup.withRanks(ranks));
            if (fitting.isPresent()) {
                return fitting;
            }
        }
        return Optional.empty();
    }

    /** With the lowest stage that does. */
    private Optional<Fitting> fitting(RunSetup setup) {
        TrainingPlan plan = plans.computeIfAbsent(setup.method(), method -> TrainingPlan.of(model, setup))
                .with(setup);
        for (int stage = 0; stage <= (setup.ranks() == 1 ? 0 : LARGEST_STAGE); stage++) {
            long bytes = plan.memory(stage).total();
            if (bytes <= available) {
                return Optional.of(new Fitting(setup, stage, bytes));
            }
        }
        return Optional.empty();
    }
}
