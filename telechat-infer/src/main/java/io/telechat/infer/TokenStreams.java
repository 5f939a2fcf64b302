// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer;

import io.telechat.infer.generation.Cancellation;
import io.telechat.infer.generation.Generation;
import io.telechat.infer.generation.TokenEvent;
import io.telechat.infer.generation.TokenListener;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.Flow;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.SubmissionPublisher;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/** A generation that tells a listener, turned into one that is pulled, or subscribed to. */
final class TokenStreams {
    private static final Executor VIRTUAL = task -> Thread.ofVirtual().start(task);

    private TokenStreams() {}

    /** Generates and tells a listener, until all is done. */
    @FunctionalInterface
    interface Source {
        Generation run(TokenListener listener, Cancellation cancellation);
    }

    /** Begins when the first token is asked for; to close the stream cancels, and waits for the end of that. */
    static Stream<TokenEvent> stream(Source source) {
        Pulled tokens = new Pulled(source);
        return StreamSupport.stream(
                        Spliterators.spliteratorUnknownSize(tokens, Spliterator.ORDERED | Spliterator.NONNULL), false)
                .onClose(tokens::close);
    }

    /** Begins when somebody subscribes, who must be the only one. */
    static Flow.Publisher<TokenEvent> publisher(Source source) {
        AtomicBoolean taken = new AtomicBoolean();
        return subscriber -> {
            if (taken.getAndSet(true)) {
                SubmissionPublisher<TokenEvent> none = new SubmissionPublisher<>(VIRTUAL, 1);
                none.subscribe(subscriber);
                none.closeExceptionally(new IllegalStateException("an answer has one subscriber"));
                return;
            }
            SubmissionPublisher<TokenEvent> publisher = new SubmissionPublisher<>(VIRTUAL, Flow.defaultBufferSize());
            publisher.subscribe(subscriber);
            VIRTUAL.execute(() -> publish(source, publisher));
        };
    }

    private static void publish(Source source, SubmissionPublisher<TokenEvent> publisher) {
        Cancellation cancellation = new Cancellation();
        try {
            source.run(
                    event -> {
                        if (publisher.hasSubscribers()) {
                            publisher.submit(event); // waits while the subscriber is behind
                        } else {
                            cancellation.cancel();
                        }
                    },
                    cancellation);
            publisher.close();
        } catch (RuntimeException | Error e) {
            publisher.closeExceptionally(e);
        }
    }

    /** Tokens in the order in which they came. The generation never runs ahead: it has come as far as its reader. */
    private static final class Pulled implements Iterator<TokenEvent> {
        private final Source source;
        private final Cancellation cancellation = new Cancellation();
        private final BlockingQueue<Step> steps = new LinkedBlockingQueue<>();
        private final Semaphore wanted = new Semaphore(0);
        private Thread generating;
        private Step next;

        private sealed interface Step {}

        private record Token(TokenEvent event) implements Step {}

        /** @param failure null if all went well */
        private record End(Throwable failure) implements Step {}

        Pulled(Source source) {
            this.source = source;
        }

        private void generate() {
            try {
                source.run(
                        event -> {
                            steps.add(new Token(event));
                            wanted.acquireUninterruptibly(); // until the next is asked for
                        },
                        cancellation);
                steps.add(new End(null));
            } catch (RuntimeException | Error e) {
                steps.add(new End(e));
            }
        }

        @Override
        public boolean hasNext() {
            if (generating == null) {
                generating = Thread.ofVirtual().name("telechat-stream").start(this::generate);
            } else if (next == null) {
                wanted.release();
            }
            if (next == null) {
                next = take();
            }
            return switch (next) {
                case Token token -> true;
                case End(RuntimeException e) -> throw e;
                case End(Error e) -> throw e;
                case End end -> false;
            };
        }

        private Step take() {
            try {
                return steps.take();
            } catch (InterruptedException e) {
                close();
                Thread.currentThread().interrupt();
                return new End(null);
            }
        }

        @Override
        public TokenEvent next() {
            if (hasNext() && next instanceof Token(TokenEvent event)) {
                next = null;
                return event;
            }
            throw new NoSuchElementException();
        }

        void close() {
            cancellation.cancel();
            wanted.release();
            boolean interrupted = false;
            while (generating != null && generating.isAlive()) {
                try {
                    generating.join();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
