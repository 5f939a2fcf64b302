// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.tokenizer;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Cuts text at added tokens as the tokenizers library does for a tokenizer.json ({@code find_matches} in
 * added_vocabulary.rs): leftmost token first, the longest where several begin; first those that are not normalized, then in
 * what they leave those that are. A single word is one that no letter, digit or underscore touches.
 */
final class MatchedTokens extends AddedTokens {
    private static final Pattern ENDS_WITH_WORD = Pattern.compile("\\w$", Pattern.UNICODE_CHARACTER_CLASS);
    private static final Pattern STARTS_WITH_WORD = Pattern.compile("^\\w", Pattern.UNICODE_CHARACTER_CLASS);
    private static final Pattern BLANKS_AT_END = Pattern.compile("\\s*$", Pattern.UNICODE_CHARACTER_CLASS);
    private static final Pattern BLANKS_AT_START = Pattern.compile("^\\s*", Pattern.UNICODE_CHARACTER_CLASS);

    private final List<AddedToken> plain;
    private final List<AddedToken> normalized;

    MatchedTokens(List<AddedToken> tokens) {
        super(tokens);
        this.plain = tokens.stream().filter(t -> !t.normalized()).toList();
        this.normalized = tokens.stream().filter(AddedToken::normalized).toList();
    }

    @Override
    List<Segment> split(String text) {
        List<Segment> segments = new ArrayList<>();
        for (Segment part : split(text, plain)) {
            if (part.id() >= 0) {
                segments.add(part);
            } else {
                segments.addAll(split(part.text(), normalized));
            }
        }
        return segments;
    }

    private static List<Segment> split(String text, List<AddedToken> tokens) {
        List<Segment> segments = new ArrayList<>();
        int begin = 0;
        int searched = 0;
        for (Match match = next(text, tokens, 0); match != null; match = next(text, tokens, searched)) {
            int start = match.start();
            int stop = start + match.token().content().length();
            searched = Math.max(stop, start + 1);
            boolean touched = ENDS_WITH_WORD.matcher(text.substring(0, start)).find()
                    || STARTS_WITH_WORD.matcher(text.substring(stop)).find();
            if (match.token().singleWord() && touched) {
                continue;
            }
            if (match.token().lstrip()) {
                Matcher blanks = BLANKS_AT_END.matcher(text.substring(0, start));
                start = Math.max(begin, blanks.find() ? blanks.start() : start);
            }
            if (match.token().rstrip()) {
                Matcher blanks = BLANKS_AT_START.matcher(text.substring(stop));
                stop += blanks.find() ? blanks.end() : 0;
            }
            if (begin < start) {
                segments.add(new Segment(text.substring(begin, start), -1));
            }
            segments.add(new Segment(match.token().content(), match.token().id()));
            begin = stop;
        }
        if (begin < text.length()) {
            segments.add(new Segment(text.substring(begin), -1));
        }
        return segments;
    }

    private record Match(AddedToken token, int start) {}

    private static Match next(String text, List<AddedToken> tokens, int from) {
        Match best = null;
        for (AddedToken token : tokens) {
            int at = text.indexOf(token.content(), from);
            boolean better = at >= 0
                    && (best == null
                            || at < best.start()
                            || at == best.start()
                                    && token.content().length()
                                            > best.token().content().length());
            best = better ? new Match(token, at) : best;
        }
        return best;
    }
}
