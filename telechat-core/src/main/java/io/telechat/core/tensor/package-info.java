// SPDX-License-Identifier: Apache-2.0
/**
 * Handles on numbers in memory. A {@link io.telechat.core.tensor.Tensor} knows its shape, element type and storage,
 * and nothing else: arithmetic lives in {@link io.telechat.core.ops.Ops}.
 */
package io.telechat.core.tensor;
