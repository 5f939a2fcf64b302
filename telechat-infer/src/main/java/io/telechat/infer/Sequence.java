// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer;

import io.telechat.core.model.CausalLm;
import io.telechat.core.ops.KvCache;
import io.telechat.core.tensor.DType;
import java.util.Arrays;

/** The tokens whose keys and values are in a cache, so that the next prompt need not compute a common beginning again. */
public final class Sequence implements AutoCloseable {
    private final CausalLm model;
    private final KvCache cache;
    private final Object lock;
    private boolean closed;
    private int[] tokens = new int[256];

    /** @param lock of the model that computes with it, under which the memory is freed */
    Sequence(CausalLm model, DType cacheType, Object lock) {
        this.model = model;
        this.lock = lock;
        this.cache = model.newCache(cacheType);
    }

    KvCache cache() {
        return cache;
    }

    int length() {
        return cache.length();
    }

    /** Notes tokens that are about to be fed. */
    void append(int... more) {
        int length = cache.length();
        if (length + more.length > tokens.length) {
            tokens = Arrays.copyOf(tokens, Math.max(2 * tokens.length, length + more.length));
        }
        System.arraycopy(more, 0, tokens, length, more.length);
    }

    /**
     * Cuts the cache back to what a prompt has in common with it, provided that computing the whole prompt afresh would
     * give the same states; otherwise to nothing.
     *
     * @return how many of the prompt's tokens need not be fed; at least one always is
     */
    int reuse(int[] prompt) {
        int common = 0;
        int limit = Math.min(cache.length(), prompt.length - 1);
        boolean same = cache.isAsFreshUnder(model.config().rope().scaling(prompt.length, prompt.length));
        while (same && common < limit && tokens[common] == prompt[common]) {
            common++;
        }
        cache.truncate(common);
        return common;
    }

    /** To be called under the lock. */
    void requireOpen() {
        if (closed) {
            throw new IllegalStateException("the sequence is closed");
        }
    }

    /** Waits for a generation to end that computes with it. */
    @Override
    public void close() {
        synchronized (lock) {
            if (!closed) {
                closed = true;
                cache.close();
            }
        }
    }
}
