// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.tokenizer;

import io.telechat.core.InvalidModelException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Cuts text at what a pattern matches ({@code NormalizedString::split} of the tokenizers library).
 *
 * @param source file to name in complaints
 * @param inverts whether what lies between matches counts as matched, and matches as what lies between
 */
record PatternSplit(Object source, Pattern pattern, Behavior behavior, boolean inverts) implements PreTokenizer {
    /** What becomes of matches, by the names that files have for it. */
    enum Behavior {
        REMOVED,
        ISOLATED,
        CONTIGUOUS,
        MERGED_WITH_PREVIOUS,
        MERGED_WITH_NEXT
    }

    private record Part(int from, int to, boolean isMatch) {}

    @Override
    public void split(String text, int from, int to, Sink words) {
        List<Part> parts = parts(text, from, to);
        List<Part> cut = switch (behavior) {
            case REMOVED -> parts.stream().filter(p -> !p.isMatch()).toList();
            case ISOLATED -> parts;
            case CONTIGUOUS -> joinEqual(parts);
            case MERGED_WITH_PREVIOUS -> joinMatches(parts);
            case MERGED_WITH_NEXT -> joinMatches(parts.reversed()).reversed();
        };
        for (Part part : cut) {
            words.accept(text, part.from(), part.to());
        }
    }

    /** Matches, and what lies between them; none is empty. */
    private List<Part> parts(String text, int from, int to) {
        return guarded(source, text, from, to, bounded -> {
            List<Part> parts = new ArrayList<>();
            Matcher matcher = pattern.matcher(bounded);
            int end = from;
            while (matcher.find()) {
                if (matcher.start() == matcher.end()) {
                    continue;
                }
                if (end < from + matcher.start()) {
                    parts.add(new Part(end, from + matcher.start(), inverts));
                }
                end = from + matcher.end();
                parts.add(new Part(from + matcher.start(), end, !inverts));
            }
            if (end < to) {
                parts.add(new Part(end, to, inverts));
            }
            return parts;
        });
    }

    /**
     * Does something with a pattern and a stretch of text, in bounded time.
     *
     * @throws InvalidModelException if it would take longer, or more of the stack
     */
    static <T> T guarded(Object source, String text, int from, int to, Function<CharSequence, T> matching) {
        try {
            return matching.apply(new BoundedText(source, text, from, to));
        } catch (StackOverflowError e) { // java.util.regex calls itself for each turn of some loops
            throw new InvalidModelException(
                    e, "%s: its pattern takes too long on a text of %,d characters", source, to - from);
        }
    }

    private static List<Part> joinEqual(List<Part> parts) {
        List<Part> joined = new ArrayList<>();
        for (Part part : parts) {
            if (!joined.isEmpty() && joined.getLast().isMatch() == part.isMatch()) {
                joined.add(union(joined.removeLast(), part, part.isMatch()));
            } else {
                joined.add(part);
            }
        }
        return joined;
    }

    /** Each match that does not follow a match is joined to what is in front of it. */
    private static List<Part> joinMatches(List<Part> parts) {
        List<Part> joined = new ArrayList<>();
        boolean afterMatch = false;
        for (Part part : parts) {
            if (part.isMatch() && !afterMatch && !joined.isEmpty()) {
                joined.add(union(joined.removeLast(), part, false));
            } else {
                joined.add(part);
            }
            afterMatch = part.isMatch();
        }
        return joined;
    }

    private static Part union(Part one, Part other, boolean isMatch) {
        return new Part(Math.min(one.from(), other.from()), Math.max(one.to(), other.to()), isMatch);
    }
}
