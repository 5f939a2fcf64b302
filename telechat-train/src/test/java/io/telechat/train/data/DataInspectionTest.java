// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.telechat.core.InvalidModelException;
import io.telechat.core.chat.ChatTokenizer;
import io.telechat.core.checkpoint.SafetensorsWriter;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.Shape;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Samples written by hand, right and wrong ones. */
class DataInspectionTest {
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED;
    private static final int END = 2;
    private static final int PAD = 3;
    private static final int USER = 4;
    private static final int BOT = 5;
    private static final int Q = 100;
    private static final int A = 101;

    private static final int[] IDS = {PAD, PAD, USER, Q, BOT, A, END, USER, Q, Q, BOT, A, A, END};
    private static final int[] MASK = {0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 1, 1, 1};
    private static final int[] SEQUENCES = {0, 0, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2};

    @TempDir
    Path directory;

    private TinyData tiny;

    @BeforeEach
    void make() throws IOException {
        tiny = new TinyData(directory);
    }

    private void write(int shard, int[] ids, int[] mask, int[] sequences) {
        Map<String, SafetensorsWriter.Entry> entries = new LinkedHashMap<>();
        entries.put("input_ids", new SafetensorsWriter.Entry(DType.I32, Shape.of(1, ids.length)));
        entries.put("loss_mask", new SafetensorsWriter.Entry(DType.U8, Shape.of(1, mask.length)));
        if (sequences.length > 0) {
            entries.put("sequence_ids", new SafetensorsWriter.Entry(DType.I32, Shape.of(1, sequences.length)));
        }
        Path file = directory.resolve("train_data_%d.safetensors".formatted(shard));
        try (SafetensorsWriter writer = SafetensorsWriter.create(file, entries)) {
            MemorySegment.copy(ids, 0, writer.tensor("input_ids").segment(), INT, 0, ids.length);
            for (int i = 0; i < mask.length; i++) {
                writer.tensor("loss_mask").segment().set(ValueLayout.JAVA_BYTE, i, (byte) mask[i]);
            }
            if (sequences.length > 0) {
                MemorySegment.copy(sequences, 0, writer.tensor("sequence_ids").segment(), INT, 0, sequences.length);
            }
            writer.commit();
        }
    }

    private DataInspection inspect(Optional<ChatTokenizer> tokenizer) {
        try (TrainingData data = TrainingData.open(directory)) {
            return DataInspection.of(data, tokenizer);
        }
    }

    /** The one problem of samples in which a single value is changed. */
    private String problem(int[] values, int at, int value) {
        int[] changed = values.clone();
        changed[at] = value;
        write(0, values == IDS ? changed : IDS, values == MASK ? changed : MASK, SEQUENCES);
        List<String> problems = inspect(Optional.of(tiny.chatTokenizer())).problems();
        assertEquals(1, problems.size(), problems.toString());
        return problems.getFirst();
    }

    @Test
    void countsWhatIsThere() {
        write(0, IDS, MASK, SEQUENCES);
        DataInspection inspection = inspect(Optional.of(tiny.chatTokenizer()));
        assertEquals(List.of(), inspection.problems());
        assertEquals(1, inspection.samples());
        assertEquals(2, inspection.dialogs());
        assertEquals(12, inspection.tokens());
        assertEquals(5, inspection.trainedTokens());
        assertEquals(2, inspection.answers());
        assertArrayEquals(new long[] {0, 0, 1, 0, 1, 0, 0, 0, 0, 0}, inspection.lengths());
    }

    @ParameterizedTest
    @EnumSource
    void findsNothingWrongWithWhatTheProcessorMakes(DataRecipe recipe) throws IOException {
        tiny.format52b()
                .recipe(recipe)
                .rowTokens(128)
                .lines(TinyData.line("q1<_bot>a1<_user>q2", "a2"), TinyData.line("q", "a"))
                .report();
        try (TrainingData data = TrainingData.open(tiny.outputFile(""))) {
            assertEquals(
                    List.of(),
                    DataInspection.of(data, Optional.of(tiny.chatTokenizer())).problems());
        }
    }

    @Test
    void findsTrainedPadding() {
        assertEquals("sample 0: padding at 1 is trained", problem(MASK, 1, 1));
    }

    @Test
    void findsAMissingEnd() {
        assertEquals("sample 0: the answer at 5 … 7 has no end token", problem(IDS, 6, A));
    }

    @Test
    void findsAnAnswerCutShort() {
        assertEquals("sample 0: the answer at 11 … 13 has no end token", problem(MASK, 13, 0));
    }

    @Test
    void findsAMaskThatBeginsTooEarly() {
        assertTrue(problem(MASK, 4, 1).startsWith("sample 0: the trained tokens at 4 do not begin behind <_bot>"));
    }

    @Test
    void findsAMaskThatBeginsTooLate() {
        assertTrue(problem(MASK, 11, 0).startsWith("sample 0: the trained tokens at 12 do not begin behind <_bot>"));
    }

    @Test
    void findsMasksThatAreNoMasks() {
        assertEquals("sample 0: mask 7 at 2", problem(MASK, 2, 7));
    }

    @Test
    void findsIdsThatTheTokenizerHasNot() {
        assertEquals("sample 0: the tokenizer has no id 9999, at 3", problem(IDS, 3, 9999));
    }

    @Test
    void tellsOnlySoManyProblems() {
        for (int shard = 0; shard < 30; shard++) {
            write(shard, IDS, MASK, new int[IDS.length]);
        }
        assertEquals(
                DataInspection.MAX_PROBLEMS,
                inspect(Optional.empty()).problems().size());
    }

    @Test
    void shardsAreReadInTheOrderOfTheirNumbers() {
        for (int shard : new int[] {10, 2, 1}) {
            int[] ids = IDS.clone();
            ids[3] = shard;
            write(shard, ids, MASK, SEQUENCES);
        }
        try (TrainingData data = TrainingData.open(directory)) {
            assertEquals(
                    List.of(1, 2, 10),
                    List.of(
                            data.sample(0).ids()[3],
                            data.sample(1).ids()[3],
                            data.sample(2).ids()[3]));
        }
    }

    @Test
    void withoutSequencesASampleIsOneDialog() {
        write(0, IDS, MASK, new int[0]);
        assertEquals(1, inspect(Optional.empty()).dialogs());
    }

    @Test
    void refusesTensorsOfDifferentShapes() {
        write(0, IDS, MASK, new int[] {1, 1});
        assertThrows(InvalidModelException.class, () -> TrainingData.open(directory));
    }

    @Test
    void refusesShardsOfDifferentLengths() {
        write(0, IDS, MASK, SEQUENCES);
        write(1, new int[] {1}, new int[] {0}, new int[] {1});
        assertThrows(InvalidModelException.class, () -> TrainingData.open(directory));
    }

    @Test
    void refusesADirectoryWithoutShards() {
        assertThrows(InvalidModelException.class, () -> TrainingData.open(directory));
    }
}
