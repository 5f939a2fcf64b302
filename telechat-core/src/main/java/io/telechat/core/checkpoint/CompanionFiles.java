// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.checkpoint;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;

/** The small files that lie beside a checkpoint's weights. */
public final class CompanionFiles {
    private static final List<String> TOKENIZER = List.of(
            "tokenizer.model",
            "qwen.tiktoken",
            "tokenizer.json",
            "tokenizer_config.json",
            "special_tokens_map.json",
            "chat_template.jinja",
            "chat_template.json",
            "generation_config.json");

    private CompanionFiles() {}

    /** Copies those that belong to the tokenizer and to generation, as far as they are there. */
    public static void copyTokenizer(Path from, Path to) throws IOException {
        for (String name : TOKENIZER) {
            copy(from, to, name);
        }
    }

    public static void copyConfig(Path from, Path to) throws IOException {
        copy(from, to, "config.json");
    }

    private static void copy(Path from, Path to, String name) throws IOException {
        if (Files.exists(from.resolve(name))) {
            Files.copy(from.resolve(name), to.resolve(name), StandardCopyOption.REPLACE_EXISTING);
        }
    }
}
