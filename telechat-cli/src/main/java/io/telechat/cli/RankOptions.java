// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import io.telechat.core.InvalidRequestException;
import java.util.Optional;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** How many ranks train together, and where. */
final class RankOptions {
    @Mixin
    private HostOptions hosts;

    @Option(
            names = "--simulate-ranks",
            paramLabel = "N",
            description = "the same as threads of one process, without MPI")
    private int simulated = 1;

    @Option(
            names = "--master-addr",
            paramLabel = "ADDRESS",
            description = "changes nothing: MPI finds its way from host to host")
    private Optional<String> masterAddress = Optional.empty();

    @Option(names = "--master-port", paramLabel = "PORT", description = "changes nothing, likewise")
    private Optional<Integer> masterPort = Optional.empty();

    @Option(
            names = "--check-hosts",
            description =
                    "look up each host, start telechat there, compare versions, model, data, memory and clock, and end")
    private boolean checkHosts;

    /** @throws InvalidRequestException if they contradict each other */
    void check() {
        hosts.check();
        Positive.check("--simulate-ranks", simulated);
        if (simulated > HostOptions.MOST) {
            throw new InvalidRequestException("%,d ranks are too many", simulated);
        }
        if (simulated > 1 && hosts.startsProcesses()) {
            throw new InvalidRequestException("--ranks, --simulate-ranks and --hostfile exclude each other");
        }
        if (checkHosts && !hosts.hasHostfile()) {
            throw new InvalidRequestException("--check-hosts checks those of a --hostfile");
        }
    }

    HostOptions hosts() {
        return hosts;
    }

    int simulated() {
        return simulated;
    }

    boolean checksHosts() {
        return checkHosts;
    }
}
