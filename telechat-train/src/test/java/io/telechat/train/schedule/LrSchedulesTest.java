// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.schedule;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.telechat.core.InvalidRequestException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Rates of ten steps, two of them warm-up, as the formulas of transformers' optimization.py give them by hand. */
class LrSchedulesTest {
    private static final double BASE = 1e-3;

    @ParameterizedTest(name = "{0} at {1}")
    @CsvSource({
        "linear, 0, 0",
        "linear, 1, 5e-4",
        "linear, 2, 1e-3",
        "linear, 6, 5e-4",
        "linear, 9, 1.25e-4",
        "linear, 10, 0",
        "linear, 12, 0",
        "cosine, 0, 0",
        "cosine, 1, 5e-4",
        "cosine, 2, 1e-3",
        "cosine, 4, 8.535533905932738e-4",
        "cosine, 6, 5e-4",
        "cosine, 9, 3.806023374435663e-5",
        "cosine, 10, 0",
        "cosine, 12, 1.464466094067262e-4",
        "cosine_with_restarts, 1, 5e-4",
        "cosine_with_restarts, 4, 8.535533905932738e-4",
        "cosine_with_restarts, 9, 3.806023374435663e-5",
        "cosine_with_restarts, 10, 0",
        "cosine_with_restarts, 12, 0",
        "polynomial, 1, 5e-4",
        "polynomial, 2, 1e-3",
        "polynomial, 6, 5.0005e-4",
        "polynomial, 10, 1e-7",
        "polynomial, 12, 1e-7",
        "constant, 0, 1e-3",
        "constant, 1, 1e-3",
        "constant, 12, 1e-3",
        "constant_with_warmup, 0, 0",
        "constant_with_warmup, 1, 5e-4",
        "constant_with_warmup, 2, 1e-3",
        "constant_with_warmup, 12, 1e-3",
        "cosine-with-restarts, 4, 8.535533905932738e-4"
    })
    void followsTheFormula(String name, long step, double rate) {
        assertEquals(rate, LrSchedules.of(name, BASE, 2, 10).at(step), 1e-12);
    }

    @Test
    void withoutWarmUpBeginsAtTheTop() {
        assertEquals(BASE, LrSchedules.of("cosine", BASE, 0, 10).at(0));
    }

    @Test
    void aWarmUpOfAllStepsOnlyRises() {
        assertEquals(0.9 * BASE, LrSchedules.of("linear", BASE, 10, 10).at(9), 1e-12);
    }

    @Test
    void anUnknownNameIsToldWhatThereIs() {
        String message = assertThrows(InvalidRequestException.class, () -> LrSchedules.of("inverse_sqrt", BASE, 0, 1))
                .getMessage();
        assertTrue(message.contains("'inverse_sqrt'") && message.contains("constant_with_warmup"), message);
    }
}
