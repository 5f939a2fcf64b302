// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.opencompass;

import io.telechat.eval.task.Task;
import java.util.List;

/** All tasks of this style. */
public final class OpenCompassTasks {
    /** Of answers that are compared with the right one. */
    static final String METRIC = "accuracy";

    private OpenCompassTasks() {}

    /** One of each, in the order in which they are listed to people. */
    public static List<Task> all() {
        return List.of(
                new Mmlu(),
                new Cmmlu(),
                new Agieval(),
                new Gsm8k(),
                new MathProblems(),
                new HumanEval(),
                new Bbh(),
                new HellaSwag());
    }
}
