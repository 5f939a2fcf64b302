// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import io.telechat.core.checkpoint.JsonFiles;
import io.telechat.infer.ChatModel;
import io.telechat.infer.GenerationOverrides;
import io.telechat.infer.generation.GenerationOptions;
import io.telechat.infer.grammar.JsonSchema;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import picocli.CommandLine.Option;

/** How answers are generated; what is not given is the checkpoint's own choice (generation_config.json). */
final class GenerationFlags {
    @Option(names = "--greedy", description = "always the likeliest token, no penalties unless given")
    private boolean greedy;

    @Option(
            names = {"--sample", "--do-sample"},
            arity = "0..1",
            fallbackValue = "true",
            paramLabel = "true|false",
            description = "draw tokens at random (implied by temperature, top-k, top-p, min-p)")
    private Optional<Boolean> sample = Optional.empty();

    @Option(names = "--temperature", paramLabel = "T", description = "below 1 the likely become likelier; 0 is greedy")
    private Optional<Float> temperature = Optional.empty();

    @Option(names = "--top-k", paramLabel = "K", description = "only the K likeliest tokens; 0 for all")
    private Optional<Integer> topK = Optional.empty();

    @Option(names = "--top-p", paramLabel = "P", description = "only the likeliest tokens that together reach P")
    private Optional<Float> topP = Optional.empty();

    @Option(
            names = "--min-p",
            paramLabel = "P",
            description = "only tokens at least P times as probable as the likeliest")
    private Optional<Float> minP = Optional.empty();

    @Option(
            names = "--repetition-penalty",
            paramLabel = "X",
            description = "above 1 makes what occurred before less likely")
    private Optional<Float> repetitionPenalty = Optional.empty();

    @Option(
            names = "--presence-penalty",
            paramLabel = "X",
            description = "taken from the logits of what is in the answer")
    private Optional<Float> presencePenalty = Optional.empty();

    @Option(
            names = "--frequency-penalty",
            paramLabel = "X",
            description = "taken from them for each time that it is there")
    private Optional<Float> frequencyPenalty = Optional.empty();

    @Option(names = "--seed", paramLabel = "N", description = "of the random draw: the same seed gives the same answer")
    private Optional<Long> seed = Optional.empty();

    @Option(names = "--max-new-tokens", paramLabel = "N", description = "length of an answer at most")
    private Optional<Integer> maxNewTokens = Optional.empty();

    @Option(names = "--stop", paramLabel = "TEXT", description = "text that ends the answer; may be given again")
    private List<String> stopStrings = new ArrayList<>();

    @Option(names = "--stop-token", paramLabel = "ID", description = "token that ends the answer; may be given again")
    private List<Integer> stopTokens = new ArrayList<>();

    @Option(names = "--ignore-eos", description = "go on behind the end-of-sequence token")
    private boolean ignoreEos;

    @Option(
            names = "--logprobs",
            paramLabel = "N",
            description = "with --json: log-probability of each token and of the N likeliest ones")
    private int logprobs = GenerationOptions.NO_LOGPROBS;

    @Option(
            names = "--json-schema",
            paramLabel = "FILE",
            description = "let the answer be nothing but JSON that keeps to the schema in this file")
    private Optional<Path> jsonSchema = Optional.empty();

    /** @throws io.telechat.core.TelechatException if the checkpoint's defaults, or what is asked for, are impossible */
    GenerationOptions over(ChatModel model) {
        GenerationOptions defaults = model.defaults(new GenerationOverrides(
                greedy, sample, temperature, topK, topP, minP, repetitionPenalty, presencePenalty, frequencyPenalty));
        GenerationOptions ending = defaults.withStops(
                ignoreEos ? Set.of() : defaults.stopIds(), model.hasTokenizer() ? defaults.stopStrings() : List.of());
        GenerationOptions options = ending.alsoEndingWith(stopTokens, stopStrings)
                .withSeed(seed.orElseGet(() -> ThreadLocalRandom.current().nextLong(1L << 53)))
                .withLogprobs(logprobs);
        if (jsonSchema.isPresent()) {
            options = options.withGrammar(JsonSchema.compile(JsonFiles.readObject(jsonSchema.get())));
        }
        return maxNewTokens.isPresent() ? options.withMaxNewTokens(maxNewTokens.get()) : options;
    }
}
