// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.telechat.core.InvalidRequestException;
import io.telechat.core.chat.ChatMessage;
import io.telechat.core.chat.ChatTokenizer;
import io.telechat.core.chat.MarkerPolicy;
import io.telechat.core.chat.SystemMessages;
import io.telechat.core.chat.TinyTokenizers;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class ChatEncoderTest {
    private static final String TWO_TURNS = TinyData.line("q1<_bot>a1<_user>q2", "a2");
    private static final String THREE_TURNS = TinyData.line("q1<_bot>a1<_user>q2<_bot>a2<_user>q3", "a3");

    /** Tokens of a turn as q1 and a1 in the 12B's format: two marks, the end, two prefixes, four letters. */
    private static final int TURN = 9;

    enum Format {
        OF_12B,
        OF_52B,
        OF_TELECHAT2
    }

    @TempDir
    Path directory;

    private ChatTokenizer tokenizer(Format format) throws IOException {
        TinyData data = new TinyData(directory);
        return (switch (format) {
                    case OF_12B -> data;
                    case OF_52B -> data.format52b();
                    case OF_TELECHAT2 -> data.formatTeleChat2();
                })
                .chatTokenizer();
    }

    private static DialogEncoder.Encoded encode(
            ChatTokenizer tokenizer, boolean all, LongDialogs longDialogs, int capacity, String line)
            throws IOException, BadLineException {
        return new ChatEncoder(tokenizer, all, SystemMessages.FOLD, longDialogs, capacity)
                .encode(new ObjectMapper().readTree(line));
    }

    private static EncodedDialog one(ChatTokenizer tokenizer, boolean all, String line)
            throws IOException, BadLineException {
        List<EncodedDialog> dialogs =
                encode(tokenizer, all, LongDialogs.DROP, 1000, line).dialogs();
        assertEquals(1, dialogs.size());
        return dialogs.getFirst();
    }

    private static int[] answer(ChatTokenizer tokenizer, String text) {
        return IntStream.concat(
                        IntStream.of(tokenizer.tokenizer().encode(text)),
                        IntStream.of(tokenizer.template().endId(tokenizer.tokenizer())))
                .toArray();
    }

    private static int[] join(int[]... parts) {
        return Arrays.stream(parts).flatMapToInt(IntStream::of).toArray();
    }

    /** Each stretch of trained ids. */
    private static List<List<Integer>> trained(EncodedDialog dialog) {
        List<List<Integer>> stretches = new ArrayList<>();
        for (int i = 0; i < dialog.length(); i++) {
            if (dialog.mask()[i] == 1) {
                if (i == 0 || dialog.mask()[i - 1] == 0) {
                    stretches.add(new ArrayList<>());
                }
                stretches.getLast().add(dialog.ids()[i]);
            }
        }
        return stretches;
    }

    private static List<Integer> list(int[] ids) {
        return IntStream.of(ids).boxed().toList();
    }

    @ParameterizedTest
    @EnumSource
    void theIdsAreThoseOfChatThenTheAnswerAndItsEnd(Format format) throws Exception {
        ChatTokenizer tokenizer = tokenizer(format);
        int[] prompt = tokenizer.prompt(
                List.of(ChatMessage.user("q1"), ChatMessage.assistant("a1"), ChatMessage.user("q2")),
                MarkerPolicy.REJECT);
        assertArrayEquals(
                join(prompt, answer(tokenizer, "a2")),
                one(tokenizer, false, TWO_TURNS).ids());
    }

    @ParameterizedTest
    @EnumSource
    void theMaskCoversTheLastAnswerAndItsEnd(Format format) throws Exception {
        ChatTokenizer tokenizer = tokenizer(format);
        assertEquals(List.of(list(answer(tokenizer, "a2"))), trained(one(tokenizer, false, TWO_TURNS)));
    }

    @ParameterizedTest
    @EnumSource
    void theMaskCoversAllAnswersIfAsked(Format format) throws Exception {
        ChatTokenizer tokenizer = tokenizer(format);
        assertEquals(
                List.of(list(answer(tokenizer, "a1")), list(answer(tokenizer, "a2")), list(answer(tokenizer, "a3"))),
                trained(one(tokenizer, true, THREE_TURNS)));
    }

    @ParameterizedTest
    @EnumSource(names = {"OF_12B", "OF_TELECHAT2"})
    void whichAnswersAreTrainedDoesNotChangeTheIds(Format format) throws Exception {
        ChatTokenizer tokenizer = tokenizer(format);
        assertArrayEquals(
                one(tokenizer, false, THREE_TURNS).ids(),
                one(tokenizer, true, THREE_TURNS).ids());
    }

    @Test
    void ofThe52bEveryTurnIsEncodedOnItsOwnIfAllAreTrained() throws Exception {
        ChatTokenizer tokenizer = tokenizer(Format.OF_52B);
        assertArrayEquals(
                join(
                        tokenizer.tokenizer().encode("<_user>q1<_bot>"),
                        answer(tokenizer, "a1"),
                        tokenizer.tokenizer().encode("<_user>q2<_bot>"),
                        answer(tokenizer, "a2")),
                one(tokenizer, true, TWO_TURNS).ids());
    }

    @ParameterizedTest
    @EnumSource(names = {"OF_52B", "OF_TELECHAT2"})
    void systemMessagesAreSpokenWhereTheFormatHasThem(Format format) throws Exception {
        ChatTokenizer tokenizer = tokenizer(format);
        int[] prompt = tokenizer.prompt(List.of(ChatMessage.system("s"), ChatMessage.user("q")), MarkerPolicy.REJECT);
        assertArrayEquals(
                join(prompt, answer(tokenizer, "a")),
                one(tokenizer, false, "{\"system\": \"s\", \"input\": \"q\", \"output\": \"a\"}")
                        .ids());
    }

    @Test
    void aSystemMessageThatTheFormatHasNotGoesInFrontOfTheQuestion() throws Exception {
        ChatTokenizer tokenizer = tokenizer(Format.OF_12B);
        assertArrayEquals(
                one(tokenizer, false, "{\"input\": \"s\\n\\nq\", \"output\": \"a\"}")
                        .ids(),
                one(tokenizer, false, "{\"system\": \"s\", \"input\": \"q\", \"output\": \"a\"}")
                        .ids());
    }

    @Test
    void everyTokenOfPlainTextIsTrained() throws Exception {
        ChatTokenizer tokenizer = tokenizer(Format.OF_12B);
        EncodedDialog text = one(tokenizer, false, "{\"data\": \"once\"}");
        assertEquals(List.of(list(answer(tokenizer, "once"))), trained(text));
    }

    @Test
    void plainTextGoesOnInTheNextRow() throws Exception {
        ChatTokenizer tokenizer = tokenizer(Format.OF_12B);
        List<EncodedDialog> parts = encode(tokenizer, false, LongDialogs.DROP, 4, "{\"data\": \"0123456789\"}")
                .dialogs();
        assertEquals(List.of(4, 4, 4), parts.stream().map(EncodedDialog::length).toList());
        assertArrayEquals(
                answer(tokenizer, "0123456789"),
                join(parts.stream().map(EncodedDialog::ids).toArray(int[][]::new)));
        assertEquals(12, parts.stream().mapToInt(EncodedDialog::trained).sum());
    }

    @ParameterizedTest
    @CsvSource({
        "DROP,            27, 0, q1 a1 q2 a2 q3 a3",
        "DROP,            26, 1, ''",
        "TRUNCATE_OLDEST, 27, 0, q1 a1 q2 a2 q3 a3",
        "TRUNCATE_OLDEST, 26, 0, q2 a2 q3 a3",
        "TRUNCATE_OLDEST, 17, 0, q3 a3",
        "TRUNCATE_OLDEST,  8, 1, ''",
        "SPLIT,           27, 0, q1 a1 q2 a2 q3 a3",
        "SPLIT,           26, 0, q1 a1 q2 a2|q3 a3",
        "SPLIT,           17, 0, q1 a1|q2 a2|q3 a3",
        "SPLIT,            8, 3, ''"
    })
    void dialogsLongerThanARow(LongDialogs way, int capacity, int tooLong, String expected) throws Exception {
        ChatTokenizer tokenizer = tokenizer(Format.OF_12B);
        DialogEncoder.Encoded encoded = encode(tokenizer, false, way, capacity, THREE_TURNS);
        List<String> texts = encoded.dialogs().stream()
                .map(d -> tokenizer.tokenizer().decode(d.ids()))
                .map(t -> t.replaceAll("<_[a-z]+>", " ").strip().replaceAll(" +", " "))
                .toList();
        assertEquals(expected, String.join("|", texts));
        assertEquals(tooLong, encoded.tooLong());
    }

    @Test
    void aTurnThatFitsNowhereIsLeftOutOfTheSplit() throws Exception {
        ChatTokenizer tokenizer = tokenizer(Format.OF_12B);
        String line = TinyData.line("q1<_bot>a1<_user>" + "x".repeat(30) + "<_bot>a2<_user>q3", "a3");
        DialogEncoder.Encoded encoded = encode(tokenizer, false, LongDialogs.SPLIT, TURN, line);
        assertEquals(1, encoded.tooLong());
        assertEquals(
                List.of(TURN, TURN),
                encoded.dialogs().stream().map(EncodedDialog::length).toList());
    }

    @Test
    void eachPartOfASplitKeepsTheSystemMessage() throws Exception {
        ChatTokenizer tokenizer = tokenizer(Format.OF_52B);
        String line = """
            {"system": "be brief", "input": "q1<_bot>a1<_user>q2", "output": "a2"}\
            """;
        List<EncodedDialog> parts =
                encode(tokenizer, false, LongDialogs.SPLIT, 30, line).dialogs();
        assertEquals(
                List.of("<_user>be brief\n\nq1<_bot>", "<_user>be brief\n\nq2<_bot>"),
                parts.stream()
                        .map(d -> tokenizer.tokenizer().decode(Arrays.copyOf(d.ids(), d.length() - d.trained())))
                        .toList());
    }

    /** A base model's tokenizer: that no line can be used is no fault of a line's, which could be skipped. */
    @Test
    void withoutAChatFormatTextIsReadAndDialogsAreRefused() throws Exception {
        TinyTokenizers.writeJson(directory, List.of("<|endoftext|>"), List.of());
        Files.writeString(directory.resolve("tokenizer_config.json"), "{\"eos_token\": \"<|endoftext|>\"}");
        ChatTokenizer tokenizer = ChatTokenizer.load(directory);
        assertArrayEquals(
                new int[] {'h', 'i', 256},
                one(tokenizer, true, "{\"data\": \"hi\"}").ids());
        String message = assertThrows(
                        InvalidRequestException.class, () -> one(tokenizer, true, TinyData.line("q", "a")))
                .getMessage();
        assertTrue(message.contains("cannot chat"), message);
    }

    /** A prompt of TeleChat3 has earlier answers without their thoughts. */
    @Test
    void eachAnswerOfAModelThatThinksIsADialogOfItsOwn() throws Exception {
        TinyTokenizers.writeTeleChat3(directory);
        ChatTokenizer tokenizer = ChatTokenizer.load(directory);
        List<EncodedDialog> dialogs = encode(
                        tokenizer,
                        true,
                        LongDialogs.DROP,
                        1000,
                        TinyData.line("q1<_bot><think>\\nt1\\n</think>\\na1<_user>q2", "<think>\\nt2\\n</think>\\na2"))
                .dialogs();
        List<String> whole = List.of(
                "<_system><_user>q1<_bot><think>\nt1\n</think>\na1<_end>",
                "<_system><_user>q1<_bot>a1<_end>\n<_user>q2<_bot><think>\nt2\n</think>\na2<_end>");
        List<String> answers = List.of("t1\n</think>\na1<_end>", "t2\n</think>\na2<_end>");
        assertEquals(2, dialogs.size());
        for (int i = 0; i < 2; i++) {
            assertArrayEquals(
                    tokenizer.tokenizer().encode(whole.get(i)), dialogs.get(i).ids());
            int[] trained = trained(dialogs.get(i)).getFirst().stream()
                    .mapToInt(Integer::intValue)
                    .toArray();
            assertEquals(answers.get(i), tokenizer.tokenizer().decode(trained));
        }
    }
}
