// SPDX-License-Identifier: Apache-2.0
/**
 * Benchmarks as their makers publish them, put to a model in the ways of two harnesses, so that scores can be compared sample by
 * sample. {@link io.telechat.eval.Evaluation} runs them; {@link io.telechat.eval.Tasks} lists them.
 */
package io.telechat.eval;
