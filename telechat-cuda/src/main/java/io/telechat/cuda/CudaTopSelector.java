// SPDX-License-Identifier: Apache-2.0
package io.telechat.cuda;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.telechat.core.InvalidRequestException;
import io.telechat.core.backend.TopLogits;
import io.telechat.core.backend.TopSelector;
import io.telechat.core.tensor.Tensor;
import io.telechat.cuda.driver.Stream;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Two launches, which belong to the step that is held back, and one small copy for all rows; see top.cu. */
final class CudaTopSelector implements TopSelector, AutoCloseable {
    /** How many logits of a row are copied; 0 for whole rows always. */
    static final String PROPERTY = "telechat.cuda.candidates";

    private static final int MOST = 1024;

    /** Logits that a thread block looks through; the second launch then has about as many candidates in all. */
    private static final int PART = 16 << 10;

    private static final int THREADS = 1024;
    private static final long HEAD = 4L * Integer.BYTES;

    private final Stream stream;
    private final Kernels kernels;
    private final Scratch scratch;
    private final int most = number();
    private MemorySegment pinned = MemorySegment.NULL;

    CudaTopSelector(Stream stream, Kernels kernels) {
        this.stream = stream;
        this.kernels = kernels;
        this.scratch = new Scratch(stream);
    }

    private static int number() {
        String text = System.getProperty(PROPERTY, Integer.toString(MOST));
        try {
            return Math.max(0, Integer.parseInt(text));
        } catch (NumberFormatException e) {
            throw new InvalidRequestException(e, "-D%s=%s is not a number", PROPERTY, text);
        }
    }

    @Override
    public int most() {
        return most;
    }

    @Override
    public List<Optional<TopLogits>> select(Tensor logits) {
        int rows = Math.toIntExact(logits.rows());
        int vocab = Math.toIntExact(logits.columns());
        // Each part has to have as many as are wanted, unless there is only one.
        int parts = Math.max(1, vocab / Math.max(PART, most));
        long rowBytes = HEAD + (long) most * (Integer.BYTES + Float.BYTES);
        long found = scratch.of(rows * rowBytes * (1 + parts));
        long foundInParts = found + rows * rowBytes;
        stream.launch(kernels.get("top", "top_of_parts", "piip"))
                .grid(parts, rows, 1)
                .threads(THREADS)
                .put(DeviceStorage.address(logits))
                .put(vocab)
                .put(most)
                .put(foundInParts)
                .run();
        stream.launch(kernels.get("top", "top_of_rows", "piip"))
                .grid(rows)
                .threads(THREADS)
                .put(foundInParts)
                .put(parts)
                .put(most)
                .put(found)
                .run();
        MemorySegment copy = pinned(rows * rowBytes);
        stream.copyToHost(copy, found);
        stream.synchronize();
        List<Optional<TopLogits>> all = new ArrayList<>();
        for (int row = 0; row < rows; row++) {
            all.add(read(copy.asSlice(row * rowBytes, rowBytes), vocab));
        }
        return all;
    }

    /** Out of what the kernel calls a head, ids and values. */
    private Optional<TopLogits> read(MemorySegment row, int vocab) {
        int count = row.get(JAVA_INT, 0);
        if (count == 0) {
            return Optional.empty();
        }
        float largest = row.get(JAVA_FLOAT, 4);
        float sum = row.get(JAVA_FLOAT, 8);
        float rest = row.get(JAVA_FLOAT, 12);
        int[] ids = row.asSlice(HEAD, 4L * count).toArray(JAVA_INT);
        float[] values = row.asSlice(HEAD + 4L * most, 4L * count).toArray(JAVA_FLOAT);
        return Optional.of(new TopLogits(vocab, ids, values, rest, largest + Math.log(sum)));
    }

    private MemorySegment pinned(long bytes) {
        if (bytes > pinned.byteSize()) {
            MemorySegment larger = stream.device().allocatePinned(2 * bytes);
            free();
            pinned = larger;
        }
        return pinned.asSlice(0, bytes);
    }

    private void free() {
        if (pinned.byteSize() > 0) {
            stream.device().freePinned(pinned);
            pinned = MemorySegment.NULL;
        }
    }

    @Override
    public void close() {
        scratch.close();
        free();
    }
}
