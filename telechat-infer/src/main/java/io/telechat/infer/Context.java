// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer;

import io.telechat.core.ops.KvCache;

/** Tokens that a model has been fed by hand, for {@link ChatModel#logits} and {@link ChatModel#observe}. Not thread-safe. */
public final class Context implements AutoCloseable {
    private final ChatModel model;
    private final KvCache cache;
    private boolean closed;

    Context(ChatModel model, KvCache cache) {
        this.model = model;
        this.cache = cache;
    }

    KvCache cache() {
        if (closed) {
            throw new IllegalStateException("the context is closed");
        }
        return cache;
    }

    /** How many tokens it holds. */
    public int length() {
        return cache.length();
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            model.free(cache);
        }
    }
}
