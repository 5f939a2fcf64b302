// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend.cpu.kernel;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.telechat.core.ffi.NativeLibrary;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.QuantizedLayout;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/** The kernels in C (src/main/native), of one instruction set; and what measures the machine that they run on. */
public final class NativeKernels implements Kernels {
    private final KernelTier tier;
    private final MethodHandle widen;
    private final MethodHandle rmsNorm;
    private final MethodHandle rope;
    private final MethodHandle swiGlu;
    private final MethodHandle scale;
    private final MethodHandle pair;
    private final MethodHandle linear;
    private final MethodHandle quantize;
    private final MethodHandle linearQuantized;
    private final MethodHandle storeKeysValues;
    private final MethodHandle attend;
    private final MethodHandle read;
    private final MethodHandle fma;
    private final MethodHandle fmaFlops;

    /** Finds the functions of a tier. */
    NativeKernels(KernelTier tier, NativeLibrary library) {
        this.tier = tier;
        Functions f = new Functions(tier, library);
        this.widen = f.find("widen", JAVA_INT, ADDRESS, ADDRESS, JAVA_LONG);
        this.rmsNorm = f.find("rms_norm", ADDRESS, ADDRESS, JAVA_FLOAT, ADDRESS, ADDRESS, JAVA_LONG, JAVA_LONG);
        this.rope = f.findForHeap("rope", ADDRESS, ADDRESS, ADDRESS, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
        this.swiGlu = f.find("swiglu", ADDRESS, ADDRESS, JAVA_LONG, JAVA_LONG);
        this.scale = f.find("scale", ADDRESS, JAVA_FLOAT, JAVA_LONG);
        this.pair = f.find("pair", ADDRESS, JAVA_LONG, JAVA_LONG, ADDRESS);
        this.linear = f.find(
                "linear", JAVA_INT, ADDRESS, JAVA_LONG, JAVA_LONG, ADDRESS, JAVA_LONG, ADDRESS, ADDRESS, JAVA_LONG,
                JAVA_INT, ADDRESS);
        this.quantize = f.find("quantize", ADDRESS, JAVA_LONG, JAVA_LONG, ADDRESS);
        this.linearQuantized = f.find(
                "linear_quantized",
                JAVA_INT,
                ADDRESS,
                JAVA_LONG,
                JAVA_LONG,
                ADDRESS,
                JAVA_LONG,
                ADDRESS,
                ADDRESS,
                JAVA_LONG,
                JAVA_INT);
        this.storeKeysValues = f.find(
                "store_keys_values",
                JAVA_INT,
                ADDRESS,
                JAVA_LONG,
                JAVA_LONG,
                JAVA_LONG,
                JAVA_LONG,
                JAVA_LONG,
                ADDRESS,
                ADDRESS,
                JAVA_LONG);
        this.attend = f.find(
                "attend", JAVA_INT, ADDRESS, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, ADDRESS,
                JAVA_LONG, ADDRESS, JAVA_LONG, ADDRESS, JAVA_LONG, ADDRESS);
        this.read = f.findReturning(JAVA_FLOAT, "read", ADDRESS, JAVA_LONG);
        this.fma = f.findReturning(JAVA_FLOAT, "fma", JAVA_LONG);
        this.fmaFlops = f.findReturning(JAVA_INT, "fma_flops");
    }

    /** The functions of one tier are told apart by their names: telechat_avx2_linear. */
    private record Functions(KernelTier tier, NativeLibrary library) {
        MethodHandle find(String name, MemoryLayout... parameters) {
            return library.function(symbol(name), FunctionDescriptor.ofVoid(parameters));
        }

        /** For short functions that are given Java arrays. */
        MethodHandle findForHeap(String name, MemoryLayout... parameters) {
            return library.function(symbol(name), FunctionDescriptor.ofVoid(parameters), Linker.Option.critical(true));
        }

        MethodHandle findReturning(MemoryLayout result, String name, MemoryLayout... parameters) {
            return library.function(symbol(name), FunctionDescriptor.of(result, parameters));
        }

        private String symbol(String name) {
            return "telechat_" + tier + "_" + name;
        }
    }

    @Override
    public KernelTier tier() {
        return tier;
    }

    /** As the enumeration in kernels.h. */
    private static int number(DType type) {
        return switch (type) {
            case F32 -> 0;
            case F16 -> 1;
            case BF16 -> 2;
            default -> throw new IllegalArgumentException("no kernel for " + type);
        };
    }

    @Override
    public void widen(DType type, MemorySegment from, MemorySegment to, long count) {
        int number = number(type);
        call(() -> {
            widen.invokeExact(number, from, to, count);
        });
    }

    @Override
    public void rmsNorm(
            MemorySegment x,
            MemorySegment weight,
            float eps,
            MemorySegment y,
            MemorySegment rstd,
            long rows,
            long columns) {
        call(() -> {
            rmsNorm.invokeExact(x, weight, eps, y, rstd, rows, columns);
        });
    }

    @Override
    public void rope(
            MemorySegment x, float[] cos, float[] sin, int first, long rows, long stride, long heads, int half) {
        MemorySegment cosines = MemorySegment.ofArray(cos).asSlice(4L * first);
        MemorySegment sines = MemorySegment.ofArray(sin).asSlice(4L * first);
        call(() -> {
            rope.invokeExact(x, cosines, sines, rows, stride, heads, (long) half);
        });
    }

    @Override
    public void swiGlu(MemorySegment gateUp, MemorySegment out, long rows, long columns) {
        call(() -> {
            swiGlu.invokeExact(gateUp, out, rows, columns);
        });
    }

    @Override
    public void scale(MemorySegment x, float factor, long count) {
        call(() -> {
            scale.invokeExact(x, factor, count);
        });
    }

    @Override
    public void pair(MemorySegment x, long tokens, long columns, MemorySegment to) {
        call(() -> {
            pair.invokeExact(x, tokens, columns, to);
        });
    }

    @Override
    public void linear(DType type, Product p, MemorySegment scratch) {
        int number = number(type);
        int add = p.add() ? 1 : 0;
        call(() -> {
            linear.invokeExact(
                    number,
                    p.weights(),
                    p.rows(),
                    p.columns(),
                    p.x(),
                    p.tokens(),
                    p.bias(),
                    p.y(),
                    p.stride(),
                    add,
                    scratch);
        });
    }

    @Override
    public void quantize(MemorySegment x, long tokens, long columns, MemorySegment to) {
        call(() -> {
            quantize.invokeExact(x, tokens, columns, to);
        });
    }

    @Override
    public void linearQuantized(DType type, Product p) {
        int bits = QuantizedLayout.bits(type);
        int add = p.add() ? 1 : 0;
        call(() -> {
            linearQuantized.invokeExact(
                    bits, p.weights(), p.rows(), p.columns(), p.x(), p.tokens(), p.bias(), p.y(), p.stride(), add);
        });
    }

    @Override
    public void storeKeysValues(
            CachedHead head, long position, long count, MemorySegment key, MemorySegment value, long stride) {
        int number = number(head.type());
        long dim = head.headDim();
        call(() -> {
            storeKeysValues.invokeExact(
                    number, head.blocks(), head.keys(), head.values(), position, count, dim, key, value, stride);
        });
    }

    @Override
    public void attend(
            CachedHead head,
            long position,
            long count,
            int group,
            HeadRows queries,
            HeadRows out,
            HeadRows lse,
            MemorySegment scratch) {
        int number = number(head.type());
        call(() -> {
            attend.invokeExact(
                    number,
                    head.blocks(),
                    head.keys(),
                    head.values(),
                    position,
                    count,
                    (long) group,
                    (long) head.headDim(),
                    queries.first(),
                    queries.stride(),
                    out.first(),
                    out.stride(),
                    lse.first(),
                    lse.stride(),
                    scratch);
        });
    }

    /** Reads memory, for measuring. */
    public void read(MemorySegment memory) {
        call(() -> {
            float ignored = (float) read.invokeExact(memory, memory.byteSize());
        });
    }

    /** Multiplies and adds on registers, for measuring; returns the floating-point operations done. */
    public double multiplyAdd(long rounds) {
        int[] flops = new int[1];
        call(() -> {
            float ignored = (float) fma.invokeExact(rounds);
            flops[0] = (int) fmaFlops.invokeExact();
        });
        return (double) rounds * flops[0];
    }

    private interface Downcall {
        void run() throws Throwable;
    }

    private static void call(Downcall downcall) {
        try {
            downcall.run();
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }
}
