// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.data;

import com.fasterxml.jackson.databind.JsonNode;
import io.telechat.core.InvalidModelException;
import io.telechat.core.checkpoint.IoReason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** Which tokenizer data were made with: the hashes of the files that decide on ids. */
final class TokenizerIdentity {
    /** The vocabulary, of which a directory has one or several. */
    private static final List<String> VOCABULARY = List.of("tokenizer.model", "qwen.tiktoken", "tokenizer.json");

    /** Added tokens; holds things that do not matter for ids, too. */
    private static final String CONFIG = "tokenizer_config.json";

    private TokenizerIdentity() {}

    /** Of all files together. */
    static String hash(Path directory) throws IOException {
        return FileHash.sha256(files(directory, true));
    }

    /** Of each file by its name. */
    static Map<String, String> hashes(Path directory) throws IOException {
        Map<String, String> hashes = new LinkedHashMap<>();
        for (Path file : files(directory, true)) {
            hashes.put(file.getFileName().toString(), FileHash.sha256(file));
        }
        return hashes;
    }

    private static Path[] files(Path directory, boolean withConfig) {
        return Stream.concat(VOCABULARY.stream(), withConfig ? Stream.of(CONFIG) : Stream.of())
                .map(directory::resolve)
                .filter(Files::isRegularFile)
                .toArray(Path[]::new);
    }

    /**
     * Whether a directory has a tokenizer, and it is not the one that a manifest speaks of. Another tokenizer_config.json
     * alone makes no other tokenizer: most of what it holds does not matter.
     */
    static boolean differs(JsonNode manifest, Path directory) {
        if (!manifest.path("tokenizer_sha256").isTextual() || files(directory, false).length == 0) {
            return false;
        }
        try {
            JsonNode files = manifest.path("tokenizer_files");
            if (files.isObject()) {
                Map<String, String> here = hashes(directory);
                return VOCABULARY.stream()
                        .anyMatch(name -> here.containsKey(name) != files.has(name)
                                || here.containsKey(name)
                                        && !here.get(name)
                                                .equals(files.get(name).asText()));
            }
            String made = manifest.get("tokenizer_sha256").asText();
            return !made.equals(hash(directory)) && !made.equals(FileHash.sha256(files(directory, false)));
        } catch (IOException e) {
            throw new InvalidModelException(e, "%s: cannot be read: %s", directory, IoReason.of(e));
        }
    }
}
