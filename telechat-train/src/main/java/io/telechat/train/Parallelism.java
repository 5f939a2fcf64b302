// SPDX-License-Identifier: Apache-2.0
package io.telechat.train;

import io.telechat.core.comm.Communicator;
import io.telechat.core.comm.LocalRanks;
import io.telechat.train.zero.ZeroStage;

/**
 * How many train together, and what they share out.
 *
 * @param ranks of the run; still the caller's
 * @param stage what of the training state each has its share of only
 */
public record Parallelism(Communicator ranks, ZeroStage stage) {
    /** One process, which has everything. */
    public static Parallelism alone() {
        return new Parallelism(LocalRanks.alone(), ZeroStage.NOTHING);
    }

    public boolean isAlone() {
        return ranks.size() == 1;
    }

    /** Whether this rank writes files, and tells what happens. */
    public boolean isFirst() {
        return ranks.rank() == 0;
    }
}
