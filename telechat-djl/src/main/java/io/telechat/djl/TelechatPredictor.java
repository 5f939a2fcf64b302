// SPDX-License-Identifier: Apache-2.0
package io.telechat.djl;

import ai.djl.Device;
import ai.djl.inference.Predictor;
import ai.djl.translate.TranslateException;
import ai.djl.translate.Translator;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Has the inputs of a batch computed side by side: the engine below batches by itself. */
final class TelechatPredictor<I, O> extends Predictor<I, O> {
    private final Device device;

    TelechatPredictor(TelechatModel model, Translator<I, O> translator, Device device) {
        super(model, translator, device, false);
        this.device = device;
    }

    @Override
    public List<O> batchPredict(List<I> inputs) throws TranslateException {
        if (inputs.size() < 2 || translator.getBatchifier() != null) {
            return super.batchPredict(inputs);
        }
        List<O> outputs = new ArrayList<>();
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<O>> all = new ArrayList<>();
            inputs.forEach(input -> all.add(threads.submit(() -> alone(input))));
            for (Future<O> one : all) {
                outputs.add(one.get());
            }
        } catch (ExecutionException e) {
            throw e.getCause() instanceof TranslateException known ? known : new TranslateException(e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new TranslateException(e);
        }
        return outputs;
    }

    private O alone(I input) throws TranslateException {
        try (TelechatPredictor<I, O> predictor = new TelechatPredictor<>((TelechatModel) model, translator, device)) {
            if (metrics != null) {
                predictor.setMetrics(metrics);
            }
            return predictor.predict(input);
        }
    }
}
