// SPDX-License-Identifier: Apache-2.0
package io.telechat.bench;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BOOLEAN;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/**
 * llama.cpp as a peer: a GGUF model timed through the C API of a folder of its shared libraries, on the same shapes of work
 * as {@code telechat bench}, whose last line it prints in the same names. Structs are passed as larger opaque ones, of which
 * only the leading fields of llama_context_params are relied on, and checked against their documented defaults.
 */
public final class LlamaCpp {
    private static final MemoryLayout PARAMS = MemoryLayout.structLayout(MemoryLayout.sequenceLayout(128, JAVA_INT));
    private static final int MAX_ROWS = 512;
    private static final int CONTEXT_STEP = 256;

    private final Arena arena = Arena.global();
    private final SymbolLookup symbols;
    private final MethodHandle decode;
    private final MethodHandle clear;
    private final MethodHandle synchronize;
    private MemorySegment context;
    private MemorySegment memory;
    private final MemorySegment batch;

    /** llama_batch: n_tokens, then pointers to token, embd, pos, n_seq_id, seq_id, logits. */
    private static final MemoryLayout BATCH = MemoryLayout.structLayout(
            JAVA_INT, MemoryLayout.paddingLayout(4), ADDRESS, ADDRESS, ADDRESS, ADDRESS, ADDRESS, ADDRESS);

    private LlamaCpp(Path libraries) throws IOException {
        SymbolLookup.libraryLookup(find(libraries, "libggml-base"), arena); // what the others are linked with
        SymbolLookup ggml = SymbolLookup.libraryLookup(find(libraries, "libggml."), arena);
        this.symbols = SymbolLookup.libraryLookup(find(libraries, "libllama."), arena);
        call(ggml, "ggml_backend_load_all_from_path", ADDRESS).invoke(arena.allocateFrom(libraries.toString()));
        call(symbols, "llama_log_set", ADDRESS, ADDRESS).invoke(silence(), MemorySegment.NULL);
        call(symbols, "llama_backend_init").invoke();
        this.decode = handle("llama_decode", FunctionDescriptor.of(JAVA_INT, ADDRESS, BATCH));
        this.clear = handle("llama_memory_clear", FunctionDescriptor.ofVoid(ADDRESS, JAVA_BOOLEAN));
        this.synchronize = handle("llama_synchronize", FunctionDescriptor.ofVoid(ADDRESS));
        this.batch = arena.allocate(BATCH);
    }

