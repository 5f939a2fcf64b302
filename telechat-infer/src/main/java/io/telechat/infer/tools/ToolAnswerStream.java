// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.tools;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Finds calls in an answer as it comes. Up to the first mark of a call, text is passed on as soon as it cannot be part of one; behind
 * it, whole calls. Not thread-safe.
 */
public final class ToolAnswerStream {
    private final Set<String> names;
    private final StringBuilder held = new StringBuilder();
    private boolean inCalls;
    private boolean hasCalls;

    /** @param names of the functions there are; none if the answer is text whatever it looks like */
    ToolAnswerStream(Set<String> names) {
        this.names = names;
    }

    /** What is passed on. */
    public sealed interface Part {}

    /** Something said. */
    public record Text(String text) implements Part {}

    /** A function that is to be called. */
    public record Call(ToolCall call) implements Part {}

    /** What a further piece of the answer makes sure of. */
    public List<Part> add(String text) {
        if (names.isEmpty()) {
            return text.isEmpty() ? List.of() : List.of(new Text(text));
        }
        held.append(text);
        List<Part> parts = new ArrayList<>();
        if (!inCalls) {
            int open = held.indexOf(ToolAnswer.OPEN);
            inCalls = open >= 0;
            int free = inCalls ? open : surelyText();
            String said = inCalls ? held.substring(0, free).stripTrailing() : held.substring(0, free);
            held.delete(0, free);
            if (!said.isEmpty()) {
                parts.add(new Text(said));
            }
        }
        for (int close = held.indexOf(ToolAnswer.CLOSE);
                inCalls && close >= 0;
                close = held.indexOf(ToolAnswer.CLOSE)) {
            int end = close + ToolAnswer.CLOSE.length();
            parts.addAll(calls(held.substring(0, end)));
            held.delete(0, end);
        }
        return parts;
    }

    /** What is left at the end. */
    public List<Part> finish() {
        String rest = held.toString();
        held.setLength(0);
        if (!inCalls) {
            return rest.isEmpty() ? List.of() : List.of(new Text(rest));
        }
        return rest.isBlank() ? List.of() : calls(rest);
    }

    /** Whether a call has been passed on. */
    public boolean hasCalls() {
        return hasCalls;
    }

    /** How much is neither the beginning of a mark nor blanks, which are dropped before one. */
    private int surelyText() {
        int end = held.length() - beginningOfMark();
        while (end > 0 && Character.isWhitespace(held.charAt(end - 1))) {
            end--;
        }
        return end;
    }

    private int beginningOfMark() {
        String mark = ToolAnswer.OPEN;
        for (int length = Math.min(mark.length() - 1, held.length()); length > 0; length--) {
            if (mark.startsWith(held.substring(held.length() - length))) {
                return length;
            }
        }
        return 0;
    }

    private List<Part> calls(String text) {
        ToolAnswer found = ToolAnswer.parse(text, names);
        List<Part> parts = new ArrayList<>();
        if (!found.content().isEmpty()) {
            parts.add(new Text(found.content()));
        }
        found.calls().forEach(call -> parts.add(new Call(call)));
        hasCalls |= !found.calls().isEmpty();
        return parts;
    }
}
