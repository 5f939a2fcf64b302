// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.telechat.core.InvalidInputException;
import io.telechat.eval.run.StopStrings;
import io.telechat.eval.task.AnswerRule;
import io.telechat.eval.task.Question;
import io.telechat.eval.task.Score;
import io.telechat.eval.task.Task;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Shows how a task reads an answer, without a model or the task's files. */
public final class AnswerReading {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private AnswerReading() {}

    /**
     * Reads one.
     *
     * @param line {@code {response [, subtask, input, gold, until]}}
     * @return {@code {"extracted": {filter: text}, "correct": {filter: true or false}}}; the latter if the right answer is known
     * @throws InvalidInputException if there is no response
     */
    public static ObjectNode read(Task task, JsonNode line) {
        if (!line.path("response").isTextual()) {
            throw new InvalidInputException("a line must have \"response\", a text");
        }
        List<String> until = new ArrayList<>();
        line.path("until").forEach(stop -> until.add(stop.asText()));
        String response = line.get("response").asText();
        AnswerRule rule = task.rule(
                new Question(text(line, "subtask"), text(line, "input").orElse(""), text(line, "gold")));
        Map<String, String> extracted =
                rule.extract(until.isEmpty() ? response : StopStrings.cut(response, until, until.getLast()));
        ObjectNode result = MAPPER.createObjectNode();
        ObjectNode found = result.putObject("extracted");
        extracted.forEach(found::put);
        List<Score> scores = text(line, "gold").isPresent() ? rule.score(extracted) : List.of();
        if (!scores.isEmpty()) {
            ObjectNode correct = result.putObject("correct");
            for (Score score : scores) {
                score.value().ifPresent(value -> correct.put(score.filter(), value == 1));
            }
        }
        return result;
    }

    private static Optional<String> text(JsonNode line, String name) {
        return Optional.ofNullable(line.path(name).textValue());
    }
}
