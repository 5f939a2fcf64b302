// SPDX-License-Identifier: Apache-2.0
package io.telechat.train;

import io.telechat.core.InvalidRequestException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** Keeps a second run out of an output directory. The system lets go of it when the process ends, however it ends. */
public final class RunLock implements AutoCloseable {
    private static final String FILE = ".lock";

    private final Path file;
    private final FileChannel channel;

    private RunLock(Path file, FileChannel channel) {
        this.file = file;
        this.channel = channel;
    }

    /**
     * @param output an existing directory
     * @throws InvalidRequestException at once, if another run has it
     */
    public static RunLock take(Path output) throws IOException {
        Path file = output.resolve(FILE);
        FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        try {
            FileLock lock = channel.tryLock();
            if (lock != null) {
                return new RunLock(file, channel);
            }
        } catch (OverlappingFileLockException e) {
            // A run of this process has it.
        }
        channel.close();
        throw new InvalidRequestException(
                "%s: another run is writing there; wait for it, or choose another --output-dir", output);
    }

    @Override
    public void close() throws IOException {
        Files.deleteIfExists(file); // before it is free, or another run's would go
        channel.close();
    }
}
