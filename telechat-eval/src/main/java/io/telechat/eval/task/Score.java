// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.task;

import java.util.OptionalDouble;

/**
 * A score of one answer.
 *
 * @param metric such as {@code exact_match}
 * @param filter that has read the answer; {@code none} where there is one way only
 * @param value from 0 to 1; empty if it was not determined, because that would have needed leave
 */
public record Score(String metric, String filter, OptionalDouble value) {
    /** The filter of tasks with a single way to read an answer. */
    public static final String NONE = "none";

    public static Score of(String metric, String filter, boolean right) {
        return new Score(metric, filter, OptionalDouble.of(right ? 1 : 0));
    }

    /** As results and samples name it. */
    public String key() {
        return metric + "," + filter;
    }
}
