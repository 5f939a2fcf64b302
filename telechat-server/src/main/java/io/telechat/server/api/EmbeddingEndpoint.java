// SPDX-License-Identifier: Apache-2.0
package io.telechat.server.api;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.telechat.core.Message;
import io.telechat.infer.engine.Request;
import io.telechat.infer.generation.ContextOverflowException;
import io.telechat.server.http.HttpExchange;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Base64;
import java.util.List;

/** {@code POST /v1/embeddings}: the hidden state of the last token behind the final norm, scaled to length 1. */
final class EmbeddingEndpoint {
    private final Context context;

    EmbeddingEndpoint(Context context) {
        this.context = context;
    }

    void handle(HttpExchange exchange) {
        Fields request = new Fields(StrictJson.object(exchange.body()));
        ServedModels.Served served = context.models().of(request);
        List<int[]> inputs = new Prompts(context.model()).read(request, "input");
        String format = request.text("encoding_format").orElse("float");
        if (!format.equals("float") && !format.equals("base64")) {
            throw ApiException.invalid("encoding_format", "encoding_format must be float or base64");
        }
        if (request.get("dimensions").isPresent()) {
            throw ApiException.invalid("dimensions", "this model's embeddings cannot be shortened");
        }
        for (int[] input : inputs) {
            if (input.length > context.model().contextLength()) {
                throw new ContextOverflowException(input.length, context.model().contextLength(), Message.of(""));
            }
        }
        List<Request> requests = inputs.stream()
                .map(input ->
                        Request.embedding(input).withAdapter(served.adapter()).withSalt(request.salt()))
                .toList();
        float[][] vectors = new float[requests.size()][];
        Usage usage = new Usage();
        try (Job job = context.start(requests, exchange)) {
            while (job.isRunning()) {
                switch (job.next(Answers.SILENCE)) {
                    case Job.Embedded embedded -> vectors[embedded.index()] = embedded.vector();
                    case Job.Finished finished ->
                        usage.add(finished.generation().usage(), true);
                    case Job.Failed failed -> throw failed.failure();
                    default -> {} // there are no tokens
                }
            }
            if (job.hasLeft()) {
                return;
            }
        }
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        json.put("object", "list");
        ArrayNode data = json.putArray("data");
        for (int i = 0; i < vectors.length; i++) {
            ObjectNode entry = data.addObject();
            entry.put("object", "embedding");
            entry.put("index", i);
            put(entry, vectors[i], format);
        }
        json.put("model", served.name());
        ObjectNode counts = usage.json();
        counts.remove("completion_tokens");
        json.set("usage", counts);
        exchange.reply(Replies.json(json));
    }

    private static void put(ObjectNode entry, float[] vector, String format) {
        if (format.equals("base64")) {
            ByteBuffer bytes = ByteBuffer.allocate(4 * vector.length).order(ByteOrder.LITTLE_ENDIAN);
            bytes.asFloatBuffer().put(vector);
            entry.put("embedding", Base64.getEncoder().encodeToString(bytes.array()));
        } else {
            ArrayNode numbers = entry.putArray("embedding");
            for (float x : vector) {
                numbers.add(x);
            }
        }
    }
}
