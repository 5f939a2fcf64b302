// SPDX-License-Identifier: Apache-2.0
/**
 * How the learning rate changes over a run. A schedule is a function of the step; a new one is an entry in
 * {@link io.telechat.train.schedule.LrSchedules}.
 */
package io.telechat.train.schedule;
