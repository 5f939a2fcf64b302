// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.judge;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads which of two answers is better out of what a judge says: JSON as it was asked for, perhaps with other text around it; a
 * label, {@code Winner: A} or {@code 胜者：A}; {@code [[A]]}; or nothing but the name. The last one counts.
 */
final class ChoiceReader {
    private static final String NAME = "((?-i:[AB])|tie|draw|平局|平手)(?![A-Za-z])";

    private static final Pattern LABELLED = Pattern.compile(
            "(?:\\b(?:winner|verdict|better)|胜者|更好的?|较好的?|结论)[\"'”*_`\\]】]*\\s*(?:answer|assistant|回答|答案)?\\s*(?:is|为|是)?\\s*[:：=]?[\\s\"'“*_`\\[【]*"
                + "(?:answer|assistant|回答|答案)?\\s*" + NAME
                    + "|\\[\\[\\s*" + NAME + "\\s*\\]\\]",
            Pattern.CASE_INSENSITIVE);
    private static final Pattern ALONE = Pattern.compile(
            "[\\s*_`\\[【\"]*(?:answer|assistant|回答|答案)?\\s*" + NAME + "[\\s*_`\\]】\"。.]*", Pattern.CASE_INSENSITIVE);

    private ChoiceReader() {}

    static Optional<Reading<Choice>> read(String reply) {
        Optional<JsonNode> json = JsonReplies.lastWith("winner", reply);
        if (json.isPresent()) {
            Matcher name = ALONE.matcher(JsonReplies.text(json.get(), "winner"));
            return name.matches()
                    ? Optional.of(new Reading<>(choice(name.group(1)), JsonReplies.text(json.get(), "reason")))
                    : Optional.empty();
        }
        Matcher alone = ALONE.matcher(reply);
        if (alone.matches()) {
            return Optional.of(new Reading<>(choice(alone.group(1)), reply.strip()));
        }
        Optional<Choice> last = Optional.empty();
        for (Matcher label = LABELLED.matcher(reply); label.find(); ) {
            last = Optional.of(choice(label.group(1) == null ? label.group(2) : label.group(1)));
        }
        return last.map(choice -> new Reading<>(choice, reply.strip()));
    }

    private static Choice choice(String name) {
        return switch (name.toLowerCase(Locale.ROOT)) {
            case "a" -> Choice.A;
            case "b" -> Choice.B;
            default -> Choice.TIE;
        };
    }
}
