// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.data;

import io.telechat.core.InvalidInputException;
import io.telechat.core.checkpoint.IoReason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** A problem of MATH. Each has a file of its own, which is named by its number in a folder for its type. */
public record MathProblem(String problem, String solution) {
    /** The folders below {@code math/test}. */
    public static final List<String> TYPES = List.of(
            "algebra",
            "counting_and_probability",
            "geometry",
            "intermediate_algebra",
            "number_theory",
            "prealgebra",
            "precalculus");

    private static final String EXTENSION = ".json";
    private static final int MAX_DIGITS = 9;

    /**
     * The files of a folder, by their numbers.
     *
     * @throws InvalidInputException if it cannot be read
     */
    public static List<Path> files(Path folder) {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> number(file) >= 0)
                    .sorted(Comparator.comparingInt(MathProblem::number))
                    .toList();
        } catch (IOException e) {
            throw new InvalidInputException(e, "%s: cannot be read: %s", folder, IoReason.of(e));
        }
    }

    /** Negative if a file is not named by one. */
    private static int number(Path file) {
        String name = file.getFileName().toString();
        String number = name.endsWith(EXTENSION) ? name.substring(0, name.length() - EXTENSION.length()) : "";
        boolean isNumber = !number.isEmpty()
                && number.length() <= MAX_DIGITS
                && number.chars().allMatch(c -> c >= '0' && c <= '9');
        return isNumber ? Integer.parseInt(number) : -1;
    }

    public static MathProblem read(Path file) {
        JsonRow row = JsonRow.whole(file);
        return new MathProblem(row.text("problem"), row.text("solution"));
    }
}
