// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.telechat.core.InvalidModelException;
import io.telechat.core.InvalidRequestException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.text.Normalizer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A small qwen.tiktoken against a naive twin; what its text and bytes become; damaged ones. */
class TiktokenFileTest {
    private static final String TEXTS = "hello there, it's the 12 中文字符中文 今天天气很好 émigré \n\n  x😀😀 don't";

    @TempDir
    Path directory;

    /** Bytes in an order of their own, then pieces made of neighbours in some text, parts of characters among them. */
    private static List<byte[]> pieces(SplittableRandom random) {
        List<byte[]> pieces = new ArrayList<>();
        for (int b = 0; b < 256; b++) {
            pieces.add(new byte[] {(byte) (b * 7 + 33)});
        }
        byte[] text = TEXTS.getBytes(StandardCharsets.UTF_8);
        Map<String, Integer> seen = new HashMap<>();
        while (pieces.size() < 600) {
            int from = random.nextInt(text.length - 12);
            byte[] piece = Arrays.copyOfRange(text, from, from + 2 + random.nextInt(8));
            if (seen.putIfAbsent(latin(piece), pieces.size()) == null) {
                pieces.add(piece);
            }
        }
        return pieces;
    }

    private static String latin(byte[] bytes) {
        return new String(bytes, StandardCharsets.ISO_8859_1);
    }

    private Tokenizer tokenizer(List<byte[]> pieces) throws IOException {
        StringBuilder lines = new StringBuilder();
        for (int id = 0; id < pieces.size(); id++) {
            lines.append(Base64.getEncoder().encodeToString(pieces.get(id)))
                    .append(' ')
                    .append(id)
                    .append('\n');
        }
        return tokenizer(lines.toString());
    }

    private Tokenizer tokenizer(String lines) throws IOException {
        Files.writeString(directory.resolve("qwen.tiktoken"), lines);
        return TokenizerFiles.load(directory).tokenizer();
    }

    /** tiktoken as it is described: a table of byte strings, the neighbours of lowest rank joined until there are none. */
    private static List<Integer> naive(List<byte[]> pieces, String text) {
        Map<String, Integer> ranks = new HashMap<>();
        for (int id = 0; id < pieces.size(); id++) {
            ranks.put(latin(pieces.get(id)), id);
        }
        List<Integer> ids = new ArrayList<>();
        Matcher words = Pattern.compile(GptWords.QWEN, Pattern.UNICODE_CHARACTER_CLASS)
                .matcher(Normalizer.normalize(text, Normalizer.Form.NFC));
        while (words.find()) {
            String word = latin(words.group().getBytes(StandardCharsets.UTF_8));
            List<String> parts = new ArrayList<>(List.of(word.split("")));
            while (parts.size() > 1 && !ranks.containsKey(word)) {
                int best = -1;
                for (int i = 0; i + 1 < parts.size(); i++) {
                    int rank = ranks.getOrDefault(parts.get(i) + parts.get(i + 1), Integer.MAX_VALUE);
                    boolean better = best < 0 || rank < ranks.get(parts.get(best) + parts.get(best + 1));
                    best = rank < Integer.MAX_VALUE && better ? i : best;
                }
                if (best < 0) {
                    break;
                }
                parts.set(best, parts.get(best) + parts.remove(best + 1));
            }
            (ranks.containsKey(word) ? List.of(word) : parts).forEach(part -> ids.add(ranks.get(part)));
        }
        return ids;
    }

    @Test
    void encodesAsTheNaiveTwin() throws IOException {
        SplittableRandom random = new SplittableRandom(8);
        int[] characters = TEXTS.codePoints().toArray();
        for (int round = 0; round < 10; round++) {
            List<byte[]> pieces = pieces(random);
            Tokenizer tokenizer = tokenizer(pieces);
            for (int i = 0; i < 200; i++) {
                int from = random.nextInt(characters.length);
                StringBuilder text = new StringBuilder();
                text.append(new String(characters, from, random.nextInt(1 + characters.length - from)));
                for (int j = random.nextInt(10); j > 0; j--) {
                    text.appendCodePoint(characters[random.nextInt(characters.length)]);
                }
                int[] ids = tokenizer.encode(text.toString());
                assertEquals(naive(pieces, text.toString()), list(ids), () -> "text '" + text + "'");
                assertEquals(Normalizer.normalize(text, Normalizer.Form.NFC), tokenizer.decode(ids));
            }
        }
    }

