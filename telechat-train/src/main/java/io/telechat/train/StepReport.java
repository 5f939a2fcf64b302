// SPDX-License-Identifier: Apache-2.0
package io.telechat.train;

/**
 * One update.
 *
 * @param step from 1
 * @param loss mean over what counted
 * @param rate learning rate
 * @param gradientNorm before clipping
 * @param tokens computed, padding included
 * @param seconds of the whole step
 * @param mfu share of the peak that was given; NaN if none was
 * @param rssBytes resident memory of the process
 */
public record StepReport(
        long step,
        double loss,
        double rate,
        double gradientNorm,
        long tokens,
        double seconds,
        double mfu,
        long rssBytes) {
    public double tokensPerSecond() {
        return tokens / seconds;
    }
}
