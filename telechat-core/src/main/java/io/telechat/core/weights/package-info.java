// SPDX-License-Identifier: Apache-2.0
/**
 * From the files of a checkpoint to weights in a backend's memory, and back: checking, scanning, transposing, quantizing,
 * initialising.
 *
 * <p>Start at {@link io.telechat.core.weights.ModelLoader}.
 */
package io.telechat.core.weights;
