// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.engine;

import io.telechat.core.architecture.RopeRule;
import io.telechat.core.ops.BlockPool;
import io.telechat.core.ops.KvCache;
import io.telechat.core.ops.RopeScaling;
import io.telechat.infer.generation.Generation;
import io.telechat.infer.grammar.TokenConstraint;
import io.telechat.infer.sampling.Sampler;
import io.telechat.infer.sampling.TokenHistory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * A prompt and what has been generated behind it. The tokens whose keys and values are not cached are still to be computed: the
 * whole prompt at first, one token between two steps, everything again once its blocks were taken away. How a position is rotated
 * is a function of the position alone, so that computing it again gives the same bits.
 */
final class Sequence {
    private static final int LEAST_DRAFTS = 2;

    private final Request request;
    private final EngineListener listener;
    private final int index;
    private final RopeRule rope;
    private final KvCache cache;
    private final Sampler sampler;
    private final Optional<TokenConstraint> constraint;
    private final TokenHistory history;
    private final Answer answer;
    private final int longest;
    private final List<Generation.TokenLogprob> promptLogprobs = new ArrayList<>();
    private final List<RowScore> scores = new ArrayList<>();
    private int[] tokens;
    private int length;
    private volatile boolean cancelled;

    private final PrefixCache.Scope scope;
    private final SharedBlocks shared = new SharedBlocks(this);
    private final AwaitedPrefix awaited = new AwaitedPrefix(this);
    private final Clock clock = new Clock();
    private int cachedTokens;
    private int drafts;
    private int draftsWorthwhile = Integer.MAX_VALUE;
    private int draftedTokens;
    private int acceptedTokens;

    /** When what happened, in nanoseconds; 0 for not yet. */
    static final class Clock {
        private final long submitted = System.nanoTime();
        private long admitted;
        private long firstToken;

        Generation.Timings timings() {
            long now = System.nanoTime();
            long begun = admitted == 0 ? now : admitted;
            long first = firstToken == 0 ? now : firstToken;
            return new Generation.Timings((begun - submitted) / 1e9, (first - begun) / 1e9, (now - first) / 1e9);
        }
    }

    /**
     * @param index its place among those that were submitted together
     * @param longest tokens of the answer at most
     */
    Sequence(
            Request request,
            EngineListener listener,
            int index,
            RopeRule rope,
            BlockPool pool,
            Sampler sampler,
            Optional<TokenConstraint> constraint,
            Answer answer,
            int longest) {
        this.request = request;
        this.listener = listener;
        this.index = index;
        this.rope = rope;
        this.cache = KvCache.in(pool);
        this.sampler = sampler;
        this.constraint = constraint;
        this.answer = answer;
        this.longest = longest;
        this.tokens = Arrays.copyOf(request.prompt(), request.prompt().length + Math.min(longest, 256));
        this.length = request.prompt().length;
        this.scope = new PrefixCache.Scope(request.adapter(), scaling(0), request.salt());
        this.history = new TokenHistory(request.room() > 0 ? request.prompt() : new int[0]);
    }

    Request request() {
        return request;
    }

    EngineListener listener() {
        return listener;
    }

    int index() {
        return index;
    }

    KvCache cache() {
        return cache;
    }

    Sampler sampler() {
        return sampler;
    }

    TokenHistory history() {
        return history;
    }

    /** What keeps the answer to its grammar, if it has one. */
    Optional<TokenConstraint> constraint() {
        return constraint;
    }

    /** Whether its grammar lets nothing follow. */
    boolean isComplete() {
        return constraint.filter(TokenConstraint::isComplete).isPresent();
    }

    Answer answer() {
        return answer;
    }

    List<Generation.TokenLogprob> promptLogprobs() {
        return promptLogprobs;
    }

    /** Of the first of the rows that are to be scored. */
    List<RowScore> scores() {
        return scores;
    }

    /** Prompt and answer; only {@link #length} of them count. */
    int[] tokens() {
        return tokens;
    }

    int length() {
        return length;
    }

    int promptLength() {
        return request.prompt().length;
    }

