// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.tokenizer;

/** One run of ids, added tokens passed over. */
final class SentencePieceDecoder implements IncrementalDecoder {
    private final SentencePieceTokenizer tokenizer;
    private final RunDecoder run;

    SentencePieceDecoder(SentencePieceTokenizer tokenizer) {
        this.tokenizer = tokenizer;
        this.run = new RunDecoder(tokenizer);
    }

    @Override
    public String add(int id) {
        tokenizer.checkId(id);
        return tokenizer.isAdded(id) ? "" : run.add(id);
    }

    @Override
    public String finish() {
        return run.finish();
    }
}
