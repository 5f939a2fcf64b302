// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.telechat.core.InvalidInputException;
import io.telechat.eval.custom.OwnTask;
import io.telechat.eval.model.SavedAnswers;
import io.telechat.eval.score.TaskScores;
import io.telechat.eval.task.Task;
import io.telechat.eval.task.TaskSource;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Runs that are cut short, with answers that have been saved. */
class TaskRunTest {
    private static final ObjectNode SETTINGS =
            new ObjectMapper().createObjectNode().put("model", "m");

    @TempDir
    Path directory;

    private Task task;

    @BeforeEach
    void writeTask() throws IOException {
        write(
                "q.jsonl",
                "{\"q\": \"a?\", \"a\": \"A\"}\n{\"q\": \"b?\", \"a\": \"B\"}\n{\"q\": \"c?\", \"a\": \"C\"}\n");
        task = OwnTask.read(write("t.yaml", "data: q.jsonl\nprompt: '{{q}}'\ngold: '{{a}}'\n"));
    }

    private Path write(String name, String text) throws IOException {
        return Files.writeString(directory.resolve(name), text);
    }

    /** Answers to the first questions. */
    private SavedAnswers answers(String... texts) throws IOException {
        StringBuilder lines = new StringBuilder();
        for (int i = 0; i < texts.length; i++) {
            lines.append("{\"task\": \"t\", \"subtask\": null, \"doc_id\": %d, \"response\": \"%s\"}%n"
                    .formatted(i, texts[i]));
        }
        return new SavedAnswers(write("answers.jsonl", lines.toString()), Optional.empty());
    }

    private TaskScores run(SavedAnswers answers) throws IOException {
        try (SampleLog log = SampleLog.open(directory, "t", SETTINGS)) {
            TaskRun run = new TaskRun(task, task.load(TaskSource.of(directory, 0)), Optional.of(log));
            TaskScores scores = run.run(answers, (name, done, total) -> {});
            run.publish(directory.resolve("samples_t.jsonl"));
            run.forget();
            return scores;
        }
    }

    @Test
    void aRunGoesOnBehindWhatItHas() throws IOException {
        assertThrows(InvalidInputException.class, () -> run(answers("A", "x")));
        Path log = directory.resolve("samples_t.partial.jsonl");
        assertEquals(3, Files.readAllLines(log).size(), "settings and two documents");
        Files.writeString(log, "{\"task\": \"t\", \"sub", StandardOpenOption.APPEND); // killed while it wrote

        TaskScores scores = run(answers("not asked again", "nor this", "C"));

        assertEquals(
                2.0 / 3,
                scores.subtasks().getFirst().metrics().get("exact_match,none").value(),
                1e-15);
        assertTrue(Files.notExists(log));
        List<String> samples = Files.readAllLines(directory.resolve("samples_t.jsonl"));
        assertEquals(3, samples.size());
        assertTrue(samples.getFirst().contains("\"doc_id\":0"), samples.getFirst());
        assertTrue(samples.getLast().contains("\"doc_id\":2"), samples.getLast());
    }

    @Test
    @Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void whatCannotBeWrittenEndsTheRun() throws IOException {
        SampleLog log = SampleLog.open(directory, "t", SETTINGS);
        log.close();
        TaskRun run = new TaskRun(task, task.load(TaskSource.of(directory, 0)), Optional.of(log));
        SavedAnswers answers = answers("A", "B", "C");

        InvalidInputException failure =
                assertThrows(InvalidInputException.class, () -> run.run(answers, (name, done, total) -> {}));

        assertTrue(failure.getMessage().contains("cannot be written"), failure.getMessage());
    }

    @Test
    void aRunWithOtherSettingsIsNotMixedIn() throws IOException {
        assertThrows(InvalidInputException.class, () -> run(answers("A")));
        ObjectNode others = SETTINGS.deepCopy().put("model", "another");

        InvalidInputException failure =
                assertThrows(InvalidInputException.class, () -> SampleLog.open(directory, "t", others));

        assertTrue(failure.getMessage().contains("with other options"), failure.getMessage());
    }

    @Test
    void aSecondAnswerToAQuestionIsRefused() throws IOException {
        Path file = write("twice.jsonl", """
            {"task": "t", "doc_id": 0, "response": "A"}
            {"task": "t", "doc_id": 0, "response": "B"}
            """);

        InvalidInputException failure =
                assertThrows(InvalidInputException.class, () -> new SavedAnswers(file, Optional.empty()));

        assertTrue(
                failure.getMessage().endsWith("twice.jsonl: answer 2 is the second to the same question (t 0)"),
                failure.getMessage());
    }
}
