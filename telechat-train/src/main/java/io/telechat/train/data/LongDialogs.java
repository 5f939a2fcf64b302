// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.data;

import java.util.Locale;

/** What becomes of a dialog that is longer than a row. */
public enum LongDialogs {
    /** It is left out, and counted. */
    DROP,
    /** Its oldest turns are left out. */
    TRUNCATE_OLDEST,
    /** It becomes several dialogs of whole turns. */
    SPLIT;

    /** As on the command line. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
