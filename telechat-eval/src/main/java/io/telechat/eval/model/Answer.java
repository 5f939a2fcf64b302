// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.model;

import java.util.OptionalInt;

/**
 * A text behind a prompt.
 *
 * @param contextTokens of the prompt, if they were counted
 * @param truncated how many tokens of its beginning were left out
 * @param newTokens generated, the one that ended it included, if they were counted
 * @param text as it came, perhaps with a stop string and more
 */
public record Answer(OptionalInt contextTokens, int truncated, OptionalInt newTokens, String text) {}
