// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.optimizer;

import io.telechat.core.tensor.Tensor;

/**
 * A tensor that is trained.
 *
 * @param name unique in the run; decides whether it decays
 * @param value F32
 * @param gradient of the same shape
 */
public record Trained(String name, Tensor value, Tensor gradient) {}
