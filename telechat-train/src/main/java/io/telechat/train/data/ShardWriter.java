// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.data;

import io.telechat.core.backend.WorkerTeam;
import io.telechat.core.checkpoint.SafetensorsWriter;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.Shape;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** Writes rows as {@code train_data_0.safetensors}, {@code train_data_1.safetensors}, …: equal stretches of them, in order. */
final class ShardWriter {
    private static final int BLOCK_BYTES = 1 << 20;

    /**
     * A written shard.
     *
     * @param file its name
     */
    record Shard(String file, int samples, String sha256) {}

    private final Path directory;
    private final int padId;
    private final WorkerTeam team;

    ShardWriter(Path directory, int padId, WorkerTeam team) {
        this.team = team;
        this.directory = directory;
        this.padId = padId;
    }

    List<Shard> write(SampleRows rows, int shards) throws IOException {
        rows.flush();
        for (int i = 0; i < shards; i++) {
            write(rows, from(rows, i, shards), from(rows, i + 1, shards), directory.resolve(name(i)));
        }
        Shard[] written = new Shard[shards];
        team.run(shards, (i, thread) -> {
            try {
                int samples = from(rows, i + 1, shards) - from(rows, i, shards);
                written[i] = new Shard(name(i), samples, FileHash.sha256(directory.resolve(name(i))));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
        return List.of(written);
    }

    private static String name(int shard) {
        return "train_data_%d.safetensors".formatted(shard);
    }

    private static int from(SampleRows rows, int shard, int shards) {
        return (int) ((long) rows.size() * shard / shards);
    }

    private void write(SampleRows rows, int from, int to, Path file) throws IOException {
        int count = to - from;
        int length = rows.rowTokens();
        Map<String, SafetensorsWriter.Entry> entries = new LinkedHashMap<>();
        entries.put("input_ids", new SafetensorsWriter.Entry(DType.I32, Shape.of(count, length)));
        entries.put("loss_mask", new SafetensorsWriter.Entry(DType.U8, Shape.of(count, length)));
        entries.put("sequence_ids", new SafetensorsWriter.Entry(DType.I32, Shape.of(count, length)));
        byte[] header = SafetensorsWriter.header(entries);
        ByteBuffer start = ByteBuffer.allocate(8 + header.length).order(ByteOrder.LITTLE_ENDIAN);
        start.putLong(header.length).put(header).flip();
        long idsAt = start.remaining();
        long maskAt = idsAt + 4L * count * length;
        long sequencesAt = maskAt + (long) count * length;
        int block = Math.max(1, BLOCK_BYTES / (9 * length));
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            TemporaryFile.writeFully(channel, start, 0);
            List<SampleRows.Reader> readers =
                    Stream.generate(rows::reader).limit(team.size()).toList();
            team.run((count + block - 1) / block, (b, thread) -> {
                int first = b * block;
                int size = Math.min(block, count - first);
                ByteBuffer ids = ByteBuffer.allocate(4 * size * length).order(ByteOrder.LITTLE_ENDIAN);
                ByteBuffer mask = ByteBuffer.allocate(size * length);
                ByteBuffer sequences = ByteBuffer.allocate(4 * size * length).order(ByteOrder.LITTLE_ENDIAN);
                int[] rowIds = new int[length];
                byte[] rowMask = new byte[length];
                int[] rowSequences = new int[length];
                SampleRows.Reader reader = readers.get(thread);
                for (int row = first; row < first + size; row++) {
                    reader.row(from + row, padId, rowIds, rowMask, rowSequences);
                    ids.asIntBuffer().put(rowIds);
                    ids.position(ids.position() + 4 * length);
                    mask.put(rowMask);
                    sequences.asIntBuffer().put(rowSequences);
                    sequences.position(sequences.position() + 4 * length);
                }
                try {
                    TemporaryFile.writeFully(channel, ids.flip(), idsAt + 4L * first * length);
                    TemporaryFile.writeFully(channel, mask.flip(), maskAt + (long) first * length);
                    TemporaryFile.writeFully(channel, sequences.flip(), sequencesAt + 4L * first * length);
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
            channel.force(true);
        }
    }
}
