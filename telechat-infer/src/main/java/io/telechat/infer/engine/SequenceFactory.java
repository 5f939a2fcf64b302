// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.engine;

import io.telechat.core.InvalidRequestException;
import io.telechat.core.Message;
import io.telechat.core.architecture.ModelConfig;
import io.telechat.core.ops.BlockPool;
import io.telechat.core.tokenizer.Tokenizer;
import io.telechat.infer.generation.ContextOverflowException;
import io.telechat.infer.generation.GenerationOptions;
import io.telechat.infer.grammar.GrammarTokens;
import io.telechat.infer.grammar.TokenConstraint;
import io.telechat.infer.sampling.LogitBias;
import io.telechat.infer.sampling.LogitsProcessor;
import io.telechat.infer.sampling.MinTokens;
import io.telechat.infer.sampling.Sampler;
import io.telechat.infer.sampling.VocabularyMask;
import io.telechat.infer.thinking.ThoughtSplitter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;

/** Makes sequences of requests, if these can be fulfilled. */
final class SequenceFactory {
    private final ModelConfig config;
    private final Optional<Tokenizer> tokenizer;
    private final Set<Integer> shown;
    private final int contextLength;
    private final VocabularyMask vocabulary;
    private final Optional<GrammarTokens> grammarTokens;

    SequenceFactory(ModelConfig config, Optional<Tokenizer> tokenizer, Set<Integer> shown, int contextLength) {
        this.config = config;
        this.tokenizer = tokenizer;
        this.shown = Set.copyOf(shown);
        this.contextLength = contextLength;
        this.vocabulary = vocabulary(config, tokenizer);
        this.grammarTokens = tokenizer.map(GrammarTokens::new);
    }

    /** Ids that may be drawn: those that both model and tokenizer have. */
    private static VocabularyMask vocabulary(ModelConfig config, Optional<Tokenizer> tokenizer) {
        int size = Math.min(config.vocabSize(), tokenizer.map(Tokenizer::size).orElse(Integer.MAX_VALUE));
        int[] gaps = IntStream.range(0, size)
                .filter(id -> tokenizer.isPresent() && !tokenizer.get().has(id))
                .toArray();
        return new VocabularyMask(size, gaps);
    }

    /** The sequences of one submission. */
    List<Sequence> sequences(List<Request> requests, EngineListener listener, BlockPool pool) {
        requests.forEach(this::check);
        List<Sequence> sequences = new ArrayList<>();
        for (int i = 0; i < requests.size(); i++) {
            sequences.add(sequence(requests.get(i), listener, i, pool));
        }
        return sequences;
    }

    private void check(Request request) {
        GenerationOptions asked = request.options();
        if (!asked.stopStrings().isEmpty() && tokenizer.isEmpty()) {
            throw new InvalidRequestException("stop strings need a tokenizer; give stop tokens instead");
        }
        if (asked.grammar().isPresent() && tokenizer.isEmpty()) {
            throw new InvalidRequestException("an answer of a given form needs a tokenizer");
        }
        if (asked.thinking().marks().isPresent() && tokenizer.isEmpty()) {
            throw new InvalidRequestException("thoughts are told from an answer by a tokenizer, and there is none");
        }
        checkIds(request.prompt());
        if (request.goal() instanceof Goal.Score score) {
            Arrays.stream(score.wanted()).forEach(this::checkKnown);
        }
        if (request.prompt().length + request.room() > contextLength) {
            throw new ContextOverflowException(request.prompt().length, contextLength, Message.of(""));
        }
    }

    void checkIds(int... ids) {
        if (ids.length == 0) {
            throw new InvalidRequestException("the prompt is empty: there is nothing to continue");
        }
        checkKnown(ids);
    }

    private void checkKnown(int... ids) {
        for (int id : ids) {
            if (id < 0 || id >= config.vocabSize()) {
                throw new InvalidRequestException(
                        "token id %d is not in the model's vocabulary of %,d", id, config.vocabSize());
            }
        }
    }

    private Sequence sequence(Request request, EngineListener listener, int index, BlockPool pool) {
        GenerationOptions asked = request.options();
        int room = request.room() * (contextLength - request.prompt().length);
        ThoughtSplitter splitter = asked.thinking()
                .marks()
                .map(marks -> ThoughtSplitter.of(marks, asked.thinking().maxTokens(), tokenizer.get(), shown))
                .orElseGet(() -> ThoughtSplitter.none(tokenizer, shown));
        Optional<TokenConstraint> constraint =
                asked.grammar().map(grammar -> grammarTokens.get().constraint(grammar, asked.stopIds()));
        return new Sequence(
                request,
                listener,
                index,
                config.rope(),
                pool,
                Sampler.of(asked.sampling(), vocabulary, asked.seed(), processors(asked, splitter, constraint)),
                constraint,
                new Answer(asked, splitter, event -> listener.token(index, event)),
                Math.min(room, asked.maxNewTokens().orElse(Integer.MAX_VALUE)));
    }

    /** Rules of the request, besides its sampling. */
    private static List<LogitsProcessor> processors(
            GenerationOptions asked, ThoughtSplitter splitter, Optional<TokenConstraint> constraint) {
        List<LogitsProcessor> processors = new ArrayList<>();
        if (!asked.logitBias().isEmpty()) {
            processors.add(new LogitBias(asked.logitBias()));
        }
        if (asked.minNewTokens() > 0) {
            processors.add(new MinTokens(asked.minNewTokens(), asked.stopIds()));
        }
        constraint.ifPresent(form -> processors.add(new FormBehindThoughts(splitter, form, asked.stopIds())));
        return processors;
    }
}
