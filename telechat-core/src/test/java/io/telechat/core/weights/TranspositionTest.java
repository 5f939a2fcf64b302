// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.weights;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.HostArena;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.workers.WorkerTeam;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TranspositionTest {
    @ParameterizedTest
    @CsvSource({"BF16,64,64", "BF16,1,200", "F16,131,70", "F32,64,128", "F32,130,67", "F32,65,1"})
    void everyElementChangesItsPlace(DType dtype, int rows, int columns) {
        try (HostArena arena = new HostArena();
                WorkerTeam workers = new WorkerTeam(2)) {
            Tensor from = arena.allocate(dtype, rows, columns);
            Tensor to = arena.allocate(dtype, columns, rows);
            for (long i = 0; i < from.shape().elements(); i++) {
                from.setFloat(i, i % 251); // exact in each type, and no two of one line alike
            }

            Transposition.copy(from, to, workers);

            for (long r = 0; r < rows; r++) {
                for (long c = 0; c < columns; c++) {
                    assertEquals(from.getFloat(r * columns + c), to.getFloat(c * rows + r), r + ", " + c);
                }
            }
        }
    }
}
