// SPDX-License-Identifier: Apache-2.0
/**
 * What makes a published model: how its config.json reads, what its tensors are called, how they make up the weights of a
 * decoder, and how positions are rotated. Descriptions only, nothing is computed or loaded here.
 *
 * <p>A new architecture is one file that implements {@link io.telechat.core.architecture.Architecture} and one entry in
 * {@link io.telechat.core.architecture.Architectures}.
 */
package io.telechat.core.architecture;
