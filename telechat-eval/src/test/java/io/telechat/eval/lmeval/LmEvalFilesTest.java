// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.lmeval;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.telechat.core.InvalidInputException;
import io.telechat.core.InvalidRequestException;
import io.telechat.core.TelechatException;
import io.telechat.eval.task.Group;
import io.telechat.eval.task.Item;
import io.telechat.eval.task.Prompt.FewShot;
import io.telechat.eval.task.Query.Choice;
import io.telechat.eval.task.Query.FreeAnswer;
import io.telechat.eval.task.Question;
import io.telechat.eval.task.Score;
import io.telechat.eval.task.Subtask;
import io.telechat.eval.task.Task;
import io.telechat.eval.task.TaskSource;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Set;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Files as the makers publish them, small ones of our own: what becomes of them, and what is said of those that are not so. */
class LmEvalFilesTest {
    private static final String MMLU = "mmlu/test/anatomy_test.csv";

    @TempDir
    private Path data;

    @Test
    void cellsHoldLineBreaksCommasAndQuotes() throws IOException {
        write("mmlu/dev/anatomy_dev.csv", "Which bone?,a,b,c,d,B\n");
        write(MMLU, "\"  Two\nlines, \"\"said\"\"  \",\" x\",\"y,\nz\",,w,A\r\nNext?,1,2,3,4,D\r\n");

        List<Item> items = only(new Mmlu().load(TaskSource.of(data, 1))).items();

        assertEquals(
                "The following are multiple choice questions (with answers) about anatomy.\n\n"
                        + "Which bone?\nA. a\nB. b\nC. c\nD. d\nAnswer: B\n\n"
                        + "Two\nlines, \"said\"\nA.  x\nB. y,\nz\nC. \nD. w\nAnswer:",
                text(items.getFirst()));
        assertEquals(
                new Choice(List.of("A", "B", "C", "D"), " ", Set.of(3), false, false),
                items.get(1).query());
    }

    @Test
    void missingSubtasksAreNotedAndLeftOut() throws IOException {
        write(MMLU, "Next?,1,2,3,4,D\n");
        TaskSource source = TaskSource.of(data, 0);

        assertEquals(Optional.of("anatomy"), only(new Mmlu().load(source)).name());
        assertEquals(56, source.missing().size());
        assertTrue(source.missing().contains(data.resolve("mmlu/test/virology_test.csv")));
    }

    @Test
    void everySubjectHasItsCategory() {
        List<Group> groups = new Mmlu().groups();

        assertEquals(
                List.of("mmlu", "mmlu_stem"),
                groups.stream()
                        .filter(group -> group.has().test("anatomy"))
                        .map(Group::name)
                        .toList());
    }

    @Test
    void aHeaderAndNumbersOfRowsAreNoQuestions() throws IOException {
        String header = ",Question,A,B,C,D,Answer\n";
        write("cmmlu/dev/arts.csv", header + "0,问一,甲,乙,丙,丁,A\n1,问二,甲,乙,丙,丁,B\n");
        write("cmmlu/test/arts.csv", header + "0,NA,007,1.0,\"逗,号\",丁,C\n");

        Item item = only(new Cmmlu().load(TaskSource.of(data, 1))).items().getFirst();

        assertEquals(
                "以下是关于艺术学的单项选择题，请直接给出正确答案的选项。\n\n问一\nA. 甲\nB. 乙\nC. 丙\nD. 丁\n答案： A\n\n"
                        + "NA\nA. 007\nB. 1.0\nC. 逗,号\nD. 丁\n答案：",
                text(item));
        assertEquals(new Choice(List.of("A", "B", "C", "D"), " ", Set.of(2), false, true), item.query());
    }

