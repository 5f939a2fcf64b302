// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.custom;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.telechat.core.InvalidInputException;
import io.telechat.core.InvalidRequestException;
import io.telechat.core.TelechatException;
import io.telechat.eval.task.AnswerRule;
import io.telechat.eval.task.Item;
import io.telechat.eval.task.Prompt;
import io.telechat.eval.task.Query;
import io.telechat.eval.task.Question;
import io.telechat.eval.task.Score;
import io.telechat.eval.task.Subtask;
import io.telechat.eval.task.TaskSource;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class OwnTaskTest {
    @TempDir
    Path directory;

    @Test
    void choicesMayBeAListOfTheRow() throws IOException {
        write("q.jsonl", """
            {"question": "Which is a tree?", "options": ["oak", "cow", "car"], "answer": "A", "area": "nature"}
            {"question": "Which is an animal?", "options": ["oak", "cow"], "answer": 1, "area": "nature"}
            {"question": "Which has wheels?", "options": ["cow", "car"], "answer": "car", "area": "things"}
            """);
        List<Subtask> parts = load("""
            data: q.jsonl
            subtask: "{{area}}"
            description: "Choose.\\n\\n"
            prompt: "Question: {{question}}\\nAnswer:"
            choices: "{{options}}"
            gold: "{{answer}}"
            """, 0);

        assertEquals(
                List.of(Optional.of("nature"), Optional.of("things")),
                parts.stream().map(Subtask::name).toList());
        Item first = parts.getFirst().items().getFirst();
        assertEquals("Choose.\n\nQuestion: Which is a tree?\nAnswer:", text(first));
        assertEquals(
                List.of(Set.of(0), Set.of(1), Set.of(1)),
                parts.stream()
                        .flatMap(p -> p.items().stream())
                        .map(i -> ((Query.Choice) i.query()).right())
                        .toList());
        assertEquals(List.of("oak", "cow", "car"), ((Query.Choice) first.query()).answers());
    }

    @Test
    void examplesStandBeforeTheQuestion() throws IOException {
        write("q.jsonl", "{\"q\": \"2+2\", \"a\": 4}\n");
        write("e.jsonl", "{\"q\": \"1+1\", \"a\": 2}\n{\"q\": \"1+2\", \"a\": 3}\n");
        String yaml = """
            data: q.jsonl
            examples: e.jsonl
            num_fewshot: 2
            prompt: "{{q}} ="
            gold: "{{a}}"
            until: "\\n"
            max_new_tokens: 8
            """;

        assertEquals(
                "1+1 = 2\n\n1+2 = 3\n\n2+2 =",
                text(load(yaml, 2).getFirst().items().getFirst()));
        assertEquals("1+1 = 2\n\n2+2 =", text(load(yaml, 1).getFirst().items().getFirst()));
        InvalidRequestException failure = assertThrows(InvalidRequestException.class, () -> load(yaml, 3));
        assertTrue(
                failure.getMessage().endsWith("e.jsonl: has 2 solved examples, 3 were asked for"),
                failure.getMessage());
    }

    @ParameterizedTest
    @CsvSource({
        "'So it is 12. No, it is 42!', last, false, 42, 42",
        "'So it is 12. No, it is 42!', first, false, 12, 12",
        "'none', last, false, 42,"
    })
    void anExpressionFindsTheAnswer(String response, String take, boolean ignoreCase, String gold, String found)
            throws IOException {
        AnswerRule rule = rule("extract: 'it is (\\d+)'\ntake: " + take + "\n", gold);

        assertEquals(found, rule.extract(response).get(Score.NONE));
        assertEquals(
                found != null,
                rule.score(rule.extract(response)).getFirst().value().getAsDouble() == 1);
    }

    @Test
    void caseAndPunctuationCanBeIgnored() throws IOException {
        AnswerRule exact = rule("", "Paris");
        AnswerRule loose = rule("ignore_case: true\nignore_punctuation: true\n", "Paris");

        assertEquals(
                0, exact.score(exact.extract(" paris. ")).getFirst().value().getAsDouble());
        assertEquals(
                1, exact.score(exact.extract(" Paris\n")).getFirst().value().getAsDouble());
        assertEquals(
                1, loose.score(loose.extract(" paris. ")).getFirst().value().getAsDouble());
    }

    private AnswerRule rule(String more, String gold) throws IOException {
        Path file = write("t.yaml", "data: q.jsonl\nprompt: '{{q}}'\ngold: '{{a}}'\n" + more);
        return OwnTask.read(file).rule(new Question(Optional.empty(), "", Optional.of(gold)));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "prompt: x | t.yaml: has no \"data\"",
                "data: q.jsonl, prompt: x, gold: y, colour: red | t.yaml: has no place for \"colour\"; it may have:"
                        + " choices",
                "data: q.jsonl, prompt: x, gold: y, num_fewshot: many | t.yaml: \"num_fewshot\" is of another kind",
                "data: q.jsonl, prompt: x, gold: y, extract: '(' | t.yaml: \"extract\" is no regular expression",
                "data: q.jsonl, prompt: x, gold: y, take: middle | t.yaml: \"take\" is middle, must be first or last",
                "data: q.jsonl, prompt: x, gold: y, choices: [a b], until: x | t.yaml: has \"choices\", which are"
                        + " compared",
                "data: none.jsonl, prompt: x, gold: y | none.jsonl: cannot be read",
                "data: q.jsonl, prompt: '{{what}}', gold: y | q.jsonl line 1: has no field \"what\"",
                "data: q.jsonl, prompt: x, gold: '{{a}}', choices: '{{a}}' | q.jsonl line 1: must have at least two"
                        + " choices",
                "data: q.jsonl, prompt: x, gold: '{{a}}', choices: [no, yes] | q.jsonl line 1: the right answer is"
                        + " \"7\", must be"
            })
    void whatIsWrongIsSaid(String yaml, String message) throws IOException {
        write("q.jsonl", "{\"q\": \"x\", \"a\": 7}\n");
        TelechatException failure = assertThrows(TelechatException.class, () -> load("{" + yaml + "}", 0));

        assertTrue(failure.getMessage().contains(message), failure.getMessage());
    }

    @Test
    void whatIsNoYamlIsSaidWithItsLine() throws IOException {
        InvalidInputException failure =
                assertThrows(InvalidInputException.class, () -> load("data: q\nprompt: \"x\n", 0));

        assertTrue(failure.getMessage().matches("(?s).*t.yaml line \\d+: is no YAML: .*"), failure.getMessage());
    }

    private List<Subtask> load(String yaml, int shots) throws IOException {
        return OwnTask.read(write("t.yaml", yaml)).load(TaskSource.of(directory, shots));
    }

    private Path write(String name, String text) throws IOException {
        return Files.writeString(directory.resolve(name), text);
    }

    private static String text(Item item) {
        return ((Prompt.FewShot) item.prompt()).text();
    }
}