    private static Path find(Path folder, String prefix) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(f -> f.getFileName().toString().startsWith(prefix)
                            && f.getFileName().toString().contains(".so"))
                    .findFirst()
                    .orElseThrow(() -> new IllegalArgumentException("%s: has no %s*.so".formatted(folder, prefix)));
        }
    }

    private interface Call {
        Object invoke(Object... arguments);
    }

    private static Call call(SymbolLookup lookup, String name, MemoryLayout... parameters) {
        MethodHandle handle = Linker.nativeLinker()
                .downcallHandle(lookup.find(name).orElseThrow(), FunctionDescriptor.ofVoid(parameters));
        return arguments -> invoke(handle, arguments);
    }

    private static Object invoke(MethodHandle handle, Object... arguments) {
        try {
            return handle.invokeWithArguments(arguments);
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    private MethodHandle handle(String name, FunctionDescriptor descriptor) {
        return Linker.nativeLinker().downcallHandle(symbols.find(name).orElseThrow(), descriptor);
    }

    /** A callback that drops what llama.cpp logs. */
    private MemorySegment silence() {
        try {
            MethodHandle target = MethodHandles.lookup()
                    .findStatic(
                            LlamaCpp.class,
                            "ignore",
                            MethodType.methodType(void.class, int.class, MemorySegment.class, MemorySegment.class));
            return Linker.nativeLinker()
                    .upcallStub(target, FunctionDescriptor.ofVoid(JAVA_INT, ADDRESS, ADDRESS), arena);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void ignore(int level, MemorySegment text, MemorySegment data) {
        // Nothing: the results are printed by us.
    }

    private void open(Path model, int threads, int positions, int sequences) {
        MemorySegment modelParams =
                (MemorySegment) invoke(handle("llama_model_default_params", FunctionDescriptor.of(PARAMS)), arena);
        MemorySegment loaded = (MemorySegment) invoke(
                handle("llama_model_load_from_file", FunctionDescriptor.of(ADDRESS, ADDRESS, PARAMS)),
                arena.allocateFrom(model.toString()),
                modelParams);
        if (loaded.equals(MemorySegment.NULL)) {
            throw new IllegalArgumentException(model + ": llama.cpp cannot load it");
        }
        MemorySegment params =
                (MemorySegment) invoke(handle("llama_context_default_params", FunctionDescriptor.of(PARAMS)), arena);
        int[] leading = params.asSlice(0, 16).toArray(JAVA_INT);
        if (!Arrays.equals(leading, new int[] {MAX_ROWS, 2048, MAX_ROWS, 1})) {
            throw new IllegalStateException("unknown layout of llama_context_params: " + Arrays.toString(leading));
        }
        int all = positions * sequences;
        params.setAtIndex(JAVA_INT, 0, (all + CONTEXT_STEP - 1) / CONTEXT_STEP * CONTEXT_STEP);
        params.setAtIndex(JAVA_INT, 3, sequences);
        context = (MemorySegment) invoke(
                handle("llama_init_from_model", FunctionDescriptor.of(ADDRESS, ADDRESS, PARAMS)), loaded, params);
        if (context.equals(MemorySegment.NULL)) {
            throw new IllegalStateException("llama.cpp makes no context");
        }
        call(symbols, "llama_set_n_threads", ADDRESS, JAVA_INT, JAVA_INT).invoke(context, threads, threads);
        memory = (MemorySegment) invoke(handle("llama_get_memory", FunctionDescriptor.of(ADDRESS, ADDRESS)), context);
        int rows = Math.max(MAX_ROWS, sequences);
        batch.set(ADDRESS, 8, arena.allocate(JAVA_INT, rows));
        batch.set(ADDRESS, 24, arena.allocate(JAVA_INT, rows));
        batch.set(ADDRESS, 32, arena.allocate(JAVA_INT, rows));
        MemorySegment ids = arena.allocate(ADDRESS, rows);
        for (int i = 0; i < rows; i++) {
            ids.setAtIndex(ADDRESS, i, arena.allocate(JAVA_INT));
        }
        batch.set(ADDRESS, 40, ids);
        batch.set(ADDRESS, 48, arena.allocate(JAVA_BYTE, rows));
    }

    private void put(int row, int token, int position, int sequence, boolean logits) {
        pointer(8).setAtIndex(JAVA_INT, row, token);
        pointer(24).setAtIndex(JAVA_INT, row, position);
        pointer(32).setAtIndex(JAVA_INT, row, 1);
        pointer(40).getAtIndex(ADDRESS, row).reinterpret(4).set(JAVA_INT, 0, sequence);
        pointer(48).set(JAVA_BYTE, row, (byte) (logits ? 1 : 0));
    }

    private MemorySegment pointer(long offset) {
        return batch.get(ADDRESS, offset).reinterpret(Long.MAX_VALUE);
    }

    private void run(int rows) {
        batch.set(JAVA_INT, 0, rows);
        int code = (int) invoke(decode, context, batch);
        if (code != 0) {
            throw new IllegalStateException("llama_decode returned " + code);
        }
        invoke(synchronize, context);
    }

    private void prefill(int tokens, int sequence) {
        for (int first = 0; first < tokens; first += MAX_ROWS) {
            int rows = Math.min(MAX_ROWS, tokens - first);
            for (int i = 0; i < rows; i++) {
                put(i, 300 + (first + i) * 31 % 20_000, first + i, sequence, first + i == tokens - 1);
            }
            run(rows);
        }
    }

    private double decode(int sequences, int depth, int tokens) {
        invoke(clear, memory, true);
        for (int s = 0; s < sequences; s++) {
            prefill(depth, s);
        }
        long start = System.nanoTime();
        for (int step = 0; step < tokens; step++) {
            for (int s = 0; s < sequences; s++) {
                put(s, 300 + (step * 31 + s * 7) % 20_000, depth + step, s, true);
            }
            run(sequences);
        }
        return sequences * tokens / ((System.nanoTime() - start) / 1e9);
    }

    /** Arguments: libraries, model.gguf, prompt, generate, depth, batch, threads, runs. */
    public static void main(String[] args) throws IOException {
        List<Integer> n = Arrays.stream(args).skip(2).map(Integer::valueOf).toList();
        int prompt = n.get(0);
        int generate = n.get(1);
        int depth = n.get(2);
        int sequences = n.get(3);
        int runs = n.get(5);
        LlamaCpp peer = new LlamaCpp(Path.of(args[0]).toAbsolutePath());
        peer.open(Path.of(args[1]), n.get(4), Math.max(prompt, depth + generate) + 8, sequences);
        double[] prefills = new double[runs];
        double[] decodes = new double[runs];
        for (int run = -1; run < runs; run++) {
            invoke(peer.clear, peer.memory, true);
            long start = System.nanoTime();
            peer.prefill(prompt, 0);
            double prefill = prompt / ((System.nanoTime() - start) / 1e9);
            double decoded = peer.decode(sequences, depth, run < 0 ? 1 : generate);
            if (run >= 0) {
                prefills[run] = prefill;
                decodes[run] = decoded;
            }
        }
        System.out.printf(
                "{\"peer\":\"llama.cpp\",\"prefill_tok_s\":%.2f,\"decode_tok_s\":%.2f,\"peak_rss_mib\":%d}%n",
                median(prefills), median(decodes), peakRss());
        Runtime.getRuntime().halt(0); // the library's own threads would otherwise be waited for
    }

    private static double median(double[] values) {
        Arrays.sort(values);
        return values[values.length / 2];
    }

    private static long peakRss() throws IOException {
        return Files.readAllLines(Path.of("/proc/self/status")).stream()
                .filter(line -> line.startsWith("VmHWM:"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) / 1024)
                .findFirst()
                .orElse(-1);
    }
}
