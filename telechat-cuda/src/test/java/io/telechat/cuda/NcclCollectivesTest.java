// SPDX-License-Identifier: Apache-2.0
package io.telechat.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.telechat.core.InvalidRequestException;
import io.telechat.core.comm.Communicator;
import io.telechat.core.comm.CommunicatorContract;
import io.telechat.core.comm.LocalRanks;
import io.telechat.core.comm.RankException;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.tensor.TensorArena;
import io.telechat.core.testing.EmulatedGpu;
import io.telechat.cuda.driver.Nccl;
import java.time.Duration;
import java.util.Optional;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Ranks that are threads, with a GPU each. */
@NeedsEmulation
class NcclCollectivesTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private static void onRanks(int size, Duration patience, BiConsumer<Communicator, CudaBackend> work) {
        LocalRanks.run(size, patience, ranks -> {
            try (CudaBackend backend = CudaBackend.open(CudaBackend.ordinal(ranks.numberHere()), 1)) {
                backend.connect(ranks);
                work.accept(ranks, backend);
            }
        });
    }

    /** The sizes are on both sides of those that are summed by other ways, and of the pieces that are under way at once. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 4})
    void keepsTheContract(int size) {
        assumeTrue(EmulatedGpu.areSeveral() || size == 1 && Nccl.find().isPresent(), "a real GPU, and no others");
        onRanks(size, PATIENCE, (ranks, backend) -> {
            backend.collectives().chunk(48 << 10);
            CommunicatorContract.check(ranks, backend.memory(), 1, 7, 1024, 70_001);
        });
    }

    @NeedsSeveralGpus
    @Test
    void ranksThatComeApartHearOfIt() {
        onRanks(2, PATIENCE, (ranks, backend) -> CommunicatorContract.checkThatRanksComeApart(ranks, backend.memory()));
    }

    /** What GPUs exchange is waited for by nobody but who looks at it. */
    private static void lookAtASum(Communicator ranks, CudaBackend backend) {
        try (TensorArena arena = backend.memory().newArena()) {
            Tensor values = arena.allocate(DType.F32, 8);
            ranks.allReduceNow(values);
            backend.memory().toHost(values);
        }
    }

    @NeedsSeveralGpus
    @Test
    void aRankThatDoesNotComeIsNotWaitedForForEver() {
        RankException failure = assertThrows(
                RankException.class,
                () -> onRanks(2, Duration.ofMillis(300), (ranks, backend) -> {
                    if (ranks.rank() == 0) {
                        lookAtASum(ranks, backend);
                    }
                }));
        assertTrue(failure.getMessage().contains("in vain"), failure.getMessage());
    }

    @NeedsSeveralGpus
    @Test
    void aRankThatFailsEndsTheWaitingOfTheOthers() {
        long start = System.nanoTime();
        IllegalStateException failure = assertThrows(
                IllegalStateException.class,
                () -> onRanks(2, PATIENCE, (ranks, backend) -> {
                    lookAtASum(ranks, backend);
                    if (ranks.rank() == 1) {
                        throw new IllegalStateException("gave up");
                    }
                    lookAtASum(ranks, backend);
                }));
        assertEquals("gave up", failure.getMessage());
        assertTrue(System.nanoTime() - start < 30e9);
    }

    @NeedsSeveralGpus
    @Test
    void twoRanksDoNotShareAGpu() {
        InvalidRequestException failure = assertThrows(
                InvalidRequestException.class,
                () -> LocalRanks.run(2, PATIENCE, ranks -> {
                    try (CudaBackend backend = CudaBackend.open(0, 1)) {
                        backend.connect(ranks);
                    }
                }));
        assertTrue(failure.getMessage().contains("ranks 0 and 1 have the same GPU"), failure.getMessage());
    }

    /** Afterwards the ranks have nothing to do with GPUs any more. */
    @NeedsSeveralGpus
    @Test
    void aClosedBackendIsNotAsked() {
        LocalRanks.run(1, PATIENCE, ranks -> {
            CudaBackend backend = CudaBackend.open(0, 1);
            backend.connect(ranks);
            try (TensorArena arena = backend.memory().newArena()) {
                Tensor values = arena.allocate(DType.F32, 8);
                ranks.allReduceNow(values);
                ranks.connect(Optional.empty());
                assertThrows(IllegalStateException.class, () -> ranks.allReduceNow(values));
            }
            backend.close();
        });
    }
}
