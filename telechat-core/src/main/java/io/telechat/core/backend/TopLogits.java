// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend;

/**
 * The highest logits of a row, exactly as they are in it; of equals, those with the lowest ids.
 *
 * @param vocab how many logits the row has
 * @param ids of these, rising
 * @param values in the order of the ids
 * @param rest the highest of all others; negative infinity if there are none
 * @param logSum of all: log Σ e^logit, to a millionth or so
 */
public record TopLogits(int vocab, int[] ids, float[] values, float rest, double logSum) {}
