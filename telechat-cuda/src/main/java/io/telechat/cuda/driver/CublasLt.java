// SPDX-License-Identifier: Apache-2.0
package io.telechat.cuda.driver;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.telechat.core.ffi.NativeLibrary;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * NVIDIA's library of matrix products, {@code libcublasLt.so}, on one stream. Operands are floats or bfloat16, sums and results floats.
 *
 * @see <a href="https://docs.nvidia.com/cuda/cublas/#using-the-cublaslt-api">cuBLASLt</a>
 */
public final class CublasLt implements AutoCloseable {
    /** Names another library than the system's: a path. */
    private static final String PROPERTY = "telechat.cublaslt.library";

    private static final List<String> NAMES = List.of(
            "libcublasLt.so.13",
            "libcublasLt.so.12",
            "/usr/local/cuda/lib64/libcublasLt.so.13",
            "/usr/local/cuda/lib64/libcublasLt.so.12");

    private static final long WORKSPACE_BYTES = 32L << 20;
    /** What addresses and rows of operands are multiples of. */
    public static final int ALIGNMENT = 16;

    private static final int FLOAT = 0;
    private static final int BFLOAT16 = 14;
    private static final int COMPUTE_FLOAT = 68;
    private static final int TRANSPOSE_A = 3;
    private static final int TRANSPOSE_B = 4;
    private static final int MAX_WORKSPACE = 1;
    private static final int MIN_ALIGNMENT_A = 5;
    private static final int MIN_ALIGNMENT_D = 8;
    private static final int RESULT_BYTES = 96;
    private static final int ALGORITHM_BYTES = 64;

    private final Functions functions;
    private final Stream stream;
    private final Arena arena = Arena.ofShared();
    private final MethodHandle multiply;
    private final MemorySegment handle;
    private final MemorySegment one = arena.allocateFrom(JAVA_FLOAT, 1);
    private final MemorySegment zero = arena.allocateFrom(JAVA_FLOAT, 0);
    private final Map<Shape, Plan> plans = new HashMap<>();
    private long workspace;

    /**
     * One product {@code D[m, n] = op(A) · op(B) (+ C)} of matrices stored by columns.
     *
     * @param bf16 whether A and B are bfloat16; floats otherwise
     * @param transposeA whether A is stored as [k, m]
     * @param transposeB whether B is stored as [n, k]
     * @param pitchA elements from one column of A to the next; likewise B and D, which C shares
     * @param adds whether there is a C
     */
    public record Shape(
            boolean bf16,
            boolean transposeA,
            boolean transposeB,
            long m,
            long n,
            long k,
            long pitchA,
            long pitchB,
            long pitchD,
            boolean adds) {}

    private record Plan(
            MemorySegment description, MemorySegment a, MemorySegment b, MemorySegment d, MemorySegment algorithm) {}

    private CublasLt(NativeLibrary library, Stream stream) {
        this.functions = new Functions(library, CublasLt::check);
        this.stream = stream;
        stream.device().use();
        this.handle = make("cublasLtCreate", List.of());
        this.multiply = functions.handle(
                "cublasLtMatmul",
                ADDRESS,
                ADDRESS,
                ADDRESS,
                JAVA_LONG,
                ADDRESS,
                JAVA_LONG,
                ADDRESS,
                ADDRESS,
                JAVA_LONG,
                ADDRESS,
                JAVA_LONG,
                ADDRESS,
                ADDRESS,
                JAVA_LONG,
                JAVA_LONG,
                JAVA_LONG);
    }

    /** Empty where the library is not installed. */
    public static Optional<CublasLt> find(Stream stream) {
        return NativeLibrary.find(Optional.ofNullable(System.getProperty(PROPERTY))
                        .map(List::of)
                        .orElse(NAMES))
                .map(library -> new CublasLt(library, stream));
    }

    /** Such as {@code cuBLASLt 13.0.2}. */
    public String version() {
        try {
            long version = (long) functions
                    .library()
                    .function("cublasLtGetVersion", FunctionDescriptor.of(JAVA_LONG))
                    .invokeExact();
            return version >= 100_000
                    ? "cuBLASLt %d.%d.%d".formatted(version / 10_000, version / 100 % 100, version % 100)
                    : "cuBLASLt " + version;
        } catch (Throwable e) {
            throw Functions.unexpected(e);
        }
    }

    private static void check(int code, String name) {
        if (code != 0) {
            throw new CudaException("%s failed: %d", name, code);
        }
    }

    private MemorySegment make(String name, List<MemoryLayout> parameters, Object... arguments) {
        return MemorySegment.ofAddress(functions.make(name, parameters, arguments));
    }