    @Test
    void hellaSwagIsCleanedAsTheHarnessDoes() throws IOException {
        write(
                "hellaswag/hellaswag_val.jsonl",
                "{\"activity_label\":\" Roof \",\"ctx_a\":\"[header] How to [title] Climb [step] it.\",\"ctx_b\":\"tHE"
                        + " Man   IN Rome\",\"endings\":[\" a [x]  b \",\"c\",\"d\",\"e\"],\"label\":\"1\"}\n");

        Item item = only(new HellaSwag().load(TaskSource.of(data, 0))).items().getFirst();

        assertEquals("Roof : How to. Climb it. The man  in rome", text(item));
        assertEquals(new Choice(List.of("a  b", "c", "d", "e"), " ", Set.of(1), false, true), item.query());
    }

    @Test
    void textsHoldOtherLineEnds() throws IOException {
        write(
                "gsm8k/test.jsonl",
                "{\"question\":\"One\u2028two?\",\"answer\":\"x #### 1 #### 2\"}\n\n"
                        + "{\"question\":\"b\",\"answer\":\"3\"}");

        List<Item> items = only(new Gsm8k().load(TaskSource.of(data, 0))).items();

        assertEquals("Question: One\u2028two?\nAnswer:", text(items.getFirst()));
        assertEquals(
                List.of("2", "3"), items.stream().map(LmEvalFilesTest::gold).toList());
    }

    @Test
    void examplesAreDrawnAnewForEachDocument() throws IOException {
        StringBuilder train = new StringBuilder();
        for (int i = 0; i < 40; i++) {
            train.append("{\"question\":\"q" + i + "\",\"answer\":\"a\"}\n");
        }
        write("gsm8k/train.jsonl", train.toString());
        write("gsm8k/test.jsonl", "{\"question\":\"x\",\"answer\":\"1\"}\n{\"question\":\"y\",\"answer\":\"1\"}\n");

        List<Item> items = only(new Gsm8k().load(TaskSource.of(data, 4))).items();

        assertEquals(List.of("q28", "q7", "q0", "q5"), questions(items.get(0)));
        assertEquals(List.of("q37", "q2", "q5", "q6"), questions(items.get(1)));
    }

    private static List<String> questions(Item item) {
        return ((FewShot) item.prompt())
                .shots().stream()
                        .map(shot -> shot.question().replaceAll("Question: (.*)\nAnswer:", "$1"))
                        .toList();
    }

    @Test
    void programsAreBuiltAndRunOnlyWithLeave() throws IOException {
        String row = "{\"task_id\":\"t/0\",\"prompt\":\"def f():\\n"
                + "\",\"entry_point\":\"f\",\"test\":\"def check(c): pass\"}\n";
        Files.createDirectories(data.resolve("humaneval"));
        try (OutputStream out =
                new GZIPOutputStream(Files.newOutputStream(data.resolve("humaneval/HumanEval.jsonl.gz")))) {
            out.write(row.getBytes(StandardCharsets.UTF_8));
        }
        List<String> programs = new ArrayList<>();
        TaskSource allowed =
                new TaskSource(data, 0, OptionalInt.empty(), Optional.of(programs::add), new ArrayList<>());

        assertEquals(
                List.of(new Score("pass@1", "create_test", OptionalDouble.empty())),
                humanEvalScores(TaskSource.of(data, 0)));
        assertEquals(List.of(Score.of("pass@1", "create_test", true)), humanEvalScores(allowed));
        assertEquals(List.of("def f():\n    return 1\ndef check(c): pass\ncheck(f)"), programs);
    }

    @Test
    void humanEvalMayBeUnpacked() throws IOException {
        write(
                "humaneval/HumanEval.jsonl",
                "{\"task_id\":\"t/0\",\"prompt\":\"p\",\"entry_point\":\"f\",\"test\":\"t\"}\n");

        assertEquals(
                "p",
                text(only(new HumanEval().load(TaskSource.of(data, 0))).items().getFirst()));
    }

    private static List<Score> humanEvalScores(TaskSource source) {
        FreeAnswer answer = (FreeAnswer)
                only(new HumanEval().load(source)).items().getFirst().query();
        return answer.rule().score(answer.rule().extract("    return 1"));
    }

