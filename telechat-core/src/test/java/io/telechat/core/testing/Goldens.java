// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.testing;

import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** Where the golden models are: the small ones in these resources, all of them in a folder beside the checkout. */
public final class Goldens {
    private static final Path SHARED =
            Path.of("..", "..", "shared", "reference").toAbsolutePath().normalize();

    private Goldens() {}

    /** The folder beside the checkout; tests that need it skip when it is not there. */
    public static Path shared(String name) {
        return SHARED.resolve(name);
    }

    /** A committed golden model. */
    public static Path committed(String name) {
        try {
            URI uri = Goldens.class
                    .getResource("/goldens/" + name + "/config.json")
                    .toURI();
            return FileSystems.getDefault().getPath(Path.of(uri).getParent().toString());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    /** All golden models on this machine, the committed ones once. */
    public static List<Path> models() throws IOException {
        List<Path> models = new ArrayList<>();
        try (Stream<Path> committed =
                Files.list(committed("telechat52b_bin_bf16").getParent())) {
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
