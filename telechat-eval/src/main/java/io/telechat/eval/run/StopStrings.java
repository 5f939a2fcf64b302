// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.run;

import java.util.List;

/** Where an answer ends: before the first of the strings that are to end it. */
public final class StopStrings {
    private StopStrings() {}

    /** Cuts at each string in order, then at the end of text. */
    public static String cut(String text, List<String> until, String endOfText) {
        String kept = text;
        for (String stop : until) {
            kept = before(kept, stop);
        }
        return before(kept, endOfText);
    }

    private static String before(String text, String stop) {
        int at = stop.isEmpty() ? -1 : text.indexOf(stop);
        return at < 0 ? text : text.substring(0, at);
    }
}
