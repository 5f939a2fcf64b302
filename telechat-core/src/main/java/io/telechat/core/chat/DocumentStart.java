// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.chat;

import com.fasterxml.jackson.databind.JsonNode;
import io.telechat.core.checkpoint.ModelFiles;
import io.telechat.core.tokenizer.TokenizerFiles;
import java.nio.file.Path;
import java.util.OptionalInt;

/**
 * The id that a checkpoint's files ask for in front of a text that is no conversation: {@code add_bos_token} in
 * tokenizer_config.json, or what the post-processor of a tokenizer.json puts there. Llama's SentencePiece files mean it where they
 * say nothing. Chat formats write their own beginning.
 */
final class DocumentStart {
    private static final String CONFIG = "tokenizer_config.json";
    private static final String JSON = "tokenizer.json";
    private static final String SWITCH = "add_bos_token";

    private DocumentStart() {}

    /** @param directory of the tokenizer's files */
    static OptionalInt of(Path directory, TokenizerFiles tokenizer) {
        ModelFiles files = ModelFiles.of(directory);
        boolean hasConfig = files.has(CONFIG);
        JsonNode wanted = hasConfig ? files.json(CONFIG).path(SWITCH) : null;
        if (wanted != null && wanted.isBoolean()) {
            String begin = TemplateFiles.read(directory).tokens().getOrDefault("bos_token", Llama2Template.START);
            return wanted.booleanValue() ? tokenizer.tokenizer().id(begin) : OptionalInt.empty();
        }
        return switch (tokenizer.kind()) {
            case SENTENCE_PIECE ->
                Llama2Template.isLlama(tokenizer.tokenizer())
                        ? tokenizer.tokenizer().id(Llama2Template.START)
                        : OptionalInt.empty();
            case JSON -> ofPostProcessor(files.json(JSON).path("post_processor"), tokenizer);
            case SENTENCE_PIECE_WITH_CONTROL_MARKS, TIKTOKEN -> OptionalInt.empty();
        };
    }

    /** What the first template puts in front of a single text. */
    private static OptionalInt ofPostProcessor(JsonNode step, TokenizerFiles tokenizer) {
        for (JsonNode part : step.path("processors")) {
            OptionalInt found = ofPostProcessor(part, tokenizer);
            if (found.isPresent()) {
                return found;
            }
        }
        JsonNode first = step.path("single").path(0).path("SpecialToken").path("id");
        return first.isTextual() ? tokenizer.tokenizer().id(first.asText()) : OptionalInt.empty();
    }
}
