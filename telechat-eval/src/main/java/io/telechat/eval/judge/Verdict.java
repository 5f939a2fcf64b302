// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.judge;

import java.util.List;
import java.util.Optional;

/**
 * What a judge has said to one question.
 *
 * @param reading empty if nothing it said could be read
 * @param replies all that it said, the last one last
 * @param failure why there is no reading
 */
record Verdict<T>(Optional<Reading<T>> reading, List<String> replies, Optional<String> failure) {
    Verdict {
        replies = List.copyOf(replies);
    }

    static <T> Verdict<T> failed(List<String> replies, String why) {
        return new Verdict<>(Optional.empty(), replies, Optional.of(why));
    }

    Optional<T> value() {
        return reading.map(Reading::value);
    }

    /** How many replies could not be read. */
    int unread() {
        return replies.size() - (reading.isPresent() ? 1 : 0);
    }
}
