// SPDX-License-Identifier: Apache-2.0
/**
 * From logits to a token: a chain of {@link io.telechat.infer.sampling.LogitsProcessor}s in the order of the reference's
 * framework, then a draw. A new rule is one record and one line in {@link io.telechat.infer.sampling.Sampler}.
 */
package io.telechat.infer.sampling;
