// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.engine;

import io.telechat.core.tokenizer.IncrementalDecoder;
import io.telechat.core.tokenizer.Tokenizer;
import io.telechat.infer.generation.FinishReason;
import io.telechat.infer.generation.Generation;
import io.telechat.infer.generation.GenerationOptions;
import io.telechat.infer.generation.TokenEvent;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/** What has come of an answer so far: tokens become text, and stop tokens and strings end it. */
final class Answer {
    private final GenerationOptions options;
    private final Optional<IncrementalDecoder> decoder;
    private final Consumer<TokenEvent> listener;
    private final StopStrings stops;
    private final List<Integer> tokens = new ArrayList<>();
    private final List<Generation.TokenLogprob> logprobs = new ArrayList<>();
    private final StringBuilder text = new StringBuilder();
    private Optional<FinishReason> finishReason = Optional.empty();

    Answer(GenerationOptions options, Optional<Tokenizer> tokenizer, Consumer<TokenEvent> listener) {
        this.options = options;
        this.decoder = tokenizer.map(Tokenizer::newDecoder);
        this.listener = listener;
        this.stops = new StopStrings(options.stopStrings());
    }

    int length() {
        return tokens.size();
    }

    String text() {
        return text.toString();
    }

    List<Integer> tokens() {
        return tokens;
    }

    List<Generation.TokenLogprob> logprobs() {
        return logprobs;
    }

    /** Why it has ended; empty while it goes on. */
    Optional<FinishReason> finishReason() {
        return finishReason;
    }

    void end(FinishReason reason) {
        finishReason = finishReason.or(() -> Optional.of(reason));
    }

    /** @param logprob if it was asked for */
    void add(int id, Optional<Generation.TokenLogprob> logprob) {
        tokens.add(id);
        logprob.ifPresent(logprobs::add);
        String more = "";
        if (options.stopIds().contains(id)) {
            end(FinishReason.STOP);
        } else {
            more = stops.add(decoder.map(d -> d.add(id)).orElse(""));
            text.append(more);
            if (stops.hasMatched()) {
                end(FinishReason.STOP);
            }
        }
        listener.accept(new TokenEvent(id, more, logprob, false));
    }

    /** Lets go of what was held back; it goes out with a last event of the last token, if there is any. */
    void finish() {
        String rest = stops.add(decoder.map(IncrementalDecoder::finish).orElse("")) + stops.finish();
        if (!rest.isEmpty()) {
            text.append(rest);
            listener.accept(new TokenEvent(tokens.getLast(), rest, Optional.empty(), true));
        }
    }
}
