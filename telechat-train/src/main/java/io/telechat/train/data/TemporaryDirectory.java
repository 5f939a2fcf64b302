// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.data;

import io.telechat.core.checkpoint.DirectoryTree;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** A folder inside another one that is gone afterwards, also when the program is interrupted. */
final class TemporaryDirectory implements AutoCloseable {
    private final String prefix;
    private final Path path;
    private final Thread hook = new Thread(this::delete);

    /** Makes {@code parent/.name-PID}; what a killed process left there under the same name is removed. */
    TemporaryDirectory(Path parent, String name) throws IOException {
        this.prefix = "." + name + "-";
        this.path = parent.resolve(prefix + ProcessHandle.current().pid());
        for (Path left : leftovers(parent)) {
            DirectoryTree.delete(left);
        }
        Files.createDirectory(path);
        Runtime.getRuntime().addShutdownHook(hook);
    }

    private List<Path> leftovers(Path parent) throws IOException {
        try (Stream<Path> all = Files.list(parent)) {
            return all.filter(p -> p.getFileName().toString().startsWith(prefix))
                    .filter(p -> !isAlive(p.getFileName().toString().substring(prefix.length())))
                    .toList();
        }
    }

    private static boolean isAlive(String pid) {
        return !pid.matches("\\d{1,18}")
                || ProcessHandle.of(Long.parseLong(pid)).isPresent()
                        && ProcessHandle.current().pid() != Long.parseLong(pid);
    }

    Path path() {
        return path;
    }

    private void delete() {
        try {
            DirectoryTree.delete(path);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        delete();
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // Java is going down, and the hook is running.
        }
    }
}
