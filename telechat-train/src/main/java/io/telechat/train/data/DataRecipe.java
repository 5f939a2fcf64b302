// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.data;

import java.util.Locale;

/** How lines become samples. */
public enum DataRecipe {
    /** Encoded as chat feeds them, shuffled by keys, packed by best fit. */
    BEST_FIT,
    /** To the id what process_data.py of TeleChat-52B makes, with the mask that it means. */
    REFERENCE;

    /** As on the command line. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
