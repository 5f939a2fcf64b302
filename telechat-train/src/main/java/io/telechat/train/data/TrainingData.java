// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.data;

import io.telechat.core.InvalidModelException;
import io.telechat.core.checkpoint.IoReason;
import io.telechat.core.checkpoint.SafetensorsFile;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.Shape;
import io.telechat.core.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The samples of a directory: {@code train_data_*.safetensors}, in the order of their numbers, mapped. Made by {@link
 * DataProcessor}, or by anyone: {@code input_ids} and {@code loss_mask} are enough.
 */
public final class TrainingData implements AutoCloseable {
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /**
     * One row.
     *
     * @param ids token ids
     * @param mask 1 where a token is trained
     * @param sequences 0 for padding, and a number for each dialog; all 1 where the data say nothing
     */
    public record Sample(int[] ids, byte[] mask, int[] sequences) {}

    private record Shard(int firstSample, Tensor ids, Tensor mask, Optional<Tensor> sequences) {
        int samples() {
            return (int) ids.shape().dim(0);
        }
    }

    private final Arena arena = Arena.ofShared();

    private final List<Path> files = new ArrayList<>();
    private final List<Shard> shards = new ArrayList<>();
    private final Optional<DataManifest> manifest;
    private int samples;
    private int rowTokens;

    private TrainingData(Path directory) {
        this.manifest = DataManifest.find(directory);
    }

    /** @throws InvalidModelException if there are none, or they are damaged or of different lengths */
    public static TrainingData open(Path directory) {
        TrainingData data = new TrainingData(directory);
        try {
            for (Path file : files(directory)) {
                data.add(file);
            }
        } catch (RuntimeException e) {
            data.close();
            throw e;
        }
        if (data.samples == 0) {
            data.close();
            throw new InvalidModelException(
                    "%s: holds no train_data_*.safetensors with samples; make them with telechat process-data",
                    directory);
        }
        return data;
    }

    private static List<Path> files(Path directory) {
        if (Files.isRegularFile(directory)) {
            throw new InvalidModelException(
                    "%s: is a file; training takes the directory that telechat process-data makes of it", directory);
        }
        try (Stream<Path> files = Files.list(directory)) {
            return files.filter(f -> f.getFileName().toString().matches("train_data_\\d{1,9}\\.safetensors"))
                    .sorted(Comparator.comparing(TrainingData::number))
                    .toList();
        } catch (IOException e) {
            throw new InvalidModelException(e, "%s: cannot be read: %s", directory, IoReason.of(e));
        }
    }

    private static int number(Path file) {
        return Integer.parseInt(file.getFileName().toString().replaceAll("\\D", ""));
    }

    private void add(Path path) {
        SafetensorsFile file = SafetensorsFile.open(path, arena);
        Tensor ids = tensor(file, path, "input_ids", DType.I32);
        Tensor mask = tensor(file, path, "loss_mask", DType.U8);
        Optional<Tensor> sequences = file.tensors().containsKey("sequence_ids")
                ? Optional.of(tensor(file, path, "sequence_ids", DType.I32))
                : Optional.empty();
        Shape shape = ids.shape();
        if (shape.rank() != 2
                || !mask.shape().equals(shape)
                || sequences.isPresent() && !sequences.get().shape().equals(shape)) {
            throw new InvalidModelException(
                    "%s: input_ids %s, loss_mask %s: expected [samples, tokens] of both", path, shape, mask.shape());
        }
        if (!shards.isEmpty() && shape.dim(1) != rowTokens) {
            throw new InvalidModelException(
                    "%s: samples of %,d tokens, those of other files have %,d", path, shape.dim(1), rowTokens);
        }
        rowTokens = (int) shape.dim(1);
        files.add(path);
        shards.add(new Shard(samples, ids, mask, sequences));
        samples = Math.toIntExact(samples + shape.dim(0));
    }

    private static Tensor tensor(SafetensorsFile file, Path path, String name, DType dtype) {
        if (!file.tensors().containsKey(name)) {
            throw new InvalidModelException("%s: has no tensor %s", path, name);
        }
        Tensor tensor = file.tensor(name);
        if (tensor.dtype() != dtype) {
            throw new InvalidModelException("%s: %s has type %s, expected %s", path, name, tensor.dtype(), dtype);
        }
        return tensor;
    }

    /** How many rows there are. */
    public int samples() {
        return samples;
    }

    /** Tokens per row. */
    public int rowTokens() {
        return rowTokens;
    }

    /**
     * Tells these samples from others: the SHA-256 of the shards' own ones in their order. The manifest has these; those of
     * shards that are not in one are computed, which reads them once.
     *
     * @throws InvalidModelException if a shard cannot be read
     */
    public String fingerprint() {
        List<String> hashes = new ArrayList<>();
        for (Path file : files) {
            try {
                Optional<String> known = manifest.flatMap(m -> m.sha256(file));
                hashes.add(known.isPresent() ? known.get() : FileHash.sha256(file));
            } catch (IOException e) {
                throw new InvalidModelException(e, "%s: cannot be read: %s", file, IoReason.of(e));
            }
        }
        return FileHash.ofHashes(hashes);
    }

    /** Where the tokenizer lay that the data were made with, if they say so. */
    public Optional<Path> tokenizer() {
        return manifest.flatMap(DataManifest::tokenizer);
    }

    /**
     * Does nothing where the data do not say what they were made with, or the directory has no tokenizer.
     *
     * @throws InvalidModelException if the tokenizer of a directory is not the one that the data were made with
     */
    public void requireTokenizer(Path directory) {
        if (manifest.isPresent() && TokenizerIdentity.differs(manifest.get().json(), directory)) {
            throw new InvalidModelException(
                    "%s: was made with another tokenizer (that of %s) than %s has; make it anew with process-data"
                            + " --tokenizer-path %s",
                    manifest.get().directory(),
                    tokenizer().map(Path::toString).orElse("somewhere else"),
                    directory,
                    directory);
        }
    }

    /** Reads row {@code index}. */
    public Sample sample(int index) {
        if (index < 0 || index >= samples) {
            throw new IndexOutOfBoundsException("sample %d of %d".formatted(index, samples));
        }
        Shard shard = shards.reversed().stream()
                .filter(s -> s.firstSample() <= index && s.samples() > 0)
                .findFirst()
                .orElseThrow();
        long from = (long) (index - shard.firstSample()) * rowTokens;
        byte[] mask = new byte[rowTokens];
        MemorySegment.copy(shard.mask().segment(), ValueLayout.JAVA_BYTE, from, mask, 0, rowTokens);
        int[] sequences = new int[rowTokens];
        if (shard.sequences().isPresent()) {
            sequences = ints(shard.sequences().get(), from);
        } else {
            Arrays.fill(sequences, 1);
        }
        return new Sample(ints(shard.ids(), from), mask, sequences);
    }

    private int[] ints(Tensor tensor, long from) {
        int[] values = new int[rowTokens];
        MemorySegment.copy(tensor.segment(), INT, 4 * from, values, 0, rowTokens);
        return values;
    }

    @Override
    public void close() {
        arena.close();
    }
}
