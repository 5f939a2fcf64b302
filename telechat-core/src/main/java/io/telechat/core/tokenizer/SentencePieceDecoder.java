// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.tokenizer;

import java.util.Set;

/** A run of ids, marks passed over; added tokens that are shown begin a new one. */
final class SentencePieceDecoder implements IncrementalDecoder {
    private final SentencePieceTokenizer tokenizer;
    private final Set<Integer> shown;
    private RunDecoder run;

    SentencePieceDecoder(SentencePieceTokenizer tokenizer, Set<Integer> shown) {
        this.tokenizer = tokenizer;
        this.shown = Set.copyOf(shown);
        this.run = new RunDecoder(tokenizer);
    }

    @Override
    public String add(int id) {
        tokenizer.checkId(id);
        StringBuilder text = new StringBuilder();
        if (!tokenizer.isAdded(id)) {
            run.add(id, text);
        } else if (!tokenizer.isMark(id) || shown.contains(id)) {
            run.finish(text);
            text.append(tokenizer.piece(id));
            run = new RunDecoder(tokenizer);
        }
        return text.toString();
    }

    @Override
    public String finish() {
        StringBuilder text = new StringBuilder();
        run.finish(text);
        return text.toString();
    }
}
