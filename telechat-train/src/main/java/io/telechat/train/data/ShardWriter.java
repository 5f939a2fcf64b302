// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.data;

import io.telechat.core.backend.WorkerTeam;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** Writes rows as {@code train_data_0.safetensors}, {@code train_data_1.safetensors}, …: equal stretches of them, in order. */
final class ShardWriter {
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
        List<ShardFile> files = new ArrayList<>();
        try {
            for (int i = 0; i < shards; i++) {
                files.add(new ShardFile(path(i), from(rows, i, shards), samples(rows, i, shards), rows.rowTokens()));
            }
            fill(files, rows);
            return finish(files, rows);
        } finally {
            for (ShardFile file : files) {
                file.close();
            }
        }
    }

    private void fill(List<ShardFile> files, SampleRows rows) {
        List<ShardFile.Buffers> buffers = Stream.generate(() -> new ShardFile.Buffers(rows, padId))
                .limit(team.size())
                .toList();
        int blocks = files.stream().mapToInt(ShardFile::blocks).max().orElseThrow();
        // From file to file, since threads that write to the same one wait for each other.
        team.run(blocks * files.size(), (task, thread) -> {
            ShardFile file = files.get(task % files.size());
            int block = task / files.size();
            try {
                if (block < file.blocks()) {
                    file.write(block, buffers.get(thread));
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
    }

    private List<Shard> finish(List<ShardFile> files, SampleRows rows) {
        int shards = files.size();
        Shard[] written = new Shard[shards];
        team.run(2 * shards, (task, thread) -> {
            int i = task / 2;
            try {
                if (task % 2 == 0) {
                    files.get(i).force(); // and while this thread waits for the disk, another hashes
                } else {
                    written[i] = new Shard(name(i), samples(rows, i, shards), FileHash.sha256(path(i)));
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
        return List.of(written);
    }

    private Path path(int shard) {
        return directory.resolve(name(shard));
    }

    private static String name(int shard) {
        return "train_data_%d.safetensors".formatted(shard);
    }

    private static int from(SampleRows rows, int shard, int shards) {
        return (int) ((long) rows.size() * shard / shards);
    }

    private static int samples(SampleRows rows, int shard, int shards) {
        return from(rows, shard + 1, shards) - from(rows, shard, shards);
    }
}
