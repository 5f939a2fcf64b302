// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.engine;

import io.telechat.core.backend.TopLogits;
import io.telechat.infer.generation.Generation;
import io.telechat.infer.sampling.Sampler;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.IntUnaryOperator;

/** Log-probabilities of tokens. */
final class Logprobs {
    private Logprobs() {}

    /**
     * @param logits [vocab], as the model gave them
     * @param alternatives how many of the likeliest ids to add
     */
    static Generation.TokenLogprob of(float[] logits, int id, int alternatives) {
        return of(logits, logSum(logits, Sampler.argmax(logits)), i -> i, id, alternatives);
    }

    /** log Σ e^logit. */
    private static double logSum(float[] logits, int argmax) {
        double max = logits[argmax]; // so that differences are exact
        double sum = 0;
        for (float logit : logits) {
            sum += Math.exp(logit - max);
        }
        return max + Math.log(sum);
    }

    /**
     * Log-probabilities of some ids; of the highest logits alone if the ids are among them, to a millionth or so, then.
     *
     * @return empty if the logits are no numbers
     */
    static Optional<RowScore> score(RowLogits logits, int... ids) {
        if (logits.top().isPresent()) {
            TopLogits top = logits.top().get();
            int[] at = Arrays.stream(ids)
                    .map(id -> Arrays.binarySearch(top.ids(), id))
                    .toArray();
            if (Arrays.stream(at).allMatch(i -> i >= 0)) {
                int argmax = Sampler.argmax(top.values());
                return Optional.of(score(top.values(), top.logSum(), at, top.ids()[argmax]));
            }
        }
        float[] all = logits.all().get();
        int argmax = Sampler.argmax(all);
        double logSum = logSum(all, argmax);
        return Double.isNaN(logSum) ? Optional.empty() : Optional.of(score(all, logSum, ids, argmax));
    }

    private static RowScore score(float[] logits, double logSum, int[] at, int argmax) {
        return new RowScore(
                Arrays.stream(at).mapToDouble(i -> logits[i] - logSum).toArray(), argmax);
    }

    /** Likewise, of the highest alone if the id and the alternatives are among them; to a millionth or so, then. */
    static Generation.TokenLogprob of(RowLogits logits, int id, int alternatives) {
        if (logits.top().isPresent()) {
            TopLogits top = logits.top().get();
            int at = Arrays.binarySearch(top.ids(), id);
            if (at >= 0 && alternatives <= top.ids().length) {
                return of(top.values(), top.logSum(), i -> top.ids()[i], at, alternatives);
            }
        }
        return of(logits.all().get(), id, alternatives);
    }

    private static Generation.TokenLogprob of(
            float[] logits, double normaliser, IntUnaryOperator ids, int at, int alternatives) {
        List<Generation.Alternative> best = new ArrayList<>();
        for (int i : highest(logits, alternatives)) {
            best.add(new Generation.Alternative(ids.applyAsInt(i), logits[i] - normaliser));
        }
        return new Generation.TokenLogprob(ids.applyAsInt(at), logits[at] - normaliser, List.copyOf(best));
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
