// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.judge;

/**
 * What a judge's reply says.
 *
 * @param value a score, or which is better
 * @param reason empty if it gives none
 */
record Reading<T>(T value, String reason) {}
