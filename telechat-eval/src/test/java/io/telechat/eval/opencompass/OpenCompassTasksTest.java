// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.opencompass;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.telechat.core.InvalidInputException;
import io.telechat.core.InvalidRequestException;
import io.telechat.eval.task.Item;
import io.telechat.eval.task.Prompt.Dialog;
import io.telechat.eval.task.Prompt.Speaker;
import io.telechat.eval.task.Prompt.Turn;
import io.telechat.eval.task.Query.FreeAnswer;
import io.telechat.eval.task.Question;
import io.telechat.eval.task.Score;
import io.telechat.eval.task.Subtask;
import io.telechat.eval.task.Task;
import io.telechat.eval.task.TaskSource;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OpenCompassTasksTest {
    @TempDir
    Path data;

    private void file(String name, String text) throws IOException {
        Path file = data.resolve(name);
        Files.createDirectories(file.getParent());
        Files.writeString(file, text);
    }

    private static Task task(String name) {
        return OpenCompassTasks.all().stream()
                .filter(t -> t.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    private Item only(String task, int shots) {
        return task(task).load(TaskSource.of(data, shots)).getFirst().items().getFirst();
    }

    private static List<Turn> turns(Item item) {
        return ((Dialog) item.prompt()).turns();
    }

    /** Whether an answer is right, as far as that is determined. */
    private static double scored(Item item, String response) {
        FreeAnswer query = (FreeAnswer) item.query();
        Score score = query.rule().score(query.rule().extract(response)).getFirst();
        return score.value().orElse(Double.NaN);
    }

    @Test
    void examplesOfMmluAreEarlierTurns() throws Exception {
        file("mmlu/dev/anatomy_dev.csv", "one?,p,q,r,s,B\ntwo?,p,q,r,s,C\n");
        file("mmlu/test/anatomy_test.csv", "three?,w,x,y,z,D\n");
        Item item = only("mmlu", 1);
        String asked =
                "There is a single choice question about anatomy. Answer the question by replying A, B, C or D.\n"
                        + "Question: ";

        assertEquals(
                List.of(
                        new Turn(Speaker.HUMAN, asked + "one?\nA. p\nB. q\nC. r\nD. s\nAnswer: "),
                        new Turn(Speaker.BOT, "B\n"),
                        new Turn(Speaker.HUMAN, asked + "three?\nA. w\nB. x\nC. y\nD. z\nAnswer: ")),
                turns(item));
        assertEquals(1, scored(item, "The answer is (D)."));
        assertEquals(0, scored(item, "C"));
    }

    @Test
    void aFieldThatAnEarlierOneNamesIsReplacedThere() throws Exception {
        file("mmlu/test/anatomy_test.csv", "\"x^{A}, {target}\r\n{input}\",w,{input},y,z,D\n");

        assertTrue(turns(only("mmlu", 0))
                .getFirst()
                .text()
                .endsWith("x^w, \n{input}\nA. w\nB. {input}\nC. y\nD. z\nAnswer: "));
    }

    @Test
    void missingSubjectsAreNoted() throws Exception {
        file("mmlu/test/anatomy_test.csv", "three?,w,x,y,z,D\n");
        TaskSource source = TaskSource.of(data, 5);

        assertEquals(List.of(), task("mmlu").load(source));
        assertTrue(source.missing().contains(data.resolve("mmlu/dev/anatomy_dev.csv")));
    }

    @Test
    void moreExamplesThanThereAreAreRefused() throws Exception {
        file("mmlu/dev/anatomy_dev.csv", "one?,p,q,r,s,B\n");
        file("mmlu/test/anatomy_test.csv", "three?,w,x,y,z,D\n");
        file("gsm8k/test.jsonl", "");

        assertThrows(InvalidRequestException.class, () -> only("mmlu", 2));
        assertThrows(InvalidRequestException.class, () -> only("gsm8k", 5));
        assertThrows(InvalidRequestException.class, () -> only("bbh", 2));
        assertThrows(InvalidRequestException.class, () -> only("agieval", 1));
    }

    @Test
    void theAnswerToAQuestionOfCmmluIsBegun() throws Exception {
        file("cmmlu/test/agronomy.csv", ",Question,A,B,C,D,Answer\n0,题,甲,乙,丙,丁,C\n");
        Item item = only("cmmlu", 0);

        assertEquals(
                List.of(
                        new Turn(Speaker.HUMAN, "以下是关于农学的单项选择题，请直接给出正确答案的选项。\n题目：题\nA. 甲\nB. 乙\nC. 丙\nD. 丁"),
                        new Turn(Speaker.BOT, "答案是: ")),
                turns(item));
        assertEquals(1, scored(item, "C。"));
    }

    @Test
    void oneOptionOfAgievalStandsForAll() throws Exception {
        file(
                "agieval/v1/sat-en.jsonl",
                "{\"passage\":\"P.\",\"question\":\"q?\",\"options\":[\"(A) only\"],\"label\":\"A\",\"answer\":null}");
        Item item = only("agieval", 0);

        assertEquals(
                "P.Q: q? Answer Choices: (A) only\nA: Among A through E, the answer is",
                turns(item).getFirst().text());
        assertEquals(1, scored(item, "answer A"));
    }

    @Test
    void lettersAreNoRightAnswerWhereSeveralMayBe() throws Exception {
        file(
                "agieval/v1/gaokao-physics.jsonl",
                "{\"passage\":null,\"question\":\"q\",\"options\":[\"(A)1\",\"(B)2\"],\"label\":[\"A\",\"B\"]}");
        Item item = only("agieval", 0);

        assertEquals("问题：q 选项：(A)1 (B)2\n答案：从A到B, 我们应选择", turns(item).getFirst().text());
        assertEquals(0, scored(item, "AB"));
        assertEquals(1, scored(item, "$AB$"));
    }

    @Test
    void aTextOfAgievalIsComparedAsMathematics() throws Exception {
        file(
                "agieval/v1/math.jsonl",
                "{\"passage\":null,\"question\":\"q\",\"options\":null,\"label\":null,\"answer\":\"\\\\frac{1}{2}\"}");
        Item item = only("agieval", 0);

        assertEquals("Q: q\nA: The answer is", turns(item).getFirst().text());
        assertEquals(1, scored(item, "so $x=\\frac12$"));
    }

    @Test
    void gsm8kHasFourExamplesAndGoldWithoutCommas() throws Exception {
        file("gsm8k/test.jsonl", "{\"question\":\"How many?\",\"answer\":\"Many.\\n#### 1,200\"}\n");
        Item item = only("gsm8k", 4);

        assertEquals(9, turns(item).size());
        assertEquals(
                "Question: How many?\nLet's think step by step\nAnswer:",
                turns(item).getLast().text());
        assertEquals(OptionalInt.of(512), ((FreeAnswer) item.query()).maxNewTokens());
        assertEquals(1, scored(item, "So 1200.0 it is"));
    }

    @Test
    void anAnswerOfGsm8kMustHaveANumber() throws Exception {
        file("gsm8k/test.jsonl", "{\"question\":\"How many?\",\"answer\":\"Many.\"}\n");

        assertThrows(InvalidInputException.class, () -> only("gsm8k", 0));
    }

    @Test
    void problemsOfMathAreOrderedByTypeAndNumberAndNamed() throws Exception {
        String solution = "\",\"solution\":\"so \\\\boxed{\\\\frac{1}{2}}\"}";
        file("math/test/algebra/10.json", "{\"problem\":\"ten" + solution);
        file("math/test/algebra/9.json", "{\"problem\":\"nine" + solution);
        file("math/test/algebra/readme.txt", "");
        file("math/test/geometry/1.json", "{\"problem\":\"one\",\"solution\":\"no box\"}");
        Subtask all = task("math").load(TaskSource.of(data, 0)).getFirst();

        List<String> files = new ArrayList<>();
        for (Item item : all.items()) {
            JsonNode json = OpenCompassPrompts.json("math", all.name(), item);
            files.add(json.get("doc_id") + " " + json.get("problem_file").textValue());
        }
        assertEquals(
                List.of("0 math/test/algebra/9.json", "1 math/test/algebra/10.json", "2 math/test/geometry/1.json"),
                files);
        assertEquals(
                "Problem:\nnine\nSolution:\n",
                turns(all.items().getFirst()).getFirst().text());
        assertEquals(1, scored(all.items().getFirst(), "Well. The answer is 1/2. Or 3."));
        assertEquals(0, scored(all.items().getLast(), ""), "a solution without an answer");
    }

    @Test
    void programsOfHumanEvalRunOnlyWithLeave() throws Exception {
        file(
                "humaneval/HumanEval.jsonl",
                "{\"task_id\":\"T/0\",\"prompt\":\"def f():\\n"
                        + "\",\"test\":\"def check(c): pass\",\"entry_point\":\"f\"}");
        List<String> programs = new ArrayList<>();
        TaskSource allowed = new TaskSource(
                data, 0, OptionalInt.empty(), Optional.of(program -> !programs.add(program)), new ArrayList<>());
        Item item = task("humaneval").load(allowed).getFirst().items().getFirst();

        assertEquals(Double.NaN, scored(only("humaneval", 0), "    return 1"));
        assertEquals(0, scored(item, "Here:\n```python\n    return 1\n```\n```\nx\n```"));
        assertEquals(List.of("def f():\nreturn 1\n\ndef check(c): pass\ncheck(f)"), programs);
        assertEquals(
                "Complete the following python code:\ndef f():\n",
                turns(item).getFirst().text());
    }

    @Test
    void examplesOfBbhAreOfTheMakersFile() throws Exception {
        file("bbh/cot-prompts/navigate.txt", "canary\n-----\nDo it.\n\nQ: x\nA: y");
        file("bbh/bbh/navigate.json", "{\"examples\":[{\"input\":\"go\",\"target\":\"No\"}]}");
        Item item = only("bbh", 3);

        assertEquals(
                "Follow the given examples and answer the question.\n"
                        + "Do it.\n\n"
                        + "Q: x\n"
                        + "A: y\n\n"
                        + "Q: go\n"
                        + "A: Let's think step by step.",
                turns(item).getFirst().text());
        assertEquals(1, scored(item, "So the answer is no."));
    }

    @Test
    void subtasksThatAreReadInTheirOwnWayMustBeKnown() {
        Question unnamed = new Question(Optional.empty(), "", Optional.empty());
        Question unknown = new Question(Optional.of("nothing"), "", Optional.empty());

        assertThrows(InvalidRequestException.class, () -> task("bbh").rule(unnamed));
        assertThrows(InvalidRequestException.class, () -> task("agieval").rule(unknown));
    }

    @Test
    void hellaSwagDoesNotShowTheActivity() throws Exception {
        file(
                "hellaswag/hellaswag_val.jsonl",
                "{\"activity_label\":\"Run\",\"ctx_a\":\"A [step] man: x [title] y\",\"ctx_b\":\"THEN Bob\","
                        + "\"endings\":[\"a\",\"[x] b\",\"c  d\",\"e\"],\"label\":1}");
        Item item = only("hellaswag", 0);

        assertEquals(
                "A man: x. y Then bob\nQuestion: Which ending makes the most sense?\nA. a\nB.  b\nC. c d\nD. e\n"
                        + "You may choose from 'A', 'B', 'C', 'D'.\nAnswer:",
                turns(item).getFirst().text());
        assertEquals(1, scored(item, "B"));
    }
}
