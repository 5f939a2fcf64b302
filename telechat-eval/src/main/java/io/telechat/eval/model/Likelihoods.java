// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.model;

import java.util.List;

/**
 * How likely each of some answers is behind a prompt.
 *
 * @param contextTokens of the prompt
 * @param texts the answers as they were read, with what stands between them and the prompt
 * @param ids of each answer
 * @param truncated how many tokens of the prompt's beginning were left out for each
 * @param sums natural logarithms of the probabilities of the answers
 * @param greedy whether all tokens of an answer are those that the model would choose
 */
public record Likelihoods(
        int contextTokens, List<String> texts, List<int[]> ids, int[] truncated, double[] sums, boolean[] greedy) {}
