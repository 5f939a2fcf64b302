// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.thinking;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.telechat.core.chat.ChatTokenizer;
import io.telechat.core.testing.Goldens;
import io.telechat.core.tokenizer.Tokenizer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

class MarkIdsTest {
    /** Its file of pieces has the marks the other way round; its added tokens count. */
    @Test
    void telechat3ClosesThoughtsAsItsTextsAreEncoded() {
        Path directory = Goldens.shared("tokenizers/telechat3-36b");
        assumeTrue(Files.exists(directory), directory + " is not there");
        Tokenizer tokenizer = ChatTokenizer.load(directory).tokenizer();
        MarkIds ids = MarkIds.of(new ThoughtMarks("<think>", "</think>", true), tokenizer);
        assertEquals(OptionalInt.of(9), ids.open());
        assertEquals(OptionalInt.of(10), ids.close());
        int[] prompt = tokenizer.encode("<_bot><think>\n");
        int[] whole = tokenizer.encode("<_bot><think>\n\n</think>\n\n");
        assertArrayEquals(Arrays.copyOfRange(whole, prompt.length, whole.length), ids.closing());
        assertArrayEquals(ids.closing(), ids.none());
    }
}
