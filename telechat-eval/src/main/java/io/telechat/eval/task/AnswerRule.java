// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.task;

import java.util.List;
import java.util.Map;

/** Reads answers in one or several ways, which are called filters, and scores what it has read. */
public interface AnswerRule {
    /**
     * What each filter finds in an answer.
     *
     * @return in the order of the filters; null for what finds nothing and has no word for that
     */
    Map<String, String> extract(String response);

    /**
     * The scores of what was found.
     *
     * @param extracted by {@link #extract}
     * @return none if the right answer is not known
     */
    List<Score> score(Map<String, String> extracted);
}
