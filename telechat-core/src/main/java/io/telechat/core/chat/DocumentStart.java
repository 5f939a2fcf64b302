// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.chat;

import io.telechat.core.tokenizer.Tokenizer;
import io.telechat.core.tokenizer.TokenizerFiles;
import java.util.OptionalInt;

/**
 * The id that a checkpoint's files ask for in front of a text that is no conversation: {@code add_bos_token} in
 * tokenizer_config.json, or what the post-processor of a tokenizer.json puts there. Llama's SentencePiece files mean it where they
 * say nothing. Chat formats write their own beginning.
 */
final class DocumentStart {
    private DocumentStart() {}

    /** @param beside what lies beside the tokenizer */
    static OptionalInt of(TemplateFiles beside, TokenizerFiles files) {
        Tokenizer tokenizer = files.tokenizer();
        if (beside.addsStart().isPresent()) {
            String start = beside.tokens().getOrDefault("bos_token", Llama2Template.START);
            return beside.addsStart().get() ? tokenizer.id(start) : OptionalInt.empty();
        }
        boolean isLlama = files.kind() == TokenizerFiles.Kind.SENTENCE_PIECE && Llama2Template.isLlama(tokenizer);
        return isLlama
                ? tokenizer.id(Llama2Template.START)
                : files.start().map(tokenizer::id).orElse(OptionalInt.empty());
    }
}
