// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.testing;

import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** Where the golden models are: the small ones in these resources, all of them in a folder beside the checkout. */
public final class Goldens {
    private static final Path SHARED =
            Path.of("..", "..", "shared", "reference").toAbsolutePath().normalize();

    private static final Path COMMITTED = Path.of("..", "telechat-core", "src", "test", "resources", "goldens")
            .toAbsolutePath()
            .normalize();

    private Goldens() {}

    /** The folder beside the checkout; tests that need it skip when it is not there. */
    public static Path shared(String name) {
        return SHARED.resolve(name);
    }

    /** A committed golden model; tests of every module run in the folder of their module. */
    public static Path committed(String name) {
        return COMMITTED.resolve(name);
    }

    /** Skips the test where a golden is of an architecture that telechat does not compute (yet). */
    public static void assumeComputed(String name) {
        for (String family : List.of("llama", "qwen", "telechat3")) {
            assumeFalse(name.startsWith(family), name + " is of an architecture that is not computed yet");
        }
    }

    /** All golden models on this machine, the committed ones once. */
    public static List<Path> models() throws IOException {
        List<Path> models = new ArrayList<>();
        try (Stream<Path> committed = Files.list(COMMITTED)) {
            committed.filter(Files::isDirectory).sorted().forEach(models::add);
        }
        if (Files.isDirectory(shared("models"))) {
            try (Stream<Path> all = Files.list(shared("models"))) {
                all.filter(p -> models.stream().noneMatch(m -> m.endsWith(p.getFileName())))
                        .sorted()
                        .forEach(models::add);
            }
        }
        return models;
    }
}
