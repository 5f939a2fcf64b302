// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.judge;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.telechat.core.chat.ChatMessage;
import io.telechat.eval.model.Chat;
import io.telechat.eval.model.ChatSettings;
import io.telechat.eval.model.UnanswerableException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/** Asks a model for verdicts: by its likeliest tokens, and where that cannot be read, again with tokens drawn. */
final class Judge {
    private static final double HEAT = 0.5;

    /** Of a reason, so that a judge in this process comes to an end. */
    private static final int MOST_CHARACTERS = 400;

    private static final JsonNode SCORE = form(
            "score",
            JsonNodeFactory.instance
                    .objectNode()
                    .put("type", "integer")
                    .put("minimum", 0)
                    .put("maximum", 100));
    private static final JsonNode WINNER = form("winner", winners());

    private final Chat chat;
    private final ChatSettings how;
    private final int retries;

    /** @param retries after a reply that cannot be read */
    Judge(Chat chat, ChatSettings how, int retries) {
        this.chat = chat;
        this.how = how;
        this.retries = retries;
    }

    /** The reason comes first: what a model says before its verdict is what the verdict can rest on. */
    private static JsonNode form(String name, JsonNode value) {
        ObjectNode form = JsonNodeFactory.instance.objectNode().put("type", "object");
        ObjectNode properties = form.putObject("properties");
        properties.putObject("reason").put("type", "string").put("maxLength", MOST_CHARACTERS);
        properties.set(name, value);
        form.putArray("required").add("reason").add(name);
        return form.put("additionalProperties", false);
    }

    private static JsonNode winners() {
        ObjectNode winners = JsonNodeFactory.instance.objectNode();
        winners.putArray("enum").add("A").add("B").add("tie");
        return winners;
    }

    Verdict<Double> score(Dialog dialog, String criteria, List<String> answers) {
        return ask(JudgePrompt.single(dialog, criteria, answers), SCORE, ScoreReader::read);
    }

    Verdict<Choice> compare(Dialog dialog, String criteria, List<String> a, List<String> b) {
        return ask(JudgePrompt.pair(dialog, criteria, a, b), WINNER, ChoiceReader::read);
    }

    private <T> Verdict<T> ask(
            List<ChatMessage> question, JsonNode form, Function<String, Optional<Reading<T>>> reader) {
        List<String> replies = new ArrayList<>();
        for (int attempt = 0; attempt <= retries; attempt++) {
            ChatSettings settings = how.withSchema(form);
            try {
                replies.add(chat.answer(question, attempt == 0 ? settings : settings.drawn(HEAT, attempt)));
            } catch (UnanswerableException e) {
                return Verdict.failed(replies, e.getMessage());
            }
            Optional<Reading<T>> reading = reader.apply(replies.getLast());
            if (reading.isPresent()) {
                return new Verdict<>(reading, replies, Optional.empty());
            }
        }
        return Verdict.failed(replies, "the judge's replies could not be read");
    }
}
