// SPDX-License-Identifier: Apache-2.0
package snippets;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.telechat.core.backend.nd4j.ArrayView;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.testing.TinyModels;
import io.telechat.infer.ChatModel;
import io.telechat.infer.ChatSession;
import io.telechat.infer.Context;
import io.telechat.infer.LoadOptions;
import io.telechat.infer.PassObserver;
import io.telechat.infer.generation.Generation;
import io.telechat.infer.generation.GenerationOptions;
import io.telechat.infer.generation.TokenEvent;
import io.telechat.infer.generation.TokenListener;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.ndarray.INDArray;

/** What the documentation shows, run. */
class ChatSnippetsTest {
    @TempDir
    static Path directory;

    private static Path checkpoint;

    @BeforeAll
    static void make() throws IOException {
        checkpoint = TinyModels.make(directory, "12b", TinyModels.CONFIG_12B, 2);
    }

    @Test
    void chat() {
        // @start region="chat"
        try (ChatModel model = ChatModel.load(checkpoint);
                ChatSession session = model.newSession()) {
            Generation answer =
                    session.send("What is the wettest place on earth?", token -> System.out.print(token.text()));
            System.out.println(answer.summary());
        }
        // @end
    }

    @Test
    void options() {
        // @start region="options"
        LoadOptions options = LoadOptions.builder()
                .threads(2)
                .quantization(DType.Q8)
                .cacheType(DType.BF16)
                .build();
        try (ChatModel model = ChatModel.load(checkpoint, options)) {
            System.out.println(model.info());
        }
        // @end
    }

    @Test
    void stream() {
        try (ChatModel model = ChatModel.load(checkpoint);
                ChatSession session = model.newSession()) {
            // @start region="stream"
            String beginning;
            try (Stream<TokenEvent> answer = session.stream("Tell me a story.")) {
                beginning = answer.limit(20).map(TokenEvent::text).collect(Collectors.joining());
            }
            // @end
            assertFalse(beginning.isEmpty());
            assertEquals(beginning, session.messages().getLast().content());
        }
    }

    @Test
    void generate() {
        try (ChatModel model = ChatModel.load(checkpoint)) {
            // @start region="generate"
            int[] prompt = model.tokenizer().encode("Once upon a time");
            GenerationOptions options = model.defaults().withMaxNewTokens(20).withSeed(1);
            Generation text = model.generate(prompt, options, TokenListener.SILENT);
            System.out.println(text.text() + " [" + text.finishReason() + "]");
            // @end
            assertTrue(text.tokens().size() <= 20);
        }
    }

    @Test
    void embed() {
        try (ChatModel model = ChatModel.load(checkpoint)) {
            // @start region="embed"
            List<float[]> embeddings = model.embed(List.of("a cat", "a kitten"));
            double cosine = 0;
            for (int i = 0; i < model.info().hidden(); i++) {
                cosine += embeddings.get(0)[i] * embeddings.get(1)[i];
            }
            // @end
            assertTrue(cosine >= -1.0001 && cosine <= 1.0001);
        }
    }

    @Test
    void observe() {
        try (ChatModel model = ChatModel.load(checkpoint)) {
            // @start region="observe"
            int[] ids = model.tokenizer().encode("Hello");
            try (Context context = model.newContext()) {
                model.observe(ids, context, new PassObserver() {
                    @Override
                    public void logits(int firstRow, Tensor logits) {
                        INDArray array = ArrayView.array(logits); // [rows, vocab], the same memory
                        System.out.println("from row " + firstRow + ": " + array.argMax(1));
                    }
                });
            }
            // @end
        }
    }
}
