// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import io.telechat.core.InvalidModelException;
import io.telechat.core.checkpoint.IoReason;
import io.telechat.eval.data.Digest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** Tells whether the files of a model are those of another time, by names, sizes and times: weights take long to read. */
final class FileStamps {
    /** Of weights, configurations and tokenizers; others may come and go. */
    private static final String OF_MODELS = ".*\\.(json|safetensors|bin|gguf|model|tiktoken|txt|jinja)";

    private FileStamps() {}

    /** @param model a directory, or a single file */
    static String of(Path model) {
        Digest digest = new Digest();
        try {
            for (Path file : files(model)) {
                digest.add(file.getFileName().toString());
                digest.add(Long.toString(Files.size(file)));
                digest.add(Files.getLastModifiedTime(file).toString());
            }
            return digest.text();
        } catch (IOException e) {
            throw new InvalidModelException(e, "%s: cannot be read: %s", model, IoReason.of(e));
        }
    }

    private static List<Path> files(Path model) throws IOException {
        if (!Files.isDirectory(model)) {
            return List.of(model);
        }
        try (Stream<Path> listing = Files.list(model)) {
            return listing.filter(file -> file.getFileName().toString().matches(OF_MODELS))
                    .filter(Files::isRegularFile)
                    .sorted()
                    .toList();
        }
    }
}
