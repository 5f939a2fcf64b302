// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.task;

import java.util.List;
import java.util.OptionalInt;
import java.util.Set;

/** What is wanted of a model behind a prompt. */
public sealed interface Query {
    /**
     * Which of some answers is the likeliest.
     *
     * @param delimiter between prompt and answer, where a prompt is plain text
     * @param right places of the right ones
     * @param several whether the task allows for several right ones, even where there is one
     * @param normalized whether the likelihoods by character are scored, too
     */
    record Choice(List<String> answers, String delimiter, Set<Integer> right, boolean several, boolean normalized)
            implements Query {
        public Choice {
            answers = List.copyOf(answers);
            right = Set.copyOf(right);
        }
    }

    /**
     * A text.
     *
     * @param until strings that end it, in the order in which they are cut off
     * @param maxNewTokens its length at most; empty for the usual one
     * @param gold the right answer, as samples show it
     */
    record FreeAnswer(List<String> until, OptionalInt maxNewTokens, String gold, AnswerRule rule) implements Query {
        public FreeAnswer {
            until = List.copyOf(until);
        }
    }
}
