// SPDX-License-Identifier: Apache-2.0
/**
 * The formulas of the decoder as an interface, one method each, and the values they speak of. What a formula means is
 * said here once; how it is computed is the business of the backends. Depends on {@code tensor} only.
 *
 * <p>Start at {@link io.telechat.core.ops.Ops}.
 */
package io.telechat.core.ops;
