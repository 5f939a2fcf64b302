// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.sandbox;

/**
 * What became of a program.
 *
 * @param passed whether it ran past its last line
 * @param reason {@code passed}, {@code failed: ...} with the exception, {@code timed out}, or how it was ended; one line
 * @param seconds from its first line on
 */
public record Verdict(boolean passed, String reason, double seconds) {}
