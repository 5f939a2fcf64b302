// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeout;

import io.telechat.core.InvalidRequestException;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Encoding against a naive twin on random vocabularies and texts; decoding and streaming against their definitions. */
class SentencePieceTokenizerTest {
    private static final String ALPHABET = "ab ab ab c中文字 \u2581<_e>é😀0\n";

    @TempDir
    Path directory;

    /** Bytes, some user-defined symbols, and random pieces over a small alphabet, so that merges compete. */
    private static List<Piece> randomVocabulary(SplittableRandom random) {
        List<Piece> pieces = new ArrayList<>(SentencePieceWriter.byteVocabulary());
        pieces.add(new Piece("0", 0, Piece.Type.USER_DEFINED));
        pieces.add(new Piece("\n", 0, Piece.Type.USER_DEFINED));
        pieces.add(new Piece("ab0", 0, Piece.Type.USER_DEFINED));
        Set<String> seen = new HashSet<>();
        pieces.forEach(p -> seen.add(p.text()));
        for (int i = 0; i < 60; i++) {
            String text = randomText(random, 1 + random.nextInt(5))
                    .replace(' ', '\u2581')
                    .replaceAll("[0\n]", "a");
            if (!text.isEmpty() && seen.add(text)) {
                // Few distinct scores: ties have to go to the leftmost.
                pieces.add(new Piece(text, -random.nextInt(12), Piece.Type.NORMAL));
            }
        }
        return pieces;
    }

