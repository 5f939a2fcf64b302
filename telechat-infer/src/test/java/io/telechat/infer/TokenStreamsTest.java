// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.telechat.core.InvalidRequestException;
import io.telechat.core.testing.TinyModels;
import io.telechat.infer.generation.GenerationOptions;
import io.telechat.infer.generation.TokenEvent;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Flow;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is pulled or subscribed to is what a listener hears. */
class TokenStreamsTest {
    private static final int LENGTH = 60;

    @TempDir
    static Path directory;

    private static ChatModel model;

    @BeforeAll
    static void load() throws IOException {
        model = ChatModel.load(TinyModels.make(directory, "12b", TinyModels.CONFIG_12B, 2));
    }

    @AfterAll
    static void close() {
        model.close();
    }

    private static ChatSession session(int tokens) {
        return model.newSession()
                .setOptions(GenerationOptions.greedy().withMaxNewTokens(tokens).withStops(Set.of(), List.of()));
    }

    private static String whole(int tokens) {
        try (ChatSession session = session(tokens)) {
            return session.send("hello").text();
        }
    }

    private static String text(Stream<TokenEvent> tokens) {
        return tokens.map(TokenEvent::text).collect(Collectors.joining());
    }

    /** Hears all, asks for one token after the other. */
    private static class Subscriber implements Flow.Subscriber<TokenEvent> {
        private final List<TokenEvent> heard = Collections.synchronizedList(new ArrayList<>());
        private final CompletableFuture<List<TokenEvent>> all = new CompletableFuture<>();
        private final BiConsumer<Integer, Flow.Subscription> next;
        private Flow.Subscription subscription;

        Subscriber(BiConsumer<Integer, Flow.Subscription> next) {
            this.next = next;
        }

        @Override
        public void onSubscribe(Flow.Subscription given) {
            subscription = given;
            subscription.request(1);
        }

        @Override
        public void onNext(TokenEvent event) {
            heard.add(event);
            next.accept(heard.size(), subscription);
        }

        @Override
        public void onError(Throwable failure) {
            all.completeExceptionally(failure);
        }

        @Override
        public void onComplete() {
            all.complete(heard);
        }
    }

    @Test
    void aStreamIsTheAnswer() {
        try (ChatSession session = session(LENGTH)) {
            assertEquals(whole(LENGTH), text(session.stream("hello")));
            assertEquals(2, session.messages().size());
        }
    }

    @Test
    void nothingBeginsBeforeItIsAskedFor() {
        try (ChatSession session = session(LENGTH)) {
            session.stream("hello").close();
            assertTrue(session.messages().isEmpty());
        }
    }

    @Test
    void toCloseAStreamCancelsAndTheSessionGoesOn() {
        try (ChatSession session = session(2000)) {
            Iterator<TokenEvent> tokens;
            try (Stream<TokenEvent> stream = session.stream("hello")) {
                tokens = stream.iterator();
                tokens.next();
            }
            assertEquals(2, session.messages().size(), "the part of the answer that came is in the conversation");
            session.setOptions(session.options().withMaxNewTokens(3));
            assertEquals(
                    3, session.stream("and?").filter(event -> !event.isRest()).count());
        }
    }

    @Test
    void theConversationHasWhatWasRead() {
        for (int count = 1; count < 30; count++) {
            try (ChatSession session = session(2000)) {
                String read;
                try (Stream<TokenEvent> stream = session.stream("hello")) {
                    read = text(stream.limit(count));
                }
                assertEquals(read, session.messages().getLast().content());
            }
        }
    }

    @Test
    void failuresComeWhereTokensAreTaken() {
        try (ChatSession session = session(5)) {
            Stream<TokenEvent> stream = session.stream("");
            assertThrows(InvalidRequestException.class, stream::count);
            assertThrows(
                    InvalidRequestException.class,
                    () -> model.stream(new int[0], session.options()).toList());
        }
    }

    @Test
    void aSubscriberHearsTheAnswer() throws Exception {
        try (ChatSession session = session(LENGTH)) {
            Subscriber subscriber = new Subscriber((count, subscription) -> subscription.request(1));
            session.publisher("hello").subscribe(subscriber);
            assertEquals(whole(LENGTH), text(subscriber.all.get(30, TimeUnit.SECONDS).stream()));
        }
    }

    @Test
    void toCancelASubscriptionCancelsTheAnswer() throws Exception {
        try (ChatSession session = session(3000)) {
            CountDownLatch cancelled = new CountDownLatch(1);
            Subscriber subscriber = new Subscriber((count, subscription) -> {
                if (count == 3) {
                    subscription.cancel();
                    cancelled.countDown();
                } else {
                    subscription.request(1);
                }
            });
            session.publisher("hello").subscribe(subscriber);
            assertTrue(cancelled.await(30, TimeUnit.SECONDS));
            long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
            while (model.engine().stats().running() > 0 && System.nanoTime() < deadline) {
                Thread.sleep(5);
            }
            assertEquals(0, model.engine().stats().running(), "the engine still computes it");
            assertEquals(3, subscriber.heard.size());
        }
    }

    @Test
    void aSecondSubscriberIsRefusedAndAFailureTold() throws Exception {
        try (ChatSession session = session(5)) {
            Flow.Publisher<TokenEvent> publisher = session.publisher("hello");
            Subscriber first = new Subscriber((count, subscription) -> subscription.request(1));
            Subscriber second = new Subscriber((count, subscription) -> subscription.request(1));
            publisher.subscribe(first);
            publisher.subscribe(second);
            first.all.get(30, TimeUnit.SECONDS);
            ExecutionException refused =
                    assertThrows(ExecutionException.class, () -> second.all.get(30, TimeUnit.SECONDS));
            assertInstanceOf(IllegalStateException.class, refused.getCause());

            Subscriber third = new Subscriber((count, subscription) -> subscription.request(1));
            session.publisher("").subscribe(third);
            ExecutionException failed =
                    assertThrows(ExecutionException.class, () -> third.all.get(30, TimeUnit.SECONDS));
            assertInstanceOf(InvalidRequestException.class, failed.getCause());
        }
    }

    @Test
    void embeddingsHaveLengthOneAndCountsAreThoseOfPrompts() {
        List<float[]> embeddings = model.embed(List.of("a cat", "a dog", "a cat"));
        for (float[] vector : embeddings) {
            double square = 0;
            for (float x : vector) {
                square += x * x;
            }
            assertEquals(1, square, 1e-5);
        }
        assertArrayEquals(embeddings.get(0), embeddings.get(2));
        try (ChatSession session = session(1)) {
            assertEquals(
                    session.send("hello").usage().promptTokens(),
                    model.countTokens(session.messages().subList(0, 1)));
        }
        assertEquals(model.tokenizer().encode("a cat").length, model.countTokens("a cat"));
    }
}
