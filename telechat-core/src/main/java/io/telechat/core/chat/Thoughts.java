// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.chat;

import io.telechat.core.tokenizer.Tokenizer;
import java.util.Arrays;

/** The marks around thoughts, and answers without them. */
final class Thoughts {
    static final String OPEN = "<think>";
    static final String CLOSE = "</think>";

    /** Prompts that end with {@link #OPEN}: answers go on from there. */
    static final ThinkingFormat BEGUN = new ThinkingFormat(OPEN, CLOSE, true);

    private Thoughts() {}

    /**
     * The ids of an answer behind a prompt that has opened the thoughts, with the id that ends it. Where the answer has no thoughts,
     * they are closed at once.
     *
     * @param newline what the prompt ends with behind the mark
     */
    static int[] answer(Tokenizer tokenizer, String content, String newline, int endId) {
        String begun = OPEN + newline;
        int[] prompt = tokenizer.encode(begun);
        int[] whole = tokenizer.encode(begun + continued(content, newline));
        int[] ids = Arrays.copyOfRange(whole, prompt.length, whole.length + 1);
        ids[ids.length - 1] = endId;
        return ids;
    }

    private static String continued(String answer, String newline) {
        if (!answer.contains(CLOSE)) {
            return newline + CLOSE + newline + answer;
        }
        String rest = answer.startsWith(OPEN) ? answer.substring(OPEN.length()) : answer;
        return rest.startsWith(newline) ? rest.substring(newline.length()) : rest;
    }

    /** What an answer says behind its thoughts, without newlines in front: what later turns are told of it. */
    static String dropped(String answer) {
        int close = answer.lastIndexOf(CLOSE);
        String said = close < 0 ? answer : answer.substring(close + CLOSE.length());
        int from = 0;
        while (from < said.length() && said.charAt(from) == '\n') {
            from++;
        }
        return said.substring(from);
    }
}
