// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BpeTrainerTest {
    private static final List<String> TEXTS =
            List.of("the cat sat on the mat", "the hat", "你好，世界", "你好 12 34", "that is that");

    @TempDir
    Path directory;

    private static List<Piece> train(int size) {
        BpeTrainer trainer = new BpeTrainer();
        TEXTS.forEach(trainer::add);
        return trainer.train(size);
    }

    private Tokenizer tokenizer(int size) throws IOException {
        Path file = directory.resolve(size + ".model");
        SentencePieceWriter.write(file, train(size));
        return new SentencePieceTokenizer(SentencePieceModel.read(file), List.of(), false);
    }

    @Test
    void theMostFrequentPairComesFirst() {
        List<Piece> pieces = train(310);
        // "th" occurs five times, "at" six times.
        assertEquals("at", pieces.get(263).text());
        assertEquals("th", pieces.get(264).text());
    }

    @Test
    void theSizeIsKept() {
        assertEquals(288, train(288).size());
    }

    @Test
    void pairsThatOccurOnceAreNotLearned() {
        assertTrue(train(5000).size() < 400);
    }

    @Test
    void textComesBack() throws IOException {
        Tokenizer tokenizer = tokenizer(320);
        for (String text : List.of("the cat sat", "你好，世界", "unseen: ж 🙂 999")) {
            assertEquals(text, tokenizer.decode(tokenizer.encode(text)));
        }
    }

    @Test
    void frequentWordsAreOnePiece() throws IOException {
        Tokenizer tokenizer = tokenizer(340);
        assertArrayEquals(new int[] {tokenizer.id("▁the").orElseThrow()}, tokenizer.encode("the"));
    }

    @Test
    void nothingReachesAcrossKindsOfCharacters() {
        for (Piece piece : train(5000)) {
            if (piece.type() == Piece.Type.NORMAL && piece.text().length() > 1) {
                assertTrue(piece.text().matches("▁?(\\p{IsLatin}+|\\p{IsHan}+|[^\\p{L}\\d]+)|▁\\d"), piece.text());
            }
        }
    }
}
