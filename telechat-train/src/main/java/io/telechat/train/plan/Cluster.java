// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.plan;

import java.util.OptionalDouble;

/**
 * The machines of a run, as far as its time depends on them.
 *
 * @param hosts machines
 * @param ranks of all of them, dealt out evenly
 * @param link bytes per second that a host sends to others, if known
 * @param localLink bytes per second that a rank sends within its host, if known; otherwise that takes no time
 * @param latency seconds of a message
 * @param overlaps whether sending goes on beside computing; not where it needs the cores that compute
 */
public record Cluster(
        int hosts, int ranks, OptionalDouble link, OptionalDouble localLink, double latency, boolean overlaps) {
    /** Seconds of a message within a machine or a good network. */
    public static final double LATENCY = 10e-6;

    /** Whether the time of what goes from host to host can be told. */
    public boolean isKnown() {
        return hosts == 1 || link.isPresent();
    }

    private double ranksPerHost() {
        return (double) ranks / hosts;
    }

    /** Bytes that a rank sends where all gather {@code gathered} bytes, and sum {@code summed}. */
    public double sentByRank(double gathered, double summed) {
        return (gathered + summed) * (ranks - 1) / ranks;
    }

    /**
     * Bytes that a host sends to others. What is gathered goes round in a ring, and so leaves each host once; what is summed goes
     * from each rank straight to the one that adds it, in the order of the ranks.
     */
    public double sentByHost(double gathered, double summed) {
        if (hosts == 1) {
            return 0;
        }
        return gathered * (ranks - 1) / ranks + ranksPerHost() * summed * (ranks - ranksPerHost()) / ranks;
    }

    /**
     * Seconds that moving takes; what goes within hosts goes meanwhile.
     *
     * @param operations among all ranks; each needs messages as often as the number of ranks can be halved, at least
     */
    public double seconds(double gathered, double summed, double operations) {
        double outside = hosts == 1 ? 0 : sentByHost(gathered, summed) / link.orElseThrow();
        double inside = localLink.isPresent() ? sentByRank(gathered, summed) / localLink.getAsDouble() : 0;
        double steps = Math.ceil(Math.log(ranks) / Math.log(2));
        return Math.max(outside, inside) + operations * steps * latency;
    }
}
