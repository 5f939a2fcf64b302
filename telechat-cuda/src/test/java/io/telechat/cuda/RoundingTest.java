// SPDX-License-Identifier: Apache-2.0
package io.telechat.cuda;

import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.telechat.core.backend.Backend;
import io.telechat.core.ops.Batch;
import io.telechat.core.ops.HeadLayout;
import io.telechat.core.ops.RopeScaling;
import io.telechat.core.ops.RopeTable;
import io.telechat.core.ops.Weight;
import io.telechat.core.quant.Quantizer;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.HostArena;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.tensor.TensorArena;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What may round agrees with what does not, to the precision of bfloat16; by the library and by our own kernels. */
@NeedsEmulation
class RoundingTest {
    /** Half the distance of neighbours is 2^-9 of them; over a sum of random signs it averages out. */
    private static final double TOLERANCE = 6e-3;

    private final SplittableRandom random = new SplittableRandom(3);

    private Tensor random(HostArena host, DType dtype, long... dims) {
        Tensor tensor = host.allocate(dtype, dims);
        for (long i = 0; i < tensor.shape().elements(); i++) {
            tensor.setFloat(i, (float) random.nextGaussian());
        }
        return tensor;
    }

    private static void assertRounded(float[] exact, float[] rounded) {
        double error = 0;
        double norm = 0;
        for (int i = 0; i < exact.length; i++) {
            error += Math.pow(exact[i] - rounded[i], 2);
            norm += Math.pow(exact[i], 2);
        }
        double relative = Math.sqrt(error / norm);
        assertTrue(relative < TOLERANCE, "relative error " + relative);
    }

    private static float[] host(Backend backend, Tensor tensor) {
        return backend.memory().toHost(tensor).toFloats();
    }

    @ParameterizedTest
    @CsvSource({
        "1, BF16",
        "7, BF16",
        "20, BF16",
        "70, BF16",
        "300, BF16",
        "3, F16",
        "70, F16",
        "300, F16",
        "70, Q8",
        "300, Q8",
        "70, Q4"
    })
    void productsRoundToBf16(int tokens, DType dtype) {
        for (Backend backend : List.of(CudaBackend.open(0, 1), CudaBackend.withoutLibrary(0, 1))) {
            try (backend;
                    HostArena host = new HostArena();
                    TensorArena arena = backend.memory().newArena()) {
                Tensor matrix = dtype.isQuantized()
                        ? new Quantizer(dtype).quantize(random(host, DType.F32, 144, 256), host)
                        : random(host, dtype, 144, 256);
                Weight weight = backend.memory().place(Weight.of(matrix), arena);
                Tensor x = backend.memory().copy(random(host, DType.F32, tokens, 256), arena);
                Tensor exact = arena.allocate(DType.F32, tokens, 144);
                Tensor rounded = arena.allocate(DType.F32, tokens, 144);
                backend.ops().linear(x, weight, exact);
                backend.roundingOps().linear(x, weight, rounded);
                assertRounded(host(backend, exact), host(backend, rounded));
                assertNotEquals(Arrays.toString(host(backend, exact)), Arrays.toString(host(backend, rounded)));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {5, 64, 200})
    void gradientsRoundToBf16(int tokens) {
        for (Backend backend : List.of(CudaBackend.open(0, 1), CudaBackend.withoutLibrary(0, 1))) {
            try (backend;
                    HostArena host = new HostArena();
                    TensorArena arena = backend.memory().newArena()) {
                Weight weight = backend.memory().place(Weight.of(random(host, DType.BF16, 144, 256)), arena);
                Tensor x = backend.memory().copy(random(host, DType.F32, tokens, 256), arena);
                Tensor dy = backend.memory().copy(random(host, DType.F32, tokens, 144), arena);
                float[][] dx = new float[2][];
                float[][] dW = new float[2][];
                for (int i = 0; i < 2; i++) {
                    DType parameters = i == 0 ? DType.F32 : DType.BF16;
                    Tensor toX = arena.allocate(DType.F32, tokens, 256);
                    Tensor toW = arena.allocate(DType.F32, 144, 256);
                    backend.gradOps(parameters).linearInputGrad(dy, weight, toX, false);
                    backend.gradOps(parameters).linearWeightGrad(x, dy, Weight.of(toW));
                    dx[i] = host(backend, toX);
                    dW[i] = host(backend, toW);
                }
                assertRounded(dx[0], dx[1]);
                assertRounded(dW[0], dW[1]);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"64, 70", "128, 40", "160, 33", "256, 20"})
    void attentionAndItsGradientRoundToBf16(int headDim, int tokens) {
        HeadLayout heads = new HeadLayout(4, 2, headDim);
        try (Backend backend = CudaBackend.open(0, 1);
                HostArena host = new HostArena();
                TensorArena arena = backend.memory().newArena()) {
            Tensor qkv = backend.memory().copy(random(host, DType.F32, tokens, heads.qkvWidth()), arena);
            Tensor dOut = backend.memory().copy(random(host, DType.F32, tokens, heads.queryWidth()), arena);
            Batch batch = Batch.uncached(
                    new int[tokens],
                    new int[] {tokens},
                    List.of(RopeTable.of(new RopeScaling(10_000, 1, false), headDim, 0, tokens)));
            float[][] outs = new float[2][];
            float[][] gradients = new float[2][];
            for (int i = 0; i < 2; i++) {
                DType parameters = i == 0 ? DType.F32 : DType.BF16;
                Tensor out = arena.allocate(DType.F32, tokens, heads.queryWidth());
                Tensor lse = arena.allocate(DType.F32, tokens, heads.heads());
                Tensor dQkv = arena.allocate(DType.F32, tokens, heads.qkvWidth());
                backend.trainingOps(parameters).attention(qkv, heads, batch, 0, out, lse);
                backend.gradOps(parameters).attentionBackward(qkv, out, lse, dOut, heads, batch, dQkv);
                outs[i] = host(backend, out);
                gradients[i] = host(backend, dQkv);
            }
            assertRounded(outs[0], outs[1]);
            assertRounded(gradients[0], gradients[1]);
        }
    }
}
