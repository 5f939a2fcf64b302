// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer;

import io.telechat.infer.engine.Engine;
import io.telechat.infer.engine.EngineListener;
import io.telechat.infer.engine.Request;
import io.telechat.infer.generation.Generation;
import io.telechat.infer.generation.TokenEvent;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/** Waits for the embeddings of some prompts. */
final class Embeddings implements EngineListener {
    private final float[][] vectors;
    private final CompletableFuture<List<float[]>> all = new CompletableFuture<>();
    private int missing;

    private Embeddings(int count) {
        this.vectors = new float[count][];
        this.missing = count;
    }

    static List<float[]> of(Engine engine, List<Request> requests) {
        if (requests.isEmpty()) {
            return List.of();
        }
        Embeddings embeddings = new Embeddings(requests.size());
        Engine.Ticket ticket = engine.submit(requests, embeddings);
        try {
            return embeddings.all.join();
        } catch (CompletionException e) {
            ticket.cancel();
            throw e.getCause() instanceof RuntimeException failure ? failure : e;
        }
    }

    @Override
    public void token(int index, TokenEvent event) {
        // There are none.
    }

    @Override
    public void embedded(int index, float[] vector) {
        vectors[index] = vector;
    }

    @Override
    public void finished(int index, Generation generation) {
        if (vectors[index] == null) {
            failed(index, new IllegalStateException("the model is closed"));
        }
        missing--;
        if (missing == 0) {
            all.complete(Arrays.asList(vectors));
        }
    }

    @Override
    public void failed(int index, RuntimeException failure) {
        all.completeExceptionally(failure);
    }
}
