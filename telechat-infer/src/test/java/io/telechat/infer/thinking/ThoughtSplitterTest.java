// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.thinking;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.telechat.core.tokenizer.Piece;
import io.telechat.core.tokenizer.SentencePieceModel;
import io.telechat.core.tokenizer.SentencePieceTokenizer;
import io.telechat.core.tokenizer.SentencePieceWriter;
import io.telechat.core.tokenizer.Tokenizer;
import io.telechat.infer.thinking.ThoughtSplitter.Part;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ThoughtSplitterTest {
    private static final ThoughtMarks BEGUN = new ThoughtMarks("<think>", "</think>", true);
    private static final ThoughtMarks OPEN = new ThoughtMarks("<think>", "</think>", false);
    private static final OptionalInt NO_BOUND = OptionalInt.empty();

    /** Every character of the marks by itself, some more, and what else a test needs. */
    private static PieceTokenizer letters(String... more) {
        List<String> pieces =
                new ArrayList<>(List.of("<", "/", "t", "h", "i", "n", "k", ">", "\n", " ", "a", "b", "."));
        pieces.addAll(List.of(more));
        return new PieceTokenizer(pieces, Set.of());
    }

    private static PieceTokenizer withMarks(String... more) {
        List<String> pieces = new ArrayList<>(letters(more).pieces());
        pieces.addAll(List.of("<think>", "</think>"));
        return new PieceTokenizer(pieces, Set.of("<think>", "</think>"));
    }

    private static ThoughtSplitter splitter(ThoughtMarks marks, OptionalInt maxTokens, Tokenizer tokenizer) {
        return ThoughtSplitter.of(marks, maxTokens, tokenizer, Set.of());
    }

    /** All of a generation. */
    private static Split all(ThoughtSplitter splitter, int... ids) {
        StringBuilder thoughts = new StringBuilder();
        StringBuilder answer = new StringBuilder();
        for (int id : ids) {
            Split split = splitter.add(id);
            thoughts.append(split.thoughts());
            answer.append(split.answer());
        }
        Split rest = splitter.finish();
        return new Split(thoughts + rest.thoughts(), answer + rest.answer(), false, false);
    }

    private static Split split(String thoughts, String answer) {
        return new Split(thoughts, answer, false, false);
    }

    /** What the makers do with a whole text, but for blanks behind the answer. */
    private static Split naive(String text, boolean begun) {
        String rest = text.stripLeading();
        if (!begun && !rest.startsWith("<think>")) {
            return split("", rest);
        }
        String inside = begun ? text : rest.substring("<think>".length());
        int close = inside.indexOf("</think>");
        return close < 0
                ? split(inside.strip(), "")
                : split(
                        inside.substring(0, close).strip(),
                        inside.substring(close + 8).stripLeading());
    }

    @Test
    void marksInTextAreFoundHoweverItIsCut() {
        Random random = new Random(1);
        List<String> parts = List.of(
                "<think>",
                "</think>",
                "</think",
                "<",
                "</",
                "/think>",
                "<<think>",
                "\n",
                "  ",
                "a",
                "b.",
                "<thi",
                "nk>");
        for (int round = 0; round < 20_000; round++) {
            StringBuilder text = new StringBuilder(random.nextInt(3) == 0 ? "<think>" : "");
            for (int i = random.nextInt(9); i > 0; i--) {
                text.append(parts.get(random.nextInt(parts.size())));
            }
            List<String> cut = new ArrayList<>();
            for (int from = 0; from < text.length(); ) {
                int to = Math.min(text.length(), from + 1 + random.nextInt(10));
                cut.add(text.substring(from, to));
                from = to;
            }
            // Marks that happen to be a piece would be told by their id.
            cut.removeIf(piece -> piece.equals("<think>") || piece.equals("</think>"));
            String whole = String.join("", cut);
            PieceTokenizer tokenizer = letters(cut.toArray(String[]::new));
            int first = tokenizer.size() - cut.size();
            int[] ids = new int[cut.size()];
            Arrays.setAll(ids, i -> first + i);
            for (ThoughtMarks marks : List.of(BEGUN, OPEN)) {
                Split got = all(splitter(marks, NO_BOUND, tokenizer), ids);
                assertEquals(naive(whole, marks.begun()), got, cut + ", " + marks);
            }
        }
    }

    @Test
    void marksThatArePiecesAreFoundByTheirIds() {
        PieceTokenizer tokenizer = withMarks("</", "think>");
        int[] ids = tokenizer.encode("<think>\na </think>\n b </think> a");
        assertEquals(split("a", "b  a"), all(splitter(OPEN, NO_BOUND, tokenizer), ids));
        int[] spelt = {tokenizer.pieces().indexOf("</"), tokenizer.pieces().indexOf("think>")};
        assertEquals(split("</think>", ""), all(splitter(BEGUN, NO_BOUND, tokenizer), spelt));
    }

    @Test
    void anAnswerThatDoesNotBeginWithTheMarkHasNoThoughts() {
        PieceTokenizer tokenizer = withMarks();
        int[] late = tokenizer.encode(" a<think>b</think>");
        assertEquals(split("", "ab"), all(splitter(OPEN, NO_BOUND, tokenizer), late));
        assertEquals(split("", "a"), all(splitter(OPEN, NO_BOUND, tokenizer), tokenizer.encode("</think>a")));
        assertEquals(
                split("", "<th"),
                all(splitter(OPEN, NO_BOUND, letters()), letters().encode(" <th")));
    }

    @Test
    void whatAPromptHasOpenedMayBeOpenedAgain() {
        PieceTokenizer tokenizer = withMarks();
        int[] ids = tokenizer.encode("<think>a</think>b");
        assertEquals(split("a", "b"), all(splitter(BEGUN, NO_BOUND, tokenizer), ids));
    }

    @Test
    void charactersThatAMarkCutsInTwoEndThere(@TempDir Path directory) throws IOException {
        Tokenizer tokenizer = bytes(directory);
        int close = tokenizer.id("</think>").orElseThrow();
        int first = tokenizer.encode("思")[1];
        List<Integer> ids = new ArrayList<>();
        Arrays.stream(tokenizer.encode("思考")).forEach(ids::add);
        ids.add(first);
        ids.add(close);
        Arrays.stream(tokenizer.encode(" 答案 ")).forEach(ids::add);
        ids.add(first);
        Split got = all(
                splitter(BEGUN, NO_BOUND, tokenizer),
                ids.stream().mapToInt(i -> i).toArray());
        assertEquals(split("思考\ufffd", "答案 \ufffd"), got);
    }

    private static Tokenizer bytes(Path directory) throws IOException {
        List<Piece> pieces = new ArrayList<>(SentencePieceWriter.byteVocabulary());
        pieces.add(new Piece("<think>", 0, Piece.Type.CONTROL));
        pieces.add(new Piece("</think>", 0, Piece.Type.CONTROL));
        Path file = directory.resolve("tokenizer.model");
        SentencePieceWriter.write(file, pieces);
        return new SentencePieceTokenizer(SentencePieceModel.read(file), List.of(), false);
    }

    /** Adds what it likes until something is forced, then that; returns what was forced. */
    private static String forcedBehind(ThoughtSplitter splitter, PieceTokenizer tokenizer, int own, int id) {
        for (int i = 0; i < own; i++) {
            assertEquals(OptionalInt.empty(), splitter.forced());
            assertTrue(splitter.add(id).isThought());
        }
        StringBuilder forced = new StringBuilder();
        while (splitter.forced().isPresent()) {
            int next = splitter.forced().getAsInt();
            forced.append(tokenizer.piece(next));
            assertEquals(new Split("", "", false, true), splitter.add(next));
        }
        assertEquals(Part.ANSWER, splitter.part());
        return forced.toString();
    }

    @Test
    void theEndOfThoughtsIsForced() {
        for (PieceTokenizer tokenizer : List.of(letters(), withMarks(), withMarks("\n\n"))) {
            int a = tokenizer.encode("a")[0];
            for (int own : new int[] {0, 1, 5}) {
                ThoughtSplitter splitter = splitter(BEGUN, OptionalInt.of(own), tokenizer);
                assertEquals("\n</think>\n\n", forcedBehind(splitter, tokenizer, own, a));
                assertEquals("b", splitter.add(tokenizer.encode("b")[0]).answer());
            }
            ThoughtSplitter none = splitter(OPEN, OptionalInt.of(0), tokenizer);
            assertEquals("<think>\n\n</think>\n\n", forcedBehind(none, tokenizer, 0, a));
        }
    }

    @Test
    void opensByItselfThenIsBounded() {
        PieceTokenizer tokenizer = withMarks();
        ThoughtSplitter splitter = splitter(OPEN, OptionalInt.of(2), tokenizer);
        assertEquals(Split.NOTHING, splitter.add(tokenizer.id("<think>").getAsInt()));
        assertEquals(
                "\n</think>\n\n", forcedBehind(splitter, tokenizer, 2, tokenizer.encode("a")[0]));
    }

    @Test
    void whatWasHeldBackComesBeforeTheForcedEnd() {
        PieceTokenizer tokenizer = letters();
        ThoughtSplitter splitter = splitter(BEGUN, OptionalInt.of(4), tokenizer);
        StringBuilder thoughts = new StringBuilder();
        for (int id : tokenizer.encode("a </")) {
            thoughts.append(splitter.add(id).thoughts());
        }
        assertEquals("a </", thoughts.toString());
        assertTrue(splitter.forced().isPresent());
        assertEquals(Split.NOTHING, splitter.finish());
    }

    @Test
    void aMarkHasText() {
        assertThrows(IllegalArgumentException.class, () -> new ThoughtMarks("<think>", " \n", true));
    }
}
