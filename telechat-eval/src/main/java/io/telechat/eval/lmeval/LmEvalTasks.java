// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.lmeval;

import io.telechat.eval.task.Task;
import java.util.List;

/** All tasks of this style. */
public final class LmEvalTasks {
    private LmEvalTasks() {}

    /** One of each, in the order in which they are listed to people. */
    public static List<Task> all() {
        return List.of(
                new Mmlu(),
                new Cmmlu(),
                new Agieval(),
                new Gsm8k(),
                new MinervaMath(),
                new HumanEval(),
                new Bbh(),
                new BbhZeroShot(true),
                new BbhZeroShot(false),
                new HellaSwag());
    }
}
