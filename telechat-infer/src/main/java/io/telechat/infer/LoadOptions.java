// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer;

import io.telechat.core.InvalidRequestException;
import io.telechat.core.tensor.DType;
import io.telechat.core.weights.LoadProgress;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * How a model is loaded.
 *
 * @param backend name of the backend; empty for the best one that is usable
 * @param threads number of threads
 * @param quantization Q8_0 or Q4_0, to round matrices to as they are loaded; empty to take them as they are stored
 * @param activations BF16 to let what BF16 weights are multiplied with be rounded to BF16 where that is faster; F32 to never
 * @param cacheType element type of the key/value cache: F32, F16 or BF16
 * @param contextLength tokens of prompt and answer at most; empty for the checkpoint's own
 * @param tokenizer directory of the tokenizer, if it is not the checkpoint's
 * @param adapter directory of a LoRA adapter in PEFT's format
 * @param trace whether to measure every formula; see {@link ChatModel#trace}
 * @param progress hears how far loading has come
 */
public record LoadOptions(
        Optional<String> backend,
        int threads,
        Optional<DType> quantization,
        DType activations,
        DType cacheType,
        OptionalInt contextLength,
        Optional<Path> tokenizer,
        Optional<Path> adapter,
        boolean trace,
        LoadProgress progress) {
    public LoadOptions {
        if (activations != DType.F32 && activations != DType.BF16) {
            throw new InvalidRequestException("activations are %s, must be F32 or BF16".formatted(activations));
        }
        if (threads < 1 || threads > 1024) {
            throw new InvalidRequestException("threads is %d, must be from 1 to 1024".formatted(threads));
        }
        if (contextLength.isPresent() && contextLength.getAsInt() < 1) {
            throw new InvalidRequestException(
                    "context length is %d, must be at least 1".formatted(contextLength.getAsInt()));
        }
    }

    /** The best backend, all processors, BF16 activations, F32 cache. */
    public static LoadOptions defaults() {
        return new LoadOptions(
                Optional.empty(),
                Runtime.getRuntime().availableProcessors(),
                Optional.empty(),
                DType.BF16,
                DType.F32,
                OptionalInt.empty(),
                Optional.empty(),
                Optional.empty(),
                false,
                LoadProgress.SILENT);
    }

    public LoadOptions withBackend(String backend) {
        return new LoadOptions(
                Optional.of(backend),
                threads,
                quantization,
                activations,
                cacheType,
                contextLength,
                tokenizer,
                adapter,
                trace,
                progress);
    }

    public LoadOptions withThreads(int threads) {
        return new LoadOptions(
                backend,
                threads,
                quantization,
                activations,
                cacheType,
                contextLength,
                tokenizer,
                adapter,
                trace,
                progress);
    }

    public LoadOptions withQuantization(DType type) {
        return new LoadOptions(
                backend,
                threads,
                Optional.of(type),
                activations,
                cacheType,
                contextLength,
                tokenizer,
                adapter,
                trace,
                progress);
    }

    public LoadOptions withActivations(DType activations) {
        return new LoadOptions(
                backend,
                threads,
                quantization,
                activations,
                cacheType,
                contextLength,
                tokenizer,
                adapter,
                trace,
                progress);
    }

    public LoadOptions withCacheType(DType cacheType) {
        return new LoadOptions(
                backend,
                threads,
                quantization,
                activations,
                cacheType,
                contextLength,
                tokenizer,
                adapter,
                trace,
                progress);
    }

    public LoadOptions withContextLength(int contextLength) {
        return new LoadOptions(
                backend,
                threads,
                quantization,
                activations,
                cacheType,
                OptionalInt.of(contextLength),
                tokenizer,
                adapter,
                trace,
                progress);
    }

    public LoadOptions withTokenizer(Path tokenizer) {
        return new LoadOptions(
                backend,
                threads,
                quantization,
                activations,
                cacheType,
                contextLength,
                Optional.of(tokenizer),
                adapter,
                trace,
                progress);
    }

    public LoadOptions withAdapter(Path adapter) {
        return new LoadOptions(
                backend,
                threads,
                quantization,
                activations,
                cacheType,
                contextLength,
                tokenizer,
                Optional.of(adapter),
                trace,
                progress);
    }

    public LoadOptions withProgress(LoadProgress progress) {
        return new LoadOptions(
                backend,
                threads,
                quantization,
                activations,
                cacheType,
                contextLength,
                tokenizer,
                adapter,
                trace,
                progress);
    }
}
