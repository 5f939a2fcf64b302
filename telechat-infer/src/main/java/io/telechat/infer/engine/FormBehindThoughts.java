// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.engine;

import io.telechat.infer.sampling.Candidates;
import io.telechat.infer.sampling.LogitsProcessor;
import io.telechat.infer.sampling.TokenHistory;
import io.telechat.infer.thinking.ThoughtSplitter;
import java.util.OptionalInt;
import java.util.Set;

/**
 * Keeps an answer to its form, and leaves the thoughts in front of it free; but the generation cannot end within them, as it would
 * have no answer then.
 *
 * @param splitter that says which of both comes next
 * @param form of the answer
 * @param stopIds tokens that end a generation
 */
record FormBehindThoughts(ThoughtSplitter splitter, LogitsProcessor form, Set<Integer> stopIds)
        implements LogitsProcessor {
    @Override
    public void apply(float[] logits, TokenHistory history) {
        switch (splitter.part()) {
            case THOUGHTS ->
                stopIds.stream()
                        .filter(id -> id >= 0 && id < logits.length)
                        .forEach(id -> logits[id] = Float.NEGATIVE_INFINITY);
            case UNDECIDED -> {
                OptionalInt open = splitter.openId();
                float before = open.isPresent() ? logits[open.getAsInt()] : 0;
                form.apply(logits, history);
                open.ifPresent(id -> logits[id] = before);
            }
            case ANSWER -> form.apply(logits, history);
        }
    }

    /** What may be decided of the highest alone: whether thoughts begin is not, as the form might take them all away. */
    @Override
    public boolean apply(Candidates candidates, TokenHistory history) {
        return switch (splitter.part()) {
            case THOUGHTS -> {
                for (int i = 0; i < candidates.size(); i++) {
                    if (stopIds.contains(candidates.id(i))) {
                        candidates.values()[i] = Float.NEGATIVE_INFINITY;
                    }
                }
                yield true;
            }
            case UNDECIDED -> false;
            case ANSWER -> form.apply(candidates, history);
        };
    }
}
