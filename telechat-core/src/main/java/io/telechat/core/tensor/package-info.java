// SPDX-License-Identifier: Apache-2.0
/**
 * Handles on numbers in memory. A {@link io.telechat.core.tensor.Tensor} knows its shape, element type and storage,
 * and nothing else: arithmetic lives in {@link io.telechat.core.ops.Ops}. Depends on the JDK and, for
 * {@link io.telechat.core.tensor.Tensor#array()}, on the ND4J API.
 */
package io.telechat.core.tensor;
