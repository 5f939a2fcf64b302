// SPDX-License-Identifier: Apache-2.0
package io.telechat.train;

import io.telechat.core.architecture.ModelConfig;
import io.telechat.core.ops.RopeScaling;
import io.telechat.core.ops.RopeTable;
import java.util.HashMap;
import java.util.Map;

/** The angles of sequences that are computed whole: one table for each scaling, as long as the longest sequence so far. */
final class RopeTables {
    private final ModelConfig model;
    private final Map<RopeScaling, RopeTable> tables = new HashMap<>();

    RopeTables(ModelConfig model) {
        this.model = model;
    }

    /** Of at least so many positions from 0 on, under the scaling of a sequence of this length. */
    RopeTable of(int length) {
        RopeScaling scaling = model.rope().scaling(length, length, length);
        RopeTable known = tables.get(scaling);
        if (known == null || known.count() < length) {
            known = RopeTable.of(scaling, model.heads().headDim(), 0, length);
            tables.put(scaling, known);
        }
        return known;
    }
}
