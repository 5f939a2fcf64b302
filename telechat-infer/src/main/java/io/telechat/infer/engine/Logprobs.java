// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.engine;

import io.telechat.infer.generation.Generation;
import io.telechat.infer.sampling.Sampler;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

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
        if (alternatives > 0) {
            IntStream.range(0, logits.length)
                    .boxed()
                    .sorted(Comparator.comparingDouble((Integer i) -> -logits[i]))
                    .limit(alternatives)
                    .forEach(i -> best.add(new Generation.Alternative(i, logits[i] - normaliser)));
        }
        return new Generation.TokenLogprob(id, logits[id] - normaliser, List.copyOf(best));
    }
}