    @Test
    void examplesOfBbhComeFromTheMakersFile() throws IOException {
        write("bbh/bbh/navigate.json", "{\"canary\":\"c\",\"examples\":[{\"input\":\"i\",\"target\":\"Yes\"}]}");
        write(
                "bbh/cot-prompts/navigate.txt",
                "canary\n-----\nWalk.\n\nRead:\n\nQ: one\nA: Let's think step by step.\nFirst.\n\nQ: two"
                        + "\nA: Let's think step by step. Second. So the answer is No.\n\n");

        Subtask subtask = only(new Bbh().load(TaskSource.of(data, 2)));

        assertEquals(
                "Walk.\n\n"
                        + "Read:\n\n"
                        + "Q: one\n"
                        + "A: Let's think step by step.\n"
                        + "First.\n\n"
                        + "Q: two\n"
                        + "A: Let's think step by step.\n"
                        + "Second. So the answer is No.\n\n"
                        + "Q: i\n"
                        + "A: Let's think step by step.\n",
                text(subtask.items().getFirst()));
        assertEquals(
                "Walk.\n\nRead:\n\nQ: i\nA:",
                text(only(new BbhZeroShot(false).load(TaskSource.of(data, 0)))
                        .items()
                        .getFirst()));
        assertThrows(InvalidRequestException.class, () -> new Bbh().load(TaskSource.of(data, 3)));
    }

    @Test
    void oneFileOfTwoIsNoSubtask() throws IOException {
        write("bbh/bbh/navigate.json", "{\"examples\":[{\"input\":\"i\",\"target\":\"Yes\"}]}");
        TaskSource source = TaskSource.of(data, 0);

        assertEquals(List.of(), new BbhZeroShot(true).load(source));
        assertTrue(source.missing().contains(data.resolve("bbh/cot-prompts/navigate.txt")));
    }

    @Test
    void severalOptionsMayBeRight() throws IOException {
        write(
                "agieval/v1/gaokao-physics.jsonl",
                "{\"passage\":\"文。\",\"question\":\"问\",\"options\":[\"(A)一\",\"(B)二\",\"(C)三\"],\"label\":[\"A\",\"C\"]}\n"
                    + "{\"passage\":null,\"question\":\"问\",\"options\":[\"(A)一(B)二\"],\"label\":\"A\"}\n");

        List<Item> items = only(new Agieval().load(TaskSource.of(data, 0))).items();

        assertEquals("文。问题：问 选项：(A)一 (B)二 (C)三\n答案：从A到C, 我们应选择", text(items.get(0)));
        assertEquals(
                new Choice(List.of("(A)一", "(B)二", "(C)三"), " ", Set.of(0, 2), true, true),
                items.get(0).query());
        assertEquals("问题：问 选项：(A)一(B)二\n答案：从A到D, 我们应选择", text(items.get(1)));
    }

    @Test
    void englishExamsAskInEnglish() throws IOException {
        write(
                "agieval/v1/gaokao-english.jsonl",
                "{\"passage\":\"P.\",\"question\":\"q\",\"options\":[\"(A)x\",\"(B)y\"],\"label\":\"B\"}\n");
        write("agieval/v1/math.jsonl", "{\"passage\":null,\"question\":\"q\",\"options\":null,\"answer\":\"$2$\"}\n");

        List<Subtask> subtasks = new Agieval().load(TaskSource.of(data, 0));

        assertEquals(
                "P.Q: q Answer Choices: (A)x (B)y\nA: Among A through B, the answer is",
                text(subtasks.get(0).items().getFirst()));
        assertEquals("Q: q\nA: The answer is", text(subtasks.get(1).items().getFirst()));
        assertEquals("$2$", gold(subtasks.get(1).items().getFirst()));
    }