    /**
     * Multiplies, in the order of the stream. Addresses are multiples of {@link #ALIGNMENT}, rows of that many bytes.
     *
     * @param c address of C, which may be D; 0 where the shape has none
     */
    public void multiply(Shape shape, long a, long b, long c, long d) {
        Plan plan = plans.computeIfAbsent(shape, this::plan);
        if (workspace == 0) {
            workspace = stream.device().allocate(WORKSPACE_BYTES);
        }
        stream.flush();
        MemorySegment beta = shape.adds ? one : zero;
        long added = shape.adds ? c : d;
        try {
            check(
                    (int) multiply.invokeExact(
                            handle,
                            plan.description,
                            one,
                            a,
                            plan.a,
                            b,
                            plan.b,
                            beta,
                            added,
                            plan.d,
                            d,
                            plan.d,
                            plan.algorithm,
                            workspace,
                            WORKSPACE_BYTES,
                            stream.handle()),
                    "cublasLtMatmul");
        } catch (RuntimeException e) {
            throw e;
        } catch (Throwable e) {
            throw Functions.unexpected(e);
        }
    }

    private Plan plan(Shape shape) {
        MemorySegment description = make("cublasLtMatmulDescCreate", List.of(JAVA_INT, JAVA_INT), COMPUTE_FLOAT, FLOAT);
        setInt("cublasLtMatmulDescSetAttribute", description, TRANSPOSE_A, shape.transposeA ? 1 : 0);
        setInt("cublasLtMatmulDescSetAttribute", description, TRANSPOSE_B, shape.transposeB ? 1 : 0);
        int type = shape.bf16 ? BFLOAT16 : FLOAT;
        MemorySegment a = shape.transposeA
                ? layout(type, shape.k, shape.m, shape.pitchA)
                : layout(type, shape.m, shape.k, shape.pitchA);
        MemorySegment b = shape.transposeB
                ? layout(type, shape.n, shape.k, shape.pitchB)
                : layout(type, shape.k, shape.n, shape.pitchB);
        MemorySegment d = layout(FLOAT, shape.m, shape.n, shape.pitchD);
        MemorySegment preference = make("cublasLtMatmulPreferenceCreate", List.of());
        set(
                "cublasLtMatmulPreferenceSetAttribute",
                preference,
                MAX_WORKSPACE,
                arena.allocateFrom(JAVA_LONG, WORKSPACE_BYTES));
        for (int attribute = MIN_ALIGNMENT_A; attribute <= MIN_ALIGNMENT_D; attribute++) {
            setInt("cublasLtMatmulPreferenceSetAttribute", preference, attribute, ALIGNMENT);
        }
        MemorySegment result = arena.allocate(RESULT_BYTES, Long.BYTES);
        MemorySegment count = arena.allocate(JAVA_INT);
        functions.call(
                "cublasLtMatmulAlgoGetHeuristic",
                List.of(ADDRESS, ADDRESS, ADDRESS, ADDRESS, ADDRESS, ADDRESS, ADDRESS, JAVA_INT, ADDRESS, ADDRESS),
                handle,
                description,
                a,
                b,
                d,
                d,
                preference,
                1,
                result,
                count);
        functions.call("cublasLtMatmulPreferenceDestroy", List.of(ADDRESS), preference);
        if (count.get(JAVA_INT, 0) == 0) {
            throw new CudaException("cuBLASLt has no way to multiply %s", shape);
        }
        return new Plan(description, a, b, d, result.asSlice(0, ALGORITHM_BYTES));
    }

    private MemorySegment layout(int type, long rows, long columns, long pitch) {
        return make(
                "cublasLtMatrixLayoutCreate",
                List.of(JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG),
                type,
                rows,
                columns,
                pitch);
    }

    private void setInt(String function, MemorySegment object, int attribute, int value) {
        set(function, object, attribute, arena.allocateFrom(JAVA_INT, value));
    }

    private void set(String function, MemorySegment object, int attribute, MemorySegment value) {
        functions.call(
                function, List.of(ADDRESS, JAVA_INT, ADDRESS, JAVA_LONG), object, attribute, value, value.byteSize());
    }

    @Override
    public void close() {
        stream.synchronize();
        for (Plan plan : plans.values()) {
            functions.call("cublasLtMatmulDescDestroy", List.of(ADDRESS), plan.description);
            for (MemorySegment layout : List.of(plan.a, plan.b, plan.d)) {
                functions.call("cublasLtMatrixLayoutDestroy", List.of(ADDRESS), layout);
            }
        }
        functions.call("cublasLtDestroy", List.of(ADDRESS), handle);
        if (workspace != 0) {
            stream.device().free(workspace);
        }
        arena.close();
    }
}
