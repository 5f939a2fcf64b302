// SPDX-License-Identifier: Apache-2.0
package io.telechat.cuda;

import io.telechat.core.backend.DeviceMemory;
import io.telechat.core.ops.Weight;
import io.telechat.core.quant.FloatRows;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.Shape;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.tensor.TensorArena;
import io.telechat.cuda.driver.Stream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * The memory of a GPU. Weights keep their type; a row whose bytes are no multiple of 16 is filled up, so that every row can be read
 * 16 bytes at a time.
 */
final class CudaMemory implements DeviceMemory, AutoCloseable {
    private final Stream stream;
    private final Kernels kernels;
    private final Transfers transfers;

    CudaMemory(Stream stream, Kernels kernels) {
        this.stream = stream;
        this.kernels = kernels;
        this.transfers = new Transfers(stream);
    }

    @Override
    public TensorArena newArena() {
        return new DeviceArena(stream);
    }

    @Override
    public boolean isOnHost() {
        return false;
    }

    @Override
    public OptionalLong freeBytes() {
        return OptionalLong.of(stream.device().freeBytes());
    }

    @Override
    public Weight place(Weight weight, TensorArena arena) {
        List<Weight.Block> blocks = new ArrayList<>();
        for (Weight.Block block : weight.blocks()) {
            Optional<Tensor> bias = block.bias().map(b -> place(b, arena));
            blocks.add(new Weight.Block(placeMatrix(block.matrix(), (DeviceArena) arena), bias));
        }
        return new Weight(weight.id(), blocks);
    }

    private Tensor placeMatrix(Tensor matrix, DeviceArena arena) {
        if (!matrix.isOnHost()) {
            return matrix;
        }
        if (!isComputedWith(matrix.dtype())) {
            return copy(matrix, arena);
        }
        long pitch = pitch(matrix.dtype(), matrix.shape());
        if (pitch == 0) {
            DeviceStorage storage = arena.allocate(matrix.bytes(), 0);
            transfers.toDevice(matrix.segment(), storage.address());
            return new Tensor(matrix.dtype(), matrix.shape(), storage);
        }
        DeviceStorage storage = arena.allocate(matrix.rows() * pitch, pitch);
        try (DeviceArena temporary = new DeviceArena(stream)) {
            DeviceStorage dense = temporary.allocate(matrix.bytes(), 0);
            transfers.toDevice(matrix.segment(), dense.address());
            stream.launch(kernels.get("elementwise", "spread_rows", "pllp"))
                    .grid(matrix.rows())
                    .threads(128)
                    .put(dense.address())
                    .put(matrix.bytes() / Math.max(1, matrix.rows()))
                    .put(pitch)
                    .put(storage.address())
                    .run();
        }
        return new Tensor(matrix.dtype(), matrix.shape(), storage);
    }

    private static boolean isComputedWith(DType dtype) {
        return switch (dtype) {
            case F32, F16, BF16, Q8, Q4 -> true;
            default -> false;
        };
    }

    /** Bytes from row to row of a placed matrix; 0 where rows follow one another. */
    private static long pitch(DType dtype, Shape shape) {
        if (dtype.isQuantized() || shape.rank() != 2) {
            return 0;
        }
        long row = shape.dim(1) * dtype.bytes();
        return row % DeviceStorage.ALIGNMENT == 0
                ? 0
                : Math.ceilDiv(row, DeviceStorage.ALIGNMENT) * DeviceStorage.ALIGNMENT;
    }

    @Override
    public Tensor place(Tensor tensor, TensorArena arena) {
        return tensor.isOnHost() ? copy(tensor, arena) : tensor;
    }

    @Override
    public long placedBytes(DType stored, Shape shape) {
        if (shape.rank() != 2 || !isComputedWith(stored)) {
            return DType.F32.bytes(shape);
        }
        long pitch = pitch(stored, shape);
        return pitch == 0 ? stored.bytes(shape) : shape.dim(0) * pitch;
    }

    /** Half precision is widened on the GPU; what is quantized, or F64, on the way. */
    @Override
    public Tensor copy(Tensor stored, TensorArena arena) {
        Tensor copy = arena.allocate(DType.F32, stored.shape().toArray());
        if (!stored.isOnHost()) {
            write(stored, copy);
        } else if (stored.dtype() == DType.F32) {
            transfers.toDevice(stored.segment(), DeviceStorage.address(copy));
        } else if (stored.dtype() == DType.F16 || stored.dtype() == DType.BF16) {
            widen(stored, copy);
        } else {
            float[] values = stored.dtype().isQuantized() ? FloatRows.of(stored) : stored.toFloats();
            transfers.toDevice(MemorySegment.ofArray(values), DeviceStorage.address(copy));
        }
        return copy;
    }

    private void widen(Tensor stored, Tensor copy) {
        long elements = stored.shape().elements();
        try (DeviceArena temporary = new DeviceArena(stream)) {
            DeviceStorage narrow = temporary.allocate(stored.bytes(), 0);
            transfers.toDevice(stored.segment(), narrow.address());
            stream.launch(kernels.get("elementwise", "widen_" + stored.dtype(), "plp"))
                    .grid(Kernels.blocks(elements))
                    .threads(Kernels.THREADS)
                    .put(narrow.address())
                    .put(elements)
                    .put(DeviceStorage.address(copy))
                    .run();
        }
    }

    @Override
    public Tensor toHost(Tensor tensor) {
        if (tensor.isOnHost()) {
            return tensor;
        }
        // The garbage collector frees it: the caller holds no arena, and these are a few rows of logits.
        MemorySegment host = Arena.ofAuto().allocate(tensor.bytes(), 64);
        transfers.toHost(host, DeviceStorage.address(tensor));
        return Tensor.over(host, tensor.dtype(), tensor.shape().toArray());
    }

    @Override
    public void write(Tensor from, Tensor to) {
        if (to.isOnHost()) {
            to.segment().copyFrom(toHost(from).segment());
        } else if (from.isOnHost()) {
            transfers.toDevice(from.segment(), DeviceStorage.address(to));
        } else {
            stream.copyWithin(DeviceStorage.address(to), DeviceStorage.address(from), to.bytes());
        }
    }

    @Override
    public void close() {
        transfers.close();
    }
}
