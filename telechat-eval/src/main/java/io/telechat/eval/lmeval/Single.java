// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.lmeval;

import io.telechat.eval.task.Score;
import java.util.Collections;
import java.util.Map;

/** What is found by tasks that look for answers in one way. */
final class Single {
    private Single() {}

    /** @param answer null if there is none */
    static Map<String, String> found(String answer) {
        return Collections.singletonMap(Score.NONE, answer);
    }

    static String of(Map<String, String> found) {
        return found.get(Score.NONE);
    }
}
