// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.comm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.HostArena;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Ranks that are threads. */
class LocalTransportTest {
    private static void onRanks(int size, Duration patience, Consumer<Communicator> work) throws Exception {
        List<Transport> transports = LocalTransport.group(size, patience);
        try (ExecutorService threads = Executors.newFixedThreadPool(size)) {
            List<Callable<Void>> tasks = new ArrayList<>();
            for (Transport transport : transports) {
                tasks.add(() -> {
                    try (Communicator ranks = new Communicator(transport)) {
                        work.accept(ranks);
                    }
                    return null;
                });
            }
            for (Future<Void> end : threads.invokeAll(tasks)) {
                end.get();
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4})
    void keepsTheContract(int size) throws Exception {
        onRanks(size, Duration.ofSeconds(60), CommunicatorContract::check);
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 3})
    void ranksThatComeApartHearOfIt(int size) throws Exception {
        onRanks(size, Duration.ofSeconds(5), CommunicatorContract::checkThatRanksComeApart);
    }

    @Test
    void aRankKeepsItsDeviceInAnotherGroup() throws Exception {
        onRanks(4, Duration.ofSeconds(60), ranks -> {
            try (Communicator part = ranks.split(ranks.rank() % 2)) {
                assertEquals(ranks.rank(), part.numberHere());
            }
        });
    }

    @Test
    void whoWaitsByOtherMeansHearsOfAFailure() throws Exception {
        onRanks(2, Duration.ofSeconds(60), ranks -> {
            ranks.checkOthers();
            ranks.barrier();
            ranks.abort();
            assertThrows(RankException.class, ranks::checkOthers);
        });
    }

    @Test
    void aRankThatDoesNotComeIsNotWaitedForForEver() {
        ExecutionException failure = assertThrows(
                ExecutionException.class,
                () -> onRanks(2, Duration.ofMillis(200), ranks -> {
                    if (ranks.rank() == 0) {
                        ranks.barrier();
                    }
                }));
        assertEquals(RankException.class, failure.getCause().getClass());
    }

    @Test
    void aRankThatGivesUpEndsTheWaitingOfTheOthers() {
        long start = System.nanoTime();
        ExecutionException failure = assertThrows(
                ExecutionException.class,
                () -> onRanks(2, Duration.ofSeconds(60), ranks -> {
                    if (ranks.rank() == 0) {
                        try (HostArena arena = new HostArena()) {
                            ranks.allReduce(arena.allocate(DType.F32, 8)).await();
                        }
                    } else {
                        sleep();
                        ranks.abort();
                        throw new IllegalStateException("gave up");
                    }
                }));
        assertTrue(System.nanoTime() - start < 30e9);
        assertTrue(List.of(RankException.class, IllegalStateException.class)
                .contains(failure.getCause().getClass()));
    }

    private static void sleep() {
        try {
            Thread.sleep(200);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
