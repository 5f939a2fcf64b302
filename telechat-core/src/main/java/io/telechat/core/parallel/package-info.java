// SPDX-License-Identifier: Apache-2.0
/**
 * One model computed by several ranks, each with a part of every layer: tensor parallelism (Shoeybi et al. 2019,
 * arXiv:1909.08053). {@link io.telechat.core.architecture.ModelPart} says which part; {@link
 * io.telechat.core.parallel.TensorParallelOps} adds up what the parts compute; {@link
 * io.telechat.core.parallel.ModelInParts} loads them, and one leads.
 */
package io.telechat.core.parallel;
