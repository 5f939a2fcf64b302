// SPDX-License-Identifier: Apache-2.0
package io.telechat.langchain4j;

import dev.langchain4j.data.embedding.Embedding;
import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.model.embedding.DimensionAwareEmbeddingModel;
import dev.langchain4j.model.output.Response;
import dev.langchain4j.model.output.TokenUsage;
import io.telechat.infer.ChatModel;
import java.util.List;

/** LangChain4j's {@code EmbeddingModel} over a model in this process; see {@link ChatModel#embed}. For any number of threads. */
public final class TelechatEmbeddingModel extends DimensionAwareEmbeddingModel {
    private final ChatModel model;

    public TelechatEmbeddingModel(ChatModel model) {
        this.model = model;
        this.dimension = model.info().hidden();
    }

    @Override
    public Response<List<Embedding>> embedAll(List<TextSegment> segments) {
        List<String> texts = segments.stream().map(TextSegment::text).toList();
        List<Embedding> embeddings =
                model.embed(texts).stream().map(Embedding::from).toList();
        int tokens = texts.stream().mapToInt(model::countTokens).sum();
        return Response.from(embeddings, new TokenUsage(tokens));
    }
}
