// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.schedule;

import io.telechat.core.InvalidRequestException;
import java.util.Map;
import java.util.TreeMap;

/**
 * The schedules of the reference's {@code --lr_scheduler_type} (Hugging Face transformers, optimization.py). All but {@code
 * constant} rise from 0 in the warm-up: {@code base · step/warmup}, so that the first update changes nothing.
 */
public final class LrSchedules {
    private static final double POLYNOMIAL_END = 1e-7;

    /** The part after the warm-up: a factor for a progress of 0 … 1. */
    private interface Decay {
        double factor(double progress, double base);
    }

    private static final Map<String, Decay> ALL = new TreeMap<>(Map.of(
            "linear", (progress, base) -> Math.max(0, 1 - progress),
            "cosine", (progress, base) -> Math.max(0, 0.5 * (1 + Math.cos(Math.PI * progress))),
            "cosine_with_restarts",
                    (progress, base) -> progress >= 1 ? 0 : Math.max(0, 0.5 * (1 + Math.cos(Math.PI * (progress % 1)))),
            "polynomial",
                    (progress, base) -> progress > 1
                            ? POLYNOMIAL_END / base
                            : ((base - POLYNOMIAL_END) * (1 - progress) + POLYNOMIAL_END) / base,
            "constant", (progress, base) -> 1,
            "constant_with_warmup", (progress, base) -> 1));

    private LrSchedules() {}

    /**
     * @param name as the reference spells it
     * @param base highest rate
     * @param warmup steps in which it rises
     * @param total steps at whose end it has fallen
     * @throws InvalidRequestException if there is no such schedule
     */
    public static LrSchedule of(String name, double base, long warmup, long total) {
        Decay decay = ALL.get(name.replace('-', '_'));
        if (decay == null) {
            throw new InvalidRequestException(
                    "unknown schedule '%s'; there are: %s", name, String.join(", ", ALL.keySet()));
        }
        long rising = name.equals("constant") ? 0 : warmup;
        return step -> step < rising
                ? base * step / Math.max(1, rising)
                : base * decay.factor((double) (step - rising) / Math.max(1, total - rising), base);
    }
}
