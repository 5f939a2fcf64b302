// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.data;

import java.nio.file.Path;

/**
 * A file of dialogs and how often each of its lines is used.
 *
 * @param name path as the mix names it, or as its pattern does, for reports
 * @param file JSON lines, perhaps compressed
 * @param weight its integer part repeats each line, its fraction is the chance of once more
 */
public record DataSource(String name, Path file, double weight) {}
