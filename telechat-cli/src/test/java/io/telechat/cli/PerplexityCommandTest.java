// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import static io.telechat.cli.Program.assertError;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.telechat.core.testing.TinyModels;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("slow")
class PerplexityCommandTest {
    private static final String TEXT = "The quick brown fox jumps over the lazy dog. 敏捷的棕色狐狸。\n".repeat(20);

    @TempDir
    Path directory;

    private Program.Result run(String input, String... arguments) throws Exception {
        return Program.run(directory, input.getBytes(StandardCharsets.UTF_8), arguments);
    }

    @Test
    void saysHowWellATextIsPredicted() throws Exception {
        String model =
                TinyModels.make(directory, "model", TinyModels.CONFIG_52B, 2).toString();
        String file = Files.writeString(directory.resolve("text"), TEXT).toString();
        String[] options = {"perplexity", model, file, "--window", "64", "--stride", "16", "--json"};
        Program.Result result = run("", options);
        assertEquals(0, result.code(), result.err());
        JsonNode report = result.json().getFirst();
        double nats = report.get("nats_per_token").asDouble();
        assertEquals(Math.exp(nats), report.get("perplexity").asDouble(), 1e-9);
        int bytes = TEXT.getBytes(StandardCharsets.UTF_8).length;
        assertEquals(bytes, report.get("bytes").asInt());
        assertEquals(
                nats * report.get("tokens").asInt() / Math.log(2) / bytes,
                report.get("bits_per_byte").asDouble(),
                1e-9);
        Program.Result piped = run(TEXT, "perplexity", model, "-", "--window", "64", "--stride", "16");
        assertTrue(piped.out().contains("nats per token       %.4f ± ".formatted(nats)), piped.out());
    }

    @Test
    void whatCannotBeIsSaidBeforeTheModelIsLoaded() throws Exception {
        String file = Files.writeString(directory.resolve("text"), "").toString();
        assertError(
                2,
                "stride 64: must be from 1 to 63",
                run("", "perplexity", "nowhere", file, "--window", "64", "--stride", "64"));
        assertError(2, "a window of 1 tokens", run("", "perplexity", "nowhere", file, "--window", "1"));
        assertError(3, "nowhere", run("", "perplexity", "nowhere", file));
        String model =
                TinyModels.make(directory, "model", TinyModels.CONFIG_52B, 2).toString();
        assertError(2, "at least 2 are needed", run("", "perplexity", model, file, "--window", "64"));
    }
}
