// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.engine;

/**
 * What a row of logits says of some ids.
 *
 * @param logprobs natural logarithms of their probabilities, in the order in which they were asked for
 * @param argmax the likeliest of all ids, of equals the lowest
 */
public record RowScore(double[] logprobs, int argmax) {}
