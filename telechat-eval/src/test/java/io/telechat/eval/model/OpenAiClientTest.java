// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.telechat.core.InvalidInputException;
import io.telechat.core.InvalidRequestException;
import io.telechat.core.TelechatException;
import io.telechat.core.chat.ChatMessage;
import java.io.IOException;
import java.time.Duration;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ConcurrentLinkedDeque;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The client, and the chat through it. */
class OpenAiClientTest {
    private static final ChatSettings GREEDY = new ChatSettings(32, 0, 7, Optional.empty());
    private static final List<ChatMessage> QUESTION = List.of(ChatMessage.system("S"), ChatMessage.user("Q"));

    private static String ask(PlayedServer server, Optional<String> key, ChatSettings how) {
        OpenAiClient client = new OpenAiClient(server.url(), key, Duration.ofMillis(1));
        try (RemoteChat chat = new RemoteChat(client, "m", 1)) {
            return chat.answer(QUESTION, how);
        }
    }

    private static PlayedServer playing(PlayedServer.Reply... replies) throws IOException {
        Deque<PlayedServer.Reply> left = new ConcurrentLinkedDeque<>(List.of(replies));
        return new PlayedServer(request -> left.size() > 1 ? left.poll() : left.peek());
    }

    private static PlayedServer.Reply failure(int status) {
        return new PlayedServer.Failure(status, "{\"error\": {\"message\": \"no way\"}}", "");
    }

    @Test
    void asksInTheFormOfTheApiAndSendsTheKey() throws IOException {
        try (PlayedServer server = playing(new PlayedServer.Text("hello"))) {
            assertEquals("hello", ask(server, Optional.of("secret"), GREEDY));
            JsonNode request = server.requests().getFirst();
            assertEquals("m", request.path("model").asText());
            assertEquals("system", request.at("/messages/0/role").asText());
            assertEquals("Q", request.at("/messages/1/content").asText());
            assertEquals(0, request.path("temperature").doubleValue());
            assertEquals(32, request.path("max_tokens").intValue());
            assertFalse(request.has("seed"));
            assertEquals(List.of("Bearer secret"), server.keys());
        }
    }

    @Test
    void aDrawHasASeed() throws IOException {
        try (PlayedServer server = playing(new PlayedServer.Text("hello"))) {
            ask(server, Optional.empty(), GREEDY.drawn(0.5, 3));
            assertEquals(3, server.requests().getFirst().path("seed").intValue());
            assertEquals(List.of("null"), server.keys());
        }
    }

    @Test
    void whatFailsForAWhileIsTriedAgain() throws IOException {
        try (PlayedServer server = playing(failure(503), failure(429), failure(500), new PlayedServer.Text("late"))) {
            assertEquals("late", ask(server, Optional.empty(), GREEDY));
            assertEquals(4, server.requests().size());
        }
    }

    @Test
    void waitsAsLongAsTheServerWishes() throws IOException {
        long start = System.nanoTime();
        try (PlayedServer server = playing(new PlayedServer.Failure(429, "", "1"), new PlayedServer.Text("late"))) {
            assertEquals("late", ask(server, Optional.empty(), GREEDY));
        }
        assertTrue(System.nanoTime() - start >= 1_000_000_000L);
    }

    @Test
    void givesUpWhenItFailsForLong() throws IOException {
        try (PlayedServer server = playing(failure(503))) {
            TelechatException e =
                    assertThrows(InvalidRequestException.class, () -> ask(server, Optional.empty(), GREEDY));
            assertTrue(e.getMessage().contains("503: no way"), e.getMessage());
            assertEquals(5, server.requests().size());
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {400, 413, 422})
    void aRequestThatCannotBeServedIsOneOfMany(int status) throws IOException {
        try (PlayedServer server = playing(failure(status))) {
            assertThrows(UnanswerableException.class, () -> ask(server, Optional.empty(), GREEDY));
            assertEquals(1, server.requests().size());
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {401, 403, 404})
    void aServerThatLetsNobodyInFailsAtOnceAndTheKeyIsNotTold(int status) throws IOException {
        try (PlayedServer server = playing(failure(status))) {
            InvalidRequestException e =
                    assertThrows(InvalidRequestException.class, () -> ask(server, Optional.of("secret"), GREEDY));
            assertFalse(e instanceof UnanswerableException);
            assertFalse(e.getMessage().contains("secret"), e.getMessage());
            assertEquals(1, server.requests().size());
        }
    }

    @Test
    void whatIsNoCompletionIsSaid() throws IOException {
        try (PlayedServer server = playing(new PlayedServer.Failure(200, "<html>", ""))) {
            assertThrows(InvalidInputException.class, () -> ask(server, Optional.empty(), GREEDY));
        }
        try (PlayedServer server = playing(new PlayedServer.Failure(200, "{\"choices\": []}", ""))) {
            assertThrows(InvalidInputException.class, () -> ask(server, Optional.empty(), GREEDY));
        }
    }

    @Test
    void thoughtsThatAServerLeavesInTheTextAreNoPartOfTheAnswer() throws IOException {
        try (PlayedServer server = playing(
                new PlayedServer.Text("<think>\nhm\n</think>\n\nyes"),
                new PlayedServer.Text("<think> without an end"),
                new PlayedServer.Text("HTML has no <think> element </think>"))) {
            assertEquals("yes", ask(server, Optional.empty(), GREEDY));
            assertEquals("", ask(server, Optional.empty(), GREEDY));
            assertEquals("HTML has no <think> element </think>", ask(server, Optional.empty(), GREEDY));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "127.0.0.1:8000", "ftp://host/v1", "http://", "http://a b/"})
    void whatIsNoAddressIsSaid(String url) {
        assertThrows(InvalidRequestException.class, () -> new OpenAiClient(url, Optional.empty()));
    }

    @Test
    void aKeyOfSeveralLinesIsNoKey() {
        assertThrows(InvalidRequestException.class, () -> new OpenAiClient("http://127.0.0.1/v1", Optional.of("a\nb")));
    }
}
