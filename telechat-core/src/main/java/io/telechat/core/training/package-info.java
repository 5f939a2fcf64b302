// SPDX-License-Identifier: Apache-2.0
/**
 * The model forward and backward: what the forward pass leaves, the loss, where gradients go, and parameters that can be
 * updated. The loop of steps around it is {@code telechat-train}'s.
 *
 * <p>Start at {@link io.telechat.core.training.TrainingPass}.
 */
package io.telechat.core.training;
