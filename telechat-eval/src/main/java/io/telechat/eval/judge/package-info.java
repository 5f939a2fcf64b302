// SPDX-License-Identifier: Apache-2.0
/**
 * Answers to open questions, scored by another model: dialogs in several dimensions, criteria for each, and scores from 0 to 100, or
 * which of two models answers better. {@link io.telechat.eval.judge.Judging} runs it.
 */
package io.telechat.eval.judge;