    @Test
    void problemsAreInTheOrderOfTheirNumbers() throws IOException {
        for (int number : List.of(10, 9, 100)) {
            write(
                    "math/test/algebra/" + number + ".json",
                    "{\"problem\":\"p" + number + "\",\"solution\":\"It is $\\\\boxed{" + number + "}$.\"}");
        }
        write("math/test/algebra/notes.json", "{");
        TaskSource source = TaskSource.of(data, 0);

        Subtask algebra = only(new MinervaMath().load(source));

        assertEquals(
                List.of("9", "10", "100"),
                algebra.items().stream().map(LmEvalFilesTest::gold).toList());
        assertEquals(List.of(0, 1, 2), algebra.items().stream().map(Item::id).toList());
        assertEquals(6, source.missing().size());
    }

    @Test
    void aLimitCountsInEachSubtask() throws IOException {
        write(MMLU, "a,1,2,3,4,D\nb,1,2,3,4,D\n");
        write("mmlu/test/virology_test.csv", "a,1,2,3,4,D\nb,1,2,3,4,D\n");

        List<Subtask> subtasks =
                new Mmlu().load(new TaskSource(data, 0, OptionalInt.of(1), Optional.empty(), new ArrayList<>()));

        assertEquals(
                List.of(1, 1),
                subtasks.stream().map(subtask -> subtask.items().size()).toList());
    }

    @Test
    void moreExamplesThanThereAreIsRefused() throws IOException {
        write("mmlu/dev/anatomy_dev.csv", "a,1,2,3,4,D\n");
        write(MMLU, "a,1,2,3,4,D\n");
        write("gsm8k/train.jsonl", "{\"question\":\"q\",\"answer\":\"a\"}\n");
        write("gsm8k/test.jsonl", "{\"question\":\"q\",\"answer\":\"a\"}\n");

        TaskSource two = TaskSource.of(data, 2);
        Throwable mmlu = assertThrows(InvalidRequestException.class, () -> new Mmlu().load(two));
        assertTrue(mmlu.getMessage().endsWith("anatomy_dev.csv: has 1 solved examples, 2 were asked for"));
        assertThrows(InvalidRequestException.class, () -> new Gsm8k().load(two));
        assertThrows(InvalidRequestException.class, () -> new MinervaMath().load(TaskSource.of(data, 5)));
        for (Task none : List.of(new HellaSwag(), new HumanEval(), new Agieval(), new BbhZeroShot(true))) {
            assertThrows(InvalidRequestException.class, () -> none.load(two), none.name());
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "mmlu|mmlu/test/anatomy_test.csv|q,1,2,3,4,A\\n"
                        + "q,1,2,3,4,E|row 2: the answer must be A, B, C or D, is \"E\"",
                "mmlu|mmlu/test/anatomy_test.csv|q,1,2,3,4|row 1 has 5 cells, must have 6",
                "mmlu|mmlu/test/anatomy_test.csv|\"q,1,2,3,4,A|anatomy_test.csv",
                "gsm8k|gsm8k/test.jsonl|{\"question\":\"q\",\"answer\":\"a\"}\\n"
                        + "{\"answer\":\"a\",\"question\":1}|test.jsonl line 2: \"question\" must be a text",
                "gsm8k|gsm8k/test.jsonl|{\"question\":\"q\"}|line 1: \"answer\" must be a text",
                "gsm8k|gsm8k/test.jsonl|{\"question\":\"q\"|test.jsonl line 1: not valid JSON",
                "hellaswag|hellaswag/hellaswag_val.jsonl|{\"activity_label\":\"a\",\"ctx_a\":\"a\",\"ctx_b\":\"b\",\"endings\":[\"e\"],\"label\":1}|line"
                    + " 1: there must be four endings",
                "hellaswag|hellaswag/hellaswag_val.jsonl|{\"activity_label\":\"a\",\"ctx_a\":\"a\",\"ctx_b\":\"b\",\"endings\":[1],\"label\":0}|line"
                    + " 1: \"endings\" must be a list of texts",
                "agieval|agieval/v1/sat-en.jsonl|{\"question\":\"q\",\"options\":[\"(A)a\"],\"label\":\"B\"}|line 1:"
                        + " \"label\" must be letters of 1 options from A, is \"B\"",
                "agieval|agieval/v1/sat-en.jsonl|{\"question\":\"q\",\"options\":null,\"label\":\"B\"}|line 1:"
                        + " \"options\" must be a list of texts",
                "math|math/test/algebra/1.json|{\"problem\":\"p\",\"solution\":\"none\"}|1.json: \"solution\" has no"
                        + " answer in a \\boxed{}",
                "math|math/test/algebra/1.json|{\"problem\":\"p\"}|1.json: \"solution\" must be a text",
                "humaneval|humaneval/HumanEval.jsonl.gz|not gzip|HumanEval.jsonl.gz: cannot be read"
            })
    void whatIsNotAsItsMakersPublishItIsNamed(String task, String file, String text, String complaint)
            throws IOException {
        write(file, text.replace("\\n", "\n"));

        Throwable wrong =
                assertThrows(InvalidInputException.class, () -> task(task).load(TaskSource.of(data, 0)));
        assertTrue(wrong.getMessage().contains(complaint), wrong.getMessage());
    }

