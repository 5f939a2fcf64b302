// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.math;

import java.util.Optional;

/** The last {@code \boxed{...}} of a text. */
final class Boxed {
    private static final String COMMAND = "\\boxed";

    private static final String OPEN = COMMAND + "{";

    private Boxed() {}

    /** What stands in the last box, by balanced braces; empty where there is none, or it is not closed, or it is an {@code \fbox}. */
    static Optional<String> last(String text) {
        return lastCommand(text)
                .filter(box -> box.startsWith(OPEN))
                .map(box -> box.substring(OPEN.length(), box.length() - 1));
    }

    /** Likewise; but if {@code \boxed} with a blank after it occurs, what follows the last one up to a dollar sign. */
    static Optional<String> lastOrUnbraced(String text) {
        String unbraced = COMMAND + " ";
        int at = text.lastIndexOf(unbraced);
        if (at < 0) {
            return last(text);
        }
        return Optional.of(before(text.substring(at + unbraced.length()), "$"));
    }

    private static Optional<String> lastCommand(String text) {
        int from = text.lastIndexOf(COMMAND);
        if (from < 0) {
            from = text.lastIndexOf("\\fbox");
        }
        int open = 0;
        for (int i = Math.max(from, 0); from >= 0 && i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '{') {
                open++;
            } else if (c == '}' && --open == 0) {
                return Optional.of(text.substring(from, i + 1));
            }
        }
        return Optional.empty();
    }

    private static String before(String text, String mark) {
        int at = text.indexOf(mark);
        return at < 0 ? text : text.substring(0, at);
    }
}
