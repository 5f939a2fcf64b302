// SPDX-License-Identifier: Apache-2.0
package io.telechat.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.telechat.core.backend.TopLogits;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.tensor.TensorArena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The highest logits of a row, against a row that is sorted as a whole. */
@NeedsEmulation
class CudaTopSelectorTest {
    private static final float NONE = Float.NEGATIVE_INFINITY;

    private CudaBackend backend;
    private TensorArena arena;

    @BeforeEach
    void open() {
        backend = CudaBackend.open(0, 1);
        arena = backend.memory().newArena();
    }

    @AfterEach
    void close() {
        arena.close();
        backend.close();
    }

    private List<Optional<TopLogits>> select(float[]... rows) {
        int vocab = rows[0].length;
        float[] all = new float[rows.length * vocab];
        for (int i = 0; i < rows.length; i++) {
            System.arraycopy(rows[i], 0, all, i * vocab, vocab);
        }
        Tensor logits = arena.allocate(DType.F32, rows.length, vocab);
        MemorySegment host = java.lang.foreign.Arena.ofAuto().allocate(4L * all.length, 64);
        MemorySegment.copy(all, 0, host, java.lang.foreign.ValueLayout.JAVA_FLOAT, 0, all.length);
        backend.memory().write(Tensor.over(host, DType.F32, rows.length, vocab), logits);
        return backend.topSelector().orElseThrow().select(logits);
    }

    private static void check(float[] row, Optional<TopLogits> found) {
        TopLogits top = found.orElseThrow();
        // A stable sort leaves equals in the order of their ids; minus zero equals zero.
        int[] order = IntStream.range(0, row.length)
                .boxed()
                .sorted((a, b) -> Float.compare(row[b] + 0f, row[a] + 0f))
                .mapToInt(i -> i)
                .toArray();
        int count = Math.min(1024, row.length);
        int[] ids = Arrays.stream(order).limit(count).sorted().toArray();
        float[] values = new float[count];
        double sum = 0;
        for (int i = 0; i < count; i++) {
            values[i] = row[ids[i]];
        }
        for (float logit : row) {
            sum += Math.exp(logit - row[order[0]]);
        }
        assertEquals(row.length, top.vocab());
        assertArrayEquals(ids, top.ids());
        for (int i = 0; i < count; i++) {
            assertEquals(Float.floatToRawIntBits(values[i]), Float.floatToRawIntBits(top.values()[i]));
        }
        assertEquals(count < row.length ? row[order[count]] + 0f : NONE, top.rest() + 0f);
        assertEquals(row[order[0]] + Math.log(sum), top.logSum(), 1e-5);
    }

    private static float[] random(int count, double spread, long seed) {
        Random random = new Random(seed);
        float[] row = new float[count];
        for (int i = 0; i < count; i++) {
            row[i] = (float) (spread * random.nextGaussian());
        }
        return row;
    }

    /** Fewer than there are candidates, as many, more; several parts, the last of another size. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 31, 300, 1023, 1024, 1025, 2049, 32_767, 50_001})
    void theHighestAreFoundInRowsOfAnySize(int vocab) {
        float[] one = random(vocab, 3, 1);
        float[] other = random(vocab, 1e-3, 2);
        List<Optional<TopLogits>> found = select(one, other);
        check(one, found.get(0));
        check(other, found.get(1));
    }

    @ParameterizedTest
    @ValueSource(ints = {700, 3001, 40_001})
    void ofEqualsTheLowestIdsAreTaken(int vocab) {
        float[] same = new float[vocab];
        Arrays.fill(same, -2.5f);
        float[] few = random(vocab, 2, 3);
        for (int i = 0; i < vocab; i++) {
            few[i] = Math.round(few[i]);
        }
        float[] zeros = new float[vocab];
        for (int i = 0; i < vocab; i++) {
            zeros[i] = i % 3 == 0 ? -0f : 0f;
        }
        List<Optional<TopLogits>> found = select(same, few, zeros);
        check(same, found.get(0));
        check(few, found.get(1));
        check(zeros, found.get(2));
    }

    @ParameterizedTest
    @ValueSource(ints = {5, 1500, 40_001})
    void whatIsMaskedComesLast(int vocab) {
        float[] row = new float[vocab];
        Arrays.fill(row, NONE);
        row[vocab - 1] = -1e30f;
        row[vocab / 2] = 7;
        row[1] = 1e30f;
        float[] lonely = new float[vocab];
        Arrays.fill(lonely, NONE);
        lonely[2] = Float.MIN_VALUE;
        List<Optional<TopLogits>> found = select(row, lonely);
        check(row, found.get(0));
        check(lonely, found.get(1));
    }

    @ParameterizedTest
    @ValueSource(ints = {5, 1500, 40_001})
    void aDamagedRowIsToBeReadAsAWhole(int vocab) {
        float[] nan = random(vocab, 1, 4);
        nan[vocab - 1] = Float.NaN;
        float[] negativeNan = random(vocab, 1, 4);
        negativeNan[0] = Float.intBitsToFloat(0xffc0_0001);
        float[] infinite = random(vocab, 1, 5);
        infinite[vocab / 2] = Float.POSITIVE_INFINITY;
        float[] nothing = new float[vocab];
        Arrays.fill(nothing, NONE);
        float[] good = random(vocab, 1, 6);
        List<Optional<TopLogits>> found = select(nan, negativeNan, infinite, nothing, good);
        assertTrue(found.subList(0, 4).stream().allMatch(Optional::isEmpty));
        check(good, found.get(4));
    }

    @Test
    void moreRowsThanBeforeFindRoom() {
        check(random(1100, 1, 7), select(random(1100, 1, 7)).getFirst());
        float[][] rows =
                IntStream.range(0, 20).mapToObj(i -> random(1100, 1, i)).toArray(float[][]::new);
        List<Optional<TopLogits>> found = select(rows);
        for (int i = 0; i < rows.length; i++) {
            check(rows[i], found.get(i));
        }
    }
}
