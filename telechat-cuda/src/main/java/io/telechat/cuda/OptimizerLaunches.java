// SPDX-License-Identifier: Apache-2.0
package io.telechat.cuda;

import io.telechat.core.ops.BlockwiseTensor;
import io.telechat.core.ops.DynamicCode;
import io.telechat.core.ops.GradOps.AdamWStep;
import io.telechat.core.ops.Rounding;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.Shape;
import io.telechat.core.tensor.Tensor;
import io.telechat.cuda.driver.Stream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/** The optimizer's formulas: the kernels of optimizer.cu, on what grid. */
final class OptimizerLaunches implements AutoCloseable {
    /** Squares that one block adds up. */
    private static final int CHUNK = 16384;
    /** Blocks of 256 codes that one thread block updates at a time, a warp each. */
    private static final int WARPS = 8;

    private final Stream stream;
    private final Kernels kernels;
    private final CudaMemory memory;
    private final Scratch sums;
    private final DeviceArena tables;
    /** float[4][256]: values and ends of the signed code, then of the unsigned. */
    private Tensor codes;

    OptimizerLaunches(CudaEngine engine, CudaMemory memory) {
        this.stream = engine.stream();
        this.kernels = engine.kernels();
        this.memory = memory;
        this.sums = new Scratch(stream);
        this.tables = new DeviceArena(stream);
    }

    double sumOfSquares(List<Tensor> tensors) {
        long chunks = tensors.stream()
                .mapToLong(t -> Math.ceilDiv(t.shape().elements(), CHUNK))
                .sum();
        if (chunks == 0) {
            return 0;
        }
        long partial = sums.of((chunks + 1) * Double.BYTES);
        long at = partial + Double.BYTES;
        for (Tensor tensor : tensors) {
            long elements = tensor.shape().elements();
            stream.launch(kernels.get("optimizer", "sum_of_squares", "plp"))
                    .grid(Math.ceilDiv(elements, CHUNK))
                    .threads(Kernels.THREADS)
                    .put(DeviceStorage.address(tensor))
                    .put(elements)
                    .put(at)
                    .run();
            at += Math.ceilDiv(elements, CHUNK) * Double.BYTES;
        }
        stream.launch(kernels.get("optimizer", "sum_doubles", "plp"))
                .grid(1)
                .threads(Kernels.THREADS)
                .put(partial + Double.BYTES)
                .put(chunks)
                .put(partial)
                .run();
        DeviceStorage total = new DeviceStorage(stream, partial, Double.BYTES, 0);
        MemorySegment bytes = memory.toHost(new Tensor(DType.U8, Shape.of(Double.BYTES), total))
                .segment();
        return bytes.get(ValueLayout.JAVA_DOUBLE, 0);
    }

    void adamW(Tensor parameter, Tensor gradient, Tensor m, Tensor v, AdamWStep step) {
        long elements = parameter.shape().elements();
        Stream.Launch launch = stream.launch(kernels.get("optimizer", "adam_w", "pppplffffffff"))
                .grid(Kernels.blocks(elements))
                .threads(Kernels.THREADS)
                .put(DeviceStorage.address(parameter))
                .put(DeviceStorage.address(gradient))
                .put(DeviceStorage.address(m))
                .put(DeviceStorage.address(v))
                .put(elements);
        put(step, launch).run();
    }

    private static Stream.Launch put(AdamWStep step, Stream.Launch launch) {
        return launch.put(step.rate())
                .put(step.beta1())
                .put(step.beta2())
                .put(step.epsilon())
                .put(step.decay())
                .put(step.gradientScale())
                .put(step.correction1())
                .put(step.correction2());
    }

    void adamW8(Tensor parameter, Tensor gradient, BlockwiseTensor m, BlockwiseTensor v, AdamWStep step) {
        long elements = parameter.shape().elements();
        long values = DeviceStorage.address(codes());
        long table = 256L * Float.BYTES;
        Stream.Launch launch = stream.launch(kernels.get("optimizer", "adam_w8", "pppppppppplffffffff"))
                .grid(Math.ceilDiv(BlockwiseTensor.blocks(elements), WARPS))
                .threads(WARPS * 32)
                .put(DeviceStorage.address(parameter))
                .put(DeviceStorage.address(gradient))
                .put(DeviceStorage.address(m.codes()))
                .put(DeviceStorage.address(m.scales()))
                .put(DeviceStorage.address(v.codes()))
                .put(DeviceStorage.address(v.scales()))
                .put(values)
                .put(values + table)
                .put(values + 2 * table)
                .put(values + 3 * table)
                .put(elements);
        put(step, launch).run();
    }

    private Tensor codes() {
        if (codes == null) {
            codes = tables.allocate(DType.F32, 4, 256);
            int row = 0;
            for (DynamicCode code : List.of(DynamicCode.SIGNED, DynamicCode.UNSIGNED)) {
                for (float[] table : List.of(code.values(), code.ends())) {
                    memory.write(
                            Tensor.over(MemorySegment.ofArray(table), DType.F32, 1, 256), codes.rows(row, row + 1));
                    row++;
                }
            }
        }
        return codes;
    }

    void round(Tensor from, Tensor to, Rounding rounding, long seed) {
        long elements = from.shape().elements();
        if (rounding == Rounding.NEAREST) {
            stream.launch(kernels.get("optimizer", "round_bf16", "plp"))
                    .grid(Kernels.blocks(elements))
                    .threads(Kernels.THREADS)
                    .put(DeviceStorage.address(from))
                    .put(elements)
                    .put(DeviceStorage.address(to))
                    .run();
        } else {
            stream.launch(kernels.get("optimizer", "round_bf16_stochastic", "pllp"))
                    .grid(Kernels.blocks(elements))
                    .threads(Kernels.THREADS)
                    .put(DeviceStorage.address(from))
                    .put(elements)
                    .put(seed)
                    .put(DeviceStorage.address(to))
                    .run();
        }
    }

    @Override
    public void close() {
        sums.close();
        tables.close();
    }
}
