// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.task;

import io.telechat.core.InvalidInputException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * What a task is loaded from.
 *
 * @param directory with a folder for each task, as its makers publish it
 * @param shots solved examples before each question
 * @param limit documents of each subtask at most, from the first
 * @param programs what runs generated programs; empty if that is not allowed
 * @param missing files of subtasks that were looked for in vain, to which the task adds
 */
public record TaskSource(
        Path directory, int shots, OptionalInt limit, Optional<ProgramCheck> programs, List<Path> missing) {
    /** Runs a generated program. */
    @FunctionalInterface
    public interface ProgramCheck {
        /** Whether it comes to its end without an error. */
        boolean passes(String program);
    }

    /** For tasks whose answers are scored without running them. */
    public static TaskSource of(Path directory, int shots) {
        return new TaskSource(directory, shots, OptionalInt.empty(), Optional.empty(), new ArrayList<>());
    }

    /**
     * A file that the task cannot do without.
     *
     * @param orElse other forms in which it may be there
     * @throws InvalidInputException if it is not there
     */
    public Path required(String name, String... orElse) {
        return Stream.concat(Stream.of(name), Arrays.stream(orElse))
                .map(directory::resolve)
                .filter(Files::isRegularFile)
                .findFirst()
                .orElseThrow(() -> new InvalidInputException(
                        "%s: there is no such file; it is one of the benchmark's own", directory.resolve(name)));
    }

    /** A subtask's file; if it is not there, that is noted. */
    public Optional<Path> optional(String name) {
        return noted(directory.resolve(name), Files::isRegularFile);
    }

    /** Likewise, for a subtask that has a folder. */
    public Optional<Path> optionalFolder(String name) {
        return noted(directory.resolve(name), Files::isDirectory);
    }

    private Optional<Path> noted(Path path, Predicate<Path> isThere) {
        if (isThere.test(path)) {
            return Optional.of(path);
        }
        missing.add(path);
        return Optional.empty();
    }

    /** The first of a list, as many as are wanted. */
    public <T> List<T> limited(List<T> rows) {
        return rows.subList(0, Math.min(rows.size(), limit.orElse(Integer.MAX_VALUE)));
    }
}
