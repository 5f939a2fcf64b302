// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.weights;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.telechat.core.InvalidRequestException;
import io.telechat.core.architecture.ModelPart;
import io.telechat.core.quant.FloatRows;
import io.telechat.core.quant.Quantizer;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.HostArena;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.workers.WorkerTeam;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ColumnCutTest {
    private static final int ROWS = 37;
    private static final int COLUMNS = 300;

    private final WorkerTeam workers = new WorkerTeam(2);

    private static Tensor random(DType dtype, HostArena arena) {
        Tensor matrix = arena.allocate(dtype, ROWS, COLUMNS);
        Random random = new Random(1);
        for (int i = 0; i < ROWS * COLUMNS; i++) {
            matrix.setFloat(i, (float) random.nextGaussian());
        }
        return matrix;
    }

    private void check(Tensor matrix, int from, int to, HostArena arena) {
        Tensor cut = new ColumnCut(new ModelPart.Range(from, to), workers).copy(matrix, arena);
        for (int row = 0; row < ROWS; row++) {
            float[] whole = new float[COLUMNS];
            float[] part = new float[to - from];
            FloatRows.copy(matrix, row, whole);
            FloatRows.copy(cut, row, part);
            assertArrayEquals(Arrays.copyOfRange(whole, from, to), part);
        }
    }

    @ParameterizedTest
    @CsvSource({"F32, 0, 300", "F32, 7, 8", "F16, 100, 211", "BF16, 299, 300"})
    void anyColumnsOfFloats(DType dtype, int from, int to) {
        try (workers;
                HostArena arena = new HostArena()) {
            check(random(dtype, arena), from, to, arena);
        }
    }

    /** Of every place of a group in its block, and the last one, which is not whole. */
    @ParameterizedTest
    @CsvSource({"Q8, 0, 128", "Q8, 32, 192", "Q8, 96, 300", "Q4, 64, 96", "Q4, 160, 300", "Q4, 0, 300"})
    void wholeGroupsOfQuantizedColumns(DType dtype, int from, int to) {
        try (workers;
                HostArena arena = new HostArena()) {
            check(new Quantizer(dtype).quantize(random(DType.F32, arena), arena), from, to, arena);
        }
    }

    @Test
    void aGroupIsNotCutThrough() {
        try (workers;
                HostArena arena = new HostArena()) {
            Tensor matrix = new Quantizer(DType.Q4).quantize(random(DType.F32, arena), arena);
            ColumnCut cut = new ColumnCut(new ModelPart.Range(0, 40), workers);
            assertThrows(InvalidRequestException.class, () -> cut.copy(matrix, arena));
        }
    }
}
