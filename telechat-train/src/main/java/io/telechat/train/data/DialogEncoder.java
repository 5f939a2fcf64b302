// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.data;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;

/** Turns a line of a data file into what the model learns from. Implementations may be used from any number of threads. */
interface DialogEncoder {
    /** What became of a line: what is kept of it, and how many dialogs or turns were too long to be. */
    record Encoded(List<EncodedDialog> dialogs, int tooLong) {}

    /** @throws BadLineException if the line makes no sense */
    Encoded encode(JsonNode line) throws BadLineException;
}
