// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend.cpu.kernel;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.telechat.core.ffi.NativeLibrary;
import io.telechat.core.ops.KvLayout;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.QuantizedLayout;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.Arrays;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The kernels in C (src/main/native), of one instruction set; and what measures the machine that they run on. All go through
 * one native function (entry.h), because each function that is bound delays the start; and with numbers only, which the JVM passes
 * on as they are.
 */
public final class NativeKernels implements Kernels {
    private static final int MOST_ARGUMENTS = 16;
    private static final int ABI_VERSION = 3;
    private static final long NO_SUCH_OPERATION = Long.MIN_VALUE;
    private static final int DESCRIPTION_BYTES = 4096;

    private final KernelTier tier;
    private final MethodHandle run;

    /**
     * Finds the function of a tier: telechat_avx2_run.
     *
     * @throws IllegalStateException if the library was not built from the sources beside this class
     */
    NativeKernels(KernelTier tier, NativeLibrary library) {
        this.tier = tier;
        MemoryLayout[] parameters = new MemoryLayout[1 + MOST_ARGUMENTS];
        Arrays.fill(parameters, JAVA_LONG);
        parameters[0] = JAVA_INT;
        this.run = library.function(symbol(tier), FunctionDescriptor.of(JAVA_LONG, parameters));
        requireSameInterface();
    }

    static String symbol(KernelTier tier) {
        return "telechat_" + tier + "_run";
    }

