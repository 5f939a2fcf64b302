// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.checkpoint;

import io.telechat.core.InvalidModelException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** A whole file in memory, read-only; its pages are the operating system's to load and to drop. */
final class MappedFile {
    private MappedFile() {}

    static MemorySegment map(Path path, Arena arena) {
        JsonFiles.requireRegular(path);
        Downloads.requireWhole(path);
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            return channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
        } catch (NoSuchFileException e) {
            throw new InvalidModelException(e, "%s: file is missing; the checkpoint is incomplete", path);
        } catch (IOException e) {
            throw new InvalidModelException(e, "%s: cannot be read: %s", path, IoReason.of(e));
        }
    }
}
