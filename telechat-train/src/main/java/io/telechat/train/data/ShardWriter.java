// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.data;

import io.telechat.core.workers.WorkerTeam;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;

/** Writes rows as {@code train_data_0.safetensors}, {@code train_data_1.safetensors}, …: equal stretches of them, in order. */
final class ShardWriter {
    /** After so many blocks of a file the disk may begin with them. */
    private static final int FORCED_BLOCKS = 128;

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
        try (DiskQueue disk = new DiskQueue()) {
            for (int i = 0; i < shards; i++) {
                files.add(new ShardFile(path(i), from(rows, i, shards), samples(rows, i, shards), rows.rowTokens()));
            }
            fill(files, rows, disk);
            files.forEach(disk::force);
            List<Shard> written = hash(rows, shards); // while the disk is busy
            disk.await();
            return written;
        } finally {
            for (ShardFile file : files) {
                file.close();
            }
        }
    }

    private void fill(List<ShardFile> files, SampleRows rows, DiskQueue disk) {
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
            if (block % FORCED_BLOCKS == FORCED_BLOCKS - 1) {
                disk.force(file);
            }
        });
    }

    private List<Shard> hash(SampleRows rows, int shards) {
        Shard[] written = new Shard[shards];
        team.run(shards, (i, thread) -> {
            try {
                written[i] = new Shard(name(i), samples(rows, i, shards), FileHash.sha256(path(i)));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
        return List.of(written);
    }

    /** Waits for the disk on a thread of its own, so that it writes while more is computed. */
    private static final class DiskQueue implements AutoCloseable {
        private final ExecutorService thread = Executors.newSingleThreadExecutor();
        private final Queue<Future<?>> forced = new ConcurrentLinkedQueue<>();

        void force(ShardFile file) {
            forced.add(thread.submit(() -> {
                file.force();
                return null;
            }));
        }

        /** Returns once everything is on the disk. */
        void await() throws IOException {
            for (Future<?> one : forced) {
                try {
                    one.get();
                } catch (ExecutionException e) {
                    throw new IOException(e.getCause().getMessage(), e);
                } catch (InterruptedException e) {
                    throw new InterruptedIOException("interrupted while writing");
                }
            }
        }

        @Override
        public void close() {
            thread.close();
        }
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
