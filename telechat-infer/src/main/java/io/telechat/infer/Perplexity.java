// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer;

import io.telechat.core.InvalidRequestException;
import io.telechat.infer.engine.Engine;
import io.telechat.infer.engine.EngineListener;
import io.telechat.infer.engine.Request;
import io.telechat.infer.engine.RowScore;
import io.telechat.infer.generation.Generation;
import io.telechat.infer.generation.TokenEvent;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongConsumer;

/**
 * How well a model predicts a text. Every token but the first is predicted once, from those before it in its {@link Windows window}:
 * the strided perplexity of the documentation of Hugging Face's transformers, where every token weighs the same.
 *
 * @param tokens that were predicted
 * @param bytes of the text in UTF-8
 * @param nats mean of {@code −ln p(token)}
 * @param natsError its standard error, as if tokens were independent of each other; NaN for one token
 */
public record Perplexity(long tokens, long bytes, double nats, double natsError) {
    /**
     * Windows of tokens. Of each, those count that the one before does not have, so that all but the first window's have some to be
     * predicted from.
     *
     * @param length tokens of one, 2 at least
     * @param stride how many tokens behind the one before each begins; fewer than it has
     */
    public record Windows(int length, int stride) {
        /** @throws InvalidRequestException if there can be none such */
        public Windows {
            if (length < 2) {
                throw new InvalidRequestException("a window of %d tokens: it needs 2 at least", length);
            }
            if (stride < 1 || stride >= length) {
                throw new InvalidRequestException(
                        "stride %d: must be from 1 to %d, one less than the window's tokens", stride, length - 1);
            }
        }

        /** Each half as far behind the one before as it is long. */
        public static Windows of(int length) {
            return new Windows(length, Math.max(1, length / 2));
        }
    }

    /** {@code exp} of the mean. */
    public double perplexity() {
        return Math.exp(nats);
    }

    /** The standard error of that, to first order. */
    public double perplexityError() {
        return perplexity() * natsError;
    }

    /** What the text would take if it were compressed with these predictions. */
    public double bitsPerByte() {
        return nats * tokens / Math.log(2) / bytes;
    }

    /**
     * Reads a text.
     *
     * @param text ids, 2 at least
     * @param bytes of the text in UTF-8
     * @param progress hears now and then how many tokens have been predicted
     * @throws InvalidRequestException if the text is too short, or a window longer than the context
     */
    public static Perplexity of(ChatModel model, int[] text, long bytes, Windows windows, LongConsumer progress) {
        if (text.length < 2) {
            throw new InvalidRequestException(
                    "the text has %d tokens; at least 2 are needed, as the first is not predicted", text.length);
        }
        if (windows.length() > model.contextLength()) {
            throw new InvalidRequestException(
                    "a window of %,d tokens is beyond the context of %,d", windows.length(), model.contextLength());
        }
        return of(new Reading(model.engine(), text, windows).nats(progress), bytes);
    }

    private static Perplexity of(double[] nats, long bytes) {
        double mean = Arrays.stream(nats).average().orElseThrow();
        double squares = Arrays.stream(nats).map(x -> (x - mean) * (x - mean)).sum();
        double error = Math.sqrt(squares / (nats.length - 1) / nats.length);
        return new Perplexity(nats.length, bytes, mean, error);
    }

    /** Some windows are with the engine at any time: it computes those together that fit into a step. */
    private static final class Reading {
        private final Engine engine;
        private final int[] text;
        private final Windows windows;
        /** Of token i + 1. */
        private final double[] nats;

        private final AtomicLong done = new AtomicLong();
        private final AtomicReference<RuntimeException> failure = new AtomicReference<>();

        Reading(Engine engine, int[] text, Windows windows) {
            this.engine = engine;
            this.text = text;
            this.windows = windows;
            this.nats = new double[text.length - 1];
        }

        double[] nats(LongConsumer progress) {
            int most = engine.options().maxBatch();
            Semaphore free = new Semaphore(most);
            int end = 1;
            for (int begin = 0; end < text.length && failure.get() == null; begin += windows.stride()) {
                free.acquireUninterruptibly();
                progress.accept(done.get());
                int first = end; // token to be predicted
                end = Math.min(text.length, begin + windows.length());
                engine.submit(List.of(request(begin, first, end)), new Listener(first, free));
            }
            free.acquireUninterruptibly(most);
            progress.accept(done.get());
            if (failure.get() != null) {
                throw failure.get();
            }
            return nats;
        }

        /** @param first of the tokens that are to be predicted */
        private Request request(int begin, int first, int end) {
            int[][] wanted = new int[end - first][];
            for (int i = 0; i < wanted.length; i++) {
                wanted[i] = new int[] {text[first + i]};
            }
            return Request.scoring(Arrays.copyOfRange(text, begin, end - 1), wanted);
        }

        /** Of one window. */
        private final class Listener implements EngineListener {
            private final int first;
            private final Semaphore free;
            private boolean scored;

            Listener(int first, Semaphore free) {
                this.first = first;
                this.free = free;
            }

            @Override
            public void token(int index, TokenEvent event) {
                // There are none.
            }

            @Override
            public void scored(int index, List<RowScore> rows) {
                for (int i = 0; i < rows.size(); i++) {
                    nats[first - 1 + i] = -rows.get(i).logprobs()[0];
                }
                done.addAndGet(rows.size());
                scored = true;
            }

            @Override
            public void finished(int index, Generation generation) {
                if (!scored) {
                    failure.compareAndSet(null, new IllegalStateException("the model is closed"));
                }
                free.release();
            }

            @Override
            public void failed(int index, RuntimeException e) {
                failure.compareAndSet(null, e);
                free.release();
            }
        }
    }
}
