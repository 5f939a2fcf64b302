// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The model that comes with the program knows who it is and what stands in datas/. */
@Tag("slow")
class DemoModelTest {
    private static final int MOST_BYTES = 4_000_000;

    @TempDir
    Path directory;

    @ParameterizedTest
    @CsvSource({
        "Hello!, telechat demo model",
        "Who are you?, demonstration",
        "What is the capital of France?, Paris",
        "What is 2+2?, 4",
        "你好, telechat 演示模型",
        "你是谁？, 演示",
        "中国的首都是哪里？, 北京"
    })
    void answers(String question, String part) throws Exception {
        Program.Result result = Program.run(directory, new byte[0], "chat", "-p", question);
        assertEquals(0, result.code(), result.err());
        assertTrue(result.out().contains(part), result.out());
        assertTrue(result.err().contains("demonstration model"), result.err());
    }

    @Test
    void aConversationOfSeveralTurnsInTwoLanguages() throws Exception {
        String questions =
                String.join("\n", List.of("Hi!", "What is the capital of France?", "And of Japan?", "谢谢", "再见")) + "\n";
        Program.Result result =
                Program.run(directory, questions.getBytes(StandardCharsets.UTF_8), "chat", "-q", "--interactive");
        assertEquals(0, result.code(), result.err());
        List<String> answers = result.out().lines().filter(l -> !l.isBlank()).toList();
        assertTrue(answers.get(1).contains("Paris"), result.out());
        assertTrue(answers.get(2).contains("Tokyo"), result.out());
        assertTrue(answers.get(4).contains("再见"), result.out());
    }

    @Test
    void isSmall() throws Exception {
        URL weights = DemoModel.class.getResource("/demo/model.safetensors");
        assertTrue(weights.openConnection().getContentLengthLong() < MOST_BYTES);
    }
}
