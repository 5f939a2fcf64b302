// SPDX-License-Identifier: Apache-2.0
package io.telechat.springai;

import io.telechat.infer.ChatModel;
import java.util.List;
import java.util.stream.IntStream;
import org.springframework.ai.chat.metadata.DefaultUsage;
import org.springframework.ai.document.Document;
import org.springframework.ai.embedding.Embedding;
import org.springframework.ai.embedding.EmbeddingModel;
import org.springframework.ai.embedding.EmbeddingRequest;
import org.springframework.ai.embedding.EmbeddingResponse;
import org.springframework.ai.embedding.EmbeddingResponseMetadata;

/** Spring AI's {@code EmbeddingModel} over a model in this process; see {@link ChatModel#embed}. For any number of threads. */
public final class TelechatEmbeddingModel implements EmbeddingModel {
    private final ChatModel model;

    public TelechatEmbeddingModel(ChatModel model) {
        this.model = model;
    }

    @Override
    public EmbeddingResponse call(EmbeddingRequest request) {
        List<String> texts = request.getInstructions();
        List<float[]> vectors = model.embed(texts);
        int tokens = texts.stream().mapToInt(model::countTokens).sum();
        return new EmbeddingResponse(
                IntStream.range(0, vectors.size())
                        .mapToObj(i -> new Embedding(vectors.get(i), i))
                        .toList(),
                new EmbeddingResponseMetadata(model.info().architecture(), new DefaultUsage(tokens, 0)));
    }

    @Override
    public float[] embed(Document document) {
        return model.embed(List.of(getEmbeddingContent(document))).getFirst();
    }

    @Override
    public int dimensions() {
        return model.info().hidden();
    }
}
