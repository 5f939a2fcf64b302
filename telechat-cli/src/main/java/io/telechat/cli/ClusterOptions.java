// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import io.telechat.core.InvalidRequestException;
import io.telechat.core.comm.launch.Host;
import io.telechat.core.comm.launch.Hostfile;
import io.telechat.train.plan.Cluster;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import picocli.CommandLine.Option;

/** The machines of a run that is planned. */
final class ClusterOptions {
    private static final double MICRO = 1e-6;

    @Option(
            names = {"--ranks", "--gpus"},
            paramLabel = "N",
            description = "processes that share the work, one for each GPU (default: 1)")
    private Optional<Integer> ranks = Optional.empty();

    @Option(
            names = "--hostfile",
            paramLabel = "FILE",
            description = "machines that share the work, a line each: node1 slots=8")
    private Optional<Path> hostfile = Optional.empty();

    @Option(
            names = "--link",
            paramLabel = "SIZE",
            description = "bytes per second that a host sends to others, such as 25G",
            converter = ByteSize.Converter.class)
    private Optional<ByteSize> link = Optional.empty();

    @Option(
            names = "--local-link",
            paramLabel = "SIZE",
            description = "bytes per second that a rank sends within its host (default: that takes no time)",
            converter = ByteSize.Converter.class)
    private Optional<ByteSize> localLink = Optional.empty();

    @Option(names = "--latency", paramLabel = "MICROSECONDS", description = "of a message (default: 10)")
    private double latency = Cluster.LATENCY / MICRO;

    @Option(
            names = "--no-overlap",
            description = "ranks compute with all cores, so that nothing is sent beside (default: it is, as with GPUs)")
    private boolean noOverlap;

    /** @throws InvalidRequestException if they contradict each other */
    Cluster cluster() {
        if (ranks.isPresent() && hostfile.isPresent()) {
            throw new InvalidRequestException("--ranks and --hostfile exclude each other");
        }
        ranks.ifPresent(n -> Positive.check("--ranks", n));
        if (!(latency >= 0 && latency < Double.MAX_VALUE)) {
            throw new InvalidRequestException("--latency %s: must be 0 or more", latency);
        }
        List<Host> hosts = hostfile.map(Hostfile::read).orElse(List.of());
        return new Cluster(
                Math.max(1, hosts.size()),
                hosts.isEmpty() ? ranks.orElse(1) : Hostfile.ranks(hosts),
                speed(link),
                speed(localLink),
                latency * MICRO,
                !noOverlap);
    }

    private static OptionalDouble speed(Optional<ByteSize> size) {
        if (size.isPresent() && size.get().bytes() == 0) {
            throw new InvalidRequestException("a link of 0 bytes per second carries nothing");
        }
        return size.isPresent() ? OptionalDouble.of(size.get().bytes()) : OptionalDouble.empty();
    }
}
