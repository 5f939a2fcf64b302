// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.judge;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.telechat.core.InvalidInputException;
import io.telechat.core.InvalidRequestException;
import io.telechat.core.TelechatException;
import io.telechat.core.chat.ChatMessage;
import io.telechat.eval.data.JsonLines;
import io.telechat.eval.model.ChatSettings;
import io.telechat.eval.model.OpenAiClient;
import io.telechat.eval.model.PlayedServer;
import io.telechat.eval.model.PlayedServer.Failure;
import io.telechat.eval.model.PlayedServer.Reply;
import io.telechat.eval.model.PlayedServer.Text;
import io.telechat.eval.model.RemoteChat;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whole runs, with servers that play the models. */
class JudgingTest {
    private static final ChatSettings GREEDY = new ChatSettings(64, 0, 0, Optional.empty());
    private static final int RETRIES = 2;

    @TempDir
    Path out;

    private static Dialog dialog(String id, String dimension, String... turns) {
        List<ChatMessage> messages =
                List.of(turns).stream().map(ChatMessage::user).toList();
        return new Dialog(id, dimension, "en", messages, Optional.empty(), Optional.of("CRITERIA"));
    }

    private static final List<Dialog> DIALOGS = List.of(
            dialog("1", "first", "one"),
            dialog("2", "first", "two"),
            dialog("3", "second", "three"),
            dialog("4", "second", "four", "five"));

    /** The model answers what it was asked last, in capital letters. */
    private static Reply shouting(JsonNode request) {
        return new Text(last(request).toUpperCase(Locale.ROOT));
    }

    private static String last(JsonNode request) {
        JsonNode messages = request.path("messages");
        return messages.get(messages.size() - 1).path("content").asText();
    }

    private static Respondent remote(PlayedServer server, String name) {
        return new Respondent(
                name, () -> new RemoteChat(new OpenAiClient(server.url(), Optional.empty()), name, 2), GREEDY);
    }

    private JudgeResults run(Function<JsonNode, Reply> model, Function<JsonNode, Reply> judge) throws IOException {
        try (PlayedServer answering = new PlayedServer(model);
                PlayedServer judging = new PlayedServer(judge);
                Judging run = new Judging(DIALOGS, Optional.of(out), (task, done, total) -> {})) {
            Answers answers = run.answers(remote(answering, "model"));
            JudgeResults results =
                    run.judge(answers, Optional.empty(), remote(judging, "judge"), Criteria.own(), RETRIES);
            run.done();
            return results;
        }
    }

    private static Reply score(int score) {
        return new Text("{\"reason\": \"because\", \"score\": " + score + "}");
    }

    private List<JsonNode> lines(String name) {
        return JsonLines.read(out.resolve(name));
    }

    @Test
    void everyDialogIsAnsweredTurnByTurnAndJudged() throws IOException {
        JudgeResults results =
                run(JudgingTest::shouting, request -> score(last(request).contains("ONE") ? 100 : 50));

        assertEquals(
                List.of("1", "2", "3", "4"),
                lines("judgements.jsonl").stream()
                        .map(l -> l.path("id").asText())
                        .toList());
        assertEquals(
                "[\"FOUR\",\"FIVE\"]",
                lines("answers.jsonl").get(3).path("answers").toString());
        assertEquals(75, results.dimensions().get("first").mean().get().value());
        assertEquals(50, results.dimensions().get("second").mean().get().value());
        assertEquals(62.5, results.all().mean().get().value());
        assertEquals(
                62.5,
                JsonLines.parse("", results.json().toString())
                        .getFirst()
                        .at("/all/score")
                        .doubleValue());
        assertEquals(
                "because",
                lines("judgements.jsonl").getFirst().at("/verdict/reason").asText());
        assertFalse(Files.exists(out.resolve("answers.partial.jsonl")));
        assertFalse(Files.exists(out.resolve("judgements.partial.jsonl")));
        assertTrue(Files.readString(out.resolve("results.json")).contains("\"mean_of_dimensions\" : 62.5"));
    }

    @Test
    void whatCannotBeReadIsAskedAgainWithAnotherDrawThenLeftOut() throws IOException {
        JudgeResults results = run(JudgingTest::shouting, request -> {
            boolean first = request.path("temperature").doubleValue() == 0;
            String question = last(request);
            if (question.contains("TWO")) {
                return new Text("I would rather not say.");
            }
            return question.contains("ONE") && first ? new Text("Quite good!") : score(80);
        });
        JsonNode never = lines("judgements.jsonl").get(1);

        assertEquals(1, results.all().failures());
        assertEquals(1 + RETRIES + 1, results.all().unread());
        assertEquals(80, results.all().mean().get().value());
        assertEquals(3, results.all().count());
        assertEquals(RETRIES + 1, never.at("/verdict/replies").size());
        assertTrue(never.path("score").isNull());
        assertEquals(
                "the judge's replies could not be read", never.path("failure").asText());
        assertEquals(
                "Quite good!",
                lines("judgements.jsonl").getFirst().at("/verdict/replies/0").asText());
    }

    @Test
    void whatOneServerWillNotHaveIsAFailureOfThatDialogAlone() throws IOException {
        JudgeResults results = run(
                request -> last(request).equals("two") ? new Failure(400, "too long", "") : shouting(request),
                request -> last(request).contains("THREE") ? new Failure(422, "too long", "") : score(80));

        assertEquals(2, results.all().failures());
        assertTrue(lines("answers.jsonl").get(1).path("failure").asText().contains("400: too long"));
        assertTrue(lines("judgements.jsonl").get(1).path("failure").asText().contains("400: too long"));
        assertTrue(lines("judgements.jsonl").get(2).path("failure").asText().contains("422: too long"));
    }

