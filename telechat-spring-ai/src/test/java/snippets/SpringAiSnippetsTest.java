// SPDX-License-Identifier: Apache-2.0
package snippets;

import static org.junit.jupiter.api.Assertions.assertNotNull;

import io.telechat.core.testing.TinyModels;
import io.telechat.infer.ChatModel;
import io.telechat.springai.TelechatChatModel;
import io.telechat.springai.TelechatChatOptions;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.ai.chat.client.ChatClient;

/** What the documentation shows, run. */
class SpringAiSnippetsTest {
    // @start region="types"
    record Recipe(String name, List<String> steps) {}
    // @end

    @Test
    void chat(@TempDir Path directory) throws Exception {
        Path checkpoint = TinyModels.makeWithTools(directory, "telechat2", 3);
        // @start region="chat"
        try (ChatModel model = ChatModel.load(checkpoint)) {
            TelechatChatOptions options =
                    TelechatChatOptions.builder().maxTokens(800).build();
            ChatClient client = ChatClient.create(new TelechatChatModel(model, options));
            Recipe recipe = client.prompt("Something warm.")
                    .call()
                    .entity(Recipe.class, spec -> spec.useProviderStructuredOutput());
            System.out.println(recipe);
            client.prompt("Tell me a story.").stream()
                    .content()
                    .doOnNext(System.out::print)
                    .blockLast();
        }
        // @end
        assertNotNull(checkpoint);
    }
}
