// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.comm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.telechat.core.backend.DeviceMemory;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.SplitMix;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.tensor.TensorArena;
import io.telechat.core.testing.ScalarBackend;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/** What every transport must do, as each rank checks it for itself. Sums are compared to the bit with those made here. */
public final class CommunicatorContract {
    private static final int[] SIZES = {1, 7, 64, 1024, 70_001, 1 << 20};

    private final Communicator ranks;
    private final DeviceMemory memory;
    private final TensorArena arena;

    private CommunicatorContract(Communicator ranks, DeviceMemory memory, TensorArena arena) {
        this.ranks = ranks;
        this.memory = memory;
        this.arena = arena;
    }

    /** All of it, on all ranks at once. */
    public static void check(Communicator ranks) {
        check(ranks, new ScalarBackend(), SIZES);
    }

    /** Likewise, with tensors in a memory that the ranks are connected by. */
    public static void check(Communicator ranks, DeviceMemory memory, int... sizes) {
        try (TensorArena arena = memory.newArena()) {
            CommunicatorContract contract = new CommunicatorContract(ranks, memory, arena);
            for (int size : sizes) {
                contract.sumsInTheOrderOfTheRanks(size);
                contract.gathersParts(size);
                contract.sumsParts(size);
                contract.broadcasts(size);
                contract.bringsPartsToTheFirst(size);
                contract.waitsAtOnce(size);
            }
            contract.runsInTheOrderOfTheCalls();
            contract.sumsNumbers();
            contract.splits();
        }
    }

    /** Not all of one magnitude, so that another order of summation gives other bits. */
    private static float[] values(int rank, int size) {
        float[] values = new float[size];
        for (int i = 0; i < size; i++) {
            values[i] = (float) ((SplitMix.uniform(rank, i) - 0.5) * Math.pow(10, SplitMix.uniform(rank + 99, i) * 6));
        }
        return values;
    }

    private float[] sum(int size) {
        float[] sum = values(0, size);
        for (int r = 1; r < ranks.size(); r++) {
            float[] other = values(r, size);
            for (int i = 0; i < size; i++) {
                sum[i] += other[i];
            }
        }
        return sum;
    }

    private Tensor floats(float... values) {
        Tensor tensor = arena.allocate(DType.F32, values.length);
        set(tensor, values);
        return tensor;
    }

    private void set(Tensor tensor, float... values) {
        memory.write(Tensor.over(MemorySegment.ofArray(values), DType.F32, values.length), tensor);
    }

    private float[] floats(Tensor tensor) {
        return memory.toHost(tensor).toFloats();
    }

    private void sumsInTheOrderOfTheRanks(int size) {
        Tensor values = floats(values(ranks.rank(), size));
        ranks.allReduce(values).await();
        assertArrayEquals(sum(size), floats(values));
    }

    private void gathersParts(int size) {
        Tensor part = floats(values(ranks.rank(), size));
        Tensor all = arena.allocate(DType.F32, (long) ranks.size() * size);
        ranks.allGather(part, all).await();
        Tensor inPlace = arena.allocate(DType.F32, (long) ranks.size() * size);
        Tensor own = inPlace.rows((long) ranks.rank() * size, (ranks.rank() + 1L) * size);
        set(own, values(ranks.rank(), size));
        ranks.allGather(own, inPlace).await();
        for (int r = 0; r < ranks.size(); r++) {
            assertArrayEquals(values(r, size), floats(all.rows((long) r * size, (r + 1L) * size)));
        }
        assertArrayEquals(floats(all), floats(inPlace));
    }

    private void sumsParts(int size) {
        Tensor all = floats(values(ranks.rank(), size * ranks.size()));
        float[] before = values(1000 + ranks.rank(), size);
        Tensor part = floats(before);
        ranks.reduceScatterAdd(all, part).await();
        float[] sum = sum(size * ranks.size());
        float[] expected = new float[size];
        for (int i = 0; i < size; i++) {
            expected[i] = sum[ranks.rank() * size + i] + before[i];
        }
        assertArrayEquals(expected, floats(part));
    }

    private void broadcasts(int size) {
        int root = ranks.size() - 1;
        Tensor values = floats(values(ranks.rank(), size));
        ranks.broadcast(values, root).await();
        assertArrayEquals(values(root, size), floats(values));
    }

    private void bringsPartsToTheFirst(int size) {
        Tensor all = arena.allocate(DType.F32, ranks.rank() == 0 ? (long) ranks.size() * size : 0);
        ranks.gatherNow(floats(values(ranks.rank(), size)), all);
        for (int r = 0; ranks.rank() == 0 && r < ranks.size(); r++) {
            assertArrayEquals(values(r, size), floats(all.rows((long) r * size, (r + 1L) * size)));
        }
    }

    /** What is waited for at once does the same. */
    private void waitsAtOnce(int size) {
        Tensor sum = floats(values(ranks.rank(), size));
        ranks.allReduceNow(sum);
        assertArrayEquals(sum(size), floats(sum));
        Tensor all = arena.allocate(DType.F32, (long) ranks.size() * size);
        ranks.allGatherNow(floats(values(ranks.rank(), size)), all);
        int root = ranks.size() - 1;
        Tensor last = floats(values(ranks.rank(), size));
        ranks.broadcastNow(last, root);
        assertArrayEquals(values(root, size), floats(last));
        assertArrayEquals(floats(last), floats(all.rows((long) root * size, (root + 1L) * size)));
    }

    private void runsInTheOrderOfTheCalls() {
        Tensor value = floats(1);
        List<Pending> pending = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            pending.add(ranks.allReduce(value));
        }
        pending.reversed().forEach(Pending::await);
        assertEquals((float) Math.pow(ranks.size(), 20), floats(value)[0]);
        ranks.barrier();
    }

    private void sumsNumbers() {
        assertArrayEquals(
                new double[] {ranks.size(), ranks.size() * (ranks.size() - 1) / 2.0}, ranks.sum(1, ranks.rank()));
    }

    /** Even and odd ranks. */
    private void splits() {
        try (Communicator part = ranks.split(ranks.rank() % 2)) {
            assertEquals(ranks.rank() / 2, part.rank());
            assertEquals((ranks.size() + 1 - ranks.rank() % 2) / 2, part.size());
            double expected = 0;
            for (int r = ranks.rank() % 2; r < ranks.size(); r += 2) {
                expected += r;
            }
            assertEquals(expected, part.sum(ranks.rank())[0]);
        }
    }

    /** The last thing that ranks do: they come apart, and all of them hear of it. */
    public static void checkThatRanksComeApart(Communicator ranks) {
        checkThatRanksComeApart(ranks, new ScalarBackend());
    }

    /** Likewise. */
    public static void checkThatRanksComeApart(Communicator ranks, DeviceMemory memory) {
        try (TensorArena arena = memory.newArena()) {
            Tensor values = arena.allocate(DType.F32, ranks.rank() == 0 ? 4 : 8);
            RankException failure = assertThrows(
                    RankException.class, () -> ranks.allReduce(values).await());
            assertTrue(failure.getMessage().contains("come apart"), failure.getMessage());
            assertThrows(RankException.class, () -> ranks.allReduce(values).await());
        }
    }
}
