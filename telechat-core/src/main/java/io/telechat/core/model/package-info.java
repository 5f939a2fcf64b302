// SPDX-License-Identifier: Apache-2.0
/**
 * The decoder at work: the loop over layers, a layer's formulas forward and backward, and the leases on which its weights come.
 * Depends on {@code architecture}, {@code ops}, {@code backend} (the interface) and {@code tensor}; names no backend and reads
 * no file.
 *
 * <p>Start at {@link io.telechat.core.model.CausalLm}.
 */
package io.telechat.core.model;
