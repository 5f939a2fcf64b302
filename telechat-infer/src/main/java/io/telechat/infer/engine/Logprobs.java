// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.engine;

import io.telechat.infer.generation.Generation;
import io.telechat.infer.sampling.Sampler;
import java.util.ArrayList;
import java.util.List;

/** Log-probabilities of tokens. */
final class Logprobs {
    private Logprobs() {}

    /**
     * @param logits [vocab], as the model gave them
     * @param alternatives how many of the likeliest ids to add
     */
    static Generation.TokenLogprob of(float[] logits, int id, int alternatives) {
        float max = logits[Sampler.argmax(logits)];
        double sum = 0;
        for (float logit : logits) {
            sum += Math.exp(logit - max);
        }
        double normaliser = max + Math.log(sum);
        List<Generation.Alternative> best = new ArrayList<>();
        for (int i : highest(logits, alternatives)) {
            best.add(new Generation.Alternative(i, logits[i] - normaliser));
        }
        return new Generation.TokenLogprob(id, logits[id] - normaliser, List.copyOf(best));
    }

    /** Ids of the highest logits, the best first, of equals the lowest id first. */
    private static int[] highest(float[] logits, int count) {
        int[] best = new int[Math.clamp(count, 0, logits.length)];
        int found = 0;
        for (int i = 0; best.length > 0 && i < logits.length; i++) {
            if (found < best.length || logits[i] > logits[best[found - 1]]) {
                int at = found < best.length ? found++ : found - 1;
                for (; at > 0 && logits[i] > logits[best[at - 1]]; at--) {
                    best[at] = best[at - 1];
                }
                best[at] = i;
            }
        }
        return best;
    }
}
