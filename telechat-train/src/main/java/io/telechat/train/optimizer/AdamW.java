// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.optimizer;

import io.telechat.core.InvalidRequestException;
import io.telechat.core.backend.Backend;
import io.telechat.core.ops.GradOps;
import io.telechat.core.ops.GradOps.AdamWStep;
import io.telechat.core.tensor.Shape;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.tensor.TensorArena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * AdamW with the reference's groups: parameters whose name contains {@code bias} or {@code LayerNorm.weight} do not decay
 * (main.py of TeleChat-52B; the second matches nothing in any architecture, so norms decay).
 */
public final class AdamW implements AutoCloseable {
    /**
     * @param beta1 decay of the running mean
     * @param beta2 decay of the running mean of squares
     * @param weightDecay times the learning rate is taken off each parameter that decays
     * @param state how the running means are kept
     * @param offload directory of files that they lie in, with all else that the optimizer alone needs; empty for memory
     */
    public record Settings(
            double beta1, double beta2, double epsilon, double weightDecay, MomentType state, Optional<Path> offload) {
        /** Of the weights, where none is given. */
        public static final double STANDARD_DECAY = 1e-4;

        public Settings {
            if (!(weightDecay >= 0 && weightDecay < Double.MAX_VALUE)) {
                throw new InvalidRequestException("--weight-decay %s: must be at least 0", weightDecay);
            }
        }

        /** The reference's. */
        public static Settings reference(double weightDecay) {
            return new Settings(0.9, 0.95, 1e-5, weightDecay, MomentType.F32, Optional.empty());
        }

        public Settings withState(MomentType type) {
            return new Settings(beta1, beta2, epsilon, weightDecay, type, offload);
        }

        public Settings offloadedTo(Path directory) {
            return new Settings(beta1, beta2, epsilon, weightDecay, state, Optional.of(directory));
        }

        /** Where what the optimizer alone needs lies. */
        OptimizerMemory memory() {
            return new OptimizerMemory(offload);
        }
    }

    /** What the optimizer knows of a tensor. */
    public record State(Trained parameter, Moments moments) {}

    private final GradOps ops;
    private final Settings settings;
    private final TensorArena arena;
    private final List<State> states = new ArrayList<>();

    /** All means are zero at first. */
    public AdamW(Backend backend, Settings settings, List<Trained> parameters) {
        this.ops = backend.gradOps();
        this.settings = settings;
        this.arena = settings.memory().newArena(backend);
        for (Trained parameter : parameters) {
            Shape shape = parameter.value().shape();
            Moments moments = settings.state().isBlockwise(parameter.tensorElements())
                    ? BlockwiseMoments.zeros(ops, shape, arena)
                    : FloatMoments.zeros(ops, shape, arena);
            states.add(new State(parameter, moments));
        }
    }

    public List<State> states() {
        return List.copyOf(states);
    }

    /** What is kept of a tensor of so many elements. */
    public List<MomentKind> kinds(long elements) {
        return settings.state().isBlockwise(elements) ? BlockwiseMoments.KINDS : FloatMoments.KINDS;
    }

    /** The sum of the squares of all gradients that this optimizer has. */
    public double sumOfSquares() {
        return ops.sumOfSquares(
                states.stream().map(s -> s.parameter().gradient()).toList());
    }

    /**
     * @param number of the update, from 1
     * @param gradientScale factor on all gradients, for clipping
     */
    public void step(long number, double rate, double gradientScale) {
        for (State state : states) {
            double decay = decays(state.parameter().name()) ? settings.weightDecay() : 0;
            AdamWStep step = new AdamWStep(
                    (float) rate,
                    (float) settings.beta1(),
                    (float) settings.beta2(),
                    (float) settings.epsilon(),
                    (float) decay,
                    (float) gradientScale,
                    number);
            state.moments().update(state.parameter(), step);
            state.parameter().value().leaveMemory();
            state.moments().tensors().values().forEach(Tensor::leaveMemory);
        }
    }

    @Override
    public void close() {
        arena.close();
    }

    static boolean decays(String name) {
        return !name.contains("bias") && !name.contains("LayerNorm.weight");
    }
}
