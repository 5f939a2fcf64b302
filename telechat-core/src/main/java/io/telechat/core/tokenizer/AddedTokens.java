// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.tokenizer;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Cuts text at added tokens, as the tokenizer classes in Python of the reference's framework do
 * ({@code PreTrainedTokenizer.tokenize} in tokenization_utils.py).
 */
class AddedTokens {
    private final Map<String, AddedToken> byContent = new HashMap<>();
    private final Literals literals;
    private final boolean anyWithRules;
    private final String firstChars;

    /**
     * A stretch of text, or an added token if {@code id} is not negative.
     *
     * @param isFirst whether the text begins with it
     */
    record Segment(String text, int id, boolean isFirst) {}

    /** @param source file to name in complaints */
    AddedTokens(Object source, List<AddedToken> tokens) {
        tokens.forEach(token -> byContent.put(token.content(), token));
        literals = new Literals(source, tokens.stream().map(AddedToken::content).toArray(String[]::new));
        firstChars =
                tokens.stream().map(t -> t.content().substring(0, 1)).distinct().collect(Collectors.joining());
        anyWithRules = tokens.stream().anyMatch(t -> t.singleWord() || t.lstrip() || t.rstrip());
    }

    List<Segment> split(String text) {
        if (text.isEmpty()) {
            return List.of();
        }
        if (containsNone(text)) {
            return List.of(new Segment(text, -1, true));
        }
        List<String> parts = cut(text);
        if (anyWithRules && parts.size() > 1) {
            applyRules(parts);
        }
        List<Segment> segments = new ArrayList<>(parts.size());
        for (String part : parts) {
            AddedToken token = byContent.get(part);
            if (!part.isEmpty()) {
                segments.add(new Segment(part, token == null ? -1 : token.id(), segments.isEmpty()));
            }
        }
        return segments;
    }

    /** Most text has not even the first character of a token. */
    private boolean containsNone(String text) {
        for (int i = 0; i < firstChars.length(); i++) {
            if (text.indexOf(firstChars.charAt(i)) >= 0) {
                return false;
            }
        }
        return true;
    }

    /** Leftmost token first, the longest where several begin. */
    private List<String> cut(String text) {
        List<String> parts = new ArrayList<>();
        int from = 0;
        for (int at = 0; at < text.length(); ) {
            int match = literals.mayStart(text.charAt(at)) ? literals.longestMatch(text, at) : Literals.NONE;
            if (match == Literals.NONE) {
                at++;
                continue;
            }
            if (at > from) {
                parts.add(text.substring(from, at));
            }
            from = at + literals.length(match);
            parts.add(text.substring(at, from));
            at = from;
        }
        if (from < text.length()) {
            parts.add(text.substring(from));
        }
        return parts;
    }

    /**
     * Blanks beside a token may belong to it; and a single-word token next to anything but a blank becomes part of that, its left
     * neighbour first.
     */
    private void applyRules(List<String> parts) {
        for (int i = 0; i < parts.size(); i++) {
            AddedToken token = byContent.get(parts.get(i));
            if (token == null) {
                continue;
            }
            if (token.rstrip() && i + 1 < parts.size()) {
                parts.set(i + 1, parts.get(i + 1).stripLeading());
            }
            if (token.lstrip() && i > 0) {
                parts.set(i - 1, parts.get(i - 1).stripTrailing());
            }
            String left = i > 0 ? parts.get(i - 1) : "";
            String right = i + 1 < parts.size() ? parts.get(i + 1) : "";
            if (token.singleWord() && !left.isEmpty() && left.charAt(left.length() - 1) != ' ') {
                parts.set(i - 1, left + token.content());
                parts.set(i, "");
            } else if (token.singleWord() && !right.isEmpty() && right.charAt(0) != ' ') {
                parts.set(i + 1, token.content() + right);
                parts.set(i, "");
            }
        }
    }
}
