// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.data;

import io.telechat.core.weights.LoadProgress;
import java.util.List;
import java.util.OptionalInt;

/** Makes rows of the sources of one stage. */
interface Recipe {
    /** How the lines of sources are encoded. */
    interface Encodings {
        /** @param firstSource number of the first of {@code sources} among those of all stages */
        LineEncoding of(List<DataSource> sources, int firstSource);
    }

    /**
     * What is known afterwards.
     *
     * @param encoding of the lines
     * @param rows that were made
     * @param tooLong dialogs left out, per source
     * @param rounds how often the sources were gone through
     * @param referenceFillRate share of a row that the reference's packing fills with these dialogs
     */
    record Outcome(LineEncoding encoding, int rows, long[] tooLong, int rounds, double referenceFillRate) {}

    /**
     * @param stage what to take
     * @param samples how many rows; without it, the sources are used once
     * @param rows where they go
     * @param firstSource number of the stage's first source among those of all stages
     * @throws io.telechat.core.InvalidModelException if a file cannot be read, too many lines are unusable, or none is usable
     */
    Outcome fill(DataMix.Stage stage, OptionalInt samples, SampleRows rows, int firstSource, LoadProgress progress);
}
