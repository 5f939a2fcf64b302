// SPDX-License-Identifier: Apache-2.0
package snippets;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import ai.djl.inference.Predictor;
import ai.djl.repository.zoo.Criteria;
import ai.djl.repository.zoo.ZooModel;
import io.telechat.core.testing.TinyModels;
import io.telechat.djl.ChatInput;
import io.telechat.djl.ChatOutput;
import io.telechat.djl.ChatStream;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the documentation shows, run. */
class DjlSnippetsTest {
    @TempDir
    static Path directory;

    private static Path checkpoint;

    @BeforeAll
    static void make() throws IOException {
        checkpoint = TinyModels.makeWithTools(directory, "telechat2", 3);
    }

    @Test
    void chat() throws Exception {
        // @start region="chat"
        Criteria<ChatInput, ChatOutput> criteria = Criteria.builder()
                .setTypes(ChatInput.class, ChatOutput.class)
                .optEngine("TeleChat")
                .optModelPath(checkpoint)
                .optOption("weights", "q8")
                .build();
        try (ZooModel<ChatInput, ChatOutput> model = criteria.loadModel();
                Predictor<ChatInput, ChatOutput> predictor = model.newPredictor()) {
            ChatOutput answer = predictor.predict(ChatInput.text("What is the wettest place on earth?"));
            System.out.println(answer.text());
        }
        // @end
    }

    @Test
    void stream() throws Exception {
        StringBuilder read = new StringBuilder();
        // @start region="stream"
        Criteria<ChatInput, ChatStream> criteria = Criteria.builder()
                .setTypes(ChatInput.class, ChatStream.class)
                .optEngine("TeleChat")
                .optModelPath(checkpoint)
                .build();
        ChatInput question = ChatInput.builder()
                .system("Be brief.")
                .user("Tell me a story.")
                .maxTokens(100)
                .build();
        try (ZooModel<ChatInput, ChatStream> model = criteria.loadModel();
                Predictor<ChatInput, ChatStream> predictor = model.newPredictor();
                ChatStream answer = predictor.predict(question)) {
            for (String piece : answer) {
                System.out.print(piece);
                read.append(piece);
            }
        }
        // @end
        assertNotNull(criteria);
        assertFalse(read.isEmpty());
    }
}
