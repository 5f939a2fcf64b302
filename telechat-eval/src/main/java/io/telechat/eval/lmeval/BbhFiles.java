// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.lmeval;

import io.telechat.core.InvalidInputException;
import io.telechat.core.checkpoint.TextFiles;
import io.telechat.eval.data.BbhSet;
import io.telechat.eval.data.JsonRow;
import io.telechat.eval.task.Prompt.Shot;
import io.telechat.eval.task.TaskSource;
import io.telechat.eval.text.PythonText;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A task of BBH, read from its two files.
 *
 * @param description with the blank line behind it
 * @param file of the examples
 */
record BbhFiles(String description, List<Solved> examples, Path file, List<JsonRow> questions) {
    private static final String QUESTION = "\n\nQ: ";
    private static final String ANSWER = "\nA: Let's think step by step.";

    /** An example. */
    record Solved(String input, String steps) {}

    /** @return empty if one of the files is missing, which the source notes */
    static Optional<BbhFiles> read(BbhSet set, TaskSource source) {
        Optional<Path> questions = source.optional(set.questions());
        Optional<Path> examples = source.optional(set.examples());
        if (questions.isEmpty() || examples.isEmpty()) {
            return Optional.empty();
        }
        return Optional.of(parse(examples.get(), JsonRow.list(questions.get(), "examples")));
    }

    private static BbhFiles parse(Path file, List<JsonRow> questions) {
        String[] parts = PythonText.rstrip(BbhSet.withoutCanary(file, TextFiles.read(file)))
                .split(QUESTION, -1);
        List<Solved> examples = new ArrayList<>();
        for (int i = 1; i < parts.length; i++) {
            int end = parts[i].indexOf(ANSWER);
            if (end >= 0) {
                // What parts the first words from the others is a blank in one of the files.
                String steps = parts[i].substring(Math.min(parts[i].length(), end + ANSWER.length() + 1));
                examples.add(new Solved(parts[i].substring(0, end), steps));
            }
        }
        if (examples.isEmpty() || examples.size() < parts.length - 1) {
            throw new InvalidInputException(
                    "%s: must have examples that begin with \"Q: \" and \"A: Let's think step by step.\"", file);
        }
        return new BbhFiles(parts[0] + "\n\n", examples, file, questions);
    }

    /** As examples of a prompt. */
    List<Shot> shots() {
        return examples.stream()
                .map(example -> new Shot(stepwise(example.input), example.steps))
                .toList();
    }

    /** A question that begins its answer. */
    static String stepwise(String input) {
        return "Q: " + input + ANSWER + "\n";
    }
}