    /** Tokens of the answer at most. */
    int longest() {
        return longest;
    }

    /** How many positions are cached. */
    int computed() {
        return cache.length();
    }

    /** How many tokens have not been computed. */
    int pending() {
        return length - cache.length();
    }

    /** Whether it has one token to compute, the latest that was generated. */
    boolean isDecoding() {
        return pending() == 1 && length > promptLength();
    }

    /** From which row on logits are wanted, of those that have not been looked at; behind the last one if there are none. */
    int firstWantedRow() {
        return switch (request.goal()) {
            case Goal.Generate _ when request.promptLogprobs() >= 0 && answer.length() == 0 -> promptLogprobs.size();
            case Goal.Generate _ -> length - 1;
            case Goal.Embed _ -> length;
            case Goal.Score goal -> firstScoredRow() + scores.size();
        };
    }

    /** The first row of the prompt that is to be scored; behind the last one if none is. */
    int firstScoredRow() {
        return request.goal() instanceof Goal.Score goal ? length - goal.wanted().length : length;
    }

    /** Its beginning, if another sequence is about to compute that. */
    AwaitedPrefix awaited() {
        return awaited;
    }

    void add(int id) {
        tokens = length == tokens.length ? Arrays.copyOf(tokens, 2 * length) : tokens;
        tokens[length++] = id;
        drafts = 0;
    }

    void cancel() {
        cancelled = true;
    }

    boolean isCancelled() {
        return cancelled;
    }

    /**
     * It runs from now on, perhaps again.
     *
     * @param cached tokens of the prompt that were computed for others
     * @return whether it is for the first time
     */
    boolean admitted(int cached) {
        boolean first = clock.admitted == 0;
        if (first) {
            clock.admitted = System.nanoTime();
            cachedTokens = cached;
        }
        return first;
    }

    void firstToken() {
        clock.firstToken = clock.firstToken == 0 ? System.nanoTime() : clock.firstToken;
    }

    /** Puts guesses behind the tokens, for the next step only. */
    void setDrafts(int... guesses) {
        drafts = guesses.length;
        tokens = length + drafts > tokens.length ? Arrays.copyOf(tokens, 2 * (length + drafts)) : tokens;
        System.arraycopy(guesses, 0, tokens, length, drafts);
    }

    int drafts() {
        return drafts;
    }

    /** How many guesses are worth their price, of so many at most: twice as many as were right the last time, but some. */
    int draftsWorthwhile(int most) {
        return Math.min(most, draftsWorthwhile);
    }

    /** Notes how many tokens were guessed for one step, and how many of them were right. */
    void drafted(int count, int right) {
        draftsWorthwhile = Math.max(LEAST_DRAFTS, 2 * right);
        draftedTokens += count;
        acceptedTokens += right;
    }

    /** What has come of it. */
    Generation generation() {
        return new Generation(
                answer.tokens(),
                answer.text(),
                answer.thinking(),
                answer.logprobs(),
                promptLogprobs,
                answer.finishReason().orElseThrow(),
                usage(),
                clock.timings());
    }

    private Generation.Usage usage() {
        return new Generation.Usage(
                promptLength(),
                answer.length(),
                cachedTokens,
                0,
                draftedTokens,
                acceptedTokens,
                answer.thinkingTokens());
    }

    /** Which of its blocks others may use. */
    SharedBlocks shared() {
        return shared;
    }

    /** The rotation of a position: the prompt is one call to the model, each token behind it another. */
    RopeScaling scaling(int position) {
        int prompt = promptLength();
        return position < prompt ? rope.scaling(prompt, prompt, prompt) : rope.scaling(prompt, 1, position + 1);
    }

    /** How many pending tokens, {@code most} at most, are rotated like the next. */
    int alike(int most) {
        int first = computed();
        RopeScaling scaling = scaling(first);
        int end = first + 1;
        int limit = Math.min(length + drafts, first + most);
        while (end < limit && (end < promptLength() || scaling(end).equals(scaling))) {
            end++;
        }
        return end - first;
    }

    /** What its blocks may be shared under. */
    PrefixCache.Scope scope() {
        return scope;
    }
}
