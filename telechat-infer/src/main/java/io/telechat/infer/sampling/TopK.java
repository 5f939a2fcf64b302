// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.sampling;

/** Keeps the {@code k} highest logits, and all that tie with the last of them. */
public record TopK(int k) implements LogitsProcessor {
    @Override
    public void apply(float[] logits, TokenHistory history) {
        if (k >= logits.length) {
            return;
        }
        float threshold = highest(logits);
        for (int i = 0; i < logits.length; i++) {
            if (logits[i] < threshold) {
                logits[i] = Float.NEGATIVE_INFINITY;
            }
        }
    }

    /** If so many are above the limit, the lowest of the highest of these is that of the whole row too. */
    @Override
    public boolean apply(Candidates candidates, TokenHistory history) {
        if (candidates.areAll()) {
            apply(candidates.values(), history);
            return true;
        }
        return k <= candidates.size() && candidates.keepFrom(highest(candidates.values()));
    }

    /** The lowest of the highest k: the top of a heap of them, in which a parent is no higher than its children. */
    private float highest(float[] logits) {
        float[] heap = new float[k];
        System.arraycopy(logits, 0, heap, 0, k);
        for (int i = k / 2 - 1; i >= 0; i--) {
            sink(heap, i);
        }
        for (int i = k; i < logits.length; i++) {
            if (logits[i] > heap[0]) {
                heap[0] = logits[i];
                sink(heap, 0);
            }
        }
        return heap[0];
    }

    private static void sink(float[] heap, int from) {
        float value = heap[from];
        int at = from;
        for (int child = 2 * at + 1; child < heap.length; child = 2 * at + 1) {
            if (child + 1 < heap.length && heap[child + 1] < heap[child]) {
                child++;
            }
            if (heap[child] >= value) {
                break;
            }
            heap[at] = heap[child];
            at = child;
        }
        heap[at] = value;
    }
}
