// SPDX-License-Identifier: Apache-2.0
package io.telechat.train;

import io.telechat.core.InvalidInputException;
import io.telechat.core.architecture.ModelConfig;
import io.telechat.train.data.TrainingData;
import java.util.ArrayList;
import java.util.List;

/**
 * Data that a run can be made of: all samples were looked through before anything else, so that nothing is found wrong hours
 * later.
 *
 * @param config of the run
 * @param data its samples
 * @param trainedSamples the first so many are trained, the others measured
 */
public record CheckedData(TrainConfig config, TrainingData data, int trainedSamples) {
    private static final int SHOWN = 5;

    /**
     * @param model that is to be trained
     * @throws InvalidInputException naming the samples that cannot be trained
     */
    public static CheckedData of(TrainConfig config, ModelConfig model, TrainingData data) {
        int measured = (int) Math.round(config.length().evaluationShare() * data.samples());
        CheckedData checked = new CheckedData(config, data, data.samples() - measured);
        data.requireTokenizer(config.model());
        checked.checkSizes(model);
        checked.checkSamples(model);
        return checked;
    }

    private void checkSizes(ModelConfig model) {
        TrainConfig.Batching batching = config.batch();
        if (trainedSamples < batching.microBatch()) {
            throw new InvalidInputException(
                    "%s: %,d samples to train are less than one micro-batch of %,d",
                    config.data(), trainedSamples, batching.microBatch());
        }
        int measured = data.samples() - trainedSamples;
        if (config.length().evaluationShare() > 0 && measured == 0) {
            throw new InvalidInputException(
                    "%s: that share of %,d samples is none to measure", config.data(), data.samples());
        }
        if (data.rowTokens() > model.maxContextLength()) {
            throw new InvalidInputException(
                    "%s: samples of %,d tokens; the model is defined up to %,d",
                    config.data(), data.rowTokens(), model.maxContextLength());
        }
    }

    private void checkSamples(ModelConfig model) {
        List<Integer> empty = new ArrayList<>();
        for (int i = 0; i < data.samples(); i++) {
            TrainingData.Sample sample = data.sample(i);
            for (int id : sample.ids()) {
                if (id < 0 || id >= model.vocabSize()) {
                    throw new InvalidInputException(
                            "%s: sample %d holds token %d, the model has %,d; were they made with its tokenizer?",
                            config.data(), i, id, model.vocabSize());
                }
            }
            if (MicroBatch.counted(sample, config.objective()) == 0) {
                empty.add(i);
            }
        }
        boolean whole = config.objective().perToken() || config.batch().microBatch() == 1;
        if (!empty.isEmpty() && (whole || empty.size() == data.samples())) {
            throw new InvalidInputException(
                    "%s: %,d samples have no token to train: %s%s",
                    config.data(),
                    empty.size(),
                    empty.subList(0, Math.min(SHOWN, empty.size())),
                    empty.size() > SHOWN ? " …" : "");
        }
    }
}
