// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.chat;

/**
 * How a model writes down its thoughts: between two marks, in front of the answer.
 *
 * @param open the mark in front of them, such as {@code <think>}
 * @param close the mark behind them, such as {@code </think>}
 * @param begun whether the prompt has opened them already, so that an answer begins with thoughts, without the first mark
 */
public record ThinkingFormat(String open, String close, boolean begun) {}
