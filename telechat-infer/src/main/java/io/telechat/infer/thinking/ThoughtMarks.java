// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.thinking;

/**
 * What thoughts stand between. A mark that is one piece of the vocabulary is found by its id, any other in the text.
 *
 * @param open the mark in front of them, without blanks around it
 * @param close the mark behind them, likewise
 * @param begun whether the prompt ends within thoughts; if not, a generation has some only if it begins with the first mark
 */
public record ThoughtMarks(String open, String close, boolean begun) {
    public ThoughtMarks {
        open = open.strip();
        close = close.strip();
        if (open.isEmpty() || close.isEmpty()) {
            throw new IllegalArgumentException("a mark is empty");
        }
    }
}
