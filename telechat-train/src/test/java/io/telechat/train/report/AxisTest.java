// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.report;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AxisTest {
    private static String labels(Axis axis) {
        return axis.ticks().stream().map(Axis.Tick::label).collect(Collectors.joining(" "));
    }

    @ParameterizedTest
    @CsvSource({
        "1.4, 3.4, 1.0 1.5 2.0 2.5 3.0 3.5",
        "0, 3e-5, 0 5e-6 1e-5 1.5e-5 2e-5 2.5e-5 3e-5",
        "0, 12000, 0 2k 4k 6k 8k 10k 12k",
        "0, 3000000, 0 0.5M 1.0M 1.5M 2.0M 2.5M 3.0M",
        "0, 0, 0 0.2 0.4 0.6 0.8 1.0",
        "-1, 1, -1.0 -0.5 0 0.5 1.0",
    })
    void aLinearAxisGoesFromMarkToMark(double least, double greatest, String labels) {
        Axis axis = Axis.linear(least, greatest);
        assertEquals(labels, labels(axis));
        assertEquals(0, axis.position(axis.ticks().getFirst().value()), 1e-9);
        assertEquals(1, axis.position(axis.ticks().getLast().value()), 1e-9);
    }

    @ParameterizedTest
    @CsvSource({"0.4, 30, 0.5 1 2 5 10 20", "1e-5, 2e4, 1e-4 0.01 1 100 1e4"})
    void aLogarithmicAxisMarksRatios(double least, double greatest, String labels) {
        Axis axis = Axis.logarithmic(least, greatest);
        assertEquals(labels, labels(axis));
        assertEquals(axis.position(10) - axis.position(1), axis.position(20) - axis.position(2), 1e-12);
    }

    @ParameterizedTest
    @CsvSource({"1, 1200, 200 400 600 800 1000 1200", "1, 3, 1 2 3", "7, 7, 7"})
    void stepsAreWholeNumbers(long first, long last, String labels) {
        assertEquals(labels, labels(Axis.ofSteps(first, last)));
    }

    @Test
    void theFirstStepIsAtTheEdge() {
        Axis axis = Axis.ofSteps(3, 40);
        assertEquals(0, axis.position(3), 0);
        assertEquals(1, axis.position(40), 0);
    }
}
