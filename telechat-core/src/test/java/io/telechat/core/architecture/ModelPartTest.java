// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.architecture;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.telechat.core.InvalidRequestException;
import io.telechat.core.ops.HeadLayout;
import io.telechat.core.ops.WeightId;
import io.telechat.core.testing.TinyModels;
import io.telechat.core.weights.ModelLoader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class ModelPartTest {
    @TempDir
    static Path directory;

    private static ModelConfig tiny;

    @BeforeAll
    static void make() throws IOException {
        try (ModelLoader.Checked checked =
                ModelLoader.check(TinyModels.make(directory, "tiny", TinyModels.CONFIG_52B, 1))) {
            tiny = checked.config();
        }
    }

    static Stream<Arguments> headsAndParts() {
        return Stream.of(
                        new HeadLayout(64, 64, 128),
                        new HeadLayout(64, 8, 128),
                        new HeadLayout(6, 3, 8),
                        new HeadLayout(3, 3, 4),
                        new HeadLayout(8, 2, 4),
                        new HeadLayout(5, 1, 4),
                        new HeadLayout(2, 2, 4))
                .flatMap(heads -> IntStream.of(1, 2, 3, 4, 7, 8).mapToObj(parts -> Arguments.of(heads, parts)));
    }

    @ParameterizedTest
    @MethodSource("headsAndParts")
    void everyHeadIsAnsweredForByOnePartThatHasItsKeys(HeadLayout layout, int parts) {
        ModelConfig config = tiny.withWidths(layout, 48);
        int[] owners = new int[layout.heads()];
        for (int i = 0; i < parts; i++) {
            ModelPart part = new ModelPart(config, i, parts);
            HeadLayout local = part.config().heads();
            for (int head = 0; head < local.heads(); head++) {
                int whole = part.heads().from() + head;
                owners[whole] += part.ownsHeads() ? 1 : 0;
                assertEquals(
                        whole / layout.groupSize(),
                        part.kvHeads().from() + head / local.groupSize(),
                        "keys of " + head);
            }
        }
        assertTrue(new ModelPart(config, 0, parts).ownsHeads());
        assertTrue(IntStream.of(owners).allMatch(n -> n == 1));
    }

    @ParameterizedTest
    @MethodSource("headsAndParts")
    void everyColumnAndTokenLiesInOnePart(HeadLayout layout, int parts) {
        for (int ffn : new int[] {48, 176, 21824, 40960}) {
            ModelConfig config = tiny.withWidths(layout, ffn);
            int column = 0;
            int token = 0;
            for (int i = 0; i < parts; i++) {
                ModelPart part = new ModelPart(config, i, parts);
                assertEquals(column, part.ffn().from());
                assertEquals(token, part.vocabulary().from());
                assertTrue(part.ffn().size() > 0 && part.vocabulary().size() > 0);
                assertEquals(part.ffn().size(), part.config().ffn());
                column = part.ffn().to();
                token = part.vocabulary().to();
            }
            assertEquals(ffn, column);
            assertEquals(config.vocabSize(), token);
        }
    }

    @Test
    void the52bIsCutWhereItsQuantizedMatricesCanBe() {
        ModelConfig config = tiny.withWidths(new HeadLayout(64, 64, 128), 21824);
        for (int i = 0; i < 4; i++) {
            ModelPart part = new ModelPart(config, i, 4);
            assertEquals(16, part.config().heads().heads());
            assertEquals(0, part.ffn().from() % 128);
            assertEquals(
                    2048, part.columns(WeightId.Part.ATTN_OUT).orElseThrow().size());
        }
    }

    @Test
    void aModelIsNotCutIntoMorePartsThanItHasColumns() {
        assertThrows(InvalidRequestException.class, () -> new ModelPart(tiny, 0, 49));
    }
}
