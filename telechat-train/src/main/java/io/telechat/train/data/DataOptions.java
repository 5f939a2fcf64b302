// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.data;

import io.telechat.core.chat.SystemMessages;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What {@link DataProcessor} is asked for.
 *
 * @param mix file that names the sources and their weights, or the only source
 * @param format of the sources
 * @param tokenizer directory of the tokenizer
 * @param output directory to make
 * @param rowTokens tokens per sample
 * @param samples how many; without it, the sources are used once
 * @param shards how many files to spread them over
 * @param seed of every random choice
 * @param recipe how lines become samples
 * @param trainAllAnswers whether every answer is trained, or the last of each dialog only
 * @param systemMessages what becomes of system messages that the chat format has no place for
 * @param longDialogs what becomes of dialogs that are longer than a sample
 * @param maxErrors so many lines may be unusable
 * @param rejects file to list every line in that was left out
 * @param memoryBytes about how much memory buffers may take
 * @param threads that encode
 * @param overwrite whether other data in {@code output} may be replaced
 */
public record DataOptions(
        Path mix,
        DataFormat format,
        Path tokenizer,
        Path output,
        int rowTokens,
        OptionalInt samples,
        int shards,
        long seed,
        DataRecipe recipe,
        boolean trainAllAnswers,
        SystemMessages systemMessages,
        LongDialogs longDialogs,
        long maxErrors,
        Optional<Path> rejects,
        long memoryBytes,
        int threads,
        boolean overwrite) {
    /** Where none is given. */
    public static final long STANDARD_SEED = 42;

    /** What the command line would take, too, for buffers. */
    private static final long STANDARD_MEMORY = 1L << 30;

    /**
     * The command line's defaults: all dialogs of the sources once, packed by best fit, every answer trained, one file.
     *
     * {@snippet file="snippets/TrainSnippetsTest.java" region="data"}
     *
     * @param mix a file of dialogs, or JSON that maps such files to weights
     * @param tokenizer directory of the tokenizer
     * @param output directory to make
     * @param rowTokens tokens per sample
     */
    public static DataOptions of(Path mix, Path tokenizer, Path output, int rowTokens) {
        return new DataOptions(
                mix,
                DataFormat.AUTO,
                tokenizer,
                output,
                rowTokens,
                OptionalInt.empty(),
                1,
                STANDARD_SEED,
                DataRecipe.BEST_FIT,
                true,
                SystemMessages.FOLD,
                LongDialogs.DROP,
                0,
                Optional.empty(),
                STANDARD_MEMORY,
                Runtime.getRuntime().availableProcessors(),
                false);
    }

    /** Tokens that a sample may hold; the reference leaves some places free, and so do we. */
    int capacity() {
        return rowTokens - ReferencePacking.FREE;
    }
}