    @Test
    void filesOfBbhThatAreOthersAreNamed() throws IOException {
        write("bbh/bbh/navigate.json", "[]");
        write("bbh/cot-prompts/navigate.txt", "canary\nWalk.\n\nQ: one\nA: two");
        Task bbh = new BbhZeroShot(true);

        assertComplaint("navigate.json: has no list \"examples\"", bbh);
        write("bbh/bbh/navigate.json", "{\"examples\":[{\"input\":\"i\"}]}");
        assertComplaint("navigate.txt: must have a line \"-----\"", bbh);
        write("bbh/cot-prompts/navigate.txt", "-----\nWalk.\n\nQ: one\nA: two");
        assertComplaint("navigate.txt: must have examples", bbh);
        write("bbh/cot-prompts/navigate.txt", "-----\nWalk.\n\nQ: one\nA: Let's think step by step.");
        assertComplaint("navigate.json row 1: \"target\" must be a text", bbh);
    }

    private void assertComplaint(String complaint, Task task) {
        Throwable wrong = assertThrows(InvalidInputException.class, () -> task.load(TaskSource.of(data, 0)));
        assertTrue(wrong.getMessage().contains(complaint), wrong.getMessage());
    }

    @Test
    void withoutTheFileOfATaskThereIsNoTask() {
        for (Task task : List.of(new Gsm8k(), new HumanEval(), new HellaSwag())) {
            assertThrows(InvalidInputException.class, () -> task.load(TaskSource.of(data, 0)), task.name());
        }
    }

    @ParameterizedTest
    @CsvSource({"mmlu,", "cmmlu,", "hellaswag,", "agieval,sat-en", "bbh_zeroshot,", "bbh_cot_zeroshot,none"})
    void answersOfSomeTasksAreNotRead(String task, String subtask) {
        Question question = new Question(Optional.ofNullable(subtask), "", Optional.empty());

        assertThrows(TelechatException.class, () -> task(task).rule(question));
    }

    @Test
    void tasksAreTen() {
        assertEquals(
                Set.of("mmlu cmmlu agieval gsm8k math humaneval bbh bbh_cot_zeroshot bbh_zeroshot hellaswag"
                        .split(" ")),
                Set.copyOf(LmEvalTasks.all().stream().map(Task::name).toList()));
    }

    private static Task task(String name) {
        return LmEvalTasks.all().stream()
                .filter(task -> task.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    private static Subtask only(List<Subtask> subtasks) {
        assertEquals(1, subtasks.size());
        return subtasks.getFirst();
    }

    private static String text(Item item) {
        return ((FewShot) item.prompt()).text();
    }

    private static String gold(Item item) {
        return ((FreeAnswer) item.query()).gold();
    }

    private void write(String file, String text) throws IOException {
        Path path = data.resolve(file);
        Files.createDirectories(path.getParent());
        Files.writeString(path, text);
    }
}
