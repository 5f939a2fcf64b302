// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.custom;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.exc.UnrecognizedPropertyException;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.telechat.core.InvalidInputException;
import io.telechat.core.checkpoint.TextFiles;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;

/**
 * The YAML file of a task, as it is written. Texts may have {@code {{field}}} where a row's value stands.
 *
 * @param task its name; if not given, the file's
 * @param data file of JSON lines, a question a line; beside this file unless it is absolute
 * @param examples likewise, of solved questions, the first of which stand before every question
 * @param shots how many of them, unless --num-fewshot says otherwise
 * @param subtask what tells parts of the task apart
 * @param description what stands before all examples
 * @param prompt the question
 * @param choices answers to compare; one {@code {{field}}} may stand for a list. Without any, an answer is generated
 * @param gold the right answer; of choices their place from 0, their letter from A, or their text
 * @param delimiter between question and answer; a blank if not given
 * @param until strings that end an answer
 * @param maxNewTokens length of an answer at most
 * @param extract regular expression that finds the answer in what was generated: its first group, or all of it
 * @param take which match of it counts: first or last
 * @param ignoreCase whether capital letters do not matter
 * @param ignorePunctuation whether characters that are no letters, digits or blanks do not matter
 */
record OwnTaskFile(
        String task,
        String data,
        String examples,
        @JsonProperty("num_fewshot") int shots,
        String subtask,
        String description,
        String prompt,
        List<String> choices,
        String gold,
        String delimiter,
        List<String> until,
        @JsonProperty("max_new_tokens") Integer maxNewTokens,
        String extract,
        String take,
        @JsonProperty("ignore_case") boolean ignoreCase,
        @JsonProperty("ignore_punctuation") boolean ignorePunctuation) {
    private static final YAMLMapper MAPPER = YAMLMapper.builder()
            .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .enable(DeserializationFeature.ACCEPT_SINGLE_VALUE_AS_ARRAY)
            .build();

    /** @throws InvalidInputException if it is no such file */
    static OwnTaskFile read(Path file) {
        OwnTaskFile task;
        try {
            task = MAPPER.readValue(TextFiles.read(file), OwnTaskFile.class);
        } catch (UnrecognizedPropertyException e) {
            throw new InvalidInputException(
                    e,
                    "%s: has no place for \"%s\"; it may have: %s",
                    file,
                    e.getPropertyName(),
                    e.getKnownPropertyIds().stream()
                            .map(String::valueOf)
                            .sorted()
                            .collect(Collectors.joining(", ")));
        } catch (JsonMappingException e) {
            String path = e.getPath().stream()
                    .map(JsonMappingException.Reference::getFieldName)
                    .map(String::valueOf)
                    .collect(Collectors.joining("."));
            throw new InvalidInputException(e, "%s: \"%s\" is of another kind than expected", file, path);
        } catch (JsonProcessingException e) {
            String reason = e.getOriginalMessage().lines().findFirst().orElse("");
            int line = e.getLocation() == null ? 1 : e.getLocation().getLineNr();
            throw new InvalidInputException(e, "%s line %d: is no YAML: %s", file, line, reason);
        }
        if (task == null) {
            throw new InvalidInputException("%s: is empty", file);
        }
        task.check(file);
        return task;
    }

    private void check(Path file) {
        require(file, "data", data);
        require(file, "prompt", prompt);
        require(file, "gold", gold);
        if (task != null && !task.matches("[\\p{L}\\p{N}_.-]{1,100}")) {
            throw new InvalidInputException(
                    "%s: \"task\" is %s, must be letters, digits, \"_\", \"-\" or \".\": files are named after it",
                    file, task);
        }
        if (choices != null && (extract != null || until != null || maxNewTokens != null)) {
            throw new InvalidInputException(
                    "%s: has \"choices\", which are compared, and \"extract\", \"until\" or \"max_new_tokens\", which"
                            + " are for answers that are generated",
                    file);
        }
        if (take != null && !take.equals("first") && !take.equals("last")) {
            throw new InvalidInputException("%s: \"take\" is %s, must be first or last", file, take);
        }
    }

    private static void require(Path file, String name, String value) {
        if (value == null || value.isBlank()) {
            throw new InvalidInputException("%s: has no \"%s\"", file, name);
        }
    }
}
