// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend;

/**
 * What a machine can do at most, as measured.
 *
 * @param readBytesPerSecond memory read by all threads together
 * @param flopsPerSecond float multiply-adds on registers by all threads together, counted as two operations each
 */
public record MachineLimits(double readBytesPerSecond, double flopsPerSecond) {}