    private static List<Integer> list(int... ids) {
        return IntStream.of(ids).boxed().toList();
    }

    @Test
    void specialTokensFollowTheFileAndAreFoundOnlyWhereWanted() throws IOException {
        List<byte[]> pieces = pieces(new SplittableRandom(1));
        Tokenizer tokenizer = tokenizer(pieces);
        int first = pieces.size();
        assertEquals(first + 208, tokenizer.size());
        assertEquals(first, tokenizer.id("<|endoftext|>").getAsInt());
        assertEquals(first + 207, tokenizer.id("<|extra_204|>").getAsInt());
        assertArrayEquals(
                new int[] {first + 1, first + 2, first + 3}, tokenizer.encode("<|im_start|><|im_end|><|extra_0|>"));
        assertEquals(naive(pieces, "<|im_end|>"), list(tokenizer.encodeOrdinary("<|im_end|>")));
        assertEquals("<|im_end|>", tokenizer.decode(first + 2));
        assertEquals("<|im_end|>", tokenizer.piece(first + 2));
        assertEquals(0, tokenizer.bytes(first + 2).length);
        assertThrows(InvalidRequestException.class, () -> tokenizer.decode(first + 208));
    }

    /** A combining stroke makes another character of the last one of a special token. */
    @Test
    void normalizationComesFirst() throws IOException {
        List<byte[]> pieces = pieces(new SplittableRandom(2));
        String text = "<|im_end|>\u0338";
        assertEquals(naive(pieces, text), list(tokenizer(pieces).encode(text)));
    }

    @Test
    void loneSurrogatesCountAsReplacementCharacters() throws IOException {
        Tokenizer tokenizer = tokenizer(pieces(new SplittableRandom(3)));
        assertArrayEquals(tokenizer.encode("a\ufffdb\ufffd"), tokenizer.encode("a\ud800b\udc00"));
    }

    @Test
    void streamsWhatItDecodes() throws IOException {
        List<byte[]> pieces = pieces(new SplittableRandom(4));
        Tokenizer tokenizer = tokenizer(pieces);
        SplittableRandom random = new SplittableRandom(5);
        for (int i = 0; i < 3_000; i++) {
            int[] ids = random.ints(random.nextInt(12), 0, pieces.size()).toArray();
            IncrementalDecoder decoder = tokenizer.newDecoder();
            StringBuilder text = new StringBuilder();
            for (int id : ids) {
                text.append(decoder.add(id));
            }
            assertEquals(tokenizer.decode(ids), text.append(decoder.finish()).toString());
        }
    }

    /** Pieces that merging does not lead to are found where they are whole words. */
    @Test
    void aWordThatIsAPieceIsThatPiece() throws IOException {
        List<byte[]> pieces = pieces(new SplittableRandom(6));
        pieces.add("qzqzq".getBytes(StandardCharsets.UTF_8));
        Tokenizer tokenizer = tokenizer(pieces);
        assertArrayEquals(new int[] {pieces.size() - 1}, tokenizer.encode("qzqzq"));
        assertEquals(6, tokenizer.encode("qzqzqz").length);
    }

    @Test
    void longLinesTakeLittleTime() throws IOException {
        Tokenizer tokenizer = tokenizer(pieces(new SplittableRandom(7)));
        for (String unit : List.of("a", " ", "1", "中", "😀", "!", "\n", "<|im_end|>", "<|", "\u0301")) {
            String text = unit.repeat(1_000_000 / unit.length());
            assertTimeoutPreemptively(
                    Duration.ofSeconds(10), () -> assertEquals(text, tokenizer.decode(tokenizer.encode(text))), unit);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"IQ== 0\nIQ== 1", "IQ== 1", "IQ==", "I*== 0", "IQ== x", " 0", "IQ== 0\n\nIg== 1", "IQ== 0"})
    void damagedFilesAreNamed(String lines) {
        InvalidModelException e = assertThrows(InvalidModelException.class, () -> tokenizer(lines));
        assertTrue(e.getMessage().contains("qwen.tiktoken"), e.getMessage());
    }

    @Test
    void oneLongLineIsRefused() {
        InvalidModelException e = assertThrows(InvalidModelException.class, () -> tokenizer("A".repeat(50_000_000)));
        assertTrue(e.getMessage().contains("line 1"), e.getMessage());
    }
}
