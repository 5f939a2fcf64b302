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
    private final Map<Integer, String> contentOf = new HashMap<>();
    private final boolean anyWithRules;
    private final String firstChars;

    /** A stretch of text, or an added token if {@code id} is not negative. */
    record Segment(String text, int id) {}

    AddedTokens(List<AddedToken> tokens) {
        for (AddedToken token : tokens) {
            byContent.put(token.content(), token);
            contentOf.put(token.id(), token.content());
        }
        firstChars =
                tokens.stream().map(t -> t.content().substring(0, 1)).distinct().collect(Collectors.joining());
        anyWithRules = tokens.stream().anyMatch(t -> t.singleWord() || t.lstrip() || t.rstrip());
    }

    boolean isAdded(int id) {
        return contentOf.containsKey(id);
    }

    String content(int id) {
        return contentOf.get(id);
    }

    List<Segment> split(String text) {
        if (text.isEmpty()) {
            return List.of();
        }
        if (containsNone(text)) {
            return List.of(new Segment(text, -1));
        }
        List<String> parts = cut(text);
        if (anyWithRules && parts.size() > 1) {
            applyRules(parts);
        }
        List<Segment> segments = new ArrayList<>(parts.size());
        for (String part : parts) {
            AddedToken token = byContent.get(part);
            if (!part.isEmpty()) {
                segments.add(new Segment(part, token == null ? -1 : token.id()));
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
        Map<String, Integer> nextOf = new HashMap<>();
        byContent.keySet().forEach(token -> nextOf.put(token, text.indexOf(token)));
        int from = 0;
        while (true) {
            String best = null;
            int bestAt = Integer.MAX_VALUE;
            for (Map.Entry<String, Integer> next : nextOf.entrySet()) {
                String token = next.getKey();
                if (next.getValue() >= 0 && next.getValue() < from) {
                    next.setValue(text.indexOf(token, from));
                }
                int at = next.getValue();
                if (at >= 0 && (at < bestAt || at == bestAt && token.length() > best.length())) {
                    best = token;
                    bestAt = at;
                }
            }
            if (best == null) {
                break;
            }
            if (bestAt > from) {
                parts.add(text.substring(from, bestAt));
            }
            parts.add(best);
            from = bestAt + best.length();
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
