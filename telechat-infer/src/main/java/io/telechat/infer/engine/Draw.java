// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.engine;

import io.telechat.infer.engine.Scheduler.Chunk;
import io.telechat.infer.generation.Generation;
import io.telechat.infer.grammar.TokenConstraint;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What the logits of a chunk give.
 *
 * @param promptLogprobs of tokens of the prompt, if they were asked for
 * @param tokens that were drawn
 * @param failure why nothing could be drawn
 */
record Draw(List<Generation.TokenLogprob> promptLogprobs, List<Token> tokens, Optional<RuntimeException> failure) {

    /** @param logprob if it was asked for */
    record Token(int id, Optional<Generation.TokenLogprob> logprob) {}

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
                    if (!goesOn || ends(sequence, token.id())) {
                        break;
                    }
                }
            }
            return new Draw(ofPrompt, drawn, Optional.empty());
        } catch (RuntimeException e) {
            return new Draw(List.of(), List.of(), Optional.of(e));
        }
    }

    private static boolean ends(Sequence sequence, int id) {
        return sequence.request().options().stopIds().contains(id)
                || sequence.constraint().filter(TokenConstraint::isComplete).isPresent();
    }

    private static Token token(Sequence sequence, RowLogits logits) {
        int alternatives = sequence.request().options().logprobs();
        int id = logits.sample(sequence.sampler(), sequence.history());
        sequence.history().add(id);
        sequence.constraint().ifPresent(constraint -> constraint.accept(id));
        return new Token(id, alternatives >= 0 ? Optional.of(Logprobs.of(logits, id, alternatives)) : Optional.empty());
    }
}
