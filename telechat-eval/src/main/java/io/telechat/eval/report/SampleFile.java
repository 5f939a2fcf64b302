// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.report;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.telechat.core.InvalidInputException;
import io.telechat.core.Message;
import io.telechat.core.checkpoint.IoReason;
import io.telechat.core.checkpoint.JsonFiles;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.StringJoiner;
import java.util.function.Consumer;

/**
 * {@code samples_TASK.jsonl} of a run, read line by line: there may be more of it than memory.
 *
 * @param directory of the run
 */
record SampleFile(Path directory, String task) {
    private static final List<String> NOT_SHOWN =
            List.of("context", "messages", "continuation_ids", "is_greedy", "truncated_tokens", "until");

    String name() {
        return "samples_" + task + ".jsonl";
    }

    private Path path() {
        return directory.resolve(name());
    }

    boolean exists() {
        return Files.isRegularFile(path());
    }

    /**
     * Each sample in turn.
     *
     * @throws InvalidInputException if the file cannot be read, or a line is no sample
     */
    void forEach(Consumer<Sample> consumer) {
        try (BufferedReader lines = Files.newBufferedReader(path())) {
            int number = 0;
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                number++;
                if (!line.isBlank()) {
                    consumer.accept(sample(Message.localized("%s line %d", path(), number), line));
                }
            }
        } catch (IOException e) {
            throw new InvalidInputException(e, "%s: cannot be read: %s", path(), IoReason.of(e));
        }
    }

    private Sample sample(String place, String line) {
        if (!(JsonFiles.parse(place, line) instanceof ObjectNode json)
                || !json.path("doc_id").isInt()
                || !json.path("metrics").isObject()) {
            throw new InvalidInputException("%s: is not a sample of telechat eval", place);
        }
        String prompt = json.has("messages")
                ? turns(json.get("messages"))
                : json.path("context").asText();
        json.remove(NOT_SHOWN);
        return new Sample(json.path("subtask").asText(task), json.get("doc_id").intValue(), prompt, json);
    }

    private static String turns(JsonNode messages) {
        StringJoiner all = new StringJoiner("\n\n");
        messages.forEach(turn -> all.add(
                "[" + turn.path("role").asText() + "]\n" + turn.path("prompt").asText()));
        return all.toString();
    }
}
