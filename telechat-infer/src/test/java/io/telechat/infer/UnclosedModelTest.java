// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.telechat.core.testing.TinyModels;
import io.telechat.infer.generation.GenerationOptions;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

class UnclosedModelTest {
    private static void use(Path directory) {
        ChatModel model = ChatModel.load(directory);
        try (ChatSession session = model.newSession()) {
            session.setOptions(GenerationOptions.greedy().withMaxNewTokens(2)).send("hello");
        }
    }

    /** Until the collector has seen it, or the time is up. */
    @Test
    @Timeout(60)
    void isTold(@TempDir Path directory) throws Exception {
        Path checkpoint = TinyModels.make(directory, "12b", TinyModels.CONFIG_12B, 1);
        PrintStream before = System.err;
        ByteArrayOutputStream log = new ByteArrayOutputStream();
        System.setErr(new PrintStream(log, true, StandardCharsets.UTF_8));
        try {
            ChatModel.load(checkpoint).close();
            System.gc();
            Thread.sleep(100);
            assertFalse(log.toString(StandardCharsets.UTF_8).contains("not closed"));
            use(checkpoint);
            while (!log.toString(StandardCharsets.UTF_8).contains("a ChatModel was not closed")) {
                System.gc();
                Thread.sleep(20);
            }
        } finally {
            System.setErr(before);
        }
        assertTrue(log.size() > 0);
    }
}
