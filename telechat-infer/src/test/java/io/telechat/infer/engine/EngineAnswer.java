// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.engine;

import io.telechat.infer.ChatModel;
import io.telechat.infer.generation.Generation;
import io.telechat.infer.generation.TokenEvent;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** The whole answer to one request. */
public final class EngineAnswer {
    private EngineAnswer() {}

    /** Waits for it. */
    public static Generation of(ChatModel model, Request request) {
        CompletableFuture<Generation> result = new CompletableFuture<>();
        model.engine().submit(List.of(request), new EngineListener() {
            @Override
            public void token(int index, TokenEvent event) {
                // The whole answer is all that counts.
            }

            @Override
            public void finished(int index, Generation generation) {
                result.complete(generation);
            }

            @Override
            public void failed(int index, RuntimeException failure) {
                result.completeExceptionally(failure);
            }
        });
        return result.join();
    }
}
