// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.telechat.core.testing.TinyModels;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code telechat chat} with a model that thinks before it answers. */
@Tag("slow")
class ThinkingChatTest {
    @TempDir
    static Path directory;

    private static String model;

    @BeforeAll
    static void make() throws IOException {
        model = TinyModels.makeThinking(directory, "thinking", 4).toString();
    }

    private static Program.Result ask(String... more) throws Exception {
        List<String> all = new ArrayList<>(List.of(
                "chat", model, "-p", "hello", "--greedy", "--max-new-tokens", "40", "--max-thinking-tokens", "10"));
        all.addAll(List.of(more));
        return Program.run(directory, new byte[0], all.toArray(String[]::new));
    }

    @Test
    void thoughtsAreNoResultUnlessTheyAreToBeShown() throws Exception {
        List<JsonNode> events = ask("--json").json();
        JsonNode done = events.getLast();
        String thinking = done.get("thinking").asText();
        String answer = done.get("text").asText();
        assertFalse(thinking.isEmpty() || answer.isEmpty(), done.toString());
        assertEquals(10, done.at("/usage/thinking_tokens").asInt());
        assertEquals(
                thinking,
                events.stream()
                        .filter(e -> e.get("event").asText().equals("token"))
                        .map(e -> e.path("thinking").asText())
                        .collect(Collectors.joining()));
        assertEquals(answer + "\n", ask().out());
        assertEquals(
                "<think>\n" + thinking + "\n</think>\n\n" + answer + "\n",
                ask("--show-thinking").out());
    }

    @Test
    void anAnswerThatIsAllThoughtsSaysSo() throws Exception {
        Program.Result result = ask("--max-thinking-tokens", "100");
        assertEquals(0, result.code());
        assertEquals("\n", result.out());
        assertTrue(result.err().contains("--max-thinking-tokens"), result.err());
    }

    @Test
    void theDialogKeepsAnswersOnlyAndTurnsThoughtsOn() throws Exception {
        Path file = directory.resolve("talk.json");
        String input = """
            one
            /think
            /set max-thinking-tokens 5
            two
            /save %s
            """.formatted(file);
        Program.Result result = Program.run(
                directory,
                input.getBytes(StandardCharsets.UTF_8),
                "chat",
                model,
                "-i",
                "--greedy",
                "--max-new-tokens",
                "30",
                "--max-thinking-tokens",
                "3");
        assertEquals(0, result.code(), result.err());
        String second = result.out().substring(result.out().indexOf("thoughts are shown"));
        assertTrue(second.contains("max-thinking-tokens is now 5"), second);
        assertTrue(second.contains("<think>\n") && second.contains("\n</think>\n\n"), second);
        assertFalse(result.out()
                .substring(0, result.out().indexOf("thoughts are shown"))
                .contains("<think>"));
        JsonNode saved = new ObjectMapper().readTree(file.toFile());
        String answer = saved.at("/3/content").asText();
        assertTrue(second.contains("</think>\n\n" + answer + "\n"), saved.toString());
        assertFalse(saved.toString().contains("think>"), saved.toString());
    }

    @Test
    void aNegativeBoundIsRefused() throws Exception {
        Program.assertError(2, "0 or more", ask("--max-thinking-tokens", "-1"));
    }
}
