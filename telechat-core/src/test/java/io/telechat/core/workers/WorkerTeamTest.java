// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.workers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WorkerTeamTest {
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 5})
    void runsEveryTaskOnce(int size) {
        try (WorkerTeam team = new WorkerTeam(size)) {
            for (int round = 0; round < 2_000; round++) {
                int count = round % 9;
                AtomicIntegerArray runs = new AtomicIntegerArray(count);
                team.run(count, (index, worker) -> {
                    assertTrue(worker >= 0 && worker < size);
                    runs.incrementAndGet(index);
                });
                assertEachOnce(runs);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 5})
    void sharesOutNeighbouringTasks(int size) {
        try (WorkerTeam team = new WorkerTeam(size)) {
            for (int count = 0; count < 200; count++) {
                AtomicIntegerArray runs = new AtomicIntegerArray(count);
                team.runTogether(count, (first, end, worker) -> {
                    assertTrue(first < end && worker >= 0 && worker < size);
                    for (int i = first; i < end; i++) {
                        runs.incrementAndGet(i);
                    }
                });
                assertEachOnce(runs);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3})
    void rangesBeginAtMultiplesOfTheUnitAndCoverEveryElementOnce(int size) {
        try (WorkerTeam team = new WorkerTeam(size)) {
            for (int count = 0; count < 100; count++) {
                AtomicIntegerArray runs = new AtomicIntegerArray(count);
                team.runRanges(count, 7, (first, length) -> {
                    assertEquals(0, first % 7);
                    for (long i = first; i < first + length; i++) {
                        runs.incrementAndGet((int) i);
                    }
                });
                assertEachOnce(runs);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3})
    void throwsWhatATaskThrowsAndGoesOn(int size) {
        try (WorkerTeam team = new WorkerTeam(size)) {
            assertThrows(
                    ArithmeticException.class,
                    () -> team.run(10, (index, worker) -> {
                        if (index == 7) {
                            throw new ArithmeticException("seven");
                        }
                    }));
            team.run(3, (index, worker) -> {});
        }
    }

    private static void assertEachOnce(AtomicIntegerArray runs) {
        for (int i = 0; i < runs.length(); i++) {
            assertEquals(1, runs.get(i));
        }
    }
}
