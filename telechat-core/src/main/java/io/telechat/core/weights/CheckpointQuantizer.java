// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.weights;

import io.telechat.core.InvalidModelException;
import io.telechat.core.architecture.TensorSpec;
import io.telechat.core.checkpoint.Checkpoint;
import io.telechat.core.checkpoint.CheckpointWriter;
import io.telechat.core.checkpoint.SafetensorsWriter;
import io.telechat.core.quant.FloatRows;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.HostArena;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.workers.WorkerTeam;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Writes a checkpoint whose matrices, embedding and head included, are rounded to 8 or 4 bits; norms and biases stay as they
 * are. One tensor at a time is in memory.
 *
 * @param dtype Q8 or Q4
 */
public record CheckpointQuantizer(DType dtype, WorkerTeam workers, LoadProgress progress) {
    /**
     * What became of a tensor.
     *
     * @param error the square root of the sum of squared differences over that of the squared originals; 0 if it stayed
     */
    public record Result(String name, DType from, DType to, long bytesBefore, long bytesAfter, double error) {}

    /**
     * @param directory created if need be; gets the weights only
     * @return one per tensor, in the order of the computation
     * @throws InvalidModelException if the checkpoint is quantized already, or the directory cannot be written
     */
    public List<Result> write(ModelLoader.Checked checked, Path directory) {
        Checkpoint checkpoint = checked.checkpoint();
        if (checked.isQuantized()) {
            throw new InvalidModelException(
                    "%s: is quantized already; start from the original", checkpoint.directory());
        }
        Map<String, TensorSpec> specs = new HashMap<>();
        Map<String, SafetensorsWriter.Entry> entries = new LinkedHashMap<>();
        for (TensorSpec spec : checked.config().architecture().tensors(checked.config())) {
            specs.put(spec.name(), spec);
            DType to = spec.isQuantizable() ? dtype : checkpoint.dtype(spec.name());
            entries.put(spec.name(), new SafetensorsWriter.Entry(to, spec.storedShape(to)));
        }
        long total = specs.keySet().stream()
                .mapToLong(name -> checkpoint.dtype(name).bytes(checkpoint.shape(name)))
                .sum();
        List<Result> results = new ArrayList<>();
        WeightScan scan = new WeightScan(workers, progress, total, true);
        CheckpointWriter.write(directory, entries, (name, to) -> {
            try (HostArena arena = new HostArena()) {
                CheckpointTensors source = new CheckpointTensors(checkpoint, arena, workers, scan);
                results.add(convert(specs.get(name), source, to));
                scan.complaint().ifPresent(where -> {
                    throw new InvalidModelException("%s: %s", checkpoint.directory(), where);
                });
            }
        });
        return results;
    }

    private Result convert(TensorSpec spec, CheckpointTensors source, Tensor to) {
        Tensor from = spec.transposed() && to.dtype().isQuantized()
                ? source.transposed(spec.name())
                : source.get(spec.name());
        double error = 0;
        if (to.dtype().isQuantized()) {
            new WeightQuantizer(dtype, workers).quantize(from, to);
            error = relativeError(from, to);
        } else {
            to.segment().copyFrom(from.segment());
        }
        Result result = new Result(spec.name(), from.dtype(), to.dtype(), from.bytes(), to.bytes(), error);
        from.leaveMemory();
        return result;
    }

    private double relativeError(Tensor before, Tensor after) {
        int rows = Math.toIntExact(before.rows());
        int columns = Math.toIntExact(before.columns());
        double[] differences = new double[rows];
        double[] squares = new double[rows];
        workers.run(rows, (row, worker) -> {
            float[] original = new float[columns];
            float[] rounded = new float[columns];
            FloatRows.copy(before, row, original);
            FloatRows.copy(after, row, rounded);
            for (int i = 0; i < columns; i++) {
                double difference = (double) original[i] - rounded[i];
                differences[row] += difference * difference;
                squares[row] += (double) original[i] * original[i];
            }
        });
        double difference = 0;
        double square = 0;
        for (int row = 0; row < rows; row++) {
            difference += differences[row];
            square += squares[row];
        }
        return square == 0 ? 0 : Math.sqrt(difference / square);
    }
}
