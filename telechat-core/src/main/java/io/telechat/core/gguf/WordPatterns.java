// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.gguf;

import java.util.Comparator;
import java.util.Map;
import java.util.Optional;

/**
 * How byte-level tokenizers cut text into words: GGUF has a name for what tokenizer.json says as a pattern, whether the text is
 * normalized before, and whether words that are in the vocabulary are taken without merging.
 */
public record WordPatterns(String pattern, boolean isNormalized, boolean ignoresMerges) {
    /** GPT-2's, which tokenizer.json may leave to its ByteLevel step. */
    public static final String GPT2 =
            "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

    /** Of digits, so many at a time. */
    private static final String MODERN = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}%s"
            + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

    static final WordPatterns LLAMA3 = new WordPatterns(MODERN.formatted("{1,3}"), false, true);
    static final WordPatterns QWEN2 = new WordPatterns(MODERN.formatted(""), true, false);

    /** By their names in {@code tokenizer.ggml.pre}. */
    private static final Map<String, WordPatterns> NAMED = Map.of(
            "llama-bpe", LLAMA3,
            "llama3", LLAMA3,
            "llama-v3", LLAMA3,
            "qwen2", QWEN2,
            "gpt-2", new WordPatterns(GPT2, false, false));

    static Optional<WordPatterns> named(String name) {
        return Optional.ofNullable(NAMED.get(name));
    }

    /** The name of what a tokenizer.json says; the first of several. */
    public static Optional<String> name(String pattern, boolean isNormalized, boolean ignoresMerges) {
        WordPatterns words = new WordPatterns(pattern, isNormalized, ignoresMerges);
        return NAMED.entrySet().stream()
                .filter(e -> e.getValue().equals(words))
                .map(Map.Entry::getKey)
                .min(Comparator.naturalOrder()); // llama-bpe before llama3
    }
}