    private void requireSameInterface() {
        String expected = "abi %d panel %d block %d group %d positions %d stretch %d: %s"
                .formatted(
                        ABI_VERSION,
                        QuantizedLayout.PANEL,
                        QuantizedLayout.BLOCK,
                        QuantizedLayout.GROUP,
                        KvLayout.BLOCK,
                        STRETCH,
                        Stream.of(NativeFunction.values())
                                .map(NativeFunction::name)
                                .collect(Collectors.joining(" ")));
        String actual;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment text = arena.allocate(DESCRIPTION_BYTES);
            call(NativeFunction.DESCRIBE, text.address(), text.byteSize());
            actual = text.getString(0);
        }
        if (!actual.equals(expected)) {
            throw new IllegalStateException(
                    "the native kernels are of another version; build telechat anew. Expected \"%s\", found \"%s\""
                            .formatted(expected, actual));
        }
    }

    @Override
    public KernelTier tier() {
        return tier;
    }

    /** As the enumeration in kernels.h. */
    static int number(DType type) {
        return switch (type) {
            case F32 -> 0;
            case F16 -> 1;
            case BF16 -> 2;
            default -> throw new IllegalArgumentException("no kernel for " + type);
        };
    }

    private static int cacheNumber(DType type) {
        return type == DType.Q8 ? 3 : number(type); // the same, and one more
    }

    private static long bits(float value) {
        return Float.floatToRawIntBits(value);
    }

    /**
     * @param values numbers and addresses as they are, floats by their bits
     * @return what the function gives, or 0
     * @throws IllegalStateException if this tier does not have it
     */
    long call(NativeFunction function, long... values) {
        long result = answer(function, values);
        if (result == NO_SUCH_OPERATION) {
            throw new IllegalStateException("kernels of tier %s have no %s".formatted(tier, function));
        }
        return result;
    }

    /** Whether this tier has a function, asked with values that do nothing. */
    boolean has(NativeFunction function, long... values) {
        return answer(function, values) != NO_SUCH_OPERATION;
    }

    private long answer(NativeFunction function, long... values) {
        long[] a = values.length == MOST_ARGUMENTS ? values : Arrays.copyOf(values, MOST_ARGUMENTS);
        try {
            return (long) run.invokeExact(
                    function.ordinal(),
                    a[0],
                    a[1],
                    a[2],
                    a[3],
                    a[4],
                    a[5],
                    a[6],
                    a[7],
                    a[8],
                    a[9],
                    a[10],
                    a[11],
                    a[12],
                    a[13],
                    a[14],
                    a[15]);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
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
        call(
                NativeFunction.RMS_NORM,
                x.address(),
                weight.address(),
                bits(eps),
                y.address(),
                rstd.address(),
                rows,
                columns);
    }

    @Override
    public void rope(
            MemorySegment x, MemorySegment cos, MemorySegment sin, long rows, long stride, long heads, int half) {
        call(NativeFunction.ROPE, x.address(), cos.address(), sin.address(), rows, stride, heads, half);
    }

    @Override
    public void swiGlu(MemorySegment gateUp, MemorySegment out, long rows, long columns) {
        call(NativeFunction.SWIGLU, gateUp.address(), out.address(), rows, columns);
    }

    @Override
    public void scale(MemorySegment x, float factor, long count) {
        call(NativeFunction.SCALE, x.address(), bits(factor), count);
    }

    @Override
    public void pair(MemorySegment x, long tokens, long columns, MemorySegment to) {
        call(NativeFunction.PAIR, x.address(), tokens, columns, to.address());
    }

    /** Products have the same arguments, but for what some don't look at. */
    private void product(NativeFunction function, long weights, Product p, MemorySegment scratch) {
        call(
                function,
                weights,
                p.weights().address(),
                p.rows(),
                p.columns(),
                p.x().address(),
                p.tokens(),
                p.bias().address(),
                p.y().address(),
                p.stride(),
                p.add() ? 1 : 0,
                scratch.address());
    }

    @Override
    public void linear(DType type, Product p, MemorySegment scratch) {
        product(NativeFunction.LINEAR, number(type), p, scratch);
    }

    @Override
    public boolean multipliesBf16() {
        return tier == KernelTier.AVX512_BF16 || tier == KernelTier.AMX;
    }

    @Override
    public void roundTokens(MemorySegment x, long tokens, long columns, MemorySegment to) {
        call(NativeFunction.ROUND_TOKENS, x.address(), tokens, columns, to.address());
    }

    @Override
    public void linearBf16(Product p) {
        product(NativeFunction.LINEAR_BF16, number(DType.BF16), p, MemorySegment.NULL);
    }

    @Override
    public long roundedBytes(long columns) {
        return call(NativeFunction.ROUNDED_BYTES, columns);
    }

    @Override
    public long linearScratch(long columns) {
        return call(NativeFunction.LINEAR_SCRATCH, columns);
    }

    @Override
    public long quantizedBytes(DType weights, long columns) {
        return call(NativeFunction.QUANTIZED_BYTES, QuantizedLayout.bits(weights), columns);
    }

    @Override
    public long attendState(long queries, long headDim) {
        return call(NativeFunction.ATTEND_STATE, queries, headDim);
    }

    @Override
    public long attendScratch(long queries, long headDim) {
        return call(NativeFunction.ATTEND_SCRATCH, queries, headDim);
    }

    @Override
    public void quantize(DType weights, MemorySegment x, long tokens, long columns, MemorySegment to) {
        call(NativeFunction.QUANTIZE, QuantizedLayout.bits(weights), x.address(), tokens, columns, to.address());
    }

    @Override
    public void linearQuantized(DType type, Product p) {
        product(NativeFunction.LINEAR_QUANTIZED, QuantizedLayout.bits(type), p, MemorySegment.NULL);
    }

    @Override
    public void storeKeysValues(
            CachedHeads heads, long position, long count, MemorySegment key, MemorySegment value, long stride) {
        call(
                NativeFunction.STORE_KEYS_VALUES,
                cacheNumber(heads.type()),
                heads.blocks().address(),
                heads.keys(),
                heads.values(),
                heads.count(),
                position,
                count,
                heads.headDim(),
                key.address(),
                value.address(),
                stride);
    }

    @Override
    public void attend(
            CachedHeads heads, Queries queries, int first, int end, MemorySegment states, MemorySegment scratch) {
        call(
                NativeFunction.ATTEND,
                cacheNumber(heads.type()),
                heads.blocks().address(),
                heads.keys(),
                heads.values(),
                heads.count(),
                queries.position(),
                queries.count(),
                queries.group(),
                heads.headDim(),
                queries.rows().first().address(),
                queries.rows().stride(),
                first,
                end,
                states.address(),
                scratch.address());
    }

    @Override
    public void attendFold(CachedHeads heads, Queries queries, States states, HeadRows out, HeadRows lse) {
        call(
                NativeFunction.ATTEND_FOLD,
                states.first().address(),
                states.count(),
                states.stride(),
                heads.count(),
                queries.count(),
                queries.group(),
                heads.headDim(),
                out.first().address(),
                out.stride(),
                lse.first().address(),
                lse.stride());
    }

    /** Reads memory, for measuring. */
    public void read(MemorySegment memory) {
        try (Arena arena = Arena.ofConfined()) {
            call(
                    NativeFunction.READ,
                    memory.address(),
                    memory.byteSize(),
                    arena.allocate(JAVA_FLOAT).address());
        }
    }

    /** Multiplies and adds on registers, for measuring; returns the floating-point operations done. */
    public double multiplyAdd(PackedForm form, long rounds) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment result = arena.allocate(JAVA_FLOAT);
            MemorySegment flops = arena.allocate(JAVA_DOUBLE);
            call(NativeFunction.MULTIPLY_ADD, form.ordinal(), rounds, result.address(), flops.address());
            return flops.get(JAVA_DOUBLE, 0);
        }
    }
}
