// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend.cpu;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.telechat.core.ffi.NativeLibrary;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.openblas.global.openblas_nolapack;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Big float products by OpenBLAS, the library that ND4J brings. It is told to use one thread: we split the work ourselves,
 * in a way that does not depend on the number of threads. Loaded on first use, which takes a few hundred milliseconds.
 */
final class OpenBlas {
    private static final Logger LOG = LoggerFactory.getLogger(OpenBlas.class);
    private static final int ROW_MAJOR = 101;
    private static final int AS_IS = 111;
    private static final int TRANSPOSED = 112;

    private final MethodHandle sgemm;

    private OpenBlas(MethodHandle sgemm) {
        this.sgemm = sgemm;
    }

    /** Loads the library once, when first asked for. */
    private static final class Holder {
        private static final OpenBlas LOADED = load();
    }

    private static OpenBlas load() {
        try {
            NativeLibrary library = NativeLibrary.open(Path.of(Loader.load(openblas_nolapack.class)));
            library.function("openblas_set_num_threads", FunctionDescriptor.ofVoid(JAVA_INT))
                    .invokeExact(1);
            MethodHandle sgemm = library.function(
                    "cblas_sgemm",
                    FunctionDescriptor.ofVoid(
                            JAVA_INT,
                            JAVA_INT,
                            JAVA_INT,
                            JAVA_INT,
                            JAVA_INT,
                            JAVA_INT,
                            JAVA_FLOAT,
                            ADDRESS,
                            JAVA_INT,
                            ADDRESS,
                            JAVA_INT,
                            JAVA_FLOAT,
                            ADDRESS,
                            JAVA_INT));
            return new OpenBlas(sgemm);
        } catch (Throwable e) {
            LOG.warn("OpenBLAS cannot be loaded ({}); long prompts will be slower", e.toString());
            return null;
        }
    }

    static boolean isUsable() {
        return Holder.LOADED != null;
    }

    /** For people. */
    static String describe() {
        return isUsable() ? "OpenBLAS" : "the same kernels, because OpenBLAS cannot be loaded";
    }

    /**
     * {@code c = a · bᵀ + beta · c} in row-major order.
     *
     * @param a [m, k]
     * @param b [n, k]
     * @param c [m, n] with rows {@code ldc} floats apart
     */
    static void multiplyTransposed(
            int m, int n, int k, MemorySegment a, MemorySegment b, float beta, MemorySegment c, int ldc) {
        try {
            Holder.LOADED.sgemm.invokeExact(ROW_MAJOR, AS_IS, TRANSPOSED, m, n, k, 1f, a, k, b, k, beta, c, ldc);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }
}
