// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.tokenizer;

import java.text.Normalizer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Puts long runs of combining marks in canonical order (UAX 15). The JDK's normalizer does that, too, but moves each mark past all
 * before it: a message of a hundred thousand marks would take it minutes. Nobody writes such; but anybody can send them.
 */
final class CombiningMarks {
    private static final String ABOVE = "\u0301";
    private static final String OVERLAY = "\u0334";

    private final Map<Integer, String> decompositions = new HashMap<>();
    private final Map<Integer, Boolean> moves = new HashMap<>();
    private final StringBuilder ordered = new StringBuilder();

    private CombiningMarks() {}

    /** The same text in every normalization form; runs of more than {@code most} marks are decomposed and in order. */
    static String orderLongRuns(String text, int most) {
        CombiningMarks marks = new CombiningMarks();
        int copied = 0;
        for (int from = 0; from < text.length(); ) {
            int to = from;
            int count = 0;
            while (to < text.length() && isMark(text.codePointAt(to))) {
                to += Character.charCount(text.codePointAt(to));
                count++;
            }
            if (count > most) {
                marks.ordered.append(text, copied, from);
                marks.append(text.substring(from, to));
                copied = to;
            }
            from = to == from ? from + Character.charCount(text.codePointAt(from)) : to;
        }
        return copied == 0
                ? text
                : marks.ordered.append(text, copied, text.length()).toString();
    }

    private static boolean isMark(int codePoint) {
        if (codePoint < ABOVE.charAt(0) - 1) {
            return false;
        }
        int type = Character.getType(codePoint);
        return type == Character.NON_SPACING_MARK
                || type == Character.COMBINING_SPACING_MARK
                || type == Character.ENCLOSING_MARK;
    }

    private static String decompose(String text) {
        return Normalizer.normalize(text, Normalizer.Form.NFD);
    }

    private void append(String run) {
        StringBuilder decomposed = new StringBuilder();
        run.codePoints()
                .forEach(c -> decomposed.append(
                        decompositions.computeIfAbsent(c, mark -> decompose(Character.toString(mark)))));
        int[] marks = decomposed.codePoints().toArray();
        Map<Integer, Integer> ranks = ranks(marks);
        for (int from = 0; from < marks.length; ) {
            int to = from;
            while (to < marks.length && moves(marks[to])) {
                to++;
            }
            if (to == from) {
                ordered.appendCodePoint(marks[from++]); // a mark that stays in its place, and keeps others in theirs
            } else {
                appendOrdered(marks, from, to, ranks);
                from = to;
            }
        }
    }

    private void appendOrdered(int[] marks, int from, int to, Map<Integer, Integer> ranks) {
        long[] keys = new long[to - from];
        for (int i = 0; i < keys.length; i++) {
            keys[i] = (long) ranks.get(marks[from + i]) << Integer.SIZE | from + i;
        }
        Arrays.sort(keys);
        for (long key : keys) {
            ordered.appendCodePoint(marks[(int) key]);
        }
    }

    /** Whether a mark has another class than 0: then one of these two goes past it, or it past one of them. */
    private boolean moves(int mark) {
        return moves.computeIfAbsent(
                mark, c -> isBehind(Character.toString(c), OVERLAY) || isBehind(ABOVE, Character.toString(c)));
    }

    private static boolean isBehind(String first, String second) {
        return !decompose(first + second).equals(first + second);
    }

    /** Numbers in the order of the marks' classes, which the JDK does not tell, but shows. */
    private Map<Integer, Integer> ranks(int[] marks) {
        List<String> distinct = Arrays.stream(marks)
                .distinct()
                .filter(this::moves)
                .mapToObj(Character::toString)
                .sorted((a, b) -> isBehind(a, b) ? 1 : isBehind(b, a) ? -1 : 0)
                .toList();
        Map<Integer, Integer> ranks = new HashMap<>();
        int rank = 0;
        for (int i = 0; i < distinct.size(); i++) {
            rank += i > 0 && isBehind(distinct.get(i), distinct.get(i - 1)) ? 1 : 0;
            ranks.put(distinct.get(i).codePointAt(0), rank);
        }
        return ranks;
    }
}
