// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.engine;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.telechat.core.architecture.ModelConfig;
import io.telechat.core.ops.BlockPool;
import io.telechat.core.ops.HeadLayout;
import io.telechat.core.ops.KvLayout;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.HostArena;
import io.telechat.core.testing.TinyModels;
import io.telechat.core.weights.ModelLoader;
import io.telechat.infer.generation.FinishReason;
import io.telechat.infer.generation.Generation;
import io.telechat.infer.generation.TokenEvent;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AwaitedPrefixTest {
    private static final int BLOCK = KvLayout.BLOCK;
    private static final int LENGTH = 5 * BLOCK;

    private static final EngineListener NOBODY = new EngineListener() {
        @Override
        public void token(int index, TokenEvent event) {
            // Nothing is computed.
        }

        @Override
        public void finished(int index, Generation generation) {
            // Nothing is computed.
        }

        @Override
        public void failed(int index, RuntimeException failure) {
            // Nothing is computed.
        }
    };

    @TempDir
    private Path directory;

    private final BlockPool pool =
            new BlockPool(new KvLayout(1, new HeadLayout(1, 1, 2), DType.F32), new HostArena(), 100);
    private SequenceFactory factory;

    @BeforeEach
    void make() throws IOException {
        Path model = TinyModels.make(directory, "model", TinyModels.CONFIG_52B, 1);
        try (ModelLoader.Checked checked = ModelLoader.check(model)) {
            ModelConfig config = checked.config();
            factory = new SequenceFactory(config, Optional.empty(), Set.of(), LENGTH);
        }
    }

    @AfterEach
    void close() {
        pool.close();
    }

    /** Of {@link #LENGTH} tokens, that begins like others and goes on in a way of its own. */
    private Sequence sequence(int common, int own) {
        return sequence(common, own, LENGTH, "");
    }

    private Sequence sequence(int common, int own, int length, String salt) {
        int[] prompt =
                IntStream.range(0, length).map(i -> i < common ? i % 7 : own).toArray();
        Request request = Request.scoring(prompt, new int[][] {{}}).withSalt(salt);
        return factory.sequences(List.of(request), NOBODY, pool).getFirst();
    }

    private static void compute(Sequence sequence, int tokens) {
        sequence.cache().advance(tokens - sequence.computed(), sequence.scaling(0));
    }

    private static boolean waits(Sequence sequence, int cached, Sequence... running) {
        return sequence.awaited().find(List.of(running), cached, sequence.length() - 1);
    }

    @Test
    void itLastsUntilTheLastBlockInCommonIsThere() {
        Sequence leader = sequence(2 * BLOCK + 10, 100);
        Sequence other = sequence(2 * BLOCK + 10, 101);
        assertFalse(other.awaited().isComing());
        assertTrue(waits(other, 0, leader));
        compute(leader, 3 * BLOCK - 1);
        assertTrue(other.awaited().isComing());
        compute(leader, 3 * BLOCK);
        assertFalse(other.awaited().isComing());
    }

    @Test
    void itLastsUntilAPromptThatEndsBeforeIsThere() {
        Sequence leader = sequence(BLOCK + 20, 100, BLOCK + 20, "");
        Sequence other = sequence(BLOCK + 20, 101);
        assertTrue(waits(other, 0, leader));
        compute(leader, BLOCK + 20);
        assertFalse(other.awaited().isComing());
    }

    @Test
    void lessThanABlockIsNotWorthIt() {
        Sequence leader = sequence(2 * BLOCK - 1, 100);
        Sequence other = sequence(2 * BLOCK - 1, 101);
        assertFalse(waits(other, BLOCK, leader));
        assertTrue(waits(other, BLOCK - 1, leader));
    }

    @Test
    void allOfAShortPromptIs() {
        Sequence leader = sequence(20, 100, 20, "");
        Sequence same = sequence(20, 100, 20, "");
        assertTrue(waits(same, 0, leader));
        assertFalse(waits(same, 19, leader));
    }

    @Test
    void theLongestBeginningIsWaitedFor() {
        Sequence little = sequence(2 * BLOCK, 100);
        Sequence most = sequence(2 * BLOCK + 1, 101);
        Sequence other = sequence(4 * BLOCK, 102);
        assertTrue(waits(other, 0, little, most, sequence(BLOCK, 103)));
        compute(little, LENGTH);
        assertTrue(other.awaited().isComing());
        compute(most, LENGTH);
        assertFalse(other.awaited().isComing());
    }

    @Test
    void whatIsComputedAlreadyIsNotWaitedFor() {
        Sequence leader = sequence(2 * BLOCK, 100);
        compute(leader, 2 * BLOCK);
        assertFalse(waits(sequence(2 * BLOCK, 101), 0, leader));
    }

    /** Where memory is short, what was computed may be gone again before it can be used. */
    @Test
    void eachWaitMustPromiseMoreThanThoseBefore() {
        Sequence other = sequence(LENGTH, 100);
        assertTrue(waits(other, 0, sequence(2 * BLOCK, 101)));
        assertFalse(waits(other, 0, sequence(3 * BLOCK - 1, 102)));
        assertTrue(waits(other, 0, sequence(3 * BLOCK, 103)));
    }

    @Test
    void whoIsGoneIsNotWaitedFor() {
        Sequence leader = sequence(2 * BLOCK, 100);
        Sequence other = sequence(2 * BLOCK, 101);
        assertTrue(waits(other, 0, leader));
        leader.answer().end(FinishReason.CANCELLED);
        assertFalse(other.awaited().isComing());
    }

    @Test
    void whoMayNotShareDoesNotWait() {
        assertFalse(waits(sequence(2 * BLOCK, 101), 0, sequence(2 * BLOCK, 100, LENGTH, "mine")));
    }
}
