// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.telechat.core.testing.TinyAdapters;
import io.telechat.core.testing.TinyModels;
import io.telechat.infer.generation.GenerationOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SessionAdapterTest {
    private static final List<String> TARGETS = List.of("query", "key_value", "gate_proj");

    @TempDir
    private Path directory;

    private static List<Integer> answer(ChatModel model, int adapter) {
        try (ChatSession session = model.newSession()) {
            GenerationOptions options = GenerationOptions.greedy().withMaxNewTokens(12);
            return session.setOptions(options).setAdapter(adapter).send("hello").tokens();
        }
    }

    private static List<Integer> answer(ChatModel model) {
        try (ChatSession session = model.newSession()) {
            return session.setOptions(GenerationOptions.greedy().withMaxNewTokens(12))
                    .send("hello")
                    .tokens();
        }
    }

    @Test
    void eachSessionHasItsOwn() throws IOException {
        Path plain = TinyModels.make(directory, "model", TinyModels.CONFIG_12B, 1);
        Path one = TinyAdapters.make(directory.resolve("one"), plain, TARGETS, 1);
        Path two = TinyAdapters.make(directory.resolve("two"), plain, TARGETS, 2);
        try (ChatModel base = ChatModel.load(plain);
                ChatModel withOne =
                        ChatModel.load(plain, LoadOptions.builder().adapter(one).build());
                ChatModel withTwo =
                        ChatModel.load(plain, LoadOptions.builder().adapter(two).build());
                ChatModel both = ChatModel.load(
                        plain, LoadOptions.builder().adapter(one).adapter(two).build())) {
            assertEquals(List.of(one, two), both.adapters());
            assertEquals(answer(base), answer(both, ChatSession.NO_ADAPTER));
            assertEquals(answer(withOne), answer(both, 0));
            assertEquals(answer(withTwo), answer(both, 1));
            assertEquals(answer(both, 0), answer(both)); // the first, if none is named
            assertNotEquals(answer(base), answer(withOne));
            assertNotEquals(answer(withOne), answer(withTwo));
            assertThrows(IllegalArgumentException.class, () -> answer(both, 2));
            assertThrows(IllegalArgumentException.class, () -> answer(base, 0));
        }
    }
}
