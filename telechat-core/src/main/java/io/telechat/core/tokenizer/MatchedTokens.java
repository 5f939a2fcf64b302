// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.tokenizer;

import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * Cuts text at added tokens as the tokenizers library does for a tokenizer.json ({@code find_matches} in
 * added_vocabulary.rs): leftmost token first, the longest where several begin; first those that are not normalized, then in
 * what they leave, once it is normalized, those that are. A single word is one that no letter, digit or underscore touches.
 */
final class MatchedTokens {
    private final List<AddedToken> plain;
    private final List<AddedToken> normalized;
    private final Literals plainTexts;
    private final Literals normalizedTexts;
    private final UnaryOperator<String> normalizer;

    /**
     * @param source file to name in complaints
     * @param normalizer what becomes of the text between tokens
     */
    MatchedTokens(Object source, List<AddedToken> tokens, UnaryOperator<String> normalizer) {
        this.plain = tokens.stream().filter(t -> !t.normalized()).toList();
        this.normalized = tokens.stream().filter(AddedToken::normalized).toList();
        this.plainTexts =
                new Literals(source, plain.stream().map(AddedToken::content).toArray(String[]::new));
        this.normalizedTexts = new Literals(
                source,
                normalized.stream().map(t -> normalizer.apply(t.content())).toArray(String[]::new));
        this.normalizer = normalizer;
    }

    /** The text between tokens is normalized. */
    List<AddedTokens.Segment> split(String text) {
        List<AddedTokens.Segment> segments = new ArrayList<>();
        for (AddedTokens.Segment part : split(text, plain, plainTexts)) {
            if (part.id() >= 0) {
                segments.add(part);
                continue;
            }
            for (AddedTokens.Segment inner : split(normalizer.apply(part.text()), normalized, normalizedTexts)) {
                segments.add(new AddedTokens.Segment(inner.text(), inner.id(), part.isFirst() && inner.isFirst()));
            }
        }
        return segments;
    }

    private static List<AddedTokens.Segment> split(String text, List<AddedToken> tokens, Literals texts) {
        List<AddedTokens.Segment> segments = new ArrayList<>();
        int begin = 0;
        for (int at = 0; at < text.length() && !tokens.isEmpty(); ) {
            int match = texts.mayStart(text.charAt(at)) ? texts.longestMatch(text, at) : Literals.NONE;
            if (match == Literals.NONE) {
                at++;
                continue;
            }
            AddedToken token = tokens.get(match);
            int start = at;
            int stop = at + texts.length(match);
            at = stop;
            if (token.singleWord() && isTouched(text, start, stop)) {
                continue;
            }
            while (token.lstrip() && start > begin && Characters.isBlank(text.charAt(start - 1))) {
                start--;
            }
            while (token.rstrip() && stop < text.length() && Characters.isBlank(text.charAt(stop))) {
                stop++;
            }
            if (begin < start) {
                segments.add(new AddedTokens.Segment(text.substring(begin, start), -1, begin == 0));
            }
            segments.add(new AddedTokens.Segment(token.content(), token.id(), start == 0));
            begin = Math.max(begin, stop);
        }
        if (begin < text.length()) {
            segments.add(new AddedTokens.Segment(text.substring(begin), -1, begin == 0));
        }
        return segments;
    }

    private static boolean isTouched(String text, int start, int stop) {
        return start > 0 && Characters.isWord(text.codePointBefore(start))
                || stop < text.length() && Characters.isWord(text.codePointAt(stop));
    }
}
