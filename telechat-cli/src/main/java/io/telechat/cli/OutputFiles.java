// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import io.telechat.core.InvalidModelException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Whether a file can be written is asked before the work, not after it. */
final class OutputFiles {
    private OutputFiles() {}

    /** @throws InvalidModelException if it could not be put there */
    static void check(Path file) {
        Path directory = file.toAbsolutePath().getParent();
        if (directory == null || !Files.isDirectory(directory)) {
            throw new InvalidModelException("%s: cannot be written: there is no directory %s", file, directory);
        }
        if (Files.exists(file) && !Files.isRegularFile(file)) {
            throw new InvalidModelException("%s: cannot be written: it is there already, and is not a file", file);
        }
        if (!Files.isWritable(directory) || Files.exists(file) && !Files.isWritable(file)) {
            throw new InvalidModelException("%s: cannot be written: no permission", file);
        }
    }
}
