// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.telechat.core.InvalidInputException;
import io.telechat.core.InvalidRequestException;
import io.telechat.eval.AnswerReading;
import io.telechat.eval.Evaluation;
import io.telechat.eval.data.JsonLines;
import io.telechat.eval.data.JsonRow;
import io.telechat.eval.math.MathStyle;
import io.telechat.eval.opencompass.OpenCompassPrompts;
import io.telechat.eval.task.Item;
import io.telechat.eval.task.Prompt;
import io.telechat.eval.task.Query;
import io.telechat.eval.task.Subtask;
import io.telechat.eval.task.Task;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Collectors;

/** What {@code telechat eval} does without a model: JSON lines in, JSON lines out. */
final class EvalLines {
    private EvalLines() {}

    /** How a task reads each answer of stdin. */
    static int extract(Task task) throws IOException {
        return each(line -> AnswerReading.read(task, line));
    }

    /** Whether each pair of stdin is the same answer. */
    static int equivalence(String subject, String style) throws IOException {
        if (!subject.equals("math")) {
            throw new InvalidRequestException("--equivalence is %s, must be math", subject);
        }
        MathStyle rules = Arrays.stream(MathStyle.values())
                .filter(s -> s.label().equals(style))
                .findFirst()
                .orElseThrow(() -> new InvalidRequestException(
                        "--style is %s, must be one of: %s",
                        style,
                        Arrays.stream(MathStyle.values()).map(MathStyle::label).collect(Collectors.joining(", "))));
        return each(line -> {
            if (!line.path("a").isTextual() || !line.path("b").isTextual()) {
                throw new InvalidInputException("a line must have \"a\" and \"b\", two texts");
            }
            return Json.object()
                    .put(
                            "equal",
                            rules.equal(line.get("a").asText(), line.get("b").asText()));
        });
    }

    /** What would be asked. */
    static int prompts(Evaluation evaluation, List<Task> tasks) {
        List<Path> missing = new ArrayList<>();
        for (Task task : tasks) {
            for (Subtask subtask : evaluation.load(task, missing)) {
                for (Item item : subtask.items()) {
                    System.out.println(Json.line(
                            item.prompt() instanceof Prompt.FewShot shots
                                    ? plain(task, subtask, item, shots)
                                    : OpenCompassPrompts.json(task.name(), subtask.name(), item)));
                }
            }
        }
        EvalCommand.sayWhatIsMissing(missing);
        return ExitCode.OK;
    }

    /** With the keys of samples. */
    private static ObjectNode plain(Task task, Subtask subtask, Item item, Prompt.FewShot prompt) {
        ObjectNode json = Json.object()
                .put("task", task.name())
                .put("subtask", subtask.name().orElse(null))
                .put("doc_id", item.id());
        item.file().ifPresent(file -> json.put("problem_file", file));
        json.put("context", prompt.text());
        switch (item.query()) {
            case Query.Choice choice -> {
                ArrayNode continuations = json.putArray("continuations");
                choice.answers().forEach(answer -> continuations.add(choice.delimiter() + answer));
            }
            case Query.FreeAnswer free -> {
                free.until().forEach(json.putArray("until")::add);
                free.maxNewTokens().ifPresent(tokens -> json.put("max_gen_toks", tokens));
            }
        }
        return json;
    }

    private static int each(Function<JsonNode, JsonNode> reading) throws IOException {
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (JsonRow line : JsonLines.rows("stdin", lines.readAllAsString())) {
            System.out.println(Json.line(read(line, reading)));
        }
        return ExitCode.OK;
    }

    private static JsonNode read(JsonRow line, Function<JsonNode, JsonNode> reading) {
        try {
            return reading.apply(line.fields());
        } catch (InvalidInputException e) {
            throw new InvalidInputException(e, "%s: %s", line.place(), e.message());
        }
    }
}
