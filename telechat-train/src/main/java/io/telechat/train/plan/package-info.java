// SPDX-License-Identifier: Apache-2.0
/**
 * What a run will need in memory, disk and time, computed from the model's configuration before it begins; tests hold it against
 * what runs allocate. Start at {@link io.telechat.train.plan.TrainingPlan}.
 */
package io.telechat.train.plan;
