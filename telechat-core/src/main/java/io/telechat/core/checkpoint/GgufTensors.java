// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.checkpoint;

import io.telechat.core.InvalidModelException;
import io.telechat.core.gguf.GgufBlocks;
import io.telechat.core.gguf.GgufFile.Stored;
import io.telechat.core.gguf.GgufModel;
import io.telechat.core.gguf.GgufNames;
import io.telechat.core.gguf.GgufType;
import io.telechat.core.gguf.RotatedRows;
import io.telechat.core.quant.Quantizer;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.HostStorage;
import io.telechat.core.tensor.QuantizedLayout;
import io.telechat.core.tensor.Shape;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.tensor.TensorArena;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.BiFunction;
import java.util.function.LongUnaryOperator;
import java.util.stream.IntStream;

/**
 * The tensors of a GGUF model under the names, and with the rows in the order, of Hugging Face's checkpoints. What is quantized
 * there is brought into another form whenever it is asked for, rows by rows, so that no tensor is in memory as floats.
 */
final class GgufTensors implements TensorFile {
    private final GgufModel model;
    private final Optional<DType> unpacked;
    private final Map<String, Stored> stored = new LinkedHashMap<>();
    private final Map<String, Info> infos = new LinkedHashMap<>();

    private GgufTensors(GgufModel model, Optional<DType> unpacked) {
        this.model = model;
        this.unpacked = unpacked;
        model.tensors().forEach((name, tensor) -> {
            if (!GgufNames.isRopeFactors(name)) {
                String ours = GgufNames.ofCheckpoint(name);
                stored.put(ours, tensor);
                infos.put(ours, new Info(dtype(tensor), tensor.shape(), tensor.path()));
            }
        });
    }

    /**
     * @param arena keeps the files mapped
     * @param unpacked what to bring quantized matrices into; the nearest type of ours if empty
     */
    static GgufTensors open(Path path, Arena arena, Optional<DType> unpacked) {
        return new GgufTensors(GgufModel.open(path, file -> MappedFile.map(file, arena)), unpacked);
    }

    private DType dtype(Stored tensor) {
        GgufType type = tensor.type();
        if (!type.isQuantized()) {
            return type.nearest();
        }
        return tensor.shape().rank() == 2 ? unpacked.orElse(type.nearest()) : DType.F32;
    }

    @Override
    public Map<String, Info> tensors() {
        return infos;
    }

    /** What the quantized matrices are in the files, and what becomes of them. */
    Map<GgufType, DType> conversions() {
        Map<GgufType, DType> conversions = new TreeMap<>();
        stored.forEach((name, tensor) -> {
            if (tensor.type().isQuantized()) {
                conversions.put(tensor.type(), infos.get(name).dtype());
            }
        });
        return conversions;
    }

    @Override
    public MemorySegment bytes(String name) {
        return stored.get(name).data();
    }

    @Override
    public Tensor tensor(String name) {
        return tensor(
                name,
                (dtype, shape) -> Tensor.over(
                        Arena.ofAuto().allocate(Math.max(1, dtype.bytes(shape)), 64), dtype, shape.toArray()));
    }

    @Override
    public Tensor tensor(String name, TensorArena copies) {
        return tensor(name, (dtype, shape) -> copies.allocate(dtype, shape.toArray()));
    }

    private Tensor tensor(String name, BiFunction<DType, Shape, Tensor> copies) {
        Stored tensor = stored.get(name);
        DType dtype = infos.get(name).dtype();
        boolean isTurned = model.hasRotatedRows() && GgufNames.isRotated(name);
        if (!tensor.type().isQuantized() && !isTurned) {
            return new Tensor(dtype, tensor.shape(), new HostStorage(tensor.data()));
        }
        LongUnaryOperator rows = isTurned ? turned(name, tensor.shape())::inGguf : row -> row;
        Tensor to = copies.apply(dtype, tensor.shape());
        if (!tensor.type().isQuantized()) {
            copyRows(tensor, rows, to);
        } else if (dtype.isQuantized()) {
            IntStream.range(0, Math.toIntExact(QuantizedLayout.panels(to.rows())))
                    .parallel()
                    .forEach(panel -> roundPanel(tensor, rows, to, panel));
        } else {
            unpackRows(tensor, rows, to);
        }
        return to;
    }

    private RotatedRows turned(String name, Shape shape) {
        int headDim = model.headDim();
        if (shape.dim(0) % headDim != 0) {
            throw new InvalidModelException(
                    "%s: '%s' has %d rows, no multiple of the %d of a head", model.path(), name, shape.dim(0), headDim);
        }
        return new RotatedRows(headDim);
    }

    /** Of a vector, elements. */
    private static void copyRows(Stored from, LongUnaryOperator rows, Tensor to) {
        long bytes = to.bytes() / to.rows();
        for (long row = 0; row < to.rows(); row++) {
            MemorySegment.copy(from.data(), rows.applyAsLong(row) * bytes, to.segment(), row * bytes, bytes);
        }
    }

    private static void roundPanel(Stored from, LongUnaryOperator rows, Tensor to, int panel) {
        int first = panel * QuantizedLayout.PANEL;
        int last = (int) Math.min(to.rows(), first + QuantizedLayout.PANEL);
        int columns = from.columns();
        float[] values = new float[(last - first) * columns];
        float[] row = new float[columns];
        for (int r = first; r < last; r++) {
            GgufBlocks.dequantize(from.type(), from.row(rows.applyAsLong(r)), row);
            System.arraycopy(row, 0, values, (r - first) * columns, columns);
        }
        Tensor floats = Tensor.over(MemorySegment.ofArray(values), DType.F32, last - first, columns);
        new Quantizer(to.dtype()).quantizePanel(floats, to.rows(first, last), 0);
    }

    private static void unpackRows(Stored from, LongUnaryOperator rows, Tensor to) {
        int columns = from.columns();
        IntStream.range(0, Math.toIntExact(to.shape().elements() / columns))
                .parallel()
                .forEach(r -> {
                    float[] row = new float[columns];
                    GgufBlocks.dequantize(from.type(), from.row(rows.applyAsLong(r)), row);
                    for (int i = 0; i < columns; i++) {
                        to.setFloat((long) r * columns + i, row[i]);
                    }
                });
    }
}
