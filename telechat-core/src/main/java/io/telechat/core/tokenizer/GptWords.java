// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.tokenizer;

import java.util.Optional;

/**
 * Words as GPT-2, GPT-4 (Llama 3) and Qwen cut them, written out: the patterns are the same in many thousands of files, and a
 * regular expression takes several times as long. Each pattern's alternatives are tried in order, at every place one matches.
 */
final class GptWords implements PreTokenizer {
    /** The pattern of GPT-2, which the ByteLevel step of a tokenizer.json stands for. */
    static final String GPT2 = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

    /** The pattern of Qwen, whose digits are words of their own. */
    static final String QWEN = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}"
            + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

    /** The pattern of Llama 3, which cuts numbers into threes. */
    static final String LLAMA3 = QWEN.replace("|\\p{N}|", "|\\p{N}{1,3}|");

    private final boolean isGpt2;
    private final int digits;

    private GptWords(boolean isGpt2, int digits) {
        this.isGpt2 = isGpt2;
        this.digits = digits;
    }

    static GptWords gpt2() {
        return new GptWords(true, Integer.MAX_VALUE);
    }

    static GptWords qwen() {
        return new GptWords(false, 1);
    }

    /** What cuts as a pattern does; empty if it is none of those known here. */
    static Optional<PreTokenizer> of(String pattern) {
        return switch (pattern) {
            case GPT2 -> Optional.of(gpt2());
            case QWEN -> Optional.of(qwen());
            default -> pattern.equals(LLAMA3) ? Optional.of(new GptWords(false, 3)) : Optional.empty();
        };
    }

    @Override
    public void split(String text, int from, int to, Sink words) {
        for (int at = from; at < to; ) {
            int end = isGpt2 ? gpt2End(text, at, to) : end(text, at, to);
            words.accept(text, at, end);
            at = end;
        }
    }

    private static int gpt2End(String text, int at, int to) {
        int contraction = contractionEnd(text, at, to, false);
        if (contraction > at) {
            return contraction;
        }
        int start = text.charAt(at) == ' ' ? at + 1 : at;
        byte kind = start < to ? kind(text, start, to) : Characters.BLANK;
        return kind == Characters.BLANK ? blanksEnd(text, at, to) : runEnd(text, start, to, kind, Integer.MAX_VALUE);
    }

    private int end(String text, int at, int to) {
        int contraction = contractionEnd(text, at, to, true);
        if (contraction > at) {
            return contraction;
        }
        char c = text.charAt(at);
        byte kind = kind(text, at, to);
        if (kind == Characters.LETTER || kind == Characters.NUMBER) {
            return runEnd(text, at, to, kind, kind == Characters.NUMBER ? digits : Integer.MAX_VALUE);
        }
        int next = at + width(text, at, to);
        byte nextKind = next < to ? kind(text, next, to) : Characters.BLANK;
        if (nextKind == Characters.LETTER && c != '\r' && c != '\n') {
            return runEnd(text, next, to, Characters.LETTER, Integer.MAX_VALUE);
        }
        if (kind == Characters.OTHER || c == ' ' && nextKind == Characters.OTHER) {
            int end = runEnd(text, kind == Characters.OTHER ? at : next, to, Characters.OTHER, Integer.MAX_VALUE);
            while (end < to && isNewline(text.charAt(end))) {
                end++;
            }
            return end;
        }
        int run = runEnd(text, at, to, Characters.BLANK, Integer.MAX_VALUE);
        int newline = run;
        while (newline > at && !isNewline(text.charAt(newline - 1))) {
            newline--;
        }
        return newline > at ? newline : withoutLast(at, run, to);
    }

    /** {@code \s+(?!\S)|\s+}: the last blank before a word goes with the word. */
    private static int blanksEnd(String text, int at, int to) {
        return withoutLast(at, runEnd(text, at, to, Characters.BLANK, Integer.MAX_VALUE), to);
    }

    private static int withoutLast(int at, int run, int to) {
        return run == to || run == at + 1 ? run : run - 1;
    }

    /** The end of a contraction's ending that begins with an apostrophe here, or {@code at} if none does. */
    private static int contractionEnd(String text, int at, int to, boolean anyCase) {
        if (text.charAt(at) != '\'' || at + 1 == to) {
            return at;
        }
        char first = fold(text.charAt(at + 1), anyCase);
        if (first == 's' || first == 't' || first == 'm' || first == 'd') {
            return at + 2;
        }
        char second = at + 2 < to ? fold(text.charAt(at + 2), anyCase) : ' ';
        boolean matches = (first == 'r' || first == 'v') && second == 'e' || first == 'l' && second == 'l';
        return matches ? at + 3 : at;
    }

    /** Case as Unicode folds it: U+017F is an s, too. */
    private static char fold(char c, boolean anyCase) {
        return anyCase ? c == '\u017f' ? 's' : c < 0x80 ? Character.toLowerCase(c) : c : c;
    }

    private static int runEnd(String text, int from, int to, byte kind, int limit) {
        int at = from;
        for (int count = 0; at < to && count < limit && kind(text, at, to) == kind; count++) {
            at += width(text, at, to);
        }
        return at;
    }

    private static byte kind(String text, int at, int to) {
        char c = text.charAt(at);
        return Characters.kind(width(text, at, to) == 1 ? c : text.codePointAt(at));
    }

    private static int width(String text, int at, int to) {
        boolean isPair = Character.isHighSurrogate(text.charAt(at))
                && at + 1 < to
                && Character.isLowSurrogate(text.charAt(at + 1));
        return isPair ? 2 : 1;
    }

    private static boolean isNewline(char c) {
        return c == '\r' || c == '\n';
    }
}
