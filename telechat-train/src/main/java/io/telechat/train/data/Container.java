// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.data;

import java.util.Locale;

/** How records lie in a file. */
enum Container {
    /** One JSON object a line. */
    JSONL,
    /** A JSON array of objects, or objects one after the other, over any number of lines. */
    JSON,
    /** A header and rows of cells; with commas, or semicolons where the header has no comma. */
    CSV,
    /** Likewise, with tabs. */
    TSV,
    /** Paragraphs, apart by empty lines, for continued pre-training. */
    TEXT,
    /** Apache Parquet. */
    PARQUET;

    /** {@code "jsonl"}. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
