// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.checkpoint;

import java.io.IOException;
import java.nio.file.Path;
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
        ModelFiles files = ModelFiles.of(from);
        for (String name : TOKENIZER) {
            files.copy(name, to);
        }
    }

    public static void copyConfig(Path from, Path to) throws IOException {
        ModelFiles.of(from).copy("config.json", to);
    }
}
