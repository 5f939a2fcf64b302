// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend.cpu;

import io.telechat.core.backend.cpu.kernel.GradKernels;
import io.telechat.core.backend.cpu.kernel.GradKernels.Rows;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.workers.WorkerTeam;
import java.lang.foreign.MemorySegment;
import java.util.stream.Stream;

/**
 * Formulas over rows of activations that may be bfloat16. No kernel knows of it: some rows at a time are widened into memory of
 * the thread's own, which stays in its cache, and what is computed there is rounded on its way back. Rows of floats are used
 * where they lie.
 */
final class ActivationRows implements AutoCloseable {
    /** Elements of the widest operand's rows that are taken at once: 64 KiB of floats. */
    private static final int CHUNK = 16_384;

    private final WorkerTeam workers;
    private final GradKernels kernels;
    private final Scratch[] scratch;

    ActivationRows(WorkerTeam workers, GradKernels kernels) {
        this.workers = workers;
        this.kernels = kernels;
        this.scratch = Scratch.perThread(workers.size());
    }

    /** A matrix [rows, columns] of F32 or BF16. */
    record Operand(Tensor tensor, boolean isRead, boolean isWritten) {
        static Operand read(Tensor tensor) {
            return new Operand(tensor, true, false);
        }

        static Operand written(Tensor tensor) {
            return new Operand(tensor, false, true);
        }

        /** In place. */
        static Operand updated(Tensor tensor) {
            return new Operand(tensor, true, true);
        }

        private boolean isNarrow() {
            return tensor.dtype() != DType.F32;
        }

        private Rows rows(long first) {
            long at = first * tensor.columns() * tensor.dtype().bytes();
            return new Rows(tensor.segment().asSlice(at), tensor.columns());
        }
    }

    /** What is done with some rows. */
    interface Task {
        /**
         * @param first of the rows
         * @param operands these rows of each, as floats one behind the other
         */
        void run(long first, long count, MemorySegment[] operands);
    }

    /** As many rows at a time as a thread's cache has room for. */
    void run(Task task, Operand... operands) {
        long widest =
                Stream.of(operands).mapToLong(o -> o.tensor().columns()).max().orElse(1);
        run(Math.max(1, CHUNK / widest), task, operands);
    }

    /** @param together rows that make a task, whatever the number of threads */
    void run(long together, Task task, Operand... operands) {
        long rows = operands[0].tensor().rows();
        workers.run(Math.toIntExact((rows + together - 1) / together), (part, worker) -> {
            long first = part * together;
            run(task, first, Math.min(together, rows - first), operands, scratch[worker]);
        });
    }

    private void run(Task task, long first, long count, Operand[] operands, Scratch memory) {
        long columns = 0;
        for (Operand operand : operands) {
            columns += operand.isNarrow() ? operand.tensor().columns() : 0;
        }
        MemorySegment wide = memory.floats(count * columns);
        MemorySegment[] rows = new MemorySegment[operands.length];
        long at = 0;
        for (int i = 0; i < operands.length; i++) {
            Operand operand = operands[i];
            rows[i] = operand.rows(first).first();
            if (operand.isNarrow()) {
                long width = operand.tensor().columns();
                rows[i] = wide.asSlice(4 * at);
                at += count * width;
                if (operand.isRead()) {
                    kernels.widenRows(
                            operand.tensor().dtype(), operand.rows(first), new Rows(rows[i], width), count, width);
                }
            }
        }
        task.run(first, count, rows);
        for (int i = 0; i < operands.length; i++) {
            Operand operand = operands[i];
            if (operand.isNarrow() && operand.isWritten()) {
                long width = operand.tensor().columns();
                kernels.narrowRows(
                        operand.tensor().dtype(), new Rows(rows[i], width), operand.rows(first), count, width);
            }
        }
    }

    @Override
    public void close() {
        for (Scratch one : scratch) {
            one.close();
        }
    }
}
