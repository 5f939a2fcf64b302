// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.schedule;

/** A learning rate for each step. Implementations are pure functions of the step. */
@FunctionalInterface
public interface LrSchedule {
    /** @param step 0 for the first update */
    double at(long step);
}
