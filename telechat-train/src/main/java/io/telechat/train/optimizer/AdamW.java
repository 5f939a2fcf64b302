// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.optimizer;

import io.telechat.core.ops.GradOps;
import io.telechat.core.ops.GradOps.AdamWStep;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.tensor.TensorArena;
import java.util.ArrayList;
import java.util.List;

/**
 * AdamW with the reference's groups: parameters whose name contains {@code bias} or {@code LayerNorm.weight} do not decay
 * (main.py of TeleChat-52B; the second matches nothing in any flavour, so norms decay).
 */
public final class AdamW {
    /**
     * @param beta1 decay of the running mean
     * @param beta2 decay of the running mean of squares
     * @param weightDecay times the learning rate is taken off each parameter that decays
     */
    public record Settings(double beta1, double beta2, double epsilon, double weightDecay) {
        /** The reference's. */
        public static Settings reference(double weightDecay) {
            return new Settings(0.9, 0.95, 1e-5, weightDecay);
        }
    }

    /**
     * What the optimizer knows of a tensor.
     *
     * @param m running mean of its gradient
     * @param v running mean of its square
     */
    public record State(Trained parameter, Tensor m, Tensor v) {}

    private final GradOps ops;
    private final Settings settings;
    private final List<State> states = new ArrayList<>();

    public AdamW(GradOps ops, Settings settings, List<Trained> parameters, TensorArena arena) {
        this.ops = ops;
        this.settings = settings;
        for (Trained parameter : parameters) {
            long[] shape = parameter.value().shape().toArray();
            states.add(new State(parameter, arena.allocate(DType.F32, shape), arena.allocate(DType.F32, shape)));
        }
    }

    public List<State> states() {
        return List.copyOf(states);
    }

    /** Length of all gradients as one vector. */
    public double gradientNorm() {
        double sum = 0;
        for (State state : states) {
            sum += ops.sumOfSquares(state.parameter().gradient());
        }
        return Math.sqrt(sum);
    }

    /**
     * @param number of the update, from 1
     * @param gradientScale factor on all gradients, for clipping
     */
    public void step(long number, double rate, double gradientScale) {
        for (State state : states) {
            double decay = decays(state.parameter().name()) ? settings.weightDecay() : 0;
            ops.adamW(
                    state.parameter().value(),
                    state.parameter().gradient(),
                    state.m(),
                    state.v(),
                    new AdamWStep(
                            (float) rate,
                            (float) settings.beta1(),
                            (float) settings.beta2(),
                            (float) settings.epsilon(),
                            (float) decay,
                            (float) gradientScale,
                            number));
        }
    }

    static boolean decays(String name) {
        return !name.contains("bias") && !name.contains("LayerNorm.weight");
    }
}
