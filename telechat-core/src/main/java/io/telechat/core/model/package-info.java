// SPDX-License-Identifier: Apache-2.0
/**
 * The decoder: its configuration, its published flavours, its layers and its weights. Depends on {@code ops},
 * {@code checkpoint}, {@code backend} (the interface) and {@code tensor}; names no backend.
 *
 * <p>Start at {@link io.telechat.core.model.CausalLm}. A new architecture is one file that implements
 * {@link io.telechat.core.model.Architecture} and one entry in {@link io.telechat.core.model.Architectures}.
 */
package io.telechat.core.model;
