// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.engine;

import io.telechat.infer.generation.FinishReason;
import io.telechat.infer.generation.Generation;
import io.telechat.infer.generation.GenerationOptions;
import io.telechat.infer.generation.TokenEvent;
import io.telechat.infer.thinking.BlankTrimmer;
import io.telechat.infer.thinking.Split;
import io.telechat.infer.thinking.ThoughtSplitter;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/** What has come of a request so far: tokens become thoughts and text, and stop tokens and strings end it. */
final class Answer {
    private final ThoughtSplitter splitter;
    private final Consumer<TokenEvent> listener;
    private final StopStrings stops;
    private final Optional<BlankTrimmer> trimmer;
    private final List<Integer> tokens = new ArrayList<>();
    private final List<Generation.TokenLogprob> logprobs = new ArrayList<>();
    private final StringBuilder text = new StringBuilder();
    private final StringBuilder thinking = new StringBuilder();
    private int thinkingTokens;
    private Optional<FinishReason> finishReason = Optional.empty();

    /** @param splitter that its tokens have gone through when they come here */
    Answer(GenerationOptions options, ThoughtSplitter splitter, Consumer<TokenEvent> listener) {
        this.splitter = splitter;
        this.listener = listener;
        this.stops = new StopStrings(options.stopStrings());
        this.trimmer = options.thinking().marks().map(marks -> new BlankTrimmer());
    }

    /** Used by who draws the tokens. */
    ThoughtSplitter splitter() {
        return splitter;
    }

    int length() {
        return tokens.size();
    }

    String text() {
        return text.toString();
    }

    String thinking() {
        return thinking.toString();
    }

    int thinkingTokens() {
        return thinkingTokens;
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

    void add(Draw.Token token) {
        tokens.add(token.id());
        token.logprob().ifPresent(logprobs::add);
        thinkingTokens += token.split().isThought() ? 1 : 0;
        if (token.isStop()) {
            end(FinishReason.STOP);
        }
        String more = trimmed(stops.add(token.split().answer()));
        if (stops.hasMatched()) {
            end(FinishReason.STOP);
        }
        tell(new TokenEvent(token.id(), more, token.split().thoughts(), token.logprob(), false));
    }

    private void tell(TokenEvent event) {
        text.append(event.text());
        thinking.append(event.thinking());
        listener.accept(event);
    }

    private String trimmed(String more) {
        return trimmer.map(t -> t.add(more)).orElse(more);
    }

    /** Lets go of what was held back; it goes out with a last event of the last token, if there is any. */
    void finish() {
        Split rest = splitter.finish();
        String more = trimmed(stops.add(rest.answer()) + stops.finish());
        if (!more.isEmpty() || !rest.thoughts().isEmpty()) {
            tell(new TokenEvent(tokens.getLast(), more, rest.thoughts(), Optional.empty(), true));
        }
    }
}
