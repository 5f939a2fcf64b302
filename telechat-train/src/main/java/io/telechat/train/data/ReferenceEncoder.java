// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.data;

import com.fasterxml.jackson.databind.JsonNode;
import io.telechat.core.checkpoint.KeyRules;
import io.telechat.core.tokenizer.Tokenizer;
import io.telechat.train.data.BadLineException.Reason;
import java.util.List;

/**
 * Encodes a line as the reference does (process_data.py and data_utils.py of TeleChat-52B): one text with marks is made of
 * it, whose every prompt and every answer are then encoded on their own. The mask covers the last answer, as the reference
 * means it; the reference itself gives it the prompt's length.
 */
final class ReferenceEncoder implements DialogEncoder {
    private static final String USER = "<_user>";
    private static final String BOT = "<_bot>";
    private static final String END = "<_end>";
    private static final String END_OF_SEQUENCE = "</s>";

    /** Fields that the reference passes over. */
    private static final KeyRules RULES = KeyRules.saying(
                    "'%s' is %s, which telechat does not train on with the reference's recipe")
            .exactly("weight", 1) // 0 is not to be trained
            .refuse("instruction", "history", "system", "tools", "tool_calls", "functions");

    private final Tokenizer tokenizer;
    private final int capacity;

    /** @param capacity tokens that are too many for a sample */
    ReferenceEncoder(Tokenizer tokenizer, int capacity) {
        this.tokenizer = tokenizer;
        this.capacity = capacity;
    }

    @Override
    public Encoded encode(JsonNode line) throws BadLineException {
        String text = text(line);
        int length = wholeLength(text);
        return new Encoded(List.of(encode(text)), length >= capacity ? 1 : 0, length);
    }

    /** The reference's text of a line. */
    static String text(JsonNode line) throws BadLineException {
        DialogParser.require(RULES, line);
        if (!line.has("input") || !line.has("output")) {
            throw new BadLineException(Reason.MISSING_FIELDS, "the reference's recipe needs input and output");
        }
        String input = USER + DialogParser.withoutPrefix(LineJson.text(line, "input"), USER);
        String output = DialogParser.withoutPrefix(LineJson.text(line, "output"), BOT);
        StringBuilder text = new StringBuilder(input.length() + output.length() + 32);
        if (input.contains(BOT)) {
            String[] parts = input.split(USER, -1);
            for (int i = 1; i < parts.length; i++) {
                text.append(USER).append(parts[i]);
                text.append(i == parts.length - 1 ? BOT : parts[i].contains(BOT) ? END : "");
            }
        } else {
            text.append(input).append(BOT);
        }
        text.append(output).append(END_OF_SEQUENCE).append(END);
        String all = text.toString();
        int users = count(all, USER);
        if (count(all, BOT) != users || count(all, END) != users) {
            throw new BadLineException(
                    Reason.WRONG_TURNS, "%d %s, %d %s, %d %s", users, USER, count(all, BOT), BOT, count(all, END), END);
        }
        return all;
    }

    private static int count(String text, String mark) {
        int count = 0;
        for (int at = text.indexOf(mark); at >= 0; at = text.indexOf(mark, at + mark.length())) {
            count++;
        }
        return count;
    }

    /** The length by which the reference decides what fits: of the whole text, encoded at once. */
    int wholeLength(String text) {
        return tokenizer.encode(text).length;
    }

    EncodedDialog encode(String text) throws BadLineException {
        EncodedDialog.Builder dialog = new EncodedDialog.Builder();
        int from = 0;
        for (int end = text.indexOf(END); end >= 0; end = text.indexOf(END, from)) {
            String turn = text.substring(from, end);
            from = end + END.length();
            int bot = turn.indexOf(BOT);
            if (bot < 0 || turn.indexOf(BOT, bot + 1) >= 0) {
                throw new BadLineException(Reason.WRONG_TURNS, "a turn needs one %s", BOT);
            }
            String answer = turn.substring(bot + BOT.length());
            boolean last = answer.contains(END_OF_SEQUENCE);
            dialog.add(tokenizer.encode(turn.substring(0, bot + BOT.length())), false);
            dialog.add(tokenizer.encode(last ? answer : answer + END), last);
        }
        return dialog.build();
    }
}