    @Test
    void aRunThatWasCutShortGoesOnAndComesToTheSame() throws IOException {
        assertThrows(
                InvalidRequestException.class,
                () -> run(
                        JudgingTest::shouting,
                        request ->
                                last(request).contains("FOUR") ? new Failure(401, "no credit left", "") : score(40)));
        long before =
                Files.readAllLines(out.resolve("judgements.partial.jsonl")).size() - 1;
        try (PlayedServer silent = new PlayedServer(request -> new Failure(500, "not again", ""));
                PlayedServer judging = new PlayedServer(request -> score(40));
                Judging run = new Judging(DIALOGS, Optional.of(out), (task, done, total) -> {})) {
            Answers answers = run.answers(remote(silent, "model"));
            JudgeResults results =
                    run.judge(answers, Optional.empty(), remote(judging, "judge"), Criteria.own(), RETRIES);
            assertEquals(0, silent.requests().size());
            assertEquals(DIALOGS.size() - before, judging.requests().size());
            assertEquals(40, results.all().mean().get().value());
            assertEquals(DIALOGS.size(), results.all().count());
        }
    }

    @Test
    void whatFailedBeforeIsAskedAgain() throws IOException {
        TelechatException e = assertThrows(
                InvalidInputException.class, () -> run(JudgingTest::shouting, request -> new Failure(400, "bad", "")));
        assertTrue(e.getMessage().contains("none of 4 dialogs has a verdict"), e.getMessage());

        assertEquals(
                30,
                run(JudgingTest::shouting, request -> score(30))
                        .all()
                        .mean()
                        .get()
                        .value());
    }

    @Test
    void whereNothingIsAnsweredNothingIsJudged() {
        TelechatException e = assertThrows(
                InvalidInputException.class, () -> run(request -> new Failure(400, "bad", ""), request -> score(30)));

        assertTrue(e.getMessage().contains("none of 4 dialogs has an answer"), e.getMessage());
    }

    @Test
    void anotherJudgeDoesNotGoOnWithTheVerdictsOfTheFirst() throws IOException {
        assertThrows(TelechatException.class, () -> run(JudgingTest::shouting, request -> new Failure(401, "", "")));
        try (Judging run = new Judging(DIALOGS, Optional.of(out), (task, done, total) -> {});
                PlayedServer server = new PlayedServer(request -> score(1))) {
            Answers answers = run.answers(remote(server, "model"));
            assertTrue(assertThrows(
                            InvalidInputException.class,
                            () -> run.judge(
                                    answers, Optional.empty(), remote(server, "other"), Criteria.own(), RETRIES))
                    .getMessage()
                    .contains("other options"));
        }
    }

    /** The judge likes what is in capital letters, always what it sees first in dialog 2, and cannot decide in dialog 3. */
    @Test
    void comparisonsAreMadeInBothOrders() throws IOException {
        Answers mine = new Answers("mine", replies("ONE", "TWO", "THREE", "four"));
        Answers other = new Answers("other", replies("one", "two", "three", "FOUR"));
        try (PlayedServer server = new PlayedServer(request -> {
                    String question = last(request);
                    boolean capitalFirst = question.matches("(?s).*Answer A( 1)?\n<<<[0-9a-f]{8}\n[A-Z]+\n.*");
                    String winner = question.contains("TWO") ? "A" : capitalFirst ? "A" : "B";
                    return new Text("{\"winner\": \"" + (question.contains("THREE") ? "tie" : winner) + "\"}");
                });
                Judging run = new Judging(DIALOGS, Optional.of(out), (task, done, total) -> {})) {
            JudgeResults results =
                    run.judge(mine, Optional.of(other), remote(server, "judge"), Criteria.own(), RETRIES);
            Tally all = results.all();

            assertEquals(2 * DIALOGS.size(), server.requests().size());
            assertEquals(List.of(1, 2, 1), List.of(all.wins(), all.ties(), all.losses()));
            assertEquals(0.5, all.mean().get().value());
            assertEquals(1, all.inconsistent());
            assertEquals(List.of(6, 4), List.of(all.decided(), all.firstShown()));
            assertEquals(0.75, results.json().at("/dimensions/first/win_rate").doubleValue());
            assertTrue(results.table().contains("inconsistent"));
            JsonNode second = lines("judgements.jsonl").get(1);
            assertEquals("A", second.at("/verdict/value").asText());
            assertEquals("A", second.at("/swapped_verdict/value").asText());
            assertFalse(second.path("consistent").booleanValue());
        }
    }

    private static Map<String, Answers.Reply> replies(String... texts) {
        return IntStream.range(0, texts.length)
                .boxed()
                .collect(Collectors.toMap(
                        i -> Integer.toString(i + 1),
                        i -> new Answers.Reply(
                                DIALOGS.get(i).answers() == 1 ? List.of(texts[i]) : List.of(texts[i], texts[i]),
                                Optional.empty())));
    }

    @Test
    void anInterruptionStopsWhatIsUnderWay() throws IOException {
        Thread main = Thread.currentThread();
        TelechatException e = assertThrows(
                InvalidInputException.class,
                () -> run(JudgingTest::shouting, request -> {
                    main.interrupt();
                    return new Failure(503, "", "60");
                }));
        Thread.interrupted(); // the end of the servers may have taken it
        assertEquals("interrupted", e.getMessage());
        assertEquals(
                70,
                run(JudgingTest::shouting, request -> score(70))
                        .all()
                        .mean()
                        .get()
                        .value());
    }
}
