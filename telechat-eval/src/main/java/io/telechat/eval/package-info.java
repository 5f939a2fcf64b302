// SPDX-License-Identifier: Apache-2.0
/**
 * Benchmarks as their makers publish them, put to a model in the ways of two harnesses, so that scores can be compared sample by
 * sample. {@link io.telechat.eval.Evaluation} runs them; {@link io.telechat.eval.Tasks} lists them.
 *
 * <p>{@code task} says what a benchmark is. {@code lmeval}, {@code opencompass} and {@code custom} are benchmarks; they use {@code
 * data}, {@code text} and {@code math}. {@code model} answers, {@code run} takes documents through it, {@code score} sums up, {@code
 * report} shows. {@code sandbox} runs generated programs. {@code judge} has answers to open questions judged by another model.
 */
package io.telechat.eval;
