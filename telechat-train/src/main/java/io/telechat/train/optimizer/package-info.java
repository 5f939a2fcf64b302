// SPDX-License-Identifier: Apache-2.0
/**
 * From gradients to new parameters: {@link io.telechat.train.optimizer.AdamW} with its running means in floats or in 8 bits, and
 * clipping. What is computed is an operation of {@link io.telechat.core.ops.GradOps}; here is what it is computed with.
 */
package io.telechat.train.optimizer;
