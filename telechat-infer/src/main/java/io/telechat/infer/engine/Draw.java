// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.engine;

import io.telechat.infer.engine.Scheduler.Chunk;
import io.telechat.infer.generation.Generation;
import io.telechat.infer.generation.GenerationOptions;
import io.telechat.infer.thinking.Split;
import io.telechat.infer.thinking.ThoughtSplitter;
import io.telechat.infer.thinking.ThoughtSplitter.Part;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What the logits of a chunk give.
 *
 * @param promptLogprobs of tokens of the prompt, if they were asked for
 * @param tokens that were drawn
 * @param failure why nothing could be drawn
 */
record Draw(List<Generation.TokenLogprob> promptLogprobs, List<Token> tokens, Optional<RuntimeException> failure) {

    /**
     * @param logprob if it was asked for
     * @param split what it adds
     * @param isStop whether it ends the generation by itself
     */
    record Token(int id, Optional<Generation.TokenLogprob> logprob, Split split, boolean isStop) {}

    /** @param logits of the rows that the chunk wants */
    static Draw of(Chunk chunk, List<RowLogits> logits) {
        List<Generation.TokenLogprob> ofPrompt = new ArrayList<>();
        List<Token> drawn = new ArrayList<>();
        Sequence sequence = chunk.sequence();
        try {
            for (int row = 0; row < chunk.wanted(); row++) {
                int next = chunk.first() + chunk.count() - chunk.wanted() + row + 1;
                if (next < sequence.promptLength()) {
                    int alternatives = sequence.request().promptLogprobs();
                    float[] values = logits.get(row).all().get();
                    ofPrompt.add(Logprobs.of(values, sequence.tokens()[next], alternatives));
                } else {
                    Token token = token(sequence, logits.get(row));
                    drawn.add(token);
                    boolean goesOn = row + 1 < chunk.wanted() && sequence.tokens()[next] == token.id();
                    if (!goesOn || token.isStop() || sequence.isComplete()) {
                        break;
                    }
                }
            }
            return new Draw(ofPrompt, drawn, Optional.empty());
        } catch (RuntimeException e) {
            return new Draw(List.of(), List.of(), Optional.of(e));
        }
    }

    private static Token token(Sequence sequence, RowLogits logits) {
        GenerationOptions options = sequence.request().options();
        ThoughtSplitter splitter = sequence.answer().splitter();
        OptionalInt forced = splitter.forced();
        int id = forced.orElseGet(() -> logits.sample(sequence.sampler(), sequence.history()));
        sequence.history().add(id);
        boolean stops = forced.isEmpty() && options.stopIds().contains(id);
        Split split = stops ? Split.NOTHING : splitAndKeepToForm(sequence, id);
        int alternatives = options.logprobs();
        return new Token(
                id,
                alternatives >= 0 ? Optional.of(Logprobs.of(logits, id, alternatives)) : Optional.empty(),
                split,
                stops);
    }

    /** The form begins with the token behind the thoughts: what the one that ends them brings along is not part of it. */
    private static Split splitAndKeepToForm(Sequence sequence, int id) {
        ThoughtSplitter splitter = sequence.answer().splitter();
        Part before = splitter.part();
        Split split = splitter.add(id);
        if (sequence.constraint().isEmpty() || split.isForced()) {
            return split;
        }
        if (before == Part.THOUGHTS) {
            return split.withoutAnswer();
        }
        if (splitter.part() != Part.THOUGHTS) {
            sequence.constraint().get().accept(id);
        }
        return split;
    }
}
