// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.data;

import java.nio.file.Path;

/**
 * A file of dialogs and how often each of its lines is used.
 *
 * @param name path as the mix names it, or as its pattern does, for reports
 * @param file of any format, perhaps compressed
 * @param weight its integer part repeats each line, its fraction is the chance of once more
 * @param format what it is said to be
 */
public record DataSource(String name, Path file, double weight, DataFormat format) {
    /** Whose format is recognised. */
    public DataSource(String name, Path file, double weight) {
        this(name, file, weight, DataFormat.AUTO);
    }
}
