// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer;

import io.telechat.core.InvalidRequestException;
import io.telechat.core.Message;
import io.telechat.core.model.CausalLm;
import io.telechat.core.tokenizer.IncrementalDecoder;
import io.telechat.core.tokenizer.Tokenizer;
import io.telechat.infer.sampling.Sampler;
import io.telechat.infer.sampling.TokenHistory;
import io.telechat.infer.sampling.VocabularyMask;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/** The loop: feed, sample, stream, stop. One generation at a time. */
final class Generator implements AutoCloseable {
    private final CausalLm model;
    private final Optional<Tokenizer> tokenizer;
    private final ModelRunner runner;
    private final int contextLength;
    private final VocabularyMask vocabulary;

    Generator(CausalLm model, Optional<Tokenizer> tokenizer, int contextLength) {
        this.model = model;
        this.tokenizer = tokenizer;
        this.runner = new ModelRunner(model);
        this.contextLength = contextLength;
        this.vocabulary = vocabulary(model, tokenizer);
    }

    /** The runner, for those who want logits rather than text. */
    ModelRunner runner() {
        return runner;
    }

    /**
     * Generates an answer.
     *
     * @param prompt at least one id
     * @param sequence whatever it holds in common with the prompt is not computed again; holds prompt and answer afterwards
     * @param options with {@code maxNewTokens} resolved; empty means up to the end of the context
     * @throws ContextOverflowException if the prompt leaves no room
     */
    Generation generate(
            int[] prompt,
            Sequence sequence,
            GenerationOptions options,
            TokenListener listener,
            Cancellation cancellation) {
        check(prompt, options);
        int room =
                Math.min(contextLength - prompt.length, options.maxNewTokens().orElse(Integer.MAX_VALUE));
        Answer answer = new Answer(options, listener);
        Sampler sampler = Sampler.of(options.sampling(), vocabulary, options.seed());
        TokenHistory history = new TokenHistory(prompt);

        long start = System.nanoTime();
        int cached = sequence.reuse(prompt);
        int[] next = Arrays.copyOfRange(prompt, cached, prompt.length);
        long firstLogits = 0;
        while (answer.finishReason.isEmpty()) {
            sequence.append(next);
            float[] logits = runner.feed(next, sequence.cache(), cancellation);
            firstLogits = firstLogits == 0 ? System.nanoTime() : firstLogits;
            if (cancellation.isCancelled() || logits.length == 0) {
                answer.finishReason = Optional.of(FinishReason.CANCELLED);
                break;
            }
            float[] raw = options.logprobs() >= 0 ? logits.clone() : logits;
            int id = sampler.sample(logits, history);
            history.add(id);
            answer.add(id, raw);
            if (answer.finishReason.isEmpty() && answer.tokens.size() >= room) {
                answer.finishReason = Optional.of(FinishReason.LENGTH);
            }
            next = new int[] {id};
        }
        answer.finish();
        long end = System.nanoTime();
        return new Generation(
                answer.tokens,
                answer.text.toString(),
                answer.logprobs,
                answer.finishReason.get(),
                new Generation.Usage(prompt.length, answer.tokens.size(), cached, 0),
                new Generation.Timings((firstLogits - start) / 1e9, (end - firstLogits) / 1e9));
    }

    private void check(int[] prompt, GenerationOptions options) {
        if (!options.stopStrings().isEmpty() && tokenizer.isEmpty()) {
            throw new InvalidRequestException("stop strings need a tokenizer; give stop tokens instead");
        }
        checkIds(prompt);
        if (prompt.length >= contextLength) {
            throw new ContextOverflowException(prompt.length, contextLength, Message.of(""));
        }
    }

    /** @throws InvalidRequestException unless a model can be fed with them */
    void checkIds(int... ids) {
        if (ids.length == 0) {
            throw new InvalidRequestException("the prompt is empty: there is nothing to continue");
        }
        for (int id : ids) {
            if (id < 0 || id >= model.config().vocabSize()) {
                throw new InvalidRequestException(
                        "token id %d is not in the model's vocabulary of %,d",
                        id, model.config().vocabSize());
            }
        }
    }

    /** Ids that may be drawn: those that both model and tokenizer have. */
    private static VocabularyMask vocabulary(CausalLm model, Optional<Tokenizer> tokenizer) {
        int size = Math.min(
                model.config().vocabSize(), tokenizer.map(Tokenizer::size).orElse(Integer.MAX_VALUE));
        int[] gaps = IntStream.range(0, size)
                .filter(id -> tokenizer.isPresent() && !tokenizer.get().has(id))
                .toArray();
        return new VocabularyMask(size, gaps);
    }

    @Override
    public void close() {
        runner.close();
    }

    /** What has come of an answer so far. */
    private final class Answer {
        private final GenerationOptions options;
        private final TokenListener listener;
        private final Optional<IncrementalDecoder> decoder = tokenizer.map(Tokenizer::newDecoder);
        private final StopStrings stops;
        private final List<Integer> tokens = new ArrayList<>();
        private final List<Generation.TokenLogprob> logprobs = new ArrayList<>();
        private final StringBuilder text = new StringBuilder();
        private Optional<FinishReason> finishReason = Optional.empty();

        private Answer(GenerationOptions options, TokenListener listener) {
            this.options = options;
            this.listener = listener;
            this.stops = new StopStrings(options.stopStrings());
        }

        private void add(int id, float[] rawLogits) {
            tokens.add(id);
            Optional<Generation.TokenLogprob> logprob = options.logprobs() < 0
                    ? Optional.empty()
                    : Optional.of(Logprobs.of(rawLogits, id, options.logprobs()));
            logprob.ifPresent(logprobs::add);
            String more = "";
            if (options.stopIds().contains(id)) {
                finishReason = Optional.of(FinishReason.STOP);
            } else {
                more = stops.add(decoder.map(d -> d.add(id)).orElse(""));
                text.append(more);
                if (stops.hasMatched()) {
                    finishReason = Optional.of(FinishReason.STOP);
                }
            }
            listener.onToken(new TokenEvent(id, more, logprob));
        }

        /** Lets go of what was held back; it goes out with a last event of the last token, if there is any. */
        private void finish() {
            String rest = stops.add(decoder.map(IncrementalDecoder::finish).orElse("")) + stops.finish();
            if (!rest.isEmpty()) {
                text.append(rest);
                listener.onToken(new TokenEvent(tokens.getLast(), rest, Optional.empty()));
            }
        }
    }
}
