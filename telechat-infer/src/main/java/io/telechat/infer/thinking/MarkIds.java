// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.thinking;

import io.telechat.core.tokenizer.Tokenizer;
import java.util.Arrays;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/**
 * The marks as a vocabulary writes them.
 *
 * @param open its piece, if it is one
 * @param close its piece, if it is one
 * @param closing ids that end thoughts, with the newlines that models are trained to write around the mark
 * @param none ids that say at the beginning of an answer that it has no thoughts
 */
record MarkIds(OptionalInt open, OptionalInt close, int[] closing, int[] none) {
    private static final String BEFORE = "\n";
    private static final String BEHIND = "\n\n";

    static MarkIds of(ThoughtMarks marks, Tokenizer tokenizer) {
        OptionalInt open = piece(marks.open(), tokenizer);
        OptionalInt close = piece(marks.close(), tokenizer);
        int[] behindClose = close.isPresent()
                ? join(continued(BEFORE, tokenizer), close.getAsInt(), tokenizer.encode(BEHIND))
                : continued(BEFORE + marks.close() + BEHIND, tokenizer);
        int[] none = open.isPresent() && close.isPresent()
                ? join(
                        join(new int[0], open.getAsInt(), tokenizer.encode(BEHIND)),
                        close.getAsInt(),
                        tokenizer.encode(BEHIND))
                : tokenizer.encode(marks.open() + BEHIND + marks.close() + BEHIND);
        return new MarkIds(open, close, behindClose, marks.begun() ? behindClose : none);
    }

    /** What finds a mark in text comes first: a vocabulary may have listed its pieces otherwise than they are spelt. */
    private static OptionalInt piece(String mark, Tokenizer tokenizer) {
        int[] ids = tokenizer.encode(mark);
        return ids.length == 1 ? OptionalInt.of(ids[0]) : tokenizer.id(mark);
    }

    /** The ids of a text that others precede, where some vocabularies put no blank in front. */
    private static int[] continued(String text, Tokenizer tokenizer) {
        int[] before = tokenizer.encode("a");
        int[] whole = tokenizer.encode("a" + text);
        boolean isPrefix =
                whole.length > before.length && Arrays.equals(before, 0, before.length, whole, 0, before.length);
        return isPrefix ? Arrays.copyOfRange(whole, before.length, whole.length) : tokenizer.encode(text);
    }

    private static int[] join(int[] before, int id, int[] behind) {
        return IntStream.concat(IntStream.concat(IntStream.of(before), IntStream.of(id)), IntStream.of(behind))
                .toArray();
    }
}
