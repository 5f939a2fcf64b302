// SPDX-License-Identifier: Apache-2.0
/**
 * Answers to questions of mathematics: where they stand in a text, how the harnesses spell them, when two of them are equal. Pure
 * functions; the rules are those of lm-evaluation-harness 0.4.13 and of OpenCompass, odd ones included, since scores depend on them.
 */
package io.telechat.eval.math;
