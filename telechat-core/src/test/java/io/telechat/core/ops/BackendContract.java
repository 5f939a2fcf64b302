// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.ops;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.telechat.core.backend.Backend;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.HostArena;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.tensor.TensorArena;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/** Two backends of which one must agree with the other, and tensors of the same elements in both. A subclass names the two. */
abstract class BackendContract {
    final SplittableRandom random = new SplittableRandom(7);
    Backend subject;
    Backend oracle;
    TensorArena arena;
    TensorArena oracleArena;
    HostArena host;

    /** The implementation under test. */
    protected abstract Backend subject();

    /** The one that it must agree with. */
    protected abstract Backend oracle();

    @BeforeEach
    void open() {
        subject = subject();
        oracle = oracle();
        arena = subject.memory().newArena();
        oracleArena = oracle.memory().newArena();
        host = new HostArena();
    }

    @AfterEach
    void close() {
        arena.close();
        oracleArena.close();
        host.close();
        subject.close();
        oracle.close();
    }

    /** A tensor of the same elements in each of the two backends. */
    record Pair(Tensor subject, Tensor oracle) {
        Pair rows(long from, long to) {
            return new Pair(subject.rows(from, to), oracle.rows(from, to));
        }

        Pair reshape(long... dims) {
            return new Pair(subject.reshape(dims), oracle.reshape(dims));
        }
    }

    /** Random elements. */
    Pair input(long... dims) {
        return pair(random(DType.F32, dims));
    }

    Pair pair(Tensor values) {
        return new Pair(subject.memory().copy(values, arena), oracle.memory().copy(values, oracleArena));
    }

    Tensor random(DType dtype, long... dims) {
        Tensor tensor = host.allocate(dtype, dims);
        for (long i = 0; i < tensor.shape().elements(); i++) {
            tensor.setFloat(i, (float) random.nextGaussian());
        }
        return tensor;
    }

    /** Zeros. */
    Pair output(long... dims) {
        return new Pair(arena.allocate(DType.F32, dims), oracleArena.allocate(DType.F32, dims));
    }

    void assertClose(Pair pair, double tolerance) {
        float[] actual = subject.memory().toHost(pair.subject()).toFloats();
        float[] expected = oracle.memory().toHost(pair.oracle()).toFloats();
        for (int i = 0; i < expected.length; i++) {
            double allowed = tolerance * (1 + Math.abs(expected[i]));
            int element = i;
            assertEquals(expected[i], actual[i], allowed, () -> "element " + element + " of " + pair.oracle());
        }
    }
}
