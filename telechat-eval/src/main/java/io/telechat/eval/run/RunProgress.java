// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.run;

/** Hears how far a run has come. */
@FunctionalInterface
public interface RunProgress {
    /** @param done documents of the task that have been scored, of {@code total} */
    void scored(String task, int done, int total);
}
