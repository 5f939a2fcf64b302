// SPDX-License-Identifier: Apache-2.0
package snippets;

import static org.junit.jupiter.api.Assertions.assertNotNull;

import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.service.AiServices;
import io.telechat.core.testing.TinyModels;
import io.telechat.infer.ChatModel;
import io.telechat.langchain4j.TelechatChatModel;
import io.telechat.langchain4j.TelechatStreamingChatModel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the documentation shows, run. */
class LangChain4jSnippetsTest {
    @TempDir
    static Path directory;

    private static Path checkpoint;

    @BeforeAll
    static void make() throws IOException {
        checkpoint = TinyModels.makeWithTools(directory, "telechat2", 3);
    }

    // @start region="chat"
    record Recipe(String name, List<String> steps) {}

    interface Cook {
        Recipe suggest(String wish);
    }

    void suggest() {
        try (ChatModel model = ChatModel.load(checkpoint)) {
            ChatRequestParameters parameters =
                    ChatRequestParameters.builder().maxOutputTokens(800).build();
            Cook cook = AiServices.create(Cook.class, new TelechatChatModel(model, parameters, List.of()));
            System.out.println(cook.suggest("Something warm."));
        }
    }
    // @end

    @Test
    void stream() {
        try (ChatModel model = ChatModel.load(checkpoint)) {
            // @start region="stream"
            CompletableFuture<ChatResponse> whole = new CompletableFuture<>();
            new TelechatStreamingChatModel(model).chat("Tell me a story.", new StreamingChatResponseHandler() {
                @Override
                public void onPartialResponse(String text) {
                    System.out.print(text);
                }

                @Override
                public void onCompleteResponse(ChatResponse response) {
                    whole.complete(response);
                }

                @Override
                public void onError(Throwable failure) {
                    whole.completeExceptionally(failure);
                }
            });
            System.out.println(whole.join().tokenUsage());
            // @end
            assertNotNull(whole.join().aiMessage());
        }
    }
}
