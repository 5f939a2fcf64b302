// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import io.telechat.core.InvalidRequestException;

/** Options that count something. */
final class Positive {
    private Positive() {}

    /** @throws InvalidRequestException if there is nothing to count */
    static int check(String option, int value) {
        if (value < 1) {
            throw new InvalidRequestException("%s %d: must be at least 1", option, value);
        }
        return value;
    }
}