    private static String randomText(SplittableRandom random, int length) {
        int[] codePoints = ALPHABET.codePoints().toArray();
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < length; i++) {
            text.appendCodePoint(codePoints[random.nextInt(codePoints.length)]);
        }
        return text.toString();
    }

    private SentencePieceTokenizer tokenizer(List<Piece> pieces, List<AddedToken> added) throws IOException {
        Path file = directory.resolve("tokenizer.model");
        SentencePieceWriter.write(file, pieces);
        return new SentencePieceTokenizer(SentencePieceModel.read(file), added, false);
    }

    @Test
    void encodesAsTheNaiveTwin() throws Exception {
        SplittableRandom random = new SplittableRandom(11);
        for (int round = 0; round < 40; round++) {
            List<Piece> pieces = randomVocabulary(random);
            SentencePieceTokenizer tokenizer = tokenizer(pieces, List.of());
            NaiveBpe naive = new NaiveBpe(pieces);
            for (int i = 0; i < 50; i++) {
                // Short, middling and long runs take different paths.
                String text = randomText(random, random.nextInt(i % 10 == 0 ? 200 : 40));
                assertArrayEquals(naive.encode(text), tokenizer.encode(text), () -> "text '" + text + "'");
            }
        }
    }

    @Test
    void decodingGivesBackAnyText() throws Exception {
        SplittableRandom random = new SplittableRandom(5);
        SentencePieceTokenizer tokenizer = tokenizer(randomVocabulary(random), List.of());
        for (int i = 0; i < 5_000; i++) {
            StringBuilder text = new StringBuilder();
            int length = random.nextInt(30);
            while (text.length() < length) {
                int codePoint = random.nextInt(4) == 0 ? random.nextInt(0x110000) : random.nextInt(0x250);
                if (codePoint != SentencePieceTokenizer.BLANK && (codePoint < 0xd800 || codePoint > 0xdfff)) {
                    text.appendCodePoint(codePoint);
                }
            }
            String original = text.toString();
            int[] ids = tokenizer.encode(original);
            assertEquals(original, tokenizer.decode(ids));
            assertEquals(original, stream(tokenizer, ids));
        }
    }

    private static String stream(SentencePieceTokenizer tokenizer, int[] ids) {
        IncrementalDecoder decoder = tokenizer.newDecoder();
        StringBuilder text = new StringBuilder();
        for (int id : ids) {
            String more = decoder.add(id);
            assertEquals(more, new String(more.codePoints().toArray(), 0, more.codePointCount(0, more.length())));
            text.append(more);
        }
        return text.append(decoder.finish()).toString();
    }

    @Test
    void streamingAnyIdsGivesWhatDecodingGives() throws Exception {
        SplittableRandom random = new SplittableRandom(6);
        SentencePieceTokenizer tokenizer = tokenizer(randomVocabulary(random), List.of());
        for (int i = 0; i < 5_000; i++) {
            int[] ids = random.ints(random.nextInt(20), 0, tokenizer.size()).toArray();
            assertEquals(tokenizer.decode(ids), stream(tokenizer, ids));
        }
    }

    @Test
    void neverStreamsHalfACharacter() throws Exception {
        SentencePieceTokenizer tokenizer = tokenizer(SentencePieceWriter.byteVocabulary(), List.of());
        IncrementalDecoder decoder = tokenizer.newDecoder();
        int[] ids = tokenizer.encode("😀");
        assertEquals(5, ids.length); // the dummy prefix and four bytes
        assertEquals("", decoder.add(ids[0]) + decoder.add(ids[1]) + decoder.add(ids[2]) + decoder.add(ids[3]));
        assertEquals("😀", decoder.add(ids[4]));
    }

    @Test
    void everyInvalidByteBecomesAReplacementCharacter() throws Exception {
        SentencePieceTokenizer tokenizer = tokenizer(SentencePieceWriter.byteVocabulary(), List.of());
        int first = tokenizer.id("<0x00>").getAsInt();
        // An overlong form, a surrogate, a sequence cut short by a letter, one beyond the last character.
        int[] bytes = {0xc0, 0x80, 0xed, 0xa0, 0x80, 0xe4, 0xb8, 'x', 0xf4, 0x90, 0x80, 0x80};
        int[] ids = new int[bytes.length];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = first + bytes[i];
        }
        assertEquals("\ufffd".repeat(7) + "x" + "\ufffd".repeat(4), tokenizer.decode(ids));
    }

    @Test
    void longLinesTakeLittleTime() throws Exception {
        SplittableRandom random = new SplittableRandom(1);
        List<Piece> pieces = new ArrayList<>(SentencePieceWriter.byteVocabulary());
        for (int i = 1; i <= 8; i++) {
            pieces.add(new Piece("a".repeat(i), -i, Piece.Type.NORMAL));
        }
        SentencePieceTokenizer tokenizer = tokenizer(pieces, List.of());
        String line = "a".repeat(1_000_000);
        // Not a benchmark: quadratic work would take minutes.
        assertTimeout(Duration.ofSeconds(20), () -> tokenizer.encode(line));
        assertTimeout(Duration.ofSeconds(20), () -> tokenizer.encode(randomText(random, 200_000)));
    }

    @Test
    void addedTokensCutTheTextAndEachStretchHasItsOwnPrefix() throws Exception {
        SentencePieceTokenizer tokenizer =
                tokenizer(SentencePieceWriter.byteVocabulary(), List.of(new AddedToken(2, "<_end>", false)));
        int blank = tokenizer.id("\u2581").getAsInt();
        int x = tokenizer.id("<0x78>").getAsInt();
        assertArrayEquals(new int[] {blank, x, 2, 2, blank, x}, tokenizer.encode("x<_end><_end>x"));
        assertArrayEquals(new int[0], tokenizer.encode(""));
    }

    @Test
    void loneSurrogatesCountAsReplacementCharacters() throws Exception {
        SentencePieceTokenizer tokenizer = tokenizer(SentencePieceWriter.byteVocabulary(), List.of());
        assertArrayEquals(tokenizer.encode("a\ufffdb"), tokenizer.encode("a\ud800b"));
    }

    @Test
    void unknownIdsAreRefused() throws Exception {
        SentencePieceTokenizer tokenizer = tokenizer(SentencePieceWriter.byteVocabulary(), List.of());
        assertThrows(InvalidRequestException.class, () -> tokenizer.decode(tokenizer.size()));
        assertThrows(InvalidRequestException.class, () -> tokenizer.decode(-1));
    }

    /** As TeleChat3 has it: the names of two pieces are the other way round in the added tokens, and these count. */
    @Test
    void addedTokensWinOverThePieces() throws Exception {
        List<Piece> pieces = new ArrayList<>(SentencePieceWriter.byteVocabulary());
        int first = pieces.size();
        pieces.add(new Piece("</think>", 0, Piece.Type.CONTROL));
        pieces.add(new Piece("<think>", 0, Piece.Type.CONTROL));
        SentencePieceTokenizer tokenizer = tokenizer(
                pieces, List.of(new AddedToken(first, "<think>", false), new AddedToken(first + 1, "</think>", false)));
        assertArrayEquals(new int[] {first, first + 1}, tokenizer.encode("<think></think>"));
        assertEquals("</think><think>", tokenizer.decode(first + 1, first));
        assertEquals("<think>", tokenizer.piece(first));
        assertEquals(first + 1, tokenizer.id("</think>").getAsInt());
    }

    @Test
    void ordinaryTextBecomesNoMark() throws Exception {
        SentencePieceTokenizer tokenizer = tokenizer(
                SentencePieceWriter.byteVocabulary(),
                List.of(
                        new AddedToken(2, "<_end>", false),
                        new AddedToken(3, "<_pad>", false, false, false, false, false)));
        SentencePieceTokenizer plain = tokenizer(SentencePieceWriter.byteVocabulary(), List.of());
        assertArrayEquals(plain.encode("a<_end>"), tokenizer.encodeOrdinary("a<_end>"));
        assertArrayEquals(new int[] {3}, tokenizer.encodeOrdinary("<_pad>"));
        assertArrayEquals(new int[0], tokenizer.encodeOrdinary(""));
    }

    @Test
    void streamsPassOverMarksThatAreNotAskedFor() throws Exception {
        SentencePieceTokenizer tokenizer = tokenizer(
                SentencePieceWriter.byteVocabulary(),
                List.of(
                        new AddedToken(1, "<_start>", false),
                        new AddedToken(2, "<_end>", false),
                        new AddedToken(3, "<_pad>", false, false, false, false, false)));
        int[] ids = tokenizer.encode("a<_start>b<_end>c<_pad>");
        assertEquals("a<_start>b<_end>c<_pad>", tokenizer.decode(ids));
        assertEquals("a b c<_pad>", stream(tokenizer, ids));
        IncrementalDecoder decoder = tokenizer.newDecoder(Set.of(2));
        StringBuilder text = new StringBuilder();
        for (int id : ids) {
            text.append(decoder.add(id));
        }
        assertEquals("a b<_end>c<_pad>", text.toString());
    }
}
