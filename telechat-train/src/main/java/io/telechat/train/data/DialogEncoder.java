// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.data;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;

/** Turns a line of a data file into what the model learns from. Implementations may be used from any number of threads. */
interface DialogEncoder {
    /**
     * What became of a line.
     *
     * @param dialogs what is kept of it
     * @param tooLong how many dialogs or turns were too long to be
     * @param wholeLength how long the reference finds it when it packs; 0 where nobody asks
     */
    record Encoded(List<EncodedDialog> dialogs, int tooLong, int wholeLength) {
        Encoded(List<EncodedDialog> dialogs, int tooLong) {
            this(dialogs, tooLong, 0);
        }
    }

    /** @throws BadLineException if the line makes no sense */
    Encoded encode(JsonNode line) throws BadLineException;
}
