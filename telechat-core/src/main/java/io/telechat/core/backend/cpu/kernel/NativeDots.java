// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend.cpu.kernel;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.telechat.core.ffi.NativeLibrary;
import io.telechat.core.tensor.DType;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/** Inner products in C (dot_kernels.c), for rows of F32, F16 or BF16; and what measures the machine that they run on. */
public final class NativeDots {
    private static final String LIBRARY = "telechat_kernels";
    private static final FunctionDescriptor DOTS =
            FunctionDescriptor.ofVoid(JAVA_INT, ADDRESS, ADDRESS, ADDRESS, JAVA_LONG, JAVA_LONG);

    private final KernelTier tier;
    private final MethodHandle f32;
    private final MethodHandle f16;
    private final MethodHandle bf16;
    private final MethodHandle read;
    private final MethodHandle fma;
    private final int fmaFlops;

    private NativeDots(KernelTier tier, NativeLibrary library) {
        this.tier = tier;
        this.f32 = library.function("telechat_dots_f32", DOTS);
        this.f16 = library.function("telechat_dots_f16", DOTS);
        this.bf16 = library.function("telechat_dots_bf16", DOTS);
        this.read = library.function("telechat_read", FunctionDescriptor.of(JAVA_LONG, ADDRESS, JAVA_LONG));
        this.fma = library.function("telechat_fma", FunctionDescriptor.of(JAVA_FLOAT, JAVA_INT, JAVA_LONG));
        this.fmaFlops =
                call(() -> (int) library.function("telechat_fma_flops", FunctionDescriptor.of(JAVA_INT, JAVA_INT))
                        .invokeExact(tier.ordinal()));
    }

    /** The best tier that this CPU and this build have. */
    public static KernelTier best() {
        return Loaded.BEST;
    }

    /** Why there are no native kernels; empty if there are. */
    public static String absence() {
        return Loaded.ABSENCE;
    }

    /**
     * The kernels of a native tier.
     *
     * @throws IllegalArgumentException if this CPU or this build does not have it
     */
    public static NativeDots of(KernelTier tier) {
        if (tier == KernelTier.VECTOR || tier.compareTo(best()) > 0) {
            throw new IllegalArgumentException("no native kernels of tier " + tier);
        }
        return new NativeDots(tier, Loaded.LIBRARY_FILE);
    }

    public KernelTier tier() {
        return tier;
    }

    /**
     * {@code out[r] = Σ weights[r, i] · x[i]}; all segments in native memory, of any alignment.
     *
     * @param weights [rows, columns]
     * @param x [columns] in F32
     * @param out [rows] in F32
     */
    public void run(DType dtype, MemorySegment weights, MemorySegment x, MemorySegment out, long rows, long columns) {
        MethodHandle function = switch (dtype) {
            case F32 -> f32;
            case F16 -> f16;
            case BF16 -> bf16;
            case F64, I64, I32, I16, I8, U8, BOOL -> throw new IllegalArgumentException("no kernel for " + dtype);
        };
        call(() -> {
            function.invokeExact(tier.ordinal(), weights, x, out, rows, columns);
            return 0;
        });
    }

    /** Reads memory, for measuring; returns something that depends on it. */
    public long read(MemorySegment memory) {
        return call(() -> (long) read.invokeExact(memory, memory.byteSize()));
    }

    /** Multiplies and adds on registers, for measuring; returns something that depends on it. */
    public float multiplyAdd(long rounds) {
        return call(() -> (float) fma.invokeExact(tier.ordinal(), rounds));
    }

    /** Floating-point operations in a round of {@link #multiplyAdd}. */
    public int flopsPerRound() {
        return fmaFlops;
    }

    private interface Downcall<T> {
        T run() throws Throwable;
    }

    private static <T> T call(Downcall<T> downcall) {
        try {
            return downcall.run();
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    /** Loads the library once, when first asked for. */
    private static final class Loaded {
        private static final NativeLibrary LIBRARY_FILE;
        private static final KernelTier BEST;
        private static final String ABSENCE;

        static {
            NativeLibrary library = null;
            int isa = 0;
            String absence = "";
            try {
                library = NativeLibrary.ofResource(LIBRARY);
                isa = (int) library.function("telechat_best_isa", FunctionDescriptor.of(JAVA_INT))
                        .invokeExact();
                absence = isa == 0 ? "this CPU has none of the instruction sets that they use" : "";
            } catch (Throwable e) {
                absence = e.getMessage();
            }
            LIBRARY_FILE = library;
            BEST = KernelTier.values()[isa];
            ABSENCE = absence;
        }
    }
}
